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
