-- The doctor's checks on what the schema hangs on the platform's own tables. A dump of public and private leaves it
-- behind.

create function private.doctor_platform() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    with wanted as (
        select 'storage' as schema_name, 'objects' as table_name, 'policy' as kind, 'organization_files_' || v.name as name,
            null as function_name, 'private.attach_storage()' as fix,
            'nobody reaches the files of an organization' as effect
        from unnest(array['select', 'insert', 'update', 'delete']) as v (name)
        union all
        values
            ('storage', 'objects', 'trigger', 'guard_object', 'guard_object', 'private.attach_storage()',
                'a file can be moved into another organization, and from a private bucket to a public one'),
            ('realtime', 'messages', 'policy', 'organization_topics_select', null, 'private.attach_realtime()',
                'nobody may listen to an organization''s changes'),
            ('auth', 'users', 'trigger', 'on_auth_user_created', 'handle_new_user', 'private.attach_auth()',
                'a new user gets no profile'),
            ('auth', 'users', 'trigger', 'on_auth_user_email_changed', 'copy_email', 'private.attach_auth()',
                'profiles keep an old e-mail address'),
            ('auth', 'users', 'trigger', 'on_auth_user_deleted', 'lock_owned_organizations', 'private.attach_auth()',
                'two owners who are deleted at once can end in a deadlock')
        union all
        select 'public', b.table_name, 'trigger', 'broadcast_' || v.name, 'broadcast_changes', 'private.attach_realtime()',
            'listeners do not hear of its changes'
        from private.broadcasts b
        cross join unnest(array['insert', 'update', 'delete']) as v (name)
        where exists (
            select from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'realtime' and c.relname = 'messages'
        )
    )
    select 'error', 'platform_detached', format('%s on %I.%I', w.name, w.schema_name, w.table_name),
        format('The %s is not there or off: %s.', w.kind, w.effect),
        format('select %s;', w.fix)
        from wanted w
        join pg_catalog.pg_namespace n on n.nspname = w.schema_name
        join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.table_name
        where not exists (
                select from pg_catalog.pg_policy p
                where w.kind = 'policy' and p.polrelid = c.oid and p.polname = w.name
            )
            and not exists (
                select from pg_catalog.pg_trigger t
                join pg_catalog.pg_proc p on p.oid = t.tgfoid
                join pg_catalog.pg_namespace s on s.oid = p.pronamespace
                where w.kind = 'trigger' and t.tgrelid = c.oid and t.tgname = w.name and t.tgenabled in ('O', 'A')
                    and s.nspname = 'private' and p.proname = w.function_name
            )
    union all
    select 'error', 'restore_unfinished', 'private.restore_state',
        'A restore of rows has begun and not ended: triggers are off and foreign keys are checked late.',
        'select private.end_restore();'
        where exists (select from private.restore_state);
end;
comment on function private.doctor_platform() is
    'Findings on what the schema puts on auth.users, storage.objects and realtime.messages and on the triggers that broadcast, where these are there: policies and triggers that are gone or off; a restore of rows that has not ended.';
