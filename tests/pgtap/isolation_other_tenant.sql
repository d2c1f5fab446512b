-- The owner of one tenant against the rows of another: every table, every verb, with and without naming
-- the other tenant. Next to each refusal stands the same statement on the own rows.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

-- What an owner gets on the own rows: every verb that is granted to clients at all (catalogue_grants
-- spells those out), on every row. 23503: published prompts stay.
create function tests.rows_of(table_name text, t text) returns text
    language plpgsql
as $$
declare
    result bigint;
begin
    execute tests.statement('select', table_name, t);
    get diagnostics result = row_count;
    return result || case when result = 1 then ' row' else ' rows' end;
end;
$$;
create temporary table matrix as
    select t.name, v.verb,
        case
            when not case v.verb
                    when 'delete' then has_table_privilege('authenticated', 'public.' || t.name, v.verb)
                    else has_any_column_privilege('authenticated', 'public.' || t.name, v.verb)
                end
                then '42501'
            when v.verb = 'insert' then '1 row'
            when (t.name, v.verb) = ('prompts', 'delete') then '23503'
            else tests.rows_of(t.name, 'a')
        end as expected
    from tests.tenant_tables t
    cross join unnest(array['select', 'insert', 'update', 'delete']) as v (verb);
grant select on matrix to authenticated;
select is_empty($$ select name from matrix where verb = 'select' and expected in ('0 rows', '42501') $$,
    'tests.make_tenant puts a row into every table, and its owner may read it');

select tests.as_user('a.owner');
select is(tests.attempt(tests.statement(verb, name, 'a')), expected, format('own rows: %s %s', verb, name))
    from matrix order by name, verb;
select is(
    tests.attempt(tests.statement(verb, name, 'b')),
    case when verb = 'insert' or expected = '42501' then '42501' else '0 rows' end,
    format('rows of another tenant: %s %s', verb, name)
) from matrix order by name, verb;

-- The same with the other tenant in the header: then not even the own rows are there.
select tests.as_user('a.owner', 'b');
select is(
    tests.attempt(tests.statement(verb, name, t)),
    case
        -- Two tables are readable for all of the caller's organizations, whichever is active.
        when verb = 'select' and t = 'a' and name in ('organizations', 'memberships') then expected
        -- A new row names its organization itself.
        when verb = 'insert' and t = 'a' then expected
        when verb = 'insert' or expected = '42501' then '42501'
        else '0 rows'
    end,
    format('naming another tenant, rows of %s: %s %s', t, verb, name)
) from matrix, unnest(array['a', 'b']) as t order by name, verb, t;

-- Without any filter.
select tests.as_user('a.owner');
select is(
    tests.attempt(format('select 1 from public.%I where %I is distinct from %L %s', name, tenant_column, tests.id('a'),
        case name when 'prompt_templates' then 'and organization_id is not null' end)),
    '0 rows', format('select without a filter shows own rows only: %s', name)
) from tests.tenant_tables order by name;
select is(
    tests.attempt(format('select 1 from public.%I where id::text = %L or id in (select id from public.%I)', name, r.id, name)),
    case when name in ('leads', 'calls') then '2 rows' else '1 row' end,
    format('an id of another tenant among the own ones finds nothing more: %s', name)
) from (values
    ('agents', tests.id('b.agent')), ('provider_accounts', tests.id('b.account')), ('phone_numbers', tests.id('b.number')),
    ('customers', tests.id('b.customer')), ('calls', tests.id('b.call')), ('campaign_settings', tests.id('b.settings')),
    ('datasets', tests.id('b.dataset')), ('uploads', tests.id('b.upload')), ('leads', tests.id('b.lead')),
    ('lessons', tests.id('b.lesson')), ('prompts', tests.id('b.prompt')), ('prompt_versions', tests.id('b.version'))
) as r (name, id) order by name;

-- Statements that touch everything they can reach stay at home.
select lives_ok($$ update public.agents set name = 'Mine' $$, 'update without a filter succeeds');
select lives_ok($$ delete from public.lessons $$, 'delete without a filter succeeds');
select tests.as_owner();
select is((select name from public.agents where organization_id = tests.id('b')), 'Agent of b', 'and leaves the other tenant''s rows');
select is((select count(*)::integer from public.lessons where organization_id = tests.id('b')), 1, 'all of them');
select is((select name from public.agents where organization_id = tests.id('a')), 'Mine', 'the own row did change');

-- A batch with one foreign row is refused as a whole.
select tests.as_user('a.owner');
select throws_ok(
    format($$ insert into public.agents (organization_id, name) values (%L, 'One'), (%L, 'Two'), (%L, 'Three') $$,
        tests.id('a'), tests.id('b'), tests.id('a')),
    '42501', null, 'a batch with a foreign row is refused'
);
select is((select count(*)::integer from public.agents), 1, 'with all its rows');

-- organization_id: left out it is the active one; null, another, or moved it is refused.
select lives_ok($$ insert into public.agents (name) values ('By default') $$, 'organization_id may be left out');
select is((select organization_id from public.agents where name = 'By default'), tests.id('a'), 'and is the active organization');
select throws_ok($$ insert into public.agents (organization_id, name) values (null, 'X') $$, '42501', null,
    'organization_id null is refused by the policy');
select throws_ok(format($$ update public.agents set organization_id = %L $$, tests.id('b')), '42501', null,
    'a row cannot be given to another tenant');
select throws_ok(format($$ update public.agents set id = %L $$, tests.id('b.agent')), '42501', null, 'nor take its id');
select throws_ok($$ update public.agents set created_at = now() $$, '42501', null, 'nor another date');
select throws_ok($$ update public.agents set created_by = null $$, '42501', null, 'nor another author');

-- People: who shares no organization is not there.
select is(tests.attempt(format('select 1 from public.profiles where id = %L', tests.id('a.viewer'))), '1 row',
    'profiles of the own organization are readable');
select is(tests.attempt(format('select 1 from public.profiles where id = %L', tests.id('b.viewer'))), '0 rows',
    'profiles of other people are not');
select is(tests.attempt(format($$ update public.profiles set full_name = 'x' where id = %L $$, tests.id('b.viewer'))), '0 rows',
    'nobody updates other people''s profiles');
select is(tests.attempt($$ update public.profiles set full_name = 'x' $$), '1 row', 'only the own one');
select is(tests.attempt(format($$ insert into public.profiles (id) values (%L) $$, tests.id('b.viewer'))), '42501', 'nor inserts them');
select is(tests.attempt(format($$ delete from public.profiles where id = %L $$, tests.id('a.owner'))), '42501', 'nor deletes the own one');

-- Nobody makes themselves a member, an owner or a platform administrator.
select throws_ok(
    format($$ insert into public.memberships (organization_id, user_id, role) values (%L, %L, 'owner') $$, tests.id('b'), tests.id('a.owner')),
    '42501', null, 'joining another organization'
);
select tests.as_user('a.viewer');
select throws_ok(format($$ update public.memberships set role = 'owner' where user_id = %L $$, tests.id('a.viewer')),
    '42501', null, 'a viewer becoming owner');
select throws_ok(format($$ insert into private.platform_admins (user_id) values (%L) $$, tests.id('a.viewer')),
    '42501', null, 'becoming a platform administrator');
select throws_ok(format($$ update public.profiles set default_organization_id = %L $$, tests.id('b')),
    '42501', null, 'moving by way of the profile');

select * from finish();
rollback;
