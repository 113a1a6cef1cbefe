//! Which policy an instance goes by, how soon it takes another, and what it costs.

use edgekeeper_gateway::operator::{Purpose, Statement};
use edgekeeper_gateway::policies::{CURRENT, Version};
use serde_json::{Value, json};

use crate::explaining::Explaining;
use crate::memory::{NOW, OPERATOR_SECRET, SECRET, Task, step};
use crate::policy::policy;
use crate::pushed::{Pushed, REFRESH, change, leading_to};
use crate::site::{Sent, get, header, message};

const STAYS: &str = "it cannot be told which policy is in force, so the last good one stays: ";

/// Longer than any test waits.
const HANGS: u64 = 3_600_000;

#[test]
fn a_new_instance_takes_what_was_pushed_before_its_first_request() {
    let site = Pushed::new();
    let version = site.push(leading_to("pushed"));
    assert_eq!(site.leads_to(), "pushed");
    assert_eq!(site.memory.reads(), 2, "the pointer and the document");
    assert_eq!(
        site.said(),
        [format!(
            "{version} is in force now, as change 1, in place of {}",
            site.deployment.deployed().version().unwrap()
        )]
    );
    assert_eq!(site.leads_to(), "pushed");
    assert_eq!(site.memory.reads(), 2, "and knows it then");
}

#[test]
fn where_nothing_was_pushed_the_deployed_policy_counts() {
    let site = Pushed::new();
    assert_eq!(site.leads_to(), "deployed");
    assert_eq!(site.said(), [""; 0]);
    assert_eq!(site.memory.reads(), 1);
}

/// To the millisecond, whenever requests come, and also where no work is ever done behind a response.
#[test]
fn a_push_counts_within_refresh() {
    for settles in [true, false] {
        for every in [10, 700, 999, 4_999, 5_001, 9_999, 10_001] {
            for after in [0, 1, 4_990, 5_010, 9_990, 10_010, 14_000] {
                let site = Pushed::new();
                site.leads_to_and_settles();
                site.memory.pass_milliseconds(after);
                site.leads_to_and_settles();
                site.push(leading_to("pushed"));
                let began = site.memory.milliseconds();
                loop {
                    let came = site.memory.milliseconds();
                    if site.leads_to() == "pushed" {
                        let took = came - began;
                        assert!(
                            took <= REFRESH * 1_000 + every,
                            "{took} ms; every {every} after {after}, {settles}"
                        );
                        break;
                    }
                    if settles {
                        site.memory.run_later();
                    }
                    let used = site.memory.milliseconds() - came;
                    site.memory.pass_milliseconds(every.saturating_sub(used));
                }
            }
        }
    }
}

#[test]
fn it_is_looked_up_once_in_half_of_refresh_and_nobody_waits_for_it() {
    let site = Pushed::new();
    site.leads_to();
    let (began, reads) = (site.memory.milliseconds(), site.memory.reads());
    for _ in 0..1_000 {
        let came = site.memory.milliseconds();
        assert_eq!(site.leads_to(), "deployed");
        assert_eq!(site.memory.milliseconds(), came, "nobody waits");
        site.memory.run_later();
        let used = site.memory.milliseconds() - came;
        site.memory.pass_milliseconds(100 - used);
    }
    let seconds = (site.memory.milliseconds() - began) / 1_000;
    assert_eq!(seconds, 100);
    let looks = site.memory.reads() - reads;
    assert!((18..=20).contains(&looks), "{looks} in {seconds} s");
}

#[test]
fn many_that_come_at_once_look_once() {
    let site = Pushed::new();
    site.push(leading_to("pushed"));
    for round in 0..3 {
        let reads = site.memory.reads();
        let tasks: Vec<Task<'_, _>> = (0..50)
            .map(|_| -> Task<'_, _> {
                Box::pin(
                    site.deployment
                        .decide(&site.memory, get("https://app.test/", &[])),
                )
            })
            .collect();
        for (gateway, _) in site.memory.run_all(tasks) {
            assert_eq!(gateway.version(), site.stored().in_force.version.as_ref());
        }
        let expected = if round == 0 { 2 } else { 1 };
        assert_eq!(site.memory.reads() - reads, expected, "round {round}");
        site.memory.pass_seconds(REFRESH + 1);
    }
}

#[test]
fn a_request_that_is_cut_off_while_it_looks_blocks_the_others_for_two_seconds_at_most() {
    let site = Pushed::new();
    site.push(leading_to("pushed"));
    let mut cut_off: Task<'_, _> = Box::pin(site.deployment.current(&site.memory));
    assert!(step(&mut cut_off).is_pending());
    drop(cut_off);
    assert_eq!(site.leads_to(), "pushed", "what is dropped is given back");

    let site = Pushed::new();
    site.push(leading_to("pushed"));
    let mut forgotten: Task<'_, _> = Box::pin(site.deployment.current(&site.memory));
    assert!(step(&mut forgotten).is_pending());
    std::mem::forget(forgotten);
    let came = site.memory.milliseconds();
    assert_eq!(site.leads_to(), "deployed", "waits as long as for a store");
    let waited = site.memory.milliseconds() - came;
    assert!((2_000..2_010).contains(&waited), "{waited} ms");
    site.memory.pass_milliseconds(10);
    assert_eq!(site.leads_to(), "pushed");
}

#[test]
fn work_behind_a_response_that_is_never_done_is_planned_again() {
    let site = Pushed::new();
    site.leads_to();
    site.memory.pass_seconds(REFRESH / 2 + 1);
    site.leads_to();
    assert_eq!(site.memory.waiting(), 1);
    site.leads_to();
    assert_eq!(site.memory.waiting(), 1, "planned once");
    site.memory.pass_milliseconds(2_001);
    site.leads_to();
    assert_eq!(site.memory.waiting(), 2);
    let reads = site.memory.reads();
    site.memory.run_later();
    assert_eq!(site.memory.reads() - reads, 1, "done once all the same");
}

#[test]
fn without_the_secret_or_with_never_nothing_is_asked_and_nothing_said() {
    let without_secret = Pushed::new();
    without_secret.memory.set_secret(None);
    let never = Pushed::set(json!({ "refresh": null }));
    for site in [without_secret, never] {
        site.push(leading_to("pushed"));
        for _ in 0..10 {
            assert_eq!(site.leads_to_and_settles(), "deployed");
            site.memory.pass_seconds(REFRESH);
        }
        assert_eq!((site.memory.reads(), site.said()), (0, vec![]));
    }
}

#[test]
fn while_the_store_fails_the_last_good_policy_stays_and_it_is_left_alone() {
    let site = Pushed::new();
    site.push(leading_to("pushed"));
    site.leads_to();
    site.said();
    site.memory.set_store_fails(true);
    site.memory.pass_seconds(REFRESH + 1);
    let reads = site.memory.reads();
    assert_eq!(site.leads_to_and_settles(), "pushed");
    assert_eq!(
        site.said(),
        [format!("{STAYS}the key-value store does not answer")]
    );
    let began = site.memory.milliseconds();
    for _ in 0..300 {
        let came = site.memory.milliseconds();
        assert_eq!(site.leads_to(), "pushed");
        assert_eq!(site.memory.milliseconds(), came, "nobody waits");
        site.memory.run_later();
        let used = site.memory.milliseconds() - came;
        site.memory.pass_milliseconds(100 - used);
    }
    assert_eq!(site.said(), [""; 0], "once a minute");
    let seconds = (site.memory.milliseconds() - began) / 1_000;
    let looks = site.memory.reads() - reads;
    assert!(looks <= 31, "{looks} in {seconds} s");
    site.memory.pass_seconds(60);
    site.leads_to_and_settles();
    assert_eq!(site.said().len(), 1, "and then again");

    site.memory.set_store_fails(false);
    site.push(leading_to("next"));
    site.memory.pass_seconds(1);
    site.leads_to_and_settles();
    assert_eq!(site.leads_to(), "next", "tried again behind a response");
}

#[test]
fn a_store_that_hangs_is_waited_for_two_seconds_and_only_once() {
    let site = Pushed::new();
    site.push(leading_to("pushed"));
    site.memory.set_store_takes(HANGS);
    let began = site.memory.milliseconds();
    assert_eq!(site.leads_to(), "deployed");
    let took = site.memory.milliseconds() - began;
    assert!((2_000..2_010).contains(&took), "{took} ms");
    assert_eq!(
        site.said(),
        [format!("{STAYS}the store did not answer within 2000 ms")]
    );
    for _ in 0..10 {
        let came = site.memory.milliseconds();
        assert_eq!(site.leads_to(), "deployed");
        assert_eq!(site.memory.milliseconds(), came);
    }
}

#[test]
fn an_instance_that_was_asleep_while_the_store_failed_asks_it_again_first() {
    let site = Pushed::new();
    site.memory.set_store_fails(true);
    site.leads_to();
    site.memory.set_store_fails(false);
    site.push(leading_to("pushed"));
    site.memory.pass_seconds(REFRESH + 1);
    assert_eq!(site.leads_to(), "pushed");
}

#[test]
fn an_instance_that_is_not_to_guess_refuses_until_it_can_tell() {
    let refuse = json!({ "refresh": REFRESH, "on_store_failure": "refuse" });
    let site = Pushed::of(
        leading_to("deployed")
            .with("policies", refuse)
            .with("api_hosts", json!(["api.test"])),
    );
    site.memory.set_store_fails(true);
    let (_, sent) = site.send(get("https://app.test/", &[]));
    let answer = sent.answered();
    assert_eq!(answer.status, 503);
    assert_eq!(header(&answer, "retry-after"), Some("5"));
    assert_eq!(message(&answer), "The gateway is not ready");
    let log = site.memory.take_log().join("\n");
    assert!(
        log.contains(
            "it is not known which policy is in force (`policy.on_store_failure: refuse`)"
        ),
        "{log}"
    );
    for (path, status) in [
        ("/health/alive", 200),
        ("/health/ready", 503),
        ("/decisions/x", 503),
        ("/rules", 503),
        ("/nothing", 503),
    ] {
        let (_, sent) = site.send(get(&format!("https://api.test{path}"), &[]));
        assert_eq!(sent.status(), status, "{path}");
    }
    site.memory.set_store_fails(false);
    site.memory.pass_seconds(1);
    site.leads_to_and_settles();
    assert_eq!(site.leads_to(), "deployed", "the store says so");
    site.memory.set_store_fails(true);
    site.memory.pass_seconds(100);
    assert_eq!(site.leads_to(), "deployed", "what was known stays");
}

#[test]
fn what_is_not_there_is_no_guess_either() {
    let refuse = json!({ "refresh": REFRESH, "on_store_failure": "refuse" });
    let site = Pushed::set(refuse.clone());
    site.memory.set_secret(None);
    assert_eq!(site.leads_to(), "503");
    assert_eq!(
        site.said(),
        [
            "it cannot be told which policy is in force, so every request is refused: the secret KEYS_SECRET is not set; make one with `openssl rand -base64 32`, and see docs/keys.md for where to put it"
        ]
    );
    let site = Pushed::set(refuse);
    site.memory
        .store()
        .insert(CURRENT.to_owned(), "garbage".to_owned());
    assert_eq!(site.leads_to(), "503");
    site.push_over();
    site.memory.pass_seconds(1);
    site.leads_to_and_settles();
    assert_eq!(site.leads_to(), "pushed", "tried again in a second");
}

impl Pushed {
    /// Pushes over what cannot be read.
    fn push_over(&self) {
        self.memory.store().remove(CURRENT);
        self.push(leading_to("pushed"));
    }
}

#[test]
fn what_cannot_be_used_changes_nothing_and_is_said() {
    let text = leading_to("bad").text();
    let version = Version::of(&text);
    let broken = r#"{"format":2,"errors":[],"rules":[{}]}"#;
    let other_format = r#"{"format":99}"#;
    let name = version.name();
    type Spoil = Box<dyn Fn(&Pushed)>;
    let put = |name: String, text: String| -> Spoil {
        Box::new(move |site| {
            site.memory.store().insert(name.clone(), text.clone());
        })
    };
    let pushed = |text: &'static str| -> Spoil {
        Box::new(move |site| {
            let version = Version::of(text);
            site.memory.store().insert(version.name(), text.to_owned());
            site.point_to(Some(version));
        })
    };
    let points =
        |version: Version| -> Spoil { Box::new(move |site| site.point_to(Some(version.clone()))) };
    let cases: [(Vec<Spoil>, String); 7] = [
        (
            vec![put(CURRENT.to_owned(), "garbage".to_owned())],
            "the entry `policy/current` is not one that `edgekeeper push` or the gateway wrote; push a policy anew".to_owned(),
        ),
        (
            vec![Box::new(|site: &Pushed| {
                let other = "another secret of thirty-two byte";
                site.write(&change(7, None, 100), other);
            })],
            "the entry `policy/current` does not open: it was sealed under another KEYS_SECRET, or it was changed; push a policy anew under the gateway's secret".to_owned(),
        ),
        (
            vec![points(version.clone())],
            format!("there is no entry `{name}`; push that policy again, or roll back to another"),
        ),
        (
            vec![points(version.clone()), put(name.clone(), format!("{text} "))],
            format!("the entry `{name}` is not the document of that version; push that policy again, or roll back to another"),
        ),
        (
            vec![pushed(broken)],
            format!("the policy `{}`: the policy document cannot be used: missing field `id`; make it anew with `edgekeeper build`", Version::of(broken).name()),
        ),
        (
            vec![pushed(other_format)],
            format!("the policy `{}`: the policy document cannot be used: it is of format 99, this gateway reads format 2; make it anew with `edgekeeper build`", Version::of(other_format).name()),
        ),
        (
            vec![pushed("not json")],
            format!("the policy `{}`: the policy document cannot be used: expected ident at line 1 column 2; make it anew with `edgekeeper build`", Version::of("not json").name()),
        ),
    ];
    for (spoil, reason) in cases {
        let site = Pushed::new();
        site.push(leading_to("good"));
        site.leads_to();
        site.said();
        for each in spoil {
            each(&site);
        }
        let reads = site.memory.reads();
        for _ in 0..5 {
            assert_eq!(site.leads_to_and_settles(), "good", "{reason}");
            site.memory.pass_seconds(REFRESH + 1);
        }
        assert_eq!(site.said(), [format!("{STAYS}{reason}")]);
        let looks = site.memory.reads() - reads;
        assert!(looks <= 10, "{looks}: not for every request");
        // Good again, it is taken.
        site.memory.store().remove(CURRENT);
        site.write(&change(9, None, 1_000), SECRET);
        assert_eq!(site.leads_to(), "deployed", "{reason}");
        // A new instance has the deployed one meanwhile.
    }
}

#[test]
fn a_document_that_comes_after_its_pointer_is_taken_at_the_next_look() {
    let site = Pushed::new();
    site.leads_to();
    let text = leading_to("late").text();
    let version = Version::of(&text);
    site.point_to(Some(version.clone()));
    site.memory.pass_seconds(REFRESH + 1);
    assert_eq!(site.leads_to(), "deployed");
    site.memory.store().insert(version.name(), text);
    assert_eq!(site.leads_to(), "deployed", "not before");
    site.memory.pass_seconds(REFRESH + 1);
    assert_eq!(site.leads_to(), "late");
}

#[test]
fn no_instance_goes_back_by_itself() {
    let site = Pushed::new();
    site.push(leading_to("one"));
    let old = site.stored();
    let two = site.push(leading_to("two"));
    assert_eq!(site.leads_to(), "two");
    site.said();
    // A store that still gives out what was there before says nothing wrong for a while.
    for before in [Some(old.clone()), None] {
        match &before {
            Some(old) => site.write(old, SECRET),
            None => drop(site.memory.store().remove(CURRENT)),
        }
        for _ in 0..5 {
            site.memory.pass_seconds(REFRESH + 1);
            assert_eq!(site.leads_to(), "two");
        }
    }
    assert_eq!(site.said(), [""; 0]);
    site.write(&old, SECRET);
    site.memory.pass_seconds(120);
    assert_eq!(site.leads_to(), "two");
    assert_eq!(
        site.said(),
        [format!(
            "{STAYS}the entry `policy/current` is of change 1, and change 2 was in force here; push a policy anew"
        )]
    );
    // One who has lost count, but pushes later, is heard.
    let late = change(1, old.in_force.version.clone(), 1_000);
    site.write(&late, SECRET);
    site.memory.pass_seconds(REFRESH + 1);
    assert_eq!(site.leads_to(), "one");
    site.write(&change(3, Some(two), 0), SECRET);
    site.memory.pass_seconds(REFRESH + 1);
    assert_eq!(
        site.leads_to(),
        "two",
        "a later number, whatever its clock says"
    );
}

#[test]
fn a_rollback_to_the_deployed_policy_needs_no_document() {
    let site = Pushed::new();
    site.push(leading_to("pushed"));
    site.leads_to();
    site.point_to(None);
    site.memory.pass_seconds(REFRESH + 1);
    let reads = site.memory.reads();
    assert_eq!(site.leads_to(), "deployed");
    assert_eq!(site.memory.reads() - reads, 1);
    let version = Version::of(&leading_to("deployed").text());
    site.point_to(Some(version));
    site.memory.pass_seconds(REFRESH + 1);
    assert_eq!(site.leads_to(), "deployed", "and is known by its version");
}

#[test]
fn a_request_in_flight_ends_under_its_own_policy() {
    let site = Pushed::of(leading_to("deployed").with("server_timing", json!(true)));
    let (gateway, sent) = site.send(get("https://app.test/", &[]));
    site.push(policy([]));
    site.memory.pass_seconds(REFRESH + 1);
    assert_eq!(site.leads_to(), "404");
    let forward = sent.forwarded().forward;
    site.memory.take_log();
    let headers = http::HeaderMap::new();
    let finish = gateway.finish(&site.memory, &forward, 200, &headers);
    let edits = site.memory.run(finish);
    assert!(!edits.is_empty(), "its own `Server-Timing`");
    let line: Value = serde_json::from_str(&site.memory.take_log()[0]).unwrap();
    let own = site.deployment.deployed().version().unwrap();
    assert_eq!(line["policy"], own.short());
}

#[test]
fn the_settings_are_those_of_the_deployed_policy() {
    let site = Pushed::new();
    let never = json!({ "refresh": null, "on_store_failure": "refuse" });
    site.push(leading_to("never").with("policies", never));
    assert_eq!(site.leads_to(), "never");
    site.push(leading_to("next"));
    site.memory.pass_seconds(REFRESH + 1);
    assert_eq!(
        site.leads_to(),
        "next",
        "a push cannot keep the next one out"
    );
}

#[test]
fn a_clock_that_is_set_back_has_it_looked_up() {
    let site = Pushed::new();
    site.leads_to();
    site.memory.set_back_seconds(3_600);
    site.write(&change(1, None, 0), SECRET);
    let reads = site.memory.reads();
    assert_eq!(site.leads_to(), "deployed");
    assert_eq!(site.memory.reads() - reads, 1);
    assert_eq!(site.deployment.changes().in_force.number, 1);
    assert_eq!(site.deployment.changes().in_force.at, NOW);
}

#[test]
fn health_and_log_say_the_version_and_strict_health_does_not() {
    for strict in [false, true] {
        let document = leading_to("deployed")
            .with("api_hosts", json!(["api.test"]))
            .mode(strict);
        let site = Pushed::of(document);
        let pushed = leading_to("pushed")
            .with("api_hosts", json!(["api.test"]))
            .mode(strict);
        let deployed = site.deployment.deployed().version().unwrap().clone();
        let expect = |version: &Version| {
            for path in ["alive", "ready"] {
                site.memory.take_log();
                let (_, sent) = site.send(get(&format!("https://api.test/health/{path}"), &[]));
                let expected = if strict {
                    "{\"status\":\"ok\"}\n".to_owned()
                } else {
                    format!(r#"{{"status":"ok","policy":"{version}"}}"#)
                };
                assert_eq!(sent.answered().body, expected);
                let lines = site.memory.take_log();
                let line: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
                assert_eq!(line["policy"], version.short());
            }
        };
        expect(&deployed);
        let version = site.push(pushed);
        site.memory.pass_seconds(REFRESH + 1);
        expect(&version);
    }
}

#[test]
fn a_new_instance_that_finds_garbage_has_the_deployed_policy_and_asks_no_more_than_others() {
    let site = Pushed::new();
    site.memory
        .store()
        .insert(CURRENT.to_owned(), "garbage".to_owned());
    for _ in 0..100 {
        assert_eq!(site.leads_to_and_settles(), "deployed");
        site.memory.pass_seconds(1);
    }
    let looks = site.memory.reads();
    assert!(looks <= 20, "{looks} in 100 s");
}

#[test]
fn who_may_ask_why_is_said_by_the_deployed_policy() {
    let site = Pushed::new();
    let runtime = Explaining::new(site.memory.clone());
    for (secret, status) in [(Value::Null, 200), (json!("REVOCATION_SECRET"), 200)] {
        let next = leading_to(&format!("pushed-{}", secret.is_null()));
        site.push(next.with("operator_secret", secret));
        site.memory.pass_seconds(REFRESH + 1);
        let url = "https://app.test/";
        let now = site.memory.milliseconds() / 1_000;
        let statement = Statement::new(Purpose::Explain, "GET", url)
            .sign(OPERATOR_SECRET.as_bytes(), now + 1)
            .unwrap();
        let raw = get(url, &[("edge-explain", &statement)]);
        let (gateway, decision) = site.memory.run(site.deployment.decide(&runtime, raw));
        assert_eq!(gateway.version(), site.stored().in_force.version.as_ref());
        let sent = Sent::new(decision, http::HeaderMap::new());
        assert_eq!(sent.status(), status);
    }
}
