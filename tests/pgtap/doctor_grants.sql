-- The list of what is meant to be granted: whatever differs from it is found and the printed SQL restores exactly it;
-- nothing comes into it by itself, and what is wrong in any case never. The same for what the schema puts on the platform's
-- tables.
begin;
select no_plan();
-- Before _helpers.psql, which lets the roles under test make temporary tables.
select is_empty('select * from private.grant_changes()', 'the database is what the list says');
select is_empty('select * from private.grant_breaches()', 'and nothing is granted that no list makes right');
select is_empty('select * from private.doctor_platform()', 'everything is on the platform''s tables');
\ir _helpers.psql

select is_empty($$
    select kind, object from private.granted() where kind || ' ' || object not in (select kind || ' ' || object from private.intended_grants())
$$, 'the list knows every object');
select isnt_empty('select from private.intended_grants() where kind = ' || quote_literal(k), 'it has each kind: ' || k)
    from unnest(array['database', 'schema', 'default', 'table', 'sequence', 'routine']) as k;

-- Severity and code of what is found about an object after a statement, the SQL that is printed, and what is found when that has
-- run. All of it undone.
create function tests.found(statement text, wanted_object text) returns text
    language plpgsql
as $$
declare
    found text;
    mend text;
    grants_before jsonb;
    told text;
begin
    select jsonb_agg(to_jsonb(g) order by to_jsonb(g)::text) into grants_before from private.granted() g;
    execute statement;
    select string_agg(distinct d.severity || ' ' || d.code, ', '), string_agg(distinct d.fix, ' ') into found, mend
        from (select * from private.doctor_grants() union all select * from private.doctor_platform()) d
        where d.object = wanted_object and d.finding <> '';
    if found is not null then
        execute mend;
    end if;
    told := concat_ws(', then ', coalesce(found, 'nothing'),
        case when exists (select from private.doctor_grants() d where d.object = wanted_object)
            or exists (select from private.doctor_platform() d where d.object = wanted_object) then 'still there' end,
        case when grants_before is distinct from (select jsonb_agg(to_jsonb(g) order by to_jsonb(g)::text) from private.granted() g)
            then 'other grants than before' end);
    raise exception using errcode = 'ZZ999';
exception
    when sqlstate 'ZZ999' then
        return told;
end;
$$;
select is(tests.found(statement, object), expected, statement) from (values
    -- More than is meant.
    ('grant update on public.organizations to authenticated', 'public.organizations', 'error grant_surplus'),
    ('grant update (plan) on public.organizations to authenticated', 'public.organizations', 'error grant_surplus'),
    ('grant select on public.provider_accounts to authenticated', 'public.provider_accounts', 'error grant_surplus'),
    ('grant select (credentials) on public.provider_accounts to authenticated', 'public.provider_accounts', 'error grant_surplus'),
    ('grant all on public.datasets to authenticated, service_role', 'public.datasets', 'error grant_surplus, error grant_too_wide'),
    ('grant insert on public.audit_log to authenticator', 'public.audit_log', 'error grant_surplus'),
    ('grant select on public.leads to anon', 'public.leads', 'error grant_surplus, error grant_to_anon'),
    ('grant select (id) on public.leads to public', 'public.leads', 'error grant_surplus, error grant_to_anon'),
    ('grant references (id) on public.leads to authenticated', 'public.leads', 'error grant_surplus, error grant_too_wide'),
    ('grant select on public.leads to authenticated with grant option', 'public.leads', 'error grant_surplus, error grant_too_wide'),
    ('grant select on private.root_keys to service_role', 'private.root_keys', 'error grant_surplus, error grant_too_wide'),
    ('grant select on private.restored to service_role', 'private.restored', 'error grant_surplus, error grant_too_wide'),
    ('grant usage on sequence private.unseal_audit_id_seq to authenticated', 'sequence private.unseal_audit_id_seq', 'error grant_surplus, error grant_too_wide'),
    ('grant execute on function private.apply_grants() to authenticated', 'routine private.apply_grants()', 'error grant_surplus'),
    ('grant execute on function public.change_plan(uuid, text) to authenticated', 'routine public.change_plan(uuid,text)', 'error grant_surplus'),
    ('grant execute on function public.whoami() to public', 'routine public.whoami()', 'error grant_surplus'),
    ('grant usage on schema private to authenticated', 'schema private', 'error grant_surplus, error grant_too_wide'),
    ('grant create on schema public to public', 'schema public', 'error grant_surplus, error grant_too_wide'),
    ('alter default privileges in schema public grant all on tables to anon, authenticated', 'default tables in schema public', 'error grant_surplus, error grant_too_wide'),
    ('alter default privileges grant select on sequences to service_role', 'default sequences', 'error grant_surplus, error grant_too_wide'),
    ('alter default privileges grant execute on functions to public', 'default functions', 'error grant_surplus, error grant_too_wide'),
    -- Less.
    ('revoke select on public.leads from authenticated', 'public.leads', 'warn grant_missing'),
    ('revoke update (name) on public.organizations from authenticated', 'public.organizations', 'warn grant_missing'),
    ('revoke execute on function public.whoami() from authenticated', 'routine public.whoami()', 'warn grant_missing'),
    ('revoke execute on function public.custom_access_token_hook(jsonb) from supabase_auth_admin', 'routine public.custom_access_token_hook(jsonb)', 'warn grant_missing'),
    ('revoke usage on schema public from public, authenticated', 'schema public', 'warn grant_missing'),
    -- Both in one.
    ('revoke select on public.leads from authenticated; grant truncate on public.leads to authenticated', 'public.leads', 'error grant_surplus, error grant_too_wide'),
    -- Nothing that the list speaks of.
    ('alter table public.leads rename column notes to remarks; alter table public.leads rename column remarks to notes', 'public.leads', 'nothing'),
    -- What the platform's tables had.
    ('drop trigger guard_object on storage.objects', 'guard_object on storage.objects', 'error platform_detached'),
    ('alter table storage.objects disable trigger guard_object', 'guard_object on storage.objects', 'error platform_detached'),
    ('drop policy organization_files_update on storage.objects', 'organization_files_update on storage.objects', 'error platform_detached'),
    ('drop policy organization_topics_select on realtime.messages', 'organization_topics_select on realtime.messages', 'error platform_detached'),
    ('drop trigger broadcast_delete on public.leads', 'broadcast_delete on public.leads', 'error platform_detached'),
    ('drop trigger on_auth_user_created on auth.users', 'on_auth_user_created on auth.users', 'error platform_detached'),
    ('drop trigger on_auth_user_email_changed on auth.users', 'on_auth_user_email_changed on auth.users', 'error platform_detached'),
    ('alter table auth.users disable trigger on_auth_user_created', 'on_auth_user_created on auth.users', 'error platform_detached')
) as v (statement, object, expected);
select is(
    tests.found(format('grant temporary on database %I to public', current_database()), 'database current'), 'error grant_surplus, error grant_too_wide, then other grants than before',
    'everybody may make temporary tables; the tests'' own grants go too');
select matches((select fix from private.doctor_grants() where object = 'database current' and code = 'grant_surplus'),
    '^revoke temporary on database \w+ from anon;', 'the database is named as it is called now');

-- A table of one's own is told of, and one line makes it known.
create table public.scratch (id integer generated by default as identity, secret text);
select is(tests.found('select', 'public.scratch'), 'nothing', 'what nobody may touch is nobody''s business');
grant select (id), insert on public.scratch to authenticated;
grant usage on sequence public.scratch_id_seq to authenticated;
create function public.scratch(a uuid) returns integer language sql return 1;
grant execute on function public.scratch(uuid) to authenticated;
select results_eq($$ select severity, code, object, fix from private.doctor_grants() where object ~ 'scratch' order by object $$, $$ values
    ('warn', 'grant_unlisted', 'public.scratch', 'revoke insert, select (id) on table public.scratch from authenticated;'),
    ('warn', 'grant_unlisted', 'routine public.scratch(uuid)', 'revoke execute on routine public.scratch(uuid) from authenticated;'),
    ('warn', 'grant_unlisted', 'sequence public.scratch_id_seq', 'revoke usage on sequence public.scratch_id_seq from authenticated;') $$,
    'what the list does not know is told, with the SQL that closes it');
select is_empty($$ select * from private.apply_grants() where object ~ 'scratch' $$, 'apply_grants leaves it as it is');
select private.record_grants('public.scratch', 'public.scratch(uuid)');
select is_empty($$ select * from private.doctor_grants() where object ~ 'scratch' $$, 'recorded, it is well, with the sequence of its column');
select is(tests.found('grant select on public.scratch to authenticated', 'public.scratch'), 'error grant_surplus', 'and is watched as ours are');
select is(tests.found('revoke all on public.scratch from authenticated', 'public.scratch'), 'warn grant_missing', 'in both directions');
grant select (secret) on public.scratch to authenticated;
select isnt_empty($$ select from private.doctor_grants() where object = 'public.scratch' $$, 'a later grant is no part of the list');
select private.record_grants('public.scratch');
select is_empty($$ select from private.doctor_grants() where object = 'public.scratch' $$, 'until it is recorded');
select lives_ok($$ select private.record_grants('schema public', 'default tables') $$, 'schemas and defaults are recorded by their names in the list');
drop function public.scratch(uuid);
select is_empty($$ select * from private.doctor_grants() where object ~ 'scratch' $$, 'what is gone is missed by nobody');

-- What never comes into the list.
select is(tests.refusal(grants || '; select private.record_grants(''public.scratch'')') ->> 'sqlstate', '22023', 'not recorded: ' || grants)
    from unnest(array[
        'grant select on public.scratch to anon', 'grant select (id) on public.scratch to public', 'grant truncate on public.scratch to authenticated',
        'grant references (id) on public.scratch to service_role', 'grant trigger on public.scratch to authenticated',
        'grant insert on public.scratch to authenticated with grant option', 'grant usage on sequence public.scratch_id_seq to anon'
    ]) as grants;
select is(tests.refusal(format('select private.record_grants(%L)', name)) ->> 'sqlstate', wanted, 'not recorded: ' || name) from (values
    ('auth.users', '22023'), ('switchboard.whoami', '42P01'), ('switchboard.user_id()', '22023'), ('schema auth', '22023'), ('public.nothing', '42P01'),
    ('public.nothing()', '42883')
) as v (name, wanted);
select is(tests.refusal(format('grant temporary on database %I to anon; select private.record_grants(''database current'')', current_database())) ->> 'sqlstate',
    '22023', 'not recorded: temporary tables');
select is(tests.refusal('grant usage on schema private to service_role; select private.record_grants(''schema private'')') ->> 'message',
    'no list makes this right: usage on private to service_role', 'and it says why');
select is(tests.refusal('select private.record_all_grants()') ->> 'sqlstate', '55000', 'the whole is recorded once');

-- apply_grants in one go, what it did, and that it did.
grant all on all tables in schema public to anon, authenticated, service_role;
grant execute on all functions in schema public to anon;
grant all on all sequences in schema private to anon;
alter default privileges in schema public grant all on tables to anon, authenticated;
revoke select on public.leads from authenticated;
create temporary table applied as select * from private.apply_grants();
select cmp_ok((select count(*) from applied), '>', 50::bigint, 'everything is closed again');
select matches((select change from applied where object = 'table public.provider_accounts'),
    '^revoke .* from anon; revoke .*select.* from authenticated; .*grant .*select \(.*account_ref.*\).* to authenticated;',
    'each change is told');
select is_empty('select * from private.grant_changes() where kind <> ''database''', 'and nothing differs');
select is_empty('select * from private.apply_grants()', 'a second time changes nothing');

-- Who may.
select tests.make_tenant('a', 801);
grant usage on schema private to authenticated, service_role;
select tests.as_user('a.owner');
select is(tests.attempt(s), '42501', 'no owner of an organization: ' || s) from unnest(array[
    'select private.apply_grants()', 'select private.record_grants(''public.leads'')', 'select private.record_all_grants()', 'select private.attach_auth()',
    'select * from private.granted()', 'select * from private.intended_grants()', 'select private.begin_restore()', 'select private.end_restore()',
    'select private.after_restore()', 'select * from private.restored', 'refresh materialized view private.restored', 'select * from private.restore_state'
]) as s;
select tests.as_service();
select is(tests.attempt(s), '42501', 'nor the service role: ' || s) from unnest(array[
    'select private.apply_grants()', 'select private.record_grants(''public.leads'')', 'select private.begin_restore()', 'select * from private.restored'
]) as s;
select tests.as_owner();

-- Restores of rows: never over what is there.
select is(tests.refusal('select private.begin_restore()') ->> 'sqlstate', '55000', 'not where there are organizations');
select is(tests.refusal('select private.end_restore()') ->> 'sqlstate', '55000', 'nor is one ended that has not begun');
insert into private.restore_state (statement) values ('select');
select is(tests.refusal('select private.begin_restore()') ->> 'message', 'a restore has begun here already', 'nor a second begun');
select is((select severity from private.doctor_platform() where code = 'restore_unfinished'), 'error', 'one that has not ended is found');
select private.end_restore();
select is_empty($$ select from private.doctor_platform() where code = 'restore_unfinished' $$, 'and gone when it has');

select * from finish();
rollback;
