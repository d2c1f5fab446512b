-- Functions and computed fields of other schemas.

create function public.get_my_org_id() returns uuid
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.current_organization_id();
end;
comment on function public.get_my_org_id() is
    'The organization that the request works for, or NULL. Raises nothing.';
grant execute on function public.get_my_org_id() to authenticated;

create function public.is_super_admin() returns boolean
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.is_platform_admin();
end;
comment on function public.is_super_admin() is
    'Whether the caller administers the installation (and signed in with a second factor). It gives no right in any organization, and a tenant''s admin is none. Raises nothing.';
grant execute on function public.is_super_admin() to authenticated;

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
    'A computed field of organizations: the longest-standing active owner, as far as the caller sees the members. Raises nothing.';
grant execute on function public.owner_id(public.organizations) to authenticated;

create function public.plan_tier(organization public.organizations) returns text
    language sql immutable
    set search_path = ''
begin atomic
    select case (organization).plan when 'professional' then 'pro' else (organization).plan end;
end;
comment on function public.plan_tier(public.organizations) is
    'A computed field of organizations: the plan as starter, pro or enterprise. Raises nothing.';
grant execute on function public.plan_tier(public.organizations) to authenticated;
