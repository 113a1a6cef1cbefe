//! Why a request was decided as it was: the steps of a decision in their order, and what came of it.
//!
//! The steps are told by the very code that decides ([`crate::runtime::Runtime::explain`]), so an explanation cannot disagree with the gateway.
//! A runtime that does not ask for them has none of this in its binary.
//!
//! What is in an [`Explanation`] may be shown: no cookie, token or other credential of the request is in it.

mod credential;
mod handler;
mod near_miss;
mod secrets;
mod step;
mod steps;
mod token;

use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::Gateway;
use crate::decision::{Decision, apply};
use crate::upstream;

pub use near_miss::{Difference, NearMiss};
pub use secrets::holds_credential;
pub use step::{Allowance, Choice, Header, Responsibility, SessionAnswer, Step, Whose};
pub use steps::Steps;
pub use token::Token;

pub(crate) use credential::wanted;
pub(crate) use handler::{authorizer, error_handler, mutator};
pub(crate) use near_miss::near_misses;
pub(crate) use step::why;

use secrets::Secrets;

/// The version of the JSON that [`Explanation`] is written as. It is raised when somebody who reads it would have to change.
pub const FORMAT: u32 = 1;

/// The course of one decision, without secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// [`FORMAT`].
    pub format: u32,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// It goes on.
    Forward {
        /// Its method.
        method: String,
        /// Where to.
        url: String,
        /// The runtime binding that takes it instead of the network.
        #[serde(skip_serializing_if = "Option::is_none")]
        binding: Option<String>,
        /// What the upstream sees. The runtime's own HTTP client may add to it.
        headers: Vec<Header>,
    },
    /// The gateway answers.
    Answer {
        /// Its status.
        status: u16,
        /// Its headers.
        headers: Vec<Header>,
        /// Its body.
        body: String,
    },
}

/// The request that was decided, as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its URL.
    pub url: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
}

impl Explanation {
    /// Puts together what a runtime was told, with every secret masked.
    #[must_use]
    pub fn new(gateway: &Gateway, asked: Asked<'_>, steps: Vec<Step>, decision: &Decision) -> Self {
        let mut secrets = Secrets::of(gateway.policy(), asked.url, asked.headers);
        let outcome = match decision {
            Decision::Answer(answer) => Outcome::Answer {
                status: answer.status,
                headers: Header::all(answer.headers.iter().map(|(name, value)| (name, value))),
                body: answer.body_for(asked.method).to_owned(),
            },
            Decision::Forward(forward) => {
                let mut headers = asked.headers.clone();
                apply(&mut headers, &forward.edits);
                let host = forward.host.as_deref();
                let host = host.unwrap_or_else(|| authority(&forward.url));
                if let Ok(host) = HeaderValue::from_str(host) {
                    headers.insert(http::header::HOST, host);
                }
                Outcome::Forward {
                    method: asked.method.to_owned(),
                    url: forward.url.clone(),
                    binding: forward.binding.clone(),
                    headers: Header::all(headers.iter()),
                }
            }
        };
        let mut explanation = Self {
            format: FORMAT,
            steps,
            outcome,
        };
        for header in explanation.headers() {
            secrets.learn_made(header);
        }
        for header in explanation.headers() {
            secrets.mask_header(header);
        }
        for url in explanation.urls() {
            secrets.mask_url(url);
        }
        explanation.each_text(&mut |text| secrets.mask(text));
        explanation
    }

    /// The same on a runtime whose client takes `Host` from the URL, whatever a rule preserves.
    pub(crate) fn by_url(mut self) -> Self {
        if let Outcome::Forward { url, headers, .. } = &mut self.outcome
            && let Some(host) = headers.iter_mut().find(|header| header.name == "host")
        {
            host.value = authority(url).to_owned();
        }
        self
    }

    /// The document: what `edgekeeper explain --format json` prints.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn headers(&mut self) -> impl Iterator<Item = &mut Header> {
        let of_steps = self.steps.iter_mut().flat_map(|step| match step {
            Step::Mutator { headers, .. } => headers.as_mut_slice(),
            _ => &mut [],
        });
        let (Outcome::Forward { headers, .. } | Outcome::Answer { headers, .. }) =
            &mut self.outcome;
        of_steps.chain(headers)
    }

    /// The URLs that can have the request's query.
    fn urls(&mut self) -> impl Iterator<Item = &mut String> {
        let asked = self.steps.iter_mut().filter_map(|step| match step {
            Step::Asked { url, .. } => Some(url),
            _ => None,
        });
        let forward = match &mut self.outcome {
            Outcome::Forward { url, .. } => Some(url),
            Outcome::Answer { .. } => None,
        };
        asked.chain(forward)
    }

    /// All that could repeat a part of the request.
    fn each_text(&mut self, visit: &mut impl FnMut(&mut String)) {
        for step in &mut self.steps {
            step.each_text(visit);
        }
        match &mut self.outcome {
            Outcome::Forward { url, headers, .. } => {
                visit(url);
                headers
                    .iter_mut()
                    .for_each(|header| visit(&mut header.value));
            }
            Outcome::Answer { headers, body, .. } => {
                visit(body);
                headers
                    .iter_mut()
                    .for_each(|header| visit(&mut header.value));
            }
        }
    }
}

/// The host of an upstream's URL, with its port.
fn authority(url: &str) -> &str {
    let (origin, _) = upstream::split(url);
    origin.split_once("://").map_or(origin, |(_, host)| host)
}
