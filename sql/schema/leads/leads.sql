-- Leads: the contacts in a dataset.

create table public.leads (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid not null,
    first_name text not null
        constraint leads_first_name_check check (btrim(first_name) <> '' and length(first_name) <= 200),
    last_name text
        constraint leads_last_name_check check (length(last_name) <= 200),
    phone_number text not null
        constraint leads_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text
        constraint leads_phone_input_check check (length(phone_input) <= 250),
    phone_extension text
        constraint leads_phone_extension_check check (phone_extension ~ '^[0-9]{1,20}$'),
    phone_type text
        constraint leads_phone_type_check check (phone_type in (
            'fixed_line', 'mobile', 'fixed_line_or_mobile', 'toll_free', 'premium_rate', 'shared_cost', 'voip',
            'personal_number', 'pager', 'uan', 'voicemail', 'unknown'
        )),
    region text
        constraint leads_region_check check (region ~ '^([A-Z]{2}|001)$'),
    phone_validity text
        constraint leads_phone_validity_check check (phone_validity in ('valid', 'possible', 'test_range')),
    email text
        constraint leads_email_check check (private.is_email(email)),
    postcode text
        constraint leads_postcode_check check (length(postcode) <= 20),
    outward_code text generated always as (
        upper(substring(postcode from '^\s*([A-Za-z]{1,2}[0-9][A-Za-z0-9]?)\s*[0-9][A-Za-z]{2}\s*$'))
    ) stored,
    timezone text
        constraint leads_timezone_check check (private.is_time_zone(timezone)),
    inquiry_date date,
    notes text
        constraint leads_notes_check check (length(notes) <= 10000),
    attributes jsonb not null default '{}'
        constraint leads_attributes_check
        check (jsonb_typeof(attributes) = 'object' and switchboard.json_is_bounded(attributes, 65536)),
    contact_status text not null default 'READY'
        constraint leads_contact_status_check check (contact_status in (
            'READY', 'CONTACTED_1', 'CONTACTED_2', 'CONTACTED_3', 'HOT', 'WARM', 'COLD',
            'CALL_BOOKED', 'CONVERTED', 'REMOVED', 'ARCHIVED'
        )),
    previous_status text,
    status_set_by text
        constraint leads_status_set_by_check check (status_set_by in ('human', 'ai', 'system')),
    status_set_at timestamptz,
    lead_sentiment text
        constraint leads_lead_sentiment_check
        check (lead_sentiment in ('POSITIVE', 'NEGATIVE', 'NEUTRAL', 'UNCLEAR', 'HOT')),
    m1_sent_at timestamptz,
    m2_sent_at timestamptz,
    m3_sent_at timestamptz,
    reply_received_at timestamptz,
    last_message_at timestamptz,
    install_date date,
    manual_mode boolean not null default false,
    manual_mode_activated_at timestamptz,
    archived boolean not null generated always as (archived_at is not null) stored,
    archived_at timestamptz,
    assigned_to uuid,
    latest_lead_reply text
        constraint leads_latest_lead_reply_check check (length(latest_lead_reply) <= 10000),
    conversation_summary text
        constraint leads_conversation_summary_check check (length(conversation_summary) <= 10000),
    total_messages integer not null default 0,
    duplicate_of uuid
        constraint leads_duplicate_of_check check (duplicate_of <> id),
    duplicate_resolved_at timestamptz,
    held boolean not null generated always as (duplicate_of is not null and duplicate_resolved_at is null) stored,
    dup_seq integer not null default 0
        constraint leads_dup_seq_check check (dup_seq >= 0),
    upload_id uuid,
    imported_at timestamptz,
    row_number integer
        constraint leads_row_number_check check (row_number > 0),
    consent_basis text
        constraint leads_consent_basis_check
        check (consent_basis in ('consent', 'soft_opt_in', 'legitimate_interest', 'contract')),
    consent_at timestamptz,
    last_synced_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint leads_phone_number_key unique (organization_id, dataset_id, phone_number, dup_seq),
    constraint leads_archived_at_check check ((contact_status = 'ARCHIVED') = (archived_at is not null)),
    constraint leads_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete cascade,
    constraint leads_assigned_to_fkey
        foreign key (organization_id, assigned_to)
        references public.memberships (organization_id, user_id)
        on delete set null (assigned_to),
    constraint leads_duplicate_of_fkey
        foreign key (organization_id, duplicate_of)
        references public.leads (organization_id, id)
        on delete set null (duplicate_of),
    constraint leads_upload_id_fkey
        foreign key (organization_id, upload_id)
        references public.uploads (organization_id, id)
        on delete set null (upload_id)
);
comment on table public.leads is
    'A contact in a dataset. A sales_rep sees and writes only the leads assigned to them.';
comment on column public.leads.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country.';
comment on column public.leads.phone_input is 'The number as it was given.';
comment on column public.leads.phone_extension is
    'Digits dialled after the call is answered: read from the number as it was given, or written beside it.';
comment on column public.leads.phone_type is
    'What the number''s range is for, as switchboard.phone_type says; by trigger, whenever the row is written.';
comment on column public.leads.region is
    'Where the number is of, ISO 3166 (001: no country''s); by trigger, whenever the row is written. NULL for a number in no region''s range.';
comment on column public.leads.consent_basis is
    'Why the contact may be written to. NULL: nobody said; imports without it warn.';
comment on column public.leads.consent_at is 'Since when, as far as it is known.';
comment on column public.leads.phone_validity is
    'valid, test_range (fiction: never dialled), or possible (in no assigned range); by trigger, whenever the row is written. Ages with the metadata: phone_dialable asks anew.';
comment on column public.leads.attributes is 'Columns of the file that map to no field, under their own names.';
comment on column public.leads.contact_status is
    'Where the lead stands. REMOVED is an opt-out: it stays, and public.suppressions keeps the number. A lead whose number opted out becomes REMOVED by trigger.';
comment on column public.leads.previous_status is
    'While REMOVED or ARCHIVED: where the lead stood, and where it comes back to. By trigger.';
comment on column public.leads.status_set_by is
    'Who gave it its contact_status: human, ai or system; NULL: as it came. By trigger. What a person says stands before the agent''s.';
comment on column public.leads.outward_code is 'The first half of a UK postcode, as in SW1A.';
comment on column public.leads.timezone is 'IANA; where the contact is, if it is known.';
comment on column public.leads.archived_at is 'Set by trigger while contact_status is ARCHIVED.';
comment on column public.leads.manual_mode is 'A person writes; the agent does not.';
comment on column public.leads.assigned_to is 'A member of the organization, by foreign key.';
comment on column public.leads.duplicate_of is
    'The earlier lead of the organization with the same number.';
comment on column public.leads.duplicate_resolved_at is 'When a person said what the duplicate is: resolve_duplicate.';
comment on column public.leads.held is 'A duplicate of which nobody has said yet what it is: not to be written to.';
comment on column public.leads.dup_seq is
    '0, then 1, 2 … for further leads with the same number in the dataset (duplicate_action flag and keep_both).';
comment on column public.leads.imported_at is
    'When its import, or another that merged into it, wrote it last; updated_at behind it says that somebody else did since.';
comment on column public.leads.row_number is 'The row of the file, counted from 1 without the header.';
comment on index public.leads_phone_number_key is
    'A number once per dataset and dup_seq; also leads of a dataset, and the foreign key to datasets.';
create index leads_phone_idx on public.leads (organization_id, phone_number, created_at desc);
comment on index public.leads_phone_idx is
    'Leads of the organization with this number: duplicates in import_leads, the newest lead of a caller in route_inbound_call.';
create index leads_created_at_idx on public.leads (organization_id, created_at desc, id)
    include (dataset_id, assigned_to);
comment on index public.leads_created_at_idx is
    'List of an organization''s leads, newest first; their count, for which it carries what the policies compare.';
create index leads_assigned_to_idx on public.leads (organization_id, assigned_to, created_at desc, id)
    where assigned_to is not null;
comment on index public.leads_assigned_to_idx is
    'Foreign key to memberships; list of the leads assigned to a member, newest first.';
create index leads_dataset_id_idx on public.leads (organization_id, dataset_id, created_at desc, id);
comment on index public.leads_dataset_id_idx is 'List of a dataset''s leads, newest first.';
create index leads_contact_status_idx on public.leads (organization_id, contact_status, created_at desc, id);
comment on index public.leads_contact_status_idx is 'List of the leads with a status, newest first.';
create index leads_lead_sentiment_idx on public.leads (organization_id, lead_sentiment, created_at desc, id)
    where lead_sentiment is not null;
comment on index public.leads_lead_sentiment_idx is 'List of the leads with a sentiment, newest first.';
create index leads_reply_received_at_idx on public.leads (organization_id, reply_received_at desc, id)
    where reply_received_at is not null;
comment on index public.leads_reply_received_at_idx is 'List of the leads that replied, by their last reply.';
create index leads_held_idx on public.leads (organization_id, created_at desc, id) where held;
comment on index public.leads_held_idx is 'List of the duplicates of which nobody has said yet what they are.';
create index leads_duplicate_of_idx on public.leads (organization_id, duplicate_of)
    where duplicate_of is not null;
comment on index public.leads_duplicate_of_idx is 'Foreign key to leads: duplicates of a lead.';
-- Partial: as the smallest index on the organization it would be taken for look-ups by number, while nobody has analyzed a
-- table that an import fills.
create index leads_upload_id_idx on public.leads (organization_id, upload_id, id)
    where upload_id is not null;
comment on index public.leads_upload_id_idx is 'Foreign key to uploads: leads of an import, in the order in which undo_upload goes through them.';

create index leads_search_idx on public.leads using gin (
    array_to_tsvector(switchboard.search_words(
        organization_id,
        first_name || coalesce(' ' || last_name, '') || coalesce(' ' || email, '')
            || coalesce(' ' || postcode || ' ' || replace(postcode, ' ', ''), '')
    ))
);
comment on index public.leads_search_idx is
    'Words of an organization''s leads, for search_leads; each word has its organization in front.';

create trigger normalize_phone
    before insert or update on public.leads
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization',
        'extension:phone_extension', 'type:phone_type', 'region:region', 'validity:phone_validity'
    );

-- By its name behind normalize_phone. An import has looked for opt-outs already.
create trigger settle_status_insert
    before insert on public.leads
    for each row
    when (
        new.contact_status <> 'REMOVED' and new.upload_id is null
        or new.contact_status = 'ARCHIVED' or new.archived_at is not null
        or new.manual_mode or new.manual_mode_activated_at is not null
    )
    execute function private.settle_lead_status();
create trigger settle_status_update
    before update on public.leads
    for each row
    when (
        new.contact_status is distinct from old.contact_status
        or new.phone_number is distinct from old.phone_number
        or new.archived_at is distinct from old.archived_at
        or new.manual_mode is distinct from old.manual_mode
        or new.manual_mode_activated_at is distinct from old.manual_mode_activated_at
    )
    execute function private.settle_lead_status();
-- What opts out while an import writes, settle_new_leads finds. By its name before count_… and enforce_quota, for the lock
-- on opt-outs comes before theirs: behind them, an opt-out and two inserts would wait for each other.
create trigger apply_opt_outs
    after insert on public.leads referencing new table as new_rows
    for each statement execute function private.settle_new_leads();
create trigger settle_lead_number
    after update on public.leads
    for each row
    when (
        new.contact_status <> 'ARCHIVED'
        and (
            new.phone_number <> old.phone_number
            or new.dataset_id <> old.dataset_id
            or new.contact_status <> old.contact_status
            and (new.contact_status = 'REMOVED' or old.contact_status = 'ARCHIVED')
        )
    )
    execute function private.settle_lead_number();

create trigger record_lead_event
    after update on public.leads
    for each row
    when (
        new.contact_status is distinct from old.contact_status
        or new.assigned_to is distinct from old.assigned_to
        or new.phone_number is distinct from old.phone_number
    )
    execute function private.record_lead_event();

select switchboard.track_counts(
    'public.leads', 'public.datasets',
    '{"organization_id": "organization_id", "dataset_id": "id"}',
    '{"total_leads": true, "active_leads": "archived_at is null", "hot_leads": "contact_status = ''HOT''",
        "converted_leads": "contact_status = ''CONVERTED''"}'
);

-- The foreign key finds every lead of the organization; the caller's own eyes do not. Behind row level security, so that
-- no stranger is told anything by it, and only where that binds the writer: an import writes 10,000 at once.
create function private.check_duplicate_of() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' and new.duplicate_of is not distinct from old.duplicate_of then
        return null;
    end if;
    if not exists (
        select from public.leads l where l.organization_id = new.organization_id and l.id = new.duplicate_of
    ) then
        raise exception using
            errcode = '23503',
            message = 'insert or update on table "leads" violates foreign key constraint "leads_duplicate_of_fkey"',
            detail = 'Key is not present in table "leads".',
            schema = 'public', table = 'leads', constraint = 'leads_duplicate_of_fkey';
    end if;
    return null;
end;
$$;
comment on function private.check_duplicate_of() is
    'AFTER trigger on leads: a lead that the writer may not see is answered like one that does not exist. Raises 23503 in the foreign key''s words.';
create trigger check_duplicate_of
    after insert or update of duplicate_of on public.leads
    for each row
    when (new.duplicate_of is not null and row_security_active('public.leads'::regclass))
    execute function private.check_duplicate_of();

select private.add_row_triggers('public.leads');
select private.add_tenant_policies(
    'public.leads', 'leads', dataset => 'dataset_id', own => 'assigned_to'
);
select private.add_quota('public.leads', 'leads');
select private.add_broadcast('public.leads', 'leads.read_all');

grant select, delete on public.leads
    to authenticated;
grant insert (
    organization_id, dataset_id, first_name, last_name, phone_number, phone_extension, email, postcode,
    timezone, inquiry_date, notes, attributes, contact_status, lead_sentiment, install_date, manual_mode, assigned_to,
    duplicate_of, consent_basis, consent_at
) on public.leads to authenticated;
grant update (
    dataset_id, first_name, last_name, phone_number, phone_extension, email, postcode, timezone, inquiry_date, notes,
    attributes, contact_status, lead_sentiment, install_date, manual_mode, assigned_to, duplicate_of,
    duplicate_resolved_at, consent_basis, consent_at
) on public.leads to authenticated;
-- All but the counter and the trigger's verdicts.
grant select, delete on public.leads to service_role;
grant insert (
    organization_id, id, dataset_id, first_name, last_name, phone_number, phone_input, phone_extension, email, postcode,
    timezone, inquiry_date, notes, attributes, contact_status, lead_sentiment, m1_sent_at, m2_sent_at, m3_sent_at,
    reply_received_at, last_message_at, install_date, manual_mode, manual_mode_activated_at, archived_at, assigned_to,
    latest_lead_reply, conversation_summary, duplicate_of, duplicate_resolved_at, dup_seq, upload_id, row_number, consent_basis, consent_at, last_synced_at, created_at, updated_at
) on public.leads to service_role;
grant update (
    organization_id, id, dataset_id, first_name, last_name, phone_number, phone_input, phone_extension, email, postcode,
    timezone, inquiry_date, notes, attributes, contact_status, lead_sentiment, m1_sent_at, m2_sent_at, m3_sent_at,
    reply_received_at, last_message_at, install_date, manual_mode, manual_mode_activated_at, archived_at, assigned_to,
    latest_lead_reply, conversation_summary, duplicate_of, duplicate_resolved_at, dup_seq, upload_id, row_number, consent_basis, consent_at, last_synced_at, created_at, updated_at
) on public.leads to service_role;

create function private.copy_lead_to_its_rows() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    update public.calls c
        set dataset_id = new.dataset_id, assigned_to = new.assigned_to
        where c.organization_id = new.organization_id and c.lead_id = new.id;
    update public.lead_events e
        set dataset_id = new.dataset_id, assigned_to = new.assigned_to
        where e.organization_id = new.organization_id and e.lead_id = new.id;
    return null;
end;
$$;
comment on function private.copy_lead_to_its_rows() is
    'AFTER UPDATE trigger on leads: a lead that moves to another dataset or member takes its calls and its history along. Definer: no client updates them. Raises nothing.';
create trigger copy_lead_to_its_rows
    after update on public.leads
    for each row
    when (
        new.dataset_id is distinct from old.dataset_id
        or new.assigned_to is distinct from old.assigned_to
    )
    execute function private.copy_lead_to_its_rows();
