-- The audit log: who changed what in an organization. It never changes again; private.prune_audit is the one way out.

create table public.audit_log (
    organization_id uuid not null,
    id uuid not null default gen_random_uuid(),
    created_at timestamptz not null default clock_timestamp(),
    actor_id uuid,
    actor_kind text not null
        constraint audit_log_actor_kind_check check (actor_kind in ('user', 'support', 'service', 'system')),
    action text not null
        constraint audit_log_action_check check (action ~ '^[a-z_]{1,63}$'),
    table_name text not null,
    row_id text,
    before jsonb
        constraint audit_log_before_check check (jsonb_typeof(before) = 'object'),
    after jsonb
        constraint audit_log_after_check check (jsonb_typeof(after) = 'object'),
    support_session_id uuid,
    primary key (organization_id, id)
);
comment on table public.audit_log is
    'Append-only: who did what to an organization''s rows. Without foreign keys, because it outlives the organization, the row and the person. Written by triggers (private.add_audit); no role updates or deletes a row.';
comment on column public.audit_log.created_at is
    'The clock, not the transaction''s time, so that the rows of one transaction keep their order.';
comment on column public.audit_log.actor_id is 'The signed-in user; NULL for service and system.';
comment on column public.audit_log.actor_kind is
    'user: a member''s request; support: a platform administrator in a support session; service: the service key; system: the database itself, without a request.';
comment on column public.audit_log.action is
    'insert, update or delete; or what was done, as in open_support_session, close_support_session, prune_audit.';
comment on column public.audit_log.row_id is
    'The row''s id; for a table without one, its key without the organization.';
comment on column public.audit_log.before is
    'Changed columns only, as they were. A secret column never appears; a value over 2 kB is "…<bytes> bytes".';
comment on column public.audit_log.after is
    'Changed columns only, as they became. A secret column is "…changed", without its value; a value over 2 kB is "…<bytes> bytes".';
comment on column public.audit_log.support_session_id is 'The support session that the row speaks of.';

create index audit_log_created_at_idx on public.audit_log (organization_id, created_at desc, id);
comment on index public.audit_log_created_at_idx is
    'An organization''s audit log, newest first; private.prune_audit.';

select private.add_tenant_policies('public.audit_log', 'audit_log', '{insert,update,delete}');

-- The log repeats values: of rows of every dataset, so it is for members without a dataset scope; and of each table only
-- for who reads the table.
alter policy audit_log_select on public.audit_log using (
    organization_id = (select switchboard.organization_for('audit_log.read'))
    and (select 1 where switchboard.dataset_scope() is null) is not null
    and table_name = any ((select private.readable_audit())::text[])
);

grant select on public.audit_log to authenticated;
grant select on public.audit_log to service_role;

create function private.refuse_audit_change() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if tg_op = 'DELETE' and current_setting('private.audit_prune', true) = 'on' then
        return old;
    end if;
    raise exception using
        errcode = '42501',
        message = 'audit_log is append-only',
        hint = 'The database owner removes old rows with private.prune_audit(before).';
end;
$$;
comment on function private.refuse_audit_change() is
    'Trigger on audit_log, before UPDATE, DELETE and TRUNCATE: raises 42501, also for the owner, but for deletes of private.prune_audit.';
create trigger refuse_audit_change
    before update or delete on public.audit_log
    for each row execute function private.refuse_audit_change();
create trigger refuse_audit_truncate
    before truncate on public.audit_log
    for each statement execute function private.refuse_audit_change();
