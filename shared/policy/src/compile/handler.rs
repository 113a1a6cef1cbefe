//! The handlers Oathkeeper v26.2.0 knows and our own, and what each can be configured with.

use super::shape::{Keys, Shape};
use Shape::{Anything, Choice, Duration, Flag, Integer, List, Map, Text};

/// The stage of the pipeline a handler belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Authenticator,
    Authorizer,
    Mutator,
    Error,
}

impl Stage {
    /// `authenticator`, as it stands in a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Authenticator => "authenticator",
            Self::Authorizer => "authorizer",
            Self::Mutator => "mutator",
            Self::Error => "error handler",
        }
    }

    /// The keys under which the configuration switches its handlers on.
    pub(super) fn section(self) -> &'static [&'static str] {
        match self {
            Self::Authenticator => &["authenticators"],
            Self::Authorizer => &["authorizers"],
            Self::Mutator => &["mutators"],
            Self::Error => &["errors", "handlers"],
        }
    }

    /// All stages.
    pub(super) const ALL: [Self; 4] = [
        Self::Authenticator,
        Self::Authorizer,
        Self::Mutator,
        Self::Error,
    ];
}

/// One handler.
#[derive(Debug)]
pub(super) struct Handler {
    pub(super) stage: Stage,
    pub(super) name: &'static str,
    /// Keys of its `config`.
    pub(super) config: Keys,
    /// Keys its configuration cannot do without, wherever it is used.
    pub(super) required: &'static [&'static str],
    /// Whether it is Oathkeeper's; what is only ours need not be switched on.
    pub(super) oathkeeper: bool,
}

impl Handler {
    /// Whether it has a `config` in Oathkeeper's configuration: its schema knows none for those that ignore theirs.
    pub(super) fn takes_config(&self) -> bool {
        !self.config.is_empty() && self.name != "allow"
    }

    /// The keys under its name in Oathkeeper's configuration; `config` is checked by [`Handler::config`].
    pub(super) fn switch(&self) -> Keys {
        if self.takes_config() {
            &[("enabled", &Flag), ("config", &Anything)]
        } else {
            &[("enabled", &Flag)]
        }
    }
}

const TOKEN_FROM: Shape = Shape::Keys(&[
    ("header", &Text),
    ("query_parameter", &Text),
    ("cookie", &Text),
]);
const RETRY: Shape = Shape::Keys(&[("give_up_after", &Duration), ("max_delay", &Duration)]);
const SCOPE_STRATEGY: Shape = Choice(&["hierarchic", "exact", "wildcard", "none"]);
const CACHE: Shape = Shape::Keys(&[("enabled", &Flag), ("ttl", &Duration)]);

const WHEN: Shape = List(&Shape::Keys(&[
    (
        "error",
        &List(&Choice(&[
            "unauthorized",
            "forbidden",
            "internal_server_error",
            "not_found",
        ])),
    ),
    (
        "request",
        &Shape::Keys(&[
            ("cidr", &List(&Text)),
            (
                "header",
                &Shape::Keys(&[("content_type", &List(&Text)), ("accept", &List(&Text))]),
            ),
        ]),
    ),
]));

/// `config` of our own `allowlist`, in a rule as in `edge.yml`.
pub(super) const ALLOWLIST: Keys = &[
    ("emails", &List(&Text)),
    ("domains", &List(&Text)),
    ("subjects", &List(&Text)),
    ("require_verified", &Flag),
    ("email_from", &Text),
];

const COOKIE_SESSION: Keys = &[
    ("check_session_url", &Text),
    ("only", &List(&Text)),
    ("preserve_path", &Flag),
    ("preserve_query", &Flag),
    ("preserve_host", &Flag),
    ("force_method", &Text),
    ("forward_http_headers", &List(&Text)),
    ("additional_headers", &Map(&Text)),
    ("extra_from", &Text),
    ("subject_from", &Text),
];

const BEARER_TOKEN: Keys = &[
    ("check_session_url", &Text),
    ("token_from", &TOKEN_FROM),
    ("prefix", &Text),
    ("preserve_path", &Flag),
    ("preserve_query", &Flag),
    ("preserve_host", &Flag),
    ("force_method", &Text),
    ("forward_http_headers", &List(&Text)),
    ("additional_headers", &Map(&Text)),
    ("extra_from", &Text),
    ("subject_from", &Text),
];

const JWT: Keys = &[
    ("jwks_urls", &List(&Text)),
    ("required_scope", &List(&Text)),
    ("target_audience", &List(&Text)),
    ("trusted_issuers", &List(&Text)),
    ("allowed_algorithms", &List(&Text)),
    ("jwks_max_wait", &Text),
    ("jwks_ttl", &Text),
    ("scope_strategy", &SCOPE_STRATEGY),
    ("token_from", &TOKEN_FROM),
];

const INTROSPECTION: Keys = &[
    ("introspection_url", &Text),
    ("scope_strategy", &SCOPE_STRATEGY),
    (
        "pre_authorization",
        &Shape::Keys(&[
            ("enabled", &Flag),
            ("client_id", &Text),
            ("client_secret", &Text),
            ("token_url", &Text),
            ("audience", &Text),
            ("scope", &List(&Text)),
        ]),
    ),
    ("required_scope", &List(&Text)),
    ("target_audience", &List(&Text)),
    ("trusted_issuers", &List(&Text)),
    ("prefix", &Text),
    ("preserve_host", &Flag),
    ("introspection_request_headers", &Map(&Anything)),
    ("token_from", &TOKEN_FROM),
    ("retry", &RETRY),
    (
        "cache",
        &Shape::Keys(&[
            ("enabled", &Flag),
            ("ttl", &Duration),
            ("max_cost", &Integer),
        ]),
    ),
];

const CLIENT_CREDENTIALS: Keys = &[
    ("token_url", &Text),
    ("required_scope", &List(&Text)),
    ("retry", &RETRY),
    (
        "cache",
        &Shape::Keys(&[
            ("enabled", &Flag),
            ("ttl", &Duration),
            ("max_tokens", &Integer),
        ]),
    ),
];

/// `config` of our own `keto`, in a rule as in `edge.yml`.
pub(super) const KETO: Keys = &[
    ("base_url", &Text),
    ("namespace", &Text),
    ("object", &Text),
    ("relation", &Text),
    ("subject", &Text),
    (
        "subject_set",
        &Shape::Keys(&[("namespace", &Text), ("object", &Text), ("relation", &Text)]),
    ),
];

const KETO_ENGINE_ACP_ORY: Keys = &[
    ("base_url", &Text),
    ("required_action", &Text),
    ("required_resource", &Text),
    ("subject", &Text),
    ("flavor", &Text),
];

const REMOTE: Keys = &[
    ("remote", &Text),
    ("headers", &Map(&Text)),
    ("forward_response_headers_to_upstream", &List(&Text)),
    ("retry", &RETRY),
];

const REMOTE_JSON: Keys = &[
    ("remote", &Text),
    ("headers", &Map(&Text)),
    ("payload", &Text),
    ("forward_response_headers_to_upstream", &List(&Text)),
    ("retry", &RETRY),
];

const HYDRATOR: Keys = &[
    (
        "api",
        &Shape::Keys(&[
            ("url", &Text),
            (
                "auth",
                &Shape::Keys(&[(
                    "basic",
                    &Shape::Keys(&[("username", &Text), ("password", &Text)]),
                )]),
            ),
            ("retry", &RETRY),
        ]),
    ),
    ("cache", &CACHE),
];

const ID_TOKEN: Keys = &[
    ("issuer_url", &Text),
    ("jwks_url", &Text),
    ("claims", &Text),
    ("ttl", &Duration),
];

const REDIRECT: Keys = &[
    ("to", &Text),
    ("code", &Integer),
    ("return_to_query_param", &Text),
    ("when", &WHEN),
];

/// `allow` takes what our allowlist takes, under the name that people give it.
const ALLOW: Keys = &[
    ("subject_matches", &List(&Text)),
    ("require_verified", &Flag),
    ("email_from", &Text),
];

const fn oathkeepers(
    stage: Stage,
    name: &'static str,
    config: Keys,
    required: &'static [&'static str],
) -> Handler {
    Handler {
        stage,
        name,
        config,
        required,
        oathkeeper: true,
    }
}

/// Every handler, in the order in which messages list them.
pub(super) static HANDLERS: &[Handler] = &[
    oathkeepers(
        Stage::Authenticator,
        "cookie_session",
        COOKIE_SESSION,
        &["check_session_url"],
    ),
    oathkeepers(
        Stage::Authenticator,
        "anonymous",
        &[("subject", &Text)],
        &[],
    ),
    oathkeepers(Stage::Authenticator, "noop", &[], &[]),
    oathkeepers(Stage::Authenticator, "unauthorized", &[], &[]),
    oathkeepers(
        Stage::Authenticator,
        "bearer_token",
        BEARER_TOKEN,
        &["check_session_url"],
    ),
    oathkeepers(Stage::Authenticator, "jwt", JWT, &["jwks_urls"]),
    oathkeepers(
        Stage::Authenticator,
        "oauth2_introspection",
        INTROSPECTION,
        &["introspection_url"],
    ),
    oathkeepers(
        Stage::Authenticator,
        "oauth2_client_credentials",
        CLIENT_CREDENTIALS,
        &["token_url"],
    ),
    oathkeepers(Stage::Authorizer, "allow", ALLOW, &[]),
    oathkeepers(Stage::Authorizer, "deny", &[], &[]),
    Handler {
        stage: Stage::Authorizer,
        name: "allowlist",
        config: ALLOWLIST,
        required: &[],
        oathkeeper: false,
    },
    oathkeepers(Stage::Authorizer, "remote", REMOTE, &["remote"]),
    oathkeepers(
        Stage::Authorizer,
        "remote_json",
        REMOTE_JSON,
        &["remote", "payload"],
    ),
    oathkeepers(
        Stage::Authorizer,
        "keto_engine_acp_ory",
        KETO_ENGINE_ACP_ORY,
        &["base_url", "required_action", "required_resource"],
    ),
    Handler {
        stage: Stage::Authorizer,
        name: "keto",
        config: KETO,
        required: &["base_url", "namespace", "object", "relation"],
        oathkeeper: false,
    },
    oathkeepers(Stage::Mutator, "noop", &[], &[]),
    oathkeepers(
        Stage::Mutator,
        "header",
        &[("headers", &Map(&Text))],
        &["headers"],
    ),
    oathkeepers(Stage::Mutator, "id_token", ID_TOKEN, &["issuer_url"]),
    oathkeepers(
        Stage::Mutator,
        "cookie",
        &[("cookies", &Map(&Text))],
        &["cookies"],
    ),
    oathkeepers(Stage::Mutator, "hydrator", HYDRATOR, &["api"]),
    oathkeepers(
        Stage::Error,
        "json",
        &[("verbose", &Flag), ("when", &WHEN)],
        &[],
    ),
    oathkeepers(Stage::Error, "redirect", REDIRECT, &["to"]),
    oathkeepers(
        Stage::Error,
        "www_authenticate",
        &[("realm", &Text), ("when", &WHEN)],
        &[],
    ),
];

/// The handlers of a stage.
pub(super) fn of(stage: Stage) -> impl Iterator<Item = &'static Handler> {
    HANDLERS
        .iter()
        .filter(move |handler| handler.stage == stage)
}

/// A handler by its name.
pub(super) fn find(stage: Stage, name: &str) -> Option<&'static Handler> {
    of(stage).find(|handler| handler.name == name)
}
