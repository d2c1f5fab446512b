//! The table against its source, the library's rule, and its own unit test's numbers.

use super::super::{automaton, metadata, test_numbers::Random};
use super::*;

#[path = "../../examples/phone_automaton/zones.rs"]
mod zones;

const SOURCE: &str = include_str!("../../examples/phone_automaton/time_zones.txt");

fn of(e164: &str) -> Option<Vec<&'static str>> {
    time_zones(e164).map(Iterator::collect)
}

#[test]
fn the_file_is_what_the_generator_makes_of_its_source() {
    assert!(
        zones::compile(SOURCE) == FILE,
        "run the example phone_automaton"
    );
    let release = format!("# libphonenumber {}", metadata::metadata_version());
    assert_eq!(SOURCE.lines().next(), Some(release.as_str()));
}

#[test]
fn every_prefix_of_the_source_is_found() {
    let mut seen = 0;
    for line in SOURCE.lines().skip(1) {
        let (prefix, names) = line.split_once('\t').expect("a tab");
        assert!(prefix.len() <= MAX_PREFIX);
        assert_eq!(longest_prefix(prefix), names, "{prefix}");
        seen += 1;
    }
    assert!(seen > 3000, "{seen}");
}

#[test]
fn the_longest_prefix_counts_as_in_the_source() {
    let mut random = Random::new(5);
    for _ in 0..2000 {
        let number = automaton::valid_number(&mut random);
        let digits = format!("{}{}", number.plan.calling_code(), number.national);
        let found = of(&format!("+{digits}")).unwrap_or_default().join(" ");
        let description = describe(&format!("+{digits}"));
        let Some(description) = description.filter(|description| description.valid) else {
            assert_eq!(found, "", "{digits}");
            continue;
        };
        let known = if has_area(&description) {
            digits.as_str()
        } else {
            &digits[..number.plan.code_length()]
        };
        let expected = SOURCE
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once('\t'))
            .filter(|(prefix, _)| known.starts_with(prefix))
            .max_by_key(|(prefix, _)| prefix.len());
        assert_eq!(found, expected.map_or("", |(_, names)| names), "{digits}");
    }
}

#[test]
fn numbers_of_the_library_s_own_test() {
    let zones = |e164: &str| of(e164).unwrap_or_default();
    assert_eq!(zones("+61236618300"), ["Australia/Sydney"]);
    assert_eq!(zones("+8222123456"), ["Asia/Seoul"]);
    assert_eq!(zones("+82801234567"), ["Asia/Seoul"]);
    assert_eq!(zones("+16048406565"), ["America/Vancouver"]);
    assert_eq!(zones("+16509600000"), ["America/Los_Angeles"]);
    assert_eq!(zones("+12128120000"), ["America/New_York"]);
    assert_eq!(zones("+16174240000"), ["America/New_York"]);
    // Possible, in no range; of no country.
    assert!(zones("+1123456789").is_empty());
    assert!(zones("+821234").is_empty());
    assert!(zones("+80012345678").is_empty());
}

#[test]
fn a_number_without_an_area_may_be_anywhere_in_its_country() {
    assert_eq!(of("+442071838750"), Some(vec!["Europe/London"]));
    assert_eq!(of("+390236618300"), Some(vec!["Europe/Rome"]));
    assert_eq!(of("+914023456789"), Some(vec!["Asia/Kolkata"]));
    let mobile = of("+447911123456").expect("E.164");
    assert!(
        mobile.contains(&"Europe/London") && mobile.len() > 1,
        "{mobile:?}"
    );
    let toll_free = of("+18002345678").expect("E.164");
    assert!(toll_free.contains(&"America/New_York") && toll_free.contains(&"Pacific/Honolulu"));
    // Mobile numbers of São Paulo and Manaus.
    assert_eq!(of("+5511961234567"), Some(vec!["America/Sao_Paulo"]));
    assert_eq!(of("+5592961234567"), Some(vec!["America/Manaus"]));
    for other in ["020 7183 8750", "+44", "", "+999123456789"] {
        assert_eq!(of(other), None, "{other}");
    }
}

#[test]
fn no_name_is_one_that_the_tz_database_has_given_up() {
    for old in [
        "Asia/Calcutta",
        "Asia/Rangoon",
        "Pacific/Truk",
        "America/Godthab",
        "Etc/Unknown",
    ] {
        assert!(
            !SOURCE.split_ascii_whitespace().any(|name| name == old),
            "{old}"
        );
    }
}
