//! The page at `/`: what runs here.

use std::fmt::Write as _;

use axum::response::Html;

/// Where the API of the jobs is.
pub const JOBS_PATH: &str = "/api/v1/scheduled-jobs";

/// What the page says of this instance. None of it may be a secret, for the page is open to all.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    /// Where executions and attendance rows are kept.
    pub(crate) store: &'static str,
    /// Who decides which instance tries.
    pub(crate) locks: &'static str,
    /// Whose employees they are.
    pub(crate) workforce: &'static str,
}

impl Parts {
    pub(crate) fn page(&self) -> Html<String> {
        let mut page = String::from(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>HRIS</title>\n\
             <style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}\
             dt{font-weight:600}dd{margin:0 0 .5rem}</style>\n<h1>HRIS</h1>\n\
             <p>The reference service of the scheduler: every day at 00:30 WIB its job \
             <code>auto_create_daily_attendance</code> gives each active employee an attendance row.</p>\n<dl>\n",
        );
        for (term, text) in [("Store", self.store), ("Locks", self.locks), ("Employees", self.workforce)] {
            let _ = writeln!(page, "<dt>{term}</dt><dd>{text}</dd>");
        }
        let _ = write!(
            page,
            "</dl>\n<p><a href=\"{JOBS_PATH}/\">The jobs, as JSON</a>: it takes a bearer token.</p>\n</html>\n"
        );
        Html(page)
    }
}
