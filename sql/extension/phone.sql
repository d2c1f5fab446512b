-- Phone numbers: the report that re-checks stored numbers. It is plpgsql because its work is one query over a table
-- that the caller names, run with the caller's rights.

create function switchboard.phone_revalidate(
    target regclass default null,
    target_column name default null
) returns table (
    source regclass,
    source_column name,
    number text,
    region text,
    type text,
    validity text,
    reason text,
    rows bigint
)
language plpgsql stable parallel safe
set search_path = ''
as $$
declare
    checked record;
begin
    if target is null and target_column is not null then
        raise exception using
            errcode = '22023',
            message = 'target is required with target_column',
            hint = 'phone_revalidate() reports every column that has a CHECK with switchboard.is_e164.';
    end if;
    if target_column is not null and not exists (
        select from pg_catalog.pg_attribute a
        where a.attrelid = target and a.attname = target_column and a.attnum > 0 and not a.attisdropped
    ) then
        raise exception using
            errcode = '22023',
            message = format('%s has no column %I', target, target_column);
    end if;
    for checked in
        select target as relation, target_column as attribute
        where target_column is not null
        union all
        select c.conrelid::regclass, a.attname
        from pg_catalog.pg_depend d
        join pg_catalog.pg_constraint c on c.oid = d.objid and c.contype = 'c' and c.coninhcount = 0
        join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
        where d.classid = 'pg_catalog.pg_constraint'::regclass
            and d.refclassid = 'pg_catalog.pg_proc'::regclass
            and d.refobjid = 'switchboard.is_e164(text)'::regprocedure
            and c.conrelid <> 0
            and target_column is null
            and (target is null or c.conrelid = target)
        order by 1, 2
    loop
        -- The cheap question first: the report is about the few that fail it.
        return query execute format(
            'select %1$L::regclass, %2$L::name, n.number, p.region, p.type, p.validity, p.reason, n.rows
            from (
                select t.%2$I::text as number, count(*) as rows
                from %3$s t
                where not switchboard.phone_is_valid(t.%2$I::text)
                group by 1
            ) as n
            cross join lateral switchboard.parse_phone(n.number, null) as p
            where p.validity not in (''valid'', ''test_range'')
            order by n.number',
            checked.relation, checked.attribute, checked.relation);
    end loop;
    if not found and target is not null and target_column is null then
        raise exception using
            errcode = '22023',
            message = format('%s has no column with a CHECK by switchboard.is_e164', target),
            hint = 'Name the column: phone_revalidate(table, column).';
    end if;
end;
$$;
comment on function switchboard.phone_revalidate(regclass, name) is
    'Stored numbers that the present metadata does not call valid, test numbers aside, and in how many rows each stands: of every column with a CHECK by is_e164, of a table''s, or of one column. Reads with the caller''s rights; owner only. Raises 22023 for a table without such a column.';
