//! How long an answer of whoami is believed.

use edgekeeper_policy::session::Session as Settings;

/// The instants (Unix seconds) at which an answer's standing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// When the answer was given. Nothing serves long before that: the clock was set back.
    pub since: u64,
    /// Until then it is fresh.
    pub fresh_until: u64,
    /// Until then it serves while it is asked anew behind the response.
    pub revalidate_until: u64,
    /// Until then it serves while Kratos fails. Nothing serves after it.
    pub fallback_until: u64,
}

/// The standing of a remembered answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It serves.
    Fresh,
    /// It serves, and is to be asked anew behind the response.
    Revalidate,
    /// It serves only if Kratos fails.
    Fallback,
    /// It does not serve.
    Gone,
}

impl Freshness {
    /// The standing of a session: the configured time, Kratos' `Ory-Session-Cache-For` and the session's own
    /// end, whichever comes first. No kind of staleness reaches beyond the session's end.
    #[must_use]
    pub fn of_session(
        settings: &Settings,
        cache_for: Option<u64>,
        expires_at: Option<u64>,
        now: u64,
    ) -> Self {
        let end = expires_at.unwrap_or(u64::MAX);
        let ttl = settings.ttl.min(cache_for.unwrap_or(u64::MAX));
        let fresh_until = now.saturating_add(ttl).min(end);
        // Kratos saying "for 0 seconds" means not at all, and so not stale either.
        let stale = |seconds: u64| match ttl {
            0 => fresh_until,
            _ => fresh_until.saturating_add(seconds).min(end),
        };
        Self {
            since: now,
            fresh_until,
            revalidate_until: stale(settings.stale_while_revalidate),
            fallback_until: stale(settings.stale_if_error),
        }
    }

    /// The standing of a refusal: seconds at most, and never stale.
    #[must_use]
    pub fn of_refusal(settings: &Settings, now: u64) -> Self {
        let until = now.saturating_add(settings.negative_ttl.min(MAX_NEGATIVE));
        Self {
            since: now,
            fresh_until: until,
            revalidate_until: until,
            fallback_until: until,
        }
    }

    /// How it stands at an instant.
    #[must_use]
    pub fn at(&self, now: u64) -> Standing {
        if now.saturating_add(SKEW) < self.since {
            Standing::Gone
        } else if now < self.fresh_until {
            Standing::Fresh
        } else if now < self.revalidate_until {
            Standing::Revalidate
        } else if now < self.fallback_until {
            Standing::Fallback
        } else {
            Standing::Gone
        }
    }
}

/// How far (seconds) two clocks may be apart, or one be set back by its keeper, before what they say is not believed.
pub const SKEW: u64 = 5;

/// A refusal is never remembered longer: the user may be logging in right now.
const MAX_NEGATIVE: u64 = 10;

/// Reads `Ory-Session-Cache-For`. Whatever is not a plain number of seconds is not advice.
#[must_use]
pub fn cache_for(header: &str) -> Option<u64> {
    let text = header.trim();
    (!text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            ttl: 60,
            stale_while_revalidate: 30,
            stale_if_error: 300,
            negative_ttl: 3,
            ..Settings::default()
        }
    }

    #[test]
    fn the_shortest_of_three_counts() {
        for (cache_for, expires_at, fresh_for) in [
            (None, None, 60),
            (Some(20), None, 20),
            (Some(600), None, 60),
            (None, Some(1_010), 10),
            (Some(20), Some(1_010), 10),
            (Some(5), Some(1_010), 5),
            (Some(0), None, 0),
            (None, Some(900), 0),
        ] {
            let freshness = Freshness::of_session(&settings(), cache_for, expires_at, 1_000);
            let fresh = freshness.fresh_until.saturating_sub(1_000);
            assert_eq!(fresh, fresh_for, "{cache_for:?} {expires_at:?}");
        }
    }

    #[test]
    fn staleness_never_outlives_the_session() {
        let freshness = Freshness::of_session(&settings(), None, Some(1_070), 1_000);
        assert_eq!(freshness.at(1_059), Standing::Fresh);
        assert_eq!(freshness.at(1_060), Standing::Revalidate);
        assert_eq!(freshness.at(1_069), Standing::Revalidate);
        assert_eq!(freshness.at(1_070), Standing::Gone);
    }

    #[test]
    fn an_answer_not_to_be_kept_is_not_stale_either() {
        let freshness = Freshness::of_session(&settings(), Some(0), None, 1_000);
        assert_eq!(freshness.at(1_000), Standing::Gone);
    }

    #[test]
    fn standing_passes_through_its_stages_in_order() {
        let freshness = Freshness::of_session(&settings(), None, None, 1_000);
        for (now, standing) in [
            (1_000, Standing::Fresh),
            (1_060, Standing::Revalidate),
            (1_090, Standing::Fallback),
            (1_359, Standing::Fallback),
            (1_360, Standing::Gone),
        ] {
            assert_eq!(freshness.at(now), standing, "{now}");
        }
    }

    #[test]
    fn an_answer_from_the_future_does_not_stand() {
        let freshness = Freshness::of_session(&settings(), None, None, 1_000);
        assert_eq!(freshness.at(995), Standing::Fresh, "two clocks differ");
        assert_eq!(freshness.at(994), Standing::Gone, "the clock was set back");
        assert_eq!(freshness.at(0), Standing::Gone);
    }

    #[test]
    fn a_refusal_is_kept_for_seconds_whatever_the_settings_say() {
        let long = Settings {
            negative_ttl: 3_600,
            ..settings()
        };
        assert_eq!(
            Freshness::of_refusal(&long, 1_000).at(1_010),
            Standing::Gone
        );
        assert_eq!(
            Freshness::of_refusal(&settings(), 1_000).at(1_002),
            Standing::Fresh
        );
        assert_eq!(
            Freshness::of_refusal(&settings(), 1_000).at(1_003),
            Standing::Gone
        );
    }

    #[test]
    fn advice_that_is_no_number_is_no_advice() {
        for (header, expected) in [
            ("30", Some(30)),
            (" 30 ", Some(30)),
            ("0", Some(0)),
            ("-1", None),
            ("1e99", None),
            ("abc", None),
            ("", None),
            ("3.5", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(cache_for(header), expected, "{header:?}");
        }
    }
}
