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

/// The calling code of a region (ISO 3166 alpha-2), such as 44 for GB; NULL for an unknown one.
#[pg_extern(immutable, parallel_safe, strict)]
fn calling_code(region: &str) -> Option<i32> {
    phone::country_code(region)
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
        name!(region, Option<&'static str>),
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
/// The column that the statement set is read: the target if it did, else the source. The source keeps what was read,
/// or what the same statement wrote there. NULL stays NULL.
///
/// A text in canonical E.164 form is taken at its word when it is possible; any other spelling must lead to a valid number
/// or a published test number, because reading it takes a guess.
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
    let mut row = trigger::new_row(trigger)?;
    let number = written(trigger, &row, &target)?;
    let text = written(trigger, &row, &source)?;
    let (given, text) = match (number, text) {
        (None, None) => return Ok(Some(row)),
        (Some(number), Some(Some(text))) => (number, Some(text)),
        (Some(number), _) => (number.clone(), number),
        (None, Some(text)) => (text.clone(), text),
    };
    let e164 = match &given {
        None => None,
        Some(given) => {
            let region = match region.as_str() {
                "organization" => default_country(trigger::column(&row, "organization_id")?),
                code => Some(code.to_owned()),
            };
            Some(accept(given, region.as_deref()).map_err(|reason| {
                error::invalid_argument(format!("{target} is not a phone number: {reason}")).set_hint(
                    "Write it with + and the country code, or as it is dialled in the organization's country.",
                )
            })?)
        }
    };
    let text = e164.is_some().then_some(text).flatten();
    trigger::set_column(&mut row, &target, e164)?;
    trigger::set_column(&mut row, &source, text)?;
    Ok(Some(row))
}

/// What the statement wrote into a text column; `None` when it left the column as it was.
fn written(
    trigger: &PgTrigger<'_>,
    row: &trigger::NewRow<'_>,
    name: &str,
) -> Result<Option<Option<String>>, ErrorReport> {
    let new: Option<String> = trigger::column(row, name)?;
    let old: Option<String> = match trigger.old() {
        Some(old) => trigger::column(&old, name)?,
        None => None,
    };
    Ok((new != old).then_some(new))
}

/// The number to store for a text.
fn accept(text: &str, region: Option<&str>) -> Result<String, Reason> {
    if phone::is_e164(text) {
        return Ok(text.to_owned());
    }
    let number = phone::parse(text, region, Options::default());
    match (number.validity, number.e164) {
        (Validity::Valid | Validity::TestRange, Some(e164)) => Ok(e164),
        _ => Err(number.reason.unwrap_or(Reason::NotANumber)),
    }
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

    #[pg_test]
    fn a_text_given_beside_the_number_is_kept() {
        numbers();
        Spi::run("insert into public.numbers values (1, null, '+14155550132', '(415) 555-0132')")
            .unwrap();
        assert_eq!(stored().1.as_deref(), Some("(415) 555-0132"));
    }

    #[pg_test(error = "phone_number is not a phone number: invalid_range")]
    fn a_reading_that_is_merely_possible_is_refused() {
        numbers();
        Spi::run(
            "insert into public.numbers select 1, id, '(017) 496-0511' from public.organizations",
        )
        .unwrap();
    }

    #[pg_test(error = "phone_number is not a phone number: letters")]
    fn the_trigger_names_column_and_reason() {
        numbers();
        Spi::run("insert into public.numbers values (1, null, 'O7700900123', null)").unwrap();
    }
}
