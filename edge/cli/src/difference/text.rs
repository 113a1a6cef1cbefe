//! The difference, for people and for programs.

use edgekeeper_policy::compile::printable;
use serde_json::{Value, json as value};

use super::change::Kind;
use super::group::{Example, Group};
use super::{Difference, MOST};

/// The version of the JSON. It is raised when somebody who reads it would have to change.
const FORMAT: u32 = 1;

/// More groups than these are counted only.
const MOST_SHOWN: usize = 40;

/// Where what is said of a group begins.
const COLUMN: usize = 22;

/// Writes it for people, with a line end behind it.
pub(crate) fn text(difference: &Difference, coloured: bool) -> String {
    let mut lines = vec![summary(difference)];
    let (red, off) = if coloured {
        ("\u{1b}[1;31m", "\u{1b}[0m")
    } else {
        ("", "")
    };
    if !difference.groups.is_empty() {
        lines.push(String::new());
    }
    for group in difference.groups.iter().take(MOST_SHOWN) {
        let Some(first) = group.examples.first() else {
            continue;
        };
        let label = label(group.kind);
        let line = format!("{label:<COLUMN$}{}", printable(&said(group, first)));
        if group.kind == Kind::Opened {
            lines.push(format!("{red}{line}{off}"));
        } else {
            lines.push(line);
        }
        let more = group.count.saturating_sub(1);
        if let Some(second) = group.examples.get(1) {
            let such = printable(&asked(second));
            lines.push(format!("{:COLUMN$}and {more} more, such as {such}", ""));
        }
    }
    let hidden = difference.groups.len().saturating_sub(MOST_SHOWN);
    if hidden > 0 {
        lines.push(format!(
            "and {hidden} more kinds of change; `--format json` has all"
        ));
    }
    if !difference.unseen.is_empty() || !difference.settings.is_empty() {
        lines.push(String::new());
    }
    for rule in difference.unseen.iter().take(MOST_SHOWN) {
        lines.push(format!(
            "note: {}, and none of these requests shows it",
            printable(rule)
        ));
    }
    let hidden = difference.unseen.len().saturating_sub(MOST_SHOWN);
    if hidden > 0 {
        lines.push(format!("note: the same holds for {hidden} more"));
    }
    if !difference.settings.is_empty() {
        let names: Vec<String> = difference
            .settings
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        lines.push(format!(
            "note: the policy's {} changed, too",
            names.join(", ")
        ));
    }
    if difference.left_out > 0 {
        lines.push(format!(
            "note: {} more requests were given than the {MOST} that are compared",
            difference.left_out
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// How many requests, and where from.
fn summary(difference: &Difference) -> String {
    let Difference {
        given,
        generated,
        differing,
        ..
    } = difference;
    let all = given.saturating_add(*generated);
    let requests = if all == 1 { "request" } else { "requests" };
    let from = match given {
        0 => "made of the rules".to_owned(),
        given => format!("{given} given, {generated} made of the rules"),
    };
    match differing {
        0 => format!("{all} {requests} ({from}): all are decided as before"),
        1 => format!("{all} {requests} ({from}): 1 is decided otherwise"),
        many => format!("{all} {requests} ({from}): {many} are decided otherwise"),
    }
}

fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Opened => "! NOW ALLOWED",
        Kind::Told => "  told otherwise",
        Kind::Upstream => "  goes elsewhere",
        Kind::Closed => "  now refused",
        Kind::Answer => "  answered otherwise",
        Kind::Rule => "  another rule",
    }
}

fn said(group: &Group, example: &Example) -> String {
    let end = if example.before == example.after {
        example.after.clone()
    } else {
        format!("{} -> {}", example.before, example.after)
    };
    let details = match group.details.as_slice() {
        [] => String::new(),
        details => format!(": {}", details.join(", ")),
    };
    format!("{}: {end} ({}){details}", asked(example), rules(group))
}

fn asked(example: &Example) -> String {
    if example.circumstances.is_empty() {
        example.request.clone()
    } else {
        format!("{} {}", example.request, example.circumstances)
    }
}

fn rules(group: &Group) -> String {
    match (&group.rule_before, &group.rule_after) {
        (None, None) => "no rule".to_owned(),
        (Some(before), Some(after)) if before == after => format!("rule \"{before}\""),
        (Some(before), Some(after)) => format!("rule \"{before}\" -> \"{after}\""),
        (Some(before), None) => format!("rule \"{before}\" -> none"),
        (None, Some(after)) => format!("rule none -> \"{after}\""),
    }
}

/// The same for programs.
pub(crate) fn json(difference: &Difference) -> Value {
    value!({
        "format": FORMAT,
        "requests": { "given": difference.given, "generated": difference.generated, "left_out": difference.left_out },
        "differing": difference.differing,
        "opened": difference.opened(),
        "changes": difference.groups,
        "unseen": difference.unseen,
        "settings": difference.settings,
    })
}
