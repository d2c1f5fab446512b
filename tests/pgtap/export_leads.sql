-- A file of leads: who may ask for one, what stands in it, page by page; and that a spreadsheet changes nothing of it.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
delete from public.leads;
delete from public.exports;
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.other'), 'Other, "list"');
insert into public.leads (organization_id, dataset_id, first_name, last_name, phone_number, email, postcode, notes, attributes, assigned_to, created_at) values
    (tests.id('a'), tests.id('a.dataset'), 'Ann', '=cmd|'' /C calc''!A0', '07700 900001', null, '007', e'two\nlines', '{"Size, in m": "1/2", "formula": "@SUM(A1)"}', null, '2026-01-02 10:00+00'),
    (tests.id('a'), tests.id('a.other'), 'Ben', 'Smith', '07700 900002', 'ben@mail.example', null, null, '{"formula": "-1"}', tests.id('a.sales_rep'), '2026-01-01 10:00+00'),
    (tests.id('b'), tests.id('b.dataset'), 'Bob', null, '07700 900003', null, null, null, '{}', null, '2026-01-01 10:00+00');

-- All pages of an export, as one text.
create function tests.file(export uuid, size integer) returns text
    language plpgsql
as $$
declare
    page jsonb := jsonb_build_object('next', null);
    result text := '';
begin
    loop
        page := public.export_leads(export, nullif(page -> 'next', 'null'), size);
        result := result || (page ->> 'csv');
        exit when page -> 'next' = 'null';
    end loop;
    return result;
end;
$$;
create function tests.begun(query text default null, filters jsonb default '{}') returns uuid
    language sql
    as $$ select (public.create_export(query, filters) ->> 'export_id')::uuid $$;
grant execute on all functions in schema tests to authenticated, service_role;

select tests.as_user('a.manager');
create temporary table asked as select tests.begun() as id;
select is(tests.file((select id from asked), 10), concat(
    'first_name,last_name,phone_number,phone_extension,email,postcode,inquiry_date,notes,dataset,contact_status,lead_sentiment,assigned_to,consent_basis,consent_at,last_message_at,created_at,"Size, in m",formula', e'\r\n',
    'Ann,''=cmd|'' /C calc''!A0,"=""+447700900001""",,,"=""007""",,"two', e'\n', 'lines",List of a,READY,,,,,,2026-01-02T10:00:00Z,"=""1/2""",''@SUM(A1)', e'\r\n',
    'Ben,Smith,"=""+447700900002""",,ben@mail.example,,,,"Other, ""list""",READY,,sales_rep@a.example,,,,2026-01-01T10:00:00Z,,-1', e'\r\n'
), 'the file: fields, then attributes; nothing that a spreadsheet would run or change');
select is(tests.file((select id from asked), 1), tests.file((select id from asked), 10), 'page by page it is the same');
select is((select rows_written from public.exports where id = (select id from asked)), 2, 'the row says how many lines there are');
select is(tests.file(tests.begun('smith'), 10) ~ 'Ann', false, 'a search');
select is(tests.file(tests.begun(null, jsonb_build_object('dataset_id', tests.id('a.other'))), 10) ~ 'Ann', false, 'a filter');
select is(tests.file(tests.begun('nobody'), 10) ~ '^first_name[^\r]*created_at\r\n$', true, 'nobody: the header alone');
select alike((select storage_path from public.exports where id = (select id from asked)), tests.id('a') || '/leads-%.csv', 'its place in the bucket is the organization''s');
select alike(public.create_export(null, jsonb_build_object('dataset_id', tests.id('a.other'))) ->> 'storage_path', tests.id('a') || '/' || tests.id('a.other') || '/leads-%.csv', 'or the dataset''s');

-- Read again, the file says the same.
create temporary table written as select tests.file((select id from asked), 10) as csv;
select tests.as_owner();
select results_eq(
    format($$ select r.first_name, r.last_name, r.phone_number, r.postcode, r.notes, r.attributes ->> 'Size; in m'
        from switchboard.csv_leads(%L, %L::jsonb || '{"mapping": {"first_name": "first_name", "last_name": "last_name", "phone_number": "phone_number", "postcode": "postcode", "notes": "notes"}, "country": "GB"}', %s, 1, 1) as r $$,
        (select format('select %L::bytea', convert_to(csv, 'UTF8')) from written),
        (select jsonb_build_object('header', string_to_array(replace(replace(split_part(csv, e'\r\n', 1), '"Size, in m"', 'Size; in m'), '"', ''), ',')) from written),
        (select octet_length(split_part(csv, e'\r\n', 1)) + 2 from written)),
    $$ values ('Ann', '=cmd|'' /C calc''!A0', '+447700900001', '007', e'two\nlines', '1/2') $$, 'an import reads back what the export wrote');
select tests.as_user('a.manager');

-- Its end.
select is((public.finish_export((select id from asked), 321)).status, 'ready', 'finished');
select is(tests.attempt(format('select public.export_leads(%L)', (select id from asked))), 'PT409', 'it goes on no more');
select is((public.finish_export(tests.begun(), null, 'storage was away')).problem, 'storage was away', 'or failed');

-- A column of the file that is called like a field.
select tests.as_owner();
update public.leads set attributes = '{"email": "old"}' where first_name = 'Ben';
select tests.as_user('a.manager');
select is(split_part(tests.file(tests.begun('ben'), 10), e'\r\n', 1) ~ ',email,.*,attributes\.email$', true, 'no two columns of one name');

-- Who may not.
create temporary table managers as select tests.begun() as id;
grant select on managers to authenticated, service_role;
select tests.as_user('a.owner');
select is(tests.attempt(format('select public.export_leads(%L)', (select id from managers))), 'PT404', 'one export is written by one person');
select is(tests.attempt(format('select public.finish_export(%L, null, ''x'')', (select id from managers))), 'PT404', 'and ended by them');
select tests.as_service('a');
select is(tests.attempt(format('select public.export_leads(%L)', (select id from managers))), 'PT404', 'not by server code');
select tests.as_user('a.manager');
select is(tests.attempt(statement), code, title) from (values
    ('an export that is not there', format('select public.export_leads(%L)', tests.id('nothing')), 'PT404'),
    ('a page of 0', format('select public.export_leads(%L, null, 0)', tests.begun()), '22023'),
    ('a filter that there is not', $$ select public.create_export(null, '{"x": 1}') $$, '22023'),
    ('a status in too many brackets', $$ select public.create_export(null, '{"contact_status": [[[[[[["HOT"]]]]]]]}') $$, '22023'),
    ('a dataset that there is not', format($$ select public.create_export(null, '{"dataset_id": "%s"}') $$, tests.id('nothing')), 'PT404'),
    ('a dataset of another tenant', format($$ select public.create_export(null, '{"dataset_id": "%s"}') $$, tests.id('b.dataset')), 'PT404'),
    ('a row by hand', $$ insert into public.exports (expires_at) values (now()) $$, '42501')
) as v (title, statement, code);
select tests.as_user('b.owner');
select is(tests.attempt(format('select public.export_leads(%L)', tests.id('nothing'))), 'PT404', 'another tenant goes on with none');
select tests.as_user('a.sales_rep');
select is(tests.attempt('select public.create_export()'), 'PT403', 'a rep exports nothing');
select tests.as_user('a.viewer');
select is(tests.attempt('select public.create_export()'), 'PT403', 'nor does a viewer');
select tests.as_owner();
create temporary table whole as select id from public.exports where status = 'running' and dataset_id is null limit 1;
grant select on whole to authenticated;
update public.memberships set allowed_dataset_ids = array[tests.id('a.other')] where user_id = tests.id('a.manager');
select tests.as_user('a.manager');
select is(tests.attempt('select public.create_export()'), 'PT403', 'a member with one dataset has no file of all');
select is(tests.attempt(format($$ select public.create_export(null, '{"dataset_id": "%s"}') $$, tests.id('a.dataset'))), 'PT403', 'nor of another');
select is(tests.attempt(format('select public.export_leads(%L)', (select id from whole))), 'PT404', 'nor a page of somebody else''s');
select is(tests.file(tests.begun(null, jsonb_build_object('dataset_id', tests.id('a.other'))), 10) ~ 'Ben', true, 'the own one');
select tests.as_owner();
update public.memberships set allowed_dataset_ids = null, permissions = '{"leads.read_all": false}' where user_id = tests.id('a.manager');
select tests.as_user('a.manager');
select is(tests.attempt('select public.create_export()'), 'PT403', 'who sees only the own leads exports none');

-- A day's worth.
select tests.as_owner();
update public.memberships set permissions = '{}' where user_id = tests.id('a.manager');
insert into public.exports (organization_id, expires_at) select tests.id('a'), now() + interval '1 hour' from generate_series(1, 100);
select tests.as_user('a.manager');
select is(tests.attempt('select public.create_export()'), 'PT429', 'a hundred files are enough');
select tests.as_owner();
update public.exports set expires_at = now();
select tests.as_user('a.manager');
select is(tests.attempt('select public.create_export()'), '1 row', 'when they have expired, there is room');

select * from finish();
rollback;
