//! What the core refuses, as a Postgres error: which SQLSTATE, and what an operator can do about it.

use crate::pg::error::{self, ErrorReport};
use switchboard_core::credential::{CredentialError, ShapeError};

pub(super) fn refused(problem: CredentialError) -> ErrorReport {
    match problem {
        CredentialError::TooLarge => error::too_large(problem),
        CredentialError::UnknownKey { .. } => error::not_ready(problem).set_hint(
            "Add the key to the file that switchboard.key_file names; it is needed as long as something is sealed \
             under it.",
        ),
        CredentialError::WrongKey { .. } | CredentialError::TenantKey { .. } => error::not_ready(problem)
            .set_hint("Restore the key file that belongs to this database from its copy."),
        CredentialError::NoRandomness => error::not_ready(problem),
        _ => error::invalid_argument(problem),
    }
}

pub(super) fn shape(problem: ShapeError) -> ErrorReport {
    refused(problem.into())
}
