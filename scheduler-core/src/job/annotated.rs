//! Annotated functions as bodies.

use chrono::DateTime;
use futures_util::future::BoxFuture;

use super::{Arguments, Body, Job, JobBuilder, Returns};
use crate::{
    context::JobContext,
    extract::FromContext,
    outcome::{JobError, JobResult},
};

#[doc(hidden)]
impl JobBuilder {
    /// The instant of `at`, which the attribute has read: a literal, as code can't name one of chrono's.
    pub fn at_millis(self, millis: i64) -> Self {
        self.at(DateTime::from_timestamp_millis(millis).expect("the attribute read it from a date"))
    }
}

/// A method for each number of arguments. What every job has in common is here and not in the expansion, which names the
/// function and the types of its arguments: a crate with many jobs compiles it once. And each bound asks one thing of one
/// type, so that a mistake is reported once, where it is.
macro_rules! run_annotated {
    ($($method:ident($($argument:ident),*))*) => {
        #[doc(hidden)]
        impl JobBuilder {$(
            /// The job of a function with `#[scheduled_job]`, and how its result is read.
            #[must_use]
            pub fn $method<$($argument: FromContext,)* Fut: Future + Send + 'static>(
                self,
                function: fn($($argument),*) -> Fut,
                result: fn(Fut::Output) -> JobResult,
            ) -> Job
            where
                $($argument: 'static,)*
            {
                #[allow(unused_variables, reason = "a function may take no argument")]
                let start = move |context: &JobContext| -> Result<Fut, JobError> {
                    Ok(function($($argument::from_context(context)?),*))
                };
                let run = move |context: JobContext| -> BoxFuture<'static, JobResult> {
                    // Whatever an argument is made of, it is not held while the function waits.
                    Box::pin(async move { result(start(&context)?.await) })
                };
                let arguments = Arguments::default()$(.with::<$argument>())*;
                self.with_body(Body { run: Box::new(run), arguments, returns: Returns::of::<Fut::Output>() }, true)
            }
        )*}
    };
}

run_annotated! {
    run_0()
    run_1(A)
    run_2(A, B)
    run_3(A, B, C)
    run_4(A, B, C, D)
    run_5(A, B, C, D, E)
    run_6(A, B, C, D, E, G)
    run_7(A, B, C, D, E, G, H)
    run_8(A, B, C, D, E, G, H, I)
}
