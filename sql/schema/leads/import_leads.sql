-- Lead import for lists that fit in one request; a file goes through create_upload and its companions.

create function private.import_leads(p_dataset_id uuid, p_rows jsonb, p_options jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- One statement and one answer; more belongs into several calls, or into a file upload.
    max_rows constant integer := 10000;
    -- Counted as printed and before anything is: 64 kB of numbers like 1e131071 would be a gigabyte of text.
    max_bytes constant integer := 16 * 1024 * 1024;
    v_started timestamptz := clock_timestamp();
    v_org constant uuid := private.require_importer();
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_upload uuid := gen_random_uuid();
    v_options jsonb;
    v_columns text[];
    v_report jsonb;
begin
    if p_rows is null or jsonb_typeof(p_rows) <> 'array' then
        raise exception using errcode = '22023', message = 'rows must be a JSON array of objects';
    end if;
    if jsonb_array_length(p_rows) > max_rows then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_rows',
            detail = format('%s rows in one call; the limit is %s.', jsonb_array_length(p_rows), max_rows),
            hint = 'Send the rows in several calls, or as a file by create_upload.';
    end if;
    if not switchboard.json_is_bounded(p_rows, max_bytes) then
        raise exception using
            errcode = 'PT413',
            message = 'rows_too_large',
            detail = 'The rows have more than 16 MB of JSON text.',
            hint = 'Send the rows in several calls.';
    end if;
    perform private.lock_imports(v_org);
    v_options := private.import_options(v_org, v_scope, p_dataset_id, p_options);
    if jsonb_array_length(p_rows) > 0 then
        v_columns := array(
            select distinct k
            from jsonb_array_elements(p_rows) as r
            cross join lateral jsonb_object_keys(case when jsonb_typeof(r) = 'object' then r else '{}' end) as k
        );
        perform private.require_columns(v_options, v_columns);
    end if;
    insert into public.uploads (organization_id, id, dataset_id, filename, status, mapping, options, started_at)
    values (
        v_org, v_upload, p_dataset_id,
        coalesce(nullif(btrim(left(p_options ->> 'filename', 500)), ''), 'import_leads'),
        'processing', v_options -> 'mapping', v_options - 'mapping' - 'country', v_started
    );
    v_report := private.import_batch(row(
        v_org, v_upload, p_dataset_id, v_scope, v_options, p_rows, null, null, null, null
    )::private.import_job) - 'ends_at';
    perform private.count_upload(v_org, v_upload, v_report);
    update public.uploads u
        set status = 'completed', row_total = u.rows_detected, completed_at = clock_timestamp()
        where u.organization_id = v_org and u.id = v_upload;
    return jsonb_build_object('upload_id', v_upload) || v_report;
end;
$$;
comment on function private.import_leads(uuid, jsonb, jsonb) is
    'Body of public.import_leads; see there. Definer: opt-outs of datasets outside of the caller''s scope must be found.';

create function public.import_leads(
    dataset_id uuid,
    rows jsonb,
    options jsonb default '{}'
) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.import_leads(dataset_id, rows, options);
end;
comment on function public.import_leads(uuid, jsonb, jsonb) is
    'Imports up to 10,000 rows into a dataset in one transaction; the report accounts for every row. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all), PT404 dataset_not_found (also outside of the caller''s datasets), PT409 (import_running; leads_changed: send it again), PT413 rows_too_large, PT429 too_many_rows, 22023 (rows, options, mapping).';
grant execute on function private.import_leads(uuid, jsonb, jsonb) to authenticated;
grant execute on function public.import_leads(uuid, jsonb, jsonb) to authenticated;
