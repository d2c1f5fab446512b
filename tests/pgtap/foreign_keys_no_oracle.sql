-- Every reference between tenants' tables: another tenant's row is refused like one that does not exist,
-- for clients and for the tables' owner. Generated from the catalogue.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

create temporary view keys as
    select k.conname::text, k.conrelid, k.confrelid, k.conrelid::regclass::text as child,
        (select a.attname::text from pg_attribute a where a.attrelid = k.conrelid and a.attnum = k.conkey[1]) as tenant_column,
        (select a.attname::text from pg_attribute a where a.attrelid = k.conrelid and a.attnum = k.conkey[2]) as child_column,
        (select a.attname::text from pg_attribute a where a.attrelid = k.confrelid and a.attnum = k.confkey[1]) as parent_tenant,
        (select a.attname::text from pg_attribute a where a.attrelid = k.confrelid and a.attnum = k.confkey[2]) as parent_column,
        k.confdeltype
    from pg_constraint k
    where k.contype = 'f' and cardinality(k.conkey) = 2 and k.connamespace = 'public'::regnamespace;
grant select on keys to authenticated;
select cmp_ok((select count(*)::integer from keys), '>=', 22, 'the catalogue has the foreign keys of the first slice');
select is_empty($$
    select conname from keys where parent_tenant not in ('organization_id', 'scope')
$$, 'all lead with the tenant');

-- The statement that points one of a's rows at a parent. Versions never change, so one is added.
create function tests.point(child text, tenant_column text, child_column text, target uuid) returns text
    language sql
as $$
    select case child
        when 'prompt_versions' then format(
            'insert into public.prompt_versions (organization_id, %1$s version, version_number, structure, compiled_prompt, sha256, spans, report, changes, changes_summary, change_reason, %2$I) values (%3$L, %4$s ''2.0'', 2, ''{}'', '''', repeat(''0'', 64), ''[]'', ''{}'', ''{}'', ''x'', ''x'', %5$L)',
            case when child_column <> 'prompt_id' then 'prompt_id,' end, child_column, tests.id('a'),
            case when child_column <> 'prompt_id' then format('%L,', tests.id('a.prompt')) end, target)
        when 'profiles' then format('update public.profiles set default_organization_id = %L where id = %L', target, tests.id('a.owner'))
        when 'prompts' then format('update public.prompts set %I = %L where organization_id = %L', child_column, target, tests.id('a'))
        else format('update public.%I set %I = %L where %I = %L', child, child_column, target, tenant_column, tests.id('a'))
    end
$$;

-- A parent of tenant t, by the column that is referenced.
create function tests.parent(parent regclass, parent_tenant text, parent_column text, t text) returns uuid
    language plpgsql
as $$
declare
    result uuid;
begin
    execute format('select %I from %s where %I = %L limit 1', parent_column, parent, parent_tenant, tests.id(t)) into result;
    return result;
end;
$$;

create temporary table pointed as
    select k.conname, k.child, k.child_column, f.foreign_id,
        tests.refusal(tests.point(k.child, k.tenant_column, k.child_column, f.foreign_id)) as foreign_answer,
        tests.refusal(tests.point(k.child, k.tenant_column, k.child_column, tests.id('nowhere'))) as unknown_answer
    from keys k
    cross join lateral (
        select case k.child when 'profiles' then tests.id('b')
            else tests.parent(k.confrelid, k.parent_tenant, k.parent_column, 'b') end as foreign_id
    ) as f;
select isnt_empty($$ select from pointed $$, 'there is something to point at');
select is_empty($$ select conname from pointed where foreign_id is null $$, 'tenant b has a row in every parent table');
select is(foreign_answer ->> 'sqlstate', '23503', format('%s.%s refuses another tenant''s row', child, child_column))
    from pointed order by child, child_column;
select is(
    replace(foreign_answer::text, foreign_id::text, '?'), replace(unknown_answer::text, tests.id('nowhere')::text, '?'),
    format('%s.%s answers as for a row that does not exist', child, child_column)
) from pointed order by child, child_column;

-- As the tenant's owner: what can be written at all is refused the same way, and the answer names no id.
select tests.as_user('a.owner');
create temporary view client_keys as
    select k.*, case k.child_column
            when 'assigned_to' then tests.id('b.owner')
            when 'prompt_version_id' then tests.id('b.version')
            when 'dataset_id' then tests.id('b.dataset')
            when 'agent_id' then tests.id('b.agent')
            when 'provider_account_id' then tests.id('b.account')
            when 'sender_number_id' then tests.id('b.number')
            when 'campaign_settings_id' then tests.id('b.settings')
            when 'duplicate_of' then tests.id('b.lead')
            when 'default_agent_id' then tests.id('b.agent')
            when 'default_phone_number_id' then tests.id('b.number')
        end as foreign_id
    from keys k
    where has_column_privilege(k.conrelid, k.child_column, 'update');
select bag_eq(
    $$ select child || '.' || child_column from client_keys $$,
    $$ values ('agents.prompt_version_id'), ('phone_numbers.agent_id'), ('phone_numbers.provider_account_id'),
        ('campaign_settings.sender_number_id'), ('datasets.campaign_settings_id'), ('leads.dataset_id'),
        ('leads.assigned_to'), ('leads.duplicate_of'), ('lessons.dataset_id'), ('prompts.dataset_id'),
        ('organizations.default_agent_id'), ('organizations.default_phone_number_id') $$,
    'the references that a client may change'
);
create temporary view client_answers as
    select child, child_column, foreign_id,
        tests.refusal(format('update public.%I set %I = %L', child, child_column, foreign_id)) as foreign_answer,
        tests.refusal(format('update public.%I set %I = %L', child, child_column, tests.id('nowhere'))) as unknown_answer
    from client_keys;
select is(foreign_answer ->> 'sqlstate', '23503', format('client: %s.%s refuses another tenant''s row', child, child_column))
    from client_answers order by child, child_column;
select is(
    replace(foreign_answer::text, foreign_id::text, '?'), replace(unknown_answer::text, tests.id('nowhere')::text, '?'),
    format('client: %s.%s answers as for a row that does not exist', child, child_column)
) from client_answers order by child, child_column;
select is_empty($$
    select child, child_column, foreign_answer from client_answers where foreign_answer ->> 'detail' ~ '[0-9a-f]{8}-'
$$, 'and the detail repeats no id');
select is(
    tests.refusal(format('insert into public.prompts (name, template_id) values (''X'', %L)', tests.id('b.template'))) ->> 'sqlstate',
    '23503', 'client: a prompt made from another tenant''s template');
select is(
    tests.refusal(format('insert into public.prompts (name, copied_from_prompt_id) values (''X'', %L)', tests.id('b.prompt'))) ->> 'sqlstate',
    '23503', 'client: a prompt copied from another tenant''s');
select is(
    tests.refusal(format('insert into public.uploads (filename, dataset_id) values (''x'', %L)', tests.id('b.dataset'))) ->> 'sqlstate',
    '23503', 'client: an upload into another tenant''s dataset');
select is(tests.attempt(format('insert into public.prompts (name, template_id) values (''X'', %L)', tests.id('a.template'))), '1 row',
    'client: the own template is fine');
select is(tests.attempt(format('update public.phone_numbers set agent_id = %L', tests.id('a.agent'))), '1 row', 'client: so is the own agent');

-- system templates are everyone's to start from and nobody's to change.
select tests.as_owner();
insert into public.prompt_templates (organization_id, id, name, description, category, template_structure)
values (null, tests.id('system.template'), 'System', 'For tests', 'sales', '{}');
select tests.as_user('a.owner');
select is(tests.attempt(format('select 1 from public.prompt_templates where id = %L', tests.id('system.template'))), '1 row',
    'a system template is readable');
select is(tests.attempt(format('insert into public.prompts (name, template_id) values (''X'', %L)', tests.id('system.template'))), '1 row',
    'and a prompt can start from it');
select is(tests.attempt(format('update public.prompt_templates set name = ''X'' where id = %L', tests.id('system.template'))), '0 rows',
    'but not changed');
select is(tests.attempt(format('delete from public.prompt_templates where id = %L', tests.id('system.template'))), '0 rows', 'nor deleted');
select is(
    tests.attempt('insert into public.prompt_templates (organization_id, name, description, category, template_structure) values (null, ''X'', ''x'', ''x'', ''{}'')'),
    '42501', 'nor made');
select tests.make_user('n.nobody') from (select tests.as_owner()) as now;
select tests.as_user('n.nobody');
select is(tests.attempt('select 1 from public.prompt_templates'), '0 rows', 'without an organization there are no templates');

-- What happens to a reference when its target goes: the reference is cleared, the tenant stays.
select tests.as_owner();
update public.agents set prompt_version_id = null;
delete from public.agents where organization_id = tests.id('a');
select is((select n.organization_id from public.phone_numbers n where n.id = tests.id('a.number')), tests.id('a'),
    'a number keeps its tenant when its agent goes');
select is((select n.agent_id from public.phone_numbers n where n.id = tests.id('a.number')), null, 'and loses the agent');
select is((select default_agent_id from public.organizations where id = tests.id('a')), null, 'so does the organization');
delete from public.memberships where user_id = tests.id('a.sales_rep');
select is((select assigned_to from public.leads where id = tests.id('a.lead.rep')), null, 'a lead is unassigned when its member goes');
select lives_ok(format('delete from public.organizations where id = %L', tests.id('a')), 'an organization goes with all that is in it');
select is_empty(format($$
    select t.name from tests.tenant_tables t where t.name <> 'audit_log' and tests.value(format('select count(*) from public.%%I where %%I = %%L', t.name, t.tenant_column, %L)) <> '0'
$$, tests.id('a')), 'and leaves nothing behind but its audit log');
select is((select count(*)::integer from public.leads where organization_id = tests.id('b')), 2, 'but what is another tenant''s');

select * from finish();
rollback;
