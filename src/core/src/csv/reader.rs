//! Records from pieces of a file, each with the byte behind it, so that reading may stop there and go on later.

use std::borrow::Cow;

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::{Dialect, Encoding};

/// Most bytes that the cells of a record may have together. An unclosed quote reaches it soon.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// Why there is no further record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A zero byte, which no text has. UTF-16 without a byte order mark has one in every other place.
    #[error("nul_byte")]
    NulByte,
    /// The file ends within quotes.
    #[error("unclosed_quote")]
    UnclosedQuote,
    /// More than [`MAX_RECORD_BYTES`].
    #[error("row_too_long")]
    RowTooLong,
}

/// Reads records. Pieces go in by [`push`](Reader::push), the last one is followed by [`finish`](Reader::finish), and
/// [`advance`](Reader::advance) goes from record to record as long as there is input.
pub struct Reader {
    dialect: Dialect,
    core: csv_core::Reader,
    /// UTF-16 becomes UTF-8 before it is split.
    decoder: Option<encoding_rs::Decoder>,
    input: Vec<u8>,
    /// Where in `input` reading goes on.
    at: usize,
    /// Bytes of the file before `input[at]`.
    offset: u64,
    /// The file's first bytes, until it is known whether they are a byte order mark.
    mark: Option<Vec<u8>>,
    is_finished: bool,
    cells: Vec<u8>,
    ends: Vec<usize>,
    /// Cells and bytes of the record so far.
    count: usize,
    length: usize,
    /// Whether something was read since the last record that is no empty line.
    is_pending: bool,
}

impl Reader {
    /// A reader of the file from byte `offset` on, where a record begins.
    #[must_use]
    pub fn new(dialect: Dialect, offset: u64) -> Self {
        let mut core = ReaderBuilder::new().delimiter(dialect.delimiter).build();
        // csv-core looks for a byte order mark in what it is given first, and would miss one that comes in two pieces and
        // take off one in the middle of the file. After an empty line it looks no more.
        core.read_record(b"\n", &mut [0], &mut [0]);
        let decoder = match dialect.encoding {
            Encoding::Utf16Le => Some(encoding_rs::UTF_16LE.new_decoder_without_bom_handling()),
            Encoding::Utf16Be => Some(encoding_rs::UTF_16BE.new_decoder_without_bom_handling()),
            _ => None,
        };
        Self {
            dialect,
            core,
            decoder,
            input: Vec::new(),
            at: 0,
            offset,
            mark: (offset == 0).then(Vec::new),
            is_finished: false,
            cells: vec![0; 4096],
            ends: vec![0; 64],
            count: 0,
            length: 0,
            is_pending: false,
        }
    }

    /// The next piece of the file.
    pub fn push(&mut self, piece: &[u8]) {
        self.input.drain(..self.at);
        self.at = 0;
        match self.mark.take() {
            None => self.take(piece),
            Some(mut head) => {
                head.extend_from_slice(piece);
                match head.len() {
                    0..3 => self.mark = Some(head),
                    _ => self.begin(&head),
                }
            }
        }
    }

    /// No piece will follow.
    pub fn finish(&mut self) {
        if let Some(head) = self.mark.take() {
            self.begin(&head);
        }
        if !self.is_finished {
            self.decode(&[], true);
        }
        self.is_finished = true;
    }

    /// Whether no piece will follow.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    fn begin(&mut self, head: &[u8]) {
        let length = match Encoding::of_mark(head) {
            Some((encoding, length)) if encoding == self.dialect.encoding => length,
            _ => 0,
        };
        self.offset += length as u64;
        self.take(&head[length..]);
    }

    fn take(&mut self, piece: &[u8]) {
        match self.decoder {
            None => self.input.extend_from_slice(piece),
            Some(_) => self.decode(piece, false),
        }
    }

    fn decode(&mut self, piece: &[u8], is_last: bool) {
        let Some(decoder) = &mut self.decoder else {
            return;
        };
        let room = decoder.max_utf8_buffer_length(piece.len()).unwrap_or(0);
        let old = self.input.len();
        self.input.resize(old + room, 0);
        let (_, _, written, _) = decoder.decode_to_utf8(piece, &mut self.input[old..], is_last);
        self.input.truncate(old + written);
    }

    /// Goes to the next record; `false` when it needs another piece, or after the last.
    ///
    /// # Errors
    /// For a record that is none. Reading ends there.
    pub fn advance(&mut self) -> Result<bool, Fault> {
        if !self.is_pending {
            (self.count, self.length) = (0, 0);
        }
        loop {
            let mut rest = &self.input[self.at..];
            let is_end = rest.is_empty();
            if is_end {
                if !(self.is_finished && self.is_pending) {
                    return Ok(false);
                }
                // The line feed that the last line may lack. Only within quotes does it end no record.
                rest = b"\n";
            }
            let (result, read, written, ends) = self.core.read_record(
                rest,
                &mut self.cells[self.length..],
                &mut self.ends[self.count..],
            );
            self.length += written;
            self.count += ends;
            if !is_end {
                self.is_pending |= rest[..read]
                    .iter()
                    .any(|byte| !matches!(byte, b'\r' | b'\n'));
                self.offset += self.raw_length(read);
                self.at += read;
            }
            match result {
                ReadRecordResult::Record => return self.record(),
                ReadRecordResult::OutputFull if self.cells.len() >= MAX_RECORD_BYTES => {
                    return Err(Fault::RowTooLong);
                }
                ReadRecordResult::OutputFull => {
                    let room = (self.cells.len() * 2).min(MAX_RECORD_BYTES);
                    self.cells.resize(room, 0);
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::End if is_end => {
                    return Err(Fault::UnclosedQuote);
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
    }

    fn record(&mut self) -> Result<bool, Fault> {
        self.is_pending = false;
        match self.cells[..self.length].contains(&0) {
            true => Err(Fault::NulByte),
            false => Ok(true),
        }
    }

    /// How many bytes of the file `read` bytes of the input were.
    fn raw_length(&self, read: usize) -> u64 {
        let text = &self.input[self.at..self.at + read];
        match self.dialect.encoding.is_utf16() {
            false => read as u64,
            // Two bytes a character, four for those beyond the first plane, which UTF-8 writes with four as well.
            true => text
                .iter()
                .map(|byte| match byte {
                    0x80..0xC0 => 0,
                    0xF0.. => 4,
                    _ => 2,
                })
                .sum(),
        }
    }

    /// The byte of the file behind the record.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Cells of the record.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no record yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A cell of the record.
    ///
    /// # Panics
    /// When the record has fewer cells.
    #[must_use]
    pub fn cell(&self, index: usize) -> Cow<'_, str> {
        self.dialect.encoding.text(self.raw_cell(index))
    }

    /// All cells of the record.
    pub fn cells(&self) -> impl Iterator<Item = Cow<'_, str>> {
        (0..self.count).map(|index| self.cell(index))
    }

    pub(super) fn raw_cell(&self, index: usize) -> &[u8] {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.cells[begin..self.ends[index]]
    }
}
