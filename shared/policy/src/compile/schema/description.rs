//! What each key means, in a sentence or two, for who has the file open in an editor. `docs/edge-yml.md` has the whole.

/// Texts by the path of the key; see [`super::form::Beside`].
pub(super) type Descriptions = &'static [(&'static str, &'static str)];

/// The text at a path.
pub(super) fn find(descriptions: Descriptions, path: &str) -> Option<&'static str> {
    descriptions
        .iter()
        .find(|(known, _)| *known == path)
        .map(|(_, text)| *text)
}

/// The text for a key of a handler's `config`: its own, or the one for all that have a key of that name.
pub(super) fn of_handler(handler: &str, path: &str) -> Option<&'static str> {
    let own = HANDLERS.iter().find(|(known, _)| {
        known
            .strip_prefix(handler)
            .and_then(|rest| rest.strip_prefix('.'))
            == Some(path)
    });
    own.or_else(|| {
        HANDLERS
            .iter()
            .find(|(known, _)| known.strip_prefix("*.") == Some(path))
    })
    .map(|(_, text)| *text)
}

/// `edge.yml`, except the keys of its handlers.
pub(super) const EDGE: Descriptions = &[
    (
        "mode",
        "`strict` does as Oathkeeper v26.2.0 does, to the letter, wherever that is safe; `default` keeps its meaning without its traps.",
    ),
    (
        "scheme",
        "The scheme that browsers use, where TLS ends before the gateway. Without it, the request's own.",
    ),
    (
        "hosts",
        "The hosts that are served at all: `app.example.com`, or `*.example.com` for any name below it. Any other gets 404. Without it, every host that a rule names.",
    ),
    (
        "api",
        "The gateway's own endpoints: decisions for other proxies, rules, public keys, health.",
    ),
    (
        "api.hosts",
        "On these hosts the gateway answers itself and no rule applies. They need not be in `hosts`.",
    ),
    (
        "api.trust_forwarded_headers",
        "Whoever reaches the API's own listener may say with `X-Forwarded-*` which request to judge. Never counts on `hosts`. Default `false`; in strict mode `true` where `api.secret` is not set.",
    ),
    (
        "api.secret",
        "The name of a secret of the runtime's, in capitals. Who sends its value as `X-Edgekeeper-Secret` is believed. Not `KEYS_SECRET`, and never the secret itself.",
    ),
    (
        "api.rules",
        "Whether `/rules` shows the rules. They are in the policy document for that, which makes it larger.",
    ),
    (
        "return_to",
        "Where a login may send a browser back to: hosts or URLs. Without it, `hosts`; without that, the hosts that rules name literally.",
    ),
    (
        "cors",
        "CORS, answered at the edge without a rule. `serve.proxy.cors` of Oathkeeper's configuration counts instead when it is enabled.",
    ),
    (
        "cors.allowed_origins",
        "Origins that may call: a scheme, a host and perhaps a port, such as `https://*.example.com`. Default `[\"*\"]`.",
    ),
    (
        "cors.allowed_methods",
        "Methods that a preflight grants. Default `[GET, POST, PUT, PATCH, DELETE]`.",
    ),
    (
        "cors.allowed_headers",
        "Request headers that a preflight grants, `*` for any. Default `[Authorization, Content-Type]`.",
    ),
    (
        "cors.exposed_headers",
        "Response headers that a page may read. Default `[Content-Type]`.",
    ),
    (
        "cors.allow_credentials",
        "Whether a page may send cookies along. Default `false`. Has no effect where the origin is `*`.",
    ),
    (
        "cors.max_age",
        "For how many seconds a browser may remember a preflight. Default `0`: no such header.",
    ),
    (
        "session",
        "How long an answer of Kratos' whoami is believed, and how many are remembered.",
    ),
    (
        "session.ttl",
        "How long an answer of whoami is fresh: this, Kratos' `Ory-Session-Cache-For` and the session's own end, whichever comes first. `0s` asks for every request.",
    ),
    (
        "session.stale_while_revalidate",
        "How long after `ttl` an answer still serves while Kratos is asked behind the response.",
    ),
    (
        "session.stale_if_error",
        "How long after `ttl` an answer still serves while Kratos fails. Then 503. `0s`: 503 at once.",
    ),
    (
        "session.timeout",
        "How long whoami may take, its body included. Not 0.",
    ),
    (
        "session.negative_ttl",
        "How long Kratos' no (401, 403) is remembered. More than `10s` counts as `10s`.",
    ),
    (
        "session.max_entries",
        "How many sessions one instance remembers. Above 0.",
    ),
    (
        "session.max_bytes",
        "How many bytes of memory the remembered sessions may take, by estimate. Above 0.",
    ),
    (
        "session.cookies",
        "Names of the session cookie for a `cookie_session` without `only`. Not empty.",
    ),
    (
        "session.revocation_check",
        "How old what an instance knows of revocations may be, and so how soon a revocation counts everywhere. Not 0.",
    ),
    (
        "session.revocation_secret",
        "The name of a secret of the runtime's, of 32 bytes at least. Who knows it can make the gateway forget sessions. Without it nobody can revoke.",
    ),
    (
        "session.sealed_cookie",
        "Whether a browser carries what Kratos said of its session, sealed, so that the next instance need not ask. Not in strict mode.",
    ),
    (
        "keys",
        "How the keys that sign tokens are made and changed.",
    ),
    (
        "keys.algorithm",
        "The algorithm of new keys. Keys that exist stay as they are.",
    ),
    (
        "keys.rotation",
        "How long a key signs: `1h` to `3653d`; from `5s` with `development`. No token may live longer. Changing it makes existing keys unusable.",
    ),
    (
        "keys.development",
        "Makes a key on first use where there is none. Never in production on Cloudflare: two places could make two first keys at once.",
    ),
    (
        "keys.source",
        "Whose keys sign: the gateway's own, which rotate, or those at each `id_token`'s `jwks_url`, as in Oathkeeper. In strict mode the default is `jwks_url`.",
    ),
    (
        "server_timing",
        "Whether every answer says in `Server-Timing` how the gateway decided, where the session came from and which key signed.",
    ),
    (
        "upstreams",
        "Other ways to the origins that rules and `check_session_url` name. A key is exactly one origin: scheme, host, port.",
    ),
    (
        "upstreams.*",
        "Where the origin is really found: a URL with perhaps a base path, or `{ binding: NAME }`. Either `url` or `binding`.",
    ),
    (
        "upstreams.*.url",
        "A URL: scheme, host, perhaps a port and a base path. No query, fragment or password.",
    ),
    (
        "upstreams.*.binding",
        "The name of a service binding of the runtime's, such as one in `wrangler.toml`.",
    ),
    (
        "authorizers",
        "What the handlers that are not Oathkeeper's are laid over, wherever they are used.",
    ),
    ("authorizers.allowlist", "Defaults of allowlists."),
    (
        "authorizers.allowlist.config",
        "What every allowlist of a rule is laid over.",
    ),
    ("authorizers.keto", "Defaults of questions to Keto."),
    (
        "authorizers.keto.config",
        "What every `keto` of a rule is laid over.",
    ),
    (
        "rules",
        "What rules get besides what their file says, by the rule's `id`. An id that no rule has is refused.",
    ),
    ("rules.*", "What the rule of this id gets."),
    (
        "rules.*.allowlist",
        "Who may pass, on top of the rule's own authorizer: both must allow. One match is enough. It must name somebody.",
    ),
    (
        "rules.*.keto",
        "A relation that today's Keto must confirm for every request, on top of the rule's own authorizer.",
    ),
    (
        "rules.*.tokenize_as",
        "The name of a template of Kratos'. The upstream then gets a token that Kratos made and signed, in place of one of the gateway's. The rule needs `id_token`. Not in strict mode.",
    ),
];

/// What is written about a handler, besides its configuration.
pub(super) const AROUND: Descriptions = &[
    ("enabled", "Whether rules may use this handler."),
    (
        "handler",
        "The name of the handler. Oathkeeper's own must be enabled in its configuration.",
    ),
    (
        "config",
        "How the handler works. A rule's is laid over that in Oathkeeper's configuration: tables merge, everything else replaces.",
    ),
];

/// Oathkeeper's configuration, where a file has to be told more than Oathkeeper's own documentation tells.
pub(super) const CONFIG: Descriptions = &[
    ("$schema", "The schema of this file, for an editor."),
    (
        "version",
        "The version of Oathkeeper that the file is written for.",
    ),
    (
        "serve",
        "Oathkeeper's listeners. Here only `cors` of `proxy` and `api` and `proxy.trust_forwarded_headers` count.",
    ),
    (
        "serve.proxy.cors",
        "CORS, answered at the edge without a rule. When it is enabled it counts in place of `cors` in `edge.yml`.",
    ),
    (
        "serve.proxy.trust_forwarded_headers",
        "Whether `X-Forwarded-*` of the request says what was asked for. Only where nobody but a proxy reaches the gateway.",
    ),
    (
        "access_rules",
        "Where the rules are and how they are written.",
    ),
    (
        "access_rules.repositories",
        "Files of rules: `file://./access-rules.json` (relative to this file), `file:///etc/rules.json` (under `--root`), `inline://` and base64.",
    ),
    (
        "access_rules.matching_strategy",
        "How the URLs of rules are written: `regexp`, the default, or `glob`.",
    ),
    (
        "authenticators",
        "Who asks? Which of these handlers rules may use, and what they build on.",
    ),
    (
        "authorizers",
        "May they? Which of these handlers rules may use, and what they build on.",
    ),
    (
        "mutators",
        "What is the upstream told? Which of these handlers rules may use, and what they build on.",
    ),
    ("errors", "How a refusal is answered."),
    (
        "errors.fallback",
        "The error handlers for rules without their own: the first that fits answers. Default `[json]`.",
    ),
    (
        "errors.handlers",
        "Which of these handlers rules may use, and what they build on. `json` is enabled without being named.",
    ),
    (
        "log",
        "Oathkeeper's log. The gateway never logs anything sensitive, whatever this says.",
    ),
    ("tracing", "Oathkeeper's tracing. Not used here."),
    ("profiling", "Oathkeeper's profiling. Not used here."),
    ("sqa", "Oathkeeper's usage statistics. Not used here."),
];

/// Access rules.
pub(super) const RULE: Descriptions = &[
    (
        "id",
        "The name of the rule, of its own; logs and `edge.yml` name rules by it.",
    ),
    (
        "version",
        "The version of Oathkeeper that the rule is written for.",
    ),
    ("description", "What the rule is for."),
    (
        "match",
        "Which requests the rule is for. Exactly one rule must match a request.",
    ),
    (
        "match.url",
        "The URLs: every character means itself, and between `<` and `>` stands a regular expression, or with the `glob` strategy a glob. `https://app.example.com/<.*>`",
    ),
    (
        "match.methods",
        "The methods, such as `[\"GET\", \"POST\"]`.",
    ),
    (
        "authenticators",
        "Who asks? The first that finds its credentials decides.",
    ),
    ("authorizer", "May they?"),
    (
        "authorizers",
        "Several, all of which must allow. Oathkeeper does not know it and drops the rule: write `authorizer` where one is enough.",
    ),
    (
        "mutators",
        "What is the upstream told? All of them, in this order.",
    ),
    (
        "errors",
        "How a refusal is answered: the first that fits. Without it, `errors.fallback` of the configuration.",
    ),
    ("upstream", "Where the request is sent on to."),
    (
        "upstream.url",
        "A URL with perhaps a base path. `upstreams` of `edge.yml` may map its origin to another one.",
    ),
    (
        "upstream.strip_path",
        "A prefix of the request's path that is taken away.",
    ),
    (
        "upstream.preserve_host",
        "Whether the upstream gets the client's `Host`.",
    ),
];

/// Keys of handlers' configurations, by the handler's name, or `*` for all that have one of that name.
pub(super) const HANDLERS: Descriptions = &[
    (
        "*.check_session_url",
        "Kratos' `/sessions/whoami`, or what answers like it.",
    ),
    (
        "cookie_session.only",
        "Names of the session cookies. Without them, those in `session.cookies` of `edge.yml`.",
    ),
    (
        "*.preserve_path",
        "Whether the path of `check_session_url` is asked, and not the request's in its place. Default `true`; in strict mode `false`, as in Oathkeeper.",
    ),
    (
        "*.preserve_query",
        "Whether the query of `check_session_url` is asked with, and not the request's in its place. Default `true`.",
    ),
    (
        "*.preserve_host",
        "Whether the service is told the client's host in `X-Forwarded-Host`.",
    ),
    ("*.force_method", "The method of the question."),
    (
        "*.forward_http_headers",
        "Headers of the request that go with the question.",
    ),
    ("*.additional_headers", "Headers that the question gets."),
    ("*.additional_headers.*", "The header's value."),
    (
        "*.extra_from",
        "Where in the answer `.Extra` of templates is, as a gjson path; `@this` is all of it.",
    ),
    (
        "*.subject_from",
        "Where in the answer the subject is, as a gjson path, such as `identity.id`.",
    ),
    ("anonymous.subject", "The subject of a guest."),
    (
        "*.token_from",
        "Where the token is, in place of `Authorization: Bearer`: one of these.",
    ),
    ("*.token_from.header", "The header with the token."),
    (
        "*.token_from.query_parameter",
        "The query parameter with the token.",
    ),
    ("*.token_from.cookie", "The cookie with the token."),
    (
        "*.prefix",
        "What a token must begin with to be one for this handler.",
    ),
    ("jwt.jwks_urls", "Where the public keys of the issuers are."),
    ("*.required_scope", "Scopes that must have been granted."),
    ("*.target_audience", "Audiences that the token must be for."),
    ("*.trusted_issuers", "Who may have issued the token."),
    (
        "jwt.allowed_algorithms",
        "Algorithms that a signature may have.",
    ),
    (
        "jwt.jwks_max_wait",
        "How long the keys may take to be fetched, such as `1s`.",
    ),
    (
        "jwt.jwks_ttl",
        "How long fetched keys are used, such as `30s`.",
    ),
    (
        "*.scope_strategy",
        "How a granted scope is compared with a required one.",
    ),
    (
        "oauth2_introspection.introspection_url",
        "The authorization server's endpoint for introspection.",
    ),
    (
        "oauth2_introspection.pre_authorization",
        "How the gateway shows who it is to the endpoint: by the client credentials grant.",
    ),
    (
        "oauth2_introspection.pre_authorization.enabled",
        "Whether it does.",
    ),
    (
        "oauth2_introspection.pre_authorization.client_id",
        "The gateway's id as a client.",
    ),
    (
        "oauth2_introspection.pre_authorization.client_secret",
        "The gateway's secret as a client.",
    ),
    (
        "oauth2_introspection.pre_authorization.token_url",
        "The authorization server's endpoint for tokens.",
    ),
    (
        "oauth2_introspection.pre_authorization.audience",
        "The audience to ask a token for.",
    ),
    (
        "oauth2_introspection.pre_authorization.scope",
        "The scopes to ask a token for.",
    ),
    (
        "oauth2_introspection.introspection_request_headers",
        "Headers that the question gets.",
    ),
    (
        "oauth2_introspection.introspection_request_headers.*",
        "The header's value.",
    ),
    (
        "*.retry",
        "How often and how long a service that fails is asked again. Has no effect for OAuth 2.",
    ),
    (
        "*.retry.give_up_after",
        "How long all tries and waits may take together.",
    ),
    ("*.retry.max_delay", "The longest wait between two tries."),
    ("*.cache", "How answers are remembered."),
    ("*.cache.enabled", "Whether they are."),
    ("*.cache.ttl", "For how long."),
    (
        "*.cache.max_cost",
        "The size of Oathkeeper's cache. Has no effect here.",
    ),
    (
        "*.cache.max_tokens",
        "The size of Oathkeeper's cache. Has no effect here.",
    ),
    (
        "oauth2_client_credentials.token_url",
        "The authorization server's endpoint for tokens.",
    ),
    (
        "allow.subject_matches",
        "E-mail addresses, e-mail domains and subjects that may pass. Oathkeeper ignores it and lets everybody in.",
    ),
    (
        "*.require_verified",
        "Whether an address counts only when Kratos lists it as verified. Default `false`.",
    ),
    (
        "*.email_from",
        "Where in whoami's answer the address is, as a gjson path. Default `identity.traits.email`.",
    ),
    (
        "allowlist.emails",
        "Whole addresses that may pass. The part before the `@` compares exactly, the domain without case.",
    ),
    (
        "allowlist.domains",
        "E-mail domains that may pass: `example.com` alone, or `*.example.com` for what is below it.",
    ),
    (
        "allowlist.subjects",
        "Subjects that may pass, compared exactly.",
    ),
    (
        "keto.base_url",
        "Keto's read API, such as `http://keto-read:4466`.",
    ),
    (
        "keto.namespace",
        "The namespace of the relation. A template.",
    ),
    ("keto.object", "The object of the relation. A template."),
    ("keto.relation", "The relation to ask about. A template."),
    (
        "keto.subject",
        "Who must have the relation. A template; without it, the authenticated subject.",
    ),
    (
        "keto.subject_set",
        "A set that must have the relation, in place of a subject.",
    ),
    (
        "keto.subject_set.namespace",
        "The namespace of the set. A template.",
    ),
    (
        "keto.subject_set.object",
        "The object of the set. A template.",
    ),
    (
        "keto.subject_set.relation",
        "The relation of the set. A template.",
    ),
    (
        "keto_engine_acp_ory.base_url",
        "The address of a Keto before version 0.6.",
    ),
    (
        "keto_engine_acp_ory.required_action",
        "The action to ask about. A template.",
    ),
    (
        "keto_engine_acp_ory.required_resource",
        "The resource to ask about. A template.",
    ),
    (
        "keto_engine_acp_ory.subject",
        "Who must be allowed. A template; without it, the authenticated subject.",
    ),
    (
        "keto_engine_acp_ory.flavor",
        "How Keto compares: `regex`, the default, `glob` or `exact`.",
    ),
    (
        "*.remote",
        "The service that decides: 200 allows, 403 does not.",
    ),
    (
        "*.forward_response_headers_to_upstream",
        "Headers of the service's answer that the upstream gets.",
    ),
    (
        "remote_json.payload",
        "The JSON that the service is sent. A template.",
    ),
    (
        "*.headers",
        "Headers and their values, which are templates.",
    ),
    ("*.headers.*", "The header's value. A template."),
    ("hydrator.api", "The service that adds to the session."),
    ("hydrator.api.url", "Its address."),
    ("hydrator.api.auth", "How the gateway shows who it is."),
    ("hydrator.api.auth.basic", "By a user name and a password."),
    ("hydrator.api.auth.basic.username", "The user name."),
    ("hydrator.api.auth.basic.password", "The password."),
    (
        "hydrator.api.retry",
        "How often and how long a service that fails is asked again.",
    ),
    (
        "hydrator.api.retry.give_up_after",
        "How long all tries and waits may take together.",
    ),
    (
        "hydrator.api.retry.max_delay",
        "The longest wait between two tries.",
    ),
    (
        "id_token.issuer_url",
        "Who the token says issued it (`iss`).",
    ),
    (
        "id_token.jwks_url",
        "Oathkeeper's signing keys. Used here only with `keys.source: jwks_url` in `edge.yml`, and in strict mode.",
    ),
    (
        "id_token.claims",
        "A JSON object of further claims. A template.",
    ),
    (
        "id_token.ttl",
        "How long a token is good for. At most `keys.rotation`.",
    ),
    (
        "cookie.cookies",
        "Cookies and their values, which are templates.",
    ),
    ("cookie.cookies.*", "The cookie's value. A template."),
    ("json.verbose", "Whether the answer tells the reason."),
    ("redirect.to", "Where to send the browser."),
    ("redirect.code", "The status: 302, the default, or 301."),
    (
        "redirect.return_to_query_param",
        "The query parameter with the URL to come back to. Without it there is none.",
    ),
    (
        "www_authenticate.realm",
        "The realm in the question for a password.",
    ),
    (
        "*.when",
        "Which refusals it answers. Without it, all. One entry that fits is enough.",
    ),
    ("*.when.error", "What went wrong, one of these."),
    ("*.when.request", "What the request was like."),
    (
        "*.when.request.cidr",
        "Not used: Oathkeeper ignores it, so in the default mode it is refused.",
    ),
    ("*.when.request.header", "What its headers said."),
    (
        "*.when.request.header.content_type",
        "Media types of its body, one of these.",
    ),
    (
        "*.when.request.header.accept",
        "Media types that it accepts, one of these.",
    ),
];
