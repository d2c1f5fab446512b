-- What stands beside a lead's number: its type and how far it can be trusted, written by the trigger alone; and which
-- numbers a lead cannot have.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);

create function tests.verdict(number text) returns text
    language sql
as $$
    insert into public.leads (organization_id, dataset_id, first_name, phone_number)
    values (tests.id('a'), tests.id('a.dataset'), 'L', number)
    returning concat_ws(' ', phone_type, phone_validity);
$$;
grant execute on function tests.verdict(text) to authenticated;
-- Foreign numbers too.
update public.campaign_settings set allow_international = true;
select tests.as_user('a.manager');
select is(tests.verdict(number), expected, 'a lead with ' || number)
    from (values
        ('07911 123456', 'mobile valid'), ('020 7183 8750', 'fixed_line valid'), ('07700 900123', 'unknown test_range'),
        ('+14155552671', 'fixed_line_or_mobile valid'), ('+444155551234', 'unknown possible'),
        -- What must not be dialled may be stored: a caller's number can be anything.
        ('+449061234567', 'premium_rate valid'), ('+979123456789', 'premium_rate valid')
    ) as v (number, expected);
select throws_ok(format('select tests.verdict(%L)', number), '22023', 'phone_number is not a phone number: ' || reason, 'no lead with ' || number)
    from (values
        ('+49110', 'short_or_emergency'), ('+49112', 'short_or_emergency'), ('+43112', 'short_or_emergency'),
        ('+44118118', 'short_or_emergency'), ('118118', 'short_or_emergency'), ('+15551234', 'too_short')
    ) as v (number, reason);

select throws_ok(
    format('insert into public.leads (organization_id, dataset_id, first_name, phone_number, %I) values (%L, %L, ''L'', ''+447911123457'', %L)',
        name, tests.id('a'), tests.id('a.dataset'), value),
    '42501', null, 'a client inserts no ' || name)
    from (values ('phone_type', 'mobile'), ('phone_validity', 'valid')) as v (name, value);
select throws_ok(format('update public.leads set %I = %L', name, value), '42501', null, 'nor updates it: ' || name)
    from (values ('phone_type', 'mobile'), ('phone_validity', 'valid')) as v (name, value);
select is((select count(*) from public.leads where phone_validity = 'test_range' and phone_number = '+447700900123'), 1::bigint, 'a client filters by it');
update public.leads set phone_number = '020 7183 8751' where phone_number = '+447911123456';
select is((select concat_ws(' ', phone_type, phone_validity) from public.leads where phone_number = '+442071838751'), 'fixed_line valid', 'a new number, a new verdict');

-- After an update of the metadata, as docs/phone.md says.
select tests.as_owner();
alter table public.leads disable trigger normalize_phone;
update public.leads set phone_type = 'mobile', phone_validity = 'valid' where phone_number = '+444155551234';
alter table public.leads enable trigger normalize_phone;
update public.leads set phone_number = phone_number
    where row(phone_type, phone_validity) is distinct from
        (select row(p.type, p.validity) from switchboard.parse_phone(phone_number, null) as p);
select is((select concat_ws(' ', phone_type, phone_validity) from public.leads where phone_number = '+444155551234'), 'unknown possible', 'the refresh of docs/phone.md finds it');
select is((select count(*) from public.leads where phone_type is null or phone_validity is null), 0::bigint, 'every lead has both');
select * from finish();
rollback;
