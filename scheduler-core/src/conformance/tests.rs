use std::collections::BTreeSet;

/// The suites' case files, and the files with their macros' lists.
const SUITES: [(&[&str], &str); 2] = [
    (
        &[
            include_str!("audit.rs"),
            include_str!("backfill.rs"),
            include_str!("cancel.rs"),
            include_str!("claim.rs"),
            include_str!("control.rs"),
            include_str!("decide.rs"),
            include_str!("finish.rs"),
            include_str!("history.rs"),
            include_str!("lease.rs"),
            include_str!("manual.rs"),
            include_str!("pause.rs"),
            include_str!("prune.rs"),
            include_str!("queue.rs"),
            include_str!("recover.rs"),
            include_str!("report.rs"),
            include_str!("retry.rs"),
            include_str!("revision.rs"),
            include_str!("skip.rs"),
            include_str!("take.rs"),
        ],
        include_str!("store.rs"),
    ),
    (&[include_str!("lock.rs")], include_str!("lock.rs")),
];

#[test]
fn every_case_is_in_its_suites_list() {
    for (files, list) in SUITES {
        let listed: BTreeSet<&str> = list.lines().filter_map(|line| line.strip_prefix("            ")).collect();
        let cases = files.iter().flat_map(|file| file.lines()).filter_map(|line| {
            let name = line.strip_prefix("pub async fn ")?;
            name.split(['(', '<']).next()
        });
        let missing: Vec<&str> = cases.filter(|case| !listed.contains(case)).collect();
        assert!(missing.is_empty(), "not run: {missing:?}");
    }
}
