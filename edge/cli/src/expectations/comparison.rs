//! What was expected, compared with what the gateway decided.
//!
//! It is compared with what an explanation shows, so that no secret can get into a result.

use edgekeeper_gateway::explanation::{Explanation, Header, Outcome, Step, holds_credential};
use edgekeeper_policy::compile::name;
use edgekeeper_policy::document::Policy;
use http::HeaderName;
use serde::Serialize;
use serde_json::Value;

use super::expected::{Expected, Upstream, WantedHeader, WantedRule};
use super::wanted::{Wanted, WantedClaim};

/// One expectation that is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Miss {
    /// The expectation, as a path below `expect`.
    pub(super) what: String,
    /// For people: what was to be.
    pub(super) expected: String,
    /// For people: what is.
    pub(super) found: String,
}

/// What is not as expected, in the order of the documentation.
pub(super) fn misses(expected: &Expected, found: &Explanation, policy: &Policy) -> Vec<Miss> {
    let mut misses = Vec::new();
    let mut miss = |what: &str, expected: String, found: String| {
        misses.push(Miss {
            what: what.to_owned(),
            expected,
            found,
        });
    };
    if let Some(wanted) = expected.allow
        && wanted != is_allowed(found)
    {
        miss("allow", format!("`{wanted}`"), came(found));
    }
    if let Some(wanted) = &expected.rule {
        let id = rule(found);
        let (fits, wanted) = match wanted {
            WantedRule::None => (id.is_none(), "none".to_owned()),
            WantedRule::Id(wanted) => (
                id == Some(wanted),
                format!("`{wanted}`{}", known(wanted, policy)),
            ),
        };
        if !fits {
            let id = id.map_or_else(|| "none".to_owned(), |id| format!("`{id}`"));
            miss("rule", wanted, id);
        }
    }
    if let Some(wanted) = expected.status {
        match &found.outcome {
            Outcome::Answer { status, .. } if *status == wanted => {}
            _ => miss("status", wanted.to_string(), came(found)),
        }
    }
    let answer = match &found.outcome {
        Outcome::Answer { headers, .. } => Some(headers),
        Outcome::Forward { .. } => None,
    };
    for (name, wanted) in &expected.headers {
        let what = format!("headers.{name}");
        match answer {
            Some(headers) if wanted.fits(values(headers, name)) => {}
            Some(headers) => {
                let shown = shown(headers, name);
                miss(&what, told(wanted, name.as_str(), &shown), shown);
            }
            None => miss(&what, told(wanted, name.as_str(), ""), came(found)),
        }
    }
    if let Some(wanted) = &expected.upstream {
        upstream(wanted, found, &mut miss);
    }
    misses
}

fn upstream(wanted: &Upstream, found: &Explanation, miss: &mut impl FnMut(&str, String, String)) {
    let Outcome::Forward { url, headers, .. } = &found.outcome else {
        miss("upstream", "a request to it".to_owned(), came(found));
        return;
    };
    if let Some(wanted) = &wanted.url
        && !wanted.fits(std::iter::once(url.as_str()))
    {
        miss("upstream.url", told(wanted, "", url), format!("`{url}`"));
    }
    for (name, wanted) in &wanted.headers {
        let what = format!("upstream.headers.{name}");
        match wanted {
            WantedHeader::Text(wanted) if wanted.fits(values(headers, name)) => {}
            WantedHeader::Text(wanted) => {
                let shown = shown(headers, name);
                miss(&what, told(wanted, name.as_str(), &shown), shown);
            }
            WantedHeader::Claims(wanted) => match token(found, name) {
                Some(token) => claims(&what, wanted, token, miss),
                None => {
                    let expected = "a token that a mutator makes".to_owned();
                    miss(&what, expected, shown(headers, name));
                }
            },
        }
    }
}

fn claims(
    what: &str,
    wanted: &[(String, WantedClaim)],
    token: &Value,
    miss: &mut impl FnMut(&str, String, String),
) {
    for (name, wanted) in wanted {
        let found = token.get(name);
        if !wanted.fits(found) {
            let what = format!("{what}.claims.{name}");
            let found = match found {
                Some(Value::String(text)) => format!("`{text}`"),
                Some(value) => format!("`{value}`"),
                None => "absent".to_owned(),
            };
            miss(&what, wanted.to_string(), found);
        }
    }
}

/// Whether the request goes on: to its upstream, or, for a decision, with the caller.
fn is_allowed(found: &Explanation) -> bool {
    match &found.outcome {
        Outcome::Forward { .. } => true,
        Outcome::Answer { status, .. } => *status == 200 && rule(found).is_some(),
    }
}

fn rule(found: &Explanation) -> Option<&String> {
    found.steps.iter().find_map(|step| match step {
        Step::Rule { id, .. } => Some(id),
        _ => None,
    })
}

/// A remark on an id that no rule has.
fn known(wanted: &str, policy: &Policy) -> String {
    let mut ids = policy.rules.iter().map(|rule| rule.id.as_str());
    if ids.any(|id| id == wanted) {
        return String::new();
    }
    let ids = policy.rules.iter().map(|rule| rule.id.as_str());
    let hint = name::hint(wanted, ids);
    format!(" (no rule has this id{})", ended(&hint))
}

fn ended(hint: &str) -> String {
    match hint.trim_end() {
        "" => String::new(),
        hint => format!("; {hint}"),
    }
}

/// What was to be, unless somebody has written a credential there.
fn told(wanted: &Wanted, header: &str, found: &str) -> String {
    let is_secret = holds_credential(header)
        || ["cookie", "set-cookie"].contains(&header)
        || found.contains("***");
    match wanted {
        Wanted::Exactly(text) if is_secret && !text.contains("***") => {
            "a text that is not shown (credentials are compared as `***`)".to_owned()
        }
        wanted => wanted.to_string(),
    }
}

/// What came of the request.
fn came(found: &Explanation) -> String {
    match &found.outcome {
        Outcome::Forward { url, .. } => format!("a request to the upstream `{url}`"),
        Outcome::Answer { status, .. } => format!("an answer with {status}"),
    }
}

fn values<'h>(headers: &'h [Header], name: &'h HeaderName) -> impl Iterator<Item = &'h str> {
    headers
        .iter()
        .filter(move |header| header.name == name.as_str())
        .map(|header| header.value.as_str())
}

fn shown(headers: &[Header], name: &HeaderName) -> String {
    let values: Vec<String> = values(headers, name)
        .map(|value| format!("`{value}`"))
        .collect();
    if values.is_empty() {
        "absent".to_owned()
    } else {
        values.join(" and ")
    }
}

/// The claims of the token that a mutator set a header to, the last one.
fn token<'f>(found: &'f Explanation, name: &HeaderName) -> Option<&'f Value> {
    found.steps.iter().rev().find_map(|step| match step {
        Step::Mutator {
            headers,
            token: Some(token),
            ..
        } if values(headers, name).next().is_some() => Some(&token.claims),
        _ => None,
    })
}
