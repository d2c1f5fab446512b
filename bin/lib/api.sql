-- Prints what bin/lib/api.ts needs of a database, as one JSON value: the functions that PostgREST offers, and the
-- installers that only the tables' owner calls.
\pset format unaligned
\pset tuples_only on

with
offered as (
    select f.*, n.nspname,
        f.pronamespace <> 'public'::regnamespace as is_installer
    from pg_proc f
    join pg_namespace n on n.oid = f.pronamespace
    where f.prokind = 'f'
        and f.prorettype <> 'trigger'::regtype
        and (
            f.pronamespace = 'public'::regnamespace
            or f.pronamespace = 'switchboard'::regnamespace and f.proname ~ '_counts$' and f.proname <> 'maintain_counts'
            or f.pronamespace = 'private'::regnamespace
            and f.proname ~ '^(add|attach|define|drop|make)_|^(record|apply)_grants$'
            -- The body of an RPC has the RPC's name.
            and not exists (
                select from pg_proc r
                where r.pronamespace = 'public'::regnamespace and r.proname = f.proname
            )
        )
)
select coalesce(jsonb_agg(jsonb_build_object(
        'name', case when o.is_installer then o.nspname || '.' else '' end || o.proname,
        'arguments', (
            select coalesce(jsonb_agg(jsonb_build_object(
                    'name', o.proargnames[i],
                    'type', format_type(o.proargtypes[i - 1], null),
                    'default', pg_get_function_arg_default(o.oid, i)
                ) order by i), '[]')
            from generate_series(1, o.pronargs) as i
        ),
        'returns', pg_get_function_result(o.oid),
        'reads_only', o.provolatile <> 'v',
        'callers', (
            select coalesce(jsonb_agg(a.grantee::regrole::text order by a.grantee::regrole::text), '[]')
            from aclexplode(o.proacl) as a
            where a.privilege_type = 'EXECUTE' and a.grantee <> o.proowner
        ),
        'capabilities', (
            select coalesce(jsonb_agg(distinct m.capability[1]), '[]')
            from pg_proc b
            cross join lateral regexp_matches(
                pg_get_functiondef(b.oid), 'require_organization\(''([a-z0-9_]+\.[a-z_]+)''', 'g') as m (capability)
            where not o.is_installer
                and b.proname = o.proname
                and b.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
        ),
        'comment', coalesce(obj_description(o.oid, 'pg_proc'), '')
    ) order by o.nspname desc, o.proname collate "C"), '[]')
from offered o;
