//! The version before this one, built from its tag.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo::{cargo, status},
    failure::{Context, Failure, Result},
};

/// The last tag before this commit.
pub(super) fn tag(root: &Path) -> Result<String> {
    let said = git(root, &["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^"])?;
    Ok(said.trim().to_owned())
}

/// A checkout of a tag beside what is built; it goes when this is dropped.
#[derive(Debug)]
pub(super) struct Checkout<'a> {
    root: &'a Path,
    place: PathBuf,
}

impl<'a> Checkout<'a> {
    pub(super) fn of(root: &'a Path, tag: &str) -> Result<Self> {
        let checkout = Self { root, place: root.join("target/matrix").join(tag) };
        // One that a run left which was killed.
        checkout.remove();
        git(root, &["worktree", "add", "--detach", &checkout.place.to_string_lossy(), tag])?;
        Ok(checkout)
    }

    /// Builds its process of the chaos run, among what is built already: most dependencies are the same.
    pub(super) fn build(&self) -> Result<()> {
        let mut build = cargo(&self.place);
        build.env("CARGO_TARGET_DIR", self.root.join("target"));
        build.args(["build", "--package", "scheduler-tests", "--bin", "chaos-node"]);
        if status(&mut build)?.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("the version in {} does not build", self.place.display())))
        }
    }

    fn remove(&self) {
        // Where there is none, there is nothing to remove.
        let _ = git(self.root, &["worktree", "remove", "--force", &self.place.to_string_lossy()]);
        let _ = std::fs::remove_dir_all(&self.place);
        let _ = git(self.root, &["worktree", "prune"]);
    }
}

impl Drop for Checkout<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    let output = git.current_dir(root).args(arguments).output().context(|| "running git".to_owned())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!("`git {}` failed: {}", arguments.join(" "), said.trim())))
    }
}
