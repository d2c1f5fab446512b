//! How rows are read: which column is which field, and the rules of the campaign.

use super::Field;
use crate::{
    csv::{Dialect, UnknownDialect},
    phone,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Which column is which field, and what a row must have.
#[derive(Debug, Clone)]
pub struct Options {
    /// Column → field; `None` keeps the column among the attributes though it is called like a field.
    mapping: BTreeMap<String, Option<Field>>,
    /// Columns of a file, in order.
    pub header: Vec<String>,
    /// How a file is to be read.
    pub dialect: Dialect,
    /// Byte of the file at which the first piece begins.
    pub source_starts_at: u64,
    /// Whether rows come with their cells as they were.
    pub keeps_cells: bool,
    pub(super) country: Option<String>,
    pub(super) home_code: Option<i32>,
    pub(super) normalize: bool,
    pub(super) international: bool,
    pub(super) required: Vec<Field>,
}

/// What is wrong with the options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Not of the shape.
    #[error("options: {0}")]
    Shape(String),
    /// A column mapped to what is no field.
    #[error("mapping of column {0:?} names no lead field")]
    Mapping(String),
    /// Two columns for one field.
    #[error("two columns are mapped to {0}")]
    Twice(&'static str),
    /// A required field that is none.
    #[error("options.required_fields names the unknown field {0:?}")]
    Required(String),
    /// Encoding or delimiter.
    #[error("options.{0}")]
    Dialect(#[from] UnknownDialect),
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Given {
    mapping: BTreeMap<String, Value>,
    header: Vec<String>,
    encoding: Option<String>,
    delimiter: Option<String>,
    source_starts_at: u64,
    cells: bool,
    country: Option<String>,
    auto_normalize_uk_numbers: bool,
    allow_international: bool,
    required_fields: Vec<String>,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            mapping: BTreeMap::new(),
            header: Vec::new(),
            encoding: None,
            delimiter: None,
            source_starts_at: 0,
            cells: false,
            country: None,
            auto_normalize_uk_numbers: true,
            allow_international: false,
            required_fields: Vec::new(),
        }
    }
}

impl Options {
    /// Reads `{mapping, header, encoding, delimiter, source_starts_at, cells, country,
    /// auto_normalize_uk_numbers, allow_international, required_fields}`, none of which must be there. The names are those of
    /// a campaign's settings.
    ///
    /// # Errors
    /// Names the option and the rule.
    pub fn parse(json: &str) -> Result<Self, OptionsError> {
        // serde takes a list for a struct, too.
        if !json.trim_start().starts_with('{') {
            return Err(OptionsError::Shape("a JSON object is needed".to_owned()));
        }
        let given: Given =
            serde_json::from_str(json).map_err(|error| OptionsError::Shape(error.to_string()))?;
        let mut mapping = BTreeMap::new();
        for (column, field) in given.mapping {
            let field = match &field {
                Value::Null => None,
                Value::String(name) => Some(Field::of(name)),
                _ => Some(None),
            };
            match field {
                Some(None) => return Err(OptionsError::Mapping(column)),
                field => mapping.insert(column, field.flatten()),
            };
        }
        for field in Field::ALL {
            if mapping
                .values()
                .filter(|mapped| **mapped == Some(*field))
                .count()
                > 1
            {
                return Err(OptionsError::Twice(field.as_str()));
            }
        }
        let required = given
            .required_fields
            .into_iter()
            .map(|name| Field::of(&name).ok_or(OptionsError::Required(name)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            mapping,
            header: given.header,
            dialect: Dialect::of(given.encoding.as_deref(), given.delimiter.as_deref())?,
            source_starts_at: given.source_starts_at,
            keeps_cells: given.cells,
            home_code: given.country.as_deref().and_then(phone::calling_code),
            country: given.country,
            normalize: given.auto_normalize_uk_numbers,
            international: given.allow_international,
            required,
        })
    }

    /// The field that a column fills: the one it is mapped to, else its namesake, unless another column is mapped there.
    pub(super) fn field_of(&self, column: &str) -> Option<Field> {
        match self.mapping.get(column) {
            Some(field) => *field,
            None => Field::of(column)
                .filter(|field| !self.mapping.values().any(|mapped| *mapped == Some(*field))),
        }
    }

    /// What the row calls a field that it does not have.
    pub(super) fn column_of(&self, field: Field) -> &str {
        self.mapping
            .iter()
            .find(|(_, mapped)| **mapped == Some(field))
            .map_or(field.as_str(), |(column, _)| column)
    }

    /// Whether days come before months where dates are written with slashes.
    pub(super) fn day_first(&self) -> bool {
        !self
            .country
            .as_deref()
            .is_some_and(|country| country.eq_ignore_ascii_case("US"))
    }
}
