#!/usr/bin/env bash
# Tier counters: live counters under fire. Eight connections write at random, also while the server is killed; then every
# counter is what counting gives. S4's own trigger goes through the same.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"
# shellcheck source=bin/lib/process.sh
source "$repo/bin/lib/process.sh"
load_stack_env
ADMIN_DATABASE_URL=$(database_url supabase_admin)
export ADMIN_DATABASE_URL
seconds=${STORM_SECONDS:-8}

sql() { psql_as supabase_admin -At "$@"; }
storm() { deno run --config "$deno_config" --frozen --quiet --allow-env --allow-net --allow-sys tests/counters/storm.ts "$@"; }

exact() {
    local wrong
    wrong=$(sql -c "select * from switchboard.verify_counts('storm.children')") || return 1
    [[ -z $wrong ]] || { say "$wrong" && return 1; }
    [[ $(sql -c 'select count(*) > 0 from storm.children') == t ]] || { say 'nothing was there to count' && return 1; }
}
storm_and_exact() { storm storm.children "$seconds" && exact; }

# The server and every process of it at once, while the eight write.
killed_and_exact() {
    local pids before
    rows_made() { sql -c "select last_value from storm.children_id_seq"; }
    before=$(rows_made)
    storm storm.children 60 &
    until (($(rows_made) > before + 3000)); do kill -0 $! || return 1; done
    pids=$(processes_in "$data")
    # shellcheck disable=SC2086 # one process a word
    kill -9 $pids || return 1
    wait $! || return 1
    "$repo/bin/stack" up || return 1
    exact
}

s4_is_wrong() {
    local wrong
    storm storm.s4_children "$seconds" || return 1
    wrong=$(sql -c "select count(*) from storm.s4_parents p where (total, active, hot) <> (select count(*), count(*) filter (where archived_at is null),
        count(*) filter (where status = 'HOT') from storm.s4_children c where c.parent_id = p.id)")
    say "S4's trigger: $wrong of 20 parents wrong"
    ((wrong > 0))
}

check 'the tables' sql -f tests/counters/tables.sql
check 'eight connections write at random: no deadlock, every counter exact' storm_and_exact
check 'the server is killed (-9) in the middle: every counter exact' killed_and_exact
check 'and goes on: every counter exact' storm_and_exact
check 'long texts: the memory stays flat' sql -f tests/counters/memory.sql
check "S4's own trigger leaves wrong counts behind" s4_is_wrong
check 'nothing is left' sql -c 'drop schema storm cascade'
counts
((failed == 0))
