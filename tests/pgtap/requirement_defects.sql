-- The defects X1 to X12 that the requirement documents' own SQL was measured to have. Each is tried here as
-- it was there, and must not happen.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

-- X1 (S4): run from top to bottom, the script failed where a table came before the one it names.
select is_empty($$
    select child, parent from (values
        ('datasets', 'campaign_settings'), ('prompts', 'prompt_templates'), ('prompts', 'datasets'),
        ('leads', 'datasets'), ('leads', 'uploads'), ('leads', 'memberships'), ('lessons', 'datasets'),
        ('prompt_versions', 'prompts'), ('campaign_settings', 'phone_numbers'), ('organizations', 'agents')
    ) as wanted (child, parent)
    where not exists (
        select from pg_constraint k
        where k.contype = 'f' and k.convalidated
            and k.conrelid = ('public.' || child)::regclass and k.confrelid = ('public.' || parent)::regclass
    )
$$, 'X1: each reference that S4''s script tripped over exists, circular ones included');
select is_empty($$
    select c.oid::regclass from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
        and not exists (select from pg_policy p where p.polrelid = c.oid)
$$, 'X1: and each table got its policies');

-- X2 (S4): a policy on users that reads users: 42P17 on every table.
select tests.as_user('a.viewer');
select lives_ok(format('select count(*) from public.%I', c.relname), format('X2: no recursion in the policies of %s', c.relname))
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v') and c.relname not in ('provider_accounts', 'plan_overrides')
    order by c.relname;
select lives_ok('select count(id) from public.provider_accounts', 'X2: nor of provider_accounts');

-- X3 (S4): prompt_templates and prompt_versions without row level security.
select tests.as_user('a.owner');
select is(tests.attempt(tests.statement('select', name, 'b')), '0 rows', format('X3: %s of another tenant are not readable', name))
    from unnest(array['prompt_templates', 'prompt_versions']) as name;
select is(tests.attempt(tests.statement('insert', name, 'b')), '42501', format('X3: nor writable: %s', name))
    from unnest(array['prompt_templates', 'prompt_versions']) as name;
select is(tests.attempt(tests.statement('select', name, 'a')), '1 row', format('X3: the own ones are there: %s', name))
    from unnest(array['prompt_templates', 'prompt_versions']) as name;

-- X4 (S4): only SELECT policies, so no client could write.
select tests.as_user('a.manager');
select lives_ok(format($$
    insert into public.leads (dataset_id, first_name, phone_number) values (%L, 'Lead 100', '07700 900100')
$$, tests.id('a.dataset')), 'X4: a member inserts a lead');
select lives_ok($$ update public.leads set notes = 'called' where first_name = 'Lead 100' $$, 'X4: and changes it');
select is((select notes from public.leads where first_name = 'Lead 100'), 'called', 'X4: as it then reads');
select tests.as_user('a.admin');
select is(tests.attempt($$ delete from public.leads where first_name = 'Lead 100' $$), '1 row', 'X4: and an admin deletes it');
select tests.as_user('a.viewer');
select is(tests.attempt(tests.statement('insert', 'leads', 'a')), '42501', 'X4: a viewer does not');

-- X5 (S4): the counters ignored DELETE and left both datasets wrong when a lead moved.
select tests.as_owner();
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.other'), 'Other list');
select is((select total_leads from public.datasets where id = tests.id('a.dataset')), 3, 'X5: three leads');
update public.leads set dataset_id = tests.id('a.other') where organization_id = tests.id('a') and first_name = 'Lead 100';
select results_eq(
    format('select total_leads from public.datasets where organization_id = %L order by name', tests.id('a')),
    array[2, 1], 'X5: a lead that moves leaves one dataset and enters the other');
delete from public.leads where organization_id = tests.id('a') and first_name = 'Lead 100';
select results_eq(
    format('select total_leads from public.datasets where organization_id = %L order by name', tests.id('a')),
    array[2, 0], 'X5: a lead that is deleted is no longer counted');

-- X6 (S4): a recount per row. Here the dataset is written once per statement, however many rows it has.
select is_empty($$
    select t.tgname from pg_trigger t
    where t.tgfoid = 'switchboard.maintain_counts()'::regprocedure
        and (pg_get_triggerdef(t.oid) !~ 'FOR EACH STATEMENT' or pg_get_triggerdef(t.oid) ~ ' UPDATE OF ')
$$, 'X6: the counters'' triggers are per statement');
select is((select count(*)::integer from pg_trigger t where t.tgfoid = 'switchboard.maintain_counts()'::regprocedure
    and t.tgrelid = 'public.leads'::regclass), 4, 'X6: for insert, update, delete and truncate');
create temporary table writes (n integer);
create function tests.count_write() returns trigger language plpgsql as $$ begin insert into writes values (1); return null; end; $$;
create trigger zz_count_write after update on public.datasets for each row execute function tests.count_write();
insert into public.leads (organization_id, dataset_id, first_name, phone_number)
values (tests.id('a'), tests.id('a.other'), 'Lead', '07700 900200');
select is((select count(*)::integer from writes), 1, 'X6: one row, one write of the dataset');
insert into public.leads (organization_id, dataset_id, first_name, phone_number)
select tests.id('a'), tests.id('a.other'), 'Lead', '+4477009' || to_char(n, 'FM00000') from generate_series(201, 700) as n;
select is((select count(*)::integer from writes), 2, 'X6: five hundred rows, one write of the dataset');
select is((select total_leads from public.datasets where id = tests.id('a.other')), 501, 'X6: and all are counted');
update public.leads set notes = 'x' where dataset_id = tests.id('a.other');
select is((select count(*)::integer from writes), 2, 'X6: an update that changes no counter writes none');
delete from public.leads where dataset_id = tests.id('a.other');
select is((select count(*)::integer from writes), 3, 'X6: five hundred deleted, one write');

-- X7 (S4): a lead of client B in a dataset of client A; two live prompts on one dataset.
select is(tests.attempt(format($$
    insert into public.leads (organization_id, dataset_id, first_name, phone_number) values (%L, %L, 'Lead', '07700 900100')
$$, tests.id('b'), tests.id('a.dataset'))), '23503', 'X7: not even the tables'' owner puts a lead into another tenant''s dataset');
select hasnt_column('public', 'prompts', 'is_live', 'X7: live is no flag on a prompt that two could carry');
select col_type_is('public', 'agents', 'prompt_version_id', 'uuid', 'X7: but the one version that an agent points to');

-- X8 (S1): is_super_admin() was true for an admin of any organization; a viewer could insert.
select tests.as_user('a.admin', null, '{"aal": "aal2"}');
select ok(not switchboard.is_platform_admin(), 'X8: an admin of an organization is no platform administrator');
select is(tests.attempt(tests.statement('select', 'customers', 'b')), '0 rows', 'X8: and does not read another''s customers');
select is(tests.attempt(tests.statement('delete', 'customers', 'b')), '0 rows', 'X8: nor delete them');
select is(tests.attempt(tests.statement('delete', 'customers', 'a')), '1 row', 'X8: but the own ones');
select tests.as_user('a.viewer');
select is(tests.attempt(tests.statement('insert', 'customers', 'a')), '42501', 'X8: a viewer inserts nothing');
select is(tests.attempt(tests.statement('select', 'customers', 'a')), '1 row', 'X8: and reads');

-- X9 (S1): organizations with row level security and no policy; plan_tier only in the prose.
select is((select count(*)::integer from public.organizations), 1, 'X9: a member sees the own organization');
select is((select plan from public.organizations), 'enterprise', 'X9: with its plan');
select tests.as_owner();
select is(tests.attempt($$ update public.organizations set plan = 'platinum' $$), '23503', 'X9: which is one of those there are');

-- X10 (S2): exec_sql, SECURITY DEFINER, executable by everyone.
select is_empty($$
    select p.oid::regprocedure from pg_proc p
    where p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        and p.proname in ('exec_sql', 'execute_sql', 'run_sql', 'exec', 'query')
$$, 'X10: there is no exec_sql');
select is_empty($$
    select p.oid::regprocedure from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('public', 'private', 'switchboard') and has_function_privilege('anon', p.oid, 'execute')
$$, 'X10: anon executes no function of ours');
select tests.as_anon();
select is(tests.attempt($$ drop table public.leads $$), '42501', 'X10: and drops no table');
select is(tests.attempt($$ select public.whoami() $$), '42501', 'X10: nor calls an RPC');

-- X11 (S3): numbers bound to another organization's agent, in two organizations, with readable tokens.
select tests.as_owner();
select is(tests.attempt(format('update public.phone_numbers set agent_id = %L where organization_id = %L', tests.id('b.agent'), tests.id('a'))),
    '23503', 'X11: a number takes no agent of another organization');
select is(tests.attempt(format('update public.phone_numbers set agent_id = %L where organization_id = %L', tests.id('a.agent'), tests.id('a'))),
    '1 row', 'X11: but one of its own');
select is(tests.attempt(format($$
    insert into public.phone_numbers (organization_id, provider, phone_number) values (%L, 'twilio', '+443069990801')
$$, tests.id('b'))), '23505', 'X11: a number is active in one organization only');
select tests.as_user('a.owner');
select is(tests.attempt('select credentials from public.provider_accounts'), '42501', 'X11: no member reads credentials');
select is(tests.attempt('select * from public.provider_accounts'), '42501', 'X11: nor by asking for everything');
select is(tests.attempt('select credentials_hint from public.provider_accounts'), '1 row', 'X11: but the hint');
select hasnt_column('public', 'phone_numbers', 'credentials', 'X11: a number has no credentials of its own');

-- X12 (S0): insert without a row in return, updated_at without a trigger, only the owner, only two verbs.
select tests.as_user('a.manager');
create temporary table made as
    with i as (insert into public.agents (name, greeting) values ('New agent', 'Hello') returning *) select * from i;
select is((select organization_id from made), tests.id('a'), 'X12: an insert returns its row to the member who made it');
select is((select created_by from made), tests.id('a.manager'), 'X12: who is noted');
select is(tests.attempt(format('update public.agents set greeting = ''Hi'' where id = %L', (select id from made))), '1 row', 'X12: and may update it');
select tests.as_user('a.admin');
select is(tests.attempt(format('delete from public.agents where id = %L', (select id from made))), '1 row', 'X12: and an admin delete it');
select tests.as_owner();
-- updated_at is the transaction's time, so look at one that was made to be older.
alter table public.agents disable trigger set_updated_at;
update public.agents set updated_at = now() - interval '1 day' where id = tests.id('a.agent');
alter table public.agents enable trigger set_updated_at;
select tests.as_user('a.manager');
update public.agents set greeting = 'Good morning' where id = tests.id('a.agent');
select is((select updated_at from public.agents where id = tests.id('a.agent')), now(), 'X12: updated_at follows');
select tests.as_owner();
update public.agents set updated_at = '2000-01-01' where id = tests.id('a.agent');
select is((select updated_at from public.agents where id = tests.id('a.agent')), now(), 'X12: whatever is sent');

select * from finish();
rollback;
