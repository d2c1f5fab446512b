//! The one catalogue of roles and capabilities. Policies name capabilities; this table says which role has which, and
//! the four flags and the permissions of a membership add to it or take from it.

use super::OrganizationStatus;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

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

/// Capability name → the roles that hold it. `<object>.<verb>`, where `write` is insert and update. What only the owner
/// holds, nobody else can be given.
///
/// `campaign_settings` go with `datasets`, `prompt_templates` with `prompts`; `uploads` and `exports` are also the
/// files in the buckets of those names.
const TABLE: &[(&str, u8)] = &[
    ("organization.read", EVERYONE),
    ("organization.write", ADMINS),
    ("organization.delete", OWNER),
    ("organization.transfer", OWNER),
    ("billing.manage", OWNER),
    ("members.read", EVERYONE),
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
    ("analytics.read", OBSERVERS),
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
    ("n8n.push", ADMINS),
];

const _: () = assert!(TABLE.len() <= 64, "a set of capabilities is one u64");

/// The bits of the catalogue's capabilities that roles within `of` hold, `ALL` those that any role does.
const fn held_within(of: u8) -> CapabilitySet {
    let mut bits = 0;
    let mut index = 0;
    while index < TABLE.len() {
        if TABLE[index].1 & of != 0 {
            bits |= 1 << index;
        }
        index += 1;
    }
    CapabilitySet(bits)
}

const ROLE_DEFAULTS: [CapabilitySet; 5] = [
    held_within(Role::Owner.bit()),
    held_within(Role::Admin.bit()),
    held_within(Role::Manager.bit()),
    held_within(Role::SalesRep.bit()),
    held_within(Role::Viewer.bit()),
];
const GRANTABLE: CapabilitySet = held_within(EVERYONE & !OWNER);
const READS: CapabilitySet = {
    let mut bits = 0;
    let mut index = 0;
    while index < TABLE.len() {
        let name = TABLE[index].0.as_bytes();
        if ends_with(name, b".read") || ends_with(name, b".read_all") {
            bits |= 1 << index;
        }
        index += 1;
    }
    CapabilitySet(bits)
};

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
}

/// The whole catalogue, in its order.
pub fn capabilities() -> impl Iterator<Item = Capability> {
    (0..TABLE.len()).map(|index| Capability(index as u8))
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapabilitySet(u64);

impl CapabilitySet {
    /// No capability.
    pub const NONE: CapabilitySet = CapabilitySet(0);

    /// What `role` holds in an active organization before flags and permissions.
    pub const fn of_role(role: Role) -> CapabilitySet {
        ROLE_DEFAULTS[role as usize]
    }

    /// Whether it holds `capability`.
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & 1 << capability.0 != 0
    }

    /// It and one more.
    #[must_use]
    pub const fn with(self, capability: Capability) -> CapabilitySet {
        CapabilitySet(self.0 | 1 << capability.0)
    }

    /// What both or either hold.
    #[must_use]
    pub const fn union(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 | other.0)
    }

    /// What both hold.
    #[must_use]
    pub const fn intersection(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 & other.0)
    }

    /// What it holds and `other` does not.
    #[must_use]
    pub const fn without(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 & !other.0)
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

/// The four flags of a membership; each adds one capability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `can_view_all_leads`: `leads.read_all`.
    pub view_all_leads: bool,
    /// `can_edit_lessons`: `lessons.write`.
    pub edit_lessons: bool,
    /// `can_push_to_n8n`: `n8n.push`.
    pub push_to_n8n: bool,
    /// `can_manage_users`: `members.write`.
    pub manage_users: bool,
}

impl Flags {
    fn granted(self) -> CapabilitySet {
        [
            (self.view_all_leads, "leads.read_all"),
            (self.edit_lessons, "lessons.write"),
            (self.push_to_n8n, "n8n.push"),
            (self.manage_users, "members.write"),
        ]
        .into_iter()
        .filter(|(set, _)| *set)
        .filter_map(|(_, name)| Capability::from_name(name))
        .collect()
    }
}

/// What `memberships.permissions` gives to and takes from one member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Capabilities with `true`.
    pub granted: CapabilitySet,
    /// Capabilities with `false`, which wins over role and flags.
    pub denied: CapabilitySet,
}

/// Reads the text of `memberships.permissions`, an object of capability → true or false. The error says what is wrong
/// with it: no object, a name that the catalogue does not hold, a capability that only the owner holds given, one named
/// twice, or a value that is no boolean.
pub fn parse_permissions(text: &str) -> Result<Permissions, String> {
    // Nearly every member's.
    if text == "{}" {
        return Ok(Permissions::default());
    }
    if !text.trim_start().starts_with('{') {
        return Err("permissions must be a JSON object".to_owned());
    }
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(PermissionsVisitor)
        .and_then(|permissions| json.end().map(|()| permissions))
        .map_err(|error| match error.classify() {
            // Our own words, without serde_json's " at line 1 column 2".
            serde_json::error::Category::Data => {
                let text = error.to_string();
                match text.rsplit_once(" at line ") {
                    Some((message, _)) => message.to_owned(),
                    None => text,
                }
            }
            _ => "permissions must be a JSON object".to_owned(),
        })
}

struct PermissionsVisitor;

impl<'de> Visitor<'de> for PermissionsVisitor {
    type Value = Permissions;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of capability to true or false")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Permissions, A::Error> {
        let mut permissions = Permissions::default();
        while let Some(name) = map.next_key::<String>()? {
            let Some(capability) = Capability::from_name(&name) else {
                // As JSON, so that no control character of it reaches a log.
                return Err(A::Error::custom(format_args!(
                    "unknown capability {}",
                    serde_json::Value::String(name)
                )));
            };
            let serde_json::Value::Bool(grants) = map.next_value()? else {
                return Err(A::Error::custom(format_args!(
                    "{name} must be true or false"
                )));
            };
            if permissions
                .granted
                .union(permissions.denied)
                .contains(capability)
            {
                return Err(A::Error::custom(format_args!("{name} is given twice")));
            }
            if !grants {
                permissions.denied = permissions.denied.with(capability);
            } else if capability.is_grantable() {
                permissions.granted = permissions.granted.with(capability);
            } else {
                return Err(A::Error::custom(format_args!("only an owner holds {name}")));
            }
        }
        Ok(permissions)
    }
}

/// What a member holds: the role's default and what flags and permissions add, minus what permissions take away, masked
/// by the organization's status. A paused organization can only be read; a cancelled one only by its owner and admins.
pub fn effective(
    role: Role,
    flags: Flags,
    permissions: Permissions,
    status: OrganizationStatus,
) -> CapabilitySet {
    let added = flags.granted().union(permissions.granted);
    let held = CapabilitySet::of_role(role)
        .union(added.intersection(GRANTABLE))
        .without(permissions.denied);
    match status {
        OrganizationStatus::Active => held,
        OrganizationStatus::Paused => held.intersection(READS),
        OrganizationStatus::Cancelled if role.bit() & ADMINS != 0 => held.intersection(READS),
        OrganizationStatus::Cancelled => CapabilitySet::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATUSES: [OrganizationStatus; 3] = [
        OrganizationStatus::Active,
        OrganizationStatus::Paused,
        OrganizationStatus::Cancelled,
    ];

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
    fn the_owner_holds_everything_and_an_admin_all_but_three() {
        assert_eq!(by_role(Role::Owner).len(), TABLE.len());
        let lacking: Vec<_> = CapabilitySet::of_role(Role::Owner)
            .without(CapabilitySet::of_role(Role::Admin))
            .iter()
            .map(Capability::name)
            .collect();
        assert_eq!(
            lacking,
            [
                "organization.delete",
                "organization.transfer",
                "billing.manage"
            ]
        );
        assert!(lacking.iter().all(|name| !capability(name).is_grantable()));
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

    /// Every role × flag × one permission × status, worked out by name.
    #[test]
    fn effective_sets() {
        let flag_names = [
            "leads.read_all",
            "lessons.write",
            "n8n.push",
            "members.write",
        ];
        for role in Role::ALL {
            for mask in 0..16u8 {
                let flags = Flags {
                    view_all_leads: mask & 1 != 0,
                    edit_lessons: mask & 2 != 0,
                    push_to_n8n: mask & 4 != 0,
                    manage_users: mask & 8 != 0,
                };
                for named in capabilities().map(Some).chain([None]) {
                    for grants in [true, false] {
                        let permissions = match named {
                            Some(c) if grants => Permissions {
                                granted: CapabilitySet::NONE.with(c),
                                ..Permissions::default()
                            },
                            Some(c) => Permissions {
                                denied: CapabilitySet::NONE.with(c),
                                ..Permissions::default()
                            },
                            None => Permissions::default(),
                        };
                        for status in STATUSES {
                            let held = effective(role, flags, permissions, status);
                            for (index, (name, roles)) in TABLE.iter().enumerate() {
                                let by_flag = flag_names
                                    .iter()
                                    .position(|flag| flag == name)
                                    .is_some_and(|flag| mask & 1 << flag != 0);
                                let is_named = named.is_some_and(|c| usize::from(c.0) == index);
                                let owner_only = *roles == OWNER;
                                let reads = name.contains(".read");
                                let open = match status {
                                    OrganizationStatus::Active => true,
                                    OrganizationStatus::Paused => reads,
                                    OrganizationStatus::Cancelled => {
                                        reads && matches!(role, Role::Owner | Role::Admin)
                                    }
                                };
                                let expected = open
                                    && (roles & role.bit() != 0
                                        || by_flag
                                        || is_named && grants && !owner_only)
                                    && (!is_named || grants);
                                assert_eq!(
                                    held.contains(capability(name)),
                                    expected,
                                    "{role:?} {flags:?} {named:?} {grants} {status:?}: {name}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn permissions_as_stored() {
        let read = |text: &str| parse_permissions(text);
        assert_eq!(read("{}"), Ok(Permissions::default()));
        assert_eq!(read(" { } "), Ok(Permissions::default()));
        assert_eq!(
            read(r#"{"prompts.publish": true, "leads.write": false}"#),
            Ok(Permissions {
                granted: CapabilitySet::NONE.with(capability("prompts.publish")),
                denied: CapabilitySet::NONE.with(capability("leads.write")),
            })
        );
        for (text, message) in [
            ("[]", "permissions must be a JSON object"),
            ("null", "permissions must be a JSON object"),
            ("7", "permissions must be a JSON object"),
            ("", "permissions must be a JSON object"),
            (r#"{"leads.fly": true}"#, "unknown capability \"leads.fly\""),
            (r#"{"a\nb": true}"#, "unknown capability \"a\\nb\""),
            (
                r#"{"leads.read": "yes"}"#,
                "leads.read must be true or false",
            ),
            (
                r#"{"leads.read": null}"#,
                "leads.read must be true or false",
            ),
            (
                r#"{"billing.manage": true}"#,
                "only an owner holds billing.manage",
            ),
            (
                r#"{"leads.read": true, "leads.read": false}"#,
                "leads.read is given twice",
            ),
        ] {
            assert_eq!(read(text), Err(message.to_owned()), "{text}");
        }
        assert!(read(r#"{"billing.manage": false}"#).is_ok());
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

    fn any_set() -> impl Strategy<Value = CapabilitySet> {
        any::<u64>().prop_map(|bits| CapabilitySet(bits).intersection(held_within(EVERYONE)))
    }

    fn any_role() -> impl Strategy<Value = Role> {
        proptest::sample::select(&Role::ALL[..])
    }

    fn any_flags() -> impl Strategy<Value = Flags> {
        any::<[bool; 4]>().prop_map(|[a, b, c, d]| Flags {
            view_all_leads: a,
            edit_lessons: b,
            push_to_n8n: c,
            manage_users: d,
        })
    }

    proptest! {
        #[test]
        fn overrides_never_give_what_only_the_owner_holds(
            role in any_role(), flags in any_flags(), granted in any_set(), denied in any_set(),
            status in proptest::sample::select(&STATUSES[..]),
        ) {
            let held = effective(role, flags, Permissions { granted, denied }, status);
            if role != Role::Owner {
                prop_assert_eq!(held.without(GRANTABLE), CapabilitySet::NONE);
            }
            // What is taken away is gone, whoever else gives it.
            prop_assert_eq!(held.intersection(denied), CapabilitySet::NONE);
        }

        #[test]
        fn a_status_never_gives_more(
            role in any_role(), flags in any_flags(), granted in any_set(), denied in any_set(),
        ) {
            let held = STATUSES.map(|status| effective(role, flags, Permissions { granted, denied }, status));
            prop_assert_eq!(held[1].without(held[0]), CapabilitySet::NONE);
            prop_assert_eq!(held[2].without(held[1]), CapabilitySet::NONE);
            prop_assert!(held[1].iter().all(Capability::only_reads));
        }

        #[test]
        fn permissions_never_panic(text in r#"[\{\}",:.a-z0-9\\ ]{0,80}"#) {
            let _ = parse_permissions(&text);
        }
    }
}
