-- allowed_dataset_ids: what a member with some datasets reaches in every table that a dataset divides, by
-- every verb and through every RPC; with none; and what a scope does not touch.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);

-- One set of rows for each of two datasets, and rows without any.
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.other'), 'Other list');
insert into public.uploads (organization_id, dataset_id, filename) values
    (tests.id('a'), tests.id('a.other'), 'other.csv'), (tests.id('a'), null, 'none.csv');
delete from public.upload_errors;
delete from public.upload_rows;
insert into public.upload_errors (organization_id, upload_id, dataset_id, row_number, reason)
    select organization_id, id, dataset_id, 1, 'required' from public.uploads where organization_id = tests.id('a');
delete from public.exports;
insert into public.exports (organization_id, dataset_id, expires_at)
    select organization_id, dataset_id, now() from public.uploads where organization_id = tests.id('a');
insert into public.upload_rows (organization_id, upload_id, dataset_id, row_number, decision)
    select organization_id, id, dataset_id, 1, 'skipped' from public.uploads where organization_id = tests.id('a');
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number, assigned_to) values
    (tests.id('a'), tests.id('a.lead.other'), tests.id('a.other'), 'Lead 003', '07700 900011', tests.id('a.sales_rep')),
    (tests.id('a'), tests.id('a.lead.removed'), tests.id('a.other'), 'Lead 004', '07700 900012', null);
update public.leads set contact_status = 'REMOVED' where id = tests.id('a.lead.removed');
insert into public.lessons (organization_id, id, dataset_id, lesson_type, title) values
    (tests.id('a'), tests.id('a.lesson.in'), tests.id('a.dataset'), 'never_rule', 'Of the list'),
    (tests.id('a'), tests.id('a.lesson.out'), tests.id('a.other'), 'never_rule', 'Of the other list');
insert into public.prompts (organization_id, id, dataset_id, name) values
    (tests.id('a'), tests.id('a.prompt.in'), tests.id('a.dataset'), 'Of the list'),
    (tests.id('a'), tests.id('a.prompt.out'), tests.id('a.other'), 'Of the other list');
insert into public.calls (organization_id, id, lead_id, direction, called_number, provider, provider_sid, decision) values
    (tests.id('a'), tests.id('a.call.out'), tests.id('a.lead.other'), 'inbound', '+443069990801', 'twilio', 'CA other', '{}');
select tests.as_user('a.owner');
select public.publish_prompt(tests.id('a.prompt.in'), 'test');
select public.publish_prompt(tests.id('a.prompt.out'), 'test');
select tests.as_owner();

-- Rows of a table that a member reaches, by dataset: in, out, or none.
create function tests.reached(table_name text, dataset_column text, verb text) returns text
    language plpgsql
as $$
declare
    result text;
begin
    execute format(
        case verb
            when 'select' then 'select %1$s from public.%2$I'
            when 'update' then 'with t as (update public.%2$I set %3$s returning %4$I) select %1$s from t'
            when 'delete' then 'with t as (delete from public.%2$I returning %4$I) select %1$s from t'
        end,
        format($f$ concat_ws(' ',
                nullif(btrim(repeat('in ', count(*) filter (where %1$I = tests.id('a.dataset'))::integer)), ''),
                nullif(btrim(repeat('none ', count(*) filter (where %1$I is null)::integer)), ''),
                nullif(btrim(repeat('out ', count(*) filter (where %1$I = tests.id('a.other'))::integer)), ''))
            $f$, dataset_column),
        table_name,
        (select change from tests.tenant_tables t where t.name = table_name),
        dataset_column
    ) into result;
    raise exception using errcode = 'ZZ999', message = result;
exception
    when sqlstate 'ZZ999' then
        return result;
    when others then
        return sqlstate;
end;
$$;
grant execute on function tests.reached(text, text, text) to authenticated;


-- Every table that a dataset divides: with a column dataset_id, and datasets itself.
create temporary view divided as
    select c.relname::text as name, a.attname::text as dataset_column
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        and a.attname = case c.relname when 'datasets' then 'id' else 'dataset_id' end
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p');
grant select on divided to authenticated;
select bag_eq('select name from divided', $$ values ('calls'), ('datasets'), ('leads'), ('lessons'), ('prompts'), ('prompt_versions'), ('uploads'), ('upload_errors'), ('upload_rows'), ('exports'), ('lead_events') $$,
    'the tables that a dataset divides');
select is_empty($$
    select d.name from divided d
    where not exists (
        select from pg_policies p
        where p.schemaname = 'public' and p.tablename = d.name and p.cmd = 'SELECT'
            and p.qual ~ format('%s = ANY \(\( SELECT switchboard\.dataset_scope\(\)', d.dataset_column)
    )
$$, 'their policies compare the scope: a new one has to as well');

-- Without a scope: everything. With one: what is in it; with none: nothing that a dataset divides. Lessons and
-- prompts without a dataset are the whole organization's: readable, not changed.
create function tests.with_scope(member text, datasets uuid[]) returns void
    language plpgsql
as $$
begin
    perform tests.as_owner();
    update public.memberships set allowed_dataset_ids = datasets where user_id = tests.id(member);
    perform tests.as_user(member);
end;
$$;
grant execute on function tests.with_scope(text, uuid[]) to authenticated;
create temporary table expected (name text primary key, all_of text, partly text, nothing text, changes boolean, deletes text);
insert into expected values
    ('calls', 'in none out', 'in', '', false, 'in none out'),
    ('datasets', 'in out', 'in', '', true, 'in out'),
    ('leads', 'in in out out', 'in in', '', true, 'in in out out'),
    ('lessons', 'in none out', 'in none', 'none', true, 'in none out'),
    ('prompts', 'in none out', 'in none', 'none', true, '23503'),
    ('prompt_versions', 'in none out', 'in none', 'none', false, '42501'),
    ('uploads', 'in none out', 'in', '', false, 'in none out'),
    ('upload_errors', 'in none out', 'in', '', false, '42501'),
    ('upload_rows', 'in none out', 'in', '', false, '42501'),
    ('exports', 'in none out', 'in', '', false, '42501'),
    ('lead_events', 'in in out', 'in in', '', false, '42501');
grant select on expected to authenticated;
select tests.as_user('a.admin');
select is(tests.reached(d.name, d.dataset_column, 'select'), e.all_of, format('no scope: select %s', d.name))
    from divided d join expected e using (name) order by d.name;
select is(tests.reached(d.name, d.dataset_column, 'update'), case when e.changes then e.all_of else '42501' end, format('no scope: update %s', d.name))
    from divided d join expected e using (name) order by d.name;
select is(tests.reached(d.name, d.dataset_column, 'delete'), e.deletes, format('no scope: delete %s', d.name))
    from divided d join expected e using (name) order by d.name;
select tests.with_scope('a.admin', array[tests.id('a.dataset')]);
select is(tests.reached(d.name, d.dataset_column, 'select'), e.partly, format('one dataset: select %s', d.name))
    from divided d join expected e using (name) order by d.name;
select is(tests.reached(d.name, d.dataset_column, 'update'),
    case when e.changes then replace(e.partly, ' none', '') else '42501' end, format('one dataset: update %s', d.name))
    from divided d join expected e using (name) order by d.name;
select is(tests.reached(d.name, d.dataset_column, 'delete'),
    case when d.name = 'prompts' then 'in' when e.deletes ~ '^\d' then e.deletes else replace(e.partly, ' none', '') end,
    format('one dataset: delete %s', d.name))
    from divided d join expected e using (name) where d.name <> 'prompts' order by d.name;
select tests.with_scope('a.admin', '{}');
select is(tests.reached(d.name, d.dataset_column, 'select'), e.nothing, format('an empty scope: select %s', d.name))
    from divided d join expected e using (name) order by d.name;
select is(tests.reached(d.name, d.dataset_column, 'update'), case when e.changes then '' else '42501' end, format('an empty scope: update %s', d.name))
    from divided d join expected e using (name) order by d.name;
select is(tests.reached(d.name, d.dataset_column, 'delete'), case when e.deletes = '42501' then '42501' else '' end, format('an empty scope: delete %s', d.name))
    from divided d join expected e using (name) order by d.name;
select is(tests.attempt('select 1 from public.agents'), '1 row', 'a scope leaves what no dataset divides: agents');
select is(tests.attempt('select 1 from public.campaign_settings'), '1 row', 'campaign settings are read');

-- Writes into and across the border, as a manager with one dataset. An unknown dataset gets the same answer.
select tests.with_scope('a.manager', array[tests.id('a.dataset')]);
select is(tests.attempt(format(s.statement, tests.id(d.id))), d.outcome, format('%s: %s', d.title, s.statement)) from (values
    ('in scope', 'a.dataset', '1 row'), ('out of scope', 'a.other', '42501'), ('a dataset that does not exist', 'nowhere', '42501')
) as d (title, id, outcome), (values
    ($$ insert into public.leads (dataset_id, first_name, phone_number) values (%L, 'Lead 009', '07700 900019') $$),
    ($$ insert into public.uploads (dataset_id, filename) values (%L, 'x.csv') $$),
    ($$ insert into public.lessons (dataset_id, lesson_type, title) values (%L, 'never_rule', 'New') $$),
    ($$ insert into public.prompts (dataset_id, name) values (%L, 'New') $$)
) as s (statement);
select is(tests.attempt(s.statement), '42501', format('without a dataset: %s', s.statement)) from (values
    ($$ insert into public.uploads (filename) values ('x.csv') $$),
    ($$ insert into public.lessons (lesson_type, title) values ('never_rule', 'New') $$),
    ($$ insert into public.prompts (name) values ('New') $$),
    ($$ insert into public.datasets (name) values ('New') $$),
    ($$ insert into public.campaign_settings (m1_message) values ('Hello') $$)
) as s (statement);
select is(tests.attempt($$ update public.campaign_settings set m1_message = 'Hi' $$), '0 rows', 'campaign settings may serve other datasets: not changed');
select is(tests.attempt(format('update public.leads set dataset_id = %L', tests.id('a.other'))), '42501', 'a lead does not leave the scope');
select is(tests.attempt(format('update public.lessons set dataset_id = null where id = %L', tests.id('a.lesson.in'))), '42501',
    'a lesson does not become everybody''s');
select is(tests.attempt(format('update public.prompts set dataset_id = %L where id = %L', tests.id('a.other'), tests.id('a.prompt.in'))), '42501',
    'a prompt does not move to another dataset');
select is(tests.value('select lessons_count from public.prompts where name = ''Of the list'''), '2',
    'a draft is compiled with its lessons');
update public.prompts set prompt_structure = prompt_structure where id = tests.id('a.prompt.in');
select is(tests.value('select lessons_count from public.prompts where name = ''Of the list'''), '2',
    'also when a member with a scope writes it: the general ones are there');

-- RPCs.
select is(
    tests.refusal(format($$ select public.import_leads(%L, '[]') $$, tests.id('a.other'))) - 'context',
    tests.refusal(format($$ select public.import_leads(%L, '[]') $$, tests.id('nowhere'))) - 'context',
    'import into a dataset out of scope: as if it were not there');
select is(tests.refusal(format($$ select public.import_leads(%L, '[]') $$, tests.id('a.other'))) ->> 'sqlstate', 'PT404', 'which is PT404');
create temporary table report as
    select public.import_leads(tests.id('a.dataset'), '[
        {"first_name": "Lead 011", "phone_number": "07700 900011"},
        {"first_name": "Lead 012", "phone_number": "07700 900012"},
        {"first_name": "Lead 001", "phone_number": "07700 900001"}
    ]', '{"duplicate_action": "skip", "required_fields": []}') as r;
select is(r ->> 'inserted', '1', 'import: a number that another dataset has is no duplicate for a member who cannot see it') from report;
select is(r ->> 'suppressed', '1', 'but an opt-out counts wherever it stands') from report;
select is(r ->> 'skipped', '1', 'and a duplicate in scope is one') from report;
select is(jsonb_array_length(r -> 'duplicates'), 1, 'the report names the one that the member can see') from report;
select is(tests.value($$ select contact_status from public.leads where phone_number = '+447700900012' $$), 'REMOVED',
    'the suppressed number is kept removed');
select is(tests.attempt($$ select public.find_by_phone('07700 900011') $$), '1 row', 'find_by_phone finds it once now, in scope');
select is(tests.value($$ select count(*) from public.find_by_phone('07700 900012') $$), '1', 'and not the lead out of scope');
select tests.with_scope('a.admin', array[tests.id('a.dataset')]);
select is(tests.refusal(format($$ select public.publish_prompt(%L, 'test') $$, tests.id('a.prompt.in'))), '{}', 'publish in scope');
select is(r.refusal ->> 'sqlstate', 'PT404', 'publish ' || r.title) from (
    select title, tests.refusal(format($$ select public.publish_prompt(%L, 'test') $$, tests.id(prompt))) as refusal
    from (values ('out of scope', 'a.prompt.out'), ('of the whole organization', 'a.prompt'), ('of nobody', 'nowhere')) as p (title, prompt)
) as r;
select is(tests.refusal(format($$ select public.call_recording(%L) $$, tests.id('a.call.rep'))), '{}', 'a recording in scope');
select is(tests.refusal(format($$ select public.call_recording(%L) $$, tests.id('a.call.out'))) ->> 'sqlstate', 'PT404', 'and out of it');

-- A scope and own rows: both have to hold.
select tests.with_scope('a.sales_rep', null);
select is(tests.reached('leads', 'dataset_id', 'select'), 'in out', 'a sales_rep without a scope: the own leads');
select is(tests.reached('calls', 'dataset_id', 'select'), 'in out', 'and their calls');
select tests.with_scope('a.sales_rep', array[tests.id('a.dataset')]);
select is(tests.reached('leads', 'dataset_id', 'select'), 'in', 'with a scope: the own leads in it');
select is(tests.reached('calls', 'dataset_id', 'select'), 'in', 'and their calls');

-- Calls follow their lead: to another dataset, to another member, and stay when it goes.
select tests.as_owner();
create function tests.of_call() returns text
    language sql
    return (
        select format('%s %s', case dataset_id when tests.id('a.dataset') then 'in' when tests.id('a.other') then 'out' end,
            case assigned_to when tests.id('a.sales_rep') then 'rep' when tests.id('a.viewer') then 'viewer' end)
        from public.calls where id = tests.id('a.call.rep')
    );
select is(tests.of_call(), 'in rep', 'a call has the dataset and the member of its lead');
update public.leads set dataset_id = tests.id('a.other') where id = tests.id('a.lead.rep');
select is(tests.of_call(), 'out rep', 'the lead moves: the call is in the other dataset');
update public.leads set assigned_to = tests.id('a.viewer') where id = tests.id('a.lead.rep');
select is(tests.of_call(), 'out viewer', 'the lead is reassigned: the call is the other member''s');
update public.calls set lead_id = null where id = tests.id('a.call.rep');
select is(tests.of_call(), 'out viewer', 'the lead goes: the call stays where it was');
update public.calls set lead_id = tests.id('a.lead') where id = tests.id('a.call.rep');
select is(tests.of_call(), 'in ', 'another lead: the call is with that one');
insert into public.calls (organization_id, id, dataset_id, assigned_to, direction, called_number, provider, provider_sid, decision)
values (tests.id('a'), tests.id('a.call.forged'), tests.id('a.other'), tests.id('a.viewer'), 'inbound', '+443069990801', 'twilio', 'CA forged', '{}');
select is((select num_nonnulls(dataset_id, assigned_to) from public.calls where id = tests.id('a.call.forged')), 0,
    'a call without a lead has neither, whatever was written');
update public.leads set assigned_to = tests.id('a.sales_rep') where id = tests.id('a.lead');
delete from public.memberships where user_id = tests.id('a.sales_rep');
select is(tests.of_call(), 'in ', 'a member who leaves has no calls');
delete from public.datasets where id = tests.id('a.dataset');
select is(tests.of_call(), ' ', 'a dataset that goes takes its leads, and the calls stay with the organization');

select * from finish();
rollback;
