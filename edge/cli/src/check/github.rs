//! Annotations of GitHub Actions: workflow commands on standard output.

use std::fmt::Write as _;

use edgekeeper_policy::compile::Severity;

use super::findings::Findings;

/// One command for each finding.
pub(super) fn text(findings: &Findings) -> String {
    let mut text = String::new();
    for finding in findings.iter() {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note | Severity::Hint => "notice",
        };
        let mut message = finding.headline();
        if !finding.help.is_empty() {
            message.push_str("\nhelp: ");
            message.push_str(&finding.help);
        }
        let place = if finding.line == 0 {
            String::new()
        } else {
            format!(",line={},col={}", finding.line, finding.column)
        };
        // Writing to a text never fails.
        let _ = writeln!(
            text,
            "::{command} file={}{place},title={}::{}",
            property(&finding.file),
            finding.code,
            data(&message)
        );
    }
    text
}

/// A command's message: one line, with nothing in it that ends the command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property's value, which ends at a comma or colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_file_ends_a_command_or_begins_another() {
        assert_eq!(data("50 %\n::error::x\r"), "50 %25%0A::error::x%0D");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
