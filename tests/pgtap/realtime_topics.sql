-- Broadcast topics org:{organization_id}:{table}: who may join, asked as Realtime asks, what is sent, and that
-- neither a client nor an error of Realtime gets in between.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
select tests.make_user('m.both');
insert into public.memberships (organization_id, user_id, role)
values (tests.id('a'), tests.id('m.both'), 'viewer'), (tests.id('b'), tests.id('m.both'), 'viewer');
delete from realtime.messages;

-- Realtime's check of a join: a message of that topic for each kind is written by its own role, then role, topic,
-- claims and headers are set for the transaction, and what the member can read of the two is what they may do.
create function tests.joins(name text, topic text, claims jsonb default '{}', headers jsonb default '{}') returns text
    language plpgsql
as $$
declare
    result text;
begin
    perform tests.as_owner();
    insert into realtime.messages (topic, extension) values (topic, 'broadcast'), (topic, 'presence');
    perform set_config('role', case name when 'anon' then 'anon' else 'authenticated' end, true),
        set_config('realtime.topic', topic, true),
        set_config('request.jwt.claims', (jsonb_build_object('sub', tests.id(name), 'role',
            case name when 'anon' then 'anon' else 'authenticated' end, 'exp', extract(epoch from now())::bigint + 3600) || claims)::text, true),
        set_config('request.headers', headers::text, true);
    select coalesce(string_agg(m.extension, ' ' order by m.extension), 'nothing') into result
        from realtime.messages m
        where m.topic = joins.topic;
    raise exception using errcode = 'ZZ999', message = result;
exception
    when sqlstate 'ZZ999' then
        return result;
    when others then
        return sqlstate;
end;
$$;
create function tests.topic(t text, entity text) returns text
    language sql immutable
    return 'org:' || tests.id(t) || ':' || entity;
grant execute on function tests.topic(text, text) to authenticated;

-- Member by table. A sales_rep sees some leads and calls: not their topics.
create temporary table entities (name text);
insert into entities values ('agents'), ('calls'), ('datasets'), ('leads'), ('phone_numbers'), ('prompts'), ('uploads');
select is(tests.joins('a.' || r, tests.topic('a', e.name)),
    case when r = 'sales_rep' and e.name in ('calls', 'leads') then 'nothing' else 'broadcast' end,
    format('%s joins %s', r, e.name))
from unnest(array['owner', 'admin', 'manager', 'sales_rep', 'viewer']) as r, entities e order by r, e.name;
select is(tests.joins('b.owner', tests.topic('a', name)), 'nothing', format('the owner of another organization does not join %s', name))
    from entities order by name;
select is(tests.joins('b.owner', tests.topic('a', name), '{}', jsonb_build_object('x-organization-id', tests.id('a'))), 'nothing',
    format('nor by naming it: %s', name)) from entities order by name;
select is(tests.joins('b.owner', tests.topic('a', 'leads'), jsonb_build_object(
        'app_metadata', jsonb_build_object('active_organization_id', tests.id('a')),
        'user_metadata', jsonb_build_object('organization_id', tests.id('a'), 'role', 'owner'))), 'nothing',
    'nor by claiming it');
select is(tests.joins('anon', tests.topic('a', name)), 'nothing', format('anon does not join %s', name)) from entities order by name;
select is(tests.joins('n.nobody', tests.topic('a', 'agents')), 'nothing', 'nor does a stranger');
select is(tests.joins('a.owner', tests.topic('a', 'leads'), '{"exp": 1000}'), 'nothing', 'an expired token joins nothing');
select is(tests.joins('a.owner', tests.topic('a', 'leads'), '{"sub": null}'), 'nothing', 'nor one without a subject');
select is(tests.joins('a.owner', tests.topic('a', 'leads'), '{"sub": "null"}'), 'nothing', 'nor a malformed one');
select is(tests.joins('a.owner', tests.topic('a', 'leads'), '{"role": "service_role"}'), 'nothing', 'nor one of another role than the connection''s');

-- One connection, tabs for two organizations: each topic on its own, whichever is active.
select is(tests.joins('m.both', tests.topic(t, 'leads')), 'broadcast', format('a member of both joins leads of %s', t))
    from unnest(array['a', 'b']) as t;
select is(tests.joins('m.both', tests.topic(t, 'leads'), '{}', jsonb_build_object('x-organization-id', tests.id('a'))), 'broadcast',
    format('with one of them active: %s', t)) from unnest(array['a', 'b']) as t;

-- Topics that are none.
select is(tests.joins('a.owner', topic), 'nothing', format('no topic: %s', quote_literal(left(topic, 80)))) from (values
    (''), ('leads'), ('org'), ('org:'), ('org::leads'), ('org:' || tests.id('a')), ('org:' || tests.id('a') || ':'),
    (tests.topic('a', 'leads') || ':'), (tests.topic('a', 'leads:x')), (tests.topic('a', 'leads ')), (' ' || tests.topic('a', 'leads')),
    (tests.topic('a', 'Leads')), (tests.topic('a', 'customers')), (tests.topic('a', 'memberships')), (tests.topic('a', 'audit_log')),
    ('ORG:' || tests.id('a') || ':leads'), ('org:' || upper(tests.id('a')::text) || ':leads'), ('org:{' || tests.id('a') || '}:leads'),
    ('org:' || tests.id('a') || ':../' || tests.id('b') || ':leads'), ('org:' || tests.id('a') || ':../leads'),
    ('org:*:leads'), ('org:' || tests.id('a') || ':*'), ('realtime:' || tests.topic('a', 'leads')), (tests.topic('a', '%')),
    (tests.topic('a', 'leads') || e'\n'), (tests.topic('b', 'leads') || ',' || tests.topic('a', 'leads')),
    (repeat('org:', 1000)), ('org:null:leads'), (tests.topic('a', repeat('x', 1000)))
) as t (topic);
-- The setting and the row must be one: a message of another topic is not read along.
select is(tests.joins('a.owner', tests.topic('b', 'leads')), 'nothing', 'the topic of another organization');
select tests.as_owner();
insert into realtime.messages (topic, extension) values (tests.topic('b', 'leads'), 'broadcast'), (tests.topic('a', 'leads'), 'broadcast');
select tests.as_user('a.owner');
select is(tests.attempt('select 1 from realtime.messages'), '0 rows', 'without a topic there is nothing to read');
select set_config('realtime.topic', tests.topic('a', 'leads'), true);
select is(tests.attempt('select 1 from realtime.messages'), '1 row', 'with one, its own messages');

-- Clients listen, they do not send.
select is(tests.attempt(format('insert into realtime.messages (topic, extension) values (%L, %L)', tests.topic(t, 'leads'), x)), '42501',
    format('%s to %s is refused', x, t)) from unnest(array['broadcast', 'presence']) as x, unnest(array['a', 'b']) as t;
select is(tests.attempt('update realtime.messages set payload = ''{}'''), '0 rows', 'and change no message');

-- Overrides, scope, status, removal: from the next join on.
select tests.as_owner();
delete from realtime.messages;
update public.memberships set can_view_all_leads = true where user_id = tests.id('a.sales_rep');
select is(tests.joins('a.sales_rep', tests.topic('a', 'leads')), 'broadcast', 'can_view_all_leads opens the topic of leads');
select is(tests.joins('a.sales_rep', tests.topic('a', 'calls')), 'nothing', 'and not that of calls');
select tests.as_owner();
update public.memberships set permissions = '{"leads.read_all": false}' where user_id = tests.id('a.viewer');
select is(tests.joins('a.viewer', tests.topic('a', 'leads')), 'nothing', 'a right that was taken away closes it');
select tests.as_owner();
update public.memberships set permissions = '{"leads.read": false, "calls.read": false}' where user_id = tests.id('a.viewer');
select is(tests.joins('a.viewer', tests.topic('a', t)), 'nothing', format('who may not read %s does not hear of them', t)) from unnest(array['leads', 'calls']) as t;
select is(tests.joins('a.viewer', tests.topic('a', 'datasets')), 'broadcast', 'but of datasets');
select tests.as_owner();
update public.memberships set allowed_dataset_ids = array[tests.id('a.dataset')] where user_id = tests.id('a.manager');
select is(tests.joins('a.manager', tests.topic('a', name)),
    case when name in ('agents', 'phone_numbers') then 'broadcast' else 'nothing' end,
    format('a member with some datasets and the topic of %s', name)) from entities order by name;
select is(tests.joins('a.manager', tests.topic('a', 'leads'), '{}', jsonb_build_object('x-organization-id', tests.id('b'))), 'nothing',
    'nor with another organization named');
select tests.as_owner();
update public.organizations set status = 'paused' where id = tests.id('a');
select is(tests.joins('a.admin', tests.topic('a', 'leads')), 'broadcast', 'a paused organization still reads');
select tests.as_owner();
update public.organizations set status = 'active' where id = tests.id('a');
update public.memberships set status = 'suspended' where user_id = tests.id('a.admin');
select is(tests.joins('a.admin', tests.topic('a', 'leads')), 'nothing', 'a suspended member does not join');
select tests.as_owner();
delete from public.memberships where user_id = tests.id('a.admin');
select is(tests.joins('a.admin', tests.topic('a', 'leads')), 'nothing', 'nor one who was removed, with the token still valid');
select is(tests.joins('a.admin', tests.topic('a', 'agents')), 'nothing', 'in no topic');

-- Postgres Changes asks one prepared statement for every subscriber in one transaction, changing role and claims.
select tests.as_owner();
prepare visible as select exists (select 1 from public.leads where organization_id = tests.id('a') and id = tests.id('a.lead'));
create function tests.subscribers() returns text
    language plpgsql
as $$
declare
    claims text;
    seen boolean;
    result text := '';
begin
    foreach claims in array array[
        jsonb_build_object('sub', tests.id('a.owner'), 'role', 'authenticated')::text,
        jsonb_build_object('sub', tests.id('b.owner'), 'role', 'authenticated')::text,
        jsonb_build_object('sub', tests.id('a.sales_rep'), 'role', 'authenticated')::text,
        '{"role": "authenticated", "sub": null}', '{"role": "authenticated", "sub": "null"}', 'null', '{}', '',
        jsonb_build_object('sub', tests.id('m.both'), 'role', 'authenticated')::text,
        jsonb_build_object('sub', tests.id('a.owner'), 'role', 'authenticated')::text
    ] loop
        perform set_config('role', 'authenticated', true), set_config('request.jwt.claims', claims, true);
        execute 'execute visible' into seen;
        result := result || case when seen then 't' else 'f' end;
    end loop;
    perform set_config('role', 'none', true);
    return result;
end;
$$;
update public.memberships set can_view_all_leads = false where user_id = tests.id('a.sales_rep');
select is(tests.subscribers(), 'tffffffff' || 't', format('subscribers in one transaction, round %s', n)) from generate_series(1, 8) as n;

-- What is sent: one message a statement and organization, ids only.
select tests.as_owner();
delete from realtime.messages;
create temporary view sent as
    select topic, event, private, extension, payload - 'id' as payload from realtime.messages;
select tests.as_user('a.owner');
insert into public.agents (name) values ('One'), ('Two');
select tests.as_owner();
select is((select count(*)::integer from sent), 1, 'two rows, one message');
select results_eq(
    $$ select topic, event, private, extension, payload ->> 'op', jsonb_array_length(payload -> 'ids'), payload -> 'more' from sent $$,
    $$ values (tests.topic('a', 'agents'), 'changed', true, 'broadcast', 'insert', 2, 'false'::jsonb) $$, 'to the topic of the table, private');
select is((select array_agg(k order by k) from sent, jsonb_object_keys(payload) as k), '{ids,more,op}', 'and nothing but op, ids and more');
select set_eq($$ select jsonb_array_elements_text(payload -> 'ids')::uuid from sent $$,
    $$ select id from public.agents where name in ('One', 'Two') $$, 'the ids are those of the rows');
delete from realtime.messages;
insert into public.leads (organization_id, dataset_id, first_name, phone_number)
select tests.id('a'), tests.id('a.dataset'), 'Lead 100', '+4477009' || to_char(1000 + n, 'FM00000') from generate_series(1, 250) as n;
select results_eq(
    $$ select jsonb_array_length(payload -> 'ids'), payload -> 'more' from sent where topic = tests.topic('a', 'leads') $$,
    $$ values (100, 'true'::jsonb) $$, 'of many rows the first hundred ids, and that there are more');
select is((select count(*)::integer from sent where topic = tests.topic('a', 'datasets')), 1, 'the counters that they moved are a message too');
delete from realtime.messages;
update public.leads set notes = 'x' where id in (tests.id('a.lead'), tests.id('b.lead'));
select bag_eq($$ select topic, payload ->> 'op' from sent where topic like '%:leads' $$,
    $$ values (tests.topic('a', 'leads'), 'update'), (tests.topic('b', 'leads'), 'update') $$,
    'a statement of server code over two organizations: each hears of its own');
select is((select payload -> 'ids' from sent where topic = tests.topic('b', 'leads')), jsonb_build_array(tests.id('b.lead')), 'and of no other');
delete from realtime.messages;
update public.leads set notes = 'x' where false;
delete from public.phone_numbers where id = tests.id('a.number');
select bag_eq($$ select topic, payload ->> 'op' from sent $$, $$ values (tests.topic('a', 'phone_numbers'), 'delete') $$,
    'nothing changed, nothing sent; a deletion is');
select is_empty($$
    select e.name, v from entities e cross join unnest(array['insert', 'update', 'delete']) as v
    where not exists (select from pg_trigger g where g.tgrelid = ('public.' || e.name)::regclass and g.tgname = 'broadcast_' || v)
$$, 'every table of a topic sends');

-- Realtime out of order: the write stands, with a warning.
create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
    language plpgsql as $$ begin raise exception 'out of order'; end $$;
select tests.as_user('a.owner');
select lives_ok($$ insert into public.agents (name) values ('Three') $$, 'a write while Realtime fails');
select is(tests.attempt($$ select 1 from public.agents where name = 'Three' $$), '1 row', 'is done');
select tests.as_owner();

-- The publication: nothing while it publishes deletes, whose keys Realtime hands to every subscriber.
select is_empty($$ select tablename from pg_publication_tables where pubname = 'supabase_realtime' and schemaname = 'public' $$,
    'a publication with deletes has none of the tables');
alter publication supabase_realtime set (publish = 'insert, update');
select is(private.attach_realtime(), true, 'attaching again');
select bag_eq($$ select tablename::text from pg_publication_tables where pubname = 'supabase_realtime' and schemaname = 'public' $$,
    'select name from entities', 'one without them has all');

select * from finish();
rollback;
