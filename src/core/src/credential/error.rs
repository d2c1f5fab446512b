//! What can be wrong with a key ring, an envelope or a call. Every message names the rule that was broken and never a
//! value, because these messages reach clients and logs.

use super::limits::{ALGORITHM, MAX_ENVELOPE_BYTES, MAX_KEYS, MAX_PLAINTEXT_BYTES, MAX_RING_BYTES};

/// Why [`seal`](super::seal()), [`open`](super::open) or a key operation refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// An argument breaks a rule. SQLSTATE 22023.
    #[error("{field} {rule}")]
    Malformed {
        /// The argument: `credentials`, `purpose`, `row_id` or `version`.
        field: &'static str,
        /// The rule, as the end of a sentence: "must be a JSON object".
        rule: &'static str,
    },
    /// The text is not an envelope. SQLSTATE 22023.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// More clear text than one envelope takes. SQLSTATE 54000.
    #[error(
        "credentials must not exceed {} bytes of JSON text",
        MAX_PLAINTEXT_BYTES
    )]
    TooLarge,
    /// The envelope belongs to another purpose, organization, row or data key version, or a part of it was changed:
    /// the cryptography cannot tell which. SQLSTATE 42501 or 22023, as the caller sees fit.
    #[error("credentials were not sealed for this row and organization, or were altered since")]
    NotForThisRow,
    /// The root key that wraps a data key is not in the ring. SQLSTATE 55000.
    #[error("key \"{kid}\" is not in the key ring")]
    UnknownKey {
        /// Key id as the database knows it.
        kid: String,
    },
    /// A root key of that id is in the ring with other bytes than the ones used before. SQLSTATE 55000.
    #[error("key \"{kid}\" is loaded but is not the key this database was sealed with")]
    WrongKey {
        /// Key id as the database knows it.
        kid: String,
    },
    /// The wrapped data key does not open under this root key for this organization and version. SQLSTATE 55000.
    #[error("data key version {version} does not open with key \"{kid}\" for this organization")]
    TenantKey {
        /// Id of the root key that was tried.
        kid: String,
        /// Version of the organization's data key.
        version: u32,
    },
    /// The kernel gave no random bytes. SQLSTATE 55000.
    #[error("the kernel gave no random bytes; nothing was sealed")]
    NoRandomness,
}

/// Why a text is not an envelope. SQLSTATE 22023.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// More text than an envelope can be.
    #[error(
        "sealed credentials must not exceed {} bytes of JSON text",
        MAX_ENVELOPE_BYTES
    )]
    TooLong,
    /// Not a JSON object, or no JSON at all.
    #[error("sealed credentials must be a JSON object")]
    NotAnObject,
    /// One of the eight keys is absent.
    #[error("sealed credentials lack the key \"{0}\"")]
    MissingKey(&'static str),
    /// A key beside the eight: clear text could hide there.
    #[error("sealed credentials hold a key that is not part of an envelope")]
    UnknownKey,
    /// The same key twice, at the top or in `m` or `r`.
    #[error("sealed credentials hold the same key twice")]
    DuplicateKey,
    /// A key holds a value of another type or outside its range.
    #[error("\"{field}\" of sealed credentials must be {rule}")]
    Value {
        /// The key.
        field: &'static str,
        /// What it must be, as the end of a sentence.
        rule: &'static str,
    },
    /// An `alg` this version does not know.
    #[error("\"alg\" of sealed credentials must be \"{}\"", ALGORITHM)]
    Algorithm,
}

/// Why the bytes of a key ring were refused. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// No key at all.
    #[error("the key ring holds no key")]
    Empty,
    /// Neither text nor 32 raw bytes.
    #[error("the key ring must be lines of UTF-8 text, or one key of 32 raw bytes")]
    NotText,
    /// More bytes than a ring of the permitted size can need.
    #[error("the key ring must not exceed {} bytes", MAX_RING_BYTES)]
    TooLong,
    /// More keys than permitted.
    #[error("the key ring must not hold more than {} keys", MAX_KEYS)]
    TooManyKeys,
    /// A line without a key id, in a ring of several lines.
    #[error("line {line} of the key ring must be kid:key, or *kid:key for the active key")]
    Line {
        /// Where.
        line: usize,
    },
    /// A key id outside its alphabet or length.
    #[error(
        "line {line} of the key ring: a key id is 1 to 32 letters, digits, \"_\", \"-\" or \".\""
    )]
    Kid {
        /// Where.
        line: usize,
    },
    /// A key of another length than 32 bytes.
    #[error("line {line} of the key ring: a key is 64 hex digits, or 43 or 44 base64 characters")]
    Length {
        /// Where.
        line: usize,
    },
    /// The right length, with characters that the encoding does not have.
    #[error("line {line} of the key ring: the key is neither hex nor base64")]
    Encoding {
        /// Where.
        line: usize,
    },
    /// All zero, or a shorter sequence over and over: a placeholder rather than a key.
    #[error("line {line} of the key ring: the key repeats itself; make one from random bytes")]
    Weak {
        /// Where.
        line: usize,
    },
    /// The id of an earlier line.
    #[error("line {line} of the key ring: the key id is already taken by an earlier line")]
    DuplicateKid {
        /// Where.
        line: usize,
    },
    /// The key of an earlier line under another id: a rotation that would change nothing.
    #[error("line {line} of the key ring: an earlier line has the same key under another id")]
    DuplicateKey {
        /// Where.
        line: usize,
    },
    /// A second line with `*`.
    #[error("line {line} of the key ring: an earlier line is already marked active with \"*\"")]
    SecondActive {
        /// Where.
        line: usize,
    },
    /// Several keys and none of them marked.
    #[error("mark the active key of the key ring with \"*\"")]
    NoActive,
}
