//! What trigger functions need beyond pgrx: their declared arguments, columns of NEW and OLD, transition tables.

use super::error::{self, ErrorReport};
use super::owner::as_owner_of;
use pgrx::datum::UnboxDatum;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::spi::Spi;
use std::ffi::CStr;

use pgrx::{AllocatedByRust, FromDatum, IntoDatum, PgTrigger, WhoAllocated};

/// A row of the trigger's table that the trigger may change.
pub(crate) type NewRow<'a> = PgHeapTuple<'a, AllocatedByRust>;

/// The trigger's arguments, as many as `N`.
///
/// # Errors
/// 39P01 naming the trigger and the arguments it needs.
pub(crate) fn arguments<const N: usize>(
    trigger: &PgTrigger<'_>,
    names: [&str; N],
) -> Result<[String; N], ErrorReport> {
    let given = arguments_in_place(trigger, names)?;
    Ok(given.map(|argument| argument.to_string_lossy().into_owned()))
}

/// The same, as Postgres holds them.
///
/// # Errors
/// As [`arguments`].
pub(crate) fn arguments_in_place<'a, const N: usize>(
    trigger: &PgTrigger<'a>,
    names: [&str; N],
) -> Result<[&'a CStr; N], ErrorReport> {
    let data = trigger.trigger_data();
    // SAFETY: the trigger that Postgres called us for; it holds tgnargs C strings, and lives as long as the call.
    unsafe {
        let declared = &*data.tg_trigger;
        if usize::try_from(declared.tgnargs) == Ok(N) {
            return Ok(std::array::from_fn(|i| {
                CStr::from_ptr(*declared.tgargs.add(i))
            }));
        }
        Err(error::wrong_trigger(format!(
            "trigger {} needs {N} arguments ({}), got {}",
            trigger.name().unwrap_or("?"),
            names.join(", "),
            declared.tgnargs
        )))
    }
}

/// The row about to be written.
///
/// # Errors
/// 39P01 when the trigger is not BEFORE INSERT OR UPDATE FOR EACH ROW.
pub(crate) fn new_row<'a>(trigger: &'a PgTrigger<'a>) -> Result<NewRow<'a>, ErrorReport> {
    let event = trigger.event();
    let writes = event.fired_by_insert() || event.fired_by_update();
    if !(writes && event.fired_before() && event.fired_for_row()) {
        return Err(misdeclared(trigger));
    }
    Ok(trigger
        .new()
        .ok_or_else(|| misdeclared(trigger))?
        .into_owned())
}

fn misdeclared(trigger: &PgTrigger<'_>) -> ErrorReport {
    error::wrong_trigger(format!(
        "trigger {} must be BEFORE INSERT OR UPDATE FOR EACH ROW",
        trigger.name().unwrap_or("?")
    ))
}

/// Reads a column.
///
/// # Errors
/// 39P01 when the table has no such column of that type.
pub(crate) fn column<'t, T, A: WhoAllocated>(
    row: &'t PgHeapTuple<'_, A>,
    name: &str,
) -> Result<Option<T>, ErrorReport>
where
    T: FromDatum + IntoDatum + UnboxDatum<As<'t> = T> + 't,
{
    row.get_by_name(name).map_err(|problem| {
        error::wrong_trigger(format!("column {name} named by the trigger: {problem}"))
    })
}

/// Writes a column.
///
/// # Errors
/// 39P01 when the table has no such column of that type.
pub(crate) fn set_column<T: IntoDatum>(
    row: &mut NewRow<'_>,
    name: &str,
    value: T,
) -> Result<(), ErrorReport> {
    row.set_by_name(name, value).map_err(|problem| {
        error::wrong_trigger(format!("column {name} named by the trigger: {problem}"))
    })
}

/// Runs one statement that may read the trigger's transition tables by their names, as the owner of the trigger's
/// table: whoever may write the child rows need not be allowed to write the parents.
pub(crate) fn run_as_table_owner(
    trigger: &PgTrigger<'_>,
    statement: &str,
) -> Result<(), ErrorReport> {
    let table = trigger.relid().map_err(error::internal)?;
    as_owner_of(table, || {
        Spi::connect_mut(|client| {
            // SAFETY: inside an SPI connection, with the trigger data that Postgres called us with; the registration
            // ends with the connection.
            let status = unsafe {
                let data = std::ptr::from_ref(trigger.trigger_data()).cast_mut();
                pgrx::pg_sys::SPI_register_trigger_data(data)
            };
            if status < 0 {
                return Err(error::internal(format!(
                    "SPI_register_trigger_data: {status}"
                )));
            }
            client
                .update(statement, None, &[])
                .map(|_| ())
                .map_err(error::internal)
        })
    })
}
