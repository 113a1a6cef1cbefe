//! The token of a request, for the authenticators that take one.

use edgekeeper_policy::authenticator::TokenFrom;
use edgekeeper_session::cookie::cookies;
use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE};

use super::Denied;
use crate::query;
use crate::refusal::Refusal;
use crate::request::Request;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 16 << 10;

/// Finds the token that a handler is responsible for: where `from` says, beginning with `prefix`.
///
/// Strict mode takes whatever Oathkeeper takes for one: the first value of a header, what stands behind the first space
/// of `Bearer`, even a space. By default what two readers could read differently is refused: a header that is given
/// twice, a token with anything in it but visible ASCII.
///
/// # Errors
/// [`Denied::NotResponsible`] without a token or with one of another prefix; 401 for one that is ambiguous.
pub(super) fn find(
    from: &TokenFrom,
    prefix: &str,
    request: &Request,
    strict: bool,
) -> Result<String, Denied> {
    let token = match from {
        TokenFrom::Bearer => one_value(&AUTHORIZATION, request, strict)?.and_then(bearer),
        TokenFrom::Header(name) => match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => one_value(&name, request, strict)?.map(str::to_owned),
            Err(_) => None,
        },
        TokenFrom::QueryParameter(name) => request
            .query
            .as_deref()
            .and_then(|query| query::pairs(query).find(|(own, _)| own == name))
            .map(|(_, value)| value),
        TokenFrom::Cookie(name) => cookies(request.header_values(&COOKIE))
            .find(|cookie| cookie.name == name.as_str())
            .map(|cookie| unquoted(cookie.value).to_owned()),
    };
    match token {
        Some(token) if !token.is_empty() => {
            if !strict && !is_plain(&token) {
                return Err(Refusal::unauthorized()
                    .logged("what stands for the token has other than visible ASCII in it, or is too long")
                    .into());
            }
            if token.starts_with(prefix) {
                Ok(token)
            } else {
                Err(Denied::NotResponsible)
            }
        }
        _ => Err(Denied::NotResponsible),
    }
}

fn one_value<'a>(
    name: &HeaderName,
    request: &'a Request,
    strict: bool,
) -> Result<Option<&'a str>, Denied> {
    let values = request.header_values(name);
    if values.len() > 1 && !strict {
        return Err(Refusal::unauthorized()
            .logged(format!("`{name}`, where the token is, is given twice"))
            .into());
    }
    Ok(values.first().copied())
}

/// RFC 6750 section 2.1; the scheme in any case.
fn bearer(value: &str) -> Option<String> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.to_owned())
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}

fn is_plain(token: &str) -> bool {
    token.len() <= LONGEST && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use edgekeeper_policy::document::Policy;
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::request::{Listener, RawRequest};
    use crate::runtime::NoBody;

    fn request(target: &str, headers: &[(&'static str, &str)]) -> Request {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            map.append(HeaderName::from_static(name), value);
        }
        let raw = RawRequest {
            method: "GET".to_owned(),
            url: format!("http://a.test{target}"),
            headers: map,
            listener: Listener::Proxy,
            body: NoBody,
        };
        let policy =
            Policy::from_json(r#"{"format":2,"errors":[{"kind":{"json":{}}}],"rules":[]}"#)
                .unwrap();
        Request::parse(raw, &policy).unwrap()
    }

    /// `Ok` the token, `Err` the status of a refusal, 0 when not responsible.
    fn found(
        from: &TokenFrom,
        prefix: &str,
        request: &Request,
        strict: bool,
    ) -> Result<String, u16> {
        find(from, prefix, request, strict).map_err(|denied| match denied {
            Denied::NotResponsible => 0,
            Denied::Refused(refusal) => refusal.status,
        })
    }

    #[test]
    fn the_scheme_of_authorization_has_any_case_and_ends_at_the_first_space() {
        for (value, default, strict) in [
            ("Bearer t", Ok("t"), Ok("t")),
            ("bearer t", Ok("t"), Ok("t")),
            ("BEARER t", Ok("t"), Ok("t")),
            ("Bearer  t", Err(401), Ok(" t")),
            ("Bearer t u", Err(401), Ok("t u")),
            ("Bearer t, Bearer u", Err(401), Ok("t, Bearer u")),
            ("Bearer \u{e9}", Err(401), Ok("\u{e9}")),
            ("Bearer ", Err(0), Err(0)),
            ("Bearer", Err(0), Err(0)),
            ("Bearert", Err(0), Err(0)),
            ("Bearer\tt", Err(0), Err(0)),
            ("Basic t", Err(0), Err(0)),
            ("", Err(0), Err(0)),
        ] {
            let request = request("/", &[("authorization", value)]);
            let own = |expected: Result<&str, u16>| expected.map(str::to_owned);
            let from = TokenFrom::Bearer;
            assert_eq!(found(&from, "", &request, false), own(default), "{value}");
            assert_eq!(
                found(&from, "", &request, true),
                own(strict),
                "strict {value}"
            );
        }
        assert_eq!(
            found(&TokenFrom::Bearer, "", &request("/", &[]), false),
            Err(0)
        );
    }

    #[test]
    fn another_header_is_taken_whole() {
        let from = TokenFrom::Header("x-tok".to_owned());
        let whole = request("/", &[("x-tok", "t"), ("authorization", "Bearer other")]);
        assert_eq!(found(&from, "", &whole, false), Ok("t".to_owned()));
        let with_scheme = request("/", &[("x-tok", "Bearer t")]);
        assert_eq!(
            found(&from, "", &with_scheme, true),
            Ok("Bearer t".to_owned())
        );
        assert_eq!(found(&from, "", &with_scheme, false), Err(401));
        let none = request("/", &[("x-tok", ""), ("authorization", "Bearer other")]);
        assert_eq!(found(&from, "", &none, false), Err(0));
    }

    #[test]
    fn a_header_that_is_given_twice_is_refused_but_in_strict_mode_its_first_value_counts() {
        for (from, name, values) in [
            (TokenFrom::Bearer, "authorization", ["Bearer a", "Bearer b"]),
            (TokenFrom::Header("x-tok".to_owned()), "x-tok", ["a", "b"]),
        ] {
            let twice = request("/", &[(name, values[0]), (name, values[1])]);
            assert_eq!(found(&from, "", &twice, true), Ok("a".to_owned()));
            assert_eq!(found(&from, "", &twice, false), Err(401));
        }
    }

    #[test]
    fn a_query_parameter_is_decoded_and_its_first_value_counts() {
        let from = TokenFrom::QueryParameter("tok".to_owned());
        for strict in [false, true] {
            for (query, expected) in [
                ("?tok=a", Ok("a")),
                ("?x=1&tok=a%2Bb&tok=c", Ok("a+b")),
                ("?t%6Fk=a", Ok("a")),
                ("?tok=%zz&tok=b", Ok("b")),
                ("?tok=a;b&tok=c", Ok("c")),
                ("?tok=", Err(0)),
                ("?tok", Err(0)),
                ("?TOK=a", Err(0)),
                ("?", Err(0)),
                ("", Err(0)),
            ] {
                let request = request(&format!("/{query}"), &[("authorization", "Bearer b")]);
                assert_eq!(
                    found(&from, "", &request, strict),
                    expected.map(str::to_owned),
                    "{query}"
                );
            }
        }
        let spaced = request("/?tok=a+b", &[]);
        assert_eq!(found(&from, "", &spaced, true), Ok("a b".to_owned()));
        assert_eq!(found(&from, "", &spaced, false), Err(401));
    }

    #[test]
    fn a_cookie_is_read_as_go_reads_it() {
        let from = TokenFrom::Cookie("tok".to_owned());
        for strict in [false, true] {
            for (cookie, expected) in [
                ("tok=a", Ok("a")),
                ("x=1; tok=a; tok=b", Ok("a")),
                ("tok=\"a\"", Ok("a")),
                ("tok=a\\b; tok=c", Ok("c")),
                ("tok=", Err(0)),
                ("Tok=a", Err(0)),
                ("", Err(0)),
            ] {
                let request = request("/", &[("cookie", cookie)]);
                assert_eq!(
                    found(&from, "", &request, strict),
                    expected.map(str::to_owned),
                    "{cookie}"
                );
            }
        }
    }

    #[test]
    fn a_handler_takes_tokens_of_its_prefix_only() {
        let request = request("/", &[("authorization", "Bearer ory_at_x")]);
        let from = TokenFrom::Bearer;
        assert!(found(&from, "ory_at_", &request, false).is_ok());
        assert_eq!(found(&from, "ory_st_", &request, false), Err(0));
        assert_eq!(found(&from, "ORY_AT_", &request, true), Err(0));
    }

    #[test]
    fn a_token_has_a_greatest_length() {
        let of = |length: usize| {
            let value = format!("Bearer {}", "x".repeat(length));
            found(
                &TokenFrom::Bearer,
                "",
                &request("/", &[("authorization", &value)]),
                false,
            )
        };
        assert!(of(LONGEST).is_ok());
        assert_eq!(of(LONGEST + 1), Err(401));
    }
}
