//! Whether this database's catalogue was made for this library, asked of each native function before a backend calls it
//! for the first time.
//!
//! The library is newer where the extension's files were replaced and `alter extension … update` has not run, and older
//! where the server was not restarted. PostgreSQL knows a function's code by its C symbol alone: it would hand over an
//! integer where the code takes it for the address of a text.

use super::error::{self, ErrorReport};
use pgrx::datum::FromDatum;
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;

/// Symbol, argument types and result of every native function, a line each.
const SIGNATURES: &str = include_str!("../../sql/extension/signatures.txt");

/// `ClanguageId`, which pgrx does not declare (`pg_language.dat`).
const C_LANGUAGE: pg_sys::Oid = pg_sys::Oid::from_u32(13);

type Hook = unsafe extern "C-unwind" fn(
    pg_sys::ObjectAccessType::Type,
    pg_sys::Oid,
    pg_sys::Oid,
    c_int,
    *mut c_void,
);

/// Whoever was asked before us.
static PREVIOUS: OnceLock<Option<Hook>> = OnceLock::new();

thread_local! {
    /// Functions that this backend need not look at again. The argument types of one never change.
    static KNOWN: RefCell<HashSet<pg_sys::Oid>> = RefCell::default();
}

/// Has PostgreSQL ask before it prepares a call of any function. Trigger functions, which take no SQL argument, are not
/// asked about. A backend that loads the library for the sake of a function is past that moment, so it looks at all.
pub(super) fn init() {
    // SAFETY: the hook and the flags are plain variables of the one thread; what is called is a function of ours.
    unsafe {
        if PREVIOUS.set(pg_sys::object_access_hook).is_ok() {
            pg_sys::object_access_hook = Some(on_access);
        }
        let in_a_backend = !pg_sys::process_shared_preload_libraries_in_progress
            && pg_sys::IsTransactionState()
            && !pg_sys::creating_extension;
        if in_a_backend && let Some(schema) = schema() {
            each_function_in(schema, |tuple| raise(inspect(tuple, schema)));
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_access(
    access: pg_sys::ObjectAccessType::Type,
    class: pg_sys::Oid,
    object: pg_sys::Oid,
    part: c_int,
    argument: *mut c_void,
) {
    if let Some(Some(previous)) = PREVIOUS.get() {
        // SAFETY: as PostgreSQL would have called it. The boundary makes a panic of the error that it may raise, so that
        // nothing jumps over our frames.
        #[allow(ffi_unwind_calls)]
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| previous(access, class, object, part, argument));
        }
    }
    if access == pg_sys::ObjectAccessType::OAT_FUNCTION_EXECUTE
        && object.to_u32() >= pg_sys::FirstNormalObjectId
        && !KNOWN.with_borrow(|known| known.contains(&object))
    {
        raise(check(object));
        KNOWN.with_borrow_mut(|known| known.insert(object));
    }
}

fn raise(verdict: Result<(), ErrorReport>) {
    if let Err(problem) = verdict {
        problem.report(PgLogLevel::ERROR);
    }
}

fn schema() -> Option<pg_sys::Oid> {
    // SAFETY: a catalogue look-up by a static C string that answers InvalidOid for an unknown name.
    let oid = unsafe { pg_sys::get_namespace_oid(c"switchboard".as_ptr(), true) };
    (oid != pg_sys::InvalidOid).then_some(oid)
}

fn check(function: pg_sys::Oid) -> Result<(), ErrorReport> {
    let Some(schema) = schema() else {
        return Ok(());
    };
    // SAFETY: a pinned catalogue tuple of class pg_proc is read and released; a missing one is the caller's to report.
    unsafe {
        let tuple =
            pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::PROCOID as _, function.into());
        if tuple.is_null() {
            return Ok(());
        }
        let verdict = inspect(tuple, schema);
        pg_sys::ReleaseSysCache(tuple);
        verdict
    }
}

/// Well for what is not native code in our schema, and for what the library has as the catalogue says it.
///
/// # Safety
/// `tuple` is one of pg_proc.
unsafe fn inspect(tuple: pg_sys::HeapTuple, schema: pg_sys::Oid) -> Result<(), ErrorReport> {
    // SAFETY: the caller's promise; proargtypes is the first column of variable length, so the struct reaches to it, and
    // holds pronargs oids.
    unsafe {
        let function = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_proc>();
        if (*function).prolang != C_LANGUAGE || (*function).pronamespace != schema {
            return Ok(());
        }
        let count = (*function).pronargs as usize;
        let first = (&raw const (*function).proargtypes.values).cast::<pg_sys::Oid>();
        let arguments: Vec<_> = (0..count).map(|i| first.add(i).read_unaligned()).collect();
        // Of a function that returns a table, its columns come behind the arguments.
        let columns = attribute::<Vec<pg_sys::Oid>>(tuple, pg_sys::Anum_pg_proc_proallargtypes)
            .map(|all| format!("({})", names(&all[count.min(all.len())..])))
            .unwrap_or_default();
        let signature = format!(
            "{}({}) {}{}{columns}",
            attribute::<String>(tuple, pg_sys::Anum_pg_proc_prosrc).unwrap_or_default(),
            names(&arguments),
            if (*function).proretset { "setof " } else { "" },
            names(&[(*function).prorettype]),
        );
        if SIGNATURES.lines().any(|line| line == signature) {
            return Ok(());
        }
        let name = CStr::from_ptr((*function).proname.data.as_ptr()).to_string_lossy();
        Err(outdated(&name, &signature))
    }
}

fn outdated(name: &str, signature: &str) -> ErrorReport {
    error::not_ready(format!(
        "the catalogue of this database and the library of switchboard are of two versions: switchboard.{name}"
    ))
    .set_detail(format!(
        "The catalogue says {signature}; version {} of the library, which this server runs, has no such function.",
        env!("CARGO_PKG_VERSION")
    ))
    .set_hint(
        "Restart the server if it has run since before the extension's files were installed; then run: alter extension \
         switchboard update. A database that unreleased code has made is made anew.",
    )
}

/// # Safety
/// `tuple` is one of pg_proc, and the column of the type that `T` reads.
unsafe fn attribute<T: FromDatum>(tuple: pg_sys::HeapTuple, column: u32) -> Option<T> {
    let mut is_null = false;
    // SAFETY: the caller's promise; FromDatum copies.
    unsafe {
        let datum = pg_sys::SysCacheGetAttr(
            pg_sys::SysCacheIdentifier::PROCOID as _,
            tuple,
            column as pg_sys::AttrNumber,
            &mut is_null,
        );
        T::from_datum(datum, is_null)
    }
}

/// Types by the names in the catalogue, which no search_path changes.
fn names(types: &[pg_sys::Oid]) -> String {
    let names: Vec<_> = types.iter().map(|oid| name(*oid)).collect();
    names.join(",")
}

fn name(oid: pg_sys::Oid) -> String {
    // SAFETY: a pinned catalogue tuple of class pg_type is read and released.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::TYPEOID as _, oid.into());
        if tuple.is_null() {
            return "?".into();
        }
        let found = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_type>();
        let name = CStr::from_ptr((*found).typname.data.as_ptr())
            .to_string_lossy()
            .into_owned();
        pg_sys::ReleaseSysCache(tuple);
        name
    }
}

/// # Safety
/// Inside a transaction.
unsafe fn each_function_in(schema: pg_sys::Oid, mut look: impl FnMut(pg_sys::HeapTuple)) {
    // SAFETY: the caller's promise. What is opened here is closed here; after an error the transaction's resource owner
    // does it. Without a snapshot the scan takes the catalogue's.
    unsafe {
        let table = pg_sys::table_open(
            pg_sys::ProcedureRelationId,
            pg_sys::AccessShareLock as pg_sys::LOCKMODE,
        );
        let mut key = pg_sys::ScanKeyData::default();
        pg_sys::ScanKeyInit(
            &mut key,
            pg_sys::Anum_pg_proc_pronamespace as pg_sys::AttrNumber,
            pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
            pg_sys::F_OIDEQ.into(),
            schema.into(),
        );
        let scan = pg_sys::systable_beginscan(
            table,
            pg_sys::InvalidOid,
            false,
            std::ptr::null_mut(),
            1,
            &mut key,
        );
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            look(tuple);
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(table, pg_sys::NoLock as pg_sys::LOCKMODE);
    }
}
