-- What a member of each role may do to each table: the capability table against row level security.
-- switchboard.capabilities() itself is spelled out in the tier regress.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);

-- Rows of tenant a in each table, by the owner of the database; a sales_rep has one of the two leads and of the two calls.
create function tests.rows_of(table_name text, t text) returns integer
    language plpgsql
as $$
declare
    result integer;
begin
    execute tests.statement('select', table_name, t);
    get diagnostics result = row_count;
    return result;
end;
$$;
create temporary table cases as
    select r.role, v.verb, t.name, tests.rows_of(t.name, 'a') as rows,
        case v.verb
            when 'delete' then has_table_privilege('authenticated', 'public.' || t.name, v.verb)
            else has_any_column_privilege('authenticated', 'public.' || t.name, v.verb)
        end as granted,
        exists (
            select from switchboard.capabilities() c
            where c.role = r.role and c.capability = t.object || '.' || case
                -- Who is invited is for those who could have invited them.
                when t.name = 'invitations' then 'write'
                when v.verb = 'select' then 'read'
                when v.verb = 'delete' then 'delete'
                else 'write'
            end
        ) and (t.name not in ('upload_errors', 'upload_rows') or exists (
            select from switchboard.capabilities() c where c.role = r.role and c.capability = 'leads.read_all'
        )) as allowed,
        -- Only for the rows that are the member's own.
        r.role = 'sales_rep' and t.name in ('leads', 'lead_events', 'calls') as own
    from unnest(array['owner', 'admin', 'manager', 'sales_rep', 'viewer']) as r (role)
    cross join unnest(array['select', 'insert', 'update', 'delete']) as v (verb)
    cross join tests.tenant_tables t;
grant select on cases to authenticated;

create function tests.verdicts(of_role text) returns table (verb text, name text, expected text, actual text)
    language plpgsql
as $$
begin
    perform tests.as_user('a.' || of_role);
    return query
        select c.verb, c.name,
            case
                when not c.granted then '42501'
                when c.verb = 'insert' then case when c.allowed and not c.own then '1 row' else '42501' end
                when not c.allowed then '0 rows'
                when (c.name, c.verb) = ('prompts', 'delete') then '23503'
                else case when c.own then 1 else c.rows end
                    || case when c.own or c.rows = 1 then ' row' else ' rows' end
            end,
            tests.attempt(tests.statement(c.verb, c.name, 'a'))
        from cases c where c.role = of_role;
end;
$$;
grant execute on function tests.verdicts(text) to authenticated;
select is(v.actual, v.expected, format('%s: %s %s', r.role, v.verb, v.name))
    from unnest(array['owner', 'admin', 'manager', 'sales_rep', 'viewer']) as r (role),
        lateral tests.verdicts(r.role) as v
    order by r.role, v.name, v.verb;
select tests.as_owner();
select is((select count(*) from cases), (select 20 * count(*) from tests.tenant_tables), 'five roles, four verbs, every table');

-- A sales_rep works on the leads assigned to them, and on no other.
select tests.as_user('a.sales_rep');
select results_eq($$ select id from public.leads $$, array[tests.id('a.lead.rep')], 'a sales_rep sees the own lead');
select is(tests.attempt(format($$ update public.leads set notes = 'x' where id = %L $$, tests.id('a.lead.rep'))), '1 row',
    'a sales_rep changes the own lead');
select is(tests.attempt(format($$ update public.leads set notes = 'x' where id = %L $$, tests.id('a.lead'))), '0 rows',
    'but no other');
select throws_ok(format($$ update public.leads set assigned_to = %L $$, tests.id('a.manager')), '42501', null,
    'a sales_rep cannot give the lead away');
select throws_ok($$ update public.leads set assigned_to = null $$, '42501', null, 'nor put it back');
select is(
    tests.attempt(format(
        $$ insert into public.leads (dataset_id, first_name, phone_number, assigned_to) values (%L, 'Lead 003', '07700 900004', %L) $$,
        tests.id('a.dataset'), tests.id('a.sales_rep'))),
    '1 row', 'a sales_rep adds a lead to the own ones'
);
select is(
    tests.attempt(format(
        $$ insert into public.leads (dataset_id, first_name, phone_number, assigned_to) values (%L, 'Lead 003', '07700 900004', %L) $$,
        tests.id('a.dataset'), tests.id('a.manager'))),
    '42501', 'but not for somebody else'
);
select is(tests.attempt($$ delete from public.leads $$), '0 rows', 'a sales_rep deletes none');
select tests.as_user('a.manager');
select is(tests.attempt(format($$ update public.leads set assigned_to = %L $$, tests.id('a.sales_rep'))), '2 rows',
    'a manager assigns leads');

-- Roles change from the next statement.
select tests.as_owner();
update public.memberships set role = 'viewer' where user_id = tests.id('a.manager');
select tests.as_user('a.manager');
select is(tests.attempt($$ update public.leads set notes = 'x' $$), '0 rows', 'a manager who became a viewer changes nothing');
select is(tests.attempt($$ select 1 from public.leads $$), '2 rows', 'and still reads');

select * from finish();
rollback;
