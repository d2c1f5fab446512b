-- Lists of leads, and finding one: by words of name, e-mail and postcode, by any spelling of the number, by filters, page
-- by page.
--
-- As definer: text search is not leak-proof, so PostgreSQL would not use its index below row level security. The body asks
-- what the policies ask, and a member who sees only the own leads reads an index of them.

create type private.lead_filters as (
    dataset_id uuid,
    contact_status text[],
    lead_sentiment text[],
    assigned_to uuid,
    is_assigned boolean,
    is_held boolean,
    is_archived boolean,
    upload_id uuid,
    created_from timestamptz,
    created_before timestamptz
);
comment on type private.lead_filters is 'What search_leads and export_leads take as filters, by these names; NULL: any.';

create function private.lead_filters(filters jsonb) returns private.lead_filters
    language plpgsql immutable
    set search_path = ''
as $$
declare
    known constant text[] := array[
        'dataset_id', 'contact_status', 'lead_sentiment', 'assigned_to', 'is_assigned', 'is_held', 'is_archived',
        'upload_id', 'created_from', 'created_before'
    ];
    v_given jsonb := coalesce(nullif(filters, 'null'), '{}');
    v_name text;
begin
    if not switchboard.json_is_bounded(v_given, 65536) or jsonb_typeof(v_given) <> 'object' then
        raise exception using errcode = '22023', message = 'filters must be a JSON object of at most 64 kB';
    end if;
    perform private.require_known_keys(v_given, known, 'filter');
    -- One status or several.
    foreach v_name in array array['contact_status', 'lead_sentiment'] loop
        if jsonb_typeof(v_given -> v_name) = 'string' then
            v_given := jsonb_set(v_given, array[v_name], jsonb_build_array(v_given -> v_name));
        end if;
    end loop;
    begin
        return jsonb_populate_record(null::private.lead_filters, v_given);
    exception
        when data_exception or program_limit_exceeded then
            raise exception using
                errcode = '22023',
                message = format('a filter has a value of another kind: %s', left(sqlerrm, 200)),
                hint = 'contact_status and lead_sentiment are a text or an array of texts, is_… true or false, created_… times.';
    end;
end;
$$;
comment on function private.lead_filters(jsonb) is
    'Filters as they were given, read. Raises 22023 for an unknown one and for a value of another kind.';

create function private.search_words(org uuid, query text) returns tsquery
    language sql immutable
    set search_path = ''
begin atomic
    -- A whole address as it is: com begins a word of nearly every lead.
    select string_agg(quote_literal(w) || case when private.is_email(query) then '' else ':*' end, ' & ')::tsquery
        from unnest(switchboard.search_words(org, query)) as w;
end;
comment on function private.search_words(uuid, text) is
    'A query for the index leads_search_idx: every word, each by its beginning, or as it is for a whole e-mail address; NULL for a text without words. Raises nothing.';

create function private.find_leads(
    org uuid, query text, filters private.lead_filters, after_created_at timestamptz, after_id uuid, page_size integer
) returns setof public.leads
    language plpgsql stable
    set search_path = ''
    set jit = off
    -- A condition that is not asked for is gone when the statement is planned.
    set plan_cache_mode = force_custom_plan
as $$
declare
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_own constant uuid := case
        when switchboard.organization_for('leads.read_all') is null then switchboard.user_id()
    end;
    v_asks constant boolean := coalesce(btrim(query), '') <> '';
    -- One status is a list of its own, in the order of an index.
    v_status constant text := case
        when cardinality(filters.contact_status) = 1 then filters.contact_status[1]
        when filters.is_archived and filters.contact_status is null then 'ARCHIVED'
    end;
    v_words tsquery;
    v_numbers text[];
begin
    -- A word of one letter matches most of a large list.
    if length(query) > 200 or cardinality(switchboard.search_words(org, query)) > 10 then
        raise exception using errcode = '22023', message = 'query must not exceed 200 characters and 10 words';
    end if;
    v_words := private.search_words(org, query);
    if query ~ '^\s*(tel:)?[+(]?[0-9][0-9 ()./-]{4,}$' then
        v_numbers := private.phone_readings(query, (select o.default_country from public.organizations o where o.id = org));
    end if;
    return query
        select l.*
        from public.leads l
        where l.organization_id = org
            and (v_scope is null or l.dataset_id = any (v_scope))
            and (v_own is null or l.assigned_to = v_own)
            and (
                not v_asks
                -- What is known to be false when it is planned is not asked of each row.
                or v_numbers is not null and l.phone_number = any (v_numbers)
                or array_to_tsvector(switchboard.search_words(
                    l.organization_id,
                    l.first_name || coalesce(' ' || l.last_name, '') || coalesce(' ' || l.email, '')
                        || coalesce(' ' || l.postcode || ' ' || replace(l.postcode, ' ', ''), '')
                )) @@ v_words
            )
            and (filters.dataset_id is null or l.dataset_id = filters.dataset_id)
            and (v_status is null or l.contact_status = v_status)
            and (v_status is not null or filters.contact_status is null or l.contact_status = any (filters.contact_status))
            and (filters.lead_sentiment is null or l.lead_sentiment = any (filters.lead_sentiment))
            and (filters.assigned_to is null or l.assigned_to = filters.assigned_to)
            and (filters.is_assigned is null or (l.assigned_to is not null) = filters.is_assigned)
            and (filters.is_held is null or case when filters.is_held then l.held else not l.held end)
            and (filters.is_archived is null or (l.archived_at is not null) = filters.is_archived)
            and (filters.upload_id is null or l.upload_id = filters.upload_id)
            and (filters.created_from is null or l.created_at >= filters.created_from)
            and (filters.created_before is null or l.created_at < filters.created_before)
            and (
                after_created_at is null
                or l.created_at <= after_created_at and (l.created_at < after_created_at or l.id > after_id)
            )
        order by l.created_at desc, l.id
        limit page_size;
end;
$$;
comment on function private.find_leads(uuid, text, private.lead_filters, timestamptz, uuid, integer) is
    'Leads of an organization that the caller may see, newest first, from behind a lead on. For definer bodies that have asked for the right to read. Raises 22023 for a query over 200 characters or 10 words.';

create type private.lead_cursor as (created_at timestamptz, id uuid);
comment on type private.lead_cursor is 'The last lead of a page, where the next begins.';

create function private.lead_cursor(after jsonb) returns private.lead_cursor
    language plpgsql immutable
    set search_path = ''
as $$
begin
    if after is null or after = 'null' then
        return null;
    end if;
    if switchboard.json_is_bounded(after, 1000)
        and jsonb_typeof(after -> 'created_at') = 'string' and jsonb_typeof(after -> 'id') = 'string'
    then
        begin
            return jsonb_populate_record(null::private.lead_cursor, after);
        exception
            when data_exception then
                null;
        end;
    end if;
    raise exception using
        errcode = '22023',
        message = 'after must be {"created_at": …, "id": …} of the last lead of the page before';
end;
$$;
comment on function private.lead_cursor(jsonb) is 'Reads where a page begins. Raises 22023.';

create function private.search_leads(p_query text, p_filters jsonb, p_after jsonb, p_page_size integer)
    returns setof public.leads
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('leads.read');
    v_cursor constant private.lead_cursor := private.lead_cursor(p_after);
begin
    if p_page_size is null or p_page_size not between 1 and 500 then
        raise exception using errcode = '22023', message = 'page_size must be 1 to 500';
    end if;
    return query select l.* from private.find_leads(
        v_org, p_query, private.lead_filters(p_filters), v_cursor.created_at, v_cursor.id, p_page_size) as l;
end;
$$;
comment on function private.search_leads(text, jsonb, jsonb, integer) is
    'Body of public.search_leads; see there. Definer: PostgreSQL would not use an index for text search below the policies; it asks what they ask.';

create function public.search_leads(
    query text default null, filters jsonb default '{}', after jsonb default null, page_size integer default 50
) returns setof public.leads
    language sql stable
    set search_path = ''
begin atomic
    select l.* from private.search_leads(query, filters, after, page_size) as l;
end;
comment on function public.search_leads(text, jsonb, jsonb, integer) is
    'Leads that the caller may see, newest first. query: beginnings of words of name, e-mail and postcode, or a phone number in any spelling. filters: an object of the fields of private.lead_filters (dataset_id, contact_status, assigned_to, is_archived …). after: {created_at, id} of the last lead of the page before. Raises PT401, PT400, PT403 (leads.read), 22023.';
grant execute on function private.search_leads(text, jsonb, jsonb, integer) to authenticated, service_role;
grant execute on function public.search_leads(text, jsonb, jsonb, integer) to authenticated, service_role;
