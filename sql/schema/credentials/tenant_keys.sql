-- Tenant keys: one data key for each organization and version. Native code reads and writes them.

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

select private.add_deny_policy('private.tenant_keys');
