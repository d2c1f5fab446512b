//! From text to the digits that were meant: what libphonenumber's `parse` does with a text before it looks at the number.
//!
//! Two readers. [`Spelling::plain`] knows ASCII digits, the separators ` -.()/` and one `+` before them: nearly all input,
//! and none of it could be a second number, an extension or a letter. [`Spelling::unusual`] knows other digits, dashes and
//! spaces, words before the number, extensions, `tel:` links and letters for digits, each in its plain form only. What
//! neither reads goes to the library; what they read, they read as the library does.

use super::{
    MAX_INPUT_CHARS, Reason,
    automaton::{Class, START},
    clean,
    dial::Failure,
};

/// Longest run of digits read: the longest national number and its prefixes. The tables go no further.
pub(super) const MAX_DIGITS: usize = 18;

/// Longest text, in bytes, of which [`Spelling::unusual`] makes anything; the library is as quick with longer ones.
const MAX_UNUSUAL: usize = 100;

/// Room in front of the digits for `+` and a calling code.
const ROOM: usize = 4;

/// What the bytes of the input are.
const DIGIT: u8 = 1;
const SEPARATOR: u8 = 2;
const SLASH: u8 = 4;
const OTHER: u8 = 8;

static KINDS: [u8; 256] = {
    let mut kinds = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b' ' | b'-' | b'.' | b'(' | b')' => SEPARATOR,
            b'/' => SLASH,
            _ => OTHER,
        };
        byte += 1;
    }
    kinds
};

/// The keypad (ITU-T E.161).
const KEYPAD: &[u8; 26] = b"22233344455566677778889999";

/// Letters from here on are a word, fewer are mistakes.
const VANITY_LETTERS: usize = 3;

const PHONE_CONTEXT: &str = ";phone-context=";

pub(super) struct Spelling {
    /// Room for `+` and a calling code, then the digits, then one byte: every byte is written before it is looked at.
    text: [u8; ROOM + MAX_DIGITS + 1],
    end: usize,
    plus: bool,
    slash: bool,
}

impl Spelling {
    pub(super) fn new() -> Self {
        Self {
            text: [0; ROOM + MAX_DIGITS + 1],
            end: ROOM,
            plus: false,
            slash: false,
        }
    }

    /// Whether `input` has nothing but what a number is usually written with, and so was read.
    pub(super) fn plain(&mut self, input: &str) -> bool {
        // For these characters as many bytes as characters.
        if input.len() > MAX_INPUT_CHARS {
            return false;
        }
        let bytes = input.as_bytes();
        let lead = bytes.iter().position(u8::is_ascii_digit);
        let (lead, rest) = bytes.split_at(lead.unwrap_or(bytes.len()));
        let mut kinds = 0;
        for &byte in lead {
            match byte {
                b'+' if !self.plus => self.plus = true,
                _ => kinds |= KINDS[usize::from(byte)],
            }
        }
        let mut end = ROOM;
        for &byte in rest {
            let kind = KINDS[usize::from(byte)];
            kinds |= kind;
            // Without a branch: in what order digits and separators come is not to be predicted.
            self.text[end] = byte;
            end += usize::from(kind & DIGIT);
            if end > ROOM + MAX_DIGITS {
                return false;
            }
        }
        self.end = end;
        self.slash = kinds & SLASH != 0;
        // Fewer digits are no number to the library, or one by other rules.
        kinds & OTHER == 0 && self.digits().len() > 2
    }

    /// Reads `input` if it is written in one of the unusual ways that leave no doubt, or certainly no number.
    #[cold]
    pub(super) fn unusual(&mut self, input: &str) -> Result<(), Failure> {
        if input.len() > MAX_UNUSUAL {
            return Err(Failure::Unsettled);
        }
        *self = Self::new();
        match self.read_unusual(input) {
            Some(()) if self.digits().len() > 2 => Ok(()),
            _ if is_no_number(input) => Err(Reason::NotANumber.into()),
            _ => Err(Failure::Unsettled),
        }
    }

    fn read_unusual(&mut self, input: &str) -> Option<()> {
        let text = match input.find(PHONE_CONTEXT) {
            Some(context) => self.local_number(input, context)?,
            None => without_surroundings(input)?,
        };
        let text = text.split_once(";isub=").map_or(text, |(text, _)| text);
        let number = without_extension(text)?;
        let number = match (self.plus, number.trim_start_matches(is_plus)) {
            (true, _) => number,
            (false, digits) => {
                self.plus = digits.len() < number.len();
                digits
            }
        };
        self.push_all(number)
    }

    /// The part of a `tel:` link before `;phone-context=` (RFC 3966); a context that is a number goes before it.
    fn local_number<'a>(&mut self, input: &'a str, context: usize) -> Option<&'a str> {
        let (number, value) = input.split_at(context);
        let value = value[PHONE_CONTEXT.len()..].split(';').next()?;
        let number = match input.find("tel:") {
            Some(scheme) => number.get(scheme + 4..)?,
            None => number,
        };
        match value.strip_prefix('+') {
            Some(digits) => {
                self.plus = true;
                let only_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                only_digits.then(|| self.push_all(digits))??;
            }
            None if !is_domain(value) => return None,
            None => {}
        }
        Some(number)
    }

    /// Adds the digits of `text`, which holds nothing but them, punctuation and letters after the third.
    fn push_all(&mut self, text: &str) -> Option<()> {
        let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
        for c in text.chars() {
            let digit = match c {
                'a'..='z' | 'A'..='Z' if self.digits().len() < 3 => return None,
                'a'..='z' | 'A'..='Z' if letters < VANITY_LETTERS => continue,
                'a'..='z' | 'A'..='Z' => KEYPAD[usize::from((c as u8 & 0x1f) - 1)],
                _ if is_punctuation(c) => continue,
                // Beside a word the library drops them.
                _ if letters >= VANITY_LETTERS && !c.is_ascii() => return None,
                _ => b'0' + clean::digit(c)?,
            };
            if self.end == ROOM + MAX_DIGITS {
                return None;
            }
            self.text[self.end] = digit;
            self.end += 1;
        }
        Some(())
    }

    pub(super) fn digits(&self) -> &[u8] {
        &self.text[ROOM..self.end]
    }

    pub(super) fn has_plus(&self) -> bool {
        self.plus
    }

    /// What the digits are when they begin with a calling code after a `+`; `None` when that is no valid number.
    pub(super) fn international_class(&self) -> Option<Class> {
        self.plus.then(|| START.class(self.digits())).flatten()
    }

    /// Whether an import might take the text for two numbers: it has a slash in it, or is very long.
    pub(super) fn may_be_several(&self) -> bool {
        self.slash || self.digits().len() == MAX_DIGITS
    }

    /// `+`, the calling code, and the digits from `start` on. `prefix` is the first two, right-aligned, with zero bytes
    /// before them.
    pub(super) fn e164(&mut self, prefix: [u8; ROOM], start: usize) -> &str {
        let national = ROOM + start;
        self.text[start..national].copy_from_slice(&prefix);
        let padding = prefix.iter().take_while(|&&byte| byte == 0).count();
        // All of it is ASCII, and a constant length is read faster.
        let text = str::from_utf8(&self.text).unwrap_or_default();
        text.get(start + padding..self.end).unwrap_or_default()
    }
}

/// Whether the text has fewer digits than any number, or something in it that no number or extension has.
fn is_no_number(input: &str) -> bool {
    if input.chars().filter(|&c| clean::digit(c).is_some()).count() < 2 {
        return true;
    }
    // Parameters that are not part of the number, and what may come after it.
    if input.contains([';', '\\', '/']) {
        return false;
    }
    let is_digit = |c| clean::digit(c).is_some();
    let number = input
        .trim_start_matches(|c| !is_plus(c) && !is_digit(c))
        .trim_start_matches(is_plus)
        .trim_end_matches(|c: char| !is_digit(c) && !c.is_ascii_alphabetic());
    number.contains(|c: char| is_plus(c) || "!\"$%&'<=>?@^_`{|}".contains(c))
}

fn is_plus(c: char) -> bool {
    matches!(c, '+' | '＋')
}

/// From the first character that a number can begin with to the last one that it can end with.
fn without_surroundings(input: &str) -> Option<&str> {
    let start = input.find(|c: char| is_plus(c) || clean::digit(c).is_some())?;
    let text = input[start..].trim_end_matches(is_trimmed);
    // The library takes an x after a slash for the beginning of a second number.
    if text.contains('x') && text.contains(['/', '\\']) {
        return None;
    }
    // Other last characters might be trimmed.
    text.ends_with(|c: char| c == '#' || c.is_ascii_alphabetic() || clean::digit(c).is_some())
        .then_some(text)
}

/// The number without an extension. `None` when there might be one, but not in a form that leaves no doubt.
fn without_extension(text: &str) -> Option<&str> {
    let (rest, hash) = match text.strip_suffix('#') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let before = rest.trim_end_matches(|c| clean::digit(c).is_some());
    let digits = rest[before.len()..].chars().count();
    let number = before.trim_end_matches(|c| clean::digit(c).is_none() && !is_plus(c));
    let gap = before[number.len()..].trim_start_matches(|c| is_punctuation(c) && c != '~');
    if digits == 0 || (gap.is_empty() && !hash) {
        // An extension ends in digits and has a mark before them.
        return (!hash).then_some(text);
    }
    let longest = longest_extension(gap, hash)?;
    let enough = number
        .chars()
        .filter(|&c| clean::digit(c).is_some())
        .count()
        > 2;
    (digits <= longest && enough).then_some(number)
}

/// The most digits that an extension may have after this mark, in libphonenumber's rules; `None` for other text.
fn longest_extension(gap: &str, hash: bool) -> Option<usize> {
    if gap == ";ext=" {
        return (!hash).then_some(20);
    }
    let gap = gap.trim_start_matches([' ', '\u{a0}', '\t']);
    let mark = gap.trim_end_matches([' ', '\u{a0}', '\t', '-']);
    let mark = mark.strip_suffix([':', '.']).unwrap_or(mark);
    match mark {
        "ext" | "Ext" | "EXT" | "extn" | "xt" | "xtn" | "extension" | "Extension" => Some(20),
        "x" | "X" | "#" | "~" | "int" => Some(9),
        "," | ",," => Some(9),
        ";" => Some(15),
        _ => None,
    }
}

/// What libphonenumber drops wherever it stands in a number, apart from `x`.
fn is_punctuation(c: char) -> bool {
    matches!(c,
        ' ' | '-' | '.' | '(' | ')' | '/' | '[' | ']' | '~' | '*'
        | '\u{a0}' | '\u{ad}' | '\u{200b}' | '\u{2010}'..='\u{2015}' | '\u{2053}' | '\u{2060}' | '\u{2212}' | '\u{223c}'
        | '\u{3000}' | '\u{30fc}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0d}'..='\u{ff0f}' | '\u{ff3b}' | '\u{ff3d}')
}

/// What libphonenumber takes off the end, as far as it is seen there: all but letters, digits, `#` and line breaks.
fn is_trimmed(c: char) -> bool {
    match c {
        '#' => false,
        ' '..='~' | '\t' | '\r' | '\n' => !c.is_ascii_alphanumeric(),
        _ => {
            matches!(c, '\u{a0}' | '\u{ad}' | '\u{2010}'..='\u{2027}' | '\u{202a}'..='\u{202f}' | '\u{200b}'..='\u{200f}')
        }
    }
}

/// A domain name in a `phone-context`, which says nothing about the number.
fn is_domain(name: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric());
    let top = name.rsplit('.').next().unwrap_or_default();
    name.split('.').all(is_label) && top.starts_with(|c: char| c.is_ascii_alphabetic())
}
