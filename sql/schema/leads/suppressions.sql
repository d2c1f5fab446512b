-- Opt-outs: which numbers an organization may not contact. A row here is the truth, for every dataset and whatever
-- becomes of the leads. A lead with such a number is REMOVED, or rests in ARCHIVED; triggers on both tables keep that.
--
-- An opt-out and a lead that are written at the same moment do not see each other. So whoever writes leads asks again
-- at the end of the statement, under a lock that is shared with other writers of leads; an opt-out takes it alone
-- (lock_opt_outs), and so does what ends one. It is held only from there to the commit, and taken behind the locks of leads
-- and before those of counters. Opt-outs wait for each other before all of that, or they would in the index. It needs READ
-- COMMITTED, as PostgREST works: an older snapshot does not see what was waited for.

create table public.suppressions (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    channel text not null default 'all'
        constraint suppressions_channel_check check (channel in ('all', 'sms', 'whatsapp', 'voice')),
    phone_number text
        constraint suppressions_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_hash bytea
        constraint suppressions_phone_hash_check check (length(phone_hash) = 32),
    phone_input text
        constraint suppressions_phone_input_check check (length(phone_input) <= 250),
    reason text not null default 'manual'
        constraint suppressions_reason_check check (reason in ('keyword', 'manual', 'complaint', 'provider', 'erasure')),
    created_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    lifted_at timestamptz,
    lifted_by uuid references auth.users (id) on delete set null,
    lift_reason text
        constraint suppressions_lift_reason_check check (length(lift_reason) <= 500),
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint suppressions_number_check check (num_nonnulls(phone_number, phone_hash) = 1),
    constraint suppressions_lifted_at_check check (lifted_at >= created_at)
);
comment on table public.suppressions is
    'A number that opted out of being contacted. It outlives leads and datasets: no role deletes a row, and it ends by record_opt_in or lift_suppression.';
comment on column public.suppressions.channel is
    'all, also those that are still to come; or one. A lead''s campaign may use any, so a lead is REMOVED for each of them.';
comment on column public.suppressions.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country. NULL for a person who was erased.';
comment on column public.suppressions.phone_hash is
    'Of a person who was erased: the number''s SHA-256 with a salt of the organization that no API role reads.';
comment on column public.suppressions.phone_input is 'The number as it was given.';
comment on column public.suppressions.reason is
    'keyword: the contact wrote STOP or the like, or told the agent; manual: a member''s word, also by a lead that became REMOVED; complaint; provider: the provider refused the number; erasure: erase_person.';
comment on column public.suppressions.created_by is 'The signed-in user; NULL for server code.';
comment on column public.suppressions.lifted_at is
    'When the opt-out ended. Set once; a later opt-out is a new row.';
comment on column public.suppressions.lifted_by is 'The signed-in user who ended it; NULL for server code.';
comment on column public.suppressions.lift_reason is 'What the contact said, or why it was a mistake.';
create unique index suppressions_active_key on public.suppressions (organization_id, phone_number, channel, reason)
    where lifted_at is null;
comment on index public.suppressions_active_key is
    'One active row for a number, channel and reason, for not every reason ends by the same word; whether a number may be contacted.';
create unique index suppressions_hash_key on public.suppressions (organization_id, phone_hash, channel, reason)
    where lifted_at is null and phone_hash is not null;
comment on index public.suppressions_hash_key is 'The same for the numbers of erased persons.';
create index suppressions_created_at_idx on public.suppressions (organization_id, created_at desc, id);
comment on index public.suppressions_created_at_idx is 'List of an organization''s opt-outs, newest first.';
create index suppressions_created_by_idx on public.suppressions (created_by);
comment on index public.suppressions_created_by_idx is 'Foreign key to auth.users.';
create index suppressions_lifted_by_idx on public.suppressions (lifted_by) where lifted_by is not null;
comment on index public.suppressions_lifted_by_idx is 'Foreign key to auth.users.';

create trigger normalize_phone
    before insert on public.suppressions
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization', 'cautious'
    );
select private.add_row_triggers(
    'public.suppressions', '{organization_id,id,channel,reason,created_at}'
);
create trigger guard_number
    before update on public.suppressions
    for each row
    when (
        new.phone_number is not null and new.phone_number is distinct from old.phone_number
        or new.phone_input is not null and new.phone_input is distinct from old.phone_input
        or old.phone_hash is not null and new.phone_hash is distinct from old.phone_hash
    )
    execute function switchboard.guard_row('phone_number, phone_input, phone_hash');
create trigger guard_lifted
    before update on public.suppressions
    for each row
    when (old.lifted_at is not null and new.lifted_at is distinct from old.lifted_at)
    execute function switchboard.guard_row('lifted_at');
create trigger refuse_delete
    before delete on public.suppressions
    for each row execute function private.refuse_rewrite('An opt-out ends by lifted_at.');
create trigger refuse_truncate
    before truncate on public.suppressions
    for each statement execute function private.refuse_rewrite('An opt-out ends by lifted_at.');

-- Numbers of every dataset, so they are for members without a dataset scope.
select private.add_tenant_policies('public.suppressions', 'suppressions', '{update,delete}', shared => true);
alter policy suppressions_select on public.suppressions using (
    organization_id = (select switchboard.organization_for('suppressions.read'))
    and (select 1 where switchboard.dataset_scope() is null) is not null
);
-- Only how they end: an opt-out itself says who took it, and when.
select private.add_audit('public.suppressions', '{phone_number,phone_input,phone_hash,lift_reason}', '{}', '{update}');

grant select on public.suppressions to authenticated;
grant insert (organization_id, channel, phone_number, reason) on public.suppressions to authenticated;
-- Nobody deletes one, or lifts it by hand.
grant select on public.suppressions to service_role;
-- Not lifted_at: an opt-out is not made as one that has ended.
grant insert (organization_id, id, channel, phone_number, phone_input, reason, created_by, created_at)
    on public.suppressions to service_role;

create function private.queue_opt_outs(org uuid) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('opt-outs ' || org, 0));
end;
$$;
comment on function private.queue_opt_outs(uuid) is
    'One opt-out, opt-in or erasure of an organization at a time: the first of their locks. Raises nothing.';

create function private.lock_opt_outs(org uuid, numbers text[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    perform private.queue_opt_outs(org);
    perform from public.leads l
        where l.organization_id = org and l.phone_number = any (numbers)
        order by l.id
        for no key update;
    perform pg_advisory_xact_lock(hashtextextended('suppressions ' || org, 0));
end;
$$;
comment on function private.lock_opt_outs(uuid, text[]) is
    'Before numbers of an organization opt out, in or are erased: one at a time, their leads by the order of ids, then the lock that writers of leads share. Raises nothing.';

create function private.queue_opt_out() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- Not for a row that the policies are about to refuse.
    if switchboard.user_id() is null or switchboard.has_capability(new.organization_id, 'suppressions.write') then
        perform private.queue_opt_outs(new.organization_id);
    end if;
    return new;
end;
$$;
comment on function private.queue_opt_out() is
    'BEFORE INSERT trigger on suppressions: the first lock of private.lock_opt_outs, before the index has the row. Definer, as suppress_leads_of_numbers. Raises nothing.';
create trigger queue_opt_out
    before insert on public.suppressions
    for each row execute function private.queue_opt_out();

create function private.suppress_leads_of_numbers() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_reason constant text := current_setting('private.lead_reason', true);
    v_group record;
begin
    -- What was said of one lead does not go into the history of others.
    perform set_config('private.lead_reason', '', true);
    for v_group in
        select r.organization_id, array_agg(distinct r.phone_number) as numbers
        from new_rows r
        where r.phone_number is not null and r.lifted_at is null
        group by r.organization_id
        order by r.organization_id
    loop
        perform private.lock_opt_outs(v_group.organization_id, v_group.numbers);
        update public.leads l
            set contact_status = 'REMOVED'
            where l.organization_id = v_group.organization_id
                and l.phone_number = any (v_group.numbers)
                and l.contact_status not in ('REMOVED', 'ARCHIVED');
    end loop;
    perform set_config('private.lead_reason', coalesce(v_reason, ''), true);
    return null;
end;
$$;
comment on function private.suppress_leads_of_numbers() is
    'AFTER INSERT statement trigger on suppressions (transition table new_rows): the organization''s leads with the numbers become REMOVED, in every dataset. Definer: whoever takes an opt-out need not see them. Raises nothing.';
create trigger suppress_leads_of_numbers
    after insert on public.suppressions referencing new table as new_rows
    for each statement execute function private.suppress_leads_of_numbers();

-- In plpgsql, as everything that fires for a single lead: the plan of an SQL function is made anew by every call.
create function private.suppressed_numbers(org uuid, numbers text[]) returns setof text
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_salt bytea;
begin
    return query
    select distinct s.phone_number
        from public.suppressions s
        where s.organization_id = org and s.phone_number = any (numbers) and s.lifted_at is null;
    select k.salt into v_salt from private.suppression_salts k where k.organization_id = org;
    if found then
        return query
        select distinct n.number
            from unnest(numbers) as n (number)
            join public.suppressions s
                on s.organization_id = org
                and s.phone_hash = sha256(v_salt || convert_to(n.number, 'UTF8'))
                and s.lifted_at is null;
    end if;
end;
$$;
comment on function private.suppressed_numbers(uuid, text[]) is
    'Those of some numbers (E.164) that an organization may not contact, those of erased persons too; one may come twice. Raises nothing.';

create function private.keep_suppressions(org uuid, numbers text[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    perform private.lock_opt_outs(org, numbers);
    -- What the agent heard is the contact's own word, and ends by it.
    insert into public.suppressions as s (organization_id, phone_number, reason)
    select org, n.number, case when private.lead_actor() = 'ai' then 'keyword' else 'manual' end
    from unnest(numbers) as n (number)
    where n.number <> all (array(select private.suppressed_numbers(org, numbers)))
    on conflict (organization_id, phone_number, channel, reason) where lifted_at is null do nothing;
end;
$$;
comment on function private.keep_suppressions(uuid, text[]) is
    'The opt-outs of leads that are REMOVED, but for numbers that have one. For the triggers on leads. Raises nothing.';

create function private.check_international(org uuid, dataset uuid, numbers text[]) returns void
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_code integer;
begin
    perform from public.datasets d
        join public.campaign_settings c
            on c.organization_id = d.organization_id and c.id = d.campaign_settings_id and not c.allow_international
        where d.organization_id = org and d.id = dataset;
    if not found then
        return;
    end if;
    select o.calling_code into v_code from public.organizations o where o.id = org;
    if exists (select from unnest(numbers) as n (number) where switchboard.phone_calling_code(n.number) <> v_code) then
        raise exception using
            errcode = '22023',
            message = 'phone_number: international_not_allowed',
            detail = format('The campaign of this dataset writes to +%s only.', v_code),
            hint = 'allow_international of the campaign''s settings opens it.';
    end if;
end;
$$;
comment on function private.check_international(uuid, uuid, text[]) is
    'Whether a dataset takes some numbers, by its campaign''s allow_international. Raises 22023.';

create function private.settle_new_leads() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_group record;
    v_suppressed text[];
begin
    -- First what takes the lock alone: leads that somebody brought as REMOVED, and not the trigger or an import because of
    -- an opt-out that there was.
    for v_group in
        select r.organization_id, array_agg(distinct r.phone_number) as numbers
        from new_rows r
        where r.contact_status = 'REMOVED' and r.status_set_by is null
        group by r.organization_id
        order by r.organization_id
    loop
        perform private.keep_suppressions(v_group.organization_id, v_group.numbers);
    end loop;
    for v_group in
        select r.organization_id, r.dataset_id,
            array_agg(r.phone_number) as numbers,
            -- An import has refused its foreign numbers row by row.
            array_agg(r.phone_number) filter (where r.upload_id is null and r.contact_status <> 'REMOVED') as by_hand,
            array_agg(r.id) filter (where r.contact_status = 'REMOVED') as removed
        from new_rows r
        where r.contact_status <> 'ARCHIVED' and (r.contact_status <> 'REMOVED' or r.status_set_by is not null)
        group by r.organization_id, r.dataset_id
        order by r.organization_id, r.dataset_id
    loop
        if v_group.by_hand is not null then
            perform private.check_international(v_group.organization_id, v_group.dataset_id, v_group.by_hand);
        end if;
        perform pg_advisory_xact_lock_shared(hashtextextended('suppressions ' || v_group.organization_id, 0));
        v_suppressed := array(select private.suppressed_numbers(v_group.organization_id, v_group.numbers));
        if v_group.removed is not null then
            -- Their opt-out has ended meanwhile.
            update public.leads l
                set contact_status = coalesce(l.previous_status, 'READY')
                where l.organization_id = v_group.organization_id
                    and l.id = any (v_group.removed)
                    and l.phone_number <> all (v_suppressed);
        end if;
        continue when v_suppressed = '{}';
        update public.leads l
            set contact_status = 'REMOVED'
            where l.organization_id = v_group.organization_id
                and l.dataset_id = v_group.dataset_id
                and l.phone_number = any (v_suppressed)
                and l.contact_status not in ('REMOVED', 'ARCHIVED');
    end loop;
    return null;
end;
$$;
comment on function private.settle_new_leads() is
    'AFTER INSERT statement trigger on leads (transition table new_rows): a lead that comes as REMOVED is an opt-out; of the others, those become REMOVED whose number opted out while they were written, those that were REMOVED for an opt-out that has ended stand again, and none may have a number that its campaign does not write to. Definer, as private.settle_lead_status. Raises 22023.';

create function private.settle_lead_number() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    if new.contact_status = 'REMOVED' then
        -- Mostly it is so because of an opt-out, and its lock may be held that comes last: nothing to wait for. None ends
        -- meanwhile, for who ends one locks this lead.
        if not exists (select from private.suppressed_numbers(new.organization_id, array[new.phone_number])) then
            perform private.keep_suppressions(new.organization_id, array[new.phone_number]);
        end if;
        return null;
    end if;
    if new.phone_number <> old.phone_number or new.dataset_id <> old.dataset_id then
        perform private.check_international(new.organization_id, new.dataset_id, array[new.phone_number]);
    end if;
    perform pg_advisory_xact_lock_shared(hashtextextended('suppressions ' || new.organization_id, 0));
    update public.leads l
        set contact_status = 'REMOVED'
        where l.organization_id = new.organization_id
            and l.id = new.id
            and l.contact_status not in ('REMOVED', 'ARCHIVED')
            and exists (select from private.suppressed_numbers(l.organization_id, array[l.phone_number]));
    return null;
end;
$$;
comment on function private.settle_lead_number() is
    'AFTER UPDATE trigger on leads: a lead that becomes REMOVED, or has another number as REMOVED, is an opt-out; one that gets another number, or comes back from ARCHIVED, becomes REMOVED when that opted out meanwhile; a campaign must write to the country of the number. Definer, as private.settle_lead_status. Raises 22023.';
