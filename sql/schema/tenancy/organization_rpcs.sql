-- RPCs by which an organization is made, paused, cancelled and deleted.

create function private.create_organization(
    p_name text,
    p_slug text,
    p_default_country text,
    p_timezone text
) returns public.organizations
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- Far above what a person needs, far below what hurts.
    max_owned constant integer := 20;
    v_uid uuid := (private.require_person()).id;
    v_name text := btrim(p_name);
    v_slug text := lower(btrim(p_slug));
    v_row public.organizations;
begin
    if v_name is null or v_name = '' or length(v_name) > 200 then
        raise exception using
            errcode = '22023',
            message = 'name must have 1 to 200 characters';
    end if;
    if v_slug is not null and v_slug !~ '^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$' then
        raise exception using
            errcode = '22023',
            message = 'slug must have 3 to 63 characters a-z, 0-9 and hyphen, and begin and end without a hyphen';
    end if;
    if p_default_country is null
        or p_default_country !~ '^[A-Z]{2}$'
        or switchboard.calling_code(p_default_country) is null
    then
        raise exception using
            errcode = '22023',
            message = 'default_country must be a two-letter country code such as GB';
    end if;
    if p_timezone is null or not private.is_time_zone(p_timezone) then
        raise exception using
            errcode = '22023',
            message = 'timezone must be a name of the tz database such as Europe/London, or UTC';
    end if;

    perform pg_advisory_xact_lock(hashtextextended('create_organization ' || v_uid, 0));
    if (
        select count(*) from public.memberships m
        where m.user_id = v_uid and m.role = 'owner'
    ) >= max_owned then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_organizations',
            detail = format('One user can own at most %s organizations.', max_owned);
    end if;

    if v_slug is null then
        v_slug := trim('-' from left(regexp_replace(lower(v_name), '[^a-z0-9]+', '-', 'g'), 50));
        if length(v_slug) < 3 or exists (select from public.organizations o where o.slug = v_slug) then
            v_slug := trim('-' from v_slug || '-' || left(replace(gen_random_uuid()::text, '-', ''), 8));
        end if;
    end if;

    begin
        insert into public.organizations (name, slug, default_country, timezone)
        values (v_name, v_slug, p_default_country, p_timezone)
        returning * into v_row;
    exception
        when unique_violation then
            raise exception using
                errcode = 'PT409',
                message = 'slug_taken',
                detail = format('The slug %s is taken.', v_slug),
                hint = 'Choose another slug.';
    end;
    insert into public.memberships (organization_id, user_id, role)
    values (v_row.id, v_uid, 'owner');
    return v_row;
end;
$$;
comment on function private.create_organization(text, text, text, text) is
    'Body of public.create_organization; see there.';

create function public.create_organization(
    name text,
    slug text default null,
    default_country text default 'GB',
    timezone text default 'Europe/London'
) returns public.organizations
    language sql volatile
    set search_path = ''
begin atomic
    select private.create_organization(name, slug, default_country, timezone);
end;
comment on function public.create_organization(text, text, text, text) is
    'Makes an organization with the caller as its owner and returns its row. slug: 3 to 63 of a-z, 0-9, hyphen; made from the name when absent. default_country: two-letter code; timezone: tz database name. Raises PT401 (no identity, unknown_user), PT403 anonymous_user, 22023 (name, slug, default_country, timezone), PT409 slug_taken, PT429 too_many_organizations.';
grant execute on function private.create_organization(text, text, text, text) to authenticated;
grant execute on function public.create_organization(text, text, text, text) to authenticated;

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
grant execute on function private.set_organization_status(text) to authenticated, service_role;
grant execute on function public.set_organization_status(text) to authenticated, service_role;

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
grant execute on function private.delete_organization(text) to authenticated;
grant execute on function public.delete_organization(text) to authenticated;
