-- json_is_bounded: the bound is the length of the printed text, and NULL stays NULL.
\pset null (null)
select value, octet_length(value::text) as bytes,
    switchboard.json_is_bounded(value, octet_length(value::text)) as exactly,
    switchboard.json_is_bounded(value, octet_length(value::text) - 1) as one_less
from unnest(array[
    'null', 'true', 'false', '0', '-1.50', '"a\"é\u0001"', '[]', '{}', '[1, [], {"k": "v"}]', '{"a": 1e3, "b": 1e-3}'
]::jsonb[]) as value;
select switchboard.json_is_bounded('1e131071', 131072) as exactly, switchboard.json_is_bounded('1e131071', 131071) as one_less,
    switchboard.json_is_bounded('-1e-16383', 16386) as exactly, switchboard.json_is_bounded('-1e-16383', 16385) as one_less;
select switchboard.json_is_bounded(null, 1), switchboard.json_is_bounded('1', null), switchboard.json_is_bounded('1', 0),
    switchboard.json_is_bounded('1', -1), switchboard.json_is_bounded('1', 2147483647);
-- Stored out of line and compressed.
create temporary table stored as select jsonb_agg(repeat('x', 100) || n) as value from generate_series(1, 20000) as n;
select switchboard.json_is_bounded(value, octet_length(value::text)) as exactly,
    switchboard.json_is_bounded(value, octet_length(value::text) - 1) as one_less, switchboard.json_is_bounded(value, 100) as far_less
from stored;
