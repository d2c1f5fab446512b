//! One row after another, by options that are read once.

use super::{Field, MAX_JSON_BYTES, Options, Problem, clean, date, problem::Fault};
use crate::{json, phone};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Longest JSON number of a cell, as text.
const MAX_NUMBER: usize = 40;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// From 1900 on.
    pub year: i32,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
}

/// What a row says. A row with problems is no lead, but what could be read of it is here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lead {
    texts: [Option<String>; Field::COUNT],
    /// In E.164.
    pub phone_number: Option<String>,
    /// When the contact asked.
    pub inquiry_date: Option<Date>,
    /// Since when the contact may be written to.
    pub consent_at: Option<Date>,
    /// What fills no field, as a JSON object.
    pub attributes: String,
    /// Why it is no lead.
    pub problems: Vec<Problem>,
}

impl Lead {
    /// A field's text without white space around it; of the phone number as it was given.
    pub fn take(&mut self, field: Field) -> Option<String> {
        self.texts[field as usize].take()
    }
}

/// Reads rows by the same options.
pub struct LeadReader {
    options: Options,
    /// The field of each column of a file.
    targets: Vec<Option<Field>>,
}

/// The cells of the fields, as they were given.
struct Cells<'a>([Option<(&'a str, Cow<'a, str>)>; Field::COUNT]);

/// What of a row is no field, growing as JSON.
struct Attributes {
    json: String,
    pairs: usize,
    bytes: usize,
}

impl Attributes {
    fn new() -> Self {
        Self {
            json: String::from("{"),
            pairs: 0,
            bytes: 0,
        }
    }

    fn add(&mut self, column: &str, value: &str) {
        if self.pairs > 0 {
            self.json.push(',');
        }
        let column = quoted(column);
        self.bytes += json_length(&column) + json_length(value);
        self.pairs += 1;
        self.json.extend([&*column, ":", value]);
    }

    fn is_bounded(&self) -> bool {
        json::object(self.pairs) + self.bytes <= MAX_JSON_BYTES
    }

    fn finish(mut self) -> String {
        self.json.push('}');
        self.json
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// Bytes of a JSON string as the database prints it, or of another value as it stands.
fn json_length(value: &str) -> usize {
    match serde_json::from_str::<Cow<'_, str>>(value) {
        Ok(text) if value.starts_with('"') => json::string(text.as_bytes()),
        _ => value.len(),
    }
}

impl LeadReader {
    /// A reader by these options.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let targets = options
            .header
            .iter()
            .map(|column| options.field_of(column))
            .collect();
        Self { options, targets }
    }

    /// The options it reads by.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The lead in the cells of a file's record.
    pub fn of_record<'a>(&'a self, record: impl ExactSizeIterator<Item = Cow<'a, str>>) -> Lead {
        let columns = &self.options.header;
        let ragged = record.len() != columns.len();
        let count = record.len();
        let mut cells = Cells(Default::default());
        let mut attributes = Attributes::new();
        let mut problems = Vec::new();
        if ragged {
            let value = format!("{count} cells, the header has {}", columns.len());
            problems.push(Problem::of_row(Fault::RaggedRow, Some(value.into())));
        } else {
            for ((cell, column), field) in record.zip(columns).zip(&self.targets) {
                match field {
                    _ if cell.len() > MAX_JSON_BYTES => {
                        problems.push(Problem::of_cell(Fault::TooLong, *field, column, None));
                    }
                    Some(field) => cells.0[*field as usize] = Some((column, cell)),
                    None => {
                        if let Some(value) = clean::value(&cell) {
                            attributes.add(column, &quoted(value));
                        }
                    }
                }
            }
        }
        self.judge(&cells, attributes, problems, !ragged)
    }

    /// The lead in a JSON object of column → cell.
    pub fn of_json(&self, row: &str) -> Lead {
        let Ok(object) = serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(row) else {
            let text = serde_json::from_str::<String>(row).map_or(Cow::from(row), Cow::from);
            let value = (row.len() <= MAX_JSON_BYTES && row != "null").then_some(text);
            let problems = vec![Problem::of_row(Fault::NotAnObject, value)];
            return self.judge(
                &Cells(Default::default()),
                Attributes::new(),
                problems,
                false,
            );
        };
        let mut cells = Cells(Default::default());
        let mut attributes = Attributes::new();
        let mut problems = Vec::new();
        for (column, cell) in &object {
            let cell = cell.get();
            let field = self.options.field_of(column);
            let is_number = cell.starts_with(|c: char| c == '-' || c.is_ascii_digit());
            if is_number && cell.len() > MAX_NUMBER {
                problems.push(Problem::of_cell(Fault::NumberTooLong, field, column, None));
            } else if json_length(cell) > MAX_JSON_BYTES {
                problems.push(Problem::of_cell(Fault::TooLong, field, column, None));
            } else if let Some(field) = field {
                if cell.starts_with(['{', '[']) {
                    problems.push(Problem::of_cell(
                        Fault::NotAText,
                        Some(field),
                        column,
                        Some(cell),
                    ));
                }
                if let Some(text) = text_of(cell) {
                    cells.0[field as usize] = Some((column, text));
                }
            } else if cell.starts_with('"') {
                let text = text_of(cell).unwrap_or_default();
                if let Some(value) = clean::value(&text) {
                    attributes.add(column, &quoted(value));
                }
            } else if cell != "null" {
                attributes.add(column, cell);
            }
        }
        self.judge(&cells, attributes, problems, true)
    }

    fn judge(
        &self,
        cells: &Cells<'_>,
        attributes: Attributes,
        problems: Vec<Problem>,
        is_row: bool,
    ) -> Lead {
        let mut lead = Lead {
            problems,
            ..Lead::default()
        };
        if !attributes.is_bounded() {
            lead.problems
                .push(Problem::of_row(Fault::AttributesTooLong, None));
        }
        lead.attributes = attributes.finish();
        for field in Field::ALL.iter().copied() {
            let Some((column, cell)) = &cells.0[field as usize] else {
                continue;
            };
            let Some(value) = clean::value(cell) else {
                continue;
            };
            lead.texts[field as usize] = Some(value.to_owned());
            let shown = match field {
                Field::PhoneNumber => cell,
                _ => value,
            };
            let too_long = field
                .max_chars()
                .is_some_and(|most| value.len() > most && value.chars().nth(most).is_some());
            if too_long {
                lead.problems.push(Problem::of_cell(
                    Fault::TooLong,
                    Some(field),
                    column,
                    Some(cell),
                ));
            }
            if let Some(fault) = self.read(&mut lead, field, value, too_long) {
                lead.problems
                    .push(Problem::of_cell(fault, Some(field), column, Some(shown)));
            }
        }
        if is_row {
            self.require(&mut lead, cells);
        }
        lead.problems.sort_by(|a, b| {
            let key = |problem: &Problem| (problem.field.is_none(), problem.field, problem.reason);
            key(a).cmp(&key(b))
        });
        lead
    }

    fn read(&self, lead: &mut Lead, field: Field, value: &str, too_long: bool) -> Option<Fault> {
        match field {
            Field::PhoneNumber => self.read_phone(lead, value),
            Field::PhoneExtension => {
                let digits = value.bytes().all(|b| b.is_ascii_digit()) && value.len() <= 20;
                (!digits).then_some(Fault::InvalidExtension)
            }
            Field::Email => (!too_long && !clean::is_email(value)).then_some(Fault::InvalidEmail),
            Field::InquiryDate => {
                lead.inquiry_date = date::parse(value, self.options.day_first());
                lead.inquiry_date.is_none().then_some(Fault::InvalidDate)
            }
            Field::ConsentAt => {
                lead.consent_at = date::parse(value, self.options.day_first());
                lead.consent_at.is_none().then_some(Fault::InvalidDate)
            }
            Field::ConsentBasis => {
                let basis = value.to_ascii_lowercase().replace([' ', '-'], "_");
                let known = Field::CONSENT_BASES.contains(&&*basis);
                lead.texts[field as usize] = Some(basis);
                (!known).then_some(Fault::InvalidConsentBasis)
            }
            Field::FirstName | Field::LastName | Field::Postcode | Field::Notes => None,
        }
    }

    fn read_phone(&self, lead: &mut Lead, value: &str) -> Option<Fault> {
        // Without normalizing, a number carries its country: with +, or with 00 where that is the exit code.
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let has_exit_code = value.trim_start_matches(|c| !is_word(c)).starts_with("00");
        let country = self.options.country.as_deref();
        let region = country.filter(|_| self.options.normalize || has_exit_code);
        let number = phone::parse(value, region, phone::Options::default());
        let is_accepted = matches!(
            number.validity,
            phone::Validity::Valid | phone::Validity::TestRange
        );
        let extension = &mut lead.texts[Field::PhoneExtension as usize];
        if extension.is_none() {
            *extension = number.extension;
        }
        lead.phone_number = number.e164;
        if !is_accepted {
            return Some(Fault::Phone(
                number.reason.unwrap_or(phone::Reason::NotANumber),
            ));
        }
        (!self.options.international && number.calling_code != self.options.home_code)
            .then_some(Fault::InternationalNotAllowed)
    }

    fn require(&self, lead: &mut Lead, cells: &Cells<'_>) {
        for field in &self.options.required {
            let has_verdict = |problem: &&Problem| {
                problem.field == Some(field.as_str())
                    && matches!(problem.reason, "too_long" | "number_too_long")
            };
            if lead.texts[*field as usize].is_some()
                || lead.problems.iter().any(|p| has_verdict(&p))
            {
                continue;
            }
            let (column, cell) = match &cells.0[*field as usize] {
                Some((column, cell)) => (*column, Some(&**cell)),
                None => (self.options.column_of(*field), None),
            };
            lead.problems.push(Problem::of_cell(
                Fault::Required,
                Some(*field),
                column,
                cell,
            ));
        }
    }
}

/// What a JSON value is as a cell; `None` for null.
fn text_of(cell: &str) -> Option<Cow<'_, str>> {
    match cell {
        "null" => None,
        _ if cell.starts_with('"') => serde_json::from_str(cell).ok(),
        _ => Some(Cow::from(cell)),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
