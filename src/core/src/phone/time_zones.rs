//! Where a number may be, as time zones: libphonenumber's map of prefixes, and its rule for which numbers have a place.

use super::{Description, NumberType, describe};

/// Built by `examples/phone_automaton`, which also says what is in the file.
const FILE: &[u8] = include_bytes!("time_zones.bin");

const PREFIXES: &[[u8; 4]] = section(0).as_chunks().0;
const LISTS: &[[u8; 4]] = section(1).as_chunks().0;
const NAMES: &[u8] = section(2);

/// A section of the file. Empty when the file is of another layout, so that the generator can still be built.
const fn section(wanted: usize) -> &'static [u8] {
    let (lengths, _) = FILE.as_chunks::<4>();
    let mut at = 12;
    let mut number = 0;
    while number < wanted && number < lengths.len() {
        at += u32::from_le_bytes(lengths[number]) as usize;
        number += 1;
    }
    match FILE.split_at_checked(at) {
        Some((_, rest)) if number < lengths.len() => {
            match rest.split_at_checked(u32::from_le_bytes(lengths[number]) as usize) {
                Some((section, _)) => section,
                None => &[],
            }
        }
        _ => &[],
    }
}

/// The longest prefix in the map.
const MAX_PREFIX: usize = 9;

/// Calling codes whose mobile numbers belong to an area: Mexico, Argentina, Brazil, Indonesia, China.
const WITH_MOBILE_AREAS: [i32; 5] = [52, 54, 55, 62, 86];

/// Names of the tz database for the places that `e164` may be at: of its area where the number has one, else of the
/// whole calling code. Empty for a number in no assigned range or of no country; `None` when it is not in canonical form
/// ([`is_e164`](super::is_e164)).
pub fn time_zones(e164: &str) -> Option<impl Iterator<Item = &'static str>> {
    let found = describe(e164)?;
    let prefix = match found {
        Description { valid: false, .. } => 0,
        _ if has_area(&found) => e164.len() - 1,
        _ => found.calling_code.to_string().len(),
    };
    let digits = e164.get(1..=prefix.min(MAX_PREFIX)).unwrap_or_default();
    Some(
        longest_prefix(digits)
            .split(' ')
            .filter(|name| !name.is_empty()),
    )
}

fn has_area(number: &Description) -> bool {
    match number.number_type {
        NumberType::FixedLine | NumberType::FixedLineOrMobile => true,
        NumberType::Mobile => WITH_MOBILE_AREAS.contains(&number.calling_code),
        _ => false,
    }
}

/// The names of the longest prefix of `digits` in the map.
fn longest_prefix(digits: &str) -> &'static str {
    let mut prefix: u32 = digits.parse().unwrap_or_default();
    while prefix > 0 {
        if let Ok(at) = PREFIXES.binary_search_by_key(&prefix, |known| u32::from_le_bytes(*known)) {
            let [start, start_high, length, length_high] = LISTS[at];
            let start = usize::from(u16::from_le_bytes([start, start_high]));
            let length = usize::from(u16::from_le_bytes([length, length_high]));
            let names = NAMES.get(start..start + length);
            return names
                .and_then(|names| str::from_utf8(names).ok())
                .unwrap_or_default();
        }
        prefix /= 10;
    }
    ""
}

#[cfg(test)]
#[path = "time_zones_tests.rs"]
mod tests;
