-- A statement over five hundred long texts, of which the counters look at each: the backend does not grow by them.
create table storm.letter_boxes (id integer primary key, n integer not null default 0, latest text);
create table storm.letters (box_id integer, at integer, body text);
create index on storm.letters (box_id, at);
insert into storm.letter_boxes values (1);
select switchboard.track_counts('storm.letters', 'storm.letter_boxes', '{"box_id": "id"}',
    '{"n": "body = ''x''", "latest": {"value": "body", "by": "at"}}');
insert into storm.letters select 1, i, repeat('long ', 80000) from generate_series(1, 500) as i;
do $$
declare
    v_before integer;
    v_after integer;
begin
    v_before := substring(pg_read_file('/proc/self/status') from 'VmHWM:\s+(\d+)');
    update storm.letters set at = at + 1;
    v_after := substring(pg_read_file('/proc/self/status') from 'VmHWM:\s+(\d+)');
    if v_after - v_before > 64 * 1024 then
        raise exception 'the backend grew by % kB', v_after - v_before;
    end if;
end;
$$;
