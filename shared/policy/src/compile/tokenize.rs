//! `rules.<id>.tokenize_as` of `edge.yml`: Kratos' own token instead of one of the gateway's.

use super::code::Code;
use crate::authenticator::Authenticator;
use crate::mutator::Mutator;

use super::edge::RuleEdge;
use super::node::Node;
use super::stage::Context;

/// Lets the session checks of a rule ask for a token, and its `id_token` pass that one on.
pub(super) fn apply(
    id: &str,
    authenticators: &mut [Authenticator],
    mutators: &mut [Mutator],
    cx: &mut Context<'_>,
) {
    let entry = |entry: &&RuleEdge| entry.id == id;
    let Some(node) = cx
        .edge
        .rules
        .iter()
        .find(entry)
        .and_then(|entry| entry.tokenize_as.clone())
    else {
        return;
    };
    let Some(template) = template(&node, cx) else {
        return;
    };
    let mut asks = false;
    let mut without_session = false;
    for authenticator in authenticators {
        match authenticator {
            Authenticator::CookieSession(config) => {
                config.check.tokenize_as = Some(template.clone());
                asks = true;
            }
            Authenticator::BearerToken(config) => {
                config.check.tokenize_as = Some(template.clone());
                asks = true;
            }
            Authenticator::Unauthorized | Authenticator::Broken(_) => {}
            _ => without_session = true,
        }
    }
    if !asks {
        cx.report.error(
            Code::TOKENIZE_AS,
            node.span,
            format!(
                "the rule `{id}` asks Kratos for no session, so there is nothing to make a token of"
            ),
            "`tokenize_as` is for a rule with `cookie_session` or `bearer_token`",
        );
    } else if without_session {
        cx.report.error(Code::TOKENIZE_AS,
            node.span,
            format!("the rule `{id}` also lets in who has no session, and Kratos makes no token for them"),
            "leave only `cookie_session` and `bearer_token` in its `authenticators`; a guest needs a rule, or a host, of their own",
        );
    }
    let mut passes_on = false;
    for mutator in mutators {
        if matches!(mutator, Mutator::IdToken(_)) {
            *mutator = Mutator::KratosToken;
            passes_on = true;
        }
    }
    if !passes_on {
        cx.report.error(Code::TOKENIZE_AS,
            node.span,
            format!("the rule `{id}` has no `id_token`, so nobody would get Kratos' token"),
            "put `{ \"handler\": \"id_token\" }` into its `mutators`: with `tokenize_as` it passes Kratos' token on",
        );
    }
}

/// The name of a template, as Kratos' configuration can have it.
fn template(node: &Node, cx: &mut Context<'_>) -> Option<String> {
    let name = node.text()?;
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !is_name {
        cx.report.error(Code::TOKENIZE_AS,
            node.span,
            format!("`tokenize_as` cannot be `{name}`"),
            "write the name of a template of Kratos' `session.whoami.tokenizer.templates`: letters, digits, `-`, `_` and `.`",
        );
        return None;
    }
    Some(name.to_owned())
}
