//! The data key of an organization, and its wrapped form in the database. Made once per organization and version;
//! a new root key re-wraps it without touching an envelope.

use uuid::Uuid;
use zeroize::Zeroizing;

use super::crypto::{self, IV_BYTES, KEY_BYTES, Secret, TAG_BYTES};
use super::error::CredentialError;
use super::ring::RootKey;

const WRAP_LABEL: &[u8] = b"switchboard/wrap/v1";
const WRAPPED_BYTES: usize = KEY_BYTES + TAG_BYTES;

/// The data key of one organization: 32 bytes, wiped on drop, never printed.
#[derive(Debug)]
pub struct TenantKey(Secret);

impl TenantKey {
    /// A new key from kernel randomness.
    ///
    /// # Errors
    /// [`CredentialError::NoRandomness`].
    pub fn generate() -> Result<Self, CredentialError> {
        Ok(Self::from_bytes(&*crypto::random()?))
    }

    pub(super) fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(Secret::from_bytes(bytes))
    }

    pub(super) fn expose(&self) -> &[u8; KEY_BYTES] {
        self.0.expose()
    }
}

/// A data key as the database stores it: useless without the root key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// 32 random bytes, new at every wrapping.
    pub salt: [u8; 32],
    /// Ciphertext and tag.
    pub wrapped: [u8; WRAPPED_BYTES],
}

/// Wraps `key` as version `version` (from 1) of the organization's data key.
///
/// # Errors
/// [`CredentialError::Malformed`] for a version out of range, [`CredentialError::NoRandomness`].
pub fn wrap_tenant_key(
    root: &RootKey,
    organization: Uuid,
    version: u32,
    key: &TenantKey,
) -> Result<WrappedKey, CredentialError> {
    wrap_with(root, organization, version, key, *crypto::random()?)
}

pub(super) fn wrap_with(
    root: &RootKey,
    organization: Uuid,
    version: u32,
    key: &TenantKey,
    salt: [u8; 32],
) -> Result<WrappedKey, CredentialError> {
    check_version(version)?;
    let info = label(WRAP_LABEL, organization, version);
    let mut buffer = Vec::with_capacity(WRAPPED_BYTES);
    buffer.extend_from_slice(key.expose());
    crypto::encrypt(&*wrapping_key(root, &salt, &info), &info, &mut buffer);
    let wrapped = buffer.try_into().expect("32 bytes of key and 16 of tag");
    Ok(WrappedKey { salt, wrapped })
}

/// Opens a wrapped data key. `salt` and `wrapped` are the two columns as stored; the root key must have passed
/// [`KeyRing::verified`](super::KeyRing::verified), or a failure cannot be told from a wrong key.
///
/// # Errors
/// [`CredentialError::TenantKey`] if the columns have another length, were altered, or belong to another
/// organization, version or root key; [`CredentialError::Malformed`] for a version out of range.
pub fn unwrap_tenant_key(
    root: &RootKey,
    organization: Uuid,
    version: u32,
    salt: &[u8],
    wrapped: &[u8],
) -> Result<TenantKey, CredentialError> {
    check_version(version)?;
    let refused = || CredentialError::TenantKey {
        kid: root.kid().to_owned(),
        version,
    };
    if salt.len() != 32 || wrapped.len() != WRAPPED_BYTES {
        return Err(refused());
    }
    let info = label(WRAP_LABEL, organization, version);
    let mut buffer = Zeroizing::new(wrapped.to_vec());
    crypto::decrypt(&*wrapping_key(root, salt, &info), &info, &mut buffer)
        .map_err(|_| refused())?;
    let key = buffer.as_slice().try_into().map_err(|_| refused())?;
    Ok(TenantKey::from_bytes(key))
}

fn wrapping_key(root: &RootKey, salt: &[u8], info: &[u8]) -> Zeroizing<[u8; KEY_BYTES + IV_BYTES]> {
    crypto::derive(root.expose(), Some(salt), info)
}

/// What a derived key is for and whose it is.
pub(super) fn label(purpose: &[u8], organization: Uuid, version: u32) -> Vec<u8> {
    crypto::fields(&[
        purpose,
        organization.to_string().as_bytes(),
        version.to_string().as_bytes(),
    ])
}

/// Versions are positive and fit the `int` column that holds them.
pub(super) fn check_version(version: u32) -> Result<(), CredentialError> {
    if version == 0 || i32::try_from(version).is_err() {
        return Err(CredentialError::Malformed {
            field: "version",
            rule: "must be from 1 to 2147483647",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::ring::KeyRing;
    use super::*;

    const ORGANIZATION: Uuid = Uuid::from_u128(0xa);

    fn ring() -> KeyRing {
        let key = |seed: u8| {
            (0..32)
                .map(|i| format!("{:02x}", i ^ seed))
                .collect::<String>()
        };
        KeyRing::parse(format!("*k1:{}\nk2:{}\n", key(0x10), key(0x40)).as_bytes()).unwrap()
    }

    #[test]
    fn a_new_key_wraps_and_unwraps() {
        let (ring, key) = (ring(), TenantKey::generate().unwrap());
        let first = wrap_tenant_key(ring.active(), ORGANIZATION, 1, &key).unwrap();
        let again = wrap_tenant_key(ring.active(), ORGANIZATION, 1, &key).unwrap();
        assert_ne!(first, again, "a salt is never reused");
        assert_ne!(key.expose(), TenantKey::generate().unwrap().expose());
        for WrappedKey { salt, wrapped } in [first, again] {
            let opened =
                unwrap_tenant_key(ring.active(), ORGANIZATION, 1, &salt, &wrapped).unwrap();
            assert_eq!(opened.expose(), key.expose());
        }
    }

    #[test]
    fn any_changed_byte_length_or_root_key_is_refused() {
        let ring = ring();
        let root = ring.active();
        let key = TenantKey::generate().unwrap();
        let WrappedKey { salt, wrapped } = wrap_tenant_key(root, ORGANIZATION, 1, &key).unwrap();
        let refused = |salt: &[u8], wrapped: &[u8]| {
            unwrap_tenant_key(root, ORGANIZATION, 1, salt, wrapped).unwrap_err()
        };
        let expected = CredentialError::TenantKey {
            kid: "k1".into(),
            version: 1,
        };
        for index in 0..salt.len() {
            let mut salt = salt;
            salt[index] ^= 1;
            assert_eq!(refused(&salt, &wrapped), expected);
        }
        for index in 0..wrapped.len() {
            let mut wrapped = wrapped;
            wrapped[index] ^= 1;
            assert_eq!(refused(&salt, &wrapped), expected);
        }
        assert_eq!(refused(&salt[1..], &wrapped), expected);
        assert_eq!(refused(&salt, &wrapped[1..]), expected);
        assert_eq!(refused(&[], &[]), expected);

        let other = ring.get("k2").unwrap();
        let refused = unwrap_tenant_key(other, ORGANIZATION, 1, &salt, &wrapped).unwrap_err();
        assert_eq!(
            refused,
            CredentialError::TenantKey {
                kid: "k2".into(),
                version: 1
            }
        );
    }

    #[test]
    fn versions_fit_the_column() {
        let (ring, key) = (ring(), TenantKey::generate().unwrap());
        for version in [0, 1 << 31, u32::MAX] {
            let refused = wrap_tenant_key(ring.active(), ORGANIZATION, version, &key).unwrap_err();
            assert!(matches!(
                refused,
                CredentialError::Malformed {
                    field: "version",
                    ..
                }
            ));
        }
        assert!(wrap_tenant_key(ring.active(), ORGANIZATION, (1 << 31) - 1, &key).is_ok());
    }
}
