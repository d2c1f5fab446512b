-- How quotas are asked and held: limits from the plan and its overrides, use from private.quotas, a trigger where rows
-- are made. route_inbound_call holds the one on calls.

create function private.quota_limit(organization uuid, quota text) returns integer
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_limit integer;
begin
    v_limit := coalesce(
        (
            select v.max_count from public.plan_overrides v
            where v.organization_id = quota_limit.organization and v.quota = quota_limit.quota
        ),
        (
            select l.max_count from public.organizations o
            join public.plan_limits l on l.plan = o.plan and l.quota = quota_limit.quota
            where o.id = quota_limit.organization
        )
    );
    if v_limit is null and not exists (select from private.quotas q where q.name = quota_limit.quota) then
        raise exception using
            errcode = '22023',
            message = format('there is no quota on %s', quota_limit.quota);
    end if;
    return nullif(v_limit, -1);
end;
$$;
comment on function private.quota_limit(uuid, text) is
    'How many of a quota an organization may have: its plan''s limit, or its override; NULL: unlimited, or no such organization. Raises 22023 for an unknown quota.';

create function private.quota_limits(organization uuid) returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select jsonb_object_agg(q.name, private.quota_limit(o.id, q.name))
        from public.organizations o
        cross join private.quotas q
        where o.id = organization;
end;
comment on function private.quota_limits(uuid) is
    'An organization''s limits {quota: number}; null: unlimited. NULL for an unknown organization.';

create function private.quota_used(organization uuid, quota text) returns bigint
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_query text;
    v_count bigint;
begin
    select q.counted_by into v_query from private.quotas q where q.name = quota;
    if found then
        execute v_query into v_count using organization;
        -- Without a number no limit would hold.
        if v_count is null then
            raise exception using
                errcode = '22023',
                message = format('the query of the quota on %s answers no number', quota),
                hint = 'private.quotas.counted_by answers one for every organization, 0 for one that has nothing.';
        end if;
    end if;
    return v_count;
end;
$$;
comment on function private.quota_used(uuid, text) is
    'How many an organization has of a quota, as private.quotas counts it; NULL for an unknown quota. Raises 22023 where its query answers no number.';

create function private.enforce_quota() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_quota constant text := tg_argv[0];
    v_organization record;
    v_limit integer;
begin
    for v_organization in
        select distinct n.organization_id as id from new_rows n order by 1
    loop
        v_limit := private.quota_limit(v_organization.id, v_quota);
        continue when v_limit is null;
        -- One at a time for an organization and quota, until the end of the transaction: two that
        -- take the last place at once both see it free otherwise. The count is a statement of its own,
        -- so it sees what was committed while this one waited.
        perform pg_advisory_xact_lock(hashtextextended(format('quota %s %s', v_quota, v_organization.id), 0));
        if private.quota_used(v_organization.id, v_quota) > v_limit then
            raise exception using
                errcode = 'PT429',
                message = 'quota_exceeded',
                detail = format(
                    'The plan %s of this organization allows %s %s.',
                    (select o.plan from public.organizations o where o.id = v_organization.id),
                    v_limit, replace(v_quota, '_', ' ')
                ),
                hint = 'usage() shows limits and use. Remove what is not needed, or move to a larger plan.';
        end if;
    end loop;
    return null;
end;
$$;
comment on function private.enforce_quota() is
    'AFTER INSERT trigger, once a statement, with the transition table new_rows; its argument is the quota. After, because a BEFORE trigger speaks before row level security does, and would tell a stranger whose quota is full. Raises PT429 quota_exceeded.';

create function private.add_quota(target regclass, quota text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if not exists (select from private.quotas q where q.name = quota) then
        raise exception using
            errcode = '22023',
            message = format('there is no quota on %s', quota),
            hint = 'Insert it into private.quotas first, and its limits into plan_limits.';
    end if;
    -- Behind the triggers count_…, by its name: what they keep is what some quotas are counted by.
    execute format(
        'create trigger enforce_quota after insert on %s referencing new table as new_rows
            for each statement execute function private.enforce_quota(%L)',
        target, quota);
end;
$$;
comment on function private.add_quota(regclass, text) is
    'For migrations, owner only. Holds the inserts into a table with organization_id to a quota of private.quotas. Raises 22023 for an unknown quota.';
