//! docs/reliability.md names tests that are there, and that say which rule they are for.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Every source file of the project.
fn sources() -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there").map(|entry| entry.expect("it can be read")) {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                sources.push((path, text));
            }
        }
    }
    sources
}

/// Each function of these sources, with the comment above it.
fn functions(sources: &[(PathBuf, String)]) -> BTreeMap<&str, String> {
    let mut functions = BTreeMap::new();
    for (_, text) in sources {
        let mut comment = String::new();
        for line in text.lines().map(str::trim_start) {
            if let Some(said) = line.strip_prefix("///") {
                comment.push_str(said);
                comment.push('\n');
            } else if let Some(name) = function(line) {
                functions.insert(name, std::mem::take(&mut comment));
            } else if !line.starts_with("#[") {
                comment.clear();
            }
        }
    }
    functions
}

/// The function that a line begins, if it does.
fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// What a line has in backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn is_test_name(word: &str) -> bool {
    word.matches('_').count() >= 3 && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn each_rule_names_tests_that_say_it() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let sources = sources();
    let functions = functions(&sources);
    let mut wrong = Vec::new();
    for line in page.lines() {
        let rule =
            line.strip_prefix("| R").and_then(|rest| rest.split_once(' ')).map(|(number, _)| format!("R{number}"));
        let mut names = 0;
        for word in quoted(line) {
            if word.ends_with(".rs") && !sources.iter().any(|(path, _)| path.ends_with(word)) {
                wrong.push(format!("there is no file `{word}`"));
            }
            if !is_test_name(word) {
                continue;
            }
            names += 1;
            match (functions.get(word), &rule) {
                (None, _) => wrong.push(format!("there is no test `{word}`")),
                (Some(comment), Some(rule))
                    if !comment.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| w == rule) =>
                {
                    wrong.push(format!("`{word}` stands for {rule}, and its doc comment does not say so"));
                }
                _ => {}
            }
        }
        if let Some(rule) = rule.filter(|_| names == 0 && !line.contains("not built yet")) {
            wrong.push(format!("{rule} names no test"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
