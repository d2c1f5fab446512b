-- A sign-up never fails because of us: the profile is made, or the failure is kept and repaired later.
begin;
\ir _helpers.psql
select no_plan();

-- As Supabase Auth, which inserts the user.
create function tests.sign_up(name text, metadata jsonb default '{}') returns text
    language plpgsql
as $$
declare
    user_id uuid := tests.id(name);
begin
    perform set_config('role', 'supabase_auth_admin', true);
    insert into auth.users (id, email, raw_user_meta_data) values (user_id, name || '@a.example', metadata);
    perform set_config('role', 'none', true);
    return 'signed up';
exception
    when others then
        return sqlstate;
end;
$$;

select is(tests.sign_up('one', '{"full_name": "User 001"}'), 'signed up', 'a sign-up');
select is((select full_name from public.profiles where id = tests.id('one')), 'User 001', 'makes the profile');
select is(tests.sign_up('two', null), 'signed up', 'without metadata');
select is((select count(*)::integer from public.profiles where id = tests.id('two')), 1, 'too');
select is(tests.sign_up('three', '{"full_name": ["no", "text"]}'), 'signed up', 'with odd metadata');
select is(tests.sign_up('four', jsonb_build_object('full_name', repeat('x', 5000))), 'signed up', 'with a very long name');
select is((select length(full_name) from public.profiles where id = tests.id('four')), 200, 'which is cut');
select is_empty($$ select from private.profile_failures where user_id = tests.id('four') $$, 'and no failure');
select is(tests.sign_up('five', '{"role": "owner", "organization_id": "x", "full_name": "User 005"}'), 'signed up', 'with claims in the metadata');
select is_empty($$ select from public.memberships where user_id = tests.id('five') $$, 'which make no membership');
select is(tests.sign_up('nine', '{"first_name": "First", "last_name": "Last", "email": "forged@a.example"}'), 'signed up', 'with names apart');
select is((select (first_name, last_name, email)::text from public.profiles where id = tests.id('nine')), '(First,Last,nine@a.example)',
    'the profile has them, and the address that Supabase Auth has');

-- The address follows, or the failure is kept and repaired.
create function tests.new_address(name text, address text) returns text
    language plpgsql
as $$
declare
    user_id uuid := tests.id(name);
begin
    perform set_config('role', 'supabase_auth_admin', true);
    update auth.users set email = address where id = user_id;
    perform set_config('role', 'none', true);
    return 'changed';
exception
    when others then
        return sqlstate;
end;
$$;
select is(tests.new_address('nine', 'ten@a.example'), 'changed', 'a change of address');
select is((select email from public.profiles where id = tests.id('nine')), 'ten@a.example', 'reaches the profile');
alter table public.profiles add constraint broken check (email <> 'eleven@a.example') not valid;
select is(tests.new_address('nine', 'eleven@a.example'), 'changed', 'and is not blocked by it');
select is((select email from public.profiles where id = tests.id('nine')), 'ten@a.example', 'which has the old one');
select is((select sqlstate from private.profile_failures where user_id = tests.id('nine')), '23514', 'the failure is kept');
alter table public.profiles drop constraint broken;
select is(private.backfill_profiles(), 1, 'the repair corrects the address');
select is((select email from public.profiles where id = tests.id('nine')), 'eleven@a.example', 'to the one that Supabase Auth has');

-- The table broken on purpose.
alter table public.profiles add constraint broken check (full_name <> 'User 006') not valid;
select is(tests.sign_up('six', '{"full_name": "User 006"}'), 'signed up', 'a sign-up while profiles refuse');
select is((select count(*)::integer from auth.users where id = tests.id('six')), 1, 'makes the user');
select is_empty($$ select from public.profiles where id = tests.id('six') $$, 'without a profile');
select is((select sqlstate from private.profile_failures where user_id = tests.id('six')), '23514', 'and keeps the failure');
alter table public.profiles drop constraint broken;
select is(private.backfill_profiles(), 1, 'the repair makes the profile');
select is((select full_name from public.profiles where id = tests.id('six')), 'User 006', 'with its name');
select is_empty($$ select from private.profile_failures where user_id = tests.id('six') $$, 'and forgets the failure');
select is(private.backfill_profiles(), 0, 'once');

alter table public.profiles rename to profiles_gone;
select is(tests.sign_up('seven'), 'signed up', 'a sign-up while there is no profiles table at all');
select is((select sqlstate from private.profile_failures where user_id = tests.id('seven')), '42P01', 'which is kept');
alter table private.profile_failures rename to profile_failures_gone;
set local client_min_messages = error;
select is(tests.sign_up('eight'), 'signed up', 'a sign-up while even the failure cannot be kept');
select is((select count(*)::integer from auth.users where id in (tests.id('seven'), tests.id('eight'))), 2, 'the users are there');
alter table private.profile_failures_gone rename to profile_failures;
alter table public.profiles_gone rename to profiles;
select is(private.backfill_profiles(), 2, 'both are repaired');

-- A failure whose user has gone is not kept for ever.
insert into private.profile_failures (user_id, sqlstate, message) values (tests.id('gone'), '23514', 'x');
select is(private.backfill_profiles(), 0, 'nothing to repair');
select is_empty($$ select from private.profile_failures where user_id = tests.id('gone') $$, 'and nothing left');

select * from finish();
rollback;
