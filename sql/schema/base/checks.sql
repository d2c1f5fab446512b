-- Rules of a single value that several tables share, for CHECK constraints and RPC bodies. A phone number's is
-- switchboard.is_e164.

create function private.is_time_zone(name text) returns boolean
    language plpgsql immutable strict
    set search_path = ''
as $$
begin
    -- Postgres also accepts abbreviations (BST is a fixed offset all year) and POSIX strings, whose
    -- sign is inverted ("GMT+1") and whose name part may be any word before a digit ("Any/Word5").
    if name !~ '^(UTC|Etc/(UTC|GMT([+-][0-9]{1,2})?)|[A-Za-z]+(/[A-Za-z_-]+)+)$' then
        return false;
    end if;
    perform timestamptz '2000-01-01 00:00:00+00' at time zone name;
    return true;
exception
    when invalid_parameter_value then
        return false;
end;
$$;
comment on function private.is_time_zone(text) is
    'True for UTC and for names of the tz database with an area (Europe/London). For CHECK constraints. Raises nothing.';
grant execute on function private.is_time_zone(text) to authenticated, service_role;

-- In plpgsql: an SQL function in a CHECK is planned anew for every row.
create function private.is_email(address text) returns boolean
    language plpgsql immutable strict parallel safe
    set search_path = ''
as $$
begin
    return address ~ '^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$' and length(address) <= 320;
end;
$$;
comment on function private.is_email(text) is
    'Whether the text has the shape of an e-mail address (RFC 3696: at most 320 characters); whether it receives mail only a mail tells. For CHECK constraints. Raises nothing.';
grant execute on function private.is_email(text) to authenticated, service_role;

create function private.email_key(address text) returns text
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select lower(btrim(address) collate "C");
end;
comment on function private.email_key(text) is
    'An e-mail address as it is compared: trimmed, A to Z as a to z, every other character exactly as it is. In another collation the KELVIN SIGN U+212A would be a k, and somebody else''s address the invited one. Raises nothing.';
grant execute on function private.email_key(text) to authenticated, service_role;

create function private.is_tag_list(tags text[]) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select cardinality(tags) <= 50 and not exists (select from unnest(tags) as t (tag) where length(t.tag) > 100);
end;
comment on function private.is_tag_list(text[]) is
    'Whether there are at most 50 tags, each of at most 100 characters. For CHECK constraints. Raises nothing.';
grant execute on function private.is_tag_list(text[]) to authenticated, service_role;

create function private.providers() returns text[]
    language sql immutable parallel safe
    set search_path = ''
begin atomic
    select array['twilio', 'telnyx', 'vonage', 'bandwidth', 'sip'];
end;
comment on function private.providers() is 'The telephony providers that accounts, numbers and calls can be at. Raises nothing.';

create function private.is_provider(name text) returns boolean
    language sql immutable strict parallel safe
    set search_path = ''
begin atomic
    select name = any (private.providers());
end;
comment on function private.is_provider(text) is
    'Whether the text names a telephony provider. For CHECK constraints. Raises nothing.';
grant execute on function private.providers() to authenticated, service_role;
grant execute on function private.is_provider(text) to authenticated, service_role;

create function private.require_known_keys(given jsonb, known text[], kind text) returns void
    language plpgsql immutable
    set search_path = ''
as $$
declare
    v_unknown text;
begin
    select min(k) into v_unknown from jsonb_object_keys(given) as k where k <> all (known);
    if v_unknown is not null then
        raise exception using
            errcode = '22023',
            message = format('there is no %s %s', kind, left(v_unknown, 100)),
            hint = format('%ss: %s.', initcap(kind), array_to_string(known, ', '));
    end if;
end;
$$;
comment on function private.require_known_keys(jsonb, text[], text) is
    'Refuses a JSON object with a name that is none of some, as there is no filter x. Raises 22023.';
