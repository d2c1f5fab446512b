-- Customers: whoever rings.

create table public.customers (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    phone_number text not null
        constraint customers_phone_number_check check (switchboard.is_e164(phone_number)),
    phone_input text
        constraint customers_phone_input_check check (length(phone_input) <= 250),
    name text
        constraint customers_name_check check (length(name) <= 200),
    email text
        constraint customers_email_check check (private.is_email(email)),
    attributes jsonb not null default '{}'
        constraint customers_attributes_check
        check (jsonb_typeof(attributes) = 'object' and switchboard.json_is_bounded(attributes, 65536)),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint customers_phone_number_key unique (organization_id, phone_number)
);
comment on table public.customers is
    'A person who called, once per organization and number. A lead is a campaign''s entry; a customer is whoever rings.';
comment on column public.customers.phone_number is
    'E.164. Any spelling may be written; a trigger normalizes it in the organization''s default_country.';
comment on column public.customers.phone_input is 'The number as it was given.';
comment on index public.customers_phone_number_key is
    'A number once per organization; route_inbound_call: customer of a caller.';
create index customers_created_at_idx on public.customers (organization_id, created_at desc, id);
comment on index public.customers_created_at_idx is 'List of an organization''s customers, newest first.';

create trigger normalize_phone
    before insert or update on public.customers
    for each row execute function switchboard.normalize_phone(
        'phone_number', 'phone_input', 'organization'
    );

select private.add_row_triggers('public.customers');
select private.add_tenant_policies('public.customers', 'customers');

grant select, delete on public.customers to authenticated;
grant insert (organization_id, phone_number, name, email, attributes)
    on public.customers to authenticated;
grant update (phone_number, name, email, attributes) on public.customers to authenticated;
grant select, insert, update, delete on public.customers to service_role;
