-- The schema private, and none of the platform's default grants left.

create schema private;
revoke all on schema private from public, anon, authenticated, service_role;
comment on schema private is
    'Key rings, platform administrators, helpers and the definer bodies of RPCs. Not exposed by PostgREST; the API roles have no USAGE.';

-- A cluster that began before PostgreSQL 15 lets everybody make objects in public.
revoke create on schema public from public, anon, authenticated, service_role;

-- Supabase's default privileges grant everything new in public to anon, authenticated and service_role
-- by name, so a revoke from PUBLIC alone leaves them. EXECUTE for PUBLIC is a built-in default and can
-- only be revoked without naming a schema.
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;
alter default privileges in schema private revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema private revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema private revoke all on functions from anon, authenticated, service_role;
alter default privileges revoke execute on functions from public;

-- By default everybody may make temporary tables, and a temporary table hides a real one from any function
-- that forgot its search_path. The API roles have no use for it; the platform's own services keep it.
do $$
declare
    service name;
begin
    execute format('revoke temporary on database %I from public', current_database());
    for service in
        select rolname from pg_roles
        where rolname in (
            'supabase_auth_admin', 'supabase_storage_admin', 'supabase_realtime_admin',
            'supabase_functions_admin', 'dashboard_user'
        )
    loop
        execute format('grant temporary on database %I to %I', current_database(), service);
    end loop;
end
$$;
