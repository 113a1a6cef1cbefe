//! `authorizer` of a rule: one file each.

mod keto;
mod keto_engine_acp_ory;
mod question;
mod remote;
mod remote_json;

use super::code::Code;
use crate::authorizer::Authorizer;

use super::allow;
use super::handler::Stage;
use super::node::Node;
use super::stage::{Context, Use};
use super::{config, handler};

pub(super) use self::keto_engine_acp_ory::FLAVORS;

/// What to write for a service that decides.
const SERVICE: &str = "write the service that decides, such as `http://authz:8080/check`";

/// What to write for Keto.
const KETO: &str = "write where Keto answers checks, such as `http://keto:4466`";

/// `keto` of a rule in `edge.yml`, which a rule has besides its own authorizer.
pub(super) fn relation(config: &Node, cx: &mut Context<'_>) -> Option<Authorizer> {
    let handler = handler::find(Stage::Authorizer, "keto")?;
    if !config::require(handler, Some(config), config.span, cx.report) {
        return None;
    }
    keto::read(config, config.span, cx).map(|config| Authorizer::Keto(Box::new(config)))
}

/// Configures an authorizer.
pub(super) fn read(used: &Use, cx: &mut Context<'_>) -> Option<Authorizer> {
    match used.handler.name {
        "deny" => Some(Authorizer::Deny),
        "allowlist" => {
            allow::allowlist(&used.config, used.span, cx.report).map(Authorizer::Allowlist)
        }
        "allow" if used.config.get("subject_matches").is_some() => {
            let list = allow::subject_matches(&used.config, cx.report).map(Authorizer::Allowlist);
            if cx.strict {
                cx.report.warning(Code::SUBJECT_MATCHES,
                    used.config.key_span("subject_matches"),
                    "Oathkeeper ignores `subject_matches` and lets everybody in; here it is applied",
                    "use the authorizer `remote_json` for Oathkeeper, or `rules` in `edge.yml`",
                );
            }
            list
        }
        "allow" => {
            for key in ["require_verified", "email_from"] {
                if used.config.get(key).is_some() {
                    cx.report.error(Code::SUBJECT_MATCHES_MISSING,
                        used.config.key_span(key),
                        format!("`{key}` means nothing without `subject_matches`: everybody would be let in"),
                        "add `subject_matches` with those who may pass, or take it out",
                    );
                }
            }
            Some(Authorizer::Allow)
        }
        "remote" => {
            remote::read(&used.config, cx).map(|config| Authorizer::Remote(Box::new(config)))
        }
        "remote_json" => remote_json::read(&used.config, cx)
            .map(|config| Authorizer::RemoteJson(Box::new(config))),
        "keto_engine_acp_ory" => keto_engine_acp_ory::read(&used.config, used.span, cx)
            .map(|config| Authorizer::KetoEngineAcpOry(Box::new(config))),
        "keto" => {
            keto::read(&used.config, used.span, cx).map(|config| Authorizer::Keto(Box::new(config)))
        }
        _ => None,
    }
}
