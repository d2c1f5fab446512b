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
