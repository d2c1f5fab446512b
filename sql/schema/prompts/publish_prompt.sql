-- The RPC that publishes a prompt's draft as a version.
-- Long: the comparison of two versions is to move into the core.

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
    if length(p_reason) > 2000 then
        raise exception using errcode = '22023', message = 'reason must have at most 2,000 characters';
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
    'Compiles a prompt with the active lessons of its organization and dataset and returns the version: a new one if text, structure, template or dataset changed, else the latest. Raises PT401, PT400, PT403 (prompts.publish), PT404 prompt_not_found (also outside of the caller''s datasets), 22023 (reason; the compiler''s, naming the path).';
grant execute on function private.publish_prompt(uuid, text) to authenticated;
grant execute on function public.publish_prompt(uuid, text) to authenticated;
