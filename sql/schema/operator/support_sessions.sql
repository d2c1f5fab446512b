-- Support sessions: a platform administrator's temporary, read-only access to one organization. Native code reads
-- them (switchboard.schema_contract).

create function private.is_read_capability_list(names text[]) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select count(*) > 0
        and count(*) = count(distinct n)
        and bool_and(private.is_capability_name(n) and n ~ '[.]read(_all)?$')
    from unnest(names) as n;
end;
comment on function private.is_read_capability_list(text[]) is
    'True for a non-empty list of different names of the form object.read and object.read_all, which is how capabilities that only read are called. For the CHECK constraint and open_support_session. Raises nothing.';

create table public.support_sessions (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    admin_id uuid not null references auth.users (id) on delete cascade,
    reason text not null
        constraint support_sessions_reason_check check (btrim(reason) <> '' and length(reason) <= 1000),
    capabilities text[] not null
        constraint support_sessions_capabilities_check
        check (private.is_read_capability_list(capabilities)),
    opened_at timestamptz not null default now(),
    expires_at timestamptz not null,
    closed_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint support_sessions_expires_at_check check (
        expires_at > opened_at and expires_at <= opened_at + interval '60 minutes'
    ),
    constraint support_sessions_closed_at_check check (closed_at >= opened_at)
);
comment on table public.support_sessions is
    'A platform administrator''s access to one organization: for at most an hour, with the capabilities it names and no other, for a reason that the organization can read. While it is open, and the administrator is signed in with a second factor, requests for the organization have the role support. Written by RPC only.';
comment on column public.support_sessions.capabilities is
    'What may be read, such as leads.read. A session never writes.';
comment on column public.support_sessions.closed_at is
    'When it was closed before its time; NULL while open or expired.';

create index support_sessions_opened_at_idx on public.support_sessions (organization_id, opened_at desc, id);
comment on index public.support_sessions_opened_at_idx is
    'Support sessions of an organization, newest first.';
create index support_sessions_open_idx on public.support_sessions (admin_id) where closed_at is null;
comment on index public.support_sessions_open_idx is
    'Open sessions of a platform administrator: asked by every request with a second factor.';
create index support_sessions_admin_id_idx on public.support_sessions (admin_id);
comment on index public.support_sessions_admin_id_idx is 'Foreign key to auth.users.';

select private.add_row_triggers(
    'public.support_sessions',
    '{organization_id,id,admin_id,reason,capabilities,opened_at,expires_at,created_at}'
);
select private.add_tenant_policies('public.support_sessions', 'audit_log', '{insert,update,delete}');

grant select on public.support_sessions to authenticated;
grant select on public.support_sessions to service_role;

create unique index support_sessions_one_open_key on public.support_sessions (organization_id, admin_id)
    where closed_at is null;
comment on index public.support_sessions_one_open_key is
    'One open session for an administrator and organization; open_support_session answers for it.';

select private.add_audit('public.support_sessions');
