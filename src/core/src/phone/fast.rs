//! Reads the spellings that leave no doubt, by the tables alone. What it accepts is a valid number, and exactly what
//! `engine` would say; what it does not accept says nothing, and goes there. Nearly all real input ends here, so that a
//! server process seldom has to build the engine.
//!
//! The reasons are libphonenumber's `parse`, step by step. Only ASCII digits, the separators ` -.()/` and one `+`
//! before them are read: those the library drops wherever they stand, and with none of them does it see a second
//! number, an extension or a letter.

use super::{
    MAX_INPUT_CHARS,
    automaton::{Class, Plan, START},
};

/// Longest run of digits read: the longest national number and its prefixes.
const MAX_DIGITS: usize = 18;

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

/// A valid number that libphonenumber reads as itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'a> {
    pub(super) e164: &'a str,
    pub(super) class: Class,
    /// Whether the input is one that an import might take for two numbers: with a slash in it, or very long.
    pub(super) may_be_several: bool,
}

/// What canonical `text` is, when it is a valid number that is read as itself.
#[inline]
pub(super) fn canonical(text: &str) -> Option<Class> {
    let digits = text.strip_prefix('+')?.as_bytes();
    if digits.len() > MAX_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    START.class(digits).filter(|class| class.is_stable())
}

/// What `answer` says of the number that `input` stands for in `region`; `None` when that is not beyond doubt.
#[inline]
pub(super) fn find<T>(
    input: &str,
    region: Option<&str>,
    answer: impl FnOnce(Number<'_>) -> T,
) -> Option<T> {
    // Stays where it is: the digits are written byte by byte, and to copy them at once right after that is slow.
    let mut spelling = Spelling {
        text: [0; ROOM + MAX_DIGITS + 1],
        end: ROOM,
        plus: false,
        slash: false,
    };
    if !spelling.read(input) {
        return None;
    }
    let (start, class) = if spelling.plus {
        spelling.international(0)
    } else {
        spelling.national(Plan::of_region(region?)?)
    }?;
    Some(answer(spelling.number(start, class)))
}

struct Spelling {
    /// Room for `+` and a calling code, then the digits, then one byte: every byte is written before it is looked at.
    text: [u8; ROOM + MAX_DIGITS + 1],
    end: usize,
    plus: bool,
    slash: bool,
}

/// Where the national number begins among the digits, and what it is.
type Reading = Option<(usize, Class)>;

impl Spelling {
    /// Whether `input` has nothing but what a number is written with.
    fn read(&mut self, input: &str) -> bool {
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

    fn digits(&self) -> &[u8] {
        &self.text[ROOM..self.end]
    }

    /// The digits from `start` on begin with a calling code.
    fn international(&self, start: usize) -> Reading {
        let digits = &self.digits()[start..];
        match START.class(digits) {
            Some(class) if class.is_stable() => Some((start + class.plan().code_length(), class)),
            // Valid as it stands, but the library would cut something off.
            Some(_) => None,
            None => {
                // A trunk prefix between calling code and number, as in +44 (0)…
                let plan = Plan::of_international(digits)?;
                let code = plan.code_length();
                let (trunk, class) = after_trunk_prefix(plan, &digits[code..])?;
                Some((start + code + trunk, class))
            }
        }
    }

    /// The digits as they are dialled in `plan`'s region.
    fn national(&self, plan: Plan) -> Reading {
        let digits = self.digits();
        let opening = plan.opening(digits);
        if opening.is_none()
            && let Some(exit) = plan.exit_code().find(digits)
        {
            // No calling code begins with 0; before one, the library takes the exit code for part of the number.
            if digits.get(exit.length) != Some(&b'0') {
                return (digits.len() > exit.length + 2)
                    .then(|| self.international(exit.length))
                    .flatten();
            }
        }
        let whole = stable(plan.numbers().class(digits));
        let prefix = plan.padded_prefix();
        let code = &prefix[ROOM - plan.code_length()..];
        // Digits that begin with the calling code are read without it if they do not fit the plan with it.
        let has_code = code.iter().zip(digits).all(|(code, digit)| code == digit);
        if has_code && !whole.is_some_and(|class| plan.fits(class)) {
            let rest = &digits[code.len()..];
            let class = stable(plan.numbers().class(rest))?;
            let sure = plan.fits(class)
                && plan.needs_no_plus(class)
                && (plan.is_main() || !has_trunk_prefix(plan, rest));
            return sure.then_some((code.len(), class));
        }
        // "Stable" speaks of the main region's trunk prefix.
        match (whole, opening) {
            (Some(class), _) if plan.is_main() => Some((0, class)),
            (whole, Some(0)) => whole.map(|class| (0, class)),
            (_, Some(trunk)) => without_trunk_prefix(plan, digits, trunk),
            (Some(class), None) if !has_trunk_prefix(plan, digits) => Some((0, class)),
            (_, None) => after_trunk_prefix(plan, digits),
        }
    }

    fn number(&mut self, start: usize, class: Class) -> Number<'_> {
        let may_be_several = self.slash || self.digits().len() == MAX_DIGITS;
        let plan = class.plan();
        let national = ROOM + start;
        self.text[start..national].copy_from_slice(&plan.padded_prefix());
        let start = national - plan.code_length() - 1;
        // All of it is ASCII, and a constant length is read faster.
        let text = str::from_utf8(&self.text).unwrap_or_default();
        Number {
            e164: text.get(start..self.end).unwrap_or_default(),
            class,
            may_be_several,
        }
    }
}

fn stable(class: Option<Class>) -> Option<Class> {
    class.filter(|class| class.is_stable())
}

fn has_trunk_prefix(plan: Plan, digits: &[u8]) -> bool {
    plan.trunk_prefix()
        .find(digits)
        .is_some_and(|found| found.length > 0 || found.transforms)
}

fn after_trunk_prefix(plan: Plan, digits: &[u8]) -> Reading {
    let found = plan.trunk_prefix().find(digits)?;
    if found.length == 0 || found.transforms {
        return None;
    }
    without_trunk_prefix(plan, digits, found.length)
}

fn without_trunk_prefix(plan: Plan, digits: &[u8], trunk: usize) -> Reading {
    let class = stable(plan.numbers().class(digits.get(trunk..)?))?;
    plan.cuts_trunk_prefix_off(class).then_some((trunk, class))
}

#[cfg(test)]
#[path = "fast_tests.rs"]
mod tests;
