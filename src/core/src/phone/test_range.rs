//! Numbers that regulators publish for fiction and tests. They are accepted as data and never dialled live.
//!
//! Only ranges that the authority itself publishes are listed; a range someone merely believes to be unused is not.

use std::ops::RangeInclusive;

/// Ranges of one calling code, in order.
type Ranges = &'static [RangeInclusive<u64>];

/// Whether canonical E.164 `e164` lies in a published fiction or test range.
pub fn is_test_number(e164: &str) -> bool {
    let Some(digits) = e164.strip_prefix('+') else {
        return false;
    };
    let ranges = match digits.as_bytes() {
        [b'1', ..] => return is_north_american(digits),
        [b'3', b'3', ..] => FR,
        [b'4', b'4', ..] => GB,
        [b'4', b'6', ..] => SE,
        [b'4', b'9', ..] => DE,
        [b'6', b'1', ..] => AU,
        _ => return false,
    };
    // Equal numeric value means equal text, for none begins with zero.
    digits.parse().is_ok_and(|number: u64| {
        let following = ranges.partition_point(|range| *range.start() <= number);
        following > 0 && ranges[following - 1].contains(&number)
    })
}

/// North American Numbering Plan: 555-0100 to 555-0199 in every area code are set aside for fiction (ATIS-0300115,
/// "555 NXX Assignment Guidelines").
fn is_north_american(digits: &str) -> bool {
    matches!(
        digits.as_bytes(),
        [b'1', b'2'..=b'9', _, _, b'5', b'5', b'5', b'0', b'1', _, _]
    )
}

/// France: ARCEP, decision 2018-0881 (numbering plan), 2.5.12, numbers for audiovisual works.
const FR: Ranges = &[
    33199000000..=33199009999,
    33261910000..=33261919999,
    33353010000..=33353019999,
    33465710000..=33465719999,
    33536490000..=33536499999,
    33639980000..=33639989999,
];

/// United Kingdom: Ofcom, "Telephone numbers for use in TV and radio drama programmes".
const GB: Ranges = &[
    441134960000..=441134960999, // Leeds
    441144960000..=441144960999, // Sheffield
    441154960000..=441154960999, // Nottingham
    441164960000..=441164960999, // Leicester
    441174960000..=441174960999, // Bristol
    441184960000..=441184960999, // Reading
    441214960000..=441214960999, // Birmingham
    441314960000..=441314960999, // Edinburgh
    441414960000..=441414960999, // Glasgow
    441514960000..=441514960999, // Liverpool
    441614960000..=441614960999, // Manchester
    441632960000..=441632960999, // no area
    441914980000..=441914980999, // Tyneside, Durham, Sunderland
    442079460000..=442079460999, // London
    442896496000..=442896496999, // Northern Ireland
    442920180000..=442920180999, // Cardiff
    443069990000..=443069990999, // UK-wide
    447700900000..=447700900999, // mobile
    448081570000..=448081570999, // freephone
    449098790000..=449098790999, // premium rate
];

/// Sweden: PTS, "Telefonnummer till böcker och filmer".
const SE: Ranges = &[
    46313900600..=46313900699, // Gothenburg
    46406280400..=46406280499, // Malmo
    46701740605..=46701740699, // mobile
    46846500400..=46846500499, // Stockholm
    46980319200..=46980319299, // Kiruna
];

/// Germany: Bundesnetzagentur, Mitteilung 148/2021 (Amtsblatt 7/2021), "Rufnummern für Medienproduktionen (Drama
/// Numbers)": blocks of five cities and, from 171 on, of the mobile networks.
const DE: Ranges = &[
    491713920000..=491713920099, // mobile
    491729925904..=491729925904,
    491729968532..=491729968532,
    491729973185..=491729973186,
    491729980752..=491729980752,
    491749091317..=491749091317,
    491749464308..=491749464308,
    492214710000..=492214710999, // Cologne
    493023125000..=493023125999, // Berlin
    494066969000..=494066969999, // Hamburg
    496990009000..=496990009999, // Frankfurt am Main
    498999998000..=498999998999, // Munich
    4915228817386..=4915228817386,
    4915228895456..=4915228895456,
    4915254599371..=4915254599371,
    4917604069000..=4917604069099,
];

/// Australia: ACMA, "Phone numbers for use in TV shows, films and creative works".
const AU: Ranges = &[
    61255500000..=61255509999,
    61270100000..=61270109999,
    61355500000..=61355509999,
    61370100000..=61370109999,
    61491570006..=61491570006,
    61491570110..=61491570110,
    61491570156..=61491570159,
    61491570313..=61491570313,
    61491570737..=61491570737,
    61491571266..=61491571266,
    61491571491..=61491571491,
    61491571804..=61491571804,
    61491572549..=61491572549,
    61491572665..=61491572665,
    61491572983..=61491572983,
    61491573087..=61491573087,
    61491573770..=61491573770,
    61491574118..=61491574118,
    61491574632..=61491574632,
    61491575254..=61491575254,
    61491575789..=61491575789,
    61491576398..=61491576398,
    61491576801..=61491576801,
    61491577426..=61491577426,
    61491577644..=61491577644,
    61491578148..=61491578148,
    61491578888..=61491578888,
    61491578957..=61491578957,
    61491579212..=61491579212,
    61491579455..=61491579455,
    61491579760..=61491579760,
    61755500000..=61755509999,
    61770100000..=61770109999,
    61855500000..=61855509999,
    61870100000..=61870109999,
    611300975707..=611300975711,
    611800160401..=611800160401,
    611800975707..=611800975711,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_inside_and_their_neighbours_are_not() {
        for (first, last) in [
            ("+447700900000", "+447700900999"),
            ("+442079460000", "+442079460999"),
            ("+12025550100", "+12025550199"),
            ("+33639980000", "+33639989999"),
            ("+46701740605", "+46701740699"),
            ("+46846500400", "+46846500499"),
            ("+493023125000", "+493023125999"),
            ("+4917604069000", "+4917604069099"),
            ("+491729980752", "+491729980752"),
            ("+61491570006", "+61491570006"),
        ] {
            let number = |e164: &str, offset: i64| {
                format!("+{}", e164[1..].parse::<i64>().expect("digits") + offset)
            };
            assert!(is_test_number(first) && is_test_number(last), "{first}");
            assert!(!is_test_number(&number(first, -1)), "before {first}");
            assert!(!is_test_number(&number(last, 1)), "after {last}");
        }
    }

    #[test]
    fn every_range_is_in_order_and_one_the_parser_can_reach() {
        for ranges in [AU, DE, FR, GB, SE] {
            assert!(ranges.is_sorted_by(|a, b| a.end() < b.start()));
            for range in ranges {
                assert!(range.start() <= range.end());
                for end in [range.start(), range.end()] {
                    let e164 = format!("+{end}");
                    assert!(is_test_number(&e164), "{e164}");
                    assert!(
                        super::super::is_e164(&e164),
                        "{e164} is not a possible number"
                    );
                }
            }
        }
    }

    #[test]
    fn only_the_exact_length_counts() {
        for other in [
            "+44770090000",
            "+4477009000001",
            "447700900000",
            "+",
            "",
            "+120255501000",
        ] {
            assert!(!is_test_number(other), "{other}");
        }
    }
}
