-- A member whose scope is one dataset against what belongs to another dataset of the same organization: every role that
-- can be limited, every table that says which dataset its rows belong to, every verb, and the RPCs that work for them.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.mine'), 'Mine');
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number)
values (tests.id('a'), tests.id('a.lead.mine'), tests.id('a.mine'), 'Lead 003', '07700 900004');
update public.prompts set dataset_id = tests.id('a.dataset') where organization_id = tests.id('a');
insert into public.upload_errors (organization_id, upload_id, dataset_id, row_number, reason) values
    (tests.id('a'), tests.id('a.upload'), tests.id('a.dataset'), 2, 'required');
insert into public.upload_rows (organization_id, upload_id, dataset_id, row_number, decision) values
    (tests.id('a'), tests.id('a.upload'), tests.id('a.dataset'), 3, 'skipped');
insert into public.exports (organization_id, dataset_id, expires_at) values (tests.id('a'), tests.id('a.dataset'), now());
update public.lessons set dataset_id = tests.id('a.dataset') where organization_id = tests.id('a');
insert into public.calls (organization_id, id, lead_id, direction, called_number, provider, provider_sid, decision, recording_path)
values (tests.id('a'), tests.id('a.call.scoped'), tests.id('a.lead'), 'inbound', '+443069990801', 'twilio', 'CA scoped', '{}', 'secret.wav');

-- Rows of the other dataset, by table; versions, which never change, are published below.
create temporary view scoped_tables as
    select t.name, case t.name when 'datasets' then 'id' else 'dataset_id' end as dataset_column, t.insert_columns, t.insert_values, t.change
    from tests.tenant_tables t
    where t.name = 'datasets' or exists (
        select from pg_attribute a
        where a.attrelid = format('public.%I', t.name)::regclass and a.attname = 'dataset_id' and not a.attisdropped
    );
create temporary table tries as
    select s.name, v.verb, v.statement
    from scoped_tables s
    cross join lateral (values
        ('select', format('select 1 from public.%I where %I = %L', s.name, s.dataset_column, tests.id('a.dataset'))),
        ('select anything', format('select 1 from public.%I where %I <> %L', s.name, s.dataset_column, tests.id('a.mine'))),
        ('update', format('update public.%I set %s where %I = %L', s.name, s.change, s.dataset_column, tests.id('a.dataset'))),
        ('delete', format('delete from public.%I where %I = %L', s.name, s.dataset_column, tests.id('a.dataset'))),
        ('move out', format('update public.%I set dataset_id = %L', s.name, tests.id('a.dataset'))),
        ('move to all', format('update public.%I set dataset_id = null', s.name)),
        ('insert', case when s.insert_columns ~ '\mdataset_id\M'
            then replace(format('insert into public.%I (%s) values (%s)', s.name, s.insert_columns, s.insert_values), '$t', 'a')
            else replace(format('insert into public.%I (dataset_id, %s) values (%L, %s)', s.name, s.insert_columns, tests.id('a.dataset'), s.insert_values), '$t', 'a')
        end)
    ) as v (verb, statement)
    where s.name <> 'datasets' or v.verb not in ('insert', 'move out', 'move to all');
grant select on tries to authenticated;
select set_eq('select name from scoped_tables',
    array['datasets', 'uploads', 'upload_errors', 'upload_rows', 'exports', 'lead_events', 'leads', 'lessons', 'prompts', 'prompt_versions', 'calls'],
    'the tables whose rows belong to a dataset');

select tests.as_user('a.owner');
select lives_ok(format('select public.publish_prompt(%L, ''test'')', tests.id('a.prompt')), 'a version of the other dataset''s prompt');
select isnt_empty($$ select from public.prompt_versions where dataset_id is not null $$, 'which says so');
-- The same statements by the owner: those that the tables allow at all find rows.
select is_empty($$ select name from tries where verb = 'select' and tests.attempt(statement) !~ '^[1-9]' $$, 'there is a row of the other dataset in each table');
select tests.as_owner();
update public.memberships set allowed_dataset_ids = array[tests.id('a.mine')] where organization_id = tests.id('a') and role <> 'owner';
-- More than their role gives, so that only the scope stands in the way.
update public.memberships set can_view_all_leads = true, can_edit_lessons = true, permissions = '{"prompts.publish": true, "recordings.read": true}'
    where organization_id = tests.id('a') and role in ('manager', 'sales_rep', 'viewer');

create function tests.out_of_scope(person text) returns table (name text, verb text, outcome text)
    language plpgsql
as $$
begin
    perform tests.as_user(person);
    return query select t.name, t.verb, tests.attempt(t.statement) from tries t
        where tests.attempt(t.statement) not in ('0 rows', '42501');
end;
$$;
grant execute on all functions in schema tests to authenticated;
select is_empty(format('select * from tests.out_of_scope(%L)', 'a.' || role), format('%s with a scope: nothing of another dataset', role))
    from unnest(array['admin', 'manager', 'sales_rep', 'viewer']) as role;

-- Within the scope they work.
select tests.as_user('a.manager');
select results_eq('select id from public.leads', array[tests.id('a.lead.mine')], 'the leads of the own dataset');
select results_eq('select id from public.datasets', array[tests.id('a.mine')], 'and the dataset');
select is(tests.attempt($$ update public.leads set notes = 'x' $$), '1 row', 'which a manager changes');
select is(tests.attempt(format($$ insert into public.leads (dataset_id, first_name, phone_number) values (%L, 'Lead 004', '07700 900005') $$, tests.id('a.mine'))),
    '1 row', 'and adds to');

-- A lead that they do not see is none to point at: as whoever is limited to datasets, and as whoever sees the own ones only.
select tests.as_owner();
insert into public.memberships (organization_id, user_id, role) values (tests.id('a'), tests.make_user('a.rep'), 'sales_rep');
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number, assigned_to)
values (tests.id('a'), tests.id('a.lead.hers'), tests.id('a.mine'), 'Lead 006', '07700 900006', tests.id('a.rep')),
    (tests.id('a'), tests.id('a.lead.hers.too'), tests.id('a.mine'), 'Lead 007', '07700 900007', tests.id('a.rep'));
create function tests.point_at(lead text) returns jsonb
    language sql
as $$
    select tests.refusal(format('update public.leads set duplicate_of = %L where id = %L', tests.id(lead),
        case when switchboard.user_id() = tests.id('a.rep') then tests.id('a.lead.hers') else tests.id('a.lead.mine') end)) - 'context'
$$;
create function tests.insert_pointing_at(lead text) returns jsonb
    language sql
as $$
    select tests.refusal(format($i$ insert into public.leads (dataset_id, first_name, phone_number, assigned_to, duplicate_of)
        values (%L, 'Lead 008', '07700 900008', switchboard.user_id(), %L) $i$, tests.id('a.mine'), tests.id(lead))) - 'context'
$$;
grant execute on function tests.point_at(text), tests.insert_pointing_at(text) to authenticated;
select tests.as_user('a.manager');
select is(tests.point_at('a.lead'), tests.point_at('nowhere'), 'duplicate_of: a lead of another dataset is like none');
select is(tests.insert_pointing_at('a.lead'), tests.insert_pointing_at('nowhere'), 'so it is for a new lead');
select is(tests.point_at('nowhere') ->> 'sqlstate', '23503', 'as the foreign key has it');
select is(tests.point_at('a.lead.hers'), '{}', 'one that they see is fine');
select is(tests.insert_pointing_at('a.lead.hers'), '{}', 'also for a new lead');
select tests.as_user('a.rep');
select is(tests.point_at('a.lead.mine'), tests.point_at('nowhere'), 'duplicate_of: a lead of somebody else is like none');
select is(tests.insert_pointing_at('a.lead.mine'), tests.insert_pointing_at('nowhere'), 'so it is for a new lead of a sales rep');
select is(tests.point_at('a.lead.hers.too'), '{}', 'an own one is fine');
-- What a manager has pointed at something that the rep does not see stays as it is in whatever else the rep writes.
select tests.as_owner();
update public.leads set duplicate_of = tests.id('a.lead.mine') where id = tests.id('a.lead.hers');
select tests.as_user('a.rep');
select is(tests.attempt(format('update public.leads set notes = ''x'', duplicate_of = duplicate_of where id = %L', tests.id('a.lead.hers'))), '1 row',
    'a row that is sent back whole is not refused for what was in it');

-- The audit log repeats what was in the rows, of prompts and lessons for example.
select tests.as_owner();
update public.prompts set description = 'Secret of the other dataset' where organization_id = tests.id('a');
select tests.as_user('a.owner');
select isnt_empty($$ select from public.audit_log where after::text ~ 'Secret of the other dataset' $$, 'audit_log: an owner reads what changed');
select tests.as_user('a.admin');
select is_empty($$ select table_name, action, after from public.audit_log $$, 'audit_log: an admin with a scope reads none of it');
select tests.as_user('a.manager');

-- Through the RPCs.
select is(tests.refusal(format($$ select public.import_leads(%L, '[{"first_name": "X", "phone_number": "07700 900009"}]') $$, tests.id('a.dataset'))) ->> 'sqlstate',
    'PT404', 'import_leads: no other dataset is there');
select is(tests.refusal(format($$ select public.import_leads(%L, '[{"first_name": "X", "phone_number": "07700 900009"}]') $$, tests.id('a.dataset'))) - 'context',
    tests.refusal(format($$ select public.import_leads(%L, '[{"first_name": "X", "phone_number": "07700 900009"}]') $$, tests.id('nowhere'))) - 'context',
    'import_leads: it answers as for one that does not exist');
select is(tests.value(format($$ select public.import_leads(%L, '[{"first_name": "X", "phone_number": "07700 900001"}]', '{"duplicate_action": "merge", "required_fields": []}') ->> 'merged' $$, tests.id('a.mine'))),
    '0', 'import_leads: a number of a lead of another dataset is no duplicate to merge with');
select is(tests.refusal(format($$ select public.publish_prompt(%L, 'mine now') $$, tests.id('a.prompt'))) ->> 'sqlstate', 'PT404',
    'publish_prompt: no prompt of another dataset');
select is(tests.refusal(format($$ select public.call_recording(%L) $$, tests.id('a.call.scoped'))) ->> 'sqlstate', 'PT404',
    'call_recording: no call of another dataset''s lead');
select is(tests.value($$ select count(*) from public.find_by_phone('07700 900002') where kind = 'lead' $$), '0',
    'find_by_phone: no lead of another dataset');
select is(tests.value($$ select count(*) from public.find_by_phone('07700 900004') where kind = 'lead' $$), '1', 'but of the own one');

-- No dataset is not all datasets, and the last one that goes leaves none.
select tests.as_owner();
update public.memberships set allowed_dataset_ids = '{}' where user_id = tests.id('a.manager');
select is_empty($$ select * from tests.out_of_scope('a.manager') $$, 'an empty scope reaches nothing of the dataset');
select tests.as_user('a.manager');
select is(tests.attempt('select 1 from public.leads'), '0 rows', 'and no lead at all');
select tests.as_owner();
delete from public.datasets where organization_id = tests.id('a') and id = tests.id('a.mine');
select is((select allowed_dataset_ids from public.memberships where user_id = tests.id('a.viewer')), '{}', 'a scope whose dataset is deleted is empty, not unlimited');
select is_empty($$ select * from tests.out_of_scope('a.viewer') $$, 'and its member sees nothing more');

select * from finish();
rollback;
