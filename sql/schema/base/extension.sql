-- What must be there before anything else: the native extension, and an owner whom row level security does not
-- bind. Both are asked with a hint, because whoever applies the migration reads it first.

do $$
begin
    if not exists (select from pg_extension where extname = 'switchboard') then
        begin
            create extension switchboard;
        exception
            when insufficient_privilege then
                raise exception using
                    errcode = '42501',
                    message = format('extension "switchboard" is not created in database %s, and role %s may not create it',
                        current_database(), current_user),
                    hint = 'Run "create extension switchboard" once in this database as a superuser (supabase_admin), then apply the migrations again.';
            when undefined_file or feature_not_supported then
                raise exception using
                    errcode = '58P01',
                    message = 'extension "switchboard" is not installed on this server',
                    hint = 'Install the compiled extension into this PostgreSQL server (Postgres 15, 16 or 17 that you control), then apply the migrations again.';
        end;
    end if;

    -- The role that runs this owns the tables. Definer functions, triggers that maintain counters and
    -- the native code act as that owner, and most tables FORCE row level security: an owner without
    -- BYPASSRLS would silently see no rows. Supabase's `postgres` has it.
    if not exists (select from pg_roles where rolname = current_user and (rolbypassrls or rolsuper)) then
        raise exception using
            errcode = '42501',
            message = format('role %s would own the tables but has no BYPASSRLS', current_user),
            hint = 'Apply the migrations as Supabase''s role postgres, or as another role with BYPASSRLS.';
    end if;
end
$$;
