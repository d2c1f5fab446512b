-- Plans and quotas: how much of what an organization may have. A plan's limits are data that the
-- operator edits; an override changes them for one organization. Triggers hold the limits where rows
-- are made, route_inbound_call holds the one on calls.

create table public.plans (
    name text not null primary key
        constraint plans_name_check check (name ~ '^[a-z][a-z0-9_-]{0,39}$'),
    max_members integer
        constraint plans_max_members_check check (max_members >= 1),
    max_agents integer
        constraint plans_max_agents_check check (max_agents >= 0),
    max_phone_numbers integer
        constraint plans_max_phone_numbers_check check (max_phone_numbers >= 0),
    max_datasets integer
        constraint plans_max_datasets_check check (max_datasets >= 0),
    max_leads integer
        constraint plans_max_leads_check check (max_leads >= 0),
    max_concurrent_calls integer
        constraint plans_max_concurrent_calls_check check (max_concurrent_calls >= 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.plans is
    'The plans an organization can be on, and their limits; NULL: unlimited. The rows shipped are a start: the operator edits them with the service key. A lower limit takes nothing away, it refuses what is new.';
comment on column public.plans.max_members is 'Memberships of any status, and open invitations.';
comment on column public.plans.max_concurrent_calls is
    'Calls ringing or in progress. Set it once set_call_status reports the end of calls: one that nobody ended counts for four hours, and a full limit turns callers away. The plans shipped have none.';

insert into public.plans (
    name, max_members, max_agents, max_phone_numbers, max_datasets, max_leads, max_concurrent_calls
) values
    ('starter', 10, 10, 10, 25, 25000, null),
    ('professional', 50, 50, 100, 250, 500000, null),
    ('enterprise', null, null, null, null, null, null);

create table public.plan_overrides (
    organization_id uuid not null primary key references public.organizations (id) on delete cascade,
    max_members integer
        constraint plan_overrides_max_members_check check (max_members >= -1),
    max_agents integer
        constraint plan_overrides_max_agents_check check (max_agents >= -1),
    max_phone_numbers integer
        constraint plan_overrides_max_phone_numbers_check check (max_phone_numbers >= -1),
    max_datasets integer
        constraint plan_overrides_max_datasets_check check (max_datasets >= -1),
    max_leads integer
        constraint plan_overrides_max_leads_check check (max_leads >= -1),
    max_concurrent_calls integer
        constraint plan_overrides_max_concurrent_calls_check check (max_concurrent_calls >= -1),
    reason text not null
        constraint plan_overrides_reason_check check (btrim(reason) <> '' and length(reason) <= 500),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.plan_overrides is
    'Limits of one organization that differ from its plan''s. NULL: as in the plan; -1: unlimited. Written with the service key; usage() shows the result, nobody else reads the table.';

alter table public.organizations
    add constraint organizations_plan_fkey foreign key (plan) references public.plans (name);
create index organizations_plan_idx on public.organizations (plan);
comment on index public.organizations_plan_idx is 'Foreign key to plans.';

select private.add_row_triggers('public.plans', '{name,created_at}');
select private.add_row_triggers('public.plan_overrides', '{organization_id,created_at}');

alter table public.plans enable row level security;
alter table public.plans force row level security;
create policy plans_select on public.plans for select to authenticated
    using ((select switchboard.user_id()) is not null);
create policy plans_insert on public.plans for insert to authenticated
    with check (false);
create policy plans_update on public.plans for update to authenticated
    using (false) with check (false);
create policy plans_delete on public.plans for delete to authenticated
    using (false);

alter table public.plan_overrides enable row level security;
alter table public.plan_overrides force row level security;
create policy plan_overrides_select on public.plan_overrides for select to authenticated
    using (false);
create policy plan_overrides_insert on public.plan_overrides for insert to authenticated
    with check (false);
create policy plan_overrides_update on public.plan_overrides for update to authenticated
    using (false) with check (false);
create policy plan_overrides_delete on public.plan_overrides for delete to authenticated
    using (false);

grant select on public.plans to authenticated;
grant select, insert, update, delete on public.plans, public.plan_overrides to service_role;
select private.add_audit('public.plan_overrides');

create function private.quota_limits(p_organization_id uuid) returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select jsonb_object_agg(l.object, nullif(coalesce(l.override, l.planned), -1))
        from public.organizations o
        join public.plans p on p.name = o.plan
        left join public.plan_overrides v on v.organization_id = o.id
        cross join lateral (values
            ('members', p.max_members, v.max_members),
            ('agents', p.max_agents, v.max_agents),
            ('phone_numbers', p.max_phone_numbers, v.max_phone_numbers),
            ('datasets', p.max_datasets, v.max_datasets),
            ('leads', p.max_leads, v.max_leads),
            ('concurrent_calls', p.max_concurrent_calls, v.max_concurrent_calls)
        ) as l (object, planned, override)
        where o.id = p_organization_id;
end;
comment on function private.quota_limits(uuid) is
    'An organization''s limits {members, agents, phone_numbers, datasets, leads, concurrent_calls}: its plan''s, with its overrides; null: unlimited. NULL for an unknown organization.';

create function private.quota_limit(p_organization_id uuid, p_object text) returns integer
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_quotas jsonb := private.quota_limits(p_organization_id);
begin
    if v_quotas is not null and not v_quotas ? p_object then
        raise exception using
            errcode = '22023',
            message = format('there is no quota on %s', p_object);
    end if;
    return (v_quotas ->> p_object)::integer;
end;
$$;
comment on function private.quota_limit(uuid, text) is
    'How many of an object an organization may have; NULL: unlimited, or no such organization. Raises 22023 for an object without a quota.';

create function private.quota_used(p_organization_id uuid, p_object text) returns bigint
    language plpgsql stable
    set search_path = ''
as $$
begin
    return case p_object
        -- An open invitation holds a place, until it becomes the membership of its address.
        when 'members' then (
            select count(*) from public.memberships m where m.organization_id = p_organization_id
        ) + (
            select count(*) from public.invitations i
            where i.organization_id = p_organization_id
                and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
                and not exists (
                    select from public.memberships m
                    join auth.users u on u.id = m.user_id
                    where m.organization_id = p_organization_id and lower(u.email) = i.email
                )
        )
        when 'agents' then (
            select count(*) from public.agents a where a.organization_id = p_organization_id
        )
        when 'phone_numbers' then (
            select count(*) from public.phone_numbers n where n.organization_id = p_organization_id
        )
        when 'datasets' then (
            select count(*) from public.datasets d where d.organization_id = p_organization_id
        )
        -- The counters are exact, and a thousand times fewer rows than the leads.
        when 'leads' then (
            select coalesce(sum(d.total_leads), 0)
            from public.datasets d where d.organization_id = p_organization_id
        )
        when 'concurrent_calls' then (
            select count(*) from public.calls c
            where c.organization_id = p_organization_id
                and c.status in ('ringing', 'in_progress')
                and c.started_at > now() - interval '4 hours'
        )
    end;
end;
$$;
comment on function private.quota_used(uuid, text) is
    'How many of an object an organization has, as its quota counts them; NULL for an object without a quota. Raises nothing.';

create function private.enforce_quota() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_object constant text := tg_argv[0];
    v_organization record;
    v_limit integer;
begin
    for v_organization in
        select distinct n.organization_id as id from new_rows n order by 1
    loop
        v_limit := private.quota_limit(v_organization.id, v_object);
        continue when v_limit is null;
        -- One at a time for an organization and object, until the end of the transaction: two that
        -- take the last place at once both see it free otherwise. The count is a statement of its own,
        -- so it sees what was committed while this one waited.
        perform pg_advisory_xact_lock(hashtextextended(format('quota %s %s', v_object, v_organization.id), 0));
        if private.quota_used(v_organization.id, v_object) > v_limit then
            raise exception using
                errcode = 'PT429',
                message = 'quota_exceeded',
                detail = format(
                    'The plan %s of this organization allows %s %s.',
                    (select o.plan from public.organizations o where o.id = v_organization.id),
                    v_limit, replace(v_object, '_', ' ')
                ),
                hint = 'usage() shows limits and use. Remove what is not needed, or move to a larger plan.';
        end if;
    end loop;
    return null;
end;
$$;
comment on function private.enforce_quota() is
    'AFTER INSERT trigger, once a statement, with the transition table new_rows. Argument: the object, see private.quota. After, because a BEFORE trigger speaks before row level security does, and would tell a stranger whose quota is full. Raises PT429 quota_exceeded.';

create function private.add_quota(target regclass, object text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if object not in ('members', 'agents', 'phone_numbers', 'datasets', 'leads') then
        raise exception using
            errcode = '22023',
            message = format('there is no quota on rows of %s', object);
    end if;
    execute format(
        'create trigger enforce_quota after insert on %s referencing new table as new_rows
            for each statement execute function private.enforce_quota(%L)',
        target, object);
end;
$$;
comment on function private.add_quota(regclass, text) is
    'For migrations, owner only. Holds the inserts into a table to the organization''s quota on an object. On leads its name sorts it behind the triggers that keep the counters it reads. Raises 22023 for an object without a quota.';
select private.add_quota('public.memberships', 'members');
select private.add_quota('public.invitations', 'members');

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

create function private.change_plan(p_organization_id uuid, p_plan text) returns public.organizations
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- The name in S1; the plan is the same.
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

grant execute on function private.usage() to authenticated;
grant execute on function public.usage() to authenticated;
grant execute on function private.change_plan(uuid, text) to service_role;
grant execute on function public.change_plan(uuid, text) to service_role;
