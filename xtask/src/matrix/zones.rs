//! The zone data beside that of another program's newest release, which a build must not depend on.

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use crate::{
    cargo::{cargo, status},
    failure::{Context, Result},
    services::output,
};

/// The zone data, with the newest `tzdata` on PyPI as Python's `zoneinfo` reads it: ten years of each zone.
pub(crate) fn run(root: &Path) -> Result<ExitCode> {
    let home = root.join("target/tzdata");
    eprintln!("fetching the newest `tzdata` by pip");
    let target =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--no-deps", "--target"];
    output(Command::new("python3").args(target).arg(&home).arg("tzdata"))?;
    let script = root.join("scheduler-cron/tests/zones/expected.py");
    let printed = output(Command::new("python3").arg(script).arg(home.join("tzdata")).arg("2026"))?;
    let expected = home.join("expected.jsonl");
    std::fs::write(&expected, printed.stdout).context(|| format!("writing {}", expected.display()))?;
    let mut compare = cargo(root);
    compare.args(["test", "--package", "scheduler-cron", "--test", "it", "--", "--ignored", "zones::"]);
    compare.env("ZONES_EXPECTED", &expected);
    Ok(if status(&mut compare)?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
