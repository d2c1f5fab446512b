-- Plan limits: how many of what a plan allows.

create table public.plan_limits (
    plan text not null references public.plans (name) on delete cascade,
    quota text not null references private.quotas (name),
    max_count integer not null
        constraint plan_limits_max_count_check check (max_count >= 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (plan, quota),
    -- Its founder.
    constraint plan_limits_members_check check (quota <> 'members' or max_count >= 1)
);
comment on table public.plan_limits is
    'How many of what a plan allows; a quota without a row is unlimited. A lower limit takes nothing away, it refuses what is new. The operator edits the rows with the service key.';
comment on column public.plan_limits.quota is
    'members (of any status, and open invitations), agents, phone_numbers, datasets, leads, concurrent_calls (ringing or in progress), or a quota of your own. Set concurrent_calls once set_call_status reports the end of calls: a full limit turns callers away.';
create index plan_limits_quota_idx on public.plan_limits (quota);
comment on index public.plan_limits_quota_idx is 'Foreign key to quotas.';

select private.add_row_triggers('public.plan_limits', '{plan,quota,created_at}');

alter table public.plan_limits enable row level security;
alter table public.plan_limits force row level security;
create policy plan_limits_select on public.plan_limits for select to authenticated
    using ((select switchboard.user_id()) is not null);
create policy plan_limits_insert on public.plan_limits for insert to authenticated
    with check (false);
create policy plan_limits_update on public.plan_limits for update to authenticated
    using (false) with check (false);
create policy plan_limits_delete on public.plan_limits for delete to authenticated
    using (false);

grant select on public.plan_limits to authenticated;
grant select, insert, update, delete on public.plan_limits to service_role;

insert into public.plan_limits (plan, quota, max_count) values
    ('starter', 'members', 10),
    ('starter', 'agents', 10),
    ('starter', 'phone_numbers', 10),
    ('starter', 'datasets', 25),
    ('starter', 'leads', 25000),
    ('professional', 'members', 50),
    ('professional', 'agents', 50),
    ('professional', 'phone_numbers', 100),
    ('professional', 'datasets', 250),
    ('professional', 'leads', 500000);
