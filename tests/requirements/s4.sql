-- S4: the document's own SQL, for tests/attacks to attack beside ours. A suite that cannot fail on a leaky
-- schema proves nothing.
--
-- Every statement is verbatim. The order is not: from top to bottom the script stops at the first policy,
-- because users is not there yet (X1). A line "--@ n" begins a piece that is the n-th of the document, so
-- that tests/attacks can put them back into the document's order and see that. CREATE BUCKET is left out:
-- no PostgreSQL has it. "(Apply to all other tables with updated_at)" is not done: nothing here needs it.

--@ 01 1 clients
CREATE TABLE clients (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- Company Info
  company_name TEXT NOT NULL,
  company_email TEXT,
  company_phone TEXT,
  company_website TEXT,
  industry TEXT DEFAULT 'solar', -- solar, home_improvement, other

  -- Branding
  logo_url TEXT,
  primary_color TEXT DEFAULT '#8cc63f', -- Greenstar green

  -- n8n Integration
  n8n_workflow_id TEXT, -- Main workflow ID for this client
  n8n_webhook_url TEXT, -- Webhook for SMS replies
  twilio_phone_number TEXT, -- Client's Twilio number

  -- Subscription/Status
  status TEXT DEFAULT 'active', -- active, paused, cancelled
  plan TEXT DEFAULT 'starter', -- starter, professional, enterprise

  -- Settings
  timezone TEXT DEFAULT 'Europe/London',
  settings JSONB DEFAULT '{}', -- Flexible settings storage

  CONSTRAINT clients_company_name_unique UNIQUE(company_name)
);

-- Indexes
CREATE INDEX idx_clients_status ON clients(status);
CREATE INDEX idx_clients_created_at ON clients(created_at);

-- Row Level Security
ALTER TABLE clients ENABLE ROW LEVEL SECURITY;

--@ 05 2b campaign_settings
CREATE TABLE campaign_settings (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- Ownership
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,

  -- Name for reusability
  name TEXT, -- "Aggressive Solar DBR" or "Gentle Nurture Campaign"
  description TEXT,

  -- M1/M2/M3 Messages
  m1_message TEXT NOT NULL,
  m2_message TEXT,
  m3_message TEXT,
  m2_delay_hours INTEGER DEFAULT 48, -- Send M2 after X hours if no reply
  m3_delay_hours INTEGER DEFAULT 72, -- Send M3 after X hours if no M2 reply

  -- Delay Logic
  delay_respect_sending_hours BOOLEAN DEFAULT TRUE, -- Wait for next sending window or send exactly after delay
  delay_type TEXT DEFAULT 'real_hours', -- 'real_hours', 'business_hours'

  -- Sending Windows
  sending_enabled BOOLEAN DEFAULT TRUE,
  sending_hours_start TIME, -- e.g., '09:00'
  sending_hours_end TIME, -- e.g., '17:00'
  sending_days JSONB DEFAULT '["monday","tuesday","wednesday","thursday","friday"]',
  sending_timezone TEXT DEFAULT 'Europe/London',

  -- Rate Limiting
  messages_per_minute INTEGER DEFAULT 1,
  messages_per_hour INTEGER DEFAULT 30,
  messages_per_day INTEGER DEFAULT 500,

  -- AI Response Settings
  ai_response_enabled BOOLEAN DEFAULT TRUE,
  ai_response_delay_seconds INTEGER DEFAULT 60, -- Wait X seconds before responding
  ai_response_delay_random BOOLEAN DEFAULT FALSE, -- Add 0-300s random delay for human feel
  ai_multiple_messages_wait_seconds INTEGER DEFAULT 60, -- Wait to group multiple inbound messages

  -- Weekend/Holiday Behavior
  respond_to_inbound_24_7 BOOLEAN DEFAULT TRUE, -- Always respond to replies, ignore sending hours
  respect_schedule_strictly BOOLEAN DEFAULT FALSE, -- Even inbound must wait for sending hours

  -- Conversation Timeout
  silence_timeout_days INTEGER DEFAULT 28, -- Archive conversation after X days of silence
  silence_nudge_enabled BOOLEAN DEFAULT FALSE, -- Send follow-up after silence
  silence_nudge_days INTEGER DEFAULT 7,
  silence_nudge_message TEXT,

  -- Duplicate Lead Handling
  duplicate_action TEXT DEFAULT 'flag', -- 'flag', 'skip', 'merge', 'keep_both'

  -- Hot Lead Actions
  hot_lead_notification BOOLEAN DEFAULT TRUE,
  hot_lead_auto_assign BOOLEAN DEFAULT FALSE,
  hot_lead_assignment_rule TEXT DEFAULT 'round_robin', -- 'round_robin', 'territory', 'manual'

  -- Status Change Rules
  auto_status_updates BOOLEAN DEFAULT TRUE, -- AI sets status automatically

  -- Phone Number Validation
  auto_normalize_uk_numbers BOOLEAN DEFAULT TRUE,
  allow_international BOOLEAN DEFAULT FALSE,

  -- Required Fields (for CSV import)
  required_fields JSONB DEFAULT '["first_name", "last_name", "phone_number", "email"]',

  -- Integration Settings
  twilio_number TEXT, -- Override client default
  cal_booking_link TEXT, -- Override client default

  -- Is Template (for reuse)
  is_template BOOLEAN DEFAULT FALSE
);

-- Indexes
CREATE INDEX idx_campaign_settings_client_id ON campaign_settings(client_id);
CREATE INDEX idx_campaign_settings_is_template ON campaign_settings(is_template);

-- Row Level Security
ALTER TABLE campaign_settings ENABLE ROW LEVEL SECURITY;

--@ 03 2 datasets
CREATE TABLE datasets (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- Ownership
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,

  -- Dataset Info
  name TEXT NOT NULL, -- e.g., "2024 Facebook Leads", "Old Database"
  description TEXT,
  source TEXT, -- e.g., "CSV Upload", "API Import", "Manual Entry"

  -- File Upload Reference
  uploaded_file_url TEXT, -- Original CSV stored in Supabase Storage
  uploaded_by UUID REFERENCES auth.users(id),

  -- Column Mapping (stores how CSV columns map to our schema)
  column_mapping JSONB, -- {"First Name": "first_name", "Phone": "phone_number"}

  -- Stats (denormalized for performance)
  total_leads INTEGER DEFAULT 0,
  active_leads INTEGER DEFAULT 0,
  hot_leads INTEGER DEFAULT 0,
  converted_leads INTEGER DEFAULT 0,

  -- Campaign Settings
  campaign_status TEXT DEFAULT 'draft', -- draft, active, paused, completed
  campaign_start_date TIMESTAMPTZ,
  campaign_end_date TIMESTAMPTZ,

  -- Campaign Settings (detailed)
  campaign_settings_id UUID REFERENCES campaign_settings(id),

  -- Archiving
  auto_archive_after_days INTEGER DEFAULT 28,
  archived BOOLEAN DEFAULT FALSE,
  archived_at TIMESTAMPTZ,

  CONSTRAINT datasets_name_client_unique UNIQUE(client_id, name)
);

-- Indexes
CREATE INDEX idx_datasets_client_id ON datasets(client_id);
CREATE INDEX idx_datasets_campaign_status ON datasets(campaign_status);
CREATE INDEX idx_datasets_created_at ON datasets(created_at);

-- Row Level Security
ALTER TABLE datasets ENABLE ROW LEVEL SECURITY;

--@ 07 3 leads
CREATE TABLE leads (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- Ownership
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,
  dataset_id UUID NOT NULL REFERENCES datasets(id) ON DELETE CASCADE,

  -- Contact Information (Required)
  first_name TEXT NOT NULL,
  last_name TEXT,
  phone_number TEXT NOT NULL, -- Normalized to +44 format
  email TEXT,
  postcode TEXT,

  -- Additional Fields
  inquiry_date DATE,
  notes TEXT, -- Original notes from CSV upload

  -- Campaign Status
  contact_status TEXT DEFAULT 'READY',
  -- Possible values: READY, CONTACTED_1, CONTACTED_2, CONTACTED_3,
  --                  HOT, WARM, COLD, CALL_BOOKED, CONVERTED, REMOVED, ARCHIVED

  lead_sentiment TEXT,
  -- Possible values: POSITIVE, NEGATIVE, NEUTRAL, UNCLEAR, HOT

  -- Message Tracking
  m1_sent_at TIMESTAMPTZ,
  m2_sent_at TIMESTAMPTZ,
  m3_sent_at TIMESTAMPTZ,
  reply_received_at TIMESTAMPTZ,
  last_message_at TIMESTAMPTZ,

  -- Booking Information
  call_booked BOOLEAN DEFAULT FALSE,
  call_booked_time TIMESTAMPTZ,
  cal_booking_id TEXT, -- Cal.com booking reference
  cal_booking_url TEXT,
  install_date DATE,

  -- Management
  manual_mode BOOLEAN DEFAULT FALSE, -- Stop AI from messaging
  manual_mode_activated_at TIMESTAMPTZ,
  archived BOOLEAN DEFAULT FALSE,
  archived_at TIMESTAMPTZ,
  assigned_to UUID REFERENCES auth.users(id), -- Sales rep assignment

  -- Conversation Summary (denormalized)
  latest_lead_reply TEXT, -- Most recent message from lead
  conversation_summary TEXT, -- AI-generated summary
  total_messages INTEGER DEFAULT 0,

  -- Metadata
  last_synced_at TIMESTAMPTZ,
  row_number INTEGER, -- Original row in CSV

  CONSTRAINT leads_phone_dataset_unique UNIQUE(dataset_id, phone_number)
);

-- Indexes (Critical for performance)
CREATE INDEX idx_leads_client_id ON leads(client_id);
CREATE INDEX idx_leads_dataset_id ON leads(dataset_id);
CREATE INDEX idx_leads_contact_status ON leads(contact_status);
CREATE INDEX idx_leads_lead_sentiment ON leads(lead_sentiment);
CREATE INDEX idx_leads_phone_number ON leads(phone_number);
CREATE INDEX idx_leads_call_booked ON leads(call_booked);
CREATE INDEX idx_leads_archived ON leads(archived);
CREATE INDEX idx_leads_manual_mode ON leads(manual_mode);
CREATE INDEX idx_leads_reply_received_at ON leads(reply_received_at);

-- Full-text search on names (for dashboard search)
CREATE INDEX idx_leads_name_search ON leads
  USING gin(to_tsvector('english', first_name || ' ' || COALESCE(last_name, '')));

-- Row Level Security
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;

--@ 09 4 conversations
CREATE TABLE conversations (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- Ownership
  lead_id UUID NOT NULL REFERENCES leads(id) ON DELETE CASCADE,
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,
  dataset_id UUID NOT NULL REFERENCES datasets(id) ON DELETE CASCADE,

  -- Conversation Metadata
  started_at TIMESTAMPTZ DEFAULT NOW(),
  last_message_at TIMESTAMPTZ DEFAULT NOW(),
  message_count INTEGER DEFAULT 0,

  -- Status
  status TEXT DEFAULT 'active', -- active, archived, completed

  -- AI Analysis
  sentiment TEXT, -- Overall conversation sentiment
  quality_score DECIMAL(3,2), -- 0.00 to 1.00 (Sophie's rating)
  needs_review BOOLEAN DEFAULT FALSE, -- Flagged by Sophie

  CONSTRAINT conversations_lead_id_unique UNIQUE(lead_id)
);

-- Indexes
CREATE INDEX idx_conversations_lead_id ON conversations(lead_id);
CREATE INDEX idx_conversations_client_id ON conversations(client_id);
CREATE INDEX idx_conversations_dataset_id ON conversations(dataset_id);
CREATE INDEX idx_conversations_needs_review ON conversations(needs_review);
CREATE INDEX idx_conversations_last_message_at ON conversations(last_message_at);

-- Row Level Security
ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;

--@ 11 5 messages
CREATE TABLE messages (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),

  -- Ownership
  conversation_id UUID NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
  lead_id UUID NOT NULL REFERENCES leads(id) ON DELETE CASCADE,
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,

  -- Message Content
  content TEXT NOT NULL,
  direction TEXT NOT NULL, -- 'outbound' or 'inbound'
  message_type TEXT, -- 'M1', 'M2', 'M3', 'reply', 'nurture'

  -- Sender/Receiver
  from_number TEXT,
  to_number TEXT,

  -- Delivery Status
  status TEXT DEFAULT 'pending', -- pending, sent, delivered, failed
  twilio_sid TEXT, -- Twilio message ID
  twilio_status TEXT, -- Twilio delivery status
  error_message TEXT,

  -- Timestamps
  sent_at TIMESTAMPTZ DEFAULT NOW(),
  delivered_at TIMESTAMPTZ,
  read_at TIMESTAMPTZ,

  -- AI Analysis (Sophie's feedback on this message)
  ai_generated BOOLEAN DEFAULT FALSE,
  ai_quality_score DECIMAL(3,2), -- Sophie's rating (0.00 to 1.00)
  ai_feedback TEXT, -- Sophie's suggestion
  ai_feedback_status TEXT -- pending, approved, dismissed, improved
);

-- Indexes
CREATE INDEX idx_messages_conversation_id ON messages(conversation_id);
CREATE INDEX idx_messages_lead_id ON messages(lead_id);
CREATE INDEX idx_messages_client_id ON messages(client_id);
CREATE INDEX idx_messages_direction ON messages(direction);
CREATE INDEX idx_messages_sent_at ON messages(sent_at);
CREATE INDEX idx_messages_ai_feedback_status ON messages(ai_feedback_status)
  WHERE ai_feedback IS NOT NULL;

-- Row Level Security
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;

--@ 13 6 lessons
CREATE TABLE lessons (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- Ownership
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,

  -- Lesson Content
  lesson_type TEXT NOT NULL,
  -- Types: 'objection_handling', 'dos_donts', 'example_good', 'example_bad',
  --        'blacklist_word', 'never_rule', 'best_practice'

  title TEXT NOT NULL,
  description TEXT,

  -- The Actual Learning
  trigger TEXT, -- What triggers this lesson (e.g., "lead mentions price")
  correct_response TEXT, -- What should be said
  incorrect_response TEXT, -- What should NOT be said (for bad examples)
  reasoning TEXT, -- Why this is right/wrong

  -- Examples
  example_conversation JSONB, -- Full conversation showing this lesson

  -- Context
  tags TEXT[], -- e.g., ['pricing', 'objection', 'UK']
  priority INTEGER DEFAULT 0, -- Higher = more important

  -- Usage Tracking
  times_applied INTEGER DEFAULT 0,
  success_rate DECIMAL(3,2), -- How often this lesson led to success

  -- Source
  source TEXT, -- 'sophie_suggestion', 'user_taught', 'imported'
  source_message_id UUID REFERENCES messages(id), -- If learned from a specific message
  created_by UUID REFERENCES auth.users(id),

  -- Status
  status TEXT DEFAULT 'active' -- active, archived, testing
);

-- Indexes
CREATE INDEX idx_lessons_client_id ON lessons(client_id);
CREATE INDEX idx_lessons_lesson_type ON lessons(lesson_type);
CREATE INDEX idx_lessons_status ON lessons(status);
CREATE INDEX idx_lessons_tags ON lessons USING gin(tags);
CREATE INDEX idx_lessons_priority ON lessons(priority DESC);

-- Full-text search on lessons
CREATE INDEX idx_lessons_search ON lessons
  USING gin(to_tsvector('english', title || ' ' || COALESCE(description, '')));

-- Row Level Security
ALTER TABLE lessons ENABLE ROW LEVEL SECURITY;

--@ 17 7b prompt_templates
CREATE TABLE prompt_templates (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- Template Info
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  category TEXT NOT NULL, -- 'solar_dbr_recent', 'solar_dbr_old', 'solar_quote_followup', 'general'

  -- Template Content (same structure as prompts)
  template_structure JSONB NOT NULL,

  -- Metadata
  industry TEXT DEFAULT 'solar',
  use_case TEXT, -- 'recent_leads', 'old_database', 'quote_followup'
  best_for TEXT, -- "Leads who inquired within last 3 months"

  -- Pre-loaded Lessons
  included_lessons_count INTEGER DEFAULT 0,
  success_rate DECIMAL(3,2), -- Historical performance

  -- Wizard Defaults
  default_wizard_answers JSONB, -- Pre-fill wizard based on template

  -- Usage Tracking
  times_used INTEGER DEFAULT 0,

  -- Status
  is_active BOOLEAN DEFAULT TRUE,
  is_system_template BOOLEAN DEFAULT TRUE -- System vs user-created
);

-- Indexes
CREATE INDEX idx_prompt_templates_category ON prompt_templates(category);
CREATE INDEX idx_prompt_templates_is_active ON prompt_templates(is_active);
CREATE INDEX idx_prompt_templates_is_system ON prompt_templates(is_system_template);

--@ 15 7 prompts
CREATE TABLE prompts (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- Ownership
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,
  dataset_id UUID REFERENCES datasets(id) ON DELETE CASCADE, -- Dataset-specific prompts

  -- Prompt Details
  name TEXT NOT NULL,
  description TEXT,

  -- Structured Prompt Content (labeled sections)
  prompt_structure JSONB NOT NULL,
  -- Example structure:
  -- {
  --   "context": { "content": "...", "source": "wizard", "why": "..." },
  --   "goal": { "content": "...", "source": "wizard", "why": "..." },
  --   "tone": { "content": "...", "source": "wizard", "why": "..." },
  --   "knowledge": { "content": "...", "source": "lesson:uuid", "why": "Lesson #3..." },
  --   "objections": { "content": "...", "source": "manual", "why": "..." },
  --   "boundaries": { "content": "...", "source": "lesson:uuid", "why": "Lesson #1..." }
  -- }

  -- Full Compiled Prompt (for AI API calls)
  compiled_prompt TEXT NOT NULL,

  -- Creation Method
  created_from TEXT DEFAULT 'wizard', -- 'wizard', 'template', 'manual', 'copied'
  template_id UUID REFERENCES prompt_templates(id), -- If created from template
  copied_from_prompt_id UUID REFERENCES prompts(id), -- If copied from another prompt

  -- Wizard Answers (if created via wizard)
  wizard_answers JSONB,

  -- Lessons Integration
  applied_lessons UUID[], -- Array of lesson IDs applied to this prompt
  lessons_count INTEGER DEFAULT 0,
  manual_edits_count INTEGER DEFAULT 0,

  -- Version Control
  version TEXT DEFAULT '1.0', -- Semantic versioning
  version_number INTEGER DEFAULT 1,
  status TEXT DEFAULT 'draft', -- draft, live, archived
  is_live BOOLEAN DEFAULT FALSE,
  previous_version_id UUID REFERENCES prompts(id),

  -- Change Tracking
  changes_summary TEXT, -- Human-readable summary of what changed
  change_reason TEXT, -- Why this version was created

  -- Performance Metrics
  conversations_count INTEGER DEFAULT 0, -- How many conversations used this prompt
  booking_rate DECIMAL(5,4), -- Success rate (0.0000 to 1.0000)
  avg_sentiment_score DECIMAL(3,2),
  performance_vs_previous DECIMAL(5,4), -- Improvement over previous version

  -- Deployed At
  deployed_at TIMESTAMPTZ,
  deployed_by UUID REFERENCES auth.users(id)
);

-- Indexes
CREATE INDEX idx_prompts_client_id ON prompts(client_id);
CREATE INDEX idx_prompts_dataset_id ON prompts(dataset_id);
CREATE INDEX idx_prompts_status ON prompts(status);
CREATE INDEX idx_prompts_is_live ON prompts(is_live);
CREATE INDEX idx_prompts_version_number ON prompts(version_number DESC);
CREATE INDEX idx_prompts_template_id ON prompts(template_id);

-- Row Level Security
ALTER TABLE prompts ENABLE ROW LEVEL SECURITY;

--@ 18 7c prompt_versions
CREATE TABLE prompt_versions (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),

  -- Link to current prompt
  prompt_id UUID NOT NULL REFERENCES prompts(id) ON DELETE CASCADE,
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,

  -- Version Info
  version TEXT NOT NULL,
  version_number INTEGER NOT NULL,

  -- What Changed
  changes JSONB NOT NULL,
  -- Example:
  -- {
  --   "type": "lesson_applied",
  --   "lesson_id": "uuid",
  --   "lesson_title": "Don't use emojis",
  --   "sections_changed": ["boundaries", "tone"],
  --   "before": { "boundaries": "..." },
  --   "after": { "boundaries": "..." }
  -- }

  changes_summary TEXT NOT NULL,

  -- Performance Before/After
  performance_before JSONB,
  performance_after JSONB,

  -- Applied Lesson (if applicable)
  lesson_applied_id UUID REFERENCES lessons(id),

  -- Created By
  created_by UUID REFERENCES auth.users(id),
  created_by_type TEXT DEFAULT 'user' -- 'user', 'sophie', 'system'
);

-- Indexes
CREATE INDEX idx_prompt_versions_prompt_id ON prompt_versions(prompt_id);
CREATE INDEX idx_prompt_versions_created_at ON prompt_versions(created_at DESC);
CREATE INDEX idx_prompt_versions_lesson_applied ON prompt_versions(lesson_applied_id);

--@ 21 9 sophie_insights
CREATE TABLE sophie_insights (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- What Sophie is analyzing
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,
  insight_type TEXT NOT NULL, -- 'message', 'conversation', 'campaign', 'pattern'

  -- Reference to what was analyzed
  message_id UUID REFERENCES messages(id),
  conversation_id UUID REFERENCES conversations(id),
  dataset_id UUID REFERENCES datasets(id),

  -- Sophie's Analysis
  severity TEXT DEFAULT 'info', -- info, suggestion, warning, critical
  category TEXT, -- 'tone', 'grammar', 'objection', 'timing', 'success_pattern'

  title TEXT NOT NULL, -- "Emoji detected in message"
  description TEXT NOT NULL, -- "The AI used an emoji which is against best practices"
  suggestion TEXT, -- "Remove emoji and use friendly language instead"

  -- Improvement
  original_text TEXT, -- What was said
  suggested_text TEXT, -- What should be said

  -- Context
  affected_leads_count INTEGER DEFAULT 1, -- How many leads this affects
  related_lesson_id UUID REFERENCES lessons(id),

  -- User Response
  status TEXT DEFAULT 'pending',
  -- pending, viewed, approved_and_learned, dismissed, taught_sophie

  reviewed_by UUID REFERENCES auth.users(id),
  reviewed_at TIMESTAMPTZ,
  user_feedback TEXT, -- User's explanation when teaching Sophie

  -- Impact Tracking
  applied BOOLEAN DEFAULT FALSE,
  applied_at TIMESTAMPTZ,
  impact_score DECIMAL(3,2) -- Did applying this improve results?
);

-- Indexes
CREATE INDEX idx_sophie_insights_client_id ON sophie_insights(client_id);
CREATE INDEX idx_sophie_insights_status ON sophie_insights(status);
CREATE INDEX idx_sophie_insights_severity ON sophie_insights(severity);
CREATE INDEX idx_sophie_insights_category ON sophie_insights(category);
CREATE INDEX idx_sophie_insights_message_id ON sophie_insights(message_id);
CREATE INDEX idx_sophie_insights_conversation_id ON sophie_insights(conversation_id);
CREATE INDEX idx_sophie_insights_created_at ON sophie_insights(created_at DESC);

-- Row Level Security
ALTER TABLE sophie_insights ENABLE ROW LEVEL SECURITY;

--@ 23 10 uploads
CREATE TABLE uploads (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),

  -- Ownership
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,
  uploaded_by UUID REFERENCES auth.users(id),

  -- File Info
  filename TEXT NOT NULL,
  file_url TEXT NOT NULL, -- Supabase Storage URL
  file_size INTEGER, -- bytes
  file_type TEXT, -- 'text/csv', 'application/vnd.ms-excel'

  -- Processing Status
  status TEXT DEFAULT 'pending',
  -- pending, processing, mapping, completed, failed

  -- Results
  rows_detected INTEGER,
  rows_imported INTEGER,
  errors JSONB, -- Any errors during import

  -- Link to created dataset
  dataset_id UUID REFERENCES datasets(id),

  -- Processing Details
  started_at TIMESTAMPTZ,
  completed_at TIMESTAMPTZ,
  processing_time INTEGER -- seconds
);

-- Indexes
CREATE INDEX idx_uploads_client_id ON uploads(client_id);
CREATE INDEX idx_uploads_status ON uploads(status);
CREATE INDEX idx_uploads_created_at ON uploads(created_at DESC);

-- Row Level Security
ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;

--@ 19 8 users
-- Note: Supabase provides auth.users table
-- We extend it with our own users table for roles/permissions

CREATE TABLE users (
  id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW(),

  -- Link to Supabase Auth
  user_id UUID NOT NULL REFERENCES auth.users(id) ON DELETE CASCADE,

  -- Ownership
  client_id UUID NOT NULL REFERENCES clients(id) ON DELETE CASCADE,

  -- User Info
  first_name TEXT,
  last_name TEXT,
  email TEXT NOT NULL,
  phone TEXT,
  avatar_url TEXT,

  -- Role & Permissions
  role TEXT NOT NULL DEFAULT 'sales_rep',
  -- Roles: 'admin', 'company_owner', 'manager', 'sales_rep', 'read_only'

  permissions JSONB DEFAULT '{}', -- Granular permissions

  -- Access Control
  can_view_all_leads BOOLEAN DEFAULT FALSE,
  can_edit_lessons BOOLEAN DEFAULT FALSE,
  can_push_to_n8n BOOLEAN DEFAULT FALSE,
  can_manage_users BOOLEAN DEFAULT FALSE,

  -- Dataset Access (if limited)
  allowed_dataset_ids UUID[], -- NULL = access all

  -- Status
  status TEXT DEFAULT 'active', -- active, suspended, invited
  last_login_at TIMESTAMPTZ,

  CONSTRAINT users_email_client_unique UNIQUE(client_id, email)
);

-- Indexes
CREATE INDEX idx_users_user_id ON users(user_id);
CREATE INDEX idx_users_client_id ON users(client_id);
CREATE INDEX idx_users_role ON users(role);
CREATE INDEX idx_users_status ON users(status);

-- Row Level Security
ALTER TABLE users ENABLE ROW LEVEL SECURITY;

--@ 02 policies of 1 clients
-- Policy: Users can only see their own client data
CREATE POLICY "Users can view own client"
  ON clients FOR SELECT
  USING (auth.uid() IN (
    SELECT user_id FROM users WHERE client_id = clients.id
  ));

--@ 04 policies of 2 datasets
CREATE POLICY "Users can view own datasets"
  ON datasets FOR SELECT
  USING (client_id IN (
    SELECT client_id FROM users WHERE user_id = auth.uid()
  ));

--@ 06 policies of 2b campaign_settings
CREATE POLICY "Users can view own campaign settings"
  ON campaign_settings FOR SELECT
  USING (client_id IN (
    SELECT client_id FROM users WHERE user_id = auth.uid()
  ));

--@ 08 policies of 3 leads
CREATE POLICY "Users can view own leads"
  ON leads FOR SELECT
  USING (client_id IN (
    SELECT client_id FROM users WHERE user_id = auth.uid()
  ));

--@ 10 policies of 4 conversations
CREATE POLICY "Users can view own conversations"
  ON conversations FOR SELECT
  USING (client_id IN (
    SELECT client_id FROM users WHERE user_id = auth.uid()
  ));

--@ 12 policies of 5 messages
CREATE POLICY "Users can view own messages"
  ON messages FOR SELECT
  USING (client_id IN (
    SELECT client_id FROM users WHERE user_id = auth.uid()
  ));

--@ 14 policies of 6 lessons
CREATE POLICY "Users can view own lessons"
  ON lessons FOR SELECT
  USING (client_id IN (
    SELECT client_id FROM users WHERE user_id = auth.uid()
  ));

--@ 16 policies of 7 prompts
CREATE POLICY "Users can view own prompts"
  ON prompts FOR SELECT
  USING (client_id IN (
    SELECT client_id FROM users WHERE user_id = auth.uid()
  ));

--@ 20 policies of 8 users
CREATE POLICY "Users can view own profile"
  ON users FOR SELECT
  USING (user_id = auth.uid());

CREATE POLICY "Admins can view all users in their client"
  ON users FOR SELECT
  USING (
    client_id IN (
      SELECT client_id FROM users
      WHERE user_id = auth.uid()
      AND role IN ('admin', 'company_owner')
    )
  );

--@ 22 policies of 9 sophie_insights
CREATE POLICY "Users can view own insights"
  ON sophie_insights FOR SELECT
  USING (client_id IN (
    SELECT client_id FROM users WHERE user_id = auth.uid()
  ));

--@ 24 policies of 10 uploads
CREATE POLICY "Users can view own uploads"
  ON uploads FOR SELECT
  USING (client_id IN (
    SELECT client_id FROM users WHERE user_id = auth.uid()
  ));

--@ 25 Auto-update timestamps
CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
  NEW.updated_at = NOW();
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

-- Apply to all tables with updated_at column
CREATE TRIGGER update_clients_updated_at BEFORE UPDATE ON clients
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE TRIGGER update_datasets_updated_at BEFORE UPDATE ON datasets
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE TRIGGER update_leads_updated_at BEFORE UPDATE ON leads
  FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- (Apply to all other tables with updated_at)

--@ 26 Automatic stats updates
-- Update dataset stats when leads change
CREATE OR REPLACE FUNCTION update_dataset_stats()
RETURNS TRIGGER AS $$
BEGIN
  UPDATE datasets
  SET
    total_leads = (SELECT COUNT(*) FROM leads WHERE dataset_id = NEW.dataset_id),
    active_leads = (SELECT COUNT(*) FROM leads WHERE dataset_id = NEW.dataset_id AND archived = FALSE),
    hot_leads = (SELECT COUNT(*) FROM leads WHERE dataset_id = NEW.dataset_id AND contact_status = 'HOT'),
    converted_leads = (SELECT COUNT(*) FROM leads WHERE dataset_id = NEW.dataset_id AND contact_status = 'CONVERTED')
  WHERE id = NEW.dataset_id;

  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER trigger_update_dataset_stats
AFTER INSERT OR UPDATE OR DELETE ON leads
FOR EACH ROW EXECUTE FUNCTION update_dataset_stats();
