-- Who administers the installation. Native code reads it.

create table private.platform_admins (
    user_id uuid not null primary key references auth.users (id) on delete cascade,
    granted_by uuid,
    granted_at timestamptz not null default now()
);
comment on table private.platform_admins is
    'Administrators of the installation; not a tenant role and never part of a tenant policy. Rows are inserted by the database owner; no API role reaches the table.';

select private.add_deny_policy('private.platform_admins');
