#!/usr/bin/env bash
# Tier regress: PostgreSQL's own pg_regress over tests/pg_regress/sql, in the database regress of the test stack, as
# supabase_admin; a file sets the role that it tests. After a change: look at the diff that is printed, and copy
# .stack/regress-<major>/results/x.out to tests/pg_regress/expected when it is right.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"

files=()
for file in tests/pg_regress/sql/*"$name"*.sql; do
    [[ -e $file ]] && files+=("$(basename "$file" .sql)")
done
((${#files[@]})) || { counts && exit; }

create_database regress
push_migrations regress
# Some files keep what the role under test sees in temporary tables, which no API role makes otherwise.
DATABASE=regress psql_as postgres -c 'grant temporary on database regress to authenticated, service_role'
output=$(mktemp)
folder=$repo/.stack/regress-$major
rm -rf "$folder"
mkdir -p "$folder"
status=0
PGPASSWORD=$password PSQLRC=/dev/null "$("$pg_config" --pkglibdir)/pgxs/src/test/regress/pg_regress" \
    --bindir="$bindir" --inputdir=tests/pg_regress --outputdir="$folder" --use-existing \
    --host=127.0.0.1 --port="$db_port" --user=supabase_admin --dbname=regress "${files[@]}" >"$output" 2>&1 || status=$?
cat "$output"
if [[ -s $folder/regression.diffs ]]; then cat "$folder/regression.diffs"; fi
# "test x ... ok" up to PostgreSQL 15, "ok 1 - x" from 16 on.
passed=$(grep -cE '^(test )?[a-z0-9_]+ +\.\.\. ok|^ok [0-9]+' "$output" || true)
failed=$((${#files[@]} - passed))
rm -f "$output"
counts
exit "$status"
