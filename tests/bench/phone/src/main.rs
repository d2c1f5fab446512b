//! Phone numbers in the core against the alternatives, same inputs, one run. See `run`.

mod memory;
mod uk;

use std::{collections::BTreeMap, env, hint::black_box, time::Instant};

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use switchboard_core::phone::{self, Options, reference};

const CORPUS: &str = include_str!("../../../vectors/phone_sample.tsv");

const COUNTRIES: [&str; 15] = [
    "GB", "US", "DE", "FR", "IT", "ES", "IN", "BR", "AU", "JP", "CN", "ZA", "NL", "PL", "MX",
];
const CANONICAL: &[&str] = &["e164", "e164_no_region"];
const NATIONAL: &[&str] = &[
    "national",
    "national_dashes",
    "national_digits",
    "national_dots",
    "national_parens",
];
const MIXED: &[&str] = &[
    "e164",
    "international",
    "intl_dashes",
    "intl_parens",
    "intl_trunk_zero_parens",
    "cc_no_plus",
    "prefix_00",
    "national",
    "national_dashes",
    "national_digits",
    "national_dots",
    "national_parens",
];

/// Rounds of which the fastest counts: the machine has other work.
const ROUNDS: usize = 15;

type Input = (String, &'static str);

struct Row {
    input: &'static str,
    region: &'static str,
    valid: bool,
    category: &'static str,
}

fn corpus() -> Vec<Row> {
    CORPUS
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            Row {
                input: fields[0],
                region: fields[1],
                valid: fields[4] == "1",
                category: fields[5],
            }
        })
        .filter(|row| row.category != "panic_rlib_2_2_15")
        .collect()
}

/// Valid numbers of the corpus in these spellings, the last digits varied so that they are not all in the cache's
/// reach.
fn numbers(rows: &[Row], countries: &[&str], categories: &[&str], count: usize) -> Vec<Input> {
    let seeds: Vec<&Row> = rows
        .iter()
        .filter(|row| {
            row.valid && countries.contains(&row.region) && categories.contains(&row.category)
        })
        .collect();
    let mut state = 1_u64;
    let mut below = move |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % limit
    };
    let mut found = Vec::new();
    while found.len() < count {
        let row = seeds[below(seeds.len())];
        let mut input = row.input.to_owned().into_bytes();
        for byte in input
            .iter_mut()
            .rev()
            .filter(|byte| byte.is_ascii_digit())
            .take(5)
        {
            *byte = b'0' + below(10) as u8;
        }
        let input = String::from_utf8(input).expect("ASCII");
        if reference::is_valid(&input, Some(row.region)) {
            found.push((input, row.region));
        }
    }
    found
}

/// Nanoseconds a number.
fn time(inputs: &[Input], mut call: impl FnMut(&str, &'static str)) -> f64 {
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for (input, region) in inputs {
                call(black_box(input), region);
            }
            start.elapsed().as_nanos() as f64 / inputs.len() as f64
        })
        .fold(f64::INFINITY, f64::min)
}

fn library(input: &str, region: &str) -> Option<String> {
    let region = Region::from_code(region).ok();
    let number = PHONE_NUMBER_UTIL.parse(input, region).ok()?;
    PHONE_NUMBER_UTIL.is_possible_number(&number).then(|| {
        PHONE_NUMBER_UTIL
            .format(&number, PhoneNumberFormat::E164)
            .into_owned()
    })
}

fn other_crate(input: &str, region: &str) -> Option<String> {
    let number = phonenumber::parse(region.parse().ok(), input).ok()?;
    Some(number.format().mode(phonenumber::Mode::E164).to_string())
}

fn line(name: &str, inputs: &[Input]) {
    let ours = time(inputs, |input, region| {
        black_box(phone::to_e164(input, Some(region)));
    });
    let engine = time(inputs, |input, region| {
        black_box(reference::to_e164(input, Some(region)));
    });
    let library = time(inputs, |input, region| {
        black_box(library(input, region));
    });
    let few = &inputs[..inputs.len().min(100)];
    let start = Instant::now();
    for (input, region) in few {
        black_box(other_crate(input, region));
    }
    let other = start.elapsed().as_nanos() as f64 / few.len() as f64;
    let fast = inputs
        .iter()
        .filter(|(input, region)| reference::is_read_by_tables(input, Some(region)))
        .count();
    println!(
        "{name:<34}{ours:>9.1}{engine:>11.0}{library:>13.0}{other:>14.0}{:>9.0} x{:>9.1} %",
        library / ours,
        fast as f64 / inputs.len() as f64 * 100.0
    );
}

fn other_questions(canonical: &[Input], mixed: &[Input], corpus: &[Input]) {
    println!("\nother questions, canonical E.164      ns");
    let questions: [(&str, &dyn Fn(&str)); 4] = [
        ("is_e164", &|input| {
            black_box(phone::is_e164(input));
        }),
        ("is_valid", &|input| {
            black_box(phone::is_valid(input, None));
        }),
        ("describe (region, type, code)", &|input| {
            black_box(phone::describe(input));
        }),
        ("parse", &|input| {
            black_box(phone::parse(input, None, Options::default()));
        }),
    ];
    for (name, call) in questions {
        println!("{name:<34}{:>8.1}", time(canonical, |input, _| call(input)));
    }
    let parse = |inputs: &[Input]| {
        time(inputs, |input, region| {
            black_box(phone::parse(input, Some(region), Options::default()));
        })
    };
    println!("{:<34}{:>8.1}", "parse, mixed spellings", parse(mixed));
    println!("{:<34}{:>8.1}", "parse, the whole corpus", parse(corpus));
}

/// The corpus as it is, category by category: damaged and impossible numbers as well.
fn whole_corpus(rows: &[Row]) {
    let mut categories: BTreeMap<&str, Vec<Input>> = BTreeMap::new();
    for row in rows {
        let inputs = categories.entry(row.category).or_default();
        inputs.push((row.input.to_owned(), row.region));
    }
    println!(
        "\n{:<34}{:>9}{:>11}{:>11}{:>9}{:>10}",
        "whole corpus, ns a number", "core", "slow path", "tables", "rows", "slowest"
    );
    for (category, inputs) in &categories {
        category_line(category, inputs);
    }
    let longest = "+44 7911 123456 ".repeat(16);
    let one = [(longest[..phone::MAX_INPUT_CHARS].to_owned(), "GB")];
    category_line("as many characters as are looked at", &one);
}

fn category_line(category: &str, inputs: &[Input]) {
    let ours = |inputs: &[Input]| {
        time(inputs, |input, region| {
            black_box(phone::to_e164(input, Some(region)));
        })
    };
    let engine = time(inputs, |input, region| {
        black_box(reference::to_e164(input, Some(region)));
    });
    let tables = inputs
        .iter()
        .filter(|(input, region)| reference::is_read_by_tables(input, Some(region)))
        .count();
    let slowest = inputs
        .iter()
        .map(|input| ours(std::slice::from_ref(input)))
        .fold(0.0, f64::max);
    println!(
        "{category:<34}{:>9.0}{engine:>11.0}{:>9.0} %{:>9}{slowest:>10.0}",
        ours(inputs),
        tables as f64 / inputs.len() as f64 * 100.0,
        inputs.len(),
    );
}

fn main() {
    let argument = env::args().nth(1);
    if let Some(case) = argument
        .as_deref()
        .and_then(|argument| argument.strip_prefix("fresh="))
    {
        return memory::measure_here(case);
    }
    let count = argument
        .and_then(|count| count.parse().ok())
        .unwrap_or(20_000);
    let rows = corpus();
    let canonical = numbers(&rows, &COUNTRIES, CANONICAL, count);
    println!(
        "{:<34}{:>9}{:>11}{:>13}{:>14}{:>11}{:>11}",
        "to_e164, ns a number",
        "core",
        "slow path",
        "rlibphonen.",
        "phonenumber",
        "rlib/core",
        "tables"
    );
    line("canonical E.164, 15 countries", &canonical);
    line(
        "canonical E.164, GB",
        &numbers(&rows, &["GB"], CANONICAL, count),
    );
    line("national, GB", &numbers(&rows, &["GB"], NATIONAL, count));
    line("national, US", &numbers(&rows, &["US"], NATIONAL, count));
    line(
        "national, 15 countries",
        &numbers(&rows, &COUNTRIES, NATIONAL, count),
    );
    let mixed = numbers(&rows, &COUNTRIES, MIXED, count);
    line("mixed spellings, 15 countries", &mixed);
    let british = numbers(&rows, &["GB"], MIXED, count);
    line("mixed spellings, GB", &british);
    let normaliser = uk::Normaliser::new();
    let taken = time(&british, |input, _| {
        black_box(normaliser.to_e164(input));
    });
    println!("{:<34}{taken:>9.1}", "  a regex normaliser for the UK");
    let corpus: Vec<Input> = rows
        .iter()
        .map(|row| (row.input.to_owned(), row.region))
        .collect();
    other_questions(&canonical, &mixed, &corpus);
    whole_corpus(&rows);
    category_line("all", &corpus);
    memory::report();
}
