//! Decides who asks and for which organization.

use super::{
    ApplicationCapability, ApplicationRights, Capability, CapabilitySet, Claims, Headers,
    Requested, Role,
};
use uuid::Uuid;

/// What the caller is in an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A member.
    Member(Role),
    /// A platform admin with an open support session, of that id.
    Support(Uuid),
}

impl Standing {
    /// The role's name, or `support`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Member(role) => role.name(),
            Self::Support(_) => "support",
        }
    }

    /// Whether it is a membership of the organization, which lists it and its members without a capability.
    pub fn is_member(self) -> bool {
        matches!(self, Self::Member(_))
    }
}

/// One active membership of the caller, or an open support session, as the tables say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub organization_id: Uuid,
    /// Its slug.
    pub slug: String,
    /// What the caller is there.
    pub standing: Standing,
    /// What the caller holds there now, the organization's status applied.
    pub capabilities: CapabilitySet,
    /// What decides about capabilities that the application defines.
    pub application: ApplicationRights,
    /// The datasets whose leads the caller may see; `None` is all.
    pub dataset_scope: Option<Vec<Uuid>>,
    /// When it ends, in microseconds since 2000-01-01 UTC, which is Postgres' own count; `None` is never.
    pub expires_at: Option<i64>,
}

impl Membership {
    /// The organization, if the caller holds `capability` there.
    pub fn organization_for(&self, capability: Capability) -> Option<Uuid> {
        self.capabilities
            .contains(capability)
            .then_some(self.organization_id)
    }

    /// The organization, if the caller holds an application's `capability` there.
    pub fn organization_for_application(&self, capability: &ApplicationCapability) -> Option<Uuid> {
        self.application
            .hold(capability, self.capabilities)
            .then_some(self.organization_id)
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Nobody that we can name: no claims, expired, malformed, or issued for another role than the session's.
    Nobody,
    /// A signed-in user.
    User(Uuid),
    /// The service role: row-level security does not apply to it.
    Service,
}

/// Who asks, from the outer role of the session (the value of `SET ROLE`), the claims and the legacy setting
/// `request.jwt.claim.sub`, which counts only when there are no claims.
pub fn principal(
    outer_role: &str,
    claims: Option<&Claims>,
    legacy_subject: Requested<Uuid>,
    now: i64,
) -> Principal {
    let subject = match claims {
        Some(claims) => {
            if claims.role.as_deref() != Some(outer_role) || claims.expired_at(now) {
                return Principal::Nobody;
            }
            match (&claims.subject, legacy_subject) {
                (Requested::Present(sub), Requested::Present(legacy)) if *sub != legacy => {
                    Requested::Invalid
                }
                (_, Requested::Invalid) => Requested::Invalid,
                (subject, _) => subject.clone(),
            }
        }
        None if outer_role == "authenticated" => legacy_subject,
        None => Requested::Absent,
    };
    match (outer_role, subject) {
        ("service_role", Requested::Absent) if claims.is_some() => Principal::Service,
        ("authenticated", Requested::Present(user)) => Principal::User(user),
        _ => Principal::Nobody,
    }
}

/// Which source named the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Header `x-organization-id`.
    HeaderId,
    /// Header `x-organization-slug`.
    HeaderSlug,
    /// Claim `app_metadata.active_organization_id`.
    Claim,
    /// `profiles.default_organization_id`.
    Profile,
    /// The caller has one membership.
    SoleMembership,
}

impl Source {
    /// The name that `request_context()` reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::HeaderId => "header x-organization-id",
            Self::HeaderSlug => "header x-organization-slug",
            Self::Claim => "claim app_metadata.active_organization_id",
            Self::Profile => "profiles.default_organization_id",
            Self::SoleMembership => "only membership",
        }
    }
}

/// Why there is no organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A source names it in a form that we do not accept.
    Malformed,
    /// The two headers name different organizations.
    HeadersDisagree,
    /// The caller is not an active member of the organization that is named; unknown ones get the same answer.
    NotAMember,
    /// Several memberships and nothing names one.
    Ambiguous,
    /// No active membership at all.
    NoMembership,
}

impl Reason {
    /// The name that `request_context()` reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::HeadersDisagree => "headers_disagree",
            Self::NotAMember => "not_a_member",
            Self::Ambiguous => "organization_required",
            Self::NoMembership => "no_membership",
        }
    }
}

/// The organization a user's statement works for, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution<'a> {
    /// The membership in force.
    pub membership: Option<&'a Membership>,
    /// The source that decided, even when it decided for nothing.
    pub source: Option<Source>,
    /// Why there is none.
    pub reason: Option<Reason>,
}

impl Resolution<'_> {
    /// The organization, if the caller holds `capability` there.
    pub fn organization_for(&self, capability: Capability) -> Option<Uuid> {
        self.membership?.organization_for(capability)
    }
}

/// Picks the organization: the first source that is present decides, and it decides only for an organization that the
/// caller is a member of. An invalid or foreign one never falls through to the next source. `default_organization` is asked
/// only when neither headers nor claim name one.
pub fn resolve<'a>(
    headers: &Headers,
    claim: &Requested<Uuid>,
    default_organization: impl FnOnce() -> Option<Uuid>,
    memberships: &'a [Membership],
) -> Resolution<'a> {
    let none = |source, reason| Resolution {
        membership: None,
        source,
        reason: Some(reason),
    };
    let member = |source, membership: Option<&'a Membership>| match membership {
        Some(_) => Resolution {
            membership,
            source: Some(source),
            reason: None,
        },
        None => none(Some(source), Reason::NotAMember),
    };
    let by_id = |id: &Uuid| memberships.iter().find(|m| m.organization_id == *id);
    let by_slug = |slug: &str| memberships.iter().find(|m| m.slug == slug);

    match (&headers.organization_id, &headers.organization_slug) {
        (Requested::Absent, Requested::Absent) => {}
        (Requested::Present(id), Requested::Absent) => return member(Source::HeaderId, by_id(id)),
        (Requested::Absent, Requested::Present(slug)) => {
            return member(Source::HeaderSlug, by_slug(slug));
        }
        (Requested::Present(id), Requested::Present(slug)) => {
            return match (by_id(id), by_slug(slug)) {
                (Some(one), Some(other)) if one == other => member(Source::HeaderId, Some(one)),
                _ => none(Some(Source::HeaderId), Reason::HeadersDisagree),
            };
        }
        (Requested::Invalid, _) => return none(Some(Source::HeaderId), Reason::Malformed),
        (_, Requested::Invalid) => return none(Some(Source::HeaderSlug), Reason::Malformed),
    }
    match claim {
        Requested::Absent => {}
        Requested::Invalid => return none(Some(Source::Claim), Reason::Malformed),
        Requested::Present(id) => return member(Source::Claim, by_id(id)),
    }
    if let Some(id) = default_organization() {
        return member(Source::Profile, by_id(&id));
    }
    match memberships {
        [] => none(None, Reason::NoMembership),
        [only] => member(Source::SoleMembership, Some(only)),
        _ => none(None, Reason::Ambiguous),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::{OrganizationStatus, parse_claims};
    use proptest::prelude::*;

    fn membership(n: u128) -> Membership {
        Membership {
            organization_id: Uuid::from_u128(n),
            slug: format!("org-{n}"),
            standing: Standing::Member(Role::Owner),
            capabilities: CapabilitySet::of_role(Role::Owner),
            application: ApplicationRights::Member {
                role: Role::Owner,
                status: OrganizationStatus::Active,
                permissions: Vec::new(),
            },
            dataset_scope: None,
            expires_at: None,
        }
    }

    fn header_id(n: u128) -> Headers {
        Headers {
            organization_id: Requested::Present(Uuid::from_u128(n)),
            ..Headers::default()
        }
    }

    fn claims(text: &str) -> Claims {
        parse_claims(text.as_bytes()).unwrap()
    }

    const USER: &str = "6f1c1f9e-7d55-4e0e-9b1a-0c6a5f0b7a11";

    #[test]
    fn the_session_role_must_be_the_token_role() {
        let user = Uuid::try_parse(USER).unwrap();
        let token = claims(&format!(
            r#"{{"sub":"{USER}","role":"authenticated","exp":100}}"#
        ));
        let who = |role, now| principal(role, Some(&token), Requested::Absent, now);
        assert_eq!(who("authenticated", 100), Principal::User(user));
        assert_eq!(who("authenticated", 161), Principal::Nobody);
        for role in [
            "anon",
            "service_role",
            "postgres",
            "authenticator",
            "supabase_admin",
        ] {
            assert_eq!(who(role, 100), Principal::Nobody, "{role}");
        }
        let service = claims(r#"{"role":"service_role"}"#);
        let service_as = |role| principal(role, Some(&service), Requested::Absent, 0);
        assert_eq!(service_as("service_role"), Principal::Service);
        assert_eq!(service_as("authenticated"), Principal::Nobody);
        assert_eq!(
            principal("service_role", None, Requested::Absent, 0),
            Principal::Nobody
        );
    }

    #[test]
    fn legacy_subject_counts_alone_and_never_contradicts() {
        let user = Uuid::try_parse(USER).unwrap();
        let other = Uuid::from_u128(7);
        let token = claims(&format!(r#"{{"sub":"{USER}","role":"authenticated"}}"#));
        let with = |legacy| principal("authenticated", Some(&token), legacy, 0);
        assert_eq!(with(Requested::Present(user)), Principal::User(user));
        assert_eq!(with(Requested::Present(other)), Principal::Nobody);
        assert_eq!(with(Requested::Invalid), Principal::Nobody);
        let alone = |role| principal(role, None, Requested::Present(user), 0);
        assert_eq!(alone("authenticated"), Principal::User(user));
        assert_eq!(alone("anon"), Principal::Nobody);
    }

    #[test]
    fn first_present_source_decides() {
        let own = [membership(1), membership(2)];
        let claim = Requested::Present(Uuid::from_u128(2));
        let picked = |headers: &Headers, claim: &Requested<Uuid>, default: Option<u128>| {
            resolve(headers, claim, || default.map(Uuid::from_u128), &own)
                .membership
                .map(|m| m.organization_id.as_u128())
        };
        let none = Headers::default();
        assert_eq!(picked(&header_id(1), &claim, Some(2)), Some(1));
        assert_eq!(picked(&none, &claim, Some(1)), Some(2));
        assert_eq!(picked(&none, &Requested::Absent, Some(1)), Some(1));
        assert_eq!(picked(&none, &Requested::Absent, None), None);
        // Foreign or malformed: never the next source.
        assert_eq!(picked(&header_id(9), &claim, Some(1)), None);
        assert_eq!(picked(&none, &Requested::Invalid, Some(1)), None);
        assert_eq!(
            picked(&none, &Requested::Present(Uuid::from_u128(9)), Some(1)),
            None
        );
        assert_eq!(picked(&none, &Requested::Absent, Some(9)), None);
    }

    #[test]
    fn two_headers_must_agree() {
        let own = [membership(1), membership(2)];
        let both = |id: u128, slug: &str| {
            let headers = Headers {
                organization_slug: Requested::Present(slug.into()),
                ..header_id(id)
            };
            resolve(&headers, &Requested::Absent, || None, &own).reason
        };
        assert_eq!(both(1, "org-1"), None);
        assert_eq!(both(1, "org-2"), Some(Reason::HeadersDisagree));
        assert_eq!(both(1, "org-9"), Some(Reason::HeadersDisagree));
    }

    #[test]
    fn sole_membership_is_the_default() {
        let own = [membership(1)];
        let none = Headers::default();
        let resolution = resolve(&none, &Requested::Absent, || None, &own);
        assert_eq!(resolution.source, Some(Source::SoleMembership));
        assert_eq!(resolution.membership, Some(&own[0]));
        let nobody = resolve(&none, &Requested::Absent, || None, &[]);
        assert_eq!(nobody.reason, Some(Reason::NoMembership));
    }

    fn requested(limit: u128) -> impl Strategy<Value = Requested<Uuid>> {
        prop_oneof![
            Just(Requested::Absent),
            Just(Requested::Invalid),
            (0..limit).prop_map(|n| Requested::Present(Uuid::from_u128(n))),
        ]
    }

    proptest! {
        /// Whatever is asked, the answer is one of the caller's own memberships or nothing, and nothing has a reason.
        #[test]
        fn never_a_foreign_organization(
            id in requested(6),
            claim in requested(6),
            default in proptest::option::of(0u128..6),
            own in proptest::collection::btree_set(0u128..6, 0..4),
        ) {
            let own: Vec<_> = own.into_iter().map(membership).collect();
            let headers = Headers { organization_id: id, ..Headers::default() };
            let default = default.map(Uuid::from_u128);
            let resolution = resolve(&headers, &claim, || default, &own);
            prop_assert_eq!(resolution.membership.is_some(), resolution.reason.is_none());
            if let Some(found) = resolution.membership {
                prop_assert!(own.contains(found));
                if let Requested::Present(id) = &headers.organization_id {
                    prop_assert_eq!(&found.organization_id, id);
                }
            }
        }
    }
}
