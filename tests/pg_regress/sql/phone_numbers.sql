-- Numbers as people type them. The expected values are those of tests/vectors/phones.json and of libphonenumber.
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset null (null)
select v.input, v.region, p.*
from (values
    (1, '07911 123456', 'GB'), (2, '+44 7911 123456', null), (3, '07700 900123', 'GB'), (4, '020 7183 8750 x12', 'GB'),
    (5, '+14155552671', 'GB'), (6, '4155551234', 'GB'), (7, '(202) 555-0143', 'US'), (8, '７９１１１２３４５６', 'GB'),
    (9, '7.7009E+09', 'GB'), (10, '07700900123/07911123456', 'GB'), (11, 'O7700900123', 'GB'), (12, '999', 'GB'),
    (13, '0791112345678901234', 'GB'), (14, '+999 123 4567', null), (15, '07911 123456', null), (16, '07911 123456', 'XX'),
    (17, '', 'GB'), (18, null, 'GB'), (19, 'tel:+44-7911-123456', null), (20, '*31#07911123456', 'GB')
) as v (n, input, region)
cross join lateral switchboard.parse_phone(v.input, v.region) as p
order by n;

-- to_e164 follows the reference library: also what is only possible; NULL for the rest, and never an error.
select left(input, 20) as input, region, switchboard.to_e164(input, region)
from (values
    (1, '07911 123456', 'GB'), (2, '07911 123456', 'gb'), (3, '4155551234', 'GB'), (4, '+4915722046781', 'US'),
    (5, '1-800-FLOWERS', 'US'), (6, '07911 123456', null), (7, null, 'GB'), (8, null, null), (9, 'x', 'GB'), (10, '', ''),
    (11, repeat('7', 10000), 'GB'), (12, 'tel:;phone-context=', 'GB'), (13, e'07911\u00a0123456', 'GB')
) as v (n, input, region)
order by n;

select number, switchboard.is_e164(number)
from (values
    (1, '+447911123456'), (2, '+44 7911 123456'), (3, '447911123456'), (4, '+4407911123456'), (5, '+12'), (6, ''), (7, null),
    (8, '+'), (9, '+999123456789'), (10, '＋447911123456'), (11, e'+447911123456\n'), (12, '+447700900123')
) as v (n, number)
order by n;

-- Canonical numbers are canonical again.
select count(*) filter (where switchboard.to_e164(p.e164, null) is distinct from p.e164 or not switchboard.is_e164(p.e164)) as changed, count(*)
from (values ('07911 123456', 'GB'), ('(415) 555-2671', 'US'), ('02 3661 8300', 'IT'), ('8 029 8123456', 'BY'), ('011 15-2345-6789', 'AR')) as v (input, region)
cross join lateral switchboard.parse_phone(v.input, v.region) as p;

select region, switchboard.calling_code(region) from unnest(array['GB', 'US', 'CA', 'GG', 'IE', 'XX', 'gb', '', null]) as region;
select switchboard.phone_metadata_version() ~ '^[0-9]+\.[0-9]+\.[0-9]+$' as has_version;

-- Every case of the shared vectors.
\set vectors `cat "$PG_ABS_SRCDIR"/../vectors/phones.json`
select count(*) > 60 as enough, count(*) filter (where (
        p.e164, p.validity, p.reason, p.calling_code, p.region, p.type, p.extension
    ) is distinct from (
        v ->> 'e164', v ->> 'validity', v ->> 'reason', (v ->> 'calling_code')::integer, v ->> 'number_region', v ->> 'type', v ->> 'extension'
    )) as wrong
from jsonb_array_elements(:'vectors') as v
cross join lateral switchboard.parse_phone(v ->> 'input', v ->> 'region') as p
where not v ? 'require_international';
select v ->> 'input' as input, v ->> 'region' as region, v ->> 'e164' as expected, p.*
from jsonb_array_elements(:'vectors') as v
cross join lateral switchboard.parse_phone(v ->> 'input', v ->> 'region') as p
where not v ? 'require_international' and (
        p.e164, p.validity, p.reason, p.calling_code, p.region, p.type, p.extension
    ) is distinct from (
        v ->> 'e164', v ->> 'validity', v ->> 'reason', (v ->> 'calling_code')::integer, v ->> 'number_region', v ->> 'type', v ->> 'extension'
    );

-- The sample of spellings whose expected values the reference library gave: what to_e164 answers differently,
-- by kind of spelling.
create temporary table sample (input text, region text, e164 text, possible integer, valid integer, category text);
\copy sample from program 'tail -n +2 "$PG_ABS_SRCDIR"/../vectors/phone_sample.tsv' with (format csv, delimiter e'\t', quote e'\x01')
select count(*) > 10000 as enough from sample;
select category, count(*) from sample
where switchboard.to_e164(coalesce(input, ''), region) is distinct from case when possible = 1 then e164 end
group by category
order by category collate "C";
