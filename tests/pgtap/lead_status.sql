-- Which steps a lead's status takes, by whom; its history; who is given leads; what becomes of a duplicate.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

create function tests.lead() returns public.leads
    language sql security definer
    as $$ select l from public.leads l where id = tests.id('a.lead') $$;
create function tests.lead_that_stands(status text) returns void
    language sql security definer
as $$
    insert into public.leads (organization_id, id, dataset_id, first_name, phone_number, contact_status, assigned_to)
    values (tests.id('a'), tests.id('step'), tests.id('a.dataset'), 'Step', '07700 900077', status, tests.id('a.sales_rep'))
$$;
-- The step of a lead that stands somewhere, by whoever asks; undone again.
create function tests.step(stands text, goes text) returns text
    language plpgsql
as $$
declare
    result text;
begin
    perform tests.lead_that_stands(stands);
    execute format('update public.leads set contact_status = %L where id = %L returning contact_status', goes, tests.id('step')) into result;
    raise exception using errcode = 'ZZ999', message = result;
exception
    when sqlstate 'ZZ999' then return sqlerrm;
    when others then return sqlstate;
end;
$$;
create function tests.named(name text) returns uuid
    language sql
    as $$ select id from public.leads where first_name = name $$;
create temporary view states as select * from unnest(array['READY', 'CONTACTED_1', 'CONTACTED_2', 'CONTACTED_3', 'HOT', 'WARM', 'COLD', 'CALL_BOOKED', 'CONVERTED', 'ARCHIVED']) as s;
grant select on states to authenticated, service_role;
grant execute on all functions in schema tests to authenticated, service_role;

-- Every step, against what is written here once more in words.
create function tests.may_step(stands text, goes text, actor text) returns boolean
    language sql
as $$
    select stands = goes
        or goes = 'REMOVED'
        or goes = 'ARCHIVED' and actor <> 'ai'
        or stands = 'ARCHIVED' and goes = 'READY' and actor <> 'ai'
        or goes in ('HOT', 'WARM', 'COLD') and (actor <> 'ai' or stands ~ '^CONTACTED|HOT|WARM|COLD')
        or goes in ('CALL_BOOKED', 'CONVERTED') and actor <> 'ai'
        or actor = 'system' and (stands, goes) in (('READY', 'CONTACTED_1'), ('CONTACTED_1', 'CONTACTED_2'), ('CONTACTED_2', 'CONTACTED_3'))
$$;
grant execute on function tests.may_step(text, text, text) to authenticated, service_role;
create temporary view steps as
    select s.s as stands, g.s as goes from states s cross join (select s from states union all values ('REMOVED')) as g;
grant select on steps to authenticated, service_role;
select tests.as_user('a.sales_rep');
select is_empty($$ select stands, goes, tests.step(stands, goes) from steps
    where tests.step(stands, goes) <> case when tests.may_step(stands, goes, 'human') then goes else '23514' end $$, 'a person: these steps and no other');
select tests.as_service('a');
select is_empty($$ select stands, goes, tests.step(stands, goes) from steps
    where tests.step(stands, goes) <> case when tests.may_step(stands, goes, 'system') then goes else '23514' end $$, 'server code: those, and the sequence');
select set_config('private.lead_actor', 'ai', true);
select is_empty($$ select stands, goes, tests.step(stands, goes) from steps
    where tests.step(stands, goes) <> case when tests.may_step(stands, goes, 'ai') then goes else '23514' end $$, 'the agent: warmth, of whom it has written to');
select tests.as_user('a.sales_rep');
select is(tests.step('READY', 'CALL_BOOKED'), 'CALL_BOOKED', 'a person who says to be the agent is a person');
select set_config('private.lead_actor', '', true);
select is(tests.step('READY', 'NONSENSE'), '23514', 'what is no status');
select is(tests.refusal(format($$ update public.leads set contact_status = 'CONTACTED_3' where id = %L $$, tests.id('a.lead.rep'))) - '{hint,context}'::text[],
    '{"sqlstate": "23514", "message": "contact_status cannot go from READY to CONTACTED_3", "detail": "From there it goes to ARCHIVED, CALL_BOOKED, COLD, CONVERTED, HOT, REMOVED, WARM."}',
    'the refusal says where it may go');

-- set_lead_status.
select tests.as_user('a.manager');
select is((public.set_lead_status(tests.id('a.lead'), 'HOT', 'rang back at once')).contact_status, 'HOT', 'set_lead_status');
select is((tests.lead()).status_set_by, 'human', 'by a person');
select results_eq(format('select kind, before, after, actor, actor_id, reason from public.lead_events where lead_id = %L and after is not null', tests.id('a.lead')),
    $$ values ('status', 'READY', 'HOT', 'human', tests.id('a.manager'), 'rang back at once') $$, 'its history says who, what and why');
update public.leads set notes = 'x', contact_status = 'WARM' where id = tests.id('a.lead');
select is((select reason from public.lead_events where lead_id = tests.id('a.lead') and after = 'WARM'), null, 'the reason was for that change only');
select is(tests.refusal(statement) ->> 'sqlstate', code, title) from (values
    ('no status', format('select public.set_lead_status(%L, null)', tests.id('a.lead')), '22023'),
    ('an actor that a person names', format('select public.set_lead_status(%L, ''HOT'', null, ''ai'')', tests.id('a.lead')), '22023'),
    ('a reason over 500 characters', format('select public.set_lead_status(%L, ''HOT'', repeat(''x'', 501))', tests.id('a.lead')), '22023'),
    ('a lead of another tenant', format('select public.set_lead_status(%L, ''HOT'')', tests.id('b.lead')), 'PT404'),
    ('a step that there is not', format('select public.set_lead_status(%L, ''READY'')', tests.id('a.lead')), '23514')
) as v (title, statement, code);
select tests.as_user('a.sales_rep');
select is(tests.attempt(format('select public.set_lead_status(%L, ''COLD'')', tests.id('a.lead'))), 'PT404', 'a lead that is not the rep''s own');
select is(tests.attempt(format('select public.set_lead_status(%L, ''COLD'')', tests.id('a.lead.rep'))), '1 row', 'the own one');
select set_eq('select lead_id from public.lead_events', array[tests.id('a.lead.rep')], 'and its history, no other');
select tests.as_user('a.viewer');
select is(tests.attempt(format('select public.set_lead_status(%L, ''COLD'')', tests.id('a.lead'))), 'PT403', 'a viewer sets none');
select cmp_ok((select count(*) from public.lead_events), '>', 1::bigint, 'but reads the history');
select tests.as_user('b.owner');
select is((select count(*) from public.lead_events where lead_id in (tests.id('a.lead'), tests.id('a.lead.rep'))), 0::bigint, 'another tenant does not');

-- The agent, and what a person said.
select tests.as_service('a');
select is((public.set_lead_status(tests.id('a.lead.rep'), 'CALL_BOOKED')).status_set_by, 'system', 'server code is the system');
select is(tests.attempt(format('select public.set_lead_status(%L, ''WARM'', null, ''someone'')', tests.id('a.lead'))), '22023', 'or the agent, nobody else');
select is(tests.refusal(format('select public.set_lead_status(%L, ''COLD'', null, ''ai'')', tests.id('a.lead'))) ->> 'detail',
    'A person has set the status: it stands for 72 hours, and until the contact''s next reply.', 'the agent does not override a person');
select tests.as_owner();
update public.leads set status_set_at = now() - interval '80 hours', reply_received_at = null where id = tests.id('a.lead');
select tests.as_service('a');
select is(tests.attempt(format('select public.set_lead_status(%L, ''COLD'', null, ''ai'')', tests.id('a.lead'))), '23514', 'nor later, while the contact is silent');
update public.leads set reply_received_at = now() where id = tests.id('a.lead');
select is((public.set_lead_status(tests.id('a.lead'), 'COLD', 'said no', 'ai')).status_set_by, 'ai', 'after 72 hours and a reply it does');
select is((select actor || ' ' || reason from public.lead_events where lead_id = tests.id('a.lead') and after = 'COLD'), 'ai said no', 'as the agent');
select is((public.set_lead_status(tests.id('a.lead'), 'HOT', null, 'ai')).contact_status, 'HOT', 'and overrides itself at once');
update public.campaign_settings set auto_status_updates = false where organization_id = tests.id('a');
select is(tests.refusal(format('select public.set_lead_status(%L, ''COLD'', null, ''ai'')', tests.id('a.lead'))) ->> 'detail',
    'The campaign''s auto_status_updates is off.', 'unless the campaign does not let it');
select is(tests.attempt(format($$ update public.leads set previous_status = 'HOT' where id = %L $$, tests.id('a.lead'))), '42501', 'what the trigger keeps, nobody writes');

-- The archive.
select tests.as_user('a.manager');
update public.leads set contact_status = 'ARCHIVED' where id = tests.id('a.lead');
select is((tests.lead()).previous_status, 'HOT', 'at rest a lead knows where it stood');
select is(tests.attempt(format($$ update public.leads set contact_status = 'READY' where id = %L $$, tests.id('a.lead'))), '23514', 'comes back to no other beginning');
update public.leads set contact_status = 'HOT' where id = tests.id('a.lead');
select is((tests.lead()).previous_status, null, 'and forgets it when it is back');
select tests.as_owner();
update public.datasets set campaign_start_at = now() - interval '90 days', campaign_end_at = now() - interval '40 days' where organization_id = tests.id('a');
select is(private.archive_due_datasets(), 0, 'a dataset with a HOT lead is not put away');
update public.leads set contact_status = 'WARM', last_message_at = now() - interval '10 days' where id = tests.id('a.lead');
select is(private.archive_due_datasets(), 0, 'nor one in which somebody wrote since');
update public.leads set last_message_at = now() - interval '29 days' where id = tests.id('a.lead');
select is(private.archive_due_datasets(), 1, 'else it is, 28 days after its campaign');
select is(private.archive_due_datasets(), 0, 'once');
select is(tests.attempt(format('update public.datasets set auto_archive_after_days = %s', days)), '23514', format('never after %s days', days)) from unnest(array[0, 3651, 2147483647]) as days;

-- assign_leads.
select tests.as_user('a.manager');
select is(public.assign_leads(array[tests.id('a.lead'), tests.id('a.lead.rep'), tests.id('b.lead')], tests.id('a.sales_rep'), 'north'), 1,
    'assign_leads answers how many changed hands');
select results_eq(format($$ select before, after, reason from public.lead_events where lead_id = %L and kind = 'assignment' $$, tests.id('a.lead')),
    $$ values (null, tests.id('a.sales_rep')::text, 'north') $$, 'into the history');
select is(public.assign_leads(array[tests.id('a.lead')], null), 1, 'or to nobody');
select is(tests.attempt(statement), code, title) from (values
    ('who is no member', format('select public.assign_leads(array[%L]::uuid[], %L)', tests.id('a.lead'), tests.id('b.owner')), '23503'),
    ('no leads', 'select public.assign_leads(''{}'')', '22023'),
    ('too many', 'select public.assign_leads(array_fill(gen_random_uuid(), array[1001]))', '22023')
) as v (title, statement, code);
select tests.as_user('a.sales_rep');
select is(tests.attempt(format('select public.assign_leads(array[%L]::uuid[], %L)', tests.id('a.lead.rep'), tests.id('a.manager'))), '42501', 'a rep gives no lead away');
select is(tests.attempt(format('select public.assign_leads(array[%L]::uuid[], %L)', tests.id('a.lead'), tests.id('a.sales_rep'))), '1 row', 'and takes none');
select is((tests.lead()).assigned_to, null, 'of others');

-- A number that changes is history too; of a lead that opted out it takes the right to opt out numbers.
select tests.as_user('a.sales_rep');
update public.leads set phone_number = '07700 900055' where id = tests.id('a.lead.rep');
select results_eq(format($$ select before, after from public.lead_events where lead_id = %L and kind = 'number' $$, tests.id('a.lead.rep')),
    $$ values ('+447700900002', '+447700900055') $$, 'a number that changes');
update public.leads set contact_status = 'REMOVED' where id = tests.id('a.lead.rep');
select is(tests.attempt(format($$ update public.leads set phone_number = '07700 900056' where id = %L $$, tests.id('a.lead.rep'))), '42501', 'of an own REMOVED lead no rep changes it');
select tests.as_user('a.manager');
select is(tests.attempt(format($$ update public.leads set phone_number = '07700 900056' where id = %L $$, tests.id('a.lead.rep'))), '1 row', 'a manager does');

-- Duplicates are held until somebody says what they are.
insert into public.leads (dataset_id, first_name, phone_number, notes, email, attributes) values (tests.id('a.dataset'), 'First', '07700 900060', 'old', null, '{"k": 1}');
select public.import_leads(tests.id('a.dataset'), '[{"first_name": "Second", "phone_number": "07700900060", "email": "second@example.com", "notes": "new", "colour": "red"},
    {"first_name": "Third", "phone_number": "07700900060"}, {"first_name": "Fourth", "phone_number": "07700900060"}]', '{"duplicate_action": "flag", "required_fields": []}');
select set_eq($$ select first_name from public.leads where held $$, array['Second', 'Third', 'Fourth'], 'held');
select is((public.resolve_duplicate(tests.named('Fourth'), 'keep')).held, false, 'another contact is held no more');
select is((public.resolve_duplicate(tests.named('Third'), 'remove')).contact_status, 'ARCHIVED', 'none that is wanted is archived');
select is((public.resolve_duplicate(tests.named('Second'), 'merge')).contact_status, 'ARCHIVED', 'the same contact too');
select results_eq($$ select email, notes, attributes, first_name from public.leads where first_name = 'First' $$,
    $$ values ('second@example.com', e'old\nnew', '{"k": 1, "colour": "red"}'::jsonb, 'First') $$, 'and the earlier lead has what it lacked');
select is(tests.attempt(statement), code, title) from (values
    ('a lead that repeats none', format('select public.resolve_duplicate(%L, ''keep'')', tests.named('First')), 'PT409'),
    ('an action that there is not', format('select public.resolve_duplicate(%L, ''burn'')', tests.named('Second')), '22023'),
    ('a lead of another tenant', format('select public.resolve_duplicate(%L, ''keep'')', tests.id('b.lead')), 'PT404')
) as v (title, statement, code);
-- Notes are compared by the line; nothing merges into what is archived; another number makes it nobody's duplicate.
insert into public.leads (dataset_id, first_name, phone_number, notes) values (tests.id('a.dataset'), 'Fifth', '07700 900064', 'call after 5');
select public.import_leads(tests.id('a.dataset'), '[{"first_name": "Sixth", "phone_number": "07700900064", "notes": "call"}, {"first_name": "Seventh", "phone_number": "07700900064"},
    {"first_name": "Eighth", "phone_number": "07700900064"}]', '{"duplicate_action": "flag", "required_fields": []}');
select public.resolve_duplicate(tests.named('Sixth'), 'merge');
select is((select notes from public.leads where first_name = 'Fifth'), e'call after 5\ncall', 'a word of a line is not the line');
update public.leads set phone_number = '07700 900065' where first_name = 'Eighth';
select is((select held from public.leads where first_name = 'Eighth'), false, 'another number is held no more');
update public.leads set phone_number = '07700 900064' where first_name = 'Eighth';
select is((select held from public.leads where first_name = 'Eighth'), true, 'and again with the first');
update public.leads set contact_status = 'ARCHIVED' where first_name = 'Fifth';
select is(tests.refusal(format('select public.resolve_duplicate(%L, ''merge'')', tests.named('Seventh'))) ->> 'message', 'not_mergeable', 'both would be archived');
select is((select held from public.leads where first_name = 'Seventh'), true, 'and it is held still');
select is(tests.attempt(format('update public.leads set duplicate_of = id where id = %L', tests.named('Seventh'))), '23514', 'no lead repeats itself');
select tests.as_user('a.viewer');
select is(tests.attempt(format('select public.resolve_duplicate(%L, ''keep'')', tests.named('Second'))), 'PT403', 'a viewer resolves none');

-- A number that the campaign does not write to.
select tests.as_user('a.manager');
select is(tests.refusal(format($$ insert into public.leads (dataset_id, first_name, phone_number) values (%L, 'Far', '+14155552671') $$, tests.id('a.dataset'))) ->> 'message',
    'phone_number: international_not_allowed', 'an insert by hand');
select is(tests.attempt(format($$ update public.leads set phone_number = '+14155552671' where id = %L $$, tests.named('First'))), '22023', 'an update');
select is(tests.attempt(format($$ insert into public.leads (dataset_id, first_name, phone_number) values (%L, 'Near', '07781 123456') $$, tests.id('a.dataset'))), '1 row',
    'Guernsey shares the calling code');
select tests.as_owner();
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.free'), 'Without a campaign');
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number) values (tests.id('a'), tests.id('far'), tests.id('a.free'), 'Far', '+14155552672');
select tests.as_user('a.manager');
select is(tests.attempt(format($$ update public.leads set dataset_id = %L where id = %L $$, tests.id('a.dataset'), tests.id('far'))), '22023', 'a move');
select tests.as_owner();
update public.campaign_settings set allow_international = true where organization_id = tests.id('a');
select tests.as_user('a.manager');
select is(tests.attempt(format($$ insert into public.leads (dataset_id, first_name, phone_number) values (%L, 'Far', '+14155552671') $$, tests.id('a.dataset'))), '1 row', 'until it is allowed');

select * from finish();
rollback;
