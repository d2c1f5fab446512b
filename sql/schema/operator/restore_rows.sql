-- The rows of a dump alone go into a database that migrations have made between begin_restore and end_restore: as its
-- owner, who may neither set session_replication_role nor put the triggers of foreign keys off.

create function private.begin_restore() returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_tables text;
    v_table record;
    v_foreign_key record;
begin
    if exists (select from private.restore_state) then
        raise exception using
            errcode = '55000',
            message = 'a restore has begun here already',
            hint = 'private.end_restore() ends it.';
    end if;
    -- The log outlives its organizations.
    if exists (select from public.organizations) or exists (select from public.audit_log) then
        raise exception using
            errcode = '55000',
            message = 'this database has organizations or a log of them, and a restore would replace it',
            hint = 'Restore into a database that migrations have just made.';
    end if;

    for v_table in
        select format('%I.%I', n.nspname, c.relname) as name
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and c.relkind in ('r', 'p') and pg_has_role(c.relowner, 'usage')
            and c.oid <> 'private.restore_state'::regclass
    loop
        insert into private.restore_state (statement)
        select format('alter table %s enable %s trigger %I', v_table.name,
            case t.tgenabled when 'A' then 'always' when 'R' then 'replica' else '' end, t.tgname)
        from pg_catalog.pg_trigger t
        where t.tgrelid = to_regclass(v_table.name) and not t.tgisinternal and t.tgenabled <> 'D';
        execute format('alter table %s disable trigger user', v_table.name);
        v_tables := concat_ws(', ', v_tables, v_table.name);
    end loop;
    -- What the migrations put in comes with the rows.
    execute format('truncate %s', v_tables);

    -- Tables that point to each other have no order in which every row finds its parent.
    for v_foreign_key in
        select k.conrelid::regclass as name, k.conname
        from pg_catalog.pg_constraint k
        join pg_catalog.pg_class c on c.oid = k.conrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and k.contype = 'f' and k.conparentid = 0 and not k.condeferrable
            and pg_has_role(c.relowner, 'usage')
    loop
        insert into private.restore_state (statement)
        values (format('alter table %s alter constraint %I not deferrable', v_foreign_key.name, v_foreign_key.conname));
        execute format('alter table %s alter constraint %I deferrable initially deferred', v_foreign_key.name, v_foreign_key.conname);
    end loop;
end;
$$;
comment on function private.begin_restore() is
    'For the database owner: lets the rows of a dump come as they are. Empties every table of public and private, puts their triggers off and defers their foreign keys, until private.end_restore. Raises 55000 where there are organizations or an audit log, and when called twice.';

create function private.end_restore() returns void
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_step record;
begin
    if not exists (select from private.restore_state) then
        raise exception using errcode = '55000', message = 'no restore has begun here';
    end if;
    set constraints all immediate;
    for v_step in select s.statement from private.restore_state s order by s.place loop
        execute format('%s', v_step.statement);
    end loop;
    delete from private.restore_state;
end;
$$;
comment on function private.end_restore() is
    'Ends what private.begin_restore began: foreign keys are checked and the triggers are on as they were. Raises 23503 for a row without its parent, 55000 when nothing has begun.';
