//! Whether a number may be called or written to: the one question that stands before everything that goes out. What is not
//! plainly somebody's telephone has a reason not to.

use super::{NumberType, Reason, automaton::Plan, describe, fast, is_e164, is_test_number};
use super::{automaton::Length, is_written_as_e164};

/// How somebody is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A voice call.
    Call,
    /// A text message.
    Sms,
}

impl std::str::FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "call" => Ok(Self::Call),
            "sms" => Ok(Self::Sms),
            _ => Err(UnknownChannel),
        }
    }
}

/// The name of a [`Channel`] was neither of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("channel must be call or sms")]
pub struct UnknownChannel;

/// Why a number is not to be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Obstacle {
    /// Not E.164, or in no assigned range.
    Invalid,
    /// Published for fiction and tests.
    TestRange,
    /// The called one earns.
    PremiumRate,
    /// The called one lets the caller pay more than a call costs.
    SharedCost,
    /// Follows a person to wherever, at the caller's cost.
    Personal,
    /// Of emergency services, inquiries, text services.
    ShortOrEmergency,
    /// A pager.
    Pager,
    /// Only a mailbox answers.
    Voicemail,
    /// Satellites and networks of no country (+870, +878, +881, +882, +883, +888).
    InternationalNetwork,
    /// A text message would not be read there, as the numbering plan tells.
    NotMobile,
}

impl Obstacle {
    /// The name used in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::TestRange => "test_range",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Personal => "personal",
            Self::ShortOrEmergency => "short_or_emergency",
            Self::Pager => "pager",
            Self::Voicemail => "voicemail",
            Self::InternationalNetwork => "international_network",
            Self::NotMobile => "not_mobile",
        }
    }
}

/// Why `e164` is not to be dialled; `None` when it may be.
///
/// An assigned number is judged by what its range is for. A text without one is [`Obstacle::ShortOrEmergency`] when it is
/// a calling code and a short number of one of its regions, and otherwise [`Obstacle::Invalid`].
pub fn obstacle(e164: &str, channel: Channel) -> Option<Obstacle> {
    if is_test_number(e164) {
        return Some(Obstacle::TestRange);
    }
    let Some(number) = describe(e164).filter(|number| number.valid) else {
        return Some(match is_short(e164) {
            true => Obstacle::ShortOrEmergency,
            false => Obstacle::Invalid,
        });
    };
    match number.number_type {
        NumberType::PremiumRate => Some(Obstacle::PremiumRate),
        NumberType::SharedCost => Some(Obstacle::SharedCost),
        NumberType::PersonalNumber => Some(Obstacle::Personal),
        NumberType::Pager => Some(Obstacle::Pager),
        NumberType::Voicemail => Some(Obstacle::Voicemail),
        NumberType::Unknown => Some(Obstacle::Invalid),
        NumberType::FixedLine | NumberType::Uan | NumberType::TollFree
            if channel == Channel::Sms =>
        {
            Some(Obstacle::NotMobile)
        }
        NumberType::TollFree => None,
        NumberType::FixedLine
        | NumberType::Mobile
        | NumberType::FixedLineOrMobile
        | NumberType::Voip
        | NumberType::Uan => {
            (number.region == Some("001")).then_some(Obstacle::InternationalNetwork)
        }
    }
}

/// Whether `text`, `+` and digits, is a short number behind a calling code, and no assigned number.
pub(super) fn is_short(text: &str) -> bool {
    in_plan(text)
        .is_some_and(|(plan, national)| plan.is_short(national) && plan.class(national).is_none())
}

/// Whether `text` is canonical E.164 that may be stored as it is; `None` when it is not canonical ([`is_e164`]).
///
/// # Errors
/// [`Reason::ShortOrEmergency`] and [`Reason::TooShort`]: nobody's number can be the one or the other.
pub fn as_written(text: &str) -> Option<Result<(), Reason>> {
    if fast::canonical(text).is_some() {
        return Some(Ok(()));
    }
    if !is_e164(text) {
        return None;
    }
    let (plan, national) = in_plan(text)?;
    Some(if is_short(text) {
        Err(Reason::ShortOrEmergency)
    } else if plan.length(national.len()) == Length::LocalOnly {
        Err(Reason::TooShort)
    } else {
        Ok(())
    })
}

/// The main plan of the calling code, and the national number as written.
fn in_plan(text: &str) -> Option<(Plan, &[u8])> {
    if !is_written_as_e164(text) {
        return None;
    }
    let digits = text.strip_prefix('+')?.as_bytes();
    let plan = Plan::of_international(digits)?;
    Some((plan, plan.after_calling_code(digits)?))
}

#[cfg(test)]
#[path = "dialable_tests.rs"]
mod tests;
