-- RPCs about plan and use.

create function private.usage() returns jsonb
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('organization.read');
    v_limits jsonb := private.quota_limits(v_org);
begin
    return jsonb_build_object(
        'plan', (select o.plan from public.organizations o where o.id = v_org),
        'limits', v_limits,
        'used', (select jsonb_object_agg(k, private.quota_used(v_org, k)) from jsonb_object_keys(v_limits) as k)
    );
end;
$$;
comment on function private.usage() is 'Body of public.usage; see there.';

create function public.usage() returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select private.usage();
end;
comment on function public.usage() is
    'The organization''s plan, its limits and what of them is used: {plan, limits: {members, agents, phone_numbers, datasets, leads, concurrent_calls}, used: {the same}}; a limit of null is none. members counts open invitations. Raises PT401, PT400, PT403 (organization.read).';
grant execute on function private.usage() to authenticated;
grant execute on function public.usage() to authenticated;

create function private.change_plan(p_organization_id uuid, p_plan text) returns public.organizations
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- Another name of the same plan.
    v_plan text := case lower(btrim(p_plan)) when 'pro' then 'professional' else lower(btrim(p_plan)) end;
    v_row public.organizations;
begin
    if v_plan is null or not exists (select from public.plans p where p.name = v_plan) then
        raise exception using
            errcode = '22023',
            message = 'plan must be the name of a plan',
            hint = format('There are: %s.', (select string_agg(p.name, ', ' order by p.name) from public.plans p));
    end if;
    update public.organizations o
        set plan = v_plan
        where o.id = p_organization_id
        returning * into v_row;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'organization_not_found',
            detail = 'There is no organization with this id.';
    end if;
    return v_row;
end;
$$;
comment on function private.change_plan(uuid, text) is 'Body of public.change_plan; see there.';

create function public.change_plan(organization_id uuid, plan text) returns public.organizations
    language sql volatile
    set search_path = ''
begin atomic
    select private.change_plan(organization_id, plan);
end;
comment on function public.change_plan(uuid, text) is
    'Puts an organization on a plan and returns its row; service_role only, for billing code. pro is taken for professional. Takes effect at once; what is over a lower limit stays, and new rows are refused. Written to the audit log. Raises 22023 (plan), PT404 organization_not_found.';
grant execute on function private.change_plan(uuid, text) to service_role;
grant execute on function public.change_plan(uuid, text) to service_role;
