//! SQL surface of the live counters.

use crate::pg::error::{self, ErrorReport};
use crate::pg::trigger;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::{AllocatedByPostgres, PgTrigger, PgTriggerLevel, PgTriggerOperation, pg_trigger};
use switchboard_core::stats::{CounterSpec, Event};

/// Trigger, AFTER INSERT, UPDATE or DELETE FOR EACH STATEMENT with transition tables `old_rows` and `new_rows`, and
/// AFTER TRUNCATE. Arguments: parent (schema.table), key (JSON, child column → parent column), counters (JSON,
/// counter column → predicate or true). Moves counters by the difference, as the table's owner.
///
/// # Errors
/// 22023 for arguments that are no specification, 39P01 for another kind of trigger.
#[pg_trigger]
fn maintain_counts<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, ErrorReport> {
    error::raised(maintain(trigger))
}

fn maintain<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, ErrorReport> {
    let arguments = trigger::arguments(trigger, ["parent", "key", "counters"])?
        .map(|argument| argument.to_string_lossy().into_owned());
    let spec = CounterSpec::parse(&arguments).map_err(|problem| {
        let name = trigger.name().unwrap_or("?");
        error::invalid_argument(format!("trigger {name}: {problem}")).set_hint(
            "A counter counts every row (true) or the rows that match a predicate made of one column and literals \
             (=, <>, in, is null), boolean columns, not, and, or.",
        )
    })?;
    let event = match trigger.op().map_err(error::internal)? {
        PgTriggerOperation::Insert => Event::Insert,
        PgTriggerOperation::Update => Event::Update,
        PgTriggerOperation::Delete => Event::Delete,
        PgTriggerOperation::Truncate => Event::Truncate,
    };
    let new = trigger.new_transition_table_name();
    let old = trigger.old_transition_table_name();
    let declared = match event {
        Event::Insert => new.is_ok_and(|name| name == Some("new_rows")),
        Event::Delete => old.is_ok_and(|name| name == Some("old_rows")),
        Event::Update => {
            new.is_ok_and(|name| name == Some("new_rows"))
                && old.is_ok_and(|name| name == Some("old_rows"))
        }
        Event::Truncate => true,
    };
    if !declared || !matches!(trigger.level(), PgTriggerLevel::Statement) {
        return Err(error::wrong_trigger(format!(
            "trigger {} must be AFTER … FOR EACH STATEMENT with transition tables named old_rows and new_rows",
            trigger.name().unwrap_or("?")
        )));
    }
    trigger::run_as_table_owner(trigger, &spec.statement(event))?;
    Ok(None)
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
