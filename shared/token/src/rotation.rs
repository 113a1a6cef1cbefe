//! Which period it is, and what that means for a key.
//!
//! Time is cut into periods of equal length, counted from 1970. Each has one key. Nothing is ever
//! moved from one state to another: the state follows from the period and the clock, so isolates
//! that never talk to each other agree.

use std::fmt;
use std::ops::RangeInclusive;

/// Seconds until a write to Workers KV is seen everywhere.
pub const KV_SPREAD: u64 = 60;
/// Seconds a verifier may keep our JWKS: the `max-age` it is served with.
pub const JWKS_MAX_AGE: u64 = 300;
/// Seconds after which an isolate reads its keys again, at the latest.
pub const RING_RELOAD: u64 = 30;
/// Seconds two clocks may disagree.
pub const CLOCK_SKEW: u64 = 60;

/// Periods for which a key may go on signing when its successors are missing.
const LAST_GOOD: u64 = 2;

const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// How often keys change, and how long their tokens live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    length: u64,
    max_ttl: u64,
}

/// What a key is for, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyState {
    /// In the JWKS, so that verifiers have it before it signs.
    Published,
    /// In the JWKS, and signs.
    Signing,
    /// In the JWKS, because tokens it signed may not have expired.
    Retiring,
    /// Nothing it signed is valid any more.
    Gone,
}

impl KeyState {
    /// Whether the JWKS has it.
    pub const fn is_public(self) -> bool {
        !matches!(self, Self::Gone)
    }

    /// In one word, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Retiring => "retiring",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Rotation {
    /// Seconds of a period when nothing is configured: 30 days.
    pub const DEFAULT_LENGTH: u64 = 30 * DAY;
    /// Shortest period, in seconds. A key must be made and seen everywhere well within one.
    pub const MIN_LENGTH: u64 = HOUR;
    /// Shortest period in development, in seconds. Whatever takes its time with keys is in whole seconds, one at least.
    pub const MIN_DEVELOPMENT_LENGTH: u64 = 5;
    /// Longest period, in seconds: ten years.
    pub const MAX_LENGTH: u64 = 3_653 * DAY;

    /// `length` of a period and the longest life of any token, both in seconds.
    ///
    /// # Errors
    /// If the length is outside [`Self::MIN_LENGTH`] and [`Self::MAX_LENGTH`], or a token would
    /// live longer than a period: then many keys would be published at once.
    pub const fn new(length: u64, max_ttl: u64) -> Result<Self, RotationError> {
        if length < Self::MIN_LENGTH {
            return Err(RotationError::Length(length));
        }
        Self::in_development(length, max_ttl)
    }

    /// The same with [`Self::MIN_DEVELOPMENT_LENGTH`]. Below an hour, all that takes its time with keys is shorter in
    /// proportion. Workers KV is not: such a rotation is for one machine.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub const fn in_development(length: u64, max_ttl: u64) -> Result<Self, RotationError> {
        if length < Self::MIN_DEVELOPMENT_LENGTH || length > Self::MAX_LENGTH {
            return Err(RotationError::Length(length));
        }
        if max_ttl > length {
            return Err(RotationError::Ttl { max_ttl, length });
        }
        Ok(Self { length, max_ttl })
    }

    /// One of these, as `keys.development` has it.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub const fn configured(
        development: bool,
        length: u64,
        max_ttl: u64,
    ) -> Result<Self, RotationError> {
        if development {
            Self::in_development(length, max_ttl)
        } else {
            Self::new(length, max_ttl)
        }
    }

    /// Seconds of a period.
    pub const fn length(self) -> u64 {
        self.length
    }

    /// Longest life of a token, in seconds.
    pub const fn max_ttl(self) -> u64 {
        self.max_ttl
    }

    /// The period whose key signs at `now` (Unix seconds).
    pub const fn signing_period(self, now: u64) -> u64 {
        // The length is never 0; `checked_div` says so to the compiler.
        match now.checked_div(self.length) {
            Some(period) => period,
            None => 0,
        }
    }

    /// First second of a period (Unix seconds).
    pub const fn start(self, period: u64) -> u64 {
        period.saturating_mul(self.length)
    }

    /// Seconds that something takes with periods of this length, and takes so many with those of an hour and more.
    fn scaled(self, seconds: u64) -> u64 {
        let length = self.length.min(HOUR);
        let scaled = seconds.saturating_mul(length).div_ceil(HOUR);
        scaled.max(1)
    }

    /// Seconds after which an instance reads its keys again, at the latest: [`RING_RELOAD`].
    pub fn reload(self) -> u64 {
        self.scaled(RING_RELOAD)
    }

    /// Seconds a verifier may keep our JWKS: [`JWKS_MAX_AGE`].
    pub fn jwks_max_age(self) -> u64 {
        self.scaled(JWKS_MAX_AGE)
    }

    /// Seconds from making a key until every verifier's JWKS has it: it reaches every location of the store, then every
    /// instance, then what they served before grows old.
    pub fn settle(self) -> u64 {
        self.handover().saturating_add(self.jwks_max_age())
    }

    /// Seconds for which what was read of the store says which key signs: one that was made since does not sign before, nor
    /// does one that had not reached this location yet.
    pub fn foreseen(self) -> u64 {
        self.reload().saturating_add(self.jwks_max_age())
    }

    /// Seconds for which an instance may go on signing with a key after its successor took over,
    /// because it has not seen the successor yet.
    fn handover(self) -> u64 {
        self.scaled(KV_SPREAD)
            .saturating_add(self.reload())
            .saturating_add(self.scaled(CLOCK_SKEW))
    }

    /// Seconds before its period at which a key is made: a quarter of the period but at least a
    /// day, to leave time to notice that it failed; for short periods at most half of one, but twice what it takes to settle.
    pub fn lead(self) -> u64 {
        let short = (self.length / 2).max(self.settle().saturating_mul(2));
        (self.length / 4).max(DAY.min(short)).min(self.length)
    }

    /// Seconds for which a key stays published once its successor signs.
    pub(crate) fn retirement(self) -> u64 {
        self.max_ttl.saturating_add(self.handover())
    }

    /// When a key whose successor took over at `end` is published no more (Unix seconds).
    pub fn gone_after(self, end: u64) -> u64 {
        end.saturating_add(self.retirement())
    }

    /// When a key made at `created` may sign: in its period, and once every verifier can know it (Unix seconds).
    pub(crate) fn signs_from(self, period: u64, created: u64) -> u64 {
        self.start(period)
            .max(created.saturating_add(self.settle()))
    }

    /// The state of a key that was made in time, as its successor will be.
    pub fn state(self, period: u64, now: u64) -> KeyState {
        let end = self.start(period.saturating_add(1));
        if now < self.start(period) {
            KeyState::Published
        } else if now < end {
            KeyState::Signing
        } else if now < end.saturating_add(self.retirement()) {
            KeyState::Retiring
        } else {
            KeyState::Gone
        }
    }

    /// The earliest period whose key may sign at `now`, in place of missing later ones.
    pub(crate) const fn last_good(self, now: u64) -> u64 {
        self.signing_period(now).saturating_sub(LAST_GOOD)
    }

    /// Periods whose keys are worth loading: every one that may have signed a token still alive,
    /// the current one, and the next once it is due.
    pub fn periods_at(self, now: u64) -> RangeInclusive<u64> {
        let first = self.last_good(now.saturating_sub(self.retirement()));
        let last = self.due_at(now).last().unwrap_or(first);
        first..=last
    }

    /// The period whose key should be made now, if any: the current one's when it is missing, else
    /// the next one's when it is due. `exists` says for which periods the store has an entry,
    /// whether or not that opens: an entry is never overwritten.
    pub fn next_due(self, now: u64, exists: impl Fn(u64) -> bool) -> Option<u64> {
        self.due_at(now).find(|period| !exists(*period))
    }

    /// Periods that should have a key at `now`: the current one, and the next within its lead.
    fn due_at(self, now: u64) -> impl Iterator<Item = u64> {
        let current = self.signing_period(now);
        let next = current.saturating_add(1);
        let next_is_due = now.saturating_add(self.lead()) >= self.start(next);
        std::iter::once(current).chain(next_is_due.then_some(next))
    }
}

/// A rotation that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationError {
    /// The period's length in seconds.
    Length(u64),
    /// Tokens would outlive a period.
    Ttl {
        /// Longest life of a token, in seconds.
        max_ttl: u64,
        /// Length of a period, in seconds.
        length: u64,
    },
}

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(
                f,
                "keys cannot rotate every {length} s; allowed: {} s (one hour; in development {} s) to {} s (ten years)",
                Rotation::MIN_LENGTH,
                Rotation::MIN_DEVELOPMENT_LENGTH,
                Rotation::MAX_LENGTH
            ),
            Self::Ttl { max_ttl, length } => write!(
                f,
                "a token's ttl of {max_ttl} s is longer than the {length} s after which keys \
                 rotate; shorten the ttl or rotate less often"
            ),
        }
    }
}

impl std::error::Error for RotationError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn monthly() -> Rotation {
        Rotation::new(Rotation::DEFAULT_LENGTH, 900).unwrap()
    }

    #[test]
    fn a_key_goes_through_its_states_by_the_clock_alone() {
        let rotation = Rotation::new(HOUR, 900).unwrap();
        let start = 10 * HOUR;
        let end = 11 * HOUR;
        let gone = end + 900 + KV_SPREAD + RING_RELOAD + CLOCK_SKEW;
        for (now, state) in [
            (0, KeyState::Published),
            (start - 1, KeyState::Published),
            (start, KeyState::Signing),
            (end - 1, KeyState::Signing),
            (end, KeyState::Retiring),
            (gone - 1, KeyState::Retiring),
            (gone, KeyState::Gone),
            (u64::MAX, KeyState::Gone),
        ] {
            assert_eq!(rotation.state(10, now), state, "at {now}");
        }
    }

    #[test]
    fn exactly_one_period_signs_at_any_time() {
        let rotation = Rotation::new(HOUR, HOUR).unwrap();
        for now in (0..20 * HOUR).step_by(7) {
            let signing: Vec<_> = (0..30)
                .filter(|period| rotation.state(*period, now) == KeyState::Signing)
                .collect();
            assert_eq!(signing, [rotation.signing_period(now)]);
        }
    }

    #[test]
    fn a_key_is_due_longer_before_it_signs_than_verifiers_need_to_see_it() {
        for (length, lead) in [
            (HOUR, HOUR / 2),
            (DAY, DAY / 2),
            (2 * DAY, DAY),
            (4 * DAY, DAY),
            (30 * DAY, 30 * DAY / 4),
        ] {
            let rotation = Rotation::new(length, 60).unwrap();
            assert_eq!(rotation.lead(), lead, "{length}");
            assert!(rotation.lead() >= 2 * rotation.settle());
        }
    }

    #[test]
    fn every_period_with_a_living_token_is_loaded() {
        for (length, max_ttl) in [(HOUR, 60), (HOUR, HOUR), (30 * DAY, 900)] {
            let rotation = Rotation::new(length, max_ttl).unwrap();
            for step in 0..500 {
                let now = 40 * length + step * length / 97;
                let loaded = rotation.periods_at(now);
                let current = rotation.signing_period(now);
                for period in 0..current + 1 {
                    let needed = rotation.state(period, now).is_public();
                    assert!(!needed || loaded.contains(&period), "{period} at {now}");
                }
                assert!(loaded.contains(&current));
                assert!(loaded.count() <= 7);
            }
        }
    }

    #[test]
    fn a_last_good_key_is_loaded_until_its_last_token_has_expired() {
        let rotation = Rotation::new(HOUR, HOUR).unwrap();
        for signed in (40 * HOUR..42 * HOUR).step_by(59) {
            for later in [0, HOUR, rotation.retirement()] {
                let loaded = rotation.periods_at(signed + later);
                assert!(
                    loaded.contains(&rotation.last_good(signed)),
                    "{signed} {later}"
                );
            }
        }
    }

    #[test]
    fn the_missing_key_of_the_present_is_due_before_that_of_the_future() {
        let rotation = monthly();
        let start = rotation.start(600);
        let late = rotation.start(601) - rotation.lead();
        for (now, existing, due) in [
            (start, &[][..], Some(600)),
            (start, &[599], Some(600)),
            (start, &[600], None),
            (late - 1, &[600], None),
            (late, &[600], Some(601)),
            (late, &[], Some(600)),
            (late, &[601], Some(600)),
            (late, &[600, 601], None),
        ] {
            let found = rotation.next_due(now, |period| existing.contains(&period));
            assert_eq!(found, due, "at {now} with {existing:?}");
        }
    }

    #[test]
    fn below_an_hour_everything_is_shorter_in_proportion_and_nothing_is_nothing() {
        for (length, reload, max_age, settle, lead) in [
            (DAY, 30, 300, 450, DAY / 2),
            (HOUR, 30, 300, 450, HOUR / 2),
            (HOUR / 2, 15, 150, 225, HOUR / 4),
            (120, 1, 10, 15, 60),
            (10, 1, 1, 4, 8),
            (5, 1, 1, 4, 5),
        ] {
            let rotation = Rotation::in_development(length, 5).unwrap();
            let found = (
                rotation.reload(),
                rotation.jwks_max_age(),
                rotation.settle(),
                rotation.lead(),
            );
            assert_eq!(found, (reload, max_age, settle, lead), "{length}");
            assert!(rotation.lead() > rotation.settle(), "{length}");
            assert!(rotation.jwks_max_age() < rotation.lead(), "{length}");
        }
    }

    #[test]
    fn a_rotation_nobody_could_keep_is_refused() {
        for (length, max_ttl, said) in [
            (0, 0, "one hour"),
            (HOUR - 1, 60, "one hour"),
            (u64::MAX, 60, "ten years"),
            (HOUR, HOUR + 1, "shorten the ttl"),
        ] {
            let error = Rotation::new(length, max_ttl).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        for (length, max_ttl, allowed) in [
            (4, 1, false),
            (5, 5, true),
            (5, 6, false),
            (u64::MAX, 1, false),
        ] {
            let made = Rotation::in_development(length, max_ttl);
            assert_eq!(made.is_ok(), allowed, "{length} {max_ttl}");
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let rotation = monthly();
        for now in [0, 1, u64::MAX - 1, u64::MAX] {
            assert!(rotation.periods_at(now).count() <= 7);
            assert!(rotation.next_due(now, |_| false).is_some());
        }
    }
}
