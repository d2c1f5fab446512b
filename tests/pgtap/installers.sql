-- The one-line installers on a table of the user's own: what each makes works, and what each refuses it refuses when it
-- is applied. private.add_tenant_policies has a file of its own (policy_helper.sql).
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

create table public.boards (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    name text not null default 'Board',
    notes integer not null default 0,
    open_notes integer not null default 0,
    primary key (organization_id, id)
);
create table public.notes (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    board_id uuid,
    author_id uuid,
    is_open boolean not null default true,
    primary key (organization_id, id)
);
insert into public.boards (organization_id, id) values
    (tests.id('a'), tests.id('a.board')), (tests.id('a'), tests.id('a.board.2')), (tests.id('b'), tests.id('b.board'));

-- track_counts
select is(tests.refusal(statement) ->> 'sqlstate', '22023', 'track_counts refuses ' || title) from (values
    ('a key that is no object', $$ select switchboard.track_counts('public.notes', 'public.boards', '[]', '{"notes": true}') $$),
    ('no key', $$ select switchboard.track_counts('public.notes', 'public.boards', null, '{"notes": true}') $$),
    ('an unknown column of the child', $$ select switchboard.track_counts('public.notes', 'public.boards', '{"other": "id"}', '{"notes": true}') $$),
    ('an unknown column of the parent', $$ select switchboard.track_counts('public.notes', 'public.boards', '{"board_id": "other"}', '{"notes": true}') $$),
    ('no counter', $$ select switchboard.track_counts('public.notes', 'public.boards', '{"board_id": "id"}', '{}') $$),
    ('what is no predicate', $$ select switchboard.track_counts('public.notes', 'public.boards', '{"board_id": "id"}', '{"notes": "7 = 7"}') $$),
    ('an unknown counter', $$ select switchboard.track_counts('public.notes', 'public.boards', '{"board_id": "id"}', '{"other": true}') $$)
) as t (title, statement);
select is(tests.refusal($$ select switchboard.track_counts('public.notes', 'public.boards', '{"board_id": "id"}', '{"notes": "other is null"}') $$) ->> 'sqlstate',
    '39P01', 'a predicate on a column that is not there is refused when it is applied');
insert into public.notes (organization_id, id, board_id, is_open) values (tests.id('a'), gen_random_uuid(), tests.id('a.board'), true);
select switchboard.track_counts(
    'public.notes', 'public.boards', '{"organization_id": "organization_id", "board_id": "id"}',
    '{"notes": true, "open_notes": "is_open"}'
);
create function tests.counters() returns text
    language sql
as $$
    select string_agg(format('%s/%s', notes, open_notes), ' ' order by organization_id = tests.id('b'), id = tests.id('a.board.2'))
    from public.boards
$$;
select is(tests.counters(), '1/1 0/0 0/0', 'rows from before are counted');
select is(tests.refusal($$ select switchboard.track_counts('public.notes', 'public.boards', '{"organization_id": "organization_id", "board_id": "id"}', '{"notes": true}') $$) ->> 'sqlstate',
    '42710', 'a pair is tracked once');
delete from public.notes;
insert into public.notes (organization_id, id, board_id, is_open) values
    (tests.id('a'), tests.id('a.note'), tests.id('a.board'), true), (tests.id('a'), gen_random_uuid(), tests.id('a.board'), false),
    (tests.id('b'), gen_random_uuid(), tests.id('b.board'), true), (tests.id('b'), gen_random_uuid(), null, true);
select is(tests.counters(), '2/1 0/0 1/1', 'counts follow an insert');
update public.notes set board_id = tests.id('a.board.2'), is_open = false where id = tests.id('a.note');
select is(tests.counters(), '1/0 1/0 1/1', 'an update that moves a row');
delete from public.notes where id = tests.id('a.note');
select is(tests.counters(), '1/0 0/0 1/1', 'a deletion');
truncate public.notes;
select is(tests.counters(), '0/0 0/0 0/0', 'a truncation');

-- verify_counts, rebuild_counts
insert into public.notes (organization_id, id, board_id, is_open)
    select tests.id('a'), gen_random_uuid(), tests.id('a.board'), true from generate_series(1, 3);
select is_empty($$ select * from switchboard.verify_counts('public.notes') $$, 'counters are exact');
update public.boards set notes = 7, open_notes = open_notes where id = tests.id('a.board');
update public.boards set open_notes = 1 where id = tests.id('b.board');
select bag_eq($$ select parent, key ->> 'id', counter, cached, counted from switchboard.verify_counts('public.notes') $$,
    format($$ values ('public.boards'::regclass, %L, 'notes', '7'::jsonb, '3'::jsonb), ('public.boards', %L, 'open_notes', '1', '0') $$, tests.id('a.board'), tests.id('b.board')),
    'verify_counts names what is not');
select is(array[switchboard.rebuild_counts('public.notes', 1), switchboard.rebuild_counts('public.notes', 1), switchboard.rebuild_counts('public.notes', 1)],
    array[1, 1, 0], 'rebuild_counts mends as many parents as it is told');
select is(tests.counters(), '3/3 0/0 0/0', 'and they are exact again');

-- What is kept for a trigger goes with what it was made of.
alter table public.notes rename column is_open to open;
select is(tests.refusal($$ insert into public.notes (organization_id, id, board_id, open) values (tests.id('a'), gen_random_uuid(), tests.id('a.board'), true) $$) ->> 'sqlstate',
    '39P01', 'a column that was renamed under a predicate is missed at once');
alter table public.notes rename column open to is_open;
alter table public.boards rename column notes to all_notes;
select is(tests.refusal($$ insert into public.notes (organization_id, id, board_id, is_open) values (tests.id('a'), gen_random_uuid(), tests.id('a.board'), true) $$) ->> 'sqlstate',
    '42703', 'so is a counter');
alter table public.boards rename column all_notes to notes;
alter table public.notes drop column is_open, add column note text, add column is_open boolean;
insert into public.notes (organization_id, id, board_id, is_open) values (tests.id('a'), gen_random_uuid(), tests.id('a.board'), true);
select is(tests.counters(), '4/4 0/0 0/0', 'a column may come to another place');
truncate public.notes;

alter table public.datasets add column notes integer not null default 0;
select lives_ok($$ select switchboard.track_counts('public.notes', 'public.datasets', '{"organization_id": "organization_id", "dataset_id": "id"}', '{"notes": true}') $$,
    'a child counts in a second parent too');

select is((select count(*)::integer from switchboard.tracked_counts('public.notes')), 8, 'by four triggers each');
select is(switchboard.untrack_counts('public.notes', 'public.datasets'), 4, 'untrack_counts drops those of one');
insert into public.notes (organization_id, id, board_id, is_open) values (tests.id('a'), gen_random_uuid(), tests.id('a.board'), true);
select is(tests.counters(), '1/1 0/0 0/0', 'and leaves the other');
truncate public.notes;

-- add_quota
select is(tests.refusal($$ select private.add_quota('public.boards', 'boards') $$) ->> 'sqlstate', '22023', 'a quota that there is not');
insert into private.quotas (name, counted_by) values ('nothing', 'select null::bigint'), ('no_row', 'select 1::bigint where false');
select is(tests.refusal(format('select private.quota_used(%L, %L)', tests.id('a'), q)) ->> 'sqlstate', '22023', 'a quota that is not counted: ' || q)
    from unnest(array['nothing', 'no_row']) as q;
delete from private.quotas where name in ('nothing', 'no_row');
insert into private.quotas (name, counted_by) values ('boards', 'select count(*) from public.boards where organization_id = $1');
insert into public.plan_limits (plan, quota, max_count) values ('enterprise', 'boards', 3);
select private.add_quota('public.boards', 'boards');
select is(tests.attempt(format($$ insert into public.boards (organization_id) values (%L) $$, tests.id('a'))), '1 row', 'the last board that is allowed');
insert into public.boards (organization_id) values (tests.id('a'));
select is(tests.refusal(format($$ insert into public.boards (organization_id) values (%L) $$, tests.id('a'))) ->> 'detail',
    'The plan enterprise of this organization allows 3 boards.', 'one more is refused');
select is(tests.attempt(format($$ insert into public.boards (organization_id) values (%L) $$, tests.id('b'))), '1 row', 'another tenant has its own');
select tests.as_user('a.owner');
select is(public.usage() -> 'limits' -> 'boards', '3', 'usage() tells its limit');
select is(public.usage() -> 'used' -> 'boards', '3', 'and its use');
select is(tests.attempt(s), '42501', 'no client touches ' || s) from unnest(array[
    'select 1 from private.quotas', 'insert into private.quotas values (''x'', ''select 1'')', 'select 1 from private.broadcasts'
]) as s;
select tests.as_service();
select is(tests.attempt(s), '42501', 'nor does the service role: ' || s) from unnest(array[
    'select 1 from private.quotas', 'update private.quotas set counted_by = ''select 0''', 'select 1 from private.broadcasts'
]) as s;
select tests.as_owner();

-- add_broadcast: a member's scope closes the topic of a table whose policies ask for it.
select is(tests.refusal(statement) ->> 'sqlstate', '22023', 'add_broadcast refuses ' || title) from (values
    ('a capability nobody can hold', $$ select private.add_broadcast('public.notes', 'notes.read') $$),
    ('a table outside of public', $$ select private.add_broadcast('private.quotas', 'leads.read') $$),
    ('a table without id', $$ select private.add_broadcast('public.plan_overrides', 'leads.read') $$),
    ('a table without policies yet', $$ select private.add_broadcast('public.notes', 'leads.read') $$)
) as t (title, statement);
select private.add_tenant_policies('public.boards', 'agents');
select private.add_tenant_policies('public.notes', 'leads', dataset => 'dataset_id', own => 'author_id');
select is(tests.refusal($$ select private.add_broadcast('public.notes', 'leads.read') $$) ->> 'sqlstate', '22023', 'add_broadcast refuses a capability that shows own rows only');
select private.add_broadcast('public.boards', 'agents.read');
select private.add_broadcast('public.notes', 'leads.read_all');
update public.memberships set allowed_dataset_ids = '{}', can_view_all_leads = true where user_id = tests.id('a.manager');
-- As the policy calls it: by a name that was looked up when the function was made.
create function tests.asks(topic text) returns boolean
    language sql
begin atomic
    select private.may_join_topic(topic);
end;
grant execute on function tests.asks(text) to authenticated;
create function tests.may_join(who text, name text) returns boolean
    language plpgsql
as $$
declare
    answer boolean;
begin
    perform tests.as_user(who);
    answer := tests.asks(format('org:%s:%s', tests.id('a'), name));
    perform tests.as_owner();
    return answer;
end;
$$;
select is(tests.may_join('a.viewer', 'boards'), true, 'a member listens to boards');
select is(tests.may_join('a.manager', 'boards'), true, 'so does one with a scope');
select is(tests.may_join('b.owner', 'boards'), false, 'another tenant does not');
select is(tests.may_join('a.viewer', 'notes'), true, 'notes are for who reads all');
select is(tests.may_join('a.sales_rep', 'notes'), false, 'and not for who does not');
select is(tests.may_join('a.manager', 'notes'), false, 'nor for a member with a scope');
select is(tests.may_join('a.owner', 'customers'), false, 'a table without a topic has no listener');
delete from realtime.messages;
insert into public.boards (organization_id, id) values (tests.id('b'), tests.id('b.board.3'));
select is((select m.payload -> 'ids' from realtime.messages m where m.topic = format('org:%s:boards', tests.id('b'))),
    jsonb_build_array(tests.id('b.board.3')), 'and changes are sent');

-- make_append_only
select private.make_append_only('public.notes');
insert into public.notes (organization_id) values (tests.id('a')), (tests.id('b'));
select is(tests.refusal(s) ->> 'message', 'rows of notes never change', s) from unnest(array[
    'update public.notes set is_open = false', 'delete from public.notes', 'truncate public.notes'
]) as s;
delete from public.organizations where id = tests.id('b');
select is((select count(*)::integer from public.notes), 1, 'the rows of a deleted organization go with it');

select * from finish();
rollback;
