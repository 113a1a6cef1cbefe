//! One use of a handler: found, allowed, and its configuration merged.

use std::collections::BTreeSet;

use super::code::Code;
use super::config::{self, Config};
use super::edge::Edge;
use super::handler::{self, Handler, Stage};
use super::node::{Key, Node, Span, Value};
use super::report::Report;
use super::shape::{self, Shape};
use super::template::Needed;
use crate::fault::Fault;

/// A handler as a rule names it. Its `config` is checked by its name.
pub(super) const USE: Shape =
    Shape::Keys(&[("handler", &Shape::Text), ("config", &Shape::Anything)]);

/// What every step of the compilation works with.
pub(super) struct Context<'a> {
    pub(super) config: &'a Config,
    pub(super) edge: &'a mut Edge,
    pub(super) report: &'a mut Report,
    pub(super) strict: bool,
    pub(super) thorough: bool,
    /// What the templates of the rule at hand read below `.Extra`, and cannot go without.
    pub(super) extra: Vec<Needed>,
    /// Rules for a session whose preflight no rule takes, with the place of their methods.
    pub(super) without_preflight: Vec<(String, Span)>,
    /// Some rule or the fallback redirects.
    pub(super) redirects: bool,
    /// It was told that `jwks_url` means nothing here; once is enough.
    pub(super) told_jwks_url: bool,
    /// Origins of which it was told that only a cluster knows them.
    pub(super) told_origins: BTreeSet<String>,
    /// Templates that were looked at for what a value can add: many rules share one.
    pub(super) told_injections: BTreeSet<Span>,
    /// It was told that Oathkeeper's Keto engine does not know globs; once is enough.
    pub(super) told_keto_glob: bool,
}

impl Context<'_> {
    /// Tells of what Oathkeeper only meets at a request: an error, and in strict mode, where the request meets it here
    /// too, a warning.
    pub(super) fn refuse(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.strict {
            self.report.warning(code, span, message, help);
        } else {
            self.report.error(code, span, message, help);
        }
    }
}

/// A handler as a rule or the fallback uses it.
pub(super) struct Use {
    pub(super) handler: &'static Handler,
    /// Global and own configuration, merged.
    pub(super) config: Node,
    /// Where the handler is named.
    pub(super) span: Span,
}

/// Reads `{handler: …, config: {…}}` and configures it by `configure`. Where it cannot be used, which is in the report,
/// there is nothing, or in strict mode what Oathkeeper makes of it.
pub(super) fn read<T>(
    stage: Stage,
    node: &Node,
    path: &str,
    cx: &mut Context<'_>,
    configure: impl FnOnce(&Use, &mut Context<'_>) -> Option<T>,
) -> Option<Result<T, Fault>> {
    let mark = cx.report.mark();
    let mut fault = None;
    let configured = find(stage, node, path, &mut fault, cx).and_then(|used| {
        let configured = configure(&used, cx);
        if configured.is_none() && !cx.strict {
            cx.report.incomplete(used.span);
        }
        fault = Some(invalid(&used));
        configured
    });
    if cx.strict && (configured.is_none() || cx.report.failed_since(mark)) {
        let fault = fault?;
        cx.report.soften(mark);
        cx.report.warning(Code::RULE_FAILS,
            node.span,
            format!("with this {} the rule does not work", stage.name()),
            "in strict mode the gateway starts all the same, as Oathkeeper does, and answers 500 to every request that comes this far; another finding says what is wrong, and what Oathkeeper makes of it",
        );
        return Some(Err(fault));
    }
    configured.map(Ok)
}

fn find(
    stage: Stage,
    node: &Node,
    path: &str,
    fault: &mut Option<Fault>,
    cx: &mut Context<'_>,
) -> Option<Use> {
    shape::check(node, &USE, path, cx.report);
    if !matches!(node.value, Value::Table(_)) {
        return None;
    }
    let Some(name_node) = node.get("handler") else {
        *fault = Some(unknown(stage, ""));
        cx.report.error(
            Code::MISSING_KEY,
            node.span,
            format!("`{path}` has no `handler`"),
            config::known_names(stage, "", false),
        );
        return None;
    };
    let handler = named(stage, name_node, cx)
        .map_err(|why| *fault = why)
        .ok()?;
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
    *fault = Some(invalid(&used));
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
///
/// # Errors
/// What Oathkeeper answers instead, where it can be told.
pub(super) fn named(
    stage: Stage,
    node: &Node,
    cx: &mut Context<'_>,
) -> Result<&'static Handler, Option<Fault>> {
    let name = node.text().ok_or(None)?;
    let Some(handler) = handler::find(stage, name) else {
        cx.report.error(
            Code::UNKNOWN_HANDLER,
            node.span,
            format!("there is no {} `{name}`", stage.name()),
            config::known_names(stage, name, false),
        );
        return Err(Some(unknown(stage, name)));
    };
    if !cx.config.is_enabled(handler) {
        let switch = Config::switch(handler);
        let place = cx.report.place(cx.config.handler_span(handler));
        cx.report.error(
            Code::HANDLER_DISABLED,
            node.span,
            format!("the {} `{name}` is not enabled", stage.name()),
            format!(
                "write `{switch}` into the configuration ({place}); Oathkeeper would answer 500"
            ),
        );
        return Err(Some(misconfigured(
            stage,
            format!("{} \"{name}\" is disabled per configuration.", title(stage)),
        )));
    }
    Ok(handler)
}

/// `Authenticator`, as it begins a sentence of Oathkeeper's.
fn title(stage: Stage) -> &'static str {
    match stage {
        Stage::Authenticator => "Authenticator",
        Stage::Authorizer => "Authorizer",
        Stage::Mutator => "Mutator",
        Stage::Error => "Error handler",
    }
}

/// What Oathkeeper says of a handler that does not exist.
pub(super) fn unknown(stage: Stage, name: &str) -> Fault {
    match stage {
        Stage::Error => Fault::internal(format!(
            "Unable to find error handler named: {name}. This is a configuration issue and should be reported to the administrator."
        )),
        _ => Fault {
            message: "requested pipeline handler does not exist".to_owned(),
            reason: String::new(),
        },
    }
}

/// What Oathkeeper says of a handler that may not run.
fn misconfigured(stage: Stage, reason: String) -> Fault {
    Fault {
        message: format!(
            "{} matching this route is misconfigured or disabled",
            stage.name()
        ),
        reason,
    }
}

/// What Oathkeeper says of a configuration that its schema refuses.
fn invalid(used: &Use) -> Fault {
    let stage = used.handler.stage;
    let why = match shape::unknown(&used.config, &Shape::Keys(used.handler.config)) {
        Some(key) => format!("additional property {key} is not allowed"),
        None => "it does not fit its schema".to_owned(),
    };
    misconfigured(
        stage,
        format!(
            "Configuration for {} \"{}\" could not be validated: {why}",
            stage.name(),
            used.handler.name
        ),
    )
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
            Code::NO_EFFECT,
            key.span,
            format!("Oathkeeper ignores `{path}.{}`", key.name),
            format!(
                "`{}` has nothing of that name to configure; take it out",
                handler.name
            ),
        );
    }
}
