//! What the rules check and the errors name: the sizes that are allowed, and the one algorithm.

/// The one algorithm: AES-256-GCM, key, IV and commitment by HKDF-SHA-256 from the data key and the salt.
pub const ALGORITHM: &str = "A256GCM-HKDF-C1";

/// Most bytes of clear JSON text in one envelope.
pub const MAX_PLAINTEXT_BYTES: usize = 64 * 1024;

/// Most bytes of an envelope's JSON text: 64 KiB of clear text come to 87,488 characters of ciphertext, and no more again
/// of hints and of references.
pub const MAX_ENVELOPE_BYTES: usize = 384 * 1024;

/// Most keys in a ring. A rotation needs two; more are for old backups.
pub const MAX_KEYS: usize = 16;

/// Most bytes of a ring: 16 lines of at most 100 bytes, and ample room for comments.
pub const MAX_RING_BYTES: usize = 16 * 1024;
