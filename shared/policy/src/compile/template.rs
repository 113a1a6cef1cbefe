//! Templates in the configuration: they are read here, so that none fails at a request.

use edgekeeper_template::{Missing, Output, Style, Template, Value};

use super::code::Code;
use super::injection;
use super::node::Node;
use super::stage::Context;

/// What a template can be about: the fields of Oathkeeper's session, and the token.
const ROOTS: &[&str] = &["Subject", "Extra", "Header", "MatchContext", "IDToken"];

/// Where a template stands in a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// No `id_token` ran before it.
    BeforeToken,
    /// It makes the token.
    InToken,
    /// `.IDToken` is there.
    AfterToken,
}

/// Checks a template and returns the paths it reads; `name` is the header's or `claims`.
pub(super) fn check(
    name: &str,
    node: &Node,
    position: Position,
    cx: &mut Context<'_>,
) -> Vec<Vec<String>> {
    let Some(text) = node.text() else {
        return Vec::new();
    };
    let template = match Template::parse(name, text) {
        Ok(template) => template,
        Err(error) => {
            let span = cx
                .report
                .inside(node, offset(text, error.line, error.column));
            let message = format!("the template of `{name}` cannot be read: {}", error.message);
            if cx.strict {
                let help = "Oathkeeper starts with it, and answers 500 to every request that needs it; so does this gateway in strict mode";
                cx.report
                    .warning(Code::TEMPLATE_SYNTAX, span, message, help);
            } else {
                let help = "templates are Go's, with sprig's functions, such as `{{ .Subject }}` or `{{ .Extra.identity.traits.email }}`";
                cx.report.error(Code::TEMPLATE_SYNTAX, span, message, help);
            }
            return Vec::new();
        }
    };
    let paths = template.paths();
    for root in paths.iter().filter_map(|path| path.first()) {
        if root == "IDToken" && (cx.strict || position != Position::AfterToken) {
            if cx.strict {
                cx.report.warning(Code::TOKEN_NOT_MADE,
                    node.span,
                    format!(
                        "the template of `{name}` reads `.IDToken`, which Oathkeeper does not have: every request that needs it is a 500"
                    ),
                    "in strict mode take it out: `id_token` puts the token into `Authorization` itself",
                );
            } else if position == Position::InToken {
                cx.report.error(
                    Code::TOKEN_NOT_MADE,
                    node.span,
                    format!("the template of `{name}` reads `.IDToken`, the token that it is for"),
                    "take it out; claims are made of `.Subject`, `.Extra` and `.MatchContext`",
                );
            } else {
                let message = format!(
                    "the template of `{name}` reads `.IDToken` before a token is made{}",
                    cx.report.elsewhere(node.span)
                );
                let help = "move `id_token` in front of this mutator; they run in their order";
                cx.report
                    .error(Code::TOKEN_NOT_MADE, node.span, message, help);
            }
        } else if !ROOTS.contains(&root.as_str()) && !cx.strict {
            cx.report.error(
                Code::TEMPLATE_ROOT,
                node.span,
                format!("the template of `{name}` reads `.{root}`, which is never there"),
                format!(
                    "{}there are {}",
                    super::name::hint(root, ROOTS.iter().copied()),
                    ROOTS
                        .iter()
                        .map(|root| format!("`.{root}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            );
        }
    }
    cx.extra.extend(needed(&template, &paths));
    paths
}

/// What a template reads below `.Extra`, and what Oathkeeper makes of it where there is nothing.
#[derive(Debug)]
pub(super) struct Needed {
    /// The first such path, with its dots.
    pub(super) path: String,
    pub(super) without: Without,
}

/// What Oathkeeper makes of a template whose value is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Without {
    /// A 500.
    Fails,
    /// The text `<no value>`.
    NoValue,
}

/// By rendering it as Oathkeeper does, with everything and with nothing below `.Extra`: `{{ if .Extra }}` needs nothing.
fn needed(template: &Template, paths: &[Vec<String>]) -> Option<Needed> {
    let is_deep =
        |path: &&Vec<String>| path.len() > 1 && path.first().is_some_and(|root| root == "Extra");
    let first = paths.iter().find(is_deep)?;
    let style = Style {
        missing: Missing::Go,
        output: Output::Text,
    };
    let all: Vec<Vec<String>> = paths
        .iter()
        .filter(is_deep)
        .filter_map(|path| path.get(1..).map(<[String]>::to_vec))
        .collect();
    let rendered = |extra: &[Vec<String>]| {
        let session = injection::session(extra, &[], "", false);
        template.render(&Value::Json(&session), style)
    };
    let without = match (rendered(&all), rendered(&[])) {
        (_, Err(_)) => Without::Fails,
        (Ok(with), Ok(without)) if with == without || !without.contains(NO_VALUE) => return None,
        _ => Without::NoValue,
    };
    Some(Needed {
        path: first.join("."),
        without,
    })
}

/// What Go writes for a value that is not there.
const NO_VALUE: &str = "<no value>";

/// Line and column, both from 1 and the latter in characters, as an offset in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let mut offset: usize = 0;
    for (index, content) in text.split_inclusive('\n').enumerate() {
        if index.saturating_add(1) == line {
            let within: usize = content
                .chars()
                .take(column.saturating_sub(1))
                .map(char::len_utf8)
                .sum();
            return offset.saturating_add(within);
        }
        offset = offset.saturating_add(content.len());
    }
    offset
}
