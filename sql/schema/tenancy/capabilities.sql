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
