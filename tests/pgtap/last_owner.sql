-- An organization keeps an active owner, whoever tries to end that: the owner, an RPC, SQL, Supabase Auth.
-- Two who leave at once are in tests/api/members_test.ts: it takes two connections.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

create temporary table ways (title text, who text, statement text);
insert into ways values
    ('leaves', 'a.owner', format('select public.leave_organization(%L)', tests.id('a'))),
    ('becomes an admin', 'a.owner', format('select public.change_member(%L, ''{"role": "admin"}'')', tests.id('a.owner'))),
    ('becomes suspended', 'a.owner', format('select public.change_member(%L, ''{"status": "suspended"}'')', tests.id('a.owner'))),
    ('is deleted by SQL', null, format('delete from public.memberships where user_id = %L', tests.id('a.owner'))),
    ('is demoted by SQL', null, format('update public.memberships set role = ''viewer'' where user_id = %L', tests.id('a.owner'))),
    ('is suspended by SQL', null, format('update public.memberships set status = ''suspended'' where user_id = %L', tests.id('a.owner'))),
    ('is made invited by SQL', null, format('update public.memberships set status = ''invited'' where user_id = %L', tests.id('a.owner'))),
    ('is deleted as a user', 'auth', format('delete from auth.users where id = %L', tests.id('a.owner')));
grant select on ways to authenticated;
create function tests.try(who text, statement text) returns jsonb
    language plpgsql
as $$
declare
    answer jsonb;
begin
    if who is null then
        perform tests.as_owner();
    elsif who = 'auth' then
        perform tests.as_owner();
        perform set_config('role', 'supabase_auth_admin', true);
    else
        perform tests.as_user(who);
    end if;
    answer := tests.refusal(statement);
    perform tests.as_owner();
    return answer;
end;
$$;
grant usage on schema tests to supabase_auth_admin;
grant execute on function tests.refusal(text), tests.as_owner() to supabase_auth_admin;

select is(tests.try(who, statement) - '{context,detail,hint}'::text[], '{"sqlstate": "PT409", "message": "last_owner"}', 'the last owner ' || title) from ways;
-- Others who are owners by name only do not count.
insert into public.memberships (organization_id, user_id, role, status) values
    (tests.id('a'), tests.make_user('a.suspended'), 'owner', 'suspended'), (tests.id('a'), tests.make_user('a.invited'), 'owner', 'invited');
insert into public.memberships (organization_id, user_id, role) values (tests.id('b'), tests.make_user('b.partner'), 'owner');
select is(tests.try(who, statement) ->> 'message', 'last_owner', 'with a suspended and an invited one: ' || title) from ways;
-- With a second one each of it is allowed.
insert into public.memberships (organization_id, user_id, role) values (tests.id('a'), tests.make_user('a.partner'), 'owner');
select is(tests.try(who, statement), '{}', 'with a second one: ' || title) from ways;

-- Whole statements: both at once, one for the other, everybody.
select is(tests.refusal(format('delete from public.memberships where organization_id = %L', tests.id('a'))) ->> 'message', 'last_owner', 'all members in one statement');
select is(tests.refusal(format('update public.memberships set role = ''admin'' where organization_id = %L', tests.id('a'))) ->> 'message', 'last_owner', 'all demoted in one statement');
select is(tests.refusal(format('delete from auth.users where id in (%L, %L)', tests.id('a.owner'), tests.id('a.partner'))) ->> 'message', 'last_owner', 'both deleted as users');
select is(tests.attempt(format($$ update public.memberships set role = case role when 'owner' then 'admin' else 'owner' end
        where organization_id = %L and status = 'active' and role in ('owner', 'admin') $$, tests.id('a'))),
    '3 rows', 'one for the other in one statement');
select is(tests.attempt(format('delete from public.organizations where id = %L', tests.id('a'))), '1 row', 'an organization goes with its owners');
select is(tests.attempt($$ delete from public.organizations $$), '2 rows', 'several do');
select is(tests.attempt(format('delete from auth.users where id = %L', tests.id('a.viewer'))), '1 row', 'a user who owns nothing goes');

-- Transfer.
select tests.as_user('b.owner');
select is(tests.refusal(format('select public.transfer_ownership(%L)', tests.id('b.owner'))) ->> 'sqlstate', '22023', 'not to oneself');
select is(public.transfer_ownership(tests.id('b.viewer')) ->> 'role', 'owner', 'ownership goes to a member');
select is(switchboard.organization_role(), 'admin', 'whoever gave it is an admin');
select is(tests.refusal(format('select public.transfer_ownership(%L)', tests.id('b.manager'))) ->> 'sqlstate', 'PT403', 'and cannot give it again');
select is(tests.refusal(format('select public.change_member(%L, ''{"role": "owner"}'')', tests.id('b.owner'))) ->> 'sqlstate', 'PT403', 'nor take it back');
select tests.as_owner();
update public.memberships set status = 'suspended' where user_id = tests.id('b.manager');
update public.memberships set expires_at = now() - interval '1 second' where user_id = tests.id('b.sales_rep');
insert into public.memberships (organization_id, user_id, role, permissions, allowed_dataset_ids, expires_at)
values (tests.id('b'), tests.make_user('b.limited'), 'manager', '{"leads.read": false}', '{}', now() + interval '1 day');
select tests.as_user('b.viewer');
select is(tests.refusal(format('select public.transfer_ownership(%L)', tests.id('b.manager'))) ->> 'sqlstate', 'PT404', 'not to a suspended member');
select is(tests.refusal(format('select public.transfer_ownership(%L)', tests.id('b.sales_rep'))) ->> 'sqlstate', 'PT404', 'nor to an expired one');
select is(public.transfer_ownership(tests.id('b.limited')) - '{id,organization_id,user_id,created_at,updated_at,can_manage_users,can_view_all_leads,can_edit_lessons,can_push_to_n8n}'::text[],
    '{"role": "owner", "status": "active", "permissions": {}, "allowed_dataset_ids": null, "expires_at": null}', 'who had limits has none as owner');
select tests.as_user('a.admin');
select is(tests.refusal(format('select public.transfer_ownership(%L)', tests.id('a.viewer'))) ->> 'sqlstate', 'PT403', 'an admin has nothing to transfer');
select tests.as_owner();
update public.organizations set status = 'paused' where id = tests.id('a');
select tests.as_user('a.owner');
select is(tests.refusal(format('select public.transfer_ownership(%L)', tests.id('a.viewer'))) ->> 'sqlstate', 'PT403', 'nor does a paused organization change hands');
select is(tests.attempt(format('select public.leave_organization(%L)', tests.id('a'))), '1 row', 'but one of two owners may leave it');

-- Leaving.
select tests.as_user('a.viewer');
select is(tests.attempt(format('select public.leave_organization(%L)', tests.id('a'))), '1 row', 'a viewer leaves');
select is(tests.refusal(format('select public.leave_organization(%L)', tests.id('b'))) ->> 'sqlstate', 'PT403', 'not what they are not in');
select is(
    tests.refusal(format('select public.leave_organization(%L)', tests.id('b'))) - 'context',
    tests.refusal(format('select public.leave_organization(%L)', tests.id('nowhere'))) - 'context', 'which is like nothing');
select tests.as_user('a.suspended');
select is(tests.attempt(format('select public.leave_organization(%L)', tests.id('a'))), '1 row', 'a suspended member leaves');

select * from finish();
rollback;
