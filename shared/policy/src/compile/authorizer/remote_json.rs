//! `remote_json`.

use super::super::code::Code;
use crate::authorizer::RemoteJson;

use super::super::node::Node;
use super::super::stage::Context;
use super::super::template::{self, Position};
use super::super::{injection, retry, upstream};
use super::question;

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<RemoteJson> {
    let headers = question::headers(config, cx);
    let forward_response_headers_to_upstream = question::forwarded(config, cx);
    let payload = config.get("payload")?;
    template::check("payload", payload, Position::BeforeToken, cx);
    injection::tell("payload", payload, cx);
    let text = payload.text()?;
    let plain = !text.contains("{{");
    if plain && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        let message = "the `payload` is not JSON, so every request would be refused";
        let help = "write a JSON document with templates in it, such as `{\"subject\": \"{{ print .Subject }}\"}`";
        cx.refuse(Code::REMOTE_JSON_PAYLOAD, payload.span, message, help);
    }
    Some(RemoteJson {
        endpoint: upstream::endpoint(config.get("remote")?, super::SERVICE, cx)?,
        payload: text.to_owned(),
        headers,
        forward_response_headers_to_upstream,
        retry: retry::read(config.get("retry"), cx),
    })
}
