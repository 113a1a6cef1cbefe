//! Kratos: who has a session, and what goes wrong when it is asked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edgekeeper_gateway::runtime::{FetchError, Inbound, Outbound};
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::climate::Climate;
use crate::invariants::{questions, secrets};
use crate::ledger::{Answer, Confirmation, Said};
use crate::world::{Owner, World};

/// The cookie of a session.
pub(crate) const COOKIE: &str = "ory_kratos_session";

/// What is wrong with Kratos, or with what stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    Refuses,
    Status(u16),
    /// 429, with these seconds in `Retry-After`.
    Busy(u64),
    /// Takes so many milliseconds.
    Slow(u64),
    Silent,
    /// The connection breaks within the body.
    HalfABody,
    /// The body ends early, and the connection as it should.
    CutShort,
    TooLarge,
    Page,
    Redirects,
    WrongJson(usize),
    Inactive,
    /// Another person's session, as a cache in between might give.
    Anothers,
    /// Works, fails, works, every so many milliseconds.
    Flaps(u64),
}

/// Answers that are no session, though their status is 200.
const WRONG_JSON: [&str; 8] = [
    "[]",
    "\"yes\"",
    "null",
    "{}",
    r#"{"active":true}"#,
    r#"{"active":true,"identity":{"id":""}}"#,
    r#"{"active":"true","identity":{"id":"person-x"}}"#,
    r#"{"active":true,"identity":{"id":"person-x"},"expires_at":"soon"}"#,
];

/// How a session is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Cookie,
    Token,
}

impl Kind {
    fn names(self, value: &str) -> String {
        match self {
            Self::Cookie => format!("cookie {value}"),
            Self::Token => format!("token {value}"),
        }
    }
}

/// A session as Kratos has it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) person: usize,
    pub(crate) kind: Kind,
    /// The cookie's value, or the token.
    pub(crate) credential: Rc<str>,
    /// When it ends by the clocks, in Unix seconds.
    pub(crate) ends: Option<u64>,
    pub(crate) since: u64,
    pub(crate) revoked: Cell<Option<u64>>,
}

impl Session {
    /// Its credential, by its kind and value.
    pub(crate) fn name(&self) -> String {
        self.kind.names(&self.credential)
    }
}

/// How many people there are.
pub(crate) const PEOPLE: usize = 3;

/// Kratos.
#[derive(Debug)]
pub(crate) struct Kratos {
    sessions: RefCell<Vec<Rc<Session>>>,
    /// Which e-mail address each person has.
    addresses: [Cell<u64>; PEOPLE],
    fault: Cell<Fault>,
    /// When it last was out of order.
    last_trouble: Cell<Option<u64>>,
    cache_for: Option<u64>,
    lifetime: Option<u64>,
}

impl Kratos {
    pub(crate) fn new(climate: &Climate) -> Self {
        Self {
            sessions: RefCell::default(),
            addresses: Default::default(),
            fault: Cell::new(Fault::Nothing),
            last_trouble: Cell::new(None),
            cache_for: climate.cache_for,
            lifetime: climate.lifetime,
        }
    }

    pub(crate) fn set_fault(&self, fault: Fault, now: u64) {
        if self.fault.get() != Fault::Nothing {
            self.last_trouble.set(Some(now));
        }
        self.fault.set(fault);
    }

    /// Whether it was out of order at or after a moment.
    pub(crate) fn was_in_trouble_since(&self, since: u64) -> bool {
        self.fault.get() != Fault::Nothing || self.last_trouble.get().is_some_and(|at| at >= since)
    }

    pub(crate) fn log_in(&self, world: &World, person: usize, kind: Kind) {
        let mut sessions = self.sessions.borrow_mut();
        let number = sessions.len();
        let credential = format!("{}{:016x}{number}", secrets::MARK, world.dice.next());
        sessions.push(Rc::new(Session {
            id: format!("session-{number}"),
            person: person % PEOPLE,
            kind,
            credential: credential.into(),
            ends: self
                .lifetime
                .map(|lifetime| world.shown() / 1_000 + lifetime),
            since: world.now(),
            revoked: Cell::new(None),
        }));
    }

    /// One of all sessions there ever were.
    pub(crate) fn session(&self, index: usize) -> Option<Rc<Session>> {
        let sessions = self.sessions.borrow();
        let index = index.checked_rem(sessions.len())?;
        Some(Rc::clone(&sessions[index]))
    }

    pub(crate) fn revoke(&self, world: &World, session: &Session) {
        let at = session.revoked.get().unwrap_or(world.now());
        session.revoked.set(Some(at));
    }

    /// Ends all sessions of a person.
    pub(crate) fn revoke_all(&self, world: &World, person: usize) {
        for session in self.sessions.borrow().iter() {
            if session.person == person {
                self.revoke(world, session);
            }
        }
    }

    pub(crate) fn change_address(&self, person: usize) {
        let address = &self.addresses[person % PEOPLE];
        address.set(address.get() + 1);
    }

    pub(crate) fn subject(person: usize) -> String {
        format!("person-{person}")
    }

    pub(crate) fn address(&self, person: usize) -> String {
        format!("person-{person}-{}@mail.test", self.addresses[person].get())
    }

    /// Whether a session counts by the clocks.
    pub(crate) fn is_valid(&self, world: &World, session: &Session) -> bool {
        let ended = session.ends.is_some_and(|end| end <= world.shown() / 1_000);
        session.revoked.get().is_none() && !ended
    }

    /// Whether a credential's session has counted since a moment.
    pub(crate) fn knows(&self, world: &World, credential: &str, since: u64) -> bool {
        let found = self.find(credential);
        // By another clock it may have ended already.
        let soon = (world.shown() + world.climate.skew()) / 1_000 + 2;
        found.is_some_and(|session| {
            let lasts = session.ends.is_none_or(|end| end > soon);
            session.since <= since && lasts && self.is_valid(world, &session)
        })
    }

    /// Whether a credential is that of a person.
    pub(crate) fn is_of(&self, credential: &str, person: &str) -> bool {
        let found = self.find(credential);
        found.is_some_and(|session| Self::subject(session.person) == person)
    }

    fn find(&self, credential: &str) -> Option<Rc<Session>> {
        let sessions = self.sessions.borrow();
        let found = sessions.iter().find(|session| session.name() == credential);
        found.cloned()
    }

    /// A gateway's question.
    pub(crate) async fn whoami(
        &self,
        world: &Rc<World>,
        owner: Owner,
        request: Outbound,
    ) -> Result<Inbound, FetchError> {
        let credential = presented(&request.headers).unwrap_or_default();
        let question = questions::asked(world, owner, &request, &credential);
        let fault = match self.fault.get() {
            Fault::Flaps(every) if (world.now() / every.max(1)).is_multiple_of(2) => Fault::Refuses,
            Fault::Flaps(_) => Fault::Nothing,
            fault => fault,
        };
        let takes = match fault {
            Fault::Silent => u64::MAX,
            Fault::Slow(takes) => takes,
            _ => world.dice.pick(&[3, 8, 20, 60]),
        };
        // What is said is what was so when the question came or when the answer left.
        let early = world.dice.chance(1, 2);
        let before = early.then(|| (world.now(), self.say(world, &credential, fault)));
        world.sleep(takes.min(request.timeout)).await;
        let (evaluated, (said, answer)) = if takes > request.timeout {
            (world.now(), (Said::Failed, Err(FetchError::Timeout)))
        } else {
            before.unwrap_or_else(|| (world.now(), self.say(world, &credential, fault)))
        };
        questions::answered(world, question, &said);
        world.ledger.answered(
            &credential,
            Answer {
                evaluated,
                delivered: world.now(),
                said,
            },
        );
        let mut inbound = answer?;
        inbound.body = inbound.body.filter(|body| body.len() <= request.largest);
        Ok(inbound)
    }

    fn say(
        &self,
        world: &World,
        credential: &str,
        fault: Fault,
    ) -> (Said, Result<Inbound, FetchError>) {
        let failed = |status, body: &str| (Said::Failed, Ok(inbound(status, body)));
        match fault {
            Fault::Refuses | Fault::HalfABody => (Said::Failed, Err(FetchError::Unreachable)),
            Fault::Status(status) => failed(status, "{}"),
            Fault::Busy(seconds) => {
                let mut busy = inbound(429, "{}");
                busy.headers.insert("retry-after", seconds.into());
                (Said::Failed, Ok(busy))
            }
            Fault::TooLarge => {
                let mut large = inbound(200, "");
                large.body = None;
                (Said::Failed, Ok(large))
            }
            Fault::Page => failed(200, "<html><body>Sign in</body></html>"),
            Fault::Redirects => {
                let mut redirect = inbound(303, "");
                let to = HeaderValue::from_static("https://login.test/");
                redirect.headers.insert("location", to);
                (Said::Failed, Ok(redirect))
            }
            Fault::WrongJson(which) => {
                let body = WRONG_JSON[which % WRONG_JSON.len()];
                let said = if body.starts_with('{') {
                    Said::Refused
                } else {
                    Said::Failed
                };
                (said, Ok(inbound(200, body)))
            }
            Fault::Nothing
            | Fault::Slow(_)
            | Fault::Silent
            | Fault::Flaps(_)
            | Fault::CutShort
            | Fault::Inactive
            | Fault::Anothers => {
                let anothers = || {
                    let other = self.session(world.dice.index(64))?;
                    self.is_valid(world, &other).then_some(other)
                };
                let mut session = self.find(credential);
                if fault == Fault::Anothers
                    && let Some(other) = anothers()
                {
                    session = Some(other);
                }
                let Some(session) = session.filter(|session| self.is_valid(world, session)) else {
                    let refusal = r#"{"error":{"id":"session_inactive","code":401}}"#;
                    return (Said::Refused, Ok(inbound(401, refusal)));
                };
                self.tell(world, &session, fault)
            }
        }
    }

    fn tell(
        &self,
        world: &World,
        session: &Session,
        fault: Fault,
    ) -> (Said, Result<Inbound, FetchError>) {
        let (subject, email) = (Self::subject(session.person), self.address(session.person));
        let mut document = json!({
            "id": session.id,
            "active": fault != Fault::Inactive,
            "identity": { "id": subject, "traits": { "email": email } },
        });
        if let Some(ends) = session.ends {
            document["expires_at"] = rfc3339(ends).into();
        }
        let mut body = document.to_string();
        let said = match fault {
            Fault::Inactive => Said::Refused,
            Fault::CutShort => {
                body.truncate(world.dice.index(body.len()));
                Said::Failed
            }
            _ => Said::Confirmed(Confirmation {
                subject,
                email,
                session: session.id.clone(),
                ends: session.ends,
            }),
        };
        let mut inbound = inbound(200, &body);
        if let Some(cache_for) = self.cache_for {
            inbound
                .headers
                .insert("ory-session-cache-for", cache_for.into());
        }
        (said, Ok(inbound))
    }
}

/// The credential that Kratos goes by (kratos `session/manager_http.go`), by its kind and value.
pub(crate) fn presented(headers: &HeaderMap) -> Option<String> {
    if let Some(token) = headers.get("x-session-token") {
        return Some(Kind::Token.names(token.to_str().ok()?));
    }
    let cookies = headers.get("cookie")?.to_str().ok()?;
    cookies
        .split(';')
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| Kind::Cookie.names(value))
}

fn inbound(status: u16, body: &str) -> Inbound {
    Inbound {
        status,
        headers: HeaderMap::new(),
        body: Some(body.as_bytes().to_vec()),
    }
}

fn rfc3339(seconds: u64) -> String {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).unwrap())
        .unwrap()
        .format(&Rfc3339)
        .unwrap()
}
