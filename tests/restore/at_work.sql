-- A restored tenant goes on working: credentials open, a counter follows a new lead, the log refuses to change. Undone.
\pset tuples_only on
\pset format unaligned
begin;
\o /dev/null
\ir ../pgtap/_helpers.psql
select tests.as_service();
\o
select public.provider_credentials(tests.id('a.account'), 'a test') ->> 'authToken';
\o /dev/null
select tests.as_owner();
select total_leads as before from public.datasets where id = tests.id('a.dataset') \gset
insert into public.leads (organization_id, dataset_id, first_name, phone_number)
values (tests.id('a'), tests.id('a.dataset'), 'Lead 003', '07700 900004');
\o
select :before, total_leads from public.datasets where id = tests.id('a.dataset') \g (tuples_only=on fieldsep=' ')
select tests.attempt('update public.audit_log set action = ''delete''');
rollback;
