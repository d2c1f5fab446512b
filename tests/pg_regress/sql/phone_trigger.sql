-- The trigger normalize_phone: which column is read, what is kept, and how it refuses.
\set VERBOSITY terse
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on
\pset null (null)
begin;
create table public.regress_numbers (
    id integer primary key, organization_id uuid, "Phone No" text, given text
);
create trigger normalize before insert or update on public.regress_numbers
    for each row execute function switchboard.normalize_phone('Phone No', 'given', 'GB');

-- The text as typed becomes E.164, and is kept as given.
insert into public.regress_numbers (id, "Phone No") values (1, '07911 123456'), (2, '+1 (415) 555-2671'), (3, '+447911123456'), (4, null);
select * from public.regress_numbers order by id;

-- Either column can be written; an update of neither, or to the same, changes nothing.
update public.regress_numbers set given = '07911 123457' where id = 1;
update public.regress_numbers set "Phone No" = '07911 123458' where id = 2;
update public.regress_numbers set organization_id = null;
update public.regress_numbers set "Phone No" = "Phone No", given = given;
insert into public.regress_numbers (id, given) values (5, '020 7183 8750');
insert into public.regress_numbers (id, "Phone No", given) values (6, '07911 123459', 'as the file had it');
select * from public.regress_numbers order by id;
update public.regress_numbers set "Phone No" = null where id = 1;
update public.regress_numbers set given = null where id = 2;
select * from public.regress_numbers order by id;

-- Refusals name the column and the reason, and repeat nothing of the input.
insert into public.regress_numbers (id, "Phone No") values (7, 'O7911 123456');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
insert into public.regress_numbers (id, "Phone No") values (7, '');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
insert into public.regress_numbers (id, "Phone No") values (7, '999');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
insert into public.regress_numbers (id, "Phone No") values (7, '7.7009E+09');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
update public.regress_numbers set given = '07911 123456/07911 123457' where id = 3;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select count(*) from public.regress_numbers;

-- The region is the organization's country; without an organization only international spellings are read.
drop trigger normalize on public.regress_numbers;
create trigger normalize before insert or update on public.regress_numbers
    for each row execute function switchboard.normalize_phone('Phone No', 'given', 'organization');
insert into public.organizations (id, name, slug, default_country) values
    ('0a000000-0000-4000-8000-000000000000', 'Alpha', 'regress-alpha', 'GB'), ('0b000000-0000-4000-8000-000000000000', 'Beta', 'regress-beta', 'US');
insert into public.regress_numbers (id, organization_id, "Phone No") values
    (10, '0a000000-0000-4000-8000-000000000000', '020 7183 8750'), (11, '0b000000-0000-4000-8000-000000000000', '415 555 2671'), (12, null, '+442071838750');
select id, "Phone No", given from public.regress_numbers where id >= 10 order by id;
insert into public.regress_numbers (id, organization_id, "Phone No") values (13, '0c000000-0000-4000-8000-000000000000', '020 7183 8750');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- Digits that may be two numbers; an extension in its own column.
drop trigger normalize on public.regress_numbers;
alter table public.regress_numbers add extension text;
create trigger normalize before insert or update on public.regress_numbers
    for each row execute function switchboard.normalize_phone('Phone No', 'given', 'DE', 'extension:extension');
insert into public.regress_numbers (id, "Phone No") values
    (14, '4915123456789'), (15, '04921 123456'), (16, '030 1234567 (ext 12)'), (17, 'Tel. 030 1234567');
select id, "Phone No", given, extension from public.regress_numbers where id between 14 and 17 order by id;
update public.regress_numbers set "Phone No" = '+4930123456' where id = 16;
select id, "Phone No", given, extension from public.regress_numbers where id = 16;
insert into public.regress_numbers (id, "Phone No") values (18, '4921123456');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- A declaration that cannot work says so when it fires.
drop trigger normalize on public.regress_numbers;
create trigger normalize before insert on public.regress_numbers for each row execute function switchboard.normalize_phone('Phone No', 'given', 'GB', 'extension');
insert into public.regress_numbers (id) values (20);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
drop trigger normalize on public.regress_numbers;
create trigger normalize before insert on public.regress_numbers for each row execute function switchboard.normalize_phone('Phone No');
insert into public.regress_numbers (id) values (20);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
drop trigger normalize on public.regress_numbers;
create trigger normalize before insert on public.regress_numbers for each row execute function switchboard.normalize_phone('phone_no', 'given', 'GB');
insert into public.regress_numbers (id) values (20);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
drop trigger normalize on public.regress_numbers;
create trigger normalize after insert on public.regress_numbers for each row execute function switchboard.normalize_phone('Phone No', 'given', 'GB');
insert into public.regress_numbers (id) values (20);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
drop trigger normalize on public.regress_numbers;
create trigger normalize before insert on public.regress_numbers for each statement execute function switchboard.normalize_phone('Phone No', 'given', 'GB');
insert into public.regress_numbers (id) values (20);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
rollback;
