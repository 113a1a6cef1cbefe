//! What follows from all rules together: which answer the same request, and which none or more than was meant.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Placed;
use super::code::Code;
use super::node::{Node, Span};
use super::patterns::{NeverBecause, Overlap, Pair, Patterns};
use super::report::Report;
use super::{rule, upstream};

/// Pairs of rules that are compared to find whether one is shadowed: some seconds.
const MAX_PAIRS: usize = 3_000_000;

/// Warns of two rules that match one request, which is answered with 500, as in Oathkeeper. If it is to be thorough, of rules
/// that match nothing, too much, or take too long.
///
/// It is decided which do; where that cannot be, it is said so if it is to be thorough, and nothing otherwise.
pub(super) fn tell(rules: &[Placed], strict: bool, thorough: bool, report: &mut Report) {
    let mut patterns = Patterns::new(rules.iter().map(|placed| &placed.rule), strict);
    for pair in patterns.overlaps() {
        overlap(rules, &pair, thorough, report);
    }
    if !thorough {
        return;
    }
    if strict {
        headers_left_open(rules, report);
    }
    let mut left = MAX_PAIRS;
    for (number, placed) in rules.iter().enumerate() {
        let span = placed.span();
        report.enter_rule(&placed.rule.id, span);
        if !never(&mut patterns, number, span, report) {
            as_written(&patterns, number, strict, &placed.url, report);
            shadowed(&mut patterns, number, span, strict, &mut left, report);
            pattern(&mut patterns, number, &placed.url, report);
        }
        report.leave_rule();
    }
}

fn overlap(rules: &[Placed], pair: &Pair, thorough: bool, report: &mut Report) {
    let (Some(first), Some(second)) = (rules.get(pair.first), rules.get(pair.second)) else {
        return;
    };
    let place = report.place(first.span());
    let first = &first.rule;
    let span = second.span();
    report.enter_rule(&second.rule.id, span);
    match &pair.overlap {
        Overlap::At { url, method } => report.warning(
            Code::RULE_OVERLAP,
            span,
            format!(
                "it overlaps with the rule `{}` at {place}: `{method} {}` matches both",
                first.id,
                as_sent(url)
            ),
            "exactly one rule may match a request, otherwise the answer is 500; exclude the other's paths, as in `<(?!admin/).*>`",
        ),
        Overlap::Undecided { why, .. } if thorough => report.note(
            Code::OVERLAP_UNDECIDED,
            span,
            format!(
                "whether it overlaps with the rule `{}` at {place} could not be decided: {why}",
                first.id
            ),
            "a request that both match would be answered with 500; see that none does, or write the patterns in a simpler way",
        ),
        Overlap::Undecided { .. } | Overlap::Never => {}
    }
    report.leave_rule();
}

/// A URL whose path is decoded, as it would have to be sent: what else would begin a query, or be read as an escape, is one.
fn as_sent(url: &str) -> String {
    let mut sent = String::new();
    for c in url.chars() {
        match c {
            '?' | '#' | '%' | '"' | '<' | '>' | '`' | '\\' | '\0'..=' ' | '\x7f' => {
                // Writing to a string cannot fail.
                let _ = write!(sent, "%{:02X}", u32::from(c));
            }
            c => sent.push(c),
        }
    }
    sent
}

/// Warns of a rule that leaves a header to the client by which another tells the same upstream who the user is. In strict mode,
/// as in Oathkeeper; by default no client can send such a header.
fn headers_left_open(rules: &[Placed], report: &mut Report) {
    let own: Vec<Vec<String>> = rules
        .iter()
        .map(|placed| rule::identity_headers([&placed.rule]))
        .collect();
    let mut told_at: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (Placed { rule, .. }, own) in rules.iter().zip(&own) {
        let Some(upstream) = &rule.upstream else {
            continue;
        };
        let told = told_at.entry(upstream::server(&upstream.url)).or_default();
        for name in own {
            told.entry(name).or_insert(&rule.id);
        }
    }
    for (placed, own) in rules.iter().zip(&own) {
        let rule = &placed.rule;
        let told = rule
            .upstream
            .as_ref()
            .and_then(|upstream| told_at.get(upstream::server(&upstream.url)));
        let open = told
            .into_iter()
            .flatten()
            .find(|(name, _)| own.iter().all(|own| own != *name));
        if let Some((name, other)) = open {
            report.enter_rule(&rule.id, placed.span());
            report.warning(
                Code::HEADER_LEFT_OPEN,
                placed.span(),
                format!("a client can send `{name}` itself here: the rule `{other}` tells the same upstream by it who the user is, this one leaves it as it comes"),
                "set it in this rule, too, to nothing if need be, or let the upstream believe it for the other's paths only; by default, without strict mode, it is taken off",
            );
            report.leave_rule();
        }
    }
}

/// Whether no request is ever for a rule; tells why.
fn never(patterns: &mut Patterns<'_>, number: usize, span: Span, report: &mut Report) -> bool {
    let Some(never) = patterns.never(number) else {
        return false;
    };
    if let Some((why, help)) = why_never(never.because) {
        let wanted = if never.wanted.is_empty() {
            String::new()
        } else {
            format!(" (it wants `{}`)", never.wanted)
        };
        let message = format!("no request is ever for this rule: {why}{wanted}");
        report.warning(Code::NEVER_MATCHES, span, message, help);
    }
    true
}

/// Tells of a rule that is for no request in Oathkeeper, and works here, and of one that waits for what no browser sends.
fn as_written(
    patterns: &Patterns<'_>,
    number: usize,
    strict: bool,
    url: &Node,
    report: &mut Report,
) {
    if let Some(host) = patterns.upper_case_host(number) {
        let help = "write the host in lower case";
        let message = format!("browsers send hosts in lower case, and this one is `{host}`");
        if strict {
            let message = format!("{message}: the rule is for none of their requests");
            report.warning(Code::NEVER_MATCHES, url.span, message, help);
        } else {
            let message = format!(
                "{message}: here it counts all the same, in Oathkeeper the rule is for none of their requests"
            );
            report.note(Code::NEVER_MATCHES, url.span, message, help);
        }
    }
    if !strict && patterns.needs_slash(number) {
        report.note(
            Code::NEVER_MATCHES,
            url.span,
            "in Oathkeeper no request is for this rule: it cleans a slash at the end of a path away before it matches, which this gateway does in strict mode alone",
            "write the path without it: here that is for the path with a slash, too",
        );
    }
}

/// Tells of a rule whose requests are all for others. With thousands of rules for the same URLs the last are not looked at:
/// of their overlaps it was told.
fn shadowed(
    patterns: &mut Patterns<'_>,
    number: usize,
    span: Span,
    strict: bool,
    left: &mut usize,
    report: &mut Report,
) {
    if *left == 0 {
        return;
    }
    let near = patterns.near(number);
    *left = left.saturating_sub(near.len());
    if let Some(never) = patterns.shadowed(number, &near) {
        report.warning(
            Code::RULE_SHADOWED,
            span,
            format!(
                "every request that this rule matches is for others, too, such as `{}`",
                as_sent(&never.wanted)
            ),
            if strict {
                "such a request is answered with 500; take the rule out, or exclude its paths from the others"
            } else {
                "such a request is answered with 500, or by the other rule alone where this one is for a slash more; take the rule out, or exclude its paths from the others"
            },
        );
    }
}

/// Tells what is wrong with a pattern by itself.
fn pattern(patterns: &mut Patterns<'_>, number: usize, url: &Node, report: &mut Report) {
    let slow = patterns.backtracking(number);
    if let Some(slow) = slow.as_ref().filter(|slow| slow.elsewhere) {
        report.note(
            Code::BACKTRACKING,
            url.span,
            format!("a request can keep Oathkeeper busy with this pattern, not this gateway: {slow}"),
            "one repetition in another can share a text in many ways; take one of them out: `(a+)+` is `a+`",
        );
    } else if let Some(slow) = slow {
        report.warning(
            Code::BACKTRACKING,
            url.span,
            format!("a request can keep this pattern busy until it is given up, and is answered with 500: {slow}"),
            "two repetitions in a row, or one in another, can share a text in many ways; say where one ends, as in `<[^/]+>`",
        );
    }
    if let Some(wide) = patterns.wide_host(number) {
        let span = wide.dot.map_or(url.span, |dot| report.inside(url, dot));
        report.warning(
            Code::WIDE_HOST,
            span,
            format!(
                "inside `<…>` a `.` stands for any character: the rule is for `{}` as well",
                wide.url
            ),
            "write `\\.` for a dot (`\\\\.` in JSON), and `[a-z0-9-]+` for one label of a host",
        );
    }
}

/// Why a rule is for no request, and what to do. `None` for what was told where it was read.
fn why_never(because: NeverBecause) -> Option<(&'static str, &'static str)> {
    Some(match because {
        NeverBecause::NoMethods | NeverBecause::Shadowed => return None,
        NeverBecause::Impossible => (
            "the pattern matches nothing",
            "look for `^` or `$` with something on its wrong side, and for conditions that exclude each other",
        ),
        NeverBecause::UpperCaseHost => (
            "hosts are in lower case when they are matched",
            "write the host in lower case",
        ),
        NeverBecause::Escapes => (
            "paths are percent-decoded before they are matched",
            "write the character itself, such as a space for `%20`",
        ),
        NeverBecause::Slashes => (
            "a slash at the end of a path, or two in a row, are cleaned away before it is matched",
            "write the path without it",
        ),
        NeverBecause::DotSegments => (
            "`.` and `..` are resolved before a path is matched",
            "write the path that is meant",
        ),
        NeverBecause::Query => (
            "a query and a fragment are not matched",
            "take it out; a rule is for a scheme, a host and a path",
        ),
        NeverBecause::Port => (
            "the scheme's own port is left out before it is matched, and there is none above 65535",
            "take `:443` off `https`, `:80` off `http`",
        ),
        NeverBecause::NotAUrl => (
            "it is not the URL of a request",
            "write a scheme, a host and a path, such as `https://app.example.com/<.*>`",
        ),
    })
}
