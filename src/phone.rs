//! SQL surface of phone numbers: E.164 out of any spelling, and what the numbering plan says of it.

use crate::pg::error::{self, ErrorReport};
use crate::pg::text::Text;
use pgrx::iter::TableIterator;
use pgrx::{default, name, pg_extern};
use switchboard_core::phone::{self, Options, Reason};

mod normalize;

/// E.164 form (+ and digits) of a possible number in any spelling, else NULL. region: ISO 3166 code that reads
/// national spellings, NULL for international ones only. Rules and verdicts are libphonenumber's. Never raises.
#[pg_extern(immutable, parallel_safe)]
fn to_e164(input: Option<&str>, region: Option<&str>) -> Option<Text> {
    phone::with_e164(input?, region, Text::new)
}

/// Whether the text is a possible number in canonical E.164 form. For CHECK constraints.
#[pg_extern(immutable, parallel_safe, strict)]
fn is_e164(number: &str) -> bool {
    phone::is_e164(number)
}

/// Whether a number, in any spelling that `to_e164` reads, lies in a range that its country has assigned. A verdict
/// of one `phone_metadata_version`: store the number, ask again.
#[pg_extern(immutable, parallel_safe)]
fn phone_is_valid(number: Option<&str>, region: default!(Option<&str>, "NULL")) -> Option<bool> {
    Some(phone::is_valid(number?, region))
}

/// ISO 3166 region of an E.164 number (001 for calling codes without a country); NULL for a number in no region's
/// range and for other text.
#[pg_extern(immutable, parallel_safe, strict)]
fn phone_region(number: &str) -> Option<&'static str> {
    phone::describe(number)?.region
}

/// What the range of an E.164 number is for: `fixed_line`, `mobile`, `fixed_line_or_mobile`, `toll_free`,
/// `premium_rate`, `shared_cost`, `voip`, `personal_number`, `pager`, `uan`, `voicemail`, or `unknown` in no
/// assigned range; NULL for other text.
#[pg_extern(immutable, parallel_safe, strict)]
fn phone_type(number: &str) -> Option<&'static str> {
    Some(phone::describe(number)?.number_type.as_str())
}

/// Calling code (ITU-T E.164) of an E.164 number; NULL for other text.
#[pg_extern(immutable, parallel_safe, strict)]
fn phone_calling_code(number: &str) -> Option<i32> {
    Some(phone::describe(number)?.calling_code)
}

/// An E.164 number as people write it; style `national`, `international` or `rfc3966` (tel: link). NULL for text
/// that is not E.164.
///
/// # Errors
/// 22023 for another style.
#[pg_extern(immutable, parallel_safe, strict)]
fn phone_format(number: &str, style: &str) -> Result<Option<String>, ErrorReport> {
    let style = style.parse().map_err(error::invalid_argument)?;
    Ok(phone::format(number, style))
}

/// Why an E.164 number is not to be dialled on channel `call` or `sms`, NULL when it may be: `invalid`, `test_range`,
/// `premium_rate`, `shared_cost`, `personal`, `short_or_emergency`, `pager`, `voicemail`, `international_network`
/// (satellites), and for `sms` `not_mobile`.
///
/// Whatever goes out asks this first, so NULL, like any text that is no assigned number, is `invalid`.
///
/// # Errors
/// 22023 for another channel, also NULL.
#[pg_extern(immutable, parallel_safe)]
fn phone_dialable(
    number: Option<&str>,
    channel: Option<&str>,
) -> Result<Option<Text>, ErrorReport> {
    let channel = channel
        .unwrap_or_default()
        .parse()
        .map_err(error::invalid_argument)?;
    let obstacle = phone::obstacle(number.unwrap_or_default(), channel);
    Ok(obstacle.map(|obstacle| Text::new(obstacle.as_str())))
}

/// Time zones (names of the tz database) where an E.164 number may be: of its area where it has one, else of its whole
/// country. Empty for a number in no assigned range or of no country; NULL for other text.
#[pg_extern(immutable, parallel_safe, strict)]
fn phone_time_zones(number: &str) -> Option<Vec<&'static str>> {
    Some(phone::time_zones(number)?.collect())
}

/// Calling code (ITU-T E.164) of an ISO 3166 region: 44 for GB. NULL for an unknown region.
#[pg_extern(immutable, parallel_safe, strict)]
fn calling_code(region: &str) -> Option<i32> {
    phone::calling_code(region)
}

/// Version of the numbering metadata. Validity changes with it, E.164 text seldom.
#[pg_extern(immutable, parallel_safe, strict)]
fn phone_metadata_version() -> &'static str {
    phone::metadata_version()
}

/// One row about a number as people type it. validity: `valid`, `possible`, `test_range`, `invalid`. reason:
/// `not_a_number`, `too_short`, `too_long`, `invalid_country_code`, `invalid_range`, `multiple_numbers`,
/// `excel_scientific`, `letters`, `ambiguous`, `short_or_emergency`. Never raises.
///
/// Stricter than `to_e164`: letters outside an extension and known labels, two numbers in one cell, spreadsheet
/// artefacts and digits that may be two numbers are named instead of read somehow.
#[pg_extern(immutable, parallel_safe)]
#[allow(clippy::type_complexity)] // the row type is the SQL signature
fn parse_phone(
    input: Option<&str>,
    region: Option<&str>,
) -> TableIterator<
    'static,
    (
        name!(e164, Option<String>),
        name!(calling_code, Option<i32>),
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
        number.calling_code,
        number.region,
        number.number_type.map(|kind| kind.as_str()),
        number.validity.as_str(),
        number.extension,
        number.reason.map(Reason::as_str),
    ))
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
}
