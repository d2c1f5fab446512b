//! The one catalogue of roles and capabilities. Policies name capabilities; this table says which role has which.

use super::OrganizationStatus;

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

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

const OWNER: u8 = Role::Owner.bit();
const ADMINS: u8 = OWNER | Role::Admin.bit();
const MANAGERS: u8 = ADMINS | Role::Manager.bit();
const WORKERS: u8 = MANAGERS | Role::SalesRep.bit();
const OBSERVERS: u8 = MANAGERS | Role::Viewer.bit();
const EVERYONE: u8 = WORKERS | Role::Viewer.bit();

/// Capability name → the roles that hold it. `<object>.<verb>`, where `write` is insert and update.
///
/// `campaign_settings` and `uploads` go with `datasets`, `prompt_templates` with `prompts`.
const TABLE: &[(&str, u8)] = &[
    ("organization.read", EVERYONE),
    ("organization.write", ADMINS),
    ("members.read", EVERYONE),
    ("members.write", ADMINS),
    ("agents.read", EVERYONE),
    ("agents.write", MANAGERS),
    ("agents.delete", ADMINS),
    ("phone_numbers.read", EVERYONE),
    ("phone_numbers.write", ADMINS),
    ("phone_numbers.delete", ADMINS),
    ("provider_accounts.read", ADMINS),
    ("provider_accounts.write", ADMINS),
    ("provider_accounts.delete", ADMINS),
    ("customers.read", OBSERVERS),
    ("customers.write", MANAGERS),
    ("customers.delete", ADMINS),
    ("calls.read", OBSERVERS),
    ("calls.delete", ADMINS),
    ("datasets.read", EVERYONE),
    ("datasets.write", MANAGERS),
    ("datasets.delete", ADMINS),
    ("leads.read", EVERYONE),
    // Without it a member reads and writes only the leads assigned to them.
    ("leads.read_all", OBSERVERS),
    ("leads.write", WORKERS),
    ("leads.delete", ADMINS),
    ("lessons.read", EVERYONE),
    ("lessons.write", MANAGERS),
    ("lessons.delete", ADMINS),
    ("prompts.read", EVERYONE),
    ("prompts.write", MANAGERS),
    ("prompts.delete", ADMINS),
    ("prompts.publish", ADMINS),
];

/// One right, such as `leads.read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability(usize);

impl Capability {
    /// The capability of that name; `None` for a name that the catalogue does not hold.
    pub fn from_name(name: &str) -> Option<Capability> {
        TABLE
            .iter()
            .position(|(known, _)| *known == name)
            .map(Capability)
    }

    /// Its name, `<object>.<verb>`.
    pub fn name(self) -> &'static str {
        TABLE[self.0].0
    }

    /// Whether a member with `role` holds it while the organization has `status`.
    ///
    /// A paused organization can only be read; a cancelled one only by its owner and admins.
    pub fn held_by(self, role: Role, status: OrganizationStatus) -> bool {
        let (name, roles) = TABLE[self.0];
        let reads = name.ends_with(".read") || name.ends_with(".read_all");
        let open = match status {
            OrganizationStatus::Active => true,
            OrganizationStatus::Paused => reads,
            OrganizationStatus::Cancelled => reads && role.bit() & ADMINS != 0,
        };
        open && roles & role.bit() != 0
    }
}

/// The whole catalogue, in its order.
pub fn capabilities() -> impl Iterator<Item = Capability> {
    (0..TABLE.len()).map(Capability)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_well_formed() {
        let mut names: Vec<_> = capabilities().map(Capability::name).collect();
        assert!(names.iter().all(|name| name.split('.').count() == 2));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_higher_role_never_lacks_what_admin_grants() {
        for capability in capabilities() {
            let active = OrganizationStatus::Active;
            assert!(
                capability.held_by(Role::Owner, active),
                "{}",
                capability.name()
            );
            assert!(
                capability.held_by(Role::Admin, active),
                "{}",
                capability.name()
            );
        }
    }

    #[test]
    fn viewer_and_sales_rep_hold_no_more_than_written() {
        let held = |role: Role| -> Vec<&str> {
            capabilities()
                .filter(|c| c.held_by(role, OrganizationStatus::Active))
                .map(Capability::name)
                .collect()
        };
        assert!(held(Role::Viewer).iter().all(|name| name.contains(".read")));
        let writes: Vec<_> = held(Role::SalesRep)
            .into_iter()
            .filter(|name| !name.contains(".read"))
            .collect();
        assert_eq!(writes, ["leads.write"]);
        assert!(!held(Role::SalesRep).contains(&"leads.read_all"));
        assert!(
            !held(Role::Manager)
                .iter()
                .any(|name| name.starts_with("provider_accounts"))
        );
    }

    #[test]
    fn status_masks() {
        let read = Capability::from_name("leads.read").unwrap();
        let write = Capability::from_name("leads.write").unwrap();
        for role in Role::ALL {
            assert!(!write.held_by(role, OrganizationStatus::Paused));
            assert!(!write.held_by(role, OrganizationStatus::Cancelled));
            assert!(read.held_by(role, OrganizationStatus::Paused));
        }
        assert!(read.held_by(Role::Owner, OrganizationStatus::Cancelled));
        assert!(!read.held_by(Role::Manager, OrganizationStatus::Cancelled));
    }

    #[test]
    fn unknown_names_are_nothing() {
        for name in [
            "",
            "leads",
            "leads.",
            "Leads.read",
            "leads.read ",
            "leads.*",
        ] {
            assert_eq!(Capability::from_name(name), None, "{name:?}");
        }
        assert_eq!(Role::from_name("Owner"), None);
    }
}
