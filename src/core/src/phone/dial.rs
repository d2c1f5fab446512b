//! What dialled digits mean in a region: libphonenumber's `parse`, from where it has made digits of the text, and its
//! `is_possible_number`, step by step on the tables.

use super::{
    Reason,
    automaton::{Length, Plan},
};

/// The longest national number that the library reads.
const MAX_NATIONAL: usize = 17;

/// More zeros than these before a number are lost when the library writes it.
const MAX_LEADING_ZEROS: usize = 10;

/// A possible number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Where the national number begins among the digits.
    pub(super) start: usize,
    /// The main plan of its calling code.
    pub(super) plan: Plan,
    /// Whether it is long enough only for dialling inside its own area.
    pub(super) local_only: bool,
}

/// There is no possible number, or not by the tables alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Refused(Reason),
    /// A rule of the region would rewrite the number: only libphonenumber can say.
    Unsettled,
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

/// The number that `digits` (ASCII, three or more, with or without `plus` before them) stand for.
pub(super) fn resolve(digits: &[u8], plus: bool, region: Option<Plan>) -> Result<Reading, Failure> {
    let (start, code) = match (plus, region) {
        (true, _) => match (international(digits), region) {
            // As if there were no +, if that gives a calling code.
            (Err(Failure::Refused(Reason::InvalidCountryCode)), Some(region)) => {
                let (start, code) = national(digits, region)?;
                (start, Some(code.ok_or(Reason::InvalidCountryCode)?))
            }
            (found, _) => found?,
        },
        (false, Some(region)) => national(digits, region)?,
        (false, None) => return Err(Reason::InvalidCountryCode.into()),
    };
    let plan = code.or(region).ok_or(Reason::InvalidCountryCode)?;
    let rest = &digits[start..];
    if rest.len() < 2 {
        return Err(Reason::TooShort.into());
    }
    let trunk = trunk_prefix(plan, rest)?;
    let start = match plan.length(rest.len() - trunk) {
        Length::Possible | Length::TooLong => start + trunk,
        // Too little is left: it was part of the number.
        Length::LocalOnly | Length::TooShort | Length::Between => start,
    };
    let number = &digits[start..];
    if number.len() < 2 {
        return Err(Reason::TooShort.into());
    }
    if number.len() > MAX_NATIONAL {
        return Err(Reason::TooLong.into());
    }
    if number.iter().take_while(|&&digit| digit == b'0').count() > MAX_LEADING_ZEROS {
        return Err(Failure::Unsettled);
    }
    let plan = plan.main();
    let local_only = match plan.length(number.len()) {
        Length::Possible => false,
        Length::LocalOnly => true,
        Length::TooShort => return Err(Reason::TooShort.into()),
        Length::TooLong => return Err(Reason::TooLong.into()),
        Length::Between => return Err(Reason::InvalidRange.into()),
    };
    Ok(Reading {
        start,
        plan,
        local_only,
    })
}

/// Where the digits after the calling code begin, and the code's main plan.
type AfterCode = (usize, Option<Plan>);

/// `digits` begin with a calling code.
fn international(digits: &[u8]) -> Result<AfterCode, Failure> {
    if digits.len() < 3 {
        return Err(Reason::TooShort.into());
    }
    let plan = Plan::of_international(digits).ok_or(Reason::InvalidCountryCode)?;
    Ok((plan.code_length(), Some(plan)))
}

/// `digits` are as they are dialled in `region`: with an exit code and a calling code, with the region's own calling
/// code, or without.
fn national(digits: &[u8], region: Plan) -> Result<AfterCode, Failure> {
    if region.opening(digits).is_none()
        && let Some(exit) = region.exit_code().find(digits)
        // No calling code begins with 0.
        && digits.get(exit.length) != Some(&b'0')
    {
        let (start, code) = international(&digits[exit.length..])?;
        return Ok((exit.length + start, code));
    }
    let Some(rest) = region.after_calling_code(digits) else {
        return Ok((0, None));
    };
    // They are the calling code if that makes a number of what was none, or if there are too many digits with them.
    let trunk = trunk_prefix(region, rest)?;
    let is_code = region.length(digits.len()) == Length::TooLong
        || (!region.describes(digits) && region.describes(&rest[trunk..]));
    Ok(match is_code {
        true => (digits.len() - rest.len() + trunk, Some(region.main())),
        false => (0, None),
    })
}

/// How long the trunk prefix of `digits` is. None is taken off where that would take a number that fits the plan out of
/// it.
fn trunk_prefix(plan: Plan, digits: &[u8]) -> Result<usize, Failure> {
    let length = match plan.opening(digits) {
        Some(length) => length,
        None => match plan.trunk_prefix().find(digits) {
            None => 0,
            Some(found) if found.transforms => return Err(Failure::Unsettled),
            Some(found) => found.length,
        },
    };
    let kept = length > 0 && plan.describes(digits) && !plan.describes(&digits[length..]);
    Ok(if kept { 0 } else { length })
}
