-- Prompt templates: starting points for prompts, of an organization and of the system.

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
    description text not null
        constraint prompt_templates_description_check check (length(description) <= 2000),
    category text not null
        constraint prompt_templates_category_check check (length(category) <= 200),
    template_structure jsonb not null
        constraint prompt_templates_template_structure_check
        check (jsonb_typeof(template_structure) = 'object' and switchboard.json_is_bounded(template_structure, 262144)),
    industry text
        constraint prompt_templates_industry_check check (length(industry) <= 200),
    use_case text
        constraint prompt_templates_use_case_check check (length(use_case) <= 2000),
    best_for text
        constraint prompt_templates_best_for_check check (length(best_for) <= 2000),
    default_wizard_answers jsonb
        constraint prompt_templates_default_wizard_answers_check
        check (switchboard.json_is_bounded(default_wizard_answers, 65536)),
    is_active boolean not null default true,
    is_system_template boolean not null generated always as (organization_id is null) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (scope, id)
);
comment on table public.prompt_templates is
    'Starting points for prompts: an organization''s own, and system templates (organization_id NULL) that everyone may read and only the database owner writes.';
comment on column public.prompt_templates.scope is
    'organization_id, or the nil uuid for a system template; the target of prompts.template_id.';

create index prompt_templates_organization_id_idx on public.prompt_templates (organization_id);
comment on index public.prompt_templates_organization_id_idx is 'Foreign key to organizations.';

select private.add_row_triggers('public.prompt_templates');

create function private.guard_system_template() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    raise exception using
        errcode = '42501',
        message = 'a system template is every organization''s',
        hint = 'Make one of your own; the database owner writes those of the system.';
end;
$$;
comment on function private.guard_system_template() is
    'BEFORE UPDATE OR DELETE trigger on prompt_templates; its WHEN clause asks for a system template and the service role, whom no policy holds. Raises 42501.';
create trigger guard_system_template
    before update or delete on public.prompt_templates
    for each row
    when (old.organization_id is null and current_user = 'service_role')
    execute function private.guard_system_template();

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
    with check (
        organization_id = (select switchboard.organization_for('prompts.write'))
        or switchboard.has_capability(organization_id, 'prompts.write')
        or switchboard.refuse_insert(organization_id, 'prompts.write')
    );
create policy prompt_templates_update on public.prompt_templates for update to authenticated
    using (organization_id = (select switchboard.organization_for('prompts.write')))
    with check (organization_id = (select switchboard.organization_for('prompts.write')));
create policy prompt_templates_delete on public.prompt_templates for delete to authenticated
    using (organization_id = (select switchboard.organization_for('prompts.delete')));

grant select, delete on public.prompt_templates to authenticated;
grant insert (
    organization_id, name, description, category, template_structure, industry, use_case, best_for,
    default_wizard_answers, is_active
) on public.prompt_templates to authenticated;
grant update (
    name, description, category, template_structure, industry, use_case, best_for,
    default_wizard_answers, is_active
) on public.prompt_templates to authenticated;
grant select, insert, update, delete on public.prompt_templates to service_role;
