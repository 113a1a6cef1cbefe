//! One clock for everybody, and the tasks that wait for it.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::climate::{Climate, PLACES, Runs};
use crate::dice::Dice;
use crate::kratos::Kratos;
use crate::ledger::Ledger;
use crate::store::Store;

/// 2023-11-14T22:13:20Z in Unix milliseconds: when every schedule begins.
pub(crate) const BEGIN: u64 = 1_700_000_000_000;

/// Steps of tasks in one schedule after which somebody is surely going in circles.
const MOST_TURNS: u64 = 2_000_000;

/// Who a task belongs to. It ends with them.
pub(crate) type Owner = u64;

struct Task {
    owner: Owner,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

/// Everything outside the gateways.
pub(crate) struct World {
    /// The time that passes, in milliseconds: what every bound is measured in.
    now: Cell<u64>,
    /// What all machines' clocks are ahead of it.
    ahead: Cell<i64>,
    /// By how much they were set back in all, and when they were last set.
    set_back: Cell<u64>,
    last_set: Cell<Option<u64>>,
    /// When something last went wrong, or was cut off.
    last_disturbed: Cell<Option<u64>>,
    tasks: RefCell<BTreeMap<u64, Task>>,
    ready: RefCell<VecDeque<u64>>,
    timers: RefCell<BinaryHeap<Reverse<(u64, u64, u64)>>>,
    /// The task that has its turn.
    current: Cell<u64>,
    next: Cell<u64>,
    turns: Cell<u64>,
    pub(crate) dice: Dice,
    pub(crate) climate: Rc<Climate>,
    pub(crate) store: Store,
    /// What the isolates of each data centre share.
    pub(crate) caches: [Store; PLACES],
    pub(crate) kratos: Kratos,
    pub(crate) ledger: Ledger,
}

impl World {
    pub(crate) fn new(climate: Rc<Climate>, seed: u64) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(BEGIN),
            ahead: Cell::new(0),
            set_back: Cell::new(0),
            last_set: Cell::new(None),
            last_disturbed: Cell::new(None),
            tasks: RefCell::default(),
            ready: RefCell::default(),
            timers: RefCell::default(),
            current: Cell::new(0),
            next: Cell::new(1),
            turns: Cell::new(0),
            dice: Dice::new(seed),
            store: Store::new(climate.runs == Runs::Isolates),
            caches: [false; PLACES].map(Store::new),
            kratos: Kratos::new(&climate),
            ledger: Ledger::default(),
            climate,
        })
    }

    pub(crate) fn now(&self) -> u64 {
        self.now.get()
    }

    /// What the machines' clocks show, in milliseconds.
    pub(crate) fn shown(&self) -> u64 {
        self.now.get().saturating_add_signed(self.ahead.get())
    }

    /// Sets all clocks by so many milliseconds. The time that passes is the same.
    pub(crate) fn set_clocks(&self, by: i64) {
        self.ahead.set(self.ahead.get() + by);
        self.last_set.set(Some(self.now()));
        if by < 0 {
            self.set_back.set(self.set_back.get() + by.unsigned_abs());
            self.ledger.tokens.forget();
        }
    }

    /// By how much the clocks were set back in all.
    pub(crate) fn was_set_back(&self) -> u64 {
        self.set_back.get()
    }

    /// Whether the clocks were set at or after a moment.
    pub(crate) fn clocks_were_set_since(&self, since: u64) -> bool {
        self.last_set.get().is_some_and(|at| at >= since)
    }

    /// Something goes wrong, or is interfered with, so that a question more may be asked.
    pub(crate) fn disturb(&self) {
        self.last_disturbed.set(Some(self.now()));
        self.ledger.disturb();
    }

    /// Whether something went wrong or was cut off at or after a moment.
    pub(crate) fn was_disturbed_since(&self, since: u64) -> bool {
        self.last_disturbed.get().is_some_and(|at| at >= since)
    }

    /// The key-value store, and what else has its faults.
    pub(crate) fn stores(&self) -> impl Iterator<Item = &Store> {
        std::iter::once(&self.store).chain(&self.caches)
    }

    pub(crate) fn spawn(&self, owner: Owner, future: impl Future<Output = ()> + 'static) {
        let id = self.next.get();
        self.next.set(id + 1);
        let future = Box::pin(future);
        self.tasks.borrow_mut().insert(id, Task { owner, future });
        self.ready.borrow_mut().push_back(id);
    }

    /// Cuts off all that belongs to somebody.
    pub(crate) fn kill(&self, owner: Owner) {
        let ended: Vec<Task> = {
            let mut tasks = self.tasks.borrow_mut();
            let ids: Vec<u64> = tasks
                .iter()
                .filter(|(_, task)| task.owner == owner)
                .map(|(id, _)| *id)
                .collect();
            ids.iter().filter_map(|id| tasks.remove(id)).collect()
        };
        // A task that is dropped may touch the world.
        drop(ended);
    }

    /// Lets milliseconds pass.
    pub(crate) fn pass(&self, milliseconds: u64) {
        let end = self.now() + milliseconds;
        loop {
            loop {
                let Some(id) = self.ready.borrow_mut().pop_front() else {
                    break;
                };
                self.turn(id);
            }
            let due = {
                let mut timers = self.timers.borrow_mut();
                match timers.peek() {
                    Some(Reverse((at, _, _))) if *at <= end => timers.pop(),
                    _ => None,
                }
            };
            let Some(Reverse((at, _, id))) = due else {
                break;
            };
            self.now.set(self.now().max(at));
            self.ready.borrow_mut().push_back(id);
        }
        self.now.set(end);
    }

    fn turn(&self, id: u64) {
        let Some(mut task) = self.tasks.borrow_mut().remove(&id) else {
            return;
        };
        self.turns.set(self.turns.get() + 1);
        assert!(self.turns.get() < MOST_TURNS, "a task goes in circles");
        self.current.set(id);
        let polled = task
            .future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if polled.is_pending() {
            self.tasks.borrow_mut().insert(id, task);
        }
    }

    /// Waits for the clock.
    pub(crate) fn sleep(self: &Rc<Self>, milliseconds: u64) -> Timer {
        Timer {
            world: Rc::clone(self),
            until: self.now() + milliseconds,
            set: false,
        }
    }
}

/// Waits until a moment, and for one turn of the others at least.
pub(crate) struct Timer {
    world: Rc<World>,
    until: u64,
    set: bool,
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.set && self.world.now() >= self.until {
            return Poll::Ready(());
        }
        if !self.set {
            self.set = true;
            // Whose turn it is at one moment is a matter of chance.
            let lot = self.world.dice.next();
            let task = self.world.current.get();
            let timer = Reverse((self.until, lot, task));
            self.world.timers.borrow_mut().push(timer);
        }
        Poll::Pending
    }
}
