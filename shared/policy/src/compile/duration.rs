//! Durations as Oathkeeper writes them.

/// A span of time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Duration(u128);

/// What a number may be of, in nanoseconds.
pub(super) const UNITS: [(&str, u128); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The unit that Oathkeeper does not have.
pub(super) const DAY: (&str, u128) = ("d", 86_400_000_000_000);

impl Duration {
    /// Reads one number and one unit (`^[0-9]+(ns|us|ms|s|m|h)$` in Oathkeeper's schema); with `days`, also `d`.
    pub(super) fn parse(text: &str, days: bool) -> Option<Self> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let name = text.strip_prefix(digits)?;
        let (_, unit) = UNITS
            .into_iter()
            .chain(days.then_some(DAY))
            .find(|(known, _)| *known == name)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Self(digits.parse::<u64>().ok()?.into()).times(unit))
    }

    fn times(self, unit: u128) -> Self {
        Self(self.0.saturating_mul(unit))
    }

    /// In milliseconds, a part of one counting as a whole.
    pub(super) fn milliseconds(self) -> u64 {
        u64::try_from(self.0.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// In seconds, if it is a whole number of them.
    pub(super) fn whole_seconds(self) -> Option<u64> {
        const SECOND: u128 = 1_000_000_000;
        if self.0.checked_rem(SECOND) != Some(0) {
            return None;
        }
        u64::try_from(self.0.checked_div(SECOND)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_and_one_unit() {
        for (text, days, expected) in [
            ("15m", false, Some(900)),
            ("1h", false, Some(3600)),
            ("2000ms", false, Some(2)),
            ("0s", false, Some(0)),
            ("30d", true, Some(2_592_000)),
            ("30d", false, None),
            ("1m30s", false, None),
            ("1.5s", false, None),
            ("-1s", false, None),
            ("+1s", false, None),
            ("15", false, None),
            ("s", false, None),
            ("", false, None),
            ("1500ms", false, None),
            ("1 s", false, None),
            ("99999999999999999999h", false, None),
        ] {
            let seconds = Duration::parse(text, days).and_then(Duration::whole_seconds);
            assert_eq!(seconds, expected, "{text}");
        }
    }
}
