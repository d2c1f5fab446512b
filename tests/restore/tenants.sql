-- Two tenants with a row in every table, kept: what the databases of this tier are dumped from. ids are those of
-- tests/pgtap/_helpers.psql.
begin;
\ir ../pgtap/_helpers.psql
select tests.make_tenant('a', 801), tests.make_tenant('b', 802);
-- Counters that are not those of make_tenant's last statement, and a template of nobody's.
update public.leads set contact_status = 'HOT' where id = tests.id('a.lead');
insert into public.prompt_templates (organization_id, name, description, category, template_structure)
values (null, 'System', 'For tests', 'general', '{}');
insert into private.capabilities (name, roles) values ('orders.read', '{owner}');
drop schema tests cascade;
select format('revoke temporary on database %I from anon, authenticated, service_role', current_database()) \gexec
commit;
