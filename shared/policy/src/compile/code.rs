//! The kinds of findings: each has a name that stays, and a page of that name in `docs/diagnostics`.

use std::fmt;

/// The kind of a finding. Its name is part of the interface: people look it up, and machines sort by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

macro_rules! codes {
    ($($(#[$doc:meta])* $constant:ident = $name:literal,)*) => {
        impl Code {
            $($(#[$doc])* pub const $constant: Self = Self($name);)*

            /// All there are, by name.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];
        }
    };
}

codes! {
    /// An allowlist that names nobody.
    ALLOWLIST_EMPTY = "allowlist-empty",
    /// An entry of an allowlist that is no address, domain or subject.
    ALLOWLIST_ENTRY = "allowlist-entry",
    /// An authenticator behind one that takes every request.
    AUTHENTICATOR_NEVER_ASKED = "authenticator-never-asked",
    /// `authorizers` where Oathkeeper has `authorizer`.
    AUTHORIZERS_LIST = "authorizers-list",
    /// A URL pattern that a request can keep busy.
    BACKTRACKING = "backtracking",
    /// A condition of an error handler that Oathkeeper ignores.
    CIDR_IGNORED = "cidr-ignored",
    /// A `max_age` that is no time.
    CORS_MAX_AGE = "cors-max-age",
    /// Rules whose preflights nobody answers.
    CORS_MISSING = "cors-missing",
    /// An origin that cannot be allowed.
    CORS_ORIGIN = "cors-origin",
    /// The origin `*` together with credentials.
    CORS_WILDCARD = "cors-wildcard",
    /// One header set twice.
    DUPLICATE_HEADER = "duplicate-header",
    /// Two rules of one id.
    DUPLICATE_ID = "duplicate-id",
    /// One key twice in a table.
    DUPLICATE_KEY = "duplicate-key",
    /// A time that is none, or not in whole seconds.
    DURATION = "duration",
    /// An empty entry of a list.
    EMPTY_ENTRY = "empty-entry",
    /// No error handler at all.
    EMPTY_FALLBACK = "empty-fallback",
    /// A configuration without anything in it.
    EMPTY_FILE = "empty-file",
    /// A file that no configuration is as large as.
    FILE_TOO_LARGE = "file-too-large",
    /// A rule for gRPC.
    GRPC = "grpc",
    /// A template that reads what a guest does not have.
    GUEST_WITHOUT_SESSION = "guest-without-session",
    /// A handler that the configuration does not enable.
    HANDLER_DISABLED = "handler-disabled",
    /// A header that a client can send as its own.
    HEADER_LEFT_OPEN = "header-left-open",
    /// A host that is none.
    HOST = "host",
    /// Credentials of which a part is missing.
    INCOMPLETE_CREDENTIALS = "incomplete-credentials",
    /// A mistake of edgekeeper's.
    INTERNAL = "internal",
    /// Introspection that is remembered without a bound.
    INTROSPECTION_CACHE = "introspection-cache",
    /// A cookie's name that is none.
    INVALID_COOKIE = "invalid-cookie",
    /// A header that cannot be set.
    INVALID_HEADER = "invalid-header",
    /// A method that is none of HTTP.
    INVALID_METHOD = "invalid-method",
    /// A comment in JSON.
    JSON_COMMENT = "json-comment",
    /// What is not JSON.
    JSON_SYNTAX = "json-syntax",
    /// Oathkeeper's keys where the gateway has its own.
    JWKS_URL_UNUSED = "jwks-url-unused",
    /// A signature algorithm that cannot be accepted.
    JWT_ALGORITHM = "jwt-algorithm",
    /// Keto's old engine with the strategy `glob`.
    KETO_ENGINE_GLOB = "keto-engine-glob",
    /// A question to Keto that has no answer.
    KETO_QUESTION = "keto-question",
    /// A rotation of keys that cannot be kept.
    KEY_ROTATION = "key-rotation",
    /// Secrets in Oathkeeper's log.
    LEAK_SENSITIVE_VALUES = "leak-sensitive-values",
    /// A key that has to be there.
    MISSING_KEY = "missing-key",
    /// A rule that no request is for.
    NEVER_MATCHES = "never-matches",
    /// A setting that does nothing.
    NO_EFFECT = "no-effect",
    /// A gateway that serves no host.
    NO_HOSTS = "no-hosts",
    /// No rules at all.
    NO_RULES = "no-rules",
    /// No cookie that a session could be in.
    NO_SESSION_COOKIE = "no-session-cookie",
    /// A session check that any cookie sets off.
    ONLY_MISSING = "only-missing",
    /// What counts long after a logout.
    OUTLIVES_SESSION = "outlives-session",
    /// Two rules of which it is not known whether they overlap.
    OVERLAP_UNDECIDED = "overlap-undecided",
    /// A `$` that says nothing.
    PATTERN_ANCHOR = "pattern-anchor",
    /// A policy that is looked for with every request.
    POLICY_REFRESH = "policy-refresh",
    /// A rule that answers preflights with 401.
    PREFLIGHT_REFUSED = "preflight-refused",
    /// A wildcard for everybody's domains.
    PUBLIC_SUFFIX = "public-suffix",
    /// A status that is no redirect here.
    REDIRECT_CODE = "redirect-code",
    /// A `%s` that nothing fills in.
    REDIRECT_PERCENT_S = "redirect-percent-s",
    /// A redirect to what is no URL.
    REDIRECT_TARGET = "redirect-target",
    /// A redirect that is enabled and never used.
    REDIRECT_UNUSED = "redirect-unused",
    /// A payload that is not JSON.
    REMOTE_JSON_PAYLOAD = "remote-json-payload",
    /// A place to return to that is none.
    RETURN_TO = "return-to",
    /// A parameter that cannot be one.
    RETURN_TO_PARAMETER = "return-to-parameter",
    /// A place of rules that cannot be read from.
    RULES_REPOSITORY = "rules-repository",
    /// A rule that answers every request with 500.
    RULE_FAILS = "rule-fails",
    /// Two rules for one request.
    RULE_OVERLAP = "rule-overlap",
    /// A rule whose requests are all for others.
    RULE_SHADOWED = "rule-shadowed",
    /// Scopes that are asked for and not compared.
    SCOPE_NOT_COMPARED = "scope-not-compared",
    /// A sealed cookie in strict mode.
    SEALED_COOKIE_STRICT = "sealed-cookie-strict",
    /// A credential that is written out.
    SECRET_IN_FILE = "secret-in-file",
    /// What is not the name of a secret.
    SECRET_NAME = "secret-name",
    /// A bound of sessions that cannot hold.
    SESSION_BOUND = "session-bound",
    /// A path into whoami's answer that is none.
    SESSION_PATH = "session-path",
    /// `subject_matches`, which Oathkeeper ignores.
    SUBJECT_MATCHES = "subject-matches",
    /// Conditions of a list that is not there.
    SUBJECT_MATCHES_MISSING = "subject-matches-missing",
    /// A subject where whoami has none.
    SUBJECT_NOT_IN_WHOAMI = "subject-not-in-whoami",
    /// A template that a value can leave the place it was meant for.
    TEMPLATE_INJECTION = "template-injection",
    /// A template that reads what is never there.
    TEMPLATE_ROOT = "template-root",
    /// What is not a template.
    TEMPLATE_SYNTAX = "template-syntax",
    /// `tokenize_as` for a rule that cannot have it.
    TOKENIZE_AS = "tokenize-as",
    /// A token from more than one place.
    TOKEN_FROM = "token-from",
    /// A template that reads the token before it is made.
    TOKEN_NOT_MADE = "token-not-made",
    /// A token that would live too long, or no time at all.
    TOKEN_TTL = "token-ttl",
    /// A header that says what `id_token` has said.
    TOKEN_TWICE = "token-twice",
    /// A configuration in TOML.
    TOML = "toml",
    /// Brackets in brackets without end.
    TOO_DEEP = "too-deep",
    /// A comma with nothing behind it.
    TRAILING_COMMA = "trailing-comma",
    /// A handler that does not exist.
    UNKNOWN_HANDLER = "unknown-handler",
    /// A key that does not exist.
    UNKNOWN_KEY = "unknown-key",
    /// Settings for a rule that does not exist.
    UNKNOWN_RULE = "unknown-rule",
    /// A value that is none of those allowed.
    UNKNOWN_VALUE = "unknown-value",
    /// A file that cannot be read.
    UNREADABLE_FILE = "unreadable-file",
    /// Addresses that count without being verified.
    UNVERIFIED_ADDRESS = "unverified-address",
    /// An address of a service that is none.
    UPSTREAM_ADDRESS = "upstream-address",
    /// An entry of `upstreams` that stands for nothing.
    UPSTREAM_MAPPING = "upstream-mapping",
    /// A name that only a cluster knows.
    UPSTREAM_UNMAPPED = "upstream-unmapped",
    /// An entry of `upstreams` that nothing needs.
    UPSTREAM_UNUSED = "upstream-unused",
    /// A URL pattern that cannot be read.
    URL_PATTERN = "url-pattern",
    /// A rule that is for more hosts than were meant.
    WIDE_HOST = "wide-host",
    /// A value of another type.
    WRONG_TYPE = "wrong-type",
    /// What is not YAML.
    YAML_SYNTAX = "yaml-syntax",
}

impl Code {
    /// The name, such as `rule-overlap`.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Its page, from the root of the repository.
    pub fn page(self) -> String {
        format!("docs/diagnostics/{}.md", self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
