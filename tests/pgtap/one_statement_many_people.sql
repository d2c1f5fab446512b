-- One prepared statement, one transaction, one snapshot, and another person at each execution: Realtime asks for its
-- subscribers like this. What was resolved for one must not be remembered for the next, whatever the plan, and not
-- after an error, a savepoint or a change of membership either.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
select tests.make_user('n.nobody');
select tests.make_user('m.both');
insert into public.memberships (organization_id, user_id, role)
values (tests.id('a'), tests.id('m.both'), 'owner'), (tests.id('b'), tests.id('m.both'), 'owner');
update public.profiles set default_organization_id = null where id = tests.id('m.both');

create function tests.claims(name text) returns text
    language sql stable
    return jsonb_build_object('sub', tests.id(name), 'role', 'authenticated')::text;
create function tests.headers(organization text) returns text
    language sql stable
    return coalesce(jsonb_build_object('x-organization-id', tests.id(organization))::text, '{}');
grant execute on all functions in schema tests to authenticated;

select tests.as_user('a.owner');
prepare seen as select coalesce(string_agg(distinct organization_id::text, ',' order by organization_id::text), '') from public.leads;
prepare seen_by_id (uuid) as select count(*)::text from public.leads where id = $1;

-- Executes a prepared statement as somebody, in the same transaction.
create or replace function pg_temp.seen_as(claims text, headers text default '{}', statement text default 'seen') returns text
    language plpgsql
as $$
declare
    result text;
begin
    perform set_config('request.jwt.claims', claims, true), set_config('request.headers', headers, true);
    execute 'execute ' || statement into result;
    return result;
end;
$$;

create temporary table rounds as
    select n, mode
    from unnest(array['force_generic_plan', 'force_custom_plan', 'auto']) as mode, generate_series(1, 4) as n;
select is(
    array[
        set_config('plan_cache_mode', mode, true),
        pg_temp.seen_as(tests.claims('a.owner')),
        pg_temp.seen_as(tests.claims('b.viewer')),
        pg_temp.seen_as(tests.claims('n.nobody')),
        pg_temp.seen_as(tests.claims('b.owner'), tests.headers('a')),
        pg_temp.seen_as(tests.claims('m.both')),
        pg_temp.seen_as(tests.claims('m.both'), tests.headers('b')),
        pg_temp.seen_as(tests.claims('m.both'), tests.headers('a')),
        pg_temp.seen_as(''),
        pg_temp.seen_as('null'),
        pg_temp.seen_as('{"sub": "'),
        pg_temp.seen_as(tests.claims('a.owner'))
    ],
    array[
        mode, tests.id('a')::text, tests.id('b')::text, '', '', '', tests.id('b')::text, tests.id('a')::text, '', '', '',
        tests.id('a')::text
    ],
    format('%s, round %s: each sees their own', mode, n)
) from rounds order by mode, n;
select is(
    array[
        pg_temp.seen_as(tests.claims('a.owner'), statement => format('seen_by_id(%L)', tests.id('b.lead'))),
        pg_temp.seen_as(tests.claims('b.owner'), statement => format('seen_by_id(%L)', tests.id('b.lead'))),
        pg_temp.seen_as(tests.claims('a.owner'), statement => format('seen_by_id(%L)', tests.id('b.lead')))
    ],
    array['0', '1', '0'], 'by id: the other tenant''s row is there for its owner only'
);

-- Claims that differ in one letter and in nothing else, and the longest that are read.
select is(
    array[
        pg_temp.seen_as(tests.claims('a.owner') || ' '),
        pg_temp.seen_as(jsonb_set(tests.claims('b.owner')::jsonb, '{x}', to_jsonb(repeat('x', 60000)))::text),
        pg_temp.seen_as(jsonb_set(tests.claims('a.owner')::jsonb, '{x}', to_jsonb(repeat('x', 60000)))::text),
        pg_temp.seen_as(jsonb_set(tests.claims('n.nobody')::jsonb, '{x}', to_jsonb(repeat('x', 60000)))::text)
    ],
    array[tests.id('a')::text, tests.id('b')::text, tests.id('a')::text, ''],
    'claims of any length are compared whole'
);

-- Inside one statement the claims change between two look-ups.
select is(
    (
        select array_agg(coalesce(organization, '') order by n)
        from (
            select n, set_config('request.jwt.claims', tests.claims(name), true),
                switchboard.current_organization_id()::text as organization
            from (values (1, 'a.owner'), (2, 'b.owner'), (3, 'n.nobody'), (4, 'a.owner')) as v (n, name)
            offset 0
        ) as s
    ),
    array[tests.id('a')::text, tests.id('b')::text, '', tests.id('a')::text],
    'the resolver answers for the claims of the moment'
);

-- Savepoints and errors.
savepoint before;
select is(pg_temp.seen_as(tests.claims('b.owner')), tests.id('b')::text, 'in a savepoint somebody else asks');
rollback to savepoint before;
select is(pg_temp.seen_as(tests.claims('a.owner')), tests.id('a')::text, 'after it is rolled back the first one sees their own');
select is(
    tests.attempt(format($$ select pg_temp.seen_as(%L), 1 / (n - 1) from generate_series(1, 1) as n $$, tests.claims('b.owner'))),
    '22012', 'somebody else asks, and the statement fails'
);
execute seen \gset
select is(:'coalesce', tests.id('a')::text, 'after which the first one sees their own, without being named again');

-- A membership that ends within the transaction.
select is(pg_temp.seen_as(tests.claims('m.both'), tests.headers('b')), tests.id('b')::text, 'a member sees the rows');
select tests.as_owner();
update public.memberships set status = 'suspended' where user_id = tests.id('m.both') and organization_id = tests.id('b');
select tests.as_user('m.both', 'b');
select is(pg_temp.seen_as(tests.claims('m.both'), tests.headers('b')), '', 'suspended: gone with the next statement of the same transaction');
select tests.as_owner();
update public.memberships set status = 'active' where user_id = tests.id('m.both') and organization_id = tests.id('b');
select tests.as_user('m.both', 'b');
select is(pg_temp.seen_as(tests.claims('m.both'), tests.headers('b')), tests.id('b')::text, 'active: back');

select * from finish();
rollback;
