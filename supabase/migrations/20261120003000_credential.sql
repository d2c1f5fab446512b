-- Credentials: provider accounts whose secrets are sealed before they reach the table, and the key
-- tables of the native code. switchboard.seal_column, seal and unseal read and write
-- private.root_keys, private.tenant_keys and private.unseal_audit as the owner; their columns are that
-- contract. The keys in them are wrapped: none opens anything without the server's key file.

create table private.root_keys (
    kid text not null primary key
        constraint root_keys_kid_check check (btrim(kid) <> ''),
    kcv bytea not null
        constraint root_keys_kcv_check check (octet_length(kcv) between 4 and 32),
    created_at timestamptz not null default now()
);
comment on table private.root_keys is
    'Root keys this database was sealed with: id and check value, never the key. A loaded key with the same id and another check value is refused instead of used.';

create table private.tenant_keys (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    version integer not null
        constraint tenant_keys_version_check check (version > 0),
    root_kid text not null references private.root_keys (kid),
    wrap_salt bytea,
    wrapped_key bytea,
    created_at timestamptz not null default now(),
    shredded_at timestamptz,
    primary key (organization_id, version),
    constraint tenant_keys_shredded_check check (
        (shredded_at is null and wrap_salt is not null and wrapped_key is not null)
        or (shredded_at is not null and wrapped_key is null)
    )
);
comment on table private.tenant_keys is
    'One data key per organization and version, wrapped by a root key. Shredding a tenant removes the wrapped key and leaves the date.';
create index tenant_keys_root_kid_idx on private.tenant_keys (root_kid);
comment on index private.tenant_keys_root_kid_idx is
    'Foreign key to root_keys; tenants still wrapped by a root key that is to be retired.';

create table private.unseal_audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    outer_role text not null,
    user_id uuid,
    organization_id uuid,
    row_id text,
    purpose text,
    reason text,
    result text not null
);
comment on table private.unseal_audit is
    'Every attempt to open a sealed value: who, for which row, why, with which result. No foreign keys: the record outlives what it speaks of.';
create index unseal_audit_organization_id_idx on private.unseal_audit (organization_id, at desc);
comment on index private.unseal_audit_organization_id_idx is
    'Who opened credentials of this organization, newest first.';

select private.add_deny_policy('private.root_keys');
select private.add_deny_policy('private.tenant_keys');
select private.add_deny_policy('private.unseal_audit');

create table public.provider_accounts (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    provider text not null
        constraint provider_accounts_provider_check
        check (provider in ('twilio', 'telnyx', 'vonage', 'bandwidth', 'sip')),
    label text
        constraint provider_accounts_label_check check (length(label) <= 200),
    account_ref text not null
        constraint provider_accounts_account_ref_check check (btrim(account_ref) <> ''),
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
    'An account at a telephony provider; many numbers share it. Takes S3''s phone_numbers.credentials. Name the columns in a select: credentials is not readable, so * is refused.';
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
grant select on public.provider_accounts to service_role;

create function public.provider_credentials(provider_account_id uuid, reason text) returns jsonb
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_row record;
    v_matches integer;
begin
    if reason is null or btrim(reason) = '' then
        raise exception using
            errcode = '22023',
            message = 'reason must say why the credentials are opened';
    end if;

    -- An id is unique within an organization only; a second match would be somebody's mistake, and
    -- guessing between two tenants is not an option.
    select count(*) over () as matches, a.organization_id, a.id, a.credentials
        into v_row
        from public.provider_accounts a
        where a.id = provider_credentials.provider_account_id
        limit 1;
    v_matches := coalesce(v_row.matches, 0);
    if v_matches = 0 or v_row.credentials is null then
        raise exception using
            errcode = 'PT404',
            message = 'credentials_not_found',
            detail = 'There is no such provider account, or it has no credentials.';
    end if;
    if v_matches > 1 then
        raise exception using
            errcode = 'PT409',
            message = 'ambiguous_provider_account',
            detail = 'More than one organization has a provider account with this id.';
    end if;

    return switchboard.unseal(
        v_row.credentials,
        v_row.organization_id,
        v_row.id::text,
        'provider_accounts.credentials',
        provider_credentials.reason
    );
end;
$$;
comment on function public.provider_credentials(uuid, text) is
    'The opened credentials of a provider account, for server code. service_role only; reason goes into private.unseal_audit. Call by POST: the audit row needs a read-write transaction. Raises 22023 (no reason), PT404 credentials_not_found, PT409 ambiguous_provider_account, 42501 (role), 55000 (no key or wrong key), 54000 (too many).';
grant execute on function public.provider_credentials(uuid, text) to service_role;
