//! `edgekeeper keys`: the keys that sign tokens.

mod import;
mod list;
mod retire;
mod store;

use std::env;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use edgekeeper_policy::document::Policy;
use edgekeeper_token::algorithm::Algorithm;
use edgekeeper_token::entry::KeyEntry;
use edgekeeper_token::key::SigningKey;
use edgekeeper_token::rotation::Rotation;
use edgekeeper_token::seal::{NONCE_LENGTH, Sealer};
use zeroize::Zeroizing;

use crate::files;
use crate::time;

/// The environment variable with the secret that closes private keys.
const SECRET: &str = "KEYS_SECRET";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(New),
    Import(import::Import),
    List(list::List),
    Retire(retire::Retire),
}

/// Make a signing key for the key-value store, its private half sealed under `KEYS_SECRET`
///
/// The secret is read from the environment and must be the one the gateway has. Make it once with
/// `openssl rand -base64 32`, and give it to the Worker with `npx wrangler secret put KEYS_SECRET`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper keys new --policy policy.json --out keys.json
  edgekeeper keys new --algorithm ES256 --rotation 7d --period next --out keys.json")]
pub(crate) struct New {
    /// The policy document to take algorithm and rotation from (`keys` of `edge.yml`)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// The algorithm: `EdDSA`, or `ES256` for older verifiers [default: the policy's, else EdDSA]
    #[arg(long, value_name = "NAME")]
    algorithm: Option<Algorithm>,

    /// How long a key signs, as `keys.rotation` has it [default: the policy's, else 30d]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    rotation: Option<u64>,

    /// The rotation period it is for
    #[arg(long, value_enum, default_value = "now")]
    period: Period,

    /// Where to write the file for `wrangler kv bulk put`; readable by you alone
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Period {
    /// The one that signs at this moment
    Now,
    /// The one after it
    Next,
}

/// Runs the command.
///
/// # Errors
/// What to print before it fails.
pub(crate) fn run(command: &Command) -> Result<(), String> {
    match command {
        Command::New(arguments) => new(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Retire(arguments) => retire::run(arguments),
    }
}

fn new(arguments: &New) -> Result<(), String> {
    let (algorithm, rotation) = settings(arguments)?;
    let sealer = sealer()?;
    let now = time::now()?;
    let period = match arguments.period {
        Period::Now => rotation.signing_period(now),
        Period::Next => rotation.signing_period(now).saturating_add(1),
    };
    let key = generate(algorithm)?;
    let mut nonce = [0; NONCE_LENGTH];
    random(&mut nonce)?;
    let value = KeyEntry::seal(&sealer, &key, rotation, period, now, nonce)
        .and_then(|entry| Ok((entry.name(), entry.to_json()?)));
    let (name, value) = value.map_err(|error| format!("error: {error}"))?;
    let file = serde_json::json!([{ "key": name, "value": value }]).to_string();
    files::write(&arguments.out, file.as_bytes(), 0o600)?;

    let out = arguments.out.display();
    println!("{out}: {algorithm} key {}, {name}", key.kid());
    tell_upload(
        &arguments.out,
        "Put it into the store, where it must not overwrite another one of that name:",
    );
    Ok(())
}

/// Says how a file gets into the store.
fn tell_upload(out: &Path, first: &str) {
    let out = out.display();
    println!("{first}");
    println!(
        "  npx wrangler kv bulk put {out} --binding KEYS --remote   (--local for `wrangler dev`)"
    );
}

/// What seals under the secret in the environment.
fn sealer() -> Result<Sealer, String> {
    let secret = env::var(SECRET).map(Zeroizing::new).map_err(|_| {
        format!(
            "error: {SECRET} is not set\n  help: {SECRET}=\"$(openssl rand -base64 32)\" makes one; keep it, the gateway needs the same"
        )
    })?;
    Sealer::new(secret.as_bytes()).map_err(|error| format!("error: {error}"))
}

/// Algorithm and rotation: what is given, else what the policy has, else the defaults.
fn settings(arguments: &New) -> Result<(Algorithm, Rotation), String> {
    let policy = arguments.policy.as_deref().map(policy).transpose()?;
    let algorithm = match (&arguments.algorithm, &policy) {
        (Some(algorithm), _) => *algorithm,
        (None, Some(policy)) => algorithm_of(policy)?,
        (None, None) => Algorithm::default(),
    };
    let rotation = match (arguments.rotation, &policy) {
        (None, Some(policy)) => rotation_of(policy)?,
        (length, policy) => {
            let max_ttl = policy.as_ref().map(Policy::longest_token_ttl);
            let length = length.unwrap_or(Rotation::DEFAULT_LENGTH);
            Rotation::new(length, max_ttl.unwrap_or_default())
                .map_err(|error| format!("error: {error}"))?
        }
    };
    Ok((algorithm, rotation))
}

/// Reads a policy document.
fn policy(path: &Path) -> Result<Policy, String> {
    let shown = path.display();
    let text =
        files::read(path).map_err(|reason| format!("error: `{shown}` cannot be read: {reason}"))?;
    Policy::from_json(&text).map_err(|error| format!("{shown}: error: {error}"))
}

fn algorithm_of(policy: &Policy) -> Result<Algorithm, String> {
    let parsed = policy.keys.algorithm.parse();
    parsed.map_err(|error| format!("error: {error}"))
}

/// How often keys change, as the gateway has it.
fn rotation_of(policy: &Policy) -> Result<Rotation, String> {
    let keys = &policy.keys;
    Rotation::configured(keys.development, keys.rotation, policy.longest_token_ttl())
        .map_err(|error| format!("error: {error}"))
}

fn generate(algorithm: Algorithm) -> Result<SigningKey, String> {
    // Not every 32 bytes are a P-256 key; that several draws in a row are none does not happen.
    for _ in 0..8 {
        let mut seed = Zeroizing::new([0; 32]);
        random(seed.as_mut())?;
        if let Ok(key) = SigningKey::generate(algorithm, &seed) {
            return Ok(key);
        }
    }
    Err("error: the operating system's random bytes make no key".to_owned())
}

pub(crate) fn random(bytes: &mut [u8]) -> Result<(), String> {
    getrandom::fill(bytes)
        .map_err(|error| format!("error: the operating system has no random bytes: {error}"))
}

/// Reads a rotation, such as `30d`, in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let refused =
        || "write one whole number and one of the units `h` and `d`, such as `30d`".to_owned();
    let (digits, unit) = match (text.strip_suffix('d'), text.strip_suffix('h')) {
        (Some(digits), _) => (digits, 86_400),
        (None, Some(digits)) => (digits, 3_600),
        (None, None) => return Err(refused()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(refused)
}
