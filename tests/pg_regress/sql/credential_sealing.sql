-- Sealing and opening with the server's key: who may, what comes back, and what is refused. Only what does not
-- depend on the key is printed.
\set VERBOSITY terse
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on
\pset null (null)
begin;
insert into public.organizations (id, name, slug) values
    ('0a000000-0000-4000-8000-000000000000', 'Alpha', 'regress-alpha'), ('0b000000-0000-4000-8000-000000000000', 'Beta', 'regress-beta');

-- By role: neither the superuser nor a member. The message is unseal's own.
select switchboard.seal('{}', '0a000000-0000-4000-8000-000000000000', 'row', 'test');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.unseal('{}', '0a000000-0000-4000-8000-000000000000', 'row', 'test', 'reason');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
set local role authenticated;
select switchboard.seal('{}', '0a000000-0000-4000-8000-000000000000', 'row', 'test');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
reset role;
set local role service_role;

-- What goes in comes out.
create temporary table given (n integer, plain jsonb);
insert into given values
    (1, '{}'), (2, '{"authToken": "x"}'), (3, '{"n": 123456789012345678901234567890.123456789, "e": 1e2}'),
    (4, '{"nested": {"deep": [1, null, true, {"a": "b"}]}}'), (5, '{"ünïcode": "日本 \u0001 \\ \" /"}'), (6, jsonb_build_object('long', repeat('x', 60000)));
select n, sealed ->> '$sealed' as sealed, sealed ->> 'alg' as alg, sealed ->> 'tv' as tv, sealed -> 'm' as m, sealed -> 'r' as r,
    length(sealed ->> 's') as s, length(sealed ->> 'k') as k, length(sealed ->> 'c') as c,
    switchboard.unseal(sealed, '0a000000-0000-4000-8000-000000000000', 'row', 'test', 'regress') = plain as same
from given
cross join lateral (select switchboard.seal(plain, '0a000000-0000-4000-8000-000000000000', 'row', 'test') as sealed offset 0) as s
order by n;
-- The same text twice is two envelopes; short secrets of different length look alike.
select switchboard.seal('{"a": "1"}', '0a000000-0000-4000-8000-000000000000', 'row', 'test') = switchboard.seal('{"a": "1"}', '0a000000-0000-4000-8000-000000000000', 'row', 'test') as equal,
    length(switchboard.seal('{"authToken": "1"}', '0a000000-0000-4000-8000-000000000000', 'row', 'test') ->> 'c')
        = length(switchboard.seal('{"authToken": "1234567890123456"}', '0a000000-0000-4000-8000-000000000000', 'row', 'test') ->> 'c') as same_length;

-- Hints.
select switchboard.credential_hint(switchboard.seal(plain, '0a000000-0000-4000-8000-000000000000', 'row', 'test'))
from (values
    (1, '{"provider": "twilio", "region": "ie1", "accountSid": "AC0123456789abcdef9f3a", "authToken": "secret"}'::jsonb),
    (2, '{"accountSid": "short", "apiKeySid": "SK0123456789abcdef9f3a", "password": "", "other": "not shown", "private_key": "x"}'),
    (3, '{"authTokenRef": "org/0a000000-0000-4000-8000-000000000000/token"}'),
    (4, '{"region": "with a space", "provider": 7, "account_id": "1234567890123"}')
) as v (n, plain) order by n;

-- Refused at sealing.
select switchboard.seal('[]', '0a000000-0000-4000-8000-000000000000', 'row', 'test');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.seal('null', '0a000000-0000-4000-8000-000000000000', 'row', 'test');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.seal('{"$sealed": 1}', '0a000000-0000-4000-8000-000000000000', 'row', 'test');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.seal('{"authTokenRef": "org/0b000000-0000-4000-8000-000000000000/token"}', '0a000000-0000-4000-8000-000000000000', 'row', 'test');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.seal(jsonb_build_object('x', repeat('x', 65536)), '0a000000-0000-4000-8000-000000000000', 'row', 'test');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.seal(null, '0a000000-0000-4000-8000-000000000000', 'row', 'test') as nothing;

-- Refused at opening.
create temporary table envelope as select switchboard.seal('{"authToken": "canary"}', '0a000000-0000-4000-8000-000000000000', 'row', 'test') as e;
select switchboard.unseal(e, '0a000000-0000-4000-8000-000000000000', 'other row', 'test', 'regress') from envelope;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.unseal(e, '0b000000-0000-4000-8000-000000000000', 'row', 'test', 'regress') from envelope;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.unseal(e, '0a000000-0000-4000-8000-000000000000', 'row', 'other', 'regress') from envelope;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.unseal(e || '{"m": {}}', '0a000000-0000-4000-8000-000000000000', 'row', 'test', 'regress') from envelope;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.unseal(e || '{"tv": 2}', '0a000000-0000-4000-8000-000000000000', 'row', 'test', 'regress') from envelope;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.unseal(e, '0a000000-0000-4000-8000-000000000000', 'row', 'test', '  ') from envelope;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.unseal('{"authToken": "canary"}', '0a000000-0000-4000-8000-000000000000', 'row', 'test', 'regress');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.unseal(e, '0a000000-0000-4000-8000-000000000000', 'row', 'test', null) as nothing from envelope;

-- What was opened is in the audit; what was refused ended in an error, which takes its row along.
reset role;
select outer_role, user_id, row_id, purpose, reason, result, count(*) from private.unseal_audit
where organization_id = '0a000000-0000-4000-8000-000000000000' group by 1, 2, 3, 4, 5, 6 order by 3, 4;

-- The trigger: replication does not switch it off, COPY and INSERT … SELECT go through it, and what was sealed stays as it is.
create table public.regress_secrets (org uuid, id uuid default gen_random_uuid(), note text, secret jsonb check (switchboard.assert_sealed(secret)));
create trigger aa_seal before insert or update on public.regress_secrets
    for each row execute function switchboard.seal_column('secret', 'org', 'id', 'regress');
alter table public.regress_secrets enable always trigger aa_seal;
set local session_replication_role = replica;
insert into public.regress_secrets values ('0a000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000001', 'replica', '{"authToken": "canary"}');
set local session_replication_role = origin;
copy public.regress_secrets (org, id, note, secret) from stdin;
0a000000-0000-4000-8000-000000000000	00000000-0000-4000-8000-000000000002	copy	{"authToken": "canary"}
\.
select note, switchboard.is_sealed(secret) as sealed, secret::text ~ 'canary' as clear, switchboard.credential_hint(secret) from public.regress_secrets order by id;
-- A dump holds the envelopes and brings them back as they are.
create temporary table dump as select * from public.regress_secrets;
delete from public.regress_secrets;
insert into public.regress_secrets select * from dump;
select count(*) from public.regress_secrets r join dump d using (id) where r.secret::text = d.secret::text;
-- Refused: no organization, no id, another row's envelope, a move to another organization.
insert into public.regress_secrets (org, secret) values (null, '{"authToken": "canary"}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
insert into public.regress_secrets (org, id, secret) values ('0a000000-0000-4000-8000-000000000000', null, '{"authToken": "canary"}');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
insert into public.regress_secrets (org, secret) select org, secret from dump limit 1;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
update public.regress_secrets set org = '0b000000-0000-4000-8000-000000000000';
\echo SQLSTATE :LAST_ERROR_SQLSTATE
-- A move with new clear text is sealed for its new place.
update public.regress_secrets set org = '0b000000-0000-4000-8000-000000000000', secret = '{"authToken": "canary"}' where note = 'copy';
grant select on public.regress_secrets to service_role;
set local role service_role;
select note, switchboard.unseal(secret, org, id::text, 'regress', 'regress') from public.regress_secrets order by note;
reset role;

-- A shredded tenant's secrets stay shut, others open, and nothing new is sealed for it.
update private.tenant_keys set shredded_at = '2025-01-01 00:00:00+00', wrapped_key = null where organization_id = '0a000000-0000-4000-8000-000000000000';
set local timezone = 'UTC';
set local role service_role;
select switchboard.unseal(secret, org, id::text, 'regress', 'regress') from public.regress_secrets where note = 'replica';
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select switchboard.unseal(secret, org, id::text, 'regress', 'regress') from public.regress_secrets where note = 'copy';
select switchboard.seal('{}', '0a000000-0000-4000-8000-000000000000', 'row', 'test');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
reset role;

-- Another key under the id that this database knows.
select switchboard.key_loaded(), (select count(*) from switchboard.key_problems());
update private.root_keys set kcv = '\x0000000000000000';
select switchboard.key_loaded(), p.* from switchboard.key_problems() as p;
set local role service_role;
select switchboard.unseal(secret, org, id::text, 'regress', 'regress') from public.regress_secrets where note = 'copy';
\echo SQLSTATE :LAST_ERROR_SQLSTATE
reset role;

-- The key file's path is the superuser's to know, and nobody's to change in a session.
set local role authenticated;
select * from switchboard.key_problems();
\echo SQLSTATE :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
show switchboard.key_file;
select current_setting('switchboard.key_file');
\set VERBOSITY terse
select count(*) from pg_settings where name = 'switchboard.key_file';
set switchboard.key_file = '/tmp/x';
\echo SQLSTATE :LAST_ERROR_SQLSTATE
set switchboard.anything = 'x';
\echo SQLSTATE :LAST_ERROR_SQLSTATE
-- The trigger functions are for triggers.
\set VERBOSITY sqlstate
select switchboard.seal_column();
select switchboard.normalize_phone();
select switchboard.maintain_counts();
rollback;
