//! `edgekeeper keys retire`: a key that is to go before its time.

use std::path::PathBuf;

use clap::Args;
use edgekeeper_token::entry::KeyEntry;
use edgekeeper_token::retire::{Haste, RetireError, Successor, retire};
use edgekeeper_token::rotation::Rotation;
use edgekeeper_token::seal::NONCE_LENGTH;
use edgekeeper_token::succession::Succession;

use super::store::{self, Place, Stored};
use crate::files;
use crate::time::{self, utc};

/// For how many seconds the file may wait until it is put into the store.
const TIME_TO_PUT: u64 = 600;

/// Put a new key in the place of one, before its time
///
/// The old key signs until every verifier can know the new one, and stays published until its tokens have expired. With
/// `--now`, for a key that leaked, it does neither: its tokens are void. The secret is `KEYS_SECRET`, as for `keys new`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper keys retire --policy policy.json --state state -- KID          in its own time
  edgekeeper keys retire --policy policy.json --from entries.json --out keys.json --now -- KID")]
pub(crate) struct Retire {
    /// The id of the key, as `keys list` shows it; after `--` if it begins with a dash
    kid: String,

    /// Stop signing with it and take it out of the JWKS within a minute
    #[arg(long)]
    now: bool,

    /// The policy document, for algorithm, rotation and the life of tokens
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,

    #[command(flatten)]
    place: Place,

    /// With `--from`: where to write the file for `wrangler kv bulk put`; readable by you alone
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "state",
        conflicts_with = "state"
    )]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Retire) -> Result<(), String> {
    let Retire { kid, place, .. } = arguments;
    let policy = super::policy(&arguments.policy)?;
    let rotation = super::rotation_of(&policy)?;
    let algorithm = super::algorithm_of(&policy)?;
    let sealer = super::sealer()?;
    let now = time::now()?;
    let stored = place.read()?;
    let haste = if arguments.now {
        Haste::Now
    } else {
        Haste::None
    };
    let created = match (haste, &place.state) {
        (Haste::None, None) => now.saturating_add(TIME_TO_PUT),
        _ => now,
    };
    let key = super::generate(algorithm)?;
    let mut nonces = [[0; NONCE_LENGTH]; 2];
    for nonce in &mut nonces {
        super::random(nonce)?;
    }
    let successor = Successor {
        key: &key,
        created,
        nonces,
    };
    let entry = retire(rotation, &stored.keys, &sealer, kid, haste, &successor, now)
        .map_err(|error| refusal(arguments, &stored, &error))?;
    let (name, failed) = (entry.name(), |error| format!("error: {error}"));
    let value = entry.to_json().map_err(failed)?;
    let told = told(rotation, &stored.keys, &entry, arguments, now);
    if let Some(folder) = &place.state {
        store::write(folder, &name, &value)?;
        println!("{}: {told}", place.shown());
    } else if let Some(out) = &arguments.out {
        let file = serde_json::json!([{ "key": name, "value": value }]).to_string();
        files::write(out, file.as_bytes(), 0o600)?;
        println!("{}: {told}", out.display());
        super::tell_upload(
            out,
            &match haste {
                Haste::Now => {
                    "It counts from when it is in the store. Put it there now:".to_owned()
                }
                Haste::None => format!("Put it into the store before {}:", utc(created)),
            },
        );
    }
    Ok(())
}

/// What becomes of the keys.
fn told(
    rotation: Rotation,
    before: &[KeyEntry],
    entry: &KeyEntry,
    arguments: &Retire,
    now: u64,
) -> String {
    let kid = &arguments.kid;
    let others = before.iter().filter(|other| other.name() != entry.name());
    let after: Vec<KeyEntry> = others.chain([entry]).cloned().collect();
    let succession = Succession::of(rotation, &after);
    let new = entry.public();
    let mut text = format!("{}, {} key {}", entry.name(), new.algorithm(), new.kid());
    if arguments.now {
        text.push_str(&format!(
            "\n{kid} neither signs nor is published within a minute; verifiers that keep the JWKS take its tokens for {} s more",
            rotation.jwks_max_age()
        ));
        if let Some(signing) = succession.signing(now) {
            text.push_str(&format!("\n{} signs", signing.key.kid()));
        }
        return text;
    }
    for (place, end) in succession.places().iter().zip(succession.ends()) {
        if place.key.kid() == new.kid() {
            let from = succession.signs_from(place);
            text.push_str(&format!(" signs from {}", utc(from)));
        } else if place.key.kid() == kid.as_str()
            && let Some(end) = end
        {
            let gone = rotation.gone_after(end);
            text.push_str(&format!("; {kid} is published until {}", utc(gone)));
        }
    }
    text
}

fn refusal(arguments: &Retire, stored: &Stored, error: &RetireError) -> String {
    let (kid, shown) = (&arguments.kid, arguments.place.shown());
    let help = match error {
        RetireError::Unknown if !stored.imported.is_empty() => {
            "`edgekeeper keys list` shows the keys that are there; an imported one goes when its file is imported without it"
        }
        RetireError::Unknown => "`edgekeeper keys list` shows the keys that are there",
        RetireError::OtherRotation { .. } => {
            "delete the entry, or give the policy that is deployed"
        }
        RetireError::NothingToDo(state) if state.is_public() => {
            "`--now` takes it out of the JWKS at once; its tokens are void then"
        }
        RetireError::NothingToDo(_) => "there is nothing to do",
        RetireError::TooMany => "wait until one has, or retire one of them with `--now`",
        RetireError::Entry(_) => "nothing was written",
    };
    format!("error: `{shown}`, {kid}: {error}\n  help: {help}")
}
