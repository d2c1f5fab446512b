-- A person is handed out and forgotten, wherever they are: by number in any spelling, by address; audited without their name.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.other'), 'Other list');
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number, email) values
    (tests.id('a'), tests.id('p1'), tests.id('a.dataset'), 'Pat', '07700 900050', 'Pat@Mail.example'),
    (tests.id('a'), tests.id('p2'), tests.id('a.other'), 'Pat again', '07700 900050', null),
    (tests.id('a'), tests.id('p3'), tests.id('a.dataset'), 'Pat at work', '07700 900051', 'pat@mail.example'),
    (tests.id('b'), tests.id('bp'), tests.id('b.dataset'), 'Pat of b', '07700 900050', 'pat@mail.example');
update public.leads set contact_status = 'WARM' where id = tests.id('p1');
insert into public.customers (organization_id, id, phone_number, name) values (tests.id('a'), tests.id('pc'), '07700 900050', 'Pat');
insert into public.calls (organization_id, id, lead_id, customer_id, direction, caller_number, called_number, provider, provider_sid, decision, recording_path, transcript) values
    (tests.id('a'), tests.id('c1'), tests.id('p1'), null, 'inbound', '+447700900050', '+443069990801', 'twilio', 'CA1', '{}', 'rec/1.wav', 'hello'),
    (tests.id('a'), tests.id('c2'), null, null, 'inbound', '+447700900050', '+443069990801', 'twilio', 'CA2', '{}', null, null),
    (tests.id('a'), tests.id('c3'), null, null, 'outbound', '+443069990801', '+447700900050', 'twilio', 'CA3', '{}', null, null);
insert into public.upload_errors (organization_id, upload_id, dataset_id, row_number, column_name, value, reason) values
    (tests.id('a'), tests.id('a.upload'), tests.id('a.dataset'), 7, 'Phone', '07700 900050', 'invalid'), (tests.id('a'), tests.id('a.upload'), tests.id('a.dataset'), 8, 'Mail', 'PAT@mail.example ', 'invalid'),
    (tests.id('a'), tests.id('a.upload'), tests.id('a.dataset'), 9, 'Mail', 'other@mail.example', 'invalid'),
    (tests.id('a'), tests.id('a.upload'), tests.id('a.dataset'), 10, 'Phone', '07700 900050 / 07700 900059', 'multiple_numbers'),
    (tests.id('a'), tests.id('a.upload'), tests.id('a.dataset'), 11, 'Mail', 'Pat <pat@mail.example>', 'invalid'),
    (tests.id('a'), tests.id('a.upload'), tests.id('a.dataset'), 12, 'When', 'Pat again said so', 'invalid'),
    (tests.id('a'), tests.id('a.upload'), tests.id('a.dataset'), 13, 'Mail', 'maria@mail.example;x', 'invalid'),
    (tests.id('a'), tests.id('a.upload'), tests.id('a.dataset'), 14, 'When', '2024-12-34', 'invalid');
-- They came with a file.
update public.uploads set storage_path = tests.id('a') || '/list.csv' where id = tests.id('a.upload');
update public.leads set upload_id = tests.id('a.upload'), row_number = 12 where id = tests.id('p2');
insert into public.suppressions (organization_id, phone_number, channel, reason) values (tests.id('a'), '07700 900050', 'voice', 'complaint');

-- Handed out.
select tests.as_user('a.admin');
create temporary table held as select public.export_person(phone_number => '07700 900 050') as p;
select is(jsonb_array_length(p -> 'leads'), 2, 'two leads') from held;
select is((p -> 'leads' -> 0 -> 'history' -> 0 ->> 'after'), 'WARM', 'with their history') from held;
select is(jsonb_array_length(p -> 'customers') || ' ' || jsonb_array_length(p -> 'calls') || ' ' || jsonb_array_length(p -> 'suppressions'), '1 3 1', 'customer, calls, opt-out') from held;
select is((select string_agg(c ->> 'transcript', '') from held, jsonb_array_elements(p -> 'calls') as c), 'hello', 'transcripts too');
select is(jsonb_array_length(public.export_person(email => 'pat@MAIL.example') -> 'leads'), 2, 'by address: both leads with it');
select is(tests.attempt(format('select public.export_person(%s)', arguments)), '22023', 'asked with ' || arguments)
    from unnest(array['', 'email => ''@''', 'email => ''pat''', 'phone_number => ''07700 900050'', email => ''x@y.example''', 'phone_number => ''nonsense''', 'email => '' ''']) as arguments;
select is(tests.refusal($$ select public.export_person(phone_number => '2071838750') $$) ->> 'detail', 'It may be +442071838750 or +2071838750.', 'nobody is taken for somebody else');
select is(tests.attempt($$ select public.erase_person(phone_number => '07700 900050') $$), 'PT403', 'an admin does not erase');
select tests.as_user('a.manager');
select is(tests.attempt($$ select public.export_person(phone_number => '07700 900050') $$), 'PT403', 'a manager does not take it out');
select tests.as_user('b.owner');
select is(jsonb_array_length(public.export_person(phone_number => '07700 900050') -> 'leads'), 1, 'another tenant has what it has itself');

-- Forgotten.
select tests.as_user('a.owner');
select is(public.erase_person(phone_number => '+44 7700 900050'), jsonb_build_object('leads', 2, 'customers', 1, 'calls', 3, 'upload_errors', 3, 'others', 0, 'recordings', '["rec/1.wav"]'::jsonb, 'files', jsonb_build_array(tests.id('a') || '/list.csv')), 'by number');
select is(public.erase_person(phone_number => '07700 900050'), '{"leads": 0, "customers": 0, "calls": 0, "upload_errors": 0, "others": 0, "recordings": [], "files": []}', 'again: nobody');
select is(public.erase_person(email => 'PAT@mail.example') - '{recordings,files}'::text[], '{"leads": 1, "customers": 0, "calls": 0, "upload_errors": 2, "others": 0}', 'by address');
select tests.as_owner();
-- By the address of one of two with the same phone: nobody is written to under it.
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number, email) values
    (tests.id('a'), tests.id('s1'), tests.id('a.dataset'), 'Sidonie', '07700 900060', 'sid@mail.example'), (tests.id('a'), tests.id('s2'), tests.id('a.other'), 'Sue', '07700 900060', null);
update public.leads set duplicate_of = tests.id('s1') where id = tests.id('s2');
insert into public.calls (organization_id, id, lead_id, direction, caller_number, called_number, provider, provider_sid, decision) values
    (tests.id('a'), tests.id('c4'), null, 'inbound', '+447700900060', '+443069990801', 'twilio', 'CA4', '{}'), (tests.id('a'), tests.id('c5'), tests.id('s2'), 'inbound', '+447700900060', '+443069990801', 'twilio', 'CA5', '{}');
insert into public.suppressions (organization_id, phone_number, reason) values (tests.id('a'), '07700 900061', 'complaint');
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number) values (tests.id('a'), tests.id('s3'), tests.id('a.dataset'), 'Stella', '07700 900061');
update public.leads set phone_number = '07700 900062' where id = tests.id('s3');
select tests.as_user('a.owner');
select is(public.create_export('Sidonie') ->> 'export_id' is not null, true, 'somebody has looked for them');
select is((public.finish_export((select id from public.exports where query = 'Sidonie'))).status, 'ready', 'into a file');
select is(public.erase_person(email => 'sid@mail.example') - '{recordings,files}'::text[], '{"leads": 1, "customers": 0, "calls": 1, "upload_errors": 0, "others": 1}', 'one of two');
select is((select contact_status || ' ' || held from public.leads where id = tests.id('s2')), 'REMOVED false', 'the other is out, and no more a duplicate');
select is((select count(*) from public.calls where id = tests.id('c5')), 1::bigint, 'their own call is theirs');
select is(public.erase_person(phone_number => '07700 900060') - '{recordings,files}'::text[], '{"leads": 1, "customers": 0, "calls": 1, "upload_errors": 0, "others": 0}', 'by the number it is both');
select is(public.erase_person(phone_number => '07700 900061') ->> 'others', '0', 'a number that a lead once had');
insert into public.suppressions (phone_number, reason) values ('07700 900061', 'complaint');
select is(public.erase_person(phone_number => '07700 900061') ->> 'leads', '0', 'erased again behind a second complaint');
select is(public.record_opt_in('07700 900061', 'START') - 'phone_number', '{"lifted": 0, "is_suppressed": true, "leads": 0}'::jsonb - 'leads' || '{"leads": 0}', 'which still stands') from (select tests.as_user('a.manager')) as m;
select tests.as_owner();
select is_empty($$ select from public.leads l where l.contact_status not in ('REMOVED', 'ARCHIVED') and l.phone_number in (select private.suppressed_numbers(l.organization_id, array[l.phone_number])) $$, 'nobody is left who may be written to');
select tests.as_user('a.owner');
select is(public.erase_person(phone_number => '+491234') ->> 'upload_errors', '0', 'a short number is no part of a date');
select is(public.erase_person(email => 'a@mail.example') ->> 'upload_errors', '0', 'nor one address of another');
select tests.as_owner();
select bag_eq($$ select value from public.upload_errors where upload_id = tests.id('a.upload') and row_number in (9, 13, 14) $$, array['other@mail.example', 'maria@mail.example;x', '2024-12-34'], 'what others had in their cells is there');
-- Every text in every table of the tenant.
create function tests.mentions(needle text) returns setof text
    language plpgsql
as $$
declare
    t record;
    n bigint;
begin
    for t in select c.oid::regclass as name from pg_class c where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) loop
        execute format('select count(*) from %s x where x::text ~* $1 and x::text !~ $2', t.name) into n using needle, tests.id('b')::text;
        if n > 0 then
            return next t.name || ' ' || n;
        end if;
    end loop;
end;
$$;
select is_empty($$ select * from tests.mentions('7700900050|7700 900050|pat@mail\.example|Pat again|790006[01]|sid@mail|Sidonieonie') $$, 'no table of the organization has them any more');
select is((select count(*) from public.suppressions where organization_id = tests.id('a') and phone_number is null and lifted_at is null), 5::bigint, 'the opt-outs stay, unreadable: of all numbers');
select set_eq(format($$ select action || ' ' || (after ->> 'leads') from public.audit_log where organization_id = %L and table_name = 'people' and actor_id = %L $$, tests.id('a'), tests.id('a.owner')),
    array['erase_person 2', 'erase_person 0', 'erase_person 1'], 'the log says that, not who');
select is((select count(*) from public.leads where id = tests.id('bp')), 1::bigint, 'the other tenant''s lead is there');
select is_empty($$ select * from switchboard.verify_counts('public.leads') $$, 'and the counters are exact');
select tests.as_user('a.admin');
select is(tests.attempt($$ select from public.audit_log where table_name = 'people' $$), '0 rows', 'an admin does not read of erasures');
select tests.as_user('a.owner');
select isnt_empty($$ select from public.audit_log where table_name = 'people' $$, 'an owner does');
select tests.as_owner();
update public.memberships set allowed_dataset_ids = array[tests.id('a.other')], permissions = '{"people.export": true}' where user_id = tests.id('a.manager');
select tests.as_user('a.manager');
select is(tests.attempt($$ select public.export_person(phone_number => '07700 900001') $$), 'PT403', 'who works in some datasets is not told');
select is(tests.attempt($$ select public.erase_person(phone_number => '07700 900001') $$), 'PT403', 'and erases nobody');

select * from finish();
rollback;
