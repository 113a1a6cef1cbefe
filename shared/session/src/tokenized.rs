//! Kratos' own token in an answer of whoami, which `tokenize_as` asks for.

use edgekeeper_token::foreign::token::unverified_claims;
use serde_json::Value;

/// The token in an answer.
#[must_use]
pub fn token(answer: &Value) -> Option<&str> {
    answer.get("tokenized")?.as_str()
}

/// Until when (Unix seconds) the token in an answer is passed on: while more than a tenth of its life is left, as with tokens
/// of the gateway's own.
///
/// # Errors
/// What is wrong, as the rest of a sentence about the answer. The token is not repeated.
pub(crate) fn used_until(answer: &Value, now: u64) -> Result<u64, &'static str> {
    let token = token(answer).ok_or("holds no token in `tokenized`")?;
    let is_compact = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let claims = unverified_claims(token)
        .filter(|_| token.bytes().all(is_compact))
        .ok_or("holds no JWT in `tokenized`")?;
    let time = |name: &str| claims.get(name).and_then(Value::as_u64);
    let end = time("exp").ok_or("holds a token without an end (`exp`)")?;
    if end <= now {
        return Err("holds a token that is past already (do the clocks agree?)");
    }
    let issued = time("iat").unwrap_or(now).min(now);
    let life = end.saturating_sub(issued);
    // Whole seconds: of a short life the tenth is one, too.
    Ok(end.saturating_sub(life.div_ceil(10)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    const NOW: u64 = 1_700_000_000;

    fn answer(claims: &Value) -> Value {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(&json!({ "alg": "ES256", "kid": "k" }));
        json!({ "tokenized": format!("{header}.{}.c2ln", part(claims)) })
    }

    #[test]
    fn a_tenth_of_a_tokens_life_is_left_to_the_upstream() {
        for (claims, until) in [
            (json!({ "iat": NOW, "exp": NOW + 60 }), NOW + 54),
            (json!({ "iat": NOW - 40, "exp": NOW + 60 }), NOW + 50),
            (json!({ "exp": NOW + 60 }), NOW + 54),
            (json!({ "iat": NOW + 5, "exp": NOW + 60 }), NOW + 54),
            (json!({ "iat": "x", "exp": NOW + 60 }), NOW + 54),
            (json!({ "iat": NOW, "exp": NOW + 5 }), NOW + 4),
            (json!({ "iat": NOW - 900, "exp": NOW + 1 }), NOW - 90),
            (
                json!({ "exp": u64::MAX }),
                u64::MAX - (u64::MAX - NOW).div_ceil(10),
            ),
        ] {
            assert_eq!(used_until(&answer(&claims), NOW), Ok(until), "{claims}");
        }
    }

    #[test]
    fn what_is_no_token_that_counts_is_none() {
        for answer in [
            json!({}),
            json!(null),
            json!({ "tokenized": null }),
            json!({ "tokenized": 1 }),
            json!({ "tokenized": "" }),
            json!({ "tokenized": "a.b.c" }),
            json!({ "tokenized": "e30.e30" }),
            json!({ "tokenized": "x".repeat(1 << 20) }),
            json!({ "tokenized": format!("{}\r\nx: y", token(&answer(&json!({ "exp": NOW + 60 }))).unwrap()) }),
            answer(&json!([])),
            answer(&json!({})),
            answer(&json!({ "exp": null })),
            answer(&json!({ "exp": "1800000000" })),
            answer(&json!({ "exp": -1 })),
            answer(&json!({ "exp": NOW })),
            answer(&json!({ "exp": 0 })),
        ] {
            assert!(used_until(&answer, NOW).is_err(), "{answer}");
        }
    }
}
