//! A gateway in its world: what a test talks to.

use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::decision::{Answer, Decision, Edit, Forward, apply};
use edgekeeper_gateway::request::{Listener, RawRequest};
use edgekeeper_gateway::runtime::{NoBody, RequestBody};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::memory::{Memory, NOW, Reply};
use crate::policy::Document;

/// A gateway and the world it runs in.
pub(crate) struct Site {
    pub(crate) memory: Memory,
    pub(crate) gateway: Rc<Gateway>,
}

impl Site {
    pub(crate) fn new(document: Document) -> Self {
        Self {
            memory: Memory::new(),
            gateway: document.gateway(),
        }
    }

    /// A site whose Kratos knows Ada by her cookie.
    pub(crate) fn with_ada(document: Document) -> Self {
        let site = Self::new(document);
        site.memory
            .script("kratos", "ory_kratos_session=ada", session("ada").reply());
        site
    }

    /// Sends a request through.
    pub(crate) fn send<B: RequestBody>(&self, request: RawRequest<B>) -> Sent {
        let headers = request.headers.clone();
        let decision = self.memory.run(self.gateway.decide(&self.memory, request));
        Sent::new(decision, headers)
    }

    /// Sends requests through side by side.
    pub(crate) fn send_all(&self, requests: impl IntoIterator<Item = RawRequest>) -> Vec<Sent> {
        let (headers, tasks): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .map(|request| {
                let headers = request.headers.clone();
                let task: crate::memory::Task<'_, Decision> =
                    Box::pin(self.gateway.decide(&self.memory, request));
                (headers, task)
            })
            .unzip();
        let decisions = self.memory.run_all(tasks);
        decisions
            .into_iter()
            .zip(headers)
            .map(|(decision, headers)| Sent::new(decision, headers))
            .collect()
    }

    /// Sends a request through to an upstream that answers with these headers; gives the headers the client sees.
    #[track_caller]
    pub(crate) fn answer_from(
        &self,
        request: RawRequest,
        status: u16,
        upstream: &[(&str, &str)],
    ) -> HeaderMap {
        let forward = self.send(request).forwarded();
        let mut headers = header_map(upstream);
        let edits = self.finish(&forward.forward, status, &headers);
        apply(&mut headers, &edits);
        headers
    }

    /// Hands an upstream's answer to the gateway.
    pub(crate) fn finish(&self, forward: &Forward, status: u16, headers: &HeaderMap) -> Vec<Edit> {
        self.memory
            .run(self.gateway.finish(&self.memory, forward, status, headers))
    }
}

/// What became of a request.
pub(crate) enum Sent {
    Answered(Answer),
    Forwarded(Forwarded),
}

/// A request as it goes on to the upstream.
pub(crate) struct Forwarded {
    pub(crate) forward: Box<Forward>,
    /// The headers that the upstream sees.
    pub(crate) headers: HeaderMap,
}

impl Forwarded {
    pub(crate) fn url(&self) -> &str {
        &self.forward.url
    }

    /// All values of a header, as text.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        values(&self.headers, name)
    }
}

impl Sent {
    pub(crate) fn new(decision: Decision, mut headers: HeaderMap) -> Self {
        match decision {
            Decision::Answer(answer) => Self::Answered(answer),
            Decision::Forward(forward) => {
                apply(&mut headers, &forward.edits);
                Self::Forwarded(Forwarded { forward, headers })
            }
        }
    }

    /// The status of the gateway's own answer; 0 for a request that goes on.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Answered(answer) => answer.status,
            Self::Forwarded(_) => 0,
        }
    }

    #[track_caller]
    pub(crate) fn answered(self) -> Answer {
        match self {
            Self::Answered(answer) => answer,
            Self::Forwarded(forwarded) => panic!("the request goes on to {}", forwarded.url()),
        }
    }

    #[track_caller]
    pub(crate) fn forwarded(self) -> Forwarded {
        match self {
            Self::Forwarded(forwarded) => forwarded,
            Self::Answered(answer) => {
                panic!("the request is answered: {} {}", answer.status, answer.body)
            }
        }
    }

    /// What became of it, in a word or two.
    pub(crate) fn outcome(&self) -> String {
        match self {
            Self::Answered(answer) => answer.status.to_string(),
            Self::Forwarded(forwarded) => forwarded.url().to_owned(),
        }
    }
}

/// The last value of a header of an answer.
pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer
        .headers
        .iter()
        .rev()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.to_str().unwrap())
}

/// All values of a header of an answer.
pub(crate) fn all<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    answer
        .headers
        .iter()
        .filter(|(own, _)| own == name)
        .map(|(_, value)| value.to_str().unwrap())
        .collect()
}

/// The message of a JSON error.
pub(crate) fn message(answer: &Answer) -> String {
    error(answer)["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The error object of a JSON error.
pub(crate) fn error(answer: &Answer) -> Value {
    let document: Value = serde_json::from_str(&answer.body).expect(&answer.body);
    document["error"].clone()
}

/// All values of a header, as text.
pub(crate) fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap())
        .collect()
}

pub(crate) fn header_map(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    headers
}

/// A request.
pub(crate) fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> RawRequest {
    RawRequest {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: header_map(headers),
        listener: Listener::Proxy,
        body: NoBody,
    }
}

/// A `GET`.
pub(crate) fn get(url: &str, headers: &[(&str, &str)]) -> RawRequest {
    request("GET", url, headers)
}

/// Ada's cookie.
pub(crate) const ADA: (&str, &str) = ("cookie", "ory_kratos_session=ada");

/// A session as Kratos tells of it; one hour is left of it.
pub(crate) fn session(id: &str) -> Session {
    Session(json!({
        "id": format!("session-of-{id}"),
        "active": true,
        "expires_at": rfc3339(NOW + 3_600),
        "authenticator_assurance_level": "aal1",
        "identity": {
            "id": id,
            "traits": { "email": format!("{id}@example.com"), "name": id },
            "verifiable_addresses": [
                { "value": format!("{id}@example.com"), "verified": true, "via": "email" },
            ],
        },
    }))
}

#[derive(Clone)]
pub(crate) struct Session(Value);

impl Session {
    /// Sets what a JSON pointer points at.
    pub(crate) fn with(mut self, pointer: &str, value: Value) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = self.0.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.insert(name.to_owned(), value);
        self
    }

    /// Takes out what a JSON pointer points at.
    pub(crate) fn without(mut self, pointer: &str) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        self.0
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(name);
        self
    }

    pub(crate) fn trait_(self, name: &str, value: impl Into<Value>) -> Self {
        self.with(&format!("/identity/traits/{name}"), value.into())
    }

    pub(crate) fn expires_at(self, seconds: u64) -> Self {
        self.with("/expires_at", json!(rfc3339(seconds)))
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::new(200, self.0.to_string())
    }
}

pub(crate) fn rfc3339(seconds: u64) -> String {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).unwrap())
        .unwrap()
        .format(&Rfc3339)
        .unwrap()
}
