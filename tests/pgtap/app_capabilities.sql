-- Capabilities of an application: a table of its own, made by the lines that README shows, is attacked as ours are.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

-- Before: a policy that nobody could satisfy is refused, with what to do.
create table public.orders (
    organization_id uuid not null default switchboard.current_organization_id() references public.organizations (id),
    id uuid not null default gen_random_uuid(), dataset_id uuid, title text not null, done boolean not null default false,
    primary key (organization_id, id));
create temporary table refused as
    select tests.refusal($$ select private.add_tenant_policies('public.orders', 'orders') $$) as r;
select is((select r ->> 'sqlstate' from refused), '22023', 'what is not defined is asked for by no policy');
select is((select r ->> 'message' from refused),
    'the policies of public.orders would ask for orders.read, orders.write, orders.delete, which nobody can hold', 'it is named');
select matches((select r ->> 'hint' from refused), '^private\.define_capability\(name, roles\)', 'and how to make it');

-- What can be defined.
select is(tests.refusal(format('select private.define_capability(%s)', arguments)) ->> 'sqlstate', '22023', arguments || ' is refused')
    from unnest(array[
        $$ 'leads.read', '{owner}' $$, $$ 'organization.transfer', '{viewer}' $$, $$ null, '{owner}' $$, $$ '', '{owner}' $$, $$ 'orders', '{owner}' $$,
        $$ 'orders.', '{owner}' $$, $$ '.read', '{owner}' $$, $$ 'orders.read.all', '{owner}' $$, $$ 'Orders.read', '{owner}' $$, $$ 'orders.read ', '{owner}' $$,
        $$ E'orders.read\n', '{owner}' $$, $$ 'orders-2.read', '{owner}' $$, $$ '2orders.read', '{owner}' $$, $$ repeat('a', 64) || '.read', '{owner}' $$,
        $$ 'orders.read', '{}' $$, $$ 'orders.read', null $$, $$ 'orders.read', '{emperor}' $$, $$ 'orders.read', '{owner,null}' $$, $$ 'orders.read', '{Owner}' $$,
        $$ 'orders.read', '{service_role}' $$
    ]) as arguments;
select is(tests.refusal($$ select private.define_capability('leads.read', '{owner}') $$) ->> 'message',
    'leads.read is one of Switchboard''s own capabilities', 'one of ours says so');
select is(tests.refusal($$ select private.drop_capability('orders.read') $$) ->> 'sqlstate', '22023', 'what is not there cannot be dropped');
select is(tests.refusal($$ select private.drop_capability('leads.read') $$) ->> 'sqlstate', '22023', 'nor one of ours');

-- The lines.
select private.define_capability('orders.read', roles => '{owner,admin,manager}');
select private.define_capability('orders.write', roles => '{owner,admin}'), private.define_capability('orders.delete', roles => '{owner}');
select private.add_tenant_policies('public.orders', 'orders'), private.add_row_triggers('public.orders', '{organization_id,id}');
grant select, insert, update, delete on public.orders to authenticated;
select private.record_grants('public.orders');
select is_empty($$ select code, finding from private.doctor() where object ~ 'orders' and severity <> 'info' $$, 'the doctor finds nothing about such a table');

select private.define_capability('visits.read', '{viewer,sales_rep,manager}'), private.define_capability('visits.read_all', '{admin,manager,viewer}'),
    private.define_capability('visits.write', '{manager,sales_rep}'), private.define_capability('visits.delete', '{admin}');
select results_eq('select name, roles from private.capabilities where name = ''visits.read''', $$ values ('visits.read', '{owner,manager,sales_rep,viewer}'::text[]) $$,
    'an owner always holds it, and roles stand in their order');
create table public.visits (
    organization_id uuid not null default switchboard.current_organization_id() references public.organizations (id),
    id uuid not null default gen_random_uuid(), dataset_id uuid, visitor uuid, primary key (organization_id, id));
select private.add_tenant_policies('public.visits', 'visits', dataset => 'dataset_id', own => 'visitor');
grant select, insert, update, delete on public.visits to authenticated;

insert into public.orders (organization_id, id, title) values
    (tests.id('a'), tests.id('a.order'), 'First'), (tests.id('a'), tests.id('a.order.2'), 'Second'), (tests.id('b'), tests.id('b.order'), 'Theirs');

-- Only the owner of the database defines.
select tests.as_user('a.owner');
select is(tests.attempt(s), '42501', 'an organization''s owner: ' || s) from unnest(array[
    $$ select private.define_capability('orders.read', '{viewer}') $$, $$ select private.drop_capability('orders.read') $$,
    'select 1 from private.capabilities', $$ insert into private.capabilities values ('x.y', '{owner}') $$, 'select private.capability_roles(''orders.read'')',
    'select switchboard.schema_contract()'
]) as s;
select tests.as_service();
select is(tests.attempt(s), '42501', 'the service role: ' || s) from unnest(array[
    $$ select private.define_capability('orders.read', '{viewer}') $$, 'delete from private.capabilities', 'select switchboard.schema_contract()'
]) as s;
select tests.as_anon();
select is(tests.attempt(s), '42501', 'anon: ' || s) from unnest(array[
    $$ select private.define_capability('orders.read', '{viewer}') $$, 'select 1 from public.orders', 'insert into public.orders (title) values (''x'')',
    'update public.orders set title = ''x''', 'delete from public.orders'
]) as s;

-- What the caller does to the orders of tenant a: select, insert, update, delete.
select tests.as_owner();
create function tests.orders(t text default 'a') returns text
    language sql
as $$
    select concat_ws(', ',
        tests.attempt(format('select 1 from public.orders where organization_id = %L', tests.id(t))),
        tests.attempt(format('insert into public.orders (organization_id, title) values (%L, ''New'')', tests.id(t))),
        tests.attempt(format('update public.orders set title = ''Changed'' where organization_id = %L', tests.id(t))),
        tests.attempt(format('delete from public.orders where organization_id = %L', tests.id(t))))
$$;
create function tests.orders_of(member text, organization text default null, claims jsonb default '{}') returns text
    language plpgsql
as $$
declare
    told text;
begin
    perform tests.as_user(member, organization, claims);
    told := tests.orders();
    perform tests.as_owner();
    return told;
end;
$$;
grant execute on all functions in schema tests to authenticated;
create temporary table verdicts (all_verbs text, writes text, reads text, nothing text);
insert into verdicts values ('2 rows, 1 row, 2 rows, 2 rows', '2 rows, 1 row, 2 rows, 0 rows', '2 rows, 42501, 0 rows, 0 rows', '0 rows, 42501, 0 rows, 0 rows');
grant select on verdicts to public;
\set all_verbs '(select all_verbs from verdicts)'
\set writes '(select writes from verdicts)'
\set reads '(select reads from verdicts)'
\set nothing '(select nothing from verdicts)'

select is(tests.orders_of('a.owner'), :all_verbs, 'an owner does all');
select is(tests.orders_of('a.admin'), :writes, 'an admin reads and writes');
select is(tests.orders_of('a.manager'), :reads, 'a manager reads');
select is(tests.orders_of('a.sales_rep'), :nothing, 'a sales_rep does nothing');
select is(tests.orders_of('a.viewer'), :nothing, 'nor does a viewer');

-- Another tenant, and nobody.
select is(tests.orders_of('b.' || m), :nothing, format('b''s %s reaches none of a', m)) from unnest(array['owner', 'admin', 'viewer']) as m;
select is(tests.orders_of('b.owner', 'a'), :nothing, 'nor with a''s id in the header');
select is(tests.orders_of('b.owner', null, jsonb_build_object('app_metadata', jsonb_build_object('active_organization_id', tests.id('a')))), :nothing, 'nor in a claim');
select is(tests.orders_of('nobody'), :nothing, 'a stranger does nothing');
select is(tests.orders_of('a.owner', null, '{"exp": 1}'), :nothing, 'nor does an expired token');
select is(tests.orders_of('a.owner', null, '{"role": "anon"}'), :nothing, 'nor one for another role');
select tests.as_user('b.owner');
select is(tests.attempt(format('update public.orders set organization_id = %L', tests.id('a'))), '42501', 'no row is moved to another tenant');
select is(tests.attempt('update public.orders set id = gen_random_uuid()'), '42501', 'nor gets another id');
select is(tests.attempt('insert into public.orders (title) values (''Mine'')'), '1 row', 'the tenant needs not be sent');
select tests.as_owner();

-- Membership: suspended, invited, ended.
create function tests.orders_after(change text, member text, organization text default null) returns text
    language plpgsql
as $$
declare
    told text;
begin
    execute change;
    told := tests.orders_of(member, organization);
    raise exception using errcode = 'ZZ999';
exception
    when sqlstate 'ZZ999' then
        return told;
end;
$$;
select is(tests.orders_after(format('update public.memberships set %s where user_id = %L', c.change, tests.id('a.admin')), 'a.admin'), :nothing, c.change)
    from unnest(array['status = ''suspended''', 'status = ''invited''', 'expires_at = now()']) as c (change);
select is(tests.orders_after(format('delete from public.memberships where user_id = %L', tests.id('a.admin')), 'a.admin'), :nothing, 'a member who has gone');
select is(tests.orders_after(format('update public.memberships set role = ''viewer'' where user_id = %L', tests.id('a.admin')), 'a.admin'), :nothing, 'and one with a lesser role');

-- The organization: paused is read by who may read, cancelled by owner and admins.
select is(tests.orders_after(format('update public.organizations set status = %L where id = %L', s.status, tests.id('a')), 'a.' || s.member),
        case when s.reads then :reads else :nothing end, format('%s: %s', s.status, s.member))
    from (values ('paused', 'owner', true), ('paused', 'manager', true), ('paused', 'viewer', false),
        ('cancelled', 'owner', true), ('cancelled', 'admin', true), ('cancelled', 'manager', false)) as s (status, member, reads);

-- A member's own permissions, both ways; never what only an owner holds.
create function tests.orders_with(permissions jsonb, member text, status text default 'active') returns text
    language sql
as $$
    select tests.orders_after(format(
        'update public.memberships set permissions = %L where user_id = %L; update public.organizations set status = %L where id = %L',
        permissions, tests.id(member), status, tests.id('a')), member)
$$;
select is(tests.orders_with('{"orders.read": true}', 'a.viewer'), :reads, 'a viewer who is given orders.read');
select is(tests.orders_with('{"orders.read": true, "orders.write": true}', 'a.viewer'), :writes, 'and orders.write');
select is(tests.orders_with('{"orders.write": true}', 'a.viewer'), '0 rows, 1 row, 0 rows, 0 rows', 'writing alone reads nothing');
select is(tests.orders_with('{"orders.read": false}', 'a.admin'), '0 rows, 1 row, 0 rows, 0 rows', 'an admin from whom orders.read is taken');
select is(tests.orders_with('{"orders.write": false}', 'a.admin'), :reads, 'or orders.write');
select is(tests.orders_with('{"orders.read": true, "orders.write": true}', 'a.viewer', 'paused'), :reads, 'a paused organization is only read');
select is(tests.orders_with('{"orders.read": true}', 'a.viewer', 'cancelled'), :nothing, 'a cancelled one not by a viewer');
select is(tests.orders_with('{"leads.read": false}', 'a.manager'), :reads, 'ours and theirs do not touch each other');
select is(tests.refusal(format('update public.memberships set permissions = %L where user_id = %L', p.permissions, tests.id('a.viewer'))) -> p.field, to_jsonb(p.expected), p.permissions)
    from (values
        ('{"orders.delete": true}', 'sqlstate', '22023'),
        ('{"orders.delete": true}', 'message', 'only an owner holds orders.delete'),
        ('{"orders.fly": true}', 'sqlstate', '22023'),
        ('{"orders.fly": true}', 'message', 'unknown capability "orders.fly"'),
        ('{"orders.fly": false}', 'sqlstate', '22023'),
        ('{"leads.fly": true}', 'message', 'unknown capability "leads.fly"'),
        ('{"orders.read": "yes"}', 'message', 'orders.read must be true or false'),
        ('{"orders": true}', 'message', 'unknown capability "orders"')
    ) as p (permissions, field, expected);
select is(tests.attempt(format($$ update public.memberships set permissions = '{"orders.delete": false}' where user_id = %L $$, tests.id('a.viewer'))), '1 row',
    'what nobody else holds may be taken away');

-- Who gives what: nobody more than they hold.
update public.memberships set can_manage_users = true where user_id = tests.id('a.manager');
create function tests.changes(member text, changes text) returns text
    language sql
    return coalesce(tests.refusal(format('select public.change_member(%L, %L)', tests.id(member), changes)) ->> 'message', 'allowed');
grant execute on all functions in schema tests to authenticated;
select tests.as_user('a.manager');
select is(tests.changes('a.viewer', '{"permissions": {"orders.read": true}}'), 'allowed', 'a manager gives what they hold');
select is(tests.changes('a.viewer', '{"permissions": {"orders.write": true}}'), 'capability_not_held', 'and not what they lack');
select is(tests.changes('a.viewer', '{"permissions": {"orders.delete": true}}'), 'only an owner holds orders.delete', 'nor what an owner alone has');
select is(tests.changes('a.viewer', '{"permissions": {"orders.fly": true}}'), 'unknown capability "orders.fly"', 'nor what there is not');
select is(coalesce(tests.refusal(format('select public.invite_member(%L, ''viewer'', %L)', 'new@a.example', i.permissions)) ->> 'message', 'allowed'), i.expected, 'inviting with ' || i.permissions)
    from (values ('{"orders.read": true}', 'allowed'), ('{"orders.write": true}', 'capability_not_held'), ('{"orders.fly": true}', 'unknown capability "orders.fly"'),
        ('{"orders.delete": true}', 'only an owner holds orders.delete')) as i (permissions, expected);
select is(tests.attempt(format($$ update public.memberships set permissions = '{"orders.read": true}' where user_id = %L $$, tests.id('a.manager'))), '42501', 'and not past the RPCs');
select tests.as_user('a.owner');
select is(tests.changes('a.viewer', '{"permissions": {"orders.write": true, "orders.read": true}}'), 'allowed', 'an owner gives what a role lacks');
select is(tests.changes('a.manager', '{"role": "admin"}'), 'allowed', 'and a role that holds it');
select tests.as_owner();
update public.memberships set permissions = '{"orders.write": false}' where user_id = tests.id('a.admin');
select tests.as_user('a.admin');
select is(tests.changes('a.viewer', '{"permissions": {"orders.write": true}}'), 'capability_not_held', 'an admin from whom it was taken gives it to nobody');
select tests.as_owner();
update public.memberships set permissions = '{}' where user_id = tests.id('a.admin');

-- Who they are told to be.
select tests.as_user('a.manager');
select is(public.whoami() -> 'capabilities' ? 'orders.read' and not public.whoami() -> 'capabilities' ? 'orders.write', true, 'whoami says what a manager holds');
select is(switchboard.require_organization('orders.read'), tests.id('a'), 'an RPC asks for it as for ours');
select is(tests.refusal($$ select switchboard.require_organization('orders.write') $$) ->> 'sqlstate', 'PT403', 'and refuses as with ours');
select is(array[switchboard.has_capability(tests.id('a'), 'orders.read'), switchboard.has_capability(tests.id('a'), 'orders.write'), switchboard.has_capability(tests.id('b'), 'orders.read'),
    switchboard.has_capability(tests.id('a'), 'orders.fly')], '{t,f,f,f}', 'whichever the organization');
select tests.as_service('a');
select is(array[switchboard.organization_for('orders.read'), switchboard.organization_for('orders.fly'), switchboard.organization_for('leads.read')],
    array[tests.id('a'), null, tests.id('a')], 'the server holds what is defined');
select is(array[switchboard.has_capability(tests.id('b'), 'orders.read'), switchboard.has_capability(tests.id('b'), 'orders.fly'), switchboard.has_capability(tests.id('nobody'), 'orders.read')],
    '{t,f,f}', 'in every organization that exists');
select tests.as_owner();
select is(switchboard.member_capabilities('viewer', '{"orders.write": true, "orders.delete": true, "orders.fly": true}', false, false, false, false) @> '{orders.write,visits.read}', true,
    'what a membership gives has them');
select is(switchboard.member_capabilities('viewer', '{"orders.write": true, "orders.delete": true, "orders.fly": true}', false, false, false, false) && '{orders.read,orders.delete,orders.fly}', false,
    'and not what a permission cannot give');

-- Own rows and the dataset scope hold as for leads.
insert into public.visits (organization_id, dataset_id, visitor) values
    (tests.id('a'), tests.id('a.dataset'), tests.id('a.sales_rep')), (tests.id('a'), tests.id('a.dataset'), null), (tests.id('a'), null, tests.id('a.sales_rep'));
create function tests.visits_of(member text, scope uuid[]) returns text
    language plpgsql
as $$
declare
    told text;
begin
    update public.memberships set allowed_dataset_ids = scope where user_id = tests.id(member);
    perform tests.as_user(member);
    told := tests.attempt('select 1 from public.visits');
    perform tests.as_owner();
    return told;
end;
$$;
select is(tests.visits_of('a.viewer', null), '3 rows', 'visits.read_all reads every visit');
select is(tests.visits_of('a.sales_rep', null), '2 rows', 'without it the own ones are read');
select is(tests.visits_of('a.viewer', array[tests.id('a.dataset')]), '2 rows', 'a scope leaves those of its datasets');
select is(tests.visits_of('a.sales_rep', array[tests.id('a.dataset')]), '1 row', 'also of the own ones');
select is(tests.visits_of('a.viewer', '{}'), '0 rows', 'an empty scope none');
select is(tests.visits_of('a.viewer', null), '3 rows', 'as before');
select tests.as_user('a.sales_rep');
select is(tests.attempt('update public.visits set visitor = null'), '42501', 'no own row is given away');
select tests.as_owner();
update public.memberships set permissions = '{"visits.read": false}' where user_id = tests.id('a.viewer');
select tests.as_user('a.viewer');
select is(switchboard.organization_for('visits.read_all'), null, 'a visits.read that is taken takes visits.read_all with it');
select tests.as_owner();
update public.memberships set permissions = '{}' where user_id = tests.id('a.viewer');
select tests.as_user('a.viewer');
select is(switchboard.organization_for('visits.read_all'), tests.id('a'), 'with it both are there');

-- Support reads what its session names.
select tests.as_owner();
select tests.make_user('p.admin');
insert into private.platform_admins (user_id) values (tests.id('p.admin'));
create function tests.opens(capabilities text) returns text
    language sql
    return format('select public.open_support_session(%L, ''Ticket 7: an order is missing'', %s)', tests.id('a'), capabilities);
grant execute on all functions in schema tests to authenticated;
select tests.as_user('p.admin', 'a', '{"aal": "aal2"}');
select is(tests.attempt(tests.opens(c.names)), c.expected, 'opening with ' || c.names)
    from (values ('''{orders.read}''', '1 row'), ('''{orders.read,leads.read}''', '1 row'), ('''{orders.write}''', '22023'), ('''{orders.fly}''', '22023'), ('''{fish.read}''', '22023'),
        ('''{orders.read,orders.delete}''', '22023')) as c (names, expected);
select public.open_support_session(tests.id('a'), 'Ticket 7: an order is missing', '{orders.read}');
select is(tests.orders_of('p.admin', 'a', '{"aal": "aal2"}'), :reads, 'a session with orders.read reads them');
select is(tests.orders_of('p.admin', 'a', '{"aal": "aal1"}'), :nothing, 'not without a second factor');
select tests.as_user('p.admin', 'a', '{"aal": "aal2"}');
select is(public.whoami() -> 'capabilities', '["orders.read"]', 'and holds nothing else');
select is(tests.attempt('select 1 from public.leads'), '0 rows', 'none of ours');
select is(tests.attempt('select 1 from public.visits'), '0 rows', 'no other of theirs');
select public.close_support_session(id) from public.my_support_sessions();
select is(tests.orders_of('p.admin', 'a', '{"aal": "aal2"}'), :nothing, 'nor anything once it is closed');
select tests.as_user('p.admin', 'a', '{"aal": "aal2"}');
select public.open_support_session(tests.id('a'), 'Ticket 8: too little is named', '{leads.read_all,visits.read_all}');
select is(public.whoami() -> 'capabilities', '[]', 'read_all without read is nothing');
select public.close_support_session(id) from public.my_support_sessions() where closed_at is null;
select ok((public.open_support_session(tests.id('a'), 'Ticket 8: everything is looked at')).capabilities @> '{leads.read,orders.read,visits.read_all}', 'a session that names none has all that read');
select public.close_support_session(id) from public.my_support_sessions() where closed_at is null;
select tests.as_owner();

-- Who listens to a topic.
select is(tests.attempt($$ select private.add_broadcast('public.orders', 'orders.read') $$), '1 row', 'listeners may need it');
select is(tests.refusal($$ select private.add_broadcast('public.orders', 'orders.fly') $$) ->> 'sqlstate', '22023', 'but nothing unknown');

-- The cache: one reader, one transaction, and the definitions change under it. A definer's function leaves the request as it is.
create function tests.define(name text, roles text[]) returns void
    language plpgsql security definer
as $$
begin
    if roles is null then
        perform private.drop_capability(name);
    else
        perform private.define_capability(name, roles);
    end if;
end;
$$;
create function tests.tried(name text, roles text[]) returns boolean
    language plpgsql
as $$
declare
    told boolean;
begin
    perform tests.define(name, roles);
    told := switchboard.organization_for(name) is not null;
    raise exception using errcode = 'ZZ999';
exception
    when sqlstate 'ZZ999' then
        return told;
end;
$$;
grant execute on all functions in schema tests to authenticated;
select tests.as_user('a.manager');
select is(switchboard.organization_for('orders.read'), tests.id('a'), 'held');
select tests.define('orders.read', '{admin}');
select is(switchboard.organization_for('orders.read'), null, 'taken from the role: the next statement knows');
select tests.define('orders.read', '{manager}');
select is(switchboard.organization_for('orders.read'), tests.id('a'), 'given again: as well');
select tests.define('orders.read', null);
select is(switchboard.organization_for('orders.read'), null, 'dropped: nobody holds it');
select is(tests.attempt('select 1 from public.orders'), '0 rows', 'and the policy refuses');
select is(public.whoami() -> 'capabilities' ? 'orders.read', false, 'whoami says so');
select tests.define('orders.read', '{owner,admin,manager}');
select is(tests.tried('orders.read', '{admin}'), false, 'inside a subtransaction that is undone');
select is(switchboard.organization_for('orders.read'), tests.id('a'), 'it is as before');
select is(tests.tried('parcels.read', '{manager}'), true, 'one that is new in it');
select is(switchboard.organization_for('parcels.read'), null, 'is gone with it');
savepoint before;
select tests.define('orders.read', null);
select is(switchboard.organization_for('orders.read'), null, 'dropped behind a savepoint');
rollback to savepoint before;
select is(switchboard.organization_for('orders.read'), tests.id('a'), 'and rolled back');
-- In one statement a VOLATILE function sees the change that its predecessor made, and a policy's initplan was asked before.
select is((select array_agg(tests.tried('orders.read', r)) from (values ('{admin}'::text[]), ('{manager}'), (null)) as x (r)), '{f,t,f}', 'three definitions in one statement');

-- Read when asked, once a statement; not at all for ours.
select tests.as_owner();
create function tests.reads_of(query text) returns bigint
    language plpgsql security definer
as $$
declare
    before bigint := pg_stat_get_xact_numscans('private.capabilities'::regclass) + pg_stat_get_xact_numscans('private.capabilities_pkey'::regclass);
begin
    execute query;
    return pg_stat_get_xact_numscans('private.capabilities'::regclass) + pg_stat_get_xact_numscans('private.capabilities_pkey'::regclass) - before;
end;
$$;
grant execute on all functions in schema tests to authenticated;
select tests.as_user('a.manager');
select is(tests.reads_of($$ select count(switchboard.organization_for('leads.' || verb)) from generate_series(1, 1000), unnest('{read,write,"fly up",""}'::text[]) as verb $$), 0::bigint,
    'our names, and what can be no name, read nothing');
select is(tests.reads_of($$ select count(switchboard.organization_for('orders.' || verb)) from generate_series(1, 1000), unnest('{read,write,delete,fly}'::text[]) as verb $$), 1::bigint,
    'four thousand questions read once');
select is(tests.reads_of('select count(*) from public.leads'), 0::bigint, 'a list of ours reads nothing');

-- Many people in one statement.
select tests.as_owner();
create function tests.holder(member text) returns boolean
    language plpgsql
as $$
begin
    perform set_config('request.jwt.claims', jsonb_build_object('sub', tests.id(member), 'role', 'authenticated')::text, true);
    return switchboard.organization_for('orders.write') is not null;
end;
$$;
grant execute on all functions in schema tests to authenticated;
select tests.as_user('a.owner');
select is(
    (select string_agg(distinct m || ' ' || tests.holder('a.' || m), ', ' order by m || ' ' || tests.holder('a.' || m))
        from generate_series(1, 20), unnest(array['owner', 'admin', 'manager', 'viewer']) as m),
    'admin true, manager false, owner true, viewer false', 'each is answered for themself');
select tests.as_owner();

-- A capability that is gone: what names it gives nothing and harms nothing.
update public.memberships set permissions = '{"orders.write": true, "leads.delete": true}' where user_id = tests.id('a.viewer');
update public.memberships set role = 'admin' where user_id = tests.id('a.manager');
select tests.as_user('a.owner');
create temporary table invited as select public.invite_member('owner@c.example', 'viewer', '{"orders.write": true, "lessons.write": true}') as answer;
select tests.as_owner();
select private.drop_capability('orders.write');
select tests.as_user('a.viewer');
select is(switchboard.organization_for('orders.write'), null, 'it gives nothing');
select is(switchboard.organization_for('leads.delete'), tests.id('a'), 'the rest of the permissions is in force');
select is(public.whoami() ->> 'role', 'viewer', 'and so is the membership');
select tests.as_user('a.owner');
select is(tests.changes('a.viewer', '{"can_edit_lessons": true}'), 'allowed', 'the member can be changed');
select is(tests.changes('a.viewer', '{"permissions": {"orders.write": true, "leads.delete": true, "lessons.delete": true}}'), 'allowed', 'what stands there may stay');
select is(tests.changes('a.viewer', '{"permissions": {"orders.write": false}}'), 'unknown capability "orders.write"', 'and is not written anew');
select is(tests.changes('a.sales_rep', '{"permissions": {"orders.write": true}}'), 'unknown capability "orders.write"', 'nor for somebody else');
select is(tests.changes('a.viewer', '{"permissions": {"leads.delete": true}}'), 'allowed', 'it can be left out');
select tests.as_owner();
select tests.make_user('c.owner');
update auth.users set email_confirmed_at = now() where id = tests.id('c.owner');
select tests.as_user('c.owner');
select is((select public.accept_invitation(answer ->> 'token') from invited) -> 'permissions', '{"orders.write": true, "lessons.write": true}', 'an invitation that names it is accepted');
select is(switchboard.organization_for('lessons.write'), tests.id('a'), 'and gives the rest');
select tests.as_owner();
select private.define_capability('orders.write', '{admin}');
select tests.as_user('a.viewer');
select is(switchboard.organization_for('orders.write'), tests.id('a'), 'defined anew it is given again');
select tests.as_owner();
select private.define_capability('orders.write', '{owner}');
select tests.as_user('a.viewer');
select is(switchboard.organization_for('orders.write'), null, 'unless an owner alone holds it now');
select tests.as_owner();

-- A definition that only the table's owner can have written past the function defines no more than it says.
select is(tests.attempt(s), '23514', s) from unnest(array[
    $$ insert into private.capabilities values ('Orders.read', '{owner}') $$, $$ insert into private.capabilities values ('x.read', '{emperor,owner}') $$,
    $$ insert into private.capabilities values ('x.read', '{viewer}') $$
]) as s;
insert into private.capabilities values ('leads.delete', '{owner,viewer}');
update public.memberships set permissions = '{}' where user_id = tests.id('a.viewer');
select tests.as_user('a.viewer');
select is(switchboard.organization_for('leads.delete'), null, 'a name of ours stays ours');

select * from finish();
rollback;
