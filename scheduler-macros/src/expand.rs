//! What the attribute makes of a function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use crate::{
    args,
    function::Function,
    job_id,
    mistakes::Mistakes,
    settings::{self, Settings},
};

/// Turns an annotated function into itself, a type of its name that stands for the job, and its registration.
///
/// Output: the function as it was, whatever is wrong, its docs ending with the schedule in words; then the job, or a `compile_error!` for each mistake.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let args = args::split(attribute, &mut mistakes);
    let settings = settings::read(&args, &mut mistakes);
    let Ok(mut function) = syn::parse2::<Function>(item.clone()) else {
        let first = item.clone().into_iter().find(|token| !matches!(token, proc_macro2::TokenTree::Punct(_)));
        mistakes.on(first, "a job is an async function", "write `async fn`");
        let errors = mistakes.into_compile_errors();
        return quote!(#item #errors);
    };
    function.check(&mut mistakes);
    let id = id_of(&function, &settings, &mut mistakes);
    for itself in settings.after.iter().filter(|upstream| upstream.value() == id) {
        mistakes.on(itself, format_args!("job `{id}` runs after itself"), "name another job");
    }
    match mistakes.into_compile_errors() {
        Some(errors) if function.is_method() => quote!(#function #errors),
        Some(errors) => {
            let job = job(&function, &settings, &quote!(::core::panic!("the job has mistakes")));
            quote!(#function #job #errors)
        }
        None => {
            let definition = definition(&function, &settings, &id);
            let job = job(&function, &settings, &definition);
            let registration = registration(&function, &settings);
            settings.told.iter().for_each(|paragraph| function.append_to_docs(paragraph));
            quote!(#function #job #registration)
        }
    }
}

/// The id that was given, else the function's name.
fn id_of(function: &Function, settings: &Settings, mistakes: &mut Mistakes) -> String {
    if let Some(id) = &settings.id {
        return id.value();
    }
    let name = function.signature.ident.unraw().to_string();
    if !settings.id_given
        && let Some((message, _)) = job_id::problem(&name)
    {
        let help = "add `id = \"…\"` to the attribute; without it the job has the function's name";
        mistakes.on(&function.signature.ident, message, help);
    }
    name
}

/// The type that stands for the job, in the namespace of types: the function lives in that of values.
fn job(function: &Function, settings: &Settings, definition: &TokenStream) -> TokenStream {
    let Function { visibility, signature, .. } = function;
    let krate = &settings.scheduler;
    let name = type_name(&signature.ident);
    let doc = format!("The job of the function `{}`, for `jobs!`.", signature.ident);
    let conditions: Vec<_> = function.conditions().collect();
    quote! {
        #(#conditions)*
        #[doc = #doc]
        #visibility enum #name {}

        #(#conditions)*
        #[automatically_derived]
        impl #krate::job::ScheduledJob for #name {
            fn job() -> #krate::job::Job {
                #definition
            }
        }
    }
}

/// The function's name as the expansion's own, at its place: the user's lints on names, docs and visibility do not
/// look at it.
fn type_name(function: &Ident) -> Ident {
    let mut name = function.clone();
    name.set_span(Span::call_site().located_at(function.span()));
    name
}

/// The body of `ScheduledJob::job`.
fn definition(function: &Function, settings: &Settings, id: &str) -> TokenStream {
    let Settings { scheduler: krate, calls, .. } = settings;
    let name = &function.signature.ident;
    let arguments: Vec<_> = function.argument_types().collect();
    let description = if settings.described { None } else { function.description() };
    let description = description.map(|text| quote!(.description(#text)));
    let run = format_ident!("run_{}", arguments.len());
    let types = (!arguments.is_empty()).then(|| quote!(::<#(#arguments,)* _>));
    let result = match function.result_type() {
        Some(result) => quote!(<#result as #krate::outcome::IntoOutcome>::into_outcome),
        None => quote!(#krate::outcome::IntoOutcome::into_outcome),
    };
    // The function's future must be `Send`, and the compiler blames this argument: it stands at the body, while it stays
    // the expansion's own for the user's lints.
    let mut at_body = name.clone();
    at_body.set_span(Span::call_site().located_at(function.body.span()));
    quote! {
        #krate::job::Job::builder(#id)
            #description
            #calls
            .#run #types (#at_body, #result)
    }
}

/// An initializer of the program, which the system runs before `main`. By hand, since a crate of jobs is checked sooner
/// than with one that is general; the sections' names are those that loaders have had for decades.
fn registration(function: &Function, settings: &Settings) -> TokenStream {
    let krate = &settings.scheduler;
    let name = type_name(&function.signature.ident);
    let conditions = function.conditions();
    quote! {
        #(#conditions)*
        const _: () = {
            #[used]
            #[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs"))]
            #[cfg_attr(not(any(windows, target_vendor = "apple")), unsafe(link_section = ".init_array"))]
            static REGISTER: extern "C" fn() = #krate::__private::register::<#name>;
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expansion_is_the_function_its_job_and_its_registration() {
        let attribute = quote! {
            id = "daily_report", cron = "30 0 * * *", tz = "Asia/Jakarta", retries = 5, timeout = "8m", overlap = allow
        };
        let item = quote! {
            /// Sends the report of the day.
            pub(crate) async fn report(at: ScheduledAt, State(mail): State<Mail>) -> JobResult {
                mail.send(at).await
            }
        };
        let expanded = syn::parse2(expand(attribute, item)).expect("the expansion is items");
        assert_eq!(prettyplease::unparse(&expanded), include_str!("../tests/golden/report.rs"));
    }

    #[test]
    fn what_goes_with_cron_is_in_the_expansion_and_in_the_docs() {
        let attribute = quote! {
            cron = ["30 1,2 * * *", "*/15 9-17 1-7 * sat"], dialect = "apscheduler", tz = "America/New_York",
            except = "us-holidays", dst_fold = last
        };
        let item = quote! {
            /// Counts the stock.
            async fn count() {}
        };
        let expanded = syn::parse2(expand(attribute, item)).expect("the expansion is items");
        assert_eq!(prettyplease::unparse(&expanded), include_str!("../tests/golden/count.rs"));
    }

    #[test]
    fn what_happens_once_or_after_another_job_is_told_in_the_docs() {
        let item = quote! {
            /// Closes the books.
            async fn close() {}
        };
        let once = expand(quote!(at = "2027-01-01T06:00:00+07:00", every_instance), item.clone()).to_string();
        assert!(once.contains("**Schedule:** Once, at 2026-12-31 23:00:00 UTC."), "{once}");
        assert!(once.contains(". at_millis (1798758000000i64) . every_instance (true)"), "{once}");
        let after = expand(quote!(after = ["extract", "load"], catch_up_limit = 5), item).to_string();
        assert!(after.contains("**Schedule:** After extract, load succeeded."), "{after}");
        assert!(after.contains(". after ([\"extract\" , \"load\"]) . catch_up_limit (5u32)"), "{after}");
    }

    #[test]
    fn what_is_no_function_comes_out_as_it_went_in() {
        let item = quote!(
            pub struct Job(u8);
        );
        let expanded = expand(quote!(manual), item.clone()).to_string();
        assert!(expanded.starts_with(&item.to_string()), "{expanded}");
        assert!(expanded.contains("compile_error"), "{expanded}");
    }
}
