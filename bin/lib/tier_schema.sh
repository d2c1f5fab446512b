#!/usr/bin/env bash
# Tier schema: supabase/migrations is sql/schema, and what they make passes the analysers. The database schema_plain gets
# sql/schema/schema.sql by psql; the test stack's own database got the migration by the CLI.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"
# shellcheck source=bin/lib/migration.sh
source "$repo/bin/lib/migration.sh"
# shellcheck source=bin/lib/types.sh
source "$repo/bin/lib/types.sh"

same_files() {
    diff <(print_migration) "supabase/migrations/$migration" || { say "run bin/generate migration" && return 1; }
    [[ $(ls supabase/migrations) == "$migration" ]] || { say "supabase/migrations holds another file than $migration" && return 1; }
}

apply_plain() {
    create_database schema_plain || return 1
    DATABASE=schema_plain psql_as postgres -1 -f sql/schema/schema.sql
}

# The names of other schemas are optional.
apply_without_compat() {
    create_database schema_no_compat || return 1
    DATABASE=schema_no_compat psql_as postgres -1 -f <(grep -v '^\\ir compat/' sql/schema/schema.sql | sed "s|^\\\\ir |\\\\i $repo/sql/schema/|")
}

dump() {
    # PostgreSQL's dumps carry a random key since 15.14; it is no part of the schema.
    "$bindir/pg_dump" --schema-only --exclude-schema=supabase_migrations -d "$(database_url supabase_admin "$1")" |
        grep -vE '^\\(un)?restrict '
}
same_schema() { diff <(dump schema_plain) <(dump postgres); }

# Every function in plpgsql, trigger functions once for each table that they serve.
plpgsql_check() {
    DATABASE=schema_plain psql_as supabase_admin -c 'create extension if not exists plpgsql_check with schema extensions' || return 1
    local errors
    errors=$(DATABASE=schema_plain psql_as supabase_admin -At -f bin/lib/plpgsql_check.sql) || return 1
    [[ -z $errors ]] || { say "$errors" && return 1; }
}

cli() { supabase db "$1" --remote="$(database_url supabase_admin schema_plain)?sslmode=disable" --output json "${@:2}"; }

# One line a finding: level and key of an advisor, function and what is wrong of the linter.
findings() {
    local advisors lint
    advisors=$(cli advisors --level info) || return 1
    lint=$(cli lint --schema public,private,switchboard --level warning) || return 1
    [[ $advisors == *'"cache_key"'* ]] || { say "db advisors found nothing at all, not even unused indexes: $advisors" && return 1; }
    grep -E '^ +"(level|cache_key)":' <<<"$advisors" | paste - - |
        sed -E 's/.*"level": "([A-Z]+)".*"cache_key": "(.*)".*/\1 \2/' | grep -v '^INFO unused_index_' || true
    awk -F'": ' '
        function value(text) { sub(/,$/, "", text); gsub(/^"|"$/, "", text); gsub(/\\"/, "\"", text); return text }
        function flush() { if (what != "") print kind " " where ": " what; what = "" }
        /^ *"function":/ { flush(); where = value($2) }
        /^ *"level":/ { flush(); kind = ($2 ~ /error/ ? "ERROR lint" : "lint") }
        /^ *"message":/ { what = value($2) }
        /^ *"detail":/ { what = value($2) }
        END { flush() }' <<<"$lint"
}
no_errors() {
    local found
    found=$(findings) || return 1
    ! grep '^ERROR' <<<"$found"
}
listed() {
    local found
    found=$(findings) || return 1
    diff <(grep -v '^#' tests/advisors.txt | cut -f1 | sort) <(sort -u <<<"$found" | grep .) ||
        { say "< is in tests/advisors.txt and no longer found, > is found and not in it" && return 1; }
}

same_capabilities() {
    diff docs/capabilities.md <(DATABASE=schema_plain psql_as postgres -f bin/lib/capabilities.sql) ||
        { say "run bin/stack reset and bin/generate capabilities" && return 1; }
}

same_api() {
    local page
    page=$(print_api schema_plain) || return 1
    diff docs/api.md - <<<"$page" || { say "run bin/stack reset and bin/generate api" && return 1; }
}

same_signatures() {
    diff <(grep -v '^#' sql/extension/signatures.txt) <(DATABASE=schema_plain psql_as supabase_admin -f bin/lib/signatures.sql) ||
        { say "run bin/stack reset and bin/generate signatures, then bin/setup" && return 1; }
}

same_types() {
    local types
    types=$(print_types schema_plain) || return 1
    diff "$types_file" - <<<"$types" || { say "run bin/stack reset and bin/generate types" && return 1; }
}

check 'the migration is sql/schema in the order of its contents page' same_files
check 'sql/schema applies to an empty database' apply_plain
check 'sql/schema applies without compat' apply_without_compat
check 'migrations and sql/schema give one schema' same_schema
check 'docs/capabilities.md says what the database does' same_capabilities
check 'docs/api.md says what the database and docs/api say' same_api
check 'signatures.txt holds the native functions of the database' same_signatures
check 'database.types.ts holds the types of the database' same_types
check 'plpgsql_check finds no error' plpgsql_check
check 'supabase db lint and db advisors find no error' no_errors
check 'and nothing but what tests/advisors.txt gives a reason for' listed
counts
((failed == 0))
