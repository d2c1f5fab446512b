-- The functions that need no key: the shape of an envelope, its hint, and the CHECK that raises. Cases from
-- tests/vectors/credential_envelopes.json.
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset null (null)
\set vectors `cat "$PG_ABS_SRCDIR"/../vectors/credential_envelopes.json`
create temporary table envelopes as
    select n, e ->> 'name' as name, (e ->> 'envelope')::jsonb as envelope
    from jsonb_array_elements(:'vectors'::jsonb -> 'envelopes') with ordinality as v (e, n);
select n, switchboard.is_sealed(envelope), switchboard.assert_sealed(envelope), switchboard.credential_hint(envelope) from envelopes order by n;

-- What an envelope is not.
create procedure pg_temp.try(value jsonb)
    language plpgsql
as $$
begin
    perform switchboard.assert_sealed(value);
    raise info '% accepted', value;
exception
    when others then
        raise info '% % sealed: %', sqlstate, sqlerrm, switchboard.is_sealed(value);
end;
$$;
do $$
declare
    one jsonb := (select envelope from envelopes order by n limit 1);
    change jsonb;
    part text;
begin
    foreach change in array array['{"alg": "none"}', '{"alg": null}', '{"tv": 0}', '{"tv": "1"}', '{"tv": 1.5}', '{"tv": 99999999999}', '{"$sealed": 2}', '{"$sealed": true}',
        '{"s": "short"}', '{"k": 1}', '{"c": ""}', '{"c": "!!!!!!!!!!!!!!!!!!!!!!!!"}', '{"m": []}', '{"m": {"authToken": "canary"}}', '{"m": {"a b": "set"}}',
        '{"r": {"authToken": "x"}}', '{"extra": "canary"}']::jsonb[] loop
        call pg_temp.try(one || change);
    end loop;
    foreach part in array array['$sealed', 'alg', 'tv', 's', 'k', 'c', 'm', 'r'] loop
        call pg_temp.try(one - part);
    end loop;
end;
$$;
call pg_temp.try('{}');
call pg_temp.try('null');
call pg_temp.try('[]');
call pg_temp.try('"text"');
call pg_temp.try('1');
call pg_temp.try('{"authToken": "canary"}');
call pg_temp.try('{"$sealed": 1}');

-- NULL is NULL, so a CHECK passes it.
select switchboard.is_sealed(null), switchboard.assert_sealed(null), switchboard.credential_hint(null);

-- hint refuses what is no envelope, without repeating it.
select switchboard.credential_hint('{"authToken": "canary"}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
