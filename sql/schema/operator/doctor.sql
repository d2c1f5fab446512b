-- The doctor: what in this database weakens the rules that the other files keep, each finding with the SQL that ends
-- it. It reads catalogues and settings, shows nothing of a tenant's rows, and changes nothing. One function a group of
-- checks (doctor_*.sql); public.doctor asks them all.

create function private.doctor() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable security definer
    set search_path = ''
begin atomic
    select f.severity, f.code, f.object, f.finding, f.fix
        from (
            select * from private.doctor_tables()
            union all select * from private.doctor_policies()
            union all select * from private.doctor_functions()
            union all select * from private.doctor_keys()
            union all select * from private.doctor_grants()
            union all select * from private.doctor_platform()
            union all select * from private.doctor_credentials()
            union all select * from private.doctor_server(private.doctor_facts())
            union all select * from private.doctor_contract()
        ) as f
        order by array_position(array['error', 'warn', 'info'], f.severity), f.code, f.object;
end;
comment on function private.doctor() is 'Body of public.doctor; see there.';

create function public.doctor() returns table (severity text, code text, object text, finding text, fix text)
    language sql stable
    set search_path = ''
begin atomic
    select d.severity, d.code, d.object, d.finding, d.fix from private.doctor() as d;
end;
comment on function public.doctor() is
    'What weakens this database, one row a finding: severity error, warn or info; code; object; finding in words; fix as SQL for the database owner. For server code; reads catalogues, changes nothing. Raises nothing.';
grant execute on function private.doctor() to service_role;
grant execute on function public.doctor() to service_role;
