-- The doctor's checks on what native code reads.

create function private.doctor_contract() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    with contract as (
        select k.kind, k.schema_name, k.table_name, k.name, k.definition,
            format('%I.%I', k.schema_name, k.table_name) as full_name,
            c.oid as relation
        from switchboard.schema_contract() as k
        left join pg_catalog.pg_namespace n on n.nspname = k.schema_name
        left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = k.table_name and c.relkind = 'r'
    ), present as (
        select a.attrelid as relation, a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type
        from pg_catalog.pg_attribute a
        where a.attnum > 0 and not a.attisdropped
    ), indexes as (
        select i.indrelid as relation, c.relname::text as name, i.indisunique as is_unique,
            (
                select string_agg(a.attname, ', ' order by u.place)
                from unnest(i.indkey::smallint[]) with ordinality as u (attnum, place)
                join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.attnum
            ) as columns
        from pg_catalog.pg_index i
        join pg_catalog.pg_class c on c.oid = i.indexrelid
        join pg_catalog.pg_am m on m.oid = c.relam and m.amname = 'btree'
        where i.indisvalid and i.indpred is null
    ), missing_columns as (
        -- What it may have been renamed to: columns of its type that nothing in the contract names.
        select k.*, (
                select array_agg(p.name order by p.name)
                from present p
                where p.relation = k.relation and p.type = k.definition
                    and not exists (select from contract o where o.relation = k.relation and o.kind = 'column' and o.name = p.name)
            ) as candidates
        from contract k
        where k.kind = 'column' and k.relation is not null
            and not exists (select from present p where p.relation = k.relation and p.name = k.name)
    )
    select 'error', 'contract_table', k.full_name,
        'Native code reads this table and does not find it: whatever it decides by the table is refused, without an error.',
        coalesce(
            (
                -- Another table with all of its columns.
                select format('alter table %I.%I rename to %I;', k.schema_name, max(c.relname), k.table_name)
                from pg_catalog.pg_class c
                where c.relnamespace = to_regnamespace(k.schema_name) and c.relkind = 'r'
                    and not exists (
                        select from contract o
                        where o.full_name = k.full_name and o.kind = 'column'
                            and not exists (
                                select from present p where p.relation = c.oid and p.name = o.name and p.type = o.definition
                            )
                    )
                having count(*) = 1
            ),
            format('alter table %I.<its new name> rename to %I; -- or make it as sql/schema does', k.schema_name, k.table_name)
        )
        from contract k where k.kind = 'table' and k.relation is null
    union all
    select 'error', 'contract_column', format('%s.%I', k.full_name, k.name),
        'Native code reads this column and does not find it: whatever it decides by the row is refused, without an error.',
        case
            when k.candidates is null then format('alter table %s add column %I %s;', k.full_name, k.name, k.definition)
            else format('alter table %s rename column %s to %I;',
                k.full_name,
                case cardinality(k.candidates)
                    when 1 then format('%I', k.candidates[1])
                    else format('<one of %s>', array_to_string(k.candidates, ', '))
                end,
                k.name)
        end
        from missing_columns k
    union all
    select 'error', 'contract_type', format('%s.%I', k.full_name, k.name),
        format('The column is %s and native code reads %s: it reads nothing, without an error.', p.type, k.definition),
        format('alter table %s alter column %I type %s;', k.full_name, k.name, k.definition)
        from contract k
        join present p on p.relation = k.relation and p.name = k.name and p.type <> k.definition
        where k.kind = 'column'
    union all
    select 'error', 'contract_index', format('%I.%I', k.schema_name, k.name),
        format('Native code finds rows of %s by this index and reads the whole table without it, in every request.', k.full_name),
        coalesce(
            (
                select format('alter index %I.%I rename to %I;', k.schema_name, min(i.name), k.name)
                from indexes i where i.relation = k.relation and i.columns ~ format('^%s(,|$)', k.definition)
                having count(*) > 0
            ),
            -- One of that name does not hold every row by that column.
            format('%screate index %I on %s (%s);',
                case when to_regclass(format('%I.%I', k.schema_name, k.name)) is not null
                    then format('drop index %I.%I; ', k.schema_name, k.name) end,
                k.name, k.full_name, k.definition)
        )
        from contract k
        where k.kind = 'index' and k.relation is not null
            and not exists (
                select from indexes i
                where i.relation = k.relation and i.name = k.name and i.columns ~ format('^%s(,|$)', k.definition)
            )
    union all
    select 'error', 'contract_unique', format('%I.%I', k.schema_name, k.name),
        format('Native code writes %s ON CONFLICT (%s), which needs a unique index: sealing fails.', k.full_name, k.definition),
        format('create unique index %I on %s (%s);', k.name, k.full_name, k.definition)
        from contract k
        where k.kind = 'unique index' and k.relation is not null
            and not exists (
                select from indexes i where i.relation = k.relation and i.is_unique and i.columns = k.definition
            );
end;
comment on function private.doctor_contract() is
    'Findings on switchboard.schema_contract: tables, columns, types and indexes that native code reads and that are missing or renamed, which it answers by refusing in silence.';
