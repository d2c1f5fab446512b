//! A uuid in Postgres' form and in the core's.

use pgrx::datum::Uuid;

/// The core's form.
pub(crate) fn to_core(id: Uuid) -> uuid::Uuid {
    uuid::Uuid::from_bytes(*id)
}

/// Postgres' form.
pub(crate) fn to_sql(id: uuid::Uuid) -> Uuid {
    Uuid::from_bytes(id.into_bytes())
}
