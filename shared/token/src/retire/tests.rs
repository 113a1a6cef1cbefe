use std::collections::BTreeMap;

use super::*;
use crate::algorithm::Algorithm;
use crate::entry::{EntryProblem, entry_name};
use crate::jwk::PublicJwk;
use crate::ring::KeyRing;
use crate::rotation::{JWKS_MAX_AGE, KV_SPREAD, RING_RELOAD};

const HOUR: u64 = 3_600;
const TTL: u64 = 900;

fn sealer() -> Sealer {
    Sealer::new(b"0123456789abcdef0123456789abcdef").unwrap()
}

fn rotation() -> Rotation {
    Rotation::new(HOUR, TTL).unwrap()
}

fn key(number: u64) -> SigningKey {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    SigningKey::generate(Algorithm::EdDsa, &seed).unwrap()
}

fn kid(number: u64) -> String {
    key(number).kid().to_owned()
}

fn made(number: u64, period: u64, created: u64) -> KeyEntry {
    KeyEntry::seal(
        &sealer(),
        &key(number),
        rotation(),
        period,
        created,
        [1; 24],
    )
    .unwrap()
}

fn try_retire(
    entries: &[KeyEntry],
    old: &str,
    haste: Haste,
    new: u64,
    now: u64,
) -> Result<KeyEntry, RetireError> {
    let successor = Successor {
        key: &key(new),
        created: now,
        nonces: [[2; 24], [3; 24]],
    };
    retire(rotation(), entries, &sealer(), old, haste, &successor, now)
}

/// Retires a key, and checks that the gateway reads what comes of it.
fn retired(entries: &mut Vec<KeyEntry>, old: u64, haste: Haste, new: u64, now: u64) {
    let entry = try_retire(entries, &kid(old), haste, new, now).unwrap();
    let name = entry.name();
    let read = KeyEntry::parse(&name, &entry.to_json().unwrap()).unwrap();
    assert_eq!(read, entry);
    assert!(read.keys().all(|each| each.open(&sealer()).is_ok()));
    entries.retain(|other| other.name() != name);
    entries.push(entry);
}

fn ring(entries: &[KeyEntry]) -> KeyRing {
    let stored: Vec<_> = entries
        .iter()
        .map(|entry| (entry.name(), entry.to_json().unwrap()))
        .collect();
    let borrowed = stored.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let (ring, errors) = KeyRing::open(rotation(), borrowed, &sealer());
    assert!(errors.is_empty(), "{errors:?}");
    ring
}

fn published(ring: &KeyRing, now: u64) -> Vec<String> {
    let jwks = ring.jwks(now);
    jwks.keys().iter().map(|jwk| jwk.kid().to_owned()).collect()
}

/// Keys 9 and 10 of the periods 9 and 10, made in time.
fn two() -> Vec<KeyEntry> {
    vec![
        made(9, 9, 9 * HOUR - 1_800),
        made(10, 10, 10 * HOUR - 1_800),
    ]
}

#[test]
fn a_key_that_is_replaced_signs_until_the_new_one_has_settled_and_stays_until_its_tokens_are_gone()
{
    let now = 10 * HOUR + 600;
    let mut entries = two();
    retired(&mut entries, 10, Haste::None, 50, now);
    let ring = ring(&entries);
    let settled = now + rotation().settle();
    let gone = rotation().gone_after(settled);
    for (at, signs, has_old) in [
        (now, 10, true),
        (settled - 1, 10, true),
        (settled, 50, true),
        (gone - 1, 50, true),
        (gone, 50, false),
    ] {
        assert_eq!(ring.signing(at).unwrap().kid(), kid(signs), "at {at}");
        assert_eq!(published(&ring, at).contains(&kid(10)), has_old, "at {at}");
        assert!(published(&ring, at).contains(&kid(50)), "at {at}");
    }
    assert!(settled + TTL < gone);
}

#[test]
fn a_key_that_goes_now_is_nowhere_and_those_of_earlier_periods_do_not_come_back() {
    // Key 9 is still published, and late in the period it is gone.
    for now in [10 * HOUR + 60, 10 * HOUR + 1_700] {
        let mut entries = two();
        retired(&mut entries, 10, Haste::Now, 50, now);
        let text: String = entries.iter().map(|each| each.to_json().unwrap()).collect();
        assert!(!text.contains(&kid(10)));
        let ring = ring(&entries);
        for at in [now, now + 60, now + rotation().settle(), 11 * HOUR - 1] {
            assert_eq!(ring.signing(at).unwrap().kid(), kid(50), "at {at}");
            let has_9 = at < rotation().gone_after(10 * HOUR);
            assert_eq!(published(&ring, at).contains(&kid(9)), has_9, "at {at}");
        }
    }
}

#[test]
fn when_a_key_goes_now_the_next_one_signs_if_verifiers_can_know_it() {
    let next_made = 11 * HOUR - 1_800;
    for (now, first) in [
        (next_made + 60, 50),
        (next_made + rotation().settle() - 1, 50),
        (next_made + rotation().settle(), 11),
        (11 * HOUR - 300, 11),
    ] {
        let mut entries = two();
        entries.push(made(11, 11, next_made));
        retired(&mut entries, 10, Haste::Now, 50, now);
        let ring = ring(&entries);
        assert_eq!(ring.signing(now).unwrap().kid(), kid(first), "at {now}");
        let states = ring.states(now).collect::<Vec<_>>();
        let signing = states
            .iter()
            .filter(|(_, _, state)| *state == KeyState::Signing);
        assert_eq!(signing.count(), 1, "at {now}");
        assert_eq!(ring.signing(11 * HOUR).unwrap().kid(), kid(11));
    }
}

#[test]
fn a_published_key_is_replaced_before_it_ever_signs() {
    for haste in [Haste::None, Haste::Now] {
        let mut entries = two();
        let now = 10 * HOUR - 1_000;
        retired(&mut entries, 10, haste, 50, now);
        assert!(!entries[1].to_json().unwrap().contains(&kid(10)));
        // An older version reads it, too.
        assert!(entries[1].to_json().unwrap().starts_with(r#"{"format":1,"#));
        let ring = ring(&entries);
        assert_eq!(ring.signing(10 * HOUR - 1).unwrap().kid(), kid(9));
        assert_eq!(ring.signing(10 * HOUR).unwrap().kid(), kid(50));
    }
    // Too late for that: it signs until the new one may.
    let mut entries = two();
    retired(&mut entries, 10, Haste::None, 50, 10 * HOUR - 100);
    let ring = ring(&entries);
    assert_eq!(ring.signing(10 * HOUR).unwrap().kid(), kid(10));
    let settled = 10 * HOUR - 100 + rotation().settle();
    assert_eq!(ring.signing(settled).unwrap().kid(), kid(50));
}

#[test]
fn a_first_key_can_be_replaced_while_it_is_new() {
    let (made_at, now) = (10 * HOUR + 60, 10 * HOUR + 90);
    let settled = now + rotation().settle();
    let mut entries = vec![made(10, 10, made_at)];
    retired(&mut entries, 10, Haste::None, 50, now);
    let gently = ring(&entries);
    assert_eq!(gently.signing(settled - 1).unwrap().kid(), kid(10));
    assert_eq!(gently.signing(settled).unwrap().kid(), kid(50));
    let mut entries = vec![made(10, 10, made_at)];
    retired(&mut entries, 10, Haste::Now, 50, now);
    assert_eq!(ring(&entries).signing(now).unwrap().kid(), kid(50));
}

#[test]
fn a_key_that_retires_can_go_now_wherever_it_lies() {
    // As the key of the period before.
    let mut entries = two();
    let now = 10 * HOUR + 60;
    retired(&mut entries, 9, Haste::Now, 50, now);
    let ring_then = ring(&entries);
    assert_eq!(ring_then.signing(now).unwrap().kid(), kid(10));
    assert!(!published(&ring_then, now).contains(&kid(9)));
    // Beside the one that took its place, and in the middle of several.
    let mut entries = two();
    let now = 10 * HOUR + 600;
    retired(&mut entries, 10, Haste::None, 50, now);
    retired(&mut entries, 50, Haste::None, 51, now + 600);
    retired(&mut entries, 51, Haste::None, 52, now + 1_200);
    let all = ring(&entries);
    for number in [10, 50, 51, 52] {
        assert!(
            published(&all, now + 1_200).contains(&kid(number)),
            "{number}"
        );
    }
    retired(&mut entries, 50, Haste::Now, 53, now + 1_300);
    let ring_then = ring(&entries);
    assert!(!published(&ring_then, now + 1_300).contains(&kid(50)));
    assert!(
        !published(&ring_then, now + 1_300).contains(&kid(53)),
        "no new key is needed"
    );
    assert_eq!(ring_then.signing(now + 1_300).unwrap().kid(), kid(51));
    assert_eq!(ring_then.signing(now + 1_900).unwrap().kid(), kid(52));
}

#[test]
fn what_cannot_be_retired_is_refused_with_what_to_do() {
    let entries = two();
    let now = 10 * HOUR + 600;
    let beside = {
        let mut entries = two();
        retired(&mut entries, 10, Haste::None, 50, now);
        entries
    };
    let other = {
        let rotation = Rotation::new(2 * HOUR, TTL).unwrap();
        let entry = KeyEntry::seal(&sealer(), &key(70), rotation, 5, now, [1; 24]);
        vec![entry.unwrap()]
    };
    let late = 10 * HOUR + 2_000;
    for (entries, number, haste, now, said) in [
        (
            &entries,
            99,
            Haste::Now,
            now,
            "no entry has a key of this id",
        ),
        (
            &other,
            70,
            Haste::Now,
            now,
            "periods of 7200 s, but keys rotate every 3600 s",
        ),
        (&entries, 9, Haste::None, now, "signs no more"),
        (&entries, 9, Haste::Now, late, "gone already"),
        (&entries, 9, Haste::None, late, "gone already"),
        (
            &beside,
            10,
            Haste::None,
            now + 1,
            "another key takes its place already",
        ),
    ] {
        let error = try_retire(entries, &kid(number), haste, 60, now).unwrap_err();
        assert!(error.to_string().contains(said), "{number}: {error}");
    }
    let another = Sealer::new(b"another secret of 32 characters!!").unwrap();
    let successor = Successor {
        key: &key(60),
        created: now,
        nonces: [[2; 24], [3; 24]],
    };
    let error = retire(
        rotation(),
        &entries,
        &another,
        &kid(10),
        Haste::Now,
        &successor,
        now,
    );
    let RetireError::Entry(error) = error.unwrap_err() else {
        panic!("a new key under another secret would not open for the gateway");
    };
    assert_eq!(*error.problem(), EntryProblem::Sealed);
}

#[test]
fn an_entry_holds_a_few_keys_and_no_more() {
    let mut entries = two();
    let now = 10 * HOUR + 600;
    retired(&mut entries, 10, Haste::None, 50, now);
    for number in 50..53 {
        retired(&mut entries, number, Haste::None, number + 1, now + number);
    }
    let error = try_retire(&entries, &kid(53), Haste::None, 60, now + 60).unwrap_err();
    assert_eq!(error, RetireError::TooMany);
    retired(&mut entries, 50, Haste::Now, 60, now + 60);
    retired(&mut entries, 53, Haste::None, 60, now + 61);
}

#[test]
fn nothing_of_an_entry_that_replaces_can_be_edited_without_notice() {
    let mut entries = two();
    retired(&mut entries, 10, Haste::None, 50, 10 * HOUR + 600);
    let entry = entries.pop().unwrap();
    let text = entry.to_json().unwrap();
    assert!(text.starts_with(r#"{"format":2,"period":10,"#), "{text}");
    assert!(
        text.contains(r#""since":36000,"replaced":[{"format":1,"#),
        "{text}"
    );
    let name = entry_name(10);
    for position in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[position] ^= 1;
        let Ok(damaged) = String::from_utf8(bytes) else {
            continue;
        };
        if let Ok(read) = KeyEntry::parse(&name, &damaged) {
            let opened = read.keys().all(|each| each.open(&sealer()).is_ok());
            assert!(!opened, "byte {position}");
        }
    }
    let without: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (member, value) in [
        ("since", serde_json::json!(36_001)),
        ("since", serde_json::json!(null)),
        ("replaced", serde_json::json!([])),
        ("replaced", serde_json::json!("x")),
        ("replaced", serde_json::json!([1])),
        ("replaced", serde_json::json!([without])),
        (
            "replaced",
            serde_json::json!([without["replaced"][0], without["replaced"][0]]),
        ),
        ("format", serde_json::json!(1)),
        ("d", serde_json::json!("x")),
    ] {
        let mut edited = without.clone();
        edited[member] = value.clone();
        let opened = KeyEntry::parse(&name, &edited.to_string())
            .and_then(|entry| entry.open(&sealer()).map(drop));
        assert!(opened.is_err(), "{member}: {value}");
    }
}

/// The store as it was at an instant, for whoever reads it late.
struct History(Vec<(u64, BTreeMap<u64, KeyEntry>)>);

impl History {
    fn at(&self, instant: u64) -> Option<&BTreeMap<u64, KeyEntry>> {
        let written = self.0.iter().rev().find(|(when, _)| *when <= instant);
        written.map(|(_, entries)| entries)
    }

    /// What an instance that reads at `now` a store that is so many seconds old knows.
    fn read(&self, now: u64, age: u64) -> Succession<PublicJwk> {
        let periods = rotation().periods_at(now);
        let entries: Vec<KeyEntry> = self.at(now - age).map_or(Vec::new(), |entries| {
            let of_period = entries
                .iter()
                .filter(|(period, _)| periods.contains(period));
            of_period.map(|(_, entry)| entry.clone()).collect()
        });
        Succession::of(rotation(), &entries)
    }
}

/// Keys are made by a schedule that fails for hours, replaced and thrown out by chance. Instances see the store as it was a
/// while ago; verifiers hold a JWKS that any of them served as long as they may.
#[test]
fn whatever_is_retired_one_key_signs_and_every_other_keys_tokens_verify_to_their_end() {
    let rotation = rotation();
    let stale = KV_SPREAD + RING_RELOAD;
    let (mut gently, mut at_once, mut early, mut checked) = (0, 0, 0, 0);
    for seed in 0..16_u64 {
        let mut random = seed + 1;
        let mut draw = |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let deployed = 100 * HOUR + seed * 311;
        let end = deployed + 10 * HOUR;
        let (mut number, mut down_until) = (seed * 1_000, 0);
        let mut store = BTreeMap::new();
        let mut history = History(Vec::new());
        let mut killed = BTreeMap::new();
        for now in (deployed..end).step_by(150) {
            number += 1;
            if now > down_until + 2 * HOUR && draw(40) == 0 {
                down_until = now + draw(2 * HOUR);
            }
            let has = |period| store.contains_key(&period);
            if now >= down_until
                && let Some(period) = rotation.next_due(now, has)
            {
                store.insert(period, made(number, period, now));
            } else if draw(8) == 0 {
                let entries: Vec<KeyEntry> = store.values().cloned().collect();
                let kids: Vec<String> = entries
                    .iter()
                    .flat_map(KeyEntry::keys)
                    .map(|each| each.public().kid().to_owned())
                    .collect();
                let old = &kids[usize::try_from(draw(kids.len() as u64)).unwrap()];
                let haste = if draw(3) == 0 {
                    Haste::Now
                } else {
                    Haste::None
                };
                if let Ok(entry) = try_retire(&entries, old, haste, number, now) {
                    store.insert(entry.period(), entry);
                    if haste == Haste::Now {
                        killed.insert(old.clone(), now);
                        at_once += 1;
                    } else {
                        gently += 1;
                    }
                }
            }
            history.0.push((now, store.clone()));
        }
        for now in (deployed + stale + JWKS_MAX_AGE..end).step_by(61) {
            for age in [0, 30, stale] {
                let signer = history.read(now, age);
                let states: Vec<_> = signer.states(now).collect();
                let count = |wanted| states.iter().filter(|(_, state)| *state == wanted).count();
                let Some(place) = signer.signing(now) else {
                    panic!("seed {seed}: a key signs at any time, none at {now}");
                };
                assert_eq!(count(KeyState::Signing), 1, "seed {seed} at {now}");
                let kid = place.key.kid();
                let gone = killed.get(kid).copied().unwrap_or(u64::MAX);
                assert!(
                    now - age < gone,
                    "seed {seed}: retired at {gone}, signs at {now}"
                );
                if place.created + rotation.settle() > now {
                    // Nobody has a better one, which is so only when one was thrown out.
                    let mut kills = killed.values();
                    let recently = kills.any(|at| *at <= now && now < at + rotation.settle());
                    let first = deployed + rotation.settle() > now;
                    assert!(recently || first, "seed {seed}: too new at {now}");
                    early += 1;
                    continue;
                }
                for (fetched, server_age) in [
                    (now - JWKS_MAX_AGE, stale),
                    (now - JWKS_MAX_AGE, 0),
                    (now, stale),
                    (now + TTL, 0),
                    (now + TTL, stale),
                ] {
                    if fetched >= gone {
                        continue;
                    }
                    let server = history.read(fetched, server_age);
                    let mut states = server.states(fetched);
                    let is_there =
                        states.any(|(place, state)| place.key.kid() == kid && state.is_public());
                    assert!(
                        is_there,
                        "seed {seed}: signed at {now} ({age}), JWKS of {fetched}, {server_age} s stale"
                    );
                    checked += 1;
                }
            }
        }
    }
    assert!(
        gently > 50 && at_once > 30 && early > 20 && checked > 50_000,
        "{gently} {at_once} {early} {checked}"
    );
}
