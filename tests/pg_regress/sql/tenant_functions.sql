-- The tenant functions as the catalogue knows them, and those that look only at their arguments.
\set VERBOSITY terse
\set SHOW_CONTEXT never

-- None runs as its owner or claims to be leak-proof; what reads the request is STABLE, what reads tables PARALLEL
-- RESTRICTED.
select p.oid::regprocedure as function, p.provolatile as volatility, p.proparallel as parallel, p.procost as cost,
    p.proisstrict as strict, p.prosecdef as definer, p.proleakproof as leakproof, p.prorettype::regtype as returns
from pg_proc p
where p.pronamespace = 'switchboard'::regnamespace and p.proname in (
    'user_id', 'request_role', 'current_organization_id', 'organization_for', 'organization_ids', 'is_member', 'has_capability',
    'organization_role', 'dataset_scope', 'in_dataset_scope', 'is_platform_admin', 'require_organization', 'refuse_insert', 'require_user_id', 'request_context', 'path_organization', 'topic_organization',
    'capabilities', 'assert_permissions', 'member_capabilities'
)
order by p.oid::regprocedure::text collate "C";

-- NULL in, NULL out.
select switchboard.organization_for(null), switchboard.is_member(null), switchboard.has_capability(null, 'leads.read'),
    switchboard.has_capability('0a000000-0000-4000-8000-000000000000', null), switchboard.path_organization(null), switchboard.topic_organization(null),
    switchboard.assert_permissions(null), switchboard.member_capabilities('viewer', null, true, true, true, true);

-- Nobody: no organization, and no dataset rather than all of them.
select switchboard.is_member('0a000000-0000-4000-8000-000000000000') as is_member,
    switchboard.has_capability('0a000000-0000-4000-8000-000000000000', 'leads.read') as can, switchboard.organization_role(), switchboard.dataset_scope();
select switchboard.in_dataset_scope('0a000000-0000-4000-8000-000000000000', null) as in_scope, switchboard.in_dataset_scope(null, null) as of_nothing,
    switchboard.refuse_insert('0a000000-0000-4000-8000-000000000000', 'leads.write') as refused, switchboard.refuse_insert(null, 'leads.write') as of_none;

select name, switchboard.path_organization(replace(name, '$', '0a000000-0000-4000-8000-00000000000a')) is not null as names_one
from unnest(array['$/leads.csv', '$/a/b.csv', '$', '$/', '$//a', '$/a/', '$/../a', '$/./a', '/$/a', 'x/a', '', ' $/a']) as name;
select switchboard.path_organization('0A000000-0000-4000-8000-00000000000A/leads.csv') as upper_case;
select name, switchboard.topic_organization(replace(name, '$', '0a000000-0000-4000-8000-00000000000a')) is not null as names_one
from unnest(array['org:$:leads', 'org:$:call_events', 'org:$', 'org:$:', 'org:$:../x', 'org:$:Leads', 'org:$:a:b', 'ORG:$:leads', '$:leads', '']) as name;

select switchboard.assert_permissions('{}'), switchboard.assert_permissions('{"prompts.publish": true, "leads.write": false, "organization.transfer": false}');
select switchboard.assert_permissions('{"orders.read": true, "leads.fly": false}') as may_be_an_applications;
select switchboard.assert_permissions('{"leads": true}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.assert_permissions('{"leads.read": "yes"}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.assert_permissions('{"organization.transfer": true}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.assert_permissions('[]');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- What context() adds for a member with a scope and an end, and for support.
begin;
insert into auth.users (id, email) values
    ('00000000-0000-4000-8000-000000000011', 'rep@alpha.example'),
    ('00000000-0000-4000-8000-000000000012', 'support@alpha.example');
insert into public.organizations (id, name, slug) values ('0a000000-0000-4000-8000-00000000000a', 'Alpha', 'regress-alpha');
insert into public.memberships (organization_id, user_id, role, permissions, can_push_to_n8n, allowed_dataset_ids, expires_at) values
    ('0a000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-000000000011', 'viewer', '{"leads.read_all": false}', true,
        '{}', '2999-12-31 23:59:59+00');
insert into private.platform_admins (user_id) values ('00000000-0000-4000-8000-000000000012');
insert into public.support_sessions (organization_id, id, admin_id, reason, capabilities, opened_at, expires_at) values
    ('0a000000-0000-4000-8000-00000000000a', '0c000000-0000-4000-8000-00000000000c', '00000000-0000-4000-8000-000000000012', 'test',
        '{leads.read,agents.read}', now(), now() + interval '1 hour');
set local role authenticated;
select set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-000000000011", "role": "authenticated"}', true) is not null as signed_in;
select c ->> 'role' as role, c -> 'dataset_scope' as dataset_scope, c ->> 'expires_at' as expires_at,
    c -> 'capabilities' ? 'n8n.push' as by_flag, c -> 'capabilities' ? 'leads.read_all' as taken_away, switchboard.dataset_scope()
from switchboard.request_context() as c;
select set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-000000000012", "role": "authenticated", "aal": "aal1"}', true) is not null as signed_in;
select switchboard.request_context() ->> 'reason' as without_second_factor, switchboard.is_platform_admin();
select set_config('request.jwt.claims', '{"sub": "00000000-0000-4000-8000-000000000012", "role": "authenticated", "aal": "aal2"}', true) is not null as signed_in;
select c - 'expires_at' - 'user_id' as context from switchboard.request_context() as c;
select switchboard.organization_role(), switchboard.organization_for('leads.read') is not null as reads, switchboard.organization_for('leads.write') as writes,
    switchboard.organization_ids(), switchboard.is_member('0a000000-0000-4000-8000-00000000000a') as is_member,
    switchboard.has_capability('0a000000-0000-4000-8000-00000000000a', 'agents.read') as can, switchboard.dataset_scope();
rollback;

-- What a membership gives; nothing for what is not known.
select switchboard.member_capabilities('viewer', '{"leads.read": false, "prompts.publish": true}', false, true, true, false);
select cardinality(switchboard.member_capabilities('owner', '{}', false, false, false, false)) = (select count(distinct capability) from switchboard.capabilities()) as owner_holds_all,
    switchboard.member_capabilities('emperor', '{}', true, true, true, true) as no_role,
    switchboard.member_capabilities('owner', '{"leads": true}', true, true, true, true) as no_permissions;

-- What native code reads and writes above the extension.
select kind, schema_name || '.' || table_name as table_name, name, definition from switchboard.schema_contract();
