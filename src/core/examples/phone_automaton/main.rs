//! Writes the tables that numbers are read by: `src/phone/automaton.bin` from `src/phone/metadata.bin` and
//! `short_numbers.txt`, and `src/phone/time_zones.bin` from `time_zones.txt`. `facts.py` makes the texts. To be run after one
//! of the three was replaced:
//!
//! ```text
//! cargo run --release -p switchboard-core --example phone_automaton
//! ```
//!
//! The same sources give the same bytes; the tests of `phone::automaton` and `phone::time_zones` compare them.

mod compile;
mod forest;
mod prefix;
mod zones;

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/phone");
    let metadata = fs::read(folder.join("metadata.bin"))?;
    let tables = compile::compile(&metadata, include_str!("short_numbers.txt"));
    println!("{}", tables.summary);
    fs::write(folder.join("automaton.bin"), tables.bytes)?;
    let time_zones = zones::compile(include_str!("time_zones.txt"));
    println!("time zones: {} bytes", time_zones.len());
    fs::write(folder.join("time_zones.bin"), time_zones)
}
