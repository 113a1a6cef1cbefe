//! `oauth2_client_credentials`.

use crate::authenticator::OAuth2ClientCredentials;

use super::super::node::Node;
use super::super::stage::Context;
use super::super::upstream;
use super::oauth2;

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<OAuth2ClientCredentials> {
    let endpoint = upstream::endpoint(
        config.get("token_url")?,
        "write where the authorization server gives out tokens, such as `http://hydra-public:4444/oauth2/token`",
        cx,
    )?;
    oauth2::note_retry(config, cx);
    Some(OAuth2ClientCredentials {
        endpoint,
        required_scope: config.texts_at("required_scope"),
        cache_ttl: oauth2::cache_ttl(config, cx),
    })
}
