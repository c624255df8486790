//! Prometheus's own program takes what is served, and the alert rules. `cargo xtask test` installs it.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use crate::{files, scene::Scene};

fn promtool(args: &[&str], input: &str) -> Output {
    let mut command = Command::new("promtool");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn();
    let mut child =
        child.unwrap_or_else(|error| panic!("`promtool` can't be run ({error}): `cargo xtask test` installs it"));
    child.stdin.take().expect("is piped").write_all(input.as_bytes()).expect("reads");
    child.wait_with_output().expect("ends")
}

fn accepts(args: &[&str], input: &str) -> String {
    let output = promtool(args, input);
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{said}\n{input}");
    said
}

#[tokio::test]
async fn promtool_finds_nothing_in_what_is_served() {
    assert_eq!(accepts(&["check", "metrics"], &Scene::get().await.text), "");
}

#[test]
fn promtool_finds_what_is_wrong_with_a_metric() {
    assert!(!promtool(&["check", "metrics"], "scheduler_things 1\n").status.success(), "it has no help");
}

#[test]
fn promtool_accepts_every_alert_rule() {
    let path = files::path(files::ALERTS);
    let said = accepts(&["check", "rules", path.to_str().expect("UTF-8")], "");
    assert!(said.contains("SUCCESS: 11 rules found"), "{said}");
}
