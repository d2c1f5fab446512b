-- How an opt-out ends: by the contact's own word, or as a mistake that somebody answers for.

create function private.require_whole_scope() returns void
    language plpgsql stable
    set search_path = ''
as $$
begin
    if switchboard.dataset_scope() is not null then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'It concerns every dataset, and you work in some.',
            hint = 'A member without a dataset scope does it.';
    end if;
end;
$$;
comment on function private.require_whole_scope() is
    'For what concerns all datasets of an organization. Raises PT403 for a member who works in some of them.';

create function private.lift_suppressions(
    org uuid, number text, reasons text[], erased_reasons text[], lift_reason text
) returns jsonb
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_lifted integer;
    v_kept integer;
    v_leads integer := 0;
begin
    perform private.lock_opt_outs(org, array[number]);
    update public.suppressions s
        set lifted_at = greatest(now(), s.created_at), lifted_by = switchboard.user_id(),
            lift_reason = left(lift_suppressions.lift_reason, 500)
        where s.organization_id = org
            and s.lifted_at is null
            and (
                s.reason = any (reasons) and s.phone_number = number
                or s.reason = any (erased_reasons) and s.phone_hash = (select private.suppression_hash(org, number))
            );
    get diagnostics v_lifted = row_count;
    select count(*) into v_kept from private.suppressed_numbers(org, array[number]);
    if v_lifted > 0 and v_kept = 0 then
        perform private.tell_lead_change(null, lift_suppressions.lift_reason);
        update public.leads l
            set contact_status = coalesce(l.previous_status, 'READY')
            where l.organization_id = org and l.phone_number = number and l.contact_status = 'REMOVED';
        get diagnostics v_leads = row_count;
        perform private.tell_lead_change(null, null);
    end if;
    return jsonb_build_object(
        'phone_number', number, 'lifted', v_lifted, 'is_suppressed', v_kept > 0, 'leads', v_leads);
end;
$$;
comment on function private.lift_suppressions(uuid, text, text[], text[], text) is
    'Ends the opt-outs of a number that have one of the reasons, and those of it as an erased person''s; when none is left, its leads stand where they stood before. Raises 22023 for a reason over 500 characters.';

create function private.record_opt_in(p_phone_number text, p_reason text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    by_word constant text[] := array['keyword', 'provider', 'erasure'];
    v_org constant uuid := switchboard.require_organization('suppressions.write');
    -- Of who was erased there is no row to point at: a person who may lift opt-outs names the number, and why. Not server
    -- code, which passes on what the contact wrote.
    v_may_lift constant boolean := btrim(coalesce(p_reason, '')) <> ''
        and switchboard.user_id() is not null
        and switchboard.has_capability(v_org, 'suppressions.lift');
    v_number text;
begin
    perform private.require_whole_scope();
    if length(p_reason) > 500 then
        raise exception using errcode = '22023', message = 'reason must not exceed 500 characters';
    end if;
    v_number := private.read_one_phone(v_org, p_phone_number);
    return private.lift_suppressions(
        v_org, v_number, by_word, by_word || case when v_may_lift then array['manual', 'complaint'] end, p_reason);
end;
$$;
comment on function private.record_opt_in(text, text) is
    'Body of public.record_opt_in; see there. Definer: nobody writes lifted_at by hand, and the number''s leads may be others''.';

create function public.record_opt_in(phone_number text, reason text default null) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.record_opt_in(phone_number, reason);
end;
comment on function public.record_opt_in(text, text) is
    'The contact''s own word that they may be written to again (START). Ends opt-outs by keyword, provider and erasure; a member''s and a complaint stay (lift_suppression), but for an erased person''s, with a reason and suppressions.lift. Answers {phone_number, lifted, is_suppressed, leads}: leads that stand again where they stood. Raises PT401, PT400, PT403 (suppressions.write, whole scope), 22023.';
grant execute on function private.record_opt_in(text, text) to authenticated, service_role;
grant execute on function public.record_opt_in(text, text) to authenticated, service_role;

create function private.lift_suppression(p_suppression_id uuid, p_reason text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('suppressions.lift');
    v_suppression public.suppressions;
begin
    perform private.require_whole_scope();
    if btrim(coalesce(p_reason, '')) = '' or length(p_reason) > 500 then
        raise exception using
            errcode = '22023',
            message = 'reason must have 1 to 500 characters',
            hint = 'It stays with the opt-out.';
    end if;
    select s.* into v_suppression
        from public.suppressions s
        where s.organization_id = v_org and s.id = p_suppression_id and s.lifted_at is null;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'suppression_not_found',
            detail = 'The organization has no opt-out with this id that is still in force.';
    end if;
    if v_suppression.phone_number is null then
        raise exception using
            errcode = 'PT409',
            message = 'person_erased',
            detail = 'Whose number this is, nobody knows any more.',
            hint = 'When they say so themselves, record_opt_in with their number and a reason ends it.';
    end if;
    return private.lift_suppressions(v_org, v_suppression.phone_number, array[v_suppression.reason], '{}', p_reason);
end;
$$;
comment on function private.lift_suppression(uuid, text) is
    'Body of public.lift_suppression; see there. Definer: nobody writes lifted_at by hand, and the number''s leads may be others''.';

create function public.lift_suppression(suppression_id uuid, reason text) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.lift_suppression(suppression_id, reason);
end;
comment on function public.lift_suppression(uuid, text) is
    'Ends an opt-out that was a mistake, with those of the same number and kind. The reason stays with it, and the audit log has who did it. Answers as record_opt_in. Raises PT401, PT400, PT403 (suppressions.lift, whole scope), PT404 suppression_not_found, PT409 person_erased, 22023.';
grant execute on function private.lift_suppression(uuid, text) to authenticated, service_role;
grant execute on function public.lift_suppression(uuid, text) to authenticated, service_role;
