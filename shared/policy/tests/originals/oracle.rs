//! The Go program that asks the original modules.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

/// An answer of the original.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) error: String,
    /// For each input what its groups captured; nothing where it does not match.
    pub(crate) matches: Vec<Option<Match>>,
    pub(crate) raw: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Match {
    pub(crate) groups: Option<Vec<String>>,
    pub(crate) timeout: String,
}

/// Asks all questions and gives each to `judge` with its answer.
pub(crate) fn ask<Q>(
    questions: &[Q],
    as_json: impl Fn(&Q) -> Value + Send,
    mut judge: impl FnMut(&Q, Answer),
) where
    Q: Sync,
{
    let program = std::env::var("PATTERN_ORIGINALS").expect(
        "PATTERN_ORIGINALS names the Go program; tests/originals/patterns/run builds and sets it",
    );
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the Go program runs");
    let mut input = BufWriter::new(child.stdin.take().unwrap());
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for question in questions {
                writeln!(input, "{}", as_json(question)).expect("the Go program listens");
            }
        });
        for question in questions {
            let line = answers.next().expect("an answer to each question").unwrap();
            judge(question, serde_json::from_str(&line).unwrap());
        }
    });
    assert!(child.wait().unwrap().success());
}
