-- Phone numbers of an organization (S3): stored in E.164, as typed beside it. One active owner per
-- number in the whole installation, because a call has to arrive somewhere.

create table public.phone_numbers (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    provider_account_id uuid,
    provider text not null
        constraint phone_numbers_provider_check
        check (provider in ('twilio', 'telnyx', 'vonage', 'bandwidth', 'sip')),
    phone_number text not null
        constraint phone_numbers_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text,
    friendly_name text
        constraint phone_numbers_friendly_name_check check (length(friendly_name) <= 100),
    metadata jsonb not null default '{}'
        constraint phone_numbers_metadata_check check (jsonb_typeof(metadata) = 'object'),
    agent_id uuid,
    webhook_url text,
    webhook_observed_url text,
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
    'What the provider says of the number: region, capabilities, areaCode, state, type (S3).';
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

-- Circular on purpose, like the default agent.
alter table public.organizations
    add constraint organizations_default_phone_number_id_fkey
        foreign key (id, default_phone_number_id)
        references public.phone_numbers (organization_id, id)
        on delete set null (default_phone_number_id);
create index organizations_default_phone_number_id_idx on public.organizations (id, default_phone_number_id);
comment on index public.organizations_default_phone_number_id_idx is
    'Foreign key to phone_numbers: finds the organization to clear when a number is deleted.';
grant update (default_phone_number_id) on public.organizations to authenticated;

create trigger normalize_phone
    before insert or update on public.phone_numbers
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization'
    );

select private.add_row_triggers('public.phone_numbers');
select private.add_tenant_policies('public.phone_numbers', 'phone_numbers');
select private.add_audit('public.phone_numbers', '{}', '{last_verified_at}');
select private.add_quota('public.phone_numbers', 'phone_numbers');

grant select, delete on public.phone_numbers to authenticated;
grant update (provider_account_id, friendly_name, metadata, agent_id, webhook_url, status)
    on public.phone_numbers to authenticated;
grant select on public.phone_numbers to service_role;

create function private.add_phone_number(
    p_phone_number text,
    p_provider text,
    p_provider_account_id uuid,
    p_agent_id uuid,
    p_friendly_name text,
    p_metadata jsonb
) returns public.phone_numbers
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('phone_numbers.write');
    v_provider text := p_provider;
    v_account_provider text;
    v_row public.phone_numbers;
begin
    if p_phone_number is null or btrim(p_phone_number) = '' then
        raise exception using errcode = '22023', message = 'phone_number is required';
    end if;
    if coalesce(jsonb_typeof(p_metadata), 'object') <> 'object' then
        raise exception using errcode = '22023', message = 'metadata must be a JSON object';
    end if;
    if length(p_friendly_name) > 100 then
        raise exception using errcode = '22023', message = 'friendly_name must have at most 100 characters';
    end if;

    if p_provider_account_id is not null then
        select a.provider into v_account_provider
            from public.provider_accounts a
            where a.organization_id = v_org and a.id = p_provider_account_id;
        if not found then
            raise exception using
                errcode = 'PT404',
                message = 'provider_account_not_found',
                detail = 'The organization has no provider account with this id.';
        end if;
        if v_provider is distinct from v_account_provider and v_provider is not null then
            raise exception using
                errcode = '22023',
                message = format('provider is %s, but the provider account is at %s', v_provider, v_account_provider);
        end if;
        v_provider := v_account_provider;
    end if;
    if v_provider is null then
        raise exception using
            errcode = '22023',
            message = 'provider or provider_account_id is required';
    end if;
    if v_provider not in ('twilio', 'telnyx', 'vonage', 'bandwidth', 'sip') then
        raise exception using
            errcode = '22023',
            message = 'provider must be one of twilio, telnyx, vonage, bandwidth, sip';
    end if;
    if p_agent_id is not null and not exists (
        select from public.agents a where a.organization_id = v_org and a.id = p_agent_id
    ) then
        raise exception using
            errcode = 'PT404',
            message = 'agent_not_found',
            detail = 'The organization has no agent with this id.';
    end if;

    begin
        insert into public.phone_numbers (
            organization_id, provider_account_id, provider, phone_number, friendly_name, metadata, agent_id
        ) values (
            v_org, p_provider_account_id, v_provider, p_phone_number, p_friendly_name,
            coalesce(p_metadata, '{}'), p_agent_id
        )
        returning * into v_row;
    exception
        when unique_violation then
            -- The same words whether this organization or another one has it.
            raise exception using
                errcode = 'PT409',
                message = 'number_in_use',
                detail = 'This phone number is already in use.',
                hint = 'Look among your own numbers, or ask support to release it.';
    end;
    return v_row;
end;
$$;
comment on function private.add_phone_number(text, text, uuid, uuid, text, jsonb) is
    'Body of public.add_phone_number; see there. Definer, so that the unique index over all organizations answers only through the one error below.';

create function public.add_phone_number(
    phone_number text,
    provider text default null,
    provider_account_id uuid default null,
    agent_id uuid default null,
    friendly_name text default null,
    metadata jsonb default '{}'
) returns public.phone_numbers
    language sql volatile
    set search_path = ''
begin atomic
    select private.add_phone_number(
        phone_number, provider, provider_account_id, agent_id, friendly_name, metadata
    );
end;
comment on function public.add_phone_number(text, text, uuid, uuid, text, jsonb) is
    'Adds a phone number to the caller''s organization and returns its row. phone_number: any spelling, read in the organization''s default_country; provider: may be left out when provider_account_id is given. Raises PT401, PT400, PT403 (phone_numbers.write), 22023 (phone_number, provider, friendly_name, metadata), PT404 provider_account_not_found or agent_not_found, PT409 number_in_use (never says by whom).';

grant execute on function private.add_phone_number(text, text, uuid, uuid, text, jsonb) to authenticated;
grant execute on function public.add_phone_number(text, text, uuid, uuid, text, jsonb) to authenticated;
