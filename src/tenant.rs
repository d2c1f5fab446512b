//! SQL surface of tenant resolution: who asks, for which organization, with which rights.
//!
//! Policies call `organization_for(capability)` inside a scalar sub-select, once per statement. Nothing here raises but
//! `assert_permissions`, and nothing is SECURITY DEFINER: the membership tables are read as their owner would read them,
//! by index scans without a plan, the tables of support by kept plans.
//! `require_user_id` and `require_organization`, which do raise, are SQL over these (sql/extension/tenant.sql).
//! Which tables, columns and indexes those are: `pg/contract.rs`.

mod caller;

use crate::pg::claims;
use crate::pg::error::{ErrorReport, invalid_argument};
use crate::pg::json::{Json, JsonText};
use crate::pg::row::TriggerRow;
use crate::pg::session::Timestamp;
use crate::pg::uuid::{to_core, to_sql};
use caller::{Caller, with_caller};
use pgrx::datum::Uuid;
use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};
use serde_json::{Value, json};
use switchboard_core::tenant::{
    ApplicationCapability, ApplicationRights, CapabilitySet, Flags, MAX_PERMISSIONS_BYTES,
    Membership, OrganizationStatus, Permissions, Principal, Role, Standing, effective,
    parse_permissions, permissions_too_long,
};

/// Id of the signed-in user, from the token's `sub`; NULL when there is no valid token for the session's role.
/// Never raises.
#[pg_extern(stable, parallel_safe, strict, cost = 1)]
fn user_id() -> Option<Uuid> {
    claims::with_request(|request| match request.principal {
        Principal::User(user) => Some(to_sql(user)),
        _ => None,
    })
}

/// Database role that the request's token was issued for, when it is the session's; else NULL.
#[pg_extern(stable, parallel_safe, strict, cost = 1)]
fn request_role() -> Option<String> {
    claims::with_request(|request| {
        (request.claims.role.as_deref() == Some(request.role.as_str()))
            .then(|| request.role.clone())
    })
}

/// Organization that the request works for: header `x-organization-id`, `x-organization-slug`, claim
/// `app_metadata.active_organization_id`, `profiles.default_organization_id` or the only membership. The first that
/// is present decides; NULL unless the caller is an active member. Never raises.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn current_organization_id() -> Option<Uuid> {
    with_caller(|caller| caller.organization().map(to_sql))
}

/// The current organization if the caller holds the capability (such as `leads.read`) there, else NULL. The
/// function that policies call, inside (select …). Never raises; an unknown capability is held by nobody.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn organization_for(capability: &str) -> Option<Uuid> {
    with_caller(|caller| caller.organization_for(capability).map(to_sql))
}

/// All organizations of which the caller is an active member, sorted; an empty array if none. A support session is
/// no membership.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn organization_ids() -> Vec<Uuid> {
    with_caller(|caller| {
        caller
            .memberships
            .iter()
            .filter(|m| m.standing.is_member())
            .map(|m| to_sql(m.organization_id))
            .collect()
    })
}

/// Whether the caller is an active member of the organization, whichever the request is for. For joining topics and
/// for RPCs, not for policies of large tables. A support session is no membership.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn is_member(organization_id: Uuid) -> bool {
    with_caller(|caller| {
        caller
            .membership_of(to_core(organization_id))
            .is_some_and(|m| m.standing.is_member())
    })
}

/// Whether the caller holds the capability in the organization, whichever the request is for; `service_role` does
/// in every organization that exists. For RPCs and triggers, not for policies of large tables.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn has_capability(organization_id: Uuid, capability: &str) -> bool {
    with_caller(|caller| caller.has_capability(to_core(organization_id), capability))
}

/// Whether a BEFORE trigger may use what belongs to the row's organization. It runs before row level security speaks, so
/// whoever is subject to that must belong to the organization: a stranger learns from no trigger that it exists.
pub(crate) fn may_use(row: &TriggerRow<'_>, organization: Uuid) -> bool {
    !row.is_undecided()
        || with_caller(|caller| caller.membership_of(to_core(organization)).is_some())
}

/// The caller's role in the current organization: `owner`, `admin`, `manager`, `sales_rep`, `viewer`, or `support`
/// for a platform administrator with an open support session; NULL without an organization.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn organization_role() -> Option<&'static str> {
    with_caller(|caller| caller.membership().map(|m| m.standing.name()))
}

/// Datasets whose leads the caller may see in the current organization; NULL is all of them, an empty array none.
/// Without an organization: none.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn dataset_scope() -> Option<Vec<Uuid>> {
    with_caller(|caller| match caller.membership() {
        Some(m) => m
            .dataset_scope
            .as_ref()
            .map(|ids| ids.iter().copied().map(to_sql).collect()),
        None if caller.organization().is_some() => None,
        None => Some(Vec::new()),
    })
}

/// Whether the caller sees the dataset's leads in the organization, whichever the request is for; of no dataset
/// (NULL), whether the caller sees those of all. For policies that check an inserted row. Never raises.
#[pg_extern(stable, parallel_restricted, cost = 10)]
fn in_dataset_scope(organization_id: Option<Uuid>, dataset_id: Option<Uuid>) -> bool {
    organization_id.is_some_and(|organization| {
        with_caller(|caller| {
            caller.in_dataset_scope(to_core(organization), dataset_id.map(to_core))
        })
    })
}

/// Whether the caller is in `private.platform_admins` and signed in with a second factor (`aal2`).
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn is_platform_admin() -> bool {
    caller::is_platform_admin()
}

/// Who the caller is and why: `{user_id, organization_id, role, capabilities, source, reason, organizations}`, and
/// where they are set `dataset_scope`, `expires_at`, `support_session_id`. reason: `no_identity`, `malformed`,
/// `headers_disagree`, `not_a_member`, `organization_required`, `no_membership`.
#[pg_extern(stable, parallel_restricted, strict, cost = 50)]
fn request_context() -> JsonText {
    let role = request_role();
    JsonText::new(with_caller(|caller| describe(caller, role)).to_string())
}

fn describe(caller: &Caller, request_role: Option<String>) -> Value {
    let membership = caller.membership();
    let organizations: Vec<_> = caller
        .memberships
        .iter()
        .map(|m| json!({"id": m.organization_id, "slug": m.slug, "role": m.standing.name()}))
        .collect();
    let mut context = json!({
        "user_id": match caller.principal {
            Principal::User(user) => Some(user),
            _ => None,
        },
        "organization_id": caller.organization(),
        "role": match caller.principal {
            Principal::Service => request_role.as_deref(),
            _ => membership.map(|m| m.standing.name()),
        },
        "capabilities": membership.map_or_else(Vec::new, |m| capabilities_of(caller, m)),
        "source": caller.source.map(|source| source.name()),
        "reason": match caller.principal {
            Principal::Nobody => Some("no_identity"),
            _ => caller.reason.map(|reason| reason.name()),
        },
        "organizations": organizations,
    });
    if let Some(m) = membership {
        if let Some(scope) = &m.dataset_scope {
            context["dataset_scope"] = json!(scope);
        }
        if let Some(at) = m.expires_at {
            context["expires_at"] = json!(Timestamp(at).to_iso());
        }
        if let Standing::Support(session) = m.standing {
            context["support_session_id"] = json!(session);
        }
    }
    context
}

/// What a membership holds: the catalogue's in its order, then the application's by name.
fn capabilities_of<'a>(caller: &'a Caller, membership: &Membership) -> Vec<&'a str> {
    let own = caller
        .applications()
        .iter()
        .filter(|capability| {
            membership
                .application
                .hold(capability, membership.capabilities)
        })
        .map(ApplicationCapability::name);
    membership
        .capabilities
        .iter()
        .map(|capability| -> &str { capability.name() })
        .chain(own)
        .collect()
}

/// The organization of a storage object's name `{organization_id}/…`: a canonical uuid and a rest without empty,
/// `.` or `..` segments; NULL for any other text. Never raises.
#[pg_extern(immutable, parallel_safe, strict, cost = 1)]
fn path_organization(name: &str) -> Option<Uuid> {
    switchboard_core::tenant::path_organization(name).map(to_sql)
}

/// The organization of a Realtime topic `org:{organization_id}:{entity}`: a canonical uuid, and a–z, 0–9 and
/// underscore; NULL for any other text. Never raises.
#[pg_extern(immutable, parallel_safe, strict, cost = 1)]
fn topic_organization(topic: &str) -> Option<Uuid> {
    switchboard_core::tenant::topic_organization(topic).map(to_sql)
}

/// True for an object of capability → true (gives it) or false (takes it away). For CHECK constraints, so it only asks
/// whether a name outside the catalogue could be an application's.
///
/// # Errors
/// 22023 naming the unknown capability, the one that only an owner holds, or the value that is no boolean.
#[pg_extern(immutable, parallel_safe, strict, cost = 1)]
fn assert_permissions(permissions: Json) -> Result<bool, ErrorReport> {
    read_permissions(&permissions)
        .map(|_| true)
        .map_err(invalid_argument)
}

fn read_permissions(permissions: &Json) -> Result<Permissions, String> {
    let text = permissions.text(MAX_PERMISSIONS_BYTES);
    parse_permissions(&text.ok_or_else(permissions_too_long)?.0)
}

/// What a membership with this role, permissions and the four flags gives in an active organization, sorted; an
/// empty array for an unknown role or permissions. Never raises.
#[pg_extern(stable, parallel_restricted, strict, cost = 10)]
fn member_capabilities(
    role: &str,
    permissions: Json,
    can_view_all_leads: bool,
    can_edit_lessons: bool,
    can_push_to_n8n: bool,
    can_manage_users: bool,
) -> Vec<String> {
    let flags = Flags {
        view_all_leads: can_view_all_leads,
        edit_lessons: can_edit_lessons,
        push_to_n8n: can_push_to_n8n,
        manage_users: can_manage_users,
    };
    let Some((role, permissions)) = Role::from_name(role).zip(read_permissions(&permissions).ok())
    else {
        return Vec::new();
    };
    let status = OrganizationStatus::Active;
    let catalogue = effective(role, flags, &permissions, status);
    let mut names: Vec<_> = catalogue
        .iter()
        .map(|capability| capability.name().to_owned())
        .collect();
    let rights = ApplicationRights::Member {
        role,
        status,
        permissions: permissions.application,
    };
    with_caller(|caller| {
        let own = caller.applications().iter();
        names.extend(
            own.filter(|each| rights.hold(each, catalogue))
                .map(|each| each.name().to_owned()),
        );
    });
    names.sort_unstable();
    names
}

/// The catalogue's role × capability table, one row for each capability that a role holds in an active organization.
/// What an application defines is in `private.capabilities`.
#[pg_extern(immutable, parallel_safe, strict)]
fn capabilities()
-> TableIterator<'static, (name!(role, &'static str), name!(capability, &'static str))> {
    TableIterator::new(Role::ALL.into_iter().flat_map(|role| {
        CapabilitySet::of_role(role)
            .iter()
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
             create table public.memberships (organization_id uuid, user_id uuid, role text, status text,
                 can_view_all_leads boolean default false, can_edit_lessons boolean default false,
                 can_push_to_n8n boolean default false, can_manage_users boolean default false,
                 permissions jsonb default '{{}}', allowed_dataset_ids uuid[], expires_at timestamptz);
             create table public.support_sessions (organization_id uuid, id uuid, admin_id uuid, capabilities text[],
                 opened_at timestamptz, expires_at timestamptz, closed_at timestamptz);
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
