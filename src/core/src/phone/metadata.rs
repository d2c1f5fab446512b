//! The numbering-plan metadata: Google's, as the `rlibphonenumber` crate carries it.
//!
//! The crate keeps its copy private, so `metadata.bin` is that file. It is loaded here in order to rewrite its
//! patterns: `\d` means every Unicode digit to the regex crate, and the patterns only ever see ASCII digits by then.
//! With all regions in use that takes 26 MB instead of 156 MB, and a region's first use 0.8 ms instead of 5 ms.

use prost::Message;
use rlibphonenumber::{PhoneMetadataCollection, PhoneNumberDesc};

const METADATA: &[u8] = include_bytes!("metadata.bin");

/// The libphonenumber release that the numbering plans come from.
///
/// Validity belongs to a release (ranges are assigned and withdrawn); the E.164 text of a number hardly ever changes.
pub fn metadata_version() -> &'static str {
    "9.0.42"
}

/// The numbering plans with every pattern limited to ASCII digits.
pub(super) fn load() -> PhoneMetadataCollection {
    let mut collection = PhoneMetadataCollection::decode(METADATA)
        .expect("metadata.bin is part of this crate and a test reads it");
    for metadata in &mut collection.metadata {
        limit_to_ascii_digits(metadata);
    }
    collection
}

// The fields are marked deprecated for those who read them from a finished engine, where they have been moved out.
// Before the engine is built they are the data.
#[allow(deprecated)]
fn limit_to_ascii_digits(metadata: &mut rlibphonenumber::PhoneMetadata) {
    let descriptions = [
        &mut metadata.general_desc,
        &mut metadata.fixed_line,
        &mut metadata.mobile,
        &mut metadata.toll_free,
        &mut metadata.premium_rate,
        &mut metadata.shared_cost,
        &mut metadata.personal_number,
        &mut metadata.voip,
        &mut metadata.pager,
        &mut metadata.uan,
        &mut metadata.voicemail,
        &mut metadata.no_international_dialling,
    ];
    for PhoneNumberDesc {
        national_number_pattern,
        ..
    } in descriptions.into_iter().flatten()
    {
        national_number_pattern.as_mut().map(ascii_digits);
    }
    let prefixes = [
        &mut metadata.leading_digits,
        &mut metadata.international_prefix,
        &mut metadata.national_prefix_for_parsing,
    ];
    prefixes.into_iter().flatten().for_each(ascii_digits);
    for format in metadata
        .number_format
        .iter_mut()
        .chain(&mut metadata.intl_number_format)
    {
        ascii_digits(&mut format.pattern);
        format
            .leading_digits_pattern
            .iter_mut()
            .for_each(ascii_digits);
    }
}

fn ascii_digits(pattern: &mut String) {
    *pattern = pattern.replace(r"\d", "[0-9]");
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// Whoever replaces the file must say which release the new one is, and run the example `phone_automaton`.
    #[test]
    fn version_names_this_file() {
        let hash: String = Sha256::digest(METADATA)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            (metadata_version(), hash.as_str()),
            (
                "9.0.42",
                "62362deceaee888d0f7b94ce42b2d429ef71774f8c37c2a61761632b12dc42f2"
            )
        );
    }

    #[test]
    fn no_pattern_keeps_unicode_digits() {
        let collection = load();
        assert!(
            collection.metadata.len() > 240,
            "{} plans",
            collection.metadata.len()
        );
        // A class that the debug text shows once it is escaped: `\\d`.
        assert!(!format!("{collection:?}").contains(r"\\d"));
    }
}
