//! Acting as a table's owner, the way Postgres' own referential-integrity triggers do.
//!
//! Our queries and our counter updates must not depend on what the calling role may see. They run as the owner of one
//! named table, never as the extension's owner (a superuser), and every name and operator in their SQL is qualified.

use pgrx::pg_sys;
use std::ffi::CStr;

/// A table by its name; those of the contract with `sql/schema` are in [`super::contract`].
#[derive(Clone, Copy)]
pub(crate) struct Table {
    /// Its schema.
    pub(crate) schema: &'static CStr,
    /// Its name.
    pub(crate) name: &'static CStr,
}

impl Table {
    /// Its oid; `None` while the schema is not installed.
    pub(crate) fn oid(self) -> Option<pg_sys::Oid> {
        // SAFETY: catalogue look-ups by static C strings that answer InvalidOid for unknown names.
        let oid = unsafe {
            let schema = pg_sys::get_namespace_oid(self.schema.as_ptr(), true);
            if schema == pg_sys::InvalidOid {
                return None;
            }
            pg_sys::get_relname_relid(self.name.as_ptr(), schema)
        };
        (oid != pg_sys::InvalidOid).then_some(oid)
    }
}

/// Runs `work` as the owner of `table`, with the caller's rights restored afterwards, also when it fails.
pub(crate) fn as_owner_of<R>(table: pg_sys::Oid, work: impl FnOnce() -> R) -> R {
    let _switched = Switched::to(owner(table));
    work()
}

fn owner(table: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: a pinned catalogue tuple of class pg_class is read and released; a missing one means that the table went
    // away under us, which we turn into the current user (no more rights than the caller has).
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::RELOID as _, table.into());
        if tuple.is_null() {
            return pg_sys::GetUserId();
        }
        let class = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_class>();
        let owner = (*class).relowner;
        pg_sys::ReleaseSysCache(tuple);
        owner
    }
}

struct Switched {
    user: pg_sys::Oid,
    context: i32,
}

impl Switched {
    fn to(owner: pg_sys::Oid) -> Switched {
        let mut user = pg_sys::InvalidOid;
        let mut context = 0;
        // SAFETY: both out-pointers are ours. LOCAL_USERID_CHANGE forbids SET ROLE inside; NOFORCE_RLS lets an owner
        // read a table with FORCE ROW LEVEL SECURITY, which is what Postgres' own foreign keys do.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&mut user, &mut context);
            let flags = pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_NOFORCE_RLS;
            pg_sys::SetUserIdAndSecContext(owner, context | flags as i32);
        }
        Switched { user, context }
    }
}

impl Drop for Switched {
    fn drop(&mut self) {
        // SAFETY: restores what `to` read. It only assigns variables, so it cannot fail while unwinding.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) }
    }
}
