//! `edge.yml`: what Oathkeeper has no words for.

use std::collections::BTreeMap;

use super::code::Code;
use crate::allowlist::Allowlist;
use crate::api::Api;
use crate::cors::Cors;
use crate::document::Scheme;
use crate::host::HostPattern;
use crate::keys::{Keys, Source};
use crate::policies::{OnStoreFailure, Policies};
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
use super::upstream::{self, Target};
use Shape::{Anything, Choice, Flag, Integer, List, LongDuration, LongDurationOrNever, Map, Text};

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

/// An entry of `upstreams` that is more than a URL.
pub(super) const TARGET: Shape = Shape::Keys(&[("url", &Text), ("binding", &Text)]);

const HOST_HELP: &str = "write a name such as `app.example.com`, or `*.example.com` for all below it, either with a port, as in `localhost:4455`, to mean only that one";

const RETURN_TO_HELP: &str = "write a host such as `app.example.com`, or a URL such as `https://shop.example.com/cart`, which stands for all below it, too";

/// The secret that seals signing keys.
const KEYS_SECRET: &str = "KEYS_SECRET";

/// Shortest rotation of keys, in seconds: a new one must be seen everywhere well within it.
const MIN_ROTATION: u64 = 3_600;

/// The same where `keys.development` is set: all times are whole seconds.
const MIN_DEVELOPMENT_ROTATION: u64 = 5;

/// Longest rotation of keys, in seconds: ten years.
const MAX_ROTATION: u64 = 3_653 * 86_400;

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

/// One entry of `upstreams`.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) target: Target,
    pub(super) span: Span,
    pub(super) used: bool,
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
        session: session(root.get("session").unwrap_or(&empty), strict, report),
        keys: keys(root.get("keys").unwrap_or(&empty), strict, report),
        policies: policies(root.get("policy").unwrap_or(&empty), report),
        server_timing: root.flag_at("server_timing", false),
        upstreams: upstreams(root, report),
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

fn session(node: &Node, strict: bool, report: &mut Report) -> Session {
    let default = Session::default();
    let session = Session {
        ttl: seconds(node, "ttl", default.ttl, report),
        stale_while_revalidate: seconds(
            node,
            "stale_while_revalidate",
            default.stale_while_revalidate,
            report,
        ),
        stale_if_error: seconds(node, "stale_if_error", default.stale_if_error, report),
        timeout: seconds(node, "timeout", default.timeout, report),
        negative_ttl: seconds(node, "negative_ttl", default.negative_ttl, report),
        max_entries: size(node, "max_entries", default.max_entries, report),
        max_bytes: size(node, "max_bytes", default.max_bytes, report),
        cookies: match node.get("cookies") {
            Some(_) => node.texts_at("cookies"),
            None => default.cookies,
        },
        revocation_check: seconds(node, "revocation_check", default.revocation_check, report),
        revocation_secret: secret_name(
            node,
            "revocation_secret",
            "session.revocation_secret",
            "REVOCATION_SECRET",
            report,
        ),
        sealed_cookie: node.flag_at("sealed_cookie", false),
    };
    if session.revocation_check == 0 {
        report.error(Code::SESSION_BOUND,
            node.key_span("revocation_check"),
            "`session.revocation_check` is 0, so the store would be asked for every request",
            "write how long an instance may go by what it knows of revocations, such as `5s`; `ttl: 0s` asks Kratos for every request",
        );
    }
    if session.sealed_cookie && strict {
        report.error(Code::SEALED_COOKIE_STRICT,
            node.key_span("sealed_cookie"),
            "`session.sealed_cookie` is not there in strict mode, which sends on every cookie as it is",
            "take it out, or `mode: strict`",
        );
    }
    if session.timeout == 0 {
        report.error(
            Code::SESSION_BOUND,
            node.key_span("timeout"),
            "`session.timeout` is 0, so no session could ever be checked",
            "write how long whoami may take, such as `5s`",
        );
    }
    if session.cookies.is_empty() {
        report.error(
            Code::NO_SESSION_COOKIE,
            node.key_span("cookies"),
            "`session.cookies` is empty, so no session could ever be found",
            "name Kratos' session cookie, or take the key out for `ory_kratos_session`",
        );
    }
    session
}

fn keys(node: &Node, strict: bool, report: &mut Report) -> Keys {
    let default = Keys::default();
    let keys = Keys {
        algorithm: node
            .get("algorithm")
            .and_then(Node::text)
            .map_or(default.algorithm, str::to_owned),
        rotation: seconds(node, "rotation", default.rotation, report),
        development: node.flag_at("development", default.development),
        source: match node.get("source").and_then(Node::text) {
            Some("jwks_url") => Source::JwksUrl,
            // Strict mode signs with the keys that Oathkeeper signs with.
            None if strict => Source::JwksUrl,
            _ => Source::Own,
        },
        published: None,
    };
    let (shortest, help) = if keys.development {
        (
            MIN_DEVELOPMENT_ROTATION,
            "write how long a key signs, between `5s` (with `development: true`, on one machine) and `3653d`",
        )
    } else {
        (
            MIN_ROTATION,
            "write how long a key signs, between `1h` and `3653d`, such as `30d`",
        )
    };
    if !(shortest..=MAX_ROTATION).contains(&keys.rotation) {
        let span = node.get("rotation").map_or(node.span, |item| item.span);
        report.error(
            Code::KEY_ROTATION,
            span,
            format!("`keys.rotation` cannot be {} seconds", keys.rotation),
            help,
        );
    }
    keys
}

fn policies(node: &Node, report: &mut Report) -> Policies {
    let default = Policies::default();
    let never = node.get("refresh").and_then(Node::text) == Some(shape::NEVER);
    let refresh = default
        .refresh
        .filter(|_| !never)
        .map(|default| seconds(node, "refresh", default, report));
    if refresh == Some(0) {
        report.error(
            Code::POLICY_REFRESH,
            node.key_span("refresh"),
            "`policy.refresh` is 0, so the store would be asked for every request",
            "write how long an instance may go by the policy that it knows, `1s` or more, or `never`",
        );
    }
    Policies {
        refresh,
        on_store_failure: match node.get("on_store_failure").and_then(Node::text) {
            Some("refuse") => OnStoreFailure::Refuse,
            _ => default.on_store_failure,
        },
    }
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

fn size(node: &Node, name: &str, default: usize, report: &mut Report) -> usize {
    let Some((item, number)) = node
        .get(name)
        .and_then(|item| Some((item, item.integer()?)))
    else {
        return default;
    };
    match usize::try_from(number) {
        Ok(number) if number > 0 => number,
        _ => {
            report.error(
                Code::SESSION_BOUND,
                item.span,
                format!("`{name}` cannot be {number}"),
                "write a number above 0",
            );
            default
        }
    }
}

fn upstreams(root: &Node, report: &mut Report) -> BTreeMap<String, Upstream> {
    let mut upstreams = BTreeMap::new();
    for (key, node) in root.get("upstreams").map(Node::entries).unwrap_or_default() {
        let origin = match upstream::origin(&key.name) {
            Ok(origin) => origin,
            Err(message) => {
                report.error(Code::UPSTREAM_MAPPING,
                    key.span,
                    message,
                    "a key of `upstreams` is an origin as the rules name it, such as `http://web-svc` or `http://kratos-public:4433`",
                );
                continue;
            }
        };
        let Some(target) = target(&key.name, node, report) else {
            continue;
        };
        let entry = Upstream {
            target,
            span: key.span,
            used: false,
        };
        if upstreams.insert(origin, entry).is_some() {
            report.error(
                Code::UPSTREAM_MAPPING,
                key.span,
                format!("`{}` is the same origin as a key above", key.name),
                "take one of them out",
            );
        }
    }
    upstreams
}

fn target(key: &str, node: &Node, report: &mut Report) -> Option<Target> {
    let path = format!("upstreams.{key}");
    let url = match node.text() {
        Some(_) => Some(node),
        None => {
            shape::check(node, &TARGET, &path, report);
            node.get("url")
        }
    };
    let binding = node
        .get("binding")
        .and_then(Node::text)
        .unwrap_or_default()
        .to_owned();
    match (url, binding.is_empty()) {
        (Some(url), true) => match upstream::absolute(url.text()?) {
            Ok(base) if base.query().is_none() && base.fragment().is_none() => {
                Some(Target::Url(base))
            }
            Ok(_) => {
                report.error(
                    Code::UPSTREAM_ADDRESS,
                    url.span,
                    format!("`{path}` has a query or fragment"),
                    "write a scheme, a host and perhaps a port and a base path",
                );
                None
            }
            Err(message) => {
                report.error(
                    Code::UPSTREAM_ADDRESS,
                    url.span,
                    message,
                    "write a URL such as `http://127.0.0.1:9000`",
                );
                None
            }
        },
        (None, false) => Some(Target::Binding(binding)),
        _ => {
            let is_known = |name: &str| matches!(name, "url" | "binding");
            let is_sound = matches!(node.value, Value::Table(_))
                && node.entries().iter().all(|(key, _)| is_known(&key.name));
            if is_sound {
                report.error(Code::UPSTREAM_ADDRESS,
                    node.span,
                    format!("`{path}` needs either `url` or `binding`"),
                    "write a URL, or `{ binding: NAME }` with the name of a service binding in `wrangler.toml`",
                );
            }
            None
        }
    }
}
