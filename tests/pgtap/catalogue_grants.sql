-- What is granted: nothing by default, nothing to anon, and to authenticated only the columns that a
-- client writes.
begin;
select no_plan();

-- Before _helpers.psql, which lets the roles under test make pgTAP's own temporary tables.
select is_empty($$
    select r from unnest(array['anon', 'authenticated', 'service_role', 'authenticator']) as r
    where has_database_privilege(r, current_database(), 'temporary')
$$, 'no API role makes temporary tables');
select ok(has_database_privilege('supabase_storage_admin', current_database(), 'temporary'), 'a service of the platform may');

\ir _helpers.psql

-- Default privileges. Supabase gives everything new in public to the API roles by name.
select is_empty($$
    select d.defaclrole::regrole, d.defaclnamespace::regnamespace, d.defaclobjtype, a.privilege_type, a.grantee::regrole
    from pg_default_acl d cross join lateral aclexplode(d.defaclacl) as a
    where d.defaclrole = 'postgres'::regrole
        and (d.defaclnamespace = 0 or d.defaclnamespace in ('public'::regnamespace, 'private'::regnamespace))
        and (a.grantee = 0 or a.grantee in ('anon'::regrole, 'authenticated'::regrole, 'service_role'::regrole))
$$, 'postgres'' default privileges name no API role and not PUBLIC');
create table public.something_new (id integer generated always as identity, secret text);
create function public.something_new() returns integer language sql return 1;
create table private.something_new (id integer generated always as identity, secret text);
create function private.something_new() returns integer language sql return 1;
select ok(not c.granted, format('%s has no right on a new %s in %s', r, c.kind, s))
    from unnest(array['anon', 'authenticated', 'service_role']) as r, unnest(array['public', 'private']) as s,
        lateral (values
            ('table', has_table_privilege(r, s || '.something_new', 'select, insert, update, delete, truncate, references, trigger')),
            ('sequence', has_sequence_privilege(r, s || '.something_new_id_seq', 'usage, select, update')),
            ('function', has_function_privilege(r, s || '.something_new()', 'execute'))
        ) as c (kind, granted);
drop function public.something_new(), private.something_new();
drop table public.something_new, private.something_new;

-- Schemas.
select is_empty($$
    select r, s, p from unnest(array['anon', 'authenticated', 'service_role']) as r,
        unnest(array['public', 'private', 'switchboard']) as s, unnest(array['usage', 'create']) as p
    where has_schema_privilege(r, s, p)
        and (r, s, p) not in (
            ('anon', 'public', 'usage'), ('authenticated', 'public', 'usage'), ('service_role', 'public', 'usage'),
            ('authenticated', 'switchboard', 'usage'), ('service_role', 'switchboard', 'usage')
        )
$$, 'nobody creates in our schemas, and private is closed');
select ok(has_schema_privilege('authenticated', 'switchboard', 'usage'), 'authenticated may use switchboard: INVOKER RPCs call it');

-- anon: nothing at all.
create temporary view relations as
    select c.oid, c.oid::regclass::text as name, c.relkind, n.nspname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private', 'switchboard') and c.relkind in ('r', 'p', 'v', 'm', 'f');
select is_empty($$
    select name from relations
    where has_table_privilege('anon', oid, 'select, insert, update, delete, truncate, references, trigger')
        or has_any_column_privilege('anon', oid, 'select, insert, update, references')
$$, 'anon has no privilege on any table or column');
select is_empty($$
    select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private', 'switchboard') and c.relkind = 'S'
        and (
            has_sequence_privilege('anon', c.oid, 'usage, select, update')
            or has_sequence_privilege('authenticated', c.oid, 'usage, select, update')
            or has_sequence_privilege('service_role', c.oid, 'usage, select, update')
        )
$$, 'no API role has a privilege on a sequence');
select is_empty($$
    select name, a.privilege_type from relations r
    join pg_class c on c.oid = r.oid
    cross join lateral aclexplode(c.relacl) as a where a.grantee = 0
    union all
    select name, x.privilege_type from relations r
    join pg_attribute t on t.attrelid = r.oid
    cross join lateral aclexplode(t.attacl) as x where x.grantee = 0
$$, 'PUBLIC has no privilege on any table or column');

-- What no API role needs.
select is_empty($$
    select name, r from relations, unnest(array['anon', 'authenticated', 'service_role']) as r
    where has_table_privilege(r, oid, 'truncate, references, trigger')
        or has_any_column_privilege(r, oid, 'references')
$$, 'TRUNCATE, REFERENCES and TRIGGER are granted to no API role');
-- MAINTAIN came with PostgreSQL 17.
select is_empty($$
    select r.name, a.grantee::regrole, a.privilege_type from relations r
    join pg_class c on c.oid = r.oid
    cross join lateral aclexplode(c.relacl) as a
    where a.grantee in ('anon'::regrole, 'authenticated'::regrole, 'service_role'::regrole)
        and (a.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE') or a.is_grantable)
$$, 'no other privilege, and none that can be passed on');
select is_empty($$
    select name from relations, unnest(array['anon', 'authenticated', 'service_role']) as r
    where nspname = 'private' and (
        has_table_privilege(r, oid, 'select, insert, update, delete')
        or has_any_column_privilege(r, oid, 'select, insert, update')
    )
$$, 'no API role reaches a table in private');
select ok(not has_database_privilege(r, current_database(), 'create'), r || ' creates no schema')
    from unnest(array['anon', 'authenticated', 'service_role']) as r;

-- authenticated: the verbs by table. Insert and update are granted by column, below.
select bag_eq(
    $$ select name from relations where has_table_privilege('authenticated', oid, 'select') $$,
    $$ select name from tests.tenant_tables where 'select' = any (granted)
        union all values ('clients'), ('users'), ('user_organizations'), ('plans'), ('plan_limits') $$,
    'authenticated reads these tables whole');
select bag_eq(
    $$ select name from relations where has_table_privilege('authenticated', oid, 'delete') $$,
    $$ select name from tests.tenant_tables where 'delete' = any (granted) $$,
    'authenticated deletes from these');
select is_empty($$
    select name, p from relations, unnest(array['insert', 'update']) as p where has_table_privilege('authenticated', oid, p)
$$, 'insert and update are granted column by column, so a new column is closed until somebody opens it');

create temporary view writable as
    select c.relname::text as table_name, a.attname::text as column_name, p as verb,
        has_column_privilege('authenticated', c.oid, a.attnum, p) as granted
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    cross join unnest(array['select', 'insert', 'update']) as p
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p');
select is_empty($$
    select table_name, column_name from writable
    where granted and verb = 'update' and column_name in (
        'organization_id', 'id', 'created_at', 'updated_at', 'created_by', 'uploaded_by', 'user_id', 'role',
        'total_leads', 'active_leads', 'hot_leads', 'converted_leads', 'total_messages', 'times_applied',
        'success_rate', 'lessons_count', 'manual_edits_count', 'compiled_prompt', 'compiled_sha256',
        'compile_report', 'campaign_status', 'failure_count', 'last_verified_at', 'webhook_observed_url',
        'webhook_configured', 'dup_seq', 'upload_id', 'row_number', 'phone_input', 'decision', 'provider_sid',
        'm1_sent_at', 'm2_sent_at', 'm3_sent_at', 'reply_received_at', 'last_message_at', 'conversation_summary',
        'latest_lead_reply', 'manual_mode_activated_at', 'phone_type', 'phone_validity'
    )
$$, 'identity, counters, compiled text, provider facts and timestamps are not for clients to update');
select is_empty($$
    select table_name, column_name from writable
    where granted and verb = 'insert' and (
        column_name in (
            'created_at', 'updated_at', 'created_by', 'uploaded_by', 'total_leads', 'active_leads', 'hot_leads',
            'converted_leads', 'total_messages', 'times_applied', 'success_rate', 'lessons_count',
            'manual_edits_count', 'compiled_prompt', 'compiled_sha256', 'compile_report', 'campaign_status',
            'failure_count', 'last_verified_at', 'template_scope', 'm1_sent_at', 'm2_sent_at', 'm3_sent_at'
        )
        or column_name in ('id', 'dup_seq', 'upload_id', 'row_number', 'phone_input', 'phone_type', 'phone_validity', 'rows_inserted')
    )
$$, 'nor to insert');
select bag_eq(
    $$ select distinct table_name from writable where granted and verb = 'insert' $$,
    $$ select name from tests.tenant_tables where 'insert' = any (granted) $$,
    'authenticated inserts into these tables');
select bag_eq(
    $$ select distinct table_name from writable where granted and verb = 'update' $$,
    $$ select name from tests.tenant_tables where 'update' = any (granted) union all values ('profiles') $$,
    'and updates these');
select bag_eq(
    $$ select column_name from writable where granted and verb = 'update' and table_name = 'organizations' $$,
    $$ values ('name'), ('default_country'), ('timezone'), ('industry'), ('email'), ('phone_number'), ('website'),
        ('logo_path'), ('primary_color'), ('quiet_start'), ('quiet_end'), ('n8n_workflow_id'), ('n8n_webhook_url'),
        ('settings'), ('default_agent_id'), ('default_phone_number_id') $$,
    'of organizations profile, branding and settings: not slug, plan and status');
select bag_eq(
    $$ select column_name from writable where granted and verb = 'update' and table_name = 'profiles' $$,
    $$ values ('full_name'), ('first_name'), ('last_name'), ('country'), ('phone_number'), ('avatar_path') $$,
    'of profiles what a person says of themself');
select set_eq(
    $$ select column_name from writable where not granted and verb = 'select' and table_name = 'invitations' $$,
    array['token_hash'], 'of invitations everything is readable but the token''s hash');
select bag_eq(
    $$ select column_name from writable where granted and verb = 'select' and table_name = 'provider_accounts' $$,
    $$ values ('organization_id'), ('id'), ('provider'), ('label'), ('account_ref'), ('credentials_hint'), ('status'),
        ('failure_count'), ('last_verified_at'), ('created_at'), ('updated_at') $$,
    'of provider_accounts everything is readable but credentials');
select bag_eq(
    $$ select column_name from writable where not granted and verb = 'select' and table_name = 'calls' $$,
    $$ values ('recording_path'), ('transcript') $$,
    'of calls everything but recording and transcript, which call_recording answers');
select bag_eq(
    $$ select column_name from writable where granted and verb = 'select' and table_name = 'profiles' $$,
    $$ values ('id'), ('full_name'), ('first_name'), ('last_name'), ('country'), ('avatar_path'), ('created_at'),
        ('updated_at') $$,
    'of profiles not the organization that somebody works for by default, e-mail address and phone number');

-- service_role: it bypasses row level security. It works on every ordinary table of tenants, and on plans; what is
-- missing is what nobody has.
create temporary view server as
    select r.name, p as verb,
        has_table_privilege('service_role', r.oid, p) as whole,
        case when p <> 'delete' then has_any_column_privilege('service_role', r.oid, p) end as part
    from relations r cross join unnest(array['select', 'insert', 'update', 'delete']) as p
    where r.nspname = 'public';
select bag_eq(
    $$ select name from server where verb = 'select' and not whole $$,
    $$ values ('n') limit 0 $$,
    'service_role reads every table and view whole, so that select * works');
select bag_eq(
    $$ select name from server where verb = 'delete' and not whole $$,
    $$ values ('audit_log'), ('prompt_versions'), ('support_sessions'), ('lead_events'), ('suppressions'), ('profiles'), ('clients'), ('users'), ('user_organizations') $$,
    'and deletes, but from history, opt-outs, and profiles, which go with their user');
select bag_eq(
    $$ select name, verb from server where verb in ('insert', 'update') and not coalesce(part, false) $$,
    $$ values ('audit_log', 'insert'), ('audit_log', 'update'), ('prompt_versions', 'insert'), ('prompt_versions', 'update'),
        ('support_sessions', 'insert'), ('support_sessions', 'update'), ('suppressions', 'update'), ('lead_events', 'insert'), ('lead_events', 'update'), ('exports', 'insert'), ('exports', 'update'), ('profiles', 'insert'), ('clients', 'insert'),
        ('users', 'insert'), ('users', 'update'), ('user_organizations', 'insert'), ('user_organizations', 'update') $$,
    'it writes no history, lifts no opt-out, makes no profile');
-- Where some columns are closed, the others are listed: a new column has to be opened to it as to clients.
select bag_eq(
    $$ select c.relname::text, a.attname::text, p from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        cross join unnest(array['insert', 'update']) as p
        join server s on s.name = c.oid::regclass::text and s.verb = p and s.part
        where c.relkind in ('r', 'p') and not has_column_privilege('service_role', c.oid, a.attnum, p) $$,
    $$ select t, c, p from (values
            ('datasets', 'total_leads'), ('datasets', 'active_leads'), ('datasets', 'hot_leads'), ('datasets', 'converted_leads'),
            ('leads', 'total_messages'), ('leads', 'phone_type'), ('leads', 'region'), ('leads', 'phone_validity'),
            ('leads', 'previous_status'), ('leads', 'status_set_by'), ('leads', 'status_set_at'), ('leads', 'imported_at'),
            ('prompts', 'compiled_prompt'), ('prompts', 'compiled_sha256'), ('prompts', 'compile_report'), ('prompts', 'lessons_count'),
            ('prompts', 'manual_edits_count'), ('prompts', 'template_scope')
        ) as x (t, c), unnest(array['insert', 'update']) as p
        union all values ('suppressions', 'lifted_at', 'insert'), ('suppressions', 'lifted_by', 'insert'), ('suppressions', 'lift_reason', 'insert'),
            ('suppressions', 'phone_hash', 'insert'), ('calls', 'dataset_id', 'update'), ('calls', 'assigned_to', 'update'), ('profiles', 'id', 'update'),
            ('profiles', 'email', 'update'), ('profiles', 'phone_input', 'update'), ('profiles', 'created_at', 'update'),
            ('profiles', 'updated_at', 'update') $$,
    'nor counters, what the compiler writes, copies that triggers keep, and the address of a user');

-- Ownership is a right too.
select is_empty($$
    select r from unnest(array['anon', 'authenticated', 'service_role']) as r
    where exists (select from pg_class c where c.relowner = r::regrole)
        or exists (select from pg_proc p where p.proowner = r::regrole)
        or exists (select from pg_namespace n where n.nspowner = r::regrole)
$$, 'API roles own nothing, so they can alter nothing');
select is_empty($$
    select rolname from pg_roles where rolname in ('anon', 'authenticated', 'service_role') and (rolsuper or rolcreaterole or rolcreatedb or rolreplication)
    union all
    select rolname from pg_roles where rolname in ('anon', 'authenticated') and rolbypassrls
$$, 'and have no attribute that would help them');

select * from finish();
rollback;
