-- Live counters on any table: the triggers of maintain_counts made by one line, looked at, and mended.

create function switchboard.tracked_counts(child regclass) returns table (
    parent regclass, trigger_name name, arguments text[]
)
    language sql stable
    set search_path = ''
as $$
    select a.arguments[1]::regclass, t.tgname, a.arguments
        from pg_catalog.pg_trigger t
        cross join lateral (
            select array_agg(convert_from(decode(x.argument, 'escape'), 'UTF8') order by x.place) as arguments
            from string_to_table(encode(t.tgargs, 'escape'), '\000') with ordinality as x (argument, place)
            where x.place <= 3
        ) as a
        where t.tgrelid = child
            and t.tgfoid = 'switchboard.maintain_counts()'::regprocedure
            and not t.tgisinternal
            and t.tgnargs = 3;
$$;
comment on function switchboard.tracked_counts(regclass) is
    'The triggers that keep counters for the rows of a table: the parent, the trigger, its arguments. Raises 42P01 when a parent is gone.';

create function switchboard.track_counts(child regclass, parent regclass, key jsonb, counters jsonb) returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_parent text;
    v_missing text;
    v_trigger record;
begin
    if jsonb_typeof(key) is distinct from 'object' or jsonb_typeof(counters) is distinct from 'object'
        or key = '{}' or counters = '{}'
    then
        raise exception using
            errcode = '22023',
            message = 'key and counters must be JSON objects that name at least one column each',
            hint = 'key: {"column of the child": "column of the parent"}; counters: {"column of the parent": true, a predicate, or {"value": column, "by": column, "where": predicate}}.';
    end if;
    select format('%s has no column %s', c.relation, c.name) into v_missing
        from (
            select child as relation, k as name from jsonb_object_keys(key) as k
            union all
            select parent, k.value from jsonb_each_text(key) as k
            union all
            select parent, k from jsonb_object_keys(counters) as k
        ) as c
        where not exists (
            select from pg_catalog.pg_attribute a
            where a.attrelid = c.relation and a.attname = c.name and a.attnum > 0 and not a.attisdropped
        )
        limit 1;
    if found then
        raise exception using errcode = '22023', message = v_missing;
    end if;
    select format('%I.%I', n.nspname, c.relname) into strict v_parent
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.oid = parent;
    -- From here on nobody writes the child until the counters are right.
    execute format('lock table %s in share row exclusive mode', child);
    for v_trigger in
        select * from (values
            ('insert', 'referencing new table as new_rows'),
            ('update', 'referencing old table as old_rows new table as new_rows'),
            ('delete', 'referencing old table as old_rows'),
            ('truncate', '')
        ) as t (event, tables)
    loop
        execute format(
            'create trigger %I after %s on %s %s for each statement execute function switchboard.maintain_counts(%L, %L, %L)',
            format('count_%s_in_%s', v_trigger.event, split_part(v_parent, '.', 2)), v_trigger.event, child, v_trigger.tables,
            v_parent, key, counters);
    end loop;
    -- Statements that touch no row: a predicate that cannot be read is found now and not by somebody's first insert.
    execute format('update %s set %I = %2$I where false', child, (select min(k) from jsonb_object_keys(key) as k));
    execute format('delete from %s where false', child);
    while switchboard.rebuild_counts(child) > 0 loop
    end loop;
end;
$$;
comment on function switchboard.track_counts(regclass, regclass, jsonb, jsonb) is
    'Owner only. Keeps counter columns of a parent equal to the number of its child rows, from now on and for the rows there are. key: {child column: parent column}; counters: {parent column: true, a predicate on one row, or {value, by, where}: the value of the latest row}. Raises 22023 for what is no object, for unknown columns and for a predicate, 42710 when the pair is tracked.';

create function switchboard.untrack_counts(child regclass, parent regclass) returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_trigger name;
    v_count integer := 0;
begin
    for v_trigger in
        select t.trigger_name from switchboard.tracked_counts(child) as t where t.parent = untrack_counts.parent
    loop
        execute format('drop trigger %I on %s', v_trigger, child);
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function switchboard.untrack_counts(regclass, regclass) is
    'Owner only. Drops the triggers that track_counts made for a child and a parent; the counters stay as they are. Answers how many triggers there were. Raises nothing.';

create function switchboard.verify_counts(child regclass) returns table (
    parent regclass, key jsonb, counter text, cached jsonb, counted jsonb
)
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_tracked record;
begin
    for v_tracked in
        select distinct t.parent, s.differences
        from switchboard.tracked_counts(child) as t
        cross join lateral switchboard.counter_statements(child::text, t.arguments[1], t.arguments[2], t.arguments[3]) as s
    loop
        return query execute format(
            'select %L::oid::regclass, d.key, d.counter, d.cached, d.counted from (%s) as d',
            v_tracked.parent::oid, v_tracked.differences);
    end loop;
end;
$$;
comment on function switchboard.verify_counts(regclass) is
    'Owner only. Where a counter that is kept for the rows of a table is not what they give: none, if it is exact. Counts every row. Raises nothing.';

create function switchboard.rebuild_counts(child regclass, batch integer default 1000) returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_tracked record;
    v_key jsonb;
    v_count integer := 0;
begin
    for v_tracked in
        select distinct t.parent, s.differences, s.lock, s.recount
        from switchboard.tracked_counts(child) as t
        cross join lateral switchboard.counter_statements(child::text, t.arguments[1], t.arguments[2], t.arguments[3]) as s
    loop
        for v_key in
            execute format('select d.key from (%s) as d group by d.key order by d.key limit %s',
                v_tracked.differences, batch - v_count)
        loop
            -- Whoever has moved the parent's counters holds its lock until the commit; whoever is about to waits for ours.
            execute v_tracked.lock using v_key;
            execute v_tracked.recount using v_key;
            v_count := v_count + 1;
        end loop;
    end loop;
    return v_count;
end;
$$;
comment on function switchboard.rebuild_counts(regclass, integer) is
    'Owner only. Counts anew for at most that many parents whose counters differ, while others write; READ COMMITTED. Answers for how many: call it until 0. Raises nothing.';
