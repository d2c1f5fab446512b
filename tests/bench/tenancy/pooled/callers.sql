-- A thousand callers, each the owner of one organization and in no other.
create table bench.caller as
    select row_number() over (order by o.n)::integer as n,
        bench.claims(case when o.n = 1 then 10000 else o.n - 1 end) as claims,
        bench.id('organization', o.n) as organization_id,
        (select count(*)::integer from bench.leads as l where l.organization_id = bench.id('organization', o.n)) as leads
    from generate_series(1, 4996, 5) as o (n);
alter table bench.caller add primary key (n);
create table bench.wrong (foreign_rows integer not null, missing_rows integer not null);
grant select on bench.caller to authenticator;
grant insert on bench.wrong to authenticator;
analyze bench.caller;
