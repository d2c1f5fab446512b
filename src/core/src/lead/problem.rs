//! Why a row is no lead.

use super::Field;
use crate::phone;
use std::borrow::Cow;

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// What is wrong with a cell or a row.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Fault { $($(#[$doc])* $variant,)+
            /// See [`phone::Reason`].
            Phone(phone::Reason),
        }

        impl Fault {
            pub(super) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ Self::Phone(reason) => reason.as_str() }
            }
        }
    };
}

faults! {
    /// The row is no JSON object.
    NotAnObject = "not_an_object",
    /// The row has more cells than the header, or fewer.
    RaggedRow = "ragged_row",
    /// A required field is empty.
    Required = "required",
    /// More characters than the field holds.
    TooLong = "too_long",
    /// A JSON number that prints as more than 40 characters.
    NumberTooLong = "number_too_long",
    /// The columns that fill no field are too much together.
    AttributesTooLong = "attributes_too_long",
    /// A JSON object or array where a text belongs.
    NotAText = "not_a_text",
    /// Not of the shape name@domain.
    InvalidEmail = "invalid_email",
    /// Not one to twenty digits.
    InvalidExtension = "invalid_extension",
    /// Neither 2025-03-31 nor, outside of the United States, 31/03/2025.
    InvalidDate = "invalid_date",
    /// None of [`Field::CONSENT_BASES`].
    InvalidConsentBasis = "invalid_consent_basis",
    /// A number of another calling code than the organization's.
    InternationalNotAllowed = "international_not_allowed",
}

/// Longest part of a cell that a report shows, in characters.
const MAX_SHOWN: usize = 500;

/// What is wrong with a row, in words that a report can use.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The field, if it is one's.
    pub field: Option<&'static str>,
    /// The column as the row calls it; `None` when it is the whole row.
    pub column: Option<String>,
    /// The cell as it was given, at most 500 characters of it.
    pub value: Option<String>,
    /// `required`, `invalid_email` …, or a reason of `parse_phone`.
    pub reason: &'static str,
}

impl Problem {
    pub(super) fn of_row(fault: Fault, value: Option<Cow<'_, str>>) -> Self {
        Self {
            field: None,
            column: None,
            value: value.map(|value| shown(&value)),
            reason: fault.as_str(),
        }
    }

    pub(super) fn of_cell(
        fault: Fault,
        field: Option<Field>,
        column: &str,
        value: Option<&str>,
    ) -> Self {
        Self {
            field: field.map(Field::as_str),
            column: Some(shown(column)),
            value: value.map(shown),
            reason: fault.as_str(),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}
