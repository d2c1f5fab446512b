//! The one place that turns an error of the core into a Postgres error: SQLSTATE, message, hint.
//!
//! PostgREST makes an HTTP status of the SQLSTATE, so it is chosen for that. Messages name the field and the rule,
//! never a secret and never another tenant's data.

pub(crate) use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode, function_name};
use std::fmt::Display;

/// 22023: an argument that does not fit its rule. HTTP 400.
pub(crate) fn invalid_argument(message: impl Display) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

/// 42501: no right. HTTP 403.
pub(crate) fn no_right(message: impl Display) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, message)
}

/// 55000: the server lacks something that an operator must provide, such as the credential key. HTTP 500.
pub(crate) fn not_ready(message: impl Display) -> ErrorReport {
    report(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        message,
    )
}

/// 0A000: something that Postgres can do, and we do not.
pub(crate) fn unsupported(message: impl Display) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, message)
}

/// 54000: larger than a limit allows.
pub(crate) fn too_large(message: impl Display) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
}

/// 39P01: a trigger function is declared in a way that it cannot work with.
pub(crate) fn wrong_trigger(message: impl Display) -> ErrorReport {
    report(
        PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
        message,
    )
}

/// XX000: a broken assumption of ours.
pub(crate) fn internal(message: impl Display) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, message)
}

/// Raises an error as it is. Trigger functions need it: pgrx turns the `Err` that one returns into a panic (XX000).
///
/// # Errors
/// Never returns one; the type is what `#[pg_trigger]` asks for.
pub(crate) fn raised<T>(result: Result<T, ErrorReport>) -> Result<T, ErrorReport> {
    Ok(or_raise(result))
}

/// Raises an error where there is nobody to return it to, as in an iterator.
pub(crate) fn or_raise<T>(result: Result<T, ErrorReport>) -> T {
    result.unwrap_or_else(|problem| {
        problem.report(PgLogLevel::ERROR);
        unreachable!("an error was reported and the function went on")
    })
}

fn report(code: PgSqlErrorCode, message: impl Display) -> ErrorReport {
    ErrorReport::new(code, message.to_string(), function_name!())
}
