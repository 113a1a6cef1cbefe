//! What is tried so that a test does what the gateway did.

use edgekeeper_gateway::explanation::{Explanation, Outcome, Step, holds_credential};

use super::observed::Observed;
use super::scalar::scalar;
use super::someone::Someone;
use crate::expectations::file::{self, Test};
use crate::expectations::result::Tested;
use crate::explain::core::Core;

/// A test that does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The item of `tests`: its lines, without what is before them.
    pub(super) lines: Vec<String>,
    /// Who must be signed in.
    pub(super) someone: Option<Someone>,
}

/// What a request is tried with.
#[derive(Clone, Copy)]
struct With<'a> {
    header: Option<(&'a str, &'a str)>,
    someone: Option<Someone>,
    listener: Option<&'a str>,
}

/// Looks for a test of a request that does what the gateway did.
///
/// # Errors
/// Why there is none, in one line.
pub(super) fn record(
    observed: &Observed,
    authority_and_path: &str,
    core: &Core,
) -> Result<Recorded, String> {
    let cookie = core.policy().session.cookies.first();
    let cookie = cookie.map(|name| format!("{name}=made-up"));
    let mut headers = vec![
        None,
        Some(("accept", "text/html")),
        Some(("accept", "application/json")),
    ];
    if observed.asked
        && !observed.signed_in
        && let Some(cookie) = &cookie
    {
        headers.push(Some(("cookie", cookie.as_str())));
    }
    let someones = if observed.signed_in {
        vec![Some(Someone::OneFactor), Some(Someone::TwoFactors)]
    } else {
        vec![None]
    };
    let schemes = match observed.scheme.as_deref() {
        Some(scheme @ ("http" | "https")) => vec![scheme],
        _ => vec!["https", "http"],
    };
    // A log does not say where a request came in.
    let is_of_the_api = observed.rule.is_none()
        || observed.path == "/decisions"
        || observed.path.starts_with("/decisions/");
    let listeners = if is_of_the_api {
        &[None, Some("api")][..]
    } else {
        &[None]
    };
    let mut first = None;
    for scheme in schemes {
        let request = format!("{} {scheme}://{authority_and_path}", observed.method);
        for listener in listeners {
            for someone in &someones {
                for header in &headers {
                    let with = With {
                        header: *header,
                        someone: *someone,
                        listener: *listener,
                    };
                    match attempt(observed, &request, with, core) {
                        Ok(recorded) => return Ok(recorded),
                        Err(reason) => {
                            first.get_or_insert(reason);
                        }
                    }
                }
            }
        }
    }
    Err(first.unwrap_or_default())
}

fn attempt(
    observed: &Observed,
    request: &str,
    with: With<'_>,
    core: &Core,
) -> Result<Recorded, String> {
    let mut lines = vec![format!("request: {}", scalar(request))];
    if let Some((name, value)) = with.header {
        lines.push(format!("headers: {{ {name}: {} }}", scalar(value)));
    }
    if let Some(someone) = with.someone {
        lines.push(format!("session: {}", someone.name()));
    }
    if let Some(listener) = with.listener {
        lines.push(format!("listener: {listener}"));
    }
    lines.push("expect:".to_owned());
    lines.push(format!("  allow: {}", observed.allowed));
    let rule = match observed.rule.as_deref() {
        // A rule could be called so.
        None | Some("none") => "none".to_owned(),
        Some(rule) => scalar(rule),
    };
    lines.push(format!("  rule: {rule}"));
    if let Some(status) = observed.status {
        lines.push(format!("  status: {status}"));
    }
    let mut recorded = Recorded {
        lines,
        someone: with.someone,
    };
    let tested = recorded.test(core)?;
    if let Some(miss) = tested.misses.first() {
        return Err(format!(
            "without the real request, {} would be {} and was {}",
            miss.what, miss.found, miss.expected
        ));
    }
    let more = upstream(&tested.explanation);
    if !more.is_empty() {
        let short = recorded.clone();
        recorded.lines.extend(more);
        // What is of this moment, such as a time in a header, is not to be expected tomorrow.
        if !recorded.test(core)?.passed() {
            return Ok(short);
        }
    }
    Ok(recorded)
}

impl Recorded {
    /// The item's text, each line behind this.
    pub(super) fn item(&self, indent: &str) -> String {
        let mut text = String::new();
        for (number, line) in self.lines.iter().enumerate() {
            let bullet = if number == 0 { "- " } else { "  " };
            text.push_str(&format!("{indent}{bullet}{line}\n"));
        }
        text
    }

    /// Runs it as the file will have it.
    fn test(&self, core: &Core) -> Result<Tested, String> {
        let test = self
            .as_test()
            .ok_or_else(|| "it cannot be written as a test".to_owned())?;
        Tested::of(test, core)
    }

    /// What is read of it in a file.
    pub(super) fn as_test(&self) -> Option<Test> {
        let sessions = self
            .someone
            .map(|someone| format!("sessions:\n  {}\n", someone.entry()));
        let sessions = sessions.unwrap_or_default();
        let text = format!("{sessions}tests:\n{}", self.item("  "));
        let document = file::parse("recorded", &text).ok()?;
        document.tests.into_iter().next()
    }
}

/// What the upstream is told of the person who was made up: nothing else of what it gets can be told from a secret.
fn upstream(explanation: &Explanation) -> Vec<String> {
    let Outcome::Forward { url, .. } = &explanation.outcome else {
        return Vec::new();
    };
    let mut lines = vec!["  upstream:".to_owned()];
    if !url.contains("***") {
        lines.push(format!("    url: {}", scalar(url)));
    }
    let mut headers = Vec::new();
    for step in &explanation.steps {
        let Step::Mutator {
            headers: made,
            token,
            ..
        } = step
        else {
            continue;
        };
        for header in made {
            if Someone::is_told(&header.value) && !holds_credential(&header.name) {
                headers.push((header.name.clone(), scalar(&header.value)));
            }
        }
        let is_token = made.iter().any(|header| header.name == "authorization");
        if let Some(claims) = token.as_ref().and_then(|token| token.claims.as_object())
            && is_token
        {
            let claims = claims.iter().filter_map(|(name, value)| {
                let value = value.as_str().filter(|value| Someone::is_told(value))?;
                Some(format!("{}: {}", scalar(name), scalar(value)))
            });
            let claims: Vec<String> = claims.collect();
            if !claims.is_empty() {
                let claims = format!("{{ claims: {{ {} }} }}", claims.join(", "));
                headers.push(("authorization".to_owned(), claims));
            }
        }
    }
    // The last of a name is what the upstream gets.
    let mut written: Vec<String> = Vec::new();
    for (name, value) in headers.into_iter().rev() {
        let line = format!("      {name}: ");
        if !written.iter().any(|found| found.starts_with(&line)) {
            written.push(line + &value);
        }
    }
    if !written.is_empty() {
        written.push("    headers:".to_owned());
        lines.extend(written.into_iter().rev());
    }
    if lines.len() > 1 { lines } else { Vec::new() }
}
