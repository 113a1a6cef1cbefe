//! Many requests in one run, one a line: for tests that compare with the gateway.

use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Answer, Services};
use super::case::Case;
use super::core::Core;
use super::{Door, authority, method};

/// One line. Nothing is added to its headers but the `Host` of its URL, if it has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    method: String,
    url: String,
    /// Names and values; a name may come twice.
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    listener: Listener,
    /// What whoami answers with 200. A credential is added as for `--session`.
    #[serde(default)]
    session: Option<Value>,
    /// What services answer, in place of `session`. Whoever is not among them cannot be reached.
    #[serde(default)]
    answers: Option<Vec<Recorded>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Listener {
    #[default]
    Proxy,
    Api,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    /// The URL that was asked, with its query.
    url: String,
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
}

/// Reads a file of requests.
///
/// # Errors
/// Says which line of it cannot be understood. What is there is not repeated: it may be a credential.
pub(super) fn read(path: &Path) -> Result<Vec<Case>, String> {
    let text = super::read(path)?;
    let lines = (1..).zip(text.lines());
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            case(line).map_err(|error| format!("`{}`, line {number}: {error}", path.display()))
        })
        .collect()
}

/// Reads one line.
///
/// # Errors
/// Says that it cannot be understood, and where.
pub(crate) fn case(line: &str) -> Result<Case, String> {
    let read: Result<Line, _> = serde_json::from_str(line);
    match read {
        Ok(line) => line.case(),
        Err(error) => Err(format!(
            "at column {} it is not the JSON object that docs/explain.md describes",
            error.column()
        )),
    }
}

/// One explanation a line, in the order of the requests.
///
/// # Errors
/// What to print when the policy cannot be put in force.
pub(super) fn explain(core: &Core, cases: &[Case]) -> Result<String, String> {
    let lines: Result<Vec<String>, String> = cases
        .iter()
        .map(|case| {
            let explanation = case.explain(core)?;
            serde_json::to_string(&explanation).map_err(|error| format!("error: {error}"))
        })
        .collect();
    Ok(lines?.join("\n"))
}

impl Line {
    fn case(self) -> Result<Case, String> {
        // What is wrong with a URL is the gateway's to say.
        let host = authority(&self.url).unwrap_or_default();
        let mut headers = header_map(&self.headers)?;
        if !headers.contains_key(http::header::HOST)
            && let Ok(host) = HeaderValue::from_str(host)
        {
            headers.insert(http::header::HOST, host);
        }
        let adds_credential = self.session.is_some();
        let services = match self.answers {
            Some(answers) => {
                let answers = answers.into_iter().map(Recorded::answer);
                Services::Recorded(answers.collect::<Result<_, _>>()?)
            }
            None => {
                let session = self
                    .session
                    .map(|session| Answer::session(&session.to_string()));
                Services::Offline(session)
            }
        };
        Ok(Case {
            method: method(&self.method)?,
            url: self.url,
            headers,
            listener: match self.listener {
                Listener::Proxy => Door::Proxy,
                Listener::Api => Door::Api,
            }
            .into(),
            services,
            adds_credential,
        })
    }
}

impl Recorded {
    fn answer(self) -> Result<(String, Answer), String> {
        let answer = Answer {
            status: self.status,
            headers: header_map(&self.headers)?,
            body: self.body.into_bytes(),
        };
        Ok((self.url, answer))
    }
}

fn header_map(pairs: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (number, (name, value)) in (1..).zip(pairs) {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(format!("header number {number} is none"));
        };
        headers.append(name, value);
    }
    Ok(headers)
}
