//! The ring of root keys, as an operator writes it. The extension reads the file, gives the bytes here, and asks for
//! the active key (to wrap) or the key of an id (to unwrap). A ring is text, one key per line:
//!
//! ```text
//! # comment
//! k1:6f1c…   64 hex digits, or 43 or 44 base64 characters (either alphabet): 32 bytes
//! *k2:9a20…  the active key: it wraps what is sealed from now on
//! ```
//!
//! One key alone needs no mark, and one bare key (also 32 raw bytes) is the active key `k1`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::crypto::{self, KEY_BYTES, Secret};
use super::error::{CredentialError, KeyRingError};
use super::limits::{MAX_KEYS, MAX_RING_BYTES};

const BARE_KID: &str = "k1";
const KCV_INFO: &[u8] = b"switchboard/kcv/v1";

/// A root key: 32 bytes that wrap the organizations' data keys, and the id by which the database remembers it.
/// Wiped on drop, never printed.
pub struct RootKey {
    kid: String,
    material: Secret,
}

impl RootKey {
    /// The key id, as written in the ring.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Key check value, 8 bytes: tells two keys apart and reveals nothing of either. The database stores it beside the
    /// key id, so that other bytes under a known id are noticed before anything is opened or sealed with them.
    pub fn kcv(&self) -> [u8; 8] {
        *crypto::derive::<8>(self.expose(), None, KCV_INFO)
    }

    pub(super) fn expose(&self) -> &[u8; KEY_BYTES] {
        self.material.expose()
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// One to [`MAX_KEYS`] root keys, exactly one of them active.
pub struct KeyRing {
    keys: Vec<RootKey>,
    active: usize,
}

impl KeyRing {
    /// Reads a ring in the syntax of this file's head; a UTF-8 byte order mark, CR LF and surrounding blanks are
    /// ignored.
    ///
    /// # Errors
    /// [`KeyRingError`] names the line and the rule, never a part of the content.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyRingError> {
        if bytes.len() > MAX_RING_BYTES {
            return Err(KeyRingError::TooLong);
        }
        if let Some(material) = raw_key(bytes) {
            return Self::of_bare_key(refuse_weak(Secret::from_bytes(material), 1)?);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| KeyRingError::NotText)?;
        let lines: Vec<(usize, &str)> = (1..)
            .zip(text.trim_start_matches('\u{feff}').lines().map(str::trim))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .collect();
        match lines[..] {
            [] => Err(KeyRingError::Empty),
            [(line, material)] if !material.contains(':') => {
                Self::of_bare_key(decode(material, line)?)
            }
            _ => Self::of_lines(&lines),
        }
    }

    fn of_bare_key(material: Secret) -> Result<Self, KeyRingError> {
        Ok(Self {
            keys: vec![RootKey {
                kid: BARE_KID.to_owned(),
                material,
            }],
            active: 0,
        })
    }

    fn of_lines(lines: &[(usize, &str)]) -> Result<Self, KeyRingError> {
        if lines.len() > MAX_KEYS {
            return Err(KeyRingError::TooManyKeys);
        }
        let mut keys: Vec<RootKey> = Vec::with_capacity(lines.len());
        let mut active = None;
        for &(line, text) in lines {
            let (kid, material) = text.split_once(':').ok_or(KeyRingError::Line { line })?;
            let (kid, material) = (kid.trim(), material.trim());
            let kid = match kid.strip_prefix('*') {
                Some(_) if active.is_some() => return Err(KeyRingError::SecondActive { line }),
                Some(kid) => {
                    active = Some(keys.len());
                    kid
                }
                None => kid,
            };
            if !is_kid(kid) {
                return Err(KeyRingError::Kid { line });
            }
            if keys.iter().any(|key| key.kid == kid) {
                return Err(KeyRingError::DuplicateKid { line });
            }
            let material = decode(material, line)?;
            if keys
                .iter()
                .any(|key| key.expose().ct_eq(material.expose()).into())
            {
                return Err(KeyRingError::DuplicateKey { line });
            }
            keys.push(RootKey {
                kid: kid.to_owned(),
                material,
            });
        }
        let active = match active {
            Some(index) => index,
            None if keys.len() == 1 => 0,
            None => return Err(KeyRingError::NoActive),
        };
        Ok(Self { keys, active })
    }

    /// The key that wraps new data keys.
    pub fn active(&self) -> &RootKey {
        &self.keys[self.active]
    }

    /// All keys in the order of the ring.
    pub fn keys(&self) -> &[RootKey] {
        &self.keys
    }

    /// The key of an id.
    ///
    /// # Errors
    /// [`CredentialError::UnknownKey`].
    pub fn get(&self, kid: &str) -> Result<&RootKey, CredentialError> {
        self.keys
            .iter()
            .find(|key| key.kid == kid)
            .ok_or_else(|| CredentialError::UnknownKey {
                kid: kid.to_owned(),
            })
    }

    /// The key of an id, if its bytes are the ones that the stored check value was made from.
    ///
    /// # Errors
    /// [`CredentialError::UnknownKey`], [`CredentialError::WrongKey`].
    pub fn verified(&self, kid: &str, kcv: &[u8]) -> Result<&RootKey, CredentialError> {
        let key = self.get(kid)?;
        if key.kcv().as_slice() == kcv {
            Ok(key)
        } else {
            Err(CredentialError::WrongKey {
                kid: kid.to_owned(),
            })
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("keys", &self.keys)
            .field("active", &self.active().kid)
            .finish()
    }
}

/// 32 raw bytes, alone or before one line end. Text of that length is no raw key: a comment, or the hex digits of a
/// key of 16 bytes.
fn raw_key(bytes: &[u8]) -> Option<&[u8; KEY_BYTES]> {
    let bytes = match bytes {
        [raw @ .., b'\r', b'\n'] if raw.len() == KEY_BYTES => raw,
        [raw @ .., b'\n'] if raw.len() == KEY_BYTES => raw,
        _ => bytes,
    };
    let is_text = std::str::from_utf8(bytes)
        .is_ok_and(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()));
    if is_text { None } else { bytes.try_into().ok() }
}

fn is_kid(kid: &str) -> bool {
    (1..=32).contains(&kid.len())
        && kid
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn decode(material: &str, line: usize) -> Result<Secret, KeyRingError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let decoded = match material.len() {
        64 => decode_hex(material, &mut key),
        43 => decode_base64(material, &mut key),
        44 => material
            .strip_suffix('=')
            .and_then(|unpadded| decode_base64(unpadded, &mut key)),
        _ => return Err(KeyRingError::Length { line }),
    };
    decoded.ok_or(KeyRingError::Encoding { line })?;
    refuse_weak(Secret::from_bytes(&key), line)
}

fn decode_hex(text: &str, key: &mut [u8; KEY_BYTES]) -> Option<()> {
    let digit = |b: u8| {
        char::from(b)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(())
}

fn decode_base64(text: &str, key: &mut [u8; KEY_BYTES]) -> Option<()> {
    // The decoder asks for room by its estimate of the length, which is above 32.
    let mut buffer = Zeroizing::new([0; 48]);
    let length = [STANDARD_NO_PAD, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode_slice(text, buffer.as_mut_slice()).ok())?;
    key.copy_from_slice(
        buffer
            .get(..length)
            .filter(|bytes| bytes.len() == KEY_BYTES)?,
    );
    Some(())
}

/// A sequence of 1, 2, 4, 8 or 16 bytes over and over is a placeholder; all zero is the first of these.
fn refuse_weak(material: Secret, line: usize) -> Result<Secret, KeyRingError> {
    let bytes = material.expose();
    let repeats = |period: usize| bytes[period..] == bytes[..KEY_BYTES - period];
    if [1, 2, 4, 8, 16].into_iter().any(repeats) {
        return Err(KeyRingError::Weak { line });
    }
    Ok(material)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Accepted and refused files are in tests/vectors/key_rings.json; here is what no file can show.

    const HEX: &str = "00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f";

    #[test]
    fn a_long_ring_is_refused_before_it_is_read() {
        let comment = format!("# {}\nk1:{HEX}\n", "x".repeat(MAX_RING_BYTES));
        assert_eq!(
            KeyRing::parse(comment.as_bytes()).unwrap_err(),
            KeyRingError::TooLong
        );
    }

    #[test]
    fn nothing_of_a_key_is_printed() {
        let ring = KeyRing::parse(format!("*k1:{HEX}").as_bytes()).unwrap();
        assert_eq!(
            format!("{ring:?}"),
            r#"KeyRing { keys: [RootKey { kid: "k1", .. }], active: "k1" }"#
        );
        // A key in the place of the id, a key too long, and a key cut in two by a blank.
        for text in [
            format!("{HEX}:k1"),
            format!("k1:{HEX}0"),
            format!("k1:{HEX} {HEX}"),
        ] {
            let message = KeyRing::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(!message.contains(&HEX[..4]), "{message}");
        }
    }

    #[test]
    fn an_unknown_id_and_a_wrong_key_are_told_apart() {
        let ring = KeyRing::parse(format!("*k2:{HEX}").as_bytes()).unwrap();
        let kcv = ring.active().kcv();
        assert_eq!(ring.verified("k2", &kcv).unwrap().kid(), "k2");
        let unknown = ring.verified("k1", &kcv).unwrap_err();
        assert_eq!(unknown, CredentialError::UnknownKey { kid: "k1".into() });
        for kcv in [&kcv[..7], &[0; 8], &[]] {
            let wrong = ring.verified("k2", kcv).unwrap_err();
            assert_eq!(wrong, CredentialError::WrongKey { kid: "k2".into() });
        }
    }
}
