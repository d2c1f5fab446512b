-- Claims and headers as an attacker would write them: malformed is nobody, foreign is nothing, and
-- neither ever falls through to the next source or raises in a policy.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

-- Signs a.owner in with claims or headers given as text.
create function tests.raw(claims text, headers text default '') returns void
    language plpgsql
as $$
begin
    perform set_config('role', 'none', true);
    perform set_config('request.jwt.claims', replace(claims, '$me', tests.id('a.owner')::text), true);
    perform set_config('request.headers',
        replace(replace(headers, '$a', tests.id('a')::text), '$b', tests.id('b')::text), true);
    perform set_config('role', 'authenticated', true);
end;
$$;
-- What is then visible of the own leads (two), and what a write and an RPC answer.
create function tests.seen() returns text
    language sql
as $$
    select concat_ws(', ',
        tests.attempt('select 1 from public.leads'),
        tests.attempt('insert into public.agents (name) values (''X'')'),
        tests.attempt('select public.add_phone_number(''03069 990901'', ''twilio'')'))
$$;
grant execute on function tests.raw(text, text), tests.seen() to authenticated;
\set me '{"sub": "$me", "role": "authenticated"}'

create function tests.with_claims(claims text, headers text default '') returns text
    language plpgsql
as $$
begin
    perform tests.raw(claims, headers);
    return tests.seen();
end;
$$;
grant execute on function tests.with_claims(text, text) to authenticated;

select is(tests.with_claims(:'me'), '2 rows, 1 row, 1 row', 'the control: good claims, no header');
select is(tests.with_claims(:'me', '{"x-organization-id": "$a"}'), '2 rows, 1 row, 1 row', 'good claims, own id');
select is(tests.with_claims(:'me', '{"x-organization-id": ["$a"]}'), '2 rows, 1 row, 1 row', 'a list of one header');
select is(tests.with_claims(:'me', '{"X-Organization-Id": "$a"}'), '2 rows, 1 row, 1 row', 'header names have no case');
select is(tests.with_claims(:'me', '{"x-organization-slug": "test-tenant-a"}'), '2 rows, 1 row, 1 row', 'own slug');
select is(tests.with_claims(:'me', '{"x-organization-id": "$a", "x-organization-slug": "test-tenant-a"}'),
    '2 rows, 1 row, 1 row', 'both, and they agree');

-- Headers: the first that is present decides, foreign or malformed ones decide for nothing.
select is(tests.with_claims(:'me', headers), concat_ws(', ', '0 rows', case rpc when 'PT400' then rpc else '42501' end, rpc), 'header ' || title)
    from (values
        ('names another tenant', '{"x-organization-id": "$b"}', 'PT403'),
        ('names nobody''s organization', '{"x-organization-id": "00000000-0000-4000-8000-000000000000"}', 'PT403'),
        ('names another tenant by slug', '{"x-organization-slug": "test-tenant-b"}', 'PT403'),
        ('names an unknown slug', '{"x-organization-slug": "no-such-tenant"}', 'PT403'),
        ('id and slug disagree', '{"x-organization-id": "$a", "x-organization-slug": "test-tenant-b"}', 'PT400'),
        ('slug and id disagree', '{"x-organization-id": "$b", "x-organization-slug": "test-tenant-a"}', 'PT400'),
        ('is empty', '{"x-organization-id": ""}', 'PT400'),
        ('is null', '{"x-organization-id": null}', 'PT400'),
        ('is a number', '{"x-organization-id": 7}', 'PT400'),
        ('is two ids', '{"x-organization-id": "$a,$b"}', 'PT400'),
        ('is a list of two', '{"x-organization-id": ["$a", "$b"]}', 'PT400'),
        ('is an empty list', '{"x-organization-id": []}', 'PT400'),
        ('is given twice', '{"x-organization-id": "$a", "x-organization-id": "$a"}', 'PT400'),
        ('is given twice in two spellings', '{"x-organization-id": "$a", "X-Organization-Id": "$a"}', 'PT400'),
        ('has braces', '{"x-organization-id": "{$a}"}', 'PT400'),
        ('has a space', '{"x-organization-id": " $a"}', 'PT400'),
        ('slug has upper case', '{"x-organization-slug": "Test-Tenant-A"}', 'PT400'),
        ('slug is empty', '{"x-organization-slug": ""}', 'PT400'),
        ('slug is a list of two', '{"x-organization-slug": ["test-tenant-a", "test-tenant-b"]}', 'PT400'),
        ('object is no object', '["$a"]', 'PT400'),
        ('object is no JSON', '{"x-organization-id": "$a"', 'PT400'),
        ('object is too long', '{"x-organization-id": "$a", "x": "' || repeat('x', 70000) || '"}', 'PT400')
    ) as c (title, headers, rpc);
select is(tests.with_claims(:'me', format('{"x-organization-id": "%s"}', upper(tests.id('a')::text))),
    '0 rows, PT400, PT400', 'header is in upper case: one identity has one spelling');

-- Claims.
select is(tests.with_claims(claims), '0 rows, 42501, PT401', 'claims ' || title)
    from (values
        ('are absent', ''),
        ('are JSON null', 'null'),
        ('are the text null', '"null"'),
        ('are a list', '[]'),
        ('are no JSON', '{"sub": "$me"'),
        ('have text behind', '{"sub": "$me", "role": "authenticated"} {}'),
        ('have no sub', '{"role": "authenticated"}'),
        ('have no role', '{"sub": "$me"}'),
        ('have an empty sub', '{"sub": "", "role": "authenticated"}'),
        ('have a sub that is null', '{"sub": null, "role": "authenticated"}'),
        ('have a sub that is a number', '{"sub": 7, "role": "authenticated"}'),
        ('have a sub in braces', '{"sub": "{$me}", "role": "authenticated"}'),
        ('have two subs', '{"sub": "$me", "sub": "$me", "role": "authenticated"}'),
        ('have two roles', '{"sub": "$me", "role": "anon", "role": "authenticated"}'),
        ('are for service_role', '{"sub": "$me", "role": "service_role"}'),
        ('are for anon', '{"sub": "$me", "role": "anon"}'),
        ('are for postgres', '{"sub": "$me", "role": "postgres"}'),
        ('have a role that is a list', '{"sub": "$me", "role": ["authenticated"]}'),
        ('have expired', '{"sub": "$me", "role": "authenticated", "exp": 1}'),
        ('have an expiry that is no number', '{"sub": "$me", "role": "authenticated", "exp": "soon"}'),
        ('have odd app_metadata', '{"sub": "$me", "role": "authenticated", "app_metadata": 7}'),
        ('are nested too deep', '{"sub": "$me", "role": "authenticated", "x": ' || repeat('[', 40) || repeat(']', 40) || '}'),
        ('are too long', '{"sub": "$me", "role": "authenticated", "x": "' || repeat('x', 70000) || '"}')
    ) as c (title, claims);
select is(
    tests.with_claims(format('{"sub": "$me", "role": "authenticated", "exp": %s}', extract(epoch from now())::bigint - 30)),
    '2 rows, 1 row, 1 row', 'clocks differ: half a minute past expiry still counts');
select is(
    tests.with_claims(format('{"sub": "$me", "role": "authenticated", "exp": %s}', extract(epoch from now())::bigint - 3600)),
    '0 rows, 42501, PT401', 'an hour does not');

-- app_metadata names an organization, and only a membership gives it.
select is(tests.with_claims('{"sub": "$me", "role": "authenticated", "app_metadata": {"active_organization_id": "' || id || '"}}'),
    outcome, 'app_metadata.active_organization_id ' || title)
    from (values
        ('is the own one', tests.id('a')::text, '2 rows, 1 row, 1 row'),
        ('is another tenant', tests.id('b')::text, '0 rows, 42501, PT403'),
        ('is no uuid', 'a', '0 rows, PT400, PT400'),
        ('is empty', '', '0 rows, PT400, PT400')
    ) as c (title, id, outcome);
select is(tests.with_claims('{"sub": "$me", "role": "authenticated", "app_metadata": {"role": "service_role", "org_id": "x"}}'),
    '2 rows, 1 row, 1 row', 'other app_metadata means nothing');

-- user_metadata is written by its owner: it is never read.
select is(
    tests.with_claims(format(
        '{"sub": "$me", "role": "authenticated", "user_metadata": {"active_organization_id": %s, "role": "service_role", "org_id": %s, "is_admin": true, "is_super_admin": true}}',
        to_json(tests.id('b')), to_json(tests.id('b')))),
    '2 rows, 1 row, 1 row', 'user_metadata changes nothing');
select is(switchboard.current_organization_id(), tests.id('a'), 'nor the organization');
select ok(not switchboard.is_platform_admin(), 'nor makes a platform administrator');

-- The old spelling of the claim, one setting each, as Storage sets it.
select tests.raw('');
select set_config('request.jwt.claim.sub', tests.id('a.owner')::text, true);
select is(tests.seen(), '2 rows, 1 row, 1 row', 'request.jwt.claim.sub counts when there are no claims');
select tests.raw(:'me');
select set_config('request.jwt.claim.sub', tests.id('b.owner')::text, true);
select is(tests.seen(), '0 rows, 42501, PT401', 'but two different people are nobody');
select set_config('request.jwt.claim.sub', 'x', true);
select is(tests.seen(), '0 rows, 42501, PT401', 'and an odd one makes nobody');
select set_config('request.jwt.claim.sub', '', true);

-- Claims decide for the role that they were issued for, and for no other.
select tests.raw(:'me');
select set_config('role', 'anon', true);
select is(tests.attempt('select 1 from public.leads'), '42501', 'anon with a user''s claims has no grant');
select tests.as_owner();
select set_config('request.jwt.claims', replace(:'me', '$me', tests.id('a.owner')::text), true);
select is(switchboard.user_id(), null, 'a user''s claims under another role are nobody''s');
select is(switchboard.current_organization_id(), null, 'and name no organization');
select is(switchboard.request_context() ->> 'reason', 'no_identity', 'as context() says');

-- One transaction, one prepared statement, changing claims: what Realtime does for its subscribers.
select tests.as_user('a.owner');
prepare listing as select distinct organization_id from public.leads;
set local plan_cache_mode = force_generic_plan;
select results_eq('listing', array[tests.id('a')], 'a prepared statement answers for a');
select tests.as_user('b.owner');
select results_eq('listing', array[tests.id('b')], 'the same one for b');
select tests.raw('');
select is_empty('listing', 'and nobody gets nothing');
select tests.as_user('a.owner', 'b');
select is_empty('listing', 'nor does a naming b');
select tests.as_user('a.owner');
select results_eq('listing', array[tests.id('a')], 'and a again');

-- Revoked in the middle of a transaction.
savepoint revoked;
select tests.as_owner();
insert into public.memberships (organization_id, user_id, role) select tests.id('a'), tests.make_user('a.partner'), 'owner';
update public.memberships set status = 'suspended' where user_id = tests.id('a.owner');
select tests.as_user('a.owner');
select is_empty('listing', 'suspended: from the next statement');
rollback to savepoint revoked;
select tests.as_user('a.owner');
select results_eq('listing', array[tests.id('a')], 'rolled back: a member again');

-- The server's role: an organization only by header, and no person beside it.
select tests.as_service();
select is(switchboard.current_organization_id(), null, 'service_role has no organization of its own');
select tests.as_service('b');
select is(switchboard.current_organization_id(), tests.id('b'), 'it names one by header');
select throws_ok($$ select switchboard.require_user_id() $$, 'PT401', null, 'it is no person');
select is(switchboard.require_organization('leads.read'), tests.id('b'), 'for which it holds every capability');
select tests.as_service();
select throws_ok($$ select switchboard.require_organization('leads.read') $$, 'PT400', null, 'without the header it is asked which one');
select tests.as_service('nowhere');
select is(switchboard.current_organization_id(), null, 'an organization that does not exist is none');

select * from finish();
rollback;
