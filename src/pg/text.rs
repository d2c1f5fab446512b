//! A `text` result that is written once: pgrx copies what a function returns, which for a String means a second
//! allocation and a copy.

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{IntoDatum, pg_sys};

/// A `text` in the memory context of the call.
pub(crate) struct Text(pg_sys::Datum);

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into_datum().expect("a str is never NULL"))
    }
}

// SAFETY: the SQL type is text, as BoxRet returns it; there is no way to take one as an argument.
unsafe impl SqlTranslatable for Text {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Text);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("text"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("text")));
}

// SAFETY: the datum is a text, the SQL type that RETURN_SQL names.
unsafe impl BoxRet for Text {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: a datum of the declared type, allocated in the current context.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}
