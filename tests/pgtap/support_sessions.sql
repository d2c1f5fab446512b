-- Support: a platform administrator reads one organization for a while, with a reason that its owner can
-- read; without a session, after it, without a second factor, or to write, there is nothing.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
select tests.make_user('p.admin'), tests.make_user('p.other');
insert into private.platform_admins (user_id) values (tests.id('p.admin')), (tests.id('p.other'));

-- Without a session: not a row, second factor or not.
select tests.as_user('p.admin', 'b', '{"aal": "aal2"}');
select is(tests.attempt(format('select 1 from public.%I', name)), '0 rows', 'without a session no row of ' || name)
    from tests.tenant_tables where name not in ('provider_accounts', 'invitations') and has_table_privilege('authenticated', 'public.' || name, 'select')
    order by name;
select is(tests.refusal('select public.usage()') ->> 'sqlstate', 'PT403', 'and no RPC');

-- Opening: by a platform administrator with a second factor only, and the same answer for all others.
select tests.as_owner();
create function tests.opened(organization uuid, reason text default 'Ticket 1: calls are not answered', capabilities text default 'null', minutes text default '30') returns text
    language sql stable
    return format('select public.open_support_session(%L, %L, %s, %s)', organization, reason, capabilities, minutes);
grant execute on function tests.opened(uuid, text, text, text) to authenticated, service_role, anon;
select tests.as_user('p.admin', null, '{"aal": "aal1"}');
select is(tests.refusal(tests.opened(tests.id('b'))) ->> 'sqlstate', 'PT403', 'not without a second factor');
create temporary table refused as select tests.refusal(tests.opened(tests.id('b'))) - 'context' as r;
grant select on refused to authenticated;
select tests.as_user('a.owner', 'a', '{"aal": "aal2"}');
select is(tests.refusal(tests.opened(tests.id('b'))) - 'context', (select r from refused), 'not by an owner of an organization, in the same words');
select is(tests.refusal(tests.opened(gen_random_uuid())) - 'context', (select r from refused), 'nor is said which organization exists');
select is(tests.refusal(tests.opened(tests.id('b'), 'x')) - 'context', (select r from refused), 'or what would be a reason');
select tests.as_anon();
select is(tests.attempt(tests.opened(tests.id('b'))), '42501', 'not by anon');
select tests.as_service();
select is(tests.attempt(tests.opened(tests.id('b'))), '42501', 'not with the service key');
select tests.as_user('p.admin', null, '{"aal": "aal2"}');
select is(tests.attempt(tests.opened(tests.id('b'))), '1 row', 'but by a platform administrator with one');
select is(tests.refusal(s.statement) ->> 'sqlstate', s.expected, s.title) from (values
    ('an organization that is none', tests.opened(gen_random_uuid()), 'PT404'),
    ('a reason that says nothing', tests.opened(tests.id('b'), '         x'), '22023'),
    ('no reason', 'select public.open_support_session(' || quote_literal(tests.id('b')) || ', null)', '22023'),
    ('a reason that tells a story', tests.opened(tests.id('b'), repeat('x', 501)), '22023'),
    ('a capability that writes', tests.opened(tests.id('b'), 'Ticket 1: reading', $$'{leads.read,leads.write}'$$), '22023'),
    ('a capability that is none', tests.opened(tests.id('b'), 'Ticket 1: reading', $$'{cats.read}'$$), '22023'),
    ('no capability', tests.opened(tests.id('b'), 'Ticket 1: reading', $$'{}'$$), '22023'),
    ('an empty one', tests.opened(tests.id('b'), 'Ticket 1: reading', $$'{leads.read,null}'$$), '22023'),
    ('no time', tests.opened(tests.id('b'), 'Ticket 1: reading', 'null', '0'), '22023'),
    ('more than an hour', tests.opened(tests.id('b'), 'Ticket 1: reading', 'null', '61'), '22023')
) as s (title, statement, expected);

-- With one: it reads, and only reads, only there.
create temporary table session as select * from public.open_support_session(tests.id('b'), '  Ticket 2: counters look wrong  ');
select is((select reason from session), 'Ticket 2: counters look wrong', 'the reason is kept');
select is((select expires_at - opened_at from session), interval '30 minutes', 'half an hour unless said');
select is((select capabilities @> '{leads.read,leads.read_all,audit_log.read,calls.read}' and not 'provider_accounts.read' = any (capabilities) from session), true,
    'everything that reads, but for provider accounts');
select is_empty($$ select c from session, unnest(capabilities) c where c !~ '[.]read(_all)?$' $$, 'and nothing that writes');
select is(tests.refusal(tests.opened(tests.id('b'))) ->> 'message', 'support_session_open', 'one at a time');
select tests.as_user('p.admin', 'b', '{"aal": "aal2"}');
select is(public.whoami() ->> 'role', 'support', 'it has the role support');
select is(tests.attempt('select 1 from public.leads'), '2 rows', 'leads are there');
select is(tests.attempt('select 1 from public.agents'), '1 row', 'agents are there');
select is(tests.attempt(format('select 1 from public.leads where organization_id = %L', tests.id('a'))), '0 rows', 'of that organization only');
select is(tests.attempt('select id from public.provider_accounts'), '0 rows', 'provider accounts are not');
select is(tests.attempt(s.statement), s.expected, 'nothing is written: ' || s.statement) from (values
    ($$ update public.leads set notes = 'x' $$, '0 rows'), ($$ delete from public.leads $$, '0 rows'),
    ($$ insert into public.agents (name) values ('x') $$, '42501'), ($$ update public.agents set name = 'x' $$, '0 rows'),
    ($$ delete from public.agents $$, '0 rows'), ($$ insert into public.datasets (name) values ('x') $$, '42501'),
    ($$ select public.add_phone_number('03069 990778', 'twilio') $$, 'PT403'),
    ($$ select public.invite_member('x@x.example', 'viewer') $$, 'PT403')
) as s (statement, expected);
select tests.as_user('p.admin', 'b', '{"aal": "aal1"}');
select is(tests.attempt('select 1 from public.leads'), '0 rows', 'a token without the second factor reads nothing through it');
select tests.as_user('p.other', 'b', '{"aal": "aal2"}');
select is(tests.attempt('select 1 from public.leads'), '0 rows', 'nor does another administrator');
select tests.as_user('p.admin', 'a', '{"aal": "aal2"}');
select is(tests.attempt('select 1 from public.leads'), '0 rows', 'nor this one elsewhere');
select tests.as_user('p.admin', null, '{"aal": "aal2"}');
select is((select jsonb_agg(s.id) from public.my_support_sessions() s), (select jsonb_agg(id) from session), 'it is in the own list');
select tests.as_user('p.other', null, '{"aal": "aal2"}');
select is((select count(*)::integer from public.my_support_sessions()), 0, 'and in nobody else''s');

-- Closing ends it at once.
select tests.as_user('p.other', null, '{"aal": "aal2"}');
select is(tests.refusal(format('select public.close_support_session(%L)', (select id from session))) ->> 'sqlstate', 'PT404', 'nobody else closes it');
select tests.as_user('p.admin', 'b', '{"aal": "aal1"}');
select is((select closed_at is not null from public.close_support_session((select id from session))), true, 'closed, for which no second factor is asked');
select lives_ok($$ select public.close_support_session((select id from session)) $$, 'twice is no mistake');
select tests.as_user('p.admin', 'b', '{"aal": "aal2"}');
select is(tests.attempt('select 1 from public.leads'), '0 rows', 'then nothing is there');
select is(tests.attempt(tests.opened(tests.id('b'))), '1 row', 'another one may be opened');

-- A narrow one, and its end by time.
create temporary table narrow as select * from public.open_support_session(tests.id('b'), 'Ticket 3: agents only', '{agents.read}', 60);
select is(tests.attempt('select 1 from public.agents'), '1 row', 'what the session names is there');
select is(tests.attempt('select 1 from public.leads'), '0 rows', 'the rest is not');
select tests.as_owner();
alter table public.support_sessions disable trigger user;
update public.support_sessions set opened_at = opened_at - interval '2 hours', expires_at = expires_at - interval '2 hours', created_at = created_at - interval '2 hours'
    where admin_id = tests.id('p.admin') and closed_at is null;
alter table public.support_sessions enable trigger user;
select tests.as_user('p.admin', 'b', '{"aal": "aal2"}');
select is(tests.attempt('select 1 from public.agents'), '0 rows', 'after its time nothing is there');
select lives_ok(tests.opened(tests.id('b')), 'and the next may be opened, unclosed as it was');
select tests.as_owner();
select is((select count(*)::integer from public.support_sessions where admin_id = tests.id('p.admin') and closed_at is null), 1, 'the expired one is closed then');
select is((select closed_at = expires_at from public.support_sessions where capabilities = '{agents.read}'), true, 'as of its end');

-- The organization can read who looked, when and why; others cannot.
select tests.as_user('b.owner');
select is((select count(*)::integer from public.audit_log where action = 'open_support_session' and actor_id = tests.id('p.admin') and actor_kind = 'support'), 3, 'each opening is in its audit log');
select is((select after ->> 'reason' from public.audit_log where action = 'open_support_session' and support_session_id = (select id from session)), 'Ticket 2: counters look wrong', 'with the reason');
select is((select count(*)::integer from public.audit_log where action = 'close_support_session' and support_session_id = (select id from session)), 1, 'and the closing');
select is(tests.attempt('select 1 from public.support_sessions where closed_at is null and admin_id = ' || quote_literal(tests.id('p.admin'))), '1 row', 'the sessions themselves too');
select tests.as_user('b.manager');
select is(tests.attempt('select 1 from public.audit_log'), '0 rows', 'a manager does not');
select tests.as_user('a.owner');
select is(tests.attempt('select 1 from public.audit_log where action = ''open_support_session'' and actor_id = ' || quote_literal(tests.id('p.admin'))), '0 rows', 'nor another organization');
select is(tests.attempt(s), '42501', 'nobody writes a session by hand: ' || s) from unnest(array[
    'update public.support_sessions set closed_at = null', 'delete from public.support_sessions',
    'insert into public.support_sessions (organization_id) values (switchboard.current_organization_id())'
]) as s;

select * from finish();
rollback;
