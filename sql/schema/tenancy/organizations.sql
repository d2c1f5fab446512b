-- Organizations, the tenant root: every other tenant table hangs off it by organization_id. Native code reads it in
-- every request (switchboard.schema_contract), so it is not FORCEd.

create table public.organizations (
    id uuid not null default gen_random_uuid() primary key,
    name text not null
        constraint organizations_name_check check (btrim(name) <> '' and length(name) <= 200),
    slug text not null
        constraint organizations_slug_key unique
        constraint organizations_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$'),
    plan text not null default 'starter'
        constraint organizations_plan_fkey references public.plans (name),
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
    phone_input text
        constraint organizations_phone_input_check check (length(phone_input) <= 250),
    website text
        constraint organizations_website_check
        check (website ~* '^https?://[^[:space:]/]+' and length(website) <= 2000),
    logo_path text
        constraint organizations_logo_path_check
        check (
            logo_path is null
            or length(logo_path) <= 1024 and switchboard.path_organization(logo_path) is not distinct from id
        ),
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
    default_agent_id uuid,
    default_phone_number_id uuid,
    settings jsonb not null default '{}'
        constraint organizations_settings_check
        check (jsonb_typeof(settings) = 'object' and switchboard.json_is_bounded(settings, 65536)),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.organizations is
    'The tenant. Every other tenant table hangs off it by organization_id. Made by create_organization; holders of organization.write change its profile, branding and settings; its status changes by set_organization_status.';
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
    'What the organization sells, in a word or two, as solar.';
comment on column public.organizations.email is 'Where customers reach the organization.';
comment on column public.organizations.phone_number is
    'Where customers reach the organization, in E.164. Any spelling may be written; a trigger reads it in default_country.';
comment on column public.organizations.phone_input is 'The number as it was typed.';
comment on column public.organizations.website is 'Address with http:// or https://.';
comment on column public.organizations.logo_path is
    'Object in the bucket client_logos, {organization_id}/….';
comment on column public.organizations.primary_color is 'Branding: # and six hexadecimal digits.';
comment on column public.organizations.quiet_start is
    'From this local time of the recipient on campaigns may send, whatever their own window says.';
comment on column public.organizations.quiet_end is
    'Until this local time of the recipient campaigns may send.';
comment on column public.organizations.n8n_workflow_id is
    'The organization''s main workflow in n8n.';
comment on column public.organizations.n8n_webhook_url is
    'Webhook of n8n for replies; https only. Every member can read it: credentials do not belong into it.';
comment on column public.organizations.default_agent_id is
    'Answers when a number has no active agent of its own.';
comment on column public.organizations.default_phone_number_id is
    'The number that campaigns send from when they name none.';
comment on column public.organizations.settings is 'Anything an application keeps for the organization: an object of at most 64 kB.';
comment on index public.organizations_slug_key is
    'Organization by slug: header x-organization-slug.';
create index organizations_plan_idx on public.organizations (plan);
comment on index public.organizations_plan_idx is 'Foreign key to plans.';
create index organizations_default_agent_id_idx on public.organizations (id, default_agent_id);
comment on index public.organizations_default_agent_id_idx is
    'Foreign key to agents: finds the organization to clear when an agent is deleted.';
create index organizations_default_phone_number_id_idx on public.organizations (id, default_phone_number_id);
comment on index public.organizations_default_phone_number_id_idx is
    'Foreign key to phone_numbers: finds the organization to clear when a number is deleted.';

create trigger normalize_phone
    before insert or update on public.organizations
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'column:default_country'
    );

select private.add_row_triggers('public.organizations', '{id,created_at}');

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

grant select on public.organizations to authenticated;

grant update (
    name, default_country, timezone, industry, email, phone_number, website, logo_path, primary_color, quiet_start,
    quiet_end, n8n_workflow_id, n8n_webhook_url, settings, default_agent_id, default_phone_number_id
) on public.organizations to authenticated;
grant select, insert, update, delete on public.organizations to service_role;

-- Whoever knows the address of a workflow's webhook can start it.
select private.add_audit('public.organizations', '{n8n_webhook_url}');

