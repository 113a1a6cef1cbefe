//! Keys of Oathkeeper's files, except those of handlers' configurations.

use super::Descriptions;

/// What is written about a handler, besides its configuration.
pub(in crate::compile::schema) const AROUND: Descriptions = &[
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
pub(in crate::compile::schema) const CONFIG: Descriptions = &[
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
pub(in crate::compile::schema) const RULE: Descriptions = &[
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
