-- What a member of each role may do to each table: the capability table against row level security.
-- switchboard.capabilities() itself is spelled out in the tier regress.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);

create temporary table verdicts (role text, verb text, name text, expected text, actual text);
create temporary view cases as
    select r.role, v.verb, t.name, t.object,
        exists (
            select from switchboard.capabilities() c
            where c.role = r.role and c.capability = t.object || '.' || case v.verb
                when 'select' then 'read' when 'delete' then 'delete' else 'write' end
        ) as allowed,
        -- Verbs that no client has, whatever the role.
        (t.name, v.verb) in (
            ('phone_numbers', 'insert'), ('calls', 'insert'), ('calls', 'update'), ('uploads', 'update'),
            ('prompt_versions', 'insert'), ('prompt_versions', 'update'), ('prompt_versions', 'delete'),
            ('support_sessions', 'insert'), ('support_sessions', 'update'), ('support_sessions', 'delete'),
            ('organizations', 'insert'), ('organizations', 'delete'),
            ('invitations', 'insert'), ('invitations', 'update'), ('invitations', 'delete'),
            ('memberships', 'insert'), ('memberships', 'update'), ('memberships', 'delete')
        ) as never
    from unnest(array['owner', 'admin', 'manager', 'sales_rep', 'viewer']) as r (role)
    cross join unnest(array['select', 'insert', 'update', 'delete']) as v (verb)
    cross join tests.tenant_tables t;
grant select on cases to authenticated;

-- Each role in turn; a sales_rep has one of the two leads.
create function tests.verdicts(of_role text) returns table (verb text, name text, expected text, actual text)
    language plpgsql
as $$
begin
    perform tests.as_user('a.' || of_role);
    return query
        select c.verb, c.name,
            case
                when c.never then '42501'
                when c.verb = 'insert' then case when c.allowed then case when of_role = 'sales_rep' then '42501' else '1 row' end else '42501' end
                when not c.allowed then '0 rows'
                when c.name = 'prompts' and c.verb = 'delete' then '23503'
                when c.name = 'memberships' then '5 rows'
                -- Who is invited is for those who could have invited them.
                when c.name = 'invitations' and of_role not in ('owner', 'admin') then '0 rows'
                when c.name = 'calls' and c.verb = 'select' and of_role = 'sales_rep' then '0 rows'
                when c.name = 'leads' and of_role <> 'sales_rep' then '2 rows'
                else '1 row'
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
select is((select count(*) from cases), (select 5 * 4 * count(*) from tests.tenant_tables), 'five roles, four verbs, every table');

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
