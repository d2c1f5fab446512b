-- Somebody who belongs to several organizations: nobody's screen goes empty by joining a second one, a row goes into
-- whichever organization it names by that organization's rules, and a refusal says why.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 861);
select tests.make_tenant('b', 862);
select tests.make_tenant('c', 863);

-- The first goes on: by founding, by an invitation, by a row that a backend writes.
select tests.make_user('m.founder');
select tests.as_user('m.founder');
create temporary table founded as select (public.create_organization('First of two')).id;
grant select on founded to authenticated;
select is(switchboard.current_organization_id(), (select id from founded), 'the first organization is the current one');
select lives_ok($$ select public.create_organization('Second of two') $$, 'a second one is founded');
select is(switchboard.current_organization_id(), (select id from founded), 'and the first stays current');
select is(public.whoami() ->> 'source', 'profiles.default_organization_id', 'as the default');
select lives_ok($$ select public.switch_organization(id) from public.organizations where name = 'Second of two' $$, 'until one switches');
select isnt(switchboard.current_organization_id(), (select id from founded), 'to the other');
select lives_ok($$ select public.create_organization('Third') $$, 'a third one is founded');
select is((select name from public.organizations where id = switchboard.current_organization_id()), 'Second of two', 'and changes nothing');

select tests.as_owner();
update auth.users set email = 'joiner@c.example', email_confirmed_at = now() where id = tests.id('c.viewer');
select tests.as_user('a.owner');
create temporary table invited as select public.invite_member('joiner@c.example', 'sales_rep') ->> 'token' as token;
grant select on invited to authenticated;
select tests.as_user('c.viewer');
select lives_ok($$ select public.accept_invitation(token) from invited $$, 'an invitation to a second organization is accepted');
select is(switchboard.current_organization_id(), tests.id('c'), 'and the first stays current');

-- Not a first one that gives nothing.
select tests.as_owner();
select tests.make_user('m.suspended');
insert into public.memberships (organization_id, user_id, role, status) values (tests.id('a'), tests.id('m.suspended'), 'viewer', 'suspended');
insert into public.memberships (organization_id, user_id, role) values (tests.id('b'), tests.id('m.suspended'), 'viewer');
select tests.as_user('m.suspended');
select is(switchboard.current_organization_id(), tests.id('b'), 'of a suspended membership and a new one the new one is current');

-- When the default goes, another one of several takes its place.
select tests.as_owner();
select tests.make_user('m.three');
insert into public.memberships (organization_id, user_id, role) values (tests.id('a'), tests.id('m.three'), 'viewer');
insert into public.memberships (organization_id, user_id, role) values (tests.id('b'), tests.id('m.three'), 'viewer');
insert into public.memberships (organization_id, user_id, role) values (tests.id('c'), tests.id('m.three'), 'viewer');
delete from public.memberships where organization_id = tests.id('a') and user_id = tests.id('m.three');
select tests.as_user('m.three');
select ok(switchboard.current_organization_id() in (tests.id('b'), tests.id('c')), 'who leaves the default goes on in another');

-- Inserts. A manager in a, whose request is for a, with different standings elsewhere.
select tests.as_owner();
select tests.make_user('m.many');
insert into public.memberships (organization_id, user_id, role) values (tests.id('a'), tests.id('m.many'), 'manager');
insert into public.memberships (organization_id, user_id, role, allowed_dataset_ids) values
    (tests.id('b'), tests.id('m.many'), 'manager', array[tests.id('b.dataset')]);
insert into public.memberships (organization_id, user_id, role) values (tests.id('c'), tests.id('m.many'), 'sales_rep');
insert into public.datasets (organization_id, id, name) values (tests.id('b'), tests.id('b.other'), 'Other');

create temporary sequence subscribers start 500;
grant usage on sequence subscribers to authenticated;
create function pg_temp.insert_lead(organization text, dataset text, assigned uuid default null) returns text language sql
return format(
    'insert into public.leads (organization_id, dataset_id, first_name, phone_number, assigned_to) values (%L, %L, ''New'', %L, %L)',
    tests.id(organization), tests.id(dataset), '+4477009' || lpad(nextval('subscribers')::text, 5, '0'), assigned);
grant execute on function pg_temp.insert_lead(text, text, uuid) to authenticated;

select tests.as_user('m.many', 'a');
select lives_ok(pg_temp.insert_lead('a', 'a.dataset'), 'into the organization of the request');
select lives_ok(pg_temp.insert_lead('b', 'b.dataset'), 'into another one, within the scope there');
select throws_ok(pg_temp.insert_lead('b', 'b.other'), '42501', 'forbidden', 'not outside of the scope there, though there is none here');
select lives_ok(pg_temp.insert_lead('c', 'c.dataset', tests.id('m.many')), 'an own row where only own rows are the member''s');
select throws_ok(pg_temp.insert_lead('c', 'c.dataset'), '42501', 'forbidden', 'and no other there, though all are here');
select throws_like($$ insert into public.campaign_settings (organization_id, m1_message) values (tests.id('b'), 'Hello') $$,
    'forbidden', 'nor what members with a scope share');
select lives_ok($$ insert into public.campaign_settings (organization_id, m1_message) values (tests.id('a'), 'Hello') $$, 'which a member without one writes');
select throws_ok($$ insert into public.agents (organization_id, name) values (tests.id('c'), 'New') $$, '42501', 'forbidden', 'nor what the role there may not');
select is(
    tests.refusal($$ insert into public.agents (organization_id, name) values (tests.id('c'), 'New') $$) ->> 'detail',
    'You do not hold agents.write in this organization.', 'the refusal says what is missing');
select lives_ok($$ insert into public.prompt_templates (organization_id, name, description, category, template_structure) values (tests.id('b'), 'New', 'New', 'New', '{}') $$,
    'templates likewise');
select tests.as_user('m.many', 'c');
select lives_ok(pg_temp.insert_lead('a', 'a.dataset'), 'the other way round, what the request''s organization refuses is accepted where it is allowed');
-- What is read and changed stays the request's.
select tests.as_user('m.many', 'a');
select is(tests.attempt($$ update public.leads set notes = 'x' where organization_id = tests.id('b') $$), '0 rows', 'an update reaches the request''s organization only');
select is(tests.attempt($$ delete from public.leads where organization_id = tests.id('b') $$), '0 rows', 'a delete too');
select throws_ok(pg_temp.insert_lead('b', 'b.dataset') || ' returning id', '42501', null, 'a row that the request may not read is not returned');

-- A membership that is suspended, has expired or is in a paused organization gives nothing.
select tests.as_owner();
update public.memberships set status = 'suspended' where organization_id = tests.id('b') and user_id = tests.id('m.many');
select tests.as_user('m.many', 'a');
select throws_ok(pg_temp.insert_lead('b', 'b.dataset'), '42501', null, 'not where one is suspended');
select is(
    tests.refusal(pg_temp.insert_lead('b', 'b.dataset')) ->> 'message',
    'new row violates row-level security policy for table "leads"', 'which is said as of an organization of others');
select tests.as_owner();
update public.memberships set status = 'active', expires_at = now() - interval '1 second' where organization_id = tests.id('b') and user_id = tests.id('m.many');
select tests.as_user('m.many', 'a');
select throws_ok(pg_temp.insert_lead('b', 'b.dataset'), '42501', null, 'nor after the membership has expired');
select tests.as_owner();
update public.memberships set expires_at = null where organization_id = tests.id('b') and user_id = tests.id('m.many');
update public.organizations set status = 'cancelled' where id = tests.id('b');
select tests.as_user('m.many', 'a');
select throws_ok(pg_temp.insert_lead('b', 'b.dataset'), '42501', null, 'nor in a cancelled organization');

-- Refusals that say why, and those that must not.
select tests.as_user('c.owner');
select is(
    tests.refusal($$ insert into public.agents (organization_id, name) values (tests.id('a'), 'New') $$) - 'context',
    tests.refusal($$ insert into public.agents (organization_id, name) values (tests.id('nowhere'), 'New') $$) - 'context',
    'an organization of others is refused like one that does not exist');
select tests.as_user('m.many');
select public.switch_organization(null);
select is(tests.refusal($$ insert into public.agents (name) values ('New') $$) ->> 'message', 'organization_required', 'who names no organization hears it');
select throws_ok($$ insert into public.agents (name) values ('New') $$, 'PT400', 'organization_required', 'as a bad request');
select lives_ok($$ insert into public.agents (organization_id, name) values (tests.id('a'), 'New') $$, 'and is accepted by naming one in the row');
select tests.as_user('m.many', null, '{"app_metadata": {"active_organization_id": "nonsense"}}');
select throws_ok($$ insert into public.agents (name) values ('New') $$, 'PT400', 'malformed', 'a malformed name is called so');
select tests.as_user('c.viewer', 'c');
select throws_ok($$ insert into public.agents (name) values ('New') $$, '42501', 'forbidden', 'a viewer hears that it is the right that lacks');
select tests.as_anon();
select throws_ok($$ insert into public.agents (name) values ('New') $$, '42501', null, 'anon has no grant at all');

select * from finish();
rollback;
