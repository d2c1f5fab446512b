-- Credentials: sealed before they are stored, bound to their row and organization, opened only by the server
-- for a reason that is written down.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
\set canary 'canary-4b1d0c57-token'

-- In: written as plain JSON by a member, and nothing of it is stored or shown.
select tests.as_user('a.owner');
create temporary table made as
    with i as (
        insert into public.provider_accounts (provider, account_ref, credentials)
        values ('twilio', 'ACmade', '{"accountSid": "AC0123456789abcdef9f3a", "authToken": "canary-4b1d0c57-token", "region": "ie1"}')
        returning id, credentials_hint
    ) select * from i;
select is((select credentials_hint from made), '{"region": "ie1", "authToken": "set", "accountSid": "...9f3a"}', 'an insert answers with the hint');
select tests.as_owner();
grant select on made to anon, authenticated, service_role;
create temporary view stored as select * from public.provider_accounts where id = (select id from made);
select ok((select switchboard.is_sealed(credentials) from stored), 'what is stored is an envelope');
select ok((select credentials::text from stored) !~ :'canary', 'without the secret');
select ok((select to_jsonb(stored)::text from stored) !~ :'canary', 'in no column of the row');
select ok((select (credentials ->> '$sealed') = '1' and credentials ->> 'alg' = 'A256GCM-HKDF-C1' from stored), 'of the known kind');
select is((select count(*)::integer from private.tenant_keys where organization_id = tests.id('a')), 1, 'its organization has a data key');
select is((select count(*)::integer from private.tenant_keys where organization_id = tests.id('b')), 1, 'and each its own');
select isnt((select wrapped_key from private.tenant_keys where organization_id = tests.id('a')),
    (select wrapped_key from private.tenant_keys where organization_id = tests.id('b')), 'which differ');
select isnt(
    (select credentials ->> 'c' from public.provider_accounts where id = tests.id('a.account')),
    (select credentials ->> 'c' from public.provider_accounts where id = tests.id('b.account')), 'equal secrets would not look equal');

-- Not out: no member reads them, in no way of asking.
select tests.as_user('a.owner');
select is(tests.attempt(statement), '42501', 'refused: ' || regexp_replace(statement, '\s+', ' ', 'g'))
    from unnest(array[
        'select credentials from public.provider_accounts',
        'select * from public.provider_accounts',
        'select to_jsonb(p) from public.provider_accounts p',
        'select id from public.provider_accounts where credentials is not null',
        'select id from public.provider_accounts order by credentials',
        'select count(credentials) from public.provider_accounts',
        'update public.provider_accounts set label = ''x'' returning credentials',
        'update public.provider_accounts set label = credentials::text',
        'delete from public.provider_accounts returning *',
        'insert into public.provider_accounts (provider, account_ref, credentials) values (''twilio'', ''ACx'', ''{}'')
            on conflict (organization_id, provider, account_ref) do update set label = excluded.credentials::text']) as statement;
select is(tests.attempt(statement), '42501', 'refused to a member: ' || statement)
    from unnest(array[
        format('select public.provider_credentials(%L, ''test'')', (select id from made)),
        format('select switchboard.unseal(''{}'', %L, ''x'', ''x'', ''x'')', tests.id('a')),
        format('select switchboard.seal(''{}'', %L, ''x'', ''x'')', tests.id('a')),
        'select 1 from private.root_keys', 'select 1 from private.tenant_keys', 'select 1 from private.unseal_audit',
        'update private.tenant_keys set root_kid = ''x''', 'delete from private.unseal_audit']) as statement;

-- Opened by the server, for a reason, and written down.
select tests.as_service();
select is(public.provider_credentials((select id from made), 'place a call'),
    '{"accountSid": "AC0123456789abcdef9f3a", "authToken": "canary-4b1d0c57-token", "region": "ie1"}', 'the server opens them');
select is(tests.refusal(format('select public.provider_credentials(%L, %L)', (select id from made), reason)) ->> 'sqlstate', '22023',
    format('not without a reason: %L', reason)) from unnest(array[null, '', '  ']) as reason;
select is(tests.refusal(format('select public.provider_credentials(%L, ''test'')', tests.id('nowhere'))) ->> 'sqlstate', 'PT404', 'nor what does not exist');
select is(tests.attempt('select 1 from private.unseal_audit'), '42501', 'the audit is not the server''s to read');
select tests.as_owner();
select results_eq(
    format('select outer_role, organization_id, row_id, purpose, reason, result from private.unseal_audit where row_id = %L', (select id from made)),
    format($$ values ('service_role', %L::uuid, %L, 'provider_accounts.credentials', 'place a call', 'opened') $$, tests.id('a'), (select id from made)),
    'an audit row says who, for which row, why'
);
select is((select pg_typeof(at)::text from private.unseal_audit limit 1), 'timestamp with time zone', 'and when');
-- Not by a wrapper that somebody grants too widely: the role that the client acts as decides.
create function tests.careless(account uuid) returns jsonb
    language sql security definer
as $$
    select switchboard.unseal(credentials, organization_id, id::text, 'provider_accounts.credentials', 'careless')
    from public.provider_accounts where id = account
$$;
grant execute on function tests.careless(uuid) to authenticated, anon, service_role;
select is(tests.refusal(format('select tests.careless(%L)', (select id from made))) ->> 'sqlstate', '42501', 'the tables'' owner does not open them');
select tests.as_user('a.owner');
select is(tests.refusal(format('select tests.careless(%L)', (select id from made))) ->> 'sqlstate', '42501', 'nor a member through a definer function');
select is(tests.refusal(format('select tests.careless(%L)', (select id from made))) ->> 'message', 'unseal is for the service role', 'which unseal itself refuses');
select tests.as_anon();
select is(tests.refusal(format('select tests.careless(%L)', (select id from made))) ->> 'sqlstate', '42501', 'nor anon');
select tests.as_service();
select isnt(tests.careless((select id from made)), null, 'the server does');

-- Nor where it could not be written down: PostgREST runs a GET read-only.
select tests.as_owner();
create function tests.read_only(statement text) returns void
    language plpgsql
as $$
begin
    perform set_config('transaction_read_only', 'on', true);
    execute statement;
end;
$$;
grant execute on function tests.read_only(text) to service_role;
select tests.as_service();
select is(tests.refusal(format('select tests.read_only(%L)', format('select public.provider_credentials(%L, ''test'')', (select id from made)))) ->> 'sqlstate',
    '25006', 'they are not opened in a read-only transaction');

-- Bound to the row: an envelope opens nowhere else, and is not accepted anywhere else.
select tests.as_owner();
create function tests.put(row_name text, value jsonb) returns jsonb
    language sql
as $$
    select tests.refusal(format('update public.provider_accounts set credentials = %L where id = %L', value, tests.id(row_name)))
$$;
create temporary table envelope as
    select credentials as of_a, (select credentials from public.provider_accounts where id = tests.id('b.account')) as of_b, (select credentials from stored) as of_other
    from public.provider_accounts where id = tests.id('a.account');
select is(tests.put('a.account', (select of_a from envelope)), '{}', 'control: the own envelope again');
select is(tests.put('a.account', (select of_other from envelope)) ->> 'sqlstate', '22023', 'the envelope of another row of the organization');
select is(tests.put('a.account', (select of_b from envelope)) ->> 'sqlstate', '22023', 'the envelope of another organization');
select is(tests.put('a.account', jsonb_set(of_a, '{m,authToken}', '"..."')) ->> 'sqlstate', '22023', 'another hint in it') from envelope;
select is(tests.put('a.account', jsonb_set(of_a, '{r}', '{"authTokenRef": "org/x/y"}')) ->> 'sqlstate', '22023', 'a reference added') from envelope;
select is(tests.put('a.account', jsonb_set(of_a, array[part], to_jsonb(overlay(of_a ->> part placing case when left(of_a ->> part, 1) = 'A' then 'B' else 'A' end from 1 for 1)))) ->> 'sqlstate',
    '22023', 'its ' || part || ' altered') from envelope, unnest(array['s', 'k', 'c']) as part;
select is(tests.put('a.account', of_a || change) ->> 'sqlstate', '22023', format('another form: %s', change))
    from envelope, unnest(array['{"alg": "none"}', '{"tv": 2}', '{"tv": "1"}', '{"$sealed": 2}', '{"authToken": "canary-4b1d0c57-token"}', '{"c": ""}', '{"m": []}']::jsonb[]) as change;
select is(tests.put('a.account', of_a - part) ->> 'sqlstate', '22023', 'a part missing: ' || part)
    from envelope, unnest(array['alg', 'tv', 's', 'k', 'c', 'm', 'r']) as part;
select is(tests.put('a.account', of_a || '{"authToken": "canary-4b1d0c57-token"}') ->> 'message' !~ :'canary', true, 'and the message repeats nothing of it') from envelope;
select is(tests.put('a.account', value) ->> 'sqlstate', '22023', format('no object: %s', value))
    from unnest(array['null', '[]', '"text"', '1', 'true']::jsonb[]) as value;
select is((select credentials from public.provider_accounts where id = tests.id('a.account')), (select of_a from envelope), 'the row is unchanged by all of it');
select is(
    tests.refusal(format('insert into public.provider_accounts (organization_id, provider, account_ref, credentials) values (%L, ''twilio'', ''ACcopy'', %L)',
        tests.id('a'), (select of_a from envelope))) ->> 'sqlstate', '22023', 'nor is it the beginning of a new row');
grant select on envelope to service_role, authenticated;
select tests.as_service();
select is(tests.refusal(format('select switchboard.unseal(%L, %L, %L, %L, ''test'')', (select of_a from envelope), o, r, p)) ->> 'sqlstate', '22023',
    'unseal refuses ' || title)
    from (values
        ('another row', tests.id('a'), tests.id('b.account')::text, 'provider_accounts.credentials'),
        ('another organization', tests.id('b'), tests.id('a.account')::text, 'provider_accounts.credentials'),
        ('another purpose', tests.id('a'), tests.id('a.account')::text, 'other.credentials'),
        ('an organization without a key', tests.id('nowhere'), tests.id('a.account')::text, 'provider_accounts.credentials')
    ) as c (title, o, r, p);
select is(switchboard.unseal((select of_a from envelope), tests.id('a'), tests.id('a.account')::text, 'provider_accounts.credentials', 'test') ->> 'authToken',
    'token of a', 'and opens the right one');
select is(switchboard.unseal(switchboard.seal('{"authToken": "x", "n": 12345678901234567890.5}', tests.id('a'), 'r', 'p'), tests.id('a'), 'r', 'p', 'test'),
    '{"authToken": "x", "n": 12345678901234567890.5}', 'seal and unseal give back what was given, numbers to the digit');

-- The rest of the row changes without touching the seal; new clear text makes a new one.
select tests.as_user('a.owner');
update public.provider_accounts set label = 'Main', status = 'inactive' where id = tests.id('a.account');
select tests.as_owner();
update public.provider_accounts set failure_count = failure_count + n.n from generate_series(1, 20) as n (n) where id = tests.id('a.account');
select is((select credentials::text from public.provider_accounts where id = tests.id('a.account')), (select of_a::text from envelope), 'an update of other columns leaves the envelope as it is');
update public.provider_accounts set credentials = credentials where id = tests.id('a.account');
select is((select credentials::text from public.provider_accounts where id = tests.id('a.account')), (select of_a::text from envelope), 'so does writing it back');
select tests.as_user('a.owner');
select is(tests.attempt(format($$ update public.provider_accounts set credentials = '{"authToken": "new"}' where id = %L $$, tests.id('a.account'))), '1 row', 'a member writes new ones');
update public.provider_accounts set credentials = '{"authToken": "new"}' where id = tests.id('a.account');
select is((select credentials_hint from public.provider_accounts where id = tests.id('a.account')), '{"authToken": "set"}', 'the hint follows');
select tests.as_service();
select is(public.provider_credentials(tests.id('a.account'), 'test'), '{"authToken": "new"}', 'they open');
select tests.as_owner();
select isnt((select credentials from public.provider_accounts where id = tests.id('a.account')), (select of_a from envelope), 'sealed anew');
update public.provider_accounts set credentials = null where id = tests.id('a.account');
select is((select (credentials, credentials_hint)::text from public.provider_accounts where id = tests.id('a.account')), '(,)', 'and can be removed');
select tests.as_service();
select is(tests.refusal(format('select public.provider_credentials(%L, ''test'')', tests.id('a.account'))) ->> 'sqlstate', 'PT404', 'after which there are none');

-- References: only into the own folder.
select tests.as_user('a.owner');
select is(tests.attempt(format('update public.provider_accounts set credentials = %L where id = %L', jsonb_build_object('authTokenRef', reference), tests.id('a.account'))), outcome,
    'a reference to ' || title)
    from (values
        ('the own folder', 'org/' || tests.id('a') || '/authToken', '1 row'),
        ('another organization''s folder', 'org/' || tests.id('b') || '/authToken', '22023'),
        ('a bare name', 'authToken', '22023'),
        ('a way out of the folder', 'org/' || tests.id('a'), '22023'),
        ('nothing', '', '22023')
    ) as c (title, reference, outcome);

-- No way around the trigger.
select tests.as_owner();
select is(
    (select (t.tgenabled, t.tgtype & 2 > 0, t.tgtype & 1 > 0, t.tgattr::text)::text from pg_trigger t
    where t.tgrelid = 'public.provider_accounts'::regclass and t.tgfoid = 'switchboard.seal_column()'::regprocedure),
    '(A,t,t,"")', 'the sealing trigger fires before each row, for every column, whatever session_replication_role says');
select is(
    (select min(t.tgname::text) from pg_trigger t where t.tgrelid = 'public.provider_accounts'::regclass and not t.tgisinternal), 'aa_seal_credentials',
    'and before any other');
select is(
    (select min(k.conname::text) from pg_constraint k where k.conrelid = 'public.provider_accounts'::regclass and k.contype = 'c'), 'aa_credentials_sealed',
    'its CHECK before any other');
select ok((select confdeltype = 'c' from pg_constraint where conname = 'provider_accounts_organization_id_fkey'), 'credentials go with the organization');
create function tests.meddle() returns trigger language plpgsql as $$ begin new.credentials := '{"authToken": "canary-4b1d0c57-token"}'; return new; end; $$;
create trigger zz_meddle before update on public.provider_accounts for each row execute function tests.meddle();
select is(tests.refusal(format('update public.provider_accounts set label = ''x'' where id = %L', (select id from made))) ->> 'sqlstate', '22023',
    'another trigger that writes clear text after the seal is refused by the CHECK');
select ok((tests.refusal(format('update public.provider_accounts set label = ''x'' where id = %L', (select id from made))) - 'context')::text !~ :'canary',
    'which does not print it');
drop trigger zz_meddle on public.provider_accounts;
alter table public.provider_accounts disable trigger aa_seal_credentials;
select is(tests.put('b.account', jsonb_build_object('authToken', :'canary')) ->> 'sqlstate', '22023', 'with the trigger switched off the CHECK refuses clear text');
select ok((tests.put('b.account', jsonb_build_object('authToken', :'canary')) - 'context')::text !~ :'canary', 'without printing it');
select is(
    (tests.refusal(format($$ insert into public.provider_accounts (organization_id, provider, account_ref, credentials)
        values (%L, 'no such provider', 'ACoff', '{"authToken": "canary-4b1d0c57-token"}') $$, tests.id('a'))) - 'context')::text !~ :'canary',
    true, 'not even when another CHECK fails as well');
alter table public.provider_accounts enable always trigger aa_seal_credentials;

-- Errors of other columns show the envelope at most.
select ok(
    (tests.refusal(format($$ insert into public.provider_accounts (organization_id, provider, account_ref, credentials)
        values (%L, %s, '{"authToken": "canary-4b1d0c57-token"}') $$, tests.id('a'), rest)) - 'context')::text !~ :'canary',
    'the detail of a failed write has no secret: ' || rest)
    from unnest(array['''no such provider'', ''ACx''', '''twilio'', null', '''twilio'', ''''', '''twilio'', ''ACa''', 'null, ''ACx''']) as rest;
select is(
    tests.refusal(format($$ insert into public.provider_accounts (organization_id, provider, account_ref, credentials)
        values (%L, 'no such provider', 'ACx', '{"authToken": "x"}') $$, tests.id('a'))) ->> 'sqlstate', '23514', 'control: such a write fails');
select is(tests.put('b.account', jsonb_build_object('x', repeat('y', 70000))) ->> 'sqlstate', '54000', 'more than 64 KiB is refused');

select * from finish();
rollback;
