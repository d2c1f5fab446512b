-- The doctor: our own schema is well; each thing that can be wrong is found, and the printed SQL ends it.
begin;
select no_plan();

-- Before _helpers.psql, which lets the roles under test make temporary tables.
select is_empty($$ select d.* from private.doctor() d where d.severity <> 'info' and d.code not in ('server_outdated', 'profile_failures') $$,
    'no error and no warning about this schema');
\ir _helpers.psql

-- Found, mended by the SQL that it prints, and not found again.
create function tests.finds(wanted_code text, wanted_object text, wanted_severity text, statements text, mends boolean default true) returns setof text
    language plpgsql
as $$
declare
    v_fix text;
begin
    return next is_empty(format('select * from private.doctor() where code = %L and object = %L', wanted_code, wanted_object), wanted_code || ': not found before');
    execute statements;
    select d.fix into v_fix from private.doctor() d
        where d.code = wanted_code and d.object = wanted_object and d.severity = wanted_severity and d.finding <> '';
    return next ok(v_fix is not null, format('%s: found on %s', wanted_code, wanted_object));
    if mends then
        execute v_fix;
        return next is_empty(format('select * from private.doctor() where code = %L and object = %L', wanted_code, wanted_object), format('%s: gone after %s', wanted_code, v_fix));
    end if;
end;
$$;

-- Tables.
select tests.finds('rls_disabled', 'public.scratch', 'error', 'create table public.scratch (id uuid primary key)');
select tests.finds('rls_without_policy', 'public.scratch2', 'warn', 'create table public.scratch2 (id uuid primary key); alter table public.scratch2 enable row level security');
select tests.finds('key_without_tenant', 'public.scratch3', 'warn', 'create table public.scratch3 (organization_id uuid not null, id uuid not null primary key)');
select tests.finds('key_without_tenant', 'public.scratch4', 'warn', 'create table public.scratch4 (organization_id uuid not null, id uuid not null)');
select tests.finds('no_tenant_policy', 'public.scratch3', 'warn',
    'alter table public.scratch3 enable row level security; create policy s on public.scratch3 for select to authenticated using (id = (select auth.uid()))', false);
select tests.finds('view_as_owner', 'public.scratch_view', 'error', 'create view public.scratch_view as select id from public.leads; grant select on public.scratch_view to authenticated');
select tests.finds('materialized_view_readable', 'public.scratch_mat', 'error', 'create materialized view public.scratch_mat as select id from public.leads; grant select on public.scratch_mat to authenticated');

-- Policies.
create table public.scratch5 (organization_id uuid not null, id uuid not null, owner uuid, primary key (organization_id, id));
alter table public.scratch5 enable row level security;
select tests.finds('policy_always_true', 'p on public.scratch5', 'error', 'create policy p on public.scratch5 for select to authenticated using (true)');
select tests.finds('policy_for_all', 'p on public.scratch5', 'warn',
    $$ create policy p on public.scratch5 for all to authenticated using (organization_id = (select switchboard.organization_for('leads.read'))) with check (false) $$);
select tests.finds('policy_to_everybody', 'p on public.scratch5', 'error',
    $$ create policy p on public.scratch5 for select using (organization_id = (select switchboard.organization_for('leads.read'))) $$);
drop policy p on public.scratch5;
select tests.finds('policy_to_everybody', 'p on public.scratch5', 'error',
    $$ create policy p on public.scratch5 for select to anon, authenticated using (organization_id = (select switchboard.organization_for('leads.read'))) $$);
drop policy p on public.scratch5;
select tests.finds('policy_without_check', 'p on public.scratch5', 'warn',
    $$ create policy p on public.scratch5 for update to authenticated using (organization_id = (select switchboard.organization_for('leads.write'))) $$);
drop policy p on public.scratch5;
select tests.finds('policy_admin_arm', 'p on public.scratch5', 'error',
    $$ create policy p on public.scratch5 for select to authenticated using (organization_id = (select switchboard.organization_for('leads.read')) or (select public.is_super_admin())) $$);
select tests.finds('policy_unwrapped_call', 'p on public.scratch5', 'warn',
    $$ create policy p on public.scratch5 for update to authenticated
        using (organization_id = switchboard.organization_for('leads.write') and owner = (select auth.uid()))
        with check (organization_id = any (switchboard.organization_ids()) and (owner = auth.uid())) $$);
select is((select pg_get_expr(polwithcheck, polrelid) from pg_policy where polname = 'p'),
    '((organization_id = ANY (( SELECT switchboard.organization_ids() AS organization_ids)::uuid[])) AND (owner = ( SELECT auth.uid() AS uid)))', 'mended as it should be written');

-- Functions.
select tests.finds('definer_callable', 'public.scratch()', 'error', $$ create function public.scratch() returns int language sql security definer set search_path = '' return 1; grant execute on function public.scratch() to authenticated $$);
select tests.finds('definer_callable', 'private.scratch(a integer)', 'error', $$ create function private.scratch(a int) returns int language sql security definer set search_path = '' return 1; grant execute on function private.scratch(int) to public $$);
select tests.finds('definer_search_path', 'private.scratch()', 'error', 'create function private.scratch() returns int language sql security definer return 1');
select tests.finds('definer_search_path', 'private.scratch2()', 'error', 'create function private.scratch2() returns int language sql security definer set search_path = public return 1');
select tests.finds('callable_by_anon', 'public.scratch3()', 'error', $$ create function public.scratch3() returns int language sql set search_path = '' return 1; grant execute on function public.scratch3() to anon $$);

-- Keys and indexes.
select tests.finds('foreign_key_across_tenants', 'scratch6_agent_id_fkey on public.scratch6', 'error', $$
    create table public.parent6 (organization_id uuid not null, id uuid not null unique, primary key (organization_id, id));
    create table public.scratch6 (organization_id uuid not null, id uuid not null, agent_id uuid constraint scratch6_agent_id_fkey references public.parent6 (id) on delete set null, primary key (organization_id, id)) $$);
select is((select pg_get_constraintdef(oid) from pg_constraint where conname = 'scratch6_agent_id_fkey'),
    'FOREIGN KEY (organization_id, agent_id) REFERENCES parent6(organization_id, id) ON DELETE SET NULL (agent_id)', 'mended as it should be written')
    from (select set_config('search_path', 'public, extensions', true)) s;
select tests.finds('foreign_key_without_index', 'scratch7_fkey on public.scratch7', 'warn', $$
    create table public.scratch7 (organization_id uuid not null, id uuid not null, agent_id uuid, primary key (organization_id, id),
        constraint scratch7_fkey foreign key (organization_id, agent_id) references public.agents (organization_id, id)) $$);
select tests.finds('index_not_leakproof', 'public.scratch8.status', 'warn', $$
    create type public.scratch_status as enum ('a', 'b');
    create table public.scratch8 (organization_id uuid not null, id uuid not null, status public.scratch_status, primary key (organization_id, id));
    create index on public.scratch8 (organization_id, status) $$);
select tests.finds('index_not_leakproof', 'public.scratch9.amount', 'warn', $$
    create table public.scratch9 (organization_id uuid not null, id uuid not null, amount numeric, primary key (organization_id, id));
    create index on public.scratch9 (organization_id, amount) $$);

-- Grants.
select tests.finds('grant_too_wide', 'public.scratch9', 'error', 'grant select, truncate, trigger on public.scratch9 to authenticated');
select is(has_table_privilege('authenticated', 'public.scratch9', 'select'), true, 'what is well stays');
select tests.finds('grant_to_anon', 'public.scratch9', 'error', 'grant select, insert on public.scratch9 to anon');
select tests.finds('grant_to_anon', 'public.scratch8', 'error', 'grant select on public.scratch8 to public');

-- The server, from its facts: settings need a superuser and versions another server.
create function tests.server(changes jsonb) returns text
    language sql
as $$
    select coalesce(string_agg(d.severity || ' ' || d.code, ', ' order by d.code), 'well')
    from private.doctor_server('{"key_loaded": true, "extension_installed": "1", "extension_available": "1", "platform_admins": 1, "profile_failures": 0}'
        || (changes - 'settings') || jsonb_build_object('settings', '{"server_version_num": "170006", "log_statement": "ddl", "log_min_duration_statement": "-1",
            "log_min_duration_sample": "-1", "log_transaction_sample_rate": "0", "log_parameter_max_length": "-1", "log_parameter_max_length_on_error": "0",
            "log_min_error_statement": "panic", "shared_preload_libraries": "pg_cron, switchboard"}' || coalesce(changes -> 'settings', '{}'))) d
$$;
select is(tests.server(changes), expected, format('%s: %s', expected, changes)) from (values
    ('{}'::jsonb, 'well'),
    ('{"settings": {"log_statement": "all", "log_parameter_max_length": "0"}}', 'error log_statement'),
    ('{"settings": {"log_statement": "mod"}}', 'error log_parameters, error log_statement'),
    ('{"settings": {"log_min_duration_statement": "250"}}', 'error log_parameters'),
    ('{"settings": {"log_min_duration_statement": "250", "log_parameter_max_length": "0"}}', 'well'),
    ('{"settings": {"log_min_duration_sample": "0"}}', 'error log_parameters'),
    ('{"settings": {"log_parameter_max_length_on_error": "-1"}}', 'error log_parameters_on_error'),
    ('{"settings": {"log_min_error_statement": "error"}}', 'info log_failed_statements'),
    ('{"settings": {"auto_explain.log_min_duration": "0", "auto_explain.log_parameter_max_length": "-1"}}', 'error auto_explain_parameters'),
    ('{"settings": {"auto_explain.log_min_duration": "-1", "auto_explain.log_parameter_max_length": "-1"}}', 'well'),
    ('{"settings": {"pgaudit.log_parameter": "on"}}', 'error pgaudit_parameters'),
    ('{"key_loaded": false}', 'error key_missing'),
    ('{"extension_available": "2"}', 'warn extension_outdated'),
    ('{"settings": {"shared_preload_libraries": ""}}', 'warn not_preloaded'),
    ('{"settings": {"shared_preload_libraries": "pg_cron, switchboard_too"}}', 'warn not_preloaded'),
    ('{"settings": {"shared_preload_libraries": "\"$libdir/switchboard.so\",pg_cron"}}', 'well'),
    ('{"settings": {"shared_preload_libraries": null}}', 'well'),
    ('{"api_settings": {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0ms"}}', 'info no_idle_timeout, warn no_statement_timeout'),
    ('{"api_settings": {"statement_timeout": "8s", "idle_in_transaction_session_timeout": "60000"}}', 'well'),
    ('{"platform_admins": 0}', 'info no_platform_admin'),
    ('{"profile_failures": 2}', 'warn profile_failures'),
    ('{"api_settings": {"temp_file_limit": "-1", "lock_timeout": "2s"}}', 'warn temp_file_limit'),
    ('{"api_settings": {"temp_file_limit": "512MB", "lock_timeout": "2s"}}', 'well'),
    ('{"api_settings": {"temp_file_limit": "524288", "lock_timeout": "2000"}}', 'well'),
    ('{"api_settings": {"lock_timeout": "8s"}}', 'warn lock_timeout'),
    ('{"api_settings": {"lock_timeout": "1min"}}', 'warn lock_timeout'),
    ('{"api_settings": {"lock_timeout": "0"}}', 'warn lock_timeout'),
    ('{"api_settings": {"lock_timeout": "8000"}}', 'warn lock_timeout'),
    ('{"settings": {"server_version_num": "140020"}}', 'error server_outdated'),
    ('{"settings": {"server_version_num": "150008"}}', 'error server_outdated'),
    ('{"settings": {"server_version_num": "150009"}}', 'warn server_outdated'),
    ('{"settings": {"server_version_num": "150014"}}', 'well'),
    ('{"settings": {"server_version_num": "160004"}}', 'error server_outdated'),
    ('{"settings": {"server_version_num": "160009"}}', 'warn server_outdated'),
    ('{"settings": {"server_version_num": "160010"}}', 'well'),
    ('{"settings": {"server_version_num": "170000"}}', 'error server_outdated'),
    ('{"settings": {"server_version_num": "170005"}}', 'warn server_outdated')
) as v (changes, expected);
select is((private.doctor_facts() -> 'key_loaded')::boolean, true, 'this server has a key');
select is(private.doctor_facts() -> 'api_settings',
    '{"temp_file_limit": "512MB", "lock_timeout": "2s", "statement_timeout": "8s", "idle_in_transaction_session_timeout": "0"}', 'and bounds what a request takes');
alter role authenticated reset lock_timeout;
select is(private.doctor_facts() #>> '{api_settings,lock_timeout}', '8s', 'the login role''s setting holds where the acting role has none');
select is(private.doctor_facts() #>> '{settings,log_statement}', current_setting('log_statement'), 'and its settings are read');
select matches(private.doctor_facts() #>> '{settings,shared_preload_libraries}', 'switchboard', 'also those that not everybody may read');
select is(tests.server(jsonb_build_object('settings', jsonb_build_object('shared_preload_libraries', private.doctor_facts() #>> '{settings,shared_preload_libraries}'))),
    'well', 'where the library is');
select isnt_empty($$ select * from private.doctor() where code = 'no_idle_timeout' and severity = 'info' $$, 'a transaction left open has no end by default');
do $$
begin
    execute format('alter database %I set statement_timeout = 0', current_database());
    execute format('alter database %I set idle_in_transaction_session_timeout = %L', current_database(), '60s');
end
$$;
select is((private.doctor_facts() -> 'api_settings') - '{temp_file_limit,lock_timeout}'::text[], '{"statement_timeout": "8s", "idle_in_transaction_session_timeout": "60s"}',
    'for which the database''s settings count after the role''s');
select is_empty($$ select * from private.doctor() where code = 'no_idle_timeout' $$, 'and ends by such a setting');

-- Who may ask, and the owner's reports.
select tests.as_service();
select isnt_empty('select * from public.doctor()', 'the service key asks the doctor');
select tests.as_owner();
select tests.make_tenant('a', 801);
select tests.as_user('a.owner', 'a', '{"aal": "aal2"}');
select is(tests.attempt('select * from public.doctor()'), '42501', 'an organization''s owner does not');
select tests.as_anon();
select is(tests.attempt('select * from public.doctor()'), '42501', 'nor anon');
select tests.as_owner();
select isnt_empty('select 1 from private.migrations()', 'migrations of the CLI are listed');
select is((select count(*) from private.rls_policies where schemaname = 'public' and tablename = 'leads'), 4::bigint, 'policies are listed');
select is((select count(*) from private.table_sizes where tablename = 'leads' and total_bytes >= table_bytes), 1::bigint, 'tables are listed with their sizes');
select lives_ok('select * from private.unused_indexes', 'and indexes without use');
select tests.as_service();
select is(tests.attempt('select 1 from private.table_sizes'), '42501', 'not for the service key');

select * from finish();
rollback;
