//! Who keeps the keys: takes one out before its time, as `edgekeeper keys retire` does.

use edgekeeper_token::algorithm::Algorithm;
use edgekeeper_token::entry::KeyEntry;
use edgekeeper_token::key::SigningKey;
use edgekeeper_token::retire::{Haste, Successor, retire};
use edgekeeper_token::rotation::Rotation;
use edgekeeper_token::seal::Sealer;

use crate::climate::ROTATION;
use crate::invariants::secrets;
use crate::machine::KEYS_SECRET;
use crate::store::Store;
use crate::world::World;

/// Takes a key out of the rotation, gently or at once. What cannot be done is not done.
///
/// Not where clocks were set back: keys are there whose time, by these clocks, is to come once more. `docs/keys.md` says so.
pub(crate) fn take_out(world: &World, number: usize, at_once: bool) {
    if world.was_set_back() > 0 {
        return;
    }
    let entries: Vec<KeyEntry> = world
        .store
        .latest("keys/")
        .iter()
        .filter_map(|(name, value)| KeyEntry::parse(name, value).ok())
        .collect();
    let Some(index) = number.checked_rem(entries.len()) else {
        return;
    };
    let kid = entries[index].public().kid().to_owned();
    let climate = &world.climate;
    let algorithm: Algorithm = climate.algorithm.parse().unwrap();
    let random = |world: &World| {
        let mut bytes = [0; 32];
        bytes.fill_with(|| world.dice.next().to_be_bytes()[0]);
        bytes
    };
    let secret = random(world);
    secrets::drawn(world, &secret);
    let mut nonces = [[0; 24]; 2];
    for nonce in &mut nonces {
        nonce.copy_from_slice(&random(world)[..24]);
    }
    let now = world.shown() / 1_000;
    let successor = Successor {
        key: &SigningKey::generate(algorithm, &secret).unwrap(),
        created: now,
        nonces,
    };
    let rotation = Rotation::new(ROTATION, climate.token_ttl).unwrap();
    let sealer = Sealer::new(KEYS_SECRET.as_bytes()).unwrap();
    let haste = if at_once { Haste::Now } else { Haste::None };
    let taken = retire(rotation, &entries, &sealer, &kid, haste, &successor, now);
    if let Ok(entry) = taken {
        let store: &Store = &world.store;
        store.write(world, 0, &entry.name(), Some(&entry.to_json().unwrap()));
        world.ledger.tokens.replaced(world.now());
        if at_once {
            world.ledger.tokens.taken_out(&kid, world.now());
        }
    }
}
