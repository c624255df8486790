//! Why the employees can't be had.

use thiserror::Error;
use tonic::{Code, Status};

/// Why the employees can't be had. Another attempt may help with each of these.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkforceError {
    /// The service can't be reached, was too slow, or answered with an error, as often as it was asked.
    #[error(
        "page {page} of the employees can't be had: the Workforce Service says {code:?} (`{message}`) on try {tries}"
    )]
    Page {
        /// Counted from 1.
        page: i32,
        /// How often it was asked for.
        tries: u32,
        /// The last answer's code.
        code: Code,
        /// The last answer's words.
        message: String,
        /// The last answer.
        source: Box<Status>,
    },
    /// The answer does not say how many pages there are.
    #[error("page {page} of the employees came without `pagination_info`")]
    NoPagination {
        /// Counted from 1.
        page: i32,
    },
    /// Many pages in a row held nobody that an earlier one had not, and the service says that more follow.
    #[error(
        "the Workforce Service goes round in circles: the {pages} pages up to page {page} of {total_pages} hold nobody new"
    )]
    NobodyNew {
        /// The last one, counted from 1.
        page: i32,
        /// How many in a row.
        pages: u32,
        /// How many pages the service says there are.
        total_pages: i32,
    },
    /// The list does not end.
    #[error("the Workforce Service's list does not end: it goes on after {pages} pages")]
    Endless {
        /// How many pages were had.
        pages: i32,
    },
    /// The execution was asked to stop.
    #[error("cancelled before page {page} of the employees was had")]
    Cancelled {
        /// Counted from 1.
        page: i32,
    },
}
