//! Credentials of telephony providers, sealed at rest and bound to the row they were sealed for.
//!
//! A key ring ([`KeyRing`]) holds root keys; a root key wraps one random data key per organization ([`TenantKey`]);
//! a data key seals any number of envelopes ([`seal()`], [`open`]), each under a one-time key of its own. Rotating a
//! root key rewrites one row per organization and no envelope; deleting an organization's data keys makes its
//! envelopes unreadable. Only HKDF-SHA-256, HMAC-SHA-256 and AES-256-GCM are used, so whoever holds the data key
//! can open an envelope with WebCrypto alone. The extension calls this module; reading key files and tables is its
//! part.

mod crypto;
mod envelope;
mod error;
mod hint;
mod json;
mod limits;
mod ring;
mod seal;
mod tenant_key;
#[cfg(test)]
mod vectors;

pub use envelope::{Envelope, hint, is_sealed};
pub use error::{CredentialError, KeyRingError, ShapeError};
pub use limits::{ALGORITHM, MAX_ENVELOPE_BYTES, MAX_KEYS, MAX_PLAINTEXT_BYTES, MAX_RING_BYTES};
pub use ring::{KeyRing, RootKey};
pub use seal::{Context, open, seal};
pub use tenant_key::{TenantKey, WrappedKey, unwrap_tenant_key, wrap_tenant_key};
