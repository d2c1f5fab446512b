//! One level of a JSON object with every value left as the text it was. Values stay exact (a 40-digit number
//! survives), duplicate keys are seen, and no copy of a secret is made in memory that nobody wipes.

use std::collections::HashSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    NotAnObject,
    DuplicateKey,
}

/// Key and value in the order of the text.
pub(super) type Entries<'a> = Vec<(String, &'a RawValue)>;

/// The top level of `text`.
pub(super) fn entries(text: &str) -> Result<Entries<'_>, Fault> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let entries = deserializer
        .deserialize_map(EntriesVisitor)
        .map_err(|_| Fault::NotAnObject)?;
    deserializer.end().map_err(|_| Fault::NotAnObject)?;
    let mut seen = HashSet::with_capacity(entries.len());
    if entries.iter().all(|(key, _)| seen.insert(key.as_str())) {
        Ok(entries)
    } else {
        Err(Fault::DuplicateKey)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// The text of a JSON string, `None` for any other value.
pub(super) fn string(value: &RawValue) -> Option<Zeroizing<String>> {
    serde_json::from_str(value.get()).ok().map(Zeroizing::new)
}

/// An object as Postgres prints `jsonb`: `{"a": 1, "b": 2}`.
pub(super) fn object<'a>(
    entries: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Zeroizing<String> {
    // A key grows at most sixfold (\u00XX). Reserved at once: growing later would leave a copy that is not wiped.
    let capacity = entries
        .clone()
        .map(|(key, value)| 6 * key.len() + value.len() + 6)
        .sum();
    let mut out = Zeroizing::new(String::with_capacity(2usize.saturating_add(capacity)));
    out.push('{');
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str(&quoted(key));
        out.push_str(": ");
        out.push_str(value);
    }
    out.push('}');
    out
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string always has a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_text() {
        let text = r#" {"b":1234567890123456789012345678901234567890, "a": {"x":[1.50, "é\n"]}} "#;
        let entries = entries(text).unwrap();
        let pairs: Vec<_> = entries.iter().map(|(k, v)| (k.as_str(), v.get())).collect();
        assert_eq!(
            pairs,
            [
                ("b", "1234567890123456789012345678901234567890"),
                ("a", r#"{"x":[1.50, "é\n"]}"#)
            ]
        );
        assert_eq!(
            object(pairs.into_iter()).as_str(),
            r#"{"b": 1234567890123456789012345678901234567890, "a": {"x":[1.50, "é\n"]}}"#
        );
    }

    #[test]
    fn only_one_object_without_duplicates_passes() {
        for text in [
            "", "null", "[]", "1", "\"{}\"", "{", "{}}", "{} {}", "{'a':1}", "{\"a\"}", "{\"a\":}",
        ] {
            assert_eq!(entries(text).unwrap_err(), Fault::NotAnObject, "{text}");
        }
        assert_eq!(
            entries(r#"{"a":1,"a":1}"#).unwrap_err(),
            Fault::DuplicateKey
        );
        assert_eq!(
            entries(r#"{"a":1,"\u0061":1}"#).unwrap_err(),
            Fault::DuplicateKey
        );
        assert!(entries("{}").unwrap().is_empty());
    }

    #[test]
    fn a_reserved_object_never_grows() {
        let key = "\u{1}".repeat(9);
        let out = object([(key.as_str(), "\"v\""); 3].into_iter());
        assert_eq!(out.matches("\\u0001").count(), 27);
        assert!(out.capacity() <= 2 + 3 * (54 + 3 + 6));
    }
}
