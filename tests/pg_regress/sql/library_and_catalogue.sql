-- The library under a catalogue that was made for another version: refused before the call, since PostgreSQL would hand
-- over an integer where the code takes it for the address of a text; and says what to run. What is the same goes on.
\set VERBOSITY terse
\set SHOW_CONTEXT never

create function pg_temp.attempt(statement text) returns table (state text, message text, hint text)
    language plpgsql
as $$
declare
    answer text;
begin
    execute statement into answer;
    return query select '00000', answer, null;
exception when others then
    get stacked diagnostics state = returned_sqlstate, message = message_text, hint = pg_exception_hint;
    return next;
end;
$$;

-- Functions as an old catalogue has them: other argument types, fewer arguments, fewer columns, a symbol that is gone.
create function switchboard.old_arguments(integer, text) returns text language c as '$libdir/switchboard', 'to_e164_wrapper';
create function switchboard.old_count(text) returns text language c as '$libdir/switchboard', 'to_e164_wrapper';
create function switchboard.old_columns(text, text, out e164 text, out calling_code integer) returns setof record
    language c as '$libdir/switchboard', 'parse_phone_wrapper';
create function switchboard.old_symbol(text) returns text language c as '$libdir/switchboard', 'to_e164_wrapper';
update pg_proc set prosrc = 'gone_wrapper' where oid = 'switchboard.old_symbol'::regproc;
create function switchboard.old_for(integer) returns uuid language c stable as '$libdir/switchboard', 'organization_for_wrapper';

\x on
select * from pg_temp.attempt('select switchboard.old_arguments(7, ''GB'')');
\x off
select state, message from pg_temp.attempt('select switchboard.old_count(''x'')');
select state, message from pg_temp.attempt('select e164 from switchboard.old_columns(''07700 900123'', ''GB'')');
select state, message from pg_temp.attempt('select switchboard.old_symbol(''x'')');
-- Not only once.
select state, message from pg_temp.attempt('select switchboard.old_arguments(7, ''GB'')');

-- A policy that asks such a function shows nothing, a CHECK lets nothing in.
create table public.old_policy (id integer);
insert into public.old_policy values (1);
alter table public.old_policy enable row level security;
create policy old on public.old_policy for select to authenticated using (switchboard.old_for(1) is null);
grant select on public.old_policy to authenticated;
set role authenticated;
select * from public.old_policy;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
reset role;
create table public.old_check (number integer check (switchboard.old_arguments(number, 'GB') is not null));
insert into public.old_check values (7);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- The same calls of functions that the library has.
select state, message from pg_temp.attempt('select switchboard.to_e164(''07700 900123'', ''GB'')');
select state, message from pg_temp.attempt('select e164 from switchboard.parse_phone(''07700 900123'', ''GB'')');
select state, message from pg_temp.attempt('select switchboard.organization_for(''leads.read'')');
select state, message from pg_temp.attempt('select switchboard.assert_sealed(''{}'')');

drop table public.old_policy, public.old_check;
drop function switchboard.old_arguments, switchboard.old_count, switchboard.old_columns, switchboard.old_symbol, switchboard.old_for;
