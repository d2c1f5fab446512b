-- RPCs about the caller: who they are, which organizations are theirs, which one they work for.

create function public.whoami() returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.request_context();
end;
comment on function public.whoami() is
    'Who the caller is for the database: user_id, organization_id, role, capabilities, which source named the organization, the reason when there is none, and the caller''s organizations. Raises nothing.';
grant execute on function public.whoami() to authenticated;

create function private.switch_organization(p_organization_id uuid) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    if p_organization_id is not null and not exists (
        select from public.memberships m
        where m.organization_id = p_organization_id and m.user_id = v_uid
            and p_organization_id = any (switchboard.organization_ids())
    ) then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'You are not an active member of this organization.',
            hint = 'my_organizations() lists yours.';
    end if;
    insert into public.profiles (id, default_organization_id)
    select u.id, p_organization_id from auth.users u where u.id = v_uid
    on conflict (id) do update set default_organization_id = excluded.default_organization_id;
    return switchboard.request_context();
end;
$$;
comment on function private.switch_organization(uuid) is
    'Body of public.switch_organization; see there. Definer, because the column is granted to nobody.';

create function public.switch_organization(organization_id uuid) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.switch_organization(organization_id);
end;
comment on function public.switch_organization(uuid) is
    'Sets the organization that the caller works for when a request names none by header or claim; null clears it. Returns what whoami() now says, for a request like this one: a header or a claim that names another organization still decides, so refresh the token. Raises PT401, PT403 forbidden (also for an organization that does not exist).';
grant execute on function private.switch_organization(uuid) to authenticated;
grant execute on function public.switch_organization(uuid) to authenticated;

create function private.my_organizations() returns table (
    organization_id uuid,
    name text,
    slug text,
    organization_status text,
    role text,
    status text,
    expires_at timestamptz,
    is_current boolean,
    reason text
)
    language plpgsql stable security definer
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_uid uuid := switchboard.require_user_id();
    v_current uuid := switchboard.current_organization_id();
begin
    return query
        select m.organization_id, o.name, o.slug, o.status, m.role, m.status, m.expires_at,
            coalesce(m.organization_id = v_current, false),
            case
                when m.status <> 'active' then m.status
                when m.expires_at <= now() then 'expired'
                when o.status = 'cancelled' and m.role not in ('owner', 'admin') then 'organization_cancelled'
            end
        from public.memberships m
        join public.organizations o on o.id = m.organization_id
        where m.user_id = v_uid
        order by o.name, m.organization_id;
end;
$$;
comment on function private.my_organizations() is
    'Body of public.my_organizations; see there. Definer, because an organization in which one is suspended is not readable.';

create function public.my_organizations() returns table (
    organization_id uuid,
    name text,
    slug text,
    organization_status text,
    role text,
    status text,
    expires_at timestamptz,
    is_current boolean,
    reason text
)
    language sql stable
    set search_path = ''
begin atomic
    select * from private.my_organizations();
end;
comment on function public.my_organizations() is
    'The caller''s memberships, by organization name, those that give nothing included; reason says why: invited, suspended, expired, organization_cancelled, or NULL. is_current: the one that this request works for. Raises PT401.';
grant execute on function private.my_organizations() to authenticated;
grant execute on function public.my_organizations() to authenticated;
