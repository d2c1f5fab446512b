//! The five roles of members.

/// A member's role in one organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Owns the organization: everything, including what nobody else may do.
    Owner,
    /// Runs the organization: members, numbers, credentials.
    Admin,
    /// Runs campaigns: agents, prompts, datasets, leads.
    Manager,
    /// Works the leads assigned to them.
    SalesRep,
    /// Reads.
    Viewer,
}

impl Role {
    /// All roles, highest first.
    pub const ALL: [Role; 5] = [
        Role::Owner,
        Role::Admin,
        Role::Manager,
        Role::SalesRep,
        Role::Viewer,
    ];

    /// The name as stored in `memberships.role`.
    pub fn name(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Manager => "manager",
            Role::SalesRep => "sales_rep",
            Role::Viewer => "viewer",
        }
    }

    /// The role of that name; `None` for any other text.
    pub fn from_name(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its place in a set of roles.
    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

// Sets of roles, a bit each.
pub(super) const OWNER: u8 = Role::Owner.bit();
pub(super) const ADMINS: u8 = OWNER | Role::Admin.bit();
pub(super) const MANAGERS: u8 = ADMINS | Role::Manager.bit();
pub(super) const WORKERS: u8 = MANAGERS | Role::SalesRep.bit();
pub(super) const OBSERVERS: u8 = MANAGERS | Role::Viewer.bit();
pub(super) const EVERYONE: u8 = WORKERS | Role::Viewer.bit();
