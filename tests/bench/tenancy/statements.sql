-- What is measured, on the bench's tables and on the real ones.
create table bench.statement (
    n integer primary key,
    name text not null,
    real boolean not null,
    user_n integer not null,
    tenant_n integer not null,
    runs integer not null,
    command text not null,
    without text not null
);
comment on table bench.statement is
    'A is organization 5196 with 94 leads, B organization 1 with 50,000. Users 5195 and 10000 own them, 20000 is a viewer of B, 30000 a sales_rep with 20 leads: "B own" lists those, "B own, eq" by a client that asks for them.';
comment on column bench.statement.without is 'The same with the tenant as a constant, for the owner.';

create function bench.fill(template text, names text[]) returns text
    language plpgsql immutable
as $$
declare
    name text[];
begin
    foreach name slice 1 in array names loop
        template := replace(template, '{' || name[1] || '}', name[2]);
    end loop;
    return template;
end;
$$;
comment on function bench.fill(text, text[]) is 'The template with each {name} replaced; names: pairs of name and text.';

-- {where} and {and}: the tenant as a constant, or nothing. "embed" is one lead with its neighbours in five further tables,
-- as PostgREST writes it; {page} is what it puts around every request.
insert into bench.statement
    select s.n, s.name, s.real, s.user_n, s.tenant_n, s.runs, bench.fill(r.command, '{{where,""},{and,""}}'),
        bench.fill(r.command, array[array['where', 'where ' || r.tenant], array['and', 'and ' || r.tenant]])
    from (values
        (1, 'A count', false, 5195, 5196, 41, 'select count(*) from bench.leads as l {where}'),
        (2, 'A list50', false, 5195, 5196, 41,
            'select l.* from bench.leads as l {where} order by l.created_at desc limit 50'),
        (3, 'A by id', false, 5195, 5196, 41, 'select l.* from bench.leads as l where l.id = {lead} {and}'),
        (4, 'A phone', false, 5195, 5196, 41, 'select l.* from bench.leads as l where l.phone_number = {phone} {and}'),
        (5, 'A embed', false, 5195, 5196, 41,
            'with pgrst_source as (
                select l.*, row_to_json(leads_datasets_1.*)::jsonb as datasets, row_to_json(leads_agents_1.*)::jsonb as agents,
                    coalesce(leads_conversations_1.leads_conversations_1, ''[]'') as conversations,
                    coalesce(leads_calls_1.leads_calls_1, ''[]'') as calls
                from bench.leads as l
                left join lateral (
                    select d.name from bench.datasets as d
                    where d.organization_id = l.organization_id and d.id = l.dataset_id
                ) as leads_datasets_1 on true
                left join lateral (
                    select a.name from bench.agents as a where a.organization_id = l.organization_id and a.id = l.agent_id
                ) as leads_agents_1 on true
                left join lateral (
                    select json_agg(leads_conversations_1)::jsonb as leads_conversations_1
                    from (
                        select c.id, coalesce(conversations_messages_2.conversations_messages_2, ''[]'') as messages
                        from bench.conversations as c
                        left join lateral (
                            select json_agg(conversations_messages_2)::jsonb as conversations_messages_2
                            from (
                                select m.body from bench.messages as m
                                where m.organization_id = c.organization_id and m.conversation_id = c.id
                            ) as conversations_messages_2
                        ) as conversations_messages_2 on true
                        where c.organization_id = l.organization_id and c.lead_id = l.id
                    ) as leads_conversations_1
                ) as leads_conversations_1 on true
                left join lateral (
                    select json_agg(leads_calls_1)::jsonb as leads_calls_1
                    from (
                        select k.status from bench.calls as k where k.organization_id = l.organization_id and k.lead_id = l.id
                    ) as leads_calls_1
                ) as leads_calls_1 on true
                where l.id = {lead} {and}
            ) {page}'),
        (6, 'A insert', false, 5195, 5196, 21,
            'insert into bench.leads (organization_id, id, dataset_id, agent_id, first_name, phone_number)
            values ({organization}, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), ''Lead 001'', ''+447700900001'')'),
        (7, 'A update', false, 5195, 5196, 21,
            'update bench.leads as l set contact_status = ''WARM'' where l.id = {lead} {and}'),
        (8, 'A ins1000', false, 5195, 5196, 41,
            'insert into bench.leads (organization_id, id, dataset_id, agent_id, first_name, phone_number)
            select {organization}, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), ''Lead '' || n, ''+44770090'' || n
            from generate_series(1000, 1999) as n'),
        (9, 'B count', false, 10000, 1, 41, 'select count(*) from bench.leads as l {where}'),
        (10, 'B list50', false, 10000, 1, 41,
            'select l.* from bench.leads as l {where} order by l.created_at desc limit 50'),
        (11, 'B denied', false, 20000, 1, 41,
            'select l.* from bench.leads as l {where} order by l.created_at desc limit 50'),

        (21, 'A list50', true, 5195, 5196, 41,
            'select l.* from public.leads as l {where} order by l.created_at desc limit 50'),
        (22, 'A by id', true, 5195, 5196, 41, 'select l.* from public.leads as l where l.id = {lead} {and}'),
        (23, 'A phone', true, 5195, 5196, 41, 'select l.* from public.leads as l where l.phone_number = {phone} {and}'),
        (24, 'A embed', true, 5195, 5196, 41,
            'with pgrst_source as (
                select l.*, row_to_json(leads_datasets_1.*)::jsonb as datasets, row_to_json(leads_uploads_1.*)::jsonb as uploads,
                    coalesce(leads_calls_1.leads_calls_1, ''[]'') as calls
                from public.leads as l
                left join lateral (
                    select d.name from public.datasets as d
                    where d.organization_id = l.organization_id and d.id = l.dataset_id
                ) as leads_datasets_1 on true
                left join lateral (
                    select u.filename from public.uploads as u
                    where u.organization_id = l.organization_id and u.id = l.upload_id
                ) as leads_uploads_1 on true
                left join lateral (
                    select json_agg(leads_calls_1)::jsonb as leads_calls_1
                    from (
                        select k.status, row_to_json(calls_agents_2.*)::jsonb as agents,
                            row_to_json(calls_customers_2.*)::jsonb as customers
                        from public.calls as k
                        left join lateral (
                            select a.name from public.agents as a
                            where a.organization_id = k.organization_id and a.id = k.agent_id
                        ) as calls_agents_2 on true
                        left join lateral (
                            select c.phone_number from public.customers as c
                            where c.organization_id = k.organization_id and c.id = k.customer_id
                        ) as calls_customers_2 on true
                        where k.organization_id = l.organization_id and k.lead_id = l.id
                    ) as leads_calls_1
                ) as leads_calls_1 on true
                where l.id = {lead} {and}
            ) {page}'),
        (25, 'A insert', true, 5195, 5196, 21,
            'insert into public.leads (organization_id, dataset_id, first_name, phone_number)
            values ({organization}, {dataset}, ''Lead 001'', ''+447700900001'')'),
        (26, 'A update', true, 5195, 5196, 21,
            'update public.leads as l set contact_status = ''WARM'' where l.id = {lead} {and}'),
        (27, 'A ins1000', true, 5195, 5196, 21,
            'insert into public.leads (organization_id, dataset_id, first_name, phone_number)
            select {organization}, {dataset}, ''Lead '' || n, ''+4477009'' || n
            from generate_series(10000, 10999) as n'),
        (28, 'B count', true, 10000, 1, 41, 'select count(*) from public.leads as l {where}'),
        (29, 'B list50', true, 10000, 1, 41,
            'select l.* from public.leads as l {where} order by l.created_at desc limit 50'),
        (30, 'B own', true, 30000, 1, 41,
            'select l.* from public.leads as l {where} order by l.created_at desc limit 50'),
        (31, 'B own, eq', true, 30000, 1, 41,
            'select l.* from public.leads as l where l.assigned_to = {user} {and} order by l.created_at desc limit 50'),
        (32, 'B denied', true, 20000, 1, 41, 'update public.leads as l set contact_status = ''WARM'' {where}')
    ) as s (n, name, real, user_n, tenant_n, runs, command)
    cross join lateral (
        select l.* from bench.leads as l join bench.conversations as c on c.lead_id = l.id
        where l.organization_id = bench.id('organization', s.tenant_n)
        order by l.created_at desc
        limit 1
    ) as l
    cross join lateral (
        select format('l.organization_id = %L', l.organization_id)
                || case when s.name like 'B own%' then format(' and l.assigned_to = %L', bench.id('user', s.user_n)) else '' end
                || case when s.name = 'B denied' then ' and false' else '' end as tenant,
            bench.fill(s.command, array[
                array['page', $$select null::bigint as total_result_set, count(_postgrest_t) as page_total,
                        coalesce(json_agg(_postgrest_t), '[]') as body,
                        nullif(current_setting('response.headers', true), '') as response_headers,
                        nullif(current_setting('response.status', true), '') as response_status, '' as response_inserted
                    from (select * from pgrst_source) as _postgrest_t$$],
                array['user', quote_literal(bench.id('user', s.user_n))],
                array['lead', quote_literal(l.id)],
                array['phone', quote_literal(l.phone_number)],
                array['dataset', quote_literal(l.dataset_id)],
                array['organization', quote_literal(l.organization_id)]
            ]) as command
    ) as r;
