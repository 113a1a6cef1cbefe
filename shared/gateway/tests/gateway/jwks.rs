//! Sets of keys over the network: asked for seldom, used while their server is down, never trusted for being there.

use serde_json::{Value, json};

use crate::foreign::{golang, public, set, signed};
use crate::jwt::{send, site, user};
use crate::memory::{Reply, timeout, unreachable};
use crate::site::{Sent, Site, get, header, message};

const URL: &str = "https://keys.test/jwks.json";

fn one(strict: bool) -> Site {
    site(&[URL], &json!({}), strict)
}

fn serves(site: &Site, keys: &[&str]) {
    let document = set(keys.iter().map(|name| public(name)));
    site.memory
        .script("keys.test", "", Reply::new(200, document));
}

fn is_down(site: &Site, reply: Reply) {
    site.memory.script("keys.test", "", reply);
}

/// Whether the token of golang-jwt's passes: 0 if so, else the status.
fn asks(site: &Site) -> u16 {
    send(site, &golang("RS256")).status()
}

/// A token with a key id that no set has.
fn unknown(number: usize) -> String {
    signed(
        "RS",
        "RS256",
        &format!("made-up-{number}"),
        &json!({ "sub": "ada" }),
    )
}

fn all_at_once(site: &Site, tokens: impl IntoIterator<Item = String>) -> Vec<u16> {
    let requests = tokens.into_iter().map(|token| {
        let value = format!("Bearer {token}");
        get("https://app.test/x", &[("authorization", value.as_str())])
    });
    site.send_all(requests).iter().map(Sent::status).collect()
}

#[test]
fn a_set_is_fetched_once_in_its_time_to_live() {
    for strict in [false, true] {
        let site = one(strict);
        serves(&site, &["RS"]);
        for _ in 0..30 {
            assert_eq!(asks(&site), 0);
            site.memory.pass_seconds(1);
        }
        assert_eq!(site.memory.questions(), 1);
        assert_eq!(asks(&site), 0);
        assert_eq!(site.memory.questions(), 2);
        let asked = &site.memory.asked()[0];
        assert_eq!((asked.method.as_str(), asked.url.as_str()), ("GET", URL));
        assert_eq!(asked.timeout, 1_000);
        assert!(
            asked.headers.keys().all(|name| name == "accept"),
            "nothing of the client's"
        );
    }
}

#[test]
fn requests_at_one_moment_share_a_fetch() {
    let site = one(false);
    let document = set([public("RS")]);
    is_down(&site, Reply::new(200, document).takes(300));
    let statuses = all_at_once(&site, (0..20).map(|_| golang("RS256")));
    assert!(statuses.iter().all(|status| *status == 0), "{statuses:?}");
    assert_eq!(site.memory.questions(), 1);
}

#[test]
fn requests_at_one_moment_share_a_failure() {
    let site = one(false);
    is_down(&site, Reply::fails(unreachable()).takes(300));
    let statuses = all_at_once(&site, (0..20).map(|_| golang("RS256")));
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    assert_eq!(site.memory.questions(), 1);
}

#[test]
fn a_key_that_was_added_counts_at_once() {
    for strict in [false, true] {
        let site = one(strict);
        serves(&site, &["other"]);
        let old = signed("other", "RS256", "other", &json!({ "sub": "ada" }));
        assert_eq!(send(&site, &old).status(), 0);
        serves(&site, &["other", "RS"]);
        site.memory.pass_seconds(1);
        assert_eq!(asks(&site), 0, "its set was fetched anew");
        assert_eq!(site.memory.questions(), 2);
    }
}

#[test]
fn a_key_that_was_withdrawn_counts_no_longer_than_the_time_to_live() {
    let site = one(false);
    serves(&site, &["RS", "other"]);
    assert_eq!(asks(&site), 0);
    serves(&site, &["other"]);
    site.memory.pass_seconds(29);
    assert_eq!(asks(&site), 0);
    site.memory.pass_seconds(1);
    assert_eq!(asks(&site), 401);
}

#[test]
fn made_up_key_ids_wear_nobody_down() {
    for strict in [false, true] {
        let site = one(strict);
        serves(&site, &["RS"]);
        for number in 0..100 {
            assert_eq!(send(&site, &unknown(number)).status(), 401);
            assert_eq!(asks(&site), 0);
            site.memory.pass_milliseconds(100);
        }
        let questions = site.memory.questions();
        assert!(
            (2..=3).contains(&questions),
            "10 seconds, {questions} fetches"
        );
        let together = all_at_once(&site, (100..150).map(unknown));
        assert!(together.iter().all(|status| *status == 401));
        assert!(site.memory.questions() <= questions + 1);
    }
}

#[test]
fn a_server_that_is_down_makes_nobody_a_stranger() {
    for reply in [
        Reply::fails(unreachable()),
        Reply::fails(timeout()),
        Reply::new(200, "{}").takes(60_000),
        Reply::new(500, "oops"),
        Reply::new(503, ""),
        Reply::new(429, ""),
        Reply::new(404, set([public("RS")])),
        Reply::new(302, set([public("RS")])).header("location", "https://elsewhere.test/"),
        Reply::new(204, ""),
        Reply::new(200, ""),
        Reply::new(200, "<html>"),
        Reply::new(200, "[]"),
        Reply::new(200, "{}"),
        Reply::new(200, r#"{"keys":{}}"#),
        Reply::new(200, " ".repeat(600 << 10)),
    ] {
        let site = one(false);
        is_down(&site, reply.clone());
        let answer = send(&site, &golang("RS256")).answered();
        assert_eq!(answer.status, 503, "{reply:?}");
        assert_eq!(header(&answer, "retry-after"), Some("5"));
        assert_eq!(
            message(&answer),
            "The token could not be checked; please try again"
        );
        let site = one(true);
        is_down(&site, reply);
        assert_eq!(asks(&site), 401, "as Oathkeeper");
    }
}

#[test]
fn a_token_that_is_wrong_anyway_is_401_whoever_is_down() {
    let site = one(false);
    is_down(&site, Reply::fails(unreachable()));
    for token in ["a.b.c", &golang("ES256"), &golang("HS256")] {
        assert_eq!(send(&site, token).status(), 401);
    }
    assert_eq!(site.memory.questions(), 0);
}

#[test]
fn a_server_that_has_just_failed_is_left_alone_for_a_moment() {
    let site = one(false);
    is_down(&site, Reply::fails(unreachable()));
    for _ in 0..19 {
        assert_eq!(asks(&site), 503);
        site.memory.pass_milliseconds(100);
    }
    assert_eq!(site.memory.questions(), 1);
    site.memory.pass_milliseconds(100);
    serves(&site, &["RS"]);
    assert_eq!(asks(&site), 0);
    assert_eq!(site.memory.questions(), 2);
}

#[test]
fn known_keys_stand_in_for_a_server_that_is_down_but_not_for_ever() {
    for (reply, strict, after_a_minute, after_an_hour) in [
        (Reply::fails(unreachable()), false, 0, 503),
        (Reply::new(500, ""), false, 0, 503),
        (Reply::new(404, ""), false, 0, 503),
        (Reply::new(200, "<html>"), false, 0, 503),
        (Reply::fails(timeout()), true, 0, 0),
        (Reply::new(500, ""), true, 0, 0),
        (Reply::new(404, ""), true, 401, 401),
        (Reply::new(200, "<html>"), true, 401, 401),
    ] {
        let site = one(strict);
        serves(&site, &["RS"]);
        assert_eq!(asks(&site), 0);
        is_down(&site, reply.clone());
        site.memory.pass_seconds(60);
        assert_eq!(asks(&site), after_a_minute, "{strict} {reply:?}");
        site.memory.pass_seconds(3_600);
        assert_eq!(asks(&site), after_an_hour, "{strict} {reply:?}");
        serves(&site, &["RS"]);
        site.memory.pass_seconds(3);
        assert_eq!(asks(&site), 0, "it is back");
    }
}

#[test]
fn an_unknown_key_is_not_a_stranger_while_its_set_may_be_out_of_date() {
    let site = one(false);
    serves(&site, &["RS"]);
    assert_eq!(asks(&site), 0);
    is_down(&site, Reply::fails(unreachable()));
    assert_eq!(send(&site, &unknown(0)).status(), 503);
    assert_eq!(asks(&site), 0, "the known key goes on counting");
}

#[test]
fn a_slow_server_holds_up_nobody_longer_than_the_policy_says() {
    let site = site(&[URL], &json!({ "jwks_max_wait": 200 }), false);
    serves(&site, &["RS"]);
    assert_eq!(asks(&site), 0);
    is_down(&site, Reply::new(200, set([public("RS")])).takes(30_000));
    site.memory.pass_seconds(60);
    let began = site.memory.milliseconds();
    assert_eq!(asks(&site), 0);
    assert_eq!(site.memory.milliseconds() - began, 200);
}

#[test]
fn a_request_that_is_cut_off_holds_up_nobody_for_long() {
    let site = one(false);
    is_down(&site, Reply::new(200, set([public("RS")])).takes(500));
    let value = format!("Bearer {}", golang("RS256"));
    let cut_off = get("https://app.test/x", &[("authorization", value.as_str())]);
    let mut task: crate::memory::Task<'_, _> = Box::pin(site.gateway.decide(&site.memory, cut_off));
    assert!(crate::memory::step(&mut task).is_pending());
    drop(task);
    assert_eq!(asks(&site), 0);
    assert_eq!(site.memory.questions(), 2);
}

#[test]
fn a_clock_that_is_set_back_keeps_no_set_for_ever() {
    let site = one(false);
    serves(&site, &["RS"]);
    assert_eq!(asks(&site), 0);
    site.memory.set_back_seconds(3_000);
    assert_eq!(asks(&site), 0);
    assert_eq!(site.memory.questions(), 2);
}

#[test]
fn the_log_tells_what_is_wrong_with_a_set_once() {
    let site = one(false);
    let weak = public("weak");
    let private = crate::foreign::private("RS");
    let document = set([weak, private]);
    is_down(&site, Reply::new(200, document));
    let about_keys = |site: &Site| {
        let lines = site.memory.take_log();
        lines
            .into_iter()
            .filter(|line| serde_json::from_str::<Value>(line).unwrap()["msg"] == "jwks")
            .collect::<Vec<_>>()
    };
    assert_eq!(user(send(&site, &golang("RS256"))), Ok("ada".to_owned()));
    let lines = about_keys(&site);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines
            .iter()
            .all(|line| line.contains("https://keys.test/jwks.json: "))
    );
    site.memory.pass_seconds(31);
    assert_eq!(asks(&site), 0);
    assert!(about_keys(&site).is_empty(), "nothing new");
    is_down(&site, Reply::fails(unreachable()));
    for _ in 0..10 {
        site.memory.pass_seconds(31);
        assert_eq!(asks(&site), 0);
    }
    assert!((4..=6).contains(&about_keys(&site).len()), "once a minute");
}

#[test]
fn one_key_that_oathkeeper_cannot_read_spoils_a_set_in_strict_mode_only() {
    for (strict, expected) in [(false, 0), (true, 401)] {
        let site = one(strict);
        let odd = json!({ "kty": "odd", "kid": "odd", "use": "sig" });
        is_down(&site, Reply::new(200, set([odd, public("RS")])));
        assert_eq!(asks(&site), expected);
    }
}
