-- find_by_phone: any spelling finds what the caller may see, and nothing of anybody else's.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
-- The same number among the leads and customers of both tenants, and among the numbers of a.
update public.leads set phone_number = '07700 900777' where id in (tests.id('a.lead'), tests.id('b.lead'));
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.second'), 'Second list');
insert into public.leads (organization_id, id, dataset_id, first_name, last_name, phone_number, contact_status, assigned_to, created_at)
values (tests.id('a'), tests.id('a.lead.second'), tests.id('a.second'), 'Lead', '003', '07700 900777', 'HOT',
    tests.id('a.sales_rep'), now() + interval '1 second');
update public.customers set phone_number = '07700 900777' where id in (tests.id('a.customer'), tests.id('b.customer'));
update public.phone_numbers set phone_number = '07700 900777', friendly_name = 'Front desk' where id = tests.id('a.number');

select tests.as_user('a.manager');
select results_eq(
    $$ select kind, id, e164, name, status, dataset_id from public.find_by_phone('07700 900777') $$,
    $$ values
        ('customer', tests.id('a.customer'), '+447700900777', 'Customer of a', null, null::uuid),
        ('lead', tests.id('a.lead.second'), '+447700900777', 'Lead 003', 'HOT', tests.id('a.second')),
        ('lead', tests.id('a.lead'), '+447700900777', 'Lead 001', 'READY', tests.id('a.dataset')),
        ('phone_number', tests.id('a.number'), '+447700900777', 'Front desk', 'active', null) $$,
    'customers, leads newest first, numbers: all of the own organization, none of the other');
select is((select count(*)::integer from public.find_by_phone(spelling)), 4, 'found as ' || spelling)
    from unnest(array['+447700900777', '447700900777', '00447700900777', '7700900777', '(07700) 900-777', '+44 (0)7700 900 777',
        'tel:+44-7700-900777', '٠٧٧٠٠٩٠٠٧٧٧', E'\u200e+44\u00a07700 900777']) as spelling;
select is_empty($$ select * from public.find_by_phone('07700 900778') $$, 'a number that nobody has finds nothing');
select is_empty($$ select * from public.find_by_phone('+443069990802') $$, 'a number of the other tenant finds nothing');

-- Roles: the tables' policies decide.
select tests.as_user('a.sales_rep');
select bag_eq($$ select kind, id from public.find_by_phone('07700 900777') $$,
    $$ values ('lead', tests.id('a.lead.second')), ('phone_number', tests.id('a.number')) $$,
    'a sales_rep finds the lead assigned to them, no other lead and no customer');
select tests.as_user('a.viewer');
select is((select count(*)::integer from public.find_by_phone('07700 900777')), 4, 'a viewer reads everything');
select tests.as_user('b.owner');
select bag_eq($$ select kind, id from public.find_by_phone('07700 900777') $$,
    $$ values ('lead', tests.id('b.lead')), ('customer', tests.id('b.customer')) $$, 'the other tenant finds its own');

-- National spellings are read in the organization's country; digits with a country code anywhere.
select tests.as_owner();
update public.organizations set default_country = 'US' where id = tests.id('a');
select tests.as_user('a.manager');
select is(tests.attempt($$ select public.find_by_phone('07700 900777') $$), '22023', 'a British spelling means nothing in the US');
select is((select count(*)::integer from public.find_by_phone('447700900777')), 4, 'its digits with the country code do');
select tests.as_owner();
update public.organizations set default_country = 'GB' where id = tests.id('a');

-- Refused.
select tests.as_user('a.manager');
select is((tests.refusal(format('select public.find_by_phone(%L)', given)) - 'context' - 'detail' - 'hint')::text,
        jsonb_build_object('sqlstate', '22023', 'message', message)::text, format('refused: %L', given))
    from (values
        (null, 'phone_number is required'),
        ('  ', 'phone_number is required'),
        ('call me', 'phone_number is not a phone number: letters'),
        ('12', 'phone_number is not a phone number: too_short'),
        ('7.7009E+09', 'phone_number is not a phone number: excel_scientific'),
        ('+999 123 456 789', 'phone_number is not a phone number: invalid_country_code'),
        (repeat('7', 300), 'phone_number is not a phone number: too_long')
    ) as v (given, message);
select tests.as_user('a.manager', 'b');
select is(tests.attempt($$ select public.find_by_phone('07700 900777') $$), 'PT403', 'no member of the organization: PT403');
select tests.as_owner();
insert into public.memberships (organization_id, user_id, role) values (tests.id('b'), tests.id('a.manager'), 'viewer');
update public.profiles set default_organization_id = null where id = tests.id('a.manager');
select tests.as_user('a.manager');
select is(tests.attempt($$ select public.find_by_phone('07700 900777') $$), 'PT400', 'two organizations and none named: PT400');
select tests.as_user('a.manager', 'b');
select is((select count(*)::integer from public.find_by_phone('07700 900777')), 2, 'one named: its rows');
select tests.as_owner();
set local role authenticated;
select is(tests.attempt($$ select public.find_by_phone('07700 900777') $$), 'PT401', 'nobody signed in: PT401');
select tests.as_anon();
select is(tests.attempt($$ select public.find_by_phone('07700 900777') $$), '42501', 'anon may not call it');
select tests.as_service('a');
select is(tests.attempt($$ select public.find_by_phone('07700 900777') $$), '42501', 'nor the service role');

-- Under row level security each table is still reached by an index on (organization_id, phone_number).
select tests.as_user('a.viewer');
set local enable_seqscan = off;
create temporary table scans as
    select relname, seq_scan, idx_scan from pg_stat_xact_user_tables
    where relname in ('leads', 'customers', 'phone_numbers');
select is((select count(*)::integer from public.find_by_phone('+447700900777')), 4, 'the viewer finds the four');
select results_eq(
    $$ select s.relname::text collate "default", x.seq_scan - s.seq_scan, x.idx_scan - s.idx_scan
        from scans s join pg_stat_xact_user_tables x using (relname)
        where x.schemaname = 'public' order by 1 $$,
    $$ values ('customers', 0::bigint, 1::bigint), ('leads', 0::bigint, 1::bigint), ('phone_numbers', 0::bigint, 1::bigint) $$,
    'one index scan a table');

select * from finish();
rollback;
