//! Rows of one table by one uuid, read as the table's owner would read them: no plan, no executor, no privileges and no
//! row level security. What the tenant resolver pays in every statement of every request, where a kept plan costs twice
//! as much; everything else asks by [`super::spi`].
//!
//! It is what PostgreSQL does with its own catalogues (`systable_beginscan`), under the snapshot of the calling
//! statement. Predicate locks of SERIALIZABLE are taken as by any scan. Nothing here trusts a name: a table, column or
//! index that is not what the caller says gives no row, no value, or a slower scan.

use super::owner::Table;
use super::session;
use pgrx::datum::{FromDatum, IntoDatum};
use pgrx::htup::heap_getattr_raw;
use pgrx::pg_sys;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::num::NonZeroUsize;

/// The operator family of uuid in a btree (`pg_opfamily.dat`).
const UUID_OPERATORS: pg_sys::Oid = pg_sys::Oid::from_u32(2968);

/// Where to look.
pub(crate) struct By {
    pub(crate) table: Table,
    /// Its uuid column that is compared.
    pub(crate) column: &'static CStr,
    /// The btree index of that table whose first column that is. Without it every row is read.
    pub(crate) index: &'static CStr,
}

/// A row that was found, valid while the callback runs.
pub(crate) struct ScanRow<'a> {
    tuple: pg_sys::HeapTuple,
    columns: pg_sys::TupleDesc,
    lifetime: PhantomData<&'a ()>,
}

impl ScanRow<'_> {
    /// A column's value, copied; `None` for NULL and where the table has no such column of that type.
    pub(crate) fn get<T: FromDatum + IntoDatum>(&self, column: &CStr) -> Option<T> {
        self.nullable(column)?
    }

    /// The same for a column in which NULL means something: `Some(None)`.
    pub(crate) fn nullable<T: FromDatum + IntoDatum>(&self, column: &CStr) -> Option<Option<T>> {
        // SAFETY: tuple and description belong to the scan that the row is of, the number comes from the description,
        // the type is the one that T reads, and FromDatum copies what is passed by reference into Rust memory.
        unsafe {
            let number = number_of(self.columns, column, T::type_oid())?;
            let datum = heap_getattr_raw(self.tuple, number, self.columns);
            Some(datum.and_then(|datum| T::from_datum(datum, false)))
        }
    }
}

/// The rows whose column equals `value`, mapped, in no order; those that `map` has no answer for are left out. None
/// while there is no such table.
pub(crate) fn rows<T>(
    by: &By,
    value: uuid::Uuid,
    mut map: impl FnMut(&ScanRow<'_>) -> Option<T>,
) -> Vec<T> {
    let mut found = Vec::new();
    let Some(table) = by.table.oid() else {
        return found;
    };
    // SAFETY: inside a transaction and under an active snapshot. What is opened here is closed here; after an error the
    // transaction's resource owner does it. The key's value outlives the scan. The tuple of a systable scan stays until
    // the next one is asked for.
    session::with_snapshot(|| unsafe {
        let relation = Relation::open(table);
        if relation.is(pg_sys::RELKIND_RELATION)
            && let columns = (*relation.0).rd_att
            && let Some(number) = number_of(columns, by.column, pg_sys::UUIDOID)
        {
            let index = index_of(&relation, number, by.index);
            let value = value.into_bytes();
            let mut key = pg_sys::ScanKeyData::default();
            pg_sys::ScanKeyInit(
                &mut key,
                number.get() as pg_sys::AttrNumber,
                pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
                pg_sys::F_UUID_EQ.into(),
                value.as_ptr().into(),
            );
            let scan = pg_sys::systable_beginscan(
                relation.0,
                index.unwrap_or(pg_sys::InvalidOid),
                index.is_some(),
                pg_sys::GetActiveSnapshot(),
                1,
                &mut key,
            );
            loop {
                let tuple = pg_sys::systable_getnext(scan);
                if tuple.is_null() {
                    break;
                }
                found.extend(map(&ScanRow {
                    tuple,
                    columns,
                    lifetime: PhantomData,
                }));
            }
            pg_sys::systable_endscan(scan);
        }
        relation.close();
    });
    found
}

/// An open table or index. Its lock stays until the transaction ends, as those of a plan do: what one statement has read
/// is there for the next, which then finds the lock taken.
struct Relation(pg_sys::Relation);

impl Relation {
    /// Raises for one that has been dropped since its name was looked up.
    unsafe fn open(oid: pg_sys::Oid) -> Relation {
        // SAFETY: inside a transaction, as every function call is.
        Relation(unsafe { pg_sys::relation_open(oid, pg_sys::AccessShareLock as pg_sys::LOCKMODE) })
    }

    fn is(&self, kind: u8) -> bool {
        // SAFETY: open.
        unsafe { (*(*self.0).rd_rel).relkind as u8 == kind }
    }

    unsafe fn close(self) {
        // SAFETY: open, and used no more.
        unsafe { pg_sys::relation_close(self.0, pg_sys::NoLock as pg_sys::LOCKMODE) }
    }
}

/// The column of that name if it has that type. A dropped column has neither.
///
/// # Safety
/// `columns` describes an open relation.
unsafe fn number_of(
    columns: pg_sys::TupleDesc,
    name: &CStr,
    type_oid: pg_sys::Oid,
) -> Option<NonZeroUsize> {
    let name = name.to_bytes_with_nul();
    // SAFETY: the caller's promise.
    let all = unsafe { (*columns).attrs.as_slice((*columns).natts as usize) };
    let place = all.iter().position(|column| {
        // With the NUL that both end in; the other's length would have to be counted.
        std::iter::zip(name, &column.attname.data).all(|(a, b)| *a == *b as u8)
    })?;
    (all[place].atttypid == type_oid).then_some(NonZeroUsize::MIN.saturating_add(place))
}

/// The index of that name beside the table, if it finds every row that the active snapshot sees by that column: what
/// the planner asks of an index (`get_relation_info`).
///
/// # Safety
/// `table` is open.
unsafe fn index_of(table: &Relation, column: NonZeroUsize, name: &CStr) -> Option<pg_sys::Oid> {
    // SAFETY: the caller's promise; an open index has rd_index, rd_indextuple and an operator family for each column,
    // and indkey holds at least one number.
    unsafe {
        let oid = pg_sys::get_relname_relid(name.as_ptr(), (*(*table.0).rd_rel).relnamespace);
        if oid == pg_sys::InvalidOid {
            return None;
        }
        let index = Relation::open(oid);
        let fits = index.is(pg_sys::RELKIND_INDEX) && {
            let tuple = (*index.0).rd_indextuple;
            let facts = (*index.0).rd_index;
            let first = (&raw const (*facts).indkey.values).cast::<i16>();
            (*facts).indrelid == (*table.0).rd_id
                && (*facts).indisvalid
                && usize::try_from(first.read_unaligned()) == Ok(column.get())
                && (*index.0).rd_opfamily.read() == UUID_OPERATORS
                && pg_sys::heap_attisnull(
                    tuple,
                    pg_sys::Anum_pg_index_indpred as i32,
                    std::ptr::null_mut(),
                )
                && (!(*facts).indcheckxmin
                    || pg_sys::TransactionIdPrecedes(
                        pg_sys::HeapTupleHeaderGetXmin((*tuple).t_data),
                        pg_sys::TransactionXmin,
                    ))
        };
        index.close();
        fits.then_some(oid)
    }
}
