-- add_phone_number: any spelling in, E.164 stored, and a number that is in use elsewhere is refused without
-- saying where.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

select tests.as_user('a.owner');
create temporary table made as
    select * from public.add_phone_number('(0306) 999-0811', 'telnyx', null, tests.id('a.agent'), 'Front desk', '{"type": "local"}');
select is((select phone_number from made), '+443069990811', 'the number is stored as E.164');
select is((select phone_input from made), '(0306) 999-0811', 'beside the text as typed');
select is((select (organization_id, provider, agent_id, friendly_name, status)::text from made),
    format('(%s,telnyx,%s,"Front desk",active)', tests.id('a'), tests.id('a.agent')), 'with what was given');
select is((select metadata from made), '{"type": "local"}', 'metadata included');
select is((select provider from public.add_phone_number('03069 990812', null, tests.id('a.account'))), 'twilio', 'the provider is the account''s');
select is((select phone_number from public.add_phone_number('+14155552671', 'twilio')), '+14155552671', 'an international number');
select tests.as_owner();
update public.organizations set default_country = 'US' where id = tests.id('a');
select tests.as_user('a.owner');
select is((select phone_number from public.add_phone_number('(415) 555-2672', 'twilio')), '+14155552672', 'national spellings follow the organization''s country');
select tests.as_owner();
update public.organizations set default_country = 'GB' where id = tests.id('a');

-- In use.
select tests.as_user('a.owner');
select is(tests.refusal($$ select public.add_phone_number('+443069990802', 'twilio') $$) - 'context', jsonb_build_object(
        'sqlstate', 'PT409', 'message', 'number_in_use', 'detail', 'This phone number is already in use.',
        'hint', 'Look among your own numbers, or ask support to release it.'), 'in use by another organization: PT409');
select is(tests.refusal($$ select public.add_phone_number('0306 999 0811', 'twilio') $$) ->> 'sqlstate', 'PT409', 'the own number again, in another spelling');
select tests.as_owner();
update public.phone_numbers set status = 'inactive' where organization_id = tests.id('b');
select tests.as_user('a.owner');
select is(tests.attempt($$ select public.add_phone_number('+443069990802', 'twilio') $$), '1 row', 'a number that another organization gave up');

-- Wrong arguments.
select is(tests.refusal(statement) ->> 'sqlstate', code, 'refused: ' || title)
    from (values
        ('no number', '22023', $$ select public.add_phone_number(null, 'twilio') $$),
        ('an empty number', '22023', $$ select public.add_phone_number('  ', 'twilio') $$),
        ('no number at all', '22023', $$ select public.add_phone_number('call me', 'twilio') $$),
        ('a letter for a digit', '22023', $$ select public.add_phone_number('O3069 990813', 'twilio') $$),
        ('two numbers', '22023', $$ select public.add_phone_number('03069 990813/03069 990814', 'twilio') $$),
        ('a number a spreadsheet has spoilt', '22023', $$ select public.add_phone_number('3.06999E+09', 'twilio') $$),
        ('no provider', '22023', $$ select public.add_phone_number('03069 990813') $$),
        ('an unknown provider', '22023', $$ select public.add_phone_number('03069 990813', 'acme') $$),
        ('a provider that is not the account''s', '22023', format($$ select public.add_phone_number('03069 990813', 'telnyx', %L) $$, tests.id('a.account'))),
        ('metadata that is no object', '22023', $$ select public.add_phone_number('03069 990813', 'twilio', metadata => '[]') $$),
        ('a long name', '22023', format($$ select public.add_phone_number('03069 990813', 'twilio', friendly_name => %L) $$, repeat('x', 101))),
        ('another tenant''s account', 'PT404', format($$ select public.add_phone_number('03069 990813', null, %L) $$, tests.id('b.account'))),
        ('an unknown account', 'PT404', format($$ select public.add_phone_number('03069 990813', null, %L) $$, tests.id('nowhere'))),
        ('another tenant''s agent', 'PT404', format($$ select public.add_phone_number('03069 990813', 'twilio', null, %L) $$, tests.id('b.agent'))),
        ('an unknown agent', 'PT404', format($$ select public.add_phone_number('03069 990813', 'twilio', null, %L) $$, tests.id('nowhere')))
    ) as s (title, code, statement);
select is(tests.refusal($$ select public.add_phone_number('O3069 990813', 'twilio') $$) ->> 'message',
    'phone_number is not a phone number: letters', 'the message names the field and the reason');
select is(tests.refusal(format($$ select public.add_phone_number('03069 990813', null, %L) $$, tests.id('b.account'))) - 'context',
    tests.refusal(format($$ select public.add_phone_number('03069 990813', null, %L) $$, tests.id('nowhere'))) - 'context',
    'another tenant''s account is unknown in the same words');

-- Who.
select tests.as_user('a.admin');
select is(tests.attempt($$ select public.add_phone_number('03069 990815', 'twilio') $$), '1 row', 'an admin adds numbers');
select tests.as_user('a.manager');
select is(tests.refusal($$ select public.add_phone_number('03069 990815', 'twilio') $$) ->> 'sqlstate', 'PT403', 'a manager does not');
select tests.as_user('a.sales_rep');
select is(tests.refusal($$ select public.add_phone_number('03069 990815', 'twilio') $$) ->> 'sqlstate', 'PT403', 'nor a sales_rep');
select tests.as_user('a.viewer');
select is(tests.refusal($$ select public.add_phone_number('03069 990815', 'twilio') $$) ->> 'sqlstate', 'PT403', 'nor a viewer');
select tests.as_user('b.owner', 'a');
select is(tests.refusal($$ select public.add_phone_number('03069 990815', 'twilio') $$) ->> 'sqlstate', 'PT403', 'nor another tenant''s owner in our name');
select tests.as_user('a.owner', null, '{"exp": 1}');
select is(tests.refusal($$ select public.add_phone_number('03069 990815', 'twilio') $$) ->> 'sqlstate', 'PT401', 'nor an expired token');

-- What may be changed afterwards.
select tests.as_user('a.owner');
update public.phone_numbers set webhook_url = 'https://a.example/voice' where phone_number = '+443069990811';
select is((select webhook_configured from public.phone_numbers where phone_number = '+443069990811'), false, 'a webhook that we want is not one that is set');
select is(tests.attempt($$ update public.phone_numbers set webhook_observed_url = 'https://a.example/voice' $$), '42501', 'what the provider has is not the client''s to say');
select tests.as_owner();
update public.phone_numbers set webhook_observed_url = webhook_url where phone_number = '+443069990811';
select is((select webhook_configured from public.phone_numbers where phone_number = '+443069990811'), true, 'it is when the provider has it');

-- The trigger and the CHECK stand behind every write, whoever writes.
select is(tests.attempt(format($$ insert into public.phone_numbers (organization_id, provider, phone_number) values (%L, 'twilio', '12') $$, tests.id('a'))),
    '22023', 'the trigger refuses what is no number');
alter table public.phone_numbers disable trigger normalize_phone;
select is(tests.attempt(format($$ insert into public.phone_numbers (organization_id, provider, phone_number) values (%L, 'twilio', '03069 990816') $$, tests.id('a'))),
    '23514', 'and without it the CHECK refuses what is not E.164');

select * from finish();
rollback;
