-- The tables of the bench and what is in them: 10,000 organizations and 30,000 users with one to five memberships in the
-- real tables, 1,000,000 leads and five smaller tables of the bench's own.
-- These have the keys that both sides need: a primary key (id), ours (organization_id, id), and the two list and
-- search indexes. No triggers and no foreign keys: what a policy adds to an insert would disappear behind them.
set client_min_messages = warning;
create schema bench;
grant usage on schema bench to authenticated, authenticator;

create function bench.id(kind text, n bigint) returns uuid
    language sql immutable strict parallel safe
    return md5(kind || n)::uuid;

-- Triggers and foreign keys of the real tables would take minutes and are not what is measured.
set session_replication_role = replica;
insert into public.organizations (id, name, slug)
    select bench.id('organization', n), 'Organization ' || n, 'organization-' || n
    from generate_series(1, 10000) as n;
insert into auth.users (id, email, aud, role, created_at)
    select bench.id('user', n), 'user' || n || '@bench.example', 'authenticated', 'authenticated', now()
    from generate_series(1, 30000) as n;
insert into public.profiles (id)
    select bench.id('user', n)
    from generate_series(1, 30000) as n;
-- User n belongs to 1 + n % 5 organizations; in the first of them the users of an organization are its owner, a viewer
-- and a sales_rep.
insert into public.memberships (organization_id, user_id, role)
    select bench.id('organization', (n + k * 2003) % 10000 + 1), bench.id('user', n),
        case when k = 0 then (array['owner', 'viewer', 'sales_rep'])[(n - 1) / 10000 + 1] else 'manager' end
    from generate_series(1, 30000) as n, generate_series(0, n % 5) as k;
reset session_replication_role;

create unlogged table bench.user_organizations (
    id uuid not null default gen_random_uuid() primary key,
    user_id uuid not null,
    organization_id uuid not null,
    role text not null,
    created_at timestamptz not null default now(),
    unique (user_id, organization_id)
);
comment on table bench.user_organizations is
    'Memberships in the shape that a hand-written policy reads. Without row level security of its own, which favours it.';
insert into bench.user_organizations (user_id, organization_id, role)
    select user_id, organization_id, role from public.memberships;
create index on bench.user_organizations (organization_id);

create unlogged table bench.leads (
    organization_id uuid not null,
    id uuid not null,
    dataset_id uuid not null,
    agent_id uuid not null,
    first_name text not null,
    phone_number text not null,
    email text,
    contact_status text not null default 'READY',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
) with (autovacuum_enabled = off);
-- In the order of arrival the tenants are mixed. Organization 1 is B with 50,000 rows; 2 has 5,000; the others 94 or 95.
insert into bench.leads
    select bench.id('organization', organization), bench.id('lead', n), bench.id('dataset', organization),
        bench.id('agent', organization), 'Lead ' || n, '+447' || lpad(n::text, 9, '0'), 'lead' || n || '@bench.example',
        (array['READY', 'CONTACTED_1', 'HOT', 'COLD'])[n % 4 + 1],
        timestamptz '2026-01-01 00:00Z' + n * interval '15 seconds', timestamptz '2026-07-01 00:00Z'
    from (
        select n, case when n <= 50000 then 1 when n <= 55000 then 2 else 3 + (n - 55001) % 9998 end as organization
        from generate_series(1, 1000000) as n
    ) as lead
    order by hashint4(n);
alter table bench.leads add primary key (id), add unique (organization_id, id);
create index on bench.leads (organization_id, created_at desc, id);
create index on bench.leads (organization_id, phone_number);

create unlogged table bench.datasets (organization_id uuid not null, id uuid not null, name text not null);
create unlogged table bench.agents (organization_id uuid not null, id uuid not null, name text not null);
insert into bench.datasets select id, bench.id('dataset', n), 'Dataset ' || n
    from generate_series(1, 10000) as n, bench.id('organization', n) as id;
insert into bench.agents select id, bench.id('agent', n), 'Agent ' || n
    from generate_series(1, 10000) as n, bench.id('organization', n) as id;
-- One lead in twenty has a conversation of two messages and a call.
create unlogged table bench.conversations (
    organization_id uuid not null, id uuid not null, lead_id uuid not null, status text not null
);
create unlogged table bench.messages (
    organization_id uuid not null, id uuid not null, conversation_id uuid not null, body text not null
);
create unlogged table bench.calls (
    organization_id uuid not null, id uuid not null, lead_id uuid not null, status text not null
);
insert into bench.conversations
    select organization_id, md5('conversation' || id)::uuid, id, 'open' from bench.leads where hashtext(id::text) % 20 = 0;
insert into bench.messages
    select organization_id, md5(n || 'message' || id)::uuid, id, 'Message ' || n
    from bench.conversations, generate_series(1, 2) as n;
insert into bench.calls
    select organization_id, md5('call' || id)::uuid, lead_id, 'completed' from bench.conversations;
alter table bench.datasets add primary key (id), add unique (organization_id, id);
alter table bench.agents add primary key (id), add unique (organization_id, id);
alter table bench.conversations add primary key (id), add unique (organization_id, id);
alter table bench.messages add primary key (id), add unique (organization_id, id);
alter table bench.calls add primary key (id), add unique (organization_id, id);
create index on bench.conversations (organization_id, lead_id);
create index on bench.messages (organization_id, conversation_id);
create index on bench.calls (organization_id, lead_id);

grant select, insert, update on all tables in schema bench to authenticated;
vacuum (freeze, analyze);
