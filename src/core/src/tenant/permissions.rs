//! What one member holds: the defaults of the role, what the four flags and the permissions of the membership add or take
//! away, and what the organization's status leaves of it.

use super::application::is_application_name;
use super::capability::{Capability, CapabilitySet, GRANTABLE, READS};
use super::role::Role;
use super::status::{Left, OrganizationStatus};
use serde::de::{Deserializer, Error, MapAccess, Visitor};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Capabilities with `true`.
    pub granted: CapabilitySet,
    /// Capabilities with `false`, which wins over role and flags.
    pub denied: CapabilitySet,
    /// What they say of names that are not in the catalogue, but could be an application's.
    pub application: Vec<(String, bool)>,
}

/// Most bytes of a membership's permissions: every capability of the catalogue, and as many again several times over.
pub const MAX_PERMISSIONS_BYTES: usize = 16 * 1024;

/// What is said of longer ones.
pub fn too_long() -> String {
    format!("permissions must not exceed {MAX_PERMISSIONS_BYTES} bytes of JSON text")
}

/// Reads the text of `memberships.permissions`, an object of capability → true or false. The error says what is wrong
/// with it: too long, no object, a name that can be no capability's, one of the catalogue given that only the owner holds, one
/// named twice, or a value that is no boolean. Which names an application has defined is not asked here: one that is
/// gone gives nothing, and leaves the rest as it is.
pub fn parse_permissions(text: &str) -> Result<Permissions, String> {
    // Nearly every member's.
    if text == "{}" {
        return Ok(Permissions::default());
    }
    if text.len() > MAX_PERMISSIONS_BYTES {
        return Err(too_long());
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
            let native = Capability::from_name(&name);
            if native.is_none() && !is_application_name(&name) {
                // As JSON, so that no control character of it reaches a log.
                return Err(A::Error::custom(format_args!(
                    "unknown capability {}",
                    serde_json::Value::String(name)
                )));
            }
            let serde_json::Value::Bool(grants) = map.next_value()? else {
                return Err(A::Error::custom(format_args!(
                    "{name} must be true or false"
                )));
            };
            let again = match native {
                Some(capability) => permissions
                    .granted
                    .union(permissions.denied)
                    .contains(capability),
                None => permissions.application.iter().any(|(own, _)| *own == name),
            };
            if again {
                return Err(A::Error::custom(format_args!("{name} is given twice")));
            }
            let Some(capability) = native else {
                permissions.application.push((name, grants));
                continue;
            };
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
/// by the organization's status. A `read` that is taken away takes the `read_all` with it.
pub fn effective(
    role: Role,
    flags: Flags,
    permissions: &Permissions,
    status: OrganizationStatus,
) -> CapabilitySet {
    let added = flags.granted().union(permissions.granted);
    let held = CapabilitySet::of_role(role)
        .union(added.intersection(GRANTABLE))
        .without(permissions.denied)
        .without_unread();
    match status.leaves(role) {
        Left::All => held,
        Left::Reads => held.intersection(READS),
        Left::Nothing => CapabilitySet::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::super::capability::capabilities;
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
                            let held = effective(role, flags, &permissions, status);
                            for each in capabilities() {
                                let name = each.name();
                                let by_role = CapabilitySet::of_role(role).contains(each);
                                let by_flag = flag_names
                                    .iter()
                                    .position(|flag| *flag == name)
                                    .is_some_and(|flag| mask & 1 << flag != 0);
                                let is_named = named == Some(each);
                                let owner_only =
                                    ["organization.transfer", "people.erase"].contains(&name);
                                let reads = name.contains(".read");
                                let open = match status {
                                    OrganizationStatus::Active => true,
                                    OrganizationStatus::Paused => reads,
                                    OrganizationStatus::Cancelled => {
                                        reads && matches!(role, Role::Owner | Role::Admin)
                                    }
                                };
                                // Each role reads leads and calls, unless that is taken away.
                                let unread = !grants
                                    && named
                                        .is_some_and(|read| format!("{}_all", read.name()) == name);
                                let expected = open
                                    && !unread
                                    && (by_role || by_flag || is_named && grants && !owner_only)
                                    && (!is_named || grants);
                                assert_eq!(
                                    held.contains(each),
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
        let padded = |bytes: usize| format!("{{{}}}", " ".repeat(bytes - 2));
        assert_eq!(
            read(&padded(MAX_PERMISSIONS_BYTES)),
            Ok(Permissions::default())
        );
        assert_eq!(read(&padded(MAX_PERMISSIONS_BYTES + 1)), Err(too_long()));
        assert_eq!(
            read(r#"{"prompts.publish": true, "leads.write": false}"#),
            Ok(Permissions {
                granted: CapabilitySet::NONE.with(capability("prompts.publish")),
                denied: CapabilitySet::NONE.with(capability("leads.write")),
                ..Permissions::default()
            })
        );
        assert_eq!(
            read(r#"{"orders.read": true, "leads.fly": false}"#),
            Ok(Permissions {
                application: vec![
                    ("orders.read".to_owned(), true),
                    ("leads.fly".to_owned(), false)
                ],
                ..Permissions::default()
            })
        );
        for (text, message) in [
            ("[]", "permissions must be a JSON object"),
            ("null", "permissions must be a JSON object"),
            ("7", "permissions must be a JSON object"),
            ("", "permissions must be a JSON object"),
            (r#"{"leads": true}"#, "unknown capability \"leads\""),
            (
                r#"{"Leads.read": true}"#,
                "unknown capability \"Leads.read\"",
            ),
            (r#"{"orders.read": 1}"#, "orders.read must be true or false"),
            (
                r#"{"orders.read": true, "orders.read": true}"#,
                "orders.read is given twice",
            ),
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
                r#"{"organization.transfer": true}"#,
                "only an owner holds organization.transfer",
            ),
            (
                r#"{"leads.read": true, "leads.read": false}"#,
                "leads.read is given twice",
            ),
        ] {
            assert_eq!(read(text), Err(message.to_owned()), "{text}");
        }
        assert!(read(r#"{"organization.transfer": false}"#).is_ok());
    }

    fn any_set() -> impl Strategy<Value = CapabilitySet> {
        proptest::sample::subsequence(
            capabilities().collect::<Vec<_>>(),
            0..=capabilities().count(),
        )
        .prop_map(|some| some.into_iter().collect())
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
            let held = effective(role, flags, &Permissions { granted, denied, ..Permissions::default() }, status);
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
            let permissions = Permissions { granted, denied, ..Permissions::default() };
            let held = STATUSES.map(|status| effective(role, flags, &permissions, status));
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
