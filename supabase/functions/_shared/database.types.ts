// Generated from the database by bin/generate types; supabase.ts gives it to every client.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  "public": {
    Tables: {
      "agents": {
        Row: {
          "created_at": string;
          "created_by": string | null;
          "description": string | null;
          "greeting": string | null;
          "id": string;
          "is_active": boolean;
          "llm_config": NonNullable<Json>;
          "name": string;
          "organization_id": string;
          "personality": string | null;
          "prompt_version_id": string | null;
          "tone": string | null;
          "updated_at": string;
          "voice_id": string | null;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "created_by"?: string | null;
          "description"?: string | null;
          "greeting"?: string | null;
          "id"?: string;
          "is_active"?: boolean;
          "llm_config"?: NonNullable<Json>;
          "name": string;
          "organization_id"?: string;
          "personality"?: string | null;
          "prompt_version_id"?: string | null;
          "tone"?: string | null;
          "updated_at"?: string;
          "voice_id"?: string | null;
        };
        Update: {
          "created_at"?: string;
          "created_by"?: string | null;
          "description"?: string | null;
          "greeting"?: string | null;
          "id"?: string;
          "is_active"?: boolean;
          "llm_config"?: NonNullable<Json>;
          "name"?: string;
          "organization_id"?: string;
          "personality"?: string | null;
          "prompt_version_id"?: string | null;
          "tone"?: string | null;
          "updated_at"?: string;
          "voice_id"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "agents_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "agents_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "agents_prompt_version_id_fkey";
            columns: ["organization_id", "prompt_version_id"];
            isOneToOne: false;
            referencedRelation: "prompt_versions";
            referencedColumns: ["organization_id", "id"];
          },
        ];
      };
      "audit_log": {
        Row: {
          "action": string;
          "actor_id": string | null;
          "actor_kind": string;
          "after": Json | null;
          "before": Json | null;
          "created_at": string;
          "id": string;
          "organization_id": string;
          "row_id": string | null;
          "support_session_id": string | null;
          "table_name": string;
        };
        ComputedFields: never;
        Insert: {
          "action": string;
          "actor_id"?: string | null;
          "actor_kind": string;
          "after"?: Json | null;
          "before"?: Json | null;
          "created_at"?: string;
          "id"?: string;
          "organization_id": string;
          "row_id"?: string | null;
          "support_session_id"?: string | null;
          "table_name": string;
        };
        Update: {
          "action"?: string;
          "actor_id"?: string | null;
          "actor_kind"?: string;
          "after"?: Json | null;
          "before"?: Json | null;
          "created_at"?: string;
          "id"?: string;
          "organization_id"?: string;
          "row_id"?: string | null;
          "support_session_id"?: string | null;
          "table_name"?: string;
        };
        Relationships: [];
      };
      "calls": {
        Row: {
          "agent_id": string | null;
          "answered_at": string | null;
          "assigned_to": string | null;
          "called_number": string;
          "caller_input": string | null;
          "caller_number": string | null;
          "cost_micros": number | null;
          "created_at": string;
          "customer_id": string | null;
          "dataset_id": string | null;
          "decision": NonNullable<Json>;
          "direction": string;
          "duration_seconds": number | null;
          "ended_at": string | null;
          "id": string;
          "lead_id": string | null;
          "organization_id": string;
          "outcome": string | null;
          "phone_number_id": string | null;
          "prompt_version_id": string | null;
          "provider": string;
          "provider_sid": string;
          "recording_path": string | null;
          "sentiment": string | null;
          "started_at": string;
          "status": string;
          "summary": string | null;
          "transcript": string | null;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "agent_id"?: string | null;
          "answered_at"?: string | null;
          "assigned_to"?: string | null;
          "called_number": string;
          "caller_input"?: string | null;
          "caller_number"?: string | null;
          "cost_micros"?: number | null;
          "created_at"?: string;
          "customer_id"?: string | null;
          "dataset_id"?: string | null;
          "decision": NonNullable<Json>;
          "direction": string;
          "duration_seconds"?: never;
          "ended_at"?: string | null;
          "id"?: string;
          "lead_id"?: string | null;
          "organization_id": string;
          "outcome"?: string | null;
          "phone_number_id"?: string | null;
          "prompt_version_id"?: string | null;
          "provider": string;
          "provider_sid": string;
          "recording_path"?: string | null;
          "sentiment"?: string | null;
          "started_at"?: string;
          "status"?: string;
          "summary"?: string | null;
          "transcript"?: string | null;
          "updated_at"?: string;
        };
        Update: {
          "agent_id"?: string | null;
          "answered_at"?: string | null;
          "assigned_to"?: string | null;
          "called_number"?: string;
          "caller_input"?: string | null;
          "caller_number"?: string | null;
          "cost_micros"?: number | null;
          "created_at"?: string;
          "customer_id"?: string | null;
          "dataset_id"?: string | null;
          "decision"?: NonNullable<Json>;
          "direction"?: string;
          "duration_seconds"?: never;
          "ended_at"?: string | null;
          "id"?: string;
          "lead_id"?: string | null;
          "organization_id"?: string;
          "outcome"?: string | null;
          "phone_number_id"?: string | null;
          "prompt_version_id"?: string | null;
          "provider"?: string;
          "provider_sid"?: string;
          "recording_path"?: string | null;
          "sentiment"?: string | null;
          "started_at"?: string;
          "status"?: string;
          "summary"?: string | null;
          "transcript"?: string | null;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "calls_agent_id_fkey";
            columns: ["organization_id", "agent_id"];
            isOneToOne: false;
            referencedRelation: "agents";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "calls_assigned_to_fkey";
            columns: ["organization_id", "assigned_to"];
            isOneToOne: false;
            referencedRelation: "memberships";
            referencedColumns: ["organization_id", "user_id"];
          },
          {
            foreignKeyName: "calls_assigned_to_fkey";
            columns: ["organization_id", "assigned_to"];
            isOneToOne: false;
            referencedRelation: "user_organizations";
            referencedColumns: ["organization_id", "user_id"];
          },
          {
            foreignKeyName: "calls_assigned_to_fkey";
            columns: ["organization_id", "assigned_to"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["client_id", "user_id"];
          },
          {
            foreignKeyName: "calls_customer_id_fkey";
            columns: ["organization_id", "customer_id"];
            isOneToOne: false;
            referencedRelation: "customers";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "calls_dataset_id_fkey";
            columns: ["organization_id", "dataset_id"];
            isOneToOne: false;
            referencedRelation: "datasets";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "calls_lead_id_fkey";
            columns: ["organization_id", "lead_id"];
            isOneToOne: false;
            referencedRelation: "leads";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "calls_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "calls_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "calls_phone_number_id_fkey";
            columns: ["organization_id", "phone_number_id"];
            isOneToOne: false;
            referencedRelation: "phone_numbers";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "calls_prompt_version_id_fkey";
            columns: ["organization_id", "prompt_version_id"];
            isOneToOne: false;
            referencedRelation: "prompt_versions";
            referencedColumns: ["organization_id", "id"];
          },
        ];
      };
      "campaign_settings": {
        Row: {
          "ai_multiple_messages_wait_seconds": number;
          "ai_response_delay_random": boolean;
          "ai_response_delay_seconds": number;
          "ai_response_enabled": boolean;
          "allow_international": boolean;
          "auto_normalize_uk_numbers": boolean;
          "auto_status_updates": boolean;
          "cal_booking_link": string | null;
          "created_at": string;
          "delay_respect_sending_hours": boolean;
          "delay_type": string;
          "description": string | null;
          "duplicate_action": string;
          "hot_lead_assignment_rule": string;
          "hot_lead_auto_assign": boolean;
          "hot_lead_notification": boolean;
          "id": string;
          "is_template": boolean;
          "m1_message": string;
          "m2_delay_hours": number;
          "m2_message": string | null;
          "m3_delay_hours": number;
          "m3_message": string | null;
          "messages_per_day": number | null;
          "messages_per_hour": number | null;
          "messages_per_minute": number | null;
          "name": string | null;
          "organization_id": string;
          "required_fields": NonNullable<Json>;
          "respect_schedule_strictly": boolean;
          "respond_to_inbound_24_7": boolean;
          "sender_number_id": string | null;
          "sending_days": NonNullable<Json>;
          "sending_enabled": boolean;
          "sending_hours_end": string | null;
          "sending_hours_start": string | null;
          "sending_timezone": string;
          "silence_nudge_days": number;
          "silence_nudge_enabled": boolean;
          "silence_nudge_message": string | null;
          "silence_timeout_days": number;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "ai_multiple_messages_wait_seconds"?: number;
          "ai_response_delay_random"?: boolean;
          "ai_response_delay_seconds"?: number;
          "ai_response_enabled"?: boolean;
          "allow_international"?: boolean;
          "auto_normalize_uk_numbers"?: boolean;
          "auto_status_updates"?: boolean;
          "cal_booking_link"?: string | null;
          "created_at"?: string;
          "delay_respect_sending_hours"?: boolean;
          "delay_type"?: string;
          "description"?: string | null;
          "duplicate_action"?: string;
          "hot_lead_assignment_rule"?: string;
          "hot_lead_auto_assign"?: boolean;
          "hot_lead_notification"?: boolean;
          "id"?: string;
          "is_template"?: boolean;
          "m1_message": string;
          "m2_delay_hours"?: number;
          "m2_message"?: string | null;
          "m3_delay_hours"?: number;
          "m3_message"?: string | null;
          "messages_per_day"?: number | null;
          "messages_per_hour"?: number | null;
          "messages_per_minute"?: number | null;
          "name"?: string | null;
          "organization_id"?: string;
          "required_fields"?: NonNullable<Json>;
          "respect_schedule_strictly"?: boolean;
          "respond_to_inbound_24_7"?: boolean;
          "sender_number_id"?: string | null;
          "sending_days"?: NonNullable<Json>;
          "sending_enabled"?: boolean;
          "sending_hours_end"?: string | null;
          "sending_hours_start"?: string | null;
          "sending_timezone"?: string;
          "silence_nudge_days"?: number;
          "silence_nudge_enabled"?: boolean;
          "silence_nudge_message"?: string | null;
          "silence_timeout_days"?: number;
          "updated_at"?: string;
        };
        Update: {
          "ai_multiple_messages_wait_seconds"?: number;
          "ai_response_delay_random"?: boolean;
          "ai_response_delay_seconds"?: number;
          "ai_response_enabled"?: boolean;
          "allow_international"?: boolean;
          "auto_normalize_uk_numbers"?: boolean;
          "auto_status_updates"?: boolean;
          "cal_booking_link"?: string | null;
          "created_at"?: string;
          "delay_respect_sending_hours"?: boolean;
          "delay_type"?: string;
          "description"?: string | null;
          "duplicate_action"?: string;
          "hot_lead_assignment_rule"?: string;
          "hot_lead_auto_assign"?: boolean;
          "hot_lead_notification"?: boolean;
          "id"?: string;
          "is_template"?: boolean;
          "m1_message"?: string;
          "m2_delay_hours"?: number;
          "m2_message"?: string | null;
          "m3_delay_hours"?: number;
          "m3_message"?: string | null;
          "messages_per_day"?: number | null;
          "messages_per_hour"?: number | null;
          "messages_per_minute"?: number | null;
          "name"?: string | null;
          "organization_id"?: string;
          "required_fields"?: NonNullable<Json>;
          "respect_schedule_strictly"?: boolean;
          "respond_to_inbound_24_7"?: boolean;
          "sender_number_id"?: string | null;
          "sending_days"?: NonNullable<Json>;
          "sending_enabled"?: boolean;
          "sending_hours_end"?: string | null;
          "sending_hours_start"?: string | null;
          "sending_timezone"?: string;
          "silence_nudge_days"?: number;
          "silence_nudge_enabled"?: boolean;
          "silence_nudge_message"?: string | null;
          "silence_timeout_days"?: number;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "campaign_settings_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "campaign_settings_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "campaign_settings_sender_number_id_fkey";
            columns: ["organization_id", "sender_number_id"];
            isOneToOne: false;
            referencedRelation: "phone_numbers";
            referencedColumns: ["organization_id", "id"];
          },
        ];
      };
      "customers": {
        Row: {
          "attributes": NonNullable<Json>;
          "created_at": string;
          "email": string | null;
          "id": string;
          "name": string | null;
          "organization_id": string;
          "phone_input": string | null;
          "phone_number": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "attributes"?: NonNullable<Json>;
          "created_at"?: string;
          "email"?: string | null;
          "id"?: string;
          "name"?: string | null;
          "organization_id"?: string;
          "phone_input"?: string | null;
          "phone_number": string;
          "updated_at"?: string;
        };
        Update: {
          "attributes"?: NonNullable<Json>;
          "created_at"?: string;
          "email"?: string | null;
          "id"?: string;
          "name"?: string | null;
          "organization_id"?: string;
          "phone_input"?: string | null;
          "phone_number"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "customers_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "customers_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "datasets": {
        Row: {
          "active_leads": number;
          "archived": boolean;
          "archived_at": string | null;
          "auto_archive_after_days": number;
          "campaign_end_at": string | null;
          "campaign_settings_id": string | null;
          "campaign_start_at": string | null;
          "campaign_status": string;
          "column_mapping": NonNullable<Json>;
          "converted_leads": number;
          "created_at": string;
          "description": string | null;
          "hot_leads": number;
          "id": string;
          "name": string;
          "organization_id": string;
          "source": string | null;
          "total_leads": number;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "active_leads"?: number;
          "archived"?: never;
          "archived_at"?: string | null;
          "auto_archive_after_days"?: number;
          "campaign_end_at"?: string | null;
          "campaign_settings_id"?: string | null;
          "campaign_start_at"?: string | null;
          "campaign_status"?: string;
          "column_mapping"?: NonNullable<Json>;
          "converted_leads"?: number;
          "created_at"?: string;
          "description"?: string | null;
          "hot_leads"?: number;
          "id"?: string;
          "name": string;
          "organization_id"?: string;
          "source"?: string | null;
          "total_leads"?: number;
          "updated_at"?: string;
        };
        Update: {
          "active_leads"?: number;
          "archived"?: never;
          "archived_at"?: string | null;
          "auto_archive_after_days"?: number;
          "campaign_end_at"?: string | null;
          "campaign_settings_id"?: string | null;
          "campaign_start_at"?: string | null;
          "campaign_status"?: string;
          "column_mapping"?: NonNullable<Json>;
          "converted_leads"?: number;
          "created_at"?: string;
          "description"?: string | null;
          "hot_leads"?: number;
          "id"?: string;
          "name"?: string;
          "organization_id"?: string;
          "source"?: string | null;
          "total_leads"?: number;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "datasets_campaign_settings_id_fkey";
            columns: ["organization_id", "campaign_settings_id"];
            isOneToOne: false;
            referencedRelation: "campaign_settings";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "datasets_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "datasets_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "exports": {
        Row: {
          "attribute_names": (string)[];
          "created_at": string;
          "created_by": string | null;
          "dataset_id": string | null;
          "expires_at": string;
          "file_size": number | null;
          "filters": NonNullable<Json>;
          "id": string;
          "organization_id": string;
          "problem": string | null;
          "query": string | null;
          "rows_written": number;
          "status": string;
          "storage_path": string | null;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "attribute_names"?: (string)[];
          "created_at"?: string;
          "created_by"?: string | null;
          "dataset_id"?: string | null;
          "expires_at": string;
          "file_size"?: number | null;
          "filters"?: NonNullable<Json>;
          "id"?: string;
          "organization_id": string;
          "problem"?: string | null;
          "query"?: string | null;
          "rows_written"?: number;
          "status"?: string;
          "storage_path"?: string | null;
          "updated_at"?: string;
        };
        Update: {
          "attribute_names"?: (string)[];
          "created_at"?: string;
          "created_by"?: string | null;
          "dataset_id"?: string | null;
          "expires_at"?: string;
          "file_size"?: number | null;
          "filters"?: NonNullable<Json>;
          "id"?: string;
          "organization_id"?: string;
          "problem"?: string | null;
          "query"?: string | null;
          "rows_written"?: number;
          "status"?: string;
          "storage_path"?: string | null;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "exports_dataset_id_fkey";
            columns: ["organization_id", "dataset_id"];
            isOneToOne: false;
            referencedRelation: "datasets";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "exports_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "exports_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "invitations": {
        Row: {
          "accepted_at": string | null;
          "accepted_by": string | null;
          "allowed_dataset_ids": (string)[] | null;
          "can_edit_lessons": boolean;
          "can_manage_users": boolean;
          "can_push_to_n8n": boolean;
          "can_view_all_leads": boolean;
          "created_at": string;
          "email": string;
          "expires_at": string;
          "id": string;
          "invited_by": string | null;
          "membership_expires_at": string | null;
          "organization_id": string;
          "permissions": NonNullable<Json>;
          "revoked_at": string | null;
          "revoked_by": string | null;
          "role": string;
          "token_hash": string;
        };
        ComputedFields: never;
        Insert: {
          "accepted_at"?: string | null;
          "accepted_by"?: string | null;
          "allowed_dataset_ids"?: (string)[] | null;
          "can_edit_lessons"?: boolean;
          "can_manage_users"?: boolean;
          "can_push_to_n8n"?: boolean;
          "can_view_all_leads"?: boolean;
          "created_at"?: string;
          "email": string;
          "expires_at": string;
          "id"?: string;
          "invited_by"?: string | null;
          "membership_expires_at"?: string | null;
          "organization_id": string;
          "permissions"?: NonNullable<Json>;
          "revoked_at"?: string | null;
          "revoked_by"?: string | null;
          "role": string;
          "token_hash": string;
        };
        Update: {
          "accepted_at"?: string | null;
          "accepted_by"?: string | null;
          "allowed_dataset_ids"?: (string)[] | null;
          "can_edit_lessons"?: boolean;
          "can_manage_users"?: boolean;
          "can_push_to_n8n"?: boolean;
          "can_view_all_leads"?: boolean;
          "created_at"?: string;
          "email"?: string;
          "expires_at"?: string;
          "id"?: string;
          "invited_by"?: string | null;
          "membership_expires_at"?: string | null;
          "organization_id"?: string;
          "permissions"?: NonNullable<Json>;
          "revoked_at"?: string | null;
          "revoked_by"?: string | null;
          "role"?: string;
          "token_hash"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "invitations_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "invitations_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "lead_events": {
        Row: {
          "actor": string;
          "actor_id": string | null;
          "after": string | null;
          "assigned_to": string | null;
          "before": string | null;
          "created_at": string;
          "dataset_id": string | null;
          "id": string;
          "kind": string;
          "lead_id": string;
          "organization_id": string;
          "reason": string | null;
        };
        ComputedFields: never;
        Insert: {
          "actor": string;
          "actor_id"?: string | null;
          "after"?: string | null;
          "assigned_to"?: string | null;
          "before"?: string | null;
          "created_at"?: string;
          "dataset_id"?: string | null;
          "id"?: string;
          "kind": string;
          "lead_id": string;
          "organization_id": string;
          "reason"?: string | null;
        };
        Update: {
          "actor"?: string;
          "actor_id"?: string | null;
          "after"?: string | null;
          "assigned_to"?: string | null;
          "before"?: string | null;
          "created_at"?: string;
          "dataset_id"?: string | null;
          "id"?: string;
          "kind"?: string;
          "lead_id"?: string;
          "organization_id"?: string;
          "reason"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "lead_events_lead_id_fkey";
            columns: ["organization_id", "lead_id"];
            isOneToOne: false;
            referencedRelation: "leads";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "lead_events_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "lead_events_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "leads": {
        Row: {
          "archived": boolean;
          "archived_at": string | null;
          "assigned_to": string | null;
          "attributes": NonNullable<Json>;
          "consent_at": string | null;
          "consent_basis": string | null;
          "contact_status": string;
          "conversation_summary": string | null;
          "created_at": string;
          "dataset_id": string;
          "dup_seq": number;
          "duplicate_of": string | null;
          "duplicate_resolved_at": string | null;
          "email": string | null;
          "first_name": string;
          "held": boolean;
          "id": string;
          "imported_at": string | null;
          "inquiry_date": string | null;
          "install_date": string | null;
          "last_message_at": string | null;
          "last_name": string | null;
          "last_synced_at": string | null;
          "latest_lead_reply": string | null;
          "lead_sentiment": string | null;
          "m1_sent_at": string | null;
          "m2_sent_at": string | null;
          "m3_sent_at": string | null;
          "manual_mode": boolean;
          "manual_mode_activated_at": string | null;
          "notes": string | null;
          "organization_id": string;
          "outward_code": string | null;
          "phone_extension": string | null;
          "phone_input": string | null;
          "phone_number": string;
          "phone_type": string | null;
          "phone_validity": string | null;
          "postcode": string | null;
          "previous_status": string | null;
          "region": string | null;
          "reply_received_at": string | null;
          "row_number": number | null;
          "status_set_at": string | null;
          "status_set_by": string | null;
          "timezone": string | null;
          "total_messages": number;
          "updated_at": string;
          "upload_id": string | null;
        };
        ComputedFields: never;
        Insert: {
          "archived"?: never;
          "archived_at"?: string | null;
          "assigned_to"?: string | null;
          "attributes"?: NonNullable<Json>;
          "consent_at"?: string | null;
          "consent_basis"?: string | null;
          "contact_status"?: string;
          "conversation_summary"?: string | null;
          "created_at"?: string;
          "dataset_id": string;
          "dup_seq"?: number;
          "duplicate_of"?: string | null;
          "duplicate_resolved_at"?: string | null;
          "email"?: string | null;
          "first_name": string;
          "held"?: never;
          "id"?: string;
          "imported_at"?: string | null;
          "inquiry_date"?: string | null;
          "install_date"?: string | null;
          "last_message_at"?: string | null;
          "last_name"?: string | null;
          "last_synced_at"?: string | null;
          "latest_lead_reply"?: string | null;
          "lead_sentiment"?: string | null;
          "m1_sent_at"?: string | null;
          "m2_sent_at"?: string | null;
          "m3_sent_at"?: string | null;
          "manual_mode"?: boolean;
          "manual_mode_activated_at"?: string | null;
          "notes"?: string | null;
          "organization_id"?: string;
          "outward_code"?: never;
          "phone_extension"?: string | null;
          "phone_input"?: string | null;
          "phone_number": string;
          "phone_type"?: string | null;
          "phone_validity"?: string | null;
          "postcode"?: string | null;
          "previous_status"?: string | null;
          "region"?: string | null;
          "reply_received_at"?: string | null;
          "row_number"?: number | null;
          "status_set_at"?: string | null;
          "status_set_by"?: string | null;
          "timezone"?: string | null;
          "total_messages"?: number;
          "updated_at"?: string;
          "upload_id"?: string | null;
        };
        Update: {
          "archived"?: never;
          "archived_at"?: string | null;
          "assigned_to"?: string | null;
          "attributes"?: NonNullable<Json>;
          "consent_at"?: string | null;
          "consent_basis"?: string | null;
          "contact_status"?: string;
          "conversation_summary"?: string | null;
          "created_at"?: string;
          "dataset_id"?: string;
          "dup_seq"?: number;
          "duplicate_of"?: string | null;
          "duplicate_resolved_at"?: string | null;
          "email"?: string | null;
          "first_name"?: string;
          "held"?: never;
          "id"?: string;
          "imported_at"?: string | null;
          "inquiry_date"?: string | null;
          "install_date"?: string | null;
          "last_message_at"?: string | null;
          "last_name"?: string | null;
          "last_synced_at"?: string | null;
          "latest_lead_reply"?: string | null;
          "lead_sentiment"?: string | null;
          "m1_sent_at"?: string | null;
          "m2_sent_at"?: string | null;
          "m3_sent_at"?: string | null;
          "manual_mode"?: boolean;
          "manual_mode_activated_at"?: string | null;
          "notes"?: string | null;
          "organization_id"?: string;
          "outward_code"?: never;
          "phone_extension"?: string | null;
          "phone_input"?: string | null;
          "phone_number"?: string;
          "phone_type"?: string | null;
          "phone_validity"?: string | null;
          "postcode"?: string | null;
          "previous_status"?: string | null;
          "region"?: string | null;
          "reply_received_at"?: string | null;
          "row_number"?: number | null;
          "status_set_at"?: string | null;
          "status_set_by"?: string | null;
          "timezone"?: string | null;
          "total_messages"?: number;
          "updated_at"?: string;
          "upload_id"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "leads_assigned_to_fkey";
            columns: ["organization_id", "assigned_to"];
            isOneToOne: false;
            referencedRelation: "memberships";
            referencedColumns: ["organization_id", "user_id"];
          },
          {
            foreignKeyName: "leads_assigned_to_fkey";
            columns: ["organization_id", "assigned_to"];
            isOneToOne: false;
            referencedRelation: "user_organizations";
            referencedColumns: ["organization_id", "user_id"];
          },
          {
            foreignKeyName: "leads_assigned_to_fkey";
            columns: ["organization_id", "assigned_to"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["client_id", "user_id"];
          },
          {
            foreignKeyName: "leads_dataset_id_fkey";
            columns: ["organization_id", "dataset_id"];
            isOneToOne: false;
            referencedRelation: "datasets";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "leads_duplicate_of_fkey";
            columns: ["organization_id", "duplicate_of"];
            isOneToOne: false;
            referencedRelation: "leads";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "leads_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "leads_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "leads_upload_id_fkey";
            columns: ["organization_id", "upload_id"];
            isOneToOne: false;
            referencedRelation: "uploads";
            referencedColumns: ["organization_id", "id"];
          },
        ];
      };
      "lessons": {
        Row: {
          "correct_response": string | null;
          "created_at": string;
          "created_by": string | null;
          "dataset_id": string | null;
          "description": string | null;
          "example_conversation": Json | null;
          "id": string;
          "incorrect_response": string | null;
          "lesson_type": string;
          "organization_id": string;
          "priority": number;
          "reasoning": string | null;
          "source": string | null;
          "status": string;
          "success_rate": number | null;
          "tags": (string)[];
          "times_applied": number;
          "title": string;
          "trigger": string | null;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "correct_response"?: string | null;
          "created_at"?: string;
          "created_by"?: string | null;
          "dataset_id"?: string | null;
          "description"?: string | null;
          "example_conversation"?: Json | null;
          "id"?: string;
          "incorrect_response"?: string | null;
          "lesson_type": string;
          "organization_id"?: string;
          "priority"?: number;
          "reasoning"?: string | null;
          "source"?: string | null;
          "status"?: string;
          "success_rate"?: number | null;
          "tags"?: (string)[];
          "times_applied"?: number;
          "title": string;
          "trigger"?: string | null;
          "updated_at"?: string;
        };
        Update: {
          "correct_response"?: string | null;
          "created_at"?: string;
          "created_by"?: string | null;
          "dataset_id"?: string | null;
          "description"?: string | null;
          "example_conversation"?: Json | null;
          "id"?: string;
          "incorrect_response"?: string | null;
          "lesson_type"?: string;
          "organization_id"?: string;
          "priority"?: number;
          "reasoning"?: string | null;
          "source"?: string | null;
          "status"?: string;
          "success_rate"?: number | null;
          "tags"?: (string)[];
          "times_applied"?: number;
          "title"?: string;
          "trigger"?: string | null;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "lessons_dataset_id_fkey";
            columns: ["organization_id", "dataset_id"];
            isOneToOne: false;
            referencedRelation: "datasets";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "lessons_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "lessons_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "memberships": {
        Row: {
          "allowed_dataset_ids": (string)[] | null;
          "can_edit_lessons": boolean;
          "can_manage_users": boolean;
          "can_push_to_n8n": boolean;
          "can_view_all_leads": boolean;
          "created_at": string;
          "expires_at": string | null;
          "id": string;
          "organization_id": string;
          "permissions": NonNullable<Json>;
          "role": string;
          "status": string;
          "updated_at": string;
          "user_id": string;
        };
        ComputedFields: never;
        Insert: {
          "allowed_dataset_ids"?: (string)[] | null;
          "can_edit_lessons"?: boolean;
          "can_manage_users"?: boolean;
          "can_push_to_n8n"?: boolean;
          "can_view_all_leads"?: boolean;
          "created_at"?: string;
          "expires_at"?: string | null;
          "id"?: string;
          "organization_id": string;
          "permissions"?: NonNullable<Json>;
          "role": string;
          "status"?: string;
          "updated_at"?: string;
          "user_id": string;
        };
        Update: {
          "allowed_dataset_ids"?: (string)[] | null;
          "can_edit_lessons"?: boolean;
          "can_manage_users"?: boolean;
          "can_push_to_n8n"?: boolean;
          "can_view_all_leads"?: boolean;
          "created_at"?: string;
          "expires_at"?: string | null;
          "id"?: string;
          "organization_id"?: string;
          "permissions"?: NonNullable<Json>;
          "role"?: string;
          "status"?: string;
          "updated_at"?: string;
          "user_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "memberships_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "memberships_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "organizations": {
        Row: {
          "calling_code": number;
          "created_at": string;
          "default_agent_id": string | null;
          "default_country": string;
          "default_phone_number_id": string | null;
          "email": string | null;
          "id": string;
          "industry": string | null;
          "logo_path": string | null;
          "n8n_webhook_url": string | null;
          "n8n_workflow_id": string | null;
          "name": string;
          "phone_input": string | null;
          "phone_number": string | null;
          "plan": string;
          "primary_color": string;
          "quiet_end": string;
          "quiet_start": string;
          "settings": NonNullable<Json>;
          "slug": string;
          "status": string;
          "timezone": string;
          "updated_at": string;
          "website": string | null;
          "owner_id": string | null;
          "plan_tier": string | null;
        };
        ComputedFields: "owner_id" | "plan_tier";
        Insert: {
          "calling_code"?: never;
          "created_at"?: string;
          "default_agent_id"?: string | null;
          "default_country"?: string;
          "default_phone_number_id"?: string | null;
          "email"?: string | null;
          "id"?: string;
          "industry"?: string | null;
          "logo_path"?: string | null;
          "n8n_webhook_url"?: string | null;
          "n8n_workflow_id"?: string | null;
          "name": string;
          "phone_input"?: string | null;
          "phone_number"?: string | null;
          "plan"?: string;
          "primary_color"?: string;
          "quiet_end"?: string;
          "quiet_start"?: string;
          "settings"?: NonNullable<Json>;
          "slug": string;
          "status"?: string;
          "timezone"?: string;
          "updated_at"?: string;
          "website"?: string | null;
        };
        Update: {
          "calling_code"?: never;
          "created_at"?: string;
          "default_agent_id"?: string | null;
          "default_country"?: string;
          "default_phone_number_id"?: string | null;
          "email"?: string | null;
          "id"?: string;
          "industry"?: string | null;
          "logo_path"?: string | null;
          "n8n_webhook_url"?: string | null;
          "n8n_workflow_id"?: string | null;
          "name"?: string;
          "phone_input"?: string | null;
          "phone_number"?: string | null;
          "plan"?: string;
          "primary_color"?: string;
          "quiet_end"?: string;
          "quiet_start"?: string;
          "settings"?: NonNullable<Json>;
          "slug"?: string;
          "status"?: string;
          "timezone"?: string;
          "updated_at"?: string;
          "website"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "organizations_default_agent_id_fkey";
            columns: ["id", "default_agent_id"];
            isOneToOne: false;
            referencedRelation: "agents";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "organizations_default_phone_number_id_fkey";
            columns: ["id", "default_phone_number_id"];
            isOneToOne: false;
            referencedRelation: "phone_numbers";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "organizations_plan_fkey";
            columns: ["plan"];
            isOneToOne: false;
            referencedRelation: "plans";
            referencedColumns: ["name"];
          },
        ];
      };
      "phone_numbers": {
        Row: {
          "agent_id": string | null;
          "created_at": string;
          "friendly_name": string | null;
          "id": string;
          "last_verified_at": string | null;
          "metadata": NonNullable<Json>;
          "organization_id": string;
          "phone_input": string | null;
          "phone_number": string;
          "provider": string;
          "provider_account_id": string | null;
          "status": string;
          "updated_at": string;
          "webhook_configured": boolean;
          "webhook_observed_url": string | null;
          "webhook_url": string | null;
        };
        ComputedFields: never;
        Insert: {
          "agent_id"?: string | null;
          "created_at"?: string;
          "friendly_name"?: string | null;
          "id"?: string;
          "last_verified_at"?: string | null;
          "metadata"?: NonNullable<Json>;
          "organization_id"?: string;
          "phone_input"?: string | null;
          "phone_number": string;
          "provider": string;
          "provider_account_id"?: string | null;
          "status"?: string;
          "updated_at"?: string;
          "webhook_configured"?: never;
          "webhook_observed_url"?: string | null;
          "webhook_url"?: string | null;
        };
        Update: {
          "agent_id"?: string | null;
          "created_at"?: string;
          "friendly_name"?: string | null;
          "id"?: string;
          "last_verified_at"?: string | null;
          "metadata"?: NonNullable<Json>;
          "organization_id"?: string;
          "phone_input"?: string | null;
          "phone_number"?: string;
          "provider"?: string;
          "provider_account_id"?: string | null;
          "status"?: string;
          "updated_at"?: string;
          "webhook_configured"?: never;
          "webhook_observed_url"?: string | null;
          "webhook_url"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "phone_numbers_agent_id_fkey";
            columns: ["organization_id", "agent_id"];
            isOneToOne: false;
            referencedRelation: "agents";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "phone_numbers_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "phone_numbers_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "phone_numbers_provider_account_id_fkey";
            columns: ["organization_id", "provider_account_id"];
            isOneToOne: false;
            referencedRelation: "provider_accounts";
            referencedColumns: ["organization_id", "id"];
          },
        ];
      };
      "plan_limits": {
        Row: {
          "created_at": string;
          "max_count": number;
          "plan": string;
          "quota": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "max_count": number;
          "plan": string;
          "quota": string;
          "updated_at"?: string;
        };
        Update: {
          "created_at"?: string;
          "max_count"?: number;
          "plan"?: string;
          "quota"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "plan_limits_plan_fkey";
            columns: ["plan"];
            isOneToOne: false;
            referencedRelation: "plans";
            referencedColumns: ["name"];
          },
        ];
      };
      "plan_overrides": {
        Row: {
          "created_at": string;
          "max_count": number;
          "organization_id": string;
          "quota": string;
          "reason": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "max_count": number;
          "organization_id": string;
          "quota": string;
          "reason": string;
          "updated_at"?: string;
        };
        Update: {
          "created_at"?: string;
          "max_count"?: number;
          "organization_id"?: string;
          "quota"?: string;
          "reason"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "plan_overrides_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "plan_overrides_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "plans": {
        Row: {
          "created_at": string;
          "name": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "name": string;
          "updated_at"?: string;
        };
        Update: {
          "created_at"?: string;
          "name"?: string;
          "updated_at"?: string;
        };
        Relationships: [];
      };
      "profiles": {
        Row: {
          "avatar_path": string | null;
          "country": string | null;
          "created_at": string;
          "default_organization_id": string | null;
          "email": string | null;
          "first_name": string | null;
          "full_name": string | null;
          "id": string;
          "last_name": string | null;
          "phone_input": string | null;
          "phone_number": string | null;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "avatar_path"?: string | null;
          "country"?: string | null;
          "created_at"?: string;
          "default_organization_id"?: string | null;
          "email"?: string | null;
          "first_name"?: string | null;
          "full_name"?: string | null;
          "id": string;
          "last_name"?: string | null;
          "phone_input"?: string | null;
          "phone_number"?: string | null;
          "updated_at"?: string;
        };
        Update: {
          "avatar_path"?: string | null;
          "country"?: string | null;
          "created_at"?: string;
          "default_organization_id"?: string | null;
          "email"?: string | null;
          "first_name"?: string | null;
          "full_name"?: string | null;
          "id"?: string;
          "last_name"?: string | null;
          "phone_input"?: string | null;
          "phone_number"?: string | null;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "profiles_default_organization_id_fkey";
            columns: ["default_organization_id", "id"];
            isOneToOne: false;
            referencedRelation: "memberships";
            referencedColumns: ["organization_id", "user_id"];
          },
          {
            foreignKeyName: "profiles_default_organization_id_fkey";
            columns: ["default_organization_id", "id"];
            isOneToOne: false;
            referencedRelation: "user_organizations";
            referencedColumns: ["organization_id", "user_id"];
          },
          {
            foreignKeyName: "profiles_default_organization_id_fkey";
            columns: ["default_organization_id", "id"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["client_id", "user_id"];
          },
        ];
      };
      "prompt_templates": {
        Row: {
          "best_for": string | null;
          "category": string;
          "created_at": string;
          "default_wizard_answers": Json | null;
          "description": string;
          "id": string;
          "industry": string | null;
          "is_active": boolean;
          "is_system_template": boolean;
          "name": string;
          "organization_id": string | null;
          "scope": string;
          "template_structure": NonNullable<Json>;
          "updated_at": string;
          "use_case": string | null;
        };
        ComputedFields: never;
        Insert: {
          "best_for"?: string | null;
          "category": string;
          "created_at"?: string;
          "default_wizard_answers"?: Json | null;
          "description": string;
          "id"?: string;
          "industry"?: string | null;
          "is_active"?: boolean;
          "is_system_template"?: never;
          "name": string;
          "organization_id"?: string | null;
          "scope"?: never;
          "template_structure": NonNullable<Json>;
          "updated_at"?: string;
          "use_case"?: string | null;
        };
        Update: {
          "best_for"?: string | null;
          "category"?: string;
          "created_at"?: string;
          "default_wizard_answers"?: Json | null;
          "description"?: string;
          "id"?: string;
          "industry"?: string | null;
          "is_active"?: boolean;
          "is_system_template"?: never;
          "name"?: string;
          "organization_id"?: string | null;
          "scope"?: never;
          "template_structure"?: NonNullable<Json>;
          "updated_at"?: string;
          "use_case"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "prompt_templates_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "prompt_templates_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "prompt_versions": {
        Row: {
          "change_reason": string;
          "changes": NonNullable<Json>;
          "changes_summary": string;
          "compiled_prompt": string;
          "created_at": string;
          "created_by": string | null;
          "created_by_type": string;
          "dataset_id": string | null;
          "id": string;
          "organization_id": string;
          "previous_version_id": string | null;
          "prompt_id": string;
          "report": NonNullable<Json>;
          "sha256": string;
          "spans": NonNullable<Json>;
          "structure": NonNullable<Json>;
          "template_id": string | null;
          "version": string;
          "version_number": number;
        };
        ComputedFields: never;
        Insert: {
          "change_reason": string;
          "changes": NonNullable<Json>;
          "changes_summary": string;
          "compiled_prompt": string;
          "created_at"?: string;
          "created_by"?: string | null;
          "created_by_type"?: string;
          "dataset_id"?: string | null;
          "id"?: string;
          "organization_id"?: string;
          "previous_version_id"?: string | null;
          "prompt_id": string;
          "report": NonNullable<Json>;
          "sha256": string;
          "spans": NonNullable<Json>;
          "structure": NonNullable<Json>;
          "template_id"?: string | null;
          "version": string;
          "version_number": number;
        };
        Update: {
          "change_reason"?: string;
          "changes"?: NonNullable<Json>;
          "changes_summary"?: string;
          "compiled_prompt"?: string;
          "created_at"?: string;
          "created_by"?: string | null;
          "created_by_type"?: string;
          "dataset_id"?: string | null;
          "id"?: string;
          "organization_id"?: string;
          "previous_version_id"?: string | null;
          "prompt_id"?: string;
          "report"?: NonNullable<Json>;
          "sha256"?: string;
          "spans"?: NonNullable<Json>;
          "structure"?: NonNullable<Json>;
          "template_id"?: string | null;
          "version"?: string;
          "version_number"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "prompt_versions_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "prompt_versions_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "prompt_versions_previous_version_id_fkey";
            columns: ["organization_id", "previous_version_id"];
            isOneToOne: false;
            referencedRelation: "prompt_versions";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "prompt_versions_prompt_id_fkey";
            columns: ["organization_id", "prompt_id"];
            isOneToOne: false;
            referencedRelation: "prompts";
            referencedColumns: ["organization_id", "id"];
          },
        ];
      };
      "prompts": {
        Row: {
          "compile_report": NonNullable<Json>;
          "compiled_prompt": string;
          "compiled_sha256": string;
          "copied_from_prompt_id": string | null;
          "created_at": string;
          "created_from": string;
          "dataset_id": string | null;
          "description": string | null;
          "id": string;
          "lessons_count": number;
          "manual_edits_count": number;
          "name": string;
          "organization_id": string;
          "prompt_structure": NonNullable<Json>;
          "template_id": string | null;
          "template_scope": string | null;
          "token_budget": number;
          "updated_at": string;
          "wizard_answers": Json | null;
        };
        ComputedFields: never;
        Insert: {
          "compile_report": NonNullable<Json>;
          "compiled_prompt": string;
          "compiled_sha256": string;
          "copied_from_prompt_id"?: string | null;
          "created_at"?: string;
          "created_from"?: string;
          "dataset_id"?: string | null;
          "description"?: string | null;
          "id"?: string;
          "lessons_count": number;
          "manual_edits_count"?: number;
          "name": string;
          "organization_id"?: string;
          "prompt_structure"?: NonNullable<Json>;
          "template_id"?: string | null;
          "template_scope"?: string | null;
          "token_budget"?: number;
          "updated_at"?: string;
          "wizard_answers"?: Json | null;
        };
        Update: {
          "compile_report"?: NonNullable<Json>;
          "compiled_prompt"?: string;
          "compiled_sha256"?: string;
          "copied_from_prompt_id"?: string | null;
          "created_at"?: string;
          "created_from"?: string;
          "dataset_id"?: string | null;
          "description"?: string | null;
          "id"?: string;
          "lessons_count"?: number;
          "manual_edits_count"?: number;
          "name"?: string;
          "organization_id"?: string;
          "prompt_structure"?: NonNullable<Json>;
          "template_id"?: string | null;
          "template_scope"?: string | null;
          "token_budget"?: number;
          "updated_at"?: string;
          "wizard_answers"?: Json | null;
        };
        Relationships: [
          {
            foreignKeyName: "prompts_copied_from_prompt_id_fkey";
            columns: ["organization_id", "copied_from_prompt_id"];
            isOneToOne: false;
            referencedRelation: "prompts";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "prompts_dataset_id_fkey";
            columns: ["organization_id", "dataset_id"];
            isOneToOne: false;
            referencedRelation: "datasets";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "prompts_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "prompts_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "prompts_template_id_fkey";
            columns: ["template_scope", "template_id"];
            isOneToOne: false;
            referencedRelation: "prompt_templates";
            referencedColumns: ["scope", "id"];
          },
        ];
      };
      "provider_accounts": {
        Row: {
          "account_ref": string;
          "created_at": string;
          "credentials": Json | null;
          "credentials_hint": Json | null;
          "failure_count": number;
          "id": string;
          "label": string | null;
          "last_verified_at": string | null;
          "organization_id": string;
          "provider": string;
          "status": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "account_ref": string;
          "created_at"?: string;
          "credentials"?: Json | null;
          "credentials_hint"?: never;
          "failure_count"?: number;
          "id"?: string;
          "label"?: string | null;
          "last_verified_at"?: string | null;
          "organization_id"?: string;
          "provider": string;
          "status"?: string;
          "updated_at"?: string;
        };
        Update: {
          "account_ref"?: string;
          "created_at"?: string;
          "credentials"?: Json | null;
          "credentials_hint"?: never;
          "failure_count"?: number;
          "id"?: string;
          "label"?: string | null;
          "last_verified_at"?: string | null;
          "organization_id"?: string;
          "provider"?: string;
          "status"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "provider_accounts_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "provider_accounts_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "support_sessions": {
        Row: {
          "admin_id": string;
          "capabilities": (string)[];
          "closed_at": string | null;
          "created_at": string;
          "expires_at": string;
          "id": string;
          "opened_at": string;
          "organization_id": string;
          "reason": string;
        };
        ComputedFields: never;
        Insert: {
          "admin_id": string;
          "capabilities": (string)[];
          "closed_at"?: string | null;
          "created_at"?: string;
          "expires_at": string;
          "id"?: string;
          "opened_at"?: string;
          "organization_id": string;
          "reason": string;
        };
        Update: {
          "admin_id"?: string;
          "capabilities"?: (string)[];
          "closed_at"?: string | null;
          "created_at"?: string;
          "expires_at"?: string;
          "id"?: string;
          "opened_at"?: string;
          "organization_id"?: string;
          "reason"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "support_sessions_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "support_sessions_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "suppressions": {
        Row: {
          "channel": string;
          "created_at": string;
          "created_by": string | null;
          "id": string;
          "lift_reason": string | null;
          "lifted_at": string | null;
          "lifted_by": string | null;
          "organization_id": string;
          "phone_hash": string | null;
          "phone_input": string | null;
          "phone_number": string | null;
          "reason": string;
        };
        ComputedFields: never;
        Insert: {
          "channel"?: string;
          "created_at"?: string;
          "created_by"?: string | null;
          "id"?: string;
          "lift_reason"?: string | null;
          "lifted_at"?: string | null;
          "lifted_by"?: string | null;
          "organization_id"?: string;
          "phone_hash"?: string | null;
          "phone_input"?: string | null;
          "phone_number"?: string | null;
          "reason"?: string;
        };
        Update: {
          "channel"?: string;
          "created_at"?: string;
          "created_by"?: string | null;
          "id"?: string;
          "lift_reason"?: string | null;
          "lifted_at"?: string | null;
          "lifted_by"?: string | null;
          "organization_id"?: string;
          "phone_hash"?: string | null;
          "phone_input"?: string | null;
          "phone_number"?: string | null;
          "reason"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "suppressions_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "suppressions_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "upload_errors": {
        Row: {
          "column_name": string | null;
          "created_at": string;
          "dataset_id": string | null;
          "id": string;
          "organization_id": string;
          "reason": string;
          "row_number": number;
          "upload_id": string;
          "value": string | null;
        };
        ComputedFields: never;
        Insert: {
          "column_name"?: string | null;
          "created_at"?: string;
          "dataset_id"?: string | null;
          "id"?: string;
          "organization_id": string;
          "reason": string;
          "row_number": number;
          "upload_id": string;
          "value"?: string | null;
        };
        Update: {
          "column_name"?: string | null;
          "created_at"?: string;
          "dataset_id"?: string | null;
          "id"?: string;
          "organization_id"?: string;
          "reason"?: string;
          "row_number"?: number;
          "upload_id"?: string;
          "value"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "upload_errors_dataset_id_fkey";
            columns: ["organization_id", "dataset_id"];
            isOneToOne: false;
            referencedRelation: "datasets";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "upload_errors_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "upload_errors_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "upload_errors_upload_id_fkey";
            columns: ["organization_id", "upload_id"];
            isOneToOne: false;
            referencedRelation: "uploads";
            referencedColumns: ["organization_id", "id"];
          },
        ];
      };
      "upload_rows": {
        Row: {
          "created_at": string;
          "dataset_id": string | null;
          "decision": string;
          "id": string;
          "lead_id": string | null;
          "organization_id": string;
          "row_number": number;
          "upload_id": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "dataset_id"?: string | null;
          "decision": string;
          "id"?: string;
          "lead_id"?: string | null;
          "organization_id": string;
          "row_number": number;
          "upload_id": string;
        };
        Update: {
          "created_at"?: string;
          "dataset_id"?: string | null;
          "decision"?: string;
          "id"?: string;
          "lead_id"?: string | null;
          "organization_id"?: string;
          "row_number"?: number;
          "upload_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "upload_rows_dataset_id_fkey";
            columns: ["organization_id", "dataset_id"];
            isOneToOne: false;
            referencedRelation: "datasets";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "upload_rows_lead_id_fkey";
            columns: ["organization_id", "lead_id"];
            isOneToOne: false;
            referencedRelation: "leads";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "upload_rows_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "upload_rows_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "upload_rows_upload_id_fkey";
            columns: ["organization_id", "upload_id"];
            isOneToOne: false;
            referencedRelation: "uploads";
            referencedColumns: ["organization_id", "id"];
          },
        ];
      };
      "uploads": {
        Row: {
          "bytes_read": number;
          "bytes_received": number;
          "completed_at": string | null;
          "created_at": string;
          "dataset_id": string | null;
          "delimiter": string | null;
          "encoding": string | null;
          "file_size": number | null;
          "file_type": string | null;
          "filename": string;
          "header": Json | null;
          "id": string;
          "mapping": NonNullable<Json>;
          "options": NonNullable<Json>;
          "organization_id": string;
          "problem": string | null;
          "problem_at": string | null;
          "processing_time": number | null;
          "row_total": number | null;
          "rows_detected": number;
          "rows_failed": number;
          "rows_inserted": number;
          "rows_merged": number;
          "rows_per_second": number | null;
          "rows_skipped": number;
          "rows_suppressed": number;
          "seconds_remaining": number | null;
          "started_at": string | null;
          "status": string;
          "storage_path": string | null;
          "undone_at": string | null;
          "updated_at": string;
          "uploaded_by": string | null;
        };
        ComputedFields: never;
        Insert: {
          "bytes_read"?: number;
          "bytes_received"?: number;
          "completed_at"?: string | null;
          "created_at"?: string;
          "dataset_id"?: string | null;
          "delimiter"?: string | null;
          "encoding"?: string | null;
          "file_size"?: number | null;
          "file_type"?: string | null;
          "filename": string;
          "header"?: Json | null;
          "id"?: string;
          "mapping"?: NonNullable<Json>;
          "options"?: NonNullable<Json>;
          "organization_id"?: string;
          "problem"?: string | null;
          "problem_at"?: string | null;
          "processing_time"?: never;
          "row_total"?: number | null;
          "rows_detected"?: number;
          "rows_failed"?: number;
          "rows_inserted"?: number;
          "rows_merged"?: number;
          "rows_per_second"?: number | null;
          "rows_skipped"?: number;
          "rows_suppressed"?: number;
          "seconds_remaining"?: number | null;
          "started_at"?: string | null;
          "status"?: string;
          "storage_path"?: string | null;
          "undone_at"?: string | null;
          "updated_at"?: string;
          "uploaded_by"?: string | null;
        };
        Update: {
          "bytes_read"?: number;
          "bytes_received"?: number;
          "completed_at"?: string | null;
          "created_at"?: string;
          "dataset_id"?: string | null;
          "delimiter"?: string | null;
          "encoding"?: string | null;
          "file_size"?: number | null;
          "file_type"?: string | null;
          "filename"?: string;
          "header"?: Json | null;
          "id"?: string;
          "mapping"?: NonNullable<Json>;
          "options"?: NonNullable<Json>;
          "organization_id"?: string;
          "problem"?: string | null;
          "problem_at"?: string | null;
          "processing_time"?: never;
          "row_total"?: number | null;
          "rows_detected"?: number;
          "rows_failed"?: number;
          "rows_inserted"?: number;
          "rows_merged"?: number;
          "rows_per_second"?: number | null;
          "rows_skipped"?: number;
          "rows_suppressed"?: number;
          "seconds_remaining"?: number | null;
          "started_at"?: string | null;
          "status"?: string;
          "storage_path"?: string | null;
          "undone_at"?: string | null;
          "updated_at"?: string;
          "uploaded_by"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "uploads_dataset_id_fkey";
            columns: ["organization_id", "dataset_id"];
            isOneToOne: false;
            referencedRelation: "datasets";
            referencedColumns: ["organization_id", "id"];
          },
          {
            foreignKeyName: "uploads_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "uploads_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
    };
    Views: {
      "clients": {
        Row: {
          "company_email": string | null;
          "company_name": string;
          "company_phone": string | null;
          "company_website": string | null;
          "created_at": string;
          "id": string;
          "industry": string | null;
          "logo_url": string | null;
          "n8n_webhook_url": string | null;
          "n8n_workflow_id": string | null;
          "plan": string;
          "primary_color": string;
          "settings": NonNullable<Json>;
          "status": string;
          "timezone": string;
          "twilio_phone_number": string | null;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "company_email"?: string | null;
          "company_name"?: string | null;
          "company_phone"?: string | null;
          "company_website"?: string | null;
          "created_at"?: string | null;
          "id"?: string | null;
          "industry"?: string | null;
          "logo_url"?: string | null;
          "n8n_webhook_url"?: string | null;
          "n8n_workflow_id"?: string | null;
          "plan"?: string | null;
          "primary_color"?: string | null;
          "settings"?: Json | null;
          "status"?: string | null;
          "timezone"?: string | null;
          "twilio_phone_number"?: never;
          "updated_at"?: string | null;
        };
        Update: {
          "company_email"?: string | null;
          "company_name"?: string | null;
          "company_phone"?: string | null;
          "company_website"?: string | null;
          "created_at"?: string | null;
          "id"?: string | null;
          "industry"?: string | null;
          "logo_url"?: string | null;
          "n8n_webhook_url"?: string | null;
          "n8n_workflow_id"?: string | null;
          "plan"?: string | null;
          "primary_color"?: string | null;
          "settings"?: Json | null;
          "status"?: string | null;
          "timezone"?: string | null;
          "twilio_phone_number"?: never;
          "updated_at"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "organizations_plan_fkey";
            columns: ["plan"];
            isOneToOne: false;
            referencedRelation: "plans";
            referencedColumns: ["name"];
          },
        ];
      };
      "user_organizations": {
        Row: {
          "created_at": string;
          "id": string;
          "organization_id": string;
          "role": string;
          "user_id": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string | null;
          "id"?: string | null;
          "organization_id"?: string | null;
          "role"?: string | null;
          "user_id"?: string | null;
        };
        Update: {
          "created_at"?: string | null;
          "id"?: string | null;
          "organization_id"?: string | null;
          "role"?: string | null;
          "user_id"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "memberships_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "memberships_organization_id_fkey";
            columns: ["organization_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
      "users": {
        Row: {
          "allowed_dataset_ids": (string)[] | null;
          "avatar_url": string | null;
          "can_edit_lessons": boolean;
          "can_manage_users": boolean;
          "can_push_to_n8n": boolean;
          "can_view_all_leads": boolean;
          "client_id": string;
          "created_at": string;
          "email": string | null;
          "first_name": string | null;
          "id": string;
          "last_login_at": string | null;
          "last_name": string | null;
          "permissions": NonNullable<Json>;
          "phone": string | null;
          "role": string;
          "status": string;
          "updated_at": string;
          "user_id": string;
        };
        ComputedFields: never;
        Insert: {
          "allowed_dataset_ids"?: (string)[] | null;
          "avatar_url"?: never;
          "can_edit_lessons"?: boolean | null;
          "can_manage_users"?: boolean | null;
          "can_push_to_n8n"?: boolean | null;
          "can_view_all_leads"?: boolean | null;
          "client_id"?: string | null;
          "created_at"?: string | null;
          "email"?: never;
          "first_name"?: never;
          "id"?: string | null;
          "last_login_at"?: never;
          "last_name"?: never;
          "permissions"?: Json | null;
          "phone"?: never;
          "role"?: string | null;
          "status"?: string | null;
          "updated_at"?: string | null;
          "user_id"?: string | null;
        };
        Update: {
          "allowed_dataset_ids"?: (string)[] | null;
          "avatar_url"?: never;
          "can_edit_lessons"?: boolean | null;
          "can_manage_users"?: boolean | null;
          "can_push_to_n8n"?: boolean | null;
          "can_view_all_leads"?: boolean | null;
          "client_id"?: string | null;
          "created_at"?: string | null;
          "email"?: never;
          "first_name"?: never;
          "id"?: string | null;
          "last_login_at"?: never;
          "last_name"?: never;
          "permissions"?: Json | null;
          "phone"?: never;
          "role"?: string | null;
          "status"?: string | null;
          "updated_at"?: string | null;
          "user_id"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "memberships_organization_id_fkey";
            columns: ["client_id"];
            isOneToOne: false;
            referencedRelation: "clients";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "memberships_organization_id_fkey";
            columns: ["client_id"];
            isOneToOne: false;
            referencedRelation: "organizations";
            referencedColumns: ["id"];
          },
        ];
      };
    };
    Functions: {
      "accept_invitation": { Args: { "token": string }; Returns: Json };
      "add_phone_number": {
        Args: {
          "agent_id"?: string;
          "friendly_name"?: string;
          "metadata"?: Json;
          "phone_number": string;
          "provider"?: string;
          "provider_account_id"?: string;
        };
        Returns: {
          "agent_id": string | null;
          "created_at": string;
          "friendly_name": string | null;
          "id": string;
          "last_verified_at": string | null;
          "metadata": NonNullable<Json>;
          "organization_id": string;
          "phone_input": string | null;
          "phone_number": string;
          "provider": string;
          "provider_account_id": string | null;
          "status": string;
          "updated_at": string;
          "webhook_configured": boolean;
          "webhook_observed_url": string | null;
          "webhook_url": string | null;
        };
        SetofOptions: {
          from: "*";
          to: "phone_numbers";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "append_upload_chunk": {
        Args: { "chunk": string; "seq": number; "upload_id": string };
        Returns: Json;
      };
      "assign_leads": {
        Args: { "lead_ids": (string)[]; "reason"?: string; "user_id"?: string };
        Returns: number;
      };
      "bootstrap_platform_admin": { Args: { "user_id": string }; Returns: undefined };
      "call_recording": { Args: { "call_id": string }; Returns: Json };
      "cancel_upload": { Args: { "upload_id": string }; Returns: Json };
      "change_member": { Args: { "changes": Json; "user_id": string }; Returns: Json };
      "change_plan": {
        Args: { "organization_id": string; "plan": string };
        Returns: {
          "calling_code": number;
          "created_at": string;
          "default_agent_id": string | null;
          "default_country": string;
          "default_phone_number_id": string | null;
          "email": string | null;
          "id": string;
          "industry": string | null;
          "logo_path": string | null;
          "n8n_webhook_url": string | null;
          "n8n_workflow_id": string | null;
          "name": string;
          "phone_input": string | null;
          "phone_number": string | null;
          "plan": string;
          "primary_color": string;
          "quiet_end": string;
          "quiet_start": string;
          "settings": NonNullable<Json>;
          "slug": string;
          "status": string;
          "timezone": string;
          "updated_at": string;
          "website": string | null;
        };
        SetofOptions: {
          from: "*";
          to: "organizations";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "close_support_session": {
        Args: { "id": string };
        Returns: {
          "admin_id": string;
          "capabilities": (string)[];
          "closed_at": string | null;
          "created_at": string;
          "expires_at": string;
          "id": string;
          "opened_at": string;
          "organization_id": string;
          "reason": string;
        };
        SetofOptions: {
          from: "*";
          to: "support_sessions";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "commit_upload": {
        Args: { "mapping"?: Json; "options"?: Json; "upload_id": string };
        Returns: Json;
      };
      "create_export": { Args: { "filters"?: Json; "query"?: string }; Returns: Json };
      "create_organization": {
        Args: { "default_country"?: string; "name": string; "slug"?: string; "timezone"?: string };
        Returns: {
          "calling_code": number;
          "created_at": string;
          "default_agent_id": string | null;
          "default_country": string;
          "default_phone_number_id": string | null;
          "email": string | null;
          "id": string;
          "industry": string | null;
          "logo_path": string | null;
          "n8n_webhook_url": string | null;
          "n8n_workflow_id": string | null;
          "name": string;
          "phone_input": string | null;
          "phone_number": string | null;
          "plan": string;
          "primary_color": string;
          "quiet_end": string;
          "quiet_start": string;
          "settings": NonNullable<Json>;
          "slug": string;
          "status": string;
          "timezone": string;
          "updated_at": string;
          "website": string | null;
        };
        SetofOptions: {
          from: "*";
          to: "organizations";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "create_upload": {
        Args: {
          "dataset_id": string;
          "file_size"?: number;
          "file_type"?: string;
          "filename": string;
          "options"?: Json;
          "storage_path"?: string;
        };
        Returns: Json;
      };
      "custom_access_token_hook": { Args: { "event": Json }; Returns: Json };
      "delete_organization": { Args: { "confirm_slug": string }; Returns: undefined };
      "doctor": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "code": string;
          "finding": string;
          "fix": string;
          "object": string;
          "severity": string;
        }[];
      };
      "erase_person": { Args: { "email"?: string; "phone_number"?: string }; Returns: Json };
      "export_leads": {
        Args: { "after"?: Json; "export_id": string; "page_size"?: number };
        Returns: Json;
      };
      "export_person": { Args: { "email"?: string; "phone_number"?: string }; Returns: Json };
      "find_by_phone": {
        Args: { "phone_number": string };
        Returns: {
          "created_at": string;
          "dataset_id": string;
          "e164": string;
          "id": string;
          "kind": string;
          "name": string;
          "status": string;
        }[];
      };
      "finish_export": {
        Args: { "export_id": string; "file_size"?: number; "problem"?: string };
        Returns: {
          "attribute_names": (string)[];
          "created_at": string;
          "created_by": string | null;
          "dataset_id": string | null;
          "expires_at": string;
          "file_size": number | null;
          "filters": NonNullable<Json>;
          "id": string;
          "organization_id": string;
          "problem": string | null;
          "query": string | null;
          "rows_written": number;
          "status": string;
          "storage_path": string | null;
          "updated_at": string;
        };
        SetofOptions: {
          from: "*";
          to: "exports";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "get_my_org_id": { Args: Record<PropertyKey, never>; Returns: string };
      "grant_platform_admin": { Args: { "user_id": string }; Returns: undefined };
      "import_leads": {
        Args: { "dataset_id": string; "options"?: Json; "rows": Json };
        Returns: Json;
      };
      "invite_member": {
        Args: {
          "allowed_dataset_ids"?: (string)[];
          "can_edit_lessons"?: boolean;
          "can_manage_users"?: boolean;
          "can_push_to_n8n"?: boolean;
          "can_view_all_leads"?: boolean;
          "email": string;
          "expires_in"?: string;
          "membership_expires_at"?: string;
          "permissions"?: Json;
          "role": string;
        };
        Returns: Json;
      };
      "is_super_admin": { Args: Record<PropertyKey, never>; Returns: boolean };
      "leave_organization": { Args: { "organization_id": string }; Returns: undefined };
      "lift_suppression": { Args: { "reason": string; "suppression_id": string }; Returns: Json };
      "my_organizations": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "expires_at": string;
          "is_current": boolean;
          "name": string;
          "organization_id": string;
          "organization_status": string;
          "reason": string;
          "role": string;
          "slug": string;
          "status": string;
        }[];
      };
      "my_support_sessions": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "admin_id": string;
          "capabilities": (string)[];
          "closed_at": string | null;
          "created_at": string;
          "expires_at": string;
          "id": string;
          "opened_at": string;
          "organization_id": string;
          "reason": string;
        }[];
        SetofOptions: {
          from: "*";
          to: "support_sessions";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "open_support_session": {
        Args: {
          "capabilities"?: (string)[];
          "minutes"?: number;
          "organization_id": string;
          "reason": string;
        };
        Returns: {
          "admin_id": string;
          "capabilities": (string)[];
          "closed_at": string | null;
          "created_at": string;
          "expires_at": string;
          "id": string;
          "opened_at": string;
          "organization_id": string;
          "reason": string;
        };
        SetofOptions: {
          from: "*";
          to: "support_sessions";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "owner_id": {
        Args: {
          "organization": Omit<
            Database["public"]["Tables"]["organizations"]["Row"],
            Database["public"]["Tables"]["organizations"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "plan_tier": {
        Args: {
          "organization": Omit<
            Database["public"]["Tables"]["organizations"]["Row"],
            Database["public"]["Tables"]["organizations"]["ComputedFields"]
          >;
        };
        Returns: string;
      };
      "preview_upload": {
        Args: { "mapping"?: Json; "options"?: Json; "upload_id": string };
        Returns: Json;
      };
      "provider_credentials": {
        Args: { "provider_account_id": string; "reason": string };
        Returns: Json;
      };
      "publish_prompt": {
        Args: { "prompt_id": string; "reason": string };
        Returns: {
          "change_reason": string;
          "changes": NonNullable<Json>;
          "changes_summary": string;
          "compiled_prompt": string;
          "created_at": string;
          "created_by": string | null;
          "created_by_type": string;
          "dataset_id": string | null;
          "id": string;
          "organization_id": string;
          "previous_version_id": string | null;
          "prompt_id": string;
          "report": NonNullable<Json>;
          "sha256": string;
          "spans": NonNullable<Json>;
          "structure": NonNullable<Json>;
          "template_id": string | null;
          "version": string;
          "version_number": number;
        };
        SetofOptions: {
          from: "*";
          to: "prompt_versions";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "record_opt_in": { Args: { "phone_number": string; "reason"?: string }; Returns: Json };
      "remove_member": { Args: { "user_id": string }; Returns: undefined };
      "resolve_duplicate": {
        Args: { "action": string; "lead_id": string };
        Returns: {
          "archived": boolean;
          "archived_at": string | null;
          "assigned_to": string | null;
          "attributes": NonNullable<Json>;
          "consent_at": string | null;
          "consent_basis": string | null;
          "contact_status": string;
          "conversation_summary": string | null;
          "created_at": string;
          "dataset_id": string;
          "dup_seq": number;
          "duplicate_of": string | null;
          "duplicate_resolved_at": string | null;
          "email": string | null;
          "first_name": string;
          "held": boolean;
          "id": string;
          "imported_at": string | null;
          "inquiry_date": string | null;
          "install_date": string | null;
          "last_message_at": string | null;
          "last_name": string | null;
          "last_synced_at": string | null;
          "latest_lead_reply": string | null;
          "lead_sentiment": string | null;
          "m1_sent_at": string | null;
          "m2_sent_at": string | null;
          "m3_sent_at": string | null;
          "manual_mode": boolean;
          "manual_mode_activated_at": string | null;
          "notes": string | null;
          "organization_id": string;
          "outward_code": string | null;
          "phone_extension": string | null;
          "phone_input": string | null;
          "phone_number": string;
          "phone_type": string | null;
          "phone_validity": string | null;
          "postcode": string | null;
          "previous_status": string | null;
          "region": string | null;
          "reply_received_at": string | null;
          "row_number": number | null;
          "status_set_at": string | null;
          "status_set_by": string | null;
          "timezone": string | null;
          "total_messages": number;
          "updated_at": string;
          "upload_id": string | null;
        };
        SetofOptions: {
          from: "*";
          to: "leads";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "revoke_invitation": { Args: { "invitation_id": string }; Returns: undefined };
      "revoke_platform_admin": { Args: { "user_id": string }; Returns: undefined };
      "route_inbound_call": {
        Args: { "called": string; "caller": string; "provider": string; "provider_sid": string };
        Returns: Json;
      };
      "search_leads": {
        Args: { "after"?: Json; "filters"?: Json; "page_size"?: number; "query"?: string };
        Returns: {
          "archived": boolean;
          "archived_at": string | null;
          "assigned_to": string | null;
          "attributes": NonNullable<Json>;
          "consent_at": string | null;
          "consent_basis": string | null;
          "contact_status": string;
          "conversation_summary": string | null;
          "created_at": string;
          "dataset_id": string;
          "dup_seq": number;
          "duplicate_of": string | null;
          "duplicate_resolved_at": string | null;
          "email": string | null;
          "first_name": string;
          "held": boolean;
          "id": string;
          "imported_at": string | null;
          "inquiry_date": string | null;
          "install_date": string | null;
          "last_message_at": string | null;
          "last_name": string | null;
          "last_synced_at": string | null;
          "latest_lead_reply": string | null;
          "lead_sentiment": string | null;
          "m1_sent_at": string | null;
          "m2_sent_at": string | null;
          "m3_sent_at": string | null;
          "manual_mode": boolean;
          "manual_mode_activated_at": string | null;
          "notes": string | null;
          "organization_id": string;
          "outward_code": string | null;
          "phone_extension": string | null;
          "phone_input": string | null;
          "phone_number": string;
          "phone_type": string | null;
          "phone_validity": string | null;
          "postcode": string | null;
          "previous_status": string | null;
          "region": string | null;
          "reply_received_at": string | null;
          "row_number": number | null;
          "status_set_at": string | null;
          "status_set_by": string | null;
          "timezone": string | null;
          "total_messages": number;
          "updated_at": string;
          "upload_id": string | null;
        }[];
        SetofOptions: {
          from: "*";
          to: "leads";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "set_call_status": {
        Args: { "call_id": string; "organization_id": string; "status": string };
        Returns: {
          "agent_id": string | null;
          "answered_at": string | null;
          "assigned_to": string | null;
          "called_number": string;
          "caller_input": string | null;
          "caller_number": string | null;
          "cost_micros": number | null;
          "created_at": string;
          "customer_id": string | null;
          "dataset_id": string | null;
          "decision": NonNullable<Json>;
          "direction": string;
          "duration_seconds": number | null;
          "ended_at": string | null;
          "id": string;
          "lead_id": string | null;
          "organization_id": string;
          "outcome": string | null;
          "phone_number_id": string | null;
          "prompt_version_id": string | null;
          "provider": string;
          "provider_sid": string;
          "recording_path": string | null;
          "sentiment": string | null;
          "started_at": string;
          "status": string;
          "summary": string | null;
          "transcript": string | null;
          "updated_at": string;
        };
        SetofOptions: {
          from: "*";
          to: "calls";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "set_lead_status": {
        Args: { "actor"?: string; "lead_id": string; "reason"?: string; "status": string };
        Returns: {
          "archived": boolean;
          "archived_at": string | null;
          "assigned_to": string | null;
          "attributes": NonNullable<Json>;
          "consent_at": string | null;
          "consent_basis": string | null;
          "contact_status": string;
          "conversation_summary": string | null;
          "created_at": string;
          "dataset_id": string;
          "dup_seq": number;
          "duplicate_of": string | null;
          "duplicate_resolved_at": string | null;
          "email": string | null;
          "first_name": string;
          "held": boolean;
          "id": string;
          "imported_at": string | null;
          "inquiry_date": string | null;
          "install_date": string | null;
          "last_message_at": string | null;
          "last_name": string | null;
          "last_synced_at": string | null;
          "latest_lead_reply": string | null;
          "lead_sentiment": string | null;
          "m1_sent_at": string | null;
          "m2_sent_at": string | null;
          "m3_sent_at": string | null;
          "manual_mode": boolean;
          "manual_mode_activated_at": string | null;
          "notes": string | null;
          "organization_id": string;
          "outward_code": string | null;
          "phone_extension": string | null;
          "phone_input": string | null;
          "phone_number": string;
          "phone_type": string | null;
          "phone_validity": string | null;
          "postcode": string | null;
          "previous_status": string | null;
          "region": string | null;
          "reply_received_at": string | null;
          "row_number": number | null;
          "status_set_at": string | null;
          "status_set_by": string | null;
          "timezone": string | null;
          "total_messages": number;
          "updated_at": string;
          "upload_id": string | null;
        };
        SetofOptions: {
          from: "*";
          to: "leads";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "set_organization_status": {
        Args: { "status": string };
        Returns: {
          "calling_code": number;
          "created_at": string;
          "default_agent_id": string | null;
          "default_country": string;
          "default_phone_number_id": string | null;
          "email": string | null;
          "id": string;
          "industry": string | null;
          "logo_path": string | null;
          "n8n_webhook_url": string | null;
          "n8n_workflow_id": string | null;
          "name": string;
          "phone_input": string | null;
          "phone_number": string | null;
          "plan": string;
          "primary_color": string;
          "quiet_end": string;
          "quiet_start": string;
          "settings": NonNullable<Json>;
          "slug": string;
          "status": string;
          "timezone": string;
          "updated_at": string;
          "website": string | null;
        };
        SetofOptions: {
          from: "*";
          to: "organizations";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "switch_organization": { Args: { "organization_id": string }; Returns: Json };
      "transfer_ownership": { Args: { "user_id": string }; Returns: Json };
      "undo_upload": { Args: { "upload_id": string }; Returns: Json };
      "usage": { Args: Record<PropertyKey, never>; Returns: Json };
      "whoami": { Args: Record<PropertyKey, never>; Returns: Json };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof (
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
    )
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals } ? (
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
  )[TableName] extends {
    Row: infer R;
  } ? R
  : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R;
    } ? R
    : never
  : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends
    {
      Insert: infer I;
    } ? I
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I;
    } ? I
    : never
  : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends
    {
      Update: infer U;
    } ? U
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U;
    } ? U
    : never
  : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][
    CompositeTypeName
  ]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never;

export const Constants = {
  "public": {
    Enums: {},
  },
} as const;
