//! An instance whose policy can be pushed, and the store that says which one is in force.

use std::rc::Rc;

use edgekeeper_gateway::decision::Decision;
use edgekeeper_gateway::policies::{CURRENT, Current, Version};
use edgekeeper_gateway::request::RawRequest;
use edgekeeper_gateway::runtime::RequestBody;
use edgekeeper_gateway::{Deployment, Gateway};
use edgekeeper_token::seal::Sealer;
use serde_json::{Value, json};

use crate::memory::{Memory, NOW, SECRET};
use crate::policy::{Document, policy, rule, set};
use crate::site::{Sent, get};

/// Seconds after which the tests' instances look for another policy.
pub(crate) const REFRESH: u64 = 10;

pub(crate) struct Pushed {
    pub(crate) memory: Memory,
    pub(crate) deployment: Rc<Deployment>,
}

/// A policy that lets everybody through to an upstream of this name.
pub(crate) fn leading_to(name: &str) -> Document {
    let rule = rule("app", "https://app.test/<.*>");
    let upstream = json!({ "url": format!("http://{name}") });
    policy([set(rule, "upstream", upstream)])
        .with("policies", json!({ "refresh": REFRESH }))
        .with("operator_secret", json!("OPERATOR_SECRET"))
}

impl Pushed {
    /// Deployed with [`leading_to`] `deployed`.
    pub(crate) fn new() -> Self {
        Self::of(leading_to("deployed"))
    }

    pub(crate) fn of(document: Document) -> Self {
        Self {
            memory: Memory::new(),
            deployment: Deployment::new(&document.text()).unwrap(),
        }
    }

    /// With these settings of `policy`.
    pub(crate) fn set(settings: Value) -> Self {
        Self::of(leading_to("deployed").with("policies", settings))
    }

    /// Another instance of the same deployment, with the same store.
    pub(crate) fn instance(&self) -> Self {
        Self {
            memory: self.memory.clone(),
            deployment: Deployment::new(&leading_to("deployed").text()).unwrap(),
        }
    }

    pub(crate) fn send<B: RequestBody>(&self, raw: RawRequest<B>) -> (Rc<Gateway>, Sent) {
        let headers = raw.headers.clone();
        let (gateway, decision) = self.decide(raw);
        (gateway, Sent::new(decision, headers))
    }

    fn decide<B: RequestBody>(&self, raw: RawRequest<B>) -> (Rc<Gateway>, Decision) {
        self.memory.run(self.deployment.decide(&self.memory, raw))
    }

    /// Where a request goes, or the status that it gets.
    pub(crate) fn leads_to(&self) -> String {
        let (_, sent) = self.send(get("https://app.test/", &[]));
        let outcome = sent.outcome();
        match outcome.strip_prefix("http://") {
            Some(rest) => rest.trim_end_matches('/').to_owned(),
            None => outcome,
        }
    }

    /// The same, and then what is to be done behind the response.
    pub(crate) fn leads_to_and_settles(&self) -> String {
        let outcome = self.leads_to();
        self.memory.run_later();
        outcome
    }

    /// What the store says is in force.
    pub(crate) fn stored(&self) -> Current {
        let store = self.memory.store();
        store.get(CURRENT).map_or_else(Current::default, |entry| {
            Current::open(&sealer(SECRET), entry).unwrap()
        })
    }

    /// Writes that a document is in force, as `edgekeeper push` does.
    pub(crate) fn push(&self, document: Document) -> Version {
        let text = document.text();
        let version = Version::of(&text);
        self.memory.store().insert(version.name(), text);
        self.point_to(Some(version.clone()));
        version
    }

    /// Writes which policy is in force, and nothing else.
    pub(crate) fn point_to(&self, version: Option<Version>) {
        let at = self.memory.milliseconds() / 1_000;
        let current = self.stored().followed_by(version, at);
        self.write(&current, SECRET);
    }

    pub(crate) fn write(&self, current: &Current, secret: &str) {
        let entry = current.seal(&sealer(secret), [9; 24]).unwrap();
        self.memory.store().insert(CURRENT.to_owned(), entry);
    }

    /// The reasons in the log about the policy since the last look.
    pub(crate) fn said(&self) -> Vec<String> {
        let lines = self.memory.take_log();
        let parse = |line: &String| serde_json::from_str::<Value>(line).unwrap();
        lines
            .iter()
            .map(parse)
            .filter(|line| line["msg"] == "policy")
            .map(|line| line["reason"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub(crate) fn sealer(secret: &str) -> Sealer {
    Sealer::for_policies(secret.as_bytes()).unwrap()
}

/// A change of this number and instant.
pub(crate) fn change(number: u64, version: Option<Version>, at: u64) -> Current {
    let mut current = Current::default().followed_by(version, NOW + at);
    current.in_force.number = number;
    current
}
