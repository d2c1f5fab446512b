-- Tenancy: organizations (the tenant root), people, their memberships, and who administers the
-- platform. Native code (switchboard.organization_for and its relatives) reads organizations(id, slug,
-- status), memberships (all but id and the timestamps), profiles(id, default_organization_id) and
-- private.platform_admins(user_id) as the owner, the first three in every request, through
-- organizations_pkey, memberships_user_id_idx and profiles_pkey; names and types of those columns and
-- the names of those indexes are its contract. These tables are therefore not FORCEd.

create function private.is_email(address text) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select address ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' and length(address) <= 320;
end;
comment on function private.is_email(text) is
    'Whether the text has the shape of an e-mail address (RFC 3696: at most 320 characters); whether it receives mail only a mail tells. For CHECK constraints. Raises nothing.';
grant execute on function private.is_email(text) to authenticated, service_role;

create table public.organizations (
    id uuid not null default gen_random_uuid() primary key,
    name text not null
        constraint organizations_name_check check (btrim(name) <> '' and length(name) <= 200),
    slug text not null
        constraint organizations_slug_key unique
        constraint organizations_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$'),
    plan text not null default 'starter',
    status text not null default 'active'
        constraint organizations_status_check check (status in ('active', 'paused', 'cancelled')),
    default_country text not null default 'GB'
        constraint organizations_default_country_check check (default_country ~ '^[A-Z]{2}$'),
    calling_code integer not null generated always as (switchboard.calling_code(default_country)) stored,
    timezone text not null default 'Europe/London'
        constraint organizations_timezone_check check (private.is_time_zone(timezone)),
    industry text
        constraint organizations_industry_check check (btrim(industry) <> '' and length(industry) <= 100),
    email text
        constraint organizations_email_check check (private.is_email(email)),
    phone_number text
        constraint organizations_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text,
    website text
        constraint organizations_website_check
        check (website ~* '^https?://[^[:space:]/]+' and length(website) <= 2000),
    logo_path text
        constraint organizations_logo_path_check
        check (logo_path is null or switchboard.path_organization(logo_path) is not distinct from id),
    primary_color text not null default '#8cc63f'
        constraint organizations_primary_color_check check (primary_color ~* '^#[0-9a-f]{6}$'),
    quiet_start time not null default '08:00',
    quiet_end time not null default '21:00'
        constraint organizations_quiet_end_check check (quiet_start < quiet_end),
    n8n_workflow_id text
        constraint organizations_n8n_workflow_id_check
        check (btrim(n8n_workflow_id) <> '' and length(n8n_workflow_id) <= 200),
    n8n_webhook_url text
        constraint organizations_n8n_webhook_url_check
        check (n8n_webhook_url ~* '^https://[^[:space:]/@]+(/[^[:space:]]*)?$' and length(n8n_webhook_url) <= 2000),
    default_phone_number_id uuid,
    settings jsonb not null default '{}'
        constraint organizations_settings_check
        check (jsonb_typeof(settings) = 'object' and octet_length(settings::text) <= 65536),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.organizations is
    'The tenant (S0, S1, S3 organizations; S4 clients). Every other tenant table hangs off it by organization_id. Made by create_organization; holders of organization.write change its profile, branding and settings; its status changes by set_organization_status.';
comment on column public.organizations.slug is
    'Unique name for addresses: 3 to 63 of a-z, 0-9 and hyphen. Global, so only create_organization says whether one is taken.';
comment on column public.organizations.status is
    'active: everything; paused: members read only; cancelled: owner and admin read only. The capability functions apply it, so a change holds from the next statement.';
comment on column public.organizations.default_country is
    'ISO 3166-1 alpha-2 code; the region in which a phone number without + is read.';
comment on column public.organizations.calling_code is
    'Calling code of default_country; a number with another one is international for an import.';
comment on column public.organizations.timezone is
    'Name from the tz database with an area, or UTC.';
comment on column public.organizations.industry is
    'What the organization sells, in a word or two (S4: solar, home_improvement, other).';
comment on column public.organizations.email is 'Where customers reach the organization (S4 company_email).';
comment on column public.organizations.phone_number is
    'Where customers reach the organization (S4 company_phone), in E.164. Any spelling may be written; a trigger reads it in default_country.';
comment on column public.organizations.phone_input is 'The number as it was typed.';
comment on column public.organizations.website is 'Address with http:// or https:// (S4 company_website).';
comment on column public.organizations.logo_path is
    'Object in the bucket client_logos, {organization_id}/… (S4 logo_url).';
comment on column public.organizations.primary_color is 'Branding: # and six hexadecimal digits (S4).';
comment on column public.organizations.quiet_start is
    'From this local time of the recipient on campaigns may send, whatever their own window says.';
comment on column public.organizations.quiet_end is
    'Until this local time of the recipient campaigns may send.';
comment on column public.organizations.n8n_workflow_id is 'The organization''s main workflow in n8n (S4).';
comment on column public.organizations.n8n_webhook_url is
    'Webhook of n8n for replies (S4); https only. Every member can read it: credentials do not belong into it.';
comment on column public.organizations.default_phone_number_id is
    'The number that campaigns send from when they name none (S4 twilio_phone_number).';
comment on column public.organizations.settings is 'Anything an application keeps for the organization: an object of at most 64 kB.';
comment on index public.organizations_slug_key is
    'Organization by slug: header x-organization-slug.';

create table public.memberships (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    user_id uuid not null references auth.users (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    role text not null
        constraint memberships_role_check
        check (role in ('owner', 'admin', 'manager', 'sales_rep', 'viewer')),
    status text not null default 'active'
        constraint memberships_status_check check (status in ('invited', 'active', 'suspended')),
    permissions jsonb not null default '{}'
        constraint memberships_permissions_check check (switchboard.assert_permissions(permissions)),
    can_view_all_leads boolean not null default false,
    can_edit_lessons boolean not null default false,
    can_push_to_n8n boolean not null default false,
    can_manage_users boolean not null default false,
    allowed_dataset_ids uuid[]
        constraint memberships_allowed_dataset_ids_check
        check (array_position(allowed_dataset_ids, null) is null and cardinality(allowed_dataset_ids) <= 1000),
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, user_id),
    constraint memberships_id_key unique (organization_id, id),
    constraint memberships_owner_check check (
        role <> 'owner' or (permissions = '{}' and allowed_dataset_ids is null and expires_at is null)
    )
);
comment on table public.memberships is
    'Who belongs to which organization, with which role (S3 user_organizations, S4 users). What a role may do is switchboard.capabilities(); the flags and permissions of a member add to it and take from it. Written by RPC only.';
comment on column public.memberships.permissions is
    'Object of capability → true (gives it) or false (takes it away, whatever role and flags say). Never gives what only an owner holds. An owner has none.';
comment on column public.memberships.can_view_all_leads is
    'Gives leads.read_all: every lead, not only the assigned ones (S4).';
comment on column public.memberships.can_edit_lessons is 'Gives lessons.write (S4).';
comment on column public.memberships.can_push_to_n8n is 'Gives n8n.push (S4).';
comment on column public.memberships.can_manage_users is 'Gives members.write (S4).';
comment on column public.memberships.allowed_dataset_ids is
    'The datasets whose leads the member may see (S4); NULL is all of them, an empty array none. An owner sees all.';
comment on column public.memberships.expires_at is
    'From this instant the membership gives nothing; NULL is never. An owner has none.';
comment on index public.memberships_id_key is
    'A member by id: RPCs that change or remove one, references from other tables.';
create index memberships_user_id_idx on public.memberships (user_id);
comment on index public.memberships_user_id_idx is
    'All memberships of a user: every request resolves its organization through it; also the foreign key to auth.users.';

create table public.profiles (
    id uuid not null primary key references auth.users (id) on delete cascade,
    full_name text
        constraint profiles_full_name_check check (length(full_name) <= 200),
    first_name text
        constraint profiles_first_name_check check (length(first_name) <= 100),
    last_name text
        constraint profiles_last_name_check check (length(last_name) <= 100),
    email text,
    country text
        constraint profiles_country_check check (country ~ '^[A-Z]{2}$'),
    phone_number text
        constraint profiles_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text,
    avatar_path text
        constraint profiles_avatar_path_check check (btrim(avatar_path) <> '' and length(avatar_path) <= 1024),
    default_organization_id uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint profiles_default_organization_id_fkey
        foreign key (default_organization_id, id)
        references public.memberships (organization_id, user_id)
        on delete set null (default_organization_id)
);
comment on table public.profiles is
    'The person behind an auth user; made by a trigger at sign-up. Rights are not here but in memberships. Everybody changes their own name, country, phone number and avatar. Name the columns in a select: default_organization_id is not readable, because a teammate''s may be an organization one is not in, and neither are e-mail address and phone number, which the view users shows to those who manage members.';
comment on column public.profiles.email is
    'Copy of auth.users.email, kept by trigger. Granted to nobody: the view users shows it to the person and to holders of members.write.';
comment on column public.profiles.country is
    'ISO 3166-1 alpha-2 code in which the person''s phone number is read; without it only a number with + is.';
comment on column public.profiles.phone_number is 'E.164. Granted to nobody for reading, like email.';
comment on column public.profiles.phone_input is 'The number as it was typed.';
comment on column public.profiles.avatar_path is 'Object in a bucket of the application.';
comment on column public.profiles.default_organization_id is
    'The organization to act for when a request names none. The key ties it to a membership of this person, so it goes when the membership goes.';
create index profiles_default_organization_id_idx
    on public.profiles (default_organization_id, id);
comment on index public.profiles_default_organization_id_idx is
    'Foreign key to memberships: finds the profile to clear when a membership is deleted.';

create table private.platform_admins (
    user_id uuid not null primary key references auth.users (id) on delete cascade,
    granted_by uuid,
    granted_at timestamptz not null default now()
);
comment on table private.platform_admins is
    'Administrators of the installation; not a tenant role and never part of a tenant policy. Rows are inserted by the database owner; no API role reaches the table.';

create table private.profile_failures (
    id bigint generated always as identity primary key,
    user_id uuid not null,
    sqlstate text not null,
    message text not null,
    failed_at timestamptz not null default clock_timestamp()
);
comment on table private.profile_failures is
    'Sign-ups whose profile could not be made. private.backfill_profiles() repairs and empties it.';

create trigger normalize_phone
    before insert or update on public.organizations
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'column:default_country'
    );
create trigger normalize_phone
    before insert or update on public.profiles
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'column:country'
    );

select private.add_row_triggers('public.organizations', '{id,created_at}');
select private.add_row_triggers('public.memberships', '{organization_id,user_id,id,created_at}');
select private.add_row_triggers('public.profiles', '{id,created_at}');

-- Row level security. Three small tables that a client needs in order to list and switch
-- organizations: readable for all its organizations at once, and a member always sees the own row, so
-- that a suspended one can see why nothing else is left.
alter table public.organizations enable row level security;
create policy organizations_select on public.organizations for select to authenticated
    using (
        id = any ((select switchboard.organization_ids())::uuid[])
        -- A support session, which is no membership.
        or id = (select switchboard.organization_for('organization.read'))
    );
create policy organizations_insert on public.organizations for insert to authenticated
    with check (false);
create policy organizations_update on public.organizations for update to authenticated
    using (id = (select switchboard.organization_for('organization.write')))
    with check (id = (select switchboard.organization_for('organization.write')));
create policy organizations_delete on public.organizations for delete to authenticated
    using (false);

alter table public.memberships enable row level security;
create policy memberships_select on public.memberships for select to authenticated
    using (
        organization_id = any ((select switchboard.organization_ids())::uuid[])
        or user_id = (select switchboard.user_id())
    );
create policy memberships_insert on public.memberships for insert to authenticated
    with check (false);
create policy memberships_update on public.memberships for update to authenticated
    using (false) with check (false);
create policy memberships_delete on public.memberships for delete to authenticated
    using (false);

alter table public.profiles enable row level security;
create policy profiles_select on public.profiles for select to authenticated
    using (
        id = (select switchboard.user_id())
        or id = any (array(
            select m.user_id
            from public.memberships m
            where m.organization_id = any ((select switchboard.organization_ids())::uuid[])
        ))
    );
create policy profiles_insert on public.profiles for insert to authenticated
    with check (false);
create policy profiles_update on public.profiles for update to authenticated
    using (id = (select switchboard.user_id())) with check (id = (select switchboard.user_id()));
create policy profiles_delete on public.profiles for delete to authenticated
    using (false);

select private.add_deny_policy('private.platform_admins');
select private.add_deny_policy('private.profile_failures');

grant select on public.organizations, public.memberships to authenticated;
-- default_agent_id and default_phone_number_id follow where agents and phone_numbers are made.
grant update (
    name, default_country, timezone, industry, email, phone_number, website, logo_path, primary_color, quiet_start,
    quiet_end, n8n_workflow_id, n8n_webhook_url, settings
) on public.organizations to authenticated;
grant select (id, full_name, first_name, last_name, country, avatar_path, created_at, updated_at)
    on public.profiles to authenticated;
grant update (full_name, first_name, last_name, country, phone_number, avatar_path)
    on public.profiles to authenticated;
grant select on public.organizations to service_role;

create function private.handle_new_user() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
    set lock_timeout = '500ms'
as $$
declare
    failed_state text;
    failed_message text;
begin
    begin
        insert into public.profiles (id, full_name, first_name, last_name, email)
        values (
            new.id,
            left(new.raw_user_meta_data ->> 'full_name', 200),
            left(new.raw_user_meta_data ->> 'first_name', 100),
            left(new.raw_user_meta_data ->> 'last_name', 100),
            new.email
        )
        on conflict (id) do nothing;
    exception
        when others then
            get stacked diagnostics
                failed_state = returned_sqlstate,
                failed_message = message_text;
            insert into private.profile_failures (user_id, sqlstate, message)
            values (new.id, failed_state, failed_message);
    end;
    return new;
exception
    when others then
        raise warning 'profile of user % not made and the failure not recorded: %', new.id, sqlstate;
        return new;
end;
$$;
comment on function private.handle_new_user() is
    'AFTER INSERT trigger on auth.users: makes the profile. Never blocks a sign-up: an error, or a lock that does not come within half a second, becomes a row of private.profile_failures, and if even that fails a warning. Raises nothing.';

create trigger on_auth_user_created
    after insert on auth.users
    for each row execute function private.handle_new_user();

create function private.copy_email() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
    set lock_timeout = '500ms'
as $$
declare
    failed_state text;
    failed_message text;
begin
    begin
        update public.profiles set email = new.email where id = new.id;
    exception
        when others then
            get stacked diagnostics
                failed_state = returned_sqlstate,
                failed_message = message_text;
            insert into private.profile_failures (user_id, sqlstate, message)
            values (new.id, failed_state, failed_message);
    end;
    return new;
exception
    when others then
        raise warning 'e-mail address of user % not copied and the failure not recorded: %', new.id, sqlstate;
        return new;
end;
$$;
comment on function private.copy_email() is
    'AFTER UPDATE trigger on auth.users: profiles.email follows. Never blocks Supabase Auth; a failure is kept like one of handle_new_user. Raises nothing.';

create trigger on_auth_user_email_changed
    after update of email on auth.users
    for each row when (new.email is distinct from old.email) execute function private.copy_email();

create function private.backfill_profiles() returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    made integer;
    corrected integer;
begin
    insert into public.profiles (id, full_name, first_name, last_name, email)
    select u.id, left(u.raw_user_meta_data ->> 'full_name', 200), left(u.raw_user_meta_data ->> 'first_name', 100),
        left(u.raw_user_meta_data ->> 'last_name', 100), u.email
    from auth.users u
    where not exists (select from public.profiles p where p.id = u.id)
    on conflict (id) do nothing;
    get diagnostics made = row_count;

    update public.profiles p
    set email = u.email
    from auth.users u
    where u.id = p.id and u.email is distinct from p.email;
    get diagnostics corrected = row_count;

    delete from private.profile_failures f
    where exists (select from public.profiles p where p.id = f.user_id)
        or not exists (select from auth.users u where u.id = f.user_id);
    return made + corrected;
end;
$$;
comment on function private.backfill_profiles() is
    'For the database owner: makes every missing profile, corrects every e-mail address that differs, clears repaired or outdated rows of private.profile_failures; returns how many profiles were made or corrected.';

create function private.create_organization(
    p_name text,
    p_slug text,
    p_default_country text,
    p_timezone text
) returns public.organizations
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    -- Far above what a person needs, far below what hurts.
    max_owned constant integer := 20;
    v_uid uuid := switchboard.require_user_id();
    v_name text := btrim(p_name);
    v_slug text := lower(btrim(p_slug));
    v_row public.organizations;
begin
    if coalesce(auth.jwt() ->> 'is_anonymous', 'false') <> 'false' then
        raise exception using
            errcode = 'PT403',
            message = 'anonymous_user',
            detail = 'An anonymous user cannot own an organization.',
            hint = 'Sign in with an e-mail address or a provider first.';
    end if;
    if not exists (select from auth.users u where u.id = v_uid) then
        raise exception using
            errcode = 'PT401',
            message = 'unknown_user',
            detail = 'The user of this token does not exist.',
            hint = 'Sign in again.';
    end if;
    if v_name is null or v_name = '' or length(v_name) > 200 then
        raise exception using
            errcode = '22023',
            message = 'name must have 1 to 200 characters';
    end if;
    if v_slug is not null and v_slug !~ '^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$' then
        raise exception using
            errcode = '22023',
            message = 'slug must have 3 to 63 characters a-z, 0-9 and hyphen, and begin and end without a hyphen';
    end if;
    if p_default_country is null
        or p_default_country !~ '^[A-Z]{2}$'
        or switchboard.calling_code(p_default_country) is null
    then
        raise exception using
            errcode = '22023',
            message = 'default_country must be a two-letter country code such as GB';
    end if;
    if p_timezone is null or not private.is_time_zone(p_timezone) then
        raise exception using
            errcode = '22023',
            message = 'timezone must be a name of the tz database such as Europe/London, or UTC';
    end if;

    perform pg_advisory_xact_lock(hashtextextended('create_organization ' || v_uid, 0));
    if (
        select count(*) from public.memberships m
        where m.user_id = v_uid and m.role = 'owner'
    ) >= max_owned then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_organizations',
            detail = format('One user can own at most %s organizations.', max_owned);
    end if;

    if v_slug is null then
        v_slug := trim('-' from left(regexp_replace(lower(v_name), '[^a-z0-9]+', '-', 'g'), 50));
        if length(v_slug) < 3 or exists (select from public.organizations o where o.slug = v_slug) then
            v_slug := trim('-' from v_slug || '-' || left(replace(gen_random_uuid()::text, '-', ''), 8));
        end if;
    end if;

    begin
        insert into public.organizations (name, slug, default_country, timezone)
        values (v_name, v_slug, p_default_country, p_timezone)
        returning * into v_row;
    exception
        when unique_violation then
            raise exception using
                errcode = 'PT409',
                message = 'slug_taken',
                detail = format('The slug %s is taken.', v_slug),
                hint = 'Choose another slug.';
    end;
    insert into public.memberships (organization_id, user_id, role)
    values (v_row.id, v_uid, 'owner');
    return v_row;
end;
$$;
comment on function private.create_organization(text, text, text, text) is
    'Body of public.create_organization; see there.';

create function public.create_organization(
    name text,
    slug text default null,
    default_country text default 'GB',
    timezone text default 'Europe/London'
) returns public.organizations
    language sql volatile
    set search_path = ''
begin atomic
    select private.create_organization(name, slug, default_country, timezone);
end;
comment on function public.create_organization(text, text, text, text) is
    'Makes an organization with the caller as its owner and returns its row. slug: 3 to 63 of a-z, 0-9, hyphen; made from the name when absent. default_country: two-letter code; timezone: tz database name. Raises PT401 (no identity), PT403 anonymous_user, 22023 (name, slug, default_country, timezone), PT409 slug_taken, PT429 too_many_organizations.';

create function public.whoami() returns jsonb
    language sql stable
    set search_path = ''
begin atomic
    select switchboard.request_context();
end;
comment on function public.whoami() is
    'Who the caller is for the database: user_id, organization_id, role, capabilities, which source named the organization, the reason when there is none, and the caller''s organizations. Raises nothing.';

grant execute on function private.create_organization(text, text, text, text) to authenticated;
grant execute on function public.create_organization(text, text, text, text) to authenticated;
grant execute on function public.whoami() to authenticated;
