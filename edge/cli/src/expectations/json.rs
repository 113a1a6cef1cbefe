//! Results for programs: docs/test.md.

use serde_json::{Value, json};

use super::result::{Results, Tested};

/// The version of this document. It is raised when somebody who reads it would have to change.
const FORMAT: u32 = 1;

/// Writes the results, with a line end behind them.
pub(super) fn text(results: &Results) -> String {
    let document = json!({
        "format": FORMAT,
        "tests": results.tested.iter().map(test).collect::<Vec<_>>(),
        "failed": results.failed(),
        "milliseconds": results.milliseconds,
    });
    format!("{document:#}\n")
}

fn test(tested: &Tested) -> Value {
    let mut value = json!({
        "name": tested.test.name,
        "file": tested.test.file,
        "line": tested.test.line,
        "passed": tested.passed(),
    });
    if !tested.passed()
        && let Value::Object(members) = &mut value
    {
        members.insert("failures".to_owned(), json!(tested.misses));
        members.insert("explanation".to_owned(), json!(tested.explanation));
    }
    value
}
