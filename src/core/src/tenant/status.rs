//! Where an organization stands, and what that leaves of a member's capabilities.

use super::role::{ADMINS, Role};

/// Where an organization stands; stored in `organizations.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganizationStatus {
    /// In business.
    Active,
    /// Stopped for now: members can read.
    Paused,
    /// Gone: owner and admins can still read.
    Cancelled,
}

impl OrganizationStatus {
    /// The status of that name; `None` for any other text, and a membership in such an organization gives nothing.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "paused" => Some(Self::Paused),
            "cancelled" => Some(Self::Cancelled),
            _ => None,
        }
    }

    /// What it leaves of the capabilities of a member with this role.
    pub(super) fn leaves(self, role: Role) -> Left {
        match self {
            Self::Active => Left::All,
            Self::Paused => Left::Reads,
            Self::Cancelled if role.bit() & ADMINS != 0 => Left::Reads,
            Self::Cancelled => Left::Nothing,
        }
    }
}

/// What a status leaves: a paused organization can only be read, a cancelled one only by its owner and admins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Every capability.
    All,
    /// Those that only read.
    Reads,
    /// None.
    Nothing,
}
