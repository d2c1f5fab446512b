-- The requirement documents' names: same columns, the policies of the tables below, nothing more to see.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
update public.organizations set default_phone_number_id = tests.id('a.number'), phone_number = '0121 496 0000' where id = tests.id('a');
update public.profiles set first_name = 'First', last_name = 'Last', phone_number = '+441214960001', avatar_path = 'a.png' where id = tests.id('a.viewer');
update auth.users set last_sign_in_at = now() where id = tests.id('a.viewer');

-- The columns, by the documents.
select columns_are('public', 'clients', array['id', 'created_at', 'updated_at', 'company_name', 'company_email', 'company_phone', 'company_website',
    'industry', 'logo_url', 'primary_color', 'n8n_workflow_id', 'n8n_webhook_url', 'twilio_phone_number', 'status', 'plan', 'timezone', 'settings'],
    'clients has the columns of S4');
select columns_are('public', 'users', array['id', 'created_at', 'updated_at', 'user_id', 'client_id', 'first_name', 'last_name', 'email', 'phone', 'avatar_url',
    'role', 'permissions', 'can_view_all_leads', 'can_edit_lessons', 'can_push_to_n8n', 'can_manage_users', 'allowed_dataset_ids', 'status', 'last_login_at'],
    'users has the columns of S4');
select columns_are('public', 'user_organizations', array['id', 'user_id', 'organization_id', 'role', 'created_at'], 'user_organizations has those of S3');
select is_empty($$
    select c.oid::regclass, a.attname from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'v' and c.relname in ('clients', 'users', 'user_organizations')
        and col_description(c.oid, a.attnum) is null
$$, 'every column says where it comes from');

-- clients.
select tests.as_user('a.viewer');
select results_eq($$ select id, company_name, company_phone, twilio_phone_number, status, plan from public.clients $$,
    $$ values (tests.id('a'), 'Tenant a', '+441214960000', '+443069990801', 'active', 'enterprise') $$, 'a viewer reads the own client');
select is(tests.attempt($$ update public.clients set company_name = 'x' $$), '0 rows', 'and does not change it');
select tests.as_user('a.admin');
select is(tests.attempt($$ update public.clients set company_name = 'New', company_email = 'x@a.example', company_phone = '0121 496 0002', company_website = 'https://a.example',
    industry = 'solar', primary_color = '#000000', n8n_webhook_url = 'https://n8n.a.example/x', settings = '{"a": 1}', timezone = 'UTC' $$), '1 row', 'an admin changes it');
select lives_ok($$ update public.clients set company_phone = '0121 496 0002' $$, 'a number as typed');
select is((select company_phone from public.clients), '+441214960002', 'is stored in E.164');
select is(tests.attempt(format($$ update public.clients set company_name = 'x' where id = %L $$, tests.id('b'))), '0 rows', 'not another tenant''s');
select throws_ok(format('update public.clients set %s', change), '42501', null, 'not: ' || change)
    from unnest(array['status = ''cancelled''', 'plan = ''enterprise''', 'id = gen_random_uuid()', 'created_at = now()']) as change;
select isnt(tests.attempt($$ update public.clients set twilio_phone_number = '+441214960009' $$), '1 row', 'the number is changed elsewhere');
select throws_ok($$ insert into public.clients (company_name) values ('x') $$, '42501', null, 'no client is inserted');
select throws_ok($$ delete from public.clients $$, '42501', null, 'or deleted');

-- users: contacts for oneself and for those who manage members.
select results_eq($$ select first_name, email, phone, avatar_url, last_login_at from public.users where user_id = tests.id('a.viewer') $$,
    $$ values ('First', 'viewer@a.example', '+441214960001', 'a.png', now()) $$, 'who manages members sees their contacts');
select is((select count(email)::integer from public.users), 5, 'of all of them');
select set_eq($$ select client_id from public.users $$, array[tests.id('a')], 'of the own organization');
select tests.as_user('a.viewer');
select results_eq($$ select first_name, email, phone from public.users where email is not null $$, $$ values ('First', 'viewer@a.example', '+441214960001') $$,
    'a viewer sees the own contact');
select is((select count(*)::integer from public.users), 5, 'and the names of the others');
select is((select id from public.users where user_id = tests.id('a.viewer')), (select id from public.memberships where user_id = tests.id('a.viewer')), 'id is the membership''s');
select throws_ok($$ select email from public.profiles $$, '42501', null, 'addresses are readable nowhere else');
select throws_ok($$ select phone_number from public.profiles $$, '42501', null, 'numbers neither');
select throws_ok(format('select * from private.member_contact(%L, %L)', tests.id('a'), tests.id('a.owner')), '42501', null, 'the function behind is out of reach');
select throws_ok($$ update public.users set role = 'owner' $$, '42501', null, 'nobody makes themself an owner here');
select throws_ok($$ delete from public.users $$, '42501', null, 'or throws others out');
select throws_ok(format($$ insert into public.users (user_id, client_id, role) values (%L, %L, 'owner') $$, tests.id('a.viewer'), tests.id('b')), '42501', null, 'or lets themself in');
select tests.as_owner();
-- A manager with the flag in one organization is no manager in the other.
insert into public.memberships (organization_id, user_id, role, can_manage_users) values (tests.id('b'), tests.id('a.manager'), 'manager', true);
select tests.as_user('a.manager', 'b');
select is((select count(email)::integer from public.users where client_id = tests.id('b')), 6, 'the flag can_manage_users shows the contacts there');
select is((select count(email)::integer from public.users where client_id = tests.id('a') and user_id <> tests.id('a.manager')), 0, 'and not elsewhere');
select tests.as_user('b.owner');
select is(tests.attempt(format('select 1 from public.users where client_id = %L', tests.id('a'))), '0 rows', 'another tenant sees nobody');
select tests.as_user('a.owner', null, '{"exp": 1}');
select is(tests.attempt('select * from public.users'), '0 rows', 'nobody sees nobody, without an error');

-- user_organizations.
select tests.as_owner();
update public.memberships set status = 'suspended' where user_id = tests.id('a.sales_rep');
update public.memberships set expires_at = now() where user_id = tests.id('a.viewer');
select tests.as_user('a.owner');
select bag_eq($$ select user_id, role from public.user_organizations $$,
    $$ values (tests.id('a.owner'), 'owner'), (tests.id('a.admin'), 'admin'), (tests.id('a.manager'), 'manager') $$, 'who belongs to it now');
select throws_ok($$ insert into public.user_organizations (user_id, organization_id) values (tests.id('a.owner'), tests.id('b')) $$, '42501', null, 'S3 let anybody in here');

-- The functions.
select is(public.get_my_org_id(), tests.id('a'), 'get_my_org_id is the current organization');
select ok(not public.is_super_admin(), 'an owner is no super admin');
select is((select public.owner_id(o) from public.organizations o), tests.id('a.owner'), 'owner_id');
select is((select public.plan_tier(o) from public.organizations o), 'enterprise', 'plan_tier');
select tests.as_user('a.admin', null, '{"aal": "aal2"}');
select ok(not public.is_super_admin(), 'nor is a tenant''s admin (S1 made it one)');
select tests.as_owner();
insert into private.platform_admins (user_id) select tests.make_user('p.admin');
update public.organizations set plan = 'professional' where id = tests.id('a');
select tests.as_user('p.admin', null, '{"aal": "aal2"}');
select ok(public.is_super_admin(), 'a platform administrator is');
select is(public.get_my_org_id(), null, 'and has no organization by it');
select is(tests.attempt(format('select 1 from public.%I', name)), '0 rows', 'and no row of ' || name) from unnest(array['clients', 'users', 'user_organizations']) as name;
select tests.as_user('a.admin');
select is((select public.plan_tier(o) from public.organizations o), 'pro', 'professional is S1''s pro');
select tests.as_anon();
select throws_ok(format('select 1 from public.%I', name), '42501', null, 'anon: ' || name) from unnest(array['clients', 'users', 'user_organizations']) as name;
select throws_ok('select public.get_my_org_id()', '42501', null, 'anon: get_my_org_id');

select * from finish();
rollback;
