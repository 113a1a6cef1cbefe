//! Plays a schedule: instances of the gateway in a world of their own.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_policy::document::Policy;

use crate::climate::{Climate, PLACES, Runs};
use crate::invariants::verifiable;
use crate::ledger::Violation;
use crate::machine::{Components, Flavour, Folder, Isolates, Machine};
use crate::operator;
use crate::schedule::Step;
use crate::visit;
use crate::{kratos, store, world};

use world::World;

/// How often the schedule of a deployment runs, in milliseconds.
const CRON: u64 = 900_000;

/// How long whoever still waits at the end has, in milliseconds.
const GRACE: u64 = 60_000;

/// What came of a schedule.
#[derive(Debug, Default)]
pub(crate) struct Played {
    pub(crate) requests: u64,
    pub(crate) allowed: u64,
    pub(crate) tokens: u64,
    /// The step at which an invariant was found broken.
    pub(crate) violation: Option<(usize, Violation)>,
}

/// An instance of the gateway.
pub(crate) struct Instance<F> {
    pub(crate) gateway: Rc<Gateway>,
    pub(crate) machine: Machine<F>,
}

struct Deployment<F> {
    world: Rc<World>,
    policy: Policy,
    instances: RefCell<Vec<Rc<Instance<F>>>>,
    owners: std::cell::Cell<u64>,
}

/// Plays the steps.
pub(crate) fn play(climate: &Rc<Climate>, seed: u64, steps: &[Step]) -> Played {
    match climate.runs {
        Runs::Isolates => play_on::<Isolates>(climate, seed, steps),
        Runs::Components => play_on::<Components>(climate, seed, steps),
        Runs::Folder => play_on::<Folder>(climate, seed, steps),
    }
}

fn play_on<F: Flavour>(climate: &Rc<Climate>, seed: u64, steps: &[Step]) -> Played {
    let deployment = Deployment::<F>::new(climate, seed);
    let world = &deployment.world;
    let mut broken = None;
    for (number, step) in steps.iter().enumerate() {
        deployment.take(*step);
        world.pass(0);
        if let Some(violation) = world.ledger.violation() {
            broken = Some((number, violation));
            break;
        }
    }
    if broken.is_none() {
        deployment.end();
        broken = world
            .ledger
            .violation()
            .map(|violation| (steps.len(), violation));
    }
    let ledger = &world.ledger;
    Played {
        requests: ledger.requests.get(),
        allowed: ledger.allowed.get(),
        tokens: ledger.tokens.count(),
        violation: broken,
    }
}

impl<F: Flavour> Deployment<F> {
    fn new(climate: &Rc<Climate>, seed: u64) -> Self {
        let deployment = Self {
            world: World::new(Rc::clone(climate), seed),
            policy: climate.policy(),
            instances: RefCell::default(),
            owners: std::cell::Cell::new(0),
        };
        for number in 0..climate.instances {
            let instance = deployment.start(number % PLACES);
            deployment.instances.borrow_mut().push(instance);
        }
        if F::SCHEDULE {
            // As a deploy does; its key is everywhere before anybody comes.
            deployment.run_schedule();
            deployment.world.pass(store::SPREAD * 1_000 + 1_000);
        }
        deployment
    }

    /// A new instance in a data centre. On Spin and under wasmtime there is one.
    fn start(&self, place: usize) -> Rc<Instance<F>> {
        let owner = self.owners.get() + 1;
        self.owners.set(owner);
        Rc::new(Instance {
            gateway: Gateway::new(self.policy.clone()).unwrap(),
            machine: Machine {
                world: Rc::clone(&self.world),
                owner,
                place,
                ahead: self.world.climate.ahead[place],
                flavour: PhantomData,
            },
        })
    }

    fn instance(&self, number: usize) -> Rc<Instance<F>> {
        let instances = self.instances.borrow();
        Rc::clone(&instances[number % instances.len()])
    }

    fn take(&self, step: Step) {
        let world = &self.world;
        let now = world.now();
        match step {
            Step::Pass(milliseconds) => self.pass(milliseconds),
            Step::Ask {
                instance,
                from,
                target,
                times,
            } => {
                let instance = self.instance(instance);
                for _ in 0..times {
                    visit::ask(&instance, from, target);
                }
            }
            Step::LogIn { person, kind } => world.kratos.log_in(world, person, kind),
            Step::LogOut { instance, session } => {
                visit::change(&self.instance(instance), session, visit::Change::LogOut);
            }
            Step::Settle { instance, session } => {
                visit::change(&self.instance(instance), session, visit::Change::Address);
            }
            Step::Revoke {
                instance,
                session,
                all,
            } => visit::revoke(&self.instance(instance), session, all),
            Step::End { session } => {
                if let Some(session) = world.kratos.session(session) {
                    world.kratos.revoke(world, &session);
                }
            }
            Step::Change { person } => world.kratos.change_address(person),
            Step::Kratos(fault) => {
                world.disturb();
                world.kratos.set_fault(fault, now);
            }
            Step::Store(fault) => {
                world.disturb();
                for store in world.stores() {
                    store.set_fault(fault, now);
                }
            }
            Step::LoseSessions => {
                world.disturb();
                for store in world.stores() {
                    store.lose_sessions(now);
                }
            }
            Step::DamageSession => {
                world.disturb();
                for store in world.stores() {
                    store.damage(world);
                }
            }
            Step::Restart { instance } => {
                let number = instance % self.instances.borrow().len();
                let ended = self.instance(number);
                world.disturb();
                world.kill(ended.machine.owner);
                let place = match F::SCHEDULE {
                    true => world.dice.index(PLACES),
                    false => number % PLACES,
                };
                let next = self.start(place);
                self.instances.borrow_mut()[number] = next;
            }
            Step::CutOff { instance } => {
                world.disturb();
                world.kill(self.instance(instance).machine.owner);
            }
            Step::SetClocks(by) => {
                world.disturb();
                world.set_clocks(by);
            }
            Step::Retire { key, at_once } => {
                world.disturb();
                operator::take_out(world, key, at_once);
            }
            Step::Keys { instance } => verifiable::read_keys(&self.instance(instance)),
        }
    }

    /// Lets time pass, with all that happens by the clock.
    fn pass(&self, milliseconds: u64) {
        let world = &self.world;
        let end = world.now() + milliseconds;
        while world.now() < end {
            let mut slice = end - world.now();
            if F::SCHEDULE {
                slice = slice.min(CRON - world.shown() % CRON);
            }
            let mended = world
                .store
                .out_of_order_since()
                .map(|since| (since + world.climate.outage).saturating_sub(world.now()));
            if mended == Some(0) {
                world.disturb();
                for store in world.stores() {
                    store.set_fault(store::Fault::Nothing, world.now());
                }
                continue;
            }
            world.pass(slice.min(mended.unwrap_or(u64::MAX)));
            if F::SCHEDULE && world.shown().is_multiple_of(CRON) {
                self.run_schedule();
            }
            if world.ledger.violation().is_some() {
                return;
            }
        }
    }

    fn run_schedule(&self) {
        let number = self.world.dice.index(self.instances.borrow().len());
        let instance = self.instance(number);
        self.world.spawn(instance.machine.owner, async move {
            // A schedule that fails runs again; whether keys are there in time is what the tokens show.
            drop(instance.gateway.scheduled(&instance.machine).await);
        });
    }

    /// Mends everything, lets everybody finish and asks everywhere for the keys, in new instances too.
    fn end(&self) {
        let world = &self.world;
        world.disturb();
        world.kratos.set_fault(kratos::Fault::Nothing, world.now());
        for store in world.stores() {
            store.set_fault(store::Fault::Nothing, world.now());
        }
        self.pass(GRACE);
        if world.ledger.open.get() > 0 {
            world
                .ledger
                .violate("I0", "a request was not answered within a minute");
        }
        if world.ledger.tokens.count() > 0 {
            let mut everywhere = self.instances.borrow().clone();
            everywhere.extend((0..PLACES).map(|place| self.start(place)));
            for instance in everywhere {
                verifiable::read_keys(&instance);
            }
        }
        self.pass(GRACE);
    }
}
