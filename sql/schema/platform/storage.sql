-- Files in Supabase Storage: three buckets in which every organization has its folder, and who may do what in it.
-- Storage keeps its tables in the schema storage and asks their policies as the signed-in user; the schema is not there
-- on a plain Postgres, and may come after this migration: private.attach_storage() then does the same again.
-- storage.objects belongs to supabase_storage_admin. Supabase lets postgres make policies on it, and no more than that:
-- no ALTER TABLE, no COMMENT.

create function private.guard_object() returns trigger
    language plpgsql volatile
    set search_path = ''
as $$
begin
    raise exception using
        errcode = '42501',
        message = 'a file stays in its bucket and in its organization',
        hint = 'Copy it, then delete the original.';
end;
$$;
comment on function private.guard_object() is
    'BEFORE UPDATE trigger on storage.objects; its WHEN clause holds the comparison. A policy cannot compare the old row with the new one, and from csv_uploads to client_logos is from private to public. Raises 42501.';

create function private.attach_storage() returns boolean
    language plpgsql volatile
    set search_path = ''
as $$
declare
    -- Who may touch an object, by bucket. The files of the first and the last hold leads: a member whose scope
    -- is some datasets reaches organization/dataset/… of those only, and who sees only the own leads none.
    rule constant text := $rule$
        switchboard.path_organization(name) = case bucket_id
            when 'csv_uploads' then (select switchboard.organization_for(%1$L))
            when 'client_logos' then (select switchboard.organization_for(%2$L))
            when 'exports' then (select switchboard.organization_for(%3$L))
        end
        and case
            when bucket_id = 'client_logos' then true
            when (select switchboard.organization_for('leads.read_all')) is null then false
            else (select switchboard.dataset_scope()) is null
                or split_part(name, '/', 2) = any ((select switchboard.dataset_scope())::text[])
        end
    $rule$;
    -- A file in exports is what create_export began, until it expires: nobody puts, moves or keeps another there.
    export constant text := $export$
        and (bucket_id <> 'exports' or exists (
            select from public.exports e
            where e.organization_id = switchboard.path_organization(objects.name)
                and e.storage_path = objects.name
                and e.expires_at > now()
                and %s
        ))
    $export$;
    verb record;
begin
    if to_regclass('storage.objects') is null or to_regclass('storage.buckets') is null then
        return false;
    end if;

    insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
    values
        -- What browsers call a .csv file; on Windows with Excel it is application/vnd.ms-excel.
        ('csv_uploads', 'csv_uploads', false, 52428800,
            '{text/csv,application/csv,application/vnd.ms-excel,text/plain}'),
        -- Public: anybody with the address sees a logo. No SVG, which can carry script.
        ('client_logos', 'client_logos', true, 1048576, '{image/png,image/jpeg,image/webp}'),
        ('exports', 'exports', false, 52428800, '{text/csv,application/json,application/zip}')
    on conflict (id) do update
        set public = excluded.public,
            file_size_limit = excluded.file_size_limit,
            allowed_mime_types = excluded.allowed_mime_types;

    for verb in
        select * from (values
            ('select', 'uploads.read', 'organization.read', 'exports.read'),
            ('insert', 'uploads.write', 'organization.write', 'exports.write'),
            ('update', 'uploads.write', 'organization.write', null),
            ('delete', 'uploads.delete', 'organization.write', 'exports.delete')
        ) as v (name, csv_uploads, client_logos, exports)
    loop
        execute format('drop policy if exists %I on storage.objects', 'organization_files_' || verb.name);
        execute format('create policy %I on storage.objects for %s to authenticated %s %s',
            'organization_files_' || verb.name,
            verb.name,
            case when verb.name <> 'insert'
                then 'using (' || format(rule, verb.csv_uploads, verb.client_logos, verb.exports)
                    || case when verb.name = 'select' then format(export, 'true') else '' end || ')'
                else '' end,
            case when verb.name in ('insert', 'update')
                then 'with check (' || format(rule, verb.csv_uploads, verb.client_logos, verb.exports)
                    || case when verb.name = 'insert' then format(export, 'e.status = ''running'' and e.created_by = (select switchboard.user_id())') else '' end || ')'
                else '' end);
    end loop;

    create or replace trigger guard_object
        before update on storage.objects
        for each row
        when (
            new.bucket_id is distinct from old.bucket_id
            and (
                old.bucket_id in ('csv_uploads', 'client_logos', 'exports')
                or new.bucket_id in ('csv_uploads', 'client_logos', 'exports')
            )
            or new.bucket_id in ('csv_uploads', 'client_logos', 'exports')
            and split_part(new.name, '/', 1) is distinct from split_part(old.name, '/', 1)
        )
        execute function private.guard_object();
    return true;
end;
$$;
comment on function private.attach_storage() is
    'For migrations and the database owner. Makes the buckets csv_uploads, client_logos and exports, and the policies of storage.objects: the first folder of a name is the organization''s id. Safe to run again; false where Storage is not there (yet). Raises 42501 where postgres may not make policies on storage.objects.';

select private.attach_storage();
