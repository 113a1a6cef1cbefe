//! What Kratos said of a session, sealed, in the hands of the browser whose session it is.

use edgekeeper_token::seal::{NONCE_LENGTH, Sealer};

use crate::key::CacheKey;
use crate::record::{self, Record, RecordError};

/// The name of the cookie. Over https it has [`HOST_PREFIX`] in front, so that no other host can set it (RFC 6265bis).
const NAME: &str = "edgekeeper_session";

/// Browsers take a cookie of such a name only with `Secure`, `Path=/` and without `Domain`.
const HOST_PREFIX: &str = "__Host-";

/// The longest value that is given to a browser, in bytes: with its name and attributes it has to stay below 4,096, the
/// least that all browsers keep (RFC 6265 section 6.1).
pub const LARGEST: usize = 3_800;

/// What a cookie is good for: one question about one credential, on one host. It opens for nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose(String);

impl Purpose {
    /// `question` is the question's own key, in which its credential is, too; `authority` the host, with its port if that is not
    /// the scheme's.
    #[must_use]
    pub fn new(question: &CacheKey, authority: &str) -> Self {
        // No entry of a store has such a name, so neither can stand in the other's place.
        Self(format!("cookie/{}/{authority}", question.to_hex()))
    }
}

/// The value of the cookie until an instant (Unix seconds); `None` when a browser would not keep it. A nonce must never be used
/// twice.
///
/// # Errors
/// As [`Record::seal`].
pub fn seal(
    record: &Record,
    sealer: &Sealer,
    purpose: &Purpose,
    until: u64,
    nonce: [u8; NONCE_LENGTH],
) -> Result<Option<String>, RecordError> {
    let entry = record.seal(sealer, &purpose.0, until, nonce)?;
    Ok((entry.len() <= LARGEST).then(|| entry.replacen(' ', ".", 1)))
}

/// What a cookie's value holds, with the bytes of the session's text. `None` for whatever is wrong with it: made for another
/// purpose, changed, over at `now` (Unix seconds), too large to be one.
#[must_use]
pub fn open(value: &str, sealer: &Sealer, purpose: &Purpose, now: u64) -> Option<(Record, usize)> {
    if value.len() > LARGEST {
        return None;
    }
    let entry = value.replacen('.', " ", 1);
    if record::end(&entry)? <= now {
        return None;
    }
    Record::open(sealer, &purpose.0, &entry).ok()
}

/// A `Set-Cookie` with a value for so many seconds.
#[must_use]
pub fn set(value: &str, seconds: u64, https: bool) -> String {
    let (prefix, secure) = if https {
        (HOST_PREFIX, "; Secure")
    } else {
        ("", "")
    };
    format!("{prefix}{NAME}={value}; Max-Age={seconds}; Path=/{secure}; HttpOnly; SameSite=Lax")
}

/// A `Set-Cookie` that removes the cookie.
#[must_use]
pub fn clear(https: bool) -> String {
    set("", 0, https)
}

/// A `Cookie` header without the cookies of this name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// What is left of it; it may be empty.
    pub rest: Vec<u8>,
    /// The values that were in it, and whether under the name that https has.
    pub values: Vec<(String, bool)>,
}

/// Takes the cookies out of one `Cookie` header; `None` where it has none. Some runtimes join two headers with a comma, so what is
/// behind one is looked at, too.
#[must_use]
pub fn take(header: &[u8]) -> Option<Taken> {
    let mut taken = Taken::default();
    let mut separator: Option<u8> = None;
    for piece in header.split_inclusive(|byte| is_separator(*byte)) {
        let (cookie, next) = match piece.split_last() {
            Some((last, cookie)) if is_separator(*last) => (cookie, Some(*last)),
            _ => (piece, None),
        };
        if let Some(own) = own(cookie) {
            taken.values.push(own);
            // What was behind a comma in it is no part of the cookie before it.
            separator = Some(b';');
            continue;
        }
        if taken.rest.is_empty() {
            taken.rest.extend(cookie.trim_ascii_start());
        } else {
            taken.rest.extend(separator);
            taken.rest.extend(cookie);
        }
        separator = next;
    }
    (!taken.values.is_empty()).then_some(taken)
}

const fn is_separator(byte: u8) -> bool {
    byte == b';' || byte == b','
}

/// The value of one of these cookies, and whether it is https'.
fn own(cookie: &[u8]) -> Option<(String, bool)> {
    let mut parts = cookie.splitn(2, |byte| *byte == b'=');
    let name = parts.next()?.trim_ascii();
    let value = parts.next().unwrap_or_default().trim_ascii();
    let https = name.strip_prefix(HOST_PREFIX.as_bytes());
    (https.unwrap_or(name) == NAME.as_bytes())
        .then(|| (String::from_utf8_lossy(value).into_owned(), https.is_some()))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::credential::Credential;
    use crate::whoami::ActiveSession;
    use serde_json::json;

    const NOW: u64 = 1_000;
    const UNTIL: u64 = 1_090;

    fn sealer() -> Sealer {
        Sealer::for_sessions(b"0123456789abcdef0123456789abcdef").unwrap()
    }

    fn question(cookie: &str) -> CacheKey {
        let credential = Credential::Cookie(cookie.to_owned());
        CacheKey::new("GET", "http://kratos/whoami", [], &credential)
    }

    fn purpose() -> Purpose {
        Purpose::new(&question("ada"), "app.test")
    }

    fn record(name: &str) -> Record {
        Record {
            session: Rc::new(ActiveSession {
                document: json!({ "active": true, "identity": { "id": name } }),
                expires_at: None,
                cache_for: None,
            }),
            asked: 1_000_000,
            answered: NOW,
        }
    }

    fn sealed() -> String {
        let sealed = seal(&record("ada"), &sealer(), &purpose(), UNTIL, [7; 24]);
        sealed.unwrap().unwrap()
    }

    #[test]
    fn a_browser_brings_back_what_it_was_given() {
        let value = sealed();
        let is_cookie_value = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        assert!(value.bytes().all(is_cookie_value), "{value}");
        for part in ["ada", "active", "identity"] {
            assert!(!value.contains(part), "{part}");
        }
        let opened = open(&value, &sealer(), &purpose(), UNTIL - 1);
        assert_eq!(opened.map(|(record, _)| record), Some(record("ada")));
    }

    #[test]
    fn it_opens_for_nothing_else() {
        let value = sealed();
        let other = Sealer::for_sessions(b"another secret of 32 characters!!").unwrap();
        let keys = Sealer::new(b"0123456789abcdef0123456789abcdef").unwrap();
        let longer = value.replacen("1090", "9999", 1);
        let of_a_store = record("ada")
            .seal(&sealer(), "sessions/0a1b", UNTIL, [7; 24])
            .unwrap()
            .replacen(' ', ".", 1);
        let elsewhere = Purpose::new(&question("ada"), "other.test");
        let another_port = Purpose::new(&question("ada"), "app.test:8443");
        let anothers = Purpose::new(&question("bob"), "app.test");
        let huge = "1".repeat(LARGEST + 1);
        for (what, sealer, purpose, value, now) in [
            ("another secret", &other, &purpose(), value.as_str(), NOW),
            ("the key of signing keys", &keys, &purpose(), &value, NOW),
            ("another host", &sealer(), &elsewhere, &value, NOW),
            ("another port", &sealer(), &another_port, &value, NOW),
            ("another credential", &sealer(), &anothers, &value, NOW),
            ("its end", &sealer(), &purpose(), &value, UNTIL),
            ("another end", &sealer(), &purpose(), &longer, NOW),
            (
                "an entry of a store",
                &sealer(),
                &purpose(),
                &of_a_store,
                NOW,
            ),
            ("nothing", &sealer(), &purpose(), "", NOW),
            ("an end alone", &sealer(), &purpose(), "1090.", NOW),
            ("no end", &sealer(), &purpose(), "abc", NOW),
            (
                "a plain session",
                &sealer(),
                &purpose(),
                r#"1090.{"active":true}"#,
                NOW,
            ),
            ("too much", &sealer(), &purpose(), &huge, NOW),
        ] {
            assert_eq!(open(value, sealer, purpose, now), None, "{what}");
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let value = sealed();
        for at in 0..value.len() {
            let mut changed = value.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(open(&changed, &sealer(), &purpose(), NOW), None, "{at}");
            assert_eq!(open(&value[..at], &sealer(), &purpose(), NOW), None, "{at}");
        }
    }

    #[test]
    fn what_a_browser_would_not_keep_is_not_given_to_it() {
        let seal = |length: usize| {
            seal(
                &record(&"x".repeat(length)),
                &sealer(),
                &purpose(),
                UNTIL,
                [7; 24],
            )
            .unwrap()
        };
        let largest = (0..4_000).rfind(|length| seal(*length).is_some()).unwrap();
        let value = seal(largest).unwrap();
        assert!(value.len() > LARGEST - 4 && value.len() <= LARGEST);
        assert!(set(&value, 4_294_967_295, true).len() < 4_096);
        assert_eq!(seal(largest + 4), None);
    }

    #[test]
    fn a_cookie_is_for_this_host_alone_and_for_no_script() {
        assert_eq!(
            set("v", 90, true),
            "__Host-edgekeeper_session=v; Max-Age=90; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            set("v", 90, false),
            "edgekeeper_session=v; Max-Age=90; Path=/; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            clear(true),
            "__Host-edgekeeper_session=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn it_is_taken_out_of_a_header_and_the_rest_stays() {
        for (header, rest, values) in [
            ("edgekeeper_session=v", "", &[("v", false)][..]),
            ("__Host-edgekeeper_session=v", "", &[("v", true)]),
            (
                "a=1; edgekeeper_session=v; b=2",
                "a=1; b=2",
                &[("v", false)],
            ),
            ("edgekeeper_session=v; b=2", "b=2", &[("v", false)]),
            ("a=1; edgekeeper_session=v", "a=1", &[("v", false)]),
            ("a=1;edgekeeper_session=v;b=2", "a=1;b=2", &[("v", false)]),
            (
                "a=1, edgekeeper_session=v; b=2",
                "a=1; b=2",
                &[("v", false)],
            ),
            ("a=1,2; edgekeeper_session=v", "a=1,2", &[("v", false)]),
            (
                "edgekeeper_session=v; __Host-edgekeeper_session=w; edgekeeper_session=x",
                "",
                &[("v", false), ("w", true), ("x", false)],
            ),
            (
                "a=1; edgekeeper_session=v,w; b=2",
                "a=1;w; b=2",
                &[("v", false)],
            ),
            ("edgekeeper_session=v, b=2", "b=2", &[("v", false)]),
            (" edgekeeper_session\t=  v ", "", &[("v", false)]),
            ("edgekeeper_session", "", &[("", false)]),
            ("edgekeeper_session=a=b", "", &[("a=b", false)]),
        ] {
            let values: Vec<(String, bool)> = values
                .iter()
                .map(|(value, https)| ((*value).to_owned(), *https))
                .collect();
            let rest = rest.as_bytes().to_vec();
            assert_eq!(
                take(header.as_bytes()),
                Some(Taken { rest, values }),
                "{header}"
            );
        }
        for header in [
            "",
            "a=1",
            "edgekeeper_session2=v",
            "my_edgekeeper_session=v",
            "EDGEKEEPER_SESSION=v",
            "a=edgekeeper_session",
            ";;;=;",
        ] {
            assert_eq!(take(header.as_bytes()), None, "{header}");
        }
        let taken = take(b"a=\xff; edgekeeper_session=\xff").unwrap();
        assert_eq!(taken.rest, b"a=\xff");
    }
}
