//! Reads the JWT claims that PostgREST, Storage and Realtime leave in the setting `request.jwt.claims`.
//!
//! The signature was checked by whoever set it; this parser only refuses what it cannot read without doubt.

use super::request::Requested;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use uuid::Uuid;

/// Claims longer than this are not read at all. A Supabase token with many identities is some 10 kB.
pub const MAX_CLAIMS_BYTES: usize = 64 * 1024;
const MAX_DEPTH: usize = 32;
/// How long after `exp` a token still counts: clocks of two hosts differ.
const EXPIRY_LEEWAY_SECONDS: i64 = 60;

/// What a token says, as far as tenancy asks. `user_metadata` is never read: its owner can write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `role`: the database role the token was issued for.
    pub role: Option<String>,
    /// `sub`: the user's id.
    pub subject: Requested<Uuid>,
    /// `aal`: authenticator assurance level, `aal2` after a second factor.
    pub assurance_level: Option<String>,
    /// `app_metadata.active_organization_id`: a hint, never authority.
    pub active_organization: Requested<Uuid>,
    expires_at: Option<i64>,
}

impl Claims {
    /// Whether `exp` has passed at `now` (Unix seconds), with a leeway of 60 s. No `exp` never expires.
    pub fn expired_at(&self, now: i64) -> bool {
        self.valid_until().is_some_and(|until| until < now)
    }

    /// The last second (Unix time) at which the token counts: `exp` and 60 s of leeway. `None` without `exp`.
    pub fn valid_until(&self) -> Option<i64> {
        let at = self.expires_at?;
        Some(at.saturating_add(EXPIRY_LEEWAY_SECONDS))
    }
}

/// Parses claims; `None` when they are not one JSON object, longer than 64 kB, nested deeper than 32, or name a key
/// that we read twice (two readers would see two users).
pub fn parse_claims(bytes: &[u8]) -> Option<Claims> {
    if bytes.len() > MAX_CLAIMS_BYTES || depth(bytes) > MAX_DEPTH {
        return None;
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let claims = json.deserialize_map(ClaimsVisitor).ok()?;
    json.end().ok()?;
    Some(claims)
}

/// The deepest nesting of objects and arrays, counted outside of strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = Claims;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of JWT claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let mut claims = Claims::default();
        let mut seen = [false; 5];
        let mut once = |slot: usize| match std::mem::replace(&mut seen[slot], true) {
            true => Err(A::Error::custom("a claim is given twice")),
            false => Ok(()),
        };
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "role" => {
                    once(0)?;
                    claims.role = text(map.next_value()?);
                }
                "sub" => {
                    once(1)?;
                    claims.subject = Requested::uuid(map.next_value()?);
                }
                "aal" => {
                    once(2)?;
                    claims.assurance_level = text(map.next_value()?);
                }
                "exp" => {
                    once(3)?;
                    let value: serde_json::Value = map.next_value()?;
                    // An expiry that cannot be read has passed.
                    claims.expires_at = Some(match value.as_i64() {
                        Some(at) => at,
                        None => value.as_f64().map_or(i64::MIN, |at| at as i64),
                    });
                }
                "app_metadata" => {
                    once(4)?;
                    claims.active_organization = map.next_value::<AppMetadata>()?.0;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(claims)
    }
}

fn text(value: serde_json::Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

struct AppMetadata(Requested<Uuid>);

impl<'de> serde::Deserialize<'de> for AppMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AppMetadataVisitor)
    }
}

struct AppMetadataVisitor;

impl<'de> Visitor<'de> for AppMetadataVisitor {
    type Value = AppMetadata;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E: Error>(self) -> Result<AppMetadata, E> {
        Ok(AppMetadata(Requested::Absent))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AppMetadata, A::Error> {
        let mut found = Requested::Absent;
        while let Some(key) = map.next_key::<String>()? {
            if key != "active_organization_id" {
                map.next_value::<IgnoredAny>()?;
            } else if found == Requested::Absent {
                found = Requested::uuid(map.next_value()?);
            } else {
                return Err(A::Error::custom("active_organization_id is given twice"));
            }
        }
        Ok(AppMetadata(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const USER: &str = "6f1c1f9e-7d55-4e0e-9b1a-0c6a5f0b7a11";

    fn parse(text: &str) -> Option<Claims> {
        parse_claims(text.as_bytes())
    }

    #[test]
    fn reads_a_supabase_token() {
        let claims = parse(&format!(
            r#"{{"aud":"authenticated","exp":1983812996,"sub":"{USER}","role":"authenticated","aal":"aal1",
                "app_metadata":{{"provider":"email","active_organization_id":"{USER}"}},
                "user_metadata":{{"role":"admin","active_organization_id":"x"}},"amr":[{{"method":"password"}}]}}"#
        ))
        .unwrap();
        let user = Uuid::try_parse(USER).unwrap();
        assert_eq!(claims.role.as_deref(), Some("authenticated"));
        assert_eq!(claims.subject, Requested::Present(user));
        assert_eq!(claims.active_organization, Requested::Present(user));
        assert!(!claims.expired_at(1_983_813_056));
        assert!(claims.expired_at(1_983_813_057));
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        for text in [
            "",
            "null",
            "[]",
            "\"null\"",
            "{",
            "{} {}",
            r#"{"sub":"a","sub":"b"}"#,
            r#"{"role":"authenticated","role":"service_role"}"#,
            r#"{"app_metadata":{},"app_metadata":{}}"#,
            r#"{"app_metadata":{"active_organization_id":"a","active_organization_id":"b"}}"#,
            r#"{"app_metadata":7}"#,
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_odd_value_is_invalid_not_absent() {
        for sub in [
            "\"\"",
            "null",
            "7",
            "\"{6f1c1f9e-7d55-4e0e-9b1a-0c6a5f0b7a11}\"",
            "\"6F1C1F9E-7D55-4E0E-9B1A-0C6A5F0B7A11\"",
            "\"6f1c1f9e7d554e0e9b1a0c6a5f0b7a11\"",
        ] {
            let claims = parse(&format!(r#"{{"sub":{sub}}}"#)).unwrap();
            assert_eq!(claims.subject, Requested::Invalid, "{sub}");
        }
        assert_eq!(parse("{}").unwrap().subject, Requested::Absent);
        assert!(parse(r#"{"exp":"soon"}"#).unwrap().expired_at(0));
    }

    #[test]
    fn bounded_in_size_and_depth() {
        let nested = |n: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(n), "]".repeat(n));
        assert!(parse(&nested(MAX_DEPTH - 1)).is_some());
        assert!(parse(&nested(MAX_DEPTH)).is_none());
        assert!(parse(r#"{"x":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[["}"#).is_some());
        let long = format!(r#"{{"x":"{}"}}"#, "a".repeat(MAX_CLAIMS_BYTES));
        assert!(parse(&long).is_none());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse_claims(&bytes);
        }

        #[test]
        fn never_panics_on_json_like(text in r#"[\{\}\[\]",:a-z0-9\\ ]{0,200}"#) {
            let _ = parse_claims(text.as_bytes());
        }
    }
}
