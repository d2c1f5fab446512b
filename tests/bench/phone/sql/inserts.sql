-- One table four times: no trigger, ours in its two usual forms, and the normaliser that a UK-only application writes.
set client_min_messages = warning;
create function bench_phone.normalize_uk() returns trigger
    language plpgsql
as $$
declare
    digits text := regexp_replace(new.phone_number, '[^0-9+]', '', 'g');
begin
    digits := regexp_replace(digits, '^(\+44|0044|44)0?', '+44');
    digits := regexp_replace(digits, '^0', '+44');
    if digits ~ '^7[0-9]{9}$' then
        digits := '+44' || digits;
    end if;
    if digits !~ '^\+[1-9][0-9]{7,14}$' then
        raise exception using errcode = '22023', message = 'phone_number is not a phone number';
    end if;
    new.phone_input := new.phone_number;
    new.phone_number := digits;
    return new;
end;
$$;
create table bench_phone.plain (organization_id uuid, phone_number text, phone_input text);
create table bench_phone.checked (like bench_phone.plain);
alter table bench_phone.checked add check (switchboard.is_e164(phone_number));
create table bench_phone.regex (like bench_phone.plain);
create trigger normalize before insert on bench_phone.regex for each row execute function bench_phone.normalize_uk();
create table bench_phone.constant (like bench_phone.plain);
create trigger normalize before insert on bench_phone.constant
    for each row execute function switchboard.normalize_phone('phone_number', 'phone_input', 'GB');
create table bench_phone.organization (like bench_phone.plain);
create trigger normalize before insert on bench_phone.organization
    for each row execute function switchboard.normalize_phone('phone_number', 'phone_input', 'organization');
insert into public.organizations (id, name, slug)
    values ('0be9c400-0000-4000-8000-000000000001', 'Bench', 'bench-phone')
    on conflict do nothing;

create temporary table result (n serial, what text, source text, seconds numeric);
insert into result (what, source, seconds)
    select what, source, bench_phone.measure(
            format('insert into bench_phone.%I select %L, %I, null from bench_phone.numbers', t, '0be9c400-0000-4000-8000-000000000001', source),
            format('truncate bench_phone.%I', t)
        ) / 1e9
    from (values
        (1, 'no trigger', 'plain', 'canonical'),
        (2, 'CHECK (is_e164)', 'checked', 'canonical'),
        (3, 'normalize_phone, GB', 'constant', 'canonical'),
        (4, 'normalize_phone, organization', 'organization', 'canonical'),
        (5, 'regular expressions in plpgsql', 'regex', 'canonical'),
        (6, 'no trigger', 'plain', 'national'),
        (7, 'normalize_phone, GB', 'constant', 'national'),
        (8, 'normalize_phone, organization', 'organization', 'national'),
        (9, 'regular expressions in plpgsql', 'regex', 'national')
    ) as v (i, what, t, source)
    order by i;
select format('  insert %s %s %s s   %s s more than without', rpad(source, 10), rpad(what, 40), lpad(round(seconds, 2)::text, 6),
        lpad(round(seconds - base, 2)::text, 6))
    from result join (select source, seconds as base from result where what = 'no trigger') as b using (source)
    order by n;
delete from public.organizations where slug = 'bench-phone';
