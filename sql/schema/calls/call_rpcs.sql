-- RPCs about one call: its recording, what became of it.

create function private.call_recording(p_call_id uuid, p_visible_in uuid) returns jsonb
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('recordings.read');
    v_answer jsonb;
begin
    select jsonb_build_object('recording_path', c.recording_path, 'transcript', c.transcript) into v_answer
        from public.calls c
        where c.organization_id = v_org and c.organization_id = p_visible_in and c.id = p_call_id;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'call_not_found',
            detail = 'You can see no call with this id in this organization.';
    end if;
    return v_answer;
end;
$$;
comment on function private.call_recording(uuid, uuid) is
    'Body of public.call_recording; see there. Definer, because the two columns are granted to nobody; p_visible_in is the organization in which the caller''s own rights found the call.';

create function public.call_recording(call_id uuid) returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select private.call_recording(
        call_id,
        (
            select c.organization_id
            from public.calls c
            where c.id = call_recording.call_id
        )
    );
end;
comment on function public.call_recording(uuid) is
    'Recording and transcript of a call that the caller may see: {recording_path, transcript}, each null when there is none. Raises PT401, PT400, PT403 (recordings.read), PT404 call_not_found.';
grant execute on function private.call_recording(uuid, uuid) to authenticated;
grant execute on function public.call_recording(uuid) to authenticated;

create function private.set_call_status(p_organization_id uuid, p_call_id uuid, p_status text)
    returns public.calls
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_row public.calls;
begin
    if p_status is null
        or p_status not in ('in_progress', 'completed', 'busy', 'no_answer', 'failed', 'rejected')
    then
        raise exception using
            errcode = '22023',
            message = 'status must be one of in_progress, completed, busy, no_answer, failed, rejected';
    end if;
    update public.calls c
        set status = p_status,
            answered_at = case when p_status in ('in_progress', 'completed') then coalesce(c.answered_at, now()) end,
            ended_at = case when p_status <> 'in_progress' then greatest(now(), c.started_at) end
        where c.organization_id = p_organization_id
            and c.id = p_call_id
            and c.status in ('ringing', 'in_progress')
        returning * into v_row;
    if not found then
        select c.* into v_row
            from public.calls c
            where c.organization_id = p_organization_id and c.id = p_call_id;
        if not found then
            raise exception using
                errcode = 'PT404',
                message = 'call_not_found',
                detail = 'The organization has no call with this id.';
        end if;
    end if;
    return v_row;
end;
$$;
comment on function private.set_call_status(uuid, uuid, text) is
    'Body of public.set_call_status; see there.';

create function public.set_call_status(organization_id uuid, call_id uuid, status text)
    returns public.calls
    language sql volatile
    set search_path = ''
begin atomic
    select private.set_call_status(organization_id, call_id, status);
end;
comment on function public.set_call_status(uuid, uuid, text) is
    'What became of a call: in_progress when it was answered; completed, busy, no_answer, failed or rejected when it is over, which frees its line (see route_inbound_call). service_role only. Returns the call; one that is over stays as it is, so reports may come twice or late. Raises 22023 (status), PT404 call_not_found.';
grant execute on function private.set_call_status(uuid, uuid, text) to service_role;
grant execute on function public.set_call_status(uuid, uuid, text) to service_role;
