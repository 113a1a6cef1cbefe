//! `hydrator`.

use super::super::code::Code;
use crate::mutator::{BasicAuth, Hydrator};

use super::super::duration::Duration;
use super::super::node::Node;
use super::super::stage::Context;
use super::super::{retry, upstream};

/// How long an answer counts where nobody said, in milliseconds.
const TTL: u64 = 60_000;

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<Hydrator> {
    let api = config.get("api")?;
    let Some(url) = api.get("url") else {
        cx.report.error(Code::MISSING_KEY,
            api.span,
            "`api.url` is missing",
            "write the service that knows more of a session, such as `http://profiles:8080/hydrate`",
        );
        return None;
    };
    let basic = basic(api, cx);
    let cache = config
        .get("cache")
        .filter(|cache| cache.flag_at("enabled", false));
    let endpoint = upstream::endpoint(
        url,
        "write the service that knows more of a session, such as `http://profiles:8080/hydrate`",
        cx,
    )?;
    Some(Hydrator {
        endpoint,
        basic,
        retry: retry::read(api.get("retry"), cx),
        cache_ttl: cache.map(|cache| {
            cache
                .get("ttl")
                .and_then(|node| Duration::parse(node.text()?, false))
                .map(Duration::milliseconds)
                // Nothing is what Oathkeeper takes for a minute, too.
                .filter(|ttl| *ttl > 0)
                .unwrap_or(TTL)
        }),
    })
}

fn basic(api: &Node, cx: &mut Context<'_>) -> Option<BasicAuth> {
    let basic = api.at(&["auth", "basic"]);
    if let Some(basic) = basic {
        for name in ["username", "password"] {
            if basic.get(name).is_none() {
                cx.report.error(
                    Code::INCOMPLETE_CREDENTIALS,
                    basic.span,
                    format!("`api.auth.basic.{name}` is missing"),
                    "write both `username` and `password`",
                );
            }
        }
    }
    // With an empty `auth`, Oathkeeper sends an empty name and password.
    let node = basic.or_else(|| api.get("auth").filter(|_| cx.strict))?;
    Some(BasicAuth {
        username: node.text_at("username"),
        password: node.text_at("password"),
    })
}
