-- Parents with counters and a latest value, kept by track_counts; and beside them the same kept by S4's own trigger, word
-- for word but for the names: it counts anew for each row that is inserted or updated.
drop schema if exists storm cascade;
create schema storm;

create table storm.parents (
    id integer primary key, total integer not null default 0, active integer not null default 0,
    hot integer not null default 0, last_note text
);
create table storm.children (
    id bigint generated always as identity primary key, worker integer not null,
    parent_id integer references storm.parents (id) on delete cascade, status text, archived_at timestamptz, note text,
    sent_at timestamptz, key integer, unique (worker, key)
) ;
create index on storm.children (parent_id, sent_at);
create table storm.s4_parents (like storm.parents including all);
create table storm.s4_children (like storm.children including all);
insert into storm.parents (id) select generate_series(1, 20);
insert into storm.s4_parents (id) select generate_series(1, 20);

select switchboard.track_counts('storm.children', 'storm.parents', '{"parent_id": "id"}', '{
    "total": true, "active": "archived_at is null", "hot": "status = ''HOT''",
    "last_note": {"value": "note", "by": "sent_at", "where": "status = ''HOT''"}}');

create function storm.update_dataset_stats() returns trigger
    language plpgsql
as $$
begin
    update storm.s4_parents set
        total = (select count(*) from storm.s4_children where parent_id = new.parent_id),
        active = (select count(*) from storm.s4_children where parent_id = new.parent_id and archived_at is null),
        hot = (select count(*) from storm.s4_children where parent_id = new.parent_id and status = 'HOT')
    where id = new.parent_id;
    return new;
end;
$$;
create trigger update_dataset_stats after insert or update on storm.s4_children
    for each row execute function storm.update_dataset_stats();
