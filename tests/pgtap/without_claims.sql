-- Code that runs without a request: a cron job, a restore, replication, a trigger of server code. The resolver then
-- knows nobody and raises nothing; RPCs refuse, and a service key stands for no person and no organization.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

create temporary table answers (who text, user_id uuid, organization uuid, organization_for uuid, organizations uuid[], admin boolean, reason text);
grant insert on answers to service_role, authenticated;
create function tests.note(who text) returns void
    language sql
as $$
    insert into answers select who, switchboard.user_id(), switchboard.current_organization_id(),
        switchboard.organization_for('leads.read'), switchboard.organization_ids(), switchboard.is_platform_admin(),
        switchboard.request_context() ->> 'reason'
$$;
grant execute on all functions in schema tests to authenticated, service_role;

-- As cron and psql: no settings at all, then settings that an earlier transaction left empty.
select tests.as_owner();
reset request.jwt.claims;
reset request.headers;
select tests.note('the owner, without settings');
select tests.as_owner();
select tests.note('the owner, with empty settings');
select tests.as_service();
select tests.note('service_role');
set local request.jwt.claims = '';
select tests.note('service_role without claims');
select tests.as_owner();
select set_config('role', 'authenticated', true);
select tests.note('authenticated without claims');
select tests.as_owner();
select is((select count(*)::integer from answers), 5, 'the resolver answers everybody');
select is_empty($$
    select * from answers where user_id is not null or organization is not null or organization_for is not null
        or organizations <> '{}' or admin
$$, 'without a person there is no user, no organization and no platform administrator');
select is_empty($$ select who from answers where reason is null and who <> 'service_role' $$, 'and context() says why');

-- What such code writes names its organization itself.
select is(tests.attempt('insert into public.agents (name) values (''X'')'), '23502', 'the owner: no organization, no row');
select is(tests.attempt(tests.statement('insert', 'agents', 'b')), '1 row', 'the owner: named, it is made');
select lives_ok($$ update public.leads set notes = 'by a job' $$, 'triggers of a job''s statement fire without a request');
select lives_ok($$ delete from public.leads $$, 'and on delete');

-- Every RPC without a person: refused with a code of its own, and none does its work.
create temporary view rpcs as
    select p.oid, p.oid::regprocedure::text as name,
        format('select public.%I(%s)', p.proname, coalesce((
            select string_agg(format('null::%s', format_type(t, null)), ', ') from unnest(p.proargtypes::oid[]) as t
        ), '')) as call
    from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
        -- Computed columns of a row, which is NULL here.
        and p.oid::regprocedure::text not in ('owner_id(organizations)', 'plan_tier(organizations)');
grant select on rpcs to authenticated, service_role;
select cmp_ok((select count(*)::integer from rpcs), '>=', 8, 'there are RPCs');
select set_config('role', 'authenticated', true);
select is_empty($$
    select name, tests.refusal(call) from rpcs
    where has_function_privilege('authenticated', oid, 'execute')
        and name !~ '^(whoami|get_my_org_id|is_super_admin)\(' and coalesce(tests.refusal(call) ->> 'sqlstate', '') !~ '^(PT401|PT400|22023|42501)$'
$$, 'authenticated without claims: RPCs ask who it is');
select tests.as_owner();

-- A service key: no tenant's RPC without a person; with its own RPCs what it names is looked up, not trusted.
select tests.as_service('b');
select is(switchboard.user_id(), null, 'a service key is no person, whatever organization it names');
select is(switchboard.organization_ids(), '{}', 'and a member of nothing');
select is_empty($$
    select name, tests.refusal(call) from rpcs
    where has_function_privilege('service_role', oid, 'execute') and has_function_privilege('authenticated', oid, 'execute')
        and coalesce(tests.refusal(call) ->> 'sqlstate', '') !~ '^(PT4|22023|42501)'
        -- An export may be of everything.
        and name !~ '^(whoami|get_my_org_id|is_super_admin|create_export)\('
$$, 'service_role with a header: the RPCs that it shares with members still ask for what they need');
select is_empty($$
    select has_function_privilege('service_role', oid, 'execute'), name, tests.refusal(call) from rpcs
    where not has_function_privilege('service_role', oid, 'execute') and tests.refusal(call) ->> 'sqlstate' <> '42501'
$$, 'and the others it cannot call');

-- A person's token with the service role in it is neither.
select tests.as_owner();
select set_config('request.jwt.claims', jsonb_build_object('sub', tests.id('a.owner'), 'role', 'authenticated')::text, true);
select set_config('role', 'service_role', true);
select is(switchboard.user_id(), null, 'claims of a person under the service role name nobody');
select tests.as_owner();
select set_config('request.jwt.claims', jsonb_build_object('sub', tests.id('a.owner'), 'role', 'service_role')::text, true);
select set_config('role', 'authenticated', true);
select is(switchboard.user_id(), null, 'nor do claims of the service role under a person''s');

select * from finish();
rollback;
