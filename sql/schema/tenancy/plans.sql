-- Plans: what an organization can be on. Their limits are rows of plan_limits.

create table public.plans (
    name text not null primary key
        constraint plans_name_check check (name ~ '^[a-z][a-z0-9_-]{0,39}$'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.plans is
    'The plans an organization can be on. The rows shipped are a start: the operator edits them with the service key.';

select private.add_row_triggers('public.plans', '{name,created_at}');

alter table public.plans enable row level security;
alter table public.plans force row level security;
create policy plans_select on public.plans for select to authenticated
    using ((select switchboard.user_id()) is not null);
create policy plans_insert on public.plans for insert to authenticated
    with check (false);
create policy plans_update on public.plans for update to authenticated
    using (false) with check (false);
create policy plans_delete on public.plans for delete to authenticated
    using (false);

grant select on public.plans to authenticated;
grant select, insert, update, delete on public.plans to service_role;

insert into public.plans (name) values ('starter'), ('professional'), ('enterprise');
