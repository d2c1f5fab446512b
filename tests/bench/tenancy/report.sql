-- The tables and the goals. format() aligns; the columns are as wide as the widest figure.
\pset format unaligned
\pset tuples_only on

create view bench.measured as
    select r.variant, r.statement, s.name, s.real, r.planning, r.execution, r.planning + r.execution as ms, r.without,
        (r.planning + r.execution) / r.without as ratio, r.plan
    from bench.result as r join bench.statement as s on s.n = r.statement;

-- One line of figures, a column a statement.
create function bench.line(label text, cells text[]) returns text
    language sql immutable
    return rpad(label, 34) || (select string_agg(lpad(c, 10), '' order by i) from unnest(cells) with ordinality as u (c, i));
create function bench.ms(ms numeric) returns text
    language sql immutable
    return case when ms < 10 then round(ms, 3) when ms < 100 then round(ms, 1) else round(ms) end;
create function bench.times(ratio numeric) returns text
    language sql immutable
    return case when ratio < 10 then round(ratio, 2) when ratio < 100 then round(ratio, 1) else round(ratio) end || '×';

select format('%s leads, %s organizations, %s users; A has %s leads, B has %s', (select count(*) from bench.leads),
    (select count(*) from public.organizations), (select count(*) from public.profiles),
    (select count(*) from bench.leads where organization_id = bench.id('organization', 5196)),
    (select count(*) from bench.leads where organization_id = bench.id('organization', 1)));
select format('claims of %s bytes, PostgreSQL %s, shared_buffers %s, load average now %s', length(bench.claims(5195)),
    current_setting('server_version'), current_setting('shared_buffers'), split_part(pg_read_file('/proc/loadavg'), ' ', 1));

\echo
\echo ms of planning and execution, the least of 41 to 123 runs, each in a transaction of its own
select bench.line('policy: organization_id …', array_agg(name order by n)) from bench.statement where not real;
select bench.line(coalesce(v.name, 'no RLS, = a constant'), array_agg(bench.ms(m.ms) order by m.statement))
    from bench.measured as m left join bench.variant as v on v.n = m.variant
    where not m.real
    group by m.variant, v.name
    order by m.variant;
\echo
\echo × the same statement without RLS, measured along with it
select bench.line(v.name, array_agg(case when m.name = 'B denied' then '' else bench.times(m.ratio) end order by m.statement))
    from bench.measured as m join bench.variant as v on v.n = m.variant
    where not m.real
    group by m.variant, v.name
    order by m.variant;
\echo
\echo where the time goes, µs of planning + of execution
select bench.line(coalesce(v.name, 'no RLS, = a constant'),
        array_agg(format('%s+%s', round(1000 * m.planning), round(1000 * m.execution)) order by m.statement))
    from bench.measured as m left join bench.variant as v on v.n = m.variant
    where not m.real and m.variant in (0, 3, 5, 7)
    group by m.variant, v.name
    order by m.variant;
\echo
\echo public.leads and its neighbours as they are, with their triggers, foreign keys and policies
select bench.line('', array_agg(name order by n)) from bench.statement where real;
select bench.line(case variant when 0 then 'no RLS, = a constant' else 'as they are' end, array_agg(bench.ms(ms) order by statement))
    from bench.measured
    where real
    group by variant
    order by variant;
select bench.line('× no RLS', array_agg(bench.times(ratio) order by statement))
    from bench.measured
    where real and variant = 8;
select bench.line('µs of planning + of execution',
        array_agg(format('%s+%s', round(1000 * planning), round(1000 * execution)) order by statement))
    from bench.measured
    where real and variant = 8;

\echo
\echo ns of CPU a call above an empty call, on unchanged claims of three sizes; first: each in a transaction of its own
select bench.line('', array['140 B', '953 B', '9.7 kB', 'first']);
select bench.line(e.name, array_agg(round(greatest(0, c.ns - base.ns))::text order by c.first, c.bytes))
    from bench.expression as e
    join bench.call as c using (expression)
    join bench.call as base on base.expression = 'pg_backend_pid()' and base.bytes = c.bytes and base.first = c.first
    where e.n > 0
    group by e.n, e.name
    order by e.n;


select E'\n10,000 transactions of 1,000 tenants through PgBouncer, 4 clients on 2 server connections'
    where exists (select from bench.pooled);
select format('%s %s µs a transaction, %s rows of another tenant, %s own rows missing', rpad(name, 33),
        lpad(round(min(us))::text, 5), sum(foreign_rows), sum(missing_rows))
    from bench.pooled group by name order by min(n);

\echo
select bench.line('goals', array['at most', 'figure', '', 'by hand']);
with kind as (
    select variant, statement, ms, ratio,
        cardinality(regexp_split_to_array(plan::text, '"Node Type": "(Incremental )?Sort"')) - 1 as sorts
    from bench.measured
), calls as (
    select e.n, c.ns - base.ns as ns
    from bench.expression as e
    join bench.call as c using (expression)
    join bench.call as base on base.expression = 'pg_backend_pid()' and base.bytes = c.bytes and base.first = c.first
    where c.bytes = 953 and not c.first
), goal (n, name, most, unit, figure, other) as (
    select 1, 'a row by id, by phone', 1.5, '×', max(ratio) filter (where variant = 5), max(ratio) filter (where variant = 1)
        from kind where statement in (3, 4)
    union all
    select 2, 'the 50 newest of 50,000', 1.7, '×', max(ratio) filter (where variant = 5), max(ratio) filter (where variant = 1)
        from kind where statement = 10
    union all
    select 3, '  sorts in its plan', 0, '', max(sorts) filter (where variant = 5), max(sorts) filter (where variant = 1)
        from kind where statement = 10
    union all
    select 4, 'a denied request on 50,000', 0.3, 'ms', max(ms) filter (where variant = 5), max(ms) filter (where variant = 1)
        from kind where statement = 11
    union all
    select 5, 'insert of 1,000 rows', 1.1, '×', max(ratio) filter (where variant = 5), max(ratio) filter (where variant = 1)
        from kind where statement = 8
    union all
    select 6, 'six tables embedded', 1.25, '×', max(ratio) filter (where variant = 5), max(ratio) filter (where variant = 1)
        from kind where statement = 5
    union all
    select 7, 'user_id() on unchanged claims', 150, 'ns', max(ns) filter (where n = 1), max(ns) filter (where n = 2)
        from calls
    union all
    select 8, 'pooled, wrong or missing rows', 0, '', sum(foreign_rows + missing_rows), null
        from bench.pooled where name = '= (select organization_for())'
)
select bench.line(name, array[
        trim_scale(most) || unit,
        coalesce(trim_scale(round(figure, case unit when 'ms' then 3 when '×' then 2 else 0 end)) || unit, '-'),
        case when figure is null then 'not run' when figure <= most then 'met' else 'missed' end,
        coalesce(case when other < 10 then trim_scale(round(other, 2)) else round(other) end || unit, '')
    ])
    from goal
    order by n;
