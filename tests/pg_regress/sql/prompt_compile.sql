-- compile_prompt: the shared vectors (tests/vectors/prompts.json), one prompt in full, and what it refuses.
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset null (null)
\set vectors `cat "$PG_ABS_SRCDIR"/../vectors/prompts.json`
select v ->> 'name' as name,
    (c.compiled, c.sha256, c.spans, c.dropped, c.warnings) = (v ->> 'text', v ->> 'sha256', v -> 'spans', v -> 'dropped', v -> 'warnings') as as_expected,
    c.sha256 = encode(sha256(convert_to(c.compiled, 'UTF8')), 'hex') as hash_of_text,
    c.token_estimate = ceil(octet_length(c.compiled) / 4.0) as estimate
from jsonb_array_elements(:'vectors') with ordinality as x (v, n)
cross join lateral switchboard.compile_prompt(v -> 'structure', v -> 'lessons', v -> 'options') as c
where not v ? 'error'
order by n;

create procedure pg_temp.try(title text, structure jsonb, lessons jsonb default '[]', options jsonb default '{}')
    language plpgsql
as $$
begin
    perform switchboard.compile_prompt(structure, lessons, options);
    raise info '%: accepted', title;
exception
    when others then
        raise info '%: % %', title, sqlstate, left(sqlerrm, 300);
end;
$$;
create temporary table refused as
    select n, v from jsonb_array_elements(:'vectors') with ordinality as x (v, n) where v ? 'error';
do $$
declare
    one jsonb;
begin
    for one in select v from refused order by n loop
        call pg_temp.try(one ->> 'name', one -> 'structure', one -> 'lessons', one -> 'options');
    end loop;
end;
$$;

-- Sections by their fixed order, custom ones between, lessons by type, priority and age.
select compiled from switchboard.compile_prompt(
    '{"zeta": {"content": "Custom, without a position."}, "boundaries": {"content": "No prices."}, "goal": {"content": "Book a survey with {{ lead.first_name }}.\r\nBe quick.  "},
      "alpha": {"content": "Custom, second.", "position": 2, "title": "A title"}, "beta": {"content": "Custom, first.", "position": 1}, "context": {"content": ""}}',
    '[{"id": "b", "lesson_type": "never_rule", "title": "Younger", "priority": 1, "created_at": "2025-02-01T00:00:00Z", "status": "active"},
      {"id": "a", "lesson_type": "never_rule", "title": "Older", "priority": 1, "created_at": "2025-01-01T00:00:00Z", "status": "active"},
      {"id": "c", "lesson_type": "never_rule", "title": "First", "priority": 2, "created_at": "2025-03-01T00:00:00Z", "status": "active"},
      {"id": "d", "lesson_type": "never_rule", "title": "On trial", "status": "testing"},
      {"id": "e", "lesson_type": "never_rule", "title": "Gone", "status": "archived"},
      {"id": "f", "lesson_type": "objection_handling", "title": "Too dear", "trigger": "price", "correct_response": "It pays back.", "incorrect_response": "It is cheap.", "status": "active"},
      {"id": "g", "lesson_type": "blacklist_word", "title": "guarantee", "status": "active"}]',
    '{}'
);
-- The order of keys and of lessons makes no difference.
select count(distinct sha256) from (values
    ('{"goal": {"content": "a"}, "tone": {"content": "b"}}'::jsonb, '[{"id": "1", "lesson_type": "dos_donts", "title": "x", "status": "active"}, {"id": "2", "lesson_type": "dos_donts", "title": "y", "status": "active"}]'::jsonb),
    ('{"tone": {"content": "b"}, "goal": {"content": "a"}}', '[{"id": "2", "lesson_type": "dos_donts", "title": "y", "status": "active"}, {"id": "1", "lesson_type": "dos_donts", "title": "x", "status": "active"}]')
) as v (structure, lessons)
cross join lateral switchboard.compile_prompt(structure, lessons, '{}');
-- NULL in, nothing out.
select count(*) from switchboard.compile_prompt(null, '[]', '{}');

call pg_temp.try('structure: a list', '[]');
call pg_temp.try('structure: null', 'null');
call pg_temp.try('section: a text', '{"goal": "x"}');
call pg_temp.try('section: no content', '{"goal": {}}');
call pg_temp.try('section: content is a number', '{"goal": {"content": 7}}');
call pg_temp.try('section: unknown key', '{"goal": {"content": "x", "weight": 1}}');
call pg_temp.try('section: title of a known one', '{"goal": {"content": "x", "title": "T"}}');
call pg_temp.try('section: safety', '{"safety": {"content": "x"}}');
call pg_temp.try('section: upper case', '{"Goal": {"content": "x"}}');
call pg_temp.try('section: source system', '{"goal": {"content": "x", "source": "system"}}');
call pg_temp.try('structure: too large', jsonb_build_object('goal', jsonb_build_object('content', repeat('x', 300000))));
call pg_temp.try('template: open', '{"goal": {"content": "one\ntwo {{ lead.first_name"}}');
call pg_temp.try('template: include', '{"goal": {"content": "{% include \"x\" %}"}}');
call pg_temp.try('template: import', '{"goal": {"content": "{% import \"x\" as y %}"}}');
call pg_temp.try('template: undeclared', '{"goal": {"content": "{{ password }} {{ secret.key }}"}}');
call pg_temp.try('lessons: an object', '{}', '{}');
call pg_temp.try('lesson: no id', '{}', '[{"lesson_type": "never_rule", "status": "active", "title": "x"}]');
call pg_temp.try('lesson: the same id twice', '{}', '[{"id": "1", "lesson_type": "never_rule", "status": "active"}, {"id": "1", "lesson_type": "never_rule", "status": "active"}]');
call pg_temp.try('lesson: unknown type', '{}', '[{"id": "1", "lesson_type": "advice", "status": "active"}]');
call pg_temp.try('lesson: unknown status', '{}', '[{"id": "1", "lesson_type": "never_rule", "status": "new"}]');
call pg_temp.try('lesson: unknown key', '{}', '[{"id": "1", "lesson_type": "never_rule", "status": "active", "text": "x"}]');
call pg_temp.try('lesson: a date that is none', '{}', '[{"id": "1", "lesson_type": "never_rule", "status": "active", "created_at": "yesterday"}]');
call pg_temp.try('lesson: undeclared', '{}', '[{"id": "1", "lesson_type": "never_rule", "status": "active", "title": "{{ password }}"}]');
call pg_temp.try('options: a list', '{}', '[]', '[]');
call pg_temp.try('options: unknown key', '{}', '[]', '{"budget": 1}');
call pg_temp.try('options: budget 0', '{}', '[]', '{"token_budget": 0}');
call pg_temp.try('options: draft is a text', '{}', '[]', '{"draft": "yes"}');
call pg_temp.try('options: a variable that is none', '{}', '[]', '{"variables": ["lead..x"]}');
call pg_temp.try('options: declared variables only', '{"goal": {"content": "{{ lead.first_name }}"}}', '[]', '{"variables": ["org.*"]}');
call pg_temp.try('over budget', '{"goal": {"content": "x"}}', '[]', '{"token_budget": 10}');
