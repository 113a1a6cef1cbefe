//! A burst with one credential asks Kratos once.

use edgekeeper_gateway::runtime::Outbound;
use serde_json::json;

use crate::memory::{Reply, Task, step};
use crate::policy::{header, policy, session_rule, set};
use crate::site::{ADA, Site, get, session};

fn site() -> Site {
    let told = json!([header(&[("x-subject", "{{ .Subject }}")])]);
    Site::new(policy([set(
        session_rule("web", "https://app.test/<.*>"),
        "mutators",
        told,
    )]))
}

#[test]
fn i11_a_hundred_requests_one_question() {
    let site = site();
    site.memory
        .script("", "", session("ada").reply().takes(200));
    let sent = site.send_all((0..100).map(|n| get(&format!("https://app.test/{n}"), &[ADA])));
    assert_eq!(site.memory.questions(), 1);
    for one in sent {
        assert_eq!(one.forwarded().values("x-subject"), ["ada"]);
    }
}

#[test]
fn i13_each_waits_for_its_own_answer() {
    let site = site();
    for n in 0..10 {
        site.memory.script(
            "",
            &format!("=u{n}."),
            session(&format!("u{n}")).reply().takes(50 + 37 * n),
        );
    }
    let sent = site.send_all((0..100).map(|n| {
        let cookie = format!("ory_kratos_session=u{}.", n % 10);
        get("https://app.test/", &[("cookie", cookie.as_str())])
    }));
    assert_eq!(site.memory.questions(), 10);
    for (n, one) in sent.into_iter().enumerate() {
        assert_eq!(
            one.forwarded().values("x-subject"),
            [format!("u{}", n % 10)]
        );
    }
}

#[test]
fn i14_a_refusal_is_shared_as_well() {
    let site = site();
    site.memory.script("", "", Reply::new(401, "{}").takes(100));
    let sent = site.send_all((0..50).map(|_| get("https://app.test/", &[ADA])));
    assert_eq!(site.memory.questions(), 1);
    assert!(sent.iter().all(|one| one.status() == 401));
}

#[test]
fn a_failing_kratos_is_asked_once_too() {
    for reply in [
        Reply::new(500, "").takes(100),
        Reply::fails(crate::memory::unreachable()),
        Reply::new(200, "").takes(60_000),
    ] {
        let site = site();
        site.memory.script("", "", reply);
        let sent = site.send_all((0..50).map(|_| get("https://app.test/", &[ADA])));
        assert_eq!(site.memory.questions(), 1);
        assert!(sent.iter().all(|one| one.status() == 503));
    }
}

#[test]
fn a_leader_that_is_cut_off_leaves_the_question_to_the_next() {
    let site = site();
    site.memory
        .script("", "", session("ada").reply().takes(100));
    let mut leader: Task<'_, _> = Box::pin(
        site.gateway
            .decide(&site.memory, get("https://app.test/", &[ADA])),
    );
    assert!(step(&mut leader).is_pending());
    assert_eq!(site.memory.questions(), 1);
    drop(leader);
    let started = site.memory.milliseconds();
    let sent = site.send_all((0..10).map(|_| get("https://app.test/", &[ADA])));
    assert!(sent.iter().all(|one| one.status() == 0));
    assert_eq!(site.memory.questions(), 2, "one of them asked again");
    assert!(
        site.memory.milliseconds() - started < 1_000,
        "without waiting for the leader's time to run out"
    );
}

/// A runtime may stop a request without dropping it. Its time runs out, and somebody else asks.
#[test]
fn a_leader_that_is_frozen_holds_nobody_up_for_good() {
    let site = site();
    site.memory
        .script("", "", session("ada").reply().takes(100));
    let mut frozen: Task<'_, _> = Box::pin(
        site.gateway
            .decide(&site.memory, get("https://app.test/", &[ADA])),
    );
    assert!(step(&mut frozen).is_pending());
    let sent = site.send_all((0..10).map(|_| get("https://app.test/", &[ADA])));
    assert!(
        sent.iter()
            .all(|one| one.status() == 0 || one.status() == 503)
    );
    assert_eq!(site.send(get("https://app.test/", &[ADA])).status(), 0);
    assert!(site.memory.questions() <= 3);
    drop(frozen);
}

/// Nothing is kept, so nothing can be shared; but nobody may wait in line for Kratos either.
#[test]
fn without_a_cache_nobody_waits_for_anybody() {
    let site = Site::new(
        policy([session_rule("web", "https://app.test/<.*>")]).with("session", json!({ "ttl": 0 })),
    );
    site.memory
        .script("", "", session("ada").reply().takes(200));
    let started = site.memory.milliseconds();
    let sent = site.send_all((0..50).map(|_| get("https://app.test/", &[ADA])));
    assert!(
        sent.iter().all(|one| one.status() == 0),
        "each gets an answer"
    );
    assert!(
        site.memory.milliseconds() - started < 1_000,
        "{} ms",
        site.memory.milliseconds() - started
    );
}

#[test]
fn a_revalidation_is_asked_once_by_a_burst() {
    let site = site();
    site.memory.script("", "", session("ada").reply().takes(50));
    site.send(get("https://app.test/", &[ADA]));
    site.memory.pass_seconds(65);
    let sent = site.send_all((0..100).map(|_| get("https://app.test/", &[ADA])));
    assert!(sent.iter().all(|one| one.status() == 0));
    assert_eq!(site.memory.waiting(), 1);
    site.memory.run_later();
    assert_eq!(site.memory.questions(), 2);
}

/// Ten minutes of requests of several sessions, more than one a second, with the times that `session` has by default.
#[test]
fn ten_minutes_of_traffic_are_at_most_one_question_per_session_and_minute() {
    let site = site();
    let people = ["ada", "bob", "eve"];
    for id in people {
        let cookie = format!("ory_kratos_session={id}.");
        site.memory
            .script("", &cookie, session(id).reply().takes(40));
    }
    let asked = |id: &str| {
        let cookie = format!("ory_kratos_session={id}.");
        let is_theirs = |question: &&Outbound| question.headers["cookie"] == cookie.as_str();
        site.memory.asked().iter().filter(is_theirs).count()
    };
    let started = site.memory.milliseconds();
    let mut questions = people.map(|_| Vec::new());
    let mut requests = 0;
    while site.memory.milliseconds() < started + 600_000 {
        let at = (site.memory.milliseconds() - started) / 1_000;
        // Eve is away for a while now and then.
        let present = people
            .into_iter()
            .filter(|id| *id != "eve" || (at / 100).is_multiple_of(2));
        let cookies: Vec<_> = present
            .flat_map(|id| [id, id])
            .map(|id| format!("ory_kratos_session={id}."))
            .collect();
        requests += cookies.len();
        let sent = site.send_all(
            cookies
                .iter()
                .map(|cookie| get("https://app.test/", &[("cookie", cookie.as_str())])),
        );
        assert!(sent.iter().all(|one| one.status() == 0));
        site.memory.run_later();
        for (id, known) in people.into_iter().zip(&mut questions) {
            while known.len() < asked(id) {
                known.push(at);
            }
        }
        site.memory.pass_milliseconds(730);
    }
    assert!(requests > 3_000, "{requests} requests");
    for (id, times) in people.into_iter().zip(&questions) {
        assert!(times.len() >= 5, "{id}: {times:?}");
        assert!(times.len() <= 10, "{id}: {times:?}");
        for pair in times.windows(2) {
            assert!(pair[1] - pair[0] >= 60, "{id}: {times:?}");
        }
    }
}
