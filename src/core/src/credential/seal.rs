//! Making and opening envelopes. Each envelope has a key, an IV and a commitment of its own, derived from the
//! organization's data key, a salt and everything the envelope is bound to, so nothing of it can be moved or changed.

use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::crypto::{self, IV_BYTES, KEY_BYTES, TAG_BYTES};
use super::envelope::Envelope;
use super::error::CredentialError;
use super::hint::{self, Parts, Readable};
use super::limits::ALGORITHM;
use super::tenant_key::{self, TenantKey};

const FORMAT_LABEL: &[u8] = b"switchboard/v1";
const HEDGE_LABEL: &[u8] = b"switchboard/hedge/v1";
/// The clear text is padded to whole blocks: its length would otherwise tell one kind of token from another.
const BLOCK: usize = 64;
const COMMITMENT_BYTES: usize = 32;

/// What an envelope is bound to. It opens with the same four values and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// What the secret is for: a registered string such as `provider_accounts.credentials`, 1 to 128 visible ASCII
    /// characters. It survives the renaming of a table.
    pub purpose: &'a str,
    /// The tenant.
    pub organization: Uuid,
    /// Primary key of the row as text, 1 to 1024 bytes.
    pub row_id: &'a str,
    /// Version of the organization's data key, from 1.
    pub version: u32,
}

impl Context<'_> {
    fn check(&self) -> Result<(), CredentialError> {
        let malformed = |field, rule| Err(CredentialError::Malformed { field, rule });
        if !(1..=128).contains(&self.purpose.len())
            || !self.purpose.bytes().all(|b| b.is_ascii_graphic())
        {
            return malformed("purpose", "must be 1 to 128 visible ASCII characters");
        }
        if !(1..=1024).contains(&self.row_id.len()) {
            return malformed("row_id", "must be 1 to 1024 bytes");
        }
        tenant_key::check_version(self.version)
    }

    /// The additional authenticated data, which is the HKDF info as well.
    fn aad(&self, hints: &Readable, references: &Readable) -> Vec<u8> {
        crypto::fields(&[
            FORMAT_LABEL,
            ALGORITHM.as_bytes(),
            self.purpose.as_bytes(),
            self.organization.to_string().as_bytes(),
            self.row_id.as_bytes(),
            self.version.to_string().as_bytes(),
            hint::canonical(hints).as_bytes(),
            hint::canonical(references).as_bytes(),
        ])
    }
}

/// Seals credentials: `plaintext` is the text of a JSON object (from Postgres: as it prints `jsonb`), encrypted as it
/// is. A string under a key ending in `Ref` is a reference; it stays readable and out of the ciphertext.
///
/// # Errors
/// [`CredentialError::Malformed`] if `plaintext` is no JSON object, holds a key twice or the key `$sealed`, or refers
/// to a secret outside the organization, or if `context` breaks a rule; [`CredentialError::TooLarge`] above
/// [`MAX_PLAINTEXT_BYTES`](super::MAX_PLAINTEXT_BYTES); [`CredentialError::NoRandomness`].
pub fn seal(
    key: &TenantKey,
    context: &Context<'_>,
    plaintext: &str,
) -> Result<Envelope, CredentialError> {
    seal_with(key, context, plaintext, &*crypto::random()?)
}

pub(super) fn seal_with(
    key: &TenantKey,
    context: &Context<'_>,
    plaintext: &str,
    random: &[u8; 32],
) -> Result<Envelope, CredentialError> {
    context.check()?;
    let Parts {
        sealed,
        hints,
        references,
    } = Parts::of(plaintext, context.organization)?;
    let aad = context.aad(&hints, &references);
    let salt = hedged_salt(key, context, random, &aad, sealed.as_bytes());
    let one_time = OneTime::derive(key, &salt, &aad);
    let mut ciphertext = padded(sealed.as_bytes());
    crypto::encrypt(one_time.key_iv(), &aad, &mut ciphertext);
    Ok(Envelope {
        version: context.version,
        salt,
        commitment: one_time.commitment(),
        ciphertext,
        hints,
        references,
    })
}

/// Opens an envelope and returns the credentials as they were sealed: the same text, or with references the same
/// object, these last.
///
/// # Errors
/// [`CredentialError::NotForThisRow`] if the envelope was sealed for another context or with another data key, or was
/// altered in any part; [`CredentialError::Malformed`] if `context` breaks a rule.
pub fn open(
    key: &TenantKey,
    context: &Context<'_>,
    envelope: &Envelope,
) -> Result<Zeroizing<String>, CredentialError> {
    context.check()?;
    if envelope.version != context.version {
        return Err(CredentialError::NotForThisRow);
    }
    let aad = context.aad(&envelope.hints, &envelope.references);
    let one_time = OneTime::derive(key, &envelope.salt, &aad);
    if !bool::from(one_time.commitment().ct_eq(&envelope.commitment)) {
        return Err(CredentialError::NotForThisRow);
    }
    let mut buffer = Zeroizing::new(envelope.ciphertext.clone());
    crypto::decrypt(one_time.key_iv(), &aad, &mut buffer)
        .map_err(|_| CredentialError::NotForThisRow)?;
    let sealed = unpadded(&buffer)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .map(|text| Zeroizing::new(text.to_owned()))
        .ok_or(CredentialError::NotForThisRow)?;
    hint::with_references(sealed, &envelope.references).map_err(|_| CredentialError::NotForThisRow)
}

/// What one envelope alone uses: key, IV and commitment. The commitment pins the key, which GCM by itself does not: a
/// ciphertext can be built to open under two keys, a commitment cannot.
struct OneTime(Zeroizing<[u8; KEY_BYTES + IV_BYTES + COMMITMENT_BYTES]>);

impl OneTime {
    fn derive(key: &TenantKey, salt: &[u8; 32], aad: &[u8]) -> Self {
        Self(crypto::derive(key.expose(), Some(salt), aad))
    }

    fn key_iv(&self) -> &[u8] {
        &self.0[..KEY_BYTES + IV_BYTES]
    }

    fn commitment(&self) -> [u8; COMMITMENT_BYTES] {
        self.0[KEY_BYTES + IV_BYTES..]
            .try_into()
            .expect("the last 32 of 76 bytes")
    }
}

/// The salt mixes kernel randomness with what is sealed: should the kernel ever repeat itself (a resumed snapshot of a
/// virtual machine), only equal clear text gets an equal salt and no key stream is used twice.
fn hedged_salt(
    key: &TenantKey,
    context: &Context<'_>,
    random: &[u8; 32],
    aad: &[u8],
    sealed: &[u8],
) -> [u8; 32] {
    let label = tenant_key::label(HEDGE_LABEL, context.organization, context.version);
    let hedge = crypto::derive(key.expose(), None, &label);
    crypto::mac(&hedge, &[random, aad, sealed])
}

/// The text, one byte 0x80, and zeros up to a whole block (ISO/IEC 7816-4), with room for the tag: encrypting in place
/// then never moves the clear text.
fn padded(text: &[u8]) -> Vec<u8> {
    let length = (text.len() / BLOCK + 1) * BLOCK;
    let mut out = Vec::with_capacity(length + TAG_BYTES);
    out.extend_from_slice(text);
    out.push(0x80);
    out.resize(length, 0);
    out
}

/// Undoes [`padded`]; `None` for anything it cannot have made.
fn unpadded(padded: &[u8]) -> Option<&[u8]> {
    let end = padded.iter().rposition(|&byte| byte != 0)?;
    let shortest = padded.len().is_multiple_of(BLOCK) && padded.len() - end <= BLOCK;
    (shortest && padded[end] == 0x80).then(|| &padded[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::limits::{MAX_ENVELOPE_BYTES, MAX_PLAINTEXT_BYTES};
    use super::*;

    const ORGANIZATION: Uuid = Uuid::from_u128(0xa0000000_0000_4000_8000_00000000000a);
    const PLAINTEXT: &str =
        r#"{"provider": "twilio", "authToken": "not-a-real-token", "accountSid": "AC0000009f3a"}"#;

    fn key() -> TenantKey {
        TenantKey::from_bytes(&std::array::from_fn(|i| 7 * i as u8))
    }

    fn context() -> Context<'static> {
        Context {
            purpose: "provider_accounts.credentials",
            organization: ORGANIZATION,
            row_id: "1",
            version: 3,
        }
    }

    #[track_caller]
    fn assert_refused(context: &Context<'_>, envelope: &Envelope) {
        assert_eq!(
            open(&key(), context, envelope).unwrap_err(),
            CredentialError::NotForThisRow
        );
    }

    #[test]
    fn two_seals_of_the_same_text_share_nothing() {
        let first = seal(&key(), &context(), PLAINTEXT).unwrap();
        let again = seal(&key(), &context(), PLAINTEXT).unwrap();
        assert_ne!(first.salt, again.salt);
        assert_ne!(first.commitment, again.commitment);
        assert_ne!(first.ciphertext, again.ciphertext);
    }

    #[test]
    fn repeated_randomness_repeats_no_salt_of_another_text_or_place() {
        let salt = |context: &Context<'_>, plaintext: &str| {
            seal_with(&key(), context, plaintext, &[9; 32])
                .unwrap()
                .salt
        };
        let first = salt(&context(), PLAINTEXT);
        assert_eq!(salt(&context(), PLAINTEXT), first);
        let others = [
            salt(&context(), &PLAINTEXT.replace("real", "true")),
            salt(
                &Context {
                    row_id: "2",
                    ..context()
                },
                PLAINTEXT,
            ),
            salt(
                &Context {
                    purpose: "other",
                    ..context()
                },
                PLAINTEXT,
            ),
            salt(
                &Context {
                    organization: Uuid::nil(),
                    ..context()
                },
                PLAINTEXT,
            ),
            salt(
                &Context {
                    version: 4,
                    ..context()
                },
                PLAINTEXT,
            ),
            seal_with(&key(), &context(), PLAINTEXT, &[8; 32])
                .unwrap()
                .salt,
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, first, "{index}");
            assert!(!others[..index].contains(other), "{index}");
        }
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let good = seal(&key(), &context(), PLAINTEXT).unwrap();
        open(&key(), &context(), &good).unwrap();
        let length = good.salt.len() + good.commitment.len() + good.ciphertext.len();
        for index in 0..length {
            let mut bad = good.clone();
            let bytes = bad
                .salt
                .iter_mut()
                .chain(&mut bad.commitment)
                .chain(&mut bad.ciphertext);
            *bytes.into_iter().nth(index).unwrap() ^= 1;
            assert_refused(&context(), &bad);
        }
        for length in 16..good.ciphertext.len() {
            let mut bad = good.clone();
            bad.ciphertext.truncate(length);
            assert_refused(&context(), &bad);
        }
    }

    #[test]
    fn any_changed_hint_or_reference_is_refused() {
        let text = format!(r#"{{"region": "eu", "aRef": "org/{ORGANIZATION}/a"}}"#);
        let good = seal(&key(), &context(), &text).unwrap().to_json();
        let changes: [(&str, &str); 6] = [
            (r#""region":"eu""#, r#""region":"us""#),
            (r#""m":{"region":"eu"}"#, r#""m":{}"#),
            (r#""region":"eu""#, r#""region":"eu","authToken":"set""#),
            (r#"/a"}"#, r#"/b"}"#),
            (r#""aRef":"#, r#""bRef":"#),
            (r#"/a"}"#, r#"/a","bRef":"x"}"#),
        ];
        for (from, to) in changes {
            let bad = good.replace(from, to);
            assert_ne!(bad, good, "{from}");
            assert_refused(&context(), &Envelope::parse(&bad).unwrap());
        }
        let other_order = good
            .replace(r#"{"$sealed":1,"#, "{ ")
            .replace("}}", r#"},"$sealed":1}"#);
        let envelope = Envelope::parse(&other_order).unwrap();
        assert_eq!(*open(&key(), &context(), &envelope).unwrap(), text);
    }

    #[test]
    fn a_version_in_the_envelope_is_no_choice_of_the_envelope() {
        let mut envelope = seal(&key(), &context(), PLAINTEXT).unwrap();
        envelope.version = 4;
        assert_refused(&context(), &envelope);
        assert_refused(
            &Context {
                version: 4,
                ..context()
            },
            &envelope,
        );
    }

    #[test]
    fn largest_text_fits_the_envelope() {
        let text = format!(r#"{{"note": "{}"}}"#, "x".repeat(MAX_PLAINTEXT_BYTES - 12));
        let sealed = seal(&key(), &context(), &text).unwrap().to_json();
        let envelope = Envelope::parse(&sealed).unwrap();
        assert_eq!(*open(&key(), &context(), &envelope).unwrap(), text);
        let long = text.replacen('x', "xx", 1);
        assert_eq!(
            seal(&key(), &context(), &long).unwrap_err(),
            CredentialError::TooLarge
        );
    }

    #[test]
    fn most_hints_fit_the_envelope() {
        let pairs: Vec<_> = (0..4000).map(|n| format!(r#""{n}Sid":"""#)).collect();
        let mut text = format!("{{{}}}", pairs.join(","));
        assert!(text.len() < MAX_PLAINTEXT_BYTES);
        text.insert_str(1, &" ".repeat(MAX_PLAINTEXT_BYTES - text.len()));
        let envelope = seal(&key(), &context(), &text).unwrap();
        // Twice, for the spaces with which Postgres prints it.
        assert!(2 * envelope.to_json().len() < MAX_ENVELOPE_BYTES);
    }

    #[test]
    fn context_rules() {
        let (long_purpose, long_row) = ("x".repeat(129), "x".repeat(1025));
        let envelope = seal(&key(), &context(), PLAINTEXT).unwrap();
        for (wrong, name) in [
            (
                Context {
                    purpose: "",
                    ..context()
                },
                "purpose",
            ),
            (
                Context {
                    purpose: "two words",
                    ..context()
                },
                "purpose",
            ),
            (
                Context {
                    purpose: &long_purpose,
                    ..context()
                },
                "purpose",
            ),
            (
                Context {
                    row_id: "",
                    ..context()
                },
                "row_id",
            ),
            (
                Context {
                    row_id: &long_row,
                    ..context()
                },
                "row_id",
            ),
            (
                Context {
                    version: 0,
                    ..context()
                },
                "version",
            ),
            (
                Context {
                    version: 1 << 31,
                    ..context()
                },
                "version",
            ),
        ] {
            for refused in [
                seal(&key(), &wrong, PLAINTEXT).unwrap_err(),
                open(&key(), &wrong, &envelope).unwrap_err(),
            ] {
                let CredentialError::Malformed { field, .. } = refused else {
                    panic!("{refused:?}")
                };
                assert_eq!(field, name);
            }
        }
    }

    #[test]
    fn padding_hides_the_length_within_a_block() {
        let length = |text: usize| {
            let text = format!(r#"{{"note": "{}"}}"#, "x".repeat(text - 12));
            seal(&key(), &context(), &text).unwrap().ciphertext.len()
        };
        assert_eq!((length(12), length(63)), (64 + TAG_BYTES, 64 + TAG_BYTES));
        assert_eq!(
            (length(64), length(127)),
            (128 + TAG_BYTES, 128 + TAG_BYTES)
        );
    }

    #[test]
    fn padding_that_nobody_made_is_refused() {
        let mut longer = padded(b"text");
        longer.resize(2 * BLOCK, 0);
        let mut other = padded(b"text");
        other[4] = 0x81;
        for bad in [
            &[][..],
            &[0; BLOCK],
            &longer,
            &other,
            &padded(b"text")[..BLOCK - 1],
        ] {
            assert_eq!(unpadded(bad), None);
        }
    }

    /// Text of an object whose values have no fixed form: strings with any character, numbers too long for any
    /// machine type, nesting.
    fn object() -> impl Strategy<Value = String> {
        let name = prop_oneof!["[a-z]{1,8}", Just("authToken".to_owned()), "\\PC{0,8}"];
        let value = prop_oneof![
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
            "-?[1-9][0-9]{0,40}(\\.[0-9]{1,20})?",
            Just("null".to_owned()),
            Just(r#"{"a": [1, {"$sealed": 1.50}]}"#.to_owned()),
        ];
        proptest::collection::btree_map(name, value, 0..6).prop_map(|entries| {
            let entries: Vec<_> = entries
                .iter()
                .map(|(name, value)| format!("{}: {value}", serde_json::to_string(name).unwrap()))
                .collect();
            format!("{{{}}}", entries.join(", "))
        })
    }

    proptest! {
        #[test]
        fn every_object_comes_back_exactly(
            plaintext in object(),
            purpose in "[!-~]{1,40}",
            row_id in ".{1,40}",
            organization in any::<u128>().prop_map(Uuid::from_u128),
            version in 1u32..=i32::MAX as u32,
        ) {
            let context = Context { purpose: &purpose, organization, row_id: &row_id, version };
            let sealed = seal(&key(), &context, &plaintext).unwrap().to_json();
            let envelope = Envelope::parse(&sealed).unwrap();
            prop_assert_eq!(envelope.to_json(), sealed);
            prop_assert_eq!(&*open(&key(), &context, &envelope).unwrap(), &plaintext);
        }

        #[test]
        fn no_other_context_opens(
            purpose in "[!-~]{1,8}",
            row_id in "[ -~]{1,8}",
            organization in any::<u128>().prop_map(Uuid::from_u128),
            version in 1u32..9,
        ) {
            let other = Context { purpose: &purpose, organization, row_id: &row_id, version };
            let here = context();
            let envelope = seal(&key(), &here, PLAINTEXT).unwrap();
            for context in [
                other,
                Context { purpose: &purpose, ..here },
                Context { row_id: &row_id, ..here },
                Context { organization, ..here },
                Context { version, ..here },
            ] {
                prop_assume!(context != here);
                prop_assert_eq!(
                    open(&key(), &context, &envelope).unwrap_err(),
                    CredentialError::NotForThisRow
                );
            }
        }

        #[test]
        fn any_flip_is_refused(bit in 0u8..8, at in any::<prop::sample::Index>()) {
            let good = seal(&key(), &context(), PLAINTEXT).unwrap();
            let mut bad = good.clone();
            let mut bytes: Vec<&mut u8> =
                bad.salt.iter_mut().chain(&mut bad.commitment).chain(&mut bad.ciphertext).collect();
            let index = at.index(bytes.len());
            *bytes[index] ^= 1 << bit;
            prop_assert_eq!(
                open(&key(), &context(), &bad).unwrap_err(),
                CredentialError::NotForThisRow
            );
        }

        #[test]
        fn padding_is_unambiguous(text in proptest::collection::vec(
            prop_oneof![Just(0u8), Just(0x80), any::<u8>()], 0..200,
        )) {
            let padded = padded(&text);
            prop_assert_eq!(padded.len() % BLOCK, 0);
            prop_assert!(padded.len() - text.len() <= BLOCK);
            prop_assert_eq!(unpadded(&padded), Some(text.as_slice()));
        }
    }
}
