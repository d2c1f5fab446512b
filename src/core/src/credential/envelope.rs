//! The envelope: what the database stores in place of credentials. This file knows its shape only; making and opening
//! one is `seal.rs`. Checks here need no key, so that CHECK constraints and restores work without one.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;

use super::crypto::TAG_BYTES;
use super::error::ShapeError;
use super::hint::{self, Readable};
use super::json::{self, Fault};
use super::limits::{ALGORITHM, MAX_ENVELOPE_BYTES};

const KEYS: [&str; 8] = ["$sealed", "alg", "tv", "s", "k", "c", "m", "r"];
/// 64 KiB of clear text, padded, tagged and in base64, come to 87,488 characters.
const MAX_CIPHERTEXT_CHARS: usize = 90_000;

/// Sealed credentials. As JSON, with binary in base64url without padding:
///
/// ```text
/// {"$sealed":1, "alg":"A256GCM-HKDF-C1",
///  "tv": version of the organization's data key,
///  "s": salt, 32 bytes,  "k": commitment, 32 bytes,  "c": ciphertext and tag,
///  "m": hints, {name: text},  "r": references, {name ending in Ref: name of a secret}}
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    pub(super) version: u32,
    pub(super) salt: [u8; 32],
    pub(super) commitment: [u8; 32],
    pub(super) ciphertext: Vec<u8>,
    pub(super) hints: Readable,
    pub(super) references: Readable,
}

impl Envelope {
    /// Reads an envelope strictly: exactly the eight keys in any order, each of its type, length and range.
    ///
    /// # Errors
    /// [`ShapeError`] names the key and the rule.
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        if text.len() > MAX_ENVELOPE_BYTES {
            return Err(ShapeError::TooLong);
        }
        let entries = json::entries(text)?;
        if entries.iter().any(|(key, _)| !KEYS.contains(&key.as_str())) {
            return Err(ShapeError::UnknownKey);
        }
        let value = |field: &'static str| -> Result<&RawValue, ShapeError> {
            let entry = entries.iter().find(|(key, _)| key == field);
            entry
                .map(|(_, value)| *value)
                .ok_or(ShapeError::MissingKey(field))
        };
        for key in KEYS {
            value(key)?;
        }
        if value("$sealed")?.get() != "1" {
            return Err(ShapeError::Value {
                field: "$sealed",
                rule: "1",
            });
        }
        if json::string(value("alg")?).is_none_or(|alg| *alg != ALGORITHM) {
            return Err(ShapeError::Algorithm);
        }
        Ok(Self {
            version: version(value("tv")?)?,
            salt: bytes32("s", value("s")?)?,
            commitment: bytes32("k", value("k")?)?,
            ciphertext: ciphertext(value("c")?)?,
            hints: readable(
                "m",
                "hints by the rules of sealing",
                value("m")?,
                hint::is_hint,
            )?,
            references: readable(
                "r",
                "references to secrets",
                value("r")?,
                hint::is_reference,
            )?,
        })
    }

    /// The envelope as compact JSON, keys always in the same order.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(256 + self.ciphertext.len() * 4 / 3);
        write!(
            out,
            r#"{{"$sealed":1,"alg":"{ALGORITHM}","tv":{},"s":"{}","k":"{}","c":"{}","m":{},"r":{}}}"#,
            self.version,
            URL_SAFE_NO_PAD.encode(self.salt),
            URL_SAFE_NO_PAD.encode(self.commitment),
            URL_SAFE_NO_PAD.encode(&self.ciphertext),
            self.hints_json(),
            self.references_json(),
        )
        .expect("writing to a String cannot fail");
        out
    }

    /// Version of the organization's data key that opens this envelope.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The hints (`m`) as compact JSON with sorted keys, `{}` if there are none.
    pub fn hints_json(&self) -> String {
        hint::canonical(&self.hints)
    }

    /// The references (`r`) as compact JSON with sorted keys, `{}` if there are none.
    pub fn references_json(&self) -> String {
        hint::canonical(&self.references)
    }

    /// Name (ending in `Ref`) and target of each reference, sorted by name.
    pub fn references(&self) -> impl Iterator<Item = (&str, &str)> {
        self.references
            .iter()
            .map(|(name, target)| (name.as_str(), target.as_str()))
    }
}

/// Whether `text` has the shape of an envelope. Says nothing of its origin: only opening does.
pub fn is_sealed(text: &str) -> bool {
    Envelope::parse(text).is_ok()
}

/// The hints of an envelope as compact JSON.
///
/// # Errors
/// [`ShapeError`] if `text` is no envelope.
pub fn hint(text: &str) -> Result<String, ShapeError> {
    Envelope::parse(text).map(|envelope| envelope.hints_json())
}

impl From<Fault> for ShapeError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotAnObject => Self::NotAnObject,
            Fault::DuplicateKey => Self::DuplicateKey,
        }
    }
}

/// Digits only: `1.0` and `1e0` are the same number and another text.
fn version(value: &RawValue) -> Result<u32, ShapeError> {
    value
        .get()
        .parse::<i32>()
        .ok()
        .and_then(|version| u32::try_from(version).ok())
        .filter(|&version| version > 0)
        .ok_or(ShapeError::Value {
            field: "tv",
            rule: "an integer from 1 to 2147483647",
        })
}

fn bytes32(field: &'static str, value: &RawValue) -> Result<[u8; 32], ShapeError> {
    base64url(value)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(ShapeError::Value {
            field,
            rule: "32 bytes, as 43 characters of base64url",
        })
}

fn ciphertext(value: &RawValue) -> Result<Vec<u8>, ShapeError> {
    // Compared before decoding; the two quotes belong to the JSON text.
    Some(value)
        .filter(|value| value.get().len() <= MAX_CIPHERTEXT_CHARS + 2)
        .and_then(base64url)
        .filter(|bytes| bytes.len() >= TAG_BYTES)
        .ok_or(ShapeError::Value {
            field: "c",
            rule: "22 to 90000 characters of base64url",
        })
}

/// Canonical base64url: no padding, no stray bits, so that one sequence of bytes has one text.
fn base64url(value: &RawValue) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(json::string(value)?.as_bytes()).ok()
}

fn readable(
    field: &'static str,
    rule: &'static str,
    value: &RawValue,
    permitted: fn(&str, &str) -> bool,
) -> Result<Readable, ShapeError> {
    let refused = ShapeError::Value { field, rule };
    let entries = json::entries(value.get()).map_err(|fault| match fault {
        Fault::NotAnObject => ShapeError::Value {
            field,
            rule: "a JSON object",
        },
        Fault::DuplicateKey => ShapeError::DuplicateKey,
    })?;
    entries
        .into_iter()
        .map(|(name, value)| {
            let text = json::string(value).filter(|text| permitted(&name, text))?;
            Some((name, text.to_string()))
        })
        .collect::<Option<_>>()
        .ok_or(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Malformed envelopes are in tests/vectors/credential_envelopes.json; here is what would be too large for it.

    fn text(ciphertext: &str) -> String {
        let zeros = "A".repeat(43);
        format!(
            r#"{{"$sealed": 1, "alg": "{ALGORITHM}", "tv": 1, "s": "{zeros}", "k": "{zeros}", {}}}"#,
            format_args!(r#""c": "{ciphertext}", "m": {{}}, "r": {{}}"#),
        )
    }

    #[test]
    fn ciphertext_length() {
        for (chars, fits) in [(21, false), (22, true), (90_000, true), (90_002, false)] {
            assert_eq!(is_sealed(&text(&"A".repeat(chars))), fits, "{chars}");
        }
        let padded = |bytes: usize| {
            let envelope = text(&"A".repeat(22));
            format!("{envelope}{}", " ".repeat(bytes - envelope.len()))
        };
        assert!(is_sealed(&padded(MAX_ENVELOPE_BYTES)));
        assert_eq!(
            Envelope::parse(&padded(MAX_ENVELOPE_BYTES + 1)),
            Err(ShapeError::TooLong)
        );
        // 1 more than a multiple of 4 is no base64 of any number of bytes.
        assert!(!is_sealed(&text(&"A".repeat(25))));
    }

    #[test]
    fn any_order_of_keys_reads_the_same_and_prints_one_way() {
        let postgres = text(&"A".repeat(22));
        let entries = json::entries(&postgres).unwrap();
        let reversed = json::object(entries.iter().rev().map(|(k, v)| (k.as_str(), v.get())));
        let compact = postgres.replace(": ", ":").replace(", ", ",");
        assert_eq!(Envelope::parse(&reversed).unwrap().to_json(), compact);
        assert_eq!(
            Envelope::parse(&compact).unwrap(),
            Envelope::parse(&postgres).unwrap()
        );
    }

    #[test]
    fn a_refusal_never_shows_a_value() {
        let good = text(&"A".repeat(22));
        for text in [
            good.replace(r#""m": {}"#, r#""m": {"authToken": "canary-7f2e"}"#),
            good.replace(r#""r": {}"#, r#""r": {}, "canary-7f2e": "canary-7f2e""#),
            good.replace(ALGORITHM, "canary-7f2e"),
            good.replace(&"A".repeat(43), "canary-7f2e"),
        ] {
            let refused = Envelope::parse(&text).unwrap_err();
            assert!(
                !format!("{refused} {refused:?}").contains("canary"),
                "{refused}"
            );
        }
    }

    #[test]
    fn hints_are_read_without_a_key() {
        let sealed = text(&"A".repeat(22)).replace(
            r#""m": {}"#,
            r#""m": {"region": "eu", "authToken": "set", "accountSid": "...9f3a"}"#,
        );
        let expected = r#"{"accountSid":"...9f3a","authToken":"set","region":"eu"}"#;
        assert_eq!(hint(&sealed).unwrap(), expected);
        assert_eq!(hint("{}").unwrap_err(), ShapeError::MissingKey("$sealed"));
    }
}
