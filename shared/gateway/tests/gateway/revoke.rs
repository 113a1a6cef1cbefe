//! The hook: who may revoke, what a message must be, and in which words one is refused.

use edgekeeper_gateway::request::Listener;
use edgekeeper_gateway::runtime::FetchError;
use serde_json::{Value, json};

use crate::fleet::{Fleet, REVOKE, token, with_body};
use crate::memory::{Body, NOW};
use crate::site::{Sent, error, get, header, message, request};

fn fleet() -> Fleet {
    Fleet::new(json!({ "ttl": 60, "revocation_check": 5 }))
}

fn claims() -> Value {
    json!({ "sub": "ada", "exp": NOW + 60 })
}

/// The answer to a body of any kind.
fn answer_to(fleet: &Fleet, body: impl Into<Vec<u8>>) -> (u16, String) {
    let request = with_body(request("POST", REVOKE, &[]), body);
    let headers = request.headers.clone();
    let instance = fleet.instance();
    let decision = fleet.memory.run(instance.decide(&fleet.memory, request));
    let answer = Sent::new(decision, headers).answered();
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    let said = match answer.body.as_str() {
        "" => String::new(),
        _ => {
            assert_eq!(header(&answer, "content-type"), Some("application/json"));
            assert_eq!(error(&answer)["code"], answer.status);
            message(&answer)
        }
    };
    (answer.status, said)
}

#[test]
fn a_signed_message_is_done_without_words() {
    for claims in [
        claims(),
        json!({ "sid": "session-of-ada", "exp": NOW + 60 }),
    ] {
        let fleet = fleet();
        let body = json!({ "token": token(&claims) }).to_string();
        assert_eq!(answer_to(&fleet, body), (204, String::new()), "{claims}");
        assert_eq!(fleet.marks().len(), 1);
    }
}

#[test]
fn a_body_that_is_no_message_is_400_and_says_how_one_looks() {
    let good = token(&claims());
    for body in [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        good.clone(),
        format!("\"{good}\""),
        json!({ "token": null }).to_string(),
        json!({ "token": [good] }).to_string(),
        json!({ "Token": good }).to_string(),
        json!({ "token": good, "also": 1 }).to_string(),
        format!(r#"{{"token":"{good}","token":"{good}"}}"#),
        format!(r#"{{"token":"{good}"}}x"#),
        format!("token={good}"),
    ] {
        let fleet = fleet();
        let expected = r#"the body must be a JSON object with the signed message: {"token":"…"}"#;
        assert_eq!(
            answer_to(&fleet, body.clone()),
            (400, expected.to_owned()),
            "{body}"
        );
        assert_eq!(fleet.memory.writes() + fleet.memory.lists(), 0, "{body}");
    }
    assert_eq!(answer_to(&fleet(), vec![0xff, 0xfe]).0, 400);
}

#[test]
fn what_the_secret_did_not_sign_is_401_and_nothing_is_said_of_it() {
    let good = token(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let expired = token(&json!({ "exp": 1 }));
    for token in [
        String::new(),
        "a.b.c".to_owned(),
        format!("{signed}."),
        format!("{signed}.{}", signature.to_lowercase()),
        expired.replace('.', "x."),
        // {"alg":"none"}
        format!(
            "eyJhbGciOiJub25lIn0.{}.",
            signed.rsplit_once('.').unwrap().1
        ),
        "a".repeat(12_000),
    ] {
        let fleet = fleet();
        let expected = "`token` is not signed with the secret (a compact JWS with HS256)";
        let found = answer_to(&fleet, json!({ "token": token }).to_string());
        assert_eq!(found, (401, expected.to_owned()), "{token}");
        assert_eq!(fleet.memory.writes() + fleet.memory.lists(), 0, "{token}");
    }
}

#[test]
fn who_signed_it_is_told_what_is_wrong() {
    let names = "the token must have either `sid` (a session's id) or `sub` (an identity's id), a text of 1 to 256 bytes";
    let number =
        "the token must have `exp`, a whole number: until when it may be sent, in Unix seconds";
    for (claims, expected) in [
        (json!({ "exp": NOW + 60 }), names),
        (json!({ "exp": NOW + 60, "sub": "" }), names),
        (
            json!({ "exp": NOW + 60, "sub": "ada", "sid": "laptop" }),
            names,
        ),
        (json!({ "sub": "ada" }), number),
        (json!({ "sub": "ada", "exp": "soon" }), number),
        (
            json!({ "sub": "ada", "exp": NOW }),
            "the token has expired (`exp`)",
        ),
        (
            json!({ "sub": "ada", "exp": NOW + 24 * 3_600 + 6 }),
            "the token's `exp` is more than 24 hours ahead",
        ),
    ] {
        let fleet = fleet();
        let body = json!({ "token": token(&claims) }).to_string();
        assert_eq!(
            answer_to(&fleet, body),
            (400, expected.to_owned()),
            "{claims}"
        );
        assert_eq!(fleet.memory.writes() + fleet.memory.lists(), 0, "{claims}");
    }
}

#[test]
fn a_body_that_is_too_large_or_broke_off_is_refused() {
    let large = format!(
        "{}{}",
        json!({ "token": token(&claims()) }),
        " ".repeat(16 << 10)
    );
    assert_eq!(
        answer_to(&fleet(), large),
        (413, "Request Entity Too Large".to_owned())
    );
    let fleet = fleet();
    let mut broken = with_body(request("POST", REVOKE, &[]), "");
    broken.body = Body(Err(FetchError::Unreachable));
    let instance = fleet.instance();
    let decision = fleet.memory.run(instance.decide(&fleet.memory, broken));
    let Sent::Answered(answer) = Sent::new(decision, Default::default()) else {
        panic!("a revocation is never forwarded");
    };
    assert_eq!(answer.status, 400);
}

#[test]
fn only_post_revokes() {
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let fleet = fleet();
        let answer = fleet
            .send(&fleet.instance(), request(method, REVOKE, &[]))
            .answered();
        assert_eq!(
            (answer.status, header(&answer, "allow")),
            (405, Some("POST")),
            "{method}"
        );
    }
}

#[test]
fn it_is_on_every_host_that_is_served_on_the_api_and_in_both_modes() {
    for strict in [false, true] {
        let fleet = fleet();
        let gateway = || {
            fleet
                .document()
                .with("hosts", json!(["app.test"]))
                .with("api_hosts", json!(["api.test"]))
                .mode(strict)
                .gateway()
        };
        let path = "/.edge/sessions/revoke";
        for (host, listener, expected) in [
            ("app.test", Listener::Proxy, 204),
            ("api.test", Listener::Proxy, 204),
            ("any.test", Listener::Api, 204),
            ("none.test", Listener::Proxy, 404),
        ] {
            let body = json!({ "token": token(&claims()) }).to_string();
            let mut request =
                with_body(request("POST", &format!("https://{host}{path}"), &[]), body);
            request.listener = listener;
            let instance = gateway();
            let decision = fleet.memory.run(instance.decide(&fleet.memory, request));
            let sent = Sent::new(decision, Default::default());
            assert_eq!(sent.status(), expected, "{host}, strict: {strict}");
        }
        let body = with_body(request("POST", REVOKE, &[]), "x");
        let instance = gateway();
        let decision = fleet.memory.run(instance.decide(&fleet.memory, body));
        let answer = Sent::new(decision, Default::default()).answered();
        assert!(
            message(&answer).contains("the body must be"),
            "strict: {strict}"
        );
    }
}

#[test]
fn without_a_secret_in_edge_yml_the_path_is_nobodys() {
    let fleet = Fleet::of(json!({ "ttl": 60 }));
    let mut visit = get(REVOKE, &[("cookie", "ory_kratos_session=ada")]);
    visit.method = "POST".to_owned();
    let sent = fleet.send(&fleet.instance(), visit);
    assert_eq!(sent.outcome(), "http://up.test/.edge/sessions/revoke");
}

#[test]
fn a_secret_that_is_missing_or_could_be_guessed_is_said_in_the_log_alone() {
    for name in ["MISSING", "SHORT"] {
        let fleet = Fleet::of(json!({ "ttl": 60, "revocation_secret": name }));
        let body = json!({ "token": token(&claims()) }).to_string();
        let (status, said) = answer_to(&fleet, body);
        assert_eq!(status, 500);
        assert!(!said.contains(name), "{said}");
        let log = fleet.memory.take_log().join("\n");
        assert!(
            log.contains(name) && log.contains("shorter than 32 bytes"),
            "{log}"
        );
    }
}

#[test]
fn a_message_has_its_effect_once() {
    let fleet = fleet();
    let (told, other) = (fleet.instance(), fleet.instance());
    let message = token(&claims());
    for (instance, what) in [
        (&told, "first"),
        (&told, "again"),
        (&other, "elsewhere"),
        (&fleet.instance(), "later"),
    ] {
        assert_eq!(fleet.tell_token(instance, &message).status, 204, "{what}");
        assert_eq!(fleet.marks().len(), 1, "{what}");
        fleet.memory.pass_seconds(10);
    }
    // Whoever overhears a message cannot end sessions that begin after it.
    assert_eq!(fleet.visit_and_settle(&told, "ada"), (0, "miss".to_owned()));
    assert_eq!(fleet.tell_token(&told, &message).status, 204);
    assert_eq!(fleet.visit(&told, "ada"), (0, "hit".to_owned()));
    let another = json!({ "sub": "ada", "exp": NOW + 60, "jti": "2" });
    assert_eq!(fleet.tell(&told, &another).status, 204);
    assert_eq!(fleet.marks().len(), 2);
    assert_eq!(fleet.visit(&told, "ada"), (0, "revoked".to_owned()));
}

#[test]
fn a_mark_lasts_as_long_as_anything_before_it_could_serve_or_the_message_could_come_again() {
    for (ttl, revalidate, error, exp, until) in [
        (60, 30, 300, 60, 60 + 300 + 120),
        (60, 400, 300, 60, 60 + 400 + 120),
        (60, 30, 300, 3_600, 3_600 + 5),
    ] {
        let fleet = Fleet::new(json!({
            "ttl": ttl, "stale_while_revalidate": revalidate, "stale_if_error": error,
        }));
        let answer = fleet.tell(
            &fleet.instance(),
            &json!({ "sub": "ada", "exp": NOW + exp }),
        );
        assert_eq!(answer.status, 204);
        let marks = fleet.marks();
        assert!(
            marks[0].starts_with(&format!("revoked/{}-", NOW + until)),
            "{marks:?}"
        );
    }
}

#[test]
fn a_store_that_fails_is_503_and_the_message_can_be_sent_again() {
    for breaks in ["fails", "is full", "hangs"] {
        let fleet = fleet();
        let instance = fleet.instance();
        assert_eq!(fleet.visit(&instance, "ada").0, 0);
        let set = |on: bool| match breaks {
            "fails" => fleet.memory.set_store_fails(on),
            "is full" => fleet.memory.set_store_is_full(on),
            _ => fleet.memory.set_store_takes(if on { 3_600_000 } else { 1 }),
        };
        set(true);
        let began = fleet.memory.milliseconds();
        let answer = fleet.tell(&instance, &claims());
        assert_eq!(answer.status, 503, "{breaks}");
        assert_eq!(
            message(&answer),
            "the revocation could not be written; please send it again"
        );
        assert_eq!(header(&answer, "retry-after"), Some("5"));
        assert!(fleet.memory.milliseconds() - began <= 2_000, "{breaks}");
        assert!(
            fleet
                .memory
                .take_log()
                .join("")
                .contains("the revocation could not be written: ")
        );
        set(false);
        assert_eq!(fleet.tell(&instance, &claims()).status, 204, "{breaks}");
        assert_eq!(fleet.marks().len(), 1, "{breaks}");
        assert_eq!(
            fleet.visit(&instance, "ada"),
            (0, "revoked".to_owned()),
            "{breaks}"
        );
    }
}

#[test]
fn no_message_secret_or_id_is_in_the_log() {
    let fleet = fleet();
    let instance = fleet.instance();
    let good = token(&claims());
    fleet.tell_token(&instance, &good);
    fleet.tell_token(&instance, &good);
    fleet.tell_token(&instance, &format!("{good}x"));
    fleet.tell(&instance, &json!({ "sub": "ada" }));
    let log = fleet.memory.take_log().join("\n");
    assert_eq!(log.lines().count(), 4, "{log}");
    for secret in [
        good.as_str(),
        good.rsplit_once('.').unwrap().1,
        "ada",
        "a secret of",
    ] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
