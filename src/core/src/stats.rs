//! Counter cache: which counters of which parent row change when child rows come, go or change.
//!
//! Reads a trigger's arguments: the parent, the key, and what each counter counts. The trigger adds up the differences of
//! the rows that changed and moves each parent once; nothing is recounted, so the cost follows those rows and not the size
//! of the table (S4's trigger recounts the whole dataset for every row).

mod predicate;
mod spec;

pub use predicate::{Predicate, PredicateError};
pub use spec::{Counter, CounterSpec, Latest, SpecError};

/// Quotes an SQL identifier.
pub(crate) fn quote_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes an SQL string literal; a backslash is taken literally whatever `standard_conforming_strings` says.
pub(crate) fn quote_literal(text: &str) -> String {
    let body = text.replace('\'', "''");
    if body.contains('\\') {
        format!("E'{}'", body.replace('\\', "\\\\"))
    } else {
        format!("'{body}'")
    }
}
