#!/usr/bin/env bash
# Tier extension: #[pg_test] functions in a server of their own. cargo-pgrx installs a debug build for them, into a
# PostgreSQL of links that is made for it: the installed one, which may be running, keeps its library and its files.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"
folder=$states/pgrx-test-$major
postgres=$folder/postgres

# Only programs must be real files: they look for the other folders where those are in relation to themselves.
make_postgres() {
    local option from to config
    rm -rf "$postgres" "$folder/data"
    mkdir -p "$postgres$bindir"
    cp "$bindir"/* "$postgres$bindir"
    for option in --pkglibdir --sharedir --includedir-server; do
        from=$("$bindir/pg_config" "$option") to=$("$postgres$bindir/pg_config" "$option")
        [[ $to == "$postgres"/* ]] || die "this PostgreSQL cannot be moved: $option is $to"
        link_entries "$from" "$to"
    done
    to=$("$postgres$bindir/pg_config" --sharedir)/extension
    rm "$to"
    link_entries "$("$bindir/pg_config" --sharedir)/extension" "$to"
    rm -f "$to"/switchboard* "$("$postgres$bindir/pg_config" --pkglibdir)/switchboard.so"
    mkdir "$folder/data"
    # Written only when it differs: Cargo builds pgrx anew when this file is newer.
    config=$(printf '[configs]\npg%s = "%s"' "$major" "$postgres$bindir/pg_config")
    [[ $(cat "$folder/config.toml" 2>/dev/null) == "$config" ]] || say "$config" >"$folder/config.toml"
}
link_entries() { mkdir -p "$2" && ln -s "$1"/* "$2"; }

# A file that is replaced and put back has another inode and change time.
installed_files() {
    local file
    for file in $(extension_files); do stat -c '%n %i %z' "$file" && sha256sum "$file"; done
}
untouched() { diff <(say "$before") <(installed_files); }

before=$(installed_files)
[[ -d $states ]] || install -d -m 755 "$states"
make_postgres
as_user=()
if is_root; then
    chown "$server_user" "$folder/data"
    as_user=(--runas "$server_user")
fi
output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0
PGRX_HOME=$folder cargo pgrx test "pg$major" ${name:+"$name"} --no-default-features "${as_user[@]}" --pgdata "$folder/data" >"$output" 2>&1 || status=$?
cat "$output"
passed=$(sum_of passed "$output") failed=$(sum_of failed "$output")
check 'the installed library and its files were not touched' untouched
counts
((status == 0 && failed == 0))
