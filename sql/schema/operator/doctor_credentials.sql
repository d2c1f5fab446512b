-- The doctor's checks on sealed credentials: the keys that they are sealed with, and the triggers that seal. Of tenants' rows
-- it asks which version of a data key an envelope names, and counts.

create function private.sealed_columns() returns table (target regclass, trigger_name name, enabled "char", arguments text[])
    language sql stable
    set search_path = ''
begin atomic
    select t.tgrelid::regclass, t.tgname, t.tgenabled, string_to_array(encode(t.tgargs, 'escape'), '\000')
    from pg_catalog.pg_trigger t
    where t.tgfoid = 'switchboard.seal_column()'::regprocedure and not t.tgisinternal;
end;
comment on function private.sealed_columns() is
    'The columns that switchboard.seal_column seals, with its arguments: jsonb column, organization column, key column, purpose. Owner only.';

create function private.sealed_without_key() returns table (object text, envelopes bigint)
    language plpgsql stable
    set search_path = ''
as $$
#variable_conflict use_column
declare
    v_sealed record;
begin
    for v_sealed in select s.target, s.arguments[1] as name, s.arguments[2] as organization from private.sealed_columns() as s loop
        return query execute format(
            'select %L, count(*) from %s as r
                where jsonb_typeof(r.%I) = ''object'' and not exists (
                    select from private.tenant_keys k where k.organization_id = r.%I and k.version::text = r.%3$I ->> ''tv''
                )',
            format('%s.%I', v_sealed.target, v_sealed.name), v_sealed.target, v_sealed.name, v_sealed.organization);
    end loop;
end;
$$;
comment on function private.sealed_without_key() is
    'For each sealed column the number of envelopes whose data key is not in private.tenant_keys: nothing opens them. Owner only.';

create function private.doctor_credentials() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    select 'error', 'key_' || p.problem, format('key %s', quote_ident(p.kid)),
        case p.problem
            when 'not_in_ring' then 'Credentials are sealed under this key and the key ring has no such key: they cannot be opened.'
            when 'other_key' then 'The key ring has another key under this id than the one that credentials are sealed with: they cannot be opened.'
            else 'The key ring has this key, and what it wrapped does not open: private.tenant_keys or private.root_keys were altered.'
        end,
        case p.problem
            when 'opens_nothing' then '-- put private.root_keys and private.tenant_keys back from a dump'
            else format('-- put the line of %s back into the key file from its copy, then restart', p.kid)
        end
        from switchboard.key_problems() as p
    union all
    select 'error', 'sealed_without_key', s.object,
        format('%s sealed values name a data key that private.tenant_keys does not have: nothing opens them.', s.envelopes),
        '-- put private.tenant_keys back from a dump, or have the values written again'
        from private.sealed_without_key() as s
        where s.envelopes > 0
    union all
    select 'error', 'seal_not_always', format('%I on %s', s.trigger_name, s.target),
        'The trigger that seals does not fire under session_replication_role = replica, or not at all: what is written then is not sealed.',
        format('alter table %s enable always trigger %I;', s.target, s.trigger_name)
        from private.sealed_columns() as s
        where s.enabled <> 'A';
end;
comment on function private.doctor_credentials() is
    'Findings on sealed credentials: root keys that the ring lacks or has otherwise, envelopes without their data key, sealing triggers that are not ENABLE ALWAYS. Names keys by id, no value of any.';
