-- Phone numbers of an organization: stored in E.164, as typed beside it. One active owner per number in the whole
-- installation, because a call has to arrive somewhere.

create table public.phone_numbers (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    provider_account_id uuid,
    provider text not null
        constraint phone_numbers_provider_check check (private.is_provider(provider)),
    phone_number text not null
        constraint phone_numbers_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text
        constraint phone_numbers_phone_input_check check (length(phone_input) <= 250),
    friendly_name text
        constraint phone_numbers_friendly_name_check check (length(friendly_name) <= 100),
    metadata jsonb not null default '{}'
        constraint phone_numbers_metadata_check
        check (jsonb_typeof(metadata) = 'object' and switchboard.json_is_bounded(metadata, 16384)),
    agent_id uuid,
    webhook_url text
        constraint phone_numbers_webhook_url_check check (length(webhook_url) <= 2000),
    webhook_observed_url text
        constraint phone_numbers_webhook_observed_url_check check (length(webhook_observed_url) <= 2000),
    webhook_configured boolean not null generated always as (
        webhook_url is not null
        and webhook_observed_url is not null
        and webhook_url = webhook_observed_url
    ) stored,
    status text not null default 'active'
        constraint phone_numbers_status_check check (status in ('active', 'inactive', 'error')),
    last_verified_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint phone_numbers_phone_number_key unique (organization_id, phone_number),
    constraint phone_numbers_provider_account_id_fkey
        foreign key (organization_id, provider_account_id)
        references public.provider_accounts (organization_id, id)
        on delete set null (provider_account_id),
    constraint phone_numbers_agent_id_fkey
        foreign key (organization_id, agent_id)
        references public.agents (organization_id, id)
        on delete set null (agent_id)
);
comment on table public.phone_numbers is
    'A number on which agents take and make calls. Added by add_phone_number, which alone may say that a number is taken.';
comment on column public.phone_numbers.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country.';
comment on column public.phone_numbers.phone_input is 'The number as it was typed.';
comment on column public.phone_numbers.metadata is
    'What the provider says of the number: region, capabilities, areaCode, state, type.';
comment on column public.phone_numbers.agent_id is 'The agent that answers calls to this number.';
comment on column public.phone_numbers.webhook_observed_url is
    'The webhook that the provider has on record, as last read back.';
comment on column public.phone_numbers.webhook_configured is
    'The provider has the webhook that we want.';
comment on index public.phone_numbers_phone_number_key is 'A number once per organization, whatever its status.';

create unique index phone_numbers_active_key on public.phone_numbers (phone_number)
    where status = 'active';
comment on index public.phone_numbers_active_key is
    'route_inbound_call: called number to its one active owner; also the rule that there is only one.';
create index phone_numbers_not_active_idx on public.phone_numbers (phone_number)
    where status <> 'active';
comment on index public.phone_numbers_not_active_idx is
    'route_inbound_call: a call to a number that is known but switched off.';
create index phone_numbers_created_at_idx on public.phone_numbers (organization_id, created_at desc, id);
comment on index public.phone_numbers_created_at_idx is 'List of an organization''s numbers, newest first.';
create index phone_numbers_agent_id_idx on public.phone_numbers (organization_id, agent_id);
comment on index public.phone_numbers_agent_id_idx is 'Foreign key to agents; numbers of an agent.';
create index phone_numbers_provider_account_id_idx
    on public.phone_numbers (organization_id, provider_account_id);
comment on index public.phone_numbers_provider_account_id_idx is
    'Foreign key to provider_accounts; numbers of an account.';

create trigger normalize_phone
    before insert or update on public.phone_numbers
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization'
    );

select private.add_row_triggers('public.phone_numbers');
select private.add_tenant_policies('public.phone_numbers', 'phone_numbers');
select private.add_audit('public.phone_numbers', '{}', '{last_verified_at}');
select private.add_quota('public.phone_numbers', 'phone_numbers');
select private.add_broadcast('public.phone_numbers', 'phone_numbers.read');

grant select, delete on public.phone_numbers to authenticated;
grant update (provider_account_id, friendly_name, metadata, agent_id, webhook_url, status)
    on public.phone_numbers to authenticated;
grant select, insert, update, delete on public.phone_numbers to service_role;
