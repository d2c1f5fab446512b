-- import_leads: every row is accounted for, a bad row costs only itself, and duplicates are treated as the
-- campaign says.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

-- The report of an import by the manager of a into a fresh dataset or a given one.
create function tests.import(rows jsonb, options jsonb default '{}', dataset text default null) returns jsonb
    language plpgsql
as $$
declare
    target uuid := coalesce(tests.id(dataset), gen_random_uuid());
    report jsonb;
begin
    if dataset is null then
        perform tests.as_owner();
        insert into public.datasets (organization_id, id, name) values (tests.id('a'), target, 'List ' || target);
    end if;
    perform tests.as_user('a.manager');
    report := public.import_leads(target, rows, options);
    perform set_config('tests.dataset', target::text, true);
    return report;
end;
$$;
-- inserted/merged/skipped/suppressed/failed of detected.
create function tests.sums(report jsonb) returns text
    language sql
as $$
    select format('%s/%s/%s/%s/%s of %s', report ->> 'inserted', report ->> 'merged', report ->> 'skipped',
        report ->> 'suppressed', report ->> 'failed', report ->> 'detected')
$$;
grant execute on function tests.import(jsonb, jsonb, text), tests.sums(jsonb) to authenticated;
\set no_more '{"required_fields": []}'

-- Rows in, leads out.
select is(tests.sums(tests.import('[
    {"first_name": " Lead 010 ", "last_name": "X", "phone_number": "07700 900010", "email": "lead010@a.example",
     "postcode": "LS1 1AA", "inquiry_date": "2025-03-31", "notes": "note", "Roof": "flat", "kW": 4, "Empty": "", "Nothing": null},
    {"first_name": "Lead 011", "phone_number": "+44 7700 900011"}
]', :'no_more')), '2/0/0/0/0 of 2', 'two good rows');
create temporary view imported as
    select * from public.leads where dataset_id = current_setting('tests.dataset')::uuid;
grant select on imported to authenticated;
alter view imported set (security_invoker = true);
select is((select (first_name, last_name, phone_number, phone_input, email, postcode, inquiry_date, notes, contact_status, row_number)::text
    from public.leads where phone_number = '+447700900010'),
    '("Lead 010",X,+447700900010,"07700 900010",lead010@a.example,"LS1 1AA",2025-03-31,note,READY,1)', 'fields are trimmed and typed');
select is((select attributes from public.leads where phone_number = '+447700900010'), '{"Roof": "flat", "kW": 4}',
    'other columns are kept under their names, with their types; empty ones are not');
select is((select count(*)::integer from public.leads where upload_id is not null), 2, 'leads know their upload');
select is((select (status, filename, rows_detected, rows_inserted, uploaded_by)::text from public.uploads where filename = 'import_leads'),
    format('(completed,import_leads,2,2,%s)', tests.id('a.manager')), 'and the upload its counts and its maker');
select is((select total_leads from public.datasets d where d.id = current_setting('tests.dataset')::uuid), 2, 'and the dataset its leads');

-- Phones: one reason a row.
select results_eq(
    $q$ select e ->> 'column', e ->> 'value', e ->> 'reason' from jsonb_array_elements(tests.import('[
        {"first_name": "L", "phone_number": "7.7009E+09"},
        {"first_name": "L", "phone_number": "07700900123/07911123456"},
        {"first_name": "L", "phone_number": "O7700900123"},
        {"first_name": "L", "phone_number": "4155551234"},
        {"first_name": "L", "phone_number": "12"},
        {"first_name": "L", "phone_number": "+1 415 555 2671"},
        {"first_name": "L", "phone_number": "+353 86 123 4567"},
        {"first_name": "L", "phone_number": "-"},
        {"first_name": "L", "phone_number": "07911 123456"}
    ]', '{"required_fields": []}') -> 'errors') as e $q$,
    $$ values
        ('phone_number', '7.7009E+09', 'excel_scientific'),
        ('phone_number', '07700900123/07911123456', 'multiple_numbers'),
        ('phone_number', 'O7700900123', 'letters'),
        ('phone_number', '4155551234', 'invalid_range'),
        ('phone_number', '12', 'too_short'),
        ('phone_number', '+1 415 555 2671', 'international_not_allowed'),
        ('phone_number', '+353 86 123 4567', 'international_not_allowed'),
        ('phone_number', '-', 'not_a_number') $$,
    'each bad number says why, with the text as given; Guernsey is not abroad'
);
select is(tests.sums(tests.import('[{"first_name": "L", "phone_number": "+353 86 123 4567"}]',
    '{"required_fields": [], "allow_international": true}')), '1/0/0/0/0 of 1', 'allow_international lets them in');
select is(tests.sums(tests.import('[{"first_name": "L", "phone_number": "07700 900020"}, {"first_name": "L", "phone_number": "+447700900021"}]',
    '{"required_fields": [], "auto_normalize_uk_numbers": false}')), '1/0/0/0/1 of 2', 'without normalizing, only + is read');
select is(tests.sums(tests.import('[
    {"first_name": "L", "phone_number": "07700 900030"}, {"first_name": "L", "phone_number": "7700900031"},
    {"first_name": "L", "phone_number": "447700900032"}, {"first_name": "L", "phone_number": "00447700900033"},
    {"first_name": "L", "phone_number": "+44(0)7700 900034"}, {"first_name": "L", "phone_number": "\u200e07700\u00a0900035"},
    {"first_name": "L", "phone_number": "=\"07700900036\""}, {"first_name": "L", "phone_number": "''07700900037"},
    {"first_name": "L", "phone_number": 7700900038}, {"first_name": "L", "phone_number": "020 7946 0958 ext 12"}
]', :'no_more')), '10/0/0/0/0 of 10', 'spellings that people and spreadsheets use');
select bag_eq($$ select phone_number from imported $$, $$ values
    ('+447700900030'), ('+447700900031'), ('+447700900032'), ('+447700900033'), ('+447700900034'), ('+447700900035'),
    ('+447700900036'), ('+447700900037'), ('+447700900038'), ('+442079460958') $$, 'all read');

-- Required fields, and rows that are no rows.
select is(tests.refusal($$ select tests.import('[{"first_name": "L"}]') $$) ->> 'message', 'required column missing: phone_number',
    'a required column that no row has refuses the file');
select is(tests.refusal($$ select tests.import('[{"first_name": "L", "phone_number": "07700 900040"}]', '{"required_fields": ["email"]}') $$) ->> 'sqlstate',
    '22023', 'so does one that the options require');
select results_eq(
    $q$ select (e ->> 'row')::integer, e ->> 'column', e ->> 'reason' from jsonb_array_elements(tests.import('[
        {"first_name": "  ", "phone_number": "07700 900040", "email": "x@a.example"},
        {"first_name": "L", "phone_number": "", "email": "x@a.example"},
        {"first_name": "L", "phone_number": "07700 900041", "email": null},
        {"first_name": "L", "phone_number": "07700 900042", "email": "no address"},
        {"first_name": "L", "phone_number": "07700 900043", "email": "x@a.example", "inquiry_date": "31/02/2025"},
        {"first_name": "L", "phone_number": "07700 900044", "email": "x@a.example", "inquiry_date": "31/03/2025"},
        {"first_name": {"a": 1}, "phone_number": "07700 900045", "email": "x@a.example"},
        "text", 7, null, []
    ]', '{"required_fields": ["email"]}') -> 'errors') as e $q$,
    $$ values (1, 'first_name', 'required'), (2, 'phone_number', 'required'), (3, 'email', 'required'),
        (4, 'email', 'invalid_email'), (5, 'inquiry_date', 'invalid_date'), (7, 'first_name', 'not_a_text'),
        (8, null, 'not_an_object'), (9, null, 'not_an_object'), (10, null, 'not_an_object'), (11, null, 'not_an_object') $$,
    'a row with an empty or odd cell fails alone'
);
select is((select inquiry_date from imported), '2025-03-31', 'a British date is day first');
select is(tests.sums(tests.import('[]')), '0/0/0/0/0 of 0', 'no rows are no error');
select results_eq(
    format($q$ select e ->> 'reason', length(e ->> 'value') from jsonb_array_elements(tests.import(%L, '{"required_fields": []}') -> 'errors') as e $q$,
        jsonb_build_array(jsonb_build_object('first_name', repeat('x', 5000), 'phone_number', '07700 900046'))),
    $$ values ('too_long', 500) $$, 'a cell that is too long is reported, cut'
);

-- Formula cells are text.
select is(tests.sums(tests.import('[{"first_name": "=HYPERLINK(\"http://x.example\")", "phone_number": "07700 900050",
    "notes": "@SUM(A1)", "Extra": "-1+1", "More": "+cmd"}]', :'no_more')), '1/0/0/0/0 of 1', 'cells that begin with = + - @');
select is((select first_name || '|' || notes || '|' || attributes::text from imported),
    '=HYPERLINK("http://x.example")|@SUM(A1)|{"More": "+cmd", "Extra": "-1+1"}', 'are kept as the text they are');

-- Mapping.
select is(tests.sums(tests.import('[{"Vorname": "L", "Mobil": "07700 900060", "first_name": "other", "E-Mail": "x@a.example", "Notiz": "n"}]',
    '{"required_fields": [], "mapping": {"Vorname": "first_name", "Mobil": "phone_number", "Notiz": null}}')), '1/0/0/0/0 of 1', 'columns are mapped');
select is((select first_name || '|' || attributes::text from imported), 'L|{"Notiz": "n", "E-Mail": "x@a.example", "first_name": "other"}',
    'and what is not mapped is an attribute, a namesake included');
select results_eq(
    $q$ select e ->> 'column' from jsonb_array_elements(tests.import('[{"Vorname": "L", "Mobil": "12"}]',
        '{"required_fields": [], "mapping": {"Vorname": "first_name", "Mobil": "phone_number"}}') -> 'errors') as e $q$,
    array['Mobil'], 'an error names the column of the file');
select tests.as_owner();
update public.datasets set column_mapping = '{"Mobile": "phone_number"}' where id = tests.id('a.dataset');
select is(tests.sums(tests.import('[{"first_name": "L", "Mobile": "07700 900061"}]', :'no_more', 'a.dataset')), '1/0/0/0/0 of 1',
    'the dataset''s own mapping counts');
select tests.as_owner();
update public.datasets set column_mapping = '{}' where id = tests.id('a.dataset');
select is(tests.refusal(format('select tests.import(%L, %L)', '[{"first_name": "L", "phone_number": "07700 900062"}]', options)) ->> 'sqlstate',
    '22023', 'options refused: ' || options)
    from unnest(array['[]', '{"mapping": []}', '{"mapping": {"x": "no_such_field"}}', '{"mapping": {"x": "email", "y": "email"}}',
        '{"mapping": {"x": 7}}', '{"duplicate_action": "replace"}', '{"required_fields": "email"}', '{"required_fields": ["age"]}',
        '{"allow_international": "yes"}', '{"auto_normalize_uk_numbers": 1}', '{"no_such_option": 1}']) as options;
select is(tests.refusal($$ select tests.import('{"first_name": "L"}') $$) ->> 'sqlstate', '22023', 'rows that are no list');
select is(tests.refusal($$ select tests.import(null) $$) ->> 'sqlstate', '22023', 'no rows at all');
select is(tests.refusal(format('select tests.import(%L)', (select jsonb_agg(1) from generate_series(1, 10001)))) ->> 'sqlstate', 'PT429', 'too many rows');

-- Duplicates. 07700 900001 is in the tenant's first list; of each pair of rows, the first stands for the second.
select tests.as_owner();
create function tests.twice(action text) returns jsonb
    language sql
as $$
    select tests.import('[
        {"first_name": "New", "phone_number": "07700 900070", "notes": "first"},
        {"first_name": "Again", "phone_number": "+447700900070", "notes": "second", "email": "x@a.example", "Roof": "flat"},
        {"first_name": "Known", "phone_number": "07700 900001", "notes": "third", "postcode": "LS1 1AA"}
    ]', jsonb_build_object('required_fields', '[]'::jsonb, 'duplicate_action', action))
$$;
grant execute on function tests.twice(text) to authenticated;
savepoint before;
select is(tests.sums(tests.twice('flag')), '3/0/0/0/0 of 3', 'flag: all are inserted');
select bag_eq(
    format($$ select first_name, dup_seq, duplicate_of = %L as known, duplicate_of is null as first from imported $$, tests.id('a.lead')),
    $$ values ('New', 0, null::boolean, true), ('Again', 1, false, false), ('Known', 0, true, false) $$,
    'flag: and point at the lead that they repeat');
rollback to savepoint before;
select is(tests.sums(tests.twice('skip')), '1/0/2/0/0 of 3', 'skip: the later ones are left out');
select is((select array_agg(first_name) from imported), array['New'], 'skip: the first stays');
rollback to savepoint before;
select is(tests.sums(tests.twice('keep_both')), '3/0/0/0/0 of 3', 'keep_both: all are inserted');
select bag_eq($$ select first_name, dup_seq, duplicate_of from imported $$,
    $$ values ('New', 0, null::uuid), ('Again', 1, null), ('Known', 0, null) $$, 'keep_both: and stand for themselves');
rollback to savepoint before;
select tests.as_owner();
update public.leads set notes = 'old', email = 'kept@a.example', contact_status = 'HOT' where id = tests.id('a.lead');
select is(tests.sums(tests.twice('merge')), '1/2/0/0/0 of 3', 'merge: one is inserted');
select is((select (first_name, email, notes, attributes)::text from imported),
    '(New,x@a.example,"first
second","{""Roof"": ""flat""}")', 'merge: and takes what the later row of the file adds');
select is((select (first_name, email, postcode, notes, contact_status)::text from public.leads where id = tests.id('a.lead')),
    '("Lead 001",kept@a.example,"LS1 1AA","old
third",HOT)', 'merge: the lead that was there is filled up, and nothing of it changes');
select is(tests.sums(tests.twice('merge')), '0/3/0/0/0 of 3', 'merge: again');
select is((select notes from public.leads where id = tests.id('a.lead')), 'old
third', 'merge: does not add the same notes twice');
rollback to savepoint before;
select is((tests.twice('skip') -> 'duplicates' -> 1) - 'lead_id', '{"row": 3, "action": "skipped"}', 'the report lists duplicates by row');
select is(tests.twice('skip') #>> '{duplicates,2,lead_id}', tests.id('a.lead')::text, 'with the lead they repeat');
rollback to savepoint before;

-- The campaign's settings decide when the options do not.
select tests.as_owner();
update public.campaign_settings set duplicate_action = 'skip', required_fields = '["postcode"]' where id = tests.id('a.settings');
select is(tests.sums(tests.import('[{"first_name": "L", "phone_number": "07700 900001", "postcode": "LS1"}]', '{}', 'a.dataset')), '0/0/1/0/0 of 1',
    'duplicate_action of the campaign');
select is(tests.refusal($$ select tests.import('[{"first_name": "L", "phone_number": "07700 900071"}]', '{}', 'a.dataset') $$) ->> 'message',
    'required column missing: postcode', 'required_fields of the campaign');

-- Who has opted out stays out.
select tests.as_owner();
update public.leads set contact_status = 'REMOVED' where id = tests.id('a.lead');
select is(tests.sums(tests.import('[{"first_name": "L", "phone_number": "07700 900001"}, {"first_name": "M", "phone_number": "07700 900001"}]',
    '{"required_fields": [], "duplicate_action": "keep_both"}')), '0/0/0/2/0 of 2', 'a number that opted out is suppressed');
select is((select array_agg(contact_status) from imported), array['REMOVED'], 'and is in the new list as REMOVED, once');
select is(tests.refusal(format($$ update public.leads set contact_status = 'READY' where id = %L $$, tests.id('a.lead'))) ->> 'sqlstate', '23514',
    'and no status brings it back');

-- Counts add up, over all of it.
select tests.as_user('a.manager');
select is_empty($$
    select id from public.uploads
    where status = 'completed'
        and rows_detected <> rows_inserted + rows_merged + rows_skipped + rows_suppressed + rows_failed
$$, 'the counts of every import add up');
select tests.as_owner();
select is(tests.attempt(format($$ insert into public.uploads (organization_id, filename, status, rows_detected) values (%L, 'x', 'completed', 1) $$, tests.id('a'))),
    '23514', 'and a CHECK says so');

-- Bounds. A number of 131,072 digits is eight bytes sent; nothing of it becomes text.
select results_eq(
    $q$ select (e ->> 'row')::integer, e ->> 'column', e -> 'value', e ->> 'reason' from jsonb_array_elements(tests.import(jsonb_build_array(
        '{"first_name": "L", "phone_number": 1e131071}'::jsonb,
        '{"first_name": 1e131071, "phone_number": "07700 900090"}'::jsonb,
        '{"first_name": "L", "phone_number": "07700 900091", "kW": 1e131071}'::jsonb,
        jsonb_build_object('first_name', 'L', 'phone_number', '07700 900092', 'notes', repeat('x', 70000)),
        jsonb_build_object('first_name', 'L', 'phone_number', '07700 900093', 'a', repeat('x', 40000), 'b', repeat('x', 40000)),
        jsonb_build_object('first_name', 'L', 'phone_number', '07700 900094', 'kW', repeat('1', 40)::numeric, 'notes', repeat('é', 10000))
    ), '{"required_fields": []}') -> 'errors') as e $q$,
    $$ values
        (1, 'phone_number', 'null'::jsonb, 'number_too_long'),
        (2, 'first_name', 'null', 'number_too_long'),
        (3, 'kW', 'null', 'number_too_long'),
        (4, 'notes', 'null', 'too_long'),
        (5, null, 'null', 'attributes_too_long') $$,
    'a cell that prints too long fails its row, which says so; 40 digits and 10,000 characters are not too long');
select tests.as_owner();
select is((select max(octet_length(e::text)) < 2000 from public.upload_errors e where e.dataset_id = current_setting('tests.dataset')::uuid), true,
    'and nothing of it is kept');
create temporary table giant as select jsonb_agg('{"first_name": 1e131071}'::jsonb) as rows, jsonb_agg('1e131071'::jsonb) as numbers from generate_series(1, 5000);
grant select on giant to authenticated;
select tests.as_user('a.manager');
select is(tests.refusal($$ select public.import_leads(tests.id('a.dataset'), rows) from giant $$) - 'context',
    '{"sqlstate": "PT413", "message": "rows_too_large", "detail": "The rows have more than 16 MB of JSON text.", "hint": "Send the rows in several calls."}',
    'rows that would print 655 MB are refused as a whole');
select is(tests.refusal($$ select public.import_leads(tests.id('a.dataset'), numbers) from giant $$) ->> 'message', 'rows_too_large',
    'also when they are no objects');
-- What a merge brings together stays within the lead's own bounds.
select tests.as_owner();
insert into public.leads (organization_id, dataset_id, first_name, phone_number, notes, attributes)
    values (tests.id('a'), tests.id('a.dataset'), 'L', '07700 900095', repeat('n', 9990), jsonb_build_object('k', repeat('x', 60000)));
select is(tests.sums(tests.import(jsonb_build_array(
    jsonb_build_object('first_name', 'L', 'phone_number', '07700 900095', 'notes', repeat('m', 100), 'more', repeat('y', 60000))
), '{"required_fields": [], "duplicate_action": "merge"}', 'a.dataset')), '0/1/0/0/0 of 1', 'a merge that does not fit whole is made');
select is((select (length(notes), right(notes, 10), array(select jsonb_object_keys(attributes)))::text from public.leads where phone_number = '+447700900095'),
    '(10000,"' || e'\n' || 'mmmmmmmmm",{k})', 'and keeps what was there: as much of the notes as fits, none of the attributes');

-- Who, and where to.
select tests.as_owner();
create function tests.try_import(dataset text) returns text
    language sql
as $$
    select tests.refusal(format('select public.import_leads(%L, %L, %L)', tests.id(dataset),
        '[{"first_name": "L", "phone_number": "07700 900080"}]', '{"required_fields": []}')) ->> 'sqlstate'
$$;
grant execute on function tests.try_import(text) to authenticated, anon;
select tests.as_user('a.manager');
select is(tests.try_import('a.dataset'), null, 'a manager imports');
select is(tests.try_import('b.dataset'), 'PT404', 'not into another tenant''s dataset');
select is(tests.try_import('nowhere'), 'PT404', 'which is as unknown as any other');
select tests.as_user('a.viewer');
select is(tests.try_import('a.dataset'), 'PT403', 'a viewer does not import');
select tests.as_user('a.sales_rep');
select is(tests.try_import('a.dataset'), 'PT403', 'nor a sales_rep');
select tests.as_user('b.owner', 'a');
select is(tests.try_import('a.dataset'), 'PT403', 'nor another tenant in our name');
select tests.as_anon();
select is(tests.try_import('a.dataset'), '42501', 'nor anon');
-- Another tenant's leads are no duplicates of ours.
select tests.as_owner();
insert into public.leads (organization_id, dataset_id, first_name, phone_number) values (tests.id('b'), tests.id('b.dataset'), 'Lead of b', '07700 900081');
select is(tests.import('[{"first_name": "L", "phone_number": "07700 900081"}]', '{"required_fields": [], "duplicate_action": "skip"}') -> 'duplicates',
    '[]', 'what another tenant has is no duplicate');

select * from finish();
rollback;
