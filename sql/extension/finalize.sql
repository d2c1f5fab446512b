-- Runs last: who may call what, and what psql shows of it.
-- Nothing is PUBLIC's: every function is revoked, then given one by one.
-- The API roles and `postgres` are Supabase's; on a server without them the owner grants what they need.

revoke all on schema switchboard from public;
revoke execute on all functions in schema switchboard from public;

-- seal_column runs statements of ours: no name in them may be looked up along the caller's search_path. maintain_counts sets
-- it itself, only when there is something to write.
-- normalize_phone fires for every row of an import, and saving and restoring the setting took a third of its time; its
-- one statement qualifies every table, type and operator instead.
alter function switchboard.seal_column() set search_path = '';

do $$
declare
    -- For policies, column defaults, CHECKs and RPC bodies, which run with the caller's rights.
    readers constant regprocedure[] := array[
        'switchboard.user_id()',
        'switchboard.request_role()',
        'switchboard.current_organization_id()',
        'switchboard.organization_for(text)',
        'switchboard.organization_ids()',
        'switchboard.is_member(uuid)',
        'switchboard.has_capability(uuid, text)',
        'switchboard.organization_role()',
        'switchboard.dataset_scope()',
        'switchboard.in_dataset_scope(uuid, uuid)',
        'switchboard.is_platform_admin()',
        'switchboard.request_context()',
        'switchboard.path_organization(text)',
        'switchboard.topic_organization(text)',
        'switchboard.assert_permissions(jsonb)',
        'switchboard.capabilities()',
        'switchboard.require_user_id()',
        'switchboard.require_organization(text)',
        'switchboard.refuse_insert(uuid, text)',
        'switchboard.to_e164(text, text)',
        'switchboard.is_e164(text)',
        'switchboard.parse_phone(text, text)',
        'switchboard.calling_code(text)',
        'switchboard.phone_is_valid(text, text)',
        'switchboard.phone_region(text)',
        'switchboard.phone_type(text)',
        'switchboard.phone_calling_code(text)',
        'switchboard.phone_format(text, text)',
        'switchboard.phone_dialable(text, text)',
        'switchboard.phone_time_zones(text)',
        'switchboard.phone_metadata_version()',
        'switchboard.is_sealed(jsonb)',
        'switchboard.credential_hint(jsonb)',
        'switchboard.assert_sealed(jsonb)',
        'switchboard.compile_prompt(jsonb, jsonb, jsonb)',
        'switchboard.json_is_bounded(jsonb, integer)',
        'switchboard.parse_lead(jsonb, jsonb)',
        'switchboard.suggest_mapping(text[], jsonb, text)',
        'switchboard.csv_line(text[])',
        'switchboard.search_words(uuid, text)'
    ];
    sealers constant regprocedure[] := array[
        'switchboard.seal(jsonb, uuid, text, text)',
        'switchboard.unseal(jsonb, uuid, text, text, text)'
    ];
    -- For the role that applies migrations and owns the tables: it declares the triggers and runs the report.
    owners constant regprocedure[] := array[
        'switchboard.member_capabilities(text, jsonb, boolean, boolean, boolean, boolean)',
        'switchboard.guard_row()',
        'switchboard.phone_revalidate(regclass, name)',
        'switchboard.key_loaded()',
        'switchboard.key_problems()',
        'switchboard.schema_contract()',
        'switchboard.csv_profile(text, jsonb)',
        'switchboard.csv_leads(text, jsonb, bigint, integer, integer)',
        'switchboard.maintain_counts()',
        'switchboard.counter_statements(text, text, text, text)',
        'switchboard.track_counts(regclass, regclass, jsonb, jsonb)',
        'switchboard.untrackable(regclass, regclass, jsonb, jsonb)',
        'switchboard.untrack_counts(regclass, regclass)',
        'switchboard.tracked_counts(regclass)',
        'switchboard.verify_counts(regclass)',
        'switchboard.rebuild_counts(regclass, integer)',
        'switchboard.seal_column()',
        'switchboard.normalize_phone()'
    ];
    api_role name;
    function regprocedure;
begin
    foreach api_role in array array['authenticated', 'service_role', 'postgres']::name[] loop
        continue when not exists (select from pg_catalog.pg_roles where rolname = api_role);
        execute pg_catalog.format('grant usage on schema switchboard to %I', api_role);
        foreach function in array readers loop
            execute pg_catalog.format('grant execute on function %s to %I', function, api_role);
        end loop;
    end loop;
    if exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
        foreach function in array sealers loop
            execute pg_catalog.format('grant execute on function %s to service_role', function);
        end loop;
    end if;
    if exists (select from pg_catalog.pg_roles where rolname = 'postgres') then
        foreach function in array owners loop
            execute pg_catalog.format('grant execute on function %s to postgres', function);
        end loop;
    end if;
end;
$$;

comment on schema switchboard is 'Switchboard''s native functions. Not exposed by the API; policies, triggers and RPCs call them.';

-- From here on generated from the doc comments in src by bin/generate comments: edit there.
comment on function switchboard.assert_permissions is 'True for an object of capability → true (gives it) or false (takes it away). For CHECK constraints, so it only asks whether a name outside the catalogue could be an application''s. Raises 22023 naming the unknown capability, the one that only an owner holds, or the value that is no boolean.';
comment on function switchboard.assert_sealed is 'True for an envelope. For CHECK constraints: it raises instead of answering false, because the message of a failed CHECK prints the whole row. Raises 22023, without the value, for anything else.';
comment on function switchboard.calling_code is 'Calling code (ITU-T E.164) of an ISO 3166 region: 44 for GB. NULL for an unknown region.';
comment on function switchboard.capabilities is 'The catalogue''s role × capability table, one row for each capability that a role holds in an active organization. What an application defines is in private.capabilities.';
comment on function switchboard.compile_prompt is 'Compiles a prompt: structure {section: {content, source, why}}, lessons [{id, lesson_type, …}], options {token_budget, draft, variables} → text, its sha256 (hex), spans (who wrote which bytes), token estimate, dropped lessons, warnings. Same input, same bytes. Raises 22023 naming the JSON path and the rule, also when the prompt does not fit its token budget.';
comment on function switchboard.counter_statements is 'The statements with which verify_counts and rebuild_counts look at a counter: where it differs, how a parent is locked, how it is counted anew. child: the quoted name of the table; the rest as for maintain_counts. Raises 22023 for arguments that are no specification.';
comment on function switchboard.credential_hint is 'What may be shown of sealed credentials: provider, region, last characters of account ids, "set" for the rest. Raises 22023 for anything but an envelope.';
comment on function switchboard.csv_leads is 'The leads in a file''s rows, as parse_lead reads them, from a byte on at which a row begins. source as for csv_profile; options: parse_lead''s, header, encoding, delimiter, source_starts_at (byte of the first piece), cells (answer them). Rows count from first_row; ends_at is the byte behind a row. Raises 22023 for options, for another kind of query, and for a row that is none, with its number.';
comment on function switchboard.csv_line is 'One line of a CSV file without its end, safe for a spreadsheet: a cell that would be run gets an apostrophe, one that would be read as another number or a date (a phone number, 007, 1/2) is written as ="…". NULL is empty. Never raises.';
comment on function switchboard.csv_profile is 'What a file is: source is a query that answers its pieces, one bytea column, in order. options: encoding, delimiter, guessed where not given. problem: empty_file, no_rows, blank_header, duplicate_header, nul_byte, unclosed_quote, row_too_long; NULL for a file that can be read. Raises 22023 for options and for another kind of query.';
comment on function switchboard.current_organization_id is 'Organization that the request works for: header x-organization-id, x-organization-slug, claim app_metadata.active_organization_id, profiles.default_organization_id or the only membership. The first that is present decides; NULL unless the caller is an active member. Never raises.';
comment on function switchboard.dataset_scope is 'Datasets whose leads the caller may see in the current organization; NULL is all of them, an empty array none. Without an organization: none.';
comment on function switchboard.has_capability is 'Whether the caller holds the capability in the organization, whichever the request is for; service_role does in every organization that exists. For RPCs and triggers, not for policies of large tables.';
comment on function switchboard.in_dataset_scope is 'Whether the caller sees the dataset''s leads in the organization, whichever the request is for; of no dataset (NULL), whether the caller sees those of all. For policies that check an inserted row. Never raises.';
comment on function switchboard.is_e164 is 'Whether the text is a possible number in canonical E.164 form. For CHECK constraints.';
comment on function switchboard.is_member is 'Whether the caller is an active member of the organization, whichever the request is for. For joining topics and for RPCs, not for policies of large tables. A support session is no membership.';
comment on function switchboard.is_platform_admin is 'Whether the caller is in private.platform_admins and signed in with a second factor (aal2).';
comment on function switchboard.is_sealed is 'Whether the value has the shape of an envelope. Says nothing of who made it; needs no key.';
comment on function switchboard.json_is_bounded is 'Whether the value, printed as text, has at most that many bytes. For CHECK constraints and RPC bodies: adds up lengths and prints nothing, so [1e131071, 1e131071, …] costs no more than what is stored of it. Never raises.';
comment on function switchboard.key_loaded is 'Whether this server has a key ring to seal and open credentials with, or can load it, and the keys in it are those of this database: false where key_problems() has a row. Owner only; doctor() reports it.';
comment on function switchboard.key_problems is 'What is wrong with the loaded key ring, one row a root key that this database is sealed with: not_in_ring, other_key (an id of the ring with other bytes), opens_nothing (a data key that does not open). None without a ring or the schema. Owner only; doctor() reports it.';
comment on function switchboard.maintain_counts is 'Trigger, AFTER INSERT, UPDATE or DELETE FOR EACH STATEMENT with transition tables old_rows and new_rows, and AFTER TRUNCATE. Arguments: parent (schema.table), key (JSON, child → parent column), counters (JSON, parent column → true, predicate or {value, by, where}). Moved as the table''s owner. Raises 22023 for bad arguments, 39P01 for another kind of trigger, 0A000 for TRUNCATE in REPEATABLE READ.';
comment on function switchboard.member_capabilities is 'What a membership with this role, permissions and the four flags gives in an active organization, sorted; an empty array for an unknown role or permissions. Never raises.';
comment on function switchboard.normalize_phone is 'Trigger, BEFORE INSERT OR UPDATE FOR EACH ROW, that writes a number in E.164. Arguments: target, source column (as given), region (ISO code, organization, column:<name>); optional extension:<column>, type:…, region:…, validity:…, cautious. E.164 must be possible, not short; other spellings valid or test numbers. Raises 22023 naming column, reason and key, 39P01 for arguments that name nothing.';
comment on function switchboard.organization_for is 'The current organization if the caller holds the capability (such as leads.read) there, else NULL. The function that policies call, inside (select …). Never raises; an unknown capability is held by nobody.';
comment on function switchboard.organization_ids is 'All organizations of which the caller is an active member, sorted; an empty array if none. A support session is no membership.';
comment on function switchboard.organization_role is 'The caller''s role in the current organization: owner, admin, manager, sales_rep, viewer, or support for a platform administrator with an open support session; NULL without an organization.';
comment on function switchboard.parse_lead is 'The lead in a row, a JSON object of column → text, number, boolean or null. options: mapping {column: field or null}, country (ISO 3166), and auto_normalize_uk_numbers, allow_international, required_fields as in campaign settings. problems [{field, column, value, reason}] says why it is none; NULL for a good one. Raises 22023 naming the option.';
comment on function switchboard.parse_phone is 'One row about a number as people type it. validity: valid, possible, test_range, invalid. reason: not_a_number, too_short, too_long, invalid_country_code, invalid_range, multiple_numbers, excel_scientific, letters, ambiguous, short_or_emergency. Never raises.';
comment on function switchboard.path_organization is 'The organization of a storage object''s name {organization_id}/…: a canonical uuid and a rest without empty, . or .. segments; NULL for any other text. Never raises.';
comment on function switchboard.phone_calling_code is 'Calling code (ITU-T E.164) of an E.164 number; NULL for other text.';
comment on function switchboard.phone_dialable is 'Why an E.164 number is not to be dialled on channel call or sms, NULL when it may be: invalid, test_range, premium_rate, shared_cost, personal, short_or_emergency, pager, voicemail, international_network (satellites), and for sms not_mobile. Raises 22023 for another channel, also NULL.';
comment on function switchboard.phone_format is 'An E.164 number as people write it; style national, international or rfc3966 (tel: link). NULL for text that is not E.164. Raises 22023 for another style.';
comment on function switchboard.phone_is_valid is 'Whether a number, in any spelling that to_e164 reads, lies in a range that its country has assigned. A verdict of one phone_metadata_version: store the number, ask again.';
comment on function switchboard.phone_metadata_version is 'Version of the numbering metadata. Validity changes with it, E.164 text seldom.';
comment on function switchboard.phone_region is 'ISO 3166 region of an E.164 number (001 for calling codes without a country); NULL for a number in no region''s range and for other text.';
comment on function switchboard.phone_time_zones is 'Time zones (names of the tz database) where an E.164 number may be: of its area where it has one, else of its whole country. Empty for a number in no assigned range or of no country; NULL for other text.';
comment on function switchboard.phone_type is 'What the range of an E.164 number is for: fixed_line, mobile, fixed_line_or_mobile, toll_free, premium_rate, shared_cost, voip, personal_number, pager, uan, voicemail, or unknown in no assigned range; NULL for other text.';
comment on function switchboard.request_context is 'Who the caller is and why: {user_id, organization_id, role, capabilities, source, reason, organizations}, and where they are set dataset_scope, expires_at, support_session_id. reason: no_identity, malformed, headers_disagree, not_a_member, organization_required, no_membership.';
comment on function switchboard.request_role is 'Database role that the request''s token was issued for, when it is the session''s; else NULL.';
comment on function switchboard.schema_contract is 'What native code reads and writes in public and private: one row for each table, column, index and unique index, with its name; definition is the type of a column, the columns of an index. Owner only; doctor() compares it with the database.';
comment on function switchboard.seal is 'Seals a JSON object (≤ 64 KiB) for one row (id as text) of one organization and one purpose. Service role only. Raises 42501 for other roles, 22023 for malformed input, 54000 above 64 KiB, 55000 without a key or with a wrong one.';
comment on function switchboard.seal_column is 'Trigger, BEFORE INSERT OR UPDATE FOR EACH ROW without a column list, ENABLE ALWAYS, named to fire first. Arguments: jsonb column, organization column, key column, purpose. Clear text becomes an envelope, an unchanged envelope stays, any other must have been sealed for this very row. Raises as seal, 22023 for an envelope of another row, 42501 for another''s organization.';
comment on function switchboard.search_words is 'The words of a text to index it by, and to look for, without accents, case and punctuation; each begins with eight hexadecimal digits of the organization, so that one index over all tenants is searched in one of them. array_to_tsvector makes an index of them. Never raises.';
comment on function switchboard.suggest_mapping is 'Which column of a file is which field, {column: field or null}: by its name in some languages, else by what most of its cells are. sample: some rows, a JSON array of arrays of text; country (ISO 3166) reads national phone numbers. Raises 22023 for a sample of another shape or over 16 MB.';
comment on function switchboard.to_e164 is 'E.164 form (+ and digits) of a possible number in any spelling, else NULL. region: ISO 3166 code that reads national spellings, NULL for international ones only. Rules and verdicts are libphonenumber''s. Never raises.';
comment on function switchboard.topic_organization is 'The organization of a Realtime topic org:{organization_id}:{entity}: a canonical uuid, and a–z, 0–9 and underscore; NULL for any other text. Never raises.';
comment on function switchboard.unseal is 'Opens an envelope that was sealed for this row, organization and purpose; reason says what for. Service role only. Each call is written to private.unseal_audit and to the server''s log. Raises 42501 for other roles, 22023 for an empty reason and for an envelope that is malformed, altered or another row''s, 55000 without the key it needs.';
comment on function switchboard.user_id is 'Id of the signed-in user, from the token''s sub; NULL when there is no valid token for the session''s role. Never raises.';
