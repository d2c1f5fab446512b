//! Switchboard: the backend of multi-tenant AI phone-and-text-agent businesses, inside Postgres.
//!
//! Table of contents. Each capability has one file that is its SQL surface and nothing else: it converts, calls
//! `switchboard_core` and maps the error. Whatever touches Postgres itself is under [`pg`].
#![deny(ffi_unwind_calls)]

pgrx::pg_module_magic!(name, version);

mod credential;
mod csv;
mod json;
mod lead;
mod pg;
mod phone;
mod prompt;
mod search;
mod stats;
mod tenant;

#[cfg(not(panic = "unwind"))]
compile_error!("switchboard needs panic = \"unwind\": an abort would stop the whole server");

/// Called once by every process that loads the library: the postmaster when preloaded, else each backend.
#[pgrx::pg_guard]
#[allow(non_snake_case)]
extern "C-unwind" fn _PG_init() {
    pg::init();
}

pgrx::extension_sql_file!("../sql/extension/tenant.sql", name = "tenant");
pgrx::extension_sql_file!(
    "../sql/extension/phone.sql",
    name = "phone",
    requires = [phone::phone_is_valid, phone::parse_phone, phone::is_e164]
);
pgrx::extension_sql_file!(
    "../sql/extension/stats.sql",
    name = "stats",
    requires = [stats::maintain_counts, stats::counter_statements]
);
pgrx::extension_sql_file!("../sql/extension/finalize.sql", name = "finalize", finalize);

/// What `cargo pgrx test` asks of the crate. The tests are beside the code, in each capability's file.
#[cfg(test)]
pub mod pg_test {
    /// Called once before the tests.
    pub fn setup(_options: Vec<&str>) {}

    /// Settings of the test server: preloaded as in production, and without a key.
    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        vec!["shared_preload_libraries = 'switchboard'"]
    }
}
