-- The second mode of track_counts: a column of the parent holds a value of the latest of its rows, after whatever statement.
begin;
\ir _helpers.psql
select no_plan();

create table public.threads (
    id integer primary key, title text, messages integer not null default 0, last_reply text, last_at timestamptz
);
create table public.posts (
    id integer primary key, thread_id integer references public.threads (id) on delete cascade, is_reply boolean, body text,
    sent_at timestamptz, note text
);
create index on public.posts (thread_id, sent_at);
insert into public.threads (id, title) values (1, 'one'), (2, 'two');
insert into public.posts values (1, 1, true, 'from before', '2026-01-01');
select switchboard.track_counts('public.posts', 'public.threads', '{"thread_id": "id"}', '{
    "messages": true, "last_at": {"value": "sent_at", "by": "sent_at"},
    "last_reply": {"value": "body", "by": "sent_at", "where": "is_reply"}}');

create function tests.step(title text, statement text, expected text) returns setof text
    language plpgsql
as $$
begin
    execute statement;
    return next is(
        (select string_agg(concat_ws(' ', messages, coalesce(last_reply, '-'), coalesce(to_char(last_at, 'DD'), '-')), ', ' order by id) from public.threads),
        expected, title);
    return next is_empty($s$ select * from switchboard.verify_counts('public.posts') $s$, title || ': as looked up anew');
end;
$$;
select tests.step('rows from before', 'select 1', '1 from before 01, 0 - -');
select tests.step('a later one', $$ insert into public.posts values (2, 1, true, 'later', '2026-01-05') $$, '2 later 05, 0 - -');
select tests.step('an earlier one', $$ insert into public.posts values (3, 1, true, 'earlier', '2026-01-03') $$, '3 later 05, 0 - -');
select tests.step('one that is no reply', $$ insert into public.posts values (4, 1, false, 'ours', '2026-01-07') $$, '4 later 07, 0 - -');
select tests.step('several, of two', $$ insert into public.posts values (5, 1, true, 'a', '2026-01-08'), (6, 1, true, 'b', '2026-01-09'), (7, 2, true, 'c', '2026-01-02'), (8, null, true, 'd', '2026-01-09') $$, '6 b 09, 1 c 02');
select tests.step('one without a time', $$ insert into public.posts values (9, 2, true, 'timeless', null) $$, '6 b 09, 2 c 02');
select tests.step('two at one time: the greatest', $$ insert into public.posts values (10, 2, true, 'e', '2026-01-02'), (11, 2, true, 'd', '2026-01-02') $$, '6 b 09, 4 e 02');
select tests.step('the latest is corrected', $$ update public.posts set body = 'B' where id = 6 $$, '6 B 09, 4 e 02');
select tests.step('an older one is corrected', $$ update public.posts set body = 'A' where id = 5 $$, '6 B 09, 4 e 02');
select tests.step('the latest is no reply after all', $$ update public.posts set is_reply = false where id = 6 $$, '6 A 09, 4 e 02');
select tests.step('it moves', $$ update public.posts set thread_id = 2 where id = 6 $$, '5 A 08, 5 e 09');
select tests.step('the latest goes', $$ delete from public.posts where id in (5, 6) $$, '4 later 07, 4 e 02');
select tests.step('all of one go', $$ delete from public.posts where thread_id = 2 $$, '4 later 07, 0 - -');
select tests.step('an upsert', $$ insert into public.posts values (2, 1, true, 'again', '2026-01-06') on conflict (id) do update set body = excluded.body, sent_at = excluded.sent_at $$, '4 again 07, 0 - -');
select tests.step('a value that is none', $$ update public.posts set body = null where id = 2 $$, '4 - 07, 0 - -');

-- What matters for nothing moves nothing.
create temporary table before as select ctid as place from public.threads where id = 1;
update public.posts set note = 'x';
update public.posts set body = 'other' where not is_reply;
select is((select ctid from public.threads where id = 1), (select place from before), 'an update of what is not looked at leaves the parent alone');
select tests.step('a truncation', 'truncate public.posts', '0 - -, 0 - -');

-- Mended, and refused.
insert into public.posts values (1, 1, true, 'x', '2026-01-01');
update public.threads set last_reply = 'wrong' where id = 1;
select results_eq($$ select counter, cached, counted from switchboard.verify_counts('public.posts') $$, $$ values ('last_reply', '"wrong"'::jsonb, '"x"'::jsonb) $$, 'verify_counts names it');
select is(switchboard.rebuild_counts('public.posts'), 1, 'rebuild_counts mends it');
select tests.step('mended', 'select 1', '1 x 01, 0 - -');
select is(tests.refusal(format($$ select switchboard.track_counts('public.posts', 'public.datasets', '{"id": "id"}', %L) $$, format('{"name": %s}', latest))) ->> 'sqlstate', code, title) from (values
    ('a value without an order', '{"value": "body"}', '22023'), ('a word that there is not', '{"value": "body", "by": "sent_at", "per": "x"}', '22023'),
    ('an unknown column', '{"value": "other", "by": "sent_at"}', '22023'), ('what is no predicate', '{"value": "body", "by": "sent_at", "where": "now()"}', '22023')
) as v (title, latest, code);
alter table public.posts rename to letters;
select lives_ok($$ insert into public.letters values (2, 1, true, 'y', '2026-01-02') $$, 'the child may get another name');
select is((select last_reply from public.threads where id = 1), 'y', 'and is looked up by it');

select * from finish();
rollback;
