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
    mapping jsonb not null default '{}'
        constraint uploads_mapping_check
        check (jsonb_typeof(mapping) = 'object' and switchboard.json_is_bounded(mapping, 65536)),
    options jsonb not null default '{}'
        constraint uploads_options_check
        check (jsonb_typeof(options) = 'object' and switchboard.json_is_bounded(options, 65536)),
    rows_detected integer not null default 0,
    rows_inserted integer not null default 0,
    rows_merged integer not null default 0,
    rows_skipped integer not null default 0,
    rows_suppressed integer not null default 0,
    rows_failed integer not null default 0,
    started_at timestamptz,
    completed_at timestamptz,
    processing_time integer generated always as (
        extract(epoch from completed_at - started_at)::integer
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint uploads_rows_add_up_check check (
        status <> 'completed'
        or rows_detected = rows_inserted + rows_merged + rows_skipped + rows_suppressed + rows_failed
    ),
    constraint uploads_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id)
);
comment on table public.uploads is
    'One import and how many of its rows became what; which failed is in upload_errors. In a completed one the counts add up, by CHECK.';
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

grant select, delete on public.uploads
    to authenticated;
grant insert (organization_id, dataset_id, filename, mapping, options) on public.uploads to authenticated;
grant select, insert, update, delete on public.uploads to service_role;
