//! An explanation for people: one step a line.

use edgekeeper_gateway::explanation::{
    Allowance, Choice, Explanation, Header, Outcome, Responsibility, SessionAnswer, Step, Whose,
};
use edgekeeper_gateway::refusal::status_text;
use edgekeeper_policy::compile::printable;

use super::differences::words;

/// Where what is said of a step begins.
const COLUMN: usize = 16;

/// Writes an explanation, without a line end behind it.
pub(crate) fn write(explanation: &Explanation) -> String {
    let mut lines = Vec::new();
    for step in &explanation.steps {
        write_step(step, &mut lines);
    }
    write_outcome(&explanation.outcome, &mut lines);
    lines.join("\n")
}

fn write_step(step: &Step, lines: &mut Vec<String>) {
    let mut put = |label: &str, text: &str| lines.push(line(label, text));
    match step {
        Step::Assumed { text } => put("assumed", text),
        Step::Own { by } => put("answered by", by),
        Step::Request { method, url } => put("request", &format!("{method} {url}")),
        Step::Rule {
            id,
            pattern,
            captures,
        } => {
            put("rule", &format!("{id}  {pattern}"));
            if !captures.is_empty() {
                let captures: Vec<String> =
                    captures.iter().map(|text| format!("{text:?}")).collect();
                put("  captured", &captures.join(", "));
            }
        }
        Step::NoRule { reason } => put("rule", &format!("none: {reason}")),
        Step::NearMiss(miss) => {
            let why: Vec<String> = miss.differences.iter().map(words).collect();
            put(
                "  not",
                &format!("{}  {}: {}", miss.rule, miss.pattern, why.join("; ")),
            );
        }
        Step::Authenticator { handler, verdict } => {
            let verdict = match verdict {
                Responsibility::NotResponsible { wants } => {
                    format!("not responsible; it takes {wants}")
                }
                Responsibility::Refused { reason } => format!("refuses: {reason}"),
                Responsibility::Responsible { subject } if subject.is_empty() => {
                    "lets pass, without a subject".to_owned()
                }
                Responsibility::Responsible { subject } => format!("knows {subject}"),
            };
            put("authenticator", &format!("{handler}: {verdict}"));
        }
        Step::Session { source, answer } => {
            let answer = match answer {
                SessionAnswer::Active { expires: None } => "active".to_owned(),
                SessionAnswer::Active { expires: Some(end) } => {
                    format!("active until {}", crate::time::utc(*end))
                }
                SessionAnswer::None => "none that counts".to_owned(),
                SessionAnswer::SecondFactor => "a second factor is wanted first".to_owned(),
                SessionAnswer::Failed { reason } => format!("not known: {reason}"),
            };
            put("  session", &format!("{source}: {answer}"));
        }
        Step::Asked {
            method,
            url,
            status,
            note,
        } => {
            let answer = status
                .map(|status| format!(" → {status}"))
                .unwrap_or_default();
            let note = if note.is_empty() {
                String::new()
            } else {
                format!(" ({note})")
            };
            put("  question", &format!("{method} {url}{answer}{note}"));
        }
        Step::Authorizer { handler, verdict } => {
            let verdict = match verdict {
                Allowance::Allowed => "allows".to_owned(),
                Allowance::Refused { reason } => format!("refuses: {reason}"),
            };
            put("authorizer", &format!("{handler}: {verdict}"));
        }
        Step::Mutator {
            handler,
            headers,
            token,
            failed,
        } => {
            let made = match (failed, headers.as_slice()) {
                (Some(reason), _) => format!("fails: {reason}"),
                (None, []) => "sets nothing".to_owned(),
                (None, headers) => format!("sets {}", names(headers)),
            };
            put("mutator", &format!("{handler}: {made}"));
            for header in headers {
                put("", &shown(header));
            }
            if let Some(token) = token {
                put("  token", &format!("header {}", token.header));
                put("", &format!("claims {}", token.claims));
            }
        }
        Step::Refusal {
            status,
            message,
            reason,
        } => {
            put("refused", &format!("{status} {message}"));
            if let Some(reason) = reason {
                put("  why", reason);
            }
        }
        Step::ErrorHandler {
            of,
            number,
            handler,
            verdict,
        } => {
            let whose = match of {
                Whose::Rule => "of the rule",
                Whose::Fallback => "of the fallback",
            };
            let verdict = match verdict {
                Choice::Chosen => "tells of it".to_owned(),
                Choice::NotForIt { reason } => format!("not for this: {reason}"),
                Choice::NoHelp { reason } => format!("passed over: {reason}"),
                Choice::Failed { reason } => format!("fails: {reason}"),
            };
            put(
                "error handler",
                &format!("{handler} (number {number} {whose}): {verdict}"),
            );
        }
    }
}

fn write_outcome(outcome: &Outcome, lines: &mut Vec<String>) {
    let (first, headers, body) = match outcome {
        Outcome::Forward {
            method,
            url,
            binding,
            headers,
        } => {
            let binding = binding
                .as_ref()
                .map(|binding| format!(" by the binding {binding}"));
            let binding = binding.unwrap_or_default();
            (format!("→ upstream {method} {url}{binding}"), headers, "")
        }
        Outcome::Answer {
            status,
            headers,
            body,
        } => {
            let first = format!("→ {status} {}", status_text(*status));
            (first.trim_end().to_owned(), headers, body.trim_end())
        }
    };
    lines.push(first);
    lines.extend(headers.iter().map(|header| line("", &shown(header))));
    lines.extend(body.lines().map(|text| line("", text)));
}

fn line(label: &str, text: &str) -> String {
    // What came with the request must not move the terminal's cursor.
    let text = printable(text);
    format!("{label:<COLUMN$}{text}").trim_end().to_owned()
}

fn shown(header: &Header) -> String {
    format!("{}: {}", header.name, header.value)
}

fn names(headers: &[Header]) -> String {
    let names: Vec<&str> = headers.iter().map(|header| header.name.as_str()).collect();
    names.join(", ")
}
