//! Numbers that regulators publish for fiction and tests. They are accepted as data and never dialled live.
//!
//! Only ranges that the authority itself publishes are listed; a range someone merely believes to be unused is not.

use std::ops::RangeInclusive;

/// Whether canonical E.164 `e164` lies in a published fiction or test range.
pub fn is_test_number(e164: &str) -> bool {
    // Every listed number has 11 or 12 digits; equal numeric value means equal text, for none begins with zero.
    let Some(number) = e164
        .strip_prefix('+')
        .and_then(|digits| digits.parse::<u64>().ok())
    else {
        return false;
    };
    is_north_american(number) || RANGES.iter().any(|range| range.contains(&number))
}

/// North American Numbering Plan: 555-0100 to 555-0199 in every area code are set aside for fiction (ATIS-0300115,
/// "555 NXX Assignment Guidelines").
fn is_north_american(number: u64) -> bool {
    (12_000_000_000..=19_999_999_999).contains(&number)
        && (5_550_100..=5_550_199).contains(&(number % 10_000_000))
}

const RANGES: &[RangeInclusive<u64>] = &[
    // United Kingdom: Ofcom, "Telephone numbers for use in TV and radio drama programmes".
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
    // Australia: ACMA, "Phone numbers for use in TV shows, films and creative works".
    61255500000..=61255509999,
    61270100000..=61270109999,
    61355500000..=61355509999,
    61370100000..=61370109999,
    61755500000..=61755509999,
    61770100000..=61770109999,
    61855500000..=61855509999,
    61870100000..=61870109999,
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
    611300975707..=611300975711,
    611800160401..=611800160401,
    611800975707..=611800975711,
    // France: ARCEP, numbering plan decision, numbers for audiovisual works.
    33199000000..=33199009999,
    33261910000..=33261919999,
    33353010000..=33353019999,
    33465710000..=33465719999,
    33536490000..=33536499999,
    33639980000..=33639989999,
    // Germany: Bundesnetzagentur, "Drama numbers" (geographic blocks).
    493023125000..=493023125999, // Berlin
    494066969000..=494066969999, // Hamburg
    496990009000..=496990009999, // Frankfurt am Main
    498999998000..=498999998999, // Munich
    492214710000..=492214710999, // Cologne
    // Sweden: PTS, telephone numbers for use in books and films.
    46313900600..=46313900699, // Gothenburg
    46406280400..=46406280499, // Malmo
    46701740605..=46701740699, // mobile
    46846500400..=46846500499, // Stockholm
    46980319200..=46980319299, // Kiruna
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
    fn every_range_is_one_the_parser_can_reach() {
        for range in RANGES {
            for end in [range.start(), range.end()] {
                let e164 = format!("+{end}");
                assert!(
                    super::super::is_e164(&e164),
                    "{e164} is not a possible number"
                );
            }
            assert!(range.start() <= range.end());
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
