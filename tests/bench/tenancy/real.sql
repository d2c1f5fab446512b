-- The same leads in public.leads, with its triggers, foreign keys and policies.
set session_replication_role = replica;
alter table public.leads set (autovacuum_enabled = off);
insert into public.datasets (organization_id, id, name)
    select organization_id, id, name from bench.datasets;
insert into public.agents (organization_id, id, name)
    select organization_id, id, name from bench.agents;
insert into public.uploads (organization_id, id, dataset_id, filename)
    select organization_id, md5('upload' || id)::uuid, id, 'leads.csv' from bench.datasets;
insert into public.leads (organization_id, id, dataset_id, first_name, phone_number, contact_status, upload_id, created_at)
    select organization_id, id, dataset_id, first_name, phone_number, contact_status, md5('upload' || dataset_id)::uuid,
        created_at
    from bench.leads;
insert into public.customers (organization_id, id, phone_number)
    select c.organization_id, c.id, l.phone_number from bench.calls as c join bench.leads as l on l.id = c.lead_id;
insert into public.calls (
        organization_id, id, agent_id, customer_id, lead_id, direction, caller_number, called_number, provider, provider_sid, status,
        decision
    )
    select c.organization_id, c.id, l.agent_id, c.id, l.id, 'inbound', l.phone_number, l.phone_number, 'twilio', c.id::text,
        'completed', '{}'
    from bench.calls as c join bench.leads as l on l.id = c.lead_id;
update public.leads set assigned_to = bench.id('user', 30000)
    where id in (
        select id from public.leads where organization_id = bench.id('organization', 1) order by hashtext(id::text) limit 20
    );
reset session_replication_role;
vacuum (freeze, analyze) public.leads, public.datasets, public.agents, public.uploads, public.customers, public.calls;
select format('call bench.measure(8, %s)', n) from bench.statement where real order by command !~ '^select', n \gexec
