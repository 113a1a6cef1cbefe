//! SARIF 2.1.0 (OASIS), as code scanning takes it.

use std::collections::BTreeSet;

use edgekeeper_policy::compile::{Diagnostic, Severity};
use serde_json::{Value, json};

use super::findings::Findings;

/// One run with all findings as its results.
pub(super) fn text(findings: &Findings) -> String {
    let codes: BTreeSet<_> = findings.iter().map(|finding| finding.code).collect();
    let rules: Vec<Value> = codes
        .into_iter()
        .map(|code| {
            json!({
                "id": code.name(),
                "helpUri": code.page(),
            })
        })
        .collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "edgekeeper",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn result(finding: &Diagnostic) -> Value {
    let mut message = finding.headline();
    if !finding.help.is_empty() {
        message.push_str(". Help: ");
        message.push_str(&finding.help);
    }
    let mut place = json!({ "artifactLocation": { "uri": uri(&finding.file) } });
    if finding.line > 0
        && let Some(place) = place.as_object_mut()
    {
        let region = json!({ "startLine": finding.line, "startColumn": finding.column.max(1) });
        place.insert("region".to_owned(), region);
    }
    json!({
        "ruleId": finding.code.name(),
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note | Severity::Hint => "note",
        },
        "message": { "text": message },
        "locations": [{ "physicalLocation": place }],
    })
}

/// A path as a relative URI reference (RFC 3986 section 4.2).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            b'\\' => uri.push('/'),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        for (path, expected) in [
            ("conf/access-rules.json", "conf/access-rules.json"),
            ("my rules.json", "my%20rules.json"),
            ("c.yml:3 (inline)", "c.yml%3A3%20%28inline%29"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
