//! One JSON document.

use serde_json::{Value, json};

use super::findings::Findings;

/// `{ "findings": [...], "counts": {...}, "rules": N }`; `docs/check.md` describes it.
pub(super) fn text(findings: &Findings) -> String {
    let list: Vec<Value> = findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code.name(),
                "severity": finding.severity.to_string(),
                "file": finding.file,
                "line": finding.line,
                "column": finding.column,
                "rule": finding.rule,
                "message": finding.message,
                "help": finding.help,
            })
        })
        .collect();
    let counts: serde_json::Map<String, Value> = findings
        .counts()
        .into_iter()
        .map(|(severity, count)| (severity.to_string(), Value::from(count)))
        .collect();
    let document = json!({ "findings": list, "counts": counts, "rules": findings.rules() });
    format!("{document:#}\n")
}
