-- Plan overrides: one organization's limits that differ from its plan's.

create table public.plan_overrides (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    quota text not null references private.quotas (name),
    max_count integer not null
        constraint plan_overrides_max_count_check check (max_count >= -1),
    reason text not null
        constraint plan_overrides_reason_check check (btrim(reason) <> '' and length(reason) <= 500),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, quota)
);
comment on table public.plan_overrides is
    'Limits of one organization that differ from its plan''s. Written with the service key; usage() shows the result, nobody else reads the table.';
comment on column public.plan_overrides.max_count is '-1: unlimited.';
create index plan_overrides_quota_idx on public.plan_overrides (quota);
comment on index public.plan_overrides_quota_idx is 'Foreign key to quotas.';

select private.add_row_triggers('public.plan_overrides', '{organization_id,quota,created_at}');

alter table public.plan_overrides enable row level security;
alter table public.plan_overrides force row level security;
create policy plan_overrides_select on public.plan_overrides for select to authenticated
    using (false);
create policy plan_overrides_insert on public.plan_overrides for insert to authenticated
    with check (false);
create policy plan_overrides_update on public.plan_overrides for update to authenticated
    using (false) with check (false);
create policy plan_overrides_delete on public.plan_overrides for delete to authenticated
    using (false);

grant select, insert, update, delete on public.plan_overrides to service_role;

select private.add_audit('public.plan_overrides', capability => 'organization.read');
