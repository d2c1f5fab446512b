-- The tenant functions that raise, and the trigger that guards rows. They are plpgsql because PostgREST's SQLSTATEs
-- (PTnnn → HTTP nnn) are not among the codes that a native function can name, and because none runs for every row of
-- a large table: require_* once per RPC, guard_row only to refuse.

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
comment on function switchboard.require_user_id() is
    'The signed-in user''s id. Raises PT401 (HTTP 401) when nobody is signed in.';

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
comment on function switchboard.require_organization(text) is
    'The current organization. Raises PT401 when nobody is signed in, PT400 when the request does not say which organization, PT403 when the caller is no member of it or lacks the capability; unknown organizations get the same answer.';

create function switchboard.refuse_insert(organization_id uuid, capability text) returns boolean
language plpgsql stable parallel restricted cost 10
set search_path = ''
as $$
declare
    reason text := switchboard.request_context() ->> 'reason';
begin
    if organization_id is null and reason in ('organization_required', 'malformed', 'headers_disagree') then
        perform switchboard.require_organization(capability);
    end if;
    if switchboard.is_member(organization_id) then
        raise exception using
            errcode = '42501',
            message = 'forbidden',
            detail = case when switchboard.has_capability(organization_id, capability)
                then 'The row belongs to a dataset or a member that is not yours to write for.'
                else format('You do not hold %s in this organization.', capability)
            end,
            hint = 'whoami() lists your organizations and capabilities.';
    end if;
    return false;
end;
$$;
comment on function switchboard.refuse_insert(uuid, text) is
    'The last arm of an insert policy: false, or the reason where that tells nothing of other tenants. Raises PT400 when the row and the request name no organization (organization_required, malformed, headers_disagree), 42501 forbidden in an organization of the caller''s.';

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
comment on function switchboard.guard_row() is
    'Trigger, BEFORE UPDATE FOR EACH ROW; its WHEN clause compares the guarded columns, so an ordinary update does not call it. Argument: those columns, for the message. Column grants refuse the API roles already; this also holds for service_role, the owner and a member of two organizations. Raises 42501.';
