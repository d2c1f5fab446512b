-- The doctor's checks on grants: what is wrong in any case, and what differs from the list (operator/grants.sql).

create function private.doctor_grants() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    -- Functions are doctor_functions'.
    with breaches as (
        select case b.kind when 'table' then b.object else b.kind || ' ' || b.object end as name, b.kind, b.object, b.grantee,
            b.kind = 'table' and b.grantee in ('public', 'anon') and b.privilege in ('select', 'insert', 'update', 'delete') as is_anon,
            b.privilege ~ '^grant option ' as is_option,
            regexp_replace(b.privilege, '^grant option for ', '')
                || coalesce(' (' || string_agg(quote_ident(b.column_name), ', ' order by b.column_name) || ')', '') as privilege
        from private.grant_breaches() as b
        where b.kind <> 'routine'
        group by b.kind, b.object, b.grantee, b.privilege, b.column_name is null
    )
    select 'error',
        case when b.is_anon then 'grant_to_anon' else 'grant_too_wide' end,
        b.name,
        format(
            case
                when b.is_anon then '%s has %s: nothing here is for people who are not signed in.'
                when b.is_option then '%s may pass on %s, which no client and no server code needs.'
                else '%s has %s, which no client and no server code needs.'
            end,
            b.grantee, upper(string_agg(b.privilege, ', ' order by b.privilege))),
        private.grant_statement(
            case when b.is_option then 'revoke grant option for' else 'revoke' end,
            b.kind, b.object, string_agg(b.privilege, ', ' order by b.privilege), b.grantee)
        from breaches b
        group by b.name, b.kind, b.object, b.grantee, b.is_anon, b.is_option
    union all
    select
        case when not c.is_listed or c.surplus is null then 'warn' else 'error' end,
        case when not c.is_listed then 'grant_unlisted' when c.surplus is null then 'grant_missing' else 'grant_surplus' end,
        case c.kind when 'table' then c.object else c.kind || ' ' || c.object end,
        case
            when not c.is_listed then
                format('%s, and the list of what is meant (private.intended_grants) does not know the object. Where it is meant, private.record_grants enters it.',
                    c.surplus)
            else format('Against the list of what is meant (private.intended_grants), %s.', concat_ws('; ', c.surplus, c.missing))
        end,
        c.statements
        from private.grant_changes() as c
    union all
    select 'error', 'grants_unknown', 'private.intended_grants()',
        'The list of what is meant to be granted is empty: nothing can be compared with it.',
        '-- apply sql/schema as it is, or, where every grant is as it should be: select private.record_all_grants();'
        where not exists (select from private.intended_grants());
end;
comment on function private.doctor_grants() is
    'Findings on grants: TRUNCATE and the like for API roles, anything for anon, and whatever is more or less than private.intended_grants says, in public and private, on the database and by default.';
