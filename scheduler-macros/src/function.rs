//! The annotated function.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, FnArg, Lit, Meta, ReturnType, Safety, Signature, Type, Visibility,
    parse::{Parse, ParseStream},
    spanned::Spanned,
};

use crate::mistakes::Mistakes;

/// What a job takes, by its usual name.
const EXTRACTORS: [&str; 8] =
    ["JobContext", "State", "Params", "ScheduledAt", "Attempt", "CancellationToken", "FencingToken", "Upstream"];

/// As many as the builder's `run` takes.
const MOST_ARGUMENTS: usize = 8;

/// A function, its body unread: the compiler knows best what is wrong in there.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    /// What is added to the doc comment.
    docs: TokenStream,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        match input.parse()? {
            TokenTree::Group(body) if input.is_empty() => {
                Ok(Self { attributes, docs: TokenStream::new(), visibility, signature, body })
            }
            _ => Err(input.error("a function ends with its body")),
        }
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, docs, visibility, signature, body } = self;
        tokens.extend(quote!(#(#attributes)* #docs #visibility #signature #body));
    }
}

impl Function {
    /// Notes what keeps the function from being a job's body.
    pub(crate) fn check(&self, mistakes: &mut Mistakes) {
        let Signature { constness, asyncness, safety, abi, fn_token, ident, generics, inputs, variadic, .. } =
            &self.signature;
        if asyncness.is_none() {
            mistakes.on(fn_token, "a job is an async function", format_args!("write `async fn {ident}`"));
        }
        if let Some(token) = constness {
            mistakes.on(token, "a job is not `const`", "remove `const`");
        }
        if let Safety::Unsafe(token) = safety {
            mistakes.on(token, "a job is not `unsafe`", "remove `unsafe`, and say in the body what is");
        }
        if let Some(abi) = abi {
            mistakes.on(abi, "a job is not `extern`", "remove it");
        }
        if let Some(variadic) = variadic {
            mistakes.on(variadic, "a job has no variadic arguments", "remove them");
        }
        if !generics.params.is_empty() {
            mistakes.on(generics, "a job is not generic", "write a generic function, and a job that calls it");
        }
        if let Some(clause) = &generics.where_clause {
            mistakes.on(clause, "a job has no `where` clause", "write a generic function, and a job that calls it");
        }
        for input in inputs {
            check_argument(input, mistakes);
        }
        if let Some(ninth) = inputs.iter().nth(MOST_ARGUMENTS) {
            let message = format_args!("a job takes at most {MOST_ARGUMENTS} arguments, this one has {}", inputs.len());
            mistakes.on(ninth, message, "gather values of the service's own in one type, and take that as `State<T>`");
        }
    }

    /// Whether it is a method: beside one no other item can stand.
    pub(crate) fn is_method(&self) -> bool {
        self.signature.receiver().is_some()
    }

    /// The types of the arguments.
    pub(crate) fn argument_types(&self) -> impl Iterator<Item = &Type> {
        self.signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(argument) => Some(&*argument.ty),
            FnArg::Receiver(_) => None,
        })
    }

    /// The type of the result; `None` where it has no name.
    pub(crate) fn result_type(&self) -> Option<TokenStream> {
        match &self.signature.output {
            ReturnType::Default => Some(quote!(())),
            ReturnType::Type(_, ty) if contains_impl(ty.to_token_stream()) => None,
            ReturnType::Type(_, ty) => Some(ty.to_token_stream()),
        }
    }

    /// The conditions under which the function exists.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"))
    }

    /// Adds a paragraph to the doc comment; a function that has none stays without, for the lint that asks for one.
    pub(crate) fn append_to_docs(&mut self, paragraph: &str) {
        if self.attributes.iter().any(|attribute| doc_text(attribute).is_some()) {
            self.docs.extend(quote!(#[doc = ""] #[doc = #paragraph]));
        }
    }

    /// The first paragraph of the doc comment, on one line.
    pub(crate) fn description(&self) -> Option<String> {
        let mut words = Vec::new();
        let docs: Vec<String> = self.attributes.iter().filter_map(doc_text).collect();
        let lines = docs.iter().flat_map(|doc| doc.split('\n'));
        // A `/** … */` comment has a star before each line.
        let lines = lines.map(|line| line.trim().trim_start_matches("* ").trim());
        let paragraph = lines.skip_while(|line| is_blank(line)).take_while(|line| !is_blank(line));
        words.extend(paragraph.map(str::to_owned));
        (!words.is_empty()).then(|| words.join(" "))
    }
}

fn is_blank(line: &str) -> bool {
    line.is_empty() || line == "*"
}

fn doc_text(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(doc) = &attribute.meta else { return None };
    match &doc.value {
        Expr::Lit(literal) if doc.path.is_ident("doc") => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn check_argument(argument: &FnArg, mistakes: &mut Mistakes) {
    let argument = match argument {
        FnArg::Receiver(receiver) => {
            let help = "write a function outside the `impl`, which takes the value as `State<T>`";
            return mistakes.on(receiver, "a job takes no `self`", help);
        }
        FnArg::Typed(argument) => argument,
    };
    match &*argument.ty {
        Type::Reference(reference) => {
            let owned = reference.elem.to_token_stream().to_string();
            let help = if EXTRACTORS.iter().any(|extractor| owned.starts_with(extractor)) {
                format!("write `{}`", owned.replace(" < ", "<").replace(" >", ">"))
            } else {
                "a value of the service's own is `State<T>`".to_owned()
            };
            mistakes.on(&argument.ty, "a job takes its arguments by value", help);
        }
        Type::ImplTrait(of) => {
            let help = "name the type, as `State<T>` or `JobContext`";
            mistakes.at(of.impl_token.span(), "an argument of a job has a type of its own, and no `impl`", help);
        }
        _ => {}
    }
}

fn contains_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => contains_impl(group.stream()),
        _ => false,
    })
}
