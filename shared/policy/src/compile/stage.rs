//! One use of a handler: found, allowed, and its configuration merged.

use super::config::{self, Config};
use super::edge::Edge;
use super::handler::{self, Handler, Stage};
use super::node::{Key, Node, Span, Value};
use super::report::Report;
use super::shape::{self, Shape};

/// What every step of the compilation works with.
pub(super) struct Context<'a> {
    pub(super) config: &'a Config,
    pub(super) edge: &'a mut Edge,
    pub(super) report: &'a mut Report,
    pub(super) strict: bool,
    /// What the templates of the rule at hand read below `.Extra`.
    pub(super) extra: Vec<Vec<String>>,
    /// Rules for a session whose preflight no rule takes, with the place of their methods.
    pub(super) without_preflight: Vec<(String, Span)>,
    /// Some rule or the fallback redirects.
    pub(super) redirects: bool,
    /// It was told that `jwks_url` means nothing here; once is enough.
    pub(super) told_jwks_url: bool,
}

/// A handler as a rule or the fallback uses it.
pub(super) struct Use {
    pub(super) handler: &'static Handler,
    /// Global and own configuration, merged.
    pub(super) config: Node,
    /// Where the handler is named.
    pub(super) span: Span,
}

/// Reads `{handler: …, config: {…}}`; `None` when it cannot be used, which is in the report.
pub(super) fn read(stage: Stage, node: &Node, path: &str, cx: &mut Context<'_>) -> Option<Use> {
    const KEYS: Shape = Shape::Keys(&[("handler", &Shape::Text), ("config", &Shape::Anything)]);
    shape::check(node, &KEYS, path, cx.report);
    if !matches!(node.value, Value::Table(_)) {
        return None;
    }
    let Some(name_node) = node.get("handler") else {
        cx.report.error(
            node.span,
            format!("`{path}` has no `handler`"),
            config::known_names(stage, "", false),
        );
        return None;
    };
    let handler = named(stage, name_node, cx)?;
    let own = node.get("config");
    if let Some(own) = own {
        check_own(handler, own, path, cx);
    }
    let global = if handler.oathkeeper {
        cx.config.handler_config(handler)
    } else {
        cx.edge.handler_config(handler)
    };
    let config = match (global, own) {
        (Some(global), Some(own)) => Node::merge(global, own),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => Node::new(Value::Table(Vec::new()), name_node.span),
    };
    let used = Use {
        handler,
        config,
        span: name_node.span,
    };
    // What the global configuration lacks was told there, once for all rules.
    let told = handler
        .required
        .iter()
        .any(|name| used.config.get(name).is_none());
    if told && handler.oathkeeper {
        return None;
    }
    config::require(handler, Some(&used.config), used.span, cx.report).then_some(used)
}

/// Finds the handler that a text names, if it may be used.
pub(super) fn named(stage: Stage, node: &Node, cx: &mut Context<'_>) -> Option<&'static Handler> {
    let name = node.text()?;
    let Some(handler) = handler::find(stage, name) else {
        cx.report.error(
            node.span,
            format!("there is no {} `{name}`", stage.name()),
            config::known_names(stage, name, false),
        );
        return None;
    };
    if !cx.config.is_enabled(handler) {
        let switch = Config::switch(handler);
        let place = cx.report.place(cx.config.handler_span(handler));
        cx.report.error(
            node.span,
            format!("the {} `{name}` is not enabled", stage.name()),
            format!(
                "write `{switch}` into the configuration ({place}); Oathkeeper would answer 500"
            ),
        );
        return None;
    }
    Some(handler)
}

/// Checks what a rule itself configures.
fn check_own(handler: &Handler, own: &Node, path: &str, cx: &mut Context<'_>) {
    let path = format!("{path}.config");
    let ignored_by_oathkeeper = handler.config.is_empty() || handler.name == "allow";
    let unknown: Vec<&Key> = own
        .entries()
        .iter()
        .map(|(key, _)| key)
        .filter(|key| {
            cx.strict
                && ignored_by_oathkeeper
                && handler.config.iter().all(|(known, _)| *known != key.name)
        })
        .collect();
    let names: Vec<&str> = unknown.iter().map(|key| key.name.as_str()).collect();
    shape::check_except(own, &Shape::Keys(handler.config), &path, &names, cx.report);
    for key in unknown {
        cx.report.warning(
            key.span,
            format!("Oathkeeper ignores `{path}.{}`", key.name),
            format!(
                "`{}` has nothing of that name to configure; take it out",
                handler.name
            ),
        );
    }
}
