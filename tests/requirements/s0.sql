-- S0, sections 3 to 5: the document's own SQL, for tests/attacks to attack beside ours. A suite that
-- cannot fail on a leaky schema proves nothing.
--
-- Its two tables and two policies are verbatim. "Repeat for the other tables" is done with the fields of
-- section 3, and "enable row level security" for each of them.

-- Example creation of organizations table
create table if not exists organizations (
  id uuid default gen_random_uuid() primary key,
  name text not null,
  owner_id uuid not null references auth.users (id) on delete cascade,
  created_at timestamp with time zone default now()
);

-- Example creation of agents table
create table if not exists agents (
  id uuid default gen_random_uuid() primary key,
  organization_id uuid not null references organizations (id) on delete cascade,
  agent_name text not null,
  greeting text,
  personality text,
  created_at timestamp with time zone default now(),
  updated_at timestamp with time zone
);

create table if not exists calls (
  id uuid default gen_random_uuid() primary key,
  agent_id uuid references agents (id),
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  duration integer,
  phone_number text,
  outcome text,
  sentiment text,
  recording_url text,
  transcript text,
  created_at timestamp with time zone default now()
);

create table if not exists knowledge_base (
  id uuid default gen_random_uuid() primary key,
  agent_id uuid references agents (id),
  question text,
  answer text,
  created_at timestamp with time zone
);

create table if not exists workflows (
  id uuid default gen_random_uuid() primary key,
  agent_id uuid references agents (id),
  title text,
  definition_json jsonb,
  created_at timestamp with time zone
);

alter table organizations enable row level security;
alter table agents enable row level security;
alter table calls enable row level security;
alter table knowledge_base enable row level security;
alter table workflows enable row level security;

   create policy "Allow read agents" on agents
   for select
   using ( organization_id in (
     select id from organizations 
     where owner_id = auth.uid()
   ));

   create policy "Allow insert agents" on agents
   for insert
   with check ( organization_id in (
     select id from organizations 
     where owner_id = auth.uid()
   ));
