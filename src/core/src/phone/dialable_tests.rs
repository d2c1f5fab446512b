//! Every type of every numbering plan, every short number, and the numbers that once could be dialled and must not.

// The fields of the metadata are marked deprecated for those who read them from a finished engine.
#![allow(deprecated)]

use std::collections::BTreeMap;

use regex::Regex;

use super::super::{engine, metadata, test_numbers::Random, to_e164};
use super::*;

const SHORT_NUMBERS: &str = include_str!("../../examples/phone_automaton/short_numbers.txt");

/// What stands in the way of a call and of a text message.
fn obstacles(e164: &str) -> [Option<&'static str>; 2] {
    [Channel::Call, Channel::Sms].map(|channel| obstacle(e164, channel).map(Obstacle::as_str))
}

#[test]
fn every_type_of_every_region_is_dialable_or_not() {
    let [premium, shared, personal] = ["premium_rate", "shared_cost", "personal"].map(Some);
    let [pager, voicemail, not_mobile] = ["pager", "voicemail", "not_mobile"].map(Some);
    let mut seen = 0;
    for plan in metadata::load().metadata {
        let network = (plan.id == "001").then_some("international_network");
        for (kind, description, expected) in [
            ("premium_rate", &plan.premium_rate, [premium, premium]),
            ("shared_cost", &plan.shared_cost, [shared, shared]),
            ("personal", &plan.personal_number, [personal, personal]),
            ("pager", &plan.pager, [pager, pager]),
            ("voicemail", &plan.voicemail, [voicemail, voicemail]),
            ("toll_free", &plan.toll_free, [None, not_mobile]),
            ("uan", &plan.uan, [network, not_mobile]),
            ("voip", &plan.voip, [network, network]),
            ("mobile", &plan.mobile, [network, network]),
            ("fixed_line", &plan.fixed_line, [network, not_mobile]),
        ] {
            let example = description
                .as_ref()
                .and_then(|found| found.example_number.as_ref());
            let Some(example) = example else { continue };
            let e164 = format!("+{}{example}", plan.country_code());
            let found = engine::valid_as_written(&e164).map(|number| engine::describe(&number));
            // Plans that do not tell the two apart.
            let either = found.is_some_and(|f| f.number_type == NumberType::FixedLineOrMobile);
            let expected = match expected {
                _ if is_test_number(&e164) => [Some("test_range"); 2],
                _ if either => [None, None],
                expected => expected,
            };
            assert_eq!(obstacles(&e164), expected, "{e164}, {kind} of {}", plan.id);
            seen += 1;
        }
    }
    assert!(seen > 1000, "{seen} examples");
}

#[test]
fn numbers_of_harm_are_not_dialable() {
    for (e164, call, sms) in [
        ("+442079460000", Some("test_range"), Some("test_range")),
        ("+447700900123", Some("test_range"), Some("test_range")),
        ("+12125550123", Some("test_range"), Some("test_range")),
        // Fiction comes before its price.
        ("+449098790000", Some("test_range"), Some("test_range")),
        ("+448451234567", Some("premium_rate"), Some("premium_rate")),
        ("+449061234567", Some("premium_rate"), Some("premium_rate")),
        ("+19002345678", Some("premium_rate"), Some("premium_rate")),
        ("+979123456789", Some("premium_rate"), Some("premium_rate")),
        ("+491801234567", Some("shared_cost"), Some("shared_cost")),
        ("+80812345678", Some("shared_cost"), Some("shared_cost")),
        ("+447012345678", Some("personal"), Some("personal")),
        (
            "+878101234567890",
            Some("international_network"),
            Some("international_network"),
        ),
        (
            "+881612345678",
            Some("international_network"),
            Some("international_network"),
        ),
        (
            "+8823421234",
            Some("international_network"),
            Some("international_network"),
        ),
        (
            "+883510012345678",
            Some("international_network"),
            Some("international_network"),
        ),
        (
            "+870301234567",
            Some("international_network"),
            Some("international_network"),
        ),
        (
            "+49110",
            Some("short_or_emergency"),
            Some("short_or_emergency"),
        ),
        (
            "+49112",
            Some("short_or_emergency"),
            Some("short_or_emergency"),
        ),
        (
            "+43112",
            Some("short_or_emergency"),
            Some("short_or_emergency"),
        ),
        (
            "+44118118",
            Some("short_or_emergency"),
            Some("short_or_emergency"),
        ),
        (
            "+44999",
            Some("short_or_emergency"),
            Some("short_or_emergency"),
        ),
        (
            "+1911",
            Some("short_or_emergency"),
            Some("short_or_emergency"),
        ),
        (
            "+61000",
            Some("short_or_emergency"),
            Some("short_or_emergency"),
        ),
        ("+444155551234", Some("invalid"), Some("invalid")),
        ("+442071838", Some("invalid"), Some("invalid")),
        ("+4402071838750", Some("invalid"), Some("invalid")),
        ("+999123456789", Some("invalid"), Some("invalid")),
        ("020 7183 8750", Some("invalid"), Some("invalid")),
        ("+44 20 7183 8750", Some("invalid"), Some("invalid")),
        ("+", Some("invalid"), Some("invalid")),
        ("", Some("invalid"), Some("invalid")),
        // And those that may be.
        ("+447911123456", None, None),
        ("+14155552671", None, None),
        ("+4915122046781", None, None),
        ("+445612345678", None, None),
        ("+442071838750", None, Some("not_mobile")),
        ("+443001234567", None, Some("not_mobile")),
        ("+448001234567", None, Some("not_mobile")),
        ("+80012345678", None, Some("not_mobile")),
    ] {
        assert_eq!(obstacles(e164), [call, sms], "{e164}");
    }
}

/// A line of the list.
struct Short<'a> {
    region: &'a str,
    is_emergency: bool,
    lengths: Vec<usize>,
    pattern: Regex,
}

fn short_numbers() -> impl Iterator<Item = Short<'static>> {
    SHORT_NUMBERS.lines().skip(1).map(|line| {
        let [region, kind, lengths, pattern] = *line.split('\t').collect::<Vec<_>>() else {
            panic!("{line}");
        };
        Short {
            region,
            is_emergency: kind == "emergency",
            lengths: lengths
                .split(',')
                .map(|length| length.parse().expect("a number"))
                .collect(),
            pattern: Regex::new(&format!("^(?:{pattern})$")).expect("a pattern"),
        }
    })
}

/// All digits up to three, and many more.
fn digits(random: &mut Random, length: usize) -> Vec<String> {
    match length {
        ..=3 => (0..10_u32.pow(length as u32))
            .map(|n| format!("{n:0length$}"))
            .collect(),
        _ => (0..1000)
            .map(|_| (0..length).map(|_| random.digit()).collect())
            .collect(),
    }
}

#[test]
fn short_numbers_are_those_of_the_list() {
    let mut random = Random::new(7);
    let (mut short, mut emergency) = (0, 0);
    for list in short_numbers() {
        let plan = Plan::of_region(list.region).expect("a region with a plan");
        for digits in list
            .lengths
            .iter()
            .flat_map(|&length| digits(&mut random, length))
        {
            if !list.pattern.is_match(&digits) {
                continue;
            }
            let e164 = format!("+{}{digits}", plan.calling_code());
            // A few are also a subscriber's, behind the calling code: no emergency number is.
            let is_assigned = engine::valid_as_written(&e164).is_some();
            assert!(!(is_assigned && list.is_emergency), "{e164}");
            if is_assigned || is_test_number(&e164) {
                continue;
            }
            let expected = Some(Obstacle::ShortOrEmergency);
            assert_eq!(obstacle(&e164, Channel::Call), expected, "{e164}");
            assert_ne!(as_written(&e164), Some(Ok(())), "{e164}");
            short += 1;
            emergency += usize::from(list.is_emergency);
        }
    }
    assert!(short > 10_000 && emergency > 600, "{short}, {emergency}");
}

#[test]
fn nothing_else_is_a_short_number() {
    let mut random = Random::new(8);
    let mut lists: BTreeMap<u16, Vec<Short<'_>>> = BTreeMap::new();
    for list in short_numbers() {
        let plan = Plan::of_region(list.region).expect("a region with a plan");
        lists.entry(plan.calling_code()).or_default().push(list);
    }
    for lists in lists.values() {
        let plan = Plan::of_region(lists[0].region).expect("a region with a plan");
        for _ in 0..200 {
            let digits: String = (0..2 + random.below(6)).map(|_| random.digit()).collect();
            let is_listed = lists
                .iter()
                .any(|list| list.lengths.contains(&digits.len()) && list.pattern.is_match(&digits));
            let is_short = plan.is_short(digits.as_bytes());
            assert_eq!(is_short, is_listed, "{digits} in {}", lists[0].region);
        }
    }
}

#[test]
fn the_list_is_of_the_metadata_s_release() {
    let release = format!("# libphonenumber {}", metadata::metadata_version());
    assert_eq!(SHORT_NUMBERS.lines().next(), Some(release.as_str()));
}

#[test]
fn canonical_text_that_is_nobody_s_number_is_not_stored() {
    for (text, expected) in [
        ("+49110", Some(Err(Reason::ShortOrEmergency))),
        ("+49112", Some(Err(Reason::ShortOrEmergency))),
        ("+43112", Some(Err(Reason::ShortOrEmergency))),
        ("+44118118", Some(Err(Reason::ShortOrEmergency))),
        ("+15551234", Some(Err(Reason::TooShort))),
        ("+4471838750", Some(Err(Reason::TooShort))),
        // A caller's number can be anything else: what is stored is not dialled for that.
        ("+449061234567", Some(Ok(()))),
        ("+19002345678", Some(Ok(()))),
        ("+979123456789", Some(Ok(()))),
        ("+447700900123", Some(Ok(()))),
        ("+444155551234", Some(Ok(()))),
        ("+442071838750", Some(Ok(()))),
        ("+3758105311939", Some(Ok(()))),
        // Left to the reading of other spellings.
        ("+1911", None),
        ("020 7183 8750", None),
        ("+44 118118", None),
        ("", None),
    ] {
        assert_eq!(as_written(text), expected, "{text}");
        // The library's contract stands.
        if expected.is_some() {
            assert_eq!(to_e164(text, None).as_deref(), Some(text));
        }
    }
}

#[test]
fn the_gate_says_the_same_of_a_number_read_and_written() {
    let mut random = Random::new(9);
    let mut refused = 0;
    for list in short_numbers() {
        for digits in list
            .lengths
            .iter()
            .flat_map(|&length| digits(&mut random, length))
        {
            let plan = Plan::of_region(list.region).expect("a region with a plan");
            let text = format!("+{}{digits}", plan.calling_code());
            let gate = super::super::parse(&text, None, super::super::Options::default());
            if let Some(Err(reason)) = as_written(&text) {
                assert_eq!(gate.reason, Some(reason), "{text}");
                refused += 1;
            }
        }
    }
    assert!(refused > 1_000, "{refused}");
}
