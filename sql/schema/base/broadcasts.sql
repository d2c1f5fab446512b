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
