#!/usr/bin/env bash
# Tier extension: #[pg_test] functions in a server of their own, from a PostgreSQL of their own (copy_postgres).
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"
output=$(mktemp)
folder=$(open_folder)/pgrx-test-$major
trap 'rm -f "$output"' EXIT
status=0

installed() { for file in $(extension_files); do stat -c '%n %i %Y' "$file"; done; }
before=$(installed)
mkdir -p "$(dirname "$folder")"
if is_root; then install -d -m 755 -o "$server_user" "$folder"; else mkdir -p "$folder"; fi
# With a server user cargo-pgrx installs by sudo, which an ordinary user needs as well.
cargo pgrx test "pg$major" ${name:+"$name"} --no-default-features --runas "$server_user" --pgdata "$folder" >"$output" 2>&1 || status=$?
cat "$output"
passed=$(sum_of passed "$output") failed=$(sum_of failed "$output")
check 'the installed extension stays as it was, for the servers that use it' test "$(installed)" = "$before"
counts
((status == 0 && failed == 0))
