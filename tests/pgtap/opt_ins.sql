-- How an opt-out ends, and what it takes; and that whoever was erased stays opted out without being known.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

create function tests.stands(lead text) returns text
    language sql security definer
    as $$ select concat_ws(' ', contact_status, previous_status) from public.leads where id = tests.id(lead) $$;
create function tests.suppression(number text) returns uuid
    language sql security definer
    as $$ select id from public.suppressions where organization_id = tests.id('a') and phone_number = number and lifted_at is null $$;
grant execute on all functions in schema tests to authenticated, service_role;

-- The contact's own word.
update public.leads set contact_status = 'CONTACTED_1' where id = tests.id('a.lead');
insert into public.suppressions (organization_id, phone_number, reason) values (tests.id('a'), '07700 900001', 'keyword');
select is(tests.stands('a.lead'), 'REMOVED CONTACTED_1', 'STOP');
select tests.as_service('a');
select is(public.record_opt_in('07700 900 001', 'START'), '{"phone_number": "+447700900001", "lifted": 1, "is_suppressed": false, "leads": 1}', 'START, by server code');
select is(tests.stands('a.lead'), 'CONTACTED_1', 'the lead stands where it stood');
select is((select actor || ' ' || reason from public.lead_events where lead_id = tests.id('a.lead') and before = 'REMOVED'), 'system START', 'as its history says');
select is((select lift_reason from public.suppressions where phone_number = '+447700900001'), 'START', 'and the opt-out');
select is(public.record_opt_in('07700 900001') ->> 'lifted', '0', 'a second time there is nothing to lift');
select is(tests.attempt($$ select public.record_opt_in('nonsense') $$), '22023', 'what is no number');

-- A member's word is not the contact's.
select tests.as_user('a.manager');
update public.leads set contact_status = 'REMOVED' where id = tests.id('a.lead');
select is(public.record_opt_in('07700 900001', 'said so on the phone'), '{"phone_number": "+447700900001", "lifted": 0, "is_suppressed": true, "leads": 0}',
    'an opt-out that a member noted stays');
select is(tests.stands('a.lead'), 'REMOVED CONTACTED_1', 'and so does the lead');
select is(tests.attempt(format('select public.lift_suppression(%L, ''mistake'')', tests.suppression('+447700900001'))), 'PT403', 'a manager does not lift it');
select tests.as_user('a.admin');
select is(tests.attempt(format('select public.lift_suppression(%L, '' '')', tests.suppression('+447700900001'))), '22023', 'an admin not without a reason');
select is(tests.attempt(format('select public.lift_suppression(%L, ''mistake'')', tests.id('nothing'))), 'PT404', 'nor one that is not there');
select is(public.lift_suppression(tests.suppression('+447700900001'), 'clicked the wrong lead') ->> 'leads', '1', 'with one it is');
select is(tests.stands('a.lead'), 'CONTACTED_1', 'the mis-click is undone');
select results_eq($$ select actor_kind, before ->> 'lifted_at', after ->> 'lift_reason', after ->> 'phone_number' from public.audit_log where table_name = 'suppressions' and actor_id = tests.id('a.admin') $$,
    $$ values ('user', null, '…changed', null) $$, 'the audit log says who, and neither why nor whose number');
select is(tests.attempt($$ update public.suppressions set lifted_at = now() $$), '42501', 'nobody writes it by hand');

-- Of several opt-outs all must end.
insert into public.suppressions (phone_number, reason) values ('07700 900001', 'keyword');
insert into public.suppressions (phone_number, channel, reason) values ('07700 900001', 'voice', 'complaint');
select is(public.record_opt_in('07700 900001') - 'phone_number', '{"lifted": 1, "is_suppressed": true, "leads": 0}', 'START ends the keyword, not the complaint');
select is(tests.stands('a.lead'), 'REMOVED CONTACTED_1', 'the lead stays out');
select is(tests.attempt(format($$ update public.leads set contact_status = 'CONTACTED_1' where id = %L $$, tests.id('a.lead'))), '23514', 'by hand too');
update public.leads set contact_status = 'ARCHIVED' where id = tests.id('a.lead');
select is(tests.stands('a.lead'), 'ARCHIVED CONTACTED_1', 'it may rest');
update public.leads set contact_status = 'CONTACTED_1' where id = tests.id('a.lead');
select is(tests.stands('a.lead'), 'REMOVED CONTACTED_1', 'and is out when it comes back');
select is(public.lift_suppression(tests.suppression('+447700900001'), 'withdrawn') ->> 'leads', '1', 'until the last one ends');

-- A complaint behind a STOP is a row of its own; so is a member's word for a lead that is out already.
insert into public.suppressions (phone_number, reason) values ('07700 900001', 'keyword');
select is(tests.attempt($$ insert into public.suppressions (phone_number, reason) values ('07700 900001', 'keyword') $$), '23505', 'the same again is one too many');
insert into public.suppressions (phone_number, reason) values ('07700 900001', 'complaint');
select is(public.record_opt_in('07700 900001', 'START') - 'phone_number', '{"lifted": 1, "is_suppressed": true, "leads": 0}', 'START does not end the complaint behind STOP');
select is(public.lift_suppression(tests.suppression('+447700900001'), 'withdrawn') ->> 'leads', '1', 'which an admin does');
insert into public.suppressions (phone_number, reason) values ('07700 900001', 'keyword');
select is((public.set_lead_status(tests.id('a.lead'), 'REMOVED', 'wants no more calls ever')).contact_status, 'REMOVED', 'a member hears more than STOP');
select is(public.record_opt_in('07700 900001', 'START') - 'phone_number', '{"lifted": 1, "is_suppressed": true, "leads": 0}', 'nor the member''s word');
select is(public.lift_suppression(tests.suppression('+447700900001'), 'again') ->> 'leads', '1', 'one row stood for it');
-- What the agent heard is the contact's.
select tests.as_service('a');
select is((public.set_lead_status(tests.id('a.lead'), 'REMOVED', 'said stop', 'ai')).contact_status, 'REMOVED', 'the agent hears it');
select is(public.record_opt_in('07700 900001', 'START') ->> 'leads', '1', 'and START ends it');
-- The reason is of the lead that it was given for.
select tests.as_owner();
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.other'), 'Other');
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number) values (tests.id('a'), tests.id('twin'), tests.id('a.other'), 'Twin', '07700 900001');
select tests.as_user('a.admin');
select public.set_lead_status(tests.id('a.lead'), 'REMOVED', 'was rude to me');
select is(tests.stands('twin'), 'REMOVED READY', 'the twin is out too');
select is((select array_agg(coalesce(reason, '-') order by reason) from public.lead_events where lead_id in (tests.id('twin'), tests.id('a.lead')) and after = 'REMOVED' and created_at >= now() and coalesce(reason, '-') in ('-', 'was rude to me') and (lead_id = tests.id('twin') or reason is not null)),
    '{"was rude to me",-}', 'and its history without what was said of the other');
select is(public.lift_suppression(tests.suppression('+447700900001'), 'sorry') ->> 'leads', '2', 'both come back');
-- A customer whose number is opted out stays one.
insert into public.suppressions (phone_number, reason) values ('07700 900077', 'keyword');
insert into public.leads (dataset_id, first_name, phone_number, contact_status) values (tests.id('a.other'), 'Customer', '07700 900077', 'CONVERTED');
select public.record_opt_in('07700 900077', 'START');
select is((select contact_status from public.leads where first_name = 'Customer'), 'CONVERTED', 'START makes no lead to be written to of a customer');
-- By way of the archive an opted-out lead gets no other number either.
select public.set_lead_status(tests.id('twin'), 'REMOVED');
select tests.as_owner();
update public.leads set assigned_to = tests.id('a.sales_rep') where id = tests.id('twin');
select tests.as_user('a.sales_rep');
select is(tests.attempt(format($$ update public.leads set phone_number = '07700 900078' where id = %L $$, tests.id('twin'))), '42501', 'a rep gives it no other number');
update public.leads set contact_status = 'ARCHIVED' where id = tests.id('twin');
select is(tests.attempt(format($$ update public.leads set phone_number = '07700 900078' where id = %L $$, tests.id('twin'))), '42501', 'nor when it rests');
select tests.as_user('a.admin');
select public.lift_suppression(tests.suppression('+447700900001'), 'all done');
select tests.as_owner();
delete from public.leads where id = tests.id('twin') or first_name = 'Customer';
select tests.as_user('a.admin');

-- Who may.
select tests.as_user('a.sales_rep');
select is(tests.attempt($$ select public.record_opt_in('07700 900001') $$), 'PT403', 'a rep takes no opt-in');
select tests.as_owner();
update public.memberships set allowed_dataset_ids = array[tests.id('a.dataset')] where user_id in (tests.id('a.manager'), tests.id('a.admin'));
insert into public.suppressions (organization_id, phone_number) values (tests.id('a'), '07700 900001');
select tests.as_user('a.manager');
select is(tests.attempt($$ select public.record_opt_in('07700 900001') $$), 'PT403', 'nor a member who works in some datasets');
select tests.as_user('a.admin');
select is(tests.attempt(format('select public.lift_suppression(%L, ''x'')', tests.suppression('+447700900001'))), 'PT403', 'who lifts none either');
select tests.as_user('b.owner');
select is(tests.attempt(format('select public.lift_suppression(%L, ''x'')', tests.suppression('+447700900001'))), 'PT404', 'and nobody another tenant''s');
select is(public.record_opt_in('07700 900001') ->> 'lifted', '0', 'their START is about their own');
select tests.as_owner();
select is((select count(*) from public.suppressions where organization_id = tests.id('a') and phone_number = '+447700900001' and lifted_at is null), 1::bigint, 'a''s opt-out stands');

-- Erased.
update public.memberships set allowed_dataset_ids = null where organization_id = tests.id('a');
select tests.as_user('a.owner');
select public.erase_person(phone_number => '07700 900001');
select is((select count(*) from public.suppressions where phone_number = '+447700900001'), 0::bigint, 'erased, no opt-out shows the number');
insert into public.leads (dataset_id, first_name, phone_number) values (tests.id('a.dataset'), 'Again', '07700 900001');
select is((select contact_status from public.leads where phone_number = '+447700900001'), 'REMOVED', 'a lead with it is REMOVED all the same');
select is(public.import_leads(tests.id('a.dataset'), '[{"first_name": "L", "phone_number": "07700 900001"}]', '{"required_fields": []}') ->> 'suppressed', '1', 'and an import suppressed');
select is((select count(*) from public.suppressions where phone_number = '+447700900001'), 0::bigint, 'which brings no number back');
select is(tests.attempt(format('select public.lift_suppression(%L, ''x'')', (select id from public.suppressions where phone_hash is not null and lifted_at is null and organization_id = tests.id('a') limit 1))),
    'PT409', 'nobody lifts it by its id');
select tests.as_user('a.manager');
select is(public.record_opt_in('07700 900001', 'rang') - 'phone_number', '{"lifted": 0, "is_suppressed": true, "leads": 0}', 'a member''s word, hashed, is still a member''s');
select tests.as_user('a.owner');
select is(public.record_opt_in('07700 900001') - 'phone_number', '{"lifted": 0, "is_suppressed": true, "leads": 0}', 'an owner ends it not without a reason');
insert into public.suppressions (phone_number, reason) values ('07700 900001', 'complaint');
select is(public.lift_suppression(tests.suppression('+447700900001'), 'withdrawn') ->> 'is_suppressed', 'true', 'and lifting a row that shows the number lifts no erased person''s');
select tests.as_service('a');
select is(public.record_opt_in('07700 900001', 'START') ->> 'is_suppressed', 'true', 'nor does what server code passes on');
select tests.as_user('a.owner');
select is(public.record_opt_in('07700 900001', 'rang and asked') ->> 'is_suppressed', 'false', 'with a reason, by the number, they do');
select public.erase_person(phone_number => '07700 900003');
select is(public.record_opt_in('07700 900003') - 'phone_number', '{"lifted": 1, "is_suppressed": false, "leads": 0}', 'who opted out by being erased alone comes back by the own word');
select tests.as_user('b.owner');
insert into public.leads (dataset_id, first_name, phone_number) values (tests.id('b.dataset'), 'Own', '07700 900091');
select is((select contact_status from public.leads where first_name = 'Own'), 'READY', 'another tenant knows nothing of it');

select * from finish();
rollback;
