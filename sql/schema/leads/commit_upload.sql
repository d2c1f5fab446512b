-- The import itself, a few seconds a call. A call is one transaction, with where it stopped on the upload's row: whoever
-- calls next goes on there, after a lost connection or a crash as well, and no row comes twice.

create function private.commit_upload(p_upload_id uuid, p_mapping jsonb, p_options jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- A call must end well before the API's statement_timeout, 8 s in Supabase.
    max_time constant interval := make_interval(secs => 2);
    batch constant integer := 5000;
    v_began constant timestamptz := clock_timestamp();
    v_upload public.uploads := private.importer_upload(p_upload_id);
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_options jsonb;
    v_starts_at bigint;
    v_step integer;
    v_rows integer;
    v_is_full boolean := false;
    v_before integer;
    v_report jsonb;
begin
    if v_upload.status in ('completed', 'failed') then
        return private.upload_progress(v_upload);
    end if;
    perform private.lock_imports(v_upload.organization_id);
    if v_upload.status <> 'processing' then
        v_upload := private.start_upload(v_upload, v_scope, p_mapping, p_options);
    end if;
    v_options := private.import_options(
        v_upload.organization_id, v_scope, v_upload.dataset_id,
        v_upload.options || jsonb_build_object('mapping', v_upload.mapping));
    v_before := v_upload.rows_detected;
    -- As many as there is room for; further ones may need none, which is tried with more and more.
    v_step := greatest(least(batch, private.quota_limit(v_upload.organization_id, 'leads')
        - private.quota_used(v_upload.organization_id, 'leads')), 1);
    loop
        exit when v_upload.rows_detected >= v_upload.row_total or clock_timestamp() > v_began + max_time;
        -- A second batch would lock leads behind the locks that the first took last.
        exit when v_options ->> 'duplicate_action' = 'merge' and v_upload.rows_detected > v_before;
        select min(c.starts_at) into v_starts_at
            from private.upload_chunks c
            where c.organization_id = v_upload.organization_id
                and c.upload_id = v_upload.id
                and c.starts_at + octet_length(c.content) > v_upload.bytes_read;
        v_rows := least(v_step, v_upload.row_total - v_upload.rows_detected);
        begin
            v_report := private.import_batch(row(
                v_upload.organization_id, v_upload.id, v_upload.dataset_id, v_scope,
                private.file_options(v_upload, v_options) || jsonb_build_object('source_starts_at', v_starts_at), null,
                private.upload_source(v_upload.organization_id, v_upload.id, v_starts_at),
                v_upload.bytes_read, v_upload.rows_detected + 1, v_rows
            )::private.import_job);
        exception
            when sqlstate 'PT429' then
                -- More of them are new than there is room for: fewer at a time.
                v_is_full := v_rows = 1;
                exit when v_is_full;
                v_step := greatest(v_rows / 4, 1);
                continue;
        end;
        v_step := least(4 * v_step, batch);
        v_upload := private.count_upload(v_upload.organization_id, v_upload.id, v_report);
    end loop;
    return private.upload_progress(private.finish_call(v_upload, v_before, v_began, v_is_full));
end;
$$;
comment on function private.commit_upload(uuid, jsonb, jsonb) is
    'Body of public.commit_upload; see there. Definer: opt-outs of datasets outside of the caller''s scope must be found.';

create function private.start_upload(upload public.uploads, scope uuid[], mapping jsonb, options jsonb)
    returns public.uploads
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_upload public.uploads := upload;
    v_given jsonb := coalesce(start_upload.options, v_upload.options);
    v_options jsonb;
begin
    v_options := private.import_options(
        v_upload.organization_id, start_upload.scope, v_upload.dataset_id,
        v_given || jsonb_build_object('mapping', coalesce(nullif(start_upload.mapping, 'null'), nullif(v_upload.mapping, '{}'))));
    v_upload := private.profile_upload(v_upload, v_given);
    if v_upload.problem is not null then
        raise exception using
            errcode = '22023',
            message = format('the file cannot be imported: %s', v_upload.problem),
            detail = coalesce('At ' || v_upload.problem_at || '.', ''),
            hint = 'preview_upload says where; send a mended file as a new upload.';
    end if;
    perform private.require_columns(v_options, array(select jsonb_array_elements_text(v_upload.header)));
    -- The next file of the list has the same columns.
    update public.datasets d
        set column_mapping = v_options -> 'mapping'
        where d.organization_id = v_upload.organization_id
            and d.id = v_upload.dataset_id
            and d.column_mapping <> v_options -> 'mapping'
            and v_options -> 'mapping' <> '{}';
    update public.uploads u
        set status = 'processing', mapping = v_options -> 'mapping', options = v_options - 'mapping' - 'country',
            started_at = clock_timestamp()
        where u.organization_id = v_upload.organization_id and u.id = v_upload.id
        returning * into strict v_upload;
    return v_upload;
end;
$$;
comment on function private.start_upload(public.uploads, uuid[], jsonb, jsonb) is
    'Makes an upload ready for its first rows: mapping and options as they hold from now on. Raises PT409 upload_incomplete, 22023.';

create function private.finish_call(upload public.uploads, rows_before integer, began timestamptz, is_full boolean)
    returns public.uploads
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_is_done constant boolean := (upload).rows_detected >= (upload).row_total;
    v_rate constant double precision := ((upload).rows_detected - rows_before)
        / greatest(extract(epoch from clock_timestamp() - began), 0.001);
    v_upload public.uploads;
begin
    update public.uploads u
        set status = case when v_is_done then 'completed' else 'processing' end,
            completed_at = case when v_is_done then clock_timestamp() end,
            problem = case when is_full and not v_is_done then 'quota_exceeded' end,
            rows_per_second = case when v_rate > 0 then v_rate else u.rows_per_second end,
            seconds_remaining = case when v_rate > 0 then ceil((u.row_total - u.rows_detected) / v_rate) end
        where u.organization_id = (upload).organization_id and u.id = (upload).id
        returning * into strict v_upload;
    if v_is_done then
        delete from private.upload_chunks c
            where c.organization_id = v_upload.organization_id and c.upload_id = v_upload.id;
    end if;
    return v_upload;
end;
$$;
comment on function private.finish_call(public.uploads, integer, timestamptz, boolean) is
    'Notes where a call of commit_upload came to, how fast it was, and that it is done; the pieces of the file then go. Raises nothing.';

create function private.upload_progress(upload public.uploads) returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select jsonb_build_object(
        'upload_id', (upload).id, 'status', (upload).status, 'problem', (upload).problem,
        'row_total', (upload).row_total, 'detected', (upload).rows_detected, 'inserted', (upload).rows_inserted,
        'merged', (upload).rows_merged, 'skipped', (upload).rows_skipped, 'suppressed', (upload).rows_suppressed,
        'failed', (upload).rows_failed, 'rows_per_second', (upload).rows_per_second,
        'seconds_remaining', (upload).seconds_remaining);
end;
comment on function private.upload_progress(public.uploads) is 'What commit_upload answers. Raises nothing.';

create function public.commit_upload(upload_id uuid, mapping jsonb default null, options jsonb default null) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.commit_upload(upload_id, mapping, options);
end;
comment on function public.commit_upload(uuid, jsonb, jsonb) is
    'Imports the next rows of a file, for about two seconds, and answers how far it is: call it until status is completed. problem quota_exceeded: call again when there is room. mapping and options: those of the preview, unless the first call brings others. Raises PT401, PT400, PT403, PT404 upload_not_found, PT409 (upload_incomplete, import_running, leads_changed), PT429, 22023.';
grant execute on function private.commit_upload(uuid, jsonb, jsonb) to authenticated;
grant execute on function public.commit_upload(uuid, jsonb, jsonb) to authenticated;
