//! Instances that share a store and a Kratos, and nothing else; and messages that revoke.

use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::decision::Answer;
use edgekeeper_gateway::request::RawRequest;
use edgekeeper_session::revocation::message::sign;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::memory::{Body, Memory, REVOCATION_SECRET, Reply};
use crate::policy::{Document, policy, session_rule};
use crate::site::{Sent, get, request, session};

/// Where revocations are sent.
pub(crate) const REVOKE: &str = "https://app.test/.edge/sessions/revoke";

pub(crate) struct Fleet {
    pub(crate) memory: Memory,
    settings: Value,
}

impl Fleet {
    /// With these settings of `session`; Kratos knows Ada and Bob by their cookies.
    pub(crate) fn new(mut settings: Value) -> Self {
        settings["revocation_secret"] = json!("REVOCATION_SECRET");
        Self::of(settings)
    }

    pub(crate) fn of(settings: Value) -> Self {
        let memory = Memory::new();
        for person in ["ada", "bob"] {
            memory.script(
                "kratos",
                &format!("session={person}"),
                session(person).reply(),
            );
        }
        Self { memory, settings }
    }

    pub(crate) fn document(&self) -> Document {
        policy([session_rule("web", "https://app.test/<.*>")])
            .with("session", self.settings.clone())
    }

    pub(crate) fn instance(&self) -> Rc<Gateway> {
        self.document().gateway()
    }

    /// What a person gets from an instance: the status, 0 when let through, and where the session came from by the log.
    pub(crate) fn visit(&self, instance: &Rc<Gateway>, person: &str) -> (u16, String) {
        self.memory.take_log();
        let sent = self.send(instance, visit_of(person));
        let status = sent.status();
        if let Sent::Forwarded(forwarded) = sent {
            self.memory.run(instance.finish(
                &self.memory,
                &forwarded.forward,
                200,
                &HeaderMap::new(),
            ));
        }
        let lines = self.memory.take_log();
        let line: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        (
            status,
            line["session"].as_str().unwrap_or_default().to_owned(),
        )
    }

    /// [`Self::visit`], where the work behind the response is done as well.
    pub(crate) fn visit_and_settle(&self, instance: &Rc<Gateway>, person: &str) -> (u16, String) {
        let visit = self.visit(instance, person);
        self.settle();
        visit
    }

    /// Does all work that waits until after a response.
    pub(crate) fn settle(&self) {
        while self.memory.waiting() > 0 {
            self.memory.run_later();
        }
    }

    pub(crate) fn send(&self, instance: &Rc<Gateway>, request: RawRequest) -> Sent {
        let headers = request.headers.clone();
        Sent::new(
            self.memory.run(instance.decide(&self.memory, request)),
            headers,
        )
    }

    /// Kratos does not know a person any more.
    pub(crate) fn kratos_forgets(&self, person: &str) {
        self.memory.script(
            "kratos",
            &format!("session={person}"),
            Reply::new(401, "{}"),
        );
    }

    /// Sends a message with these claims to an instance.
    pub(crate) fn tell(&self, instance: &Rc<Gateway>, claims: &Value) -> Answer {
        self.tell_token(instance, &token(claims))
    }

    pub(crate) fn tell_token(&self, instance: &Rc<Gateway>, token: &str) -> Answer {
        let body = json!({ "token": token }).to_string();
        let request = with_body(request("POST", REVOKE, &[]), body);
        let headers = request.headers.clone();
        Sent::new(
            self.memory.run(instance.decide(&self.memory, request)),
            headers,
        )
        .answered()
    }

    /// Revokes all sessions of a person, by a message that nobody sent before.
    pub(crate) fn revoke(&self, instance: &Rc<Gateway>, person: &str) {
        let now = self.memory.milliseconds();
        let claims = json!({ "sub": person, "exp": now / 1_000 + 60, "jti": now.to_string() });
        let answer = self.tell(instance, &claims);
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    /// The names of the marks in the store.
    pub(crate) fn marks(&self) -> Vec<String> {
        let store = self.memory.store();
        store
            .keys()
            .filter(|name| name.starts_with("revoked/"))
            .cloned()
            .collect()
    }
}

/// A request of a person.
pub(crate) fn visit_of(person: &str) -> RawRequest {
    let cookie = format!("ory_kratos_session={person}");
    get("https://app.test/", &[("cookie", &cookie)])
}

/// A message with these claims.
pub(crate) fn token(claims: &Value) -> String {
    sign(claims.as_object().unwrap(), REVOCATION_SECRET.as_bytes()).unwrap()
}

/// A request with a body.
pub(crate) fn with_body(request: RawRequest, body: impl Into<Vec<u8>>) -> RawRequest<Body> {
    RawRequest {
        method: request.method,
        url: request.url,
        headers: request.headers,
        listener: request.listener,
        body: Body(Ok(body.into())),
    }
}
