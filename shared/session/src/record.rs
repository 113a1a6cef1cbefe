//! What instances tell each other of a session, through a store that others may read and write.

use std::fmt;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgekeeper_policy::session::Session as Settings;
use edgekeeper_token::seal::{NONCE_LENGTH, Sealer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::freshness::Freshness;
use crate::whoami::{ActiveSession, Verdict};

/// A session as an instance learned it from Kratos.
///
/// In the store it is sealed, since it is about a person, and bound to its name and its end, since whoever can write to
/// the store must not be able to make somebody else of a credential. Only sessions are shared, never refusals: anybody
/// can invent credentials, and would fill the store with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The session.
    pub session: Rc<ActiveSession>,
    /// When Kratos was asked, in Unix milliseconds.
    pub asked: u64,
    /// When Kratos answered, in Unix seconds.
    pub answered: u64,
}

/// The sealed part.
#[derive(Serialize, Deserialize)]
struct Inside<'a> {
    asked: u64,
    answered: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_for: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    #[serde(borrow)]
    session: std::borrow::Cow<'a, str>,
}

impl Record {
    /// How long it is believed under these settings, not those of the instance that wrote it.
    #[must_use]
    pub fn freshness(&self, settings: &Settings) -> Freshness {
        let session = &self.session;
        Freshness::of_session(
            settings,
            session.cache_for,
            session.expires_at,
            self.answered,
        )
    }

    /// What it says.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::Active(Rc::clone(&self.session))
    }

    /// The entry to store under `name` until an instant (Unix seconds). A nonce must never be used twice.
    ///
    /// # Errors
    /// If the session has no JSON form or is too large for the cipher, which does not happen.
    pub fn seal(
        &self,
        sealer: &Sealer,
        name: &str,
        until: u64,
        nonce: [u8; NONCE_LENGTH],
    ) -> Result<String, RecordError> {
        let inside = Inside {
            asked: self.asked,
            answered: self.answered,
            cache_for: self.session.cache_for,
            expires_at: self.session.expires_at,
            session: self.session.document.to_string().into(),
        };
        let plain = serde_json::to_vec(&inside).map_err(|_| RecordError)?;
        let sealed = sealer
            .seal(&bound_to(name, until), nonce, &plain)
            .map_err(|_| RecordError)?;
        Ok(format!("{until} {}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Reads an entry that [`Self::seal`] made for the same name; gives the bytes of the session's text as well.
    ///
    /// # Errors
    /// One for everything that can be wrong with it: sealed under another secret, of another name, damaged.
    pub fn open(sealer: &Sealer, name: &str, entry: &str) -> Result<(Self, usize), RecordError> {
        let (until, sealed) = entry.split_once(' ').ok_or(RecordError)?;
        let until: u64 = until.parse().map_err(|_| RecordError)?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| RecordError)?;
        let plain = sealer
            .open(&bound_to(name, until), &sealed)
            .map_err(|_| RecordError)?;
        let inside: Inside<'_> = serde_json::from_slice(&plain).map_err(|_| RecordError)?;
        let document: Value = serde_json::from_str(&inside.session).map_err(|_| RecordError)?;
        let session = Rc::new(ActiveSession {
            document,
            expires_at: inside.expires_at,
            cache_for: inside.cache_for,
        });
        let record = Self {
            session,
            asked: inside.asked,
            answered: inside.answered,
        };
        Ok((record, inside.session.len()))
    }
}

/// The instant (Unix seconds) until which an entry of any kind counts; `None` for what is no entry.
#[must_use]
pub fn end(entry: &str) -> Option<u64> {
    entry.split(' ').next()?.parse().ok()
}

fn bound_to(name: &str, until: u64) -> Vec<u8> {
    format!("{until} {name}").into_bytes()
}

/// An entry of the store is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordError;

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session in the store does not open: it is damaged, or sealed under another KEYS_SECRET")
    }
}

impl std::error::Error for RecordError {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NAME: &str = "sessions/0a1b";
    const UNTIL: u64 = 2_000;

    fn sealer() -> Sealer {
        Sealer::for_sessions(b"0123456789abcdef0123456789abcdef").unwrap()
    }

    fn record() -> Record {
        Record {
            session: Rc::new(ActiveSession {
                document: json!({"active": true, "identity": {"id": "ada", "traits": {"email": "ada@example.com"}}}),
                expires_at: Some(1_900),
                cache_for: Some(30),
            }),
            asked: 1_000_123,
            answered: 1_001,
        }
    }

    fn sealed() -> String {
        record().seal(&sealer(), NAME, UNTIL, [7; 24]).unwrap()
    }

    #[test]
    fn what_is_opened_is_what_was_sealed() {
        let (opened, size) = Record::open(&sealer(), NAME, &sealed()).unwrap();
        assert_eq!(opened, record());
        assert_eq!(size, record().session.document.to_string().len());
        assert_eq!(end(&sealed()), Some(UNTIL));
    }

    #[test]
    fn nobody_reads_a_person_in_the_store() {
        let entry = sealed();
        assert!(entry.bytes().all(|byte| (b' '..0x7f).contains(&byte)));
        for part in ["ada", "example", "identity"] {
            assert!(!entry.contains(part), "{part}");
        }
    }

    #[test]
    fn nobody_makes_a_session_of_another_entry() {
        let entry = sealed();
        let moved_on = entry.replacen("2000", "9999", 1);
        let other = Sealer::for_sessions(b"another secret of 32 characters!!").unwrap();
        let keys = Sealer::new(b"0123456789abcdef0123456789abcdef").unwrap();
        let mut damaged = entry.clone();
        damaged.pop();
        for (what, sealer, name, entry) in [
            ("another name", sealer(), "sessions/0a1c", entry.as_str()),
            ("another end", sealer(), NAME, &moved_on),
            ("another secret", other, NAME, &entry),
            ("the key of signing keys", keys, NAME, &entry),
            ("damage", sealer(), NAME, &damaged),
            ("nothing", sealer(), NAME, ""),
            ("no end", sealer(), NAME, "abc"),
            ("an end alone", sealer(), NAME, "2000 "),
            ("a plain session", sealer(), NAME, r#"2000 {"active":true}"#),
        ] {
            assert_eq!(
                Record::open(&sealer, name, entry).map(|_| ()),
                Err(RecordError),
                "{what}"
            );
        }
    }

    #[test]
    fn it_is_believed_by_the_settings_of_whoever_reads_it() {
        let settings = Settings {
            ttl: 10,
            stale_while_revalidate: 0,
            stale_if_error: 5,
            ..Settings::default()
        };
        let freshness = record().freshness(&settings);
        assert_eq!(freshness.fresh_until, 1_011);
        assert_eq!(freshness.fallback_until, 1_016);
    }

    #[test]
    fn what_is_no_entry_has_no_end() {
        for entry in ["", " ", "x", "-1 a", "1.5 a"] {
            assert_eq!(end(entry), None, "{entry:?}");
        }
    }
}
