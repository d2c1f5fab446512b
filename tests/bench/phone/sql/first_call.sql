-- The first and the second call in this backend, in microseconds. plpgsql is warm: the expression is all that is new.
do $$ begin perform upper('x'), clock_timestamp(); end $$;
create temporary table took (n serial, us numeric);
select format($$
    do $do$
    declare
        started timestamptz;
    begin
        for _ in 1 .. 2 loop
            started := clock_timestamp();
            perform %s;
            insert into took (us) values (extract(epoch from clock_timestamp() - started) * 1e6);
        end loop;
    end
    $do$
$$, :'expression') \gexec
select format('%s (%s)', round((select us from took where n = 1)), round((select us from took where n = 2)));
