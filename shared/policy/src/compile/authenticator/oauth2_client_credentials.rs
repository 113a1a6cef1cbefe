//! `oauth2_client_credentials`.

use crate::authenticator::OAuth2ClientCredentials;

use super::super::node::Node;
use super::super::stage::Context;

pub(super) fn read(_config: &Node, _cx: &mut Context<'_>) -> Option<OAuth2ClientCredentials> {
    None
}
