-- Memberships: who belongs to which organization with which rights, and the triggers that hold the rules of
-- member_rules.sql. Native code reads it in every request (switchboard.schema_contract), so it is not FORCEd.

create table public.memberships (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    user_id uuid not null references auth.users (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    role text not null
        constraint memberships_role_check
        check (role in ('owner', 'admin', 'manager', 'sales_rep', 'viewer')),
    status text not null default 'active'
        constraint memberships_status_check check (status in ('invited', 'active', 'suspended')),
    permissions jsonb not null default '{}'
        constraint memberships_permissions_check check (switchboard.assert_permissions(permissions)),
    can_view_all_leads boolean not null default false,
    can_edit_lessons boolean not null default false,
    can_push_to_n8n boolean not null default false,
    can_manage_users boolean not null default false,
    allowed_dataset_ids uuid[]
        constraint memberships_allowed_dataset_ids_check
        check (array_position(allowed_dataset_ids, null) is null and cardinality(allowed_dataset_ids) <= 1000),
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, user_id),
    constraint memberships_id_key unique (organization_id, id),
    constraint memberships_owner_check check (
        role <> 'owner' or (permissions = '{}' and allowed_dataset_ids is null and expires_at is null)
    )
);
comment on table public.memberships is
    'Who belongs to which organization, with which role. What a role may do is switchboard.capabilities() and private.capabilities; the flags and permissions of a member add to it and take from it. Written by RPC only.';
comment on column public.memberships.permissions is
    'Object of capability → true (gives it) or false (takes it away, whatever role and flags say). Never gives what only an owner holds; a capability that has been dropped gives nothing. An owner has none.';
comment on column public.memberships.can_view_all_leads is
    'Gives leads.read_all: every lead, not only the assigned ones.';
comment on column public.memberships.can_edit_lessons is 'Gives lessons.write.';
comment on column public.memberships.can_push_to_n8n is 'Gives n8n.push.';
comment on column public.memberships.can_manage_users is 'Gives members.write.';
comment on column public.memberships.allowed_dataset_ids is
    'The datasets whose leads the member may see; NULL is all of them, an empty array none. An owner sees all.';
comment on column public.memberships.expires_at is
    'From this instant the membership gives nothing; NULL is never. An owner has none.';
comment on index public.memberships_id_key is
    'A member by id: RPCs that change or remove one, references from other tables.';
create index memberships_user_id_idx on public.memberships (user_id);
comment on index public.memberships_user_id_idx is
    'All memberships of a user: every request resolves its organization through it; also the foreign key to auth.users.';

-- The one place that decides who may write public.memberships on whose behalf. It runs as the tables' owner: no API role
-- has a grant on the table, RPC bodies and foreign key actions act as the owner. private.member_refusal holds the rule
-- that RPCs ask before they write; what follows here is what is allowed besides, told from the data alone.
create function private.guard_member() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
declare
    actor uuid := switchboard.user_id();
    -- Both NULL or of the table's row type, which a bare OLD or NEW is not in every case.
    member_before public.memberships;
    member_after public.memberships;
begin
    if tg_op <> 'INSERT' then
        member_before := old;
    end if;
    if tg_op <> 'DELETE' then
        member_after := new;
    end if;

    -- Owners go one at a time, so that the last of two sees the other gone: private.keep_last_owner counts after this.
    if member_before.role = 'owner' and member_before.status = 'active'
        and (tg_op = 'DELETE' or member_after.role <> 'owner' or member_after.status <> 'active')
    then
        perform from public.organizations o where o.id = member_before.organization_id for no key update;
    end if;

    if actor is null then
        -- Migrations, the owner's own statements and the service role.
        null;
    elsif tg_op = 'DELETE' and (
        actor = member_before.user_id
        or not exists (select from public.organizations o where o.id = member_before.organization_id)
        or not exists (select from auth.users u where u.id = member_before.user_id)
    ) then
        -- Leaving, or the cascade of a deleted organization or user.
        null;
    elsif tg_op = 'INSERT' and actor = member_after.user_id and private.may_become_member(member_after) then
        null;
    elsif tg_op = 'UPDATE' and private.same_rights(member_before, member_after) then
        null;
    else
        perform private.raise_member_refusal(coalesce(
            private.member_refusal(actor, member_before, member_after),
            case when not coalesce(
                switchboard.has_capability(coalesce(member_after.organization_id, member_before.organization_id), 'members.write'),
                false
            ) then 'members_write_required' end
        ), '42501');
    end if;
    return coalesce(new, old);
end;
$$;
comment on function private.guard_member() is
    'BEFORE trigger on memberships: who may change whose membership. Without a signed-in user everything; one''s own row: founding, accepting an invitation, leaving; others'': members.write, a role above theirs, and nothing given that the giver lacks. Locks the organization while an owner goes. Raises 42501 with a code such as role_too_low.';

create function private.keep_last_owner() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    if not exists (select from public.organizations o where o.id = old.organization_id) then
        return null;
    end if;
    -- Held until the end: nobody who counts here goes meanwhile, and a transaction that reads from an older snapshot
    -- (REPEATABLE READ) gets 40001 instead of counting somebody who has gone.
    perform from public.memberships m
        where m.organization_id = old.organization_id and m.role = 'owner' and m.status = 'active'
        order by m.user_id
        for share;
    if not found then
        raise exception using
            errcode = 'PT409',
            message = 'last_owner',
            detail = 'An organization keeps at least one active owner.',
            hint = 'Make somebody else an owner first, by transfer_ownership or change_member, or cancel and delete the organization.';
    end if;
    return null;
end;
$$;
comment on function private.keep_last_owner() is
    'Constraint trigger on memberships after an active owner went, was demoted or suspended: raises PT409 last_owner when none is left. Not when the organization itself is deleted. Definer, because the trigger may fire for Supabase Auth, which deletes a user and may not read the table.';

create function private.keep_default_organization() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_user uuid := coalesce(new.user_id, old.user_id);
begin
    -- One membership needs no default, and a second one must not take the first from the screen.
    if (select count(*) from public.memberships m where m.user_id = v_user) < 2 then
        return null;
    end if;
    insert into public.profiles as p (id, default_organization_id)
    select u.id, m.organization_id
    from auth.users u
    join public.memberships m on m.user_id = u.id
    join public.organizations o on o.id = m.organization_id
    where u.id = v_user and m.status = 'active' and o.status <> 'cancelled'
        and (m.expires_at is null or m.expires_at > now())
    order by m.organization_id is not distinct from new.organization_id, m.created_at, m.organization_id
    limit 1
    on conflict (id) do update
    set default_organization_id = excluded.default_organization_id
    where p.default_organization_id is null;
    return null;
end;
$$;
comment on function private.keep_default_organization() is
    'AFTER INSERT OR DELETE trigger on memberships: whoever belongs to several organizations and has no default goes on with the one before. Definer, because profiles'' column is granted to nobody. Raises nothing.';

create function private.lock_owned_organizations() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    perform from public.organizations o
        where o.id in (
            select m.organization_id from public.memberships m
            where m.user_id = old.id and m.role = 'owner' and m.status = 'active'
        )
        order by o.id
        for no key update;
    return old;
end;
$$;
comment on function private.lock_owned_organizations() is
    'BEFORE DELETE trigger on auth.users (attach_auth): locks what the user owns, in the order of the ids. The cascade locks a membership before guard_member can lock its organization, and two owners deleted at once would each hold what the other counts. Definer: Supabase Auth may not read memberships. Raises nothing.';

create trigger guard_member
    before insert or update or delete on public.memberships
    for each row execute function private.guard_member();
create constraint trigger last_owner_update
    after update on public.memberships
    for each row when (
        old.role = 'owner' and old.status = 'active' and (new.role <> 'owner' or new.status <> 'active')
    )
    execute function private.keep_last_owner();
create constraint trigger last_owner_delete
    after delete on public.memberships
    for each row when (old.role = 'owner' and old.status = 'active')
    execute function private.keep_last_owner();
create trigger keep_default_organization
    after insert or delete on public.memberships
    for each row execute function private.keep_default_organization();
create trigger check_dataset_scope
    before insert or update of allowed_dataset_ids on public.memberships
    for each row when (new.allowed_dataset_ids is not null) execute function private.check_dataset_scope();
create trigger check_permissions
    before insert or update of permissions on public.memberships
    for each row when (new.permissions <> '{}') execute function private.check_permissions();

select private.add_row_triggers('public.memberships', '{organization_id,user_id,id,created_at}');
select private.add_audit('public.memberships', capability => 'organization.read');
select private.add_quota('public.memberships', 'members');

alter table public.memberships enable row level security;
create policy memberships_select on public.memberships for select to authenticated
    using (
        organization_id = any ((select switchboard.organization_ids())::uuid[])
        or user_id = (select switchboard.user_id())
    );
create policy memberships_insert on public.memberships for insert to authenticated
    with check (false);
create policy memberships_update on public.memberships for update to authenticated
    using (false) with check (false);
create policy memberships_delete on public.memberships for delete to authenticated
    using (false);

grant select on public.memberships to authenticated;
grant select, insert, update, delete on public.memberships to service_role;
