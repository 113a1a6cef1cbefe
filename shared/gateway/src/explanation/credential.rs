//! What an authenticator is responsible for, in words.

use edgekeeper_policy::authenticator::{Authenticator, Bearer, TokenFrom};
use edgekeeper_policy::document::Policy;

/// Which requests an authenticator takes. It is said of one that has just said that this is not one of them.
pub(crate) fn wanted(authenticator: &Authenticator, policy: &Policy) -> String {
    match authenticator {
        Authenticator::Noop | Authenticator::Unauthorized | Authenticator::Broken(_) => {
            "every request".to_owned()
        }
        Authenticator::Anonymous(_) => "requests without `Authorization`".to_owned(),
        Authenticator::CookieSession(config) if policy.strict => match config.only.as_slice() {
            [] => "requests with a cookie".to_owned(),
            names => format!("requests with {}", cookies(names)),
        },
        Authenticator::CookieSession(config) => {
            let names = match config.only.as_slice() {
                [] => &policy.session.cookies,
                only => only,
            };
            let bearer = match config.bearer {
                Bearer::SessionToken => "a session token of Kratos'",
                Bearer::Any => "any token",
            };
            format!(
                "requests with {}, with `X-Session-Token`, or with {bearer} in `Authorization: Bearer`",
                cookies(names)
            )
        }
        Authenticator::BearerToken(config) => token(&config.token_from, &config.prefix),
        Authenticator::Jwt(config) => {
            format!("{}, if it is a JWT", token(&config.token_from, ""))
        }
        Authenticator::OAuth2Introspection(config) => token(&config.token_from, &config.prefix),
        Authenticator::OAuth2ClientCredentials(_) => {
            "requests with `Authorization: Basic`".to_owned()
        }
    }
}

fn cookies(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [one] => format!("the cookie {one}"),
        many => format!("one of the cookies {}", many.join(", ")),
    }
}

fn token(from: &TokenFrom, prefix: &str) -> String {
    let place = match from {
        TokenFrom::Bearer => "`Authorization: Bearer`".to_owned(),
        TokenFrom::Header(name) => format!("the header `{name}`"),
        TokenFrom::QueryParameter(name) => format!("the query parameter `{name}`"),
        TokenFrom::Cookie(name) => format!("the cookie `{name}`"),
    };
    match prefix {
        "" => format!("requests with a token in {place}"),
        prefix => format!("requests with a token in {place} that begins with `{prefix}`"),
    }
}
