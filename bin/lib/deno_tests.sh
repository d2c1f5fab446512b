# Sourced by the tiers that are Deno tests.
# shellcheck shell=bash
# shellcheck source=bin/lib/tier.sh
source "$(dirname "${BASH_SOURCE[0]}")/tier.sh"

# deno_tests folder [more options]: runs a folder's tests and ends the tier.
deno_tests() {
    local output status=0 permissions=(--allow-read="$repo" --allow-env --allow-sys)
    output=$(mktemp)
    if [[ " $* " != *' --deny-net '* ]]; then permissions+=(--allow-net); fi
    NO_COLOR=1 deno test --config "$deno_config" --frozen --no-prompt "${permissions[@]}" ${name:+--filter "$name"} \
        "${@:2}" "$1" >"$output" 2>&1 || status=$?
    cat "$output"
    # The summary: "ok | 12 passed (3 steps) | 0 failed (1s)"; steps belong to their test.
    grep -E '^(ok|FAILED) \|' "$output" | tail -n 1 | sed 's/([^)]*)//g' >"$output.sum" || true
    passed=$(sum_of passed "$output.sum") failed=$(sum_of failed "$output.sum")
    rm -f "$output" "$output.sum"
    counts
    exit "$status"
}
