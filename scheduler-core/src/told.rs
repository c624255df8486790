//! How errors read where a program prints them with `{:?}`, as `main` does that returns one.

use std::{error::Error, fmt};

/// Writes an error as its words, with each of its sources on a line of its own.
///
/// # Errors
/// Those of the formatter.
#[doc(hidden)]
pub fn with_sources(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")?;
    let mut source = error.source();
    while let Some(error) = source {
        write!(f, "\n  because: {error}")?;
        source = error.source();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;

    use crate::{
        StartError,
        build_error::{BuildError, Mistake},
        lock::LockError,
        store::StoreError,
    };

    #[test]
    fn an_error_that_main_returns_reads_as_its_words_with_its_sources() {
        let operation = "check the database";
        let store = || StoreError::Rejected { operation, source: Box::new(io::Error::other("no such role")) };
        assert_eq!(format!("{:?}", store()), "the store refused to check the database\n  because: no such role");
        assert_eq!(
            format!("{:?}", StartError::Store(store())),
            "the scheduler can't start with its store\n  because: the store refused to check the database\n  because: no such role"
        );
        let lock = LockError::Unavailable { operation: "ping", source: "no route".into() };
        assert_eq!(format!("{lock:?}"), "the lock backend can't be reached to ping\n  because: no route");
        let mistakes = vec![Mistake::Backends("one".to_owned()), Mistake::Backends("two".to_owned())];
        let build = BuildError::new(mistakes);
        assert_eq!(format!("{build:?}"), build.to_string());
        assert!(build.to_string().contains("\n- one\n- two"), "{build}");
    }
}
