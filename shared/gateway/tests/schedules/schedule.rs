//! Schedules: what happens, one step after the other, drawn by a seed.

use crate::climate::{Climate, PLACES, Runs};
use crate::dice::Dice;
use crate::kratos::{self, Kind};
use crate::store;

/// Whom a request is from. Numbers stand for sessions: the first, the second, and so on around.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From {
    Session(usize),
    /// Two cookies of one name.
    Two(usize, usize),
    /// One session's cookie and another's token.
    Both(usize, usize),
    /// A session, and what another's browser carries.
    Stolen(usize, usize),
    /// A session, and headers that say it is another person.
    Posing(usize),
    /// A credential that nobody was given.
    Invented(u64),
    Nobody,
}

/// What a request is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For {
    App,
    /// As a browser that navigates.
    Page,
    /// With a token for the upstream.
    Token,
}

/// One step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// So many milliseconds pass.
    Pass(u64),
    /// Requests, at once.
    Ask {
        instance: usize,
        from: From,
        target: For,
        times: usize,
    },
    LogIn {
        person: usize,
        kind: Kind,
    },
    /// A logout that passes through.
    LogOut {
        instance: usize,
        session: usize,
    },
    /// A new address that passes through.
    Settle {
        instance: usize,
        session: usize,
    },
    /// A session, or all of its person's, ends in Kratos, and a message says so.
    Revoke {
        instance: usize,
        session: usize,
        all: bool,
    },
    /// Sessions end in Kratos, and nobody is told.
    End {
        session: usize,
    },
    /// An address changes in Kratos, and nobody is told.
    Change {
        person: usize,
    },
    Kratos(kratos::Fault),
    Store(store::Fault),
    LoseSessions,
    DamageSession,
    Restart {
        instance: usize,
    },
    /// All that the instance has under way is cut off; what it knows stays.
    CutOff {
        instance: usize,
    },
    /// All clocks are set by so many milliseconds.
    SetClocks(i64),
    /// A key is taken out of the rotation.
    Retire {
        key: usize,
        at_once: bool,
    },
    /// Somebody reads the public keys.
    Keys {
        instance: usize,
    },
}

/// A schedule of 20 to 60 steps.
pub(crate) fn draw(dice: &Dice, climate: &Climate) -> Vec<Step> {
    let length = dice.between(20, 60);
    let mut steps = vec![
        Step::LogIn {
            person: 0,
            kind: Kind::Cookie,
        },
        Step::LogIn {
            person: 1,
            kind: Kind::Token,
        },
    ];
    // What goes wrong goes wrong for some steps, and is over then.
    let mut over: Vec<(usize, Step)> = Vec::new();
    while (steps.len() as u64) < length {
        let now = steps.len();
        if let Some(index) = over.iter().position(|(at, _)| *at <= now) {
            steps.push(over.swap_remove(index).1);
            continue;
        }
        if climate.wild && dice.chance(1, 60) {
            steps.extend(race(dice));
            continue;
        }
        if climate.wild && dice.chance(1, 200) {
            steps.extend(blackout(dice));
            continue;
        }
        let step = step(dice, climate);
        let end = match step {
            Step::Kratos(_) => Some(Step::Kratos(kratos::Fault::Nothing)),
            Step::Store(_) => Some(Step::Store(store::Fault::Nothing)),
            _ => None,
        };
        if let Some(end) = end {
            over.push((now + dice.index(8) + 1, end));
        }
        steps.push(step);
    }
    steps
}

fn step(dice: &Dice, climate: &Climate) -> Step {
    let wild = if climate.wild { 22 } else { 0 };
    let any = || dice.index(1_000);
    match dice.below(83 + wild) {
        0..32 => ask(dice),
        32..58 => Step::Pass(pass(dice, climate)),
        58..63 => Step::LogIn {
            person: any(),
            kind: dice.pick(&[Kind::Cookie, Kind::Cookie, Kind::Token]),
        },
        63..67 => Step::LogOut {
            instance: any(),
            session: any(),
        },
        67..69 => Step::Settle {
            instance: any(),
            session: any(),
        },
        69..72 => Step::End { session: any() },
        72..74 => Step::Change { person: any() },
        74..78 => Step::Keys { instance: any() },
        78..82 => Step::Revoke {
            instance: any(),
            session: any(),
            all: dice.chance(1, 2),
        },
        82 => Step::Retire {
            key: any(),
            at_once: dice.chance(1, 2),
        },
        83..92 => Step::Kratos(fault(dice)),
        92..96 => Step::Store(dice.pick(&[
            store::Fault::Slow(300),
            store::Fault::Slow(1_500),
            store::Fault::Full,
            store::Fault::Failing,
            store::Fault::Flaky,
        ])),
        96 => Step::LoseSessions,
        97 | 98 => Step::DamageSession,
        99..102 => Step::Restart { instance: any() },
        102 | 103 => Step::CutOff { instance: any() },
        _ => Step::SetClocks(dice.pick(&[
            1_000, -1_000, 3_000, -3_000, 60_000, -60_000, 900_000, -900_000, 7_200_000,
        ])),
    }
}

/// A logout at one instance while another waits for Kratos, which takes its time, and a request as soon as that is over.
fn race(dice: &Dice) -> [Step; 7] {
    let (session, asks, other) = (dice.index(3), dice.index(3), dice.index(3));
    let slow = dice.between(1_300, 4_500);
    let early = dice.between(20, 300);
    let ask = Step::Ask {
        instance: asks,
        from: From::Session(session),
        target: For::App,
        times: 1,
    };
    [
        Step::Kratos(kratos::Fault::Slow(slow)),
        ask,
        Step::Pass(early),
        Step::LogOut {
            instance: other,
            session,
        },
        Step::Pass(slow - early + 40),
        Step::Kratos(kratos::Fault::Nothing),
        ask,
    ]
}

/// The store is out of reach from one data centre, while keys change.
fn blackout(dice: &Dice) -> [Step; 10] {
    let ask = |instance| Step::Ask {
        instance,
        from: From::Session(dice.index(3)),
        target: For::Token,
        times: 1,
    };
    [
        ask(0),
        ask(1),
        Step::Store(store::Fault::FailingAt(dice.index(PLACES))),
        Step::Pass(dice.between(300_000, 4_500_000)),
        ask(0),
        ask(1),
        Step::Keys { instance: 0 },
        Step::Keys { instance: 1 },
        Step::Pass(1_000),
        Step::Store(store::Fault::Nothing),
    ]
}

fn ask(dice: &Dice) -> Step {
    // Mostly the same few sessions, so that something is remembered.
    let session = || {
        if dice.chance(3, 4) {
            dice.index(3)
        } else {
            dice.index(1_000)
        }
    };
    let from = match dice.below(16) {
        0 => From::Nobody,
        1 => From::Invented(dice.below(3)),
        2 => From::Two(session(), session()),
        3 => From::Both(session(), session()),
        4 => From::Posing(session()),
        5 => From::Stolen(session(), session()),
        _ => From::Session(session()),
    };
    Step::Ask {
        instance: dice.index(1_000),
        from,
        target: dice.pick(&[
            For::App,
            For::App,
            For::App,
            For::App,
            For::Page,
            For::Token,
        ]),
        times: dice.pick(&[1, 1, 1, 2, 5]),
    }
}

/// Moments, and the times at which something ends.
fn pass(dice: &Dice, climate: &Climate) -> u64 {
    let about = |seconds: u64| (seconds * 1_000 + dice.below(1_500)).saturating_sub(750);
    match dice.below(20) {
        0..6 => dice.below(50),
        6..9 => dice.between(100, 1_500),
        9..11 => dice.between(1_000, 6_000),
        11..13 => about(climate.fresh().min(climate.ttl)),
        13 => about(climate.stale_while_revalidate),
        14 => about(climate.stale_if_error),
        15 => about(climate.ttl + climate.stale_if_error),
        16 => about(climate.negative_ttl),
        17 => about(climate.token_ttl * 9 / 10),
        18 => dice.between(10_000, 120_000),
        _ if climate.runs == Runs::Isolates => dice.between(300_000, 3_600_000),
        _ => dice.between(300_000, 7_200_000),
    }
}

fn fault(dice: &Dice) -> kratos::Fault {
    use kratos::Fault;
    match dice.below(15) {
        0 | 1 => Fault::Refuses,
        2 => Fault::Status(dice.pick(&[500, 502, 503, 504, 404, 418])),
        3 => Fault::Busy(dice.between(1, 60)),
        4 | 5 => Fault::Slow(dice.between(100, 6_000)),
        6 => Fault::Silent,
        7 => Fault::HalfABody,
        8 => Fault::CutShort,
        9 => Fault::TooLarge,
        10 => Fault::Page,
        11 => Fault::Redirects,
        12 => Fault::WrongJson(dice.index(16)),
        13 => dice.pick(&[Fault::Inactive, Fault::Anothers]),
        _ => Fault::Flaps(dice.between(20, 3_000)),
    }
}
