//! Files of rows as people send them: which encoding and delimiter they are in, their records one after another from
//! pieces of any size, and lines that a spreadsheet opens without changing them.
//!
//! Records are RFC 4180 as `csv-core` reads it: LF, CR LF and CR end one, empty lines are none, a quote in the middle of a
//! cell is itself.

mod dialect;
mod line;
mod profile;
mod reader;

pub use dialect::{Dialect, Encoding, UnknownDialect};
pub use line::{line, unwrapped};
pub use profile::{FileProblem, Profile, Profiler};
pub use reader::{Fault, MAX_RECORD_BYTES, Reader};

#[cfg(test)]
mod tests;
