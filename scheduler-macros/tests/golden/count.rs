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
const _: () = {
    #[used]
    #[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
    #[cfg_attr(
        target_vendor = "apple",
        unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs")
    )]
    #[cfg_attr(
        not(any(windows, target_vendor = "apple")),
        unsafe(link_section = ".init_array")
    )]
    static REGISTER: extern "C" fn() = ::scheduler::__private::register::<count>;
};
