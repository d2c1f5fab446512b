//! Leads as they come in: the cells of a row, whatever its columns are called, become the fields of a lead or the reasons
//! why not. Files, forms, CRM synchronisation and webhooks share it.

mod clean;
mod date;
mod field;
mod options;
mod problem;
mod reader;
mod suggest;

pub use field::Field;
pub use options::{Options, OptionsError};
pub use problem::Problem;
pub use reader::{Date, Lead, LeadReader};
pub use suggest::suggest;

/// Most bytes that a cell, or the attributes of a lead, may have as JSON.
pub const MAX_JSON_BYTES: usize = 65536;
