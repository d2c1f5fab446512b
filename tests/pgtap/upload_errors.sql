-- What stood in the cells of rows that failed is leads: who does not see all leads does not see it.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.other'), 'Other list');
delete from public.upload_errors;

select tests.as_user('a.manager');
create temporary table reports as
    select d, public.import_leads(tests.id(d), '[{"First": "L", "Mobile": "7.7009E+09"}, {"First": "M", "Mobile": "07700 900031"}, {"First": "", "Mobile": "0770090"}, 7]',
        '{"required_fields": [], "mapping": {"First": "first_name", "Mobile": "phone_number"}}') as report
    from unnest(array['a.dataset', 'a.other']) as d;
grant select on reports to authenticated;
select is((select array_agg(report ->> 'failed') from reports), array['3', '3'], 'three of four rows fail');
select results_eq(
    $$ select e.row_number, e.column_name, e.value, e.reason from public.upload_errors e
        join public.uploads u on u.organization_id = e.organization_id and u.id = e.upload_id
        where u.dataset_id = tests.id('a.dataset') order by 1, 2, 4 $$,
    $$ select (e ->> 'row')::integer, e ->> 'column', e ->> 'value', e ->> 'reason'
        from reports r, jsonb_array_elements(r.report -> 'errors') as e where r.d = 'a.dataset' order by 1, 2, 4 $$,
    'the rows are those of the report');
select is((select count(*) from public.upload_errors where value = '7.7009E+09'), 2::bigint, 'with what stood there');

select tests.as_owner();
create function tests.sees() returns text
    language sql
    return concat_ws(' ', (select count(*) from public.uploads where status = 'completed'), (select count(*) from public.upload_errors),
        (select count(*) from public.uploads u where to_jsonb(u)::text ~ '7[.]7009E'));
grant execute on function tests.sees() to authenticated, service_role;
create function tests.sees(member text, change jsonb) returns text
    language plpgsql
as $$
declare
    told text;
begin
    perform tests.as_owner();
    update public.memberships set permissions = coalesce(change -> 'permissions', '{}'),
        can_view_all_leads = coalesce((change ->> 'can_view_all_leads')::boolean, false),
        allowed_dataset_ids = case when change ? 'datasets' then array(select jsonb_array_elements_text(change -> 'datasets'))::uuid[] end
    where user_id = tests.id(member);
    perform tests.as_user(member);
    told := tests.sees();
    perform tests.as_owner();
    return told;
end;
$$;
select is(tests.sees(c.member, c.change), c.expected, format('%s with %s: uploads, errors, uploads that repeat a cell', c.member, c.change)) from (values
    ('a.owner', '{}'::jsonb, '2 8 0'), ('a.admin', '{}', '2 8 0'), ('a.manager', '{}', '2 8 0'), ('a.viewer', '{}', '2 8 0'),
    ('a.sales_rep', '{}', '2 0 0'), ('a.sales_rep', '{"can_view_all_leads": true}', '2 8 0'),
    ('a.viewer', '{"permissions": {"leads.read_all": false}}', '2 0 0'),
    ('a.viewer', '{"permissions": {"leads.read": false}}', '2 0 0'),
    ('a.viewer', '{"permissions": {"uploads.read": false}}', '0 0 0'),
    ('a.viewer', jsonb_build_object('datasets', jsonb_build_array(tests.id('a.dataset'))), '1 4 0'),
    ('a.viewer', '{"datasets": []}', '0 0 0')
) as c (member, change, expected);
select is(tests.attempt('delete from public.uploads where organization_id = ' || quote_literal(tests.id('a'))), '3 rows', 'an upload is deleted');
delete from public.uploads where dataset_id = tests.id('a.other');
select is((select count(*) from public.upload_errors), 4::bigint, 'its errors go with it');
select tests.as_user('a.owner');
select is(tests.attempt($$ insert into public.upload_errors (organization_id, upload_id, row_number, reason) values (tests.id('a'), tests.id('a.upload'), 1, 'x') $$), '42501', 'nobody writes them');

select * from finish();
rollback;
