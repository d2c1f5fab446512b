-- Plans: what an organization may have is refused beyond the limit, where the row is made, whoever makes it.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
create function tests.limit(changes text) returns void
    language plpgsql
as $$
begin
    delete from public.plan_overrides where organization_id = tests.id('a');
    insert into public.plan_overrides (organization_id, reason, quota, max_count)
    values (tests.id('a'), 'test', split_part(changes, ' ', 1), split_part(changes, ' ', 2)::integer);
end;
$$;

-- The plans.
select bag_eq($$ select name from public.plans $$, $$ values ('starter'), ('professional'), ('enterprise') $$, 'three plans are shipped');
select is(private.quota_limits(tests.id('a')), '{"members": null, "agents": null, "phone_numbers": null, "datasets": null, "leads": null, "concurrent_calls": null}',
    'the largest knows no limit');
select is(private.quota_limit(gen_random_uuid(), 'agents'), null, 'no organization, no quota, no error');
select is(tests.refusal(format($$ select private.quota_limit(%L, 'cats') $$, tests.id('a'))) ->> 'sqlstate', '22023', 'an object without a quota is a mistake');

-- Each object: as many as allowed, then no more. The refusal names limit and plan.
select tests.limit('agents 2');
select tests.as_user('a.owner');
select is(tests.attempt($$ insert into public.agents (name) values ('Second') $$), '1 row', 'the last agent that is allowed');
select is(tests.refusal($$ insert into public.agents (name) values ('Second'), ('Third') $$) - 'context', jsonb_build_object(
    'sqlstate', 'PT429', 'message', 'quota_exceeded', 'detail', 'The plan enterprise of this organization allows 2 agents.',
    'hint', 'usage() shows limits and use. Remove what is not needed, or move to a larger plan.'), 'one more is refused, with the whole statement');
select is(public.usage() #> '{limits,agents}', '2', 'usage tells the limit');
select is(public.usage() #> '{used,agents}', '1', 'and what is used');
select tests.as_user('b.owner');
select is(tests.attempt($$ insert into public.agents (name) values ('Second'), ('Third') $$), '2 rows', 'another tenant is not limited by it');
-- A stranger learns nothing of whose quota is full.
select is(tests.attempt(format($$ insert into public.agents (organization_id, name) values (%L, 'X'), (%1$L, 'Y') $$, tests.id('a'))), '42501',
    'a row for another tenant is refused as ever, quota or not');
select tests.as_owner();
select is(tests.attempt(format($$ insert into public.agents (organization_id, name) values (%L, 'X'), (%1$L, 'Y') $$, tests.id('a'))), 'PT429',
    'the limit holds for the owner of the tables too');
select tests.limit('phone_numbers 1');
select tests.as_user('a.owner');
select is(tests.refusal($$ select public.add_phone_number('03069 990777', 'twilio') $$) ->> 'message', 'quota_exceeded', 'phone numbers, by their RPC');
select tests.as_owner();
select tests.limit('phone_numbers 2');
select tests.as_user('a.owner');
select is(tests.attempt($$ select public.add_phone_number('03069 990777', 'twilio') $$), '1 row', 'one more when one more is allowed');
select tests.as_owner();
select tests.limit('datasets 1');
select tests.as_user('a.owner');
select is(tests.attempt($$ insert into public.datasets (name) values ('Second') $$), 'PT429', 'datasets');
select tests.as_owner();
select tests.limit('datasets -1');
select tests.as_user('a.owner');
select is(tests.attempt($$ insert into public.datasets (name) values ('Second') $$), '1 row', 'an override of -1 lifts the limit');

-- Leads, by the counters.
select tests.as_owner();
select tests.limit('leads 4');
select tests.as_user('a.owner');
select is(tests.attempt(format($$ insert into public.leads (dataset_id, first_name, phone_number) values (%L, 'L', '07700 900101'), (%1$L, 'L', '07700 900102') $$, tests.id('a.dataset'))),
    '2 rows', 'leads up to the limit');
select is(tests.attempt(format($$ insert into public.leads (dataset_id, first_name, phone_number) values (%L, 'L', '07700 900101'), (%1$L, 'L', '07700 900102'), (%1$L, 'L', '07700 900103') $$, tests.id('a.dataset'))),
    'PT429', 'and not beyond');
select is(tests.refusal(format($$ select public.import_leads(%L, '[{"first_name": "L", "phone_number": "07700 900101"}, {"first_name": "L", "phone_number": "07700 900102"}, {"first_name": "L", "phone_number": "07700 900103"}]', '{"required_fields": []}') $$, tests.id('a.dataset'))) ->> 'message',
    'quota_exceeded', 'nor by an import');
select is(public.usage() #> '{used,leads}', '2', 'use is counted');
select is(tests.attempt(format($$ select public.import_leads(%L, '[{"first_name": "L", "phone_number": "07700 900101"}]', '{"required_fields": []}') $$, tests.id('a.dataset'))),
    '1 row', 'an import that fits');

-- Members: memberships and open invitations.
select tests.as_owner();
select tests.limit('members 7');
select tests.make_user('n.new');
select tests.as_user('a.owner');
select lives_ok($$ select public.invite_member('new@n.example', 'viewer') $$, 'the last place, by invitation');
select is(tests.refusal($$ select public.invite_member('another@n.example', 'viewer') $$) ->> 'message', 'quota_exceeded', 'an open invitation holds it');
select tests.as_owner();
select is(tests.attempt(format($$ insert into public.memberships (organization_id, user_id, role) values (%L, %L, 'viewer') $$, tests.id('a'), tests.id('b.viewer'))), 'PT429',
    'so that nobody else takes it');
select is(tests.attempt(format($$ insert into public.memberships (organization_id, user_id, role) values (%L, %L, 'viewer') $$, tests.id('a'), tests.id('n.new'))), '1 row',
    'but whom it is for');
select tests.as_user('a.owner');
select is(public.usage() #> '{used,members}', '7', 'usage counts the invitation');
select lives_ok($$ select public.revoke_invitation((select id from public.invitations where email = 'new@n.example')) $$, 'it is taken back');
select lives_ok($$ select public.invite_member('another@n.example', 'viewer') $$, 'and the place is free');

-- Calls at a time.
select tests.as_owner();
create function tests.route(sid text) returns jsonb
    language plpgsql
as $$
declare
    result jsonb;
begin
    perform tests.as_service();
    result := public.route_inbound_call('+443069990801', '+447700900500', 'twilio', sid);
    perform tests.as_owner();
    return result;
end;
$$;
select tests.limit('concurrent_calls 2');
delete from public.calls where organization_id = tests.id('a');
create temporary table routed (sid text, answer jsonb);
grant select on routed to authenticated, service_role;
insert into routed select 'CA1', tests.route('CA1');
insert into routed select 'CA2', tests.route('CA2');
insert into routed select 'CA3', tests.route('CA3');
select results_eq($$ select answer ->> 'decision' from routed order by sid $$, array['answer', 'answer', 'busy'], 'the third call finds no line');
select is((select answer ->> 'reason' from routed where sid = 'CA3'), 'concurrency_limit', 'and is told why');
select is((select (answer -> 'agent', answer -> 'customer', answer -> 'prompt')::text from routed where sid = 'CA3'), '(null,null,null)', 'without an agent');
select is((select status from public.calls where provider_sid = 'CA3'), 'busy', 'it is kept');
select is(tests.route('CA3') ->> 'decision', 'busy', 'the same call gets the same answer');
select is(tests.route('CA1') ->> 'decision', 'answer', 'as one that was answered does, all lines taken');
select tests.as_user('a.owner');
select is(public.usage() #> '{used,concurrent_calls}', '2', 'usage shows the lines in use');
select tests.as_service();
select is((select (status, answered_at is not null, ended_at is not null)::text from public.set_call_status(tests.id('a'), (select (answer ->> 'call_id')::uuid from routed where sid = 'CA1'), 'in_progress')),
    '(in_progress,t,f)', 'a call that was answered');
select tests.as_owner();
select is(tests.route('CA4') ->> 'decision', 'busy', 'still holds its line');
select tests.as_service();
select is((select (status, answered_at is not null, ended_at is not null)::text from public.set_call_status(tests.id('a'), (select (answer ->> 'call_id')::uuid from routed where sid = 'CA1'), 'completed')),
    '(completed,t,t)', 'until it is over');
select is((select status from public.set_call_status(tests.id('a'), (select (answer ->> 'call_id')::uuid from routed where sid = 'CA1'), 'in_progress')), 'completed',
    'a late report changes nothing');
select is(tests.refusal(format($$ select public.set_call_status(%L, %L, 'completed') $$, tests.id('b'), (select (answer ->> 'call_id')::uuid from routed where sid = 'CA2'))) ->> 'sqlstate', 'PT404',
    'a call belongs to its organization');
select is(tests.refusal(format($$ select public.set_call_status(%L, %L, 'ringing') $$, tests.id('a'), (select (answer ->> 'call_id')::uuid from routed where sid = 'CA2'))) ->> 'sqlstate', '22023',
    'no call rings again');
select tests.as_owner();
select is(tests.route('CA5') ->> 'decision', 'answer', 'then the next is answered');
select is(tests.route('CA6') ->> 'decision', 'busy', 'and the one after it not');
update public.calls set started_at = now() - interval '4 hours 1 second' where provider_sid = 'CA5';
select is(tests.route('CA7') ->> 'decision', 'answer', 'a call that nobody ended holds its line for four hours');
select is(tests.value($$ select (public.route_inbound_call('+443069990802', '', 'twilio', 'CA b')) ->> 'decision' $$), 'answer', 'another tenant has lines of its own');
select tests.limit('concurrent_calls 0');
select is(tests.route('CA8') ->> 'decision', 'busy', 'a limit of none');

-- Plans change by the service key, and by nobody else.
select tests.as_service();
select is((select plan from public.change_plan(tests.id('a'), 'starter')), 'starter', 'the server changes a plan');
select is((select plan from public.change_plan(tests.id('a'), ' Pro ')), 'professional', 'pro is professional');
select is(tests.refusal(format($$ select public.change_plan(%L, 'platinum') $$, tests.id('a'))) ->> 'sqlstate', '22023', 'to one that there is');
select is(tests.refusal($$ select public.change_plan(gen_random_uuid(), 'starter') $$) ->> 'sqlstate', 'PT404', 'of an organization that there is');
select is(tests.attempt($$ update public.plan_limits set max_count = 3 where plan = 'starter' and quota = 'agents' $$), '1 row', 'the operator edits a plan');
select is(tests.attempt(format($$ insert into public.plan_overrides (organization_id, quota, max_count, reason) values (%L, 'agents', 3, 'deal') $$, tests.id('b'))), '1 row', 'and makes an exception');
select tests.as_user('a.owner');
select is(tests.attempt(s), '42501', 'an owner cannot: ' || s) from unnest(array[
    $$ update public.plan_limits set max_count = 99 $$, $$ insert into public.plan_limits (plan, quota, max_count) values ('enterprise', 'agents', 1) $$, $$ delete from public.plan_limits $$, $$ update public.plans set name = 'x' $$, $$ insert into public.plans (name) values ('mine') $$, $$ delete from public.plans $$,
    $$ select 1 from public.plan_overrides $$, $$ update public.plan_overrides set max_count = -1 $$,
    $$ update public.organizations set plan = 'enterprise' $$, $$ select public.change_plan(gen_random_uuid(), 'enterprise') $$
]) as s;
select is(tests.attempt('select 1 from public.plans'), '3 rows', 'but reads what the plans offer');
select tests.as_anon();
select is(tests.attempt('select 1 from public.plans'), '42501', 'anon does not');
select is(tests.attempt('select public.usage()'), '42501', 'nor asks for usage');
select tests.as_user('a.viewer');
select is(public.usage() ->> 'plan', 'professional', 'every member may see the plan');
select tests.as_user('a.viewer', 'b');
select is(tests.refusal('select public.usage()') ->> 'sqlstate', 'PT403', 'of the own organization');

select * from finish();
rollback;
