-- A file comes in pieces: create_upload says what is coming, append_upload_chunk brings it.

create function private.create_upload(
    p_dataset_id uuid, p_filename text, p_file_size bigint, p_file_type text, p_storage_path text, p_options jsonb
) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- The pieces lie in the database until the import is done.
    max_bytes constant bigint := 256 * 1024 * 1024;
    max_open constant integer := 10;
    v_org constant uuid := private.require_importer();
    v_id uuid := gen_random_uuid();
begin
    perform private.import_options(v_org, switchboard.dataset_scope(), p_dataset_id, p_options);
    if btrim(coalesce(p_filename, '')) = '' or length(p_filename) > 500 then
        raise exception using errcode = '22023', message = 'filename must have 1 to 500 characters';
    end if;
    if p_file_size < 0 then
        raise exception using errcode = '22023', message = 'file_size must not be negative';
    end if;
    if p_file_size > max_bytes then
        raise exception using
            errcode = 'PT413',
            message = 'file_too_large',
            detail = format('The file has %s bytes; the limit is 256 MB.', p_file_size),
            hint = 'Send it in several files.';
    end if;
    if length(p_storage_path) > 1024
        or p_storage_path is not null and switchboard.path_organization(p_storage_path) is distinct from v_org
    then
        raise exception using
            errcode = '22023',
            message = 'storage_path must begin with the organization''s id and have at most 1024 characters',
            hint = 'Files of the bucket csv_uploads lie below organization/dataset/.';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('create_upload ' || v_org, 0));
    if max_open <= (
        select count(distinct c.upload_id) from private.upload_chunks c where c.organization_id = v_org and c.seq = 0
    ) then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_uploads',
            detail = format('%s files of the organization are not imported yet.', max_open),
            hint = 'Finish them with commit_upload, or give them up with cancel_upload.';
    end if;
    insert into public.uploads (
        organization_id, id, dataset_id, filename, file_size, file_type, storage_path, mapping, options
    )
    values (
        v_org, v_id, p_dataset_id, btrim(p_filename), p_file_size, left(p_file_type, 200), p_storage_path,
        coalesce(nullif(p_options -> 'mapping', 'null'), '{}'), coalesce(p_options, '{}') - 'mapping'
    );
    return jsonb_build_object('upload_id', v_id, 'status', 'pending', 'next_seq', 0, 'bytes_received', 0);
end;
$$;
comment on function private.create_upload(uuid, text, bigint, text, text, jsonb) is
    'Body of public.create_upload; see there. Definer: clients write no upload but a bare one.';

create function public.create_upload(
    dataset_id uuid,
    filename text,
    file_size bigint default null,
    file_type text default null,
    storage_path text default null,
    options jsonb default '{}'
) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.create_upload(dataset_id, filename, file_size, file_type, storage_path, options);
end;
comment on function public.create_upload(uuid, text, bigint, text, text, jsonb) is
    'Begins the import of a file into a dataset; options as for import_leads, and encoding, delimiter. Answers {upload_id, status, next_seq, bytes_received}. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all), PT404 dataset_not_found, PT413 file_too_large (256 MB), PT429 too_many_uploads, 22023.';
grant execute on function private.create_upload(uuid, text, bigint, text, text, jsonb) to authenticated;
grant execute on function public.create_upload(uuid, text, bigint, text, text, jsonb) to authenticated;

-- An upload of the caller's, locked: two calls about one upload follow each other.
create function private.importer_upload(upload_id uuid) returns public.uploads
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_org constant uuid := private.require_importer();
    v_scope constant uuid[] := switchboard.dataset_scope();
    v_upload public.uploads;
begin
    select * into v_upload
        from public.uploads u
        where u.organization_id = v_org
            and u.id = importer_upload.upload_id
            and (v_scope is null or u.dataset_id = any (v_scope))
        for no key update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'upload_not_found',
            detail = 'You have no upload with this id in this organization.';
    end if;
    return v_upload;
end;
$$;
comment on function private.importer_upload(uuid) is
    'An upload that the caller may go on with, locked until the transaction ends. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all), PT404 upload_not_found (also outside of the caller''s datasets).';

create function private.append_upload_chunk(p_upload_id uuid, p_seq integer, p_chunk text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    max_bytes constant bigint := 256 * 1024 * 1024;
    max_chunk constant integer := 4 * 1024 * 1024;
    v_upload public.uploads := private.importer_upload(p_upload_id);
    v_next integer;
    v_content bytea;
begin
    if length(p_chunk) > 4 * (max_chunk / 3 + 1) * 79 / 76 then
        raise exception using errcode = 'PT413', message = 'chunk_too_large', hint = 'Send pieces of at most 4 MB.';
    end if;
    begin
        v_content := decode(p_chunk, 'base64');
    exception
        when invalid_parameter_value then
            raise exception using errcode = '22023', message = 'chunk must be base64';
    end;
    if v_content is null or p_seq is null or octet_length(v_content) not between 1 and max_chunk then
        raise exception using errcode = '22023', message = 'seq and chunk must be given, and chunk be 1 byte to 4 MB';
    end if;
    select coalesce(max(c.seq) + 1, 0) into v_next
        from private.upload_chunks c
        where c.organization_id = v_upload.organization_id and c.upload_id = v_upload.id;
    if p_seq < v_next then
        -- Sent again, because the answer was lost.
        if not exists (
            select from private.upload_chunks c
            where c.organization_id = v_upload.organization_id
                and c.upload_id = v_upload.id
                and c.seq = p_seq
                and c.sha256 = sha256(v_content)
        ) then
            raise exception using
                errcode = 'PT409',
                message = 'chunk_differs',
                detail = format('Piece %s has come already, with other bytes.', p_seq),
                hint = 'Begin a new upload for another file.';
        end if;
    else
        if v_upload.status <> 'pending' then
            raise exception using
                errcode = 'PT409',
                message = 'upload_closed',
                detail = format('The upload is %s and takes no further piece.', v_upload.status);
        end if;
        if p_seq > v_next then
            raise exception using
                errcode = 'PT409',
                message = 'chunk_missing',
                detail = format('The next piece is %s.', v_next);
        end if;
        if v_upload.bytes_received + octet_length(v_content) > coalesce(v_upload.file_size, max_bytes) then
            raise exception using
                errcode = 'PT413',
                message = 'file_too_large',
                detail = format('With this piece the file has more than %s bytes.', coalesce(v_upload.file_size, max_bytes));
        end if;
        insert into private.upload_chunks (organization_id, upload_id, seq, starts_at, content)
        values (v_upload.organization_id, v_upload.id, p_seq, v_upload.bytes_received, v_content);
        update public.uploads u
            set bytes_received = u.bytes_received + octet_length(v_content)
            where u.organization_id = v_upload.organization_id and u.id = v_upload.id
            returning u.bytes_received into v_upload.bytes_received;
        v_next := p_seq + 1;
    end if;
    return jsonb_build_object('next_seq', v_next, 'bytes_received', v_upload.bytes_received);
end;
$$;
comment on function private.append_upload_chunk(uuid, integer, text) is
    'Body of public.append_upload_chunk; see there. Definer: clients do not touch the pieces.';

create function public.append_upload_chunk(upload_id uuid, seq integer, chunk text) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.append_upload_chunk(upload_id, seq, chunk);
end;
comment on function public.append_upload_chunk(uuid, integer, text) is
    'The next piece of a file, base64 of at most 4 MB; seq counts from 0. A piece may be sent again. Answers {next_seq, bytes_received}. Raises PT401, PT400, PT403, PT404 upload_not_found, PT409 (chunk_differs, chunk_missing, upload_closed), PT413 (chunk_too_large, file_too_large), 22023.';
grant execute on function private.append_upload_chunk(uuid, integer, text) to authenticated;
grant execute on function public.append_upload_chunk(uuid, integer, text) to authenticated;
