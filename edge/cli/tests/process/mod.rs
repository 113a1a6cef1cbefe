//! The command as a process.

use std::path::Path;
use std::process::{Command, Output};

/// How it ended: its exit code, and what it printed where.
pub(crate) type Ended = (Option<i32>, String, String);

/// Runs `edgekeeper` in a folder, with a secret in one variable of the environment or without.
pub(crate) fn run(
    folder: &Path,
    arguments: &[&str],
    variable: &str,
    secret: Option<&str>,
) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgekeeper"));
    command
        .current_dir(folder)
        .args(arguments)
        .env_remove(variable);
    if let Some(secret) = secret {
        command.env(variable, secret);
    }
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    (
        status.code(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}
