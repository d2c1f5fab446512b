//! Capabilities that an application defines for tables of its own. They are held by the rules of the catalogue's own:
//! role, permissions, the organization's status, support sessions.

use super::capability::{Capability, reads};
use super::role::{OWNER, Role};
use super::status::{Left, OrganizationStatus};

/// One of them, as `private.capabilities` defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationCapability {
    name: String,
    roles: u8,
}

impl ApplicationCapability {
    /// A capability and the roles that hold it; an owner always does. `None` for a name that cannot be an application's
    /// and for a role that this version does not know.
    pub fn new<'a>(name: String, roles: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let roles = roles.into_iter().try_fold(OWNER, |roles, each| {
            Role::from_name(each).map(|role| roles | role.bit())
        })?;
        is_application_name(&name).then_some(Self { name, roles })
    }

    /// Its name, `<object>.<verb>`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Whether an application can call a capability so: `<object>.<verb>`, each a lower-case letter and then at most 62
/// letters, digits and underscores, and not one of the catalogue's, which win.
pub fn is_application_name(name: &str) -> bool {
    let is_word = |word: &str| {
        word.len() <= 63
            && word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    name.split_once('.')
        .is_some_and(|(object, verb)| is_word(object) && is_word(verb))
        && Capability::from_name(name).is_none()
}

/// What decides which of an application's capabilities somebody holds in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplicationRights {
    /// A member's.
    Member {
        /// Their role.
        role: Role,
        /// Where the organization stands.
        status: OrganizationStatus,
        /// What their permissions say of names that are not in the catalogue.
        permissions: Vec<(String, bool)>,
    },
    /// The names that an open support session has.
    Support(Vec<String>),
}

impl ApplicationRights {
    /// Whether they include `capability`.
    pub fn hold(&self, capability: &ApplicationCapability) -> bool {
        let only_reads = reads(capability.name());
        match self {
            Self::Support(names) => only_reads && names.contains(&capability.name),
            Self::Member {
                role,
                status,
                permissions,
            } => {
                let named = permissions
                    .iter()
                    .find(|(name, _)| *name == capability.name)
                    .map(|(_, grants)| *grants);
                let by_role = capability.roles & role.bit() != 0;
                let held = match named {
                    Some(false) => false,
                    // What only the owner holds, nobody else can be given.
                    Some(true) => by_role || capability.roles != OWNER,
                    None => by_role,
                };
                held && match status.leaves(*role) {
                    Left::All => true,
                    Left::Reads => only_reads,
                    Left::Nothing => false,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::capability::{CapabilitySet, capabilities};
    use super::super::permissions::{Flags, Permissions, effective};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_an_application() {
        let longest = format!("{}.{}", "a".repeat(63), "b".repeat(63));
        for name in [
            "orders.read",
            "orders.write",
            "a.b",
            "o_2.read_all",
            "leads.archive",
            &longest,
        ] {
            assert!(is_application_name(name), "{name}");
        }
        for name in [
            "",
            ".",
            "orders",
            "orders.",
            ".read",
            "orders.read.all",
            "Orders.read",
            "orders.Read",
            "orders.read ",
            "2orders.read",
            "orders._read",
            "orders-2.read",
            "ördërs.read",
            "orders.read\n",
            "leads.read",
            &format!("{}.read", "a".repeat(64)),
        ] {
            assert!(!is_application_name(name), "{name:?}");
        }
    }

    #[test]
    fn definitions() {
        let defined = |name: &str, roles: &[&str]| {
            ApplicationCapability::new(name.to_owned(), roles.iter().copied())
        };
        assert!(defined("orders.read", &["owner", "viewer"]).is_some());
        assert_eq!(
            defined("orders.read", &["viewer"]),
            defined("orders.read", &["owner", "viewer"])
        );
        assert_eq!(defined("orders.read", &["emperor"]), None);
        assert_eq!(defined("leads.read", &["owner"]), None);
        assert_eq!(defined("orders", &["owner"]), None);
    }

    #[test]
    fn support_reads_what_its_session_names() {
        let defined = |name: &str| ApplicationCapability::new(name.to_owned(), ["viewer"]).unwrap();
        let support =
            ApplicationRights::Support(vec!["orders.read".to_owned(), "orders.write".to_owned()]);
        assert!(support.hold(&defined("orders.read")));
        assert!(!support.hold(&defined("orders.write")));
        assert!(!support.hold(&defined("orders.read_all")));
    }

    proptest! {
        /// Held by whom a capability of the catalogue with the same roles, and the same verb, is held.
        #[test]
        fn rights_are_those_of_the_catalogue(
            native in proptest::sample::select(capabilities().collect::<Vec<_>>()),
            role in proptest::sample::select(&Role::ALL[..]),
            status in proptest::sample::select(&[
                OrganizationStatus::Active, OrganizationStatus::Paused, OrganizationStatus::Cancelled,
            ][..]),
            named in proptest::option::of(any::<bool>()),
        ) {
            let one = CapabilitySet::NONE.with(native);
            let permissions = Permissions {
                granted: if named == Some(true) { one } else { CapabilitySet::NONE },
                denied: if named == Some(false) { one } else { CapabilitySet::NONE },
                application: Vec::new(),
            };
            let expected = effective(role, Flags::default(), &permissions, status).contains(native);

            let roles = Role::ALL.into_iter().filter(|role| CapabilitySet::of_role(*role).contains(native));
            let verb = native.name().split_once('.').unwrap().1;
            let own = ApplicationCapability::new(format!("orders_of_ours.{verb}"), roles.map(Role::name)).unwrap();
            let rights = ApplicationRights::Member {
                role,
                status,
                permissions: named.map(|grants| (own.name().to_owned(), grants)).into_iter().collect(),
            };
            prop_assert_eq!(rights.hold(&own), expected, "{:?}", native);
        }
    }
}
