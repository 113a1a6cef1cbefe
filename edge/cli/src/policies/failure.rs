//! Why nothing was changed.

use std::process::ExitCode;

/// What to print before it fails, and how.
#[derive(Debug)]
pub(super) enum Failure {
    /// The arguments, or what they need around them, are not right.
    Arguments(String),
    /// The thing itself failed.
    Failed(String),
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

/// Prints why, if it failed.
pub(super) fn end(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(message)) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
        Err(Failure::Arguments(message)) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
