-- How the resolver reads its tables: by three indexes and columns that it knows by name (src/tenant/caller.rs). A renamed
-- one must not go unnoticed, and nothing that migrations do to them may give somebody more than before.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
set constraints all immediate;

create function tests.right() returns boolean
    language sql volatile
as $$
    select switchboard.organization_for('leads.write') is not distinct from tests.id('a')
        and switchboard.organization_for('leads.write') is not null
        and switchboard.organization_ids() = array[tests.id('a')]
$$;
grant execute on function tests.right() to authenticated;
-- As a member who names no organization, so that the profile is read as well; each transaction or change of settings is
-- a new request.
create function tests.asked() returns boolean
    language plpgsql
as $$
declare
    answer boolean;
begin
    perform tests.as_user('a.admin');
    answer := tests.right();
    perform tests.as_owner();
    return answer;
end;
$$;

create temporary table read_by (name text primary key, of text);
insert into read_by values
    ('memberships_user_id_idx', 'memberships'), ('organizations_pkey', 'organizations'), ('profiles_pkey', 'profiles');
create function tests.scans() returns table (name text, by_index bigint, whole bigint)
    language sql volatile
as $$
    select name, pg_stat_get_xact_numscans(format('public.%I', name)::regclass),
        pg_stat_get_xact_numscans(format('public.%I', of)::regclass)
    from read_by
$$;
create temporary table before as select * from tests.scans();
select ok(tests.asked(), 'a member''s organization');
select results_eq(
    'select name, a.by_index > b.by_index, a.whole - b.whole from tests.scans() a join before b using (name) order by name',
    'select name, true, 0::bigint from read_by order by name',
    'is found by the indexes, and no table is read whole'
);

-- Without an index, or with one that only has its name, the answer takes longer and is the same.
alter index public.memberships_user_id_idx rename to renamed;
select ok(tests.asked(), 'the same without the index');
select cmp_ok(
    pg_stat_get_xact_numscans('public.memberships'::regclass), '>', (select whole from before where name = 'memberships_user_id_idx'),
    'which reads the whole table'
);
create index memberships_user_id_idx on public.memberships (user_id) where role = 'owner';
select ok(tests.asked(), 'the same beside an index of a part of the rows');
drop index public.memberships_user_id_idx;
create index memberships_user_id_idx on public.memberships (organization_id);
select ok(tests.asked(), 'the same beside an index of another column');
drop index public.memberships_user_id_idx;
create index memberships_user_id_idx on public.memberships using hash (user_id);
select ok(tests.asked(), 'the same beside an index of another kind');
drop index public.memberships_user_id_idx;
create index memberships_user_id_idx on public.profiles (id);
select ok(tests.asked(), 'the same beside an index of another table');
drop index public.memberships_user_id_idx;
alter index public.renamed rename to memberships_user_id_idx;
select ok(tests.asked(), 'and with the index again');

-- A column that is not there gives nothing; one that came back under another number is read.
alter table public.memberships drop column expires_at cascade;
select ok(not tests.asked(), 'without expires_at no membership is in force');
alter table public.memberships add column expires_at timestamptz;
select ok(tests.asked(), 'a column is found by its name');
update public.memberships set expires_at = now() - interval '1 second' where user_id = tests.id('a.admin');
select ok(not tests.asked(), 'and what it says counts');
alter table public.memberships drop column expires_at;
alter table public.memberships add column expires_at text;
select ok(not tests.asked(), 'with another type than it had nothing is in force');
alter table public.memberships drop column expires_at;
alter table public.memberships add column expires_at timestamptz;
select ok(tests.asked(), 'and with its own again everything is');
alter table public.memberships rename to gone;
select ok(not tests.asked(), 'without the table nobody belongs anywhere');
create view public.memberships as select * from public.gone;
select ok(not tests.asked(), 'nor with a view in its place');
drop view public.memberships;
alter table public.gone rename to memberships;

-- Row level security is for others.
alter table public.memberships force row level security;
alter table public.organizations force row level security;
alter table public.profiles force row level security;
select ok(tests.asked(), 'the resolver needs no policy');

select * from finish();
rollback;
