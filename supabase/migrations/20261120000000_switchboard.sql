-- Generated from sql/schema by bin/generate migration: edit there.

-- sql/schema/base/extension.sql

-- What must be there before anything else: the native extension, and an owner whom row level security does not
-- bind. Both are asked with a hint, because whoever applies the migration reads it first.

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

-- sql/schema/base/privileges.sql

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

-- sql/schema/base/checks.sql

-- Rules of a single value that several tables share, for CHECK constraints and RPC bodies. A phone number's is
-- switchboard.is_e164.

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

-- In plpgsql: an SQL function in a CHECK is planned anew for every row.
create function private.is_email(address text) returns boolean
    language plpgsql immutable strict parallel safe
    set search_path = ''
as $$
begin
    return address ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' and length(address) <= 320;
end;
$$;
comment on function private.is_email(text) is
    'Whether the text has the shape of an e-mail address (RFC 3696: at most 320 characters); whether it receives mail only a mail tells. For CHECK constraints. Raises nothing.';
grant execute on function private.is_email(text) to authenticated, service_role;

create function private.email_key(address text) returns text
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select lower(btrim(address) collate "C");
end;
comment on function private.email_key(text) is
    'An e-mail address as it is compared: trimmed, A to Z as a to z, every other character exactly as it is. In another collation the KELVIN SIGN U+212A would be a k, and somebody else''s address the invited one. Raises nothing.';
grant execute on function private.email_key(text) to authenticated, service_role;

create function private.is_tag_list(tags text[]) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select cardinality(tags) <= 50 and not exists (select from unnest(tags) as t (tag) where length(t.tag) > 100);
end;
comment on function private.is_tag_list(text[]) is
    'Whether there are at most 50 tags, each of at most 100 characters. For CHECK constraints. Raises nothing.';
grant execute on function private.is_tag_list(text[]) to authenticated, service_role;

create function private.providers() returns text[]
    language sql immutable parallel safe
    set search_path = ''
begin atomic
    select array['twilio', 'telnyx', 'vonage', 'bandwidth', 'sip'];
end;
comment on function private.providers() is 'The telephony providers that accounts, numbers and calls can be at. Raises nothing.';

create function private.is_provider(name text) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select name = any (private.providers());
end;
comment on function private.is_provider(text) is
    'Whether the text names a telephony provider. For CHECK constraints. Raises nothing.';
grant execute on function private.providers() to authenticated, service_role;
grant execute on function private.is_provider(text) to authenticated, service_role;

create function private.require_known_keys(given jsonb, known text[], kind text) returns void
    language plpgsql immutable
    set search_path = ''
as $$
declare
    v_unknown text;
begin
    select min(k) into v_unknown from jsonb_object_keys(given) as k where k <> all (known);
    if v_unknown is not null then
        raise exception using
            errcode = '22023',
            message = format('there is no %s %s', kind, left(v_unknown, 100)),
            hint = format('%ss: %s.', initcap(kind), array_to_string(known, ', '));
    end if;
end;
$$;
comment on function private.require_known_keys(jsonb, text[], text) is
    'Refuses a JSON object with a name that is none of some, as there is no filter x. Raises 22023.';

-- sql/schema/base/row_triggers.sql

-- Row triggers that every table gets by one line: what never changes, what follows the clock, what only grows.

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
    'BEFORE UPDATE trigger: updated_at becomes the transaction''s time, whatever the client sent.';

create function private.ask_organization() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    raise exception using
        errcode = 'PT400',
        message = 'organization_required',
        detail = format('The row for %I names no organization, and the service role works for none of its own.', tg_table_name),
        hint = 'Write organization_id into the row, or send the header x-organization-id.';
end;
$$;
comment on function private.ask_organization() is
    'BEFORE INSERT trigger; its WHEN clause asks for a row of the service role without organization_id. Raises PT400 organization_required.';

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
    if exists (
        select from pg_attribute
        where attrelid = target and attname = 'organization_id' and not attisdropped
    ) then
        execute format(
            'create trigger ask_organization before insert on %s for each row
                when (new.organization_id is null and current_user = ''service_role'')
                execute function private.ask_organization()',
            target);
    end if;
end;
$$;
comment on function private.add_row_triggers(regclass, text[]) is
    'For migrations, owner only. Gives a table its guard_row trigger (columns that never change; its WHEN clause holds the comparison, so an ordinary update does not call it); if it has updated_at, its set_updated_at trigger; and if it has organization_id, ask_organization, which tells the service role to name one.';

create function private.refuse_rewrite() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    -- The one way out is the organization itself: when it is deleted, its rows go with it.
    if tg_op = 'DELETE' and not exists (
        select from public.organizations o where o.id = old.organization_id
    ) then
        return old;
    end if;
    raise exception using
        errcode = '42501',
        message = format('rows of %I never change', tg_table_name),
        hint = tg_argv[0];
end;
$$;
comment on function private.refuse_rewrite() is
    'BEFORE UPDATE, DELETE or TRUNCATE trigger, see private.make_append_only; its argument is the hint. Raises 42501.';

create function private.make_append_only(target regclass, hint text default 'Insert a new row instead.') returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    execute format(
        'create trigger refuse_rewrite before update or delete on %s
            for each row execute function private.refuse_rewrite(%L)',
        target, hint);
    execute format(
        'create trigger refuse_truncate before truncate on %s
            for each statement execute function private.refuse_rewrite(%L)',
        target, hint);
end;
$$;
comment on function private.make_append_only(regclass, text) is
    'For migrations, owner only. Rows of the table never change and never go, for any role, service_role and owner included, until their whole organization is deleted.';

-- sql/schema/base/tenant_policies.sql

-- Row level security by one line a table, so that no verb can be forgotten.

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
    elsewhere text;
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
        where w.asked and private.capability_roles(w.capability) is null;
    if missing is not null then
        raise exception using
            errcode = '22023',
            message = format('the policies of %s would ask for %s, which nobody can hold', target, missing),
            hint = 'private.define_capability(name, roles) makes one of your own; switchboard.capabilities() lists ours. A verb that no client has belongs into denied.';
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

    -- A row may be inserted into any organization in which the caller holds the right, by that organization's rules. The
    -- request's own is compared first, so that an ordinary row costs no call.
    elsewhere := format('switchboard.has_capability(organization_id, %L)', object || '.write')
        || case
            when dataset is not null then format(' and switchboard.in_dataset_scope(organization_id, %I)', dataset)
            when shared then ' and switchboard.in_dataset_scope(organization_id, null)'
            else ''
        end
        || case
            when own is null then ''
            else format(' and (switchboard.has_capability(organization_id, %L) or %I = (select switchboard.user_id()))',
                object || '.read_all', own)
        end;

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
        if verb = 'insert' and rule <> 'false' then
            rule := format('%s or %s or switchboard.refuse_insert(organization_id, %L)', rule, elsewhere, object || '.write');
        end if;
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
    'For migrations, owner only. Forces row level security and makes four policies: object.read, .write (insert, update), .delete; false for verbs in denied. They ask the request''s organization; a row may be inserted into any where the caller may write. dataset, own: the columns of a member''s scope and own rows; shared: rows are all members''. Raises 22023 (a verb, a capability that nobody holds).';

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

-- sql/schema/base/broadcasts.sql

-- Which tables tell Supabase Realtime of their changes, and who may listen. platform/realtime.sql makes policy and
-- triggers of it, where Realtime is there.

create table private.broadcasts (
    table_name text not null primary key,
    capability text not null,
    is_scoped boolean not null
);
comment on table private.broadcasts is
    'Tables of public with a topic org:{organization_id}:{table}. Rows are made by private.add_broadcast.';
comment on column private.broadcasts.capability is 'What a listener must hold in the organization.';
comment on column private.broadcasts.is_scoped is
    'Whether the table''s rows belong to datasets: closed then to a member whose scope is some of them.';

select private.add_deny_policy('private.broadcasts');

create function private.add_broadcast(target regclass, capability text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_variable
declare
    v_table text;
begin
    select c.relname into v_table
        from pg_catalog.pg_class c
        where c.oid = target and c.relnamespace = 'public'::regnamespace;
    if not found or 2 <> (
        select count(*) from pg_catalog.pg_attribute a
        where a.attrelid = target and a.attname in ('organization_id', 'id') and a.atttypid = 'uuid'::regtype
    ) then
        raise exception using
            errcode = '22023',
            message = format('%s is no table in public with the uuid columns organization_id and id', target);
    end if;
    if private.capability_roles(capability) is null then
        raise exception using
            errcode = '22023',
            message = format('listeners of %s would need %s, which nobody can hold', target, capability),
            hint = 'private.define_capability(name, roles) makes one of your own; switchboard.capabilities() lists ours.';
    end if;
    -- Without them nobody's scope would be seen, and a member with one would hear the ids of all rows.
    if not exists (select from pg_catalog.pg_policy p where p.polrelid = target and p.polcmd in ('r', '*')) then
        raise exception using
            errcode = '22023',
            message = format('%s has no policy for select yet', target),
            hint = 'private.add_tenant_policies comes first: its policies say whether members with a dataset scope listen.';
    end if;
    if capability !~ '\.read_all$' and exists (
        select from pg_catalog.pg_policy p
        where p.polrelid = target and pg_catalog.pg_get_expr(p.polqual, p.polrelid) ~ '\.read_all\M'
    ) then
        raise exception using
            errcode = '22023',
            message = format('holders of %s see their own rows of %s only, and would hear of all', capability, target),
            hint = 'Listeners need the .read_all that the policies ask for.';
    end if;
    insert into private.broadcasts (table_name, capability, is_scoped)
    values (v_table, capability, exists (
        select from pg_catalog.pg_policy p
        where p.polrelid = target and pg_catalog.pg_get_expr(p.polqual, p.polrelid) ~ '\mdataset_scope\M'
    ));
    -- While the schema is made, platform/realtime.sql does it for all tables.
    if to_regproc('private.attach_realtime') is not null then
        perform private.attach_realtime();
    end if;
end;
$$;
comment on function private.add_broadcast(regclass, text) is
    'For migrations, owner only, after the table''s policies. Tells listeners of the topic org:{organization_id}:{table}, who need the capability, the ids of changed rows; where the policies ask for the dataset scope, members with a scope do not listen. Raises 22023 for a table without organization_id and id or without policies, and for a capability that is unknown or does not show every row.';

-- sql/schema/tenancy/capabilities.sql

-- Capabilities of an application, for tables of its own: they are held, given and masked as those of
-- switchboard.capabilities(), which win where a name is in both. Native code reads them (switchboard.schema_contract).

create function private.is_capability_name(name text) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select name ~ '^[a-z][a-z0-9_]{0,62}[.][a-z][a-z0-9_]{0,62}$';
end;
comment on function private.is_capability_name(text) is
    'Whether the text has the form of a capability, object.verb, as native code reads it. For CHECK constraints. Raises nothing.';

create table private.capabilities (
    name text not null primary key
        constraint capabilities_name_check check (private.is_capability_name(name)),
    roles text[] not null
        constraint capabilities_roles_check check (
            roles <@ array['owner', 'admin', 'manager', 'sales_rep', 'viewer']
            and 'owner' = any (roles)
        )
);
comment on table private.capabilities is
    'An application''s own capabilities. Written by private.define_capability and private.drop_capability.';
comment on column private.capabilities.name is
    'object.verb. What ends in .read or .read_all only reads: it outlives a pause, and a support session may have it.';
comment on column private.capabilities.roles is
    'The roles that hold it; the owner always does. What only an owner holds, nobody else can be given.';

select private.add_deny_policy('private.capabilities');

create function private.capability_roles(capability text) returns text[]
    language sql stable strict
    set search_path = ''
begin atomic
    select coalesce(
        (select array_agg(n.role) from switchboard.capabilities() as n where n.capability = capability_roles.capability),
        (select c.roles from private.capabilities as c where c.name = capability_roles.capability)
    );
end;
comment on function private.capability_roles(text) is
    'The roles that hold a capability, one of ours or of the application; NULL for a name that is neither. Owner only.';

create function private.define_capability(name text, roles text[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_variable
begin
    if private.is_capability_name(name) is not true then
        raise exception using
            errcode = '22023',
            message = 'name must be object.verb, each a lower-case letter and then letters, digits and underscores',
            hint = 'add_tenant_policies asks for object.read, object.write and object.delete.';
    end if;
    if exists (select from switchboard.capabilities() as n where n.capability = name) then
        raise exception using
            errcode = '22023',
            message = format('%s is one of Switchboard''s own capabilities', name),
            hint = 'Its roles are fixed; choose another object or verb.';
    end if;
    if coalesce(cardinality(roles), 0) = 0
        or exists (select from unnest(roles) as r where private.role_rank(r) is null)
    then
        raise exception using
            errcode = '22023',
            message = 'roles must be some of owner, admin, manager, sales_rep, viewer',
            hint = 'The owner always holds it and may be left out.';
    end if;
    insert into private.capabilities as c (name, roles)
    values (name, array(
        select r from (select unnest(roles) union select 'owner') as given (r) order by private.role_rank(r) desc
    ))
    on conflict on constraint capabilities_pkey do update set roles = excluded.roles;
end;
$$;
comment on function private.define_capability(text, text[]) is
    'For migrations, owner only. Defines a capability of the application under a name that is none of ours, or who holds it from the next statement on. The owner always does. Raises 22023 (name; roles).';

create function private.drop_capability(name text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_variable
begin
    delete from private.capabilities as c where c.name = name;
    if not found then
        raise exception using
            errcode = '22023',
            message = format('there is no capability %s of the application', name);
    end if;
end;
$$;
comment on function private.drop_capability(text) is
    'For migrations, owner only. From the next statement on nobody holds the capability: policies that ask for it refuse, permissions that name it give nothing. Raises 22023 for a name that is not the application''s.';

create function private.assert_known_permissions(permissions jsonb, already jsonb default '{}') returns void
    language plpgsql stable
    set search_path = ''
as $$
declare
    named record;
begin
    perform switchboard.assert_permissions(permissions);
    for named in
        select p.key as name, p.value, private.capability_roles(p.key) as roles
        from jsonb_each(permissions) as p
        where already -> p.key is distinct from p.value
        order by p.key
    loop
        if named.roles is null then
            raise exception using
                errcode = '22023',
                message = format('unknown capability %s', to_json(named.name)),
                hint = 'Switchboard''s own are in docs/capabilities.md; an application defines more.';
        end if;
        if named.roles = array['owner'] and named.value = 'true' then
            raise exception using errcode = '22023', message = format('only an owner holds %s', named.name);
        end if;
    end loop;
end;
$$;
comment on function private.assert_known_permissions(jsonb, jsonb) is
    'Refuses permissions that name what nobody can be given; already: what stays as it is and is not asked for again, because a capability may have been dropped. NULL is left to the column. Raises 22023.';

create function private.check_permissions() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    already jsonb;
begin
    if tg_op = 'UPDATE' then
        already := old.permissions;
    else
        -- An accepted invitation gives what was looked at when it was made; an invitation itself has no user_id.
        select i.permissions into already
        from public.invitations i
        where i.organization_id = new.organization_id
            and i.accepted_by = (to_jsonb(new) ->> 'user_id')::uuid and i.accepted_at = now();
    end if;
    perform private.assert_known_permissions(new.permissions, coalesce(already, '{}'));
    return new;
end;
$$;
comment on function private.check_permissions() is
    'BEFORE trigger on memberships and invitations, INSERT or UPDATE OF permissions: see private.assert_known_permissions. Definer, because server code writes members and may not read what an application defines. Raises 22023.';

-- sql/schema/tenancy/audited_tables.sql

-- Whose changes the audit log holds, and what somebody must hold to read of them there.

create table private.audited_tables (
    table_name text not null primary key,
    capability text not null
);
comment on table private.audited_tables is
    'Tables whose changes are in the audit log. Rows are made by private.add_audit.';
comment on column private.audited_tables.capability is
    'What a reader of the table''s rows in the log must hold besides audit_log.read.';

select private.add_deny_policy('private.audited_tables');

-- Of pruning, and of erase_person and export_person.
insert into private.audited_tables (table_name, capability) values
    ('audit_log', 'audit_log.read'), ('people', 'people.erase');

create function private.readable_audit() returns text[]
    language sql stable security definer
    set search_path = ''
begin atomic
    select array(
        select a.table_name from private.audited_tables a
        where switchboard.organization_for(a.capability) is not null
    );
end;
comment on function private.readable_audit() is
    'The audited tables whose rows the caller may read in the current organization. For the policy of audit_log. Definer, because the list is granted to nobody. Raises nothing.';
grant execute on function private.readable_audit() to authenticated;

-- sql/schema/tenancy/audit_log.sql

-- The audit log: who changed what in an organization. It never changes again; private.prune_audit is the one way out.

create table public.audit_log (
    organization_id uuid not null,
    id uuid not null default gen_random_uuid(),
    created_at timestamptz not null default clock_timestamp(),
    actor_id uuid,
    actor_kind text not null
        constraint audit_log_actor_kind_check check (actor_kind in ('user', 'support', 'service', 'system')),
    action text not null
        constraint audit_log_action_check check (action ~ '^[a-z_]{1,63}$'),
    table_name text not null,
    row_id text,
    before jsonb
        constraint audit_log_before_check check (jsonb_typeof(before) = 'object'),
    after jsonb
        constraint audit_log_after_check check (jsonb_typeof(after) = 'object'),
    support_session_id uuid,
    primary key (organization_id, id)
);
comment on table public.audit_log is
    'Append-only: who did what to an organization''s rows. Without foreign keys, because it outlives the organization, the row and the person. Written by triggers (private.add_audit); no role updates or deletes a row.';
comment on column public.audit_log.created_at is
    'The clock, not the transaction''s time, so that the rows of one transaction keep their order.';
comment on column public.audit_log.actor_id is 'The signed-in user; NULL for service and system.';
comment on column public.audit_log.actor_kind is
    'user: a member''s request; support: a platform administrator in a support session; service: the service key; system: the database itself, without a request.';
comment on column public.audit_log.action is
    'insert, update or delete; or what was done, as in open_support_session, close_support_session, prune_audit.';
comment on column public.audit_log.row_id is
    'The row''s id; for a table without one, its key without the organization.';
comment on column public.audit_log.before is
    'Changed columns only, as they were. A secret column never appears; a value over 2 kB is "…<bytes> bytes".';
comment on column public.audit_log.after is
    'Changed columns only, as they became. A secret column is "…changed", without its value; a value over 2 kB is "…<bytes> bytes".';
comment on column public.audit_log.support_session_id is 'The support session that the row speaks of.';

create index audit_log_created_at_idx on public.audit_log (organization_id, created_at desc, id);
comment on index public.audit_log_created_at_idx is
    'An organization''s audit log, newest first; private.prune_audit.';

select private.add_tenant_policies('public.audit_log', 'audit_log', '{insert,update,delete}');

-- The log repeats values: of rows of every dataset, so it is for members without a dataset scope; and of each table only
-- for who reads the table.
alter policy audit_log_select on public.audit_log using (
    organization_id = (select switchboard.organization_for('audit_log.read'))
    and (select 1 where switchboard.dataset_scope() is null) is not null
    and table_name = any ((select private.readable_audit())::text[])
);

grant select on public.audit_log to authenticated;
grant select on public.audit_log to service_role;

create function private.refuse_audit_change() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if tg_op = 'DELETE' and current_setting('private.audit_prune', true) = 'on' then
        return old;
    end if;
    raise exception using
        errcode = '42501',
        message = 'audit_log is append-only',
        hint = 'The database owner removes old rows with private.prune_audit(before).';
end;
$$;
comment on function private.refuse_audit_change() is
    'Trigger on audit_log, before UPDATE, DELETE and TRUNCATE: raises 42501, also for the owner, but for deletes of private.prune_audit.';
create trigger refuse_audit_change
    before update or delete on public.audit_log
    for each row execute function private.refuse_audit_change();
create trigger refuse_audit_truncate
    before truncate on public.audit_log
    for each statement execute function private.refuse_audit_change();

-- sql/schema/tenancy/audit.sql

-- How rows come into the audit log and leave it. Triggers write in the transaction of the change itself. Tables with
-- the volume of a campaign (leads, customers, calls, messages) are not audited row by row.

create function private.audit_values(
    row_values jsonb,
    compared_with jsonb,
    redacted text[],
    ignored text[]
) returns jsonb
    language sql immutable parallel safe
    set search_path = ''
begin atomic
    select jsonb_object_agg(v.key, case
            when v.key = any (redacted) then '"…changed"'::jsonb
            when octet_length(v.value::text) > 2048 then to_jsonb('…' || octet_length(v.value::text) || ' bytes')
            else v.value
        end)
        from jsonb_each(row_values) as v
        where v.key <> all (ignored)
            and v.value is distinct from coalesce(compared_with -> v.key, 'null');
end;
comment on function private.audit_values(jsonb, jsonb, text[], text[]) is
    'What of a row goes into the audit log: its columns that differ from the other row (from null without one), secrets as a marker, long values as their size. NULL when nothing is left. Raises nothing.';

create function private.write_audit() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_redacted constant text[] := tg_argv[0]::text[];
    v_ignored constant text[] := tg_argv[1]::text[];
    v_old constant jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    v_new constant jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
    v_row constant jsonb := coalesce(v_new, v_old);
    v_actor uuid := switchboard.user_id();
    v_kind text;
    v_action text := lower(tg_op);
    v_before jsonb;
    v_after jsonb;
    v_session uuid;
begin
    -- Most updates of a table with counters are theirs.
    if tg_op = 'UPDATE' and v_old - v_ignored = v_new - v_ignored then
        return null;
    end if;
    if v_old is not null then
        v_before := private.audit_values(v_old, v_new, '{}', v_redacted || v_ignored);
    end if;
    if v_new is not null then
        v_after := private.audit_values(v_new, v_old, v_redacted, v_ignored);
    end if;

    if tg_table_name = 'support_sessions' then
        v_session := (v_row ->> 'id')::uuid;
        v_action := case tg_op
            when 'INSERT' then 'open_support_session'
            when 'UPDATE' then 'close_support_session'
            else v_action
        end;
    end if;
    v_kind := case
        when v_actor is not null and v_session is not null then 'support'
        when v_actor is not null then 'user'
        when switchboard.request_role() = 'service_role' then 'service'
        else 'system'
    end;

    insert into public.audit_log (
        organization_id, actor_id, actor_kind, action, table_name, row_id, before, after,
        support_session_id
    ) values (
        case
            when tg_table_name = 'organizations' then (v_row ->> 'id')::uuid
            else (v_row ->> 'organization_id')::uuid
        end,
        v_actor, v_kind, v_action, tg_table_name,
        coalesce(v_row ->> 'id', v_row ->> 'user_id', v_row ->> 'quota'),
        v_before, v_after, v_session
    );
    return null;
end;
$$;
comment on function private.write_audit() is
    'AFTER trigger, for each row: writes a row of audit_log. Arguments: redacted columns, ignored columns. The actor is the request''s: definer rights do not change it. An update that touches ignored columns only, or nothing, writes none. Raises nothing of its own.';

create function private.add_audit(
    target regclass,
    redacted text[] default '{}',
    ignored text[] default '{}',
    verbs text[] default '{insert,update,delete}',
    capability text default null
) returns void
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_variable
declare
    missing text;
    reader text := capability;
begin
    -- Who reads the rows may read of them. A read_all is held with its read, and the log shows every row.
    if reader is null then
        select m[1] into reader
            from pg_catalog.pg_policy p
            cross join regexp_matches(
                pg_catalog.pg_get_expr(p.polqual, p.polrelid), 'organization_for\(''([a-z0-9_.]+)''', 'g'
            ) as m
            where p.polrelid = target and p.polcmd in ('r', '*')
            order by m[1] ~ '\.read_all$' desc
            limit 1;
    end if;
    if reader is null or private.capability_roles(reader) is null then
        raise exception using
            errcode = '22023',
            message = case
                when reader is null then format('%s has no policy for select that asks for a capability yet', target)
                else format('readers of the log of %s would need %s, which nobody can hold', target, reader)
            end,
            hint = 'private.add_tenant_policies comes first; capability names one where the policy has none.';
    end if;
    select c into missing
        from unnest(redacted || ignored) as c
        where not exists (
            select from pg_catalog.pg_attribute a
            where a.attrelid = target and a.attname = c and not a.attisdropped
        )
        limit 1;
    if found then
        raise exception using
            errcode = '22023',
            message = format('%s has no column %s', target, missing);
    end if;
    if not verbs <@ array['insert', 'update', 'delete'] or cardinality(verbs) = 0 then
        raise exception using
            errcode = '22023',
            message = format('verbs must be some of insert, update, delete, not %s', verbs);
    end if;
    execute format(
        'create trigger write_audit after %s on %s for each row execute function private.write_audit(%L, %L)',
        array_to_string(verbs, ' or '), target, redacted,
        -- Kept by trigger on every change.
        ignored || case
            when exists (
                select from pg_catalog.pg_attribute a
                where a.attrelid = target and a.attname = 'updated_at' and not a.attisdropped
            ) then array['updated_at']
            else '{}'
        end);
    insert into private.audited_tables as t (table_name, capability)
    select c.relname, reader from pg_catalog.pg_class c where c.oid = target
    on conflict on constraint audited_tables_pkey do update set capability = excluded.capability;
end;
$$;
comment on function private.add_audit(regclass, text[], text[], text[], text) is
    'For migrations, owner only, after the policies. Puts the audit trigger on a table with organization_id (or on organizations): redacted columns appear as "…changed", ignored ones (counters, derived ones) not at all. Read by holders of audit_log.read and capability, by default what the policy for select asks for. Raises 22023 for an unknown column, verb or capability.';

create function private.prune_audit(before timestamptz) returns bigint
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_removed bigint;
begin
    if prune_audit.before is null or prune_audit.before > now() then
        raise exception using
            errcode = '22023',
            message = 'before must be a time in the past';
    end if;
    perform set_config('private.audit_prune', 'on', true);
    with removed as (
        delete from public.audit_log l
        where l.created_at < prune_audit.before
        returning l.organization_id
    ), counted as (
        select r.organization_id, count(*) as removed from removed r group by r.organization_id
    ), logged as (
        insert into public.audit_log (organization_id, actor_kind, action, table_name, after)
        select c.organization_id, 'system', 'prune_audit', 'audit_log',
            jsonb_build_object('before', prune_audit.before, 'rows', c.removed, 'by', session_user)
        from counted c
    )
    select coalesce(sum(c.removed), 0) into v_removed from counted c;
    perform set_config('private.audit_prune', '', true);
    return v_removed;
end;
$$;
comment on function private.prune_audit(timestamptz) is
    'For the database owner: removes audit rows older than a time, in all organizations, and returns how many. Each organization concerned gets a row that says so. Raises 22023 for no time or one to come.';

-- sql/schema/tenancy/quotas.sql

-- Quotas: what can be limited, and how it is counted. A quota of your own is a row here, its limits are rows of
-- plan_limits, and private.add_quota holds a table to it.

create table private.quotas (
    name text not null primary key
        constraint quotas_name_check check (name ~ '^[a-z][a-z_]{0,62}$'),
    counted_by text not null
);
comment on table private.quotas is
    'What an organization can have a limited number of. For the database owner.';
comment on column private.quotas.counted_by is
    'SQL that answers how many the organization $1 has: one row, one number.';

select private.add_deny_policy('private.quotas');

insert into private.quotas (name, counted_by) values
    -- An open invitation holds a place, until it becomes the membership of its address.
    ('members', $sql$
        select (select count(*) from public.memberships m where m.organization_id = $1) + (
            select count(*) from public.invitations i
            where i.organization_id = $1
                and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
                and not exists (
                    select from public.memberships m
                    join auth.users u on u.id = m.user_id
                    where m.organization_id = $1 and private.email_key(u.email) = i.email
                )
        )
    $sql$),
    ('agents', 'select count(*) from public.agents where organization_id = $1'),
    ('phone_numbers', 'select count(*) from public.phone_numbers where organization_id = $1'),
    ('datasets', 'select count(*) from public.datasets where organization_id = $1'),
    -- The counters are exact, and a thousand times fewer rows than the leads.
    ('leads', 'select coalesce(sum(total_leads), 0) from public.datasets where organization_id = $1'),
    -- A call that nobody ended counts for four hours; route_inbound_call counts the same.
    ('concurrent_calls', $sql$
        select count(*) from public.calls
        where organization_id = $1
            and status in ('ringing', 'in_progress')
            and started_at > now() - interval '4 hours'
    $sql$);

-- sql/schema/tenancy/plans.sql

-- Plans: what an organization can be on. Their limits are rows of plan_limits.

create table public.plans (
    name text not null primary key
        constraint plans_name_check check (name ~ '^[a-z][a-z0-9_-]{0,39}$'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.plans is
    'The plans an organization can be on. The rows shipped are a start: the operator edits them with the service key.';

select private.add_row_triggers('public.plans', '{name,created_at}');

alter table public.plans enable row level security;
alter table public.plans force row level security;
create policy plans_select on public.plans for select to authenticated
    using ((select switchboard.user_id()) is not null);
create policy plans_insert on public.plans for insert to authenticated
    with check (false);
create policy plans_update on public.plans for update to authenticated
    using (false) with check (false);
create policy plans_delete on public.plans for delete to authenticated
    using (false);

grant select on public.plans to authenticated;
grant select, insert, update, delete on public.plans to service_role;

insert into public.plans (name) values ('starter'), ('professional'), ('enterprise');

-- sql/schema/tenancy/plan_limits.sql

-- Plan limits: how many of what a plan allows.

create table public.plan_limits (
    plan text not null references public.plans (name) on delete cascade,
    quota text not null references private.quotas (name),
    max_count integer not null
        constraint plan_limits_max_count_check check (max_count >= 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (plan, quota),
    -- Its founder.
    constraint plan_limits_members_check check (quota <> 'members' or max_count >= 1)
);
comment on table public.plan_limits is
    'How many of what a plan allows; a quota without a row is unlimited. A lower limit takes nothing away, it refuses what is new. The operator edits the rows with the service key.';
comment on column public.plan_limits.quota is
    'members (of any status, and open invitations), agents, phone_numbers, datasets, leads, concurrent_calls (ringing or in progress), or a quota of your own. Set concurrent_calls once set_call_status reports the end of calls: a full limit turns callers away.';
create index plan_limits_quota_idx on public.plan_limits (quota);
comment on index public.plan_limits_quota_idx is 'Foreign key to quotas.';

select private.add_row_triggers('public.plan_limits', '{plan,quota,created_at}');

alter table public.plan_limits enable row level security;
alter table public.plan_limits force row level security;
create policy plan_limits_select on public.plan_limits for select to authenticated
    using ((select switchboard.user_id()) is not null);
create policy plan_limits_insert on public.plan_limits for insert to authenticated
    with check (false);
create policy plan_limits_update on public.plan_limits for update to authenticated
    using (false) with check (false);
create policy plan_limits_delete on public.plan_limits for delete to authenticated
    using (false);

grant select on public.plan_limits to authenticated;
grant select, insert, update, delete on public.plan_limits to service_role;

insert into public.plan_limits (plan, quota, max_count) values
    ('starter', 'members', 10),
    ('starter', 'agents', 10),
    ('starter', 'phone_numbers', 10),
    ('starter', 'datasets', 25),
    ('starter', 'leads', 25000),
    ('professional', 'members', 50),
    ('professional', 'agents', 50),
    ('professional', 'phone_numbers', 100),
    ('professional', 'datasets', 250),
    ('professional', 'leads', 500000);

-- sql/schema/tenancy/organizations.sql

-- Organizations, the tenant root: every other tenant table hangs off it by organization_id. Native code reads it in
-- every request (switchboard.schema_contract), so it is not FORCEd.

create table public.organizations (
    id uuid not null default gen_random_uuid() primary key,
    name text not null
        constraint organizations_name_check check (btrim(name) <> '' and length(name) <= 200),
    slug text not null
        constraint organizations_slug_key unique
        constraint organizations_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$'),
    plan text not null default 'starter'
        constraint organizations_plan_fkey references public.plans (name),
    status text not null default 'active'
        constraint organizations_status_check check (status in ('active', 'paused', 'cancelled')),
    default_country text not null default 'GB'
        constraint organizations_default_country_check check (default_country ~ '^[A-Z]{2}$'),
    calling_code integer not null generated always as (switchboard.calling_code(default_country)) stored,
    timezone text not null default 'Europe/London'
        constraint organizations_timezone_check check (private.is_time_zone(timezone)),
    industry text
        constraint organizations_industry_check check (btrim(industry) <> '' and length(industry) <= 100),
    email text
        constraint organizations_email_check check (private.is_email(email)),
    phone_number text
        constraint organizations_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text
        constraint organizations_phone_input_check check (length(phone_input) <= 250),
    website text
        constraint organizations_website_check
        check (website ~* '^https?://[^[:space:]/]+' and length(website) <= 2000),
    logo_path text
        constraint organizations_logo_path_check
        check (
            logo_path is null
            or length(logo_path) <= 1024 and switchboard.path_organization(logo_path) is not distinct from id
        ),
    primary_color text not null default '#8cc63f'
        constraint organizations_primary_color_check check (primary_color ~* '^#[0-9a-f]{6}$'),
    quiet_start time not null default '08:00',
    quiet_end time not null default '21:00'
        constraint organizations_quiet_end_check check (quiet_start < quiet_end),
    n8n_workflow_id text
        constraint organizations_n8n_workflow_id_check
        check (btrim(n8n_workflow_id) <> '' and length(n8n_workflow_id) <= 200),
    n8n_webhook_url text
        constraint organizations_n8n_webhook_url_check
        check (n8n_webhook_url ~* '^https://[^[:space:]/@]+(/[^[:space:]]*)?$' and length(n8n_webhook_url) <= 2000),
    default_agent_id uuid,
    default_phone_number_id uuid,
    settings jsonb not null default '{}'
        constraint organizations_settings_check
        check (jsonb_typeof(settings) = 'object' and switchboard.json_is_bounded(settings, 65536)),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.organizations is
    'The tenant. Every other tenant table hangs off it by organization_id. Made by create_organization; holders of organization.write change its profile, branding and settings; its status changes by set_organization_status.';
comment on column public.organizations.slug is
    'Unique name for addresses: 3 to 63 of a-z, 0-9 and hyphen. Global, so only create_organization says whether one is taken.';
comment on column public.organizations.status is
    'active: everything; paused: members read only; cancelled: owner and admin read only. The capability functions apply it, so a change holds from the next statement.';
comment on column public.organizations.default_country is
    'ISO 3166-1 alpha-2 code; the region in which a phone number without + is read.';
comment on column public.organizations.calling_code is
    'Calling code of default_country; a number with another one is international for an import.';
comment on column public.organizations.timezone is
    'Name from the tz database with an area, or UTC.';
comment on column public.organizations.industry is
    'What the organization sells, in a word or two, as solar.';
comment on column public.organizations.email is 'Where customers reach the organization.';
comment on column public.organizations.phone_number is
    'Where customers reach the organization, in E.164. Any spelling may be written; a trigger reads it in default_country.';
comment on column public.organizations.phone_input is 'The number as it was typed.';
comment on column public.organizations.website is 'Address with http:// or https://.';
comment on column public.organizations.logo_path is
    'Object in the bucket client_logos, {organization_id}/….';
comment on column public.organizations.primary_color is 'Branding: # and six hexadecimal digits.';
comment on column public.organizations.quiet_start is
    'From this local time of the recipient on campaigns may send, whatever their own window says.';
comment on column public.organizations.quiet_end is
    'Until this local time of the recipient campaigns may send.';
comment on column public.organizations.n8n_workflow_id is
    'The organization''s main workflow in n8n.';
comment on column public.organizations.n8n_webhook_url is
    'Webhook of n8n for replies; https only. Every member can read it: credentials do not belong into it.';
comment on column public.organizations.default_agent_id is
    'Answers when a number has no active agent of its own.';
comment on column public.organizations.default_phone_number_id is
    'The number that campaigns send from when they name none.';
comment on column public.organizations.settings is 'Anything an application keeps for the organization: an object of at most 64 kB.';
comment on index public.organizations_slug_key is
    'Organization by slug: header x-organization-slug.';
create index organizations_plan_idx on public.organizations (plan);
comment on index public.organizations_plan_idx is 'Foreign key to plans.';
create index organizations_default_agent_id_idx on public.organizations (id, default_agent_id);
comment on index public.organizations_default_agent_id_idx is
    'Foreign key to agents: finds the organization to clear when an agent is deleted.';
create index organizations_default_phone_number_id_idx on public.organizations (id, default_phone_number_id);
comment on index public.organizations_default_phone_number_id_idx is
    'Foreign key to phone_numbers: finds the organization to clear when a number is deleted.';

create trigger normalize_phone
    before insert or update on public.organizations
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'column:default_country'
    );

select private.add_row_triggers('public.organizations', '{id,created_at}');

-- Row level security. Three small tables that a client needs in order to list and switch
-- organizations: readable for all its organizations at once, and a member always sees the own row, so
-- that a suspended one can see why nothing else is left.
alter table public.organizations enable row level security;
create policy organizations_select on public.organizations for select to authenticated
    using (
        id = any ((select switchboard.organization_ids())::uuid[])
        -- A support session, which is no membership.
        or id = (select switchboard.organization_for('organization.read'))
    );
create policy organizations_insert on public.organizations for insert to authenticated
    with check (false);
create policy organizations_update on public.organizations for update to authenticated
    using (id = (select switchboard.organization_for('organization.write')))
    with check (id = (select switchboard.organization_for('organization.write')));
create policy organizations_delete on public.organizations for delete to authenticated
    using (false);

grant select on public.organizations to authenticated;

grant update (
    name, default_country, timezone, industry, email, phone_number, website, logo_path, primary_color, quiet_start,
    quiet_end, n8n_workflow_id, n8n_webhook_url, settings, default_agent_id, default_phone_number_id
) on public.organizations to authenticated;
grant select, insert, update, delete on public.organizations to service_role;

-- Whoever knows the address of a workflow's webhook can start it.
select private.add_audit('public.organizations', '{n8n_webhook_url}');


-- sql/schema/tenancy/plan_overrides.sql

-- Plan overrides: one organization's limits that differ from its plan's.

create table public.plan_overrides (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    quota text not null references private.quotas (name),
    max_count integer not null
        constraint plan_overrides_max_count_check check (max_count >= -1),
    reason text not null
        constraint plan_overrides_reason_check check (btrim(reason) <> '' and length(reason) <= 500),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, quota)
);
comment on table public.plan_overrides is
    'Limits of one organization that differ from its plan''s. Written with the service key; usage() shows the result, nobody else reads the table.';
comment on column public.plan_overrides.max_count is '-1: unlimited.';
create index plan_overrides_quota_idx on public.plan_overrides (quota);
comment on index public.plan_overrides_quota_idx is 'Foreign key to quotas.';

select private.add_row_triggers('public.plan_overrides', '{organization_id,quota,created_at}');

alter table public.plan_overrides enable row level security;
alter table public.plan_overrides force row level security;
create policy plan_overrides_select on public.plan_overrides for select to authenticated
    using (false);
create policy plan_overrides_insert on public.plan_overrides for insert to authenticated
    with check (false);
create policy plan_overrides_update on public.plan_overrides for update to authenticated
    using (false) with check (false);
create policy plan_overrides_delete on public.plan_overrides for delete to authenticated
    using (false);

grant select, insert, update, delete on public.plan_overrides to service_role;

select private.add_audit('public.plan_overrides', capability => 'organization.read');

-- sql/schema/tenancy/quota_rules.sql

-- How quotas are asked and held: limits from the plan and its overrides, use from private.quotas, a trigger where rows
-- are made. route_inbound_call holds the one on calls.

create function private.quota_limit(organization uuid, quota text) returns integer
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_limit integer;
begin
    v_limit := coalesce(
        (
            select v.max_count from public.plan_overrides v
            where v.organization_id = quota_limit.organization and v.quota = quota_limit.quota
        ),
        (
            select l.max_count from public.organizations o
            join public.plan_limits l on l.plan = o.plan and l.quota = quota_limit.quota
            where o.id = quota_limit.organization
        )
    );
    if v_limit is null and not exists (select from private.quotas q where q.name = quota_limit.quota) then
        raise exception using
            errcode = '22023',
            message = format('there is no quota on %s', quota_limit.quota);
    end if;
    return nullif(v_limit, -1);
end;
$$;
comment on function private.quota_limit(uuid, text) is
    'How many of a quota an organization may have: its plan''s limit, or its override; NULL: unlimited, or no such organization. Raises 22023 for an unknown quota.';

create function private.quota_limits(organization uuid) returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select jsonb_object_agg(q.name, private.quota_limit(o.id, q.name))
        from public.organizations o
        cross join private.quotas q
        where o.id = organization;
end;
comment on function private.quota_limits(uuid) is
    'An organization''s limits {quota: number}; null: unlimited. NULL for an unknown organization.';

create function private.quota_used(organization uuid, quota text) returns bigint
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_query text;
    v_count bigint;
begin
    select q.counted_by into v_query from private.quotas q where q.name = quota;
    if found then
        execute v_query into v_count using organization;
        -- Without a number no limit would hold.
        if v_count is null then
            raise exception using
                errcode = '22023',
                message = format('the query of the quota on %s answers no number', quota),
                hint = 'private.quotas.counted_by answers one for every organization, 0 for one that has nothing.';
        end if;
    end if;
    return v_count;
end;
$$;
comment on function private.quota_used(uuid, text) is
    'How many an organization has of a quota, as private.quotas counts it; NULL for an unknown quota. Raises 22023 where its query answers no number.';

create function private.enforce_quota() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_quota constant text := tg_argv[0];
    v_organization record;
    v_limit integer;
begin
    for v_organization in
        select distinct n.organization_id as id from new_rows n order by 1
    loop
        v_limit := private.quota_limit(v_organization.id, v_quota);
        continue when v_limit is null;
        -- One at a time for an organization and quota, until the end of the transaction: two that
        -- take the last place at once both see it free otherwise. The count is a statement of its own,
        -- so it sees what was committed while this one waited.
        perform pg_advisory_xact_lock(hashtextextended(format('quota %s %s', v_quota, v_organization.id), 0));
        if private.quota_used(v_organization.id, v_quota) > v_limit then
            raise exception using
                errcode = 'PT429',
                message = 'quota_exceeded',
                detail = format(
                    'The plan %s of this organization allows %s %s.',
                    (select o.plan from public.organizations o where o.id = v_organization.id),
                    v_limit, replace(v_quota, '_', ' ')
                ),
                hint = 'usage() shows limits and use. Remove what is not needed, or move to a larger plan.';
        end if;
    end loop;
    return null;
end;
$$;
comment on function private.enforce_quota() is
    'AFTER INSERT trigger, once a statement, with the transition table new_rows; its argument is the quota. After, because a BEFORE trigger speaks before row level security does, and would tell a stranger whose quota is full. Raises PT429 quota_exceeded.';

create function private.add_quota(target regclass, quota text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if not exists (select from private.quotas q where q.name = quota) then
        raise exception using
            errcode = '22023',
            message = format('there is no quota on %s', quota),
            hint = 'Insert it into private.quotas first, and its limits into plan_limits.';
    end if;
    -- Behind the triggers count_…, by its name: what they keep is what some quotas are counted by.
    execute format(
        'create trigger enforce_quota after insert on %s referencing new table as new_rows
            for each statement execute function private.enforce_quota(%L)',
        target, quota);
end;
$$;
comment on function private.add_quota(regclass, text) is
    'For migrations, owner only. Holds the inserts into a table with organization_id to a quota of private.quotas. Raises 22023 for an unknown quota.';

-- sql/schema/tenancy/dataset_scope.sql

-- The datasets that a membership or an invitation is limited to: checked when written, corrected when one is deleted.

create function private.datasets_are_deleted(organization uuid, datasets uuid[]) returns boolean
    language plpgsql volatile
    set search_path = ''
as $$
begin
    return not exists (
        select from public.datasets d where d.organization_id = organization and d.id = any (datasets)
    );
end;
$$;
comment on function private.datasets_are_deleted(uuid, uuid[]) is
    'Whether the organization has none of these datasets. plpgsql, because the table is made in a later file.';

create function private.check_dataset_scope() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
declare
    max_datasets constant integer := 1000;
    v_added uuid[] := new.allowed_dataset_ids;
    v_found integer;
begin
    if array_ndims(new.allowed_dataset_ids) > 1 or cardinality(new.allowed_dataset_ids) > max_datasets then
        raise exception using
            errcode = '22023',
            message = format('allowed_dataset_ids must be a list of at most %s datasets', max_datasets);
    end if;
    if (select count(distinct d) from unnest(new.allowed_dataset_ids) as d) <> cardinality(new.allowed_dataset_ids) then
        raise exception using errcode = '22023', message = 'allowed_dataset_ids must name each dataset once, and no null';
    end if;
    if tg_op = 'UPDATE' then
        v_added := array(select d from unnest(new.allowed_dataset_ids) as d where d <> all (coalesce(old.allowed_dataset_ids, '{}')));
    end if;
    -- Locked, so that none of them is deleted before this row is there to be corrected.
    perform from public.datasets d
        where d.organization_id = new.organization_id and d.id = any (v_added)
        order by d.id
        for key share;
    get diagnostics v_found = row_count;
    if v_found <> cardinality(v_added) then
        raise exception using
            errcode = '22023',
            message = 'allowed_dataset_ids names a dataset that the organization does not have';
    end if;
    return new;
end;
$$;
comment on function private.check_dataset_scope() is
    'BEFORE INSERT OR UPDATE trigger: allowed_dataset_ids holds datasets of the row''s organization, each once, at most 1,000. Raises 22023 naming the column.';

create function private.remove_datasets_from_scopes() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- array(…) of nothing is '{}', no dataset; NULL would be all of them.
    update public.memberships m
    set allowed_dataset_ids = array(
        select d from unnest(m.allowed_dataset_ids) with ordinality as s (d, n) where d <> all (gone.ids) order by n
    )
    from (select r.organization_id, array_agg(r.id) as ids from old_rows r group by r.organization_id) as gone
    where m.organization_id = gone.organization_id and m.allowed_dataset_ids && gone.ids;

    update public.invitations i
    set allowed_dataset_ids = array(
        select d from unnest(i.allowed_dataset_ids) with ordinality as s (d, n) where d <> all (gone.ids) order by n
    )
    from (select r.organization_id, array_agg(r.id) as ids from old_rows r group by r.organization_id) as gone
    where i.organization_id = gone.organization_id and i.allowed_dataset_ids && gone.ids;
    return null;
end;
$$;
comment on function private.remove_datasets_from_scopes() is
    'AFTER DELETE statement trigger on datasets (transition table old_rows): takes deleted datasets out of members'' and invitations'' scopes. Definer, because whoever deletes a dataset need not be above every member. Raises nothing.';

-- sql/schema/tenancy/memberships.sql

-- Memberships: who belongs to which organization with which rights, and the triggers that hold the rules of
-- member_rules.sql. Native code reads it in every request (switchboard.schema_contract), so it is not FORCEd.

create table public.memberships (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    user_id uuid not null references auth.users (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    role text not null
        constraint memberships_role_check
        check (role in ('owner', 'admin', 'manager', 'sales_rep', 'viewer')),
    status text not null default 'active'
        constraint memberships_status_check check (status in ('invited', 'active', 'suspended')),
    permissions jsonb not null default '{}'
        constraint memberships_permissions_check check (switchboard.assert_permissions(permissions)),
    can_view_all_leads boolean not null default false,
    can_edit_lessons boolean not null default false,
    can_push_to_n8n boolean not null default false,
    can_manage_users boolean not null default false,
    allowed_dataset_ids uuid[]
        constraint memberships_allowed_dataset_ids_check
        check (array_position(allowed_dataset_ids, null) is null and cardinality(allowed_dataset_ids) <= 1000),
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, user_id),
    constraint memberships_id_key unique (organization_id, id),
    constraint memberships_owner_check check (
        role <> 'owner' or (permissions = '{}' and allowed_dataset_ids is null and expires_at is null)
    )
);
comment on table public.memberships is
    'Who belongs to which organization, with which role. What a role may do is switchboard.capabilities() and private.capabilities; the flags and permissions of a member add to it and take from it. Written by RPC only.';
comment on column public.memberships.permissions is
    'Object of capability → true (gives it) or false (takes it away, whatever role and flags say). Never gives what only an owner holds; a capability that has been dropped gives nothing. An owner has none.';
comment on column public.memberships.can_view_all_leads is
    'Gives leads.read_all: every lead, not only the assigned ones.';
comment on column public.memberships.can_edit_lessons is 'Gives lessons.write.';
comment on column public.memberships.can_push_to_n8n is 'Gives n8n.push.';
comment on column public.memberships.can_manage_users is 'Gives members.write.';
comment on column public.memberships.allowed_dataset_ids is
    'The datasets whose leads the member may see; NULL is all of them, an empty array none. An owner sees all.';
comment on column public.memberships.expires_at is
    'From this instant the membership gives nothing; NULL is never. An owner has none.';
comment on index public.memberships_id_key is
    'A member by id: RPCs that change or remove one, references from other tables.';
create index memberships_user_id_idx on public.memberships (user_id);
comment on index public.memberships_user_id_idx is
    'All memberships of a user: every request resolves its organization through it; also the foreign key to auth.users.';

-- The one place that decides who may write public.memberships on whose behalf. It runs as the tables' owner: no API role
-- has a grant on the table, RPC bodies and foreign key actions act as the owner. private.member_refusal holds the rule
-- that RPCs ask before they write; what follows here is what is allowed besides, told from the data alone.
create function private.guard_member() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
declare
    actor uuid := switchboard.user_id();
    -- Both NULL or of the table's row type, which a bare OLD or NEW is not in every case.
    member_before public.memberships;
    member_after public.memberships;
begin
    if tg_op <> 'INSERT' then
        member_before := old;
    end if;
    if tg_op <> 'DELETE' then
        member_after := new;
    end if;

    -- Owners go one at a time, so that the last of two sees the other gone: private.keep_last_owner counts after this.
    if member_before.role = 'owner' and member_before.status = 'active'
        and (tg_op = 'DELETE' or member_after.role <> 'owner' or member_after.status <> 'active')
    then
        perform from public.organizations o where o.id = member_before.organization_id for no key update;
    end if;

    if actor is null then
        -- Migrations, the owner's own statements and the service role.
        null;
    elsif tg_op = 'DELETE' and (
        actor = member_before.user_id
        or not exists (select from public.organizations o where o.id = member_before.organization_id)
        or not exists (select from auth.users u where u.id = member_before.user_id)
    ) then
        -- Leaving, or the cascade of a deleted organization or user.
        null;
    elsif tg_op = 'INSERT' and actor = member_after.user_id and private.may_become_member(member_after) then
        null;
    elsif tg_op = 'UPDATE' and private.same_rights(member_before, member_after) then
        null;
    else
        perform private.raise_member_refusal(coalesce(
            private.member_refusal(actor, member_before, member_after),
            case when not coalesce(
                switchboard.has_capability(coalesce(member_after.organization_id, member_before.organization_id), 'members.write'),
                false
            ) then 'members_write_required' end
        ), '42501');
    end if;
    return coalesce(new, old);
end;
$$;
comment on function private.guard_member() is
    'BEFORE trigger on memberships: who may change whose membership. Without a signed-in user everything; one''s own row: founding, accepting an invitation, leaving; others'': members.write, a role above theirs, and nothing given that the giver lacks. Locks the organization while an owner goes. Raises 42501 with a code such as role_too_low.';

create function private.keep_last_owner() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    if not exists (select from public.organizations o where o.id = old.organization_id) then
        return null;
    end if;
    -- Held until the end: nobody who counts here goes meanwhile, and a transaction that reads from an older snapshot
    -- (REPEATABLE READ) gets 40001 instead of counting somebody who has gone.
    perform from public.memberships m
        where m.organization_id = old.organization_id and m.role = 'owner' and m.status = 'active'
        order by m.user_id
        for share;
    if not found then
        raise exception using
            errcode = 'PT409',
            message = 'last_owner',
            detail = 'An organization keeps at least one active owner.',
            hint = 'Make somebody else an owner first, by transfer_ownership or change_member, or cancel and delete the organization.';
    end if;
    return null;
end;
$$;
comment on function private.keep_last_owner() is
    'Constraint trigger on memberships after an active owner went, was demoted or suspended: raises PT409 last_owner when none is left. Not when the organization itself is deleted. Definer, because the trigger may fire for Supabase Auth, which deletes a user and may not read the table.';

create function private.keep_default_organization() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_user uuid := coalesce(new.user_id, old.user_id);
begin
    -- One membership needs no default, and a second one must not take the first from the screen.
    if (select count(*) from public.memberships m where m.user_id = v_user) < 2 then
        return null;
    end if;
    insert into public.profiles as p (id, default_organization_id)
    select u.id, m.organization_id
    from auth.users u
    join public.memberships m on m.user_id = u.id
    join public.organizations o on o.id = m.organization_id
    where u.id = v_user and m.status = 'active' and o.status <> 'cancelled'
        and (m.expires_at is null or m.expires_at > now())
    order by m.organization_id is not distinct from new.organization_id, m.created_at, m.organization_id
    limit 1
    on conflict (id) do update
    set default_organization_id = excluded.default_organization_id
    where p.default_organization_id is null;
    return null;
end;
$$;
comment on function private.keep_default_organization() is
    'AFTER INSERT OR DELETE trigger on memberships: whoever belongs to several organizations and has no default goes on with the one before. Definer, because profiles'' column is granted to nobody. Raises nothing.';

create function private.lock_owned_organizations() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    perform from public.organizations o
        where o.id in (
            select m.organization_id from public.memberships m
            where m.user_id = old.id and m.role = 'owner' and m.status = 'active'
        )
        order by o.id
        for no key update;
    return old;
end;
$$;
comment on function private.lock_owned_organizations() is
    'BEFORE DELETE trigger on auth.users (attach_auth): locks what the user owns, in the order of the ids. The cascade locks a membership before guard_member can lock its organization, and two owners deleted at once would each hold what the other counts. Definer: Supabase Auth may not read memberships. Raises nothing.';

create trigger guard_member
    before insert or update or delete on public.memberships
    for each row execute function private.guard_member();
create constraint trigger last_owner_update
    after update on public.memberships
    for each row when (
        old.role = 'owner' and old.status = 'active' and (new.role <> 'owner' or new.status <> 'active')
    )
    execute function private.keep_last_owner();
create constraint trigger last_owner_delete
    after delete on public.memberships
    for each row when (old.role = 'owner' and old.status = 'active')
    execute function private.keep_last_owner();
create trigger keep_default_organization
    after insert or delete on public.memberships
    for each row execute function private.keep_default_organization();
create trigger check_dataset_scope
    before insert or update of allowed_dataset_ids on public.memberships
    for each row when (new.allowed_dataset_ids is not null) execute function private.check_dataset_scope();
create trigger check_permissions
    before insert or update of permissions on public.memberships
    for each row when (new.permissions <> '{}') execute function private.check_permissions();

select private.add_row_triggers('public.memberships', '{organization_id,user_id,id,created_at}');
select private.add_audit('public.memberships', capability => 'organization.read');
select private.add_quota('public.memberships', 'members');

alter table public.memberships enable row level security;
create policy memberships_select on public.memberships for select to authenticated
    using (
        organization_id = any ((select switchboard.organization_ids())::uuid[])
        or user_id = (select switchboard.user_id())
    );
create policy memberships_insert on public.memberships for insert to authenticated
    with check (false);
create policy memberships_update on public.memberships for update to authenticated
    using (false) with check (false);
create policy memberships_delete on public.memberships for delete to authenticated
    using (false);

grant select on public.memberships to authenticated;
grant select, insert, update, delete on public.memberships to service_role;

-- sql/schema/tenancy/profiles.sql

-- Profiles: the person behind an auth user. Native code reads the default organization, so it is not FORCEd.

create table public.profiles (
    id uuid not null primary key references auth.users (id) on delete cascade,
    full_name text
        constraint profiles_full_name_check check (length(full_name) <= 200),
    first_name text
        constraint profiles_first_name_check check (length(first_name) <= 100),
    last_name text
        constraint profiles_last_name_check check (length(last_name) <= 100),
    email text,
    country text
        constraint profiles_country_check check (country ~ '^[A-Z]{2}$'),
    phone_number text
        constraint profiles_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text
        constraint profiles_phone_input_check check (length(phone_input) <= 250),
    avatar_path text
        constraint profiles_avatar_path_check check (btrim(avatar_path) <> '' and length(avatar_path) <= 1024),
    default_organization_id uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint profiles_default_organization_id_fkey
        foreign key (default_organization_id, id)
        references public.memberships (organization_id, user_id)
        on delete set null (default_organization_id)
);
comment on table public.profiles is
    'The person behind an auth user; made by a trigger at sign-up. Rights are not here but in memberships. Everybody changes their own name, country, phone number and avatar. Name the columns in a select: default_organization_id, e-mail address and phone number are granted to nobody; the view users shows the last two to those who manage members.';
comment on column public.profiles.email is
    'Copy of auth.users.email, kept by trigger. Granted to nobody: the view users shows it to the person and to holders of members.write.';
comment on column public.profiles.country is
    'ISO 3166-1 alpha-2 code in which the person''s phone number is read; without it only a number with + is.';
comment on column public.profiles.phone_number is 'E.164. Granted to nobody for reading, like email.';
comment on column public.profiles.phone_input is 'The number as it was typed.';
comment on column public.profiles.avatar_path is 'Object in a bucket of the application.';
comment on column public.profiles.default_organization_id is
    'The organization to act for when a request names none. The key ties it to a membership of this person, so it goes when the membership goes.';

create index profiles_default_organization_id_idx
    on public.profiles (default_organization_id, id);
comment on index public.profiles_default_organization_id_idx is
    'Foreign key to memberships: finds the profile to clear when a membership is deleted.';

create trigger normalize_phone
    before insert or update on public.profiles
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'column:country'
    );

select private.add_row_triggers('public.profiles', '{id,created_at}');

alter table public.profiles enable row level security;
create policy profiles_select on public.profiles for select to authenticated
    using (
        id = (select switchboard.user_id())
        or id = any (array(
            select m.user_id
            from public.memberships m
            where m.organization_id = any ((select switchboard.organization_ids())::uuid[])
        ))
    );
create policy profiles_insert on public.profiles for insert to authenticated
    with check (false);
create policy profiles_update on public.profiles for update to authenticated
    using (id = (select switchboard.user_id())) with check (id = (select switchboard.user_id()));
create policy profiles_delete on public.profiles for delete to authenticated
    using (false);

grant select (id, full_name, first_name, last_name, country, avatar_path, created_at, updated_at)
    on public.profiles to authenticated;
grant update (full_name, first_name, last_name, country, phone_number, avatar_path)
    on public.profiles to authenticated;
grant select on public.profiles to service_role;
grant update (full_name, first_name, last_name, country, phone_number, avatar_path, default_organization_id)
    on public.profiles to service_role;

-- sql/schema/tenancy/profile_failures.sql

-- Sign-ups whose profile could not be made.

create table private.profile_failures (
    id bigint generated always as identity primary key,
    user_id uuid not null,
    sqlstate text not null,
    message text not null,
    failed_at timestamptz not null default clock_timestamp()
);
comment on table private.profile_failures is
    'Sign-ups whose profile could not be made. private.backfill_profiles() repairs and empties it.';

select private.add_deny_policy('private.profile_failures');

-- sql/schema/tenancy/invitations.sql

-- Invitations: a membership offered to one e-mail address, accepted with a token that is handed out once and stored
-- as its hash. Sending the mail is the application's.

create table public.invitations (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    email text not null
        constraint invitations_email_check check (email = private.email_key(email) and private.is_email(email)),
    role text not null
        constraint invitations_role_check
        check (role in ('owner', 'admin', 'manager', 'sales_rep', 'viewer')),
    permissions jsonb not null default '{}'
        constraint invitations_permissions_check check (switchboard.assert_permissions(permissions)),
    can_view_all_leads boolean not null default false,
    can_edit_lessons boolean not null default false,
    can_push_to_n8n boolean not null default false,
    can_manage_users boolean not null default false,
    allowed_dataset_ids uuid[],
    membership_expires_at timestamptz,
    token_hash bytea not null
        constraint invitations_token_hash_check check (octet_length(token_hash) = 32),
    invited_by uuid references auth.users (id) on delete set null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references auth.users (id) on delete set null,
    revoked_at timestamptz,
    revoked_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint invitations_expires_at_check check (
        expires_at > created_at and expires_at - created_at <= interval '720 hours'
    ),
    constraint invitations_owner_check check (
        role <> 'owner'
        or (permissions = '{}' and allowed_dataset_ids is null and membership_expires_at is null)
    ),
    constraint invitations_end_check check (accepted_at is null or revoked_at is null)
);
comment on table public.invitations is
    'A membership offered to an e-mail address. Open until it is accepted, revoked or expired. Written by invite_member, accept_invitation and revoke_invitation only.';
comment on column public.invitations.email is 'As private.email_key makes it; that of the accepting user''s confirmed address must equal it.';
comment on column public.invitations.permissions is 'What the membership will have; see memberships, as for the next five columns.';
comment on column public.invitations.membership_expires_at is 'When the membership will end; NULL: never.';
comment on column public.invitations.token_hash is
    'SHA-256 of the token. The token has 244 random bits, so neither a salt nor a slow hash adds anything, and finding it by an index lookup tells nobody a prefix of a token.';
comment on column public.invitations.expires_at is 'Last moment at which it can be accepted, at most 30 days after created_at.';

create unique index invitations_open_key on public.invitations (organization_id, email)
    where accepted_at is null and revoked_at is null;
comment on index public.invitations_open_key is
    'One open invitation for an address in an organization; invite_member: the one to replace, and how many are open.';
create index invitations_token_hash_idx on public.invitations (token_hash);
comment on index public.invitations_token_hash_idx is 'accept_invitation: by token.';
create index invitations_created_at_idx on public.invitations (organization_id, created_at desc, id);
comment on index public.invitations_created_at_idx is 'List of an organization''s invitations, newest first.';
create index invitations_invited_by_idx on public.invitations (invited_by);
comment on index public.invitations_invited_by_idx is 'Foreign key to auth.users.';
create index invitations_accepted_by_idx on public.invitations (accepted_by);
comment on index public.invitations_accepted_by_idx is 'Foreign key to auth.users.';
create index invitations_revoked_by_idx on public.invitations (revoked_by);
comment on index public.invitations_revoked_by_idx is 'Foreign key to auth.users.';

select private.add_row_triggers('public.invitations', '{organization_id,id,email,token_hash,expires_at,created_at}');

alter table public.invitations enable row level security;
alter table public.invitations force row level security;
-- Who is invited, and as what, is for those who could have invited them.
create policy invitations_select on public.invitations for select to authenticated
    using (organization_id = (select switchboard.organization_for('members.write')));
create policy invitations_insert on public.invitations for insert to authenticated
    with check (false);
create policy invitations_update on public.invitations for update to authenticated
    using (false) with check (false);
create policy invitations_delete on public.invitations for delete to authenticated
    using (false);

grant select (
    organization_id, id, email, role, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n,
    can_manage_users, allowed_dataset_ids, membership_expires_at, invited_by, expires_at, accepted_at, accepted_by,
    revoked_at, revoked_by, created_at
) on public.invitations to authenticated;
grant select, insert, update, delete on public.invitations to service_role;

select private.add_audit('public.invitations', '{token_hash}');
select private.add_quota('public.invitations', 'members');

create trigger check_dataset_scope
    before insert or update of allowed_dataset_ids on public.invitations
    for each row when (new.allowed_dataset_ids is not null) execute function private.check_dataset_scope();
create trigger check_permissions
    before insert or update of permissions on public.invitations
    for each row when (new.permissions <> '{}') execute function private.check_permissions();

-- sql/schema/tenancy/member_rules.sql

-- The rule on who may give whom which rights, asked by RPCs before they write and by guard_member when they do.

create function private.role_rank(role text) returns integer
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select array_position(array['viewer', 'sales_rep', 'manager', 'admin', 'owner'], role);
end;
comment on function private.role_rank(text) is
    'Order of the roles, the owner''s highest; NULL for a name that is no role.';

create function private.member_capabilities(member public.memberships) returns text[]
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.member_capabilities(
        (member).role, (member).permissions, (member).can_view_all_leads, (member).can_edit_lessons,
        (member).can_push_to_n8n, (member).can_manage_users
    );
end;
comment on function private.member_capabilities(public.memberships) is
    'What a membership gives in an active organization, whoever asks. For comparing what a member may give with what they would give. NULL for no membership.';

create function private.member_refusal(
    actor uuid,
    member_before public.memberships,
    member_after public.memberships
) returns text
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_org uuid := coalesce(member_after.organization_id, member_before.organization_id);
    v_own boolean := coalesce(coalesce(member_after.user_id, member_before.user_id) = actor, false);
    -- A membership that gives nothing today is not what a change can be compared with.
    v_in_force boolean := coalesce(
        member_before.status = 'active' and (member_before.expires_at is null or member_before.expires_at > now()), false
    );
    v_giver public.memberships;
    v_held text[];
begin
    select * into v_giver
    from public.memberships m
    where m.organization_id = v_org and m.user_id = actor
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now());
    v_held := private.member_capabilities(v_giver);
    if v_giver.user_id is null or not 'members.write' = any (v_held) then
        return 'members_write_required';
    end if;
    if v_giver.role <> 'owner' then
        if v_own then
            return 'own_membership';
        end if;
        if greatest(private.role_rank(member_before.role), private.role_rank(member_after.role))
            >= private.role_rank(v_giver.role)
        then
            return 'role_too_low';
        end if;
    end if;

    -- Nothing is given by removing or suspending; what a suspended member keeps is looked at when they return.
    if member_after.organization_id is null or member_after.status = 'suspended' then
        return null;
    end if;
    if v_in_force then
        v_held := v_held || private.member_capabilities(member_before);
    end if;
    if not private.member_capabilities(member_after) <@ v_held then
        return 'capability_not_held';
    end if;
    -- NULL is all datasets.
    if v_giver.allowed_dataset_ids is not null and not (v_in_force and member_before.allowed_dataset_ids is null) then
        if member_after.allowed_dataset_ids is null
            or not member_after.allowed_dataset_ids <@ (
                v_giver.allowed_dataset_ids
                || case when v_in_force then member_before.allowed_dataset_ids else '{}' end
            )
        then
            return 'scope_not_held';
        end if;
    end if;
    -- A membership that ends may not outlive itself under another name.
    if coalesce(member_after.expires_at, 'infinity') > greatest(
        coalesce(v_giver.expires_at, 'infinity'),
        case when v_in_force then coalesce(member_before.expires_at, 'infinity') else '-infinity' end
    ) then
        return 'outlasts_own_membership';
    end if;
    return null;
end;
$$;
comment on function private.member_refusal(uuid, public.memberships, public.memberships) is
    'Why actor may not turn one membership into the other (NULL before: a new one; NULL after: removal), or NULL when they may. Codes: members_write_required, own_membership, role_too_low, capability_not_held, scope_not_held, outlasts_own_membership. Does not ask for the organization''s status.';

create function private.raise_member_refusal(code text, state text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if code is null then
        return;
    end if;
    raise exception using
        errcode = state,
        message = code,
        detail = case code
            when 'members_write_required' then 'You do not hold members.write in this organization.'
            when 'own_membership' then 'Nobody changes their own membership.'
            when 'role_too_low' then 'Only roles below your own can be given, changed or taken away; an owner may do all.'
            when 'capability_not_held' then 'The membership would have a capability that you do not hold.'
            when 'scope_not_held' then 'The membership would reach datasets that you do not.'
            when 'outlasts_own_membership' then 'The membership would last longer than yours.'
        end,
        hint = case code
            when 'own_membership' then 'Ask a member with a higher role; leave_organization() and transfer_ownership() are for you.'
            when 'capability_not_held' then 'whoami() lists your capabilities.'
            else 'Ask a member with a higher role.'
        end;
end;
$$;
comment on function private.raise_member_refusal(text, text) is
    'Raises what member_refusal answered with its sentence, and nothing for NULL: PT403 in RPCs, 42501 in private.guard_member.';

create function private.lock_member(organization uuid, member uuid) returns public.memberships
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_member public.memberships;
begin
    -- Everywhere where members are written the organization is locked first, so nobody waits for each other in a circle.
    perform from public.organizations o where o.id = organization for no key update;
    select * into v_member
    from public.memberships m where m.organization_id = organization and m.user_id = member
    for update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'member_not_found',
            detail = 'The organization has no member with this user id.';
    end if;
    return v_member;
end;
$$;
comment on function private.lock_member(uuid, uuid) is
    'A membership, locked with its organization until the transaction ends. For RPC bodies that change or end it. Raises PT404 member_not_found.';

create function private.may_become_member(member public.memberships) returns boolean
    language sql volatile
    set search_path = ''
begin atomic
    select
        -- The founder. created_at is the transaction's time and never changes.
        (member).role = 'owner'
        and exists (
            select from public.organizations o where o.id = (member).organization_id and o.created_at = now()
        )
        and not exists (select from public.memberships m where m.organization_id = (member).organization_id)
        -- Whoever accepted, in this transaction, an invitation that offers exactly this.
        or exists (
            select from public.invitations i
            where i.organization_id = (member).organization_id
                and i.accepted_by = (member).user_id and i.accepted_at = now()
                and i.role = (member).role and (member).status = 'active'
                and i.permissions = (member).permissions
                and i.can_view_all_leads = (member).can_view_all_leads
                and i.can_edit_lessons = (member).can_edit_lessons
                and i.can_push_to_n8n = (member).can_push_to_n8n
                and i.can_manage_users = (member).can_manage_users
                and i.allowed_dataset_ids is not distinct from (member).allowed_dataset_ids
                and i.membership_expires_at is not distinct from (member).expires_at
        );
end;
comment on function private.may_become_member(public.memberships) is
    'For private.guard_member: whether a user may make this membership of their own, as founder of an organization made in this transaction or by an invitation accepted in it.';

create function private.same_rights(member_before public.memberships, member_after public.memberships) returns boolean
    language sql volatile
    set search_path = ''
begin atomic
    select (
            (member_before).role, (member_before).status, (member_before).permissions,
            (member_before).can_view_all_leads, (member_before).can_edit_lessons, (member_before).can_push_to_n8n,
            (member_before).can_manage_users, (member_before).expires_at
        ) is not distinct from (
            (member_after).role, (member_after).status, (member_after).permissions,
            (member_after).can_view_all_leads, (member_after).can_edit_lessons, (member_after).can_push_to_n8n,
            (member_after).can_manage_users, (member_after).expires_at
        )
        and (
            (member_before).allowed_dataset_ids is not distinct from (member_after).allowed_dataset_ids
            or (member_after).allowed_dataset_ids <@ (member_before).allowed_dataset_ids
            and private.datasets_are_deleted(
                (member_before).organization_id,
                array(
                    select d from unnest((member_before).allowed_dataset_ids) as d
                    where d <> all ((member_after).allowed_dataset_ids)
                )
            )
        );
end;
comment on function private.same_rights(public.memberships, public.memberships) is
    'For private.guard_member: whether an update leaves the rights as they are, dataset scopes that lose a deleted dataset included.';

-- sql/schema/tenancy/sign_up.sql

-- What follows Supabase Auth: a new user's profile, a changed e-mail address. Nothing here blocks a sign-up.

create function private.handle_new_user() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
    set lock_timeout = '500ms'
as $$
declare
    failed_state text;
    failed_message text;
begin
    begin
        insert into public.profiles (id, full_name, first_name, last_name, email)
        values (
            new.id,
            left(new.raw_user_meta_data ->> 'full_name', 200),
            left(new.raw_user_meta_data ->> 'first_name', 100),
            left(new.raw_user_meta_data ->> 'last_name', 100),
            new.email
        )
        on conflict (id) do nothing;
    exception
        when others then
            get stacked diagnostics
                failed_state = returned_sqlstate,
                failed_message = message_text;
            insert into private.profile_failures (user_id, sqlstate, message)
            values (new.id, failed_state, failed_message);
    end;
    return new;
exception
    when others then
        raise warning 'profile of user % not made and the failure not recorded: %', new.id, sqlstate;
        return new;
end;
$$;
comment on function private.handle_new_user() is
    'AFTER INSERT trigger on auth.users: makes the profile. Never blocks a sign-up: an error, or a lock that does not come within half a second, becomes a row of private.profile_failures, and if even that fails a warning. Raises nothing.';

create function private.copy_email() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
    set lock_timeout = '500ms'
as $$
declare
    failed_state text;
    failed_message text;
begin
    begin
        update public.profiles set email = new.email where id = new.id;
    exception
        when others then
            get stacked diagnostics
                failed_state = returned_sqlstate,
                failed_message = message_text;
            insert into private.profile_failures (user_id, sqlstate, message)
            values (new.id, failed_state, failed_message);
    end;
    return new;
exception
    when others then
        raise warning 'e-mail address of user % not copied and the failure not recorded: %', new.id, sqlstate;
        return new;
end;
$$;
comment on function private.copy_email() is
    'AFTER UPDATE trigger on auth.users: profiles.email follows. Never blocks Supabase Auth; a failure is kept like one of handle_new_user. Raises nothing.';

create function private.attach_auth() returns boolean
    language plpgsql volatile
    set search_path = ''
as $$
begin
    create or replace trigger on_auth_user_created
        after insert on auth.users
        for each row execute function private.handle_new_user();
    create or replace trigger on_auth_user_email_changed
        after update of email on auth.users
        for each row when (new.email is distinct from old.email) execute function private.copy_email();
    create or replace trigger on_auth_user_deleted
        before delete on auth.users
        for each row execute function private.lock_owned_organizations();
    return true;
end;
$$;
comment on function private.attach_auth() is
    'For migrations and the database owner. Makes the triggers on auth.users by which profiles follow and owners go one at a time. Safe to run again; private.backfill_profiles() makes up for the time without them.';

select private.attach_auth();

create function private.backfill_profiles() returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    made integer;
    corrected integer;
begin
    insert into public.profiles (id, full_name, first_name, last_name, email)
    select u.id, left(u.raw_user_meta_data ->> 'full_name', 200), left(u.raw_user_meta_data ->> 'first_name', 100),
        left(u.raw_user_meta_data ->> 'last_name', 100), u.email
    from auth.users u
    where not exists (select from public.profiles p where p.id = u.id)
    on conflict (id) do nothing;
    get diagnostics made = row_count;

    update public.profiles p
    set email = u.email
    from auth.users u
    where u.id = p.id and u.email is distinct from p.email;
    get diagnostics corrected = row_count;

    delete from private.profile_failures f
    where exists (select from public.profiles p where p.id = f.user_id)
        or not exists (select from auth.users u where u.id = f.user_id);
    return made + corrected;
end;
$$;
comment on function private.backfill_profiles() is
    'For the database owner: makes every missing profile, corrects every e-mail address that differs, clears repaired or outdated rows of private.profile_failures; returns how many profiles were made or corrected.';

-- sql/schema/tenancy/person.sql

-- The person behind a request, as Supabase Auth knows them now. A token is older, and need not say that its user is
-- anonymous.

create function private.require_person(out id uuid, out email text, out email_confirmed_at timestamptz)
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_is_anonymous boolean;
begin
    id := switchboard.require_user_id();
    select u.email, u.email_confirmed_at, u.is_anonymous
        into email, email_confirmed_at, v_is_anonymous
        from auth.users u where u.id = require_person.id;
    if not found then
        raise exception using
            errcode = 'PT401',
            message = 'unknown_user',
            detail = 'The user of this token does not exist.',
            hint = 'Sign in again.';
    end if;
    -- Whoever has just become a person signs in again: the token still says otherwise.
    if v_is_anonymous is distinct from false or coalesce(auth.jwt() ->> 'is_anonymous', 'false') <> 'false' then
        raise exception using
            errcode = 'PT403',
            message = 'anonymous_user',
            detail = 'An anonymous user belongs to no organization.',
            hint = 'Sign in with an e-mail address or a provider first.';
    end if;
end;
$$;
comment on function private.require_person() is
    'The signed-in user, for RPC bodies by which somebody becomes a member: no anonymous one, as auth.users or the token says. For definer functions: it reads auth.users. Raises PT401 (no identity, unknown_user), PT403 anonymous_user.';

-- sql/schema/tenancy/organization_rpcs.sql

-- RPCs by which an organization is made, paused, cancelled and deleted.

create function private.create_organization(
    p_name text,
    p_slug text,
    p_default_country text,
    p_timezone text
) returns public.organizations
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- Far above what a person needs, far below what hurts.
    max_owned constant integer := 20;
    v_uid uuid := (private.require_person()).id;
    v_name text := btrim(p_name);
    v_slug text := lower(btrim(p_slug));
    v_row public.organizations;
begin
    if v_name is null or v_name = '' or length(v_name) > 200 then
        raise exception using
            errcode = '22023',
            message = 'name must have 1 to 200 characters';
    end if;
    if v_slug is not null and v_slug !~ '^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$' then
        raise exception using
            errcode = '22023',
            message = 'slug must have 3 to 63 characters a-z, 0-9 and hyphen, and begin and end without a hyphen';
    end if;
    if p_default_country is null
        or p_default_country !~ '^[A-Z]{2}$'
        or switchboard.calling_code(p_default_country) is null
    then
        raise exception using
            errcode = '22023',
            message = 'default_country must be a two-letter country code such as GB';
    end if;
    if p_timezone is null or not private.is_time_zone(p_timezone) then
        raise exception using
            errcode = '22023',
            message = 'timezone must be a name of the tz database such as Europe/London, or UTC';
    end if;

    perform pg_advisory_xact_lock(hashtextextended('create_organization ' || v_uid, 0));
    if (
        select count(*) from public.memberships m
        where m.user_id = v_uid and m.role = 'owner'
    ) >= max_owned then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_organizations',
            detail = format('One user can own at most %s organizations.', max_owned);
    end if;

    if v_slug is null then
        v_slug := trim('-' from left(regexp_replace(lower(v_name), '[^a-z0-9]+', '-', 'g'), 50));
        if length(v_slug) < 3 or exists (select from public.organizations o where o.slug = v_slug) then
            v_slug := trim('-' from v_slug || '-' || left(replace(gen_random_uuid()::text, '-', ''), 8));
        end if;
    end if;

    begin
        insert into public.organizations (name, slug, default_country, timezone)
        values (v_name, v_slug, p_default_country, p_timezone)
        returning * into v_row;
    exception
        when unique_violation then
            raise exception using
                errcode = 'PT409',
                message = 'slug_taken',
                detail = format('The slug %s is taken.', v_slug),
                hint = 'Choose another slug.';
    end;
    insert into public.memberships (organization_id, user_id, role)
    values (v_row.id, v_uid, 'owner');
    return v_row;
end;
$$;
comment on function private.create_organization(text, text, text, text) is
    'Body of public.create_organization; see there.';

create function public.create_organization(
    name text,
    slug text default null,
    default_country text default 'GB',
    timezone text default 'Europe/London'
) returns public.organizations
    language sql volatile
    set search_path = ''
begin atomic
    select private.create_organization(name, slug, default_country, timezone);
end;
comment on function public.create_organization(text, text, text, text) is
    'Makes an organization with the caller as its owner and returns its row. slug: 3 to 63 of a-z, 0-9, hyphen; made from the name when absent. default_country: two-letter code; timezone: tz database name. Raises PT401 (no identity, unknown_user), PT403 anonymous_user, 22023 (name, slug, default_country, timezone), PT409 slug_taken, PT429 too_many_organizations.';
grant execute on function private.create_organization(text, text, text, text) to authenticated;
grant execute on function public.create_organization(text, text, text, text) to authenticated;

create function private.require_owner() returns uuid
    language plpgsql stable
    set search_path = ''
as $$
declare
    -- The organization.read that an owner holds in every status: a paused or cancelled organization masks the rest.
    v_org uuid := switchboard.require_organization('organization.read');
    v_uid uuid := switchboard.require_user_id();
begin
    if not exists (
        select from public.memberships m
        where m.organization_id = v_org and m.user_id = v_uid
            and m.role = 'owner' and m.status = 'active'
    ) then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'Only an owner may do this.',
            hint = 'whoami() says which role you have.';
    end if;
    return v_org;
end;
$$;
comment on function private.require_owner() is
    'The current organization, of which the caller is an active owner, in whatever status it is. Reads the membership, because a capability such as organization.delete is masked while the organization is paused or cancelled. Raises PT401, PT400, PT403.';

create function private.set_organization_status(p_status text) returns public.organizations
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_service boolean := coalesce(switchboard.request_role() = 'service_role', false);
    v_org uuid := case when v_service then switchboard.require_organization('organization.write') else private.require_owner() end;
    v_row public.organizations;
begin
    if p_status is null or p_status not in ('active', 'paused', 'cancelled') then
        raise exception using errcode = '22023', message = 'status must be one of active, paused, cancelled';
    end if;
    select * into v_row from public.organizations o where o.id = v_org for no key update;
    if v_row.status = 'cancelled' and p_status <> 'cancelled' and not v_service then
        raise exception using
            errcode = 'PT409',
            message = 'organization_cancelled',
            detail = 'A cancelled organization is not resumed by its owner.',
            hint = 'Ask support.';
    end if;
    update public.organizations o set status = p_status where o.id = v_org and o.status <> p_status returning * into v_row;
    if not found then
        select * into v_row from public.organizations o where o.id = v_org;
    end if;
    return v_row;
end;
$$;
comment on function private.set_organization_status(text) is
    'Body of public.set_organization_status; see there. Definer, because status is granted to nobody.';

create function public.set_organization_status(status text) returns public.organizations
    language sql volatile
    set search_path = ''
begin atomic
    select private.set_organization_status(status);
end;
comment on function public.set_organization_status(text) is
    'An owner pauses (paused), resumes (active) or cancels (cancelled) the current organization; returns its row. It works while the organization is paused, although that masks every capability to write. Out of cancelled only the service role leads, with the organization in the header x-organization-id. Raises PT401, PT400, PT403 (not an owner), 22023 (status), PT409 organization_cancelled.';
grant execute on function private.set_organization_status(text) to authenticated, service_role;
grant execute on function public.set_organization_status(text) to authenticated, service_role;

create function private.delete_organization(p_confirm_slug text) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := private.require_owner();
    v_row public.organizations;
begin
    perform switchboard.require_user_id();
    select * into v_row from public.organizations o where o.id = v_org for update;
    if p_confirm_slug is distinct from v_row.slug then
        raise exception using
            errcode = '22023',
            message = 'confirm_slug must be the slug of the organization',
            hint = 'Deleting removes every row of the organization; ask the person to type its slug.';
    end if;
    if v_row.status <> 'cancelled' then
        raise exception using
            errcode = 'PT409',
            message = 'organization_not_cancelled',
            detail = 'Only a cancelled organization can be deleted.',
            hint = 'Call set_organization_status(''cancelled'') first.';
    end if;
    delete from public.organizations o where o.id = v_org;
end;
$$;
comment on function private.delete_organization(text) is
    'Body of public.delete_organization; see there. Definer, because no API role deletes organizations.';

create function public.delete_organization(confirm_slug text) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.delete_organization(confirm_slug);
end;
comment on function public.delete_organization(text) is
    'An owner deletes the current organization, which must be cancelled, with everything in it. confirm_slug: its slug, typed by a person. It asks for the owner''s role and not for organization.delete, which a cancelled organization masks. Raises PT401, PT400, PT403 (not an owner), 22023 (confirm_slug), PT409 organization_not_cancelled.';
grant execute on function private.delete_organization(text) to authenticated;
grant execute on function public.delete_organization(text) to authenticated;

-- sql/schema/tenancy/current_organization.sql

-- RPCs about the caller: who they are, which organizations are theirs, which one they work for.

create function public.whoami() returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.request_context();
end;
comment on function public.whoami() is
    'Who the caller is for the database: user_id, organization_id, role, capabilities, which source named the organization, the reason when there is none, and the caller''s organizations. Raises nothing.';
grant execute on function public.whoami() to authenticated;

create function private.switch_organization(p_organization_id uuid) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    if p_organization_id is not null and not exists (
        select from public.memberships m
        where m.organization_id = p_organization_id and m.user_id = v_uid
            and p_organization_id = any (switchboard.organization_ids())
    ) then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'You are not an active member of this organization.',
            hint = 'my_organizations() lists yours.';
    end if;
    insert into public.profiles (id, default_organization_id)
    select u.id, p_organization_id from auth.users u where u.id = v_uid
    on conflict (id) do update set default_organization_id = excluded.default_organization_id;
    return switchboard.request_context();
end;
$$;
comment on function private.switch_organization(uuid) is
    'Body of public.switch_organization; see there. Definer, because the column is granted to nobody.';

create function public.switch_organization(organization_id uuid) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.switch_organization(organization_id);
end;
comment on function public.switch_organization(uuid) is
    'Sets the organization that the caller works for when a request names none by header or claim; null clears it. Returns what whoami() now says, for a request like this one: a header or a claim that names another organization still decides, so refresh the token. Raises PT401, PT403 forbidden (also for an organization that does not exist).';
grant execute on function private.switch_organization(uuid) to authenticated;
grant execute on function public.switch_organization(uuid) to authenticated;

create function private.my_organizations() returns table (
    organization_id uuid,
    name text,
    slug text,
    organization_status text,
    role text,
    status text,
    expires_at timestamptz,
    is_current boolean,
    reason text
)
    language plpgsql stable security definer
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_uid uuid := switchboard.require_user_id();
    v_current uuid := switchboard.current_organization_id();
begin
    return query
        select m.organization_id, o.name, o.slug, o.status, m.role, m.status, m.expires_at,
            coalesce(m.organization_id = v_current, false),
            case
                when m.status <> 'active' then m.status
                when m.expires_at <= now() then 'expired'
                when o.status = 'cancelled' and m.role not in ('owner', 'admin') then 'organization_cancelled'
            end
        from public.memberships m
        join public.organizations o on o.id = m.organization_id
        where m.user_id = v_uid
        order by o.name, m.organization_id;
end;
$$;
comment on function private.my_organizations() is
    'Body of public.my_organizations; see there. Definer, because an organization in which one is suspended is not readable.';

create function public.my_organizations() returns table (
    organization_id uuid,
    name text,
    slug text,
    organization_status text,
    role text,
    status text,
    expires_at timestamptz,
    is_current boolean,
    reason text
)
    language sql stable
    set search_path = ''
begin atomic
    select * from private.my_organizations();
end;
comment on function public.my_organizations() is
    'The caller''s memberships, by organization name, those that give nothing included; reason says why: invited, suspended, expired, organization_cancelled, or NULL. is_current: the one that this request works for. Raises PT401.';
grant execute on function private.my_organizations() to authenticated;
grant execute on function public.my_organizations() to authenticated;

-- sql/schema/tenancy/invite_member.sql

-- RPCs by which a member invites somebody and takes it back.

create function private.offered_membership(invitation public.invitations, member uuid) returns public.memberships
    language sql stable
    set search_path = ''
begin atomic
    select jsonb_populate_record(null::public.memberships, jsonb_build_object(
        'organization_id', (invitation).organization_id,
        'user_id', member,
        'role', (invitation).role,
        'status', 'active',
        'permissions', (invitation).permissions,
        'can_view_all_leads', (invitation).can_view_all_leads,
        'can_edit_lessons', (invitation).can_edit_lessons,
        'can_push_to_n8n', (invitation).can_push_to_n8n,
        'can_manage_users', (invitation).can_manage_users,
        'allowed_dataset_ids', (invitation).allowed_dataset_ids,
        'expires_at', (invitation).membership_expires_at
    ));
end;
comment on function private.offered_membership(public.invitations, uuid) is
    'The membership that a user gets by an invitation; columns without a part in it are NULL.';

create function private.invite_member(
    p_email text,
    p_role text,
    p_permissions jsonb,
    p_can_view_all_leads boolean,
    p_can_edit_lessons boolean,
    p_can_push_to_n8n boolean,
    p_can_manage_users boolean,
    p_allowed_dataset_ids uuid[],
    p_membership_expires_at timestamptz,
    p_expires_in interval
) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- More than a team needs at once, and a bound on mails that a stolen session can cause.
    max_open constant integer := 100;
    v_org uuid := switchboard.require_organization('members.write');
    v_uid uuid := switchboard.require_user_id();
    v_email text := private.email_key(p_email);
    -- A month counts as 30 days, whatever today's date and the session's time zone.
    v_expires_at timestamptz := now() + make_interval(secs => extract(epoch from p_expires_in));
    -- 2 × 122 random bits from the server's strong random source.
    v_token text := encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'hex');
    v_open public.invitations;
    v_row public.invitations;
begin
    if v_email is null or not private.is_email(v_email) then
        raise exception using errcode = '22023', message = 'email must be an e-mail address';
    end if;
    if private.role_rank(p_role) is null then
        raise exception using
            errcode = '22023',
            message = 'role must be one of owner, admin, manager, sales_rep, viewer';
    end if;
    if p_permissions is null or jsonb_typeof(p_permissions) <> 'object' then
        raise exception using errcode = '22023', message = 'permissions must be a JSON object';
    end if;
    if p_can_view_all_leads is null or p_can_edit_lessons is null or p_can_push_to_n8n is null or p_can_manage_users is null then
        raise exception using errcode = '22023', message = 'can_* must be true or false';
    end if;
    if p_role = 'owner'
        and (p_permissions <> '{}' or p_allowed_dataset_ids is not null or p_membership_expires_at is not null)
    then
        raise exception using
            errcode = '22023',
            message = 'an owner has all capabilities, all datasets and no end: leave out permissions, allowed_dataset_ids and membership_expires_at';
    end if;
    if p_membership_expires_at <= now() then
        raise exception using errcode = '22023', message = 'membership_expires_at must be in the future';
    end if;
    if v_expires_at is null or v_expires_at < now() + interval '1 minute' or v_expires_at > now() + interval '720 hours' then
        raise exception using errcode = '22023', message = 'expires_in must be from 1 minute to 30 days';
    end if;

    -- Invitations of an organization are written one at a time: the bound holds, and two for one address do not collide.
    perform from public.organizations o where o.id = v_org for no key update;
    if exists (
        select from public.memberships m
        join auth.users u on u.id = m.user_id
        where m.organization_id = v_org and private.email_key(u.email) = v_email
    ) then
        raise exception using
            errcode = 'PT409',
            message = 'already_member',
            detail = 'The organization has a member with this e-mail address.',
            hint = 'Use change_member, also for a member who is suspended or whose membership has expired.';
    end if;

    select * into v_open
    from public.invitations i
    where i.organization_id = v_org and i.email = v_email and i.accepted_at is null and i.revoked_at is null
    for update;
    if found then
        -- An invitation that says more than the caller may give is not the caller's to replace, unless it is void.
        if v_open.expires_at > now() then
            perform private.raise_member_refusal(
                private.member_refusal(v_uid, null, private.offered_membership(v_open, null)), 'PT403');
        end if;
        delete from public.invitations i where i.organization_id = v_org and i.id = v_open.id;
    end if;
    if (
        select count(*) from public.invitations i
        where i.organization_id = v_org and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
    ) >= max_open then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_invitations',
            detail = format('An organization can have at most %s open invitations.', max_open),
            hint = 'Revoke some, or wait until they are accepted or expire.';
    end if;

    insert into public.invitations (
        organization_id, email, role, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n,
        can_manage_users, allowed_dataset_ids, membership_expires_at, token_hash, invited_by, expires_at
    ) values (
        v_org, v_email, p_role, p_permissions, p_can_view_all_leads, p_can_edit_lessons, p_can_push_to_n8n,
        p_can_manage_users, p_allowed_dataset_ids, p_membership_expires_at, sha256(convert_to(v_token, 'UTF8')), v_uid,
        v_expires_at
    )
    returning * into v_row;
    perform private.raise_member_refusal(
        private.member_refusal(v_uid, null, private.offered_membership(v_row, null)), 'PT403');
    return jsonb_build_object('invitation_id', v_row.id, 'token', v_token, 'expires_at', v_row.expires_at);
end;
$$;
comment on function private.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval) is
    'Body of public.invite_member; see there. Definer, because invitations are written by RPC only.';

create function public.invite_member(
    email text,
    role text,
    permissions jsonb default '{}',
    can_view_all_leads boolean default false,
    can_edit_lessons boolean default false,
    can_push_to_n8n boolean default false,
    can_manage_users boolean default false,
    allowed_dataset_ids uuid[] default null,
    membership_expires_at timestamptz default null,
    expires_in interval default '7 days'
) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.invite_member(
        email, role, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n, can_manage_users,
        allowed_dataset_ids, membership_expires_at, expires_in
    );
end;
comment on function public.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval) is
    'Invites an e-mail address into the current organization → {invitation_id, token, expires_at}. Raises PT401, PT400, PT403 (members.write; role_too_low, capability_not_held, scope_not_held, outlasts_own_membership), 22023 (email, role, permissions, allowed_dataset_ids, membership_expires_at, expires_in), PT409 already_member, PT429 too_many_invitations.';
grant execute on function private.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval) to authenticated;
grant execute on function public.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval) to authenticated;

create function private.revoke_invitation(p_invitation_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('members.write');
    v_uid uuid := switchboard.require_user_id();
    v_invitation public.invitations;
begin
    select * into v_invitation
    from public.invitations i
    where i.organization_id = v_org and i.id = p_invitation_id and i.accepted_at is null and i.revoked_at is null
    for update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'invitation_not_found',
            detail = 'The organization has no open invitation with this id.';
    end if;
    -- Only the rank counts here: revoking gives nobody anything.
    perform private.raise_member_refusal(
        private.member_refusal(v_uid, private.offered_membership(v_invitation, null), null), 'PT403');
    update public.invitations i
    set revoked_at = now(), revoked_by = v_uid
    where i.organization_id = v_org and i.id = v_invitation.id;
end;
$$;
comment on function private.revoke_invitation(uuid) is
    'Body of public.revoke_invitation; see there. Definer, because invitations are written by RPC only.';

create function public.revoke_invitation(invitation_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.revoke_invitation(invitation_id);
end;
comment on function public.revoke_invitation(uuid) is
    'Ends an open invitation of the current organization; its token is worth nothing from then on. Raises PT401, PT400, PT403 (members.write; role_too_low for an invitation to a role that is not below the caller''s), PT404 invitation_not_found (unknown, accepted or already revoked).';
grant execute on function private.revoke_invitation(uuid) to authenticated;
grant execute on function public.revoke_invitation(uuid) to authenticated;

-- sql/schema/tenancy/accept_invitation.sql

-- The RPC by which somebody becomes a member.

create function private.accept_invitation(p_token text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_user record := private.require_person();
    v_uid uuid := v_user.id;
    v_org uuid;
    v_invitation public.invitations;
    v_offer public.memberships;
    v_member public.memberships;
begin
    if v_user.email is null or v_user.email_confirmed_at is null then
        raise exception using
            errcode = 'PT403',
            message = 'email_not_confirmed',
            detail = 'The e-mail address of this user is not confirmed.',
            hint = 'Confirm it by the mail that was sent at sign-up, then accept again.';
    end if;

    -- The organization first, as everywhere where members are written; then the invitation as it is now.
    select i.organization_id into v_org
    from public.invitations i where i.token_hash = sha256(convert_to(p_token, 'UTF8'));
    perform from public.organizations o where o.id = v_org for no key update;
    select * into v_invitation
    from public.invitations i
    where i.token_hash = sha256(convert_to(p_token, 'UTF8'))
        and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
        and (i.membership_expires_at is null or i.membership_expires_at > now())
    for update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'invitation_not_found',
            detail = 'There is no open invitation with this token.',
            hint = 'Ask for a new one.';
    end if;
    if private.email_key(v_user.email) <> v_invitation.email then
        raise exception using
            errcode = 'PT403',
            message = 'email_mismatch',
            detail = 'The invitation is for another e-mail address.',
            hint = 'Sign in with the address that the invitation was sent to.';
    end if;
    if exists (
        select from public.memberships m
        where m.organization_id = v_invitation.organization_id and m.user_id = v_uid
    ) then
        raise exception using
            errcode = 'PT409',
            message = 'already_member',
            detail = 'You have a membership of this organization.',
            hint = 'my_organizations() says in which status. A suspended or expired one is for somebody there to renew.';
    end if;
    if not exists (
        select from public.organizations o where o.id = v_invitation.organization_id and o.status = 'active'
    ) then
        raise exception using
            errcode = 'PT409',
            message = 'organization_not_active',
            detail = 'The organization is paused or cancelled.',
            hint = 'Accept again when it is active.';
    end if;
    v_offer := private.offered_membership(v_invitation, v_uid);
    if v_invitation.invited_by is null
        or private.member_refusal(v_invitation.invited_by, null, v_offer) is not null
    then
        raise exception using
            errcode = 'PT410',
            message = 'invitation_void',
            detail = 'Whoever sent the invitation could not send it today.',
            hint = 'Ask for a new one.';
    end if;

    update public.invitations i
    set accepted_at = now(), accepted_by = v_uid
    where i.organization_id = v_invitation.organization_id and i.id = v_invitation.id;
    insert into public.memberships (
        organization_id, user_id, role, status, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n,
        can_manage_users, allowed_dataset_ids, expires_at
    ) values (
        v_offer.organization_id, v_uid, v_offer.role, v_offer.status, v_offer.permissions, v_offer.can_view_all_leads,
        v_offer.can_edit_lessons, v_offer.can_push_to_n8n, v_offer.can_manage_users, v_offer.allowed_dataset_ids,
        v_offer.expires_at
    )
    returning * into v_member;
    return to_jsonb(v_member);
end;
$$;
comment on function private.accept_invitation(text) is
    'Body of public.accept_invitation; see there. Definer, because who accepts is no member yet.';

create function public.accept_invitation(token text) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.accept_invitation(token);
end;
comment on function public.accept_invitation(text) is
    'Makes the caller a member by an invitation and returns the membership. Raises PT401 (no identity, unknown_user), PT403 (anonymous_user, email_not_confirmed, email_mismatch), PT404 invitation_not_found (unknown, expired, revoked and used tokens alike), PT409 (already_member, organization_not_active), PT410 invitation_void (who invited has left or may no longer give what it offers).';
grant execute on function private.accept_invitation(text) to authenticated;
grant execute on function public.accept_invitation(text) to authenticated;

-- sql/schema/tenancy/change_member.sql

-- The RPC that changes a member's rights.

create function private.is_future(instant text) returns boolean
    language plpgsql stable strict
    set search_path = ''
as $$
begin
    -- With the zone written out: otherwise the session's would decide.
    return instant ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+ ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$' and instant::timestamptz > now();
exception
    when data_exception then
        return false;
end;
$$;
comment on function private.is_future(text) is
    'Whether the text is an ISO 8601 instant with its offset, later than now. Raises nothing.';

create function private.change_member(p_user_id uuid, p_changes jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('members.write');
    v_uid uuid := switchboard.require_user_id();
    v_key text;
    v_value jsonb;
    v_problem text;
    v_changes jsonb := p_changes;
    v_before public.memberships;
    v_after public.memberships;
begin
    if p_changes is null or jsonb_typeof(p_changes) <> 'object' or p_changes = '{}' then
        raise exception using errcode = '22023', message = 'changes must be a JSON object with at least one change';
    end if;
    if not switchboard.json_is_bounded(p_changes, 65536) then
        raise exception using errcode = '22023', message = 'changes must not exceed 64 kB of JSON text';
    end if;
    for v_key, v_value in select c.key, c.value from jsonb_each(p_changes) as c loop
        v_problem := case
            when v_key = 'role' then
                case when private.role_rank(v_value #>> '{}') is null or jsonb_typeof(v_value) <> 'string'
                    then 'one of owner, admin, manager, sales_rep, viewer' end
            when v_key = 'status' then
                case when v_value not in ('"active"', '"suspended"') then 'active or suspended' end
            when v_key = 'permissions' then
                case when jsonb_typeof(v_value) <> 'object' then 'a JSON object' end
            when v_key in ('can_view_all_leads', 'can_edit_lessons', 'can_push_to_n8n', 'can_manage_users') then
                case when jsonb_typeof(v_value) <> 'boolean' then 'true or false' end
            when v_key = 'allowed_dataset_ids' then
                case
                    when jsonb_typeof(v_value) = 'null' then null
                    when jsonb_typeof(v_value) <> 'array' or exists (
                        select from jsonb_array_elements(
                            case when jsonb_typeof(v_value) = 'array' then v_value else '[]' end
                        ) as e
                        where jsonb_typeof(e) <> 'string'
                            or e #>> '{}' !~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'
                    ) then 'null or an array of dataset ids'
                end
            when v_key = 'expires_at' then
                case
                    when jsonb_typeof(v_value) = 'null' then null
                    when jsonb_typeof(v_value) <> 'string' or not private.is_future(v_value #>> '{}')
                        then 'null or an instant in the future'
                end
            else 'left out: it is unknown or not for changing'
        end;
        if v_problem is not null then
            raise exception using
                errcode = '22023',
                message = format('%s must be %s', left(v_key, 100), v_problem),
                hint = 'changes: role, status, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n, can_manage_users, allowed_dataset_ids, expires_at.';
        end if;
    end loop;
    perform switchboard.assert_permissions(p_changes -> 'permissions');

    v_before := private.lock_member(v_org, p_user_id);
    if p_changes ->> 'role' = 'owner' then
        -- An owner has all of it; what a former role was limited by goes.
        v_changes := '{"permissions": {}, "allowed_dataset_ids": null, "expires_at": null}' || p_changes;
    end if;
    v_after := jsonb_populate_record(v_before, v_changes);
    if v_after.role = 'owner' and (
        v_after.permissions <> '{}' or v_after.allowed_dataset_ids is not null or v_after.expires_at is not null
    ) then
        raise exception using
            errcode = '22023',
            message = 'an owner has all capabilities, all datasets and no end: leave out permissions, allowed_dataset_ids and expires_at';
    end if;
    perform private.assert_known_permissions(v_after.permissions, v_before.permissions);
    perform private.raise_member_refusal(private.member_refusal(v_uid, v_before, v_after), 'PT403');
    update public.memberships m
    set role = v_after.role, status = v_after.status, permissions = v_after.permissions,
        can_view_all_leads = v_after.can_view_all_leads, can_edit_lessons = v_after.can_edit_lessons,
        can_push_to_n8n = v_after.can_push_to_n8n, can_manage_users = v_after.can_manage_users,
        allowed_dataset_ids = v_after.allowed_dataset_ids, expires_at = v_after.expires_at
    where m.organization_id = v_org and m.user_id = p_user_id
    returning * into v_after;
    return to_jsonb(v_after);
end;
$$;
comment on function private.change_member(uuid, jsonb) is
    'Body of public.change_member; see there. Definer, because memberships are written by RPC only.';

create function public.change_member(user_id uuid, changes jsonb) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.change_member(user_id, changes);
end;
comment on function public.change_member(uuid, jsonb) is
    'Changes a member of the current organization and returns the membership. Raises PT401, PT400, PT403 (members.write; own_membership, role_too_low, capability_not_held, scope_not_held, outlasts_own_membership), 22023 (changes, and each key), PT404 member_not_found, PT409 last_owner.';
grant execute on function private.change_member(uuid, jsonb) to authenticated;
grant execute on function public.change_member(uuid, jsonb) to authenticated;

-- sql/schema/tenancy/leave.sql

-- RPCs by which members go and ownership moves.

create function private.remove_member(p_user_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('members.write');
    v_uid uuid := switchboard.require_user_id();
    v_member public.memberships;
begin
    if p_user_id = v_uid then
        perform private.raise_member_refusal('own_membership', 'PT403');
    end if;
    v_member := private.lock_member(v_org, p_user_id);
    perform private.raise_member_refusal(private.member_refusal(v_uid, v_member, null), 'PT403');
    delete from public.memberships m where m.organization_id = v_org and m.user_id = p_user_id;
end;
$$;
comment on function private.remove_member(uuid) is
    'Body of public.remove_member; see there. Definer, because memberships are written by RPC only.';

create function public.remove_member(user_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.remove_member(user_id);
end;
comment on function public.remove_member(uuid) is
    'Ends somebody''s membership of the current organization, from their next statement; their leads are left without assignee. Raises PT401, PT400, PT403 (members.write; own_membership, role_too_low), PT404 member_not_found.';
grant execute on function private.remove_member(uuid) to authenticated;
grant execute on function public.remove_member(uuid) to authenticated;

create function private.leave_organization(p_organization_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    -- Only a member locks it: a stranger finds the same nothing for an organization that exists and one that does not.
    perform from public.organizations o
        where o.id = p_organization_id and exists (
            select from public.memberships m where m.organization_id = o.id and m.user_id = v_uid
        )
        for no key update;
    delete from public.memberships m where m.organization_id = p_organization_id and m.user_id = v_uid;
    if not found then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'You are not a member of this organization.',
            hint = 'my_organizations() lists yours.';
    end if;
end;
$$;
comment on function private.leave_organization(uuid) is
    'Body of public.leave_organization; see there. Definer, because memberships are written by RPC only.';

create function public.leave_organization(organization_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.leave_organization(organization_id);
end;
comment on function public.leave_organization(uuid) is
    'Ends the caller''s own membership, whatever its status and the organization''s. The organization is named, because leaving the wrong one cannot be undone. Raises PT401, PT403 forbidden (not a member, or no such organization), PT409 last_owner.';
grant execute on function private.leave_organization(uuid) to authenticated;
grant execute on function public.leave_organization(uuid) to authenticated;

create function private.transfer_ownership(p_user_id uuid) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('organization.transfer');
    v_uid uuid := switchboard.require_user_id();
    v_heir public.memberships;
begin
    if p_user_id = v_uid then
        raise exception using errcode = '22023', message = 'user_id must be another member''s';
    end if;
    perform from public.organizations o where o.id = v_org for no key update;
    -- The heir first: at no moment is there no owner, and only an owner makes one.
    update public.memberships m
    set role = 'owner', permissions = '{}', allowed_dataset_ids = null, expires_at = null
    where m.organization_id = v_org and m.user_id = p_user_id
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    returning * into v_heir;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'member_not_found',
            detail = 'The organization has no active member with this user id.';
    end if;
    update public.memberships m set role = 'admin' where m.organization_id = v_org and m.user_id = v_uid;
    return to_jsonb(v_heir);
end;
$$;
comment on function private.transfer_ownership(uuid) is
    'Body of public.transfer_ownership; see there. Definer, because memberships are written by RPC only.';

create function public.transfer_ownership(user_id uuid) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.transfer_ownership(user_id);
end;
comment on function public.transfer_ownership(uuid) is
    'Makes an active member of the current organization an owner and the caller, an owner, an admin; returns the new owner''s membership. Raises PT401, PT400, PT403 (organization.transfer), 22023 (user_id is the caller''s own), PT404 member_not_found.';
grant execute on function private.transfer_ownership(uuid) to authenticated;
grant execute on function public.transfer_ownership(uuid) to authenticated;

-- sql/schema/tenancy/usage.sql

-- RPCs about plan and use.

create function private.usage() returns jsonb
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('organization.read');
    v_limits jsonb := private.quota_limits(v_org);
begin
    return jsonb_build_object(
        'plan', (select o.plan from public.organizations o where o.id = v_org),
        'limits', v_limits,
        'used', (select jsonb_object_agg(k, private.quota_used(v_org, k)) from jsonb_object_keys(v_limits) as k)
    );
end;
$$;
comment on function private.usage() is 'Body of public.usage; see there.';

create function public.usage() returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select private.usage();
end;
comment on function public.usage() is
    'The organization''s plan, its limits and what of them is used: {plan, limits: {members, agents, phone_numbers, datasets, leads, concurrent_calls}, used: {the same}}; a limit of null is none. members counts open invitations. Raises PT401, PT400, PT403 (organization.read).';
grant execute on function private.usage() to authenticated;
grant execute on function public.usage() to authenticated;

create function private.change_plan(p_organization_id uuid, p_plan text) returns public.organizations
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- Another name of the same plan.
    v_plan text := case lower(btrim(p_plan)) when 'pro' then 'professional' else lower(btrim(p_plan)) end;
    v_row public.organizations;
begin
    if v_plan is null or not exists (select from public.plans p where p.name = v_plan) then
        raise exception using
            errcode = '22023',
            message = 'plan must be the name of a plan',
            hint = format('There are: %s.', (select string_agg(p.name, ', ' order by p.name) from public.plans p));
    end if;
    update public.organizations o
        set plan = v_plan
        where o.id = p_organization_id
        returning * into v_row;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'organization_not_found',
            detail = 'There is no organization with this id.';
    end if;
    return v_row;
end;
$$;
comment on function private.change_plan(uuid, text) is 'Body of public.change_plan; see there.';

create function public.change_plan(organization_id uuid, plan text) returns public.organizations
    language sql volatile
    set search_path = ''
begin atomic
    select private.change_plan(organization_id, plan);
end;
comment on function public.change_plan(uuid, text) is
    'Puts an organization on a plan and returns its row; service_role only, for billing code. pro is taken for professional. Takes effect at once; what is over a lower limit stays, and new rows are refused. Written to the audit log. Raises 22023 (plan), PT404 organization_not_found.';
grant execute on function private.change_plan(uuid, text) to service_role;
grant execute on function public.change_plan(uuid, text) to service_role;

-- sql/schema/credentials/root_keys.sql

-- Root keys: id and check value of what this database is sealed with. Native code reads and writes this table,
-- tenant_keys and unseal_audit as their owner (switchboard.schema_contract). The keys in them are wrapped: none opens
-- anything without the server's key file.

create table private.root_keys (
    kid text not null primary key
        constraint root_keys_kid_check check (btrim(kid) <> ''),
    kcv bytea not null
        constraint root_keys_kcv_check check (octet_length(kcv) between 4 and 32),
    created_at timestamptz not null default now()
);
comment on table private.root_keys is
    'Root keys this database was sealed with: id and check value, never the key. A loaded key with the same id and another check value is refused instead of used.';

select private.add_deny_policy('private.root_keys');

-- sql/schema/credentials/tenant_keys.sql

-- Tenant keys: one data key for each organization and version. Native code reads and writes them.

create table private.tenant_keys (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    version integer not null
        constraint tenant_keys_version_check check (version > 0),
    root_kid text not null references private.root_keys (kid),
    wrap_salt bytea,
    wrapped_key bytea,
    created_at timestamptz not null default now(),
    shredded_at timestamptz,
    primary key (organization_id, version),
    constraint tenant_keys_shredded_check check (
        (shredded_at is null and wrap_salt is not null and wrapped_key is not null)
        or (shredded_at is not null and wrapped_key is null)
    )
);
comment on table private.tenant_keys is
    'One data key per organization and version, wrapped by a root key. Shredding a tenant removes the wrapped key and leaves the date.';

create index tenant_keys_root_kid_idx on private.tenant_keys (root_kid);
comment on index private.tenant_keys_root_kid_idx is
    'Foreign key to root_keys; tenants still wrapped by a root key that is to be retired.';

select private.add_deny_policy('private.tenant_keys');

-- sql/schema/credentials/unseal_audit.sql

-- Who opened what. Native code writes here.

create table private.unseal_audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    outer_role text not null,
    user_id uuid,
    organization_id uuid,
    row_id text,
    purpose text,
    reason text,
    result text not null
);
comment on table private.unseal_audit is
    'Every attempt to open a sealed value: who, for which row, why, with which result. No foreign keys: the record outlives what it speaks of.';

create index unseal_audit_organization_id_idx on private.unseal_audit (organization_id, at desc);
comment on index private.unseal_audit_organization_id_idx is
    'Who opened credentials of this organization, newest first.';

select private.add_deny_policy('private.unseal_audit');

-- sql/schema/credentials/provider_accounts.sql

-- Provider accounts, whose secrets are sealed before they reach the table.

create table public.provider_accounts (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    provider text not null
        constraint provider_accounts_provider_check check (private.is_provider(provider)),
    label text
        constraint provider_accounts_label_check check (length(label) <= 200),
    account_ref text not null
        constraint provider_accounts_account_ref_check
        check (btrim(account_ref) <> '' and length(account_ref) <= 200),
    -- Raises instead of returning false, because the detail of a failed CHECK prints the row; named to
    -- be the first CHECK that is evaluated, because any other one that fails would print it too.
    credentials jsonb
        constraint aa_credentials_sealed check (switchboard.assert_sealed(credentials)),
    credentials_hint jsonb generated always as (switchboard.credential_hint(credentials)) stored,
    status text not null default 'active'
        constraint provider_accounts_status_check check (status in ('active', 'inactive', 'error')),
    failure_count integer not null default 0
        constraint provider_accounts_failure_count_check check (failure_count >= 0),
    last_verified_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint provider_accounts_account_ref_key unique (organization_id, provider, account_ref)
);
comment on table public.provider_accounts is
    'An account at a telephony provider; many numbers share it. Name the columns in a select: credentials is not readable, so * is refused.';
comment on column public.provider_accounts.account_ref is
    'The provider''s public name of the account, e.g. a Twilio account SID. Not a secret.';
comment on column public.provider_accounts.credentials is
    'Write as plain JSON ({"accountSid": …, "authToken": …}); a trigger seals it before it is stored. Not readable; opened only by provider_credentials.';
comment on column public.provider_accounts.credentials_hint is
    'What may be shown of the credentials: which are set, and the last four characters of an account id.';
comment on index public.provider_accounts_account_ref_key is
    'One row per provider account in an organization.';
create index provider_accounts_created_at_idx on public.provider_accounts (organization_id, created_at desc, id);
comment on index public.provider_accounts_created_at_idx is 'List of an organization''s provider accounts, newest first.';
create index provider_accounts_id_idx on public.provider_accounts (id);
comment on index public.provider_accounts_id_idx is
    'provider_credentials: account by id alone, on the call path where no organization is asked for.';

-- BEFORE triggers fire in the order of their names: nothing may see or copy the clear text first. No
-- "update of", which would miss a change made by another trigger. ALWAYS, because
-- session_replication_role = replica skips an ordinary trigger.
create trigger aa_seal_credentials
    before insert or update on public.provider_accounts
    for each row execute function switchboard.seal_column(
        'credentials', 'organization_id', 'id', 'provider_accounts.credentials'
    );

alter table public.provider_accounts enable always trigger aa_seal_credentials;

select private.add_row_triggers('public.provider_accounts');
select private.add_tenant_policies('public.provider_accounts', 'provider_accounts');
select private.add_audit('public.provider_accounts', '{credentials}', '{failure_count,last_verified_at}');

grant select (
    organization_id, id, provider, label, account_ref, credentials_hint, status, failure_count,
    last_verified_at, created_at, updated_at
) on public.provider_accounts to authenticated;
grant insert (organization_id, provider, label, account_ref, credentials, status)
    on public.provider_accounts to authenticated;
grant update (label, account_ref, credentials, status) on public.provider_accounts to authenticated;
grant delete on public.provider_accounts to authenticated;
grant select, insert, update, delete on public.provider_accounts to service_role;

-- sql/schema/credentials/provider_credentials.sql

-- The RPC by which server code opens a provider account's credentials.

create function public.provider_credentials(provider_account_id uuid, reason text) returns jsonb
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_row record;
    v_matches integer;
begin
    if reason is null or btrim(reason) = '' then
        raise exception using
            errcode = '22023',
            message = 'reason must say why the credentials are opened';
    end if;

    -- An id is unique within an organization only; a second match would be somebody's mistake, and
    -- guessing between two tenants is not an option.
    select count(*) over () as matches, a.organization_id, a.id, a.credentials
        into v_row
        from public.provider_accounts a
        where a.id = provider_credentials.provider_account_id
        limit 1;
    v_matches := coalesce(v_row.matches, 0);
    if v_matches = 0 or v_row.credentials is null then
        raise exception using
            errcode = 'PT404',
            message = 'credentials_not_found',
            detail = 'There is no such provider account, or it has no credentials.';
    end if;
    if v_matches > 1 then
        raise exception using
            errcode = 'PT409',
            message = 'ambiguous_provider_account',
            detail = 'More than one organization has a provider account with this id.';
    end if;

    return switchboard.unseal(
        v_row.credentials,
        v_row.organization_id,
        v_row.id::text,
        'provider_accounts.credentials',
        provider_credentials.reason
    );
end;
$$;
comment on function public.provider_credentials(uuid, text) is
    'The opened credentials of a provider account, for server code. service_role only; reason goes into private.unseal_audit. Call by POST: the audit row needs a read-write transaction. Raises 22023 (no reason), PT404 credentials_not_found, PT409 ambiguous_provider_account, 42501 (role), 55000 (no key or wrong key), 54000 (too many).';
grant execute on function public.provider_credentials(uuid, text) to service_role;

-- sql/schema/agents/agents.sql

-- Agents: who answers. One row drives every channel; phone numbers, prompts and calls point to it.

create table public.agents (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    name text not null
        constraint agents_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text
        constraint agents_description_check check (length(description) <= 2000),
    greeting text
        constraint agents_greeting_check check (length(greeting) <= 2000),
    personality text
        constraint agents_personality_check check (length(personality) <= 10000),
    tone text
        constraint agents_tone_check check (length(tone) <= 200),
    voice_id text
        constraint agents_voice_id_check check (length(voice_id) <= 200),
    llm_config jsonb not null default '{}'
        constraint agents_llm_config_check
        check (jsonb_typeof(llm_config) = 'object' and switchboard.json_is_bounded(llm_config, 16384)),
    is_active boolean not null default true,
    prompt_version_id uuid,
    created_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id)
);
comment on table public.agents is
    'An AI agent of an organization.';
comment on column public.agents.personality is 'Who the agent is, in free text.';
comment on column public.agents.tone is 'How it speaks, in a word or two.';
comment on column public.agents.voice_id is
    'The speech provider''s id of the voice; NULL until the agent takes calls.';
comment on column public.agents.llm_config is 'Settings of the language model, as the worker reads them.';
comment on column public.agents.is_active is
    'An inactive agent takes no calls; routing goes on to the organization''s default agent.';
comment on column public.agents.prompt_version_id is 'The published prompt that the agent speaks by.';

create index agents_created_at_idx on public.agents (organization_id, created_at desc, id);
comment on index public.agents_created_at_idx is 'List of an organization''s agents, newest first.';
create index agents_created_by_idx on public.agents (created_by);
comment on index public.agents_created_by_idx is 'Foreign key to auth.users.';
create index agents_prompt_version_id_idx on public.agents (organization_id, prompt_version_id);
comment on index public.agents_prompt_version_id_idx is
    'Foreign key to prompt_versions; agents that use a version.';

select private.add_row_triggers('public.agents');
select private.add_tenant_policies('public.agents', 'agents');
select private.add_audit('public.agents');
select private.add_quota('public.agents', 'agents');
select private.add_broadcast('public.agents', 'agents.read');

grant select, delete on public.agents to authenticated;
grant insert (
    organization_id, name, description, greeting, personality, tone, voice_id, llm_config, is_active, prompt_version_id
) on public.agents to authenticated;
grant update (
    name, description, greeting, personality, tone, voice_id, llm_config, is_active, prompt_version_id
) on public.agents to authenticated;
grant select, insert, update, delete on public.agents to service_role;

-- sql/schema/agents/phone_numbers.sql

-- Phone numbers of an organization: stored in E.164, as typed beside it. One active owner per number in the whole
-- installation, because a call has to arrive somewhere.

create table public.phone_numbers (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    provider_account_id uuid,
    provider text not null
        constraint phone_numbers_provider_check check (private.is_provider(provider)),
    phone_number text not null
        constraint phone_numbers_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text
        constraint phone_numbers_phone_input_check check (length(phone_input) <= 250),
    friendly_name text
        constraint phone_numbers_friendly_name_check check (length(friendly_name) <= 100),
    metadata jsonb not null default '{}'
        constraint phone_numbers_metadata_check
        check (jsonb_typeof(metadata) = 'object' and switchboard.json_is_bounded(metadata, 16384)),
    agent_id uuid,
    webhook_url text
        constraint phone_numbers_webhook_url_check check (length(webhook_url) <= 2000),
    webhook_observed_url text
        constraint phone_numbers_webhook_observed_url_check check (length(webhook_observed_url) <= 2000),
    webhook_configured boolean not null generated always as (
        webhook_url is not null
        and webhook_observed_url is not null
        and webhook_url = webhook_observed_url
    ) stored,
    status text not null default 'active'
        constraint phone_numbers_status_check check (status in ('active', 'inactive', 'error')),
    last_verified_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint phone_numbers_phone_number_key unique (organization_id, phone_number),
    constraint phone_numbers_provider_account_id_fkey
        foreign key (organization_id, provider_account_id)
        references public.provider_accounts (organization_id, id)
        on delete set null (provider_account_id),
    constraint phone_numbers_agent_id_fkey
        foreign key (organization_id, agent_id)
        references public.agents (organization_id, id)
        on delete set null (agent_id)
);
comment on table public.phone_numbers is
    'A number on which agents take and make calls. Added by add_phone_number, which alone may say that a number is taken.';
comment on column public.phone_numbers.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country.';
comment on column public.phone_numbers.phone_input is 'The number as it was typed.';
comment on column public.phone_numbers.metadata is
    'What the provider says of the number: region, capabilities, areaCode, state, type.';
comment on column public.phone_numbers.agent_id is 'The agent that answers calls to this number.';
comment on column public.phone_numbers.webhook_observed_url is
    'The webhook that the provider has on record, as last read back.';
comment on column public.phone_numbers.webhook_configured is
    'The provider has the webhook that we want.';
comment on index public.phone_numbers_phone_number_key is 'A number once per organization, whatever its status.';

create unique index phone_numbers_active_key on public.phone_numbers (phone_number)
    where status = 'active';
comment on index public.phone_numbers_active_key is
    'route_inbound_call: called number to its one active owner; also the rule that there is only one.';
create index phone_numbers_not_active_idx on public.phone_numbers (phone_number)
    where status <> 'active';
comment on index public.phone_numbers_not_active_idx is
    'route_inbound_call: a call to a number that is known but switched off.';
create index phone_numbers_created_at_idx on public.phone_numbers (organization_id, created_at desc, id);
comment on index public.phone_numbers_created_at_idx is 'List of an organization''s numbers, newest first.';
create index phone_numbers_agent_id_idx on public.phone_numbers (organization_id, agent_id);
comment on index public.phone_numbers_agent_id_idx is 'Foreign key to agents; numbers of an agent.';
create index phone_numbers_provider_account_id_idx
    on public.phone_numbers (organization_id, provider_account_id);
comment on index public.phone_numbers_provider_account_id_idx is
    'Foreign key to provider_accounts; numbers of an account.';

create trigger normalize_phone
    before insert or update on public.phone_numbers
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization'
    );

select private.add_row_triggers('public.phone_numbers');
select private.add_tenant_policies('public.phone_numbers', 'phone_numbers');
select private.add_audit('public.phone_numbers', '{}', '{last_verified_at}');
select private.add_quota('public.phone_numbers', 'phone_numbers');
select private.add_broadcast('public.phone_numbers', 'phone_numbers.read');

grant select, delete on public.phone_numbers to authenticated;
grant update (provider_account_id, friendly_name, metadata, agent_id, webhook_url, status)
    on public.phone_numbers to authenticated;
grant select, insert, update, delete on public.phone_numbers to service_role;

-- sql/schema/agents/add_phone_number.sql

-- The RPC that adds a phone number; it alone may say that a number is taken.

create function private.add_phone_number(
    p_phone_number text,
    p_provider text,
    p_provider_account_id uuid,
    p_agent_id uuid,
    p_friendly_name text,
    p_metadata jsonb
) returns public.phone_numbers
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('phone_numbers.write');
    v_provider text := p_provider;
    v_account_provider text;
    v_row public.phone_numbers;
begin
    if p_phone_number is null or btrim(p_phone_number) = '' then
        raise exception using errcode = '22023', message = 'phone_number is required';
    end if;
    if coalesce(jsonb_typeof(p_metadata), 'object') <> 'object' then
        raise exception using errcode = '22023', message = 'metadata must be a JSON object';
    end if;
    if not switchboard.json_is_bounded(p_metadata, 16384) then
        raise exception using errcode = '22023', message = 'metadata must not exceed 16 kB of JSON text';
    end if;
    if length(p_friendly_name) > 100 then
        raise exception using errcode = '22023', message = 'friendly_name must have at most 100 characters';
    end if;

    if p_provider_account_id is not null then
        select a.provider into v_account_provider
            from public.provider_accounts a
            where a.organization_id = v_org and a.id = p_provider_account_id;
        if not found then
            raise exception using
                errcode = 'PT404',
                message = 'provider_account_not_found',
                detail = 'The organization has no provider account with this id.';
        end if;
        if v_provider is distinct from v_account_provider and v_provider is not null then
            raise exception using
                errcode = '22023',
                message = format('provider is %s, but the provider account is at %s', v_provider, v_account_provider);
        end if;
        v_provider := v_account_provider;
    end if;
    if v_provider is null then
        raise exception using
            errcode = '22023',
            message = 'provider or provider_account_id is required';
    end if;
    if not private.is_provider(v_provider) then
        raise exception using
            errcode = '22023',
            message = 'provider must be one of ' || array_to_string(private.providers(), ', ');
    end if;
    if p_agent_id is not null and not exists (
        select from public.agents a where a.organization_id = v_org and a.id = p_agent_id
    ) then
        raise exception using
            errcode = 'PT404',
            message = 'agent_not_found',
            detail = 'The organization has no agent with this id.';
    end if;

    begin
        insert into public.phone_numbers (
            organization_id, provider_account_id, provider, phone_number, friendly_name, metadata, agent_id
        ) values (
            v_org, p_provider_account_id, v_provider, p_phone_number, p_friendly_name,
            coalesce(p_metadata, '{}'), p_agent_id
        )
        returning * into v_row;
    exception
        when unique_violation then
            -- The same words whether this organization or another one has it.
            raise exception using
                errcode = 'PT409',
                message = 'number_in_use',
                detail = 'This phone number is already in use.',
                hint = 'Look among your own numbers, or ask support to release it.';
    end;
    return v_row;
end;
$$;
comment on function private.add_phone_number(text, text, uuid, uuid, text, jsonb) is
    'Body of public.add_phone_number; see there. Definer, so that the unique index over all organizations answers only through the one error below.';

create function public.add_phone_number(
    phone_number text,
    provider text default null,
    provider_account_id uuid default null,
    agent_id uuid default null,
    friendly_name text default null,
    metadata jsonb default '{}'
) returns public.phone_numbers
    language sql volatile
    set search_path = ''
begin atomic
    select private.add_phone_number(
        phone_number, provider, provider_account_id, agent_id, friendly_name, metadata
    );
end;
comment on function public.add_phone_number(text, text, uuid, uuid, text, jsonb) is
    'Adds a phone number to the caller''s organization, in any spelling, and returns its row. Raises PT401, PT400, PT403 (phone_numbers.write), 22023 (phone_number, provider, friendly_name, metadata), PT404 provider_account_not_found or agent_not_found, PT409 number_in_use (never says by whom).';
grant execute on function private.add_phone_number(text, text, uuid, uuid, text, jsonb) to authenticated;
grant execute on function public.add_phone_number(text, text, uuid, uuid, text, jsonb) to authenticated;

-- sql/schema/leads/phone_readings.sql

-- What a person who types a phone number may mean.

create function private.phone_readings(phone_number text, country text) returns text[]
    language sql immutable
    set search_path = ''
begin atomic
    -- As people of the organization's country write it, and as systems do: digits with the country code, without +.
    select array_remove(array[
        switchboard.to_e164(phone_readings.phone_number, country),
        case
            when phone_readings.phone_number ~ '^\s*[1-9][0-9 ().-]{6,}$'
                then switchboard.to_e164('+' || btrim(phone_readings.phone_number), null)
        end
    ], null);
end;
comment on function private.phone_readings(text, text) is
    'The numbers (E.164) that a text may be, read in a country; {} for none. Raises nothing.';

create function private.read_phone(org uuid, phone_number text) returns text[]
    language plpgsql stable
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_country text;
    v_readings text[];
begin
    if coalesce(btrim(read_phone.phone_number), '') = '' then
        raise exception using errcode = '22023', message = 'phone_number is required';
    end if;
    select o.default_country into v_country from public.organizations o where o.id = read_phone.org;
    v_readings := private.phone_readings(read_phone.phone_number, v_country);
    if v_readings = '{}' then
        raise exception using
            errcode = '22023',
            message = format('phone_number is not a phone number: %s', (
                select coalesce(p.reason, 'not_a_number')
                from switchboard.parse_phone(read_phone.phone_number, v_country) as p
            )),
            hint = 'Write the whole number, with + and the country code, or as it is dialled in the organization''s country.';
    end if;
    return v_readings;
end;
$$;
comment on function private.read_phone(uuid, text) is
    'The same, read in an organization''s country. Raises 22023 for what is no number.';

create function private.read_one_phone(org uuid, phone_number text) returns text
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_readings constant text[] := private.read_phone(read_one_phone.org, read_one_phone.phone_number);
begin
    if v_readings[1] <> v_readings[2] then
        raise exception using
            errcode = '22023',
            message = 'phone_number is not a phone number: ambiguous',
            detail = format('It may be %s or %s.', v_readings[1], v_readings[2]),
            hint = 'Write the one that is meant, with + and the country code.';
    end if;
    return v_readings[1];
end;
$$;
comment on function private.read_one_phone(uuid, text) is
    'The one number that a text is in an organization''s country, for what cannot be taken back. Raises 22023 for what is no number, or may be two.';

create function private.require_phone(capability text, phone_number text, out org uuid, out numbers text[])
    language plpgsql stable security definer
    set search_path = ''
as $$
begin
    org := switchboard.require_organization(capability);
    numbers := private.read_phone(org, require_phone.phone_number);
end;
$$;
comment on function private.require_phone(text, text) is
    'The organization of a caller who holds a right, and the numbers that a text may be there. Definer, for RPCs that go on with the caller''s rights. Raises PT401, PT400, PT403, 22023.';
grant execute on function private.require_phone(text, text) to authenticated;

-- sql/schema/leads/campaign_settings.sql

-- Campaign settings: how a campaign writes, waits and reads imports.

create function private.is_day_list(days jsonb) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select case when jsonb_typeof(days) <> 'array' then false else (
        select count(*) > 0
            and count(*) = count(distinct d)
            and bool_and(d in (
                '"monday"', '"tuesday"', '"wednesday"', '"thursday"', '"friday"', '"saturday"', '"sunday"'
            ))
        from jsonb_array_elements(days) as d
    ) end;
end;
comment on function private.is_day_list(jsonb) is
    'True for a non-empty JSON array of different lower-case English day names. For CHECK constraints. Raises nothing.';
grant execute on function private.is_day_list(jsonb) to authenticated, service_role;

create function private.is_lead_field_list(fields jsonb) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select case when jsonb_typeof(fields) <> 'array' then false else (
        select count(*) = count(distinct f)
            and coalesce(bool_and(f in (
                '"first_name"', '"last_name"', '"phone_number"', '"email"', '"postcode"', '"inquiry_date"', '"notes"'
            )), true)
        from jsonb_array_elements(fields) as f
    ) end;
end;
comment on function private.is_lead_field_list(jsonb) is
    'True for a JSON array of different lead fields that an import can fill. For CHECK constraints. Raises nothing.';
grant execute on function private.is_lead_field_list(jsonb) to authenticated, service_role;

create table public.campaign_settings (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    name text
        constraint campaign_settings_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text
        constraint campaign_settings_description_check check (length(description) <= 2000),
    m1_message text not null
        constraint campaign_settings_m1_message_check
        check (btrim(m1_message) <> '' and length(m1_message) <= 2000),
    m2_message text
        constraint campaign_settings_m2_message_check
        check (btrim(m2_message) <> '' and length(m2_message) <= 2000),
    m3_message text
        constraint campaign_settings_m3_message_check
        check (btrim(m3_message) <> '' and length(m3_message) <= 2000),
    m2_delay_hours integer not null default 48
        constraint campaign_settings_m2_delay_hours_check check (m2_delay_hours between 0 and 8760),
    m3_delay_hours integer not null default 72
        constraint campaign_settings_m3_delay_hours_check check (m3_delay_hours between 0 and 8760),
    delay_respect_sending_hours boolean not null default true,
    delay_type text not null default 'real_hours'
        constraint campaign_settings_delay_type_check check (delay_type in ('real_hours', 'business_hours')),
    sending_enabled boolean not null default true,
    sending_hours_start time,
    sending_hours_end time,
    sending_days jsonb not null default '["monday", "tuesday", "wednesday", "thursday", "friday"]'
        constraint campaign_settings_sending_days_check check (private.is_day_list(sending_days)),
    sending_timezone text not null default 'Europe/London'
        constraint campaign_settings_sending_timezone_check check (private.is_time_zone(sending_timezone)),
    messages_per_minute integer default 1
        constraint campaign_settings_messages_per_minute_check check (messages_per_minute >= 0),
    messages_per_hour integer default 30
        constraint campaign_settings_messages_per_hour_check check (messages_per_hour >= 0),
    messages_per_day integer default 500
        constraint campaign_settings_messages_per_day_check check (messages_per_day >= 0),
    ai_response_enabled boolean not null default true,
    ai_response_delay_seconds integer not null default 60
        constraint campaign_settings_ai_response_delay_seconds_check
        check (ai_response_delay_seconds between 0 and 86400),
    ai_response_delay_random boolean not null default false,
    ai_multiple_messages_wait_seconds integer not null default 60
        constraint campaign_settings_ai_multiple_messages_wait_seconds_check
        check (ai_multiple_messages_wait_seconds between 0 and 86400),
    respond_to_inbound_24_7 boolean not null default true,
    respect_schedule_strictly boolean not null default false,
    silence_timeout_days integer not null default 28
        constraint campaign_settings_silence_timeout_days_check check (silence_timeout_days > 0),
    silence_nudge_enabled boolean not null default false,
    silence_nudge_days integer not null default 7
        constraint campaign_settings_silence_nudge_days_check check (silence_nudge_days > 0),
    silence_nudge_message text
        constraint campaign_settings_silence_nudge_message_check
        check (btrim(silence_nudge_message) <> '' and length(silence_nudge_message) <= 2000),
    duplicate_action text not null default 'flag'
        constraint campaign_settings_duplicate_action_check
        check (duplicate_action in ('flag', 'skip', 'merge', 'keep_both')),
    hot_lead_notification boolean not null default true,
    hot_lead_auto_assign boolean not null default false,
    hot_lead_assignment_rule text not null default 'round_robin'
        constraint campaign_settings_hot_lead_assignment_rule_check
        check (hot_lead_assignment_rule in ('round_robin', 'territory', 'manual')),
    auto_status_updates boolean not null default true,
    auto_normalize_uk_numbers boolean not null default true,
    allow_international boolean not null default false,
    required_fields jsonb not null default '["first_name", "last_name", "phone_number", "email"]'
        constraint campaign_settings_required_fields_check
        check (private.is_lead_field_list(required_fields)),
    sender_number_id uuid,
    cal_booking_link text
        constraint campaign_settings_cal_booking_link_check check (length(cal_booking_link) <= 2000),
    is_template boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint campaign_settings_sending_hours_check
        check ((sending_hours_start is null) = (sending_hours_end is null)),
    constraint campaign_settings_nudge_before_timeout_check
        check (silence_nudge_days < silence_timeout_days),
    constraint campaign_settings_nudge_has_message_check
        check (not silence_nudge_enabled or silence_nudge_message is not null),
    constraint campaign_settings_sender_number_id_fkey
        foreign key (organization_id, sender_number_id)
        references public.phone_numbers (organization_id, id)
        on delete set null (sender_number_id)
);
comment on table public.campaign_settings is
    'How a campaign writes, waits and reads imports. Several datasets may share one row. Obeyed so far, by import_leads: duplicate_action, auto_normalize_uk_numbers, allow_international and required_fields. Nothing sends yet, so the other columns are kept and checked, and change nothing.';
comment on column public.campaign_settings.sending_hours_start is
    'Inclusive. Both hours NULL: all day; later than the end: the window crosses midnight and belongs to the day on which it starts.';
comment on column public.campaign_settings.sending_hours_end is 'Exclusive; 24:00 is allowed.';
comment on column public.campaign_settings.sending_days is
    'Non-empty JSON array of lower-case day names: an empty or unknown list must never mean "always".';
comment on column public.campaign_settings.messages_per_minute is 'NULL: no limit; 0: hold. Likewise per hour and per day.';
comment on column public.campaign_settings.duplicate_action is
    'What an import does with a phone number that the organization already has: see import_leads.';
comment on column public.campaign_settings.auto_normalize_uk_numbers is
    'Read national numbers of an import in the organization''s default_country (GB unless set); false: only numbers with + are accepted.';
comment on column public.campaign_settings.required_fields is
    'Fields a row of an import must fill; first_name and phone_number always.';

create index campaign_settings_created_at_idx on public.campaign_settings (organization_id, created_at desc, id);
comment on index public.campaign_settings_created_at_idx is 'List of an organization''s campaign settings, newest first.';
create index campaign_settings_sender_number_id_idx
    on public.campaign_settings (organization_id, sender_number_id);
comment on index public.campaign_settings_sender_number_id_idx is 'Foreign key to phone_numbers.';

select private.add_row_triggers('public.campaign_settings');

-- Datasets share settings, so a member whose scope is some datasets reads them and does not change them.
select private.add_tenant_policies('public.campaign_settings', 'datasets', shared => true);
select private.add_audit('public.campaign_settings');

grant select, delete on public.campaign_settings
    to authenticated;
grant insert (
    organization_id, name, description, m1_message, m2_message, m3_message, m2_delay_hours,
    m3_delay_hours, delay_respect_sending_hours, delay_type, sending_enabled, sending_hours_start,
    sending_hours_end, sending_days, sending_timezone, messages_per_minute, messages_per_hour,
    messages_per_day, ai_response_enabled, ai_response_delay_seconds, ai_response_delay_random,
    ai_multiple_messages_wait_seconds, respond_to_inbound_24_7, respect_schedule_strictly,
    silence_timeout_days, silence_nudge_enabled, silence_nudge_days, silence_nudge_message,
    duplicate_action, hot_lead_notification, hot_lead_auto_assign, hot_lead_assignment_rule,
    auto_status_updates, auto_normalize_uk_numbers, allow_international, required_fields,
    sender_number_id, cal_booking_link, is_template
) on public.campaign_settings to authenticated;
grant update (
    name, description, m1_message, m2_message, m3_message, m2_delay_hours,
    m3_delay_hours, delay_respect_sending_hours, delay_type, sending_enabled, sending_hours_start,
    sending_hours_end, sending_days, sending_timezone, messages_per_minute, messages_per_hour,
    messages_per_day, ai_response_enabled, ai_response_delay_seconds, ai_response_delay_random,
    ai_multiple_messages_wait_seconds, respond_to_inbound_24_7, respect_schedule_strictly,
    silence_timeout_days, silence_nudge_enabled, silence_nudge_days, silence_nudge_message,
    duplicate_action, hot_lead_notification, hot_lead_auto_assign, hot_lead_assignment_rule,
    auto_status_updates, auto_normalize_uk_numbers, allow_international, required_fields,
    sender_number_id, cal_booking_link, is_template
) on public.campaign_settings to authenticated;
grant select, insert, update, delete on public.campaign_settings to service_role;

-- sql/schema/leads/datasets.sql

-- Datasets. Their counters are kept from the leads' own statements (leads.sql): exact, one update per statement.

create table public.datasets (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    name text not null
        constraint datasets_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text
        constraint datasets_description_check check (length(description) <= 2000),
    source text
        constraint datasets_source_check check (length(source) <= 200),
    column_mapping jsonb not null default '{}'
        constraint datasets_column_mapping_check
        check (jsonb_typeof(column_mapping) = 'object' and switchboard.json_is_bounded(column_mapping, 65536)),
    total_leads integer not null default 0,
    active_leads integer not null default 0,
    hot_leads integer not null default 0,
    converted_leads integer not null default 0,
    campaign_status text not null default 'draft'
        constraint datasets_campaign_status_check
        check (campaign_status in ('draft', 'active', 'paused', 'completed')),
    campaign_start_at timestamptz,
    campaign_end_at timestamptz,
    campaign_settings_id uuid,
    auto_archive_after_days integer not null default 28
        constraint datasets_auto_archive_after_days_check check (auto_archive_after_days between 1 and 3650),
    archived boolean not null generated always as (archived_at is not null) stored,
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint datasets_name_key unique (organization_id, name),
    constraint datasets_campaign_period_check check (campaign_start_at < campaign_end_at),
    constraint datasets_campaign_settings_id_fkey
        foreign key (organization_id, campaign_settings_id)
        references public.campaign_settings (organization_id, id)
        on delete set null (campaign_settings_id)
);
comment on table public.datasets is
    'A batch of leads and the campaign on it. The file it came from is in uploads.';
comment on column public.datasets.source is 'Where the leads are from, in the organization''s own words.';
comment on column public.datasets.column_mapping is
    'Column of the file → lead field, e.g. {"Mobile": "phone_number"}; import_leads uses it when its options bring no mapping.';
comment on column public.datasets.total_leads is
    'Leads in the dataset. This and the other three counters are kept by trigger; nobody writes them.';
comment on column public.datasets.active_leads is 'Leads that are not archived.';
comment on column public.datasets.hot_leads is 'Leads whose contact_status is HOT.';
comment on column public.datasets.converted_leads is 'Leads whose contact_status is CONVERTED.';
comment on column public.datasets.campaign_status is 'draft until a campaign is activated; not writable by clients.';
comment on index public.datasets_name_key is 'A name once per organization; dataset by name.';
create index datasets_created_at_idx on public.datasets (organization_id, created_at desc, id);
comment on index public.datasets_created_at_idx is 'List of an organization''s datasets, newest first.';
create index datasets_campaign_settings_id_idx
    on public.datasets (organization_id, campaign_settings_id);
comment on index public.datasets_campaign_settings_id_idx is
    'Foreign key to campaign_settings; datasets that share settings.';

select private.add_row_triggers('public.datasets');
select private.add_tenant_policies('public.datasets', 'datasets', dataset => 'id');
select private.add_audit('public.datasets', '{}', '{total_leads,active_leads,hot_leads,converted_leads}');
select private.add_quota('public.datasets', 'datasets');
select private.add_broadcast('public.datasets', 'datasets.read');

create trigger remove_datasets_from_scopes
    after delete on public.datasets referencing old table as old_rows
    for each statement execute function private.remove_datasets_from_scopes();

grant select, delete on public.datasets
    to authenticated;
grant insert (
    organization_id, name, description, source, column_mapping, campaign_start_at, campaign_end_at,
    campaign_settings_id, auto_archive_after_days
) on public.datasets to authenticated;
grant update (
    name, description, source, column_mapping, campaign_start_at, campaign_end_at,
    campaign_settings_id, auto_archive_after_days, archived_at
) on public.datasets to authenticated;
-- All but the counters.
grant select, delete on public.datasets to service_role;
grant insert (
    organization_id, id, name, description, source, column_mapping, campaign_status, campaign_start_at, campaign_end_at,
    campaign_settings_id, auto_archive_after_days, archived_at, created_at, updated_at
) on public.datasets to service_role;
grant update (
    organization_id, id, name, description, source, column_mapping, campaign_status, campaign_start_at, campaign_end_at,
    campaign_settings_id, auto_archive_after_days, archived_at, created_at, updated_at
) on public.datasets to service_role;

-- sql/schema/leads/uploads.sql

-- Uploads: one import each, and what became of its rows.

create table public.uploads (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    uploaded_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    filename text not null
        constraint uploads_filename_check check (btrim(filename) <> '' and length(filename) <= 500),
    storage_path text
        constraint uploads_storage_path_check check (length(storage_path) <= 1024),
    file_size bigint
        constraint uploads_file_size_check check (file_size >= 0),
    file_type text
        constraint uploads_file_type_check check (length(file_type) <= 200),
    status text not null default 'pending'
        constraint uploads_status_check
        check (status in ('pending', 'processing', 'mapping', 'completed', 'failed')),
    problem text
        constraint uploads_problem_check check (problem ~ '^[a-z_]{1,63}$'),
    problem_at text
        constraint uploads_problem_at_check check (length(problem_at) <= 500),
    encoding text
        constraint uploads_encoding_check check (encoding in ('utf-8', 'utf-16le', 'utf-16be', 'windows-1252')),
    delimiter text
        constraint uploads_delimiter_check check (delimiter in (',', ';', e'\t', '|')),
    header jsonb
        constraint uploads_header_check
        check (jsonb_typeof(header) = 'array' and switchboard.json_is_bounded(header, 1048576)),
    mapping jsonb not null default '{}'
        constraint uploads_mapping_check
        check (jsonb_typeof(mapping) = 'object' and switchboard.json_is_bounded(mapping, 65536)),
    options jsonb not null default '{}'
        constraint uploads_options_check
        check (jsonb_typeof(options) = 'object' and switchboard.json_is_bounded(options, 65536)),
    bytes_received bigint not null default 0,
    bytes_read bigint not null default 0,
    row_total integer,
    rows_detected integer not null default 0,
    rows_inserted integer not null default 0,
    rows_merged integer not null default 0,
    rows_skipped integer not null default 0,
    rows_suppressed integer not null default 0,
    rows_failed integer not null default 0,
    rows_per_second integer,
    seconds_remaining integer,
    started_at timestamptz,
    completed_at timestamptz,
    undone_at timestamptz,
    processing_time integer generated always as (
        extract(epoch from completed_at - started_at)::integer
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint uploads_rows_add_up_check check (
        rows_detected = rows_inserted + rows_merged + rows_skipped + rows_suppressed + rows_failed
    ),
    constraint uploads_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id)
);
comment on table public.uploads is
    'One import and how many of its rows became what; which failed is in upload_errors, which found their lead there already in upload_rows. The counts add up, by CHECK, at any moment.';
comment on column public.uploads.status is
    'pending: the file is coming; mapping: it was looked at (preview_upload); processing: rows are being imported (commit_upload); completed; failed: see problem.';
comment on column public.uploads.problem is
    'Why it stands still: quota_exceeded (commit_upload goes on when there is room); or why it failed: what csv_profile says of the file, cancelled, abandoned.';
comment on column public.uploads.problem_at is 'Where in the file: the number of a row or column, or a column''s name.';
comment on column public.uploads.header is 'The file''s columns, in order.';
comment on column public.uploads.bytes_received is 'Bytes of the file that have come (append_upload_chunk).';
comment on column public.uploads.bytes_read is 'Bytes of the file that have been imported: here commit_upload goes on.';
comment on column public.uploads.row_total is 'Rows of the file, without the header.';
comment on column public.uploads.rows_detected is 'Rows read so far; row_total when it is completed.';
comment on column public.uploads.rows_per_second is 'How fast the last call of commit_upload was.';
comment on column public.uploads.seconds_remaining is 'At that rate.';
comment on column public.uploads.undone_at is 'When undo_upload removed its last lead.';
comment on column public.uploads.processing_time is 'Seconds.';

create index uploads_dataset_id_idx on public.uploads (organization_id, dataset_id, created_at desc);
comment on index public.uploads_dataset_id_idx is
    'Foreign key to datasets; uploads of a dataset, newest first.';
create index uploads_created_at_idx on public.uploads (organization_id, created_at desc, id);
comment on index public.uploads_created_at_idx is 'List of an organization''s uploads, newest first.';
create index uploads_uploaded_by_idx on public.uploads (uploaded_by);
comment on index public.uploads_uploaded_by_idx is 'Foreign key to auth.users.';

select private.add_row_triggers('public.uploads');
select private.add_tenant_policies('public.uploads', 'uploads', dataset => 'dataset_id');
select private.add_audit('public.uploads', verbs => '{insert,delete}');
select private.add_broadcast('public.uploads', 'uploads.read');

grant select, delete on public.uploads
    to authenticated;
grant insert (organization_id, dataset_id, filename, mapping, options) on public.uploads to authenticated;
grant select, insert, update, delete on public.uploads to service_role;

-- sql/schema/leads/upload_chunks.sql

-- Upload chunks: the pieces of a file until its import is completed. They hold people's data and no role of the API reads
-- them: append_upload_chunk writes them, commit_upload reads and at the end deletes them.

create table private.upload_chunks (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    upload_id uuid not null,
    seq integer not null
        constraint upload_chunks_seq_check check (seq >= 0),
    starts_at bigint not null
        constraint upload_chunks_starts_at_check check (starts_at >= 0),
    content bytea not null
        constraint upload_chunks_content_check check (octet_length(content) between 1 and 4194304),
    sha256 bytea not null generated always as (sha256(content)) stored,
    created_at timestamptz not null default now(),
    primary key (organization_id, upload_id, seq),
    constraint upload_chunks_upload_id_fkey
        foreign key (organization_id, upload_id)
        references public.uploads (organization_id, id)
        on delete cascade
);
-- Read once and deleted: compressing would cost more than it saves.
alter table private.upload_chunks alter column content set storage external;
comment on table private.upload_chunks is
    'The pieces of a file that is being imported, deleted when it is. For the definer functions of imports: what is in a file is as much as leads.';
comment on column private.upload_chunks.seq is 'From 0, without a gap.';
comment on column private.upload_chunks.starts_at is 'The byte of the file with which it begins.';
comment on column private.upload_chunks.sha256 is 'Tells a piece that was sent twice from another one.';

select private.add_deny_policy('private.upload_chunks');

-- sql/schema/leads/upload_errors.sql

-- Upload errors: the rows of a file that did not become leads, with what stood in the cell. They are as much as leads,
-- numbers included, so they have a table and policies of their own beside uploads, which every member reads.

create table public.upload_errors (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    upload_id uuid not null,
    dataset_id uuid,
    row_number integer not null
        constraint upload_errors_row_number_check check (row_number > 0),
    column_name text
        constraint upload_errors_column_name_check check (length(column_name) <= 500),
    value text
        constraint upload_errors_value_check check (length(value) <= 500),
    reason text not null
        constraint upload_errors_reason_check check (reason ~ '^[a-z_0-9]{1,63}$'),
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint upload_errors_upload_id_fkey
        foreign key (organization_id, upload_id)
        references public.uploads (organization_id, id)
        on delete cascade,
    constraint upload_errors_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id)
);
comment on table public.upload_errors is
    'A row of an import that failed, and why. Written by import_leads; for members who read all leads, in their datasets. Goes with its upload.';
comment on column public.upload_errors.dataset_id is 'The upload''s dataset, for the policies.';
comment on column public.upload_errors.row_number is 'The row of the file, counted from 1 without the header.';
comment on column public.upload_errors.column_name is 'The column as the file calls it; NULL when it is the whole row.';
comment on column public.upload_errors.value is 'The cell as given, at most 500 characters of it.';
comment on column public.upload_errors.reason is 'required, invalid_email …, or a reason of parse_phone.';
create index upload_errors_upload_id_idx on public.upload_errors (organization_id, upload_id, row_number);
comment on index public.upload_errors_upload_id_idx is 'Foreign key to uploads; errors of an upload in the order of its rows.';
create index upload_errors_dataset_id_idx on public.upload_errors (organization_id, dataset_id)
    where dataset_id is not null;
comment on index public.upload_errors_dataset_id_idx is 'Foreign key to datasets.';

select private.add_row_triggers('public.upload_errors');
select private.add_tenant_policies(
    'public.upload_errors', 'uploads', '{insert,update,delete}', dataset => 'dataset_id'
);
alter policy upload_errors_select on public.upload_errors using (
    organization_id = (select switchboard.organization_for('uploads.read'))
    and (select switchboard.organization_for('leads.read_all')) is not null
    and (
        (select 1 where switchboard.dataset_scope() is null) is not null
        or dataset_id = any ((select switchboard.dataset_scope())::uuid[])
    )
);

grant select on public.upload_errors to authenticated;
grant select, insert, update, delete on public.upload_errors to service_role;

-- sql/schema/leads/suppression_salts.sql

-- Salts: what the numbers of erased persons are hashed with.

create table private.suppression_salts (
    organization_id uuid not null primary key references public.organizations (id) on delete cascade,
    salt bytea not null default uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
);
comment on table private.suppression_salts is
    'What the numbers of erased persons are hashed with; a row with an organization''s first erasure. Without it, a few hours of guessing would read them.';

select private.add_deny_policy('private.suppression_salts');

create function private.suppression_hash(org uuid, number text) returns bytea
    language sql stable
    set search_path = ''
begin atomic
    select sha256(k.salt || convert_to(number, 'UTF8')) from private.suppression_salts k where k.organization_id = org;
end;
comment on function private.suppression_hash(uuid, text) is
    'What suppressions.phone_hash is of a number; NULL where the organization has erased nobody. suppressed_numbers does the same for many. Raises nothing.';

-- sql/schema/leads/suppressions.sql

-- Opt-outs: which numbers an organization may not contact. A row here is the truth, for every dataset and whatever
-- becomes of the leads. A lead with such a number is REMOVED, or rests in ARCHIVED; triggers on both tables keep that.
--
-- An opt-out and a lead that are written at the same moment do not see each other. So whoever writes leads asks again
-- at the end of the statement, under a lock that is shared with other writers of leads; an opt-out takes it alone
-- (lock_opt_outs), and so does what ends one. It is held only from there to the commit, and taken behind the locks of leads
-- and before those of counters. Opt-outs wait for each other before all of that, or they would in the index. It needs READ
-- COMMITTED, as PostgREST works: an older snapshot does not see what was waited for.

create table public.suppressions (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    channel text not null default 'all'
        constraint suppressions_channel_check check (channel in ('all', 'sms', 'whatsapp', 'voice')),
    phone_number text
        constraint suppressions_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_hash bytea
        constraint suppressions_phone_hash_check check (length(phone_hash) = 32),
    phone_input text
        constraint suppressions_phone_input_check check (length(phone_input) <= 250),
    reason text not null default 'manual'
        constraint suppressions_reason_check check (reason in ('keyword', 'manual', 'complaint', 'provider', 'erasure')),
    created_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    lifted_at timestamptz,
    lifted_by uuid references auth.users (id) on delete set null,
    lift_reason text
        constraint suppressions_lift_reason_check check (length(lift_reason) <= 500),
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint suppressions_number_check check (num_nonnulls(phone_number, phone_hash) = 1),
    constraint suppressions_lifted_at_check check (lifted_at >= created_at)
);
comment on table public.suppressions is
    'A number that opted out of being contacted. It outlives leads and datasets: no role deletes a row, and it ends by record_opt_in or lift_suppression.';
comment on column public.suppressions.channel is
    'all, also those that are still to come; or one. A lead''s campaign may use any, so a lead is REMOVED for each of them.';
comment on column public.suppressions.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country. NULL for a person who was erased.';
comment on column public.suppressions.phone_hash is
    'Of a person who was erased: the number''s SHA-256 with a salt of the organization that no API role reads.';
comment on column public.suppressions.phone_input is 'The number as it was given.';
comment on column public.suppressions.reason is
    'keyword: the contact wrote STOP or the like, or told the agent; manual: a member''s word, also by a lead that became REMOVED; complaint; provider: the provider refused the number; erasure: erase_person.';
comment on column public.suppressions.created_by is 'The signed-in user; NULL for server code.';
comment on column public.suppressions.lifted_at is
    'When the opt-out ended. Set once; a later opt-out is a new row.';
comment on column public.suppressions.lifted_by is 'The signed-in user who ended it; NULL for server code.';
comment on column public.suppressions.lift_reason is 'What the contact said, or why it was a mistake.';
create unique index suppressions_active_key on public.suppressions (organization_id, phone_number, channel, reason)
    where lifted_at is null;
comment on index public.suppressions_active_key is
    'One active row for a number, channel and reason, for not every reason ends by the same word; whether a number may be contacted.';
create unique index suppressions_hash_key on public.suppressions (organization_id, phone_hash, channel, reason)
    where lifted_at is null and phone_hash is not null;
comment on index public.suppressions_hash_key is 'The same for the numbers of erased persons.';
create index suppressions_created_at_idx on public.suppressions (organization_id, created_at desc, id);
comment on index public.suppressions_created_at_idx is 'List of an organization''s opt-outs, newest first.';
create index suppressions_created_by_idx on public.suppressions (created_by);
comment on index public.suppressions_created_by_idx is 'Foreign key to auth.users.';
create index suppressions_lifted_by_idx on public.suppressions (lifted_by) where lifted_by is not null;
comment on index public.suppressions_lifted_by_idx is 'Foreign key to auth.users.';

create trigger normalize_phone
    before insert on public.suppressions
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization', 'cautious'
    );
select private.add_row_triggers(
    'public.suppressions', '{organization_id,id,channel,reason,created_at}'
);
create trigger guard_number
    before update on public.suppressions
    for each row
    when (
        new.phone_number is not null and new.phone_number is distinct from old.phone_number
        or new.phone_input is not null and new.phone_input is distinct from old.phone_input
        or old.phone_hash is not null and new.phone_hash is distinct from old.phone_hash
    )
    execute function switchboard.guard_row('phone_number, phone_input, phone_hash');
create trigger guard_lifted
    before update on public.suppressions
    for each row
    when (old.lifted_at is not null and new.lifted_at is distinct from old.lifted_at)
    execute function switchboard.guard_row('lifted_at');
create trigger refuse_delete
    before delete on public.suppressions
    for each row execute function private.refuse_rewrite('An opt-out ends by lifted_at.');
create trigger refuse_truncate
    before truncate on public.suppressions
    for each statement execute function private.refuse_rewrite('An opt-out ends by lifted_at.');

-- Numbers of every dataset, so they are for members without a dataset scope.
select private.add_tenant_policies('public.suppressions', 'suppressions', '{update,delete}', shared => true);
alter policy suppressions_select on public.suppressions using (
    organization_id = (select switchboard.organization_for('suppressions.read'))
    and (select 1 where switchboard.dataset_scope() is null) is not null
);
-- Only how they end: an opt-out itself says who took it, and when.
select private.add_audit('public.suppressions', '{phone_number,phone_input,phone_hash,lift_reason}', '{}', '{update}');

grant select on public.suppressions to authenticated;
grant insert (organization_id, channel, phone_number, reason) on public.suppressions to authenticated;
-- Nobody deletes one, or lifts it by hand.
grant select on public.suppressions to service_role;
-- Not lifted_at: an opt-out is not made as one that has ended.
grant insert (organization_id, id, channel, phone_number, phone_input, reason, created_by, created_at)
    on public.suppressions to service_role;

create function private.queue_opt_outs(org uuid) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('opt-outs ' || org, 0));
end;
$$;
comment on function private.queue_opt_outs(uuid) is
    'One opt-out, opt-in or erasure of an organization at a time: the first of their locks. Raises nothing.';

create function private.lock_opt_outs(org uuid, numbers text[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    perform private.queue_opt_outs(org);
    perform from public.leads l
        where l.organization_id = org and l.phone_number = any (numbers)
        order by l.id
        for no key update;
    perform pg_advisory_xact_lock(hashtextextended('suppressions ' || org, 0));
end;
$$;
comment on function private.lock_opt_outs(uuid, text[]) is
    'Before numbers of an organization opt out, in or are erased: one at a time, their leads by the order of ids, then the lock that writers of leads share. Raises nothing.';

create function private.queue_opt_out() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- Not for a row that the policies are about to refuse.
    if switchboard.user_id() is null or switchboard.has_capability(new.organization_id, 'suppressions.write') then
        perform private.queue_opt_outs(new.organization_id);
    end if;
    return new;
end;
$$;
comment on function private.queue_opt_out() is
    'BEFORE INSERT trigger on suppressions: the first lock of private.lock_opt_outs, before the index has the row. Definer, as suppress_leads_of_numbers. Raises nothing.';
create trigger queue_opt_out
    before insert on public.suppressions
    for each row execute function private.queue_opt_out();

create function private.suppress_leads_of_numbers() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_reason constant text := current_setting('private.lead_reason', true);
    v_group record;
begin
    -- What was said of one lead does not go into the history of others.
    perform set_config('private.lead_reason', '', true);
    for v_group in
        select r.organization_id, array_agg(distinct r.phone_number) as numbers
        from new_rows r
        where r.phone_number is not null and r.lifted_at is null
        group by r.organization_id
        order by r.organization_id
    loop
        perform private.lock_opt_outs(v_group.organization_id, v_group.numbers);
        update public.leads l
            set contact_status = 'REMOVED'
            where l.organization_id = v_group.organization_id
                and l.phone_number = any (v_group.numbers)
                and l.contact_status not in ('REMOVED', 'ARCHIVED');
    end loop;
    perform set_config('private.lead_reason', coalesce(v_reason, ''), true);
    return null;
end;
$$;
comment on function private.suppress_leads_of_numbers() is
    'AFTER INSERT statement trigger on suppressions (transition table new_rows): the organization''s leads with the numbers become REMOVED, in every dataset. Definer: whoever takes an opt-out need not see them. Raises nothing.';
create trigger suppress_leads_of_numbers
    after insert on public.suppressions referencing new table as new_rows
    for each statement execute function private.suppress_leads_of_numbers();

-- In plpgsql, as everything that fires for a single lead: the plan of an SQL function is made anew by every call.
create function private.suppressed_numbers(org uuid, numbers text[]) returns setof text
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_salt bytea;
begin
    return query
    select distinct s.phone_number
        from public.suppressions s
        where s.organization_id = org and s.phone_number = any (numbers) and s.lifted_at is null;
    select k.salt into v_salt from private.suppression_salts k where k.organization_id = org;
    if found then
        return query
        select distinct n.number
            from unnest(numbers) as n (number)
            join public.suppressions s
                on s.organization_id = org
                and s.phone_hash = sha256(v_salt || convert_to(n.number, 'UTF8'))
                and s.lifted_at is null;
    end if;
end;
$$;
comment on function private.suppressed_numbers(uuid, text[]) is
    'Those of some numbers (E.164) that an organization may not contact, those of erased persons too; one may come twice. Raises nothing.';

create function private.keep_suppressions(org uuid, numbers text[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    perform private.lock_opt_outs(org, numbers);
    -- What the agent heard is the contact's own word, and ends by it.
    insert into public.suppressions as s (organization_id, phone_number, reason)
    select org, n.number, case when private.lead_actor() = 'ai' then 'keyword' else 'manual' end
    from unnest(numbers) as n (number)
    where n.number <> all (array(select private.suppressed_numbers(org, numbers)))
    on conflict (organization_id, phone_number, channel, reason) where lifted_at is null do nothing;
end;
$$;
comment on function private.keep_suppressions(uuid, text[]) is
    'The opt-outs of leads that are REMOVED, but for numbers that have one. For the triggers on leads. Raises nothing.';

create function private.check_international(org uuid, dataset uuid, numbers text[]) returns void
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_code integer;
begin
    perform from public.datasets d
        join public.campaign_settings c
            on c.organization_id = d.organization_id and c.id = d.campaign_settings_id and not c.allow_international
        where d.organization_id = org and d.id = dataset;
    if not found then
        return;
    end if;
    select o.calling_code into v_code from public.organizations o where o.id = org;
    if exists (select from unnest(numbers) as n (number) where switchboard.phone_calling_code(n.number) <> v_code) then
        raise exception using
            errcode = '22023',
            message = 'phone_number: international_not_allowed',
            detail = format('The campaign of this dataset writes to +%s only.', v_code),
            hint = 'allow_international of the campaign''s settings opens it.';
    end if;
end;
$$;
comment on function private.check_international(uuid, uuid, text[]) is
    'Whether a dataset takes some numbers, by its campaign''s allow_international. Raises 22023.';

create function private.settle_new_leads() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_group record;
    v_suppressed text[];
begin
    -- First what takes the lock alone: leads that somebody brought as REMOVED, and not the trigger or an import because of
    -- an opt-out that there was.
    for v_group in
        select r.organization_id, array_agg(distinct r.phone_number) as numbers
        from new_rows r
        where r.contact_status = 'REMOVED' and r.status_set_by is null
        group by r.organization_id
        order by r.organization_id
    loop
        perform private.keep_suppressions(v_group.organization_id, v_group.numbers);
    end loop;
    for v_group in
        select r.organization_id, r.dataset_id,
            array_agg(r.phone_number) as numbers,
            -- An import has refused its foreign numbers row by row.
            array_agg(r.phone_number) filter (where r.upload_id is null and r.contact_status <> 'REMOVED') as by_hand,
            array_agg(r.id) filter (where r.contact_status = 'REMOVED') as removed
        from new_rows r
        where r.contact_status <> 'ARCHIVED' and (r.contact_status <> 'REMOVED' or r.status_set_by is not null)
        group by r.organization_id, r.dataset_id
        order by r.organization_id, r.dataset_id
    loop
        if v_group.by_hand is not null then
            perform private.check_international(v_group.organization_id, v_group.dataset_id, v_group.by_hand);
        end if;
        perform pg_advisory_xact_lock_shared(hashtextextended('suppressions ' || v_group.organization_id, 0));
        v_suppressed := array(select private.suppressed_numbers(v_group.organization_id, v_group.numbers));
        if v_group.removed is not null then
            -- Their opt-out has ended meanwhile.
            update public.leads l
                set contact_status = coalesce(l.previous_status, 'READY')
                where l.organization_id = v_group.organization_id
                    and l.id = any (v_group.removed)
                    and l.phone_number <> all (v_suppressed);
        end if;
        continue when v_suppressed = '{}';
        update public.leads l
            set contact_status = 'REMOVED'
            where l.organization_id = v_group.organization_id
                and l.dataset_id = v_group.dataset_id
                and l.phone_number = any (v_suppressed)
                and l.contact_status not in ('REMOVED', 'ARCHIVED');
    end loop;
    return null;
end;
$$;
comment on function private.settle_new_leads() is
    'AFTER INSERT statement trigger on leads (transition table new_rows): a lead that comes as REMOVED is an opt-out; of the others, those become REMOVED whose number opted out while they were written, those that were REMOVED for an opt-out that has ended stand again, and none may have a number that its campaign does not write to. Definer, as private.settle_lead_status. Raises 22023.';

create function private.settle_lead_number() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    if new.contact_status = 'REMOVED' then
        -- Mostly it is so because of an opt-out, and its lock may be held that comes last: nothing to wait for. None ends
        -- meanwhile, for who ends one locks this lead.
        if not exists (select from private.suppressed_numbers(new.organization_id, array[new.phone_number])) then
            perform private.keep_suppressions(new.organization_id, array[new.phone_number]);
        end if;
        return null;
    end if;
    if new.phone_number <> old.phone_number or new.dataset_id <> old.dataset_id then
        perform private.check_international(new.organization_id, new.dataset_id, array[new.phone_number]);
    end if;
    perform pg_advisory_xact_lock_shared(hashtextextended('suppressions ' || new.organization_id, 0));
    update public.leads l
        set contact_status = 'REMOVED'
        where l.organization_id = new.organization_id
            and l.id = new.id
            and l.contact_status not in ('REMOVED', 'ARCHIVED')
            and exists (select from private.suppressed_numbers(l.organization_id, array[l.phone_number]));
    return null;
end;
$$;
comment on function private.settle_lead_number() is
    'AFTER UPDATE trigger on leads: a lead that becomes REMOVED, or has another number as REMOVED, is an opt-out; one that gets another number, or comes back from ARCHIVED, becomes REMOVED when that opted out meanwhile; a campaign must write to the country of the number. Definer, as private.settle_lead_status. Raises 22023.';

-- sql/schema/leads/lead_triggers.sql

-- What the triggers on leads do for status and history. The steps themselves are lead_transitions.sql.

create function private.lead_actor() returns text
    language plpgsql stable
    set search_path = ''
as $$
begin
    if switchboard.user_id() is not null then
        return 'human';
    end if;
    return case current_setting('private.lead_actor', true) when 'ai' then 'ai' else 'system' end;
end;
$$;
comment on function private.lead_actor() is
    'Who changes a lead: human, for whoever signed in; ai, for server code that has said so; else system. Raises nothing.';

create function private.settle_lead_status() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_is_new constant boolean := tg_op = 'INSERT';
    v_actor text;
begin
    if not v_is_new and new.phone_number <> old.phone_number
        and switchboard.user_id() is not null
        and (
            old.contact_status = 'REMOVED'
            or old.contact_status = 'ARCHIVED'
                and exists (select from private.suppressed_numbers(old.organization_id, array[old.phone_number]))
        )
        and not switchboard.has_capability(old.organization_id, 'suppressions.write')
    then
        raise exception using
            errcode = '42501',
            message = 'the number of a lead that opted out is not yours to change',
            detail = 'It would carry the opt-out on to another number, or lose it.',
            hint = 'It takes suppressions.write.';
    end if;
    if new.contact_status not in ('REMOVED', 'ARCHIVED')
        and (v_is_new or new.phone_number <> old.phone_number or new.contact_status <> old.contact_status)
        and exists (select from private.suppressed_numbers(new.organization_id, array[new.phone_number]))
    then
        if not v_is_new and old.contact_status = 'REMOVED' then
            perform private.refuse_transition(old, new.contact_status, 'The contact has opted out.');
        end if;
        if v_is_new then
            new.previous_status := nullif(new.contact_status, 'READY');
            new.status_set_by := 'system';
        end if;
        new.contact_status := 'REMOVED';
    end if;
    if not v_is_new and new.phone_number <> old.phone_number and new.duplicate_of is not distinct from old.duplicate_of
        and (old.duplicate_of is not null or old.dup_seq > 0)
    then
        -- It repeats that lead no more, but another perhaps.
        new.duplicate_of := (
            select l.id from public.leads l
            where l.organization_id = new.organization_id and l.phone_number = new.phone_number and l.id <> new.id
            order by l.created_at, l.id
            limit 1
            for key share skip locked
        );
        new.duplicate_resolved_at := null;
    end if;
    if not v_is_new and new.contact_status <> old.contact_status then
        v_actor := private.lead_actor();
        perform private.check_transition(old, new.contact_status, v_actor);
        new.previous_status := case
            when new.contact_status not in ('REMOVED', 'ARCHIVED') then null
            when old.contact_status in ('REMOVED', 'ARCHIVED') then old.previous_status
            else old.contact_status
        end;
        new.status_set_by := v_actor;
        new.status_set_at := now();
    end if;
    new.archived_at := case
        when new.contact_status = 'ARCHIVED' then coalesce(new.archived_at, now())
    end;
    new.manual_mode_activated_at := case
        when new.manual_mode then coalesce(new.manual_mode_activated_at, now())
    end;
    return new;
end;
$$;
comment on function private.settle_lead_status() is
    'BEFORE trigger on leads, behind normalize_phone: a lead whose number opted out is REMOVED, whoever writes it; a status follows private.lead_transitions; archived_at, manual_mode_activated_at, previous_status and status_set_by stay true to it. Definer: whoever writes leads need not see opt-outs. Raises 23514, 42501.';

create function private.record_lead_event() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_actor constant text := private.lead_actor();
begin
    insert into public.lead_events (
        organization_id, lead_id, dataset_id, assigned_to, kind, before, after, actor, actor_id, reason
    )
        select new.organization_id, new.id, new.dataset_id, new.assigned_to, c.kind, c.before, c.after, v_actor, switchboard.user_id(),
            nullif(current_setting('private.lead_reason', true), '')
        from (values
            ('status', old.contact_status, new.contact_status),
            ('assignment', old.assigned_to::text, new.assigned_to::text),
            ('number', old.phone_number, new.phone_number)
        ) as c (kind, before, after)
        where c.before is distinct from c.after;
    return null;
end;
$$;
comment on function private.record_lead_event() is
    'AFTER UPDATE trigger on leads: one event for each of status, member and number that changed. Definer: nobody writes history by hand. Raises nothing.';

-- sql/schema/leads/leads.sql

-- Leads: the contacts in a dataset.

create table public.leads (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid not null,
    first_name text not null
        constraint leads_first_name_check check (btrim(first_name) <> '' and length(first_name) <= 200),
    last_name text
        constraint leads_last_name_check check (length(last_name) <= 200),
    phone_number text not null
        constraint leads_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text
        constraint leads_phone_input_check check (length(phone_input) <= 250),
    phone_extension text
        constraint leads_phone_extension_check check (phone_extension ~ '^[0-9]{1,20}$'),
    phone_type text
        constraint leads_phone_type_check check (phone_type in (
            'fixed_line', 'mobile', 'fixed_line_or_mobile', 'toll_free', 'premium_rate', 'shared_cost', 'voip',
            'personal_number', 'pager', 'uan', 'voicemail', 'unknown'
        )),
    region text
        constraint leads_region_check check (region ~ '^([A-Z]{2}|001)$'),
    phone_validity text
        constraint leads_phone_validity_check check (phone_validity in ('valid', 'possible', 'test_range')),
    email text
        constraint leads_email_check check (private.is_email(email)),
    postcode text
        constraint leads_postcode_check check (length(postcode) <= 20),
    outward_code text generated always as (
        upper(substring(postcode from '^\s*([A-Za-z]{1,2}[0-9][A-Za-z0-9]?)\s*[0-9][A-Za-z]{2}\s*$'))
    ) stored,
    timezone text
        constraint leads_timezone_check check (private.is_time_zone(timezone)),
    inquiry_date date,
    notes text
        constraint leads_notes_check check (length(notes) <= 10000),
    attributes jsonb not null default '{}'
        constraint leads_attributes_check
        check (jsonb_typeof(attributes) = 'object' and switchboard.json_is_bounded(attributes, 65536)),
    contact_status text not null default 'READY'
        constraint leads_contact_status_check check (contact_status in (
            'READY', 'CONTACTED_1', 'CONTACTED_2', 'CONTACTED_3', 'HOT', 'WARM', 'COLD',
            'CALL_BOOKED', 'CONVERTED', 'REMOVED', 'ARCHIVED'
        )),
    previous_status text,
    status_set_by text
        constraint leads_status_set_by_check check (status_set_by in ('human', 'ai', 'system')),
    status_set_at timestamptz,
    lead_sentiment text
        constraint leads_lead_sentiment_check
        check (lead_sentiment in ('POSITIVE', 'NEGATIVE', 'NEUTRAL', 'UNCLEAR', 'HOT')),
    m1_sent_at timestamptz,
    m2_sent_at timestamptz,
    m3_sent_at timestamptz,
    reply_received_at timestamptz,
    last_message_at timestamptz,
    install_date date,
    manual_mode boolean not null default false,
    manual_mode_activated_at timestamptz,
    archived boolean not null generated always as (archived_at is not null) stored,
    archived_at timestamptz,
    assigned_to uuid,
    latest_lead_reply text
        constraint leads_latest_lead_reply_check check (length(latest_lead_reply) <= 10000),
    conversation_summary text
        constraint leads_conversation_summary_check check (length(conversation_summary) <= 10000),
    total_messages integer not null default 0,
    duplicate_of uuid
        constraint leads_duplicate_of_check check (duplicate_of <> id),
    duplicate_resolved_at timestamptz,
    held boolean not null generated always as (duplicate_of is not null and duplicate_resolved_at is null) stored,
    dup_seq integer not null default 0
        constraint leads_dup_seq_check check (dup_seq >= 0),
    upload_id uuid,
    imported_at timestamptz,
    row_number integer
        constraint leads_row_number_check check (row_number > 0),
    consent_basis text
        constraint leads_consent_basis_check
        check (consent_basis in ('consent', 'soft_opt_in', 'legitimate_interest', 'contract')),
    consent_at timestamptz,
    last_synced_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint leads_phone_number_key unique (organization_id, dataset_id, phone_number, dup_seq),
    constraint leads_archived_at_check check ((contact_status = 'ARCHIVED') = (archived_at is not null)),
    constraint leads_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete cascade,
    constraint leads_assigned_to_fkey
        foreign key (organization_id, assigned_to)
        references public.memberships (organization_id, user_id)
        on delete set null (assigned_to),
    constraint leads_duplicate_of_fkey
        foreign key (organization_id, duplicate_of)
        references public.leads (organization_id, id)
        on delete set null (duplicate_of),
    constraint leads_upload_id_fkey
        foreign key (organization_id, upload_id)
        references public.uploads (organization_id, id)
        on delete set null (upload_id)
);
comment on table public.leads is
    'A contact in a dataset. A sales_rep sees and writes only the leads assigned to them.';
comment on column public.leads.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country.';
comment on column public.leads.phone_input is 'The number as it was given.';
comment on column public.leads.phone_extension is
    'Digits dialled after the call is answered: read from the number as it was given, or written beside it.';
comment on column public.leads.phone_type is
    'What the number''s range is for, as switchboard.phone_type says; by trigger, whenever the row is written.';
comment on column public.leads.region is
    'Where the number is of, ISO 3166 (001: no country''s); by trigger, whenever the row is written. NULL for a number in no region''s range.';
comment on column public.leads.consent_basis is
    'Why the contact may be written to. NULL: nobody said; imports without it warn.';
comment on column public.leads.consent_at is 'Since when, as far as it is known.';
comment on column public.leads.phone_validity is
    'valid, test_range (fiction: never dialled), or possible (in no assigned range); by trigger, whenever the row is written. Ages with the metadata: phone_dialable asks anew.';
comment on column public.leads.attributes is 'Columns of the file that map to no field, under their own names.';
comment on column public.leads.contact_status is
    'Where the lead stands. REMOVED is an opt-out: it stays, and public.suppressions keeps the number. A lead whose number opted out becomes REMOVED by trigger.';
comment on column public.leads.previous_status is
    'While REMOVED or ARCHIVED: where the lead stood, and where it comes back to. By trigger.';
comment on column public.leads.status_set_by is
    'Who gave it its contact_status: human, ai or system; NULL: as it came. By trigger. What a person says stands before the agent''s.';
comment on column public.leads.outward_code is 'The first half of a UK postcode, as in SW1A.';
comment on column public.leads.timezone is 'IANA; where the contact is, if it is known.';
comment on column public.leads.archived_at is 'Set by trigger while contact_status is ARCHIVED.';
comment on column public.leads.manual_mode is 'A person writes; the agent does not.';
comment on column public.leads.assigned_to is 'A member of the organization, by foreign key.';
comment on column public.leads.duplicate_of is
    'The earlier lead of the organization with the same number.';
comment on column public.leads.duplicate_resolved_at is 'When a person said what the duplicate is: resolve_duplicate.';
comment on column public.leads.held is 'A duplicate of which nobody has said yet what it is: not to be written to.';
comment on column public.leads.dup_seq is
    '0, then 1, 2 … for further leads with the same number in the dataset (duplicate_action flag and keep_both).';
comment on column public.leads.imported_at is
    'When its import, or another that merged into it, wrote it last; updated_at behind it says that somebody else did since.';
comment on column public.leads.row_number is 'The row of the file, counted from 1 without the header.';
comment on index public.leads_phone_number_key is
    'A number once per dataset and dup_seq; also leads of a dataset, and the foreign key to datasets.';
create index leads_phone_idx on public.leads (organization_id, phone_number, created_at desc);
comment on index public.leads_phone_idx is
    'Leads of the organization with this number: duplicates in import_leads, the newest lead of a caller in route_inbound_call.';
create index leads_created_at_idx on public.leads (organization_id, created_at desc, id)
    include (dataset_id, assigned_to);
comment on index public.leads_created_at_idx is
    'List of an organization''s leads, newest first; their count, for which it carries what the policies compare.';
create index leads_assigned_to_idx on public.leads (organization_id, assigned_to, created_at desc, id)
    where assigned_to is not null;
comment on index public.leads_assigned_to_idx is
    'Foreign key to memberships; list of the leads assigned to a member, newest first.';
create index leads_dataset_id_idx on public.leads (organization_id, dataset_id, created_at desc, id);
comment on index public.leads_dataset_id_idx is 'List of a dataset''s leads, newest first.';
create index leads_contact_status_idx on public.leads (organization_id, contact_status, created_at desc, id);
comment on index public.leads_contact_status_idx is 'List of the leads with a status, newest first.';
create index leads_lead_sentiment_idx on public.leads (organization_id, lead_sentiment, created_at desc, id)
    where lead_sentiment is not null;
comment on index public.leads_lead_sentiment_idx is 'List of the leads with a sentiment, newest first.';
create index leads_reply_received_at_idx on public.leads (organization_id, reply_received_at desc, id)
    where reply_received_at is not null;
comment on index public.leads_reply_received_at_idx is 'List of the leads that replied, by their last reply.';
create index leads_held_idx on public.leads (organization_id, created_at desc, id) where held;
comment on index public.leads_held_idx is 'List of the duplicates of which nobody has said yet what they are.';
create index leads_duplicate_of_idx on public.leads (organization_id, duplicate_of)
    where duplicate_of is not null;
comment on index public.leads_duplicate_of_idx is 'Foreign key to leads: duplicates of a lead.';
-- Partial: as the smallest index on the organization it would be taken for look-ups by number, while nobody has analyzed a
-- table that an import fills.
create index leads_upload_id_idx on public.leads (organization_id, upload_id, id)
    where upload_id is not null;
comment on index public.leads_upload_id_idx is 'Foreign key to uploads: leads of an import, in the order in which undo_upload goes through them.';

create index leads_search_idx on public.leads using gin (
    array_to_tsvector(switchboard.search_words(
        organization_id,
        first_name || coalesce(' ' || last_name, '') || coalesce(' ' || email, '')
            || coalesce(' ' || postcode || ' ' || replace(postcode, ' ', ''), '')
    ))
);
comment on index public.leads_search_idx is
    'Words of an organization''s leads, for search_leads; each word has its organization in front.';

create trigger normalize_phone
    before insert or update on public.leads
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization',
        'extension:phone_extension', 'type:phone_type', 'region:region', 'validity:phone_validity'
    );

-- By its name behind normalize_phone. An import has looked for opt-outs already.
create trigger settle_status_insert
    before insert on public.leads
    for each row
    when (
        new.contact_status <> 'REMOVED' and new.upload_id is null
        or new.contact_status = 'ARCHIVED' or new.archived_at is not null
        or new.manual_mode or new.manual_mode_activated_at is not null
    )
    execute function private.settle_lead_status();
create trigger settle_status_update
    before update on public.leads
    for each row
    when (
        new.contact_status is distinct from old.contact_status
        or new.phone_number is distinct from old.phone_number
        or new.archived_at is distinct from old.archived_at
        or new.manual_mode is distinct from old.manual_mode
        or new.manual_mode_activated_at is distinct from old.manual_mode_activated_at
    )
    execute function private.settle_lead_status();
-- What opts out while an import writes, settle_new_leads finds. By its name before count_… and enforce_quota, for the lock
-- on opt-outs comes before theirs: behind them, an opt-out and two inserts would wait for each other.
create trigger apply_opt_outs
    after insert on public.leads referencing new table as new_rows
    for each statement execute function private.settle_new_leads();
create trigger settle_lead_number
    after update on public.leads
    for each row
    when (
        new.contact_status <> 'ARCHIVED'
        and (
            new.phone_number <> old.phone_number
            or new.dataset_id <> old.dataset_id
            or new.contact_status <> old.contact_status
            and (new.contact_status = 'REMOVED' or old.contact_status = 'ARCHIVED')
        )
    )
    execute function private.settle_lead_number();

create trigger record_lead_event
    after update on public.leads
    for each row
    when (
        new.contact_status is distinct from old.contact_status
        or new.assigned_to is distinct from old.assigned_to
        or new.phone_number is distinct from old.phone_number
    )
    execute function private.record_lead_event();

select switchboard.track_counts(
    'public.leads', 'public.datasets',
    '{"organization_id": "organization_id", "dataset_id": "id"}',
    '{"total_leads": true, "active_leads": "archived_at is null", "hot_leads": "contact_status = ''HOT''",
        "converted_leads": "contact_status = ''CONVERTED''"}'
);

-- The foreign key finds every lead of the organization; the caller's own eyes do not. Behind row level security, so that
-- no stranger is told anything by it, and only where that binds the writer: an import writes 10,000 at once.
create function private.check_duplicate_of() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' and new.duplicate_of is not distinct from old.duplicate_of then
        return null;
    end if;
    if not exists (
        select from public.leads l where l.organization_id = new.organization_id and l.id = new.duplicate_of
    ) then
        raise exception using
            errcode = '23503',
            message = 'insert or update on table "leads" violates foreign key constraint "leads_duplicate_of_fkey"',
            detail = 'Key is not present in table "leads".',
            schema = 'public', table = 'leads', constraint = 'leads_duplicate_of_fkey';
    end if;
    return null;
end;
$$;
comment on function private.check_duplicate_of() is
    'AFTER trigger on leads: a lead that the writer may not see is answered like one that does not exist. Raises 23503 in the foreign key''s words.';
create trigger check_duplicate_of
    after insert or update of duplicate_of on public.leads
    for each row
    when (new.duplicate_of is not null and row_security_active('public.leads'::regclass))
    execute function private.check_duplicate_of();

select private.add_row_triggers('public.leads');
select private.add_tenant_policies(
    'public.leads', 'leads', dataset => 'dataset_id', own => 'assigned_to'
);
select private.add_quota('public.leads', 'leads');
select private.add_broadcast('public.leads', 'leads.read_all');

grant select, delete on public.leads
    to authenticated;
grant insert (
    organization_id, dataset_id, first_name, last_name, phone_number, phone_extension, email, postcode,
    timezone, inquiry_date, notes, attributes, contact_status, lead_sentiment, install_date, manual_mode, assigned_to,
    duplicate_of, consent_basis, consent_at
) on public.leads to authenticated;
grant update (
    dataset_id, first_name, last_name, phone_number, phone_extension, email, postcode, timezone, inquiry_date, notes,
    attributes, contact_status, lead_sentiment, install_date, manual_mode, assigned_to, duplicate_of,
    duplicate_resolved_at, consent_basis, consent_at
) on public.leads to authenticated;
-- All but the counter and the trigger's verdicts.
grant select, delete on public.leads to service_role;
grant insert (
    organization_id, id, dataset_id, first_name, last_name, phone_number, phone_input, phone_extension, email, postcode,
    timezone, inquiry_date, notes, attributes, contact_status, lead_sentiment, m1_sent_at, m2_sent_at, m3_sent_at,
    reply_received_at, last_message_at, install_date, manual_mode, manual_mode_activated_at, archived_at, assigned_to,
    latest_lead_reply, conversation_summary, duplicate_of, duplicate_resolved_at, dup_seq, upload_id, row_number, consent_basis, consent_at, last_synced_at, created_at, updated_at
) on public.leads to service_role;
grant update (
    organization_id, id, dataset_id, first_name, last_name, phone_number, phone_input, phone_extension, email, postcode,
    timezone, inquiry_date, notes, attributes, contact_status, lead_sentiment, m1_sent_at, m2_sent_at, m3_sent_at,
    reply_received_at, last_message_at, install_date, manual_mode, manual_mode_activated_at, archived_at, assigned_to,
    latest_lead_reply, conversation_summary, duplicate_of, duplicate_resolved_at, dup_seq, upload_id, row_number, consent_basis, consent_at, last_synced_at, created_at, updated_at
) on public.leads to service_role;

create function private.copy_lead_to_its_rows() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    update public.calls c
        set dataset_id = new.dataset_id, assigned_to = new.assigned_to
        where c.organization_id = new.organization_id and c.lead_id = new.id;
    update public.lead_events e
        set dataset_id = new.dataset_id, assigned_to = new.assigned_to
        where e.organization_id = new.organization_id and e.lead_id = new.id;
    return null;
end;
$$;
comment on function private.copy_lead_to_its_rows() is
    'AFTER UPDATE trigger on leads: a lead that moves to another dataset or member takes its calls and its history along. Definer: no client updates them. Raises nothing.';
create trigger copy_lead_to_its_rows
    after update on public.leads
    for each row
    when (
        new.dataset_id is distinct from old.dataset_id
        or new.assigned_to is distinct from old.assigned_to
    )
    execute function private.copy_lead_to_its_rows();

-- sql/schema/leads/lead_transitions.sql

-- Which status may follow which, and by whom: one row a step. The triggers settle_status_… on leads ask it.

create table private.lead_transitions (
    from_status text not null,
    to_status text not null,
    actor text not null
        constraint lead_transitions_actor_check check (actor in ('human', 'ai', 'system')),
    primary key (from_status, to_status, actor)
);
comment on table private.lead_transitions is
    'The steps that a lead''s contact_status may take. Not here, for they depend on the lead: from ARCHIVED and REMOVED to the status it had before. For the database owner.';
comment on column private.lead_transitions.actor is
    'human: a signed-in person; ai: server code that says so (set_lead_status); system: any other.';

select private.add_deny_policy('private.lead_transitions');

insert into private.lead_transitions (from_status, to_status, actor)
-- The sequence goes on when a provider took the message.
select v.from_status, v.to_status, 'system'
    from (values ('READY', 'CONTACTED_1'), ('CONTACTED_1', 'CONTACTED_2'), ('CONTACTED_2', 'CONTACTED_3'))
        as v (from_status, to_status)
union all
-- How warm a contact is, may be said of each that is not out; a sale needs no booking.
select f, t, a
    from unnest('{READY,CONTACTED_1,CONTACTED_2,CONTACTED_3,HOT,WARM,COLD}'::text[]) as f,
        unnest('{HOT,WARM,COLD,CALL_BOOKED,CONVERTED}'::text[]) as t,
        unnest('{human,system}'::text[]) as a
    where f <> t
union all
-- The agent judges whom it has written to.
select f, t, 'ai'
    from unnest('{CONTACTED_1,CONTACTED_2,CONTACTED_3,HOT,WARM,COLD}'::text[]) as f,
        unnest('{HOT,WARM,COLD}'::text[]) as t
    where f <> t
union all
-- A booking that was cancelled, a sale that was withdrawn.
select f, t, a
    from unnest('{CALL_BOOKED,CONVERTED}'::text[]) as f,
        unnest('{HOT,WARM,COLD,CALL_BOOKED,CONVERTED}'::text[]) as t,
        unnest('{human,system}'::text[]) as a
    where f <> t
union all
select 'ARCHIVED', t, a
    from unnest('{HOT,WARM,COLD,CALL_BOOKED,CONVERTED}'::text[]) as t, unnest('{human,system}'::text[]) as a
union all
-- Out, and at rest, is possible from everywhere. The agent hears an opt-out like anybody.
select f, 'REMOVED', a
    from unnest('{READY,CONTACTED_1,CONTACTED_2,CONTACTED_3,HOT,WARM,COLD,CALL_BOOKED,CONVERTED,ARCHIVED}'::text[]) as f,
        unnest('{human,ai,system}'::text[]) as a
union all
select f, 'ARCHIVED', a
    from unnest('{READY,CONTACTED_1,CONTACTED_2,CONTACTED_3,HOT,WARM,COLD,CALL_BOOKED,CONVERTED,REMOVED}'::text[]) as f,
        unnest('{human,system}'::text[]) as a;

create function private.refuse_transition(lead public.leads, status text, reason text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    raise exception using
        errcode = '23514',
        message = format('contact_status cannot go from %s to %s', (lead).contact_status, status),
        detail = reason,
        hint = case
            when (lead).contact_status = 'REMOVED' then 'record_opt_in takes the contact''s own word, lift_suppression ends an opt-out that was a mistake.'
            else 'docs/api.md, set_lead_status, has the table of steps.'
        end,
        schema = 'public', table = 'leads', column = 'contact_status';
end;
$$;
comment on function private.refuse_transition(public.leads, text, text) is
    'Raises 23514: the status, why not, and what else to do.';

create function private.check_transition(lead public.leads, status text, actor text) returns void
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_reason text;
begin
    if actor = 'ai' and status <> 'REMOVED' then
        if not coalesce((
            select s.auto_status_updates
            from public.datasets d
            join public.campaign_settings s on s.organization_id = d.organization_id and s.id = d.campaign_settings_id
            where d.organization_id = (lead).organization_id and d.id = (lead).dataset_id
        ), true) then
            v_reason := 'The campaign''s auto_status_updates is off.';
        elsif (lead).status_set_by = 'human' and (lead).contact_status in ('HOT', 'WARM', 'COLD') and (
            now() < (lead).status_set_at + interval '72 hours'
            or (lead).reply_received_at is null
            or (lead).reply_received_at < (lead).status_set_at
        ) then
            v_reason := 'A person has set the status: it stands for 72 hours, and until the contact''s next reply.';
        end if;
    end if;
    if v_reason is null
        and not exists (
            select from private.lead_transitions t
            where t.from_status = (lead).contact_status and t.to_status = status and t.actor = check_transition.actor
        )
        and not (
            actor <> 'ai'
            and (lead).contact_status in ('ARCHIVED', 'REMOVED')
            and status = coalesce((lead).previous_status, 'READY')
        )
    then
        v_reason := case
            when (lead).contact_status = 'REMOVED' then 'The contact has opted out.'
            else coalesce((
                select format('From there it goes to %s.', string_agg(distinct t.to_status, ', '))
                from private.lead_transitions t
                where t.from_status = (lead).contact_status and t.actor = check_transition.actor
            ), '')
        end;
    end if;
    if v_reason is not null then
        perform private.refuse_transition(lead, status, v_reason);
    end if;
end;
$$;
comment on function private.check_transition(public.leads, text, text) is
    'Whether a lead, as it stands, may get a status from human, ai or system. Raises 23514 with the reason.';

-- sql/schema/leads/lead_events.sql

-- What became of a lead: each change of its status, its member and its number, by whom and why.

create table public.lead_events (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    lead_id uuid not null,
    dataset_id uuid,
    assigned_to uuid,
    kind text not null
        constraint lead_events_kind_check check (kind in ('status', 'assignment', 'number')),
    before text,
    after text,
    actor text not null
        constraint lead_events_actor_check check (actor in ('human', 'ai', 'system')),
    actor_id uuid,
    reason text
        constraint lead_events_reason_check check (length(reason) <= 500),
    created_at timestamptz not null default clock_timestamp(),
    primary key (organization_id, id),
    constraint lead_events_lead_id_fkey
        foreign key (organization_id, lead_id)
        references public.leads (organization_id, id)
        on delete cascade
);
comment on table public.lead_events is
    'The history of a lead, seen by whoever sees the lead, gone with it. Written by trigger.';
comment on column public.lead_events.dataset_id is 'The lead''s, for the policies; kept by trigger.';
comment on column public.lead_events.assigned_to is 'The lead''s, for the policies; kept by trigger.';
comment on column public.lead_events.before is 'contact_status, assigned_to or phone_number as it was; NULL: none.';
comment on column public.lead_events.after is 'The same as it became.';
comment on column public.lead_events.actor is 'human: a signed-in person; ai: the agent, by set_lead_status; system: any other server code.';
comment on column public.lead_events.actor_id is 'The signed-in user. Without a foreign key: the event outlives the account.';
comment on column public.lead_events.reason is 'What set_lead_status or assign_leads were told.';
create index lead_events_lead_id_idx on public.lead_events (organization_id, lead_id, created_at desc, id);
comment on index public.lead_events_lead_id_idx is 'Foreign key to leads; a lead''s history, newest first.';

select private.add_row_triggers('public.lead_events');
select private.add_tenant_policies(
    'public.lead_events', 'leads', '{insert,update,delete}', dataset => 'dataset_id', own => 'assigned_to'
);

grant select on public.lead_events to authenticated;
grant select on public.lead_events to service_role;

-- sql/schema/leads/set_lead_status.sql

-- What a person does with leads beyond writing their columns: a status with its reason, and many at once to a member.

create function private.tell_lead_change(actor text, reason text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if length(reason) > 500 then
        raise exception using errcode = '22023', message = 'reason must not exceed 500 characters';
    end if;
    if actor is not null and (actor not in ('ai', 'system') or switchboard.user_id() is not null) then
        raise exception using
            errcode = '22023',
            message = 'actor must be left out, or be ai or system for server code',
            hint = 'Whoever signed in is human.';
    end if;
    perform set_config('private.lead_actor', coalesce(actor, ''), true),
        set_config('private.lead_reason', coalesce(reason, ''), true);
end;
$$;
comment on function private.tell_lead_change(text, text) is
    'Tells the triggers on leads who changes leads, and why, until it is called again or the transaction ends. Raises 22023.';
grant execute on function private.tell_lead_change(text, text) to authenticated, service_role;

create function private.set_lead_status(p_lead_id uuid, p_status text) returns public.leads
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('leads.write');
    v_lead public.leads;
begin
    if p_status is null then
        raise exception using errcode = '22023', message = 'status is required';
    end if;
    update public.leads l
        set contact_status = p_status
        where l.organization_id = v_org and l.id = p_lead_id
        returning * into v_lead;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'lead_not_found',
            detail = 'You can see no such lead in this organization, or may not change it.';
    end if;
    perform set_config('private.lead_actor', '', true), set_config('private.lead_reason', '', true);
    return v_lead;
end;
$$;
comment on function private.set_lead_status(uuid, text) is
    'Body of public.set_lead_status, behind tell_lead_change; see there.';

create function private.lock_removal(lead_id uuid, status text) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('leads.write');
begin
    if lock_removal.status = 'REMOVED' then
        perform private.lock_opt_outs(v_org, array(
            select l.phone_number from public.leads l where l.organization_id = v_org and l.id = lock_removal.lead_id
        ));
    end if;
end;
$$;
comment on function private.lock_removal(uuid, text) is
    'Before set_lead_status: what an opt-out locks, in its order, before the lead itself. Definer, for other leads have the number too. Raises PT401, PT400, PT403 (leads.write).';

create function private.keep_removal(lead public.leads) returns public.leads
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('leads.write');
begin
    if (lead).contact_status = 'REMOVED' and switchboard.user_id() is not null then
        insert into public.suppressions (organization_id, phone_number)
        select v_org, (lead).phone_number
        where not exists (
            select from public.suppressions s
            where s.organization_id = v_org
                and (
                    s.phone_number = (lead).phone_number
                    or s.phone_hash = (select private.suppression_hash(v_org, (lead).phone_number))
                )
                and s.reason in ('manual', 'complaint')
                and s.lifted_at is null
        )
        on conflict (organization_id, phone_number, channel, reason) where lifted_at is null do nothing;
    end if;
    return lead;
end;
$$;
comment on function private.keep_removal(public.leads) is
    'Behind set_lead_status: a member who says REMOVED of a number that opted out by STOP is an opt-out of their own, which START does not end. Definer, as the triggers on leads. Raises PT401, PT400, PT403 (leads.write).';

create function public.set_lead_status(lead_id uuid, status text, reason text default null, actor text default null)
    returns public.leads
    language sql volatile
    set search_path = ''
begin atomic
    select private.tell_lead_change(actor, reason);
    select private.lock_removal(lead_id, status);
    select k.*
        from private.set_lead_status(lead_id, status) as l
        cross join lateral private.keep_removal(l) as k;
end;
comment on function public.set_lead_status(uuid, text, text, text) is
    'Gives a lead a contact_status, with a reason for its history. actor is for server code: ai where the agent decided, else system. Answers the lead. Raises PT401, PT400, PT403 (leads.write), PT404 lead_not_found, 23514 for a step that the lead cannot take, 22023.';
grant execute on function private.set_lead_status(uuid, text) to authenticated, service_role;
grant execute on function private.lock_removal(uuid, text) to authenticated, service_role;
grant execute on function private.keep_removal(public.leads) to authenticated, service_role;
grant execute on function public.set_lead_status(uuid, text, text, text) to authenticated, service_role;

create function private.assign_leads(p_lead_ids uuid[], p_user_id uuid) returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    max_leads constant integer := 1000;
    v_org constant uuid := switchboard.require_organization('leads.write');
    v_count integer;
begin
    if coalesce(cardinality(p_lead_ids), 0) not between 1 and max_leads then
        raise exception using errcode = '22023', message = format('lead_ids must have 1 to %s ids', max_leads);
    end if;
    with locked as (
        select l.id from public.leads l
        where l.organization_id = v_org and l.id = any (p_lead_ids)
        order by l.id
        for no key update
    )
    update public.leads l
        set assigned_to = p_user_id
        from locked k
        where l.organization_id = v_org and l.id = k.id and l.assigned_to is distinct from p_user_id;
    get diagnostics v_count = row_count;
    perform set_config('private.lead_actor', '', true), set_config('private.lead_reason', '', true);
    return v_count;
end;
$$;
comment on function private.assign_leads(uuid[], uuid) is
    'Body of public.assign_leads, behind tell_lead_change; see there.';

create function public.assign_leads(lead_ids uuid[], user_id uuid default null, reason text default null) returns integer
    language sql volatile
    set search_path = ''
begin atomic
    select private.tell_lead_change(null, reason);
    select private.assign_leads(lead_ids, user_id);
end;
comment on function public.assign_leads(uuid[], uuid, text) is
    'Gives up to 1,000 leads to a member, or to nobody. Answers how many changed hands; leads that the caller may not change are left out. Raises PT401, PT400, PT403 (leads.write), 42501 for who may not give leads away, 23503 for no member, 22023.';
grant execute on function private.assign_leads(uuid[], uuid) to authenticated, service_role;
grant execute on function public.assign_leads(uuid[], uuid, text) to authenticated, service_role;

-- sql/schema/leads/resolve_duplicate.sql

-- A lead with the number of an earlier one is held until a person has said what it is.

create function private.resolve_duplicate(p_lead_id uuid, p_action text) returns public.leads
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('leads.write');
    v_lead public.leads;
begin
    if p_action is null or p_action not in ('keep', 'merge', 'remove') then
        raise exception using
            errcode = '22023',
            message = 'action must be keep, merge or remove',
            hint = 'keep: another contact with the same phone. merge: the earlier lead takes what it lacks, and this one is archived. remove: this one is archived.';
    end if;
    -- Both in the order of ids: two leads may repeat each other.
    perform from public.leads l
        where l.organization_id = v_org
            and l.id in (
                p_lead_id,
                (select d.duplicate_of from public.leads d where d.organization_id = v_org and d.id = p_lead_id)
            )
        order by l.id
        for no key update;
    select l.* into v_lead
        from public.leads l
        where l.organization_id = v_org and l.id = p_lead_id;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'lead_not_found',
            detail = 'You can see no such lead in this organization, or may not change it.';
    end if;
    if v_lead.duplicate_of is null then
        raise exception using
            errcode = 'PT409',
            message = 'no_duplicate',
            detail = 'The lead repeats no other.';
    end if;
    if p_action = 'merge' and exists (
        select from public.leads l
        where l.organization_id = v_org
            and l.id = v_lead.duplicate_of
            and (l.contact_status = 'ARCHIVED' or l.phone_number <> v_lead.phone_number)
    ) then
        raise exception using
            errcode = 'PT409',
            message = 'not_mergeable',
            detail = 'The earlier lead is archived, so that nobody would write to the contact, or has another number by now.',
            hint = 'keep takes this lead for the contact.';
    end if;
    if p_action = 'merge' then
        update public.leads l
            set last_name = coalesce(l.last_name, v_lead.last_name),
                phone_extension = coalesce(l.phone_extension, v_lead.phone_extension),
                email = coalesce(l.email, v_lead.email),
                postcode = coalesce(l.postcode, v_lead.postcode),
                inquiry_date = coalesce(l.inquiry_date, v_lead.inquiry_date),
                install_date = coalesce(l.install_date, v_lead.install_date),
                consent_basis = coalesce(l.consent_basis, v_lead.consent_basis),
                consent_at = coalesce(l.consent_at, v_lead.consent_at),
                notes = case
                    when v_lead.notes is null or position(e'\n' || v_lead.notes || e'\n' in e'\n' || l.notes || e'\n') > 0 then l.notes
                    else left(concat_ws(e'\n', l.notes, v_lead.notes), 10000)
                end,
                attributes = case
                    when switchboard.json_is_bounded(v_lead.attributes || l.attributes, 65536)
                        then v_lead.attributes || l.attributes
                    else l.attributes
                end
            where l.organization_id = v_org and l.id = v_lead.duplicate_of;
        if not found then
            raise exception using
                errcode = 'PT403',
                message = 'forbidden',
                detail = 'The earlier lead is not yours to change.',
                hint = 'Somebody who may write it merges the two.';
        end if;
    end if;
    update public.leads l
        set duplicate_resolved_at = now(),
            contact_status = case when p_action = 'keep' or l.contact_status = 'REMOVED' then l.contact_status else 'ARCHIVED' end
        where l.organization_id = v_org and l.id = v_lead.id
        returning * into v_lead;
    return v_lead;
end;
$$;
comment on function private.resolve_duplicate(uuid, text) is
    'Body of public.resolve_duplicate; see there.';

create function public.resolve_duplicate(lead_id uuid, action text) returns public.leads
    language sql volatile
    set search_path = ''
begin atomic
    select private.resolve_duplicate(lead_id, action);
end;
comment on function public.resolve_duplicate(uuid, text) is
    'Ends the hold of a lead that repeats another''s number. keep: it is another contact; merge: the earlier lead takes the fields that it lacks, the notes and further attributes, and this one is archived; remove: archived. Nothing is deleted. Answers the lead. Raises PT401, PT400, PT403 (leads.write, or the earlier lead), PT404 lead_not_found, PT409 no_duplicate, not_mergeable, 22023.';
grant execute on function private.resolve_duplicate(uuid, text) to authenticated, service_role;
grant execute on function public.resolve_duplicate(uuid, text) to authenticated, service_role;

-- sql/schema/leads/opt_ins.sql

-- How an opt-out ends: by the contact's own word, or as a mistake that somebody answers for.

create function private.require_whole_scope() returns void
    language plpgsql stable
    set search_path = ''
as $$
begin
    if switchboard.dataset_scope() is not null then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'It concerns every dataset, and you work in some.',
            hint = 'A member without a dataset scope does it.';
    end if;
end;
$$;
comment on function private.require_whole_scope() is
    'For what concerns all datasets of an organization. Raises PT403 for a member who works in some of them.';

create function private.lift_suppressions(
    org uuid, number text, reasons text[], erased_reasons text[], lift_reason text
) returns jsonb
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_lifted integer;
    v_kept integer;
    v_leads integer := 0;
begin
    perform private.lock_opt_outs(org, array[number]);
    update public.suppressions s
        set lifted_at = greatest(now(), s.created_at), lifted_by = switchboard.user_id(),
            lift_reason = left(lift_suppressions.lift_reason, 500)
        where s.organization_id = org
            and s.lifted_at is null
            and (
                s.reason = any (reasons) and s.phone_number = number
                or s.reason = any (erased_reasons) and s.phone_hash = (select private.suppression_hash(org, number))
            );
    get diagnostics v_lifted = row_count;
    select count(*) into v_kept from private.suppressed_numbers(org, array[number]);
    if v_lifted > 0 and v_kept = 0 then
        perform private.tell_lead_change(null, lift_suppressions.lift_reason);
        update public.leads l
            set contact_status = coalesce(l.previous_status, 'READY')
            where l.organization_id = org and l.phone_number = number and l.contact_status = 'REMOVED';
        get diagnostics v_leads = row_count;
        perform private.tell_lead_change(null, null);
    end if;
    return jsonb_build_object(
        'phone_number', number, 'lifted', v_lifted, 'is_suppressed', v_kept > 0, 'leads', v_leads);
end;
$$;
comment on function private.lift_suppressions(uuid, text, text[], text[], text) is
    'Ends the opt-outs of a number that have one of the reasons, and those of it as an erased person''s; when none is left, its leads stand where they stood before. Raises 22023 for a reason over 500 characters.';

create function private.record_opt_in(p_phone_number text, p_reason text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    by_word constant text[] := array['keyword', 'provider', 'erasure'];
    v_org constant uuid := switchboard.require_organization('suppressions.write');
    -- Of who was erased there is no row to point at: a person who may lift opt-outs names the number, and why. Not server
    -- code, which passes on what the contact wrote.
    v_may_lift constant boolean := btrim(coalesce(p_reason, '')) <> ''
        and switchboard.user_id() is not null
        and switchboard.has_capability(v_org, 'suppressions.lift');
    v_number text;
begin
    perform private.require_whole_scope();
    if length(p_reason) > 500 then
        raise exception using errcode = '22023', message = 'reason must not exceed 500 characters';
    end if;
    v_number := private.read_one_phone(v_org, p_phone_number);
    return private.lift_suppressions(
        v_org, v_number, by_word, by_word || case when v_may_lift then array['manual', 'complaint'] end, p_reason);
end;
$$;
comment on function private.record_opt_in(text, text) is
    'Body of public.record_opt_in; see there. Definer: nobody writes lifted_at by hand, and the number''s leads may be others''.';

create function public.record_opt_in(phone_number text, reason text default null) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.record_opt_in(phone_number, reason);
end;
comment on function public.record_opt_in(text, text) is
    'The contact''s own word that they may be written to again (START). Ends opt-outs by keyword, provider and erasure; a member''s and a complaint stay (lift_suppression), but for an erased person''s, with a reason and suppressions.lift. Answers {phone_number, lifted, is_suppressed, leads}: leads that stand again where they stood. Raises PT401, PT400, PT403 (suppressions.write, whole scope), 22023.';
grant execute on function private.record_opt_in(text, text) to authenticated, service_role;
grant execute on function public.record_opt_in(text, text) to authenticated, service_role;

create function private.lift_suppression(p_suppression_id uuid, p_reason text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('suppressions.lift');
    v_suppression public.suppressions;
begin
    perform private.require_whole_scope();
    if btrim(coalesce(p_reason, '')) = '' or length(p_reason) > 500 then
        raise exception using
            errcode = '22023',
            message = 'reason must have 1 to 500 characters',
            hint = 'It stays with the opt-out.';
    end if;
    select s.* into v_suppression
        from public.suppressions s
        where s.organization_id = v_org and s.id = p_suppression_id and s.lifted_at is null;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'suppression_not_found',
            detail = 'The organization has no opt-out with this id that is still in force.';
    end if;
    if v_suppression.phone_number is null then
        raise exception using
            errcode = 'PT409',
            message = 'person_erased',
            detail = 'Whose number this is, nobody knows any more.',
            hint = 'When they say so themselves, record_opt_in with their number and a reason ends it.';
    end if;
    return private.lift_suppressions(v_org, v_suppression.phone_number, array[v_suppression.reason], '{}', p_reason);
end;
$$;
comment on function private.lift_suppression(uuid, text) is
    'Body of public.lift_suppression; see there. Definer: nobody writes lifted_at by hand, and the number''s leads may be others''.';

create function public.lift_suppression(suppression_id uuid, reason text) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.lift_suppression(suppression_id, reason);
end;
comment on function public.lift_suppression(uuid, text) is
    'Ends an opt-out that was a mistake, with those of the same number and kind. The reason stays with it, and the audit log has who did it. Answers as record_opt_in. Raises PT401, PT400, PT403 (suppressions.lift, whole scope), PT404 suppression_not_found, PT409 person_erased, 22023.';
grant execute on function private.lift_suppression(uuid, text) to authenticated, service_role;
grant execute on function public.lift_suppression(uuid, text) to authenticated, service_role;

-- sql/schema/leads/archive_due_datasets.sql

-- A campaign that is over is put away by itself.

create function private.archive_due_datasets() returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_count integer;
begin
    update public.datasets d
        set archived_at = now()
        where d.archived_at is null
            and d.campaign_end_at < now() - make_interval(days => d.auto_archive_after_days)
            and d.hot_leads = 0
            and not exists (
                select from public.leads l
                where l.organization_id = d.organization_id
                    and l.dataset_id = d.id
                    and l.last_message_at >= now() - make_interval(days => d.auto_archive_after_days)
            );
    get diagnostics v_count = row_count;
    return v_count;
end;
$$;
comment on function private.archive_due_datasets() is
    'For cron and the database owner. Archives datasets whose campaign ended, and in which nobody wrote, auto_archive_after_days ago; never one with HOT leads. Answers how many. Raises nothing.';

-- sql/schema/leads/search_leads.sql

-- Lists of leads, and finding one: by words of name, e-mail and postcode, by any spelling of the number, by filters, page
-- by page.
--
-- As definer: text search is not leak-proof, so PostgreSQL would not use its index below row level security. The body asks
-- what the policies ask, and a member who sees only the own leads reads an index of them.

create type private.lead_filters as (
    dataset_id uuid,
    contact_status text[],
    lead_sentiment text[],
    assigned_to uuid,
    is_assigned boolean,
    is_held boolean,
    is_archived boolean,
    upload_id uuid,
    created_from timestamptz,
    created_before timestamptz
);
comment on type private.lead_filters is 'What search_leads and export_leads take as filters, by these names; NULL: any.';

create function private.lead_filters(filters jsonb) returns private.lead_filters
    language plpgsql immutable
    set search_path = ''
as $$
declare
    known constant text[] := array[
        'dataset_id', 'contact_status', 'lead_sentiment', 'assigned_to', 'is_assigned', 'is_held', 'is_archived',
        'upload_id', 'created_from', 'created_before'
    ];
    v_given jsonb := coalesce(nullif(filters, 'null'), '{}');
    v_name text;
begin
    if not switchboard.json_is_bounded(v_given, 65536) or jsonb_typeof(v_given) <> 'object' then
        raise exception using errcode = '22023', message = 'filters must be a JSON object of at most 64 kB';
    end if;
    perform private.require_known_keys(v_given, known, 'filter');
    -- One status or several.
    foreach v_name in array array['contact_status', 'lead_sentiment'] loop
        if jsonb_typeof(v_given -> v_name) = 'string' then
            v_given := jsonb_set(v_given, array[v_name], jsonb_build_array(v_given -> v_name));
        end if;
    end loop;
    begin
        return jsonb_populate_record(null::private.lead_filters, v_given);
    exception
        when data_exception or program_limit_exceeded then
            raise exception using
                errcode = '22023',
                message = format('a filter has a value of another kind: %s', left(sqlerrm, 200)),
                hint = 'contact_status and lead_sentiment are a text or an array of texts, is_… true or false, created_… times.';
    end;
end;
$$;
comment on function private.lead_filters(jsonb) is
    'Filters as they were given, read. Raises 22023 for an unknown one and for a value of another kind.';

create function private.search_words(org uuid, query text) returns tsquery
    language sql immutable
    set search_path = ''
begin atomic
    -- A whole address as it is: com begins a word of nearly every lead.
    select string_agg(quote_literal(w) || case when private.is_email(query) then '' else ':*' end, ' & ')::tsquery
        from unnest(switchboard.search_words(org, query)) as w;
end;
comment on function private.search_words(uuid, text) is
    'A query for the index leads_search_idx: every word, each by its beginning, or as it is for a whole e-mail address; NULL for a text without words. Raises nothing.';

create function private.find_leads(
    org uuid, query text, filters private.lead_filters, after_created_at timestamptz, after_id uuid, page_size integer
) returns setof public.leads
    language plpgsql stable
    set search_path = ''
    set jit = off
    -- A condition that is not asked for is gone when the statement is planned.
    set plan_cache_mode = force_custom_plan
as $$
declare
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_own constant uuid := case
        when switchboard.organization_for('leads.read_all') is null then switchboard.user_id()
    end;
    v_asks constant boolean := coalesce(btrim(query), '') <> '';
    -- One status is a list of its own, in the order of an index.
    v_status constant text := case
        when cardinality(filters.contact_status) = 1 then filters.contact_status[1]
        when filters.is_archived and filters.contact_status is null then 'ARCHIVED'
    end;
    v_words tsquery;
    v_numbers text[];
begin
    -- A word of one letter matches most of a large list.
    if length(query) > 200 or cardinality(switchboard.search_words(org, query)) > 10 then
        raise exception using errcode = '22023', message = 'query must not exceed 200 characters and 10 words';
    end if;
    v_words := private.search_words(org, query);
    if query ~ '^\s*(tel:)?[+(]?[0-9][0-9 ()./-]{4,}$' then
        v_numbers := private.phone_readings(query, (select o.default_country from public.organizations o where o.id = org));
    end if;
    return query
        select l.*
        from public.leads l
        where l.organization_id = org
            and (v_scope is null or l.dataset_id = any (v_scope))
            and (v_own is null or l.assigned_to = v_own)
            and (
                not v_asks
                -- What is known to be false when it is planned is not asked of each row.
                or v_numbers is not null and l.phone_number = any (v_numbers)
                or array_to_tsvector(switchboard.search_words(
                    l.organization_id,
                    l.first_name || coalesce(' ' || l.last_name, '') || coalesce(' ' || l.email, '')
                        || coalesce(' ' || l.postcode || ' ' || replace(l.postcode, ' ', ''), '')
                )) @@ v_words
            )
            and (filters.dataset_id is null or l.dataset_id = filters.dataset_id)
            and (v_status is null or l.contact_status = v_status)
            and (v_status is not null or filters.contact_status is null or l.contact_status = any (filters.contact_status))
            and (filters.lead_sentiment is null or l.lead_sentiment = any (filters.lead_sentiment))
            and (filters.assigned_to is null or l.assigned_to = filters.assigned_to)
            and (filters.is_assigned is null or (l.assigned_to is not null) = filters.is_assigned)
            and (filters.is_held is null or case when filters.is_held then l.held else not l.held end)
            and (filters.is_archived is null or (l.archived_at is not null) = filters.is_archived)
            and (filters.upload_id is null or l.upload_id = filters.upload_id)
            and (filters.created_from is null or l.created_at >= filters.created_from)
            and (filters.created_before is null or l.created_at < filters.created_before)
            and (
                after_created_at is null
                or l.created_at <= after_created_at and (l.created_at < after_created_at or l.id > after_id)
            )
        order by l.created_at desc, l.id
        limit page_size;
end;
$$;
comment on function private.find_leads(uuid, text, private.lead_filters, timestamptz, uuid, integer) is
    'Leads of an organization that the caller may see, newest first, from behind a lead on. For definer bodies that have asked for the right to read. Raises 22023 for a query over 200 characters or 10 words.';

create type private.lead_cursor as (created_at timestamptz, id uuid);
comment on type private.lead_cursor is 'The last lead of a page, where the next begins.';

create function private.lead_cursor(after jsonb) returns private.lead_cursor
    language plpgsql immutable
    set search_path = ''
as $$
begin
    if after is null or after = 'null' then
        return null;
    end if;
    if switchboard.json_is_bounded(after, 1000)
        and jsonb_typeof(after -> 'created_at') = 'string' and jsonb_typeof(after -> 'id') = 'string'
    then
        begin
            return jsonb_populate_record(null::private.lead_cursor, after);
        exception
            when data_exception then
                null;
        end;
    end if;
    raise exception using
        errcode = '22023',
        message = 'after must be {"created_at": …, "id": …} of the last lead of the page before';
end;
$$;
comment on function private.lead_cursor(jsonb) is 'Reads where a page begins. Raises 22023.';

create function private.search_leads(p_query text, p_filters jsonb, p_after jsonb, p_page_size integer)
    returns setof public.leads
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('leads.read');
    v_cursor constant private.lead_cursor := private.lead_cursor(p_after);
begin
    if p_page_size is null or p_page_size not between 1 and 500 then
        raise exception using errcode = '22023', message = 'page_size must be 1 to 500';
    end if;
    return query select l.* from private.find_leads(
        v_org, p_query, private.lead_filters(p_filters), v_cursor.created_at, v_cursor.id, p_page_size) as l;
end;
$$;
comment on function private.search_leads(text, jsonb, jsonb, integer) is
    'Body of public.search_leads; see there. Definer: PostgreSQL would not use an index for text search below the policies; it asks what they ask.';

create function public.search_leads(
    query text default null, filters jsonb default '{}', after jsonb default null, page_size integer default 50
) returns setof public.leads
    language sql stable
    set search_path = ''
begin atomic
    select l.* from private.search_leads(query, filters, after, page_size) as l;
end;
comment on function public.search_leads(text, jsonb, jsonb, integer) is
    'Leads that the caller may see, newest first. query: beginnings of words of name, e-mail and postcode, or a phone number in any spelling. filters: an object of the fields of private.lead_filters (dataset_id, contact_status, assigned_to, is_archived …). after: {created_at, id} of the last lead of the page before. Raises PT401, PT400, PT403 (leads.read), 22023.';
grant execute on function private.search_leads(text, jsonb, jsonb, integer) to authenticated, service_role;
grant execute on function public.search_leads(text, jsonb, jsonb, integer) to authenticated, service_role;

-- sql/schema/leads/exports.sql

-- Exports: files of leads that somebody asked for. The file itself lies in the bucket exports until it expires.

create table public.exports (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    query text
        constraint exports_query_check check (length(query) <= 200),
    filters jsonb not null default '{}'
        constraint exports_filters_check
        check (jsonb_typeof(filters) = 'object' and switchboard.json_is_bounded(filters, 65536)),
    attribute_names text[] not null default '{}',
    status text not null default 'running'
        constraint exports_status_check check (status in ('running', 'ready', 'failed')),
    rows_written integer not null default 0
        constraint exports_rows_written_check check (rows_written >= 0),
    storage_path text
        constraint exports_storage_path_check check (length(storage_path) <= 500),
    file_size bigint
        constraint exports_file_size_check check (file_size >= 0),
    problem text
        constraint exports_problem_check check (length(problem) <= 500),
    created_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint exports_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id)
);
comment on table public.exports is
    'A CSV file of leads: what it was asked for, how far it is, where it lies and until when. Written by create_export, export_leads and finish_export.';
comment on column public.exports.dataset_id is 'The dataset that it is of; NULL: of all, or of one that is deleted, for members without a dataset scope.';
comment on column public.exports.query is 'As for search_leads; erase_person takes it away, for it may name somebody.';
comment on column public.exports.filters is 'As for search_leads.';
comment on column public.exports.attribute_names is 'The leads'' attributes that become columns behind the fields.';
comment on column public.exports.storage_path is 'In the bucket exports.';
comment on column public.exports.expires_at is 'Until then whoever has exports.read reads the file; the next export deletes it.';
create index exports_created_at_idx on public.exports (organization_id, created_at desc, id);
comment on index public.exports_created_at_idx is 'List of an organization''s exports, newest first.';
create unique index exports_storage_path_key on public.exports (organization_id, storage_path);
comment on index public.exports_storage_path_key is 'The export of a file, for the policy of storage.objects.';
create index exports_dataset_id_idx on public.exports (organization_id, dataset_id) where dataset_id is not null;
comment on index public.exports_dataset_id_idx is 'Foreign key to datasets.';
create index exports_created_by_idx on public.exports (created_by);
comment on index public.exports_created_by_idx is 'Foreign key to auth.users.';

select private.add_row_triggers('public.exports');
select private.add_tenant_policies('public.exports', 'exports', '{insert,update,delete}', dataset => 'dataset_id');
select private.add_audit('public.exports', '{query}', '{rows_written,status,file_size,problem}');

grant select on public.exports to authenticated;
-- The edge function deletes a row with its file.
grant select, delete on public.exports to service_role;

-- sql/schema/leads/export_leads.sql

-- An export goes page by page, so that neither the database nor who writes the file holds it whole: create_export says what,
-- export_leads answers the next lines until there are none, finish_export says where the file lies.

create function private.create_export(p_query text, p_filters jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    max_attributes constant integer := 200;
    -- To look at every lead of a million would take longer than a request may.
    max_looked_at constant integer := 50000;
    max_exports constant integer := 100;
    keeps constant interval := make_interval(hours => 24);
    v_org constant uuid := switchboard.require_organization('exports.write');
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_filters private.lead_filters := private.lead_filters(p_filters);
    v_export public.exports;
begin
    perform switchboard.require_organization('leads.read');
    -- Storage asks for it as well.
    perform switchboard.require_organization('exports.read');
    -- The file is everybody's who may read exports.
    perform switchboard.require_organization('leads.read_all');
    if v_scope is not null and (v_filters.dataset_id is null or v_filters.dataset_id <> all (v_scope)) then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'You work in some datasets only.',
            hint = 'Export one of them: filters {"dataset_id": …}.';
    end if;
    if v_filters.dataset_id is not null and not exists (
        select from public.datasets d where d.organization_id = v_org and d.id = v_filters.dataset_id
    ) then
        raise exception using
            errcode = 'PT404',
            message = 'dataset_not_found',
            detail = 'You can see no dataset with this id in this organization.';
    end if;
    if (select count(*) from public.exports e where e.organization_id = v_org and e.expires_at > now() and e.status <> 'failed') >= max_exports then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_exports',
            detail = format('The organization has %s files that have not expired.', max_exports),
            hint = 'Each expires after a day. Export more in one file.';
    end if;
    insert into public.exports as e (
        organization_id, id, dataset_id, query, filters, attribute_names, storage_path, expires_at
    )
    select v_org, i.id, v_filters.dataset_id, p_query, coalesce(nullif(p_filters, 'null'), '{}'),
        array(
            select k
            from private.find_leads(v_org, p_query, v_filters, null, null, max_looked_at) as l
            cross join lateral jsonb_object_keys(l.attributes) as k
            where length(k) <= 500
            group by k
            order by k
            limit max_attributes
        ),
        concat_ws('/', v_org, v_filters.dataset_id, format('leads-%s-%s.csv', to_char(now(), 'YYYYMMDD-HH24MI'), left(i.id::text, 8))),
        now() + keeps
    from (select gen_random_uuid() as id) as i
    returning * into strict v_export;
    return jsonb_build_object('export_id', v_export.id, 'storage_path', v_export.storage_path, 'expires_at', v_export.expires_at);
end;
$$;
comment on function private.create_export(text, jsonb) is
    'Body of public.create_export; see there. Definer: clients write no export.';

create function public.create_export(query text default null, filters jsonb default '{}') returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.create_export(query, filters);
end;
comment on function public.create_export(text, jsonb) is
    'Begins a CSV file of leads; query and filters as for search_leads. Answers {export_id, storage_path, expires_at}. Raises PT401, PT400, PT403 (exports.write, exports.read, leads.read_all; a member with a dataset scope names one), PT404 dataset_not_found, PT429 too_many_exports (100 files that have not expired), 22023.';
grant execute on function private.create_export(text, jsonb) to authenticated, service_role;
grant execute on function public.create_export(text, jsonb) to authenticated, service_role;

create function private.running_export(org uuid, export_id uuid) returns public.exports
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_export public.exports;
begin
    perform switchboard.require_organization('leads.read_all');
    select e.* into v_export
        from public.exports e
        where e.organization_id = org
            and e.id = running_export.export_id
            and (v_scope is null or e.dataset_id = any (v_scope))
            and e.created_by is not distinct from switchboard.user_id()
        for no key update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'export_not_found',
            detail = 'You have begun no export with this id in this organization.';
    end if;
    if v_export.status <> 'running' or v_export.expires_at < now() then
        raise exception using
            errcode = 'PT409',
            message = 'export_over',
            detail = format('The export is %s.', case when v_export.expires_at < now() then 'expired' else v_export.status end),
            hint = 'create_export begins another.';
    end if;
    return v_export;
end;
$$;
comment on function private.running_export(uuid, uuid) is
    'An export that the caller is writing, locked. Raises PT403 (leads.read_all), PT404 export_not_found, PT409 export_over.';

create function private.export_leads(p_export_id uuid, p_after jsonb, p_page_size integer) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    fields constant text[] := array[
        'first_name', 'last_name', 'phone_number', 'phone_extension', 'email', 'postcode', 'inquiry_date', 'notes', 'dataset',
        'contact_status', 'lead_sentiment', 'assigned_to', 'consent_basis', 'consent_at', 'last_message_at', 'created_at'
    ];
    -- With a T between, a spreadsheet leaves a time alone.
    iso constant text := 'YYYY-MM-DD"T"HH24:MI:SS"Z"';
    v_export constant public.exports := private.running_export(
        switchboard.require_organization('exports.write'), p_export_id);
    v_cursor constant private.lead_cursor := private.lead_cursor(p_after);
    v_csv text;
    v_rows integer;
    v_next jsonb;
begin
    if p_page_size is null or p_page_size not between 1 and 2000 then
        raise exception using errcode = '22023', message = 'page_size must be 1 to 2000';
    end if;
    with page as materialized (
        select l.*, row_number() over (order by l.created_at desc, l.id) as nth
        from private.find_leads(
            v_export.organization_id, v_export.query, private.lead_filters(v_export.filters),
            v_cursor.created_at, v_cursor.id, p_page_size
        ) as l
    )
    select
        string_agg(switchboard.csv_line(array[
            p.first_name, p.last_name, p.phone_number, p.phone_extension, p.email, p.postcode, p.inquiry_date::text,
            p.notes, d.name, p.contact_status, p.lead_sentiment, u.email, p.consent_basis,
            to_char(p.consent_at at time zone 'UTC', iso), to_char(p.last_message_at at time zone 'UTC', iso),
            to_char(p.created_at at time zone 'UTC', iso)
        ] || array(
            select p.attributes ->> a.name from unnest(v_export.attribute_names) with ordinality as a (name, place) order by a.place
        )), e'\r\n' order by p.nth),
        count(*),
        case when count(*) = p_page_size then (
            select jsonb_build_object('created_at', z.created_at, 'id', z.id) from page z order by z.nth desc limit 1
        ) end
        into strict v_csv, v_rows, v_next
        from page p
        join public.datasets d on d.organization_id = p.organization_id and d.id = p.dataset_id
        left join auth.users u on u.id = p.assigned_to;
    update public.exports e
        set rows_written = case when p_after is null then 0 else e.rows_written end + v_rows
        where e.organization_id = v_export.organization_id and e.id = v_export.id;
    return jsonb_build_object(
        'csv', concat(
            case when p_after is null then switchboard.csv_line(fields || array(
                -- No two columns of one name.
                select case when a.name = any (fields) then 'attributes.' else '' end || a.name
                from unnest(v_export.attribute_names) with ordinality as a (name, place)
                order by a.place
            )) || e'\r\n' end,
            v_csv || e'\r\n'
        ),
        'rows', v_rows,
        'next', v_next
    );
end;
$$;
comment on function private.export_leads(uuid, jsonb, integer) is
    'Body of public.export_leads; see there. Definer: it names a lead''s member by the address of auth.users, and counts what it wrote.';

create function public.export_leads(export_id uuid, after jsonb default null, page_size integer default 1000) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.export_leads(export_id, after, page_size);
end;
comment on function public.export_leads(uuid, jsonb, integer) is
    'The next lines of an export: {csv, rows, next}. The first page, without after, begins with the header; next is the after of the following one, null when there is none. A cell that a spreadsheet would run or turn into another number is made safe. Raises PT401, PT400, PT403 (exports.write, leads.read_all), PT404 export_not_found, PT409 export_over, 22023.';
grant execute on function private.export_leads(uuid, jsonb, integer) to authenticated, service_role;
grant execute on function public.export_leads(uuid, jsonb, integer) to authenticated, service_role;

create function private.finish_export(p_export_id uuid, p_file_size bigint, p_problem text) returns public.exports
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_export public.exports := private.running_export(switchboard.require_organization('exports.write'), p_export_id);
begin
    if p_file_size < 0 then
        raise exception using errcode = '22023', message = 'file_size must not be negative';
    end if;
    update public.exports e
        set status = case when p_problem is null then 'ready' else 'failed' end,
            file_size = p_file_size,
            problem = left(p_problem, 500)
        where e.organization_id = v_export.organization_id and e.id = v_export.id
        returning * into strict v_export;
    return v_export;
end;
$$;
comment on function private.finish_export(uuid, bigint, text) is
    'Body of public.finish_export; see there. Definer: clients write no export.';

create function public.finish_export(export_id uuid, file_size bigint default null, problem text default null)
    returns public.exports
    language sql volatile
    set search_path = ''
begin atomic
    select private.finish_export(export_id, file_size, problem);
end;
comment on function public.finish_export(uuid, bigint, text) is
    'The file of an export lies at its storage_path, or will not, for that problem. Answers the export. Raises PT401, PT400, PT403 (exports.write, leads.read_all), PT404 export_not_found, PT409 export_over, 22023.';
grant execute on function private.finish_export(uuid, bigint, text) to authenticated, service_role;
grant execute on function public.finish_export(uuid, bigint, text) to authenticated, service_role;

-- sql/schema/leads/upload_rows.sql

-- Upload rows: the rows of a file that made no lead though nothing was wrong with them, because their number was there
-- already or had opted out. A row that became a lead is that lead (leads.upload_id, row_number).

create table public.upload_rows (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    upload_id uuid not null,
    dataset_id uuid,
    row_number integer not null
        constraint upload_rows_row_number_check check (row_number > 0),
    decision text not null
        constraint upload_rows_decision_check check (decision in ('merged', 'skipped', 'suppressed')),
    lead_id uuid,
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint upload_rows_upload_id_fkey
        foreign key (organization_id, upload_id)
        references public.uploads (organization_id, id)
        on delete cascade,
    constraint upload_rows_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id),
    constraint upload_rows_lead_id_fkey
        foreign key (organization_id, lead_id)
        references public.leads (organization_id, id)
        on delete set null (lead_id)
);
comment on table public.upload_rows is
    'A row of an import that became no lead of its own, and the lead that it repeats. Written by imports; for members who read all leads, in their datasets. Goes with its upload.';
comment on column public.upload_rows.dataset_id is 'The upload''s dataset, for the policies.';
comment on column public.upload_rows.row_number is 'The row of the file, counted from 1 without the header.';
comment on column public.upload_rows.lead_id is 'The lead with the same number, if the importer could see one.';
create index upload_rows_upload_id_idx on public.upload_rows (organization_id, upload_id, row_number);
comment on index public.upload_rows_upload_id_idx is 'Foreign key to uploads; rows of an upload in their order.';
create index upload_rows_dataset_id_idx on public.upload_rows (organization_id, dataset_id)
    where dataset_id is not null;
comment on index public.upload_rows_dataset_id_idx is 'Foreign key to datasets.';
create index upload_rows_lead_id_idx on public.upload_rows (organization_id, lead_id)
    where lead_id is not null;
comment on index public.upload_rows_lead_id_idx is 'Foreign key to leads.';

select private.add_row_triggers('public.upload_rows');
select private.add_tenant_policies('public.upload_rows', 'uploads', '{insert,update,delete}', dataset => 'dataset_id');
alter policy upload_rows_select on public.upload_rows using (
    organization_id = (select switchboard.organization_for('uploads.read'))
    and (select switchboard.organization_for('leads.read_all')) is not null
    and (
        (select 1 where switchboard.dataset_scope() is null) is not null
        or dataset_id = any ((select switchboard.dataset_scope())::uuid[])
    )
);

grant select on public.upload_rows to authenticated;
grant select, insert, update, delete on public.upload_rows to service_role;

-- sql/schema/leads/import_options.sql

-- What holds for an import: what the caller says, else the campaign's settings, else ours.

create function private.import_options(org uuid, scope uuid[], dataset uuid, given jsonb) returns jsonb
    language plpgsql stable
    set search_path = ''
as $$
declare
    known constant text[] := array[
        'mapping', 'duplicate_action', 'required_fields', 'auto_normalize_uk_numbers', 'allow_international',
        'encoding', 'delimiter', 'filename'
    ];
    v_bad text;
    v_given jsonb := coalesce(given, '{}');
    v_options jsonb;
begin
    if not switchboard.json_is_bounded(v_given, 65536) then
        raise exception using errcode = '22023', message = 'options must not exceed 64 kB of JSON text';
    end if;
    if jsonb_typeof(v_given) <> 'object' then
        raise exception using errcode = '22023', message = 'options must be a JSON object';
    end if;
    perform private.require_known_keys(v_given, known, 'option');
    select min(k) into v_bad
        from unnest(array['auto_normalize_uk_numbers', 'allow_international']) as k
        where jsonb_typeof(v_given -> k) not in ('boolean', 'null');
    if v_bad is not null then
        raise exception using errcode = '22023', message = format('options.%s must be true or false', v_bad);
    end if;
    select jsonb_build_object(
            'duplicate_action', coalesce(s.duplicate_action, 'flag'),
            'auto_normalize_uk_numbers', coalesce(s.auto_normalize_uk_numbers, true),
            'allow_international', coalesce(s.allow_international, false),
            'required_fields', coalesce(s.required_fields, '[]')
        ) || jsonb_strip_nulls(v_given - 'filename' - 'mapping')
        || jsonb_build_object(
            'mapping', coalesce(nullif(v_given -> 'mapping', 'null'), d.column_mapping),
            'country', o.default_country
        )
        into v_options
        from public.datasets d
        join public.organizations o on o.id = d.organization_id
        left join public.campaign_settings s
            on s.organization_id = d.organization_id and s.id = d.campaign_settings_id
        where d.organization_id = org
            and d.id = dataset
            and (import_options.scope is null or d.id = any (import_options.scope));
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'dataset_not_found',
            detail = 'You have no dataset with this id in this organization.';
    end if;
    if v_options ->> 'duplicate_action' not in ('flag', 'skip', 'merge', 'keep_both')
        or jsonb_typeof(v_options -> 'duplicate_action') <> 'string'
    then
        raise exception using
            errcode = '22023',
            message = 'options.duplicate_action must be flag, skip, merge or keep_both';
    end if;
    if jsonb_typeof(v_options -> 'required_fields') <> 'array' then
        raise exception using errcode = '22023', message = 'options.required_fields must be a JSON array';
    end if;
    v_options := v_options || jsonb_build_object('required_fields', (
        select jsonb_agg(distinct f)
        from jsonb_array_elements(v_options -> 'required_fields' || '["first_name", "phone_number"]') as f
    ));
    -- The rest is parse_lead's to say.
    perform 1 from switchboard.parse_lead('{}', private.lead_options(v_options));
    return v_options;
end;
$$;
comment on function private.import_options(uuid, uuid[], uuid, jsonb) is
    'The options of an import into a dataset {duplicate_action, mapping, required_fields, auto_normalize_uk_numbers, allow_international, country, encoding, delimiter}, those of the caller before the campaign''s. Raises PT404 dataset_not_found (also outside of the scope), 22023 naming the option.';

create function private.lead_options(options jsonb) returns jsonb
    language sql immutable parallel safe
    set search_path = ''
begin atomic
    select options - 'duplicate_action';
end;
comment on function private.lead_options(jsonb) is
    'Of an import''s options those of switchboard.parse_lead and csv_leads. Raises nothing.';

create function private.missing_columns(options jsonb, columns text[]) returns text[]
    language sql immutable
    set search_path = ''
begin atomic
    select coalesce(array_agg(f order by f), '{}')
        from jsonb_array_elements_text(options -> 'required_fields') as f
        where not coalesce((select m.key from jsonb_each_text(options -> 'mapping') as m where m.value = f), f)
            = any (columns);
end;
comment on function private.missing_columns(jsonb, text[]) is
    'The required fields that no column fills, by the mapping or its name. Raises nothing.';

-- A file without a required column is refused as a whole; an empty cell is an error of its row.
create function private.require_columns(options jsonb, columns text[]) returns void
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_missing constant text[] := private.missing_columns(require_columns.options, columns);
begin
    if v_missing <> '{}' then
        raise exception using
            errcode = '22023',
            message = format('required column missing: %s', array_to_string(v_missing, ', ')),
            hint = 'Name the columns like the fields, or map them with options.mapping.';
    end if;
end;
$$;
comment on function private.require_columns(jsonb, text[]) is
    'Refuses columns of which none fills a required field. Raises 22023.';

create function private.lock_imports(org uuid) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    -- Duplicates are looked for in all datasets, and two imports side by side would miss each other's rows. The second does
    -- not wait, for each that does holds one of the few connections that all organizations share.
    if not pg_try_advisory_xact_lock(hashtextextended('import_leads ' || org, 0)) then
        raise exception using
            errcode = 'PT409',
            message = 'import_running',
            detail = 'Another import of the organization is not finished.',
            hint = 'Send the request again when it has been answered.';
    end if;
end;
$$;
comment on function private.lock_imports(uuid) is
    'One import at a time in an organization, until the transaction ends. Raises PT409 import_running.';

create function private.require_importer() returns uuid
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('uploads.write');
begin
    perform switchboard.require_organization('leads.write');
    -- Nobody imports leads that they could not see afterwards.
    perform switchboard.require_organization('leads.read_all');
    return v_org;
end;
$$;
comment on function private.require_importer() is
    'The organization of a caller who may import leads. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all).';

-- sql/schema/leads/import_rows.sql

-- What becomes of each row of an import, decided without writing anything: import_batch writes it, preview_upload counts it.

create type private.import_job as (
    organization_id uuid,
    upload_id uuid,
    dataset_id uuid,
    scope uuid[],
    options jsonb,
    rows jsonb,
    source text,
    from_byte bigint,
    first_row integer,
    max_rows integer
);
comment on type private.import_job is
    'Rows to import: a JSON array, or max_rows of a file whose pieces the query source answers, from a byte on. scope: the caller''s datasets, NULL for all. options: private.import_options.';

create function private.parse_rows(job private.import_job) returns table (
    row_number integer, ends_at bigint, first_name text, last_name text, phone_number text, phone_input text,
    phone_extension text, email text, postcode text, inquiry_date date, notes text, consent_basis text, consent_at date,
    attributes jsonb, problems jsonb
)
    language sql volatile
    set search_path = ''
    set jit = off
begin atomic
    select f.row_number, f.ends_at, f.first_name, f.last_name, f.phone_number, f.phone_input, f.phone_extension, f.email,
            f.postcode, f.inquiry_date, f.notes, f.consent_basis, f.consent_at, f.attributes, f.problems
        from switchboard.csv_leads(
            (job).source, private.lead_options((job).options), (job).from_byte, (job).first_row, (job).max_rows
        ) as f
        where (job).rows is null
    union all
    select r.ordinality::integer, null, p.first_name, p.last_name, p.phone_number, p.phone_input, p.phone_extension, p.email,
            p.postcode, p.inquiry_date, p.notes, p.consent_basis, p.consent_at, p.attributes, p.problems
        from jsonb_array_elements((job).rows) with ordinality as r
        cross join lateral switchboard.parse_lead(r.value, private.lead_options((job).options)) as p;
end;
comment on function private.parse_rows(private.import_job) is
    'The rows of an import as switchboard.csv_leads and parse_lead read them. Raises 22023.';

create function private.decide_rows(job private.import_job) returns table (
    id uuid, row_number integer, ends_at bigint, first_name text, last_name text, phone_number text, phone_input text,
    phone_extension text, email text, postcode text, inquiry_date date, notes text, consent_basis text, consent_at date,
    attributes jsonb, problems jsonb, decision text, lead_id uuid, is_first boolean, dup_seq integer, keeps_opt_out boolean
)
    language sql volatile
    set search_path = ''
    -- The planner cannot know how many rows there are, and compiling the statement for its guess took 2.2 s where the work
    -- takes 0.9 s.
    set jit = off
    set work_mem = '16MB'
begin atomic
    with
    parsed as materialized (
        select gen_random_uuid() as id, p.*,
            -- In file order: the first row of a number stands for the later ones.
            row_number() over (partition by p.phone_number, p.problems is null order by p.row_number)::integer as nth
        from private.parse_rows(job) as p
    ),
    numbers as materialized (
        select p.phone_number, p.id as first_id from parsed p where p.problems is null and p.nth = 1
    ),
    -- Leads in the caller's scope are duplicates; an opt-out counts whichever dataset it came from.
    suppressed as materialized (
        select distinct s.phone_number
        from private.suppressed_numbers((job).organization_id, array(select n.phone_number from numbers n)) as s (phone_number)
    ),
    known as materialized (
        select n.phone_number, n.first_id, s.phone_number is not null as is_suppressed, l.lead_id,
            coalesce(l.last_seq, -1) as last_seq
        from numbers n
        left join suppressed s on s.phone_number = n.phone_number
        left join lateral (
            select e.id as lead_id, (
                    select max(t.dup_seq) from public.leads t
                    where t.organization_id = (job).organization_id
                        and t.dataset_id = (job).dataset_id
                        and t.phone_number = n.phone_number
                ) as last_seq
            from public.leads e
            where e.organization_id = (job).organization_id
                and e.phone_number = n.phone_number
                and ((job).scope is null or e.dataset_id = any ((job).scope))
            order by e.dataset_id = (job).dataset_id desc, e.duplicate_of is not null, e.created_at, e.id
            limit 1
        ) as l on true
    )
    select p.id, p.row_number, p.ends_at, p.first_name, p.last_name, p.phone_number, p.phone_input, p.phone_extension,
            p.email, p.postcode, p.inquiry_date, p.notes, p.consent_basis, p.consent_at, p.attributes, p.problems,
            case
                when p.problems is not null then 'failed'
                when k.is_suppressed then 'suppressed'
                when k.lead_id is null and p.nth = 1 then 'inserted'
                when (job).options ->> 'duplicate_action' = 'skip' then 'skipped'
                when (job).options ->> 'duplicate_action' = 'merge' then 'merged'
                else 'inserted'
            end,
            coalesce(k.lead_id, case when p.nth > 1 then k.first_id end),
            coalesce(k.lead_id is null and p.nth = 1, false),
            k.last_seq + p.nth,
            -- Once in the dataset, which the caller may see.
            coalesce(k.is_suppressed and k.last_seq < 0 and p.nth = 1, false)
        from parsed p
        left join known k on k.phone_number = p.phone_number and p.problems is null;
end;
comment on function private.decide_rows(private.import_job) is
    'What becomes of each row: failed (problems), suppressed, inserted, skipped or merged; lead_id: the lead that it repeats, also one of an earlier row; keeps_opt_out: suppressed, and kept in the dataset as REMOVED. Raises 22023.';

-- sql/schema/leads/import_batch.sql

-- The one statement that writes an import: new leads, what merged ones gain, errors, and rows that made no lead.
-- Long: one statement does the work, so that every row is decided against the same state and written once.

create function private.import_batch(job private.import_job) returns jsonb
    language plpgsql volatile
    set search_path = ''
    set jit = off
    set work_mem = '16MB'
as $$
#variable_conflict use_column
declare
    v_org constant uuid := job.organization_id;
    v_merges constant boolean := job.options ->> 'duplicate_action' = 'merge';
    v_flags constant boolean := job.options ->> 'duplicate_action' = 'flag';
    v_report jsonb;
begin
    with
    decided as materialized (select * from private.decide_rows(job)),
    -- What all rows of one number say together: the first value of each field, all notes.
    folded as materialized (
        select d.phone_number,
            (array_agg(d.last_name order by d.row_number) filter (where d.last_name is not null))[1] as last_name,
            (array_agg(d.phone_extension order by d.row_number)
                filter (where d.phone_extension is not null))[1] as phone_extension,
            (array_agg(d.email order by d.row_number) filter (where d.email is not null))[1] as email,
            (array_agg(d.postcode order by d.row_number) filter (where d.postcode is not null))[1] as postcode,
            (array_agg(d.inquiry_date order by d.row_number) filter (where d.inquiry_date is not null))[1] as inquiry_date,
            (array_agg(d.consent_basis order by d.row_number) filter (where d.consent_basis is not null))[1] as consent_basis,
            (array_agg(d.consent_at order by d.row_number) filter (where d.consent_at is not null))[1] as consent_at,
            left(string_agg(d.notes, e'\n' order by d.row_number), 10000) as notes,
            (array_agg(d.lead_id) filter (where d.decision = 'merged'))[1] as lead_id,
            (
                select jsonb_object_agg(a.key, a.value order by u.place desc)
                from unnest(array_agg(d.attributes order by d.row_number)) with ordinality as u (attributes, place)
                cross join lateral jsonb_each(u.attributes) as a
            ) as attributes
        from decided d
        where v_merges and d.decision in ('inserted', 'merged')
        group by d.phone_number
        having count(*) > 1 or bool_or(d.decision = 'merged')
    ),
    inserted as (
        insert into public.leads as l (
            organization_id, id, dataset_id, first_name, last_name, phone_number, phone_input,
            phone_extension, email, postcode, inquiry_date, notes, attributes, consent_basis, consent_at,
            contact_status, status_set_by, duplicate_of, dup_seq, upload_id, row_number, imported_at
        )
        -- The number as it was read above, and the text as typed: the trigger on leads keeps both.
        select v_org, d.id, job.dataset_id, d.first_name,
            coalesce(f.last_name, d.last_name), d.phone_number, d.phone_input,
            coalesce(f.phone_extension, d.phone_extension), coalesce(f.email, d.email),
            coalesce(f.postcode, d.postcode), coalesce(f.inquiry_date, d.inquiry_date),
            coalesce(f.notes, d.notes),
            coalesce(case when switchboard.json_is_bounded(f.attributes, 65536) then f.attributes end, d.attributes),
            coalesce(f.consent_basis, d.consent_basis), coalesce(f.consent_at, d.consent_at),
            case when d.keeps_opt_out then 'REMOVED' else 'READY' end,
            case when d.keeps_opt_out then 'system' end,
            case when v_flags and not d.keeps_opt_out then d.lead_id end,
            d.dup_seq, job.upload_id, d.row_number, now()
        from decided d
        left join folded f on f.phone_number = d.phone_number
        where d.decision = 'inserted' or d.keeps_opt_out
        order by d.row_number
    ),
    -- In the order of ids, as everybody who writes several leads. With all that is merged, for two lists that nobody has
    -- counted would be joined by a loop in a loop.
    locked as materialized (
        select f.*, l.updated_at <= l.imported_at as is_untouched
        from folded f
        join public.leads l on l.organization_id = v_org and l.id = f.lead_id
        order by l.id
        for no key update of l
    ),
    merged as (
        update public.leads l
        set imported_at = case when f.is_untouched then now() else l.imported_at end,
            last_name = coalesce(l.last_name, f.last_name),
            phone_extension = coalesce(l.phone_extension, f.phone_extension),
            email = coalesce(l.email, f.email),
            postcode = coalesce(l.postcode, f.postcode),
            inquiry_date = coalesce(l.inquiry_date, f.inquiry_date),
            consent_basis = coalesce(l.consent_basis, f.consent_basis),
            consent_at = coalesce(l.consent_at, f.consent_at),
            notes = case
                when f.notes is null or position(e'\n' || f.notes || e'\n' in e'\n' || l.notes || e'\n') > 0 then l.notes
                else left(concat_ws(e'\n', l.notes, f.notes), 10000)
            end,
            attributes = case
                when switchboard.json_is_bounded(f.attributes || l.attributes, 65536) then f.attributes || l.attributes
                else l.attributes
            end
        from locked f
        where l.organization_id = v_org and l.id = f.lead_id
    ),
    reported as materialized (
        select d.row_number, p.field, p."column", p.value, p.reason
        from decided d
        cross join lateral jsonb_to_recordset(d.problems) as p (field text, "column" text, value text, reason text)
        where d.problems is not null
    ),
    recorded_errors as (
        insert into public.upload_errors (
            organization_id, upload_id, dataset_id, row_number, column_name, value, reason
        )
        select v_org, job.upload_id, job.dataset_id, r.row_number, r."column", r.value, r.reason
        from reported r
    ),
    recorded_rows as (
        insert into public.upload_rows (organization_id, upload_id, dataset_id, row_number, decision, lead_id)
        select v_org, job.upload_id, job.dataset_id, d.row_number, d.decision,
            case when d.keeps_opt_out then d.id else d.lead_id end
        from decided d
        where d.decision in ('merged', 'skipped', 'suppressed')
    )
    select jsonb_build_object(
            'detected', count(*),
            'inserted', count(*) filter (where d.decision = 'inserted'),
            'merged', count(*) filter (where d.decision = 'merged'),
            'skipped', count(*) filter (where d.decision = 'skipped'),
            'suppressed', count(*) filter (where d.decision = 'suppressed'),
            'failed', count(*) filter (where d.decision = 'failed'),
            'ends_at', max(d.ends_at),
            'errors', (
                select coalesce(jsonb_agg(
                    jsonb_build_object('row', r.row_number, 'column', r."column", 'value', r.value, 'reason', r.reason)
                    order by r.row_number, r.field, r.reason
                ), '[]')
                from reported r
            ),
            'duplicates', coalesce(jsonb_agg(
                jsonb_build_object('row', d.row_number, 'action', case
                    when d.decision <> 'inserted' then d.decision
                    when v_flags then 'flagged'
                    else 'kept'
                end, 'lead_id', d.lead_id)
                order by d.row_number
            ) filter (where d.lead_id is not null), '[]')
        )
        into strict v_report
        from decided d;
    return v_report;
exception
    when foreign_key_violation or unique_violation then
        raise exception using
            errcode = 'PT409',
            message = 'leads_changed',
            detail = 'A lead with one of the numbers came or went at the same moment.',
            hint = 'Send the request again: nothing of it was done.';
end;
$$;
comment on function private.import_batch(private.import_job) is
    'Writes the rows of an import and answers how many became what, the errors, the duplicates and where in the file it ended. As the tables'' owner: an opt-out counts whichever dataset it stands in. Raises 22023, PT409 leads_changed, PT429 quota_exceeded.';

create function private.count_upload(org uuid, upload_id uuid, report jsonb) returns public.uploads
    language sql volatile
    set search_path = ''
begin atomic
    update public.uploads u
        set rows_detected = u.rows_detected + (report ->> 'detected')::integer,
            rows_inserted = u.rows_inserted + (report ->> 'inserted')::integer,
            rows_merged = u.rows_merged + (report ->> 'merged')::integer,
            rows_skipped = u.rows_skipped + (report ->> 'skipped')::integer,
            rows_suppressed = u.rows_suppressed + (report ->> 'suppressed')::integer,
            rows_failed = u.rows_failed + (report ->> 'failed')::integer,
            -- Rows of a list have no place in a file.
            bytes_read = coalesce((report ->> 'ends_at')::bigint, u.bytes_read)
        where u.organization_id = org and u.id = count_upload.upload_id
        returning u.*;
end;
comment on function private.count_upload(uuid, uuid, jsonb) is
    'Adds what a batch made of its rows to the counts of its upload, and notes where in the file it ended. Raises nothing.';

-- sql/schema/leads/import_leads.sql

-- Lead import for lists that fit in one request; a file goes through create_upload and its companions.

create function private.import_leads(p_dataset_id uuid, p_rows jsonb, p_options jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- One statement and one answer; more belongs into several calls, or into a file upload.
    max_rows constant integer := 10000;
    -- Counted as printed and before anything is: 64 kB of numbers like 1e131071 would be a gigabyte of text.
    max_bytes constant integer := 16 * 1024 * 1024;
    v_started timestamptz := clock_timestamp();
    v_org constant uuid := private.require_importer();
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_upload uuid := gen_random_uuid();
    v_options jsonb;
    v_columns text[];
    v_report jsonb;
begin
    if p_rows is null or jsonb_typeof(p_rows) <> 'array' then
        raise exception using errcode = '22023', message = 'rows must be a JSON array of objects';
    end if;
    if jsonb_array_length(p_rows) > max_rows then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_rows',
            detail = format('%s rows in one call; the limit is %s.', jsonb_array_length(p_rows), max_rows),
            hint = 'Send the rows in several calls, or as a file by create_upload.';
    end if;
    if not switchboard.json_is_bounded(p_rows, max_bytes) then
        raise exception using
            errcode = 'PT413',
            message = 'rows_too_large',
            detail = 'The rows have more than 16 MB of JSON text.',
            hint = 'Send the rows in several calls.';
    end if;
    perform private.lock_imports(v_org);
    v_options := private.import_options(v_org, v_scope, p_dataset_id, p_options);
    if jsonb_array_length(p_rows) > 0 then
        v_columns := array(
            select distinct k
            from jsonb_array_elements(p_rows) as r
            cross join lateral jsonb_object_keys(case when jsonb_typeof(r) = 'object' then r else '{}' end) as k
        );
        perform private.require_columns(v_options, v_columns);
    end if;
    insert into public.uploads (organization_id, id, dataset_id, filename, status, mapping, options, started_at)
    values (
        v_org, v_upload, p_dataset_id,
        coalesce(nullif(btrim(left(p_options ->> 'filename', 500)), ''), 'import_leads'),
        'processing', v_options -> 'mapping', v_options - 'mapping' - 'country', v_started
    );
    v_report := private.import_batch(row(
        v_org, v_upload, p_dataset_id, v_scope, v_options, p_rows, null, null, null, null
    )::private.import_job) - 'ends_at';
    perform private.count_upload(v_org, v_upload, v_report);
    update public.uploads u
        set status = 'completed', row_total = u.rows_detected, completed_at = clock_timestamp()
        where u.organization_id = v_org and u.id = v_upload;
    return jsonb_build_object('upload_id', v_upload) || v_report;
end;
$$;
comment on function private.import_leads(uuid, jsonb, jsonb) is
    'Body of public.import_leads; see there. Definer: opt-outs of datasets outside of the caller''s scope must be found.';

create function public.import_leads(
    dataset_id uuid,
    rows jsonb,
    options jsonb default '{}'
) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.import_leads(dataset_id, rows, options);
end;
comment on function public.import_leads(uuid, jsonb, jsonb) is
    'Imports up to 10,000 rows into a dataset in one transaction; the report accounts for every row. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all), PT404 dataset_not_found (also outside of the caller''s datasets), PT409 (import_running; leads_changed: send it again), PT413 rows_too_large, PT429 too_many_rows, 22023 (rows, options, mapping).';
grant execute on function private.import_leads(uuid, jsonb, jsonb) to authenticated;
grant execute on function public.import_leads(uuid, jsonb, jsonb) to authenticated;

-- sql/schema/leads/create_upload.sql

-- A file comes in pieces: create_upload says what is coming, append_upload_chunk brings it.

create function private.create_upload(
    p_dataset_id uuid, p_filename text, p_file_size bigint, p_file_type text, p_storage_path text, p_options jsonb
) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- The pieces lie in the database until the import is done.
    max_bytes constant bigint := 256 * 1024 * 1024;
    max_open constant integer := 10;
    v_org constant uuid := private.require_importer();
    v_id uuid := gen_random_uuid();
begin
    perform private.import_options(v_org, switchboard.dataset_scope(), p_dataset_id, p_options);
    if btrim(coalesce(p_filename, '')) = '' or length(p_filename) > 500 then
        raise exception using errcode = '22023', message = 'filename must have 1 to 500 characters';
    end if;
    if p_file_size < 0 then
        raise exception using errcode = '22023', message = 'file_size must not be negative';
    end if;
    if p_file_size > max_bytes then
        raise exception using
            errcode = 'PT413',
            message = 'file_too_large',
            detail = format('The file has %s bytes; the limit is 256 MB.', p_file_size),
            hint = 'Send it in several files.';
    end if;
    if length(p_storage_path) > 1024
        or p_storage_path is not null and switchboard.path_organization(p_storage_path) is distinct from v_org
    then
        raise exception using
            errcode = '22023',
            message = 'storage_path must begin with the organization''s id and have at most 1024 characters',
            hint = 'Files of the bucket csv_uploads lie below organization/dataset/.';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('create_upload ' || v_org, 0));
    if max_open <= (
        select count(distinct c.upload_id) from private.upload_chunks c where c.organization_id = v_org and c.seq = 0
    ) then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_uploads',
            detail = format('%s files of the organization are not imported yet.', max_open),
            hint = 'Finish them with commit_upload, or give them up with cancel_upload.';
    end if;
    insert into public.uploads (
        organization_id, id, dataset_id, filename, file_size, file_type, storage_path, mapping, options
    )
    values (
        v_org, v_id, p_dataset_id, btrim(p_filename), p_file_size, left(p_file_type, 200), p_storage_path,
        coalesce(nullif(p_options -> 'mapping', 'null'), '{}'), coalesce(p_options, '{}') - 'mapping'
    );
    return jsonb_build_object('upload_id', v_id, 'status', 'pending', 'next_seq', 0, 'bytes_received', 0);
end;
$$;
comment on function private.create_upload(uuid, text, bigint, text, text, jsonb) is
    'Body of public.create_upload; see there. Definer: clients write no upload but a bare one.';

create function public.create_upload(
    dataset_id uuid,
    filename text,
    file_size bigint default null,
    file_type text default null,
    storage_path text default null,
    options jsonb default '{}'
) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.create_upload(dataset_id, filename, file_size, file_type, storage_path, options);
end;
comment on function public.create_upload(uuid, text, bigint, text, text, jsonb) is
    'Begins the import of a file into a dataset; options as for import_leads, and encoding, delimiter. Answers {upload_id, status, next_seq, bytes_received}. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all), PT404 dataset_not_found, PT413 file_too_large (256 MB), PT429 too_many_uploads, 22023.';
grant execute on function private.create_upload(uuid, text, bigint, text, text, jsonb) to authenticated;
grant execute on function public.create_upload(uuid, text, bigint, text, text, jsonb) to authenticated;

-- An upload of the caller's, locked: two calls about one upload follow each other.
create function private.importer_upload(upload_id uuid) returns public.uploads
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_org constant uuid := private.require_importer();
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_upload public.uploads;
begin
    select * into v_upload
        from public.uploads u
        where u.organization_id = v_org
            and u.id = importer_upload.upload_id
            and (v_scope is null or u.dataset_id = any (v_scope))
        for no key update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'upload_not_found',
            detail = 'You have no upload with this id in this organization.';
    end if;
    return v_upload;
end;
$$;
comment on function private.importer_upload(uuid) is
    'An upload that the caller may go on with, locked until the transaction ends. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all), PT404 upload_not_found (also outside of the caller''s datasets).';

create function private.append_upload_chunk(p_upload_id uuid, p_seq integer, p_chunk text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    max_bytes constant bigint := 256 * 1024 * 1024;
    max_chunk constant integer := 4 * 1024 * 1024;
    v_upload public.uploads := private.importer_upload(p_upload_id);
    v_next integer;
    v_content bytea;
begin
    if length(p_chunk) > 4 * (max_chunk / 3 + 1) * 79 / 76 then
        raise exception using errcode = 'PT413', message = 'chunk_too_large', hint = 'Send pieces of at most 4 MB.';
    end if;
    begin
        v_content := decode(p_chunk, 'base64');
    exception
        when invalid_parameter_value then
            raise exception using errcode = '22023', message = 'chunk must be base64';
    end;
    if v_content is null or p_seq is null or octet_length(v_content) not between 1 and max_chunk then
        raise exception using errcode = '22023', message = 'seq and chunk must be given, and chunk be 1 byte to 4 MB';
    end if;
    select coalesce(max(c.seq) + 1, 0) into v_next
        from private.upload_chunks c
        where c.organization_id = v_upload.organization_id and c.upload_id = v_upload.id;
    if p_seq < v_next then
        -- Sent again, because the answer was lost.
        if not exists (
            select from private.upload_chunks c
            where c.organization_id = v_upload.organization_id
                and c.upload_id = v_upload.id
                and c.seq = p_seq
                and c.sha256 = sha256(v_content)
        ) then
            raise exception using
                errcode = 'PT409',
                message = 'chunk_differs',
                detail = format('Piece %s has come already, with other bytes.', p_seq),
                hint = 'Begin a new upload for another file.';
        end if;
    else
        if v_upload.status <> 'pending' then
            raise exception using
                errcode = 'PT409',
                message = 'upload_closed',
                detail = format('The upload is %s and takes no further piece.', v_upload.status);
        end if;
        if p_seq > v_next then
            raise exception using
                errcode = 'PT409',
                message = 'chunk_missing',
                detail = format('The next piece is %s.', v_next);
        end if;
        if v_upload.bytes_received + octet_length(v_content) > coalesce(v_upload.file_size, max_bytes) then
            raise exception using
                errcode = 'PT413',
                message = 'file_too_large',
                detail = format('With this piece the file has more than %s bytes.', coalesce(v_upload.file_size, max_bytes));
        end if;
        insert into private.upload_chunks (organization_id, upload_id, seq, starts_at, content)
        values (v_upload.organization_id, v_upload.id, p_seq, v_upload.bytes_received, v_content);
        update public.uploads u
            set bytes_received = u.bytes_received + octet_length(v_content)
            where u.organization_id = v_upload.organization_id and u.id = v_upload.id
            returning u.bytes_received into v_upload.bytes_received;
        v_next := p_seq + 1;
    end if;
    return jsonb_build_object('next_seq', v_next, 'bytes_received', v_upload.bytes_received);
end;
$$;
comment on function private.append_upload_chunk(uuid, integer, text) is
    'Body of public.append_upload_chunk; see there. Definer: clients do not touch the pieces.';

create function public.append_upload_chunk(upload_id uuid, seq integer, chunk text) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.append_upload_chunk(upload_id, seq, chunk);
end;
comment on function public.append_upload_chunk(uuid, integer, text) is
    'The next piece of a file, base64 of at most 4 MB; seq counts from 0. A piece may be sent again. Answers {next_seq, bytes_received}. Raises PT401, PT400, PT403, PT404 upload_not_found, PT409 (chunk_differs, chunk_missing, upload_closed), PT413 (chunk_too_large, file_too_large), 22023.';
grant execute on function private.append_upload_chunk(uuid, integer, text) to authenticated;
grant execute on function public.append_upload_chunk(uuid, integer, text) to authenticated;

-- sql/schema/leads/preview_upload.sql

-- What an import would do, before it does.

create function private.upload_source(org uuid, upload_id uuid, starts_at bigint) returns text
    language sql immutable
    set search_path = ''
begin atomic
    select format(
        'select c.content from private.upload_chunks c where c.organization_id = %L and c.upload_id = %L
            and c.starts_at >= %s order by c.seq',
        org, upload_source.upload_id, upload_source.starts_at);
end;
comment on function private.upload_source(uuid, uuid, bigint) is
    'The query for the pieces of an upload''s file from the one on that starts at a byte, as switchboard.csv_leads takes it. Raises nothing.';

create function private.profile_upload(upload public.uploads, options jsonb) returns public.uploads
    language plpgsql volatile
    set search_path = ''
as $$
declare
    max_rows constant integer := 2000000;
    v_upload public.uploads := upload;
    v_profile record;
begin
    if v_upload.bytes_received < v_upload.file_size then
        raise exception using
            errcode = 'PT409',
            message = 'upload_incomplete',
            detail = format('%s of %s bytes have come.', v_upload.bytes_received, v_upload.file_size),
            hint = 'Send the rest with append_upload_chunk.';
    end if;
    -- One pass over the file; again only for another dialect.
    if v_upload.row_total is null
        or v_upload.encoding <> profile_upload.options ->> 'encoding'
        or v_upload.delimiter <> profile_upload.options ->> 'delimiter'
    then
        select * into strict v_profile
            from switchboard.csv_profile(
                private.upload_source(v_upload.organization_id, v_upload.id, 0), coalesce(profile_upload.options, '{}'));
        update public.uploads u
            set encoding = v_profile.encoding, delimiter = v_profile.delimiter, header = to_jsonb(v_profile.header),
                bytes_read = v_profile.body_at, row_total = least(v_profile.row_count, max_rows),
                problem = case when v_profile.row_count > max_rows then 'too_many_rows' else v_profile.problem end,
                problem_at = coalesce(v_profile.problem_value, v_profile.problem_row::text)
            where u.organization_id = v_upload.organization_id and u.id = v_upload.id
            returning * into strict v_upload;
    end if;
    return v_upload;
end;
$$;
comment on function private.profile_upload(public.uploads, jsonb) is
    'Looks through the file of an upload that is complete: encoding, delimiter, header, rows, and what makes it unreadable (problem, problem_at). Raises PT409 upload_incomplete, 22023.';

create function private.file_options(upload public.uploads, options jsonb) returns jsonb
    language sql immutable
    set search_path = ''
begin atomic
    select file_options.options || jsonb_build_object(
        'header', (upload).header, 'encoding', (upload).encoding, 'delimiter', (upload).delimiter);
end;
comment on function private.file_options(public.uploads, jsonb) is
    'Options of an import with what is known of its file. Raises nothing.';

create function private.preview_upload(p_upload_id uuid, p_mapping jsonb, p_options jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    max_rows constant integer := 100000;
    v_upload public.uploads := private.importer_upload(p_upload_id);
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_given jsonb := coalesce(p_options, v_upload.options);
    v_mapping jsonb := coalesce(nullif(p_mapping, 'null'), nullif(v_upload.mapping, '{}'));
    v_options jsonb;
    v_source text := private.upload_source(v_upload.organization_id, v_upload.id, 0);
    v_sample jsonb;
    v_suggested jsonb;
    v_preview jsonb;
begin
    if v_upload.status not in ('pending', 'mapping') then
        raise exception using
            errcode = 'PT409',
            message = 'upload_started',
            detail = format('The upload is %s; its preview was before.', v_upload.status);
    end if;
    perform private.import_options(
        v_upload.organization_id, v_scope, v_upload.dataset_id, v_given || jsonb_build_object('mapping', v_mapping));
    v_upload := private.profile_upload(v_upload, v_given);
    if v_upload.problem is not null then
        update public.uploads u set status = 'mapping', options = v_given - 'mapping'
            where u.organization_id = v_upload.organization_id and u.id = v_upload.id;
        return jsonb_build_object(
            'upload_id', v_upload.id, 'problem', v_upload.problem, 'problem_at', v_upload.problem_at,
            'encoding', v_upload.encoding, 'delimiter', v_upload.delimiter, 'header', v_upload.header,
            'row_total', v_upload.row_total);
    end if;

    select coalesce(jsonb_agg(f.cells order by f.row_number), '[]') into v_sample
        from switchboard.csv_leads(
            v_source, private.file_options(v_upload, '{"cells": true}'), v_upload.bytes_read, 1, 200) as f;
    v_suggested := switchboard.suggest_mapping(
        array(select jsonb_array_elements_text(v_upload.header)), v_sample,
        (select o.default_country from public.organizations o where o.id = v_upload.organization_id));
    if v_mapping is null then
        select d.column_mapping into v_mapping
            from public.datasets d
            where d.organization_id = v_upload.organization_id and d.id = v_upload.dataset_id
                and d.column_mapping <> '{}'
                and v_upload.header ?& array(select m.key from jsonb_each(d.column_mapping) as m where m.value <> 'null');
        v_mapping := coalesce(v_mapping, v_suggested);
    end if;
    v_options := private.import_options(
        v_upload.organization_id, v_scope, v_upload.dataset_id, v_given || jsonb_build_object('mapping', v_mapping));
    update public.uploads u set status = 'mapping', mapping = v_mapping, options = v_given - 'mapping'
        where u.organization_id = v_upload.organization_id and u.id = v_upload.id;
    v_preview := jsonb_build_object(
        'upload_id', v_upload.id, 'encoding', v_upload.encoding, 'delimiter', v_upload.delimiter,
        'header', v_upload.header, 'row_total', v_upload.row_total, 'mapping', v_mapping, 'suggested_mapping', v_suggested,
        'missing_columns', private.missing_columns(v_options, array(select jsonb_array_elements_text(v_upload.header))),
        'rows_previewed', least(v_upload.row_total, max_rows),
        'warnings', private.upload_warnings(v_upload, v_options));
    if v_preview -> 'missing_columns' <> '[]' then
        return v_preview;
    end if;
    return v_preview || private.preview_rows(row(
        v_upload.organization_id, v_upload.id, v_upload.dataset_id, v_scope, private.file_options(v_upload, v_options), null,
        v_source, v_upload.bytes_read, 1, max_rows
    )::private.import_job);
end;
$$;
comment on function private.preview_upload(uuid, jsonb, jsonb) is
    'Body of public.preview_upload; see there. Definer: clients do not read the pieces of a file.';

create function private.upload_warnings(upload public.uploads, options jsonb) returns text[]
    language sql stable
    set search_path = ''
begin atomic
    select array(
        select w.name
        from (values
            ('no_consent_basis', not upload_warnings.options -> 'mapping' @? '$.* ? (@ == "consent_basis")'
                and not (upload).header ? 'consent_basis'),
            ('encoding_guessed', (upload).encoding = 'windows-1252' and not upload_warnings.options ? 'encoding')
        ) as w (name, holds)
        where w.holds);
end;
comment on function private.upload_warnings(public.uploads, jsonb) is
    'What an importer should know before: no_consent_basis (nothing says why the contacts may be written to), encoding_guessed (not UTF-8: taken for windows-1252). Raises nothing.';

create function private.preview_rows(job private.import_job) returns jsonb
    language sql volatile
    set search_path = ''
    set jit = off
    set work_mem = '16MB'
begin atomic
    with decided as materialized (
        select d.row_number, d.decision, d.lead_id, d.first_name, d.last_name, d.phone_number, d.email, d.postcode,
            d.attributes, d.problems
        from private.decide_rows(job) as d
    )
    select jsonb_build_object(
        'counts', (
            select jsonb_build_object(
                'inserted', count(*) filter (where d.decision = 'inserted'),
                'merged', count(*) filter (where d.decision = 'merged'),
                'skipped', count(*) filter (where d.decision = 'skipped'),
                'suppressed', count(*) filter (where d.decision = 'suppressed'),
                'failed', count(*) filter (where d.decision = 'failed'),
                'duplicates', count(*) filter (where d.lead_id is not null))
            from decided d
        ),
        'reasons', (
            select coalesce(jsonb_object_agg(r.reason, r.rows), '{}')
            from (
                select p ->> 'reason' as reason, count(distinct d.row_number) as rows
                from decided d
                cross join lateral jsonb_array_elements(d.problems) as p
                group by 1
            ) as r
        ),
        'sample', (
            select coalesce(jsonb_agg(to_jsonb(s) order by s.row_number), '[]')
            from (select * from decided d order by d.row_number limit 10) as s
        ),
        'errors', (
            select coalesce(jsonb_agg(e.error order by e.row_number), '[]')
            from (
                select d.row_number, jsonb_build_object('row', d.row_number) || (p - 'field') as error
                from decided d
                cross join lateral jsonb_array_elements(d.problems) as p
                order by d.row_number
                limit 100
            ) as e
        ));
end;
comment on function private.preview_rows(private.import_job) is
    'What would become of rows: counts a decision, reasons of errors, the first 10 rows, the first 100 errors. Writes nothing. Raises 22023.';

create function public.preview_upload(upload_id uuid, mapping jsonb default null, options jsonb default null) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.preview_upload(upload_id, mapping, options);
end;
comment on function public.preview_upload(uuid, jsonb, jsonb) is
    'Looks through a file that has come and says what its import would do, by its first 100,000 rows; keeps mapping and options for commit_upload, and imports nothing. Raises PT401, PT400, PT403, PT404 upload_not_found, PT409 (upload_incomplete, upload_started), 22023 (mapping, options).';
grant execute on function private.preview_upload(uuid, jsonb, jsonb) to authenticated;
grant execute on function public.preview_upload(uuid, jsonb, jsonb) to authenticated;

-- sql/schema/leads/commit_upload.sql

-- The import itself, a few seconds a call. A call is one transaction, with where it stopped on the upload's row: whoever
-- calls next goes on there, after a lost connection or a crash as well, and no row comes twice.

create function private.commit_upload(p_upload_id uuid, p_mapping jsonb, p_options jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- A call must end well before the API's statement_timeout, 8 s in Supabase.
    max_time constant interval := make_interval(secs => 2);
    batch constant integer := 5000;
    v_began constant timestamptz := clock_timestamp();
    v_upload public.uploads := private.importer_upload(p_upload_id);
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_options jsonb;
    v_starts_at bigint;
    v_step integer;
    v_rows integer;
    v_is_full boolean := false;
    v_before integer;
    v_report jsonb;
begin
    if v_upload.status in ('completed', 'failed') then
        return private.upload_progress(v_upload);
    end if;
    perform private.lock_imports(v_upload.organization_id);
    if v_upload.status <> 'processing' then
        v_upload := private.start_upload(v_upload, v_scope, p_mapping, p_options);
    end if;
    v_options := private.import_options(
        v_upload.organization_id, v_scope, v_upload.dataset_id,
        v_upload.options || jsonb_build_object('mapping', v_upload.mapping));
    v_before := v_upload.rows_detected;
    -- As many as there is room for; further ones may need none, which is tried with more and more.
    v_step := greatest(least(batch, private.quota_limit(v_upload.organization_id, 'leads')
        - private.quota_used(v_upload.organization_id, 'leads')), 1);
    loop
        exit when v_upload.rows_detected >= v_upload.row_total or clock_timestamp() > v_began + max_time;
        -- A second batch would lock leads behind the locks that the first took last.
        exit when v_options ->> 'duplicate_action' = 'merge' and v_upload.rows_detected > v_before;
        select min(c.starts_at) into v_starts_at
            from private.upload_chunks c
            where c.organization_id = v_upload.organization_id
                and c.upload_id = v_upload.id
                and c.starts_at + octet_length(c.content) > v_upload.bytes_read;
        v_rows := least(v_step, v_upload.row_total - v_upload.rows_detected);
        begin
            v_report := private.import_batch(row(
                v_upload.organization_id, v_upload.id, v_upload.dataset_id, v_scope,
                private.file_options(v_upload, v_options) || jsonb_build_object('source_starts_at', v_starts_at), null,
                private.upload_source(v_upload.organization_id, v_upload.id, v_starts_at),
                v_upload.bytes_read, v_upload.rows_detected + 1, v_rows
            )::private.import_job);
        exception
            when sqlstate 'PT429' then
                -- More of them are new than there is room for: fewer at a time.
                v_is_full := v_rows = 1;
                exit when v_is_full;
                v_step := greatest(v_rows / 4, 1);
                continue;
        end;
        v_step := least(4 * v_step, batch);
        v_upload := private.count_upload(v_upload.organization_id, v_upload.id, v_report);
    end loop;
    return private.upload_progress(private.finish_call(v_upload, v_before, v_began, v_is_full));
end;
$$;
comment on function private.commit_upload(uuid, jsonb, jsonb) is
    'Body of public.commit_upload; see there. Definer: opt-outs of datasets outside of the caller''s scope must be found.';

create function private.start_upload(upload public.uploads, scope uuid[], mapping jsonb, options jsonb)
    returns public.uploads
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_upload public.uploads := upload;
    v_given jsonb := coalesce(start_upload.options, v_upload.options);
    v_options jsonb;
begin
    v_options := private.import_options(
        v_upload.organization_id, start_upload.scope, v_upload.dataset_id,
        v_given || jsonb_build_object('mapping', coalesce(nullif(start_upload.mapping, 'null'), nullif(v_upload.mapping, '{}'))));
    v_upload := private.profile_upload(v_upload, v_given);
    if v_upload.problem is not null then
        raise exception using
            errcode = '22023',
            message = format('the file cannot be imported: %s', v_upload.problem),
            detail = coalesce('At ' || v_upload.problem_at || '.', ''),
            hint = 'preview_upload says where; send a mended file as a new upload.';
    end if;
    perform private.require_columns(v_options, array(select jsonb_array_elements_text(v_upload.header)));
    -- The next file of the list has the same columns.
    update public.datasets d
        set column_mapping = v_options -> 'mapping'
        where d.organization_id = v_upload.organization_id
            and d.id = v_upload.dataset_id
            and d.column_mapping <> v_options -> 'mapping'
            and v_options -> 'mapping' <> '{}';
    update public.uploads u
        set status = 'processing', mapping = v_options -> 'mapping', options = v_options - 'mapping' - 'country',
            started_at = clock_timestamp()
        where u.organization_id = v_upload.organization_id and u.id = v_upload.id
        returning * into strict v_upload;
    return v_upload;
end;
$$;
comment on function private.start_upload(public.uploads, uuid[], jsonb, jsonb) is
    'Makes an upload ready for its first rows: mapping and options as they hold from now on. Raises PT409 upload_incomplete, 22023.';

create function private.finish_call(upload public.uploads, rows_before integer, began timestamptz, is_full boolean)
    returns public.uploads
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_is_done constant boolean := (upload).rows_detected >= (upload).row_total;
    v_rate constant double precision := ((upload).rows_detected - rows_before)
        / greatest(extract(epoch from clock_timestamp() - began), 0.001);
    v_upload public.uploads;
begin
    update public.uploads u
        set status = case when v_is_done then 'completed' else 'processing' end,
            completed_at = case when v_is_done then clock_timestamp() end,
            problem = case when is_full and not v_is_done then 'quota_exceeded' end,
            rows_per_second = case when v_rate > 0 then v_rate else u.rows_per_second end,
            seconds_remaining = case when v_rate > 0 then ceil((u.row_total - u.rows_detected) / v_rate) end
        where u.organization_id = (upload).organization_id and u.id = (upload).id
        returning * into strict v_upload;
    if v_is_done then
        delete from private.upload_chunks c
            where c.organization_id = v_upload.organization_id and c.upload_id = v_upload.id;
    end if;
    return v_upload;
end;
$$;
comment on function private.finish_call(public.uploads, integer, timestamptz, boolean) is
    'Notes where a call of commit_upload came to, how fast it was, and that it is done; the pieces of the file then go. Raises nothing.';

create function private.upload_progress(upload public.uploads) returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select jsonb_build_object(
        'upload_id', (upload).id, 'status', (upload).status, 'problem', (upload).problem,
        'row_total', (upload).row_total, 'detected', (upload).rows_detected, 'inserted', (upload).rows_inserted,
        'merged', (upload).rows_merged, 'skipped', (upload).rows_skipped, 'suppressed', (upload).rows_suppressed,
        'failed', (upload).rows_failed, 'rows_per_second', (upload).rows_per_second,
        'seconds_remaining', (upload).seconds_remaining);
end;
comment on function private.upload_progress(public.uploads) is 'What commit_upload answers. Raises nothing.';

create function public.commit_upload(upload_id uuid, mapping jsonb default null, options jsonb default null) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.commit_upload(upload_id, mapping, options);
end;
comment on function public.commit_upload(uuid, jsonb, jsonb) is
    'Imports the next rows of a file, for about two seconds, and answers how far it is: call it until status is completed. problem quota_exceeded: call again when there is room. mapping and options: those of the preview, unless the first call brings others. Raises PT401, PT400, PT403, PT404 upload_not_found, PT409 (upload_incomplete, import_running, leads_changed), PT429, 22023.';
grant execute on function private.commit_upload(uuid, jsonb, jsonb) to authenticated;
grant execute on function public.commit_upload(uuid, jsonb, jsonb) to authenticated;

-- sql/schema/prompts/lessons.sql

-- Lessons: what an organization has taught its agents.

create table public.lessons (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    lesson_type text not null
        constraint lessons_lesson_type_check check (lesson_type in (
            'objection_handling', 'dos_donts', 'example_good', 'example_bad', 'blacklist_word',
            'never_rule', 'best_practice'
        )),
    title text not null
        constraint lessons_title_check check (btrim(title) <> '' and length(title) <= 300),
    description text
        constraint lessons_description_check check (length(description) <= 10000),
    trigger text
        constraint lessons_trigger_check check (length(trigger) <= 10000),
    correct_response text
        constraint lessons_correct_response_check check (length(correct_response) <= 10000),
    incorrect_response text
        constraint lessons_incorrect_response_check check (length(incorrect_response) <= 10000),
    reasoning text
        constraint lessons_reasoning_check check (length(reasoning) <= 10000),
    example_conversation jsonb
        constraint lessons_example_conversation_check
        check (switchboard.json_is_bounded(example_conversation, 65536)),
    tags text[] not null default '{}'
        constraint lessons_tags_check check (private.is_tag_list(tags)),
    priority integer not null default 0,
    times_applied integer not null default 0,
    success_rate numeric(3, 2)
        constraint lessons_success_rate_check check (success_rate between 0 and 1),
    source text
        constraint lessons_source_check check (source in ('ai_suggestion', 'user_taught', 'imported')),
    created_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    status text not null default 'active'
        constraint lessons_status_check check (status in ('active', 'archived', 'testing')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint lessons_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete cascade
);
comment on table public.lessons is
    'What the organization has taught its agents. active ones are compiled into prompts, testing ones into drafts only.';
comment on column public.lessons.dataset_id is
    'Only for prompts of this dataset; NULL: for all. A lesson of a deleted dataset goes with it rather than become general.';
comment on column public.lessons.trigger is 'What calls for the lesson, e.g. "lead mentions price".';
comment on column public.lessons.priority is 'Higher comes first, and is dropped last when the token budget is short.';

create index lessons_created_at_idx on public.lessons (organization_id, created_at desc, id);
comment on index public.lessons_created_at_idx is 'List of an organization''s lessons, newest first.';
create index lessons_dataset_id_idx on public.lessons (organization_id, dataset_id);
comment on index public.lessons_dataset_id_idx is
    'Foreign key to datasets; lessons of a dataset, and general ones, for a compile.';
create index lessons_created_by_idx on public.lessons (created_by);
comment on index public.lessons_created_by_idx is 'Foreign key to auth.users.';

create function private.check_lesson() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    perform from switchboard.compile_prompt(
        '{}',
        jsonb_build_array(jsonb_build_object(
            'id', new.id, 'lesson_type', new.lesson_type, 'title', new.title,
            'description', new.description, 'trigger', new.trigger,
            'correct_response', new.correct_response, 'incorrect_response', new.incorrect_response,
            'reasoning', new.reasoning, 'priority', new.priority, 'created_at', new.created_at,
            'status', 'active'
        )),
        '{"token_budget": 1000000, "draft": true}'
    );
    return null;
end;
$$;
comment on function private.check_lesson() is
    'AFTER trigger on lessons: compiles the lesson alone, so that a broken template or an undeclared variable is found by its author and not by whoever publishes next. After, so that the table''s own CHECKs speak first. Raises the compiler''s 22023 (the lesson is lessons[0]).';
create trigger check_lesson
    after insert or update on public.lessons
    for each row execute function private.check_lesson();

select private.add_row_triggers('public.lessons');
select private.add_tenant_policies('public.lessons', 'lessons', dataset => 'dataset_id', shared => true);

create function private.refresh_drafts_insert() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    perform private.refresh_drafts(
        (select jsonb_agg(distinct jsonb_build_array(n.organization_id, n.dataset_id)) from new_rows n)
    );
    return null;
end;
$$;
comment on function private.refresh_drafts_insert() is
    'AFTER INSERT statement trigger on lessons, see private.refresh_drafts. Definer, like its two siblings: writing lessons needs no right on prompts.';

create function private.refresh_drafts_delete() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    perform private.refresh_drafts(
        (select jsonb_agg(distinct jsonb_build_array(o.organization_id, o.dataset_id)) from old_rows o)
    );
    return null;
end;
$$;
comment on function private.refresh_drafts_delete() is
    'AFTER DELETE statement trigger on lessons, see private.refresh_drafts.';

create function private.refresh_drafts_update() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- Only what a compile reads: a usage counter must not recompile every draft.
    perform private.refresh_drafts((
        select jsonb_agg(distinct jsonb_build_array(x.organization_id, x.dataset_id))
        from old_rows o
        join new_rows n on n.organization_id = o.organization_id and n.id = o.id
        cross join lateral (values
            (o.organization_id, o.dataset_id), (n.organization_id, n.dataset_id)
        ) as x (organization_id, dataset_id)
        where (
                n.dataset_id, n.lesson_type, n.title, n.description, n.trigger, n.correct_response,
                n.incorrect_response, n.reasoning, n.priority, n.status
            ) is distinct from (
                o.dataset_id, o.lesson_type, o.title, o.description, o.trigger, o.correct_response,
                o.incorrect_response, o.reasoning, o.priority, o.status
            )
    ));
    return null;
end;
$$;
comment on function private.refresh_drafts_update() is
    'AFTER UPDATE statement trigger on lessons, see private.refresh_drafts.';
create trigger refresh_drafts_insert
    after insert on public.lessons
    referencing new table as new_rows
    for each statement execute function private.refresh_drafts_insert();
create trigger refresh_drafts_update
    after update on public.lessons
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.refresh_drafts_update();
create trigger refresh_drafts_delete
    after delete on public.lessons
    referencing old table as old_rows
    for each statement execute function private.refresh_drafts_delete();

grant select, delete on public.lessons to authenticated;
grant insert (
    organization_id, dataset_id, lesson_type, title, description, trigger, correct_response,
    incorrect_response, reasoning, example_conversation, tags, priority, source, status
) on public.lessons to authenticated;
grant update (
    dataset_id, lesson_type, title, description, trigger, correct_response, incorrect_response,
    reasoning, example_conversation, tags, priority, source, status
) on public.lessons to authenticated;
grant select, insert, update, delete on public.lessons to service_role;

-- sql/schema/prompts/prompt_templates.sql

-- Prompt templates: starting points for prompts, of an organization and of the system.

create table public.prompt_templates (
    organization_id uuid default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    -- The tenant, or the nil uuid for a system template: never NULL, so it can be part of keys.
    scope uuid not null generated always as (
        coalesce(organization_id, '00000000-0000-0000-0000-000000000000'::uuid)
    ) stored,
    name text not null
        constraint prompt_templates_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text not null
        constraint prompt_templates_description_check check (length(description) <= 2000),
    category text not null
        constraint prompt_templates_category_check check (length(category) <= 200),
    template_structure jsonb not null
        constraint prompt_templates_template_structure_check
        check (jsonb_typeof(template_structure) = 'object' and switchboard.json_is_bounded(template_structure, 262144)),
    industry text
        constraint prompt_templates_industry_check check (length(industry) <= 200),
    use_case text
        constraint prompt_templates_use_case_check check (length(use_case) <= 2000),
    best_for text
        constraint prompt_templates_best_for_check check (length(best_for) <= 2000),
    default_wizard_answers jsonb
        constraint prompt_templates_default_wizard_answers_check
        check (switchboard.json_is_bounded(default_wizard_answers, 65536)),
    is_active boolean not null default true,
    is_system_template boolean not null generated always as (organization_id is null) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (scope, id)
);
comment on table public.prompt_templates is
    'Starting points for prompts: an organization''s own, and system templates (organization_id NULL) that everyone may read and only the database owner writes.';
comment on column public.prompt_templates.scope is
    'organization_id, or the nil uuid for a system template; the target of prompts.template_id.';

create index prompt_templates_organization_id_idx on public.prompt_templates (organization_id);
comment on index public.prompt_templates_organization_id_idx is 'Foreign key to organizations.';

select private.add_row_triggers('public.prompt_templates');

create function private.guard_system_template() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    raise exception using
        errcode = '42501',
        message = 'a system template is every organization''s',
        hint = 'Make one of your own; the database owner writes those of the system.';
end;
$$;
comment on function private.guard_system_template() is
    'BEFORE UPDATE OR DELETE trigger on prompt_templates; its WHEN clause asks for a system template and the service role, whom no policy holds. Raises 42501.';
create trigger guard_system_template
    before update or delete on public.prompt_templates
    for each row
    when (old.organization_id is null and current_user = 'service_role')
    execute function private.guard_system_template();

alter table public.prompt_templates enable row level security;
alter table public.prompt_templates force row level security;
create policy prompt_templates_select on public.prompt_templates for select to authenticated
    using (
        scope = (select switchboard.organization_for('prompts.read'))
        or (
            scope = '00000000-0000-0000-0000-000000000000'
            and (select switchboard.organization_for('prompts.read')) is not null
        )
    );
create policy prompt_templates_insert on public.prompt_templates for insert to authenticated
    with check (
        organization_id = (select switchboard.organization_for('prompts.write'))
        or switchboard.has_capability(organization_id, 'prompts.write')
        or switchboard.refuse_insert(organization_id, 'prompts.write')
    );
create policy prompt_templates_update on public.prompt_templates for update to authenticated
    using (organization_id = (select switchboard.organization_for('prompts.write')))
    with check (organization_id = (select switchboard.organization_for('prompts.write')));
create policy prompt_templates_delete on public.prompt_templates for delete to authenticated
    using (organization_id = (select switchboard.organization_for('prompts.delete')));

grant select, delete on public.prompt_templates to authenticated;
grant insert (
    organization_id, name, description, category, template_structure, industry, use_case, best_for,
    default_wizard_answers, is_active
) on public.prompt_templates to authenticated;
grant update (
    name, description, category, template_structure, industry, use_case, best_for,
    default_wizard_answers, is_active
) on public.prompt_templates to authenticated;
grant select, insert, update, delete on public.prompt_templates to service_role;

-- sql/schema/prompts/prompts.sql

-- Prompts and their drafts. switchboard.compile_prompt makes the text; it is never written by hand.

create table public.prompts (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    name text not null
        constraint prompts_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text
        constraint prompts_description_check check (length(description) <= 2000),
    prompt_structure jsonb not null default '{}'
        constraint prompts_prompt_structure_check
        check (jsonb_typeof(prompt_structure) = 'object' and switchboard.json_is_bounded(prompt_structure, 262144)),
    token_budget integer not null default 4000
        constraint prompts_token_budget_check check (token_budget between 100 and 1000000),
    compiled_prompt text not null,
    compiled_sha256 text not null
        constraint prompts_compiled_sha256_check check (compiled_sha256 ~ '^[0-9a-f]{64}$'),
    compile_report jsonb not null,
    created_from text not null default 'wizard'
        constraint prompts_created_from_check
        check (created_from in ('wizard', 'template', 'manual', 'copied')),
    template_id uuid,
    template_scope uuid,
    copied_from_prompt_id uuid,
    wizard_answers jsonb
        constraint prompts_wizard_answers_check check (switchboard.json_is_bounded(wizard_answers, 65536)),
    lessons_count integer not null,
    manual_edits_count integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint prompts_template_scope_check check (
        template_scope in (organization_id, '00000000-0000-0000-0000-000000000000'::uuid)
    ),
    constraint prompts_template_has_scope_check check (template_id is null or template_scope is not null),
    constraint prompts_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id),
    constraint prompts_template_id_fkey
        foreign key (template_scope, template_id)
        references public.prompt_templates (scope, id)
        on delete set null (template_id),
    constraint prompts_copied_from_prompt_id_fkey
        foreign key (organization_id, copied_from_prompt_id)
        references public.prompts (organization_id, id)
        on delete set null (copied_from_prompt_id)
);
comment on table public.prompts is
    'A prompt and its draft. What callers hear is a published version: see prompt_versions and publish_prompt.';
comment on column public.prompts.dataset_id is 'The campaign that the prompt is for; NULL: the whole organization.';
comment on column public.prompts.prompt_structure is
    'Sections {name: {content, source, why}}; the draft. Its shape is checked by the compiler.';
comment on column public.prompts.token_budget is
    'Tokens the compiled text may take, estimated as bytes / 4; lessons over it are dropped and reported.';
comment on column public.prompts.compiled_prompt is
    'The draft compiled with today''s lessons, testing ones included; kept by trigger on every write of the prompt or of a lesson.';
comment on column public.prompts.compile_report is '{token_estimate, dropped, warnings, problem} of the draft''s compile; problem: null, or why the draft stands without its lessons and would not publish.';
comment on column public.prompts.template_scope is
    'Whose template template_id is: this organization''s, or the system''s (nil uuid). Filled by trigger.';
comment on column public.prompts.manual_edits_count is 'How often prompt_structure was changed after the prompt was made.';

create index prompts_created_at_idx on public.prompts (organization_id, created_at desc, id);
comment on index public.prompts_created_at_idx is 'List of an organization''s prompts, newest first.';
create index prompts_dataset_id_idx on public.prompts (organization_id, dataset_id);
comment on index public.prompts_dataset_id_idx is 'Foreign key to datasets; prompts of a dataset.';
create index prompts_template_id_idx on public.prompts (template_scope, template_id);
comment on index public.prompts_template_id_idx is 'Foreign key to prompt_templates.';
create index prompts_copied_from_prompt_id_idx
    on public.prompts (organization_id, copied_from_prompt_id);
comment on index public.prompts_copied_from_prompt_id_idx is 'Foreign key to prompts.';

create function private.compile_draft() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_lessons jsonb;
    v_compiled record;
    v_problem text;
begin
    if (tg_op = 'INSERT' and num_nonnulls(
            new.compiled_prompt, new.compiled_sha256, new.compile_report, new.lessons_count
        ) > 0)
        or (tg_op = 'UPDATE' and (
            new.compiled_prompt is distinct from old.compiled_prompt
            or new.compiled_sha256 is distinct from old.compiled_sha256
            or new.compile_report is distinct from old.compile_report
            or new.lessons_count is distinct from old.lessons_count
        ))
    then
        raise exception using
            errcode = '22023',
            message = 'compiled_prompt, compiled_sha256, compile_report and lessons_count are made by the compiler',
            hint = 'Write prompt_structure; the draft is compiled on every write.';
    end if;

    if tg_op = 'UPDATE' and new.prompt_structure is distinct from old.prompt_structure then
        new.manual_edits_count := old.manual_edits_count + 1;
    end if;

    -- An unknown template leaves the organization's own scope, and the foreign key refuses it with the
    -- same words as another tenant's.
    if new.template_id is null then
        new.template_scope := null;
    else
        new.template_scope := coalesce(
            (
                select t.scope from public.prompt_templates t
                where t.id = new.template_id
                    and t.scope in (new.organization_id, '00000000-0000-0000-0000-000000000000')
                order by t.scope desc
                limit 1
            ),
            new.organization_id
        );
    end if;

    -- With the writer's own rights: whoever names another organization here reads none of its lessons.
    select coalesce(jsonb_agg(jsonb_build_object(
            'id', l.id, 'lesson_type', l.lesson_type, 'title', l.title, 'description', l.description,
            'trigger', l.trigger, 'correct_response', l.correct_response,
            'incorrect_response', l.incorrect_response, 'reasoning', l.reasoning,
            'priority', l.priority, 'created_at', l.created_at, 'status', l.status
        ) order by l.priority desc, l.created_at, l.id), '[]')
        into v_lessons
        from public.lessons l
        where l.organization_id = new.organization_id
            and l.status in ('active', 'testing')
            and (l.dataset_id is null or l.dataset_id = new.dataset_id);

    begin
        select * into strict v_compiled
            from switchboard.compile_prompt(
                new.prompt_structure,
                v_lessons,
                jsonb_build_object('token_budget', new.token_budget, 'draft', true)
            );
    exception
        when invalid_parameter_value then
            -- The structure's own faults are raised here. Otherwise the lessons do not fit: the draft
            -- stands without them and says why, so that nobody's lesson is refused for somebody's
            -- draft; publishing raises it.
            v_problem := sqlerrm;
            v_lessons := '[]';
            select * into strict v_compiled
                from switchboard.compile_prompt(
                    new.prompt_structure,
                    v_lessons,
                    jsonb_build_object('token_budget', new.token_budget, 'draft', true)
                );
    end;
    new.compiled_prompt := v_compiled.compiled;
    new.compiled_sha256 := v_compiled.sha256;
    new.compile_report := jsonb_build_object(
        'token_estimate', v_compiled.token_estimate,
        'dropped', v_compiled.dropped,
        'warnings', v_compiled.warnings,
        'problem', v_problem
    );
    new.lessons_count := jsonb_array_length(v_lessons);
    return new;
end;
$$;
comment on function private.compile_draft() is
    'BEFORE trigger on prompts: compiles the draft with active and testing lessons, finds the template''s scope, counts edits of the structure. Lessons that do not fit leave the draft without lessons and a problem in compile_report. Raises 22023 when a compiled column is written by hand, and the compiler''s 22023 naming the path in the structure.';
create trigger compile_draft
    before insert or update on public.prompts
    for each row execute function private.compile_draft();

select private.add_row_triggers('public.prompts');
select private.add_tenant_policies('public.prompts', 'prompts', dataset => 'dataset_id', shared => true);
select private.add_audit(
    'public.prompts', '{}', '{compiled_prompt,compiled_sha256,compile_report,lessons_count,manual_edits_count}'
);
select private.add_broadcast('public.prompts', 'prompts.read');

create function private.refresh_drafts(changed jsonb) returns void
    language sql volatile
    set search_path = ''
begin atomic
    with affected as (
        select p.organization_id, p.id
        from public.prompts p
        where p.organization_id in (
                select (c ->> 0)::uuid from jsonb_array_elements(changed) as c
            )
            and exists (
                select from jsonb_array_elements(changed) as c
                where (c ->> 0)::uuid = p.organization_id
                    and (c ->> 1 is null or (c ->> 1)::uuid = p.dataset_id)
            )
        order by p.organization_id, p.id
        for no key update
    )
    update public.prompts p
        set prompt_structure = p.prompt_structure
        from affected a
        where p.organization_id = a.organization_id and p.id = a.id;
end;
comment on function private.refresh_drafts(jsonb) is
    'Recompiles the drafts that changed lessons concern; changed: [[organization_id, dataset_id or null], …] or NULL. Locks in key order, so that two writers cannot deadlock. Raises nothing of its own.';

grant select, delete on public.prompts to authenticated;
grant insert (
    organization_id, dataset_id, name, description, prompt_structure, token_budget, created_from,
    template_id, copied_from_prompt_id, wizard_answers
) on public.prompts to authenticated;
grant update (dataset_id, name, description, prompt_structure, token_budget, wizard_answers)
    on public.prompts to authenticated;
-- All but what the compiler writes.
grant select, delete on public.prompts to service_role;
grant insert (
    organization_id, id, dataset_id, name, description, prompt_structure, token_budget, created_from, template_id,
    copied_from_prompt_id, wizard_answers, created_at, updated_at
) on public.prompts to service_role;
grant update (
    organization_id, id, dataset_id, name, description, prompt_structure, token_budget, created_from, template_id,
    copied_from_prompt_id, wizard_answers, created_at, updated_at
) on public.prompts to service_role;

-- sql/schema/prompts/prompt_versions.sql

-- Published prompts, which never change.

create table public.prompt_versions (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    prompt_id uuid not null,
    -- A record like template_id: for which dataset it was published, when the prompt has moved on.
    dataset_id uuid,
    version text not null
        constraint prompt_versions_version_check check (version ~ '^[1-9][0-9]*\.[0-9]+$'),
    version_number integer not null
        constraint prompt_versions_version_number_check check (version_number > 0),
    structure jsonb not null,
    compiled_prompt text not null,
    sha256 text not null
        constraint prompt_versions_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
    spans jsonb not null,
    report jsonb not null,
    -- A record of what was published, not a reference: it must not change when the template goes.
    template_id uuid,
    changes jsonb not null,
    changes_summary text not null,
    change_reason text not null
        constraint prompt_versions_change_reason_check
        check (btrim(change_reason) <> '' and length(change_reason) <= 2000),
    previous_version_id uuid,
    -- No foreign key: clearing it when a person leaves would rewrite history.
    created_by uuid,
    created_by_type text not null default 'user'
        constraint prompt_versions_created_by_type_check
        check (created_by_type in ('user', 'ai', 'system')),
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint prompt_versions_version_number_key unique (organization_id, prompt_id, version_number),
    constraint prompt_versions_prompt_id_fkey
        foreign key (organization_id, prompt_id)
        references public.prompts (organization_id, id),
    constraint prompt_versions_previous_version_id_fkey
        foreign key (organization_id, previous_version_id)
        references public.prompt_versions (organization_id, id)
);
comment on table public.prompt_versions is
    'Published prompts. Written by publish_prompt only and never changed or deleted, by anyone: a call can be replayed against exactly what answered it.';
comment on column public.prompt_versions.dataset_id is
    'The prompt''s dataset when it was published; decides who with a scope may read the version.';
comment on column public.prompt_versions.version is
    'major.minor: major moves with the set of sections or the template, minor with content or lessons.';
comment on column public.prompt_versions.sha256 is 'SHA-256 of compiled_prompt, hex.';
comment on column public.prompt_versions.spans is
    'Where every part of the text comes from: [{start, end, section, source, lesson_id, why}], tiling it.';
comment on column public.prompt_versions.report is '{token_estimate, dropped, warnings} of the compile.';
comment on column public.prompt_versions.changes is
    '{type, sections_added, sections_removed, sections_changed, lessons_changed} against the previous version.';
comment on index public.prompt_versions_version_number_key is
    'A number once per prompt; latest version of a prompt; foreign key to prompts.';
create index prompt_versions_previous_version_id_idx
    on public.prompt_versions (organization_id, previous_version_id);
comment on index public.prompt_versions_previous_version_id_idx is 'Foreign key to prompt_versions.';

select private.make_append_only('public.prompt_versions', 'Publish a new version instead.');
select private.add_tenant_policies(
    'public.prompt_versions', 'prompts', '{insert,update,delete}', dataset => 'dataset_id', shared => true
);
select private.add_audit(
    'public.prompt_versions', '{}', '{structure,compiled_prompt,spans,report}', '{insert}'
);

grant select on public.prompt_versions to authenticated;
grant select on public.prompt_versions to service_role;

-- sql/schema/prompts/publish_prompt.sql

-- The RPC that publishes a prompt's draft as a version.
-- Long: the comparison of two versions is to move into the core.

create function private.publish_prompt(p_prompt_id uuid, p_reason text)
    returns public.prompt_versions
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('prompts.publish');
    v_scope uuid[] := switchboard.dataset_scope();
    v_prompt public.prompts;
    v_previous public.prompt_versions;
    v_lessons jsonb;
    v_compiled record;
    v_added text[];
    v_removed text[];
    v_changed text[];
    v_lessons_changed boolean;
    v_template_changed boolean;
    v_major boolean;
    v_version public.prompt_versions;
begin
    if p_reason is null or btrim(p_reason) = '' then
        raise exception using errcode = '22023', message = 'reason must say why the prompt is published';
    end if;
    if length(p_reason) > 2000 then
        raise exception using errcode = '22023', message = 'reason must have at most 2,000 characters';
    end if;

    select * into v_prompt
        from public.prompts p
        where p.organization_id = v_org
            and p.id = p_prompt_id
            -- As in the policy for a change of the prompt.
            and (v_scope is null or p.dataset_id = any (v_scope))
        for update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'prompt_not_found',
            detail = 'You can publish no prompt with this id in this organization.';
    end if;

    select coalesce(jsonb_agg(jsonb_build_object(
            'id', l.id, 'lesson_type', l.lesson_type, 'title', l.title, 'description', l.description,
            'trigger', l.trigger, 'correct_response', l.correct_response,
            'incorrect_response', l.incorrect_response, 'reasoning', l.reasoning,
            'priority', l.priority, 'created_at', l.created_at, 'status', l.status
        ) order by l.priority desc, l.created_at, l.id), '[]')
        into v_lessons
        from public.lessons l
        where l.organization_id = v_org
            and l.status = 'active'
            and (l.dataset_id is null or l.dataset_id = v_prompt.dataset_id);

    select c.* into strict v_compiled
        from switchboard.compile_prompt(
            v_prompt.prompt_structure,
            v_lessons,
            jsonb_build_object('token_budget', v_prompt.token_budget, 'draft', false)
        ) as c;

    select * into v_previous
        from public.prompt_versions v
        where v.organization_id = v_org and v.prompt_id = p_prompt_id
        order by v.version_number desc
        limit 1;

    if v_previous.id is not null
        and v_previous.sha256 = v_compiled.sha256
        and v_previous.structure = v_prompt.prompt_structure
        and v_previous.template_id is not distinct from v_prompt.template_id
        and v_previous.dataset_id is not distinct from v_prompt.dataset_id
    then
        return v_previous;
    end if;

    v_added := array(
        select k from jsonb_object_keys(v_prompt.prompt_structure) as k
        where not coalesce(v_previous.structure, '{}') ? k order by k
    );
    v_removed := array(
        select k from jsonb_object_keys(coalesce(v_previous.structure, '{}')) as k
        where not v_prompt.prompt_structure ? k order by k
    );
    v_changed := array(
        select k from jsonb_object_keys(v_prompt.prompt_structure) as k
        where v_previous.structure ? k
            and v_previous.structure -> k <> v_prompt.prompt_structure -> k
        order by k
    );
    v_template_changed := v_previous.template_id is distinct from v_prompt.template_id;
    v_lessons_changed := v_previous.id is not null
        and v_previous.structure = v_prompt.prompt_structure
        and v_previous.sha256 <> v_compiled.sha256;
    v_major := v_previous.id is null
        or cardinality(v_added) > 0
        or cardinality(v_removed) > 0
        or v_template_changed;

    insert into public.prompt_versions (
        organization_id, prompt_id, dataset_id, version, version_number, structure, compiled_prompt, sha256,
        spans, report, template_id, changes, changes_summary, change_reason, previous_version_id, created_by
    ) values (
        v_org,
        p_prompt_id,
        v_prompt.dataset_id,
        case
            when v_previous.id is null then '1.0'
            when v_major then split_part(v_previous.version, '.', 1)::integer + 1 || '.0'
            else split_part(v_previous.version, '.', 1) || '.'
                || split_part(v_previous.version, '.', 2)::integer + 1
        end,
        coalesce(v_previous.version_number, 0) + 1,
        v_prompt.prompt_structure,
        v_compiled.compiled,
        v_compiled.sha256,
        v_compiled.spans,
        jsonb_build_object(
            'token_estimate', v_compiled.token_estimate,
            'dropped', v_compiled.dropped,
            'warnings', v_compiled.warnings
        ),
        v_prompt.template_id,
        jsonb_build_object(
            'type', case when v_previous.id is null then 'created' when v_major then 'major' else 'minor' end,
            'sections_added', to_jsonb(v_added),
            'sections_removed', to_jsonb(v_removed),
            'sections_changed', to_jsonb(v_changed),
            'lessons_changed', v_lessons_changed
        ),
        coalesce(nullif(concat_ws('; ',
            case when v_previous.id is null then 'first version' end,
            case when v_previous.id is not null and v_template_changed then 'template changed' end,
            case
                when v_previous.id is not null and v_previous.dataset_id is distinct from v_prompt.dataset_id
                    then 'dataset changed'
            end,
            case when v_previous.id is not null then 'added ' || nullif(array_to_string(v_added, ', '), '') end,
            'removed ' || nullif(array_to_string(v_removed, ', '), ''),
            'changed ' || nullif(array_to_string(v_changed, ', '), ''),
            case when v_lessons_changed then 'lessons changed' end
        ), ''), 'compiled text changed'),
        btrim(p_reason),
        v_previous.id,
        switchboard.user_id()
    )
    returning * into v_version;
    return v_version;
end;
$$;
comment on function private.publish_prompt(uuid, text) is
    'Body of public.publish_prompt; see there. Definer: nobody may insert into prompt_versions, so every version is what the compiler made.';

create function public.publish_prompt(prompt_id uuid, reason text) returns public.prompt_versions
    language sql volatile
    set search_path = ''
begin atomic
    select private.publish_prompt(prompt_id, reason);
end;
comment on function public.publish_prompt(uuid, text) is
    'Compiles a prompt with the active lessons of its organization and dataset and returns the version: a new one if text, structure, template or dataset changed, else the latest. Raises PT401, PT400, PT403 (prompts.publish), PT404 prompt_not_found (also outside of the caller''s datasets), 22023 (reason; the compiler''s, naming the path).';
grant execute on function private.publish_prompt(uuid, text) to authenticated;
grant execute on function public.publish_prompt(uuid, text) to authenticated;

-- sql/schema/calls/customers.sql

-- Customers: whoever rings.

create table public.customers (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    phone_number text not null
        constraint customers_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text
        constraint customers_phone_input_check check (length(phone_input) <= 250),
    name text
        constraint customers_name_check check (length(name) <= 200),
    email text
        constraint customers_email_check check (private.is_email(email)),
    attributes jsonb not null default '{}'
        constraint customers_attributes_check
        check (jsonb_typeof(attributes) = 'object' and switchboard.json_is_bounded(attributes, 65536)),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint customers_phone_number_key unique (organization_id, phone_number)
);
comment on table public.customers is
    'A person who called, once per organization and number. A lead is a campaign''s entry; a customer is whoever rings.';
comment on column public.customers.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country.';
comment on column public.customers.phone_input is 'The number as it was given.';
comment on index public.customers_phone_number_key is
    'A number once per organization; route_inbound_call: customer of a caller.';
create index customers_created_at_idx on public.customers (organization_id, created_at desc, id);
comment on index public.customers_created_at_idx is 'List of an organization''s customers, newest first.';

create trigger normalize_phone
    before insert or update on public.customers
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization'
    );

select private.add_row_triggers('public.customers');
select private.add_tenant_policies('public.customers', 'customers');

grant select, delete on public.customers to authenticated;
grant insert (organization_id, phone_number, name, email, attributes)
    on public.customers to authenticated;
grant update (phone_number, name, email, attributes) on public.customers to authenticated;
grant select, insert, update, delete on public.customers to service_role;

-- sql/schema/calls/calls.sql

-- Calls. Server code writes here through route_inbound_call; members of an organization read.

create table public.calls (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    agent_id uuid,
    prompt_version_id uuid,
    phone_number_id uuid,
    customer_id uuid,
    lead_id uuid,
    dataset_id uuid,
    assigned_to uuid,
    direction text not null
        constraint calls_direction_check check (direction in ('inbound', 'outbound')),
    caller_number text
        constraint calls_caller_number_check check (switchboard.is_e164(caller_number)),
    caller_input text
        constraint calls_caller_input_check check (length(caller_input) <= 250),
    called_number text not null
        constraint calls_called_number_check check (switchboard.is_e164(called_number)),
    provider text not null
        constraint calls_provider_check check (private.is_provider(provider)),
    provider_sid text not null
        constraint calls_provider_sid_check check (btrim(provider_sid) <> '' and length(provider_sid) <= 200),
    status text not null default 'ringing'
        constraint calls_status_check check (status in (
            'ringing', 'in_progress', 'completed', 'busy', 'no_answer', 'failed', 'rejected'
        )),
    decision jsonb not null
        constraint calls_decision_check
        check (jsonb_typeof(decision) = 'object' and switchboard.json_is_bounded(decision, 262144)),
    started_at timestamptz not null default now(),
    answered_at timestamptz,
    ended_at timestamptz,
    duration_seconds integer generated always as (
        extract(epoch from ended_at - started_at)::integer
    ) stored,
    outcome text
        constraint calls_outcome_check check (length(outcome) <= 200),
    sentiment text
        constraint calls_sentiment_check check (length(sentiment) <= 200),
    summary text
        constraint calls_summary_check check (length(summary) <= 10000),
    recording_path text
        constraint calls_recording_path_check check (length(recording_path) <= 1024),
    transcript text
        constraint calls_transcript_check check (length(transcript) <= 1000000),
    cost_micros bigint,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint calls_provider_sid_key unique (organization_id, provider, provider_sid),
    constraint calls_period_check check (ended_at >= started_at),
    constraint calls_agent_id_fkey
        foreign key (organization_id, agent_id)
        references public.agents (organization_id, id)
        on delete set null (agent_id),
    constraint calls_prompt_version_id_fkey
        foreign key (organization_id, prompt_version_id)
        references public.prompt_versions (organization_id, id)
        on delete set null (prompt_version_id),
    constraint calls_phone_number_id_fkey
        foreign key (organization_id, phone_number_id)
        references public.phone_numbers (organization_id, id)
        on delete set null (phone_number_id),
    constraint calls_customer_id_fkey
        foreign key (organization_id, customer_id)
        references public.customers (organization_id, id)
        on delete set null (customer_id),
    constraint calls_lead_id_fkey
        foreign key (organization_id, lead_id)
        references public.leads (organization_id, id)
        on delete set null (lead_id),
    constraint calls_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id),
    constraint calls_assigned_to_fkey
        foreign key (organization_id, assigned_to)
        references public.memberships (organization_id, user_id)
        on delete set null (assigned_to)
);
comment on table public.calls is
    'A call. Written by server code only; a provider''s call id appears once, so a repeated webhook finds the call it already made.';
comment on column public.calls.caller_number is
    'The caller; NULL when withheld or not a phone number. caller_input keeps what the provider sent.';
comment on column public.calls.decision is
    'What route_inbound_call decided, with the ids of whom it is about and nothing else of them: who may read calls need not read customers.';
comment on column public.calls.dataset_id is
    'The lead''s dataset, by trigger: who works on some datasets sees the calls of their leads. NULL for a caller who is no lead.';
comment on column public.calls.assigned_to is
    'To whom the lead is assigned, by trigger: who sees only the own leads sees their calls. A copy, because a policy that looked into leads would do so for every call it passes by.';
comment on column public.calls.recording_path is
    'Where the recording is kept. This and transcript are not readable; call_recording answers them to members with recordings.read.';
comment on column public.calls.duration_seconds is 'From started_at to ended_at.';
comment on column public.calls.cost_micros is 'Millionths of the currency unit.';
comment on index public.calls_provider_sid_key is
    'route_inbound_call: the call of a repeated webhook. Within the organization: another tenant''s call id finds nothing.';
create index calls_started_at_idx on public.calls (organization_id, started_at desc, id)
    include (dataset_id, assigned_to);
comment on index public.calls_started_at_idx is
    'List of an organization''s calls, newest first; their count, for which it carries what the policies compare.';
create index calls_active_idx on public.calls (organization_id, started_at)
    where status in ('ringing', 'in_progress');
comment on index public.calls_active_idx is
    'route_inbound_call and usage: calls of an organization that are going on.';
create index calls_agent_id_idx on public.calls (organization_id, agent_id);
comment on index public.calls_agent_id_idx is 'Foreign key to agents; calls of an agent.';
create index calls_prompt_version_id_idx on public.calls (organization_id, prompt_version_id);
comment on index public.calls_prompt_version_id_idx is
    'Foreign key to prompt_versions; calls answered with a version.';
create index calls_phone_number_id_idx on public.calls (organization_id, phone_number_id);
comment on index public.calls_phone_number_id_idx is 'Foreign key to phone_numbers; calls to a number.';
create index calls_customer_id_idx on public.calls (organization_id, customer_id);
comment on index public.calls_customer_id_idx is 'Foreign key to customers; calls of a customer.';
create index calls_lead_id_idx on public.calls (organization_id, lead_id);
comment on index public.calls_lead_id_idx is
    'Foreign key to leads; calls of a lead, also to follow its dataset and assignment.';
create index calls_dataset_id_idx on public.calls (organization_id, dataset_id)
    where dataset_id is not null;
comment on index public.calls_dataset_id_idx is 'Foreign key to datasets; calls of a dataset.';
create index calls_assigned_to_idx on public.calls (organization_id, assigned_to)
    where assigned_to is not null;
comment on index public.calls_assigned_to_idx is 'Foreign key to memberships; calls of a member''s leads.';

create function private.copy_lead_to_call() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- The lock makes a reassignment of the lead come before or after this call, never past it. A lead that
    -- somebody is changing is read as it was: a ringing phone does not wait for an import to end.
    select l.dataset_id, l.assigned_to into new.dataset_id, new.assigned_to
        from public.leads l
        where l.organization_id = new.organization_id and l.id = new.lead_id
        for share skip locked;
    if not found then
        select l.dataset_id, l.assigned_to into new.dataset_id, new.assigned_to
            from public.leads l
            where l.organization_id = new.organization_id and l.id = new.lead_id;
    end if;
    return new;
end;
$$;
comment on function private.copy_lead_to_call() is
    'BEFORE trigger on calls: dataset_id and assigned_to are the lead''s, whatever was written. Definer: server code has no right to lock leads. Raises nothing.';
create trigger copy_lead_to_call_insert
    before insert on public.calls
    for each row
    when (new.lead_id is not null or new.dataset_id is not null or new.assigned_to is not null)
    execute function private.copy_lead_to_call();
create trigger copy_lead_to_call_update
    before update on public.calls
    for each row
    when (new.lead_id is distinct from old.lead_id and new.lead_id is not null)
    execute function private.copy_lead_to_call();

select private.add_row_triggers('public.calls');
select private.add_tenant_policies(
    'public.calls', 'calls', '{insert,update}', dataset => 'dataset_id', own => 'assigned_to'
);
select private.add_broadcast('public.calls', 'calls.read_all');

-- All but recording_path and transcript.
grant select (
    organization_id, id, agent_id, prompt_version_id, phone_number_id, customer_id, lead_id, dataset_id,
    assigned_to, direction, caller_number, caller_input, called_number, provider, provider_sid, status, decision, started_at,
    answered_at, ended_at, duration_seconds, outcome, sentiment, summary, cost_micros, created_at, updated_at
) on public.calls to authenticated;
grant delete on public.calls to authenticated;
-- All but the copies of the lead's dataset and member.
grant select, insert, delete on public.calls to service_role;
grant update (
    organization_id, id, agent_id, prompt_version_id, phone_number_id, customer_id, lead_id, direction, caller_number,
    caller_input, called_number, provider, provider_sid, status, decision, started_at, answered_at, ended_at, outcome,
    sentiment, summary, recording_path, transcript, cost_micros, created_at, updated_at
) on public.calls to service_role;

-- sql/schema/leads/undo_upload.sql

-- The ways out of an import: giving up a file before or in the middle, taking back its leads, and the pieces that nobody
-- came back for.

create function private.cancel_upload(p_upload_id uuid) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_upload public.uploads := private.importer_upload(p_upload_id);
begin
    if v_upload.status not in ('completed', 'failed') then
        v_upload := private.give_up_upload(v_upload.organization_id, v_upload.id, 'cancelled');
    end if;
    return private.upload_progress(v_upload);
end;
$$;
comment on function private.cancel_upload(uuid) is
    'Body of public.cancel_upload; see there. Definer: clients do not touch the pieces.';

create function private.give_up_upload(org uuid, upload_id uuid, problem text) returns public.uploads
    language sql volatile
    set search_path = ''
begin atomic
    delete from private.upload_chunks c where c.organization_id = org and c.upload_id = give_up_upload.upload_id;
    update public.uploads u
        set status = 'failed', problem = give_up_upload.problem, seconds_remaining = null
        where u.organization_id = org and u.id = give_up_upload.upload_id
        returning u.*;
end;
comment on function private.give_up_upload(uuid, uuid, text) is
    'An upload that will not go on: failed, with that problem, and without its file. Raises nothing.';

create function public.cancel_upload(upload_id uuid) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.cancel_upload(upload_id);
end;
comment on function public.cancel_upload(uuid) is
    'Gives up an import that is not completed: its file goes, leads that it made stay (undo_upload takes them back). Answers as commit_upload. Raises PT401, PT400, PT403, PT404 upload_not_found.';
grant execute on function private.cancel_upload(uuid) to authenticated;
grant execute on function public.cancel_upload(uuid) to authenticated;

create function private.undo_upload(p_upload_id uuid) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    batch constant integer := 20000;
    v_upload public.uploads := private.importer_upload(p_upload_id);
    v_seen uuid[];
    v_ids uuid[];
    v_last uuid := '00000000-0000-0000-0000-000000000000'::uuid;
    v_is_done boolean;
    v_deleted integer;
    v_kept integer;
begin
    perform switchboard.require_organization('leads.delete');
    if v_upload.status not in ('completed', 'failed') then
        raise exception using
            errcode = 'PT409',
            message = 'upload_running',
            detail = format('The upload is %s.', v_upload.status),
            hint = 'cancel_upload ends it; undo_upload then takes its leads back.';
    end if;
    loop
        -- Locked, so that they are as they are seen here; all of them before the counters, which the DELETE moves.
        v_seen := array(
            select l.id from public.leads l
            where l.organization_id = v_upload.organization_id
                and l.upload_id = v_upload.id
                and l.id > v_last
                and l.updated_at <= l.imported_at
            order by l.id
            limit batch
            for update
        );
        v_last := v_seen[cardinality(v_seen)];
        v_is_done := cardinality(v_seen) < batch;
        v_ids := private.without_work(v_upload, v_seen);
        exit when v_ids <> '{}' or v_is_done;
    end loop;
    -- What was imported as their duplicate stays so untouched.
    update public.leads l
        set duplicate_of = null, imported_at = now()
        where l.organization_id = v_upload.organization_id
            and l.duplicate_of = any (v_ids)
            and l.updated_at <= l.imported_at;
    delete from public.leads l where l.organization_id = v_upload.organization_id and l.id = any (v_ids);
    get diagnostics v_deleted = row_count;
    if v_is_done then
        update public.uploads u
            set undone_at = now()
            where u.organization_id = v_upload.organization_id and u.id = v_upload.id
            returning * into strict v_upload;
    end if;
    select count(*) into v_kept
        from public.leads l
        where l.organization_id = v_upload.organization_id and l.upload_id = v_upload.id;
    return jsonb_build_object(
        'upload_id', v_upload.id, 'deleted', v_deleted, 'remaining', v_kept, 'is_done', v_is_done);
end;
$$;
comment on function private.undo_upload(uuid) is
    'Body of public.undo_upload; see there. Definer: it counts as one decision about the import, and not lead by lead.';

create function private.without_work(upload public.uploads, lead_ids uuid[]) returns uuid[]
    language sql stable
    set search_path = ''
begin atomic
    select coalesce(array_agg(l.id order by l.id), '{}')
        from public.leads l
        where l.organization_id = (upload).organization_id
            and l.id = any (lead_ids)
            and l.contact_status in ('READY', 'REMOVED')
            and l.m1_sent_at is null
            and l.last_message_at is null
            and l.reply_received_at is null
            and l.total_messages = 0
            and not exists (
                select from public.calls c where c.organization_id = l.organization_id and c.lead_id = l.id
            )
            and not exists (
                select from public.upload_rows r
                join public.uploads o on o.organization_id = r.organization_id and o.id = r.upload_id and o.undone_at is null
                where r.organization_id = l.organization_id and r.lead_id = l.id and r.upload_id <> (upload).id
            );
end;
comment on function private.without_work(public.uploads, uuid[]) is
    'Those of an import''s leads to which nobody has written, with whom nobody has spoken, and which no other import found that still stands. Raises nothing.';

create function public.undo_upload(upload_id uuid) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.undo_upload(upload_id);
end;
comment on function public.undo_upload(uuid) is
    'Deletes the leads that an import made, up to 20,000 a call: call it until is_done. Leads that were written to, called or worked on stay and are counted in remaining; what a merge filled in stays filled. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all, leads.delete), PT404 upload_not_found, PT409 upload_running.';
grant execute on function private.undo_upload(uuid) to authenticated;
grant execute on function public.undo_upload(uuid) to authenticated;

create function private.prune_uploads(older_than interval default '7 days') returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_upload record;
    v_count integer := 0;
begin
    for v_upload in
        select u.organization_id, u.id
        from public.uploads u
        where u.status in ('pending', 'mapping', 'processing')
            and u.updated_at < now() - prune_uploads.older_than
        for no key update skip locked
    loop
        perform private.give_up_upload(v_upload.organization_id, v_upload.id, 'abandoned');
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function private.prune_uploads(interval) is
    'For cron and the database owner. Gives up imports on which nobody has gone on for that long, and removes their files. Answers how many. Raises nothing.';

-- sql/schema/calls/route_inbound_call.sql

-- The one question a telephony provider's webhook asks: who answers.
-- Long: finding number, agent, line and caller in one function saves round trips of the ringing phone.

create function public.route_inbound_call(
    called text,
    caller text,
    provider text,
    provider_sid text
) returns jsonb
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_called text := btrim(coalesce(route_inbound_call.called, ''));
    v_caller text := btrim(coalesce(route_inbound_call.caller, ''));
    v_candidates text[];
    v_number public.phone_numbers;
    v_organization public.organizations;
    v_agent public.agents;
    v_customer public.customers;
    v_lead public.leads;
    v_call public.calls;
    v_from text;
    v_outcome text;
    v_reason text;
    v_limit integer;
    v_call_id uuid := gen_random_uuid();
begin
    if route_inbound_call.provider is null
        or route_inbound_call.provider not in ('twilio', 'telnyx', 'vonage', 'bandwidth', 'sip')
    then
        raise exception using
            errcode = '22023',
            message = 'provider must be one of twilio, telnyx, vonage, bandwidth, sip';
    end if;
    if route_inbound_call.provider_sid is null
        or btrim(route_inbound_call.provider_sid) = ''
        or length(route_inbound_call.provider_sid) > 200
    then
        raise exception using
            errcode = '22023',
            message = 'provider_sid must be the provider''s id of the call, 1 to 200 characters';
    end if;

    -- sip:+441632960000@example.net;user=phone and tel:+441632960000 carry the number in the user part.
    v_called := regexp_replace(v_called, '^(sips?|tel):([^@;]*).*$', '\2', 'i');
    v_caller := regexp_replace(v_caller, '^(sips?|tel):([^@;]*).*$', '\2', 'i');

    v_candidates := array_remove(array[
        switchboard.to_e164(v_called, null),
        case when v_called ~ '^[1-9][0-9]{6,14}$' then switchboard.to_e164('+' || v_called, null) end
    ], null);
    select n.* into v_number
        from public.phone_numbers n
        where n.status = 'active' and n.phone_number = any (v_candidates);
    if not found then
        select n.* into v_number
            from public.phone_numbers n
            where n.status <> 'active' and n.phone_number = any (v_candidates)
            order by n.updated_at desc
            limit 1;
    end if;
    if v_number.id is null and v_called ~ '^[0-9][0-9 ()-]{4,20}$' then
        -- Some trunks send the national form of the number's own country. One match or none: a guess
        -- between two countries would hand a call to the wrong tenant.
        v_candidates := array(
            select switchboard.to_e164(v_called, o.default_country)
            from (select distinct default_country from public.organizations) as o
        );
        if 1 = (
            select count(*) from public.phone_numbers n
            where n.status = 'active' and n.phone_number = any (v_candidates)
        ) then
            select n.* into v_number
                from public.phone_numbers n
                where n.status = 'active' and n.phone_number = any (v_candidates);
        end if;
    end if;
    if v_number.id is null then
        return jsonb_build_object(
            'decision', 'reject', 'reason', 'unknown_number', 'organization_id', null, 'agent', null,
            'prompt', null, 'customer', null, 'lead', null, 'call_id', null, 'variables', '{}'::jsonb
        );
    end if;

    select o.* into strict v_organization
        from public.organizations o
        where o.id = v_number.organization_id;

    -- A provider repeats a webhook that it thinks lost: same call, same answer.
    select c.* into v_call
        from public.calls c
        where c.organization_id = v_organization.id
            and c.provider = route_inbound_call.provider
            and c.provider_sid = route_inbound_call.provider_sid;
    if not found then
        if v_organization.status <> 'active' then
            v_outcome := 'notice';
            v_reason := 'organization_' || v_organization.status;
        elsif v_number.status <> 'active' then
            v_outcome := 'notice';
            v_reason := 'number_' || v_number.status;
        else
            select a.* into v_agent
                from public.agents a
                where a.organization_id = v_organization.id
                    and a.id in (v_number.agent_id, v_organization.default_agent_id)
                    and a.is_active
                order by a.id = v_number.agent_id desc nulls last
                limit 1;
            if found then
                v_outcome := 'answer';
                v_reason := case when v_agent.id = v_number.agent_id then 'agent' else 'default_agent' end;
            else
                v_outcome := 'notice';
                v_reason := 'no_agent';
            end if;
        end if;

        if v_outcome = 'answer' then
            -- As private.quota_limit, which the service role may not call.
            select nullif(coalesce(v.max_count, l.max_count), -1) into v_limit
                from public.plans p
                left join public.plan_limits l on l.plan = p.name and l.quota = 'concurrent_calls'
                left join public.plan_overrides v
                    on v.organization_id = v_organization.id and v.quota = 'concurrent_calls'
                where p.name = v_organization.plan;
            if v_limit is not null then
                -- One caller of an organization at a time, until its call is stored: two would both see the
                -- last line free. The count is a statement of its own and sees what the other one stored.
                perform pg_advisory_xact_lock(
                    hashtextextended('quota concurrent_calls ' || v_organization.id, 0)
                );
                -- A call whose end nobody reported holds its line for four hours, not for ever. In the order of
                -- calls_active_idx and no further than the limit, which keeps the planner on that index.
                if v_limit <= (
                    select count(*) from (
                        select from public.calls c
                        where c.organization_id = v_organization.id
                            and c.status in ('ringing', 'in_progress')
                            and c.started_at > now() - interval '4 hours'
                            and (c.provider, c.provider_sid) is distinct from
                                (route_inbound_call.provider, route_inbound_call.provider_sid)
                        order by c.started_at
                        limit v_limit
                    ) as active
                ) then
                    v_outcome := 'busy';
                    v_reason := 'concurrency_limit';
                    v_agent := null;
                end if;
            end if;
        end if;

        -- Withheld callers come as a word, or as the keypad digits of "anonymous".
        if v_caller ~ '^[+]?[0-9][0-9 ().-]*$' and v_caller not in ('+266696687', '266696687') then
            -- Providers that leave the + out send the country with it; a national reading of that is somebody else.
            v_from := case when v_caller ~ '^[1-9][0-9]{6,14}$' then switchboard.to_e164('+' || v_caller, null) end;
            if v_from is null or not switchboard.phone_is_valid(v_from) then
                v_from := coalesce(switchboard.to_e164(v_caller, v_organization.default_country), v_from);
            end if;
            -- Services ring under short numbers. Nobody is a customer under one, and customers refuses it.
            if exists (
                select from switchboard.parse_phone(v_from, null) as p
                where p.reason in ('short_or_emergency', 'too_short')
            ) then
                v_from := null;
            end if;
        end if;

        if v_outcome = 'answer' then
            if v_from is not null then
                select c.* into v_customer
                    from public.customers c
                    where c.organization_id = v_organization.id and c.phone_number = v_from;
                if not found then
                    insert into public.customers (organization_id, phone_number)
                    values (v_organization.id, v_from)
                    on conflict (organization_id, phone_number) do nothing
                    returning * into v_customer;
                    if not found then
                        select c.* into v_customer
                            from public.customers c
                            where c.organization_id = v_organization.id and c.phone_number = v_from;
                    end if;
                end if;
                select l.* into v_lead
                    from public.leads l
                    where l.organization_id = v_organization.id
                        and l.phone_number = v_from
                        and l.archived_at is null
                    order by l.created_at desc
                    limit 1;
            end if;
        end if;

        -- Members read this row, whatever else they may read: it says who, by ids, and not what stands there.
        insert into public.calls (
            organization_id, id, agent_id, prompt_version_id, phone_number_id, customer_id, lead_id,
            direction, caller_number, caller_input, called_number, provider, provider_sid, status, decision
        ) values (
            v_organization.id, v_call_id, v_agent.id, v_agent.prompt_version_id, v_number.id, v_customer.id, v_lead.id,
            'inbound', v_from, left(route_inbound_call.caller, 200), v_number.phone_number, route_inbound_call.provider,
            route_inbound_call.provider_sid,
            case v_outcome when 'answer' then 'ringing' when 'busy' then 'busy' else 'rejected' end,
            jsonb_build_object(
                'decision', v_outcome,
                'reason', v_reason,
                'organization_id', v_organization.id,
                'agent', case when v_agent.id is not null then jsonb_build_object('id', v_agent.id) end,
                'prompt', case when v_agent.prompt_version_id is not null then jsonb_build_object(
                    'version_id', v_agent.prompt_version_id
                ) end,
                'customer', case when v_customer.id is not null then jsonb_build_object('id', v_customer.id) end,
                'lead', case when v_lead.id is not null then jsonb_build_object('id', v_lead.id) end,
                'call_id', v_call_id
            )
        )
        on conflict (organization_id, provider, provider_sid) do nothing
        returning * into v_call;
        if not found then
            -- The same webhook, delivered twice at once: the other one decided.
            select c.* into v_call
                from public.calls c
                where c.organization_id = v_organization.id
                    and c.provider = route_inbound_call.provider
                    and c.provider_sid = route_inbound_call.provider_sid;
        end if;
    end if;

    return (
        select v_call.decision || jsonb_build_object(
            'agent', case when a.id is not null then jsonb_build_object(
                'id', a.id, 'name', a.name, 'greeting', a.greeting, 'personality', a.personality, 'tone', a.tone,
                'voice_id', a.voice_id, 'llm_config', a.llm_config
            ) end,
            'prompt', case when v.id is not null then jsonb_build_object(
                'version_id', v.id, 'compiled', v.compiled_prompt
            ) end,
            'customer', case when u.id is not null then jsonb_build_object(
                'id', u.id, 'phone_number', u.phone_number, 'name', u.name, 'email', u.email
            ) end,
            'lead', case when l.id is not null then jsonb_build_object(
                'id', l.id, 'dataset_id', l.dataset_id, 'first_name', l.first_name, 'last_name', l.last_name,
                'contact_status', l.contact_status
            ) end,
            'variables', jsonb_strip_nulls(jsonb_build_object(
                'local_date', (v_call.started_at at time zone v_organization.timezone)::date,
                'org', jsonb_build_object('name', v_organization.name),
                'agent', case when a.id is not null then jsonb_build_object('name', a.name) end,
                'lead', case when l.id is not null then jsonb_build_object(
                    'first_name', l.first_name, 'last_name', l.last_name, 'email', l.email, 'postcode', l.postcode
                ) end
            ))
        )
        from (select v_call.organization_id as id) as o
        left join public.agents a on a.organization_id = o.id and a.id = v_call.agent_id
        left join public.prompt_versions v on v.organization_id = o.id and v.id = v_call.prompt_version_id
        left join public.customers u on u.organization_id = o.id and u.id = v_call.customer_id
        left join public.leads l on l.organization_id = o.id and l.id = v_call.lead_id
    );
end;
$$;
comment on function public.route_inbound_call(text, text, text, text) is
    'Who answers a call, with which prompt, for which customer: for server code, one round trip. The same provider and provider_sid always get the same call and people, with what the tables say of them when it is asked. Raises 22023 (provider, provider_sid) and never because of a number.';
grant execute on function public.route_inbound_call(text, text, text, text) to service_role;

-- sql/schema/calls/call_rpcs.sql

-- RPCs about one call: its recording, what became of it.

create function private.call_recording(p_call_id uuid, p_visible_in uuid) returns jsonb
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('recordings.read');
    v_answer jsonb;
begin
    select jsonb_build_object('recording_path', c.recording_path, 'transcript', c.transcript) into v_answer
        from public.calls c
        where c.organization_id = v_org and c.organization_id = p_visible_in and c.id = p_call_id;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'call_not_found',
            detail = 'You can see no call with this id in this organization.';
    end if;
    return v_answer;
end;
$$;
comment on function private.call_recording(uuid, uuid) is
    'Body of public.call_recording; see there. Definer, because the two columns are granted to nobody; p_visible_in is the organization in which the caller''s own rights found the call.';

create function public.call_recording(call_id uuid) returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select private.call_recording(
        call_id,
        (
            select c.organization_id
            from public.calls c
            where c.id = call_recording.call_id
        )
    );
end;
comment on function public.call_recording(uuid) is
    'Recording and transcript of a call that the caller may see: {recording_path, transcript}, each null when there is none. Raises PT401, PT400, PT403 (recordings.read), PT404 call_not_found.';
grant execute on function private.call_recording(uuid, uuid) to authenticated;
grant execute on function public.call_recording(uuid) to authenticated;

create function private.set_call_status(p_organization_id uuid, p_call_id uuid, p_status text)
    returns public.calls
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_row public.calls;
begin
    if p_status is null
        or p_status not in ('in_progress', 'completed', 'busy', 'no_answer', 'failed', 'rejected')
    then
        raise exception using
            errcode = '22023',
            message = 'status must be one of in_progress, completed, busy, no_answer, failed, rejected';
    end if;
    update public.calls c
        set status = p_status,
            answered_at = case when p_status in ('in_progress', 'completed') then coalesce(c.answered_at, now()) end,
            ended_at = case when p_status <> 'in_progress' then greatest(now(), c.started_at) end
        where c.organization_id = p_organization_id
            and c.id = p_call_id
            and c.status in ('ringing', 'in_progress')
        returning * into v_row;
    if not found then
        select c.* into v_row
            from public.calls c
            where c.organization_id = p_organization_id and c.id = p_call_id;
        if not found then
            raise exception using
                errcode = 'PT404',
                message = 'call_not_found',
                detail = 'The organization has no call with this id.';
        end if;
    end if;
    return v_row;
end;
$$;
comment on function private.set_call_status(uuid, uuid, text) is
    'Body of public.set_call_status; see there.';

create function public.set_call_status(organization_id uuid, call_id uuid, status text)
    returns public.calls
    language sql volatile
    set search_path = ''
begin atomic
    select private.set_call_status(organization_id, call_id, status);
end;
comment on function public.set_call_status(uuid, uuid, text) is
    'What became of a call: in_progress when it was answered; completed, busy, no_answer, failed or rejected when it is over, which frees its line (see route_inbound_call). service_role only. Returns the call; one that is over stays as it is, so reports may come twice or late. Raises 22023 (status), PT404 call_not_found.';
grant execute on function private.set_call_status(uuid, uuid, text) to service_role;
grant execute on function public.set_call_status(uuid, uuid, text) to service_role;

-- sql/schema/calls/find_by_phone.sql

-- The RPC that searches all that an organization holds for a phone number.

create function private.find_by_phone(p_org uuid, p_numbers text[]) returns table (
    kind text,
    id uuid,
    e164 text,
    name text,
    status text,
    dataset_id uuid,
    created_at timestamptz
)
    language sql stable
    set search_path = ''
begin atomic
    select f.kind, f.id, f.e164, f.name, f.status, f.dataset_id, f.created_at
        from (
            select 'customer' as kind, c.id, c.phone_number as e164, c.name, null as status,
                null::uuid as dataset_id, c.created_at
            from public.customers c
            where c.organization_id = p_org and c.phone_number = any (p_numbers)
            union all
            select 'lead', l.id, l.phone_number, concat_ws(' ', l.first_name, l.last_name), l.contact_status,
                l.dataset_id, l.created_at
            from public.leads l
            where l.organization_id = p_org and l.phone_number = any (p_numbers)
            union all
            select 'phone_number', n.id, n.phone_number, n.friendly_name, n.status, null, n.created_at
            from public.phone_numbers n
            where n.organization_id = p_org and n.phone_number = any (p_numbers)
        ) as f
        order by f.kind, f.created_at desc, f.id;
end;
comment on function private.find_by_phone(uuid, text[]) is
    'Body of public.find_by_phone, with the caller''s own rights; see there.';

create function public.find_by_phone(phone_number text) returns table (
    kind text,
    id uuid,
    e164 text,
    name text,
    status text,
    dataset_id uuid,
    created_at timestamptz
)
    language sql stable
    set search_path = ''
begin atomic
    select f.*
        from private.require_phone('leads.read', find_by_phone.phone_number) as p
        cross join lateral private.find_by_phone(p.org, p.numbers) as f;
end;
comment on function public.find_by_phone(text) is
    'Everything the caller may see of a phone number in their organization, however it is written; by kind, newest first. Raises PT401, PT400, PT403 (leads.read), 22023 (phone_number missing, or no number: the reason codes of switchboard.parse_phone).';
grant execute on function private.find_by_phone(uuid, text[]) to authenticated;
grant execute on function public.find_by_phone(text) to authenticated;

-- sql/schema/calls/forget.sql

-- One person, wherever they are: what is held about them, and that it is forgotten.

create type private.person as (
    organization_id uuid,
    numbers text[],
    email text,
    lead_ids uuid[],
    customer_ids uuid[],
    call_ids uuid[]
);
comment on type private.person is 'The rows of an organization about the holder of some phone numbers or of an e-mail address.';

create function private.find_person(org uuid, phone_number text, email text) returns private.person
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_person private.person;
begin
    if num_nonnulls(nullif(btrim(find_person.phone_number), ''), nullif(btrim(find_person.email), '')) <> 1 then
        raise exception using
            errcode = '22023',
            message = 'give phone_number or email, one of them',
            hint = 'Somebody with both is found by one after the other.';
    end if;
    if not private.is_email(btrim(find_person.email)) then
        raise exception using errcode = '22023', message = 'email is no e-mail address';
    end if;
    v_person.organization_id := org;
    v_person.email := nullif(btrim(find_person.email), '');
    v_person.numbers := case
        when v_person.email is null then array[private.read_one_phone(org, find_person.phone_number)]
        else '{}'
    end;
    v_person.lead_ids := array(
        select l.id from public.leads l
        where l.organization_id = org
            and (l.phone_number = any (v_person.numbers) or private.email_key(l.email) = private.email_key(v_person.email))
        order by l.id
    );
    v_person.customer_ids := array(
        select c.id from public.customers c
        where c.organization_id = org
            and (c.phone_number = any (v_person.numbers) or private.email_key(c.email) = private.email_key(v_person.email))
        order by c.id
    );
    -- Whoever asks by the address is not written to under the number either.
    if v_person.email is not null then
        v_person.numbers := array(
            select l.phone_number from public.leads l where l.organization_id = org and l.id = any (v_person.lead_ids)
            union
            select c.phone_number from public.customers c where c.organization_id = org and c.id = any (v_person.customer_ids)
        );
    end if;
    v_person.call_ids := array(
        select c.id from public.calls c
        where c.organization_id = org
            and (
                c.lead_id = any (v_person.lead_ids)
                or c.customer_id = any (v_person.customer_ids)
                or case c.direction when 'inbound' then c.caller_number else c.called_number end = any (v_person.numbers)
                    -- A call of somebody else with the same phone is theirs.
                    and (v_person.email is null or c.lead_id is null and c.customer_id is null)
            )
        order by c.id
    );
    return v_person;
end;
$$;
comment on function private.find_person(uuid, text, text) is
    'Who is meant by a phone number in any spelling, or by an e-mail address, in an organization. Raises 22023.';

create function private.note_person(action text, after jsonb, org uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    -- Of whom, the log does not say: it outlives the person.
    insert into public.audit_log (organization_id, actor_id, actor_kind, action, table_name, after)
    values (
        org, switchboard.user_id(),
        case
            when switchboard.user_id() is not null then 'user'
            when switchboard.request_role() = 'service_role' then 'service'
            else 'system'
        end,
        note_person.action, 'people', note_person.after
    );
end;
comment on function private.note_person(text, jsonb, uuid) is
    'Writes into the audit log that a person''s data was handed out or erased, without saying whose. Raises nothing.';

create function private.export_person(p_phone_number text, p_email text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('people.export');
    v_person private.person;
    v_answer jsonb;
begin
    perform private.require_whole_scope();
    v_person := private.find_person(v_org, p_phone_number, p_email);
    select jsonb_build_object(
        'leads', (
            select coalesce(jsonb_agg(to_jsonb(l) - '{organization_id}'::text[] || jsonb_build_object('history', (
                select coalesce(jsonb_agg(to_jsonb(e) - '{organization_id,lead_id}'::text[] order by e.created_at, e.id), '[]')
                from public.lead_events e
                where e.organization_id = v_org and e.lead_id = l.id
            )) order by l.created_at, l.id), '[]')
            from public.leads l
            where l.organization_id = v_org and l.id = any (v_person.lead_ids)
        ),
        'customers', (
            select coalesce(jsonb_agg(to_jsonb(c) - '{organization_id}'::text[] order by c.created_at, c.id), '[]')
            from public.customers c
            where c.organization_id = v_org and c.id = any (v_person.customer_ids)
        ),
        'calls', (
            select coalesce(jsonb_agg(to_jsonb(c) - '{organization_id}'::text[] order by c.started_at, c.id), '[]')
            from public.calls c
            where c.organization_id = v_org and c.id = any (v_person.call_ids)
        ),
        'suppressions', (
            select coalesce(jsonb_agg(to_jsonb(s) - '{organization_id,phone_hash}'::text[] order by s.created_at, s.id), '[]')
            from public.suppressions s
            where s.organization_id = v_org and s.phone_number = any (v_person.numbers)
        )
    ) into strict v_answer;
    perform private.note_person('export_person', jsonb_build_object(
        'leads', cardinality(v_person.lead_ids), 'customers', cardinality(v_person.customer_ids),
        'calls', cardinality(v_person.call_ids)), v_org);
    return v_answer;
end;
$$;
comment on function private.export_person(text, text) is
    'Body of public.export_person; see there. Definer: it reads transcripts, and writes into the audit log.';

create function public.export_person(phone_number text default null, email text default null) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.export_person(phone_number, email);
end;
comment on function public.export_person(text, text) is
    'All that the organization holds about the holder of a phone number, in any spelling, or of an e-mail address: {leads (with their history), customers, calls, suppressions}. Audited. Raises PT401, PT400, PT403 (people.export, whole scope), 22023.';
grant execute on function private.export_person(text, text) to authenticated, service_role;
grant execute on function public.export_person(text, text) to authenticated, service_role;

create function private.forget_errors(person private.person) returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    -- As they stand in any spelling: the digits behind the calling code, if they are enough to be nobody else's.
    v_digits constant text[] := array(
        select d
        from unnest((person).numbers) as n
        cross join lateral substr(n, 2 + length(switchboard.phone_calling_code(n)::text)) as d
        where length(d) >= 7
    );
    v_has_short constant boolean := cardinality(v_digits) < cardinality((person).numbers);
    v_address constant text := private.email_key((person).email);
    v_country constant text := (select o.default_country from public.organizations o where o.id = (person).organization_id);
    v_count integer;
begin
    delete from public.upload_errors e
        where e.organization_id = (person).organization_id
            and (
                -- What is quick is asked first: a large organization has a million of these.
                position(v_address in lower(e.value)) > 0
                    and v_address = any (regexp_split_to_array(lower(e.value), '[^[:alnum:]@.!#$%&''*+/=?^_`{|}~-]+'))
                or exists (
                    select from unnest(v_digits) as d where position(d in translate(e.value, e' ()-./+\t\u00a0', '')) > 0
                )
                or (v_has_short or octet_length(e.value) > length(e.value))
                    and switchboard.to_e164(e.value, v_country) = any ((person).numbers)
                or (e.upload_id, e.row_number) in (
                    select l.upload_id, l.row_number
                    from public.leads l
                    where l.organization_id = (person).organization_id and l.id = any ((person).lead_ids)
                )
            );
    get diagnostics v_count = row_count;
    return v_count;
end;
$$;
comment on function private.forget_errors(private.person) is
    'Deletes what a person''s rows had in their cells, and cells with their number or address. Before their leads go. Answers how many. Raises nothing.';

create function private.erase_person(p_phone_number text, p_email text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('people.erase');
    v_person private.person;
    v_recordings jsonb;
    v_files jsonb;
    v_errors integer;
    v_others integer;
    v_answer jsonb;
begin
    perform private.require_whole_scope();
    v_person := private.find_person(v_org, p_phone_number, p_email);
    perform private.queue_opt_outs(v_org);
    -- Alone, for they are deleted, or lose the lead that they repeat.
    perform from public.leads l
        where l.organization_id = v_org
            and (l.phone_number = any (v_person.numbers) or l.duplicate_of = any (v_person.lead_ids))
        order by l.id
        for update;
    perform private.lock_opt_outs(v_org, v_person.numbers);
    -- Again: while this waited, another lead may have come, or one have got somebody else's number.
    v_person := private.find_person(v_org, p_phone_number, p_email);
    select coalesce(jsonb_agg(c.recording_path order by c.recording_path), '[]') into strict v_recordings
        from public.calls c
        where c.organization_id = v_org and c.id = any (v_person.call_ids) and c.recording_path is not null;
    select coalesce(jsonb_agg(distinct u.storage_path order by u.storage_path), '[]') into strict v_files
        from public.uploads u
        where u.organization_id = v_org
            and u.storage_path is not null
            and u.id in (select l.upload_id from public.leads l where l.organization_id = v_org and l.id = any (v_person.lead_ids));
    v_errors := private.forget_errors(v_person);
    delete from public.calls c where c.organization_id = v_org and c.id = any (v_person.call_ids);
    delete from public.customers c where c.organization_id = v_org and c.id = any (v_person.customer_ids);
    delete from public.leads l where l.organization_id = v_org and l.id = any (v_person.lead_ids);
    -- A lead that once had the number, by mistake.
    delete from public.lead_events e
        where e.organization_id = v_org and e.kind = 'number' and (e.before = any (v_person.numbers) or e.after = any (v_person.numbers));
    update public.exports e set query = null where e.organization_id = v_org and e.query is not null and (e.status <> 'running' or e.expires_at <= now());
    insert into private.suppression_salts (organization_id) values (v_org) on conflict (organization_id) do nothing;
    perform private.keep_suppression_hash(v_org, n) from unnest(v_person.numbers) as n order by n;
    -- Asked by the address: others with the same phone.
    update public.leads l
        set contact_status = 'REMOVED'
        where l.organization_id = v_org
            and l.phone_number = any (v_person.numbers)
            and l.contact_status not in ('REMOVED', 'ARCHIVED');
    select count(*) into strict v_others
        from (
            select from public.leads l where l.organization_id = v_org and l.phone_number = any (v_person.numbers)
            union all
            select from public.customers c where c.organization_id = v_org and c.phone_number = any (v_person.numbers)
        ) as o;
    v_answer := jsonb_build_object(
        'leads', cardinality(v_person.lead_ids), 'customers', cardinality(v_person.customer_ids),
        'calls', cardinality(v_person.call_ids), 'upload_errors', v_errors, 'others', v_others);
    perform private.note_person('erase_person', v_answer, v_org);
    return v_answer || jsonb_build_object('recordings', v_recordings, 'files', v_files);
end;
$$;
comment on function private.erase_person(text, text) is
    'Body of public.erase_person; see there. Definer: it deletes what no one verb covers, and keeps the opt-out as a hash.';

create function private.keep_suppression_hash(org uuid, number text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_hash constant bytea not null := private.suppression_hash(org, number);
begin
    -- One of a channel and reason stays.
    update public.suppressions s
        set lifted_at = greatest(now(), s.created_at)
        where s.organization_id = org
            and s.phone_number = number
            and s.lifted_at is null
            and exists (
                select from public.suppressions h
                where h.organization_id = org
                    and h.phone_hash = v_hash
                    and h.channel = s.channel
                    and h.reason = s.reason
                    and h.lifted_at is null
            );
    update public.suppressions s
        set phone_number = null, phone_input = null, phone_hash = v_hash, lift_reason = null
        where s.organization_id = org and s.phone_number = number;
    insert into public.suppressions (organization_id, phone_hash, reason)
    select org, v_hash, 'erasure'
    where not exists (
        select from public.suppressions s
        where s.organization_id = org and s.phone_hash = v_hash and s.lifted_at is null
    );
end;
$$;
comment on function private.keep_suppression_hash(uuid, text) is
    'A number''s opt-outs without the number, and one where there was none: nobody writes to whoever was erased, without knowing who that is. Raises 22004 without a salt.';

create function public.erase_person(phone_number text default null, email text default null) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.erase_person(phone_number, email);
end;
comment on function public.erase_person(text, text) is
    'Forgets the holder of a phone number, in any spelling, or of an e-mail address; the opt-out stays as a hash. Answers how many leads, customers, calls, upload_errors went; others: those left with the same phone, opted out as well; recordings and files of imports, for the caller to delete in Storage. Audited without a name. Raises PT401, PT400, PT403 (people.erase: owners; whole scope), 22023.';
grant execute on function private.erase_person(text, text) to authenticated, service_role;
grant execute on function public.erase_person(text, text) to authenticated, service_role;

-- sql/schema/circles.sql

-- Foreign keys that close a circle: the table they point to is made after the table they are on. The columns and their
-- indexes are with the table.

alter table public.organizations
    add constraint organizations_default_agent_id_fkey
        foreign key (id, default_agent_id)
        references public.agents (organization_id, id)
        on delete set null (default_agent_id),
    add constraint organizations_default_phone_number_id_fkey
        foreign key (id, default_phone_number_id)
        references public.phone_numbers (organization_id, id)
        on delete set null (default_phone_number_id);
alter table public.agents
    add constraint agents_prompt_version_id_fkey
        foreign key (organization_id, prompt_version_id)
        references public.prompt_versions (organization_id, id)
        on delete set null (prompt_version_id);

-- sql/schema/platform/storage.sql

-- Files in Supabase Storage: three buckets in which every organization has its folder, and who may do what in it.
-- Storage keeps its tables in the schema storage and asks their policies as the signed-in user; the schema is not there
-- on a plain Postgres, and may come after this migration: private.attach_storage() then does the same again.
-- storage.objects belongs to supabase_storage_admin. Supabase lets postgres make policies on it, and no more than that:
-- no ALTER TABLE, no COMMENT.

create function private.guard_object() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    raise exception using
        errcode = '42501',
        message = 'a file stays in its bucket and in its organization',
        hint = 'Copy it, then delete the original.';
end;
$$;
comment on function private.guard_object() is
    'BEFORE UPDATE trigger on storage.objects; its WHEN clause holds the comparison. A policy cannot compare the old row with the new one, and from csv_uploads to client_logos is from private to public. Raises 42501.';

create function private.attach_storage() returns boolean
    language plpgsql volatile
    set search_path = ''
as $$
declare
    -- Who may touch an object, by bucket. The files of the first and the last hold leads: a member whose scope
    -- is some datasets reaches organization/dataset/… of those only, and who sees only the own leads none.
    rule constant text := $rule$
        switchboard.path_organization(name) = case bucket_id
            when 'csv_uploads' then (select switchboard.organization_for(%1$L))
            when 'client_logos' then (select switchboard.organization_for(%2$L))
            when 'exports' then (select switchboard.organization_for(%3$L))
        end
        and case
            when bucket_id = 'client_logos' then true
            when (select switchboard.organization_for('leads.read_all')) is null then false
            else (select switchboard.dataset_scope()) is null
                or split_part(name, '/', 2) = any ((select switchboard.dataset_scope())::text[])
        end
    $rule$;
    -- A file in exports is what create_export began, until it expires: nobody puts, moves or keeps another there.
    export constant text := $export$
        and (bucket_id <> 'exports' or exists (
            select from public.exports e
            where e.organization_id = switchboard.path_organization(objects.name)
                and e.storage_path = objects.name
                and e.expires_at > now()
                and %s
        ))
    $export$;
    verb record;
begin
    if to_regclass('storage.objects') is null or to_regclass('storage.buckets') is null then
        return false;
    end if;

    insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
    values
        -- What browsers call a .csv file; on Windows with Excel it is application/vnd.ms-excel.
        ('csv_uploads', 'csv_uploads', false, 52428800,
            '{text/csv,application/csv,application/vnd.ms-excel,text/plain}'),
        -- Public: anybody with the address sees a logo. No SVG, which can carry script.
        ('client_logos', 'client_logos', true, 1048576, '{image/png,image/jpeg,image/webp}'),
        ('exports', 'exports', false, 52428800, '{text/csv,application/json,application/zip}')
    on conflict (id) do update
        set public = excluded.public,
            file_size_limit = excluded.file_size_limit,
            allowed_mime_types = excluded.allowed_mime_types;

    for verb in
        select * from (values
            ('select', 'uploads.read', 'organization.read', 'exports.read'),
            ('insert', 'uploads.write', 'organization.write', 'exports.write'),
            ('update', 'uploads.write', 'organization.write', null),
            ('delete', 'uploads.delete', 'organization.write', 'exports.delete')
        ) as v (name, csv_uploads, client_logos, exports)
    loop
        execute format('drop policy if exists %I on storage.objects', 'organization_files_' || verb.name);
        execute format('create policy %I on storage.objects for %s to authenticated %s %s',
            'organization_files_' || verb.name,
            verb.name,
            case when verb.name <> 'insert'
                then 'using (' || format(rule, verb.csv_uploads, verb.client_logos, verb.exports)
                    || case when verb.name = 'select' then format(export, 'true') else '' end || ')'
                else '' end,
            case when verb.name in ('insert', 'update')
                then 'with check (' || format(rule, verb.csv_uploads, verb.client_logos, verb.exports)
                    || case when verb.name = 'insert' then format(export, 'e.status = ''running'' and e.created_by = (select switchboard.user_id())') else '' end || ')'
                else '' end);
    end loop;

    create or replace trigger guard_object
        before update on storage.objects
        for each row
        when (
            new.bucket_id is distinct from old.bucket_id
            and (
                old.bucket_id in ('csv_uploads', 'client_logos', 'exports')
                or new.bucket_id in ('csv_uploads', 'client_logos', 'exports')
            )
            or new.bucket_id in ('csv_uploads', 'client_logos', 'exports')
            and split_part(new.name, '/', 1) is distinct from split_part(old.name, '/', 1)
        )
        execute function private.guard_object();
    return true;
end;
$$;
comment on function private.attach_storage() is
    'For migrations and the database owner. Makes the buckets csv_uploads, client_logos and exports, and the policies of storage.objects: the first folder of a name is the organization''s id. Safe to run again; false where Storage is not there (yet). Raises 42501 where postgres may not make policies on storage.objects.';

select private.attach_storage();

-- sql/schema/platform/realtime.sql

-- What Supabase Realtime tells members: one private broadcast topic for each organization and table of
-- private.broadcasts, org:{organization_id}:{table}, with the ids of rows that changed and nothing of their content; the
-- client fetches them under its own rights. Realtime keeps its schema realtime; it is not there on a plain Postgres, and
-- may come after this migration: private.attach_realtime() then does the same again.

create function private.may_join_topic(topic text) returns boolean
    language sql stable security definer
    set search_path = ''
begin atomic
    -- An id tells that a row exists, so a topic is for those who may see every row of its table.
    select coalesce((
        select switchboard.has_capability(t.organization_id, b.capability)
            and (
                not b.is_scoped
                or not exists (
                    select from public.memberships m
                    where m.organization_id = t.organization_id
                        and m.user_id = switchboard.user_id()
                        and m.allowed_dataset_ids is not null
                )
            )
        from (
            select switchboard.topic_organization(may_join_topic.topic) as organization_id,
                split_part(may_join_topic.topic, ':', 3) as name
        ) as t
        join private.broadcasts b on b.table_name = t.name
    ), false);
end;
comment on function private.may_join_topic(text) is
    'Whether the caller may listen to a topic org:{organization_id}:{table}, see private.add_broadcast. False for any other topic. For the policy of realtime.messages. Definer, because the list is granted to nobody. Raises nothing.';
grant execute on function private.may_join_topic(text) to authenticated;

create function private.broadcast(entity text, op text, organization_id uuid, ids uuid[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    perform realtime.send(
        jsonb_build_object('op', op, 'ids', to_jsonb(ids[1:100]), 'more', cardinality(ids) > 100),
        'changed',
        format('org:%s:%s', organization_id, entity),
        true
    );
exception
    when others then
        raise warning 'change of % in organization % not broadcast: %', entity, organization_id, sqlstate;
end;
$$;
comment on function private.broadcast(text, text, uuid, uuid[]) is
    'Sends {op: insert | update | delete, ids, more} as event "changed": at most 100 ids, more says that there are others. An error becomes a warning: nobody''s write fails because of a listener.';

create function private.broadcast_changes() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    perform private.broadcast(tg_table_name, lower(tg_op), c.organization_id, array_agg(c.id))
        from changed_rows c
        group by c.organization_id;
    return null;
end;
$$;
comment on function private.broadcast_changes() is
    'AFTER statement trigger for one of INSERT, UPDATE and DELETE, with the transition table changed_rows (the old rows of a DELETE, else the new): one message for each organization, see private.broadcast. Definer: clients may not send.';

create function private.attach_realtime() returns boolean
    language plpgsql volatile
    set search_path = ''
as $$
declare
    tables constant text[] := array(
        select b.table_name from private.broadcasts b
        where to_regclass(format('public.%I', b.table_name)) is not null
        order by b.table_name
    );
    entity text;
    verb text;
begin
    if to_regclass('realtime.messages') is null
        or to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null
        or to_regprocedure('realtime.topic()') is null
    then
        return false;
    end if;

    -- Realtime asks this when a client joins a private topic: it writes a message of that topic, reads it with
    -- the client's role and claims, and rolls back. There is no policy for insert: clients listen.
    execute 'drop policy if exists organization_topics_select on realtime.messages';
    execute $policy$
        create policy organization_topics_select on realtime.messages for select to authenticated
            using (
                extension = 'broadcast'
                and topic = (select realtime.topic())
                and (select private.may_join_topic(realtime.topic()))
            )
    $policy$;

    foreach entity in array tables loop
        foreach verb in array array['insert', 'update', 'delete'] loop
            execute format(
                'create or replace trigger %I after %s on public.%I referencing %s table as changed_rows
                    for each statement execute function private.broadcast_changes()',
                'broadcast_' || verb, verb, entity, case verb when 'delete' then 'old' else 'new' end);
        end loop;
    end loop;

    -- Postgres Changes sends a DELETE to every subscriber of the table, whatever its policies, with the row's
    -- primary key, and ours names the organization. So the publication gets the tables only where it
    -- leaves deletes out.
    if exists (
        select from pg_catalog.pg_publication p
        where p.pubname = 'supabase_realtime' and not p.puballtables and not p.pubdelete and not p.pubtruncate
    ) then
        foreach entity in array tables loop
            if not exists (
                select from pg_catalog.pg_publication_tables t
                where t.pubname = 'supabase_realtime' and t.schemaname = 'public' and t.tablename = entity
            ) then
                execute format('alter publication supabase_realtime add table public.%I', entity);
            end if;
        end loop;
    end if;
    return true;
end;
$$;
comment on function private.attach_realtime() is
    'For migrations and the database owner. Makes the policy by which clients join org:{organization_id}:{table} and the triggers that send to these topics, and publishes the tables for Realtime. Safe to run again; false where Realtime is not there (yet).';

select private.attach_realtime();

-- sql/schema/platform/access_token_hook.sql

-- The hook that Supabase Auth calls before it issues an access token (Supabase documentation: Custom Access Token
-- Hook). It writes into the claims which organization the user works for, so that a client need not send a header. A
-- hint, never authority: every statement checks the membership again.

create function private.custom_access_token_hook(p_event jsonb) returns jsonb
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_user uuid;
    v_organization uuid;
    v_claims jsonb := p_event -> 'claims';
    v_metadata jsonb := v_claims -> 'app_metadata';
begin
    v_user := (p_event ->> 'user_id')::uuid;
    if jsonb_typeof(v_claims) is distinct from 'object'
        or coalesce(jsonb_typeof(v_metadata), 'null') not in ('object', 'null')
    then
        return p_event;
    end if;
    v_metadata := case when jsonb_typeof(v_metadata) = 'object' then v_metadata else '{}' end;

    select coalesce(
            max(m.organization_id::text) filter (where m.organization_id = p.default_organization_id),
            case when count(*) = 1 then max(m.organization_id::text) end
        )::uuid
        into v_organization
        from public.memberships m
        left join public.profiles p on p.id = m.user_id
        where m.user_id = v_user
            and m.status = 'active'
            and (m.expires_at is null or m.expires_at > now());

    if v_organization is not null then
        v_metadata := v_metadata || jsonb_build_object('active_organization_id', v_organization);
    elsif v_metadata ? 'active_organization_id' then
        v_metadata := v_metadata - 'active_organization_id';
    else
        return p_event;
    end if;
    return jsonb_set(p_event, '{claims,app_metadata}', v_metadata);
exception
    -- A token without the hint is worth more than no token.
    when others then
        return p_event;
end;
$$;
comment on function private.custom_access_token_hook(jsonb) is
    'Body of public.custom_access_token_hook; see there.';

create function public.custom_access_token_hook(event jsonb) returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select private.custom_access_token_hook(event);
end;
comment on function public.custom_access_token_hook(jsonb) is
    'Custom Access Token Hook of Supabase Auth: event {user_id, claims, authentication_method} → the event with claims.app_metadata.active_organization_id set to the profile''s default organization if the user is an active member there, else to the only active membership, else removed. For supabase_auth_admin only. Never fails: on any error the event comes back as it was.';

-- The role is Supabase's; a server without it has no hook to call.
do $$
begin
    if exists (select from pg_catalog.pg_roles where rolname = 'supabase_auth_admin') then
        grant usage on schema public to supabase_auth_admin;
        grant execute on function private.custom_access_token_hook(jsonb) to supabase_auth_admin;
        grant execute on function public.custom_access_token_hook(jsonb) to supabase_auth_admin;
    end if;
end;
$$;

-- sql/schema/operator/platform_admins.sql

-- Who administers the installation. Native code reads it.

create table private.platform_admins (
    user_id uuid not null primary key references auth.users (id) on delete cascade,
    granted_by uuid,
    granted_at timestamptz not null default now()
);
comment on table private.platform_admins is
    'Administrators of the installation; not a tenant role and never part of a tenant policy. Rows are inserted by the database owner; no API role reaches the table.';

select private.add_deny_policy('private.platform_admins');

-- sql/schema/operator/platform_log.sql

-- Who became and ceased to be a platform administrator.

create table private.platform_log (
    id bigint generated always as identity primary key,
    created_at timestamptz not null default clock_timestamp(),
    actor_id uuid,
    action text not null
        constraint platform_log_action_check check (action in ('bootstrap', 'grant', 'revoke')),
    user_id uuid not null
);
comment on table private.platform_log is
    'Who became and who ceased to be a platform administrator, by whom; actor_id NULL is the service key. No foreign keys: the record outlives the people. For the database owner.';

select private.add_deny_policy('private.platform_log');

-- sql/schema/operator/support_sessions.sql

-- Support sessions: a platform administrator's temporary, read-only access to one organization. Native code reads
-- them (switchboard.schema_contract).

create function private.is_read_capability_list(names text[]) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select count(*) > 0
        and count(*) = count(distinct n)
        and bool_and(private.is_capability_name(n) and n ~ '[.]read(_all)?$')
    from unnest(names) as n;
end;
comment on function private.is_read_capability_list(text[]) is
    'True for a non-empty list of different names of the form object.read and object.read_all, which is how capabilities that only read are called. For the CHECK constraint and open_support_session. Raises nothing.';

create table public.support_sessions (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    admin_id uuid not null references auth.users (id) on delete cascade,
    reason text not null
        constraint support_sessions_reason_check check (btrim(reason) <> '' and length(reason) <= 1000),
    capabilities text[] not null
        constraint support_sessions_capabilities_check
        check (private.is_read_capability_list(capabilities)),
    opened_at timestamptz not null default now(),
    expires_at timestamptz not null,
    closed_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint support_sessions_expires_at_check check (
        expires_at > opened_at and expires_at <= opened_at + interval '60 minutes'
    ),
    constraint support_sessions_closed_at_check check (closed_at >= opened_at)
);
comment on table public.support_sessions is
    'A platform administrator''s access to one organization: for at most an hour, with the capabilities it names and no other, for a reason that the organization can read. While it is open, and the administrator is signed in with a second factor, requests for the organization have the role support. Written by RPC only.';
comment on column public.support_sessions.capabilities is
    'What may be read, such as leads.read. A session never writes.';
comment on column public.support_sessions.closed_at is
    'When it was closed before its time; NULL while open or expired.';

create index support_sessions_opened_at_idx on public.support_sessions (organization_id, opened_at desc, id);
comment on index public.support_sessions_opened_at_idx is
    'Support sessions of an organization, newest first.';
create index support_sessions_open_idx on public.support_sessions (admin_id) where closed_at is null;
comment on index public.support_sessions_open_idx is
    'Open sessions of a platform administrator: asked by every request with a second factor.';
create index support_sessions_admin_id_idx on public.support_sessions (admin_id);
comment on index public.support_sessions_admin_id_idx is 'Foreign key to auth.users.';

select private.add_row_triggers(
    'public.support_sessions',
    '{organization_id,id,admin_id,reason,capabilities,opened_at,expires_at,created_at}'
);
select private.add_tenant_policies('public.support_sessions', 'audit_log', '{insert,update,delete}');

grant select on public.support_sessions to authenticated;
grant select on public.support_sessions to service_role;

create unique index support_sessions_one_open_key on public.support_sessions (organization_id, admin_id)
    where closed_at is null;
comment on index public.support_sessions_one_open_key is
    'One open session for an administrator and organization; open_support_session answers for it.';

select private.add_audit('public.support_sessions');

-- sql/schema/operator/platform_admin_rpcs.sql

-- RPCs by which platform administrators come and go.

create function private.require_platform_admin() returns uuid
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    if not switchboard.is_platform_admin() then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'This is for platform administrators who signed in with a second factor.',
            hint = 'Sign in with a second factor (aal2) first.';
    end if;
    return v_uid;
end;
$$;
comment on function private.require_platform_admin() is
    'The caller, if a platform administrator with aal2. Raises PT401, PT403 forbidden, in the same words for everybody.';

create function private.bootstrap_platform_admin(p_user_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- Against a second call, which waits here and then sees the first one's row.
    lock table private.platform_admins in share row exclusive mode;
    if exists (select from private.platform_admins) then
        raise exception using
            errcode = 'PT409',
            message = 'platform_admin_exists',
            detail = 'This installation has a platform administrator.',
            hint = 'They grant others with grant_platform_admin.';
    end if;
    if not exists (select from auth.users u where u.id = p_user_id and not u.is_anonymous) then
        raise exception using
            errcode = 'PT404',
            message = 'user_not_found',
            detail = 'There is no user with this id.';
    end if;
    insert into private.platform_admins (user_id) values (p_user_id);
    insert into private.platform_log (action, user_id) values ('bootstrap', p_user_id);
end;
$$;
comment on function private.bootstrap_platform_admin(uuid) is
    'Body of public.bootstrap_platform_admin; see there.';

create function public.bootstrap_platform_admin(user_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.bootstrap_platform_admin(user_id);
end;
comment on function public.bootstrap_platform_admin(uuid) is
    'Makes a user the first platform administrator; service_role only, once. Raises PT409 platform_admin_exists, PT404 user_not_found.';
grant execute on function private.bootstrap_platform_admin(uuid) to service_role;
grant execute on function public.bootstrap_platform_admin(uuid) to service_role;

create function private.grant_platform_admin(p_user_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    perform private.require_platform_admin();
    if not exists (select from auth.users u where u.id = p_user_id and not u.is_anonymous) then
        raise exception using
            errcode = 'PT404',
            message = 'user_not_found',
            detail = 'There is no user with this id.';
    end if;
    insert into private.platform_admins (user_id, granted_by) values (p_user_id, v_uid)
        on conflict (user_id) do nothing;
    if found then
        insert into private.platform_log (actor_id, action, user_id) values (v_uid, 'grant', p_user_id);
    end if;
end;
$$;
comment on function private.grant_platform_admin(uuid) is 'Body of public.grant_platform_admin; see there.';

create function public.grant_platform_admin(user_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.grant_platform_admin(user_id);
end;
comment on function public.grant_platform_admin(uuid) is
    'Makes a user a platform administrator; by one who is signed in with a second factor. One who is already stays it. Raises PT401, PT403 forbidden, PT404 user_not_found.';
grant execute on function private.grant_platform_admin(uuid) to authenticated;
grant execute on function public.grant_platform_admin(uuid) to authenticated;

create function private.revoke_platform_admin(p_user_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    perform private.require_platform_admin();
    -- Two who revoke each other: the second waits, and is none any more.
    lock table private.platform_admins in share row exclusive mode;
    perform private.require_platform_admin();
    if not exists (select from private.platform_admins a where a.user_id = p_user_id) then
        raise exception using
            errcode = 'PT404',
            message = 'platform_admin_not_found',
            detail = 'This user is no platform administrator.';
    end if;
    if not exists (select from private.platform_admins a where a.user_id <> p_user_id) then
        raise exception using
            errcode = 'PT409',
            message = 'last_platform_admin',
            detail = 'The last platform administrator stays.',
            hint = 'Grant somebody else first.';
    end if;
    delete from private.platform_admins a where a.user_id = p_user_id;
    update public.support_sessions s
        set closed_at = least(now(), s.expires_at)
        where s.admin_id = p_user_id and s.closed_at is null;
    insert into private.platform_log (actor_id, action, user_id) values (v_uid, 'revoke', p_user_id);
end;
$$;
comment on function private.revoke_platform_admin(uuid) is 'Body of public.revoke_platform_admin; see there.';

create function public.revoke_platform_admin(user_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.revoke_platform_admin(user_id);
end;
comment on function public.revoke_platform_admin(uuid) is
    'Takes a platform administrator''s rights, one''s own included, and closes their support sessions; by one who is signed in with a second factor. Raises PT401, PT403 forbidden, PT404 platform_admin_not_found, PT409 last_platform_admin.';
grant execute on function private.revoke_platform_admin(uuid) to authenticated;
grant execute on function public.revoke_platform_admin(uuid) to authenticated;

-- sql/schema/operator/support_session_rpcs.sql

-- RPCs by which a platform administrator opens and closes access.

create function private.open_support_session(
    p_organization_id uuid,
    p_reason text,
    p_capabilities text[],
    p_minutes integer
) returns public.support_sessions
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
    v_capabilities text[] := p_capabilities;
    v_bad text;
    v_row public.support_sessions;
begin
    perform private.require_platform_admin();
    if p_reason is null or length(btrim(p_reason)) not between 10 and 500 then
        raise exception using
            errcode = '22023',
            message = 'reason must say in 10 to 500 characters why the organization''s data are looked at',
            hint = 'The organization''s owner and admins read it.';
    end if;
    if p_minutes is null or p_minutes not between 1 and 60 then
        raise exception using errcode = '22023', message = 'minutes must be 1 to 60';
    end if;
    if v_capabilities is null then
        -- Which provider accounts exist is no part of ordinary support.
        v_capabilities := array(
            select c.name
            from (
                select n.capability from switchboard.capabilities() as n
                union
                select own.name from private.capabilities as own
            ) as c (name)
            where private.is_read_capability_list(array[c.name]) and c.name <> 'provider_accounts.read'
            order by c.name
        );
    end if;
    select u.name into v_bad
        from unnest(v_capabilities) as u (name)
        where private.is_read_capability_list(array[u.name]) is not true or private.capability_roles(u.name) is null
        limit 1;
    if found then
        raise exception using
            errcode = '22023',
            message = format('capabilities must be names that only read, not %s', coalesce(quote_literal(left(v_bad, 100)), 'null')),
            hint = 'Such as leads.read; a session never writes.';
    end if;
    v_capabilities := array(select distinct u.name from unnest(v_capabilities) as u (name) order by 1);
    if cardinality(v_capabilities) = 0 then
        raise exception using errcode = '22023', message = 'capabilities must name at least one';
    end if;
    if not exists (select from public.organizations o where o.id = p_organization_id) then
        raise exception using
            errcode = 'PT404',
            message = 'organization_not_found',
            detail = 'There is no organization with this id.';
    end if;

    update public.support_sessions s
        set closed_at = s.expires_at
        where s.organization_id = p_organization_id and s.admin_id = v_uid
            and s.closed_at is null and s.expires_at <= now();
    begin
        insert into public.support_sessions (organization_id, admin_id, reason, capabilities, opened_at, expires_at)
        values (p_organization_id, v_uid, btrim(p_reason), v_capabilities, now(), now() + make_interval(mins => p_minutes))
        returning * into v_row;
    exception
        when unique_violation then
            raise exception using
                errcode = 'PT409',
                message = 'support_session_open',
                detail = 'You have an open support session in this organization.',
                hint = 'my_support_sessions() shows it; close_support_session(id) ends it.';
    end;
    return v_row;
end;
$$;
comment on function private.open_support_session(uuid, text, text[], integer) is
    'Body of public.open_support_session; see there.';

create function public.open_support_session(
    organization_id uuid,
    reason text,
    capabilities text[] default null,
    minutes integer default 30
) returns public.support_sessions
    language sql volatile
    set search_path = ''
begin atomic
    select private.open_support_session(organization_id, reason, capabilities, minutes);
end;
comment on function public.open_support_session(uuid, text, text[], integer) is
    'Lets a platform administrator, signed in with a second factor, read one organization''s data for a while, and returns the session. Raises PT401, PT403 forbidden (no platform administrator, or no second factor), 22023 (reason, capabilities, minutes), PT404 organization_not_found, PT409 support_session_open.';
grant execute on function private.open_support_session(uuid, text, text[], integer) to authenticated;
grant execute on function public.open_support_session(uuid, text, text[], integer) to authenticated;

create function private.close_support_session(p_id uuid) returns public.support_sessions
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
    v_row public.support_sessions;
begin
    update public.support_sessions s
        set closed_at = least(now(), s.expires_at)
        where s.id = p_id and s.admin_id = v_uid and s.closed_at is null
        returning * into v_row;
    if not found then
        select s.* into v_row from public.support_sessions s where s.id = p_id and s.admin_id = v_uid;
        if not found then
            raise exception using
                errcode = 'PT404',
                message = 'support_session_not_found',
                detail = 'You have no support session with this id.';
        end if;
    end if;
    return v_row;
end;
$$;
comment on function private.close_support_session(uuid) is 'Body of public.close_support_session; see there.';

create function public.close_support_session(id uuid) returns public.support_sessions
    language sql volatile
    set search_path = ''
begin atomic
    select private.close_support_session(id);
end;
comment on function public.close_support_session(uuid) is
    'Ends the caller''s support session before its time and returns it; one that is over stays as it is. Asks for no second factor: it only takes rights away. Raises PT401, PT404 support_session_not_found.';
grant execute on function private.close_support_session(uuid) to authenticated;
grant execute on function public.close_support_session(uuid) to authenticated;

create function private.my_support_sessions() returns setof public.support_sessions
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    return query
        select s.* from public.support_sessions s
        where s.admin_id = v_uid
        order by s.opened_at desc, s.id
        limit 100;
end;
$$;
comment on function private.my_support_sessions() is 'Body of public.my_support_sessions; see there.';

create function public.my_support_sessions() returns setof public.support_sessions
    language sql stable
    set search_path = ''
begin atomic
    select s.* from private.my_support_sessions() as s;
end;
comment on function public.my_support_sessions() is
    'The caller''s own support sessions, newest first, at most 100; open is one with closed_at null and expires_at to come. Raises PT401.';
grant execute on function private.my_support_sessions() to authenticated;
grant execute on function public.my_support_sessions() to authenticated;

-- sql/schema/operator/doctor_tables.sql

-- The doctor's checks on tables and views.

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

-- sql/schema/operator/doctor_policies.sql

-- The doctor's checks on policies.

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
            -- And those that judge an inserted row by its own organization, which only the row can name.
            regexp_replace(
                regexp_replace(p.check_rule, '(\( SELECT (?:1(?: AS \S+)?\s+WHERE )?\(*)(switchboard|auth)\.', '\1§\2.', 'g'),
                case p.polcmd when 'a' then '(?<![§.\w])(switchboard\.\w+\(organization_id,)' else '^$' end, '§\1', 'g'
            ) as marked_check
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

-- sql/schema/operator/doctor_functions.sql

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

-- sql/schema/operator/doctor_keys.sql

-- The doctor's checks on keys.

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

-- sql/schema/operator/grants.sql

-- Who is granted what in public and private, on the schemas themselves, by default and on the database: as the catalogue
-- has it, as it is meant to be, and how the one becomes the other. A dump carries no REVOKE for what its source lacks, so
-- a restore into a platform that gives everything new to the API roles would leave all of it open.
--
-- The list of what is meant is a function and not a table, for it belongs to the schema: every dump of the schema has it,
-- and no restore of rows changes it. It is made of the catalogue, by record_grants.sql.

create function private.granted() returns table (
    kind text,
    object text,
    owner oid,
    grantee text,
    privilege text,
    column_name text
)
    language sql stable
    set search_path = ''
begin atomic
    with acls as (
        select 'database' as kind, 'current' as object, d.datdba as owner, null::text as column_name,
            coalesce(d.datacl, acldefault('d', d.datdba)) as acl
        from pg_catalog.pg_database d where d.datname = current_database()
        union all
        select 'schema', quote_ident(n.nspname), n.nspowner, null, n.nspacl
        from pg_catalog.pg_namespace n where n.nspname in ('public', 'private')
        union all
        -- What the owner's new objects are given; PUBLIC's EXECUTE on functions is built in.
        select 'default', t.name || coalesce(' in schema ' || s.name, ''), o.nspowner, null,
            coalesce(d.defaclacl, case when s.name is null then acldefault(t.built_in, o.nspowner) end)
        from pg_catalog.pg_namespace o
        cross join (values ('r', 'tables', 'r'::"char"), ('S', 'sequences', 's'), ('f', 'functions', 'f')) as t (type, name, built_in)
        cross join (values (null), ('public'), ('private')) as s (name)
        left join pg_catalog.pg_namespace n on n.nspname = s.name
        left join pg_catalog.pg_default_acl d
            on d.defaclrole = o.nspowner and d.defaclnamespace = coalesce(n.oid, 0) and d.defaclobjtype::text = t.type
        where o.nspname = 'private'
        union all
        select case c.relkind when 'S' then 'sequence' else 'table' end, format('%I.%I', n.nspname, c.relname), c.relowner, null, c.relacl
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
            and not exists (
                select from pg_catalog.pg_depend e
                where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
            )
        union all
        select 'table', format('%I.%I', n.nspname, c.relname), c.relowner, a.attname::text, a.attacl
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_class c on c.oid = a.attrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and a.attacl is not null and not a.attisdropped
        union all
        select 'routine', p.oid::regprocedure::text, p.proowner, null, coalesce(p.proacl, acldefault('f', p.proowner))
        from pg_catalog.pg_proc p
        join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('public', 'private')
            and not exists (
                select from pg_catalog.pg_depend e
                where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
            )
    )
    select distinct a.kind, a.object, a.owner, case x.grantee when 0 then 'public' else quote_ident(r.rolname) end,
        case when o.is_option then 'grant option for ' else '' end || lower(x.privilege_type), a.column_name
    from acls a
    left join lateral aclexplode(a.acl) as x
        on x.grantee <> a.owner and (a.kind, x.privilege_type) <> ('database', 'CONNECT')
    left join pg_catalog.pg_roles r on r.oid = x.grantee
    left join lateral (values (false), (true)) as o (is_option) on not o.is_option or x.is_grantable
    where (x.grantee is null or x.grantee = 0 or r.oid is not null)
        and not (x.grantee is null and a.column_name is not null);
end;
comment on function private.granted() is
    'What is granted on the database, on public and private and everything in them but extensions'' objects, and by the owner''s default privileges: one row a privilege and column, one with NULLs for an object without. Not what owners have, nor CONNECT. Owner only.';

create function private.intended_grants() returns table (
    kind text,
    object text,
    grantee text,
    privilege text,
    columns text[]
)
    language sql stable
    set search_path = ''
as 'select null::text, null::text, null::text, null::text, null::text[] where false';
comment on function private.intended_grants() is
    'The list: what is meant to be granted; columns is NULL for a whole object, grantee NULL where nobody has anything. Written by private.record_grants; doctor() compares the database with it. Owner only.';

create function private.grant_breaches() returns table (kind text, object text, grantee text, privilege text, column_name text)
    language sql stable
    set search_path = ''
begin atomic
    select g.kind, g.object, g.grantee, g.privilege, g.column_name
    from private.granted() as g
    where g.grantee in ('public', 'anon', 'authenticated', 'authenticator', 'service_role')
        and (
            g.kind in ('database', 'default')
            or g.kind = 'schema' and (g.privilege <> 'usage' or g.object = 'private')
            or g.kind in ('table', 'sequence') and g.object ~ '^private[.]'
            or g.kind in ('table', 'sequence', 'routine') and g.grantee in ('public', 'anon')
            or g.privilege in ('truncate', 'references', 'trigger', 'maintain')
            or g.privilege ~ '^grant option '
        );
end;
comment on function private.grant_breaches() is
    'Grants to PUBLIC and the API roles that are wrong whatever the list says: anything for anon, TRUNCATE and the like, tables in private, default privileges, CREATE and TEMPORARY. Owner only.';

create function private.grant_statement(verb text, kind text, object text, privileges text, grantee text) returns text
    language sql stable
    set search_path = ''
begin atomic
    select format('%s%s %s on %s %s %s%s;',
        case kind when 'default' then format('alter default privileges for role %s%s ',
            (select quote_ident(r.rolname) from pg_catalog.pg_namespace n join pg_catalog.pg_roles r on r.oid = n.nspowner where n.nspname = 'private'),
            ' in schema ' || nullif(split_part(object, ' in schema ', 2), '')) end,
        verb,
        privileges,
        case kind
            when 'default' then split_part(object, ' ', 1)
            when 'database' then format('database %I', current_database())
            else format('%s %s', kind, object)
        end,
        case verb when 'grant' then 'to' else 'from' end,
        grantee,
        case verb when 'revoke grant option for' then ' cascade' end);
end;
comment on function private.grant_statement(text, text, text, text, text) is
    'GRANT or REVOKE in SQL for a kind and object as private.granted names them. Owner only.';

create function private.grant_changes() returns table (
    kind text,
    object text,
    owner oid,
    is_listed boolean,
    missing text,
    surplus text,
    statements text
)
    language sql stable
    set search_path = ''
begin atomic
    with present as materialized (
        select * from private.granted()
    ), listed as materialized (
        -- A role or a column may be another cluster's.
        select i.kind, i.object, i.grantee, i.privilege, c.name as column_name
        from private.intended_grants() as i
        left join lateral unnest(i.columns) as c (name) on true
        where (i.grantee is null or i.grantee = 'public' or to_regrole(i.grantee) is not null)
            and (c.name is null or exists (
                select from pg_catalog.pg_attribute a
                where a.attrelid = to_regclass(i.object) and a.attname = c.name and not a.attisdropped
            ))
    ), objects as materialized (
        select distinct p.kind, p.object, p.owner,
            (p.kind, p.object) in (select i.kind, i.object from private.intended_grants() as i) as is_listed
        from present p
    ), surplus as materialized (
        select p.kind, p.object, p.grantee, p.privilege, p.column_name from present p
        where p.grantee in ('public', 'anon', 'authenticated', 'authenticator', 'service_role')
        except
        select l.kind, l.object, l.grantee, l.privilege, l.column_name from listed l
    ), missing as materialized (
        select l.kind, l.object, l.grantee, l.privilege, l.column_name from listed l
        where l.grantee is not null and (l.kind, l.object) in (select o.kind, o.object from objects o)
        except
        select p.kind, p.object, p.grantee, p.privilege, p.column_name from present p
    ), steps as (
        select 1 as place, 'revoke grant option for' as verb, s.kind, s.object, s.grantee,
            substr(s.privilege, length('grant option for ') + 1) as privilege, s.column_name
        from surplus s where s.privilege ~ '^grant option '
        union all
        select 2, 'revoke', s.kind, s.object, s.grantee, s.privilege, s.column_name
        from surplus s where s.privilege !~ '^grant option '
        union all
        select 3, 'grant', m.kind, m.object, m.grantee, m.privilege, m.column_name from missing m
        union
        -- Taken from a whole table, a privilege is taken from its columns too.
        select 3, 'grant', l.kind, l.object, l.grantee, l.privilege, l.column_name
        from listed l
        join surplus s on (s.kind, s.object, s.grantee, s.privilege) = (l.kind, l.object, l.grantee, l.privilege)
        where s.column_name is null and l.column_name is not null
    ), by_privilege as (
        select s.place, s.verb, s.kind, s.object, s.grantee,
            s.privilege || coalesce(' (' || string_agg(quote_ident(s.column_name), ', ' order by s.column_name) || ')', '') as privilege
        from steps s
        group by s.place, s.verb, s.kind, s.object, s.grantee, s.privilege, s.column_name is null
    ), by_grantee as (
        select b.place, b.verb, b.kind, b.object, b.grantee, string_agg(b.privilege, ', ' order by b.privilege) as privileges
        from by_privilege b
        group by b.place, b.verb, b.kind, b.object, b.grantee
    )
    select o.kind, o.object, o.owner, o.is_listed,
        (
            select string_agg(format('%s lacks %s', m.grantee, m.privilege), ', ' order by m.grantee, m.privilege)
            from (select distinct m.grantee, m.privilege from missing m where (m.kind, m.object) = (o.kind, o.object)) as m
        ),
        (
            select string_agg(format('%s has %s', s.grantee, s.privileges), '; ' order by s.grantee, s.place)
            from by_grantee s where (s.kind, s.object) = (o.kind, o.object) and s.place < 3
        ),
        string_agg(private.grant_statement(g.verb, g.kind, g.object, g.privileges, g.grantee), ' ' order by g.place, g.grantee)
    from by_grantee g
    join objects o on (o.kind, o.object) = (g.kind, g.object)
    group by o.kind, o.object, o.owner, o.is_listed;
end;
comment on function private.grant_changes() is
    'Where the database differs from private.intended_grants: one row an object, what is missing, what API roles have beyond it, and the SQL that ends it. For an object that is not listed everything is beyond it. Owner only.';

create function private.apply_grants() returns table (object text, change text)
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_column
declare
    changed record;
begin
    for changed in
        select c.kind, c.object, c.statements from private.grant_changes() as c
        where c.is_listed and pg_has_role(c.owner, 'usage')
        order by c.kind, c.object
    loop
        execute format('%s', changed.statements);
        object := concat_ws(' ', changed.kind, changed.object);
        change := changed.statements;
        return next;
    end loop;
end;
$$;
comment on function private.apply_grants() is
    'For the database owner, after a restore. Makes the grants on everything in private.intended_grants what the list says, as far as the caller owns it, and returns the SQL that it ran. Objects of yours that are not listed stay as they are; doctor() names them.';

-- sql/schema/operator/record_grants.sql

-- How grants come into the list, private.intended_grants: named one by one, and never what is wrong in any case.

create function private.write_grants(objects text[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_variable
declare
    v_rows text;
begin
    select string_agg(format('(%L, %L, %L, %L, %L::text[])', l.kind, l.object, l.grantee, l.privilege, l.columns), E',\n'
            order by l.kind, l.object, l.grantee, l.privilege)
        into v_rows
        from (
            select g.kind, g.object, g.grantee, g.privilege,
                array_agg(g.column_name order by g.column_name) filter (where g.column_name is not null) as columns
            from private.granted() as g
            where g.kind || ' ' || g.object = any (objects)
                and not exists (
                    select from private.grant_breaches() as b
                    where (b.kind, b.object, b.grantee, b.privilege) = (g.kind, g.object, g.grantee, g.privilege)
                )
            group by g.kind, g.object, g.grantee, g.privilege, g.column_name is null
            union all
            select i.* from private.intended_grants() as i
            where i.kind || ' ' || i.object <> all (objects)
                and exists (select from private.granted() as g where (g.kind, g.object) = (i.kind, i.object))
        ) as l;
    execute format(
        'create or replace function private.intended_grants() returns table (kind text, object text, grantee text, privilege text, columns text[])
            language sql stable set search_path = '''' as %L',
        E'\nvalues\n' || v_rows || E'\n');
end;
$$;
comment on function private.write_grants(text[]) is
    'Writes private.intended_grants anew: for the objects named (kind and name) as they are granted now, else as before, without what is gone. Owner only; private.record_grants checks.';

create function private.record_grants(variadic objects text[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_variable
declare
    v_name text;
    v_relation regclass;
    v_objects text[] := array[]::text[];
    v_breach text;
begin
    foreach v_name in array objects loop
        if v_name ~ '^(schema|database|default) ' then
            v_objects := array_append(v_objects, v_name);
        elsif v_name ~ '[(]' then
            v_objects := array_append(v_objects, 'routine ' || v_name::regprocedure::text);
        else
            -- With the sequences of its columns.
            v_relation := v_name;
            v_objects := v_objects || array(
                select format('%s %s', case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass)
                from pg_catalog.pg_class c
                where c.oid = v_relation or c.relkind = 'S' and exists (
                    select from pg_catalog.pg_depend d
                    where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
                        and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = v_relation and d.deptype in ('a', 'i')
                )
            );
        end if;
    end loop;
    select min(o.name) into v_name
        from unnest(v_objects) as o (name)
        where not exists (select from private.granted() as g where g.kind || ' ' || g.object = o.name);
    if v_name is not null then
        raise exception using
            errcode = '22023',
            message = format('%s is not in public or private', v_name);
    end if;
    select string_agg(distinct format('%s on %s to %s', b.privilege, b.object, b.grantee), ', ') into v_breach
        from private.grant_breaches() as b
        where b.kind || ' ' || b.object = any (v_objects);
    if v_breach is not null then
        raise exception using
            errcode = '22023',
            message = format('no list makes this right: %s', v_breach),
            hint = 'doctor() has the SQL that takes it away.';
    end if;
    perform private.write_grants(v_objects);
end;
$$;
comment on function private.record_grants(text[]) is
    'For migrations, owner only, after an object''s grants: enters them in the list that doctor() and apply_grants() go by, in place of what it said before. Tables, views, functions with their argument types, ''schema public'', ''database current''. Raises 22023 for what no list makes right (anything for anon, TRUNCATE …) and for other schemas.';

create function private.record_all_grants() returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if exists (select from private.intended_grants()) then
        raise exception using
            errcode = '55000',
            message = 'the grants are recorded already',
            hint = 'private.record_grants(object, …) enters the ones that a migration means to change.';
    end if;
    perform private.write_grants(array(
        select distinct g.kind || ' ' || g.object from private.granted() as g
        where g.kind in ('database', 'schema', 'default')
            or not exists (select from private.grant_breaches() as b where (b.kind, b.object) = (g.kind, g.object))
    ));
end;
$$;
comment on function private.record_all_grants() is
    'Last statement of the schema: enters everything that is there, but for objects with grants that are wrong in any case. Owner only. Raises 55000 when there is a list.';

-- sql/schema/operator/restored.sql

-- Restores. A whole dump of public and private ends with refreshing the view below, after its grants: a restore closes what
-- the target's default privileges opened, and hangs on the platform's tables what a dump leaves behind, by itself.

create function private.after_restore() returns table (object text, change text)
    language plpgsql volatile
    set search_path = ''
as $$
begin
    begin
        return query select a.object, a.change from private.apply_grants() as a;
    exception
        when others then
            raise warning 'grants are not what they should be, run private.apply_grants(): %', sqlerrm;
    end;
    begin
        perform private.attach_auth();
        perform private.attach_storage();
        perform private.attach_realtime();
    exception
        when others then
            raise warning 'not everything is on the platform''s tables, run public.doctor(): %', sqlerrm;
    end;
end;
$$;
comment on function private.after_restore() is
    'What private.restored runs when it is refreshed: apply_grants and the attach functions. An error becomes a warning, for a restore in one transaction would be lost by it; doctor() tells what is left. Owner only.';

create materialized view private.restored as
    select r.object, r.change from private.after_restore() as r;
comment on materialized view private.restored is
    'What the grants of this database had to become when it was restored; empty where none was changed. Refreshed by every restore of a whole dump.';

-- sql/schema/operator/restore_state.sql

-- What ends a restore of rows (restore_rows.sql), while one is under way.

create table private.restore_state (
    place integer generated always as identity primary key,
    statement text not null
);
comment on table private.restore_state is
    'The statements that end a restore of rows which private.begin_restore began; else empty.';

select private.add_deny_policy('private.restore_state');

-- sql/schema/operator/restore_rows.sql

-- The rows of a dump alone go into a database that migrations have made between begin_restore and end_restore: as its
-- owner, who may neither set session_replication_role nor put the triggers of foreign keys off.

create function private.begin_restore() returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_tables text;
    v_table record;
    v_foreign_key record;
begin
    if exists (select from private.restore_state) then
        raise exception using
            errcode = '55000',
            message = 'a restore has begun here already',
            hint = 'private.end_restore() ends it.';
    end if;
    -- The log outlives its organizations.
    if exists (select from public.organizations) or exists (select from public.audit_log) then
        raise exception using
            errcode = '55000',
            message = 'this database has organizations or a log of them, and a restore would replace it',
            hint = 'Restore into a database that migrations have just made.';
    end if;

    for v_table in
        select format('%I.%I', n.nspname, c.relname) as name
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and c.relkind in ('r', 'p') and pg_has_role(c.relowner, 'usage')
            and c.oid <> 'private.restore_state'::regclass
    loop
        insert into private.restore_state (statement)
        select format('alter table %s enable %s trigger %I', v_table.name,
            case t.tgenabled when 'A' then 'always' when 'R' then 'replica' else '' end, t.tgname)
        from pg_catalog.pg_trigger t
        where t.tgrelid = to_regclass(v_table.name) and not t.tgisinternal and t.tgenabled <> 'D';
        execute format('alter table %s disable trigger user', v_table.name);
        v_tables := concat_ws(', ', v_tables, v_table.name);
    end loop;
    -- What the migrations put in comes with the rows.
    execute format('truncate %s', v_tables);

    -- Tables that point to each other have no order in which every row finds its parent.
    for v_foreign_key in
        select k.conrelid::regclass as name, k.conname
        from pg_catalog.pg_constraint k
        join pg_catalog.pg_class c on c.oid = k.conrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and k.contype = 'f' and k.conparentid = 0 and not k.condeferrable
            and pg_has_role(c.relowner, 'usage')
    loop
        insert into private.restore_state (statement)
        values (format('alter table %s alter constraint %I not deferrable', v_foreign_key.name, v_foreign_key.conname));
        execute format('alter table %s alter constraint %I deferrable initially deferred', v_foreign_key.name, v_foreign_key.conname);
    end loop;
end;
$$;
comment on function private.begin_restore() is
    'For the database owner: lets the rows of a dump come as they are. Empties every table of public and private, puts their triggers off and defers their foreign keys, until private.end_restore. Raises 55000 where there are organizations or an audit log, and when called twice.';

create function private.end_restore() returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_step record;
begin
    if not exists (select from private.restore_state) then
        raise exception using errcode = '55000', message = 'no restore has begun here';
    end if;
    set constraints all immediate;
    for v_step in select s.statement from private.restore_state s order by s.place loop
        execute format('%s', v_step.statement);
    end loop;
    delete from private.restore_state;
end;
$$;
comment on function private.end_restore() is
    'Ends what private.begin_restore began: foreign keys are checked and the triggers are on as they were. Raises 23503 for a row without its parent, 55000 when nothing has begun.';

-- sql/schema/operator/doctor_grants.sql

-- The doctor's checks on grants: what is wrong in any case, and what differs from the list (operator/grants.sql).

create function private.doctor_grants() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    -- Functions are doctor_functions'.
    with breaches as (
        select case b.kind when 'table' then b.object else b.kind || ' ' || b.object end as name, b.kind, b.object, b.grantee,
            b.kind = 'table' and b.grantee in ('public', 'anon') and b.privilege in ('select', 'insert', 'update', 'delete') as is_anon,
            b.privilege ~ '^grant option ' as is_option,
            regexp_replace(b.privilege, '^grant option for ', '')
                || coalesce(' (' || string_agg(quote_ident(b.column_name), ', ' order by b.column_name) || ')', '') as privilege
        from private.grant_breaches() as b
        where b.kind <> 'routine'
        group by b.kind, b.object, b.grantee, b.privilege, b.column_name is null
    )
    select 'error',
        case when b.is_anon then 'grant_to_anon' else 'grant_too_wide' end,
        b.name,
        format(
            case
                when b.is_anon then '%s has %s: nothing here is for people who are not signed in.'
                when b.is_option then '%s may pass on %s, which no client and no server code needs.'
                else '%s has %s, which no client and no server code needs.'
            end,
            b.grantee, upper(string_agg(b.privilege, ', ' order by b.privilege))),
        private.grant_statement(
            case when b.is_option then 'revoke grant option for' else 'revoke' end,
            b.kind, b.object, string_agg(b.privilege, ', ' order by b.privilege), b.grantee)
        from breaches b
        group by b.name, b.kind, b.object, b.grantee, b.is_anon, b.is_option
    union all
    select
        case when not c.is_listed or c.surplus is null then 'warn' else 'error' end,
        case when not c.is_listed then 'grant_unlisted' when c.surplus is null then 'grant_missing' else 'grant_surplus' end,
        case c.kind when 'table' then c.object else c.kind || ' ' || c.object end,
        case
            when not c.is_listed then
                format('%s, and the list of what is meant (private.intended_grants) does not know the object. Where it is meant, private.record_grants enters it.',
                    c.surplus)
            else format('Against the list of what is meant (private.intended_grants), %s.', concat_ws('; ', c.surplus, c.missing))
        end,
        c.statements
        from private.grant_changes() as c
    union all
    select 'error', 'grants_unknown', 'private.intended_grants()',
        'The list of what is meant to be granted is empty: nothing can be compared with it.',
        '-- apply sql/schema as it is, or, where every grant is as it should be: select private.record_all_grants();'
        where not exists (select from private.intended_grants());
end;
comment on function private.doctor_grants() is
    'Findings on grants: TRUNCATE and the like for API roles, anything for anon, and whatever is more or less than private.intended_grants says, in public and private, on the database and by default.';

-- sql/schema/operator/doctor_platform.sql

-- The doctor's checks on what the schema hangs on the platform's own tables. A dump of public and private leaves it
-- behind.

create function private.doctor_platform() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    with wanted as (
        select 'storage' as schema_name, 'objects' as table_name, 'policy' as kind, 'organization_files_' || v.name as name,
            null as function_name, 'private.attach_storage()' as fix,
            'nobody reaches the files of an organization' as effect
        from unnest(array['select', 'insert', 'update', 'delete']) as v (name)
        union all
        values
            ('storage', 'objects', 'trigger', 'guard_object', 'guard_object', 'private.attach_storage()',
                'a file can be moved into another organization, and from a private bucket to a public one'),
            ('realtime', 'messages', 'policy', 'organization_topics_select', null, 'private.attach_realtime()',
                'nobody may listen to an organization''s changes'),
            ('auth', 'users', 'trigger', 'on_auth_user_created', 'handle_new_user', 'private.attach_auth()',
                'a new user gets no profile'),
            ('auth', 'users', 'trigger', 'on_auth_user_email_changed', 'copy_email', 'private.attach_auth()',
                'profiles keep an old e-mail address'),
            ('auth', 'users', 'trigger', 'on_auth_user_deleted', 'lock_owned_organizations', 'private.attach_auth()',
                'two owners who are deleted at once can end in a deadlock')
        union all
        select 'public', b.table_name, 'trigger', 'broadcast_' || v.name, 'broadcast_changes', 'private.attach_realtime()',
            'listeners do not hear of its changes'
        from private.broadcasts b
        cross join unnest(array['insert', 'update', 'delete']) as v (name)
        where exists (
            select from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'realtime' and c.relname = 'messages'
        )
    )
    select 'error', 'platform_detached', format('%s on %I.%I', w.name, w.schema_name, w.table_name),
        format('The %s is not there or off: %s.', w.kind, w.effect),
        format('select %s;', w.fix)
        from wanted w
        join pg_catalog.pg_namespace n on n.nspname = w.schema_name
        join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.table_name
        where not exists (
                select from pg_catalog.pg_policy p
                where w.kind = 'policy' and p.polrelid = c.oid and p.polname = w.name
            )
            and not exists (
                select from pg_catalog.pg_trigger t
                join pg_catalog.pg_proc p on p.oid = t.tgfoid
                join pg_catalog.pg_namespace s on s.oid = p.pronamespace
                where w.kind = 'trigger' and t.tgrelid = c.oid and t.tgname = w.name and t.tgenabled in ('O', 'A')
                    and s.nspname = 'private' and p.proname = w.function_name
            )
    union all
    select 'error', 'restore_unfinished', 'private.restore_state',
        'A restore of rows has begun and not ended: triggers are off and foreign keys are checked late.',
        'select private.end_restore();'
        where exists (select from private.restore_state);
end;
comment on function private.doctor_platform() is
    'Findings on what the schema puts on auth.users, storage.objects and realtime.messages and on the triggers that broadcast, where these are there: policies and triggers that are gone or off; a restore of rows that has not ended.';

-- sql/schema/operator/doctor_credentials.sql

-- The doctor's checks on sealed credentials: the keys that they are sealed with, and the triggers that seal. Of tenants' rows
-- it asks which version of a data key an envelope names, and counts.

create function private.sealed_columns() returns table (target regclass, trigger_name name, enabled "char", arguments text[])
    language sql stable
    set search_path = ''
begin atomic
    select t.tgrelid::regclass, t.tgname, t.tgenabled, string_to_array(encode(t.tgargs, 'escape'), '\000')
    from pg_catalog.pg_trigger t
    where t.tgfoid = 'switchboard.seal_column()'::regprocedure and not t.tgisinternal;
end;
comment on function private.sealed_columns() is
    'The columns that switchboard.seal_column seals, with its arguments: jsonb column, organization column, key column, purpose. Owner only.';

create function private.sealed_without_key() returns table (object text, envelopes bigint)
    language plpgsql stable
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_sealed record;
begin
    for v_sealed in select s.target, s.arguments[1] as name, s.arguments[2] as organization from private.sealed_columns() as s loop
        return query execute format(
            'select %L, count(*) from %s as r
                where jsonb_typeof(r.%I) = ''object'' and not exists (
                    select from private.tenant_keys k where k.organization_id = r.%I and k.version::text = r.%3$I ->> ''tv''
                )',
            format('%s.%I', v_sealed.target, v_sealed.name), v_sealed.target, v_sealed.name, v_sealed.organization);
    end loop;
end;
$$;
comment on function private.sealed_without_key() is
    'For each sealed column the number of envelopes whose data key is not in private.tenant_keys: nothing opens them. Owner only.';

create function private.doctor_credentials() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    select 'error', 'key_' || p.problem, format('key %s', quote_ident(p.kid)),
        case p.problem
            when 'not_in_ring' then 'Credentials are sealed under this key and the key ring has no such key: they cannot be opened.'
            when 'other_key' then 'The key ring has another key under this id than the one that credentials are sealed with: they cannot be opened.'
            else 'The key ring has this key, and what it wrapped does not open: private.tenant_keys or private.root_keys were altered.'
        end,
        case p.problem
            when 'opens_nothing' then '-- put private.root_keys and private.tenant_keys back from a dump'
            else format('-- put the line of %s back into the key file from its copy, then restart', p.kid)
        end
        from switchboard.key_problems() as p
    union all
    select 'error', 'sealed_without_key', s.object,
        format('%s sealed values name a data key that private.tenant_keys does not have: nothing opens them.', s.envelopes),
        '-- put private.tenant_keys back from a dump, or have the values written again'
        from private.sealed_without_key() as s
        where s.envelopes > 0
    union all
    select 'error', 'seal_not_always', format('%I on %s', s.trigger_name, s.target),
        'The trigger that seals does not fire under session_replication_role = replica, or not at all: what is written then is not sealed.',
        format('alter table %s enable always trigger %I;', s.target, s.trigger_name)
        from private.sealed_columns() as s
        where s.enabled <> 'A';
end;
comment on function private.doctor_credentials() is
    'Findings on sealed credentials: root keys that the ring lacks or has otherwise, envelopes without their data key, sealing triggers that are not ENABLE ALWAYS. Names keys by id, no value of any.';

-- sql/schema/operator/doctor_server.sql

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

-- sql/schema/operator/doctor_contract.sql

-- The doctor's checks on what native code reads.

create function private.doctor_contract() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    with contract as (
        select k.kind, k.schema_name, k.table_name, k.name, k.definition,
            format('%I.%I', k.schema_name, k.table_name) as full_name,
            c.oid as relation
        from switchboard.schema_contract() as k
        left join pg_catalog.pg_namespace n on n.nspname = k.schema_name
        left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = k.table_name and c.relkind = 'r'
    ), present as (
        select a.attrelid as relation, a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type
        from pg_catalog.pg_attribute a
        where a.attnum > 0 and not a.attisdropped
    ), indexes as (
        select i.indrelid as relation, c.relname::text as name, i.indisunique as is_unique,
            (
                select string_agg(a.attname, ', ' order by u.place)
                from unnest(i.indkey::smallint[]) with ordinality as u (attnum, place)
                join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.attnum
            ) as columns
        from pg_catalog.pg_index i
        join pg_catalog.pg_class c on c.oid = i.indexrelid
        join pg_catalog.pg_am m on m.oid = c.relam and m.amname = 'btree'
        where i.indisvalid and i.indpred is null
    ), missing_columns as (
        -- What it may have been renamed to: columns of its type that nothing in the contract names.
        select k.*, (
                select array_agg(p.name order by p.name)
                from present p
                where p.relation = k.relation and p.type = k.definition
                    and not exists (select from contract o where o.relation = k.relation and o.kind = 'column' and o.name = p.name)
            ) as candidates
        from contract k
        where k.kind = 'column' and k.relation is not null
            and not exists (select from present p where p.relation = k.relation and p.name = k.name)
    )
    select 'error', 'contract_table', k.full_name,
        'Native code reads this table and does not find it: whatever it decides by the table is refused, without an error.',
        coalesce(
            (
                -- Another table with all of its columns.
                select format('alter table %I.%I rename to %I;', k.schema_name, max(c.relname), k.table_name)
                from pg_catalog.pg_class c
                where c.relnamespace = to_regnamespace(k.schema_name) and c.relkind = 'r'
                    and not exists (
                        select from contract o
                        where o.full_name = k.full_name and o.kind = 'column'
                            and not exists (
                                select from present p where p.relation = c.oid and p.name = o.name and p.type = o.definition
                            )
                    )
                having count(*) = 1
            ),
            format('alter table %I.<its new name> rename to %I; -- or make it as sql/schema does', k.schema_name, k.table_name)
        )
        from contract k where k.kind = 'table' and k.relation is null
    union all
    select 'error', 'contract_column', format('%s.%I', k.full_name, k.name),
        'Native code reads this column and does not find it: whatever it decides by the row is refused, without an error.',
        case
            when k.candidates is null then format('alter table %s add column %I %s;', k.full_name, k.name, k.definition)
            else format('alter table %s rename column %s to %I;',
                k.full_name,
                case cardinality(k.candidates)
                    when 1 then format('%I', k.candidates[1])
                    else format('<one of %s>', array_to_string(k.candidates, ', '))
                end,
                k.name)
        end
        from missing_columns k
    union all
    select 'error', 'contract_type', format('%s.%I', k.full_name, k.name),
        format('The column is %s and native code reads %s: it reads nothing, without an error.', p.type, k.definition),
        format('alter table %s alter column %I type %s;', k.full_name, k.name, k.definition)
        from contract k
        join present p on p.relation = k.relation and p.name = k.name and p.type <> k.definition
        where k.kind = 'column'
    union all
    select 'error', 'contract_index', format('%I.%I', k.schema_name, k.name),
        format('Native code finds rows of %s by this index and reads the whole table without it, in every request.', k.full_name),
        coalesce(
            (
                select format('alter index %I.%I rename to %I;', k.schema_name, min(i.name), k.name)
                from indexes i where i.relation = k.relation and i.columns ~ format('^%s(,|$)', k.definition)
                having count(*) > 0
            ),
            -- One of that name does not hold every row by that column.
            format('%screate index %I on %s (%s);',
                case when to_regclass(format('%I.%I', k.schema_name, k.name)) is not null
                    then format('drop index %I.%I; ', k.schema_name, k.name) end,
                k.name, k.full_name, k.definition)
        )
        from contract k
        where k.kind = 'index' and k.relation is not null
            and not exists (
                select from indexes i
                where i.relation = k.relation and i.name = k.name and i.columns ~ format('^%s(,|$)', k.definition)
            )
    union all
    select 'error', 'contract_unique', format('%I.%I', k.schema_name, k.name),
        format('Native code writes %s ON CONFLICT (%s), which needs a unique index: sealing fails.', k.full_name, k.definition),
        format('create unique index %I on %s (%s);', k.name, k.full_name, k.definition)
        from contract k
        where k.kind = 'unique index' and k.relation is not null
            and not exists (
                select from indexes i where i.relation = k.relation and i.is_unique and i.columns = k.definition
            );
end;
comment on function private.doctor_contract() is
    'Findings on switchboard.schema_contract: tables, columns, types and indexes that native code reads and that are missing or renamed, which it answers by refusing in silence.';

-- sql/schema/operator/doctor.sql

-- The doctor: what in this database weakens the rules that the other files keep, each finding with the SQL that ends
-- it. It reads catalogues and settings, shows nothing of a tenant's rows, and changes nothing. One function a group of
-- checks (doctor_*.sql); public.doctor asks them all.

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
            union all select * from private.doctor_platform()
            union all select * from private.doctor_credentials()
            union all select * from private.doctor_server(private.doctor_facts())
            union all select * from private.doctor_contract()
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
    'What weakens this database, one row a finding: severity error, warn or info; code; object; finding in words; fix as SQL for the database owner. For server code; reads catalogues, changes nothing. Raises nothing.';
grant execute on function private.doctor() to service_role;
grant execute on function public.doctor() to service_role;

-- sql/schema/operator/queries.sql

-- Queries for whoever has psql as the owner: what has been applied, what holds, what is large.

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
    'Migrations that the Supabase CLI has applied, in order; none where it was not used. Owner only. Raises nothing.';

create view private.rls_policies with (security_invoker = true) as
    select p.schemaname, p.tablename, p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
    from pg_catalog.pg_policies p
    where p.schemaname in ('public', 'private')
    order by p.schemaname, p.tablename, p.cmd;
comment on view private.rls_policies is 'Every policy and what it says. Owner only.';

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
    'Tables by size, with their indexes. estimated_rows is the planner''s, -1 before the first analyze. Owner only.';

create view private.unused_indexes with (security_invoker = true) as
    select s.schemaname, s.relname as tablename, s.indexrelname as indexname,
        pg_relation_size(s.indexrelid) as bytes, obj_description(s.indexrelid, 'pg_class') as serves
    from pg_catalog.pg_stat_user_indexes s
    join pg_catalog.pg_index i on i.indexrelid = s.indexrelid
    where s.schemaname in ('public', 'private') and s.idx_scan = 0 and not i.indisunique
    order by pg_relation_size(s.indexrelid) desc;
comment on view private.unused_indexes is
    'Indexes that no query has used since statistics were reset, and the query that each is for: after weeks of real use, candidates to drop. Owner only.';

-- sql/schema/compat/clients.sql

-- Organizations under the name clients.

create view public.clients with (security_invoker = true) as
    select
        o.id,
        o.created_at,
        o.updated_at,
        o.name as company_name,
        o.email as company_email,
        o.phone_number as company_phone,
        o.website as company_website,
        o.industry,
        o.logo_path as logo_url,
        o.primary_color,
        o.n8n_workflow_id,
        o.n8n_webhook_url,
        -- A join would end the view's being updatable.
        (
            select n.phone_number from public.phone_numbers n
            where n.organization_id = o.id and n.id = o.default_phone_number_id
        ) as twilio_phone_number,
        o.status,
        o.plan,
        o.timezone,
        o.settings
    from public.organizations o;
comment on view public.clients is
    'The organizations that the caller is a member of, under other names. Holders of organization.write update it like organizations; company_name need not be unique.';
comment on column public.clients.id is 'organizations.id';
comment on column public.clients.created_at is 'organizations.created_at';
comment on column public.clients.updated_at is 'organizations.updated_at';
comment on column public.clients.company_name is 'organizations.name';
comment on column public.clients.company_email is 'organizations.email';
comment on column public.clients.company_phone is 'organizations.phone_number, E.164; any spelling may be written';
comment on column public.clients.company_website is 'organizations.website';
comment on column public.clients.industry is 'organizations.industry; no default';
comment on column public.clients.logo_url is
    'organizations.logo_path: an object in the bucket client_logos, from which supabase-js''s getPublicUrl makes the address';
comment on column public.clients.primary_color is 'organizations.primary_color';
comment on column public.clients.n8n_workflow_id is 'organizations.n8n_workflow_id';
comment on column public.clients.n8n_webhook_url is 'organizations.n8n_webhook_url';
comment on column public.clients.twilio_phone_number is
    'phone_numbers.phone_number of organizations.default_phone_number_id; change that instead';
comment on column public.clients.status is 'organizations.status; set_organization_status changes it';
comment on column public.clients.plan is 'organizations.plan';
comment on column public.clients.timezone is 'organizations.timezone';
comment on column public.clients.settings is 'organizations.settings';

grant select on public.clients to authenticated;
grant update (
    company_name, company_email, company_phone, company_website, industry, logo_url, primary_color, n8n_workflow_id,
    n8n_webhook_url, timezone, settings
) on public.clients to authenticated;
grant select on public.clients to service_role;
grant update (
    company_name, company_email, company_phone, company_website, industry, logo_url, primary_color, n8n_workflow_id,
    n8n_webhook_url, timezone, settings
) on public.clients to service_role;

-- sql/schema/compat/users.sql

-- Memberships with their people under the name users.

create function private.member_contact(
    organization uuid,
    member uuid
) returns table (email text, phone_number text, last_login_at timestamptz)
    language plpgsql stable security definer
    set search_path = ''
as $$
#variable_conflict use_column
begin
    if member = switchboard.user_id() or switchboard.has_capability(organization, 'members.write') then
        return query
            select u.email::text, p.phone_number, u.last_sign_in_at
            from public.memberships m
            join auth.users u on u.id = m.user_id
            left join public.profiles p on p.id = m.user_id
            where m.organization_id = organization and m.user_id = member;
    end if;
end;
$$;
comment on function private.member_contact(uuid, uuid) is
    'For the view users: e-mail address, phone number and last sign-in of a member, for the person themself and for holders of members.write in that organization; nothing for anybody else. Definer, because these columns are granted to nobody. Raises nothing: a view calls it.';
grant execute on function private.member_contact(uuid, uuid) to authenticated, service_role;

create view public.users with (security_invoker = true) as
    select
        m.id,
        m.created_at,
        m.updated_at,
        m.user_id,
        m.organization_id as client_id,
        -- Scalar, like clients.twilio_phone_number, so that a write meets the missing grant and not a rule about views.
        (select p.first_name from public.profiles p where p.id = m.user_id) as first_name,
        (select p.last_name from public.profiles p where p.id = m.user_id) as last_name,
        (select c.email from private.member_contact(m.organization_id, m.user_id) as c) as email,
        (select c.phone_number from private.member_contact(m.organization_id, m.user_id) as c) as phone,
        (select p.avatar_path from public.profiles p where p.id = m.user_id) as avatar_url,
        m.role,
        m.permissions,
        m.can_view_all_leads,
        m.can_edit_lessons,
        m.can_push_to_n8n,
        m.can_manage_users,
        m.allowed_dataset_ids,
        m.status,
        (select c.last_login_at from private.member_contact(m.organization_id, m.user_id) as c) as last_login_at
    from public.memberships m;
comment on view public.users is
    'The members of the caller''s organizations, one row for each membership. Read only: invite_member, change_member and remove_member change members, and everybody their own profile.';
comment on column public.users.id is 'memberships.id, not the id of the auth user';
comment on column public.users.created_at is 'memberships.created_at';
comment on column public.users.updated_at is 'memberships.updated_at';
comment on column public.users.user_id is 'memberships.user_id: auth.users.id';
comment on column public.users.client_id is 'memberships.organization_id';
comment on column public.users.first_name is 'profiles.first_name';
comment on column public.users.last_name is 'profiles.last_name';
comment on column public.users.email is 'auth.users.email, for the person and holders of members.write; NULL for others';
comment on column public.users.phone is 'profiles.phone_number, for the person and holders of members.write; NULL for others';
comment on column public.users.avatar_url is 'profiles.avatar_path';
comment on column public.users.role is
    'memberships.role: owner, admin, manager, sales_rep, viewer';
comment on column public.users.permissions is 'memberships.permissions';
comment on column public.users.can_view_all_leads is 'memberships.can_view_all_leads';
comment on column public.users.can_edit_lessons is 'memberships.can_edit_lessons';
comment on column public.users.can_push_to_n8n is 'memberships.can_push_to_n8n';
comment on column public.users.can_manage_users is 'memberships.can_manage_users';
comment on column public.users.allowed_dataset_ids is 'memberships.allowed_dataset_ids: NULL is all';
comment on column public.users.status is 'memberships.status';
comment on column public.users.last_login_at is
    'auth.users.last_sign_in_at, for the person and holders of members.write; NULL for others';

grant select on public.users to authenticated;
grant select on public.users to service_role;

-- sql/schema/compat/user_organizations.sql

-- Memberships in force under the name user_organizations.

create view public.user_organizations with (security_invoker = true) as
    select m.id, m.user_id, m.organization_id, m.role, m.created_at
    from public.memberships m
    where m.status = 'active' and (m.expires_at is null or m.expires_at > now());
comment on view public.user_organizations is
    'Who belongs to which organization now, for the organizations of the caller. Read only. In a policy use switchboard.organization_for, which an index can answer.';
comment on column public.user_organizations.id is 'memberships.id';
comment on column public.user_organizations.user_id is 'memberships.user_id: auth.users.id';
comment on column public.user_organizations.organization_id is 'memberships.organization_id';
comment on column public.user_organizations.role is 'memberships.role';
comment on column public.user_organizations.created_at is 'memberships.created_at';

grant select on public.user_organizations to authenticated;
grant select on public.user_organizations to service_role;

-- sql/schema/compat/functions.sql

-- Functions and computed fields of other schemas.

create function public.get_my_org_id() returns uuid
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.current_organization_id();
end;
comment on function public.get_my_org_id() is
    'The organization that the request works for, or NULL. Raises nothing.';
grant execute on function public.get_my_org_id() to authenticated;

create function public.is_super_admin() returns boolean
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.is_platform_admin();
end;
comment on function public.is_super_admin() is
    'Whether the caller administers the installation (and signed in with a second factor). It gives no right in any organization, and a tenant''s admin is none. Raises nothing.';
grant execute on function public.is_super_admin() to authenticated;

create function public.owner_id(organization public.organizations) returns uuid
    language sql stable
    set search_path = ''
begin atomic
    select m.user_id
    from public.memberships m
    where m.organization_id = (organization).id and m.role = 'owner' and m.status = 'active'
    order by m.created_at, m.user_id
    limit 1;
end;
comment on function public.owner_id(public.organizations) is
    'A computed field of organizations: the longest-standing active owner, as far as the caller sees the members. Raises nothing.';
grant execute on function public.owner_id(public.organizations) to authenticated;

create function public.plan_tier(organization public.organizations) returns text
    language sql immutable
    set search_path = ''
begin atomic
    select case (organization).plan when 'professional' then 'pro' else (organization).plan end;
end;
comment on function public.plan_tier(public.organizations) is
    'A computed field of organizations: the plan as starter, pro or enterprise. Raises nothing.';
grant execute on function public.plan_tier(public.organizations) to authenticated;

-- sql/schema/grants_recorded.sql

-- The list of what is meant to be granted (operator/grants.sql), made of what the files above have granted.

select private.record_all_grants();
