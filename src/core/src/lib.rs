//! Switchboard's logic without Postgres: types, rules and errors of each capability.
//!
//! The extension (the workspace's root package) calls this crate and nothing here calls back. Every rule lives here,
//! so that it can be tested in seconds, by property and by vector, with no server.
#![forbid(unsafe_code)]

pub mod credential;
pub mod csv;
pub mod json;
pub mod lead;
pub mod phone;
pub mod prompt;
pub mod search;
pub mod stats;
pub mod tenant;
