//! What an annotation makes.

use scheduler::{job::JobSettings, prelude::*};

/// Sends the report of the day.
///
/// It goes to everybody.
#[scheduled_job(id = "daily.report", cron = "30 0 * * *", tz = "Asia/Jakarta", retries = 5)]
async fn report(State(name): State<String>, Attempt(attempt): Attempt) -> String {
    format!("{name} {attempt}")
}

#[tokio::test]
async fn an_annotated_function_is_called_as_any_other() {
    assert_eq!(report(State("x".to_owned()), Attempt(2)).await, "x 2");
}

#[test]
fn the_settings_are_those_of_the_attribute() {
    let job = jobs![report].remove(0);
    let settings: &JobSettings = job.settings();
    assert_eq!(settings.id.as_str(), "daily.report");
    assert_eq!(settings.trigger.to_string(), "30 0 * * * Asia/Jakarta");
    assert_eq!(settings.description.as_deref(), Some("Sends the report of the day."));
    assert_eq!(settings.retries, 5);
}
