use super::*;
use crate::algorithm::Algorithm;
use crate::entry::entry_name;
use crate::rotation::{CLOCK_SKEW, JWKS_MAX_AGE, KV_SPREAD, RING_RELOAD};

const HOUR: u64 = 3_600;
const TTL: u64 = 900;
const SETTLE: u64 = KV_SPREAD + RING_RELOAD + JWKS_MAX_AGE + CLOCK_SKEW;

fn sealer() -> Sealer {
    Sealer::new(b"0123456789abcdef0123456789abcdef").unwrap()
}

fn rotation() -> Rotation {
    Rotation::new(HOUR, TTL).unwrap()
}

/// A key that depends on its period only.
fn key_of(period: u64) -> SigningKey {
    let byte = u8::try_from(period % 200).unwrap() + 1;
    SigningKey::generate(Algorithm::EdDsa, &[byte; 32]).unwrap()
}

fn stored(period: u64, created: u64) -> (String, String) {
    let key = key_of(period);
    let entry = KeyEntry::seal(&sealer(), &key, rotation(), period, created, [1; 24]).unwrap();
    (entry_name(period), entry.to_json().unwrap())
}

fn open(entries: &[(String, String)]) -> (KeyRing, Vec<EntryError>) {
    let entries = entries
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    KeyRing::open(rotation(), entries, &sealer())
}

fn ring(keys: &[(u64, u64)]) -> KeyRing {
    let entries: Vec<_> = keys
        .iter()
        .map(|&(period, created)| stored(period, created))
        .collect();
    let (ring, errors) = open(&entries);
    assert!(errors.is_empty(), "{errors:?}");
    ring
}

/// The same without sealing and opening.
fn ring_in_memory(keys: &[(u64, u64)]) -> KeyRing {
    let mut succession = Succession::new(rotation());
    for &(period, created) in keys {
        succession.insert(Place {
            period,
            created,
            since: None,
            key: key_of(period),
        });
    }
    KeyRing { keys: succession }
}

fn signing_period(ring: &KeyRing, now: u64) -> Option<u64> {
    let kid = ring.signing(now)?.kid();
    ring.states(now)
        .find(|(_, public, _)| public.kid() == kid)
        .map(|(period, _, _)| period)
}

#[test]
fn keys_made_in_time_have_the_states_of_their_rotation() {
    let rotation = rotation();
    let keys: Vec<_> = (10..16)
        .map(|period| (period, rotation.start(period) - rotation.lead()))
        .collect();
    let ring = ring(&keys);
    // The last one has no successor yet, so it is left out.
    for now in (10 * HOUR..15 * HOUR).step_by(11) {
        for (period, _, state) in ring.states(now).filter(|(period, _, _)| *period < 15) {
            assert_eq!(
                state,
                rotation.state(period, now),
                "period {period} at {now}"
            );
        }
    }
}

#[test]
fn the_last_good_key_signs_on_and_stays_public_when_rotation_was_missed() {
    let ring = ring(&[(9, 8 * HOUR), (10, 9 * HOUR)]);
    for now in [10 * HOUR, 11 * HOUR, 12 * HOUR, 13 * HOUR - 1] {
        assert_eq!(signing_period(&ring, now), Some(10), "at {now}");
        let kid = ring.signing(now).unwrap().kid().to_owned();
        assert!(ring.jwks(now).find(&kid).is_some(), "at {now}");
    }
    // Longer than isolates load it for: no token rather than one that soon fails to verify.
    assert!(ring.signing(13 * HOUR).is_none());
}

#[test]
fn a_key_made_late_waits_until_verifiers_can_know_it() {
    let made = 11 * HOUR + 600;
    let ring = ring(&[(10, 9 * HOUR), (11, made)]);
    for (now, signing) in [(made, 10), (made + SETTLE - 1, 10), (made + SETTLE, 11)] {
        assert_eq!(signing_period(&ring, now), Some(signing), "at {now}");
        assert_eq!(ring.jwks(now).keys().len(), 2, "at {now}");
    }
    // The old key retires from when it really stopped signing, not from when it should have.
    let last_token = made + SETTLE - 1;
    assert_eq!(ring.jwks(last_token + TTL + 60).keys().len(), 2);
    assert_eq!(
        ring.jwks(made + SETTLE + rotation().retirement())
            .keys()
            .len(),
        1
    );
}

#[test]
fn a_first_key_signs_at_once() {
    let made = 10 * HOUR + 5;
    let ring = ring(&[(10, made)]);
    assert_eq!(signing_period(&ring, made), Some(10));
    let states: Vec<_> = ring.states(made).map(|(_, _, state)| state).collect();
    assert_eq!(states, [KeyState::Signing]);
}

#[test]
fn a_second_key_does_not_take_over_from_a_first_one_that_is_just_as_new() {
    let made = 11 * HOUR - 5;
    let ring = ring(&[(10, made), (11, made + 10)]);
    assert_eq!(signing_period(&ring, made + 20), Some(10));
    assert_eq!(signing_period(&ring, made + 10 + SETTLE), Some(11));
}

#[test]
fn a_key_of_the_future_does_not_sign() {
    let ring = ring(&[(10, HOUR)]);
    assert!(ring.signing(10 * HOUR - 1).is_none());
    assert_eq!(ring.jwks(10 * HOUR - 1).keys().len(), 1);
    let (empty, _) = open(&[]);
    assert!(empty.is_empty() && empty.signing(0).is_none());
    assert_eq!(empty.jwks(0).to_json(), r#"{"keys":[]}"#);
}

#[test]
fn entries_that_cannot_be_used_are_reported_and_the_others_work() {
    let good = stored(10, 9 * HOUR);
    let swapped = (entry_name(11), stored(12, 9 * HOUR).1);
    let other = Rotation::new(2 * HOUR, TTL).unwrap();
    let key = SigningKey::generate(Algorithm::EdDsa, &[1; 32]).unwrap();
    let other = KeyEntry::seal(&sealer(), &key, other, 13, 0, [1; 24]).unwrap();
    let foreign = (other.name(), other.to_json().unwrap());
    let html = (entry_name(14), "<html>".to_owned());
    let (ring, errors) = open(&[swapped, foreign, good.clone(), html, good]);
    assert_eq!(signing_period(&ring, 10 * HOUR), Some(10));
    assert_eq!(ring.jwks(10 * HOUR).keys().len(), 1);
    let problems: Vec<_> = errors.iter().map(EntryError::problem).collect();
    assert!(
        matches!(
            problems[..],
            [
                EntryProblem::Name,
                EntryProblem::Length {
                    found: 7_200,
                    expected: HOUR
                },
                EntryProblem::Json(_),
                EntryProblem::Repeated,
            ]
        ),
        "{errors:?}"
    );
}

#[test]
fn the_order_of_keys_does_not_depend_on_the_order_of_entries() {
    let entries = [
        stored(10, 9 * HOUR),
        stored(11, 10 * HOUR),
        stored(12, 11 * HOUR),
    ];
    let mut reversed = entries.clone();
    reversed.reverse();
    let now = 11 * HOUR + 1;
    assert_eq!(open(&entries).0.jwks(now), open(&reversed).0.jwks(now));
}

/// Isolates load the store as it was up to `KV_SPREAD + RING_RELOAD` ago; verifiers hold a JWKS
/// that any such isolate served up to `JWKS_MAX_AGE` ago. Scheduled events fail now and then.
#[test]
fn whoever_signs_and_whatever_a_verifier_holds_every_living_token_verifies() {
    let rotation = rotation();
    let mut missed_rotations = 0;
    for seed in 0..12_u64 {
        // A deploy somewhere in the middle of a period, then a scheduled event every five minutes
        // that fails for hours at a time.
        let deployed = 100 * HOUR + seed * 311;
        let mut store: Vec<(u64, u64)> = vec![(rotation.signing_period(deployed), deployed)];
        let mut random = seed + 1;
        let mut down_until = 0;
        let end = deployed + 14 * HOUR;
        for now in (deployed..end).step_by(300) {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // Outages do not follow each other so closely that two periods pass without a key.
            if now > down_until + 2 * HOUR && (random >> 33).is_multiple_of(12) {
                down_until = now + (random >> 40) % (2 * HOUR);
            }
            if now < down_until {
                continue;
            }
            let has = |period| store.iter().any(|&(stored, _)| stored == period);
            if let Some(period) = rotation.next_due(now, has) {
                missed_rotations += u64::from(period == rotation.signing_period(now));
                store.push((period, now));
            }
        }
        let whole = ring_in_memory(&store);
        // A ring as loaded from the store as it was at `written`, for the periods of `loaded`.
        let seen = |written: u64, loaded: u64| {
            let periods = rotation.periods_at(loaded);
            let keys: Vec<_> = whole
                .keys
                .places()
                .iter()
                .filter(|key| key.created <= written && periods.contains(&key.period))
                .map(|key| (key.period, key.created))
                .collect();
            keys
        };
        let mut rings = std::collections::HashMap::new();
        let stale = KV_SPREAD + RING_RELOAD;
        let first = deployed + stale + JWKS_MAX_AGE;
        for now in (first..end).step_by(97) {
            for signer_age in [0, stale] {
                let keys = seen(now - signer_age, now);
                let signer = rings
                    .entry(keys.clone())
                    .or_insert_with(|| ring_in_memory(&keys));
                let kid = signer
                    .signing(now)
                    .expect("a key signs at any time")
                    .kid()
                    .to_owned();
                // The verifier fetched just before, or fetches at the last moment of the token.
                for (fetched, server_age) in [
                    (now - JWKS_MAX_AGE, stale),
                    (now - JWKS_MAX_AGE, 0),
                    (now, stale),
                    (now + TTL, 0),
                    (now + TTL, stale),
                ] {
                    let keys = seen(fetched - server_age, fetched);
                    let server = rings
                        .entry(keys.clone())
                        .or_insert_with(|| ring_in_memory(&keys));
                    assert!(
                        server.jwks(fetched).find(&kid).is_some(),
                        "seed {seed}: signed at {now}, JWKS of {fetched}, {server_age} s stale"
                    );
                }
            }
        }
    }
    assert!(
        missed_rotations > 3,
        "the test must see late keys, saw {missed_rotations}"
    );
}
