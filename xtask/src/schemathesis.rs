//! The program that asks the admin API whatever its OpenAPI document allows, and what it does not.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    failure::{Failure, Result},
    services::{is_program, output, packages_by_apt},
};

/// The variable that tells tests where it is.
pub(crate) const VARIABLE: &str = "SCHEMATHESIS";
/// Another version asks other things.
const VERSION: &str = "4.32.5";

/// Where it is: given by the environment, else in an environment of Python's own under `target`, made by the first who
/// asks.
pub(crate) fn provide(root: &Path) -> Result<PathBuf> {
    if let Some(given) = std::env::var_os(VARIABLE) {
        return Ok(given.into());
    }
    let home = root.join("target").join(format!("schemathesis-{VERSION}"));
    let program = home.join("bin/schemathesis");
    if !is_program(&program) {
        eprintln!("installing schemathesis {VERSION} by pip");
        install(&home).map_err(|failure| {
            Failure::new(format!(
                "{failure}\ninstall it: `pip install schemathesis=={VERSION}`, and set {VARIABLE} to the program"
            ))
        })?;
    }
    Ok(program)
}

fn install(home: &Path) -> Result<()> {
    let make = || output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(home));
    if make().is_err() {
        // Debian keeps what makes one in a package of its own.
        packages_by_apt(&["python3", "python3-venv"]).transpose()?;
        make()?;
    }
    let package = format!("schemathesis=={VERSION}");
    output(Command::new(home.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check", &package]))?;
    Ok(())
}
