//! Custody of the root keys: where the ring file may lie, and the ring in this process's memory.
//!
//! Preloaded, the postmaster reads the ring once and backends inherit it by fork. Otherwise, or when that failed, a
//! backend reads it when it first needs a key. A missing or bad ring never stops the server: sealing and opening fail
//! with 55000 and everything else works.

use super::error::{self, ErrorReport};
use super::settings;
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use switchboard_core::credential::{KeyRing, MAX_RING_BYTES};
use zeroize::Zeroizing;

thread_local! {
    static RING: RefCell<Option<KeyRing>> = const { RefCell::new(None) };
}

const HINT: &str = "Set switchboard.key_file to a file with one line, *k1:<64 hex digits from a random source>, owned by \
                    the server's user, mode 0600, outside the data directory; keep a copy apart from the backups.";

/// Reads the ring in the postmaster. A problem is a warning in the server's log.
pub(super) fn preload() {
    match settings::key_file().map(|path| load(&path)) {
        Some(Ok(ring)) => RING.set(Some(ring)),
        Some(Err(problem)) => pgrx::warning!("switchboard.key_file: {problem}"),
        None => {}
    }
}

/// Runs `work` with the key ring.
///
/// # Errors
/// 55000 when no ring can be loaded, saying why.
pub(crate) fn with_ring<R>(
    work: impl FnOnce(&KeyRing) -> Result<R, ErrorReport>,
) -> Result<R, ErrorReport> {
    RING.with(|cell| {
        if cell.borrow().is_none() {
            let refused = |why: &str| {
                error::not_ready(format!("no credential key loaded{why}")).set_hint(HINT)
            };
            let path =
                settings::key_file().ok_or_else(|| refused(": switchboard.key_file is not set"))?;
            let ring = load(&path).map_err(|why| refused(&format!(": the key file {why}")))?;
            *cell.borrow_mut() = Some(ring);
        }
        match cell.borrow().as_ref() {
            Some(ring) => work(ring),
            None => Err(error::internal("the key ring vanished")),
        }
    })
}

/// Takes a ring without a file, for this backend.
#[cfg(any(test, feature = "pg_test"))]
pub(crate) fn load_for_test(ring: &[u8]) {
    RING.set(KeyRing::parse(ring).ok());
}

/// Whether a ring is or can be loaded.
pub(crate) fn available() -> bool {
    with_ring(|_| Ok(())).is_ok()
}

/// Opens, checks and parses the file. Messages name the rule; neither the path nor the content.
fn load(path: &Path) -> Result<KeyRing, String> {
    let mut file = OpenOptions::new()
        .read(true)
        // A symbolic link could be turned to another file; a pipe could make the server wait for ever.
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)
        .map_err(|problem| match problem.raw_os_error() {
            Some(libc::ELOOP) => "is a symbolic link".to_owned(),
            _ => format!("cannot be opened ({})", problem.kind()),
        })?;
    check(&file, path)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_RING_BYTES + 1));
    file.by_ref()
        .take(MAX_RING_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|problem| format!("cannot be read ({})", problem.kind()))?;
    KeyRing::parse(&bytes).map_err(|problem| format!("is refused: {problem}"))
}

fn check(file: &File, path: &Path) -> Result<(), String> {
    let unknown = |problem: std::io::Error| format!("cannot be examined ({})", problem.kind());
    let meta = file.metadata().map_err(unknown)?;
    if !meta.is_file() {
        return Err("is not a regular file".into());
    }
    // SAFETY: takes no argument and cannot fail.
    let me = unsafe { libc::geteuid() };
    // root may keep it as 0640 root:postgres; our own file is for us alone.
    let forbidden = match meta.uid() {
        0 if me != 0 => 0o037,
        uid if uid == me => 0o077,
        _ => return Err("must belong to the server's user or to root".into()),
    };
    if meta.mode() & forbidden != 0 {
        return Err("must not be accessible to others (mode 0600, or 0640 if root owns it)".into());
    }
    let place = path.canonicalize().map_err(unknown)?;
    if let Some(data) = data_directory()
        && place.starts_with(data)
    {
        return Err("lies in the data directory, where every base backup would carry it".into());
    }
    let parent = place
        .parent()
        .ok_or("has no directory")?
        .metadata()
        .map_err(unknown)?;
    // A sticky directory such as /tmp does not let others replace our file, but it is no place for keys either.
    if parent.mode() & 0o002 != 0 {
        return Err("lies in a directory that everybody can write".into());
    }
    Ok(())
}

fn data_directory() -> Option<std::path::PathBuf> {
    // SAFETY: a C string that the postmaster sets before it loads any library and never changes.
    let data = unsafe {
        if pgrx::pg_sys::DataDir.is_null() {
            return None;
        }
        std::ffi::CStr::from_ptr(pgrx::pg_sys::DataDir)
    };
    Path::new(std::ffi::OsStr::new(data.to_str().ok()?))
        .canonicalize()
        .ok()
}
