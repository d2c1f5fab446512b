-- The schema of the bench, and how it measures.
set client_min_messages = warning;
drop schema if exists bench_phone cascade;
create schema bench_phone;
create table bench_phone.sample (input text, region text, e164 text, possible boolean, valid boolean, category text);

-- Nanoseconds that this backend has spent on a CPU since it started.
create function bench_phone.cpu() returns bigint
    language sql volatile
as $$
    select split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint
$$;

-- Median of three runs of a statement, in nanoseconds of CPU. before is not measured.
create function bench_phone.measure(statement text, before text default 'select 1') returns bigint
    language plpgsql volatile
as $$
declare
    started bigint;
    runs bigint[] := '{}';
begin
    for _ in 1 .. 3 loop
        execute before;
        started := bench_phone.cpu();
        execute statement;
        runs := runs || bench_phone.cpu() - started;
    end loop;
    return (select percentile_disc(0.5) within group (order by r) from unnest(runs) as r);
end;
$$;
