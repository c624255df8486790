//! The PostgreSQL and Redis that tests and benchmarks talk to.
//!
//! Those in `DATABASE_URL` and `REDIS_URL` if set; else private ones: from programs on the machine, else installed by
//! apt, else in containers. They listen on loopback ports of their own, with a password of their own, in plain text and
//! over TLS.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

mod account;
mod docker;
mod given;
mod home;
mod install;
mod ping;
mod port;
mod postgres;
mod process;
mod programs;
mod random;
mod redis;
mod state;
mod status;
mod tls;
mod url;

#[cfg(test)]
mod tests;

pub(crate) use given::Given;
pub(crate) use install::{is_program, packages_by_apt};
pub(crate) use process::{output, wait_until};

use account::Account;
use postgres::Postgres;
use redis::Redis;
use state::{Server, Source, State};
use status::{Line, Status};
use tls::Certificates;

use crate::failure::{Context, Result};

/// The servers of one clone.
#[derive(Debug)]
pub(crate) struct Services {
    /// The repository, where docker-compose.yml lies.
    root: PathBuf,
    /// Where the state is kept.
    directory: PathBuf,
    given: Given,
}

/// Servers that answered a moment ago.
#[derive(Debug)]
pub(crate) struct Up {
    variables: Vec<(&'static str, String)>,
    started_from_nothing: bool,
}

impl Up {
    /// What tests and benchmarks read.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Whether no private server was known before: who called for them may stop them.
    pub(crate) fn started_from_nothing(&self) -> bool {
        self.started_from_nothing
    }

    /// Lines for a shell to evaluate.
    pub(crate) fn exports(&self) -> String {
        self.variables().map(|(name, value)| format!("export {name}='{}'\n", value.replace('\'', r"'\''"))).collect()
    }
}

impl Services {
    pub(crate) fn new(root: &Path, directory: PathBuf, given: Given) -> Self {
        Self { root: root.to_path_buf(), directory, given }
    }

    /// Checks the servers given, and starts or repairs the private ones that are needed beside them.
    pub(crate) fn up(&self) -> Result<Up> {
        let _alone = self.lock()?;
        programs::provide();
        let mut state = State::load(&self.state_file())?;
        let started_from_nothing = state.as_ref().is_none_or(State::is_empty);
        let given = self.foreign(state.as_ref());
        given.check()?;

        // Servers that were given are seldom reachable over TLS too: private ones run beside them for those tests.
        let wanted = Wanted {
            postgres: given.database_url.is_none() || given.tls.is_none(),
            redis: given.redis_url.is_none() || given.tls.is_none(),
        };
        if wanted.postgres || wanted.redis {
            let begun = match state.take() {
                Some(state) if state.home.is_dir() => state,
                _ => self.begin()?,
            };
            let state = state.insert(begun);
            if let Err(failure) = self.start(state, &wanted, given.database_url.is_none(), given.redis_url.is_none()) {
                if given.database_url.is_none() || given.redis_url.is_none() {
                    return Err(failure);
                }
                eprintln!("warning: {failure}\nwithout private servers, tests over TLS fail");
            }
        }
        let mut variables = state.as_ref().map(|state| self.own_variables(state)).unwrap_or_default();
        variables.retain(|(name, _)| match *name {
            "DATABASE_URL" => given.database_url.is_none(),
            "REDIS_URL" => given.redis_url.is_none(),
            _ => given.tls.is_none(),
        });
        Ok(Up { variables, started_from_nothing })
    }

    /// Ends the private servers and removes all they wrote.
    pub(crate) fn down(&self) -> Result<()> {
        if !self.directory.exists() {
            return Ok(());
        }
        let _alone = self.lock()?;
        match State::load(&self.state_file()) {
            Ok(Some(state)) => self.stop(&state)?,
            Ok(None) => {}
            Err(failure) => eprintln!("warning: {failure}; a server it named may still run"),
        }
        home::remove(&self.directory)
    }

    /// Kills the private PostgreSQL, as a power cut does; [`Services::up`] starts it again on what it left.
    pub(crate) fn crash_postgres(&self) -> Result<()> {
        let _alone = self.lock()?;
        let Some(state) = State::load(&self.state_file())? else { return Ok(()) };
        let account = Account::owning(&state.home)?;
        if let Some(Server { source: Source::Binaries(programs), .. }) = &state.postgres {
            postgres_of(&state, account.as_ref()).stop(programs);
        }
        Ok(())
    }

    /// Ends the private Redis, with all that it held; [`Services::up`] starts an empty one.
    pub(crate) fn crash_redis(&self) -> Result<()> {
        let _alone = self.lock()?;
        let Some(state) = State::load(&self.state_file())? else { return Ok(()) };
        let account = Account::owning(&state.home)?;
        if let Some(server @ Server { source: Source::Binaries(_), .. }) = &state.redis {
            redis_of(&state, account.as_ref()).stop(server);
        }
        Ok(())
    }

    pub(crate) fn status(&self) -> Result<Status> {
        let state = State::load(&self.state_file())?;
        let given = self.foreign(state.as_ref());
        let mut lines = Vec::new();
        for (name, url, check) in [
            ("PostgreSQL", &given.database_url, given.check_postgres()),
            ("Redis", &given.redis_url, given.check_redis()),
        ] {
            if let Some(url) = url {
                let source = "given by the environment".to_owned();
                lines.push(Line { name, url: Some(url::redacted(url)), pid: None, source, answers: check.is_ok() });
            }
        }
        let account = match &state {
            Some(state) if state.home.is_dir() => Account::owning(&state.home)?,
            _ => None,
        };
        let postgres = state.as_ref().and_then(|state| {
            let server = state.postgres.as_ref()?;
            Some((server, postgres::url(server.port, "***"), postgres_answers(state, server, account.as_ref())))
        });
        if postgres.is_some() || given.database_url.is_none() {
            lines.push(line("PostgreSQL", postgres));
        }
        let redis = state.as_ref().and_then(|state| {
            let server = state.redis.as_ref()?;
            Some((server, redis::url(server.port, "***"), redis_of(state, account.as_ref()).answers(server)))
        });
        if redis.is_some() || given.redis_url.is_none() {
            lines.push(line("Redis", redis));
        }
        Ok(Status { lines })
    }

    fn begin(&self) -> Result<State> {
        let account = Account::for_servers()?;
        let home = home::create(&self.directory, account.as_ref())?;
        let state = State { home, password: random::hex(16)?, postgres: None, redis: None };
        state.save(&self.state_file())?;
        Ok(state)
    }

    /// Starts what is wanted and does not answer. The state is saved after each server, so that none gets lost.
    fn start(&self, state: &mut State, wanted: &Wanted, install_postgres: bool, install_redis: bool) -> Result<()> {
        let account = Account::owning(&state.home)?;
        let postgres = wanted.postgres
            && !state.postgres.as_ref().is_some_and(|server| postgres_answers(state, server, account.as_ref()));
        let redis = wanted.redis
            && !state.redis.as_ref().is_some_and(|server| redis_of(state, account.as_ref()).answers(server));
        if !postgres && !redis {
            return Ok(());
        }
        let sources = self.sources(postgres, redis, install_postgres, install_redis)?;
        let tls = Certificates::provide(&state.home, &self.ca_file(), account.as_ref())?;
        if let Some(source) = sources.postgres {
            let last = state.postgres.clone();
            eprintln!("starting PostgreSQL ({source})");
            state.postgres = Some(match &source {
                Source::Binaries(programs) => {
                    postgres_of(state, account.as_ref()).start(programs, &tls, last.as_ref())?
                }
                Source::Docker(project) => {
                    docker::start(&self.root, project, docker::POSTGRES, &state.password, &tls, last.as_ref())?
                }
            });
            state.save(&self.state_file())?;
        }
        if let Some(source) = sources.redis {
            let last = state.redis.clone();
            eprintln!("starting Redis ({source})");
            state.redis = Some(match &source {
                Source::Binaries(programs) => redis_of(state, account.as_ref()).start(programs, &tls, last.as_ref())?,
                Source::Docker(project) => {
                    docker::start(&self.root, project, docker::REDIS, &state.password, &tls, last.as_ref())?
                }
            });
            state.save(&self.state_file())?;
        }
        Ok(())
    }

    /// Where the servers that are to start come from.
    ///
    /// The machine is changed (apt) or the network used (images) only for what was not given.
    fn sources(&self, postgres: bool, redis: bool, install_postgres: bool, install_redis: bool) -> Result<Sources> {
        let mut found = install::find();
        let mut tried = Vec::new();
        let lacks = |found: &install::Found| (postgres && found.postgres.is_none(), redis && found.redis.is_none());
        let (no_postgres, no_redis) = lacks(&found);
        let (by_apt_postgres, by_apt_redis) = (no_postgres && install_postgres, no_redis && install_redis);
        if by_apt_postgres || by_apt_redis {
            match install::by_apt(by_apt_postgres, by_apt_redis) {
                Some(Ok(())) => found = install::find(),
                Some(Err(failure)) => tried.push(failure.to_string()),
                None => tried.push("apt-get: only as root, on Debian or Ubuntu".to_owned()),
            }
        }
        let (no_postgres, no_redis) = lacks(&found);
        let mut sources = Sources {
            postgres: found.postgres.filter(|_| postgres).map(Source::Binaries),
            redis: found.redis.filter(|_| redis).map(Source::Binaries),
        };
        if no_postgres || no_redis {
            if !docker::usable() {
                tried.push("docker compose: no plugin, or no daemon answers".to_owned());
                return Err(install::advice(no_postgres, no_redis, &tried));
            }
            let project = Source::Docker(self.project());
            sources.postgres = sources.postgres.or_else(|| no_postgres.then(|| project.clone()));
            sources.redis = sources.redis.or_else(|| no_redis.then_some(project));
        }
        Ok(sources)
    }

    fn stop(&self, state: &State) -> Result<()> {
        let account = if state.home.is_dir() { Account::owning(&state.home)? } else { None };
        let servers = [&state.postgres, &state.redis];
        let project = servers.into_iter().flatten().find_map(|server| match &server.source {
            Source::Docker(project) => Some(project),
            Source::Binaries(_) => None,
        });
        if let Some(project) = project {
            docker::down(&self.root, project)?;
        }
        if let Some(Server { source: Source::Binaries(programs), .. }) = &state.postgres {
            postgres_of(state, account.as_ref()).stop(programs);
        }
        if let Some(server @ Server { source: Source::Binaries(_), .. }) = &state.redis {
            redis_of(state, account.as_ref()).stop(server);
        }
        home::remove(&state.home)
    }

    fn own_variables(&self, state: &State) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        if let Some(server) = &state.postgres {
            let url = postgres::url(server.port, &state.password);
            variables.push(("DATABASE_TLS_URL", format!("{url}?sslmode=require")));
            variables.push(("DATABASE_URL", url));
        }
        if let Some(server) = &state.redis {
            variables.push(("REDIS_URL", redis::url(server.port, &state.password)));
            variables.push(("REDIS_TLS_URL", redis::tls_url(server.tls_port, &state.password)));
        }
        if !variables.is_empty() {
            variables.push(("TEST_TLS_CA_FILE", self.ca_file().display().to_string()));
        }
        variables
    }

    /// The servers given that are not this clone's own.
    fn foreign(&self, state: Option<&State>) -> Given {
        let own = state.map(|state| self.own_variables(state)).unwrap_or_default();
        self.given.clone().without(&own)
    }

    /// Held by one command at a time: two that start servers at once would each start theirs.
    fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.directory).context(|| format!("making {}", self.directory.display()))?;
        let path = self.directory.join("lock");
        let file = File::create(&path).context(|| format!("opening {}", path.display()))?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
            .context(|| format!("locking {}", path.display()))?;
        Ok(file)
    }

    /// Named by the state's place, so that two clones have two.
    fn project(&self) -> String {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.directory.hash(&mut hasher);
        format!("scheduler-{:016x}", hasher.finish())
    }

    fn state_file(&self) -> PathBuf {
        self.directory.join("state")
    }

    fn ca_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }
}

/// Which private servers a command needs.
#[derive(Debug)]
struct Wanted {
    postgres: bool,
    redis: bool,
}

/// Where those that are to start come from.
#[derive(Debug)]
struct Sources {
    postgres: Option<Source>,
    redis: Option<Source>,
}

fn postgres_of<'a>(state: &'a State, account: Option<&'a Account>) -> Postgres<'a> {
    Postgres { home: &state.home, password: &state.password, account }
}

fn redis_of<'a>(state: &'a State, account: Option<&'a Account>) -> Redis<'a> {
    Redis { home: &state.home, password: &state.password, account }
}

fn postgres_answers(state: &State, server: &Server, account: Option<&Account>) -> bool {
    match server.source {
        Source::Binaries(_) => postgres_of(state, account).answers(server),
        Source::Docker(_) => ping::postgres(&postgres::url(server.port, &state.password)).is_ok(),
    }
}

fn line(name: &'static str, known: Option<(&Server, String, bool)>) -> Line {
    match known {
        Some((server, url, answers)) => {
            Line { name, url: Some(url), pid: server.pid, source: server.source.to_string(), answers }
        }
        None => Line { name, url: None, pid: None, source: String::new(), answers: false },
    }
}
