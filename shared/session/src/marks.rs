//! The revocations that an instance knows of.

use std::collections::HashMap;

use serde_json::Value;

use crate::freshness::SKEW;
use crate::revocation::{Mark, Subject};

/// When something was learned of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learned {
    /// When Kratos was asked, in Unix milliseconds, by the clock of whoever asked.
    pub asked: u64,
    /// [`Marks::count`] when this instance asked itself; `None` for what it was told by somebody else.
    pub heard: Option<u64>,
}

/// Marks that were learned, until they end. A list that lacks one does not take it back: stores are late, and some forget.
#[derive(Debug, Default)]
pub struct Marks {
    subjects: HashMap<Subject, Revoked>,
    /// The messages, with the instants of their marks; and until when they count.
    messages: HashMap<(u128, u64), u64>,
    count: u64,
}

#[derive(Debug)]
struct Revoked {
    /// The latest mark's `at`.
    at: u64,
    /// The latest end.
    until: u64,
    /// The count with the latest mark.
    learned: u64,
}

impl Marks {
    /// How many marks were ever learned: the instance's own clock of revocations, which nobody can set back.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Learns of a mark; one that is known changes nothing.
    pub fn learn(&mut self, mark: &Mark) {
        let key = (mark.message, mark.at);
        if self.messages.insert(key, mark.until).is_some() {
            return;
        }
        self.count = self.count.saturating_add(1);
        let revoked = self.subjects.entry(mark.subject).or_insert(Revoked {
            at: mark.at,
            until: mark.until,
            learned: self.count,
        });
        revoked.at = revoked.at.max(mark.at);
        revoked.until = revoked.until.max(mark.until);
        revoked.learned = self.count;
    }

    /// Whether a message has had its effect.
    #[must_use]
    pub fn know(&self, message: u128) -> bool {
        self.messages.keys().any(|(known, _)| *known == message)
    }

    /// Drops marks that nobody needs any more at an instant (Unix seconds).
    pub fn drop_ended(&mut self, now: u64) {
        let counts = |until: u64| until.saturating_add(SKEW) >= now;
        self.subjects.retain(|_, revoked| counts(revoked.until));
        self.messages.retain(|_, until| counts(*until));
    }

    /// Whether what was learned of a session counts no more, given whoami's answer.
    ///
    /// Of its own questions an instance knows for sure whether they came after it had heard of a mark. Times are compared
    /// only for what others asked; clocks of different machines differ, so a moment after the mark counts as before: that
    /// costs Kratos a question, the other way round it would be somebody's session.
    #[must_use]
    pub fn revoke(&self, document: &Value, learned: Learned) -> bool {
        !self.subjects.is_empty()
            && Subject::all_of(document)
                .filter_map(|subject| self.subjects.get(&subject))
                .any(|revoked| match learned.heard {
                    Some(heard) => heard < revoked.learned,
                    None => learned.asked < revoked.at.saturating_add(SKEW.saturating_mul(1_000)),
                })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const AT: u64 = 1_700_000_000_000;
    const END: u64 = 1_700_000_500;

    fn mark(subject: Subject, at: u64, message: u128) -> Mark {
        Mark {
            subject,
            at,
            until: END,
            message,
        }
    }

    fn knowing(known: &[Mark]) -> Marks {
        let mut marks = Marks::default();
        for mark in known {
            marks.learn(mark);
        }
        marks
    }

    fn ada() -> Value {
        json!({"id": "laptop", "identity": {"id": "ada"}})
    }

    fn told(asked: u64) -> Learned {
        Learned { asked, heard: None }
    }

    fn own(heard: u64) -> Learned {
        Learned {
            asked: 0,
            heard: Some(heard),
        }
    }

    #[test]
    fn a_mark_is_about_a_session_or_about_all_of_a_person() {
        for (subject, laptop, phone) in [
            (Subject::session("laptop"), true, false),
            (Subject::identity("ada"), true, true),
            (Subject::session("ada"), false, false),
            (Subject::identity("laptop"), false, false),
        ] {
            let marks = knowing(&[mark(subject, AT, 1)]);
            let on_the_phone = json!({"id": "phone", "identity": {"id": "ada"}});
            assert_eq!(marks.revoke(&ada(), told(AT)), laptop, "{subject:?}");
            assert_eq!(marks.revoke(&on_the_phone, told(AT)), phone, "{subject:?}");
        }
    }

    #[test]
    fn what_others_asked_counts_again_when_every_clock_is_past_the_mark() {
        let marks = knowing(&[mark(Subject::identity("ada"), AT, 1)]);
        for (asked, revoked) in [
            (0, true),
            (AT, true),
            (AT + 4_999, true),
            (AT + 5_000, false),
        ] {
            assert_eq!(marks.revoke(&ada(), told(asked)), revoked, "{asked}");
        }
    }

    #[test]
    fn what_the_instance_asked_itself_counts_when_it_knew_of_the_mark_whatever_the_clock_says() {
        let mut marks = Marks::default();
        let before = marks.count();
        assert!(!marks.revoke(&ada(), own(before)));
        marks.learn(&mark(Subject::identity("ada"), AT, 1));
        let between = marks.count();
        assert!(marks.revoke(&ada(), own(before)));
        assert!(!marks.revoke(&ada(), own(between)));
        marks.learn(&mark(Subject::identity("bob"), AT, 2));
        assert!(!marks.revoke(&ada(), own(between)), "another's mark");
        marks.learn(&mark(Subject::session("laptop"), 1, 3));
        assert!(
            marks.revoke(&ada(), own(between)),
            "an older mark, learned later"
        );
        assert!(!marks.revoke(&ada(), own(marks.count())));
    }

    #[test]
    fn a_mark_that_is_listed_again_is_no_new_one() {
        let ada_is_out = mark(Subject::identity("ada"), AT, 1);
        let mut marks = knowing(&[ada_is_out]);
        let heard = marks.count();
        marks.learn(&ada_is_out);
        assert_eq!(marks.count(), heard);
        assert!(!marks.revoke(&ada(), own(heard)));
    }

    #[test]
    fn the_latest_of_several_marks_counts_in_whatever_order_they_come() {
        for order in [[AT, AT + 9_000], [AT + 9_000, AT]] {
            let marks = knowing(&order.map(|at| mark(Subject::identity("ada"), at, at.into())));
            assert!(marks.revoke(&ada(), told(AT + 13_999)), "{order:?}");
            assert!(!marks.revoke(&ada(), told(AT + 14_000)), "{order:?}");
        }
    }

    #[test]
    fn a_message_is_known_by_its_hash() {
        let marks = knowing(&[mark(Subject::identity("ada"), AT, 7)]);
        assert!(marks.know(7));
        assert!(!marks.know(8));
    }

    #[test]
    fn what_has_ended_is_dropped_and_nothing_before() {
        let mut marks = knowing(&[mark(Subject::identity("ada"), AT, 7)]);
        marks.drop_ended(END + SKEW);
        assert!(marks.know(7) && marks.revoke(&ada(), told(AT)));
        marks.drop_ended(END + SKEW + 1);
        assert!(!marks.know(7) && !marks.revoke(&ada(), told(AT)));
    }

    #[test]
    fn what_has_no_ids_is_nobodys_to_revoke() {
        let marks = knowing(&[mark(Subject::session(""), AT, 1)]);
        for document in [json!(null), json!({}), json!({"identity": {}})] {
            assert!(!marks.revoke(&document, told(0)), "{document}");
        }
    }
}
