//! The only room for `unsafe`, `pg_sys`, SPI and settings. The capability files call it; the core never does.
#![allow(unsafe_code)]

pub(crate) mod catalogue;
pub(crate) mod claims;
pub(crate) mod contract;
pub(crate) mod cursor;
pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod key;
pub(crate) mod owner;
pub(crate) mod row;
pub(crate) mod scan;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod spi;
pub(crate) mod text;
pub(crate) mod transaction;
pub(crate) mod transition;
pub(crate) mod trigger;
pub(crate) mod uuid;

/// What `_PG_init` does: the look at the catalogue, settings, the ends of transactions and changes of tables always; when the postmaster
/// itself loads us, also the key ring and the phone tables, which every backend then inherits by fork.
pub(crate) fn init() {
    catalogue::init();
    settings::init();
    transaction::init();
    transition::init();
    // SAFETY: a plain flag that the postmaster sets while it reads shared_preload_libraries.
    if unsafe { pgrx::pg_sys::process_shared_preload_libraries_in_progress } {
        key::preload();
        switchboard_core::phone::warm();
    }
}
