//! The trigger that writes phone columns in E.164: which column the statement set, in which region to read it, what to
//! accept. BEFORE INSERT OR UPDATE FOR EACH ROW on every table with a phone number.

use crate::pg::contract::ORGANIZATIONS;
use crate::pg::error::{self, ErrorReport};
use crate::pg::owner::as_owner_of;
use crate::pg::row::{Column, TriggerRow};
use crate::pg::session::{self, Visibility};
use crate::pg::spi::{self, Query};
use crate::pg::trigger::{self, More};
use crate::tenant;
use pgrx::datum::Uuid;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::{AllocatedByPostgres, PgTrigger, pg_trigger};
use std::cell::RefCell;
use std::ffi::CStr;
use switchboard_core::phone::{self, Options, Reason, Validity};

thread_local! {
    static LAST_COUNTRY: RefCell<Option<(CountryKey, Option<String>)>> = const { RefCell::new(None) };
    // Every name is qualified: the function has no search_path of its own.
    static DEFAULT_COUNTRY: Query = const { Query::new(
        "select o.default_country::pg_catalog.text from public.organizations o \
         where o.id operator(pg_catalog.=) $1",
        &[spi::UUID],
    ) };
}

type CountryKey = (Uuid, Visibility);

/// Where the trigger finds the region that national spellings are read in: its third argument.
enum RegionSource<'a> {
    /// `organization`: the default country of the row's organization; none to somebody who does not belong to it.
    Organization,
    /// `column:<name>`: a text column of the row.
    Column(&'a CStr),
    /// An ISO 3166 code.
    Constant(&'a CStr),
}

impl<'a> RegionSource<'a> {
    fn of(argument: &'a CStr) -> Self {
        let bytes = argument.to_bytes_with_nul();
        match bytes
            .strip_prefix(b"column:")
            .map(CStr::from_bytes_with_nul)
        {
            Some(Ok(column)) => Self::Column(column),
            _ if argument == c"organization" => Self::Organization,
            _ => Self::Constant(argument),
        }
    }

    fn region(&self, row: &TriggerRow<'_>) -> Result<Option<String>, ErrorReport> {
        match self {
            Self::Organization => Ok(row
                .new_value(&row.column::<Uuid>(c"organization_id")?)
                .filter(|organization| tenant::may_use(row, *organization))
                .and_then(default_country)),
            Self::Column(name) => Ok(row.new_value(&row.column::<String>(name)?)),
            Self::Constant(code) => Ok(Some(code.to_string_lossy().into_owned())),
        }
    }

    /// What to do about a number that was refused in `region`. A code that no numbering plan has is a mistake of the
    /// trigger's declaration, or of the row's own region column; it is looked for only now, because numbers with a
    /// country code need no region.
    fn refusal(&self, target: &CStr, reason: Reason, region: Option<&str>) -> ErrorReport {
        let unknown = region.is_some_and(|region| phone::calling_code(region).is_none());
        let place = match self {
            Self::Constant(code) if unknown => {
                return error::wrong_trigger(format!(
                    "region {} named by the trigger is no ISO 3166 code, organization or column:<name>",
                    code.to_string_lossy()
                ));
            }
            Self::Constant(code) => code.to_string_lossy().into_owned(),
            Self::Column(name) => format!("the country in column {}", name.to_string_lossy()),
            Self::Organization => "the organization's country".to_owned(),
        };
        let hint = match self {
            _ if reason == Reason::ShortOrEmergency => {
                "A short number reaches a service inside its country, and nobody's telephone."
                    .to_owned()
            }
            Self::Column(name) if unknown => {
                format!(
                    "{} must hold an ISO 3166 code such as GB.",
                    name.to_string_lossy()
                )
            }
            _ => format!("Write it with + and the country code, or as it is dialled in {place}."),
        };
        let target = target.to_string_lossy();
        error::invalid_argument(format!("{target} is not a phone number: {reason}")).set_hint(hint)
    }
}

/// The columns that the trigger writes, and how it reads; its arguments after the third say which of the last five.
struct Columns<'a> {
    number: Column<&'a str>,
    text: Column<&'a str>,
    extension: Option<Column<&'a str>>,
    number_type: Option<Column<&'a str>>,
    region: Option<Column<&'a str>>,
    validity: Option<Column<&'a str>>,
    options: Options,
}

impl<'a> Columns<'a> {
    fn of(
        row: &TriggerRow<'a>,
        target: &CStr,
        source: &CStr,
        arguments: Option<More<'_>>,
    ) -> Result<Self, ErrorReport> {
        let mut columns = Self {
            number: row.column(target)?,
            text: row.column(source)?,
            extension: None,
            number_type: None,
            region: None,
            validity: None,
            options: Options::default(),
        };
        for argument in arguments.iter().flat_map(More::iter) {
            if argument == c"cautious" {
                columns.options.cautious = true;
                continue;
            }
            let bytes = argument.to_bytes_with_nul();
            let (column, name) = if let Some(name) = bytes.strip_prefix(b"extension:") {
                (&mut columns.extension, name)
            } else if let Some(name) = bytes.strip_prefix(b"type:") {
                (&mut columns.number_type, name)
            } else if let Some(name) = bytes.strip_prefix(b"region:") {
                (&mut columns.region, name)
            } else if let Some(name) = bytes.strip_prefix(b"validity:") {
                (&mut columns.validity, name)
            } else {
                return Err(error::wrong_trigger(format!(
                    "argument {} of the trigger is not extension:<column>, type:<column>, region:<column>, \
                     validity:<column> or cautious",
                    argument.to_string_lossy()
                )));
            };
            let name = CStr::from_bytes_with_nul(name).map_err(error::internal)?;
            *column = Some(row.column(name)?);
        }
        Ok(columns)
    }

    /// What the numbering plan says of the number, for the columns that want it.
    fn verdicts(
        &self,
        number: Option<&str>,
    ) -> [(Option<&Column<&'a str>>, Option<&'static str>); 3] {
        let columns = [&self.number_type, &self.region, &self.validity].map(Option::as_ref);
        let wanted = columns.iter().any(Option::is_some);
        let number = number.filter(|_| wanted);
        let found = number.and_then(phone::describe);
        let [number_type, region, validity] = columns;
        [
            (number_type, found.map(|found| found.number_type.as_str())),
            (region, found.and_then(|found| found.region)),
            (
                validity,
                number.map(|number| phone::validity(number).as_str()),
            ),
        ]
    }

    /// The row with the verdicts of the number that it has.
    fn judge(&self, row: TriggerRow<'a>) -> PgHeapTuple<'a, AllocatedByPostgres> {
        let verdicts = self.verdicts(row.new_value(&self.number));
        let stand = verdicts
            .into_iter()
            .all(|(column, value)| column.is_none_or(|column| row.new_value(column) == value));
        match stand {
            true => row.unchanged(),
            false => row.with(verdicts),
        }
    }

    /// The row with what was read. An extension that the same statement wrote itself stands; one that belongs to the
    /// number of before goes.
    fn fill<'v>(
        &'v self,
        row: TriggerRow<'a>,
        number: Option<&'v str>,
        text: Option<&'v str>,
        extension: Option<&'v str>,
    ) -> PgHeapTuple<'a, AllocatedByPostgres> {
        let [number_type, region, validity] = self.verdicts(number);
        let extension = self
            .extension
            .as_ref()
            .and_then(|column| written(&row, column))
            .unwrap_or(extension);
        row.with([
            (Some(&self.number), number),
            (Some(&self.text), text),
            (self.extension.as_ref(), extension),
            number_type,
            region,
            validity,
        ])
    }
}

/// Trigger, BEFORE INSERT OR UPDATE FOR EACH ROW, that writes a number in E.164. Arguments: target, source
/// column (as given), region (ISO code, `organization`, `column:<name>`); optional `extension:<column>`, `type:…`,
/// `region:…`, `validity:…`, `cautious`. E.164 must be possible, not short; other spellings valid or test numbers.
///
/// The column that the statement set is read: the target if it did, else the source. The source keeps what was
/// read, or what the same statement wrote there; the extension column the extension that was read, in the same way.
/// NULL stays NULL.
///
/// A text in canonical E.164 form is taken at its word when it is possible and can be a subscriber's: no short number
/// (`+49110`), and not so short that it is only dialled inside its own area. Any other spelling must lead to a valid
/// number or a published test number, because reading it takes a guess. `reason` is one of `parse_phone`.
///
/// It fires before row level security does, so to whoever is subject to that and does not belong to the organization
/// every organization is one without a country.
///
/// `cautious` is for opt-outs, where a wrong guess lets a message through: a landline without trunk prefix that may as
/// well be another country's mobile number without `+` is refused as `ambiguous`, however short.
///
/// The columns of type, region and validity are nobody's to write: they are written anew with every row that is inserted or
/// updated, by the metadata of that moment.
///
/// # Errors
/// 22023 naming column, reason and key, 39P01 for arguments that name nothing.
#[pg_trigger]
fn normalize_phone<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, ErrorReport> {
    error::raised(normalize(trigger).map(Some))
}

fn normalize<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<PgHeapTuple<'a, AllocatedByPostgres>, ErrorReport> {
    let names = ["target column", "source column", "region"];
    let ([target, source, region], more) = trigger::arguments_and_more(trigger, names)?;
    let row = TriggerRow::of(trigger)?;
    let columns = Columns::of(&row, target, source, more)?;
    let (given, text) = match (written(&row, &columns.number), written(&row, &columns.text)) {
        (None, None) => return Ok(columns.judge(row)),
        (Some(number), Some(Some(text))) => (number, Some(text)),
        (Some(number), _) => (number, number),
        (None, Some(text)) => (text, text),
    };
    let Some(given) = given else {
        return Ok(columns.fill(row, None, None, None));
    };
    let region_source = RegionSource::of(region);
    let refused = |row: &TriggerRow<'a>, reason, region: Option<&str>| {
        let refusal = region_source.refusal(target, reason, region);
        match row.key() {
            Some(key) => refusal.set_detail(format!("Row with {key}.")),
            None => refusal,
        }
    };
    // Whatever the region.
    match phone::as_written(given) {
        Some(Ok(())) => return Ok(columns.fill(row, Some(given), text, None)),
        Some(Err(reason)) => return Err(refused(&row, reason, None)),
        None => {}
    }
    let region = region_source.region(&row)?;
    match accept(given, region.as_deref(), columns.options) {
        Ok((e164, extension)) => Ok(columns.fill(row, Some(&e164), text, extension.as_deref())),
        Err(reason) => Err(refused(&row, reason, region.as_deref())),
    }
}

/// What the statement wrote into a text column; `None` when it left the column as it was. An INSERT leaves NULL as it was.
fn written<'a>(row: &TriggerRow<'a>, column: &Column<&'a str>) -> Option<Option<&'a str>> {
    let new = row.new_value(column);
    (new != row.old_value(column).flatten()).then_some(new)
}

/// The number to store for a text that is not E.164 yet, and its extension.
fn accept(
    text: &str,
    region: Option<&str>,
    options: Options,
) -> Result<(String, Option<String>), Reason> {
    let number = phone::parse(text, region, options);
    match (number.validity, number.e164) {
        (Validity::Valid | Validity::TestRange, Some(e164)) => Ok((e164, number.extension)),
        _ => Err(number.reason.unwrap_or(Reason::NotANumber)),
    }
}

/// The country of an organization, remembered for the rows of one statement: asking costs forty times the reading of a
/// number.
fn default_country(organization: Uuid) -> Option<String> {
    let key = (organization, session::visibility()?);
    LAST_COUNTRY.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(known, _)| *known != key) {
            *last = Some((key, find_country(key.0)));
        }
        last.as_ref().and_then(|(_, country)| country.clone())
    })
}

fn find_country(organization: Uuid) -> Option<String> {
    as_owner_of(ORGANIZATIONS.oid()?, || {
        DEFAULT_COUNTRY.with(|query| {
            query
                .read(&[organization.into()], |row| row.get::<String>(1))
                .pop()?
        })
    })
}

#[cfg(any(test, feature = "pg_test"))]
#[pgrx::pg_schema]
#[allow(clippy::disallowed_methods)] // tests may write
mod tests {
    use pgrx::prelude::*;

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
    fn a_country_changed_in_the_same_transaction_counts_at_once() {
        numbers();
        let insert =
            "insert into public.numbers select 1, id, '020 7183 8750' from public.organizations";
        for (country, number) in [("GB", "+442071838750"), ("IT", "+3902071838750")] {
            Spi::run(&format!(
                "update public.organizations set default_country = '{country}'; delete from public.numbers; {insert}"
            ))
            .unwrap();
            assert_eq!(stored().0.as_deref(), Some(number));
        }
    }

    #[pg_test]
    fn a_text_given_beside_the_number_is_kept() {
        numbers();
        Spi::run("insert into public.numbers values (1, null, '+14155550132', '(415) 555-0132')")
            .unwrap();
        assert_eq!(stored().1.as_deref(), Some("(415) 555-0132"));
    }

    #[pg_test]
    fn the_extension_has_a_column_of_its_own() {
        numbers();
        let some = |text: &str| Some(text.to_owned());
        let stored = || {
            Spi::get_two::<String, String>(
                "select phone_number, extension from public.numbers where id = 1",
            )
            .unwrap()
        };
        Spi::run(
            "alter table public.numbers add extension text;
             drop trigger normalize on public.numbers;
             create trigger normalize before insert or update on public.numbers for each row execute function
                 switchboard.normalize_phone('phone_number', 'phone_input', 'organization', 'extension:extension');
             insert into public.numbers values (1, null, '+44 20 7183 8750 ext 12', null)",
        )
        .unwrap();
        assert_eq!(stored(), (some("+442071838750"), some("12")));
        Spi::run("update public.numbers set extension = '13'").unwrap();
        assert_eq!(stored(), (some("+442071838750"), some("13")));
        // The extension of another number is not the new one's; one that is written beside it is.
        Spi::run("update public.numbers set phone_number = '+442071838751'").unwrap();
        assert_eq!(stored(), (some("+442071838751"), None));
        Spi::run("update public.numbers set phone_number = '+442071838752', extension = '7'")
            .unwrap();
        assert_eq!(stored(), (some("+442071838752"), some("7")));
        Spi::run("update public.numbers set phone_input = '+44 20 7183 8753 (ext 8)'").unwrap();
        assert_eq!(stored(), (some("+442071838753"), some("8")));
    }

    #[pg_test(
        error = "argument extension of the trigger is not extension:<column>, type:<column>, region:<column>, validity:<column> or cautious"
    )]
    fn another_fourth_argument_is_a_wrong_declaration() {
        numbers();
        Spi::run(
            "create trigger other before insert on public.numbers for each row execute function
                 switchboard.normalize_phone('phone_number', 'phone_input', 'GB', 'extension');
             insert into public.numbers values (1, null, '+442071838750', null)",
        )
        .unwrap();
    }

    #[pg_test(error = "phone_number is not a phone number: invalid_range")]
    fn a_reading_that_is_merely_possible_is_refused() {
        numbers();
        Spi::run(
            "insert into public.numbers select 1, id, '(017) 496-0511' from public.organizations",
        )
        .unwrap();
    }

    #[pg_test]
    fn the_region_of_the_number_has_a_column_of_its_own() {
        numbers();
        Spi::run(
            "alter table public.numbers add region text default 'XX';
             drop trigger normalize on public.numbers;
             create trigger normalize before insert or update on public.numbers for each row execute function
                 switchboard.normalize_phone('phone_number', 'phone_input', 'GB', 'region:region');
             insert into public.numbers values (1, null, '07781 123456', null)",
        )
        .unwrap();
        let region =
            || Spi::get_one::<String>("select region from public.numbers where id = 1").unwrap();
        assert_eq!(region().as_deref(), Some("GG"));
        Spi::run("update public.numbers set phone_number = '+49211234567', region = 'FR'").unwrap();
        assert_eq!(region().as_deref(), Some("DE"));
    }

    #[pg_test]
    fn a_landline_of_ten_digits_is_read() {
        numbers();
        Spi::run("update public.organizations set default_country = 'DE'").unwrap();
        Spi::run("insert into public.numbers select 1, id, '4741234567' from public.organizations")
            .unwrap();
        assert_eq!(stored().0.as_deref(), Some("+494741234567"));
    }

    #[pg_test(error = "phone_number is not a phone number: ambiguous")]
    fn a_cautious_trigger_refuses_what_may_be_another_country_s() {
        numbers();
        Spi::run(
            "drop trigger normalize on public.numbers;
             create trigger normalize before insert or update on public.numbers for each row execute function
                 switchboard.normalize_phone('phone_number', 'phone_input', 'DE', 'cautious');
             insert into public.numbers values (1, null, '4741234567', null)",
        )
        .unwrap();
    }

    #[pg_test(error = "phone_number is not a phone number: letters")]
    fn the_trigger_names_column_and_reason() {
        numbers();
        Spi::run("insert into public.numbers values (1, null, 'O7700900123', null)").unwrap();
    }
}
