/// Sends the report of the day.
///
///**Schedule:** At 00:30 every day, Asia/Jakarta time.
pub(crate) async fn report(at: ScheduledAt, State(mail): State<Mail>) -> JobResult {
    mail.send(at).await
}
///The job of the function `report`, for `jobs!`.
pub(crate) enum report {}
#[automatically_derived]
impl ::scheduler::job::ScheduledJob for report {
    fn job() -> ::scheduler::job::Job {
        ::scheduler::job::Job::builder("daily_report")
            .description("Sends the report of the day.")
            .cron("30 0 * * *")
            .tz("Asia/Jakarta")
            .retries(5u32)
            .timeout(::core::time::Duration::from_millis(480000u64))
            .overlap(::scheduler::job::OverlapPolicy::Allow)
            .run_2::<
                ScheduledAt,
                State<Mail>,
                _,
            >(report, <JobResult as ::scheduler::outcome::IntoOutcome>::into_outcome)
    }
}
::scheduler::__private::inventory::submit! {
    ::scheduler::__private::Registration::new(< report as ::scheduler::job::ScheduledJob
    > ::job)
}
