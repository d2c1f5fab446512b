-- Every kind of person against the rows of a tenant that is not theirs: each role of another tenant, a member of two
-- others, a suspended and a stranger, anon and server code; naming nothing, their own organization, or the attacked
-- one. Every table, every verb, and the shapes of statement in which a filter could get lost.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
select tests.make_tenant('c', 803);
select tests.make_user('m.both'), tests.make_user('m.suspended'), tests.make_user('n.nobody');
insert into public.memberships (organization_id, user_id, role, status) values
    (tests.id('a'), tests.id('m.both'), 'admin', 'active'), (tests.id('c'), tests.id('m.both'), 'owner', 'active'),
    (tests.id('b'), tests.id('m.suspended'), 'owner', 'suspended');

-- The statements, by table: $t is its name, $i the column with its tenant, $w a condition that only rows of b meet,
-- $n an insert for b with the columns $c and the values $v, $u an update.
create temporary table shapes (verb text, title text, statement text, primary key (verb, title));
insert into shapes values
    ('select', 'plain', 'select $i from $t where $w'),
    ('select', 'or', 'select $i from $t where $w or $w'),
    ('select', 'not own', 'select $i from $t where $i <> all (array[''$a'', ''$d'']::uuid[])'),
    ('select', 'subquery', 'select 1 from (select * from (select $i as x from $t) as s where x = ''$b'') as o'),
    ('select', 'materialized', 'with s as materialized (select $i as x from $t) select x from s where x = ''$b'''),
    ('select', 'joined with itself', 'select l.$i from $t l left join $t r on r.$i = ''$b'' where l.$i = ''$b'' or r.$i = ''$b'''),
    ('select', 'lateral', 'select s.$i from (values (''$b''::uuid)) as v (x), lateral (select $i from $t where $i = v.x) as s'),
    ('select', 'set operation', 'select $i from $t where $w except select null::uuid'),
    ('select', 'window', 'select x from (select $i as x, count(*) over () from $t) as s where x = ''$b'''),
    ('select', 'grouped', 'select $i, count(*) from $t group by rollup ($i) having $i = ''$b'''),
    ('select', 'sampled', 'select $i from $t tablesample bernoulli (100) where $w'),
    ('select', 'locked', 'select $i from $t where $w for update'),
    ('select', 'a filter that tells', 'select $i from $t where $i = ''$b'' and (1 / (case when $i = ''$b'' then 0 else 1 end)) is null'),
    ('update', 'plain', '$u where $w'),
    ('update', 'joined', '$u from (values (''$b''::uuid)) as v (x) where $i = v.x'),
    ('delete', 'plain', 'delete from $t where $w'),
    ('delete', 'using itself', 'delete from $t as l using $t as r where l.$i = ''$b'' and r.$i = l.$i'),
    ('insert', 'plain', '$n'),
    ('insert', 'from a query', 'insert into $t ($i, $c) select ''$b'', $v'),
    ('insert', 'on conflict', '$n on conflict do nothing'),
    ('insert', 'batch', 'insert into $t ($i, $c) values (''$b'', $v), (''$b'', $v)'),
    ('insert', 'in a common table expression', 'with n as ($n returning 1) select * from n');

create temporary view statements as
    select t.name, s.verb, s.title,
        replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(s.statement,
            '$n', tests.statement('insert', t.name, 'b')),
            '$u', format('update public.%I set %s', t.name, t.change)),
            '$t', format('public.%I', t.name)),
            '$c', t.insert_columns),
            '$v', replace(t.insert_values, '$t', 'b')),
            '$w', format('%I = ''$b''', t.tenant_column)),
            '$i', quote_ident(t.tenant_column)),
            '$a', tests.id('a')::text),
            '$b', tests.id('b')::text),
            '$d', tests.id('c')::text) as statement
    from tests.tenant_tables t cross join shapes s;
create temporary table tries as select * from statements;
grant select on tries to anon, authenticated, service_role;

-- An attack's statement that is malformed refuses itself: what b's own owner gets tells them apart.
select tests.as_user('b.owner');
create temporary table control as select name, verb, title, tests.attempt(statement) as outcome from tries;
select is_empty($$
    select name, verb, title, outcome from control
    where outcome !~ ' rows?$' and outcome not in ('42501', '22012', '23503', '23505')
$$, 'every statement is one that PostgreSQL understands');
select is_empty($$
    select c.name, c.verb, c.title, c.outcome from control c
    where c.verb = 'select' and c.title not in ('a filter that tells', 'locked') and c.outcome !~ '^[1-9]'
$$, 'and b''s owner sees rows with each of the selects');
select tests.as_owner();

create function tests.reached() returns table (name text, verb text, title text, outcome text)
    language sql
as $$
    select t.name, t.verb, t.title, o.outcome
    from tries t cross join lateral tests.attempt(t.statement) as o (outcome)
    where o.outcome not in ('0 rows', '42501')
$$;
grant execute on all functions in schema tests to anon, authenticated, service_role;

create temporary table people (who text primary key, person text, organization text, claims jsonb default '{}');
insert into people (who, person, organization)
select format('%s of a%s', r, coalesce(', naming ' || o, '')), 'a.' || r, o
from unnest(array['owner', 'admin', 'manager', 'sales_rep', 'viewer']) as r, unnest(array[null, 'a', 'b']) as o;
insert into people (who, person, organization)
select format('%s%s', p, coalesce(', naming ' || o, '')), p, o
from unnest(array['m.both', 'm.suspended', 'n.nobody']) as p, unnest(array[null, 'a', 'b', 'c']) as o;
insert into people (who, person, organization, claims) values
    ('owner of a with b in app_metadata', 'a.owner', null,
        jsonb_build_object('app_metadata', jsonb_build_object('active_organization_id', tests.id('b')))),
    ('owner of a with b in user_metadata', 'a.owner', null,
        jsonb_build_object('user_metadata', jsonb_build_object('active_organization_id', tests.id('b'), 'role', 'service_role')));
grant select on people to authenticated;

create function tests.reached_by(of_who text) returns setof text
    language plpgsql
as $$
declare
    p people;
begin
    select * into p from people where who = of_who;
    perform tests.as_user(p.person, p.organization, p.claims);
    return query
        select format('%s %s (%s): %s', r.verb, r.name, r.title, r.outcome) from tests.reached() r
        -- Their own row tells a suspended member why nothing else is left.
        where not (p.person = 'm.suspended' and r.name = 'memberships' and r.verb = 'select');
end;
$$;
grant execute on all functions in schema tests to anon, authenticated, service_role;
select is_empty(format('select * from tests.reached_by(%L)', who), format('%s: no statement reaches a row of b', who))
    from (select who from people order by who) as p;
select tests.as_anon();
select is_empty('select * from tests.reached()', 'anon: no statement reaches a row of b');

-- The suspended member's exception, exactly.
select tests.as_user('m.suspended');
select results_eq('select organization_id, user_id from public.memberships',
    format('values (%L::uuid, %L::uuid)', tests.id('b'), tests.id('m.suspended')), 'a suspended member reads the own membership only');

-- Rows stayed as they were: what was tried was undone, and a rule that fires later would have shown.
select tests.as_owner();
select is((select count(*)::integer from people), 29, 'twenty-nine kinds of people');
select cmp_ok((select count(*)::integer from tries), '>=', 15 * 22, 'twenty-two statements for each table');

select * from finish();
rollback;
