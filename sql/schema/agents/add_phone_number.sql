-- The RPC that adds a phone number; it alone may say that a number is taken.

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
    if not switchboard.json_is_bounded(p_metadata, 16384) then
        raise exception using errcode = '22023', message = 'metadata must not exceed 16 kB of JSON text';
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
    if not private.is_provider(v_provider) then
        raise exception using
            errcode = '22023',
            message = 'provider must be one of ' || array_to_string(private.providers(), ', ');
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
    'Adds a phone number to the caller''s organization, in any spelling, and returns its row. Raises PT401, PT400, PT403 (phone_numbers.write), 22023 (phone_number, provider, friendly_name, metadata), PT404 provider_account_not_found or agent_not_found, PT409 number_in_use (never says by whom).';
grant execute on function private.add_phone_number(text, text, uuid, uuid, text, jsonb) to authenticated;
grant execute on function public.add_phone_number(text, text, uuid, uuid, text, jsonb) to authenticated;
