//! SQL surface of tenant resolution: who asks, for which organization, with which rights.
//!
//! Policies call `organization_for(capability)` inside a scalar sub-select, once per statement. Nothing here raises
//! and nothing is SECURITY DEFINER: the membership tables are read as their owner by kept plans. `require_uid` and
//! `require_org`, which do raise, are SQL over these (sql/extension/tenant.sql).
//!
//! Contract with sql/schema: `public.memberships(organization_id, user_id, role, status)`,
//! `public.organizations(id, slug, status)`, `public.profiles(id, default_organization_id)`,
//! `private.platform_admins(user_id)`.

use crate::pg::claims::{self, Request};
use crate::pg::json::JsonText;
use crate::pg::owner::{Table, as_owner_of};
use crate::pg::spi::{self, Query};
use pgrx::datum::Uuid;
use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};
use serde_json::json;
use switchboard_core::tenant::{
    Capability, Claims, Membership, OrganizationStatus, Principal, Requested, Resolution, Role,
    capabilities as all, resolve,
};

const MEMBERSHIPS: Table = Table {
    schema: c"public",
    name: c"memberships",
};
const PLATFORM_ADMINS: Table = Table {
    schema: c"private",
    name: c"platform_admins",
};

thread_local! {
    /// 256 memberships are served, by id; nobody has more.
    static ACTIVE_MEMBERSHIPS: Query = const { Query::new(
        "select m.organization_id, o.slug::pg_catalog.text, o.status::pg_catalog.text, m.role::pg_catalog.text \
         from public.memberships m \
         join public.organizations o on o.id operator(pg_catalog.=) m.organization_id \
         where m.user_id operator(pg_catalog.=) $1 \
         and m.status operator(pg_catalog.=) 'active'::pg_catalog.text \
         order by m.organization_id limit 256",
        &[spi::UUID],
    ) };
    static DEFAULT_ORGANIZATION: Query = const { Query::new(
        "select p.default_organization_id from public.profiles p where p.id operator(pg_catalog.=) $1",
        &[spi::UUID],
    ) };
    static ORGANIZATION: Query = const { Query::new(
        "select o.id from public.organizations o \
         where ($1 is null or o.id operator(pg_catalog.=) $1) \
         and ($2 is null or o.slug operator(pg_catalog.=) $2)",
        &[spi::UUID, spi::TEXT],
    ) };
    static IS_PLATFORM_ADMIN: Query = const { Query::new(
        "select true from private.platform_admins a where a.user_id operator(pg_catalog.=) $1",
        &[spi::UUID],
    ) };
}

/// A signed-in user with what the tables say of them.
struct Caller {
    user: uuid::Uuid,
    memberships: Vec<Membership>,
    default_organization: Option<uuid::Uuid>,
}

impl Caller {
    /// Reads the tables; without them (extension installed, schema not) the caller belongs nowhere.
    fn load(user: uuid::Uuid) -> Caller {
        let mut caller = Caller {
            user,
            memberships: Vec::new(),
            default_organization: None,
        };
        let Some(table) = MEMBERSHIPS.oid() else {
            return caller;
        };
        let parameters = || [to_sql(user).into()];
        as_owner_of(table, || {
            caller.memberships = ACTIVE_MEMBERSHIPS
                .with(|query| query.read(&parameters(), membership))
                .into_iter()
                .flatten()
                .collect();
            caller.default_organization = DEFAULT_ORGANIZATION
                .with(|query| query.read(&parameters(), |row| row.get::<Uuid>(1)))
                .into_iter()
                .flatten()
                .map(from_sql)
                .next();
        });
        caller
    }

    /// The organization that the request works for, from its headers, its token and the tables.
    fn resolve(&self, claims: &Claims) -> Resolution<'_> {
        resolve(
            &claims::headers(),
            &claims.active_organization,
            self.default_organization,
            &self.memberships,
        )
    }
}

/// A row of ACTIVE_MEMBERSHIPS; `None` for a role or status that this version does not know.
fn membership(row: &spi::Row<'_>) -> Option<Membership> {
    Some(Membership {
        organization_id: from_sql(row.get(1)?),
        slug: row.get(2)?,
        status: OrganizationStatus::from_name(&row.get::<String>(3)?)?,
        role: Role::from_name(&row.get::<String>(4)?)?,
    })
}

fn to_sql(id: uuid::Uuid) -> Uuid {
    Uuid::from_bytes(id.into_bytes())
}

fn from_sql(id: Uuid) -> uuid::Uuid {
    uuid::Uuid::from_bytes(*id)
}

/// The organization that the service role names in a header, if it exists. It has no other way to name one.
fn service_organization() -> Option<uuid::Uuid> {
    let headers = claims::headers();
    let present = |id: &Requested<uuid::Uuid>| match id {
        Requested::Present(id) => Some(to_sql(*id)),
        _ => None,
    };
    let id = present(&headers.organization_id);
    let slug = match &headers.organization_slug {
        Requested::Present(slug) => Some(slug.clone()),
        _ => None,
    };
    let malformed = headers.organization_id == Requested::Invalid
        || headers.organization_slug == Requested::Invalid;
    if malformed || (id.is_none() && slug.is_none()) {
        return None;
    }
    let found = as_owner_of(MEMBERSHIPS.oid()?, || {
        ORGANIZATION.with(|query| query.read(&[id.into(), slug.into()], |row| row.get::<Uuid>(1)))
    });
    found.into_iter().flatten().map(from_sql).next()
}

/// The organization in force, when `accepts` says so of the membership.
fn organization(capability: Option<Capability>) -> Option<Uuid> {
    let Request {
        principal, claims, ..
    } = claims::request();
    match principal {
        Principal::Nobody => None,
        Principal::Service => service_organization(),
        Principal::User(user) => {
            let caller = Caller::load(user);
            let resolution = caller.resolve(&claims);
            match capability {
                Some(capability) => resolution.organization_for(capability),
                None => resolution.membership.map(|m| m.organization_id),
            }
        }
    }
    .map(to_sql)
}

/// The signed-in user's id, from the token's `sub`; NULL for anything odd.
#[pg_extern(stable, parallel_safe, strict, cost = 1)]
fn user_id() -> Option<Uuid> {
    match claims::request().principal {
        Principal::User(user) => Some(to_sql(user)),
        _ => None,
    }
}

/// The role that the request acts as, when the token was issued for it; NULL otherwise.
#[pg_extern(stable, parallel_safe, strict, cost = 1)]
fn request_role() -> Option<String> {
    let request = claims::request();
    (request.claims.role.as_deref() == Some(request.role.as_str())).then_some(request.role)
}

/// The organization that the request works for; NULL when there is none or it is not the caller's.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn current_organization_id() -> Option<Uuid> {
    organization(None)
}

/// The organization that the request works for if the caller holds `capability` there, else NULL. The one function
/// that policies call. An unknown capability is held by nobody.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn organization_for(capability: &str) -> Option<Uuid> {
    organization(Some(Capability::from_name(capability)?))
}

/// All organizations that the caller is an active member of, sorted; empty for anybody else.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn organization_ids() -> Vec<Uuid> {
    match claims::request().principal {
        Principal::User(user) => Caller::load(user)
            .memberships
            .iter()
            .map(|m| to_sql(m.organization_id))
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether the caller is a platform admin and signed in with a second factor (`aal2`).
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn is_platform_admin() -> bool {
    let request = claims::request();
    let Principal::User(user) = request.principal else {
        return false;
    };
    if request.claims.assurance_level.as_deref() != Some("aal2") {
        return false;
    }
    let Some(table) = PLATFORM_ADMINS.oid() else {
        return false;
    };
    as_owner_of(table, || {
        let admin = IS_PLATFORM_ADMIN
            .with(|query| query.read(&[to_sql(user).into()], |row| row.get::<bool>(1)));
        admin.contains(&Some(true))
    })
}

/// Who the caller is for us and why: user_id, organization_id, role, capabilities, source, reason, organizations.
#[pg_extern(stable, parallel_restricted, strict, cost = 50)]
fn context() -> JsonText {
    let Request {
        principal,
        claims,
        role,
    } = claims::request();
    let value = match principal {
        Principal::Nobody => json!({
            "user_id": null, "organization_id": null, "role": null, "capabilities": [],
            "source": null, "reason": "no_identity", "organizations": []
        }),
        Principal::Service => json!({
            "user_id": null, "organization_id": service_organization(), "role": role,
            "capabilities": [], "source": null, "reason": null, "organizations": []
        }),
        Principal::User(user) => {
            let caller = Caller::load(user);
            let resolution = caller.resolve(&claims);
            let held: Vec<_> = all()
                .filter(|capability| resolution.organization_for(*capability).is_some())
                .map(Capability::name)
                .collect();
            let organizations: Vec<_> = caller
                .memberships
                .iter()
                .map(|m| json!({"id": m.organization_id, "slug": m.slug, "role": m.role.name()}))
                .collect();
            json!({
                "user_id": caller.user,
                "organization_id": resolution.membership.map(|m| m.organization_id),
                "role": resolution.membership.map(|m| m.role.name()),
                "capabilities": held,
                "source": resolution.source.map(|source| source.name()),
                "reason": resolution.reason.map(|reason| reason.name()),
                "organizations": organizations,
            })
        }
    };
    JsonText::new(value.to_string())
}

/// The role × capability table: one row for each capability that a role holds in an active organization.
#[pg_extern(immutable, parallel_safe, strict)]
fn capabilities()
-> TableIterator<'static, (name!(role, &'static str), name!(capability, &'static str))> {
    TableIterator::new(Role::ALL.into_iter().flat_map(|role| {
        all()
            .filter(move |capability| capability.held_by(role, OrganizationStatus::Active))
            .map(move |capability| (role.name(), capability.name()))
    }))
}

#[cfg(any(test, feature = "pg_test"))]
#[pgrx::pg_schema]
#[allow(clippy::disallowed_methods)] // tests may write
mod tests {
    use pgrx::datum::Uuid;
    use pgrx::prelude::*;

    const USER: &str = "6f1c1f9e-7d55-4e0e-9b1a-0c6a5f0b7a11";
    const A: &str = "0a000000-0000-4000-8000-000000000001";
    const B: &str = "0b000000-0000-4000-8000-000000000002";

    fn text(sql: &str) -> Option<String> {
        Spi::get_one::<String>(sql).unwrap()
    }

    /// The contract's tables, two organizations, one user who is a manager of A.
    fn tables() {
        Spi::run(&format!(
            "create role authenticated; create role anon; create role service_role;
             grant usage on schema switchboard to public;
             grant execute on all functions in schema switchboard to public;
             create schema private;
             create table public.organizations (id uuid, slug text, status text, default_country text);
             create table public.memberships (organization_id uuid, user_id uuid, role text, status text);
             create table public.profiles (id uuid, default_organization_id uuid);
             create table private.platform_admins (user_id uuid);
             alter table public.memberships enable row level security;
             alter table public.memberships force row level security;
             insert into public.organizations values ('{A}', 'alpha', 'active'), ('{B}', 'beta', 'active');
             insert into public.memberships values ('{A}', '{USER}', 'manager', 'active');
             insert into private.platform_admins values ('{USER}')"
        ))
        .unwrap();
    }

    fn sign_in(extra: &str) {
        Spi::run(&format!(
            "select set_config('request.jwt.claims', '{{\"sub\":\"{USER}\",\"role\":\"authenticated\"{extra}}}', true);
             set local role authenticated"
        ))
        .unwrap();
    }

    fn header(name: &str, value: &str) {
        Spi::run(&format!(
            "select set_config('request.headers', '{{\"{name}\":\"{value}\"}}', true)"
        ))
        .unwrap();
    }

    #[pg_test]
    fn nobody_without_claims_or_under_another_role() {
        assert_eq!(text("select switchboard.user_id()::text"), None);
        tables();
        Spi::run(&format!(
            "select set_config('request.jwt.claims', '{{\"sub\":\"{USER}\",\"role\":\"authenticated\"}}', true)"
        ))
        .unwrap();
        assert_eq!(text("select switchboard.user_id()::text"), None);
        Spi::run("set local role anon").unwrap();
        assert_eq!(text("select switchboard.user_id()::text"), None);
        assert_eq!(
            text("select switchboard.current_organization_id()::text"),
            None
        );
    }

    #[pg_test]
    fn malformed_claims_never_raise() {
        tables();
        Spi::run("set local role authenticated").unwrap();
        for claims in [
            "null",
            "{",
            "[]",
            "\"null\"",
            "{\"sub\":7,\"role\":\"authenticated\"}",
        ] {
            Spi::run(&format!(
                "select set_config('request.jwt.claims', '{claims}', true)"
            ))
            .unwrap();
            assert_eq!(text("select switchboard.user_id()::text"), None, "{claims}");
            assert_eq!(
                text("select switchboard.organization_for('leads.read')::text"),
                None
            );
        }
    }

    #[pg_test]
    fn rights_follow_role_status_and_header() {
        tables();
        sign_in("");
        let org = |capability: &str| {
            text(&format!(
                "select switchboard.organization_for('{capability}')::text"
            ))
        };
        assert_eq!(org("leads.write").as_deref(), Some(A));
        assert_eq!(org("phone_numbers.write"), None);
        assert_eq!(org("no.such"), None);
        header("x-organization-id", B);
        assert_eq!(org("leads.read"), None);
        header("x-organization-slug", "alpha");
        assert_eq!(org("leads.read").as_deref(), Some(A));
        Spi::run("reset role; update public.organizations set status = 'paused'").unwrap();
        sign_in("");
        assert_eq!(org("leads.read").as_deref(), Some(A));
        assert_eq!(org("leads.write"), None);
        Spi::run("reset role; update public.memberships set status = 'suspended'").unwrap();
        sign_in("");
        assert_eq!(org("leads.read"), None);
        let ids = Spi::get_one::<Vec<Uuid>>("select switchboard.organization_ids()").unwrap();
        assert_eq!(ids.map(|list| list.len()), Some(0));
    }

    #[pg_test]
    fn a_definer_function_does_not_change_who_asks() {
        tables();
        Spi::run(
            "create function public.wrapped() returns uuid language sql security definer
             as 'select switchboard.user_id()'",
        )
        .unwrap();
        sign_in("");
        assert_eq!(text("select public.wrapped()::text").as_deref(), Some(USER));
    }

    #[pg_test]
    fn a_platform_admin_needs_a_second_factor() {
        tables();
        let admin = || Spi::get_one::<bool>("select switchboard.is_platform_admin()").unwrap();
        sign_in("");
        assert_eq!(admin(), Some(false));
        sign_in(",\"aal\":\"aal2\"");
        assert_eq!(admin(), Some(true));
    }

    #[pg_test]
    fn reading_assigns_no_transaction_id() {
        tables();
        // The set-up wrote, so this looks at the xid of a new transaction's worth: a read-only one would raise.
        sign_in("");
        Spi::run("set local transaction_read_only = on").unwrap();
        assert_eq!(
            text("select switchboard.current_organization_id()::text").as_deref(),
            Some(A)
        );
    }

    #[pg_test]
    fn the_service_role_names_an_organization_by_header_only() {
        tables();
        Spi::run(
            "select set_config('request.jwt.claims', '{\"role\":\"service_role\"}', true);
             set local role service_role",
        )
        .unwrap();
        assert_eq!(
            text("select switchboard.current_organization_id()::text"),
            None
        );
        header("x-organization-id", B);
        assert_eq!(
            text("select switchboard.current_organization_id()::text").as_deref(),
            Some(B)
        );
        header("x-organization-id", USER);
        assert_eq!(
            text("select switchboard.current_organization_id()::text"),
            None
        );
    }
}
