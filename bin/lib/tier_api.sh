#!/usr/bin/env bash
# Tier api: tests/api with the real supabase-js against the test stack.
# shellcheck source=bin/lib/deno_tests.sh
source "$(dirname "$0")/deno_tests.sh"
load_stack_env
# The examples of docs/api.md are commands for a shell.
deno_tests tests/api --allow-run=bash
