-- The RPC that changes a member's rights.

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
    if not switchboard.json_is_bounded(p_changes, 65536) then
        raise exception using errcode = '22023', message = 'changes must not exceed 64 kB of JSON text';
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
    perform private.assert_known_permissions(v_after.permissions, v_before.permissions);
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
    'Changes a member of the current organization and returns the membership. Raises PT401, PT400, PT403 (members.write; own_membership, role_too_low, capability_not_held, scope_not_held, outlasts_own_membership), 22023 (changes, and each key), PT404 member_not_found, PT409 last_owner.';
grant execute on function private.change_member(uuid, jsonb) to authenticated;
grant execute on function public.change_member(uuid, jsonb) to authenticated;
