//! The tables against libphonenumber, on spellings of valid numbers of all regions, plain and unusual, and on damaged ones.
//!
//! `cargo test` looks at some thousands. The long run, a few million, for changes to the readers or to the metadata:
//!
//! ```text
//! cargo test --release -p switchboard-core --lib -- --ignored the_tables_are_never_wrong_at_length
//! ```

use proptest::prelude::*;

use super::*;
use crate::phone::{
    self, MAX_INPUT_CHARS, Options, reference,
    test_numbers::{MARKS, PUNCTUATION, Random, spelling, unusual},
};

fn answers(text: &str, region: Option<&str>) -> bool {
    reference::is_read_by_tables(text, region)
}

/// Compares every answer; returns whether the tables had one.
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
    if let Some(e164) = e164.filter(|_| phone::is_valid(text, region)) {
        assert!(reference::is_e164(&e164), "{e164} from {}", context());
        assert_eq!(phone::to_e164(&e164, region).as_ref(), Some(&e164));
    }
    answers(text, region)
}

fn run(count: usize, seed: u64) -> f64 {
    let mut random = Random::new(seed);
    let mut answered = 0_u32;
    for _ in 0..count {
        let (mut text, region) = spelling(&mut random);
        if random.one_in(3) {
            text = unusual(&mut random, &text);
        }
        answered += u32::from(compare(&text, region));
    }
    f64::from(answered) / count as f64
}

#[test]
fn the_tables_are_never_wrong() {
    let share = run(20_000, 2);
    assert!(share > 0.75, "the tables answered only {share}");
}

#[test]
#[ignore = "minutes without --release"]
fn the_tables_are_never_wrong_at_length() {
    let share = run(3_000_000, 3);
    println!("the tables answered {:.1} %", share * 100.0);
}

/// The spellings that the tables are for are answered by them.
#[test]
fn known_spellings_are_answered() {
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
        ("8~10 44 7911 123456", Some("RU"), "+447911123456"),
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
        // Valid only as it stands without what an import takes off: `compare` looks at that too.
        (" +3758105311939", None, "+375105311939"),
        ("(+3758105311939", None, "+375105311939"),
        ("+3758101234xtn", None, "+375101234986"),
        // Possible only; a + before an exit code.
        ("4155551234", Some("GB"), "+444155551234"),
        ("+00 44 7911 123456", Some("DE"), "+447911123456"),
        // Unusual spellings.
        ("++44 7911 123456", None, "+447911123456"),
        ("\u{202a}+44 7911 123456\u{202c}", None, "+447911123456"),
        ("Phone: 07911 123456", Some("GB"), "+447911123456"),
        ("07911\u{a0}123\u{2013}456.", Some("GB"), "+447911123456"),
        ("０７９１１ １２３４５６", Some("GB"), "+447911123456"),
        ("٠٧٩١١ ١٢٣٤٥٦", Some("GB"), "+447911123456"),
        ("07911 123456 ext. 12", Some("GB"), "+447911123456"),
        ("07911 123456x1", Some("GB"), "+447911123456"),
        ("07911 123456 #1", Some("GB"), "+447911123456"),
        ("07911 123456,,1#", Some("GB"), "+447911123456"),
        ("tel:+44-7911-123456;ext=12", None, "+447911123456"),
        ("tel:+44-7911-123456;isub=12", None, "+447911123456"),
        ("tel:7911-123456;phone-context=+44", None, "+447911123456"),
        (
            "tel:07911123456;phone-context=a.example",
            Some("GB"),
            "+447911123456",
        ),
        ("1-800-FLOWERS", Some("US"), "+18003569377"),
    ] {
        let found = find(text, region, |number| number.map(|n| n.e164.to_owned()));
        assert_eq!(found, Some(Ok(e164.to_owned())), "{text:?} in {region:?}");
        compare(text, region);
    }
    for (text, region, reason) in [
        ("", Some("GB"), Reason::NotANumber),
        ("n/a", Some("GB"), Reason::NotANumber),
        ("+", None, Reason::NotANumber),
        ("07911+123456", Some("GB"), Reason::NotANumber),
        ("07911 123456 & 123457", Some("GB"), Reason::NotANumber),
        ("07911 123456", None, Reason::InvalidCountryCode),
        ("07911 123456", Some("XX"), Reason::InvalidCountryCode),
        ("+999 7911 123456", Some("GB"), Reason::InvalidCountryCode),
        ("0044", Some("GB"), Reason::TooShort),
        ("+44 1", Some("GB"), Reason::TooShort),
        ("+44 7911 123456 7", Some("GB"), Reason::TooLong),
        ("+61 12345678901", Some("GB"), Reason::InvalidRange),
    ] {
        let found = find(text, region, |number| number.map(|n| n.e164.to_owned()));
        assert_eq!(found, Some(Err(reason)), "{text:?} in {region:?}");
        compare(text, region);
    }
}

/// What is left to the library, each for its own reason, see `Spelling` and `dial`.
#[test]
fn doubtful_spellings_are_left() {
    for (text, region) in [
        ("07911 123456/07911 123457", Some("GB")),
        ("07911 123456 x1/x2", Some("GB")),
        ("07911 123456 x1234567890", Some("GB")),
        ("07911 123456 anexo 1", Some("GB")),
        ("07911 123456#", Some("GB")),
        ("07911 123456 - 12#", Some("GB")),
        ("07911 123456\u{2028}", Some("GB")),
        ("tel:1;phone-context=+1é", Some("US")),
        ("1;phone-context=+1;tel:5", Some("US")),
        ("011 15 2345-6789", Some("AR")),
        ("12", Some("DE")),
    ] {
        assert!(!answers(text, region), "{text:?} in {region:?}");
        compare(text, region);
    }
}

#[test]
fn length_is_limited() {
    let padded = |length: usize| format!("{:>length$}", "+447911123456");
    assert!(answers(&padded(MAX_INPUT_CHARS), None));
    assert!(!answers(&padded(MAX_INPUT_CHARS + 1), None));
    assert!(!answers(&"1".repeat(MAX_DIGITS + 1), Some("US")));
}

proptest! {
    /// Texts made of the pieces that the readers know, in any order.
    #[test]
    fn pieces_in_any_order_are_read_as_the_library_does(
        pieces in proptest::collection::vec(piece(), 1..8),
        region in proptest::sample::select(vec![None, Some("GB"), Some("US"), Some("DE"), Some("AR"), Some("BR"), Some("IT"), Some("RU")]),
    ) {
        compare(&pieces.concat(), region);
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[0-9]{1,6}",
        4 => "[0-9]{1,6}",
        1 => "[٠-٩०-९０-９]{1,5}",
        2 => proptest::sample::select(PUNCTUATION).prop_map(str::to_owned),
        2 => proptest::sample::select(MARKS).prop_map(str::to_owned),
        1 => "[a-zA-Z]{1,4}",
        1 => Just("+44".to_owned()),
        1 => Just("00".to_owned()),
    ]
}
