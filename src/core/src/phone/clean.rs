//! Tidies a cell of imported data before it is parsed: digits of any script, invisible characters, `tel:` links,
//! extensions. Called by `parse` only; `to_e164` leaves all of this to libphonenumber.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// Fewest digits before an extension, or on both sides of a separator, for the text to count as a number of its own.
const NUMBER_DIGITS: usize = 7;

/// Extension markers and the longest extension each may introduce, as in libphonenumber: the less certain the
/// marker, the fewer digits may follow. After a single comma or semicolon one less than in the library: six digits there
/// are rather a second number.
static EXTENSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?is)^(?<number>.*?)(?:",
        r";ext=(?<rfc>[0-9]{1,20})",
        r"|[ ,;]*(?:e?xt(?:ensi[oó])?n?|anexo|доб)[:.]?[ ,-]*(?<label>[0-9]{1,20})#?",
        r"|[ ,;]*(?:x|#|~|int)[:.]?[ ,-]*(?<mark>[0-9]{1,9})#?",
        r"|,, *(?<pause>[0-9]{1,6})#?",
        r"|[,;] *(?<comma>[0-9]{1,5})#?",
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
        // The last one lengthens a vowel in katakana, and stands for a dash in Japanese numbers.
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{30fc}' => '-',
        // Full-width forms stand 0xFEE0 above the ASCII characters that they are.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => digit(c).map_or(c, |digit| char::from(b'0' + digit)),
    }
}

/// The value of a decimal digit of any script.
pub(super) fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then(|| c as u8 - b'0');
    }
    let c = u32::from(c);
    // The search is slow; what most often stands here are dashes, spaces and full-width digits.
    match c {
        ..0x660 | 0x2000..0xa620 => return None,
        0xff10..=0xff19 => return u8::try_from(c - 0xff10).ok(),
        _ => {}
    }
    let next = ZEROS.partition_point(|&zero| zero <= c);
    let value = c - ZEROS.get(next.checked_sub(1)?)?;
    u8::try_from(value).ok().filter(|&value| value < 10)
}

/// The zero of every script but ASCII (Unicode's general category Nd); the other digits follow it in order.
#[rustfmt::skip]
const ZEROS: [u32; 76] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50,
    0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce,
    0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// Zero-width characters, direction marks and soft hyphens, which copying from a page or a chat brings along.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// A spreadsheet's rendering of a long number, digits lost: `7.7009E+09`.
pub(super) fn is_scientific(text: &str) -> bool {
    text.contains(['e', 'E']) && SCIENTIFIC.is_match(text)
}

/// Whether a text of digits and separators may be a number that a spreadsheet wrote as a decimal, `447911123456.0`.
pub(super) fn may_have_fraction(text: &str) -> bool {
    text.trim_end().trim_end_matches('0').ends_with('.')
}

/// Takes off what a spreadsheet wrote behind a number that it took for a decimal: nothing of the number is lost yet.
pub(super) fn without_fraction(text: &str) -> &str {
    let number = text.trim_end_matches('0');
    match (number.strip_suffix(['.', ',']), text.len() - number.len()) {
        (Some(whole), 1..=2)
            if digits(whole) >= NUMBER_DIGITS
                && whole.bytes().all(|b| b.is_ascii_digit() || b == b'+') =>
        {
            whole
        }
        _ => text,
    }
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

/// The number and its extension's digits, `(ext 12)` and `#12.` too. What stands before the marker must be long enough to
/// be a number.
pub(super) fn split_extension(text: &str) -> (&str, Option<&str>) {
    // Nearly always there is nothing to look for.
    let has_marker =
        text.contains(|c: char| matches!(c, '#' | '~' | ',' | ';') || c.is_alphabetic());
    let ended = text.trim_end_matches([' ', '\n', '.', ',', ';', ':', '-', '/', ')', ']']);
    let Some(captures) = has_marker.then(|| EXTENSION.captures(ended)).flatten() else {
        return (text, None);
    };
    let number = captures.name("number").map_or("", |m| m.as_str());
    let extension = captures.iter().skip(2).flatten().next().map(|m| m.as_str());
    if digits(number) < NUMBER_DIGITS {
        (text, None)
    } else {
        let number = number.trim_end_matches([' ', '\n', ',', ';', '-', '(', '[']);
        (number, extension)
    }
}

/// Whether a cell holds more than one number: a `+` after digits, a separator between two numbers or before what is left
/// of one, a second ending after a slash (`030 1234567/68`), or two full numbers side by side.
pub(super) fn holds_several(text: &str) -> bool {
    let plus_after_digits = text
        .find(|c: char| c.is_ascii_digit())
        .is_some_and(|first_digit| text[first_digit..].contains('+'));
    let text = match text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        true => text
            .to_ascii_lowercase()
            .replace(" or ", "|")
            .replace(" and ", "|")
            .into(),
        false => Cow::Borrowed(text),
    };
    let separated = text
        .split([',', ';', '/', '|', '&', '\n'])
        .filter(|part| digits(part) >= NUMBER_DIGITS)
        .count();
    let second_ending = text.rsplit_once('/').is_some_and(|(number, ending)| {
        digits(number) >= NUMBER_DIGITS && (1..=3).contains(&digits(ending))
    });
    let beside = text
        .match_indices([',', ';', '|', '&', '#'])
        .any(|(at, _)| digits(&text[..at]) >= NUMBER_DIGITS && digits(&text[at..]) > 0);
    // Nine digits: no grouping of one number is that long, and no national number is much shorter.
    let words: Vec<usize> = text.split_whitespace().map(digits).collect();
    let side_by_side = words.len() == 2 && words.iter().all(|&count| count >= 9);
    plus_after_digits || separated > 1 || second_ending || beside || side_by_side
}

/// What stands before the last slash or line break, when it is long enough for a number and what follows is not: a
/// number and a second ending if the first part alone is a number, else one number with its area code apart.
pub(super) fn before_short_ending(text: &str) -> Option<&str> {
    let (number, ending) = text.rsplit_once(['/', '\n'])?;
    let is_short = (1..NUMBER_DIGITS).contains(&digits(ending));
    (is_short && digits(number) >= NUMBER_DIGITS).then_some(number)
}

/// Whether a mark that is no part of any number stands between digits, or one of an extension behind too few of them:
/// libphonenumber would drop what follows. `8~10` is how Russia writes its exit code.
pub(super) fn has_mark(text: &str) -> bool {
    let is_inside = text.match_indices(['#', ',', ';', '~']).any(|(at, mark)| {
        let after = digits(&text[at..]);
        digits(&text[..at]) > 0 && after > 0 && (mark != "~" || after <= 9)
    });
    is_inside
        || text
            .strip_suffix('#')
            .map(|text| text.trim_end_matches(|c: char| c.is_ascii_digit()))
            .is_some_and(|text| text.ends_with([' ', '-']))
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::{super::engine, digit};

    #[test]
    fn digits_are_the_library_s() {
        for c in '\0'..=char::MAX {
            let digit = digit(c).map(|digit| char::from(b'0' + digit));
            assert_eq!(digit, engine::ascii_digit(c), "{c:?}");
        }
        // Superscripts and fractions are numeric, but a footnote mark is no part of a number.
        for c in ['²', '½', 'Ⅷ', 'x', '+'] {
            assert_eq!(digit(c), None, "{c}");
        }
    }
}
