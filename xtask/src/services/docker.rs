//! The servers in containers, for machines that have Docker and nothing else.

use std::{path::Path, process::Command};

use super::{
    port, process,
    state::{Server, Source},
    tls::Certificates,
};
use crate::failure::{Context, Result};

/// The services of docker-compose.yml.
pub(crate) const POSTGRES: &str = "postgres";
pub(crate) const REDIS: &str = "redis";

/// Whether the compose plugin is there and a daemon answers.
pub(crate) fn usable() -> bool {
    let answers =
        |args: &[&str]| Command::new("docker").args(args).output().is_ok_and(|output| output.status.success());
    answers(&["compose", "version"]) && answers(&["info"])
}

/// Starts one service of docker-compose.yml and waits until it is healthy.
pub(crate) fn start(
    root: &Path,
    project: &str,
    service: &str,
    password: &str,
    tls: &Certificates,
    last: Option<&Server>,
) -> Result<Server> {
    let port = port::free(last.map(|server| server.port))?;
    let tls_port = if service == POSTGRES { port } else { port::free(last.map(|server| server.tls_port))? };
    let mut up = compose(root, project);
    up.args(["up", "--detach", "--wait", service]);
    up.env("SCHEDULER_SERVICES_PASSWORD", password).env("SCHEDULER_SERVICES_TLS", &tls.directory);
    for name in ["POSTGRES", "REDIS"] {
        up.env(format!("SCHEDULER_{name}_PORT"), port.to_string());
    }
    up.env("SCHEDULER_REDIS_TLS_PORT", tls_port.to_string());
    process::output(&mut up).context(|| format!("starting `{service}` of docker-compose.yml"))?;
    Ok(Server { source: Source::Docker(project.to_owned()), port, tls_port, pid: None })
}

/// Removes the project's containers, network and data.
pub(crate) fn down(root: &Path, project: &str) -> Result<()> {
    let mut down = compose(root, project);
    down.args(["down", "--volumes", "--timeout", "5"]);
    // The file asks for them, though nothing here is started.
    down.env("SCHEDULER_SERVICES_PASSWORD", "-").env("SCHEDULER_SERVICES_TLS", "/");
    process::output(&mut down).map(drop)
}

fn compose(root: &Path, project: &str) -> Command {
    let mut command = Command::new("docker");
    command.args(["compose", "--project-name", project, "--file"]).arg(root.join("docker-compose.yml"));
    command
}
