//! One request: sent, decided, and held against the invariants.

use std::rc::Rc;

use edgekeeper_gateway::decision::{Answer, Decision, apply};
use edgekeeper_gateway::request::{Listener, RawRequest};
use edgekeeper_gateway::runtime::{FetchError, NoBody, RequestBody};
use edgekeeper_session::revocation::message;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::invariants::{self, secrets};
use crate::kratos::{self, COOKIE, Kind, Kratos};
use crate::ledger::{Ends, Told};
use crate::machine::{Flavour, REVOCATION_SECRET};
use crate::play::Instance;
use crate::schedule::{For, From};
use crate::world::{Owner, World};

/// The cookie in which browsers carry what Kratos said.
pub(crate) const CARRIED: &str = "__Host-edgekeeper_session=";

/// What became of a request, and all that is known of it.
pub(crate) struct Visit<'a> {
    pub(crate) world: &'a World,
    /// The instance that decided.
    pub(crate) by: Owner,
    pub(crate) place: usize,
    /// What it was presented, as Kratos would choose.
    pub(crate) credential: Option<String>,
    pub(crate) wants_token: bool,
    pub(crate) started: u64,
    /// What the clocks showed then.
    pub(crate) shown: u64,
    pub(crate) outcome: Outcome,
}

pub(crate) enum Outcome {
    /// It goes on, and this is what the upstream sees.
    Allowed(HeaderMap),
    Answered(Answer),
}

/// What passes through and changes a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    LogOut,
    Address,
}

/// A request that is under way.
struct Open(Rc<World>);

impl Open {
    fn new(world: &Rc<World>) -> Self {
        world.ledger.open.set(world.ledger.open.get() + 1);
        Self(Rc::clone(world))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.ledger.open.set(self.0.ledger.open.get() - 1);
    }
}

fn raw(path: &str, headers: HeaderMap) -> RawRequest {
    RawRequest {
        method: "GET".to_owned(),
        url: format!("https://app.test{path}"),
        headers,
        listener: Listener::Proxy,
        body: NoBody,
    }
}

/// Sends a request.
pub(crate) fn ask<F: Flavour>(instance: &Rc<Instance<F>>, from: From, target: For) {
    let world = &instance.machine.world;
    let Some(mut headers) = headers(world, from) else {
        return;
    };
    if matches!(target, For::Page) {
        let accept = HeaderValue::from_static("text/html");
        headers.insert("accept", accept);
    }
    let path = match target {
        For::App | For::Page => "/app",
        For::Token => "/token",
    };
    let owner = instance.machine.owner;
    let instance = Rc::clone(instance);
    world.ledger.requests.set(world.ledger.requests.get() + 1);
    world.spawn(owner, async move {
        let machine = &instance.machine;
        let world = &machine.world;
        let _open = Open::new(world);
        let credential = kratos::presented(&headers);
        let name = credential.clone();
        let (started, shown) = (world.now(), world.shown());
        let request = raw(path, headers.clone());
        let decision = instance.gateway.decide(machine, request).await;
        let (outcome, forward) = match decision {
            Decision::Answer(answer) => (Outcome::Answered(answer), None),
            Decision::Forward(forward) => {
                let mut seen = headers;
                apply(&mut seen, &forward.edits);
                (Outcome::Allowed(seen), Some(forward))
            }
        };
        let visit = Visit {
            world,
            by: owner,
            place: machine.place,
            credential,
            wants_token: matches!(target, For::Token),
            started,
            shown,
            outcome,
        };
        invariants::check(&visit);
        if let Some(forward) = forward {
            world.sleep(world.dice.between(1, 30)).await;
            let mut answer = HeaderMap::new();
            let edits = instance
                .gateway
                .finish(machine, &forward, 200, &answer)
                .await;
            apply(&mut answer, &edits);
            keep(world, name.as_deref(), &answer);
        }
    });
}

/// A change of a session that passes through: Kratos makes it, and the gateway sees its answer.
pub(crate) fn change<F: Flavour>(instance: &Rc<Instance<F>>, session: usize, change: Change) {
    let world = &instance.machine.world;
    let Some(session) = world.kratos.session(session) else {
        return;
    };
    // Only browsers get cookies, which the gateway goes by.
    if session.kind != Kind::Cookie || !world.kratos.is_valid(world, &session) {
        return;
    }
    let owner = instance.machine.owner;
    let instance = Rc::clone(instance);
    world.spawn(owner, async move {
        let machine = &instance.machine;
        let world = &machine.world;
        let _open = Open::new(world);
        let path = match change {
            Change::LogOut => "/self-service/logout",
            Change::Address => "/self-service/settings",
        };
        let mut headers = HeaderMap::new();
        put(&mut headers, "cookie", &cookie(&session.credential));
        let request = raw(path, headers);
        let decision = instance.gateway.decide(machine, request).await;
        let Decision::Forward(forward) = decision else {
            world.ledger.violate("I0", "a logout does not get through");
            return;
        };
        world.sleep(world.dice.between(1, 40)).await;
        world.disturb();
        match change {
            Change::LogOut => world.kratos.revoke(world, &session),
            Change::Address => world.kratos.change_address(session.person),
        }
        let began = world.now();
        let mut answer = HeaderMap::new();
        put(&mut answer, "set-cookie", &format!("{COOKIE}=; Max-Age=0"));
        let edits = instance
            .gateway
            .finish(machine, &forward, 200, &answer)
            .await;
        apply(&mut answer, &edits);
        // A thief's copy stays.
        if world.dice.chance(1, 2) {
            keep(world, Some(&session.name()), &answer);
        }
        world.disturb();
        world.ledger.tell(Told {
            ends: Ends::Credential(session.name()),
            began,
            at: world.now(),
            by: owner,
            place: machine.place,
        });
    });
}

/// Somebody revokes by a message: one session, or all of a person's.
pub(crate) fn revoke<F: Flavour>(instance: &Rc<Instance<F>>, session: usize, all: bool) {
    let world = &instance.machine.world;
    let Some(session) = world.kratos.session(session) else {
        return;
    };
    if world.climate.revocation_check.is_none() {
        return;
    }
    let person = Kratos::subject(session.person);
    let expires = world.shown() / 1_000 + 600;
    let (claims, ends) = if all {
        world.kratos.revoke_all(world, session.person);
        (
            json!({ "sub": person, "exp": expires }),
            Ends::Person(person),
        )
    } else {
        world.kratos.revoke(world, &session);
        let ends = Ends::Session(session.id.clone());
        (json!({ "sid": session.id, "exp": expires }), ends)
    };
    let mut claims = claims.as_object().unwrap().clone();
    claims.insert("jti".to_owned(), world.dice.next().into());
    let token = message::sign(&claims, REVOCATION_SECRET.as_bytes()).unwrap();
    let owner = instance.machine.owner;
    let instance = Rc::clone(instance);
    world.disturb();
    world.spawn(owner, async move {
        let machine = &instance.machine;
        let world = &machine.world;
        let _open = Open::new(world);
        let request = RawRequest {
            method: "POST".to_owned(),
            url: "https://app.test/.edge/sessions/revoke".to_owned(),
            headers: HeaderMap::new(),
            listener: Listener::Proxy,
            body: Message(json!({ "token": token }).to_string()),
        };
        let began = world.now();
        let decision = instance.gateway.decide(machine, request).await;
        let Decision::Answer(answer) = decision else {
            world
                .ledger
                .violate("I0", "a revocation is not the gateway's own to answer");
            return;
        };
        secrets::answer(world, &answer);
        world.disturb();
        match answer.status {
            204 => world.ledger.tell(Told {
                ends,
                began,
                at: world.now(),
                by: owner,
                place: machine.place,
            }),
            503 => {}
            status => world
                .ledger
                .violate("I0", format!("{status} to a revocation")),
        }
    });
}

/// The body of a revocation.
struct Message(String);

impl RequestBody for Message {
    async fn read(&self, _largest: usize) -> Result<Option<Vec<u8>>, FetchError> {
        Ok(Some(self.0.as_bytes().to_vec()))
    }
}

/// A browser keeps, or drops, what an answer says.
fn keep(world: &World, credential: Option<&str>, answer: &HeaderMap) {
    let Some(credential) = credential else {
        return;
    };
    for value in answer.get_all("set-cookie") {
        secrets::told(world, value);
        let Some((pair, attributes)) = value.to_str().ok().and_then(|text| text.split_once(';'))
        else {
            continue;
        };
        if !pair.starts_with(CARRIED) {
            continue;
        }
        let mut browsers = world.ledger.browsers.borrow_mut();
        if attributes.contains("Max-Age=0") {
            browsers.remove(credential);
        } else {
            browsers.insert(credential.to_owned(), pair.to_owned());
        }
    }
}

fn cookie(value: &str) -> String {
    format!("theme=dark; {COOKIE}={value}")
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(name, HeaderValue::from_str(value).unwrap());
}

/// What a request carries; `None` where nobody has logged in.
fn headers(world: &World, from: From) -> Option<HeaderMap> {
    let kratos = &world.kratos;
    let mut headers = HeaderMap::new();
    let credential = |number| {
        let session = kratos.session(number)?;
        Some(session.credential.to_string())
    };
    match from {
        From::Session(number) | From::Posing(number) | From::Stolen(number, _) => {
            let session = kratos.session(number)?;
            let owner = match from {
                From::Stolen(_, other) => kratos.session(other)?,
                _ => Rc::clone(&session),
            };
            let browsers = world.ledger.browsers.borrow();
            let carried = browsers.get(&owner.name());
            let carried = carried.map(|pair| format!("; {pair}")).unwrap_or_default();
            let cookies = format!("{}{carried}", cookie(&session.credential));
            match session.kind {
                Kind::Cookie => put(&mut headers, "cookie", &cookies),
                Kind::Token => put(&mut headers, "x-session-token", &session.credential),
            }
            if matches!(from, From::Posing(_)) {
                let other = Kratos::subject((session.person + 1) % kratos::PEOPLE);
                put(&mut headers, "x-user", &other);
                put(&mut headers, "x-email", "person-x@mail.test");
                put(&mut headers, "authorization", "Bearer e30.e30.");
            }
        }
        From::Two(first, second) => {
            let (first, second) = (credential(first)?, credential(second)?);
            let both = format!("{COOKIE}={first}; {COOKIE}={second}");
            put(&mut headers, "cookie", &both);
        }
        From::Both(by_cookie, by_token) => {
            put(&mut headers, "cookie", &cookie(&credential(by_cookie)?));
            put(&mut headers, "x-session-token", &credential(by_token)?);
        }
        From::Invented(number) => {
            let invented = format!("{}invented{number}", secrets::MARK);
            put(&mut headers, "cookie", &cookie(&invented));
        }
        From::Nobody => {}
    }
    Some(headers)
}
