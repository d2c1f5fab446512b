//! The row that a BEFORE ROW trigger is about to write, read in place and changed in one step: what an insert of a
//! million rows pays a million times.

use super::error::{self, ErrorReport};
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::htup::heap_getattr_raw;
use pgrx::{AllocatedByPostgres, FromDatum, IntoDatum, PgTrigger, PgTupleDesc, pg_sys};
use std::ffi::{CStr, c_int};
use std::marker::PhantomData;
use std::num::NonZeroUsize;

/// The row and, on UPDATE, the one that it replaces.
pub(crate) struct TriggerRow<'a> {
    new: pg_sys::HeapTuple,
    old: Option<pg_sys::HeapTuple>,
    relation: pg_sys::Relation,
    trigger: PhantomData<&'a ()>,
}

/// A column of the trigger's table, of a type that `T` reads and writes.
pub(crate) struct Column<T> {
    number: NonZeroUsize,
    reads: PhantomData<T>,
}

impl<'a> TriggerRow<'a> {
    /// # Errors
    /// 39P01 when the trigger is not BEFORE INSERT OR UPDATE FOR EACH ROW.
    pub(crate) fn of(trigger: &'a PgTrigger<'a>) -> Result<Self, ErrorReport> {
        let event = trigger.event();
        let data = trigger.trigger_data();
        let (new, old) = match (event.fired_by_insert(), event.fired_by_update()) {
            (true, _) => (data.tg_trigtuple, None),
            (_, true) => (data.tg_newtuple, Some(data.tg_trigtuple)),
            _ => (std::ptr::null_mut(), None),
        };
        if new.is_null() || !event.fired_before() || !event.fired_for_row() {
            return Err(error::wrong_trigger(format!(
                "trigger {} must be BEFORE INSERT OR UPDATE FOR EACH ROW",
                trigger.name().unwrap_or("?")
            )));
        }
        Ok(TriggerRow {
            new,
            old,
            relation: data.tg_relation,
            trigger: PhantomData,
        })
    }

    fn columns(&self) -> pg_sys::TupleDesc {
        // SAFETY: the relation is the one that the trigger fires for, open until it returns.
        unsafe { (*self.relation).rd_att }
    }

    /// The column of that name.
    ///
    /// # Errors
    /// 39P01 when the table has no such column of that type.
    pub(crate) fn column<T: IntoDatum>(&self, name: &CStr) -> Result<Column<T>, ErrorReport> {
        // SAFETY: a description that outlives the call, a C string, and a number that the first call gave.
        let (number, type_oid) = unsafe {
            let number = pg_sys::SPI_fnumber(self.columns(), name.as_ptr());
            (number, pg_sys::SPI_gettypeid(self.columns(), number))
        };
        match usize::try_from(number).ok().and_then(NonZeroUsize::new) {
            Some(number) if T::is_compatible_with(type_oid) => Ok(Column {
                number,
                reads: PhantomData,
            }),
            found => Err(error::wrong_trigger(format!(
                "column {} named by the trigger {}",
                name.to_string_lossy(),
                match found {
                    Some(_) => "has another type than the trigger works with",
                    None => "does not exist",
                }
            ))),
        }
    }

    /// The value about to be written; `None` for NULL.
    pub(crate) fn new_value<T: FromDatum>(&self, column: &Column<T>) -> Option<T> {
        self.value(self.new, column)
    }

    /// The value to be replaced; `None` on INSERT.
    pub(crate) fn old_value<T: FromDatum>(&self, column: &Column<T>) -> Option<Option<T>> {
        self.old.map(|old| self.value(old, column))
    }

    fn value<T: FromDatum>(&self, tuple: pg_sys::HeapTuple, column: &Column<T>) -> Option<T> {
        // SAFETY: a tuple of the relation, a number of one of its columns, and a type that `column` compared.
        unsafe {
            let datum = heap_getattr_raw(tuple, column.number, self.columns());
            T::from_datum(datum.unwrap_or(pg_sys::Datum::null()), datum.is_none())
        }
    }

    /// The row as it came.
    pub(crate) fn unchanged(self) -> PgHeapTuple<'a, AllocatedByPostgres> {
        let new = self.new;
        self.returned(new)
    }

    /// The row with other values in some columns. Without a column, nothing is written for it.
    pub(crate) fn with<'c, T: IntoDatum + 'c, const N: usize>(
        self,
        values: [(impl Into<Option<&'c Column<T>>>, Option<T>); N],
    ) -> PgHeapTuple<'a, AllocatedByPostgres> {
        let mut numbers = [0; N];
        let mut datums = [pg_sys::Datum::null(); N];
        let mut nulls = [true; N];
        let mut count = 0;
        for (column, value) in values {
            let Some(column) = column.into() else {
                continue;
            };
            numbers[count] = column.number.get() as c_int;
            if let Some(datum) = value.and_then(IntoDatum::into_datum) {
                datums[count] = datum;
                nulls[count] = false;
            }
            count += 1;
        }
        // SAFETY: three arrays of at least that length, numbers of the relation's columns, values of their types.
        let new = unsafe {
            pg_sys::heap_modify_tuple_by_cols(
                self.new,
                self.columns(),
                count as c_int,
                numbers.as_mut_ptr(),
                datums.as_mut_ptr(),
                nulls.as_mut_ptr(),
            )
        };
        self.returned(new)
    }

    fn returned(self, new: pg_sys::HeapTuple) -> PgHeapTuple<'a, AllocatedByPostgres> {
        // SAFETY: a tuple of the relation that this description is of; both live until the trigger has returned.
        unsafe { PgHeapTuple::from_heap_tuple(PgTupleDesc::from_pg_unchecked(self.columns()), new) }
    }

    /// Whether row level security decides about the row when the triggers are done: not for a role that bypasses it, such
    /// as the tables' owner and the service role. Until then the row's organization is only what the statement says.
    pub(crate) fn is_undecided(&self) -> bool {
        // SAFETY: an open relation; with noError nothing is raised for `row_security = off`, which refuses later.
        unsafe {
            let table = (*self.relation).rd_id;
            let enforced = pg_sys::check_enable_rls(table, pg_sys::InvalidOid, true);
            enforced == pg_sys::CheckEnableRlsResult::RLS_ENABLED as c_int
        }
    }

    /// What row level security raises for a row that it refuses, in its own words: whoever is refused early learns no
    /// more than whoever is refused late.
    pub(crate) fn refusal(&self) -> ErrorReport {
        // SAFETY: an open relation has its row of pg_class, and that its name.
        let table = unsafe { CStr::from_ptr((*(*self.relation).rd_rel).relname.data.as_ptr()) };
        error::no_right(format!(
            "new row violates row-level security policy for table \"{}\"",
            table.to_string_lossy()
        ))
    }

    /// The row's primary key, to say which of many it is: `organization_id = …, id = …`. `None` for a table without
    /// one. Holds what the statement itself gave.
    pub(crate) fn key(&self) -> Option<String> {
        // SAFETY: relation and tuple live; the bitmap holds numbers of the relation's own columns, none below one, for
        // a primary key has no system column.
        unsafe {
            let key = pg_sys::RelationGetIndexAttrBitmap(
                self.relation,
                pg_sys::IndexAttrBitmapKind::INDEX_ATTR_BITMAP_PRIMARY_KEY,
            );
            let mut parts = Vec::new();
            let mut member = pg_sys::bms_next_member(key, -1);
            while member >= 0 {
                let number = member + pg_sys::FirstLowInvalidHeapAttributeNumber;
                let name = text(pg_sys::SPI_fname(self.columns(), number));
                let value = text(pg_sys::SPI_getvalue(self.new, self.columns(), number));
                parts.push(format!("{name} = {value}"));
                member = pg_sys::bms_next_member(key, member);
            }
            (!parts.is_empty()).then(|| parts.join(", "))
        }
    }
}

/// # Safety
/// `text` is NULL or a C string.
unsafe fn text(text: *mut std::ffi::c_char) -> String {
    if text.is_null() {
        return "null".to_owned();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
