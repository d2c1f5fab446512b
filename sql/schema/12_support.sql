-- Support: a platform administrator's temporary, read-only access to one organization. Native code
-- (switchboard.organization_for and its relatives) reads organization_id, id, admin_id, capabilities,
-- opened_at, expires_at and closed_at as the owner; those columns are its contract.

create function private.is_read_capability_list(names text[]) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select count(*) > 0
        and count(*) = count(distinct n)
        and bool_and(n ~ '[.]read(_all)?$' and n in (select c.capability from switchboard.capabilities() as c))
    from unnest(names) as n;
end;
comment on function private.is_read_capability_list(text[]) is
    'True for a non-empty list of different capabilities that only read (object.read, object.read_all). For the CHECK constraint and open_support_session. Raises nothing.';

create table public.support_sessions (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    admin_id uuid not null references auth.users (id) on delete cascade,
    reason text not null
        constraint support_sessions_reason_check check (btrim(reason) <> '' and length(reason) <= 1000),
    capabilities text[] not null
        constraint support_sessions_capabilities_check
        check (private.is_read_capability_list(capabilities)),
    opened_at timestamptz not null default now(),
    expires_at timestamptz not null,
    closed_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint support_sessions_expires_at_check check (
        expires_at > opened_at and expires_at <= opened_at + interval '60 minutes'
    ),
    constraint support_sessions_closed_at_check check (closed_at >= opened_at)
);
comment on table public.support_sessions is
    'A platform administrator''s access to one organization: for at most an hour, with the capabilities it names and no other, for a reason that the organization can read. While it is open, and the administrator is signed in with a second factor, requests for the organization have the role support. Written by RPC only.';
comment on column public.support_sessions.capabilities is
    'What may be read, such as leads.read. A session never writes.';
comment on column public.support_sessions.closed_at is
    'When it was closed before its time; NULL while open or expired.';
create index support_sessions_opened_at_idx on public.support_sessions (organization_id, opened_at desc, id);
comment on index public.support_sessions_opened_at_idx is
    'Support sessions of an organization, newest first.';
create index support_sessions_open_idx on public.support_sessions (admin_id) where closed_at is null;
comment on index public.support_sessions_open_idx is
    'Open sessions of a platform administrator: asked by every request with a second factor.';
create index support_sessions_admin_id_idx on public.support_sessions (admin_id);
comment on index public.support_sessions_admin_id_idx is 'Foreign key to auth.users.';

select private.add_row_triggers(
    'public.support_sessions',
    '{organization_id,id,admin_id,reason,capabilities,opened_at,expires_at,created_at}'
);
select private.add_tenant_policies('public.support_sessions', 'audit_log', '{insert,update,delete}');
grant select on public.support_sessions to authenticated;

create unique index support_sessions_one_open_key on public.support_sessions (organization_id, admin_id)
    where closed_at is null;
comment on index public.support_sessions_one_open_key is
    'One open session for an administrator and organization; open_support_session answers for it.';

create table private.platform_log (
    id bigint generated always as identity primary key,
    created_at timestamptz not null default clock_timestamp(),
    actor_id uuid,
    action text not null
        constraint platform_log_action_check check (action in ('bootstrap', 'grant', 'revoke')),
    user_id uuid not null
);
comment on table private.platform_log is
    'Who became and who ceased to be a platform administrator, by whom; actor_id NULL is the service key. No foreign keys: the record outlives the people. For the database owner.';
select private.add_deny_policy('private.platform_log');

create function private.require_platform_admin() returns uuid
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    if not switchboard.is_platform_admin() then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'This is for platform administrators who signed in with a second factor.',
            hint = 'Sign in with a second factor (aal2) first.';
    end if;
    return v_uid;
end;
$$;
comment on function private.require_platform_admin() is
    'The caller, if a platform administrator with aal2. Raises PT401, PT403 forbidden, in the same words for everybody.';

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
            select distinct c.capability from switchboard.capabilities() c
            where private.is_read_capability_list(array[c.capability]) and c.capability <> 'provider_accounts.read'
            order by 1
        );
    end if;
    select u.name into v_bad
        from unnest(v_capabilities) as u (name)
        where private.is_read_capability_list(array[u.name]) is not true
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
    'Lets a platform administrator, signed in with a second factor, read one organization''s data for a while, and returns the session. reason: 10 to 500 characters, which the organization''s owner and admins read in their audit log; capabilities: names that only read (without: all but provider_accounts.read); minutes: 1 to 60. Send x-organization-id to use it. Raises PT401, PT403 forbidden (no platform administrator, or no second factor), 22023 (reason, capabilities, minutes), PT404 organization_not_found, PT409 support_session_open.';

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

create function private.bootstrap_platform_admin(p_user_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- Against a second call, which waits here and then sees the first one's row.
    lock table private.platform_admins in share row exclusive mode;
    if exists (select from private.platform_admins) then
        raise exception using
            errcode = 'PT409',
            message = 'platform_admin_exists',
            detail = 'This installation has a platform administrator.',
            hint = 'They grant others with grant_platform_admin.';
    end if;
    if not exists (select from auth.users u where u.id = p_user_id and not u.is_anonymous) then
        raise exception using
            errcode = 'PT404',
            message = 'user_not_found',
            detail = 'There is no user with this id.';
    end if;
    insert into private.platform_admins (user_id) values (p_user_id);
    insert into private.platform_log (action, user_id) values ('bootstrap', p_user_id);
end;
$$;
comment on function private.bootstrap_platform_admin(uuid) is
    'Body of public.bootstrap_platform_admin; see there.';

create function public.bootstrap_platform_admin(user_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.bootstrap_platform_admin(user_id);
end;
comment on function public.bootstrap_platform_admin(uuid) is
    'Makes a user the first platform administrator; service_role only, once. Raises PT409 platform_admin_exists, PT404 user_not_found.';

create function private.grant_platform_admin(p_user_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    perform private.require_platform_admin();
    if not exists (select from auth.users u where u.id = p_user_id and not u.is_anonymous) then
        raise exception using
            errcode = 'PT404',
            message = 'user_not_found',
            detail = 'There is no user with this id.';
    end if;
    insert into private.platform_admins (user_id, granted_by) values (p_user_id, v_uid)
        on conflict (user_id) do nothing;
    if found then
        insert into private.platform_log (actor_id, action, user_id) values (v_uid, 'grant', p_user_id);
    end if;
end;
$$;
comment on function private.grant_platform_admin(uuid) is 'Body of public.grant_platform_admin; see there.';

create function public.grant_platform_admin(user_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.grant_platform_admin(user_id);
end;
comment on function public.grant_platform_admin(uuid) is
    'Makes a user a platform administrator; by one who is signed in with a second factor. One who is already stays it. Raises PT401, PT403 forbidden, PT404 user_not_found.';

create function private.revoke_platform_admin(p_user_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    perform private.require_platform_admin();
    -- Two who revoke each other: the second waits, and is none any more.
    lock table private.platform_admins in share row exclusive mode;
    perform private.require_platform_admin();
    if not exists (select from private.platform_admins a where a.user_id = p_user_id) then
        raise exception using
            errcode = 'PT404',
            message = 'platform_admin_not_found',
            detail = 'This user is no platform administrator.';
    end if;
    if not exists (select from private.platform_admins a where a.user_id <> p_user_id) then
        raise exception using
            errcode = 'PT409',
            message = 'last_platform_admin',
            detail = 'The last platform administrator stays.',
            hint = 'Grant somebody else first.';
    end if;
    delete from private.platform_admins a where a.user_id = p_user_id;
    update public.support_sessions s
        set closed_at = least(now(), s.expires_at)
        where s.admin_id = p_user_id and s.closed_at is null;
    insert into private.platform_log (actor_id, action, user_id) values (v_uid, 'revoke', p_user_id);
end;
$$;
comment on function private.revoke_platform_admin(uuid) is 'Body of public.revoke_platform_admin; see there.';

create function public.revoke_platform_admin(user_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.revoke_platform_admin(user_id);
end;
comment on function public.revoke_platform_admin(uuid) is
    'Takes a platform administrator''s rights, one''s own included, and closes their support sessions; by one who is signed in with a second factor. Raises PT401, PT403 forbidden, PT404 platform_admin_not_found, PT409 last_platform_admin.';

grant execute on function private.open_support_session(uuid, text, text[], integer) to authenticated;
grant execute on function public.open_support_session(uuid, text, text[], integer) to authenticated;
grant execute on function private.close_support_session(uuid) to authenticated;
grant execute on function public.close_support_session(uuid) to authenticated;
grant execute on function private.my_support_sessions() to authenticated;
grant execute on function public.my_support_sessions() to authenticated;
grant execute on function private.grant_platform_admin(uuid) to authenticated;
grant execute on function public.grant_platform_admin(uuid) to authenticated;
grant execute on function private.revoke_platform_admin(uuid) to authenticated;
grant execute on function public.revoke_platform_admin(uuid) to authenticated;
grant execute on function private.bootstrap_platform_admin(uuid) to service_role;
grant execute on function public.bootstrap_platform_admin(uuid) to service_role;
