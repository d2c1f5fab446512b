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
    $$ values ('020 7946 0958 ext 12') $$, 'and stays in the text as given');
select is((select validity from switchboard.parse_phone('07700 900123', 'GB')), 'test_range', 'a drama number is not valid');
select is(switchboard.phone_is_valid('07700 900123', 'GB'), false, 'to libphonenumber neither');
select bag_eq(
    $$ select distinct switchboard.phone_region(phone_number) from public.leads
        where phone_number in ('+447911123456', '+447781123456', '+447624300123') $$,
    array['GG', 'IM'], 'the regions of calling code 44 are told apart');

select * from finish();
rollback;
