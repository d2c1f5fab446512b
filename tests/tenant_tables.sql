-- Every table of tenants. A new table is named here, and no test needs another line for it: isolation, roles, grants, plans,
-- foreign keys, and through tests/api/_catalogue.ts what a client sees over HTTP.
--
--   object          what its capabilities are named after: <object>.read …
--   tenant_column   whose a row is
--   granted         what authenticated may do at all; select only where it reads every column
--   insert_columns, insert_values   a row that satisfies every rule of the table itself. $t stands for the tenant, and
--                   tests.id('$t.dataset') for the id of its dataset. Where rows must differ, let gen_random_uuid() do it
--   change          what an update sets
create table tests.tenant_tables (
    place integer generated always as identity,
    name text primary key,
    object text not null,
    tenant_column text not null default 'organization_id',
    granted text[] not null,
    insert_columns text not null,
    insert_values text not null,
    change text not null
);
insert into tests.tenant_tables (name, object, granted, insert_columns, insert_values, change) values
    ('agents', 'agents', '{select,insert,update,delete}', 'name', $$'New'$$, $$name = 'Changed'$$),
    ('provider_accounts', 'provider_accounts', '{insert,update,delete}', 'provider, account_ref', $$'twilio', 'ACnew'$$,
        $$label = 'Changed'$$),
    ('phone_numbers', 'phone_numbers', '{select,update,delete}', 'provider, phone_number', $$'twilio', '+443069990999'$$,
        $$friendly_name = 'Changed'$$),
    ('customers', 'customers', '{select,insert,update,delete}', 'phone_number', $$'+447700900099'$$,
        $$name = 'Changed'$$),
    ('calls', 'calls', '{delete}', 'direction, called_number, provider, provider_sid, decision',
        $$'inbound', '+443069990999', 'twilio', 'CA of a new call', '{}'$$, $$outcome = 'Changed'$$),
    ('campaign_settings', 'datasets', '{select,insert,update,delete}', 'm1_message', $$'Hello'$$,
        $$m1_message = 'Changed'$$),
    ('datasets', 'datasets', '{select,insert,update,delete}', 'name', $$'New'$$, $$description = 'Changed'$$),
    ('uploads', 'uploads', '{select,insert,delete}', 'dataset_id, filename', $$tests.id('$t.dataset'), 'new.csv'$$,
        $$filename = 'changed.csv'$$),
    -- What stood in the cells of leads: select asks for leads.read_all too.
    ('upload_errors', 'uploads', '{select}', 'upload_id, row_number, reason', $$tests.id('$t.upload'), 1, 'required'$$,
        $$reason = 'changed'$$),
    ('upload_rows', 'uploads', '{select}', 'upload_id, row_number, decision', $$tests.id('$t.upload'), 1, 'skipped'$$,
        $$decision = 'merged'$$),
    ('leads', 'leads', '{select,insert,update,delete}', 'dataset_id, first_name, phone_number',
        $$tests.id('$t.dataset'), 'Lead 099', '+447700900099'$$, $$notes = 'Changed'$$),
    -- Seen with its lead.
    ('lead_events', 'leads', '{select}', 'lead_id, dataset_id, kind, actor',
        $$tests.id('$t.lead'), tests.id('$t.dataset'), 'status', 'system'$$,
        $$reason = 'Changed'$$),
    ('exports', 'exports', '{select}', 'expires_at', $$now() + interval '1 day'$$, $$problem = 'Changed'$$),
    ('suppressions', 'suppressions', '{select,insert}', 'phone_number',
        $$'+4420' || lpad(((hashtext(gen_random_uuid()::text)::bigint + 2147483648) % 100000000)::text, 8, '0')$$,
        $$lifted_at = now()$$),
    ('lessons', 'lessons', '{select,insert,update,delete}', 'lesson_type, title', $$'never_rule', 'New'$$,
        $$title = 'Changed'$$),
    ('prompt_templates', 'prompts', '{select,insert,update,delete}', 'name, description, category, template_structure',
        $$'New', 'For tests', 'sales', '{}'$$, $$description = 'Changed'$$),
    ('prompts', 'prompts', '{select,insert,update,delete}', 'name', $$'New'$$, $$description = 'Changed'$$),
    ('prompt_versions', 'prompts', '{select}',
        'prompt_id, version, version_number, structure, compiled_prompt, sha256, spans, report, changes, changes_summary, change_reason',
        $$tests.id('$t.prompt'), '2.0', 2, '{}', '', repeat('0', 64), '[]', '{}', '{}', 'x', 'x'$$,
        $$changes_summary = 'Changed'$$),
    ('support_sessions', 'audit_log', '{select}', 'admin_id, reason, capabilities, expires_at',
        $$tests.id('$t.owner'), 'test', '{leads.read}', now() + interval '1 hour'$$, $$closed_at = now()$$),
    ('audit_log', 'audit_log', '{select}', 'actor_kind, action, table_name', $$'user', 'insert', 'agents'$$,
        $$action = 'delete'$$),
    -- Every member sees the others.
    ('memberships', 'organization', '{select}', 'user_id, role', $$tests.id('nobody'), 'viewer'$$, $$role = 'viewer'$$),
    ('invitations', 'members', '{}', 'email, role', $$'new@$t.example', 'viewer'$$, $$role = 'viewer'$$);
insert into tests.tenant_tables (name, object, tenant_column, granted, insert_columns, insert_values, change) values
    ('organizations', 'organization', 'id', '{select,update}', 'name, slug', $$'New', 'test-tenant-new'$$,
        $$name = 'Changed'$$);
