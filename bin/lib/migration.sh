# The files of sql/schema in the order of their contents page, and the one migration made of them. Sourced by
# bin/generate and by tiers.
# shellcheck shell=bash
# shellcheck source=bin/lib/common.sh disable=SC2154 # repo

# Until the first release there is one; from then on migrations are added.
# shellcheck disable=SC2034 # used by who sources this
migration=20261120000000_switchboard.sql

# Below sql/schema.
schema_files() { sed -n 's/^\\ir //p' "$repo/sql/schema/schema.sql"; }

print_migration() {
    local file
    say '-- Generated from sql/schema by bin/generate migration: edit there.'
    while read -r file; do
        printf '\n-- %s\n\n' "sql/schema/$file"
        cat "$repo/sql/schema/$file"
    done < <(schema_files)
}
