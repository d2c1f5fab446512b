#!/usr/bin/env bash
# Tier core: switchboard-core's unit, vector and property tests.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"
output=$(mktemp)
status=0
cargo test -p switchboard-core -- "$name" >"$output" 2>&1 || status=$?
cat "$output"
passed=$(sum_of passed "$output") failed=$(sum_of failed "$output")
rm -f "$output"
counts
exit "$status"
