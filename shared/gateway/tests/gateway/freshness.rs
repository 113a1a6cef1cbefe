//! How long an answer of Kratos is believed.

use serde_json::{Value, json};

use crate::memory::Task;
use crate::memory::{NOW, Reply};
use crate::policy::{policy, session_rule};
use crate::site::{ADA, Site, get, header_map, session};

/// 60 s fresh, 30 s more while it is asked anew, 300 s while Kratos fails.
fn site() -> Site {
    site_with(
        json!({ "ttl": 60, "stale_while_revalidate": 30, "stale_if_error": 300, "negative_ttl": 3 }),
    )
}

fn site_with(settings: Value) -> Site {
    Site::with_ada(policy([session_rule("web", "https://app.test/<.*>")]).with("session", settings))
}

fn status(site: &Site) -> u16 {
    site.send(get("https://app.test/", &[ADA])).status()
}

#[test]
fn the_shortest_of_ttl_kratos_advice_and_the_sessions_end_counts() {
    for (why, cache_for, ends_in, fresh_for) in [
        ("the ttl", None, 3_600, 60),
        ("Kratos' advice", Some("20"), 3_600, 20),
        ("longer advice changes nothing", Some("600"), 3_600, 60),
        ("the session's end", None, 10, 10),
        ("all three", Some("20"), 10, 10),
        ("I25 -1", Some("-1"), 3_600, 60),
        ("I25 1e99", Some("1e99"), 3_600, 60),
        ("I25 abc", Some("abc"), 3_600, 60),
        ("I25 empty", Some(""), 3_600, 60),
    ] {
        let site =
            site_with(json!({ "ttl": 60, "stale_while_revalidate": 0, "stale_if_error": 0 }));
        let reply = session("ada").expires_at(NOW + ends_in).reply();
        let reply = match cache_for {
            Some(seconds) => reply.header("ory-session-cache-for", seconds),
            None => reply,
        };
        site.memory.script("", "", reply);
        assert_eq!(status(&site), 0, "{why}");
        site.memory.pass_seconds(fresh_for - 1);
        assert_eq!(status(&site), 0, "{why}");
        assert_eq!(site.memory.questions(), 1, "{why}: a hit");
        site.memory.pass_seconds(1);
        status(&site);
        assert_eq!(site.memory.questions(), 2, "{why}: a miss");
    }
}

#[test]
fn i25_kratos_can_forbid_remembering() {
    let site = site();
    site.memory.script(
        "",
        "",
        session("ada").reply().header("ory-session-cache-for", "0"),
    );
    for asked in 1..4 {
        assert_eq!(status(&site), 0);
        assert_eq!(site.memory.questions(), asked);
    }
}

#[test]
fn a_stale_answer_serves_while_it_is_asked_anew_behind_the_response() {
    let site = site();
    status(&site);
    site.memory.pass_seconds(60);
    assert_eq!(status(&site), 0);
    assert_eq!(site.memory.questions(), 1, "not before the response");
    assert_eq!(site.memory.waiting(), 1, "but after it");
    assert_eq!(status(&site), 0);
    assert_eq!(site.memory.waiting(), 1, "once");
    site.memory.run_later();
    assert_eq!(site.memory.questions(), 2);
    assert_eq!(status(&site), 0);
    assert_eq!(site.memory.waiting(), 0, "fresh again");
    site.memory.pass_seconds(59);
    assert_eq!(status(&site), 0);
    assert_eq!(site.memory.questions(), 2, "for a whole ttl");
}

#[test]
fn a_logout_is_seen_by_the_revalidation() {
    let site = site();
    status(&site);
    site.memory.script("", "", Reply::new(401, "{}"));
    site.memory.pass_seconds(60);
    assert_eq!(status(&site), 0);
    site.memory.run_later();
    assert_eq!(status(&site), 401);
}

#[test]
fn beyond_the_stale_window_kratos_is_asked_first() {
    let site = site();
    status(&site);
    site.memory.pass_seconds(90);
    site.memory.script("", "", Reply::new(401, "{}"));
    assert_eq!(status(&site), 401);
    assert_eq!(site.memory.waiting(), 0);
}

#[test]
fn nothing_outlives_the_session_however_stale_it_may_be() {
    let site = site();
    site.memory
        .script("", "", session("ada").expires_at(NOW + 70).reply());
    assert_eq!(status(&site), 0);
    site.memory.pass_seconds(65);
    assert_eq!(status(&site), 0, "stale, and the session still lasts");
    site.memory.script("", "", Reply::new(500, ""));
    site.memory.pass_seconds(5);
    assert_eq!(
        status(&site),
        503,
        "the session is over, and Kratos cannot say more"
    );
}

#[test]
fn a_refusal_is_remembered_for_seconds_only() {
    let site = site();
    site.memory.script("", "", Reply::new(401, "{}"));
    assert_eq!(status(&site), 401);
    site.memory.script("", "", session("ada").reply());
    site.memory.pass_seconds(2);
    assert_eq!(status(&site), 401);
    assert_eq!(site.memory.questions(), 1);
    site.memory.pass_seconds(1);
    assert_eq!(status(&site), 0, "she logged in meanwhile");
    let long = site_with(json!({ "negative_ttl": 3_600 }));
    long.memory.script("", "", Reply::new(401, "{}"));
    assert_eq!(status(&long), 401);
    long.memory.script("", "", session("ada").reply());
    long.memory.pass_seconds(10);
    assert_eq!(status(&long), 0, "never longer than ten");
}

#[test]
fn no_refusal_is_remembered_where_the_policy_says_so() {
    let site = site_with(json!({ "negative_ttl": 0 }));
    site.memory.script("", "", Reply::new(401, "{}"));
    assert_eq!(status(&site), 401);
    site.memory.script("", "", session("ada").reply());
    assert_eq!(status(&site), 0);
}

#[test]
fn an_answer_that_ends_or_changes_the_session_is_forgotten_at_once() {
    for (why, upstream, forgotten) in [
        (
            "logout",
            vec![("set-cookie", "ory_kratos_session=; Max-Age=0; Path=/")],
            true,
        ),
        (
            "step-up",
            vec![
                ("set-cookie", "csrf=1"),
                ("set-cookie", "ory_kratos_session=new; HttpOnly"),
            ],
            true,
        ),
        (
            "joined",
            vec![(
                "set-cookie",
                "csrf=1; Expires=Wed, 15 Nov 2023 00:00:00 GMT, ory_kratos_session=new",
            )],
            true,
        ),
        (
            "spaces",
            vec![("set-cookie", " ory_kratos_session =new")],
            true,
        ),
        (
            "another cookie",
            vec![("set-cookie", "theme=dark; Path=/")],
            false,
        ),
        (
            "a value that looks like it",
            vec![("set-cookie", "theme=ory_kratos_session")],
            false,
        ),
        (
            "a longer name",
            vec![("set-cookie", "ory_kratos_session2=x")],
            false,
        ),
        ("nothing", vec![], false),
    ] {
        let site = site();
        let request = || get("https://app.test/", &[ADA]);
        site.answer_from(request(), 200, &upstream);
        assert_eq!(site.memory.questions(), 1, "{why}");
        status(&site);
        assert_eq!(
            site.memory.questions(),
            if forgotten { 2 } else { 1 },
            "{why}"
        );
    }
}

#[test]
fn a_logout_on_a_rule_without_sessions_is_seen_too() {
    // Kratos itself stands behind the gateway, and only a rule's `only` tells the name of its cookie.
    let config = crate::policy::set(
        crate::policy::cookie_session(),
        "only",
        json!(["my_session"]),
    );
    let app = crate::policy::set(
        crate::policy::rule("app", "https://app.test/<.*>"),
        "authenticators",
        json!([config]),
    );
    let site = Site::new(policy([
        app,
        crate::policy::rule("kratos", "https://auth.test/<.*>"),
    ]));
    site.memory
        .script("", "my_session=ada", session("ada").reply());
    let ada = [("cookie", "my_session=ada")];
    assert_eq!(site.send(get("https://app.test/", &ada)).status(), 0);
    let forwarded = site
        .send(get("https://auth.test/self-service/logout", &ada))
        .forwarded();
    let headers = header_map(&[("set-cookie", "my_session=; Max-Age=0")]);
    site.finish(&forwarded.forward, 302, &headers);
    site.memory.script("", "", Reply::new(401, "{}"));
    assert_eq!(site.send(get("https://app.test/", &ada)).status(), 401);
}

#[test]
fn somebody_elses_logout_changes_nothing() {
    let site = site();
    site.memory.script("", "=bob", session("bob").reply());
    status(&site);
    site.answer_from(
        get("https://app.test/", &[("cookie", "ory_kratos_session=bob")]),
        200,
        &[("set-cookie", "ory_kratos_session=")],
    );
    assert_eq!(status(&site), 0);
    assert_eq!(
        site.memory.questions(),
        2,
        "Ada's answer is still remembered"
    );
}

#[test]
fn i07_i09_a_change_of_rights_is_seen_within_the_ttl() {
    let list =
        json!([{ "handler": "allowlist", "domains": ["example.com"], "require_verified": true }]);
    let rule = crate::policy::set(
        session_rule("web", "https://app.test/<.*>"),
        "authorizers",
        list,
    );
    let settings = json!({ "ttl": 60, "stale_while_revalidate": 0 });
    let site = Site::with_ada(policy([rule]).with("session", settings));
    assert_eq!(status(&site), 0);
    site.memory.script(
        "",
        "",
        session("ada").trait_("email", "ada@evil.test").reply(),
    );
    site.memory.pass_seconds(59);
    assert_eq!(status(&site), 0);
    site.memory.pass_seconds(1);
    assert_eq!(status(&site), 403, "CVE-2021-41230");
}

#[test]
fn the_log_tells_where_the_session_came_from() {
    let site = site();
    for (seconds, expected) in [(0, "miss"), (1, "hit"), (60, "stale")] {
        site.memory.pass_seconds(seconds);
        site.memory.take_log();
        site.answer_from(get("https://app.test/", &[ADA]), 200, &[]);
        let log = site.memory.take_log().join("\n");
        assert!(
            log.contains(&format!(r#""session":"{expected}""#)),
            "{expected}: {log}"
        );
    }
}

#[test]
fn an_answer_that_was_under_way_during_a_logout_is_not_remembered() {
    use edgekeeper_gateway::runtime::Runtime;

    let site = site();
    let logout = site
        .send(get("https://app.test/self-service/logout", &[ADA]))
        .forwarded();
    let ended = header_map(&[("set-cookie", "ory_kratos_session=; Max-Age=0")]);
    site.finish(&logout.forward, 204, &ended);
    site.memory
        .script("", "", session("ada").reply().takes(500));
    site.memory.pass_seconds(1);
    let asks = async {
        site.gateway
            .decide(&site.memory, get("https://app.test/", &[ADA]))
            .await;
    };
    let logs_out = async {
        site.memory.sleep(100).await;
        site.gateway
            .finish(&site.memory, &logout.forward, 204, &ended)
            .await;
    };
    site.memory
        .run_all(vec![Box::pin(asks) as Task<'_, ()>, Box::pin(logs_out)]);
    site.memory.script("", "", Reply::new(401, "{}"));
    assert_eq!(status(&site), 401, "Kratos is asked again");
}
