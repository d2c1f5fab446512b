# supabase/functions/_shared/database.types.ts: the types of a database's schema public. Sourced by bin/generate and the
# tier schema, after stack.sh.
# shellcheck shell=bash
# shellcheck source=bin/lib/common.sh disable=SC2154 # repo, deno_config

# Among the functions, because what they import has to be deployed with them.
# shellcheck disable=SC2034 # used by who sources this
types_file=supabase/functions/_shared/database.types.ts

# print_types database: as the CLI writes it, formatted like every other TypeScript file. The text holds no version, so
# it is the same for every PostgreSQL.
print_types() {
    local types complaints
    complaints=$(mktemp)
    # The CLI reports its progress on stderr; that is worth reading only when it fails.
    types=$(supabase gen types typescript --schema public --remote="$(database_url postgres "$1")?sslmode=disable" 2>"$complaints") ||
        { cat "$complaints" >&2 && return 1; }
    rm -f "$complaints"
    printf '%s\n\n%s\n' '// Generated from the database by bin/generate types; supabase.ts gives it to every client.' "$types" |
        deno fmt --config "$deno_config" --ext ts -
}
