//! Whether somebody wants it.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::failure::Failure;

/// Refuses what nobody could be asked about.
///
/// # Errors
/// Without a terminal somebody has to have said yes before.
pub(super) fn possible(yes: bool, command: &str) -> Result<(), Failure> {
    if yes || io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::Arguments(format!(
        "error: nobody can be asked here, since this is no terminal\n  help: `edgekeeper {command} --dry-run` shows the difference, `--yes` says yes to it"
    )))
}

/// Asks, unless that was said before.
///
/// # Errors
/// Where the answer is no, or the terminal is gone.
pub(super) fn ask(yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let mut line = String::new();
    let asked = write!(io::stderr(), "{question} [y/N] ");
    let read = asked.and_then(|()| io::stdin().lock().read_line(&mut line));
    let says_yes = ["y", "yes"].contains(&line.trim().to_ascii_lowercase().as_str());
    if read.is_ok() && says_yes {
        return Ok(());
    }
    Err(Failure::Failed("nothing was changed".to_owned()))
}
