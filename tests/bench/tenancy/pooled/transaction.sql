-- One request as PostgREST makes it, for pgbench: the next caller's claims and role for this transaction only, a query, and
-- a note when a row was another tenant's or one of the own was missing.
\set n random(1, 1000)
begin;
select set_config('request.jwt.claims', claims, true), set_config('role', 'authenticated', true), organization_id, leads
    from bench.caller where n = :n \gset caller_
select count(*) as seen, count(*) filter (where organization_id <> cast(:caller_organization_id as uuid)) as foreign
    from (select organization_id from bench.leads order by created_at desc limit 50) as l \gset
commit;
\if :foreign > 0 or :seen <> least(50, :caller_leads)
    insert into bench.wrong (foreign_rows, missing_rows) values (:foreign, least(50, :caller_leads) - :seen + :foreign);
\endif
