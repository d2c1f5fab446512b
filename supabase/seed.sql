-- Local development only: people to sign in as, and system templates to start prompts from. Applied
-- after the migrations; running it again changes nothing. The users have no password: a token for one of
-- them is signed with the local JWT secret. Organizations and what is in them are made through the API.

insert into auth.users (
    instance_id, id, aud, role, email, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
    created_at, updated_at
)
select '00000000-0000-0000-0000-000000000000', id, 'authenticated', 'authenticated', email, now(),
    '{"provider": "email", "providers": ["email"]}', jsonb_build_object('full_name', full_name),
    now(), now()
from (values
    ('a0000000-0000-4000-8000-000000000001'::uuid, 'owner@alpha.example', 'Owner Alpha'),
    ('a0000000-0000-4000-8000-000000000002'::uuid, 'admin@alpha.example', 'Admin Alpha'),
    ('a0000000-0000-4000-8000-000000000003'::uuid, 'manager@alpha.example', 'Manager Alpha'),
    ('a0000000-0000-4000-8000-000000000004'::uuid, 'rep@alpha.example', 'Rep Alpha'),
    ('a0000000-0000-4000-8000-000000000005'::uuid, 'viewer@alpha.example', 'Viewer Alpha'),
    ('b0000000-0000-4000-8000-000000000001'::uuid, 'owner@beta.example', 'Owner Beta'),
    ('b0000000-0000-4000-8000-000000000004'::uuid, 'rep@beta.example', 'Rep Beta')
) as person (id, email, full_name)
on conflict do nothing;

insert into public.prompt_templates (
    organization_id, id, name, description, category, template_structure, industry, use_case, best_for,
    default_wizard_answers
) values
(
    null,
    'd0000000-0000-4000-8000-000000000001',
    'Inbound receptionist',
    'Answers calls, finds out what the caller needs and books a call back.',
    'general',
    '{
        "context": {"content": "You are {{ agent.name }}, who answers the phone for {{ org.name }}.", "source": "template", "why": "The caller should hear who they are talking to."},
        "goal": {"content": "Find out what the caller needs, then book a call back with the right person.", "source": "template", "why": "One goal keeps the conversation short."},
        "tone": {"content": "Friendly and brief. One question at a time.", "source": "template", "why": "Callers hang up on long answers."},
        "boundaries": {"content": "Do not quote prices. Do not promise a date. Say so when you do not know.", "source": "template", "why": "A wrong promise costs more than a call back."}
    }',
    'other',
    'inbound_calls',
    'Any business that misses calls',
    '{"answers_calls": true}'
),
(
    null,
    'd0000000-0000-4000-8000-000000000002',
    'Old database reactivation',
    'Writes to people who asked for a quote long ago and offers a survey.',
    'solar_dbr_old',
    '{
        "context": {"content": "{{ lead.first_name }} asked {{ org.name }} for a solar quote some time ago and heard nothing since.", "source": "template", "why": "The reader has to recognise why they are contacted."},
        "goal": {"content": "Find out whether they are still interested and, if so, offer a survey: {{ booking_link }}", "source": "template", "why": "A booked survey is the only result that counts."},
        "tone": {"content": "Warm, short, in plain British English. No exclamation marks.", "source": "template", "why": "It is a text message, not an advertisement."},
        "objections": {"content": "If they chose another company, wish them well and stop.", "source": "template", "why": "Pressure brings complaints."},
        "boundaries": {"content": "Stop at once when they ask to be left alone.", "source": "template", "why": "PECR regulation 22."}
    }',
    'solar',
    'old_database',
    'Leads older than six months',
    '{"tone": "warm"}'
)
on conflict (scope, id) do nothing;
