-- Uploads: one import each, and what became of its rows.

create table public.uploads (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    uploaded_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    filename text not null
        constraint uploads_filename_check check (btrim(filename) <> '' and length(filename) <= 500),
    storage_path text
        constraint uploads_storage_path_check check (length(storage_path) <= 1024),
    file_size bigint
        constraint uploads_file_size_check check (file_size >= 0),
    file_type text
        constraint uploads_file_type_check check (length(file_type) <= 200),
    status text not null default 'pending'
        constraint uploads_status_check
        check (status in ('pending', 'processing', 'mapping', 'completed', 'failed')),
    problem text
        constraint uploads_problem_check check (problem ~ '^[a-z_]{1,63}$'),
    problem_at text
        constraint uploads_problem_at_check check (length(problem_at) <= 500),
    encoding text
        constraint uploads_encoding_check check (encoding in ('utf-8', 'utf-16le', 'utf-16be', 'windows-1252')),
    delimiter text
        constraint uploads_delimiter_check check (delimiter in (',', ';', e'\t', '|')),
    header jsonb
        constraint uploads_header_check
        check (jsonb_typeof(header) = 'array' and switchboard.json_is_bounded(header, 1048576)),
    mapping jsonb not null default '{}'
        constraint uploads_mapping_check
        check (jsonb_typeof(mapping) = 'object' and switchboard.json_is_bounded(mapping, 65536)),
    options jsonb not null default '{}'
        constraint uploads_options_check
        check (jsonb_typeof(options) = 'object' and switchboard.json_is_bounded(options, 65536)),
    bytes_received bigint not null default 0,
    bytes_read bigint not null default 0,
    row_total integer,
    rows_detected integer not null default 0,
    rows_inserted integer not null default 0,
    rows_merged integer not null default 0,
    rows_skipped integer not null default 0,
    rows_suppressed integer not null default 0,
    rows_failed integer not null default 0,
    rows_per_second integer,
    seconds_remaining integer,
    started_at timestamptz,
    completed_at timestamptz,
    undone_at timestamptz,
    processing_time integer generated always as (
        extract(epoch from completed_at - started_at)::integer
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint uploads_rows_add_up_check check (
        rows_detected = rows_inserted + rows_merged + rows_skipped + rows_suppressed + rows_failed
    ),
    constraint uploads_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id)
);
comment on table public.uploads is
    'One import and how many of its rows became what; which failed is in upload_errors, which found their lead there already in upload_rows. The counts add up, by CHECK, at any moment.';
comment on column public.uploads.status is
    'pending: the file is coming; mapping: it was looked at (preview_upload); processing: rows are being imported (commit_upload); completed; failed: see problem.';
comment on column public.uploads.problem is
    'Why it stands still: quota_exceeded (commit_upload goes on when there is room); or why it failed: what csv_profile says of the file, cancelled, abandoned.';
comment on column public.uploads.problem_at is 'Where in the file: the number of a row or column, or a column''s name.';
comment on column public.uploads.header is 'The file''s columns, in order.';
comment on column public.uploads.bytes_received is 'Bytes of the file that have come (append_upload_chunk).';
comment on column public.uploads.bytes_read is 'Bytes of the file that have been imported: here commit_upload goes on.';
comment on column public.uploads.row_total is 'Rows of the file, without the header.';
comment on column public.uploads.rows_detected is 'Rows read so far; row_total when it is completed.';
comment on column public.uploads.rows_per_second is 'How fast the last call of commit_upload was.';
comment on column public.uploads.seconds_remaining is 'At that rate.';
comment on column public.uploads.undone_at is 'When undo_upload removed its last lead.';
comment on column public.uploads.processing_time is 'Seconds.';

create index uploads_dataset_id_idx on public.uploads (organization_id, dataset_id, created_at desc);
comment on index public.uploads_dataset_id_idx is
    'Foreign key to datasets; uploads of a dataset, newest first.';
create index uploads_created_at_idx on public.uploads (organization_id, created_at desc, id);
comment on index public.uploads_created_at_idx is 'List of an organization''s uploads, newest first.';
create index uploads_uploaded_by_idx on public.uploads (uploaded_by);
comment on index public.uploads_uploaded_by_idx is 'Foreign key to auth.users.';

select private.add_row_triggers('public.uploads');
select private.add_tenant_policies('public.uploads', 'uploads', dataset => 'dataset_id');
select private.add_audit('public.uploads', verbs => '{insert,delete}');
select private.add_broadcast('public.uploads', 'uploads.read');

grant select, delete on public.uploads
    to authenticated;
grant insert (organization_id, dataset_id, filename, mapping, options) on public.uploads to authenticated;
grant select, insert, update, delete on public.uploads to service_role;
