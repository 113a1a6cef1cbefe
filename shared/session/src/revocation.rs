//! Revocations: marks that end what gateways remember of a session or of a person's sessions.
//!
//! Who is signed in is Kratos' to say. A mark only says that it is to be asked again: what was learned before counts
//! nowhere. Instances share marks through the key-value store. All of a mark is in its name, so that one list of names
//! tells them all.

pub mod message;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::freshness::SKEW;

/// How the name of every mark begins.
pub const PREFIX: &str = "revoked/";

/// Whose sessions a mark is about. It holds a hash of their id: who can list the store learns no ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject {
    kind: Kind,
    hash: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Session,
    Identity,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Identity => "identity",
        }
    }
}

impl Subject {
    /// One session, by Kratos' id of it (`id` of whoami's answer).
    #[must_use]
    pub fn session(id: &str) -> Self {
        Self::new(Kind::Session, id)
    }

    /// All sessions of an identity, by its id (`identity.id` of whoami's answer).
    #[must_use]
    pub fn identity(id: &str) -> Self {
        Self::new(Kind::Identity, id)
    }

    /// All that a mark can name of a session, given whoami's answer.
    pub fn all_of(document: &Value) -> impl Iterator<Item = Self> {
        ids(document).map(|(kind, id)| Self::new(kind, id))
    }

    fn new(kind: Kind, id: &str) -> Self {
        Self {
            kind,
            hash: hash(id.as_bytes()),
        }
    }
}

/// Whether a mark can be about a session, given whoami's answer: one without ids cannot be revoked.
#[must_use]
pub fn can_name(document: &Value) -> bool {
    ids(document).next().is_some()
}

fn ids(document: &Value) -> impl Iterator<Item = (Kind, &str)> {
    let session = document.get("id");
    let identity = document
        .get("identity")
        .and_then(|identity| identity.get("id"));
    [(Kind::Session, session), (Kind::Identity, identity)]
        .into_iter()
        .filter_map(|(kind, id)| Some((kind, id?.as_str()?)))
}

/// The first 16 bytes of SHA-256.
#[must_use]
pub fn hash(bytes: &[u8]) -> u128 {
    let digest = Sha256::digest(bytes);
    digest
        .iter()
        .take(16)
        .fold(0, |hash, byte| (hash << 8) | u128::from(*byte))
}

/// That what was learned of somebody's sessions before an instant counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Whose sessions.
    pub subject: Subject,
    /// When it was written, in Unix milliseconds.
    pub at: u64,
    /// Until when (Unix seconds) anything that was learned before could serve, or the message could be sent again.
    pub until: u64,
    /// The [`hash`] of the message that asked for it, so that the message has its effect once.
    pub message: u128,
}

impl Mark {
    /// Its name in the key-value store.
    #[must_use]
    pub fn name(&self) -> String {
        let Self {
            subject: Subject { kind, hash },
            at,
            until,
            message,
        } = self;
        let kind = kind.name();
        format!("{PREFIX}{until}-{at}-{kind}-{hash:032x}-{message:032x}")
    }

    /// Reads a name; `None` for what is no mark.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.split('-');
        let until = number(parts.next()?)?;
        let at = number(parts.next()?)?;
        let kind = match parts.next()? {
            "session" => Kind::Session,
            "identity" => Kind::Identity,
            _ => return None,
        };
        let hash = hexadecimal(parts.next()?)?;
        let message = hexadecimal(parts.next()?)?;
        let mark = Self {
            subject: Subject { kind, hash },
            at,
            until,
            message,
        };
        parts.next().is_none().then_some(mark)
    }

    /// Whether nobody needs it any more at an instant (Unix seconds), also by a clock that is behind this one.
    #[must_use]
    pub fn has_ended(&self, now: u64) -> bool {
        self.until.saturating_add(SKEW) < now
    }
}

fn number(text: &str) -> Option<u64> {
    (text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn hexadecimal(text: &str) -> Option<u128> {
    let digits = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (digits && text.len() == 32)
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "9f425a8d-7efc-4768-8f23-7647a74fdf13";

    fn mark(subject: Subject) -> Mark {
        Mark {
            subject,
            at: 1_700_000_000_123,
            until: 1_700_000_450,
            message: 0xfeed,
        }
    }

    #[test]
    fn a_name_is_read_as_it_was_written() {
        for subject in [Subject::session(ID), Subject::identity(ID)] {
            assert_eq!(Mark::read(&mark(subject).name()), Some(mark(subject)));
        }
    }

    #[test]
    fn the_form_of_a_name_is_a_promise_to_other_versions() {
        assert_eq!(
            mark(Subject::identity("ada")).name(),
            "revoked/1700000450-1700000000123-identity-fdee430d40bd57deeac186cd9790033d-0000000000000000000000000000feed"
        );
    }

    /// Every store takes it: 512 bytes on Workers KV, 255 as a file's name; lower-case letters, digits and `-` behind
    /// the folder.
    #[test]
    fn a_name_fits_every_store() {
        let largest = Mark {
            subject: Subject::identity(ID),
            at: u64::MAX,
            until: u64::MAX,
            message: u128::MAX,
        };
        let name = largest.name();
        assert!(name.len() <= 200, "{}", name.len());
        let file = name.strip_prefix(PREFIX).unwrap();
        assert!(
            file.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        );
        assert_eq!(Mark::read(&name), Some(largest));
    }

    #[test]
    fn nobody_reads_an_id_in_a_name() {
        let name = mark(Subject::identity(ID)).name();
        assert!(ID.split('-').all(|part| !name.contains(part)), "{name}");
    }

    #[test]
    fn what_is_no_mark_is_none() {
        let good = mark(Subject::session(ID)).name();
        let hex = "0123456789abcdef0123456789abcdef";
        for name in [
            String::new(),
            "revoked/".to_owned(),
            good.replace("revoked/", ""),
            good.replace("revoked/", "sessions/"),
            good.replace("session", "person"),
            good.replace("session", "SESSION"),
            format!("{good}-"),
            format!("{good}-1"),
            format!("{good}0"),
            good[..good.len() - 1].to_owned(),
            format!("revoked/1-2-session-{hex}"),
            format!("revoked/-1-2-session-{hex}-{hex}"),
            format!("revoked/+1-2-session-{hex}-{hex}"),
            format!("revoked/1-0x2-session-{hex}-{hex}"),
            format!("revoked/99999999999999999999-2-session-{hex}-{hex}"),
            format!("revoked/1-2-session-{}-{hex}", hex.to_uppercase()),
            format!("revoked/1-2-session-+{}-{hex}", &hex[1..]),
            format!("revoked/1-2-session-{}é-{hex}", &hex[2..]),
        ] {
            assert_eq!(Mark::read(&name), None, "{name}");
        }
    }

    #[test]
    fn a_session_and_an_identity_of_one_id_are_two() {
        assert_ne!(Subject::session(ID), Subject::identity(ID));
        assert_ne!(Subject::session(ID), Subject::session("another"));
    }

    #[test]
    fn an_answer_is_about_its_session_and_its_identity() {
        let all = |document: Value| Subject::all_of(&document).collect::<Vec<_>>();
        assert_eq!(
            all(json!({"id": "s", "identity": {"id": "i"}})),
            [Subject::session("s"), Subject::identity("i")]
        );
        assert_eq!(
            all(json!({"identity": {"id": "i"}})),
            [Subject::identity("i")]
        );
        assert_eq!(
            all(json!({"id": "s", "identity": "i"})),
            [Subject::session("s")]
        );
        for nothing in [
            json!(null),
            json!({}),
            json!({"id": 7, "identity": {"id": null}}),
        ] {
            assert!(!can_name(&nothing), "{nothing}");
            assert_eq!(all(nothing.clone()), [], "{nothing}");
        }
    }

    #[test]
    fn a_mark_has_ended_when_every_clock_says_so() {
        let mark = mark(Subject::session(ID));
        for (now, ended) in [
            (0, false),
            (mark.until, false),
            (mark.until + SKEW, false),
            (mark.until + SKEW + 1, true),
        ] {
            assert_eq!(mark.has_ended(now), ended, "{now}");
        }
    }
}
