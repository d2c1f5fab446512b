-- The doctor's checks on functions.

create function private.doctor_functions() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    with functions as (
        select p.oid, n.nspname,
            format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name,
            p.prosecdef, p.proconfig, l.lanname, p.prorettype,
            coalesce((
                select string_agg(r.rolname, ', ' order by r.rolname)
                from pg_catalog.pg_roles r
                where r.rolname in ('anon', 'authenticated') and has_function_privilege(r.oid, p.oid, 'execute')
            ), '') as callers
        from pg_catalog.pg_proc p
        join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        join pg_catalog.pg_language l on l.oid = p.prolang
        where n.nspname in ('public', 'private', 'switchboard')
            and p.prokind in ('f', 'p', 'w')
            -- Extensions answer for their own, but for ours.
            and not exists (
                select from pg_catalog.pg_depend d
                join pg_catalog.pg_extension e on e.oid = d.refobjid
                where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
                    and d.refclassid = 'pg_catalog.pg_extension'::regclass and e.extname <> 'switchboard'
            )
    )
    select 'error', 'definer_callable', f.name,
        format('%s may run it with its owner''s rights. In public only an INVOKER function belongs, over a body in private.', f.callers),
        format('revoke execute on routine %s from public, %s;', f.name, f.callers)
        from functions f
        where f.prosecdef and (f.callers ~ '\manon\M' or (f.nspname = 'public' and f.callers <> ''))
    union all
    select 'error', 'definer_search_path', f.name,
        'It runs with its owner''s rights and looks names up along the caller''s search_path.',
        format('alter routine %s set search_path = '''';', f.name)
        from functions f
        where f.prosecdef and not coalesce('search_path=""' = any (f.proconfig), false)
    union all
    select 'error', 'callable_by_anon', f.name,
        'Anybody without a sign-in may call it.',
        format('revoke execute on routine %s from public, anon;', f.name)
        from functions f
        where f.callers ~ '\manon\M' and not f.prosecdef;
end;
comment on function private.doctor_functions() is
    'Findings on functions in public, private and switchboard: definer rights within reach of a client, names looked up along the caller''s path, anything open to anon.';
