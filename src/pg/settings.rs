//! The extension's settings, all under the reserved prefix `switchboard.`.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::ffi::CString;

static KEY_FILE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// Defines the settings and reserves the prefix, so that nobody can plant `switchboard.…` as a placeholder.
pub(super) fn init() {
    GucRegistry::define_string_guc(
        c"switchboard.key_file",
        c"File with the root keys that seal credentials.",
        c"One line per key, `kid:material`, `*` before the active one. Owned by the server's user or root, not readable \
          by others, outside the data directory. Read when the server starts (preloaded) or when a backend first needs it.",
        &KEY_FILE,
        GucContext::Sighup,
        GucFlags::SUPERUSER_ONLY | GucFlags::NO_SHOW_ALL | GucFlags::DISALLOW_IN_AUTO_FILE,
    );
    // SAFETY: the class name is a static C string.
    unsafe { pgrx::pg_sys::MarkGUCPrefixReserved(c"switchboard".as_ptr()) };
}

/// `switchboard.key_file`; `None` when it is not set or empty.
pub(super) fn key_file() -> Option<std::path::PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let path = KEY_FILE.get().filter(|path| !path.is_empty())?;
    Some(std::ffi::OsString::from_vec(path.into_bytes()).into())
}
