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
