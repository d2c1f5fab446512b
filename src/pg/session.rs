//! Facts of the session: the role that the client acts as, settings by name, the statement's time.

use pgrx::datum::{FromDatum, TimestampWithTimeZone, ToIsoString};
use pgrx::pg_sys;
use std::ffi::CStr;

/// The outer role: the value of `SET ROLE`, which stays what PostgREST set it to inside SECURITY DEFINER functions.
pub(crate) fn outer_role() -> String {
    // SAFETY: GetOuterUserId reads a variable that every session has; GetUserNameFromId(…, true) returns NULL or a
    // string palloc'ed in the current context, which we copy at once.
    unsafe {
        let name = pg_sys::GetUserNameFromId(pg_sys::GetOuterUserId(), true);
        if name.is_null() {
            String::new()
        } else {
            CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    }
}

/// The bytes of a setting; empty when it is not defined, since a setting that was local to an earlier transaction
/// reads back as empty too.
pub(crate) fn setting(name: &CStr) -> Vec<u8> {
    // SAFETY: missing_ok makes an unknown name NULL; the string belongs to the GUC machinery and is copied before
    // anything else can run.
    unsafe {
        let value = pg_sys::GetConfigOption(name.as_ptr(), true, false);
        if value.is_null() {
            Vec::new()
        } else {
            CStr::from_ptr(value).to_bytes().to_vec()
        }
    }
}

/// When the current statement began, in Unix seconds: one statement sees one time.
pub(crate) fn statement_time() -> i64 {
    // SAFETY: reads a variable.
    let microseconds = unsafe { pg_sys::GetCurrentStatementStartTimestamp() };
    const POSTGRES_EPOCH: i64 = 946_684_800;
    microseconds.div_euclid(1_000_000) + POSTGRES_EPOCH
}

/// A `timestamptz` as Postgres counts it: microseconds since 2000-01-01 UTC, the two infinities at the ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(pub(crate) i64);

impl Timestamp {
    /// ISO 8601 text with offset, as Postgres writes a `timestamptz` in JSON.
    pub(crate) fn to_iso(self) -> Option<String> {
        TimestampWithTimeZone::try_from(self.0)
            .ok()
            .map(|at| at.to_iso_string())
    }
}

impl FromDatum for Timestamp {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _: pg_sys::Oid,
    ) -> Option<Self> {
        (!is_null).then(|| Timestamp(datum.value() as i64))
    }
}

/// What decides which rows a read-only query sees: two equal values in one backend see the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visibility {
    transaction: u32,
    xmin: u32,
    xmax: u32,
    running: u32,
    command: u32,
}

/// The statement's view of the database; `None` outside of one. For caches of one value: transaction and snapshot alone
/// would hide a change that the same transaction made.
pub(crate) fn visibility() -> Option<Visibility> {
    // SAFETY: an active snapshot is a valid pointer for as long as it is active, and a process with one has a MyProc.
    unsafe {
        if !pg_sys::ActiveSnapshotSet() {
            return None;
        }
        let snapshot = &*pg_sys::GetActiveSnapshot();
        #[cfg(feature = "pg17")]
        let transaction = (*pg_sys::MyProc).vxid.lxid;
        #[cfg(not(feature = "pg17"))]
        let transaction = (*pg_sys::MyProc).lxid;
        Some(Visibility {
            transaction,
            xmin: snapshot.xmin.into_inner(),
            xmax: snapshot.xmax.into_inner(),
            running: snapshot.xcnt,
            command: snapshot.curcid,
        })
    }
}

/// Whether the session applies changes made elsewhere (`session_replication_role = replica`).
pub(crate) fn is_replica() -> bool {
    // SAFETY: reads a variable.
    let role = unsafe { pg_sys::SessionReplicationRole };
    role == pg_sys::SESSION_REPLICATION_ROLE_REPLICA as i32
}
