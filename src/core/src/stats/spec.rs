//! A trigger's arguments, checked, and the statements made from them.

use super::{Predicate, PredicateError, quote_ident};
use serde_json::{Map, Value};

/// What happened to the child table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Rows came.
    Insert,
    /// Rows changed.
    Update,
    /// Rows went.
    Delete,
    /// All rows went.
    Truncate,
}

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

    /// The statement that brings the counters up to date after `event`, reading the transition tables `new_rows` and
    /// `old_rows`. It moves each counter by its difference, touches no parent whose counters stay, and takes the
    /// parents' row locks in key order, so that two statements over the same parents cannot deadlock.
    pub fn statement(&self, event: Event) -> String {
        match event {
            Event::Truncate => self.zero(),
            Event::Insert => self.apply(&self.rows("new_rows", 1)),
            Event::Delete => self.apply(&self.rows("old_rows", -1)),
            Event::Update => self.apply(&format!(
                "{} union all {}",
                self.rows("old_rows", -1),
                self.rows("new_rows", 1)
            )),
        }
    }

    fn zero(&self) -> String {
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

    /// Each child row as its key (k1 …) and what it adds to each counter (c1 …).
    fn rows(&self, table: &str, sign: i8) -> String {
        let keys = self
            .key
            .iter()
            .enumerate()
            .map(|(i, (child, _))| format!("r.{} as k{}", quote_ident(child), i + 1));
        let counts = self.counters.iter().enumerate().map(|(i, (_, predicate))| {
            let value = match predicate {
                None => format!("{sign}"),
                Some(predicate) => {
                    format!("case when {} then {sign} else 0 end", predicate.to_sql("r"))
                }
            };
            format!("{value} as c{}", i + 1)
        });
        let columns = keys.chain(counts).collect::<Vec<_>>().join(", ");
        format!("select {columns} from {table} r")
    }

    fn apply(&self, rows: &str) -> String {
        let join = |items: Vec<String>, separator: &str| items.join(separator);
        let key_numbers = 1..=self.key.len();
        let keys = join(
            key_numbers.clone().map(|i| format!("r.k{i}")).collect(),
            ", ",
        );
        let not_null = join(
            key_numbers
                .clone()
                .map(|i| format!("r.k{i} is not null"))
                .collect(),
            " and ",
        );
        let sums = join(
            (1..=self.counters.len())
                .map(|i| format!("sum(r.c{i})::bigint as c{i}"))
                .collect(),
            ", ",
        );
        let changed = join(
            (1..=self.counters.len())
                .map(|i| format!("sum(r.c{i}) <> 0"))
                .collect(),
            " or ",
        );
        let matches = join(
            self.key
                .iter()
                .enumerate()
                .map(|(i, (_, parent))| format!("p.{} = d.k{}", quote_ident(parent), i + 1))
                .collect(),
            " and ",
        );
        let parent_keys = join(
            self.key
                .iter()
                .map(|(_, parent)| format!("p.{}", quote_ident(parent)))
                .collect(),
            ", ",
        );
        let locked_keys = join(
            key_numbers.clone().map(|i| format!("d.k{i}")).collect(),
            ", ",
        );
        let same = join(
            key_numbers.map(|i| format!("l.k{i} = d.k{i}")).collect(),
            " and ",
        );
        let sets = join(
            self.counters
                .iter()
                .enumerate()
                .map(|(i, (counter, _))| {
                    let counter = quote_ident(counter);
                    format!("{counter} = p.{counter} + d.c{}", i + 1)
                })
                .collect(),
            ", ",
        );
        let parent = self.parent_sql();
        format!(
            "with delta as materialized (select {keys}, {sums} from ({rows}) r where {not_null} \
             group by {keys} having {changed}), \
             locked as materialized (select {locked_keys} from {parent} p join delta d on {matches} \
             order by {parent_keys} for no key update of p) \
             update {parent} p set {sets} from delta d join locked l on {same} where {matches}"
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
            spec.statement(Event::Truncate),
            r#"update "public"."datasets" set "hot_leads" = 0, "total_leads" = 0 where "hot_leads" <> 0 or "total_leads" <> 0"#
        );
        let insert = spec.statement(Event::Insert);
        assert!(insert.contains("from new_rows r") && !insert.contains("old_rows"));
        let update = spec.statement(Event::Update);
        assert!(update.contains("from new_rows r") && update.contains("from old_rows r"));
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
