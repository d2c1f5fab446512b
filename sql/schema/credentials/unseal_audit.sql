-- Who opened what. Native code writes here.

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

select private.add_deny_policy('private.unseal_audit');
