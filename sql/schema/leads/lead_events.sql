-- What became of a lead: each change of its status, its member and its number, by whom and why.

create table public.lead_events (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    lead_id uuid not null,
    dataset_id uuid,
    assigned_to uuid,
    kind text not null
        constraint lead_events_kind_check check (kind in ('status', 'assignment', 'number')),
    before text,
    after text,
    actor text not null
        constraint lead_events_actor_check check (actor in ('human', 'ai', 'system')),
    actor_id uuid,
    reason text
        constraint lead_events_reason_check check (length(reason) <= 500),
    created_at timestamptz not null default clock_timestamp(),
    primary key (organization_id, id),
    constraint lead_events_lead_id_fkey
        foreign key (organization_id, lead_id)
        references public.leads (organization_id, id)
        on delete cascade
);
comment on table public.lead_events is
    'The history of a lead, seen by whoever sees the lead, gone with it. Written by trigger.';
comment on column public.lead_events.dataset_id is 'The lead''s, for the policies; kept by trigger.';
comment on column public.lead_events.assigned_to is 'The lead''s, for the policies; kept by trigger.';
comment on column public.lead_events.before is 'contact_status, assigned_to or phone_number as it was; NULL: none.';
comment on column public.lead_events.after is 'The same as it became.';
comment on column public.lead_events.actor is 'human: a signed-in person; ai: the agent, by set_lead_status; system: any other server code.';
comment on column public.lead_events.actor_id is 'The signed-in user. Without a foreign key: the event outlives the account.';
comment on column public.lead_events.reason is 'What set_lead_status or assign_leads were told.';
create index lead_events_lead_id_idx on public.lead_events (organization_id, lead_id, created_at desc, id);
comment on index public.lead_events_lead_id_idx is 'Foreign key to leads; a lead''s history, newest first.';

select private.add_row_triggers('public.lead_events');
select private.add_tenant_policies(
    'public.lead_events', 'leads', '{insert,update,delete}', dataset => 'dataset_id', own => 'assigned_to'
);

grant select on public.lead_events to authenticated;
grant select on public.lead_events to service_role;
