-- The RPC by which server code opens a provider account's credentials.

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
