-- The native phone functions against the shared vectors and the reference library's verdicts, and fuzzed: no text,
-- however broken, raises an error, for one bad cell would abort the import of a thousand good ones.
begin;
\ir _helpers.psql
select no_plan();

\set cases `cat tests/vectors/phones.json`
create temporary table vectors as
    select * from jsonb_to_recordset(:'cases') as v (
        input text, region text, require_international boolean, e164 text, validity text, reason text,
        calling_code integer, number_region text, type text, extension text
    );
select cmp_ok((select count(*) from vectors), '>', 60::bigint, 'the vectors are there');
select is_empty($$
    select v.input, v.region, p from vectors v
    -- Requiring a country code is what parse_phone does without a region.
    cross join lateral switchboard.parse_phone(v.input, case when v.require_international then null else v.region end) as p
    where p is distinct from row(v.e164, v.calling_code, v.number_region, v.type, v.validity, v.extension, v.reason)
$$, 'parse_phone answers every vector');

create temporary table sample (
    input text, region text, e164 text, possible boolean, valid boolean, category text
);
\copy sample from 'tests/vectors/phone_sample.tsv' with (format csv, delimiter E'\t', quote E'\b', header)
select cmp_ok((select count(*) from sample), '>', 11900::bigint, 'the sample is there');
select is_empty($$
    select input, region, e164, possible, valid from sample
    where category not in ('panic_rlib_2_2_15', 'not_idempotent_in_reference', 'fuzz_rlib_2_2_15_differs')
        and (
            switchboard.to_e164(input, region) is distinct from case when possible then e164 end
            or switchboard.phone_is_valid(input, region) is distinct from valid
        )
$$, 'to_e164 and phone_is_valid agree with libphonenumber on every row');
select is_empty($$
    select distinct e164 from sample
    where possible and valid and switchboard.is_e164(e164)
        and (
            switchboard.to_e164(e164, 'US') is distinct from e164
            or not switchboard.phone_is_valid(e164)
            or switchboard.phone_type(e164) = 'unknown'
            or e164 not like '+' || switchboard.phone_calling_code(e164) || '%'
            or switchboard.to_e164(switchboard.phone_format(e164, 'international'), null) is distinct from e164
            or switchboard.to_e164(switchboard.phone_format(e164, 'rfc3966'), null) is distinct from e164
            or switchboard.phone_region(e164) <> '001'
                and switchboard.to_e164(switchboard.phone_format(e164, 'national'), switchboard.phone_region(e164)) is distinct from e164
        )
$$, 'a valid number is itself in every region, and reads back from every style');

-- Fuzzing. The seed is printed so that a failure can be repeated.
select floor(random() * 1e9)::integer / 1e9 as seed \gset
select diag('seed ' || :'seed');
select setseed(:seed);

-- A text cut, doubled, spliced and sprinkled with what phone cells and parsers choke on.
create function tests.mutated(text text) returns text
    language plpgsql volatile
as $$
declare
    pieces constant text[] := array[
        '+', '++', '0', '00', '011', '(0)', '44', '1', '49', '999', ' ', '-', '–', '/', '(', ')', '.', ',', ';', ',,', '*', '#', '~', '!',
        'x', 'ext', ' ext. ', ';ext=', 'tel:', ';phone-context=', ';phone-context=+44', ';isub=', 'доб', 'O', 'e+09', '7.7E+09', '=', '''', '"',
        E'\u00a0', E'\u200b', E'\u202e', E'\ufeff', E'\u0301', '＋', '４', '٤', '४', '𝟜', '½', '²', 'ß', '電', '😀', E'\\', '%', E'\n', E'\t',
        E'\u0001', E'\uffff', '0000000000000000000000000000000000000000', repeat('9', 260), repeat('(', 100)
    ];
    at integer;
begin
    for _ in 1 .. 1 + floor(random() * 4)::integer loop
        at := floor(random() * (length(text) + 1))::integer;
        text := case floor(random() * 6)::integer
            when 0 then overlay(text placing '' from at + 1 for 1)
            when 1 then left(text, at)
            when 2 then substr(text, at + 1)
            when 3 then text || text
            else overlay(text placing pieces[1 + floor(random() * cardinality(pieces))::integer] from at + 1 for 0)
        end;
    end loop;
    return text;
end;
$$;
-- What is wrong with the answers to a text; NULL when nothing is.
create function tests.complaint(input text, region text) returns text
    language plpgsql
as $$
declare
    e164 text := switchboard.to_e164(input, region);
    parsed record;
    number text;
begin
    select * into strict parsed from switchboard.parse_phone(input, region);
    foreach number in array array[input, e164, parsed.e164] loop
        perform switchboard.is_e164(number), switchboard.phone_is_valid(number, region), switchboard.phone_region(number),
            switchboard.phone_type(number), switchboard.phone_calling_code(number),
            switchboard.phone_format(number, 'national'), switchboard.phone_format(number, 'international'),
            switchboard.phone_format(number, 'rfc3966');
    end loop;
    return case
        when (parsed.e164 is null) <> (parsed.validity = 'invalid') then 'an invalid number has no E.164 form, any other has one'
        when (parsed.reason is null) <> (parsed.validity in ('valid', 'test_range')) then 'a reason is given where there is a fault'
        when parsed.e164 is not null and not switchboard.is_e164(parsed.e164) then 'parse_phone answers in E.164'
        when switchboard.phone_is_valid(input, region) and not switchboard.is_e164(e164) then 'a valid number has an E.164 form'
        when switchboard.is_e164(e164) and switchboard.to_e164(e164, region) <> e164 then 'to_e164 leaves E.164 alone'
        when switchboard.is_e164(input) and e164 is distinct from input then 'E.164 in, the same out'
    end;
exception
    when others then
        return sqlstate || ' ' || sqlerrm;
end;
$$;
select is_empty($$
    select input, region, complaint from (
        select s.input, s.region, tests.complaint(s.input, s.region) as complaint
        from (
            select tests.mutated(input) as input,
                (array[region, null, 'GB', 'US', 'DE', 'IT', 'BY', 'MX', 'CN', '', 'XX', '😀'])[1 + floor(random() * 12)::integer] as region
            from sample order by random() limit 12000
        ) as s
    ) as fuzzed where complaint is not null
$$, '12,000 damaged numbers: no error, and answers that agree with each other');
select is_empty($$
    select input, complaint from (
        select s.input, tests.complaint(s.input, 'GB') as complaint
        from (
            select string_agg(chr(case when random() < 0.7 then 32 + floor(random() * 95)::integer else 161 + floor(random() * 12000)::integer end), '') as input
            from generate_series(1, 3000) as n, generate_series(1, 1 + n % 40) as c
            group by n
        ) as s
    ) as fuzzed where complaint is not null
$$, '3,000 random texts: the same');

-- The trigger: a bad cell is 22023 and nothing else, a good one is E.164.
create table tests.cells (n integer primary key, country text, number text, given text);
create trigger normalize_phone before insert on tests.cells
    for each row execute function switchboard.normalize_phone('number', 'given', 'column:country');
create function tests.stored(n integer, input text, region text) returns text
    language plpgsql
as $$
declare
    found text;
begin
    insert into tests.cells values (n, region, input, null) returning number into strict found;
    return case
        when switchboard.is_e164(found) then null
        else 'stored ' || found
    end;
exception
    when invalid_parameter_value then
        return case when sqlerrm not like 'number is not a phone number: %' then sqlerrm end;
    when others then
        return sqlstate || ' ' || sqlerrm;
end;
$$;
select is_empty($$
    select input, region, complaint from (
        select s.*, tests.stored(s.n::integer, s.input, s.region) as complaint
        from (
            select row_number() over () as n, tests.mutated(input) as input,
                (array[region, null, 'GB', 'US', 'DE', 'AR', 'BY', '', 'XX', '😀'])[1 + floor(random() * 10)::integer] as region
            from (select * from sample order by random() limit 4000) as chosen
            union all
            select 4000 + g, (select string_agg(chr(1 + floor(random() * 700)::integer), '') from generate_series(1, 1 + g % 30) where g > 0), 'GB'
            from generate_series(1, 1000) as g
        ) as s
    ) as fuzzed where complaint is not null
$$, '5,000 damaged cells through the trigger: E.164 or 22023');
select cmp_ok((select count(*) from tests.cells), '>', 100::bigint, 'not all of them are refused');

\set zones `cat src/core/examples/phone_automaton/time_zones.txt`
create temporary table zones as
    select distinct name
    from regexp_split_to_table(:'zones', e'\n') as line, regexp_split_to_table(split_part(line, e'\t', 2), ' ') as name
    where line like '%/%' and line not like '#%';
select cmp_ok((select count(*) from zones), '>', 280::bigint, 'the map''s time zones are there');
select is_empty($$
    select name from zones
    where not private.is_time_zone(name) or name not in (select z.name from pg_timezone_names as z)
$$, 'PostgreSQL knows every time zone that phone_time_zones names, and private.is_time_zone allows it');

select * from finish();
rollback;
