# Sourced by every tier: single checks, and the count line that bin/test reads.
# shellcheck shell=bash
# shellcheck source=bin/lib/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_postgres
# shellcheck source=bin/lib/extension.sh
source "$repo/bin/lib/extension.sh"
# shellcheck source=bin/lib/stack.sh
source "$repo/bin/lib/stack.sh"
cd "$repo"
name=${1:-}
passed=0 failed=0

counts() { say "#counts $passed $failed"; }

# check "title" command…: one test, passed when the command succeeds. Its output shows only when it fails.
check() {
    local title=$1 output
    shift
    [[ $title == *"$name"* ]] || return 0
    if output=$("$@" 2>&1 </dev/null); then
        passed=$((passed + 1))
        say "ok      $title"
    else
        failed=$((failed + 1))
        say "not ok  $title"
        tail -n 30 <<<"$output" | sed 's/^/          /'
    fi
}

# For test programs that print one summary line a suite: adds up the numbers in front of a word.
sum_of() { grep -oE "[0-9]+ $1" "$2" | awk '{ sum += $1 } END { print sum + 0 }'; }
