//! Numbers of all regions without `+`, dialled with and without exit code and trunk prefix: what the gate accepts is the
//! only assigned number that the digits can be, or the likelier by a rule that stands here a second time.

use std::collections::HashMap;

use regex::Regex;

use super::*;
use crate::phone::{
    self, Options, Validity, automaton, engine,
    test_numbers::{Random, dialled},
};

/// Where a number of the region is dialled without anything before it, and some numbers begin with the calling code.
const NO_TRUNK_PREFIX: [&str; 3] = ["IT", "PL", "VA"];

fn gate(digits: &str, region: &str) -> phone::Parsed {
    phone::parse(digits, Some(region), Options::default())
}

/// The E.164 form, when it is an assigned or a test number.
fn assigned(e164: &str) -> Option<String> {
    let valid = phone::is_valid(e164, None) || phone::is_test_number(e164);
    (valid && phone::is_e164(e164)).then(|| e164.to_owned())
}

fn number_type(e164: &str) -> Option<NumberType> {
    phone::describe(e164).map(|number| number.number_type)
}

/// What the digits are in the region's own plan, as the library's general description has it: with their trunk prefix,
/// if any, or without one.
struct Homes(HashMap<(&'static str, i32), Regex>);

impl Homes {
    fn number(&mut self, national: &str, home: Plan) -> Option<String> {
        let code = i32::from(home.calling_code());
        let described = self
            .0
            .entry((home.region(), code))
            .or_insert_with(|| {
                let pattern = engine::general_description(home.region(), code);
                Regex::new(&format!("^(?:{})$", pattern.as_str())).expect("it was one before")
            })
            .is_match(national);
        described.then(|| assigned(&format!("+{code}{national}")))?
    }
}

#[test]
fn the_gate_never_takes_one_of_two_equally_valid_numbers() {
    let mut random = Random::new(11);
    let mut homes = Homes(HashMap::new());
    let (mut ambiguous, mut likelier, mut two) = (0, 0, 0);
    for _ in 0..40_000 {
        let (digits, home) = dialled(&mut random);
        let region = home.region();
        if region == "001" {
            continue;
        }
        let parsed = gate(&digits, region);
        let whole = homes.number(&digits, home);
        let with_plus = home
            .after_calling_code(digits.as_bytes())
            .and_then(|_| assigned(&format!("+{digits}")));
        let context = || format!("{digits} in {region}: {parsed:?}, {whole:?} or {with_plus:?}");
        if parsed.reason == Some(Reason::Ambiguous) {
            ambiguous += 1;
            assert_eq!((&parsed.e164, parsed.validity), (&None, Validity::Invalid));
            continue;
        }
        let (Some(whole), Some(with_plus)) = (whole.clone(), with_plus.clone()) else {
            continue;
        };
        two += 1;
        let Some(e164) = parsed.e164.clone().filter(|_| parsed.reason.is_none()) else {
            panic!("refused for another reason: {}", context());
        };
        if whole == with_plus || NO_TRUNK_PREFIX.contains(&region) {
            assert_eq!(e164, whole, "{}", context());
            continue;
        }
        likelier += 1;
        let types = (number_type(&whole), number_type(&with_plus));
        assert_eq!(
            types,
            (Some(NumberType::FixedLine), Some(NumberType::Mobile)),
            "{}",
            context()
        );
        assert!(digits.len() >= LONG_LANDLINE, "{}", context());
        assert_eq!(e164, with_plus, "{}", context());
    }
    assert!(
        ambiguous > 100 && likelier > 20 && two > likelier,
        "{ambiguous} ambiguous, {likelier} likelier, {two} with two readings"
    );
}

/// A mobile number without its `+` is read in every region, and is never another one.
#[test]
fn german_indonesian_and_kosovan_mobile_numbers_without_plus_are_themselves() {
    let mut random = Random::new(13);
    for (region, starts, lengths) in [
        ("DE", &["4915", "49160", "49171", "49178"][..], 13..=13),
        ("ID", &["62812", "62857", "62896"], 12..=13),
        ("XK", &["38343", "38344", "38349"], 11..=11),
    ] {
        let mut read = 0;
        for _ in 0..500 {
            let mut digits = random.pick(starts).to_owned();
            let length = lengths.start() + random.below(lengths.end() - lengths.start() + 1);
            while digits.len() < length {
                digits.push(random.digit());
            }
            let e164 = format!("+{digits}");
            if number_type(&e164) != Some(NumberType::Mobile) {
                continue;
            }
            let parsed = gate(&digits, region);
            assert_eq!(parsed.e164, Some(e164), "{digits} in {region}");
            assert_eq!(parsed.reason, None);
            read += 1;
        }
        assert!(read > 50, "{read} in {region}");
    }
}

/// The rule above needs that no landline is so long that begins so and is somebody's; short ones stay in doubt.
#[test]
fn a_landline_that_may_be_meant_is_ambiguous_and_its_full_spelling_is_not() {
    for (region, doubtful, spelled, e164) in [
        ("DE", "4921123456", "04921 123456", "+494921123456"),
        ("SE", "462681720", "046-268 17 20", "+46462681720"),
        ("SE", "462681720", "+46 26 817 20", "+462681720"),
        ("ZA", "278220746", "027 822 0746", "+27278220746"),
        ("RW", "006834869", "+683 4869", "+6834869"),
    ] {
        assert_eq!(gate(doubtful, region).reason, Some(Reason::Ambiguous));
        assert_eq!(gate(spelled, region).e164.as_deref(), Some(e164));
    }
}

/// `to_e164` stays libphonenumber's.
#[test]
fn to_e164_takes_the_library_s_reading_where_the_gate_doubts() {
    for (digits, region, e164) in [
        ("4915123456789", "DE", "+494915123456789"),
        ("4921123456", "DE", "+494921123456"),
        ("38344123456", "XK", "+38338344123456"),
    ] {
        let found = phone::to_e164(digits, Some(region));
        assert_eq!(found.as_deref(), Some(e164));
        assert_eq!(found, phone::reference::to_e164(digits, Some(region)));
    }
}

#[test]
fn plans_without_trunk_prefix_are_known() {
    for (region, never) in [
        ("IT", true),
        ("PL", true),
        ("VA", true),
        ("DE", false),
        ("CU", false),
        ("US", false),
    ] {
        let plan = automaton::Plan::of_region(region).expect("a region");
        assert_eq!(plan.trunk_prefix().is_never(), never, "{region}");
    }
}

/// Of another country's mobile numbers without `+`, none is stored as a long landline, and by a cautious caller none as
/// any landline. A trunk prefix says that the number is the region's.
#[test]
fn another_country_s_mobile_number_without_plus_is_no_landline() {
    let mut random = Random::new(17);
    let regions = [
        "AT", "BE", "BR", "CH", "CN", "DE", "ES", "FR", "GB", "ID", "IN", "IT", "NL", "PL", "RU",
        "SE", "US",
    ];
    let cautious = Options {
        cautious: true,
        ..Options::default()
    };
    let (mut ambiguous, mut doubted) = (0, 0);
    for _ in 0..20_000 {
        let number = automaton::valid_number(&mut random);
        let digits = format!("{}{}", number.plan.calling_code(), number.national);
        let region = random.pick(&regions);
        let home = Plan::of_region(region).expect("a region");
        if number_type(&format!("+{digits}")) != Some(NumberType::Mobile)
            || home.calling_code() == number.plan.calling_code()
        {
            continue;
        }
        let usual = gate(&digits, region);
        let careful = phone::parse(&digits, Some(region), cautious);
        let landline = |parsed: &phone::Parsed, fewest: usize| {
            digits.len() >= fewest
                && parsed.reason.is_none()
                && parsed.number_type == Some(NumberType::FixedLine)
                && parsed.e164 == Some(format!("+{}{digits}", home.calling_code()))
        };
        assert!(!landline(&usual, LONG_LANDLINE), "{digits} in {region}");
        assert!(!landline(&careful, 0), "{digits} in {region}");
        ambiguous += usize::from(usual.reason == Some(Reason::Ambiguous));
        doubted += usize::from(careful.reason == Some(Reason::Ambiguous));
    }
    assert!(
        ambiguous > 100 && doubted > ambiguous + 100,
        "{ambiguous} ambiguous, {doubted} to a cautious caller"
    );
}

#[test]
fn another_country_s_code_is_looked_for_only_where_nothing_says_otherwise() {
    let cautious = Options {
        cautious: true,
        ..Options::default()
    };
    for (text, region, usual, careful) in [
        ("447911123456", "DE", None, None),
        (
            "0447911123456",
            "DE",
            Some("+49447911123456"),
            Some("+49447911123456"),
        ),
        (
            "+447911123456",
            "DE",
            Some("+447911123456"),
            Some("+447911123456"),
        ),
        // Norwegian, or a landline without its 0.
        ("4741234567", "DE", Some("+494741234567"), None),
        // A mobile number of the region is complete.
        (
            "15851234567",
            "CN",
            Some("+8615851234567"),
            Some("+8615851234567"),
        ),
        (
            "07911 123456",
            "GB",
            Some("+447911123456"),
            Some("+447911123456"),
        ),
        (
            "84935215411",
            "RU",
            Some("+74935215411"),
            Some("+74935215411"),
        ),
    ] {
        let read = |options| {
            let parsed = phone::parse(text, Some(region), options);
            assert!(
                parsed.reason.is_none() || parsed.reason == Some(Reason::Ambiguous),
                "{text}"
            );
            parsed.e164
        };
        assert_eq!(
            read(Options::default()).as_deref(),
            usual,
            "{text} in {region}"
        );
        assert_eq!(read(cautious).as_deref(), careful, "{text} in {region}");
    }
}
