-- Which organization a person works for by default, and the list to choose from.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
select tests.make_tenant('c', 803);
select tests.make_user('m.both');
insert into public.memberships (organization_id, user_id, role) values (tests.id('a'), tests.id('m.both'), 'manager');
insert into public.memberships (organization_id, user_id, role) values (tests.id('b'), tests.id('m.both'), 'viewer');

select tests.as_user('m.both');
select is(switchboard.current_organization_id(), tests.id('a'), 'two organizations and none named: the first');
select is(public.switch_organization(tests.id('b')) ->> 'organization_id', tests.id('b')::text, 'switching answers with the new context');
select is(switchboard.organization_role(), 'viewer', 'which holds for requests that name none');
select is(tests.attempt('select 1 from public.leads'), '2 rows', 'with its rows');
select is(public.switch_organization(tests.id('a')) ->> 'role', 'manager', 'and back');
select is(public.switch_organization(null) ->> 'organization_id', null, 'null clears it: two and none named');
create temporary table switched as select public.switch_organization(tests.id('a')) as context;
select is((select context from switched), public.whoami(), 'as whoami says');
select tests.as_user('m.both', 'b');
select is(public.switch_organization(tests.id('a')) ->> 'organization_id', tests.id('b')::text, 'a header still decides');

-- Not everywhere.
select is(tests.refusal(format('select public.switch_organization(%L)', tests.id('c'))) ->> 'sqlstate', 'PT403', 'not to an organization of others');
select is(
    tests.refusal(format('select public.switch_organization(%L)', tests.id('c'))) - 'context',
    tests.refusal(format('select public.switch_organization(%L)', tests.id('nowhere'))) - 'context', 'which is like none');
select tests.as_owner();
update public.memberships set status = 'suspended' where user_id = tests.id('m.both') and organization_id = tests.id('b');
select tests.as_user('m.both');
select is(tests.refusal(format('select public.switch_organization(%L)', tests.id('b'))) ->> 'sqlstate', 'PT403', 'nor where one is suspended');
select tests.as_owner();
update public.memberships set status = 'active', expires_at = now() - interval '1 second' where user_id = tests.id('m.both') and organization_id = tests.id('b');
select tests.as_user('m.both');
select is(tests.refusal(format('select public.switch_organization(%L)', tests.id('b'))) ->> 'sqlstate', 'PT403', 'nor where the membership has expired');
select throws_ok(format('update public.profiles set default_organization_id = %L', tests.id('a')), '42501', null, 'nor past the RPC');
-- A platform administrator's support session is no membership.
select tests.as_owner();
insert into private.platform_admins (user_id) select tests.make_user('p.admin');
insert into public.support_sessions (organization_id, admin_id, reason, capabilities, expires_at)
values (tests.id('a'), tests.id('p.admin'), 'test', '{leads.read}', now() + interval '30 minutes');
select tests.as_user('p.admin', 'a', '{"aal": "aal2"}');
select is(switchboard.organization_role(), 'support', 'a support session');
select is(tests.refusal(format('select public.switch_organization(%L)', tests.id('a'))) ->> 'sqlstate', 'PT403', 'cannot be made the default');
select is(tests.attempt('select * from public.my_organizations()'), '0 rows', 'and is not listed');

-- The list: every membership, with the reason where it gives nothing.
select tests.as_owner();
insert into public.memberships (organization_id, user_id, role, status) values (tests.id('c'), tests.id('m.both'), 'owner', 'invited');
select tests.as_user('m.both', 'a');
select results_eq(
    $$ select organization_id, slug, role, status, is_current, reason from public.my_organizations() $$,
    $$ values (tests.id('a'), 'test-tenant-a', 'manager', 'active', true, null::text), (tests.id('b'), 'test-tenant-b', 'viewer', 'active', false, 'expired'),
        (tests.id('c'), 'test-tenant-c', 'owner', 'invited', false, 'invited') $$,
    'all memberships are listed, with the reason why one gives nothing');
select tests.as_owner();
update public.memberships set status = 'suspended', expires_at = null where user_id = tests.id('m.both') and organization_id = tests.id('b');
update public.organizations set status = 'cancelled' where id = tests.id('a');
select tests.as_user('m.both');
select results_eq(
    $$ select organization_status, is_current, reason from public.my_organizations() $$,
    $$ values ('cancelled', true, 'organization_cancelled'), ('active', false, 'suspended'), ('active', false, 'invited') $$, 'of every kind');
select tests.as_user('a.owner');
select results_eq($$ select organization_status, is_current, reason from public.my_organizations() $$, $$ values ('cancelled', true, null::text) $$,
    'the owner of a cancelled organization still reads it');
select tests.as_user('b.owner');
select results_eq($$ select slug from public.my_organizations() $$, array['test-tenant-b'], 'nobody else''s are listed');
select is(tests.attempt('select public.whoami()'), '1 row', 'whoami');
select tests.as_user('b.owner', null, '{"exp": 1}');
select is(tests.refusal('select * from public.my_organizations()') ->> 'sqlstate', 'PT401', 'nobody has no list');
select is(tests.refusal('select public.switch_organization(null)') ->> 'sqlstate', 'PT401', 'and switches nothing');
select tests.as_anon();
select throws_ok('select * from public.my_organizations()', '42501', null, 'anon neither');
select throws_ok('select public.switch_organization(null)', '42501', null, 'nor switches');

-- The default goes with the membership, and a missing profile is made.
select tests.as_owner();
delete from public.profiles where id = tests.id('c.owner');
select tests.as_user('c.owner');
select lives_ok(format('select public.switch_organization(%L)', tests.id('c')), 'somebody whose profile was not made switches');
select tests.as_owner();
select is((select default_organization_id from public.profiles where id = tests.id('c.owner')), tests.id('c'), 'and has one');
select tests.as_user('c.viewer');
select lives_ok(format('select public.switch_organization(%L)', tests.id('c')), 'a default');
select lives_ok(format('select public.leave_organization(%L)', tests.id('c')), 'is left');
select tests.as_owner();
select is((select default_organization_id from public.profiles where id = tests.id('c.viewer')), null, 'and is none any more');

select * from finish();
rollback;
