-- Queries for whoever has psql as the owner: what has been applied, what holds, what is large.

create function private.migrations() returns table (version text, name text)
    language plpgsql stable
    set search_path = ''
as $$
declare
    -- The Supabase CLI makes the table on its first push; a database filled by psql has none.
    v_table constant regclass := to_regclass('supabase_migrations.schema_migrations');
begin
    if v_table is not null then
        return query execute format('select m.version::text, m.name::text from %s as m order by m.version', v_table);
    end if;
end;
$$;
comment on function private.migrations() is
    'Migrations that the Supabase CLI has applied, in order; none where it was not used. Owner only. Raises nothing.';

create view private.rls_policies with (security_invoker = true) as
    select p.schemaname, p.tablename, p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check
    from pg_catalog.pg_policies p
    where p.schemaname in ('public', 'private')
    order by p.schemaname, p.tablename, p.cmd;
comment on view private.rls_policies is 'Every policy and what it says. Owner only.';

create view private.table_sizes with (security_invoker = true) as
    select n.nspname as schemaname, c.relname as tablename, c.reltuples::bigint as estimated_rows,
        pg_relation_size(c.oid) as table_bytes, pg_indexes_size(c.oid) as index_bytes,
        pg_total_relation_size(c.oid) as total_bytes,
        pg_size_pretty(pg_total_relation_size(c.oid)) as size
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private') and c.relkind in ('r', 'p')
    order by pg_total_relation_size(c.oid) desc;
comment on view private.table_sizes is
    'Tables by size, with their indexes. estimated_rows is the planner''s, -1 before the first analyze. Owner only.';

create view private.unused_indexes with (security_invoker = true) as
    select s.schemaname, s.relname as tablename, s.indexrelname as indexname,
        pg_relation_size(s.indexrelid) as bytes, obj_description(s.indexrelid, 'pg_class') as serves
    from pg_catalog.pg_stat_user_indexes s
    join pg_catalog.pg_index i on i.indexrelid = s.indexrelid
    where s.schemaname in ('public', 'private') and s.idx_scan = 0 and not i.indisunique
    order by pg_relation_size(s.indexrelid) desc;
comment on view private.unused_indexes is
    'Indexes that no query has used since statistics were reset, and the query that each is for: after weeks of real use, candidates to drop. Owner only.';
