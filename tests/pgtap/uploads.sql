-- A file becomes leads: pieces, preview, commit, undo; who may, and what each refusal is.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
create function tests.create(options jsonb default '{"required_fields": []}', dataset text default 'a.dataset', size bigint default null) returns uuid
    language sql
as $$
    select set_config('tests.upload',
        public.create_upload(tests.id(dataset), 'leads.csv', size, options => options) ->> 'upload_id', true)::uuid
$$;
create function tests.upload() returns uuid language sql as $$ select current_setting('tests.upload')::uuid $$;
create function tests.append(seq integer, text text) returns jsonb
    language sql
    as $$ select public.append_upload_chunk(tests.upload(), seq, encode(convert_to(text, 'UTF8'), 'base64')) $$;
create function tests.counts(answer jsonb) returns text
    language sql
as $$
    select format('%s %s/%s/%s/%s/%s of %s', answer ->> 'status', answer ->> 'inserted', answer ->> 'merged', answer ->> 'skipped',
        answer ->> 'suppressed', answer ->> 'failed', answer ->> 'detected')
$$;
grant execute on all functions in schema tests to authenticated, anon;

-- In two pieces, cut within a cell.
select tests.as_user('a.manager');
select isnt(tests.create(), null, 'a manager begins an upload');
select is(tests.append(0, e'First name,Mobile,Roof\nAda,07700 9'), '{"next_seq": 1, "bytes_received": 34}', 'a piece');
select is(tests.append(0, e'First name,Mobile,Roof\nAda,07700 9'), '{"next_seq": 1, "bytes_received": 34}', 'the same again');
select is(tests.refusal($$ select tests.append(0, 'other') $$) ->> 'message', 'chunk_differs', 'another in its place');
select is(tests.refusal($$ select tests.append(2, 'later') $$) ->> 'message', 'chunk_missing', 'one too far');
select is(tests.refusal(format($$ select public.append_upload_chunk(%L, 1, '*') $$, tests.upload())) ->> 'sqlstate', '22023', 'no base64');
select is(tests.refusal(format($$ select public.append_upload_chunk(%L, 1, '') $$, tests.upload())) ->> 'sqlstate', '22023', 'an empty piece');
select lives_ok($$ select tests.append(1, e'00020,slate\nBert,7.7009E+09,flat\nCecil,+44 7700 900021,"ti\nle"\nAda again,07700900020,\nragged\nGone,07700 900001,\n') $$, 'the rest');
select tests.as_owner();
insert into public.suppressions (organization_id, phone_number) values (tests.id('a'), '07700 900021');
select tests.as_user('a.manager');
create temporary table preview as select public.preview_upload(tests.upload()) as answer;
select is(answer -> 'mapping', '{"First name": "first_name", "Mobile": "phone_number", "Roof": null}', 'columns are recognized') from preview;
select is(answer -> 'counts', '{"inserted": 3, "merged": 0, "skipped": 0, "suppressed": 1, "failed": 2, "duplicates": 2}', 'and what would become of the rows') from preview;
select is(answer -> 'reasons', '{"ragged_row": 1, "excel_scientific": 1}', 'with reasons') from preview;
select is(answer -> 'warnings', '["no_consent_basis"]', 'and a warning') from preview;
select is((select count(*) from public.leads where upload_id = tests.upload()), 0::bigint, 'nothing is imported by looking');
select is(tests.refusal($$ select tests.append(2, 'more') $$) ->> 'message', 'upload_closed', 'a file that was looked at takes no further piece');
select is(tests.counts(public.commit_upload(tests.upload())), 'completed 3/0/0/1/2 of 6', 'commit does what the preview said');
select bag_eq($$ select row_number, first_name, phone_number, contact_status, duplicate_of is not null, attributes from public.leads where upload_id = tests.upload() $$,
    $$ values (1, 'Ada', '+447700900020', 'READY', false, '{"Roof": "slate"}'::jsonb), (3, 'Cecil', '+447700900021', 'REMOVED', false, e'{"Roof": "ti\\nle"}'),
        (4, 'Ada again', '+447700900020', 'READY', true, '{}'), (6, 'Gone', '+447700900001', 'READY', true, '{}') $$, 'row by row');
select bag_eq($$ select row_number, reason, value from public.upload_errors where upload_id = tests.upload() $$,
    $$ values (2, 'excel_scientific', '7.7009E+09'), (5, 'ragged_row', '1 cells, the header has 3') $$, 'errors by row');
select bag_eq($$ select row_number, decision from public.upload_rows where upload_id = tests.upload() $$, $$ values (3, 'suppressed') $$, 'and what made no lead');
select is((select (status, row_total, rows_detected, problem)::text from public.uploads where id = tests.upload()), '(completed,6,6,)', 'the upload says so');
select is((select column_mapping from public.datasets where id = tests.id('a.dataset')), '{"First name": "first_name", "Mobile": "phone_number", "Roof": null}',
    'the dataset keeps the mapping');
select tests.as_owner();
select is((select count(*) from private.upload_chunks), 0::bigint, 'the file is gone');
select tests.as_user('a.manager');
select is(tests.counts(public.commit_upload(tests.upload())), 'completed 3/0/0/1/2 of 6', 'committing again changes nothing');
select is(tests.refusal($$ select public.preview_upload(tests.upload()) $$) ->> 'message', 'upload_started', 'nor is it previewed again');

-- Taken back.
select is(tests.refusal($$ select public.undo_upload(tests.upload()) $$) ->> 'sqlstate', 'PT403', 'a manager does not delete leads');
select tests.as_owner();
update public.leads set contact_status = 'HOT' where upload_id = tests.upload() and row_number = 1;
select tests.as_user('a.admin');
select is(public.undo_upload(tests.upload()) - 'upload_id', '{"deleted": 3, "remaining": 1, "is_done": true}', 'an admin does, but for a lead that was worked on');
select is((select d.total_leads from public.datasets d where d.id = tests.id('a.dataset')), (select count(*)::integer from public.leads where dataset_id = tests.id('a.dataset')),
    'and the counters follow');

-- A quota in the middle.
select tests.as_owner();
insert into public.plan_overrides (organization_id, quota, max_count, reason)
    select tests.id('a'), 'leads', count(*) + 2, 'test' from public.leads where organization_id = tests.id('a');
select tests.as_user('a.manager');
select isnt(tests.create('{"required_fields": []}'), null, 'another file');
select lives_ok($$ select tests.append(0, e'First name,Mobile\nA,07700 900030\nB,07700 900031\nC,07700 900032\nD,12\n') $$, 'of four rows');
create temporary table stopped as select public.commit_upload(tests.upload()) as answer;
select is(tests.counts(answer) || ' ' || (answer ->> 'problem'), 'processing 2/0/0/0/0 of 2 quota_exceeded', 'what fits is in') from stopped;
select tests.as_owner();
update public.plan_overrides set max_count = -1 where organization_id = tests.id('a');
select tests.as_user('a.admin');
select is(tests.counts(public.commit_upload(tests.upload())), 'completed 3/0/0/0/1 of 4', 'and the rest when there is room, by another member');
-- Rows that are there already need none.
select tests.as_owner();
update public.plan_overrides set max_count = (select count(*) from public.leads where organization_id = tests.id('a')) where organization_id = tests.id('a');
select tests.as_user('a.admin');
select isnt(tests.create('{"required_fields": [], "duplicate_action": "skip"}'), null, 'a file when there is no room');
select lives_ok($$ select tests.append(0, e'First name,Mobile\nA,07700 900030\nB,07700 900031\nC,07700 900032\nE,07700 900033\nA,07700 900030\n') $$, 'of which one row is new');
create temporary table full_up as select public.commit_upload(tests.upload()) as answer;
select is(tests.counts(answer) || ' ' || (answer ->> 'problem'), 'processing 0/0/3/0/0 of 3 quota_exceeded', 'it goes up to that') from full_up;
select tests.as_owner();
update public.plan_overrides set max_count = -1 where organization_id = tests.id('a');
select tests.as_user('a.admin');
select is(tests.counts(public.commit_upload(tests.upload())), 'completed 1/0/4/0/0 of 5', 'and over it');

-- Files that cannot be read.
select tests.as_owner();
create function tests.problem(file text) returns text
    language plpgsql
as $$
declare
    answer jsonb;
begin
    perform tests.create();
    if file <> '' then
        perform tests.append(0, file);
    end if;
    answer := public.preview_upload(tests.upload());
    if tests.refusal('select public.commit_upload(tests.upload())') ->> 'sqlstate' is distinct from '22023' then
        return 'committed';
    end if;
    perform public.cancel_upload(tests.upload());
    return concat_ws(' ', answer ->> 'problem', answer ->> 'problem_at');
end;
$$;
grant execute on function tests.problem(text) to authenticated;
select tests.as_user('a.manager');
select is(tests.problem(file), problem, 'a file: ' || problem) from (values
    ('', 'empty_file'), ('a,b', 'no_rows'), (e'a,a\n1,2', 'duplicate_header a'), (e'a,\n1,2', 'blank_header 2'), (e'a,b\n1,"2', 'unclosed_quote 1')
) as t (file, problem);
select isnt(tests.create('{}', size => 20), null, 'a file whose size is known');
select lives_ok($$ select tests.append(0, e'name,Mobile\n') $$, 'half of it');
select is(tests.refusal($$ select public.preview_upload(tests.upload()) $$) ->> 'message', 'upload_incomplete', 'is not looked at');
select is(tests.refusal($$ select tests.append(1, 'too much for it') $$) ->> 'message', 'file_too_large', 'nor does it take more than it has');
select is(public.cancel_upload(tests.upload()) ->> 'problem', 'cancelled', 'given up');
select is(tests.counts(public.commit_upload(tests.upload())), 'failed 0/0/0/0/0 of 0', 'it stays so');
select isnt(tests.create('{"required_fields": ["email"]}'), null, 'a file without a required column');
select lives_ok($$ select tests.append(0, e'name,Mobile\nA,07700 900033\n') $$, 'comes');
select is(public.preview_upload(tests.upload()) -> 'missing_columns', '["email"]', 'and is told');
select is(tests.refusal($$ select public.commit_upload(tests.upload()) $$) ->> 'message', 'required column missing: email', 'and refused');
select is(tests.counts(public.commit_upload(tests.upload(), '{"name": "first_name", "Mobile": "phone_number"}', '{"required_fields": []}')), 'completed 1/0/0/0/0 of 1',
    'until the commit asks for less');

-- Who.
select isnt(tests.create(), null, 'one more');
select tests.as_owner();
create function tests.tries() returns text
    language sql
as $$
    select string_agg(tests.refusal(statement) ->> 'sqlstate', ' ' order by place) from (values
        (1, format('select public.create_upload(%L, ''x.csv'')', tests.id('a.dataset'))), (2, $s$ select tests.append(0, 'x') $s$),
        (3, 'select public.preview_upload(tests.upload())'), (4, 'select public.commit_upload(tests.upload())'),
        (5, 'select public.cancel_upload(tests.upload())'), (6, 'select public.undo_upload(tests.upload())')
    ) as t (place, statement)
$$;
grant execute on function tests.tries() to authenticated, anon;
select tests.as_user('a.viewer');
select is(tests.tries(), 'PT403 PT403 PT403 PT403 PT403 PT403', 'a viewer imports nothing');
select tests.as_user('a.sales_rep');
select is(tests.tries(), 'PT403 PT403 PT403 PT403 PT403 PT403', 'nor a sales_rep');
select tests.as_user('b.owner');
select is(tests.tries(), 'PT404 PT404 PT404 PT404 PT404 PT404', 'another tenant finds nothing');
select tests.as_anon();
select is(tests.tries(), '42501 42501 42501 42501 42501 42501', 'nor anon');
select tests.as_owner();
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.other'), 'Other');
update public.memberships set allowed_dataset_ids = array[tests.id('a.other')] where user_id = tests.id('a.manager');
select tests.as_user('a.manager');
select is(tests.tries(), 'PT404 PT404 PT404 PT404 PT404 PT404', 'nor a member of other datasets');
select is(tests.refusal(format($$ select public.create_upload(%L, 'x.csv', storage_path => %L) $$, tests.id('a.other'), tests.id('b') || '/x.csv')) ->> 'sqlstate', '22023',
    'a path of another organization is refused');
select is(tests.refusal(format($$ select public.create_upload(%L, 'x.csv', 300000000) $$, tests.id('a.other'))) ->> 'message', 'file_too_large', 'so is a file over 256 MB');

-- Nobody comes back.
select tests.as_owner();
alter table public.uploads disable trigger set_updated_at;
update public.uploads set updated_at = now() - interval '8 days' where id = tests.upload();
select is(private.prune_uploads(), 1, 'an upload that nobody goes on with is given up');
select is((select (status, problem)::text from public.uploads where id = tests.upload()), '(failed,abandoned)', 'and says so');
select is_empty($$ select id from public.uploads where rows_detected <> rows_inserted + rows_merged + rows_skipped + rows_suppressed + rows_failed $$, 'all counts add up');
select is_empty($$ select * from switchboard.verify_counts('public.leads') $$, 'and the counters are exact');

select * from finish();
rollback;
