-- Live counters by one line: the four triggers of switchboard.maintain_counts, on any child for each of its parents.
-- Their names sort before enforce_quota, which may count by what they keep.

create function private.add_counts(child regclass, parent regclass, key jsonb, counters jsonb) returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_parent text;
    v_arguments text;
    v_missing text;
    v_trigger record;
begin
    if jsonb_typeof(key) is distinct from 'object' or jsonb_typeof(counters) is distinct from 'object'
        or key = '{}' or counters = '{}'
    then
        raise exception using
            errcode = '22023',
            message = 'key and counters must be JSON objects that name at least one column each',
            hint = 'key: {"column of the child": "column of the parent"}; counters: {"column of the parent": true or a predicate}.';
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
    v_arguments := format('%L, %L, %L', v_parent, key, counters);
    for v_trigger in
        select * from (values
            ('insert', 'referencing new table as new_rows'),
            ('update', 'referencing old table as old_rows new table as new_rows'),
            ('delete', 'referencing old table as old_rows'),
            ('truncate', '')
        ) as t (event, tables)
    loop
        execute format(
            'create trigger %I after %s on %s %s for each statement execute function switchboard.maintain_counts(%s)',
            format('count_%s_in_%s', v_trigger.event, split_part(v_parent, '.', 2)), v_trigger.event, child, v_trigger.tables,
            v_arguments);
    end loop;
    -- Statements that touch no row: a predicate that cannot be read is found now and not by somebody's first insert.
    execute format('update %s set %I = %2$I where false', child, (select min(k) from jsonb_object_keys(key) as k));
    execute format('delete from %s where false', child);
end;
$$;
comment on function private.add_counts(regclass, regclass, jsonb, jsonb) is
    'For migrations, owner only. Keeps counter columns of a parent equal to the number of its child rows; begin with an empty child or with counters that are right. key: {child column: parent column}; counters: {parent column: true, or a predicate on one row}. Raises 22023 for what is no object and for unknown columns, and what maintain_counts raises for a predicate.';
