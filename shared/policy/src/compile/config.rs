//! `oathkeeper.yml`: what every rule builds on.

use super::code::Code;
use crate::cors::Cors;

use super::cors;
use super::handler::{self, Handler, Stage};
use super::name;
use super::node::{Node, Span, Value};
use super::report::Report;
use super::shape::{self, Keys, Shape};
use Shape::{Anything, Choice, Duration, Flag, Integer, List, Map, Number, Text};

const TIMEOUT: Shape = Shape::Keys(&[
    ("read", &Duration),
    ("write", &Duration),
    ("idle", &Duration),
]);
const TLS_SOURCE: Shape = Shape::Keys(&[("path", &Text), ("base64", &Text)]);
const TLS: Shape = Shape::Keys(&[("key", &TLS_SOURCE), ("cert", &TLS_SOURCE)]);
const CORS: Shape = Shape::Keys(&[
    ("enabled", &Flag),
    ("allowed_origins", &List(&Text)),
    ("allowed_methods", &List(&Choice(cors::METHODS))),
    ("allowed_headers", &List(&Text)),
    ("exposed_headers", &List(&Text)),
    ("allow_credentials", &Flag),
    ("max_age", &Integer),
    ("debug", &Flag),
]);
const SAMPLING: Shape = Shape::Keys(&[
    ("server_url", &Text),
    ("trace_id_ratio", &Number),
    ("sampling_ratio", &Number),
]);

const SERVE: Shape = Shape::Keys(&[
    (
        "api",
        &Shape::Keys(&[
            ("port", &Integer),
            ("host", &Text),
            ("timeout", &TIMEOUT),
            ("cors", &CORS),
            ("tls", &TLS),
        ]),
    ),
    (
        "proxy",
        &Shape::Keys(&[
            ("port", &Integer),
            ("host", &Text),
            ("trust_forwarded_headers", &Flag),
            ("timeout", &TIMEOUT),
            ("cors", &CORS),
            ("tls", &TLS),
        ]),
    ),
    (
        "prometheus",
        &Shape::Keys(&[
            ("port", &Integer),
            ("host", &Text),
            ("metrics_path", &Text),
            ("metric_name_prefix", &Text),
            ("hide_request_paths", &Flag),
            ("collapse_request_paths", &Flag),
        ]),
    ),
]);

const LOG: Shape = Shape::Keys(&[
    (
        "level",
        &Choice(&["panic", "fatal", "error", "warn", "info", "debug", "trace"]),
    ),
    ("format", &Choice(&["json", "json_pretty", "gelf", "text"])),
    ("leak_sensitive_values", &Flag),
    ("redaction_text", &Text),
    ("additional_redacted_headers", &List(&Text)),
]);

const TRACING: Shape = Shape::Keys(&[
    ("provider", &Choice(&["jaeger", "otel", "zipkin"])),
    ("service_name", &Text),
    ("deployment_environment", &Text),
    (
        "providers",
        &Shape::Keys(&[
            (
                "jaeger",
                &Shape::Keys(&[("local_agent_address", &Text), ("sampling", &SAMPLING)]),
            ),
            (
                "zipkin",
                &Shape::Keys(&[("server_url", &Text), ("sampling", &SAMPLING)]),
            ),
            (
                "otlp",
                &Shape::Keys(&[
                    ("server_url", &Text),
                    ("insecure", &Flag),
                    ("sampling", &SAMPLING),
                    ("authorization_header", &Text),
                ]),
            ),
        ]),
    ),
]);

/// The keys of Oathkeeper v26.2.0's `spec/config.schema.json`. Handlers are checked one by one.
pub(super) const KEYS: Keys = &[
    ("$schema", &Text),
    ("version", &Text),
    ("serve", &SERVE),
    (
        "access_rules",
        &Shape::Keys(&[
            ("repositories", &List(&Text)),
            ("matching_strategy", &Choice(&["", "regexp", "glob"])),
        ]),
    ),
    ("authenticators", &Map(&Anything)),
    ("authorizers", &Map(&Anything)),
    ("mutators", &Map(&Anything)),
    (
        "errors",
        &Shape::Keys(&[("fallback", &List(&Text)), ("handlers", &Map(&Anything))]),
    ),
    ("log", &LOG),
    ("tracing", &TRACING),
    ("profiling", &Choice(&["cpu", "mem", ""])),
    // Oathkeeper's switch against usage statistics; read from the environment, at home in some files.
    ("sqa", &Map(&Anything)),
];

/// The configuration, checked.
pub(super) struct Config {
    root: Node,
    /// `serve.proxy.cors`, when it is enabled.
    pub(super) cors: Option<Cors>,
    /// `serve.api.cors`, when it is enabled.
    pub(super) api_cors: Option<Cors>,
    /// How the rules' URLs are written; `None` if it is said in a way that is not understood, which is in the report.
    pub(super) strategy: Option<Strategy>,
}

/// `access_rules.matching_strategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    Regexp,
    Glob,
}

/// Checks the configuration and reads what does not depend on a rule.
pub(super) fn read(root: Node, report: &mut Report) -> Config {
    if root.value == Value::Null {
        report.error(
            Code::EMPTY_FILE,
            root.span,
            "the configuration is empty",
            "begin with `access_rules:` and the handlers that the rules use",
        );
    }
    shape::check(&root, &Shape::Keys(KEYS), "", report);
    for stage in Stage::ALL {
        check_handlers(&root, stage, report);
    }
    let strategy = match root.at(&["access_rules", "matching_strategy"]) {
        None => Some(Strategy::Regexp),
        Some(strategy) => match strategy.text() {
            Some("" | "regexp") => Some(Strategy::Regexp),
            Some("glob") => Some(Strategy::Glob),
            _ => None,
        },
    };
    if let Some(leak) = root.at(&["log", "leak_sensitive_values"])
        && leak.flag() == Some(true)
    {
        report.warning(Code::LEAK_SENSITIVE_VALUES,
            leak.span,
            "`log.leak_sensitive_values` is on: Oathkeeper writes cookies and tokens into its log",
            "take it out before production; here nothing sensitive is ever logged, whatever this says",
        );
    }
    let cors = |listener: &str, report: &mut Report| {
        root.at(&["serve", listener, "cors"])
            .filter(|node| node.flag_at("enabled", false))
            .map(|node| cors::read(node, &format!("serve.{listener}.cors"), report))
    };
    let proxy_cors = cors("proxy", report);
    let api_cors = cors("api", report);
    Config {
        cors: proxy_cors,
        api_cors,
        strategy,
        root,
    }
}

fn check_handlers(root: &Node, stage: Stage, report: &mut Report) {
    let Some(section) = root.at(stage.section()) else {
        return;
    };
    let path = stage.section().join(".");
    for (key, node) in section.entries() {
        let Some(handler) = handler::find(stage, &key.name).filter(|handler| handler.oathkeeper)
        else {
            let ours = handler::find(stage, &key.name).is_some();
            report.error(Code::UNKNOWN_HANDLER,
                key.span,
                format!("`{path}` has no handler `{}`", key.name),
                if ours {
                    format!("`{}` is not Oathkeeper's and needs no switching on; its defaults stand in `edge.yml` under `authorizers`", key.name)
                } else {
                    known_names(stage, &key.name, true)
                },
            );
            continue;
        };
        let path = format!("{path}.{}", key.name);
        shape::check(node, &Shape::Keys(handler.switch()), &path, report);
        if let Some(config) = node.get("config").filter(|_| handler.takes_config()) {
            shape::check(
                config,
                &Shape::Keys(handler.config),
                &format!("{path}.config"),
                report,
            );
        }
        if !node.flag_at("enabled", false) {
            continue;
        }
        require(handler, node.get("config"), key.span, report);
    }
}

/// Required keys that may stand there without a value; their handlers tell what that means.
const MAY_BE_EMPTY: [&str; 3] = ["payload", "required_action", "required_resource"];

/// Tells which of a handler's required keys its configuration lacks; whether it has them all.
pub(super) fn require(
    handler: &Handler,
    config: Option<&Node>,
    span: Span,
    report: &mut Report,
) -> bool {
    let mut complete = true;
    for name in handler.required {
        let value = config.and_then(|config| config.get(name));
        let is_empty =
            !MAY_BE_EMPTY.contains(name) && value.is_some_and(|value| value.text() == Some(""));
        if value.is_none() || is_empty {
            complete = false;
            report.error(
                Code::MISSING_KEY,
                value.map_or(span, |value| value.span),
                format!(
                    "the {} `{}` has no `{name}`",
                    handler.stage.name(),
                    handler.name
                ),
                format!("put `{name}` into its `config`"),
            );
        }
    }
    complete
}

/// What could stand in place of an unknown handler's name.
pub(super) fn known_names(stage: Stage, wrong: &str, oathkeeper_only: bool) -> String {
    let fits = |handler: &&Handler| handler.oathkeeper || !oathkeeper_only;
    format!(
        "{}known are {}",
        name::hint(
            wrong,
            handler::of(stage).filter(fits).map(|handler| handler.name)
        ),
        name::list(
            handler::of(stage).filter(fits).map(|handler| handler.name),
            ", "
        )
    )
}

impl Config {
    /// All of it.
    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// `access_rules.repositories`.
    pub(super) fn repositories(&self) -> &[Node] {
        self.root
            .at(&["access_rules", "repositories"])
            .map(Node::items)
            .unwrap_or_default()
    }

    /// Where `access_rules` stands, or the whole file.
    pub(super) fn rules_span(&self) -> Span {
        self.root.key_span("access_rules")
    }

    /// `errors.fallback`, if it is there.
    pub(super) fn fallback(&self) -> Option<&Node> {
        self.root.at(&["errors", "fallback"])
    }

    pub(super) fn trust_forwarded_headers(&self) -> bool {
        self.root
            .at(&["serve", "proxy", "trust_forwarded_headers"])
            .and_then(Node::flag)
            .unwrap_or(false)
    }

    /// Whether rules may use a handler. `json` is the one that is enabled without being named.
    pub(super) fn is_enabled(&self, handler: &Handler) -> bool {
        let by_default = handler.stage == Stage::Error && handler.name == "json";
        match self.handler(handler) {
            Some(node) => node.flag_at("enabled", false),
            None => by_default || !handler.oathkeeper,
        }
    }

    /// The global configuration of a handler.
    pub(super) fn handler_config(&self, handler: &Handler) -> Option<&Node> {
        self.handler(handler)?.get("config")
    }

    /// Where a handler is switched on, or would be.
    pub(super) fn handler_span(&self, handler: &Handler) -> Span {
        self.root
            .at(handler.stage.section())
            .map_or(self.root.span, |section| section.key_span(handler.name))
    }

    /// The line to write to enable a handler.
    pub(super) fn switch(handler: &Handler) -> String {
        format!(
            "{}.{}.enabled: true",
            handler.stage.section().join("."),
            handler.name
        )
    }

    fn handler(&self, handler: &Handler) -> Option<&Node> {
        self.root.at(handler.stage.section())?.get(handler.name)
    }
}
