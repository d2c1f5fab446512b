-- What an import would do, before it does.

create function private.upload_source(org uuid, upload_id uuid, starts_at bigint) returns text
    language sql immutable
    set search_path = ''
begin atomic
    select format(
        'select c.content from private.upload_chunks c where c.organization_id = %L and c.upload_id = %L
            and c.starts_at >= %s order by c.seq',
        org, upload_source.upload_id, upload_source.starts_at);
end;
comment on function private.upload_source(uuid, uuid, bigint) is
    'The query for the pieces of an upload''s file from the one on that starts at a byte, as switchboard.csv_leads takes it. Raises nothing.';

create function private.profile_upload(upload public.uploads, options jsonb) returns public.uploads
    language plpgsql volatile
    set search_path = ''
as $$
declare
    max_rows constant integer := 2000000;
    v_upload public.uploads := upload;
    v_profile record;
begin
    if v_upload.bytes_received < v_upload.file_size then
        raise exception using
            errcode = 'PT409',
            message = 'upload_incomplete',
            detail = format('%s of %s bytes have come.', v_upload.bytes_received, v_upload.file_size),
            hint = 'Send the rest with append_upload_chunk.';
    end if;
    -- One pass over the file; again only for another dialect.
    if v_upload.row_total is null
        or v_upload.encoding <> profile_upload.options ->> 'encoding'
        or v_upload.delimiter <> profile_upload.options ->> 'delimiter'
    then
        select * into strict v_profile
            from switchboard.csv_profile(
                private.upload_source(v_upload.organization_id, v_upload.id, 0), coalesce(profile_upload.options, '{}'));
        update public.uploads u
            set encoding = v_profile.encoding, delimiter = v_profile.delimiter, header = to_jsonb(v_profile.header),
                bytes_read = v_profile.body_at, row_total = least(v_profile.row_count, max_rows),
                problem = case when v_profile.row_count > max_rows then 'too_many_rows' else v_profile.problem end,
                problem_at = coalesce(v_profile.problem_value, v_profile.problem_row::text)
            where u.organization_id = v_upload.organization_id and u.id = v_upload.id
            returning * into strict v_upload;
    end if;
    return v_upload;
end;
$$;
comment on function private.profile_upload(public.uploads, jsonb) is
    'Looks through the file of an upload that is complete: encoding, delimiter, header, rows, and what makes it unreadable (problem, problem_at). Raises PT409 upload_incomplete, 22023.';

create function private.file_options(upload public.uploads, options jsonb) returns jsonb
    language sql immutable
    set search_path = ''
begin atomic
    select file_options.options || jsonb_build_object(
        'header', (upload).header, 'encoding', (upload).encoding, 'delimiter', (upload).delimiter);
end;
comment on function private.file_options(public.uploads, jsonb) is
    'Options of an import with what is known of its file. Raises nothing.';

create function private.preview_upload(p_upload_id uuid, p_mapping jsonb, p_options jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    max_rows constant integer := 100000;
    v_upload public.uploads := private.importer_upload(p_upload_id);
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_given jsonb := coalesce(p_options, v_upload.options);
    v_mapping jsonb := coalesce(nullif(p_mapping, 'null'), nullif(v_upload.mapping, '{}'));
    v_options jsonb;
    v_source text := private.upload_source(v_upload.organization_id, v_upload.id, 0);
    v_sample jsonb;
    v_suggested jsonb;
    v_preview jsonb;
begin
    if v_upload.status not in ('pending', 'mapping') then
        raise exception using
            errcode = 'PT409',
            message = 'upload_started',
            detail = format('The upload is %s; its preview was before.', v_upload.status);
    end if;
    perform private.import_options(
        v_upload.organization_id, v_scope, v_upload.dataset_id, v_given || jsonb_build_object('mapping', v_mapping));
    v_upload := private.profile_upload(v_upload, v_given);
    if v_upload.problem is not null then
        update public.uploads u set status = 'mapping', options = v_given - 'mapping'
            where u.organization_id = v_upload.organization_id and u.id = v_upload.id;
        return jsonb_build_object(
            'upload_id', v_upload.id, 'problem', v_upload.problem, 'problem_at', v_upload.problem_at,
            'encoding', v_upload.encoding, 'delimiter', v_upload.delimiter, 'header', v_upload.header,
            'row_total', v_upload.row_total);
    end if;

    select coalesce(jsonb_agg(f.cells order by f.row_number), '[]') into v_sample
        from switchboard.csv_leads(
            v_source, private.file_options(v_upload, '{"cells": true}'), v_upload.bytes_read, 1, 200) as f;
    v_suggested := switchboard.suggest_mapping(
        array(select jsonb_array_elements_text(v_upload.header)), v_sample,
        (select o.default_country from public.organizations o where o.id = v_upload.organization_id));
    if v_mapping is null then
        select d.column_mapping into v_mapping
            from public.datasets d
            where d.organization_id = v_upload.organization_id and d.id = v_upload.dataset_id
                and d.column_mapping <> '{}'
                and v_upload.header ?& array(select m.key from jsonb_each(d.column_mapping) as m where m.value <> 'null');
        v_mapping := coalesce(v_mapping, v_suggested);
    end if;
    v_options := private.import_options(
        v_upload.organization_id, v_scope, v_upload.dataset_id, v_given || jsonb_build_object('mapping', v_mapping));
    update public.uploads u set status = 'mapping', mapping = v_mapping, options = v_given - 'mapping'
        where u.organization_id = v_upload.organization_id and u.id = v_upload.id;
    v_preview := jsonb_build_object(
        'upload_id', v_upload.id, 'encoding', v_upload.encoding, 'delimiter', v_upload.delimiter,
        'header', v_upload.header, 'row_total', v_upload.row_total, 'mapping', v_mapping, 'suggested_mapping', v_suggested,
        'missing_columns', private.missing_columns(v_options, array(select jsonb_array_elements_text(v_upload.header))),
        'rows_previewed', least(v_upload.row_total, max_rows),
        'warnings', private.upload_warnings(v_upload, v_options));
    if v_preview -> 'missing_columns' <> '[]' then
        return v_preview;
    end if;
    return v_preview || private.preview_rows(row(
        v_upload.organization_id, v_upload.id, v_upload.dataset_id, v_scope, private.file_options(v_upload, v_options), null,
        v_source, v_upload.bytes_read, 1, max_rows
    )::private.import_job);
end;
$$;
comment on function private.preview_upload(uuid, jsonb, jsonb) is
    'Body of public.preview_upload; see there. Definer: clients do not read the pieces of a file.';

create function private.upload_warnings(upload public.uploads, options jsonb) returns text[]
    language sql stable
    set search_path = ''
begin atomic
    select array(
        select w.name
        from (values
            ('no_consent_basis', not upload_warnings.options -> 'mapping' @? '$.* ? (@ == "consent_basis")'
                and not (upload).header ? 'consent_basis'),
            ('encoding_guessed', (upload).encoding = 'windows-1252' and not upload_warnings.options ? 'encoding')
        ) as w (name, holds)
        where w.holds);
end;
comment on function private.upload_warnings(public.uploads, jsonb) is
    'What an importer should know before: no_consent_basis (nothing says why the contacts may be written to), encoding_guessed (not UTF-8: taken for windows-1252). Raises nothing.';

create function private.preview_rows(job private.import_job) returns jsonb
    language sql volatile
    set search_path = ''
    set jit = off
    set work_mem = '16MB'
begin atomic
    with decided as materialized (
        select d.row_number, d.decision, d.lead_id, d.first_name, d.last_name, d.phone_number, d.email, d.postcode,
            d.attributes, d.problems
        from private.decide_rows(job) as d
    )
    select jsonb_build_object(
        'counts', (
            select jsonb_build_object(
                'inserted', count(*) filter (where d.decision = 'inserted'),
                'merged', count(*) filter (where d.decision = 'merged'),
                'skipped', count(*) filter (where d.decision = 'skipped'),
                'suppressed', count(*) filter (where d.decision = 'suppressed'),
                'failed', count(*) filter (where d.decision = 'failed'),
                'duplicates', count(*) filter (where d.lead_id is not null))
            from decided d
        ),
        'reasons', (
            select coalesce(jsonb_object_agg(r.reason, r.rows), '{}')
            from (
                select p ->> 'reason' as reason, count(distinct d.row_number) as rows
                from decided d
                cross join lateral jsonb_array_elements(d.problems) as p
                group by 1
            ) as r
        ),
        'sample', (
            select coalesce(jsonb_agg(to_jsonb(s) order by s.row_number), '[]')
            from (select * from decided d order by d.row_number limit 10) as s
        ),
        'errors', (
            select coalesce(jsonb_agg(e.error order by e.row_number), '[]')
            from (
                select d.row_number, jsonb_build_object('row', d.row_number) || (p - 'field') as error
                from decided d
                cross join lateral jsonb_array_elements(d.problems) as p
                order by d.row_number
                limit 100
            ) as e
        ));
end;
comment on function private.preview_rows(private.import_job) is
    'What would become of rows: counts a decision, reasons of errors, the first 10 rows, the first 100 errors. Writes nothing. Raises 22023.';

create function public.preview_upload(upload_id uuid, mapping jsonb default null, options jsonb default null) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.preview_upload(upload_id, mapping, options);
end;
comment on function public.preview_upload(uuid, jsonb, jsonb) is
    'Looks through a file that has come and says what its import would do, by its first 100,000 rows; keeps mapping and options for commit_upload, and imports nothing. Raises PT401, PT400, PT403, PT404 upload_not_found, PT409 (upload_incomplete, upload_started), 22023 (mapping, options).';
grant execute on function private.preview_upload(uuid, jsonb, jsonb) to authenticated;
grant execute on function public.preview_upload(uuid, jsonb, jsonb) to authenticated;
