-- A key ring that lacks or falsifies a key in use, envelopes without their data key, sealing triggers that do not always
-- fire: found, and nothing of a value told. The ring cannot be changed here, so the tables are; another ring is in the
-- tests of src/credential.rs.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);

select is(switchboard.key_loaded(), true, 'a ring with the keys in use is well');
select is_empty('select * from switchboard.key_problems()', 'and has no problem');
select is_empty('select * from private.doctor_credentials()', 'nor have the tables');
select is((private.doctor_facts() ->> 'key_loaded')::boolean, true, 'the doctor knows that it is loaded');

-- What is found after a statement: severity, code and object; whether key_loaded() is content; whether the printed SQL mends it.
-- All of it undone.
create function tests.found(statement text) returns text
    language plpgsql
as $$
declare
    told text;
    mend text;
begin
    execute statement;
    select string_agg(format('%s %s: %s', d.severity, d.code, d.object), ', ' order by d.code, d.object), string_agg(d.fix, ' ')
        into told, mend
        from private.doctor_credentials() d;
    told := concat_ws('; ', coalesce(told, 'nothing'), case when switchboard.key_loaded() then 'loaded' else 'not loaded' end,
        -- The finding is this one, and not that there is no key.
        case when (private.doctor_facts() ->> 'key_loaded')::boolean then null else 'key_missing' end);
    if exists (
        select from private.doctor_credentials() d, private.tenant_keys k, private.root_keys r
        where strpos(d::text, encode(k.wrapped_key, 'hex')) > 0 or strpos(d::text, encode(r.kcv, 'hex')) > 0
            or strpos(d::text, k.organization_id::text) > 0 or strpos(d::text, 'token of') > 0
    ) then
        told := told || '; a value';
    end if;
    if mend ~ '^alter' then
        execute mend;
        told := told || '; then ' || (select count(*) from private.doctor_credentials());
    end if;
    raise exception using errcode = 'ZZ999';
exception
    when sqlstate 'ZZ999' then
        return told;
end;
$$;
select is(tests.found(statement), expected, statement) from (values
    ('select', 'nothing; loaded'),
    -- The ring lacks it.
    ($$ insert into private.root_keys (kid, kcv) values ('k9', '\x00112233') $$, 'nothing; loaded'),
    ($$ insert into private.root_keys (kid, kcv) values ('k9', '\x00112233');
        update private.tenant_keys set root_kid = 'k9' where organization_id = tests.id('a') $$, 'error key_not_in_ring: key k9; not loaded'),
    ($$ insert into private.root_keys (kid, kcv) values ('k9', '\x00112233');
        update private.tenant_keys set root_kid = 'k9', wrapped_key = null, shredded_at = now() where organization_id = tests.id('a') $$, 'nothing; loaded'),
    -- It has another under the same id.
    ($$ update private.root_keys set kcv = '\x0011223344556677' where kid = 'k1' $$, 'error key_other_key: key k1; not loaded'),
    ($$ update private.tenant_keys set wrapped_key = null, shredded_at = now(); update private.root_keys set kcv = '\x0011223344556677' where kid = 'k1' $$,
        'error key_other_key: key k1; not loaded'),
    -- What it wrapped is another key's.
    ($$ update private.tenant_keys set wrapped_key = decode(repeat('ab', 48), 'hex') $$, 'error key_opens_nothing: key k1; not loaded'),
    -- Envelopes.
    ($$ delete from private.tenant_keys where organization_id = tests.id('a') $$, 'error sealed_without_key: public.provider_accounts.credentials; loaded'),
    ($$ update private.tenant_keys set version = 2 where organization_id = tests.id('a') $$, 'error sealed_without_key: public.provider_accounts.credentials; loaded'),
    ($$ update private.tenant_keys set wrapped_key = null, shredded_at = now() where organization_id = tests.id('a') $$, 'nothing; loaded'),
    ($$ update public.provider_accounts set credentials = null; delete from private.tenant_keys $$, 'nothing; loaded'),
    ($$ create table public.secrets (org uuid, id uuid, "clear text" jsonb);
        create trigger aa before insert or update on public.secrets for each row execute function switchboard.seal_column('clear text', 'org', 'id', 'test');
        alter table public.secrets enable always trigger aa;
        insert into public.secrets values (tests.id('a'), tests.id('x'), '{"authToken": "x"}'), (tests.id('b'), tests.id('y'), null);
        delete from private.tenant_keys where organization_id = tests.id('a') $$,
        'error sealed_without_key: public.provider_accounts.credentials, error sealed_without_key: public.secrets."clear text"; loaded'),
    -- Triggers.
    ('alter table public.provider_accounts disable trigger aa_seal_credentials', 'error seal_not_always: aa_seal_credentials on public.provider_accounts; loaded; then 0'),
    ('alter table public.provider_accounts enable trigger aa_seal_credentials', 'error seal_not_always: aa_seal_credentials on public.provider_accounts; loaded; then 0')
) as v (statement, expected);
delete from private.tenant_keys where organization_id = tests.id('a');
select is((select finding from private.doctor_credentials()),
    '1 sealed values name a data key that private.tenant_keys does not have: nothing opens them.', 'they are counted');

grant usage on schema private to authenticated, service_role;
select tests.as_user('a.owner');
select is(tests.attempt(s), '42501', 'no owner of an organization: ' || s) from unnest(array[
    'select * from switchboard.key_problems()', 'select * from private.sealed_without_key()', 'select * from private.doctor_credentials()'
]) as s;
select tests.as_service();
select is(tests.attempt('select * from switchboard.key_problems()'), '42501', 'nor the service role');
select isnt_empty($$ select from public.doctor() where code = 'sealed_without_key' $$, 'who hears of it by the doctor');

select * from finish();
rollback;
