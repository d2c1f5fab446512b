# The local stack: names, ports, addresses, and how to reach its database. Sourced by stack, test, demo and bench after
# find_postgres. STACK_NAME is dev (the ports of `supabase start`) or test (each 100 higher); PORT_OFFSET moves both.
# shellcheck shell=bash
# shellcheck source=bin/lib/common.sh disable=SC2154

stack=${STACK_NAME:-dev}
case $stack in
    dev) first_port=54321 ;;
    test) first_port=54421 ;;
    *) die "STACK_NAME is '$stack'; it can be dev or test" ;;
esac
# For a machine where these are taken, as by `supabase start`.
[[ ${PORT_OFFSET:-0} =~ ^[0-9]{1,4}$ ]] || die "PORT_OFFSET is '$PORT_OFFSET'; it is a number from 0 to 9999"
api_port=$((first_port + ${PORT_OFFSET:-0})) db_port=$((api_port + 1)) rest_port=$((api_port + 10))
# The test stack's PgBouncer, where `supabase start` has its pooler, and the PostgREST behind it.
pooler_port=$((api_port + 8)) pooled_rest_port=$((rest_port + 1))

# Sets where this stack's state is. A stack that exists is found again whatever became of the modes of the folders above:
# only a new one asks what the servers can reach.
choose_state() {
    local choices=("$inside" "$outside")
    server_can_reach_repo || choices=("$outside" "$inside")
    states=${choices[0]}
    # Somebody else's folder of that name is none of our stacks.
    [[ ! -d $states/$stack-$major && -d ${choices[1]}/$stack-$major && -O ${choices[1]} ]] && states=${choices[1]}
    state=$states/$stack-$major
    data=$state/data keys=$state/switchboard.keys
}
choose_state
api_url=http://127.0.0.1:$api_port
# The secret and passwords of every local Supabase stack; bound to 127.0.0.1.
jwt_secret=super-secret-jwt-token-with-at-least-32-characters-long
password=postgres

# A database's address: database_url postgres [database]
database_url() { say "postgres://$1:$password@127.0.0.1:$db_port/${2:-postgres}"; }
# psql as a role: psql_as postgres -c 'select 1' (DATABASE chooses another database)
psql_as() {
    PSQLRC=/dev/null "$bindir/psql" -X -q -v ON_ERROR_STOP=1 -d "$(database_url "$1" "${DATABASE:-postgres}")" "${@:2}"
}

# Sets SUPABASE_URL, the keys and DATABASE_URL, as `supabase status -o env` names them, for a stack that is up.
load_stack_env() {
    [[ -r $state/env ]] || die "the $stack stack is not up; run STACK_NAME=$stack bin/stack up"
    set -a
    # shellcheck source=/dev/null
    source "$state/env"
    set +a
}

# What Supabase would have put into a database, and the extension; roles belong to the whole cluster and stay.
prepare_database() {
    local file
    for file in "$repo"/tests/platform/*.sql; do
        DATABASE=$1 psql_as supabase_admin -1 -f "$file"
    done
    DATABASE=$1 psql_as supabase_admin -c 'create extension if not exists switchboard'
}

# supabase/migrations by the real CLI, as role postgres: push_migrations database [--include-seed]
push_migrations() {
    supabase db push --yes --remote="$(database_url postgres "$1")?sslmode=disable" "${@:2}"
}

create_database() {
    psql_as supabase_admin -c "drop database if exists $1" -c "create database $1 owner postgres"
    prepare_database "$1"
}

# docs/api.md as a database and docs/api have it: print_api database
print_api() {
    local functions
    functions=$(DATABASE=$1 psql_as postgres -f "$repo/bin/lib/api.sql") || return 1
    deno run --config "$deno_config" --frozen --cached-only "--allow-read=$repo/docs/api" "$repo/bin/lib/api.ts" <<<"$functions"
}
