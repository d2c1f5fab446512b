-- Which status may follow which, and by whom: one row a step. The trigger settle_status on leads asks it.

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
            else 'docs/leads.md has the table of steps.'
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

create function private.settle_lead_status() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_is_new constant boolean := tg_op = 'INSERT';
    v_actor text;
begin
    if not v_is_new and old.contact_status = 'REMOVED' and new.phone_number <> old.phone_number
        and switchboard.user_id() is not null
        and not switchboard.has_capability(old.organization_id, 'suppressions.write')
    then
        raise exception using
            errcode = '42501',
            message = 'the number of a lead that opted out is not yours to change',
            detail = 'The other number would be opted out as well.',
            hint = 'It takes suppressions.write.';
    end if;
    if new.contact_status not in ('REMOVED', 'ARCHIVED')
        and (v_is_new or new.phone_number <> old.phone_number or new.contact_status <> old.contact_status)
        and exists (select from private.suppressed_numbers(new.organization_id, array[new.phone_number]))
    then
        if not v_is_new and old.contact_status = 'REMOVED' then
            perform private.refuse_transition(old, new.contact_status, 'The contact has opted out.');
        end if;
        new.contact_status := 'REMOVED';
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
