//! The request as PostgREST, Storage and Realtime describe it in settings, parsed once for as long as they stay the same.
//!
//! One backend serves many users, and Realtime changes the claims under one prepared statement in one snapshot. So what
//! was parsed is found by the whole of what it was parsed from, compared byte for byte.

use super::{session, transaction};
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::CStr;
use switchboard_core::tenant::{
    Claims, Headers, MAX_CLAIMS_BYTES, Principal, Requested, canonical_uuid, parse_claims,
    parse_headers, principal,
};

/// The settings that describe a request: claims, the legacy spelling of `sub`, headers.
const SETTINGS: [&CStr; 3] = [
    c"request.jwt.claims",
    c"request.jwt.claim.sub",
    c"request.headers",
];

/// One request's settings, parsed.
pub(crate) struct Request {
    /// Tells it from every other that this backend has parsed.
    pub(crate) number: u64,
    /// The outer role.
    pub(crate) role: String,
    /// Who asks.
    pub(crate) principal: Principal,
    /// The token's claims; empty when there is no token or it cannot be read.
    pub(crate) claims: Claims,
    /// The organization that the headers name.
    pub(crate) headers: Headers,
}

struct Parsed {
    /// [`transaction::undone`] then: the role's name comes from a table.
    undone: u64,
    role: pg_sys::Oid,
    settings: [Vec<u8>; 3],
    /// The last second, in Unix time, for which `request` holds.
    until: i64,
    request: Request,
}

thread_local! {
    static LAST: Cell<Option<Box<Parsed>>> = const { Cell::new(None) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Answers from `request.jwt.claims`, the legacy `request.jwt.claim.sub` and `request.headers`, for the session's outer
/// role. What `answer` leaves by an error is forgotten.
pub(crate) fn with_request<R>(answer: impl FnOnce(&Request) -> R) -> R {
    LAST.with(|last| {
        let parsed = match last.take() {
            Some(parsed) if parsed.holds() => parsed,
            _ => Box::new(Parsed::read()),
        };
        let result = answer(&parsed.request);
        // Longer ones are refused by the parser anyway.
        if parsed.settings.iter().map(Vec::len).sum::<usize>() <= MAX_CLAIMS_BYTES {
            last.set(Some(parsed));
        }
        result
    })
}

/// Equality. Rust's own compares two empty slices by a memcmp of dangling pointers, for which glibc's AVX-512 form takes
/// a microcode assist: 0.15 µs, more than all the rest.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

impl Parsed {
    fn holds(&self) -> bool {
        self.undone == transaction::undone()
            && self.role == session::outer_role_id()
            && session::statement_time() <= self.until
            && std::iter::zip(SETTINGS, &self.settings)
                .all(|(name, bytes)| session::with_setting(name, |value| same(value, bytes)))
    }

    fn read() -> Parsed {
        let settings = SETTINGS.map(|name| session::with_setting(name, <[u8]>::to_vec));
        let [claims_text, legacy, headers] = &settings;
        let role = session::outer_role();
        let now = session::statement_time();
        let claims = parse_claims(claims_text);
        let legacy = match legacy.as_slice() {
            [] => Requested::Absent,
            bytes => std::str::from_utf8(bytes)
                .ok()
                .and_then(canonical_uuid)
                .map_or(Requested::Invalid, Requested::Present),
        };
        let principal = match &claims {
            // Claims that cannot be read are not the same as no claims.
            None if !claims_text.is_empty() => Principal::Nobody,
            claims => principal(&role, claims.as_ref(), legacy, now),
        };
        let number = COUNT.get() + 1;
        COUNT.set(number);
        Parsed {
            undone: transaction::undone(),
            role: session::outer_role_id(),
            until: claims
                .as_ref()
                .and_then(Claims::valid_until)
                .filter(|until| now <= *until)
                .unwrap_or(i64::MAX),
            request: Request {
                number,
                role,
                principal,
                claims: claims.unwrap_or_default(),
                headers: parse_headers(headers),
            },
            settings,
        }
    }
}
