-- A dataset's counters are always what a recount would give: after every kind of statement, after a
-- savepoint that is rolled back, and whoever writes.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.second'), 'Second list');

-- total/active/hot/converted of a's two datasets, as stored; and what differs from a recount, anywhere.
create function tests.counters() returns text
    language sql
as $$
    select string_agg(format('%s/%s/%s/%s', total_leads, active_leads, hot_leads, converted_leads), ' ' order by name)
    from public.datasets where organization_id = tests.id('a')
$$;
create temporary view wrong as
    select d.id, d.total_leads, c.*
    from public.datasets d
    cross join lateral (
        select count(*) as total, count(*) filter (where l.archived_at is null) as active,
            count(*) filter (where l.contact_status = 'HOT') as hot,
            count(*) filter (where l.contact_status = 'CONVERTED') as converted
        from public.leads l where l.organization_id = d.organization_id and l.dataset_id = d.id
    ) as c
    where (d.total_leads, d.active_leads, d.hot_leads, d.converted_leads) is distinct from (c.total, c.active, c.hot, c.converted);

create function tests.step(title text, statement text, expected text) returns setof text
    language plpgsql
as $$
begin
    execute statement;
    return next is(tests.counters(), expected, title);
    return next is_empty('select * from wrong', title || ': as a recount');
end;
$$;
grant execute on function tests.step(text, text, text), tests.counters() to authenticated;

select is(tests.counters(), '2/2/0/0 0/0/0/0', 'two leads in the first list');
select tests.step('insert of one', format($$
    insert into public.leads (organization_id, id, dataset_id, first_name, phone_number, contact_status) values (%L, %L, %L, 'L', '07700 900101', 'HOT')
$$, tests.id('a'), tests.id('l1'), tests.id('a.dataset')), '3/3/1/0 0/0/0/0');
select tests.step('insert of several into two lists', format($$
    insert into public.leads (organization_id, dataset_id, first_name, phone_number, contact_status) values
        (%1$L, %2$L, 'L', '07700 900102', 'CONVERTED'), (%1$L, %3$L, 'L', '07700 900103', 'HOT'), (%1$L, %3$L, 'L', '07700 900104', 'ARCHIVED')
$$, tests.id('a'), tests.id('a.dataset'), tests.id('a.second')), '4/4/1/1 2/1/1/0');
select tests.step('insert of none', $$
    insert into public.leads (organization_id, dataset_id, first_name, phone_number)
    select organization_id, dataset_id, first_name, phone_number from public.leads where false
$$, '4/4/1/1 2/1/1/0');
select tests.step('a change of status', format($$ update public.leads set contact_status = 'CONVERTED' where id = %L $$, tests.id('l1')), '4/4/0/2 2/1/1/0');
select tests.step('a move', format($$ update public.leads set dataset_id = %L where id = %L $$, tests.id('a.second'), tests.id('l1')), '3/3/0/1 3/2/1/1');
select tests.step('a move with a change of status', format($$ update public.leads set dataset_id = %L, contact_status = 'HOT' where id = %L $$,
    tests.id('a.dataset'), tests.id('l1')), '4/4/1/1 2/1/1/0');
select tests.step('leads that change places', format($$
    update public.leads set dataset_id = case dataset_id when %1$L then %2$L else %1$L end::uuid where organization_id = %3$L
$$, tests.id('a.dataset'), tests.id('a.second'), tests.id('a')), '2/1/1/0 4/4/1/1');
select tests.step('archiving', format($$ update public.leads set contact_status = 'ARCHIVED' where organization_id = %L and contact_status = 'READY' $$,
    tests.id('a')), '2/1/1/0 4/2/1/1');
select tests.step('back from the archive', format($$ update public.leads set contact_status = 'WARM' where organization_id = %L and contact_status = 'ARCHIVED' $$,
    tests.id('a')), '2/2/1/0 4/4/1/1');
select tests.step('an update of nothing that is counted', $$ update public.leads set notes = 'x' $$, '2/2/1/0 4/4/1/1');
select tests.step('an update of no row', $$ update public.leads set contact_status = 'HOT' where false $$, '2/2/1/0 4/4/1/1');
select tests.step('an upsert', format($$
    insert into public.leads (organization_id, dataset_id, first_name, phone_number) values (%1$L, %2$L, 'L', '+447700900103'), (%1$L, %2$L, 'L', '+447700900105')
    on conflict (organization_id, dataset_id, phone_number, dup_seq) do update set contact_status = 'CONVERTED'
$$, tests.id('a'), tests.id('a.dataset')), '3/3/0/1 4/4/1/1');
select tests.step('an insert that does nothing', format($$
    insert into public.leads (organization_id, dataset_id, first_name, phone_number) values (%1$L, %2$L, 'L', '+447700900103') on conflict do nothing
$$, tests.id('a'), tests.id('a.dataset')), '3/3/0/1 4/4/1/1');
select tests.step('MERGE', format($$
    merge into public.leads l using (values ('+447700900101'), ('+447700900106')) as v (phone) on l.organization_id = %1$L and l.phone_number = v.phone
    when matched then update set contact_status = 'CONVERTED'
    when not matched then insert (organization_id, dataset_id, first_name, phone_number, contact_status) values (%1$L, %2$L, 'L', v.phone, 'HOT')
$$, tests.id('a'), tests.id('a.dataset')), '4/4/1/1 4/4/0/2');
select tests.step('one statement that inserts, updates and deletes', format($$
    with gone as (delete from public.leads where phone_number = '+447700900106' returning 1),
        changed as (update public.leads set contact_status = 'HOT' where organization_id = %1$L and contact_status = 'CONVERTED' returning 1)
    insert into public.leads (organization_id, dataset_id, first_name, phone_number, contact_status) values (%1$L, %2$L, 'L', '07700 900107', 'CONVERTED')
$$, tests.id('a'), tests.id('a.second')), '3/3/1/0 5/5/2/1');
select tests.step('delete of some', format($$ delete from public.leads where organization_id = %L and contact_status = 'HOT' $$, tests.id('a')), '2/2/0/0 3/3/0/1');

-- Savepoints.
savepoint before;
insert into public.leads (organization_id, dataset_id, first_name, phone_number) values (tests.id('a'), tests.id('a.dataset'), 'L', '07700 900110');
delete from public.leads where dataset_id = tests.id('a.second');
select is(tests.counters(), '3/3/0/0 0/0/0/0', 'inside a savepoint');
rollback to savepoint before;
select is(tests.counters(), '2/2/0/0 3/3/0/1', 'rolled back');
select is_empty('select * from wrong', 'rolled back: as a recount');

-- Whoever writes: counters move by the table owner's right, the writer has none on them.
select tests.as_user('a.manager');
insert into public.leads (dataset_id, first_name, phone_number) values (tests.id('a.dataset'), 'L', '07700 900111');
select is((select total_leads from public.datasets where id = tests.id('a.dataset')), 3, 'a manager''s lead is counted');
select is(tests.attempt($$ update public.datasets set total_leads = 99 $$), '42501', 'and the counter is not the manager''s to write');
select is(tests.attempt($$ insert into public.datasets (name, total_leads) values ('X', 5) $$), '42501', 'nor to begin with');
select tests.as_user('a.sales_rep');
insert into public.leads (dataset_id, first_name, phone_number, assigned_to)
values (tests.id('a.dataset'), 'L', '07700 900112', tests.id('a.sales_rep'));
select is((select total_leads from public.datasets where id = tests.id('a.dataset')), 4, 'a sales_rep''s too, who may write no dataset');
select tests.as_owner();
select is_empty('select * from wrong', 'as a recount');

-- The other tenant is where it was; parents that go take their leads along.
select is((select total_leads from public.datasets where id = tests.id('b.dataset')), 2, 'the other tenant''s counters never moved');
select lives_ok(format('delete from public.datasets where organization_id = %L and id = %L', tests.id('a'), tests.id('a.second')),
    'a dataset goes with its leads');
select is_empty('select * from wrong', 'as a recount');

-- TRUNCATE empties all.
truncate public.leads cascade;
select is((select sum(total_leads + active_leads + hot_leads + converted_leads)::integer from public.datasets), 0, 'truncate counts to nothing, in every tenant');

select * from finish();
rollback;
