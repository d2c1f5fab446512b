-- Memberships: the rule on who may give whom which rights, the triggers that hold it (with
-- switchboard.guard_member), the last owner, dataset scopes, and the RPCs by which members and their
-- organization change. Invitations are in 11_invitation.sql.

create function private.role_rank(role text) returns integer
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select array_position(array['viewer', 'sales_rep', 'manager', 'admin', 'owner'], role);
end;
comment on function private.role_rank(text) is
    'Order of the roles, the owner''s highest; NULL for a name that is no role.';

create function private.member_capabilities(member public.memberships) returns text[]
    language sql immutable
    set search_path = ''
begin atomic
    select switchboard.member_capabilities(
        (member).role, (member).permissions, (member).can_view_all_leads, (member).can_edit_lessons,
        (member).can_push_to_n8n, (member).can_manage_users
    );
end;
comment on function private.member_capabilities(public.memberships) is
    'What a membership gives in an active organization, whoever asks. For comparing what a member may give with what they would give. NULL for no membership.';

create function private.member_refusal(
    actor uuid,
    member_before public.memberships,
    member_after public.memberships
) returns text
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_org uuid := coalesce(member_after.organization_id, member_before.organization_id);
    v_own boolean := coalesce(coalesce(member_after.user_id, member_before.user_id) = actor, false);
    -- A membership that gives nothing today is not what a change can be compared with.
    v_in_force boolean := coalesce(
        member_before.status = 'active' and (member_before.expires_at is null or member_before.expires_at > now()), false
    );
    v_giver public.memberships;
    v_held text[];
begin
    select * into v_giver
    from public.memberships m
    where m.organization_id = v_org and m.user_id = actor
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now());
    v_held := private.member_capabilities(v_giver);
    if v_giver.user_id is null or not 'members.write' = any (v_held) then
        return 'members_write_required';
    end if;
    if v_giver.role <> 'owner' then
        if v_own then
            return 'own_membership';
        end if;
        if greatest(private.role_rank(member_before.role), private.role_rank(member_after.role))
            >= private.role_rank(v_giver.role)
        then
            return 'role_too_low';
        end if;
    end if;

    -- Nothing is given by removing or suspending; what a suspended member keeps is looked at when they return.
    if member_after.organization_id is null or member_after.status = 'suspended' then
        return null;
    end if;
    if v_in_force then
        v_held := v_held || private.member_capabilities(member_before);
    end if;
    if not private.member_capabilities(member_after) <@ v_held then
        return 'capability_not_held';
    end if;
    -- NULL is all datasets.
    if v_giver.allowed_dataset_ids is not null and not (v_in_force and member_before.allowed_dataset_ids is null) then
        if member_after.allowed_dataset_ids is null
            or not member_after.allowed_dataset_ids <@ (
                v_giver.allowed_dataset_ids
                || case when v_in_force then member_before.allowed_dataset_ids else '{}' end
            )
        then
            return 'scope_not_held';
        end if;
    end if;
    -- A membership that ends may not outlive itself under another name.
    if coalesce(member_after.expires_at, 'infinity') > greatest(
        coalesce(v_giver.expires_at, 'infinity'),
        case when v_in_force then coalesce(member_before.expires_at, 'infinity') else '-infinity' end
    ) then
        return 'outlasts_own_membership';
    end if;
    return null;
end;
$$;
comment on function private.member_refusal(uuid, public.memberships, public.memberships) is
    'Why actor may not turn one membership into the other (NULL before: a new one; NULL after: removal), or NULL when they may: an active member with members.write whose role is above the role before and after (an owner: any), who gives no capability, dataset or time beyond their own that the membership does not have already. Codes: members_write_required, own_membership, role_too_low, capability_not_held, scope_not_held, outlasts_own_membership. Does not ask for the organization''s status.';

create function private.raise_member_refusal(code text, state text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if code is null then
        return;
    end if;
    raise exception using
        errcode = state,
        message = code,
        detail = case code
            when 'members_write_required' then 'You do not hold members.write in this organization.'
            when 'own_membership' then 'Nobody changes their own membership.'
            when 'role_too_low' then 'Only roles below your own can be given, changed or taken away; an owner may do all.'
            when 'capability_not_held' then 'The membership would have a capability that you do not hold.'
            when 'scope_not_held' then 'The membership would reach datasets that you do not.'
            when 'outlasts_own_membership' then 'The membership would last longer than yours.'
        end,
        hint = case code
            when 'own_membership' then 'Ask a member with a higher role; leave_organization() and transfer_ownership() are for you.'
            when 'capability_not_held' then 'whoami() lists your capabilities.'
            else 'Ask a member with a higher role.'
        end;
end;
$$;
comment on function private.raise_member_refusal(text, text) is
    'Raises what member_refusal answered with its sentence, and nothing for NULL: PT403 in RPCs, 42501 in switchboard.guard_member.';

create function private.lock_member(organization uuid, member uuid) returns public.memberships
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_member public.memberships;
begin
    -- Everywhere where members are written the organization is locked first, so nobody waits for each other in a circle.
    perform from public.organizations o where o.id = organization for no key update;
    select * into v_member
    from public.memberships m where m.organization_id = organization and m.user_id = member
    for update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'member_not_found',
            detail = 'The organization has no member with this user id.';
    end if;
    return v_member;
end;
$$;
comment on function private.lock_member(uuid, uuid) is
    'A membership, locked with its organization until the transaction ends. For RPC bodies that change or end it. Raises PT404 member_not_found.';

create function private.may_become_member(member public.memberships) returns boolean
    language sql volatile
    set search_path = ''
begin atomic
    select
        -- The founder. created_at is the transaction's time and never changes.
        (member).role = 'owner'
        and exists (
            select from public.organizations o where o.id = (member).organization_id and o.created_at = now()
        )
        and not exists (select from public.memberships m where m.organization_id = (member).organization_id)
        -- Whoever accepted, in this transaction, an invitation that offers exactly this.
        or exists (
            select from public.invitations i
            where i.organization_id = (member).organization_id
                and i.accepted_by = (member).user_id and i.accepted_at = now()
                and i.role = (member).role and (member).status = 'active'
                and i.permissions = (member).permissions
                and i.can_view_all_leads = (member).can_view_all_leads
                and i.can_edit_lessons = (member).can_edit_lessons
                and i.can_push_to_n8n = (member).can_push_to_n8n
                and i.can_manage_users = (member).can_manage_users
                and i.allowed_dataset_ids is not distinct from (member).allowed_dataset_ids
                and i.membership_expires_at is not distinct from (member).expires_at
        );
end;
comment on function private.may_become_member(public.memberships) is
    'For switchboard.guard_member: whether a user may make this membership of their own, as founder of an organization made in this transaction or by an invitation accepted in it.';

create function private.datasets_are_deleted(organization uuid, datasets uuid[]) returns boolean
    language plpgsql volatile
    set search_path = ''
as $$
begin
    return not exists (
        select from public.datasets d where d.organization_id = organization and d.id = any (datasets)
    );
end;
$$;
comment on function private.datasets_are_deleted(uuid, uuid[]) is
    'Whether the organization has none of these datasets. plpgsql, because the table is made in a later file.';

create function private.same_rights(member_before public.memberships, member_after public.memberships) returns boolean
    language sql volatile
    set search_path = ''
begin atomic
    select (
            (member_before).role, (member_before).status, (member_before).permissions,
            (member_before).can_view_all_leads, (member_before).can_edit_lessons, (member_before).can_push_to_n8n,
            (member_before).can_manage_users, (member_before).expires_at
        ) is not distinct from (
            (member_after).role, (member_after).status, (member_after).permissions,
            (member_after).can_view_all_leads, (member_after).can_edit_lessons, (member_after).can_push_to_n8n,
            (member_after).can_manage_users, (member_after).expires_at
        )
        and (
            (member_before).allowed_dataset_ids is not distinct from (member_after).allowed_dataset_ids
            or (member_after).allowed_dataset_ids <@ (member_before).allowed_dataset_ids
            and private.datasets_are_deleted(
                (member_before).organization_id,
                array(
                    select d from unnest((member_before).allowed_dataset_ids) as d
                    where d <> all ((member_after).allowed_dataset_ids)
                )
            )
        );
end;
comment on function private.same_rights(public.memberships, public.memberships) is
    'For switchboard.guard_member: whether an update leaves the rights as they are, dataset scopes that lose a deleted dataset included.';

create function private.keep_last_owner() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    if not exists (select from public.organizations o where o.id = old.organization_id) then
        return null;
    end if;
    -- Held until the end: nobody who counts here goes meanwhile, and a transaction that reads from an older snapshot
    -- (REPEATABLE READ) gets 40001 instead of counting somebody who has gone.
    perform from public.memberships m
        where m.organization_id = old.organization_id and m.role = 'owner' and m.status = 'active'
        order by m.user_id
        for share;
    if not found then
        raise exception using
            errcode = 'PT409',
            message = 'last_owner',
            detail = 'An organization keeps at least one active owner.',
            hint = 'Make somebody else an owner first, by transfer_ownership or change_member, or cancel and delete the organization.';
    end if;
    return null;
end;
$$;
comment on function private.keep_last_owner() is
    'Constraint trigger on memberships after an active owner went, was demoted or suspended: raises PT409 last_owner when none is left. Not when the organization itself is deleted. Definer, because the trigger may fire for Supabase Auth, which deletes a user and may not read the table.';

create trigger guard_member
    before insert or update or delete on public.memberships
    for each row execute function switchboard.guard_member();
create constraint trigger last_owner_update
    after update on public.memberships
    for each row when (
        old.role = 'owner' and old.status = 'active' and (new.role <> 'owner' or new.status <> 'active')
    )
    execute function private.keep_last_owner();
create constraint trigger last_owner_delete
    after delete on public.memberships
    for each row when (old.role = 'owner' and old.status = 'active')
    execute function private.keep_last_owner();

create function private.check_dataset_scope() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
declare
    max_datasets constant integer := 1000;
    v_added uuid[] := new.allowed_dataset_ids;
    v_found integer;
begin
    if array_ndims(new.allowed_dataset_ids) > 1 or cardinality(new.allowed_dataset_ids) > max_datasets then
        raise exception using
            errcode = '22023',
            message = format('allowed_dataset_ids must be a list of at most %s datasets', max_datasets);
    end if;
    if (select count(distinct d) from unnest(new.allowed_dataset_ids) as d) <> cardinality(new.allowed_dataset_ids) then
        raise exception using errcode = '22023', message = 'allowed_dataset_ids must name each dataset once, and no null';
    end if;
    if tg_op = 'UPDATE' then
        v_added := array(select d from unnest(new.allowed_dataset_ids) as d where d <> all (coalesce(old.allowed_dataset_ids, '{}')));
    end if;
    -- Locked, so that none of them is deleted before this row is there to be corrected.
    perform from public.datasets d
        where d.organization_id = new.organization_id and d.id = any (v_added)
        order by d.id
        for key share;
    get diagnostics v_found = row_count;
    if v_found <> cardinality(v_added) then
        raise exception using
            errcode = '22023',
            message = 'allowed_dataset_ids names a dataset that the organization does not have';
    end if;
    return new;
end;
$$;
comment on function private.check_dataset_scope() is
    'BEFORE INSERT OR UPDATE trigger: allowed_dataset_ids holds datasets of the row''s organization, each once, at most 1,000. Raises 22023 naming the column.';

create trigger check_dataset_scope
    before insert or update of allowed_dataset_ids on public.memberships
    for each row when (new.allowed_dataset_ids is not null) execute function private.check_dataset_scope();
create trigger check_dataset_scope
    before insert or update of allowed_dataset_ids on public.invitations
    for each row when (new.allowed_dataset_ids is not null) execute function private.check_dataset_scope();

create function private.remove_datasets_from_scopes() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- array(…) of nothing is '{}', no dataset; NULL would be all of them.
    update public.memberships m
    set allowed_dataset_ids = array(
        select d from unnest(m.allowed_dataset_ids) with ordinality as s (d, n) where d <> all (gone.ids) order by n
    )
    from (select r.organization_id, array_agg(r.id) as ids from old_rows r group by r.organization_id) as gone
    where m.organization_id = gone.organization_id and m.allowed_dataset_ids && gone.ids;

    update public.invitations i
    set allowed_dataset_ids = array(
        select d from unnest(i.allowed_dataset_ids) with ordinality as s (d, n) where d <> all (gone.ids) order by n
    )
    from (select r.organization_id, array_agg(r.id) as ids from old_rows r group by r.organization_id) as gone
    where i.organization_id = gone.organization_id and i.allowed_dataset_ids && gone.ids;
    return null;
end;
$$;
comment on function private.remove_datasets_from_scopes() is
    'AFTER DELETE statement trigger on datasets (transition table old_rows): takes deleted datasets out of members'' and invitations'' scopes. Definer, because whoever deletes a dataset need not be above every member. Raises nothing.';

create function private.switch_organization(p_organization_id uuid) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    if p_organization_id is not null and not exists (
        select from public.memberships m
        where m.organization_id = p_organization_id and m.user_id = v_uid
            and p_organization_id = any (switchboard.organization_ids())
    ) then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'You are not an active member of this organization.',
            hint = 'my_organizations() lists yours.';
    end if;
    insert into public.profiles (id, default_organization_id)
    select u.id, p_organization_id from auth.users u where u.id = v_uid
    on conflict (id) do update set default_organization_id = excluded.default_organization_id;
    return switchboard.request_context();
end;
$$;
comment on function private.switch_organization(uuid) is
    'Body of public.switch_organization; see there. Definer, because the column is granted to nobody.';

create function public.switch_organization(organization_id uuid) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.switch_organization(organization_id);
end;
comment on function public.switch_organization(uuid) is
    'Sets the organization that the caller works for when a request names none by header or claim; null clears it. Returns what whoami() now says, for a request like this one: a header or a claim that names another organization still decides, so refresh the token. Raises PT401, PT403 forbidden (also for an organization that does not exist).';

create function private.my_organizations() returns table (
    organization_id uuid,
    name text,
    slug text,
    organization_status text,
    role text,
    status text,
    expires_at timestamptz,
    is_current boolean,
    reason text
)
    language plpgsql stable security definer
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_uid uuid := switchboard.require_user_id();
    v_current uuid := switchboard.current_organization_id();
begin
    return query
        select m.organization_id, o.name, o.slug, o.status, m.role, m.status, m.expires_at,
            coalesce(m.organization_id = v_current, false),
            case
                when m.status <> 'active' then m.status
                when m.expires_at <= now() then 'expired'
                when o.status = 'cancelled' and m.role not in ('owner', 'admin') then 'organization_cancelled'
            end
        from public.memberships m
        join public.organizations o on o.id = m.organization_id
        where m.user_id = v_uid
        order by o.name, m.organization_id;
end;
$$;
comment on function private.my_organizations() is
    'Body of public.my_organizations; see there. Definer, because an organization in which one is suspended is not readable.';

create function public.my_organizations() returns table (
    organization_id uuid,
    name text,
    slug text,
    organization_status text,
    role text,
    status text,
    expires_at timestamptz,
    is_current boolean,
    reason text
)
    language sql stable
    set search_path = ''
begin atomic
    select * from private.my_organizations();
end;
comment on function public.my_organizations() is
    'The caller''s memberships, by organization name, those that give nothing included; reason says why: invited, suspended, expired, organization_cancelled, or NULL. is_current: the one that this request works for. Raises PT401.';

create function private.is_future(instant text) returns boolean
    language plpgsql stable strict
    set search_path = ''
as $$
begin
    -- With the zone written out: otherwise the session's would decide.
    return instant ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+ ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$' and instant::timestamptz > now();
exception
    when data_exception then
        return false;
end;
$$;
comment on function private.is_future(text) is
    'Whether the text is an ISO 8601 instant with its offset, later than now. Raises nothing.';

create function private.change_member(p_user_id uuid, p_changes jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('members.write');
    v_uid uuid := switchboard.require_user_id();
    v_key text;
    v_value jsonb;
    v_problem text;
    v_changes jsonb := p_changes;
    v_before public.memberships;
    v_after public.memberships;
begin
    if p_changes is null or jsonb_typeof(p_changes) <> 'object' or p_changes = '{}' then
        raise exception using errcode = '22023', message = 'changes must be a JSON object with at least one change';
    end if;
    for v_key, v_value in select c.key, c.value from jsonb_each(p_changes) as c loop
        v_problem := case
            when v_key = 'role' then
                case when private.role_rank(v_value #>> '{}') is null or jsonb_typeof(v_value) <> 'string'
                    then 'one of owner, admin, manager, sales_rep, viewer' end
            when v_key = 'status' then
                case when v_value not in ('"active"', '"suspended"') then 'active or suspended' end
            when v_key = 'permissions' then
                case when jsonb_typeof(v_value) <> 'object' then 'a JSON object' end
            when v_key in ('can_view_all_leads', 'can_edit_lessons', 'can_push_to_n8n', 'can_manage_users') then
                case when jsonb_typeof(v_value) <> 'boolean' then 'true or false' end
            when v_key = 'allowed_dataset_ids' then
                case
                    when jsonb_typeof(v_value) = 'null' then null
                    when jsonb_typeof(v_value) <> 'array' or exists (
                        select from jsonb_array_elements(
                            case when jsonb_typeof(v_value) = 'array' then v_value else '[]' end
                        ) as e
                        where jsonb_typeof(e) <> 'string'
                            or e #>> '{}' !~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'
                    ) then 'null or an array of dataset ids'
                end
            when v_key = 'expires_at' then
                case
                    when jsonb_typeof(v_value) = 'null' then null
                    when jsonb_typeof(v_value) <> 'string' or not private.is_future(v_value #>> '{}')
                        then 'null or an instant in the future'
                end
            else 'left out: it is unknown or not for changing'
        end;
        if v_problem is not null then
            raise exception using
                errcode = '22023',
                message = format('%s must be %s', left(v_key, 100), v_problem),
                hint = 'changes: role, status, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n, can_manage_users, allowed_dataset_ids, expires_at.';
        end if;
    end loop;
    perform switchboard.assert_permissions(p_changes -> 'permissions');

    v_before := private.lock_member(v_org, p_user_id);
    if p_changes ->> 'role' = 'owner' then
        -- An owner has all of it; what a former role was limited by goes.
        v_changes := '{"permissions": {}, "allowed_dataset_ids": null, "expires_at": null}' || p_changes;
    end if;
    v_after := jsonb_populate_record(v_before, v_changes);
    if v_after.role = 'owner' and (
        v_after.permissions <> '{}' or v_after.allowed_dataset_ids is not null or v_after.expires_at is not null
    ) then
        raise exception using
            errcode = '22023',
            message = 'an owner has all capabilities, all datasets and no end: leave out permissions, allowed_dataset_ids and expires_at';
    end if;
    perform private.raise_member_refusal(private.member_refusal(v_uid, v_before, v_after), 'PT403');
    update public.memberships m
    set role = v_after.role, status = v_after.status, permissions = v_after.permissions,
        can_view_all_leads = v_after.can_view_all_leads, can_edit_lessons = v_after.can_edit_lessons,
        can_push_to_n8n = v_after.can_push_to_n8n, can_manage_users = v_after.can_manage_users,
        allowed_dataset_ids = v_after.allowed_dataset_ids, expires_at = v_after.expires_at
    where m.organization_id = v_org and m.user_id = p_user_id
    returning * into v_after;
    return to_jsonb(v_after);
end;
$$;
comment on function private.change_member(uuid, jsonb) is
    'Body of public.change_member; see there. Definer, because memberships are written by RPC only.';

create function public.change_member(user_id uuid, changes jsonb) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.change_member(user_id, changes);
end;
comment on function public.change_member(uuid, jsonb) is
    'Changes a member of the current organization and returns the membership. changes: any of role, status (active, suspended), permissions (replaced as a whole), can_view_all_leads, can_edit_lessons, can_push_to_n8n, can_manage_users, allowed_dataset_ids (null: all, []: none), expires_at (ISO 8601 with offset, null: never). Who becomes an owner loses limits. Raises PT401, PT400, PT403 (members.write; own_membership, role_too_low, capability_not_held, scope_not_held, outlasts_own_membership), 22023 (changes, and each key), PT404 member_not_found, PT409 last_owner.';

create function private.remove_member(p_user_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('members.write');
    v_uid uuid := switchboard.require_user_id();
    v_member public.memberships;
begin
    if p_user_id = v_uid then
        perform private.raise_member_refusal('own_membership', 'PT403');
    end if;
    v_member := private.lock_member(v_org, p_user_id);
    perform private.raise_member_refusal(private.member_refusal(v_uid, v_member, null), 'PT403');
    delete from public.memberships m where m.organization_id = v_org and m.user_id = p_user_id;
end;
$$;
comment on function private.remove_member(uuid) is
    'Body of public.remove_member; see there. Definer, because memberships are written by RPC only.';

create function public.remove_member(user_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.remove_member(user_id);
end;
comment on function public.remove_member(uuid) is
    'Ends somebody''s membership of the current organization, from their next statement; their leads are left without assignee. Raises PT401, PT400, PT403 (members.write; own_membership, role_too_low), PT404 member_not_found.';

create function private.leave_organization(p_organization_id uuid) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_uid uuid := switchboard.require_user_id();
begin
    -- Only a member locks it: a stranger finds the same nothing for an organization that exists and one that does not.
    perform from public.organizations o
        where o.id = p_organization_id and exists (
            select from public.memberships m where m.organization_id = o.id and m.user_id = v_uid
        )
        for no key update;
    delete from public.memberships m where m.organization_id = p_organization_id and m.user_id = v_uid;
    if not found then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'You are not a member of this organization.',
            hint = 'my_organizations() lists yours.';
    end if;
end;
$$;
comment on function private.leave_organization(uuid) is
    'Body of public.leave_organization; see there. Definer, because memberships are written by RPC only.';

create function public.leave_organization(organization_id uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.leave_organization(organization_id);
end;
comment on function public.leave_organization(uuid) is
    'Ends the caller''s own membership, whatever its status and the organization''s. The organization is named, because leaving the wrong one cannot be undone. Raises PT401, PT403 forbidden (not a member, or no such organization), PT409 last_owner.';

create function private.transfer_ownership(p_user_id uuid) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('organization.transfer');
    v_uid uuid := switchboard.require_user_id();
    v_heir public.memberships;
begin
    if p_user_id = v_uid then
        raise exception using errcode = '22023', message = 'user_id must be another member''s';
    end if;
    perform from public.organizations o where o.id = v_org for no key update;
    -- The heir first: at no moment is there no owner, and only an owner makes one.
    update public.memberships m
    set role = 'owner', permissions = '{}', allowed_dataset_ids = null, expires_at = null
    where m.organization_id = v_org and m.user_id = p_user_id
        and m.status = 'active' and (m.expires_at is null or m.expires_at > now())
    returning * into v_heir;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'member_not_found',
            detail = 'The organization has no active member with this user id.';
    end if;
    update public.memberships m set role = 'admin' where m.organization_id = v_org and m.user_id = v_uid;
    return to_jsonb(v_heir);
end;
$$;
comment on function private.transfer_ownership(uuid) is
    'Body of public.transfer_ownership; see there. Definer, because memberships are written by RPC only.';

create function public.transfer_ownership(user_id uuid) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.transfer_ownership(user_id);
end;
comment on function public.transfer_ownership(uuid) is
    'Makes an active member of the current organization an owner and the caller, an owner, an admin; returns the new owner''s membership. Raises PT401, PT400, PT403 (organization.transfer), 22023 (user_id is the caller''s own), PT404 member_not_found.';

create function private.require_owner() returns uuid
    language plpgsql stable
    set search_path = ''
as $$
declare
    -- The organization.read that an owner holds in every status: a paused or cancelled organization masks the rest.
    v_org uuid := switchboard.require_organization('organization.read');
    v_uid uuid := switchboard.require_user_id();
begin
    if not exists (
        select from public.memberships m
        where m.organization_id = v_org and m.user_id = v_uid
            and m.role = 'owner' and m.status = 'active'
    ) then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'Only an owner may do this.',
            hint = 'whoami() says which role you have.';
    end if;
    return v_org;
end;
$$;
comment on function private.require_owner() is
    'The current organization, of which the caller is an active owner, in whatever status it is. Reads the membership, because a capability such as organization.delete is masked while the organization is paused or cancelled. Raises PT401, PT400, PT403.';

create function private.set_organization_status(p_status text) returns public.organizations
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_service boolean := coalesce(switchboard.request_role() = 'service_role', false);
    v_org uuid := case when v_service then switchboard.require_organization('organization.write') else private.require_owner() end;
    v_row public.organizations;
begin
    if p_status is null or p_status not in ('active', 'paused', 'cancelled') then
        raise exception using errcode = '22023', message = 'status must be one of active, paused, cancelled';
    end if;
    select * into v_row from public.organizations o where o.id = v_org for no key update;
    if v_row.status = 'cancelled' and p_status <> 'cancelled' and not v_service then
        raise exception using
            errcode = 'PT409',
            message = 'organization_cancelled',
            detail = 'A cancelled organization is not resumed by its owner.',
            hint = 'Ask support.';
    end if;
    update public.organizations o set status = p_status where o.id = v_org and o.status <> p_status returning * into v_row;
    if not found then
        select * into v_row from public.organizations o where o.id = v_org;
    end if;
    return v_row;
end;
$$;
comment on function private.set_organization_status(text) is
    'Body of public.set_organization_status; see there. Definer, because status is granted to nobody.';

create function public.set_organization_status(status text) returns public.organizations
    language sql volatile
    set search_path = ''
begin atomic
    select private.set_organization_status(status);
end;
comment on function public.set_organization_status(text) is
    'An owner pauses (paused), resumes (active) or cancels (cancelled) the current organization; returns its row. It works while the organization is paused, although that masks every capability to write. Out of cancelled only the service role leads, with the organization in the header x-organization-id. Raises PT401, PT400, PT403 (not an owner), 22023 (status), PT409 organization_cancelled.';

create function private.delete_organization(p_confirm_slug text) returns void
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := private.require_owner();
    v_row public.organizations;
begin
    perform switchboard.require_user_id();
    select * into v_row from public.organizations o where o.id = v_org for update;
    if p_confirm_slug is distinct from v_row.slug then
        raise exception using
            errcode = '22023',
            message = 'confirm_slug must be the slug of the organization',
            hint = 'Deleting removes every row of the organization; ask the person to type its slug.';
    end if;
    if v_row.status <> 'cancelled' then
        raise exception using
            errcode = 'PT409',
            message = 'organization_not_cancelled',
            detail = 'Only a cancelled organization can be deleted.',
            hint = 'Call set_organization_status(''cancelled'') first.';
    end if;
    delete from public.organizations o where o.id = v_org;
end;
$$;
comment on function private.delete_organization(text) is
    'Body of public.delete_organization; see there. Definer, because no API role deletes organizations.';

create function public.delete_organization(confirm_slug text) returns void
    language sql volatile
    set search_path = ''
begin atomic
    select private.delete_organization(confirm_slug);
end;
comment on function public.delete_organization(text) is
    'An owner deletes the current organization, which must be cancelled, with everything in it. confirm_slug: its slug, typed by a person. It asks for the owner''s role and not for organization.delete, which a cancelled organization masks. Raises PT401, PT400, PT403 (not an owner), 22023 (confirm_slug), PT409 organization_not_cancelled.';

grant execute on function private.switch_organization(uuid) to authenticated;
grant execute on function public.switch_organization(uuid) to authenticated;
grant execute on function private.my_organizations() to authenticated;
grant execute on function public.my_organizations() to authenticated;
grant execute on function private.change_member(uuid, jsonb) to authenticated;
grant execute on function public.change_member(uuid, jsonb) to authenticated;
grant execute on function private.remove_member(uuid) to authenticated;
grant execute on function public.remove_member(uuid) to authenticated;
grant execute on function private.leave_organization(uuid) to authenticated;
grant execute on function public.leave_organization(uuid) to authenticated;
grant execute on function private.transfer_ownership(uuid) to authenticated;
grant execute on function public.transfer_ownership(uuid) to authenticated;
grant execute on function private.set_organization_status(text) to authenticated, service_role;
grant execute on function public.set_organization_status(text) to authenticated, service_role;
grant execute on function private.delete_organization(text) to authenticated;
grant execute on function public.delete_organization(text) to authenticated;
