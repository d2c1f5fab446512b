#!/usr/bin/env bash
# Tier pgtap: tests/pgtap in the test stack's database, connected as postgres; each file takes the role that it tests and
# rolls back.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"

files=()
for file in tests/pgtap/*"$name"*.sql; do [[ -e $file ]] && files+=("$file"); done
((${#files[@]})) || { counts && exit; }

psql_as supabase_admin -c 'create extension if not exists pgtap with schema extensions'
output=$(mktemp)
status=0
# The server's version of psql first: pg_prove takes the one in PATH.
PATH=$bindir:$PATH PGPASSWORD=$password PSQLRC=/dev/null pg_prove --verbose --nocolor \
    -h 127.0.0.1 -p "$db_port" -U postgres -d postgres "${files[@]}" >"$output" 2>&1 || status=$?
passed=$(grep -c '^ok ' "$output" || true) failed=$(grep -c '^not ok ' "$output" || true)
# On failure only what helps: the failed tests with their diagnostics, errors of psql and the summary.
if ((status == 0)); then cat "$output"; else grep -E '^not ok |^ *# |^psql:|ERROR|^tests/.*(Wstat|\.\. *$)|^ *(Failed|Parse errors|Non-zero|Result)' "$output"; fi
rm -f "$output"
((status == 0 || failed > 0)) || failed=1
counts
exit "$status"
