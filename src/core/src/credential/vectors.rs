//! The vectors that Rust, SQL and Deno share: envelopes and rings made by a second implementation of the format.

use serde::Deserialize;
use uuid::Uuid;

use super::crypto::KEY_BYTES;
use super::tenant_key::wrap_with;
use super::*;

#[derive(Deserialize)]
struct Envelopes {
    root_key: RootKeyVector,
    tenant_key: TenantKeyVector,
    other: Other,
    envelopes: Vec<EnvelopeVector>,
    malformed: Vec<Refused>,
}

#[derive(Deserialize)]
struct RootKeyVector {
    ring: String,
    kid: String,
    kcv: String,
}

#[derive(Deserialize)]
struct TenantKeyVector {
    organization: Uuid,
    version: u32,
    key: String,
    wrap_salt: String,
    wrapped_key: String,
}

#[derive(Deserialize)]
struct Other {
    organization: Uuid,
    row_id: String,
    purpose: String,
    version: u32,
    key: String,
}

#[derive(Deserialize)]
struct EnvelopeVector {
    name: String,
    purpose: String,
    organization: Uuid,
    row_id: String,
    version: u32,
    random: String,
    plaintext: String,
    opened: String,
    envelope: String,
}

#[derive(Deserialize)]
struct Rings {
    accepted: Vec<Accepted>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Accepted {
    name: String,
    text: Option<String>,
    hex: Option<String>,
    active: String,
    keys: Vec<KeyVector>,
}

#[derive(Deserialize)]
struct KeyVector {
    kid: String,
    kcv: String,
}

#[derive(Deserialize)]
struct Refused {
    name: String,
    text: Option<String>,
    hex: Option<String>,
    error: String,
}

fn envelopes() -> Envelopes {
    let text = include_str!("../../../../tests/vectors/credential_envelopes.json");
    serde_json::from_str(text).expect("the vectors are of this shape")
}

fn rings() -> Rings {
    let text = include_str!("../../../../tests/vectors/key_rings.json");
    serde_json::from_str(text).expect("the vectors are of this shape")
}

fn from_hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

fn key_from_hex(text: &str) -> TenantKey {
    let bytes: [u8; KEY_BYTES] = from_hex(text).try_into().unwrap();
    TenantKey::from_bytes(&bytes)
}

fn content(text: Option<String>, hex: Option<String>) -> Vec<u8> {
    text.map(String::into_bytes)
        .or_else(|| hex.map(|hex| from_hex(&hex)))
        .unwrap()
}

impl EnvelopeVector {
    fn context(&self) -> Context<'_> {
        Context {
            purpose: &self.purpose,
            organization: self.organization,
            row_id: &self.row_id,
            version: self.version,
        }
    }
}

#[test]
fn the_wrapped_key_is_the_same_byte_for_byte() {
    let Envelopes {
        root_key,
        tenant_key: vector,
        other,
        ..
    } = envelopes();
    let ring = KeyRing::parse(root_key.ring.as_bytes()).unwrap();
    let root = ring
        .verified(&root_key.kid, &from_hex(&root_key.kcv))
        .unwrap();
    let key = key_from_hex(&vector.key);
    let (salt, wrapped) = (from_hex(&vector.wrap_salt), from_hex(&vector.wrapped_key));
    let expected = WrappedKey {
        salt: salt.clone().try_into().unwrap(),
        wrapped: wrapped.clone().try_into().unwrap(),
    };
    let made = wrap_with(
        root,
        vector.organization,
        vector.version,
        &key,
        expected.salt,
    )
    .unwrap();
    assert_eq!(made, expected);

    let opened =
        unwrap_tenant_key(root, vector.organization, vector.version, &salt, &wrapped).unwrap();
    assert_eq!(opened.expose(), key.expose());
    for (organization, version) in [
        (other.organization, vector.version),
        (vector.organization, other.version),
    ] {
        let refused = unwrap_tenant_key(root, organization, version, &salt, &wrapped).unwrap_err();
        assert_eq!(
            refused,
            CredentialError::TenantKey {
                kid: root_key.kid.clone(),
                version
            }
        );
    }
}

#[test]
fn envelopes_are_the_same_byte_for_byte_and_open() {
    let Envelopes {
        tenant_key,
        envelopes,
        ..
    } = envelopes();
    let key = key_from_hex(&tenant_key.key);
    for vector in &envelopes {
        let random: [u8; 32] = from_hex(&vector.random).try_into().unwrap();
        let made = seal::seal_with(&key, &vector.context(), &vector.plaintext, &random).unwrap();
        assert_eq!(made.to_json(), vector.envelope, "{}", vector.name);
        let read = Envelope::parse(&vector.envelope).unwrap();
        assert_eq!(read, made, "{}", vector.name);
        let opened = open(&key, &vector.context(), &read).unwrap();
        assert_eq!(*opened, vector.opened, "{}", vector.name);
    }
}

#[test]
fn envelopes_stay_closed_in_any_other_place() {
    let Envelopes {
        tenant_key,
        other,
        envelopes,
        ..
    } = envelopes();
    let key = key_from_hex(&tenant_key.key);
    for vector in &envelopes {
        let envelope = Envelope::parse(&vector.envelope).unwrap();
        let here = vector.context();
        let elsewhere = [
            Context {
                purpose: &other.purpose,
                ..here
            },
            Context {
                organization: other.organization,
                ..here
            },
            Context {
                row_id: &other.row_id,
                ..here
            },
            Context {
                version: other.version,
                ..here
            },
        ];
        for context in elsewhere {
            let refused = open(&key, &context, &envelope).unwrap_err();
            assert_eq!(
                refused,
                CredentialError::NotForThisRow,
                "{} {context:?}",
                vector.name
            );
        }
        let refused = open(&key_from_hex(&other.key), &here, &envelope).unwrap_err();
        assert_eq!(refused, CredentialError::NotForThisRow, "{}", vector.name);
    }
}

#[test]
fn malformed_envelopes_are_refused_by_rule() {
    for vector in envelopes().malformed {
        let text = vector.text.unwrap();
        let error = Envelope::parse(&text).unwrap_err();
        let rule = match &error {
            ShapeError::TooLong => "too_long".to_owned(),
            ShapeError::NotAnObject => "not_an_object".to_owned(),
            ShapeError::MissingKey(key) => format!("missing_key {key}"),
            ShapeError::UnknownKey => "unknown_key".to_owned(),
            ShapeError::DuplicateKey => "duplicate_key".to_owned(),
            ShapeError::Value { field, .. } => format!("value {field}"),
            ShapeError::Algorithm => "algorithm".to_owned(),
        };
        assert_eq!(rule, vector.error, "{}", vector.name);
        assert!(!is_sealed(&text), "{}", vector.name);
    }
}

#[test]
fn rings_are_accepted_with_their_check_values() {
    for vector in rings().accepted {
        let ring = KeyRing::parse(&content(vector.text, vector.hex))
            .unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        assert_eq!(ring.active().kid(), vector.active, "{}", vector.name);
        let kids: Vec<_> = ring.keys().iter().map(RootKey::kid).collect();
        let expected: Vec<_> = vector.keys.iter().map(|key| key.kid.as_str()).collect();
        assert_eq!(kids, expected, "{}", vector.name);
        for KeyVector { kid, kcv } in &vector.keys {
            assert_eq!(
                ring.get(kid).unwrap().kcv().as_slice(),
                from_hex(kcv),
                "{}",
                vector.name
            );
        }
    }
}

#[test]
fn rings_are_refused_by_rule_and_line() {
    use KeyRingError as E;
    for vector in rings().refused {
        let error = KeyRing::parse(&content(vector.text, vector.hex)).expect_err(&vector.name);
        let rule = match &error {
            E::Empty => "empty".to_owned(),
            E::NotText => "not_text".to_owned(),
            E::TooLong => "too_long".to_owned(),
            E::TooManyKeys => "too_many_keys".to_owned(),
            E::Line { line } => format!("line {line}"),
            E::Kid { line } => format!("kid {line}"),
            E::Length { line } => format!("length {line}"),
            E::Encoding { line } => format!("encoding {line}"),
            E::Weak { line } => format!("weak {line}"),
            E::DuplicateKid { line } => format!("duplicate_kid {line}"),
            E::DuplicateKey { line } => format!("duplicate_key {line}"),
            E::SecondActive { line } => format!("second_active {line}"),
            E::NoActive => "no_active".to_owned(),
        };
        assert_eq!(rule, vector.error, "{}", vector.name);
    }
}
