//! What an answer of whoami means.

use std::rc::Rc;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::freshness::cache_for;
use crate::tokenized;

/// The most that is read of an answer, in bytes. Kratos' own are a few KiB.
pub const LARGEST_ANSWER: usize = 1 << 20;

/// An answer as it came over the wire. A redirect that is not followed is one too.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// Its body; `None` when it was larger than [`LARGEST_ANSWER`].
    pub body: Option<&'a [u8]>,
    /// Whether its status alone can say that there is a session: strict mode, for a service that answers 200 with nothing
    /// more, and for `HEAD`.
    pub bare: bool,
    /// `Ory-Session-Cache-For`.
    pub cache_for: Option<&'a str>,
    /// `Retry-After`.
    pub retry_after: Option<&'a str>,
    /// The template by which Kratos was asked to make a token of the session.
    pub tokenize_as: Option<&'a str>,
    /// Other headers that a rate limit may be explained by, as name and value.
    pub rate_limit: &'a [(&'static str, String)],
}

/// Who is asked about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Kratos: what is not one of its sessions is none.
    Kratos,
    /// Any service: `active` and `identity` may be missing, but where they are, they count.
    Any,
}

/// What whoami said about a credential.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// There is a session.
    Active(Rc<ActiveSession>),
    /// There is none: unknown, expired, revoked, inactive, or not one that counts.
    Refused,
    /// There is one, but Kratos wants a second factor first (`session_aal2_required`).
    AalRequired,
    /// Kratos could not tell.
    Failed(Failure),
}

/// A session that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveSession {
    /// The whole answer, a JSON object; null where the status alone was the answer ([`Answer::bare`]).
    pub document: Value,
    /// When the session ends, in Unix seconds; before that where Kratos' own token in the answer is soon used up.
    pub expires_at: Option<u64>,
    /// For how many seconds Kratos allows the answer to be kept.
    pub cache_for: Option<u64>,
}

/// Why Kratos could not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// What happened, for a log.
    pub reason: String,
    /// When Kratos said to try again, in its own words.
    pub retry_after: Option<String>,
    /// Headers that explain a rate limit.
    pub rate_limit: Vec<(&'static str, String)>,
}

/// The kinds of failure. They decide whether an older answer may still serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// 5xx.
    Server,
    /// 429.
    RateLimited,
    /// No answer in time.
    Timeout,
    /// No connection.
    Unreachable,
    /// An answer that is not Kratos': a redirect, a page, too large. Something else is at that URL.
    Foreign,
}

impl FailureKind {
    /// Whether an older answer may serve meanwhile: only when it is Kratos that fails.
    #[must_use]
    pub fn allows_fallback(self) -> bool {
        self != Self::Foreign
    }
}

impl Failure {
    /// A failure without headers.
    #[must_use]
    pub fn new(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            retry_after: None,
            rate_limit: Vec::new(),
        }
    }
}

impl Verdict {
    /// Reads an answer at an instant (Unix seconds).
    ///
    /// Only a real session counts: 200, a JSON object, `active: true`, an identity, not past its end. Strict mode takes
    /// Kratos for any other store, as Oathkeeper does, and may take 200 without a body for a session of nobody in
    /// particular ([`Answer::bare`]).
    #[must_use]
    pub fn read(answer: &Answer<'_>, store: Store, strict: bool, now: u64) -> Self {
        match answer.status {
            200 => {
                let session = Self::read_session(answer, strict || store == Store::Any, now);
                match answer.tokenize_as {
                    Some(template) => session.with_token(template, now),
                    None => session,
                }
            }
            403 if is_aal_required(answer.body) => Self::AalRequired,
            429 => Self::Failed(Failure {
                kind: FailureKind::RateLimited,
                reason: "whoami answered 429".to_owned(),
                retry_after: answer.retry_after.map(str::to_owned),
                rate_limit: answer.rate_limit.to_vec(),
            }),
            status @ 300..=399 => Self::Failed(Failure::new(
                FailureKind::Foreign,
                format!(
                    "whoami answered {status}; {}, so check_session_url must be Kratos' own",
                    if strict {
                        "only redirects to its own origin are followed"
                    } else {
                        "redirects are not followed"
                    }
                ),
            )),
            status @ 500..=599 => Self::Failed(Failure {
                retry_after: answer.retry_after.map(str::to_owned),
                ..Failure::new(FailureKind::Server, format!("whoami answered {status}"))
            }),
            // Oathkeeper takes whatever else for a refusal. But Kratos does not say that: a wrong path would then look like
            // nobody being signed in, and send everybody to log in for ever.
            status if (!strict || answer.tokenize_as.is_some()) && !matches!(status, 401 | 403) => {
                Self::Failed(Failure::new(
                    FailureKind::Foreign,
                    match answer.tokenize_as {
                        None => format!(
                            "whoami answered {status}; is check_session_url Kratos' whoami?"
                        ),
                        Some(template) => format!(
                            "whoami answered {status}; does Kratos have a template `{template}` in session.whoami.tokenizer?"
                        ),
                    },
                ))
            }
            _ => Self::Refused,
        }
    }

    /// A session counts only with the token that was asked for, and no longer than that one is to be used.
    fn with_token(self, template: &str, now: u64) -> Self {
        let Self::Active(session) = self else {
            return self;
        };
        match tokenized::used_until(&session.document, now) {
            Ok(until) => Self::Active(Rc::new(ActiveSession {
                expires_at: Some(session.expires_at.map_or(until, |end| end.min(until))),
                ..Rc::unwrap_or_clone(session)
            })),
            Err(wrong) => Self::Failed(Failure::new(
                FailureKind::Foreign,
                format!(
                    "whoami's answer {wrong}; is there a template `{template}` in Kratos' session.whoami.tokenizer?"
                ),
            )),
        }
    }

    fn read_session(answer: &Answer<'_>, any_store: bool, now: u64) -> Self {
        let foreign = |reason: &str| Self::Failed(Failure::new(FailureKind::Foreign, reason));
        let Some(body) = answer.body else {
            return foreign("whoami's answer is larger than 1 MiB");
        };
        let cache_for = answer.cache_for.and_then(cache_for);
        if answer.bare && body.is_empty() {
            return Self::Active(Rc::new(ActiveSession {
                document: Value::Null,
                expires_at: None,
                cache_for,
            }));
        }
        let document = match serde_json::from_slice::<Value>(body) {
            Ok(document) if document.is_object() => document,
            _ => {
                return foreign(
                    "whoami answered 200 without a JSON object; is check_session_url Kratos' whoami?",
                );
            }
        };
        let active = match document.get("active") {
            Some(active) => active == &Value::Bool(true),
            None => any_store,
        };
        let identified = match document.get("identity") {
            Some(identity) => identity
                .get("id")
                .and_then(Value::as_str)
                .is_some_and(|id| !id.is_empty()),
            None => any_store,
        };
        let expires_at = match document.get("expires_at") {
            None | Some(Value::Null) => None,
            Some(time) => match time.as_str().and_then(unix_seconds) {
                Some(seconds) => Some(seconds),
                // An end that cannot be read may have passed.
                None => return Self::Refused,
            },
        };
        if !active || !identified || expires_at.is_some_and(|end| end <= now) {
            return Self::Refused;
        }
        Self::Active(Rc::new(ActiveSession {
            document,
            expires_at,
            cache_for,
        }))
    }
}

fn is_aal_required(body: Option<&[u8]>) -> bool {
    body.and_then(|body| serde_json::from_slice::<Value>(body).ok())
        .and_then(|answer| {
            answer
                .get("error")?
                .get("id")?
                .as_str()
                .map(|id| id == "session_aal2_required")
        })
        .unwrap_or(false)
}

fn unix_seconds(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn answer(status: u16, body: &str) -> Answer<'_> {
        Answer {
            status,
            body: Some(body.as_bytes()),
            bare: false,
            cache_for: None,
            retry_after: None,
            tokenize_as: None,
            rate_limit: &[],
        }
    }

    fn failed(verdict: &Verdict) -> Option<FailureKind> {
        match verdict {
            Verdict::Failed(failure) => Some(failure.kind),
            _ => None,
        }
    }

    #[test]
    fn only_a_real_session_counts() {
        let ok = r#"{"active":true,"identity":{"id":"i"},"expires_at":"2100-01-01T00:00:00Z"}"#;
        let Verdict::Active(session) = Verdict::read(&answer(200, ok), Store::Kratos, false, NOW)
        else {
            panic!("a real session must count");
        };
        assert_eq!(session.expires_at, Some(4_102_444_800));
        for (why, body) in [
            ("inactive", r#"{"active":false,"identity":{"id":"i"}}"#),
            (
                "active is no boolean",
                r#"{"active":"true","identity":{"id":"i"}}"#,
            ),
            ("active is missing", r#"{"identity":{"id":"i"}}"#),
            ("no identity", r#"{"active":true}"#),
            ("identity is null", r#"{"active":true,"identity":null}"#),
            ("identity without id", r#"{"active":true,"identity":{}}"#),
            (
                "identity with empty id",
                r#"{"active":true,"identity":{"id":""}}"#,
            ),
            (
                "expired",
                r#"{"active":true,"identity":{"id":"i"},"expires_at":"2001-01-01T00:00:00Z"}"#,
            ),
            (
                "expires now",
                r#"{"active":true,"identity":{"id":"i"},"expires_at":"2023-11-14T22:13:20Z"}"#,
            ),
            (
                "unreadable end",
                r#"{"active":true,"identity":{"id":"i"},"expires_at":"soon"}"#,
            ),
            (
                "end is a number",
                r#"{"active":true,"identity":{"id":"i"},"expires_at":1}"#,
            ),
        ] {
            assert_eq!(
                Verdict::read(&answer(200, body), Store::Kratos, false, NOW),
                Verdict::Refused,
                "{why}"
            );
        }
    }

    #[test]
    fn strict_mode_knows_other_session_stores_but_not_inactive_sessions() {
        let other = r#"{"subject":"bob"}"#;
        assert!(matches!(
            Verdict::read(&answer(200, other), Store::Kratos, true, NOW),
            Verdict::Active(_)
        ));
        let inactive = r#"{"subject":"bob","active":false}"#;
        assert_eq!(
            Verdict::read(&answer(200, inactive), Store::Kratos, true, NOW),
            Verdict::Refused
        );
        let expired = r#"{"subject":"bob","expires_at":"2001-01-01T00:00:00Z"}"#;
        assert_eq!(
            Verdict::read(&answer(200, expired), Store::Kratos, true, NOW),
            Verdict::Refused
        );
    }

    #[test]
    fn another_store_has_other_sessions_but_no_inactive_ones() {
        let read = |body: &str| Verdict::read(&answer(200, body), Store::Any, false, NOW);
        for body in [
            r#"{"sub":"bob"}"#,
            r#"{"sub":"bob","active":true}"#,
            r#"{"sub":"bob","expires_at":"2100-01-01T00:00:00Z"}"#,
            "{}",
        ] {
            assert!(matches!(read(body), Verdict::Active(_)), "{body}");
        }
        for body in [
            r#"{"sub":"bob","active":false}"#,
            r#"{"sub":"bob","active":"yes"}"#,
            r#"{"sub":"bob","identity":null}"#,
            r#"{"sub":"bob","expires_at":"2001-01-01T00:00:00Z"}"#,
        ] {
            assert_eq!(read(body), Verdict::Refused, "{body}");
        }
        for body in ["", "null", "[]", "<html>"] {
            assert_eq!(failed(&read(body)), Some(FailureKind::Foreign), "{body}");
        }
    }

    #[test]
    fn what_is_not_kratos_is_a_failure_in_both_modes_and_never_a_session() {
        for strict in [false, true] {
            for (why, status, body) in [
                ("a page", 200, "<html>login</html>"),
                ("nothing", 200, ""),
                ("a list", 200, "[]"),
                ("null", 200, "null"),
                ("cut short", 200, r#"{"active":true,"#),
                ("a redirect", 302, ""),
                ("a permanent redirect", 308, ""),
            ] {
                let verdict = Verdict::read(&answer(status, body), Store::Kratos, strict, NOW);
                assert_eq!(failed(&verdict), Some(FailureKind::Foreign), "{why}");
            }
            let large = Answer {
                body: None,
                ..answer(200, "")
            };
            assert_eq!(
                failed(&Verdict::read(&large, Store::Kratos, strict, NOW)),
                Some(FailureKind::Foreign)
            );
        }
        assert!(!FailureKind::Foreign.allows_fallback());
    }

    #[test]
    fn nothing_is_a_session_only_where_the_status_alone_counts() {
        let bare = |status, body| {
            let answer = Answer {
                bare: true,
                ..answer(status, body)
            };
            Verdict::read(&answer, Store::Kratos, true, NOW)
        };
        let Verdict::Active(session) = bare(200, "") else {
            panic!("200 is all that such a check says");
        };
        assert_eq!(
            (&session.document, session.expires_at),
            (&Value::Null, None)
        );
        for body in [" ", "null", "ok", "[]", "<html>"] {
            let verdict = bare(200, body);
            assert_eq!(failed(&verdict), Some(FailureKind::Foreign), "{body}");
        }
        for status in [201, 204, 401, 403, 404] {
            assert_eq!(bare(status, ""), Verdict::Refused, "{status}");
        }
        assert_eq!(failed(&bare(302, "")), Some(FailureKind::Foreign));
        assert_eq!(
            bare(200, r#"{"active":false}"#),
            Verdict::Refused,
            "what it says counts"
        );
    }

    #[test]
    fn deep_json_is_refused_and_does_not_overflow() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let body = format!(r#"{{"active":true,"identity":{{"id":"i"}},"x":{deep}}}"#);
        let verdict = Verdict::read(&answer(200, &body), Store::Kratos, false, NOW);
        assert_eq!(failed(&verdict), Some(FailureKind::Foreign));
    }

    #[test]
    fn statuses_mean_what_kratos_means() {
        let aal2 = r#"{"error":{"id":"session_aal2_required","code":403}}"#;
        assert_eq!(
            Verdict::read(&answer(403, aal2), Store::Kratos, false, NOW),
            Verdict::AalRequired
        );
        assert_eq!(
            Verdict::read(&answer(403, "{}"), Store::Kratos, false, NOW),
            Verdict::Refused
        );
        for strict in [false, true] {
            assert_eq!(
                Verdict::read(&answer(401, "{}"), Store::Kratos, strict, NOW),
                Verdict::Refused
            );
        }
        for status in [201, 204, 400, 404, 418] {
            let verdict = Verdict::read(&answer(status, "{}"), Store::Kratos, false, NOW);
            assert_eq!(failed(&verdict), Some(FailureKind::Foreign), "{status}");
            let strict = Verdict::read(&answer(status, "{}"), Store::Kratos, true, NOW);
            assert_eq!(strict, Verdict::Refused, "{status}");
        }
        for status in [500, 502, 503, 504] {
            let verdict = Verdict::read(&answer(status, "{}"), Store::Kratos, false, NOW);
            assert_eq!(failed(&verdict), Some(FailureKind::Server), "{status}");
        }
        let limited = Answer {
            retry_after: Some("17"),
            ..answer(429, "{}")
        };
        let Verdict::Failed(failure) = Verdict::read(&limited, Store::Kratos, false, NOW) else {
            panic!("429 is a failure");
        };
        assert_eq!(failure.kind, FailureKind::RateLimited);
        assert_eq!(failure.retry_after.as_deref(), Some("17"));
    }

    #[test]
    fn an_offset_in_expires_at_is_read() {
        assert_eq!(unix_seconds("2023-11-15T00:13:20+02:00"), Some(NOW));
        assert_eq!(unix_seconds("2023-11-14T22:13:20.999999Z"), Some(NOW));
    }
}
