//! Job ids, by the same rules as `scheduler_core::identity::JobId`.

/// Ids that the admin API's paths need for themselves.
const RESERVED: [&str; 6] = ["executions", "instances", "audit", "events", "workflows", "openapi.json"];

/// The longest job id, in bytes.
const LONGEST: usize = 100;

/// Why a text is no job id, and what to write instead.
pub(crate) fn problem(id: &str) -> Option<(String, String)> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if id.is_empty() {
        return Some(("a job id must not be empty".to_owned(), "write `id = \"daily_report\"`".to_owned()));
    }
    if id.len() > LONGEST {
        let message = format!("a job id has at most {LONGEST} characters, this one has {}", id.len());
        return Some((message, "shorten it; the text for people is `name`".to_owned()));
    }
    if !id.starts_with(allowed) || !id.chars().all(|c| allowed(c) || "._-".contains(c)) {
        let message = format!("job id `{id}` must start with a-z or 0-9 and go on with a-z, 0-9, `.`, `_` or `-`");
        return Some((message, format!("write `id = \"{}\"`; the text for people is `name`", mended(id))));
    }
    if RESERVED.contains(&id) {
        let message = format!("job id `{id}` is reserved for the admin API");
        return Some((message, format!("say whose or which, as `id = \"daily_{id}\"`")));
    }
    None
}

/// The nearest text that is a job id.
fn mended(id: &str) -> String {
    let mut mended = String::new();
    for c in id.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => mended.push(c),
            c @ ('.' | '_' | '-') if !mended.is_empty() => mended.push(c),
            _ if mended.is_empty() || mended.ends_with('_') => {}
            _ => mended.push('_'),
        }
    }
    if mended.is_empty() { "daily_report".to_owned() } else { mended.trim_end_matches('_').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mended_id_is_an_id() {
        for (wrong, right) in
            [("Daily Report", "daily_report"), ("_x", "x"), ("é", "daily_report"), ("a/../b", "a_.._b"), ("A!", "a")]
        {
            assert!(problem(wrong).is_some(), "{wrong}");
            assert_eq!(mended(wrong), right);
            assert_eq!(problem(right), None, "{right}");
        }
    }

    #[test]
    fn the_longest_id_has_a_hundred_characters() {
        assert_eq!(problem(&"x".repeat(100)), None);
        assert!(problem(&"x".repeat(101)).is_some());
    }
}
