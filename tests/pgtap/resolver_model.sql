-- The native resolver against a model in plain SQL, on a hundred thousand random requests of people with random
-- memberships, support sessions and organizations. The requests run inside one statement, one transaction and one
-- snapshot, only the settings change from row to row: what the resolver remembers must never be another row's.
-- A failure is repeated by writing \set seed and the printed number in front of this line.
\if :{?seed}
\else
    select round(random()::numeric, 6) as seed \gset
\endif
begin;
\ir _helpers.psql
select no_plan();
select diag('seed ' || :seed);
select setseed(:seed);

-- The pool: twelve organizations, forty people.
create temporary table organization as
    select n, tests.id('model.' || n) as id, 'model-' || n as slug,
        case when random() < 0.7 then 'active' when random() < 0.6 then 'paused' else 'cancelled' end as status
    from generate_series(1, 12) as n;
insert into public.organizations (id, name, slug, status, plan) select id, 'Model', slug, status, 'enterprise' from organization;
insert into public.datasets (organization_id, id, name)
select id, tests.id(slug || '.' || i), 'List ' || i from organization, generate_series(1, 2) as i;
create temporary table person as
    select n, tests.make_user('m' || n || '.model') as id, random() < 0.5 as is_admin from generate_series(1, 40) as n;
insert into private.platform_admins (user_id) select id from person where is_admin;
-- One in four belongs nowhere, the others to one organization, some or many. Chances of every kind of rights.
insert into public.memberships (
    organization_id, user_id, role, status, permissions, can_view_all_leads, can_edit_lessons, can_push_to_n8n,
    can_manage_users, allowed_dataset_ids, expires_at
)
select o.id, p.id, d.role, (array['active', 'active', 'active', 'suspended', 'invited'])[1 + floor(5 * d.a)::integer],
    case when d.role = 'owner' then '{}' else (array[
        '{}', '{}', '{"leads.read": false}', '{"n8n.push": true}', '{"leads.write": false, "members.write": true}',
        '{"organization.transfer": false, "leads.write": true}', '{"n8n.push": false, "members.write": false}'
    ])[1 + floor(7 * d.b)::integer]::jsonb end,
    random() < 0.3, random() < 0.3, random() < 0.3, random() < 0.3,
    case when d.role <> 'owner' and d.c < 0.3 then array[tests.id(o.slug || '.1'), tests.id(o.slug || '.2')] when d.role <> 'owner' and d.c < 0.4 then '{}' end,
    case when d.role <> 'owner' and d.e < 0.2 then now() - interval '1 second'
        when d.role <> 'owner' and d.e < 0.4 then now() + interval '1 day' end
from person p
cross join organization o
cross join lateral (
    select (array['owner', 'admin', 'manager', 'sales_rep', 'viewer'])[1 + floor(5 * random())::integer] as role,
        random() as a, random() as b, random() as c, random() as e, p.n + o.n as always_anew
) as d
where case p.n % 4 when 0 then false when 1 then o.n = 1 + p.n % 12 when 2 then random() < 0.2 else random() < 0.7 end;
update public.profiles f set default_organization_id = m.organization_id
from (select user_id, min(organization_id::text)::uuid as organization_id from public.memberships group by user_id) as m
where f.id = m.user_id and random() < 0.5;
insert into public.support_sessions (organization_id, admin_id, reason, capabilities, opened_at, expires_at, closed_at)
select o.id, p.id, 'test',
    (array['{leads.read}', '{leads.read,leads.read_all,agents.read}', '{organization.read}'])[1 + floor(3 * d.a)::integer]::text[],
    d.opened_at, d.opened_at + interval '50 minutes', case when d.b < 0.3 or again = 2 then d.opened_at + interval '1 minute' end
from person p
cross join organization o
cross join generate_series(1, 2) as again
cross join lateral (
    select now() - interval '1 minute' * floor(100 * random()) - interval '1 second' * (again + 2 * o.n) as opened_at,
        random() as a, random() as b
) as d
where random() < 0.3;

-- The requests. A kind says what a text is, so that the model need not read it.
create temporary table request as
with draw as materialized (
    select i, random() as r1, random() as r2, random() as r3, random() as r4, random() as r5, random() as r6,
        random() as r7, random() as r8, random() as r9, random() as r10, random() as r11, random() as r12,
        random() as r13, random() as r14
    from generate_series(1, 100000) as i
),
kind as (
    select d.*,
        case when r1 < 0.85 then 'authenticated' when r1 < 0.93 then 'service_role' when r1 < 0.97 then 'anon' else 'none' end as role,
        case when r2 < 0.94 then 'object' when r2 < 0.97 then 'absent' else 'bad' end as claims,
        case when r3 < 0.9 then 'same' when r3 < 0.95 then 'other' else 'absent' end as claims_role,
        case when r4 < (case when r1 between 0.85 and 0.93 then 0.2 else 0.9 end) then 'given' when r4 > 0.95 then 'invalid' else 'absent' end as sub,
        case when r5 < 0.6 then 'future' when r5 < 0.8 then 'absent' when r5 < 0.9 then 'just_past' when r5 < 0.95 then 'past' else 'invalid' end as exp,
        case when r6 < 0.85 then 'absent' when r6 < 0.9 then 'same' when r6 < 0.95 then 'other' else 'invalid' end as legacy,
        case when r7 < 0.5 then 'aal2' when r7 < 0.9 then 'aal1' end as aal,
        case when r8 < 0.6 then 'absent' when r8 < 0.95 then 'given' else 'invalid' end as active,
        case when r9 < 0.6 then 'absent' when r9 < 0.9 then 'given' when r9 < 0.95 then 'unknown' else 'invalid' end as header_id,
        case when r10 < 0.8 then 'absent' when r10 < 0.9 then 'given' when r10 < 0.95 then 'unknown' else 'invalid' end as header_slug
    from draw d
)
select k.i, k.role, k.claims, k.claims_role, k.sub, k.exp, k.legacy, k.aal, k.active, k.header_id, k.header_slug,
    p.id as person, other.id as other_person, a.id as active_id, h.id as id_of_header,
    -- Half of the requests with both headers name one organization in both.
    case when r14 < 0.5 then h.slug else s.slug end as slug_of_header,
    asked.id as asked, (array['leads.read', 'leads.write', 'n8n.push', 'members.write', 'no.such'])[1 + floor(5 * k.r13)::integer] as asked_for,
    floor(6 * k.r11)::integer as variant
from kind k
join person p on p.n = 1 + floor(40 * k.r11)::integer
join person other on other.n = 1 + p.n % 40
join organization a on a.n = 1 + floor(12 * k.r12)::integer
join organization h on h.n = 1 + floor(12 * (k.r12 * 7 - floor(k.r12 * 7)))::integer
join organization s on s.n = 1 + floor(12 * (k.r11 * 5 - floor(k.r11 * 5)))::integer
join organization asked on asked.n = 1 + floor(12 * (k.r13 * 9 - floor(k.r13 * 9)))::integer;

analyze request, person, organization, public.memberships, public.support_sessions, public.profiles;

-- The model. Who asks:
create temporary view identity as
    select r.*,
        case
            when claims = 'bad' then null
            when claims = 'absent' then case when role = 'authenticated' and legacy in ('same', 'other') then 'user' end
            when claims_role <> 'same' or exp in ('past', 'invalid') then null
            when role = 'authenticated' and sub = 'given' and legacy in ('absent', 'same') then 'user'
            when role = 'service_role' and sub = 'absent' and legacy <> 'invalid' then 'service'
        end as kind,
        case when claims = 'absent' and legacy = 'other' then other_person else person end as user_id
    from request r;
-- Which memberships and support sessions count. What only the owner holds no permission gives.
create temporary table roles (capability text, owner boolean, admin boolean, manager boolean, sales_rep boolean, viewer boolean);
insert into roles values
    ('leads.read', true, true, true, true, true),
    ('leads.write', true, true, true, true, false),
    ('n8n.push', true, true, false, false, false),
    ('members.write', true, true, false, false, false),
    ('organization.read', true, true, true, true, true),
    ('organization.transfer', true, false, false, false, false);
create temporary view standing as
    select m.user_id, m.organization_id, o.slug, m.role, m.allowed_dataset_ids as scope, false as support, array(
            select c.capability from roles c
            where (
                    case m.role when 'owner' then c.owner when 'admin' then c.admin when 'manager' then c.manager
                        when 'sales_rep' then c.sales_rep else c.viewer end
                    or c.capability = 'n8n.push' and m.can_push_to_n8n
                    or c.capability = 'members.write' and m.can_manage_users
                    or m.permissions -> c.capability = 'true' and c.capability not in ('organization.transfer', 'people.erase')
                )
                and m.permissions -> c.capability is distinct from 'false'
                and (
                    o.status = 'active'
                    or c.capability like '%.read' and (o.status = 'paused' or m.role in ('owner', 'admin'))
                )
        ) as held
    from public.memberships m
    join public.organizations o on o.id = m.organization_id
    where m.status = 'active' and coalesce(m.expires_at > now(), true)
    union all
    select * from (
        select distinct on (s.admin_id, s.organization_id) s.admin_id, s.organization_id, o.slug, 'support', null::uuid[], true, s.capabilities
        from public.support_sessions s
        join public.organizations o on o.id = s.organization_id
        join private.platform_admins a on a.user_id = s.admin_id
        where s.closed_at is null and s.expires_at > now()
            and not exists (
                select from public.memberships m
                where m.user_id = s.admin_id and m.organization_id = s.organization_id and m.status = 'active'
                    and coalesce(m.expires_at > now(), true)
            )
        order by s.admin_id, s.organization_id, s.opened_at desc
    ) as newest;
create temporary table standings as table standing;
create index on standings (user_id, organization_id);
analyze standings;
-- Which organization is asked for, and whether it is the caller's.
create temporary table named as
    select i.*,
        case
            when i.kind is distinct from 'user' then null
            when i.header_id = 'invalid' or i.header_slug = 'invalid' then null
            when i.header_id <> 'absent' and i.header_slug <> 'absent' then case
                when i.header_id = 'given' and i.header_slug = 'given'
                    and i.slug_of_header = (select o.slug from organization o where o.id = i.id_of_header)
                then i.id_of_header end
            when i.header_id <> 'absent' then case when i.header_id = 'given' then i.id_of_header end
            when i.header_slug <> 'absent' then case
                when i.header_slug = 'given' then (select o.id from organization o where o.slug = i.slug_of_header) end
            when i.claims = 'object' and i.active <> 'absent' then case when i.active = 'given' then i.active_id end
            when f.default_organization_id is not null then f.default_organization_id
            else (
                select (array_agg(s.organization_id))[1] from standings s
                where s.user_id = i.user_id and (not s.support or i.aal = 'aal2' and i.claims = 'object')
                having count(*) = 1
            )
        end as wanted,
        case
            when i.kind is distinct from 'service' or i.header_id in ('invalid', 'unknown') or i.header_slug in ('invalid', 'unknown') then null
            when i.header_id = 'given' and i.header_slug = 'given' then
                (select o.id from organization o where o.id = i.id_of_header and o.slug = i.slug_of_header)
            when i.header_id = 'given' then i.id_of_header
            when i.header_slug = 'given' then (select o.id from organization o where o.slug = i.slug_of_header)
        end as of_service
    from identity i
    left join public.profiles f on f.id = i.user_id;
create temporary table expected as
    select n.i,
        case when n.kind = 'user' then n.user_id end as user_id,
        coalesce(n.of_service, s.organization_id) as organization_id,
        coalesce(n.of_service, case when 'leads.read' = any (s.held) then s.organization_id end) as may_read,
        coalesce(n.of_service, case when 'leads.write' = any (s.held) then s.organization_id end) as may_write,
        coalesce(n.of_service, case when 'n8n.push' = any (s.held) then s.organization_id end) as may_push,
        coalesce(n.of_service, case when 'members.write' = any (s.held) then s.organization_id end) as may_manage,
        coalesce(n.of_service, case when 'organization.transfer' = any (s.held) then s.organization_id end) as may_transfer,
        s.role as organization_role,
        case when n.of_service is not null then null when s.organization_id is null then '{}' else s.scope end as scope,
        coalesce((
            select array_agg(m.organization_id order by m.organization_id) from standings m
            where n.kind = 'user' and m.user_id = n.user_id and not m.support
        ), '{}') as ids,
        case n.kind
            when 'service' then n.asked_for <> 'no.such'
            else coalesce(n.kind = 'user' and exists (
                select from standings m
                where m.user_id = n.user_id and m.organization_id = n.asked and n.asked_for = any (m.held)
                    and (not m.support or n.aal = 'aal2' and n.claims = 'object')
            ), false)
        end as can,
        coalesce(n.kind = 'user' and exists (
            select from standings m where m.user_id = n.user_id and m.organization_id = n.asked and not m.support
        ), false) as is_member,
        coalesce(n.kind = 'user' and n.claims = 'object' and n.aal = 'aal2' and exists (
            select from person p where p.id = n.user_id and p.is_admin
        ), false) as is_platform_admin
    from named n
    left join standings s on n.kind = 'user' and s.user_id = n.user_id and s.organization_id = n.wanted
        and (not s.support or n.aal = 'aal2' and n.claims = 'object');

-- The requests as texts.
create temporary table texts as
    select r.i, r.role, r.asked, r.asked_for,
        case r.claims when 'absent' then '' when 'bad' then (array['null', '[]', '{', '"null"', '{}{}', '{"sub": 1, "sub": 2}'])[1 + r.variant]
            else (
                jsonb_build_object('aud', 'authenticated', 'user_metadata', jsonb_build_object('active_organization_id', r.asked))
                || case r.claims_role when 'absent' then '{}' else jsonb_build_object('role', case
                    when r.claims_role = 'same' then case r.role when 'none' then current_user else r.role end
                    when r.role = 'anon' then 'authenticated' else 'anon' end) end
                || case r.sub when 'absent' then '{}' when 'given' then jsonb_build_object('sub', r.person)
                    else (array[jsonb_build_object('sub', upper(r.person::text)), '{"sub": null}', '{"sub": 7}', '{"sub": ""}',
                        jsonb_build_object('sub', '{' || r.person || '}'), jsonb_build_object('sub', array[r.person])])[1 + r.variant] end
                || case r.exp when 'absent' then '{}' when 'invalid' then '{"exp": "soon"}' else jsonb_build_object('exp',
                    extract(epoch from statement_timestamp())::bigint + case r.exp when 'future' then 3600 when 'just_past' then -30 else -3600 end) end
                || case when r.aal is null then '{}' else jsonb_build_object('aal', r.aal) end
                || case r.active when 'absent' then '{}' when 'given' then jsonb_build_object('app_metadata', jsonb_build_object('active_organization_id', r.active_id))
                    else jsonb_build_object('app_metadata', jsonb_build_object('active_organization_id', upper(r.active_id::text))) end
            )::text
        end as claims,
        case r.legacy when 'absent' then '' when 'same' then r.person::text when 'other' then r.other_person::text
            else (array['x', upper(r.person::text), ' ' || r.person, r.person || ' ', 'null', '{}'])[1 + r.variant] end as legacy,
        case when r.header_id = 'absent' and r.header_slug = 'absent' and r.variant = 0 then '' else (
            jsonb_build_object('host', 'localhost')
            || case r.header_id when 'absent' then '{}' when 'given' then jsonb_build_object('x-organization-id', r.id_of_header)
                when 'unknown' then jsonb_build_object('x-organization-id', tests.id('model.unknown'))
                else jsonb_build_object('x-organization-id', upper(r.id_of_header::text)) end
            || case r.header_slug when 'absent' then '{}' when 'given' then jsonb_build_object('X-Organization-Slug', array[r.slug_of_header])
                when 'unknown' then '{"x-organization-slug": "model-unknown"}'
                else jsonb_build_object('x-organization-slug', upper(r.slug_of_header)) end
        )::text end as headers
    from request r;

-- The answers. A row's expressions are evaluated from left to right.
create temporary table answer as
    select t.i,
        set_config('role', t.role, true) as set_role,
        set_config('request.jwt.claims', t.claims, true) as set_claims,
        set_config('request.jwt.claim.sub', t.legacy, true) as set_legacy,
        set_config('request.headers', t.headers, true) as set_headers,
        switchboard.user_id() as user_id,
        switchboard.current_organization_id() as organization_id,
        switchboard.organization_for('leads.read') as may_read,
        switchboard.organization_for('leads.write') as may_write,
        switchboard.organization_for('n8n.push') as may_push,
        switchboard.organization_for('members.write') as may_manage,
        switchboard.organization_for('organization.transfer') as may_transfer,
        switchboard.organization_role() as organization_role,
        switchboard.dataset_scope() as scope,
        switchboard.organization_ids() as ids,
        switchboard.has_capability(t.asked, t.asked_for) as can,
        switchboard.is_member(t.asked) as is_member,
        switchboard.is_platform_admin() as is_platform_admin
    from texts t;
select tests.as_owner();
select set_config('request.jwt.claim.sub', '', true);
analyze texts, answer, expected;

select is((select count(*)::integer from answer), 100000, 'a hundred thousand requests were answered');
select is_empty($$
    select t.i, t.role, t.claims, t.legacy, t.headers, t.asked, t.asked_for, to_jsonb(e) - 'i' as expected,
        to_jsonb(a) - 'i' - 'set_role' - 'set_claims' - 'set_legacy' - 'set_headers' as answered
    from answer a
    join expected e using (i)
    join texts t using (i)
    where to_jsonb(a) - 'set_role' - 'set_claims' - 'set_legacy' - 'set_headers' <> to_jsonb(e)
    limit 3
$$, format('every answer is the model''s (seed %s)', :'seed'));

-- The draws were no empty ones: every answer occurs, and so do support and refusal for each reason.
select cmp_ok((select count(*) from expected where organization_id is not null), '>', 3000::bigint, 'many have an organization');
select cmp_ok((select count(*) from expected where may_read is not null and may_write is null), '>', 1000::bigint, 'many only read');
select cmp_ok((select count(*) from expected where organization_role = 'support'), '>', 100::bigint, 'some are support');
select cmp_ok((select count(*) from expected where user_id is null), '>', 10000::bigint, 'many are nobody');
select cmp_ok((select count(*) from expected where cardinality(scope) = 2), '>', 200::bigint, 'some are confined to datasets');
select cmp_ok((select count(*) from expected where organization_id is not null and user_id is null), '>', 200::bigint, 'some are the server');
select cmp_ok((select count(*) from expected where can and organization_id is null), '>', 100::bigint, 'some may do something elsewhere');

select * from finish();
rollback;
