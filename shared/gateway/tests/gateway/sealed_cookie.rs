//! What the browser carries of Kratos' answer: good for its own credential on its own host, for a while, and for nothing else.

use edgekeeper_gateway::request::RawRequest;
use edgekeeper_session::revocation::{Mark, Subject};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::component::Deployment;
use crate::memory::{Memory, NOW, Reply, SECRET, unreachable};
use crate::policy::{Document, cookie_session, header, policy, rule, session_rule, set, set_check};
use crate::site::{ADA, Sent, Site, get, header_map, session, values};

const PLAIN: &str = "edgekeeper_session";
const SECURE: &str = "__Host-edgekeeper_session";
const ADAS: &str = "ory_kratos_session=ada";

fn rules() -> Vec<Value> {
    let named = json!([header(&[("x-user", "{{ print .Subject }}")])]);
    let page = set(
        session_rule("page", "https://app.test/<.*>"),
        "mutators",
        named,
    );
    let plain = session_rule("plain", "http://app.test/<.*>");
    let elsewhere = session_rule("elsewhere", "https://other.test/<.*>");
    let check = set_check(
        cookie_session(),
        "additional_headers",
        json!({ "x-one": "1" }),
    );
    let otherwise = set(
        session_rule("otherwise", "https://app.test:8443/<.*>"),
        "authenticators",
        json!([check]),
    );
    vec![
        page,
        plain,
        elsewhere,
        otherwise,
        rule("open", "https://open.test/<.*>"),
    ]
}

fn with_session(settings: Value) -> Document {
    let mut all = json!({ "sealed_cookie": true });
    for (name, value) in settings.as_object().unwrap() {
        all[name] = value.clone();
    }
    policy(rules())
        .with("session", all)
        .with("server_timing", json!(true))
}

fn document() -> Document {
    with_session(json!({}))
}

fn site() -> Site {
    Site::with_ada(document())
}

/// Another instance in the same world, which remembers nothing.
fn instance(world: &Memory, document: Document) -> Site {
    Site {
        memory: world.clone(),
        gateway: document.gateway(),
    }
}

fn fresh(site: &Site) -> Site {
    instance(&site.memory, document())
}

/// The `Set-Cookie`s of the gateway's own that a browser gets with an answer of the upstream's.
fn handed_out(site: &Site, request: RawRequest) -> Vec<String> {
    let headers = site.answer_from(request, 200, &[]);
    set_cookies(&headers)
}

fn set_cookies(headers: &HeaderMap) -> Vec<String> {
    let mut all = values(headers, "set-cookie");
    all.retain(|cookie| cookie.contains(PLAIN));
    all
}

/// Ada's cookies after she was let in once: Kratos' and the gateway's, as a browser sends them.
fn carried(site: &Site) -> String {
    let given = handed_out(site, get("https://app.test/", &[ADA]));
    assert_eq!(given.len(), 1, "she is given it once");
    format!("{ADAS}; {}", given[0].split(';').next().unwrap())
}

fn sealed(cookies: &str) -> &str {
    cookies.split_once(&format!("{SECURE}=")).unwrap().1
}

fn ask(site: &Site, cookies: &str) -> Sent {
    site.send(get("https://app.test/", &[("cookie", cookies)]))
}

/// Where a session came from, as the log has it.
fn source(site: &Site, sent: Sent) -> String {
    if let Sent::Forwarded(forwarded) = sent {
        site.finish(&forwarded.forward, 200, &HeaderMap::new());
    }
    let log = site.memory.take_log();
    let line = log.iter().rfind(|line| line.contains("decision")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    line["session"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_new_instance_need_not_ask_kratos() {
    let site = site();
    let cookies = carried(&site);
    for other in [fresh(&site), fresh(&site)] {
        for from in ["cookie", "hit"] {
            let sent = ask(&other, &cookies).forwarded();
            assert_eq!(sent.values("x-user"), ["ada"]);
            assert_eq!(source(&other, Sent::Forwarded(sent)), from);
        }
    }
    assert_eq!(site.memory.questions(), 1);
}

#[test]
fn it_is_for_this_host_for_no_script_and_for_as_long_as_it_can_serve() {
    let site = site();
    let given = handed_out(&site, get("https://app.test/", &[ADA]));
    let (cookie, attributes) = given[0].split_once("; ").unwrap();
    assert!(cookie.starts_with(&format!("{SECURE}=")), "{cookie}");
    assert_eq!(
        attributes,
        "Max-Age=90; Path=/; Secure; HttpOnly; SameSite=Lax"
    );
    let plain = handed_out(&fresh(&site), get("http://app.test/", &[ADA]));
    assert!(plain[0].starts_with(&format!("{PLAIN}=")), "{plain:?}");
    assert!(plain[0].ends_with("; Max-Age=90; Path=/; HttpOnly; SameSite=Lax"));

    site.memory
        .script("", "=short", session("short").expires_at(NOW + 70).reply());
    let short = ("cookie", "ory_kratos_session=short");
    let given = handed_out(&site, get("https://app.test/", &[short]));
    assert!(
        given[0].contains("; Max-Age=70; "),
        "not beyond the session: {given:?}"
    );
}

#[test]
fn nobody_reads_it() {
    let cookies = carried(&site());
    for part in ["ada@", "example", "identity", "active", SECRET] {
        assert!(!sealed(&cookies).contains(part), "{part}");
    }
}

#[test]
fn each_answer_of_kratos_is_given_out_once() {
    let site = site();
    let page = || get("https://app.test/", &[ADA]);
    assert_eq!(handed_out(&site, page()).len(), 1);
    assert_eq!(handed_out(&site, page()).len(), 0);
    site.memory.pass_seconds(61);
    assert_eq!(
        handed_out(&site, page()).len(),
        0,
        "it is stale, and asked anew behind"
    );
    site.memory.run_later();
    assert_eq!(handed_out(&site, page()).len(), 1, "the new one");
    assert_eq!(handed_out(&site, page()).len(), 0);
    assert_eq!(site.memory.questions(), 2);
}

#[test]
fn what_came_in_a_cookie_is_not_given_out_again() {
    let site = site();
    let cookies = carried(&site);
    let other = fresh(&site);
    assert!(handed_out(&other, get("https://app.test/", &[("cookie", &cookies)])).is_empty());
}

#[test]
fn a_stale_one_serves_and_is_asked_anew_behind_the_response() {
    let site = site();
    let cookies = carried(&site);
    let other = fresh(&site);
    site.memory.pass_seconds(61);
    assert_eq!(source(&other, ask(&other, &cookies)), "cookie");
    assert_eq!(site.memory.questions(), 1);
    other.memory.run_later();
    assert_eq!(site.memory.questions(), 2);
    let next = handed_out(&other, get("https://app.test/", &[("cookie", &cookies)]));
    assert_eq!(next.len(), 1, "a newer one");
}

#[test]
fn it_does_not_serve_when_its_time_is_over_not_even_while_kratos_fails() {
    let site = site();
    let cookies = carried(&site);
    site.memory.script("", "", Reply::fails(unreachable()));
    site.memory.pass_seconds(89);
    assert_eq!(ask(&fresh(&site), &cookies).status(), 0);
    site.memory.pass_seconds(1);
    assert_eq!(ask(&fresh(&site), &cookies).status(), 503);
}

#[test]
fn that_kratos_has_just_failed_for_others_is_no_reason_not_to_look_at_it() {
    let site = site();
    let cookies = carried(&site);
    for reply in [Reply::fails(unreachable()), Reply::new(404, "")] {
        site.memory.script("", "", reply);
        let other = fresh(&site);
        assert_eq!(
            ask(&other, ADAS).status(),
            503,
            "a program that keeps no cookies"
        );
        let asked = site.memory.questions();
        assert_eq!(source(&other, ask(&other, &cookies)), "cookie");
        assert_eq!(site.memory.questions(), asked);
    }
}

#[test]
fn it_is_believed_by_the_settings_of_whoever_reads_it() {
    let site = site();
    let cookies = carried(&site);
    site.memory.pass_seconds(20);
    let brief = json!({ "ttl": 10, "stale_while_revalidate": 5 });
    let other = instance(&site.memory, with_session(brief));
    assert_eq!(source(&other, ask(&other, &cookies)), "miss");
    for settings in [json!({ "ttl": 0 }), json!({ "sealed_cookie": false })] {
        let other = instance(&site.memory, with_session(settings.clone()));
        assert_eq!(source(&other, ask(&other, &cookies)), "miss", "{settings}");
    }
}

#[test]
fn a_session_that_is_over_is_over_in_the_cookie_too() {
    let site = Site::new(document());
    site.memory
        .script("", "=ada", session("ada").expires_at(NOW + 30).reply());
    let cookies = carried(&site);
    site.memory.script("", "", Reply::new(401, "{}"));
    site.memory.pass_seconds(29);
    assert_eq!(ask(&fresh(&site), &cookies).status(), 0);
    site.memory.pass_seconds(1);
    assert_eq!(ask(&fresh(&site), &cookies).status(), 401);
}

#[test]
fn a_clock_that_was_set_back_believes_nothing_from_the_future() {
    let site = site();
    let cookies = carried(&site);
    site.memory.script("", "", Reply::new(401, "{}"));
    site.memory.set_back_seconds(5);
    assert_eq!(
        ask(&fresh(&site), &cookies).status(),
        0,
        "two clocks differ"
    );
    site.memory.set_back_seconds(1);
    assert_eq!(ask(&fresh(&site), &cookies).status(), 401);
}

#[test]
fn it_is_worth_nothing_without_the_credential_it_is_about() {
    let site = site();
    let cookies = carried(&site);
    let sealed = sealed(&cookies).to_owned();
    let alone = format!("{SECURE}={sealed}");
    site.memory.script("", "", Reply::new(401, "{}"));
    for (what, cookies) in [
        ("alone", alone.clone()),
        (
            "with another's session",
            format!("ory_kratos_session=bob; {alone}"),
        ),
        ("with a changed session", format!("{ADAS}x; {alone}")),
        (
            "with an empty session",
            format!("ory_kratos_session=; {alone}"),
        ),
        ("with another cookie", format!("session=ada; {alone}")),
    ] {
        assert_eq!(ask(&fresh(&site), &cookies).status(), 401, "{what}");
    }
    for own in [
        ("x-session-token", "ada"),
        ("authorization", "Bearer ory_st_ada"),
    ] {
        let request = get("https://app.test/", &[("cookie", &alone), own]);
        assert_eq!(fresh(&site).send(request).status(), 401, "{own:?}");
    }
}

#[test]
fn it_answers_no_other_question() {
    let site = site();
    let cookies = carried(&site);
    let value = sealed(&cookies).to_owned();
    let on = |url: &str, name: &str| {
        let other = fresh(&site);
        let cookies = format!("{ADAS}; {name}={value}");
        let sent = other.send(get(url, &[("cookie", &cookies)]));
        source(&other, sent)
    };
    assert_eq!(on("https://app.test/", SECURE), "cookie");
    assert_eq!(on("https://other.test/", SECURE), "miss", "on another host");
    assert_eq!(
        on("https://app.test:8443/", SECURE),
        "miss",
        "on another port, asked otherwise"
    );
    assert_eq!(
        on("http://app.test/", PLAIN),
        "cookie",
        "the same host, the same question"
    );
}

#[test]
fn only_the_name_for_the_scheme_is_read() {
    let site = site();
    let cookies = carried(&site);
    let value = sealed(&cookies).to_owned();
    for (url, name) in [("https://app.test/", PLAIN), ("http://app.test/", SECURE)] {
        let other = fresh(&site);
        let cookies = format!("{ADAS}; {name}={value}");
        let sent = other.send(get(url, &[("cookie", &cookies)]));
        assert_eq!(
            source(&other, sent),
            "miss",
            "any host next to this one could have set {name}"
        );
    }
}

#[test]
fn whatever_is_wrong_with_it_kratos_is_asked() {
    let site = site();
    let cookies = carried(&site);
    let value = sealed(&cookies).to_owned();
    let (until, rest) = value.split_once('.').unwrap();
    let later = format!("{}.{rest}", until.parse::<u64>().unwrap() + 1_000);
    let mut turned = value.clone().into_bytes();
    let last = turned.len() / 2;
    turned[last] = if turned[last] == b'A' { b'B' } else { b'A' };
    let turned = String::from_utf8(turned).unwrap();
    for (what, value) in [
        ("a later end", later.as_str()),
        ("a changed byte", &turned),
        ("a missing byte", &value[..value.len() - 1]),
        ("a byte more", &format!("{value}A")),
        ("quotes", &format!("\"{value}\"")),
        ("nothing", ""),
        ("a point", "."),
        ("an end alone", until),
        ("no end", rest),
        (
            "a session",
            r#"9999999999.{"active":true,"identity":{"id":"ada"}}"#,
        ),
        ("JSON", "{}"),
        ("too much", &"1".repeat(20_000)),
    ] {
        let other = fresh(&site);
        let sent = ask(&other, &format!("{ADAS}; {SECURE}={value}"));
        assert_eq!(sent.status(), 0, "{what}");
        assert_eq!(source(&other, sent), "miss", "{what}");
    }
}

#[test]
fn what_another_deployment_sealed_is_nothing() {
    let site = site();
    let cookies = carried(&site);
    for secret in [
        Some("another secret of 32 characters!!"),
        None,
        Some("short"),
    ] {
        site.memory.set_secret(secret);
        let other = fresh(&site);
        assert_eq!(source(&other, ask(&other, &cookies)), "miss", "{secret:?}");
    }
}

#[test]
fn of_two_of_one_name_neither_counts() {
    let site = site();
    let cookies = carried(&site);
    let value = sealed(&cookies).to_owned();
    for twice in [
        vec![format!("{cookies}; {SECURE}={value}")],
        vec![format!("{SECURE}=x; {cookies}")],
        vec![cookies.clone(), format!("{SECURE}=x")],
    ] {
        let other = fresh(&site);
        let headers: Vec<(&str, &str)> =
            twice.iter().map(|line| ("cookie", line.as_str())).collect();
        let sent = other.send(get("https://app.test/", &headers));
        assert_eq!(source(&other, sent), "miss", "{twice:?}");
    }
    let other = fresh(&site);
    let sent = ask(&other, &format!("{PLAIN}=x; {cookies}"));
    assert_eq!(
        source(&other, sent),
        "cookie",
        "the other name is another cookie"
    );
}

#[test]
fn it_reaches_neither_upstream_nor_kratos() {
    let site = site();
    let cookies = carried(&site);
    let sealed = cookies.split_once("; ").unwrap().1;
    for (sent, seen) in [
        (vec![sealed.to_owned()], vec![]),
        (vec![format!("a=1; {sealed}; b=2")], vec!["a=1; b=2"]),
        (vec!["a=1".to_owned(), sealed.to_owned()], vec!["a=1"]),
        (
            vec![format!("{sealed}; a=1"), "b=2".to_owned()],
            vec!["a=1; b=2"],
        ),
        (vec![format!("{PLAIN}=x; a=1")], vec!["a=1"]),
        (vec![format!("a=1, {sealed}")], vec!["a=1"]),
        (vec!["a=1".to_owned(), "b=2".to_owned()], vec!["a=1", "b=2"]),
    ] {
        let headers: Vec<(&str, &str)> =
            sent.iter().map(|line| ("cookie", line.as_str())).collect();
        let forwarded = site.send(get("https://open.test/", &headers)).forwarded();
        assert_eq!(forwarded.values("cookie"), seen, "{sent:?}");
    }
    let forwarded = ask(&fresh(&site), &cookies).forwarded();
    assert_eq!(forwarded.values("cookie"), [ADAS]);
    let bob = format!("ory_kratos_session=bob; {sealed}");
    ask(&site, &bob);
    for asked in site.memory.asked() {
        let sent = format!("{:?}", asked.headers);
        assert!(!sent.contains(PLAIN), "{sent}");
    }
}

#[test]
fn no_handler_sees_it() {
    let whole = json!([header(&[("x-cookie", "{{ .MatchContext.Header.Cookie }}")])]);
    let page = set(rule("page", "https://app.test/<.*>"), "mutators", whole);
    let site = Site::new(policy([page]).with("session", json!({ "sealed_cookie": true })));
    let cookies = format!("a=1; {SECURE}=x; {PLAIN}=y");
    let forwarded = ask(&site, &cookies).forwarded();
    assert!(!forwarded.values("x-cookie").concat().contains(PLAIN));
    let log = site.memory.take_log().join("\n");
    assert!(!log.contains(PLAIN), "{log}");
}

#[test]
fn a_logout_takes_it_away() {
    let site = site();
    for (url, clear) in [
        (
            "https://app.test/",
            format!("{SECURE}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ),
        (
            "http://app.test/",
            format!("{PLAIN}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"),
        ),
        (
            "https://open.test/",
            format!("{SECURE}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ),
    ] {
        let ended = [("set-cookie", "ory_kratos_session=; Max-Age=0")];
        let headers = fresh(&site).answer_from(get(url, &[ADA]), 204, &ended);
        assert_eq!(
            set_cookies(&headers),
            [clear],
            "and nothing is given out beside"
        );
    }
}

#[test]
fn after_a_logout_it_is_worth_nothing_where_that_passed() {
    let site = site();
    let cookies = carried(&site);
    let logout = ask(&site, &cookies).forwarded();
    let ended = header_map(&[("set-cookie", "ory_kratos_session=; Max-Age=0")]);
    site.finish(&logout.forward, 204, &ended);
    site.memory.script("", "", Reply::new(401, "{}"));
    let sent = ask(&site, &cookies);
    assert_eq!(sent.status(), 401);
    assert_eq!(source(&site, sent), "revoked");
}

#[test]
fn instances_that_share_a_store_know_of_each_others_logouts() {
    let deployment = Deployment::new(|| {
        policy([session_rule("web", "https://app.test/<.*>")])
            .with("session", json!({ "sealed_cookie": true }))
    });
    let world = deployment.world();
    world.script("kratos", "=ada", session("ada").reply());
    let first = deployment.instance();
    let sent = deployment.send_to(&first, get("https://app.test/", &[ADA]));
    let forwarded = sent.forwarded();
    let answer = world.run(first.finish(
        &deployment.runtime,
        &forwarded.forward,
        200,
        &HeaderMap::new(),
    ));
    let mut headers = HeaderMap::new();
    edgekeeper_gateway::decision::apply(&mut headers, &answer);
    let given = set_cookies(&headers)[0]
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let cookies = format!("{ADAS}; {given}");
    let lose_records = || {
        let mut store = world.store();
        store.retain(|name, _| !name.starts_with("sessions/") || name.contains("changed-"));
    };
    let ask = || {
        let request = get("https://app.test/", &[("cookie", &cookies)]);
        deployment.send_to(&deployment.instance(), request).status()
    };
    lose_records();
    assert_eq!(ask(), 0);
    assert_eq!(world.questions(), 1, "the cookie served");

    deployment.log_out(&first);
    lose_records();
    assert_eq!(ask(), 401, "the mark counts for cookies, too");

    world.set_store_fails(true);
    assert_eq!(ask(), 401, "nobody can tell, so Kratos is asked");
}

#[test]
fn a_refusal_behind_the_response_ends_it_in_this_instance() {
    let site = site();
    let cookies = carried(&site);
    site.memory.pass_seconds(61);
    site.memory.script("", "", Reply::new(401, "{}"));
    assert_eq!(ask(&site, &cookies).status(), 0, "stale");
    site.memory.run_later();
    assert_eq!(ask(&site, &cookies).status(), 401);
    site.memory.pass_seconds(4);
    assert_eq!(
        ask(&site, &cookies).status(),
        401,
        "not again by what the browser carries"
    );
}

#[test]
fn a_revocation_makes_it_void() {
    for subject in [Subject::session("session-of-ada"), Subject::identity("ada")] {
        let revocable = || with_session(json!({ "revocation_secret": "REVOCATION_SECRET" }));
        let site = Site::with_ada(revocable());
        let cookies = carried(&site);
        site.memory.pass_seconds(31);
        let other = instance(&site.memory, revocable());
        assert_eq!(
            source(&other, ask(&other, &cookies)),
            "cookie",
            "no mark is there"
        );

        let at = site.memory.milliseconds();
        let mark = Mark {
            subject,
            at,
            until: NOW + 3_600,
            message: 1,
        };
        site.memory.store().insert(mark.name(), String::new());
        site.memory.script("", "", Reply::new(401, "{}"));
        let other = instance(&site.memory, revocable());
        let sent = ask(&other, &cookies);
        assert_eq!(sent.status(), 401);
        assert_eq!(source(&other, sent), "revoked");
    }
}

#[test]
fn where_marks_cannot_be_read_kratos_is_asked() {
    let revocable = || with_session(json!({ "revocation_secret": "REVOCATION_SECRET" }));
    let site = Site::with_ada(revocable());
    let cookies = carried(&site);
    site.memory.pass_seconds(31);
    site.memory.set_store_fails(true);
    let other = instance(&site.memory, revocable());
    assert_eq!(source(&other, ask(&other, &cookies)), "miss");
    site.memory.script("", "", Reply::fails(unreachable()));
    site.memory.pass_seconds(31);
    assert_eq!(
        ask(&instance(&site.memory, revocable()), &cookies).status(),
        503
    );
}

#[test]
fn rules_are_judged_anew_whatever_is_carried() {
    let site = site();
    let cookies = carried(&site);
    let denied = set(
        rules().remove(0),
        "authorizers",
        json!([{ "handler": "deny" }]),
    );
    let strict_rule = policy([denied]).with("session", json!({ "sealed_cookie": true }));
    assert_eq!(
        ask(&instance(&site.memory, strict_rule), &cookies).status(),
        403
    );
}

#[test]
fn it_is_given_to_cookies_only() {
    let site = Site::new(document());
    site.memory.script("", "", session("ada").reply());
    for own in [
        ("x-session-token", "ory_st_ada"),
        ("authorization", "Bearer ory_st_ada"),
    ] {
        assert!(
            handed_out(&site, get("https://app.test/", &[own])).is_empty(),
            "{own:?}"
        );
    }
    assert!(handed_out(&site, get("https://open.test/", &[ADA])).is_empty());
}

#[test]
fn who_is_not_let_in_gets_none() {
    let site = Site::new(document());
    let answer = site.send(get("https://app.test/", &[ADA])).answered();
    assert_eq!(answer.status, 401);
    assert!(answer.headers.iter().all(|(name, _)| name != "set-cookie"));
}

#[test]
fn a_switch_of_protocols_carries_none() {
    let site = site();
    let forward = site.send(get("https://app.test/", &[ADA])).forwarded();
    assert_eq!(site.finish(&forward.forward, 101, &HeaderMap::new()), []);
}

#[test]
fn a_session_that_no_browser_would_keep_is_not_carried() {
    let site = Site::new(document());
    let long = session("ada").trait_("name", "x".repeat(4_000));
    site.memory.script("", "=ada", long.reply());
    assert!(handed_out(&site, get("https://app.test/", &[ADA])).is_empty());
}

#[test]
fn without_a_secret_or_randomness_everything_else_works() {
    for broken in ["secret", "random"] {
        let site = site();
        match broken {
            "secret" => site.memory.set_secret(None),
            _ => site.memory.set_random_fails(true),
        }
        assert!(handed_out(&site, get("https://app.test/", &[ADA])).is_empty());
        let log = site.memory.take_log().join("\n");
        assert!(log.contains("\"msg\":\"sessions\""), "{broken}: {log}");
    }
}

#[test]
fn unless_it_is_switched_on_and_in_strict_mode_nothing_is_set_or_taken_off() {
    let documents: [fn() -> Document; 2] = [|| policy(rules()), || document().strict()];
    for document in documents {
        let site = Site::with_ada(document());
        assert!(handed_out(&site, get("https://app.test/", &[ADA])).is_empty());
        let cookies = format!("{ADAS}; {SECURE}=x");
        let forwarded = ask(&site, &cookies).forwarded();
        assert_eq!(forwarded.values("cookie"), [cookies]);
        let ended = [("set-cookie", "ory_kratos_session=; Max-Age=0")];
        let headers = site.answer_from(get("https://app.test/", &[ADA]), 204, &ended);
        assert!(set_cookies(&headers).is_empty());
    }
}

#[test]
fn a_decision_for_another_proxy_reads_it() {
    let site = site();
    let cookies = carried(&site);
    let other = fresh(&site);
    let mut request = get("https://app.test/decisions/", &[("cookie", &cookies)]);
    request.listener = edgekeeper_gateway::request::Listener::Api;
    let answer = other.send(request).answered();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.headers.iter().all(|(name, _)| name != "set-cookie"));
    assert_eq!(site.memory.questions(), 1);
}
