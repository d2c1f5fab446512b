//! Phone numbers: any spelling in, one E.164 out, or the reason why not.
//!
//! [`to_e164`] and [`is_valid`] follow Google's libphonenumber exactly; [`parse()`] is the stricter gate for imported
//! data, which refuses what the library would silently repair (a letter O, two numbers in one cell, a spreadsheet's
//! `7.7E+09`). The extension's functions, CHECK constraints and triggers call this module; it reads no table and no
//! clock.

mod clean;
mod engine;
mod metadata;
mod parse;
mod test_range;

pub use metadata::metadata_version;
pub use parse::{NumberType, Options, Parsed, Reason, Validity, parse};
pub use test_range::is_test_number;

/// Longest input looked at, in characters: libphonenumber's own limit.
pub const MAX_INPUT_CHARS: usize = 250;

/// The E.164 form of `input` (`+` and digits), or `None` when it is not a *possible* number.
///
/// `region` is an ISO 3166-1 alpha-2 code in either case; it says how to read a number without a country code.
/// Anything else counts as no region, and then only international notation is understood. Possible means that the
/// length fits the country's numbering plan: the number need not be in an assigned range (see [`is_valid`]).
///
/// The result is libphonenumber's, with one difference: a valid number in E.164 form is returned unchanged (the
/// library cuts the 8 off some Belarusian ones), so `to_e164` is idempotent on every valid number. A possible number
/// with a doubled trunk prefix (`+43 00 1…`) gives what the library gives, which it would read differently a second
/// time; [`is_e164`] and [`parse()`] refuse those.
pub fn to_e164(input: &str, region: Option<&str>) -> Option<String> {
    engine::resolve(input, region)
        .ok()
        .map(|number| engine::format_e164(&number))
}

/// Whether `text` is an E.164 number in canonical form: `+`, digits only, possible, and its own [`to_e164`].
pub fn is_e164(text: &str) -> bool {
    engine::is_canonical(text) && to_e164(text, None).is_some_and(|e164| e164 == text)
}

/// Whether `input` is a *valid* number: it lies in a range that the country's numbering plan has assigned.
///
/// Ranges are assigned and withdrawn, so this is a verdict of one [`metadata_version`], not a property to store.
pub fn is_valid(input: &str, region: Option<&str>) -> bool {
    engine::resolve(input, region).is_ok_and(|number| engine::describe(&number).valid)
}

/// The calling code of a region, such as 44 for `GB`; `None` for a region without a numbering plan of its own.
pub fn country_code(region: &str) -> Option<i32> {
    engine::country_code(region)
}

/// Builds what the first call would build (about 8 ms and 7 MB), so that a server can do it once before it forks.
pub fn warm() {
    engine::warm();
    clean::warm();
}

#[cfg(test)]
mod tests;
