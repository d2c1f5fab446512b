//! The fast path against the engine, on spellings of valid numbers of all regions and on damaged ones.
//!
//! `cargo test` looks at some thousands. The long run, a few million, for changes to `fast` or to the metadata:
//!
//! ```text
//! cargo test --release -p switchboard-core --lib -- --ignored the_fast_path_is_never_wrong_at_length
//! ```

use super::*;
use crate::phone::{
    self, Options, reference,
    test_numbers::{Random, spelling},
};

fn accepts(text: &str, region: Option<&str>) -> bool {
    find(text, region, |_| ()).is_some()
}

/// Compares every answer; returns whether the fast path had one.
fn compare(text: &str, region: Option<&str>) -> bool {
    let context = || format!("{text:?} in {region:?}");
    let e164 = phone::to_e164(text, region);
    assert_eq!(e164, reference::to_e164(text, region), "{}", context());
    assert_eq!(
        phone::is_valid(text, region),
        reference::is_valid(text, region),
        "{}",
        context()
    );
    assert_eq!(
        phone::is_e164(text),
        reference::is_e164(text),
        "{}",
        context()
    );
    assert_eq!(
        phone::describe(text),
        reference::describe(text),
        "{}",
        context()
    );
    let parsed = phone::parse(text, region, Options::default());
    assert_eq!(parsed, reference::parse(text, region), "{}", context());
    let accepted = accepts(text, region);
    if accepted {
        let e164 = e164.unwrap_or_default();
        assert!(reference::is_e164(&e164), "{e164} from {}", context());
        assert_eq!(
            phone::to_e164(&e164, region).as_deref(),
            Some(e164.as_str())
        );
    }
    accepted
}

fn run(count: usize, seed: u64) -> f64 {
    let mut random = Random::new(seed);
    let mut accepted = 0_u32;
    for _ in 0..count {
        let (text, region) = spelling(&mut random);
        accepted += u32::from(compare(&text, region));
    }
    f64::from(accepted) / count as f64
}

#[test]
fn the_fast_path_is_never_wrong() {
    let share = run(10_000, 2);
    assert!(share > 0.25, "only {share} took the fast path");
}

#[test]
#[ignore = "minutes without --release"]
fn the_fast_path_is_never_wrong_at_length() {
    let share = run(3_000_000, 3);
    println!("{:.1} % took the fast path", share * 100.0);
}

/// The spellings that the fast path is for do take it.
#[test]
fn ordinary_spellings_take_the_fast_path() {
    for (text, region, e164) in [
        ("+447911123456", None, "+447911123456"),
        ("+44 (0)7911 123 456", None, "+447911123456"),
        ("(+44) 7911-123456", Some("US"), "+447911123456"),
        ("07911 123456", Some("GB"), "+447911123456"),
        ("07911 123456", Some("gb"), "+447911123456"),
        ("07911 123456", Some("JE"), "+447911123456"),
        ("447911123456", Some("GB"), "+447911123456"),
        ("00 44 7911 123456", Some("DE"), "+447911123456"),
        ("(415) 555-0132", Some("US"), "+14155550132"),
        ("1-415-555-0132", Some("US"), "+14155550132"),
        ("011 44 7911 123456", Some("US"), "+447911123456"),
        ("8 (912) 345-67-89", Some("RU"), "+79123456789"),
        ("030/1234567", Some("DE"), "+49301234567"),
        ("0236618300", Some("IT"), "+390236618300"),
        ("06 1 234 5678", Some("HU"), "+3612345678"),
        ("(11) 96123-4567", Some("BR"), "+5511961234567"),
        ("011 4321-1234", Some("AR"), "+541143211234"),
        ("0412 345 678", Some("AU"), "+61412345678"),
        ("138 1234 5678", Some("CN"), "+8613812345678"),
        ("090-1234-5678", Some("JP"), "+819012345678"),
        ("010-1234-5678", Some("KR"), "+821012345678"),
        ("098100 12345", Some("IN"), "+919810012345"),
        ("+800 1234 5678", None, "+80012345678"),
    ] {
        let found = find(text, region, |number| number.e164.to_owned());
        assert_eq!(found.as_deref(), Some(e164), "{text:?} in {region:?}");
    }
}

/// Each for its own reason, see `Spelling`.
#[test]
fn doubtful_spellings_do_not() {
    for (text, region) in [
        ("07911 123456", None),
        ("07911 123456", Some("XX")),
        ("07911 123456 x1", Some("GB")),
        ("07911 123456,1", Some("GB")),
        ("07911+123456", Some("GB")),
        ("++447911123456", None),
        ("+44 7911 12345\u{0666}", None),
        ("+447911123456\n", None),
        ("+3758105311939", None),
        ("+490004988", None),
        ("0044", Some("GB")),
        ("12", Some("DE")),
        ("", Some("GB")),
        ("+", None),
    ] {
        assert!(!accepts(text, region), "{text:?} in {region:?}");
        compare(text, region);
    }
}

#[test]
fn length_is_limited() {
    let padded = |length: usize| format!("{:>length$}", "+447911123456");
    assert!(accepts(&padded(MAX_INPUT_CHARS), None));
    assert!(!accepts(&padded(MAX_INPUT_CHARS + 1), None));
    assert!(!accepts(&"1".repeat(MAX_DIGITS + 1), Some("US")));
}
