-- What holds for an import: what the caller says, else the campaign's settings, else ours.

create function private.import_options(org uuid, scope uuid[], dataset uuid, given jsonb) returns jsonb
    language plpgsql stable
    set search_path = ''
as $$
declare
    known constant text[] := array[
        'mapping', 'duplicate_action', 'required_fields', 'auto_normalize_uk_numbers', 'allow_international',
        'encoding', 'delimiter', 'filename'
    ];
    v_bad text;
    v_given jsonb := coalesce(given, '{}');
    v_options jsonb;
begin
    if not switchboard.json_is_bounded(v_given, 65536) then
        raise exception using errcode = '22023', message = 'options must not exceed 64 kB of JSON text';
    end if;
    if jsonb_typeof(v_given) <> 'object' then
        raise exception using errcode = '22023', message = 'options must be a JSON object';
    end if;
    perform private.require_known_keys(v_given, known, 'option');
    select min(k) into v_bad
        from unnest(array['auto_normalize_uk_numbers', 'allow_international']) as k
        where jsonb_typeof(v_given -> k) not in ('boolean', 'null');
    if v_bad is not null then
        raise exception using errcode = '22023', message = format('options.%s must be true or false', v_bad);
    end if;
    select jsonb_build_object(
            'duplicate_action', coalesce(s.duplicate_action, 'flag'),
            'auto_normalize_uk_numbers', coalesce(s.auto_normalize_uk_numbers, true),
            'allow_international', coalesce(s.allow_international, false),
            'required_fields', coalesce(s.required_fields, '[]')
        ) || jsonb_strip_nulls(v_given - 'filename' - 'mapping')
        || jsonb_build_object(
            'mapping', coalesce(nullif(v_given -> 'mapping', 'null'), d.column_mapping),
            'country', o.default_country
        )
        into v_options
        from public.datasets d
        join public.organizations o on o.id = d.organization_id
        left join public.campaign_settings s
            on s.organization_id = d.organization_id and s.id = d.campaign_settings_id
        where d.organization_id = org
            and d.id = dataset
            and (import_options.scope is null or d.id = any (import_options.scope));
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'dataset_not_found',
            detail = 'You have no dataset with this id in this organization.';
    end if;
    if v_options ->> 'duplicate_action' not in ('flag', 'skip', 'merge', 'keep_both')
        or jsonb_typeof(v_options -> 'duplicate_action') <> 'string'
    then
        raise exception using
            errcode = '22023',
            message = 'options.duplicate_action must be flag, skip, merge or keep_both';
    end if;
    if jsonb_typeof(v_options -> 'required_fields') <> 'array' then
        raise exception using errcode = '22023', message = 'options.required_fields must be a JSON array';
    end if;
    v_options := v_options || jsonb_build_object('required_fields', (
        select jsonb_agg(distinct f)
        from jsonb_array_elements(v_options -> 'required_fields' || '["first_name", "phone_number"]') as f
    ));
    -- The rest is parse_lead's to say.
    perform 1 from switchboard.parse_lead('{}', private.lead_options(v_options));
    return v_options;
end;
$$;
comment on function private.import_options(uuid, uuid[], uuid, jsonb) is
    'The options of an import into a dataset {duplicate_action, mapping, required_fields, auto_normalize_uk_numbers, allow_international, country, encoding, delimiter}, those of the caller before the campaign''s. Raises PT404 dataset_not_found (also outside of the scope), 22023 naming the option.';

create function private.lead_options(options jsonb) returns jsonb
    language sql immutable parallel safe
    set search_path = ''
begin atomic
    select options - 'duplicate_action';
end;
comment on function private.lead_options(jsonb) is
    'Of an import''s options those of switchboard.parse_lead and csv_leads. Raises nothing.';

create function private.missing_columns(options jsonb, columns text[]) returns text[]
    language sql immutable
    set search_path = ''
begin atomic
    select coalesce(array_agg(f order by f), '{}')
        from jsonb_array_elements_text(options -> 'required_fields') as f
        where not coalesce((select m.key from jsonb_each_text(options -> 'mapping') as m where m.value = f), f)
            = any (columns);
end;
comment on function private.missing_columns(jsonb, text[]) is
    'The required fields that no column fills, by the mapping or its name. Raises nothing.';

-- A file without a required column is refused as a whole; an empty cell is an error of its row.
create function private.require_columns(options jsonb, columns text[]) returns void
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_missing constant text[] := private.missing_columns(require_columns.options, columns);
begin
    if v_missing <> '{}' then
        raise exception using
            errcode = '22023',
            message = format('required column missing: %s', array_to_string(v_missing, ', ')),
            hint = 'Name the columns like the fields, or map them with options.mapping.';
    end if;
end;
$$;
comment on function private.require_columns(jsonb, text[]) is
    'Refuses columns of which none fills a required field. Raises 22023.';

create function private.lock_imports(org uuid) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    -- Duplicates are looked for in all datasets, and two imports side by side would miss each other's rows. The second does
    -- not wait, for each that does holds one of the few connections that all organizations share.
    if not pg_try_advisory_xact_lock(hashtextextended('import_leads ' || org, 0)) then
        raise exception using
            errcode = 'PT409',
            message = 'import_running',
            detail = 'Another import of the organization is not finished.',
            hint = 'Send the request again when it has been answered.';
    end if;
end;
$$;
comment on function private.lock_imports(uuid) is
    'One import at a time in an organization, until the transaction ends. Raises PT409 import_running.';

create function private.require_importer() returns uuid
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('uploads.write');
begin
    perform switchboard.require_organization('leads.write');
    -- Nobody imports leads that they could not see afterwards.
    perform switchboard.require_organization('leads.read_all');
    return v_org;
end;
$$;
comment on function private.require_importer() is
    'The organization of a caller who may import leads. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all).';
