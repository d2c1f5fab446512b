-- Unique keys must not tell one tenant what another one has: keys are per tenant, and the few that are
-- global answer through an RPC in the same words, or are met by server code only.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
insert into public.leads (organization_id, dataset_id, first_name, phone_number)
values (tests.id('b'), tests.id('b.dataset'), 'Lead 003', '07700 900011');
select tests.as_user('a.owner');

-- What b has, a may have too.
select is(tests.attempt($$ insert into public.customers (phone_number) values ('+447700900008') $$), '1 row', 'control: a new customer');
select is(tests.attempt(statement), '1 row', 'the same as another tenant has: ' || title)
    from (values
        ('customer''s number', $$ insert into public.customers (phone_number, name) values ('+443069990802', 'x') $$),
        ('provider account', $$ insert into public.provider_accounts (provider, account_ref) values ('twilio', 'ACb') $$),
        ('dataset name', $$ insert into public.datasets (name) values ('List of b') $$),
        ('prompt name', $$ insert into public.prompts (name) values ('Prompt of b') $$),
        ('lead''s number', format($$ insert into public.leads (dataset_id, first_name, phone_number) values (%L, 'Lead 003', '07700 900011') $$,
            tests.id('a.dataset')))
    ) as s (title, statement);
-- No client chooses an id, so none can try one.
select is(tests.attempt(statement), '42501', 'an id is not for clients to write: ' || title)
    from (values
        ('lead', format($$ insert into public.leads (id, dataset_id, first_name, phone_number) values (%L, %L, 'Lead 003', '07700 900009') $$,
            tests.id('b.lead'), tests.id('a.dataset'))),
        ('upload', format($$ insert into public.uploads (id, filename) values (%L, 'x.csv') $$, tests.id('b.upload')))
    ) as s (title, statement);
-- The keys themselves are per tenant.
select tests.as_owner();
select is(tests.attempt(format($$ insert into public.agents (organization_id, id, name) values (%L, %L, 'X') $$,
    tests.id('a'), tests.id('b.agent'))), '1 row', 'an id of another tenant''s row is free');
select tests.as_user('a.owner');
-- And the own ones are refused.
select is(tests.attempt(statement), '23505', 'twice in one tenant: ' || title)
    from (values
        ('customer''s number', $$ insert into public.customers (phone_number) values ('07700 900003') $$),
        ('provider account', $$ insert into public.provider_accounts (provider, account_ref) values ('twilio', 'ACa') $$),
        ('dataset name', $$ insert into public.datasets (name) values ('List of a') $$),
        ('lead''s number in a dataset', format($$ insert into public.leads (dataset_id, first_name, phone_number) values (%L, 'Lead 003', '07700 900001') $$,
            tests.id('a.dataset')))
    ) as s (title, statement);

-- Organizations: members cannot write the slug, and create_organization says the same of any that is taken.
select is(tests.attempt($$ update public.organizations set slug = 'test-tenant-b' $$), '42501', 'nobody renames to find out');
select is(
    tests.refusal($$ select public.create_organization('X', 'test-tenant-b') $$) - 'context',
    (tests.refusal($$ select public.create_organization('X', 'test-tenant-a') $$) - 'context')
        || '{"detail": "The slug test-tenant-b is taken."}',
    'a slug of another tenant is taken in the same words as the own'
);

-- Numbers: the one key over all tenants. Same words for the own and for another's.
select is(
    tests.refusal($$ select public.add_phone_number('03069 990802', 'twilio') $$) - 'context',
    tests.refusal($$ select public.add_phone_number('03069 990801', 'twilio') $$) - 'context',
    'a number of another tenant is in use in the same words as the own'
);
select is(tests.refusal($$ select public.add_phone_number('03069 990802', 'twilio') $$) ->> 'sqlstate', 'PT409', 'as PT409');
select ok(
    (tests.refusal($$ select public.add_phone_number('03069 990802', 'twilio') $$) - 'context')::text !~ 'test-tenant|990802|[0-9a-f]{8}-[0-9a-f]{4}',
    'which names neither the tenant nor an id'
);
-- An inactive number of mine becomes active only if it is nobody's: that is an answer, so it must not be
-- a free one. It needs the number to be entered first, which add_phone_number answered already.
select tests.as_owner();
insert into public.phone_numbers (organization_id, provider, phone_number, status)
values (tests.id('a'), 'twilio', '03069 990803', 'inactive'), (tests.id('b'), 'twilio', '03069 990803', 'active');
select tests.as_user('a.owner');
select is(tests.attempt($$ update public.phone_numbers set status = 'active' where phone_number = '+443069990803' $$), '23505',
    'a second active owner of a number is refused');
select ok(
    (tests.refusal($$ update public.phone_numbers set status = 'active' where phone_number = '+443069990803' $$) - 'context')::text !~ tests.id('b')::text,
    'and the answer does not say whose it is'
);
select is(tests.attempt($$ update public.phone_numbers set phone_number = '+443069990802' $$), '42501', 'a number is not changed into another');
select is(tests.attempt($$ insert into public.phone_numbers (provider, phone_number) values ('twilio', '+443069990802') $$), '42501',
    'nor inserted past the RPC');

-- Provider call ids: per tenant, and no client inserts a call anyway.
select is(tests.attempt(tests.statement('insert', 'calls', 'a')), '42501', 'no client inserts a call to try its provider id');

select tests.as_owner();
select is(
    tests.attempt(format($$ insert into public.calls (organization_id, direction, called_number, provider, provider_sid, decision)
        values (%L, 'inbound', '+443069990801', 'twilio', 'CA of b', '{}') $$, tests.id('a'))),
    '1 row', 'the provider call id of another tenant''s call is free');

select * from finish();
rollback;
