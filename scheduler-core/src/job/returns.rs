//! What a body returns, as far as its type tells what the history will have of it.

use std::any::type_name;

/// The type that a body returns, by its name: a bound on it would have the compiler tell one mistake twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Returns(&'static str);

impl Returns {
    pub(crate) fn of<T>() -> Self {
        Self(type_name::<T>())
    }

    /// The type, of a `Result` that of its success.
    pub(crate) fn success(self) -> &'static str {
        let Some(arguments) = self.0.strip_prefix("core::result::Result<") else { return self.0 };
        let mut depth = 0_usize;
        let end = arguments.find(|character| {
            match character {
                '<' | '(' | '[' => depth += 1,
                '>' | ')' | ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            character == ',' && depth == 0
        });
        &arguments[..end.unwrap_or(arguments.len())]
    }

    /// Whether it says of itself that there is never a result for others: nothing, or a text, which is a message.
    pub(crate) fn has_no_result(self) -> bool {
        ["()", "alloc::string::String", "&str", "&'static str"].contains(&self.success())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::outcome::{JobError, JobResult, Json, Outcome};

    #[test]
    fn only_nothing_and_texts_never_have_a_result() {
        let without = [
            Returns::of::<()>(),
            Returns::of::<String>(),
            Returns::of::<&'static str>(),
            Returns::of::<JobResult<()>>(),
            Returns::of::<Result<String, Box<dyn std::error::Error + Send + Sync>>>(),
            Returns::of::<Result<&'static str, HashMap<u8, JobError>>>(),
        ];
        assert!(without.iter().all(|returns| returns.has_no_result()), "{without:?}");
        let with = [
            Returns::of::<Outcome>(),
            Returns::of::<JobResult>(),
            Returns::of::<Json<String>>(),
            Returns::of::<JobResult<Json<HashMap<String, ()>>>>(),
        ];
        assert!(with.iter().all(|returns| !returns.has_no_result()), "{with:?}");
        assert_eq!(
            Returns::of::<Result<HashMap<u8, (u8, u8)>, String>>().success(),
            "std::collections::hash::map::HashMap<u8, (u8, u8)>"
        );
    }
}
