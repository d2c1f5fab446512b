-- Provider accounts, whose secrets are sealed before they reach the table.

create table public.provider_accounts (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    provider text not null
        constraint provider_accounts_provider_check check (private.is_provider(provider)),
    label text
        constraint provider_accounts_label_check check (length(label) <= 200),
    account_ref text not null
        constraint provider_accounts_account_ref_check
        check (btrim(account_ref) <> '' and length(account_ref) <= 200),
    -- Raises instead of returning false, because the detail of a failed CHECK prints the row; named to
    -- be the first CHECK that is evaluated, because any other one that fails would print it too.
    credentials jsonb
        constraint aa_credentials_sealed check (switchboard.assert_sealed(credentials)),
    credentials_hint jsonb generated always as (switchboard.credential_hint(credentials)) stored,
    status text not null default 'active'
        constraint provider_accounts_status_check check (status in ('active', 'inactive', 'error')),
    failure_count integer not null default 0
        constraint provider_accounts_failure_count_check check (failure_count >= 0),
    last_verified_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint provider_accounts_account_ref_key unique (organization_id, provider, account_ref)
);
comment on table public.provider_accounts is
    'An account at a telephony provider; many numbers share it. Name the columns in a select: credentials is not readable, so * is refused.';
comment on column public.provider_accounts.account_ref is
    'The provider''s public name of the account, e.g. a Twilio account SID. Not a secret.';
comment on column public.provider_accounts.credentials is
    'Write as plain JSON ({"accountSid": …, "authToken": …}); a trigger seals it before it is stored. Not readable; opened only by provider_credentials.';
comment on column public.provider_accounts.credentials_hint is
    'What may be shown of the credentials: which are set, and the last four characters of an account id.';
comment on index public.provider_accounts_account_ref_key is
    'One row per provider account in an organization.';
create index provider_accounts_created_at_idx on public.provider_accounts (organization_id, created_at desc, id);
comment on index public.provider_accounts_created_at_idx is 'List of an organization''s provider accounts, newest first.';
create index provider_accounts_id_idx on public.provider_accounts (id);
comment on index public.provider_accounts_id_idx is
    'provider_credentials: account by id alone, on the call path where no organization is asked for.';

-- BEFORE triggers fire in the order of their names: nothing may see or copy the clear text first. No
-- "update of", which would miss a change made by another trigger. ALWAYS, because
-- session_replication_role = replica skips an ordinary trigger.
create trigger aa_seal_credentials
    before insert or update on public.provider_accounts
    for each row execute function switchboard.seal_column(
        'credentials', 'organization_id', 'id', 'provider_accounts.credentials'
    );

alter table public.provider_accounts enable always trigger aa_seal_credentials;

select private.add_row_triggers('public.provider_accounts');
select private.add_tenant_policies('public.provider_accounts', 'provider_accounts');
select private.add_audit('public.provider_accounts', '{credentials}', '{failure_count,last_verified_at}');

grant select (
    organization_id, id, provider, label, account_ref, credentials_hint, status, failure_count,
    last_verified_at, created_at, updated_at
) on public.provider_accounts to authenticated;
grant insert (organization_id, provider, label, account_ref, credentials, status)
    on public.provider_accounts to authenticated;
grant update (label, account_ref, credentials, status) on public.provider_accounts to authenticated;
grant delete on public.provider_accounts to authenticated;
grant select, insert, update, delete on public.provider_accounts to service_role;
