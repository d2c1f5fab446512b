-- What becomes of each row of an import, decided without writing anything: import_batch writes it, preview_upload counts it.

create type private.import_job as (
    organization_id uuid,
    upload_id uuid,
    dataset_id uuid,
    scope uuid[],
    options jsonb,
    rows jsonb,
    source text,
    from_byte bigint,
    first_row integer,
    max_rows integer
);
comment on type private.import_job is
    'Rows to import: a JSON array, or max_rows of a file whose pieces the query source answers, from a byte on. scope: the caller''s datasets, NULL for all. options: private.import_options.';

create function private.parse_rows(job private.import_job) returns table (
    row_number integer, ends_at bigint, first_name text, last_name text, phone_number text, phone_input text,
    phone_extension text, email text, postcode text, inquiry_date date, notes text, consent_basis text, consent_at date,
    attributes jsonb, problems jsonb
)
    language sql volatile
    set search_path = ''
    set jit = off
begin atomic
    select f.row_number, f.ends_at, f.first_name, f.last_name, f.phone_number, f.phone_input, f.phone_extension, f.email,
            f.postcode, f.inquiry_date, f.notes, f.consent_basis, f.consent_at, f.attributes, f.problems
        from switchboard.csv_leads(
            (job).source, private.lead_options((job).options), (job).from_byte, (job).first_row, (job).max_rows
        ) as f
        where (job).rows is null
    union all
    select r.ordinality::integer, null, p.first_name, p.last_name, p.phone_number, p.phone_input, p.phone_extension, p.email,
            p.postcode, p.inquiry_date, p.notes, p.consent_basis, p.consent_at, p.attributes, p.problems
        from jsonb_array_elements((job).rows) with ordinality as r
        cross join lateral switchboard.parse_lead(r.value, private.lead_options((job).options)) as p;
end;
comment on function private.parse_rows(private.import_job) is
    'The rows of an import as switchboard.csv_leads and parse_lead read them. Raises 22023.';

create function private.decide_rows(job private.import_job) returns table (
    id uuid, row_number integer, ends_at bigint, first_name text, last_name text, phone_number text, phone_input text,
    phone_extension text, email text, postcode text, inquiry_date date, notes text, consent_basis text, consent_at date,
    attributes jsonb, problems jsonb, decision text, lead_id uuid, is_first boolean, dup_seq integer, keeps_opt_out boolean
)
    language sql volatile
    set search_path = ''
    -- The planner cannot know how many rows there are, and compiling the statement for its guess took 2.2 s where the work
    -- takes 0.9 s.
    set jit = off
    set work_mem = '16MB'
begin atomic
    with
    parsed as materialized (
        select gen_random_uuid() as id, p.*,
            -- In file order: the first row of a number stands for the later ones.
            row_number() over (partition by p.phone_number, p.problems is null order by p.row_number)::integer as nth
        from private.parse_rows(job) as p
    ),
    numbers as materialized (
        select p.phone_number, p.id as first_id from parsed p where p.problems is null and p.nth = 1
    ),
    -- Leads in the caller's scope are duplicates; an opt-out counts whichever dataset it came from.
    suppressed as materialized (
        select distinct s.phone_number
        from private.suppressed_numbers((job).organization_id, array(select n.phone_number from numbers n)) as s (phone_number)
    ),
    known as materialized (
        select n.phone_number, n.first_id, s.phone_number is not null as is_suppressed, l.lead_id,
            coalesce(l.last_seq, -1) as last_seq
        from numbers n
        left join suppressed s on s.phone_number = n.phone_number
        left join lateral (
            select e.id as lead_id, (
                    select max(t.dup_seq) from public.leads t
                    where t.organization_id = (job).organization_id
                        and t.dataset_id = (job).dataset_id
                        and t.phone_number = n.phone_number
                ) as last_seq
            from public.leads e
            where e.organization_id = (job).organization_id
                and e.phone_number = n.phone_number
                and ((job).scope is null or e.dataset_id = any ((job).scope))
            order by e.dataset_id = (job).dataset_id desc, e.duplicate_of is not null, e.created_at, e.id
            limit 1
        ) as l on true
    )
    select p.id, p.row_number, p.ends_at, p.first_name, p.last_name, p.phone_number, p.phone_input, p.phone_extension,
            p.email, p.postcode, p.inquiry_date, p.notes, p.consent_basis, p.consent_at, p.attributes, p.problems,
            case
                when p.problems is not null then 'failed'
                when k.is_suppressed then 'suppressed'
                when k.lead_id is null and p.nth = 1 then 'inserted'
                when (job).options ->> 'duplicate_action' = 'skip' then 'skipped'
                when (job).options ->> 'duplicate_action' = 'merge' then 'merged'
                else 'inserted'
            end,
            coalesce(k.lead_id, case when p.nth > 1 then k.first_id end),
            coalesce(k.lead_id is null and p.nth = 1, false),
            k.last_seq + p.nth,
            -- Once in the dataset, which the caller may see.
            coalesce(k.is_suppressed and k.last_seq < 0 and p.nth = 1, false)
        from parsed p
        left join known k on k.phone_number = p.phone_number and p.problems is null;
end;
comment on function private.decide_rows(private.import_job) is
    'What becomes of each row: failed (problems), suppressed, inserted, skipped or merged; lead_id: the lead that it repeats, also one of an earlier row; keeps_opt_out: suppressed, and kept in the dataset as REMOVED. Raises 22023.';
