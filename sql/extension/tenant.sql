-- The tenant functions that raise, and the triggers that guard rows. They are plpgsql because PostgREST's SQLSTATEs
-- (PTnnn → HTTP nnn) are not among the codes that a native function can name, and because none runs for every row of
-- a large table: require_* once per RPC, guard_row only to refuse, guard_member when somebody's rights change.

create function switchboard.require_user_id() returns uuid
language plpgsql stable parallel restricted cost 10
set search_path = ''
as $$
declare
    uid uuid := switchboard.user_id();
begin
    if uid is null then
        raise exception using
            errcode = 'PT401',
            message = 'no_identity',
            detail = 'The request carries no token of a signed-in user.',
            hint = 'Sign in and send the access token.';
    end if;
    return uid;
end;
$$;

create function switchboard.require_organization(capability text) returns uuid
language plpgsql stable parallel restricted strict cost 10
set search_path = ''
as $$
declare
    organization_id uuid := switchboard.organization_for(capability);
    context jsonb;
begin
    if organization_id is not null then
        return organization_id;
    end if;
    context := switchboard.request_context();
    if context ->> 'reason' = 'no_identity' then
        perform switchboard.require_user_id();
    end if;
    if context ->> 'reason' in ('organization_required', 'malformed', 'headers_disagree')
        or (context ->> 'reason' is null and context ->> 'organization_id' is null) then
        raise exception using
            errcode = 'PT400',
            message = coalesce(context ->> 'reason', 'organization_required'),
            detail = 'The request does not say which organization it is for.',
            hint = 'Send the header x-organization-id with the id of one of your organizations.';
    end if;
    raise exception using
        errcode = 'PT403',
        message = 'forbidden',
        detail = format('You do not hold %s in this organization.', capability),
        hint = 'whoami() lists your organizations and capabilities.';
end;
$$;

create function switchboard.guard_row() returns trigger
language plpgsql volatile
set search_path = ''
as $$
begin
    raise exception using
        errcode = '42501',
        message = format('%s of a row in %I never change', tg_argv[0], tg_table_name),
        hint = 'Insert a new row instead.';
end;
$$;

-- The one place that decides who may write public.memberships on whose behalf. It runs as the tables' owner: no API role
-- has a grant on the table, RPC bodies and foreign key actions act as the owner. private.member_refusal holds the rule
-- that RPCs ask before they write; what follows here is what is allowed besides, told from the data alone.
create function switchboard.guard_member() returns trigger
language plpgsql volatile
set search_path = ''
as $$
declare
    actor uuid := switchboard.user_id();
    -- Both NULL or of the table's row type, which a bare OLD or NEW is not in every case.
    member_before public.memberships;
    member_after public.memberships;
begin
    if tg_op <> 'INSERT' then
        member_before := old;
    end if;
    if tg_op <> 'DELETE' then
        member_after := new;
    end if;

    -- Owners go one at a time, so that the last of two sees the other gone: private.keep_last_owner counts after this.
    if member_before.role = 'owner' and member_before.status = 'active'
        and (tg_op = 'DELETE' or member_after.role <> 'owner' or member_after.status <> 'active')
    then
        perform from public.organizations o where o.id = member_before.organization_id for no key update;
    end if;

    if actor is null then
        -- Migrations, the owner's own statements and the service role.
        null;
    elsif tg_op = 'DELETE' and (
        actor = member_before.user_id
        or not exists (select from public.organizations o where o.id = member_before.organization_id)
        or not exists (select from auth.users u where u.id = member_before.user_id)
    ) then
        -- Leaving, or the cascade of a deleted organization or user.
        null;
    elsif tg_op = 'INSERT' and actor = member_after.user_id and private.may_become_member(member_after) then
        null;
    elsif tg_op = 'UPDATE' and private.same_rights(member_before, member_after) then
        null;
    else
        perform private.raise_member_refusal(coalesce(
            private.member_refusal(actor, member_before, member_after),
            case when not coalesce(
                switchboard.has_capability(coalesce(member_after.organization_id, member_before.organization_id), 'members.write'),
                false
            ) then 'members_write_required' end
        ), '42501');
    end if;
    return coalesce(new, old);
end;
$$;
