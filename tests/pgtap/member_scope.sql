-- allowed_dataset_ids: datasets of the organization, each once; a deleted dataset leaves every scope, and
-- a scope that loses its last one is empty, not open.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
insert into public.datasets (organization_id, id, name) values
    (tests.id('a'), tests.id('a.second'), 'Second'), (tests.id('a'), tests.id('a.third'), 'Third');

create function tests.scope(value text) returns text
    language sql as $$ select tests.attempt(format('update public.memberships set allowed_dataset_ids = %s where user_id = %L', value, tests.id('a.manager'))) $$;
select is(tests.scope(value), expected, title)
    from (values
        ('null', '1 row', 'null: all of them'),
        ('''{}''', '1 row', 'none of them'),
        (format('array[%L]::uuid[]', tests.id('a.dataset')), '1 row', 'one of them'),
        (format('array[%L, %L]::uuid[]', tests.id('a.third'), tests.id('a.dataset')), '1 row', 'two of them'),
        (format('array[%L]::uuid[]', tests.id('b.dataset')), '22023', 'another tenant''s'),
        (format('array[%L, %L]::uuid[]', tests.id('a.dataset'), tests.id('b.dataset')), '22023', 'another tenant''s among the own'),
        (format('array[%L]::uuid[]', tests.id('nowhere')), '22023', 'nobody''s'),
        (format('array[%1$L, %1$L]::uuid[]', tests.id('a.dataset')), '22023', 'one twice'),
        (format('array[%L, null]::uuid[]', tests.id('a.dataset')), '22023', 'null among them'),
        (format('array[array[%L]]::uuid[]', tests.id('a.dataset')), '22023', 'a list of lists'),
        ('array(select gen_random_uuid() from generate_series(1, 1001))', '22023', 'more than a thousand')
    ) as c (value, expected, title);
select is(tests.refusal(format('update public.memberships set allowed_dataset_ids = array[%L]::uuid[] where user_id = %L', tests.id('b.dataset'), tests.id('a.manager'))) ->> 'message',
    'allowed_dataset_ids names a dataset that the organization does not have', 'the refusal names the column, not the id');

-- Through change_member.
select tests.as_user('a.admin');
select is(public.change_member(tests.id('a.manager'), jsonb_build_object('allowed_dataset_ids', jsonb_build_array(tests.id('a.dataset'), tests.id('a.second')))) -> 'allowed_dataset_ids',
    jsonb_build_array(tests.id('a.dataset'), tests.id('a.second')), 'an admin narrows a manager''s scope');
select is(tests.refusal(format('select public.change_member(%L, %L)', tests.id('a.manager'), jsonb_build_object('allowed_dataset_ids', jsonb_build_array(tests.id('b.dataset'))))) ->> 'sqlstate',
    '22023', 'not to another tenant''s dataset');
select tests.as_user('a.manager');
select is(switchboard.dataset_scope(), array[tests.id('a.dataset'), tests.id('a.second')], 'from the next statement');

-- A deleted dataset.
select tests.as_owner();
update public.memberships set allowed_dataset_ids = array[tests.id('a.third'), tests.id('a.second')] where user_id = tests.id('a.viewer');
update public.memberships set allowed_dataset_ids = array[tests.id('a.second')] where user_id = tests.id('a.sales_rep');
update public.invitations set allowed_dataset_ids = array[tests.id('a.second')] where organization_id = tests.id('a');
-- The one who deletes may not change these members: the scopes follow anyway.
update public.memberships set permissions = '{"members.write": false}' where user_id = tests.id('a.admin');
select tests.as_user('a.admin');
select is(tests.attempt(format('delete from public.datasets where id = %L', tests.id('a.second'))), '1 row', 'a dataset is deleted');
delete from public.datasets where id = tests.id('a.second');
select tests.as_owner();
select is((select allowed_dataset_ids from public.memberships where user_id = tests.id('a.manager')), array[tests.id('a.dataset')], 'it leaves the scopes');
select is((select allowed_dataset_ids from public.memberships where user_id = tests.id('a.viewer')), array[tests.id('a.third')], 'of everybody');
select is((select allowed_dataset_ids from public.memberships where user_id = tests.id('a.sales_rep')), '{}', 'an emptied scope is none, not all');
select is((select allowed_dataset_ids from public.invitations where organization_id = tests.id('a')), '{}', 'an invitation''s too');
select is((select allowed_dataset_ids from public.memberships where user_id = tests.id('a.admin')), null, 'all stays all');
delete from public.datasets where organization_id = tests.id('a') and id in (tests.id('a.third'), tests.id('a.dataset'));
select is((select count(*)::integer from public.memberships where organization_id = tests.id('a') and allowed_dataset_ids = '{}'), 3, 'several datasets in one statement');
select is(tests.attempt(format('delete from public.organizations where id = %L', tests.id('a'))), '1 row', 'and with the organization');

-- What the trigger takes for a lost dataset is nothing else.
create function tests.forced(statement text) returns text
    language plpgsql security definer
as $$ begin return tests.attempt(statement); end; $$;
grant execute on function tests.forced(text) to authenticated;
update public.memberships set allowed_dataset_ids = array[tests.id('b.dataset')] where user_id = tests.id('b.viewer');
select tests.as_user('b.manager');
select is(tests.forced(format('update public.memberships set allowed_dataset_ids = ''{}'' where user_id = %L', tests.id('b.viewer'))), '42501',
    'taking an existing dataset out of a scope is a change of rights');
select tests.as_owner();
alter table public.memberships disable trigger check_dataset_scope;
update public.memberships set allowed_dataset_ids = array[tests.id('nowhere')] where user_id = tests.id('b.viewer');
alter table public.memberships enable trigger check_dataset_scope;
select tests.as_user('b.manager');
select is(tests.forced(format('update public.memberships set allowed_dataset_ids = ''{}'' where user_id = %L', tests.id('b.viewer'))), '1 row', 'taking out one that is gone is not');
select is(tests.forced(format('update public.memberships set allowed_dataset_ids = null where user_id = %L', tests.id('b.viewer'))), '42501', 'opening the scope is');
select is(tests.forced(format('update public.memberships set allowed_dataset_ids = ''{}'', role = ''admin'' where user_id = %L', tests.id('b.viewer'))), '42501', 'so is a role besides');

select * from finish();
rollback;
