//! Any text, in any region: no panic, and the tables say what libphonenumber says.
//!
//! The first byte of the input chooses the region, the rest is the text. From `src/core`, with cargo-fuzz 0.13:
//!
//! ```text
//! RUSTC_BOOTSTRAP=1 cargo fuzz run phone fuzz/corpus/phone fuzz/seeds/phone -- -max_len=80 -max_total_time=600
//! ```
//!
//! `RUSTC_BOOTSTRAP` lets the pinned stable compiler take the sanitizer flags; a nightly one needs it not. New finds go
//! to the first folder, which git ignores. The seeds are one of each kind of spelling in `phone_sample.tsv`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::phone::{self, Options, Style, reference};

const REGIONS: [&str; 32] = [
    "GB", "US", "DE", "FR", "IT", "BR", "AR", "MX", "CN", "JP", "KR", "IN", "AU", "RU", "KZ", "BY",
    "HU", "GG", "JE", "CA", "BS", "DO", "FI", "AX", "NO", "SM", "VA", "SG", "CO", "BO", "gb", "XX",
];

fuzz_target!(|input: &[u8]| {
    let Some((choice, text)) = input.split_first() else {
        return;
    };
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    let region = REGIONS
        .get(usize::from(*choice) % (REGIONS.len() + 1))
        .copied();
    let e164 = phone::to_e164(text, region);
    assert_eq!(e164, reference::to_e164(text, region));
    assert_eq!(
        phone::is_valid(text, region),
        reference::is_valid(text, region)
    );
    assert_eq!(phone::is_e164(text), reference::is_e164(text));
    assert_eq!(phone::describe(text), reference::describe(text));
    let parsed = phone::parse(text, region, Options::default());
    assert_eq!(parsed, reference::parse(text, region));
    if let Some(e164) = e164.filter(|_| phone::is_valid(text, region)) {
        assert!(reference::is_e164(&e164));
        assert_eq!(phone::to_e164(&e164, region).as_deref(), Some(&*e164));
        // Not the Belarusian ones of which the library cuts something off unless they are in E.164 form.
        if reference::to_e164(&format!(" {e164}"), None).as_ref() == Some(&e164) {
            let international = phone::format(&e164, Style::International).expect("it is E.164");
            assert_eq!(phone::to_e164(&international, None), Some(e164));
        }
    }
});
