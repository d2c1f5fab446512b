#!/usr/bin/env bash
# Tier functions: supabase/functions/tests, handlers with fakes; reads the shared vectors, uses no network.
# shellcheck source=bin/lib/deno_tests.sh
source "$(dirname "$0")/deno_tests.sh"
deno_tests supabase/functions/tests --deny-net
