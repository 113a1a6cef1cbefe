//! `edgekeeper schema`: what a file may look like, for editors.

use std::io::{self, Write as _};

use clap::{Args, ValueEnum};
use edgekeeper_policy::compile::Schema;

use crate::{expectations, files};

/// Print the JSON Schema of one of the files, for an editor that tells mistakes while they are typed
///
/// It is made of the tables that `build` and `check` go by, for the default mode. An editor with the YAML language server
/// takes it from the file's first line: `# yaml-language-server: $schema=` and the place of the schema.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper schema edge > edge.schema.json             then, in edge.yml:
                                                        # yaml-language-server: $schema=edge.schema.json
  edgekeeper schema config > oathkeeper.schema.json")]
pub(crate) struct Arguments {
    /// The file it is for
    #[arg(value_enum, value_name = "FILE")]
    file: File,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum File {
    /// `edge.yml`
    Edge,
    /// Oathkeeper's configuration
    Config,
    /// Access rules
    Rules,
    /// `edgekeeper.test.yml`: what `edgekeeper test` reads
    Test,
}

/// Runs the command.
///
/// # Errors
/// What to print when nothing can be written.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let schema = match arguments.file {
        File::Edge => Schema::Edge,
        File::Config => Schema::Config,
        File::Rules => Schema::Rules,
        File::Test => return print(&expectations::schema::to_json()),
    };
    print(&schema.to_json())
}

/// Prints what another program is to read. That it stops reading is not a mistake.
pub(crate) fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!(
            "error: the output cannot be written: {}",
            files::reason(&error)
        )),
        _ => Ok(()),
    }
}
