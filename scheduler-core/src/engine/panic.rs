//! Keeps the backtrace of a body's panic.

use std::{
    any::Any,
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

thread_local! {
    /// Whether this thread polls a body just now.
    static IN_BODY: Cell<bool> = const { Cell::new(false) };
    static BACKTRACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A caught panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Panic {
    pub(crate) message: String,
    pub(crate) backtrace: Option<String>,
}

/// Calls what is the user's, and turns its panic into a value with the backtrace of where it was raised.
///
/// A hook is put before the program's own once, and does nothing outside a body: only a hook sees the stack of a panic.
pub(crate) fn catch<T>(call: impl FnOnce() -> T) -> Result<T, Panic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if IN_BODY.get() {
                BACKTRACE.set(Some(Backtrace::force_capture().to_string()));
            }
            before(info);
        }));
    });
    let outer = IN_BODY.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    IN_BODY.set(outer);
    result.map_err(|payload| {
        let panic = Panic { message: message(&*payload), backtrace: BACKTRACE.take() };
        // What it was thrown with is the user's, and may panic at its end: such a one is kept for good.
        if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(another);
        }
        panic
    })
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.map_or_else(|| "panicked".to_owned(), |text| format!("panicked: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_has_its_message_and_where_it_was_raised() {
        let panic = catch(|| panic!("the {} broke", "printer")).expect_err("panics");
        assert_eq!(panic.message, "panicked: the printer broke");
        let backtrace = panic.backtrace.expect("a backtrace");
        assert!(backtrace.contains("a_panic_has_its_message"), "{backtrace}");
    }

    #[test]
    fn a_panic_whose_payload_panics_in_its_drop_is_caught() {
        struct Payload;
        impl Drop for Payload {
            fn drop(&mut self) {
                panic!("and again");
            }
        }
        let panic = catch(|| std::panic::panic_any(Payload)).expect_err("panics");
        assert_eq!(panic.message, "panicked");
    }
}
