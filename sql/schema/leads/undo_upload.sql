-- The ways out of an import: giving up a file before or in the middle, taking back its leads, and the pieces that nobody
-- came back for.

create function private.cancel_upload(p_upload_id uuid) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    v_upload public.uploads := private.importer_upload(p_upload_id);
begin
    if v_upload.status not in ('completed', 'failed') then
        v_upload := private.give_up_upload(v_upload.organization_id, v_upload.id, 'cancelled');
    end if;
    return private.upload_progress(v_upload);
end;
$$;
comment on function private.cancel_upload(uuid) is
    'Body of public.cancel_upload; see there. Definer: clients do not touch the pieces.';

create function private.give_up_upload(org uuid, upload_id uuid, problem text) returns public.uploads
    language sql volatile
    set search_path = ''
begin atomic
    delete from private.upload_chunks c where c.organization_id = org and c.upload_id = give_up_upload.upload_id;
    update public.uploads u
        set status = 'failed', problem = give_up_upload.problem, seconds_remaining = null
        where u.organization_id = org and u.id = give_up_upload.upload_id
        returning u.*;
end;
comment on function private.give_up_upload(uuid, uuid, text) is
    'An upload that will not go on: failed, with that problem, and without its file. Raises nothing.';

create function public.cancel_upload(upload_id uuid) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.cancel_upload(upload_id);
end;
comment on function public.cancel_upload(uuid) is
    'Gives up an import that is not completed: its file goes, leads that it made stay (undo_upload takes them back). Answers as commit_upload. Raises PT401, PT400, PT403, PT404 upload_not_found.';
grant execute on function private.cancel_upload(uuid) to authenticated;
grant execute on function public.cancel_upload(uuid) to authenticated;

create function private.undo_upload(p_upload_id uuid) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
as $$
declare
    batch constant integer := 20000;
    v_upload public.uploads := private.importer_upload(p_upload_id);
    v_seen uuid[];
    v_ids uuid[];
    v_last uuid := '00000000-0000-0000-0000-000000000000'::uuid;
    v_is_done boolean;
    v_deleted integer;
    v_kept integer;
begin
    perform switchboard.require_organization('leads.delete');
    if v_upload.status not in ('completed', 'failed') then
        raise exception using
            errcode = 'PT409',
            message = 'upload_running',
            detail = format('The upload is %s.', v_upload.status),
            hint = 'cancel_upload ends it; undo_upload then takes its leads back.';
    end if;
    loop
        -- Locked, so that they are as they are seen here; all of them before the counters, which the DELETE moves.
        v_seen := array(
            select l.id from public.leads l
            where l.organization_id = v_upload.organization_id
                and l.upload_id = v_upload.id
                and l.id > v_last
                and l.updated_at <= l.imported_at
            order by l.id
            limit batch
            for update
        );
        v_last := v_seen[cardinality(v_seen)];
        v_is_done := cardinality(v_seen) < batch;
        v_ids := private.without_work(v_upload, v_seen);
        exit when v_ids <> '{}' or v_is_done;
    end loop;
    -- What was imported as their duplicate stays so untouched.
    update public.leads l
        set duplicate_of = null, imported_at = now()
        where l.organization_id = v_upload.organization_id
            and l.duplicate_of = any (v_ids)
            and l.updated_at <= l.imported_at;
    delete from public.leads l where l.organization_id = v_upload.organization_id and l.id = any (v_ids);
    get diagnostics v_deleted = row_count;
    if v_is_done then
        update public.uploads u
            set undone_at = now()
            where u.organization_id = v_upload.organization_id and u.id = v_upload.id
            returning * into strict v_upload;
    end if;
    select count(*) into v_kept
        from public.leads l
        where l.organization_id = v_upload.organization_id and l.upload_id = v_upload.id;
    return jsonb_build_object(
        'upload_id', v_upload.id, 'deleted', v_deleted, 'remaining', v_kept, 'is_done', v_is_done);
end;
$$;
comment on function private.undo_upload(uuid) is
    'Body of public.undo_upload; see there. Definer: it counts as one decision about the import, and not lead by lead.';

create function private.without_work(upload public.uploads, lead_ids uuid[]) returns uuid[]
    language sql stable
    set search_path = ''
begin atomic
    select coalesce(array_agg(l.id order by l.id), '{}')
        from public.leads l
        where l.organization_id = (upload).organization_id
            and l.id = any (lead_ids)
            and l.contact_status in ('READY', 'REMOVED')
            and l.m1_sent_at is null
            and l.last_message_at is null
            and l.reply_received_at is null
            and l.total_messages = 0
            and not exists (
                select from public.calls c where c.organization_id = l.organization_id and c.lead_id = l.id
            )
            and not exists (
                select from public.upload_rows r
                join public.uploads o on o.organization_id = r.organization_id and o.id = r.upload_id and o.undone_at is null
                where r.organization_id = l.organization_id and r.lead_id = l.id and r.upload_id <> (upload).id
            );
end;
comment on function private.without_work(public.uploads, uuid[]) is
    'Those of an import''s leads to which nobody has written, with whom nobody has spoken, and which no other import found that still stands. Raises nothing.';

create function public.undo_upload(upload_id uuid) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.undo_upload(upload_id);
end;
comment on function public.undo_upload(uuid) is
    'Deletes the leads that an import made, up to 20,000 a call: call it until is_done. Leads that were written to, called or worked on stay and are counted in remaining; what a merge filled in stays filled. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all, leads.delete), PT404 upload_not_found, PT409 upload_running.';
grant execute on function private.undo_upload(uuid) to authenticated;
grant execute on function public.undo_upload(uuid) to authenticated;

create function private.prune_uploads(older_than interval default '7 days') returns integer
    language plpgsql volatile
    set search_path = ''
as $$
declare
    v_upload record;
    v_count integer := 0;
begin
    for v_upload in
        select u.organization_id, u.id
        from public.uploads u
        where u.status in ('pending', 'mapping', 'processing')
            and u.updated_at < now() - prune_uploads.older_than
        for no key update skip locked
    loop
        perform private.give_up_upload(v_upload.organization_id, v_upload.id, 'abandoned');
        v_count := v_count + 1;
    end loop;
    return v_count;
end;
$$;
comment on function private.prune_uploads(interval) is
    'For cron and the database owner. Gives up imports on which nobody has gone on for that long, and removes their files. Answers how many. Raises nothing.';
