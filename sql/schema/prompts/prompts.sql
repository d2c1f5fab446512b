-- Prompts and their drafts. switchboard.compile_prompt makes the text; it is never written by hand.

create table public.prompts (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    name text not null
        constraint prompts_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text
        constraint prompts_description_check check (length(description) <= 2000),
    prompt_structure jsonb not null default '{}'
        constraint prompts_prompt_structure_check
        check (jsonb_typeof(prompt_structure) = 'object' and switchboard.json_is_bounded(prompt_structure, 262144)),
    token_budget integer not null default 4000
        constraint prompts_token_budget_check check (token_budget between 100 and 1000000),
    compiled_prompt text not null,
    compiled_sha256 text not null
        constraint prompts_compiled_sha256_check check (compiled_sha256 ~ '^[0-9a-f]{64}$'),
    compile_report jsonb not null,
    created_from text not null default 'wizard'
        constraint prompts_created_from_check
        check (created_from in ('wizard', 'template', 'manual', 'copied')),
    template_id uuid,
    template_scope uuid,
    copied_from_prompt_id uuid,
    wizard_answers jsonb
        constraint prompts_wizard_answers_check check (switchboard.json_is_bounded(wizard_answers, 65536)),
    lessons_count integer not null,
    manual_edits_count integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint prompts_template_scope_check check (
        template_scope in (organization_id, '00000000-0000-0000-0000-000000000000'::uuid)
    ),
    constraint prompts_template_has_scope_check check (template_id is null or template_scope is not null),
    constraint prompts_dataset_id_fkey
        foreign key (organization_id, dataset_id)
        references public.datasets (organization_id, id)
        on delete set null (dataset_id),
    constraint prompts_template_id_fkey
        foreign key (template_scope, template_id)
        references public.prompt_templates (scope, id)
        on delete set null (template_id),
    constraint prompts_copied_from_prompt_id_fkey
        foreign key (organization_id, copied_from_prompt_id)
        references public.prompts (organization_id, id)
        on delete set null (copied_from_prompt_id)
);
comment on table public.prompts is
    'A prompt and its draft. What callers hear is a published version: see prompt_versions and publish_prompt.';
comment on column public.prompts.dataset_id is 'The campaign that the prompt is for; NULL: the whole organization.';
comment on column public.prompts.prompt_structure is
    'Sections {name: {content, source, why}}; the draft. Its shape is checked by the compiler.';
comment on column public.prompts.token_budget is
    'Tokens the compiled text may take, estimated as bytes / 4; lessons over it are dropped and reported.';
comment on column public.prompts.compiled_prompt is
    'The draft compiled with today''s lessons, testing ones included; kept by trigger on every write of the prompt or of a lesson.';
comment on column public.prompts.compile_report is '{token_estimate, dropped, warnings, problem} of the draft''s compile; problem: null, or why the draft stands without its lessons and would not publish.';
comment on column public.prompts.template_scope is
    'Whose template template_id is: this organization''s, or the system''s (nil uuid). Filled by trigger.';
comment on column public.prompts.manual_edits_count is 'How often prompt_structure was changed after the prompt was made.';

create index prompts_created_at_idx on public.prompts (organization_id, created_at desc, id);
comment on index public.prompts_created_at_idx is 'List of an organization''s prompts, newest first.';
create index prompts_dataset_id_idx on public.prompts (organization_id, dataset_id);
comment on index public.prompts_dataset_id_idx is 'Foreign key to datasets; prompts of a dataset.';
create index prompts_template_id_idx on public.prompts (template_scope, template_id);
comment on index public.prompts_template_id_idx is 'Foreign key to prompt_templates.';
create index prompts_copied_from_prompt_id_idx
    on public.prompts (organization_id, copied_from_prompt_id);
comment on index public.prompts_copied_from_prompt_id_idx is 'Foreign key to prompts.';

create function private.compile_draft() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_lessons jsonb;
    v_compiled record;
    v_problem text;
begin
    if (tg_op = 'INSERT' and num_nonnulls(
            new.compiled_prompt, new.compiled_sha256, new.compile_report, new.lessons_count
        ) > 0)
        or (tg_op = 'UPDATE' and (
            new.compiled_prompt is distinct from old.compiled_prompt
            or new.compiled_sha256 is distinct from old.compiled_sha256
            or new.compile_report is distinct from old.compile_report
            or new.lessons_count is distinct from old.lessons_count
        ))
    then
        raise exception using
            errcode = '22023',
            message = 'compiled_prompt, compiled_sha256, compile_report and lessons_count are made by the compiler',
            hint = 'Write prompt_structure; the draft is compiled on every write.';
    end if;

    if tg_op = 'UPDATE' and new.prompt_structure is distinct from old.prompt_structure then
        new.manual_edits_count := old.manual_edits_count + 1;
    end if;

    -- An unknown template leaves the organization's own scope, and the foreign key refuses it with the
    -- same words as another tenant's.
    if new.template_id is null then
        new.template_scope := null;
    else
        new.template_scope := coalesce(
            (
                select t.scope from public.prompt_templates t
                where t.id = new.template_id
                    and t.scope in (new.organization_id, '00000000-0000-0000-0000-000000000000')
                order by t.scope desc
                limit 1
            ),
            new.organization_id
        );
    end if;

    -- With the writer's own rights: whoever names another organization here reads none of its lessons.
    select coalesce(jsonb_agg(jsonb_build_object(
            'id', l.id, 'lesson_type', l.lesson_type, 'title', l.title, 'description', l.description,
            'trigger', l.trigger, 'correct_response', l.correct_response,
            'incorrect_response', l.incorrect_response, 'reasoning', l.reasoning,
            'priority', l.priority, 'created_at', l.created_at, 'status', l.status
        ) order by l.priority desc, l.created_at, l.id), '[]')
        into v_lessons
        from public.lessons l
        where l.organization_id = new.organization_id
            and l.status in ('active', 'testing')
            and (l.dataset_id is null or l.dataset_id = new.dataset_id);

    begin
        select * into strict v_compiled
            from switchboard.compile_prompt(
                new.prompt_structure,
                v_lessons,
                jsonb_build_object('token_budget', new.token_budget, 'draft', true)
            );
    exception
        when invalid_parameter_value then
            -- The structure's own faults are raised here. Otherwise the lessons do not fit: the draft
            -- stands without them and says why, so that nobody's lesson is refused for somebody's
            -- draft; publishing raises it.
            v_problem := sqlerrm;
            v_lessons := '[]';
            select * into strict v_compiled
                from switchboard.compile_prompt(
                    new.prompt_structure,
                    v_lessons,
                    jsonb_build_object('token_budget', new.token_budget, 'draft', true)
                );
    end;
    new.compiled_prompt := v_compiled.compiled;
    new.compiled_sha256 := v_compiled.sha256;
    new.compile_report := jsonb_build_object(
        'token_estimate', v_compiled.token_estimate,
        'dropped', v_compiled.dropped,
        'warnings', v_compiled.warnings,
        'problem', v_problem
    );
    new.lessons_count := jsonb_array_length(v_lessons);
    return new;
end;
$$;
comment on function private.compile_draft() is
    'BEFORE trigger on prompts: compiles the draft with active and testing lessons, finds the template''s scope, counts edits of the structure. Lessons that do not fit leave the draft without lessons and a problem in compile_report. Raises 22023 when a compiled column is written by hand, and the compiler''s 22023 naming the path in the structure.';
create trigger compile_draft
    before insert or update on public.prompts
    for each row execute function private.compile_draft();

select private.add_row_triggers('public.prompts');
select private.add_tenant_policies('public.prompts', 'prompts', dataset => 'dataset_id', shared => true);
select private.add_audit(
    'public.prompts', '{}', '{compiled_prompt,compiled_sha256,compile_report,lessons_count,manual_edits_count}'
);
select private.add_broadcast('public.prompts', 'prompts.read');

create function private.refresh_drafts(changed jsonb) returns void
    language sql volatile
    set search_path = ''
begin atomic
    with affected as (
        select p.organization_id, p.id
        from public.prompts p
        where p.organization_id in (
                select (c ->> 0)::uuid from jsonb_array_elements(changed) as c
            )
            and exists (
                select from jsonb_array_elements(changed) as c
                where (c ->> 0)::uuid = p.organization_id
                    and (c ->> 1 is null or (c ->> 1)::uuid = p.dataset_id)
            )
        order by p.organization_id, p.id
        for no key update
    )
    update public.prompts p
        set prompt_structure = p.prompt_structure
        from affected a
        where p.organization_id = a.organization_id and p.id = a.id;
end;
comment on function private.refresh_drafts(jsonb) is
    'Recompiles the drafts that changed lessons concern; changed: [[organization_id, dataset_id or null], …] or NULL. Locks in key order, so that two writers cannot deadlock. Raises nothing of its own.';

grant select, delete on public.prompts to authenticated;
grant insert (
    organization_id, dataset_id, name, description, prompt_structure, token_budget, created_from,
    template_id, copied_from_prompt_id, wizard_answers
) on public.prompts to authenticated;
grant update (dataset_id, name, description, prompt_structure, token_budget, wizard_answers)
    on public.prompts to authenticated;
-- All but what the compiler writes.
grant select, delete on public.prompts to service_role;
grant insert (
    organization_id, id, dataset_id, name, description, prompt_structure, token_budget, created_from, template_id,
    copied_from_prompt_id, wizard_answers, created_at, updated_at
) on public.prompts to service_role;
grant update (
    organization_id, id, dataset_id, name, description, prompt_structure, token_budget, created_from, template_id,
    copied_from_prompt_id, wizard_answers, created_at, updated_at
) on public.prompts to service_role;
