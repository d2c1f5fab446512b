//! Who asks, with what the tables say of them: memberships, open support sessions, the organization that the request is
//! for. Used by the functions of `tenant.rs` alone.

use crate::pg::claims::{self, Request};
use crate::pg::contract::{
    CAPABILITIES, MEMBERSHIPS_OF, ORGANIZATION, PLATFORM_ADMINS, PROFILE, SUPPORT_SESSIONS,
};
use crate::pg::json::JsonText;
use crate::pg::owner::as_owner_of;
use crate::pg::scan::{self, ScanRow};
use crate::pg::session::{self, Timestamp, Visibility};
use crate::pg::spi::{self, Query, ResultRow};
use crate::pg::uuid::{to_core, to_sql};
use pgrx::datum::Uuid;
use std::cell::{Cell, OnceCell, RefCell};
use switchboard_core::tenant::{
    ApplicationCapability, ApplicationRights, Capability, CapabilitySet, Flags, Membership,
    OrganizationStatus, Principal, Reason, Requested, Role, Source, Standing, effective,
    is_application_name, parse_permissions, resolve,
};

/// So many memberships and support sessions are served, by id; nobody has more.
const MEMBERSHIPS_SERVED: usize = 256;

thread_local! {
    /// Of several open sessions for one organization the newest counts.
    static SUPPORT_SESSIONS_OF: Query = const { Query::new(
        "select s.organization_id, o.slug, s.id, s.capabilities, s.expires_at \
         from private.platform_admins a \
         join public.support_sessions s on s.admin_id operator(pg_catalog.=) a.user_id \
         join public.organizations o on o.id operator(pg_catalog.=) s.organization_id \
         where a.user_id operator(pg_catalog.=) $1 and s.closed_at is null \
         and s.expires_at operator(pg_catalog.>) pg_catalog.statement_timestamp() \
         order by s.opened_at desc, s.id",
        &[spi::UUID],
    ) };
    static APPLICATION_CAPABILITIES: Query = const { Query::new(
        "select c.name, c.roles from private.capabilities c",
        &[],
    ) };
    static ORGANIZATION_BY_SLUG: Query = const { Query::new(
        "select o.id from public.organizations o where o.slug operator(pg_catalog.=) $1",
        &[spi::TEXT],
    ) };
    static IS_PLATFORM_ADMIN: Query = const { Query::new(
        "select true from private.platform_admins a where a.user_id operator(pg_catalog.=) $1",
        &[spi::UUID],
    ) };
}

/// Who asks.
pub(super) struct Caller {
    /// What the token and the session's role make of them.
    pub(super) principal: Principal,
    /// Active memberships and open support sessions by organization; of the two a membership wins.
    pub(super) memberships: Vec<Membership>,
    /// Which source named the organization, even when it named one for nothing.
    pub(super) source: Option<Source>,
    /// Why a user has no organization.
    pub(super) reason: Option<Reason>,
    /// Place in `memberships` of the one in force.
    current: Option<usize>,
    /// The organization that the service role names in a header, if it exists. It has no other way to name one.
    service_organization: Option<uuid::Uuid>,
    /// What the application defines, sorted by name; read when a name is asked for that the catalogue does not hold.
    applications: OnceCell<Vec<ApplicationCapability>>,
}

impl Caller {
    /// The membership in force.
    pub(super) fn membership(&self) -> Option<&Membership> {
        self.memberships.get(self.current?)
    }

    /// The caller's membership or support session of an organization.
    pub(super) fn membership_of(&self, organization: uuid::Uuid) -> Option<&Membership> {
        self.memberships
            .iter()
            .find(|m| m.organization_id == organization)
    }

    /// Whether the caller holds the capability of that name in an organization, whichever the request is for.
    pub(super) fn has_capability(&self, organization: uuid::Uuid, name: &str) -> bool {
        let user = match self.principal {
            Principal::Nobody => return false,
            Principal::Service => {
                return self.is_capability(name) && slug_of(organization).is_some();
            }
            Principal::User(user) => user,
        };
        let held = self
            .membership_of(organization)
            .filter(|m| self.held_by(m, name).is_some());
        if let Some(Standing::Support(session)) = held.map(|m| m.standing) {
            log_support(user, session, organization);
        }
        held.is_some()
    }

    /// Whether the caller sees a dataset of an organization, whichever the request is for; `None` asks for all of them.
    pub(super) fn in_dataset_scope(
        &self,
        organization: uuid::Uuid,
        dataset: Option<uuid::Uuid>,
    ) -> bool {
        match self.principal {
            Principal::Service => slug_of(organization).is_some(),
            _ => self.membership_of(organization).is_some_and(|m| {
                m.dataset_scope
                    .as_ref()
                    .is_none_or(|scope| dataset.is_some_and(|id| scope.contains(&id)))
            }),
        }
    }

    /// The organization that the request works for.
    pub(super) fn organization(&self) -> Option<uuid::Uuid> {
        match self.principal {
            Principal::Service => self.service_organization,
            _ => self.membership().map(|m| m.organization_id),
        }
    }

    /// The same if the caller holds the capability of that name there.
    pub(super) fn organization_for(&self, name: &str) -> Option<uuid::Uuid> {
        match self.principal {
            Principal::Service => self
                .service_organization
                .filter(|_| self.is_capability(name)),
            _ => self.held_by(self.membership()?, name),
        }
    }

    /// The organization of a membership, if that has the capability of that name. The catalogue is asked first.
    fn held_by(&self, membership: &Membership, name: &str) -> Option<uuid::Uuid> {
        match Capability::from_name(name) {
            Some(capability) => membership.organization_for(capability),
            None => membership.organization_for_application(self.application(name)?),
        }
    }

    fn is_capability(&self, name: &str) -> bool {
        Capability::from_name(name).is_some() || self.application(name).is_some()
    }

    /// The application's capability of that name.
    fn application(&self, name: &str) -> Option<&ApplicationCapability> {
        // No table is read for what can be nobody's name.
        if !is_application_name(name) {
            return None;
        }
        let all = self.applications();
        let place = all.binary_search_by(|each| each.name().cmp(name)).ok()?;
        Some(&all[place])
    }

    /// Every capability that the application defines, sorted by name.
    pub(super) fn applications(&self) -> &[ApplicationCapability] {
        self.applications.get_or_init(application_capabilities)
    }

    fn until(&self) -> Timestamp {
        let first = self.memberships.iter().filter_map(|m| m.expires_at).min();
        Timestamp(first.unwrap_or(i64::MAX))
    }

    fn load(request: &Request) -> Caller {
        let mut caller = Caller {
            principal: request.principal,
            memberships: Vec::new(),
            source: None,
            reason: None,
            current: None,
            service_organization: None,
            applications: OnceCell::new(),
        };
        match request.principal {
            Principal::Nobody => {}
            Principal::Service => caller.service_organization = named_organization(request),
            Principal::User(user) => caller.load_user(user, request),
        }
        caller
    }

    /// Reads the tables; without them (extension installed, schema not) the caller belongs nowhere.
    fn load_user(&mut self, user: uuid::Uuid, request: &Request) {
        self.memberships = scan::rows(&MEMBERSHIPS_OF, user, membership);
        if request.claims.assurance_level.as_deref() == Some("aal2") {
            self.load_support_sessions(user);
        }
        self.memberships.sort_unstable_by_key(|m| m.organization_id);
        self.memberships.truncate(MEMBERSHIPS_SERVED);
        let resolution = resolve(
            &request.headers,
            &request.claims.active_organization,
            || default_organization(user),
            &self.memberships,
        );
        self.source = resolution.source;
        self.reason = resolution.reason;
        self.current = resolution.membership.and_then(|found| {
            self.memberships
                .iter()
                .position(|m| m.organization_id == found.organization_id)
        });
        if let Some(Membership {
            organization_id,
            standing: Standing::Support(session),
            ..
        }) = self.membership()
        {
            log_support(user, *session, *organization_id);
        }
    }

    fn load_support_sessions(&mut self, user: uuid::Uuid) {
        let Some(table) = SUPPORT_SESSIONS.oid() else {
            return;
        };
        let sessions = as_owner_of(table, || {
            SUPPORT_SESSIONS_OF.with(|query| query.read(&[to_sql(user).into()], support_session))
        });
        for session in sessions.into_iter().flatten() {
            if self.membership_of(session.organization_id).is_none() {
                self.memberships.push(session);
            }
        }
    }
}

/// A row of `memberships`; `None` for one that is not in force, and for a role, status or permissions that this version
/// does not know.
fn membership(row: &ScanRow<'_>) -> Option<Membership> {
    if row.get::<String>(c"status")? != "active" {
        return None;
    }
    let expires_at = row.nullable::<Timestamp>(c"expires_at")?;
    if expires_at.is_some_and(|at| at <= session::statement_timestamp()) {
        return None;
    }
    let role = Role::from_name(&row.get::<String>(c"role")?)?;
    let flags = Flags {
        view_all_leads: row.get(c"can_view_all_leads")?,
        edit_lessons: row.get(c"can_edit_lessons")?,
        push_to_n8n: row.get(c"can_push_to_n8n")?,
        manage_users: row.get(c"can_manage_users")?,
    };
    let permissions = parse_permissions(&row.get::<JsonText>(c"permissions")?.0).ok()?;
    let dataset_scope = row.nullable::<Vec<Option<Uuid>>>(c"allowed_dataset_ids")?;
    let organization_id = to_core(row.get(c"organization_id")?);
    let (slug, status) = scan::rows(&ORGANIZATION, organization_id, |row| {
        let status = OrganizationStatus::from_name(&row.get::<String>(c"status")?)?;
        Some((row.get::<String>(c"slug")?, status))
    })
    .pop()?;
    Some(Membership {
        organization_id,
        slug,
        standing: Standing::Member(role),
        capabilities: effective(role, flags, &permissions, status),
        application: ApplicationRights::Member {
            role,
            status,
            permissions: permissions.application,
        },
        dataset_scope: dataset_scope.map(|ids| ids.into_iter().flatten().map(to_core).collect()),
        expires_at: expires_at.map(|at| at.0),
    })
}

/// What `private.capabilities` defines; a row that this version cannot read defines nothing.
fn application_capabilities() -> Vec<ApplicationCapability> {
    let Some(table) = CAPABILITIES.oid() else {
        return Vec::new();
    };
    let rows = as_owner_of(table, || {
        APPLICATION_CAPABILITIES.with(|query| {
            query.read(&[], |row| {
                let roles: Vec<Option<String>> = row.get(2)?;
                let roles: Option<Vec<String>> = roles.into_iter().collect();
                ApplicationCapability::new(row.get(1)?, roles?.iter().map(String::as_str))
            })
        })
    });
    ApplicationCapability::all(rows.into_iter().flatten().collect())
}

/// The organization that the user's profile names.
fn default_organization(user: uuid::Uuid) -> Option<uuid::Uuid> {
    scan::rows(&PROFILE, user, |row| row.get(c"default_organization_id"))
        .pop()
        .map(to_core)
}

/// A row of SUPPORT_SESSIONS_OF: what it names that only reads. The organization's status does not matter: support is
/// asked for when things have stopped.
fn support_session(row: &ResultRow<'_>) -> Option<Membership> {
    let names: Vec<String> = row
        .get::<Vec<Option<String>>>(4)?
        .into_iter()
        .flatten()
        .collect();
    let capabilities = names
        .iter()
        .filter_map(|name| Capability::from_name(name))
        .filter(|capability| capability.only_reads())
        .collect::<CapabilitySet>()
        .without_unread();
    Some(Membership {
        organization_id: to_core(row.get(1)?),
        slug: row.get(2)?,
        standing: Standing::Support(to_core(row.get(3)?)),
        capabilities,
        application: ApplicationRights::Support(names),
        dataset_scope: None,
        expires_at: Some(row.get::<Timestamp>(5)?.0),
    })
}

/// The organization in the headers, if it exists and they agree.
fn named_organization(request: &Request) -> Option<uuid::Uuid> {
    let headers = &request.headers;
    match (&headers.organization_id, &headers.organization_slug) {
        (Requested::Present(id), Requested::Absent) => slug_of(*id).map(|_| *id),
        (Requested::Absent, Requested::Present(slug)) => {
            let found = as_owner_of(ORGANIZATION.table.oid()?, || {
                ORGANIZATION_BY_SLUG
                    .with(|query| query.read(&[slug.clone().into()], |row| row.get::<Uuid>(1)))
            });
            found.into_iter().flatten().map(to_core).next()
        }
        (Requested::Present(id), Requested::Present(slug)) => {
            (slug_of(*id).as_ref() == Some(slug)).then_some(*id)
        }
        _ => None,
    }
}

fn slug_of(organization: uuid::Uuid) -> Option<String> {
    scan::rows(&ORGANIZATION, organization, |row| row.get(c"slug")).pop()
}

/// Whether the request is a platform admin's, signed in with a second factor (`aal2`).
pub(super) fn is_platform_admin() -> bool {
    let user = claims::with_request(|request| match request.principal {
        Principal::User(user) if request.claims.assurance_level.as_deref() == Some("aal2") => {
            Some(user)
        }
        _ => None,
    });
    let (Some(user), Some(table)) = (user, PLATFORM_ADMINS.oid()) else {
        return false;
    };
    as_owner_of(table, || {
        let admin = IS_PLATFORM_ADMIN
            .with(|query| query.read(&[to_sql(user).into()], |row| row.get::<bool>(1)));
        admin.contains(&Some(true))
    })
}

/// A caller as the tables described it to one view of the database.
struct Known {
    request: u64,
    visibility: Visibility,
    /// When the first of the caller's memberships and support sessions expires. A transaction may last longer than
    /// that without any change that a snapshot could show.
    until: Timestamp,
    caller: Caller,
}

thread_local! {
    static LAST: Cell<Option<Box<Known>>> = const { Cell::new(None) };
    /// The support sessions whose use the log has, and in which transaction.
    static LOGGED: RefCell<(u32, Vec<uuid::Uuid>)> = const { RefCell::new((0, Vec::new())) };
}

/// Answers a question about the caller of the current statement. `answer` only looks: after an error the next question
/// reads the tables again.
pub(super) fn with_caller<R>(answer: impl FnOnce(&Caller) -> R) -> R {
    claims::with_request(|request| {
        // Without a view of the database there is nothing to know a caller by.
        let Some(visibility) = session::visibility() else {
            return answer(&Caller::load(request));
        };
        LAST.with(|last| {
            let known = match last.take() {
                Some(known) if known.holds(request, visibility) => known,
                _ => {
                    let caller = Caller::load(request);
                    Box::new(Known {
                        request: request.number,
                        visibility,
                        until: caller.until(),
                        caller,
                    })
                }
            };
            let result = answer(&known.caller);
            last.set(Some(known));
            result
        })
    })
}

impl Known {
    fn holds(&self, request: &Request, visibility: Visibility) -> bool {
        self.request == request.number
            && self.visibility == visibility
            && session::statement_timestamp() < self.until
    }
}

/// Writes the use of a support session into the server's log, one line a transaction.
fn log_support(user: uuid::Uuid, session_id: uuid::Uuid, organization: uuid::Uuid) {
    let transaction = session::visibility().map_or(0, |seen| seen.transaction);
    let is_new = LOGGED.with_borrow_mut(|(last, sessions)| {
        if std::mem::replace(last, transaction) != transaction {
            sessions.clear();
        }
        let is_new = !sessions.contains(&session_id);
        if is_new {
            sessions.push(session_id);
        }
        is_new
    });
    if is_new {
        pgrx::log!(
            "switchboard: support session {session_id}: platform admin {user} reads organization {organization}"
        );
    }
}
