-- An opt-out holds whatever is written around it: another dataset, another number, a deleted lead, server code.
-- Two who write at once are in tests/api/suppressions_test.ts: it takes two connections.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
insert into public.datasets (organization_id, id, name) values
    (tests.id('a'), tests.id('a.other'), 'Other list'), (tests.id('a'), tests.id('a.third'), 'Third list'),
    (tests.id('a'), tests.id('a.fourth'), 'Fourth list'), (tests.id('a'), tests.id('a.fifth'), 'Fifth list'), (tests.id('a'), tests.id('a.sixth'), 'Sixth list');
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number, contact_status) values
    (tests.id('a'), tests.id('a.twin'), tests.id('a.other'), 'Twin', '07700 900001', 'HOT'),
    (tests.id('a'), tests.id('a.resting'), tests.id('a.third'), 'Resting', '07700 900001', 'ARCHIVED'),
    (tests.id('b'), tests.id('b.twin'), tests.id('b.dataset'), 'Of b', '07700 900041', 'READY');

create function tests.status(lead text) returns text
    language sql security definer
    as $$ select contact_status from public.leads where id = tests.id(lead) $$;
create function tests.active(number text) returns text
    language sql security definer
as $$
    select string_agg(concat_ws(' ', channel, reason), ', ' order by channel) from public.suppressions
    where organization_id = tests.id('a') and phone_number = number and lifted_at is null
$$;
-- The status of a new lead, as RETURNING shows it to the client.
create function tests.add_lead(dataset text, number text, status text default 'READY', lead text default null) returns text
    language sql
as $$
    insert into public.leads (organization_id, id, dataset_id, first_name, phone_number, contact_status)
    values (tests.id('a'), coalesce(tests.id(lead), gen_random_uuid()), tests.id(dataset), 'New', number, status)
    returning contact_status
$$;
create function tests.client_adds_lead(dataset text, number text, status text default 'READY', assignee text default null) returns text
    language sql
as $$
    insert into public.leads (dataset_id, first_name, phone_number, contact_status, assigned_to)
    values (tests.id(dataset), 'New', number, status, tests.id(assignee)) returning contact_status
$$;
grant execute on all functions in schema tests to authenticated, service_role;

-- A member marks one lead.
select tests.as_user('a.manager');
select is(tests.client_adds_lead('a.fifth', '07700 900010'), 'READY', 'a number that nobody opted out is READY');
update public.leads set contact_status = 'REMOVED' where id = tests.id('a.lead');
select is(tests.active('+447700900001'), 'all manual', 'a lead that becomes REMOVED is an opt-out');
select results_eq($$ select created_by from public.suppressions where phone_number = '+447700900001' $$, array[tests.id('a.manager')], 'of the member who said so');
select is(tests.status('a.twin'), 'REMOVED', 'the same number in another dataset is REMOVED with it');
select is(tests.status('a.resting'), 'ARCHIVED', 'one that rests in the archive stays there');
select is(tests.attempt(format($$ update public.leads set contact_status = 'READY' where id = %L $$, tests.id('a.lead'))), '23514', 'and no status brings it back');
update public.leads set contact_status = 'READY' where id = tests.id('a.resting');
select is(tests.status('a.resting'), 'REMOVED', 'from the archive it comes back as REMOVED');

-- Ways round it.
select is(tests.client_adds_lead('a.fourth', '+44 7700 900 001'), 'REMOVED', 'an insert into another dataset, in another spelling, is REMOVED');
update public.leads set phone_number = '07700 900001' where phone_number = '+447700900010';
select is((select array_agg(contact_status) from public.leads where phone_number = '+447700900001' and contact_status <> 'REMOVED'), null,
    'a lead that gets the number is REMOVED');
update public.leads set phone_number = '07700 900011' where id = tests.id('a.lead');
select is(tests.status('a.lead'), 'REMOVED', 'another number leaves the lead REMOVED');
select is(tests.active('+447700900011'), 'all manual', 'suppresses that number too');
select is(tests.active('+447700900001'), 'all manual', 'and does not free the old one');
select is(tests.client_adds_lead('a.sixth', '07700 900001'), 'REMOVED', 'which stays closed');
select tests.as_user('a.owner');
delete from public.leads where phone_number in ('+447700900001', '+447700900011');
delete from public.datasets where id in (tests.id('a.other'), tests.id('a.third'), tests.id('a.sixth'));
select is(tests.client_adds_lead('a.dataset', '07700 900001'), 'REMOVED', 'deleting every lead with the number does not forget, nor deleting the dataset');
select is(tests.client_adds_lead('a.dataset', '07700 900011'), 'REMOVED', 'for either number');
select is(tests.client_adds_lead('a.dataset', '07700 900012', 'REMOVED'), 'REMOVED', 'a lead that comes as REMOVED');
select is(tests.active('+447700900012'), 'all manual', 'is an opt-out');
select is(tests.client_adds_lead('a.dataset', '07700 900013', 'ARCHIVED'), 'ARCHIVED', 'an archived lead is none');
select is(tests.active('+447700900013'), null, 'of its number');

-- Imports, by whoever sees less too.
select tests.as_owner();
update public.memberships set allowed_dataset_ids = array[tests.id('a.fourth')] where user_id = tests.id('a.manager');
delete from public.leads where organization_id = tests.id('a');
select tests.as_user('a.manager');
select is(
    public.import_leads(tests.id('a.fourth'),
        '[{"first_name": "L", "phone_number": "07700 900001"}, {"first_name": "M", "phone_number": "07700900001"}, {"first_name": "N", "phone_number": "07700 900020"}]',
        '{"required_fields": []}') - '{upload_id,duplicates}'::text[],
    '{"detected": 3, "inserted": 1, "merged": 0, "skipped": 0, "suppressed": 2, "failed": 0, "errors": []}',
    'import_leads asks the table, not leads, whichever datasets the member has');
select set_eq('select phone_number, contact_status from public.leads', $$ values ('+447700900001', 'REMOVED'), ('+447700900020', 'READY') $$,
    'and keeps the number once, as REMOVED');
select is(
    public.import_leads(tests.id('a.fourth'), '[{"first_name": "L", "phone_number": "07700 900001"}]', '{"required_fields": [], "duplicate_action": "keep_both"}') ->> 'suppressed',
    '1', 'again');
select is((select count(*) from public.leads where phone_number = '+447700900001'), 1::bigint, 'not twice');
select is(tests.client_adds_lead('a.fourth', '07700 900011'), 'REMOVED', 'an insert by a member with some datasets');
select tests.as_user('a.sales_rep');
select is(tests.client_adds_lead('a.dataset', '07700 900011', 'READY', 'a.sales_rep'), 'REMOVED', 'or with the own leads only');
select tests.as_owner();
select is(tests.add_lead('a.dataset', '+447700900012'), 'REMOVED', 'an insert by the owner of the database');

-- Without a lead: a do-not-call list.
select tests.as_user('a.viewer');
select is(tests.attempt($$ insert into public.suppressions (phone_number) values ('07700 900021') $$), '42501', 'a viewer takes no opt-out');
select is(tests.attempt('select 1 from public.suppressions where phone_number = ''+447700900001'''), '1 row', 'but reads them');
select tests.as_user('a.sales_rep');
select is(tests.attempt('select 1 from public.suppressions'), '0 rows', 'a sales_rep does not: they are of others'' leads');
select tests.as_user('a.manager');
select is(tests.attempt('select 1 from public.suppressions'), '0 rows', 'nor a member with some datasets');
select is(tests.attempt($$ insert into public.suppressions (phone_number) values ('07700 900021') $$), '42501', 'who writes none, for they are for all datasets');
select tests.as_user('a.admin');
insert into public.suppressions (phone_number, channel, reason) values ('07700 900020', 'sms', 'complaint');
select is(tests.active('+447700900020'), 'sms complaint', 'an admin takes one, in any spelling');
select is((select contact_status from public.leads where phone_number = '+447700900020'), 'REMOVED', 'and the leads follow');
select is(tests.attempt($$ insert into public.suppressions (phone_number, channel, reason) values ('+447700900020', 'sms', 'complaint') $$), '23505', 'once for a channel and reason');
select is(tests.attempt($$ insert into public.suppressions (phone_number, channel) values ('+447700900020', 'voice') $$), '1 row', 'and another for another');
select is(tests.attempt($$ insert into public.suppressions (phone_number, channel) values ('+447700900020', 'pigeon') $$), '23514', 'of those there are');
select is(tests.attempt($$ insert into public.suppressions (phone_number) values ('nonsense') $$), '22023', 'what is no number is refused');
select is(tests.attempt(format($$ insert into public.suppressions (organization_id, phone_number) values (%L, '+447700900021') $$, tests.id('b'))), '42501', 'not for another tenant');
select is(tests.attempt($$ insert into public.suppressions (phone_number, created_by) values ('07700 900021', null) $$), '42501', 'nor in another''s name');

-- Nobody undoes it.
select is(tests.attempt('update public.suppressions set lifted_at = now()'), '42501', 'no member lifts one');
select is(tests.attempt('delete from public.suppressions'), '42501', 'or deletes one');
select tests.as_service('a');
select is(tests.attempt('update public.suppressions set lifted_at = now()'), '42501', 'nor server code');
select is(tests.attempt('delete from public.suppressions'), '42501', 'which deletes none either');
select tests.as_owner();
select is(tests.attempt('delete from public.suppressions'), '42501', 'not even the owner of the database deletes one');
select is(tests.attempt('truncate public.suppressions'), '42501', 'or all');
select is(tests.attempt($$ update public.suppressions set phone_number = '+447700900099' $$), '42501', 'the number never changes');
select is(tests.attempt($$ update public.suppressions set channel = 'sms' where phone_number = '+447700900001' $$), '42501', 'nor the channel');
update public.suppressions set lifted_at = now() where phone_number = '+447700900012';
select is(tests.attempt($$ update public.suppressions set lifted_at = null where phone_number = '+447700900012' $$), '42501', 'once lifted stays lifted');
select is(tests.add_lead('a.fourth', '+447700900012'), 'READY', 'a lifted one lets new leads in');
update public.leads set contact_status = 'REMOVED' where dataset_id = tests.id('a.fourth') and phone_number = '+447700900012';
select is(tests.active('+447700900012'), 'all manual', 'and a later opt-out is a new row');

-- A wrong guess lets a message through.
update public.organizations set default_country = 'DE' where id = tests.id('a');
select is(tests.attempt(format('insert into public.suppressions (organization_id, phone_number) values (%L, %L)', tests.id('a'), number)), outcome,
    'an opt-out in Germany of ' || number)
    from (values ('447911123456', '22023'), ('4741234567', '22023'), ('04741 234567', '1 row'), ('+47 412 34 567', '1 row')) as v (number, outcome);
insert into public.suppressions (organization_id, phone_number) values (tests.id('a'), '04741 234567');
select is(tests.add_lead('a.fourth', '4741234567'), 'REMOVED', 'a lead with the short digits is the landline, which opted out');
select is(tests.attempt(format('select tests.add_lead(%L, %L)', 'a.fourth', '447911123456')), '22023', 'one with the long digits is refused');
update public.organizations set default_country = 'GB' where id = tests.id('a');

-- Another tenant's opt-outs are theirs.
select is(tests.status('b.twin'), 'READY', 'a number of another tenant');
insert into public.suppressions (organization_id, phone_number) values (tests.id('a'), '+447700900041');
select is(tests.status('b.twin'), 'READY', 'is not touched by ours');
select tests.as_user('a.admin');
select is(tests.attempt(format($$ select 1 from public.suppressions where organization_id = %L $$, tests.id('b'))), '0 rows', 'nor theirs seen');
select tests.as_owner();
select is(tests.attempt(format('delete from public.organizations where id = %L', tests.id('a'))), '1 row', 'they go with their organization');
select is((select d.total_leads - count(l) from public.datasets d left join public.leads l on l.dataset_id = d.id where d.id = tests.id('a.fourth') group by d.organization_id, d.id), 0::bigint,
    'the counters are exact after all of it');

select * from finish();
rollback;
