# Builds and installs the extension; sourced by setup, stack and test after find_postgres.
# The package is kept in the target folder, so that installing it again is a copy.
# shellcheck shell=bash
# shellcheck disable=SC2154 # repo, target, major, pg_config come from common.sh

extension_package() { say "$target/release/switchboard-pg$major"; }
extension_stamp() { say "$target/release/switchboard-pg$major.stamp"; }

# One hash over everything that the build reads.
extension_sources() {
    (
        cd "$repo" || exit
        rustc --version
        find src sql/extension build.rs Cargo.toml Cargo.lock switchboard.control -type f -not -path 'src/core/fuzz/*' -print0 |
            sort -z | xargs -0 sha256sum
    ) | sha256sum | cut -d' ' -f1
}

extension_is_built() { [[ $(cat "$(extension_stamp)" 2>/dev/null) == "$(extension_sources)" ]]; }

build_extension() {
    local sources
    sources=$(extension_sources) # before the build: a file saved meanwhile makes the next run build again
    rm -f "$(extension_stamp)"
    rm -rf "$(extension_package)"
    (cd "$repo" && cargo pgrx package --pg-config "$pg_config" --no-default-features --features "pg$major" --out-dir "$(extension_package)")
    say "$sources" >"$(extension_stamp)"
}

extension_files() { (cd "$(extension_package)" && find . -type f | cut -c2-); }

extension_is_installed() {
    local file
    for file in $(extension_files); do
        cmp -s "$(extension_package)$file" "$file" || return 1
    done
}

# Each file is replaced as a whole: a running server keeps the library that it has mapped.
install_extension() {
    local file
    for file in $(extension_files); do
        as_root install -m 644 "$(extension_package)$file" "$file.new"
        as_root mv -f "$file.new" "$file"
    done
}

# What a database was created with, and what a server has loaded.
extension_sql_hash() { cat "$("$pg_config" --sharedir)"/extension/switchboard--*.sql | sha256sum | cut -d' ' -f1; }
extension_library_hash() { sha256sum <"$("$pg_config" --pkglibdir)/switchboard.so" | cut -d' ' -f1; }
