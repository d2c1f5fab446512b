-- Foreign keys that close a circle: the table they point to is made after the table they are on. The columns and their
-- indexes are with the table.

alter table public.organizations
    add constraint organizations_default_agent_id_fkey
        foreign key (id, default_agent_id)
        references public.agents (organization_id, id)
        on delete set null (default_agent_id),
    add constraint organizations_default_phone_number_id_fkey
        foreign key (id, default_phone_number_id)
        references public.phone_numbers (organization_id, id)
        on delete set null (default_phone_number_id);
alter table public.agents
    add constraint agents_prompt_version_id_fkey
        foreign key (organization_id, prompt_version_id)
        references public.prompt_versions (organization_id, id)
        on delete set null (prompt_version_id);
