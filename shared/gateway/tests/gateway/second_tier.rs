//! What one instance was told of a session, the next one need not ask for; and a logout holds for all of them.

use std::collections::BTreeSet;
use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::request::RawRequest;
use edgekeeper_gateway::runtime::{FetchError, SHARED_PREFIX, SharedCache};
use serde_json::{Value, json};

use crate::component::Deployment;
use crate::memory::{NOW, Reply, SECRET, Task, step};
use crate::policy::{policy, rule, session_rule, set};
use crate::site::{ADA, Sent, get, header, header_map, session};

const OTHER_SECRET: &str = "another secret of 32 characters!!";

impl<const CLAIMS: bool> Deployment<CLAIMS> {
    pub(crate) fn send_to(&self, instance: &Rc<Gateway>, request: RawRequest) -> Sent {
        let headers = request.headers.clone();
        let decision = self.world().run(instance.decide(&self.runtime, request));
        Sent::new(decision, headers)
    }

    /// The status that Ada gets from an instance; 0 when she is let through.
    pub(crate) fn ada(&self, instance: &Rc<Gateway>) -> u16 {
        self.send_to(instance, get("https://app.test/", &[ADA]))
            .status()
    }

    pub(crate) fn ada_fresh(&self) -> u16 {
        self.ada(&self.instance())
    }

    pub(crate) fn log_out(&self, instance: &Rc<Gateway>) {
        let logout = self
            .send_to(instance, get("https://app.test/logout", &[ADA]))
            .forwarded();
        let ended = header_map(&[("set-cookie", "ory_kratos_session=; Max-Age=0")]);
        self.world()
            .run(instance.finish(&self.runtime, &logout.forward, 204, &ended));
        self.world().script("", "", Reply::new(401, "{}"));
    }

    /// A logout of somebody who is then let in again by the same cookie.
    fn log_out_again(&self, instance: &Rc<Gateway>) {
        self.world().script("", "ada", session("ada").reply());
        self.world().pass_seconds(10);
        self.log_out(instance);
        self.world().script("", "ada", session("ada").reply());
    }

    pub(crate) fn shared(&self) -> Vec<String> {
        let store = self.world().store();
        store
            .keys()
            .filter(|name| name.starts_with(SHARED_PREFIX))
            .cloned()
            .collect()
    }
}

fn deployment_with(settings: Value) -> Deployment {
    let deployment = Deployment::new(move || {
        policy([session_rule("web", "https://app.test/<.*>")]).with("session", settings.clone())
    });
    deployment
        .world()
        .script("kratos", "ory_kratos_session=ada", session("ada").reply());
    deployment
}

/// 60 s fresh, 30 s more while it is asked anew, 300 s while Kratos fails.
fn deployment() -> Deployment {
    deployment_with(
        json!({ "ttl": 60, "stale_while_revalidate": 30, "stale_if_error": 300, "negative_ttl": 3 }),
    )
}

#[test]
fn fifty_instances_ask_once() {
    let deployment = deployment();
    for _ in 0..50 {
        assert_eq!(deployment.ada_fresh(), 0);
    }
    assert_eq!(deployment.world().questions(), 1);
    let log = deployment.world().take_log().join("\n");
    assert!(!log.contains("not shared"), "{log}");
}

#[test]
fn fifty_instances_at_once_ask_once() {
    let deployment = deployment();
    deployment
        .world()
        .script("", "ada", session("ada").reply().takes(200));
    let instances: Vec<_> = (0..50).map(|_| deployment.instance()).collect();
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
    assert!(
        deployment
            .world()
            .run_all(tasks)
            .iter()
            .all(|one| *one == 0)
    );
    assert_eq!(deployment.world().questions(), 1);
}

#[test]
fn an_instance_that_comes_while_another_asks_waits_for_its_answer() {
    let deployment = deployment();
    deployment
        .world()
        .script("", "ada", session("ada").reply().takes(500));
    let (first, second) = (deployment.instance(), deployment.instance());
    let runtime = &deployment.runtime;
    let ask = |instance: Rc<Gateway>, after: u64| {
        Box::pin(async move {
            edgekeeper_gateway::runtime::Runtime::sleep(runtime, after).await;
            let request = get("https://app.test/", &[ADA]);
            let headers = request.headers.clone();
            Sent::new(instance.decide(runtime, request).await, headers).status()
        }) as Task<'_, u16>
    };
    let statuses = deployment
        .world()
        .run_all(vec![ask(first, 0), ask(second, 100)]);
    assert_eq!(statuses, [0, 0]);
    assert_eq!(deployment.world().questions(), 1);
}

/// Whoever looks just before the answer is there, and for who asks just after, has to look again.
#[test]
fn an_instance_that_looks_while_another_answers_does_not_ask_again() {
    // After its first look, before it claims; and after a later one, before it sees that nobody asks any more.
    for (when, looks) in [("comes", 1), ("waits", 4)] {
        let deployment = deployment();
        let world = deployment.world();
        world.script("", "ada", session("ada").reply().takes(500));
        let (first, second) = (deployment.instance(), deployment.instance());
        let ask = |instance: Rc<Gateway>| {
            let runtime = &deployment.runtime;
            Box::pin(async move {
                let request = get("https://app.test/", &[ADA]);
                let headers = request.headers.clone();
                Sent::new(instance.decide(runtime, request).await, headers).status()
            }) as Task<'_, u16>
        };
        let mut early = ask(first);
        if when == "waits" {
            while world.questions() == 0 {
                assert!(step(&mut early).is_pending());
                world.pass_milliseconds(1);
            }
        }
        let mut late = ask(second);
        let before = world.reads();
        while world.reads() < before + looks {
            assert!(step(&mut late).is_pending());
            world.pass_milliseconds(1);
        }
        assert_eq!(world.run(early), 0);
        assert_eq!(world.run(late), 0);
        assert_eq!(world.questions(), 1, "who {when}");
    }
}

#[test]
fn refusals_are_not_shared_and_nobody_waits_in_line_for_them() {
    let deployment = deployment();
    deployment
        .world()
        .script("", "", Reply::new(401, "{}").takes(100));
    let instances: Vec<_> = (0..20).map(|_| deployment.instance()).collect();
    let runtime = &deployment.runtime;
    let tasks = instances
        .iter()
        .enumerate()
        .map(|(n, instance)| {
            Box::pin(async move {
                edgekeeper_gateway::runtime::Runtime::sleep(runtime, n as u64 * 4).await;
                let request = get("https://app.test/", &[("cookie", "ory_kratos_session=no")]);
                let headers = request.headers.clone();
                Sent::new(instance.decide(runtime, request).await, headers).status()
            }) as Task<'_, u16>
        })
        .collect();
    let statuses = deployment.world().run_all(tasks);
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    assert!(deployment.shared().is_empty(), "nothing stays behind");
    assert!(
        edgekeeper_gateway::runtime::Runtime::now(runtime) < NOW * 1_000 + 600,
        "one after the other would take two seconds"
    );
}

#[test]
fn a_logout_seen_by_one_instance_counts_for_all() {
    let deployment = deployment();
    let (warm, other) = (deployment.instance(), deployment.instance());
    assert_eq!(deployment.ada(&warm), 0);
    assert_eq!(deployment.ada(&other), 0);
    deployment.log_out(&other);
    assert_eq!(deployment.ada(&other), 401, "the one that saw it");
    assert_eq!(deployment.ada_fresh(), 401, "a new one");
    deployment.world().pass_seconds(1);
    assert_eq!(
        deployment.ada(&warm),
        401,
        "one that remembers her looks again after a second"
    );
}

#[test]
fn a_logout_that_cannot_be_written_counts_at_least_for_the_instance_that_saw_it() {
    let deployment = deployment();
    let instance = deployment.instance();
    for _ in 0..2 {
        assert_eq!(deployment.ada(&instance), 0);
        deployment.world().set_store_is_full(true);
        deployment.log_out(&instance);
        assert_eq!(deployment.ada(&instance), 401);
        // The next time there is a mark, of an earlier change.
        deployment.world().set_store_is_full(false);
        deployment.log_out_again(&instance);
        deployment.world().pass_seconds(10);
    }
}

#[test]
fn an_answer_on_its_way_during_a_logout_is_shared_with_nobody() {
    let deployment = deployment();
    let (slow, other) = (deployment.instance(), deployment.instance());
    assert_eq!(deployment.ada(&other), 0);
    deployment.world().pass_seconds(400);
    deployment
        .world()
        .script("", "", session("ada").reply().takes(500));
    let logout = deployment
        .send_to(&other, get("https://app.test/logout", &[ADA]))
        .forwarded();
    let ended = header_map(&[("set-cookie", "ory_kratos_session=; Max-Age=0")]);
    deployment.world().pass_seconds(400);
    let runtime = &deployment.runtime;
    let asks = async {
        slow.decide(runtime, get("https://app.test/", &[ADA])).await;
    };
    let logs_out = async {
        edgekeeper_gateway::runtime::Runtime::sleep(runtime, 100).await;
        other.finish(runtime, &logout.forward, 204, &ended).await;
    };
    deployment
        .world()
        .run_all(vec![Box::pin(asks) as Task<'_, ()>, Box::pin(logs_out)]);
    deployment.world().script("", "", Reply::new(401, "{}"));
    assert_eq!(deployment.ada_fresh(), 401);
    deployment.world().pass_seconds(1);
    assert_eq!(deployment.ada(&slow), 401);
}

/// The instance looked for a logout never since, however late the answer came.
#[test]
fn an_answer_that_took_longer_than_a_logout_takes_to_count_serves_its_own_request_alone() {
    let deployment = deployment();
    let (slow, other) = (deployment.instance(), deployment.instance());
    let logout = deployment
        .send_to(&other, get("https://app.test/logout", &[ADA]))
        .forwarded();
    let ended = header_map(&[("set-cookie", "ory_kratos_session=; Max-Age=0")]);
    deployment.world().pass_seconds(400);
    deployment
        .world()
        .script("", "", session("ada").reply().takes(3_000));
    let runtime = &deployment.runtime;
    let asks = async {
        slow.decide(runtime, get("https://app.test/", &[ADA])).await;
    };
    let logs_out = async {
        edgekeeper_gateway::runtime::Runtime::sleep(runtime, 100).await;
        other.finish(runtime, &logout.forward, 204, &ended).await;
    };
    deployment
        .world()
        .run_all(vec![Box::pin(asks) as Task<'_, ()>, Box::pin(logs_out)]);
    deployment.world().script("", "", Reply::new(401, "{}"));
    assert_eq!(deployment.ada(&slow), 401);
}

#[test]
fn a_clock_a_little_ahead_does_not_undo_a_logout() {
    let deployment = deployment();
    let ahead = deployment.instance();
    deployment.world().pass_seconds(4);
    assert_eq!(deployment.ada(&ahead), 0, "asked by a clock that is ahead");
    deployment.world().set_back_seconds(4);
    deployment.log_out(&deployment.instance());
    assert_eq!(deployment.ada_fresh(), 401);
}

#[test]
fn a_shared_answer_gets_old_as_a_remembered_one_does() {
    let deployment = deployment();
    let world = deployment.world();
    assert_eq!(deployment.ada_fresh(), 0);
    world.pass_seconds(59);
    assert_eq!(deployment.ada_fresh(), 0);
    assert_eq!(world.questions(), 1, "fresh for 60 s");
    world.pass_seconds(1);
    assert_eq!(deployment.ada_fresh(), 0);
    assert_eq!(world.questions(), 1, "stale is served at once");
    world.run_later();
    assert_eq!(world.questions(), 2, "and asked anew behind the response");
    assert_eq!(deployment.ada_fresh(), 0);
    world.run_later();
    assert_eq!(world.questions(), 2);
    world.pass_seconds(90);
    assert_eq!(deployment.ada_fresh(), 0);
    assert_eq!(world.questions(), 3, "after that it is asked first");
}

#[test]
fn a_stale_answer_is_asked_anew_by_one_instance_of_many() {
    let deployment = deployment();
    let world = deployment.world();
    let warm: Vec<_> = (0..5).map(|_| deployment.instance()).collect();
    for instance in &warm {
        assert_eq!(deployment.ada(instance), 0);
    }
    world.pass_seconds(70);
    for instance in &warm {
        assert_eq!(deployment.ada(instance), 0);
        world.run_later();
    }
    assert_eq!(world.questions(), 2);
}

#[test]
fn while_kratos_fails_a_new_instance_serves_what_another_knew_up_to_the_ceiling() {
    let deployment = deployment();
    let world = deployment.world();
    assert_eq!(deployment.ada_fresh(), 0);
    world.script("", "", Reply::new(500, "{}"));
    world.pass_seconds(100);
    assert_eq!(deployment.ada_fresh(), 0, "stale while it fails");
    assert_eq!(world.questions(), 2);
    assert_eq!(deployment.ada_fresh(), 0);
    assert_eq!(
        world.questions(),
        2,
        "a failure is not found out by each instance"
    );
    world.pass_seconds(2);
    assert_eq!(deployment.ada_fresh(), 0);
    assert_eq!(world.questions(), 3, "it is tried again");
    world.pass_seconds(260);
    assert_eq!(deployment.ada_fresh(), 503, "above the ceiling");
}

#[test]
fn a_failure_is_told_with_its_kind_and_when_to_try_again() {
    for (reply, retry_after) in [
        (Reply::new(429, "{}").header("retry-after", "17"), "17"),
        (Reply::new(502, "{}"), "5"),
        (Reply::fails(FetchError::Timeout), "5"),
        (Reply::fails(FetchError::Unreachable), "5"),
        (Reply::new(200, "<html>"), "5"),
    ] {
        let deployment = deployment();
        deployment.world().script("", "", reply);
        for _ in 0..3 {
            let answer = deployment
                .send_to(&deployment.instance(), get("https://app.test/", &[ADA]))
                .answered();
            assert_eq!(answer.status, 503);
            assert_eq!(header(&answer, "retry-after"), Some(retry_after));
        }
        assert_eq!(deployment.world().questions(), 1);
    }
}

#[test]
fn a_request_that_was_cut_off_holds_nobody_up_for_long() {
    let deployment = deployment();
    let world = deployment.world();
    world.script("", "ada", session("ada").reply().takes(4_000));
    {
        let instance = deployment.instance();
        let mut cut_off: Task<'_, _> =
            Box::pin(instance.decide(&deployment.runtime, get("https://app.test/", &[ADA])));
        for _ in 0..40 {
            assert!(crate::memory::step(&mut cut_off).is_pending());
            if world.questions() == 1 {
                break;
            }
            world.pass_milliseconds(1);
        }
        assert_eq!(world.questions(), 1);
    }
    world.script("", "ada", session("ada").reply());
    world.pass_seconds(30);
    assert_eq!(deployment.ada_fresh(), 0);
    assert_eq!(world.questions(), 2);
    assert_eq!(deployment.shared().len(), 1, "the session and no claim");
}

#[test]
fn a_claim_from_before_the_clock_was_set_back_holds_nobody_up() {
    for end in [NOW + 3_600, u64::MAX] {
        let deployment = deployment();
        let world = deployment.world();
        assert_eq!(deployment.ada_fresh(), 0);
        let [record] = deployment.shared().try_into().unwrap();
        let claim = record.replacen(SHARED_PREFIX, &format!("{SHARED_PREFIX}asking-"), 1);
        world.store().remove(&record);
        world.store().insert(claim, format!("{end} asking 7"));
        let began = edgekeeper_gateway::runtime::Runtime::now(&deployment.runtime);
        assert_eq!(deployment.ada_fresh(), 0);
        let ended = edgekeeper_gateway::runtime::Runtime::now(&deployment.runtime);
        assert!(ended - began < 100, "it waited {} ms", ended - began);
        assert_eq!(world.questions(), 2);
    }
}

#[test]
fn entries_of_others_secrets_and_damaged_ones_are_as_good_as_none() {
    let deployment = deployment();
    let world = deployment.world();
    assert_eq!(deployment.ada_fresh(), 0);
    let [name] = deployment.shared().try_into().unwrap();
    let good = world.store()[&name].clone();
    let (until, sealed) = good.split_once(' ').unwrap();
    for damaged in [
        String::new(),
        "x".to_owned(),
        format!("{until} "),
        format!("{until} AAAA"),
        format!("99999999999 {sealed}"),
        good[..good.len() - 2].to_owned(),
        format!("{until} {{\"active\":true,\"identity\":{{\"id\":\"root\"}}}}"),
    ] {
        world.store().insert(name.clone(), damaged.clone());
        let before = world.questions();
        assert_eq!(deployment.ada_fresh(), 0, "{damaged:?}");
        assert_eq!(
            world.questions(),
            before + 1,
            "{damaged:?}: Kratos is asked"
        );
    }
    world.set_secret(Some(OTHER_SECRET));
    let before = world.questions();
    assert_eq!(deployment.ada_fresh(), 0);
    assert_eq!(world.questions(), before + 1);
}

#[test]
fn one_persons_entry_is_nobody_elses() {
    let deployment = deployment();
    let world = deployment.world();
    world.script("kratos", "ory_kratos_session=bob", session("bob").reply());
    assert_eq!(deployment.ada_fresh(), 0);
    let [adas] = deployment.shared().try_into().unwrap();
    let entry = world.store()[&adas].clone();
    world.store().clear();
    let bob = || get("https://app.test/", &[("cookie", "ory_kratos_session=bob")]);
    deployment
        .send_to(&deployment.instance(), bob())
        .forwarded();
    let [bobs] = deployment.shared().try_into().unwrap();
    assert_ne!(adas, bobs);
    world.store().insert(bobs, entry);
    let before = world.questions();
    deployment
        .send_to(&deployment.instance(), bob())
        .forwarded();
    assert_eq!(world.questions(), before + 1, "Ada's entry is not Bob's");
}

#[test]
fn the_store_holds_neither_credential_nor_person() {
    let deployment = deployment();
    assert_eq!(deployment.ada_fresh(), 0);
    deployment.log_out(&deployment.instance());
    for (name, value) in deployment.world().store().iter() {
        let entry = format!("{name} {value}");
        assert!(!entry.contains("ada") && !entry.contains(SECRET), "{entry}");
    }
}

#[test]
fn without_the_store_each_instance_asks_for_itself_and_the_log_says_why() {
    for (why, fails, full, secret, said) in [
        ("failing", true, false, Some(SECRET), "does not answer"),
        ("full", false, true, Some(SECRET), "is full"),
        ("no secret", false, false, None, "KEYS_SECRET is not set"),
        ("a short secret", false, false, Some("short"), "32"),
    ] {
        let deployment = deployment();
        let world = deployment.world();
        world.set_store_fails(fails);
        world.set_store_is_full(full);
        world.set_secret(secret);
        let warm = deployment.instance();
        for _ in 0..3 {
            assert_eq!(deployment.ada(&warm), 0, "{why}");
        }
        assert_eq!(world.questions(), 1, "{why}: memory is left");
        assert_eq!(deployment.ada_fresh(), 0, "{why}");
        assert_eq!(world.questions(), 2, "{why}");
        let log = world.take_log();
        assert!(log.iter().any(|line| line.contains(said)), "{why}: {log:?}");
        world.pass_seconds(10);
        assert_eq!(deployment.ada(&warm), 0, "{why}: memory is believed");
        let again = world.take_log().join("\n");
        assert!(
            !again.contains("not shared"),
            "{why}: said once a minute: {again}"
        );
        deployment.log_out(&warm);
        assert_eq!(deployment.ada(&warm), 401, "{why}: its own logouts count");
    }
}

#[test]
fn a_clock_set_back_neither_lengthens_a_session_nor_lets_anybody_wait() {
    let deployment = deployment();
    let world = deployment.world();
    let warm = deployment.instance();
    assert_eq!(deployment.ada(&warm), 0);
    world.set_back_seconds(3_000);
    world.script("", "", Reply::new(401, "{}"));
    assert_eq!(deployment.ada(&warm), 401, "memory");
    assert_eq!(deployment.ada_fresh(), 401, "the store");
}

#[test]
fn where_nothing_may_be_remembered_nothing_is_shared() {
    let deployment = deployment_with(json!({ "ttl": 0 }));
    for _ in 0..3 {
        assert_eq!(deployment.ada_fresh(), 0);
    }
    assert_eq!(deployment.world().questions(), 3);
    assert!(deployment.shared().is_empty());

    let forbidden = deployment_with(json!({ "ttl": 60 }));
    forbidden.world().script(
        "",
        "",
        session("ada").reply().header("ory-session-cache-for", "0"),
    );
    assert_eq!(forbidden.ada_fresh(), 0);
    assert!(forbidden.shared().is_empty(), "{:?}", forbidden.shared());
}

#[test]
fn what_has_ended_is_taken_off_by_and_by_and_nothing_else() {
    let deployment = deployment();
    let world = deployment.world();
    for n in 0..500 {
        let ended = if n % 2 == 0 { NOW - 10 } else { NOW + 10_000 };
        let kind = ["", "asking-", "changed-"][n % 3];
        world
            .store()
            .insert(format!("{SHARED_PREFIX}{kind}{n:04}"), format!("{ended} x"));
    }
    world.store().insert("keys/1".to_owned(), "1 x".to_owned());
    for n in 0..2_000 {
        let cookie = format!("ory_kratos_session=ada{n}");
        deployment
            .send_to(
                &deployment.instance(),
                get("https://app.test/", &[("cookie", &cookie)]),
            )
            .forwarded();
        world.run_later();
        for name in deployment.shared() {
            if name.len() > 60 {
                world.store().remove(&name);
            }
        }
    }
    let left = deployment.shared();
    assert_eq!(
        left.len(),
        250,
        "those that have ended are gone, the others are there"
    );
    assert!(world.store().contains_key("keys/1"));
}

#[test]
fn a_sweep_does_not_hold_up_a_response() {
    let deployment = deployment();
    let world = deployment.world();
    for n in 0..300 {
        world
            .store()
            .insert(format!("{SHARED_PREFIX}{n:04}"), "1 x".to_owned());
    }
    let before = world.reads();
    assert_eq!(deployment.ada_fresh(), 0);
    assert!(world.reads() - before < 10, "{}", world.reads() - before);
}

#[test]
fn where_no_protocol_is_switched_a_websocket_is_426_and_only_for_who_is_let_in() {
    for headers in [
        &[("upgrade", "websocket"), ("connection", "Upgrade")][..],
        &[("upgrade", "WebSocket")][..],
        &[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")][..],
    ] {
        let deployment = deployment();
        let with_ada = [headers, &[ADA]].concat();
        let answer = deployment
            .send_to(
                &deployment.instance(),
                get("https://app.test/ws", &with_ada),
            )
            .answered();
        assert_eq!(answer.status, 426, "{headers:?}");
        let refused =
            deployment.send_to(&deployment.instance(), get("https://app.test/ws", headers));
        assert_eq!(refused.status(), 401, "{headers:?}");
    }
    let deployment = deployment();
    let other = [("upgrade", "h2c"), ADA];
    assert_eq!(
        deployment
            .send_to(&deployment.instance(), get("https://app.test/", &other))
            .status(),
        0
    );
}

fn minting() -> Deployment {
    Deployment::new(|| {
        policy([set(
            rule("web", "https://app.test/<.*>"),
            "mutators",
            json!([{ "handler": "id_token", "issuer_url": "https://issuer.test/", "ttl": 300, "claims": "{}" }]),
        )])
    })
}

fn kids(deployment: &Deployment) -> Vec<String> {
    let answer = deployment
        .send_to(
            &deployment.instance(),
            get("https://app.test/.well-known/jwks.json", &[]),
        )
        .answered();
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    let keys = document["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn where_no_schedule_makes_keys_the_first_use_does_and_all_instances_sign_with_the_same() {
    let deployment = minting();
    let instances: Vec<_> = (0..10).map(|_| deployment.instance()).collect();
    let runtime = &deployment.runtime;
    let tasks = instances
        .iter()
        .map(|instance| {
            Box::pin(async move {
                let request = get("https://app.test/", &[]);
                let headers = request.headers.clone();
                signed_by(Sent::new(instance.decide(runtime, request).await, headers))
            }) as Task<'_, String>
        })
        .collect();
    let mut keys: BTreeSet<String> = deployment.world().run_all(tasks).into_iter().collect();
    keys.insert(signed_by(
        deployment.send_to(&deployment.instance(), get("https://app.test/", &[])),
    ));
    assert_eq!(keys.len(), 1, "{keys:?}");
}

/// The first part of the token that a request gets: it names the key.
fn signed_by(sent: Sent) -> String {
    let token = sent.forwarded().values("authorization").remove(0);
    token.split('.').next().unwrap().to_owned()
}

#[test]
fn a_first_key_that_another_instance_replaces_has_signed_nothing() {
    let (early, late) = (minting(), minting());
    // Another draw of the same dice gives the second deployment another key.
    late.world().run(async {
        edgekeeper_gateway::runtime::Runtime::random(&late.runtime, &mut [0; 40]).unwrap();
    });
    let ask = |deployment: &Deployment| {
        signed_by(deployment.send_to(&deployment.instance(), get("https://app.test/", &[])))
    };
    assert_ne!(ask(&early), ask(&late));
    let entry = |deployment: &Deployment| {
        let store = deployment.world().store();
        let (name, value) = store.first_key_value().unwrap();
        (name.clone(), value.clone())
    };

    // A reading of a slow store may begin before the key is replaced and end when the first one would have settled.
    for (takes, after) in [(0, 500), (300, 500), (300, 1_900), (700, 500), (700, 1_900)] {
        let deployment = minting();
        let (name, value) = entry(&early);
        deployment.world().store().insert(name, value);
        deployment.world().set_store_takes(takes);
        let runtime = &deployment.runtime;
        let instance = deployment.instance();
        let request = get("https://app.test/", &[]);
        let headers = request.headers.clone();
        let asks = async { Some(Sent::new(instance.decide(runtime, request).await, headers)) };
        let replaces = async {
            edgekeeper_gateway::runtime::Runtime::sleep(runtime, after).await;
            let (name, value) = entry(&late);
            deployment.world().store().insert(name, value);
            None
        };
        let mut sent = deployment.world().run_all(vec![
            Box::pin(asks) as Task<'_, Option<Sent>>,
            Box::pin(replaces),
        ]);
        let signed = signed_by(sent.remove(0).unwrap());
        assert_eq!(
            signed,
            ask(&late),
            "{takes} ms a step, replaced after {after} ms"
        );
    }
}

#[test]
fn where_no_schedule_makes_keys_requests_make_the_next_one_in_time_and_once() {
    let deployment = minting();
    let world = deployment.world();
    let first = kids(&deployment);
    // Half of a second month has gone by when every instance has come and gone.
    for _ in 0..90 {
        world.pass_seconds(12 * 60 * 60);
        let known = kids(&deployment);
        assert!(!known.is_empty() && known.len() <= 2, "{known:?}");
    }
    assert!(!kids(&deployment).contains(&first[0]), "the first is gone");
    let keys = world
        .store()
        .keys()
        .filter(|name| name.starts_with("keys/"))
        .count();
    assert!((2..=4).contains(&keys), "{keys} keys in 45 days");
}

#[test]
fn a_key_that_does_not_open_is_not_replaced() {
    let deployment = minting();
    kids(&deployment);
    let before = deployment.world().store().clone();
    deployment.world().set_secret(Some(OTHER_SECRET));
    let sent = deployment.send_to(&deployment.instance(), get("https://app.test/", &[]));
    assert_eq!(sent.status(), 503);
    assert_eq!(*deployment.world().store(), before);
}

#[test]
fn the_store_of_keys_failing_is_503_and_other_rules_go_on() {
    let deployment = Deployment::new(|| {
        policy([
            set(
                rule("web", "https://app.test/<.*>"),
                "mutators",
                json!([{ "handler": "id_token", "issuer_url": "https://issuer.test/", "ttl": 300, "claims": "{}" }]),
            ),
            rule("open", "https://open.test/<.*>"),
        ])
    });
    deployment.world().set_store_fails(true);
    let answer = deployment
        .send_to(&deployment.instance(), get("https://app.test/", &[]))
        .answered();
    assert_eq!(answer.status, 503);
    assert_eq!(header(&answer, "retry-after"), Some("5"));
    assert!(!answer.body.contains("key-value"), "{}", answer.body);
    let open = deployment.send_to(&deployment.instance(), get("https://open.test/", &[]));
    assert_eq!(open.status(), 0);
}

#[test]
fn an_entry_is_deleted_or_not_there_all_the_same() {
    let deployment = deployment();
    let shared = &deployment.runtime;
    deployment.world().run(async {
        assert_eq!(shared.delete("sessions/none").await, Ok(()));
        assert_eq!(shared.add("sessions/a", "1").await, Ok(true));
        assert_eq!(shared.add("sessions/a", "2").await, Ok(false));
        assert_eq!(
            SharedCache::get(shared, "sessions/a").await,
            Ok(Some("1".to_owned()))
        );
    });
}
