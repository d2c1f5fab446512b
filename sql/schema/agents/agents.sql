-- Agents: who answers. One row drives every channel; phone numbers, prompts and calls point to it.

create table public.agents (
    organization_id uuid not null default switchboard.current_organization_id()
        references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    name text not null
        constraint agents_name_check check (btrim(name) <> '' and length(name) <= 200),
    description text
        constraint agents_description_check check (length(description) <= 2000),
    greeting text
        constraint agents_greeting_check check (length(greeting) <= 2000),
    personality text
        constraint agents_personality_check check (length(personality) <= 10000),
    tone text
        constraint agents_tone_check check (length(tone) <= 200),
    voice_id text
        constraint agents_voice_id_check check (length(voice_id) <= 200),
    llm_config jsonb not null default '{}'
        constraint agents_llm_config_check
        check (jsonb_typeof(llm_config) = 'object' and switchboard.json_is_bounded(llm_config, 16384)),
    is_active boolean not null default true,
    prompt_version_id uuid,
    created_by uuid default switchboard.user_id() references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (organization_id, id)
);
comment on table public.agents is
    'An AI agent of an organization.';
comment on column public.agents.personality is 'Who the agent is, in free text.';
comment on column public.agents.tone is 'How it speaks, in a word or two.';
comment on column public.agents.voice_id is
    'The speech provider''s id of the voice; NULL until the agent takes calls.';
comment on column public.agents.llm_config is 'Settings of the language model, as the worker reads them.';
comment on column public.agents.is_active is
    'An inactive agent takes no calls; routing goes on to the organization''s default agent.';
comment on column public.agents.prompt_version_id is 'The published prompt that the agent speaks by.';

create index agents_created_at_idx on public.agents (organization_id, created_at desc, id);
comment on index public.agents_created_at_idx is 'List of an organization''s agents, newest first.';
create index agents_created_by_idx on public.agents (created_by);
comment on index public.agents_created_by_idx is 'Foreign key to auth.users.';
create index agents_prompt_version_id_idx on public.agents (organization_id, prompt_version_id);
comment on index public.agents_prompt_version_id_idx is
    'Foreign key to prompt_versions; agents that use a version.';

select private.add_row_triggers('public.agents');
select private.add_tenant_policies('public.agents', 'agents');
select private.add_audit('public.agents');
select private.add_quota('public.agents', 'agents');
select private.add_broadcast('public.agents', 'agents.read');

grant select, delete on public.agents to authenticated;
grant insert (
    organization_id, name, description, greeting, personality, tone, voice_id, llm_config, is_active, prompt_version_id
) on public.agents to authenticated;
grant update (
    name, description, greeting, personality, tone, voice_id, llm_config, is_active, prompt_version_id
) on public.agents to authenticated;
grant select, insert, update, delete on public.agents to service_role;
