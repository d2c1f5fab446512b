-- Lessons: what an organization has taught its agents.

create table public.lessons (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    lesson_type text not null
        constraint lessons_lesson_type_check check (lesson_type in (
            'objection_handling', 'dos_donts', 'example_good', 'example_bad', 'blacklist_word',
            'never_rule', 'best_practice'
        )),
    title text not null
        constraint lessons_title_check check (btrim(title) <> '' and length(title) <= 300),
    description text
        constraint lessons_description_check check (length(description) <= 10000),
    trigger text
        constraint lessons_trigger_check check (length(trigger) <= 10000),
    correct_response text
        constraint lessons_correct_response_check check (length(correct_response) <= 10000),
    incorrect_response text
        constraint lessons_incorrect_response_check check (length(incorrect_response) <= 10000),
    reasoning text
        constraint lessons_reasoning_check check (length(reasoning) <= 10000),
    example_conversation jsonb
        constraint lessons_example_conversation_check
        check (switchboard.json_is_bounded(example_conversation, 65536)),
    tags text[] not null default '{}'
        constraint lessons_tags_check check (private.is_tag_list(tags)),
    priority integer not null default 0,
    times_applied integer not null default 0,
    success_rate numeric(3, 2)
        constraint lessons_success_rate_check check (success_rate between 0 and 1),
    source text
        constraint lessons_source_check check (source in ('ai_suggestion', 'user_taught', 'imported')),
    created_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    status text not null default 'active'
        constraint lessons_status_check check (status in ('active', 'archived', 'testing')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint lessons_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete cascade
);
comment on table public.lessons is
    'What the organization has taught its agents. active ones are compiled into prompts, testing ones into drafts only.';
comment on column public.lessons.dataset_id is
    'Only for prompts of this dataset; NULL: for all. A lesson of a deleted dataset goes with it rather than become general.';
comment on column public.lessons.trigger is 'What calls for the lesson, e.g. "lead mentions price".';
comment on column public.lessons.priority is 'Higher comes first, and is dropped last when the token budget is short.';

create index lessons_created_at_idx on public.lessons (organization_id, created_at desc, id);
comment on index public.lessons_created_at_idx is 'List of an organization''s lessons, newest first.';
create index lessons_dataset_id_idx on public.lessons (organization_id, dataset_id);
comment on index public.lessons_dataset_id_idx is
    'Foreign key to datasets; lessons of a dataset, and general ones, for a compile.';
create index lessons_created_by_idx on public.lessons (created_by);
comment on index public.lessons_created_by_idx is 'Foreign key to auth.users.';

create function private.check_lesson() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    perform from switchboard.compile_prompt(
        '{}',
        jsonb_build_array(jsonb_build_object(
            'id', new.id, 'lesson_type', new.lesson_type, 'title', new.title,
            'description', new.description, 'trigger', new.trigger,
            'correct_response', new.correct_response, 'incorrect_response', new.incorrect_response,
            'reasoning', new.reasoning, 'priority', new.priority, 'created_at', new.created_at,
            'status', 'active'
        )),
        '{"token_budget": 1000000, "draft": true}'
    );
    return null;
end;
$$;
comment on function private.check_lesson() is
    'AFTER trigger on lessons: compiles the lesson alone, so that a broken template or an undeclared variable is found by its author and not by whoever publishes next. After, so that the table''s own CHECKs speak first. Raises the compiler''s 22023 (the lesson is lessons[0]).';
create trigger check_lesson
    after insert or update on public.lessons
    for each row execute function private.check_lesson();

select private.add_row_triggers('public.lessons');
select private.add_tenant_policies('public.lessons', 'lessons', dataset => 'dataset_id', shared => true);

create function private.refresh_drafts_insert() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    perform private.refresh_drafts(
        (select jsonb_agg(distinct jsonb_build_array(n.organization_id, n.dataset_id)) from new_rows n)
    );
    return null;
end;
$$;
comment on function private.refresh_drafts_insert() is
    'AFTER INSERT statement trigger on lessons, see private.refresh_drafts. Definer, like its two siblings: writing lessons needs no right on prompts.';

create function private.refresh_drafts_delete() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    perform private.refresh_drafts(
        (select jsonb_agg(distinct jsonb_build_array(o.organization_id, o.dataset_id)) from old_rows o)
    );
    return null;
end;
$$;
comment on function private.refresh_drafts_delete() is
    'AFTER DELETE statement trigger on lessons, see private.refresh_drafts.';

create function private.refresh_drafts_update() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    -- Only what a compile reads: a usage counter must not recompile every draft.
    perform private.refresh_drafts((
        select jsonb_agg(distinct jsonb_build_array(x.organization_id, x.dataset_id))
        from old_rows o
        join new_rows n on n.organization_id = o.organization_id and n.id = o.id
        cross join lateral (values
            (o.organization_id, o.dataset_id), (n.organization_id, n.dataset_id)
        ) as x (organization_id, dataset_id)
        where (
                n.dataset_id, n.lesson_type, n.title, n.description, n.trigger, n.correct_response,
                n.incorrect_response, n.reasoning, n.priority, n.status
            ) is distinct from (
                o.dataset_id, o.lesson_type, o.title, o.description, o.trigger, o.correct_response,
                o.incorrect_response, o.reasoning, o.priority, o.status
            )
    ));
    return null;
end;
$$;
comment on function private.refresh_drafts_update() is
    'AFTER UPDATE statement trigger on lessons, see private.refresh_drafts.';
create trigger refresh_drafts_insert
    after insert on public.lessons
    referencing new table as new_rows
    for each statement execute function private.refresh_drafts_insert();
create trigger refresh_drafts_update
    after update on public.lessons
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.refresh_drafts_update();
create trigger refresh_drafts_delete
    after delete on public.lessons
    referencing old table as old_rows
    for each statement execute function private.refresh_drafts_delete();

grant select, delete on public.lessons to authenticated;
grant insert (
    organization_id, dataset_id, lesson_type, title, description, trigger, correct_response,
    incorrect_response, reasoning, example_conversation, tags, priority, source, status
) on public.lessons to authenticated;
grant update (
    dataset_id, lesson_type, title, description, trigger, correct_response, incorrect_response,
    reasoning, example_conversation, tags, priority, source, status
) on public.lessons to authenticated;
grant select, insert, update, delete on public.lessons to service_role;
