-- The phone rules of lead import, one row a case: what the campaign's settings auto_normalize_uk_numbers and
-- allow_international make of a cell. Verdicts and reasons are those of switchboard.parse_phone.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);

-- The number that a cell becomes in a dataset with these settings, or the reason of its row error.
create function tests.imported(cell text, auto_normalize boolean, international boolean, country text) returns text
    language plpgsql
as $$
declare
    target uuid := gen_random_uuid();
    report jsonb;
begin
    perform tests.as_owner();
    update public.organizations set default_country = country where id = tests.id('a');
    update public.campaign_settings
        set auto_normalize_uk_numbers = auto_normalize, allow_international = international
        where id = tests.id('a.settings');
    insert into public.datasets (organization_id, id, name, campaign_settings_id)
    values (tests.id('a'), target, 'List ' || target, tests.id('a.settings'));
    perform tests.as_user('a.manager');
    report := public.import_leads(target, jsonb_build_array(jsonb_build_object('first_name', 'L', 'phone_number', cell)),
        '{"required_fields": []}');
    return coalesce(
        (select l.phone_number from public.leads l where l.dataset_id = target and l.phone_input = btrim(cell)),
        report -> 'errors' -> 0 ->> 'reason',
        'nothing: ' || report::text);
end;
$$;
grant execute on function tests.imported(text, boolean, boolean, text) to authenticated;

create temporary table cases (cell text, auto_normalize boolean, international boolean, country text, expected text);
insert into cases values
    -- One number in the spellings that people, phones and spreadsheets give it.
    ('07700 900123', true, false, 'GB', '+447700900123'),
    ('7700900123', true, false, 'GB', '+447700900123'),
    ('447700900123', true, false, 'GB', '+447700900123'),
    ('00447700900123', true, false, 'GB', '+447700900123'),
    ('+44(0)7700 900123', true, false, 'GB', '+447700900123'),
    ('+4407700900123', true, false, 'GB', '+447700900123'),
    ('０７７００ ９００１２３', true, false, 'GB', '+447700900123'),
    ('٠٧٧٠٠٩٠٠١٢٣', true, false, 'GB', '+447700900123'),
    ('tel:+44-7700-900123', true, false, 'GB', '+447700900123'),
    (E'07700\u00a0900\u200b123', true, false, 'GB', '+447700900123'),
    -- Guernsey and the Isle of Man have calling code 44: not international.
    ('07911 123456', true, false, 'GB', '+447911123456'),
    ('07781 123456', true, false, 'GB', '+447781123456'),
    ('07624 300123', true, false, 'GB', '+447624300123'),
    -- A landline with an extension: both kept, apart.
    ('020 7946 0958 ext 12', true, false, 'GB', '+442079460958'),
    -- Possible but in no range: no guess that it is American.
    ('4155551234', true, false, 'GB', 'invalid_range'),
    ('4155551234', true, true, 'GB', 'invalid_range'),
    -- What a spreadsheet or a person has spoilt.
    ('7.7009E+09', true, false, 'GB', 'excel_scientific'),
    ('07700900123/07911123456', true, false, 'GB', 'multiple_numbers'),
    ('O7700900123', true, false, 'GB', 'letters'),
    ('12', true, false, 'GB', 'too_short'),
    -- What sales teams and their spreadsheets write beside a number.
    ('Mobile: 07700 900123', true, false, 'GB', '+447700900123'),
    ('07700 900123 (work)', true, false, 'GB', '+447700900123'),
    ('07700 900123 - Jane', true, false, 'GB', '+447700900123'),
    ('07700 900123 - Wrong Number', true, false, 'GB', 'letters'),
    ('447700900123.0', true, false, 'GB', '+447700900123'),
    ('020 7946 0958 (ext 12)', true, false, 'GB', '+442079460958'),
    ('020 7946 0958, 123456', true, false, 'GB', 'multiple_numbers'),
    -- Digits that may be two numbers, and the same numbers written out.
    ('4915123456789', true, false, 'DE', '+4915123456789'),
    ('4921123456', true, false, 'DE', 'ambiguous'),
    ('04921 123456', true, false, 'DE', '+494921123456'),
    ('+4921123456', true, false, 'DE', '+4921123456'),
    -- A service's number is nobody's, with the country or without.
    ('+44118118', true, false, 'GB', 'short_or_emergency'),
    ('118118', true, false, 'GB', 'short_or_emergency'),
    ('110', true, false, 'DE', 'short_or_emergency'),
    ('+49112', true, true, 'GB', 'short_or_emergency'),
    ('0906 123 4567', true, false, 'GB', '+449061234567'),
    -- Abroad.
    ('+14155552671', true, false, 'GB', 'international_not_allowed'),
    ('+353 86 123 4567', true, false, 'GB', 'international_not_allowed'),
    ('00353861234567', true, false, 'GB', 'international_not_allowed'),
    ('+14155552671', true, true, 'GB', '+14155552671'),
    ('+353 86 123 4567', true, true, 'GB', '+353861234567'),
    -- Without normalizing a number must carry its country.
    ('07700 900123', false, false, 'GB', 'invalid_country_code'),
    ('7700900123', false, false, 'GB', 'invalid_country_code'),
    ('447700900123', false, false, 'GB', 'invalid_country_code'),
    ('+447700900123', false, false, 'GB', '+447700900123'),
    ('+44 7700 900123', false, false, 'GB', '+447700900123'),
    ('00447700900123', false, false, 'GB', '+447700900123'),
    ('0011 44 7700 900123', false, true, 'GB', 'too_long'),
    ('0011 44 7700 900123', false, true, 'AU', '+447700900123'),
    ('+14155552671', false, false, 'GB', 'international_not_allowed'),
    ('+14155552671', false, true, 'GB', '+14155552671'),
    ('4155551234', false, true, 'GB', 'invalid_country_code'),
    -- The same switches in another country: national spellings and "abroad" follow the organization.
    ('086 123 4567', true, false, 'IE', '+353861234567'),
    ('+44 7911 123456', true, false, 'IE', 'international_not_allowed'),
    ('(415) 555-2671', true, false, 'US', '+14155552671'),
    ('+1 416 555 0123', true, false, 'US', '+14165550123');
select is(tests.imported(cell, auto_normalize, international, country), expected,
        format('%s in %s, normalize %s, international %s', cell, country, auto_normalize, international))
    from (select row_number() over () as n, * from cases) as c order by n;

select tests.as_owner();
select is((select (e164, validity, type, extension)::text from switchboard.parse_phone('020 7946 0958 ext 12', 'GB')),
    '(+442079460958,test_range,fixed_line,12)', 'the extension is known to parse_phone');
select bag_eq($$ select distinct phone_input from public.leads where phone_number = '+442079460958' $$,
    $$ values ('020 7946 0958 ext 12'), ('020 7946 0958 (ext 12)') $$, 'and stays in the text as given');
select bag_eq($$ select distinct phone_input, phone_extension from public.leads where phone_number = '+442079460958' $$,
    $$ values ('020 7946 0958 ext 12', '12'), ('020 7946 0958 (ext 12)', '12') $$, 'and in a column of its own');
select is((select validity from switchboard.parse_phone('07700 900123', 'GB')), 'test_range', 'a drama number is not valid');
select is(switchboard.phone_is_valid('07700 900123', 'GB'), false, 'to libphonenumber neither');
select bag_eq(
    $$ select distinct switchboard.phone_region(phone_number) from public.leads
        where phone_number in ('+447911123456', '+447781123456', '+447624300123') $$,
    array['GG', 'IM'], 'the regions of calling code 44 are told apart');

-- An extension written beside the number, in a file and by a client.
update public.organizations set default_country = 'GB' where id = tests.id('a');
select tests.as_user('a.manager');
select is(
    (public.import_leads(tests.id('a.dataset'), '[
        {"first_name": "L", "phone_number": "020 7946 0001", "phone_extension": "204"},
        {"first_name": "L", "phone_number": "020 7946 0002 x1", "phone_extension": 7},
        {"first_name": "L", "phone_number": "020 7946 0003", "phone_extension": "12a"}
    ]', '{"required_fields": []}') -> 'errors')::text,
    '[{"row": 3, "value": "12a", "column": "phone_extension", "reason": "invalid_extension"}]',
    'an extension in a column of the file is digits');
select bag_eq(
    $$ select phone_number, phone_extension from public.leads where phone_number like '+44207946000_' $$,
    $$ values ('+442079460001', '204'), ('+442079460002', '7') $$, 'the file''s column goes before the cell of the number');
select lives_ok($$ insert into public.leads (dataset_id, first_name, phone_number)
    values (tests.id('a.dataset'), 'L', '+44 20 7183 8750 ext 12') $$, 'a lead is inserted with its extension');
select lives_ok($$ update public.leads set phone_extension = '13' where phone_number = '+442079460001' $$, 'a client changes one');
select bag_eq(
    $$ select phone_number, phone_extension from public.leads where phone_number in ('+442071838750', '+442079460001') $$,
    $$ values ('+442071838750', '12'), ('+442079460001', '13') $$, 'both are kept');
select throws_ok($$ update public.leads set phone_extension = '12a' where phone_number = '+442071838750' $$,
    '23514', null, 'an extension is digits');
select throws_ok($$ insert into public.leads (dataset_id, first_name, phone_number)
    values (tests.id('a.dataset'), 'L', '07911 123456 - Wrong Number') $$,
    '22023', 'phone_number is not a phone number: letters', 'the trigger refuses what the import refuses');

select * from finish();
rollback;
