//! From prefixes to a table of time zones.
//!
//! Layout of the file, all integers little-endian: three lengths (u32), then
//! - `prefixes`: digits of E.164 numbers, as a number (u32), ascending;
//! - `lists`: for each prefix where its names begin in `names`, and how many bytes they are (u16 each);
//! - `names`: names of the tz database, with a space between those of one list.

use std::collections::HashMap;

/// A line of `text` is a prefix, a tab, and names with a space between.
pub(crate) fn compile(text: &str) -> Vec<u8> {
    let mut entries: Vec<(u32, &str)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (prefix, list) = line.split_once('\t').expect("prefix, tab, names");
            // No prefix begins with zero, so the number says how many digits there are.
            assert!(!prefix.starts_with('0'), "{line}");
            (prefix.parse().expect("at most nine digits"), list)
        })
        .collect();
    entries.sort_unstable();
    let (mut prefixes, mut lists, mut names) = (Vec::new(), Vec::new(), String::new());
    let mut known = HashMap::new();
    for (prefix, list) in entries {
        let start = *known.entry(list).or_insert_with(|| {
            names.push_str(list);
            names.len() - list.len()
        });
        prefixes.extend(prefix.to_le_bytes());
        for number in [start, list.len()] {
            lists.extend(u16::try_from(number).expect("few names").to_le_bytes());
        }
    }
    let sections = [prefixes, lists, names.into_bytes()];
    let lengths = sections
        .iter()
        .flat_map(|section| u32::try_from(section.len()).expect("small").to_le_bytes());
    lengths.chain(sections.concat()).collect()
}
