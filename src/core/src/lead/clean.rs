//! White space around a value, and what is none but looks so.

/// The value of a cell: without the marks of spreadsheets and the white space around it; `None` when nothing is left.
pub(super) fn value(cell: &str) -> Option<&str> {
    let text = crate::csv::unwrapped(cell).trim_matches(is_space);
    (!text.is_empty()).then_some(text)
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Whether the text has the shape of an e-mail address.
pub(super) fn is_email(text: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control());
    text.split_once('@')
        .is_some_and(|(name, domain)| part(name) && part(domain) && !domain.contains('@'))
}
