//! Whether somebody wants it.

use std::io::{self, BufRead, IsTerminal as _, Write as _};

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
    let asked = write!(io::stderr(), "{question} [y/N] ");
    if asked.is_ok() && says_yes(io::stdin().lock()) {
        return Ok(());
    }
    Err(Failure::Failed("nothing was changed".to_owned()))
}

/// Only a clear yes is one.
fn says_yes(mut input: impl BufRead) -> bool {
    let mut line = String::new();
    let read = input.read_line(&mut line);
    read.is_ok() && ["y", "yes"].contains(&line.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for (line, expected) in [
            ("y\n", true),
            ("Yes\r\n", true),
            ("  y ", true),
            ("", false),
            ("\n", false),
            ("n\n", false),
            ("yes please\n", false),
            ("no\ny\n", false),
        ] {
            assert_eq!(says_yes(line.as_bytes()), expected, "{line:?}");
        }
        assert!(!says_yes(&b"\xff\n"[..]));
    }
}
