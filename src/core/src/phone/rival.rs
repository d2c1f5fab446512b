//! Digits without `+` that begin with a calling code, the region's own or another one, or with the region's exit code,
//! and so may stand for two numbers. `to_e164` reads them as libphonenumber does, which never says that it had a choice;
//! the gate does.
//!
//! Of the readings in the region's plan only one may be an assigned (or published test) number: that is the number.
//! Where two are:
//!
//! - a spelling that is complete beats one that lacks something. Where no trunk prefix is dialled (Italy, Poland) the
//!   national number is complete, and a number after the exit code is;
//! - a mobile number that lost its `+` beats a landline that lost its trunk prefix and would have eleven digits or more.
//!   Landlines that long hardly exist (Kosovo's have eight digits, Germany's eleven at most), and the mobile numbers of
//!   Germany, Indonesia and Kosovo all look so without `+`;
//! - anything else is [`Reason::Ambiguous`]: nobody can tell, and a wrong guess calls a stranger.
//!
//! Other countries' calling codes are looked for in the same long landlines only: `447911123456`, a British mobile number,
//! is a landline in Germany's plan, and ambiguous there. A mobile number of the region is complete as it stands, and ten
//! digits are rather a landline whose leading zero a spreadsheet dropped. A cautious caller ([`super::Options`]) doubts those
//! too.

use super::{
    NumberType, Reason,
    automaton::Plan,
    parse::{Resolve, Resolved},
};

/// Fewest digits of a landline that is rather a mobile number without its `+`.
pub(super) const LONG_LANDLINE: usize = 11;

/// What `text` stands for, of which `found` is libphonenumber's reading in `region`. Landlines of at least `doubted`
/// digits may be mobile numbers of another country.
pub(super) fn settle(
    found: Result<Resolved, Reason>,
    text: &str,
    region: Option<&str>,
    resolve: Resolve,
    doubted: usize,
) -> Result<Resolved, Reason> {
    let Some(home) = region.and_then(Plan::of_region) else {
        return found;
    };
    // Nearly every number is the only one that its digits can be.
    let certain = found.as_ref().is_ok_and(|number| {
        number.is_accepted() && is_home(number, home) && !repeats_code(number, home)
    });
    if text.contains('+') {
        return found;
    }
    if certain {
        return found.and_then(|number| at_home_or_abroad(number, text, home, resolve, doubted));
    }
    let digits = digits_of(text);
    match found {
        Ok(number) if number.is_accepted() && !is_home(&number, home) => {
            after_exit_code(number, digits.as_bytes(), home)
        }
        found if home.after_calling_code(digits.as_bytes()).is_some() => {
            let international = resolve(&format!("+{digits}"), region)
                .ok()
                .filter(Resolved::is_accepted);
            choose(found, international, digits.len(), home)
        }
        found => found,
    }
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A number of the region, unless it is a doubted landline without trunk prefix and another country's mobile number without
/// its `+`.
fn at_home_or_abroad(
    number: Resolved,
    text: &str,
    home: Plan,
    resolve: Resolve,
    doubted: usize,
) -> Result<Resolved, Reason> {
    let national = number.e164.get(1 + home.code_length()..);
    let is_mobile = |number: &Resolved| {
        matches!(
            number.description.number_type,
            NumberType::Mobile | NumberType::FixedLineOrMobile
        )
    };
    if national.is_none_or(|national| national.len() < doubted) || is_mobile(&number) {
        return Ok(number);
    }
    let digits = digits_of(text);
    let abroad = (national == Some(digits.as_str()))
        .then(|| resolve(&format!("+{digits}"), None).ok())
        .flatten();
    match abroad.is_some_and(|abroad| abroad.is_accepted() && is_mobile(&abroad)) {
        true => Err(Reason::Ambiguous),
        false => Ok(number),
    }
}

fn is_home(number: &Resolved, home: Plan) -> bool {
    number.description.calling_code == i32::from(home.calling_code())
}

/// Whether the national number begins with the calling code again: it was read in digits that do.
fn repeats_code(number: &Resolved, home: Plan) -> bool {
    let national = number.e164.as_bytes().get(1 + home.code_length()..);
    national.is_some_and(|national| home.after_calling_code(national).is_some())
}

/// A number that was dialled with the exit code, unless it can as well be one of the region with its trunk prefix.
fn after_exit_code(number: Resolved, digits: &[u8], home: Plan) -> Result<Resolved, Reason> {
    let national = home
        .trunk_prefix()
        .find(digits)
        .filter(|prefix| !prefix.transforms)
        .map(|prefix| &digits[prefix.length..]);
    match national.is_some_and(|n| home.describes(n) && home.class(n).is_some()) {
        true => Err(Reason::Ambiguous),
        false => Ok(number),
    }
}

fn choose(
    found: Result<Resolved, Reason>,
    international: Option<Resolved>,
    digits: usize,
    home: Plan,
) -> Result<Resolved, Reason> {
    let Some(international) = international else {
        return found;
    };
    let Some(national) = found.ok().filter(Resolved::is_accepted) else {
        return Ok(international);
    };
    if national.e164 == international.e164 || home.trunk_prefix().is_never() {
        return Ok(national);
    }
    let is_mobile = international.description.number_type == NumberType::Mobile
        && national.description.number_type == NumberType::FixedLine;
    match is_mobile && digits >= LONG_LANDLINE {
        true => Ok(international),
        false => Err(Reason::Ambiguous),
    }
}

#[cfg(test)]
#[path = "rival_tests.rs"]
mod tests;
