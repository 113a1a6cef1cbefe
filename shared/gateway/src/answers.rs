//! What other services said, kept for the next request: introspected tokens, clients, hydrated sessions.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Names one answer: SHA-256 over all that it depends on.
pub(crate) type AnswerKey = [u8; 32];

/// The key of an answer to a handler. Every part is preceded by its length, so that no two lists of parts give the same
/// bytes; and no credential is in memory as a key.
pub(crate) fn key(handler: &str, parts: &[&[u8]]) -> AnswerKey {
    let mut hash = Sha256::new();
    for part in std::iter::once(&handler.as_bytes()).chain(parts) {
        // `usize` has at most 64 bits on every target there is.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A bounded memory of answers.
///
/// Two generations: new answers go into the young one; when it is half the bounds, it becomes the old one and the former
/// old one is dropped. An answer that is used moves to the young one. So what is in use stays, without a list to keep in
/// order, and a flood of new ones costs no search.
#[derive(Debug)]
pub(crate) struct Answers {
    half_entries: usize,
    half_bytes: usize,
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    answers: HashMap<AnswerKey, Answer>,
    bytes: usize,
}

/// An answer and the instants, in Unix milliseconds, between which it counts.
struct Answer {
    value: Rc<Value>,
    size: usize,
    from: u64,
    until: u64,
}

/// An answer can hold a secret or somebody's traits.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("from", &self.from)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// What an answer takes beside its text: key, times, and the table's own.
const OVERHEAD: usize = 128;

/// How much more a parsed document takes than its text, about.
const PARSED: usize = 4;

impl Generation {
    fn insert(&mut self, key: AnswerKey, answer: Answer) {
        self.bytes = self.bytes.saturating_add(answer.size);
        if let Some(replaced) = self.answers.insert(key, answer) {
            self.bytes = self.bytes.saturating_sub(replaced.size);
        }
    }

    fn remove(&mut self, key: &AnswerKey) -> Option<Answer> {
        let answer = self.answers.remove(key)?;
        self.bytes = self.bytes.saturating_sub(answer.size);
        Some(answer)
    }
}

impl Answers {
    /// A memory of at most this many answers and, about, bytes.
    pub(crate) fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            half_entries: max_entries / 2,
            half_bytes: max_bytes / 2,
            young: Generation::default(),
            old: Generation::default(),
        }
    }

    /// The answer, while it counts at `now` (Unix milliseconds). One from the future is none: the clock was set back.
    pub(crate) fn get(&mut self, key: &AnswerKey, now: u64) -> Option<Rc<Value>> {
        if let Some(answer) = self.old.remove(key) {
            self.insert(*key, answer);
        }
        let answer = self.young.answers.get(key)?;
        if answer.from <= now && now < answer.until {
            return Some(Rc::clone(&answer.value));
        }
        self.young.remove(key);
        None
    }

    /// Keeps an answer, whose text had `size` bytes, between two instants (Unix milliseconds). One that takes more than
    /// half the bounds is not kept, nor one that never counts.
    pub(crate) fn put(
        &mut self,
        key: AnswerKey,
        value: Rc<Value>,
        size: usize,
        from: u64,
        until: u64,
    ) {
        if until <= from {
            return;
        }
        let size = size.saturating_mul(PARSED).saturating_add(OVERHEAD);
        self.old.remove(&key);
        let answer = Answer {
            value,
            size,
            from,
            until,
        };
        self.insert(key, answer);
    }

    fn insert(&mut self, key: AnswerKey, answer: Answer) {
        self.young.remove(&key);
        if answer.size > self.half_bytes || self.half_entries == 0 {
            return;
        }
        let full = self.young.answers.len() >= self.half_entries
            || self.young.bytes.saturating_add(answer.size) > self.half_bytes;
        if full {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, answer);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn some(answers: &mut Answers, byte: u8, now: u64) -> Option<i64> {
        answers
            .get(&[byte; 32], now)
            .map(|value| value.as_i64().unwrap())
    }

    fn put(answers: &mut Answers, byte: u8, size: usize, from: u64, until: u64) {
        answers.put(
            [byte; 32],
            Rc::new(json!(i64::from(byte))),
            size,
            from,
            until,
        );
    }

    #[test]
    fn an_answer_counts_between_its_instants_only() {
        let mut answers = Answers::new(10, 10_000);
        put(&mut answers, 1, 10, 100, 200);
        assert_eq!(some(&mut answers, 1, 100), Some(1));
        assert_eq!(some(&mut answers, 1, 199), Some(1));
        assert_eq!(some(&mut answers, 1, 200), None, "it has ended");
        put(&mut answers, 1, 10, 100, 200);
        assert_eq!(some(&mut answers, 1, 99), None, "the clock was set back");
        assert_eq!(some(&mut answers, 1, 150), None, "and it does not return");
        put(&mut answers, 1, 10, 100, 100);
        assert_eq!(some(&mut answers, 1, 100), None);
    }

    #[test]
    fn one_that_has_ended_gives_its_place_back() {
        let mut answers = Answers::new(10, 10_000);
        put(&mut answers, 1, 10, 0, 1);
        assert_eq!(some(&mut answers, 1, 1), None);
        assert_eq!((answers.young.bytes, answers.old.bytes), (0, 0));
    }

    #[test]
    fn what_is_used_stays_and_the_bounds_hold() {
        let mut answers = Answers::new(8, 1 << 20);
        for byte in 0..100 {
            put(&mut answers, byte, 10, 0, 1_000);
            assert_eq!(some(&mut answers, 0, 1), Some(0), "the one in use");
            let kept = answers.young.answers.len() + answers.old.answers.len();
            assert!(kept <= 8, "{kept} answers");
        }
        assert_eq!(some(&mut answers, 1, 1), None, "one nobody asked for");
    }

    #[test]
    fn bytes_are_bounded_too() {
        let mut answers = Answers::new(1_000, 8 << 10);
        for byte in 0..100 {
            put(&mut answers, byte, 250, 0, 1_000);
            let kept = answers.young.bytes + answers.old.bytes;
            assert!(kept <= 8 << 10, "{kept} bytes");
        }
        put(&mut answers, 200, 8 << 10, 0, 1_000);
        assert_eq!(some(&mut answers, 200, 1), None, "too large to be kept");
        put(&mut answers, 99, 8 << 10, 0, 1_000);
        assert_eq!(some(&mut answers, 99, 1), None, "nor what it replaces");
    }

    #[test]
    fn replacing_an_answer_counts_it_once() {
        let mut answers = Answers::new(10, 10_000);
        for _ in 0..100 {
            put(&mut answers, 1, 100, 0, 1_000);
        }
        assert_eq!(answers.young.answers.len(), 1);
        assert_eq!(answers.young.bytes, 100 * PARSED + OVERHEAD);
    }

    #[test]
    fn no_two_lists_of_parts_have_one_key() {
        let keys = [
            key("a", &[b"bc"]),
            key("ab", &[b"c"]),
            key("a", &[b"b", b"c"]),
            key("a", &[b"bc", b""]),
            key("a", &[b"", b"bc"]),
            key("a", &[]),
        ];
        for (index, one) in keys.iter().enumerate() {
            assert!(keys.iter().skip(index + 1).all(|other| other != one));
        }
    }

    #[test]
    fn debug_output_holds_no_answer() {
        let mut answers = Answers::new(10, 10_000);
        answers.put([1; 32], Rc::new(json!("secret")), 10, 0, 1);
        assert!(!format!("{answers:?}").contains("secret"));
    }
}
