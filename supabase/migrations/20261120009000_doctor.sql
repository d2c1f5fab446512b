-- The doctor: what in this database weakens the rules that the other files keep, each finding with the
-- SQL that ends it. It reads catalogues and settings only, never a tenant's rows, and changes nothing.
-- One function a topic; public.doctor asks them all. After them, the queries that S2 tells an operator
-- to run, as views for the database owner.

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

create function private.wrap_calls(rule text) returns text
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select replace(
        regexp_replace(
            regexp_replace(
                rule,
                '(?<![§.\w])(switchboard\.(organization_ids|dataset_scope)\(\))', '((select §\1)::uuid[])', 'g'
            ),
            '(?<![§.\w])((switchboard|auth)\.\w+\([^()]*\))', '(select §\1)', 'g'
        ),
        '§', ''
    );
end;
comment on function private.wrap_calls(text) is
    'A policy''s rule with each call of switchboard or auth in a sub-select of its own, but for those that § marks. For doctor_policies. Raises nothing.';

create function private.doctor_policies() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    with policies as (
        select format('%I.%I', n.nspname, c.relname) as table_name, p.polname, p.polcmd, p.polroles, p.polpermissive,
            pg_get_expr(p.polqual, p.polrelid) as using_rule,
            pg_get_expr(p.polwithcheck, p.polrelid) as check_rule,
            format('%I on %I.%I', p.polname, n.nspname, c.relname) as name
        from pg_catalog.pg_policy p
        join pg_catalog.pg_class c on c.oid = p.polrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and p.polpermissive
    ), open_policies as (
        select p.*,
            -- § marks the calls that are inside a sub-select already.
            regexp_replace(p.using_rule, '(\( SELECT (?:1(?: AS \S+)?\s+WHERE )?\(*)(switchboard|auth)\.', '\1§\2.', 'g') as marked_using,
            regexp_replace(p.check_rule, '(\( SELECT (?:1(?: AS \S+)?\s+WHERE )?\(*)(switchboard|auth)\.', '\1§\2.', 'g') as marked_check
        from policies p
        where coalesce(p.using_rule, 'false') <> 'false' or coalesce(p.check_rule, 'false') <> 'false'
            or (p.using_rule is null and p.check_rule is null)
    )
    select 'error', 'policy_always_true', p.name,
        'The policy lets every row through.',
        format('drop policy %s;', p.name)
        from open_policies p
        where coalesce(p.using_rule, '') ~ '^\(*(true|1 = 1)\)*$' or coalesce(p.check_rule, '') ~ '^\(*(true|1 = 1)\)*$'
    union all
    select 'warn', 'policy_for_all', p.name,
        'One rule for all four verbs: who may read may delete. Write one policy a verb.',
        format('drop policy %s;', p.name)
        from open_policies p where p.polcmd = '*'
    union all
    select 'error', 'policy_to_everybody', p.name,
        'The policy holds for PUBLIC or anon.',
        format('alter policy %s to authenticated;', p.name)
        from open_policies p
        where p.polroles && array[0::oid, coalesce((select r.oid from pg_catalog.pg_roles r where r.rolname = 'anon'), 0::oid)]
    union all
    select 'warn', 'policy_without_check', p.name,
        'The rule for the row as written is not spelled out.',
        case
            when p.using_rule is null then format('drop policy %s;', p.name)
            else format('alter policy %s with check (%s);', p.name, p.using_rule)
        end
        from open_policies p
        where p.polcmd in ('a', 'w', '*') and p.check_rule is null
    union all
    select 'error', 'policy_admin_arm', p.name,
        'The policy asks for a platform administrator: such an arm opens every tenant at once, and lets rows be moved between them. Support access is open_support_session.',
        format('drop policy %s;', p.name)
        from open_policies p
        where concat(p.using_rule, ' ', p.check_rule) ~* '\m(is_(super|platform|global|site)_?admin|is_admin|is_superuser)\M'
    union all
    select 'warn', 'policy_unwrapped_call', p.name,
        'A function is called for each row instead of once a statement.',
        format('alter policy %s', p.name)
            || case when p.using_rule is null then '' else format(' using (%s)', private.wrap_calls(p.marked_using)) end
            || case when p.check_rule is null then '' else format(' with check (%s)', private.wrap_calls(p.marked_check)) end
            || ';'
        from open_policies p
        where concat(p.marked_using, ' ', p.marked_check) ~ '(?<![§.\w])(switchboard|auth)\.\w+\(';
end;
comment on function private.doctor_policies() is
    'Findings on policies in public: permissive leftovers, missing checks, administrators'' arms, functions called for each row.';

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

create function private.doctor_facts() returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select jsonb_build_object(
        'settings', (
            select jsonb_object_agg(s.name, s.setting) from pg_catalog.pg_settings s
            where s.name ~ '^(server_version_num|log_|auto_explain[.]|pgaudit[.])'
        ),
        'key_loaded', switchboard.key_loaded(),
        'extension_installed', (select e.extversion from pg_catalog.pg_extension e where e.extname = 'switchboard'),
        'extension_available', (
            select x.default_version from pg_catalog.pg_available_extensions x where x.name = 'switchboard'
        ),
        'platform_admins', (select count(*) from private.platform_admins),
        'profile_failures', (select count(*) from private.profile_failures)
    );
end;
comment on function private.doctor_facts() is
    'What doctor_server judges: settings, server and extension versions, whether a key is loaded, counts of platform administrators and of sign-ups without a profile.';

create function private.doctor_server(facts jsonb) returns table (severity text, code text, object text, finding text, fix text)
    language sql immutable
    set search_path = ''
begin atomic
    with s as (
        select facts -> 'settings' as settings,
            (facts #>> '{settings,server_version_num}')::integer as version,
            -- Statements are logged by text, by duration or by sample.
            coalesce(facts #>> '{settings,log_statement}', 'none') in ('mod', 'all')
                or coalesce(facts #>> '{settings,log_min_duration_statement}', '-1') <> '-1'
                or coalesce(facts #>> '{settings,log_min_duration_sample}', '-1') <> '-1'
                or coalesce(facts #>> '{settings,log_transaction_sample_rate}', '0') <> '0' as logs_statements
    )
    select 'error', 'log_statement', 'log_statement',
        format('It is %s: every statement goes to the log with its text, credentials included.', s.settings ->> 'log_statement'),
        'alter system set log_statement = ''ddl''; select pg_reload_conf();'
        from s where s.settings ->> 'log_statement' in ('all', 'mod')
    union all
    select 'error', 'log_parameters', 'log_parameter_max_length',
        'Logged statements carry their parameters, and PostgREST sends credentials as parameters.',
        'alter system set log_parameter_max_length = 0; select pg_reload_conf();'
        from s where s.logs_statements and s.settings ->> 'log_parameter_max_length' <> '0'
    union all
    select 'error', 'log_parameters_on_error', 'log_parameter_max_length_on_error',
        'A failed statement is logged with its parameters, and PostgREST sends credentials as parameters.',
        'alter system set log_parameter_max_length_on_error = 0; select pg_reload_conf();'
        from s where s.settings ->> 'log_parameter_max_length_on_error' <> '0'
    union all
    select 'error', 'auto_explain_parameters', 'auto_explain.log_parameter_max_length',
        'auto_explain logs statements with their parameters.',
        'alter system set auto_explain.log_parameter_max_length = 0; select pg_reload_conf();'
        from s
        where coalesce(s.settings ->> 'auto_explain.log_min_duration', '-1') <> '-1'
            and s.settings ->> 'auto_explain.log_parameter_max_length' <> '0'
    union all
    select 'error', 'pgaudit_parameters', 'pgaudit.log_parameter',
        'pgaudit logs statements with their parameters.',
        'alter system set pgaudit.log_parameter = off; select pg_reload_conf();'
        from s where s.settings ->> 'pgaudit.log_parameter' = 'on'
    union all
    select 'info', 'log_failed_statements', 'log_min_error_statement',
        'A statement that fails is logged with its text: credentials belong into bind parameters, never into the text. PostgREST and drivers send them so.',
        'alter system set log_min_error_statement = ''panic''; select pg_reload_conf();'
        from s where s.settings ->> 'log_min_error_statement' not in ('fatal', 'panic')
    union all
    select 'error', 'key_missing', 'switchboard.key_file',
        'No credential key is loaded: credentials can neither be stored nor opened.',
        'alter system set switchboard.key_file = ''/path/outside/the/data/directory''; -- then restart; a ring is one line, *k1:<64 hex digits>'
        where not (facts ->> 'key_loaded')::boolean
    union all
    -- CVE-2023-2455, CVE-2024-10976: row level security kept for a role that had changed.
    select 'error', 'server_outdated', format('PostgreSQL %s.%s', s.version / 10000, s.version % 10000),
        'Its row level security can be kept from the wrong role (CVE-2023-2455, CVE-2024-10976), or it is older than PostgreSQL 15.',
        '-- install PostgreSQL 15.14, 16.10, 17.6 or later'
        from s
        where s.version < 150009 or s.version between 160000 and 160004 or s.version between 170000 and 170000
    union all
    -- CVE-2025-8713: statistics of rows that row level security hides.
    select 'warn', 'server_outdated', format('PostgreSQL %s.%s', s.version / 10000, s.version % 10000),
        'Statistics can show values of rows that row level security hides (CVE-2025-8713).',
        '-- install PostgreSQL 15.14, 16.10, 17.6 or later'
        from s
        where s.version between 150009 and 150013 or s.version between 160005 and 160009
            or s.version between 170001 and 170005
    union all
    select 'warn', 'extension_outdated', 'switchboard',
        format('Version %s runs, %s is installed on the server.', facts ->> 'extension_installed', facts ->> 'extension_available'),
        'alter extension switchboard update;'
        where facts ->> 'extension_installed' is distinct from facts ->> 'extension_available'
    union all
    select 'info', 'no_platform_admin', 'private.platform_admins',
        'Nobody administers this installation, so nobody can open a support session.',
        'select public.bootstrap_platform_admin(''<user id>'');'
        where (facts ->> 'platform_admins')::integer = 0
    union all
    select 'warn', 'profile_failures', 'private.profile_failures',
        format('%s sign-ups left no profile.', facts ->> 'profile_failures'),
        'select private.backfill_profiles();'
        where (facts ->> 'profile_failures')::integer > 0;
end;
comment on function private.doctor_server(jsonb) is
    'Findings on the server, from private.doctor_facts(): settings that print secrets, a missing key, versions, what waits for the operator.';

create function private.doctor() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable security definer
    set search_path = ''
begin atomic
    select f.severity, f.code, f.object, f.finding, f.fix
        from (
            select * from private.doctor_tables()
            union all select * from private.doctor_policies()
            union all select * from private.doctor_functions()
            union all select * from private.doctor_keys()
            union all select * from private.doctor_grants()
            union all select * from private.doctor_server(private.doctor_facts())
        ) as f
        order by array_position(array['error', 'warn', 'info'], f.severity), f.code, f.object;
end;
comment on function private.doctor() is 'Body of public.doctor; see there.';

create function public.doctor() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    select d.severity, d.code, d.object, d.finding, d.fix from private.doctor() as d;
end;
comment on function public.doctor() is
    'What weakens this database: tables without row level security, permissive policies, functions that reach past them, keys that cross tenants, grants too wide, settings that print secrets, a missing key, old versions. One row a finding: severity error, warn or info; code; object; finding in words; fix as SQL for the database owner (alter system and versions: for the server''s administrator; after dropping a policy, private.add_tenant_policies gives a table its four). service_role only; reads catalogues, changes nothing. Raises nothing.';
grant execute on function private.doctor() to service_role;
grant execute on function public.doctor() to service_role;

-- S2's "useful queries", for whoever has psql as the owner.

create function private.migrations() returns table (version text, name text)
    language plpgsql stable
    set search_path = ''
as $$
declare
    -- The Supabase CLI makes the table on its first push; a database filled by psql has none.
    v_table constant regclass := to_regclass('supabase_migrations.schema_migrations');
begin
    if v_table is not null then
        return query execute format('select m.version::text, m.name::text from %s as m order by m.version', v_table);
    end if;
end;
$$;
comment on function private.migrations() is
    'Migrations that the Supabase CLI has applied, in order (S2: "Check executed migrations"); none where it was not used. Owner only. Raises nothing.';

create view private.rls_policies with (security_invoker = true) as
    select p.schemaname, p.tablename, p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
    from pg_catalog.pg_policies p
    where p.schemaname in ('public', 'private')
    order by p.schemaname, p.tablename, p.cmd;
comment on view private.rls_policies is 'Every policy and what it says (S2: "View RLS policies"). Owner only.';

create view private.table_sizes with (security_invoker = true) as
    select n.nspname as schemaname, c.relname as tablename, c.reltuples::bigint as estimated_rows,
        pg_relation_size(c.oid) as table_bytes, pg_indexes_size(c.oid) as index_bytes,
        pg_total_relation_size(c.oid) as total_bytes,
        pg_size_pretty(pg_total_relation_size(c.oid)) as size
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private') and c.relkind in ('r', 'p')
    order by pg_total_relation_size(c.oid) desc;
comment on view private.table_sizes is
    'Tables by size, with their indexes (S2: "Check table sizes"). estimated_rows is the planner''s, -1 before the first analyze. Owner only.';

create view private.unused_indexes with (security_invoker = true) as
    select s.schemaname, s.relname as tablename, s.indexrelname as indexname,
        pg_relation_size(s.indexrelid) as bytes, obj_description(s.indexrelid, 'pg_class') as serves
    from pg_catalog.pg_stat_user_indexes s
    join pg_catalog.pg_index i on i.indexrelid = s.indexrelid
    where s.schemaname in ('public', 'private') and s.idx_scan = 0 and not i.indisunique
    order by pg_relation_size(s.indexrelid) desc;
comment on view private.unused_indexes is
    'Indexes that no query has used since statistics were reset, and the query that each is for: after weeks of real use, candidates to drop. Owner only.';
