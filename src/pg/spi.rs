//! SPI as we allow it: kept plans, read-only where it reads, values copied out at once.
//!
//! pgrx's own `Spi::get_one` and friends assign a transaction id even for a SELECT, which breaks read replicas and
//! parallel plans, and decide read-only by "has this transaction written yet?", which would let a STABLE function see
//! a newer snapshot after the first write. Clippy refuses them; this file is the way.

use super::session;
use pgrx::datum::{FromDatum, IntoDatum};
use pgrx::pg_sys;
use pgrx::spi::Spi;
use std::cell::OnceCell;
use std::ffi::CString;
use std::marker::PhantomData;

/// Types of query parameters.
pub(crate) const UUID: pg_sys::Oid = pg_sys::UUIDOID;
/// See [`UUID`].
pub(crate) const TEXT: pg_sys::Oid = pg_sys::TEXTOID;
/// See [`UUID`].
pub(crate) const INT: pg_sys::Oid = pg_sys::INT4OID;
/// See [`UUID`].
pub(crate) const BIGINT: pg_sys::Oid = pg_sys::INT8OID;
/// See [`UUID`].
pub(crate) const BYTES: pg_sys::Oid = pg_sys::BYTEAOID;

/// A statement whose plan is made once and kept until this is dropped. Everything in its SQL must be schema-qualified,
/// operators too, unless it always runs under the same `search_path`.
pub(crate) struct Plan(pg_sys::SPIPlanPtr);

impl Plan {
    /// `arguments` are the types of `$1`, `$2` … Raises what is wrong with the statement.
    pub(crate) fn prepare(sql: &str, arguments: &[pg_sys::Oid]) -> Plan {
        let sql = CString::new(sql).expect("our SQL holds no NUL");
        Spi::connect(|_| {
            // SAFETY: inside an SPI connection; the text and the argument types outlive the call, which does not change the
            // latter; SPI_keepplan moves the plan out of the connection's memory.
            unsafe {
                // Our statements look rows up by key, whatever the parameters: planning the first five calls anew, as is
                // the default, would tell nothing.
                let plan = pg_sys::SPI_prepare_cursor(
                    sql.as_ptr(),
                    arguments.len() as i32,
                    arguments.as_ptr().cast_mut(),
                    pg_sys::CURSOR_OPT_GENERIC_PLAN as i32,
                );
                if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
                    let status = pg_sys::SPI_result;
                    pgrx::error!("SPI_prepare_cursor failed: {status}");
                }
                Plan(plan)
            }
        })
    }

    /// Runs the statement, under a new snapshot unless it only reads, and maps each row it returns.
    pub(crate) fn execute<T>(
        &self,
        parameters: &[Parameter],
        read_only: bool,
        mut map: impl FnMut(&ResultRow<'_>) -> T,
    ) -> Vec<T> {
        let mut values: Vec<_> = parameters
            .iter()
            .map(|p| p.0.unwrap_or(pg_sys::Datum::null()))
            .collect();
        let nulls: Vec<_> = parameters
            .iter()
            .map(|p| if p.0.is_some() { b' ' } else { b'n' } as _)
            .collect();
        Spi::connect(|_| {
            // SAFETY: inside an SPI connection. The arrays live through the call and are as long as the plan's argument
            // list; the result is read before the connection closes.
            unsafe {
                let status = pg_sys::SPI_execute_plan(
                    self.0,
                    values.as_mut_ptr(),
                    nulls.as_ptr(),
                    read_only,
                    0,
                );
                if status < 0 {
                    pgrx::error!("SPI_execute_plan failed: {status}");
                }
                let table = pg_sys::SPI_tuptable;
                if table.is_null() {
                    return Vec::new();
                }
                let rows = pg_sys::SPI_processed as usize;
                (0..rows)
                    .map(|i| {
                        map(&ResultRow {
                            tuple: *(*table).vals.add(i),
                            descriptor: (*table).tupdesc,
                            lifetime: PhantomData,
                        })
                    })
                    .collect()
            }
        })
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        // SAFETY: a kept plan that nothing else knows of, and that is not running: who runs it holds it.
        unsafe {
            pg_sys::SPI_freeplan(self.0);
        }
    }
}

/// One of our own queries: its plan is made once per backend and kept. Hold it in a `thread_local!`.
pub(crate) struct Query {
    sql: &'static str,
    arguments: &'static [pg_sys::Oid],
    plan: OnceCell<Plan>,
}

/// A parameter of a query; `None` is NULL.
pub(crate) struct Parameter(pub(super) Option<pg_sys::Datum>);

impl<T: IntoDatum> From<T> for Parameter {
    fn from(value: T) -> Self {
        Parameter(value.into_datum())
    }
}

/// A row of a result, valid while the callback runs.
pub(crate) struct ResultRow<'a> {
    tuple: pg_sys::HeapTuple,
    descriptor: pg_sys::TupleDesc,
    lifetime: PhantomData<&'a ()>,
}

impl ResultRow<'_> {
    /// Column `number` (from 1) as `T`, copied; `None` for NULL.
    pub(crate) fn get<T: FromDatum>(&self, number: i32) -> Option<T> {
        let mut is_null = false;
        // SAFETY: tuple and descriptor belong to the SPI result that is alive while ResultRow is; the column's type is the
        // one our own SQL casts it to, and FromDatum copies what is passed by reference into Rust memory.
        unsafe {
            let datum = pg_sys::SPI_getbinval(self.tuple, self.descriptor, number, &mut is_null);
            T::from_datum(datum, is_null)
        }
    }
}

impl Query {
    /// `arguments` are the types of `$1`, `$2` …
    pub(crate) const fn new(sql: &'static str, arguments: &'static [pg_sys::Oid]) -> Self {
        Query {
            sql,
            arguments,
            plan: OnceCell::new(),
        }
    }

    /// Runs a SELECT under the snapshot of the calling statement, or a new one where there is none, and maps each row.
    pub(crate) fn read<T>(
        &self,
        parameters: &[Parameter],
        map: impl FnMut(&ResultRow<'_>) -> T,
    ) -> Vec<T> {
        session::with_snapshot(|| self.execute(parameters, true, map))
    }

    /// Runs a statement that writes, under a new snapshot, and maps each row it returns.
    pub(crate) fn write<T>(
        &self,
        parameters: &[Parameter],
        map: impl FnMut(&ResultRow<'_>) -> T,
    ) -> Vec<T> {
        self.execute(parameters, false, map)
    }

    fn execute<T>(
        &self,
        parameters: &[Parameter],
        read_only: bool,
        map: impl FnMut(&ResultRow<'_>) -> T,
    ) -> Vec<T> {
        self.plan
            .get_or_init(|| Plan::prepare(self.sql, self.arguments))
            .execute(parameters, read_only, map)
    }
}
