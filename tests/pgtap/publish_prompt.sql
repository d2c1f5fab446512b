-- Prompts: the draft is always what the compiler makes of it, a version is made only when something changed,
-- and what was published never changes.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
delete from public.lessons;

create function tests.section(content text) returns jsonb
    language sql
    return jsonb_build_object('content', content, 'source', 'manual', 'why', 'test');
create function tests.hash(content text) returns text
    language sql
    return encode(sha256(convert_to(content, 'UTF8')), 'hex');
grant execute on function tests.section(text), tests.hash(text) to authenticated;

-- The draft.
select tests.as_user('a.manager');
create temporary table made as
    with i as (
        insert into public.prompts (name, prompt_structure)
        values ('Solar', jsonb_build_object('goal', tests.section('Book a survey with {{ lead.first_name }}.')))
        returning *
    ) select * from i;
grant select on made to authenticated;
create temporary view draft as select * from public.prompts where id = (select id from made);
alter view draft set (security_invoker = true);
grant select on draft to authenticated;
select matches((select compiled_prompt from made), 'Book a survey with \{\{ lead\.first_name \}\}\.', 'a new prompt has a compiled draft');
select is((select compiled_sha256 from made), tests.hash((select compiled_prompt from made)), 'with its hash');
select is((select (lessons_count, manual_edits_count, created_from)::text from made), '(0,0,wizard)', 'and its counts');
update public.prompts set prompt_structure = prompt_structure || jsonb_build_object('tone', tests.section('Friendly.')) where id = (select id from made);
select matches((select compiled_prompt from draft), 'Friendly\.', 'a change of the structure compiles it');
select is((select compiled_sha256 from draft), tests.hash((select compiled_prompt from draft)), 'hash included');
select is((select manual_edits_count from draft), 1, 'and is counted');
update public.prompts set description = 'x' where id = (select id from made);
select is((select manual_edits_count from draft), 1, 'a new description is not');

-- It is never written by hand.
select is(tests.attempt($$ update public.prompts set compiled_prompt = 'Say yes.' $$), '42501', 'a client has no right on compiled_prompt');
select is(tests.attempt($$ insert into public.prompts (name, compiled_prompt) values ('X', 'Say yes.') $$), '42501', 'nor at the beginning');
select tests.as_owner();
select is(tests.refusal(format('update public.prompts set %s where id = %L', change, (select id from made))) ->> 'sqlstate', '22023',
    'nor has anybody else: ' || change)
    from unnest(array['compiled_prompt = ''Say yes.''', 'compiled_sha256 = repeat(''0'', 64)', 'compile_report = ''{}''', 'lessons_count = 9']) as change;
select is(tests.refusal(format($$ insert into public.prompts (organization_id, name, compiled_prompt) values (%L, 'X', 'Say yes.') $$, tests.id('a'))) ->> 'message',
    'compiled_prompt, compiled_sha256, compile_report and lessons_count are made by the compiler', 'in words that say why');
select tests.as_user('a.manager');

-- What does not compile is refused where it is written, by path.
select is(tests.refusal(format('update public.prompts set prompt_structure = %L', structure)) ->> 'sqlstate', '22023', 'structure refused: ' || structure)
    from unnest(array['{"goal": "text"}', '{"goal": {"content": 7}}', '{"goal": {}}', '{"goal": {"content": "x", "extra": 1}}',
        '{"Goal": {"content": "x"}}', '{"safety": {"content": "x"}}', '{"goal": {"content": "{{ password }}"}}',
        '{"goal": {"content": "{% include \"x\" %}"}}', '{"goal": {"content": "{{ lead.first_name "}}', '{"goal": {"content": "x", "source": "system"}}']) as structure;
select is(tests.refusal($$ update public.prompts set prompt_structure = '[]' $$) ->> 'sqlstate', '22023', 'structure refused: a list');
select matches(tests.refusal($$ update public.prompts set prompt_structure = '{"goal": {"content": 7}}' $$) ->> 'message', '^structure\.goal\.content',
    'the message begins with the path');

-- Lessons: active and testing ones are in the draft, at once.
insert into public.lessons (lesson_type, title) values ('never_rule', 'Never promise a price');
select matches((select compiled_prompt from draft), 'Never promise a price', 'a new lesson is in the draft');
select is((select lessons_count from draft), 1, 'and counted');
insert into public.lessons (lesson_type, title, status) values ('best_practice', 'Ask about the roof', 'testing');
select matches((select compiled_prompt from draft), 'Ask about the roof', 'a lesson on trial too');
update public.lessons set title = 'Never promise a discount' where lesson_type = 'never_rule';
select matches((select compiled_prompt from draft), 'Never promise a discount', 'a changed lesson changes the draft');
select tests.as_owner();
select is((select count(*)::integer from public.prompts where organization_id = tests.id('b') and compiled_prompt ~ 'Never promise'), 0,
    'and no other tenant''s');
insert into public.lessons (organization_id, dataset_id, lesson_type, title) values (tests.id('a'), tests.id('a.dataset'), 'never_rule', 'Only for one campaign');
select tests.as_user('a.manager');
select doesnt_match((select compiled_prompt from draft), 'Only for one campaign', 'a lesson of a dataset is for its prompts');
update public.prompts set dataset_id = tests.id('a.dataset') where id = (select id from made);
select matches((select compiled_prompt from draft), 'Only for one campaign', 'which the prompt becomes');
update public.prompts set dataset_id = null where id = (select id from made);
select is(tests.refusal($$ insert into public.lessons (lesson_type, title) values ('never_rule', 'Say {{ password }}') $$) ->> 'sqlstate', '22023',
    'a lesson with an undeclared variable is refused to its author');
select is(tests.refusal($$ update public.lessons set title = 'Say {{ password }}' $$) ->> 'sqlstate', '22023', 'as a change, too');
select tests.as_owner();
alter table public.prompts add column touched integer default 0;
create function tests.touch() returns trigger language plpgsql as $$ begin new.touched := old.touched + 1; return new; end; $$;
create trigger zz_touch before update on public.prompts for each row execute function tests.touch();
update public.lessons set times_applied = times_applied + 1, tags = '{x}';
select is((select touched from public.prompts where id = (select id from made)), 0, 'a lesson''s usage counter recompiles nothing');
update public.lessons set priority = 5 where title = 'Never promise a discount';
select is((select touched from public.prompts where id = (select id from made)), 1, 'its priority does');
drop trigger zz_touch on public.prompts;

-- Publishing: the first version.
select tests.as_user('a.admin');
create temporary table one as select * from public.publish_prompt((select id from made), '  go live  ');
grant select on one to authenticated;
select is((select (version, version_number, change_reason, created_by, created_by_type, previous_version_id)::text from one),
    format('(1.0,1,"go live",%s,user,)', tests.id('a.admin')), 'the first version is 1.0, with who and why');
select matches((select compiled_prompt from one), 'Never promise a discount', 'active lessons are in it');
select doesnt_match((select compiled_prompt from one), 'Ask about the roof', 'lessons on trial are not');
select is((select sha256 from one), tests.hash((select compiled_prompt from one)), 'sha256 is that of the text');
select is((select structure from one), (select prompt_structure from draft), 'with the structure it was made from');
select is((select changes from one) -> 'type', '"created"', 'changes say that it is new');
select ok((select report from one) ?& array['token_estimate', 'dropped', 'warnings'], 'and the report of the compile');
select is(
    (select bool_and(s.start = coalesce(s.previous_end, 0)) and max(s.stop) = (select octet_length(compiled_prompt) from one)
    from (
        select (e ->> 'start')::integer as start, (e ->> 'end')::integer as stop, lag((e ->> 'end')::integer) over (order by o) as previous_end
        from jsonb_array_elements((select spans from one)) with ordinality as x (e, o)
    ) as s),
    true, 'spans tile the text from its first byte to its last');
select is((select count(*)::integer from jsonb_array_elements((select spans from one)) as e
    where e ->> 'lesson_id' = (select id::text from public.lessons where title = 'Never promise a discount')), 1, 'and say which lesson wrote which part');

-- A version only when something changed.
select is((select id from public.publish_prompt((select id from made), 'again')), (select id from one), 'unchanged: the same version');
update public.prompts set name = 'Solar 2', description = 'y', wizard_answers = '{"q": 1}' where id = (select id from made);
select is((select id from public.publish_prompt((select id from made), 'renamed')), (select id from one), 'another name is no change');
update public.lessons set title = 'Ask about the roof first' where status = 'testing';
select is((select id from public.publish_prompt((select id from made), 'trial')), (select id from one), 'a lesson on trial is no change');
update public.prompts set prompt_structure = jsonb_set(prompt_structure, '{tone,content}', '"Brief."') where id = (select id from made);
select is((select (version, version_number, changes_summary)::text from public.publish_prompt((select id from made), 'tone')), '(1.1,2,"changed tone")',
    'other content: the minor number');
select is((select previous_version_id from public.prompt_versions where version = '1.1'), (select id from one), 'which follows the first');
update public.lessons set status = 'active' where status = 'testing';
select is((select (version, changes_summary, changes -> 'lessons_changed')::text from public.publish_prompt((select id from made), 'lesson')),
    '(1.2,"lessons changed",true)', 'a lesson: the minor number');
update public.prompts set prompt_structure = (prompt_structure - 'tone') || jsonb_build_object('opening_hours', tests.section('9 to 5')) where id = (select id from made);
select is((select (version, changes -> 'sections_added', changes -> 'sections_removed')::text from public.publish_prompt((select id from made), 'sections')),
    '(2.0,"[""opening_hours""]","[""tone""]")', 'other sections: the major number');
select tests.as_owner();
update public.prompts set template_id = tests.id('a.template') where id = (select id from made);
select tests.as_user('a.admin');
select is((select (version, changes_summary)::text from public.publish_prompt((select id from made), 'template')), '(3.0,"template changed")',
    'another template: the major number');
select is((select array_agg(version_number order by version_number) from public.prompt_versions where prompt_id = (select id from made)), array[1, 2, 3, 4, 5],
    'numbers have no gaps');

-- Versions never change.
select is(tests.attempt($$ update public.prompt_versions set compiled_prompt = 'Say yes.' $$), '42501', 'a client changes no version');
select is(tests.attempt($$ delete from public.prompt_versions $$), '42501', 'nor deletes one');
select is(tests.attempt(tests.statement('insert', 'prompt_versions', 'a')), '42501', 'nor makes one past the compiler');
select tests.as_service();
select is(tests.attempt(statement), '42501', 'nor does the server: ' || statement)
    from unnest(array[$$ update public.prompt_versions set compiled_prompt = 'Say yes.' $$, $$ delete from public.prompt_versions $$,
        $$ truncate public.prompt_versions cascade $$]) as statement;
select tests.as_owner();
select is(tests.refusal(statement) ->> 'message', 'rows of prompt_versions never change', 'nor the tables'' owner: ' || statement)
    from unnest(array[$$ update public.prompt_versions set compiled_prompt = 'Say yes.' $$, $$ update public.prompt_versions set version = version $$,
        $$ delete from public.prompt_versions $$, $$ truncate public.prompt_versions cascade $$]) as statement;
select is(tests.attempt(format('delete from public.prompts where id = %L', (select id from made))), '23503', 'a published prompt is not deleted');
select is(tests.attempt(format('update public.prompts set id = gen_random_uuid() where id = %L', (select id from made))), '42501', 'nor renumbered');
select is(tests.attempt(format('delete from auth.users where id = %L', tests.id('a.admin'))), '1 row', 'whoever published may leave');

-- Budget: what does not fit is left out of the draft and said, and publishing reports it as well.
update public.lessons set status = 'archived' where organization_id = tests.id('a');
insert into public.lessons (organization_id, lesson_type, title, description)
values (tests.id('a'), 'best_practice', 'A long one', repeat('word ', 200)), (tests.id('a'), 'never_rule', 'A short one', null);
select tests.as_user('a.admin');
update public.prompts set token_budget = 220 where id = (select id from made);
select is((select compile_report #>> '{dropped,0,lesson_type}' from draft), 'best_practice', 'a short budget drops a best practice');
select matches((select compiled_prompt from draft), 'A short one', 'never a boundary');
select is((select report #>> '{dropped,0,lesson_type}' from public.publish_prompt((select id from made), 'short')), 'best_practice', 'the version says so');
update public.prompts set prompt_structure = jsonb_build_object('goal', tests.section('x')), token_budget = 160 where id = (select id from made);
select tests.as_owner();
insert into public.lessons (organization_id, lesson_type, title, description) values (tests.id('a'), 'never_rule', 'A long boundary', repeat('word ', 200));
select isnt((select compile_report ->> 'problem' from public.prompts where id = (select id from made)), null,
    'boundaries that do not fit are a problem of the draft, not of who wrote the lesson');
select tests.as_user('a.admin');
select is(tests.refusal(format('select public.publish_prompt(%L, ''x'')', (select id from made))) ->> 'sqlstate', '22023', 'and refuse the publishing');
update public.prompts set token_budget = 4000 where id = (select id from made);
select is((select compile_report ->> 'problem' from draft), null, 'until the budget is large enough');

-- Who, and which.
select tests.as_owner();
create function tests.try_publish(prompt text, reason text default 'test') returns text
    language sql
as $$
    select tests.refusal(format('select public.publish_prompt(%L, %L)', tests.id(prompt), reason)) ->> 'sqlstate'
$$;
grant execute on function tests.try_publish(text, text) to authenticated, anon, service_role;
select tests.as_user('a.owner');
select is(tests.try_publish('a.prompt'), null, 'an owner publishes');
select is(tests.try_publish('a.prompt', ''), '22023', 'not without a reason');
select is(tests.try_publish('a.prompt', null), '22023', 'nor with none');
select is(tests.try_publish('b.prompt'), 'PT404', 'nor another tenant''s prompt');
select is(tests.try_publish('nowhere'), 'PT404', 'which is as unknown as any other');
select tests.as_user('a.manager');
select is(tests.try_publish('a.prompt'), 'PT403', 'a manager drafts and does not publish');
select tests.as_user('a.viewer');
select is(tests.try_publish('a.prompt'), 'PT403', 'nor does a viewer');
select tests.as_user('b.owner', 'a');
select is(tests.try_publish('a.prompt'), 'PT403', 'nor another tenant in our name');
select tests.as_anon();
select is(tests.try_publish('a.prompt'), '42501', 'nor anon');
select tests.as_service('a');
select is(tests.try_publish('a.prompt'), '42501', 'nor the server');

select * from finish();
rollback;
