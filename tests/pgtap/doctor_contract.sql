-- What native code reads is answered by silence when it is gone: the doctor says so for each piece of the contract, and
-- its SQL mends it.
begin;
\ir _helpers.psql
select no_plan();

select is_empty('select * from private.doctor_contract()', 'the schema keeps the contract');
select cmp_ok((select count(*) from switchboard.schema_contract() where kind = 'column'), '>', 40::bigint, 'which is no short one');

-- What is found after a statement: code and severity, or none. The printed SQL is run, unless a name has to be filled in, and
-- what is found then follows. All of it undone.
create function tests.found(statement text, wanted_object text, filled_in text default null) returns text
    language plpgsql
as $$
declare
    found text;
    mend text;
    told text;
begin
    execute statement;
    select d.severity || ' ' || d.code, d.fix into found, mend
        from private.doctor_contract() d where d.object = wanted_object and d.finding <> '';
    told := coalesce(found, 'nothing');
    if mend ~ '<' then
        told := told || ' (to be filled in)';
        mend := regexp_replace(mend, '<[^>]*>', filled_in);
    end if;
    if found is not null then
        execute mend;
        told := told || ', then ' || coalesce((select min(d.code) from private.doctor_contract() d), 'nothing');
    end if;
    raise exception using errcode = 'ZZ999';
exception
    when sqlstate 'ZZ999' then
        return told;
end;
$$;

select matches(
    tests.found(
        format('alter table %I.%I rename column %I to renamed', schema_name, table_name, name),
        format('%I.%I.%I', schema_name, table_name, name), 'renamed'),
    '^error contract_column( \(to be filled in\))?, then nothing$',
    format('%s.%s.%s', schema_name, table_name, name))
    from switchboard.schema_contract() where kind = 'column';
select matches(
    tests.found(
        format('alter table %I.%I rename to renamed', schema_name, table_name),
        format('%I.%I', schema_name, table_name), 'renamed'),
    '^error contract_table( \(to be filled in\))?, then nothing$',
    format('%s.%s', schema_name, table_name))
    from switchboard.schema_contract() where kind = 'table';
select is(
    tests.found(format('alter index %I.%I rename to renamed', schema_name, name), format('%I.%I', schema_name, name)),
    'error contract_index, then nothing', name || ' renamed')
    from switchboard.schema_contract() where kind = 'index';
select is(
    tests.found(
        case when name ~ 'pkey$' then format('alter table %I.%I drop constraint %I cascade', schema_name, table_name, name)
            else format('drop index %I.%I', schema_name, name) end,
        format('%I.%I', schema_name, name)),
    format('error contract_%s, then nothing', split_part(kind, ' ', 1)), name || ' dropped')
    from switchboard.schema_contract() where kind in ('index', 'unique index');
select is(
    tests.found(
        'drop index public.memberships_user_id_idx; create index memberships_user_id_idx on public.memberships (user_id) where status = ''active''',
        'public.memberships_user_id_idx'),
    'error contract_index, then nothing', 'an index of the name that lacks rows');
select is(tests.found('alter table private.unseal_audit alter column reason type varchar(50)', 'private.unseal_audit.reason'),
    'error contract_type, then nothing', 'a column of another type');
select is(tests.found('alter table private.unseal_audit drop column reason', 'private.unseal_audit.reason'),
    'error contract_column, then nothing', 'a column that is gone');
select is(tests.found('alter table public.organizations add column note text', 'public.organizations.note'), 'nothing', 'what native code does not read is nobody''s business');

-- Why it matters, and that doctor() asks.
select tests.make_tenant('a', 801);
alter table public.memberships rename column expires_at to ends_at;
select is((select fix from private.doctor() where code = 'contract_column'),
    'alter table public.memberships rename column <one of created_at, ends_at, updated_at> to expires_at;',
    'doctor() reports it, with the columns that it can be');
select tests.as_user('a.owner');
select is(switchboard.organization_for('leads.read'), null, 'nobody belongs anywhere');
select tests.as_owner();
alter table public.memberships rename column ends_at to expires_at;
select tests.as_user('a.owner');
select is(switchboard.organization_for('leads.read'), tests.id('a'), 'until it is mended');

select * from finish();
rollback;
