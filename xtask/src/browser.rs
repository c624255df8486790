//! What drives the dashboard's test: a browser, and Node's modules that steer it and judge its pages.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    failure::{Failure, Result},
    services::{is_program, output, packages_by_apt},
};

/// The names that Chromium goes by.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Other versions see and judge other things.
const MODULES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];

/// The variables that tell the test where they are: those of the environment, else programs of the machine, else what apt
/// and npm install, the modules under `target`.
pub(crate) fn provide(root: &Path) -> Result<Vec<(&'static str, PathBuf)>> {
    let browser = match env::var_os("CHROMIUM") {
        Some(given) => given.into(),
        None => program(&BROWSERS, &["chromium", "fonts-dejavu-core"])?,
    };
    let modules = match env::var_os("NODE_PATH") {
        Some(given) => given.into(),
        None => modules(root)?,
    };
    program(&["node"], &["nodejs"])?;
    Ok(vec![("CHROMIUM", browser), ("NODE_PATH", modules)])
}

fn modules(root: &Path) -> Result<PathBuf> {
    let name: String = MODULES.join("-").chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let home = root.join("target").join(name);
    let modules = home.join("node_modules");
    if !MODULES.iter().all(|module| modules.join(module.split('@').next().unwrap_or_default()).is_dir()) {
        let npm = program(&["npm"], &["npm"])?;
        eprintln!("installing {} by npm", MODULES.join(" and "));
        let mut command = Command::new(npm);
        command.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(&home).args(MODULES);
        output(&mut command)?;
    }
    Ok(modules)
}

/// A program of the machine, else of these packages.
fn program(names: &[&str], packages: &[&str]) -> Result<PathBuf> {
    let find = || {
        let directories: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
        let files = names.iter().flat_map(|name| directories.iter().map(move |directory| directory.join(name)));
        files.into_iter().find(|file| is_program(file))
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    packages_by_apt(packages).transpose()?;
    find().ok_or_else(|| {
        let (name, packages) = (names[0], packages.join(" "));
        Failure::new(format!("there is no {name} on this machine\ninstall it: `apt-get install {packages}` (Debian)"))
    })
}
