-- Upload rows: the rows of a file that made no lead though nothing was wrong with them, because their number was there
-- already or had opted out. A row that became a lead is that lead (leads.upload_id, row_number).

create table public.upload_rows (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    upload_id uuid not null,
    dataset_id uuid,
    row_number integer not null
        constraint upload_rows_row_number_check check (row_number > 0),
    decision text not null
        constraint upload_rows_decision_check check (decision in ('merged', 'skipped', 'suppressed')),
    lead_id uuid,
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint upload_rows_upload_id_fkey
        foreign key (organization_id, upload_id)
        references public.uploads (organization_id, id)
        on delete cascade,
    constraint upload_rows_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id),
    constraint upload_rows_lead_id_fkey
        foreign key (organization_id, lead_id)
        references public.leads (organization_id, id)
        on delete set null (lead_id)
);
comment on table public.upload_rows is
    'A row of an import that became no lead of its own, and the lead that it repeats. Written by imports; for members who read all leads, in their datasets. Goes with its upload.';
comment on column public.upload_rows.dataset_id is 'The upload''s dataset, for the policies.';
comment on column public.upload_rows.row_number is 'The row of the file, counted from 1 without the header.';
comment on column public.upload_rows.lead_id is 'The lead with the same number, if the importer could see one.';
create index upload_rows_upload_id_idx on public.upload_rows (organization_id, upload_id, row_number);
comment on index public.upload_rows_upload_id_idx is 'Foreign key to uploads; rows of an upload in their order.';
create index upload_rows_dataset_id_idx on public.upload_rows (organization_id, dataset_id)
    where dataset_id is not null;
comment on index public.upload_rows_dataset_id_idx is 'Foreign key to datasets.';
create index upload_rows_lead_id_idx on public.upload_rows (organization_id, lead_id)
    where lead_id is not null;
comment on index public.upload_rows_lead_id_idx is 'Foreign key to leads.';

select private.add_row_triggers('public.upload_rows');
select private.add_tenant_policies('public.upload_rows', 'uploads', '{insert,update,delete}', dataset => 'dataset_id');
alter policy upload_rows_select on public.upload_rows using (
    organization_id = (select switchboard.organization_for('uploads.read'))
    and (select switchboard.organization_for('leads.read_all')) is not null
    and (
        (select 1 where switchboard.dataset_scope() is null) is not null
        or dataset_id = any ((select switchboard.dataset_scope())::uuid[])
    )
);

grant select on public.upload_rows to authenticated;
grant select, insert, update, delete on public.upload_rows to service_role;
