//! `header`.

use super::super::code::Code;
use crate::mutator::Header;

use super::super::header;
use super::super::node::Node;
use super::super::stage::Context;
use super::super::template::{self, Position};

pub(super) fn read(config: &Node, position: Position, cx: &mut Context<'_>) -> Header {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (key, node) in config.get("headers").map(Node::entries).unwrap_or_default() {
        let mark = cx.report.mark();
        let name = header::for_upstream(&key.name, key.span, cx.report);
        if cx.strict {
            // Oathkeeper sets it, which no runtime here does.
            cx.report.soften(mark);
        }
        let (Some(name), Some(text)) = (name, node.text()) else {
            continue;
        };
        // `-}}` takes the white space behind it away.
        if text.ends_with('\n') && !text.trim_end().ends_with("-}}") {
            let message = format!(
                "the value of `{}` ends with a line break, which no header can have",
                key.name
            );
            let help = "write `|-` instead of `|`, or put the value on one line in quotes";
            if cx.strict {
                cx.report
                    .warning(Code::INVALID_HEADER, node.span, message, help);
            } else {
                cx.report
                    .error(Code::INVALID_HEADER, node.span, message, help);
            }
        }
        let paths = template::check(&key.name, node, position, cx);
        let reads_token = paths
            .iter()
            .any(|path| path.first().is_some_and(|root| root == "IDToken"));
        if position == Position::AfterToken && name == "authorization" && reads_token && !cx.strict
        {
            cx.report.note(Code::TOKEN_TWICE,
                key.span,
                "`id_token` has already put the token into `Authorization`; this says the same again",
                "take this header out; then the rule works in Oathkeeper too, which has no `.IDToken`",
            );
        }
        if headers.iter().any(|(known, _)| *known == name) {
            cx.report.error(
                Code::DUPLICATE_HEADER,
                key.span,
                format!("`{}` is set twice", key.name),
                "case makes no difference in names of headers; take one of them out",
            );
        }
        headers.push((name, text.to_owned()));
    }
    Header { headers }
}
