//! Keys of `edge.yml`.

use super::Descriptions;

/// `edge.yml`, except the keys of its handlers.
pub(in crate::compile::schema) const EDGE: Descriptions = &[
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
        "operator",
        "Who may ask the running gateway why a request is decided as it is, and put another policy in force.",
    ),
    (
        "operator.secret",
        "The name of a secret of the runtime's, of 32 bytes at least, in capitals: what the operator's requests are signed with. Without it nobody may. Not `KEYS_SECRET`, and never the secret itself.",
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
        "policy",
        "How a policy gets in force that is pushed, without a deploy. These two are the deployment's: a policy that is pushed does not change them.",
    ),
    (
        "policy.refresh",
        "After how long at most an instance looks whether another policy was pushed: `1s` or more. `never`: the policy that was deployed stays in force.",
    ),
    (
        "policy.on_store_failure",
        "What a new instance does that cannot read which policy is in force: take the one that it was deployed with, or `refuse` every request with 503 until it can.",
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
