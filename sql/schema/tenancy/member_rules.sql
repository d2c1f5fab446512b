-- The rule on who may give whom which rights, asked by RPCs before they write and by guard_member when they do.

create function private.role_rank(role text) returns integer
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select array_position(array['viewer', 'sales_rep', 'manager', 'admin', 'owner'], role);
end;
comment on function private.role_rank(text) is
    'Order of the roles, the owner''s highest; NULL for a name that is no role.';

create function private.member_capabilities(member public.memberships) returns text[]
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.member_capabilities(
        (member).role, (member).permissions, (member).can_view_all_leads, (member).can_edit_lessons,
        (member).can_push_to_n8n, (member).can_manage_users
    );
end;
comment on function private.member_capabilities(public.memberships) is
    'What a membership gives in an active organization, whoever asks. For comparing what a member may give with what they would give. NULL for no membership.';

create function private.member_refusal(
    actor uuid,
    member_before public.memberships,
    member_after public.memberships
) returns text
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_org uuid := coalesce(member_after.organization_id, member_before.organization_id);
    v_own boolean := coalesce(coalesce(member_after.user_id, member_before.user_id) = actor, false);
    -- A membership that gives nothing today is not what a change can be compared with.
    v_in_force boolean := coalesce(
        member_before.status = 'active' and (member_before.expires_at is null or member_before.expires_at > now()), false
    );
    v_giver public.memberships;
    v_held text[];
begin
    select * into v_giver
    from public.memberships m
    where m.organization_id = v_org and m.user_id = actor
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now());
    v_held := private.member_capabilities(v_giver);
    if v_giver.user_id is null or not 'members.write' = any (v_held) then
        return 'members_write_required';
    end if;
    if v_giver.role <> 'owner' then
        if v_own then
            return 'own_membership';
        end if;
        if greatest(private.role_rank(member_before.role), private.role_rank(member_after.role))
            >= private.role_rank(v_giver.role)
        then
            return 'role_too_low';
        end if;
    end if;

    -- Nothing is given by removing or suspending; what a suspended member keeps is looked at when they return.
    if member_after.organization_id is null or member_after.status = 'suspended' then
        return null;
    end if;
    if v_in_force then
        v_held := v_held || private.member_capabilities(member_before);
    end if;
    if not private.member_capabilities(member_after) <@ v_held then
        return 'capability_not_held';
    end if;
    -- NULL is all datasets.
    if v_giver.allowed_dataset_ids is not null and not (v_in_force and member_before.allowed_dataset_ids is null) then
        if member_after.allowed_dataset_ids is null
            or not member_after.allowed_dataset_ids <@ (
                v_giver.allowed_dataset_ids
                || case when v_in_force then member_before.allowed_dataset_ids else '{}' end
            )
        then
            return 'scope_not_held';
        end if;
    end if;
    -- A membership that ends may not outlive itself under another name.
    if coalesce(member_after.expires_at, 'infinity') > greatest(
        coalesce(v_giver.expires_at, 'infinity'),
        case when v_in_force then coalesce(member_before.expires_at, 'infinity') else '-infinity' end
    ) then
        return 'outlasts_own_membership';
    end if;
    return null;
end;
$$;
comment on function private.member_refusal(uuid, public.memberships, public.memberships) is
    'Why actor may not turn one membership into the other (NULL before: a new one; NULL after: removal), or NULL when they may. Codes: members_write_required, own_membership, role_too_low, capability_not_held, scope_not_held, outlasts_own_membership. Does not ask for the organization''s status.';

create function private.raise_member_refusal(code text, state text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if code is null then
        return;
    end if;
    raise exception using
        errcode = state,
        message = code,
        detail = case code
            when 'members_write_required' then 'You do not hold members.write in this organization.'
            when 'own_membership' then 'Nobody changes their own membership.'
            when 'role_too_low' then 'Only roles below your own can be given, changed or taken away; an owner may do all.'
            when 'capability_not_held' then 'The membership would have a capability that you do not hold.'
            when 'scope_not_held' then 'The membership would reach datasets that you do not.'
            when 'outlasts_own_membership' then 'The membership would last longer than yours.'
        end,
        hint = case code
            when 'own_membership' then 'Ask a member with a higher role; leave_organization() and transfer_ownership() are for you.'
            when 'capability_not_held' then 'whoami() lists your capabilities.'
            else 'Ask a member with a higher role.'
        end;
end;
$$;
comment on function private.raise_member_refusal(text, text) is
    'Raises what member_refusal answered with its sentence, and nothing for NULL: PT403 in RPCs, 42501 in private.guard_member.';

create function private.lock_member(organization uuid, member uuid) returns public.memberships
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_member public.memberships;
begin
    -- Everywhere where members are written the organization is locked first, so nobody waits for each other in a circle.
    perform from public.organizations o where o.id = organization for no key update;
    select * into v_member
    from public.memberships m where m.organization_id = organization and m.user_id = member
    for update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'member_not_found',
            detail = 'The organization has no member with this user id.';
    end if;
    return v_member;
end;
$$;
comment on function private.lock_member(uuid, uuid) is
    'A membership, locked with its organization until the transaction ends. For RPC bodies that change or end it. Raises PT404 member_not_found.';

create function private.may_become_member(member public.memberships) returns boolean
    language sql volatile
    set search_path = ''
begin atomic
    select
        -- The founder. created_at is the transaction's time and never changes.
        (member).role = 'owner'
        and exists (
            select from public.organizations o where o.id = (member).organization_id and o.created_at = now()
        )
        and not exists (select from public.memberships m where m.organization_id = (member).organization_id)
        -- Whoever accepted, in this transaction, an invitation that offers exactly this.
        or exists (
            select from public.invitations i
            where i.organization_id = (member).organization_id
                and i.accepted_by = (member).user_id and i.accepted_at = now()
                and i.role = (member).role and (member).status = 'active'
                and i.permissions = (member).permissions
                and i.can_view_all_leads = (member).can_view_all_leads
                and i.can_edit_lessons = (member).can_edit_lessons
                and i.can_push_to_n8n = (member).can_push_to_n8n
                and i.can_manage_users = (member).can_manage_users
                and i.allowed_dataset_ids is not distinct from (member).allowed_dataset_ids
                and i.membership_expires_at is not distinct from (member).expires_at
        );
end;
comment on function private.may_become_member(public.memberships) is
    'For private.guard_member: whether a user may make this membership of their own, as founder of an organization made in this transaction or by an invitation accepted in it.';

create function private.same_rights(member_before public.memberships, member_after public.memberships) returns boolean
    language sql volatile
    set search_path = ''
begin atomic
    select (
            (member_before).role, (member_before).status, (member_before).permissions,
            (member_before).can_view_all_leads, (member_before).can_edit_lessons, (member_before).can_push_to_n8n,
            (member_before).can_manage_users, (member_before).expires_at
        ) is not distinct from (
            (member_after).role, (member_after).status, (member_after).permissions,
            (member_after).can_view_all_leads, (member_after).can_edit_lessons, (member_after).can_push_to_n8n,
            (member_after).can_manage_users, (member_after).expires_at
        )
        and (
            (member_before).allowed_dataset_ids is not distinct from (member_after).allowed_dataset_ids
            or (member_after).allowed_dataset_ids <@ (member_before).allowed_dataset_ids
            and private.datasets_are_deleted(
                (member_before).organization_id,
                array(
                    select d from unnest((member_before).allowed_dataset_ids) as d
                    where d <> all ((member_after).allowed_dataset_ids)
                )
            )
        );
end;
comment on function private.same_rights(public.memberships, public.memberships) is
    'For private.guard_member: whether an update leaves the rights as they are, dataset scopes that lose a deleted dataset included.';
