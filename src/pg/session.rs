//! Facts of the session: the role that the client acts as, settings by name, the statement's time.

use super::transaction;
use pgrx::datum::{FromDatum, IntoDatum, TimestampWithTimeZone, ToIsoString};
use pgrx::pg_sys;
use std::ffi::CStr;

/// The outer role: the value of `SET ROLE`, which stays what PostgREST set it to inside SECURITY DEFINER functions.
pub(crate) fn outer_role() -> String {
    // SAFETY: GetOuterUserId reads a variable that every session has; GetUserNameFromId(…, true) returns NULL or a
    // string palloc'ed in the current context, which we copy at once.
    unsafe {
        let name = pg_sys::GetUserNameFromId(plain::GetOuterUserId(), true);
        if name.is_null() {
            String::new()
        } else {
            CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    }
}

/// Functions of Postgres that read a variable and never raise, called a million times over by policies. pgrx's own
/// declarations save a jump buffer around each call, ten times its price.
mod plain {
    use pgrx::pg_sys;
    use std::ffi::c_char;

    unsafe extern "C" {
        pub(super) fn GetOuterUserId() -> pg_sys::Oid;
        pub(super) fn GetCurrentStatementStartTimestamp() -> pg_sys::TimestampTz;
        /// Raises for unknown names without `missing_ok`, and for privileged ones with `restrict_privileged`.
        pub(super) fn GetConfigOption(
            name: *const c_char,
            missing_ok: bool,
            restrict_privileged: bool,
        ) -> *const c_char;
        pub(super) fn ActiveSnapshotSet() -> bool;
        pub(super) fn GetActiveSnapshot() -> pg_sys::Snapshot;
    }
}

/// The outer role's id; see [`outer_role`].
pub(crate) fn outer_role_id() -> pg_sys::Oid {
    // SAFETY: reads a variable that every session has.
    unsafe { plain::GetOuterUserId() }
}

/// Looks at the bytes of a setting where they are; empty when it is not defined, since a setting that was local to an
/// earlier transaction reads back as empty too. `look` must not run anything that could change settings.
pub(crate) fn with_setting<R>(name: &CStr, look: impl FnOnce(&[u8]) -> R) -> R {
    // SAFETY: missing_ok makes an unknown name NULL; the string belongs to the GUC machinery and stays while no setting
    // changes.
    unsafe {
        let value = plain::GetConfigOption(name.as_ptr(), true, false);
        look(if value.is_null() {
            &[]
        } else {
            CStr::from_ptr(value).to_bytes()
        })
    }
}

/// When the current statement began: one statement sees one time.
pub(crate) fn statement_timestamp() -> Timestamp {
    // SAFETY: reads a variable.
    Timestamp(unsafe { plain::GetCurrentStatementStartTimestamp() })
}

/// The same in Unix seconds.
pub(crate) fn statement_time() -> i64 {
    const POSTGRES_EPOCH: i64 = 946_684_800;
    statement_timestamp().0.div_euclid(1_000_000) + POSTGRES_EPOCH
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

impl IntoDatum for Timestamp {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        Some(self.0.into())
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::TIMESTAMPTZOID
    }
}

/// What decides which rows a read-only query sees: two equal values in one backend see the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visibility {
    /// Number of the transaction within this backend.
    pub(crate) transaction: u32,
    xmin: u32,
    xmax: u32,
    /// Counts of running transactions and subtransactions; a server in recovery keeps them all in the second.
    running: (u32, i32),
    command: u32,
    undone: u64,
}

/// The statement's view of the database; `None` outside of one. For caches of one value: transaction and snapshot alone
/// would hide a change that the same transaction made, or undid.
pub(crate) fn visibility() -> Option<Visibility> {
    // SAFETY: an active snapshot is a valid pointer for as long as it is active, and a process with one has a MyProc.
    unsafe {
        if !plain::ActiveSnapshotSet() {
            return None;
        }
        let snapshot = &*plain::GetActiveSnapshot();
        #[cfg(feature = "pg17")]
        let local = (*pg_sys::MyProc).vxid.lxid;
        #[cfg(not(feature = "pg17"))]
        let local = (*pg_sys::MyProc).lxid;
        Some(Visibility {
            transaction: local,
            xmin: snapshot.xmin.into_inner(),
            xmax: snapshot.xmax.into_inner(),
            running: (snapshot.xcnt, snapshot.subxcnt),
            command: snapshot.curcid,
            undone: transaction::undone(),
        })
    }
}

/// Runs `work` under the snapshot of the calling statement, or a new one where there is none.
pub(crate) fn with_snapshot<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: inside a transaction, as every function call is. After an error the abort drops the snapshot.
    let pushed = unsafe {
        let missing = !plain::ActiveSnapshotSet();
        if missing {
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        }
        missing
    };
    let result = work();
    if pushed {
        // SAFETY: the one pushed above; `work` leaves the stack as it found it.
        unsafe { pg_sys::PopActiveSnapshot() };
    }
    result
}

/// Whether all statements of the transaction see one snapshot (REPEATABLE READ and above).
pub(crate) fn keeps_snapshot() -> bool {
    // SAFETY: read by value, on the backend's only thread.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as i32 }
}

/// Whether the session applies changes made elsewhere (`session_replication_role = replica`).
pub(crate) fn is_replica() -> bool {
    // SAFETY: reads a variable.
    let role = unsafe { pg_sys::SessionReplicationRole };
    role == pg_sys::SESSION_REPLICATION_ROLE_REPLICA as i32
}

/// Runs statements of ours with an empty `search_path`, so that no name in them is looked up along the caller's.
pub(crate) fn without_search_path<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: a setting that every session has, set for a level that is closed below; after an error the abort closes it.
    let level = unsafe {
        let level = pg_sys::NewGUCNestLevel();
        pg_sys::set_config_option(
            c"search_path".as_ptr(),
            c"".as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
        level
    };
    let result = work();
    // SAFETY: the level opened above.
    unsafe { pg_sys::AtEOXact_GUC(true, level) };
    result
}
