-- Published prompts, which never change.

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
        constraint prompt_versions_change_reason_check
        check (btrim(change_reason) <> '' and length(change_reason) <= 2000),
    previous_version_id uuid,
    -- No foreign key: clearing it when a person leaves would rewrite history.
    created_by uuid,
    created_by_type text not null default 'user'
        constraint prompt_versions_created_by_type_check
        check (created_by_type in ('user', 'ai', 'system')),
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
    'Published prompts. Written by publish_prompt only and never changed or deleted, by anyone: a call can be replayed against exactly what answered it.';
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

select private.make_append_only('public.prompt_versions', 'Publish a new version instead.');
select private.add_tenant_policies(
    'public.prompt_versions', 'prompts', '{insert,update,delete}', dataset => 'dataset_id', shared => true
);
select private.add_audit(
    'public.prompt_versions', '{}', '{structure,compiled_prompt,spans,report}', '{insert}'
);

grant select on public.prompt_versions to authenticated;
grant select on public.prompt_versions to service_role;
