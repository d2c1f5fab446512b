-- Campaign settings: how a campaign writes, waits and reads imports.

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
    description text
        constraint campaign_settings_description_check check (length(description) <= 2000),
    m1_message text not null
        constraint campaign_settings_m1_message_check
        check (btrim(m1_message) <> '' and length(m1_message) <= 2000),
    m2_message text
        constraint campaign_settings_m2_message_check
        check (btrim(m2_message) <> '' and length(m2_message) <= 2000),
    m3_message text
        constraint campaign_settings_m3_message_check
        check (btrim(m3_message) <> '' and length(m3_message) <= 2000),
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
        constraint campaign_settings_silence_nudge_message_check
        check (btrim(silence_nudge_message) <> '' and length(silence_nudge_message) <= 2000),
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
    cal_booking_link text
        constraint campaign_settings_cal_booking_link_check check (length(cal_booking_link) <= 2000),
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
    'How a campaign writes, waits and reads imports. Several datasets may share one row. Obeyed so far, by import_leads: duplicate_action, auto_normalize_uk_numbers, allow_international and required_fields. Nothing sends yet, so the other columns are kept and checked, and change nothing.';
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

grant select, delete on public.campaign_settings
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
grant select, insert, update, delete on public.campaign_settings to service_role;
