//! Points in time as JSON carries them, for ordering only. Postgres writes a `timestamptz` with the session's offset,
//! so texts of one instant differ between sessions and comparing them as texts would make the prompt's order depend
//! on who compiles it.

/// Microseconds since 1970-01-01T00:00:00Z of an RFC 3339 date-time; digits beyond microseconds are cut off.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=month_days).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (micros, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let (fraction, zone) = rest.split_at(end);
            let digits = format!("{fraction:0<6}");
            (digits.get(..6).filter(|_| end > 0)?.parse().ok()?, zone)
        }
        None => (0, rest),
    };
    let seconds = days_from_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some((seconds - offset(zone)?) * 1_000_000 + micros)
}

/// Seconds east of UTC: `Z`, `+05:30`, and Postgres's historical `+00:53:28`.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, zone) = match zone.split_at_checked(1)? {
        ("+", zone) => (1, zone),
        ("-", zone) => (-1, zone),
        _ => return None,
    };
    let [hours, minutes, seconds] = match zone.len() {
        5 => numbers(&format!("{zone}:00"), ':', [2, 2, 2])?,
        _ => numbers(zone, ':', [2, 2, 2])?,
    };
    (hours <= 23 && minutes <= 59 && seconds <= 59)
        .then_some(sign * (hours * 3_600 + minutes * 60 + seconds))
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (number, width) in found.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width)?;
        *number = part
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(found)
}

/// Days of the proleptic Gregorian calendar, counted in years that begin in March.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn known_instants() {
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            parse("2000-02-29T12:00:00+00:00"),
            Some(951_825_600_000_000)
        );
        assert_eq!(
            parse("2024-12-31 23:59:59.25-01:00"),
            Some(1_735_693_199_250_000)
        );
        assert_eq!(parse("1969-12-31T23:59:59.999999Z"), Some(-1));
    }

    #[test]
    fn one_instant_in_several_zones() {
        let utc = parse("2025-10-26T00:30:00Z");
        assert!(utc.is_some());
        for same in [
            "2025-10-26T01:30:00+01:00",
            "2025-10-25T20:30:00-04:00",
            "2025-10-26T06:00:00+05:30",
        ] {
            assert_eq!(parse(same), utc, "{same}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "2025-10-26",
            "2025-10-26T00:30:00",
            "2025-13-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:00:00.Z",
            "2025-01-01T00:00:00+1:00",
            "+025-01-01T00:00:00Z",
            "infinity",
            "٢٠٢٥-٠١-٠١T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
