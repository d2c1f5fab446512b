//! SQL surface of sealed credentials. The keys and the audit are tables that are read and written as their owner.

mod refusal;
mod store;

use crate::pg::error::{self, ErrorReport};
use crate::pg::json::{Json, JsonText};
use crate::pg::row::TriggerRow;
use crate::pg::uuid::to_core;
use crate::pg::{key, session, trigger};
use crate::tenant;
use pgrx::datum::Uuid;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::iter::TableIterator;
use pgrx::{AllocatedByPostgres, PgTrigger, name, pg_extern, pg_trigger};
use refusal::{refused, shape};
use std::ffi::CStr;
use switchboard_core::credential::{
    self, Context, CredentialError, Envelope, MAX_ENVELOPE_BYTES, MAX_PLAINTEXT_BYTES, ShapeError,
};

/// The roles that may call `seal` and `unseal`, judged by the outer role: a SECURITY DEFINER wrapper does not help.
const UNSEAL_ROLES: [&str; 1] = ["service_role"];

const API_ROLES: [&str; 3] = ["anon", "authenticated", "service_role"];

fn may_open(function: &str) -> Result<String, ErrorReport> {
    let role = session::outer_role();
    if UNSEAL_ROLES.contains(&role.as_str()) {
        return Ok(role);
    }
    Err(
        error::no_right(format!("{function} is for the service role"))
            .set_hint("Call it from a server that holds the service key, never from a client."),
    )
}

fn seal_for(
    plain: &str,
    organization: Uuid,
    row_id: &str,
    purpose: &str,
) -> Result<JsonText, ErrorReport> {
    let (version, key) = store::current_key(organization)?;
    let context = Context {
        purpose,
        organization: to_core(organization),
        row_id,
        version,
    };
    let envelope = credential::seal(&key, &context, plain).map_err(refused)?;
    Ok(JsonText::new(envelope.to_json()))
}

fn open_for(
    envelope: &Envelope,
    organization: Uuid,
    row_id: &str,
    purpose: &str,
) -> Result<JsonText, ErrorReport> {
    let version = envelope.version();
    let key = store::key_of_version(organization, version)?;
    let context = Context {
        purpose,
        organization: to_core(organization),
        row_id,
        version,
    };
    credential::open(&key, &context, envelope)
        .map(JsonText)
        .map_err(refused)
}

/// An envelope's text; no other value is printed for it.
fn envelope_text(value: &Json) -> Result<JsonText, ShapeError> {
    value.text(MAX_ENVELOPE_BYTES).ok_or(ShapeError::TooLong)
}

/// Seals a JSON object (≤ 64 KiB) for one row (id as text) of one organization and one purpose. Service role only.
///
/// # Errors
/// 42501 for other roles, 22023 for malformed input, 54000 above 64 KiB, 55000 without a key or with a wrong one.
#[pg_extern(volatile, parallel_unsafe, strict, cost = 1000)]
fn seal(
    plain: Json,
    organization_id: Uuid,
    row_id: &str,
    purpose: &str,
) -> Result<JsonText, ErrorReport> {
    may_open("seal")?;
    let plain = plain
        .text(MAX_PLAINTEXT_BYTES)
        .ok_or_else(|| refused(CredentialError::TooLarge))?;
    seal_for(&plain.0, organization_id, row_id, purpose)
}

/// Opens an envelope that was sealed for this row, organization and purpose; reason says what for. Service role
/// only. Each call is written to `private.unseal_audit` and to the server's log.
///
/// # Errors
/// 42501 for other roles, 22023 for an empty reason and for an envelope that is malformed, altered or another
/// row's, 55000 without the key it needs.
#[pg_extern(volatile, parallel_unsafe, strict, cost = 1000)]
fn unseal(
    envelope: Json,
    organization_id: Uuid,
    row_id: &str,
    purpose: &str,
    reason: &str,
) -> Result<JsonText, ErrorReport> {
    let role = may_open("unseal")?;
    if reason.trim().is_empty() {
        return Err(error::invalid_argument(
            "reason must say what the credentials are opened for",
        ));
    }
    let envelope = envelope_text(&envelope)
        .and_then(|text| Envelope::parse(&text.0))
        .map_err(shape)?;
    let opened = open_for(&envelope, organization_id, row_id, purpose);
    let result = if opened.is_ok() { "opened" } else { "refused" };
    // The log line stays when the transaction is rolled back; the row does not.
    let organization = to_core(organization_id);
    pgrx::log!(
        "switchboard: {result} {purpose:?} of organization {organization} row {row_id:?} for {role}: {reason:?}"
    );
    let opened = opened?;
    store::audit(&role, organization_id, row_id, purpose, reason, result)?;
    Ok(opened)
}

/// Whether the value has the shape of an envelope. Says nothing of who made it; needs no key.
#[pg_extern(immutable, parallel_safe, strict)]
fn is_sealed(value: Json) -> bool {
    envelope_text(&value).is_ok_and(|text| credential::is_sealed(&text.0))
}

/// What may be shown of sealed credentials: provider, region, last characters of account ids, "set" for the rest.
///
/// # Errors
/// 22023 for anything but an envelope.
#[pg_extern(immutable, parallel_safe, strict)]
fn credential_hint(value: Json) -> Result<JsonText, ErrorReport> {
    envelope_text(&value)
        .and_then(|text| credential::hint(&text.0))
        .map(JsonText::new)
        .map_err(shape)
}

/// True for an envelope. For CHECK constraints: it raises instead of answering false, because the message of a
/// failed CHECK prints the whole row.
///
/// # Errors
/// 22023, without the value, for anything else.
#[pg_extern(immutable, parallel_safe, strict)]
fn assert_sealed(value: Json) -> Result<bool, ErrorReport> {
    envelope_text(&value)
        .and_then(|text| Envelope::parse(&text.0))
        .map(|_| true)
        .map_err(shape)
}

/// Trigger, BEFORE INSERT OR UPDATE FOR EACH ROW without a column list, ENABLE ALWAYS, named to fire first.
/// Arguments: jsonb column, organization column, key column, purpose. Clear text becomes an envelope, an unchanged
/// envelope stays, any other must have been sealed for this very row.
///
/// It fires before row level security does and makes a key on first use, so whoever is subject to that seals for an
/// organization of their own only.
///
/// # Errors
/// as `seal`, 22023 for an envelope of another row, 42501 for another's organization.
#[pg_trigger]
fn seal_column<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, ErrorReport> {
    error::raised(seal_row(trigger).map(Some))
}

fn seal_row<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<PgHeapTuple<'a, AllocatedByPostgres>, ErrorReport> {
    let [name, organization_name, key_name, purpose] = trigger::arguments(
        trigger,
        ["column", "organization column", "key column", "purpose"],
    )?;
    let row = TriggerRow::of(trigger)?;
    let column = row.column::<Json>(name)?;
    let Some(value) = row.new_value(&column) else {
        return Ok(row.unchanged());
    };
    // Longer than any envelope is longer than any clear text, too.
    let value = envelope_text(&value).map_err(|_| refused(CredentialError::TooLarge))?;
    let organization_column = row.column::<Uuid>(organization_name)?;
    let key_column = row.column::<Uuid>(key_name)?;
    let required = |id: Option<Uuid>, missing: &CStr| {
        id.ok_or_else(|| {
            error::invalid_argument(format!(
                "{} must be given with {}",
                missing.to_string_lossy(),
                name.to_string_lossy()
            ))
        })
    };
    let organization = required(row.new_value(&organization_column), organization_name)?;
    let key_value = required(row.new_value(&key_column), key_name)?;
    let row_id = to_core(key_value).to_string();
    let purpose = purpose.to_string_lossy();
    // A stranger's row would make the organization's key, or say by its absence that there is no such organization.
    if !tenant::may_use(&row, organization) {
        return Err(row.refusal());
    }

    if let Ok(envelope) = Envelope::parse(&value.0) {
        let unchanged = row
            .old_value(&column)
            .flatten()
            .and_then(|was| was.text(MAX_ENVELOPE_BYTES))
            .is_some_and(|was| *was.0 == *value.0)
            && row.old_value(&organization_column) == Some(Some(organization))
            && row.old_value(&key_column) == Some(Some(key_value));
        if !unchanged {
            match open_for(&envelope, organization, &row_id, &purpose) {
                // A restore or a replica brings envelopes before, or without, the keys that open them. What an API
                // role sends must open.
                Err(_) if restoring() => {}
                result => drop(result?),
            }
        }
        return Ok(row.unchanged());
    }
    let sealed = seal_for(&value.0, organization, &row_id, &purpose)?;
    Ok(row.with([(&column, Some(Json::from(sealed)))]))
}

fn restoring() -> bool {
    session::is_replica()
        || (!key::available() && !API_ROLES.contains(&session::outer_role().as_str()))
}

/// Whether this server has a key ring to seal and open credentials with, or can load it, and the keys in it are those of
/// this database: false where `key_problems()` has a row. Owner only; `doctor()` reports it.
#[pg_extern(stable, parallel_restricted, strict, cost = 1000)]
fn key_loaded() -> bool {
    key::available() && problems().is_empty()
}

/// What is wrong with the loaded key ring, one row a root key that this database is sealed with: `not_in_ring`, `other_key`
/// (an id of the ring with other bytes), `opens_nothing` (a data key that does not open). None without a ring or the
/// schema. Owner only; `doctor()` reports it.
#[pg_extern(stable, parallel_restricted, strict, cost = 1000)]
fn key_problems() -> TableIterator<'static, (name!(kid, String), name!(problem, String))> {
    TableIterator::new(problems())
}

fn problems() -> Vec<(String, String)> {
    let name = |problem| match problem {
        CredentialError::UnknownKey { .. } => "not_in_ring",
        CredentialError::WrongKey { .. } => "other_key",
        _ => "opens_nothing",
    };
    store::key_problems()
        .unwrap_or_default()
        .into_iter()
        .map(|(kid, problem)| (kid, name(problem).to_owned()))
        .collect()
}

#[cfg(any(test, feature = "pg_test"))]
#[pgrx::pg_schema]
#[allow(clippy::disallowed_methods)] // tests may write
mod tests {
    use pgrx::prelude::*;

    /// Rings with one key under the id k1, and with another beside it.
    const RING: &[u8] = b"k1:00112233445566778899aabbccddeeff0102030405060708090a0b0c0d0e0f10";
    const FALSE_RING: &[u8] =
        b"k1:ff112233445566778899aabbccddeeff0102030405060708090a0b0c0d0e0f10";
    const OTHER_RING: &[u8] =
        b"k2:ff112233445566778899aabbccddeeff0102030405060708090a0b0c0d0e0f10";

    #[pg_test]
    fn a_ring_that_lacks_or_falsifies_a_key_in_use_is_not_loaded() {
        let told = |ring: &[u8]| {
            crate::pg::key::load_for_test(ring);
            Spi::get_one::<String>(
                "select switchboard.key_loaded() || coalesce((select string_agg(kid || ' ' || problem, ', ') \
                     from switchboard.key_problems()), '')",
            )
            .unwrap()
            .unwrap()
        };
        assert_eq!(told(RING), "true", "without the schema nothing is sealed");
        Spi::run(
            "create role service_role;
             create schema private;
             create table private.root_keys (kid text primary key, kcv bytea);
             create table private.tenant_keys (organization_id uuid, version int, root_kid text, wrap_salt bytea,
                 wrapped_key bytea, shredded_at timestamptz, primary key (organization_id, version));
             create table private.unseal_audit (outer_role text, user_id uuid, organization_id uuid, row_id text,
                 purpose text, reason text, result text);
             create table public.secrets (org uuid, id uuid, credentials jsonb);
             create trigger aaa_seal before insert or update on public.secrets for each row
                 execute function switchboard.seal_column('credentials', 'org', 'id', 'test')",
        )
        .unwrap();
        assert_eq!(told(OTHER_RING), "true", "nor before the first envelope");
        crate::pg::key::load_for_test(RING);
        Spi::run("insert into public.secrets values (gen_random_uuid(), gen_random_uuid(), '{\"authToken\": \"x\"}')").unwrap();
        assert_eq!(told(RING), "true");
        assert_eq!(told(FALSE_RING), "falsek1 other_key");
        assert_eq!(told(OTHER_RING), "falsek1 not_in_ring");
        // The check value can be made to fit the false key; what it wrapped cannot.
        Spi::run("create table public.true_kcv as select kcv from private.root_keys").unwrap();
        Spi::run("insert into public.secrets values (gen_random_uuid(), gen_random_uuid(), null)")
            .unwrap();
        Spi::run("delete from private.tenant_keys; delete from private.root_keys").unwrap();
        crate::pg::key::load_for_test(FALSE_RING);
        Spi::run("insert into public.secrets values (gen_random_uuid(), gen_random_uuid(), '{\"authToken\": \"x\"}')").unwrap();
        assert_eq!(told(FALSE_RING), "true");
        crate::pg::key::load_for_test(RING);
        Spi::run("update private.root_keys set kcv = (select kcv from public.true_kcv)").unwrap();
        assert_eq!(told(RING), "falsek1 opens_nothing");
        // A key that wraps nothing any more may go.
        Spi::run("update private.tenant_keys set wrapped_key = null, shredded_at = now()").unwrap();
        assert_eq!(told(OTHER_RING), "true");
    }

    #[pg_test]
    fn shape_functions_need_no_key() {
        let sealed = |value: &str| {
            Spi::get_one::<bool>(&format!("select switchboard.is_sealed('{value}')")).unwrap()
        };
        assert_eq!(sealed("{\"authToken\": \"x\"}"), Some(false));
        assert_eq!(sealed("[]"), Some(false));
        assert_eq!(sealed("{\"$sealed\": 1}"), Some(false));
    }

    #[pg_test(error = "seal is for the service role")]
    fn sealing_is_for_the_service_role() {
        Spi::run("select switchboard.seal('{}', gen_random_uuid(), 'x', 'y')").unwrap();
    }

    #[pg_test(error = "no credential key loaded: switchboard.key_file is not set")]
    fn without_a_key_nothing_is_stored_in_clear() {
        Spi::run(
            "create schema private;
             create table private.root_keys (kid text primary key, kcv bytea);
             create table private.tenant_keys (organization_id uuid, version int, root_kid text, wrap_salt bytea,
                 wrapped_key bytea, shredded_at timestamptz, primary key (organization_id, version));
             create table public.secrets (org uuid, id uuid, credentials jsonb);
             create trigger aaa_seal before insert or update on public.secrets for each row
                 execute function switchboard.seal_column('credentials', 'org', 'id', 'test');
             insert into public.secrets values (gen_random_uuid(), gen_random_uuid(), '{\"authToken\": \"canary\"}')",
        )
        .unwrap();
    }
}
