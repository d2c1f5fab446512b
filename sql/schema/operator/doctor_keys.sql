-- The doctor's checks on keys.

create function private.doctor_keys() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    with tables as (
        select c.oid, format('%I.%I', n.nspname, c.relname) as name,
            exists (
                select from pg_catalog.pg_attribute a
                where a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
            ) as is_tenant_table
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and c.relkind in ('r', 'p')
    ), foreign_keys as (
        select k.oid, k.conname, k.conrelid, k.conkey, k.confdeltype, child.name as child, child.is_tenant_table as child_is_tenant,
            parent.name as parent, parent.is_tenant_table as parent_is_tenant,
            (
                select string_agg(format('%I', a.attname), ', ' order by u.n)
                from unnest(k.conkey) with ordinality as u (attnum, n)
                join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum
            ) as columns,
            (
                select string_agg(format('%I', a.attname), ', ' order by u.n)
                from unnest(k.confkey) with ordinality as u (attnum, n)
                join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum
            ) as parent_columns
        from pg_catalog.pg_constraint k
        join tables child on child.oid = k.conrelid
        left join tables parent on parent.oid = k.confrelid
        where k.contype = 'f' and k.conparentid = 0
    )
    select 'error', 'foreign_key_across_tenants', format('%I on %s', f.conname, f.child),
        format('It points to %s by %s alone: a row can refer to another tenant''s.', f.parent, f.columns),
        format(
            'alter table %s drop constraint %I, add constraint %I foreign key (organization_id, %s) references %s (organization_id, %s)%s;',
            f.child, f.conname, f.conname, f.columns, f.parent, f.parent_columns,
            case f.confdeltype when 'c' then ' on delete cascade'
                when 'n' then format(' on delete set null (%s)', f.columns)
                when 'r' then ' on delete restrict' else '' end
        )
        from foreign_keys f
        where f.child_is_tenant and f.parent_is_tenant and cardinality(f.conkey) = 1
    union all
    select 'warn', 'foreign_key_without_index', format('%I on %s', f.conname, f.child),
        'Deleting or changing the row it points to reads the whole table.',
        format('create index on %s (%s);', f.child, f.columns)
        from foreign_keys f
        where not exists (
            select from pg_catalog.pg_index i
            where i.indrelid = f.conrelid and i.indisvalid
                and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] = f.conkey
                and (
                    i.indpred is null
                    or pg_get_expr(i.indpred, i.indrelid) in (
                        select format('(%I IS NOT NULL)', a.attname)
                        from pg_catalog.pg_attribute a
                        where a.attrelid = f.conrelid and a.attnum = any (f.conkey)
                    )
                )
        )
    union all
    select distinct 'warn', 'index_not_leakproof', format('%s.%I', t.name, a.attname),
        format(
            'The comparison of %s is not leak-proof: under row level security the index %s cannot be asked for it, and a filter reads the whole tenant.',
            format_type(a.atttypid, a.atttypmod), i.indexrelid::regclass
        ),
        format('alter table %s alter column %I type %s using %I::text%s;', t.name, a.attname,
            case when y.typcategory = 'N' then 'bigint' else 'text' end, a.attname,
            case when y.typcategory = 'N' then '::numeric::bigint' else '' end)
        from pg_catalog.pg_index i
        join tables t on t.oid = i.indrelid and t.is_tenant_table
        cross join lateral unnest(i.indkey::int2[], i.indclass::oid[]) as u (attnum, opclass)
        join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.attnum
        join pg_catalog.pg_type y on y.oid = a.atttypid
        join pg_catalog.pg_opclass o on o.oid = u.opclass
        join pg_catalog.pg_am m on m.oid = o.opcmethod and m.amname in ('btree', 'hash')
        join pg_catalog.pg_amop e on e.amopfamily = o.opcfamily
            and e.amoplefttype = o.opcintype and e.amoprighttype = o.opcintype
            and e.amopstrategy = case m.amname when 'btree' then 3 else 1 end
        join pg_catalog.pg_operator q on q.oid = e.amopopr
        join pg_catalog.pg_proc p on p.oid = q.oprcode
        where not p.proleakproof;
end;
comment on function private.doctor_keys() is
    'Findings on foreign keys and indexes in public and private: keys that can cross tenants, keys without an index, indexed columns whose comparison row level security keeps from the index.';
