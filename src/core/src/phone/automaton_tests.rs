//! The tables against their source and against libphonenumber.
//!
//! Two ways of being wrong are ruled out separately. The first test builds the tables again from the metadata, with
//! automata made of the very patterns: what is in the file is what the generator makes. The second goes every single
//! transition of the automaton, on the shortest way there and with a shortest way on to a valid number, and asks the
//! library about the number: what the generator makes is what the library says.

use std::collections::{HashMap, VecDeque};

use super::super::{engine, test_numbers::Random};
use super::*;

#[path = "../../examples/phone_automaton/compile.rs"]
mod compile;
#[path = "../../examples/phone_automaton/forest.rs"]
mod forest;
#[path = "../../examples/phone_automaton/prefix.rs"]
mod prefix;

const SHORT_NUMBERS: &str = include_str!("../../examples/phone_automaton/short_numbers.txt");

#[test]
fn the_file_is_what_the_generator_makes_of_its_sources() {
    let tables = compile::compile(include_bytes!("metadata.bin"), SHORT_NUMBERS);
    assert!(
        tables.bytes == FILE,
        "run the example phone_automaton; it would give {}",
        tables.summary
    );
}

/// What a number is, by the tables and by the library.
fn check(number: &str) {
    let class = START.class(number.as_bytes());
    let found = class.map(|class| (class.plan().region(), class.number_type()));
    let e164 = format!("+{number}");
    let written = engine::valid_as_written(&e164).map(|number| engine::describe(&number));
    let expected = written.map(|number| (number.region.unwrap_or_default(), number.number_type));
    assert_eq!(found, expected, "{e164}");
    if class.is_some_and(Class::is_stable) {
        let parsed = engine::parsed(&e164);
        assert_eq!(parsed.as_deref(), Some(e164.as_str()), "{e164} read again");
    }
}

fn target(row: usize, digit: usize) -> usize {
    usize::from(u16::from_le_bytes(ROWS[row * 10 + digit]))
}

/// Class and digits to go.
fn chain(target: usize) -> Option<(u16, usize)> {
    let [class @ .., count, count_high] = CHAINS[target.checked_sub(OUTPUTS.len())?];
    Some((
        u16::from_le_bytes(class),
        usize::from(u16::from_le_bytes([count, count_high])),
    ))
}

/// For every row of the numbers a shortest way to it; the other rows are of general descriptions and leading digits.
fn ways_there() -> Vec<Option<String>> {
    let mut ways: Vec<Option<String>> = vec![None; OUTPUTS.len()];
    ways[0] = Some(String::new());
    let mut open = VecDeque::from([0]);
    while let Some(row) = open.pop_front() {
        for digit in 0..10 {
            let next = target(row, digit);
            if next < OUTPUTS.len() && ways[next].is_none() {
                ways[next] = Some(format!(
                    "{}{digit}",
                    ways[row].as_deref().unwrap_or_default()
                ));
                open.push_back(next);
            }
        }
    }
    ways
}

/// For every target that is not the dead end, the fewest digits on to a valid number.
fn way_on(target_: usize, known: &mut HashMap<usize, Option<String>>) -> Option<String> {
    if let Some((class, count)) = chain(target_) {
        return (class != 0).then(|| "3".repeat(count));
    }
    if let Some(way) = known.get(&target_) {
        return way.clone();
    }
    let mut best = (OUTPUTS[target_] != [0, 0]).then(String::new);
    for digit in 0..10 {
        if let Some(on) = way_on(target(target_, digit), known)
            && best.as_ref().is_none_or(|best| on.len() + 1 < best.len())
        {
            best = Some(format!("{digit}{on}"));
        }
    }
    known.insert(target_, best.clone());
    best
}

#[test]
fn every_transition_leads_where_the_library_says() {
    let mut known = HashMap::new();
    let mut random = Random::new(1);
    let mut dead_ends = 0;
    for (row, way) in ways_there().iter().enumerate() {
        let Some(way) = way else { continue };
        if way.len() > 3 {
            check(way);
        }
        for digit in 0..10 {
            let next = target(row, digit);
            if let Some(on) = way_on(next, &mut known) {
                check(&format!("{way}{digit}{on}"));
                let on: String = on.bytes().map(|_| random.digit()).collect();
                check(&format!("{way}{digit}{on}"));
            } else if way.len() > 3 {
                dead_ends += 1;
                // Nothing that begins so is valid: as long as a neighbour would be, and some other length.
                let neighbour = (0..10).find_map(|digit| way_on(target(row, digit), &mut known));
                for length in [neighbour.map_or(0, |on| on.len()), random.below(8)] {
                    let on: String = (0..length).map(|_| random.digit()).collect();
                    check(&format!("{way}{digit}{on}"));
                }
            }
        }
    }
    assert!(dead_ends > 10_000, "{dead_ends}");
}

#[test]
fn general_descriptions_are_the_library_s() {
    let mut random = Random::new(4);
    for number in 0..PLANS.len() {
        let plan = Plan(u8::try_from(number).expect("fewer than 256 plans"));
        let general = engine::general_description(plan.region(), plan.calling_code().into());
        for _ in 0..2_000 {
            // As far as it is right, a digit at a time, so that many fit.
            let mut digits = valid_number_of(plan, &mut random);
            match random.below(4) {
                0 => digits.push(random.digit()),
                1 => digits.truncate(random.below(digits.len())),
                2 => digits.replace_range(..1, &random.digit().to_string()),
                _ => {}
            }
            let found = plan.describes(digits.as_bytes());
            assert_eq!(
                found,
                general.is_match(&digits),
                "{digits} in {}",
                plan.region()
            );
        }
    }
}

#[test]
fn every_region_has_its_plan() {
    let mut seen = 0;
    for first in b'A'..=b'Z' {
        for second in b'A'..=b'Z' {
            let code = String::from_utf8(vec![first, second]).expect("ASCII");
            let plan = Plan::of_region(&code);
            assert_eq!(
                plan.map(|plan| i32::from(plan.calling_code())),
                engine::calling_code(&code),
                "{code}"
            );
            if let Some(plan) = plan {
                assert_eq!(plan.region(), code);
                assert_eq!(Plan::of_region(&code.to_ascii_lowercase()), Some(plan));
                seen += 1;
            }
        }
    }
    assert!(seen > 240, "{seen} regions");
    for other in ["", "G", "GBR", "001", "g1", "\0\0", "é"] {
        assert_eq!(Plan::of_region(other), None, "{other}");
    }
}

#[test]
fn calling_codes_are_the_library_s() {
    for code in 0..1000 {
        let digits = code.to_string();
        let plan = Plan::of_international(digits.as_bytes())
            .filter(|plan| {
                plan.padded_prefix() == *format!("{:\0>4}", format!("+{code}")).as_bytes()
            })
            .filter(|plan| plan.code_length() == digits.len());
        let region = engine::region_for_calling_code(code);
        assert_eq!(plan.map(Plan::region), region, "{code}");
        assert!(plan.is_none_or(|plan| plan.main() == plan), "{code}");
        let padded = format!("0{code}");
        assert_eq!(Plan::of_international(padded.as_bytes()), None, "{padded}");
    }
}

#[test]
fn openings_are_what_the_prefix_automata_say() {
    let (mut settled, mut all) = (0, 0);
    for number in 0..PLANS.len() {
        let plan = Plan(u8::try_from(number).expect("fewer than 256 plans"));
        for digits in 0..100_000 {
            let digits = format!("{digits:05}");
            let digits = digits.as_bytes();
            all += 1;
            if let Some(length) = plan.opening(digits) {
                settled += 1;
                let trunk = plan.trunk_prefix().find(digits);
                assert!(trunk.is_none_or(|found| !found.transforms));
                assert_eq!(trunk.map_or(0, |found| found.length), length);
                assert_eq!(plan.exit_code().find(digits), None);
            }
        }
    }
    assert!(settled * 10 > all * 9, "{settled} of {all}");
}
