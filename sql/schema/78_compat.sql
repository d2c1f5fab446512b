-- The requirement documents' own names for what is ours under another: views that run with the caller's
-- rights, so the policies of the tables below hold, and two functions of S1. Nothing is stored here.

create view public.clients with (security_invoker = true) as
    select
        o.id,
        o.created_at,
        o.updated_at,
        o.name as company_name,
        o.email as company_email,
        o.phone_number as company_phone,
        o.website as company_website,
        o.industry,
        o.logo_path as logo_url,
        o.primary_color,
        o.n8n_workflow_id,
        o.n8n_webhook_url,
        -- A join would end the view's being updatable.
        (
            select n.phone_number from public.phone_numbers n
            where n.organization_id = o.id and n.id = o.default_phone_number_id
        ) as twilio_phone_number,
        o.status,
        o.plan,
        o.timezone,
        o.settings
    from public.organizations o;
comment on view public.clients is
    'S4 clients: the organizations that the caller is a member of. Holders of organization.write update it like organizations; company_name need not be unique.';
comment on column public.clients.id is 'organizations.id';
comment on column public.clients.created_at is 'organizations.created_at';
comment on column public.clients.updated_at is 'organizations.updated_at';
comment on column public.clients.company_name is 'organizations.name';
comment on column public.clients.company_email is 'organizations.email';
comment on column public.clients.company_phone is 'organizations.phone_number, E.164; any spelling may be written';
comment on column public.clients.company_website is 'organizations.website';
comment on column public.clients.industry is 'organizations.industry; no default';
comment on column public.clients.logo_url is
    'organizations.logo_path: an object in the bucket client_logos, from which supabase-js''s getPublicUrl makes the address';
comment on column public.clients.primary_color is 'organizations.primary_color';
comment on column public.clients.n8n_workflow_id is 'organizations.n8n_workflow_id';
comment on column public.clients.n8n_webhook_url is 'organizations.n8n_webhook_url';
comment on column public.clients.twilio_phone_number is
    'phone_numbers.phone_number of organizations.default_phone_number_id; change that instead';
comment on column public.clients.status is 'organizations.status; set_organization_status changes it';
comment on column public.clients.plan is 'organizations.plan';
comment on column public.clients.timezone is 'organizations.timezone';
comment on column public.clients.settings is 'organizations.settings';
grant select on public.clients to authenticated;
grant update (
    company_name, company_email, company_phone, company_website, industry, logo_url, primary_color, n8n_workflow_id,
    n8n_webhook_url, timezone, settings
) on public.clients to authenticated;

create function private.member_contact(
    p_organization_id uuid,
    p_user_id uuid
) returns table (email text, phone_number text, last_login_at timestamptz)
    language plpgsql stable security definer
    set search_path = ''
as $$
#variable_conflict use_column
begin
    if p_user_id = switchboard.user_id() or switchboard.has_capability(p_organization_id, 'members.write') then
        return query
            select u.email::text, p.phone_number, u.last_sign_in_at
            from public.memberships m
            join auth.users u on u.id = m.user_id
            left join public.profiles p on p.id = m.user_id
            where m.organization_id = p_organization_id and m.user_id = p_user_id;
    end if;
end;
$$;
comment on function private.member_contact(uuid, uuid) is
    'For the view users: e-mail address, phone number and last sign-in of a member, for the person themself and for holders of members.write in that organization; nothing for anybody else. Definer, because these columns are granted to nobody. Raises nothing: a view calls it.';
grant execute on function private.member_contact(uuid, uuid) to authenticated;

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
    'S4 users: the members of the caller''s organizations, one row for each membership. Read only: invite_member, change_member and remove_member change members, and everybody their own profile.';
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
    'memberships.role: owner (S4 company_owner), admin, manager, sales_rep, viewer (S4 read_only)';
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

create view public.user_organizations with (security_invoker = true) as
    select m.id, m.user_id, m.organization_id, m.role, m.created_at
    from public.memberships m
    where m.status = 'active' and (m.expires_at is null or m.expires_at > now());
comment on view public.user_organizations is
    'S3 user_organizations: who belongs to which organization now, for the organizations of the caller. Read only. In a policy use switchboard.organization_for, which an index can answer.';
comment on column public.user_organizations.id is 'memberships.id';
comment on column public.user_organizations.user_id is 'memberships.user_id: auth.users.id';
comment on column public.user_organizations.organization_id is 'memberships.organization_id';
comment on column public.user_organizations.role is 'memberships.role';
comment on column public.user_organizations.created_at is 'memberships.created_at';
grant select on public.user_organizations to authenticated;

create function public.get_my_org_id() returns uuid
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.current_organization_id();
end;
comment on function public.get_my_org_id() is
    'S1: the organization that the request works for, or NULL. Raises nothing.';

create function public.is_super_admin() returns boolean
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.is_platform_admin();
end;
comment on function public.is_super_admin() is
    'S1: whether the caller administers the installation (and signed in with a second factor). It gives no right in any organization, and a tenant''s admin is none. Raises nothing.';

create function public.owner_id(organization public.organizations) returns uuid
    language sql stable
    set search_path = ''
begin atomic
    select m.user_id
    from public.memberships m
    where m.organization_id = (organization).id and m.role = 'owner' and m.status = 'active'
    order by m.created_at, m.user_id
    limit 1;
end;
comment on function public.owner_id(public.organizations) is
    'S0 organizations.owner_id, as a computed field (select=id,owner_id): the longest-standing active owner, as far as the caller sees the members. Raises nothing.';

create function public.plan_tier(organization public.organizations) returns text
    language sql immutable
    set search_path = ''
begin atomic
    select case (organization).plan when 'professional' then 'pro' else (organization).plan end;
end;
comment on function public.plan_tier(public.organizations) is
    'S1 organizations.plan_tier, as a computed field: starter, pro or enterprise. Raises nothing.';

grant execute on function public.get_my_org_id() to authenticated;
grant execute on function public.is_super_admin() to authenticated;
grant execute on function public.owner_id(public.organizations) to authenticated;
grant execute on function public.plan_tier(public.organizations) to authenticated;
