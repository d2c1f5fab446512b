-- What follows Supabase Auth: a new user's profile, a changed e-mail address. Nothing here blocks a sign-up.

create function private.handle_new_user() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
    set lock_timeout = '500ms'
as $$
declare
    failed_state text;
    failed_message text;
begin
    begin
        insert into public.profiles (id, full_name, first_name, last_name, email)
        values (
            new.id,
            left(new.raw_user_meta_data ->> 'full_name', 200),
            left(new.raw_user_meta_data ->> 'first_name', 100),
            left(new.raw_user_meta_data ->> 'last_name', 100),
            new.email
        )
        on conflict (id) do nothing;
    exception
        when others then
            get stacked diagnostics
                failed_state = returned_sqlstate,
                failed_message = message_text;
            insert into private.profile_failures (user_id, sqlstate, message)
            values (new.id, failed_state, failed_message);
    end;
    return new;
exception
    when others then
        raise warning 'profile of user % not made and the failure not recorded: %', new.id, sqlstate;
        return new;
end;
$$;
comment on function private.handle_new_user() is
    'AFTER INSERT trigger on auth.users: makes the profile. Never blocks a sign-up: an error, or a lock that does not come within half a second, becomes a row of private.profile_failures, and if even that fails a warning. Raises nothing.';

create function private.copy_email() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
    set lock_timeout = '500ms'
as $$
declare
    failed_state text;
    failed_message text;
begin
    begin
        update public.profiles set email = new.email where id = new.id;
    exception
        when others then
            get stacked diagnostics
                failed_state = returned_sqlstate,
                failed_message = message_text;
            insert into private.profile_failures (user_id, sqlstate, message)
            values (new.id, failed_state, failed_message);
    end;
    return new;
exception
    when others then
        raise warning 'e-mail address of user % not copied and the failure not recorded: %', new.id, sqlstate;
        return new;
end;
$$;
comment on function private.copy_email() is
    'AFTER UPDATE trigger on auth.users: profiles.email follows. Never blocks Supabase Auth; a failure is kept like one of handle_new_user. Raises nothing.';

create function private.attach_auth() returns boolean
    language plpgsql volatile
    set search_path = ''
as $$
begin
    create or replace trigger on_auth_user_created
        after insert on auth.users
        for each row execute function private.handle_new_user();
    create or replace trigger on_auth_user_email_changed
        after update of email on auth.users
        for each row when (new.email is distinct from old.email) execute function private.copy_email();
    create or replace trigger on_auth_user_deleted
        before delete on auth.users
        for each row execute function private.lock_owned_organizations();
    return true;
end;
$$;
comment on function private.attach_auth() is
    'For migrations and the database owner. Makes the triggers on auth.users by which profiles follow and owners go one at a time. Safe to run again; private.backfill_profiles() makes up for the time without them.';

select private.attach_auth();

create function private.backfill_profiles() returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    made integer;
    corrected integer;
begin
    insert into public.profiles (id, full_name, first_name, last_name, email)
    select u.id, left(u.raw_user_meta_data ->> 'full_name', 200), left(u.raw_user_meta_data ->> 'first_name', 100),
        left(u.raw_user_meta_data ->> 'last_name', 100), u.email
    from auth.users u
    where not exists (select from public.profiles p where p.id = u.id)
    on conflict (id) do nothing;
    get diagnostics made = row_count;

    update public.profiles p
    set email = u.email
    from auth.users u
    where u.id = p.id and u.email is distinct from p.email;
    get diagnostics corrected = row_count;

    delete from private.profile_failures f
    where exists (select from public.profiles p where p.id = f.user_id)
        or not exists (select from auth.users u where u.id = f.user_id);
    return made + corrected;
end;
$$;
comment on function private.backfill_profiles() is
    'For the database owner: makes every missing profile, corrects every e-mail address that differs, clears repaired or outdated rows of private.profile_failures; returns how many profiles were made or corrected.';
