-- Organizations under the name clients.

create view public.clients with (security_invoker = true) as
    select
        o.id,
        o.created_at,
        o.updated_at,
        o.name as company_name,
        o.email as company_email,
        o.phone_number as company_phone,
        o.website as company_website,
        o.industry,
        o.logo_path as logo_url,
        o.primary_color,
        o.n8n_workflow_id,
        o.n8n_webhook_url,
        -- A join would end the view's being updatable.
        (
            select n.phone_number from public.phone_numbers n
            where n.organization_id = o.id and n.id = o.default_phone_number_id
        ) as twilio_phone_number,
        o.status,
        o.plan,
        o.timezone,
        o.settings
    from public.organizations o;
comment on view public.clients is
    'The organizations that the caller is a member of, under other names. Holders of organization.write update it like organizations; company_name need not be unique.';
comment on column public.clients.id is 'organizations.id';
comment on column public.clients.created_at is 'organizations.created_at';
comment on column public.clients.updated_at is 'organizations.updated_at';
comment on column public.clients.company_name is 'organizations.name';
comment on column public.clients.company_email is 'organizations.email';
comment on column public.clients.company_phone is 'organizations.phone_number, E.164; any spelling may be written';
comment on column public.clients.company_website is 'organizations.website';
comment on column public.clients.industry is 'organizations.industry; no default';
comment on column public.clients.logo_url is
    'organizations.logo_path: an object in the bucket client_logos, from which supabase-js''s getPublicUrl makes the address';
comment on column public.clients.primary_color is 'organizations.primary_color';
comment on column public.clients.n8n_workflow_id is 'organizations.n8n_workflow_id';
comment on column public.clients.n8n_webhook_url is 'organizations.n8n_webhook_url';
comment on column public.clients.twilio_phone_number is
    'phone_numbers.phone_number of organizations.default_phone_number_id; change that instead';
comment on column public.clients.status is 'organizations.status; set_organization_status changes it';
comment on column public.clients.plan is 'organizations.plan';
comment on column public.clients.timezone is 'organizations.timezone';
comment on column public.clients.settings is 'organizations.settings';

grant select on public.clients to authenticated;
grant update (
    company_name, company_email, company_phone, company_website, industry, logo_url, primary_color, n8n_workflow_id,
    n8n_webhook_url, timezone, settings
) on public.clients to authenticated;
grant select on public.clients to service_role;
grant update (
    company_name, company_email, company_phone, company_website, industry, logo_url, primary_color, n8n_workflow_id,
    n8n_webhook_url, timezone, settings
) on public.clients to service_role;
