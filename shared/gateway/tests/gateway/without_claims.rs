//! Where instances share what Kratos said and cannot claim a question, as on Workers: a session is asked for once by all
//! who come later, a logout holds for all of them, and nobody waits for another.

use edgekeeper_gateway::runtime::{FetchError, Runtime, SHARED_PREFIX};
use serde_json::json;

use crate::component::Deployment;
use crate::memory::{Reply, Task, step};
use crate::policy::{policy, session_rule};
use crate::site::{ADA, Sent, get, header_map, session};

/// 60 s fresh, 30 s more while it is asked anew, 300 s while Kratos fails.
fn deployment() -> Deployment<false> {
    let deployment = Deployment::without_claims(|| {
        let session = json!({ "ttl": 60, "stale_while_revalidate": 30, "stale_if_error": 300, "negative_ttl": 3 });
        policy([session_rule("web", "https://app.test/<.*>")]).with("session", session)
    });
    deployment
        .world()
        .script("kratos", "ory_kratos_session=ada", session("ada").reply());
    deployment
}

/// Behind a response there can be a question, and behind that what is shared of it.
fn run_later(deployment: &Deployment<false>) {
    while deployment.world().waiting() > 0 {
        deployment.world().run_later();
    }
}

#[test]
fn fifty_instances_ask_once() {
    let deployment = deployment();
    for _ in 0..50 {
        assert_eq!(deployment.ada_fresh(), 0);
        run_later(&deployment);
    }
    assert_eq!(deployment.world().questions(), 1);
    let log = deployment.world().take_log().join("\n");
    assert!(!log.contains("not shared"), "{log}");
}

#[test]
fn no_response_waits_until_others_are_told() {
    let deployment = deployment();
    assert_eq!(deployment.ada_fresh(), 0);
    assert_eq!(deployment.world().writes(), 0);
    run_later(&deployment);
    assert_eq!(deployment.world().writes(), 1);
    assert_eq!(deployment.shared().len(), 1);
}

#[test]
fn a_request_costs_the_store_one_look_per_session_and_second() {
    let deployment = deployment();
    let world = deployment.world();
    let instance = deployment.instance();
    assert_eq!(deployment.ada(&instance), 0);
    run_later(&deployment);
    assert_eq!(world.reads(), 1, "a session that nobody knows");
    for _ in 0..10 {
        assert_eq!(deployment.ada(&instance), 0);
    }
    assert_eq!(world.reads(), 1, "memory is believed for a second");
    world.pass_seconds(1);
    for _ in 0..10 {
        assert_eq!(deployment.ada(&instance), 0);
    }
    assert_eq!(world.reads(), 2);
    assert_eq!(deployment.ada_fresh(), 0);
    assert_eq!(
        world.reads(),
        4,
        "another's session, and whether it changed"
    );
    assert_eq!(world.questions(), 1);
}

#[test]
fn instances_at_the_same_moment_ask_each_for_itself_and_wait_for_nobody() {
    let deployment = deployment();
    let world = deployment.world();
    world.script("", "ada", session("ada").reply().takes(200));
    let instances: Vec<_> = (0..5).map(|_| deployment.instance()).collect();
    let began = world.milliseconds();
    let tasks = instances
        .iter()
        .map(|instance| {
            let request = get("https://app.test/", &[ADA]);
            let headers = request.headers.clone();
            let runtime = &deployment.runtime;
            Box::pin(
                async move { Sent::new(instance.decide(runtime, request).await, headers).status() },
            ) as Task<'_, u16>
        })
        .collect();
    assert_eq!(world.run_all(tasks), [0; 5]);
    assert_eq!(world.questions(), 5);
    let took = world.milliseconds() - began;
    assert!(took < 250, "{took} ms");
    run_later(&deployment);
    let [record] = deployment.shared().try_into().unwrap();
    assert!(!record.contains("asking"), "{record}");
}

#[test]
fn a_logout_seen_by_one_instance_counts_for_all() {
    let deployment = deployment();
    let (warm, other) = (deployment.instance(), deployment.instance());
    assert_eq!(deployment.ada(&warm), 0);
    run_later(&deployment);
    assert_eq!(deployment.ada(&other), 0);
    deployment.log_out(&other);
    assert_eq!(deployment.ada(&other), 401, "the one that saw it");
    assert_eq!(deployment.ada_fresh(), 401, "a new one");
    deployment.world().pass_seconds(1);
    assert_eq!(deployment.ada(&warm), 401, "one that remembers her");
}

#[test]
fn an_answer_that_is_shared_after_a_logout_counts_nowhere() {
    let deployment = deployment();
    let (slow, other) = (deployment.instance(), deployment.instance());
    assert_eq!(deployment.ada(&slow), 0);
    assert_eq!(deployment.shared().len(), 0, "not yet shared");
    deployment.log_out(&other);
    run_later(&deployment);
    assert_eq!(deployment.shared().len(), 2, "the mark and the session");
    assert_eq!(deployment.ada_fresh(), 401);
    deployment.world().pass_seconds(1);
    assert_eq!(deployment.ada(&slow), 401);
}

#[test]
fn a_stale_answer_is_not_asked_anew_by_an_instance_that_comes_after_another_did() {
    let deployment = deployment();
    let world = deployment.world();
    let warm: Vec<_> = (0..5).map(|_| deployment.instance()).collect();
    for instance in &warm {
        assert_eq!(deployment.ada(instance), 0);
        run_later(&deployment);
    }
    world.pass_seconds(70);
    for instance in &warm {
        assert_eq!(deployment.ada(instance), 0);
        run_later(&deployment);
    }
    assert_eq!(world.questions(), 2);
}

#[test]
fn while_kratos_fails_a_new_instance_serves_what_another_knew_up_to_the_ceiling() {
    for reply in [
        Reply::new(500, "{}"),
        Reply::new(429, "{}"),
        Reply::fails(FetchError::Unreachable),
        Reply::fails(FetchError::Timeout),
    ] {
        let deployment = deployment();
        let world = deployment.world();
        assert_eq!(deployment.ada_fresh(), 0);
        run_later(&deployment);
        world.script("", "", reply);
        world.pass_seconds(100);
        assert_eq!(deployment.ada_fresh(), 0, "stale while it fails");
        assert_eq!(world.questions(), 2, "but asked first");
        world.pass_seconds(259);
        assert_eq!(deployment.ada_fresh(), 0);
        world.pass_seconds(1);
        assert_eq!(deployment.ada_fresh(), 503, "above the ceiling");
    }
}

#[test]
fn an_older_answer_of_anothers_does_not_replace_a_later_one() {
    let deployment = deployment();
    let world = deployment.world();
    let instance = deployment.instance();
    assert_eq!(deployment.ada(&instance), 0);
    run_later(&deployment);
    world.set_store_is_full(true);
    world.pass_seconds(70);
    assert_eq!(deployment.ada(&instance), 0);
    run_later(&deployment);
    assert_eq!(world.questions(), 2, "asked anew, and not shared");
    world.script("", "", Reply::new(500, "{}"));
    world.pass_seconds(65);
    assert_eq!(deployment.ada(&instance), 0);
    run_later(&deployment);
    assert_eq!(world.questions(), 3, "and anew, after a look at the store");
    world.pass_seconds(285);
    assert_eq!(
        deployment.ada(&instance),
        0,
        "the ceiling is that of the later answer"
    );
    world.pass_seconds(10);
    assert_eq!(deployment.ada(&instance), 503);
}

#[test]
fn a_cache_that_lost_everything_is_filled_again() {
    let deployment = deployment();
    let world = deployment.world();
    for questions in 1..4 {
        assert_eq!(deployment.ada_fresh(), 0);
        run_later(&deployment);
        assert_eq!(world.questions(), questions);
        assert_eq!(deployment.ada_fresh(), 0);
        assert_eq!(world.questions(), questions);
        world.store().clear();
    }
}

#[test]
fn damaged_entries_refuse_nobody_and_let_nobody_in() {
    let deployment = deployment();
    let world = deployment.world();
    assert_eq!(deployment.ada_fresh(), 0);
    run_later(&deployment);
    let [name] = deployment.shared().try_into().unwrap();
    let good = world.store()[&name].clone();
    for (n, damaged) in [
        String::new(),
        "x".repeat(100_000),
        format!("{good}A"),
        good.replacen('1', "2", 1),
        good[..good.len() / 2].to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        world.store().insert(name.clone(), damaged);
        assert_eq!(deployment.ada_fresh(), 0);
        assert_eq!(world.questions(), n + 2, "Kratos is asked");
        run_later(&deployment);
        assert_eq!(deployment.ada_fresh(), 0);
        assert_eq!(world.questions(), n + 2, "and the entry is good again");
    }
    let mark = name.replacen(SHARED_PREFIX, &format!("{SHARED_PREFIX}changed-"), 1);
    assert!(!world.store().contains_key(&mark));
    world.store().clear();
    let others = get("https://app.test/", &[("cookie", "ory_kratos_session=eve")]);
    let status = deployment.send_to(&deployment.instance(), others).status();
    assert_eq!(status, 401);
}

#[test]
fn a_store_that_fails_costs_a_logout_no_answer() {
    let deployment = deployment();
    let world = deployment.world();
    let instance = deployment.instance();
    assert_eq!(deployment.ada(&instance), 0);
    run_later(&deployment);
    world.set_store_fails(true);
    let request = get("https://app.test/logout", &[ADA]);
    let logout = deployment.send_to(&instance, request).forwarded();
    let ended = header_map(&[("set-cookie", "ory_kratos_session=; Max-Age=0")]);
    let began = deployment.runtime.now();
    world.run(instance.finish(&deployment.runtime, &logout.forward, 204, &ended));
    assert!(deployment.runtime.now() - began < 10);
    world.script("", "", Reply::new(401, "{}"));
    assert_eq!(deployment.ada(&instance), 401, "its own logout counts");
}

#[test]
fn a_request_that_was_slow_to_look_does_not_ask_what_has_been_answered_meanwhile() {
    let deployment = deployment();
    let world = deployment.world();
    let instance = deployment.instance();
    assert_eq!(deployment.ada(&instance), 0);
    run_later(&deployment);
    world.pass_seconds(61);
    // It sees that the answer is stale, and looks into the store whether the session has changed.
    let slow = get("https://app.test/", &[ADA]);
    let mut slow: Task<'_, _> = Box::pin(instance.decide(&deployment.runtime, slow));
    assert!(step(&mut slow).is_pending());
    assert_eq!(deployment.ada(&instance), 0);
    // Kratos has answered, and the store is not told yet.
    world.run_later();
    assert_eq!((world.questions(), world.waiting()), (2, 1));
    drop(world.run(slow));
    assert_eq!(world.waiting(), 1, "what the other one asked is fresh");
    run_later(&deployment);
    assert_eq!(world.questions(), 2);
}

#[test]
fn a_request_that_was_slow_to_look_waits_for_one_that_came_later_and_asks_already() {
    let deployment = deployment();
    let world = deployment.world();
    let instance = deployment.instance();
    assert_eq!(deployment.ada(&instance), 0);
    run_later(&deployment);
    world.pass_seconds(91);
    world.script("kratos", "ada", session("ada").reply().takes(200));
    let request = || get("https://app.test/", &[ADA]);
    let mut slow: Task<'_, _> = Box::pin(instance.decide(&deployment.runtime, request()));
    assert!(step(&mut slow).is_pending());
    world.pass_milliseconds(1);
    let mut quick: Task<'_, _> = Box::pin(instance.decide(&deployment.runtime, request()));
    while world.questions() == 1 {
        assert!(step(&mut quick).is_pending());
        world.pass_milliseconds(1);
    }
    world.run_all(vec![slow, quick]);
    assert_eq!(world.questions(), 2);
}
