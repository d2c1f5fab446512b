-- Platform administrators: the first by the service key, once; others by one who has a second factor; the
-- last stays. No tenant role helps, and no tenant's rows come with it.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_user('p.admin'), tests.make_user('p.second');
delete from private.platform_admins;

-- Nobody makes themselves one.
create temporary table calls as select * from (values
    ('bootstrap', 'select public.bootstrap_platform_admin(tests.id(''a.owner''))'),
    ('grant', 'select public.grant_platform_admin(tests.id(''a.owner''))'),
    ('revoke', 'select public.revoke_platform_admin(tests.id(''p.admin''))')
) as c (name, statement);
grant select on calls to authenticated, anon, service_role;
select tests.as_user('a.owner', 'a', '{"aal": "aal2"}');
select is(tests.attempt(statement), case name when 'bootstrap' then '42501' else 'PT403' end, 'an organization''s owner: ' || name) from calls;
select is(tests.attempt(s), '42501', 'by hand: ' || s) from unnest(array[
    'insert into private.platform_admins (user_id) values (tests.id(''a.owner''))', 'select 1 from private.platform_admins',
    'select 1 from private.platform_log', 'update public.profiles set default_organization_id = null'
]) as s;
select is(public.is_super_admin(), false, 'an owner is none');
select tests.as_user('a.owner', 'a', '{"aal": "aal2", "app_metadata": {"is_super_admin": true, "role": "platform_admin"}, "user_metadata": {"is_super_admin": true}}');
select is(public.is_super_admin(), false, 'whatever the token''s metadata say');
select tests.as_anon();
select is(tests.attempt(statement), '42501', 'anon: ' || name) from calls;
select tests.as_service();
select is(tests.attempt(statement), '42501', 'the service key: ' || name) from calls where name <> 'bootstrap';

-- The first.
select is(tests.refusal('select public.bootstrap_platform_admin(gen_random_uuid())') ->> 'message', 'user_not_found', 'a user that is none');
select is(tests.refusal('select public.bootstrap_platform_admin(null)') ->> 'sqlstate', 'PT404', 'no user');
select lives_ok($$ select public.bootstrap_platform_admin(tests.id('p.admin')) $$, 'the service key makes the first');
select is(tests.refusal($$ select public.bootstrap_platform_admin(tests.id('p.second')) $$) ->> 'message', 'platform_admin_exists', 'and no second');
select is(tests.refusal($$ select public.bootstrap_platform_admin(tests.id('p.admin')) $$) ->> 'sqlstate', 'PT409', 'nor the same again');

-- Others.
select tests.as_user('p.admin', null, '{"aal": "aal1"}');
select is(tests.refusal($$ select public.grant_platform_admin(tests.id('p.second')) $$) ->> 'sqlstate', 'PT403', 'not without a second factor');
select tests.as_user('p.admin', null, '{"aal": "aal2"}');
select is(public.is_super_admin(), true, 'with one, an administrator is one');
select is(tests.attempt('select 1 from public.leads') || tests.attempt('select 1 from public.organizations'), '0 rows0 rows', 'which shows no tenant''s rows');
select is(tests.refusal('select public.grant_platform_admin(gen_random_uuid())') ->> 'sqlstate', 'PT404', 'a user that is none');
select is(tests.refusal($$ select public.revoke_platform_admin(tests.id('p.admin')) $$) ->> 'message', 'last_platform_admin', 'the last does not go');
select lives_ok($$ select public.grant_platform_admin(tests.id('p.second')) $$, 'a second is made');
select lives_ok($$ select public.grant_platform_admin(tests.id('p.second')) $$, 'twice is no mistake');
select is(tests.refusal($$ select public.revoke_platform_admin(tests.id('a.owner')) $$) ->> 'message', 'platform_admin_not_found', 'who is none cannot be revoked');
select tests.as_user('p.second', null, '{"aal": "aal2"}');
select lives_ok($$ select public.open_support_session(tests.id('a'), 'Ticket 4: to be cut short') $$, 'the second works');
select tests.as_user('p.admin', null, '{"aal": "aal2"}');
select lives_ok($$ select public.revoke_platform_admin(tests.id('p.second')) $$, 'and is revoked');
select tests.as_user('p.second', 'a', '{"aal": "aal2"}');
select is(public.is_super_admin(), false, 'from the next statement on');
select is(tests.attempt('select 1 from public.leads'), '0 rows', 'sessions included');
select is(tests.attempt('select public.grant_platform_admin(tests.id(''p.second''))'), 'PT403', 'and cannot come back alone');
select tests.as_owner();
select is((select closed_at is not null from public.support_sessions where admin_id = tests.id('p.second')), true, 'the session is closed');

-- One may go oneself, when another stays.
select tests.as_user('p.admin', null, '{"aal": "aal2"}');
select lives_ok($$ select public.grant_platform_admin(tests.id('p.second')) $$, 'again two');
select lives_ok($$ select public.revoke_platform_admin(tests.id('p.admin')) $$, 'the first goes');
select tests.as_owner();
select results_eq('select action, actor_id, user_id from private.platform_log order by id desc limit 5', format(
    $$ values ('revoke', %1$L::uuid, %1$L::uuid), ('grant', %1$L, %2$L), ('revoke', %1$L, %2$L), ('grant', %1$L, %2$L), ('bootstrap', null, %1$L) $$,
    tests.id('p.admin'), tests.id('p.second')), 'each step is written down, once');

select * from finish();
rollback;
