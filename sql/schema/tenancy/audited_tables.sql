-- Whose changes the audit log holds, and what somebody must hold to read of them there.

create table private.audited_tables (
    table_name text not null primary key,
    capability text not null
);
comment on table private.audited_tables is
    'Tables whose changes are in the audit log. Rows are made by private.add_audit.';
comment on column private.audited_tables.capability is
    'What a reader of the table''s rows in the log must hold besides audit_log.read.';

select private.add_deny_policy('private.audited_tables');

-- Of pruning, and of erase_person and export_person.
insert into private.audited_tables (table_name, capability) values
    ('audit_log', 'audit_log.read'), ('people', 'people.erase');

create function private.readable_audit() returns text[]
    language sql stable security definer
    set search_path = ''
begin atomic
    select array(
        select a.table_name from private.audited_tables a
        where switchboard.organization_for(a.capability) is not null
    );
end;
comment on function private.readable_audit() is
    'The audited tables whose rows the caller may read in the current organization. For the policy of audit_log. Definer, because the list is granted to nobody. Raises nothing.';
grant execute on function private.readable_audit() to authenticated;
