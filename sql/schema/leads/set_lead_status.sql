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
