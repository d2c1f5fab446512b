-- A line for each table of public and private with its number of rows and a hash of them, and what the triggers and
-- foreign keys are like: to be compared between two databases.
\pset tuples_only on
\pset format unaligned
select format('select %L, count(*), md5(string_agg(md5(t::text), '''' order by md5(t::text))) from %I.%I as t', c.oid::regclass, n.nspname, c.relname)
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private') and c.relkind = 'r'
    order by n.nspname, c.relname \gexec
select tgrelid::regclass, tgname, tgenabled from pg_trigger
    where not tgisinternal and tgrelid::regclass::text ~ '^(public|private)' order by 1, 2;
select conrelid::regclass, conname, condeferrable, condeferred, convalidated from pg_constraint
    where contype = 'f' and connamespace in ('public'::regnamespace, 'private'::regnamespace) order by 1, 2;
select schemaname, sequencename, last_value from pg_sequences where schemaname in ('public', 'private') order by 1, 2;
