//! Any bytes as claims, headers, permissions, path and topic: no panic, and what is found is what stands there.
//!
//! From `src/core`, with cargo-fuzz 0.13:
//!
//! ```text
//! RUSTC_BOOTSTRAP=1 cargo fuzz run claims fuzz/corpus/claims fuzz/seeds/claims -- -max_len=2000 -max_total_time=600
//! ```
//!
//! `RUSTC_BOOTSTRAP` is explained in `phone.rs`. The seeds are one of each kind of text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use switchboard_core::tenant::{
    MAX_CLAIMS_BYTES, Requested, canonical_uuid, is_application_name, parse_claims, parse_headers,
    parse_permissions, path_organization, topic_organization,
};

/// A claim or header as a second reader takes it from the same object.
fn wanted(value: Option<&Value>) -> Requested<uuid::Uuid> {
    match value {
        None => Requested::Absent,
        Some(value) => value
            .as_str()
            .and_then(canonical_uuid)
            .map_or(Requested::Invalid, Requested::Present),
    }
}

fuzz_target!(|input: &[u8]| {
    let claims = parse_claims(input);
    if let Some(claims) = &claims {
        assert!(input.len() <= MAX_CLAIMS_BYTES);
        // A text with lone surrogates or huge numbers in what we skip is ours and not serde_json's.
        if let Ok(value) = serde_json::from_slice::<Value>(input) {
            assert_eq!(claims.subject, wanted(value.get("sub")));
            assert_eq!(claims.role.as_deref(), value["role"].as_str());
            assert_eq!(claims.assurance_level.as_deref(), value["aal"].as_str());
            let active = value["app_metadata"].get("active_organization_id");
            assert_eq!(claims.active_organization, wanted(active));
            assert_eq!(claims.valid_until().is_some(), value.get("exp").is_some());
        }
    }
    let headers = parse_headers(input);
    assert!(!input.is_empty() || headers.is_empty());
    if let Requested::Present(slug) = &headers.organization_slug {
        assert!(
            slug.len() <= 63
                && slug
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        );
    }
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    if let Some(id) = path_organization(text) {
        let rest = text
            .strip_prefix(&format!("{id}/"))
            .expect("the organization is in front");
        assert!(
            rest.split('/')
                .all(|segment| !matches!(segment, "" | "." | ".."))
        );
    }
    if let Some(id) = topic_organization(text) {
        assert!(text.starts_with(&format!("org:{id}:")));
    }
    if let Ok(permissions) = parse_permissions(text) {
        assert!(
            permissions
                .granted
                .iter()
                .all(|capability| capability.is_grantable())
        );
        assert!(
            permissions
                .granted
                .iter()
                .all(|capability| !permissions.denied.contains(capability))
        );
        assert!(
            permissions
                .application
                .iter()
                .all(|(name, _)| is_application_name(name))
        );
    }
});
