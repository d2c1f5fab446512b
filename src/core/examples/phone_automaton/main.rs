//! Writes `src/phone/automaton.bin`, the tables that numbers are read by, from `src/phone/metadata.bin`. To be run after the
//! metadata was replaced:
//!
//! ```text
//! cargo run --release -p switchboard-core --example phone_automaton
//! ```
//!
//! The same metadata gives the same bytes; the tests of `phone::automaton` compare them.

mod compile;
mod forest;
mod prefix;

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/phone");
    let metadata = fs::read(folder.join("metadata.bin"))?;
    let tables = compile::compile(&metadata);
    println!("{}", tables.summary);
    fs::write(folder.join("automaton.bin"), tables.bytes)
}
