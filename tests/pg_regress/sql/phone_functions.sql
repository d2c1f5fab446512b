-- Exact answers and SQLSTATEs of the phone functions and of the trigger normalize_phone.
\set SHOW_CONTEXT never
\pset null '(null)'
set role postgres;

-- to_e164 and is_e164
select given, region, switchboard.to_e164(given, region)
from (values
    ('(020) 7183 8750', 'GB'), ('020 7183 8750', 'gb'), ('442071838750', 'GB'), ('020 7183 8750', null), ('+44 20 7183 8750', null),
    ('00 44 20 7183 8750', 'GB'), ('011 44 20 7183 8750', 'US'), ('+4915722046781', 'US'), ('+8613812345678', 'US'), ('+201001234567', 'US'),
    ('+390236618300', 'US'), ('+3758105311939', 'BY'), ('1-800-FLOWERS', 'US'), ('tel:020-7183-8750;phone-context=+44', null),
    ('07700 900123', 'GB'), ('4155551234', 'GB'), ('12', 'GB'), ('', 'GB'), ('call me', 'GB'), ('020 7183 8750', 'XX'), (null, 'GB')
) as v (given, region);
select given, switchboard.is_e164(given)
from (values ('+442071838750'), ('442071838750'), ('+44 20 7183 8750'), ('+4402071838750'), ('+442071838750;ext=1'), ('+999123456789'), (''), (null)) as v (given);

-- parse_phone: one row whatever the text
select given, p.*
from (values
    ('020 7183 8750 ext 12'), ('07911 123456'), ('07700 900123'), ('+1 415 555 2671'), ('4155551234'), ('7183 8750'), ('7.7009E+09'),
    ('07700900123/07911123456'), ('O7700900123'), ('+999 123 456 789'), ('+44 20 7183 8750 0000 0000'), ('*100#'), ('-'), (null)
) as v (given), switchboard.parse_phone(given, 'GB') as p;

-- What the numbering plan says
select given, switchboard.phone_is_valid(given) as valid, switchboard.phone_is_valid(given, 'GB') as valid_in_gb, switchboard.phone_region(given) as region,
    switchboard.phone_type(given) as type, switchboard.phone_calling_code(given) as code
from (values
    ('+442071838750'), ('+447911123456'), ('+447624300123'), ('+447700900123'), ('+14155552671'), ('+14165550123'), ('+80012345678'), ('+4915722046781'),
    ('+444155551234'), ('020 7183 8750'), ('+44 20 7183 8750'), ('+999123456789'), ('call me'), ('')
) as v (given);
select switchboard.phone_is_valid(null), switchboard.phone_is_valid(null, 'GB'), switchboard.phone_is_valid('+442071838750', null),
    switchboard.phone_region(null), switchboard.phone_type(null), switchboard.phone_calling_code(null);

-- phone_format
select number, switchboard.phone_format(number, 'national') as national, switchboard.phone_format(number, 'international') as international,
    switchboard.phone_format(number, 'rfc3966') as rfc3966
from (values ('+442071838750'), ('+447911123456'), ('+14155552671'), ('+390236618300'), ('+4915722046781'), ('+80012345678'), ('+447700900123'),
    ('020 7183 8750'), ('')) as v (number);
select switchboard.phone_format('+442071838750', 'e164');
\echo :LAST_ERROR_SQLSTATE
select switchboard.phone_format(null, 'e164'), switchboard.phone_format('+442071838750', null);

-- phone_dialable: why not to call or write
select number, switchboard.phone_dialable(number, 'call') as call, switchboard.phone_dialable(number, 'sms') as sms
from (values ('+447911123456'), ('+14155552671'), ('+442071838750'), ('+448001234567'), ('+80012345678'), ('+447700900123'), ('+449098790000'),
    ('+449061234567'), ('+19002345678'), ('+979123456789'), ('+491801234567'), ('+447012345678'), ('+881612345678'), ('+8823421234'),
    ('+883510012345678'), ('+49110'), ('+49112'), ('+43112'), ('+44118118'), ('+1911'), ('+444155551234'), ('+999123456789'),
    ('020 7183 8750'), (''), (null)) as v (number);
select switchboard.phone_dialable('+447911123456', 'fax');
\echo :LAST_ERROR_SQLSTATE
select switchboard.phone_dialable('+447911123456', null);
\echo :LAST_ERROR_SQLSTATE

-- phone_time_zones, all of them names that PostgreSQL and CHECKs by private.is_time_zone know
select number, switchboard.phone_time_zones(number)
from (values ('+442071838750'), ('+447911123456'), ('+12128120000'), ('+16509600000'), ('+61236618300'), ('+8222123456'), ('+5592961234567'),
    ('+914023456789'), ('+80012345678'), ('+444155551234'), ('+821234'), ('020 7183 8750'), ('')) as v (number);
select switchboard.phone_time_zones(null), cardinality(switchboard.phone_time_zones('+18002345678')) > 40 as anywhere_in_north_america;

select switchboard.calling_code('GB'), switchboard.calling_code('gg'), switchboard.calling_code('XX');
select switchboard.phone_metadata_version() ~ '^[0-9]+\.[0-9]+\.[0-9]+$' as version;

-- normalize_phone, each way to name the region
create schema phone_functions;
set search_path = phone_functions;
create table contact (
    id integer primary key,
    country text,
    phone text check (switchboard.is_e164(phone)),
    phone_input text
);
create trigger normalize_phone before insert or update on contact
    for each row execute function switchboard.normalize_phone('phone', 'phone_input', 'GB');
insert into contact (id, phone) values (1, '(020) 7183 8750'), (2, '+49 1572 2046781'), (3, '+447911123456'), (4, null);
insert into contact (id, phone_input) values (5, '020 7183 8751');
insert into contact (id, phone, phone_input) values (6, '+442071838752', 'as on the card');
update contact set phone_input = '020 7183 8753' where id = 6;
update contact set phone = null where id = 5;
update contact set country = 'GB';
select * from contact order by id;
-- Canonical E.164 is taken at its word when it is possible; a reading must be valid.
insert into contact (id, phone) values (7, '+444155551234');
insert into contact (id, phone) values (8, '4155551234');
\echo :LAST_ERROR_SQLSTATE
insert into contact (id, phone) values (8, 'O2071838750');
\echo :LAST_ERROR_SQLSTATE
update contact set phone = '12' where id = 1;
\echo :LAST_ERROR_SQLSTATE

-- Nobody's number, however canonical; a caller's can be anything else.
insert into contact (id, phone) values (8, '+49110');
\echo :LAST_ERROR_SQLSTATE
insert into contact (id, phone) values (8, '+49112');
insert into contact (id, phone) values (8, '+43112');
update contact set phone = '+44118118' where id = 1;
\echo :LAST_ERROR_SQLSTATE
insert into contact (id, phone) values (8, '+15551234');
\echo :LAST_ERROR_SQLSTATE
insert into contact (id, phone) values (8, '999');
insert into contact (id, phone) values (30, '+449061234567'), (31, '+447700900123'), (32, '+979123456789'), (33, '+19002345678');
select switchboard.to_e164('+49110', null), switchboard.is_e164('+49110');
-- A row from before stays what it is until its number is written, so that a restored one can be read and mended.
alter table contact disable trigger normalize_phone;
insert into contact (id, phone) values (34, '+49110');
alter table contact enable trigger normalize_phone;
update contact set country = 'DE' where id = 34;
update contact set phone = '+4915122046781' where id = 34;
select * from contact where id between 30 and 34 order by id;
delete from contact where id between 30 and 34;

drop trigger normalize_phone on contact;
create trigger normalize_phone before insert or update on contact
    for each row execute function switchboard.normalize_phone('phone', 'phone_input', 'column:country');
insert into contact (id, country, phone) values (10, 'DE', '01572 2046781'), (11, 'us', '(415) 555-2671'), (12, null, '+44 20 7183 8750'), (13, 'UK', '+44 20 7183 8750');
select * from contact where id between 10 and 13 order by id;
insert into contact (id, country, phone) values (14, null, '020 7183 8750');
\echo :LAST_ERROR_SQLSTATE
insert into contact (id, country, phone) values (14, 'UK', '020 7183 8750');
\echo :LAST_ERROR_SQLSTATE

drop trigger normalize_phone on contact;
create trigger normalize_phone before insert or update on contact
    for each row execute function switchboard.normalize_phone('phone', 'phone_input', 'column:region');
insert into contact (id, phone) values (15, '020 7183 8750');
\echo :LAST_ERROR_SQLSTATE
drop trigger normalize_phone on contact;
create trigger normalize_phone before insert or update on contact
    for each row execute function switchboard.normalize_phone('phone', 'phone_input', 'UK');
insert into contact (id, phone) values (15, '+442071838754');
insert into contact (id, phone) values (16, '020 7183 8750');
\echo :LAST_ERROR_SQLSTATE
drop trigger normalize_phone on contact;
create trigger normalize_phone before insert or update on contact
    for each row execute function switchboard.normalize_phone('phone', 'phone_input');
insert into contact (id, phone) values (16, '020 7183 8750');
\echo :LAST_ERROR_SQLSTATE
drop trigger normalize_phone on contact;

-- Type and validity beside the number: nobody's to write, and of the moment in which the row was written
create table judged (id integer primary key, phone text, phone_input text, kind text, validity text, note text);
create trigger normalize_phone before insert or update on judged
    for each row execute function switchboard.normalize_phone('phone', 'phone_input', 'GB', 'type:kind', 'validity:validity');
insert into judged (id, phone) values (1, '07911 123456'), (2, '+442071838750'), (3, '07700 900123'), (4, '+444155551234'), (5, '+449061234567'), (6, null);
insert into judged (id, phone, kind, validity) values (7, '+447911123456', 'pager', 'possible'), (8, null, 'mobile', 'valid');
select * from judged order by id;
update judged set phone_input = '020 7183 8751' where id = 1;
update judged set phone = null where id = 2;
update judged set kind = 'voip', validity = null where id = 3;
update judged set note = 'as before' where id = 5;
-- As after an update of the metadata: any update of the row writes the verdict anew.
alter table judged disable trigger normalize_phone;
update judged set validity = 'valid', kind = 'mobile' where id = 4;
alter table judged enable trigger normalize_phone;
update judged set phone = phone where row(kind, validity) is distinct from (select row(p.type, p.validity) from switchboard.parse_phone(phone, null) as p);
select * from judged order by id;
drop trigger normalize_phone on judged;
create trigger normalize_phone before insert or update on judged
    for each row execute function switchboard.normalize_phone('phone', 'phone_input', 'GB', 'validity:validity');
insert into judged (id, phone, kind) values (9, '+447911123456', 'mine');
select * from judged where id = 9;
drop trigger normalize_phone on judged;
create trigger normalize_phone before insert or update on judged
    for each row execute function switchboard.normalize_phone('phone', 'phone_input', 'GB', 'kind');
insert into judged (id, phone) values (10, '+447911123456');
\echo :LAST_ERROR_SQLSTATE
drop trigger normalize_phone on judged;
create trigger normalize_phone before insert or update on judged
    for each row execute function switchboard.normalize_phone('phone', 'phone_input', 'GB', 'type:id');
insert into judged (id, phone) values (10, '+447911123456');
\echo :LAST_ERROR_SQLSTATE

-- phone_revalidate
insert into contact (id, phone) values (20, '+447700900123'), (21, '+444155551234'), (22, '+49110');
create table other (number text);
insert into other values ('+442071838750'), ('020 7183 8750'), ('020 7183 8750'), (null);
select * from switchboard.phone_revalidate('contact');
select * from switchboard.phone_revalidate('other', 'number');
select * from switchboard.phone_revalidate() where source = 'contact'::regclass;
select * from switchboard.phone_revalidate('other');
\echo :LAST_ERROR_SQLSTATE
select * from switchboard.phone_revalidate(null, 'number');
\echo :LAST_ERROR_SQLSTATE
select * from switchboard.phone_revalidate('other', 'phone');
\echo :LAST_ERROR_SQLSTATE
select * from switchboard.phone_revalidate('other', 'number") as n, pg_authid --');
\echo :LAST_ERROR_SQLSTATE
reset role;
set role authenticated;
select * from switchboard.phone_revalidate();
\echo :LAST_ERROR_SQLSTATE
reset role;
set client_min_messages = warning;
drop schema phone_functions cascade;
