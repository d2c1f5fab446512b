-- Supabase Realtime's schema as far as project SQL meets it: the messages that private topics are authorized by, the
-- topic of the request, the function that sends, and the publication. Realtime makes one partition a day; here one holds
-- all. Written from its documentation (Realtime authorization, broadcast from the database).

select to_regclass('realtime.messages') is not null as supabase_is_here \gset
\if :supabase_is_here
    \echo 'realtime.messages exists: the schema realtime is left as it is'
    \quit
\endif

-- Supabase runs with wal_level = logical; where it is less, creating a publication warns.
set client_min_messages = error;
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'supabase_realtime_admin') then
        create role supabase_realtime_admin nologin noinherit;
    end if;
    if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
        create publication supabase_realtime;
    end if;
end;
$$;
reset client_min_messages;
alter publication supabase_realtime owner to postgres;
grant supabase_realtime_admin to postgres;

create schema realtime authorization supabase_admin;
grant usage on schema realtime to postgres, anon, authenticated, service_role;
grant all on schema realtime to supabase_realtime_admin;

create table realtime.messages (
    topic text not null,
    extension text not null,
    payload jsonb,
    event text,
    private boolean default false,
    updated_at timestamp not null default now(),
    inserted_at timestamp not null default now(),
    id uuid not null default gen_random_uuid(),
    primary key (id, inserted_at)
) partition by range (inserted_at);
create table realtime.messages_default partition of realtime.messages default;
alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages_default owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;
grant delete, truncate, references, trigger on realtime.messages to postgres;

create function realtime.topic() returns text
    language sql stable
    as $$
    select nullif(current_setting('realtime.topic', true), '')
$$;

-- With the caller's rights. Realtime adds the message's id to a payload that has none, and warns instead of failing.
create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
    language plpgsql
    as $$
declare
    message_id uuid := gen_random_uuid();
begin
    perform set_config('realtime.topic', topic, true);
    insert into realtime.messages (id, payload, event, topic, private, extension)
    values (message_id, jsonb_build_object('id', message_id) || payload, event, topic, private, 'broadcast');
exception
    when others then
        raise warning 'ErrorSendingBroadcastMessage: %', sqlerrm;
end;
$$;
alter function realtime.topic() owner to supabase_realtime_admin;
alter function realtime.send(jsonb, text, text, boolean) owner to supabase_realtime_admin;
