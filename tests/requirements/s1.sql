-- S1, section 5, step 2: the document's own SQL, for tests/attacks to attack beside ours. A suite that
-- cannot fail on a leaky schema proves nothing.
--
-- Verbatim, but for the extension vector: no column uses it and not every server has it.

-- Enable Extensions
-- create extension if not exists vector;
create extension if not exists "uuid-ossp";

-- 1. Create Tables
create table organizations (
  id uuid primary key default uuid_generate_v4(),
  name text not null,
  slug text unique not null,
  created_at timestamp with time zone default timezone('utc'::text, now()) not null
);

create table profiles (
  id uuid primary key references auth.users(id) on delete cascade,
  org_id uuid references organizations(id),
  role text check (role in ('admin', 'manager', 'viewer')) default 'viewer',
  full_name text,
  created_at timestamp with time zone default timezone('utc'::text, now()) not null
);

create table agents (
  id uuid primary key default uuid_generate_v4(),
  org_id uuid references organizations(id) not null,
  name text not null,
  phone_number text unique not null,
  voice_id text not null,
  llm_config jsonb default '{}'::jsonb,
  is_active boolean default true,
  created_at timestamp with time zone default timezone('utc'::text, now()) not null
);

create table customers (
  id uuid primary key default uuid_generate_v4(),
  org_id uuid references organizations(id) not null,
  phone text not null,
  name text,
  email text,
  created_at timestamp with time zone default timezone('utc'::text, now()) not null,
  unique(org_id, phone)
);

-- 2. Enable RLS
alter table organizations enable row level security;
alter table profiles enable row level security;
alter table agents enable row level security;
alter table customers enable row level security;

-- 3. Define Access Policies
create or replace function get_my_org_id()
returns uuid as $$
  select org_id from profiles where id = auth.uid() limit 1;
$$ language sql security definer;

create or replace function is_super_admin()
returns boolean as $$
  select exists (
    select 1 from profiles 
    where id = auth.uid() and role = 'admin'
  );
$$ language sql security definer;

create policy "Org Isolation Policy" on customers
  for all using (
    org_id = get_my_org_id() OR is_super_admin()
  );

create policy "Agent Visibility" on agents
  for select using (org_id = get_my_org_id());

create policy "Profile Visibility" on profiles
  for select using (
    id = auth.uid() OR is_super_admin()
  );
