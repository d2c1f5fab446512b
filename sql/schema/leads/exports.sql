-- Exports: files of leads that somebody asked for. The file itself lies in the bucket exports until it expires.

create table public.exports (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    query text
        constraint exports_query_check check (length(query) <= 200),
    filters jsonb not null default '{}'
        constraint exports_filters_check
        check (jsonb_typeof(filters) = 'object' and switchboard.json_is_bounded(filters, 65536)),
    attribute_names text[] not null default '{}',
    status text not null default 'running'
        constraint exports_status_check check (status in ('running', 'ready', 'failed')),
    rows_written integer not null default 0
        constraint exports_rows_written_check check (rows_written >= 0),
    storage_path text
        constraint exports_storage_path_check check (length(storage_path) <= 500),
    file_size bigint
        constraint exports_file_size_check check (file_size >= 0),
    problem text
        constraint exports_problem_check check (length(problem) <= 500),
    created_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint exports_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id)
);
comment on table public.exports is
    'A CSV file of leads: what it was asked for, how far it is, where it lies and until when. Written by create_export, export_leads and finish_export.';
comment on column public.exports.dataset_id is 'The dataset that it is of; NULL: of all, or of one that is deleted, for members without a dataset scope.';
comment on column public.exports.query is 'As for search_leads; erase_person takes it away, for it may name somebody.';
comment on column public.exports.filters is 'As for search_leads.';
comment on column public.exports.attribute_names is 'The leads'' attributes that become columns behind the fields.';
comment on column public.exports.storage_path is 'In the bucket exports.';
comment on column public.exports.expires_at is 'Until then whoever has exports.read reads the file; the next export deletes it.';
create index exports_created_at_idx on public.exports (organization_id, created_at desc, id);
comment on index public.exports_created_at_idx is 'List of an organization''s exports, newest first.';
create unique index exports_storage_path_key on public.exports (organization_id, storage_path);
comment on index public.exports_storage_path_key is 'The export of a file, for the policy of storage.objects.';
create index exports_dataset_id_idx on public.exports (organization_id, dataset_id) where dataset_id is not null;
comment on index public.exports_dataset_id_idx is 'Foreign key to datasets.';
create index exports_created_by_idx on public.exports (created_by);
comment on index public.exports_created_by_idx is 'Foreign key to auth.users.';

select private.add_row_triggers('public.exports');
select private.add_tenant_policies('public.exports', 'exports', '{insert,update,delete}', dataset => 'dataset_id');
select private.add_audit('public.exports', '{query}', '{rows_written,status,file_size,problem}');

grant select on public.exports to authenticated;
-- The edge function deletes a row with its file.
grant select, delete on public.exports to service_role;
