-- The one statement that writes an import: new leads, what merged ones gain, errors, and rows that made no lead.
-- Long: one statement does the work, so that every row is decided against the same state and written once.

create function private.import_batch(job private.import_job) returns jsonb
    language plpgsql volatile
    set search_path = ''
    set jit = off
    set work_mem = '16MB'
as $$
#variable_conflict use_column
declare
    v_org constant uuid := job.organization_id;
    v_merges constant boolean := job.options ->> 'duplicate_action' = 'merge';
    v_flags constant boolean := job.options ->> 'duplicate_action' = 'flag';
    v_report jsonb;
begin
    with
    decided as materialized (select * from private.decide_rows(job)),
    -- What all rows of one number say together: the first value of each field, all notes.
    folded as materialized (
        select d.phone_number,
            (array_agg(d.last_name order by d.row_number) filter (where d.last_name is not null))[1] as last_name,
            (array_agg(d.phone_extension order by d.row_number)
                filter (where d.phone_extension is not null))[1] as phone_extension,
            (array_agg(d.email order by d.row_number) filter (where d.email is not null))[1] as email,
            (array_agg(d.postcode order by d.row_number) filter (where d.postcode is not null))[1] as postcode,
            (array_agg(d.inquiry_date order by d.row_number) filter (where d.inquiry_date is not null))[1] as inquiry_date,
            (array_agg(d.consent_basis order by d.row_number) filter (where d.consent_basis is not null))[1] as consent_basis,
            (array_agg(d.consent_at order by d.row_number) filter (where d.consent_at is not null))[1] as consent_at,
            left(string_agg(d.notes, e'\n' order by d.row_number), 10000) as notes,
            (array_agg(d.lead_id) filter (where d.decision = 'merged'))[1] as lead_id,
            (
                select jsonb_object_agg(a.key, a.value order by u.place desc)
                from unnest(array_agg(d.attributes order by d.row_number)) with ordinality as u (attributes, place)
                cross join lateral jsonb_each(u.attributes) as a
            ) as attributes
        from decided d
        where v_merges and d.decision in ('inserted', 'merged')
        group by d.phone_number
        having count(*) > 1 or bool_or(d.decision = 'merged')
    ),
    inserted as (
        insert into public.leads as l (
            organization_id, id, dataset_id, first_name, last_name, phone_number, phone_input,
            phone_extension, email, postcode, inquiry_date, notes, attributes, consent_basis, consent_at,
            contact_status, status_set_by, duplicate_of, dup_seq, upload_id, row_number, imported_at
        )
        -- The number as it was read above, and the text as typed: the trigger on leads keeps both.
        select v_org, d.id, job.dataset_id, d.first_name,
            coalesce(f.last_name, d.last_name), d.phone_number, d.phone_input,
            coalesce(f.phone_extension, d.phone_extension), coalesce(f.email, d.email),
            coalesce(f.postcode, d.postcode), coalesce(f.inquiry_date, d.inquiry_date),
            coalesce(f.notes, d.notes),
            coalesce(case when switchboard.json_is_bounded(f.attributes, 65536) then f.attributes end, d.attributes),
            coalesce(f.consent_basis, d.consent_basis), coalesce(f.consent_at, d.consent_at),
            case when d.keeps_opt_out then 'REMOVED' else 'READY' end,
            case when d.keeps_opt_out then 'system' end,
            case when v_flags and not d.keeps_opt_out then d.lead_id end,
            d.dup_seq, job.upload_id, d.row_number, now()
        from decided d
        left join folded f on f.phone_number = d.phone_number
        where d.decision = 'inserted' or d.keeps_opt_out
        order by d.row_number
    ),
    -- In the order of ids, as everybody who writes several leads. With all that is merged, for two lists that nobody has
    -- counted would be joined by a loop in a loop.
    locked as materialized (
        select f.*, l.updated_at <= l.imported_at as is_untouched
        from folded f
        join public.leads l on l.organization_id = v_org and l.id = f.lead_id
        order by l.id
        for no key update of l
    ),
    merged as (
        update public.leads l
        set imported_at = case when f.is_untouched then now() else l.imported_at end,
            last_name = coalesce(l.last_name, f.last_name),
            phone_extension = coalesce(l.phone_extension, f.phone_extension),
            email = coalesce(l.email, f.email),
            postcode = coalesce(l.postcode, f.postcode),
            inquiry_date = coalesce(l.inquiry_date, f.inquiry_date),
            consent_basis = coalesce(l.consent_basis, f.consent_basis),
            consent_at = coalesce(l.consent_at, f.consent_at),
            notes = case
                when f.notes is null or position(e'\n' || f.notes || e'\n' in e'\n' || l.notes || e'\n') > 0 then l.notes
                else left(concat_ws(e'\n', l.notes, f.notes), 10000)
            end,
            attributes = case
                when switchboard.json_is_bounded(f.attributes || l.attributes, 65536) then f.attributes || l.attributes
                else l.attributes
            end
        from locked f
        where l.organization_id = v_org and l.id = f.lead_id
    ),
    reported as materialized (
        select d.row_number, p.field, p."column", p.value, p.reason
        from decided d
        cross join lateral jsonb_to_recordset(d.problems) as p (field text, "column" text, value text, reason text)
        where d.problems is not null
    ),
    recorded_errors as (
        insert into public.upload_errors (
            organization_id, upload_id, dataset_id, row_number, column_name, value, reason
        )
        select v_org, job.upload_id, job.dataset_id, r.row_number, r."column", r.value, r.reason
        from reported r
    ),
    recorded_rows as (
        insert into public.upload_rows (organization_id, upload_id, dataset_id, row_number, decision, lead_id)
        select v_org, job.upload_id, job.dataset_id, d.row_number, d.decision,
            case when d.keeps_opt_out then d.id else d.lead_id end
        from decided d
        where d.decision in ('merged', 'skipped', 'suppressed')
    )
    select jsonb_build_object(
            'detected', count(*),
            'inserted', count(*) filter (where d.decision = 'inserted'),
            'merged', count(*) filter (where d.decision = 'merged'),
            'skipped', count(*) filter (where d.decision = 'skipped'),
            'suppressed', count(*) filter (where d.decision = 'suppressed'),
            'failed', count(*) filter (where d.decision = 'failed'),
            'ends_at', max(d.ends_at),
            'errors', (
                select coalesce(jsonb_agg(
                    jsonb_build_object('row', r.row_number, 'column', r."column", 'value', r.value, 'reason', r.reason)
                    order by r.row_number, r.field, r.reason
                ), '[]')
                from reported r
            ),
            'duplicates', coalesce(jsonb_agg(
                jsonb_build_object('row', d.row_number, 'action', case
                    when d.decision <> 'inserted' then d.decision
                    when v_flags then 'flagged'
                    else 'kept'
                end, 'lead_id', d.lead_id)
                order by d.row_number
            ) filter (where d.lead_id is not null), '[]')
        )
        into strict v_report
        from decided d;
    return v_report;
exception
    when foreign_key_violation or unique_violation then
        raise exception using
            errcode = 'PT409',
            message = 'leads_changed',
            detail = 'A lead with one of the numbers came or went at the same moment.',
            hint = 'Send the request again: nothing of it was done.';
end;
$$;
comment on function private.import_batch(private.import_job) is
    'Writes the rows of an import and answers how many became what, the errors, the duplicates and where in the file it ended. As the tables'' owner: an opt-out counts whichever dataset it stands in. Raises 22023, PT409 leads_changed, PT429 quota_exceeded.';

create function private.count_upload(org uuid, upload_id uuid, report jsonb) returns public.uploads
    language sql volatile
    set search_path = ''
begin atomic
    update public.uploads u
        set rows_detected = u.rows_detected + (report ->> 'detected')::integer,
            rows_inserted = u.rows_inserted + (report ->> 'inserted')::integer,
            rows_merged = u.rows_merged + (report ->> 'merged')::integer,
            rows_skipped = u.rows_skipped + (report ->> 'skipped')::integer,
            rows_suppressed = u.rows_suppressed + (report ->> 'suppressed')::integer,
            rows_failed = u.rows_failed + (report ->> 'failed')::integer,
            -- Rows of a list have no place in a file.
            bytes_read = coalesce((report ->> 'ends_at')::bigint, u.bytes_read)
        where u.organization_id = org and u.id = count_upload.upload_id
        returning u.*;
end;
comment on function private.count_upload(uuid, uuid, jsonb) is
    'Adds what a batch made of its rows to the counts of its upload, and notes where in the file it ended. Raises nothing.';
