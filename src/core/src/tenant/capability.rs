//! The one catalogue of capabilities: policies name them, and this table says which role holds which.

use std::sync::LazyLock;

use super::role::{ADMINS, EVERYONE, MANAGERS, OBSERVERS, OWNER, Role, WORKERS};

/// Capability name → the roles that hold it. `<object>.<verb>`, where `write` is insert and update. What only the owner
/// holds, nobody else can be given.
///
/// `campaign_settings` go with `datasets`, `prompt_templates` with `prompts`; `uploads` and `exports` are also the
/// files in the buckets of those names.
const TABLE: &[(&str, u8)] = &[
    ("organization.read", EVERYONE),
    ("organization.write", ADMINS),
    ("organization.transfer", OWNER),
    ("members.write", ADMINS),
    ("audit_log.read", ADMINS),
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
    ("calls.read", EVERYONE),
    // Without it a member reads only the calls of leads assigned to them.
    ("calls.read_all", OBSERVERS),
    ("calls.delete", ADMINS),
    ("recordings.read", WORKERS),
    ("datasets.read", EVERYONE),
    ("datasets.write", MANAGERS),
    ("datasets.delete", ADMINS),
    ("uploads.read", EVERYONE),
    ("uploads.write", MANAGERS),
    ("uploads.delete", ADMINS),
    ("exports.read", MANAGERS),
    ("exports.write", MANAGERS),
    ("exports.delete", ADMINS),
    ("leads.read", EVERYONE),
    // Without it a member reads and writes only the leads assigned to them.
    ("leads.read_all", OBSERVERS),
    ("leads.write", WORKERS),
    ("leads.delete", ADMINS),
    // Who opted out, of whichever dataset.
    ("suppressions.read", OBSERVERS),
    ("suppressions.write", MANAGERS),
    // Ends an opt-out that is not the contact's own to take back by a word: a member's mistake.
    ("suppressions.lift", ADMINS),
    // All that is held about one person, to hand it over or to forget it.
    ("people.export", ADMINS),
    ("people.erase", OWNER),
    ("lessons.read", EVERYONE),
    ("lessons.write", MANAGERS),
    ("lessons.delete", ADMINS),
    ("prompts.read", EVERYONE),
    ("prompts.write", MANAGERS),
    ("prompts.delete", ADMINS),
    ("prompts.publish", ADMINS),
    ("n8n.push", ADMINS),
];

const _: () = assert!(
    TABLE.len() <= 256,
    "a capability is one u8, a set of them 256 bits"
);

/// The catalogue's capabilities that any role within `roles` holds.
const fn held_by(roles: u8) -> CapabilitySet {
    let mut set = CapabilitySet::NONE;
    let mut index = 0;
    while index < TABLE.len() {
        if TABLE[index].1 & roles != 0 {
            set = set.with(Capability(index as u8));
        }
        index += 1;
    }
    set
}

const ROLE_DEFAULTS: [CapabilitySet; 5] = [
    held_by(Role::Owner.bit()),
    held_by(Role::Admin.bit()),
    held_by(Role::Manager.bit()),
    held_by(Role::SalesRep.bit()),
    held_by(Role::Viewer.bit()),
];
/// What a membership's flags and permissions can give: not what only the owner holds.
pub(super) const GRANTABLE: CapabilitySet = held_by(EVERYONE & !OWNER);
/// What only reads.
pub(super) const READS: CapabilitySet = {
    let mut set = CapabilitySet::NONE;
    let mut index = 0;
    while index < TABLE.len() {
        if reads(TABLE[index].0) {
            set = set.with(Capability(index as u8));
        }
        index += 1;
    }
    set
};

/// Each `<object>.read_all` with its `<object>.read`.
static READ_ALL: LazyLock<Vec<(Capability, Capability)>> = LazyLock::new(|| {
    capabilities()
        .filter_map(|all| Some((all, Capability::from_name(read_of(all.name())?)?)))
        .collect()
});

/// The `<object>.read` without which nobody holds an `<object>.read_all`.
pub(super) fn read_of(name: &str) -> Option<&str> {
    name.strip_suffix("_all")
        .filter(|read| read.ends_with(".read"))
}

/// Whether a capability of that name only reads: `<object>.read` and `<object>.read_all`.
pub(super) const fn reads(name: &str) -> bool {
    ends_with(name.as_bytes(), b".read") || ends_with(name.as_bytes(), b".read_all")
}

const fn ends_with(text: &[u8], end: &[u8]) -> bool {
    match text.split_at_checked(text.len().saturating_sub(end.len())) {
        Some((_, mut tail)) => {
            let mut rest = end;
            while let ([a, t @ ..], [b, r @ ..]) = (tail, rest) {
                if *a != *b {
                    return false;
                }
                (tail, rest) = (t, r);
            }
            tail.is_empty() && rest.is_empty()
        }
        None => false,
    }
}

/// One right, such as `leads.read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability(u8);

impl Capability {
    /// The capability of that name; `None` for a name that the catalogue does not hold.
    pub fn from_name(name: &str) -> Option<Capability> {
        let index = TABLE.iter().position(|(known, _)| *known == name)?;
        Some(Capability(index as u8))
    }

    /// Its name, `<object>.<verb>`.
    pub fn name(self) -> &'static str {
        TABLE[usize::from(self.0)].0
    }

    /// Whether it only reads: `<object>.read` and `<object>.read_all`.
    pub fn only_reads(self) -> bool {
        READS.contains(self)
    }

    /// Whether a membership's flags and permissions can give it: not what only the owner holds.
    pub fn is_grantable(self) -> bool {
        GRANTABLE.contains(self)
    }

    /// Its word and bit in a set.
    const fn place(self) -> (usize, u64) {
        (self.0 as usize / 64, 1 << (self.0 % 64))
    }
}

/// The whole catalogue, in its order.
pub fn capabilities() -> impl Iterator<Item = Capability> {
    (0..TABLE.len()).map(|index| Capability(index as u8))
}

/// A set of capabilities, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapabilitySet([u64; 4]);

impl CapabilitySet {
    /// No capability.
    pub const NONE: CapabilitySet = CapabilitySet([0; 4]);

    /// What `role` holds in an active organization before flags and permissions.
    pub const fn of_role(role: Role) -> CapabilitySet {
        ROLE_DEFAULTS[role as usize]
    }

    /// Whether it holds `capability`.
    pub const fn contains(self, capability: Capability) -> bool {
        let (word, bit) = capability.place();
        self.0[word] & bit != 0
    }

    /// It and one more.
    #[must_use]
    pub const fn with(mut self, capability: Capability) -> CapabilitySet {
        let (word, bit) = capability.place();
        self.0[word] |= bit;
        self
    }

    /// What both or either hold.
    #[must_use]
    pub const fn union(self, other: CapabilitySet) -> CapabilitySet {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        CapabilitySet([a | e, b | f, c | g, d | h])
    }

    /// What both hold.
    #[must_use]
    pub const fn intersection(self, other: CapabilitySet) -> CapabilitySet {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        CapabilitySet([a & e, b & f, c & g, d & h])
    }

    /// What it holds and `other` does not.
    #[must_use]
    pub const fn without(self, other: CapabilitySet) -> CapabilitySet {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        CapabilitySet([a & !e, b & !f, c & !g, d & !h])
    }

    /// It without every `<object>.read_all` whose `<object>.read` it lacks: who reads nothing does not read all of it,
    /// also where only the second is asked for.
    #[must_use]
    pub fn without_unread(self) -> CapabilitySet {
        READ_ALL
            .iter()
            .filter(|(_, read)| !self.contains(*read))
            .fold(self, |set, (all, _)| {
                set.without(CapabilitySet::NONE.with(*all))
            })
    }

    /// Its capabilities in the catalogue's order.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        capabilities().filter(move |capability| self.contains(*capability))
    }
}

impl FromIterator<Capability> for CapabilitySet {
    fn from_iter<I: IntoIterator<Item = Capability>>(all: I) -> Self {
        all.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn capability(name: &str) -> Capability {
        Capability::from_name(name).unwrap()
    }

    fn by_role(role: Role) -> Vec<&'static str> {
        CapabilitySet::of_role(role)
            .iter()
            .map(Capability::name)
            .collect()
    }

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
    fn the_owner_holds_everything_and_an_admin_all_but_two() {
        assert_eq!(by_role(Role::Owner).len(), TABLE.len());
        let lacking: Vec<_> = CapabilitySet::of_role(Role::Owner)
            .without(CapabilitySet::of_role(Role::Admin))
            .iter()
            .map(Capability::name)
            .collect();
        assert_eq!(lacking, ["organization.transfer", "people.erase"]);
        assert!(lacking.iter().all(|name| !capability(name).is_grantable()));
    }

    #[test]
    fn the_sets_of_the_roles_are_the_table() {
        for (name, roles) in TABLE {
            for role in Role::ALL {
                let held = CapabilitySet::of_role(role).contains(capability(name));
                assert_eq!(held, roles & role.bit() != 0, "{name} {role:?}");
            }
        }
    }

    #[test]
    fn viewer_and_sales_rep_hold_no_more_than_written() {
        assert!(
            by_role(Role::Viewer)
                .iter()
                .all(|name| capability(name).only_reads())
        );
        let writes: Vec<_> = by_role(Role::SalesRep)
            .into_iter()
            .filter(|name| !capability(name).only_reads())
            .collect();
        assert_eq!(writes, ["leads.write"]);
        assert!(!by_role(Role::SalesRep).contains(&"leads.read_all"));
        assert!(!by_role(Role::SalesRep).contains(&"calls.read_all"));
        assert!(
            !by_role(Role::Manager)
                .iter()
                .any(|name| name.starts_with("provider_accounts"))
        );
    }

    #[test]
    fn reads_are_told_by_their_names() {
        for each in capabilities() {
            let name = each.name();
            let reads = name.ends_with(".read") || name.ends_with(".read_all");
            assert_eq!(each.only_reads(), reads, "{name}");
        }
    }

    #[test]
    fn who_reads_nothing_does_not_read_all() {
        for (all, read) in [
            ("leads.read_all", "leads.read"),
            ("calls.read_all", "calls.read"),
        ] {
            let both = [all, read]
                .map(capability)
                .into_iter()
                .collect::<CapabilitySet>();
            assert_eq!(both.without_unread(), both);
            let alone = CapabilitySet::NONE.with(capability(all));
            assert_eq!(alone.without_unread(), CapabilitySet::NONE, "{all}");
        }
        // No role is given the one without the other.
        for role in Role::ALL {
            let held = CapabilitySet::of_role(role);
            assert_eq!(held.without_unread(), held, "{role:?}");
        }
        let named = TABLE.iter().filter(|(name, _)| name.ends_with(".read_all"));
        assert_eq!(READ_ALL.len(), named.count());
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

    /// Any 256 bits, also of capabilities that are still to come.
    fn any_set() -> impl Strategy<Value = CapabilitySet> {
        any::<[u64; 4]>().prop_map(CapabilitySet)
    }

    proptest! {
        /// A set behaves as the 256 booleans that it stands for.
        #[test]
        fn sets_are_their_members(a in any_set(), b in any_set(), place in any::<u8>()) {
            let one = Capability(place);
            let (in_a, in_b) = (a.contains(one), b.contains(one));
            prop_assert_eq!(a.union(b).contains(one), in_a || in_b);
            prop_assert_eq!(a.intersection(b).contains(one), in_a && in_b);
            prop_assert_eq!(a.without(b).contains(one), in_a && !in_b);
            prop_assert!(a.with(one).contains(one));
            prop_assert_eq!(a.with(one).without(CapabilitySet::NONE.with(one)), a.without(CapabilitySet::NONE.with(one)));
            let members: CapabilitySet = (0..=255).map(Capability).filter(|each| a.contains(*each)).collect();
            prop_assert_eq!(members, a);
        }
    }
}
