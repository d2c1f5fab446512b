//! What every trigger function needs beyond pgrx: its declared arguments, and its transition tables. The row of a BEFORE
//! ROW trigger is [`super::row`].

use super::error::{self, ErrorReport};
use super::owner::as_owner_of;
use pgrx::PgTrigger;
use pgrx::spi::Spi;
use std::ffi::CStr;

/// The trigger's arguments as Postgres holds them, as many as `N`.
///
/// # Errors
/// 39P01 naming the trigger and the arguments it needs.
pub(crate) fn arguments<'a, const N: usize>(
    trigger: &PgTrigger<'a>,
    names: [&str; N],
) -> Result<[&'a CStr; N], ErrorReport> {
    match arguments_and_option(trigger, names)? {
        (arguments, None) => Ok(arguments),
        (_, Some(_)) => Err(wrong_count(trigger, &names)),
    }
}

/// [`arguments`], and one more if it is there.
///
/// # Errors
/// 39P01 naming the trigger and the arguments it needs.
pub(crate) fn arguments_and_option<'a, const N: usize>(
    trigger: &PgTrigger<'a>,
    names: [&str; N],
) -> Result<([&'a CStr; N], Option<&'a CStr>), ErrorReport> {
    let data = trigger.trigger_data();
    // SAFETY: the trigger that Postgres called us for; it holds tgnargs C strings, and lives as long as the call.
    unsafe {
        let declared = &*data.tg_trigger;
        let count = usize::try_from(declared.tgnargs).unwrap_or_default();
        if count != N && count != N + 1 {
            return Err(wrong_count(trigger, &names));
        }
        let argument = |i| CStr::from_ptr(*declared.tgargs.add(i));
        let option = (count > N).then(|| argument(N));
        Ok((std::array::from_fn(argument), option))
    }
}

fn wrong_count(trigger: &PgTrigger<'_>, names: &[&str]) -> ErrorReport {
    // SAFETY: the trigger that Postgres called us for.
    let count = unsafe { (*trigger.trigger_data().tg_trigger).tgnargs };
    error::wrong_trigger(format!(
        "trigger {} needs {} arguments ({}), got {count}",
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
