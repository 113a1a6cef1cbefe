//! `token_from`.

use super::super::code::Code;
use crate::authenticator::TokenFrom;

use super::super::header;
use super::super::node::Node;
use super::super::stage::Context;

/// Reads where a token is. Oathkeeper takes the scheme off only where the header is spelt `Authorization`, and strict mode
/// with it; by default any spelling does.
pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<TokenFrom> {
    let Some(node) = config.get("token_from") else {
        return Some(TokenFrom::Bearer);
    };
    let given: Vec<(&str, &Node, &str)> = ["header", "query_parameter", "cookie"]
        .into_iter()
        .filter_map(|name| {
            let item = node.get(name)?;
            Some((name, item, item.text().filter(|text| !text.is_empty())?))
        })
        .collect();
    match given.as_slice() {
        [] => Some(TokenFrom::Bearer),
        [("header", _, name)]
            if *name == "Authorization"
                || (!cx.strict && name.eq_ignore_ascii_case("authorization")) =>
        {
            Some(TokenFrom::Bearer)
        }
        [("header", item, name)] => header::name(name, item.span, cx.report).map(TokenFrom::Header),
        [("query_parameter", _, name)] => Some(TokenFrom::QueryParameter((*name).to_owned())),
        [(_, _, name)] => Some(TokenFrom::Cookie((*name).to_owned())),
        _ => {
            cx.report.error(Code::TOKEN_FROM,
                node.span,
                "`token_from` names more than one place",
                "keep one of `header`, `query_parameter` and `cookie`; a second place is a second authenticator",
            );
            None
        }
    }
}
