-- What the service key may do: a backend works on every tenant's ordinary tables, bound by triggers, checks and foreign
-- keys as everybody; what nobody has, it has not either. By tests/tenant_tables.sql, so a new table is asked for too.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

-- What is not granted: history, and opt-outs that end.
create temporary table closed (name text, verbs text[]);
insert into closed values
    ('prompt_versions', '{insert,update,delete}'), ('audit_log', '{insert,update,delete}'), ('support_sessions', '{insert,update,delete}'),
    ('suppressions', '{update,delete}'), ('lead_events', '{insert,update,delete}'), ('exports', '{insert,update}');
create temporary table tries as
    select t.name, v.verb, tests.statement(v.verb, t.name, 'a') as statement, coalesce(v.verb = any (c.verbs), false) as closed
    from tests.tenant_tables t
    cross join unnest(array['select', 'insert', 'update', 'delete']) as v (verb)
    left join closed c using (name);
-- A table's own rules are for this role too.
update tries set statement = replace(statement, 'values (' || quote_literal(tests.id('a')), 'values (' || quote_literal(tests.id('new organization')))
    where name = 'organizations' and verb = 'insert';
update tries set statement = statement || format(' and user_id <> %L', tests.id('a.owner')) where name = 'memberships' and verb in ('update', 'delete');
-- A member is a user, an invitation has a token.
update tries set statement = format($$ insert into public.memberships (organization_id, user_id, role) values (%L, %L, 'viewer') $$, tests.id('a'), tests.id('b.owner'))
    where name = 'memberships' and verb = 'insert';
update tries set statement = format($$ insert into public.invitations (organization_id, email, role, token_hash, invited_by, expires_at)
        values (%L, 'new@a.example', 'viewer', sha256('new'), %L, now() + interval '1 day') $$, tests.id('a'), tests.id('a.owner'))
    where name = 'invitations' and verb = 'insert';
grant select on tries to service_role;
select tests.as_service();
select matches(tests.attempt(statement), case
        when closed then '^42501$'
        when (name, verb) = ('prompts', 'delete') then '^23503$'
        else '^[1-9][0-9]* rows?$'
    end, format('without a header: %s %s', verb, name))
    from tries order by name, verb;
select tests.as_service('b');
select is_empty($$ select name, verb from tries where not closed and (name, verb) <> ('prompts', 'delete') and tests.attempt(statement) !~ '^[1-9]' $$,
    'and whichever organization the header names: the row says whose it is');

-- A backend at work, without a header: each insert names the organization.
select tests.as_service();
insert into public.datasets (organization_id, id, name, campaign_status) values (tests.id('a'), tests.id('a.of the server'), 'Of the server', 'active');
insert into public.leads (organization_id, dataset_id, first_name, phone_number, m1_sent_at)
    values (tests.id('a'), tests.id('a.of the server'), 'Lead', '07700 900 061', now());
insert into public.agents (organization_id, name, greeting) values (tests.id('a'), 'Of the server', 'Hello');
select results_eq($$ select phone_number from public.leads where dataset_id = tests.id('a.of the server') $$, array['+447700900061'], 'a lead of the server is normalized');
select results_eq($$ select total_leads from public.datasets where id = tests.id('a.of the server') $$, array[1], 'and counted');
insert into public.agents (organization_id, id, name, created_at) values (tests.id('a'), tests.id('a.agent'), 'Upserted', now())
    on conflict (organization_id, id) do update set organization_id = excluded.organization_id, id = excluded.id, name = excluded.name;
select is((select name from public.agents where id = tests.id('a.agent')), 'Upserted', 'an upsert works, as supabase-js writes it');
insert into public.provider_accounts (organization_id, id, provider, account_ref, credentials)
    values (tests.id('a'), tests.id('a.new account'), 'twilio', 'ACserver', '{"accountSid": "AC1", "authToken": "in clear"}');
select ok((select switchboard.is_sealed(credentials) and credentials::text !~ 'in clear' from public.provider_accounts where id = tests.id('a.new account')),
    'credentials are sealed before they are stored');
update public.calls set transcript = 'Hello.', outcome = 'booked' where id = tests.id('a.call');
select is((select transcript from public.calls where id = tests.id('a.call')), 'Hello.', 'a call gets its transcript');
select is((select actor_kind from public.audit_log where table_name = 'agents' order by created_at desc limit 1), 'service', 'the log says that it was the service key');

-- No organization named: a clear answer, the same for each table.
select is(tests.refusal(statement) - '{context,detail,hint}'::text[], '{"sqlstate": "PT400", "message": "organization_required"}', statement)
    from (values
        ($$ insert into public.agents (name) values ('New') $$),
        ($$ insert into public.datasets (name) values ('New') $$),
        ($$ insert into public.leads (dataset_id, first_name, phone_number) values (tests.id('a.dataset'), 'New', '07700 900 062') $$),
        ($$ insert into public.customers (phone_number) values ('07700 900 062') $$),
        ($$ insert into public.suppressions (phone_number) values ('07700 900 062') $$),
        ($$ insert into public.prompts (name) values ('New') $$),
        ($$ insert into public.prompt_templates (name, description, category, template_structure) values ('New', 'x', 'x', '{}') $$)
    ) as s (statement);
select is(tests.refusal($$ insert into public.agents (name) values ('New') $$) ->> 'hint', 'Write organization_id into the row, or send the header x-organization-id.', 'which says what to do');
select tests.as_service('a');
insert into public.agents (name) values ('By header');
select is((select organization_id from public.agents where name = 'By header'), tests.id('a'), 'the header names one as well');

-- What binds everybody.
select tests.as_owner();
insert into public.prompt_templates (organization_id, name, description, category, template_structure) values (null, 'Of the system', 'x', 'x', '{}');
select tests.as_service();
select is(tests.attempt(s.statement), s.expected, s.title) from (values
    ('a row does not move to another tenant', $$ update public.agents set organization_id = tests.id('b') where organization_id = tests.id('a') $$, '42501'),
    ('nor change its id', $$ update public.leads set id = gen_random_uuid() where organization_id = tests.id('a') $$, '42501'),
    ('nor when it was made', $$ update public.agents set created_at = '2000-01-01' where organization_id = tests.id('a') $$, '42501'),
    ('nor point at another tenant''s row', $$ update public.leads set dataset_id = tests.id('b.dataset') where organization_id = tests.id('a') $$, '23503'),
    ('a number is a number', $$ update public.leads set phone_number = 'nonsense' where organization_id = tests.id('a') $$, '22023'),
    ('who opted out stays out', format($$ update public.leads set contact_status = case contact_status when 'REMOVED' then 'READY' else 'REMOVED' end where id = %L $$, tests.id('a.lead')), '1 row'),
    ('the last owner stays', $$ delete from public.memberships where user_id = tests.id('a.owner') $$, 'PT409'),
    ('also when demoted', $$ update public.memberships set role = 'viewer' where user_id = tests.id('a.owner') $$, 'PT409'),
    ('a member who exists', $$ insert into public.memberships (organization_id, user_id, role) values (tests.id('a'), tests.id('b.owner'), 'manager') $$, '1 row'),
    ('with a role that exists', $$ insert into public.memberships (organization_id, user_id, role) values (tests.id('a'), tests.id('b.owner'), 'emperor') $$, '23514'),
    ('and permissions that do', $$ update public.memberships set permissions = '{"leads.fly": 1}' where user_id = tests.id('a.viewer') $$, '22023'),
    ('a system template is not changed', $$ update public.prompt_templates set name = 'Mine' where organization_id is null $$, '42501'),
    ('nor deleted', $$ delete from public.prompt_templates where organization_id is null $$, '42501'),
    ('nor is one adopted', $$ update public.prompt_templates set organization_id = tests.id('a') where organization_id is null $$, '42501'),
    ('nor made of an own one', $$ update public.prompt_templates set organization_id = null where organization_id = tests.id('a') $$, '42501')
) as s (title, statement, expected);
update public.leads set contact_status = 'REMOVED' where id = tests.id('a.lead');
select is(tests.attempt($$ update public.leads set contact_status = 'READY' where id = tests.id('a.lead') $$), '23514', 'an opt-out binds it');

-- What nobody has: counters, what the compiler writes, derived columns, history, the platform's own.
select is(tests.attempt(s), '42501', s) from unnest(array[
    'update public.datasets set total_leads = 9', 'update public.datasets set active_leads = 9', 'update public.datasets set hot_leads = 9',
    'update public.datasets set converted_leads = 9',
    $$ insert into public.datasets (organization_id, name, total_leads) values (tests.id('a'), 'Nine', 9) $$,
    'update public.leads set total_messages = 9', 'update public.prompts set compiled_prompt = ''x''', 'update public.prompts set lessons_count = 9',
    'update public.prompts set manual_edits_count = 9', 'update public.calls set assigned_to = null', 'update public.calls set dataset_id = null',
    'update public.prompt_versions set change_reason = ''x''', 'delete from public.prompt_versions', 'delete from public.audit_log',
    'update public.audit_log set action = ''x''', 'insert into public.audit_log (organization_id, actor_kind, action, table_name) values (tests.id(''a''), ''user'', ''insert'', ''agents'')',
    'update public.suppressions set lifted_at = now()', 'delete from public.suppressions', 'delete from public.support_sessions',
    'update public.profiles set email = ''x@example.net''', 'delete from public.profiles',
    'select 1 from private.tenant_keys', 'select 1 from private.root_keys', 'select 1 from private.unseal_audit', 'select 1 from private.platform_admins',
    'select 1 from private.capabilities', 'truncate public.leads', 'create table public.mine (id uuid)', 'alter table public.leads disable trigger all',
    'set session_replication_role = replica'
]) as s;
select is(tests.attempt('select credentials from public.provider_accounts where credentials::text ~ ''token of'''), '0 rows', 'credentials in clear are in no row');

select * from finish();
rollback;
