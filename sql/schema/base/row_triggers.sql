-- Row triggers that every table gets by one line: what never changes, what follows the clock, what only grows.

create function public.update_updated_at_column() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    new.updated_at := now();
    return new;
end;
$$;
comment on function public.update_updated_at_column() is
    'BEFORE UPDATE trigger: updated_at becomes the transaction''s time, whatever the client sent.';

create function private.ask_organization() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    raise exception using
        errcode = 'PT400',
        message = 'organization_required',
        detail = format('The row for %I names no organization, and the service role works for none of its own.', tg_table_name),
        hint = 'Write organization_id into the row, or send the header x-organization-id.';
end;
$$;
comment on function private.ask_organization() is
    'BEFORE INSERT trigger; its WHEN clause asks for a row of the service role without organization_id. Raises PT400 organization_required.';

create function private.add_row_triggers(
    target regclass,
    identity_columns text[] default '{organization_id,id,created_at}'
) returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    changed text;
begin
    select string_agg(format('new.%I is distinct from old.%I', c, c), ' or ')
        into changed
        from unnest(identity_columns) as c;
    execute format(
        'create trigger guard_row before update on %s for each row when (%s) execute function switchboard.guard_row(%L)',
        target, changed, array_to_string(identity_columns, ', '));
    if exists (
        select from pg_attribute
        where attrelid = target and attname = 'updated_at' and not attisdropped
    ) then
        execute format(
            'create trigger set_updated_at before update on %s for each row execute function public.update_updated_at_column()',
            target);
    end if;
    if exists (
        select from pg_attribute
        where attrelid = target and attname = 'organization_id' and not attisdropped
    ) then
        execute format(
            'create trigger ask_organization before insert on %s for each row
                when (new.organization_id is null and current_user = ''service_role'')
                execute function private.ask_organization()',
            target);
    end if;
end;
$$;
comment on function private.add_row_triggers(regclass, text[]) is
    'For migrations, owner only. Gives a table its guard_row trigger (columns that never change; its WHEN clause holds the comparison, so an ordinary update does not call it); if it has updated_at, its set_updated_at trigger; and if it has organization_id, ask_organization, which tells the service role to name one.';

create function private.refuse_rewrite() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    -- The one way out is the organization itself: when it is deleted, its rows go with it.
    if tg_op = 'DELETE' and not exists (
        select from public.organizations o where o.id = old.organization_id
    ) then
        return old;
    end if;
    raise exception using
        errcode = '42501',
        message = format('rows of %I never change', tg_table_name),
        hint = tg_argv[0];
end;
$$;
comment on function private.refuse_rewrite() is
    'BEFORE UPDATE, DELETE or TRUNCATE trigger, see private.make_append_only; its argument is the hint. Raises 42501.';

create function private.make_append_only(target regclass, hint text default 'Insert a new row instead.') returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    execute format(
        'create trigger refuse_rewrite before update or delete on %s
            for each row execute function private.refuse_rewrite(%L)',
        target, hint);
    execute format(
        'create trigger refuse_truncate before truncate on %s
            for each statement execute function private.refuse_rewrite(%L)',
        target, hint);
end;
$$;
comment on function private.make_append_only(regclass, text) is
    'For migrations, owner only. Rows of the table never change and never go, for any role, service_role and owner included, until their whole organization is deleted.';
