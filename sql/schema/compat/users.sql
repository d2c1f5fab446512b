-- Memberships with their people under the name users.

create function private.member_contact(
    organization uuid,
    member uuid
) returns table (email text, phone_number text, last_login_at timestamptz)
    language plpgsql stable security definer
    set search_path = ''
as $$
#variable_conflict use_column
begin
    if member = switchboard.user_id() or switchboard.has_capability(organization, 'members.write') then
        return query
            select u.email::text, p.phone_number, u.last_sign_in_at
            from public.memberships m
            join auth.users u on u.id = m.user_id
            left join public.profiles p on p.id = m.user_id
            where m.organization_id = organization and m.user_id = member;
    end if;
end;
$$;
comment on function private.member_contact(uuid, uuid) is
    'For the view users: e-mail address, phone number and last sign-in of a member, for the person themself and for holders of members.write in that organization; nothing for anybody else. Definer, because these columns are granted to nobody. Raises nothing: a view calls it.';
grant execute on function private.member_contact(uuid, uuid) to authenticated, service_role;

create view public.users with (security_invoker = true) as
    select
        m.id,
        m.created_at,
        m.updated_at,
        m.user_id,
        m.organization_id as client_id,
        -- Scalar, like clients.twilio_phone_number, so that a write meets the missing grant and not a rule about views.
        (select p.first_name from public.profiles p where p.id = m.user_id) as first_name,
        (select p.last_name from public.profiles p where p.id = m.user_id) as last_name,
        (select c.email from private.member_contact(m.organization_id, m.user_id) as c) as email,
        (select c.phone_number from private.member_contact(m.organization_id, m.user_id) as c) as phone,
        (select p.avatar_path from public.profiles p where p.id = m.user_id) as avatar_url,
        m.role,
        m.permissions,
        m.can_view_all_leads,
        m.can_edit_lessons,
        m.can_push_to_n8n,
        m.can_manage_users,
        m.allowed_dataset_ids,
        m.status,
        (select c.last_login_at from private.member_contact(m.organization_id, m.user_id) as c) as last_login_at
    from public.memberships m;
comment on view public.users is
    'The members of the caller''s organizations, one row for each membership. Read only: invite_member, change_member and remove_member change members, and everybody their own profile.';
comment on column public.users.id is 'memberships.id, not the id of the auth user';
comment on column public.users.created_at is 'memberships.created_at';
comment on column public.users.updated_at is 'memberships.updated_at';
comment on column public.users.user_id is 'memberships.user_id: auth.users.id';
comment on column public.users.client_id is 'memberships.organization_id';
comment on column public.users.first_name is 'profiles.first_name';
comment on column public.users.last_name is 'profiles.last_name';
comment on column public.users.email is 'auth.users.email, for the person and holders of members.write; NULL for others';
comment on column public.users.phone is 'profiles.phone_number, for the person and holders of members.write; NULL for others';
comment on column public.users.avatar_url is 'profiles.avatar_path';
comment on column public.users.role is
    'memberships.role: owner, admin, manager, sales_rep, viewer';
comment on column public.users.permissions is 'memberships.permissions';
comment on column public.users.can_view_all_leads is 'memberships.can_view_all_leads';
comment on column public.users.can_edit_lessons is 'memberships.can_edit_lessons';
comment on column public.users.can_push_to_n8n is 'memberships.can_push_to_n8n';
comment on column public.users.can_manage_users is 'memberships.can_manage_users';
comment on column public.users.allowed_dataset_ids is 'memberships.allowed_dataset_ids: NULL is all';
comment on column public.users.status is 'memberships.status';
comment on column public.users.last_login_at is
    'auth.users.last_sign_in_at, for the person and holders of members.write; NULL for others';

grant select on public.users to authenticated;
grant select on public.users to service_role;
