//! The store that gateways read, written as they would write it: the document first, then which one is in force.

use std::env;

use edgekeeper_gateway::policies::{CURRENT, Current, CurrentError, Version};
use edgekeeper_token::seal::{NONCE_LENGTH, Sealer};
use zeroize::Zeroizing;

use super::failure::Failure;
use super::state::State;
use crate::keys::random;
use crate::time;

/// The environment variable with the secret that seals which policy is in force.
const SECRET: &str = "KEYS_SECRET";

/// A store of names and values.
pub(super) trait Store {
    /// Where it is, for people.
    fn shown(&self) -> String;

    /// Whether what is written is seen elsewhere only after a while.
    fn is_slow(&self) -> bool;

    /// # Errors
    /// What to print when it cannot be read.
    fn get(&self, name: &str) -> Result<Option<String>, String>;

    /// # Errors
    /// What to print when it cannot be written.
    fn put(&self, name: &str, value: &str) -> Result<(), String>;

    /// Takes an entry off. One that stays is in nobody's way.
    fn delete(&self, name: &str);
}

/// Policies in a store.
pub(super) struct Entries {
    store: Box<dyn Store>,
    sealer: Sealer,
}

impl Entries {
    /// # Errors
    /// Without the secret.
    pub(super) fn new(store: Box<dyn Store>) -> Result<Self, Failure> {
        let secret = env::var(SECRET).map(Zeroizing::new).map_err(|_| {
            Failure::Arguments(format!(
                "error: {SECRET} is not set\n  help: it is the gateway's own secret of that name, which seals what is in its store; or push to the running gateway, with `--to`"
            ))
        })?;
        let sealer = Sealer::for_policies(secret.as_bytes())
            .map_err(|error| Failure::Arguments(format!("error: {error}")))?;
        Ok(Self { store, sealer })
    }

    pub(super) fn shown(&self) -> String {
        self.store.shown()
    }

    pub(super) fn is_slow(&self) -> bool {
        self.store.is_slow()
    }

    pub(super) fn look(&self) -> Result<State, String> {
        self.current().map(|current| State::of(&current))
    }

    /// # Errors
    /// When it is not there, or the store cannot be read.
    pub(super) fn document(&self, version: &str) -> Result<String, String> {
        let name = format!("policy/{version}");
        self.store.get(&name)?.ok_or_else(|| {
            format!("error: there is no entry `{name}` in {}\n  help: `edgekeeper versions` lists those that can be put in force again", self.shown())
        })
    }

    /// Puts a document in force after change `number`; `None` for the deployed one.
    ///
    /// # Errors
    /// Also where another change was faster.
    pub(super) fn put(&self, number: u64, document: Option<&str>) -> Result<(), String> {
        let version = document.map(Version::of);
        if let (Some(version), Some(document)) = (&version, document) {
            self.store.put(&version.name(), document)?;
        }
        let before = self.current()?;
        if before.in_force.number != number {
            return Err(format!(
                "error: somebody else changed the policy while this was compared with change {number}\n  help: look at the difference anew"
            ));
        }
        // A machine whose clock is behind must not write a change from before the last one.
        let at = time::now()?.max(before.in_force.at);
        let current = before.followed_by(version, at);
        let mut nonce = [0; NONCE_LENGTH];
        random(&mut nonce)?;
        let entry = current
            .seal(&self.sealer, nonce)
            .map_err(|error| format!("error: {error}"))?;
        self.store.put(CURRENT, &entry)?;
        for dropped in current.dropped(&before) {
            self.store.delete(&dropped.name());
        }
        Ok(())
    }

    fn current(&self) -> Result<Current, String> {
        let Some(entry) = self.store.get(CURRENT)? else {
            return Ok(Current::default());
        };
        Current::open(&self.sealer, &entry).map_err(|error| {
            let help = match error {
                CurrentError::Sealed => "give the gateway's KEYS_SECRET; if that one changed since, push with `--to`, which writes the entry anew",
                _ => "push with `--to`, which writes the entry anew, or take it off: the deployed policy is in force then",
            };
            let error = error.to_string();
            let error = error.split("; push").next().unwrap_or_default();
            format!("error: {}: {error}\n  help: {help}", self.shown())
        })
    }
}
