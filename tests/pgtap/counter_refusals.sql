-- What no counter could be exact on is refused when it is declared; names of any kind work.
begin;
\ir _helpers.psql
select no_plan();
create schema shop;
create type shop.size as enum ('s', 'm');
create table shop.boxes (id integer primary key, n integer not null default 0, maybe integer, label text not null default '', last_note text, last_at date);
create table shop.items (box_id integer, note text, at timestamptz, size shop.size, ok boolean);
create index on shop.items (box_id, at);
create table shop.parts (box_id integer, note text) partition by hash (box_id);
create table shop.part partition of shop.parts for values with (modulus 1, remainder 0);
create table shop.shelf (like shop.items);
create table shop.old_items () inherits (shop.items);
create table shop.loose (box_id integer references shop.boxes deferrable);
create table shop.following (box_id integer references shop.boxes on update cascade);

select is(tests.refusal(format('select switchboard.track_counts(%L, %L, %L, %L)', child, parent, '{"box_id": "id"}', counters)) ->> 'message', message, message) from (values
    ('shop.part', 'shop.boxes', '{"n": true}', 'shop.part is a partition: track the partitioned table'),
    ('shop.items', 'shop.boxes', '{"n": true}', 'shop.items has tables that inherit from it, whose rows its triggers do not see'),
    ('shop.parts', 'shop.boxes', '{"id": true}', 'column id of shop.boxes is the key, and no counter'),
    ('shop.parts', 'shop.boxes', '{"maybe": true}', 'column maybe of shop.boxes must be a plain smallint, integer, bigint or numeric, NOT NULL (DEFAULT 0)'),
    ('shop.parts', 'shop.boxes', '{"label": true}', 'column label of shop.boxes must be a plain smallint, integer, bigint or numeric, NOT NULL (DEFAULT 0)'),
    ('shop.old_items', 'shop.boxes', '{"n": true}', 'shop.old_items inherits from shop.items, through which its triggers do not see its rows'),
    ('shop.shelf', 'shop.boxes', '{"last_at": {"value": "at", "by": "at"}}', 'column last_at of shop.boxes is date, and at of shop.shelf timestamp with time zone'),
    ('shop.parts', 'shop.boxes', '{"last_note": {"value": "text", "by": "note"}}', 'shop.parts has no column text'),
    ('shop.loose', 'shop.boxes', '{"n": true}', 'the foreign key loose_box_id_fkey is deferrable, with which no counter is exact'),
    ('shop.following', 'shop.boxes', '{"n": true}', 'the foreign key following_box_id_fkey is ON UPDATE CASCADE, SET NULL or SET DEFAULT, with which no counter is exact'),
    ('shop.shelf', 'shop.boxes', '{"n": "at = ''2026-07-01 00:00''"}', 'column at holds times: what a literal means there depends on the session')
) as v (child, parent, counters, message);
select is(tests.refusal($$ select switchboard.track_counts(null, 'shop.boxes', '{"a": "b"}', '{"n": true}') $$) ->> 'sqlstate', '22004', 'a table that there is not');
select is(tests.refusal($$ select switchboard.rebuild_counts('shop.parts', 0) $$) ->> 'sqlstate', '22023', 'a batch of none');

-- Names that need quotes, an enum, a generated key.
create table shop."Odd.""order""" (id integer primary key, "n N" integer not null default 0, "last" text);
create table shop."Odd items" (id integer, "box" integer generated always as (id % 2) stored, size shop.size, body text);
insert into shop."Odd.""order""" values (0), (1);
insert into shop."Odd items" (id, size) values (1, 'm'), (2, 's'), (3, 'm');
select lives_ok($$ select switchboard.track_counts('shop."Odd items"', 'shop."Odd.""order"""', '{"box": "id"}',
    '{"n N": "size = ''m''", "last": {"value": "body", "by": "id"}}') $$, 'any name');
insert into shop."Odd items" (id, size, body) values (5, 'm', 'five'), (7, 's', 'seven');
select is((select string_agg(concat_ws(' ', id, "n N", "last"), ', ' order by id) from shop."Odd.""order"""), '0 0, 1 3 seven', 'is counted');
select is_empty($$ select * from switchboard.verify_counts('shop."Odd items"') $$, 'exactly');
update shop."Odd.""order""" set "last" = 'wrong', "n N" = 9;
select is((select count(*) from switchboard.verify_counts('shop."Odd items"')), 4::bigint, 'and seen to be wrong');
select is(switchboard.rebuild_counts('shop."Odd items"'), 2, 'and mended');
alter table shop."Odd.""order""" rename to orders;
select is((select count(*) from switchboard.tracked_counts('shop."Odd items"') where parent is null), 4::bigint, 'a parent that was renamed is no parent');
select is(switchboard.untrack_counts('shop."Odd items"', null), 4, 'and let go');
insert into shop."Odd items" (id) values (9);
select is((select "n N" from shop.orders where id = 1), 3, 'uncounted');

select * from finish();
rollback;
