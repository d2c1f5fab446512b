-- Live counters on any table: the triggers of maintain_counts made by one line, looked at, and mended.

create function switchboard.tracked_counts(child regclass) returns table (
    parent regclass, trigger_name name, arguments text[]
)
    language sql stable
    set search_path = ''
as $$
    select to_regclass(a.arguments[1]), t.tgname, a.arguments
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
    'The triggers that keep counters for the rows of a table: the parent (NULL when there is none of that name any more), the trigger, its arguments. Raises nothing.';

create function switchboard.untrackable(child regclass, parent regclass, key jsonb, counters jsonb) returns text
    language sql stable
    set search_path = ''
begin atomic
    select coalesce(
        -- Statements on them pass the triggers of the table by.
        (
            select format('%s is a partition: track the partitioned table', child)
            from pg_catalog.pg_class c where c.oid = child and c.relispartition
        ),
        (
            select format('%s has tables that inherit from it, whose rows its triggers do not see', child)
            from pg_catalog.pg_class c
            where c.oid = child and c.relkind = 'r' and exists (select from pg_catalog.pg_inherits i where i.inhparent = child)
        ),
        (
            select format('%s inherits from %s, through which its triggers do not see its rows', child, i.inhparent::regclass)
            from pg_catalog.pg_inherits i where i.inhrelid = child limit 1
        ),
        (
            select format('column %s of %s is the key, and no counter', k, parent)
            from jsonb_object_keys(counters) as k
            where exists (select from jsonb_each_text(key) as e where e.value = k)
            limit 1
        ),
        (
            select format('column %s of %s must be a plain smallint, integer, bigint or numeric, NOT NULL (DEFAULT 0)', k.key, parent)
            from jsonb_each(counters) as k
            join pg_catalog.pg_attribute a on a.attrelid = parent and a.attname = k.key and a.attnum > 0
            where jsonb_typeof(k.value) <> 'object'
                and not (
                    a.attnotnull
                    and a.attgenerated = ''
                    and a.attidentity = ''
                    and a.atttypid in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype)
                )
            limit 1
        ),
        -- A value that changes on its way into the column would differ for ever.
        (
            select format(
                'column %s of %s is %s, and %s of %s %s', a.attname, parent, format_type(a.atttypid, a.atttypmod),
                v.attname, child, format_type(v.atttypid, v.atttypmod))
            from jsonb_each(counters) as k
            join pg_catalog.pg_attribute a on a.attrelid = parent and a.attname = k.key and a.attnum > 0
            join pg_catalog.pg_attribute v on v.attrelid = child and v.attname = k.value ->> 'value' and v.attnum > 0
            where jsonb_typeof(k.value) = 'object'
                and (a.atttypid, a.atttypmod) is distinct from (v.atttypid, v.atttypmod)
            limit 1
        ),
        -- Rows whose parent is not there yet, or gets another key, count for none, or twice.
        (
            select format('the foreign key %s is %s, with which no counter is exact', f.conname,
                case when f.condeferrable then 'deferrable' else 'ON UPDATE CASCADE, SET NULL or SET DEFAULT' end)
            from pg_catalog.pg_constraint f
            where f.contype = 'f'
                and f.conrelid = child
                and f.confrelid = parent
                and (f.condeferrable or f.confupdtype not in ('a', 'r'))
                and exists (
                    select from pg_catalog.pg_attribute c
                    where c.attrelid = child and c.attnum = any (f.conkey) and key ? c.attname
                )
            limit 1
        )
    );
end;
comment on function switchboard.untrackable(regclass, regclass, jsonb, jsonb) is
    'Why no counter could be exact on two tables, or NULL. For track_counts. Raises nothing.';

create function switchboard.track_counts(child regclass, parent regclass, key jsonb, counters jsonb) returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_parent text;
    v_name name;
    v_bad text;
    v_trigger record;
begin
    if child is null or parent is null then
        raise exception using errcode = '22004', message = 'child and parent must be tables';
    end if;
    if jsonb_typeof(key) is distinct from 'object' or jsonb_typeof(counters) is distinct from 'object'
        or key = '{}' or counters = '{}'
    then
        raise exception using
            errcode = '22023',
            message = 'key and counters must be JSON objects that name at least one column each',
            hint = 'key: {"column of the child": "column of the parent"}; counters: {"column of the parent": true, a predicate, or {"value": column, "by": column, "where": predicate}}.';
    end if;
    select format('%s has no column %s', c.relation, c.name) into v_bad
        from (
            select child as relation, k as name from jsonb_object_keys(key) as k
            union all
            select parent, k.value from jsonb_each_text(key) as k
            union all
            select parent, k from jsonb_object_keys(counters) as k
            union all
            select child, l.name
            from jsonb_each(counters) as k
            cross join lateral (values (k.value ->> 'value'), (k.value ->> 'by')) as l (name)
            where jsonb_typeof(k.value) = 'object' and l.name is not null
        ) as c
        where not exists (
            select from pg_catalog.pg_attribute a
            where a.attrelid = c.relation and a.attname = c.name and a.attnum > 0 and not a.attisdropped
        )
        limit 1;
    if found then
        raise exception using errcode = '22023', message = v_bad;
    end if;
    v_bad := switchboard.untrackable(child, parent, key, counters);
    if v_bad is not null then
        raise exception using errcode = '22023', message = v_bad;
    end if;
    select format('%I.%I', n.nspname, c.relname), c.relname into strict v_parent, v_name
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
            format('count_%s_in_%s', v_trigger.event, v_name), v_trigger.event, child, v_trigger.tables,
            v_parent, key, counters);
    end loop;
    -- Statements that touch no row: a predicate that cannot be read is found now and not by somebody's first insert.
    execute format('update %s set %I = default where false', child, (select min(k) from jsonb_object_keys(key) as k));
    execute format('delete from %s where false', child);
    -- All at once: nobody else writes, and to look for the next thousand would count every row anew.
    perform switchboard.rebuild_counts(child, 2147483647);
end;
$$;
comment on function switchboard.track_counts(regclass, regclass, jsonb, jsonb) is
    'Owner only. Keeps counter columns of a parent equal to the number of its child rows, from now on and for the rows there are. key: {child column: parent column}; counters: {parent column: true, a predicate on one row, or {value, by, where}: the value of the latest row}. Raises 22023 for columns, predicates and tables that no counter could be exact on, 42710 when the pair is tracked.';

create function switchboard.untrack_counts(child regclass, parent regclass) returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_trigger name;
    v_count integer := 0;
begin
    for v_trigger in
        select t.trigger_name from switchboard.tracked_counts(child) as t
        where t.parent is not distinct from untrack_counts.parent
    loop
        execute format('drop trigger %I on %s', v_trigger, child);
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function switchboard.untrack_counts(regclass, regclass) is
    'Owner only. Drops the triggers that track_counts made for a child and a parent; the counters stay as they are; for a NULL parent those whose parent was renamed or dropped. Answers how many triggers there were. Raises nothing.';

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
    'Owner only. Where a counter that is kept for the rows of a table is not what they give: none, if it is exact. Counts every row. Raises 42P01 for a parent that was renamed or dropped (untrack_counts).';

create function switchboard.rebuild_counts(child regclass, batch integer default 1000) returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_tracked record;
    v_key jsonb;
    v_count integer := 0;
begin
    if batch is null or batch < 1 then
        raise exception using errcode = '22023', message = 'batch must be at least 1';
    end if;
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
    'Owner only. Counts anew for at most that many parents whose counters differ, while others write; READ COMMITTED. Answers for how many: call it until 0. Raises 22023, 42P01 as verify_counts.';
