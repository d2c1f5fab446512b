-- Switchboard's schema: every file in the order in which it applies. One table one file, with its constraints, indexes,
-- triggers, policies and grants; RPCs in files of their own. psql -1 -f sql/schema/schema.sql gives a database what
-- supabase/migrations gives it (bin/generate migration).

-- base: what every later file stands on
\ir base/extension.sql
\ir base/privileges.sql
\ir base/checks.sql
\ir base/row_triggers.sql
\ir base/tenant_policies.sql
\ir base/broadcasts.sql

-- tenancy: organizations, people, their memberships, plans, and the log of it
\ir tenancy/capabilities.sql
\ir tenancy/audited_tables.sql
\ir tenancy/audit_log.sql
\ir tenancy/audit.sql
\ir tenancy/quotas.sql
\ir tenancy/plans.sql
\ir tenancy/plan_limits.sql
\ir tenancy/organizations.sql
\ir tenancy/plan_overrides.sql
\ir tenancy/quota_rules.sql
\ir tenancy/dataset_scope.sql
\ir tenancy/memberships.sql
\ir tenancy/profiles.sql
\ir tenancy/profile_failures.sql
\ir tenancy/invitations.sql
\ir tenancy/member_rules.sql
\ir tenancy/sign_up.sql
\ir tenancy/person.sql
\ir tenancy/organization_rpcs.sql
\ir tenancy/current_organization.sql
\ir tenancy/invite_member.sql
\ir tenancy/accept_invitation.sql
\ir tenancy/change_member.sql
\ir tenancy/leave.sql
\ir tenancy/usage.sql

-- credentials: sealed secrets and the keys they are sealed with
\ir credentials/root_keys.sql
\ir credentials/tenant_keys.sql
\ir credentials/unseal_audit.sql
\ir credentials/provider_accounts.sql
\ir credentials/provider_credentials.sql

-- agents: who answers, on which numbers
\ir agents/agents.sql
\ir agents/phone_numbers.sql
\ir agents/add_phone_number.sql

-- leads: campaigns, their contacts, and who opted out
\ir leads/phone_readings.sql
\ir leads/campaign_settings.sql
\ir leads/datasets.sql
\ir leads/uploads.sql
\ir leads/upload_chunks.sql
\ir leads/upload_errors.sql
\ir leads/suppression_salts.sql
\ir leads/suppressions.sql
\ir leads/lead_triggers.sql
\ir leads/leads.sql
\ir leads/lead_transitions.sql
\ir leads/lead_events.sql
\ir leads/set_lead_status.sql
\ir leads/resolve_duplicate.sql
\ir leads/opt_ins.sql
\ir leads/archive_due_datasets.sql
\ir leads/search_leads.sql
\ir leads/exports.sql
\ir leads/export_leads.sql
\ir leads/upload_rows.sql
\ir leads/import_options.sql
\ir leads/import_rows.sql
\ir leads/import_batch.sql
\ir leads/import_leads.sql
\ir leads/create_upload.sql
\ir leads/preview_upload.sql
\ir leads/commit_upload.sql

-- prompts: what agents are told
\ir prompts/lessons.sql
\ir prompts/prompt_templates.sql
\ir prompts/prompts.sql
\ir prompts/prompt_versions.sql
\ir prompts/publish_prompt.sql

-- calls: who rang, who answered
\ir calls/customers.sql
\ir calls/calls.sql
\ir leads/undo_upload.sql
\ir calls/route_inbound_call.sql
\ir calls/call_rpcs.sql
\ir calls/find_by_phone.sql
\ir calls/forget.sql

\ir circles.sql

-- platform: Supabase's own services
\ir platform/storage.sql
\ir platform/realtime.sql
\ir platform/access_token_hook.sql

-- operator: who administers the installation, and what they ask it
\ir operator/platform_admins.sql
\ir operator/platform_log.sql
\ir operator/support_sessions.sql
\ir operator/platform_admin_rpcs.sql
\ir operator/support_session_rpcs.sql
\ir operator/doctor_tables.sql
\ir operator/doctor_policies.sql
\ir operator/doctor_functions.sql
\ir operator/doctor_keys.sql
\ir operator/grants.sql
\ir operator/record_grants.sql
\ir operator/restored.sql
\ir operator/restore_state.sql
\ir operator/restore_rows.sql
\ir operator/doctor_grants.sql
\ir operator/doctor_platform.sql
\ir operator/doctor_credentials.sql
\ir operator/doctor_server.sql
\ir operator/doctor_contract.sql
\ir operator/doctor.sql
\ir operator/queries.sql

-- compat: the names of other schemas (docs/names.md). Nothing above needs it; leave the lines out if you have no use for
-- them
\ir compat/clients.sql
\ir compat/users.sql
\ir compat/user_organizations.sql
\ir compat/functions.sql

-- last: what is granted now is what is meant
\ir grants_recorded.sql
