-- The one question a telephony provider's webhook asks: who answers.
-- Long: finding number, agent, line and caller in one function saves round trips of the ringing phone.

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
    v_call public.calls;
    v_from text;
    v_outcome text;
    v_reason text;
    v_limit integer;
    v_call_id uuid := gen_random_uuid();
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
    select c.* into v_call
        from public.calls c
        where c.organization_id = v_organization.id
            and c.provider = route_inbound_call.provider
            and c.provider_sid = route_inbound_call.provider_sid;
    if not found then
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
            -- As private.quota_limit, which the service role may not call.
            select nullif(coalesce(v.max_count, l.max_count), -1) into v_limit
                from public.plans p
                left join public.plan_limits l on l.plan = p.name and l.quota = 'concurrent_calls'
                left join public.plan_overrides v
                    on v.organization_id = v_organization.id and v.quota = 'concurrent_calls'
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
            -- Providers that leave the + out send the country with it; a national reading of that is somebody else.
            v_from := case when v_caller ~ '^[1-9][0-9]{6,14}$' then switchboard.to_e164('+' || v_caller, null) end;
            if v_from is null or not switchboard.phone_is_valid(v_from) then
                v_from := coalesce(switchboard.to_e164(v_caller, v_organization.default_country), v_from);
            end if;
            -- Services ring under short numbers. Nobody is a customer under one, and customers refuses it.
            if exists (
                select from switchboard.parse_phone(v_from, null) as p
                where p.reason in ('short_or_emergency', 'too_short')
            ) then
                v_from := null;
            end if;
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
        end if;

        -- Members read this row, whatever else they may read: it says who, by ids, and not what stands there.
        insert into public.calls (
            organization_id, id, agent_id, prompt_version_id, phone_number_id, customer_id, lead_id,
            direction, caller_number, caller_input, called_number, provider, provider_sid, status, decision
        ) values (
            v_organization.id, v_call_id, v_agent.id, v_agent.prompt_version_id, v_number.id, v_customer.id, v_lead.id,
            'inbound', v_from, left(route_inbound_call.caller, 200), v_number.phone_number, route_inbound_call.provider,
            route_inbound_call.provider_sid,
            case v_outcome when 'answer' then 'ringing' when 'busy' then 'busy' else 'rejected' end,
            jsonb_build_object(
                'decision', v_outcome,
                'reason', v_reason,
                'organization_id', v_organization.id,
                'agent', case when v_agent.id is not null then jsonb_build_object('id', v_agent.id) end,
                'prompt', case when v_agent.prompt_version_id is not null then jsonb_build_object(
                    'version_id', v_agent.prompt_version_id
                ) end,
                'customer', case when v_customer.id is not null then jsonb_build_object('id', v_customer.id) end,
                'lead', case when v_lead.id is not null then jsonb_build_object('id', v_lead.id) end,
                'call_id', v_call_id
            )
        )
        on conflict (organization_id, provider, provider_sid) do nothing
        returning * into v_call;
        if not found then
            -- The same webhook, delivered twice at once: the other one decided.
            select c.* into v_call
                from public.calls c
                where c.organization_id = v_organization.id
                    and c.provider = route_inbound_call.provider
                    and c.provider_sid = route_inbound_call.provider_sid;
        end if;
    end if;

    return (
        select v_call.decision || jsonb_build_object(
            'agent', case when a.id is not null then jsonb_build_object(
                'id', a.id, 'name', a.name, 'greeting', a.greeting, 'personality', a.personality, 'tone', a.tone,
                'voice_id', a.voice_id, 'llm_config', a.llm_config
            ) end,
            'prompt', case when v.id is not null then jsonb_build_object(
                'version_id', v.id, 'compiled', v.compiled_prompt
            ) end,
            'customer', case when u.id is not null then jsonb_build_object(
                'id', u.id, 'phone_number', u.phone_number, 'name', u.name, 'email', u.email
            ) end,
            'lead', case when l.id is not null then jsonb_build_object(
                'id', l.id, 'dataset_id', l.dataset_id, 'first_name', l.first_name, 'last_name', l.last_name,
                'contact_status', l.contact_status
            ) end,
            'variables', jsonb_strip_nulls(jsonb_build_object(
                'local_date', (v_call.started_at at time zone v_organization.timezone)::date,
                'org', jsonb_build_object('name', v_organization.name),
                'agent', case when a.id is not null then jsonb_build_object('name', a.name) end,
                'lead', case when l.id is not null then jsonb_build_object(
                    'first_name', l.first_name, 'last_name', l.last_name, 'email', l.email, 'postcode', l.postcode
                ) end
            ))
        )
        from (select v_call.organization_id as id) as o
        left join public.agents a on a.organization_id = o.id and a.id = v_call.agent_id
        left join public.prompt_versions v on v.organization_id = o.id and v.id = v_call.prompt_version_id
        left join public.customers u on u.organization_id = o.id and u.id = v_call.customer_id
        left join public.leads l on l.organization_id = o.id and l.id = v_call.lead_id
    );
end;
$$;
comment on function public.route_inbound_call(text, text, text, text) is
    'Who answers a call, with which prompt, for which customer: for server code, one round trip. The same provider and provider_sid always get the same call and people, with what the tables say of them when it is asked. Raises 22023 (provider, provider_sid) and never because of a number.';
grant execute on function public.route_inbound_call(text, text, text, text) to service_role;
