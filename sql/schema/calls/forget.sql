-- One person, wherever they are: what is held about them, and that it is forgotten.

create type private.person as (
    organization_id uuid,
    numbers text[],
    email text,
    lead_ids uuid[],
    customer_ids uuid[],
    call_ids uuid[]
);
comment on type private.person is 'The rows of an organization about the holder of some phone numbers or of an e-mail address.';

create function private.find_person(org uuid, phone_number text, email text) returns private.person
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_person private.person;
begin
    if num_nonnulls(nullif(btrim(find_person.phone_number), ''), nullif(btrim(find_person.email), '')) <> 1 then
        raise exception using
            errcode = '22023',
            message = 'give phone_number or email, one of them',
            hint = 'Somebody with both is found by one after the other.';
    end if;
    if not private.is_email(btrim(find_person.email)) then
        raise exception using errcode = '22023', message = 'email is no e-mail address';
    end if;
    v_person.organization_id := org;
    v_person.email := nullif(btrim(find_person.email), '');
    v_person.numbers := case
        when v_person.email is null then array[private.read_one_phone(org, find_person.phone_number)]
        else '{}'
    end;
    v_person.lead_ids := array(
        select l.id from public.leads l
        where l.organization_id = org
            and (l.phone_number = any (v_person.numbers) or private.email_key(l.email) = private.email_key(v_person.email))
        order by l.id
    );
    v_person.customer_ids := array(
        select c.id from public.customers c
        where c.organization_id = org
            and (c.phone_number = any (v_person.numbers) or private.email_key(c.email) = private.email_key(v_person.email))
        order by c.id
    );
    -- Whoever asks by the address is not written to under the number either.
    if v_person.email is not null then
        v_person.numbers := array(
            select l.phone_number from public.leads l where l.organization_id = org and l.id = any (v_person.lead_ids)
            union
            select c.phone_number from public.customers c where c.organization_id = org and c.id = any (v_person.customer_ids)
        );
    end if;
    v_person.call_ids := array(
        select c.id from public.calls c
        where c.organization_id = org
            and (
                c.lead_id = any (v_person.lead_ids)
                or c.customer_id = any (v_person.customer_ids)
                or case c.direction when 'inbound' then c.caller_number else c.called_number end = any (v_person.numbers)
                    -- A call of somebody else with the same phone is theirs.
                    and (v_person.email is null or c.lead_id is null and c.customer_id is null)
            )
        order by c.id
    );
    return v_person;
end;
$$;
comment on function private.find_person(uuid, text, text) is
    'Who is meant by a phone number in any spelling, or by an e-mail address, in an organization. Raises 22023.';

create function private.note_person(action text, after jsonb, org uuid) returns void
    language sql volatile
    set search_path = ''
begin atomic
    -- Of whom, the log does not say: it outlives the person.
    insert into public.audit_log (organization_id, actor_id, actor_kind, action, table_name, after)
    values (
        org, switchboard.user_id(),
        case
            when switchboard.user_id() is not null then 'user'
            when switchboard.request_role() = 'service_role' then 'service'
            else 'system'
        end,
        note_person.action, 'people', note_person.after
    );
end;
comment on function private.note_person(text, jsonb, uuid) is
    'Writes into the audit log that a person''s data was handed out or erased, without saying whose. Raises nothing.';

create function private.export_person(p_phone_number text, p_email text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('people.export');
    v_person private.person;
    v_answer jsonb;
begin
    perform private.require_whole_scope();
    v_person := private.find_person(v_org, p_phone_number, p_email);
    select jsonb_build_object(
        'leads', (
            select coalesce(jsonb_agg(to_jsonb(l) - '{organization_id}'::text[] || jsonb_build_object('history', (
                select coalesce(jsonb_agg(to_jsonb(e) - '{organization_id,lead_id}'::text[] order by e.created_at, e.id), '[]')
                from public.lead_events e
                where e.organization_id = v_org and e.lead_id = l.id
            )) order by l.created_at, l.id), '[]')
            from public.leads l
            where l.organization_id = v_org and l.id = any (v_person.lead_ids)
        ),
        'customers', (
            select coalesce(jsonb_agg(to_jsonb(c) - '{organization_id}'::text[] order by c.created_at, c.id), '[]')
            from public.customers c
            where c.organization_id = v_org and c.id = any (v_person.customer_ids)
        ),
        'calls', (
            select coalesce(jsonb_agg(to_jsonb(c) - '{organization_id}'::text[] order by c.started_at, c.id), '[]')
            from public.calls c
            where c.organization_id = v_org and c.id = any (v_person.call_ids)
        ),
        'suppressions', (
            select coalesce(jsonb_agg(to_jsonb(s) - '{organization_id,phone_hash}'::text[] order by s.created_at, s.id), '[]')
            from public.suppressions s
            where s.organization_id = v_org and s.phone_number = any (v_person.numbers)
        )
    ) into strict v_answer;
    perform private.note_person('export_person', jsonb_build_object(
        'leads', cardinality(v_person.lead_ids), 'customers', cardinality(v_person.customer_ids),
        'calls', cardinality(v_person.call_ids)), v_org);
    return v_answer;
end;
$$;
comment on function private.export_person(text, text) is
    'Body of public.export_person; see there. Definer: it reads transcripts, and writes into the audit log.';

create function public.export_person(phone_number text default null, email text default null) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.export_person(phone_number, email);
end;
comment on function public.export_person(text, text) is
    'All that the organization holds about the holder of a phone number, in any spelling, or of an e-mail address: {leads (with their history), customers, calls, suppressions}. Audited. Raises PT401, PT400, PT403 (people.export, whole scope), 22023.';
grant execute on function private.export_person(text, text) to authenticated, service_role;
grant execute on function public.export_person(text, text) to authenticated, service_role;

create function private.forget_errors(person private.person) returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    -- As they stand in any spelling: the digits behind the calling code, if they are enough to be nobody else's.
    v_digits constant text[] := array(
        select d
        from unnest((person).numbers) as n
        cross join lateral substr(n, 2 + length(switchboard.phone_calling_code(n)::text)) as d
        where length(d) >= 7
    );
    v_has_short constant boolean := cardinality(v_digits) < cardinality((person).numbers);
    v_address constant text := private.email_key((person).email);
    v_country constant text := (select o.default_country from public.organizations o where o.id = (person).organization_id);
    v_count integer;
begin
    delete from public.upload_errors e
        where e.organization_id = (person).organization_id
            and (
                -- What is quick is asked first: a large organization has a million of these.
                position(v_address in lower(e.value)) > 0
                    and v_address = any (regexp_split_to_array(lower(e.value), '[^[:alnum:]@.!#$%&''*+/=?^_`{|}~-]+'))
                or exists (
                    select from unnest(v_digits) as d where position(d in translate(e.value, e' ()-./+\t\u00a0', '')) > 0
                )
                or (v_has_short or octet_length(e.value) > length(e.value))
                    and switchboard.to_e164(e.value, v_country) = any ((person).numbers)
                or (e.upload_id, e.row_number) in (
                    select l.upload_id, l.row_number
                    from public.leads l
                    where l.organization_id = (person).organization_id and l.id = any ((person).lead_ids)
                )
            );
    get diagnostics v_count = row_count;
    return v_count;
end;
$$;
comment on function private.forget_errors(private.person) is
    'Deletes what a person''s rows had in their cells, and cells with their number or address. Before their leads go. Answers how many. Raises nothing.';

create function private.erase_person(p_phone_number text, p_email text) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org constant uuid := switchboard.require_organization('people.erase');
    v_person private.person;
    v_recordings jsonb;
    v_files jsonb;
    v_errors integer;
    v_others integer;
    v_answer jsonb;
begin
    perform private.require_whole_scope();
    v_person := private.find_person(v_org, p_phone_number, p_email);
    perform private.queue_opt_outs(v_org);
    -- Alone, for they are deleted, or lose the lead that they repeat.
    perform from public.leads l
        where l.organization_id = v_org
            and (l.phone_number = any (v_person.numbers) or l.duplicate_of = any (v_person.lead_ids))
        order by l.id
        for update;
    perform private.lock_opt_outs(v_org, v_person.numbers);
    -- Again: while this waited, another lead may have come, or one have got somebody else's number.
    v_person := private.find_person(v_org, p_phone_number, p_email);
    select coalesce(jsonb_agg(c.recording_path order by c.recording_path), '[]') into strict v_recordings
        from public.calls c
        where c.organization_id = v_org and c.id = any (v_person.call_ids) and c.recording_path is not null;
    select coalesce(jsonb_agg(distinct u.storage_path order by u.storage_path), '[]') into strict v_files
        from public.uploads u
        where u.organization_id = v_org
            and u.storage_path is not null
            and u.id in (select l.upload_id from public.leads l where l.organization_id = v_org and l.id = any (v_person.lead_ids));
    v_errors := private.forget_errors(v_person);
    delete from public.calls c where c.organization_id = v_org and c.id = any (v_person.call_ids);
    delete from public.customers c where c.organization_id = v_org and c.id = any (v_person.customer_ids);
    delete from public.leads l where l.organization_id = v_org and l.id = any (v_person.lead_ids);
    -- A lead that once had the number, by mistake.
    delete from public.lead_events e
        where e.organization_id = v_org and e.kind = 'number' and (e.before = any (v_person.numbers) or e.after = any (v_person.numbers));
    update public.exports e set query = null where e.organization_id = v_org and e.query is not null and (e.status <> 'running' or e.expires_at <= now());
    insert into private.suppression_salts (organization_id) values (v_org) on conflict (organization_id) do nothing;
    perform private.keep_suppression_hash(v_org, n) from unnest(v_person.numbers) as n order by n;
    -- Asked by the address: others with the same phone.
    update public.leads l
        set contact_status = 'REMOVED'
        where l.organization_id = v_org
            and l.phone_number = any (v_person.numbers)
            and l.contact_status not in ('REMOVED', 'ARCHIVED');
    select count(*) into strict v_others
        from (
            select from public.leads l where l.organization_id = v_org and l.phone_number = any (v_person.numbers)
            union all
            select from public.customers c where c.organization_id = v_org and c.phone_number = any (v_person.numbers)
        ) as o;
    v_answer := jsonb_build_object(
        'leads', cardinality(v_person.lead_ids), 'customers', cardinality(v_person.customer_ids),
        'calls', cardinality(v_person.call_ids), 'upload_errors', v_errors, 'others', v_others);
    perform private.note_person('erase_person', v_answer, v_org);
    return v_answer || jsonb_build_object('recordings', v_recordings, 'files', v_files);
end;
$$;
comment on function private.erase_person(text, text) is
    'Body of public.erase_person; see there. Definer: it deletes what no one verb covers, and keeps the opt-out as a hash.';

create function private.keep_suppression_hash(org uuid, number text) returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_hash constant bytea not null := private.suppression_hash(org, number);
begin
    -- One of a channel and reason stays.
    update public.suppressions s
        set lifted_at = greatest(now(), s.created_at)
        where s.organization_id = org
            and s.phone_number = number
            and s.lifted_at is null
            and exists (
                select from public.suppressions h
                where h.organization_id = org
                    and h.phone_hash = v_hash
                    and h.channel = s.channel
                    and h.reason = s.reason
                    and h.lifted_at is null
            );
    update public.suppressions s
        set phone_number = null, phone_input = null, phone_hash = v_hash, lift_reason = null
        where s.organization_id = org and s.phone_number = number;
    insert into public.suppressions (organization_id, phone_hash, reason)
    select org, v_hash, 'erasure'
    where not exists (
        select from public.suppressions s
        where s.organization_id = org and s.phone_hash = v_hash and s.lifted_at is null
    );
end;
$$;
comment on function private.keep_suppression_hash(uuid, text) is
    'A number''s opt-outs without the number, and one where there was none: nobody writes to whoever was erased, without knowing who that is. Raises 22004 without a salt.';

create function public.erase_person(phone_number text default null, email text default null) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.erase_person(phone_number, email);
end;
comment on function public.erase_person(text, text) is
    'Forgets the holder of a phone number, in any spelling, or of an e-mail address; the opt-out stays as a hash. Answers how many leads, customers, calls, upload_errors went; others: those left with the same phone, opted out as well; recordings and files of imports, for the caller to delete in Storage. Audited without a name. Raises PT401, PT400, PT403 (people.erase: owners; whole scope), 22023.';
grant execute on function private.erase_person(text, text) to authenticated, service_role;
grant execute on function public.erase_person(text, text) to authenticated, service_role;
