//! Tenant resolution: who asks, for which organization, with which rights.
//!
//! Pure rules. The extension hands in the bytes of the request's settings and the caller's memberships as read from
//! the tables; this module decides. Nothing here fails loudly: whatever is missing, malformed or contradictory
//! resolves to "nobody" or "no organization", so that row-level security denies.

mod address;
mod application;
mod capability;
mod claims;
mod permissions;
mod request;
mod resolve;
mod role;
mod status;

pub use address::{path_organization, topic_organization};
pub use application::{ApplicationCapability, ApplicationRights, is_application_name};
pub use capability::{Capability, CapabilitySet, capabilities};
pub use claims::{Claims, MAX_CLAIMS_BYTES, parse_claims};
pub use permissions::{
    Flags, MAX_PERMISSIONS_BYTES, Permissions, effective, parse_permissions,
    too_long as permissions_too_long,
};
pub use request::{Headers, Requested, parse_headers};
pub use resolve::{
    Membership, Principal, Reason, Resolution, Source, Standing, principal, resolve,
};
pub use role::Role;
pub use status::OrganizationStatus;

/// Parses the canonical text form of a uuid (36 lower-case characters with hyphens) and nothing else.
///
/// Upper case, braces, `urn:` and hyphen-less forms are refused: one identity has one spelling.
pub fn canonical_uuid(text: &str) -> Option<uuid::Uuid> {
    let id = uuid::Uuid::try_parse(text).ok()?;
    let mut buffer = uuid::Uuid::encode_buffer();
    (*id.hyphenated().encode_lower(&mut buffer) == *text).then_some(id)
}
