//! Answers by the tables alone, without libphonenumber and exactly as it would: `spelling` makes digits of the text, `dial`
//! a number of the digits. What is left over goes to `engine`: texts in which it must be guessed where the number is, and
//! the few national spellings that a region rewrites (an Argentine 15, a Brazilian carrier code). Nearly all input ends
//! here, so that a server process seldom has to build the engine.

use super::{
    Description, NumberType, Reason,
    automaton::{Class, Plan, START},
    dial::{self, Failure, Reading},
    is_written_as_e164,
    spelling::{MAX_DIGITS, Spelling},
};

/// A possible number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'a> {
    pub(super) e164: &'a str,
    /// The main plan of the calling code.
    plan: Plan,
    /// See [`Reading`].
    pub(super) local_only: bool,
    /// What a valid number is, if that is known already.
    class: Option<Class>,
}

impl Number<'_> {
    /// `None` when the number is not valid.
    fn class(&self) -> Option<Class> {
        self.class.or_else(|| self.plan.class(self.national()))
    }

    fn national(&self) -> &[u8] {
        let prefix = 1 + self.plan.code_length();
        self.e164.as_bytes().get(prefix..).unwrap_or_default()
    }

    pub(super) fn is_valid(&self) -> bool {
        self.class().is_some()
    }

    pub(super) fn description(&self) -> Description {
        match self.class() {
            Some(class) => describe(class),
            None => Description {
                calling_code: self.plan.calling_code().into(),
                region: self.plan.region_of_invalid(self.national()),
                number_type: NumberType::Unknown,
                valid: false,
            },
        }
    }
}

pub(super) fn describe(class: Class) -> Description {
    Description {
        calling_code: class.plan().calling_code().into(),
        region: Some(class.plan().region()),
        number_type: class.number_type(),
        valid: true,
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

/// What `answer` says of the possible number that `input` stands for in `region`, or of the reason why there is none.
/// `None` when the tables do not know.
#[inline]
pub(super) fn find<T>(
    input: &str,
    region: Option<&str>,
    answer: impl FnOnce(Result<Number<'_>, Reason>) -> T,
) -> Option<T> {
    // Stays where it is: the digits are written byte by byte, and to copy them at once right after that is slow.
    let mut spelling = Spelling::new();
    if !spelling.plain(input) {
        match spelling.unusual(input) {
            Ok(()) => {}
            Err(Failure::Refused(reason)) => return Some(answer(Err(reason))),
            Err(Failure::Unsettled) => return None,
        }
    }
    number(&mut spelling, input, region, answer)
}

/// [`find`] for the spellings that need none of an import's checks.
#[inline]
pub(super) fn find_plain<T>(
    input: &str,
    region: Option<&str>,
    answer: impl FnOnce(Result<Number<'_>, Reason>) -> T,
) -> Option<T> {
    let mut spelling = Spelling::new();
    if !spelling.plain(input) || spelling.may_be_several() {
        return None;
    }
    // Without what an import takes off, it might be canonical, which makes a difference to these.
    let class = spelling.international_class();
    if class.is_some_and(|class| !class.is_stable()) {
        return None;
    }
    number(&mut spelling, input, region, answer)
}

#[inline]
fn number<T>(
    spelling: &mut Spelling,
    input: &str,
    region: Option<&str>,
    answer: impl FnOnce(Result<Number<'_>, Reason>) -> T,
) -> Option<T> {
    let digits = spelling.digits();
    let class = spelling.international_class();
    let (reading, class) = match class {
        Some(class) if class.is_stable() => (as_written(class), Some(class)),
        _ => match dial::resolve(
            digits,
            spelling.has_plus(),
            region.and_then(Plan::of_region),
        ) {
            Err(Failure::Unsettled) => return None,
            Err(Failure::Refused(reason)) => return Some(answer(Err(reason))),
            // A valid number is taken as written; the library would cut the 8 off some Belarusian ones.
            Ok(_) if class.is_some() && is_written_as_e164(input) => {
                (class.map(as_written)?, class)
            }
            Ok(reading) => (reading, None),
        },
    };
    Some(answer(Ok(Number {
        e164: spelling.e164(reading.plan.padded_prefix(), reading.start),
        plan: reading.plan,
        local_only: reading.local_only,
        class,
    })))
}

fn as_written(class: Class) -> Reading {
    let plan = class.plan().main();
    Reading {
        start: plan.code_length(),
        plan,
        local_only: false,
    }
}

#[cfg(test)]
#[path = "fast_tests.rs"]
mod tests;
