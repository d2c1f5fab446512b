-- The RPC by which somebody becomes a member.

create function private.accept_invitation(p_token text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_user record := private.require_person();
    v_uid uuid := v_user.id;
    v_org uuid;
    v_invitation public.invitations;
    v_offer public.memberships;
    v_member public.memberships;
begin
    if v_user.email is null or v_user.email_confirmed_at is null then
        raise exception using
            errcode = 'PT403',
            message = 'email_not_confirmed',
            detail = 'The e-mail address of this user is not confirmed.',
            hint = 'Confirm it by the mail that was sent at sign-up, then accept again.';
    end if;

    -- The organization first, as everywhere where members are written; then the invitation as it is now.
    select i.organization_id into v_org
    from public.invitations i where i.token_hash = sha256(convert_to(p_token, 'UTF8'));
    perform from public.organizations o where o.id = v_org for no key update;
    select * into v_invitation
    from public.invitations i
    where i.token_hash = sha256(convert_to(p_token, 'UTF8'))
        and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
        and (i.membership_expires_at is null or i.membership_expires_at > now())
    for update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'invitation_not_found',
            detail = 'There is no open invitation with this token.',
            hint = 'Ask for a new one.';
    end if;
    if private.email_key(v_user.email) <> v_invitation.email then
        raise exception using
            errcode = 'PT403',
            message = 'email_mismatch',
            detail = 'The invitation is for another e-mail address.',
            hint = 'Sign in with the address that the invitation was sent to.';
    end if;
    if exists (
        select from public.memberships m
        where m.organization_id = v_invitation.organization_id and m.user_id = v_uid
    ) then
        raise exception using
            errcode = 'PT409',
            message = 'already_member',
            detail = 'You have a membership of this organization.',
            hint = 'my_organizations() says in which status. A suspended or expired one is for somebody there to renew.';
    end if;
    if not exists (
        select from public.organizations o where o.id = v_invitation.organization_id and o.status = 'active'
    ) then
        raise exception using
            errcode = 'PT409',
            message = 'organization_not_active',
            detail = 'The organization is paused or cancelled.',
            hint = 'Accept again when it is active.';
    end if;
    v_offer := private.offered_membership(v_invitation, v_uid);
    if v_invitation.invited_by is null
        or private.member_refusal(v_invitation.invited_by, null, v_offer) is not null
    then
        raise exception using
            errcode = 'PT410',
            message = 'invitation_void',
            detail = 'Whoever sent the invitation could not send it today.',
            hint = 'Ask for a new one.';
    end if;

    update public.invitations i
    set accepted_at = now(), accepted_by = v_uid
    where i.organization_id = v_invitation.organization_id and i.id = v_invitation.id;
    insert into public.memberships (
        organization_id, user_id, role, status, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n,
        can_manage_users, allowed_dataset_ids, expires_at
    ) values (
        v_offer.organization_id, v_uid, v_offer.role, v_offer.status, v_offer.permissions, v_offer.can_view_all_leads,
        v_offer.can_edit_lessons, v_offer.can_push_to_n8n, v_offer.can_manage_users, v_offer.allowed_dataset_ids,
        v_offer.expires_at
    )
    returning * into v_member;
    return to_jsonb(v_member);
end;
$$;
comment on function private.accept_invitation(text) is
    'Body of public.accept_invitation; see there. Definer, because who accepts is no member yet.';

create function public.accept_invitation(token text) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.accept_invitation(token);
end;
comment on function public.accept_invitation(text) is
    'Makes the caller a member by an invitation and returns the membership. Raises PT401 (no identity, unknown_user), PT403 (anonymous_user, email_not_confirmed, email_mismatch), PT404 invitation_not_found (unknown, expired, revoked and used tokens alike), PT409 (already_member, organization_not_active), PT410 invitation_void (who invited has left or may no longer give what it offers).';
grant execute on function private.accept_invitation(text) to authenticated;
grant execute on function public.accept_invitation(text) to authenticated;
