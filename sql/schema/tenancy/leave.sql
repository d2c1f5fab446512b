-- RPCs by which members go and ownership moves.

create function private.remove_member(p_user_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('members.write');
    v_uid uuid := switchboard.require_user_id();
    v_member public.memberships;
begin
    if p_user_id = v_uid then
        perform private.raise_member_refusal('own_membership', 'PT403');
    end if;
    v_member := private.lock_member(v_org, p_user_id);
    perform private.raise_member_refusal(private.member_refusal(v_uid, v_member, null), 'PT403');
    delete from public.memberships m where m.organization_id = v_org and m.user_id = p_user_id;
end;
$$;
comment on function private.remove_member(uuid) is
    'Body of public.remove_member; see there. Definer, because memberships are written by RPC only.';

create function public.remove_member(user_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.remove_member(user_id);
end;
comment on function public.remove_member(uuid) is
    'Ends somebody''s membership of the current organization, from their next statement; their leads are left without assignee. Raises PT401, PT400, PT403 (members.write; own_membership, role_too_low), PT404 member_not_found.';
grant execute on function private.remove_member(uuid) to authenticated;
grant execute on function public.remove_member(uuid) to authenticated;

create function private.leave_organization(p_organization_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    -- Only a member locks it: a stranger finds the same nothing for an organization that exists and one that does not.
    perform from public.organizations o
        where o.id = p_organization_id and exists (
            select from public.memberships m where m.organization_id = o.id and m.user_id = v_uid
        )
        for no key update;
    delete from public.memberships m where m.organization_id = p_organization_id and m.user_id = v_uid;
    if not found then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'You are not a member of this organization.',
            hint = 'my_organizations() lists yours.';
    end if;
end;
$$;
comment on function private.leave_organization(uuid) is
    'Body of public.leave_organization; see there. Definer, because memberships are written by RPC only.';

create function public.leave_organization(organization_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.leave_organization(organization_id);
end;
comment on function public.leave_organization(uuid) is
    'Ends the caller''s own membership, whatever its status and the organization''s. The organization is named, because leaving the wrong one cannot be undone. Raises PT401, PT403 forbidden (not a member, or no such organization), PT409 last_owner.';
grant execute on function private.leave_organization(uuid) to authenticated;
grant execute on function public.leave_organization(uuid) to authenticated;

create function private.transfer_ownership(p_user_id uuid) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('organization.transfer');
    v_uid uuid := switchboard.require_user_id();
    v_heir public.memberships;
begin
    if p_user_id = v_uid then
        raise exception using errcode = '22023', message = 'user_id must be another member''s';
    end if;
    perform from public.organizations o where o.id = v_org for no key update;
    -- The heir first: at no moment is there no owner, and only an owner makes one.
    update public.memberships m
    set role = 'owner', permissions = '{}', allowed_dataset_ids = null, expires_at = null
    where m.organization_id = v_org and m.user_id = p_user_id
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    returning * into v_heir;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'member_not_found',
            detail = 'The organization has no active member with this user id.';
    end if;
    update public.memberships m set role = 'admin' where m.organization_id = v_org and m.user_id = v_uid;
    return to_jsonb(v_heir);
end;
$$;
comment on function private.transfer_ownership(uuid) is
    'Body of public.transfer_ownership; see there. Definer, because memberships are written by RPC only.';

create function public.transfer_ownership(user_id uuid) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.transfer_ownership(user_id);
end;
comment on function public.transfer_ownership(uuid) is
    'Makes an active member of the current organization an owner and the caller, an owner, an admin; returns the new owner''s membership. Raises PT401, PT400, PT403 (organization.transfer), 22023 (user_id is the caller''s own), PT404 member_not_found.';
grant execute on function private.transfer_ownership(uuid) to authenticated;
grant execute on function public.transfer_ownership(uuid) to authenticated;
