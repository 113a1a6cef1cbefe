//! The key-value store: one for all, seen from each data centre as late as Workers KV shows it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use edgekeeper_gateway::runtime::Unavailable;

use crate::climate::PLACES;
use crate::invariants::secrets;
use crate::world::World;

/// Seconds after which a write is seen everywhere.
pub(crate) const SPREAD: u64 = 60;

/// What is wrong with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    /// Every step takes so many milliseconds.
    Slow(u64),
    Full,
    Failing,
    /// It fails for who asks from one data centre.
    FailingAt(usize),
    /// Every other step fails, by lot.
    Flaky,
}

#[derive(Debug)]
struct Version {
    /// `None` where it was deleted.
    value: Option<Rc<str>>,
    /// From when on each data centre sees it.
    seen_from: [u64; PLACES],
}

/// The values with their past, as long as somebody may see it.
#[derive(Debug)]
pub(crate) struct Store {
    entries: RefCell<BTreeMap<String, Vec<Version>>>,
    fault: Cell<Fault>,
    /// When it last was out of order, and when that began.
    last_trouble: Cell<Option<u64>>,
    began: Cell<u64>,
    /// When a step last took more than a second.
    last_slow: Cell<Option<u64>>,
    /// When it last lost all but the keys.
    lost: Cell<Option<u64>>,
    /// Whether writes take their time to be seen in other data centres.
    spreads: bool,
}

impl Store {
    pub(crate) fn new(spreads: bool) -> Self {
        Self {
            spreads,
            entries: RefCell::default(),
            fault: Cell::new(Fault::Nothing),
            last_trouble: Cell::new(None),
            began: Cell::new(0),
            last_slow: Cell::new(None),
            lost: Cell::new(None),
        }
    }

    pub(crate) fn set_fault(&self, fault: Fault, now: u64) {
        if self.fault.get() != Fault::Nothing {
            self.last_trouble.set(Some(now));
        }
        if self.is_slow() {
            self.last_slow.set(Some(now));
        }
        if fault != Fault::Nothing {
            self.began.set(now);
        }
        self.fault.set(fault);
    }

    /// Since when it is out of order.
    pub(crate) fn out_of_order_since(&self) -> Option<u64> {
        (self.fault.get() != Fault::Nothing).then(|| self.began.get())
    }

    /// Whether it was out of order at or after a moment.
    pub(crate) fn was_in_trouble_since(&self, since: u64) -> bool {
        self.fault.get() != Fault::Nothing || self.last_trouble.get().is_some_and(|at| at >= since)
    }

    fn is_slow(&self) -> bool {
        matches!(self.fault.get(), Fault::Slow(takes) if takes > 1_000)
    }

    /// Whether a step could take more than a second at or after a moment.
    pub(crate) fn was_slow_since(&self, since: u64) -> bool {
        self.is_slow() || self.last_slow.get().is_some_and(|at| at >= since)
    }

    /// Loses all but the keys.
    pub(crate) fn lose_sessions(&self, now: u64) {
        self.last_trouble.set(Some(now));
        self.lost.set(Some(now));
        self.entries
            .borrow_mut()
            .retain(|name, _| name.starts_with("keys/"));
    }

    /// Whether it lost what it was told at or after a moment.
    pub(crate) fn has_lost_since(&self, since: u64) -> bool {
        self.lost.get().is_some_and(|at| at >= since)
    }

    /// Damages what was stored of sessions: one value, or two in each other's place. Claims and marks, whose names have a `-`,
    /// stay: whoever can write those can hold people up, but be nobody else.
    pub(crate) fn damage(&self, world: &World) {
        self.last_trouble.set(Some(world.now()));
        let mut entries = self.entries.borrow_mut();
        let names: Vec<String> = entries
            .keys()
            .filter(|name| name.starts_with("sessions/") && !name.contains('-'))
            .cloned()
            .collect();
        if names.is_empty() {
            return;
        }
        let latest = |entries: &BTreeMap<String, Vec<Version>>, name: &str| {
            entries[name].last().and_then(|last| last.value.clone())
        };
        let one = &names[world.dice.index(names.len())];
        let other = &names[world.dice.index(names.len())];
        let (first, second) = (latest(&entries, one), latest(&entries, other));
        if one != other && world.dice.chance(2, 3) {
            entries.get_mut(one).unwrap().last_mut().unwrap().value = second;
            entries.get_mut(other).unwrap().last_mut().unwrap().value = first;
            return;
        }
        let Some(value) = first else { return };
        let mut bytes = value.as_bytes().to_vec();
        if !bytes.is_empty() {
            let at = world.dice.index(bytes.len());
            match world.dice.below(3) {
                0 => bytes.truncate(at),
                1 => bytes[at] = b'A',
                _ => bytes = b"{}".to_vec(),
            }
        }
        let damaged = String::from_utf8(bytes).unwrap();
        entries.get_mut(one).unwrap().last_mut().unwrap().value = Some(damaged.into());
    }

    /// A read or a list, or a write: waits as long as that takes.
    async fn step(&self, world: &Rc<World>, place: usize, writes: bool) -> Result<(), Unavailable> {
        let takes = match self.fault.get() {
            Fault::Slow(takes) => takes,
            _ => world.dice.between(1, 6),
        };
        world.sleep(takes).await;
        let fails = match self.fault.get() {
            Fault::Failing => true,
            Fault::FailingAt(failing) => failing == place,
            Fault::Full => writes,
            Fault::Flaky => world.dice.chance(1, 2),
            Fault::Nothing | Fault::Slow(_) => false,
        };
        if fails {
            return Err(Unavailable("the store does not work".to_owned()));
        }
        Ok(())
    }

    fn seen(&self, world: &World, place: usize, name: &str) -> Option<Rc<str>> {
        let entries = self.entries.borrow();
        let versions = entries.get(name)?;
        let seen = versions
            .iter()
            .rev()
            .find(|version| version.seen_from[place] <= world.now())?;
        seen.value.clone()
    }

    /// The latest values, wherever they are seen.
    pub(crate) fn latest(&self, prefix: &str) -> Vec<(String, Rc<str>)> {
        let entries = self.entries.borrow();
        let chosen = entries.iter().filter(|(name, _)| name.starts_with(prefix));
        chosen
            .filter_map(|(name, versions)| Some((name.clone(), versions.last()?.value.clone()?)))
            .collect()
    }

    pub(crate) fn write(&self, world: &World, place: usize, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            secrets::stored(world, name, value);
        }
        let now = world.now();
        let mut seen_from = [now; PLACES];
        if self.spreads {
            for (other, from) in seen_from.iter_mut().enumerate() {
                if other != place {
                    *from = now + world.dice.pick(&[100, 5_000, 30_000, SPREAD * 1_000]);
                }
            }
        }
        let mut entries = self.entries.borrow_mut();
        let versions = entries.entry(name.to_owned()).or_default();
        versions.push(Version {
            value: value.map(Rc::from),
            seen_from,
        });
        let settled = versions
            .iter()
            .rposition(|version| version.seen_from.iter().all(|from| *from <= now));
        if let Some(settled) = settled {
            versions.drain(..settled);
        }
    }

    pub(crate) async fn get(
        &self,
        world: &Rc<World>,
        place: usize,
        name: &str,
    ) -> Result<Option<String>, Unavailable> {
        // What is read is what was there when the question came or when the answer left.
        let early = world.dice.chance(1, 2);
        let before = early.then(|| self.seen(world, place, name));
        self.step(world, place, false).await?;
        let value = before.unwrap_or_else(|| self.seen(world, place, name));
        Ok(value.map(|value| value.to_string()))
    }

    pub(crate) async fn set(
        &self,
        world: &Rc<World>,
        place: usize,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), Unavailable> {
        self.step(world, place, true).await?;
        self.write(world, place, name, value);
        Ok(())
    }

    /// Writes where there is nothing, in one step.
    pub(crate) async fn add(
        &self,
        world: &Rc<World>,
        place: usize,
        name: &str,
        value: &str,
    ) -> Result<bool, Unavailable> {
        self.step(world, place, true).await?;
        let free = self.seen(world, place, name).is_none();
        if free {
            self.write(world, place, name, Some(value));
        }
        Ok(free)
    }

    pub(crate) async fn names(
        &self,
        world: &Rc<World>,
        place: usize,
        prefix: &str,
    ) -> Result<Vec<String>, Unavailable> {
        let list = || -> Vec<String> {
            let names: Vec<String> = {
                let entries = self.entries.borrow();
                let names = entries.keys().filter(|name| name.starts_with(prefix));
                names.cloned().collect()
            };
            names
                .into_iter()
                .filter(|name| self.seen(world, place, name).is_some())
                .collect()
        };
        let before = world.dice.chance(1, 2).then(list);
        self.step(world, place, false).await?;
        Ok(before.unwrap_or_else(list))
    }
}
