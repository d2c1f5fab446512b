-- The trigger maintain_counts on tables of its own: deltas, untouched parents, predicates, and declarations
-- that it refuses.
\set VERBOSITY terse
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on
\pset null (null)
begin;
create table public.regress_parents (
    tenant integer, id integer, total integer not null default 0, "hot ones" bigint not null default 0, mixed integer not null default 0,
    primary key (tenant, id)
);
create table public.regress_children (tenant integer, parent integer, status text, done boolean, score integer, "odd name" text);
\set arguments '\'public.regress_parents\', \'{"tenant": "tenant", "parent": "id"}\', \'{"total": true, "hot ones": "status = \'\'HOT\'\'", "mixed": "(status in (\'\'HOT\'\', \'\'it\'\'\'\'s\'\') or score is null) and not done and \\"odd name\\" <> \'\'x\'\'"}\''
create trigger count_insert after insert on public.regress_children referencing new table as new_rows
    for each statement execute function switchboard.maintain_counts(:arguments);
create trigger count_update after update on public.regress_children referencing old table as old_rows new table as new_rows
    for each statement execute function switchboard.maintain_counts(:arguments);
create trigger count_delete after delete on public.regress_children referencing old table as old_rows
    for each statement execute function switchboard.maintain_counts(:arguments);
create trigger count_truncate after truncate on public.regress_children
    for each statement execute function switchboard.maintain_counts(:arguments);

insert into public.regress_parents (tenant, id) values (1, 1), (1, 2), (2, 1);
insert into public.regress_children values
    (1, 1, 'HOT', false, 1, 'y'), (1, 1, 'it''s', false, 1, 'y'), (1, 1, 'COLD', false, null, 'y'), (1, 1, 'HOT', true, 1, 'y'),
    (1, 1, 'HOT', null, 1, 'y'), (1, 1, 'HOT', false, 1, 'x'), (1, 1, 'HOT', false, 1, null),
    (2, 1, 'HOT', false, 1, 'y'), (1, null, 'HOT', false, 1, 'y'), (null, 1, 'HOT', false, 1, 'y'), (9, 9, 'HOT', false, 1, 'y');
table public.regress_parents order by tenant, id;
-- As a recount. A column that is NULL is not true and matches no literal; not makes it true.
select p.tenant, p.id, (p.total, p."hot ones", p.mixed) = (
    count(c.*), count(*) filter (where c.status = 'HOT'),
    count(*) filter (where (c.status in ('HOT', 'it''s') or c.score is null) and c.done is not true and c."odd name" <> 'x')) as as_recounted
from public.regress_parents p
left join public.regress_children c on c.tenant = p.tenant and c.parent = p.id
group by p.tenant, p.id order by p.tenant, p.id;

-- Moves; out of and into nowhere.
update public.regress_children set parent = 2 where tenant = 1 and parent = 1 and status = 'HOT';
update public.regress_children set parent = 1 where parent is null;
update public.regress_children set tenant = null where tenant = 2;
table public.regress_parents order by tenant, id;

-- A parent whose counters stay is not written.
create temporary table before as select ctid as place, tenant, id from public.regress_parents;
update public.regress_children set score = 2 where score = 1;
update public.regress_children set status = case status when 'it''s' then 'it''s' else status end;
delete from public.regress_children where false;
select p.tenant, p.id, p.ctid = b.place as same_row from public.regress_parents p join before b using (tenant, id) order by tenant, id;

delete from public.regress_children where parent = 2;
table public.regress_parents order by tenant, id;
truncate public.regress_children;
table public.regress_parents order by tenant, id;

-- The parents are written with the right of the table's owner, under any search_path.
create role regress_writer;
grant insert on public.regress_children to regress_writer;
set local role regress_writer;
set local search_path = '';
insert into public.regress_children (tenant, parent) values (1, 1);
reset role;
reset search_path;
table public.regress_parents order by tenant, id;

-- Arguments that are no specification, one trigger each.
create table public.regress_bad (id integer, status text, n integer);
create procedure public.regress_try(arguments text)
    language plpgsql
as $$
begin
    execute 'create trigger bad after insert on public.regress_bad referencing new table as new_rows
        for each statement execute function switchboard.maintain_counts(' || arguments || ')';
    begin
        insert into public.regress_bad values (1, 'HOT', 1);
        raise info '% accepted', arguments;
    exception
        when others then
            raise info '% % %', sqlstate, arguments, sqlerrm;
    end;
    drop trigger bad on public.regress_bad;
end;
$$;
call public.regress_try($$$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}'$$);
call public.regress_try($$'regress_parents', '{"id": "id"}', '{"total": true}'$$);
call public.regress_try($$'public.regress_parents', '[]', '{"total": true}'$$);
call public.regress_try($$'public.regress_parents', '{}', '{"total": true}'$$);
call public.regress_try($$'public.regress_parents', '{"id": 7}', '{"total": true}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": false}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": ""}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": "status = "}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": "status = ''HOT"}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": "lower(status) = ''hot''"}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": "status = (select 1)"}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": "true; drop table public.regress_bad"}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": "status = ''x'' -- "}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": "status like ''H%''"}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": "n = 1"}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"total": "status is not null"}'$$);
call public.regress_try($$'public.no_such', '{"id": "id"}', '{"total": true}'$$);
call public.regress_try($$'public.regress_parents', '{"no_such": "id"}', '{"total": true}'$$);
call public.regress_try($$'public.regress_parents', '{"id": "id"}', '{"no_such": true}'$$);

-- Declarations that it refuses.
create trigger bad after insert on public.regress_bad for each row execute function switchboard.maintain_counts('public.regress_parents', '{"id": "id"}', '{"total": true}');
insert into public.regress_bad values (1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
drop trigger bad on public.regress_bad;
create trigger bad after insert on public.regress_bad referencing new table as mine for each statement
    execute function switchboard.maintain_counts('public.regress_parents', '{"id": "id"}', '{"total": true}');
insert into public.regress_bad values (1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
drop trigger bad on public.regress_bad;
create trigger bad after insert on public.regress_bad for each statement
    execute function switchboard.maintain_counts('public.regress_parents', '{"id": "id"}', '{"total": true}');
insert into public.regress_bad values (1);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
rollback;
