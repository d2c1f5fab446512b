-- What a person who types a phone number may mean.

create function private.phone_readings(phone_number text, country text) returns text[]
    language sql immutable
    set search_path = ''
begin atomic
    -- As people of the organization's country write it, and as systems do: digits with the country code, without +.
    select array_remove(array[
        switchboard.to_e164(phone_readings.phone_number, country),
        case
            when phone_readings.phone_number ~ '^\s*[1-9][0-9 ().-]{6,}$'
                then switchboard.to_e164('+' || btrim(phone_readings.phone_number), null)
        end
    ], null);
end;
comment on function private.phone_readings(text, text) is
    'The numbers (E.164) that a text may be, read in a country; {} for none. Raises nothing.';

create function private.read_phone(org uuid, phone_number text) returns text[]
    language plpgsql stable
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_country text;
    v_readings text[];
begin
    if coalesce(btrim(read_phone.phone_number), '') = '' then
        raise exception using errcode = '22023', message = 'phone_number is required';
    end if;
    select o.default_country into v_country from public.organizations o where o.id = read_phone.org;
    v_readings := private.phone_readings(read_phone.phone_number, v_country);
    if v_readings = '{}' then
        raise exception using
            errcode = '22023',
            message = format('phone_number is not a phone number: %s', (
                select coalesce(p.reason, 'not_a_number')
                from switchboard.parse_phone(read_phone.phone_number, v_country) as p
            )),
            hint = 'Write the whole number, with + and the country code, or as it is dialled in the organization''s country.';
    end if;
    return v_readings;
end;
$$;
comment on function private.read_phone(uuid, text) is
    'The same, read in an organization''s country. Raises 22023 for what is no number.';

create function private.read_one_phone(org uuid, phone_number text) returns text
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_readings constant text[] := private.read_phone(read_one_phone.org, read_one_phone.phone_number);
begin
    if v_readings[1] <> v_readings[2] then
        raise exception using
            errcode = '22023',
            message = 'phone_number is not a phone number: ambiguous',
            detail = format('It may be %s or %s.', v_readings[1], v_readings[2]),
            hint = 'Write the one that is meant, with + and the country code.';
    end if;
    return v_readings[1];
end;
$$;
comment on function private.read_one_phone(uuid, text) is
    'The one number that a text is in an organization''s country, for what cannot be taken back. Raises 22023 for what is no number, or may be two.';

create function private.require_phone(capability text, phone_number text, out org uuid, out numbers text[])
    language plpgsql stable security definer
    set search_path = ''
as $$
begin
    org := switchboard.require_organization(capability);
    numbers := private.read_phone(org, require_phone.phone_number);
end;
$$;
comment on function private.require_phone(text, text) is
    'The organization of a caller who holds a right, and the numbers that a text may be there. Definer, for RPCs that go on with the caller''s rights. Raises PT401, PT400, PT403, 22023.';
grant execute on function private.require_phone(text, text) to authenticated;
