-- BEFORE triggers speak before row level security does. Whoever writes into an organization that is not theirs gets the
-- answer for one that does not exist, whatever that organization is, and leaves nothing behind.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
select tests.make_tenant('c', 803);
select tests.make_user('n.nobody');
update public.organizations set default_country = 'US' where id = tests.id('b');
insert into public.organizations (id, name, slug) values (tests.id('d'), 'Tenant d', 'test-tenant-d'), (tests.id('e'), 'Tenant e', 'test-tenant-e');
update private.tenant_keys set shredded_at = now(), wrap_salt = null, wrapped_key = null where organization_id = tests.id('c');
-- No longer a member, in two ways.
insert into public.memberships (organization_id, user_id, role, status) values (tests.id('b'), tests.id('a.admin'), 'admin', 'suspended');
insert into public.memberships (organization_id, user_id, role, expires_at)
values (tests.id('b'), tests.id('a.manager'), 'admin', now() - interval '1 second');

-- What a client may insert, with values that a trigger has something to say about. $o: the organization.
create temporary table probes (title text, statement text);
insert into probes
select 'a customer with the number ' || n, format($$ insert into public.customers (organization_id, phone_number) values ('$o', %L) $$, n)
    from unnest(array['020 7183 8750', '(415) 555-0132', '+442071838750', 'O7700 900123', '12']) as n;
insert into probes
select 'a lead with the number ' || n, format(
        $$ insert into public.leads (organization_id, dataset_id, first_name, phone_number) values ('$o', %L, 'Lead', %L) $$, tests.id('b.dataset'), n)
    from unnest(array['020 7183 8750', '(415) 555-0132', '+442071838750']) as n;
insert into probes
select 'an account with ' || title, format(
        $$ insert into public.provider_accounts (organization_id, provider, account_ref, credentials) values ('$o', 'twilio', 'AC', %L) $$, credentials)
    from (values
        ('credentials', '{"authToken": "x"}'),
        ('credentials that are no object', '[]'),
        ('an envelope of b', (select credentials::text from public.provider_accounts where id = tests.id('b.account')))
    ) as v (title, credentials);
insert into probes values
    ('a prompt', $$ insert into public.prompts (organization_id, name) values ('$o', 'X') $$),
    ('a prompt from a template', format($$ insert into public.prompts (organization_id, name, template_id) values ('$o', 'X', %L) $$, tests.id('b.template'))),
    ('a prompt that does not compile', $$ insert into public.prompts (organization_id, name, prompt_structure) values ('$o', 'X', '{"goal": 1}') $$),
    ('an archived lead', format($$ insert into public.leads (organization_id, dataset_id, first_name, phone_number, contact_status)
        values ('$o', %L, 'Lead', '+442071838750', 'ARCHIVED') $$, tests.id('b.dataset')));
-- And every table of the isolation tests.
insert into probes
select 'a row of ' || t.name, replace(tests.statement('insert', t.name, 'b'), tests.id('b')::text, '$o')
    from tests.tenant_tables t where 'insert' = any (t.granted) and t.tenant_column = 'organization_id';
create temporary table targets (title text, id uuid);
insert into targets values ('in another country', tests.id('b')), ('whose key is shredded', tests.id('c')),
    ('without a key', tests.id('d'));
grant select on probes, targets to authenticated;
create function tests.probe(statement text, organization uuid) returns jsonb
    language sql
as $$ select tests.refusal(replace(statement, '$o', organization::text)) - 'context' $$;
grant execute on function tests.probe(text, uuid) to authenticated;
create function tests.told(who text, organization uuid) returns table (title text, answer text)
    language plpgsql
as $$
begin
    perform tests.as_user(who);
    -- But for what the statement itself said, and the row's own new id.
    return query select p.title, regexp_replace(replace(tests.probe(p.statement, organization)::text, organization::text, '?'), ' id = [0-9a-f-]{36}', ' id = ?')
        from probes p order by p.title;
    perform tests.as_owner();
end;
$$;

create temporary table told as
    select w.who, o.title as organization, t.*
    from unnest(array['n.nobody', 'a.owner', 'a.admin', 'a.manager']) as w (who)
    cross join (select * from targets union all select 'that does not exist', tests.id('nowhere')) as o
    cross join lateral tests.told(w.who, o.id) as t;
select cmp_ok((select count(*)::integer from probes), '>=', 20, 'there is something to try');
select is_empty($$ select * from told where answer = '{}' $$, 'nobody writes into an organization that is not theirs');
select is_empty(format($$
        select t.title, t.answer, n.answer as of_nothing
        from told t join told n on n.who = t.who and n.title = t.title and n.organization = 'that does not exist'
        where t.who = %L and t.organization = %L and t.answer <> n.answer
    $$, w.who, o.title), format('%s learns nothing of an organization %s', w.who, o.title))
    from unnest(array['n.nobody', 'a.owner', 'a.admin', 'a.manager']) as w (who), targets o;
select is(answer::jsonb - '{detail,hint}'::text[],
    '{"sqlstate": "42501", "message": "new row violates row-level security policy for table \"provider_accounts\""}', who || ' is refused as by row level security: ' || title)
    from told where organization = 'without a key' and title ~ '^an account' order by who, title;
select is_empty($$
    select * from told where answer::jsonb ->> 'sqlstate' not in ('42501', '22023')
$$, 'nothing but "not yours" and "not a value" is answered');
select is_empty($$ select * from told where answer ~ '[Cc]ountry' and answer !~ 'as it is dialled in the organization''s country' $$, 'no country is named');
select is_empty(format($$ select from private.tenant_keys where organization_id in (%L, %L) $$, tests.id('d'), tests.id('nowhere')),
    'no key is made for an organization that has none');
-- A caller without a word to say is no member either.
select tests.as_user('n.nobody');
select is(tests.refusal($$ insert into public.customers (organization_id, phone_number) values (null, '020 7183 8750') $$) ->> 'sqlstate', '22023',
    'a national number without an organization has no country');

-- A definer function speaks for its owner, as every RPC does; the triggers see the statement of that role, not of the caller.
select tests.as_owner();
create function tests.enter(organization uuid, number text) returns text
    language sql security definer
as $$ insert into public.customers (organization_id, phone_number) values (organization, number) returning phone_number $$;
create function tests.add_account(organization uuid) returns boolean
    language sql security definer
as $$
    insert into public.provider_accounts (organization_id, provider, account_ref, credentials)
    values (organization, 'twilio', 'ACdefiner', '{"authToken": "x"}') returning switchboard.is_sealed(credentials)
$$;
create function tests.enter_twice(organization uuid) returns void
    language plpgsql
as $$
begin
    perform tests.enter(organization, '(415) 555-0139');
    insert into public.customers (organization_id, phone_number) values (organization, '(415) 555-0140');
end;
$$;
grant execute on function tests.enter(uuid, text), tests.add_account(uuid), tests.enter_twice(uuid) to authenticated, service_role;

-- The allowed twins.
select is(tests.enter(tests.id('b'), '(415) 555-0133'), '+14155550133', 'the owner reads a national number in the organization''s country');
select ok(tests.add_account(tests.id('d')), 'and seals for an organization without a key');
select is((select count(*)::integer from private.tenant_keys where organization_id = tests.id('d')), 1, 'which has one now');
select tests.as_user('n.nobody');
select is(tests.enter(tests.id('b'), '(415) 555-0134'), '+14155550134', 'a definer function reads it, whoever calls');
select ok(tests.add_account(tests.id('e')), 'and seals, whoever calls');
select tests.as_service();
select is(tests.enter(tests.id('b'), '(415) 555-0135'), '+14155550135', 'so it does for the service role');
select is(tests.attempt(format($$ insert into public.customers (organization_id, phone_number) values (%L, '(415) 555-0136') $$, tests.id('b'))), '1 row',
    'which itself inserts a national number');
select tests.as_user('b.owner');
with i as (insert into public.customers (phone_number) values ('(415) 555-0137') returning phone_number)
    select is((select phone_number from i), '+14155550137', 'a member''s own country counts');
with i as (insert into public.provider_accounts (provider, account_ref, credentials) values ('twilio', 'ACown', '{"authToken": "x"}') returning credentials_hint)
    select is((select credentials_hint from i), '{"authToken": "set"}', 'a member''s credentials are sealed');
select tests.as_user('b.viewer');
select is(tests.attempt($$ insert into public.customers (phone_number) values ('(415) 555-0138') $$), '42501', 'a viewer is refused by row level security alone');
select tests.as_user('c.owner');
select is(tests.refusal(format($$ insert into public.provider_accounts (provider, account_ref, credentials) values ('twilio', 'AC', '{"authToken": "x"}') $$)) ->> 'sqlstate',
    '55000', 'a member is told that the own key is shredded');

-- Within one statement: the country that a definer function has just asked for is not the caller's to use.
select tests.as_user('n.nobody');
select is(tests.refusal(format('select tests.enter_twice(%L)', tests.id('b'))) ->> 'sqlstate', '22023', 'what one role was told is not remembered for another');

select * from finish();
rollback;
