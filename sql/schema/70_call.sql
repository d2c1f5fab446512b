-- The call path: callers, calls, and the one question a telephony provider's webhook asks, who answers.
-- Server code writes here through route_inbound_call; members of an organization read.

create table public.customers (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    phone_number text not null
        constraint customers_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text,
    name text
        constraint customers_name_check check (length(name) <= 200),
    email text
        constraint customers_email_check
        check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and length(email) <= 320),
    attributes jsonb not null default '{}'
        constraint customers_attributes_check check (jsonb_typeof(attributes) = 'object'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint customers_phone_number_key unique (organization_id, phone_number)
);
comment on table public.customers is
    'A person who called, once per organization and number (S1). A lead is a campaign''s entry; a customer is whoever rings.';
comment on column public.customers.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country.';
comment on column public.customers.phone_input is 'The number as it was given.';
comment on index public.customers_phone_number_key is
    'A number once per organization; route_inbound_call: customer of a caller.';
create index customers_created_at_idx on public.customers (organization_id, created_at desc, id);
comment on index public.customers_created_at_idx is 'List of an organization''s customers, newest first.';

create trigger normalize_phone
    before insert or update on public.customers
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization'
    );

select private.add_row_triggers('public.customers');
select private.add_tenant_policies('public.customers', 'customers');

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
    caller_input text,
    called_number text not null
        constraint calls_called_number_check check (switchboard.is_e164(called_number)),
    provider text not null
        constraint calls_provider_check
        check (provider in ('twilio', 'telnyx', 'vonage', 'bandwidth', 'sip')),
    provider_sid text not null
        constraint calls_provider_sid_check check (btrim(provider_sid) <> '' and length(provider_sid) <= 200),
    status text not null default 'ringing'
        constraint calls_status_check check (status in (
            'ringing', 'in_progress', 'completed', 'busy', 'no_answer', 'failed', 'rejected'
        )),
    decision jsonb not null
        constraint calls_decision_check check (jsonb_typeof(decision) = 'object'),
    started_at timestamptz not null default now(),
    answered_at timestamptz,
    ended_at timestamptz,
    duration_seconds integer generated always as (
        extract(epoch from ended_at - started_at)::integer
    ) stored,
    outcome text,
    sentiment text,
    summary text,
    recording_path text,
    transcript text,
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
    'A call (S0). Written by server code only; a provider''s call id appears once, so a repeated webhook finds the call it already made.';
comment on column public.calls.caller_number is
    'The caller; NULL when withheld or not a phone number. caller_input keeps what the provider sent.';
comment on column public.calls.decision is
    'What route_inbound_call answered, without the prompt''s text, which prompt_version_id finds.';
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

create function private.copy_lead_to_its_calls() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    update public.calls c
        set dataset_id = new.dataset_id, assigned_to = new.assigned_to
        where c.organization_id = new.organization_id and c.lead_id = new.id;
    return null;
end;
$$;
comment on function private.copy_lead_to_its_calls() is
    'AFTER UPDATE trigger on leads: a lead that moves to another dataset or member takes its calls along. Definer: no client updates calls. Raises nothing.';
create trigger copy_lead_to_its_calls
    after update on public.leads
    for each row
    when (
        new.dataset_id is distinct from old.dataset_id
        or new.assigned_to is distinct from old.assigned_to
    )
    execute function private.copy_lead_to_its_calls();

select private.add_row_triggers('public.calls');
select private.add_tenant_policies(
    'public.calls', 'calls', '{insert,update}', dataset => 'dataset_id', own => 'assigned_to'
);

grant select, delete on public.customers to authenticated;
-- All but recording_path and transcript.
grant select (
    organization_id, id, agent_id, prompt_version_id, phone_number_id, customer_id, lead_id, dataset_id,
    assigned_to, direction, caller_number, caller_input, called_number, provider, provider_sid, status, decision, started_at,
    answered_at, ended_at, duration_seconds, outcome, sentiment, summary, cost_micros, created_at, updated_at
) on public.calls to authenticated;
grant delete on public.calls to authenticated;
grant insert (organization_id, phone_number, name, email, attributes)
    on public.customers to authenticated;
grant update (phone_number, name, email, attributes) on public.customers to authenticated;
grant select, insert on public.customers, public.calls to service_role;

create function public.route_inbound_call(
    called text,
    caller text,
    provider text,
    provider_sid text
) returns jsonb
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_called text := btrim(coalesce(route_inbound_call.called, ''));
    v_caller text := btrim(coalesce(route_inbound_call.caller, ''));
    v_candidates text[];
    v_number public.phone_numbers;
    v_organization public.organizations;
    v_agent public.agents;
    v_customer public.customers;
    v_lead public.leads;
    v_from text;
    v_compiled text;
    v_outcome text;
    v_reason text;
    v_limit integer;
    v_call_id uuid := gen_random_uuid();
    v_decision jsonb;
begin
    if route_inbound_call.provider is null
        or route_inbound_call.provider not in ('twilio', 'telnyx', 'vonage', 'bandwidth', 'sip')
    then
        raise exception using
            errcode = '22023',
            message = 'provider must be one of twilio, telnyx, vonage, bandwidth, sip';
    end if;
    if route_inbound_call.provider_sid is null
        or btrim(route_inbound_call.provider_sid) = ''
        or length(route_inbound_call.provider_sid) > 200
    then
        raise exception using
            errcode = '22023',
            message = 'provider_sid must be the provider''s id of the call, 1 to 200 characters';
    end if;

    -- sip:+441632960000@example.net;user=phone and tel:+441632960000 carry the number in the user part.
    v_called := regexp_replace(v_called, '^(sips?|tel):([^@;]*).*$', '\2', 'i');
    v_caller := regexp_replace(v_caller, '^(sips?|tel):([^@;]*).*$', '\2', 'i');

    v_candidates := array_remove(array[
        switchboard.to_e164(v_called, null),
        case when v_called ~ '^[1-9][0-9]{6,14}$' then switchboard.to_e164('+' || v_called, null) end
    ], null);
    select n.* into v_number
        from public.phone_numbers n
        where n.status = 'active' and n.phone_number = any (v_candidates);
    if not found then
        select n.* into v_number
            from public.phone_numbers n
            where n.status <> 'active' and n.phone_number = any (v_candidates)
            order by n.updated_at desc
            limit 1;
    end if;
    if v_number.id is null and v_called ~ '^[0-9][0-9 ()-]{4,20}$' then
        -- Some trunks send the national form of the number's own country. One match or none: a guess
        -- between two countries would hand a call to the wrong tenant.
        v_candidates := array(
            select switchboard.to_e164(v_called, o.default_country)
            from (select distinct default_country from public.organizations) as o
        );
        if 1 = (
            select count(*) from public.phone_numbers n
            where n.status = 'active' and n.phone_number = any (v_candidates)
        ) then
            select n.* into v_number
                from public.phone_numbers n
                where n.status = 'active' and n.phone_number = any (v_candidates);
        end if;
    end if;
    if v_number.id is null then
        return jsonb_build_object(
            'decision', 'reject', 'reason', 'unknown_number', 'organization_id', null, 'agent', null,
            'prompt', null, 'customer', null, 'lead', null, 'call_id', null, 'variables', '{}'::jsonb
        );
    end if;

    select o.* into strict v_organization
        from public.organizations o
        where o.id = v_number.organization_id;

    -- A provider repeats a webhook that it thinks lost: same call, same answer.
    select c.decision, v.compiled_prompt into v_decision, v_compiled
        from public.calls c
        left join public.prompt_versions v
            on v.organization_id = c.organization_id and v.id = c.prompt_version_id
        where c.organization_id = v_organization.id
            and c.provider = route_inbound_call.provider
            and c.provider_sid = route_inbound_call.provider_sid;
    if found then
        return case
            when v_compiled is null then v_decision
            else jsonb_set(v_decision, '{prompt,compiled}', to_jsonb(v_compiled))
        end;
    end if;

    if v_organization.status <> 'active' then
        v_outcome := 'notice';
        v_reason := 'organization_' || v_organization.status;
    elsif v_number.status <> 'active' then
        v_outcome := 'notice';
        v_reason := 'number_' || v_number.status;
    else
        select a.* into v_agent
            from public.agents a
            where a.organization_id = v_organization.id
                and a.id in (v_number.agent_id, v_organization.default_agent_id)
                and a.is_active
            order by a.id = v_number.agent_id desc nulls last
            limit 1;
        if found then
            v_outcome := 'answer';
            v_reason := case when v_agent.id = v_number.agent_id then 'agent' else 'default_agent' end;
        else
            v_outcome := 'notice';
            v_reason := 'no_agent';
        end if;
    end if;

    if v_outcome = 'answer' then
        select nullif(coalesce(o.max_concurrent_calls, p.max_concurrent_calls), -1) into v_limit
            from public.plans p
            left join public.plan_overrides o on o.organization_id = v_organization.id
            where p.name = v_organization.plan;
        if v_limit is not null then
            -- One caller of an organization at a time, until its call is stored: two would both see the
            -- last line free. The count is a statement of its own and sees what the other one stored.
            perform pg_advisory_xact_lock(
                hashtextextended('quota concurrent_calls ' || v_organization.id, 0)
            );
            -- A call whose end nobody reported holds its line for four hours, not for ever. In the order of
            -- calls_active_idx and no further than the limit, which keeps the planner on that index.
            if v_limit <= (
                select count(*) from (
                    select from public.calls c
                    where c.organization_id = v_organization.id
                        and c.status in ('ringing', 'in_progress')
                        and c.started_at > now() - interval '4 hours'
                        and (c.provider, c.provider_sid) is distinct from
                            (route_inbound_call.provider, route_inbound_call.provider_sid)
                    order by c.started_at
                    limit v_limit
                ) as active
            ) then
                v_outcome := 'busy';
                v_reason := 'concurrency_limit';
                v_agent := null;
            end if;
        end if;
    end if;

    -- Withheld callers come as a word, or as the keypad digits of "anonymous".
    if v_caller ~ '^[+]?[0-9][0-9 ().-]*$' and v_caller not in ('+266696687', '266696687') then
        v_from := coalesce(
            switchboard.to_e164(v_caller, v_organization.default_country),
            case when v_caller ~ '^[1-9][0-9]{6,14}$' then switchboard.to_e164('+' || v_caller, null) end
        );
    end if;

    if v_outcome = 'answer' then
        if v_from is not null then
            select c.* into v_customer
                from public.customers c
                where c.organization_id = v_organization.id and c.phone_number = v_from;
            if not found then
                insert into public.customers (organization_id, phone_number)
                values (v_organization.id, v_from)
                on conflict (organization_id, phone_number) do nothing
                returning * into v_customer;
                if not found then
                    select c.* into v_customer
                        from public.customers c
                        where c.organization_id = v_organization.id and c.phone_number = v_from;
                end if;
            end if;
            select l.* into v_lead
                from public.leads l
                where l.organization_id = v_organization.id
                    and l.phone_number = v_from
                    and l.archived_at is null
                order by l.created_at desc
                limit 1;
        end if;
        select v.compiled_prompt into v_compiled
            from public.prompt_versions v
            where v.organization_id = v_organization.id and v.id = v_agent.prompt_version_id;
    end if;

    v_decision := jsonb_build_object(
        'decision', v_outcome,
        'reason', v_reason,
        'organization_id', v_organization.id,
        'agent', case when v_agent.id is not null then jsonb_build_object(
            'id', v_agent.id, 'name', v_agent.name, 'greeting', v_agent.greeting,
            'personality', v_agent.personality, 'tone', v_agent.tone, 'voice_id', v_agent.voice_id,
            'llm_config', v_agent.llm_config
        ) end,
        'prompt', case when v_compiled is not null then jsonb_build_object(
            'version_id', v_agent.prompt_version_id
        ) end,
        'customer', case when v_customer.id is not null then jsonb_build_object(
            'id', v_customer.id, 'phone_number', v_customer.phone_number, 'name', v_customer.name,
            'email', v_customer.email
        ) end,
        'lead', case when v_lead.id is not null then jsonb_build_object(
            'id', v_lead.id, 'dataset_id', v_lead.dataset_id, 'first_name', v_lead.first_name,
            'last_name', v_lead.last_name, 'contact_status', v_lead.contact_status
        ) end,
        'call_id', v_call_id,
        'variables', jsonb_strip_nulls(jsonb_build_object(
            'local_date', (now() at time zone v_organization.timezone)::date,
            'org', jsonb_build_object('name', v_organization.name),
            'agent', case when v_agent.id is not null then jsonb_build_object('name', v_agent.name) end,
            'lead', case when v_lead.id is not null then jsonb_build_object(
                'first_name', v_lead.first_name, 'last_name', v_lead.last_name,
                'email', v_lead.email, 'postcode', v_lead.postcode
            ) end
        ))
    );

    insert into public.calls (
        organization_id, id, agent_id, prompt_version_id, phone_number_id, customer_id, lead_id,
        direction, caller_number, caller_input, called_number, provider, provider_sid, status, decision
    ) values (
        v_organization.id, v_call_id, v_agent.id,
        case when v_compiled is not null then v_agent.prompt_version_id end,
        v_number.id, v_customer.id, v_lead.id, 'inbound', v_from,
        left(route_inbound_call.caller, 200), v_number.phone_number, route_inbound_call.provider,
        route_inbound_call.provider_sid,
        case v_outcome when 'answer' then 'ringing' when 'busy' then 'busy' else 'rejected' end,
        v_decision
    )
    on conflict (organization_id, provider, provider_sid) do nothing;
    if not found then
        -- The same webhook, delivered twice at once: the other one decided.
        select c.decision, v.compiled_prompt into v_decision, v_compiled
            from public.calls c
            left join public.prompt_versions v
                on v.organization_id = c.organization_id and v.id = c.prompt_version_id
            where c.organization_id = v_organization.id
                and c.provider = route_inbound_call.provider
                and c.provider_sid = route_inbound_call.provider_sid;
    end if;
    return case
        when v_compiled is null then v_decision
        else jsonb_set(v_decision, '{prompt,compiled}', to_jsonb(v_compiled))
    end;
end;
$$;
comment on function public.route_inbound_call(text, text, text, text) is
    'Who answers a call: service_role only, one round trip, every look-up by index. called and caller as the provider sends them (E.164, digits without +, sip: or tel:; for called also the national form of its country); provider and provider_sid identify the call within the organization, and the same pair always gets the same answer. Returns {decision, reason, organization_id, agent, prompt: {version_id, compiled}, customer, lead, call_id, variables}. decision answer (reason agent or default_agent), notice: say a sentence and hang up (organization_paused, organization_cancelled, number_inactive, number_error, no_agent), busy: say so and hang up (concurrency_limit: the plan''s calls at a time are all taken; usage() shows them, set_call_status frees one), reject (unknown_number; nothing is stored, no tenant is touched). A withheld caller has no customer and no lead. Raises 22023 (provider, provider_sid) and never because of a number.';
grant execute on function public.route_inbound_call(text, text, text, text) to service_role;

create function private.call_recording(p_call_id uuid, p_visible_in uuid) returns jsonb
    language plpgsql stable security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('recordings.read');
    v_answer jsonb;
begin
    select jsonb_build_object('recording_path', c.recording_path, 'transcript', c.transcript) into v_answer
        from public.calls c
        where c.organization_id = v_org and c.organization_id = p_visible_in and c.id = p_call_id;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'call_not_found',
            detail = 'You can see no call with this id in this organization.';
    end if;
    return v_answer;
end;
$$;
comment on function private.call_recording(uuid, uuid) is
    'Body of public.call_recording; see there. Definer, because the two columns are granted to nobody; p_visible_in is the organization in which the caller''s own rights found the call.';

create function public.call_recording(call_id uuid) returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select private.call_recording(
        call_id,
        (
            select c.organization_id
            from public.calls c
            where c.id = call_recording.call_id
        )
    );
end;
comment on function public.call_recording(uuid) is
    'Recording and transcript of a call that the caller may see: {recording_path, transcript}, each null when there is none. Raises PT401, PT400, PT403 (recordings.read), PT404 call_not_found.';
grant execute on function private.call_recording(uuid, uuid) to authenticated;
grant execute on function public.call_recording(uuid) to authenticated;

create function private.set_call_status(p_organization_id uuid, p_call_id uuid, p_status text)
    returns public.calls
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_row public.calls;
begin
    if p_status is null
        or p_status not in ('in_progress', 'completed', 'busy', 'no_answer', 'failed', 'rejected')
    then
        raise exception using
            errcode = '22023',
            message = 'status must be one of in_progress, completed, busy, no_answer, failed, rejected';
    end if;
    update public.calls c
        set status = p_status,
            answered_at = case when p_status in ('in_progress', 'completed') then coalesce(c.answered_at, now()) end,
            ended_at = case when p_status <> 'in_progress' then greatest(now(), c.started_at) end
        where c.organization_id = p_organization_id
            and c.id = p_call_id
            and c.status in ('ringing', 'in_progress')
        returning * into v_row;
    if not found then
        select c.* into v_row
            from public.calls c
            where c.organization_id = p_organization_id and c.id = p_call_id;
        if not found then
            raise exception using
                errcode = 'PT404',
                message = 'call_not_found',
                detail = 'The organization has no call with this id.';
        end if;
    end if;
    return v_row;
end;
$$;
comment on function private.set_call_status(uuid, uuid, text) is
    'Body of public.set_call_status; see there.';

create function public.set_call_status(organization_id uuid, call_id uuid, status text)
    returns public.calls
    language sql volatile
    set search_path = ''
begin atomic
    select private.set_call_status(organization_id, call_id, status);
end;
comment on function public.set_call_status(uuid, uuid, text) is
    'What became of a call: in_progress when it was answered; completed, busy, no_answer, failed or rejected when it is over, which frees its line (see route_inbound_call). service_role only. Returns the call; one that is over stays as it is, so reports may come twice or late. Raises 22023 (status), PT404 call_not_found.';
grant execute on function private.set_call_status(uuid, uuid, text) to service_role;
grant execute on function public.set_call_status(uuid, uuid, text) to service_role;
