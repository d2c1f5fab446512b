//! Dates as lists have them.

use super::Date;

/// A date in ISO 8601, or day first with slashes where days come first. The slashed form of the United States is not to be
/// told from it and therefore not guessed.
pub(super) fn parse(text: &str, day_first: bool) -> Option<Date> {
    let (parts, lengths) = match text.contains('/') {
        true if day_first => {
            let mut parts = text.split('/').collect::<Vec<_>>();
            parts.reverse();
            (parts, [4..=4, 1..=2, 1..=2])
        }
        true => return None,
        false => (text.split('-').collect(), [4..=4, 2..=2, 2..=2]),
    };
    let [year, month, day]: [&str; 3] = parts.try_into().ok()?;
    let mut numbers = [0; 3];
    for (number, (text, length)) in numbers
        .iter_mut()
        .zip([year, month, day].into_iter().zip(lengths))
    {
        if !length.contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *number = text.parse().ok()?;
    }
    let [year, month, day] = numbers;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (year >= 1900 && (1..=days).contains(&day)).then_some(Date {
        year,
        month: month as u8,
        day: day as u8,
    })
}
