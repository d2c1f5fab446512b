//! Words that rows are found by: what a person types finds what another person wrote, whatever accents, case, dots and
//! hyphens either of them used.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use uuid::Uuid;

/// Longest word that is told apart; a longer one is found by its beginning.
const MAX_CHARS: usize = 48;
/// Most words of a text; names, addresses and codes have fewer.
const MAX_WORDS: usize = 64;

/// A text's characters without accents and case. Letters that Unicode does not take apart (ø, ł) stay.
pub fn folded(text: &str) -> impl Iterator<Item = char> {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
}

/// The words of a text, each once, in the order in which they come: runs of letters and digits. An apostrophe joins
/// (O'Brien is `obrien`), everything else separates.
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut length = 0;
    for c in folded(text).chain([' ']) {
        if c.is_alphanumeric() {
            length += 1;
            if length <= MAX_CHARS {
                word.push(c);
            }
        } else if !matches!(c, '\'' | '’' | '‘' | 'ʼ' | '`') && length > 0 {
            length = 0;
            let found = std::mem::take(&mut word);
            if !words.contains(&found) {
                words.push(found);
                if words.len() == MAX_WORDS {
                    break;
                }
            }
        }
    }
    words
}

/// The words of a text as an organization's own: a word begins with eight digits of its organization, so that an index over
/// all organizations is searched in one of them only. Two may share the digits; whoever asks compares the id as well.
pub fn words_of(organization: Uuid, text: &str) -> Vec<String> {
    let id = organization.as_bytes();
    // From the end of the id: its beginning may be a clock.
    let mark = format!("{:02x}{:02x}{:02x}{:02x}", id[12], id[13], id[14], id[15]);
    let mut words = words(text);
    for word in &mut words {
        word.insert_str(0, &mark);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_have_neither_accents_nor_case_nor_punctuation() {
        for (text, expected) in [
            ("José  Núñez", &["jose", "nunez"][..]),
            ("ANNA-LENA o’Brien", &["anna", "lena", "obrien"]),
            (
                "jo.smith+list@example.com",
                &["jo", "smith", "list", "example", "com"],
            ),
            ("SW1A 1AA", &["sw1a", "1aa"]),
            ("ＦＵＬＬ width", &["full", "width"]),
            ("李 小龙", &["李", "小龙"]),
            ("Ünal Unal", &["unal"]),
            (" - ", &[]),
            ("", &[]),
            ("'", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn words_and_their_number_are_bounded() {
        assert_eq!(words(&"x".repeat(9999)), ["x".repeat(48)]);
        let many: Vec<_> = (0..999).map(|n| n.to_string()).collect();
        assert_eq!(words(&many.join(" ")).len(), 64);
    }

    #[test]
    fn another_organization_has_other_words() {
        let id = |last| Uuid::from_u128(last);
        assert_eq!(words_of(id(0xabc), "Ann"), ["00000abcann"]);
        assert_ne!(words_of(id(1), "Ann"), words_of(id(2), "Ann"));
    }

    proptest! {
        #[test]
        fn a_word_is_its_own_word(text in any::<String>()) {
            for word in words(&text) {
                prop_assert_eq!(words(&word), [word.clone()]);
            }
        }

        #[test]
        fn case_does_not_matter(text in "[a-zA-Zéüñ '-]{0,40}") {
            prop_assert_eq!(words(&text.to_uppercase()), words(&text));
        }
    }
}
