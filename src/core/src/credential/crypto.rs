//! The primitives, and nothing of the format: secret bytes that wipe themselves, HKDF, HMAC, AES-256-GCM, kernel
//! randomness and the encoding of fields. Called by the other files of this folder only.

use std::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::error::CredentialError;

pub(super) const KEY_BYTES: usize = 32;
pub(super) const IV_BYTES: usize = 12;
pub(super) const TAG_BYTES: usize = 16;

/// 32 secret bytes. On the heap, so that moving the owner leaves no copy behind; wiped on drop; never printed.
pub(super) struct Secret(Box<Zeroizing<[u8; KEY_BYTES]>>);

impl Secret {
    pub(super) fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        let mut secret = Box::new(Zeroizing::new([0; KEY_BYTES]));
        secret.copy_from_slice(bytes);
        Self(secret)
    }

    pub(super) fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Kernel randomness only: a generator seeded in user space before a fork repeats itself in every child, and every
/// Postgres backend is a fork.
pub(super) fn random() -> Result<Zeroizing<[u8; 32]>, CredentialError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| CredentialError::NoRandomness)?;
    Ok(bytes)
}

/// Each part behind its length (u32, big-endian), so that no two lists of parts encode alike.
pub(super) fn fields(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        out.extend_from_slice(&length(part));
        out.extend_from_slice(part);
    }
    out
}

fn length(part: &[u8]) -> [u8; 4] {
    u32::try_from(part.len())
        .expect("every part is bounded far below 4 GiB")
        .to_be_bytes()
}

/// HKDF-SHA-256 (RFC 5869). No salt means the RFC's own default, 32 zero bytes.
pub(super) fn derive<const N: usize>(
    secret: &[u8; KEY_BYTES],
    salt: Option<&[u8]>,
    info: &[u8],
) -> Zeroizing<[u8; N]> {
    let (mut extracted, hkdf) = Hkdf::<Sha256>::extract(salt, secret);
    extracted.as_mut_slice().zeroize();
    let mut out = Zeroizing::new([0; N]);
    hkdf.expand(info, out.as_mut_slice())
        .expect("N is far below HKDF's limit of 8160 bytes");
    out
}

/// HMAC-SHA-256 over the parts, encoded as in [`fields`] without copying them.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&length(part));
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Replaces the clear text in `buffer` by ciphertext and tag. `key_iv` is the key followed by the IV, both derived for
/// this one message.
pub(super) fn encrypt(key_iv: &[u8], aad: &[u8], buffer: &mut Vec<u8>) {
    let (cipher, nonce) = cipher(key_iv);
    cipher
        .encrypt_in_place(&nonce, aad, buffer)
        .expect("GCM takes 64 GiB and every clear text is bounded far below");
}

/// Replaces ciphertext and tag in `buffer` by the clear text, or says that they do not belong together.
pub(super) fn decrypt(key_iv: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), Forged> {
    let (cipher, nonce) = cipher(key_iv);
    cipher
        .decrypt_in_place(&nonce, aad, buffer)
        .map_err(|_| Forged)
}

/// The tag did not match; each caller knows what that means in its place.
pub(super) struct Forged;

fn cipher(key_iv: &[u8]) -> (Aes256Gcm, Nonce<aes_gcm::aead::consts::U12>) {
    let (key, iv) = key_iv.split_at(KEY_BYTES);
    let cipher = Aes256Gcm::new_from_slice(key).expect("the key is 32 bytes");
    (cipher, Nonce::try_from(iv).expect("the IV is 12 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_carry_their_length() {
        assert_eq!(
            fields(&[b"ab", b"", b"c"]),
            b"\0\0\0\x02ab\0\0\0\0\0\0\0\x01c"
        );
        assert_ne!(fields(&[b"ab", b"c"]), fields(&[b"a", b"bc"]));
    }

    #[test]
    fn mac_covers_the_encoding_of_its_parts() {
        let whole = fields(&[b"ab", b"c"]);
        let mut plain = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        plain.update(&whole);
        let expected: [u8; 32] = plain.finalize().into_bytes().into();
        assert_eq!(mac(&[7; 32], &[b"ab", b"c"]), expected);
        assert_ne!(mac(&[7; 32], &[b"a", b"bc"]), expected);
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(
            format!("{:?}", Secret::from_bytes(&[0xab; 32])),
            "<redacted>"
        );
    }
}
