//! The request as PostgREST, Storage and Realtime describe it in settings.

use super::session;
use switchboard_core::tenant::{
    Claims, Headers, Principal, Requested, canonical_uuid, parse_claims, parse_headers, principal,
};

/// One request's settings, parsed.
pub(crate) struct Request {
    /// The outer role.
    pub(crate) role: String,
    /// Who asks.
    pub(crate) principal: Principal,
    /// The token's claims; empty when there is no token or it cannot be read.
    pub(crate) claims: Claims,
    /// The organization that the headers name.
    pub(crate) headers: Headers,
}

/// Reads `request.jwt.claims`, the legacy `request.jwt.claim.sub` and `request.headers`, for the session's outer role.
pub(crate) fn with_request<R>(work: impl FnOnce(&Request) -> R) -> R {
    work(&read())
}

fn read() -> Request {
    let role = session::outer_role();
    let raw = session::setting(c"request.jwt.claims");
    let claims = parse_claims(&raw);
    let legacy = match session::setting(c"request.jwt.claim.sub") {
        bytes if bytes.is_empty() => Requested::Absent,
        bytes => std::str::from_utf8(&bytes)
            .ok()
            .and_then(canonical_uuid)
            .map_or(Requested::Invalid, Requested::Present),
    };
    let principal = match (&claims, raw.is_empty()) {
        // Claims that cannot be read are not the same as no claims.
        (None, false) => Principal::Nobody,
        (claims, _) => principal(&role, claims.as_ref(), legacy, session::statement_time()),
    };
    Request {
        role,
        principal,
        claims: claims.unwrap_or_default(),
        headers: parse_headers(&session::setting(c"request.headers")),
    }
}
