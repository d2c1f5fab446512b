//! The tables behind the credentials: root keys by id and check value, one wrapped data key per organization and
//! version, the audit of openings.

use super::refusal::refused;
use crate::pg::contract::TENANT_KEYS;
use crate::pg::error::{self, ErrorReport};
use crate::pg::key;
use crate::pg::owner::as_owner_of;
use crate::pg::spi::{self, Query, ResultRow};
use crate::pg::uuid::to_core;
use pgrx::datum::Uuid;
use switchboard_core::credential::{
    CredentialError, TenantKey, unwrap_tenant_key, wrap_tenant_key,
};

thread_local! {
    /// `$2` NULL asks for the newest version. Read in a new snapshot: a key made by a concurrent transaction counts.
    static KEY: Query = const { Query::new(
        "select t.version, t.root_kid, t.wrap_salt, t.wrapped_key, k.kcv, \
         pg_catalog.to_char(pg_catalog.timezone('UTC', t.shredded_at), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') \
         from private.tenant_keys t \
         join private.root_keys k on k.kid operator(pg_catalog.=) t.root_kid \
         where t.organization_id operator(pg_catalog.=) $1 \
         and ($2 is null or t.version operator(pg_catalog.=) $2) \
         order by t.version desc limit 1",
        &[spi::UUID, spi::INT],
    ) };
    static REGISTER_ROOT: Query = const { Query::new(
        "insert into private.root_keys (kid, kcv) values ($1, $2) on conflict (kid) do nothing",
        &[spi::TEXT, spi::BYTES],
    ) };
    static ROOT_CHECK_VALUE: Query = const { Query::new(
        "select k.kcv from private.root_keys k where k.kid operator(pg_catalog.=) $1",
        &[spi::TEXT],
    ) };
    static ADD_KEY: Query = const { Query::new(
        "insert into private.tenant_keys (organization_id, version, root_kid, wrap_salt, wrapped_key) \
         values ($1, 1, $2, $3, $4) on conflict (organization_id, version) do nothing",
        &[spi::UUID, spi::TEXT, spi::BYTES, spi::BYTES],
    ) };
    /// Every root key that this database knows, each with one data key that it wraps, if it still wraps one.
    static ROOTS: Query = const { Query::new(
        "select k.kid, k.kcv, t.organization_id, t.version, t.wrap_salt, t.wrapped_key \
         from private.root_keys k \
         left join lateral ( \
             select u.organization_id, u.version, u.wrap_salt, u.wrapped_key from private.tenant_keys u \
             where u.root_kid operator(pg_catalog.=) k.kid and u.wrapped_key is not null limit 1 \
         ) t on true \
         order by k.kid",
        &[],
    ) };
    static AUDIT: Query = const { Query::new(
        "insert into private.unseal_audit (outer_role, user_id, organization_id, row_id, purpose, reason, result) \
         values ($1, switchboard.user_id(), $2, $3, $4, $5, $6)",
        &[spi::TEXT, spi::UUID, spi::TEXT, spi::TEXT, spi::TEXT, spi::TEXT],
    ) };
}

/// A row of KEY.
struct Stored {
    version: i32,
    root_kid: String,
    /// Both gone once the organization is shredded.
    salt: Option<Vec<u8>>,
    wrapped: Option<Vec<u8>>,
    root_check_value: Vec<u8>,
    shredded_at: Option<String>,
}

fn stored(row: &ResultRow<'_>) -> Option<Stored> {
    Some(Stored {
        version: row.get(1)?,
        root_kid: row.get(2)?,
        salt: row.get(3),
        wrapped: row.get(4),
        root_check_value: row.get(5)?,
        shredded_at: row.get(6),
    })
}

fn find(organization: Uuid, version: Option<i32>) -> Option<Stored> {
    KEY.with(|query| query.write(&[organization.into(), version.into()], stored))
        .into_iter()
        .flatten()
        .next()
}

impl Stored {
    fn unwrap(self, organization: Uuid) -> Result<(u32, TenantKey), ErrorReport> {
        if let Some(at) = self.shredded_at {
            return Err(error::not_ready(format!(
                "the credentials of this organization were shredded at {at}"
            )));
        }
        let version = u32::try_from(self.version).map_err(error::internal)?;
        let key = key::with_ring(|ring| {
            let root = ring
                .verified(&self.root_kid, &self.root_check_value)
                .map_err(refused)?;
            unwrap_tenant_key(
                root,
                to_core(organization),
                version,
                &self.salt.unwrap_or_default(),
                &self.wrapped.unwrap_or_default(),
            )
            .map_err(refused)
        })?;
        Ok((version, key))
    }
}

/// The organization's newest data key, made on first use.
pub(super) fn current_key(organization: Uuid) -> Result<(u32, TenantKey), ErrorReport> {
    with_tables(|| match find(organization, None) {
        Some(key) => key.unwrap(organization),
        None => {
            create(organization)?;
            find(organization, None)
                .ok_or_else(|| {
                    error::not_ready("another transaction is making this organization's key")
                        .set_hint("Try again.")
                })?
                .unwrap(organization)
        }
    })
}

/// The organization's data key of that version.
pub(super) fn key_of_version(organization: Uuid, version: u32) -> Result<TenantKey, ErrorReport> {
    with_tables(|| {
        let stored = i32::try_from(version)
            .ok()
            .and_then(|n| find(organization, Some(n)));
        match stored {
            Some(key) => Ok(key.unwrap(organization)?.1),
            // The same answer as for an altered envelope: which of the two it is, is not the caller's to know.
            None => Err(refused(CredentialError::NotForThisRow)),
        }
    })
}

fn create(organization: Uuid) -> Result<(), ErrorReport> {
    key::with_ring(|ring| {
        let active = ring.active();
        let kid = || active.kid().to_owned();
        REGISTER_ROOT
            .with(|query| query.write(&[kid().into(), active.kcv().to_vec().into()], |_| ()));
        let known = ROOT_CHECK_VALUE
            .with(|query| query.write(&[kid().into()], |row| row.get::<Vec<u8>>(1)))
            .into_iter()
            .flatten()
            .next()
            .unwrap_or_default();
        let root = ring.verified(active.kid(), &known).map_err(refused)?;
        let key = TenantKey::generate().map_err(refused)?;
        let wrapped = wrap_tenant_key(root, to_core(organization), 1, &key).map_err(refused)?;
        let parameters = [
            organization.into(),
            kid().into(),
            wrapped.salt.to_vec().into(),
            wrapped.wrapped.to_vec().into(),
        ];
        ADD_KEY.with(|query| query.write(&parameters, |_| ()));
        Ok(())
    })
}

/// What is wrong with the ring for a key that this database knows: its id and the core's refusal. A key that wraps
/// nothing any more may be gone from the ring.
pub(super) fn key_problems() -> Result<Vec<(String, CredentialError)>, ErrorReport> {
    let roots = with_tables(|| {
        Ok(ROOTS.with(|query| {
            query.read(&[], |row| {
                let wrapped: Option<(Uuid, i32, Vec<u8>, Vec<u8>)> =
                    (|| Some((row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?)))();
                (row.get::<String>(1), row.get::<Vec<u8>>(2), wrapped)
            })
        }))
    })?;
    key::with_ring(|ring| {
        let mut problems = Vec::new();
        for (kid, check_value, wrapped) in roots {
            let kid = kid.unwrap_or_default();
            let usable = ring
                .verified(&kid, &check_value.unwrap_or_default())
                .and_then(|root| match &wrapped {
                    Some((organization, version, salt, key)) => {
                        let version = u32::try_from(*version).unwrap_or_default();
                        unwrap_tenant_key(root, to_core(*organization), version, salt, key)
                            .map(drop)
                    }
                    None => Ok(()),
                });
            match usable {
                Ok(()) => {}
                Err(CredentialError::UnknownKey { .. }) if wrapped.is_none() => {}
                Err(problem) => problems.push((kid, problem)),
            }
        }
        Ok(problems)
    })
}

/// Writes one row of the audit.
pub(super) fn audit(
    role: &str,
    organization: Uuid,
    row_id: &str,
    purpose: &str,
    reason: &str,
    result: &str,
) -> Result<(), ErrorReport> {
    with_tables(|| {
        let parameters = [
            role.into(),
            organization.into(),
            row_id.into(),
            purpose.into(),
            reason.into(),
            result.into(),
        ];
        AUDIT.with(|query| query.write(&parameters, |_| ()));
        Ok(())
    })
}

fn with_tables<R>(work: impl FnOnce() -> Result<R, ErrorReport>) -> Result<R, ErrorReport> {
    let table = TENANT_KEYS.oid().ok_or_else(|| {
        error::not_ready("the table private.tenant_keys is missing")
            .set_hint("Apply the schema: supabase db push.")
    })?;
    as_owner_of(table, work)
}
