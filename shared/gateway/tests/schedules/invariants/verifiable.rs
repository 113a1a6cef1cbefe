//! I5: a token that was minted can be verified with the keys that any data centre serves, until it expires.
//!
//! While the store of the keys fails, an instance goes on with the keys it knows, as long as they can be right. What it cannot
//! know is that one was taken out before its time: for an hour after that, neither what is signed then nor what is served is
//! looked at.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgekeeper_gateway::decision::Decision;
use edgekeeper_gateway::request::{Listener, RawRequest};
use edgekeeper_gateway::runtime::NoBody;
use edgekeeper_token::jwk::Jwks;
use edgekeeper_token::jwt;
use http::HeaderMap;
use serde_json::Value;

use super::secrets;
use crate::climate::{ROTATION, Runs};
use crate::machine::Flavour;
use crate::play::Instance;
use crate::store::SPREAD;
use crate::world::World;

/// After how many milliseconds an instance knows that a key was taken out, once it can be seen.
const GONE: u64 = 31_000;

/// After how many milliseconds a store that failed has been tried again.
const TRIED_AGAIN: u64 = 10_000;

/// The tokens that have not expired.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    alive: RefCell<Vec<Token>>,
    count: Cell<u64>,
    /// Keys that were taken out at once, and when.
    taken_out: RefCell<Vec<(String, u64)>>,
    /// When one was last taken out, at once or gently.
    replaced: Cell<Option<u64>>,
}

#[derive(Debug)]
struct Token {
    text: String,
    kid: String,
    expires: u64,
    /// The public key that its signature was found to be of.
    signed_by: Option<Value>,
}

impl Tokens {
    /// How many there ever were.
    pub(crate) fn count(&self) -> u64 {
        self.count.get()
    }

    /// A key was taken out.
    pub(crate) fn replaced(&self, now: u64) {
        self.replaced.set(Some(now));
    }

    /// A key was taken out at once: its tokens are void.
    pub(crate) fn taken_out(&self, kid: &str, now: u64) {
        self.alive.borrow_mut().retain(|token| token.kid != kid);
        self.taken_out.borrow_mut().push((kid.to_owned(), now));
    }

    /// Whether a key was taken out so long ago that every instance must know.
    fn is_gone(&self, world: &World, kid: &str) -> bool {
        let everywhere = |at: u64| {
            let known = at
                + GONE
                + if world.climate.spreads() {
                    SPREAD * 1_000
                } else {
                    0
                };
            world.now() > known
                && !world.store.was_in_trouble_since(at)
                && world.was_set_back() == 0
        };
        let taken_out = self.taken_out.borrow();
        taken_out
            .iter()
            .any(|(taken, at)| taken == kid && everywhere(*at))
    }

    /// Whether a new key may sign that is not known everywhere, since another was taken out at once.
    fn is_in_a_hurry(&self, world: &World) -> bool {
        let since = world.now().saturating_sub(GONE + SPREAD * 1_000);
        self.taken_out.borrow().iter().any(|(_, at)| *at >= since)
    }

    /// Lets all be forgotten, where the clocks were set back and the time of keys that signed in the future is to come.
    pub(crate) fn forget(&self) {
        self.alive.borrow_mut().clear();
    }
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap_or_default();
    let decoded = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&decoded).unwrap_or_default()
}

/// What a token claims, unchecked.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// A request took a token along.
pub(crate) fn minted(world: &World, token: &str) {
    if out_of_touch(world) {
        return;
    }
    let tokens = &world.ledger.tokens;
    let mut alive = tokens.alive.borrow_mut();
    if alive.iter().any(|known| known.text == token) {
        return;
    }
    tokens.count.set(tokens.count.get() + 1);
    let kid = part(token, 0)["kid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if tokens.is_gone(world, &kid) {
        world
            .ledger
            .violate("I5", "a key signs that was taken out at once");
    }
    if tokens.is_in_a_hurry(world) {
        return;
    }
    let Some(expires) = claims(token)["exp"].as_u64() else {
        world.ledger.violate("I5", "a token without an end");
        return;
    };
    alive.push(Token {
        text: token.to_owned(),
        kid,
        expires,
        signed_by: None,
    });
}

/// Reads the keys from an instance and verifies every token with them.
pub(crate) fn read_keys<F: Flavour>(instance: &Rc<Instance<F>>) {
    let world = &instance.machine.world;
    let instance = Rc::clone(instance);
    world.spawn(instance.machine.owner, async move {
        let world = &instance.machine.world;
        let request = RawRequest {
            method: "GET".to_owned(),
            url: "https://app.test/.well-known/jwks.json".to_owned(),
            headers: HeaderMap::new(),
            listener: Listener::Proxy,
            body: NoBody,
        };
        let decision = instance.gateway.decide(&instance.machine, request).await;
        let Decision::Answer(answer) = decision else {
            world
                .ledger
                .violate("I0", "the keys are not the gateway's own answer");
            return;
        };
        secrets::answer(world, &answer);
        if answer.status == 200 && !out_of_touch(world) {
            verify(world, &answer.body);
        }
    });
}

/// Whether an instance may not have read that a key was taken out, or a first key may be replaced by a write that took longer
/// than two seconds.
fn out_of_touch(world: &World) -> bool {
    let an_hour_ago = world.now().saturating_sub(ROTATION * 1_000);
    let tried_again = world.now().saturating_sub(TRIED_AGAIN);
    let unseen = world.now().saturating_sub(GONE + SPREAD * 1_000);
    let replaced = world.ledger.tokens.replaced.get();
    let is_out = world.store.was_in_trouble_since(tried_again);
    let is_replaced = replaced.is_some_and(|at| at >= an_hour_ago)
        && (is_out || world.clocks_were_set_since(unseen));
    is_replaced || world.climate.runs == Runs::Components && world.store.was_slow_since(tried_again)
}

fn verify(world: &World, body: &str) {
    let now = world.shown() / 1_000;
    let document: Value = serde_json::from_str(body).unwrap_or_default();
    let keys = document["keys"].as_array().cloned().unwrap_or_default();
    let tokens = &world.ledger.tokens;
    let is_gone = |key: &&Value| tokens.is_gone(world, key["kid"].as_str().unwrap_or_default());
    if keys.iter().any(|key| is_gone(&key)) {
        world
            .ledger
            .violate("I5", "a key is served that was taken out at once");
        return;
    }
    let mut alive = tokens.alive.borrow_mut();
    alive.retain(|token| token.expires > now);
    if alive.is_empty() {
        return;
    }
    let Ok(set) = Jwks::parse(body) else {
        world.ledger.violate("I5", "the keys are no JWKS");
        return;
    };
    for token in alive.iter_mut() {
        let Some(key) = keys.iter().find(|key| key["kid"] == token.kid.as_str()) else {
            let left = token.expires - now;
            let what = format!("a token's key is not served, {left} s before the token expires");
            world.ledger.violate("I5", what);
            return;
        };
        // What one signature is of, it stays.
        if token.signed_by.as_ref() == Some(key) {
            continue;
        }
        let skew = world.climate.skew() / 1_000 + 1;
        if let Err(error) = jwt::verify(&token.text, &set, now, skew) {
            world
                .ledger
                .violate("I5", format!("a token does not verify: {error}"));
            return;
        }
        token.signed_by = Some(key.clone());
    }
}
