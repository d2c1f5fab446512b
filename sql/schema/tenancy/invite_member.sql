-- RPCs by which a member invites somebody and takes it back.

create function private.offered_membership(invitation public.invitations, member uuid) returns public.memberships
    language sql stable
    set search_path = ''
begin atomic
    select jsonb_populate_record(null::public.memberships, jsonb_build_object(
        'organization_id', (invitation).organization_id,
        'user_id', member,
        'role', (invitation).role,
        'status', 'active',
        'permissions', (invitation).permissions,
        'can_view_all_leads', (invitation).can_view_all_leads,
        'can_edit_lessons', (invitation).can_edit_lessons,
        'can_push_to_n8n', (invitation).can_push_to_n8n,
        'can_manage_users', (invitation).can_manage_users,
        'allowed_dataset_ids', (invitation).allowed_dataset_ids,
        'expires_at', (invitation).membership_expires_at
    ));
end;
comment on function private.offered_membership(public.invitations, uuid) is
    'The membership that a user gets by an invitation; columns without a part in it are NULL.';

create function private.invite_member(
    p_email text,
    p_role text,
    p_permissions jsonb,
    p_can_view_all_leads boolean,
    p_can_edit_lessons boolean,
    p_can_push_to_n8n boolean,
    p_can_manage_users boolean,
    p_allowed_dataset_ids uuid[],
    p_membership_expires_at timestamptz,
    p_expires_in interval
) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- More than a team needs at once, and a bound on mails that a stolen session can cause.
    max_open constant integer := 100;
    v_org uuid := switchboard.require_organization('members.write');
    v_uid uuid := switchboard.require_user_id();
    v_email text := private.email_key(p_email);
    -- A month counts as 30 days, whatever today's date and the session's time zone.
    v_expires_at timestamptz := now() + make_interval(secs => extract(epoch from p_expires_in));
    -- 2 × 122 random bits from the server's strong random source.
    v_token text := encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'hex');
    v_open public.invitations;
    v_row public.invitations;
begin
    if v_email is null or not private.is_email(v_email) then
        raise exception using errcode = '22023', message = 'email must be an e-mail address';
    end if;
    if private.role_rank(p_role) is null then
        raise exception using
            errcode = '22023',
            message = 'role must be one of owner, admin, manager, sales_rep, viewer';
    end if;
    if p_permissions is null or jsonb_typeof(p_permissions) <> 'object' then
        raise exception using errcode = '22023', message = 'permissions must be a JSON object';
    end if;
    if p_can_view_all_leads is null or p_can_edit_lessons is null or p_can_push_to_n8n is null or p_can_manage_users is null then
        raise exception using errcode = '22023', message = 'can_* must be true or false';
    end if;
    if p_role = 'owner'
        and (p_permissions <> '{}' or p_allowed_dataset_ids is not null or p_membership_expires_at is not null)
    then
        raise exception using
            errcode = '22023',
            message = 'an owner has all capabilities, all datasets and no end: leave out permissions, allowed_dataset_ids and membership_expires_at';
    end if;
    if p_membership_expires_at <= now() then
        raise exception using errcode = '22023', message = 'membership_expires_at must be in the future';
    end if;
    if v_expires_at is null or v_expires_at < now() + interval '1 minute' or v_expires_at > now() + interval '720 hours' then
        raise exception using errcode = '22023', message = 'expires_in must be from 1 minute to 30 days';
    end if;

    -- Invitations of an organization are written one at a time: the bound holds, and two for one address do not collide.
    perform from public.organizations o where o.id = v_org for no key update;
    if exists (
        select from public.memberships m
        join auth.users u on u.id = m.user_id
        where m.organization_id = v_org and private.email_key(u.email) = v_email
    ) then
        raise exception using
            errcode = 'PT409',
            message = 'already_member',
            detail = 'The organization has a member with this e-mail address.',
            hint = 'Use change_member, also for a member who is suspended or whose membership has expired.';
    end if;

    select * into v_open
    from public.invitations i
    where i.organization_id = v_org and i.email = v_email and i.accepted_at is null and i.revoked_at is null
    for update;
    if found then
        -- An invitation that says more than the caller may give is not the caller's to replace, unless it is void.
        if v_open.expires_at > now() then
            perform private.raise_member_refusal(
                private.member_refusal(v_uid, null, private.offered_membership(v_open, null)), 'PT403');
        end if;
        delete from public.invitations i where i.organization_id = v_org and i.id = v_open.id;
    end if;
    if (
        select count(*) from public.invitations i
        where i.organization_id = v_org and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
    ) >= max_open then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_invitations',
            detail = format('An organization can have at most %s open invitations.', max_open),
            hint = 'Revoke some, or wait until they are accepted or expire.';
    end if;

    insert into public.invitations (
        organization_id, email, role, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n,
        can_manage_users, allowed_dataset_ids, membership_expires_at, token_hash, invited_by, expires_at
    ) values (
        v_org, v_email, p_role, p_permissions, p_can_view_all_leads, p_can_edit_lessons, p_can_push_to_n8n,
        p_can_manage_users, p_allowed_dataset_ids, p_membership_expires_at, sha256(convert_to(v_token, 'UTF8')), v_uid,
        v_expires_at
    )
    returning * into v_row;
    perform private.raise_member_refusal(
        private.member_refusal(v_uid, null, private.offered_membership(v_row, null)), 'PT403');
    return jsonb_build_object('invitation_id', v_row.id, 'token', v_token, 'expires_at', v_row.expires_at);
end;
$$;
comment on function private.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval) is
    'Body of public.invite_member; see there. Definer, because invitations are written by RPC only.';

create function public.invite_member(
    email text,
    role text,
    permissions jsonb default '{}',
    can_view_all_leads boolean default false,
    can_edit_lessons boolean default false,
    can_push_to_n8n boolean default false,
    can_manage_users boolean default false,
    allowed_dataset_ids uuid[] default null,
    membership_expires_at timestamptz default null,
    expires_in interval default '7 days'
) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.invite_member(
        email, role, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n, can_manage_users,
        allowed_dataset_ids, membership_expires_at, expires_in
    );
end;
comment on function public.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval) is
    'Invites an e-mail address into the current organization → {invitation_id, token, expires_at}. Raises PT401, PT400, PT403 (members.write; role_too_low, capability_not_held, scope_not_held, outlasts_own_membership), 22023 (email, role, permissions, allowed_dataset_ids, membership_expires_at, expires_in), PT409 already_member, PT429 too_many_invitations.';
grant execute on function private.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval) to authenticated;
grant execute on function public.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval) to authenticated;

create function private.revoke_invitation(p_invitation_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('members.write');
    v_uid uuid := switchboard.require_user_id();
    v_invitation public.invitations;
begin
    select * into v_invitation
    from public.invitations i
    where i.organization_id = v_org and i.id = p_invitation_id and i.accepted_at is null and i.revoked_at is null
    for update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'invitation_not_found',
            detail = 'The organization has no open invitation with this id.';
    end if;
    -- Only the rank counts here: revoking gives nobody anything.
    perform private.raise_member_refusal(
        private.member_refusal(v_uid, private.offered_membership(v_invitation, null), null), 'PT403');
    update public.invitations i
    set revoked_at = now(), revoked_by = v_uid
    where i.organization_id = v_org and i.id = v_invitation.id;
end;
$$;
comment on function private.revoke_invitation(uuid) is
    'Body of public.revoke_invitation; see there. Definer, because invitations are written by RPC only.';

create function public.revoke_invitation(invitation_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.revoke_invitation(invitation_id);
end;
comment on function public.revoke_invitation(uuid) is
    'Ends an open invitation of the current organization; its token is worth nothing from then on. Raises PT401, PT400, PT403 (members.write; role_too_low for an invitation to a role that is not below the caller''s), PT404 invitation_not_found (unknown, accepted or already revoked).';
grant execute on function private.revoke_invitation(uuid) to authenticated;
grant execute on function public.revoke_invitation(uuid) to authenticated;
