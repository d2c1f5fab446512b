-- Who may give, change and take whose rights: every role against every role, through the RPCs and past
-- them, where the trigger guard_member stands.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

-- Somebody of each role to act on, and two members who manage users by a flag.
insert into public.memberships (organization_id, user_id, role)
select tests.id('a'), tests.make_user('t.' || role), role from unnest(array['owner', 'admin', 'manager', 'sales_rep', 'viewer']) as role;
insert into public.memberships (organization_id, user_id, role, can_manage_users) values
    (tests.id('a'), tests.make_user('a.flagged_manager'), 'manager', true),
    (tests.id('a'), tests.make_user('a.flagged_sales_rep'), 'sales_rep', true);
select tests.make_user('n.new');
-- A statement as the tables' owner on behalf of whoever is signed in, as in the body of an RPC.
create function tests.forced(statement text) returns text
    language plpgsql security definer
as $$ begin return tests.attempt(statement); end; $$;
grant execute on function tests.forced(text) to authenticated;
create function tests.forced_as(name text, statement text) returns text
    language plpgsql
as $$
begin
    perform tests.as_user(name);
    return tests.forced(statement);
end;
$$;
grant execute on function tests.forced_as(text, text) to authenticated;

create temporary table actors (name text, role text, rank integer, manages boolean);
insert into actors values
    ('owner', 'owner', 5, true), ('admin', 'admin', 4, true), ('manager', 'manager', 3, false), ('sales_rep', 'sales_rep', 2, false),
    ('viewer', 'viewer', 1, false), ('flagged_manager', 'manager', 3, true), ('flagged_sales_rep', 'sales_rep', 2, true);
create temporary table roles (role text, rank integer);
insert into roles values ('owner', 5), ('admin', 4), ('manager', 3), ('sales_rep', 2), ('viewer', 1);
-- The rule, said once more: members.write, and everything below one's own role. A sales_rep cannot make a
-- viewer, who reads what a sales_rep does not.
create temporary view cases as
    select a.name as actor, t.role as target, 'change to ' || n.role as action,
        a.manages and (a.rank = 5 or greatest(t.rank, n.rank) < a.rank) as allowed,
        format('select public.change_member(%L, %L)', tests.id('t.' || t.role), jsonb_build_object('role', n.role)) as rpc,
        format('update public.memberships set role = %L where organization_id = %L and user_id = %L', n.role, tests.id('a'), tests.id('t.' || t.role)) as past
    from actors a, roles t, roles n where t.role <> n.role
    union all
    select a.name, t.role, 'suspend', a.manages and (a.rank = 5 or t.rank < a.rank),
        format('select public.change_member(%L, ''{"status": "suspended"}'')', tests.id('t.' || t.role)),
        format('update public.memberships set status = ''suspended'' where organization_id = %L and user_id = %L', tests.id('a'), tests.id('t.' || t.role))
    from actors a, roles t
    union all
    select a.name, t.role, 'remove', a.manages and (a.rank = 5 or t.rank < a.rank),
        format('select public.remove_member(%L)', tests.id('t.' || t.role)),
        format('delete from public.memberships where organization_id = %L and user_id = %L', tests.id('a'), tests.id('t.' || t.role))
    from actors a, roles t
    union all
    select a.name, t.role, 'make one', a.manages and (a.rank = 5 or t.rank < a.rank) and a.name <> 'flagged_sales_rep',
        format('select public.invite_member(''somebody@n.example'', %L)', t.role),
        format('insert into public.memberships (organization_id, user_id, role) values (%L, %L, %L)', tests.id('a'), tests.id('n.new'), t.role)
    from actors a, roles t;
grant select on cases to authenticated;
create function tests.outcomes(of_actor text) returns table (target text, action text, allowed boolean, rpc text, past text)
    language plpgsql
as $$
begin
    perform tests.as_user('a.' || of_actor);
    return query select c.target, c.action, c.allowed, tests.attempt(c.rpc), tests.forced(c.past) from cases c where c.actor = of_actor;
end;
$$;
create temporary table outcomes as select a.name as actor, o.* from actors a, lateral tests.outcomes(a.name) as o;
select tests.as_owner();
select is((select count(*)::integer from outcomes), 7 * 5 * 7, 'seven actors, five targets, four roles to change to and three other actions');
select is((select count(*)::integer from outcomes where allowed), 60, 'some of it is allowed');
select is(rpc, case when allowed then '1 row' else 'PT403' end, format('RPC: %s, %s: %s', actor, action, target)) from outcomes order by actor, target, action;
select is(past, case when allowed then '1 row' else '42501' end, format('past it: %s, %s: %s', actor, action, target)) from outcomes order by actor, target, action;

-- Another tenant's people: not there, whatever one is at home.
select tests.as_user('b.owner');
select is(tests.refusal(format('select public.change_member(%L, ''{"role": "viewer"}'')', tests.id('t.admin'))) ->> 'message', 'member_not_found', 'another tenant''s member');
select is(
    tests.refusal(format('select public.change_member(%L, ''{"role": "viewer"}'')', tests.id('t.admin'))) - 'context',
    tests.refusal(format('select public.change_member(%L, ''{"role": "viewer"}'')', tests.id('nobody'))) - 'context', 'is like nobody');
select is(tests.refusal(format('select public.remove_member(%L)', tests.id('t.admin'))) ->> 'sqlstate', 'PT404', 'also to remove');
select is(tests.refusal(format('select public.transfer_ownership(%L)', tests.id('t.admin'))) ->> 'sqlstate', 'PT404', 'also as heir');
select is(tests.forced(format('update public.memberships set role = ''viewer'' where user_id = %L', tests.id('t.admin'))), '42501', 'past the RPCs the trigger refuses');
select tests.as_user('b.owner', 'a');
select is(tests.refusal(format('select public.change_member(%L, ''{"role": "viewer"}'')', tests.id('t.admin'))) ->> 'sqlstate', 'PT403', 'naming their organization does not help');
select is(tests.forced(format($$ insert into public.memberships (organization_id, user_id, role) values (%L, %L, 'owner') $$, tests.id('a'), tests.id('b.owner'))),
    '42501', 'nobody lets themself in');

-- The own membership: nobody but an owner changes it, and an owner only downwards.
select tests.as_user('a.admin');
select is(tests.refusal(format('select public.change_member(%L, %L)', tests.id('a.admin'), c.changes)) ->> 'message', 'own_membership', 'an admin on themself: ' || c.changes)
    from (values ('{"role": "owner"}'), ('{"role": "viewer"}'), ('{"status": "suspended"}'), ('{"permissions": {"leads.delete": true}}'),
        ('{"can_push_to_n8n": true}'), ('{"expires_at": null}'), ('{"allowed_dataset_ids": null}')) as c (changes);
select is(tests.refusal(format('select public.remove_member(%L)', tests.id('a.admin'))) ->> 'message', 'own_membership', 'nor removes themself: that is leaving');
select is(tests.forced_as('a.' || actor, format('update public.memberships set %s where user_id = %L', change, tests.id('a.' || actor))), '42501', format('past the RPCs: %s sets own %s', actor, change))
    from unnest(array['admin', 'manager', 'sales_rep', 'viewer', 'flagged_manager']) as actor,
        unnest(array['role = ''owner''', 'role = ''viewer'', status = ''suspended''', 'permissions = ''{"leads.delete": true}''', 'can_manage_users = not can_manage_users',
            'allowed_dataset_ids = ''{}''', 'expires_at = now()']) as change;
select is(tests.forced_as('a.viewer', format('update public.memberships set updated_at = now() where user_id = %L', tests.id('a.viewer'))), '1 row', 'what changes no right is not the trigger''s business');
select tests.as_user('a.owner');
select is(tests.attempt(format('select public.change_member(%L, ''{"role": "manager"}'')', tests.id('a.owner'))), '1 row', 'an owner steps down while another is there');

-- No more than one holds oneself: capabilities, datasets, time.
select tests.as_owner();
update public.memberships set permissions = '{"exports.read": false, "leads.delete": false}', allowed_dataset_ids = array[tests.id('a.dataset')],
    expires_at = now() + interval '10 days' where user_id = tests.id('a.admin');
update public.memberships set role = 'viewer', allowed_dataset_ids = '{}', expires_at = now() + interval '1 day',
    permissions = '{"customers.read": false}' where user_id = tests.id('t.manager');
select tests.as_user('a.admin');
select is(
    coalesce(tests.refusal(format('select public.change_member(%L, %L)', tests.id('t.manager'), c.changes)) ->> 'message', 'allowed'), c.expected, c.title)
    from (values
        ('{"permissions": {}}', 'allowed', 'an admin with limits gives back what they hold'),
        ('{"role": "manager"}', 'capability_not_held', 'but no role with a capability that was taken from them'),
        ('{"role": "manager", "permissions": {"exports.read": false}}', 'allowed', 'unless without it'),
        ('{"permissions": {"exports.read": true}}', 'capability_not_held', 'nor the capability alone'),
        ('{"permissions": {"leads.delete": true}}', 'capability_not_held', 'nor the other'),
        ('{"permissions": {"leads.write": true}}', 'allowed', 'one that they hold'),
        ('{"permissions": {"organization.transfer": true}}', 'only an owner holds organization.transfer', 'what only an owner holds is given by no permission'),
        ('{"can_edit_lessons": true, "can_push_to_n8n": true, "can_view_all_leads": true, "can_manage_users": true}', 'allowed', 'flags whose capability they hold'),
        (format('{"allowed_dataset_ids": ["%s"]}', tests.id('a.dataset')), 'allowed', 'a dataset of their own'),
        ('{"allowed_dataset_ids": null}', 'scope_not_held', 'not all of them'),
        ('{"expires_at": null}', 'outlasts_own_membership', 'not for ever'),
        (format('{"expires_at": "%s"}', to_char(now() + interval '11 days', 'YYYY-MM-DD"T"HH24:MI:SSOF')), 'outlasts_own_membership', 'nor longer than their own'),
        (format('{"expires_at": "%s"}', to_char(now() + interval '9 days', 'YYYY-MM-DD"T"HH24:MI:SSOF')), 'allowed', 'but as long')
    ) as c (changes, expected, title);
select is(tests.refusal($$ select public.invite_member('z@n.example', 'viewer') $$) ->> 'message', 'scope_not_held', 'the same holds for inviting');
select is(tests.refusal(format($$ select public.invite_member('z@n.example', 'viewer', allowed_dataset_ids => array[%L]::uuid[]) $$, tests.id('a.dataset'))) ->> 'message',
    'outlasts_own_membership', 'one after the other');
select is(tests.attempt(format($$ select public.invite_member('z@n.example', 'viewer', allowed_dataset_ids => array[%L]::uuid[], membership_expires_at => now() + interval '1 day') $$, tests.id('a.dataset'))),
    '1 row', 'within one''s own limits one invites');
-- What a member has already may stay when something else changes.
select tests.as_owner();
update public.memberships set allowed_dataset_ids = null, expires_at = null, permissions = '{"leads.delete": true}' where user_id = tests.id('t.manager');
select tests.as_user('a.admin');
select is(tests.attempt(format('select public.change_member(%L, ''{"can_edit_lessons": true}'')', tests.id('t.manager'))), '1 row', 'more than the admin holds, given by an owner, is no obstacle');
select is(tests.attempt(format('select public.change_member(%L, ''{"status": "suspended"}'')', tests.id('t.manager'))), '1 row', 'nor to suspend');
select tests.as_owner();
update public.memberships set status = 'suspended' where user_id = tests.id('t.manager');
select tests.as_user('a.admin');
select is(tests.refusal(format('select public.change_member(%L, ''{"status": "active"}'')', tests.id('t.manager'))) ->> 'message', 'capability_not_held',
    'but bringing it back is giving it');
select tests.as_user('a.owner');
select is(tests.attempt(format('select public.change_member(%L, ''{"status": "active"}'')', tests.id('t.manager'))), '1 row', 'which an owner may');

-- What a member could give is what the resolver lets them do.
select tests.as_owner();
update public.memberships set permissions = '{"leads.write": false, "exports.read": true, "lessons.write": false}', can_edit_lessons = true, can_push_to_n8n = true
    where user_id = tests.id('a.viewer');
create temporary table read_back as
    select m.user_id, private.member_capabilities(m) as capabilities from public.memberships m where m.organization_id = tests.id('a') and m.status = 'active';
create function tests.native_capabilities(person uuid) returns text[]
    language plpgsql
as $$
begin
    perform set_config('role', 'none', true);
    perform set_config('request.jwt.claims', jsonb_build_object('sub', person, 'role', 'authenticated', 'exp', extract(epoch from now())::bigint + 3600)::text, true);
    perform set_config('role', 'authenticated', true);
    return array(select jsonb_array_elements_text(switchboard.request_context() -> 'capabilities') order by 1);
end;
$$;
create temporary table natively as select user_id, capabilities, tests.native_capabilities(user_id) as native from read_back;
select tests.as_owner();
select cmp_ok((select count(*)::integer from natively where cardinality(native) > 3), '>=', 10, 'the native resolver gives capabilities');
select is(array(select c from unnest(capabilities) as c order by c collate "C"), array(select c from unnest(native) as c order by c collate "C"), 'the same for ' || user_id) from natively;

-- Arguments of change_member.
select tests.as_user('a.owner');
select is(tests.refusal(format('select public.change_member(%L, %L)', tests.id('t.viewer'), c.changes)) ->> 'sqlstate', '22023', 'refused: ' || coalesce(c.changes, 'null'))
    from (values
        (null), ('{}'), ('[]'), ('"role"'), ('{"role": null}'), ('{"role": "god"}'), ('{"role": ["admin"]}'), ('{"status": "invited"}'), ('{"status": null}'),
        ('{"permissions": null}'), ('{"permissions": []}'), ('{"permissions": {"leads.steal": true}}'), ('{"permissions": {"leads.read": 1}}'),
        ('{"can_manage_users": null}'), ('{"can_manage_users": "true"}'), ('{"allowed_dataset_ids": "x"}'), ('{"allowed_dataset_ids": ["x"]}'),
        ('{"allowed_dataset_ids": [null]}'), ('{"expires_at": "tomorrow"}'), ('{"expires_at": "2001-01-01T00:00:00Z"}'), ('{"expires_at": "2099-01-01T00:00:00"}'),
        ('{"expires_at": 1}'), ('{"user_id": null}'), ('{"organization_id": "x"}'), ('{"id": "x"}'), ('{"role": "viewer", "unknown": 1}'),
        ('{"role": "owner", "allowed_dataset_ids": []}'), ('{"role": "owner", "permissions": {"leads.read": false}}')
    ) as c (changes);
select is(public.change_member(tests.id('t.viewer'), '{"role": "owner"}') ->> 'role', 'owner', 'change_member answers with the membership');
select is(public.change_member(tests.id('t.manager'), '{"role": "owner", "status": "active"}') - '{id,created_at,updated_at,organization_id,user_id}'::text[],
    '{"role": "owner", "status": "active", "permissions": {}, "can_view_all_leads": false, "can_edit_lessons": false, "can_push_to_n8n": false, "can_manage_users": false, "allowed_dataset_ids": null, "expires_at": null}',
    'who becomes an owner loses limits');

-- Without a signed-in user the trigger is silent; a token for another role is nobody's.
select tests.as_owner();
select is(tests.attempt($$ update public.memberships set role = 'viewer' where user_id = tests.id('a.admin') $$), '1 row', 'migrations and the owner''s own statements are free');

select * from finish();
rollback;
