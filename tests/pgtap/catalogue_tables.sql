-- Rules that every table obeys, the ones of later migrations included: row level security with each verb
-- decided, composite keys, indexes for foreign keys, comments, updated_at.
begin;
\ir _helpers.psql
select no_plan();

create temporary view all_tables as
    select c.oid, n.nspname as schema_name, c.relname as table_name, c.relrowsecurity, c.relforcerowsecurity,
        exists (
            select from pg_attribute a
            where a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
        ) as is_tenant_table
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private') and c.relkind in ('r', 'p');

create temporary view all_columns as
    select t.schema_name, t.table_name, t.is_tenant_table, a.attname, a.attnotnull, a.atttypid, a.attrelid, a.attnum
    from all_tables t
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped;

-- The tables of the first slice are all there: an empty catalogue would pass every rule below.
select is_empty($$
    select name from unnest(array[
        'organizations', 'profiles', 'memberships', 'agents', 'provider_accounts', 'phone_numbers', 'customers',
        'calls', 'datasets', 'campaign_settings', 'leads', 'uploads', 'lessons', 'prompts', 'prompt_versions',
        'prompt_templates'
    ]) as name
    where to_regclass('public.' || name) is null
    union all
    select name from unnest(array['platform_admins', 'root_keys', 'tenant_keys', 'unseal_audit']) as name
    where to_regclass('private.' || name) is null
$$, 'the tables of the first slice exist');
select set_eq(
    $$ select table_name::text from all_tables where schema_name = 'public' and table_name not in ('profiles', 'plans', 'plan_limits', 'plan_overrides') $$,
    $$ select name from tests.tenant_tables $$,
    'the isolation tests know every table in public: add a new one to tests/tenant_tables.sql');

-- Row level security.
select ok(relrowsecurity, format('%s.%s has row level security', schema_name, table_name))
    from all_tables order by schema_name, table_name;
select is_empty($$
    select schema_name, table_name from all_tables
    where schema_name = 'public' and not relforcerowsecurity
        and table_name not in ('organizations', 'memberships', 'profiles')
$$, 'row level security is forced, except on the three tables that native code reads as their owner');
select is(
    array(
        select p.polcmd::text from pg_policy p where p.polrelid = t.oid order by 1
    ),
    array['a', 'd', 'r', 'w'],
    format('%s has one policy for each of the four verbs', t.table_name)
) from all_tables t where t.schema_name = 'public' order by t.table_name;
select is_empty($$
    select p.polrelid::regclass, p.polname from pg_policy p
    join all_tables t on t.oid = p.polrelid and t.schema_name = 'public'
    where p.polroles <> array['authenticated'::regrole::oid]
$$, 'every policy in public is to authenticated');
select is_empty($$
    select p.polrelid::regclass, p.polname from pg_policy p where not p.polpermissive
$$, 'no policy is restrictive: what a verb may do stands in one place');
select is_empty($$
    select t.table_name from all_tables t
    where t.schema_name = 'private' and (
        (select count(*) from pg_policy p where p.polrelid = t.oid) <> 1
        or exists (
            select from pg_policy p
            where p.polrelid = t.oid and (
                pg_get_expr(p.polqual, p.polrelid) is distinct from 'false'
                or pg_get_expr(p.polwithcheck, p.polrelid) is distinct from 'false'
            )
        )
    )
$$, 'tables in private have the one policy that lets nobody in');

-- What policies say.
-- An insert policy has two arms more: the same rule in the organization that the row names, and the refusal.
create temporary view rules as
    select p.polrelid::regclass::text as table_name, p.polname, p.polcmd,
        case when p.polcmd = 'a' then regexp_replace(r.rule,
            ' OR \(*switchboard\.has_capability\(organization_id, (''\w+\.write''::text)\)( AND switchboard\.in_dataset_scope\(organization_id, (dataset_id|id|NULL::uuid)\))?( AND \(switchboard\.has_capability\(organization_id, ''\w+\.read_all''::text\) OR \(\w+ = \( SELECT switchboard\.user_id\(\)[^()]*\)\)\))?\)* OR switchboard\.refuse_insert\(organization_id, \1\)\)$', '')
            else r.rule
        end as rule,
        r.rule as whole_rule
    from pg_policy p
    join all_tables t on t.oid = p.polrelid and t.schema_name = 'public'
    cross join lateral (values
        (pg_get_expr(p.polqual, p.polrelid)), (pg_get_expr(p.polwithcheck, p.polrelid))
    ) as r (rule)
    where r.rule is not null;
select is_empty($$
    select table_name, polname, rule from rules
    where regexp_replace(rule, '\( SELECT (1( AS \S+)?\s+WHERE \()?switchboard\.', '', 'g') ~ 'switchboard\.'
$$, 'policies call switchboard only inside (select …), once per statement');
select is_empty($$
    select table_name, whole_rule from rules where polcmd = 'a' and rule <> 'false' and (
        whole_rule = rule
        or substring(rule from 'organization_for\((''\w+\.write'')') is distinct from substring(whole_rule from 'has_capability\(organization_id, (''\w+\.write'')')
        or (rule ~ 'dataset_scope') <> (whole_rule ~ 'in_dataset_scope')
        or substring(rule from 'OR \((\w+) = ANY') is distinct from substring(whole_rule from 'in_dataset_scope\(organization_id, (\w+)\)')
        or substring(rule from '''\w+\.read_all''') is distinct from substring(whole_rule from 'has_capability\(organization_id, (''\w+\.read_all'')')
    )
$$, 'a row for another organization is judged by the same capability, scope and own rows there');
select is_empty($$
    select table_name, polname, rule from rules
    where rule <> 'false' and rule !~ 'switchboard\.(organization_for|organization_ids|user_id)\('
$$, 'a policy is false, or asks for the tenant');
select is_empty($$
    select table_name, polname, rule from rules
    where rule ~* 'admin|auth\.|current_setting|user_metadata|app_metadata|current_user|session_user'
        or rule ~ '\mtrue\M'
$$, 'no policy is true, asks for a platform admin or reads claims itself');
-- What add_tenant_policies may put behind the comparison of the tenant: the dataset scope, own rows.
create temporary view tenant_rules as
    select r.*, regexp_replace(regexp_replace(r.rule,
        ' AND \(\(\( SELECT 1( AS \S+)?\s+WHERE \(switchboard\.dataset_scope\(\) IS NULL\)\) IS NOT NULL\)( OR \(dataset_id IS NULL\))? OR \(\w+ = ANY \(\( SELECT switchboard\.dataset_scope\(\)[^()]*\)::uuid\[\]\)\)\)| AND \(\( SELECT 1( AS \S+)?\s+WHERE \(switchboard\.dataset_scope\(\) IS NULL\)\) IS NOT NULL\)',
        '', 'g'),
        ' AND \(\(\( SELECT switchboard\.organization_for\(''\w+\.read_all''::text\)[^()]*\) IS NOT NULL\) OR \(\w+ = \( SELECT switchboard\.user_id\(\)[^()]*\)\)\)| AND \(\( SELECT switchboard\.organization_for\(''\w+\.read_all''::text\)[^()]*\) IS NOT NULL\)| AND \(table_name = ANY \(\( SELECT private\.readable_audit\(\)[^()]*\)::text\[\]\)\)',
        '', 'g') as tenant_rule
    from rules r
    where r.rule <> 'false';
select is_empty($$
    select table_name, polname, rule from tenant_rules
    where table_name not in ('organizations', 'memberships', 'profiles', 'plans', 'plan_limits')
        and polname <> 'prompt_templates_select'
        and tenant_rule !~ '^\(+organization_id = \( SELECT switchboard\.organization_for\(''\w+\.\w+''::text\)[^()]*\)\)+$'
$$, 'a policy compares the tenant, then scope and own rows, and nothing else');
select bag_eq(
    $$ select distinct polname::text from tenant_rules where tenant_rule ~ '\mOR\M' $$,
    $$ values ('memberships_select'), ('organizations_select'), ('profiles_select'), ('prompt_templates_select') $$,
    'otherwise OR appears only where own rows, a support session or system templates need it');
select is_empty($$
    select r.table_name, r.polname, m.capability
    from rules r
    cross join lateral (
        select (regexp_matches(r.rule, 'organization_for\(''([^'']+)''', 'g'))[1] as capability
    ) as m
    where not exists (select from switchboard.capabilities() c where c.capability = m.capability)
$$, 'every capability in a policy exists');
select is_empty($$
    select r.table_name, r.polname, m.capability
    from rules r
    cross join lateral (
        select (regexp_matches(r.rule, 'organization_for\(''([^'']+)''', 'g'))[1] as capability
    ) as m
    where (r.polname, m.capability) <> ('invitations_select', 'members.write')
        and m.capability !~ case r.polcmd when 'r' then '\.(read|read_all)$' when 'd' then '\.(delete|read_all)$'
        else '\.(write|read_all)$' end
$$, 'select asks for read, insert and update for write, delete for delete');
select is_empty($$
    select polrelid::regclass, polname from pg_policy
    where polcmd = 'w' and polrelid in (select oid from all_tables where schema_name = 'public')
        and pg_get_expr(polwithcheck, polrelid) is distinct from pg_get_expr(polqual, polrelid)
$$, 'an update may not make a row that it could not have changed');

-- Keys.
select is_empty($$
    select t.schema_name, t.table_name from all_tables t
    where not exists (select from pg_constraint k where k.conrelid = t.oid and k.contype = 'p')
$$, 'every table has a primary key');
select is_empty($$
    select t.table_name, pg_get_constraintdef(k.oid) from all_tables t
    join pg_constraint k on k.conrelid = t.oid and k.contype = 'p'
    where t.schema_name = 'public' and t.is_tenant_table
        and t.table_name not in ('memberships', 'prompt_templates', 'plan_overrides')
        and pg_get_constraintdef(k.oid) <> 'PRIMARY KEY (organization_id, id)'
$$, 'tenant tables have the key (organization_id, id)');
select is_empty($$
    select i.indexrelid::regclass from pg_index i
    join all_tables t on t.oid = i.indrelid and t.schema_name = 'public' and t.is_tenant_table
    where i.indisunique and i.indkey[0] <> (
            select a.attnum from pg_attribute a
            where a.attrelid = t.oid and a.attname = case t.table_name
                when 'prompt_templates' then 'scope' else 'organization_id' end
        )
        and i.indexrelid::regclass::text <> 'phone_numbers_active_key'
$$, 'unique keys are per tenant, but for the one that add_phone_number answers for');
select is_empty($$
    select schema_name, table_name from all_columns
    where is_tenant_table and schema_name = 'public' and attname = 'organization_id' and not attnotnull
        and table_name <> 'prompt_templates'
$$, 'organization_id is never null, but for system templates');
select is_empty($$
    select k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid) from pg_constraint k
    join all_tables child on child.oid = k.conrelid
    join all_tables parent on parent.oid = k.confrelid
    where k.contype = 'f' and parent.is_tenant_table
        and parent.table_name <> 'organizations'
        and cardinality(k.conkey) < 2
$$, 'a foreign key to a tenant table is composite');
select is_empty($$
    select k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid) from pg_constraint k
    join all_tables child on child.oid = k.conrelid and child.is_tenant_table
    join all_tables parent on parent.oid = k.confrelid and parent.is_tenant_table
    join pg_attribute c on c.attrelid = k.conrelid and c.attnum = k.conkey[1]
    join pg_attribute p on p.attrelid = k.confrelid and p.attnum = k.confkey[1]
    where k.contype = 'f'
        and (c.attname, p.attname) not in (('organization_id', 'organization_id'), ('template_scope', 'scope'))
$$, 'and leads with the tenant on both sides');
select is_empty($$
    select t.table_name from all_tables t
    where t.schema_name = 'public' and t.is_tenant_table and t.table_name <> 'audit_log' and not exists (
        select from pg_constraint k
        where k.conrelid = t.oid and k.contype = 'f' and k.confrelid = 'public.organizations'::regclass
            and k.confdeltype = 'c'
    )
$$, 'every tenant table goes with its organization, but for the audit log');
select is_empty($$
    select k.conrelid::regclass, k.conname from pg_constraint k
    join all_tables t on t.oid = k.conrelid
    where k.contype = 'f' and k.confdeltype = 'n' and cardinality(k.conkey) > 1
        and coalesce(cardinality(k.confdelsetcols), 0) <> 1
$$, 'on delete set null clears the reference, not the tenant');
select is_empty($$
    select k.conrelid::regclass, k.conname from pg_constraint k
    join all_tables t on t.oid = k.conrelid
    where k.contype = 'f' and not exists (
        select from pg_index i
        where i.indrelid = k.conrelid and i.indisvalid
            and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] = k.conkey
            and (
                i.indpred is null
                or pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', (
                    select a.attname from pg_attribute a
                    where a.attrelid = k.conrelid and a.attnum = k.conkey[cardinality(k.conkey)]
                ))
            )
    )
$$, 'every foreign key has an index that leads with its columns in order');
select is_empty($$
    select k.conrelid::regclass, k.conname from pg_constraint k
    join all_tables t on t.oid = k.conrelid where not k.convalidated
$$, 'every constraint is validated');
select is_empty($$
    select k.conrelid::regclass, k.conname, k.confrelid::regclass from pg_constraint k
    join all_tables t on t.oid = k.conrelid
    where k.contype = 'f' and k.confrelid::regclass::text like 'auth.%'
        and (
            k.confrelid <> 'auth.users'::regclass
            or (select a.attname from pg_attribute a where a.attrelid = k.confrelid and a.attnum = k.confkey[1]) <> 'id'
        )
$$, 'of Supabase Auth only users(id) is referenced');

-- Columns and indexes.
select is_empty($$
    select c.schema_name, c.table_name, c.attname, format_type(c.atttypid, null)
    from all_columns c
    join pg_index i on i.indrelid = c.attrelid and c.attnum = any (i.indkey::int2[])
    where c.schema_name = 'public'
        and c.atttypid not in (
            'uuid'::regtype, 'text'::regtype, 'integer'::regtype, 'bigint'::regtype, 'smallint'::regtype,
            'boolean'::regtype, 'date'::regtype, 'timestamptz'::regtype, 'bytea'::regtype
        )
$$, 'indexed columns have leak-proof comparisons: under RLS another type cannot be an index condition');
select is_empty($$
    select c.table_name, c.attname from all_columns c
    join pg_type y on y.oid = c.atttypid where y.typtype in ('e', 'd')
$$, 'no enum and no domain: text with a CHECK');
select is_empty($$
    select c.schema_name, c.table_name, c.attname from all_columns c
    where c.atttypid in ('timestamp'::regtype, 'timetz'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'json'::regtype)
$$, 'instants are timestamptz, text is text, JSON is jsonb');
select is_empty($$
    select c.schema_name, c.table_name, c.attname from all_columns c
    join pg_attrdef d on d.adrelid = c.attrelid and d.adnum = c.attnum
    where c.attname = 'organization_id' and pg_get_expr(d.adbin, d.adrelid) <> 'switchboard.current_organization_id()'
$$, 'organization_id defaults to the active organization or to nothing');
select is_empty($$
    select t.table_name from all_tables t
    where t.schema_name = 'public'
        and exists (select from all_columns c where c.attrelid = t.oid and c.attname = 'updated_at')
        and not exists (
            select from pg_trigger g
            where g.tgrelid = t.oid and g.tgfoid = 'public.update_updated_at_column()'::regprocedure
                and pg_get_triggerdef(g.oid) ~ 'BEFORE UPDATE ON .* FOR EACH ROW'
                and pg_get_triggerdef(g.oid) !~ ' WHEN ' and g.tgenabled = 'O'
        )
$$, 'every table with updated_at keeps it by trigger');
select is_empty($$
    select t.table_name, c.attname from all_tables t
    join all_columns c on c.attrelid = t.oid and c.attname in ('created_at', 'updated_at')
    where not c.attnotnull or c.atttypid <> 'timestamptz'::regtype
$$, 'created_at and updated_at are never null');
select is_empty($$
    select c.table_name, c.attname from all_columns c
    where c.attname in ('phone_number', 'caller_number', 'called_number') and not exists (
        select from pg_constraint k
        where k.conrelid = c.attrelid and k.contype = 'c' and pg_get_constraintdef(k.oid) ~ format('is_e164\(%s\)', c.attname)
    )
$$, 'columns with phone numbers hold E.164 by CHECK');
select is_empty($$
    select t.table_name from all_tables t
    join all_columns c on c.attrelid = t.oid and c.attname = 'phone_input'
    where not exists (
        select from pg_trigger g
        where g.tgrelid = t.oid and g.tgfoid = 'switchboard.normalize_phone()'::regprocedure and g.tgenabled in ('O', 'A')
    )
$$, 'and a trigger that normalizes what is written');
select is_empty($$
    select c.table_name, c.attname from all_columns c
    join all_tables t on t.oid = c.attrelid
    join (values
        ('email', 'is_email'), ('provider', 'is_provider'), ('timezone', 'is_time_zone'), ('sending_timezone', 'is_time_zone')
    ) as r (column_name, rule) on r.column_name = c.attname
    -- A copy of what Supabase Auth accepted.
    where c.table_name <> 'profiles' and not exists (
        select from pg_constraint k
        where k.conrelid = c.attrelid and k.contype = 'c'
            and pg_get_constraintdef(k.oid) ~ format('private\.%s\(%s\)', r.rule, c.attname)
    )
$$, 'e-mail addresses, providers and time zones have one rule each');

-- Comments and other objects.
select is_empty($$
    select n.nspname, c.relname from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private') and c.relkind in ('r', 'p', 'v', 'm', 'f')
        and obj_description(c.oid, 'pg_class') is null
$$, 'every table and view has a comment');
select is_empty($$
    select i.indexrelid::regclass from pg_index i
    join all_tables t on t.oid = i.indrelid
    where not i.indisprimary and obj_description(i.indexrelid, 'pg_class') is null
$$, 'every index says which query it serves');
select is_empty($$
    select pg_describe_object(d.classoid, d.objoid, d.objsubid), length(d.description)
    from pg_description d
    cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as o
    where (o.schema in ('public', 'private', 'switchboard') or o.name in ('private', 'switchboard'))
        and length(d.description) > 400
$$, 'a comment is one or two sentences and what it raises; docs/api has the rest');
select is_empty($$
    select c.oid::regclass from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'
        and not coalesce('security_invoker=true' = any (c.reloptions) or 'security_invoker=on' = any (c.reloptions), false)
$$, 'every view runs with the rights of its caller');
select is_empty($$
    select c.oid::regclass from pg_class c
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('m', 'f')
        -- It says what a restore had to change, to the owner only, and has no tenant's row.
        and c.oid <> 'private.restored'::regclass
$$, 'no materialized view and no foreign table, which know no row level security');
select is_empty($$
    select c.oid::regclass from pg_class c
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'v', 'S', 'p')
        and pg_get_userbyid(c.relowner) <> 'postgres'
$$, 'postgres owns every relation: definer functions and native code act as that owner');
select is_empty($$
    select d.objid::regclass from pg_depend d
    join pg_extension e on e.oid = d.refobjid and e.extname = 'switchboard'
    where d.deptype = 'e' and d.classid = 'pg_class'::regclass
$$, 'no table belongs to the extension: dropping it would drop the data');

select * from finish();
rollback;
