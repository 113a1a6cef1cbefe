//! A decision as one line for a terminal.

use edgekeeper_policy::compile::printable;

use crate::decision::{Decision, Verdict};

/// Of a longer host and path the end is not shown.
const WIDEST: usize = 160;

/// Writes a decision that was seen at an instant (Unix seconds), without a line end.
pub(super) fn write(decision: &Decision, seconds: u64, has_colour: bool) -> String {
    let text = |name| printable(decision.text(name).unwrap_or("-"));
    let verdict = decision.verdict();
    let time = crate::time::utc(seconds);
    let time = time.split_once('T').map_or("", |(_, time)| time);
    let status = decision
        .number("status")
        .map_or_else(|| "-".to_owned(), |status| status.to_string());
    let took = match (decision.number("us"), decision.number("ms")) {
        (Some(us), _) => format!("{us} µs"),
        (None, Some(ms)) => format!("{ms} ms"),
        (None, None) => "-".to_owned(),
    };
    let host = decision.text("host").unwrap_or_default();
    let path = decision.text("path").unwrap_or_default();
    let url = printable(&format!("{host}{path}"));
    let mut shown: String = url.chars().take(WIDEST).collect();
    if shown.len() < url.len() {
        shown.push('…');
    }
    let said = format!("{:<8} {status:>3}", verdict.word());
    let said = match (has_colour, verdict) {
        (false, _) => said,
        (true, Verdict::Allowed) => format!("\u{1b}[32m{said}\u{1b}[0m"),
        (true, Verdict::Refused) => format!("\u{1b}[31m{said}\u{1b}[0m"),
        (true, Verdict::Answered) => format!("\u{1b}[36m{said}\u{1b}[0m"),
    };
    format!(
        "{time}  {said}  {took:>9}  {:<7}  {:<7} {shown}  {}",
        text("session"),
        text("method"),
        text("rule"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::read;

    #[test]
    fn a_decision_is_one_line_with_its_verdict_in_words() {
        let line = r#"{"msg":"decision","method":"GET","host":"a.test","path":"/x\u001b[2J","rule":"web","session":"hit","reason":"no","status":401,"ms":3,"us":250}"#;
        let decision = &read(line)[0];
        assert_eq!(
            write(decision, 3_661, false),
            "01:01:01Z  refused  401     250 µs  hit      GET     a.test/x\u{fffd}[2J  web"
        );
        assert!(write(decision, 0, true).contains("\u{1b}[31mrefused  401\u{1b}[0m"));
        let bare = &read(r#"{"msg":"decision"}"#)[0];
        assert_eq!(
            write(bare, 0, false),
            "00:00:00Z  answered   -          -  -        -         -"
        );
        let long = format!(
            r#"{{"msg":"decision","host":"a","path":"/{}"}}"#,
            "é".repeat(900)
        );
        let written = write(&read(&long)[0], 0, false);
        assert!(
            written.ends_with("é…  -") && written.chars().count() < 230,
            "{written}"
        );
    }
}
