#!/usr/bin/env bash
# Tier stack: bin/stack itself, in copies of this folder with ports of their own: who runs the servers, where a stack's
# state is and stays, what is said of a server that ends. A new folder of mktemp is closed to others, as root's home is.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"
work=$(mktemp -d /var/tmp/bin-test-XXXXXX)
ports=$(((${PORT_OFFSET:-0} + 200) % 10000))

# The files of the working tree, and links to what bin/setup has made, so that it finds nothing to do.
copy_repo() { # folder owner
    mkdir "$1"
    tar -cf - --exclude=./target --exclude=./.stack --exclude=./.git --exclude=./supabase/node_modules . | tar -xf - -C "$1"
    mkdir -p "$1/target/release"
    chown -R "$2" "$1"
    link supabase/node_modules "$1/supabase/"
    link target/deno "$1/target/"
    link "$target/tools" "$PGRX_HOME" "$1/target/"
    link "$(extension_package)" "$(extension_stamp)" "$1/target/release/"
}
link() { cp -al "$@" 2>/dev/null || cp -a "$@"; }

# in_copy command…: in $copy, as its owner, without this folder's own settings.
in_copy() {
    (cd "$copy" && "${as_owner[@]}" env -u CARGO_TARGET_DIR -u PGRX_HOME -u DENO_DIR STACK_NAME=test PORT_OFFSET="$ports" "$@")
}
# of_copy name: what bin/lib/stack.sh calls state or outside there.
# shellcheck disable=SC2016 # another shell expands it
of_copy() { in_copy bash -c 'source bin/lib/common.sh && need_postgres && source bin/lib/stack.sh && say "${!1}"' - "$1"; }

# up_and_answering user: all five servers run as the user and answer, and nothing had to be set up.
up_and_answering() {
    local state pid
    in_copy bin/stack up || return 1
    state=$(of_copy state)
    for pid in $(head -qn 1 "$state"/*.pid "$state/data/postmaster.pid" | cut -d' ' -f1); do stat -c %U "/proc/$pid"; done >"$work/users"
    [[ $(uniq -c "$work/users") =~ ^\ *5\ $1$ ]] || { say "run by: $(uniq -c "$work/users")" && return 1; }
    (
        set -e
        # shellcheck source=/dev/null
        source "$state/env"
        curl -fsS -o /dev/null "$SUPABASE_URL/functions/v1/health"
        curl -fsS -o /dev/null "$SUPABASE_URL/rest/v1/" -H "apikey: $SUPABASE_ANON_KEY"
        curl -fsS -o /dev/null "$POOLED_REST_URL/"
    )
}
running() { [[ $(in_copy bin/stack status | grep -c running) == "$1" ]]; }
closed() { chmod 700 "$work" && ! as_server test -x "$copy"; }
opened() { chmod 755 "$work" && as_server test -x "$copy"; }

root_in_a_closed_folder() { closed && up_and_answering postgres; }
found_after_opening() { opened && running 3 && in_copy bin/stack up && closed && running 3; }

# PgBouncer gets a configuration that it refuses; what comes after it is not begun.
own_words() {
    local output
    in_copy bin/stack down
    sed -i 's/pool_mode = transaction/pool_mode = nonsense/' "$copy/bin/lib/services.sh"
    ! output=$(in_copy bin/stack up 2>&1) || { say "it started" && return 1; }
    say "$output"
    [[ $output == *'pgbouncer has ended'*'invalid value "nonsense"'* && $output != *'PostgREST behind it'* ]]
}

found_after_closing() {
    local output
    sed -i 's/pool_mode = nonsense/pool_mode = transaction/' "$copy/bin/lib/services.sh"
    opened && in_copy bin/stack reset && [[ $(of_copy state) == "$copy/.stack/"* ]] && closed && running 3 || return 1
    ! output=$(in_copy bin/stack up 2>&1) || { say "nothing was said" && return 1; }
    say "$output"
    [[ $output == *'can no longer reach'*'bin/stack reset'* ]] && in_copy bin/stack down && running 0
}

# The toolchain may be in root's home: it is asked for its version only.
lend_toolchain() {
    mkdir "$work/bin"
    printf '#!/bin/sh\necho "%s"\n' "$(rustc --version)" >"$work/bin/rustc"
    # shellcheck disable=SC2016 # another shell expands it
    printf '#!/bin/sh\nexec "cargo-$1" "$@"\n' >"$work/bin/cargo"
    chmod 755 "$work/bin" "$work/bin"/*
}

# take_copy name owner: what the checks work on.
take_copy() {
    mkdir "$work/$1"
    copy=$work/$1/switchboard as_owner=()
    copy_repo "$copy" "$2"
}
finish() {
    in_copy bin/stack down >/dev/null 2>&1 || true
    rm -rf "$(of_copy outside)"
}
trap '[[ -z ${copy:-} ]] || finish; rm -rf "$work"' EXIT

if is_root; then
    take_copy closed root
    check "in a closed folder root's servers run as postgres" root_in_a_closed_folder
    check 'a running stack is found again when its folder is opened' found_after_opening
    check 'of a server that ends at once its own words are shown' own_words
    check 'a running stack is found again, and stopped, when its folder is closed' found_after_closing
    finish
    chmod 755 "$work"
    take_copy own nobody
    chown nobody "$(dirname "$copy")"
    lend_toolchain
    as_owner=(setpriv --reuid=nobody --regid=nogroup --clear-groups -- env HOME="$copy/target" PATH="$work/bin:$PATH")
else
    take_copy own "$server_user"
fi
chmod 700 "$(dirname "$copy")"
check "in a closed folder an ordinary user's servers run as that user" up_and_answering "$(stat -c %U "$copy")"
counts
((failed == 0))
