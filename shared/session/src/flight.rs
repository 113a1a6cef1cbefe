//! One question at a time: requests with one credential wait for the first of them to ask.

use std::collections::HashMap;

use crate::key::CacheKey;

/// The questions being asked right now.
///
/// A request on Workers must not await what another request started, so nothing is shared here but the fact
/// that somebody asks; whoever waits looks again after a while.
#[derive(Debug, Default)]
pub struct Flights {
    /// When each took off and until when it has time, in Unix milliseconds.
    up: HashMap<CacheKey, (u64, u64)>,
}

impl Flights {
    /// Whether the caller is to ask. If so it has until `until` (Unix milliseconds) to [`Self::land`]; a
    /// request that was cut off never lands, and the next one asks after that.
    pub fn take_off(&mut self, key: CacheKey, now: u64, until: u64) -> bool {
        if self.is_up(&key, now) {
            return false;
        }
        self.up.insert(key, (now, until));
        true
    }

    /// Whether somebody asks. Not who took off in the future: the clock was set back, and that would be long.
    #[must_use]
    pub fn is_up(&self, key: &CacheKey, now: u64) -> bool {
        self.up
            .get(key)
            .is_some_and(|(since, until)| (*since..*until).contains(&now))
    }

    /// The question was answered, or the asking given up.
    pub fn land(&mut self, key: &CacheKey) {
        self.up.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Credential;

    fn key(name: &str) -> CacheKey {
        CacheKey::of_credential(&Credential::Cookie(name.to_owned()))
    }

    #[test]
    fn one_asks_and_the_others_wait() {
        let mut flights = Flights::default();
        assert!(flights.take_off(key("a"), 0, 100));
        assert!(!flights.take_off(key("a"), 1, 101));
        assert!(
            flights.take_off(key("b"), 1, 101),
            "another credential is another question"
        );
        flights.land(&key("a"));
        assert!(flights.take_off(key("a"), 2, 102));
    }

    #[test]
    fn a_request_that_was_cut_off_blocks_nobody_for_long() {
        let mut flights = Flights::default();
        assert!(flights.take_off(key("a"), 0, 100));
        assert!(!flights.take_off(key("a"), 99, 199));
        assert!(flights.take_off(key("a"), 100, 200));
    }

    #[test]
    fn a_clock_that_is_set_back_lets_nobody_wait() {
        let mut flights = Flights::default();
        assert!(flights.take_off(key("a"), 1_000_000, 1_006_000));
        assert!(flights.take_off(key("a"), 10, 6_010));
    }
}
