-- Prints sql/extension/signatures.txt as a database's catalogue has it: of each native function the C symbol, the types
-- of its arguments, and its result. src/pg/catalogue.rs writes the same line of what it is about to call.
\pset format unaligned
\pset tuples_only on
select format('%s(%s) %s%s%s', p.prosrc,
    (select string_agg(t.typname, ',' order by a.n)
        from unnest(p.proargtypes) with ordinality as a (oid, n) join pg_type t on t.oid = a.oid),
    case when p.proretset then 'setof ' end,
    (select t.typname from pg_type t where t.oid = p.prorettype),
    '(' || (select string_agg(t.typname, ',' order by a.n)
        from unnest(p.proallargtypes) with ordinality as a (oid, n) join pg_type t on t.oid = a.oid
        where a.n > p.pronargs) || ')')
from pg_proc p
where p.pronamespace = 'switchboard'::regnamespace and p.prolang = (select oid from pg_language where lanname = 'c')
order by p.prosrc collate "C";
