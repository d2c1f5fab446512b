//! Ends of transactions and of what a savepoint holds, counted: what this backend remembers of a request or of the
//! tables is good for one count, and must not outlive it.

use pgrx::pg_guard;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::c_void;

thread_local! {
    static UNDONE: Cell<u64> = const { Cell::new(0) };
}

/// Counts what was ended or rolled back in this backend. A snapshot does not show that a savepoint was rolled back: its
/// command counter may be the one from before.
pub(super) fn undone() -> u64 {
    UNDONE.get()
}

/// Registers the callbacks, once a process; forked ones inherit them.
pub(super) fn init() {
    // SAFETY: both functions live as long as the library, which Postgres never unloads, and take no argument.
    unsafe {
        pg_sys::RegisterXactCallback(Some(at_end), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(at_subtransaction), std::ptr::null_mut());
    }
}

fn count() {
    UNDONE.set(UNDONE.get().wrapping_add(1));
}

/// Commit, abort, prepare, and the moments before them: nothing is asked so often in between that telling them apart
/// would pay.
#[pg_guard]
extern "C-unwind" fn at_end(_event: pg_sys::XactEvent::Type, _argument: *mut c_void) {
    count();
}

#[pg_guard]
extern "C-unwind" fn at_subtransaction(
    event: pg_sys::SubXactEvent::Type,
    _own: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _argument: *mut c_void,
) {
    if event == pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB {
        count();
    }
}
