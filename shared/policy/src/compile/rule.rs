//! Access rules, one by one.

use std::collections::BTreeSet;

use super::code::Code;
use crate::authenticator::Authenticator;
use crate::authorizer::Authorizer;
use crate::fault::Fault;
use crate::mutator::Mutator;
use crate::pattern;
use crate::rule::{Rule, Upstream};

use super::config::Strategy;
use super::handler::Stage;
use super::node::{Node, Value};
use super::shape::{self, Keys, Shape};
use super::stage::{self, Context};
use super::{
    authenticator, authorizer, error, guest, listing, mutator, preflight, tokenize, upstream,
};
use Shape::{Anything, Flag, List, Text};

/// The keys of an access rule. Handlers are checked one by one.
pub(super) const RULE: Keys = &[
    ("id", &Text),
    ("version", &Text),
    ("description", &Text),
    ("match", &Anything),
    ("authenticators", &List(&Anything)),
    ("authorizer", &Anything),
    ("mutators", &List(&Anything)),
    ("errors", &List(&Anything)),
    (
        "upstream",
        &Shape::Keys(&[
            ("url", &Text),
            ("strip_path", &Text),
            ("preserve_host", &Flag),
        ]),
    ),
];

/// Keys of a rule that are not Oathkeeper's.
const READ_APART: &[&str] = &["authorizers"];

const MATCH_KEYS: Keys = &[("url", &Text), ("methods", &List(&Text))];

/// `match` of an access rule.
pub(super) const MATCH: Shape = Shape::Keys(MATCH_KEYS);

const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// Reads one rule; `None` when it cannot be built, which is in the report.
pub(super) fn read(node: &Node, cx: &mut Context<'_>) -> Option<Rule> {
    let id = node.text_at("id");
    if !id.is_empty() {
        cx.report.enter_rule(&id, node.span);
    }
    let rule = read_named(node, id, cx);
    cx.report.leave_rule();
    rule
}

fn read_named(node: &Node, id: String, cx: &mut Context<'_>) -> Option<Rule> {
    if !matches!(node.value, Value::Table(_)) {
        cx.report.error(
            Code::WRONG_TYPE,
            node.span,
            format!("a rule cannot be {}", node.describe()),
            "a rule is a table: `{ \"id\": …, \"match\": …, … }`",
        );
        return None;
    }
    shape::check_except(node, &Shape::Keys(RULE), "", READ_APART, cx.report);
    if id.is_empty() && node.get("id").is_none_or(|id| id.text().is_some()) {
        let help = "give it one, such as `web:api`; logs and `edge.yml` name rules by it";
        cx.report.error(
            Code::MISSING_KEY,
            node.key_span("id"),
            "a rule has no `id`",
            help,
        );
    }
    let matching = matching(node, cx);
    let upstream = node
        .get("upstream")
        .and_then(|node| read_upstream(node, cx));

    let authenticators = stages(
        Stage::Authenticator,
        "authenticators",
        node,
        cx,
        authenticator::read,
        Authenticator::Broken,
    );
    let authorizers = authorizers(node, &id, cx);
    let mut minted = false;
    let read_mutator = |used: &stage::Use, cx: &mut Context<'_>| {
        let mutator = mutator::read(used, minted, cx);
        minted |= used.handler.name == "id_token";
        mutator
    };
    let mutators = stages(
        Stage::Mutator,
        "mutators",
        node,
        cx,
        read_mutator,
        Mutator::Broken,
    );
    let read_error = |used: &stage::Use, cx: &mut Context<'_>| {
        cx.redirects |= used.handler.name == "redirect";
        error::read(used, cx)
    };
    let errors = handlers(Stage::Error, "errors", node, cx, read_error, error::broken);

    let (methods, url) = matching?;
    let mut authenticators = authenticators?;
    let mut mutators = mutators?;
    tokenize::apply(&id, &mut authenticators, &mut mutators, cx);
    authenticator::settle_bearer(&mut authenticators);
    lint(node, &authenticators, &methods, cx);
    Some(Rule {
        id,
        methods,
        url: url?,
        authenticators,
        authorizers: authorizers?,
        mutators,
        errors,
        upstream,
        source: cx.edge.lists_rules.then(|| listing::json(node, cx.strict)),
    })
}

type Matching = (Vec<String>, Option<pattern::Pattern>);

fn matching(node: &Node, cx: &mut Context<'_>) -> Option<Matching> {
    let Some(matching) = node.get("match") else {
        if shape::is_mistyped(node, "match", RULE, READ_APART) {
            return None;
        }
        cx.report.error(Code::MISSING_KEY,
            node.span,
            "the rule has no `match`",
            "say which requests it is for: `{ \"url\": \"https://app.example.com/<.*>\", \"methods\": [\"GET\"] }`",
        );
        return None;
    };
    for key in ["full_method", "authority", "allow_http_get"] {
        if matching.get(key).is_some() {
            cx.report.error(Code::GRPC,
                matching.key_span(key),
                format!("rules for gRPC (`match.{key}`) are not here yet"),
                "write `url` and `methods`: a gRPC call is a `POST` to `https://host/package.Service/Method`",
            );
            return None;
        }
    }
    shape::check(matching, &MATCH, "match", cx.report);
    let mut methods: Vec<String> = Vec::new();
    let mut listed = BTreeSet::new();
    for item in matching.items_at("methods") {
        let Some(text) = item.text() else { continue };
        let method = text.to_ascii_uppercase();
        if !METHODS.contains(&method.as_str()) {
            cx.report.warning(
                Code::INVALID_METHOD,
                item.span,
                format!("`{text}` is not a method of HTTP"),
                super::name::hint(&method, METHODS.iter().copied())
                    + "a rule for a method that nobody sends matches nothing",
            );
        }
        if listed.insert(method.clone()) {
            methods.push(method);
        }
    }
    if matching.items_at("methods").is_empty()
        && !shape::is_mistyped(matching, "methods", MATCH_KEYS, &[])
    {
        let span = matching.key_span("methods");
        let message = "the rule has no `match.methods`, so it could match nothing";
        let help = "list the methods it is for, such as `[\"GET\", \"POST\"]`";
        if cx.strict {
            cx.report.warning(Code::MISSING_KEY, span, message, help);
        } else {
            cx.report.error(Code::MISSING_KEY, span, message, help);
        }
    }
    Some((methods, url(matching, cx)))
}

fn url(matching: &Node, cx: &mut Context<'_>) -> Option<pattern::Pattern> {
    let node = matching.get("url").filter(|node| node.text() != Some(""));
    let Some(node) = node else {
        if shape::is_mistyped(matching, "url", MATCH_KEYS, &[]) {
            return None;
        }
        cx.report.error(
            Code::MISSING_KEY,
            matching.key_span("url"),
            "the rule has no `match.url`",
            "write the URLs it is for, such as `https://app.example.com/<.*>`",
        );
        return None;
    };
    let (compile, compile_strict, inside): (Compile, Compile, &str) = match cx.config.strategy? {
        Strategy::Regexp => (
            pattern::compile,
            pattern::compile_strict,
            "a regular expression",
        ),
        Strategy::Glob => (
            pattern::compile_glob,
            pattern::compile_glob_strict,
            "a glob",
        ),
    };
    let text = node.text()?;
    match if cx.strict {
        compile_strict(text)
    } else {
        compile(text)
    } {
        Ok(pattern) => {
            if let Some(original) = pattern.broken() {
                cx.report.warning(Code::URL_PATTERN,
                    node.span,
                    format!("Oathkeeper cannot read this URL pattern: {original}"),
                    "in strict mode every request with one of this rule's methods is answered with 500, whatever its URL, as in Oathkeeper; correct the pattern",
                );
            }
            if cx.thorough
                && cx.config.strategy == Some(Strategy::Regexp)
                && let Some(regex) = text.strip_suffix("$>")
                && !regex.ends_with('\\')
            {
                let span = cx.report.inside(node, regex.len());
                cx.report.note(
                    Code::PATTERN_ANCHOR,
                    span,
                    "the `$` says nothing: a pattern always matches to the end of the URL",
                    "take it out; with anything behind the `>` the rule would match nothing",
                );
            }
            if cx.thorough
                && cx.config.strategy == Some(Strategy::Regexp)
                && let Some(before) = text.strip_suffix('$')
                && before.ends_with('>')
            {
                let span = cx.report.inside(node, before.len());
                cx.report.warning(
                    Code::PATTERN_ANCHOR,
                    span,
                    "behind the `>` a `$` is the character itself: the rule is only for URLs that end with one",
                    "take it out; a pattern always matches to the end of the URL",
                );
            }
            Some(pattern)
        }
        Err(error) => {
            let span = cx.report.inside(node, error.offset);
            let is_glob = cx.config.strategy == Some(Strategy::Regexp)
                && text
                    .get(error.offset..)
                    .is_some_and(|rest| rest.starts_with("**"));
            let glob = if is_glob {
                "`**` is a glob's, which `access_rules.matching_strategy: glob` reads; "
            } else {
                ""
            };
            cx.report.error(Code::URL_PATTERN,
                span,
                format!("the URL pattern cannot be read: {}", error.message),
                format!("{glob}outside of `<…>` every character means itself, inside stands {inside}; in Oathkeeper a broken pattern makes every request with this rule's methods a 500"),
            );
            None
        }
    }
}

type Compile = fn(&str) -> Result<pattern::Pattern, pattern::PatternError>;

fn read_upstream(node: &Node, cx: &mut Context<'_>) -> Option<Upstream> {
    let url_node = node.get("url").filter(|url| url.text() != Some(""))?;
    let mut url = match upstream::absolute(url_node.text()?) {
        Ok(url) => url,
        Err(message) => {
            cx.report.error(
                Code::UPSTREAM_ADDRESS,
                url_node.span,
                message,
                "write a URL such as `http://web-svc:8080/base`",
            );
            return None;
        }
    };
    if url.query().is_some() || url.fragment().is_some() {
        cx.report.warning(
            Code::NO_EFFECT,
            url_node.span,
            "the query and fragment of `upstream.url` are not used, here as in Oathkeeper",
            "take them out; the request's own query is sent on",
        );
        url.set_query(None);
        url.set_fragment(None);
    }
    let mapped = upstream::map_or_warn(&url, url_node, cx);
    Some(Upstream {
        url: mapped.url,
        strip_path: node.text_at("strip_path"),
        preserve_host: node.flag_at("preserve_host", false),
        binding: mapped.binding,
    })
}

/// A stage that no rule can do without. `broken` is a handler that does what Oathkeeper does instead of running it.
fn stages<T>(
    stage: Stage,
    key: &str,
    node: &Node,
    cx: &mut Context<'_>,
    read: impl FnMut(&stage::Use, &mut Context<'_>) -> Option<T>,
    broken: impl Fn(Fault) -> T,
) -> Option<Vec<T>> {
    let is_list = node
        .get(key)
        .is_none_or(|list| matches!(list.value, Value::List(_)));
    if node.items_at(key).is_empty() && shape::is_mistyped(node, key, RULE, READ_APART) {
        return None;
    }
    if node.items_at(key).is_empty() && is_list {
        let message = format!("the rule has no `{key}`");
        let help = format!(
            "Oathkeeper refuses such a rule; write `\"{key}\": [{{ \"handler\": \"noop\" }}]` if that is what you mean"
        );
        if cx.strict {
            cx.report
                .warning(Code::MISSING_KEY, node.key_span(key), message, help);
            let handler = match stage {
                Stage::Mutator => "mutation",
                _ => "authentication",
            };
            return Some(vec![broken(Fault {
                message: format!("No {handler} handler was set in the rule"),
                reason: String::new(),
            })]);
        }
        cx.report
            .error(Code::MISSING_KEY, node.key_span(key), message, help);
    }
    let handlers = handlers(stage, key, node, cx, read, broken);
    (!handlers.is_empty()).then_some(handlers)
}

fn handlers<T>(
    stage: Stage,
    key: &str,
    node: &Node,
    cx: &mut Context<'_>,
    mut read: impl FnMut(&stage::Use, &mut Context<'_>) -> Option<T>,
    broken: impl Fn(Fault) -> T,
) -> Vec<T> {
    let mut handlers = Vec::new();
    for (index, item) in node.items_at(key).iter().enumerate() {
        let path = format!("{key}[{index}]");
        if let Some(handler) = stage::read(stage, item, &path, cx, &mut read) {
            handlers.push(handler.unwrap_or_else(&broken));
        }
    }
    handlers
}

fn authorizers(node: &Node, id: &str, cx: &mut Context<'_>) -> Option<Vec<Authorizer>> {
    let mut authorizers = Vec::new();
    let mut read = |own: &Node, path: &str, cx: &mut Context<'_>| {
        let handler = stage::read(Stage::Authorizer, own, path, cx, authorizer::read);
        authorizers.extend(handler.map(|handler| handler.unwrap_or_else(Authorizer::Broken)));
    };
    if let Some(own) = node.get("authorizer") {
        read(own, "authorizer", cx);
    }
    if let Some(list) = node.get("authorizers") {
        let span = node.key_span("authorizers");
        let is_list = matches!(list.value, Value::List(_));
        if cx.strict || !is_list {
            cx.report.error(Code::AUTHORIZERS_LIST,
                span,
                "there is no key `authorizers`",
                "a rule has one `authorizer`, without the list: `\"authorizer\": { \"handler\": \"allow\" }`",
            );
        } else {
            cx.report.warning(
                Code::AUTHORIZERS_LIST,
                span,
                "Oathkeeper has no `authorizers` and answers 500 to the requests of the rule; here all of them must allow",
                "write `\"authorizer\": { … }`, without the list, so that the rule works in both",
            );
        }
        if !is_list {
            return None;
        }
        shape::check(list, &List(&Anything), "authorizers", cx.report);
        for (index, item) in list.items().iter().enumerate() {
            read(item, &format!("authorizers[{index}]"), cx);
        }
    }
    let none_written = node.get("authorizer").is_none() && node.items_at("authorizers").is_empty();
    if none_written && shape::is_mistyped(node, "authorizer", RULE, READ_APART) {
        return None;
    }
    if none_written {
        let message = "the rule has no `authorizer`";
        let help = "write `\"authorizer\": { \"handler\": \"allow\" }` to let in everybody who got this far";
        if cx.strict {
            cx.report
                .warning(Code::MISSING_KEY, node.span, message, help);
            authorizers.push(Authorizer::Broken(stage::unknown(Stage::Authorizer, "")));
        } else {
            cx.report.error(Code::MISSING_KEY, node.span, message, help);
        }
    }
    let complete = !authorizers.is_empty();
    for entry in cx.edge.rules.iter().filter(|entry| entry.id == id) {
        authorizers.extend(entry.allowlist.clone().map(Authorizer::Allowlist));
    }
    let of_edge = cx.edge.rules.iter().filter(|entry| entry.id == id);
    let relations: Vec<Node> = of_edge.filter_map(|entry| entry.keto.clone()).collect();
    for relation in &relations {
        authorizers.extend(authorizer::relation(relation, cx));
    }
    complete.then_some(authorizers)
}

fn lint(node: &Node, authenticators: &[Authenticator], methods: &[String], cx: &mut Context<'_>) {
    let place = |index: usize| {
        node.items_at("authenticators")
            .get(index)
            .map_or(node.span, |item| item.span)
    };
    if let Some(last) = authenticators.iter().position(|authenticator| {
        matches!(
            authenticator,
            Authenticator::Noop | Authenticator::Unauthorized
        )
    }) && authenticators.len() > last.saturating_add(1)
    {
        cx.report.warning(
            Code::AUTHENTICATOR_NEVER_ASKED,
            place(last.saturating_add(1)),
            "this authenticator is never asked: the one before it takes every request",
            "put it in front, or take it out",
        );
    }
    guest::tell(authenticators, place, cx);
    preflight::tell(node, authenticators, methods, cx);
}

/// Names of headers by which these rules tell the upstream who the user is: of mutators, and of services that decide.
pub(super) fn identity_headers<'r>(
    rules: impl IntoIterator<Item = &'r Rule> + Clone,
) -> Vec<String> {
    let set = rules
        .clone()
        .into_iter()
        .flat_map(|rule| &rule.mutators)
        .filter_map(|mutator| match mutator {
            Mutator::Header(header) => Some(&header.headers),
            _ => None,
        })
        .flatten()
        .map(|(name, _)| name);
    let answered = rules
        .into_iter()
        .flat_map(|rule| &rule.authorizers)
        .filter_map(|authorizer| match authorizer {
            Authorizer::Remote(config) => Some(&config.forward_response_headers_to_upstream),
            Authorizer::RemoteJson(config) => Some(&config.forward_response_headers_to_upstream),
            _ => None,
        })
        .flatten();
    let mut names: Vec<String> = set
        .chain(answered)
        .filter_map(|name| super::header::identity(name))
        .collect();
    names.sort();
    names.dedup();
    names
}
