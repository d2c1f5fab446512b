-- Foundation: what every later file stands on. The native extension must be there, the schema
-- `private` exists, no default grant of the platform is left, and two helpers give every tenant
-- table its policies and its row triggers, so that no table can be written with one of them forgotten.

do $$
begin
    if not exists (select from pg_extension where extname = 'switchboard') then
        begin
            create extension switchboard;
        exception
            when insufficient_privilege then
                raise exception using
                    errcode = '42501',
                    message = format('extension "switchboard" is not created in database %s, and role %s may not create it',
                        current_database(), current_user),
                    hint = 'Run "create extension switchboard" once in this database as a superuser (supabase_admin), then apply the migrations again.';
            when undefined_file or feature_not_supported then
                raise exception using
                    errcode = '58P01',
                    message = 'extension "switchboard" is not installed on this server',
                    hint = 'Install the compiled extension into this PostgreSQL server (Postgres 15, 16 or 17 that you control), then apply the migrations again.';
        end;
    end if;

    -- The role that runs this owns the tables. Definer functions, triggers that maintain counters and
    -- the native code act as that owner, and most tables FORCE row level security: an owner without
    -- BYPASSRLS would silently see no rows. Supabase's `postgres` has it.
    if not exists (select from pg_roles where rolname = current_user and (rolbypassrls or rolsuper)) then
        raise exception using
            errcode = '42501',
            message = format('role %s would own the tables but has no BYPASSRLS', current_user),
            hint = 'Apply the migrations as Supabase''s role postgres, or as another role with BYPASSRLS.';
    end if;
end
$$;

create schema private;
revoke all on schema private from public, anon, authenticated, service_role;
comment on schema private is
    'Key rings, platform administrators, helpers and the definer bodies of RPCs. Not exposed by PostgREST; the API roles have no USAGE.';

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

create function public.update_updated_at_column() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    new.updated_at := now();
    return new;
end;
$$;
comment on function public.update_updated_at_column() is
    'BEFORE UPDATE trigger (S3, S4): updated_at becomes the transaction''s time, whatever the client sent.';

create function private.add_row_triggers(
    target regclass,
    identity_columns text[] default '{organization_id,id,created_at}'
) returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    changed text;
begin
    select string_agg(format('new.%I is distinct from old.%I', c, c), ' or ')
        into changed
        from unnest(identity_columns) as c;
    execute format(
        'create trigger guard_row before update on %s for each row when (%s) execute function switchboard.guard_row(%L)',
        target, changed, array_to_string(identity_columns, ', '));
    if exists (
        select from pg_attribute
        where attrelid = target and attname = 'updated_at' and not attisdropped
    ) then
        execute format(
            'create trigger set_updated_at before update on %s for each row execute function public.update_updated_at_column()',
            target);
    end if;
end;
$$;
comment on function private.add_row_triggers(regclass, text[]) is
    'For migrations, owner only. Gives a table its guard_row trigger (columns that never change; its WHEN clause holds the comparison, so an ordinary update does not call it) and, if it has updated_at, its set_updated_at trigger.';

create function private.add_tenant_policies(
    target regclass,
    object text,
    denied text[] default '{}',
    dataset text default null,
    own text default null,
    shared boolean default false
) returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    -- Not "(select switchboard.dataset_scope()) is null": of that the planner expects one row in 200, and it
    -- would sort the few that it expects instead of reading a list in the order of its index.
    unscoped constant text := '(select 1 where switchboard.dataset_scope() is null) is not null';
    table_name text := (select relname from pg_class where oid = target);
    missing text;
    in_scope text := '';
    readable text;
    is_own text := '';
    rule text;
    verb text;
begin
    if not denied <@ array['select', 'insert', 'update', 'delete'] then
        raise exception using
            errcode = '22023',
            message = format('denied must be a subset of select, insert, update, delete, not %s', denied);
    end if;
    select string_agg(w.capability, ', ') into missing
        from (values
            (object || '.read', not 'select' = any (denied)),
            (object || '.read_all', own is not null),
            (object || '.write', not '{insert,update}' <@ denied),
            (object || '.delete', not 'delete' = any (denied))
        ) as w (capability, asked)
        where w.asked
            and not exists (select from switchboard.capabilities() as c where c.capability = w.capability);
    if missing is not null then
        raise exception using
            errcode = '22023',
            message = format('the policies of %s would ask for %s, which nobody can hold', target, missing),
            hint = 'switchboard.capabilities() lists what there is. A verb that no client has belongs into denied.';
    end if;

    if dataset is not null then
        in_scope := format(' and (%s or %I = any ((select switchboard.dataset_scope())::uuid[]))', unscoped, dataset);
        readable := format(
            ' and (%s or %I is null or %I = any ((select switchboard.dataset_scope())::uuid[]))',
            unscoped, dataset, dataset);
    elsif shared then
        in_scope := format(' and %s', unscoped);
        readable := '';
    end if;
    if not shared then
        readable := in_scope;
    end if;
    if own is not null then
        is_own := format(
            ' and ((select switchboard.organization_for(%L)) is not null or %I = (select switchboard.user_id()))',
            object || '.read_all', own);
    end if;

    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);

    foreach verb in array array['select', 'insert', 'update', 'delete'] loop
        rule := case
            when verb = any (denied) then 'false'
            else format('organization_id = (select switchboard.organization_for(%L))', object || case verb
                    when 'select' then '.read'
                    when 'delete' then '.delete'
                    else '.write'
                end)
                || case verb when 'select' then readable else in_scope end
                || is_own
        end;
        execute format('create policy %I on %s for %s to authenticated %s%s',
            table_name || '_' || verb,
            target,
            verb,
            case when verb <> 'insert' then format('using (%s)', rule) else '' end,
            case when verb in ('insert', 'update') then format(' with check (%s)', rule) else '' end);
    end loop;
end;
$$;
comment on function private.add_tenant_policies(regclass, text, text[], text, text, boolean) is
    'For migrations, owner only. Enables and forces row level security on a tenant table and makes its four policies: object.read for select, object.write for insert and update, object.delete for delete; a verb in denied gets false. dataset names the column that a member''s allowed_dataset_ids are compared with; shared says that rows without a dataset (or, without such a column, all rows) are the whole organization''s: readable in any scope, written only without one. own names the column with the user whose row it is: all that a member without object.read_all reaches. The capability sits inside the tenant value, so one index condition answers both and a caller without the right scans nothing; scope and own are filters on the rows of one tenant that no index serves, so a list keeps the order of its index. FORCE binds a plain table owner; a role with BYPASSRLS (postgres and service_role in Supabase) is not held by any policy, which is why their rows are held together by composite keys and why service_role is granted table by table. Raises 22023 for an unknown verb, and for a capability that switchboard.capabilities() does not know.';

create function private.add_deny_policy(target regclass) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('create policy nobody on %s for all to public using (false) with check (false)', target);
end;
$$;
comment on function private.add_deny_policy(regclass) is
    'For migrations, owner only. Row level security with the one policy "nobody" for tables that no API role may touch. Not forced: native code and definer functions read them as the owner.';

create function private.is_time_zone(name text) returns boolean
    language plpgsql immutable strict
    set search_path = ''
as $$
begin
    -- Postgres also accepts abbreviations (BST is a fixed offset all year) and POSIX strings, whose
    -- sign is inverted ("GMT+1") and whose name part may be any word before a digit ("Any/Word5").
    if name !~ '^(UTC|Etc/(UTC|GMT([+-][0-9]{1,2})?)|[A-Za-z]+(/[A-Za-z_-]+)+)$' then
        return false;
    end if;
    perform timestamptz '2000-01-01 00:00:00+00' at time zone name;
    return true;
exception
    when invalid_parameter_value then
        return false;
end;
$$;
comment on function private.is_time_zone(text) is
    'True for UTC and for names of the tz database with an area (Europe/London). For CHECK constraints. Raises nothing.';
grant execute on function private.is_time_zone(text) to authenticated, service_role;
