//! What every trigger function needs beyond pgrx: its declared arguments, and its transition tables. The row of a BEFORE
//! ROW trigger is [`super::row`].

use super::error::{self, ErrorReport};
use super::owner::as_owner_of;
use pgrx::PgTrigger;
use pgrx::spi::Spi;
use std::ffi::{CStr, c_char};

/// The trigger's arguments as Postgres holds them, as many as `N`.
///
/// # Errors
/// 39P01 naming the trigger and the arguments it needs.
pub(crate) fn arguments<'a, const N: usize>(
    trigger: &PgTrigger<'a>,
    names: [&str; N],
) -> Result<[&'a CStr; N], ErrorReport> {
    match arguments_and_more(trigger, names)? {
        (arguments, None) => Ok(arguments),
        _ => Err(wrong_count(trigger, &names)),
    }
}

/// What is declared behind the arguments that a trigger must have.
pub(crate) struct More<'a> {
    arguments: &'a [*mut c_char],
}

impl<'a> More<'a> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a CStr> {
        // SAFETY: C strings of the trigger that Postgres called us for, which lives as long as the call.
        self.arguments
            .iter()
            .map(|&argument| unsafe { CStr::from_ptr(argument) })
    }
}

/// The trigger's first `N` arguments, and any others.
///
/// # Errors
/// 39P01 naming the trigger and the arguments it needs.
pub(crate) fn arguments_and_more<'a, const N: usize>(
    trigger: &PgTrigger<'a>,
    names: [&str; N],
) -> Result<([&'a CStr; N], Option<More<'a>>), ErrorReport> {
    // SAFETY: the trigger that Postgres called us for; it holds tgnargs C strings, and lives as long as the call.
    let declared: &'a [*mut c_char] = unsafe {
        let declared = &*trigger.trigger_data().tg_trigger;
        match usize::try_from(declared.tgnargs) {
            Ok(count) if count > 0 => std::slice::from_raw_parts(declared.tgargs, count),
            _ => &[],
        }
    };
    let Some((first, arguments)) = declared.split_first_chunk::<N>() else {
        return Err(wrong_count(trigger, &names));
    };
    // SAFETY: as above.
    let first = first.map(|argument| unsafe { CStr::from_ptr(argument) });
    Ok((first, (!arguments.is_empty()).then_some(More { arguments })))
}

fn wrong_count(trigger: &PgTrigger<'_>, names: &[&str]) -> ErrorReport {
    // SAFETY: the trigger that Postgres called us for.
    let got = unsafe { (*trigger.trigger_data().tg_trigger).tgnargs };
    error::wrong_trigger(format!(
        "trigger {} needs {} arguments ({}), got {got}",
        trigger.name().unwrap_or("?"),
        names.len(),
        names.join(", "),
    ))
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
