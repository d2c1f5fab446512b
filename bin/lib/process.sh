# Background servers of a stack, and who holds a port; sourced by bin/stack. A daemon's pid file holds its pid and start
# time, so a pid that another program got later is not taken for it.
# shellcheck shell=bash
# shellcheck disable=SC2154 # repo, run_as_server, state come from common.sh and stack.sh

# When a process started, in clock ticks since the machine booted.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# A process that ended but was not yet waited for (state Z) does not run.
is_alive() { [[ $(sed 's/.*) //;s/ .*//' "/proc/$1/stat" 2>/dev/null) == [^Z] ]]; }

daemon_runs() {
    local pid started
    [[ -e $state/$1.pid ]] && read -r pid started <"$state/$1.pid" || return 1
    [[ -n $started && $(started_at "$pid") == "$started" ]] && is_alive "$pid"
}

# start_daemon name command…: runs it as the server user, who may be able to read only what lend has given.
start_daemon() {
    local name=$1 pid
    shift
    # exec all the way: $! is the server's own pid. 9 is the lock, which must end with bin/stack.
    (cd / && exec setsid "${run_as_server[@]}" "$@") >"$state/$name.log" 2>&1 </dev/null 9>&- &
    pid=$!
    say "$pid $(started_at "$pid")" >"$state/$name.pid"
}

stop_daemon() {
    local pid
    if daemon_runs "$1"; then
        read -r pid _ <"$state/$1.pid"
        stop_pids "$pid"
    fi
    rm -f "$state/$1.pid"
}

# Asks processes to end; after ten seconds makes them.
stop_pids() {
    local pid
    # shellcheck disable=SC2086 # one argument a pid
    kill $1 2>/dev/null || true
    for pid in $1; do wait_end "$pid" 10 || kill -9 "$pid" 2>/dev/null || true; done
}

# wait_end pid seconds: fails when the process has not ended by then.
wait_end() {
    local end=$((SECONDS + $2))
    while is_alive "$1"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

processes_in() {
    local cwd
    for cwd in /proc/[0-9]*/cwd; do
        [[ $(readlink "$cwd" 2>/dev/null) == "$1" ]] && basename "$(dirname "$cwd")"
    done
    true
}

# wait_ready daemon command…: waits half a minute at most until the command succeeds. When the daemon has ended, which is
# noticed at once, or time is up, shows the end of its log.
wait_ready() {
    local name=$1 end=$((SECONDS + 30)) what='has ended'
    while daemon_runs "$name"; do
        "${@:2}" && return
        ((SECONDS < end)) || { what='is not ready after half a minute' && break; }
        sleep 0.1
    done
    say "$name $what; the end of $state/$name.log:"
    tail -n 20 "$state/$name.log"
    return 1
}

# listens port: whether something accepts connections there.
listens() { (exec 8<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# answers port path: whether it answers 200 with HTTP.
answers() {
    local status
    (
        exec 8<>"/dev/tcp/127.0.0.1/$1"
        printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&8
        read -r -t 5 _ status _ <&8 || true
        [[ ${status:-} == 200 ]]
    ) 2>/dev/null
}

# Stops with an explanation when something listens on a port that a server is about to take.
check_port() {
    local inode user pid holder
    read -r user inode < <(awk -v port="$(printf ':%04X' "$1")" \
        '$4 == "0A" && substr($2, length($2) - 4) == port { print $8, $10; exit }' /proc/net/tcp /proc/net/tcp6 2>/dev/null) || return 0
    pid=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" -print -quit 2>/dev/null | cut -d/ -f3 || true)
    if [[ -n $pid ]]; then
        holder="process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-120))"
    else
        holder="a program of the user $(id -nu "$user" 2>/dev/null || say "$user")"
    fi
    die "port $1, which $2 needs, is taken by $holder. Stop that first; if it is a stack of another folder or PostgreSQL version: bin/stack down there. PORT_OFFSET=1000 takes other ports"
}
