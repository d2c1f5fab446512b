-- The RPC that searches all that an organization holds for a phone number.

create function private.find_by_phone(p_org uuid, p_numbers text[]) returns table (
    kind text,
    id uuid,
    e164 text,
    name text,
    status text,
    dataset_id uuid,
    created_at timestamptz
)
    language sql stable
    set search_path = ''
begin atomic
    select f.kind, f.id, f.e164, f.name, f.status, f.dataset_id, f.created_at
        from (
            select 'customer' as kind, c.id, c.phone_number as e164, c.name, null as status,
                null::uuid as dataset_id, c.created_at
            from public.customers c
            where c.organization_id = p_org and c.phone_number = any (p_numbers)
            union all
            select 'lead', l.id, l.phone_number, concat_ws(' ', l.first_name, l.last_name), l.contact_status,
                l.dataset_id, l.created_at
            from public.leads l
            where l.organization_id = p_org and l.phone_number = any (p_numbers)
            union all
            select 'phone_number', n.id, n.phone_number, n.friendly_name, n.status, null, n.created_at
            from public.phone_numbers n
            where n.organization_id = p_org and n.phone_number = any (p_numbers)
        ) as f
        order by f.kind, f.created_at desc, f.id;
end;
comment on function private.find_by_phone(uuid, text[]) is
    'Body of public.find_by_phone, with the caller''s own rights; see there.';

create function public.find_by_phone(phone_number text) returns table (
    kind text,
    id uuid,
    e164 text,
    name text,
    status text,
    dataset_id uuid,
    created_at timestamptz
)
    language sql stable
    set search_path = ''
begin atomic
    select f.*
        from private.require_phone('leads.read', find_by_phone.phone_number) as p
        cross join lateral private.find_by_phone(p.org, p.numbers) as f;
end;
comment on function public.find_by_phone(text) is
    'Everything the caller may see of a phone number in their organization, however it is written; by kind, newest first. Raises PT401, PT400, PT403 (leads.read), 22023 (phone_number missing, or no number: the reason codes of switchboard.parse_phone).';
grant execute on function private.find_by_phone(uuid, text[]) to authenticated;
grant execute on function public.find_by_phone(text) to authenticated;
