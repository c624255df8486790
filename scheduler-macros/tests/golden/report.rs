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
    static REGISTER: extern "C" fn() = ::scheduler::__private::register::<report>;
};
