//! `jsonb` as it is stored, measured before it is printed, and as its own text. pgrx's `JsonB` goes through
//! `serde_json::Value`, which rounds large numbers and leaves copies of secrets in memory; `JsonText` carries the text that
//! Postgres prints, byte for byte.

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::nullable::Nullable;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, IntoDatum, pg_sys};
use std::ffi::{CStr, CString};
use switchboard_core::json;
use zeroize::Zeroizing;

/// A `jsonb` argument or column, not printed yet: what a client sends may be a hundred thousand times longer as text.
pub(crate) struct Json(pg_sys::Datum);

impl Json {
    /// Bytes of the value's text; `None` when it has more than `most`.
    pub(crate) fn printed(&self, most: usize) -> Option<usize> {
        // SAFETY: the datum is a jsonb by FromDatum, and lives as long as the call. Both functions read its length word.
        unsafe {
            // What is stored takes at most five bytes for each one printed: "0, " against an entry of four bytes and a
            // numeric of eight. Far above that, nothing is fetched or decompressed.
            if pg_sys::toast_raw_datum_size(self.0) / 8 > most.saturating_add(8) {
                return None;
            }
            let given = self.0.cast_mut_ptr::<pg_sys::varlena>();
            let plain = pg_sys::pg_detoast_datum(given);
            let printed = printed(plain.cast::<pg_sys::Jsonb>(), most);
            if plain != given {
                pg_sys::pfree(plain.cast());
            }
            printed
        }
    }

    /// The value as text of at most `most` bytes; `None` when it is longer.
    pub(crate) fn text(&self, most: usize) -> Option<JsonText> {
        self.printed(most)?;
        // SAFETY: a jsonb that is not NULL.
        unsafe { JsonText::from_datum(self.0, false) }
    }
}

/// # Safety
/// `value` is a whole jsonb, neither compressed nor elsewhere.
unsafe fn printed(value: *mut pg_sys::Jsonb, most: usize) -> Option<usize> {
    use pg_sys::{JsonbIteratorToken as token, jbvType};
    let mut length = 0_usize;
    // SAFETY: the iterator walks the value and writes a JsonbValue for each token that has one; which member of its union
    // is set, its type says. Strings and numerics lie within the value.
    unsafe {
        let mut found: pg_sys::JsonbValue = std::mem::zeroed();
        let mut iterator = pg_sys::JsonbIteratorInit(&raw mut (*value).root);
        loop {
            length += match pg_sys::JsonbIteratorNext(&raw mut iterator, &raw mut found, false) {
                token::WJB_DONE => return Some(length),
                token::WJB_BEGIN_ARRAY if found.val.array.rawScalar => 0,
                token::WJB_BEGIN_ARRAY => json::array(found.val.array.nElems as usize),
                token::WJB_BEGIN_OBJECT => json::object(found.val.object.nPairs as usize),
                token::WJB_KEY | token::WJB_VALUE | token::WJB_ELEM => match found.type_ {
                    jbvType::jbvString => {
                        let string = found.val.string;
                        json::string(std::slice::from_raw_parts(
                            string.val.cast::<u8>(),
                            string.len as usize,
                        ))
                    }
                    jbvType::jbvNumeric => {
                        let numeric = found.val.numeric.cast::<pg_sys::varlena>();
                        json::number(pgrx::varlena::varlena_to_byte_slice(numeric))?
                    }
                    jbvType::jbvBool if !found.val.boolean => "false".len(),
                    // true and null.
                    _ => 4,
                },
                _ => 0,
            };
            if length > most {
                return None;
            }
        }
    }
}

impl From<JsonText> for Json {
    fn from(text: JsonText) -> Self {
        Self(text.into_datum().expect("JSON text without a zero byte"))
    }
}

impl FromDatum for Json {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _: pg_sys::Oid,
    ) -> Option<Self> {
        (!is_null).then_some(Self(datum))
    }
}

impl IntoDatum for Json {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        Some(self.0)
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::JSONBOID
    }
}

// SAFETY: the SQL type is jsonb both ways, as FromDatum and IntoDatum read and write it.
unsafe impl SqlTranslatable for Json {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Json);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("jsonb")));
}

// SAFETY: unboxes through FromDatum above; NULL is refused or passed on as Null.
unsafe impl<'fcx> ArgAbi<'fcx> for Json {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the argument's SQL type is jsonb by SqlTranslatable.
        unsafe { arg.unbox_arg_using_from_datum() }.expect("a STRICT function got NULL")
    }

    unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
        // SAFETY: as above.
        unsafe { arg.unbox_arg_using_from_datum() }.into()
    }
}

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
