//! Requests that somebody gives: expectations, or recorded ones, one a line.

use std::path::Path;

use edgekeeper_policy::compile::Sources as _;
use serde::Deserialize;

use super::asked::Asked;
use super::sessions;
use crate::expectations;
use crate::explain::batch;
use crate::files::FileSystem;

/// A decision as the gateway logs it. What else a line has is not read.
#[derive(Deserialize)]
struct Logged {
    msg: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    host: String,
    #[serde(default)]
    path: String,
    /// Where what is known of the session came from.
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    status: Option<u16>,
}

/// What a file has.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) asked: Vec<Asked>,
    /// Lines of a log that are about something else.
    pub(crate) others: usize,
}

/// Reads a file of requests: expectations (`.yml`, `.yaml`), else one JSON object a line: the gateway's log, or what
/// docs/explain.md has under "Many requests".
///
/// # Errors
/// Says which line cannot be understood, and what is allowed. What is there is not repeated: it may be a credential.
pub(crate) fn read(path: &str) -> Result<Given, String> {
    let extension = Path::new(path).extension().and_then(|end| end.to_str());
    if extension.is_some_and(|end| end == "yml" || end == "yaml") {
        let cases = expectations::cases(path)?;
        let asked = cases.into_iter().map(|case| Asked {
            case,
            is_given: true,
        });
        return Ok(Given {
            asked: asked.collect(),
            others: 0,
        });
    }
    let text = FileSystem
        .read(path)
        .map_err(|reason| format!("error: `{path}` cannot be read: {reason}"))?;
    let mut given = Given::default();
    for (number, line) in (1_usize..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        // What runs the gateway writes lines of its own between.
        if !line.starts_with('{') {
            given.others = given.others.saturating_add(1);
            continue;
        }
        if let Ok(logged) = serde_json::from_str::<Logged>(line) {
            match logged.asked() {
                Some(asked) => given.asked.push(asked),
                None => given.others = given.others.saturating_add(1),
            }
            continue;
        }
        let case = batch::case(line).map_err(|error| {
            format!("error: `{path}`, line {number}: {error}\n  help: a line is one of the gateway's log, or such as {{\"method\":\"GET\",\"url\":\"https://app.example.com/a\"}}")
        })?;
        given.asked.push(Asked {
            case,
            is_given: true,
        });
    }
    if given.asked.is_empty() {
        return Err(format!(
            "error: there are no requests in `{path}`\n  help: give a file of expectations (`.yml`), lines of the gateway's log, or lines such as {{\"method\":\"GET\",\"url\":\"https://app.example.com/a\"}}"
        ));
    }
    Ok(given)
}

impl Logged {
    /// The request of a decision. Who had a session then has one now; the log does not say whose.
    fn asked(&self) -> Option<Asked> {
        if self.msg != "decision" || self.method.is_empty() || self.host.is_empty() {
            return None;
        }
        let had_one = self.session.as_deref().is_some_and(|from| from != "failed")
            && self.status != Some(401);
        let url = format!("https://{}{}", self.host, sessions::encoded(&self.path));
        let session = had_one.then(sessions::somebody);
        let asked = Asked::made(&self.method, &url, &[], session.as_ref())?;
        Some(Asked {
            is_given: true,
            ..asked
        })
    }
}
