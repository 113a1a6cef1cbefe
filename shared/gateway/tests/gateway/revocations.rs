//! What a revocation ends, where, and how soon; and what it costs.

use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::runtime::SHARED_PREFIX;
use edgekeeper_session::revocation::{Mark, Subject};
use serde_json::json;

use crate::component::Deployment;
use crate::fleet::{Fleet, visit_of};
use crate::memory::{NOW, Reply, Task, step, unreachable};
use crate::policy::{policy, session_rule};
use crate::site::{Sent, session};

/// An hour fresh, so that nothing but a revocation ends it; marks are looked for every ten seconds.
fn fleet() -> Fleet {
    Fleet::new(json!({
        "ttl": 3_600, "stale_while_revalidate": 60, "stale_if_error": 600, "revocation_check": 10,
    }))
}

/// [`fleet`], where sessions do not end before their answers.
fn fleet_for_a_day() -> Fleet {
    let fleet = fleet();
    for person in ["ada", "bob"] {
        let session = session(person).expires_at(NOW + 86_400);
        fleet
            .memory
            .script("kratos", &format!("session={person}"), session.reply());
    }
    fleet
}

fn seen(status: u16, from: &str) -> (u16, String) {
    (status, from.to_owned())
}

/// After how many milliseconds a person is refused, who comes again and again.
fn time_until_refusal(fleet: &Fleet, instance: &Rc<Gateway>, every: u64, settles: bool) -> u64 {
    let began = fleet.memory.milliseconds();
    loop {
        let came = fleet.memory.milliseconds();
        if fleet.visit(instance, "ada").0 == 401 {
            return came - began;
        }
        if settles {
            fleet.settle();
        }
        assert!(came - began < 100_000, "never refused");
        let used = fleet.memory.milliseconds() - came;
        fleet.memory.pass_milliseconds(every.saturating_sub(used));
    }
}

#[test]
fn without_a_secret_no_list_is_ever_read() {
    let fleet = Fleet::of(json!({ "ttl": 3_600, "revocation_check": 1 }));
    let instance = fleet.instance();
    for _ in 0..100 {
        assert_eq!(fleet.visit_and_settle(&instance, "ada").0, 0);
        fleet.memory.pass_seconds(2);
    }
    assert_eq!((fleet.memory.lists(), fleet.memory.questions()), (0, 1));
}

#[test]
fn the_instance_that_is_told_goes_by_it_at_once() {
    let fleet = fleet();
    let instance = fleet.instance();
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "miss"));
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "hit"));
    fleet.kratos_forgets("ada");
    fleet.revoke(&instance, "ada");
    assert_eq!(fleet.visit(&instance, "ada"), seen(401, "revoked"));
}

#[test]
fn who_is_signed_in_remains_kratos_to_say() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.revoke(&instance, "ada");
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "revoked"));
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "hit"), "asked once");
    assert_eq!(fleet.memory.questions(), 2);
}

#[test]
fn nobody_else_is_asked_about() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.visit(&instance, "bob");
    fleet.revoke(&instance, "ada");
    let claims = json!({ "sid": "ada", "exp": NOW + 60 });
    assert_eq!(
        fleet.tell(&instance, &claims).status,
        204,
        "no session has this id"
    );
    assert_eq!(fleet.visit(&instance, "bob"), seen(0, "hit"));
    let claims = json!({ "sid": "session-of-bob", "exp": NOW + 60 });
    assert_eq!(fleet.tell(&instance, &claims).status, 204);
    assert_eq!(fleet.visit(&instance, "bob"), seen(0, "revoked"));
}

/// To the millisecond, whenever the person comes, and also where no work is ever done behind a response.
#[test]
fn every_other_instance_goes_by_it_within_revocation_check() {
    for settles in [true, false] {
        for every in [10, 100, 700, 999, 4_999, 5_001, 9_999, 10_001] {
            for after in [0, 1, 4_990, 5_010, 9_990, 10_010, 14_000] {
                let fleet = fleet();
                let (told, other) = (fleet.instance(), fleet.instance());
                fleet.visit_and_settle(&other, "ada");
                fleet.memory.pass_milliseconds(after);
                fleet.visit_and_settle(&other, "ada");
                fleet.kratos_forgets("ada");
                fleet.revoke(&told, "ada");
                let took = time_until_refusal(&fleet, &other, every, settles);
                // Whoever comes less often is refused when they come.
                let bound = 10_000 + every;
                assert!(
                    took <= bound,
                    "{took} ms; every {every} after {after}, {settles}"
                );
            }
        }
    }
}

#[test]
fn what_is_exactly_as_old_as_revocation_check_serves_and_no_older() {
    let fleet = fleet();
    let (told, other) = (fleet.instance(), fleet.instance());
    let asked = fleet.memory.milliseconds();
    fleet.visit(&other, "ada");
    fleet.kratos_forgets("ada");
    fleet.revoke(&told, "ada");
    let at = |age: u64| {
        fleet
            .memory
            .pass_milliseconds(asked + age - fleet.memory.milliseconds())
    };
    at(10_000);
    assert_eq!(fleet.visit(&other, "ada"), seen(0, "hit"));
    at(10_001);
    assert_eq!(fleet.visit(&other, "ada"), seen(401, "revoked"));
}

#[test]
fn one_list_serves_a_burst() {
    let fleet = fleet();
    let instance = fleet.instance();
    for person in ["ada", "bob"] {
        fleet.visit(&instance, person);
    }
    fleet.memory.pass_seconds(11);
    fleet.memory.set_store_takes(300);
    let began = fleet.memory.milliseconds();
    let tasks = (0..500)
        .map(|number| {
            let visit = visit_of(if number % 2 == 0 { "ada" } else { "bob" });
            let (instance, memory) = (&instance, &fleet.memory);
            Box::pin(async move {
                Sent::new(instance.decide(memory, visit).await, Default::default()).status()
            }) as Task<'_, u16>
        })
        .collect();
    let statuses = fleet.memory.run_all(tasks);
    assert!(statuses.iter().all(|status| *status == 0));
    assert_eq!((fleet.memory.lists(), fleet.memory.questions()), (1, 2));
    let took = fleet.memory.milliseconds() - began;
    assert!(
        (300..=305).contains(&took),
        "all wait for the one list: {took} ms"
    );
}

#[test]
fn under_traffic_nobody_waits_and_the_list_is_read_twice_in_revocation_check() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.memory.set_store_takes(300);
    for _ in 0..600 {
        fleet.memory.pass_milliseconds(100);
        let began = fleet.memory.milliseconds();
        assert_eq!(fleet.visit(&instance, "ada").0, 0);
        assert_eq!(fleet.memory.milliseconds(), began, "nobody waits");
        fleet.settle();
    }
    let lists = fleet.memory.lists();
    assert!((6..=13).contains(&lists), "{lists} lists in a minute");
    assert_eq!(fleet.memory.questions(), 1);
}

#[test]
fn nobody_reads_the_list_for_whom_kratos_is_asked_anyway() {
    let fleet = Fleet::new(json!({ "ttl": 0, "revocation_check": 1 }));
    let instance = fleet.instance();
    for _ in 0..10 {
        assert_eq!(fleet.visit_and_settle(&instance, "ada").0, 0);
        assert_eq!(fleet.visit_and_settle(&instance, "eve").0, 401);
        fleet.memory.pass_seconds(5);
    }
    assert_eq!(fleet.memory.lists(), 0);
}

#[test]
fn while_the_store_fails_kratos_is_asked_once_per_session_and_revocation_check() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.memory.set_store_fails(true);
    for second in 0..100 {
        fleet.memory.pass_seconds(1);
        for _ in 0..5 {
            assert_eq!(fleet.visit_and_settle(&instance, "ada").0, 0, "{second}");
        }
    }
    let questions = fleet.memory.questions();
    assert!(
        (9..=11).contains(&questions),
        "{questions} questions in 100 s"
    );
    let lists = fleet.memory.lists();
    assert!(
        lists <= 101,
        "the store is tried once a second at most: {lists}"
    );
    let log = fleet.memory.take_log().join("\n");
    assert!(log.is_empty() || log.contains("revocations"), "{log}");
    fleet.memory.set_store_fails(false);
    fleet.memory.pass_seconds(11);
    fleet.visit_and_settle(&instance, "ada");
    fleet.memory.pass_seconds(5);
    let asked = fleet.memory.questions();
    for _ in 0..100 {
        assert_eq!(fleet.visit_and_settle(&instance, "ada"), seen(0, "hit"));
        fleet.memory.pass_seconds(1);
    }
    assert_eq!(
        fleet.memory.questions(),
        asked,
        "the store is believed again"
    );
}

#[test]
fn a_revocation_that_no_list_tells_of_is_seen_within_revocation_check_all_the_same() {
    for every in [100, 999, 3_000] {
        let fleet = fleet();
        let (told, other) = (fleet.instance(), fleet.instance());
        fleet.visit(&other, "ada");
        fleet.kratos_forgets("ada");
        fleet.revoke(&told, "ada");
        fleet.memory.set_store_fails(true);
        let took = time_until_refusal(&fleet, &other, every, true);
        assert!(took <= 10_000 + every, "{took} ms, every {every}");
    }
}

#[test]
fn when_the_store_and_kratos_fail_nobody_is_let_in_past_the_bound() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.memory.set_store_fails(true);
    fleet.memory.script("", "", Reply::fails(unreachable()));
    fleet.memory.pass_seconds(9);
    assert_eq!(fleet.visit_and_settle(&instance, "ada").0, 0);
    fleet.memory.pass_seconds(2);
    for _ in 0..20 {
        assert_eq!(fleet.visit_and_settle(&instance, "ada").0, 503);
        fleet.memory.pass_seconds(3);
    }
    fleet.memory.set_store_fails(false);
    fleet.visit_and_settle(&instance, "ada");
    assert_eq!(
        fleet.visit(&instance, "ada").0,
        0,
        "the list says that nobody was revoked"
    );
}

#[test]
fn what_was_revoked_is_no_answer_for_a_kratos_that_fails() {
    let fleet = fleet_for_a_day();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.visit(&instance, "bob");
    fleet.revoke(&instance, "ada");
    fleet.memory.script("", "", Reply::fails(unreachable()));
    fleet.memory.pass_seconds(3_700);
    for _ in 0..3 {
        assert_eq!(fleet.visit_and_settle(&instance, "ada").0, 503);
        assert_eq!(fleet.visit_and_settle(&instance, "bob"), seen(0, "stale"));
        fleet.memory.pass_seconds(2);
    }
}

#[test]
fn what_was_revoked_does_not_serve_while_it_is_asked_anew() {
    let fleet = fleet_for_a_day();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.memory.pass_seconds(3_610);
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "stale"));
    fleet.kratos_forgets("ada");
    fleet.revoke(&instance, "ada");
    assert_eq!(fleet.visit(&instance, "ada").0, 401);
}

#[test]
fn a_slow_store_makes_one_wait_and_a_store_that_hangs_nobody_for_long() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.memory.pass_seconds(11);
    fleet.memory.set_store_takes(1_500);
    assert_eq!(fleet.visit_and_settle(&instance, "ada"), seen(0, "hit"));
    assert_eq!(fleet.memory.questions(), 1);

    fleet.memory.pass_seconds(20);
    fleet.memory.set_store_takes(3_600_000);
    let began = fleet.memory.milliseconds();
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "miss"));
    let took = fleet.memory.milliseconds() - began;
    assert!((2_000..=2_010).contains(&took), "{took} ms");
    fleet.memory.pass_seconds(20);
    let began = fleet.memory.milliseconds();
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "miss"));
    assert_eq!(
        fleet.memory.milliseconds(),
        began,
        "nobody waits for it again"
    );
    assert_eq!(fleet.memory.questions(), 3);
}

/// Else every request would ask Kratos.
#[test]
fn a_list_that_takes_longer_than_revocation_check_is_news_to_who_waited_for_it() {
    let fleet = Fleet::new(json!({ "ttl": 3_600, "revocation_check": 1 }));
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.memory.set_store_takes(1_500);
    for _ in 0..10 {
        fleet.memory.pass_seconds(5);
        assert_eq!(fleet.visit(&instance, "ada"), seen(0, "hit"));
    }
    assert_eq!(fleet.memory.questions(), 1);
    fleet.memory.set_store_takes(1);
    fleet.kratos_forgets("ada");
    fleet.revoke(&fleet.instance(), "ada");
    fleet.memory.set_store_takes(1_500);
    fleet.memory.pass_seconds(5);
    assert_eq!(fleet.visit(&instance, "ada").0, 401);
}

#[test]
fn a_store_that_is_late_or_forgets_takes_nothing_back() {
    let fleet = fleet();
    let (told, heard) = (fleet.instance(), fleet.instance());
    for instance in [&told, &heard] {
        fleet.visit(instance, "ada");
    }
    fleet.revoke(&told, "ada");
    fleet.memory.pass_seconds(11);
    assert_eq!(fleet.visit(&heard, "ada"), seen(0, "revoked"));
    fleet.memory.store().clear();
    fleet.memory.pass_seconds(11);
    // Both asked again after the mark, so both serve; an answer from before would not.
    assert_eq!(fleet.visit(&told, "ada"), seen(0, "revoked"));
    for _ in 0..3 {
        for instance in [&told, &heard] {
            assert_eq!(fleet.visit_and_settle(instance, "ada"), seen(0, "hit"));
        }
        fleet.memory.pass_seconds(11);
    }
}

/// Workers KV shows a mark up to a minute late elsewhere: it counts from then on, by whatever clock.
#[test]
fn a_mark_that_comes_late_ends_what_was_asked_after_it_was_written_too() {
    let fleet = fleet();
    let other = fleet.instance();
    let mark = Mark {
        subject: Subject::identity("ada"),
        at: fleet.memory.milliseconds(),
        until: NOW + 5_000,
        message: 1,
    };
    fleet.memory.pass_seconds(30);
    assert_eq!(
        fleet.visit(&other, "ada"),
        seen(0, "miss"),
        "Kratos may not have known yet"
    );
    fleet.memory.pass_seconds(30);
    fleet.memory.store().insert(mark.name(), String::new());
    assert_eq!(fleet.visit(&other, "ada"), seen(0, "revoked"));
    fleet.memory.pass_seconds(11);
    assert_eq!(fleet.visit(&other, "ada"), seen(0, "hit"), "once");
}

#[test]
fn a_clock_that_is_set_back_hides_no_revocation() {
    for back in [1, 4, 60, 3_000] {
        let fleet = fleet();
        let (told, other) = (fleet.instance(), fleet.instance());
        fleet.memory.pass_seconds(5_000);
        fleet.visit(&other, "ada");
        fleet.memory.pass_seconds(11);
        fleet.visit(&other, "ada");
        fleet.memory.set_back_seconds(back);
        fleet.kratos_forgets("ada");
        fleet.revoke(&told, "ada");
        let took = time_until_refusal(&fleet, &other, 500, true);
        assert!(
            took <= 10_500,
            "{took} ms after it was set back by {back} s"
        );
    }
}

#[test]
fn a_mark_from_the_future_ends_every_answer_from_before_and_asks_once() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    let mark = Mark {
        subject: Subject::identity("ada"),
        at: fleet.memory.milliseconds() + 3_600_000,
        until: NOW + 9_000,
        message: 1,
    };
    fleet.memory.store().insert(mark.name(), String::new());
    fleet.memory.pass_seconds(11);
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "revoked"));
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "hit"));
}

#[test]
fn an_answer_that_was_on_its_way_during_a_revocation_counts_nowhere() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet
        .memory
        .next([session("ada").reply().takes(1_000), Reply::new(401, "{}")]);
    let memory = &fleet.memory;
    let visit = {
        let instance = &instance;
        Box::pin(async move {
            Sent::new(
                instance.decide(memory, visit_of("ada")).await,
                Default::default(),
            )
            .status()
        }) as Task<'_, u16>
    };
    let revocation = {
        let (instance, fleet) = (&instance, &fleet);
        Box::pin(async move {
            edgekeeper_gateway::runtime::Runtime::sleep(memory, 500).await;
            let token = crate::fleet::token(&json!({ "sub": "ada", "exp": NOW + 60 }));
            let body = json!({ "token": token }).to_string();
            let post = crate::site::request("POST", crate::fleet::REVOKE, &[]);
            let told = crate::fleet::with_body(post, body);
            Sent::new(
                instance.decide(&fleet.memory, told).await,
                Default::default(),
            )
            .status()
        }) as Task<'_, u16>
    };
    assert_eq!(fleet.memory.run_all(vec![visit, revocation]), [401, 204]);
    assert_eq!(fleet.memory.questions(), 2);
}

#[test]
fn a_burst_after_a_revocation_asks_once() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.revoke(&instance, "ada");
    fleet
        .memory
        .script("kratos", "session=ada", session("ada").reply().takes(50));
    let tasks = (0..200)
        .map(|number| {
            let (instance, memory) = (&instance, &fleet.memory);
            Box::pin(async move {
                edgekeeper_gateway::runtime::Runtime::sleep(memory, number).await;
                Sent::new(
                    instance.decide(memory, visit_of("ada")).await,
                    Default::default(),
                )
                .status()
            }) as Task<'_, u16>
        })
        .collect();
    assert!(
        fleet
            .memory
            .run_all(tasks)
            .iter()
            .all(|status| *status == 0)
    );
    assert_eq!(fleet.memory.questions(), 2);
}

#[test]
fn a_reader_that_is_cut_off_holds_nobody_up() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    fleet.memory.pass_seconds(11);
    let mut reader: Task<'_, _> = Box::pin(instance.decide(&fleet.memory, visit_of("ada")));
    assert!(step(&mut reader).is_pending());
    drop(reader);
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "hit"));
    // Where a runtime forgets it without dropping it, the next waits for as long as a list may take.
    fleet.memory.pass_seconds(11);
    let mut reader: Task<'_, _> = Box::pin(instance.decide(&fleet.memory, visit_of("ada")));
    assert!(step(&mut reader).is_pending());
    let began = fleet.memory.milliseconds();
    assert_eq!(fleet.visit(&instance, "ada").0, 0);
    let took = fleet.memory.milliseconds() - began;
    assert!(took <= 2_100, "{took} ms");
}

#[test]
fn marks_that_have_ended_are_taken_off_a_few_at_a_time() {
    let fleet = fleet();
    let instance = fleet.instance();
    let mark = |number: u128, until: u64| Mark {
        subject: Subject::identity("ada"),
        at: 1_000,
        until,
        message: number,
    };
    for number in 0..100 {
        let name = mark(number, NOW).name();
        fleet.memory.store().insert(name, String::new());
    }
    let lasting = mark(7, NOW + 9_000).name();
    fleet.memory.store().insert(lasting.clone(), String::new());
    fleet
        .memory
        .store()
        .insert("revoked/what-is-this".to_owned(), String::new());
    let mut left = Vec::new();
    for _ in 0..5 {
        fleet.memory.pass_seconds(11);
        fleet.visit_and_settle(&instance, "ada");
        left.push(fleet.marks().len());
    }
    assert_eq!(left, [102, 70, 38, 6, 2], "the first visit asked Kratos");
    assert!(fleet.marks().contains(&lasting));
}

#[test]
fn names_that_are_no_marks_do_no_harm() {
    let fleet = fleet();
    let instance = fleet.instance();
    fleet.visit(&instance, "ada");
    for name in [
        "revoked/",
        "revoked/x",
        "revoked/1-2-identity-3-4",
        "revoked/é-€",
    ] {
        fleet.memory.store().insert(name.to_owned(), String::new());
    }
    fleet.memory.pass_seconds(11);
    assert_eq!(fleet.visit(&instance, "ada"), seen(0, "hit"));
}

fn deployment() -> Deployment {
    let deployment = Deployment::new(|| {
        policy([session_rule("web", "https://app.test/<.*>")]).with(
            "session",
            json!({
                "ttl": 3_600, "stale_if_error": 600, "revocation_check": 10,
                "revocation_secret": "REVOCATION_SECRET",
            }),
        )
    });
    deployment
        .world()
        .script("kratos", "ory_kratos_session=ada", session("ada").reply());
    deployment
}

/// A mark in the store, written at a moment of the world's clock by somebody else.
fn mark(deployment: &Deployment, message: u128) {
    let at = deployment.world().milliseconds();
    let mark = Mark {
        subject: Subject::identity("ada"),
        at,
        until: at / 1_000 + 9_000,
        message,
    };
    deployment
        .world()
        .store()
        .insert(mark.name(), String::new());
}

#[test]
fn what_another_instance_knew_before_a_revocation_counts_nowhere() {
    let deployment = deployment();
    assert_eq!(deployment.ada(&deployment.instance()), 0);
    deployment.world().pass_seconds(20);
    mark(&deployment, 1);
    deployment.world().script("", "", Reply::new(401, "{}"));
    let instance = deployment.instance();
    assert_eq!(deployment.ada(&instance), 401);
    assert!(
        deployment
            .world()
            .take_log()
            .join("")
            .contains(r#""session":"revoked""#)
    );
    deployment
        .world()
        .script("", "", Reply::fails(unreachable()));
    deployment.world().pass_seconds(20);
    assert_eq!(
        deployment.ada(&deployment.instance()),
        503,
        "nor when Kratos fails"
    );
}

#[test]
fn a_new_instance_reads_the_list_before_it_goes_by_what_another_knew_longer_ago() {
    let deployment = deployment();
    assert_eq!(deployment.ada(&deployment.instance()), 0);
    assert_eq!(deployment.ada(&deployment.instance()), 0);
    assert_eq!(deployment.world().lists(), 0, "it is news");
    deployment.world().pass_seconds(11);
    assert_eq!(deployment.ada(&deployment.instance()), 0);
    assert_eq!(
        (deployment.world().lists(), deployment.world().questions()),
        (1, 1)
    );
}

#[test]
fn after_a_revocation_instances_share_again_when_every_clock_is_past_it() {
    let deployment = deployment();
    deployment.ada(&deployment.instance());
    deployment.world().pass_seconds(20);
    mark(&deployment, 1);
    deployment.world().pass_seconds(6);
    assert_eq!(deployment.ada(&deployment.instance()), 0);
    assert_eq!(deployment.world().questions(), 2);
    for _ in 0..5 {
        deployment.world().pass_seconds(11);
        assert_eq!(deployment.ada(&deployment.instance()), 0);
    }
    assert_eq!(deployment.world().questions(), 2);
}

#[test]
fn while_the_store_of_all_fails_each_instance_asks_once_in_revocation_check() {
    let deployment = deployment();
    let instance = deployment.instance();
    deployment.ada(&instance);
    deployment.world().set_store_fails(true);
    for _ in 0..100 {
        deployment.world().pass_seconds(1);
        assert_eq!(deployment.ada(&instance), 0);
        deployment.world().run_later();
    }
    let questions = deployment.world().questions();
    assert!((9..=12).contains(&questions), "{questions}");
    deployment
        .world()
        .script("", "", Reply::fails(unreachable()));
    deployment.world().pass_seconds(11);
    assert_eq!(deployment.ada(&instance), 503);
}

#[test]
fn a_record_that_nobody_can_hold_against_the_marks_serves_nobody() {
    let deployment = deployment();
    deployment.ada(&deployment.instance());
    let records: Vec<(String, String)> = deployment
        .world()
        .store()
        .iter()
        .filter(|(name, _)| name.starts_with(SHARED_PREFIX))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    assert_eq!(records.len(), 1);
    deployment.world().pass_seconds(11);
    // The list alone hangs: the record is read at once.
    deployment.world().set_lists_fail(true);
    deployment
        .world()
        .script("", "", Reply::fails(unreachable()));
    assert_eq!(deployment.ada(&deployment.instance()), 503);
    deployment.world().set_lists_fail(false);
    deployment.world().pass_seconds(3);
    assert_eq!(deployment.ada(&deployment.instance()), 0);
}
