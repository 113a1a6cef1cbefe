//! `edgekeeper completions`: a script with which a shell completes the command's arguments.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::schema::print;

/// Print the script with which a shell completes the arguments of this command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper completions bash > ~/.local/share/bash-completion/completions/edgekeeper
  edgekeeper completions zsh > ~/.zfunc/_edgekeeper     a folder that is in `fpath`
  edgekeeper completions fish > ~/.config/fish/completions/edgekeeper.fish
  edgekeeper completions powershell >> $PROFILE")]
pub(crate) struct Arguments {
    /// The shell it is for
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command, for the one whose arguments are to be completed.
///
/// # Errors
/// What to print when nothing can be written.
pub(crate) fn run(arguments: &Arguments, mut command: Command) -> Result<(), String> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    print(&String::from_utf8_lossy(&script))
}
