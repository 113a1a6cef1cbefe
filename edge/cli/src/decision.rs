//! A decision of a running gateway, as a line of its log has it.

use edgekeeper_gateway::explanation::holds_credential;
use serde_json::{Map, Value};

/// What stands for a credential.
const MASK: &str = "***";

/// More beginnings of JSON than these are not tried in a line.
const MOST_BEGINNINGS: usize = 16;

/// One decision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision(Map<String, Value>);

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It went on.
    Allowed,
    /// It did not.
    Refused,
    /// It was for the gateway itself: an endpoint, CORS.
    Answered,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Answered => "answered",
        }
    }
}

/// The decisions in a line. Hosts put something before the gateway's JSON, and colours behind it; `wrangler tail --format json`
/// has it as a text within its own.
pub(crate) fn read(line: &str) -> Vec<Decision> {
    let mut found = Vec::new();
    // What nearly every other line is told by, at little cost.
    if !line.contains("decision") || !line.contains("msg") {
        return found;
    }
    let mut rest = line;
    for _ in 0..MOST_BEGINNINGS {
        let Some(at) = rest.find(['{', '"']) else {
            break;
        };
        rest = rest.get(at..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        // What is within a value of somebody else's says nothing: a client may have written it.
        let read = match values.next() {
            Some(Ok(value)) => {
                collect(value, &mut found);
                values.byte_offset()
            }
            _ => 1,
        };
        if !found.is_empty() {
            break;
        }
        rest = rest.get(read..).unwrap_or_default();
    }
    found
}

fn collect(value: Value, found: &mut Vec<Decision>) {
    match value {
        Value::String(text) => collect_text(&text, found),
        Value::Object(object) if object.get("msg").is_some_and(|msg| msg == "decision") => {
            let mut decision = Decision(object);
            decision.mask();
            found.push(decision);
        }
        // An event of `wrangler tail`.
        Value::Object(object) => {
            let logs = object.get("logs").and_then(Value::as_array);
            let messages = logs
                .into_iter()
                .flatten()
                .filter_map(|log| log.get("message")?.as_array());
            for text in messages.flatten().filter_map(Value::as_str) {
                collect_text(text, found);
            }
        }
        _ => {}
    }
}

fn collect_text(text: &str, found: &mut Vec<Decision>) {
    if let Ok(Value::Object(object)) = serde_json::from_str(text)
        && object.get("msg").is_some_and(|msg| msg == "decision")
    {
        collect(Value::Object(object), found);
    }
}

impl Decision {
    /// A text of the line.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A number of the line.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    /// The steps of its explanation; none without one.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let explanation = self.0.get("explanation");
        let steps = explanation.and_then(|explanation| explanation.get("steps")?.as_array());
        steps.into_iter().flatten().filter_map(Value::as_object)
    }

    /// The first step of a kind.
    pub(crate) fn step(&self, kind: &str) -> Option<&Map<String, Value>> {
        self.steps()
            .find(|step| step.get("step").is_some_and(|found| found == kind))
    }

    pub(crate) fn outcome(&self) -> Option<&Map<String, Value>> {
        self.0.get("explanation")?.get("outcome")?.as_object()
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let status = self.number("status").unwrap_or_default();
        let has_rule = self.text("rule").is_some();
        if self.is_for_the_operator() {
            return Verdict::Answered;
        }
        let Some(outcome) = self.outcome() else {
            return match (self.text("reason"), has_rule) {
                (Some(_), _) => Verdict::Refused,
                (None, true) => Verdict::Allowed,
                (None, false) if status < 400 => Verdict::Answered,
                (None, false) => Verdict::Refused,
            };
        };
        let forwards = outcome.get("kind").is_some_and(|kind| kind == "forward");
        if forwards || (has_rule && status == 200 && self.step("refusal").is_none()) {
            Verdict::Allowed
        } else if status < 400 && self.step("refusal").is_none() {
            Verdict::Answered
        } else {
            Verdict::Refused
        }
    }

    /// Whether it was only explained, to the operator (`Edge-Explain`): nothing came of it.
    pub(crate) fn is_for_the_operator(&self) -> bool {
        self.number("status") == Some(200)
            && self
                .text("reason")
                .is_some_and(|reason| reason.starts_with("explained to the operator"))
    }

    /// The line's members.
    pub(crate) fn into_members(self) -> Map<String, Value> {
        self.0
    }

    /// The gateway has masked what is the client's. Who reads a line here has even less to do with a cookie or a token, whoever
    /// made it.
    fn mask(&mut self) {
        let Some(explanation) = self.0.get_mut("explanation") else {
            return;
        };
        if let Some(steps) = explanation.get_mut("steps").and_then(Value::as_array_mut) {
            steps.iter_mut().for_each(mask_headers);
        }
        if let Some(outcome) = explanation.get_mut("outcome") {
            mask_headers(outcome);
        }
    }
}

fn mask_headers(holder: &mut Value) {
    let headers = holder.get_mut("headers").and_then(Value::as_array_mut);
    for header in headers.into_iter().flatten() {
        let name = header.get("name").and_then(Value::as_str);
        let name = name.unwrap_or_default().to_ascii_lowercase();
        let Some(value) = header.get("value").and_then(Value::as_str) else {
            continue;
        };
        if let Some(masked) = masked(&name, value)
            && let Some(header) = header.as_object_mut()
        {
            header.insert("value".to_owned(), Value::from(masked));
        }
    }
}

/// What may be shown of a header; `None` for its value as it is.
fn masked(name: &str, value: &str) -> Option<String> {
    let pair = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default().trim();
        format!("{name}={MASK}")
    };
    match name {
        "cookie" => {
            let pairs: Vec<String> = value.split(';').map(pair).collect();
            Some(pairs.join("; "))
        }
        "set-cookie" => {
            let (first, attributes) = value.split_once(';').unwrap_or((value, ""));
            let end = if attributes.is_empty() { "" } else { ";" };
            Some(format!("{}{end}{attributes}", pair(first)))
        }
        name if holds_credential(name) && !value.contains(MASK) => {
            Some(match value.split_once(' ') {
                Some((scheme, _)) => format!("{scheme} {MASK}"),
                None => MASK.to_owned(),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LINE: &str = r#"{"msg":"decision","method":"GET","host":"a.test","path":"/","rule":"web","status":200,"ms":1}"#;

    #[test]
    fn a_line_is_found_whatever_its_host_puts_around_it() {
        let text = Value::from(LINE).to_string();
        let event = json!({ "outcome": "ok", "logs": [{ "level": "log", "message": [LINE] }, { "message": [7] }] });
        for line in [
            LINE.to_owned(),
            format!("stderr [12] :: {LINE}\r"),
            format!("\u{1b}[32m[edgekeeper]\u{1b}[0m {LINE}\u{1b}[0m"),
            format!("  (log) {LINE}"),
            format!("[{{x}} \"quoted\"] {LINE}"),
            format!("          {text},"),
            event.to_string(),
        ] {
            let found = read(&line);
            assert_eq!(found.len(), 1, "{line}");
            assert_eq!(found[0].text("rule"), Some("web"), "{line}");
            assert_eq!(found[0].number("status"), Some(200), "{line}");
        }
    }

    #[test]
    fn what_is_no_decision_is_none() {
        for line in [
            "",
            "decision msg",
            r#"{"msg":"decision""#,
            r#"{"msg":"warning","text":"decision"}"#,
            r#"[{"msg":"decision"]"#,
            r#""{\"msg\":\"other\",\"x\":\"decision\"}""#,
            r#"{"logs":"msg decision"}"#,
            r#"{"msg":"warning","path":"{\"msg\":\"decision\"}"}"#,
            r#"{"logs":[{"message":["msg decision"]}]}"#,
        ] {
            assert_eq!(read(line), [], "{line}");
        }
        let deep = format!("{}\"msg decision", "{\"a\":".repeat(100_000));
        assert_eq!(read(&deep), []);
    }

    #[test]
    fn the_verdict_is_the_explanations_and_without_one_the_lines() {
        let explained =
            |steps: Value, outcome: Value| json!({ "steps": steps, "outcome": outcome });
        let forward = json!({ "kind": "forward" });
        let answer = json!({ "kind": "answer" });
        let refusal = json!([{ "step": "refusal" }]);
        for (status, rule, reason, explanation, expected) in [
            (200, Some("a"), None, None, Verdict::Allowed),
            (502, Some("a"), Some("why"), None, Verdict::Refused),
            (404, None, None, None, Verdict::Refused),
            (
                200,
                Some("a"),
                Some("explained to the operator, not sent on"),
                None,
                Verdict::Answered,
            ),
            (200, None, None, None, Verdict::Answered),
            (
                502,
                Some("a"),
                Some("upstream"),
                Some(explained(json!([]), forward)),
                Verdict::Allowed,
            ),
            (
                302,
                Some("a"),
                None,
                Some(explained(refusal.clone(), answer.clone())),
                Verdict::Refused,
            ),
            (
                200,
                Some("a"),
                None,
                Some(explained(refusal, answer.clone())),
                Verdict::Refused,
            ),
            (
                200,
                Some("a"),
                None,
                Some(explained(json!([]), answer.clone())),
                Verdict::Allowed,
            ),
            (
                204,
                None,
                None,
                Some(explained(json!([]), answer.clone())),
                Verdict::Answered,
            ),
            (
                404,
                None,
                None,
                Some(explained(json!(7), answer)),
                Verdict::Refused,
            ),
        ] {
            let line = json!({ "msg": "decision", "status": status, "rule": rule, "reason": reason, "explanation": explanation });
            let found = read(&line.to_string());
            assert_eq!(found[0].verdict(), expected, "{line}");
        }
    }

    #[test]
    fn no_cookie_and_no_token_is_kept() {
        let header = |name: &str, value: &str| json!({ "name": name, "value": value });
        let line = json!({ "msg": "decision", "explanation": {
            "steps": [{ "step": "mutator", "headers": [header("cookie", "a=SECRET; b"), header("x-user", "ada")] }],
            "outcome": { "kind": "forward", "headers": [
                header("authorization", "Bearer SECRET"), header("x-api-key", "SECRET"), header("x-token", "x***"),
                header("Set-Cookie", "s=SECRET; Path=/"), header("set-cookie", "s=SECRET"), json!(7), json!({ "name": 7 }),
            ] },
        } });
        let found = Value::Object(read(&line.to_string())[0].clone().into_members());
        assert!(!found.to_string().contains("SECRET"), "{found}");
        assert_eq!(
            found["explanation"]["steps"][0]["headers"],
            json!([header("cookie", "a=***; b=***"), header("x-user", "ada")])
        );
        assert_eq!(
            found["explanation"]["outcome"]["headers"][3],
            header("Set-Cookie", "s=***; Path=/")
        );
    }
}
