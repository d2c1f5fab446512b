//! SQL surface of files: what is in one, the leads in its rows, and lines for a spreadsheet.

use crate::lead::{self, Row};
use crate::pg::cursor::Pieces;
use crate::pg::error::{self, ErrorReport};
use crate::pg::json::{Json, JsonText};
use pgrx::datum::Date;
use pgrx::iter::TableIterator;
use pgrx::{Array, check_for_interrupts, name, pg_extern};
use serde_json::Value;
use switchboard_core::csv::{FileProblem, Profiler, Reader};
use switchboard_core::lead::LeadReader;

/// One line of a CSV file without its end, safe for a spreadsheet: a cell that would be run gets an apostrophe, one that
/// would be read as another number or a date (a phone number, 007, 1/2) is written as ="…". NULL is empty. Never raises.
#[pg_extern(immutable, parallel_safe, strict)]
fn csv_line(cells: Array<&str>) -> String {
    switchboard_core::csv::line(cells.iter())
}

/// What a file is: source is a query that answers its pieces, one bytea column, in order. options: encoding, delimiter,
/// guessed where not given. `problem`: `empty_file`, `no_rows`, `blank_header`, `duplicate_header`, `nul_byte`,
/// `unclosed_quote`, `row_too_long`; NULL for a file that can be read.
///
/// # Errors
/// 22023 for options and for another kind of query.
#[pg_extern(stable, parallel_restricted, strict)]
#[allow(clippy::type_complexity)] // the row type is the SQL signature
fn csv_profile(
    source: &str,
    options: Json,
) -> Result<
    TableIterator<
        'static,
        (
            name!(encoding, &'static str),
            name!(delimiter, String),
            name!(header, Vec<String>),
            name!(body_at, i64),
            name!(row_count, i64),
            name!(byte_count, i64),
            name!(problem, Option<String>),
            name!(problem_row, Option<i64>),
            name!(problem_value, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let options = lead::options_text(&options)?;
    let options: Value = serde_json::from_str(&options.0).map_err(error::invalid_argument)?;
    let given = |name: &str| options.get(name).and_then(Value::as_str);
    let mut profiler = Profiler::new(given("encoding"), given("delimiter"))
        .map_err(|unknown| error::invalid_argument(format!("options.{unknown}")))?;
    let mut pieces = Pieces::open(source)?;
    while let Some(piece) = pieces.next() {
        check_for_interrupts!();
        profiler.push(&piece);
    }
    let found = profiler.finish();
    let row = match &found.problem {
        Some(FileProblem::Row(_)) => Some(found.row_count as i64 + 1),
        _ => None,
    };
    let value = match &found.problem {
        Some(FileProblem::DuplicateHeader(name)) => Some(name.chars().take(500).collect()),
        Some(FileProblem::BlankHeader(number)) => Some(number.to_string()),
        _ => None,
    };
    // A header with a zero byte is no text.
    let header = match found.header.iter().any(|name| name.contains('\0')) {
        true => Vec::new(),
        false => found.header,
    };
    Ok(TableIterator::once((
        found.dialect.encoding.as_str(),
        char::from(found.dialect.delimiter).to_string(),
        header,
        found.body_at as i64,
        found.row_count as i64,
        found.byte_count as i64,
        found.problem.map(|problem| problem.to_string()),
        row,
        value,
    )))
}

/// The leads in a file's rows, as `parse_lead` reads them, from a byte on at which a row begins. source as for
/// `csv_profile`; options: `parse_lead`'s, header, encoding, delimiter, `source_starts_at` (byte of the first piece), cells
/// (answer them). Rows count from `first_row`; `ends_at` is the byte behind a row.
///
/// # Errors
/// 22023 for options, for another kind of query, and for a row that is none, with its number.
#[pg_extern(stable, parallel_restricted)]
#[allow(clippy::type_complexity)] // the row type is the SQL signature
fn csv_leads(
    source: &str,
    options: Json,
    from_byte: i64,
    first_row: i32,
    max_rows: Option<i32>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(row_number, i32),
            name!(ends_at, i64),
            name!(cells, Option<Vec<String>>),
            name!(first_name, Option<String>),
            name!(last_name, Option<String>),
            name!(phone_number, Option<String>),
            name!(phone_input, Option<String>),
            name!(phone_extension, Option<String>),
            name!(email, Option<String>),
            name!(postcode, Option<String>),
            name!(inquiry_date, Option<Date>),
            name!(notes, Option<String>),
            name!(consent_basis, Option<String>),
            name!(consent_at, Option<Date>),
            name!(attributes, JsonText),
            name!(problems, Option<JsonText>),
        ),
    >,
    ErrorReport,
> {
    let leads = lead::reader(&lead::options_text(&options)?)?;
    let from = u64::try_from(from_byte)
        .map_err(|_| error::invalid_argument("from_byte must not be negative"))?;
    let skip = from
        .checked_sub(leads.options().source_starts_at)
        .ok_or_else(|| {
            error::invalid_argument("from_byte must not lie before options.source_starts_at")
        })?;
    let rows = FileRows {
        reader: Reader::new(leads.options().dialect, from),
        leads,
        pieces: Pieces::open(source)?,
        skip,
        number: first_row,
        left: max_rows.map_or(u64::MAX, |most| u64::try_from(most).unwrap_or(0)),
    };
    Ok(TableIterator::new(rows.map(
        |(number, ends_at, cells, row)| {
            let (a, b, c, d, e, f, g, h, i, j, k, l, m) = row;
            (
                number, ends_at, cells, a, b, c, d, e, f, g, h, i, j, k, l, m,
            )
        },
    )))
}

/// Rows of a file, each read when it is asked for.
struct FileRows {
    leads: std::rc::Rc<LeadReader>,
    reader: Reader,
    pieces: Pieces,
    /// Bytes of the source before the one to begin with.
    skip: u64,
    number: i32,
    left: u64,
}

impl FileRows {
    fn advance(&mut self) -> Result<bool, ErrorReport> {
        loop {
            check_for_interrupts!();
            let found = self.reader.advance().map_err(|fault| {
                error::invalid_argument(format!("row {} of the file: {fault}", self.number))
            })?;
            if found || self.reader.is_finished() {
                return Ok(found);
            }
            match self.pieces.next() {
                None => self.reader.finish(),
                Some(piece) => {
                    let rest = usize::try_from(self.skip)
                        .map_or(&[][..], |skip| piece.get(skip..).unwrap_or_default());
                    self.skip -= (piece.len() - rest.len()) as u64;
                    self.reader.push(rest);
                }
            }
        }
    }
}

impl Iterator for FileRows {
    type Item = (i32, i64, Option<Vec<String>>, Row);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 || !error::or_raise(self.advance()) {
            return None;
        }
        self.left -= 1;
        let number = self.number;
        self.number += 1;
        let cells = self
            .leads
            .options()
            .keeps_cells
            .then(|| self.reader.cells().map(|cell| cell.into_owned()).collect());
        let cells_of_record = (0..self.reader.len()).map(|index| self.reader.cell(index));
        let row = lead::row(self.leads.of_record(cells_of_record));
        Some((number, self.reader.offset() as i64, cells, row))
    }
}
