-- The RPC that searches all that an organization holds for a phone number.

create function public.find_by_phone(phone_number text) returns table (
    kind text,
    id uuid,
    e164 text,
    name text,
    status text,
    dataset_id uuid,
    created_at timestamptz
)
    language plpgsql stable
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_org uuid := switchboard.require_organization('leads.read');
    v_country text;
    v_candidates text[];
begin
    if coalesce(btrim(find_by_phone.phone_number), '') = '' then
        raise exception using errcode = '22023', message = 'phone_number is required';
    end if;
    select o.default_country into v_country from public.organizations o where o.id = v_org;
    -- As people of the organization's country write it, and as systems do: digits with the country code, without +.
    v_candidates := array_remove(array[
        switchboard.to_e164(find_by_phone.phone_number, v_country),
        case
            when find_by_phone.phone_number ~ '^\s*[1-9][0-9 ().-]{6,}$'
                then switchboard.to_e164('+' || btrim(find_by_phone.phone_number), null)
        end
    ], null);
    if v_candidates = '{}' then
        raise exception using
            errcode = '22023',
            message = format('phone_number is not a phone number: %s', (
                select coalesce(p.reason, 'not_a_number')
                from switchboard.parse_phone(find_by_phone.phone_number, v_country) as p
            )),
            hint = 'Write the whole number, with + and the country code, or as it is dialled in the organization''s country.';
    end if;
    return query
        select f.kind, f.id, f.e164, f.name, f.status, f.dataset_id, f.created_at
        from (
            select 'customer' as kind, c.id, c.phone_number as e164, c.name, null as status,
                null::uuid as dataset_id, c.created_at
            from public.customers c
            where c.organization_id = v_org and c.phone_number = any (v_candidates)
            union all
            select 'lead', l.id, l.phone_number, concat_ws(' ', l.first_name, l.last_name), l.contact_status,
                l.dataset_id, l.created_at
            from public.leads l
            where l.organization_id = v_org and l.phone_number = any (v_candidates)
            union all
            select 'phone_number', n.id, n.phone_number, n.friendly_name, n.status, null, n.created_at
            from public.phone_numbers n
            where n.organization_id = v_org and n.phone_number = any (v_candidates)
        ) as f
        order by f.kind, f.created_at desc, f.id;
end;
$$;
comment on function public.find_by_phone(text) is
    'Everything the caller may see of a phone number in their organization, however it is written; by kind, newest first. Raises PT401, PT400, PT403 (leads.read), 22023 (phone_number missing, or no number: the reason codes of switchboard.parse_phone).';
grant execute on function public.find_by_phone(text) to authenticated;
