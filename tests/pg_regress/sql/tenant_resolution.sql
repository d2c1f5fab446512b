-- Who asks and for which organization: answers for nobody, for members of one and of two organizations, and
-- for the server. Nothing raises but require_user_id and require_organization.
\set VERBOSITY terse
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on
begin;
insert into auth.users (id, email) values
    ('00000000-0000-4000-8000-000000000001', 'one@alpha.example'),
    ('00000000-0000-4000-8000-000000000002', 'both@alpha.example'),
    ('00000000-0000-4000-8000-000000000003', 'none@alpha.example');
insert into public.organizations (id, name, slug, status) values
    ('0a000000-0000-4000-8000-000000000000', 'Alpha', 'regress-alpha', 'active'),
    ('0b000000-0000-4000-8000-000000000000', 'Beta', 'regress-beta', 'paused');
insert into public.memberships (organization_id, user_id, role) values
    ('0a000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000001', 'sales_rep'),
    ('0a000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000002', 'viewer'),
    ('0b000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000002', 'owner');
update public.profiles set default_organization_id = null;

-- No request at all: the database's own roles and jobs.
select switchboard.user_id(), switchboard.request_role(), switchboard.current_organization_id(), switchboard.organization_for('leads.read'),
    switchboard.organization_ids(), switchboard.is_platform_admin();
select switchboard.request_context();
select switchboard.require_user_id();
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.require_organization('leads.read');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- NULL for a capability is NULL.
select switchboard.organization_for(null), switchboard.require_organization(null);

-- A member of one organization.
set local role authenticated;
select set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-000000000001", "role": "authenticated"}', true);
select switchboard.user_id(), switchboard.request_role(), switchboard.current_organization_id(), switchboard.organization_ids();
select jsonb_pretty(switchboard.request_context());
select switchboard.organization_for('leads.write') as held, switchboard.organization_for('leads.delete') as not_held,
    switchboard.organization_for('no.such') as unknown, switchboard.organization_for('') as empty;
select switchboard.require_user_id(), switchboard.require_organization('leads.write');
select switchboard.require_organization('leads.delete');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.require_organization('no.such');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- The context for each way of naming an organization.
create temporary table ways (way integer generated always as identity, title text, claims text, headers text);
insert into ways (title, claims, headers) values
    ('two memberships, none named', '"role": "authenticated"', ''),
    ('header id', '"role": "authenticated"', '{"x-organization-id": "0a000000-0000-4000-8000-000000000000"}'),
    ('header slug', '"role": "authenticated"', '{"x-organization-slug": "regress-beta"}'),
    ('both headers', '"role": "authenticated"', '{"x-organization-id": "0a000000-0000-4000-8000-000000000000", "x-organization-slug": "regress-alpha"}'),
    ('headers disagree', '"role": "authenticated"', '{"x-organization-id": "0a000000-0000-4000-8000-000000000000", "x-organization-slug": "regress-beta"}'),
    ('header malformed', '"role": "authenticated"', '{"x-organization-id": "0A000000-0000-4000-8000-000000000000"}'),
    ('header unknown', '"role": "authenticated"', '{"x-organization-id": "0c000000-0000-4000-8000-000000000000"}'),
    ('claim', '"role": "authenticated", "app_metadata": {"active_organization_id": "0b000000-0000-4000-8000-000000000000"}', ''),
    ('claim and header', '"role": "authenticated", "app_metadata": {"active_organization_id": "0b000000-0000-4000-8000-000000000000"}',
        '{"x-organization-id": "0a000000-0000-4000-8000-000000000000"}'),
    ('claim malformed', '"role": "authenticated", "app_metadata": {"active_organization_id": 7}', ''),
    ('claim null', '"role": "authenticated", "app_metadata": null', ''),
    ('another role', '"role": "service_role"', ''),
    ('expired', '"role": "authenticated", "exp": 1', '');
select title, c ->> 'organization_id' as organization_id, c ->> 'role' as role, jsonb_array_length(c -> 'capabilities') as capabilities,
    c ->> 'source' as source, c ->> 'reason' as reason
from ways
cross join lateral (
    select set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-000000000002", ' || claims || '}', true) as a,
        set_config('request.headers', headers, true) as b
    offset 0
) as s
cross join lateral (select switchboard.request_context() as c where s.a is not null and s.b is not null offset 0) as x
order by way;

-- Nobody's member.
select set_config('request.headers', '', true), set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-000000000003", "role": "authenticated"}', true);
select switchboard.request_context();
select switchboard.require_organization('leads.read');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- The server.
reset role;
set local role service_role;
select set_config('request.jwt.claims', '{"role": "service_role"}', true);
select switchboard.request_context();
select set_config('request.headers', '{"x-organization-slug": "regress-beta"}', true);
select switchboard.request_context();
select switchboard.require_user_id();
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- anon may not even ask.
reset role;
set local role anon;
select set_config('request.jwt.claims', '{"role": "anon"}', true);
select switchboard.request_context();
\echo SQLSTATE :LAST_ERROR_SQLSTATE
rollback;
