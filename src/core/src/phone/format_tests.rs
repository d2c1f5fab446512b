//! Numbers described and written for people, and read back.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const STYLES: [Style; 3] = [Style::National, Style::International, Style::Rfc3966];

/// The valid numbers of the sample.
fn sample() -> BTreeSet<&'static str> {
    include_str!("../../../../tests/vectors/phone_sample.tsv")
        .lines()
        .filter_map(|line| line.split('\t').nth(2))
        .filter(|e164| is_e164(e164) && is_valid(e164, None))
        .collect()
}

/// Whether the number comes back when it is written in each style and read again. A national spelling is read in
/// the number's own region, which calling codes without a country do not have.
fn reads_back(e164: &str) -> Result<(), String> {
    let region = describe(e164).and_then(|described| described.region);
    for style in STYLES {
        if style == Style::National && region == Some("001") {
            continue;
        }
        let text = format(e164, style).unwrap_or_default();
        let back = to_e164(&text, region.filter(|_| style == Style::National));
        if back.as_deref() != Some(e164) {
            return Err(format!("{e164} {style:?} {text:?} {back:?}"));
        }
    }
    Ok(())
}

#[test]
fn numbers_are_described() {
    let described =
        |e164| describe(e164).map(|d| (d.calling_code, d.region, d.number_type.as_str()));
    for (e164, expected) in [
        ("+442071838750", Some((44, Some("GB"), "fixed_line"))),
        ("+447911123456", Some((44, Some("GG"), "mobile"))),
        (
            "+14155552671",
            Some((1, Some("US"), "fixed_line_or_mobile")),
        ),
        ("+80012345678", Some((800, Some("001"), "toll_free"))),
        ("+447700900123", Some((44, None, "unknown"))),
        ("+4420718387500000", None),
        ("442071838750", None),
        ("020 7183 8750", None),
        ("", None),
    ] {
        assert_eq!(described(e164), expected, "{e164}");
    }
}

#[test]
fn numbers_are_written_as_their_country_does() {
    for (e164, expected) in [
        (
            "+442071838750",
            ["020 7183 8750", "+44 20 7183 8750", "tel:+44-20-7183-8750"],
        ),
        (
            "+14155552671",
            ["(415) 555-2671", "+1 415-555-2671", "tel:+1-415-555-2671"],
        ),
        (
            "+390236618300",
            ["02 3661 8300", "+39 02 3661 8300", "tel:+39-02-3661-8300"],
        ),
    ] {
        let found = STYLES.map(|style| format(e164, style));
        assert_eq!(found, expected.map(|text| Some(text.to_owned())), "{e164}");
    }
    assert_eq!(format("020 7183 8750", Style::National), None);
}

#[test]
fn styles_have_names() {
    let styles = ["national", "international", "rfc3966"].map(str::parse);
    assert_eq!(styles, STYLES.map(Ok));
    assert_eq!("National".parse::<Style>(), Err(UnknownStyle));
}

#[test]
fn what_is_written_reads_back() {
    let numbers = sample();
    let wrong: Vec<_> = numbers
        .iter()
        .filter_map(|e164| reads_back(e164).err())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(numbers.len() > 2_000, "{} numbers", numbers.len());
}

proptest! {
    /// Neighbours of the sample's numbers: another number of the same range.
    #[test]
    fn a_neighbour_reads_back(
        e164 in proptest::sample::select(Vec::from_iter(sample())),
        end in "[0-9]{3}",
    ) {
        let neighbour = format!("{}{end}", &e164[..e164.len() - end.len()]);
        prop_assume!(is_e164(&neighbour) && is_valid(&neighbour, None));
        prop_assert_eq!(reads_back(&neighbour), Ok(()));
    }
}
