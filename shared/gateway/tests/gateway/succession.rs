//! What an instance remembers when another policy gets in force.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgekeeper_gateway::runtime::Runtime;
use serde_json::{Value, json};

use crate::memory::{NOW, Reply, Task};
use crate::policy::{
    Document, cookie_session, header as header_mutator, id_token, policy, session_rule, set,
    set_check,
};
use crate::pushed::{Pushed, REFRESH};
use crate::site::{ADA, get, header_map, session};

const LOGOUT: &[(&str, &str)] = &[("set-cookie", "ory_kratos_session=; Max-Age=0")];

fn document(session: Value) -> Document {
    policy([session_rule("app", "https://app.test/<.*>")])
        .with("session", session)
        .with("policies", json!({ "refresh": REFRESH }))
}

fn settings() -> Value {
    json!({ "ttl": 3_600, "stale_if_error": 7_200, "timeout": 5 })
}

/// Another policy that asks in the same way.
fn alike() -> Document {
    let told = header_mutator(&[("x-user", "{{ .Subject }}")]);
    let rule = session_rule("other", "https://app.test/<.*>");
    policy([set(rule, "mutators", json!([told]))]).with("session", settings())
}

fn site() -> Pushed {
    let site = Pushed::of(document(settings()));
    site.memory.script(
        "kratos",
        "ory_kratos_session=ada",
        session("ada").expires_at(NOW + 86_400).reply(),
    );
    site
}

fn push(site: &Pushed, document: Document) {
    site.push(document);
    site.memory.pass_seconds(REFRESH + 1);
}

/// The status, and where the session came from.
fn visit(site: &Pushed) -> (u16, String) {
    site.memory.take_log();
    let (gateway, sent) = site.send(get("https://app.test/", &[ADA]));
    let status = sent.status();
    if status == 0 {
        let forward = sent.forwarded().forward;
        let headers = header_map(&[]);
        site.memory
            .run(gateway.finish(&site.memory, &forward, 200, &headers));
    }
    let lines = site.memory.take_log();
    let line: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    (
        status,
        line["session"].as_str().unwrap_or_default().to_owned(),
    )
}

fn seen(status: u16, from: &str) -> (u16, String) {
    (status, from.to_owned())
}

#[test]
fn a_push_does_not_have_kratos_asked_anew() {
    let site = site();
    assert_eq!(visit(&site), seen(0, "miss"));
    push(&site, alike());
    assert_eq!(visit(&site), seen(0, "hit"));
    assert_eq!(site.memory.questions(), 1);
    site.point_to(None);
    site.memory.pass_seconds(REFRESH + 1);
    assert_eq!(visit(&site), seen(0, "hit"), "and back");
    assert_eq!(site.memory.questions(), 1);
}

#[test]
fn what_would_be_read_otherwise_is_asked_anew() {
    let shorter = json!({ "ttl": 60, "stale_if_error": 7_200, "timeout": 5 });
    let elsewhere = set(
        session_rule("app", "https://app.test/<.*>"),
        "authenticators",
        json!([set_check(cookie_session(), "binding", json!("KRATOS"))]),
    );
    for next in [
        document(shorter),
        document(settings()).strict(),
        policy([elsewhere]).with("session", settings()),
    ] {
        let site = site();
        visit(&site);
        push(&site, next);
        assert_eq!(visit(&site), seen(0, "miss"));
        assert_eq!(visit(&site), seen(0, "hit"));
        site.point_to(None);
        site.memory.pass_seconds(REFRESH + 1);
        assert_eq!(visit(&site), seen(0, "hit"), "what it knew before");
    }
}

#[test]
fn two_policies_after_one_do_not_take_each_others_answers() {
    let site = site();
    let with_ttl =
        |ttl: u64| document(json!({ "ttl": ttl, "stale_if_error": 7_200, "timeout": 5 }));
    visit(&site);
    push(&site, with_ttl(1_000));
    assert_eq!(visit(&site), seen(0, "miss"));
    site.point_to(None);
    site.memory.pass_seconds(REFRESH + 1);
    visit(&site);
    push(&site, with_ttl(2_000));
    assert_eq!(visit(&site), seen(0, "miss"));
}

/// Alice logs out through a request of the old policy, which ends after the new one got in force.
#[test]
fn a_logout_that_an_older_request_sees_counts_under_the_new_policy() {
    for next in [alike(), document(json!({ "ttl": 600 }))] {
        let site = site();
        let (old, sent) = site.send(get("https://app.test/logout", &[ADA]));
        push(&site, next);
        visit(&site);
        assert_eq!(visit(&site), seen(0, "hit"), "before the logout");
        site.memory
            .script("kratos", "ory_kratos_session=ada", Reply::new(401, "{}"));
        let forward = sent.forwarded().forward;
        let headers = header_map(LOGOUT);
        site.memory
            .run(old.finish(&site.memory, &forward, 200, &headers));
        assert_eq!(visit(&site).0, 401);
    }
}

#[test]
fn a_question_that_is_under_way_is_not_asked_twice() {
    let site = site();
    let reply = session("ada").expires_at(NOW + 86_400).reply().takes(100);
    site.memory
        .script("kratos", "ory_kratos_session=ada", reply);
    site.memory.run(site.deployment.current(&site.memory));
    site.push(alike());
    let slow = site
        .deployment
        .decide(&site.memory, get("https://app.test/", &[ADA]));
    let fast = async {
        // The old one asks by now.
        site.memory.sleep(10).await;
        let new = site
            .deployment
            .gateway()
            .followed_by(&alike().text())
            .unwrap();
        let decision = new
            .decide(&site.memory, get("https://app.test/", &[ADA]))
            .await;
        (new, decision)
    };
    let decisions = site
        .memory
        .run_all(vec![Box::pin(slow) as Task<'_, _>, Box::pin(fast)]);
    assert_eq!(decisions.len(), 2);
    assert_eq!(site.memory.questions(), 1);
}

#[test]
fn a_revocation_that_one_policy_was_told_of_counts_under_the_next() {
    let revoked = || {
        let mut settings = settings();
        settings["revocation_secret"] = json!("REVOCATION_SECRET");
        settings["revocation_check"] = json!(3_000);
        settings
    };
    let site = Pushed::of(document(revoked()));
    site.memory.script(
        "kratos",
        "ory_kratos_session=ada",
        session("ada").expires_at(NOW + 86_400).reply(),
    );
    visit(&site);
    let token = crate::fleet::token(&json!({ "sid": "session-of-ada", "exp": NOW + 60 }));
    let body = json!({ "token": token }).to_string();
    let request = crate::site::request("POST", "https://app.test/.edge/sessions/revoke", &[]);
    let (_, sent) = site.send(crate::fleet::with_body(request, body));
    assert_eq!(sent.answered().status, 204);
    site.memory.set_lists_fail(true);
    let next = set(
        session_rule("other", "https://app.test/<.*>"),
        "mutators",
        json!([{ "handler": "noop" }]),
    );
    push(&site, policy([next]).with("session", revoked()));
    assert_eq!(visit(&site), seen(0, "revoked"));
}

#[test]
fn a_token_is_minted_by_the_policy_in_force_and_with_the_keys_that_are_known() {
    let minting = |issuer: &str| {
        let token = set(id_token("{}", 60), "issuer_url", json!(issuer));
        let rule = session_rule("app", "https://app.test/<.*>");
        policy([set(rule, "mutators", json!([token]))])
            .with("session", settings())
            .with("keys", json!({ "development": true }))
            .with("policies", json!({ "refresh": REFRESH }))
    };
    let site = Pushed::of(minting("https://old.test/"));
    site.memory.script(
        "kratos",
        "ory_kratos_session=ada",
        session("ada").expires_at(NOW + 86_400).reply(),
    );
    let issuer = || {
        let (_, sent) = site.send(get("https://app.test/", &[ADA]));
        let token = sent.forwarded().values("authorization").remove(0);
        let payload = token.split('.').nth(1).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(payload).unwrap();
        serde_json::from_slice::<Value>(&claims).unwrap()["iss"].clone()
    };
    assert_eq!(issuer(), "https://old.test/");
    push(&site, minting("https://new.test/"));
    let writes = site.memory.writes();
    assert_eq!(
        issuer(),
        "https://new.test/",
        "none of the old policy's tokens"
    );
    assert_eq!(site.memory.writes(), writes, "no second key");
    let reads = site.memory.reads();
    issuer();
    assert_eq!(site.memory.reads(), reads, "the keys are known");
}
