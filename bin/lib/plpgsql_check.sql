-- Prints what plpgsql_check calls an error, one line each; nothing when all is well.
select format('%s line %s: %s %s', f.oid::regprocedure, c.lineno, c.sqlstate, c.message)
from pg_catalog.pg_proc as f
join pg_catalog.pg_language as l on l.oid = f.prolang and l.lanname = 'plpgsql'
left join (
    select distinct tgfoid, tgrelid, tgoldtable, tgnewtable from pg_catalog.pg_trigger where not tgisinternal
) as t on t.tgfoid = f.oid
cross join lateral extensions.plpgsql_check_function_tb(
    f.oid, coalesce(t.tgrelid, 0), fatal_errors => false, oldtable => t.tgoldtable, newtable => t.tgnewtable
) as c
where f.pronamespace::regnamespace::text in ('public', 'private', 'switchboard')
    and (f.prorettype <> 'trigger'::regtype or t.tgrelid is not null)
    and c.level = 'error'
order by 1;
