//! Handlers by the names they have in a rules file.

use edgekeeper_policy::authorizer::Authorizer;
use edgekeeper_policy::error_handler::ErrorHandlerKind;
use edgekeeper_policy::mutator::Mutator;

/// The name of an authorizer. An `allowlist` may have been written as `allow` with `subject_matches`.
pub(crate) fn authorizer(authorizer: &Authorizer) -> &'static str {
    match authorizer {
        Authorizer::Allow => "allow",
        Authorizer::Deny => "deny",
        Authorizer::Allowlist(_) => "allowlist",
        Authorizer::Remote(_) => "remote",
        Authorizer::RemoteJson(_) => "remote_json",
        Authorizer::KetoEngineAcpOry(_) => "keto_engine_acp_ory",
        Authorizer::Keto(_) => "keto",
        Authorizer::Broken(_) => "broken",
    }
}

/// The name of a mutator. Kratos' own token is what `id_token` is in a rule with `tokenize_as`.
pub(crate) fn mutator(mutator: &Mutator) -> &'static str {
    match mutator {
        Mutator::Noop => "noop",
        Mutator::Header(_) => "header",
        Mutator::Cookie(_) => "cookie",
        Mutator::IdToken(_) | Mutator::KratosToken => "id_token",
        Mutator::Hydrator(_) => "hydrator",
        Mutator::Broken(_) => "broken",
    }
}

/// The name of an error handler.
pub(crate) fn error_handler(kind: &ErrorHandlerKind) -> &'static str {
    match kind {
        ErrorHandlerKind::Json { .. } => "json",
        ErrorHandlerKind::Redirect { .. } => "redirect",
        ErrorHandlerKind::WwwAuthenticate { .. } => "www_authenticate",
        ErrorHandlerKind::Broken(_) => "broken",
    }
}
