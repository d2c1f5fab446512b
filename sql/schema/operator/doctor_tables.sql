-- The doctor's checks on tables and views.

create function private.doctor_tables() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    with tables as (
        select c.oid, format('%I.%I', 'public', c.relname) as name, c.relname, c.relrowsecurity,
            exists (
                select from pg_catalog.pg_attribute a
                where a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
            ) as is_tenant_table
        from pg_catalog.pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    ), keys as (
        select k.oid, k.conrelid, k.conname, k.conkey
        from pg_catalog.pg_constraint k where k.contype = 'p'
    ), read_relations as (
        select c.oid, c.relkind, c.reloptions, format('%I.%I', 'public', c.relname) as name,
            string_agg(distinct r.rolname, ', ') as readers
        from pg_catalog.pg_class c
        join pg_catalog.pg_roles r on r.rolname in ('anon', 'authenticated')
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('v', 'm', 'f')
            and has_any_column_privilege(r.oid, c.oid, 'select')
        group by c.oid, c.relkind, c.reloptions, c.relname
    )
    select 'error', 'rls_disabled', t.name,
        'Row level security is off: whoever has a grant sees every tenant''s rows.',
        format('alter table %s enable row level security;', t.name)
        from tables t where not t.relrowsecurity
    union all
    select 'warn', 'rls_without_policy', t.name,
        'Row level security is on and there is no policy: nobody but roles that bypass it sees a row. If that is meant, a policy should say so.',
        format('create policy nobody on %s for all to public using (false) with check (false);', t.name)
        from tables t
        where t.relrowsecurity
            and not exists (select from pg_catalog.pg_policy p where p.polrelid = t.oid)
    union all
    select 'warn', 'no_tenant_policy', t.name,
        'The table has an organization_id, and none of its policies asks switchboard for the organization.',
        format('select private.add_tenant_policies(%L, %L);', t.name, t.relname)
        from tables t
        where t.is_tenant_table
            and exists (
                select from pg_catalog.pg_policy p
                where p.polrelid = t.oid
                    and coalesce(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) <> 'false'
            )
            and not exists (
                select from pg_catalog.pg_policy p
                where p.polrelid = t.oid
                    and concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
                        ~ 'switchboard\.(organization_for|organization_ids)\('
            )
    union all
    select 'warn', 'key_without_tenant', t.name,
        'The primary key does not begin with organization_id: an id answers whether another tenant''s row exists, and no composite key can point here.',
        coalesce(
            (
                select format(
                    'alter table %s drop constraint %I, add primary key (organization_id, %s);',
                    t.name, k.conname,
                    (
                        select string_agg(format('%I', a.attname), ', ' order by u.n)
                        from unnest(k.conkey) with ordinality as u (attnum, n)
                        join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = u.attnum
                        where a.attname <> 'organization_id'
                    ))
                from keys k where k.conrelid = t.oid
            ),
            format('alter table %s add primary key (organization_id, id);', t.name)
        )
        from tables t
        where t.is_tenant_table
            and not exists (
                select from keys k
                join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = k.conkey[1]
                left join pg_catalog.pg_attrdef d
                    on d.adrelid = t.oid and d.adnum = a.attnum and a.attgenerated = 's'
                -- A stored column made of organization_id stands for it where that may be null.
                where k.conrelid = t.oid
                    and (a.attname = 'organization_id' or pg_get_expr(d.adbin, d.adrelid) ~ '\morganization_id\M')
            )
    union all
    select 'error', 'view_as_owner', r.name,
        format('The view reads with its owner''s rights, past row level security, and %s may select from it.', r.readers),
        format('alter view %s set (security_invoker = true);', r.name)
        from read_relations r
        where r.relkind = 'v'
            and not coalesce(r.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false)
    union all
    select 'error',
        case r.relkind when 'm' then 'materialized_view_readable' else 'foreign_table_readable' end,
        r.name,
        format('It knows no row level security, and %s may select from it.', r.readers),
        format('revoke select on %s from %s;', r.name, r.readers)
        from read_relations r
        where r.relkind in ('m', 'f');
end;
comment on function private.doctor_tables() is
    'Findings on tables and views in public: row level security, policies that do not ask for the tenant, keys, views that read as their owner.';
