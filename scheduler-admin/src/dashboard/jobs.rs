//! All jobs: how they stand, what ran, and what is next.

mod numbers;
mod row;
mod table;

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};

pub(super) use row::{Row, rows};

use super::{Dashboard, look, picture, timeline, visitor::Visitor, words::Words};
use crate::{
    error::ApiError,
    query::{Query, escaped},
};

/// The states by which jobs are found.
const STATES: [&str; 5] = ["", "failing", "running", "paused", "overdue"];

/// What is looked for.
struct Search<'a> {
    text: Option<&'a str>,
    state: Option<&'a str>,
    tag: Option<&'a str>,
    query: &'a Query,
}

impl<'a> Search<'a> {
    fn of(query: &'a Query) -> Result<Self, ApiError> {
        Ok(Self { text: query.get("q")?, state: query.get("show")?, tag: query.get("tag")?, query })
    }

    fn finds(&self, row: &Row) -> bool {
        let settings = row.job.settings();
        let needle = self.text.unwrap_or_default().trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&needle);
        row.shows(self.state.unwrap_or_default())
            && self.tag.is_none_or(|tag| settings.tags.iter().any(|own| own == tag))
            && (has(settings.id.as_str())
                || has(&settings.name)
                || settings.description.as_deref().is_some_and(has)
                || settings.tags.iter().any(|tag| has(tag)))
    }

    /// The same search with something else in one place, or nothing.
    fn with(&self, name: &str, value: &str) -> String {
        let others = self.query.without(&[name, "lang"]);
        let given = if value.is_empty() { String::new() } else { format!("{name}={}", escaped(value)) };
        let between = if others.is_empty() || given.is_empty() { "" } else { "&" };
        format!("?{others}{between}{given}")
    }
}

/// `GET /`
pub(super) async fn page(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Result<Response, ApiError> {
    let words = visitor.frame.words;
    let query = Query::of_form(&uri)?;
    let search = Search::of(&query)?;
    let read = tokio::try_join!(rows(&dashboard, &visitor, picture::RUNS), numbers::read(&dashboard, &visitor));
    match read {
        Ok((rows, numbers)) => {
            let content = html! {
                h1 { (words.jobs) }
                (numbers::card(&rows, &numbers, words))
                @if !rows.is_empty() {
                    div class="title" { h2 { (words.next_24h) } a href="timeline" { (words.to_timeline) " →" } }
                    (timeline::card(&dashboard, &rows, None, words))
                }
                (list(&rows, &search, &dashboard, &visitor))
            };
            Ok(visitor.page(words.jobs, content))
        }
        Err(error) if error.is_unavailable() => {
            let rows = row::without_store(&dashboard, &visitor).await?;
            let content = html! { h1 { (words.jobs) } (list(&rows, &search, &dashboard, &visitor)) };
            Ok(visitor.page_without_store(words.jobs, content))
        }
        Err(error) => Err(error),
    }
}

fn list(rows: &[Row], search: &Search<'_>, dashboard: &Dashboard, visitor: &Visitor) -> Markup {
    let words = visitor.frame.words;
    let shown: Vec<_> = rows.iter().filter(|row| search.finds(row)).collect();
    html! {
        h2 { (words.jobs) " (" (shown.len()) ")" }
        div class="card" {
            @if rows.is_empty() {
                div class="note empty" { p { b { (words.no_jobs) } } p { (words.no_jobs_help) } pre { code { "Scheduler::builder(store).jobs(jobs![my_job, other::job])" } } }
            } @else {
                (filters(rows, search, words))
                @if shown.is_empty() { p class="note" { (words.nothing_found) " " a href="?" { (words.all) } } }
                @else { (table::of(&shown, dashboard, visitor)) }
            }
        }
    }
}

fn filters(rows: &[Row], search: &Search<'_>, words: &Words) -> Markup {
    let mut tags: Vec<_> = rows.iter().flat_map(|row| &row.job.settings().tags).collect();
    tags.sort_unstable();
    tags.dedup();
    let word = |state: &str| match state {
        "failing" => words.failing,
        "running" => words.running,
        "paused" => words.paused,
        "overdue" => words.overdue,
        _ => words.all,
    };
    html! {
        form class="filters" role="search" data-filter {
            label { (words.search) input id="q" type="search" name="q" value=[search.text] data-hint=(words.search_hint) autocomplete="off"; }
            @if let Some(state) = search.state { input type="hidden" name="show" value=(state); }
            @if let Some(tag) = search.tag { input type="hidden" name="tag" value=(tag); }
            button { (words.filter) }
            @for state in STATES {
                a class="chip" href=(search.with("show", state)) aria-current=[(search.state.unwrap_or_default() == state).then_some("true")] { (word(state)) }
            }
            @for own in tags {
                @let chosen = search.tag == Some(own);
                // Chosen once more, it is chosen no longer.
                a class="chip" href=(search.with("tag", if chosen { "" } else { own })) aria-current=[chosen.then_some("true")] { "#" (look::text(own, words)) }
            }
        }
    }
}
