#!/usr/bin/env bash
# Tier extension: #[pg_test] functions in a server of their own. cargo-pgrx installs a debug build over ours; the kept
# release build goes back afterwards.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"
output=$(mktemp)
folder=$(open_folder)/pgrx-test-$major
trap 'rm -f "$output"; install_extension' EXIT
status=0

# cargo-pgrx copies over the installed file in place; a running server must not have that one mapped.
for file in $(extension_files); do as_root rm -f "$file"; done
mkdir -p "$(dirname "$folder")"
if is_root; then install -d -m 755 -o "$server_user" "$folder"; else mkdir -p "$folder"; fi
# With a server user cargo-pgrx installs by sudo, which an ordinary user needs as well.
cargo pgrx test "pg$major" ${name:+"$name"} --no-default-features --runas "$server_user" --pgdata "$folder" >"$output" 2>&1 || status=$?
cat "$output"
passed=$(sum_of passed "$output") failed=$(sum_of failed "$output")
counts
exit "$status"
