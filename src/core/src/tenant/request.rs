//! Reads the organization that a request names: PostgREST leaves the HTTP headers in `request.headers` as one JSON
//! object with lower-case names.

use super::{MAX_CLAIMS_BYTES, canonical_uuid};
use serde::de::{Deserializer as _, Error, IgnoredAny, MapAccess, Visitor};
use uuid::Uuid;

/// A value that a caller may name. Invalid is kept apart from absent: it never falls through to the next source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Requested<T> {
    /// Not named.
    #[default]
    Absent,
    /// Named in a form that we do not accept.
    Invalid,
    /// Named.
    Present(T),
}

impl Requested<Uuid> {
    /// A canonical uuid in a JSON string; anything else is invalid.
    pub(super) fn uuid(value: serde_json::Value) -> Self {
        value
            .as_str()
            .and_then(canonical_uuid)
            .map_or(Requested::Invalid, Requested::Present)
    }
}

/// The organization named by `x-organization-id` and `x-organization-slug`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Header `x-organization-id`.
    pub organization_id: Requested<Uuid>,
    /// Header `x-organization-slug`.
    pub organization_slug: Requested<String>,
}

impl Headers {
    /// Whether neither header is there.
    pub fn is_empty(&self) -> bool {
        *self == Headers::default()
    }
}

/// Parses the header object. Empty input is "no headers"; a text that is no JSON object, or a header given twice,
/// makes the organization invalid, never the default one.
pub fn parse_headers(bytes: &[u8]) -> Headers {
    if bytes.is_empty() {
        return Headers::default();
    }
    let invalid = Headers {
        organization_id: Requested::Invalid,
        organization_slug: Requested::Invalid,
    };
    if bytes.len() > MAX_CLAIMS_BYTES {
        return invalid;
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    match json.deserialize_map(HeadersVisitor) {
        Ok(headers) if json.end().is_ok() => headers,
        _ => invalid,
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of headers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut headers = Headers::default();
        while let Some(key) = map.next_key::<String>()? {
            // Header names are case-insensitive; whoever sets the GUC by hand may not know our spelling.
            if key.eq_ignore_ascii_case("x-organization-id") {
                if headers.organization_id != Requested::Absent {
                    return Err(A::Error::custom("x-organization-id is given twice"));
                }
                headers.organization_id = Requested::uuid(single(map.next_value()?));
            } else if key.eq_ignore_ascii_case("x-organization-slug") {
                if headers.organization_slug != Requested::Absent {
                    return Err(A::Error::custom("x-organization-slug is given twice"));
                }
                headers.organization_slug = match single(map.next_value()?) {
                    serde_json::Value::String(slug) if is_slug(&slug) => Requested::Present(slug),
                    _ => Requested::Invalid,
                };
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(headers)
    }
}

/// A header may come as a string or as a list of one.
fn single(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Array(mut list) if list.len() == 1 => list.remove(0),
        other => other,
    }
}

/// The shape of `organizations.slug`: 1–63 of a–z, 0–9 and inner hyphens.
fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "6f1c1f9e-7d55-4e0e-9b1a-0c6a5f0b7a11";

    #[test]
    fn one_value_in_one_spelling() {
        let named = |value: &str| {
            parse_headers(format!(r#"{{"host":"x","x-organization-id":{value}}}"#).as_bytes())
                .organization_id
        };
        let id = Uuid::try_parse(ID).unwrap();
        assert_eq!(named(&format!("\"{ID}\"")), Requested::Present(id));
        assert_eq!(named(&format!("[\"{ID}\"]")), Requested::Present(id));
        for odd in [
            "\"\"".to_owned(),
            "null".to_owned(),
            format!("\"{ID},{ID}\""),
            format!("[\"{ID}\",\"{ID}\"]"),
            format!("\" {ID}\""),
            format!("\"{}\"", ID.to_uppercase()),
            format!("\"{{{ID}}}\""),
        ] {
            assert_eq!(named(&odd), Requested::Invalid, "{odd}");
        }
    }

    #[test]
    fn unreadable_headers_never_fall_through() {
        let twice = format!(r#"{{"x-organization-id":"{ID}","X-Organization-Id":"{ID}"}}"#);
        for text in ["null", "[]", "{", "\"x\"", twice.as_str()] {
            let headers = parse_headers(text.as_bytes());
            assert_eq!(headers.organization_id, Requested::Invalid, "{text}");
        }
        assert!(parse_headers(b"").is_empty());
        assert!(parse_headers(br#"{"host":"x"}"#).is_empty());
    }

    #[test]
    fn slugs() {
        let named = |slug: &str| {
            parse_headers(format!(r#"{{"x-organization-slug":"{slug}"}}"#).as_bytes())
                .organization_slug
        };
        assert_eq!(named("acme-2"), Requested::Present("acme-2".into()));
        for odd in ["", "-a", "a-", "Acme", "a b", "a'b", "ü"] {
            assert_eq!(named(odd), Requested::Invalid, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_headers(&bytes);
        }
    }
}
