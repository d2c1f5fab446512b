//! What of the credentials stays readable: hints, so that a person can tell two accounts apart without opening either,
//! and references to secrets that are kept elsewhere. [`Parts::of`] is the one place that decides it when sealing;
//! [`is_hint`] and [`is_reference`] hold an envelope that comes from outside to the same rules.

use std::collections::BTreeMap;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::error::CredentialError;
use super::json::{self, Fault};
use super::limits::MAX_PLAINTEXT_BYTES;

/// Names and readable values, sorted by name.
pub(super) type Readable = BTreeMap<String, String>;

const SET: &str = "set";
const MAX_NAME: usize = 64;
const MAX_VERBATIM: usize = 64;
const MAX_REFERENCE: usize = 256;
/// Below this length, four characters would be too large a part of the value.
const MIN_LENGTH_FOR_TAIL: usize = 12;
const TAIL: usize = 4;

/// Credentials taken apart for sealing.
pub(super) struct Parts {
    /// The JSON text to encrypt: the input itself, or the input without its references.
    pub(super) sealed: Zeroizing<String>,
    pub(super) hints: Readable,
    pub(super) references: Readable,
}

impl Parts {
    /// Takes credentials of an organization apart: `plaintext` is a JSON object, at most [`MAX_PLAINTEXT_BYTES`].
    pub(super) fn of(plaintext: &str, organization: Uuid) -> Result<Self, CredentialError> {
        if plaintext.len() > MAX_PLAINTEXT_BYTES {
            return Err(CredentialError::TooLarge);
        }
        let malformed = |rule| CredentialError::Malformed {
            field: "credentials",
            rule,
        };
        let entries = json::entries(plaintext).map_err(|fault| match fault {
            Fault::NotAnObject => malformed("must be a JSON object"),
            Fault::DuplicateKey => malformed("must not hold the same key twice"),
        })?;
        let (mut hints, mut references) = (Readable::new(), Readable::new());
        for (name, value) in &entries {
            if name == "$sealed" {
                return Err(malformed(
                    "must not hold the key \"$sealed\": seal clear text only",
                ));
            }
            if !is_name(name) || !value.get().starts_with('"') {
                continue;
            }
            if is_reference_name(name) {
                let reference = json::string(value)
                    .filter(|reference| is_own_reference(reference, organization))
                    .ok_or_else(|| {
                        malformed(
                            "must hold under a key ending in \"Ref\" the name of a secret below \
                             org/<organization id>/ or the uuid of a secret",
                        )
                    })?;
                references.insert(name.clone(), reference.to_string());
            } else if let Some(hint) = hint_of(name, value) {
                hints.insert(name.clone(), hint);
            }
        }
        let sealed = if references.is_empty() {
            Zeroizing::new(plaintext.to_owned())
        } else {
            let rest = entries
                .iter()
                .filter(|(name, _)| !references.contains_key(name));
            json::object(rest.map(|(name, value)| (name.as_str(), value.get())))
        };
        if sealed.len() > MAX_PLAINTEXT_BYTES {
            return Err(CredentialError::TooLarge);
        }
        Ok(Self {
            sealed,
            hints,
            references,
        })
    }
}

/// Puts references back where [`Parts::of`] took them from: the credentials as they were given, up to the order of
/// their keys.
pub(super) fn with_references(
    sealed: Zeroizing<String>,
    references: &Readable,
) -> Result<Zeroizing<String>, Fault> {
    if references.is_empty() {
        return Ok(sealed);
    }
    let entries = json::entries(&sealed)?;
    let quoted: Vec<_> = references
        .iter()
        .map(|(name, value)| (name, json::quoted(value)))
        .collect();
    Ok(json::object(
        entries
            .iter()
            .map(|(name, value)| (name.as_str(), value.get()))
            .chain(
                quoted
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str())),
            ),
    ))
}

/// Compact JSON with sorted keys: the form that the envelope's integrity covers.
pub(super) fn canonical(readable: &Readable) -> String {
    serde_json::to_string(readable).expect("a map of strings always has a JSON form")
}

/// Whether an envelope may carry this hint.
pub(super) fn is_hint(name: &str, hint: &str) -> bool {
    if !is_name(name) {
        return false;
    }
    match Kind::of(name) {
        Some(_) if hint == SET => true,
        Some(Kind::Verbatim) => is_graphic(hint, MAX_VERBATIM),
        Some(Kind::Tail) => hint
            .strip_prefix("...")
            .is_some_and(|tail| tail.len() == TAIL && is_graphic(tail, TAIL)),
        Some(Kind::Secret) | None => false,
    }
}

/// Whether an envelope may carry this reference.
pub(super) fn is_reference(name: &str, reference: &str) -> bool {
    is_name(name) && is_reference_name(name) && is_graphic(reference, MAX_REFERENCE)
}

/// How much of a value its name permits to show.
enum Kind {
    Secret,
    Verbatim,
    Tail,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        const SECRET: [&str; 6] = ["token", "secret", "key", "password", "auth", "private"];
        let lower = name.to_ascii_lowercase();
        if SECRET.iter().any(|word| lower.contains(word)) {
            Some(Self::Secret)
        } else if matches!(name, "provider" | "region") {
            Some(Self::Verbatim)
        } else if name.ends_with("Sid") || matches!(name, "accountId" | "account_id") {
            Some(Self::Tail)
        } else {
            None
        }
    }
}

/// `value` is a JSON string. An empty string is not set and has no hint.
fn hint_of(name: &str, value: &serde_json::value::RawValue) -> Option<String> {
    let kind = Kind::of(name)?;
    if value.get() == "\"\"" {
        return None;
    }
    let shown = match kind {
        Kind::Secret => None,
        Kind::Verbatim => json::string(value)
            .filter(|text| is_graphic(text, MAX_VERBATIM))
            .map(|t| t.to_string()),
        Kind::Tail => json::string(value)
            .filter(|text| text.len() >= MIN_LENGTH_FOR_TAIL && is_graphic(text, usize::MAX))
            .map(|text| format!("...{}", &text[text.len() - TAIL..])),
    };
    Some(shown.unwrap_or_else(|| SET.to_owned()))
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_reference_name(name: &str) -> bool {
    name.strip_suffix("Ref")
        .is_some_and(|rest| !rest.is_empty())
}

/// A name outside the organization's own folder would let a tenant point at any secret of the project. The uuid of a
/// secret says nothing of its owner: whoever resolves it checks the name of what it finds.
fn is_own_reference(reference: &str, organization: Uuid) -> bool {
    let below = reference
        .strip_prefix("org/")
        .and_then(|rest| rest.strip_prefix(organization.to_string().as_str()))
        .and_then(|rest| rest.strip_prefix('/'))
        .is_some_and(|rest| !rest.is_empty());
    let is_id = reference.len() == 36 && Uuid::try_parse(reference).is_ok();
    is_graphic(reference, MAX_REFERENCE) && (below || is_id)
}

/// 1 to `max` visible ASCII characters. ASCII has one JSON form and one sort order in every language, which is what
/// makes the canonical form the same everywhere.
fn is_graphic(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORGANIZATION: Uuid = Uuid::from_u128(0xa0000000_0000_4000_8000_00000000000a);
    const OTHER: Uuid = Uuid::from_u128(0xb0000000_0000_4000_8000_00000000000b);

    fn parts(plaintext: &str) -> Parts {
        Parts::of(plaintext, ORGANIZATION).unwrap()
    }

    fn refusal(plaintext: &str) -> CredentialError {
        Parts::of(plaintext, ORGANIZATION)
            .err()
            .expect("must be refused")
    }

    #[test]
    fn hints_by_name_and_value() {
        let long = "x".repeat(65);
        let cases = [
            ("provider", "twilio", Some("twilio")),
            ("region", "eu-west-1", Some("eu-west-1")),
            ("provider", &long[1..], Some(&long[1..])),
            ("provider", long.as_str(), Some("set")),
            ("region", "two words", Some("set")),
            ("provider", "é", Some("set")),
            ("provider", "", None),
            ("accountSid", "AC00000000009f3a", Some("...9f3a")),
            ("accountSid", "AC0000009f3a", Some("...9f3a")),
            ("accountSid", "AC000009f3a", Some("set")),
            ("accountSid", "AC0000000000é", Some("set")),
            ("accountSid", "", None),
            ("Sid", "AC0000009f3a", Some("...9f3a")),
            ("accountId", "000000009f3a", Some("...9f3a")),
            ("account_id", "000000009f3a", Some("...9f3a")),
            ("accountid", "000000009f3a", None),
            ("authToken", "not-a-real-token", Some("set")),
            ("AUTHTOKEN", "not-a-real-token", Some("set")),
            ("authToken", "", None),
            ("clientSecret", "not-a-real-secret", Some("set")),
            ("apiKeySid", "SK0000009f3a", Some("set")),
            ("privateRegion", "eu", Some("set")),
            ("password", "x", Some("set")),
            ("note", "anything", None),
            ("$authToken", "not-a-real-token", None),
            ("1Sid", "AC0000009f3a", None),
            ("account-Sid", "AC0000009f3a", None),
        ];
        for (name, value, expected) in cases {
            let Parts {
                hints, references, ..
            } = parts(&format!(
                "{{{}: {}}}",
                json::quoted(name),
                json::quoted(value)
            ));
            assert_eq!(
                hints.get(name).map(String::as_str),
                expected,
                "{name} {value}"
            );
            assert!(
                hints.iter().all(|(name, hint)| is_hint(name, hint)),
                "{name} {value}"
            );
            assert!(references.is_empty());
        }
    }

    #[test]
    fn only_strings_at_the_top_are_hinted() {
        let Parts { hints, .. } = parts(
            r#"{"authToken": 1, "accountSid": {"authToken": "x"}, "region": ["eu"], "provider": null}"#,
        );
        assert!(hints.is_empty());
    }

    #[test]
    fn a_name_of_64_characters_is_the_longest() {
        let (fits, long) = ("k".repeat(61) + "Sid", "k".repeat(62) + "Sid");
        let text = format!(r#"{{"{fits}": "000000009f3a", "{long}": "000000009f3a"}}"#);
        // "k" alone is no secret word; both names end alike, so only the length tells them apart.
        assert_eq!(parts(&text).hints.keys().collect::<Vec<_>>(), [&fits]);
    }

    #[test]
    fn references_leave_the_sealed_text() {
        let own = format!("org/{ORGANIZATION}/authToken");
        let text = format!(r#"{{"n": 1.50, "authTokenRef": "{own}", "xRef": 7, "Ref": "y"}}"#);
        let Parts {
            sealed,
            hints,
            references,
        } = parts(&text);
        assert_eq!(*sealed, r#"{"n": 1.50, "xRef": 7, "Ref": "y"}"#);
        assert_eq!(
            canonical(&references),
            format!(r#"{{"authTokenRef":"{own}"}}"#)
        );
        assert!(hints.is_empty(), "a reference needs no hint");
        let whole = with_references(sealed, &references).unwrap();
        let expected = format!(r#"{{"n": 1.50, "xRef": 7, "Ref": "y", "authTokenRef": "{own}"}}"#);
        assert_eq!(*whole, expected);
    }

    #[test]
    fn a_reference_alone_leaves_an_empty_object() {
        let Parts {
            sealed, references, ..
        } = parts(&format!(r#"{{"aRef": "{OTHER}"}}"#));
        assert_eq!(
            *sealed, "{}",
            "the uuid of a secret is checked by whoever resolves it"
        );
        let whole = with_references(sealed, &references).unwrap();
        assert_eq!(*whole, format!(r#"{{"aRef": "{OTHER}"}}"#));
    }

    #[test]
    fn references_outside_the_organization_are_refused() {
        let own = format!("org/{ORGANIZATION}/");
        for value in [
            format!("org/{OTHER}/authToken"),
            own.clone(),
            own.trim_end_matches('/').to_owned(),
            format!("/{own}x"),
            own.to_uppercase() + "x",
            "twilio_auth_token".to_owned(),
            String::new(),
            format!("{own}two words"),
            format!("{own}{}", "x".repeat(256)),
            ORGANIZATION.simple().to_string(),
        ] {
            let refused = refusal(&format!(r#"{{"authTokenRef": "{value}"}}"#));
            let CredentialError::Malformed {
                field: "credentials",
                rule,
            } = refused
            else {
                panic!("{value}: {refused:?}")
            };
            assert!(rule.contains("Ref"), "{value}: {rule}");
        }
    }

    #[test]
    fn clear_text_rules() {
        for text in ["null", "[]", "1", "\"x\"", "", "{", "{\"a\":1}x"] {
            let refused = refusal(text);
            assert!(matches!(
                refused,
                CredentialError::Malformed {
                    field: "credentials",
                    ..
                }
            ));
        }
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"$sealed":1}"#,
            r#"{"\u0024sealed":null}"#,
        ] {
            let refused = refusal(text);
            assert!(matches!(
                refused,
                CredentialError::Malformed {
                    field: "credentials",
                    ..
                }
            ));
        }
        let nested = format!("{{\"a\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
        for text in [
            "{}",
            r#"{"a": {"$sealed": 1}}"#,
            r#"{"": "é", "a": "\u0000"}"#,
            &nested,
        ] {
            assert_eq!(*parts(text).sealed, text);
        }
    }

    #[test]
    fn size_limit_is_on_the_text() {
        let text = |bytes: usize| format!(r#"{{"note":"{}"}}"#, "x".repeat(bytes - 11));
        assert_eq!(text(MAX_PLAINTEXT_BYTES).len(), MAX_PLAINTEXT_BYTES);
        assert_eq!(
            *parts(&text(MAX_PLAINTEXT_BYTES)).sealed,
            text(MAX_PLAINTEXT_BYTES)
        );
        assert_eq!(
            refusal(&text(MAX_PLAINTEXT_BYTES + 1)),
            CredentialError::TooLarge
        );
        assert_eq!(refusal(&text(1 << 20)), CredentialError::TooLarge);
    }

    #[test]
    fn refusals_never_show_a_value() {
        for text in [
            r#"{"authToken":"canary-7f2e","authToken":1}"#,
            r#"{"$sealed":"canary-7f2e"}"#,
            r#"{"aRef":"canary-7f2e"}"#,
            r#"{"authToken":"canary-7f2e"#,
        ] {
            let refused = refusal(text);
            assert!(
                !format!("{refused} {refused:?}").contains("canary"),
                "{refused}"
            );
        }
    }
}
