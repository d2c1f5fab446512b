//! What people write beside a number in a cell: `Tel.`, `(mobile)`, ` - Jane`. Only words that say nothing about how to
//! read the digits, and only wholly before the first or behind the last of them: `wrong number`, `Fax`, an O for a 0 stay
//! letters.

/// Words in any case, with or without punctuation. Of one or two letters: not directly at a digit, which might then be
/// one that was mistyped.
#[rustfmt::skip]
const LABELS: &[&str] = &[
    // English
    "t", "tel", "tele", "telephone", "phone", "ph", "p", "m", "mob", "mobile", "cell", "cellphone", "cellular", "c",
    "h", "home", "w", "work", "office", "business", "d", "direct", "desk", "landline", "main", "switchboard", "personal",
    "number", "no", "num", "nr", "contact", "call", "sms", "text", "whatsapp", "wa", "gsm",
    // German, Dutch, French, Spanish, Portuguese, Italian, Polish
    "telefon", "telefonnummer", "handy", "handynummer", "mobil", "mobilnummer", "festnetz", "privat", "telefoon",
    "mobiel", "téléphone", "portable", "fixe", "teléfono", "telefono", "tfno", "móvil", "movil", "celular", "fijo",
    "telefone", "telemóvel", "telemovel", "cel", "cellulare", "komórka", "kom",
];

/// Words behind a dash that are no name: they say that the number is not to be called, or not there.
#[rustfmt::skip]
const NO_NAMES: &[&str] = &[
    "not", "no", "non", "none", "never", "do", "don't", "dont", "stop", "wrong", "bad", "old", "ex", "former", "dead",
    "deceased", "invalid", "inactive", "disconnected", "disused", "fax", "blocked", "removed", "remove", "unsubscribed",
    "unknown", "void", "opted", "opt", "out", "refused", "declined", "barred", "busy", "spam", "fake", "test", "temp",
    "temporary", "ask", "ext", "extension", "or", "and", "duplicate", "delete", "deleted", "falsch", "alt", "nicht",
];

/// Words of a name.
const NAME_WORDS: usize = 2;

/// The part of `text` with the number, when all letters before and behind it are labels; `None` otherwise, also when a
/// label has a number of its own (`Mobile 1 07911 …`).
pub(super) fn without(text: &str) -> Option<&str> {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut start = text.find(|c| is_digit(c) || c == '+')?;
    if text[..start].ends_with('(') {
        start -= 1;
    }
    let end = text.rfind(is_digit)? + 1;
    let (head, number, tail) = (&text[..start], text.get(start..end)?, &text[end..]);
    let apart = |last: Option<&str>, touching: bool| {
        !touching || last.is_none_or(|word| word.chars().count() > 2)
    };
    let are_labels = is_labels(head)
        && apart(words(head).next_back(), head.ends_with(char::is_alphabetic))
        && is_note(tail)
        && apart(words(tail).next(), tail.starts_with(char::is_alphabetic));
    (are_labels && !(has_letters(head) && is_counted(number))).then_some(number)
}

fn has_letters(text: &str) -> bool {
    text.contains(char::is_alphabetic)
}

fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
}

/// Labels and what stands between them.
fn is_labels(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_alphabetic() || " \n:.,;-/|()[]=#'\"".contains(c))
        && words(text).all(|word| LABELS.contains(&word.to_lowercase().as_str()))
}

/// Labels, or a name behind a dash, or both.
fn is_note(text: &str) -> bool {
    is_labels(text)
        || text
            .split_once(" - ")
            .is_some_and(|(labels, name)| is_labels(labels) && is_name(name.trim()))
}

/// `Jane`, `Jane O'Neill`: capital letters first, not only capital letters.
fn is_name(text: &str) -> bool {
    let mut count = 0;
    text.split(' ').all(|word| {
        count += 1;
        let lower = word.to_lowercase();
        word.starts_with(char::is_uppercase)
            && word.contains(char::is_lowercase)
            && word.chars().all(|c| c.is_alphabetic() || "'-.".contains(c))
            && !NO_NAMES.contains(&lower.trim_matches('.'))
    }) && count <= NAME_WORDS
}

/// Whether the number begins with one that belongs to the label: `1 07911 123456`.
fn is_counted(number: &str) -> bool {
    let rest = number.strip_prefix(['1', '2', '3', '4', '5', '6']);
    rest.is_some_and(|rest| {
        let next = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
        next.len() < rest.len() && next.starts_with('0')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_before_and_behind_are_taken_off() {
        for (text, number) in [
            ("Phone: 07911 123456", "07911 123456"),
            ("Tel.: (020) 7183 8750", "(020) 7183 8750"),
            ("t/m +44 7911 123456", "+44 7911 123456"),
            ("(mobile) 07911 123456", "07911 123456"),
            ("TEL02071838750", "02071838750"),
            ("07911 123456 (Mobile, work)", "07911 123456"),
            ("07911 123456 m", "07911 123456"),
            ("07911 123456 - Jane", "07911 123456"),
            ("07911 123456 (m) - Jane-Marie O'Neill", "07911 123456"),
            ("07911 123456 - mobile", "07911 123456"),
            ("Call 1 415 555 2671", "1 415 555 2671"),
            ("020 7183 8750 ext 12 (work)", "020 7183 8750 ext 12"),
        ] {
            assert_eq!(without(text), Some(number), "{text}");
        }
    }

    #[test]
    fn what_may_mean_something_stays() {
        for text in [
            "call me",
            "Fax: 020 7183 8750",
            "O7911 123456",
            "O 7911 123456",
            "T02071838750",
            "07911123456m",
            "Mobile 1 07911 123456",
            "Tel2: 07911 123456",
            "Jane 07911 123456",
            "07911 123456 Jane",
            "07911 123456 -Jane",
            "07911 123456 - jane",
            "07911 123456 - JANE",
            "07911 123456 - Jane Anne Doe",
            "07911 123456 - Wrong Number",
            "07911 123456 - Don't Call",
            "07911 123456 - Jane (old)",
            "07911 123456 - DNC",
            "07911 123456 (deceased)",
            "07911 123456 € mobile",
        ] {
            assert_eq!(without(text), None, "{text}");
        }
    }

    #[test]
    fn words_are_written_once_and_as_they_are_compared() {
        for words in [LABELS, NO_NAMES] {
            for (at, word) in words.iter().enumerate() {
                assert_eq!(*word, word.to_lowercase());
                assert!(!words[..at].contains(word), "{word} twice");
            }
        }
    }
}
