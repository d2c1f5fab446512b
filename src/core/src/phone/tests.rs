use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    input: String,
    region: Option<String>,
    #[serde(default)]
    require_international: bool,
    e164: Option<String>,
    validity: String,
    reason: Option<String>,
    calling_code: Option<i32>,
    number_region: Option<String>,
    r#type: Option<String>,
    extension: Option<String>,
}

#[test]
fn vectors() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../../tests/vectors/phones.json"))
            .expect("phones.json holds cases of this shape");
    for case in &cases {
        let options = Options {
            require_international: case.require_international,
            ..Options::default()
        };
        let parsed = parse(&case.input, case.region.as_deref(), options);
        let found = (
            parsed.e164.as_deref(),
            parsed.validity.as_str(),
            parsed.reason.map(Reason::as_str),
            parsed.calling_code,
            parsed.region,
            parsed.number_type.map(NumberType::as_str),
            parsed.extension.as_deref(),
        );
        let expected = (
            case.e164.as_deref(),
            case.validity.as_str(),
            case.reason.as_deref(),
            case.calling_code,
            case.number_region.as_deref(),
            case.r#type.as_deref(),
            case.extension.as_deref(),
        );
        assert_eq!(found, expected, "{:?} in {:?}", case.input, case.region);
        if let Some(e164) = &parsed.e164 {
            assert!(is_e164(e164), "{e164}");
        }
    }
    assert!(cases.len() > 60, "{} cases", cases.len());
}

/// Another engine took the country code for a US area code on all of these and called the result valid.
#[test]
fn a_default_region_never_rewrites_an_international_number() {
    for e164 in [
        "+4915722046781",
        "+8613812345678",
        "+201001234567",
        "+390236618300",
        "+393123456789",
        "+919810012345",
        "+5511961234567",
        "+5491123456789",
        "+375298123456",
        "+79161234567",
        "+81312345678",
        "+6581234567",
        "+447911123456",
    ] {
        for region in [
            None,
            Some("US"),
            Some("GB"),
            Some("DE"),
            Some("IT"),
            Some("BY"),
        ] {
            assert_eq!(
                to_e164(e164, region).as_deref(),
                Some(e164),
                "in {region:?}"
            );
        }
    }
}

#[test]
fn valid_belarusian_numbers_keep_their_eight() {
    assert_eq!(
        to_e164("+3758105311939", None).as_deref(),
        Some("+3758105311939")
    );
    assert!(is_e164("+3758105311939"));
}

/// The library strips one zero a reading: what it gives here is not what it would give next time.
#[test]
fn a_doubled_trunk_prefix_is_never_stored() {
    assert_eq!(to_e164("+490004988", None).as_deref(), Some("+49004988"));
    assert!(!is_e164("+49004988"));
    let parsed = parse("+490004988", None, Options::default());
    assert_eq!(
        (parsed.e164, parsed.reason),
        (None, Some(Reason::InvalidRange))
    );
}

#[test]
fn unknown_regions_are_no_region() {
    for region in ["", "XX", "001", "GBR", "g", "44", "ÄÖ", "\0\0"] {
        assert_eq!(to_e164("07911 123456", Some(region)), None, "{region:?}");
        assert_eq!(
            to_e164("+44 7911 123456", Some(region)).as_deref(),
            Some("+447911123456")
        );
    }
    assert_eq!(
        to_e164("07911 123456", Some("gb")).as_deref(),
        Some("+447911123456")
    );
}

/// What libphonenumber drops behind a number is an extension that is kept, or a second number that refuses the cell.
#[test]
fn no_digit_of_a_cell_is_lost_in_silence() {
    let mut random = test_numbers::Random::new(17);
    let mut accepted = 0;
    for _ in 0..30_000 {
        let (text, region) = test_numbers::spelling(&mut random);
        let text = match random.one_in(2) {
            true => test_numbers::unusual(&mut random, &text),
            false => text,
        };
        // Parameters of links may be anything.
        if text.contains(";isub=") || text.contains(";phone-context=") {
            continue;
        }
        let parsed = parse(&text, region, Options::default());
        let (Some(e164), None) = (&parsed.e164, parsed.reason) else {
            continue;
        };
        accepted += 1;
        let digits: String = text
            .chars()
            .filter_map(|c| Some(char::from(b'0' + clean::digit(c)?)))
            .collect();
        let extension = parsed.extension.clone().unwrap_or_default();
        let kept = format!("{e164}{extension}");
        // Regions rewrite what comes before the last four digits, the extension follows them.
        let end = digits.len().saturating_sub(4 + extension.len());
        assert!(
            kept.ends_with(&digits[end..]),
            "{text:?} in {region:?}: {parsed:?}"
        );
    }
    assert!(accepted > 5_000, "{accepted}");
}

/// Refused or read otherwise by libphonenumber, which keeps its contract in `to_e164`.
#[test]
fn a_decimal_of_a_spreadsheet_is_its_whole_number() {
    for (text, region) in [
        ("447911123456.0", "GB"),
        ("7911123456.0 ", "GB"),
        ("447911123456.00", "GB"),
        ("447911123456,0", "GB"),
    ] {
        let parsed = parse(text, Some(region), Options::default());
        assert_eq!(parsed.e164.as_deref(), Some("+447911123456"), "{text}");
        assert_eq!(parsed.extension, None, "{text}");
    }
    // A valid number, but another one.
    let library = to_e164("1721234567.0", Some("DE"));
    assert_eq!(library.as_deref(), Some("+4917212345670"));
    let gate = parse("1721234567.0", Some("DE"), Options::default());
    assert_eq!(gate.e164.as_deref(), Some("+491721234567"));
    // Points between groups are no decimal.
    let grouped = parse("020.7183.8750", Some("GB"), Options::default());
    assert_eq!(grouped.e164.as_deref(), Some("+442071838750"));
}

/// What an import asks with `auto_normalize_uk_numbers` off. `00` is an exit code of most countries, not of all: `0011 44 …`
/// is Australian for +44.
#[test]
fn without_region_only_a_plus_carries_a_country_to_both_readers() {
    for (text, e164) in [
        ("+44 7911 123456", Some("+447911123456")),
        ("0044 7911 123456", None),
        ("0011 44 7911 123456", None),
        ("011 44 7911 123456", None),
        ("447911123456", None),
    ] {
        let parsed = parse(text, None, Options::default());
        assert_eq!(parsed.e164.as_deref(), e164, "{text}");
        assert_eq!(to_e164(text, None).as_deref(), e164, "{text}");
        let reason = e164.is_none().then_some(Reason::InvalidCountryCode);
        assert_eq!(parsed.reason, reason, "{text}");
    }
}

/// To Google's library; the port that is asked here reads `+4949` from the first.
#[test]
fn two_digits_and_an_extension_are_no_number() {
    for (text, region) in [
        ("49;ext=092", "DE"),
        ("12 ext 3", "DE"),
        ("81xt4", "JP"),
        ("#31#123456", "CA"),
        ("#31#123456", "DE"),
    ] {
        assert_eq!(to_e164(text, Some(region)), None, "{text}");
        assert!(!is_valid(text, Some(region)), "{text}");
        assert_eq!(
            parse(text, Some(region), Options::default()).e164,
            None,
            "{text}"
        );
    }
    for (text, e164) in [
        ("110;ext=3", "+49110"),
        // Ten digits, and an extension of five that is thirteen bytes long.
        ("0039000000x०٠००٠", "+39000000"),
    ] {
        assert_eq!(to_e164(text, Some("DE")).as_deref(), Some(e164), "{text}");
        assert_eq!(
            reference::to_e164(text, Some("DE")).as_deref(),
            Some(e164),
            "{text}"
        );
    }
}

#[test]
fn regions_have_calling_codes() {
    let codes = ["GB", "gg", "US", "FR", "XX", "001", ""].map(calling_code);
    assert_eq!(
        codes,
        [Some(44), Some(44), Some(1), Some(33), None, None, None]
    );
}

#[test]
fn numbers_are_described() {
    let described = |e164: &str| {
        describe(e164).map(|number| {
            (
                number.calling_code,
                number.region,
                number.number_type,
                number.valid,
            )
        })
    };
    for (e164, code, region, number_type, valid) in [
        ("+447911123456", 44, Some("GG"), NumberType::Mobile, true),
        ("+442079460123", 44, Some("GB"), NumberType::FixedLine, true),
        (
            "+12125550123",
            1,
            Some("US"),
            NumberType::FixedLineOrMobile,
            true,
        ),
        (
            "+14165550123",
            1,
            Some("CA"),
            NumberType::FixedLineOrMobile,
            true,
        ),
        ("+80012345678", 800, Some("001"), NumberType::TollFree, true),
        // Valid, but the library would read it as another number: not by the tables alone.
        (
            "+3758105311939",
            375,
            Some("BY"),
            NumberType::PremiumRate,
            true,
        ),
        // Possible only: one region has +49, many share +1.
        ("+4911111111", 49, Some("DE"), NumberType::Unknown, false),
        ("+11111111111", 1, None, NumberType::Unknown, false),
    ] {
        let expected = Some((code, region, number_type, valid));
        assert_eq!(described(e164), expected, "{e164}");
    }
    for other in [
        "447911123456",
        "+44 7911 123456",
        "+44",
        "",
        "+999123456789",
    ] {
        assert_eq!(described(other), None, "{other}");
    }
}

#[test]
fn numbers_are_formatted() {
    let formatted = |style: &str| format("+447911123456", style.parse().expect("a style"));
    assert_eq!(formatted("national").as_deref(), Some("07911 123456"));
    assert_eq!(
        formatted("international").as_deref(),
        Some("+44 7911 123456")
    );
    assert_eq!(formatted("rfc3966").as_deref(), Some("tel:+44-7911-123456"));
    assert_eq!("National".parse::<Style>(), Err(UnknownStyle));
    for other in ["07911 123456", "+44", ""] {
        assert_eq!(format(other, Style::National), None, "{other}");
    }
}

#[test]
fn formatting_loses_nothing() {
    let mut random = test_numbers::Random::new(5);
    for _ in 0..2_000 {
        let e164 = test_numbers::stable_e164(&mut random);
        for style in [Style::International, Style::Rfc3966] {
            let text = format(&e164, style).expect("it is E.164");
            assert_eq!(to_e164(&text, None).as_ref(), Some(&e164), "{text}");
        }
        // Gabon prints its old numbers with a 0 that is read as part of a new one; 001 is no country to dial in.
        let region = describe(&e164).and_then(|number| number.region);
        if !matches!(region, Some("GA" | "001")) {
            let text = format(&e164, Style::National).expect("it is E.164");
            assert_eq!(to_e164(&text, region).as_ref(), Some(&e164), "{text}");
        }
    }
}

#[test]
fn canonical_form_only() {
    assert!(is_e164("+447911123456"));
    for other in [
        "447911123456",
        "+44 7911 123456",
        "+4407911123456",
        "+44791112345６",
        " +447911123456",
        "+447911123456 ",
        "+447911123456;ext=1",
        "+0447911123456",
        "+44",
        "+",
        "",
        "+999123456789",
        "+44791112345678901234567890",
    ] {
        assert!(!is_e164(other), "{other:?}");
    }
}

#[test]
fn input_is_capped() {
    let padded = |length: usize| format!("{:>length$}", "+447911123456");
    assert!(to_e164(&padded(MAX_INPUT_CHARS), None).is_some());
    assert_eq!(to_e164(&padded(MAX_INPUT_CHARS + 1), None), None);
    let parsed = parse(&padded(MAX_INPUT_CHARS + 1), None, Options::default());
    assert_eq!(parsed.reason, Some(Reason::TooLong));
}

#[test]
fn a_misplaced_scheme_is_refused_before_the_library_sees_it() {
    assert_eq!(to_e164("1;phone-context=+1;tel:5", Some("US")), None);
}

/// Text made of what phone cells are made of, so that many cases get past the first check.
fn phone_like() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            8 => "[0-9]{1,4}",
            2 => "[-+ ().,;/#*~x]",
            1 => Just("tel:".to_owned()),
            1 => Just(";phone-context=".to_owned()),
            1 => Just(";ext=".to_owned()),
            1 => Just("+44".to_owned()),
            1 => Just("+375".to_owned()),
            1 => Just("٠٧".to_owned()),
            1 => "\\PC",
        ],
        0..10,
    )
    .prop_map(|parts| parts.concat())
}

fn region() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        proptest::sample::select(vec!["GB", "US", "DE", "IT", "BY", "AR", "MX", "CN", "XX"])
            .prop_map(|region| Some(region.to_owned())),
        ".{0,3}".prop_map(Some),
    ]
}

proptest! {
    #[test]
    fn never_panics_and_valid_numbers_are_stable(input in prop_oneof![phone_like(), "(?s).{0,60}"], region in region()) {
        let region = region.as_deref();
        if let Some(e164) = to_e164(&input, region) {
            if is_valid(&input, region) {
                prop_assert!(is_e164(&e164), "{e164}");
            }
            if is_e164(&e164) {
                prop_assert_eq!(to_e164(&e164, region), Some(e164));
            }
        }
        let parsed = parse(&input, region, Options::default());
        prop_assert_eq!(parsed.e164.is_none(), parsed.validity == Validity::Invalid);
        prop_assert_eq!(
            parsed.reason.is_none(),
            matches!(parsed.validity, Validity::Valid | Validity::TestRange)
        );
        if let Some(e164) = parsed.e164 {
            prop_assert!(is_e164(&e164), "{e164}");
        }
    }
}
