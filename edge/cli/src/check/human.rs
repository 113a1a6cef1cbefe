//! For people, in the manner of rustc.

use std::fmt::Write as _;

use edgekeeper_policy::compile::{Diagnostic, Severity, printable};

use super::findings::Findings;

/// Escape sequences of a terminal, or none.
struct Palette {
    bold: &'static str,
    blue: &'static str,
    off: &'static str,
    coloured: bool,
}

const COLOURED: Palette = Palette {
    bold: "\u{1b}[1m",
    blue: "\u{1b}[1;34m",
    off: "\u{1b}[0m",
    coloured: true,
};
const PLAIN: Palette = Palette {
    bold: "",
    blue: "",
    off: "",
    coloured: false,
};

impl Palette {
    fn of(&self, severity: Severity) -> &'static str {
        match severity {
            _ if !self.coloured => "",
            Severity::Error => "\u{1b}[1;31m",
            Severity::Warning => "\u{1b}[1;33m",
            Severity::Note => "\u{1b}[1;32m",
            Severity::Hint => "\u{1b}[1;36m",
        }
    }
}

/// So many findings are shown; nobody reads more.
const SHOWN: usize = 2_000;

/// All findings and their number. Nothing at all where there are none.
pub(super) fn text(findings: &Findings, coloured: bool) -> String {
    let palette = if coloured { &COLOURED } else { &PLAIN };
    let mut text = String::new();
    for finding in findings.iter().take(SHOWN) {
        write(&mut text, finding, palette);
        text.push('\n');
    }
    let more = findings.iter().count().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(text, "and {more} more; `--format json` has all of them\n");
    }
    if !findings.is_empty() {
        let counts: Vec<String> = findings
            .counts()
            .into_iter()
            .map(|(severity, count)| {
                let plural = if count == 1 { "" } else { "s" };
                format!("{count} {severity}{plural}")
            })
            .collect();
        text.push_str(&counts.join(", "));
        text.push('\n');
    }
    text
}

fn write(text: &mut String, finding: &Diagnostic, palette: &Palette) {
    let Palette {
        bold, blue, off, ..
    } = palette;
    let severity = palette.of(finding.severity);
    // Writing to a text never fails.
    let _ = writeln!(
        text,
        "{severity}{}[{}]{off}{bold}: {}{off}",
        finding.severity,
        finding.code,
        printable(&finding.headline())
    );
    let number = if finding.line == 0 {
        String::new()
    } else {
        finding.line.to_string()
    };
    let margin = " ".repeat(number.len());
    let place = if finding.line == 0 {
        printable(&finding.file)
    } else {
        format!(
            "{}:{}:{}",
            printable(&finding.file),
            finding.line,
            finding.column
        )
    };
    let _ = writeln!(text, "{margin}{blue}-->{off} {place}");
    if let Some(excerpt) = &finding.excerpt {
        let _ = writeln!(text, "{margin} {blue}|{off}");
        let _ = writeln!(text, "{blue}{number} |{off} {}", excerpt.text);
        let _ = writeln!(
            text,
            "{margin} {blue}|{off} {severity}{}{off}",
            excerpt.carets()
        );
    }
    if !finding.help.is_empty() {
        let _ = writeln!(
            text,
            "{margin} {blue}={off} {bold}help{off}: {}",
            printable(&finding.help)
        );
    }
}
