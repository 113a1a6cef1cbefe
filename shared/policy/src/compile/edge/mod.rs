//! `edge.yml`: what Oathkeeper has no words for.

mod keys;
mod policies;
mod session;
pub(super) mod upstreams;

use std::collections::BTreeMap;

use super::code::Code;
use crate::allowlist::Allowlist;
use crate::api::Api;
use crate::cors::Cors;
use crate::document::Scheme;
use crate::host::HostPattern;
use crate::keys::{Keys, Source};
use crate::policies::Policies;
use crate::return_to::ReturnTo;
use crate::session::Session;

use super::advice;
use super::allow;
use super::cors;
use super::duration::Duration;
use super::handler::{self, Handler};
use super::node::{Node, Span, Value};
use super::report::Report;
use super::shape::{self, Shape};
use super::suffix;
use Shape::{Anything, Choice, Flag, Integer, List, LongDuration, LongDurationOrNever, Map, Text};
use upstreams::Upstream;

const RULE: Shape = Shape::Keys(&[
    ("allowlist", &Shape::Keys(handler::ALLOWLIST)),
    ("keto", &Shape::Keys(handler::KETO)),
    ("tokenize_as", &Text),
]);

/// The keys of `edge.yml`. What `upstreams` holds is checked entry by entry.
pub(super) const EDGE: Shape = Shape::Keys(&[
    ("mode", &Choice(&["default", "strict"])),
    ("scheme", &Choice(&["http", "https"])),
    ("hosts", &List(&Text)),
    (
        "api",
        &Shape::Keys(&[
            ("hosts", &List(&Text)),
            ("trust_forwarded_headers", &Flag),
            ("secret", &Text),
            ("rules", &Flag),
        ]),
    ),
    ("operator", &Shape::Keys(&[("secret", &Text)])),
    ("return_to", &List(&Text)),
    (
        "cors",
        &Shape::Keys(&[
            ("allowed_origins", &List(&Text)),
            ("allowed_methods", &List(&Choice(cors::METHODS))),
            ("allowed_headers", &List(&Text)),
            ("exposed_headers", &List(&Text)),
            ("allow_credentials", &Flag),
            ("max_age", &Integer),
        ]),
    ),
    (
        "session",
        &Shape::Keys(&[
            ("ttl", &LongDuration),
            ("stale_while_revalidate", &LongDuration),
            ("stale_if_error", &LongDuration),
            ("timeout", &LongDuration),
            ("negative_ttl", &LongDuration),
            ("max_entries", &Integer),
            ("max_bytes", &Integer),
            ("cookies", &List(&Text)),
            ("revocation_check", &LongDuration),
            ("revocation_secret", &Text),
            ("sealed_cookie", &Flag),
        ]),
    ),
    (
        "keys",
        &Shape::Keys(&[
            ("algorithm", &Choice(&["EdDSA", "ES256"])),
            ("rotation", &LongDuration),
            ("development", &Flag),
            ("source", &Choice(&["own", "jwks_url"])),
        ]),
    ),
    (
        "policy",
        &Shape::Keys(&[
            ("refresh", &LongDurationOrNever),
            ("on_store_failure", &Choice(&["deployed", "refuse"])),
        ]),
    ),
    ("server_timing", &Flag),
    ("upstreams", &Map(&Anything)),
    (
        "authorizers",
        &Shape::Keys(&[
            (
                "allowlist",
                &Shape::Keys(&[("config", &Shape::Keys(handler::ALLOWLIST))]),
            ),
            (
                "keto",
                &Shape::Keys(&[("config", &Shape::Keys(handler::KETO))]),
            ),
        ]),
    ),
    ("rules", &Map(&RULE)),
]);

const HOST_HELP: &str = "write a name such as `app.example.com`, or `*.example.com` for all below it, either with a port, as in `localhost:4455`, to mean only that one";

const RETURN_TO_HELP: &str = "write a host such as `app.example.com`, or a URL such as `https://shop.example.com/cart`, which stands for all below it, too";

/// The secret that seals signing keys.
const KEYS_SECRET: &str = "KEYS_SECRET";

/// `edge.yml`, checked. Everything in it is optional.
#[derive(Debug, Default)]
pub(super) struct Edge {
    /// Oathkeeper v26.2.0 to the letter, by `mode: strict` or because the command says so.
    pub(super) strict: bool,
    /// Whether there is such a file at all.
    pub(super) is_written: bool,
    /// The scheme browsers use, where TLS ends before the gateway.
    pub(super) scheme: Option<Scheme>,
    /// Hosts that are served at all.
    pub(super) hosts: Option<Vec<HostPattern>>,
    /// Hosts on which the API answers instead of the rules.
    pub(super) api_hosts: Vec<HostPattern>,
    /// Whom the API believes.
    pub(super) api: Api,
    /// The name of the secret by which the gateway knows its operator.
    pub(super) operator_secret: Option<String>,
    /// Whether `/rules` shows the rules.
    pub(super) lists_rules: bool,
    /// Where a login may send a browser back to.
    pub(super) return_to: Option<Vec<ReturnTo>>,
    /// CORS, where `serve.proxy.cors` is not enabled.
    pub(super) cors: Option<Cors>,
    /// How sessions are checked and how long an answer is believed.
    pub(super) session: Session,
    /// How signing keys are made and rotated.
    pub(super) keys: Keys,
    /// How a policy gets in force that is pushed.
    pub(super) policies: Policies,
    /// Whether answers say in `Server-Timing` where the session came from and which key signed.
    pub(super) server_timing: bool,
    /// Other ways to the origins that rules and `check_session_url` name.
    pub(super) upstreams: BTreeMap<String, Upstream>,
    /// `authorizers`: what those handlers' `config` in a rule is laid over that are not Oathkeeper's.
    authorizers: Option<Node>,
    /// What a rule gets besides its own authorizer, by the rule's id.
    pub(super) rules: Vec<RuleEdge>,
}

/// One entry of `rules`.
#[derive(Debug)]
pub(super) struct RuleEdge {
    pub(super) id: String,
    pub(super) span: Span,
    pub(super) allowlist: Option<Allowlist>,
    /// `keto`, laid over what is configured for all.
    pub(super) keto: Option<Node>,
    /// The template by which Kratos makes its token.
    pub(super) tokenize_as: Option<Node>,
}

/// Checks `edge.yml` and reads it.
pub(super) fn read(root: &Node, strict: bool, report: &mut Report) -> Edge {
    shape::check(root, &EDGE, "", report);
    let text = |path: &[&str]| root.at(path).and_then(Node::text);
    let strict = strict || text(&["mode"]) == Some("strict");
    let empty = Node::new(Value::Table(Vec::new()), root.span);
    let allowlist = root.at(&["authorizers", "allowlist", "config"]).cloned();
    let rules = root
        .get("rules")
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .map(|(key, node)| RuleEdge {
            id: key.name.clone(),
            span: key.span,
            allowlist: node.get("allowlist").and_then(|own| {
                let merged = allowlist
                    .as_ref()
                    .map_or_else(|| own.clone(), |base| Node::merge(base, own));
                allow::allowlist(&merged, own.span, report)
            }),
            keto: node.get("keto").map(|own| {
                let base = root.at(&["authorizers", "keto", "config"]);
                base.map_or_else(|| own.clone(), |base| Node::merge(base, own))
            }),
            tokenize_as: node.get("tokenize_as").cloned(),
        })
        .collect();
    Edge {
        is_written: true,
        strict,
        scheme: match text(&["scheme"]) {
            Some("http") => Some(Scheme::Http),
            Some("https") => Some(Scheme::Https),
            _ => None,
        },
        hosts: root.get("hosts").map(|_| hosts(root, report)),
        api_hosts: root
            .get("api")
            .map(|api| hosts(api, report))
            .unwrap_or_default(),
        api: api(root.get("api").unwrap_or(&empty), strict, report),
        operator_secret: secret_name(
            root.get("operator").unwrap_or(&empty),
            "secret",
            "operator.secret",
            "OPERATOR_SECRET",
            report,
        ),
        lists_rules: root.get("api").is_none_or(|api| api.flag_at("rules", true)),
        return_to: root.get("return_to").map(|_| return_to(root, report)),
        cors: root
            .get("cors")
            .map(|node| cors::read(node, "cors", report)),
        session: session::read(root.get("session").unwrap_or(&empty), strict, report),
        keys: keys::read(root.get("keys").unwrap_or(&empty), strict, report),
        policies: policies::read(root.get("policy").unwrap_or(&empty), report),
        server_timing: root.flag_at("server_timing", false),
        upstreams: upstreams::read(root, report),
        authorizers: root.get("authorizers").cloned(),
        rules,
    }
}

impl Edge {
    /// Without an `edge.yml`.
    pub(super) fn without_file(strict: bool) -> Self {
        let mut edge = Self {
            strict,
            lists_rules: true,
            ..Self::default()
        };
        if strict {
            edge.keys.source = Source::JwksUrl;
            edge.api.trust_forwarded_headers = true;
        }
        edge
    }

    /// What a handler's `config` in a rule is laid over.
    pub(super) fn handler_config(&self, handler: &Handler) -> Option<&Node> {
        self.authorizers.as_ref()?.at(&[handler.name, "config"])
    }
}

fn api(node: &Node, strict: bool, report: &mut Report) -> Api {
    let secret = secret_name(node, "secret", "api.secret", "API_SECRET", report);
    // Oathkeeper's API believes everybody who reaches it.
    let default = strict && secret.is_none();
    Api {
        trust_forwarded_headers: node.flag_at("trust_forwarded_headers", default),
        secret,
    }
}

/// The name of a secret of the runtime's, at a key whose path is told in messages with an example of a name.
fn secret_name(
    node: &Node,
    key: &str,
    path: &str,
    example: &str,
    report: &mut Report,
) -> Option<String> {
    let item = node.get(key)?;
    let name = item.text()?;
    let is_name = name.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let wrong = match name {
        KEYS_SECRET => Some("cannot be `KEYS_SECRET`, which never leaves the gateway"),
        _ if !is_name => Some("is not the name of a secret"),
        _ => None,
    };
    if let Some(wrong) = wrong {
        report.error(Code::SECRET_NAME,
            item.span,
            format!("`{path}` {wrong}"),
            format!("write the name, in capitals, of a secret that the runtime has: `{example}`; never the secret itself"),
        );
    }
    Some(name.to_owned())
}

fn hosts(node: &Node, report: &mut Report) -> Vec<HostPattern> {
    let mut hosts = Vec::new();
    for item in node.items_at("hosts") {
        let Some(text) = item.text() else { continue };
        match HostPattern::try_from(text.to_owned()) {
            Ok(host) => {
                if host.is_wildcard() {
                    suffix::refuse(host.host(), text, item.span, report);
                }
                hosts.push(host);
            }
            Err(message) => {
                let (message, help) = advice::split(&message, HOST_HELP);
                report.error(Code::HOST, item.span, message, help);
            }
        }
    }
    if hosts.is_empty()
        && node
            .get("hosts")
            .is_some_and(|hosts| hosts.items().is_empty())
    {
        report.error(
            Code::NO_HOSTS,
            node.key_span("hosts"),
            "`hosts` is empty, so nothing would be served",
            "list the hosts to serve, or take the key out to serve whichever host a rule names",
        );
    }
    hosts
}

fn return_to(node: &Node, report: &mut Report) -> Vec<ReturnTo> {
    let mut entries = Vec::new();
    for item in node.items_at("return_to") {
        let Some(text) = item.text() else { continue };
        match ReturnTo::try_from(text.to_owned()) {
            Ok(entry) => {
                if entry.host().is_wildcard() {
                    suffix::refuse(entry.host().host(), text, item.span, report);
                }
                entries.push(entry);
            }
            Err(message) => {
                let (message, help) = advice::split(&message, RETURN_TO_HELP);
                report.error(Code::RETURN_TO, item.span, message, help);
            }
        }
    }
    entries
}

fn seconds(node: &Node, name: &str, default: u64, report: &mut Report) -> u64 {
    let Some(item) = node.get(name) else {
        return default;
    };
    let Some(duration) = item.text().and_then(|text| Duration::parse(text, true)) else {
        return default;
    };
    duration.whole_seconds().unwrap_or_else(|| {
        report.error(
            Code::DURATION,
            item.span,
            format!("`{name}` is not a whole number of seconds"),
            "write seconds, such as `5s`",
        );
        default
    })
}
