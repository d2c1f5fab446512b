-- RPCs by which platform administrators come and go.

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
grant execute on function private.bootstrap_platform_admin(uuid) to service_role;
grant execute on function public.bootstrap_platform_admin(uuid) to service_role;

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
grant execute on function private.grant_platform_admin(uuid) to authenticated;
grant execute on function public.grant_platform_admin(uuid) to authenticated;

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
grant execute on function private.revoke_platform_admin(uuid) to authenticated;
grant execute on function public.revoke_platform_admin(uuid) to authenticated;
