//! `cookie`.

use super::super::code::Code;
use crate::mutator::Cookie;

use super::super::header::is_token;
use super::super::node::Node;
use super::super::stage::Context;
use super::super::template::{self, Position};

pub(super) fn read(config: &Node, position: Position, cx: &mut Context<'_>) -> Option<Cookie> {
    let mut cookies = Vec::new();
    for (key, node) in config.get("cookies")?.entries() {
        let Some(text) = node.text() else { continue };
        if key.name.is_empty() || !key.name.bytes().all(is_token) {
            let message = format!("`{}` is not the name of a cookie", key.name);
            let help = "a name has letters, digits, `-` and `_`, and no space, `=` or `;` (RFC 6265 section 4.1.1)";
            cx.refuse(Code::INVALID_COOKIE, key.span, message, help);
        }
        template::check(&key.name, node, position, cx);
        cookies.push((key.name.clone(), text.to_owned()));
    }
    Some(Cookie { cookies })
}
