//! Agreement with Google's libphonenumber, row by row, on a sample of its own metadata: every spelling of example
//! numbers of all regions, and damaged ones.

use std::collections::BTreeMap;

use switchboard_core::phone::{is_e164, is_valid, to_e164};

/// Rows on which this crate is known, and meant, to differ from the reference.
const EXCEPTIONS: [&str; 3] = [
    "panic_rlib_2_2_15",
    "not_idempotent_in_reference",
    "fuzz_rlib_2_2_15_differs",
];

#[test]
fn agrees_with_the_reference_on_every_row() {
    let corpus = include_str!("../../../tests/vectors/phone_sample.tsv");
    let mut rows = 0;
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in corpus.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [input, region, e164, possible, valid, category] = fields[..] else {
            panic!("six columns, not {}: {line}", fields.len());
        };
        let region = Some(region).filter(|region| !region.is_empty());
        let found = to_e164(input, region);
        let found_valid = is_valid(input, region);
        if let Some(found) = found.as_deref().filter(|_| found_valid) {
            assert!(
                is_e164(found),
                "{input:?} gave {found}, which is not stable"
            );
        }
        if EXCEPTIONS.contains(&category) {
            continue;
        }
        rows += 1;
        let expected = Some(e164).filter(|_| possible == "1");
        if found.as_deref() != expected || found_valid != (valid == "1") {
            wrong.entry(category).or_default().push(format!(
                "{input:?} in {region:?}: {found:?} valid={found_valid}, expected {expected:?} valid={valid}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(rows > 11_900, "{rows} rows");
}
