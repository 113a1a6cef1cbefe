//! Signing keys: read from the store, made when they are due, and kept while the store fails.

use edgekeeper_token::algorithm::Algorithm;
use edgekeeper_token::entry::KeyEntry;
use edgekeeper_token::jwk::Jwks;
use edgekeeper_token::jwt;
use edgekeeper_token::key::SigningKey;
use edgekeeper_token::retire::{Haste, Successor, retire};
use edgekeeper_token::rotation::{RING_RELOAD, Rotation};
use edgekeeper_token::seal::Sealer;
use serde_json::{Value, json};

use crate::memory::{SECRET, Task, step};
use crate::policy::{id_token, policy, rule, set};
use crate::site::{Site, get, header};

const DAY: u64 = 86_400;

fn document(development: bool) -> crate::policy::Document {
    let web = set(
        rule("web", "https://app.test/<.*>"),
        "mutators",
        json!([id_token("", 900)]),
    );
    policy([web]).with(
        "keys",
        json!({ "development": development, "rotation": 29 * DAY }),
    )
}

fn site(development: bool) -> Site {
    Site::new(document(development))
}

/// A site whose key was made long ago.
fn site_with_key() -> Site {
    let site = site(false);
    site.memory
        .run(site.gateway.scheduled(&site.memory))
        .unwrap();
    site.memory.pass_seconds(DAY / 2);
    site
}

fn status(site: &Site) -> u16 {
    site.send(get("https://app.test/", &[])).status()
}

fn kids(site: &Site) -> Vec<String> {
    let answer = site
        .send(get("https://app.test/.well-known/jwks.json", &[]))
        .answered();
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    let keys = document["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn token(site: &Site) -> String {
    let forwarded = site.send(get("https://app.test/", &[])).forwarded();
    let authorization = &forwarded.values("authorization")[0];
    authorization.trim_start_matches("Bearer ").to_owned()
}

/// The key that signed a token.
fn signer(site: &Site, token: &str) -> String {
    let published = published(site);
    let now = site.memory.milliseconds() / 1_000;
    let verified = |kid: &&String| {
        let key = published.find(kid).unwrap().clone();
        jwt::verify(token, &Jwks::new(vec![key]), now, 0).is_ok()
    };
    kids(site).iter().find(verified).unwrap().clone()
}

fn published(site: &Site) -> Jwks {
    let path = "https://app.test/.well-known/jwks.json";
    Jwks::parse(&site.send(get(path, &[])).answered().body).unwrap()
}

/// What `edgekeeper keys retire` does to the store.
fn retire_in_store(site: &Site, kid: &str, haste: Haste) {
    let entries: Vec<KeyEntry> = site
        .memory
        .store()
        .iter()
        .map(|(name, value)| KeyEntry::parse(name, value).unwrap())
        .collect();
    let now = site.memory.milliseconds() / 1_000;
    let successor = Successor {
        key: &SigningKey::generate(Algorithm::EdDsa, &[42; 32]).unwrap(),
        created: now,
        nonces: [[1; 24], [2; 24]],
    };
    let rotation = Rotation::new(29 * DAY, 900).unwrap();
    let sealer = Sealer::new(SECRET.as_bytes()).unwrap();
    let entry = retire(rotation, &entries, &sealer, kid, haste, &successor, now).unwrap();
    let value = entry.to_json().unwrap();
    site.memory.store().insert(entry.name(), value);
}

#[test]
fn a_key_that_is_retired_at_once_is_nowhere_half_a_minute_later_and_its_kept_tokens_are_given_to_nobody()
 {
    let site = site_with_key();
    let old_token = token(&site);
    let old = signer(&site, &old_token);
    site.memory.pass_seconds(RING_RELOAD - 1);
    assert_eq!(token(&site), old_token, "the token is kept");
    retire_in_store(&site, &old, Haste::Now);
    site.memory.pass_seconds(RING_RELOAD);
    let new_token = token(&site);
    assert_ne!(signer(&site, &new_token), old);
    assert!(!kids(&site).contains(&old), "it is not published");
    let now = site.memory.milliseconds() / 1_000;
    assert!(jwt::verify(&old_token, &published(&site), now, 0).is_err());
}

#[test]
fn a_key_that_is_retired_gently_signs_until_verifiers_know_the_new_one() {
    let site = site_with_key();
    let old = signer(&site, &token(&site));
    retire_in_store(&site, &old, Haste::None);
    let settle = Rotation::new(29 * DAY, 900).unwrap().settle();
    for (seconds, is_old) in [
        (RING_RELOAD, true),
        (settle - RING_RELOAD - 1, true),
        (1, false),
    ] {
        site.memory.pass_seconds(seconds);
        let token = token(&site);
        assert_eq!(signer(&site, &token) == old, is_old, "{seconds}");
        assert!(kids(&site).contains(&old));
    }
}

#[test]
fn in_development_keys_may_change_every_five_seconds_and_each_token_verifies_from_any_set_that_may_be_kept()
 {
    let web = set(
        rule("web", "https://app.test/<.*>"),
        "mutators",
        json!([id_token("", 5)]),
    );
    let site = Site::new(policy([web]).with("keys", json!({ "development": true, "rotation": 5 })));
    let answer = site
        .send(get("https://app.test/.well-known/jwks.json", &[]))
        .answered();
    assert_eq!(header(&answer, "cache-control"), Some("public, max-age=1"));
    let mut kept = published(&site);
    let mut tokens: Vec<(u64, String)> = Vec::new();
    let mut all = std::collections::BTreeSet::new();
    for _ in 0..60 {
        site.memory.pass_seconds(1);
        let now = site.memory.milliseconds() / 1_000;
        tokens.push((now, token(&site)));
        tokens.retain(|(made, _)| now < made + 5);
        let fresh = published(&site);
        for (_, token) in &tokens {
            for set in [&kept, &fresh] {
                // A kept token may have come to its end meanwhile.
                match jwt::verify(token, set, now, 0) {
                    Ok(_) => {}
                    Err(error) => assert!(error.to_string().contains("expired"), "{error}"),
                }
            }
        }
        all.extend(kids(&site));
        kept = fresh;
    }
    assert!(all.len() >= 12, "{} keys", all.len());
    let periods = site.memory.store().len();
    assert!(
        (12..=14).contains(&periods),
        "{periods} keys: each period has one"
    );
}

#[test]
fn without_a_key_it_is_503_and_the_log_says_what_to_do() {
    let site = site(false);
    assert_eq!(status(&site), 503);
    let log = site.memory.take_log().join("\n");
    assert!(log.contains("edgekeeper keys new"), "{log}");
    assert_eq!(
        site.memory.writes(),
        0,
        "production makes no key on the way"
    );
}

#[test]
fn without_a_secret_it_is_503_and_the_log_says_what_to_do() {
    for (secret, expected) in [(None, "KEYS_SECRET is not set"), (Some("short"), "32")] {
        let site = site(true);
        site.memory.set_secret(secret);
        assert_eq!(status(&site), 503);
        let log = site.memory.take_log().join("\n");
        assert!(log.contains(expected), "{log}");
        assert!(
            site.memory
                .run(site.gateway.scheduled(&site.memory))
                .is_err()
        );
    }
}

#[test]
fn a_wrong_secret_is_503_and_overwrites_nothing() {
    let site = site_with_key();
    let before = site.memory.store().clone();
    site.memory
        .set_secret(Some("another secret that is long enough, too"));
    for development in [false, true] {
        let fresh = Site {
            memory: site.memory.clone(),
            gateway: document(development).gateway(),
        };
        assert_eq!(status(&fresh), 503);
    }
    let log = site.memory.take_log().join("\n");
    assert!(log.contains("keys/"), "the log names the entry: {log}");
    assert!(
        !log.contains("another secret") && !log.contains(SECRET),
        "{log}"
    );
    assert_eq!(*site.memory.store(), before);
}

#[test]
fn development_makes_one_key_on_first_use_whoever_asks_first() {
    let site = site(true);
    let sent = site.send_all((0..50).map(|n| get(&format!("https://app.test/{n}"), &[])));
    assert!(sent.iter().all(|one| one.status() == 0));
    assert_eq!(site.memory.writes(), 1);
    assert_eq!(kids(&site).len(), 1);
}

#[test]
fn in_development_a_verifier_may_ask_first() {
    let site = site(true);
    let published = kids(&site);
    assert_eq!(published.len(), 1);
    assert_eq!(status(&site), 0);
    assert_eq!(site.memory.writes(), 1, "the token is signed with that key");
    assert_eq!(kids(&site), published);
}

/// A runtime may stop a request for good in the middle of making the key.
#[test]
fn a_maker_that_is_stopped_blocks_nobody_for_good() {
    for drops in [true, false] {
        let site = site(true);
        let mut maker: Task<'_, _> = Box::pin(
            site.gateway
                .decide(&site.memory, get("https://app.test/", &[])),
        );
        while site.memory.writes() == 0 && site.memory.reads() < 8 && step(&mut maker).is_pending()
        {
            // Its timers run out one by one, until it is about to write.
            site.memory.tick();
        }
        let maker = if drops {
            drop(maker);
            None
        } else {
            Some(maker)
        };
        assert_eq!(status(&site), 0, "dropped: {drops}");
        drop(maker);
    }
}

#[test]
fn f77_the_last_good_ring_stays_while_the_store_fails() {
    let site = site_with_key();
    assert_eq!(status(&site), 0);
    let known = kids(&site);
    site.memory.set_store_fails(true);
    site.memory.pass_seconds(RING_RELOAD + 1);
    assert_eq!(status(&site), 0);
    assert_eq!(kids(&site), known);
    let log = site.memory.take_log().join("\n");
    assert!(log.contains("the known ones stay"), "{log}");
    // An instance that knows none fails closed.
    let fresh = Site {
        memory: site.memory.clone(),
        gateway: document(false).gateway(),
    };
    assert_eq!(status(&fresh), 503);
    assert_eq!(
        fresh
            .send(get("https://app.test/.well-known/jwks.json", &[]))
            .status(),
        503
    );
}

/// The store fails for an instance before the next key is there, and the key's period begins.
#[test]
fn a_ring_that_lacks_the_key_of_a_new_period_signs_and_is_published_only_while_it_can_be_right() {
    let rotation = Rotation::new(29 * DAY, 900).unwrap();
    for (before, after, token, keys) in [
        // Seconds from the last reading to the new period, and from there to the requests.
        (400, 0, 503, (503, None)),
        (DAY, 0, 503, (503, None)),
        (200, 0, 0, (200, Some("no-store"))),
        (200, 129, 0, (200, Some("no-store"))),
        (200, 130, 503, (503, None)),
        (20, 0, 0, (200, Some("public, max-age=300"))),
        (20, 9, 0, (200, Some("public, max-age=300"))),
        (20, 10, 0, (200, Some("no-store"))),
    ] {
        let site = site_with_key();
        let now = site.memory.milliseconds() / 1_000;
        let begins = rotation.start(rotation.signing_period(now) + 1);
        site.memory.pass_seconds(begins - before - now);
        assert_eq!(status(&site), 0);
        site.memory.set_store_fails(true);
        site.memory.pass_seconds(before + after);
        let what = format!("{before} s before, {after} s after");
        assert_eq!(status(&site), token, "{what}");
        let answer = site
            .send(get("https://app.test/.well-known/jwks.json", &[]))
            .answered();
        let cached = header(&answer, "cache-control").filter(|_| answer.status == 200);
        assert_eq!((answer.status, cached), keys, "{what}");
        if token == 503 {
            let log = site.memory.take_log().join("\n");
            assert!(
                log.contains("the key of this period is not among them"),
                "{log}"
            );
        }
        // With the store it is as before: the last key signs on until a new one has settled.
        site.memory.set_store_fails(false);
        site.memory.pass_seconds(6);
        assert_eq!(status(&site), 0, "{what}");
    }
}

#[test]
fn before_its_period_ends_a_ring_may_be_published_but_not_be_kept_where_the_next_key_may_be_missing()
 {
    let rotation = Rotation::new(29 * DAY, 900).unwrap();
    for (before, lasts) in [(301, true), (300, false), (1, false)] {
        let site = site_with_key();
        let now = site.memory.milliseconds() / 1_000;
        let begins = rotation.start(rotation.signing_period(now) + 1);
        assert_eq!(status(&site), 0);
        site.memory.set_store_fails(true);
        site.memory.pass_seconds(begins - before - now);
        assert_eq!(status(&site), 0);
        let answer = site
            .send(get("https://app.test/.well-known/jwks.json", &[]))
            .answered();
        let expected = if lasts {
            "public, max-age=300"
        } else {
            "no-store"
        };
        assert_eq!(header(&answer, "cache-control"), Some(expected), "{before}");
    }
}

#[test]
fn a_ring_with_the_next_key_signs_through_a_rotation_without_the_store() {
    let rotation = Rotation::new(29 * DAY, 900).unwrap();
    let site = site_with_key();
    let now = site.memory.milliseconds() / 1_000;
    let begins = rotation.start(rotation.signing_period(now) + 1);
    site.memory.pass_seconds(begins - DAY - now);
    site.memory
        .run(site.gateway.scheduled(&site.memory))
        .unwrap();
    assert_eq!(status(&site), 0);
    let first = signer(&site, &token(&site));
    site.memory.set_store_fails(true);
    site.memory.pass_seconds(DAY + 10);
    let second = signer(&site, &token(&site));
    assert_ne!(first, second, "the key of the new period signs");
}

#[test]
fn f77_the_last_good_ring_stays_while_entries_are_absent_or_corrupt() {
    for damaged in [
        None,
        Some(""),
        Some("{}"),
        Some("null"),
        Some("{\"format\":99}"),
    ] {
        let site = site_with_key();
        assert_eq!(status(&site), 0);
        let known = kids(&site);
        let names: Vec<String> = site.memory.store().keys().cloned().collect();
        for name in names {
            match damaged {
                Some(text) => site.memory.store().insert(name, text.to_owned()),
                None => site.memory.store().remove(&name),
            };
        }
        site.memory.pass_seconds(RING_RELOAD + 1);
        assert_eq!(status(&site), 0, "{damaged:?}");
        assert_eq!(kids(&site), known, "{damaged:?}");
        let fresh = Site {
            memory: site.memory.clone(),
            gateway: document(false).gateway(),
        };
        assert_eq!(
            status(&fresh),
            503,
            "{damaged:?}: a fresh instance fails closed"
        );
    }
}

#[test]
fn the_ring_is_read_twice_a_minute() {
    let site = site_with_key();
    status(&site);
    let reads = site.memory.reads();
    for _ in 0..20 {
        assert_eq!(status(&site), 0);
        kids(&site);
    }
    assert_eq!(site.memory.reads(), reads);
    site.memory.pass_seconds(RING_RELOAD);
    status(&site);
    assert!(site.memory.reads() > reads);
}

#[test]
fn the_schedule_makes_each_key_once_and_before_it_signs() {
    let site = site(false);
    let run = || {
        site.memory
            .run(site.gateway.scheduled(&site.memory))
            .unwrap()
    };
    run();
    assert_eq!(site.memory.writes(), 1, "the first, for now");
    for _ in 0..3 {
        run();
    }
    let after_first = site.memory.writes();
    assert!(after_first <= 2, "and the next if it is due");
    let first = kids(&site);
    // Through two periods, an hour at a time.
    for _ in 0..(60 * 24) {
        site.memory.pass_seconds(3_600);
        run();
    }
    assert!(
        (after_first + 1..=after_first + 3).contains(&site.memory.writes()),
        "{}",
        site.memory.writes()
    );
    assert_eq!(status(&site), 0);
    assert_ne!(kids(&site), first);
}

#[test]
fn the_schedule_does_nothing_where_no_rule_mints() {
    let site = Site::new(policy([rule("web", "https://app.test/<.*>")]));
    site.memory
        .run(site.gateway.scheduled(&site.memory))
        .unwrap();
    assert_eq!(site.memory.reads() + site.memory.writes(), 0);
}

#[test]
fn the_schedule_tells_when_the_store_fails() {
    let site = site(false);
    site.memory.set_store_fails(true);
    assert!(
        site.memory
            .run(site.gateway.scheduled(&site.memory))
            .is_err()
    );
}

#[test]
fn a_token_verifies_through_every_rotation() {
    let site = site(false);
    for _ in 0..(70 * 4) {
        site.memory
            .run(site.gateway.scheduled(&site.memory))
            .unwrap();
        let forwarded = site.send(get("https://app.test/", &[])).forwarded();
        let token = forwarded.values("authorization")[0]
            .trim_start_matches("Bearer ")
            .to_owned();
        // At once, and as long as it lasts: it has a tenth of 900 seconds left when it is given out last.
        for seconds in [0, 85] {
            site.memory.pass_seconds(seconds);
            let answer = site
                .send(get("https://app.test/.well-known/jwks.json", &[]))
                .answered();
            let jwks = edgekeeper_token::jwk::Jwks::parse(&answer.body).unwrap();
            let now = site.memory.milliseconds() / 1_000;
            edgekeeper_token::jwt::verify(&token, &jwks, now, 0).unwrap();
        }
        site.memory.pass_seconds(6 * 3_600);
    }
}

#[test]
fn the_store_holds_no_private_key_in_the_clear_and_the_log_no_secret() {
    let site = site(true);
    status(&site);
    let store = format!("{:?}", site.memory.store());
    assert!(!store.contains(r#"\"d\""#), "{store}");
    let log = site.memory.take_log().join("\n");
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn the_key_set_may_be_kept_for_minutes_and_an_empty_one_not_at_all() {
    let full = site_with_key()
        .send(get("https://app.test/.well-known/jwks.json", &[]))
        .answered();
    assert_eq!(header(&full, "cache-control"), Some("public, max-age=300"));
    assert_eq!(header(&full, "access-control-allow-origin"), Some("*"));
    assert!(!full.body.contains("\"d\""), "{}", full.body);
    let empty = site(false)
        .send(get("https://app.test/.well-known/jwks.json", &[]))
        .answered();
    assert_eq!((empty.status, empty.body.as_str()), (200, r#"{"keys":[]}"#));
    assert_eq!(header(&empty, "cache-control"), Some("no-store"));
}

#[test]
fn a_rotation_or_algorithm_that_is_none_is_refused_when_the_policy_is_put_in_force() {
    for keys in [
        json!({ "rotation": 1 }),
        json!({ "algorithm": "none" }),
        json!({ "algorithm": "HS256" }),
    ] {
        let web = set(
            rule("web", "https://app.test/<.*>"),
            "mutators",
            json!([id_token("", 900)]),
        );
        assert!(
            policy([web])
                .with("keys", keys.clone())
                .try_gateway()
                .is_err(),
            "{keys}"
        );
    }
}
