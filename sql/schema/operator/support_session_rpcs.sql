-- RPCs by which a platform administrator opens and closes access.

create function private.open_support_session(
    p_organization_id uuid,
    p_reason text,
    p_capabilities text[],
    p_minutes integer
) returns public.support_sessions
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
    v_capabilities text[] := p_capabilities;
    v_bad text;
    v_row public.support_sessions;
begin
    perform private.require_platform_admin();
    if p_reason is null or length(btrim(p_reason)) not between 10 and 500 then
        raise exception using
            errcode = '22023',
            message = 'reason must say in 10 to 500 characters why the organization''s data are looked at',
            hint = 'The organization''s owner and admins read it.';
    end if;
    if p_minutes is null or p_minutes not between 1 and 60 then
        raise exception using errcode = '22023', message = 'minutes must be 1 to 60';
    end if;
    if v_capabilities is null then
        -- Which provider accounts exist is no part of ordinary support.
        v_capabilities := array(
            select c.name
            from (
                select n.capability from switchboard.capabilities() as n
                union
                select own.name from private.capabilities as own
            ) as c (name)
            where private.is_read_capability_list(array[c.name]) and c.name <> 'provider_accounts.read'
            order by c.name
        );
    end if;
    select u.name into v_bad
        from unnest(v_capabilities) as u (name)
        where private.is_read_capability_list(array[u.name]) is not true or private.capability_roles(u.name) is null
        limit 1;
    if found then
        raise exception using
            errcode = '22023',
            message = format('capabilities must be names that only read, not %s', coalesce(quote_literal(left(v_bad, 100)), 'null')),
            hint = 'Such as leads.read; a session never writes.';
    end if;
    v_capabilities := array(select distinct u.name from unnest(v_capabilities) as u (name) order by 1);
    if cardinality(v_capabilities) = 0 then
        raise exception using errcode = '22023', message = 'capabilities must name at least one';
    end if;
    if not exists (select from public.organizations o where o.id = p_organization_id) then
        raise exception using
            errcode = 'PT404',
            message = 'organization_not_found',
            detail = 'There is no organization with this id.';
    end if;

    update public.support_sessions s
        set closed_at = s.expires_at
        where s.organization_id = p_organization_id and s.admin_id = v_uid
            and s.closed_at is null and s.expires_at <= now();
    begin
        insert into public.support_sessions (organization_id, admin_id, reason, capabilities, opened_at, expires_at)
        values (p_organization_id, v_uid, btrim(p_reason), v_capabilities, now(), now() + make_interval(mins => p_minutes))
        returning * into v_row;
    exception
        when unique_violation then
            raise exception using
                errcode = 'PT409',
                message = 'support_session_open',
                detail = 'You have an open support session in this organization.',
                hint = 'my_support_sessions() shows it; close_support_session(id) ends it.';
    end;
    return v_row;
end;
$$;
comment on function private.open_support_session(uuid, text, text[], integer) is
    'Body of public.open_support_session; see there.';

create function public.open_support_session(
    organization_id uuid,
    reason text,
    capabilities text[] default null,
    minutes integer default 30
) returns public.support_sessions
    language sql volatile
    set search_path = ''
begin atomic
    select private.open_support_session(organization_id, reason, capabilities, minutes);
end;
comment on function public.open_support_session(uuid, text, text[], integer) is
    'Lets a platform administrator, signed in with a second factor, read one organization''s data for a while, and returns the session. Raises PT401, PT403 forbidden (no platform administrator, or no second factor), 22023 (reason, capabilities, minutes), PT404 organization_not_found, PT409 support_session_open.';
grant execute on function private.open_support_session(uuid, text, text[], integer) to authenticated;
grant execute on function public.open_support_session(uuid, text, text[], integer) to authenticated;

create function private.close_support_session(p_id uuid) returns public.support_sessions
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
    v_row public.support_sessions;
begin
    update public.support_sessions s
        set closed_at = least(now(), s.expires_at)
        where s.id = p_id and s.admin_id = v_uid and s.closed_at is null
        returning * into v_row;
    if not found then
        select s.* into v_row from public.support_sessions s where s.id = p_id and s.admin_id = v_uid;
        if not found then
            raise exception using
                errcode = 'PT404',
                message = 'support_session_not_found',
                detail = 'You have no support session with this id.';
        end if;
    end if;
    return v_row;
end;
$$;
comment on function private.close_support_session(uuid) is 'Body of public.close_support_session; see there.';

create function public.close_support_session(id uuid) returns public.support_sessions
    language sql volatile
    set search_path = ''
begin atomic
    select private.close_support_session(id);
end;
comment on function public.close_support_session(uuid) is
    'Ends the caller''s support session before its time and returns it; one that is over stays as it is. Asks for no second factor: it only takes rights away. Raises PT401, PT404 support_session_not_found.';
grant execute on function private.close_support_session(uuid) to authenticated;
grant execute on function public.close_support_session(uuid) to authenticated;

create function private.my_support_sessions() returns setof public.support_sessions
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    return query
        select s.* from public.support_sessions s
        where s.admin_id = v_uid
        order by s.opened_at desc, s.id
        limit 100;
end;
$$;
comment on function private.my_support_sessions() is 'Body of public.my_support_sessions; see there.';

create function public.my_support_sessions() returns setof public.support_sessions
    language sql stable
    set search_path = ''
begin atomic
    select s.* from private.my_support_sessions() as s;
end;
comment on function public.my_support_sessions() is
    'The caller''s own support sessions, newest first, at most 100; open is one with closed_at null and expires_at to come. Raises PT401.';
grant execute on function private.my_support_sessions() to authenticated;
grant execute on function public.my_support_sessions() to authenticated;
