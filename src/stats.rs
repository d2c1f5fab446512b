//! SQL surface of the live counters.

use crate::pg::error::{self, ErrorReport};
use crate::pg::owner::as_owner_of;
use crate::pg::session;
use crate::pg::spi::{self, Parameter, Plan};
use crate::pg::transition::{self, Kept, Key, Row, Rows, Table, Test};
use crate::pg::trigger;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::iter::TableIterator;
use pgrx::{
    AllocatedByPostgres, PgTrigger, PgTriggerLevel, PgTriggerOperation, name, pg_extern, pg_trigger,
};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use switchboard_core::stats::CounterSpec;

/// A trigger's counters: what a row counts for, and the statements that move them, made when they are first needed.
struct Counters {
    spec: CounterSpec,
    key: Key,
    tests: Vec<Test>,
    /// Beside each test: what a change of the latest value shows in, for a counter that holds one.
    images: Vec<Option<Key>>,
    hasher: RandomState,
    child: String,
    lock: OnceCell<Option<Plan>>,
    update: OnceCell<Plan>,
    zero: OnceCell<Plan>,
}

thread_local! {
    static COUNTERS: Kept<Counters> = Kept::new();
}

/// By how much the counters of one parent move. Of a latest value: not 0, if it may have changed.
struct Delta {
    key: Vec<Parameter>,
    counts: Vec<i64>,
}

/// Trigger, AFTER INSERT, UPDATE or DELETE FOR EACH STATEMENT with transition tables `old_rows` and `new_rows`, and
/// AFTER TRUNCATE. Arguments: parent (schema.table), key (JSON, child → parent column), counters (JSON, parent column →
/// true, predicate or `{value, by, where}`). Moved as the table's owner.
///
/// The rows are added up in place. A parent whose counters stay is not touched; the others are updated one by one in the
/// order of their keys, so that two statements over the same parents cannot deadlock. A latest value is looked up under the
/// parent's lock, through an index on key and `by`, when a row that matters for it has changed.
///
/// # Errors
/// 22023 for bad arguments, 39P01 for another kind of trigger, 0A000 for TRUNCATE in REPEATABLE READ.
#[pg_trigger]
fn maintain_counts<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, ErrorReport> {
    error::raised(maintain(trigger))
}

fn maintain<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, ErrorReport> {
    if !matches!(trigger.level(), PgTriggerLevel::Statement) {
        return Err(error::wrong_trigger(format!(
            "trigger {} must be AFTER … FOR EACH STATEMENT",
            trigger.name().unwrap_or("?")
        )));
    }
    let counters = COUNTERS.with(|kept| kept.of(trigger, || Counters::of(trigger)))?;
    let table = trigger.relid().map_err(error::internal)?;
    let mut deltas = Deltas::default();
    match trigger.op().map_err(error::internal)? {
        PgTriggerOperation::Truncate => {
            if session::keeps_snapshot() {
                // Rows that were committed since its snapshot are gone too, and the parents that counted them not seen.
                return Err(error::unsupported(
                    "a table with live counters is truncated in READ COMMITTED only",
                ));
            }
            as_owner_of(table, || session::without_search_path(|| counters.zero()));
        }
        PgTriggerOperation::Insert => deltas.add(trigger, Rows::New, 1, &counters)?,
        PgTriggerOperation::Delete => deltas.add(trigger, Rows::Old, -1, &counters)?,
        PgTriggerOperation::Update => {
            deltas.add(trigger, Rows::Old, -1, &counters)?;
            deltas.add(trigger, Rows::New, 1, &counters)?;
        }
    }
    let moved: Vec<Delta> = deltas.moved();
    if !moved.is_empty() {
        as_owner_of(table, || {
            session::without_search_path(|| counters.update(moved));
        });
    }
    Ok(None)
}

impl Counters {
    fn of(trigger: &PgTrigger<'_>) -> Result<Self, ErrorReport> {
        let arguments = trigger::arguments(trigger, ["parent", "key", "counters"])?
            .map(|argument| argument.to_string_lossy().into_owned());
        let spec = CounterSpec::parse(&arguments).map_err(|problem| {
            let name = trigger.name().unwrap_or("?");
            error::invalid_argument(format!("trigger {name}: {problem}")).set_hint(
                "A counter counts every row (true) or the rows that match a predicate made of one column and literals \
                 (=, <>, in, is null), boolean columns, not, and, or; or holds the latest value of a column: \
                 {\"value\": column, \"by\": column, \"where\": predicate}.",
            )
        })?;
        let table = Table::of(trigger);
        let key = table.key(spec.key())?;
        let tests = spec
            .counters()
            .map(|counter| table.test(counter.rows.as_ref()))
            .collect::<Result<_, _>>()?;
        let images = spec
            .counters()
            .map(|counter| counter.latest.as_ref())
            .map(|latest| {
                latest
                    .map(|latest| table.columns([&*latest.by, &*latest.value].into_iter()))
                    .transpose()
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            key,
            tests,
            images,
            hasher: RandomState::new(),
            child: table.quoted_name(),
            spec,
            lock: OnceCell::new(),
            update: OnceCell::new(),
            zero: OnceCell::new(),
        })
    }

    fn update(&self, deltas: Vec<Delta>) {
        let keys = || self.key.types();
        let lock = self.lock.get_or_init(|| {
            let sql = self.spec.lock_before_update()?;
            Some(Plan::prepare(&sql, &keys().collect::<Vec<_>>()))
        });
        let update = self.update.get_or_init(|| {
            let counts = self.images.iter().filter(|image| image.is_none());
            let types: Vec<_> = keys().chain(counts.map(|_| spi::BIGINT)).collect();
            Plan::prepare(&self.spec.update(&self.child), &types)
        });
        for Delta { key, counts } in deltas {
            if let Some(lock) = lock {
                lock.execute(&key, false, |_| ());
            }
            let counts = counts.into_iter().zip(&self.images);
            let counts = counts.filter_map(|(count, image)| image.is_none().then_some(count));
            let parameters: Vec<_> = key.into_iter().chain(counts.map(Parameter::from)).collect();
            update.execute(&parameters, false, |_| ());
        }
    }

    /// What a row adds to a counter.
    fn weight(&self, row: &Row, image: &Option<Key>) -> i64 {
        match image {
            None => 1,
            // A row and its successor with the same image cancel out, whichever order they come in.
            Some(image) => self.hasher.hash_one(row.image(image)) as i64,
        }
    }

    fn zero(&self) {
        self.zero
            .get_or_init(|| Plan::prepare(&self.spec.zero(), &[]))
            .execute(&[], false, |_| ());
    }
}

/// The differences of a statement, by the bytes of the key: an order that every backend has.
#[derive(Default)]
struct Deltas {
    by_key: BTreeMap<Vec<u8>, Delta>,
}

impl Deltas {
    fn add(
        &mut self,
        trigger: &PgTrigger<'_>,
        rows: Rows,
        sign: i64,
        counters: &Counters,
    ) -> Result<(), ErrorReport> {
        let mut image = Vec::new();
        // Rows of one parent mostly come together.
        let mut last: (Vec<u8>, Option<Delta>) = (Vec::new(), None);
        transition::each_row(trigger, rows, |row| {
            if !row.write_key(&counters.key, &mut image) {
                return;
            }
            if last.1.is_none() || last.0 != image {
                if let (key, Some(delta)) = std::mem::take(&mut last) {
                    self.by_key.insert(key, delta);
                }
                let known = self.by_key.remove(&image);
                let delta = known.unwrap_or_else(|| Delta {
                    key: row.key(&counters.key),
                    counts: vec![0; counters.tests.len()],
                });
                last = (image.clone(), Some(delta));
            }
            if let Some(delta) = &mut last.1 {
                let what = counters.tests.iter().zip(&counters.images);
                for (count, (test, image)) in delta.counts.iter_mut().zip(what) {
                    if row.passes(test) {
                        let weight = counters.weight(row, image);
                        *count = count.wrapping_add(weight.wrapping_mul(sign));
                    }
                }
            }
        })?;
        if let (key, Some(delta)) = last {
            self.by_key.insert(key, delta);
        }
        Ok(())
    }

    fn moved(self) -> Vec<Delta> {
        let moves = |delta: &Delta| delta.counts.iter().any(|count| *count != 0);
        self.by_key.into_values().filter(moves).collect()
    }
}

/// The statements with which `verify_counts` and `rebuild_counts` look at a counter: where it differs, how a parent is
/// locked, how it is counted anew. child: the quoted name of the table; the rest as for `maintain_counts`.
///
/// # Errors
/// 22023 for arguments that are no specification.
#[pg_extern(immutable, parallel_safe, strict)]
#[allow(clippy::type_complexity)] // the row type is the SQL signature
fn counter_statements(
    child: &str,
    parent: &str,
    key: &str,
    counters: &str,
) -> Result<
    TableIterator<
        'static,
        (
            name!(differences, String),
            name!(lock, String),
            name!(recount, String),
        ),
    >,
    ErrorReport,
> {
    let spec = CounterSpec::parse(&[parent, key, counters]).map_err(error::invalid_argument)?;
    Ok(TableIterator::once((
        spec.differences(child),
        spec.lock(),
        spec.recount(child),
    )))
}

#[cfg(any(test, feature = "pg_test"))]
#[pgrx::pg_schema]
#[allow(clippy::disallowed_methods)] // tests may write
mod tests {
    use pgrx::prelude::*;

    fn tables() {
        Spi::run(
            r#"create table public.parent (id int primary key, total int not null default 0, hot int not null default 0);
               create table public.child (id int, parent_id int, status text);
               insert into public.parent values (1), (2), (3);
               create trigger count_insert after insert on public.child referencing new table as new_rows
                   for each statement execute function switchboard.maintain_counts(
                   'public.parent', '{"parent_id": "id"}', '{"total": true, "hot": "status = ''HOT''"}');
               create trigger count_update after update on public.child
                   referencing old table as old_rows new table as new_rows
                   for each statement execute function switchboard.maintain_counts(
                   'public.parent', '{"parent_id": "id"}', '{"total": true, "hot": "status = ''HOT''"}');
               create trigger count_delete after delete on public.child referencing old table as old_rows
                   for each statement execute function switchboard.maintain_counts(
                   'public.parent', '{"parent_id": "id"}', '{"total": true, "hot": "status = ''HOT''"}');
               create trigger count_truncate after truncate on public.child
                   for each statement execute function switchboard.maintain_counts(
                   'public.parent', '{"parent_id": "id"}', '{"total": true, "hot": "status = ''HOT''"}')"#,
        )
        .unwrap();
    }

    fn counts() -> String {
        Spi::get_one("select string_agg(total || '/' || hot, ' ' order by id) from public.parent")
            .unwrap()
            .unwrap()
    }

    #[pg_test]
    fn counters_follow_every_kind_of_change() {
        tables();
        let step = |sql: &str, expected: &str| {
            Spi::run(sql).unwrap();
            assert_eq!(counts(), expected, "{sql}");
        };
        step(
            "insert into public.child values (1,1,'HOT'),(2,1,null),(3,2,'COLD'),(4,null,'HOT')",
            "2/1 1/0 0/0",
        );
        step(
            "update public.child set parent_id = 2 where id = 1",
            "1/0 2/1 0/0",
        );
        step("update public.child set status = 'HOT'", "1/1 2/2 0/0");
        step(
            "update public.child set parent_id = 3 where id = 4",
            "1/1 2/2 1/1",
        );
        step("delete from public.child where id in (1, 3)", "1/1 0/0 1/1");
        step("insert into public.child select 9, 9, 'HOT'", "1/1 0/0 1/1");
        step("truncate public.child", "0/0 0/0 0/0");
    }

    #[pg_test]
    fn a_parent_whose_counters_stay_is_not_touched() {
        tables();
        Spi::run("insert into public.child values (1,1,'COLD'),(2,2,'COLD')").unwrap();
        let version =
            || Spi::get_one::<String>("select ctid::text from public.parent where id = 1").unwrap();
        let before = version();
        Spi::run("update public.child set status = 'WARM'").unwrap();
        assert_eq!(version(), before);
    }

    #[pg_test(error = "trigger bad: counter total: expected a column at character 1")]
    fn a_bad_predicate_names_counter_and_place() {
        Spi::run(
            r#"create table public.p (id int); create table public.c (p int);
               create trigger bad after insert on public.c referencing new table as new_rows
                   for each statement execute function
                   switchboard.maintain_counts('public.p', '{"p": "id"}', '{"total": "7 = 7"}');
               insert into public.c values (1)"#,
        )
        .unwrap();
    }
}
