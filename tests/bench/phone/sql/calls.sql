set max_parallel_workers_per_gather = 0;
set jit = off;
create temporary table result (n serial, what text, ns numeric);
insert into result (what, ns)
    select what, bench_phone.measure(format('select count(%s) from bench_phone.numbers', expression))
        / (select count(*) from bench_phone.numbers)::numeric
    from (values
        (1, 'count(x)', 'canonical'),
        (2, 'lower(x)', 'lower(canonical)'),
        (3, 'is_e164(x), refused at the first character: an empty call', 'switchboard.is_e164(refused)'),
        (4, 'is_e164(E.164)', 'switchboard.is_e164(canonical)'),
        (5, 'to_e164(E.164, GB)', $$switchboard.to_e164(canonical, 'GB')$$),
        (6, 'to_e164(national, GB)', $$switchboard.to_e164(national, 'GB')$$),
        (7, 'to_e164(15 countries, their region)', 'switchboard.to_e164(mixed, region)'),
        (8, 'phone_is_valid(E.164)', 'switchboard.phone_is_valid(canonical)'),
        (9, 'phone_type(E.164)', 'switchboard.phone_type(canonical)'),
        (10, 'phone_format(E.164, national)', $$switchboard.phone_format(canonical, 'national')$$),
        (11, 'regexp_replace(national, [^0-9+])', $$regexp_replace(national, '[^0-9+]', '', 'g')$$)
    ) as v (i, what, expression)
    order by i;
insert into result (what, ns)
    select 'parse_phone(national, GB), whole row',
        bench_phone.measure($$select count(p.e164) from bench_phone.numbers, switchboard.parse_phone(national, 'GB') as p$$)
            / (select count(*) from bench_phone.numbers)::numeric;
select format('  %s %s ns a row   %s above count(x)   %s× lower(x)', rpad(what, 58), lpad(round(ns)::text, 6),
        lpad(round(ns - base)::text, 6), lpad(round((ns - base) / (lowered - base), 2)::text, 6))
    from result,
        (select ns as base from result where what = 'count(x)') as b,
        (select ns as lowered from result where what = 'lower(x)') as l
    where what <> 'count(x)'
    order by n;
