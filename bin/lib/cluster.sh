# A stack's PostgreSQL cluster and its database: made, checked, started, stopped, migrated. Sourced by bin/stack.
# shellcheck shell=bash
# shellcheck source=bin/lib/common.sh disable=SC2154 # names from common.sh, extension.sh, stack.sh and bin/stack

make_state_folder() {
    [[ -d $states ]] || mkdir "$states"
    [[ -O $states ]] || die "$states belongs to somebody else; remove it or run as its owner"
    chmod 755 "$states" # whatever umask made it: the servers have to pass this folder
    [[ $states == "$inside" || -d $state ]] || note "the postgres user cannot reach this folder, so state is kept in $states"
    if is_root; then install -d -m 700 -o "$server_user" "$state"; else install -d -m 700 "$state"; fi
    as_server test -x "$state" ||
        die "the user $server_user can no longer reach $state, because a folder above it has been closed. Open that again (chmod a+x), or run $again, which makes the database anew in $outside"
}

init_cluster() {
    local passwords=$state/initdb.password
    say "$password" | as_server tee "$passwords" >/dev/null
    # --no-sync: a cluster that did not survive its first second is made again.
    as_server "$bindir/initdb" -D "$data" -U supabase_admin --pwfile="$passwords" --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync
    rm -f "$passwords"
    say "include = '../postgresql.conf'" | as_server tee -a "$data/postgresql.conf" >/dev/null
    # One key, made from the kernel's randomness; `*` marks the active one.
    printf '*k1:%s\n' "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" | (umask 077 && as_server tee "$keys" >/dev/null)
}

write_config() {
    local libraries=switchboard
    [[ -e $("$pg_config" --pkglibdir)/pg_stat_statements.so ]] && libraries+=', pg_stat_statements'
    {
        say "# Written by bin/stack up."
        say "listen_addresses = '127.0.0.1'"
        say "port = $db_port"
        say "unix_socket_directories = ''"
        say "shared_preload_libraries = '$libraries'"
        say "switchboard.key_file = '$keys'"
        say "log_line_prefix = '%m [%p] %q%u@%d '"
        # The test stack is thrown away after a crash.
        [[ $stack == test ]] && say "fsync = off"
        true
    } | as_server tee "$state/postgresql.conf" >/dev/null
}

check_cluster() {
    [[ -e $state/complete ]] ||
        die "the database in $state was not finished, perhaps because making it was interrupted or a migration failed. Run $again"
    [[ -e $keys ]] ||
        die "the key file $keys is gone, so the credentials sealed in this database cannot be opened. Put it back from a copy, or give the database up with $again"
    [[ $(cat "$state/extension-sql") == "$(extension_sql_hash)" ]] ||
        die "the extension's SQL has changed since this database was made. Run $again"
    local changed
    changed=$(changed_since_applied)
    [[ -z $changed ]] || die "changed since it was applied to this database: ${changed//$'\n'/, }. Run $again"
}

postgres_pid() { head -n 1 "$data/postmaster.pid" 2>/dev/null || true; }
# Stricter than pg_ctl status, which takes any process of that number for the server.
postgres_runs() {
    local pid
    pid=$(postgres_pid)
    [[ -n $pid && $(readlink "/proc/$pid/cwd" 2>/dev/null) == "$data" ]] && is_alive "$pid"
}

start_postgres() {
    write_config
    extension_library_hash >"$state/extension-library"
    as_server "$bindir/pg_ctl" start -D "$data" -l "$state/postgres.log" -w -t 60 -s 9>&- || {
        tail -n 20 "$state/postgres.log"
        return 1
    }
}

# By a signal, which pg_ctl would send too if its user can still reach the data.
stop_postgres() {
    local pid
    pid=$(postgres_pid)
    kill -INT "$pid"
    wait_end "$pid" 60 || { say "PostgreSQL (process $pid) did not stop within a minute" && return 1; }
}

# After a crash: server processes that outlived their postmaster hold the data directory, and a postmaster.pid whose
# process is gone, or is another program by now, keeps the server from starting.
clear_leftovers() {
    local pids
    postgres_runs && return
    pids=$(processes_in "$data")
    if [[ -n $pids ]]; then
        note "$stack: stopping processes left over from an earlier run: ${pids//$'\n'/ }"
        stop_pids "$pids"
    fi
    rm -f "$data/postmaster.pid"
}

list_applied() {
    cd "$repo" || return
    find supabase/migrations tests/platform supabase/seed.sql -name '*.sql' -print0 2>/dev/null | sort -z | xargs -0r sha256sum
}
changed_since_applied() {
    cd "$repo" || return
    sha256sum --check --quiet "$state/applied" 2>/dev/null | cut -d: -f1 || true
}
migrate() {
    push_migrations postgres "$@"
    list_applied >"$state/applied"
}

make_database() {
    prepare_database postgres
    extension_sql_hash >"$state/extension-sql"
    migrate --include-seed
    touch "$state/complete"
}
