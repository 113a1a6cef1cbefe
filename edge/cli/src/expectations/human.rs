//! Results for people: a line for each test, and all that helps with one that failed.

use edgekeeper_policy::compile::printable;

use super::result::{Results, Tested};
use crate::explain::text;

/// Writes the results, with a line end behind them.
pub(super) fn text(results: &Results) -> String {
    let mut written = String::new();
    for tested in &results.tested {
        if tested.passed() {
            written.push_str(&format!("ok      {}\n", tested.test.name));
        } else {
            failed(tested, &mut written);
        }
    }
    if !written.ends_with("\n\n") {
        written.push('\n');
    }
    written.push_str(&format!("{}\n", results.summary()));
    written
}

fn failed(tested: &Tested, written: &mut String) {
    let test = &tested.test;
    written.push_str(&format!(
        "FAILED  {}  ({}:{})\n",
        test.name, test.file, test.line
    ));
    for line in differences(tested) {
        written.push_str(&format!("        {line}\n"));
    }
    written.push('\n');
    for line in text::write(&tested.explanation).lines() {
        written.push_str(&format!("          {line}\n"));
    }
    written.push('\n');
}

/// What was expected and what is, a line each.
pub(super) fn differences(tested: &Tested) -> Vec<String> {
    let lines = tested.misses.iter().map(|miss| {
        printable(&format!(
            "{}: expected {}, found {}",
            miss.what, miss.expected, miss.found
        ))
    });
    lines.collect()
}
