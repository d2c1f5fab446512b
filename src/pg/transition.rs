//! The rows that a statement changed, as its AFTER trigger finds them, and predicates and keys read from them in place.
//!
//! Everything that does not change between two statements is kept for a trigger until its table does: which column is
//! which, how a value is compared, and the plans of its statements.

use super::error::{self, ErrorReport};
use super::spi::Parameter;
use pgrx::{PgTrigger, pg_guard, pg_sys, varlena};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_int};
use std::rc::Rc;
use switchboard_core::stats::Predicate;

/// A column of the trigger's table.
#[derive(Clone, Copy)]
struct Column {
    number: c_int,
    type_oid: pg_sys::Oid,
    length: i16,
    by_value: bool,
}

/// A [`Predicate`] on rows of one table.
pub(crate) enum Test {
    Always,
    IsTrue(c_int),
    IsNull(c_int, bool),
    In(Comparison, bool),
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
}

/// A column that is compared with literals as SQL does, by the equality of its type.
pub(crate) struct Comparison {
    column: c_int,
    values: Vec<pg_sys::Datum>,
    equality: pg_sys::FmgrInfo,
    collation: pg_sys::Oid,
    /// Equal texts are equal bytes.
    is_plain_text: bool,
}

/// The columns of a key: which parent a row counts for.
pub(crate) struct Key {
    columns: Vec<Column>,
}

/// The schema `pg_catalog`, by the number that it has in every database.
const PG_CATALOG: pg_sys::Oid = pg_sys::Oid::from_u32(11);

/// Reads columns by their names.
pub(crate) struct Table<'a> {
    trigger: &'a PgTrigger<'a>,
    columns: pg_sys::TupleDesc,
}

impl<'a> Table<'a> {
    pub(crate) fn of(trigger: &'a PgTrigger<'a>) -> Self {
        // SAFETY: the relation that the trigger fires for is open until it returns.
        let columns = unsafe { (*trigger.trigger_data().tg_relation).rd_att };
        Self { trigger, columns }
    }

    /// The table's name as SQL takes it, wherever the search path leads.
    pub(crate) fn quoted_name(&self) -> String {
        // SAFETY: the open relation that the trigger fires for; the names are C strings, of which copies are made.
        unsafe {
            let relation = self.trigger.trigger_data().tg_relation;
            let form = &*(*relation).rd_rel;
            let schema = pg_sys::get_namespace_name(form.relnamespace);
            let name = pg_sys::quote_qualified_identifier(schema, form.relname.data.as_ptr());
            CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    }

    fn column(&self, name: &str) -> Result<(Column, &pg_sys::FormData_pg_attribute), ErrorReport> {
        let missing = || {
            error::wrong_trigger(format!(
                "column {name} named by the trigger {} does not exist",
                self.trigger.name().unwrap_or("?")
            ))
        };
        let name = CString::new(name).map_err(error::internal)?;
        // SAFETY: a description that outlives the call and a C string; the attribute exists where its number is positive.
        unsafe {
            let number = pg_sys::SPI_fnumber(self.columns, name.as_ptr());
            if number <= 0 {
                return Err(missing());
            }
            let columns = &*self.columns;
            let attribute = &columns.attrs.as_slice(columns.natts as usize)[number as usize - 1];
            let column = Column {
                number,
                type_oid: attribute.atttypid,
                length: attribute.attlen,
                by_value: attribute.attbyval,
            };
            Ok((column, attribute))
        }
    }

    /// # Errors
    /// 39P01 for an unknown column.
    pub(crate) fn columns<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Key, ErrorReport> {
        let columns = names
            .map(|name| Ok(self.column(name)?.0))
            .collect::<Result<_, _>>()?;
        Ok(Key { columns })
    }

    /// Columns that are compared with the parent's.
    ///
    /// # Errors
    /// 39P01 for an unknown column, 22023 for a type whose equality is not PostgreSQL's.
    pub(crate) fn key<'n>(
        &self,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Result<Key, ErrorReport> {
        for name in names.clone() {
            self.own_equality(name, self.column(name)?.0)?;
        }
        self.columns(names)
    }

    /// # Errors
    /// 39P01 for an unknown column, 22023 for one whose type knows no equality or no truth. Postgres raises for a literal
    /// that is none of the type.
    pub(crate) fn test(&self, predicate: Option<&Predicate>) -> Result<Test, ErrorReport> {
        let number = |name: &str| self.column(name).map(|(column, _)| column.number);
        let inner = |predicate: &Predicate| self.test(Some(predicate)).map(Box::new);
        Ok(match predicate {
            None => Test::Always,
            Some(Predicate::IsTrue(name)) => {
                let (column, _) = self.column(name)?;
                if column.type_oid != pg_sys::BOOLOID {
                    return Err(error::invalid_argument(format!(
                        "column {name} is not boolean"
                    )));
                }
                Test::IsTrue(column.number)
            }
            Some(Predicate::IsNull(name, positive)) => Test::IsNull(number(name)?, *positive),
            Some(Predicate::In(name, values, positive)) => {
                Test::In(self.comparison(name, values)?, *positive)
            }
            Some(Predicate::Not(a)) => Test::Not(inner(a)?),
            Some(Predicate::And(a, b)) => Test::And(inner(a)?, inner(b)?),
            Some(Predicate::Or(a, b)) => Test::Or(inner(a)?, inner(b)?),
        })
    }

    /// The statements on the parent compare with the operators of `pg_catalog`, and so must we.
    fn own_equality(&self, name: &str, column: Column) -> Result<pg_sys::Oid, ErrorReport> {
        // SAFETY: the type cache gives an entry for every type; the function of an equality exists.
        unsafe {
            let entry =
                pg_sys::lookup_type_cache(column.type_oid, pg_sys::TYPECACHE_EQ_OPR_FINFO as c_int);
            let equality = (*entry).eq_opr_finfo.fn_oid;
            if equality == pg_sys::InvalidOid || pg_sys::get_func_namespace(equality) != PG_CATALOG
            {
                return Err(error::invalid_argument(format!(
                    "column {name} has a type without an equality of PostgreSQL's own"
                )));
            }
            Ok(equality)
        }
    }

    fn comparison(&self, name: &str, values: &[String]) -> Result<Comparison, ErrorReport> {
        let (column, attribute) = self.column(name)?;
        let collation = attribute.attcollation;
        if is_time(column.type_oid) {
            return Err(error::invalid_argument(format!(
                "column {name} holds times: what a literal means there depends on the session"
            )));
        }
        // SAFETY: what is made here is kept as long as the trigger's other parts, which is why it is made in memory that
        // stays for the life of the backend: a few bytes a trigger, made anew only when its table changes. The type's input
        // function takes a C string.
        unsafe {
            let own = self.own_equality(name, column)?;
            let old = pg_sys::MemoryContextSwitchTo(pg_sys::TopMemoryContext);
            let mut equality = pg_sys::FmgrInfo::default();
            pg_sys::fmgr_info_cxt(own, &mut equality, pg_sys::TopMemoryContext);
            let (mut input, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
            pg_sys::getTypeInputInfo(column.type_oid, &mut input, &mut parameter);
            let values = values
                .iter()
                .map(|value| {
                    let text = CString::new(value.as_str()).map_err(error::internal)?;
                    Ok(pg_sys::OidInputFunctionCall(
                        input,
                        text.as_ptr().cast_mut(),
                        parameter,
                        -1,
                    ))
                })
                .collect::<Result<Vec<_>, ErrorReport>>();
            pg_sys::MemoryContextSwitchTo(old);
            Ok(Comparison {
                column: column.number,
                values: values?,
                equality,
                collation,
                is_plain_text: [pg_sys::TEXTOID, pg_sys::VARCHAROID].contains(&column.type_oid)
                    && pg_sys::get_collation_isdeterministic(collation),
            })
        }
    }
}

/// Whether the type is one of the date and time types, or an interval.
fn is_time(type_oid: pg_sys::Oid) -> bool {
    let (mut category, mut is_preferred) = (0, false);
    // SAFETY: a type of a column, and room for the answers.
    unsafe { pg_sys::get_type_category_preferred(type_oid, &mut category, &mut is_preferred) };
    matches!(category as u8, b'D' | b'T')
}

impl Key {
    pub(crate) fn types(&self) -> impl Iterator<Item = pg_sys::Oid> {
        self.columns.iter().map(|column| column.type_oid)
    }
}

/// A row of a transition table, while it is looked at.
pub(crate) struct Row(*mut pg_sys::TupleTableSlot);

impl Row {
    fn value(&self, number: c_int) -> Option<pg_sys::Datum> {
        // SAFETY: the slot holds a row of the trigger's table, of which this is a column; deforming fills the arrays up to
        // it.
        unsafe {
            let slot = &mut *self.0;
            if c_int::from(slot.tts_nvalid) < number {
                pg_sys::slot_getsomeattrs_int(self.0, number);
            }
            let index = number as usize - 1;
            (!*slot.tts_isnull.add(index)).then(|| *slot.tts_values.add(index))
        }
    }

    pub(crate) fn passes(&self, test: &Test) -> bool {
        match test {
            Test::Always => true,
            Test::IsTrue(column) => self.value(*column).is_some_and(|value| value.value() != 0),
            Test::IsNull(column, positive) => self.value(*column).is_none() == *positive,
            Test::In(comparison, positive) => self
                .value(comparison.column)
                .is_some_and(|value| comparison.has(value) == *positive),
            Test::Not(inner) => !self.passes(inner),
            Test::And(a, b) => self.passes(a) && self.passes(b),
            Test::Or(a, b) => self.passes(a) || self.passes(b),
        }
    }

    /// Writes the key's bytes; `false` for a key with a NULL.
    pub(crate) fn write_key(&self, key: &Key, image: &mut Vec<u8>) -> bool {
        image.clear();
        for column in &key.columns {
            let Some(datum) = self.value(column.number) else {
                return false;
            };
            // SAFETY: a value of the column's type, of the length that the type has.
            unsafe { column.append(datum, image) };
        }
        true
    }

    /// The bytes of some columns, NULLs too: equal for equal values.
    pub(crate) fn image(&self, columns: &Key) -> Vec<u8> {
        let mut image = Vec::new();
        for column in &columns.columns {
            let value = self.value(column.number);
            image.push(u8::from(value.is_some()));
            if let Some(datum) = value {
                // SAFETY: a value of the column's type.
                unsafe { column.append(datum, &mut image) };
            }
        }
        image
    }

    /// The key's values, copied into memory that lasts until the trigger returns.
    pub(crate) fn key(&self, key: &Key) -> Vec<Parameter> {
        let copy = |column: &Column| {
            // SAFETY: as above; the copy is made in the current context, which outlives the trigger's call.
            let copied = self
                .value(column.number)
                .map(|datum| unsafe { column.copy(datum) });
            Parameter(copied)
        };
        key.columns.iter().map(copy).collect()
    }
}

impl Column {
    /// # Safety
    /// `datum` is a value of the column.
    unsafe fn append(&self, datum: pg_sys::Datum, image: &mut Vec<u8>) {
        // SAFETY: by reference, the value has the type's fixed length, or says its own.
        unsafe {
            if self.by_value {
                image.extend_from_slice(&datum.value().to_be_bytes());
            } else if self.length > 0 {
                let bytes = datum.cast_mut_ptr::<u8>();
                image.extend_from_slice(std::slice::from_raw_parts(bytes, self.length as usize));
            } else {
                with_bytes(datum, |bytes| {
                    image.extend_from_slice(&bytes.len().to_be_bytes());
                    image.extend_from_slice(bytes);
                });
            }
        }
    }

    /// # Safety
    /// As for `append`.
    unsafe fn copy(&self, datum: pg_sys::Datum) -> pg_sys::Datum {
        // SAFETY: as for append.
        unsafe {
            if self.by_value {
                return datum;
            }
            if self.length > 0 {
                let copy = pg_sys::palloc(self.length as usize).cast::<u8>();
                std::ptr::copy_nonoverlapping(
                    datum.cast_mut_ptr::<u8>(),
                    copy,
                    self.length as usize,
                );
                return pg_sys::Datum::from(copy);
            }
            pg_sys::Datum::from(pg_sys::pg_detoast_datum_copy(datum.cast_mut_ptr()))
        }
    }
}

/// The bytes of a value that lies in the row as it is: nearly every short one.
///
/// # Safety
/// `datum` is a varlena, and outlives the answer.
unsafe fn bytes_in_place<'a>(datum: pg_sys::Datum) -> Option<&'a [u8]> {
    let value = datum.cast_mut_ptr::<pg_sys::varlena>();
    // SAFETY: the header says whether it is in place; what is has a length word that the slice is made by.
    unsafe {
        let is_short = varlena::varatt_is_1b(value) && !varlena::varatt_is_1b_e(value);
        (is_short || varlena::varatt_is_4b_u(value)).then(|| varlena::varlena_to_byte_slice(value))
    }
}

/// Calls `look` with the bytes of a value, and frees what they were unpacked into: else a statement over a thousand long
/// texts would hold them all.
///
/// # Safety
/// `datum` is a varlena.
unsafe fn with_bytes<T>(datum: pg_sys::Datum, look: impl FnOnce(&[u8]) -> T) -> T {
    // SAFETY: the function answers the value itself or a copy that is ours; nothing of it is kept.
    unsafe {
        if let Some(bytes) = bytes_in_place(datum) {
            return look(bytes);
        }
        let packed = datum.cast_mut_ptr::<pg_sys::varlena>();
        let plain = pg_sys::pg_detoast_datum_packed(packed);
        let answer = look(varlena::varlena_to_byte_slice(plain));
        if plain != packed {
            pg_sys::pfree(plain.cast());
        }
        answer
    }
}

impl Comparison {
    fn has(&self, value: pg_sys::Datum) -> bool {
        // SAFETY: values of one type and its equality, which takes two and answers a boolean. Texts are read through their
        // own length words.
        unsafe {
            if self.is_plain_text {
                let known = |value: &pg_sys::Datum| {
                    varlena::varlena_to_byte_slice(value.cast_mut_ptr::<pg_sys::varlena>())
                };
                if let Some(bytes) = bytes_in_place(value) {
                    return self.values.iter().any(|value| known(value) == bytes);
                }
                // A long text is not unpacked to be found another than a short one.
                let length = pg_sys::toast_raw_datum_size(value) - std::mem::size_of::<i32>();
                return self.values.iter().any(|value| known(value).len() == length)
                    && with_bytes(value, |bytes| {
                        self.values.iter().any(|value| known(value) == bytes)
                    });
            }
            let equality = std::ptr::from_ref(&self.equality).cast_mut();
            self.values.iter().any(|known| {
                pg_sys::FunctionCall2Coll(equality, self.collation, value, *known).value() != 0
            })
        }
    }
}

/// Which of a statement's rows.
#[derive(Clone, Copy)]
pub(crate) enum Rows {
    Old,
    New,
}

/// Looks at each row of a transition table.
///
/// # Errors
/// 39P01 when the trigger has none.
pub(crate) fn each_row(
    trigger: &PgTrigger<'_>,
    rows: Rows,
    mut look: impl FnMut(&Row),
) -> Result<(), ErrorReport> {
    let data = trigger.trigger_data();
    let store = match rows {
        Rows::Old => data.tg_oldtable,
        Rows::New => data.tg_newtable,
    };
    if store.is_null() {
        return Err(error::wrong_trigger(format!(
            "trigger {} must be AFTER … FOR EACH STATEMENT with transition tables",
            trigger.name().unwrap_or("?")
        )));
    }
    // SAFETY: the statement's rows, which Postgres keeps until its last trigger has returned. A read pointer of our own, as
    // other triggers have theirs. The slot is of the table's rows and is dropped at the end; an error drops it with the
    // context.
    unsafe {
        let pointer =
            pg_sys::tuplestore_alloc_read_pointer(store, pg_sys::EXEC_FLAG_REWIND as c_int);
        pg_sys::tuplestore_select_read_pointer(store, pointer);
        pg_sys::tuplestore_rescan(store);
        let columns = (*data.tg_relation).rd_att;
        let slot = pg_sys::MakeSingleTupleTableSlot(columns, &pg_sys::TTSOpsMinimalTuple);
        while pg_sys::tuplestore_gettupleslot(store, true, false, slot) {
            look(&Row(slot));
        }
        pg_sys::ExecDropSingleTupleTableSlot(slot);
    }
    Ok(())
}

/// What is kept for triggers, and until when.
pub(crate) struct Kept<T>(RefCell<HashMap<pg_sys::Oid, Entry<T>>>);

/// What is kept for one trigger, of which table, and when it was made.
struct Entry<T> {
    made: u64,
    table: pg_sys::Oid,
    kept: Rc<T>,
}

thread_local! {
    /// Changes of tables that this backend has heard of.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
    static LAST_CHANGE: RefCell<HashMap<pg_sys::Oid, u64>> = RefCell::new(HashMap::new());
    static LAST_OF_ALL: Cell<u64> = const { Cell::new(0) };
}

/// Registers the callback, once a process; forked ones inherit it.
pub(super) fn init() {
    // SAFETY: the function lives as long as the library, which Postgres never unloads.
    unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(at_change), pg_sys::Datum::from(0)) }
}

/// A table has changed: its columns, its triggers, or something else of it. No table: perhaps any.
#[pg_guard]
extern "C-unwind" fn at_change(_argument: pg_sys::Datum, table: pg_sys::Oid) {
    CHANGES.set(CHANGES.get() + 1);
    if table == pg_sys::InvalidOid {
        LAST_OF_ALL.set(CHANGES.get());
    } else {
        LAST_CHANGE.with_borrow_mut(|last| last.insert(table, CHANGES.get()));
    }
}

impl<T> Kept<T> {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(HashMap::new()))
    }

    /// What is kept for the trigger, made anew when its table has changed since.
    pub(crate) fn of(
        &self,
        trigger: &PgTrigger<'_>,
        make: impl FnOnce() -> Result<T, ErrorReport>,
    ) -> Result<Rc<T>, ErrorReport> {
        // SAFETY: the trigger that Postgres called us for.
        let id = unsafe { (*trigger.trigger_data().tg_trigger).tgoid };
        let table = trigger.relid().map_err(error::internal)?;
        let changed = LAST_CHANGE
            .with_borrow(|last| last.get(&table).copied().unwrap_or(0))
            .max(LAST_OF_ALL.get());
        if let Some(entry) = self.0.borrow().get(&id)
            && entry.made >= changed
            && entry.table == table
        {
            return Ok(Rc::clone(&entry.kept));
        }
        // Before it is made, which may itself hear of changes.
        let made = CHANGES.get();
        let kept = Rc::new(make()?);
        let entry = Entry {
            made,
            table,
            kept: Rc::clone(&kept),
        };
        self.0.borrow_mut().insert(id, entry);
        Ok(kept)
    }
}
