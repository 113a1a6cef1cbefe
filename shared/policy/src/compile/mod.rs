//! From an operator's files to a policy document.
//!
//! [`compile`] reads Oathkeeper's configuration, the access rules it names and the optional `edge.yml`. It finds
//! everything that is wrong in one run, tells where, and builds nothing unless all is right.
//!
//! ```
//! use std::collections::BTreeMap;
//! use edgekeeper_policy::compile::{Options, compile};
//!
//! let files = BTreeMap::from([
//!     ("oathkeeper.yml".to_owned(), "
//! access_rules: { repositories: [\"file://./rules.json\"] }
//! authenticators: { noop: { enabled: true } }
//! authorizers: { allow: { enabled: true } }
//! mutators: { noop: { enabled: true } }
//! ".to_owned()),
//!     ("rules.json".to_owned(), r#"[{
//!         "id": "web",
//!         "match": { "url": "https://app.example.com/<.*>", "methods": ["GET"] },
//!         "authenticators": [{ "handler": "noop" }],
//!         "authorizer": { "handler": "allow" },
//!         "mutators": [{ "handler": "nop" }]
//!     }]"#.to_owned()),
//! ]);
//! let options = Options { config: "oathkeeper.yml".to_owned(), ..Options::default() };
//! let found = compile(&files, &options).unwrap_err();
//! assert_eq!(
//!     found[0].to_string(),
//!     "rules.json:6:35: error[unknown-handler]: rule \"web\": there is no mutator `nop`\n  help: did you mean `noop`? known are `noop`, `header`, `id_token`, `cookie`, `hydrator`"
//! );
//! ```

mod advice;
mod allow;
mod authenticator;
mod authorizer;
mod code;
mod config;
mod cors;
mod diagnostic;
mod duration;
mod edge;
mod error;
mod excerpt;
mod guest;
mod handler;
mod header;
mod injection;
mod json;
mod key_set;
mod lifetime;
mod listing;
mod marks;
mod mutator;
pub mod name;
mod node;
mod patterns;
mod preflight;
mod reasoning;
mod report;
mod retry;
mod rule;
mod schema;
mod secret;
mod shape;
mod source;
mod stage;
mod suffix;
mod template;
mod tokenize;
mod tree;
mod upstream;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{FORMAT, Policy};
use crate::host::HostPattern;
use crate::return_to::ReturnTo;
use crate::rule::Rule;

use self::config::Config;
use self::edge::Edge;
use self::handler::Stage;
use self::node::{Node, Span, Value};
use self::report::Report;
use self::source::Repository;
use self::stage::{Context, Use};

pub use self::code::Code;
pub use self::diagnostic::{Diagnostic, Severity, printable};
pub use self::excerpt::Excerpt;
pub use self::patterns::{Backtracking, Never, NeverBecause, Overlap, Pair, Patterns, WideHost};
pub use self::schema::Schema;
pub use self::source::{MAX_FILE_BYTES, Sources};
pub use self::tree::{Content, Place, Tree};
pub use self::upstream::is_internal;

/// What to compile.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Path of Oathkeeper's configuration.
    pub config: String,
    /// Path of `edge.yml`.
    pub edge: Option<String>,
    /// The folder under which absolute paths of `access_rules.repositories` are looked up.
    pub root: Option<String>,
    /// Oathkeeper v26.2.0 to the letter, whatever `mode` in `edge.yml` says.
    pub strict: bool,
    /// Reasons on what was read, too: on patterns, on names that only a cluster knows. For `edgekeeper check`.
    pub thorough: bool,
}

/// Compiles an operator's files. With the policy come warnings and notes, in the order of the files.
///
/// # Errors
/// Everything that was found, in the order of the files, at least one of it an error.
pub fn compile(
    sources: &dyn Sources,
    options: &Options,
) -> Result<(Policy, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut report = Report::default();
    let policy = build(sources, options, &mut report);
    let (found, failed) = report.finish();
    match policy {
        Some(policy) if !failed => Ok((policy, found)),
        _ => Err(found),
    }
}

fn build(sources: &dyn Sources, options: &Options, report: &mut Report) -> Option<Policy> {
    let root = read_file(sources, &options.config, report);
    let edge = options
        .edge
        .as_ref()
        .map(|path| read_file(sources, path, report));
    let config = config::read(root?, report);
    let mut edge = match edge {
        Some(root) => {
            let root = root?;
            secret::look(&root, options.thorough, report);
            let edge = edge::read(&root, options.strict, report);
            if options.thorough {
                lifetime::session(&root, &edge.session, report);
            }
            edge
        }
        None => Edge::without_file(options.strict),
    };
    let strict = edge.strict;
    secret::look(config.root(), options.thorough, report);
    let repositories = read_repositories(sources, options, &config, report);

    let mut cx = Context {
        config: &config,
        edge: &mut edge,
        report,
        strict,
        thorough: options.thorough,
        extra: Vec::new(),
        without_preflight: Vec::new(),
        redirects: false,
        told_jwks_url: false,
        told_origins: BTreeSet::new(),
        told_injections: BTreeSet::new(),
        told_keto_glob: false,
    };
    check_globals(&mut cx);
    let errors = error::fallback(&mut cx);
    let rules = read_rules(&repositories, &mut cx);
    look_back(&rules, &mut cx);
    cx.edge.keys.published = mutator::published(&mut cx);
    reasoning::tell(&rules, strict, options.thorough, cx.report);
    let rules: Vec<Rule> = rules.into_iter().map(|placed| placed.rule).collect();

    let hosts = edge.hosts;
    let return_to = edge
        .return_to
        .or_else(|| {
            hosts
                .clone()
                .map(|hosts| hosts.into_iter().filter_map(to_return_to).collect())
        })
        .or_else(|| (!strict).then(|| rule_hosts(&rules)));
    Some(Policy {
        format: FORMAT,
        strict,
        scheme: edge.scheme,
        trust_forwarded_headers: config.trust_forwarded_headers(),
        hosts,
        api_hosts: edge.api_hosts,
        api: edge.api,
        operator_secret: edge.operator_secret,
        cors: config.cors.or(edge.cors),
        api_cors: config.api_cors,
        return_to,
        session: edge.session,
        keys: edge.keys,
        policies: edge.policies,
        server_timing: edge.server_timing,
        errors,
        // Oathkeeper lets a client send what no rule of the request overwrites.
        identity_headers: if strict {
            Vec::new()
        } else {
            rule::identity_headers(&rules)
        },
        rules,
    })
}

/// Checks the global configuration of every enabled handler, whether a rule uses it or not.
fn check_globals(cx: &mut Context<'_>) {
    for handler in handler::HANDLERS {
        let Some(config) = cx.config.handler_config(handler) else {
            continue;
        };
        let is_complete = handler
            .required
            .iter()
            .chain(mutator::required(handler, cx.edge.keys.source))
            .all(|name| config.get(name).is_some());
        if !cx.config.is_enabled(handler) || !is_complete {
            continue;
        }
        let used = Use {
            handler,
            config: config.clone(),
            span: cx.config.handler_span(handler),
        };
        match handler.stage {
            Stage::Authenticator => drop(authenticator::read(&used, cx)),
            Stage::Authorizer => drop(authorizer::read(&used, cx)),
            // Where its rules put it is told with them.
            Stage::Mutator => drop(mutator::read(&used, true, cx)),
            Stage::Error => drop(error::read(&used, cx)),
        }
    }
}

/// Reads a file into a tree; `None` when there is none, which is in the report.
fn read_file(sources: &dyn Sources, path: &str, report: &mut Report) -> Option<Node> {
    let text = sources.read(path);
    let file = report.add_file(path, text.as_deref().unwrap_or_default());
    let whole = Span {
        file,
        line: 0,
        column: 0,
    };
    match text {
        Ok(text) => parse(&text, path, file, report),
        Err(reason) => {
            report.error(
                Code::UNREADABLE_FILE,
                whole,
                format!("the file cannot be read: {reason}"),
                "name a text file in UTF-8 that this user may read",
            );
            None
        }
    }
}

fn parse(text: &str, path: &str, file: usize, report: &mut Report) -> Option<Node> {
    let whole = Span {
        file,
        line: 0,
        column: 0,
    };
    if text.len() > source::MAX_FILE_BYTES {
        report.error(
            Code::FILE_TOO_LARGE,
            whole,
            format!("the file has more than {} MB", source::MAX_FILE_BYTES >> 20),
            "name several files of rules under `access_rules.repositories`; no configuration is so long",
        );
        return None;
    }
    if path.ends_with(".toml") {
        report.error(
            Code::TOML,
            whole,
            "TOML is not read here",
            "write the configuration as YAML or JSON, both of which Oathkeeper reads too",
        );
        return None;
    }
    let text = source::plain(text);
    let looks_like_json = text.trim_start().starts_with(['[', '{']);
    if looks_like_json || path.ends_with(".json") {
        json::parse(&text, file, report)
    } else {
        yaml::parse(&text, file, report)
    }
}

fn read_repositories(
    sources: &dyn Sources,
    options: &Options,
    config: &Config,
    report: &mut Report,
) -> Vec<Node> {
    if config.repositories().is_empty() {
        report.error(Code::NO_RULES,
            config.rules_span(),
            "no rules are named",
            "list their files under `access_rules.repositories`, such as `file://./access-rules.json`",
        );
    }
    let mut trees = Vec::new();
    let mut bytes = 0_usize;
    for node in config.repositories() {
        if bytes > source::MAX_RULES_BYTES {
            report.error(
                Code::FILE_TOO_LARGE,
                node.span,
                format!(
                    "the rules before this have more than {} MB together; from here on no file is read",
                    source::MAX_RULES_BYTES >> 20
                ),
                "name each file once; so many rules are for several gateways",
            );
            break;
        }
        let Some(address) = node.text() else { continue };
        match source::repository(address, &options.config, options.root.as_deref()) {
            Ok(Repository::File(path)) => match sources.read(&path) {
                Ok(text) => {
                    bytes = bytes.saturating_add(text.len());
                    let file = report.add_file(&path, &text);
                    trees.extend(parse(&text, &path, file, report).map(Node::with_old_flags));
                }
                Err(reason) => report.error(Code::UNREADABLE_FILE,
                    node.span,
                    format!("the rules `{path}` cannot be read: {reason}"),
                    "relative paths are relative to this file's folder; `--root DIR` says where absolute ones are",
                ),
            },
            Ok(Repository::Inline(text)) => {
                let name = format!("{} (inline)", report.place(node.span));
                let file = report.add_file(&name, &text);
                trees.extend(parse(&text, &name, file, report).map(Node::with_old_flags));
            }
            Err(error) => report.error(Code::RULES_REPOSITORY, node.span, error.message, error.help),
        }
    }
    trees
}

/// A rule, and where it stands.
struct Placed {
    rule: Rule,
    /// Its `match.url`.
    url: Node,
}

impl Placed {
    fn span(&self) -> Span {
        self.url.span
    }
}

/// Reads the rules, each with its place.
fn read_rules(trees: &[Node], cx: &mut Context<'_>) -> Vec<Placed> {
    let mut rules = Vec::new();
    let mut ids: BTreeMap<String, Span> = BTreeMap::new();
    for tree in trees {
        if !matches!(tree.value, Value::List(_) | Value::Null) {
            cx.report.error(
                Code::WRONG_TYPE,
                tree.span,
                "this is not a list of rules",
                "a file of rules is one list: `[ { \"id\": … }, … ]`",
            );
        }
        if tree.items().is_empty() && matches!(tree.value, Value::List(_) | Value::Null) {
            cx.report.warning(
                Code::NO_RULES,
                tree.span,
                "there are no rules in this file",
                "write one, as in `[{ \"id\": …, \"match\": … }]`, or take the file out of `access_rules.repositories`",
            );
        }
        for node in tree.items() {
            let id = node.text_at("id");
            match ids.get(&id) {
                Some(first) if !id.is_empty() => {
                    let message = format!("the id `{id}` is taken");
                    let help = format!(
                        "the other rule with it is at {}; every rule needs an id of its own",
                        cx.report.place(*first)
                    );
                    let span = node.get("id").map_or(node.span, |id| id.span);
                    if cx.strict {
                        cx.report.warning(Code::DUPLICATE_ID, span, message, help);
                    } else {
                        cx.report.error(Code::DUPLICATE_ID, span, message, help);
                    }
                }
                _ => {
                    ids.insert(id.clone(), node.get("id").map_or(node.span, |id| id.span));
                }
            }
            cx.extra.clear();
            if !id.is_empty() {
                cx.report.enter_rule(&id, node.span);
            }
            secret::look(node, cx.thorough, cx.report);
            cx.report.leave_rule();
            match rule::read(node, cx) {
                Some(rule) => {
                    let url = node.at(&["match", "url"]).cloned();
                    let url = url.unwrap_or_else(|| Node::new(Value::Null, node.span));
                    rules.push(Placed { rule, url });
                }
                None => cx.report.incomplete(node.span),
            }
        }
    }
    rule_edges(&ids, cx);
    rules
}

fn rule_edges(ids: &BTreeMap<String, Span>, cx: &mut Context<'_>) {
    for entry in &cx.edge.rules {
        let known = || ids.keys().map(String::as_str);
        if ids.contains_key(&entry.id) {
            continue;
        }
        cx.report.error(
            Code::UNKNOWN_RULE,
            entry.span,
            format!("there is no rule with the id `{}`", entry.id),
            format!(
                "{}what is written there would protect nothing",
                name::hint(&entry.id, known())
            ),
        );
    }
}

/// So many rules are named where something is about many.
const SHOWN: usize = 5;

/// What can only be told once everything is read.
fn look_back(rules: &[Placed], cx: &mut Context<'_>) {
    if let Some(redirect) = handler::find(Stage::Error, "redirect")
        && cx.config.is_enabled(redirect)
        && !cx.redirects
    {
        cx.report.hint(
            Code::REDIRECT_UNUSED,
            cx.config.handler_span(redirect),
            "the error handler `redirect` is enabled but never used",
            "put it into `errors.fallback`, in front of `json`, or into a rule's `errors`",
        );
    }
    for (origin, upstream) in &cx.edge.upstreams {
        if !upstream.used {
            cx.report.warning(Code::UPSTREAM_UNUSED,
                upstream.span,
                format!("no rule and no `check_session_url` goes to `{origin}`"),
                "an entry of `upstreams` stands for exactly this scheme, host and port; take it out if nothing needs it",
            );
        }
    }
    let answered = preflight::answered(rules);
    cx.without_preflight
        .retain(|(id, _)| !answered.contains(id.as_str()));
    if let Some((_, span)) = cx.without_preflight.first()
        && !cx.strict
    {
        let ids = cx.without_preflight.iter().map(|(id, _)| id.as_str());
        let more = match ids.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let ids = name::list(ids.take(SHOWN), ", ");
        let message = format!(
            "CORS is not configured, so a browser's preflight from another origin gets 404 at {ids}{more}"
        );
        let help = "put `cors` into `edge.yml`, or enable `serve.proxy.cors`, if pages of other origins call it";
        // Who has an `edge.yml` without `cors` may be right to have none.
        if cx.edge.is_written {
            cx.report.hint(Code::CORS_MISSING, *span, message, help);
        } else {
            cx.report.note(Code::CORS_MISSING, *span, message, help);
        }
    }
}

fn to_return_to(host: HostPattern) -> Option<ReturnTo> {
    ReturnTo::try_from(String::from(host)).ok()
}

/// The hosts that the rules name literally: whoever serves them is trusted with the way back, too.
fn rule_hosts(rules: &[Rule]) -> Vec<ReturnTo> {
    let mut hosts: Vec<&str> = rules.iter().filter_map(|rule| rule.url.host()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
        .into_iter()
        .filter_map(|host| ReturnTo::try_from(host.to_owned()).ok())
        .collect()
}
