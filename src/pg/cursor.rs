//! The pieces of a file that a query answers, one after another: each is fetched when the one before has been read, so
//! that a file takes no more memory than its largest piece.

use super::error::{self, ErrorReport};
use super::session;
use pgrx::spi::Spi;
use pgrx::{FromDatum, pg_sys};
use std::ffi::{CStr, CString};

/// An open cursor over a query that answers one bytea column. It is closed behind its last row, or with the transaction.
pub(crate) struct Pieces {
    portal: Option<CString>,
}

impl Pieces {
    /// Opens the query, read-only and with the rights of the current user.
    ///
    /// # Errors
    /// 22023 when it does not answer one bytea column. Postgres raises what is wrong with its text.
    pub(crate) fn open(query: &str) -> Result<Self, ErrorReport> {
        let text = CString::new(query).map_err(error::internal)?;
        session::with_snapshot(|| {
            Spi::connect(|_| {
                // SAFETY: inside an SPI connection; the text outlives the call. The portal outlives the connection, and we
                // keep its name, not its address.
                unsafe {
                    let plan = pg_sys::SPI_prepare(text.as_ptr(), 0, std::ptr::null_mut());
                    if plan.is_null() || !pg_sys::SPI_is_cursor_plan(plan) {
                        return Err(not_pieces());
                    }
                    let portal = pg_sys::SPI_cursor_open(
                        std::ptr::null(),
                        plan,
                        std::ptr::null_mut(),
                        std::ptr::null(),
                        true,
                    );
                    let columns = (*portal).tupDesc;
                    if columns.is_null()
                        || (*columns).natts != 1
                        || pg_sys::SPI_gettypeid(columns, 1) != pg_sys::BYTEAOID
                    {
                        return Err(not_pieces());
                    }
                    Ok(Self {
                        portal: Some(CStr::from_ptr((*portal).name).to_owned()),
                    })
                }
            })
        })
    }

    /// The next piece; `None` behind the last. NULL is an empty one.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let name = self.portal.take()?;
        let piece = session::with_snapshot(|| {
            Spi::connect(|_| {
                // SAFETY: inside an SPI connection, which owns the fetched row; it is copied before the connection ends. The
                // column is a bytea, which `open` looked at.
                unsafe {
                    let portal = pg_sys::SPI_cursor_find(name.as_ptr());
                    if portal.is_null() {
                        return None;
                    }
                    pg_sys::SPI_cursor_fetch(portal, true, 1);
                    if pg_sys::SPI_processed == 0 {
                        pg_sys::SPI_cursor_close(portal);
                        return None;
                    }
                    let table = pg_sys::SPI_tuptable;
                    let mut is_null = false;
                    let datum =
                        pg_sys::SPI_getbinval(*(*table).vals, (*table).tupdesc, 1, &mut is_null);
                    Some(Vec::<u8>::from_datum(datum, is_null).unwrap_or_default())
                }
            })
        });
        if piece.is_some() {
            self.portal = Some(name);
        }
        piece
    }
}

fn not_pieces() -> ErrorReport {
    error::invalid_argument("source must be a query that answers one column of type bytea")
}
