-- One child and one parent for each way to count: none, S4's trigger for each row, the best that plpgsql does once a
-- statement, and track_counts. All count the same four things.
drop schema if exists bench cascade;
create schema bench;

do $$
declare
    way text;
begin
    foreach way in array array['none', 's4', 'plpgsql', 'native'] loop
        execute format('create table bench.parent_%s (id integer primary key, total integer not null default 0,
            active integer not null default 0, hot integer not null default 0, converted integer not null default 0)
            with (fillfactor = 50)', way);
        execute format('insert into bench.parent_%s select i from generate_series(1, 1000) as i', way);
        execute format('create table bench.child_%s (id bigint generated always as identity primary key,
            parent_id integer not null, status text not null default ''READY'', archived_at timestamptz, note text)', way);
        execute format('create index on bench.child_%s (parent_id)', way);
    end loop;
end;
$$;

create function bench.recount() returns trigger
    language plpgsql
as $$
begin
    update bench.parent_s4 p set
        total = (select count(*) from bench.child_s4 c where c.parent_id = new.parent_id),
        active = (select count(*) from bench.child_s4 c where c.parent_id = new.parent_id and c.archived_at is null),
        hot = (select count(*) from bench.child_s4 c where c.parent_id = new.parent_id and c.status = 'HOT'),
        converted = (select count(*) from bench.child_s4 c where c.parent_id = new.parent_id and c.status = 'CONVERTED')
        where p.id = new.parent_id;
    return new;
end;
$$;
create trigger recount after insert or update on bench.child_s4 for each row execute function bench.recount();

create function bench.count_insert() returns trigger
    language plpgsql
as $$
begin
    update bench.parent_plpgsql p
        set total = p.total + d.total, active = p.active + d.active, hot = p.hot + d.hot, converted = p.converted + d.converted
        from (
            select n.parent_id, count(*) as total, count(*) filter (where n.archived_at is null) as active,
                count(*) filter (where n.status = 'HOT') as hot, count(*) filter (where n.status = 'CONVERTED') as converted
            from new_rows n group by n.parent_id
        ) as d
        where p.id = d.parent_id;
    return null;
end;
$$;
create trigger count_insert after insert on bench.child_plpgsql referencing new table as new_rows
    for each statement execute function bench.count_insert();
create function bench.count_update() returns trigger
    language plpgsql
as $$
begin
    update bench.parent_plpgsql p
        set total = p.total + d.total, active = p.active + d.active, hot = p.hot + d.hot, converted = p.converted + d.converted
        from (
            select r.parent_id, sum(r.sign) as total, sum(r.sign) filter (where r.archived_at is null) as active,
                coalesce(sum(r.sign) filter (where r.status = 'HOT'), 0) as hot,
                coalesce(sum(r.sign) filter (where r.status = 'CONVERTED'), 0) as converted
            from (
                select n.parent_id, n.archived_at, n.status, 1 as sign from new_rows n
                union all
                select o.parent_id, o.archived_at, o.status, -1 from old_rows o
            ) as r
            group by r.parent_id
        ) as d
        where p.id = d.parent_id and (d.total, d.active, d.hot, d.converted) <> (0, 0, 0, 0);
    return null;
end;
$$;
create trigger count_update after update on bench.child_plpgsql referencing old table as old_rows new table as new_rows
    for each statement execute function bench.count_update();

select switchboard.track_counts('bench.child_native', 'bench.parent_native', '{"parent_id": "id"}',
    '{"total": true, "active": "archived_at is null", "hot": "status = ''HOT''", "converted": "status = ''CONVERTED''"}');

-- Seconds for n rows in one statement, over so many parents; the rows go again.
create function bench.bulk(way text, n integer, parents integer) returns double precision
    language plpgsql
as $$
declare
    began timestamptz := clock_timestamp();
    took double precision;
begin
    execute format($q$ insert into bench.child_%s (parent_id, status)
        select 1 + i %% %s, case i %% 10 when 0 then 'HOT' when 1 then 'CONVERTED' else 'READY' end from generate_series(1, %s) as i $q$,
        way, parents, n);
    took := extract(epoch from clock_timestamp() - began);
    -- By the owner's hand, so that what is measured next begins empty.
    execute format('truncate bench.child_%s', way);
    execute format('update bench.parent_%s set total = 0, active = 0, hot = 0, converted = 0 where total <> 0', way);
    return took;
end;
$$;

-- µs of one statement out of n, each a transaction of its own; $1 in it is which.
create procedure bench.loop(statement text, n integer, out us double precision)
    language plpgsql
as $$
declare
    began timestamptz;
begin
    execute 'prepare one (integer) as ' || statement;
    for i in 1..n + 100 loop
        -- What a session needs once is not counted.
        if i = 101 then
            began := clock_timestamp();
        end if;
        execute format('execute one (%s)', i);
        commit;
    end loop;
    us := extract(epoch from clock_timestamp() - began) * 1e6 / n;
    deallocate one;
end;
$$;
