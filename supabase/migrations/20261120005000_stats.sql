-- Datasets, their campaign settings, the leads in them, and how leads come in. The datasets' counters
-- are kept by switchboard.maintain_counts from the leads' own statements: exact, one update per
-- statement.

create function private.is_day_list(days jsonb) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select case when jsonb_typeof(days) <> 'array' then false else (
        select count(*) > 0
            and count(*) = count(distinct d)
            and bool_and(d in (
                '"monday"', '"tuesday"', '"wednesday"', '"thursday"', '"friday"', '"saturday"', '"sunday"'
            ))
        from jsonb_array_elements(days) as d
    ) end;
end;
comment on function private.is_day_list(jsonb) is
    'True for a non-empty JSON array of different lower-case English day names. For CHECK constraints. Raises nothing.';
grant execute on function private.is_day_list(jsonb) to authenticated, service_role;

create function private.is_lead_field_list(fields jsonb) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select case when jsonb_typeof(fields) <> 'array' then false else (
        select count(*) = count(distinct f)
            and coalesce(bool_and(f in (
                '"first_name"', '"last_name"', '"phone_number"', '"email"', '"postcode"', '"inquiry_date"', '"notes"'
            )), true)
        from jsonb_array_elements(fields) as f
    ) end;
end;
comment on function private.is_lead_field_list(jsonb) is
    'True for a JSON array of different lead fields that an import can fill. For CHECK constraints. Raises nothing.';
grant execute on function private.is_lead_field_list(jsonb) to authenticated, service_role;

create table public.campaign_settings (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    name text
        constraint campaign_settings_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text,
    m1_message text not null
        constraint campaign_settings_m1_message_check check (btrim(m1_message) <> ''),
    m2_message text
        constraint campaign_settings_m2_message_check check (btrim(m2_message) <> ''),
    m3_message text
        constraint campaign_settings_m3_message_check check (btrim(m3_message) <> ''),
    m2_delay_hours integer not null default 48
        constraint campaign_settings_m2_delay_hours_check check (m2_delay_hours between 0 and 8760),
    m3_delay_hours integer not null default 72
        constraint campaign_settings_m3_delay_hours_check check (m3_delay_hours between 0 and 8760),
    delay_respect_sending_hours boolean not null default true,
    delay_type text not null default 'real_hours'
        constraint campaign_settings_delay_type_check check (delay_type in ('real_hours', 'business_hours')),
    sending_enabled boolean not null default true,
    sending_hours_start time,
    sending_hours_end time,
    sending_days jsonb not null default '["monday", "tuesday", "wednesday", "thursday", "friday"]'
        constraint campaign_settings_sending_days_check check (private.is_day_list(sending_days)),
    sending_timezone text not null default 'Europe/London'
        constraint campaign_settings_sending_timezone_check check (private.is_time_zone(sending_timezone)),
    messages_per_minute integer default 1
        constraint campaign_settings_messages_per_minute_check check (messages_per_minute >= 0),
    messages_per_hour integer default 30
        constraint campaign_settings_messages_per_hour_check check (messages_per_hour >= 0),
    messages_per_day integer default 500
        constraint campaign_settings_messages_per_day_check check (messages_per_day >= 0),
    ai_response_enabled boolean not null default true,
    ai_response_delay_seconds integer not null default 60
        constraint campaign_settings_ai_response_delay_seconds_check
        check (ai_response_delay_seconds between 0 and 86400),
    ai_response_delay_random boolean not null default false,
    ai_multiple_messages_wait_seconds integer not null default 60
        constraint campaign_settings_ai_multiple_messages_wait_seconds_check
        check (ai_multiple_messages_wait_seconds between 0 and 86400),
    respond_to_inbound_24_7 boolean not null default true,
    respect_schedule_strictly boolean not null default false,
    silence_timeout_days integer not null default 28
        constraint campaign_settings_silence_timeout_days_check check (silence_timeout_days > 0),
    silence_nudge_enabled boolean not null default false,
    silence_nudge_days integer not null default 7
        constraint campaign_settings_silence_nudge_days_check check (silence_nudge_days > 0),
    silence_nudge_message text
        constraint campaign_settings_silence_nudge_message_check check (btrim(silence_nudge_message) <> ''),
    duplicate_action text not null default 'flag'
        constraint campaign_settings_duplicate_action_check
        check (duplicate_action in ('flag', 'skip', 'merge', 'keep_both')),
    hot_lead_notification boolean not null default true,
    hot_lead_auto_assign boolean not null default false,
    hot_lead_assignment_rule text not null default 'round_robin'
        constraint campaign_settings_hot_lead_assignment_rule_check
        check (hot_lead_assignment_rule in ('round_robin', 'territory', 'manual')),
    auto_status_updates boolean not null default true,
    auto_normalize_uk_numbers boolean not null default true,
    allow_international boolean not null default false,
    required_fields jsonb not null default '["first_name", "last_name", "phone_number", "email"]'
        constraint campaign_settings_required_fields_check
        check (private.is_lead_field_list(required_fields)),
    sender_number_id uuid,
    cal_booking_link text,
    is_template boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint campaign_settings_sending_hours_check
        check ((sending_hours_start is null) = (sending_hours_end is null)),
    constraint campaign_settings_nudge_before_timeout_check
        check (silence_nudge_days < silence_timeout_days),
    constraint campaign_settings_nudge_has_message_check
        check (not silence_nudge_enabled or silence_nudge_message is not null),
    constraint campaign_settings_sender_number_id_fkey
        foreign key (organization_id, sender_number_id)
        references public.phone_numbers (organization_id, id)
        on delete set null (sender_number_id)
);
comment on table public.campaign_settings is
    'How a campaign writes, waits and reads imports (S4). Reusable: several datasets may share one row. S4 twilio_number is sender_number_id.';
comment on column public.campaign_settings.sending_hours_start is
    'Inclusive. Both hours NULL: all day; later than the end: the window crosses midnight and belongs to the day on which it starts.';
comment on column public.campaign_settings.sending_hours_end is 'Exclusive; 24:00 is allowed.';
comment on column public.campaign_settings.sending_days is
    'Non-empty JSON array of lower-case day names: an empty or unknown list must never mean "always".';
comment on column public.campaign_settings.messages_per_minute is 'NULL: no limit; 0: hold. Likewise per hour and per day.';
comment on column public.campaign_settings.duplicate_action is
    'What an import does with a phone number that the organization already has: see import_leads.';
comment on column public.campaign_settings.auto_normalize_uk_numbers is
    'Read national numbers of an import in the organization''s default_country (GB unless set); false: only numbers with + are accepted.';
comment on column public.campaign_settings.required_fields is
    'Fields a row of an import must fill; first_name and phone_number always.';
create index campaign_settings_created_at_idx on public.campaign_settings (organization_id, created_at desc, id);
comment on index public.campaign_settings_created_at_idx is 'List of an organization''s campaign settings, newest first.';
create index campaign_settings_sender_number_id_idx
    on public.campaign_settings (organization_id, sender_number_id);
comment on index public.campaign_settings_sender_number_id_idx is 'Foreign key to phone_numbers.';

select private.add_row_triggers('public.campaign_settings');
-- Datasets share settings, so a member whose scope is some datasets reads them and does not change them.
select private.add_tenant_policies('public.campaign_settings', 'datasets', shared => true);
select private.add_audit('public.campaign_settings');

create table public.datasets (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    name text not null
        constraint datasets_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text,
    source text
        constraint datasets_source_check check (source in ('csv', 'api', 'manual')),
    column_mapping jsonb not null default '{}'
        constraint datasets_column_mapping_check check (jsonb_typeof(column_mapping) = 'object'),
    total_leads integer not null default 0,
    active_leads integer not null default 0,
    hot_leads integer not null default 0,
    converted_leads integer not null default 0,
    campaign_status text not null default 'draft'
        constraint datasets_campaign_status_check
        check (campaign_status in ('draft', 'active', 'paused', 'completed')),
    campaign_start_at timestamptz,
    campaign_end_at timestamptz,
    campaign_settings_id uuid,
    auto_archive_after_days integer not null default 28
        constraint datasets_auto_archive_after_days_check check (auto_archive_after_days > 0),
    archived boolean not null generated always as (archived_at is not null) stored,
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint datasets_name_key unique (organization_id, name),
    constraint datasets_campaign_period_check check (campaign_start_at < campaign_end_at),
    constraint datasets_campaign_settings_id_fkey
        foreign key (organization_id, campaign_settings_id)
        references public.campaign_settings (organization_id, id)
        on delete set null (campaign_settings_id)
);
comment on table public.datasets is
    'A batch of leads and the campaign on it (S4). The file it came from is in uploads.';
comment on column public.datasets.column_mapping is
    'Column of the file → lead field, e.g. {"Mobile": "phone_number"}; import_leads uses it when its options bring no mapping.';
comment on column public.datasets.total_leads is
    'Leads in the dataset. This and the other three counters are kept by trigger; nobody writes them.';
comment on column public.datasets.active_leads is 'Leads that are not archived.';
comment on column public.datasets.hot_leads is 'Leads whose contact_status is HOT.';
comment on column public.datasets.converted_leads is 'Leads whose contact_status is CONVERTED.';
comment on column public.datasets.campaign_status is 'draft until a campaign is activated; not writable by clients.';
comment on index public.datasets_name_key is 'A name once per organization; dataset by name.';
create index datasets_created_at_idx on public.datasets (organization_id, created_at desc, id);
comment on index public.datasets_created_at_idx is 'List of an organization''s datasets, newest first.';
create index datasets_campaign_settings_id_idx
    on public.datasets (organization_id, campaign_settings_id);
comment on index public.datasets_campaign_settings_id_idx is
    'Foreign key to campaign_settings; datasets that share settings.';

select private.add_row_triggers('public.datasets');
select private.add_tenant_policies('public.datasets', 'datasets', dataset => 'id');
select private.add_audit('public.datasets', '{}', '{total_leads,active_leads,hot_leads,converted_leads}');
select private.add_quota('public.datasets', 'datasets');

create trigger remove_datasets_from_scopes
    after delete on public.datasets referencing old table as old_rows
    for each statement execute function private.remove_datasets_from_scopes();

create table public.uploads (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    uploaded_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    filename text not null
        constraint uploads_filename_check check (btrim(filename) <> '' and length(filename) <= 500),
    storage_path text,
    file_size bigint
        constraint uploads_file_size_check check (file_size >= 0),
    file_type text,
    status text not null default 'pending'
        constraint uploads_status_check
        check (status in ('pending', 'processing', 'mapping', 'completed', 'failed')),
    mapping jsonb not null default '{}'
        constraint uploads_mapping_check check (jsonb_typeof(mapping) = 'object'),
    options jsonb not null default '{}'
        constraint uploads_options_check check (jsonb_typeof(options) = 'object'),
    rows_detected integer not null default 0,
    rows_inserted integer not null default 0,
    rows_merged integer not null default 0,
    rows_skipped integer not null default 0,
    rows_suppressed integer not null default 0,
    rows_failed integer not null default 0,
    errors jsonb not null default '[]'
        constraint uploads_errors_check check (jsonb_typeof(errors) = 'array'),
    started_at timestamptz,
    completed_at timestamptz,
    processing_time integer generated always as (
        extract(epoch from completed_at - started_at)::integer
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint uploads_rows_add_up_check check (
        status <> 'completed'
        or rows_detected = rows_inserted + rows_merged + rows_skipped + rows_suppressed + rows_failed
    ),
    constraint uploads_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id)
);
comment on table public.uploads is
    'One import and what became of its rows (S4). In a completed one the counts add up, by CHECK.';
comment on column public.uploads.errors is
    'Rows that failed: [{"row": 1-based, "column", "value" as given, "reason"}].';
comment on column public.uploads.processing_time is 'Seconds.';
create index uploads_dataset_id_idx on public.uploads (organization_id, dataset_id, created_at desc);
comment on index public.uploads_dataset_id_idx is
    'Foreign key to datasets; uploads of a dataset, newest first.';
create index uploads_created_at_idx on public.uploads (organization_id, created_at desc, id);
comment on index public.uploads_created_at_idx is 'List of an organization''s uploads, newest first.';
create index uploads_uploaded_by_idx on public.uploads (uploaded_by);
comment on index public.uploads_uploaded_by_idx is 'Foreign key to auth.users.';

select private.add_row_triggers('public.uploads');
select private.add_tenant_policies('public.uploads', 'uploads', dataset => 'dataset_id');
select private.add_audit('public.uploads', '{}', '{errors}', '{insert,delete}');

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
    phone_input text,
    email text
        constraint leads_email_check check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and length(email) <= 320),
    postcode text
        constraint leads_postcode_check check (length(postcode) <= 20),
    inquiry_date date,
    notes text,
    attributes jsonb not null default '{}'
        constraint leads_attributes_check check (jsonb_typeof(attributes) = 'object'),
    contact_status text not null default 'READY'
        constraint leads_contact_status_check check (contact_status in (
            'READY', 'CONTACTED_1', 'CONTACTED_2', 'CONTACTED_3', 'HOT', 'WARM', 'COLD',
            'CALL_BOOKED', 'CONVERTED', 'REMOVED', 'ARCHIVED'
        )),
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
    latest_lead_reply text,
    conversation_summary text,
    total_messages integer not null default 0,
    duplicate_of uuid,
    dup_seq integer not null default 0
        constraint leads_dup_seq_check check (dup_seq >= 0),
    upload_id uuid,
    row_number integer
        constraint leads_row_number_check check (row_number > 0),
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
    'A contact in a dataset (S4). A sales_rep sees and writes only the leads assigned to them.';
comment on column public.leads.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country.';
comment on column public.leads.phone_input is 'The number as it was given.';
comment on column public.leads.attributes is 'Columns of the file that map to no field, under their own names.';
comment on column public.leads.contact_status is
    'Where the lead stands. REMOVED is an opt-out: it stays, and suppresses the number in later imports.';
comment on column public.leads.archived_at is 'Set by trigger while contact_status is ARCHIVED.';
comment on column public.leads.manual_mode is 'A person writes; the agent does not.';
comment on column public.leads.assigned_to is 'A member of the organization, by foreign key.';
comment on column public.leads.duplicate_of is
    'The earlier lead of the organization with the same number; a lead that has it is held from sending.';
comment on column public.leads.dup_seq is
    '0, then 1, 2 … for further leads with the same number in the dataset (duplicate_action flag and keep_both).';
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
create index leads_assigned_to_idx on public.leads (organization_id, assigned_to)
    where assigned_to is not null;
comment on index public.leads_assigned_to_idx is
    'Foreign key to memberships; leads assigned to a member.';
create index leads_duplicate_of_idx on public.leads (organization_id, duplicate_of)
    where duplicate_of is not null;
comment on index public.leads_duplicate_of_idx is 'Foreign key to leads: duplicates of a lead.';
create index leads_upload_id_idx on public.leads (organization_id, upload_id);
comment on index public.leads_upload_id_idx is 'Foreign key to uploads: leads of an import.';

create trigger normalize_phone
    before insert or update on public.leads
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization'
    );

create function private.apply_lead_status() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' and old.contact_status = 'REMOVED' and new.contact_status <> 'REMOVED' then
        raise exception using
            errcode = '23514',
            message = 'contact_status cannot leave REMOVED',
            detail = 'The contact has opted out.',
            hint = 'Only the contact''s own opt-in lifts an opt-out.';
    end if;
    new.archived_at := case
        when new.contact_status = 'ARCHIVED' then coalesce(new.archived_at, now())
    end;
    new.manual_mode_activated_at := case
        when new.manual_mode then coalesce(new.manual_mode_activated_at, now())
    end;
    return new;
end;
$$;
comment on function private.apply_lead_status() is
    'BEFORE trigger on leads: keeps archived_at and manual_mode_activated_at true to contact_status and manual_mode, and an opted-out lead opted out. Raises 23514.';

create trigger apply_lead_status_insert
    before insert on public.leads
    for each row
    when (
        new.contact_status = 'ARCHIVED' or new.archived_at is not null
        or new.manual_mode or new.manual_mode_activated_at is not null
    )
    execute function private.apply_lead_status();
create trigger apply_lead_status_update
    before update on public.leads
    for each row
    when (
        new.contact_status is distinct from old.contact_status
        or new.archived_at is distinct from old.archived_at
        or new.manual_mode is distinct from old.manual_mode
        or new.manual_mode_activated_at is distinct from old.manual_mode_activated_at
    )
    execute function private.apply_lead_status();

create trigger count_insert
    after insert on public.leads
    referencing new table as new_rows
    for each statement execute function switchboard.maintain_counts(
        'public.datasets',
        '{"organization_id": "organization_id", "dataset_id": "id"}',
        '{"total_leads": true, "active_leads": "archived_at is null", "hot_leads": "contact_status = ''HOT''", "converted_leads": "contact_status = ''CONVERTED''"}'
    );
create trigger count_update
    after update on public.leads
    referencing old table as old_rows new table as new_rows
    for each statement execute function switchboard.maintain_counts(
        'public.datasets',
        '{"organization_id": "organization_id", "dataset_id": "id"}',
        '{"total_leads": true, "active_leads": "archived_at is null", "hot_leads": "contact_status = ''HOT''", "converted_leads": "contact_status = ''CONVERTED''"}'
    );
create trigger count_delete
    after delete on public.leads
    referencing old table as old_rows
    for each statement execute function switchboard.maintain_counts(
        'public.datasets',
        '{"organization_id": "organization_id", "dataset_id": "id"}',
        '{"total_leads": true, "active_leads": "archived_at is null", "hot_leads": "contact_status = ''HOT''", "converted_leads": "contact_status = ''CONVERTED''"}'
    );
create trigger count_truncate
    after truncate on public.leads
    for each statement execute function switchboard.maintain_counts(
        'public.datasets',
        '{"organization_id": "organization_id", "dataset_id": "id"}',
        '{"total_leads": true, "active_leads": "archived_at is null", "hot_leads": "contact_status = ''HOT''", "converted_leads": "contact_status = ''CONVERTED''"}'
    );

select private.add_row_triggers('public.leads');
select private.add_tenant_policies(
    'public.leads', 'leads', dataset => 'dataset_id', own => 'assigned_to'
);
select private.add_quota('public.leads', 'leads');

grant select, delete on public.campaign_settings, public.datasets, public.uploads, public.leads
    to authenticated;
grant insert (
    organization_id, name, description, m1_message, m2_message, m3_message, m2_delay_hours,
    m3_delay_hours, delay_respect_sending_hours, delay_type, sending_enabled, sending_hours_start,
    sending_hours_end, sending_days, sending_timezone, messages_per_minute, messages_per_hour,
    messages_per_day, ai_response_enabled, ai_response_delay_seconds, ai_response_delay_random,
    ai_multiple_messages_wait_seconds, respond_to_inbound_24_7, respect_schedule_strictly,
    silence_timeout_days, silence_nudge_enabled, silence_nudge_days, silence_nudge_message,
    duplicate_action, hot_lead_notification, hot_lead_auto_assign, hot_lead_assignment_rule,
    auto_status_updates, auto_normalize_uk_numbers, allow_international, required_fields,
    sender_number_id, cal_booking_link, is_template
) on public.campaign_settings to authenticated;
grant update (
    name, description, m1_message, m2_message, m3_message, m2_delay_hours,
    m3_delay_hours, delay_respect_sending_hours, delay_type, sending_enabled, sending_hours_start,
    sending_hours_end, sending_days, sending_timezone, messages_per_minute, messages_per_hour,
    messages_per_day, ai_response_enabled, ai_response_delay_seconds, ai_response_delay_random,
    ai_multiple_messages_wait_seconds, respond_to_inbound_24_7, respect_schedule_strictly,
    silence_timeout_days, silence_nudge_enabled, silence_nudge_days, silence_nudge_message,
    duplicate_action, hot_lead_notification, hot_lead_auto_assign, hot_lead_assignment_rule,
    auto_status_updates, auto_normalize_uk_numbers, allow_international, required_fields,
    sender_number_id, cal_booking_link, is_template
) on public.campaign_settings to authenticated;
grant insert (
    organization_id, name, description, source, column_mapping, campaign_start_at, campaign_end_at,
    campaign_settings_id, auto_archive_after_days
) on public.datasets to authenticated;
grant update (
    name, description, source, column_mapping, campaign_start_at, campaign_end_at,
    campaign_settings_id, auto_archive_after_days, archived_at
) on public.datasets to authenticated;
grant insert (organization_id, dataset_id, filename, mapping, options) on public.uploads to authenticated;
grant insert (
    organization_id, dataset_id, first_name, last_name, phone_number, email, postcode, inquiry_date, notes,
    attributes, contact_status, lead_sentiment, install_date, manual_mode, assigned_to, duplicate_of
) on public.leads to authenticated;
grant update (
    dataset_id, first_name, last_name, phone_number, email, postcode, inquiry_date, notes, attributes,
    contact_status, lead_sentiment, install_date, manual_mode, assigned_to, duplicate_of
) on public.leads to authenticated;
grant select on public.leads to service_role;
