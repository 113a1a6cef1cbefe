//! One step of a decision.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::near_miss::NearMiss;
use super::token::Token;
use crate::refusal::Refusal;
use crate::runtime::{FetchError, Inbound};

/// What the gateway did, and why.
///
/// Reasons are those of the log: more than the client is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// What was taken for granted, because whoever explains cannot know it.
    Assumed {
        /// In words.
        text: String,
    },
    /// Something other than a rule answers: an endpoint, CORS.
    Own {
        /// What.
        by: String,
    },
    /// The request that rules are tried on.
    Request {
        /// Its method.
        method: String,
        /// Scheme, host and decoded path: what patterns are matched against.
        url: String,
    },
    /// The rule that is for it.
    Rule {
        /// Its id.
        id: String,
        /// Its URL pattern, as it was written.
        pattern: String,
        /// What the pattern's groups captured.
        captures: Vec<String>,
    },
    /// No rule is, or more than one, or it cannot be told.
    NoRule {
        /// Which of these.
        reason: String,
    },
    /// A rule that is not for it, but nearly.
    NearMiss(NearMiss),
    /// What an authenticator said.
    Authenticator {
        /// Its name in a rules file.
        handler: String,
        /// What it said.
        #[serde(flatten)]
        verdict: Responsibility,
    },
    /// What is known of the session that an authenticator asked about.
    Session {
        /// Where from: as `session` in the log, such as `hit` and `miss`.
        source: String,
        /// What it says.
        #[serde(flatten)]
        answer: SessionAnswer,
    },
    /// A question to another service.
    Asked {
        /// Its method.
        method: String,
        /// Its URL.
        url: String,
        /// The status of the answer, if there was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Where the answer is from, or why there is none; empty for one that came from there.
        note: String,
    },
    /// What an authorizer said.
    Authorizer {
        /// Its name in a rules file.
        handler: String,
        /// What it said.
        #[serde(flatten)]
        verdict: Allowance,
    },
    /// What a mutator did.
    Mutator {
        /// Its name in a rules file.
        handler: String,
        /// The headers it made, for the upstream.
        headers: Vec<Header>,
        /// The token among them, decoded.
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<Token>,
        /// Why it could not.
        #[serde(skip_serializing_if = "Option::is_none")]
        failed: Option<String>,
    },
    /// The request does not go on.
    Refusal {
        /// The status, before an error handler has its say.
        status: u16,
        /// What anybody may know.
        message: String,
        /// What only the log tells.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Whether an error handler tells of the refusal.
    ErrorHandler {
        /// Whether it is the rule's or a fallback of the configuration.
        of: Whose,
        /// Its place there, from 1.
        number: usize,
        /// Its name in a rules file.
        handler: String,
        /// Whether it does.
        #[serde(flatten)]
        verdict: Choice,
    },
}

/// What an authenticator says of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Responsibility {
    /// The next one is asked.
    NotResponsible {
        /// What it is responsible for.
        wants: String,
    },
    /// It is, and nobody else is asked.
    Refused {
        /// Why not.
        reason: String,
    },
    /// It knows who is asking.
    Responsible {
        /// Who; empty for `noop`.
        subject: String,
    },
}

/// What is known of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum SessionAnswer {
    /// It counts.
    Active {
        /// When it ends, in Unix seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires: Option<u64>,
    },
    /// There is none.
    None,
    /// A second factor is wanted first.
    SecondFactor,
    /// The service could not tell.
    Failed {
        /// Why.
        reason: String,
    },
}

/// What an authorizer says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Allowance {
    /// They may.
    Allowed,
    /// They may not, or it could not be told.
    Refused {
        /// Why not.
        reason: String,
    },
}

/// Where an error handler stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// `errors` of the rule.
    Rule,
    /// `errors.fallback` of the configuration, with its `when`.
    Fallback,
}

/// Whether an error handler tells of a refusal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Choice {
    /// It does.
    Chosen,
    /// Its `when` is for something else.
    NotForIt {
        /// What does not fit.
        reason: String,
    },
    /// Its `when` fits, but what it would say would not help.
    NoHelp {
        /// Why not.
        reason: String,
    },
    /// It cannot be run, or two of the rule fit: both are errors of their own.
    Failed {
        /// Which error.
        reason: String,
    },
}

/// Why it was refused: what the log tells, else what anybody may know.
pub(crate) fn why(refusal: &Refusal) -> String {
    refusal
        .log
        .clone()
        .unwrap_or_else(|| refusal.message.clone())
}

/// A header that may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its name, lower case.
    pub name: String,
    /// Its value; what is not UTF-8 in it is replaced.
    pub value: String,
}

impl Header {
    pub(crate) fn all<'a>(
        headers: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
    ) -> Vec<Self> {
        headers
            .map(|(name, value)| Self {
                name: name.as_str().to_owned(),
                value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
            })
            .collect()
    }
}

impl Step {
    /// Something other than a rule answers.
    pub(crate) fn own(by: &str) -> Self {
        Self::Own { by: by.to_owned() }
    }

    /// A question to another service, as it went.
    pub(crate) fn asked(method: String, url: String, answer: &Result<Inbound, FetchError>) -> Self {
        let (status, note) = match answer {
            Ok(inbound) => (Some(inbound.status), ""),
            Err(error) => (None, error.reason()),
        };
        Self::Asked {
            method,
            url,
            status,
            note: note.to_owned(),
        }
    }

    /// A refusal, as the log tells it.
    pub(crate) fn of_refusal(refusal: &Refusal) -> Self {
        Self::Refusal {
            status: refusal.status,
            message: refusal.message.clone(),
            reason: refusal.log.clone(),
        }
    }

    /// What a mutator did to the headers that the upstream is told.
    pub(crate) fn of_mutator(
        handler: &str,
        before: &HeaderMap,
        after: &HeaderMap,
        failed: Option<String>,
    ) -> Self {
        let made = after
            .iter()
            .filter(|(name, value)| before.get(*name) != Some(value));
        let headers = Header::all(made);
        let token = headers
            .iter()
            .filter(|header| header.name == "authorization")
            .find_map(|header| Token::decode(header.value.strip_prefix("Bearer ")?));
        Self::Mutator {
            handler: handler.to_owned(),
            headers,
            token,
            failed,
        }
    }

    pub(super) fn each_text(&mut self, visit: &mut impl FnMut(&mut String)) {
        match self {
            Self::Assumed { text } => visit(text),
            Self::Own { by } => visit(by),
            Self::Request { url, .. } => visit(url),
            Self::Rule { captures, .. } => captures.iter_mut().for_each(visit),
            Self::NoRule { reason } => visit(reason),
            Self::NearMiss(_) => {}
            Self::Authenticator { verdict, .. } => match verdict {
                Responsibility::NotResponsible { .. } => {}
                Responsibility::Refused { reason } => visit(reason),
                Responsibility::Responsible { subject } => visit(subject),
            },
            Self::Session { answer, .. } => {
                if let SessionAnswer::Failed { reason } = answer {
                    visit(reason);
                }
            }
            Self::Asked { url, note, .. } => {
                visit(url);
                visit(note);
            }
            Self::Authorizer { verdict, .. } => {
                if let Allowance::Refused { reason } = verdict {
                    visit(reason);
                }
            }
            Self::Mutator {
                headers,
                token,
                failed,
                ..
            } => {
                headers
                    .iter_mut()
                    .for_each(|header| visit(&mut header.value));
                for part in token
                    .iter_mut()
                    .flat_map(|token| [&mut token.header, &mut token.claims])
                {
                    each_text_in(part, visit);
                }
                failed.iter_mut().for_each(visit);
            }
            Self::Refusal {
                message, reason, ..
            } => {
                visit(message);
                reason.iter_mut().for_each(visit);
            }
            Self::ErrorHandler { verdict, .. } => match verdict {
                Choice::Chosen => {}
                Choice::NotForIt { reason }
                | Choice::NoHelp { reason }
                | Choice::Failed { reason } => visit(reason),
            },
        }
    }
}

/// The texts in a JSON value. Its depth is that of a JSON document that was parsed, which has a limit.
fn each_text_in(value: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text_in(item, visit)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| each_text_in(member, visit)),
        _ => {}
    }
}
