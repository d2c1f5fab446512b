-- What Supabase's image sets up before any project SQL: roles with their attributes and settings, the schema extensions
-- and the default privileges in public. For a plain PostgreSQL whose superuser is supabase_admin; run as that role.
-- Written from Supabase's documentation (Postgres roles; API, securing your data); stops where Supabase itself is.

select to_regclass('auth.users') is not null as supabase_is_here \gset
\if :supabase_is_here
    \echo 'auth.users exists: this database has its platform, roles are left as they are'
    \quit
\endif

-- Roles belong to the cluster: a second database finds them.
do $$
declare
    wanted record;
begin
    for wanted in
        select * from (values
            ('anon', 'nologin noinherit'),
            ('authenticated', 'nologin noinherit'),
            ('service_role', 'nologin noinherit bypassrls'),
            ('authenticator', 'login noinherit password ''postgres'''),
            ('postgres', 'login createdb createrole replication bypassrls password ''postgres'''),
            ('supabase_auth_admin', 'login noinherit createrole password ''postgres'''),
            ('supabase_storage_admin', 'login noinherit createrole password ''postgres'''),
            ('dashboard_user', 'nologin createdb createrole replication')
        ) as role (name, attributes)
    loop
        if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
            execute format('create role %I %s', wanted.name, wanted.attributes);
        end if;
    end loop;
end;
$$;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres with admin option;
grant anon, authenticated, service_role to supabase_storage_admin;
grant supabase_auth_admin, supabase_storage_admin to postgres;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres with admin option;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
-- What docs/security.md asks of an operator beyond the platform's defaults.
alter role authenticator set temp_file_limit = '512MB';
alter role authenticated set lock_timeout = '2s';
alter role postgres set search_path = "$user", public, extensions;
alter role supabase_admin set search_path = "$user", public, auth, extensions;

do $$
begin
    execute format('alter database %I owner to postgres', current_database());
end;
$$;

create schema extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role, dashboard_user;
create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;

grant usage on schema public to postgres, anon, authenticated, service_role;

-- Everything that postgres or supabase_admin makes in public is open to the API roles by name. Revoking from PUBLIC
-- alone does not undo this, which is why it has to be here.
alter default privileges for role postgres in schema public
    grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public
    grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public
    grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public
    grant all on functions to postgres, anon, authenticated, service_role;

create schema if not exists vault;
grant usage on schema vault to postgres, service_role;
