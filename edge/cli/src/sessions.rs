//! `edgekeeper sessions`: what gateways remember of sessions.

use std::env;

use clap::{Args, Subcommand};
use edgekeeper_session::revocation::message::{LONGEST, sign};
use edgekeeper_token::hs256::SHORTEST_SECRET;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::{keys, time};

/// The environment variable with the secret that signs revocations.
const SECRET: &str = "REVOCATION_SECRET";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Revoke(Revoke),
}

/// Print the signed message that makes gateways forget sessions, the body of `POST /.edge/sessions/revoke`
///
/// The secret is read from the environment variable `REVOCATION_SECRET` and must be the one that `session.revocation_secret`
/// of `edge.yml` names at the gateway. Who is signed in remains Kratos' to say: end the session there first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper sessions revoke --identity ID | curl --json @- https://app.example.com/.edge/sessions/revoke
  edgekeeper sessions revoke --session ID --expires-in 1h > revocation.json")]
pub(crate) struct Revoke {
    #[command(flatten)]
    subject: Subject,

    /// For how long the message may be sent: a whole number and `s`, `m` or `h`; 24h at most
    #[arg(long, value_name = "DURATION", value_parser = seconds, default_value = "5m")]
    expires_in: u64,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Subject {
    /// All sessions of an identity, by Kratos' id of it
    #[arg(long, value_name = "ID", value_parser = id)]
    identity: Option<String>,

    /// One session, by Kratos' id of it
    #[arg(long, value_name = "ID", value_parser = id)]
    session: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// What to print before it fails.
pub(crate) fn run(command: &Command) -> Result<(), String> {
    match command {
        Command::Revoke(arguments) => revoke(arguments),
    }
}

fn revoke(arguments: &Revoke) -> Result<(), String> {
    let secret = env::var(SECRET).map(Zeroizing::new).map_err(|_| {
        format!(
            "error: {SECRET} is not set\n  help: it is the secret that `session.revocation_secret` of edge.yml names; `openssl rand -base64 32` makes one"
        )
    })?;
    let now = time::now()?;
    let mut id = [0; 16];
    keys::random(&mut id)?;
    let mut claims = Map::new();
    for (name, id) in [
        ("sub", &arguments.subject.identity),
        ("sid", &arguments.subject.session),
    ] {
        if let Some(id) = id {
            claims.insert(name.to_owned(), Value::from(id.as_str()));
        }
    }
    claims.insert("iat".to_owned(), now.into());
    claims.insert(
        "exp".to_owned(),
        now.saturating_add(arguments.expires_in).into(),
    );
    claims.insert(
        "jti".to_owned(),
        format!("{:032x}", u128::from_be_bytes(id)).into(),
    );
    let token = sign(&claims, secret.as_bytes()).ok_or_else(|| {
        format!(
            "error: {SECRET} has {} bytes, too few: it must have {SHORTEST_SECRET} at least\n  help: `openssl rand -base64 32` makes one",
            secret.len()
        )
    })?;
    println!("{}", json!({ "token": token }));
    Ok(())
}

fn id(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 256 {
        return Err("write an id of 1 to 256 bytes".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads for how long a message may be sent, such as `5m`, in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let refused = || {
        "write one whole number above 0 and one of the units `s`, `m` and `h`, such as `5m`; at most `24h`"
            .to_owned()
    };
    let (digits, unit) = [("s", 1), ("m", 60), ("h", 3_600)]
        .into_iter()
        .find_map(|(unit, length)| Some((text.strip_suffix(unit)?, length)))
        .ok_or_else(refused)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|seconds| (1..=LONGEST).contains(seconds))
        .ok_or_else(refused)
}
