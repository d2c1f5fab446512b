-- What PostgREST would make of our functions if it were let: no computed column, no trigger function to call, no
-- function of GraphQL, and nothing that an API role could alter because it owns it.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

-- A function of one row of a table is a column to PostgREST, with the rights of whoever asks for it.
select bag_eq($$
    select p.oid::regprocedure::text, p.prosecdef from pg_proc p
    join pg_type y on y.oid = any (p.proargtypes::oid[]) and y.typtype = 'c'
    where p.pronamespace = 'public'::regnamespace
$$, $$ values ('owner_id(organizations)', false), ('plan_tier(organizations)', false) $$,
    'the computed columns, with the rights of whoever asks: the documents'' names of an organization''s owner and plan');
select is_empty($$
    select p.oid::regprocedure from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proretset and p.prokind <> 'f'
$$, 'no procedures, aggregates or window functions in public');
select is_empty($$
    select r.oid::regclass, r.rulename from pg_rewrite r
    join pg_class c on c.oid = r.ev_class and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
    where r.rulename <> '_RETURN'
$$, 'no rules on tables');
select is_empty($$ select extname from pg_extension where extname in ('pg_graphql', 'http', 'dblink', 'postgres_fdw', 'file_fdw', 'plpython3u', 'plperlu') $$,
    'no extension that opens another door');
select is_empty($$
    select evtname from pg_event_trigger where evtowner <> 'supabase_admin'::regrole
$$, 'and no event trigger of ours');

-- Trigger functions, called by hand.
create temporary view triggers as
    select p.oid, p.oid::regprocedure::text as name, n.nspname,
        format('select %I.%I()', n.nspname, p.proname) as call
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('public', 'private', 'switchboard') and p.prorettype = 'trigger'::regtype and p.pronargs = 0;
grant select on triggers to authenticated, anon, service_role;
select cmp_ok((select count(*)::integer from triggers), '>=', 10, 'there are trigger functions');
select tests.as_user('a.owner');
select is(tests.attempt(call), '42501', format('authenticated: %s is not to be called', name)) from triggers order by name;
select tests.as_service();
select is_empty($$ select name from triggers where tests.attempt(call) <> '42501' $$, 'nor by service_role');
select tests.as_anon();
select is_empty($$ select name from triggers where tests.attempt(call) <> '42501' $$, 'nor by anon');

-- What only an owner of a table may do.
create temporary table commands (title text primary key, statement text);
insert into commands values
    ('switch row level security off', 'alter table public.leads disable row level security'),
    ('stop forcing it', 'alter table public.leads no force row level security'),
    ('drop a policy', 'drop policy leads_select on public.leads'),
    ('add a policy', 'create policy mine on public.leads for select to authenticated using (true)'),
    ('widen a policy', 'alter policy leads_select on public.leads using (true)'),
    ('add a trigger', 'create trigger mine before insert on public.leads for each row execute function public.update_updated_at_column()'),
    ('take a table', 'alter table public.leads owner to current_user'),
    ('truncate', 'truncate public.leads cascade'),
    ('make a function in public', 'create function public.mine() returns integer language sql return 1'),
    ('make a table in public', 'create table public.mine (id integer)'),
    ('make a schema', 'create schema mine'),
    ('replace a function', 'create or replace function public.whoami() returns jsonb language sql return null'),
    ('alter a function', 'alter function public.whoami() security definer'),
    ('alter a role', 'alter role authenticator set role = service_role'),
    ('alter the own role', 'alter role authenticated bypassrls'),
    ('make a role', 'create role mine'),
    ('alter the database', format('alter database %I set role = service_role', current_database())),
    ('make an extension', 'create extension dblink'),
    ('drop the extension', 'drop extension switchboard'),
    ('copy to a program', 'copy public.leads to program ''true'''),
    ('copy from a file', 'copy public.leads from ''/etc/passwd'''),
    ('read a file', 'select pg_read_file(''/etc/passwd'')'),
    ('read other sessions'' settings', 'select pg_reload_conf()'),
    ('import a large object', 'select lo_import(''/etc/passwd'')'),
    ('change a setting of the extension', 'set switchboard.key_file = ''/etc/passwd'''),
    ('replicate', 'set session_replication_role = replica'),
    ('listen to the statistics', 'select * from pg_statistic'),
    ('read passwords', 'select * from pg_authid'),
    ('read people', 'select * from auth.users'),
    ('read platform administrators', 'select * from private.platform_admins');
grant select on commands to authenticated, anon, service_role;
select tests.as_user('a.owner');
select is(
    tests.attempt(statement),
    case title when 'change a setting of the extension' then '55P02' else '42501' end,
    format('authenticated: %s', title)
) from commands order by title;
select tests.as_service();
select is_empty($$ select title, tests.attempt(statement) from commands where tests.attempt(statement) not in ('42501', '55P02') $$,
    'service_role can do none of it');
select tests.as_anon();
select is_empty($$ select title, tests.attempt(statement) from commands where tests.attempt(statement) not in ('42501', '55P02') $$,
    'nor can anon');

-- Row level security cannot be asked to step aside: the statement fails instead of showing everything.
select tests.as_user('a.owner');
set local row_security = off;
select is(tests.attempt(format('select 1 from public.%I', name)), '42501', format('row_security off: %s is refused', name))
    from tests.tenant_tables where name not in ('provider_accounts') order by name;
set local row_security = on;
select is(tests.attempt('select 1 from public.leads'), '2 rows', 'on again: the own rows');

-- Statistics tell nobody another tenant's values.
select is(tests.attempt($$ select 1 from pg_stats where schemaname in ('public', 'private') $$), '0 rows', 'pg_stats is empty for a client');

select * from finish();
rollback;
