-- Datasets. Their counters are kept from the leads' own statements (leads.sql): exact, one update per statement.

create table public.datasets (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    name text not null
        constraint datasets_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text
        constraint datasets_description_check check (length(description) <= 2000),
    source text
        constraint datasets_source_check check (length(source) <= 200),
    column_mapping jsonb not null default '{}'
        constraint datasets_column_mapping_check
        check (jsonb_typeof(column_mapping) = 'object' and switchboard.json_is_bounded(column_mapping, 65536)),
    total_leads integer not null default 0,
    active_leads integer not null default 0,
    hot_leads integer not null default 0,
    converted_leads integer not null default 0,
    campaign_status text not null default 'draft'
        constraint datasets_campaign_status_check
        check (campaign_status in ('draft', 'active', 'paused', 'completed')),
    campaign_start_at timestamptz,
    campaign_end_at timestamptz,
    campaign_settings_id uuid,
    auto_archive_after_days integer not null default 28
        constraint datasets_auto_archive_after_days_check check (auto_archive_after_days between 1 and 3650),
    archived boolean not null generated always as (archived_at is not null) stored,
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint datasets_name_key unique (organization_id, name),
    constraint datasets_campaign_period_check check (campaign_start_at < campaign_end_at),
    constraint datasets_campaign_settings_id_fkey
        foreign key (organization_id, campaign_settings_id)
        references public.campaign_settings (organization_id, id)
        on delete set null (campaign_settings_id)
);
comment on table public.datasets is
    'A batch of leads and the campaign on it. The file it came from is in uploads.';
comment on column public.datasets.source is 'Where the leads are from, in the organization''s own words.';
comment on column public.datasets.column_mapping is
    'Column of the file → lead field, e.g. {"Mobile": "phone_number"}; import_leads uses it when its options bring no mapping.';
comment on column public.datasets.total_leads is
    'Leads in the dataset. This and the other three counters are kept by trigger; nobody writes them.';
comment on column public.datasets.active_leads is 'Leads that are not archived.';
comment on column public.datasets.hot_leads is 'Leads whose contact_status is HOT.';
comment on column public.datasets.converted_leads is 'Leads whose contact_status is CONVERTED.';
comment on column public.datasets.campaign_status is 'draft until a campaign is activated; not writable by clients.';
comment on index public.datasets_name_key is 'A name once per organization; dataset by name.';
create index datasets_created_at_idx on public.datasets (organization_id, created_at desc, id);
comment on index public.datasets_created_at_idx is 'List of an organization''s datasets, newest first.';
create index datasets_campaign_settings_id_idx
    on public.datasets (organization_id, campaign_settings_id);
comment on index public.datasets_campaign_settings_id_idx is
    'Foreign key to campaign_settings; datasets that share settings.';

select private.add_row_triggers('public.datasets');
select private.add_tenant_policies('public.datasets', 'datasets', dataset => 'id');
select private.add_audit('public.datasets', '{}', '{total_leads,active_leads,hot_leads,converted_leads}');
select private.add_quota('public.datasets', 'datasets');
select private.add_broadcast('public.datasets', 'datasets.read');

create trigger remove_datasets_from_scopes
    after delete on public.datasets referencing old table as old_rows
    for each statement execute function private.remove_datasets_from_scopes();

grant select, delete on public.datasets
    to authenticated;
grant insert (
    organization_id, name, description, source, column_mapping, campaign_start_at, campaign_end_at,
    campaign_settings_id, auto_archive_after_days
) on public.datasets to authenticated;
grant update (
    name, description, source, column_mapping, campaign_start_at, campaign_end_at,
    campaign_settings_id, auto_archive_after_days, archived_at
) on public.datasets to authenticated;
-- All but the counters.
grant select, delete on public.datasets to service_role;
grant insert (
    organization_id, id, name, description, source, column_mapping, campaign_status, campaign_start_at, campaign_end_at,
    campaign_settings_id, auto_archive_after_days, archived_at, created_at, updated_at
) on public.datasets to service_role;
grant update (
    organization_id, id, name, description, source, column_mapping, campaign_status, campaign_start_at, campaign_end_at,
    campaign_settings_id, auto_archive_after_days, archived_at, created_at, updated_at
) on public.datasets to service_role;
