-- How grants come into the list, private.intended_grants: named one by one, and never what is wrong in any case.

create function private.write_grants(objects text[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_variable
declare
    v_rows text;
begin
    select string_agg(format('(%L, %L, %L, %L, %L::text[])', l.kind, l.object, l.grantee, l.privilege, l.columns), E',\n'
            order by l.kind, l.object, l.grantee, l.privilege)
        into v_rows
        from (
            select g.kind, g.object, g.grantee, g.privilege,
                array_agg(g.column_name order by g.column_name) filter (where g.column_name is not null) as columns
            from private.granted() as g
            where g.kind || ' ' || g.object = any (objects)
                and not exists (
                    select from private.grant_breaches() as b
                    where (b.kind, b.object, b.grantee, b.privilege) = (g.kind, g.object, g.grantee, g.privilege)
                )
            group by g.kind, g.object, g.grantee, g.privilege, g.column_name is null
            union all
            select i.* from private.intended_grants() as i
            where i.kind || ' ' || i.object <> all (objects)
                and exists (select from private.granted() as g where (g.kind, g.object) = (i.kind, i.object))
        ) as l;
    execute format(
        'create or replace function private.intended_grants() returns table (kind text, object text, grantee text, privilege text, columns text[])
            language sql stable set search_path = '''' as %L',
        E'\nvalues\n' || v_rows || E'\n');
end;
$$;
comment on function private.write_grants(text[]) is
    'Writes private.intended_grants anew: for the objects named (kind and name) as they are granted now, else as before, without what is gone. Owner only; private.record_grants checks.';

create function private.record_grants(variadic objects text[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
#variable_conflict use_variable
declare
    v_name text;
    v_relation regclass;
    v_objects text[] := array[]::text[];
    v_breach text;
begin
    foreach v_name in array objects loop
        if v_name ~ '^(schema|database|default) ' then
            v_objects := array_append(v_objects, v_name);
        elsif v_name ~ '[(]' then
            v_objects := array_append(v_objects, 'routine ' || v_name::regprocedure::text);
        else
            -- With the sequences of its columns.
            v_relation := v_name;
            v_objects := v_objects || array(
                select format('%s %s', case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass)
                from pg_catalog.pg_class c
                where c.oid = v_relation or c.relkind = 'S' and exists (
                    select from pg_catalog.pg_depend d
                    where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
                        and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = v_relation and d.deptype in ('a', 'i')
                )
            );
        end if;
    end loop;
    select min(o.name) into v_name
        from unnest(v_objects) as o (name)
        where not exists (select from private.granted() as g where g.kind || ' ' || g.object = o.name);
    if v_name is not null then
        raise exception using
            errcode = '22023',
            message = format('%s is not in public or private', v_name);
    end if;
    select string_agg(distinct format('%s on %s to %s', b.privilege, b.object, b.grantee), ', ') into v_breach
        from private.grant_breaches() as b
        where b.kind || ' ' || b.object = any (v_objects);
    if v_breach is not null then
        raise exception using
            errcode = '22023',
            message = format('no list makes this right: %s', v_breach),
            hint = 'doctor() has the SQL that takes it away.';
    end if;
    perform private.write_grants(v_objects);
end;
$$;
comment on function private.record_grants(text[]) is
    'For migrations, owner only, after an object''s grants: enters them in the list that doctor() and apply_grants() go by, in place of what it said before. Tables, views, functions with their argument types, ''schema public'', ''database current''. Raises 22023 for what no list makes right (anything for anon, TRUNCATE …) and for other schemas.';

create function private.record_all_grants() returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    if exists (select from private.intended_grants()) then
        raise exception using
            errcode = '55000',
            message = 'the grants are recorded already',
            hint = 'private.record_grants(object, …) enters the ones that a migration means to change.';
    end if;
    perform private.write_grants(array(
        select distinct g.kind || ' ' || g.object from private.granted() as g
        where g.kind in ('database', 'schema', 'default')
            or not exists (select from private.grant_breaches() as b where (b.kind, b.object) = (g.kind, g.object))
    ));
end;
$$;
comment on function private.record_all_grants() is
    'Last statement of the schema: enters everything that is there, but for objects with grants that are wrong in any case. Owner only. Raises 55000 when there is a list.';
