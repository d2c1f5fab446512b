-- Invitations: how somebody becomes a member. An invitation is for one e-mail address, says which rights
-- the membership will have, and is accepted with a token that is handed out once and stored as its hash.
-- Sending the mail is the application's; the rule on who may give which rights is private.member_refusal.

create table public.invitations (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    email text not null
        constraint invitations_email_check check (email = lower(btrim(email)) and private.is_email(email)),
    role text not null
        constraint invitations_role_check
        check (role in ('owner', 'admin', 'manager', 'sales_rep', 'viewer')),
    permissions jsonb not null default '{}'
        constraint invitations_permissions_check check (switchboard.assert_permissions(permissions)),
    can_view_all_leads boolean not null default false,
    can_edit_lessons boolean not null default false,
    can_push_to_n8n boolean not null default false,
    can_manage_users boolean not null default false,
    allowed_dataset_ids uuid[],
    membership_expires_at timestamptz,
    token_hash bytea not null
        constraint invitations_token_hash_check check (octet_length(token_hash) = 32),
    invited_by uuid references auth.users (id) on delete set null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references auth.users (id) on delete set null,
    revoked_at timestamptz,
    revoked_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint invitations_expires_at_check check (
        expires_at > created_at and expires_at - created_at <= interval '720 hours'
    ),
    constraint invitations_owner_check check (
        role <> 'owner'
        or (permissions = '{}' and allowed_dataset_ids is null and membership_expires_at is null)
    ),
    constraint invitations_end_check check (accepted_at is null or revoked_at is null)
);
comment on table public.invitations is
    'A membership offered to an e-mail address. Open until it is accepted, revoked or expired. Written by invite_member, accept_invitation and revoke_invitation only.';
comment on column public.invitations.email is 'Trimmed and lower-case; the accepting user''s confirmed address must equal it.';
comment on column public.invitations.permissions is 'What the membership will have; see memberships, as for the next five columns.';
comment on column public.invitations.membership_expires_at is 'When the membership will end; NULL: never.';
comment on column public.invitations.token_hash is
    'SHA-256 of the token. The token has 244 random bits, so neither a salt nor a slow hash adds anything, and finding it by an index lookup tells nobody a prefix of a token.';
comment on column public.invitations.expires_at is 'Last moment at which it can be accepted, at most 30 days after created_at.';

create unique index invitations_open_key on public.invitations (organization_id, email)
    where accepted_at is null and revoked_at is null;
comment on index public.invitations_open_key is
    'One open invitation for an address in an organization; invite_member: the one to replace, and how many are open.';
create index invitations_token_hash_idx on public.invitations (token_hash);
comment on index public.invitations_token_hash_idx is 'accept_invitation: by token.';
create index invitations_created_at_idx on public.invitations (organization_id, created_at desc, id);
comment on index public.invitations_created_at_idx is 'List of an organization''s invitations, newest first.';
create index invitations_invited_by_idx on public.invitations (invited_by);
comment on index public.invitations_invited_by_idx is 'Foreign key to auth.users.';
create index invitations_accepted_by_idx on public.invitations (accepted_by);
comment on index public.invitations_accepted_by_idx is 'Foreign key to auth.users.';
create index invitations_revoked_by_idx on public.invitations (revoked_by);
comment on index public.invitations_revoked_by_idx is 'Foreign key to auth.users.';

select private.add_row_triggers('public.invitations', '{organization_id,id,email,token_hash,expires_at,created_at}');

alter table public.invitations enable row level security;
alter table public.invitations force row level security;
-- Who is invited, and as what, is for those who could have invited them.
create policy invitations_select on public.invitations for select to authenticated
    using (organization_id = (select switchboard.organization_for('members.write')));
create policy invitations_insert on public.invitations for insert to authenticated
    with check (false);
create policy invitations_update on public.invitations for update to authenticated
    using (false) with check (false);
create policy invitations_delete on public.invitations for delete to authenticated
    using (false);

grant select (
    organization_id, id, email, role, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n,
    can_manage_users, allowed_dataset_ids, membership_expires_at, invited_by, expires_at, accepted_at, accepted_by,
    revoked_at, revoked_by, created_at
) on public.invitations to authenticated;

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
    v_email text := lower(btrim(p_email));
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
        where m.organization_id = v_org and lower(u.email) = v_email
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
    'Invites an e-mail address into the current organization → {invitation_id, token, expires_at}. The token is shown this once; send it to the address and to nobody else. An open invitation of the same address is replaced. expires_in: 1 minute to 30 days. The other arguments become the membership; nothing can be given that the caller does not hold, and only roles below the caller''s own (an owner: all). Raises PT401, PT400, PT403 (members.write; role_too_low, capability_not_held, scope_not_held, outlasts_own_membership), 22023 (email, role, permissions, allowed_dataset_ids, membership_expires_at, expires_in), PT409 already_member, PT429 too_many_invitations.';

create function private.accept_invitation(p_token text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
    v_user record;
    v_org uuid;
    v_invitation public.invitations;
    v_offer public.memberships;
    v_member public.memberships;
begin
    select u.email, u.email_confirmed_at, u.is_anonymous into v_user from auth.users u where u.id = v_uid;
    if not found then
        raise exception using
            errcode = 'PT401',
            message = 'unknown_user',
            detail = 'The user of this token does not exist.',
            hint = 'Sign in again.';
    end if;
    if v_user.is_anonymous or coalesce(auth.jwt() ->> 'is_anonymous', 'false') <> 'false' then
        raise exception using
            errcode = 'PT403',
            message = 'anonymous_user',
            detail = 'An anonymous user cannot accept an invitation.',
            hint = 'Sign in with the e-mail address that was invited.';
    end if;
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
    if lower(v_user.email) <> v_invitation.email then
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

grant execute on function private.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval) to authenticated;
grant execute on function public.invite_member(text, text, jsonb, boolean, boolean, boolean, boolean, uuid[], timestamptz, interval) to authenticated;
grant execute on function private.accept_invitation(text) to authenticated;
grant execute on function public.accept_invitation(text) to authenticated;
grant execute on function private.revoke_invitation(uuid) to authenticated;
grant execute on function public.revoke_invitation(uuid) to authenticated;
