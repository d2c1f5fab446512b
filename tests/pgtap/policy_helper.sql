-- private.add_tenant_policies: one line gives a table its four policies, and a line that asks for a
-- capability nobody can hold fails when it is applied, not when somebody is refused.
begin;
\ir _helpers.psql
select no_plan();

create table public.notes (
    organization_id uuid not null references public.organizations (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    dataset_id uuid,
    assigned_to uuid,
    primary key (organization_id, id)
);
create function tests.helper(arguments text) returns jsonb
    language sql
as $$
    select tests.refusal(format('select private.add_tenant_policies(''public.notes'', %s)', arguments))
$$;

select is(tests.helper($$ 'leads' $$), '{}', 'capabilities that exist');
select is(r.answer ->> 'sqlstate', '22023', format('%s: refused', r.arguments)) from (
    select arguments, tests.helper(arguments) as answer
    from unnest(array[
        $$ 'notes' $$, $$ 'lead' $$, $$ 'Leads' $$, $$ '' $$, $$ 'leads.read' $$, $$ 'leads', '{truncate}' $$,
        $$ 'agents', own => 'assigned_to' $$, $$ 'analytics' $$
    ]) as arguments
) as r;
select is(
    tests.helper($$ 'notes', '{delete}' $$) ->> 'message',
    'the policies of public.notes would ask for notes.read, notes.write, which nobody can hold',
    'the message names what is missing'
);
select is(tests.helper($$ 'calls', '{insert}' $$) ->> 'message',
    'the policies of public.notes would ask for calls.write, which nobody can hold',
    'update alone asks for write too');
select is(tests.helper($$ 'calls', '{insert,update}' $$), '{}', 'what is denied needs no capability');
select is(tests.helper($$ 'prompts', '{insert,update,delete,select}' $$), '{}', 'nor does a table of no verb');
select is(tests.helper($$ 'leads', dataset => 'nothing' $$) ->> 'sqlstate', '42703', 'a scope column must be there');

-- What it makes.
select private.add_tenant_policies('public.notes', 'leads', '{delete}', dataset => 'dataset_id', own => 'assigned_to');
select results_eq(
    $$ select policyname::text collate "default", cmd, roles::text[] collate "default", permissive,
            qual is not null, with_check is not null
        from pg_policies where tablename = 'notes' order by cmd $$,
    $$ values
        ('notes_delete', 'DELETE', '{authenticated}'::text[], 'PERMISSIVE', true, false),
        ('notes_insert', 'INSERT', '{authenticated}', 'PERMISSIVE', false, true),
        ('notes_select', 'SELECT', '{authenticated}', 'PERMISSIVE', true, false),
        ('notes_update', 'UPDATE', '{authenticated}', 'PERMISSIVE', true, true) $$,
    'four policies, to authenticated, each with the side that its verb has'
);
select is((select qual from pg_policies where policyname = 'notes_delete'), 'false', 'a denied verb is false');
select ok((select relrowsecurity and relforcerowsecurity from pg_class where oid = 'public.notes'::regclass),
    'row level security is enabled and forced');
select is(
    tests.attempt($$ select private.add_tenant_policies('public.notes', 'leads') $$), '42710', 'twice is refused');

-- They hold: the table is open to its own tenant alone, in scope, own rows alone.
grant select, insert, update, delete on public.notes to authenticated;
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
insert into public.notes (organization_id, dataset_id, assigned_to) values
    (tests.id('a'), tests.id('a.dataset'), null),
    (tests.id('a'), tests.id('a.dataset'), tests.id('a.sales_rep')),
    (tests.id('a'), null, tests.id('a.sales_rep')),
    (tests.id('b'), tests.id('b.dataset'), null);
select tests.as_user('a.owner');
select is(tests.attempt('select 1 from public.notes'), '3 rows', 'the owner sees all of the tenant');
select is(tests.attempt('delete from public.notes'), '0 rows', 'and deletes none');
select tests.as_user('a.sales_rep');
select is(tests.attempt('select 1 from public.notes'), '2 rows', 'a sales_rep sees the own ones');
select is(tests.attempt('update public.notes set assigned_to = null'), '42501', 'and gives none away');
select tests.as_owner();
update public.memberships set allowed_dataset_ids = array[tests.id('a.dataset')] where user_id = tests.id('a.sales_rep');
select tests.as_user('a.sales_rep');
select is(tests.attempt('select 1 from public.notes'), '1 row', 'and with a scope those of its datasets');

select * from finish();
rollback;
