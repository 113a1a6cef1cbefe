//! Keys of handlers' configurations.

use super::Descriptions;

/// Keys of handlers' configurations, by the handler's name, or `*` for all that have one of that name.
pub(in crate::compile::schema) const HANDLERS: Descriptions = &[
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
