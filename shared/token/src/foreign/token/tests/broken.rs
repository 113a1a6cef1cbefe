//! Tokens that are none, and golang-jwt's words for them.

use super::*;

#[test]
fn the_words_of_golang_jwt_are_as_recorded() {
    let keys = all(Reading::STRICT);
    let internal = "token is unverifiable: error while executing keyfunc: An internal server error occurred, please contact the system administrator";
    let bad = "token is unverifiable: error while executing keyfunc: The request was malformed or contained invalid parameters";
    let header = |text: &str| signed_hs256(text, b"{}");
    let cases = [
        (
            "a.b.c".to_owned(),
            "token is malformed: could not base64 decode header: illegal base64 data at input byte 0",
        ),
        (
            "..".to_owned(),
            "token is malformed: could not JSON decode header: unexpected end of JSON input",
        ),
        (
            format!("{}.e30.AA", encode(b"abc")),
            "token is malformed: could not JSON decode header: invalid character 'a' looking for beginning of value",
        ),
        (
            format!("e30.{}.AA", encode(b"abc")),
            "token is malformed: could not JSON decode claim: invalid character 'a' looking for beginning of value",
        ),
        (
            "a.b".to_owned(),
            "token is malformed: token contains an invalid number of segments",
        ),
        (
            "a.b.c.d".to_owned(),
            "token is malformed: token contains an invalid number of segments",
        ),
        (
            "e30.e30.AA".to_owned(),
            "token is unverifiable: signing method (alg) is unspecified",
        ),
        (
            header(r#"{"alg":"XX","kid":"oct"}"#),
            "token is unverifiable: signing method (alg) is unavailable",
        ),
        (
            format!("{}.e30.!", encode(br#"{"alg":"HS256"}"#)),
            "token is malformed: could not base64 decode signature: illegal base64 data at input byte 0",
        ),
        (header(r#"{"alg":"HS256"}"#), bad),
        (header(r#"{"alg":"HS256","kid":"nobody"}"#), internal),
        (header(r#"{"alg":"RS256","kid":"oct"}"#), bad),
        (header(r#"{"alg":"EdDSA","kid":"Ed25519"}"#), bad),
        (
            header(r#"{"alg":"HS384","kid":"oct"}"#),
            "token signature is invalid: signature is invalid",
        ),
        (
            header(r#"{"alg":"RS256","kid":"RS"}"#),
            "token signature is invalid: crypto/rsa: verification error",
        ),
        (
            signed_hs256(r#"{"alg":"HS256","kid":"oct"}"#, br#"{"exp":"1"}"#),
            "token has invalid claims: invalid type for claim: exp is invalid",
        ),
    ];
    for (token, expected) in cases {
        assert_eq!(
            check(&token, &[&keys], true).unwrap_err().oathkeeper(),
            expected
        );
    }
    let options = Options {
        algorithms: &["RS256".to_owned()],
        now: NOW,
        strict: true,
    };
    assert_eq!(
        verify(&token("HS256"), &[&keys], &options)
            .unwrap_err()
            .oathkeeper(),
        internal
    );
}

#[test]
fn bits_left_over_are_read_in_strict_mode_only() {
    let keys = all(Reading::STRICT);
    // 32 bytes leave four bits of the last character.
    let token = token("HS256");
    let last = token.chars().last().unwrap();
    let other = char::from(u8::try_from(last).unwrap() + 1);
    let loose = format!("{}{other}", &token[..token.len() - 1]);
    assert!(matches!(
        check(&loose, &[&keys], false),
        Err(VerifyError::Encoding(Part::Signature, _))
    ));
    assert!(check(&loose, &[&keys], true).is_ok());
}

#[test]
fn broken_tokens_are_refused_and_never_repeated() {
    let keys = all(Reading::STRICT);
    let secret = "c2VjcmV0";
    let long = format!("{}.e30.AA", "a".repeat(MAX_TOKEN_LENGTH));
    let cases = [
        "",
        ".",
        "..",
        "...",
        "e30",
        "e30.e30",
        "bnVsbA.e30.AA",
        "W10.e30.AA",
        "e30.bnVsbA.AA",
        "e30=.e30.AA",
        "_w.e30.AA",
        "e30.e30.AA\n",
        " e30.e30.AA",
        secret,
        &long,
    ];
    for token in cases {
        for strict in [false, true] {
            let error = check(token, &[&keys], strict).unwrap_err();
            assert!(!error.to_string().contains(secret) && !error.oathkeeper().contains(secret));
        }
    }
}
