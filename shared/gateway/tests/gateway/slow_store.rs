//! A second tier that is slow, or hangs, holds nobody up for long.

use edgekeeper_gateway::runtime::SHARED_PREFIX;
use serde_json::json;

use crate::component::Deployment;
use crate::policy::{Document, policy, session_rule};
use crate::site::session;

/// Longer than any test waits.
const HANGS: u64 = 3_600_000;

fn document() -> Document {
    policy([session_rule("web", "https://app.test/<.*>")]).with("session", json!({ "ttl": 60 }))
}

fn with_ada<const CLAIMS: bool>(deployment: Deployment<CLAIMS>) -> Deployment<CLAIMS> {
    deployment
        .world()
        .script("kratos", "ory_kratos_session=ada", session("ada").reply());
    deployment
}

/// How many milliseconds something takes by the clock of the world.
fn time<const CLAIMS: bool>(deployment: &Deployment<CLAIMS>, work: impl FnOnce()) -> u64 {
    let began = deployment.world().milliseconds();
    work();
    deployment.world().milliseconds() - began
}

#[test]
fn a_store_that_hangs_costs_a_session_half_a_second_where_nothing_is_claimed() {
    let deployment = with_ada(Deployment::without_claims(document));
    let world = deployment.world();
    world.set_store_takes(HANGS);
    let instance = deployment.instance();
    let took = time(&deployment, || assert_eq!(deployment.ada(&instance), 0));
    assert!((500..600).contains(&took), "{took} ms");
    assert_eq!(world.questions(), 1, "Kratos is asked");
    let log = world.take_log().join("\n");
    assert!(log.contains("did not answer within 500 ms"), "{log}");

    let took = time(&deployment, || assert_eq!(deployment.ada(&instance), 0));
    assert_eq!(took, 0, "memory is believed for a second");
    world.pass_seconds(1);
    let took = time(&deployment, || assert_eq!(deployment.ada(&instance), 0));
    assert!((500..600).contains(&took), "a look at the store: {took} ms");
    let took = time(&deployment, || {
        for _ in 0..10 {
            assert_eq!(deployment.ada(&instance), 0);
        }
    });
    assert_eq!(took, 0, "and then for another second");
    assert_eq!(world.questions(), 1);
    let behind = time(&deployment, || world.run_later());
    assert!(behind <= 500, "behind the response: {behind} ms");
}

#[test]
fn a_store_that_hangs_costs_a_session_a_second_where_questions_are_claimed() {
    let deployment = with_ada(Deployment::new(document));
    deployment.world().set_store_takes(HANGS);
    let took = time(&deployment, || assert_eq!(deployment.ada_fresh(), 0));
    assert!((1_000..1_200).contains(&took), "{took} ms");
    assert_eq!(deployment.world().questions(), 1);
}

#[test]
fn a_store_that_is_slow_still_shares() {
    let deployment = with_ada(Deployment::without_claims(document));
    let world = deployment.world();
    world.set_store_takes(400);
    assert_eq!(deployment.ada_fresh(), 0);
    world.run_later();
    assert_eq!(deployment.ada_fresh(), 0);
    assert_eq!(world.questions(), 1);
    let log = world.take_log().join("\n");
    assert!(!log.contains("not shared"), "{log}");
}

#[test]
fn a_logout_has_more_patience_with_a_slow_store_and_no_more_than_two_seconds() {
    let deployment = with_ada(Deployment::new(document));
    let world = deployment.world();
    let (warm, other) = (deployment.instance(), deployment.instance());
    assert_eq!(deployment.ada(&warm), 0);
    assert_eq!(deployment.ada(&other), 0);
    world.set_store_takes(1_500);
    deployment.log_out(&other);
    world.set_store_takes(1);
    assert_eq!(deployment.ada(&warm), 401);
    assert_eq!(deployment.ada_fresh(), 401);

    let deployment = with_ada(Deployment::new(document));
    let instance = deployment.instance();
    assert_eq!(deployment.ada(&instance), 0);
    deployment.world().set_store_takes(HANGS);
    let took = time(&deployment, || deployment.log_out(&instance));
    assert!((2_000..2_100).contains(&took), "{took} ms");
}

#[test]
fn a_claim_that_came_too_late_is_given_back() {
    let deployment = with_ada(Deployment::new(document));
    let world = deployment.world();
    // Two of these are more than an instance waits for: the claim is there, and its maker was not told.
    world.set_store_takes(300);
    assert_eq!(deployment.ada_fresh(), 0);
    let [record] = deployment.shared().try_into().unwrap();
    assert!(
        !record.starts_with(&format!("{SHARED_PREFIX}asking")),
        "{record}"
    );
    world.set_store_takes(1);
    let took = time(&deployment, || assert_eq!(deployment.ada_fresh(), 0));
    assert!(took < 10, "nobody waits for a claim: {took} ms");
    assert_eq!(world.questions(), 1);
}
