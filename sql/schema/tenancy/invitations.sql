-- Invitations: a membership offered to one e-mail address, accepted with a token that is handed out once and stored
-- as its hash. Sending the mail is the application's.

create table public.invitations (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    email text not null
        constraint invitations_email_check check (email = private.email_key(email) and private.is_email(email)),
    role text not null
        constraint invitations_role_check
        check (role in ('owner', 'admin', 'manager', 'sales_rep', 'viewer')),
    permissions jsonb not null default '{}'
        constraint invitations_permissions_check check (switchboard.assert_permissions(permissions)),
    can_view_all_leads boolean not null default false,
    can_edit_lessons boolean not null default false,
    can_push_to_n8n boolean not null default false,
    can_manage_users boolean not null default false,
    allowed_dataset_ids uuid[],
    membership_expires_at timestamptz,
    token_hash bytea not null
        constraint invitations_token_hash_check check (octet_length(token_hash) = 32),
    invited_by uuid references auth.users (id) on delete set null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references auth.users (id) on delete set null,
    revoked_at timestamptz,
    revoked_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint invitations_expires_at_check check (
        expires_at > created_at and expires_at - created_at <= interval '720 hours'
    ),
    constraint invitations_owner_check check (
        role <> 'owner'
        or (permissions = '{}' and allowed_dataset_ids is null and membership_expires_at is null)
    ),
    constraint invitations_end_check check (accepted_at is null or revoked_at is null)
);
comment on table public.invitations is
    'A membership offered to an e-mail address. Open until it is accepted, revoked or expired. Written by invite_member, accept_invitation and revoke_invitation only.';
comment on column public.invitations.email is 'As private.email_key makes it; that of the accepting user''s confirmed address must equal it.';
comment on column public.invitations.permissions is 'What the membership will have; see memberships, as for the next five columns.';
comment on column public.invitations.membership_expires_at is 'When the membership will end; NULL: never.';
comment on column public.invitations.token_hash is
    'SHA-256 of the token. The token has 244 random bits, so neither a salt nor a slow hash adds anything, and finding it by an index lookup tells nobody a prefix of a token.';
comment on column public.invitations.expires_at is 'Last moment at which it can be accepted, at most 30 days after created_at.';

create unique index invitations_open_key on public.invitations (organization_id, email)
    where accepted_at is null and revoked_at is null;
comment on index public.invitations_open_key is
    'One open invitation for an address in an organization; invite_member: the one to replace, and how many are open.';
create index invitations_token_hash_idx on public.invitations (token_hash);
comment on index public.invitations_token_hash_idx is 'accept_invitation: by token.';
create index invitations_created_at_idx on public.invitations (organization_id, created_at desc, id);
comment on index public.invitations_created_at_idx is 'List of an organization''s invitations, newest first.';
create index invitations_invited_by_idx on public.invitations (invited_by);
comment on index public.invitations_invited_by_idx is 'Foreign key to auth.users.';
create index invitations_accepted_by_idx on public.invitations (accepted_by);
comment on index public.invitations_accepted_by_idx is 'Foreign key to auth.users.';
create index invitations_revoked_by_idx on public.invitations (revoked_by);
comment on index public.invitations_revoked_by_idx is 'Foreign key to auth.users.';

select private.add_row_triggers('public.invitations', '{organization_id,id,email,token_hash,expires_at,created_at}');

alter table public.invitations enable row level security;
alter table public.invitations force row level security;
-- Who is invited, and as what, is for those who could have invited them.
create policy invitations_select on public.invitations for select to authenticated
    using (organization_id = (select switchboard.organization_for('members.write')));
create policy invitations_insert on public.invitations for insert to authenticated
    with check (false);
create policy invitations_update on public.invitations for update to authenticated
    using (false) with check (false);
create policy invitations_delete on public.invitations for delete to authenticated
    using (false);

grant select (
    organization_id, id, email, role, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n,
    can_manage_users, allowed_dataset_ids, membership_expires_at, invited_by, expires_at, accepted_at, accepted_by,
    revoked_at, revoked_by, created_at
) on public.invitations to authenticated;
grant select, insert, update, delete on public.invitations to service_role;

select private.add_audit('public.invitations', '{token_hash}');
select private.add_quota('public.invitations', 'members');

create trigger check_dataset_scope
    before insert or update of allowed_dataset_ids on public.invitations
    for each row when (new.allowed_dataset_ids is not null) execute function private.check_dataset_scope();
create trigger check_permissions
    before insert or update of permissions on public.invitations
    for each row when (new.permissions <> '{}') execute function private.check_permissions();
