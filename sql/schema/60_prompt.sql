-- Prompts: lessons, templates, prompts with their draft, and published versions that never change.
-- switchboard.compile_prompt makes the text; it is never written by hand.

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
    description text,
    trigger text,
    correct_response text,
    incorrect_response text,
    reasoning text,
    example_conversation jsonb,
    tags text[] not null default '{}',
    priority integer not null default 0,
    times_applied integer not null default 0,
    success_rate numeric(3, 2)
        constraint lessons_success_rate_check check (success_rate between 0 and 1),
    source text
        constraint lessons_source_check check (source in ('sophie_suggestion', 'user_taught', 'imported')),
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
    'What the organization has taught its agents (S4). active ones are compiled into prompts, testing ones into drafts only.';
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

create table public.prompt_templates (
    organization_id uuid default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    -- The tenant, or the nil uuid for a system template: never NULL, so it can be part of keys.
    scope uuid not null generated always as (
        coalesce(organization_id, '00000000-0000-0000-0000-000000000000'::uuid)
    ) stored,
    name text not null
        constraint prompt_templates_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text not null,
    category text not null,
    template_structure jsonb not null
        constraint prompt_templates_template_structure_check
        check (jsonb_typeof(template_structure) = 'object'),
    industry text,
    use_case text,
    best_for text,
    default_wizard_answers jsonb,
    is_active boolean not null default true,
    is_system_template boolean not null generated always as (organization_id is null) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (scope, id)
);
comment on table public.prompt_templates is
    'Starting points for prompts (S4): an organization''s own, and system templates (organization_id NULL) that everyone may read and only the database owner writes.';
comment on column public.prompt_templates.scope is
    'organization_id, or the nil uuid for a system template; the target of prompts.template_id.';
create index prompt_templates_organization_id_idx on public.prompt_templates (organization_id);
comment on index public.prompt_templates_organization_id_idx is 'Foreign key to organizations.';

select private.add_row_triggers('public.prompt_templates');

alter table public.prompt_templates enable row level security;
alter table public.prompt_templates force row level security;
create policy prompt_templates_select on public.prompt_templates for select to authenticated
    using (
        scope = (select switchboard.organization_for('prompts.read'))
        or (
            scope = '00000000-0000-0000-0000-000000000000'
            and (select switchboard.organization_for('prompts.read')) is not null
        )
    );
create policy prompt_templates_insert on public.prompt_templates for insert to authenticated
    with check (organization_id = (select switchboard.organization_for('prompts.write')));
create policy prompt_templates_update on public.prompt_templates for update to authenticated
    using (organization_id = (select switchboard.organization_for('prompts.write')))
    with check (organization_id = (select switchboard.organization_for('prompts.write')));
create policy prompt_templates_delete on public.prompt_templates for delete to authenticated
    using (organization_id = (select switchboard.organization_for('prompts.delete')));

create table public.prompts (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    name text not null
        constraint prompts_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text,
    prompt_structure jsonb not null default '{}'
        constraint prompts_prompt_structure_check check (jsonb_typeof(prompt_structure) = 'object'),
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
    wizard_answers jsonb,
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
    'A prompt and its draft (S4). What callers hear is a published version: see prompt_versions and publish_prompt.';
comment on column public.prompts.dataset_id is 'The campaign that the prompt is for; NULL: the whole organization.';
comment on column public.prompts.prompt_structure is
    'Sections {name: {content, source, why}} (S4-75); the draft. Its shape is checked by the compiler.';
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

create table public.prompt_versions (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    prompt_id uuid not null,
    -- A record like template_id: for which dataset it was published, when the prompt has moved on.
    dataset_id uuid,
    version text not null
        constraint prompt_versions_version_check check (version ~ '^[1-9][0-9]*\.[0-9]+$'),
    version_number integer not null
        constraint prompt_versions_version_number_check check (version_number > 0),
    structure jsonb not null,
    compiled_prompt text not null,
    sha256 text not null
        constraint prompt_versions_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
    spans jsonb not null,
    report jsonb not null,
    -- A record of what was published, not a reference: it must not change when the template goes.
    template_id uuid,
    changes jsonb not null,
    changes_summary text not null,
    change_reason text not null
        constraint prompt_versions_change_reason_check check (btrim(change_reason) <> ''),
    previous_version_id uuid,
    -- No foreign key: clearing it when a person leaves would rewrite history.
    created_by uuid,
    created_by_type text not null default 'user'
        constraint prompt_versions_created_by_type_check
        check (created_by_type in ('user', 'sophie', 'system')),
    created_at timestamptz not null default now(),
    primary key (organization_id, id),
    constraint prompt_versions_version_number_key unique (organization_id, prompt_id, version_number),
    constraint prompt_versions_prompt_id_fkey
        foreign key (organization_id, prompt_id)
        references public.prompts (organization_id, id),
    constraint prompt_versions_previous_version_id_fkey
        foreign key (organization_id, previous_version_id)
        references public.prompt_versions (organization_id, id)
);
comment on table public.prompt_versions is
    'Published prompts (S4). Written by publish_prompt only and never changed or deleted, by anyone: a call can be replayed against exactly what answered it.';
comment on column public.prompt_versions.dataset_id is
    'The prompt''s dataset when it was published; decides who with a scope may read the version.';
comment on column public.prompt_versions.version is
    'major.minor: major moves with the set of sections or the template, minor with content or lessons.';
comment on column public.prompt_versions.sha256 is 'SHA-256 of compiled_prompt, hex.';
comment on column public.prompt_versions.spans is
    'Where every part of the text comes from: [{start, end, section, source, lesson_id, why}], tiling it.';
comment on column public.prompt_versions.report is '{token_estimate, dropped, warnings} of the compile.';
comment on column public.prompt_versions.changes is
    '{type, sections_added, sections_removed, sections_changed, lessons_changed} against the previous version.';
comment on index public.prompt_versions_version_number_key is
    'A number once per prompt; latest version of a prompt; foreign key to prompts.';
create index prompt_versions_previous_version_id_idx
    on public.prompt_versions (organization_id, previous_version_id);
comment on index public.prompt_versions_previous_version_id_idx is 'Foreign key to prompt_versions.';

create function private.refuse_rewrite() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    -- The one way out is the organization itself: when it is deleted, its rows go with it.
    if tg_op = 'DELETE' and not exists (
        select from public.organizations o where o.id = old.organization_id
    ) then
        return old;
    end if;
    raise exception using
        errcode = '42501',
        message = format('rows of %I never change', tg_table_name),
        hint = 'Publish a new version instead.';
end;
$$;
comment on function private.refuse_rewrite() is
    'BEFORE UPDATE, DELETE or TRUNCATE trigger of tables that only grow. Holds for every role, service_role and owner included; deleting the whole organization is the exception. Raises 42501.';
create trigger refuse_rewrite
    before update or delete on public.prompt_versions
    for each row execute function private.refuse_rewrite();
create trigger refuse_truncate
    before truncate on public.prompt_versions
    for each statement execute function private.refuse_rewrite();

select private.add_tenant_policies(
    'public.prompt_versions', 'prompts', '{insert,update,delete}', dataset => 'dataset_id', shared => true
);
select private.add_audit(
    'public.prompt_versions', '{}', '{structure,compiled_prompt,spans,report}', '{insert}'
);

alter table public.agents
    add column prompt_version_id uuid,
    add constraint agents_prompt_version_id_fkey
        foreign key (organization_id, prompt_version_id)
        references public.prompt_versions (organization_id, id)
        on delete set null (prompt_version_id);
comment on column public.agents.prompt_version_id is
    'The published prompt that the agent speaks by.';
create index agents_prompt_version_id_idx on public.agents (organization_id, prompt_version_id);
comment on index public.agents_prompt_version_id_idx is
    'Foreign key to prompt_versions; agents that use a version.';

grant select, delete on public.lessons, public.prompt_templates, public.prompts to authenticated;
grant select on public.prompt_versions to authenticated;
grant insert (
    organization_id, dataset_id, lesson_type, title, description, trigger, correct_response,
    incorrect_response, reasoning, example_conversation, tags, priority, source, status
) on public.lessons to authenticated;
grant update (
    dataset_id, lesson_type, title, description, trigger, correct_response, incorrect_response,
    reasoning, example_conversation, tags, priority, source, status
) on public.lessons to authenticated;
grant insert (
    organization_id, name, description, category, template_structure, industry, use_case, best_for,
    default_wizard_answers, is_active
) on public.prompt_templates to authenticated;
grant update (
    name, description, category, template_structure, industry, use_case, best_for,
    default_wizard_answers, is_active
) on public.prompt_templates to authenticated;
grant insert (
    organization_id, dataset_id, name, description, prompt_structure, token_budget, created_from,
    template_id, copied_from_prompt_id, wizard_answers
) on public.prompts to authenticated;
grant update (dataset_id, name, description, prompt_structure, token_budget, wizard_answers)
    on public.prompts to authenticated;
grant insert (prompt_version_id), update (prompt_version_id) on public.agents to authenticated;
grant select on public.prompt_versions to service_role;

create function private.publish_prompt(p_prompt_id uuid, p_reason text)
    returns public.prompt_versions
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_org uuid := switchboard.require_organization('prompts.publish');
    v_scope uuid[] := switchboard.dataset_scope();
    v_prompt public.prompts;
    v_previous public.prompt_versions;
    v_lessons jsonb;
    v_compiled record;
    v_added text[];
    v_removed text[];
    v_changed text[];
    v_lessons_changed boolean;
    v_template_changed boolean;
    v_major boolean;
    v_version public.prompt_versions;
begin
    if p_reason is null or btrim(p_reason) = '' then
        raise exception using errcode = '22023', message = 'reason must say why the prompt is published';
    end if;

    select * into v_prompt
        from public.prompts p
        where p.organization_id = v_org
            and p.id = p_prompt_id
            -- As in the policy for a change of the prompt.
            and (v_scope is null or p.dataset_id = any (v_scope))
        for update;
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'prompt_not_found',
            detail = 'You can publish no prompt with this id in this organization.';
    end if;

    select coalesce(jsonb_agg(jsonb_build_object(
            'id', l.id, 'lesson_type', l.lesson_type, 'title', l.title, 'description', l.description,
            'trigger', l.trigger, 'correct_response', l.correct_response,
            'incorrect_response', l.incorrect_response, 'reasoning', l.reasoning,
            'priority', l.priority, 'created_at', l.created_at, 'status', l.status
        ) order by l.priority desc, l.created_at, l.id), '[]')
        into v_lessons
        from public.lessons l
        where l.organization_id = v_org
            and l.status = 'active'
            and (l.dataset_id is null or l.dataset_id = v_prompt.dataset_id);

    select c.* into strict v_compiled
        from switchboard.compile_prompt(
            v_prompt.prompt_structure,
            v_lessons,
            jsonb_build_object('token_budget', v_prompt.token_budget, 'draft', false)
        ) as c;

    select * into v_previous
        from public.prompt_versions v
        where v.organization_id = v_org and v.prompt_id = p_prompt_id
        order by v.version_number desc
        limit 1;

    if v_previous.id is not null
        and v_previous.sha256 = v_compiled.sha256
        and v_previous.structure = v_prompt.prompt_structure
        and v_previous.template_id is not distinct from v_prompt.template_id
        and v_previous.dataset_id is not distinct from v_prompt.dataset_id
    then
        return v_previous;
    end if;

    v_added := array(
        select k from jsonb_object_keys(v_prompt.prompt_structure) as k
        where not coalesce(v_previous.structure, '{}') ? k order by k
    );
    v_removed := array(
        select k from jsonb_object_keys(coalesce(v_previous.structure, '{}')) as k
        where not v_prompt.prompt_structure ? k order by k
    );
    v_changed := array(
        select k from jsonb_object_keys(v_prompt.prompt_structure) as k
        where v_previous.structure ? k
            and v_previous.structure -> k <> v_prompt.prompt_structure -> k
        order by k
    );
    v_template_changed := v_previous.template_id is distinct from v_prompt.template_id;
    v_lessons_changed := v_previous.id is not null
        and v_previous.structure = v_prompt.prompt_structure
        and v_previous.sha256 <> v_compiled.sha256;
    v_major := v_previous.id is null
        or cardinality(v_added) > 0
        or cardinality(v_removed) > 0
        or v_template_changed;

    insert into public.prompt_versions (
        organization_id, prompt_id, dataset_id, version, version_number, structure, compiled_prompt, sha256,
        spans, report, template_id, changes, changes_summary, change_reason, previous_version_id, created_by
    ) values (
        v_org,
        p_prompt_id,
        v_prompt.dataset_id,
        case
            when v_previous.id is null then '1.0'
            when v_major then split_part(v_previous.version, '.', 1)::integer + 1 || '.0'
            else split_part(v_previous.version, '.', 1) || '.'
                || split_part(v_previous.version, '.', 2)::integer + 1
        end,
        coalesce(v_previous.version_number, 0) + 1,
        v_prompt.prompt_structure,
        v_compiled.compiled,
        v_compiled.sha256,
        v_compiled.spans,
        jsonb_build_object(
            'token_estimate', v_compiled.token_estimate,
            'dropped', v_compiled.dropped,
            'warnings', v_compiled.warnings
        ),
        v_prompt.template_id,
        jsonb_build_object(
            'type', case when v_previous.id is null then 'created' when v_major then 'major' else 'minor' end,
            'sections_added', to_jsonb(v_added),
            'sections_removed', to_jsonb(v_removed),
            'sections_changed', to_jsonb(v_changed),
            'lessons_changed', v_lessons_changed
        ),
        coalesce(nullif(concat_ws('; ',
            case when v_previous.id is null then 'first version' end,
            case when v_previous.id is not null and v_template_changed then 'template changed' end,
            case
                when v_previous.id is not null and v_previous.dataset_id is distinct from v_prompt.dataset_id
                    then 'dataset changed'
            end,
            case when v_previous.id is not null then 'added ' || nullif(array_to_string(v_added, ', '), '') end,
            'removed ' || nullif(array_to_string(v_removed, ', '), ''),
            'changed ' || nullif(array_to_string(v_changed, ', '), ''),
            case when v_lessons_changed then 'lessons changed' end
        ), ''), 'compiled text changed'),
        btrim(p_reason),
        v_previous.id,
        switchboard.user_id()
    )
    returning * into v_version;
    return v_version;
end;
$$;
comment on function private.publish_prompt(uuid, text) is
    'Body of public.publish_prompt; see there. Definer: nobody may insert into prompt_versions, so every version is what the compiler made.';

create function public.publish_prompt(prompt_id uuid, reason text) returns public.prompt_versions
    language sql volatile
    set search_path = ''
begin atomic
    select private.publish_prompt(prompt_id, reason);
end;
comment on function public.publish_prompt(uuid, text) is
    'Compiles the prompt''s structure with the active lessons of its organization and dataset and returns the version: a new one if text, structure, template or dataset changed, else the latest. The first is 1.0; major moves with the set of sections or the template, minor otherwise. reason is kept as change_reason. Raises PT401, PT400, PT403 (prompts.publish), PT404 prompt_not_found (also for a prompt outside of the caller''s datasets), 22023 (reason; the compiler''s, naming the path).';
grant execute on function private.publish_prompt(uuid, text) to authenticated;
grant execute on function public.publish_prompt(uuid, text) to authenticated;
