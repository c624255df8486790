//! Async functions of arguments as bodies.

use futures_util::future::BoxFuture;

use super::{Arguments, Returns};
use crate::{
    context::JobContext,
    extract::FromContext,
    outcome::{IntoOutcome, JobResult},
};

/// What a [`JobFunction`] returns.
#[derive(Debug)]
pub struct Returned(pub(super) Returns);

/// An async function of up to eight arguments, each of [`FromContext`], whose result is of [`IntoOutcome`].
#[diagnostic::on_unimplemented(
    message = "this is not a body of a job",
    note = "a body is an async function of at most eight arguments, each of `FromContext`, that returns an `IntoOutcome` and whose future is `Send`"
)]
pub trait JobFunction<Args>: Send + Sync + 'static {
    /// The future of one run.
    fn run(&self, context: JobContext) -> BoxFuture<'static, JobResult>;

    /// What the arguments ask for.
    fn arguments() -> Arguments;

    /// The name of the type that it returns.
    #[doc(hidden)]
    fn returns() -> Returned;
}

macro_rules! functions {
    ($(($($argument:ident),*))*) => {$(
        impl<F, Fut, Out, $($argument),*> JobFunction<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Out> + Send,
            Out: IntoOutcome,
            $($argument: FromContext + Send,)*
        {
            #[allow(non_snake_case, unused_variables, reason = "the arguments are named by their types, and may be none")]
            fn run(&self, context: JobContext) -> BoxFuture<'static, JobResult> {
                let function = self.clone();
                Box::pin(async move {
                    $(let $argument = $argument::from_context(&context)?;)*
                    function($($argument),*).await.into_outcome()
                })
            }

            fn arguments() -> Arguments {
                Arguments::default()$(.with::<$argument>())*
            }

            fn returns() -> Returned {
                Returned(Returns::of::<Out>())
            }
        }
    )*};
}

functions! {
    ()
    (A)
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, G)
    (A, B, C, D, E, G, H)
    (A, B, C, D, E, G, H, I)
}
