-- What the resolver remembers within a transaction: for the same settings, role and view of the database it answers
-- without reading the tables, and for any other it never gives an older or another person's answer.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
select tests.make_user('m.both');
insert into public.memberships (organization_id, user_id, role)
values (tests.id('a'), tests.id('m.both'), 'viewer'), (tests.id('b'), tests.id('m.both'), 'owner');
update public.profiles set default_organization_id = null where id = tests.id('m.both');
insert into private.platform_admins (user_id) values (tests.id('a.support'));

-- Everything that the current settings are answered, in one line.
create function tests.answer() returns text
    language sql stable
    return concat_ws(' ', coalesce(switchboard.user_id()::text, 'nobody'),
        coalesce(switchboard.organization_for('leads.read')::text, '-'),
        coalesce(switchboard.organization_for('leads.write')::text, '-'),
        coalesce(switchboard.organization_role(), '-'), cardinality(switchboard.organization_ids()));
grant execute on function tests.answer() to authenticated, service_role;

-- Realtime asks one prepared statement for every subscriber of a change, in one transaction and snapshot, and changes
-- only claims and role in between.
set local plan_cache_mode = force_generic_plan;
create temporary table subscriber (place integer primary key, role text, claims text, headers text, answer text, leads integer);
insert into subscriber
select row_number() over (), role, jsonb_strip_nulls(jsonb_build_object('sub', tests.id(name), 'role', role))::text,
    case when organization is null then '' else jsonb_build_object('x-organization-id', tests.id(organization))::text end,
    case
        when role = 'service_role' then 'nobody ' || concat_ws(' ', coalesce(tests.id(organization)::text, '-'), coalesce(tests.id(organization)::text, '-'), '-', 0)
        else concat_ws(' ', tests.id(name), coalesce(tests.id(reads)::text, '-'), coalesce(tests.id(writes)::text, '-'), coalesce(member, '-'), count)
    end,
    leads
from (values
    ('authenticated', 'a.owner', null, 'a', 'a', 'owner', 1, 2),
    ('authenticated', 'b.owner', null, 'b', 'b', 'owner', 1, 2),
    ('authenticated', 'a.owner', 'b', null, null, null, 1, 0),
    ('authenticated', 'm.both', 'a', 'a', null, 'viewer', 2, 2),
    ('authenticated', 'm.both', 'b', 'b', 'b', 'owner', 2, 2),
    ('authenticated', 'm.both', null, null, null, null, 2, 0),
    ('authenticated', 'a.sales_rep', null, 'a', 'a', 'sales_rep', 1, 1),
    ('authenticated', 'n.nobody', null, null, null, null, 0, 0),
    ('service_role', null, 'a', null, null, null, 0, 4),
    ('service_role', null, null, null, null, null, 0, 4)
) as s (role, name, organization, reads, writes, member, count, leads);
create function tests.rounds(n integer) returns table (place integer, answer text, leads integer)
    language plpgsql
as $$
declare
    s record;
begin
    for s in select t.* from generate_series(1, n) as i, subscriber t order by md5(i || ' ' || t.place) loop
        perform set_config('role', 'none', true);
        perform set_config('request.jwt.claims', s.claims, true);
        perform set_config('request.headers', s.headers, true);
        perform set_config('role', s.role, true);
        -- Static statements of plpgsql are prepared once; the policies are part of the second one's plan.
        place := s.place;
        answer := tests.answer();
        leads := (select count(*) from public.leads);
        return next;
    end loop;
    perform set_config('role', 'none', true);
end;
$$;
create temporary table heard as select * from tests.rounds(100);
select is((select count(*)::integer from heard), 1000, 'ten subscribers, a hundred rounds in changing order');
select is_empty($$
    select s.place, s.answer, s.leads, h.answer, h.leads from heard h join subscriber s using (place)
    where (h.answer, h.leads) <> (s.answer, s.leads)
    limit 3
$$, 'each gets the own answer and the own rows, whoever was asked before');
select tests.as_owner();

-- What the transaction itself changes counts from the next statement on, and no longer once it is undone.
create temporary table change (place integer, who text, statement text, before text, after text);
insert into change values
    (1, 'a.manager', 'update public.memberships set status = ''suspended'' where user_id = $id', 'a a manager 1', '- - - 0'),
    (2, 'a.manager', 'delete from public.memberships where user_id = $id', 'a a manager 1', '- - - 0'),
    (3, 'a.manager', 'update public.memberships set role = ''viewer'' where user_id = $id', 'a a manager 1', 'a - viewer 1'),
    (4, 'a.manager', 'update public.memberships set expires_at = now() - interval ''1 second'' where user_id = $id', 'a a manager 1', '- - - 0'),
    (5, 'a.manager', 'update public.memberships set permissions = ''{"leads.read": false}'' where user_id = $id', 'a a manager 1', '- a manager 1'),
    (6, 'a.viewer', 'update public.memberships set permissions = ''{"leads.write": true}'' where user_id = $id', 'a - viewer 1', 'a a viewer 1'),
    (7, 'a.manager', 'update public.organizations set status = ''paused'' where slug = ''test-tenant-a''', 'a a manager 1', 'a - manager 1'),
    (8, 'a.manager', 'update public.organizations set status = ''cancelled'' where slug = ''test-tenant-a''', 'a a manager 1', '- - manager 1'),
    (9, 'a.support', 'update public.support_sessions set closed_at = now() where admin_id = $id', 'a - support 0', '- - - 0'),
    (10, 'a.support', 'delete from private.platform_admins where user_id = $id', 'a - support 0', '- - - 0'),
    (11, 'n.newcomer', 'insert into public.memberships (organization_id, user_id, role) values ($a, $id, ''manager'')', '- - - 0', 'a a manager 1');
select tests.make_user('n.newcomer');
-- Settings and outer role stay the same throughout: it is the owner who makes the change, but inside a definer function.
-- Who may make it is for the triggers to say, elsewhere.
alter table public.memberships disable trigger user;
alter table public.organizations disable trigger user;
create function tests.change(statement text, who text) returns void
    language plpgsql security definer
as $$
begin
    execute replace(replace(statement, '$id', quote_literal(tests.id(who))), '$a', quote_literal(tests.id('a')));
end;
$$;
create function tests.ask(who text) returns text
    language plpgsql
as $$
declare
    answer text := tests.answer();
begin
    -- The second time it is remembered.
    if tests.answer() <> answer then
        raise exception 'two answers';
    end if;
    return replace(replace(answer, tests.id('a')::text, 'a'), tests.id(who) || ' ', '');
end;
$$;
create function tests.changed(statement text, who text) returns text[]
    language plpgsql
as $$
declare
    answers text[];
begin
    perform tests.as_user(who, null, '{"aal": "aal2"}');
    answers := array[tests.ask(who)];
    begin
        perform tests.change(statement, who);
        answers := answers || tests.ask(who);
        raise exception using errcode = 'ZZ999';
    exception
        when sqlstate 'ZZ999' then
            return answers || tests.ask(who);
    end;
end;
$$;
grant execute on function tests.change(text, text), tests.ask(text), tests.changed(text, text) to authenticated;
select is(tests.changed(statement, who), array[before, after, before], format('%s: %s, and undone', who, statement))
    from change order by place;

-- The same by savepoints of the client.
select tests.as_user('a.manager');
select is(tests.ask('a.manager'), 'a a manager 1', 'a manager');
savepoint s;
select tests.change('update public.memberships set status = ''suspended'' where user_id = $id', 'a.manager');
select is(tests.ask('a.manager'), '- - - 0', 'suspended');
rollback to savepoint s;
select is(tests.ask('a.manager'), 'a a manager 1', 'rolled back: a manager');
select tests.change('update public.memberships set status = ''suspended'' where user_id = $id', 'a.manager');
select is(tests.ask('a.manager'), '- - - 0', 'suspended again');
rollback to savepoint s;

-- Settings that a savepoint takes back take the person with them.
select tests.as_user('a.owner');
select is(switchboard.user_id(), tests.id('a.owner'), 'one person');
savepoint s;
select tests.as_user('b.owner');
select is(switchboard.user_id(), tests.id('b.owner'), 'another');
rollback to savepoint s;
select is(switchboard.user_id(), tests.id('a.owner'), 'and the first');

-- An error while somebody is asked about leaves nothing of them.
select tests.as_owner();
create function tests.asks_and_fails() returns uuid
    language plpgsql security definer
as $$
begin
    return switchboard.require_organization('leads.delete');
end;
$$;
create function tests.nested() returns uuid language sql security definer return switchboard.user_id();
create function tests.nesting() returns uuid language sql security definer return tests.nested();
grant execute on function tests.asks_and_fails(), tests.nested(), tests.nesting() to authenticated;
select tests.as_user('a.viewer');
select throws_ok('select tests.asks_and_fails()', 'PT403', null, 'a viewer is refused');
select tests.as_user('b.owner');
select is(switchboard.organization_for('leads.delete'), tests.id('b'), 'the next one is somebody else');
select is(tests.asks_and_fails(), tests.id('b'), 'in the same function too');
select is(tests.nesting(), tests.id('b.owner'), 'definer functions within definer functions do not change who asks');

-- Too large to be remembered is answered all the same.
select tests.as_user('a.owner', null, jsonb_build_object('x', repeat('x', 60000)), jsonb_build_object('x', repeat('x', 60000)));
select is(switchboard.current_organization_id(), tests.id('a'), 'claims and headers of 120 kB');
select tests.as_user('b.owner', null, jsonb_build_object('x', repeat('x', 60000)), jsonb_build_object('x', repeat('x', 60000)));
select is(switchboard.current_organization_id(), tests.id('b'), 'and of somebody else');

-- A column default and a CHECK that are evaluated for many rows of one statement.
select tests.as_user('a.owner');
insert into public.agents (name) select 'Agent ' || i from generate_series(1, 100) as i;
select is((select count(*)::integer from public.agents where organization_id = tests.id('a')), 101, 'the default is the organization in every row');

select * from finish();
rollback;
