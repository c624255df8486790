/// Counts the stock.
///
///**Schedule:** At 01:30 and 02:30 every day; every 15 minutes from 09:00 to 17:59, on days 1 to 7 of the month if it is also Saturday, except on days of us-holidays, America/New_York time.
///
///**Clock changes:** the clock goes from 02:00 to 03:00, and 02:30 runs at 03:00; the clock goes from 02:00 to 01:00, and 01:30 runs once, in the last pass.
async fn count() {}
///The job of the function `count`, for `jobs!`.
enum count {}
#[automatically_derived]
impl ::scheduler::job::ScheduledJob for count {
    fn job() -> ::scheduler::job::Job {
        ::scheduler::job::Job::builder("count")
            .description("Counts the stock.")
            .cron_any(["30 1,2 * * *", "*/15 9-17 1-7 * sat"])
            .dialect(::scheduler::cron::Dialect::Apscheduler)
            .tz("America/New_York")
            .except("us-holidays")
            .dst_fold(::scheduler::cron::FoldPolicy::Last)
            .run_0(count, <() as ::scheduler::outcome::IntoOutcome>::into_outcome)
    }
}
::scheduler::__private::inventory::submit! {
    ::scheduler::__private::Registration::new(< count as ::scheduler::job::ScheduledJob >
    ::job)
}
