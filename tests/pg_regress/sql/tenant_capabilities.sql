-- The role × capability table, as policies and RPCs know it.
select capability, string_agg(role, ', ' order by array_position(array['owner', 'admin', 'manager', 'sales_rep', 'viewer'], role)) as roles
from switchboard.capabilities()
group by capability
order by capability collate "C";
select count(*), count(distinct capability) as capabilities, count(distinct role) as roles from switchboard.capabilities();
