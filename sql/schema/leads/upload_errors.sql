-- Upload errors: the rows of a file that did not become leads, with what stood in the cell. They are as much as leads,
-- numbers included, so they have a table and policies of their own beside uploads, which every member reads.

create table public.upload_errors (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    upload_id uuid not null,
    dataset_id uuid,
    row_number integer not null
        constraint upload_errors_row_number_check check (row_number > 0),
    column_name text
        constraint upload_errors_column_name_check check (length(column_name) <= 500),
    value text
        constraint upload_errors_value_check check (length(value) <= 500),
    reason text not null
        constraint upload_errors_reason_check check (reason ~ '^[a-z_0-9]{1,63}$'),
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint upload_errors_upload_id_fkey
        foreign key (organization_id, upload_id)
        references public.uploads (organization_id, id)
        on delete cascade,
    constraint upload_errors_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id)
);
comment on table public.upload_errors is
    'A row of an import that failed, and why. Written by import_leads; for members who read all leads, in their datasets. Goes with its upload.';
comment on column public.upload_errors.dataset_id is 'The upload''s dataset, for the policies.';
comment on column public.upload_errors.row_number is 'The row of the file, counted from 1 without the header.';
comment on column public.upload_errors.column_name is 'The column as the file calls it; NULL when it is the whole row.';
comment on column public.upload_errors.value is 'The cell as given, at most 500 characters of it.';
comment on column public.upload_errors.reason is 'required, invalid_email …, or a reason of parse_phone.';
create index upload_errors_upload_id_idx on public.upload_errors (organization_id, upload_id, row_number);
comment on index public.upload_errors_upload_id_idx is 'Foreign key to uploads; errors of an upload in the order of its rows.';
create index upload_errors_dataset_id_idx on public.upload_errors (organization_id, dataset_id)
    where dataset_id is not null;
comment on index public.upload_errors_dataset_id_idx is 'Foreign key to datasets.';

select private.add_row_triggers('public.upload_errors');
select private.add_tenant_policies(
    'public.upload_errors', 'uploads', '{insert,update,delete}', dataset => 'dataset_id'
);
alter policy upload_errors_select on public.upload_errors using (
    organization_id = (select switchboard.organization_for('uploads.read'))
    and (select switchboard.organization_for('leads.read_all')) is not null
    and (
        (select 1 where switchboard.dataset_scope() is null) is not null
        or dataset_id = any ((select switchboard.dataset_scope())::uuid[])
    )
);

grant select on public.upload_errors to authenticated;
grant select, insert, update, delete on public.upload_errors to service_role;
