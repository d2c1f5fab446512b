//! Tells the linker to keep the section that cargo-pgrx reads the SQL from.

fn main() {
    // cargo-pgrx would say it by RUSTFLAGS, which differ from those of `cargo test` and clippy and so make Cargo build
    // every dependency a second time; bin/lib/common.sh switches that off.
    println!("cargo::rustc-cdylib-link-arg=-Wl,--no-gc-sections");
    println!("cargo::rerun-if-changed=build.rs");
}
