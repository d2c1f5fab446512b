//! Where an organization stands.

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
}
