//! Capabilities that an application defines for tables of its own. They are held by the rules of the catalogue's own:
//! role, permissions, the organization's status, support sessions.

use super::capability::{Capability, CapabilitySet, read_of, reads};
use super::role::{OWNER, Role};
use super::status::{Left, OrganizationStatus};

/// One of them, as `private.capabilities` defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationCapability {
    name: String,
    roles: u8,
    /// Of an `<object>.read_all`: what else its holder must have.
    read: Option<Read>,
}

/// The `<object>.read` of an `<object>.read_all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// It is of the catalogue.
    Native(Capability),
    /// The application defines it for these roles.
    Application(u8),
}

impl ApplicationCapability {
    /// A capability and the roles that hold it; an owner always does. `None` for a name that cannot be an application's
    /// and for a role that this version does not know.
    pub fn new<'a>(name: String, roles: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let roles = roles.into_iter().try_fold(OWNER, |roles, each| {
            Role::from_name(each).map(|role| roles | role.bit())
        })?;
        let read = read_of(&name)
            .and_then(Capability::from_name)
            .map(Read::Native);
        is_application_name(&name).then_some(Self { name, roles, read })
    }

    /// All that an application defines, sorted by name; each `<object>.read_all` knows its `<object>.read` then.
    pub fn all(mut defined: Vec<Self>) -> Vec<Self> {
        defined.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        for place in 0..defined.len() {
            let found = read_of(&defined[place].name).and_then(|read| {
                defined
                    .binary_search_by(|each| each.name.as_str().cmp(read))
                    .ok()
            });
            if let Some(read) = found {
                defined[place].read = Some(Read::Application(defined[read].roles));
            }
        }
        defined
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
    /// Whether they include `capability`, for somebody who holds `catalogue` of ours.
    pub fn hold(&self, capability: &ApplicationCapability, catalogue: CapabilitySet) -> bool {
        let reads = match capability.read {
            None => true,
            Some(Read::Native(read)) => catalogue.contains(read),
            Some(Read::Application(roles)) => {
                read_of(&capability.name).is_some_and(|read| self.include(read, roles))
            }
        };
        reads && self.include(&capability.name, capability.roles)
    }

    /// Whether they include the capability of that name, which these roles hold.
    fn include(&self, name: &str, roles: u8) -> bool {
        let only_reads = reads(name);
        match self {
            Self::Support(names) => only_reads && names.iter().any(|named| named == name),
            Self::Member {
                role,
                status,
                permissions,
            } => {
                let named = permissions
                    .iter()
                    .find(|(named, _)| named == name)
                    .map(|(_, grants)| *grants);
                let by_role = roles & role.bit() != 0;
                let held = match named {
                    Some(false) => false,
                    // What only the owner holds, nobody else can be given.
                    Some(true) => by_role || roles != OWNER,
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
    use super::super::capability::capabilities;
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
        let holds = |name| support.hold(&defined(name), CapabilitySet::NONE);
        assert!(holds("orders.read"));
        assert!(!holds("orders.write"));
        assert!(!holds("orders.read_all"));
    }

    #[test]
    fn who_reads_nothing_does_not_read_all() {
        let defined = |name: &str| ApplicationCapability::new(name.to_owned(), ["viewer"]).unwrap();
        let member = |permissions: &[(&str, bool)]| ApplicationRights::Member {
            role: Role::Viewer,
            status: OrganizationStatus::Active,
            permissions: permissions
                .iter()
                .map(|(name, grants)| ((*name).to_owned(), *grants))
                .collect(),
        };
        let support = |names: &[&str]| {
            ApplicationRights::Support(names.iter().map(|name| (*name).to_owned()).collect())
        };
        let both =
            ApplicationCapability::all(vec![defined("orders.read_all"), defined("orders.read")]);
        let all = &both[1];
        assert_eq!(all.name(), "orders.read_all");
        let none = CapabilitySet::NONE;
        assert!(member(&[]).hold(all, none));
        assert!(!member(&[("orders.read", false)]).hold(all, none));
        assert!(!member(&[("orders.read", false), ("orders.read_all", true)]).hold(all, none));
        assert!(support(&["orders.read", "orders.read_all"]).hold(all, none));
        assert!(!support(&["orders.read_all"]).hold(all, none));

        // Nobody who defines no orders.read asks for it.
        let alone = ApplicationCapability::all(vec![defined("orders.read_all")]);
        assert!(member(&[]).hold(&alone[0], none));

        // The first of the two can be ours.
        let uploads = &ApplicationCapability::all(vec![defined("uploads.read_all")])[0];
        let read = CapabilitySet::NONE.with(Capability::from_name("uploads.read").unwrap());
        assert!(member(&[]).hold(uploads, read));
        assert!(!member(&[]).hold(uploads, none));
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
            prop_assert_eq!(rights.hold(&own, CapabilitySet::NONE), expected, "{:?}", native);
        }
    }
}
