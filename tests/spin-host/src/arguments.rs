//! The command line, as `spin up` documents it.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// Runs a Spin application whose components speak wasi:http 0.3. A stand-in for tests.
#[derive(Debug, Parser)]
#[command(name = "spin-host", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of `spin` that this host has.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the application.
    Up(Box<Up>),
}

/// The options of `spin up` that this host has. Any other is refused by name.
#[derive(Debug, clap::Args)]
pub struct Up {
    /// The manifest, or the folder that holds a spin.toml.
    #[arg(
        short = 'f',
        long = "from",
        visible_alias = "from-file",
        default_value = "spin.toml"
    )]
    pub from: PathBuf,

    /// Host and port to listen on.
    #[arg(long, env = "SPIN_HTTP_LISTEN_ADDR", default_value = "127.0.0.1:3000", value_parser = address)]
    pub listen: SocketAddr,

    /// Stores and variables of this deployment.
    #[arg(long, env = "RUNTIME_CONFIG_FILE")]
    pub runtime_config_file: Option<PathBuf>,

    /// The folder of the default store. Empty: the store is in memory.
    #[arg(long)]
    pub state_dir: Option<String>,

    /// A variable of the application; may be given again. A secret belongs in a file or the environment.
    #[arg(long, value_name = "KEY=VALUE | KEY=@FILE | @FILE.json | @FILE.toml", value_parser = variable)]
    pub variable: Vec<VariableSource>,

    /// An entry to put into the default store; may be given again.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub key_value: Vec<(String, String)>,

    /// An environment variable for every component; may be given again.
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE", value_parser = pair)]
    pub environment: Vec<(String, String)>,

    /// Drop what components print.
    #[arg(short, long, visible_aliases = ["sh", "shush"])]
    pub quiet: bool,

    /// Compile the components anew.
    #[arg(long, env = "DISABLE_WASMTIME_CACHE", value_parser = clap::builder::BoolishValueParser::new(), num_args = 0, default_missing_value = "true", default_value = "false")]
    pub disable_cache: bool,

    /// Requests an instance answers before it is dropped.
    #[arg(long, default_value_t = 128)]
    pub max_instance_reuse_count: usize,

    /// Requests an instance answers at the same time.
    #[arg(long, default_value_t = 16)]
    pub max_instance_concurrent_reuse_count: usize,

    /// How long an idle instance is kept: a number of seconds, or with a suffix `s`, `ms`, `us`, `ns`.
    #[arg(long, default_value = "1s", value_parser = duration)]
    pub idle_instance_timeout: Duration,

    /// How long a request may take until the answer's headers; the default is for ever.
    #[arg(long, value_parser = duration)]
    pub request_timeout: Option<Duration>,

    /// The most memory an instance may have, in bytes. Spin itself sets no limit by default.
    #[arg(long, env = "SPIN_MAX_INSTANCE_MEMORY", default_value_t = 128 * 1024 * 1024)]
    pub max_instance_memory: usize,

    /// Of this host only: hide Host, Transfer-Encoding and the like from components,
    /// as Wasmtime's patch releases since GHSA-jxcf-8qw5-5c33 do and Spin 4.1's 47.0.2 does not.
    #[arg(long)]
    pub hide_forbidden_headers: bool,
}

/// Where values of variables come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableSource {
    /// The value itself.
    Literal(String, String),
    /// The value is the whole content of a file.
    Content(String, PathBuf),
    /// A JSON object of strings.
    Json(PathBuf),
    /// A TOML table of strings.
    Toml(PathBuf),
}

fn variable(text: &str) -> Result<VariableSource, String> {
    if let Some(path) = text.strip_prefix('@') {
        let path = PathBuf::from(path);
        return match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Ok(VariableSource::Json(path)),
            Some("toml") => Ok(VariableSource::Toml(path)),
            _ => Err("a file of variables ends in .json or .toml".to_owned()),
        };
    }
    let (name, value) = pair(text)?;
    Ok(match value.strip_prefix('@') {
        Some(path) => VariableSource::Content(name, path.into()),
        None => VariableSource::Literal(name, value),
    })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Prefers 127.0.0.1 where a name has several addresses, as Spin does.
fn address(text: &str) -> Result<SocketAddr, String> {
    let addresses: Vec<SocketAddr> = text
        .to_socket_addrs()
        .map_err(|error| format!("{error}; write HOST:PORT"))?
        .collect();
    addresses
        .iter()
        .find(|address| address.ip() == Ipv4Addr::LOCALHOST)
        .or(addresses.first())
        .copied()
        .ok_or_else(|| "the host has no address".to_owned())
}

type Unit = fn(u64) -> Duration;

fn duration(text: &str) -> Result<Duration, String> {
    let units: [(&str, Unit); 4] = [
        ("ms", Duration::from_millis),
        ("us", Duration::from_micros),
        ("ns", Duration::from_nanos),
        ("s", Duration::from_secs),
    ];
    let (number, unit) = units
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))
        .unwrap_or((text, Duration::from_secs));
    number
        .parse()
        .map(unit)
        .map_err(|_| "write a number of seconds, or one that ends in s, ms, us or ns".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_units_of_spin() {
        for (text, expected) in [
            ("2", Some(Duration::from_secs(2))),
            ("2s", Some(Duration::from_secs(2))),
            ("2ms", Some(Duration::from_millis(2))),
            ("2us", Some(Duration::from_micros(2))),
            ("2ns", Some(Duration::from_nanos(2))),
            ("2m", None),
            ("", None),
            ("1..2s", None),
        ] {
            assert_eq!(duration(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn variables_come_as_a_value_or_from_files() {
        for (text, expected) in [
            ("a=b", Some(VariableSource::Literal("a".into(), "b".into()))),
            (
                "a=b=c",
                Some(VariableSource::Literal("a".into(), "b=c".into())),
            ),
            (
                "a=@b",
                Some(VariableSource::Content("a".into(), "b".into())),
            ),
            ("@b.json", Some(VariableSource::Json("b.json".into()))),
            ("@b.toml", Some(VariableSource::Toml("b.toml".into()))),
            ("@b.yaml", None),
            ("a", None),
        ] {
            assert_eq!(variable(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn an_unknown_option_is_refused_by_name() {
        let error = Arguments::try_parse_from(["spin-host", "up", "--tls-cert", "x"]).unwrap_err();
        assert!(error.to_string().contains("--tls-cert"));
    }
}
