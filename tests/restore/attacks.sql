-- What works in a database that should refuse it: one line an attack, and one for each thing allowed that is refused.
-- Prints nothing where all is well. tenants.sql was here, or its rows.
\set ON_ERROR_STOP on
\pset tuples_only on
\pset format unaligned
begin;
-- Before _helpers.psql, which lets the roles under test make temporary tables.
select format('open: %s makes temporary tables', r)
    from unnest(array['anon', 'authenticated', 'service_role']) as r
    where has_database_privilege(r, current_database(), 'temporary');
\o /dev/null
\ir ../pgtap/_helpers.psql
create table public.something_new (secret text);
create function private.something_new() returns integer language sql return 1;
insert into storage.buckets (id, name) values ('csv_uploads', 'csv_uploads') on conflict do nothing;
insert into storage.objects (bucket_id, name) values ('csv_uploads', tests.id('a') || '/' || tests.id('a.dataset') || '/x.csv');
grant usage on schema private to authenticated;

create table tests.attacks (
    place integer generated always as identity,
    who text,
    statement text,
    wanted text default '42501'
);
-- Each with what is like it and allowed.
insert into tests.attacks (who, statement, wanted) values
    ('a.owner', $$ update public.organizations set plan = 'starter' where id = tests.id('a') $$, '42501'),
    ('a.owner', $$ update public.organizations set slug = 'taken' where id = tests.id('a') $$, '42501'),
    ('a.owner', $$ update public.organizations set name = 'Mine' where id = tests.id('a') $$, '1 row'),
    ('a.owner', $$ update public.datasets set total_leads = 999 where organization_id = tests.id('a') $$, '42501'),
    ('a.owner', $$ update public.datasets set description = 'Mine' where organization_id = tests.id('a') $$, '1 row'),
    ('a.owner', $$ update public.phone_numbers set phone_number = '+443069990999' where organization_id = tests.id('a') $$, '42501'),
    ('a.owner', $$ insert into public.phone_numbers (organization_id, provider, phone_number) values (tests.id('a'), 'twilio', '+443069990998') $$, '42501'),
    ('a.owner', $$ update public.phone_numbers set friendly_name = 'Mine' where organization_id = tests.id('a') $$, '1 row'),
    ('a.owner', $$ select credentials from public.provider_accounts $$, '42501'),
    ('a.owner', $$ select credentials_hint from public.provider_accounts $$, '1 row'),
    ('a.owner', $$ select token_hash from public.invitations $$, '42501'),
    ('a.owner', $$ select email from public.invitations $$, '1 row'),
    ('a.viewer', $$ select transcript from public.calls $$, '42501'),
    ('a.owner', $$ select phone_number from public.profiles $$, '42501'),
    ('a.owner', $$ update public.memberships set role = 'owner' where user_id = tests.id('a.viewer') $$, '42501'),
    ('a.owner', $$ insert into public.audit_log (organization_id, actor_kind, action, table_name) values (tests.id('a'), 'user', 'insert', 'leads') $$, '42501'),
    ('a.owner', $$ insert into public.plan_overrides (organization_id, quota, max_count, reason) values (tests.id('a'), 'leads', 1000000, 'mine') $$, '42501'),
    ('a.owner', $$ update public.plan_limits set max_count = 1000000 $$, '42501'),
    ('a.owner', $$ truncate public.leads $$, '42501'),
    ('a.owner', $$ truncate public.audit_log $$, '42501'),
    ('a.owner', $$ select from private.root_keys $$, '42501'),
    ('a.owner', $$ select private.apply_grants() $$, '42501'),
    ('a.owner', $$ select private.something_new() $$, '42501'),
    ('a.owner', $$ select from public.something_new $$, '42501'),
    ('a.owner', $$ select public.doctor() $$, '42501'),
    ('a.owner', $$ select public.change_plan(tests.id('a'), 'enterprise') $$, '42501'),
    ('a.owner', $$ select public.bootstrap_platform_admin(tests.id('a.owner')) $$, '42501'),
    ('a.owner', $$ select public.whoami() $$, '1 row'),
    ('a.owner', $$ update storage.objects set bucket_id = 'client_logos' where bucket_id = 'csv_uploads' $$, '42501'),
    ('a.owner', $$ select from storage.objects $$, '1 row'),
    ('b.owner', $$ select from storage.objects $$, '0 rows'),
    ('anon', $$ select from public.organizations $$, '42501'),
    ('anon', $$ insert into public.leads (organization_id, dataset_id) values (tests.id('a'), tests.id('a.dataset')) $$, '42501'),
    ('anon', $$ truncate public.leads $$, '42501'),
    ('anon', $$ select public.whoami() $$, '42501'),
    ('anon', $$ select from public.something_new $$, '42501'),
    ('service', $$ update public.audit_log set action = 'delete' $$, '42501'),
    ('service', $$ delete from public.prompt_versions $$, '42501'),
    ('service', $$ truncate public.leads $$, '42501'),
    ('service', $$ select public.doctor() limit 1 $$, '1 row'),
    ('service', $$ select from public.leads where organization_id = tests.id('a') limit 1 $$, '1 row');

create function tests.outcome(who text, statement text) returns text
    language plpgsql
as $$
declare
    told text;
begin
    case who
        when 'anon' then perform tests.as_anon();
        when 'service' then perform tests.as_service();
        else perform tests.as_user(who);
    end case;
    told := tests.attempt(statement);
    perform tests.as_owner();
    return told;
end;
$$;
grant execute on all functions in schema tests to anon, authenticated, service_role;
\o
select format('%s: %s: %s (%s, not %s)', case wanted when '42501' then 'open' else 'other' end, who, btrim(statement), outcome, wanted)
    from (select *, tests.outcome(who, statement) as outcome from tests.attacks) as a
    where outcome <> wanted
    order by place;

-- A new person gets a profile, and Realtime asks for the topic.
select tests.make_user('new.person') \g /dev/null
select 'other: a new user has no profile' where not exists (select from public.profiles where id = tests.id('new.person'));
select 'other: nobody may listen' where not exists (
    select from pg_policies where schemaname = 'realtime' and policyname = 'organization_topics_select');
rollback;
