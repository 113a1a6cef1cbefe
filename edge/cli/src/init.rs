//! `edgekeeper init`: a small setup that works, for a Kratos that is there; or what a team's own files lack.

mod beginning;
mod manifest;
mod taken;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use edgekeeper_policy::host::HostPattern;
use url::Url;

use crate::files;

use self::manifest::Runtime;

/// Write a small setup that works, for a Kratos that is there
///
/// It has Oathkeeper's configuration, one rule that asks for a session, and `edge.yml`. With `--from` a team's own
/// configuration and rules stay as they are, and only `edge.yml` is written. `--runtime` adds the runtime's own file. A file
/// that is there is never changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper init --kratos https://kratos.example.com --host app.example.com --upstream https://web.example.com
  edgekeeper init --kratos https://kratos.example.com --host app.example.com --upstream https://web.example.com --runtime spin
  edgekeeper init --from oathkeeper.yml --runtime cloudflare

Exit codes: 0 written, 1 a file is there or the rules have errors, 2 wrong arguments")]
pub(crate) struct Arguments {
    /// Kratos' public URL, as the gateway reaches it
    #[arg(long, value_name = "URL", value_parser = service, required_unless_present = "from")]
    kratos: Option<Url>,

    /// The host that browsers ask for
    #[arg(long, value_name = "HOST", value_parser = host, required_unless_present = "from")]
    host: Option<String>,

    /// The service behind it
    #[arg(long, value_name = "URL", value_parser = service, required_unless_present = "from")]
    upstream: Option<Url>,

    /// Where browsers log in; Kratos' own start of it by default
    #[arg(long, value_name = "URL", value_parser = service)]
    login: Option<Url>,

    /// Oathkeeper's configuration, which stays as it is
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kratos", "host", "upstream", "login"])]
    from: Option<String>,

    /// Look up absolute paths of its rules (`file:///etc/...`) under this folder
    #[arg(long, value_name = "DIR", requires = "from")]
    root: Option<String>,

    /// Also write what the runtime is told of the gateway: `wrangler.toml` or `spin.toml`
    #[arg(long, value_enum, value_name = "RUNTIME")]
    runtime: Option<Runtime>,

    /// The folder to write to; made where there is none
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// A file to write, by its name.
type Written = (&'static str, String);

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let made = match (&arguments.kratos, &arguments.host, &arguments.upstream) {
        (Some(kratos), Some(host), Some(upstream)) => Ok(beginning::files(
            kratos,
            host,
            upstream,
            arguments.login.as_ref(),
        )),
        _ => {
            let from = arguments.from.clone().unwrap_or_default();
            taken::files(&from, arguments.root.as_deref())
        }
    };
    let result = made.and_then(|mut written| {
        let config = arguments.from.as_deref().unwrap_or(beginning::CONFIG);
        let manifest = |runtime| manifest::file(runtime, config, arguments.root.as_deref());
        written.extend(arguments.runtime.map(manifest));
        write(&arguments.dir, &written)
    });
    match result {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Writes all files or, if one of them is there, none.
fn write(folder: &Path, written: &[Written]) -> Result<String, String> {
    for (name, _) in written {
        let path = folder.join(name);
        if path.exists() {
            return Err(format!(
                "error: `{}` is there already, and nothing was written\n  help: take it away, or name another folder with `--dir`",
                path.display()
            ));
        }
    }
    fs::create_dir_all(folder).map_err(|error| {
        format!(
            "error: the folder `{}` cannot be made: {}",
            folder.display(),
            files::reason(&error)
        )
    })?;
    for (name, content) in written {
        let path = folder.join(name);
        // Not over a file that has come meanwhile.
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        opened
            .and_then(|mut file| file.write_all(content.as_bytes()))
            .map_err(|error| {
                format!(
                    "error: `{}` cannot be written: {}",
                    path.display(),
                    files::reason(&error)
                )
            })?;
    }
    let names: Vec<&str> = written.iter().map(|(name, _)| *name).collect();
    Ok(format!(
        "wrote {} in {}\nnext: `edgekeeper check` there, then docs/runtimes.md says how to run it",
        names.join(", "),
        folder.display()
    ))
}

/// A URL of a service: `http` or `https`, without credentials, query and fragment.
fn service(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| {
        format!("it is not a URL: {error}; write one such as `https://kratos.example.com`")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("write a URL that begins with `https://` or `http://`".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a user or password in it would end up in a file".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("write the URL without a query or fragment".to_owned());
    }
    Ok(url)
}

/// One host, without a wildcard.
fn host(text: &str) -> Result<String, String> {
    let pattern = HostPattern::try_from(text.to_owned())?;
    if pattern.is_wildcard() {
        return Err(
            "write one host, such as `app.example.com`; more of them go into `hosts` of edge.yml"
                .to_owned(),
        );
    }
    Ok(text.to_ascii_lowercase())
}
