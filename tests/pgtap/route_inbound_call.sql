-- route_inbound_call: one decision for every situation, the same one however often the provider asks.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
insert into public.agents (organization_id, id, name, greeting) values (tests.id('a'), tests.id('a.second'), 'Second agent', 'Good day');

create sequence tests.sids;
grant usage on sequence tests.sids to service_role;
-- The decision for a new call, as the server asks for it.
create function tests.route(called text, caller text default '+447700900500', sid text default null) returns jsonb
    language plpgsql
as $$
declare
    result jsonb;
begin
    perform tests.as_service();
    result := public.route_inbound_call(called, caller, 'twilio', coalesce(sid, 'CA of the test ' || nextval('tests.sids')));
    perform tests.as_owner();
    return result;
end;
$$;
-- decision/reason/agent's name.
create function tests.short(decision jsonb) returns text
    language sql
    return concat_ws('/', decision ->> 'decision', decision ->> 'reason', decision #>> '{agent,name}');

-- Answered.
create temporary table d as select tests.route('+443069990801') as d;
select is(tests.short((select d from d)), 'answer/agent/Agent of a', 'the number''s own agent answers');
select is((select d ->> 'organization_id' from d), tests.id('a')::text, 'for its organization');
select is((select d -> 'prompt' from d), jsonb_build_object('version_id', tests.id('a.version'), 'compiled', 'Compiled of a'), 'with the published prompt');
select is((select d #>> '{agent,greeting}' from d), 'Hello', 'and what the agent says first');
select is((select (d -> 'variables') - 'local_date' from d), '{"org": {"name": "Tenant a"}, "agent": {"name": "Agent of a"}}', 'and the variables of the prompt');
select is((select d #>> '{variables,local_date}' from d), ((now() at time zone 'Europe/London')::date)::text, 'with the date where the organization is');
select is((select d #>> '{customer,phone_number}' from d), '+447700900500', 'a caller becomes a customer');
select is((select d -> 'lead' from d), 'null', 'who is no lead');
select is(
    (select (c.direction, c.caller_number, c.caller_input, c.called_number, c.provider, c.status, c.agent_id, c.prompt_version_id, c.phone_number_id, c.customer_id)::text
    from public.calls c where c.id = (select (d ->> 'call_id')::uuid from d)),
    format('(inbound,+447700900500,+447700900500,+443069990801,twilio,ringing,%s,%s,%s,%s)', tests.id('a.agent'), tests.id('a.version'),
        tests.id('a.number'), (select d #>> '{customer,id}' from d)), 'the call is stored');
select ok(not (select c.decision from public.calls c where c.id = (select (d ->> 'call_id')::uuid from d)) @? '$.prompt.compiled',
    'without a copy of the prompt''s text');
-- What is stored says who by ids: a sales_rep reads the calls of the own leads, and no customers.
update public.customers set name = 'Cora Caller', email = 'cora@caller.example' where organization_id = tests.id('a') and phone_number = '+447700900003';
update public.leads set phone_number = '07700 900003', last_name = 'Of the rep', email = 'lead@caller.example', postcode = 'SW1A 1AA' where id = tests.id('a.lead.rep');
create temporary table known as select tests.route('+443069990801', '+447700900003', 'CA of somebody known') as d;
select is((select array[d #>> '{customer,name}', d #>> '{customer,email}', d #>> '{lead,last_name}', d #>> '{variables,lead,email}', d #>> '{variables,lead,postcode}'] from known),
    array['Cora Caller', 'cora@caller.example', 'Of the rep', 'lead@caller.example', 'SW1A 1AA'], 'server code is told who rings');
select is(tests.route('+443069990801', '+447700900003', 'CA of somebody known'), (select d from known), 'again the same');
select tests.as_user('a.sales_rep');
select is(
    (select c.decision from public.calls c where c.provider_sid = 'CA of somebody known'),
    jsonb_build_object('decision', 'answer', 'reason', 'agent', 'organization_id', tests.id('a'), 'agent', jsonb_build_object('id', tests.id('a.agent')),
        'prompt', jsonb_build_object('version_id', tests.id('a.version')), 'customer', jsonb_build_object('id', tests.id('a.customer')),
        'lead', jsonb_build_object('id', tests.id('a.lead.rep')), 'call_id', (select c.id from public.calls c where c.provider_sid = 'CA of somebody known')),
    'a sales_rep who reads the call reads ids');
select is((select count(*) from public.customers), 0::bigint, 'of a customer that is closed to them');
select tests.as_owner();
update public.customers set name = 'Cora Newname' where id = tests.id('a.customer');
delete from public.leads where id = tests.id('a.lead.rep');
select is((select array[d #>> '{customer,name}', d ->> 'lead', d ->> 'call_id'] from (select tests.route('+443069990801', '+447700900003', 'CA of somebody known') as d) as r),
    array['Cora Newname', null, (select d ->> 'call_id' from known)], 'a repeated webhook finds the same call, with what is there by then');
select is(tests.route('+443069990801') #>> '{customer,id}', (select d #>> '{customer,id}' from d), 'the same caller is the same customer');

-- Leads: the newest that is not archived, of this organization only.
select is(tests.route('+443069990801', '+447700900001') #>> '{lead,id}', tests.id('a.lead')::text, 'a lead is recognized');
select is(tests.route('+443069990801', '+447700900001') #> '{variables,lead}', '{"first_name": "Lead 001"}', 'and fills the variables');
select is(tests.route('+443069990802', '+447700900001') #>> '{lead,id}', tests.id('b.lead')::text, 'by each organization for itself');
update public.leads set contact_status = 'ARCHIVED' where id = tests.id('a.lead');
select is(tests.route('+443069990801', '+447700900001') -> 'lead', 'null', 'an archived lead is not attached');
insert into public.leads (organization_id, dataset_id, first_name, phone_number) values (tests.id('b'), tests.id('b.dataset'), 'Only b', '07700 900501');
select is(tests.route('+443069990801', '+447700900501') -> 'lead', 'null', 'another organization''s lead never');

-- The spellings of a number that providers use.
select is(tests.short(tests.route(called)), 'answer/agent/Agent of a', 'called as ' || called)
    from unnest(array['+443069990801', ' +443069990801 ', '+44 3069 990801', '443069990801', '03069990801', '03069 990801', '0306 999 0801',
        'sip:+443069990801@sip.example.net', 'sip:+443069990801@sip.example.net;user=phone', 'SIP:443069990801@192.0.2.1:5060',
        'sips:03069990801@sip.example.net', 'tel:+443069990801', 'tel:+44-3069-990801']) as called;
select is(tests.route('+443069990801', caller) #>> '{customer,phone_number}', '+447700900502', 'calling as ' || caller)
    from unnest(array['+447700900502', '447700900502', '07700900502', 'sip:+447700900502@sip.example.net', 'tel:+447700900502', '07700 900502']) as caller;
-- In Germany each of these is a landline too.
update public.organizations set default_country = 'DE' where id = tests.id('a');
select is(tests.route('+443069990801', caller) #>> '{customer,phone_number}', '+' || caller, 'digits with their country are no national number: ' || caller)
    from unnest(array['4915123456789', '447911123456', '436641234567']) as caller;
update public.organizations set default_country = 'GB' where id = tests.id('a');
select is((tests.route('+443069990801', caller) -> 'customer')::text || tests.short(tests.route('+443069990801', caller)),
    'nullanswer/agent/Agent of a', format('a caller who withholds the number is answered, and no customer: %L', caller))
    from unnest(array[null, '', ' ', 'anonymous', 'Anonymous', 'restricted', 'unavailable', 'unknown', 'private', '+266696687', '266696687',
        'sip:anonymous@anonymous.invalid', 'sip:alice@example.net', '12', '+']) as caller;
select is((tests.route('+443069990801', caller) -> 'customer')::text || tests.short(tests.route('+443069990801', caller)),
    'nullanswer/agent/Agent of a', format('a service that rings under a short number is answered, and no customer: %L', caller))
    from unnest(array['+49110', '+44118118', '49110', '118118', '+15551234']) as caller;
select is(tests.route('+443069990801', '+449061234567') #>> '{customer,phone_number}', '+449061234567', 'a premium-rate number is a customer''s like any other');
select is(tests.route('+443069990801', 'Anonymous') #>> '{call_id}' is not null, true, 'the call is stored all the same');

-- Not answered, by the tables.
update public.phone_numbers set agent_id = null where id = tests.id('a.number');
select is(tests.short(tests.route('+443069990801')), 'answer/default_agent/Agent of a', 'a number without an agent: the default agent');
update public.phone_numbers set agent_id = tests.id('a.second') where id = tests.id('a.number');
select is(tests.short(tests.route('+443069990801')), 'answer/agent/Second agent', 'another agent');
select is(tests.route('+443069990801') -> 'prompt', 'null', 'without a published prompt');
update public.agents set is_active = false where id = tests.id('a.second');
select is(tests.short(tests.route('+443069990801')), 'answer/default_agent/Agent of a', 'an inactive agent: the default agent');
update public.agents set is_active = false where id = tests.id('a.agent');
select is(tests.short(tests.route('+443069990801')), 'notice/no_agent', 'no active agent: a notice');
update public.agents set is_active = true where organization_id = tests.id('a');
update public.phone_numbers set status = 'inactive' where id = tests.id('a.number');
select is(tests.short(tests.route('+443069990801')), 'notice/number_inactive', 'a number that is switched off');
update public.phone_numbers set status = 'error' where id = tests.id('a.number');
select is(tests.short(tests.route('+443069990801')), 'notice/number_error', 'a number in error');
update public.phone_numbers set status = 'active' where id = tests.id('a.number');
update public.organizations set status = 'paused' where id = tests.id('a');
select is(tests.short(tests.route('+443069990801')), 'notice/organization_paused', 'an organization that is paused');
update public.organizations set status = 'cancelled' where id = tests.id('a');
create temporary table n as select tests.route('+443069990801', '+447700900503') as d;
select is(tests.short((select d from n)), 'notice/organization_cancelled', 'or cancelled');
select is((select (d -> 'agent', d -> 'prompt', d -> 'customer', d -> 'lead')::text from n), '(null,null,null,null)', 'a notice tells nothing of the tenant');
select is((select status from public.calls where id = (select (d ->> 'call_id')::uuid from n)), 'rejected', 'and is stored as a rejected call');
select is_empty($$ select from public.customers where phone_number = '+447700900503' $$, 'without a customer');
update public.organizations set status = 'active' where id = tests.id('a');

-- Unknown numbers: rejected, nothing stored, nobody touched.
create temporary table before as select (select count(*) from public.calls) as calls, (select count(*) from public.customers) as customers;
select is(tests.route(called), jsonb_build_object('decision', 'reject', 'reason', 'unknown_number', 'organization_id', null, 'agent', null, 'prompt', null,
        'customer', null, 'lead', null, 'call_id', null, 'variables', '{}'::jsonb), format('unknown: %L', called))
    from unnest(array['+443069990899', '', null, 'anonymous', 'sip:nobody@example.net', '12', repeat('9', 5000), '''; drop table calls; --', '+44306999080', '990801']) as called;
select is((select (count(*), (select count(*) from public.customers))::text from public.calls), (select (calls, customers)::text from before), 'nothing was stored');

-- A national form that could be two tenants' number is nobody's.
update public.organizations set default_country = 'US' where id = tests.id('b');
insert into public.phone_numbers (organization_id, provider, phone_number) values (tests.id('b'), 'twilio', '+12025550143'), (tests.id('a'), 'twilio', '+442025550143');
select is(tests.short(tests.route('2025550143')), 'reject/unknown_number', 'a guess between two countries is not made');
select is(tests.short(tests.route('+12025550143')), 'answer/default_agent/Agent of b', 'the full number is clear');

-- Asked again: the same answer, whatever has changed since.
create temporary table first as select tests.route('+443069990801', '+447700900504', 'CA again') as d;
update public.phone_numbers set agent_id = tests.id('a.agent') where id = tests.id('a.number');
update public.organizations set status = 'paused' where id = tests.id('a');
select is(tests.route('+443069990801', '+447700900504', 'CA again'), (select d from first), 'the same call gets the same answer');
select is(tests.route('sip:443069990801@sip.example.net', 'anonymous', 'CA again'), (select d from first), 'even if the rest of the request is spelled differently');
select is((select count(*)::integer from public.calls where provider_sid = 'CA again'), 1, 'and is stored once');
update public.organizations set status = 'active' where id = tests.id('a');
create temporary table with_prompt as select tests.route('+443069990801', '+447700900504', 'CA with prompt') as d;
select is(tests.route('+443069990801', '+447700900504', 'CA with prompt'), (select d from with_prompt), 'the prompt''s text included');
select is(tests.short(tests.route('+443069990802', '+447700900504', 'CA again')), 'answer/agent/Agent of b', 'the same id at another organization''s number is another call');
select is(tests.route('+443069990899', '', 'CA again') ->> 'reason', 'unknown_number', 'and at nobody''s number none');
grant select on first to service_role;
create temporary table every_provider as select unnest(private.providers()) as name;
grant select on every_provider to service_role;
select tests.as_service();
select is(tests.attempt(format($$ select public.route_inbound_call('+443069990801', '', %L, 'CA of a provider') $$, name)), '1 row',
    'calls come from ' || name) from every_provider;
select isnt(public.route_inbound_call('+443069990801', '+447700900504', 'telnyx', 'CA again') ->> 'call_id', (select d ->> 'call_id' from first),
    'the same id from another provider is another call');

-- Only what identifies the call can be wrong.
select is(tests.refusal(format('select public.route_inbound_call(''+443069990801'', '''', %L, %L)', provider, sid)) ->> 'sqlstate', '22023',
    format('refused: provider %L, provider_sid %L', provider, left(sid, 10)))
    from (values (null, 'CA1'), ('', 'CA1'), ('acme', 'CA1'), ('Twilio', 'CA1'), ('twilio', null), ('twilio', ''), ('twilio', '  '), ('twilio', repeat('x', 201)))
        as wrong (provider, sid);

-- Who.
select tests.as_user('a.owner');
select is(tests.attempt($$ select public.route_inbound_call('+443069990801', '', 'twilio', 'CA x') $$), '42501', 'a tenant''s owner does not route calls');
select is(tests.attempt($$ select 1 from public.calls where provider_sid = 'CA again' $$), '2 rows', 'but reads them');
select tests.as_user('b.owner');
select is((select array_agg(distinct organization_id) from public.calls where provider_sid = 'CA again'), array[tests.id('b')], 'each tenant the own ones');
select tests.as_anon();
select is(tests.attempt($$ select public.route_inbound_call('+443069990801', '', 'twilio', 'CA x') $$), '42501', 'nor does anon route');

select * from finish();
rollback;
