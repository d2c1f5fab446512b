#!/usr/bin/env bash
# Tier restore: dumps of public and private, restored by role postgres into databases that the platform has prepared with
# its default privileges, then attacked. restore_source has the schema and two tenants; every other database gets a dump of
# it, whole, without what closes it, or rows alone.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"
dumps=$(mktemp -d)
trap 'rm -rf "$dumps"' EXIT

dump() { "$bindir/pg_dump" -d "$(database_url "$1" "$2")" "${@:3}"; }
sql() { DATABASE=$1 psql_as postgres -At "${@:2}"; }

make_source() {
    create_database restore_source || return 1
    sql restore_source -1 -f sql/schema/schema.sql || return 1
    sql restore_source -f tests/restore/tenants.sql || return 1
    dump postgres restore_source --data-only --table=auth.users --file="$dumps/users.sql" || return 1
    dump postgres restore_source --schema=public --schema=private --file="$dumps/whole.sql" || return 1
    grep -v '^REFRESH MATERIALIZED VIEW' "$dumps/whole.sql" >"$dumps/open.sql" || return 1
    dump postgres restore_source --schema=public --schema=private --data-only --file="$dumps/rows.sql"
}

# The project's people come by Supabase Auth's own dump, before the rows that belong to them. Of the statements that fail
# these may: the schema public is there, and the platform's default privileges are supabase_admin's to give.
restore() { # database, dump
    local errors
    create_database "$1" || return 1
    sql "$1" -f "$dumps/users.sql" || return 1
    errors=$(PSQLRC=/dev/null "$bindir/psql" -X -q -d "$(database_url postgres "$1")" -f "$dumps/$2.sql" 2>&1 >/dev/null |
        grep -E 'ERROR|WARNING' |
        grep -vE 'schema "public" already exists|must be member of role "supabase_admin"|permission denied to change default privileges' || true)
    [[ -z $errors ]] || { say "$errors" && return 1; }
}

# No attack works, what is allowed is, the doctor finds no more than in the source, and the schema is the source's, with every grant.
is_well() {
    local found
    found=$(sql "$1" -f tests/restore/attacks.sql) || return 1
    [[ -z $found ]] || { say "$found" && return 1; }
    diff <(findings restore_source) <(findings "$1") || return 1
    diff <(statements restore_source) <(statements "$1")
}
findings() { sql "$1" -c 'select severity, code, object, finding from public.doctor()'; }
# The first line of each, and so every grant, revoke, default privilege, policy and trigger. The bodies of functions are
# printed a little otherwise after a restore.
statements() { dump supabase_admin "$1" --schema-only | grep -E '^(GRANT|REVOKE|CREATE|ALTER|COMMENT) ' | sort; }
source_is_well() { is_well restore_source; }

whole() {
    restore restore_whole whole || return 1
    is_well restore_whole || return 1
    # What it was open to is told.
    (($(sql restore_whole -c 'select count(*) from private.restored') > 50))
}

# Everything that a restore opens is an error of the doctor's, and attacks work: the two proofs below prove something.
open() {
    local attacks errors
    restore restore_open open || return 1
    attacks=$(sql restore_open -f tests/restore/attacks.sql | grep -c '^open: ')
    errors=$(sql restore_open -c "select code from public.doctor() where severity = 'error' group by code order by code" | paste -sd ' ')
    say "$attacks attacks work; the doctor says: $errors"
    ((attacks >= 20)) && [[ $errors == 'callable_by_anon grant_surplus grant_to_anon grant_too_wide platform_detached' ]]
}
closed_by_apply_grants() {
    restore restore_open open || return 1
    sql restore_open -c 'select private.apply_grants()' -c 'select private.attach_auth(), private.attach_storage(), private.attach_realtime()' || return 1
    is_well restore_open || return 1
    [[ -z $(sql restore_open -c 'select * from private.apply_grants()') ]] || { say 'a second time changes something' && return 1; }
}
# Each of the doctor's fixes by itself, as somebody pastes them.
closed_by_doctor() {
    restore restore_open open || return 1
    sql restore_open -c "select fix from public.doctor() where severity in ('error', 'warn')" >"$dumps/fixes.sql" || return 1
    sql restore_open -f "$dumps/fixes.sql" || return 1
    is_well restore_open
}

# Into a database that migrations have made, by its owner, who may not set session_replication_role.
rows() {
    create_database restore_rows || return 1
    sql restore_rows -1 -f sql/schema/schema.sql || return 1
    sql restore_rows -f "$dumps/users.sql" || return 1
    sql restore_rows -1 -c 'select private.begin_restore()' -f "$dumps/rows.sql" -c 'select private.end_restore()' || return 1
    diff <(sql restore_source -f tests/restore/same_rows.sql) <(sql restore_rows -f tests/restore/same_rows.sql) || return 1
    is_well restore_rows || return 1
    # Sealed for the same tenants under the same key ring, counters that follow, a log that does not change.
    diff - <(sql restore_rows -f tests/restore/at_work.sql) <<<$'token of a\n2 3\n42501'
}
# A row without its parent undoes it all.
rows_incomplete() {
    local told
    create_database restore_rows || return 1
    sql restore_rows -1 -f sql/schema/schema.sql || return 1
    told=$(sql restore_rows -v VERBOSITY=sqlstate -1 -c 'select private.begin_restore()' -f "$dumps/rows.sql" -c 'select private.end_restore()' 2>&1) && return 1
    [[ $told == *'ERROR:  23503'* ]] || { say "$told" && return 1; }
    [[ $(sql restore_rows -c 'select count(*) from public.organizations') == 0 ]] || return 1
    [[ -z $(sql restore_rows -c "select code from public.doctor() where severity = 'error'") ]]
}

# Every test needs it, whichever is asked for.
if output=$(make_source 2>&1); then
    check 'no attack works where the dumps come from' source_is_well
    check 'a restored dump closes what the default privileges opened' whole
    check 'without that, attacks work and the doctor reports them' open
    check 'apply_grants and the attach functions close an open restore' closed_by_apply_grants
    check 'the doctor'\''s fixes close an open restore' closed_by_doctor
    check 'rows alone go into a migrated database' rows
    check 'rows without their parents are refused' rows_incomplete
else
    say "not ok  the database restore_source" && tail -n 30 <<<"$output"
    failed=1
fi
counts
((failed == 0))
