//! Results as JUnit's XML, which CI servers read.

use super::human::differences;
use super::result::{Results, Tested};
use crate::explain::text;

/// Writes the results, with a line end behind them.
pub(super) fn text(results: &Results) -> String {
    let numbers = format!(
        "tests=\"{}\" failures=\"{}\" time=\"{}.{:03}\"",
        results.tested.len(),
        results.failed(),
        results.milliseconds.div_euclid(1_000),
        results.milliseconds.rem_euclid(1_000),
    );
    let mut written = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {numbers}>\n  <testsuite name=\"edgekeeper\" {numbers}>\n"
    );
    for tested in &results.tested {
        case(tested, &mut written);
    }
    written.push_str("  </testsuite>\n</testsuites>\n");
    written
}

fn case(tested: &Tested, written: &mut String) {
    let test = &tested.test;
    written.push_str(&format!(
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"",
        escaped(&test.file),
        escaped(&test.name),
        escaped(&test.file),
        test.line,
    ));
    if tested.passed() {
        written.push_str("/>\n");
        return;
    }
    let differences = differences(tested);
    written.push_str(&format!(
        ">\n      <failure message=\"{}\">{}\n\n{}</failure>\n    </testcase>\n",
        escaped(&differences.join("; ")),
        escaped(&differences.join("\n")),
        escaped(&text::write(&tested.explanation)),
    ));
}

/// Text that means nothing to XML. Characters that no document can have are taken out (XML 1.0 section 2.2).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter if letter.is_control() && letter != '\n' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_end_what_it_stands_in() {
        assert_eq!(escaped("a\"<b>&\u{1}\n"), "a&quot;&lt;b&gt;&amp;\u{fffd}\n");
    }
}
