//! What every trigger function needs beyond pgrx: its declared arguments. The row of a BEFORE ROW trigger is
//! [`super::row`], the transition tables of a statement's are [`super::transition`].

use super::error::{self, ErrorReport};
use pgrx::PgTrigger;
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
