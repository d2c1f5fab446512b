-- Root keys: id and check value of what this database is sealed with. Native code reads and writes this table,
-- tenant_keys and unseal_audit as their owner (switchboard.schema_contract). The keys in them are wrapped: none opens
-- anything without the server's key file.

create table private.root_keys (
    kid text not null primary key
        constraint root_keys_kid_check check (btrim(kid) <> ''),
    kcv bytea not null
        constraint root_keys_kcv_check check (octet_length(kcv) between 4 and 32),
    created_at timestamptz not null default now()
);
comment on table private.root_keys is
    'Root keys this database was sealed with: id and check value, never the key. A loaded key with the same id and another check value is refused instead of used.';

select private.add_deny_policy('private.root_keys');
