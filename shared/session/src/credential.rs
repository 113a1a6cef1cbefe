//! What a request proves its session with.

use edgekeeper_policy::authenticator::Bearer;

use crate::cookie::cookies;

/// The longest credential that is looked at, in bytes. Kratos' own stay below 1 KiB.
const LONGEST: usize = 16 << 10;

/// The one credential that Kratos will go by, and the only one it is sent in default mode.
///
/// Kratos takes `X-Session-Token`, then its cookie, then `Authorization: Bearer` (kratos
/// `session/manager_http.go`). Sending two lets one user's answer be remembered under the other's name.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// `X-Session-Token`.
    SessionToken(String),
    /// The session cookies, written as a `Cookie` header.
    Cookie(String),
    /// The token of `Authorization: Bearer`.
    Bearer(String),
}

/// A credential is secret: only its kind may reach a log.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SessionToken(_) => "SessionToken",
            Self::Cookie(_) => "Cookie",
            Self::Bearer(_) => "Bearer",
        })
    }
}

/// The headers of a request that can hold a credential.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// All values of `X-Session-Token`.
    pub session_token: &'a [&'a str],
    /// All values of `Cookie`.
    pub cookie: &'a [&'a str],
    /// All values of `Authorization`.
    pub authorization: &'a [&'a str],
}

/// A credential that cannot be one: it is there, but Kratos and the gateway could read it differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambiguous;

impl Credential {
    /// Chooses the credential Kratos would choose.
    ///
    /// `names` are the session cookies; of several with one name the first counts, as in Go.
    ///
    /// # Errors
    /// [`Ambiguous`] when the header that would count is given twice, is no token, or is too long: such a
    /// request is refused without asking Kratos.
    pub fn choose(
        presented: Presented<'_>,
        names: &[String],
        bearer: Bearer,
    ) -> Result<Option<Self>, Ambiguous> {
        match presented.session_token {
            [] | [""] => {}
            [token] => return is_session_token(token).map(|token| Some(Self::SessionToken(token))),
            _ => return Err(Ambiguous),
        }
        if let Some(cookie) = session_cookies(presented.cookie, names) {
            return if cookie.len() > LONGEST {
                Err(Ambiguous)
            } else {
                Ok(Some(Self::Cookie(cookie)))
            };
        }
        match presented.authorization {
            [] => Ok(None),
            [value] => match bearer_token(value) {
                Some(token) if bearer == Bearer::Any || token.starts_with(TOKEN_PREFIX) => {
                    is_session_token(token).map(|token| Some(Self::Bearer(token)))
                }
                _ => Ok(None),
            },
            _ => Err(Ambiguous),
        }
    }

    /// All cookies of a request, as Oathkeeper forwards them. Strict mode only.
    ///
    /// `None` when the request has no readable cookie, or none of `only`.
    #[must_use]
    pub fn all_cookies(headers: &[&str], only: &[String]) -> Option<Self> {
        let responsible = cookies(headers.iter().copied())
            .any(|cookie| only.is_empty() || only.iter().any(|name| name == cookie.name));
        responsible.then(|| Self::Cookie(headers.join("; ")))
    }

    /// The header it travels in, and its value.
    #[must_use]
    pub fn header(&self) -> (&'static str, String) {
        match self {
            Self::SessionToken(token) => ("x-session-token", token.clone()),
            Self::Cookie(cookie) => ("cookie", cookie.clone()),
            Self::Bearer(token) => ("authorization", format!("Bearer {token}")),
        }
    }
}

/// What Kratos' session tokens begin with.
const TOKEN_PREFIX: &str = "ory_st_";

fn session_cookies(headers: &[&str], names: &[String]) -> Option<String> {
    let mut chosen = String::new();
    for name in names {
        let first = cookies(headers.iter().copied()).find(|cookie| cookie.name == name.as_str());
        if let Some(cookie) = first {
            if !chosen.is_empty() {
                chosen.push_str("; ");
            }
            chosen.push_str(cookie.name);
            chosen.push('=');
            chosen.push_str(cookie.value);
        }
    }
    (!chosen.is_empty()).then_some(chosen)
}

fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn is_session_token(token: &str) -> Result<String, Ambiguous> {
    let plain = !token.is_empty()
        && token.len() <= LONGEST
        && token.bytes().all(|b| b.is_ascii_graphic() && b != b',');
    if plain {
        Ok(token.to_owned())
    } else {
        Err(Ambiguous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        vec!["ory_kratos_session".to_owned()]
    }

    fn choose(
        session_token: &[&str],
        cookie: &[&str],
        authorization: &[&str],
        bearer: Bearer,
    ) -> Result<Option<Credential>, Ambiguous> {
        let presented = Presented {
            session_token,
            cookie,
            authorization,
        };
        Credential::choose(presented, &names(), bearer)
    }

    const C: &str = "ory_kratos_session=c";

    #[test]
    fn the_order_is_kratos_own() {
        let all = choose(&["t"], &[C], &["Bearer ory_st_b"], Bearer::Any);
        assert_eq!(all, Ok(Some(Credential::SessionToken("t".into()))));
        let no_token = choose(&[], &[C], &["Bearer ory_st_b"], Bearer::Any);
        assert_eq!(no_token, Ok(Some(Credential::Cookie(C.into()))));
        let empty_token = choose(&[""], &[C], &[], Bearer::Any);
        assert_eq!(empty_token, Ok(Some(Credential::Cookie(C.into()))));
        let only_bearer = choose(
            &[],
            &["other=1"],
            &["bearer ory_st_b"],
            Bearer::SessionToken,
        );
        assert_eq!(only_bearer, Ok(Some(Credential::Bearer("ory_st_b".into()))));
        assert_eq!(choose(&[], &["other=1"], &[], Bearer::Any), Ok(None));
    }

    #[test]
    fn a_foreign_bearer_is_left_to_a_later_authenticator() {
        let foreign = ["Bearer eyJhbGciOi.x.y"];
        assert_eq!(choose(&[], &[], &foreign, Bearer::SessionToken), Ok(None));
        assert!(matches!(
            choose(&[], &[], &foreign, Bearer::Any),
            Ok(Some(Credential::Bearer(_)))
        ));
        assert_eq!(choose(&[], &[], &["Basic eDp5"], Bearer::Any), Ok(None));
        assert_eq!(choose(&[], &[], &["Bearer"], Bearer::Any), Ok(None));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for token in [&["a", "b"][..], &["a, b"], &["a b"], &["a\n"], &["ä"]] {
            assert_eq!(
                choose(token, &[C], &[], Bearer::Any),
                Err(Ambiguous),
                "{token:?}"
            );
        }
        assert_eq!(
            choose(&[], &[], &["Bearer a", "Bearer b"], Bearer::Any),
            Err(Ambiguous)
        );
        assert_eq!(
            choose(&[], &[], &["Bearer  two"], Bearer::Any),
            Err(Ambiguous)
        );
        let long = format!("ory_kratos_session={}", "x".repeat(LONGEST));
        assert_eq!(choose(&[], &[&long], &[], Bearer::Any), Err(Ambiguous));
    }

    #[test]
    fn only_session_cookies_are_sent_and_the_first_of_a_name_counts() {
        let cookie = [
            "theme=dark; ory_kratos_session=a",
            "ory_kratos_session=b; x=y",
        ];
        assert_eq!(
            choose(&[], &cookie, &[], Bearer::Any),
            Ok(Some(Credential::Cookie("ory_kratos_session=a".into())))
        );
        let shadow = ["__Secure-ory_kratos_session=a; ORY_KRATOS_SESSION=b"];
        assert_eq!(choose(&[], &shadow, &[], Bearer::Any), Ok(None));
    }

    #[test]
    fn strict_mode_forwards_every_cookie() {
        let headers = ["foo=bar; ory_kratos_session=valid"];
        let all = Credential::all_cookies(&headers, &names());
        assert_eq!(all.map(|c| c.header().1), Some(headers[0].to_owned()));
        assert_eq!(Credential::all_cookies(&["foo=bar"], &names()), None);
        assert!(Credential::all_cookies(&["foo=bar"], &[]).is_some());
        assert_eq!(Credential::all_cookies(&[";;;=;"], &[]), None);
    }

    #[test]
    fn debug_output_holds_no_secret() {
        for credential in [
            Credential::SessionToken("secret".into()),
            Credential::Cookie("secret".into()),
            Credential::Bearer("secret".into()),
        ] {
            assert!(!format!("{credential:?}").contains("secret"));
        }
    }
}
