//! Any bytes as a file of leads: no panic; in pieces it is the file that it is whole; what `line` writes of a cell is read
//! back as that cell.
//!
//! The first byte of the input chooses the size of the pieces. From `src/core`, with cargo-fuzz 0.13:
//!
//! ```text
//! RUSTC_BOOTSTRAP=1 cargo fuzz run csv fuzz/corpus/csv fuzz/seeds/csv -- -max_len=4000 -max_total_time=600
//! ```
//!
//! `RUSTC_BOOTSTRAP` is explained in `phone.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::borrow::Cow;
use switchboard_core::csv::{Dialect, Fault, Profile, Profiler, Reader, line, unwrapped};
use switchboard_core::lead::{LeadReader, Options};

type Rows = (Vec<Vec<String>>, Option<Fault>);

fn profile(file: &[u8], size: usize) -> Profile {
    let mut profiler = Profiler::new(None, None).expect("both are guessed");
    file.chunks(size).for_each(|piece| profiler.push(piece));
    profiler.finish()
}

fn rows(file: &[u8], size: usize, dialect: Dialect) -> Rows {
    let mut reader = Reader::new(dialect, 0);
    let mut rows = Vec::new();
    let mut pieces = file.chunks(size);
    loop {
        match reader.advance() {
            Ok(true) => rows.push(reader.cells().map(Cow::into_owned).collect()),
            Ok(false) if reader.is_finished() => return (rows, None),
            Ok(false) => match pieces.next() {
                Some(piece) => reader.push(piece),
                None => reader.finish(),
            },
            Err(fault) => return (rows, Some(fault)),
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((&size, file)) = input.split_first() else {
        return;
    };
    let size = usize::from(size) + 1;
    let whole = profile(file, usize::MAX);
    let dialect = whole.dialect;
    let cut = profile(file, size);
    assert_eq!(
        (whole.row_count, &whole.problem),
        (cut.row_count, &cut.problem)
    );
    let read = rows(file, usize::MAX, dialect);
    assert_eq!(read, rows(file, size, dialect));
    let (records, _) = read;

    let options = r#"{"header": ["a", "b", "c"], "country": "GB",
        "mapping": {"a": "first_name", "b": "phone_number", "c": "inquiry_date"}}"#;
    let leads = LeadReader::new(Options::parse(options).expect("options"));
    for record in &records {
        leads.of_record(record.iter().map(|cell| Cow::Borrowed(cell.as_str())));
        // Behind another line: a byte order mark that begins a file is none of its text.
        let written = format!("x\n{}\n", line(record.iter().map(|cell| Some(cell.as_str()))));
        let comma = Dialect::of(Some("utf-8"), Some(",")).expect("a dialect");
        let (read, fault) = rows(written.as_bytes(), usize::MAX, comma);
        assert_eq!(fault, None);
        if let [_, read] = &read[..] {
            for (cell, given) in read.iter().zip(record) {
                assert_eq!(unwrapped(cell), given);
            }
        }
    }
});
