-- Lead import for lists that fit in one request. One statement classifies, merges and inserts all rows; every row is
-- accounted for in the report and in its uploads row. It runs as the tables' owner, because an opt-out counts whichever
-- dataset it stands in, also for a member who may not see that dataset; what the caller may do is therefore asked at the
-- head and in the statement.
-- jit = off: the planner cannot know how many rows a JSON array holds, and compiling the statement for its guess took
-- 2.2 s where the work takes 0.9 s.
-- Long: one statement does the work, see above.

create function private.import_leads(p_dataset_id uuid, p_rows jsonb, p_options jsonb) returns jsonb
    language plpgsql volatile security definer
    set search_path = ''
    set jit = off
as $$
#variable_conflict use_column
declare
    -- One statement and one answer; more belongs into several calls, or into a file upload.
    max_rows constant integer := 10000;
    -- Counted as printed and before anything is: 64 kB of numbers like 1e131071 would be a gigabyte of text.
    max_bytes constant integer := 16 * 1024 * 1024;
    fields constant text[] := array[
        'first_name', 'last_name', 'phone_number', 'phone_extension', 'email', 'postcode', 'inquiry_date',
        'notes'
    ];
    v_started timestamptz := clock_timestamp();
    v_org uuid := switchboard.require_organization('uploads.write');
    v_scope uuid[] := switchboard.dataset_scope();
    v_upload uuid := gen_random_uuid();
    v_options jsonb := coalesce(p_options, '{}');
    v_country text;
    v_home_code integer;
    v_day_first boolean;
    v_action text;
    v_normalize boolean;
    v_international boolean;
    v_required text[];
    v_mapping jsonb;
    v_mapped text[];
    v_bad text;
    v_report jsonb;
begin
    perform switchboard.require_organization('leads.write');
    -- Nobody imports leads that they could not see afterwards.
    perform switchboard.require_organization('leads.read_all');
    if p_rows is null or jsonb_typeof(p_rows) <> 'array' then
        raise exception using errcode = '22023', message = 'rows must be a JSON array of objects';
    end if;
    if jsonb_array_length(p_rows) > max_rows then
        raise exception using
            errcode = 'PT429',
            message = 'too_many_rows',
            detail = format('%s rows in one call; the limit is %s.', jsonb_array_length(p_rows), max_rows),
            hint = 'Send the rows in several calls.';
    end if;
    if not switchboard.json_is_bounded(p_rows, max_bytes) then
        raise exception using
            errcode = 'PT413',
            message = 'rows_too_large',
            detail = 'The rows have more than 16 MB of JSON text.',
            hint = 'Send the rows in several calls.';
    end if;
    if not switchboard.json_is_bounded(v_options, 65536) then
        raise exception using errcode = '22023', message = 'options must not exceed 64 kB of JSON text';
    end if;
    if jsonb_typeof(v_options) <> 'object' then
        raise exception using errcode = '22023', message = 'options must be a JSON object';
    end if;
    select min(k) into v_bad
        from jsonb_object_keys(v_options) as k
        where k not in (
            'filename', 'mapping', 'duplicate_action', 'auto_normalize_uk_numbers',
            'allow_international', 'required_fields'
        );
    if v_bad is not null then
        raise exception using
            errcode = '22023',
            message = format('options.%s is unknown', v_bad),
            hint = 'Known: filename, mapping, duplicate_action, auto_normalize_uk_numbers, allow_international, required_fields.';
    end if;
    select min(k) into v_bad
        from unnest(array['auto_normalize_uk_numbers', 'allow_international']) as k
        where jsonb_typeof(v_options -> k) <> 'boolean';
    if v_bad is not null then
        raise exception using errcode = '22023', message = format('options.%s must be true or false', v_bad);
    end if;
    if jsonb_typeof(v_options -> 'required_fields') <> 'array' then
        raise exception using errcode = '22023', message = 'options.required_fields must be a JSON array';
    end if;

    -- One import at a time in an organization: duplicates are looked for in all its datasets, and two
    -- imports side by side would miss each other's rows. The second does not wait, for each that does holds one of the
    -- few connections that all organizations share.
    if not pg_try_advisory_xact_lock(hashtextextended('import_leads ' || v_org, 0)) then
        raise exception using
            errcode = 'PT409',
            message = 'import_running',
            detail = 'Another import of the organization is not finished.',
            hint = 'Send the rows again when it has been answered.';
    end if;

    select o.default_country,
            o.calling_code,
            coalesce(v_options ->> 'duplicate_action', s.duplicate_action, 'flag'),
            coalesce((v_options ->> 'auto_normalize_uk_numbers')::boolean, s.auto_normalize_uk_numbers, true),
            coalesce((v_options ->> 'allow_international')::boolean, s.allow_international, false),
            array(
                select distinct f
                from jsonb_array_elements_text(
                    coalesce(v_options -> 'required_fields', s.required_fields, '[]')
                    || '["first_name", "phone_number"]'
                ) as f
                order by f
            ),
            coalesce(v_options -> 'mapping', d.column_mapping)
        into v_country, v_home_code, v_action, v_normalize, v_international, v_required, v_mapping
        from public.datasets d
        join public.organizations o on o.id = d.organization_id
        left join public.campaign_settings s
            on s.organization_id = d.organization_id and s.id = d.campaign_settings_id
        where d.organization_id = v_org
            and d.id = p_dataset_id
            and (v_scope is null or d.id = any (v_scope));
    if not found then
        raise exception using
            errcode = 'PT404',
            message = 'dataset_not_found',
            detail = 'You have no dataset with this id in this organization.';
    end if;

    if v_action not in ('flag', 'skip', 'merge', 'keep_both') then
        raise exception using
            errcode = '22023',
            message = 'options.duplicate_action must be flag, skip, merge or keep_both';
    end if;
    if not v_required <@ fields then
        raise exception using
            errcode = '22023',
            message = 'options.required_fields names an unknown field',
            hint = 'Fields: ' || array_to_string(fields, ', ') || '.';
    end if;
    if jsonb_typeof(v_mapping) <> 'object' then
        raise exception using errcode = '22023', message = 'options.mapping must be a JSON object';
    end if;
    select min(m.key) into v_bad
        from jsonb_each(v_mapping) as m
        where m.value <> 'null' and not coalesce((m.value #>> '{}') = any (fields), false);
    if v_bad is not null then
        raise exception using
            errcode = '22023',
            message = format('mapping of column %s names no lead field', quote_ident(v_bad)),
            hint = 'Fields: ' || array_to_string(fields, ', ') || '; null keeps the column in attributes.';
    end if;
    v_mapped := array(select m.value from jsonb_each_text(v_mapping) as m where m.value is not null);
    select min(f) into v_bad from unnest(v_mapped) as f group by f having count(*) > 1;
    if v_bad is not null then
        raise exception using errcode = '22023', message = format('two columns are mapped to %s', v_bad);
    end if;

    -- A file without a required column is refused as a whole; an empty cell is an error of its row.
    select string_agg(f, ', ' order by f) into v_bad
        from unnest(v_required) as f
        where jsonb_array_length(p_rows) > 0 and not exists (
            select from jsonb_array_elements(p_rows) as r
            where case when jsonb_typeof(r) = 'object' then r ? coalesce(
                (select m.key from jsonb_each_text(v_mapping) as m where m.value = f), f
            ) end
        );
    if v_bad is not null then
        raise exception using
            errcode = '22023',
            message = format('required column missing: %s', v_bad),
            hint = 'Name the columns like the fields, or map them with options.mapping.';
    end if;

    -- Dates are ISO 8601; the slashed form is day first, except where it is month first and therefore
    -- not to be guessed.
    v_day_first := v_country <> 'US';

    with
    raw as materialized (
        select r.ordinality::integer as row_number, r.value as line, jsonb_typeof(r.value) = 'object' as is_object
        from jsonb_array_elements(p_rows) with ordinality as r
    ),
    -- A cell that is too long goes no further than its verdict. 64 kB hold the longest notes, however escaped.
    cell as materialized (
        select raw.row_number,
            c.key as column_name,
            case when x.verdict is null then c.value else 'null' end as given,
            x.verdict,
            case
                when v_mapping ? c.key then v_mapping ->> c.key
                when c.key = any (fields) and not c.key = any (v_mapped) then c.key
            end as field
        from raw
        cross join lateral jsonb_each(case when raw.is_object then raw.line else '{}' end) as c
        cross join lateral (
            select case
                when jsonb_typeof(c.value) = 'number' and not switchboard.json_is_bounded(c.value, 40)
                    then 'number_too_long'
                when not switchboard.json_is_bounded(c.value, 65536) then 'too_long'
            end as verdict
        ) as x
    ),
    -- Spreadsheet artefacts ="…" and '… are unwrapped, white space round a value goes, and nothing is
    -- ever evaluated: a cell that begins with = + - @ stays the text it is.
    cleaned as materialized (
        select cell.*,
            nullif(regexp_replace(
                case
                    when t.text ~ '^="[^"]*"$' then substr(t.text, 3, length(t.text) - 3)
                    when t.text ~ '^''[=+@0-9-]' then substr(t.text, 2)
                    else t.text
                end,
                '^[\s\u00a0\u200b-\u200d\u2060\ufeff]+|[\s\u00a0\u200b-\u200d\u2060\ufeff]+$', '', 'g'
            ), '') as value
        from cell
        cross join lateral (select cell.given #>> '{}' as text) as t
    ),
    shaped as materialized (
        select raw.row_number,
            max(c.value) filter (where c.field = 'first_name') as first_name,
            max(c.value) filter (where c.field = 'last_name') as last_name,
            max(c.value) filter (where c.field = 'phone_number') as phone,
            max(c.given #>> '{}') filter (where c.field = 'phone_number') as phone_input,
            max(c.value) filter (where c.field = 'phone_extension') as given_extension,
            max(c.value) filter (where c.field = 'email') as email,
            max(c.value) filter (where c.field = 'postcode') as postcode,
            max(c.value) filter (where c.field = 'inquiry_date') as inquiry_date,
            max(c.value) filter (where c.field = 'notes') as notes,
            coalesce(
                jsonb_object_agg(c.column_name, c.given)
                    filter (where c.field is null and c.given <> 'null' and c.given <> '""'),
                '{}'
            ) as attributes
        from raw
        left join cleaned c on c.row_number = raw.row_number
        group by raw.row_number
    ),
    parsed as materialized (
        select s.*,
            p.e164,
            coalesce(s.given_extension, p.extension) as phone_extension,
            case
                when s.phone is null then null
                when p.validity in ('valid', 'test_range') then
                    case
                        when not v_international and p.calling_code is distinct from v_home_code
                            then 'international_not_allowed'
                    end
                else coalesce(p.reason, 'invalid_phone')
            end as phone_problem,
            make_date(d.year, d.month, 1) + (d.day - 1) as inquired_on,
            s.inquiry_date is not null and d.year is null as date_problem
        from shaped s
        -- Without normalizing, a number carries its country: with +, or with 00 where that is the exit code.
        left join lateral switchboard.parse_phone(
            s.phone, case when v_normalize or s.phone ~ '^\W*00' then v_country end
        ) as p on s.phone is not null
        left join lateral (
            select x.year, x.month, x.day
            from (
                select case
                        when s.inquiry_date ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
                            then string_to_array(s.inquiry_date, '-')
                        when v_day_first and s.inquiry_date ~ '^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$'
                            then array[
                                split_part(s.inquiry_date, '/', 3),
                                split_part(s.inquiry_date, '/', 2),
                                split_part(s.inquiry_date, '/', 1)
                            ]
                    end::integer[] as part
            ) as parts
            cross join lateral (
                select part[1] as year, part[2] as month, part[3] as day
            ) as x
            where x.year >= 1900
                and x.month between 1 and 12
                and x.day between 1 and extract(
                    day from make_date(x.year, x.month, 1) + interval '1 month' - interval '1 day'
                )
        ) as d on true
    ),
    problem as materialized (
        select raw.row_number, null::text as field,
            case when switchboard.json_is_bounded(raw.line, 65536) then left(raw.line #>> '{}', 500) end as value,
            'not_an_object' as reason
        from raw where not raw.is_object
        union all
        select c.row_number, coalesce(c.field, c.column_name), null, c.verdict
        from cell c
        where c.verdict is not null
        union all
        select p.row_number, null, null, 'attributes_too_long'
        from parsed p
        where not switchboard.json_is_bounded(p.attributes, 65536)
        union all
        select c.row_number, c.field, c.given #>> '{}', 'not_a_text'
        from cleaned c
        where c.field is not null and jsonb_typeof(c.given) in ('object', 'array')
        union all
        select c.row_number, c.field, c.given #>> '{}', 'too_long'
        from cleaned c
        where length(c.value) > case c.field
            when 'first_name' then 200
            when 'last_name' then 200
            when 'phone_number' then 250
            when 'email' then 320
            when 'postcode' then 20
            when 'notes' then 10000
        end
        union all
        select p.row_number, f.name, c.given #>> '{}', 'required'
        from parsed p
        join raw on raw.row_number = p.row_number and raw.is_object
        cross join lateral (values
            ('first_name', p.first_name),
            ('last_name', p.last_name),
            ('phone_number', p.phone),
            ('phone_extension', p.phone_extension),
            ('email', p.email),
            ('postcode', p.postcode),
            ('inquiry_date', p.inquiry_date),
            ('notes', p.notes)
        ) as f (name, value)
        left join cell c on c.row_number = p.row_number and c.field = f.name
        where f.value is null and f.name = any (v_required) and c.verdict is null
        union all
        select p.row_number, 'phone_number', p.phone_input, p.phone_problem
        from parsed p where p.phone_problem is not null
        union all
        select p.row_number, 'phone_extension', p.given_extension, 'invalid_extension'
        from parsed p where p.given_extension !~ '^[0-9]{1,20}$'
        union all
        select p.row_number, 'email', p.email, 'invalid_email'
        -- A longer one is too_long.
        from parsed p where length(p.email) <= 320 and not private.is_email(p.email)
        union all
        select p.row_number, 'inquiry_date', p.inquiry_date, 'invalid_date'
        from parsed p where p.date_problem
    ),
    good as materialized (
        select p.*,
            gen_random_uuid() as id,
            row_number() over (partition by p.e164 order by p.row_number)::integer as nth
        from parsed p
        where not exists (select from problem x where x.row_number = p.row_number)
    ),
    -- Leads in the caller's scope are duplicates; an opt-out counts whichever dataset it came from.
    existing as materialized (
        select g.e164 as phone_number,
            (array_agg(
                l.id order by l.dataset_id = p_dataset_id desc, l.duplicate_of is not null, l.created_at, l.id
            ) filter (where v_scope is null or l.dataset_id = any (v_scope)))[1] as lead_id,
            s.suppressed,
            coalesce(max(l.dup_seq) filter (where l.dataset_id = p_dataset_id), -1) as last_seq
        from (select distinct g.e164 from good g) as g
        cross join lateral (
            select exists (
                select from public.suppressions s
                where s.organization_id = v_org and s.phone_number = g.e164 and s.lifted_at is null
            ) as suppressed
        ) as s
        left join public.leads l
            on l.organization_id = v_org
            and l.phone_number = g.e164
            and (v_scope is null or l.dataset_id = any (v_scope))
        where s.suppressed or l.id is not null
        group by g.e164, s.suppressed
    ),
    -- In file order: the first row of a number stands for the later ones.
    decided as materialized (
        select g.*,
            coalesce(e.lead_id, case when g.nth > 1 then f.id end) as duplicate_of,
            coalesce(e.last_seq, -1) + g.nth as dup_seq,
            case
                when e.suppressed then 'suppressed'
                when e.lead_id is null and g.nth = 1 then 'inserted'
                when v_action = 'skip' then 'skipped'
                when v_action = 'merge' then 'merged'
                else 'inserted'
            end as decision,
            -- Once in the dataset, which the caller may see.
            coalesce(e.suppressed and e.last_seq < 0 and g.nth = 1, false) as keep_suppressed
        from good g
        join good f on f.e164 = g.e164 and f.nth = 1
        left join existing e on e.phone_number = g.e164
    ),
    -- What all rows of one number say together: the first value of each field, all notes.
    folded as materialized (
        select d.e164,
            (array_agg(d.last_name order by d.row_number) filter (where d.last_name is not null))[1] as last_name,
            (array_agg(d.phone_extension order by d.row_number)
                filter (where d.phone_extension is not null))[1] as phone_extension,
            (array_agg(d.email order by d.row_number) filter (where d.email is not null))[1] as email,
            (array_agg(d.postcode order by d.row_number) filter (where d.postcode is not null))[1] as postcode,
            (array_agg(d.inquired_on order by d.row_number) filter (where d.inquired_on is not null))[1] as inquired_on,
            left(string_agg(d.notes, e'\n' order by d.row_number), 10000) as notes
        from decided d
        where v_action = 'merge' and d.decision <> 'suppressed'
        group by d.e164
        having count(*) > 1 or bool_or(d.decision = 'merged')
    ),
    folded_attributes as materialized (
        select f.e164, jsonb_object_agg(a.key, a.value order by d.row_number desc) as attributes
        from folded f
        join decided d on d.e164 = f.e164
        cross join lateral jsonb_each(d.attributes) as a
        group by f.e164
        having switchboard.json_is_bounded(jsonb_object_agg(a.key, a.value order by d.row_number desc), 65536)
    ),
    inserted as (
        insert into public.leads as l (
            organization_id, id, dataset_id, first_name, last_name, phone_number, phone_input,
            phone_extension, email, postcode, inquiry_date, notes, attributes, contact_status, duplicate_of,
            dup_seq, upload_id, row_number
        )
        -- The number as it was read above, and the text as typed: the trigger on leads keeps both.
        select v_org, d.id, p_dataset_id, d.first_name,
            coalesce(f.last_name, d.last_name), d.e164, d.phone,
            coalesce(f.phone_extension, d.phone_extension), coalesce(f.email, d.email),
            coalesce(f.postcode, d.postcode), coalesce(f.inquired_on, d.inquired_on),
            coalesce(f.notes, d.notes), coalesce(a.attributes, d.attributes),
            case when d.keep_suppressed then 'REMOVED' else 'READY' end,
            case when v_action = 'flag' and not d.keep_suppressed then d.duplicate_of end,
            d.dup_seq, v_upload, d.row_number
        from decided d
        left join folded f on f.e164 = d.e164
        left join folded_attributes a on a.e164 = d.e164
        where d.decision = 'inserted' or d.keep_suppressed
        order by d.row_number
        returning l.id
    ),
    merged as (
        update public.leads l
        set last_name = coalesce(l.last_name, f.last_name),
            phone_extension = coalesce(l.phone_extension, f.phone_extension),
            email = coalesce(l.email, f.email),
            postcode = coalesce(l.postcode, f.postcode),
            inquiry_date = coalesce(l.inquiry_date, f.inquired_on),
            notes = case
                when f.notes is null or position(f.notes in l.notes) > 0 then l.notes
                else left(concat_ws(e'\n', l.notes, f.notes), 10000)
            end,
            attributes = case
                when switchboard.json_is_bounded(a.attributes || l.attributes, 65536) then a.attributes || l.attributes
                else l.attributes
            end
        from folded f
        join existing e on e.phone_number = f.e164
        left join folded_attributes a on a.e164 = f.e164
        where l.organization_id = v_org and l.id = e.lead_id
        returning l.id
    ),
    reported as materialized (
        select p.row_number, p.field,
            left(coalesce(
                (select m.key from jsonb_each_text(v_mapping) as m where m.value = p.field), p.field
            ), 500) as column_name,
            left(p.value, 500) as value,
            p.reason
        from problem p
    ),
    error_list as (
        select coalesce(jsonb_agg(
            jsonb_build_object(
                'row', p.row_number, 'column', p.column_name, 'value', p.value, 'reason', p.reason
            ) order by p.row_number, p.field, p.reason
        ), '[]') as errors
        from reported p
    ),
    recorded_errors as (
        insert into public.upload_errors (
            organization_id, upload_id, dataset_id, row_number, column_name, value, reason
        )
        select v_org, v_upload, p_dataset_id, p.row_number, p.column_name, p.value, p.reason
        from reported p
    ),
    counted as (
        select (select count(*) from raw) as detected,
            count(*) filter (where d.decision = 'inserted') as inserted,
            count(*) filter (where d.decision = 'merged') as merged,
            count(*) filter (where d.decision = 'skipped') as skipped,
            count(*) filter (where d.decision = 'suppressed') as suppressed,
            (select count(distinct p.row_number) from problem p) as failed,
            coalesce(jsonb_agg(
                jsonb_build_object('row', d.row_number, 'action', case
                    when d.decision <> 'inserted' then d.decision
                    when v_action = 'flag' then 'flagged'
                    else 'kept'
                end, 'lead_id', d.duplicate_of)
                order by d.row_number
            ) filter (where d.duplicate_of is not null), '[]') as duplicates
        from decided d
    ),
    recorded as (
        insert into public.uploads (
            organization_id, id, dataset_id, filename, status, mapping, options, rows_detected,
            rows_inserted, rows_merged, rows_skipped, rows_suppressed, rows_failed, started_at,
            completed_at
        )
        select v_org, v_upload, p_dataset_id,
            coalesce(nullif(btrim(left(v_options ->> 'filename', 500)), ''), 'import_leads'),
            'completed', v_mapping,
            jsonb_build_object(
                'duplicate_action', v_action,
                'auto_normalize_uk_numbers', v_normalize,
                'allow_international', v_international,
                'required_fields', to_jsonb(v_required)
            ),
            c.detected, c.inserted, c.merged, c.skipped, c.suppressed, c.failed, v_started,
            clock_timestamp()
        from counted c
    )
    select jsonb_build_object(
            'upload_id', v_upload,
            'detected', c.detected,
            'inserted', c.inserted,
            'merged', c.merged,
            'skipped', c.skipped,
            'suppressed', c.suppressed,
            'failed', c.failed,
            'errors', e.errors,
            'duplicates', c.duplicates
        )
        into strict v_report
        from counted c cross join error_list e;
    return v_report;
end;
$$;
comment on function private.import_leads(uuid, jsonb, jsonb) is
    'Body of public.import_leads; see there. Definer: opt-outs of datasets outside of the caller''s scope must be found.';

create function public.import_leads(
    dataset_id uuid,
    rows jsonb,
    options jsonb default '{}'
) returns jsonb
    language sql volatile
    set search_path = ''
begin atomic
    select private.import_leads(dataset_id, rows, options);
end;
comment on function public.import_leads(uuid, jsonb, jsonb) is
    'Imports up to 10,000 rows into a dataset in one transaction; the report accounts for every row. Raises PT401, PT400, PT403 (uploads.write, leads.write, leads.read_all), PT404 dataset_not_found (also outside of the caller''s datasets), PT409 import_running, PT413 rows_too_large, PT429 too_many_rows, 22023 (rows, options, mapping), 23505 when a lead with the number is inserted at the same moment.';
grant execute on function private.import_leads(uuid, jsonb, jsonb) to authenticated;
grant execute on function public.import_leads(uuid, jsonb, jsonb) to authenticated;
