-- Invitations: the token is a secret that is told once, bound to an address, an inviter's rights and a time.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
select tests.make_user('n.new');
select tests.make_user('n.other');
update auth.users set email_confirmed_at = now() where id in (tests.id('n.new'), tests.id('n.other'));
create temporary table sent (name text primary key, answer jsonb);
grant select, insert on sent to authenticated;
create function tests.token(of_name text) returns text
    language sql stable as $$ select answer ->> 'token' from sent where name = of_name $$;
create function tests.accept(of_name text) returns text
    language sql stable as $$ select format('select public.accept_invitation(%L)', tests.token(of_name)) $$;
grant execute on function tests.token(text), tests.accept(text) to authenticated;

-- Inviting.
select tests.as_user('a.admin');
insert into sent select 'new', public.invite_member('  New@N.example ', 'manager', '{"prompts.publish": false}', can_push_to_n8n => true,
    allowed_dataset_ids => array[tests.id('a.dataset')], membership_expires_at => now() + interval '1 year', expires_in => '2 days');
select set_eq($$ select k from sent, jsonb_object_keys(answer) as k $$, array['invitation_id', 'token', 'expires_at'], 'an invitation answers with its id, token and end');
select is((answer ->> 'expires_at')::timestamptz, now() + interval '48 hours', 'which is as asked') from sent;
select ok(tests.token('new') ~ '^[0-9a-f]{64}$', 'the token is 64 hexadecimal digits');
select is(
    (select (email, role, permissions, can_push_to_n8n, can_manage_users, allowed_dataset_ids, invited_by)::text from public.invitations i
        where id = (select (answer ->> 'invitation_id')::uuid from sent)),
    (select ('new@n.example', 'manager', '{"prompts.publish": false}'::jsonb, true, false, array[tests.id('a.dataset')], tests.id('a.admin'))::text),
    'the invitation says what was asked, the address trimmed and lower-case');
select throws_ok($$ select token_hash from public.invitations $$, '42501', null, 'nobody reads the hash');
select throws_ok($$ select * from public.invitations $$, '42501', null, 'nor everything');
select tests.as_owner();
select is((select token_hash from public.invitations i where email = 'new@n.example'), sha256(convert_to(tests.token('new'), 'UTF8')),
    'what is stored is the token''s SHA-256');
select is_empty(format($$ select from public.invitations i where i::text ~ %L $$, tests.token('new')), 'the token is in no column');
select tests.as_user('a.owner');
select isnt(public.invite_member('x@n.example', 'viewer') ->> 'token', public.invite_member('y@n.example', 'viewer') ->> 'token', 'no two tokens are the same');
select is((select expires_at from public.invitations where email = 'x@n.example'), now() + interval '168 hours', 'seven days when nothing is said');
insert into sent select 'first', public.invite_member('other@n.example', 'viewer');
insert into sent select 'second', public.invite_member('OTHER@n.example', 'sales_rep');
select is((select array_agg(role) from public.invitations where email = 'other@n.example'), array['sales_rep'], 'inviting again replaces the invitation');
select is(tests.attempt($$ select public.invite_member('boss@n.example', 'owner') $$), '1 row', 'an owner invites an owner');
select is(tests.refusal(statement) ->> 'sqlstate', '22023', 'refused: ' || title)
    from (values
        ('no address', $$ select public.invite_member(null, 'viewer') $$),
        ('no e-mail address', $$ select public.invite_member('a.example', 'viewer') $$),
        ('two addresses', $$ select public.invite_member('a@a.example, b@a.example', 'viewer') $$),
        ('an address with a line feed', $$ select public.invite_member(e'a@a.example\nBcc:b', 'viewer') $$),
        ('a long address', format($$ select public.invite_member(%L, 'viewer') $$, repeat('x', 320) || '@a.example')),
        ('no role', $$ select public.invite_member('z@n.example', null) $$),
        ('an unknown role', $$ select public.invite_member('z@n.example', 'company_owner') $$),
        ('an unknown capability', $$ select public.invite_member('z@n.example', 'viewer', '{"leads.steal": true}') $$),
        ('permissions that are no object', $$ select public.invite_member('z@n.example', 'viewer', '[]') $$),
        ('no permissions', $$ select public.invite_member('z@n.example', 'viewer', null) $$),
        ('a flag that is null', $$ select public.invite_member('z@n.example', 'viewer', can_manage_users => null) $$),
        ('an owner with limits', $$ select public.invite_member('z@n.example', 'owner', '{"leads.read": false}') $$),
        ('an owner with a scope', $$ select public.invite_member('z@n.example', 'owner', allowed_dataset_ids => '{}') $$),
        ('a membership that is over', $$ select public.invite_member('z@n.example', 'viewer', membership_expires_at => now()) $$),
        ('no time', $$ select public.invite_member('z@n.example', 'viewer', expires_in => null) $$),
        ('too little time', $$ select public.invite_member('z@n.example', 'viewer', expires_in => '1 second') $$),
        ('too much time', $$ select public.invite_member('z@n.example', 'viewer', expires_in => '31 days') $$),
        ('another tenant''s dataset', format($$ select public.invite_member('z@n.example', 'viewer', allowed_dataset_ids => array[%L::uuid]) $$, tests.id('b.dataset'))),
        ('a dataset twice', format($$ select public.invite_member('z@n.example', 'viewer', allowed_dataset_ids => array[%1$L, %1$L]::uuid[]) $$, tests.id('a.dataset')))
    ) as s (title, statement);
select is(tests.attempt($$ select public.invite_member('z@n.example', 'viewer', expires_in => '1 month') $$), '1 row', 'a month is 30 days');
select is(tests.refusal($$ select public.invite_member('Viewer@a.example', 'admin') $$) ->> 'message', 'already_member', 'a member is not invited again');
select is(tests.refusal($$ select public.invite_member('Viewer@a.example', 'admin') $$) ->> 'sqlstate', 'PT409', 'by PT409');
select is(tests.attempt($$ select public.invite_member('viewer@b.example', 'viewer') $$), '1 row', 'whether somebody is a member elsewhere is not said');

-- Who reads and writes invitations.
select tests.as_user('a.manager');
select is(tests.attempt('select email from public.invitations'), '0 rows', 'who may not invite does not see who is invited');
select is(tests.refusal($$ select public.invite_member('z@n.example', 'viewer') $$) ->> 'sqlstate', 'PT403', 'a manager does not invite');
select tests.as_user('b.owner');
select is(tests.attempt(format('select email from public.invitations where organization_id = %L', tests.id('a'))), '0 rows', 'nor does another tenant''s owner');
select is(tests.attempt('select email from public.invitations'), '1 row', 'who sees the own ones');
select is(tests.refusal(format('select public.revoke_invitation(%L)', (select answer ->> 'invitation_id' from sent where name = 'new'))) ->> 'message',
    'invitation_not_found', 'another tenant''s invitation cannot be revoked');
select tests.as_anon();
select throws_ok($$ select public.accept_invitation('x') $$, '42501', null, 'anon accepts nothing');
select throws_ok($$ select public.invite_member('z@n.example', 'viewer') $$, '42501', null, 'and invites nobody');
select tests.as_service('a');
select throws_ok($$ select public.invite_member('z@n.example', 'viewer') $$, '42501', null, 'nor does the server: somebody has to answer for it');

-- Who may not accept: every answer names the reason only to whom it concerns.
select tests.as_user('a.owner');
insert into sent select 'b viewer', public.invite_member('viewer@b.example', 'viewer');
select tests.as_user('n.other');
select is(tests.refusal(tests.accept('new')) ->> 'message', 'email_mismatch', 'a stolen token is worth nothing with another address');
select is(tests.refusal(tests.accept('new')) ->> 'sqlstate', 'PT403', 'by PT403');
select tests.as_user('b.viewer');
select is(tests.refusal(tests.accept('b viewer')) ->> 'message', 'email_not_confirmed', 'the own invitation, with an address that is not confirmed');
select tests.as_owner();
update auth.users set email_confirmed_at = now() where id = tests.id('b.viewer');
select tests.as_user('b.viewer');
select is(tests.attempt(tests.accept('b viewer')), '1 row', 'is accepted once it is');
select tests.as_user('b.viewer', null, '{"is_anonymous": true}');
select is(tests.refusal(tests.accept('b viewer')) ->> 'message', 'anonymous_user', 'not by an anonymous token');
select tests.as_owner();
update auth.users set is_anonymous = true where id = tests.id('b.viewer');
select tests.as_user('b.viewer');
select is(tests.refusal(tests.accept('b viewer')) ->> 'message', 'anonymous_user', 'nor by an anonymous user');
select tests.as_user('n.never-signed-up', null, '{"email": "new@n.example"}');
select is(tests.refusal(tests.accept('new')) ->> 'message', 'unknown_user', 'nor by a user who was deleted; the address in the token counts nothing');
select tests.as_user('n.new', null, '{"exp": 1}');
select is(tests.refusal(tests.accept('new')) ->> 'sqlstate', 'PT401', 'nor with an expired token');

-- A look-alike address is another address: nothing is folded but A to Z. U+212A is the KELVIN SIGN, whose lower case is k.
select tests.as_owner();
insert into auth.users (id, email, email_confirmed_at)
select tests.id('n.' || name), email, now()
from (values
    ('kate', 'kate@n.example'), ('kelvin', chr(8490) || 'ate@n.example'), ('shout', 'KATE.B@N.EXAMPLE'),
    ('umlaut', 'j' || chr(252) || 'rgen@n.example'), ('capital', 'J' || chr(220) || 'RGEN@n.example')
) as v (name, email);
create function tests.accepts(who text, invitation text) returns boolean
    language plpgsql
as $$
begin
    perform tests.as_user('n.' || who);
    return tests.attempt(tests.accept(invitation)) = '1 row';
end;
$$;
select tests.as_user('a.owner');
insert into sent values
    ('kate', public.invite_member('Kate@n.example', 'viewer')), ('shout', public.invite_member('kate.b@n.example', 'viewer')),
    ('kelvin', public.invite_member(chr(8490) || 'ate@N.example', 'viewer')),
    ('umlaut', public.invite_member('J' || chr(252) || 'rgen@n.example', 'viewer'));
select is((select count(*)::integer from public.invitations where email in ('kate@n.example', chr(8490) || 'ate@n.example')), 2,
    'two addresses that look alike are two invitations');
select tests.as_owner();
select is(
    (select string_agg(who || ' ' || invitation, ', ' order by who, invitation)
        from unnest(array['kate', 'kelvin', 'shout', 'umlaut', 'capital']) as who
        cross join unnest(array['kate', 'kelvin', 'shout', 'umlaut']) as invitation
        where tests.accepts(who, invitation)),
    'kate kate, kelvin kelvin, shout shout, umlaut umlaut', 'each accepts the own one and no other');
select tests.as_user('n.kelvin');
select is(tests.refusal(tests.accept('kate')) ->> 'message', 'email_mismatch', 'a look-alike is told that it is another address');
select tests.as_user('n.kate');
select lives_ok(tests.accept('kate'), 'the address that was invited accepts');
select tests.as_user('a.owner');
select is(tests.refusal($$ select public.invite_member(' KATE@n.example', 'viewer') $$) ->> 'message', 'already_member', 'and is a member in any case');
select is(tests.attempt($$ select public.invite_member(chr(8490) || 'ate@n.example', 'viewer') $$), '1 row', 'which its look-alike is not');

-- Unknown, malformed, expired, revoked, used: one answer.
select tests.as_owner();
insert into public.invitations (organization_id, email, role, token_hash, invited_by, created_at, expires_at, membership_expires_at) values
    (tests.id('a'), 'late@n.example', 'viewer', sha256('expired'), tests.id('a.owner'), now() - interval '8 days', now() - interval '1 second', null),
    (tests.id('a'), 'over@n.example', 'viewer', sha256('over'), tests.id('a.owner'), now() - interval '8 days', now() + interval '1 day', now() - interval '1 second');
insert into sent values ('expired', '{"token": "expired"}'), ('over', '{"token": "over"}'), ('unknown', '{"token": "unknown"}'),
    ('empty', '{"token": ""}'), ('null', '{"token": null}'), ('upper case', jsonb_build_object('token', upper(tests.token('new'))));
select tests.as_user('a.owner');
insert into sent select 'revoked', public.invite_member('revoked@n.example', 'viewer');
select lives_ok(format('select public.revoke_invitation(%L)', (select answer ->> 'invitation_id' from sent where name = 'revoked')), 'an invitation is revoked');
select is(tests.refusal(format('select public.revoke_invitation(%L)', (select answer ->> 'invitation_id' from sent where name = 'revoked'))) ->> 'sqlstate',
    'PT404', 'once');
select is((select revoked_by from public.invitations where email = 'revoked@n.example'), tests.id('a.owner'), 'by whom is written down');
select tests.as_user('n.new');
create temporary table answers as select name, tests.refusal(tests.accept(name)) - 'context' as answer
    from unnest(array['unknown', 'empty', 'null', 'upper case', 'expired', 'over', 'revoked', 'first']) as name;
select is(answer ->> 'sqlstate', 'PT404', format('no invitation: %s', name)) from answers;
select is((select count(distinct answer)::integer from answers), 1, 'and the same words for each');

-- Accepting.
select lives_ok(tests.accept('new'), 'the invited address accepts');
select is(
    (select (role, status, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n, can_manage_users, allowed_dataset_ids, expires_at)::text
        from public.memberships where user_id = tests.id('n.new')),
    (select ('manager', 'active', '{"prompts.publish": false}'::jsonb, false, false, true, false, array[tests.id('a.dataset')], now() + interval '1 year')::text),
    'and has what was offered');
select is(switchboard.current_organization_id(), tests.id('a'), 'at once');
select is(tests.refusal(tests.accept('new')) ->> 'message', 'invitation_not_found', 'a token works once');
select tests.as_user('n.other');
select is(tests.attempt(tests.accept('first')), 'PT404', 'a replaced token is void');
select is((select tests.attempt(tests.accept('second'))), '1 row', 'the new one works');
select tests.as_owner();
select is((select (accepted_by, accepted_at)::text from public.invitations where email = 'new@n.example'), (select (tests.id('n.new'), now())::text),
    'who accepted is written down');

-- Inviter or offer changed since: PT410. Each change is undone, and then it works.
select tests.as_user('a.admin');
insert into sent select 'by admin', public.invite_member('other@n.example', 'manager');
select tests.as_owner();
create function tests.after(change text) returns text
    language plpgsql
as $$
declare
    outcome text;
begin
    perform tests.as_owner();
    execute change;
    perform tests.as_user('n.other');
    outcome := tests.attempt(tests.accept('by admin'));
    perform tests.as_owner();
    raise exception using errcode = 'ZZ998', message = outcome;
exception
    when sqlstate 'ZZ998' then
        return sqlerrm;
end;
$$;
select is(tests.after(change), expected, title)
    from (values
        ('select', '1 row', 'nothing changed: it is accepted'),
        ($$ update public.memberships set role = 'manager' where user_id = tests.id('a.admin') $$, 'PT410', 'the inviter was demoted'),
        ($$ update public.memberships set role = 'manager', can_manage_users = true where user_id = tests.id('a.admin') $$, 'PT410', 'below what they offered'),
        ($$ update public.memberships set role = 'owner' where user_id = tests.id('a.admin') $$, '1 row', 'the inviter was promoted'),
        ($$ update public.memberships set status = 'suspended' where user_id = tests.id('a.admin') $$, 'PT410', 'the inviter is suspended'),
        ($$ update public.memberships set expires_at = now() where user_id = tests.id('a.admin') $$, 'PT410', 'the inviter''s membership has expired'),
        ($$ update public.memberships set expires_at = now() + interval '1 day' where user_id = tests.id('a.admin') $$, 'PT410', 'or ends before the one offered'),
        ($$ update public.memberships set permissions = '{"members.write": false}' where user_id = tests.id('a.admin') $$, 'PT410', 'the inviter may invite no more'),
        ($$ update public.memberships set permissions = '{"leads.write": false}' where user_id = tests.id('a.admin') $$, 'PT410', 'the inviter lost what they offered'),
        ($$ update public.memberships set allowed_dataset_ids = '{}' where user_id = tests.id('a.admin') $$, 'PT410', 'or sees less data'),
        ($$ delete from public.memberships where user_id = tests.id('a.admin') $$, 'PT410', 'the inviter has left'),
        ($$ delete from auth.users where id = tests.id('a.admin') $$, 'PT410', 'the inviter is no more'),
        ($$ update public.invitations set role = 'admin' where email = 'other@n.example' and invited_by = tests.id('a.admin') $$, 'PT410', 'the role was raised afterwards'),
        ($$ update public.organizations set status = 'paused' where id = tests.id('a') $$, 'PT409', 'the organization is paused'),
        ($$ insert into public.memberships (organization_id, user_id, role) values (tests.id('a'), tests.id('n.other'), 'viewer') $$, 'PT409', 'a member already'),
        ($$ insert into public.memberships (organization_id, user_id, role, status) values (tests.id('a'), tests.id('n.other'), 'viewer', 'suspended') $$, 'PT409', 'a suspended member does not come back by an invitation'),
        ($$ delete from public.organizations where id = tests.id('a') $$, 'PT404', 'the organization is deleted')
    ) as c (change, expected, title);

-- An accepted invitation is no second way in, and offers nothing else.
create function tests.forced(statement text) returns text
    language plpgsql security definer
as $$ begin return tests.attempt(statement); end; $$;
grant execute on function tests.forced(text) to authenticated;
update public.invitations set accepted_at = now(), accepted_by = tests.id('n.other') where email = 'other@n.example' and invited_by = tests.id('a.admin');
select tests.as_user('n.other');
select is(tests.forced(format($$ insert into public.memberships (organization_id, user_id, role) values (%L, %L, 'manager') $$, tests.id('a'), tests.id('n.other'))),
    '1 row', 'the trigger lets in who accepted in this transaction');
select is(tests.forced(format($$ insert into public.memberships (organization_id, user_id, role) values (%L, %L, 'admin') $$, tests.id('a'), tests.id('n.other'))),
    '42501', 'not with another role');
select is(tests.forced(format($$ insert into public.memberships (organization_id, user_id, role, can_manage_users) values (%L, %L, 'manager', true) $$, tests.id('a'), tests.id('n.other'))),
    '42501', 'nor with a flag');
select is(tests.forced(format($$ insert into public.memberships (organization_id, user_id, role) values (%L, %L, 'manager') $$, tests.id('b'), tests.id('n.other'))),
    '42501', 'nor elsewhere');
select tests.as_owner();
update public.invitations set accepted_at = now() - interval '1 second' where accepted_by = tests.id('n.other');
select tests.as_user('n.other');
select is(tests.forced(format($$ insert into public.memberships (organization_id, user_id, role) values (%L, %L, 'manager') $$, tests.id('a'), tests.id('n.other'))),
    '42501', 'nor in a later transaction');

-- Replacing and revoking what one could not have given.
select tests.as_user('a.owner');
insert into sent select 'admin to be', public.invite_member('boss@n.example', 'admin');
select tests.as_user('a.admin');
select is(tests.refusal($$ select public.invite_member('boss@n.example', 'viewer') $$) ->> 'message', 'role_too_low', 'an admin does not replace an invitation of an admin');
select is(tests.refusal(format('select public.revoke_invitation(%L)', (select answer ->> 'invitation_id' from sent where name = 'admin to be'))) ->> 'message',
    'role_too_low', 'nor revokes it');
select tests.as_user('a.owner');
select is(tests.attempt(format('select public.revoke_invitation(%L)', (select answer ->> 'invitation_id' from sent where name = 'admin to be'))), '1 row', 'an owner does');

-- A bound on open ones; what is over does not count.
select tests.as_owner();
create function tests.until_refused() returns jsonb
    language plpgsql
as $$
begin
    for n in 1 .. 200 loop
        perform public.invite_member('many' || n || '@n.example', 'viewer');
    end loop;
    return '{}';
exception
    when others then
        return jsonb_build_object('sqlstate', sqlstate, 'message', sqlerrm);
end;
$$;
grant execute on function tests.until_refused() to authenticated;
select tests.as_user('a.owner');
select is(tests.until_refused(), '{"sqlstate": "PT429", "message": "too_many_invitations"}', 'an organization has a limited number of open invitations');
select tests.as_owner();
insert into public.invitations (organization_id, email, role, token_hash, invited_by, created_at, expires_at)
select tests.id('b'), 'old' || n || '@n.example', 'viewer', sha256(n::text::bytea), tests.id('b.owner'), now() - interval '8 days', now() - interval '1 day'
from generate_series(1, 100) as n;
select tests.as_user('b.owner');
select is(tests.attempt($$ select public.invite_member('z@n.example', 'viewer') $$), '1 row', 'expired ones do not count, nor another tenant''s');

select * from finish();
rollback;
