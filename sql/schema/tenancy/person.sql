-- The person behind a request, as Supabase Auth knows them now. A token is older, and need not say that its user is
-- anonymous.

create function private.require_person(out id uuid, out email text, out email_confirmed_at timestamptz)
    language plpgsql stable
    set search_path = ''
as $$
declare
    v_is_anonymous boolean;
begin
    id := switchboard.require_user_id();
    select u.email, u.email_confirmed_at, u.is_anonymous
        into email, email_confirmed_at, v_is_anonymous
        from auth.users u where u.id = require_person.id;
    if not found then
        raise exception using
            errcode = 'PT401',
            message = 'unknown_user',
            detail = 'The user of this token does not exist.',
            hint = 'Sign in again.';
    end if;
    -- Whoever has just become a person signs in again: the token still says otherwise.
    if v_is_anonymous is distinct from false or coalesce(auth.jwt() ->> 'is_anonymous', 'false') <> 'false' then
        raise exception using
            errcode = 'PT403',
            message = 'anonymous_user',
            detail = 'An anonymous user belongs to no organization.',
            hint = 'Sign in with an e-mail address or a provider first.';
    end if;
end;
$$;
comment on function private.require_person() is
    'The signed-in user, for RPC bodies by which somebody becomes a member: no anonymous one, as auth.users or the token says. For definer functions: it reads auth.users. Raises PT401 (no identity, unknown_user), PT403 anonymous_user.';
