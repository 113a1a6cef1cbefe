//! Sessions and keys by chance: random schedules of requests, logins, logouts, faults of Kratos and of the store, restarts and
//! clocks, played against the gateway in memory, and held against what must never happen (`invariants`).
//!
//! `cargo test` plays a few hundred of them, the same each time. `tests/schedules/run` plays as many as it is told, others each
//! time. A schedule that breaks an invariant is printed with its seed, and only with the steps that it takes:
//!
//! ```text
//! SCHEDULES=1 SEED=<seed> cargo test -p edgekeeper-gateway --test schedules
//! ```
//!
//! `tests/schedules/breaks.mjs` breaks the gateway on purpose, to see that each invariant is noticed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

mod climate;
mod dice;
mod invariants;
mod kratos;
mod ledger;
mod machine;
mod operator;
mod play;
mod schedule;
mod shrink;
mod store;
mod visit;
mod world;

use std::rc::Rc;

use crate::climate::Climate;
use crate::dice::Dice;
use crate::play::play;

/// How many are played where nobody says.
const FEW: u64 = 300;

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("SCHEDULES and SEED are whole numbers"))
}

#[test]
fn no_schedule_breaks_an_invariant() {
    let schedules = number("SCHEDULES").unwrap_or(FEW);
    let first = number("SEED").unwrap_or(1);
    let (mut requests, mut allowed, mut tokens) = (0, 0, 0);
    for number in 0..schedules {
        let seed = first.wrapping_add(number);
        let dice = Dice::new(seed);
        let climate = Rc::new(Climate::draw(&dice));
        let steps = schedule::draw(&dice, &climate);
        let played = play(&climate, seed, &steps);
        requests += played.requests;
        allowed += played.allowed;
        tokens += played.tokens;
        let Some((_, violation)) = played.violation else {
            continue;
        };
        let steps = match *ledger::ONLY {
            Some(_) => steps,
            None => shrink::shrink(&climate, seed, steps, violation.invariant),
        };
        let shown = play(&climate, seed, &steps).violation;
        let (at, violation) = shown.unwrap_or((0, violation));
        let steps: Vec<String> = steps
            .iter()
            .enumerate()
            .map(|(number, step)| format!("{number:4}  {step:?}\n"))
            .collect();
        panic!(
            "seed {seed} breaks {}: {}\n{climate:#?}\n{}      broken at step {at}",
            violation.invariant,
            violation.what,
            steps.concat()
        );
    }
    println!(
        "{schedules} schedules, {requests} requests ({allowed} allowed, {tokens} tokens), 0 violations"
    );
}
