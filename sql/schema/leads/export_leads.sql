-- An export goes page by page, so that neither the database nor who writes the file holds it whole: create_export says what,
-- export_leads answers the next lines until there are none, finish_export says where the file lies.

create function private.create_export(p_query text, p_filters jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    max_attributes constant integer := 200;
    -- To look at every lead of a million would take longer than a request may.
    max_looked_at constant integer := 50000;
    max_exports constant integer := 100;
    keeps constant interval := make_interval(hours => 24);
    v_org constant uuid := switchboard.require_organization('exports.write');
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_filters private.lead_filters := private.lead_filters(p_filters);
    v_export public.exports;
begin
    perform switchboard.require_organization('leads.read');
    -- Storage asks for it as well.
    perform switchboard.require_organization('exports.read');
    -- The file is everybody's who may read exports.
    perform switchboard.require_organization('leads.read_all');
    if v_scope is not null and (v_filters.dataset_id is null or v_filters.dataset_id <> all (v_scope)) then
        raise exception using
            errcode = 'PT403',
            message = 'forbidden',
            detail = 'You work in some datasets only.',
            hint = 'Export one of them: filters {"dataset_id": …}.';
    end if;
    if v_filters.dataset_id is not null and not exists (
        select from public.datasets d where d.organization_id = v_org and d.id = v_filters.dataset_id
    ) then
        raise exception using
            errcode = 'PT404',
            message = 'dataset_not_found',
            detail = 'You can see no dataset with this id in this organization.';
    end if;
    if (select count(*) from public.exports e where e.organization_id = v_org and e.expires_at > now() and e.status <> 'failed') >= max_exports then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_exports',
            detail = format('The organization has %s files that have not expired.', max_exports),
            hint = 'Each expires after a day. Export more in one file.';
    end if;
    insert into public.exports as e (
        organization_id, id, dataset_id, query, filters, attribute_names, storage_path, expires_at
    )
    select v_org, i.id, v_filters.dataset_id, p_query, coalesce(nullif(p_filters, 'null'), '{}'),
        array(
            select k
            from private.find_leads(v_org, p_query, v_filters, null, null, max_looked_at) as l
            cross join lateral jsonb_object_keys(l.attributes) as k
            where length(k) <= 500
            group by k
            order by k
            limit max_attributes
        ),
        concat_ws('/', v_org, v_filters.dataset_id, format('leads-%s-%s.csv', to_char(now(), 'YYYYMMDD-HH24MI'), left(i.id::text, 8))),
        now() + keeps
    from (select gen_random_uuid() as id) as i
    returning * into strict v_export;
    return jsonb_build_object('export_id', v_export.id, 'storage_path', v_export.storage_path, 'expires_at', v_export.expires_at);
end;
$$;
comment on function private.create_export(text, jsonb) is
    'Body of public.create_export; see there. Definer: clients write no export.';

create function public.create_export(query text default null, filters jsonb default '{}') returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.create_export(query, filters);
end;
comment on function public.create_export(text, jsonb) is
    'Begins a CSV file of leads; query and filters as for search_leads. Answers {export_id, storage_path, expires_at}. Raises PT401, PT400, PT403 (exports.write, exports.read, leads.read_all; a member with a dataset scope names one), PT404 dataset_not_found, PT429 too_many_exports (100 files that have not expired), 22023.';
grant execute on function private.create_export(text, jsonb) to authenticated, service_role;
grant execute on function public.create_export(text, jsonb) to authenticated, service_role;

create function private.running_export(org uuid, export_id uuid) returns public.exports
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_export public.exports;
begin
    perform switchboard.require_organization('leads.read_all');
    select e.* into v_export
        from public.exports e
        where e.organization_id = org
            and e.id = running_export.export_id
            and (v_scope is null or e.dataset_id = any (v_scope))
            and e.created_by is not distinct from switchboard.user_id()
        for no key update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'export_not_found',
            detail = 'You have begun no export with this id in this organization.';
    end if;
    if v_export.status <> 'running' or v_export.expires_at < now() then
        raise exception using
            errcode = 'PT409',
            message = 'export_over',
            detail = format('The export is %s.', case when v_export.expires_at < now() then 'expired' else v_export.status end),
            hint = 'create_export begins another.';
    end if;
    return v_export;
end;
$$;
comment on function private.running_export(uuid, uuid) is
    'An export that the caller is writing, locked. Raises PT403 (leads.read_all), PT404 export_not_found, PT409 export_over.';

create function private.export_leads(p_export_id uuid, p_after jsonb, p_page_size integer) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    fields constant text[] := array[
        'first_name', 'last_name', 'phone_number', 'phone_extension', 'email', 'postcode', 'inquiry_date', 'notes', 'dataset',
        'contact_status', 'lead_sentiment', 'assigned_to', 'consent_basis', 'consent_at', 'last_message_at', 'created_at'
    ];
    -- With a T between, a spreadsheet leaves a time alone.
    iso constant text := 'YYYY-MM-DD"T"HH24:MI:SS"Z"';
    v_export constant public.exports := private.running_export(
        switchboard.require_organization('exports.write'), p_export_id);
    v_cursor constant private.lead_cursor := private.lead_cursor(p_after);
    v_csv text;
    v_rows integer;
    v_next jsonb;
begin
    if p_page_size is null or p_page_size not between 1 and 2000 then
        raise exception using errcode = '22023', message = 'page_size must be 1 to 2000';
    end if;
    with page as materialized (
        select l.*, row_number() over (order by l.created_at desc, l.id) as nth
        from private.find_leads(
            v_export.organization_id, v_export.query, private.lead_filters(v_export.filters),
            v_cursor.created_at, v_cursor.id, p_page_size
        ) as l
    )
    select
        string_agg(switchboard.csv_line(array[
            p.first_name, p.last_name, p.phone_number, p.phone_extension, p.email, p.postcode, p.inquiry_date::text,
            p.notes, d.name, p.contact_status, p.lead_sentiment, u.email, p.consent_basis,
            to_char(p.consent_at at time zone 'UTC', iso), to_char(p.last_message_at at time zone 'UTC', iso),
            to_char(p.created_at at time zone 'UTC', iso)
        ] || array(
            select p.attributes ->> a.name from unnest(v_export.attribute_names) with ordinality as a (name, place) order by a.place
        )), e'\r\n' order by p.nth),
        count(*),
        case when count(*) = p_page_size then (
            select jsonb_build_object('created_at', z.created_at, 'id', z.id) from page z order by z.nth desc limit 1
        ) end
        into strict v_csv, v_rows, v_next
        from page p
        join public.datasets d on d.organization_id = p.organization_id and d.id = p.dataset_id
        left join auth.users u on u.id = p.assigned_to;
    update public.exports e
        set rows_written = case when p_after is null then 0 else e.rows_written end + v_rows
        where e.organization_id = v_export.organization_id and e.id = v_export.id;
    return jsonb_build_object(
        'csv', concat(
            case when p_after is null then switchboard.csv_line(fields || array(
                -- No two columns of one name.
                select case when a.name = any (fields) then 'attributes.' else '' end || a.name
                from unnest(v_export.attribute_names) with ordinality as a (name, place)
                order by a.place
            )) || e'\r\n' end,
            v_csv || e'\r\n'
        ),
        'rows', v_rows,
        'next', v_next
    );
end;
$$;
comment on function private.export_leads(uuid, jsonb, integer) is
    'Body of public.export_leads; see there. Definer: it names a lead''s member by the address of auth.users, and counts what it wrote.';

create function public.export_leads(export_id uuid, after jsonb default null, page_size integer default 1000) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.export_leads(export_id, after, page_size);
end;
comment on function public.export_leads(uuid, jsonb, integer) is
    'The next lines of an export: {csv, rows, next}. The first page, without after, begins with the header; next is the after of the following one, null when there is none. A cell that a spreadsheet would run or turn into another number is made safe. Raises PT401, PT400, PT403 (exports.write, leads.read_all), PT404 export_not_found, PT409 export_over, 22023.';
grant execute on function private.export_leads(uuid, jsonb, integer) to authenticated, service_role;
grant execute on function public.export_leads(uuid, jsonb, integer) to authenticated, service_role;

create function private.finish_export(p_export_id uuid, p_file_size bigint, p_problem text) returns public.exports
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_export public.exports := private.running_export(switchboard.require_organization('exports.write'), p_export_id);
begin
    if p_file_size < 0 then
        raise exception using errcode = '22023', message = 'file_size must not be negative';
    end if;
    update public.exports e
        set status = case when p_problem is null then 'ready' else 'failed' end,
            file_size = p_file_size,
            problem = left(p_problem, 500)
        where e.organization_id = v_export.organization_id and e.id = v_export.id
        returning * into strict v_export;
    return v_export;
end;
$$;
comment on function private.finish_export(uuid, bigint, text) is
    'Body of public.finish_export; see there. Definer: clients write no export.';

create function public.finish_export(export_id uuid, file_size bigint default null, problem text default null)
    returns public.exports
    language sql volatile
    set search_path = ''
begin atomic
    select private.finish_export(export_id, file_size, problem);
end;
comment on function public.finish_export(uuid, bigint, text) is
    'The file of an export lies at its storage_path, or will not, for that problem. Answers the export. Raises PT401, PT400, PT403 (exports.write, leads.read_all), PT404 export_not_found, PT409 export_over, 22023.';
grant execute on function private.finish_export(uuid, bigint, text) to authenticated, service_role;
grant execute on function public.finish_export(uuid, bigint, text) to authenticated, service_role;
