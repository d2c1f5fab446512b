//! SQL surface of phone numbers: E.164 out of any spelling.

use crate::pg::error::{self, ErrorReport};
use crate::pg::owner::{Table, as_owner_of};
use crate::pg::spi::{self, Query};
use crate::pg::trigger;
use pgrx::datum::Uuid;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::iter::TableIterator;
use pgrx::{AllocatedByRust, PgTrigger, name, pg_extern, pg_trigger};
use switchboard_core::phone::{self, Options, Reason, Validity};

const ORGANIZATIONS: Table = Table {
    schema: c"public",
    name: c"organizations",
};

thread_local! {
    static DEFAULT_COUNTRY: Query = const { Query::new(
        "select o.default_country::pg_catalog.text from public.organizations o \
         where o.id operator(pg_catalog.=) $1",
        &[spi::UUID],
    ) };
}

/// The E.164 form of a number written in any way, when it is a possible number; else NULL. `region` (ISO 3166 alpha-2)
/// reads national spellings; NULL accepts international ones only. Never raises.
#[pg_extern(immutable, parallel_safe)]
fn to_e164(input: Option<&str>, region: Option<&str>) -> Option<String> {
    phone::to_e164(input?, region)
}

/// Whether the text is a possible number in canonical E.164 form (`+`, digits).
#[pg_extern(immutable, parallel_safe, strict)]
fn is_e164(number: &str) -> bool {
    phone::is_e164(number)
}

/// Version of the numbering metadata (Google's libphonenumber). Verdicts on validity age with it; E.164 text does not.
#[pg_extern(immutable, parallel_safe, strict)]
fn phone_metadata_version() -> &'static str {
    phone::metadata_version()
}

/// What a number as people type it is, in one row: `validity` is valid, possible, test_range or invalid; `reason` says why
/// not. Stricter than `to_e164`: letters outside an extension, two numbers in one cell and spreadsheet artefacts are
/// named instead of read somehow. Never raises.
#[pg_extern(immutable, parallel_safe)]
#[allow(clippy::type_complexity)] // the row type is the SQL signature
fn parse_phone(
    input: Option<&str>,
    region: Option<&str>,
) -> TableIterator<
    'static,
    (
        name!(e164, Option<String>),
        name!(country_code, Option<i32>),
        name!(region, Option<String>),
        name!(type, Option<&'static str>),
        name!(validity, &'static str),
        name!(extension, Option<String>),
        name!(reason, Option<&'static str>),
    ),
> {
    let number = phone::parse(input.unwrap_or_default(), region, Options::default());
    TableIterator::once((
        number.e164,
        number.country_code,
        number.region,
        number.number_type.map(|kind| kind.as_str()),
        number.validity.as_str(),
        number.extension,
        number.reason.map(Reason::as_str),
    ))
}

/// Writes a number in E.164 and keeps the text as given. Arguments: target column, source column, region (ISO code, or
/// `organization` for the default country of the row's organization). BEFORE INSERT OR UPDATE FOR EACH ROW.
///
/// The column that the statement set or changed is read: the target if it did, else the source. NULL stays NULL.
///
/// # Errors
/// 22023 naming the column and the reason code of `parse_phone`.
#[pg_trigger]
fn normalize_phone<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>, ErrorReport> {
    error::raised(normalize(trigger))
}

fn normalize<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>, ErrorReport> {
    let [target, source, region] =
        trigger::arguments(trigger, ["target column", "source column", "region"])?;
    let (mut row, _) = trigger::new_row(trigger)?;
    let value = |name: &str| trigger::column::<String, _>(&row, name);
    let changed = |name: &str, new: &Option<String>| -> Result<bool, ErrorReport> {
        match trigger.old() {
            Some(old) => Ok(trigger::column::<String, _>(&old, name)? != *new),
            None => Ok(new.is_some()),
        }
    };
    let (typed, given) = (value(&target)?, value(&source)?);
    let text = if changed(&target, &typed)? {
        typed
    } else if changed(&source, &given)? {
        given
    } else {
        return Ok(Some(row));
    };
    let Some(text) = text else {
        trigger::set_column(&mut row, &target, None::<String>)?;
        trigger::set_column(&mut row, &source, None::<String>)?;
        return Ok(Some(row));
    };
    let region = match region.as_str() {
        "organization" => default_country(trigger::column(&row, "organization_id")?),
        code => Some(code.to_owned()),
    };
    let number = phone::parse(&text, region.as_deref(), Options::default());
    let Some(e164) = number.e164.filter(|_| number.validity != Validity::Invalid) else {
        let reason = number.reason.unwrap_or(Reason::NotANumber);
        return Err(error::invalid_argument(format!("{target} is not a phone number: {reason}"))
            .set_hint(
                "Write it with + and the country code, or as it is dialled in the organization's country.",
            ));
    };
    trigger::set_column(&mut row, &target, e164)?;
    trigger::set_column(&mut row, &source, text)?;
    Ok(Some(row))
}

fn default_country(organization: Option<Uuid>) -> Option<String> {
    as_owner_of(ORGANIZATIONS.oid()?, || {
        DEFAULT_COUNTRY.with(|query| {
            query
                .read(&[organization?.into()], |row| row.get::<String>(1))
                .pop()?
        })
    })
}

#[cfg(any(test, feature = "pg_test"))]
#[pgrx::pg_schema]
#[allow(clippy::disallowed_methods)] // tests may write
mod tests {
    use pgrx::prelude::*;

    fn e164(input: &str, region: &str) -> Option<String> {
        Spi::get_one_with_args(
            "select switchboard.to_e164($1, $2)",
            &[input.into(), region.into()],
        )
        .unwrap()
    }

    #[pg_test]
    fn nulls_and_garbage_are_null() {
        let null = |sql: &str| Spi::get_one::<String>(sql).unwrap();
        assert_eq!(null("select switchboard.to_e164(null, 'GB')"), None);
        assert_eq!(
            null("select switchboard.to_e164('07700 900123', null)"),
            None
        );
        assert_eq!(
            null("select switchboard.to_e164('+44 7700 900123', null)").as_deref(),
            Some("+447700900123")
        );
        assert_eq!(e164("", "GB"), None);
        assert_eq!(e164("hello", "GB"), None);
        assert_eq!(e164("07700 900123", "XX"), None);
    }

    #[pg_test]
    fn a_correct_number_is_never_read_in_the_default_region() {
        assert_eq!(
            e164("+4915722046781", "US").as_deref(),
            Some("+4915722046781")
        );
    }

    fn numbers() {
        Spi::run(
            "create table public.organizations (id uuid, default_country text);
             insert into public.organizations values ('0a000000-0000-4000-8000-000000000001', 'US');
             create table public.numbers (id int, organization_id uuid, phone_number text, phone_input text);
             create trigger normalize before insert or update on public.numbers for each row
                 execute function switchboard.normalize_phone('phone_number', 'phone_input', 'organization')",
        )
        .unwrap();
    }

    fn stored() -> (Option<String>, Option<String>) {
        Spi::get_two("select phone_number, phone_input from public.numbers where id = 1").unwrap()
    }

    #[pg_test]
    fn the_trigger_normalizes_and_keeps_the_text_as_given() {
        numbers();
        let some = |text: &str| Some(text.to_owned());
        Spi::run(
            "insert into public.numbers values
             (1, '0a000000-0000-4000-8000-000000000001', '(415) 555-0132', null)",
        )
        .unwrap();
        assert_eq!(stored(), (some("+14155550132"), some("(415) 555-0132")));
        Spi::run("update public.numbers set id = 1").unwrap();
        assert_eq!(stored(), (some("+14155550132"), some("(415) 555-0132")));
        Spi::run("update public.numbers set phone_input = '415 555 0133'").unwrap();
        assert_eq!(stored(), (some("+14155550133"), some("415 555 0133")));
        Spi::run("update public.numbers set phone_number = null").unwrap();
        assert_eq!(stored(), (None, None));
    }

    #[pg_test(error = "phone_number is not a phone number: letters")]
    fn the_trigger_names_column_and_reason() {
        numbers();
        Spi::run("insert into public.numbers values (1, null, 'O7700900123', null)").unwrap();
    }
}
