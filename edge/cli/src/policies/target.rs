//! Where a policy is put in force: at a running gateway, or in the store that gateways read.

use std::path::PathBuf;

use clap::Args;
use edgekeeper_gateway::policies::Version;

use super::endpoint::Endpoint;
use super::entries::Entries;
use super::failure::Failure;
use super::folder::Folder;
use super::state::{Named, State};
use super::wrangler::Wrangler;

/// How to get there.
#[derive(Debug, Args)]
pub(super) struct Place {
    #[command(flatten)]
    kind: Kind,

    /// With `--kv`: the binding of the gateway's namespace in wrangler.toml
    #[arg(long, value_name = "NAME", default_value = "KEYS", conflicts_with_all = ["to", "state"])]
    binding: String,

    /// With `--kv`: the store of `wrangler dev` on this machine
    #[arg(long, conflicts_with_all = ["to", "state"])]
    local: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Kind {
    /// A running gateway, by its origin, such as https://app.example.com; signed with `OPERATOR_SECRET`
    #[arg(long, value_name = "URL")]
    to: Option<String>,

    /// The folder that wasmtime opens for the gateway (`--dir FOLDER::…`); sealed with `KEYS_SECRET`
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,

    /// Workers KV, by `npx wrangler`; sealed with `KEYS_SECRET`
    #[arg(long)]
    kv: bool,
}

/// A place that answers.
pub(super) enum Target {
    Gateway(Endpoint),
    Store(Entries),
}

impl Target {
    /// # Errors
    /// Where the place is none, or the secret for it is not there.
    pub(super) fn open(place: &Place) -> Result<Self, Failure> {
        match (&place.kind.to, &place.kind.state) {
            (Some(url), _) => Endpoint::new(url).map(Self::Gateway),
            (None, Some(folder)) => {
                let folder = Folder::open(folder)?;
                Entries::new(Box::new(folder)).map(Self::Store)
            }
            (None, None) => {
                let wrangler = Wrangler::new(&place.binding, place.local);
                Entries::new(Box::new(wrangler)).map(Self::Store)
            }
        }
    }

    /// Where it is, for people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Gateway(endpoint) => endpoint.origin().to_owned(),
            Self::Store(entries) => entries.shown(),
        }
    }

    /// Which policy is in force.
    pub(super) fn look(&self) -> Result<State, String> {
        match self {
            Self::Gateway(endpoint) => endpoint.look(),
            Self::Store(entries) => entries.look(),
        }
    }

    /// A document that was there before; `None` for the deployed one where only the gateway has it.
    pub(super) fn document(&self, named: &Named) -> Result<Option<String>, String> {
        let document = match (self, named) {
            (Self::Gateway(endpoint), named) => endpoint.document(named)?,
            (Self::Store(_), Named::Deployed) => return Ok(None),
            (Self::Store(entries), Named::Version(version)) => entries.document(version)?,
        };
        if let Named::Version(version) = named
            && Version::of(&document).short() != version
        {
            return Err(format!(
                "error: what is stored as policy {version} is another document; push that policy anew"
            ));
        }
        Ok(Some(document))
    }

    /// Puts a document in force after the change that was looked at.
    ///
    /// # Errors
    /// Says why not, or why it is not known.
    pub(super) fn put(&self, before: &State, document: &str) -> Result<(), String> {
        match self {
            Self::Gateway(endpoint) => endpoint.put(before.in_force.number, document),
            Self::Store(entries) => entries.put(before.in_force.number, Some(document)),
        }
    }

    /// Puts a document in force that was there before.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub(super) fn back_to(&self, before: &State, named: &Named) -> Result<(), String> {
        let number = before.in_force.number;
        match (self, named) {
            (Self::Gateway(endpoint), named) => endpoint.back_to(number, named),
            (Self::Store(entries), Named::Deployed) => entries.put(number, None),
            (Self::Store(entries), Named::Version(version)) => {
                let document = entries.document(version)?;
                entries.put(number, Some(&document))
            }
        }
    }

    /// After which time every instance has it, in words. `refresh` is that of the policy that is pushed.
    pub(super) fn within(&self, refresh: Option<u64>) -> String {
        let refresh = match self {
            Self::Gateway(endpoint) => endpoint.refresh(),
            Self::Store(_) => Some(refresh),
        };
        match (self, refresh) {
            (_, Some(None)) => "`policy.refresh` is `never`, so that no other instance takes it before the next deploy".to_owned(),
            (_, None) => "in force on every instance within the `policy.refresh` of the deployed policy".to_owned(),
            (Self::Gateway(_), Some(Some(seconds))) => format!("in force on every instance within {seconds} s, and as long as the store takes to tell them"),
            (Self::Store(entries), Some(Some(seconds))) => {
                let more = if entries.is_slow() {
                    ", once Workers KV has it everywhere (a minute at most)"
                } else {
                    ""
                };
                format!("in force on every instance within the `policy.refresh` of the deployed policy ({seconds} s in this one){more}")
            }
        }
    }
}
