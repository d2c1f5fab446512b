//! A trigger's arguments, checked, and the statements on the parent that are made from them.

use super::{Predicate, PredicateError, quote_ident, quote_literal};
use serde_json::{Map, Value};

/// Which counters of which parent table follow the child table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterSpec {
    parent: (String, String),
    /// (child column, parent column)
    key: Vec<(String, String)>,
    /// (counter column of the parent, which child rows it counts; `None` = all)
    counters: Vec<(String, Option<Predicate>)>,
}

/// Why the arguments are no specification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The number of arguments.
    #[error("expected three arguments (parent table, key, counters), got {0}")]
    Arguments(usize),
    /// The parent's name.
    #[error("parent must be written schema.table")]
    Parent,
    /// The key's shape.
    #[error("key must be a JSON object of child column to parent column, with at least one")]
    Key,
    /// The counters' shape.
    #[error(
        "counters must be a JSON object of counter column to predicate or true, with at least one"
    )]
    Counters,
    /// One counter's predicate.
    #[error("counter {counter}: {source}")]
    Predicate {
        /// The counter's column.
        counter: String,
        /// What is wrong with it.
        source: PredicateError,
    },
}

fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) if !map.is_empty() => Some(map),
        _ => None,
    }
}

impl CounterSpec {
    /// Parses the arguments of `create trigger … execute function switchboard.maintain_counts(parent, key, counters)`.
    ///
    /// # Errors
    /// Names the argument and what it must be.
    pub fn parse<S: AsRef<str>>(arguments: &[S]) -> Result<CounterSpec, SpecError> {
        let [parent, key, counters] = arguments else {
            return Err(SpecError::Arguments(arguments.len()));
        };
        let parent = match parent.as_ref().split('.').collect::<Vec<_>>()[..] {
            [schema, table] if !schema.is_empty() && !table.is_empty() => {
                (schema.to_owned(), table.to_owned())
            }
            _ => return Err(SpecError::Parent),
        };
        let key = object(key.as_ref())
            .ok_or(SpecError::Key)?
            .into_iter()
            .map(|(child, parent)| Some((child, parent.as_str()?.to_owned())))
            .collect::<Option<Vec<_>>>()
            .ok_or(SpecError::Key)?;
        let counters = object(counters.as_ref())
            .ok_or(SpecError::Counters)?
            .into_iter()
            .map(|(counter, predicate)| match predicate {
                Value::Bool(true) => Ok((counter, None)),
                Value::String(text) => match Predicate::parse(&text) {
                    Ok(predicate) => Ok((counter, Some(predicate))),
                    Err(source) => Err(SpecError::Predicate { counter, source }),
                },
                _ => Err(SpecError::Counters),
            })
            .collect::<Result<_, _>>()?;
        Ok(CounterSpec {
            parent,
            key,
            counters,
        })
    }

    fn parent_sql(&self) -> String {
        format!(
            "{}.{}",
            quote_ident(&self.parent.0),
            quote_ident(&self.parent.1)
        )
    }

    /// The child's columns that say which parent a row counts for.
    pub fn key(&self) -> impl ExactSizeIterator<Item = &str> {
        self.key.iter().map(|(child, _)| child.as_str())
    }

    /// What each counter counts; `None` is every row.
    pub fn predicates(&self) -> impl ExactSizeIterator<Item = Option<&Predicate>> {
        self.counters
            .iter()
            .map(|(_, predicate)| predicate.as_ref())
    }

    /// The statement that moves one parent's counters. Parameters: the key, then the difference of each counter.
    pub fn update(&self) -> String {
        let keys = self.key.len();
        let sets = self.counters.iter().enumerate().map(|(i, (counter, _))| {
            let counter = quote_ident(counter);
            format!("{counter} = p.{counter} + ${}", keys + i + 1)
        });
        let matches = self
            .key
            .iter()
            .enumerate()
            .map(|(i, (_, parent))| format!("p.{} = ${}", quote_ident(parent), i + 1));
        format!(
            "update {} p set {} where {}",
            self.parent_sql(),
            sets.collect::<Vec<_>>().join(", "),
            matches.collect::<Vec<_>>().join(" and ")
        )
    }

    /// The statement after which no parent counts anything.
    pub fn zero(&self) -> String {
        let list = |separator: &str, value: &str| {
            self.counters
                .iter()
                .map(|(counter, _)| format!("{} {value} 0", quote_ident(counter)))
                .collect::<Vec<_>>()
                .join(separator)
        };
        format!(
            "update {} set {} where {}",
            self.parent_sql(),
            list(", ", "="),
            list(" or ", "<>")
        )
    }

    fn matches(&self) -> String {
        let same = self
            .key
            .iter()
            .map(|(child, parent)| format!("c.{} = p.{}", quote_ident(child), quote_ident(parent)));
        same.collect::<Vec<_>>().join(" and ")
    }

    fn counts(&self) -> impl Iterator<Item = String> {
        self.counters.iter().map(|(_, predicate)| match predicate {
            None => "count(*)".to_owned(),
            Some(predicate) => format!("count(*) filter (where {})", predicate.to_sql("c")),
        })
    }

    /// A query that answers where a counter is not what counting the rows of `child` (a quoted name) gives: `key` (jsonb),
    /// `counter`, `cached`, `counted`.
    pub fn differences(&self, child: &str) -> String {
        let counts = self.counts().enumerate();
        let counts = counts.map(|(i, count)| format!("{count} as n{}", i + 1));
        let key = self
            .key
            .iter()
            .map(|(_, parent)| format!("{}, p.{}", quote_literal(parent), quote_ident(parent)));
        let counters = self.counters.iter().enumerate().map(|(i, (counter, _))| {
            format!(
                "({}, p.{}::bigint, n.n{})",
                quote_literal(counter),
                quote_ident(counter),
                i + 1
            )
        });
        format!(
            "select jsonb_build_object({}) as key, v.counter, v.cached, v.counted from {} p \
             cross join lateral (select {} from {child} c where {}) n \
             cross join lateral (values {}) as v (counter, cached, counted) where v.cached is distinct from v.counted",
            key.collect::<Vec<_>>().join(", "),
            self.parent_sql(),
            counts.collect::<Vec<_>>().join(", "),
            self.matches(),
            counters.collect::<Vec<_>>().join(", "),
        )
    }

    fn one_parent(&self) -> String {
        let keys = |row: &str| {
            let keys = self
                .key
                .iter()
                .map(|(_, parent)| format!("{row}.{}", quote_ident(parent)));
            keys.collect::<Vec<_>>().join(", ")
        };
        format!(
            "({}) = (select {} from jsonb_populate_record(null::{}, $1) k)",
            keys("p"),
            keys("k"),
            self.parent_sql()
        )
    }

    /// A statement that locks the parent with the key `$1` (jsonb), as whoever moves its counters does.
    pub fn lock(&self) -> String {
        format!(
            "select 1 from {} p where {} for no key update of p",
            self.parent_sql(),
            self.one_parent()
        )
    }

    /// A statement that counts the rows of the parent with the key `$1` (jsonb) anew.
    pub fn recount(&self, child: &str) -> String {
        let counters = self
            .counters
            .iter()
            .map(|(counter, _)| quote_ident(counter));
        format!(
            "update {} p set ({}) = (select {} from {child} c where {}) where {}",
            self.parent_sql(),
            counters.collect::<Vec<_>>().join(", "),
            self.counts().collect::<Vec<_>>().join(", "),
            self.matches(),
            self.one_parent(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "public.datasets";
    const KEY: &str = r#"{"organization_id": "organization_id", "dataset_id": "id"}"#;
    const COUNTERS: &str = r#"{"total_leads": true, "hot_leads": "contact_status = 'HOT'"}"#;

    #[test]
    fn reads_the_arguments() {
        let spec = CounterSpec::parse(&[PARENT, KEY, COUNTERS]).unwrap();
        assert_eq!(spec.parent, ("public".into(), "datasets".into()));
        assert_eq!(spec.key.len(), 2);
        assert_eq!(
            spec.zero(),
            r#"update "public"."datasets" set "hot_leads" = 0, "total_leads" = 0 where "hot_leads" <> 0 or "total_leads" <> 0"#
        );
        assert_eq!(
            spec.update(),
            r#"update "public"."datasets" p set "hot_leads" = p."hot_leads" + $3, "total_leads" = p."total_leads" + $4 where p."id" = $1 and p."organization_id" = $2"#
        );
        assert_eq!(
            spec.key().collect::<Vec<_>>(),
            ["dataset_id", "organization_id"]
        );
    }

    #[test]
    fn each_argument_is_checked() {
        let parse = |parent, key, counters| CounterSpec::parse(&[parent, key, counters]);
        assert_eq!(
            CounterSpec::parse::<&str>(&[]),
            Err(SpecError::Arguments(0))
        );
        for parent in ["", "datasets", ".datasets", "a.b.c"] {
            assert_eq!(
                parse(parent, KEY, COUNTERS),
                Err(SpecError::Parent),
                "{parent}"
            );
        }
        for key in ["", "{}", "[]", r#"{"a": 1}"#] {
            assert_eq!(parse(PARENT, key, COUNTERS), Err(SpecError::Key), "{key}");
        }
        for counters in ["", "{}", r#"{"a": false}"#, r#"{"a": 1}"#] {
            assert_eq!(
                parse(PARENT, KEY, counters),
                Err(SpecError::Counters),
                "{counters}"
            );
        }
        let error = parse(PARENT, KEY, r#"{"n": "random() is null"}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "counter n: expected and, or, or the end at character 7"
        );
    }
}
