//! `jsonb` as its own text. pgrx's `JsonB` goes through `serde_json::Value`, which rounds large numbers and leaves
//! copies of secrets in memory; this type carries the text that Postgres prints, byte for byte.

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, UnboxDatum};
use pgrx::nullable::Nullable;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, IntoDatum, pg_sys};
use std::ffi::{CStr, CString};
use zeroize::Zeroizing;

/// A `jsonb` value as text. Wiped when dropped, since some of them are credentials.
pub(crate) struct JsonText(pub(crate) Zeroizing<String>);

impl JsonText {
    /// From JSON text that we made ourselves.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }
}

impl FromDatum for JsonText {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the caller vouches that the datum is a jsonb; jsonb_out detoasts it and returns a palloc'ed string in
        // the server encoding, which we copy and wipe.
        unsafe {
            let text = pgrx::direct_function_call::<&CStr>(pg_sys::jsonb_out, &[Some(datum)])?;
            let copy = String::from_utf8_lossy(text.to_bytes()).into_owned();
            let bytes = std::slice::from_raw_parts_mut(
                text.as_ptr().cast_mut().cast::<u8>(),
                text.to_bytes().len(),
            );
            zeroize::Zeroize::zeroize(bytes);
            pg_sys::pfree(bytes.as_mut_ptr().cast());
            Some(Self::new(copy))
        }
    }
}

impl IntoDatum for JsonText {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        let text = CString::new(self.0.as_str()).ok()?;
        // SAFETY: jsonb_in reads a C string and raises for anything that is not JSON.
        unsafe {
            pgrx::direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(text.as_ptr().into())])
        }
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::JSONBOID
    }
}

// SAFETY: the SQL type is jsonb both ways, as FromDatum and IntoDatum read and write it.
unsafe impl SqlTranslatable for JsonText {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(JsonText);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("jsonb")));
}

// SAFETY: unboxes through FromDatum above; NULL is refused or passed on as Null.
unsafe impl<'fcx> ArgAbi<'fcx> for JsonText {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the argument's SQL type is jsonb by SqlTranslatable.
        unsafe { arg.unbox_arg_using_from_datum() }.expect("a STRICT function got NULL")
    }

    unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
        // SAFETY: as above.
        unsafe { arg.unbox_arg_using_from_datum() }.into()
    }
}

// SAFETY: the datum is a jsonb, the SQL type that RETURN_SQL names.
unsafe impl BoxRet for JsonText {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.into_datum() {
            // SAFETY: a datum of the declared type, allocated in the current context.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

// SAFETY: reads through FromDatum above, which copies.
unsafe impl UnboxDatum for JsonText {
    type As<'src> = JsonText;

    unsafe fn unbox<'src>(datum: Datum<'src>) -> Self::As<'src>
    where
        Self: 'src,
    {
        // SAFETY: the caller vouches for a non-null jsonb.
        unsafe { JsonText::from_datum(datum.sans_lifetime(), false) }.expect("a jsonb datum")
    }
}
