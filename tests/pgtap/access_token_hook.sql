-- The hook of Supabase Auth: a hint in the token, made from what is true when it is issued, that gives no
-- right by itself.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
select tests.make_user('n.new');
insert into public.memberships (organization_id, user_id, role) values (tests.id('b'), tests.id('a.manager'), 'viewer');
update public.profiles set default_organization_id = null where id = tests.id('a.manager');

-- As supabase_auth_admin calls it.
create function tests.hook(event jsonb) returns jsonb
    language plpgsql
as $$
declare
    result jsonb;
begin
    perform set_config('role', 'supabase_auth_admin', true);
    result := public.custom_access_token_hook(event);
    perform set_config('role', 'none', true);
    return result;
end;
$$;
create function tests.event(name text, metadata jsonb default '{"provider": "email"}') returns jsonb
    language sql
    return jsonb_build_object('user_id', tests.id(name), 'authentication_method', 'password', 'claims',
        jsonb_build_object('sub', tests.id(name), 'role', 'authenticated', 'aal', 'aal1', 'app_metadata', metadata));
create function tests.hint(name text, metadata jsonb default '{"provider": "email"}') returns text
    language sql
    return tests.hook(tests.event(name, metadata)) #>> '{claims,app_metadata,active_organization_id}';

select is(tests.hint('a.owner'), tests.id('a')::text, 'the only membership');
select is(tests.hook(tests.event('a.owner')) #- '{claims,app_metadata,active_organization_id}', tests.event('a.owner'), 'and nothing else changes');
select is(tests.hint('a.manager'), null, 'of two memberships none is chosen');
update public.profiles set default_organization_id = tests.id('b') where id = tests.id('a.manager');
select is(tests.hint('a.manager'), tests.id('b')::text, 'but the profile''s default');
update public.memberships set status = 'suspended' where user_id = tests.id('a.manager') and organization_id = tests.id('b');
select is(tests.hint('a.manager'), tests.id('a')::text, 'while its membership is active; then the other one');
update public.memberships set expires_at = now() - interval '1 second' where user_id = tests.id('a.manager') and organization_id = tests.id('a');
select is(tests.hint('a.manager'), null, 'an expired one is none');
select is(tests.hint('n.new'), null, 'nor has who is no member');
select is(tests.hook(tests.event('n.new')), tests.event('n.new'), 'whose token stays as it was');
select is(tests.hook(tests.event('n.new', jsonb_build_object('provider', 'email', 'active_organization_id', tests.id('a')))), tests.event('n.new'), 'an old hint goes');
select is(tests.hint('a.owner', jsonb_build_object('active_organization_id', tests.id('b'))), tests.id('a')::text, 'a wrong one is put right');
select is(tests.hook(tests.event('a.owner', 'null')) #>> '{claims,app_metadata,active_organization_id}', tests.id('a')::text, 'metadata may be null');
select is(tests.hook(tests.event('a.owner') #- '{claims,app_metadata}') #>> '{claims,app_metadata,active_organization_id}', tests.id('a')::text, 'or absent');

-- It never fails a sign-in.
select is(tests.hook(e), e, format('as it came: %s', e)) from (values
    ('{}'::jsonb), ('[]'), ('null'), ('"x"'), ('{"user_id": "not a uuid", "claims": {}}'), ('{"user_id": null, "claims": {"app_metadata": {}}}'),
    (jsonb_build_object('user_id', tests.id('a.owner'), 'claims', '[]'::jsonb)), (jsonb_build_object('user_id', tests.id('a.owner'))),
    (jsonb_build_object('user_id', tests.id('a.owner'), 'claims', '{"app_metadata": "x"}'::jsonb)), ('{"user_id": {"a": 1}, "claims": {"app_metadata": {}}}')
) as v (e);
select is(tests.hook(null), null, 'nothing for nothing');
alter table public.memberships rename to memberships_away;
select is(tests.hook(tests.event('a.owner')), tests.event('a.owner'), 'a broken database costs the hint, not the token');
alter table public.memberships_away rename to memberships;

-- A hint, no authority: signed or not, the membership decides.
select tests.as_user('a.owner', null, jsonb_build_object('app_metadata', jsonb_build_object('active_organization_id', tests.id('a'))));
select is(switchboard.current_organization_id(), tests.id('a'), 'the hint names the organization');
select tests.as_user('a.owner', null, jsonb_build_object('app_metadata', jsonb_build_object('active_organization_id', tests.id('b'))));
select is(switchboard.current_organization_id(), null, 'another tenant''s names none');
select is(tests.attempt('select 1 from public.leads'), '0 rows', 'and reads nothing');
select is(tests.attempt($$ insert into public.agents (name) values ('x') $$), '42501', 'and writes nothing');

-- Who may call it.
select is(tests.attempt('select public.custom_access_token_hook(''{}'')'), '42501', 'a signed-in user does not');
select tests.as_anon();
select is(tests.attempt('select public.custom_access_token_hook(''{}'')'), '42501', 'nor anon');
select tests.as_service();
select is(tests.attempt('select public.custom_access_token_hook(''{}'')'), '42501', 'nor the service key');
select tests.as_owner();
select is(has_table_privilege('supabase_auth_admin', 'public.memberships', 'select'), false, 'and Supabase Auth reads no table of ours by it');

select * from finish();
rollback;
