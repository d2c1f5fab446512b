//! The questions of this module answered by libphonenumber alone, without the tables. Tests, fuzzing and benchmarks
//! compare the two; elsewhere it answers what the tables leave over.

use super::{Description, Parsed, engine, fast, is_written_as_e164, parse::parse_slowly};

/// See [`to_e164`](super::to_e164).
pub fn to_e164(input: &str, region: Option<&str>) -> Option<String> {
    engine::resolve(input, region)
        .ok()
        .map(|number| engine::format_e164(&number))
}

/// See [`is_e164`](super::is_e164).
pub fn is_e164(text: &str) -> bool {
    is_written_as_e164(text) && to_e164(text, None).is_some_and(|e164| e164 == text)
}

/// See [`is_valid`](super::is_valid).
pub fn is_valid(input: &str, region: Option<&str>) -> bool {
    engine::resolve(input, region).is_ok_and(|number| engine::describe(&number).valid)
}

/// See [`parse`](super::parse()).
pub fn parse(input: &str, region: Option<&str>) -> Parsed {
    parse_slowly(input, region)
}

/// See [`describe`](super::describe).
pub fn describe(e164: &str) -> Option<Description> {
    if !is_e164(e164) {
        return None;
    }
    let number = engine::resolve(e164, None).ok()?;
    Some(engine::describe(&number))
}

/// Whether the tables read this spelling, so that libphonenumber is not asked.
pub fn is_read_by_tables(input: &str, region: Option<&str>) -> bool {
    fast::find(input, region, |_| ()).is_some()
}
