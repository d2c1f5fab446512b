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
