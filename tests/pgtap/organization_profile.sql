-- The organization's profile, branding and settings, the person's own profile, and the end of an organization.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

-- Who changes it: generated over the roles.
create function tests.rename_as(name text) returns text
    language plpgsql
as $$
begin
    perform tests.as_user(name);
    return tests.attempt(format($f$ update public.organizations set name = 'x' where id in (%L, %L) $f$, tests.id('a'), tests.id('b')));
end;
$$;
grant execute on function tests.rename_as(text) to authenticated;
select is(tests.rename_as('a.' || role), case when role in ('owner', 'admin') then '1 row' else '0 rows' end, 'renaming: ' || role)
    from unnest(array['owner', 'admin', 'manager', 'sales_rep', 'viewer']) as role;
select tests.as_owner();
update public.memberships set permissions = '{"organization.write": true}' where user_id = tests.id('a.manager');
update public.memberships set permissions = '{"organization.write": false}' where user_id = tests.id('a.admin');
select is(tests.rename_as('a.manager'), '1 row', 'a manager who was given it');
select is(tests.rename_as('a.admin'), '0 rows', 'an admin from whom it was taken');
select tests.as_user('a.owner');
select throws_ok(format('update public.organizations set %s', change), '42501', null, 'no owner sets ' || change)
    from unnest(array['slug = ''other-slug''', 'plan = ''enterprise''', 'status = ''cancelled''', 'id = gen_random_uuid()', 'created_at = now()', 'phone_input = ''x''']) as change;

-- What may stand in it.
select is(tests.attempt('update public.organizations set ' || change), expected, change)
    from (values
        ('industry = ''solar''', '1 row'), ('industry = '' ''', '23514'), ('industry = repeat(''x'', 101)', '23514'),
        ('email = ''office@a.example''', '1 row'), ('email = ''office''', '23514'), ('email = e''a@a.example\nx''', '23514'), ('email = null', '1 row'),
        ('phone_number = ''0121 496 0000''', '1 row'), ('phone_number = ''12''', '22023'), ('phone_number = ''07700900123/07700900124''', '22023'),
        ('website = ''https://a.example/x''', '1 row'), ('website = ''javascript:alert(1)''', '23514'), ('website = ''a.example''', '23514'),
        (format('logo_path = ''%s/logo.png''', tests.id('a')), '1 row'), (format('logo_path = ''%s/logo.png''', tests.id('b')), '23514'),
        (format('logo_path = ''%s/../%s/logo.png''', tests.id('a'), tests.id('b')), '23514'), ('logo_path = ''logo.png''', '23514'),
        ('primary_color = ''#00FF7f''', '1 row'), ('primary_color = ''green''', '23514'), ('primary_color = ''#fff''', '23514'), ('primary_color = null', '23502'),
        ('quiet_start = ''09:00'', quiet_end = ''17:30''', '1 row'), ('quiet_start = ''22:00''', '23514'), ('quiet_end = null', '23502'),
        ('n8n_workflow_id = ''w1''', '1 row'), ('n8n_workflow_id = ''''', '23514'),
        ('n8n_webhook_url = ''https://n8n.a.example/webhook/x''', '1 row'), ('n8n_webhook_url = ''http://n8n.a.example/''', '23514'),
        ('n8n_webhook_url = ''https://user:secret@n8n.a.example/''', '23514'), ('n8n_webhook_url = ''https://''', '23514'),
        ('settings = ''{"a": [1]}''', '1 row'), ('settings = ''[]''', '23514'), ('settings = null', '23502'),
        ('settings = jsonb_build_object(''a'', repeat(''x'', 65000))', '1 row'), ('settings = jsonb_build_object(''a'', repeat(''x'', 65536))', '23514'),
        ('timezone = ''Europe/Berlin''', '1 row'), ('timezone = ''Mars''', '23514'), ('default_country = ''DE''', '1 row'), ('default_country = ''de''', '23514'),
        ('default_country = ''XX''', '23502'),
        (format('default_agent_id = %L', tests.id('a.agent')), '1 row'), (format('default_phone_number_id = %L', tests.id('a.number')), '1 row'),
        (format('default_phone_number_id = %L', tests.id('b.number')), '23503'), ('name = ''''', '23514')
    ) as c (change, expected);
update public.organizations set phone_number = '030 901820', default_country = 'DE';
select is((select (phone_number, phone_input)::text from public.organizations), '(+4930901820,"030 901820")', 'a number is read in the country of the same statement, and kept as typed');
update public.organizations set default_phone_number_id = tests.id('a.number');
delete from public.phone_numbers where id = tests.id('a.number');
select is((select default_phone_number_id from public.organizations), null, 'a deleted number is no default');
select tests.as_service();
select is(tests.attempt(format($$ update public.organizations set name = 'x' where id = %L $$, tests.id('a'))), '1 row', 'server code writes organizations');
select is(tests.attempt($$ update public.organizations set id = gen_random_uuid() $$), '42501', 'but for what never changes');
select is(tests.attempt($$ update public.organizations set status = 'asleep' $$), '23514', 'and within the same rules');

-- The own profile.
select tests.as_user('a.viewer');
select is(tests.attempt($$ update public.profiles set full_name = 'First Last', first_name = 'First', last_name = 'Last', avatar_path = 'x.png', country = 'GB' $$), '1 row', 'everybody changes their own profile');
select is(tests.attempt(format($$ update public.profiles set full_name = 'x' where id = %L $$, tests.id('a.owner'))), '0 rows', 'and no other');
select throws_ok('update public.profiles set ' || change, '42501', null, 'not: ' || change)
    from unnest(array['email = ''x@a.example''', 'id = gen_random_uuid()', 'phone_input = ''x''', 'default_organization_id = null', 'created_at = now()']) as change;
select is(tests.attempt('update public.profiles set ' || change), expected, change)
    from (values ('phone_number = ''+44 121 496 0000''', '1 row'), ('phone_number = ''0121 496 0000''', '22023'), ('country = ''GB'', phone_number = ''0121 496 0000''', '1 row'),
        ('country = ''gb''', '23514'), ('full_name = repeat(''x'', 201)', '23514'), ('avatar_path = ''''', '23514')) as c (change, expected);
select tests.as_owner();
update auth.users set email = 'renamed@a.example' where id = tests.id('a.viewer');
select is((select email from public.profiles where id = tests.id('a.viewer')), 'renamed@a.example', 'the address follows Supabase Auth');

-- Status: an owner pauses, resumes and cancels.
create function tests.status_as(name text, status text, organization text default 'a') returns text
    language plpgsql
as $$
begin
    perform tests.as_user(name, organization);
    return coalesce(tests.refusal(format('select public.set_organization_status(%L)', status)) ->> 'sqlstate', 'allowed');
end;
$$;
grant execute on function tests.status_as(text, text, text) to authenticated;
select is(tests.status_as('a.' || role, 'paused'), case role when 'owner' then 'allowed' else 'PT403' end, 'pausing: ' || role)
    from unnest(array['owner', 'admin', 'manager', 'sales_rep', 'viewer']) as role;
select is(tests.status_as('b.owner', 'paused'), 'PT403', 'pausing: another tenant''s owner');
select is(tests.status_as('a.owner', status), '22023', format('no status: %s', status)) from unnest(array['deleted', 'trialing', null, 'Active']) as status;
select tests.as_user('a.owner');
select is((public.set_organization_status('paused')).status, 'paused', 'an owner pauses');
select is(tests.attempt($$ update public.organizations set name = 'x' $$), '0 rows', 'then even the owner writes nothing');
select is(tests.refusal($$ select public.invite_member('z@n.example', 'viewer') $$) ->> 'sqlstate', 'PT403', 'and invites nobody');
select is((public.set_organization_status('paused')).status, 'paused', 'pausing again changes nothing');
select is((public.set_organization_status('active')).status, 'active', 'but resumes');
select is(tests.refusal($$ select public.delete_organization('test-tenant-a') $$) ->> 'message', 'organization_not_cancelled', 'what is not cancelled is not deleted');
select is((public.set_organization_status('cancelled')).status, 'cancelled', 'an owner cancels');
select is(tests.refusal($$ select public.set_organization_status('active') $$) ->> 'message', 'organization_cancelled', 'and does not come back');
select is(tests.refusal($$ select public.set_organization_status('paused') $$) ->> 'sqlstate', 'PT409', 'nor half way');
select tests.as_service('a');
select is((public.set_organization_status('active')).status, 'active', 'the server brings it back');
select is((public.set_organization_status('cancelled')).status, 'cancelled', 'and cancels');
select tests.as_service();
select is(tests.refusal($$ select public.set_organization_status('active') $$) ->> 'sqlstate', 'PT400', 'it has to name the organization');
select tests.as_anon();
select throws_ok($$ select public.set_organization_status('active') $$, '42501', null, 'anon sets nothing');

-- Deleting.
select tests.as_owner();
update public.memberships set status = 'suspended' where user_id = tests.id('a.manager');
create function tests.delete_as(name text, slug text, organization text default 'a') returns text
    language plpgsql
as $$
begin
    perform tests.as_user(name, organization);
    return coalesce(tests.refusal(format('select public.delete_organization(%L)', slug)) ->> 'sqlstate', 'allowed');
end;
$$;
grant execute on function tests.delete_as(text, text, text) to authenticated;
select is(tests.delete_as('a.' || role, 'test-tenant-a'), case role when 'owner' then 'allowed' else 'PT403' end, 'deleting: ' || role)
    from unnest(array['owner', 'admin', 'manager', 'sales_rep', 'viewer']) as role;
select is(tests.delete_as('b.owner', 'test-tenant-a'), 'PT403', 'deleting: another tenant''s owner');
select is(tests.delete_as('a.owner', slug), '22023', format('the slug has to be typed: %s', slug)) from unnest(array['test-tenant-b', '', null, 'Tenant a', 'TEST-TENANT-A']) as slug;
select tests.as_service('a');
select throws_ok($$ select public.delete_organization('test-tenant-a') $$, '42501', null, 'the server deletes none');
select tests.as_user('a.owner');
select lives_ok($$ select public.delete_organization('test-tenant-a') $$, 'the owner of a cancelled organization deletes it');
select is(switchboard.current_organization_id(), null, 'and has none any more');
select tests.as_owner();
select is(tests.attempt(format('select 1 from public.%I where %I = %L', name, tenant_column, tests.id('a'))), '0 rows', 'nothing is left in ' || name) from tests.tenant_tables where name <> 'audit_log' order by name;
select is((select count(*)::integer from public.organizations where id = tests.id('b')), 1, 'the other tenant is there');
select is((select count(*)::integer from auth.users where id = tests.id('a.owner')), 1, 'and so are the people');

select * from finish();
rollback;
