-- Who finds which leads, by what they type; pages; and that a search reads its index.
begin;
\ir _helpers.psql
select no_plan();
select tests.make_tenant('a', 801);
select tests.make_tenant('b', 802);
delete from public.leads;
insert into public.datasets (organization_id, id, name) values (tests.id('a'), tests.id('a.other'), 'Other list');
insert into public.leads (organization_id, dataset_id, first_name, last_name, phone_number, email, postcode, contact_status, assigned_to, created_at) values
    (tests.id('a'), tests.id('a.dataset'), 'José', 'Núñez', '07700 900001', 'jose@nunez.example', 'SW1A 1AA', 'READY', null, now() - interval '1 hour'),
    (tests.id('a'), tests.id('a.dataset'), 'Mary-Ann', 'O''Brien', '07700 900002', 'mary@brien.example', 'n16ab', 'HOT', tests.id('a.sales_rep'), now() - interval '2 hours'),
    (tests.id('a'), tests.id('a.other'), 'John', 'Smith', '07700 900003', 'john.smith+list@mail.example', '80331', 'HOT', null, now() - interval '2 hours'),
    (tests.id('a'), tests.id('a.other'), 'Johanna', 'Smithers', '07911 123456', null, null, 'ARCHIVED', tests.id('a.sales_rep'), now() - interval '3 hours'),
    (tests.id('b'), tests.id('b.dataset'), 'José', 'Smith', '07700 900001', 'jose@b.example', 'SW1A 1AA', 'READY', null, now());

create function tests.found(query text, filters jsonb default '{}') returns text
    language sql
    as $$ select coalesce(string_agg(first_name, ', ' order by created_at desc, id), '') from public.search_leads(query, filters) $$;
grant execute on all functions in schema tests to authenticated, service_role;

select tests.as_user('a.manager');
select is(tests.found(query), names, format('search for %s', query)) from (values
    ('jose', 'José'), ('NUNEZ', 'José'), ('núñ', 'José'), ('ann', 'Mary-Ann'), ('mary-ann o''brien', 'Mary-Ann'), ('obrien', 'Mary-Ann'), ('O’Brien', 'Mary-Ann'),
    ('smith', 'John, Johanna'), ('john smith', 'John'), ('smith joh', 'John, Johanna'), ('ohn', ''), ('mail.example', 'John'), ('john.smith+list@mail.example', 'John'),
    ('sw1a', 'José'), ('SW1A 1AA', 'José'), ('sw1a1aa', 'José'), ('n1 6ab', ''), ('80331', 'John'),
    ('07700 900001', 'José'), ('+447700900001', 'José'), ('447700900001', 'José'), ('(07700) 900-002', 'Mary-Ann'), ('07911123456', 'Johanna'), ('07700 900099', ''),
    ('!!', ''), ('''; drop table leads; --', ''), ('a & !b | (c', ''), (':*', '')
) as v (query, names);
select is(tests.found(null), 'José, ' || case when (select id from public.leads where first_name = 'John') < (select id from public.leads where first_name = 'Mary-Ann') then 'John, Mary-Ann' else 'Mary-Ann, John' end || ', Johanna',
    'nothing asked: all, the newest first');
select is(tests.found(query, filters::jsonb), names, format('filters %s', filters)) from (values
    (null, '{"contact_status": "ARCHIVED"}', 'Johanna'), ('smith', '{"contact_status": ["HOT", "READY"]}', 'John'), (null, '{"is_archived": false, "is_assigned": true}', 'Mary-Ann'),
    (null, '{"contact_status": []}', ''), (null, '{"is_held": true}', ''), ('smith', '{"is_assigned": false}', 'John'), (null, '{"contact_status": "NONE"}', ''),
    (null, '{"created_from": "2999-01-01"}', '')
) as v (query, filters, names);
select is(tests.found(null, jsonb_build_object('dataset_id', tests.id('a.other'), 'assigned_to', tests.id('a.sales_rep'))), 'Johanna', 'filters by dataset and member');
select is(tests.found(null, jsonb_build_object('dataset_id', tests.id('b.dataset'))), '', 'another tenant''s dataset has nothing');
select is(tests.attempt(statement), '22023', title) from (values
    ('an unknown filter', $$ select public.search_leads(null, '{"organization_id": "x"}') $$), ('a filter of another kind', $$ select public.search_leads(null, '{"dataset_id": "x"}') $$),
    ('filters that are no object', $$ select public.search_leads(null, '[]') $$), ('a page of 0', $$ select public.search_leads(page_size => 0) $$), ('a page of 501', $$ select public.search_leads(page_size => 501) $$),
    ('an endless query', $$ select public.search_leads(repeat('x', 201)) $$), ('a query of many words', $$ select public.search_leads('a b c d e f g h i j k') $$), ('a cursor that is none', $$ select public.search_leads(after => '{"id": "x"}') $$),
    ('a cursor with another id', $$ select public.search_leads(after => '{"id": "x", "created_at": "2026-01-01"}') $$),
    ('a cursor of nothing', $$ select public.search_leads(after => '{"id": null, "created_at": null}') $$),
    ('a cursor without an id', $$ select public.search_leads(after => '{"id": null, "created_at": "2026-01-01"}') $$)
) as v (title, statement);

-- Pages meet, also where several leads have one time.
select tests.as_owner();
create function tests.pages(size integer) returns text[]
    language plpgsql
as $$
declare
    names text[] := '{}';
    cursor jsonb;
    page public.leads[];
begin
    loop
        page := array(select l from public.search_leads(after => cursor, page_size => size) as l);
        exit when page = '{}';
        names := names || array(select p.first_name from unnest(page) as p);
        cursor := jsonb_build_object('created_at', (page[cardinality(page)]).created_at, 'id', (page[cardinality(page)]).id);
    end loop;
    return names;
end;
$$;
grant execute on function tests.pages(integer) to authenticated;
select tests.as_user('a.manager');
select is(tests.pages(n), array(select first_name from public.search_leads()), format('pages of %s', n)) from generate_series(1, 5) as n;

-- Who sees less, finds less.
select tests.as_user('a.sales_rep');
select is(tests.found(null), 'Mary-Ann, Johanna', 'a rep has the own leads');
select is(tests.found('smith'), 'Johanna', 'and finds those');
select is(tests.found('07700 900001'), '', 'by number too');
select is(tests.found(null, jsonb_build_object('assigned_to', tests.id('a.manager'))), '', 'whatever they ask');
select tests.as_owner();
update public.memberships set allowed_dataset_ids = array[tests.id('a.other')] where user_id in (tests.id('a.manager'), tests.id('a.sales_rep'));
select tests.as_user('a.manager');
select is(tests.found(null), 'John, Johanna', 'a member with one dataset has that');
select is(tests.found('jose'), '', 'and finds nothing in another');
select tests.as_user('a.sales_rep');
select is(tests.found('o'), '', 'a rep with one dataset: nothing of the other');
select is(tests.found('joh'), 'Johanna', 'the own leads of it');
select tests.as_user('b.owner');
select is(tests.found('smith'), 'José', 'another tenant has its own');
select tests.as_service('a');
select is(tests.found('smith'), 'John, Johanna', 'server code has its organization''s');
select tests.as_user('nobody.at.all');
select is(tests.attempt('select public.search_leads()'), 'PT403', 'who is nobody''s member has none');

-- The same, for whoever may see less, as the policies: a hundred callers would be the same four.
select tests.as_owner();
update public.memberships set allowed_dataset_ids = null where organization_id = tests.id('a');
create temporary table seen (person text, by_policy uuid[], by_search uuid[]);
grant all on seen to authenticated;
select tests.as_user('a.owner');
insert into seen select 'a.owner', array(select id from public.leads order by id), array(select id from public.search_leads() order by id);
select tests.as_user('a.sales_rep');
insert into seen select 'a.sales_rep', array(select id from public.leads order by id), array(select id from public.search_leads() order by id);
select tests.as_user('a.viewer');
insert into seen select 'a.viewer', array(select id from public.leads order by id), array(select id from public.search_leads() order by id);
select is(by_search, by_policy, person || ' sees by search what the policies show') from seen;

-- The index is the one that the search asks.
select tests.as_owner();
insert into public.leads (organization_id, dataset_id, first_name, last_name, phone_number)
    select tests.id('a'), tests.id('a.dataset'), md5(i::text), md5((i * 7)::text), '+44770091' || to_char(i, 'FM0000') from generate_series(1, 2000) as i;
analyze public.leads;
set local enable_seqscan = off;
create function tests.plan_of(statement text) returns text
    language plpgsql
as $$
declare
    line text;
    plan text := '';
begin
    for line in execute 'explain ' || statement loop
        plan := plan || line || e'\n';
    end loop;
    return plan;
end;
$$;
select matches(tests.plan_of(format($$ select * from public.leads l where l.organization_id = %L and array_to_tsvector(switchboard.search_words(
    l.organization_id, l.first_name || coalesce(' ' || l.last_name, '') || coalesce(' ' || l.email, '') || coalesce(' ' || l.postcode || ' ' || replace(l.postcode, ' ', ''), '')
    )) @@ private.search_words(%1$L, 'abcde') $$, tests.id('a'))), 'leads_search_idx', 'a search reads the index of words');
select matches((select prosrc from pg_proc where proname = 'find_leads'), regexp_replace(regexp_replace(
    $$array_to_tsvector(switchboard.search_words(
                    l.organization_id,
                    l.first_name || coalesce(' ' || l.last_name, '') || coalesce(' ' || l.email, '')
                        || coalesce(' ' || l.postcode || ' ' || replace(l.postcode, ' ', ''), '')
                ))$$, '([().|''])', '\\\1', 'g'), '\s+', '\s+', 'g'), 'with the words that the index has');

select * from finish();
rollback;
