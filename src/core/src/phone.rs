//! Phone numbers: any spelling in, one E.164 out, or the reason why not.
//!
//! [`to_e164`] and [`is_valid`] follow Google's libphonenumber exactly; [`parse()`] is the stricter gate for imported
//! data, which refuses what the library would silently repair (a letter O, two numbers in one cell, a spreadsheet's
//! `7.7E+09`). The extension's functions, CHECK constraints and triggers call this module; it reads no table and no
//! clock.

mod automaton;
mod clean;
mod dial;
mod dialable;
mod engine;
mod fast;
mod labels;
mod metadata;
mod parse;
#[doc(hidden)]
pub mod reference;
mod rival;
mod spelling;
mod test_range;
mod time_zones;

pub use dialable::{Channel, Obstacle, UnknownChannel, as_written, obstacle};
pub use metadata::metadata_version;
pub use parse::{NumberType, Options, Parsed, Reason, Validity, parse};
pub use test_range::is_test_number;
pub use time_zones::time_zones;

use automaton::Plan;

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
    with_e164(input, region, str::to_owned)
}

/// What `answer` makes of [`to_e164`], which is not copied for it.
pub fn with_e164<T>(
    input: &str,
    region: Option<&str>,
    answer: impl FnOnce(&str) -> T,
) -> Option<T> {
    if fast::canonical(input).is_some() {
        return Some(answer(input));
    }
    let mut answer = Some(answer);
    let mut answer = |e164: &str| answer.take().map(|answer| answer(e164));
    fast::find(input, region, |number| answer(number.ok()?.e164))
        .unwrap_or_else(|| answer(&reference::to_e164(input, region)?))
}

/// Whether `text` is an E.164 number in canonical form: `+`, digits only, possible, and its own [`to_e164`].
pub fn is_e164(text: &str) -> bool {
    fast::canonical(text).is_some()
        || (is_written_as_e164(text) && with_e164(text, None, |e164| e164 == text) == Some(true))
}

/// `+` followed by digits, the first not zero. Says nothing about the number being possible.
fn is_written_as_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Whether `input` is a *valid* number: it lies in a range that the country's numbering plan has assigned.
///
/// Ranges are assigned and withdrawn, so this is a verdict of one [`metadata_version`], not a property to store.
pub fn is_valid(input: &str, region: Option<&str>) -> bool {
    fast::canonical(input).is_some()
        || fast::find(input, region, |number| number.is_ok_and(|n| n.is_valid()))
            .unwrap_or_else(|| reference::is_valid(input, region))
}

/// The calling code of a region, such as 44 for `GB`; `None` for a region without a numbering plan of its own.
pub fn calling_code(region: &str) -> Option<i32> {
    Plan::of_region(region).map(|plan| plan.calling_code().into())
}

/// What the numbering plan says of an E.164 number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Calling code, such as 44.
    pub calling_code: i32,
    /// ISO 3166-1 alpha-2 (`GB`, `GG`); `001` for calling codes without a country; `None` where the number is in no
    /// range that would tell regions of one calling code apart.
    pub region: Option<&'static str>,
    /// What the range is for; [`NumberType::Unknown`] when the number is not valid.
    pub number_type: NumberType,
    /// Whether the number lies in an assigned range.
    pub valid: bool,
}

/// What is known of `e164`; `None` when it is not in canonical form ([`is_e164`]).
pub fn describe(e164: &str) -> Option<Description> {
    if let Some(class) = fast::canonical(e164) {
        return Some(fast::describe(class));
    }
    if !is_e164(e164) {
        return None;
    }
    fast::find(e164, None, |number| Some(number.ok()?.description()))
        .unwrap_or_else(|| reference::describe(e164))
}

/// How far `e164` can be trusted, by the numbering plan alone; [`Validity::Invalid`] when it is not in canonical form.
pub fn validity(e164: &str) -> Validity {
    match describe(e164) {
        _ if is_test_number(e164) => Validity::TestRange,
        None => Validity::Invalid,
        Some(Description { valid: true, .. }) => Validity::Valid,
        Some(_) => Validity::Possible,
    }
}

/// How [`format()`] writes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As it is dialled in its own country: `07911 123456`.
    National,
    /// With the calling code: `+44 7911 123456`.
    International,
    /// As a link (RFC 3966): `tel:+44-7911-123456`.
    Rfc3966,
}

impl std::str::FromStr for Style {
    type Err = UnknownStyle;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "national" => Ok(Self::National),
            "international" => Ok(Self::International),
            "rfc3966" => Ok(Self::Rfc3966),
            _ => Err(UnknownStyle),
        }
    }
}

/// The name of a [`Style`] was none of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("style must be national, international or rfc3966")]
pub struct UnknownStyle;

/// `e164` for people to read; `None` when it is not in canonical form ([`is_e164`]).
pub fn format(e164: &str, style: Style) -> Option<String> {
    is_e164(e164).then(|| engine::format(e164, style)).flatten()
}

/// Builds what the first unusual input would build (about 8 ms and 7 MB), so that a server can do it once before it
/// forks.
pub fn warm() {
    engine::warm();
    clean::warm();
}

#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod test_numbers;
#[cfg(test)]
mod tests;
