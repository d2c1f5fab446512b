-- Calls. Server code writes here through route_inbound_call; members of an organization read.

create table public.calls (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    agent_id uuid,
    prompt_version_id uuid,
    phone_number_id uuid,
    customer_id uuid,
    lead_id uuid,
    dataset_id uuid,
    assigned_to uuid,
    direction text not null
        constraint calls_direction_check check (direction in ('inbound', 'outbound')),
    caller_number text
        constraint calls_caller_number_check check (switchboard.is_e164(caller_number)),
    caller_input text
        constraint calls_caller_input_check check (length(caller_input) <= 250),
    called_number text not null
        constraint calls_called_number_check check (switchboard.is_e164(called_number)),
    provider text not null
        constraint calls_provider_check check (private.is_provider(provider)),
    provider_sid text not null
        constraint calls_provider_sid_check check (btrim(provider_sid) <> '' and length(provider_sid) <= 200),
    status text not null default 'ringing'
        constraint calls_status_check check (status in (
            'ringing', 'in_progress', 'completed', 'busy', 'no_answer', 'failed', 'rejected'
        )),
    decision jsonb not null
        constraint calls_decision_check
        check (jsonb_typeof(decision) = 'object' and switchboard.json_is_bounded(decision, 262144)),
    started_at timestamptz not null default now(),
    answered_at timestamptz,
    ended_at timestamptz,
    duration_seconds integer generated always as (
        extract(epoch from ended_at - started_at)::integer
    ) stored,
    outcome text
        constraint calls_outcome_check check (length(outcome) <= 200),
    sentiment text
        constraint calls_sentiment_check check (length(sentiment) <= 200),
    summary text
        constraint calls_summary_check check (length(summary) <= 10000),
    recording_path text
        constraint calls_recording_path_check check (length(recording_path) <= 1024),
    transcript text
        constraint calls_transcript_check check (length(transcript) <= 1000000),
    cost_micros bigint,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint calls_provider_sid_key unique (organization_id, provider, provider_sid),
    constraint calls_period_check check (ended_at >= started_at),
    constraint calls_agent_id_fkey
        foreign key (organization_id, agent_id)
        references public.agents (organization_id, id)
        on delete set null (agent_id),
    constraint calls_prompt_version_id_fkey
        foreign key (organization_id, prompt_version_id)
        references public.prompt_versions (organization_id, id)
        on delete set null (prompt_version_id),
    constraint calls_phone_number_id_fkey
        foreign key (organization_id, phone_number_id)
        references public.phone_numbers (organization_id, id)
        on delete set null (phone_number_id),
    constraint calls_customer_id_fkey
        foreign key (organization_id, customer_id)
        references public.customers (organization_id, id)
        on delete set null (customer_id),
    constraint calls_lead_id_fkey
        foreign key (organization_id, lead_id)
        references public.leads (organization_id, id)
        on delete set null (lead_id),
    constraint calls_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id),
    constraint calls_assigned_to_fkey
        foreign key (organization_id, assigned_to)
        references public.memberships (organization_id, user_id)
        on delete set null (assigned_to)
);
comment on table public.calls is
    'A call. Written by server code only; a provider''s call id appears once, so a repeated webhook finds the call it already made.';
comment on column public.calls.caller_number is
    'The caller; NULL when withheld or not a phone number. caller_input keeps what the provider sent.';
comment on column public.calls.decision is
    'What route_inbound_call decided, with the ids of whom it is about and nothing else of them: who may read calls need not read customers.';
comment on column public.calls.dataset_id is
    'The lead''s dataset, by trigger: who works on some datasets sees the calls of their leads. NULL for a caller who is no lead.';
comment on column public.calls.assigned_to is
    'To whom the lead is assigned, by trigger: who sees only the own leads sees their calls. A copy, because a policy that looked into leads would do so for every call it passes by.';
comment on column public.calls.recording_path is
    'Where the recording is kept. This and transcript are not readable; call_recording answers them to members with recordings.read.';
comment on column public.calls.duration_seconds is 'From started_at to ended_at.';
comment on column public.calls.cost_micros is 'Millionths of the currency unit.';
comment on index public.calls_provider_sid_key is
    'route_inbound_call: the call of a repeated webhook. Within the organization: another tenant''s call id finds nothing.';
create index calls_started_at_idx on public.calls (organization_id, started_at desc, id)
    include (dataset_id, assigned_to);
comment on index public.calls_started_at_idx is
    'List of an organization''s calls, newest first; their count, for which it carries what the policies compare.';
create index calls_active_idx on public.calls (organization_id, started_at)
    where status in ('ringing', 'in_progress');
comment on index public.calls_active_idx is
    'route_inbound_call and usage: calls of an organization that are going on.';
create index calls_agent_id_idx on public.calls (organization_id, agent_id);
comment on index public.calls_agent_id_idx is 'Foreign key to agents; calls of an agent.';
create index calls_prompt_version_id_idx on public.calls (organization_id, prompt_version_id);
comment on index public.calls_prompt_version_id_idx is
    'Foreign key to prompt_versions; calls answered with a version.';
create index calls_phone_number_id_idx on public.calls (organization_id, phone_number_id);
comment on index public.calls_phone_number_id_idx is 'Foreign key to phone_numbers; calls to a number.';
create index calls_customer_id_idx on public.calls (organization_id, customer_id);
comment on index public.calls_customer_id_idx is 'Foreign key to customers; calls of a customer.';
create index calls_lead_id_idx on public.calls (organization_id, lead_id);
comment on index public.calls_lead_id_idx is
    'Foreign key to leads; calls of a lead, also to follow its dataset and assignment.';
create index calls_dataset_id_idx on public.calls (organization_id, dataset_id)
    where dataset_id is not null;
comment on index public.calls_dataset_id_idx is 'Foreign key to datasets; calls of a dataset.';
create index calls_assigned_to_idx on public.calls (organization_id, assigned_to)
    where assigned_to is not null;
comment on index public.calls_assigned_to_idx is 'Foreign key to memberships; calls of a member''s leads.';

create function private.copy_lead_to_call() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- The lock makes a reassignment of the lead come before or after this call, never past it. A lead that
    -- somebody is changing is read as it was: a ringing phone does not wait for an import to end.
    select l.dataset_id, l.assigned_to into new.dataset_id, new.assigned_to
        from public.leads l
        where l.organization_id = new.organization_id and l.id = new.lead_id
        for share skip locked;
    if not found then
        select l.dataset_id, l.assigned_to into new.dataset_id, new.assigned_to
            from public.leads l
            where l.organization_id = new.organization_id and l.id = new.lead_id;
    end if;
    return new;
end;
$$;
comment on function private.copy_lead_to_call() is
    'BEFORE trigger on calls: dataset_id and assigned_to are the lead''s, whatever was written. Definer: server code has no right to lock leads. Raises nothing.';
create trigger copy_lead_to_call_insert
    before insert on public.calls
    for each row
    when (new.lead_id is not null or new.dataset_id is not null or new.assigned_to is not null)
    execute function private.copy_lead_to_call();
create trigger copy_lead_to_call_update
    before update on public.calls
    for each row
    when (new.lead_id is distinct from old.lead_id and new.lead_id is not null)
    execute function private.copy_lead_to_call();

select private.add_row_triggers('public.calls');
select private.add_tenant_policies(
    'public.calls', 'calls', '{insert,update}', dataset => 'dataset_id', own => 'assigned_to'
);
select private.add_broadcast('public.calls', 'calls.read_all');

-- All but recording_path and transcript.
grant select (
    organization_id, id, agent_id, prompt_version_id, phone_number_id, customer_id, lead_id, dataset_id,
    assigned_to, direction, caller_number, caller_input, called_number, provider, provider_sid, status, decision, started_at,
    answered_at, ended_at, duration_seconds, outcome, sentiment, summary, cost_micros, created_at, updated_at
) on public.calls to authenticated;
grant delete on public.calls to authenticated;
-- All but the copies of the lead's dataset and member.
grant select, insert, delete on public.calls to service_role;
grant update (
    organization_id, id, agent_id, prompt_version_id, phone_number_id, customer_id, lead_id, direction, caller_number,
    caller_input, called_number, provider, provider_sid, status, decision, started_at, answered_at, ended_at, outcome,
    sentiment, summary, recording_path, transcript, cost_micros, created_at, updated_at
) on public.calls to service_role;
