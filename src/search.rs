//! SQL surface of searching.

use crate::pg::uuid;
use pgrx::{Uuid, pg_extern};
use switchboard_core::search;

/// The words of a text to index it by, and to look for, without accents, case and punctuation; each begins with eight
/// hexadecimal digits of the organization, so that one index over all tenants is searched in one of them.
/// `array_to_tsvector` makes an index of them. Never raises.
#[pg_extern(immutable, parallel_safe, strict, cost = 20)]
fn search_words(organization_id: Uuid, text: &str) -> Vec<String> {
    search::words_of(uuid::to_core(organization_id), text)
}
