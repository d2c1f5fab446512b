-- The doctor's checks on the server: settings, versions, what waits for the operator.

create function private.doctor_facts() returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select jsonb_build_object(
        'settings', (
            select jsonb_object_agg(s.name, s.setting) from pg_catalog.pg_settings s
            where s.name ~ '^(server_version_num|shared_preload_libraries|log_|auto_explain[.]|pgaudit[.])'
        ),
        -- What a request runs under: PostgREST logs in as authenticator and takes over the settings of the role it acts as.
        'api_settings', (
            select jsonb_object_agg(s.name, coalesce((
                select substr(c.setting, length(s.name) + 2)
                from pg_catalog.pg_db_role_setting r
                left join pg_catalog.pg_roles o on o.oid = r.setrole
                cross join unnest(r.setconfig) as c (setting)
                where starts_with(c.setting, s.name || '=')
                    and (r.setdatabase = 0 or r.setdatabase = (
                        select d.oid from pg_catalog.pg_database d where d.datname = current_database()
                    ))
                    and (r.setrole = 0 or o.rolname = 'authenticator'
                        or o.rolname = 'authenticated' and s.name = 'lock_timeout')
                order by o.rolname = 'authenticated' desc nulls last, r.setrole = 0, r.setdatabase = 0
                limit 1
            ), s.reset_val))
            from pg_catalog.pg_settings s
            where s.name in ('temp_file_limit', 'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout')
        ),
        -- A ring with a wrong key is doctor_credentials'.
        'key_loaded', switchboard.key_loaded() or exists (select from switchboard.key_problems()),
        'extension_installed', (select e.extversion from pg_catalog.pg_extension e where e.extname = 'switchboard'),
        'extension_available', (
            select x.default_version from pg_catalog.pg_available_extensions x where x.name = 'switchboard'
        ),
        'platform_admins', (select count(*) from private.platform_admins),
        'profile_failures', (select count(*) from private.profile_failures)
    );
end;
comment on function private.doctor_facts() is
    'What doctor_server judges: settings, also those of the API''s roles, server and extension versions, whether a key is loaded, counts of platform administrators and of sign-ups without a profile.';

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
                or coalesce(facts #>> '{settings,log_transaction_sample_rate}', '0') <> '0' as logs_statements,
            -- A time with or without a unit, as it was written.
            facts #>> '{api_settings,statement_timeout}' ~ '^0+ *[a-z]*$' as statements_without_end,
            facts #>> '{api_settings,idle_in_transaction_session_timeout}' ~ '^0+ *[a-z]*$' as idles_without_end
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
    select 'warn', 'temp_file_limit', 'authenticator',
        'A request of one tenant may fill the disk with temporary files.',
        'alter role authenticator set temp_file_limit = ''512MB''; -- as a superuser; new connections have it'
        where facts #>> '{api_settings,temp_file_limit}' = '-1'
    union all
    select 'warn', 'lock_timeout', 'authenticated',
        'A request may wait for another one''s locks for as long as a statement may take, and holds one of the API''s connections, which all tenants share.',
        'alter role authenticated set lock_timeout = ''2s''; notify pgrst, ''reload config'';'
        where case
            when facts #>> '{api_settings,lock_timeout}' ~ '^[0-9]+$'
                then (facts #>> '{api_settings,lock_timeout}')::bigint not between 1 and 2000
            else (facts #>> '{api_settings,lock_timeout}')::interval > interval '2 seconds'
        end
    union all
    select 'error', 'key_missing', 'switchboard.key_file',
        'No credential key is loaded: credentials can neither be stored nor opened.',
        'alter system set switchboard.key_file = ''/path/outside/the/data/directory''; -- then restart; a ring is one line, *k1:<64 hex digits>'
        where not (facts ->> 'key_loaded')::boolean
    union all
    -- Whoever may not read the setting knows nothing of it.
    select 'warn', 'not_preloaded', 'shared_preload_libraries',
        'The library is not in it: every connection loads it anew, and reads the key file and the phone tables for itself.',
        'alter system set shared_preload_libraries = '
            || concat_ws(', ', nullif(s.settings ->> 'shared_preload_libraries', ''), 'switchboard') || '; -- then restart'
        from s where s.settings ->> 'shared_preload_libraries' !~ '(^|[ ,"/])switchboard([ ,".]|$)'
    union all
    select 'warn', 'no_statement_timeout', 'authenticator',
        'A request of the API may run for ever, and so hold a connection and its locks.',
        'alter role authenticator set statement_timeout = ''8s'';'
        from s where s.statements_without_end
    union all
    select 'info', 'no_idle_timeout', 'authenticator',
        'A transaction that a client leaves open holds its locks for ever.',
        'alter role authenticator set idle_in_transaction_session_timeout = ''60s'';'
        from s where s.idles_without_end
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
    'Findings on the server, from private.doctor_facts(): settings that print secrets, bound nothing or leave requests without an end, a missing key or library, versions, what waits for the operator.';
