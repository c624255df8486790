//! What executions are looked for.

use axum::http::Uri;
use chrono::{NaiveDateTime, TimeZone as _};
use maud::{Markup, html};
use scheduler_core::{SchedulerHandle, occurrence::Origin, status::Status, store::InstanceRecord};

use crate::{
    dashboard::{visitor::Visitor, words::Words, zone},
    error::ApiError,
    query::Query,
    time,
};

/// What a form's date and time look like.
const LOCAL: &str = "%Y-%m-%dT%H:%M";
/// What did not end well, as the jobs' page asks for it.
const NOT_OK: &str = "failed,timed_out,abandoned";

/// The query as the API's lists take it: a form's dates and times, which are those of the service's zone, become instants,
/// and where one is given, no hours are.
pub(super) fn query(handle: &SchedulerHandle, uri: &Uri) -> Result<Query, ApiError> {
    let query = Query::of_form(uri)?;
    let is_ranged = query.get("from")?.is_some();
    let instant = |text: String| {
        // What is none is told as one that can't be read.
        let naive = NaiveDateTime::parse_from_str(&text, LOCAL).ok();
        let at = naive.and_then(|naive| zone::home(handle).from_local_datetime(&naive).earliest());
        at.map_or(text, |at| time::text(&at))
    };
    Ok(query.map(|name, value| match name {
        "from" | "to" => Some(instant(value)),
        "hours" if is_ranged => None,
        _ => Some(value),
    }))
}

/// The form, as it was filled in.
pub(super) async fn form(
    query: &Query,
    instances: &[InstanceRecord],
    handle: &SchedulerHandle,
    visitor: &Visitor,
) -> Result<Markup, ApiError> {
    let words = visitor.frame.words;
    let (status, origin, instance) = (query.get("status")?, query.get("origin")?, query.get("instance")?);
    let hours = query.get("hours")?.unwrap_or("24");
    let mut jobs = Vec::new();
    for job in handle.definitions() {
        if visitor.caller.sees(&job.settings().id).await? {
            jobs.push(&job.settings().id);
        }
    }
    let zone = zone::home(handle);
    let local = |name: &str| {
        let at = query.get(name)?.and_then(time::parse);
        Ok::<_, ApiError>(at.map(|at| at.with_timezone(&zone).format(LOCAL).to_string()))
    };
    Ok(html! {
        form class="filters" role="search" {
            label { (words.job) input id="job" type="search" name="job" value=[query.get("job")?] list="jobs" autocomplete="off"; }
            datalist id="jobs" { @for id in jobs { option value=(id) {} } }
            label { (words.status) select name="status" { (statuses(status, words)) } }
            label {
                (words.origin)
                select name="origin" {
                    option value="" { (words.all) }
                    @for one in Origin::ALL { option value=(one) selected[origin == Some(one.as_str())] { (words.origin_of(*one)) } }
                }
            }
            label {
                (words.instance)
                select name="instance" {
                    option value="" { (words.any_instance) }
                    @let ids: Vec<_> = instances.iter().map(|one| (one.heartbeat.instance.to_string(), &one.heartbeat)).collect();
                    @for (id, one) in &ids { option value=(id) selected[instance == Some(id)] { (one.host) " " (one.pid) " (" (id[..8]) ")" } }
                    // One that is gone, and whose executions a link led to.
                    @if let Some(gone) = instance.filter(|given| ids.iter().all(|(id, _)| id != given)) { option value=(gone) selected { (gone) } }
                }
            }
            label { (words.actor) input name="actor" value=[query.get("actor")?]; }
            label {
                (words.last_hours)
                select name="hours" { @for one in ["1", "24", "168"] { option value=(one) selected[hours == one] { (one) " " (words.hours) } } }
            }
            @for (name, word) in [("from", words.from), ("to", words.to)] {
                label { (word) " (" (zone.name()) ")" input type="datetime-local" name=(name) value=[local(name)?]; }
            }
            button { (words.filter) }
        }
    })
}

fn statuses(chosen: Option<&str>, words: &Words) -> Markup {
    html! {
        option value="" { (words.all) }
        option value=(NOT_OK) selected[chosen == Some(NOT_OK)] { (words.not_ok) }
        @for one in Status::ALL { option value=(one) selected[chosen == Some(one.as_str())] { (words.status_of(*one)) } }
    }
}
