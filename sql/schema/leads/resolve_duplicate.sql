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
