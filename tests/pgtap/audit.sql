-- The audit log: every change of an audited table, by whom, with what changed and without a secret; and no
-- way to change it afterwards.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

-- The newest row of tenant a, as text without ids and times.
create function tests.last(of_table text) returns jsonb
    language sql
as $$
    select jsonb_build_object('actor', l.actor_id, 'kind', l.actor_kind, 'action', l.action, 'row', l.row_id,
        'before', l.before, 'after', l.after)
    from public.audit_log l
    where l.organization_id = tests.id('a') and l.table_name = of_table
    order by l.created_at desc limit 1
$$;

-- Who and what.
select tests.as_user('a.manager');
update public.agents set name = 'Renamed', greeting = null where id = tests.id('a.agent');
select tests.as_owner();
select is(tests.last('agents'), jsonb_build_object('actor', tests.id('a.manager'), 'kind', 'user', 'action', 'update',
    'row', tests.id('a.agent'), 'before', '{"name": "Agent of a", "greeting": "Hello"}'::jsonb,
    'after', '{"name": "Renamed", "greeting": null}'::jsonb), 'an update: who, and the changed columns only');
select tests.as_user('a.manager');
insert into public.agents (name) values ('Third');
select tests.as_owner();
select is(tests.last('agents') #>> '{after,name}', 'Third', 'an insert: the row as it became');
select is(tests.last('agents') -> 'before', 'null', 'and nothing before it');
select tests.as_user('a.owner');
delete from public.agents where name = 'Third';
select tests.as_owner();
select is((tests.last('agents') ->> 'action') || (tests.last('agents') #>> '{before,name}'), 'deleteThird', 'a delete: the row as it was');
select tests.as_service();
select lives_ok(format($$ select public.change_plan(%L, 'pro') $$, tests.id('a')), 'the server changes the plan');
select tests.as_owner();
select is(tests.last('organizations') - 'row', jsonb_build_object('actor', null, 'kind', 'service', 'action', 'update',
    'before', '{"plan": "enterprise"}'::jsonb, 'after', '{"plan": "professional"}'::jsonb), 'a change by the service key');
select tests.as_service();
insert into public.plan_overrides (organization_id, quota, max_count, reason)
values (tests.id('a'), 'agents', 300, 'deal'), (tests.id('a'), 'members', 300, 'deal');
update public.plan_overrides set max_count = 400 where organization_id = tests.id('a') and quota = 'members';
select tests.as_owner();
select is(tests.last('plan_overrides'), jsonb_build_object('actor', null, 'kind', 'service', 'action', 'update', 'row', 'members',
    'before', '{"max_count": 300}'::jsonb, 'after', '{"max_count": 400}'::jsonb), 'a row without an id is named by its key');
update public.organizations set name = 'By hand' where id = tests.id('a');
select is(tests.last('organizations') ->> 'kind', 'system', 'a change without a request is the system''s');

-- What is no change leaves no row.
create function tests.rows(of_table text) returns bigint
    language sql
    return (select count(*) from public.audit_log l where l.organization_id = tests.id('a') and l.table_name = of_table);
create function tests.added(of_table text, statement text) returns bigint
    language plpgsql
as $$
declare
    before bigint := tests.rows(of_table);
begin
    execute statement;
    return tests.rows(of_table) - before;
end;
$$;
select is(tests.added('agents', 'update public.agents set name = name'), 0::bigint, 'the same value again is no change');
select is(tests.added('datasets', format($$
    insert into public.leads (organization_id, dataset_id, first_name, phone_number)
    select %L, %L, 'Lead', '+4413000' || lpad(n::text, 5, '0') from generate_series(0, 999) n
    $$, tests.id('a'), tests.id('a.dataset'))), 0::bigint, 'counters that move are no change');
select is((select total_leads from public.datasets where id = tests.id('a.dataset')), 1002, 'though they did move');
select is((select count(*)::integer from public.audit_log where table_name in ('leads', 'customers', 'calls')), 0,
    'an import writes no row for each lead');
select is(tests.added('datasets', format($$ update public.datasets set description = 'x' where id = %L $$, tests.id('a.dataset'))),
    1::bigint, 'a change beside the counters is one');
select is(tests.added('prompts', format($$ update public.lessons set title = 'Another title' where organization_id = %L $$, tests.id('a'))),
    0::bigint, 'a draft compiled anew is no change of the prompt');

-- Secrets and size.
select tests.as_user('a.owner');
insert into public.provider_accounts (provider, account_ref, credentials)
values ('telnyx', 'ACsecret', '{"accountSid": "AC1", "authToken": "hunter2-token"}');
select tests.as_owner();
select is(tests.last('provider_accounts') #>> '{after,credentials}', '…changed', 'credentials: that they changed');
update public.provider_accounts set credentials = '{"accountSid": "AC1", "authToken": "hunter3-token"}' where account_ref = 'ACsecret';
select is(tests.last('provider_accounts') #>> '{after,credentials}', '…changed', 'again that they changed');
select is(tests.last('provider_accounts') #> '{before,credentials}', null, 'and not what they were');
update public.organizations set n8n_webhook_url = 'https://n8n.example/webhook/secret-path' where id = tests.id('a');
select is(tests.last('organizations') -> 'after', '{"n8n_webhook_url": "…changed"}', 'a webhook''s address is a secret too');
select tests.as_user('a.owner');
select lives_ok($$ select public.invite_member('new@a.example', 'viewer') $$, 'somebody is invited');
select tests.as_owner();
select is(tests.last('invitations') #>> '{after,token_hash}', '…changed', 'the hash of an invitation''s token does not appear');
delete from public.provider_accounts where account_ref = 'ACsecret';
select is(tests.last('provider_accounts') #> '{before,credentials}', null, 'nor do credentials when their row goes');
select is_empty($$
    select before, after from public.audit_log
    where concat(before, after) ~ 'hunter|A256GCM|secret-path|\\x[0-9a-f]{64}'
$$, 'no secret, sealed or hashed, is anywhere in the log');
update public.agents set personality = repeat('é', 2000) where id = tests.id('a.agent');
select is(tests.last('agents') -> 'after', '{"personality": "…4002 bytes"}', 'a long value is logged by its size');
update public.agents set personality = repeat('e', 2000) where id = tests.id('a.agent');
select is(length(tests.last('agents') #>> '{after,personality}'), 2000, 'a value of 2 kB whole');
select is((tests.last('prompt_versions') -> 'after') ?| array['sha256', 'compiled_prompt', 'structure'], true, 'a version is logged');
select is((tests.last('prompt_versions') -> 'after') ?| array['compiled_prompt', 'structure', 'spans'], false, 'by its hash, without its text');

-- It does not change: for clients, the service key, the owner.
select tests.as_user('a.owner');
select is(tests.attempt(s.statement), '42501', 'owner of the organization: ' || s.statement) from (values
    ('update public.audit_log set action = ''x'''), ('delete from public.audit_log'), ('truncate public.audit_log'),
    ('insert into public.audit_log (organization_id, actor_kind, action, table_name) values (switchboard.current_organization_id(), ''user'', ''x'', ''agents'')')
) as s (statement);
select isnt(tests.attempt('select 1 from public.audit_log'), '0 rows', 'who may read it');
select tests.as_user('a.manager');
select is(tests.attempt('select 1 from public.audit_log'), '0 rows', 'a manager reads nothing of it');
select tests.as_user('a.owner', 'b');
select is(tests.attempt('select 1 from public.audit_log'), '0 rows', 'nor another tenant''s owner');
select tests.as_service();
select is(tests.attempt(s), '42501', 'service_role: ' || s) from unnest(array[
    'update public.audit_log set action = ''x''', 'delete from public.audit_log', 'truncate public.audit_log',
    'insert into public.audit_log (organization_id, actor_kind, action, table_name) values (tests.id(''a''), ''user'', ''x'', ''agents'')'
]) as s;
select isnt(tests.attempt('select 1 from public.audit_log'), '0 rows', 'which reads it');
select tests.as_owner();
select is(tests.refusal(s) ->> 'message', 'audit_log is append-only', 'the tables'' owner: ' || s) from unnest(array[
    'update public.audit_log set action = ''x''', 'delete from public.audit_log', 'truncate public.audit_log'
]) as s;
select is(tests.refusal('delete from public.audit_log') ->> 'sqlstate', '42501', 'by 42501');

-- prune_audit: the one way, and it says so.
insert into public.audit_log (organization_id, created_at, actor_kind, action, table_name)
select tests.id(t), now() - interval '400 days', 'system', 'insert', 'agents' from unnest(array['a', 'a', 'b']) t;
select is(private.prune_audit(now() - interval '1 year'), 3::bigint, 'rows that are older go');
select is((select jsonb_agg(l.after -> 'rows' order by l.after -> 'rows') from public.audit_log l where l.action = 'prune_audit'), '[1, 2]',
    'each organization can read that they went');
select is(private.prune_audit(now() - interval '1 year'), 0::bigint, 'once');
select is(tests.attempt('delete from public.audit_log'), '42501', 'and the lock is back');
select is(tests.refusal($$ select private.prune_audit(now() + interval '1 day') $$) ->> 'sqlstate', '22023', 'not the future');
select is(tests.refusal($$ select private.prune_audit(null) $$) ->> 'sqlstate', '22023', 'not everything by accident');
select tests.as_service();
select is(tests.attempt('select private.prune_audit(now())'), '42501', 'not with the service key');
select tests.as_owner();

-- add_audit.
select is(tests.refusal($$ select private.add_audit('public.lessons', '{nonsense}') $$) ->> 'message', 'public.lessons has no column nonsense',
    'a secret that does not exist is a mistake');
select is(tests.refusal($$ select private.add_audit('public.lessons', '{}', '{}', '{select}') $$) ->> 'sqlstate', '22023', 'so is another verb');
select lives_ok($$ select private.add_audit('public.lessons', '{}', '{priority}') $$, 'a table is audited by one line');
select is(tests.added('lessons', 'update public.lessons set priority = 7'), 0::bigint, 'but for what is ignored');
select is(tests.added('lessons', 'update public.lessons set priority = 8, title = ''T'''), 1::bigint, 'everything, each row for its own tenant');
select bag_eq($$
    select c.relname::text from pg_trigger t join pg_class c on c.oid = t.tgrelid where t.tgfoid = 'private.write_audit()'::regprocedure
$$, $$ values ('organizations'), ('memberships'), ('invitations'), ('support_sessions'), ('plan_overrides'), ('agents'),
    ('provider_accounts'), ('phone_numbers'), ('campaign_settings'), ('datasets'), ('uploads'), ('prompts'), ('prompt_versions'), ('suppressions'), ('exports'), ('lessons') $$,
    'the audited tables, and the one of this test');


select is(tests.refusal($$ select private.add_audit('public.plans') $$) ->> 'message', 'public.plans has no policy for select that asks for a capability yet',
    'a log that nobody is asked to read is a mistake');
select is(tests.refusal($$ select private.add_audit('public.customers', capability => 'fish.read') $$) ->> 'sqlstate', '22023', 'so is a capability that nobody can hold');
select lives_ok($$ select private.add_audit('public.leads') $$, 'where a member has own rows');
select is((select capability from private.audited_tables where table_name = 'leads'), 'leads.read_all', 'the log, which shows all, asks for read_all');

-- Who reads: audit_log.read, and of each table what its rows ask for.
select set_eq('select table_name, capability from private.audited_tables', $$ values
    ('organizations', 'organization.read'), ('memberships', 'organization.read'), ('plan_overrides', 'organization.read'),
    ('invitations', 'members.write'), ('support_sessions', 'audit_log.read'), ('audit_log', 'audit_log.read'),
    ('agents', 'agents.read'), ('provider_accounts', 'provider_accounts.read'), ('phone_numbers', 'phone_numbers.read'),
    ('campaign_settings', 'datasets.read'), ('datasets', 'datasets.read'), ('uploads', 'uploads.read'),
    ('prompts', 'prompts.read'), ('prompt_versions', 'prompts.read'), ('lessons', 'lessons.read'), ('leads', 'leads.read_all'),
    ('suppressions', 'suppressions.read'), ('exports', 'exports.read'), ('people', 'people.erase') $$,
    'what a reader needs for each table');
create function tests.reads() returns text[]
    language sql
    return (select array_agg(distinct l.table_name order by l.table_name) from public.audit_log l);
grant execute on function tests.reads() to authenticated;
create temporary table logged as select distinct table_name as name from public.audit_log where organization_id = tests.id('a');
grant select on logged to authenticated;
select tests.as_user('a.owner');
select set_eq('select unnest(tests.reads())', 'select name from logged', 'all of it');
select tests.as_owner();
update public.memberships set permissions = '{"audit_log.read": true}' where user_id = tests.id('a.sales_rep');
update public.memberships set permissions = '{"provider_accounts.read": false, "members.write": false, "agents.read": false}' where user_id = tests.id('a.admin');
select tests.as_user('a.sales_rep');
select set_eq('select unnest(tests.reads())', $$ select name from logged where name not in ('provider_accounts', 'invitations', 'leads', 'exports') $$,
    'who is given audit_log.read alone sees no provider account, invited address or other''s lead in it');
select tests.as_user('a.admin');
select set_eq('select unnest(tests.reads())', $$ select name from logged where name not in ('provider_accounts', 'invitations', 'agents') $$,
    'nor does an admin see there what was taken');
select tests.as_owner();
select tests.make_user('p.admin');
insert into private.platform_admins (user_id) values (tests.id('p.admin'));
select tests.as_user('p.admin', 'a', '{"aal": "aal2"}');
select public.open_support_session(tests.id('a'), 'Ticket 1: who changed the agent', '{audit_log.read,agents.read}');
select set_eq('select unnest(tests.reads())', $$ values ('agents'), ('audit_log'), ('support_sessions') $$,
    'a support session sees of the log what it may see itself');
select public.close_support_session(id) from public.my_support_sessions() where closed_at is null;
select tests.as_user('b.owner');
select is(tests.attempt(format('select 1 from public.audit_log where organization_id = %L', tests.id('a'))), '0 rows', 'another tenant''s owner nothing');
select tests.as_owner();

-- The organization goes, its log stays.
delete from public.organizations where id = tests.id('b');
select is((select count(*)::integer from public.audit_log where organization_id = tests.id('b') and table_name = 'organizations' and action = 'delete'), 1,
    'the log outlives its organization, and says that it went');

select * from finish();
rollback;
