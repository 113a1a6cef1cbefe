//! I7: while nothing is wrong, Kratos is asked once about a session for as long as its answer is fresh: by each instance, or by
//! all together where they have a second tier. A burst asks once.

use std::cell::RefCell;
use std::collections::HashMap;

use edgekeeper_gateway::runtime::Outbound;
use edgekeeper_session::freshness::SKEW;

use crate::climate::Runs;
use crate::ledger::{Ends, Said};
use crate::world::{Owner, World};

/// Who asks what.
type Name = (Owner, String);

/// The last question of each name.
#[derive(Debug, Default)]
pub(crate) struct Questions(RefCell<HashMap<Name, Last>>);

#[derive(Debug, Clone, Copy)]
struct Last {
    /// How much had gone wrong by then.
    disturbed: u64,
    state: State,
    /// How many questions are under way.
    open: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Asking,
    /// Since when, and until when nobody need ask.
    Known(u64, u64),
    Unknown,
}

/// One question.
pub(crate) struct Question {
    name: Name,
    credential: String,
    disturbed: u64,
}

/// Kratos is asked.
pub(crate) fn asked(world: &World, owner: Owner, request: &Outbound, credential: &str) -> Question {
    let climate = &world.climate;
    // Alone, or for all.
    let asker = if climate.runs == Runs::Isolates {
        owner
    } else {
        0
    };
    let name = (
        asker,
        format!("{} {} {credential}", request.method, request.url),
    );
    let disturbed = world.ledger.disturbed();
    let mut questions = world.ledger.questions.0.borrow_mut();
    let last = questions.entry(name.clone()).or_insert(Last {
        disturbed,
        state: State::Unknown,
        open: 0,
    });
    if last.disturbed != disturbed {
        last.open = 0;
    }
    // Spin's stores do not add in one step: now and then more than one asks. Elsewhere two may where a claim was left behind,
    // since it is not taken off in the same step as it is found to have ended; or where clocks differ by more than the
    // second that a claim has to spare. The other may ask a moment after the first was answered.
    let (most, at_once) = match climate.runs {
        Runs::Components => (climate.instances as u64, 500),
        Runs::Folder if climate.wild || climate.skew() > 1_000 => (2, 500),
        Runs::Folder | Runs::Isolates => (1, 0),
    };
    // Refusals are not shared: whoever waited for one asks for itself.
    let counts = last.disturbed == disturbed
        && climate.fresh() * 1_000 > 1_000 + 2 * climate.skew()
        && world.kratos.knows(world, credential, world.now())
        && !is_troubled(world, credential);
    match last.state {
        State::Asking if counts && last.open >= most => {
            world
                .ledger
                .violate("I7", "a question was asked while it was being asked");
        }
        State::Known(since, until) if counts && (since + at_once..until).contains(&world.now()) => {
            let left = until - world.now();
            let what = format!("Kratos was asked again, {left} ms before its answer grew old");
            world.ledger.violate("I7", what);
        }
        _ => {}
    }
    last.disturbed = disturbed;
    last.state = State::Asking;
    last.open += 1;
    Question {
        name,
        credential: credential.to_owned(),
        disturbed,
    }
}

/// Kratos has answered, or has not.
pub(crate) fn answered(world: &World, question: Question, said: &Said) {
    let mut questions = world.ledger.questions.0.borrow_mut();
    let Some(last) = questions.get_mut(&question.name) else {
        return;
    };
    if last.disturbed != question.disturbed {
        return;
    }
    last.open = last.open.saturating_sub(1);
    last.state = match said {
        Said::Confirmed(_) if is_troubled(world, &question.credential) => State::Unknown,
        Said::Confirmed(session) => {
            let climate = &world.climate;
            let end = session
                .ends
                .map_or(u64::MAX, |end| (end * 1_000).saturating_sub(world.shown()));
            // Answers are counted in whole seconds, by clocks that differ.
            let fresh = (climate.fresh() * 1_000)
                .saturating_sub(1_000 + 2 * climate.skew())
                .min(end.saturating_sub(1_000 + 2 * climate.skew()));
            State::Known(world.now(), world.now() + fresh)
        }
        Said::Refused | Said::Failed => State::Unknown,
    };
}

/// Whether something is wrong, or was until now. A session that changed shortly ago may by another's clock be yet to change;
/// and what an instance asked before it heard of a revocation, it asks once more, however old that is. Where clocks were set
/// back, what is there from before is from the future, and counts nowhere until it is not.
fn is_troubled(world: &World, credential: &str) -> bool {
    let lately = (SKEW + world.climate.timeout) * 1_000 + world.climate.skew();
    let since = world.now().saturating_sub(lately);
    world.was_set_back() > 0
        || world.was_disturbed_since(since)
        || world.store.was_in_trouble_since(since)
        || world.kratos.was_in_trouble_since(since)
        || world.ledger.told().iter().any(|told| match &told.ends {
            Ends::Credential(_) | Ends::Session(_) => false,
            Ends::Person(person) => world.kratos.is_of(credential, person),
        })
}
