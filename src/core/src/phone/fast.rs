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

/// A valid number that libphonenumber reads as itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    /// The E.164 text, somewhere inside.
    text: [u8; ROOM + MAX_DIGITS],
    start: usize,
    end: usize,
    class: Class,
    may_be_several: bool,
}

impl Number {
    /// The number in E.164.
    pub(super) fn e164(&self) -> &str {
        str::from_utf8(&self.text[self.start..self.end]).unwrap_or_default()
    }

    pub(super) fn class(&self) -> Class {
        self.class
    }

    /// Whether the input is one that an import might take for two numbers: with a slash in it, or very long.
    pub(super) fn may_be_several(&self) -> bool {
        self.may_be_several
    }
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

/// The number that `input` stands for in `region`, if that is beyond doubt.
pub(super) fn find(input: &str, region: Option<&str>) -> Option<Number> {
    let spelling = Spelling::read(input)?;
    let (start, class) = if spelling.plus {
        spelling.international(0)
    } else {
        spelling.national(Plan::of_region(region?)?)
    }?;
    Some(spelling.number(start, class))
}

struct Spelling {
    text: [u8; ROOM + MAX_DIGITS],
    end: usize,
    plus: bool,
    slash: bool,
}

/// Where the national number begins among the digits, and what it is.
type Reading = Option<(usize, Class)>;

impl Spelling {
    fn read(input: &str) -> Option<Self> {
        // For these characters as many bytes as characters.
        if input.len() > MAX_INPUT_CHARS {
            return None;
        }
        let mut spelling = Self {
            text: [0; ROOM + MAX_DIGITS],
            end: ROOM,
            plus: false,
            slash: false,
        };
        for &byte in input.as_bytes() {
            match byte {
                b'0'..=b'9' => {
                    *spelling.text.get_mut(spelling.end)? = byte;
                    spelling.end += 1;
                }
                b' ' | b'-' | b'.' | b'(' | b')' => {}
                b'/' => spelling.slash = true,
                b'+' if spelling.end == ROOM && !spelling.plus => spelling.plus = true,
                _ => return None,
            }
        }
        // Fewer are no number to the library, or one by other rules.
        (spelling.digits().len() > 2).then_some(spelling)
    }

    fn digits(&self) -> &[u8] {
        &self.text[ROOM..self.end]
    }

    /// The digits from `start` on begin with a calling code.
    fn international(&self, start: usize) -> Reading {
        let digits = &self.digits()[start..];
        match START.class(digits) {
            Some(class) if class.is_stable() => {
                let code = class.plan().international_prefix().len() - 1;
                Some((start + code, class))
            }
            // Valid as it stands, but the library would cut something off.
            Some(_) => None,
            None => {
                // A trunk prefix between calling code and number, as in +44 (0)…
                let plan = Plan::of_international(digits)?;
                let code = plan.international_prefix().len() - 1;
                let (trunk, class) = after_trunk_prefix(plan, &digits[code..])?;
                Some((start + code + trunk, class))
            }
        }
    }

    /// The digits as they are dialled in `plan`'s region.
    fn national(&self, plan: Plan) -> Reading {
        let digits = self.digits();
        if let Some(exit) = plan.exit_code().find(digits) {
            // No calling code begins with 0; before one, the library takes the exit code for part of the number.
            if digits.get(exit.length) != Some(&b'0') {
                return (digits.len() > exit.length + 2)
                    .then(|| self.international(exit.length))
                    .flatten();
            }
        }
        let whole = stable(plan.numbers().class(digits));
        let code = &plan.international_prefix()[1..];
        // Digits that begin with the calling code are read without it if they do not fit the plan with it.
        if digits.starts_with(code) && !whole.is_some_and(|class| plan.fits(class)) {
            let rest = &digits[code.len()..];
            let class = stable(plan.numbers().class(rest))?;
            let sure = plan.fits(class)
                && plan.needs_no_plus(class)
                && (plan.is_main() || !has_trunk_prefix(plan, rest));
            return sure.then_some((code.len(), class));
        }
        match whole {
            // "Stable" speaks of the main region's trunk prefix.
            Some(class) if plan.is_main() || !has_trunk_prefix(plan, digits) => Some((0, class)),
            _ => after_trunk_prefix(plan, digits),
        }
    }

    fn number(self, start: usize, class: Class) -> Number {
        let may_be_several = self.slash || self.digits().len() == MAX_DIGITS;
        let Self { mut text, end, .. } = self;
        let prefix = class.plan().international_prefix();
        let national = ROOM + start;
        let start = national - prefix.len();
        text[start..national].copy_from_slice(prefix);
        Number {
            text,
            start,
            end,
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
    let class = stable(plan.numbers().class(&digits[found.length..]))?;
    plan.cuts_trunk_prefix_off(class)
        .then_some((found.length, class))
}

#[cfg(test)]
#[path = "fast_tests.rs"]
mod tests;
