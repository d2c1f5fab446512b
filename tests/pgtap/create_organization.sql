-- create_organization: the only way to an organization, and its maker becomes the owner.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_user('n.new');

select tests.as_user('n.new');
create temporary table made as select * from public.create_organization('  Solar North  ', 'solar-north-test');
select is((select name from made), 'Solar North', 'returns the row, the name trimmed');
select is((select slug from made), 'solar-north-test', 'with the slug');
select is((select (status, plan, default_country, timezone)::text from made), '(active,starter,GB,Europe/London)', 'and the defaults');
select is((select role from public.memberships where organization_id = (select id from made)), 'owner', 'the caller owns it');
select is(switchboard.current_organization_id(), (select id from made), 'and works for it at once');
select is(public.whoami() ->> 'role', 'owner', 'as whoami says');
select lives_ok($$ insert into public.agents (name) values ('First') $$, 'and writes in it at once');
select is((select slug from public.create_organization('Solar Süd & Söhne 2')), 'solar-s-d-s-hne-2', 'a slug is made from the name');
select ok((select slug from public.create_organization('Solar North')) ~ '^solar-north', 'and from a name that exists');
select ok((select slug from public.create_organization('Solar North')) ~ '^solar-north-[0-9a-f]{8}$', 'with something added when it is taken');
select ok((select slug from public.create_organization('日本')) ~ '^[0-9a-f]{8}$', 'a name without Latin letters gets one too');
select is((select (default_country, timezone)::text from public.create_organization('X', 'x-test-1', 'US', 'America/New_York')),
    '(US,America/New_York)', 'country and time zone as given');
select is((select slug from public.create_organization('X', '  X-Test-2 ')), 'x-test-2', 'a slug is trimmed and lower-cased');

select is(tests.refusal(statement) ->> 'sqlstate', '22023', 'refused: ' || title)
    from (values
        ('no name', $$ select public.create_organization(null) $$),
        ('an empty name', $$ select public.create_organization('   ') $$),
        ('a long name', format($$ select public.create_organization(%L) $$, repeat('x', 201))),
        ('a short slug', $$ select public.create_organization('X', 'ab') $$),
        ('a long slug', format($$ select public.create_organization('X', %L) $$, repeat('x', 64))),
        ('a slug with a space', $$ select public.create_organization('X', 'a b c') $$),
        ('a slug that begins with a hyphen', $$ select public.create_organization('X', '-abc') $$),
        ('a slug with a line feed', $$ select public.create_organization('X', e'abc\ndef') $$),
        ('a country that is none', $$ select public.create_organization('X', 'x-test-3', 'England') $$),
        ('a country in lower case', $$ select public.create_organization('X', 'x-test-3', 'gb') $$),
        ('a country that does not exist', $$ select public.create_organization('X', 'x-test-3', 'XX') $$),
        ('no country', $$ select public.create_organization('X', 'x-test-3', null) $$),
        ('an unknown time zone', $$ select public.create_organization('X', 'x-test-3', 'GB', 'Europe/Nowhere') $$),
        ('an abbreviation as time zone', $$ select public.create_organization('X', 'x-test-3', 'GB', 'BST') $$),
        ('a POSIX time zone with its inverted sign', $$ select public.create_organization('X', 'x-test-3', 'GB', 'GMT+1') $$),
        ('a made-up POSIX time zone', $$ select public.create_organization('X', 'x-test-3', 'GB', 'Any/Word5') $$),
        ('no time zone', $$ select public.create_organization('X', 'x-test-3', 'GB', null) $$)
    ) as s (title, statement);
select is(tests.refusal($$ select public.create_organization('X', 'test-tenant-a') $$) - 'context', jsonb_build_object(
        'sqlstate', 'PT409', 'message', 'slug_taken', 'detail', 'The slug test-tenant-a is taken.',
        'hint', 'Choose another slug.'), 'a slug that is taken is PT409');

-- Whose organization it is cannot be chosen, and nobody makes one without being somebody.
select is(tests.attempt($$ insert into public.organizations (name, slug) values ('X', 'x-test-9') $$), '42501', 'no insert past the RPC');
select tests.as_user('n.new', null, '{"is_anonymous": true}');
select is(tests.refusal($$ select public.create_organization('X') $$) ->> 'message', 'anonymous_user', 'an anonymous user owns nothing');
select is(tests.refusal($$ select public.create_organization('X') $$) ->> 'sqlstate', 'PT403', 'by PT403');
select tests.as_owner();
update auth.users set is_anonymous = true where id = tests.id('n.new');
select tests.as_user('n.new');
select is(tests.refusal($$ select public.create_organization('X') $$) - '{context,detail,hint}'::text[],
    '{"sqlstate": "PT403", "message": "anonymous_user"}', 'nor does one whose token does not say so');
select tests.as_owner();
update auth.users set is_anonymous = false where id = tests.id('n.new');
select tests.as_user('n.new');
select is(tests.attempt($$ select public.create_organization('X') $$), '1 row', 'who has become a person does');
select tests.as_user('n.never-signed-up');
select is(tests.refusal($$ select public.create_organization('X') $$) ->> 'sqlstate', 'PT401', 'nor a user who was deleted');
select tests.as_user('n.new', null, '{"exp": 1}');
select is(tests.refusal($$ select public.create_organization('X') $$) ->> 'sqlstate', 'PT401', 'nor one whose token expired');
select tests.as_anon();
select is(tests.refusal($$ select public.create_organization('X') $$) ->> 'sqlstate', '42501', 'nor anon');
select tests.as_service();
select is(tests.refusal($$ select public.create_organization('X') $$) ->> 'sqlstate', '42501', 'nor the server');

-- A bound on how many one user makes.
select tests.as_owner();
create function tests.until_refused() returns jsonb
    language plpgsql
as $$
begin
    for n in 1 .. 100 loop
        perform public.create_organization('Again');
    end loop;
    return '{}';
exception
    when others then
        return jsonb_build_object('sqlstate', sqlstate, 'message', sqlerrm);
end;
$$;
grant execute on function tests.until_refused() to authenticated;
select tests.as_user('n.new');
select is(tests.until_refused(), '{"sqlstate": "PT429", "message": "too_many_organizations"}', 'one user makes a limited number');
select tests.as_user('a.owner');
select is(tests.attempt($$ select public.create_organization('Second') $$), '1 row', 'which does not limit others');

select * from finish();
rollback;
