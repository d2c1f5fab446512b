-- Files and rows of leads: an answer, NULL and each error. The rules themselves are tested in src/core.
\pset null (null)
select switchboard.csv_line(array['Jane', '+447700900123', '=1+1', '007', null, 'a,b', 'say "x"', '1/2', '7']);
select switchboard.csv_line('{}'), switchboard.csv_line(null);

create temporary table pieces (seq integer, piece bytea);
insert into pieces values (1, convert_to(e'Name;Handy;Dach\nJürgen;0151', 'UTF8')), (2, '2345678;Ziegel'), (3, e'\n"Ute\n2";x;Schiefer'), (4, null);
select * from switchboard.csv_profile('select piece from pieces order by seq', '{}');
select row_number, ends_at, cells, first_name, phone_number, phone_input, attributes, problems
    from switchboard.csv_leads('select piece from pieces order by seq',
        '{"header": ["Name", "Handy", "Dach"], "delimiter": ";", "mapping": {"Name": "first_name", "Handy": "phone_number"}, "country": "DE", "cells": true}', 16, 1, null);
-- From a piece on, and no more rows than asked for.
select row_number, ends_at, first_name
    from switchboard.csv_leads('select piece from pieces where seq >= 2 order by seq',
        '{"header": ["first_name", "Handy", "Dach"], "delimiter": ";", "source_starts_at": 28}', 43, 2, 1);
select count(*) from switchboard.csv_leads('select piece from pieces', '{}', 0, 1, 0);
select problem, problem_row, problem_value from unnest(array['', 'a,b', 'a,a' || e'\n1,2', 'a,' || e'\n1,2', 'a,b' || e'\n1,"2']) as file
    cross join lateral switchboard.csv_profile(format('select %L::bytea', file), '{}');
-- What is no source of pieces.
\set ON_ERROR_STOP off
select * from switchboard.csv_profile('select 1', '{}');
\echo :LAST_ERROR_SQLSTATE
select * from switchboard.csv_profile('select piece, piece from pieces', '{}');
\echo :LAST_ERROR_SQLSTATE
select * from switchboard.csv_profile('delete from pieces returning piece', '{}');
\echo :LAST_ERROR_SQLSTATE
select * from switchboard.csv_profile('select', '{}');
\echo :LAST_ERROR_SQLSTATE
select * from switchboard.csv_profile('no query', '{}');
\echo :LAST_ERROR_SQLSTATE
select * from switchboard.csv_profile('select piece from pieces', '{"encoding": "latin"}');
\echo :LAST_ERROR_SQLSTATE
select * from switchboard.csv_leads('select piece from pieces', '{"source_starts_at": 9}', 0, 1, null);
\echo :LAST_ERROR_SQLSTATE
select count(*) from switchboard.csv_leads($$ select e'a,b\n1,"2'::bytea $$, '{"header": ["a", "b"]}', 0, 1, null);
\echo :LAST_ERROR_SQLSTATE
select count(*) as open_cursors from pg_cursors where statement like '%pieces%' and name not like '<%' and not statement like 'select count%';

-- parse_lead
select first_name, phone_number, phone_extension, email, inquiry_date, consent_basis, consent_at, attributes, problems
    from switchboard.parse_lead('{"first_name": " Ada ", "Mobile": "020 7183 8750 ext 12", "email": "a@b.example", "inquiry_date": "31/03/2025",
        "consent_basis": "Soft opt-in", "consent_at": "2025-03-31", "kW": 4, "Roof": " slate ", "none": null}', '{"country": "GB", "mapping": {"Mobile": "phone_number"}}');
select p.first_name, p.problems from unnest(array['7', '"text"', 'null', '[]',
    '{"first_name": {"a": 1}}', '{"first_name": ""}', '{"first_name": "A", "email": "a"}', '{"first_name": "A", "inquiry_date": "2025-02-30"}',
    '{"first_name": "A", "phone_number": "+1 415 555 2671"}', '{"first_name": "A", "phone_extension": "x"}', '{"first_name": "A", "consent_basis": "none"}']::jsonb[]) as cells
    cross join lateral switchboard.parse_lead(cells, '{"country": "GB", "required_fields": ["first_name"]}') as p;
select * from switchboard.parse_lead(null, '{}');
select 1 from switchboard.parse_lead('{}', '{"mapping": {"x": "nothing"}}');
\echo :LAST_ERROR_SQLSTATE
select 1 from switchboard.parse_lead('{}', '{"mapping": {"x": "email", "y": "email"}}');
\echo :LAST_ERROR_SQLSTATE
select 1 from switchboard.parse_lead('{}', '{"required_fields": ["age"]}');
\echo :LAST_ERROR_SQLSTATE
select 1 from switchboard.parse_lead('{}', '{"unknown": 1}');
\echo :LAST_ERROR_SQLSTATE

-- suggest_mapping
select switchboard.suggest_mapping(array['Vorname', 'A', 'B', 'Dach'], '[["Ute", "0151 23456789", "u@b.example", "x"]]', 'DE');
select switchboard.suggest_mapping(null, '[]', 'DE');
select switchboard.suggest_mapping('{a}', '{}', 'DE');
\echo :LAST_ERROR_SQLSTATE
