//! Tidies a cell of imported data before it is parsed: digits of any script, invisible characters, `tel:` links,
//! extensions. Called by `parse` only; `to_e164` leaves all of this to libphonenumber.

use std::sync::LazyLock;

use regex::Regex;

use super::engine;

/// Fewest digits before an extension, or on both sides of a separator, for the text to count as a number of its own.
const NUMBER_DIGITS: usize = 7;

/// Extension markers and the longest extension each may introduce, as in libphonenumber: the less certain the
/// marker, the fewer digits may follow.
static EXTENSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^(?<number>.*?)(?:",
        r";ext=(?<rfc>[0-9]{1,20})",
        r"|[ ,;]*(?:e?xt(?:ensi[oó])?n?|anexo|доб)[:.]?[ ,-]*(?<label>[0-9]{1,20})#?",
        r"|[ ,;]*(?:x|#|~|int)[:.]?[ ,-]*(?<mark>[0-9]{1,9})#?",
        r"|(?:,,|;) *(?<pause>[0-9]{1,6})#?",
        r"|, *(?<comma>[0-9]{1,6})#?",
        r"|[- ]+(?<hash>[0-9]{1,6})#",
        r")$",
    ))
    .expect("a literal pattern, compiled by every test of this module")
});

static SCIENTIFIC: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]{1,3}$")
        .expect("a literal pattern, compiled by every test of this module")
});

pub(super) fn warm() {
    LazyLock::force(&EXTENSION);
    LazyLock::force(&SCIENTIFIC);
}

/// ASCII digits, plain spaces, no invisible characters, no surrounding white space. Line breaks stay, as `\n`.
pub(super) fn plain(input: &str) -> String {
    let text: String = input
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(plain_char)
        .collect();
    text.trim().to_owned()
}

fn plain_char(c: char) -> char {
    match c {
        ' '..='~' => c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        c if c.is_whitespace() => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        // Full-width forms stand 0xFEE0 above the ASCII characters that they are.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => engine::ascii_digit(c).unwrap_or(c),
    }
}

/// Zero-width characters, direction marks and soft hyphens, which copying from a page or a chat brings along.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// A spreadsheet's rendering of a long number, digits lost: `7.7009E+09`.
pub(super) fn is_scientific(text: &str) -> bool {
    SCIENTIFIC.is_match(text)
}

/// Rewrites a `tel:` link (RFC 3966) as the number and, if present, `;ext=` and its digits. A global
/// `phone-context` is the number's prefix; a domain name and all other parameters say nothing about the number.
pub(super) fn without_tel_link(text: &str) -> String {
    let link = match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => text[4..].trim_start(),
        _ => text,
    };
    let mut parts = link.split(';');
    let number = parts.next().unwrap_or_default();
    let parameters: Vec<(String, &str)> = parts
        .clone()
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    if parameters.is_empty() || parameters.len() != parts.count() {
        return link.to_owned();
    }
    let parameter = |name: &str| parameters.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
    let context = parameter("phone-context")
        .filter(|context| context.starts_with('+') && !number.trim_start().starts_with('+'))
        .unwrap_or_default();
    let extension = parameter("ext")
        .map(|ext| format!(";ext={ext}"))
        .unwrap_or_default();
    format!("{context}{number}{extension}")
}

/// The number and its extension's digits. What stands before the marker must be long enough to be a number.
pub(super) fn split_extension(text: &str) -> (&str, Option<&str>) {
    let Some(captures) = EXTENSION.captures(text) else {
        return (text, None);
    };
    let number = captures.name("number").map_or("", |m| m.as_str());
    let extension = captures.iter().skip(2).flatten().next().map(|m| m.as_str());
    if digits(number) < NUMBER_DIGITS {
        (text, None)
    } else {
        (number.trim_end(), extension)
    }
}

/// Whether a cell holds more than one number: a `+` after digits, a separator between two numbers, a second ending
/// after a slash (`030 1234567/68`), or two full numbers side by side.
pub(super) fn holds_several(text: &str) -> bool {
    let plus_after_digits = text
        .find(|c: char| c.is_ascii_digit())
        .is_some_and(|first_digit| text[first_digit..].contains('+'));
    let text = text
        .to_ascii_lowercase()
        .replace(" or ", "|")
        .replace(" and ", "|");
    let separated = text
        .split([',', ';', '/', '|', '&', '\n'])
        .filter(|part| digits(part) >= NUMBER_DIGITS)
        .count();
    let second_ending = text.rsplit_once('/').is_some_and(|(number, ending)| {
        digits(number) >= NUMBER_DIGITS && (1..=3).contains(&digits(ending))
    });
    // Nine digits: no grouping of one number is that long, and no national number is much shorter.
    let words: Vec<usize> = text.split_whitespace().map(digits).collect();
    let side_by_side = words.len() == 2 && words.iter().all(|&count| count >= 9);
    plus_after_digits || separated > 1 || second_ending || side_by_side
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}
