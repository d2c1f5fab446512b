-- What a policy costs, as plans rather than times. Each tenant table gets twenty thousand rows, half of them of one
-- tenant and half of a hundred; then a list reads an index from the organization on and sorts nothing, a row by its id
-- is one index look-up, and a refused request reads no row at all. (Where two or three tenants share a table,
-- PostgreSQL may well prefer to read it whole: it plans for the average tenant.)
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
select tests.make_tenant('c', 803);

-- Tables that a client reads for all its organizations at once, or by another column than organization_id.
create temporary table exceptions (name text primary key, why text);
insert into exceptions values
    ('organizations', 'as many rows as tenants; read by id, for the organizations of the caller'),
    ('memberships', 'as many rows as members; read for all organizations of the caller'),
    ('prompt_templates', 'read with those of the system, which have no organization');

-- How a list is asked for, where it is not the newest by created_at.
create temporary table listings (name text primary key, query text);
insert into listings values
    ('calls', ' order by started_at desc, id limit 50'),
    ('lead_events', format(' where lead_id = %L order by created_at desc, id limit 50', tests.id('a.lead.rep'))),
    ('upload_rows', format(' where upload_id = %L order by row_number limit 50', tests.id('a.upload'))),
    ('upload_errors', format(' where upload_id = %L order by row_number limit 50', tests.id('a.upload'))),
    ('support_sessions', ' order by opened_at desc, id limit 50'),
    ('prompt_versions', format(' where prompt_id = %L order by version_number desc limit 50', tests.id('a.prompt')));

-- Everything that holds a row back is undone with the rest: the planner looks at rows and indexes.
do $$
declare
    k record;
begin
    for k in
        select conrelid::regclass as target, conname from pg_constraint
        where contype in ('f', 'c') and connamespace = 'public'::regnamespace
    loop
        execute format('alter table %s drop constraint %I', k.target, k.conname);
    end loop;
end;
$$;

-- Copies one row of tenant t n times, for itself or for a hundred tenants: with own ids and times, and own values
-- wherever a unique key wants them.
create function tests.multiply(target regclass, tenant_column text, t text, n integer, for_many boolean) returns void
    language plpgsql
as $$
declare
    columns text;
    expressions text;
begin
    execute format('alter table %s disable trigger user', target);
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum),
        string_agg(case
            when a.attname = tenant_column and a.attname <> 'id' then
                case when for_many then 'md5(''tenant '' || i % 100)::uuid' else format('r.%I', a.attname) end
            when a.attname = 'id' or a.atttypid = 'uuid'::regtype and u.in_key then 'gen_random_uuid()'
            when a.attname = 'created_at' then 'now() - i * interval ''1 minute'''
            when u.in_key and a.atttypid in ('integer'::regtype, 'bigint'::regtype) then format('i + 1000')
            when u.in_key and a.atttypid = 'text'::regtype and not u.fixed then format('r.%I || ''-'' || i || ''-'' || %L', a.attname, t)
            else format('r.%I', a.attname)
        end, ', ' order by a.attnum)
        into columns, expressions
        from pg_attribute a
        cross join lateral (
            select exists (
                select from pg_index i
                where i.indrelid = target and i.indisunique and a.attnum = any (i.indkey::int2[])
            ) as in_key,
            -- A predicate such as status = 'active' must go on holding.
            exists (
                select from pg_index i
                where i.indrelid = target and i.indisunique and pg_get_expr(i.indpred, i.indrelid) ~ format('\m%s\M', a.attname)
            ) as fixed
        ) as u
        where a.attrelid = target and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = '';
    execute format(
        'insert into %1$s (%2$s) select %3$s from (select * from %1$s where %4$I = %5$L limit 1) as r, generate_series(1, %6$s) as i',
        target, columns, expressions, tenant_column, tests.id(t), n);
end;
$$;
select tests.multiply(format('public.%I', name)::regclass, tenant_column, t, 10000, t = 'b')
    from tests.tenant_tables, unnest(array['a', 'b']) as t
    where tenant_column = 'organization_id' order by name, t;
select tests.multiply('public.organizations', 'id', 'a', 2000, false);
do $$
declare
    t record;
begin
    for t in select name from tests.tenant_tables loop
        execute format('analyze public.%I', t.name);
    end loop;
end;
$$;
select cmp_ok(
    tests.value(format('select count(*) from public.%I', name))::integer, '>=', case name when 'organizations' then 2000 else 20000 end,
    format('%s has enough rows for the planner to mind', name)
) from tests.tenant_tables order by name;

-- The nodes of a plan, each with the buffers that it touched itself, not through a node below it.
create function tests.nodes(plan jsonb) returns setof jsonb
    language sql immutable
as $$
    with recursive node as (
        select plan as n
        union all
        select jsonb_array_elements(n -> 'Plans') from node where n ? 'Plans'
    )
    select (n - 'Plans') || jsonb_build_object('own_buffers',
        coalesce((n ->> 'Shared Hit Blocks')::integer + (n ->> 'Shared Read Blocks')::integer, 0)
        - coalesce((
            select sum((c ->> 'Shared Hit Blocks')::integer + (c ->> 'Shared Read Blocks')::integer)
            from jsonb_array_elements(n -> 'Plans') as c
        ), 0))
    from node
$$;
create function tests.plan(query text, options text default '') returns jsonb
    language plpgsql
as $$
declare
    result jsonb;
begin
    execute format('explain (format json%s) %s', options, query) into result;
    return result -> 0 -> 'Plan';
end;
$$;
-- select <what the caller may read> from a table
create function tests.readable(table_name text) returns text
    language sql stable
as $$
    select format('select %s from public.%I', string_agg(quote_ident(a.attname), ', ' order by a.attnum), table_name)
    from pg_attribute a
    where a.attrelid = format('public.%I', table_name)::regclass and a.attnum > 0 and not a.attisdropped
        and has_column_privilege('authenticated', a.attrelid, a.attnum, 'select')
$$;
create temporary view subjects as
    select t.name, t.object, t.tenant_column, tests.readable(t.name) as query
    from tests.tenant_tables t
    where t.name not in (select name from exceptions);
grant select on subjects, exceptions, listings to authenticated;

create function tests.explains(rest text) returns table (name text, plan jsonb)
    language sql
as $$
    select s.name, tests.plan(s.query || coalesce(rest, l.query, ' order by created_at desc, id limit 50'))
    from subjects s left join listings l on l.name = s.name
$$;
grant execute on all functions in schema tests to authenticated;

-- A list.
select tests.as_user('a.owner');
create temporary table lists as select * from tests.explains(null);
select is_empty(format($$
    select n from tests.nodes(%L) as n
    where n ->> 'Node Type' ~ 'Sort' or n ->> 'Relation Name' = %L and n ->> 'Node Type' !~ '^Index'
$$, plan, name), format('a list of %s: read in the order of an index, without a sort', name)) from lists order by name;
select isnt_empty(format($$
    select n from tests.nodes(%L) as n
    where n ->> 'Relation Name' = %L and n ->> 'Index Cond' ~ 'organization_id = (\$|\(InitPlan )'
$$, plan, name), format('a list of %s: from the own organization on', name)) from lists order by name;

-- A row by its id.
create temporary table by_id as select * from tests.explains(format(' where id = %L', tests.id('a.lead')));
select isnt_empty(format($$
    select n from tests.nodes(%L) as n
    where n ->> 'Index Cond' ~ '\mid = '
$$, plan), format('%s by id: one look-up in an index', name)) from by_id order by name;

-- The exceptions are not read from end to end for one caller either.
select tests.as_user('c.owner');
select is_empty(format($$
    select n from tests.nodes(%L) as n where n ->> 'Relation Name' = %L and n ->> 'Node Type' = 'Seq Scan'
$$, tests.plan('select * from public.' || name), name), format('%s: no sequential scan', name)) from exceptions order by name;

select tests.as_owner();

-- Refused requests: nobody's member, a member of a role without the capability, somebody else's organization.
create function tests.scan(query text, table_name text) returns setof jsonb
    language sql
as $$
    select n from tests.nodes(tests.plan(query, ', analyze, buffers, timing off')) as n where n ->> 'Relation Name' = table_name
$$;
grant execute on all functions in schema tests to authenticated;
create temporary table refusals (who text, name text, rows_read numeric, removed numeric, buffers integer);
grant insert on refusals to authenticated;
create function tests.refuse(person text, organization text) returns void
    language sql
as $$
    select tests.as_user(person, organization);
    insert into refusals
    select person || coalesce(' naming ' || organization, ''), s.name, (n ->> 'Actual Rows')::numeric * (n ->> 'Actual Loops')::numeric,
        coalesce((n ->> 'Rows Removed by Filter')::numeric, 0), (n ->> 'own_buffers')::integer
    from subjects s, tests.scan(s.query, s.name) as n
    where split_part(person, '.', 1) <> 'a' or organization is not null or not exists (
        select from switchboard.capabilities() c
        where c.role = split_part(person, '.', 2) and c.capability in (s.object || '.read', s.object || '.read_all')
    );
$$;
grant execute on all functions in schema tests to authenticated;
select tests.make_user('n.nobody') from (select tests.as_owner()) as now;
select tests.refuse('n.nobody', null);
select tests.refuse('n.nobody', 'a');
select tests.refuse('b.owner', 'a');
select tests.refuse('a.' || role, null) from unnest(array['manager', 'sales_rep', 'viewer']) as role;
select tests.as_owner();
select cmp_ok((select count(distinct who)::integer from refusals), '>=', 5, 'refused people of five kinds');
select is_empty($$ select * from refusals where rows_read + removed > 0 $$, 'a refused request reads no row');
select is_empty($$ select * from refusals where buffers > 3 $$, 'nor more than a look into an index');

select * from finish();
rollback;
