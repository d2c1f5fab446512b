-- Rules that every function obeys, and the whole list of who may call what: a function that a later
-- migration adds has to be written into it.
begin;
\ir _helpers.psql
select no_plan();

create temporary view all_functions as
    select p.oid, n.nspname::text as schema_name, p.proname::text as function_name, l.lanname as language,
        p.oid::regprocedure::text as signature, p.prosecdef, p.provolatile, p.proparallel, p.proisstrict,
        p.procost, p.proconfig, p.prorettype, p.prosrc, p.proleakproof,
        n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as full_name
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    join pg_language l on l.oid = p.prolang
    where n.nspname in ('public', 'private', 'switchboard');
grant select on all_functions to authenticated, anon, service_role;

select is_empty($$
    select full_name from all_functions
    where language in ('sql', 'plpgsql') and not coalesce('search_path=""' = any (proconfig), false)
$$, 'every SQL and plpgsql function has search_path pinned to nothing');
select is_empty($$
    select full_name from all_functions
    where language = 'c' and prorettype = 'trigger'::regtype
        -- It fires for every row of an import, and its one statement qualifies every name; the other sets it when it writes.
        and function_name not in ('normalize_phone', 'maintain_counts')
        and not coalesce('search_path=""' = any (proconfig), false)
$$, 'so have native trigger functions, which run statements');
select is_empty($$
    select full_name from all_functions where language not in ('sql', 'plpgsql', 'c')
$$, 'no other language');
select is_empty($$
    select full_name from all_functions where obj_description(oid, 'pg_proc') is null
$$, 'every function has a comment');
select is_empty($$
    select full_name from all_functions where prosecdef and schema_name <> 'private'
$$, 'SECURITY DEFINER functions are in private only');
select is_empty($$
    select full_name from all_functions where schema_name = 'private' and prosecdef
        and pg_get_userbyid((select proowner from pg_proc p where p.oid = all_functions.oid)) <> 'postgres'
$$, 'and act as postgres, not as a superuser');
select is_empty($$
    select full_name from all_functions where proleakproof
$$, 'none claims to be leak-proof');
select is_empty($$
    select full_name from all_functions
    where language = 'plpgsql' and prosrc ~* '\mexecute\M' and prosrc !~* 'execute (format|function)'
        -- It runs the query of a row of private.quotas, which only the owner writes.
        and function_name <> 'quota_used'
$$, 'dynamic SQL is made with format()');
-- In an INVOKER function the session user is authenticator, so dynamic SQL could take any API role.
select bag_eq(
    $$ select full_name from all_functions where prosrc ~* '\mexecute\M' $$,
    $$ values
        ('private.add_audit(target regclass, redacted text[], ignored text[], verbs text[], capability text)'),
        ('switchboard.track_counts(child regclass, parent regclass, key jsonb, counters jsonb)'),
        ('switchboard.untrack_counts(child regclass, parent regclass)'),
        ('switchboard.rebuild_counts(child regclass, batch integer)'),
        ('switchboard.verify_counts(child regclass)'),
        ('private.add_quota(target regclass, quota text)'),
        ('private.make_append_only(target regclass, hint text)'),
        ('private.migrations()'),
        ('private.quota_used(organization uuid, quota text)'),
        ('private.add_row_triggers(target regclass, identity_columns text[])'),
        ('private.add_tenant_policies(target regclass, object text, denied text[], dataset text, own text, shared boolean)'),
        ('private.attach_realtime()'),
        ('private.attach_storage()'),
        ('private.attach_auth()'),
        ('private.add_deny_policy(target regclass)'),
        ('private.apply_grants()'),
        ('private.write_grants(objects text[])'),
        -- It has none: the word is a privilege in its list.
        ('private.intended_grants()'),
        ('private.sealed_without_key()'),
        ('private.begin_restore()'),
        ('private.end_restore()'),
        ('switchboard.phone_revalidate(target regclass, target_column name)') $$,
    'only the helpers of migrations and the owner''s reports have dynamic SQL');
select is_empty($$
    select n.nspname, p.proname from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where p.proname ~* '(exec|execute|run)_?sql|^sql$'
$$, 'no function runs the text that it is given');
select is_empty($$
    select full_name from all_functions where schema_name = 'public' and prosrc ~* '\mset_config\M'
$$, 'no RPC changes settings');

-- Volatility as intended, RPCs and their bodies.
select bag_eq(
    $$ select full_name, provolatile::text, prosecdef from all_functions
        where schema_name = 'public' and prorettype <> 'trigger'::regtype $$,
    $$ values
        ('public.append_upload_chunk(upload_id uuid, seq integer, chunk text)', 'v', false),
        ('public.create_upload(dataset_id uuid, filename text, file_size bigint, file_type text, storage_path text, options jsonb)', 'v', false),
        ('public.preview_upload(upload_id uuid, mapping jsonb, options jsonb)', 'v', false),
        ('public.commit_upload(upload_id uuid, mapping jsonb, options jsonb)', 'v', false),
        ('public.undo_upload(upload_id uuid)', 'v', false),
        ('public.cancel_upload(upload_id uuid)', 'v', false),
        ('public.accept_invitation(token text)', 'v', false),
        ('public.change_plan(organization_id uuid, plan text)', 'v', false),
        ('public.usage()', 's', false),
        ('public.open_support_session(organization_id uuid, reason text, capabilities text[], minutes integer)', 'v', false),
        ('public.close_support_session(id uuid)', 'v', false),
        ('public.my_support_sessions()', 's', false),
        ('public.bootstrap_platform_admin(user_id uuid)', 'v', false),
        ('public.grant_platform_admin(user_id uuid)', 'v', false),
        ('public.revoke_platform_admin(user_id uuid)', 'v', false),
        ('public.doctor()', 's', false),
        ('public.custom_access_token_hook(event jsonb)', 's', false),
        ('public.set_call_status(organization_id uuid, call_id uuid, status text)', 'v', false),
        ('public.add_phone_number(phone_number text, provider text, provider_account_id uuid, agent_id uuid, friendly_name text, metadata jsonb)', 'v', false),
        ('public.change_member(user_id uuid, changes jsonb)', 'v', false),
        ('public.call_recording(call_id uuid)', 's', false),
        ('public.create_organization(name text, slug text, default_country text, timezone text)', 'v', false),
        ('public.delete_organization(confirm_slug text)', 'v', false),
        ('public.get_my_org_id()', 's', false),
        ('public.invite_member(email text, role text, permissions jsonb, can_view_all_leads boolean, can_edit_lessons boolean, can_push_to_n8n boolean, can_manage_users boolean, allowed_dataset_ids uuid[], membership_expires_at timestamp with time zone, expires_in interval)', 'v', false),
        ('public.is_super_admin()', 's', false),
        ('public.leave_organization(organization_id uuid)', 'v', false),
        ('public.my_organizations()', 's', false),
        ('public.owner_id(organization organizations)', 's', false),
        ('public.plan_tier(organization organizations)', 'i', false),
        ('public.remove_member(user_id uuid)', 'v', false),
        ('public.revoke_invitation(invitation_id uuid)', 'v', false),
        ('public.set_organization_status(status text)', 'v', false),
        ('public.switch_organization(organization_id uuid)', 'v', false),
        ('public.transfer_ownership(user_id uuid)', 'v', false),
        ('public.find_by_phone(phone_number text)', 's', false),
        ('public.import_leads(dataset_id uuid, rows jsonb, options jsonb)', 'v', false),
        ('public.provider_credentials(provider_account_id uuid, reason text)', 'v', false),
        ('public.publish_prompt(prompt_id uuid, reason text)', 'v', false),
        ('public.route_inbound_call(called text, caller text, provider text, provider_sid text)', 'v', false),
        ('public.whoami()', 's', false) $$,
    'the RPCs: what writes is volatile, so PostgREST refuses a GET');
select bag_eq(
    $$ select full_name, provolatile::text, prosecdef from all_functions where schema_name = 'private' $$,
    $$ values
        ('private.lock_imports(org uuid)', 'v', false),
        ('private.create_upload(p_dataset_id uuid, p_filename text, p_file_size bigint, p_file_type text, p_storage_path text, p_options jsonb)', 'v', true),
        ('private.lead_options(options jsonb)', 'i', false),
        ('private.missing_columns(options jsonb, columns text[])', 'i', false),
        ('private.import_batch(job private.import_job)', 'v', false),
        ('private.upload_progress(upload uploads)', 's', false),
        ('private.require_importer()', 's', false),
        ('private.preview_upload(p_upload_id uuid, p_mapping jsonb, p_options jsonb)', 'v', true),
        ('private.profile_upload(upload uploads, options jsonb)', 'v', false),
        ('private.give_up_upload(org uuid, upload_id uuid, problem text)', 'v', false),
        ('private.prune_uploads(older_than interval)', 'v', false),
        ('private.preview_rows(job private.import_job)', 'v', false),
        ('private.cancel_upload(p_upload_id uuid)', 'v', true),
        ('private.undo_upload(p_upload_id uuid)', 'v', true),
        ('private.commit_upload(p_upload_id uuid, p_mapping jsonb, p_options jsonb)', 'v', true),
        ('private.upload_warnings(upload uploads, options jsonb)', 's', false),
        ('private.parse_rows(job private.import_job)', 'v', false),
        ('private.decide_rows(job private.import_job)', 'v', false),
        ('private.importer_upload(upload_id uuid)', 'v', false),
        ('private.import_options(org uuid, scope uuid[], dataset uuid, given jsonb)', 's', false),
        ('private.finish_call(upload uploads, rows_before integer, began timestamp with time zone, is_full boolean)', 'v', false),
        ('private.count_upload(org uuid, upload_id uuid, report jsonb)', 'v', false),
        ('private.file_options(upload uploads, options jsonb)', 'i', false),
        ('private.append_upload_chunk(p_upload_id uuid, p_seq integer, p_chunk text)', 'v', true),
        ('private.upload_source(org uuid, upload_id uuid, starts_at bigint)', 'i', false),
        ('private.require_columns(options jsonb, columns text[])', 's', false),
        ('private.is_untouched(lead leads)', 's', false),
        ('private.start_upload(upload uploads, scope uuid[], mapping jsonb, options jsonb)', 'v', false),
        ('private.add_audit(target regclass, redacted text[], ignored text[], verbs text[], capability text)', 'v', false),
        ('private.audit_values(row_values jsonb, compared_with jsonb, redacted text[], ignored text[])', 'i', false),
        ('private.refuse_audit_change()', 'v', false),
        ('private.write_audit()', 'v', true),
        ('private.readable_audit()', 's', true),
        ('private.prune_audit(before timestamp with time zone)', 'v', false),
        ('private.add_broadcast(target regclass, capability text)', 'v', false),
        ('private.make_append_only(target regclass, hint text)', 'v', false),
        ('private.providers()', 'i', false),
        ('private.is_provider(name text)', 'i', false),
        ('private.guard_member()', 'v', false),
        ('private.add_quota(target regclass, quota text)', 'v', false),
        ('private.enforce_quota()', 'v', true),
        ('private.quota_limit(organization uuid, quota text)', 's', false),
        ('private.quota_limits(organization uuid)', 's', false),
        ('private.quota_used(organization uuid, quota text)', 's', false),
        ('private.usage()', 's', true),
        ('private.change_plan(p_organization_id uuid, p_plan text)', 'v', true),
        ('private.require_platform_admin()', 's', false),
        ('private.open_support_session(p_organization_id uuid, p_reason text, p_capabilities text[], p_minutes integer)', 'v', true),
        ('private.close_support_session(p_id uuid)', 'v', true),
        ('private.my_support_sessions()', 's', true),
        ('private.bootstrap_platform_admin(p_user_id uuid)', 'v', true),
        ('private.grant_platform_admin(p_user_id uuid)', 'v', true),
        ('private.revoke_platform_admin(p_user_id uuid)', 'v', true),
        ('private.set_call_status(p_organization_id uuid, p_call_id uuid, p_status text)', 'v', true),
        ('private.custom_access_token_hook(p_event jsonb)', 's', true),
        ('private.doctor()', 's', true),
        ('private.doctor_tables()', 's', false),
        ('private.doctor_policies()', 's', false),
        ('private.doctor_functions()', 's', false),
        ('private.doctor_keys()', 's', false),
        ('private.doctor_grants()', 's', false),
        ('private.doctor_facts()', 's', false),
        ('private.doctor_platform()', 's', false),
        ('private.doctor_credentials()', 's', false),
        ('private.sealed_columns()', 's', false),
        ('private.sealed_without_key()', 's', false),
        ('private.granted()', 's', false),
        ('private.intended_grants()', 's', false),
        ('private.grant_breaches()', 's', false),
        ('private.grant_changes()', 's', false),
        ('private.grant_statement(verb text, kind text, object text, privileges text, grantee text)', 's', false),
        ('private.apply_grants()', 'v', false),
        ('private.write_grants(objects text[])', 'v', false),
        ('private.record_grants(VARIADIC objects text[])', 'v', false),
        ('private.record_all_grants()', 'v', false),
        ('private.after_restore()', 'v', false),
        ('private.begin_restore()', 'v', false),
        ('private.end_restore()', 'v', false),
        ('private.attach_auth()', 'v', false),
        ('private.doctor_server(facts jsonb)', 'i', false),
        ('private.wrap_calls(rule text)', 'i', false),
        ('private.migrations()', 's', false),
        ('private.add_phone_number(p_phone_number text, p_provider text, p_provider_account_id uuid, p_agent_id uuid, p_friendly_name text, p_metadata jsonb)', 'v', true),
        ('private.accept_invitation(p_token text)', 'v', true),
        ('private.add_row_triggers(target regclass, identity_columns text[])', 'v', false),
        ('private.datasets_are_deleted(organization uuid, datasets uuid[])', 'v', false),
        ('private.add_tenant_policies(target regclass, object text, denied text[], dataset text, own text, shared boolean)', 'v', false),
        ('private.attach_realtime()', 'v', false),
        ('private.attach_storage()', 'v', false),
        ('private.broadcast(entity text, op text, organization_id uuid, ids uuid[])', 'v', false),
        ('private.broadcast_changes()', 'v', true),
        ('private.call_recording(p_call_id uuid, p_visible_in uuid)', 's', true),
        ('private.copy_lead_to_its_calls()', 'v', true),
        ('private.ask_organization()', 'v', false),
        ('private.guard_system_template()', 'v', false),
        ('private.keep_suppression(organization_id uuid, phone_number text)', 'v', false),
        ('private.ask_suppressions_insert()', 'v', true),
        ('private.ask_suppressions_update()', 'v', true),
        ('private.suppress_lead()', 'v', true),
        ('private.suppress_leads_of_number()', 'v', true),
        ('private.guard_object()', 'v', false),
        ('private.import_leads(p_dataset_id uuid, p_rows jsonb, p_options jsonb)', 'v', true),
        ('private.may_join_topic(topic text)', 's', true),
        ('private.copy_lead_to_call()', 'v', true),
        ('private.backfill_profiles()', 'v', false),
        ('private.change_member(p_user_id uuid, p_changes jsonb)', 'v', true),
        ('private.assert_known_permissions(permissions jsonb, already jsonb)', 's', false),
        ('private.capability_roles(capability text)', 's', false),
        ('private.check_dataset_scope()', 'v', false),
        ('private.check_permissions()', 'v', true),
        ('private.check_duplicate_of()', 'v', false),
        ('private.check_lesson()', 'v', false),
        ('private.compile_draft()', 'v', false),
        ('private.copy_email()', 'v', true),
        ('private.create_organization(p_name text, p_slug text, p_default_country text, p_timezone text)', 'v', true),
        ('private.define_capability(name text, roles text[])', 'v', false),
        ('private.doctor_contract()', 's', false),
        ('private.drop_capability(name text)', 'v', false),
        ('private.delete_organization(p_confirm_slug text)', 'v', true),
        ('private.add_deny_policy(target regclass)', 'v', false),
        ('private.remove_datasets_from_scopes()', 'v', true),
        ('private.handle_new_user()', 'v', true),
        ('private.invite_member(p_email text, p_role text, p_permissions jsonb, p_can_view_all_leads boolean, p_can_edit_lessons boolean, p_can_push_to_n8n boolean, p_can_manage_users boolean, p_allowed_dataset_ids uuid[], p_membership_expires_at timestamp with time zone, p_expires_in interval)', 'v', true),
        ('private.is_capability_name(name text)', 'i', false),
        ('private.is_day_list(days jsonb)', 'i', false),
        ('private.email_key(address text)', 'i', false),
        ('private.is_email(address text)', 'i', false),
        ('private.is_future(instant text)', 's', false),
        ('private.is_lead_field_list(fields jsonb)', 'i', false),
        ('private.is_read_capability_list(names text[])', 'i', false),
        ('private.is_tag_list(tags text[])', 'i', false),
        ('private.is_time_zone(name text)', 'i', false),
        ('private.keep_default_organization()', 'v', true),
        ('private.keep_last_owner()', 'v', true),
        ('private.leave_organization(p_organization_id uuid)', 'v', true),
        ('private.lock_member(organization uuid, member uuid)', 'v', false),
        ('private.lock_owned_organizations()', 'v', true),
        ('private.may_become_member(member memberships)', 'v', false),
        ('private.member_capabilities(member memberships)', 's', false),
        ('private.member_contact(organization uuid, member uuid)', 's', true),
        ('private.member_refusal(actor uuid, member_before memberships, member_after memberships)', 's', false),
        ('private.my_organizations()', 's', true),
        ('private.offered_membership(invitation invitations, member uuid)', 's', false),
        ('private.publish_prompt(p_prompt_id uuid, p_reason text)', 'v', true),
        ('private.refresh_drafts(changed jsonb)', 'v', false),
        ('private.refresh_drafts_delete()', 'v', true),
        ('private.refresh_drafts_insert()', 'v', true),
        ('private.refresh_drafts_update()', 'v', true),
        ('private.refuse_rewrite()', 'v', false),
        ('private.raise_member_refusal(code text, state text)', 'v', false),
        ('private.remove_member(p_user_id uuid)', 'v', true),
        ('private.require_owner()', 's', false),
        ('private.require_person(OUT id uuid, OUT email text, OUT email_confirmed_at timestamp with time zone)', 's', false),
        ('private.revoke_invitation(p_invitation_id uuid)', 'v', true),
        ('private.role_rank(role text)', 'i', false),
        ('private.same_rights(member_before memberships, member_after memberships)', 'v', false),
        ('private.set_organization_status(p_status text)', 'v', true),
        ('private.apply_lead_status()', 'v', false),
        ('private.switch_organization(p_organization_id uuid)', 'v', true),
        ('private.transfer_ownership(p_user_id uuid)', 'v', true) $$,
    'the functions in private');
select is_empty($$
    select f.full_name from all_functions f
    where f.schema_name = 'private' and f.prosecdef and has_function_privilege('authenticated', f.oid, 'execute')
        and f.prosrc !~ '(switchboard\.require_(organization|user_id)|private\.(require_person|require_importer|importer_upload))\('
        -- A view and policies call them: for somebody who is nobody they answer nothing.
        and not (f.function_name in ('member_contact', 'may_join_topic') and pg_get_functiondef(f.oid) ~ 'switchboard\.user_id\(\)')
        and not (f.function_name = 'readable_audit' and pg_get_functiondef(f.oid) ~ 'switchboard\.organization_for\(')
$$, 'a definer body that a client reaches begins by asking who calls');

-- PostgREST makes JSON keys of a public function's arguments; its body in private would confuse them with columns.
select is_empty($$
    select f.full_name
    from all_functions f
    join pg_proc p on p.oid = f.oid
    left join pg_proc rpc on rpc.proname = p.proname and rpc.pronamespace = 'public'::regnamespace
        and f.schema_name = 'private'
    cross join unnest(p.proargnames[1 : p.pronargs]) as argument
    where (argument ~ '^p_') <> (rpc.oid is not null)
$$, 'the arguments of an RPC''s body begin with p_, no others do');

-- The marks of the native functions: volatility, parallel safety, strictness, cost.
select bag_eq(
    $$ select full_name, provolatile::text, proparallel::text, proisstrict, procost::integer
        from all_functions where schema_name = 'switchboard' $$,
    $$ values
        ('switchboard.user_id()', 's', 's', true, 1),
        ('switchboard.request_role()', 's', 's', true, 1),
        ('switchboard.current_organization_id()', 's', 'r', true, 10),
        ('switchboard.organization_for(capability text)', 's', 'r', true, 10),
        ('switchboard.organization_ids()', 's', 'r', true, 10),
        ('switchboard.is_member(organization_id uuid)', 's', 'r', true, 10),
        ('switchboard.has_capability(organization_id uuid, capability text)', 's', 'r', true, 10),
        ('switchboard.in_dataset_scope(organization_id uuid, dataset_id uuid)', 's', 'r', false, 10),
        ('switchboard.refuse_insert(organization_id uuid, capability text)', 's', 'r', false, 10),
        ('switchboard.organization_role()', 's', 'r', true, 10),
        ('switchboard.dataset_scope()', 's', 'r', true, 10),
        ('switchboard.is_platform_admin()', 's', 'r', true, 10),
        ('switchboard.request_context()', 's', 'r', true, 50),
        ('switchboard.path_organization(name text)', 'i', 's', true, 1),
        ('switchboard.topic_organization(topic text)', 'i', 's', true, 1),
        ('switchboard.assert_permissions(permissions jsonb)', 'i', 's', true, 1),
        ('switchboard.member_capabilities(role text, permissions jsonb, can_view_all_leads boolean, can_edit_lessons boolean, can_push_to_n8n boolean, can_manage_users boolean)', 's', 'r', true, 10),
        ('switchboard.capabilities()', 'i', 's', true, 1),
        ('switchboard.require_user_id()', 's', 'r', false, 10),
        ('switchboard.require_organization(capability text)', 's', 'r', true, 10),
        ('switchboard.to_e164(input text, region text)', 'i', 's', false, 1),
        ('switchboard.is_e164(number text)', 'i', 's', true, 1),
        ('switchboard.parse_phone(input text, region text)', 'i', 's', false, 1),
        ('switchboard.calling_code(region text)', 'i', 's', true, 1),
        ('switchboard.phone_is_valid(number text, region text)', 'i', 's', false, 1),
        ('switchboard.phone_region(number text)', 'i', 's', true, 1),
        ('switchboard.phone_type(number text)', 'i', 's', true, 1),
        ('switchboard.phone_calling_code(number text)', 'i', 's', true, 1),
        ('switchboard.phone_format(number text, style text)', 'i', 's', true, 1),
        ('switchboard.phone_dialable(number text, channel text)', 'i', 's', false, 1),
        ('switchboard.phone_time_zones(number text)', 'i', 's', true, 1),
        ('switchboard.guard_row()', 'v', 'u', false, 100),
        ('switchboard.phone_revalidate(target regclass, target_column name)', 's', 's', false, 100),
        ('switchboard.phone_metadata_version()', 'i', 's', true, 1),
        ('switchboard.normalize_phone()', 'v', 'u', false, 1),
        ('switchboard.maintain_counts()', 'v', 'u', false, 1),
        ('switchboard.seal(plain jsonb, organization_id uuid, row_id text, purpose text)', 'v', 'u', true, 1000),
        ('switchboard.unseal(envelope jsonb, organization_id uuid, row_id text, purpose text, reason text)', 'v', 'u', true, 1000),
        ('switchboard.seal_column()', 'v', 'u', false, 1),
        ('switchboard.key_loaded()', 's', 'r', true, 1000),
        ('switchboard.key_problems()', 's', 'r', true, 1000),
        ('switchboard.schema_contract()', 'i', 's', true, 1),
        ('switchboard.is_sealed(value jsonb)', 'i', 's', true, 1),
        ('switchboard.credential_hint(value jsonb)', 'i', 's', true, 1),
        ('switchboard.assert_sealed(value jsonb)', 'i', 's', true, 1),
        ('switchboard.tracked_counts(child regclass)', 's', 'u', false, 100),
        ('switchboard.counter_statements(child text, parent text, key text, counters text)', 'i', 's', true, 1),
        ('switchboard.rebuild_counts(child regclass, batch integer)', 'v', 'u', false, 100),
        ('switchboard.track_counts(child regclass, parent regclass, key jsonb, counters jsonb)', 'v', 'u', false, 100),
        ('switchboard.verify_counts(child regclass)', 's', 'u', false, 100),
        ('switchboard.parse_lead(cells jsonb, options jsonb)', 'i', 's', true, 1),
        ('switchboard.suggest_mapping(header text[], sample jsonb, country text)', 'i', 's', true, 1),
        ('switchboard.csv_leads(source text, options jsonb, from_byte bigint, first_row integer, max_rows integer)', 's', 'r', false, 1),
        ('switchboard.csv_profile(source text, options jsonb)', 's', 'r', true, 1),
        ('switchboard.untrack_counts(child regclass, parent regclass)', 'v', 'u', false, 100),
        ('switchboard.csv_line(cells text[])', 'i', 's', true, 1),
        ('switchboard.json_is_bounded(value jsonb, bytes integer)', 'i', 's', true, 1),
        ('switchboard.compile_prompt(structure jsonb, lessons jsonb, options jsonb)', 'i', 's', true, 1) $$,
    'the native functions and their marks');

-- Who may call what. Trigger functions need no EXECUTE to fire and nobody has it.
select bag_eq(
    $$ select full_name from all_functions where has_function_privilege('authenticated', oid, 'execute') $$,
    $$ values
        ('public.accept_invitation(token text)'),
        ('public.change_member(user_id uuid, changes jsonb)'),
        ('public.delete_organization(confirm_slug text)'),
        ('public.get_my_org_id()'),
        ('public.invite_member(email text, role text, permissions jsonb, can_view_all_leads boolean, can_edit_lessons boolean, can_push_to_n8n boolean, can_manage_users boolean, allowed_dataset_ids uuid[], membership_expires_at timestamp with time zone, expires_in interval)'),
        ('public.is_super_admin()'),
        ('public.leave_organization(organization_id uuid)'),
        ('public.my_organizations()'),
        ('public.owner_id(organization organizations)'),
        ('public.plan_tier(organization organizations)'),
        ('public.remove_member(user_id uuid)'),
        ('public.revoke_invitation(invitation_id uuid)'),
        ('public.set_organization_status(status text)'),
        ('public.switch_organization(organization_id uuid)'),
        ('public.transfer_ownership(user_id uuid)'),
        ('private.accept_invitation(p_token text)'),
        ('private.change_member(p_user_id uuid, p_changes jsonb)'),
        ('private.delete_organization(p_confirm_slug text)'),
        ('private.invite_member(p_email text, p_role text, p_permissions jsonb, p_can_view_all_leads boolean, p_can_edit_lessons boolean, p_can_push_to_n8n boolean, p_can_manage_users boolean, p_allowed_dataset_ids uuid[], p_membership_expires_at timestamp with time zone, p_expires_in interval)'),
        ('private.leave_organization(p_organization_id uuid)'),
        ('private.member_contact(organization uuid, member uuid)'),
        ('private.my_organizations()'),
        ('private.remove_member(p_user_id uuid)'),
        ('private.revoke_invitation(p_invitation_id uuid)'),
        ('private.set_organization_status(p_status text)'),
        ('private.switch_organization(p_organization_id uuid)'),
        ('private.transfer_ownership(p_user_id uuid)'),
        ('private.email_key(address text)'),
        ('private.is_email(address text)'),
        ('public.usage()'),
        ('public.open_support_session(organization_id uuid, reason text, capabilities text[], minutes integer)'),
        ('public.close_support_session(id uuid)'),
        ('public.my_support_sessions()'),
        ('public.grant_platform_admin(user_id uuid)'),
        ('public.revoke_platform_admin(user_id uuid)'),
        ('private.usage()'),
        ('private.open_support_session(p_organization_id uuid, p_reason text, p_capabilities text[], p_minutes integer)'),
        ('private.close_support_session(p_id uuid)'),
        ('private.my_support_sessions()'),
        ('private.grant_platform_admin(p_user_id uuid)'),
        ('private.revoke_platform_admin(p_user_id uuid)'),
        ('public.create_organization(name text, slug text, default_country text, timezone text)'),
        ('public.whoami()'),
        ('public.add_phone_number(phone_number text, provider text, provider_account_id uuid, agent_id uuid, friendly_name text, metadata jsonb)'),
        ('public.call_recording(call_id uuid)'),
        ('public.import_leads(dataset_id uuid, rows jsonb, options jsonb)'),
        ('private.call_recording(p_call_id uuid, p_visible_in uuid)'),
        ('private.import_leads(p_dataset_id uuid, p_rows jsonb, p_options jsonb)'),
        ('private.may_join_topic(topic text)'),
        ('private.readable_audit()'),
        ('public.find_by_phone(phone_number text)'),
        ('public.publish_prompt(prompt_id uuid, reason text)'),
        ('private.create_organization(p_name text, p_slug text, p_default_country text, p_timezone text)'),
        ('private.add_phone_number(p_phone_number text, p_provider text, p_provider_account_id uuid, p_agent_id uuid, p_friendly_name text, p_metadata jsonb)'),
        ('private.publish_prompt(p_prompt_id uuid, p_reason text)'),
        ('private.is_provider(name text)'),
        ('private.is_tag_list(tags text[])'),
        ('private.is_time_zone(name text)'),
        ('private.providers()'),
        ('private.is_day_list(days jsonb)'),
        ('private.is_lead_field_list(fields jsonb)'),
        ('switchboard.user_id()'),
        ('switchboard.request_role()'),
        ('switchboard.current_organization_id()'),
        ('switchboard.organization_for(capability text)'),
        ('switchboard.organization_ids()'),
        ('switchboard.is_member(organization_id uuid)'),
        ('switchboard.has_capability(organization_id uuid, capability text)'),
        ('switchboard.in_dataset_scope(organization_id uuid, dataset_id uuid)'),
        ('switchboard.refuse_insert(organization_id uuid, capability text)'),
        ('switchboard.organization_role()'),
        ('switchboard.dataset_scope()'),
        ('switchboard.is_platform_admin()'),
        ('switchboard.request_context()'),
        ('switchboard.path_organization(name text)'),
        ('switchboard.topic_organization(topic text)'),
        ('switchboard.assert_permissions(permissions jsonb)'),
        ('switchboard.capabilities()'),
        ('switchboard.require_user_id()'),
        ('switchboard.require_organization(capability text)'),
        ('switchboard.to_e164(input text, region text)'),
        ('switchboard.is_e164(number text)'),
        ('switchboard.parse_phone(input text, region text)'),
        ('switchboard.calling_code(region text)'),
        ('switchboard.phone_is_valid(number text, region text)'),
        ('switchboard.phone_region(number text)'),
        ('switchboard.phone_type(number text)'),
        ('switchboard.phone_calling_code(number text)'),
        ('switchboard.phone_format(number text, style text)'),
        ('switchboard.phone_dialable(number text, channel text)'),
        ('switchboard.phone_time_zones(number text)'),
        ('switchboard.phone_metadata_version()'),
        ('switchboard.is_sealed(value jsonb)'),
        ('switchboard.credential_hint(value jsonb)'),
        ('switchboard.assert_sealed(value jsonb)'),
        ('switchboard.suggest_mapping(header text[], sample jsonb, country text)'),
        ('public.create_upload(dataset_id uuid, filename text, file_size bigint, file_type text, storage_path text, options jsonb)'),
        ('private.append_upload_chunk(p_upload_id uuid, p_seq integer, p_chunk text)'),
        ('public.append_upload_chunk(upload_id uuid, seq integer, chunk text)'),
        ('switchboard.parse_lead(cells jsonb, options jsonb)'),
        ('public.commit_upload(upload_id uuid, mapping jsonb, options jsonb)'),
        ('private.cancel_upload(p_upload_id uuid)'),
        ('private.undo_upload(p_upload_id uuid)'),
        ('private.create_upload(p_dataset_id uuid, p_filename text, p_file_size bigint, p_file_type text, p_storage_path text, p_options jsonb)'),
        ('public.preview_upload(upload_id uuid, mapping jsonb, options jsonb)'),
        ('public.cancel_upload(upload_id uuid)'),
        ('switchboard.csv_line(cells text[])'),
        ('private.commit_upload(p_upload_id uuid, p_mapping jsonb, p_options jsonb)'),
        ('public.undo_upload(upload_id uuid)'),
        ('private.preview_upload(p_upload_id uuid, p_mapping jsonb, p_options jsonb)'),
        ('switchboard.json_is_bounded(value jsonb, bytes integer)'),
        ('switchboard.compile_prompt(structure jsonb, lessons jsonb, options jsonb)') $$,
    'authenticated may call these functions and no other');
select bag_eq(
    $$ select full_name from all_functions where has_function_privilege('service_role', oid, 'execute') $$,
    $$ values
        ('private.member_contact(organization uuid, member uuid)'),
        ('public.change_plan(organization_id uuid, plan text)'),
        ('public.bootstrap_platform_admin(user_id uuid)'),
        ('public.doctor()'),
        ('public.set_call_status(organization_id uuid, call_id uuid, status text)'),
        ('private.change_plan(p_organization_id uuid, p_plan text)'),
        ('private.bootstrap_platform_admin(p_user_id uuid)'),
        ('private.set_call_status(p_organization_id uuid, p_call_id uuid, p_status text)'),
        ('private.doctor()'),
        ('public.route_inbound_call(called text, caller text, provider text, provider_sid text)'),
        ('public.provider_credentials(provider_account_id uuid, reason text)'),
        ('public.set_organization_status(status text)'),
        ('private.set_organization_status(p_status text)'),
        ('private.email_key(address text)'),
        ('private.is_email(address text)'),
        ('private.is_provider(name text)'),
        ('private.is_tag_list(tags text[])'),
        ('private.is_time_zone(name text)'),
        ('private.providers()'),
        ('private.is_day_list(days jsonb)'),
        ('private.is_lead_field_list(fields jsonb)'),
        ('switchboard.user_id()'),
        ('switchboard.request_role()'),
        ('switchboard.current_organization_id()'),
        ('switchboard.organization_for(capability text)'),
        ('switchboard.organization_ids()'),
        ('switchboard.is_member(organization_id uuid)'),
        ('switchboard.has_capability(organization_id uuid, capability text)'),
        ('switchboard.in_dataset_scope(organization_id uuid, dataset_id uuid)'),
        ('switchboard.refuse_insert(organization_id uuid, capability text)'),
        ('switchboard.organization_role()'),
        ('switchboard.dataset_scope()'),
        ('switchboard.is_platform_admin()'),
        ('switchboard.request_context()'),
        ('switchboard.path_organization(name text)'),
        ('switchboard.topic_organization(topic text)'),
        ('switchboard.assert_permissions(permissions jsonb)'),
        ('switchboard.capabilities()'),
        ('switchboard.require_user_id()'),
        ('switchboard.require_organization(capability text)'),
        ('switchboard.to_e164(input text, region text)'),
        ('switchboard.is_e164(number text)'),
        ('switchboard.parse_phone(input text, region text)'),
        ('switchboard.calling_code(region text)'),
        ('switchboard.phone_is_valid(number text, region text)'),
        ('switchboard.phone_region(number text)'),
        ('switchboard.phone_type(number text)'),
        ('switchboard.phone_calling_code(number text)'),
        ('switchboard.phone_format(number text, style text)'),
        ('switchboard.phone_dialable(number text, channel text)'),
        ('switchboard.phone_time_zones(number text)'),
        ('switchboard.phone_metadata_version()'),
        ('switchboard.is_sealed(value jsonb)'),
        ('switchboard.credential_hint(value jsonb)'),
        ('switchboard.assert_sealed(value jsonb)'),
        ('switchboard.suggest_mapping(header text[], sample jsonb, country text)'),
        ('switchboard.parse_lead(cells jsonb, options jsonb)'),
        ('switchboard.csv_line(cells text[])'),
        ('switchboard.json_is_bounded(value jsonb, bytes integer)'),
        ('switchboard.compile_prompt(structure jsonb, lessons jsonb, options jsonb)'),
        ('switchboard.seal(plain jsonb, organization_id uuid, row_id text, purpose text)'),
        ('switchboard.unseal(envelope jsonb, organization_id uuid, row_id text, purpose text, reason text)') $$,
    'service_role may call these functions and no other');
select is_empty($$
    select full_name from all_functions where has_function_privilege('anon', oid, 'execute')
$$, 'anon may call none');
select is_empty($$
    select f.full_name from all_functions f join pg_proc p on p.oid = f.oid
    cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
    where a.grantee = 0
$$, 'nor may PUBLIC');

-- The same, tried.
select tests.as_anon();
select throws_ok($$ select public.whoami() $$, '42501', null, 'anon: whoami is refused');
select throws_ok($$ select public.create_organization('X') $$, '42501', null, 'anon: create_organization is refused');
select throws_ok($$ select switchboard.user_id() $$, '42501', null, 'anon: the native schema is closed');
select tests.make_user('somebody') from (select tests.as_owner()) as now;
select tests.as_user('somebody');
select lives_ok($$ select public.whoami() $$, 'authenticated: whoami answers');
select lives_ok($$ select switchboard.user_id() $$, 'authenticated: native read functions answer');
select throws_ok($$ select public.route_inbound_call('', '', '', '') $$, '42501', null,
    'authenticated: route_inbound_call is refused');
select throws_ok($$ select private.create_organization('X', null, 'GB', 'UTC') $$, '42501', 'permission denied for schema private',
    'authenticated: a body in private is out of reach by name');
select throws_ok($$ select private.backfill_profiles() $$, '42501', null, 'authenticated: so is an owner''s function');
select throws_ok($$ select switchboard.seal('{}', tests.id('a'), 'x', 'x') $$, '42501', null,
    'authenticated: seal is refused');
select tests.as_service();
select lives_ok($$ select public.route_inbound_call('+443069990998', '', 'twilio', 'CA of nothing') $$,
    'service_role: route_inbound_call answers');
select throws_ok($$ select public.create_organization('X') $$, '42501', null,
    'service_role: an organization is made by a person');

select * from finish();
rollback;
