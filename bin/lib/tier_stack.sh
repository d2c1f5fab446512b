#!/usr/bin/env bash
# Tier stack: bin/stack where people put a clone. Copies of this checkout, with what bin/setup has made here, in folders
# that are closed to everybody else, as root's home is on Debian; their stacks have ports 500 above the test stack's.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"
# shellcheck source=bin/lib/process.sh
source "$repo/bin/lib/process.sh"
folder=$(mktemp -d /var/tmp/switchboard-stack.XXXXXX)
chmod 755 "$folder"
export PORT_OFFSET=$((${PORT_OFFSET:-0} + 500))
trap 'end_stacks; rm -rf "$folder"' EXIT

# The user in whose name the stacks of this test run.
run() { (cd "$clone" && "${as_user[@]}" env PATH="$tools:$PATH" HOME="$user_home" STACK_NAME=test "$@"); }
as_caller() { as_user=() clone=$folder/closed/clone tools=$folder user_home=$HOME; }
as_ordinary_user() { as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups --) clone=$folder/home/clone tools=$folder/rust/bin user_home=$folder/home; }

make_clone() {
    mkdir -m 700 "$(dirname "$clone")"
    mkdir "$clone"
    git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$clone"
    cp -a --parents target/deno target/pgrx-home target/release/switchboard-pg"$major"{,.stamp} supabase/node_modules "$clone"
    if [[ -d target/tools ]]; then cp -a --parents target/tools "$clone"; fi
    ((${#as_user[@]} == 0)) || chown -R 65534:65534 "$(dirname "$clone")"
}

# rustup's toolchains are below a home that the user cannot enter.
copy_rust() {
    local root
    root=$(rustc --print sysroot)
    mkdir -p "$folder/rust/bin" "$folder/rust/lib"
    cp "$root"/bin/{rustc,cargo} "$folder/rust/bin"
    cp -L "$root"/lib/*.so* "$folder/rust/lib"
}

end_stacks() {
    local clone state
    export STACK_NAME=test
    for clone in "$folder"/*/clone; do
        state=$(readlink -e "$clone/.stack/test-$major") || continue
        "$clone/bin/stack" down >/dev/null 2>&1
        rm -rf "$state"
    done
}

up() {
    make_clone && run bin/stack up || return 1
    answers_200 "$((54421 + PORT_OFFSET))" /functions/v1/health || { say 'the gateway serves no function' && return 1; }
    answers "$((54429 + PORT_OFFSET))" || { say 'PgBouncer does not listen' && return 1; }
}

# Every server below a stack's state runs as the one user.
servers_run_as() {
    local state owners
    state=$(readlink -e "$clone/.stack/test-$major") || { say 'the clone does not know its stack' && return 1; }
    owners=$(for file in "$state"/*.pid; do stat -c %U "/proc/$(cut -d' ' -f1 "$file")"; done | sort -u)
    [[ $owners == "$1" && $(find "$state" -name '*.pid' | wc -l) -ge 4 ]] || { say "servers run as ${owners//$'\n'/, }, not as $1" && return 1; }
}

is_running() { [[ $(run bin/stack status | grep -c ': running$') == 3 ]] || { run bin/stack status && return 1; }; }

found_when_opened() {
    chmod 755 "$(dirname "$clone")"
    is_running && run bin/stack up
}
# The other way round: made while its folder was open, ended after that was closed.
ended_when_closed() {
    run bin/stack reset || return 1
    servers_run_as "$server_user" || return 1
    chmod 700 "$(dirname "$clone")"
    is_running && run bin/stack down || return 1
    ! run bin/stack up || return 1
    run bin/stack up 2>&1 | grep -q 'chmod o+x.*bin/stack reset' || { run bin/stack up && return 1; }
    run bin/stack reset && is_running && servers_run_as "$server_user"
}

says_its_own_words() {
    local said
    state=$folder said=''
    start_daemon short-lived /bin/sh -c 'echo I cannot run like this; exit 1'
    ! said=$(wait_ready short-lived false) || return 1
    [[ $said == *'short-lived ended'*'I cannot run like this'* ]] || { say "$said" && return 1; }
}

check 'a server that ends at once is noticed at once and quoted' says_its_own_words
as_caller
if is_root; then
    check 'root starts a stack from a folder that postgres cannot enter' up
    check 'all its servers run as postgres' servers_run_as postgres
    check 'a stack is found again after its folder was opened' found_when_opened
    check 'a stack is found, ended and made anew after its folder was closed' ended_when_closed
    end_stacks
    copy_rust
    as_ordinary_user
fi
check 'an ordinary user starts a stack from a closed home' up
check 'and its servers run as that user' servers_run_as "$(if is_root; then id -nu 65534; else id -nu; fi)"
counts
((failed == 0))
