-- One row a number: valid British mobile numbers in E.164 and as people type them, and numbers of 15 countries as the
-- sample spells them.
create table bench_phone.numbers as
    select n as id,
        '+4474' || lpad((n % 1000000)::text, 8, '0') as canonical,
        '074' || lpad((n % 1000000 / 1000000)::text, 2, '0') || ' ' || lpad((n % 1000000)::text, 6, '0') as national,
        'x' || '4474' || lpad((n % 1000000)::text, 8, '0') as refused,
        m.input as mixed,
        m.region
    from generate_series(1, :rows) as n
    join (
        select row_number() over (order by md5(input)) - 1 as i, count(*) over () as k, input, region
        from bench_phone.sample
        where possible and valid and input ~ '^[+0-9 ()./-]+$' and region in (
            'GB', 'US', 'DE', 'FR', 'ES', 'IT', 'IE', 'NL', 'PL', 'IN', 'AU', 'CA', 'BR', 'MX', 'ZA'
        )
    ) as m on m.i = n % m.k;
vacuum (analyze, freeze) bench_phone.numbers;
