//! When a token counts: `exp`, `nbf` and `iat` (RFC 7519 section 4.1), as golang-jwt v5 checks them.

use std::fmt;

use serde_json::{Map, Value};

/// Whole numbers are exact up to here. Go's clock runs over somewhat later, and then the far future is the past.
const MAX_TIME: f64 = 9_007_199_254_740_992.0;

/// Why a token does not count now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifetimeProblem {
    /// The named claim is not a time in Unix seconds.
    Invalid(&'static str),
    /// `exp` is past.
    Expired,
    /// `nbf` is in the future.
    NotYet,
    /// `iat` is in the future.
    Future,
}

impl LifetimeProblem {
    /// golang-jwt's words.
    pub fn golang(self) -> &'static str {
        match self {
            Self::Invalid("exp") => "invalid type for claim: exp is invalid",
            Self::Invalid("nbf") => "invalid type for claim: nbf is invalid",
            Self::Invalid(_) => "invalid type for claim: iat is invalid",
            Self::Expired => "token is expired",
            Self::NotYet => "token is not valid yet",
            Self::Future => "token used before issued",
        }
    }
}

impl fmt::Display for LifetimeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(name) => write!(f, "{name:?} is not a time in Unix seconds"),
            Self::Expired => f.write_str("it has expired"),
            Self::NotYet => f.write_str("it is not valid yet (nbf)"),
            Self::Future => {
                f.write_str("it was issued in the future (iat); is a clock wrong, here or there?")
            }
        }
    }
}

/// Checks the three at `now` (Unix seconds), each only if it is there. There is no leeway, and fractions of a second do
/// not count, as in Oathkeeper. Unlike there, an `exp` of 0 is past.
pub(crate) fn check(claims: &Map<String, Value>, now: u64) -> Vec<LifetimeProblem> {
    let now = now as f64;
    let mut problems = Vec::new();
    let mut time = |name| match claims.get(name) {
        None => None,
        Some(value) => {
            let seconds = value.as_f64().filter(|seconds| *seconds <= MAX_TIME);
            if seconds.is_none() {
                problems.push(LifetimeProblem::Invalid(name));
            }
            seconds.map(f64::floor)
        }
    };
    let expired = time("exp").is_some_and(|expires| expires <= now);
    let early = time("nbf").is_some_and(|begins| begins > now);
    let future = time("iat").is_some_and(|issued| issued > now);
    for (found, problem) in [
        (expired, LifetimeProblem::Expired),
        (early, LifetimeProblem::NotYet),
        (future, LifetimeProblem::Future),
    ] {
        if found {
            problems.push(problem);
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: u64 = 1_800_000_000;

    fn problems(claims: Value) -> Vec<LifetimeProblem> {
        check(claims.as_object().unwrap(), NOW)
    }

    #[test]
    fn a_token_counts_from_nbf_and_iat_on_and_until_exp() {
        use LifetimeProblem::{Expired, Future, NotYet};
        let cases = [
            (json!({}), vec![]),
            (json!({"exp": NOW + 1, "nbf": NOW, "iat": NOW}), vec![]),
            (json!({"exp": NOW}), vec![Expired]),
            (json!({"exp": 1_800_000_000.9}), vec![Expired]),
            (json!({"exp": 1_800_000_001.2}), vec![]),
            (json!({"exp": -5}), vec![Expired]),
            (json!({"nbf": NOW + 1}), vec![NotYet]),
            (json!({"nbf": 1_800_000_000.9}), vec![]),
            (json!({"nbf": 0, "iat": 0}), vec![]),
            (json!({"iat": NOW + 1}), vec![Future]),
            (
                json!({"exp": 1, "nbf": NOW + 9, "iat": NOW + 9}),
                vec![Expired, NotYet, Future],
            ),
            // Milliseconds by mistake are far away, and were meant to be in the future.
            (json!({"exp": NOW * 1_000}), vec![]),
        ];
        for (claims, expected) in cases {
            assert_eq!(problems(claims.clone()), expected, "{claims}");
        }
    }

    #[test]
    fn f6_an_exp_of_0_is_past_and_not_missing() {
        for zero in [json!(0), json!(0.0), json!(-0.0), json!(0.5)] {
            assert_eq!(problems(json!({"exp": zero})), [LifetimeProblem::Expired]);
        }
    }

    #[test]
    fn what_is_no_time_is_refused_and_not_ignored() {
        for wrong in [
            json!("1900000000"),
            json!(null),
            json!(true),
            json!([]),
            json!(1e300),
        ] {
            for name in ["exp", "nbf", "iat"] {
                let mut claims = Map::new();
                claims.insert(name.to_owned(), wrong.clone());
                assert_eq!(
                    check(&claims, NOW),
                    [LifetimeProblem::Invalid(name)],
                    "{wrong}"
                );
            }
        }
    }
}
