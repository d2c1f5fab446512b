-- Memberships in force under the name user_organizations.

create view public.user_organizations with (security_invoker = true) as
    select m.id, m.user_id, m.organization_id, m.role, m.created_at
    from public.memberships m
    where m.status = 'active' and (m.expires_at is null or m.expires_at > now());
comment on view public.user_organizations is
    'Who belongs to which organization now, for the organizations of the caller. Read only. In a policy use switchboard.organization_for, which an index can answer.';
comment on column public.user_organizations.id is 'memberships.id';
comment on column public.user_organizations.user_id is 'memberships.user_id: auth.users.id';
comment on column public.user_organizations.organization_id is 'memberships.organization_id';
comment on column public.user_organizations.role is 'memberships.role';
comment on column public.user_organizations.created_at is 'memberships.created_at';

grant select on public.user_organizations to authenticated;
grant select on public.user_organizations to service_role;
