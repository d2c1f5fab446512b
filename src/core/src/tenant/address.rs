//! Organizations in the names of storage objects and Realtime topics. A name that is not exactly of the form names none.

use super::canonical_uuid;
use uuid::Uuid;

/// Length of a uuid's canonical text.
const UUID_LENGTH: usize = 36;

/// The organization of a storage path, `{organization_id}/…`: a canonical uuid, then at least one segment, and no
/// segment that is empty, `.` or `..`.
pub fn path_organization(name: &str) -> Option<Uuid> {
    let (organization, rest) = name.split_once('/')?;
    let id = canonical_uuid(organization)?;
    let plain = rest
        .split('/')
        .all(|segment| !matches!(segment, "" | "." | ".."));
    plain.then_some(id)
}

/// The organization of a Realtime topic, `org:{organization_id}:{entity}`: a canonical uuid and 1 to 63 of a–z, 0–9 and
/// underscore, a letter first.
pub fn topic_organization(topic: &str) -> Option<Uuid> {
    let rest = topic.strip_prefix("org:")?;
    let (organization, entity) = rest.split_at_checked(UUID_LENGTH)?;
    let entity = entity.strip_prefix(':')?.as_bytes();
    let named = (1..=63).contains(&entity.len())
        && entity[0].is_ascii_lowercase()
        && entity
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    named.then(|| canonical_uuid(organization)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "6f1c1f9e-7d55-4e0e-9b1a-0c6a5f0b7a11";

    #[test]
    fn paths() {
        let id = canonical_uuid(ID);
        for rest in [
            "a", "a/b.csv", "...", ".hidden", "a..b/c", " ", "ü/é", "a:b",
        ] {
            assert_eq!(path_organization(&format!("{ID}/{rest}")), id, "{rest}");
        }
        for odd in [
            String::new(),
            "/".into(),
            ID.into(),
            format!("{ID}/"),
            format!("/{ID}/a"),
            format!("{ID}//a"),
            format!("{ID}/a/"),
            format!("{ID}/a//b"),
            format!("{ID}/."),
            format!("{ID}/.."),
            format!("{ID}/../{ID}/a"),
            format!("{ID}/a/../b"),
            format!("{ID}/a/./b"),
            format!("../{ID}/a"),
            format!(" {ID}/a"),
            format!("{ID} /a"),
            format!("{}/a", ID.to_uppercase()),
            format!("{}/a", ID.replace('-', "")),
            format!("{{{ID}}}/a"),
            format!("{ID}\\a"),
            format!("{ID}%2Fa"),
        ] {
            assert_eq!(path_organization(&odd), None, "{odd:?}");
        }
    }

    #[test]
    fn topics() {
        let id = canonical_uuid(ID);
        for entity in ["leads", "a", "call_events", "v2", &"a".repeat(63)] {
            assert_eq!(
                topic_organization(&format!("org:{ID}:{entity}")),
                id,
                "{entity}"
            );
        }
        for odd in [
            String::new(),
            "org:".into(),
            ID.into(),
            format!("org:{ID}"),
            format!("org:{ID}:"),
            format!("{ID}:leads"),
            format!("ORG:{ID}:leads"),
            format!(" org:{ID}:leads"),
            format!("org:{ID}:leads "),
            format!("org:{ID}:Leads"),
            format!("org:{ID}:../x"),
            format!("org:{ID}:leads:x"),
            format!("org:{ID}:7"),
            format!("org:{ID}:_a"),
            format!("org:{ID}:é"),
            format!("org:{ID}:{}", "a".repeat(64)),
            format!("org:{}:leads", ID.to_uppercase()),
            format!("org:{}é:leads", &ID[..35]),
            format!("realtime:org:{ID}:leads"),
        ] {
            assert_eq!(topic_organization(&odd), None, "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = (path_organization(&text), topic_organization(&text));
        }

        /// Whatever is found stands at the front of the text, in its one spelling.
        #[test]
        fn names_only_what_is_written(text in "(org:)?[0-9a-f-]{34,37}[:/.a-z_]{0,6}") {
            if let Some(id) = path_organization(&text) {
                let front = format!("{id}/");
                prop_assert!(text.starts_with(&front));
            }
            if let Some(id) = topic_organization(&text) {
                let front = format!("org:{id}:");
                prop_assert!(text.starts_with(&front));
            }
        }

        #[test]
        fn round_trips(bits in any::<u128>(), segment in "[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}", entity in "[a-z][a-z0-9_]{0,20}") {
            let id = Uuid::from_u128(bits);
            let path = format!("{id}/{segment}");
            let topic = format!("org:{id}:{entity}");
            prop_assert_eq!(path_organization(&path), Some(id));
            prop_assert_eq!(topic_organization(&topic), Some(id));
        }
    }
}
