-- The hook that Supabase Auth calls before it issues an access token (Supabase documentation: Custom Access Token
-- Hook). It writes into the claims which organization the user works for, so that a client need not send a header. A
-- hint, never authority: every statement checks the membership again.

create function private.custom_access_token_hook(p_event jsonb) returns jsonb
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_user uuid;
    v_organization uuid;
    v_claims jsonb := p_event -> 'claims';
    v_metadata jsonb := v_claims -> 'app_metadata';
begin
    v_user := (p_event ->> 'user_id')::uuid;
    if jsonb_typeof(v_claims) is distinct from 'object'
        or coalesce(jsonb_typeof(v_metadata), 'null') not in ('object', 'null')
    then
        return p_event;
    end if;
    v_metadata := case when jsonb_typeof(v_metadata) = 'object' then v_metadata else '{}' end;

    select coalesce(
            max(m.organization_id::text) filter (where m.organization_id = p.default_organization_id),
            case when count(*) = 1 then max(m.organization_id::text) end
        )::uuid
        into v_organization
        from public.memberships m
        left join public.profiles p on p.id = m.user_id
        where m.user_id = v_user
            and m.status = 'active'
            and (m.expires_at is null or m.expires_at > now());

    if v_organization is not null then
        v_metadata := v_metadata || jsonb_build_object('active_organization_id', v_organization);
    elsif v_metadata ? 'active_organization_id' then
        v_metadata := v_metadata - 'active_organization_id';
    else
        return p_event;
    end if;
    return jsonb_set(p_event, '{claims,app_metadata}', v_metadata);
exception
    -- A token without the hint is worth more than no token.
    when others then
        return p_event;
end;
$$;
comment on function private.custom_access_token_hook(jsonb) is
    'Body of public.custom_access_token_hook; see there.';

create function public.custom_access_token_hook(event jsonb) returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select private.custom_access_token_hook(event);
end;
comment on function public.custom_access_token_hook(jsonb) is
    'Custom Access Token Hook of Supabase Auth: event {user_id, claims, authentication_method} → the event with claims.app_metadata.active_organization_id set to the profile''s default organization if the user is an active member there, else to the only active membership, else removed. For supabase_auth_admin only. Never fails: on any error the event comes back as it was.';

-- The role is Supabase's; a server without it has no hook to call.
do $$
begin
    if exists (select from pg_catalog.pg_roles where rolname = 'supabase_auth_admin') then
        grant usage on schema public to supabase_auth_admin;
        grant execute on function private.custom_access_token_hook(jsonb) to supabase_auth_admin;
        grant execute on function public.custom_access_token_hook(jsonb) to supabase_auth_admin;
    end if;
end;
$$;
