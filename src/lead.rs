//! SQL surface of leads as they come in.

use crate::pg::error::{self, ErrorReport};
use crate::pg::json::{Json, JsonText};
use pgrx::datum::Date;
use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use switchboard_core::lead::{self, Field, Lead, LeadReader, Options};

/// Most bytes of the options, and of a row that is looked at.
const MAX_OPTIONS_BYTES: usize = 1024 * 1024;
const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;

/// A lead's columns as SQL has them.
pub(crate) type Row = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<Date>,
    Option<String>,
    Option<String>,
    Option<Date>,
    JsonText,
    Option<JsonText>,
);

/// The lead in a row, a JSON object of column → text, number, boolean or null. options: `mapping {column: field or
/// null}`, country (ISO 3166), and `auto_normalize_uk_numbers`, `allow_international`, `required_fields` as in campaign
/// settings. `problems [{field, column, value, reason}]` says why it is none; NULL for a good one.
///
/// # Errors
/// 22023 naming the option.
#[pg_extern(immutable, parallel_safe, strict)]
#[allow(clippy::type_complexity)] // the row type is the SQL signature
fn parse_lead(
    cells: Json,
    options: Json,
) -> Result<
    TableIterator<
        'static,
        (
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
    let reader = remembered(options_text(&options)?)?;
    let cells = cells
        .text(MAX_ROW_BYTES)
        .ok_or_else(|| error::too_large("cells must not exceed 16 MB of JSON text"))?;
    Ok(TableIterator::once(row(reader.of_json(&cells.0))))
}

/// Which column of a file is which field, `{column: field or null}`: by its name in some languages, else by what most of
/// its cells are. sample: some rows, a JSON array of arrays of text; country (ISO 3166) reads national phone numbers.
///
/// # Errors
/// 22023 for a sample of another shape or over 16 MB.
#[pg_extern(immutable, parallel_safe, strict)]
fn suggest_mapping(
    header: Vec<String>,
    sample: Json,
    country: &str,
) -> Result<JsonText, ErrorReport> {
    let rows = sample
        .text(MAX_ROW_BYTES)
        .and_then(|rows| serde_json::from_str::<Vec<Vec<String>>>(&rows.0).ok())
        .ok_or_else(|| {
            error::invalid_argument(
                "sample must be a JSON array of arrays of text, of at most 16 MB",
            )
        })?;
    let found: BTreeMap<_, _> = lead::suggest(&header, &rows, Some(country))
        .into_iter()
        .map(|(column, field)| (column, field.map(Field::as_str)))
        .collect();
    Ok(JsonText::new(
        serde_json::to_string(&found).expect("texts are JSON"),
    ))
}

thread_local! {
    // The rows of one statement have the same options.
    static LAST: RefCell<Option<(JsonText, Rc<LeadReader>)>> = const { RefCell::new(None) };
}

fn remembered(options: JsonText) -> Result<Rc<LeadReader>, ErrorReport> {
    LAST.with_borrow_mut(|last| {
        if let Some((known, reader)) = last
            && *known.0 == *options.0
        {
            return Ok(Rc::clone(reader));
        }
        let reader = reader(&options)?;
        *last = Some((options, Rc::clone(&reader)));
        Ok(reader)
    })
}

/// A reader by options that were printed.
pub(crate) fn reader(options: &JsonText) -> Result<Rc<LeadReader>, ErrorReport> {
    let options = Options::parse(&options.0).map_err(|problem| {
        let fields: Vec<_> = Field::ALL.iter().map(|field| field.as_str()).collect();
        error::invalid_argument(problem).set_hint(format!("Fields: {}.", fields.join(", ")))
    })?;
    Ok(Rc::new(LeadReader::new(options)))
}

/// Options as text, of bounded length.
pub(crate) fn options_text(options: &Json) -> Result<JsonText, ErrorReport> {
    options
        .text(MAX_OPTIONS_BYTES)
        .ok_or_else(|| error::invalid_argument("options must not exceed 1 MB of JSON text"))
}

/// What SQL gets of a lead.
pub(crate) fn row(mut lead: Lead) -> Row {
    let date = |date: Option<lead::Date>| {
        date.and_then(|date| Date::new(date.year, date.month, date.day).ok())
    };
    let problems = (!lead.problems.is_empty())
        .then(|| JsonText::new(serde_json::to_string(&lead.problems).expect("texts are JSON")));
    (
        lead.take(Field::FirstName),
        lead.take(Field::LastName),
        lead.phone_number.take(),
        lead.take(Field::PhoneNumber),
        lead.take(Field::PhoneExtension),
        lead.take(Field::Email),
        lead.take(Field::Postcode),
        date(lead.inquiry_date),
        lead.take(Field::Notes),
        lead.take(Field::ConsentBasis),
        date(lead.consent_at),
        JsonText::new(std::mem::take(&mut lead.attributes)),
        problems,
    )
}
