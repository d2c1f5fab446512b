//! What is to be known of a file before its rows are read, found in one pass over it.

use super::{
    Dialect, Encoding, Fault, Reader,
    dialect::{self, UnknownDialect},
};

/// What the delimiter is guessed from.
const HEAD_BYTES: usize = 64 * 1024;

/// Why a file is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// No byte, or nothing but empty lines.
    #[error("empty_file")]
    EmptyFile,
    /// A header and no row.
    #[error("no_rows")]
    NoRows,
    /// Two columns of one name.
    #[error("duplicate_header")]
    DuplicateHeader(String),
    /// A column without a name; which one, from 1.
    #[error("blank_header")]
    BlankHeader(usize),
    /// See [`Fault`].
    #[error("{0}")]
    Row(Fault),
}

/// What [`Profiler`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// As it was given, or guessed.
    pub dialect: Dialect,
    /// The names of the columns, without white space around them.
    pub header: Vec<String>,
    /// The byte behind the header.
    pub body_at: u64,
    /// Records behind the header, up to the problem if it is one of a row.
    pub row_count: u64,
    /// Bytes of the file.
    pub byte_count: u64,
    /// Why the file cannot be read.
    pub problem: Option<FileProblem>,
}

/// Takes a file piece by piece.
pub struct Profiler {
    encoding: Option<Encoding>,
    delimiter: Option<u8>,
    /// The beginning of the file, until the dialect is known.
    head: Vec<u8>,
    reader: Option<Reader>,
    dialect: Dialect,
    utf8: Utf8,
    header: Option<Vec<Vec<u8>>>,
    body_at: u64,
    row_count: u64,
    byte_count: u64,
    fault: Option<Fault>,
}

impl Profiler {
    /// A profiler that guesses what is `None`.
    ///
    /// # Errors
    /// For an unknown encoding or delimiter.
    pub fn new(encoding: Option<&str>, delimiter: Option<&str>) -> Result<Self, UnknownDialect> {
        Ok(Self {
            encoding: encoding.map(str::parse).transpose()?,
            delimiter: delimiter.map(dialect::delimiter).transpose()?,
            head: Vec::new(),
            reader: None,
            dialect: Dialect::default(),
            utf8: Utf8::default(),
            header: None,
            body_at: 0,
            row_count: 0,
            byte_count: 0,
            fault: None,
        })
    }

    /// The next piece of the file.
    pub fn push(&mut self, piece: &[u8]) {
        self.byte_count += piece.len() as u64;
        self.utf8.push(piece);
        match &mut self.reader {
            Some(reader) => {
                if self.fault.is_none() {
                    reader.push(piece);
                    self.read();
                }
            }
            None => {
                self.head.extend_from_slice(piece);
                if self.head.len() >= HEAD_BYTES {
                    self.begin(false);
                }
            }
        }
    }

    fn begin(&mut self, is_whole: bool) {
        let head = std::mem::take(&mut self.head);
        let marked = Encoding::of_mark(&head).map(|(encoding, _)| encoding);
        self.encoding = self.encoding.or(marked);
        let encoding = self.encoding.unwrap_or_default();
        let delimiter = self
            .delimiter
            .unwrap_or_else(|| dialect::guess_delimiter(&head, encoding, is_whole));
        self.dialect = Dialect {
            encoding,
            delimiter,
        };
        let reader = self.reader.insert(Reader::new(self.dialect, 0));
        reader.push(&head);
        self.read();
    }

    fn read(&mut self) {
        let Some(reader) = &mut self.reader else {
            return;
        };
        loop {
            match reader.advance() {
                Ok(true) if self.header.is_none() => {
                    let cells = (0..reader.len()).map(|index| reader.raw_cell(index).to_vec());
                    self.header = Some(cells.collect());
                    self.body_at = reader.offset();
                }
                Ok(true) => self.row_count += 1,
                Ok(false) => return,
                Err(fault) => {
                    self.fault = Some(fault);
                    return;
                }
            }
        }
    }

    /// What was found, after the last piece.
    #[must_use]
    pub fn finish(mut self) -> Profile {
        if self.reader.is_none() {
            self.begin(true);
        }
        if let Some(reader) = &mut self.reader
            && self.fault.is_none()
        {
            reader.finish();
            self.read();
        }
        if self.encoding.is_none() && !self.utf8.is_valid() {
            self.dialect.encoding = Encoding::Windows1252;
        }
        let header: Vec<String> = self
            .header
            .iter()
            .flatten()
            .map(|cell| self.dialect.encoding.text(cell).trim().to_owned())
            .collect();
        let problem = match (self.fault, self.header.is_some()) {
            (Some(fault), _) => Some(FileProblem::Row(fault)),
            (None, false) => Some(FileProblem::EmptyFile),
            (None, true) => names(&header).or((self.row_count == 0).then_some(FileProblem::NoRows)),
        };
        Profile {
            dialect: self.dialect,
            header,
            body_at: self.body_at,
            row_count: self.row_count,
            byte_count: self.byte_count,
            problem,
        }
    }
}

fn names(header: &[String]) -> Option<FileProblem> {
    let blank = header.iter().position(String::is_empty);
    let again = || {
        let mut seen = std::collections::HashSet::new();
        header.iter().find(|name| !seen.insert(*name))
    };
    blank
        .map(|index| FileProblem::BlankHeader(index + 1))
        .or_else(|| again().map(|name| FileProblem::DuplicateHeader(name.clone())))
}

/// Whether pieces are UTF-8 together.
#[derive(Default)]
struct Utf8 {
    is_broken: bool,
    /// The beginning of a character that goes on in the next piece.
    rest: Vec<u8>,
}

impl Utf8 {
    fn push(&mut self, piece: &[u8]) {
        if self.is_broken {
            return;
        }
        let joined;
        let bytes = if self.rest.is_empty() {
            piece
        } else {
            self.rest.extend_from_slice(piece);
            joined = std::mem::take(&mut self.rest);
            &joined
        };
        if let Err(error) = std::str::from_utf8(bytes) {
            self.is_broken = error.error_len().is_some();
            self.rest = bytes[error.valid_up_to()..].to_vec();
        }
    }

    fn is_valid(&self) -> bool {
        !self.is_broken && self.rest.is_empty()
    }
}
