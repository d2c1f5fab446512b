-- What Supabase Realtime tells members: one private broadcast topic for each organization and table of
-- private.broadcasts, org:{organization_id}:{table}, with the ids of rows that changed and nothing of their content; the
-- client fetches them under its own rights. Realtime keeps its schema realtime; it is not there on a plain Postgres, and
-- may come after this migration: private.attach_realtime() then does the same again.

create function private.may_join_topic(topic text) returns boolean
    language sql stable security definer
    set search_path = ''
begin atomic
    -- An id tells that a row exists, so a topic is for those who may see every row of its table.
    select coalesce((
        select switchboard.has_capability(t.organization_id, b.capability)
            and (
                not b.is_scoped
                or not exists (
                    select from public.memberships m
                    where m.organization_id = t.organization_id
                        and m.user_id = switchboard.user_id()
                        and m.allowed_dataset_ids is not null
                )
            )
        from (
            select switchboard.topic_organization(may_join_topic.topic) as organization_id,
                split_part(may_join_topic.topic, ':', 3) as name
        ) as t
        join private.broadcasts b on b.table_name = t.name
    ), false);
end;
comment on function private.may_join_topic(text) is
    'Whether the caller may listen to a topic org:{organization_id}:{table}, see private.add_broadcast. False for any other topic. For the policy of realtime.messages. Definer, because the list is granted to nobody. Raises nothing.';
grant execute on function private.may_join_topic(text) to authenticated;

create function private.broadcast(entity text, op text, organization_id uuid, ids uuid[]) returns void
    language plpgsql volatile
    set search_path = ''
as $$
begin
    perform realtime.send(
        jsonb_build_object('op', op, 'ids', to_jsonb(ids[1:100]), 'more', cardinality(ids) > 100),
        'changed',
        format('org:%s:%s', organization_id, entity),
        true
    );
exception
    when others then
        raise warning 'change of % in organization % not broadcast: %', entity, organization_id, sqlstate;
end;
$$;
comment on function private.broadcast(text, text, uuid, uuid[]) is
    'Sends {op: insert | update | delete, ids, more} as event "changed": at most 100 ids, more says that there are others. An error becomes a warning: nobody''s write fails because of a listener.';

create function private.broadcast_changes() returns trigger
    language plpgsql volatile security definer
    set search_path = ''
as $$
begin
    perform private.broadcast(tg_table_name, lower(tg_op), c.organization_id, array_agg(c.id))
        from changed_rows c
        group by c.organization_id;
    return null;
end;
$$;
comment on function private.broadcast_changes() is
    'AFTER statement trigger for one of INSERT, UPDATE and DELETE, with the transition table changed_rows (the old rows of a DELETE, else the new): one message for each organization, see private.broadcast. Definer: clients may not send.';

create function private.attach_realtime() returns boolean
    language plpgsql volatile
    set search_path = ''
as $$
declare
    tables constant text[] := array(
        select b.table_name from private.broadcasts b
        where to_regclass(format('public.%I', b.table_name)) is not null
        order by b.table_name
    );
    entity text;
    verb text;
begin
    if to_regclass('realtime.messages') is null
        or to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null
        or to_regprocedure('realtime.topic()') is null
    then
        return false;
    end if;

    -- Realtime asks this when a client joins a private topic: it writes a message of that topic, reads it with
    -- the client's role and claims, and rolls back. There is no policy for insert: clients listen.
    execute 'drop policy if exists organization_topics_select on realtime.messages';
    execute $policy$
        create policy organization_topics_select on realtime.messages for select to authenticated
            using (
                extension = 'broadcast'
                and topic = (select realtime.topic())
                and (select private.may_join_topic(realtime.topic()))
            )
    $policy$;

    foreach entity in array tables loop
        foreach verb in array array['insert', 'update', 'delete'] loop
            execute format(
                'create or replace trigger %I after %s on public.%I referencing %s table as changed_rows
                    for each statement execute function private.broadcast_changes()',
                'broadcast_' || verb, verb, entity, case verb when 'delete' then 'old' else 'new' end);
        end loop;
    end loop;

    -- Postgres Changes sends a DELETE to every subscriber of the table, whatever its policies, with the row's
    -- primary key, and ours names the organization. So the publication gets the tables only where it
    -- leaves deletes out.
    if exists (
        select from pg_catalog.pg_publication p
        where p.pubname = 'supabase_realtime' and not p.puballtables and not p.pubdelete and not p.pubtruncate
    ) then
        foreach entity in array tables loop
            if not exists (
                select from pg_catalog.pg_publication_tables t
                where t.pubname = 'supabase_realtime' and t.schemaname = 'public' and t.tablename = entity
            ) then
                execute format('alter publication supabase_realtime add table public.%I', entity);
            end if;
        end loop;
    end if;
    return true;
end;
$$;
comment on function private.attach_realtime() is
    'For migrations and the database owner. Makes the policy by which clients join org:{organization_id}:{table} and the triggers that send to these topics, and publishes the tables for Realtime. Safe to run again; false where Realtime is not there (yet).';

select private.attach_realtime();
