-- The audit log: who changed what in an organization. Rows are written by triggers that
-- private.add_audit puts on a table, in the transaction of the change itself, and never change again;
-- private.prune_audit, for the database owner, is the one way out, and logs itself. Tables with the
-- volume of a campaign (leads, customers, calls, messages) are not audited row by row.

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
-- The log repeats values of rows of every dataset, so it is for members without a dataset scope.
alter policy audit_log_select on public.audit_log using (
    organization_id = (select switchboard.organization_for('audit_log.read'))
    and (select 1 where switchboard.dataset_scope() is null) is not null
);
grant select on public.audit_log to authenticated;

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
    if v_old is not null then
        v_before := private.audit_values(v_old, v_new, '{}', v_redacted || v_ignored);
    end if;
    if v_new is not null then
        v_after := private.audit_values(v_new, v_old, v_redacted, v_ignored);
    end if;
    if tg_op = 'UPDATE' and v_after is null then
        return null;
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
        coalesce(v_row ->> 'id', v_row ->> 'user_id'),
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
    verbs text[] default '{insert,update,delete}'
) returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    missing text;
begin
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
end;
$$;
comment on function private.add_audit(regclass, text[], text[], text[]) is
    'For migrations, owner only. Puts the audit trigger on a table with organization_id (or on organizations): redacted columns appear as "…changed" and never with a value, ignored ones (counters, what triggers derive) not at all. Raises 22023 for a column or verb that does not exist.';

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

-- Whoever knows the address of a workflow's webhook can start it.
select private.add_audit('public.organizations', '{n8n_webhook_url}');
select private.add_audit('public.memberships');
select private.add_audit('public.invitations', '{token_hash}');
select private.add_audit('public.support_sessions');
