-- The cost of a call, by size of the claims, in CPU time of the backend, so that other load on the machine hardly shows.
create table bench.call (
    n integer generated always as identity,
    expression text not null,
    bytes integer not null,
    ns numeric not null,
    first boolean not null
);
comment on column bench.call.first is
    'Whether each call was the first of its transaction; otherwise all are made by one statement, with unchanged claims.';

-- ns of one count(expression) a row over n rows.
create procedure bench.measure_calls(expression text, bytes integer, n integer, inout ns numeric default null)
    language plpgsql
as $$
declare
    command constant text := format('select count(%s) from generate_series(1, %s) as row', expression, n);
    claims constant text := bench.claims(5195, bytes);
    started bigint := bench.cpu();
begin
    perform set_config('request.jwt.claims', claims, true), set_config('role', 'authenticated', true);
    execute command;
    rollback;
    ns := (bench.cpu() - started)::numeric / n;
end;
$$;

-- Called for every row? Then the aggregate's argument is the call, or what an SQL function is inlined to, and the plan has
-- no InitPlan. A plan that makes one call would make the figure a fiction.
create procedure bench.check_plan(expression text)
    language plpgsql
as $$
declare
    plan jsonb;
begin
    perform set_config('role', 'authenticated', true);
    execute format('explain (verbose, format json) select count(%s) from generate_series(1, 1000) as row', expression) into plan;
    rollback;
    if plan::text ~ '"InitPlan"' or (plan #>> '{0,Plan,Output,0}') !~ '^count\(.*(\(\)|\(''|current_setting).*\)$' then
        raise exception '% is not called for every row: %', expression, plan;
    end if;
end;
$$;

-- As many calls as take a third of a second, at most a million; the median of three.
create procedure bench.measure_call(expression text, bytes integer)
    language plpgsql
as $$
declare
    ns numeric;
    n integer := 1000;
    runs numeric[] := '{}';
    started timestamptz;
begin
    call bench.check_plan(expression);
    for _ in 1 .. 2 loop
        -- By the clock: so short a time is less than the scheduler counts.
        started := clock_timestamp();
        call bench.measure_calls(expression, bytes, 1000, ns);
        n := least(1e6, 0.3 * 1000 / extract(epoch from clock_timestamp() - started));
    end loop;
    for _ in 1 .. 3 loop
        call bench.measure_calls(expression, bytes, n, ns);
        runs := runs || ns;
    end loop;
    insert into bench.call (expression, bytes, ns, first)
        select expression, bytes, percentile_disc(0.5) within group (order by r), false from unnest(runs) as r;
    commit;
end;
$$;

-- 20,000 transactions of one call each.
create procedure bench.measure_first_call(expression text, bytes integer)
    language plpgsql
as $$
declare
    command constant text := 'select ' || expression;
    claims constant text := bench.claims(5195, bytes);
    started bigint := bench.cpu();
begin
    for _ in 1 .. 20000 loop
        perform set_config('request.jwt.claims', claims, true), set_config('role', 'authenticated', true);
        execute command;
        rollback;
    end loop;
    insert into bench.call (expression, bytes, ns, first) values (expression, bytes, (bench.cpu() - started) / 20000.0, true);
    commit;
end;
$$;

create table bench.expression (n integer primary key, name text not null, expression text not null);
insert into bench.expression values
    (0, 'an empty call', 'pg_backend_pid()'),
    (1, 'switchboard.user_id()', 'switchboard.user_id()'),
    (2, 'auth.uid()', 'auth.uid()'),
    (3, 'switchboard.organization_for()', $$switchboard.organization_for('leads.read')$$),
    (4, 'sql_helper()', $$bench.sql_helper('{owner,admin,manager,sales_rep,viewer}')$$),
    (5, 'plpgsql_helper()', $$bench.plpgsql_helper('{owner,admin,manager,sales_rep,viewer}')$$);
select format('call bench.measure_call(%L, %s)', expression, bytes)
    from bench.expression, unnest(array[140, 953, 9700]) as bytes
    order by n, bytes \gexec
select format('call bench.measure_first_call(%L, 953)', expression) from bench.expression order by n \gexec
