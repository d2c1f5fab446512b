-- The doctor's checks on grants.

create function private.doctor_grants() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    with granted as (
        select format('%I.%I', n.nspname, c.relname) as name, a.privilege_type,
            case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end as grantee
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        cross join lateral aclexplode(c.relacl) as a
        left join pg_catalog.pg_roles r on r.oid = a.grantee
        where n.nspname in ('public', 'private') and c.relkind in ('r', 'p', 'v', 'm', 'f')
            and (a.grantee = 0 or r.rolname in ('anon', 'authenticated', 'service_role'))
    )
    select 'error', 'grant_too_wide', g.name,
        format('%s has %s, which no client and no server code needs.', g.grantee, string_agg(g.privilege_type, ', ' order by g.privilege_type)),
        format('revoke %s on %s from %s;', string_agg(lower(g.privilege_type), ', ' order by g.privilege_type), g.name, g.grantee)
        from granted g
        where g.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
        group by g.name, g.grantee
    union all
    select 'error', 'grant_to_anon', g.name,
        format('%s has %s: nothing here is for people who are not signed in.', g.grantee, string_agg(g.privilege_type, ', ' order by g.privilege_type)),
        format('revoke %s on %s from %s;', string_agg(lower(g.privilege_type), ', ' order by g.privilege_type), g.name, g.grantee)
        from granted g
        where g.grantee in ('public', 'anon')
            and g.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
        group by g.name, g.grantee;
end;
comment on function private.doctor_grants() is
    'Findings on grants in public and private: TRUNCATE, REFERENCES, TRIGGER and MAINTAIN for API roles, anything for anon.';
