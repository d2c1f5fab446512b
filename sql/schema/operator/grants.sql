-- Who is granted what in public and private, on the schemas themselves, by default and on the database: as the catalogue
-- has it, as it is meant to be, and how the one becomes the other. A dump carries no REVOKE for what its source lacks, so
-- a restore into a platform that gives everything new to the API roles would leave all of it open.
--
-- The list of what is meant is a function and not a table, for it belongs to the schema: every dump of the schema has it,
-- and no restore of rows changes it. It is made of the catalogue, by record_grants.sql.

create function private.granted() returns table (
    kind text,
    object text,
    owner oid,
    grantee text,
    privilege text,
    column_name text
)
    language sql stable
    set search_path = ''
begin atomic
    with acls as (
        select 'database' as kind, 'current' as object, d.datdba as owner, null::text as column_name,
            coalesce(d.datacl, acldefault('d', d.datdba)) as acl
        from pg_catalog.pg_database d where d.datname = current_database()
        union all
        select 'schema', quote_ident(n.nspname), n.nspowner, null, n.nspacl
        from pg_catalog.pg_namespace n where n.nspname in ('public', 'private')
        union all
        -- What the owner's new objects are given; PUBLIC's EXECUTE on functions is built in.
        select 'default', t.name || coalesce(' in schema ' || s.name, ''), o.nspowner, null,
            coalesce(d.defaclacl, case when s.name is null then acldefault(t.built_in, o.nspowner) end)
        from pg_catalog.pg_namespace o
        cross join (values ('r', 'tables', 'r'::"char"), ('S', 'sequences', 's'), ('f', 'functions', 'f')) as t (type, name, built_in)
        cross join (values (null), ('public'), ('private')) as s (name)
        left join pg_catalog.pg_namespace n on n.nspname = s.name
        left join pg_catalog.pg_default_acl d
            on d.defaclrole = o.nspowner and d.defaclnamespace = coalesce(n.oid, 0) and d.defaclobjtype::text = t.type
        where o.nspname = 'private'
        union all
        select case c.relkind when 'S' then 'sequence' else 'table' end, format('%I.%I', n.nspname, c.relname), c.relowner, null, c.relacl
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
            and not exists (
                select from pg_catalog.pg_depend e
                where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
            )
        union all
        select 'table', format('%I.%I', n.nspname, c.relname), c.relowner, a.attname::text, a.attacl
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_class c on c.oid = a.attrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and a.attacl is not null and not a.attisdropped
        union all
        select 'routine', p.oid::regprocedure::text, p.proowner, null, coalesce(p.proacl, acldefault('f', p.proowner))
        from pg_catalog.pg_proc p
        join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('public', 'private')
            and not exists (
                select from pg_catalog.pg_depend e
                where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
            )
    )
    select distinct a.kind, a.object, a.owner, case x.grantee when 0 then 'public' else quote_ident(r.rolname) end,
        case when o.is_option then 'grant option for ' else '' end || lower(x.privilege_type), a.column_name
    from acls a
    left join lateral aclexplode(a.acl) as x
        on x.grantee <> a.owner and (a.kind, x.privilege_type) <> ('database', 'CONNECT')
    left join pg_catalog.pg_roles r on r.oid = x.grantee
    left join lateral (values (false), (true)) as o (is_option) on not o.is_option or x.is_grantable
    where (x.grantee is null or x.grantee = 0 or r.oid is not null)
        and not (x.grantee is null and a.column_name is not null);
end;
comment on function private.granted() is
    'What is granted on the database, on public and private and everything in them but extensions'' objects, and by the owner''s default privileges: one row a privilege and column, one with NULLs for an object without. Not what owners have, nor CONNECT. Owner only.';

create function private.intended_grants() returns table (
    kind text,
    object text,
    grantee text,
    privilege text,
    columns text[]
)
    language sql stable
    set search_path = ''
as 'select null::text, null::text, null::text, null::text, null::text[] where false';
comment on function private.intended_grants() is
    'The list: what is meant to be granted; columns is NULL for a whole object, grantee NULL where nobody has anything. Written by private.record_grants; doctor() compares the database with it. Owner only.';

create function private.grant_breaches() returns table (kind text, object text, grantee text, privilege text, column_name text)
    language sql stable
    set search_path = ''
begin atomic
    select g.kind, g.object, g.grantee, g.privilege, g.column_name
    from private.granted() as g
    where g.grantee in ('public', 'anon', 'authenticated', 'authenticator', 'service_role')
        and (
            g.kind in ('database', 'default')
            or g.kind = 'schema' and (g.privilege <> 'usage' or g.object = 'private')
            or g.kind in ('table', 'sequence') and g.object ~ '^private[.]'
            or g.kind in ('table', 'sequence', 'routine') and g.grantee in ('public', 'anon')
            or g.privilege in ('truncate', 'references', 'trigger', 'maintain')
            or g.privilege ~ '^grant option '
        );
end;
comment on function private.grant_breaches() is
    'Grants to PUBLIC and the API roles that are wrong whatever the list says: anything for anon, TRUNCATE and the like, tables in private, default privileges, CREATE and TEMPORARY. Owner only.';

create function private.grant_statement(verb text, kind text, object text, privileges text, grantee text) returns text
    language sql stable
    set search_path = ''
begin atomic
    select format('%s%s %s on %s %s %s%s;',
        case kind when 'default' then format('alter default privileges for role %s%s ',
            (select quote_ident(r.rolname) from pg_catalog.pg_namespace n join pg_catalog.pg_roles r on r.oid = n.nspowner where n.nspname = 'private'),
            ' in schema ' || nullif(split_part(object, ' in schema ', 2), '')) end,
        verb,
        privileges,
        case kind
            when 'default' then split_part(object, ' ', 1)
            when 'database' then format('database %I', current_database())
            else format('%s %s', kind, object)
        end,
        case verb when 'grant' then 'to' else 'from' end,
        grantee,
        case verb when 'revoke grant option for' then ' cascade' end);
end;
comment on function private.grant_statement(text, text, text, text, text) is
    'GRANT or REVOKE in SQL for a kind and object as private.granted names them. Owner only.';

create function private.grant_changes() returns table (
    kind text,
    object text,
    owner oid,
    is_listed boolean,
    missing text,
    surplus text,
    statements text
)
    language sql stable
    set search_path = ''
begin atomic
    with present as materialized (
        select * from private.granted()
    ), listed as materialized (
        -- A role or a column may be another cluster's.
        select i.kind, i.object, i.grantee, i.privilege, c.name as column_name
        from private.intended_grants() as i
        left join lateral unnest(i.columns) as c (name) on true
        where (i.grantee is null or i.grantee = 'public' or to_regrole(i.grantee) is not null)
            and (c.name is null or exists (
                select from pg_catalog.pg_attribute a
                where a.attrelid = to_regclass(i.object) and a.attname = c.name and not a.attisdropped
            ))
    ), objects as materialized (
        select distinct p.kind, p.object, p.owner,
            (p.kind, p.object) in (select i.kind, i.object from private.intended_grants() as i) as is_listed
        from present p
    ), surplus as materialized (
        select p.kind, p.object, p.grantee, p.privilege, p.column_name from present p
        where p.grantee in ('public', 'anon', 'authenticated', 'authenticator', 'service_role')
        except
        select l.kind, l.object, l.grantee, l.privilege, l.column_name from listed l
    ), missing as materialized (
        select l.kind, l.object, l.grantee, l.privilege, l.column_name from listed l
        where l.grantee is not null and (l.kind, l.object) in (select o.kind, o.object from objects o)
        except
        select p.kind, p.object, p.grantee, p.privilege, p.column_name from present p
    ), steps as (
        select 1 as place, 'revoke grant option for' as verb, s.kind, s.object, s.grantee,
            substr(s.privilege, length('grant option for ') + 1) as privilege, s.column_name
        from surplus s where s.privilege ~ '^grant option '
        union all
        select 2, 'revoke', s.kind, s.object, s.grantee, s.privilege, s.column_name
        from surplus s where s.privilege !~ '^grant option '
        union all
        select 3, 'grant', m.kind, m.object, m.grantee, m.privilege, m.column_name from missing m
        union
        -- Taken from a whole table, a privilege is taken from its columns too.
        select 3, 'grant', l.kind, l.object, l.grantee, l.privilege, l.column_name
        from listed l
        join surplus s on (s.kind, s.object, s.grantee, s.privilege) = (l.kind, l.object, l.grantee, l.privilege)
        where s.column_name is null and l.column_name is not null
    ), by_privilege as (
        select s.place, s.verb, s.kind, s.object, s.grantee,
            s.privilege || coalesce(' (' || string_agg(quote_ident(s.column_name), ', ' order by s.column_name) || ')', '') as privilege
        from steps s
        group by s.place, s.verb, s.kind, s.object, s.grantee, s.privilege, s.column_name is null
    ), by_grantee as (
        select b.place, b.verb, b.kind, b.object, b.grantee, string_agg(b.privilege, ', ' order by b.privilege) as privileges
        from by_privilege b
        group by b.place, b.verb, b.kind, b.object, b.grantee
    )
    select o.kind, o.object, o.owner, o.is_listed,
        (
            select string_agg(format('%s lacks %s', m.grantee, m.privilege), ', ' order by m.grantee, m.privilege)
            from (select distinct m.grantee, m.privilege from missing m where (m.kind, m.object) = (o.kind, o.object)) as m
        ),
        (
            select string_agg(format('%s has %s', s.grantee, s.privileges), '; ' order by s.grantee, s.place)
            from by_grantee s where (s.kind, s.object) = (o.kind, o.object) and s.place < 3
        ),
        string_agg(private.grant_statement(g.verb, g.kind, g.object, g.privileges, g.grantee), ' ' order by g.place, g.grantee)
    from by_grantee g
    join objects o on (o.kind, o.object) = (g.kind, g.object)
    group by o.kind, o.object, o.owner, o.is_listed;
end;
comment on function private.grant_changes() is
    'Where the database differs from private.intended_grants: one row an object, what is missing, what API roles have beyond it, and the SQL that ends it. For an object that is not listed everything is beyond it. Owner only.';

create function private.apply_grants() returns table (object text, change text)
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_column
declare
    changed record;
begin
    for changed in
        select c.kind, c.object, c.statements from private.grant_changes() as c
        where c.is_listed and pg_has_role(c.owner, 'usage')
        order by c.kind, c.object
    loop
        execute format('%s', changed.statements);
        object := concat_ws(' ', changed.kind, changed.object);
        change := changed.statements;
        return next;
    end loop;
end;
$$;
comment on function private.apply_grants() is
    'For the database owner, after a restore. Makes the grants on everything in private.intended_grants what the list says, as far as the caller owns it, and returns the SQL that it ran. Objects of yours that are not listed stay as they are; doctor() names them.';
