-- S3: the document's own SQL, for tests/attacks to attack beside ours. A suite that cannot fail on a leaky
-- schema proves nothing.
--
-- The table, its indexes, trigger and policies are verbatim. What the document wants to exist before
-- ("Migration Notes") comes first: organizations and agents as S0 prints them, the trigger's function as
-- S4 prints it, and user_organizations, of which S3 names two columns, each with a policy that lets nobody
-- write and a member read.

-- Example creation of organizations table
create table if not exists organizations (
  id uuid default gen_random_uuid() primary key,
  name text not null,
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

create table user_organizations (
  user_id uuid not null references auth.users (id) on delete cascade,
  organization_id uuid not null references organizations (id) on delete cascade,
  primary key (user_id, organization_id)
);
alter table user_organizations enable row level security;
create policy user_organizations_select_policy on user_organizations
  for select using (user_id = auth.uid());
alter table organizations enable row level security;
create policy organizations_select_policy on organizations
  for select using (id in (select organization_id from user_organizations where user_id = auth.uid()));
alter table agents enable row level security;
create policy agents_select_policy on agents
  for select using (organization_id in (select organization_id from user_organizations where user_id = auth.uid()));

CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
  NEW.updated_at = NOW();
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;


CREATE TABLE phone_numbers (
  -- Primary identifiers
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  
  -- Provider information
  provider VARCHAR(50) NOT NULL, -- 'twilio', 'vonage', etc.
  phone_number VARCHAR(20) NOT NULL, -- E.164 format (e.g., +14155551234)
  friendly_name VARCHAR(100), -- Optional friendly name for the number
  
  -- Provider credentials (encrypted in production)
  -- Store as JSONB for flexibility across different providers
  credentials JSONB NOT NULL, -- { "accountSid": "...", "authToken": "..." }
  
  -- Additional metadata
  metadata JSONB, -- { "region": "US", "capabilities": { "voice": true, "sms": true } }
  
  -- Agent assignment
  agent_id UUID REFERENCES agents(id) ON DELETE SET NULL, -- Assigned agent
  webhook_configured BOOLEAN DEFAULT FALSE, -- Whether webhook is configured with provider
  webhook_url TEXT, -- The webhook URL configured with the provider
  
  -- Status tracking
  status VARCHAR(20) NOT NULL DEFAULT 'active', -- 'active', 'inactive', 'error'
  
  -- Timestamps
  created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
  last_verified_at TIMESTAMPTZ, -- Last time credentials were verified
  
  -- Constraints
  UNIQUE(organization_id, phone_number) -- Prevent duplicate numbers per org
);

-- Indexes
CREATE INDEX idx_phone_numbers_organization_id ON phone_numbers(organization_id);
CREATE INDEX idx_phone_numbers_provider ON phone_numbers(provider);
CREATE INDEX idx_phone_numbers_status ON phone_numbers(status);
CREATE INDEX idx_phone_numbers_phone_number ON phone_numbers(phone_number);
CREATE INDEX idx_phone_numbers_agent_id ON phone_numbers(agent_id);

-- Updated timestamp trigger
CREATE TRIGGER update_phone_numbers_updated_at
  BEFORE UPDATE ON phone_numbers
  FOR EACH ROW
  EXECUTE FUNCTION update_updated_at_column();

-- Enable RLS
ALTER TABLE phone_numbers ENABLE ROW LEVEL SECURITY;

-- Policy: Users can only see phone numbers from their organization
CREATE POLICY phone_numbers_select_policy ON phone_numbers
  FOR SELECT
  USING (
    organization_id IN (
      SELECT organization_id 
      FROM user_organizations 
      WHERE user_id = auth.uid()
    )
  );

-- Policy: Users can only insert phone numbers for their organization
CREATE POLICY phone_numbers_insert_policy ON phone_numbers
  FOR INSERT
  WITH CHECK (
    organization_id IN (
      SELECT organization_id 
      FROM user_organizations 
      WHERE user_id = auth.uid()
    )
  );

-- Policy: Users can only update phone numbers from their organization
CREATE POLICY phone_numbers_update_policy ON phone_numbers
  FOR UPDATE
  USING (
    organization_id IN (
      SELECT organization_id 
      FROM user_organizations 
      WHERE user_id = auth.uid()
    )
  );

-- Policy: Users can only delete phone numbers from their organization
CREATE POLICY phone_numbers_delete_policy ON phone_numbers
  FOR DELETE
  USING (
    organization_id IN (
      SELECT organization_id 
      FROM user_organizations 
      WHERE user_id = auth.uid()
    )
  );
