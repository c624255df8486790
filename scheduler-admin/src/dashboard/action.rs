//! Asking whether something is meant, and doing it.

use axum::{
    extract::Request,
    response::{IntoResponse as _, Redirect, Response},
};
use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use maud::{Markup, html};
use scheduler_core::{
    Backfill, SchedulerHandle, TriggerRequest,
    identity::{ExecutionId, JobId},
    store::{Action, Actor, BackfillAnswer},
};
use scheduler_cron::NamedZone;

use super::{
    Dashboard, form, look,
    visitor::{Visitor, endpoint_of},
    words::Words,
    zone,
};
use crate::{error::ApiError, path::Segment, query::Query, time};

/// How many hours a pause may last, for those who choose.
const HOURS: [&str; 4] = ["1", "8", "24", "168"];

/// What an action is of.
enum Object {
    Job(JobId),
    Execution(JobId, ExecutionId),
}

impl Object {
    async fn of(visitor: &Visitor, action: Action, named: Segment) -> Result<Self, ApiError> {
        if matches!(action, Action::Cancel | Action::Retry) {
            let row = visitor.caller.execution(named).await?;
            return Ok(Self::Execution(row.job_id, row.id));
        }
        visitor.caller.job_id(named).await.map(Self::Job)
    }

    fn job_id(&self) -> &JobId {
        match self {
            Self::Job(id) | Self::Execution(id, _) => id,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Job(id) => id.to_string(),
            Self::Execution(job_id, id) => format!("{job_id} #{id}"),
        }
    }

    /// Its page, below the dashboard's root.
    fn page(&self) -> String {
        match self {
            Self::Job(id) => format!("jobs/{id}"),
            Self::Execution(_, id) => format!("executions/{id}"),
        }
    }
}

/// A link to the question whether an action on a job is meant.
pub(super) fn link(root: &str, action: Action, id: &JobId, words: &Words) -> Markup {
    html! { a class="button" href={ (root) "jobs/" (id) "/" (action) } { (words.action_of(action)) } }
}

/// The same of an execution.
pub(super) fn link_to(root: &str, action: Action, id: ExecutionId, words: &Words) -> Markup {
    html! { a class="button" href={ (root) "executions/" (id) "/" (action) } { (words.action_of(action)) } }
}

/// The question.
pub(super) async fn ask(
    dashboard: Dashboard,
    action: Action,
    named: Segment,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    let visitor = visitor_of(&dashboard, action, &mut parts).await?;
    let object = Object::of(&visitor, action, named).await?;
    let query = Query::of(&parts.uri)?;
    question(&dashboard, &visitor, action, &object, &query, None)
}

/// Does it, once it is sent with the form's token.
pub(super) async fn act(
    dashboard: Dashboard,
    action: Action,
    named: Segment,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let visitor = visitor_of(&dashboard, action, &mut parts).await?;
    let object = Object::of(&visitor, action, named).await?;
    let form = match visitor.check(&dashboard, Request::from_parts(parts, body)).await {
        Ok(form) => form,
        Err(refusal) => return Err(visitor.caller.refuse(Some(object.job_id()), None, refusal).await),
    };
    let reason = form.get("reason")?.map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned);
    let actor = visitor.caller.actor(reason);
    let handle = &dashboard.api.handle;
    if action == Action::Backfill && form.get("sure")?.is_none() {
        let dry = backfill(handle, object.job_id(), &form, &actor, true).await?;
        return question(&dashboard, &visitor, action, &object, &form, Some(dry));
    }
    let page = perform(handle, action, &object, &form, &actor).await?;
    Ok(Redirect::to(&format!("{}{page}", visitor.frame.root)).into_response())
}

impl Visitor {
    /// Reads a form of this visitor's own.
    pub(super) async fn check(&self, dashboard: &Dashboard, request: Request) -> Result<Query, ApiError> {
        let is_of_this_site = form::is_of_this_site(request.headers());
        let form = form::read(request).await?;
        let token = form.get("csrf")?.unwrap_or_default();
        let own = is_of_this_site && self.session.is_csrf(token, &dashboard.key);
        if own { Ok(form) } else { Err(ApiError::of_another_site()) }
    }
}

async fn visitor_of(
    dashboard: &Dashboard,
    action: Action,
    parts: &mut axum::http::request::Parts,
) -> Result<Visitor, ApiError> {
    let endpoint = endpoint_of(action).expect("what the dashboard does is what the API does");
    Visitor::of(dashboard, endpoint, parts).await
}

/// Does it; the page to go to.
async fn perform(
    handle: &SchedulerHandle,
    action: Action,
    object: &Object,
    form: &Query,
    actor: &Actor,
) -> Result<String, ApiError> {
    let failed = |error| ApiError::of(handle, error);
    match (action, object) {
        (Action::Trigger, Object::Job(id)) => {
            let mut wanted = TriggerRequest::new(id.clone()).by(&actor.who);
            if let Some(reason) = &actor.reason {
                wanted = wanted.with_reason(reason);
            }
            if let Some(address) = &actor.address {
                wanted = wanted.from(address);
            }
            if let Some(params) = form.get("params")?.map(str::trim).filter(|params| !params.is_empty()) {
                let params = serde_json::from_str(params);
                wanted = wanted.with_params(
                    params.map_err(|error| ApiError::field("params", format_args!("is not JSON: {error}")))?,
                );
            }
            let run = handle.trigger(wanted).await?.execution;
            return Ok(format!("executions/{}", run.id));
        }
        (Action::Pause, Object::Job(id)) => {
            let hours = form.get("hours")?.filter(|hours| HOURS.contains(hours)).and_then(|hours| hours.parse().ok());
            let until = hours.map(|hours| handle.now() + TimeDelta::hours(hours));
            handle.pause(id, actor, until).await.map_err(failed)?;
        }
        (Action::Resume, Object::Job(id)) => drop(handle.resume(id, actor).await.map_err(failed)?),
        (Action::Skip, Object::Job(id)) => {
            let at = form.get("at")?.and_then(time::parse).ok_or_else(|| ApiError::field("at", time::FORM))?;
            handle.skip(id, at, actor).await.map_err(failed)?;
        }
        (Action::Backfill, Object::Job(id)) => drop(backfill(handle, id, form, actor, false).await?),
        (Action::Retry, Object::Execution(_, id)) => {
            let next = handle.retry(*id, actor).await.map_err(failed)?;
            return Ok(format!("executions/{}", next.id));
        }
        (Action::Cancel, Object::Execution(_, id)) => drop(handle.cancel(*id, actor).await.map_err(failed)?),
        _ => return Err(ApiError::no_such_path()),
    }
    Ok(object.page())
}

/// An occurrence of a backfill, and whether it runs.
type Dry = Vec<(DateTime<Utc>, bool)>;

async fn backfill(
    handle: &SchedulerHandle,
    id: &JobId,
    form: &Query,
    actor: &Actor,
    dry_run: bool,
) -> Result<Dry, ApiError> {
    let zone = zone::of(handle, id);
    let (from, to) = (local(form, "from", zone)?, local(form, "to", zone)?);
    if to <= from {
        return Err(ApiError::field("to", "must be after `from`"));
    }
    let wanted = Backfill::new(id.clone(), from..to);
    let wanted = if dry_run { wanted.as_dry_run() } else { wanted };
    let answers = handle.backfill(&wanted, actor).await.map_err(|error| ApiError::of(handle, error))?;
    let runs = |answer: BackfillAnswer| matches!(answer, BackfillAnswer::Waits { .. });
    Ok(answers.into_iter().map(|one| (one.scheduled_at, runs(one.answer))).collect())
}

/// A date and time of a form, in a job's zone.
fn local(form: &Query, name: &str, zone: NamedZone) -> Result<DateTime<Utc>, ApiError> {
    let text = form.get(name)?.unwrap_or_default();
    let wrong = || ApiError::field(name, "must be a date and a time of the job's zone, such as `2025-11-03T00:30`");
    let naive = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").map_err(|_| wrong())?;
    // Of a time that a clock shows twice the first.
    zone.from_local_datetime(&naive).earliest().map(|at| at.to_utc()).ok_or_else(wrong)
}

fn question(
    dashboard: &Dashboard,
    visitor: &Visitor,
    action: Action,
    object: &Object,
    given: &Query,
    dry: Option<Dry>,
) -> Result<Response, ApiError> {
    let (words, root) = (visitor.frame.words, &visitor.frame.root);
    let zone = zone::of(&dashboard.api.handle, object.job_id());
    let title = format!("{}: {}", words.action_of(action), object.name());
    let content = html! {
        h1 { (title) }
        form class="card ask" method="post" {
            (visitor.csrf_field())
            dl {
                dt { (words.what) } dd { b { (words.action_of(action)) } }
                dt { (words.job) } dd { a href={ (root) (object.page()) } { (object.name()) } }
                dt { (words.service) } dd { (visitor.frame.place()) }
            }
            @match action {
                Action::Pause => label {
                    (words.until)
                    select name="hours" {
                        option value="" { (words.until_resumed) }
                        @for hours in HOURS { option value=(hours) { (hours) " " (words.hours) } }
                    }
                },
                Action::Skip => {
                    @let at = given.get("at")?.and_then(time::parse).ok_or_else(|| ApiError::parameter("at", time::FORM))?;
                    p { (look::time(at, zone)) }
                    input type="hidden" name="at" value=(at.to_rfc3339());
                },
                Action::Backfill => {
                    @for (name, word) in [("from", words.from), ("to", words.to)] {
                        label { (word) " (" (zone) ")" input type="datetime-local" name=(name) value=[given.get(name)?] required; }
                    }
                },
                Action::Trigger => label {
                    (words.params) " (" (words.params_help) ")"
                    textarea name="params" rows="3" spellcheck="false" { (given.get("params")?.unwrap_or_default()) }
                },
                _ => {},
            }
            @if let Some(dry) = &dry {
                input type="hidden" name="sure" value="1";
                ul { @for (at, runs) in dry { li { (look::time(*at, zone)) " " @if *runs { span class="st ok" { "✓ " (words.would_run) } } @else { span class="st skip" { "– " (words.would_not) } } } } }
            }
            label { (words.reason) input name="reason" maxlength="1000" value=[given.get("reason")?]; }
            div { button class="main" { (words.confirm) } " " a class="button" href={ (root) (object.page()) } { (words.back) } }
        }
    };
    Ok(visitor.page(&title, content))
}
