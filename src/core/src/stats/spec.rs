//! A trigger's arguments, checked, and the statements on the parent that are made from them.

use super::{Predicate, PredicateError, quote_ident, quote_literal};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Which counters of which parent table follow the child table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterSpec {
    parent: (String, String),
    /// (child column, parent column)
    key: Vec<(String, String)>,
    /// (column of the parent, what of the child rows it holds)
    counters: Vec<(String, Counter)>,
}

/// What a column of the parent holds of its child rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The rows that matter; `None`: all.
    pub rows: Option<Predicate>,
    /// Not how many they are, but a value of the latest.
    pub latest: Option<Latest>,
}

/// A value of the row that is last in the order of a column; of rows at one place the greatest value. Rows without a place
/// do not matter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latest {
    /// The child's column that is taken.
    pub value: String,
    /// The child's column that orders the rows.
    pub by: String,
    #[serde(default, rename = "where")]
    rows: Option<String>,
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
        "counters must be a JSON object of counter column to predicate, true or {{value, by, where}}, with at least one"
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

/// `schema.table`, each in quotes where it needs them.
fn qualified_name(text: &str) -> Option<(String, String)> {
    let (schema, rest) = identifier(text)?;
    let (table, rest) = identifier(rest.strip_prefix('.')?)?;
    rest.is_empty().then_some((schema, table))
}

/// The identifier at the beginning of a text, and what follows.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(['.', '"']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        return (!name.is_empty()).then(|| (name.to_owned(), rest));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return (!name.is_empty()).then_some((name, after)),
        }
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
        let parent = qualified_name(parent.as_ref()).ok_or(SpecError::Parent)?;
        let key = object(key.as_ref())
            .ok_or(SpecError::Key)?
            .into_iter()
            .map(|(child, parent)| Some((child, parent.as_str()?.to_owned())))
            .collect::<Option<Vec<_>>>()
            .ok_or(SpecError::Key)?;
        let counters = object(counters.as_ref())
            .ok_or(SpecError::Counters)?
            .into_iter()
            .map(|(column, value)| {
                let (rows, latest) = match value {
                    Value::Bool(true) => (None, None),
                    Value::String(text) => (Some(text), None),
                    value => {
                        let mut latest: Latest =
                            serde_json::from_value(value).map_err(|_| SpecError::Counters)?;
                        (latest.rows.take(), Some(latest))
                    }
                };
                match rows.as_deref().map(Predicate::parse).transpose() {
                    Ok(rows) => Ok((column, Counter { rows, latest })),
                    Err(source) => Err(SpecError::Predicate {
                        counter: column,
                        source,
                    }),
                }
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
    pub fn key(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.key.iter().map(|(child, _)| child.as_str())
    }

    /// What each counter holds.
    pub fn counters(&self) -> impl ExactSizeIterator<Item = &Counter> {
        self.counters.iter().map(|(_, counter)| counter)
    }

    fn by_parameters(&self) -> String {
        let matches = self
            .key
            .iter()
            .enumerate()
            .map(|(i, (_, parent))| format!("p.{} = ${}", quote_ident(parent), i + 1));
        matches.collect::<Vec<_>>().join(" and ")
    }

    /// The statement that moves one parent's counters. Parameters: the key, then the difference of each count. `child` (a
    /// quoted name) is asked for latest values, which are only right under [`Self::lock_before_update`].
    pub fn update(&self, child: &str) -> String {
        let mut parameters = self.key.len();
        let mut sets = Vec::new();
        for (column, counter) in &self.counters {
            let column = quote_ident(column);
            sets.push(match &counter.latest {
                None => {
                    parameters += 1;
                    format!("{column} = p.{column} + ${parameters}")
                }
                Some(latest) => format!("{column} = {}", self.latest(child, latest, counter)),
            });
        }
        format!(
            "update {} p set {} where {}",
            self.parent_sql(),
            sets.join(", "),
            self.by_parameters()
        )
    }

    /// The statement to run before the update: who looks for the latest value must see what others wrote before. `None`
    /// where counts alone are kept. Parameters: the key.
    pub fn lock_before_update(&self) -> Option<String> {
        self.counters
            .iter()
            .any(|(_, counter)| counter.latest.is_some())
            .then(|| {
                format!(
                    "select 1 from {} p where {} for no key update of p",
                    self.parent_sql(),
                    self.by_parameters()
                )
            })
    }

    /// The statement after which no parent counts anything.
    pub fn zero(&self) -> String {
        let list = |separator: &str, of_count: &str, of_latest: &str| {
            self.counters
                .iter()
                .map(|(column, counter)| {
                    let empty = match counter.latest {
                        None => of_count,
                        Some(_) => of_latest,
                    };
                    format!("{} {empty}", quote_ident(column))
                })
                .collect::<Vec<_>>()
                .join(separator)
        };
        format!(
            "update {} set {} where {}",
            self.parent_sql(),
            list(", ", "= 0", "= null"),
            list(" or ", "<> 0", "is not null")
        )
    }

    fn matches(&self) -> String {
        let same = self
            .key
            .iter()
            .map(|(child, parent)| format!("c.{} = p.{}", quote_ident(child), quote_ident(parent)));
        same.collect::<Vec<_>>().join(" and ")
    }

    /// The latest value of the parent `p`, as an expression.
    fn latest(&self, child: &str, latest: &Latest, counter: &Counter) -> String {
        let rows = counter.rows.as_ref();
        format!(
            "(select c.{value} from {child} c where {} and c.{by} is not null{} order by c.{by} desc, c.{value} desc limit 1)",
            self.matches(),
            rows.map_or(String::new(), |rows| format!(" and {}", rows.to_sql("c"))),
            value = quote_ident(&latest.value),
            by = quote_ident(&latest.by),
        )
    }

    /// The counters that count, each with its count over the child's rows `c`.
    fn counts(&self) -> impl Iterator<Item = (&str, String)> {
        let counting = self.counters.iter().filter(|(_, c)| c.latest.is_none());
        counting.map(|(column, counter)| {
            let count = match &counter.rows {
                None => "count(*)".to_owned(),
                Some(rows) => format!("count(*) filter (where {})", rows.to_sql("c")),
            };
            (column.as_str(), count)
        })
    }

    /// A query that answers where a counter is not what the rows of `child` (a quoted name) give: `key` (jsonb), `counter`,
    /// `cached` and `counted` (jsonb).
    pub fn differences(&self, child: &str) -> String {
        let counts: Vec<_> = self
            .counts()
            .map(|(column, count)| format!("{count} as {}", quote_ident(column)))
            .collect();
        let counted = match counts.is_empty() {
            true => String::new(),
            false => format!(
                "cross join lateral (select {} from {child} c where {}) n ",
                counts.join(", "),
                self.matches()
            ),
        };
        let key = self
            .key
            .iter()
            .map(|(_, parent)| format!("{}, p.{}", quote_literal(parent), quote_ident(parent)));
        let counters = self.counters.iter().map(|(column, counter)| {
            let name = quote_ident(column);
            let rows = match &counter.latest {
                None => format!("n.{name}"),
                Some(latest) => self.latest(child, latest, counter),
            };
            format!(
                "({}, to_jsonb(p.{name}), to_jsonb({rows}))",
                quote_literal(column)
            )
        });
        format!(
            "select jsonb_build_object({}) as key, v.counter, v.cached, v.counted from {} p \
             {counted}cross join lateral (values {}) as v (counter, cached, counted) where v.cached is distinct from v.counted",
            key.collect::<Vec<_>>().join(", "),
            self.parent_sql(),
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
        let (columns, counts): (Vec<_>, Vec<_>) = self
            .counts()
            .map(|(column, count)| (quote_ident(column), count))
            .unzip();
        let latest = self.counters.iter().filter_map(|(column, counter)| {
            let value = self.latest(child, counter.latest.as_ref()?, counter);
            Some(format!("{} = {value}", quote_ident(column)))
        });
        let mut sets: Vec<_> = latest.collect();
        if !columns.is_empty() {
            sets.push(format!(
                "({}) = (select {} from {child} c where {})",
                columns.join(", "),
                counts.join(", "),
                self.matches(),
            ));
        }
        format!(
            "update {} p set {} where {}",
            self.parent_sql(),
            sets.join(", "),
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
        assert_eq!(spec.lock_before_update(), None);
        assert_eq!(
            spec.update("public.leads"),
            r#"update "public"."datasets" p set "hot_leads" = p."hot_leads" + $3, "total_leads" = p."total_leads" + $4 where p."id" = $1 and p."organization_id" = $2"#
        );
        assert_eq!(
            spec.key().collect::<Vec<_>>(),
            ["dataset_id", "organization_id"]
        );
    }

    #[test]
    fn a_latest_value_is_looked_up_under_the_parents_lock() {
        let latest = r#"{"last_reply": {"value": "content", "by": "sent_at", "where": "direction = 'inbound'"},
            "messages": true}"#;
        let spec = CounterSpec::parse(&["public.leads", r#"{"lead_id": "id"}"#, latest]).unwrap();
        assert_eq!(
            spec.lock_before_update().unwrap(),
            r#"select 1 from "public"."leads" p where p."id" = $1 for no key update of p"#
        );
        assert_eq!(
            spec.update("public.messages"),
            r#"update "public"."leads" p set "last_reply" = (select c."content" from public.messages c where c."lead_id" = p."id" and c."sent_at" is not null and (c."direction" in ('inbound')) order by c."sent_at" desc, c."content" desc limit 1), "messages" = p."messages" + $2 where p."id" = $1"#
        );
        assert_eq!(
            spec.zero(),
            r#"update "public"."leads" set "last_reply" = null, "messages" = 0 where "last_reply" is not null or "messages" <> 0"#
        );
    }

    #[test]
    fn each_argument_is_checked() {
        let parse = |parent, key, counters| CounterSpec::parse(&[parent, key, counters]);
        assert_eq!(
            CounterSpec::parse::<&str>(&[]),
            Err(SpecError::Arguments(0))
        );
        let odd = parse(r#""Odd ""name"".".table"#, KEY, COUNTERS).unwrap();
        assert_eq!(odd.parent, (r#"Odd "name"."#.into(), "table".into()));
        for parent in [
            "",
            "datasets",
            ".datasets",
            "a.b.c",
            "a.",
            r#"a."b"#,
            "\"\".b",
            r#"a."b"c"#,
        ] {
            assert_eq!(
                parse(parent, KEY, COUNTERS),
                Err(SpecError::Parent),
                "{parent}"
            );
        }
        for key in ["", "{}", "[]", r#"{"a": 1}"#] {
            assert_eq!(parse(PARENT, key, COUNTERS), Err(SpecError::Key), "{key}");
        }
        for counters in [
            "",
            "{}",
            r#"{"a": false}"#,
            r#"{"a": 1}"#,
            r#"{"a": {"value": "b"}}"#,
            r#"{"a": {"value": "b", "by": "c", "order": "d"}}"#,
        ] {
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
