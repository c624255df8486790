//! One trip to the server: the requests of many callers, each script run on as many at once as may be.

use std::collections::HashMap;

use redis::{Pipeline, ServerErrorKind, Value};

use crate::{
    error::RedisError,
    link::Line,
    script::{Call, Script},
};

/// How many requests a script is run on at most: the server does nothing else for as long as a script takes, which is about
/// 5 ms then.
const AT_ONCE: usize = 1_000;

/// How often commands are sent at most: once more for those that the server wants one key each for, and once more to tell
/// it scripts that it does not know.
const ROUNDS: usize = 3;

/// Requests, with the places of their answers, that one command brings to the server.
struct Command<'a> {
    script: Script,
    calls: Vec<(usize, &'a Call)>,
    /// Whether the server is told the script, as it did not know it.
    tells: bool,
}

impl<'a> Command<'a> {
    fn new(script: Script, calls: Vec<(usize, &'a Call)>) -> Self {
        Self { script, calls, tells: false }
    }

    /// The same for each key alone. Requests for one key stay in their order, in one command.
    fn by_key(self) -> Vec<Self> {
        let mut places = HashMap::new();
        let mut commands: Vec<Self> = Vec::new();
        for (place, call) in self.calls {
            let of_key = *places.entry(&call.key).or_insert_with(|| {
                commands.push(Self { script: self.script, calls: Vec::new(), tells: self.tells });
                commands.len() - 1
            });
            commands[of_key].calls.push((place, call));
        }
        commands
    }

    fn is_of_many_keys(&self) -> bool {
        self.calls.iter().any(|(_, call)| call.key != self.calls[0].1.key)
    }
}

/// Runs scripts on requests, in this order; the answers, refusals among them, in the same.
///
/// # Errors
/// Nothing is known of any of the requests: no answer came, or one that makes no sense.
pub(crate) async fn run<'a>(
    line: &Line,
    requests: impl IntoIterator<Item = (Script, &'a [Call])>,
) -> Result<Vec<Value>, RedisError> {
    let mut answers = Vec::new();
    let mut commands = Vec::new();
    for (script, calls) in requests {
        let first = answers.len();
        answers.resize(first + calls.len(), Value::Nil);
        add(&mut commands, script, (first..).zip(calls));
    }
    if !line.takes_many_keys() {
        commands = commands.into_iter().flat_map(Command::by_key).collect();
    }
    for _ in 0..ROUNDS {
        if commands.is_empty() {
            break;
        }
        let mut pipeline = Pipeline::with_capacity(commands.len());
        for command in &commands {
            let calls = command.calls.iter().map(|(_, call)| *call);
            pipeline.add_command(command.script.command(calls, command.tells));
        }
        let replies = line.send(&pipeline).await?;
        if replies.len() != commands.len() {
            return Err(line.unexpected("scripts", &replies));
        }
        commands = read(line, commands, replies, &mut answers)?;
    }
    Ok(answers)
}

/// Adds a caller's requests to the last command where that is of the same script and has room. Those of one caller stay
/// together where they can: all of them see the same state of a key that comes more than once.
fn add<'a>(commands: &mut Vec<Command<'a>>, script: Script, calls: impl Iterator<Item = (usize, &'a Call)>) {
    let mut calls = calls.collect::<Vec<_>>();
    if let Some(last) = commands.last_mut()
        && last.script == script
        && last.calls.len() + calls.len() <= AT_ONCE
    {
        last.calls.append(&mut calls);
        return;
    }
    while !calls.is_empty() {
        let rest = calls.split_off(calls.len().min(AT_ONCE));
        commands.push(Command::new(script, calls));
        calls = rest;
    }
}

/// Puts the answers to their places. What is left to be sent again: the server ran none of it.
fn read<'a>(
    line: &Line,
    commands: Vec<Command<'a>>,
    replies: Vec<Value>,
    answers: &mut [Value],
) -> Result<Vec<Command<'a>>, RedisError> {
    let mut again: Vec<Command<'a>> = Vec::new();
    for (mut command, reply) in commands.into_iter().zip(replies) {
        match reply {
            Value::Array(values) if values.len() == command.calls.len() => {
                for ((place, _), value) in command.calls.into_iter().zip(values) {
                    answers[place] = value;
                }
            }
            Value::ServerError(refusal) => {
                for (place, _) in &command.calls {
                    answers[*place] = Value::ServerError(refusal.clone());
                }
                if refusal.kind() == Some(ServerErrorKind::NoScript) && !command.tells {
                    // From the first the server learns the script for the others.
                    command.tells = !again.iter().any(|other| other.tells && other.script == command.script);
                    again.push(command);
                } else if refusal.kind() == Some(ServerErrorKind::CrossSlot) && command.is_of_many_keys() {
                    line.note_one_key_at_once();
                    again.extend(command.by_key());
                }
            }
            other => return Err(line.unexpected("a script", &other)),
        }
    }
    Ok(again)
}
