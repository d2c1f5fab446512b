-- Opt-outs: which numbers an organization may not contact. A row here is the truth, for every dataset and whatever
-- becomes of the leads. A lead with such a number is REMOVED, or rests in ARCHIVED; triggers on both tables keep that.
--
-- An opt-out and a lead that are written at the same moment do not see each other. So whoever writes leads asks again
-- at the end of the statement, under a lock that is shared with other writers of leads; an opt-out takes it alone. It is
-- held only from there to the commit, and taken behind the locks of leads and before those of counters. It needs READ
-- COMMITTED, as PostgREST works: an older snapshot does not see what was waited for.

create table public.suppressions (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    channel text not null default 'all'
        constraint suppressions_channel_check check (channel in ('all', 'sms', 'whatsapp', 'voice')),
    phone_number text not null
        constraint suppressions_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text
        constraint suppressions_phone_input_check check (length(phone_input) <= 250),
    reason text not null default 'manual'
        constraint suppressions_reason_check check (reason in ('keyword', 'manual', 'complaint', 'provider')),
    created_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    lifted_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint suppressions_lifted_at_check check (lifted_at >= created_at)
);
comment on table public.suppressions is
    'A number that opted out of being contacted. It outlives leads and datasets: no role deletes a row, and none of the API lifts it.';
comment on column public.suppressions.channel is
    'all, also those that are still to come; or one. A lead''s campaign may use any, so a lead is REMOVED for each of them.';
comment on column public.suppressions.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country.';
comment on column public.suppressions.phone_input is 'The number as it was given.';
comment on column public.suppressions.reason is
    'keyword: the contact wrote STOP or the like; manual: a member''s word, also by a lead that became REMOVED; complaint; provider: the provider refused the number.';
comment on column public.suppressions.created_by is 'The signed-in user; NULL for server code.';
comment on column public.suppressions.lifted_at is
    'When the opt-out ended. Set once, by the database owner; a later opt-out is a new row.';
create unique index suppressions_active_key on public.suppressions (organization_id, phone_number, channel)
    where lifted_at is null;
comment on index public.suppressions_active_key is
    'One active row for a number and channel; whether a number may be contacted.';
create index suppressions_created_at_idx on public.suppressions (organization_id, created_at desc, id);
comment on index public.suppressions_created_at_idx is 'List of an organization''s opt-outs, newest first.';
create index suppressions_created_by_idx on public.suppressions (created_by);
comment on index public.suppressions_created_by_idx is 'Foreign key to auth.users.';

create trigger normalize_phone
    before insert on public.suppressions
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization', 'cautious'
    );
select private.add_row_triggers(
    'public.suppressions', '{organization_id,id,channel,phone_number,phone_input,reason,created_at}'
);
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

grant select on public.suppressions to authenticated;
grant insert (organization_id, channel, phone_number, reason) on public.suppressions to authenticated;
-- Nobody deletes one or lifts it.
grant select on public.suppressions to service_role;
-- Not lifted_at: an opt-out is not made as one that has ended.
grant insert (organization_id, id, channel, phone_number, phone_input, reason, created_by, created_at)
    on public.suppressions to service_role;

create function private.suppress_leads_of_number() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    if new.lifted_at is not null then
        return null;
    end if;
    -- In the order of ids, and before the lock: another writer of these leads may be about to ask for it.
    perform from public.leads l
        where l.organization_id = new.organization_id and l.phone_number = new.phone_number
        order by l.id
        for no key update;
    perform pg_advisory_xact_lock(hashtextextended('suppressions ' || new.organization_id, 0));
    update public.leads l
        set contact_status = 'REMOVED'
        where l.organization_id = new.organization_id
            and l.phone_number = new.phone_number
            and l.contact_status not in ('REMOVED', 'ARCHIVED');
    return null;
end;
$$;
comment on function private.suppress_leads_of_number() is
    'AFTER INSERT trigger on suppressions: the organization''s leads with the number become REMOVED, in every dataset. Definer: whoever takes an opt-out need not see them. Raises nothing.';
create trigger suppress_leads_of_number
    after insert on public.suppressions
    for each row execute function private.suppress_leads_of_number();

create function private.suppress_lead() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    if exists (
        select from public.suppressions s
        where s.organization_id = new.organization_id
            and s.phone_number = new.phone_number
            and s.lifted_at is null
    ) then
        new.contact_status := 'REMOVED';
    end if;
    return new;
end;
$$;
comment on function private.suppress_lead() is
    'BEFORE trigger on leads, behind normalize_phone: a lead whose number opted out is REMOVED, whoever writes it. Definer: whoever writes leads need not see opt-outs. Raises nothing.';

create function private.keep_suppression(organization_id uuid, phone_number text) returns void
    language sql volatile
    set search_path = ''
begin atomic
    insert into public.suppressions as s (organization_id, phone_number)
    select keep_suppression.organization_id, keep_suppression.phone_number
    where not exists (
        select from public.suppressions e
        where e.organization_id = keep_suppression.organization_id
            and e.phone_number = keep_suppression.phone_number
            and e.lifted_at is null
    )
    on conflict (organization_id, phone_number, channel) where lifted_at is null do nothing;
end;
comment on function private.keep_suppression(uuid, text) is
    'The opt-out of a lead that is REMOVED, unless its number has one. For the triggers on leads. Raises nothing.';

create function private.ask_suppressions_insert() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- First what takes the lock alone.
    perform private.keep_suppression(n.organization_id, n.phone_number)
        from (
            select distinct r.organization_id, r.phone_number from new_rows r
            where r.contact_status = 'REMOVED'
            order by r.organization_id, r.phone_number
        ) as n;
    perform pg_advisory_xact_lock_shared(hashtextextended('suppressions ' || o.organization_id, 0))
        from (
            select distinct r.organization_id from new_rows r
            where r.contact_status not in ('REMOVED', 'ARCHIVED')
            order by r.organization_id
        ) as o;
    update public.leads l
        set contact_status = 'REMOVED'
        from new_rows n
        join public.suppressions s
            on s.organization_id = n.organization_id and s.phone_number = n.phone_number and s.lifted_at is null
        where n.contact_status not in ('REMOVED', 'ARCHIVED')
            and l.organization_id = n.organization_id
            and l.id = n.id
            and l.contact_status not in ('REMOVED', 'ARCHIVED');
    return null;
end;
$$;
comment on function private.ask_suppressions_insert() is
    'AFTER INSERT statement trigger on leads (transition table new_rows): a lead that comes as REMOVED is an opt-out; of the others, those become REMOVED whose number opted out while they were written. Definer, as private.suppress_lead. Raises nothing.';

create function private.ask_suppressions_update() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    if new.contact_status = 'REMOVED' then
        perform private.keep_suppression(new.organization_id, new.phone_number);
        return null;
    end if;
    perform pg_advisory_xact_lock_shared(hashtextextended('suppressions ' || new.organization_id, 0));
    update public.leads l
        set contact_status = 'REMOVED'
        where l.organization_id = new.organization_id
            and l.id = new.id
            and l.contact_status not in ('REMOVED', 'ARCHIVED')
            and exists (
                select from public.suppressions s
                where s.organization_id = l.organization_id
                    and s.phone_number = l.phone_number
                    and s.lifted_at is null
            );
    return null;
end;
$$;
comment on function private.ask_suppressions_update() is
    'AFTER UPDATE trigger on leads: a lead that becomes REMOVED, or has another number as REMOVED, is an opt-out; one that gets another number, or comes back from ARCHIVED, becomes REMOVED when that opted out meanwhile. Definer, as private.suppress_lead. Raises nothing.';
