//! Minted tokens, kept for the next request of the same session.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// Names one token: SHA-256 over all that decides its content.
pub type CacheKey = [u8; 32];

/// All that decides a token's content, beside the time.
#[derive(Debug, Clone, Copy)]
pub struct TokenInputs<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// The session, by its own cache key or id, so that a new login gets a new token.
    pub session: &'a [u8],
    /// `sub`.
    pub subject: &'a str,
    /// The claims as rendered.
    pub claims: &'a str,
    /// The key that would sign.
    pub kid: &'a str,
    /// `iss`.
    pub issuer: &'a str,
    /// Life of a token, in seconds.
    pub ttl: u64,
}

/// The key under which a token is kept. Every part is preceded by its length, so that no two lists
/// of parts give the same bytes.
pub fn cache_key(inputs: &TokenInputs<'_>) -> CacheKey {
    let TokenInputs {
        rule,
        session,
        subject,
        claims,
        kid,
        issuer,
        ttl,
    } = inputs;
    let mut hash = Sha256::new();
    for part in [
        rule.as_bytes(),
        session,
        subject.as_bytes(),
        claims.as_bytes(),
        kid.as_bytes(),
        issuer.as_bytes(),
        &ttl.to_be_bytes(),
    ] {
        // `usize` has at most 64 bits on every target there is.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A bounded cache of tokens.
///
/// Two generations: new tokens go into the young one; when it is half the bounds, it becomes the
/// old one and the former old one is dropped. A token that is used moves to the young one. So what
/// is in use stays, without a list to keep in order.
#[derive(Debug)]
pub struct TokenCache {
    half_entries: usize,
    half_bytes: usize,
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    tokens: HashMap<CacheKey, Token>,
    bytes: usize,
}

struct Token {
    text: String,
    issued: u64,
    expires: u64,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("issued", &self.issued)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// What an entry takes beside its token's text: key, times, and the table's own.
const OVERHEAD: usize = 96;

impl Token {
    /// While more than a tenth of its life is left (as Oathkeeper), and it is not from the future.
    const fn is_fresh(&self, now: u64) -> bool {
        let life = self.expires.saturating_sub(self.issued);
        let left = self.expires.saturating_sub(now);
        self.issued <= now && left > life / 10
    }

    const fn size(&self) -> usize {
        self.text.len().saturating_add(OVERHEAD)
    }
}

impl Generation {
    fn insert(&mut self, key: CacheKey, token: Token) {
        self.bytes = self.bytes.saturating_add(token.size());
        if let Some(replaced) = self.tokens.insert(key, token) {
            self.bytes = self.bytes.saturating_sub(replaced.size());
        }
    }

    fn remove(&mut self, key: &CacheKey) -> Option<Token> {
        let token = self.tokens.remove(key)?;
        self.bytes = self.bytes.saturating_sub(token.size());
        Some(token)
    }
}

impl TokenCache {
    /// A cache of at most this many tokens and, about, bytes.
    pub fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            half_entries: max_entries / 2,
            half_bytes: max_bytes / 2,
            young: Generation::default(),
            old: Generation::default(),
        }
    }

    /// The token, while more than a tenth of its life is left at `now` (Unix seconds). Its life
    /// ends with the session's, if that is how it was made ([`Issue::expires`]).
    ///
    /// [`Issue::expires`]: crate::claims::Issue::expires
    pub fn get(&mut self, key: &CacheKey, now: u64) -> Option<&str> {
        if let Some(token) = self.old.remove(key) {
            self.insert(*key, token);
        }
        if !self.young.tokens.get(key)?.is_fresh(now) {
            self.young.remove(key);
            return None;
        }
        self.young.tokens.get(key).map(|token| token.text.as_str())
    }

    /// Keeps a token made at `issued` that expires at `expires` (Unix seconds). One that takes more
    /// than half the bounds is not kept.
    pub fn put(&mut self, key: CacheKey, token: String, issued: u64, expires: u64) {
        self.old.remove(&key);
        self.insert(
            key,
            Token {
                text: token,
                issued,
                expires,
            },
        );
    }

    fn insert(&mut self, key: CacheKey, token: Token) {
        let size = token.size();
        self.young.remove(&key);
        if self.half_entries == 0 || size > self.half_bytes {
            return;
        }
        let full = self.young.tokens.len() >= self.half_entries
            || self.young.bytes.saturating_add(size) > self.half_bytes;
        if full {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, token);
    }

    /// Tokens held, fresh or not.
    pub fn len(&self) -> usize {
        self.young
            .tokens
            .len()
            .saturating_add(self.old.tokens.len())
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held, about.
    pub const fn bytes(&self) -> usize {
        self.young.bytes.saturating_add(self.old.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> CacheKey {
        Sha256::digest(number.to_be_bytes()).into()
    }

    #[test]
    fn a_token_is_reused_until_a_tenth_of_its_life_is_left() {
        let mut cache = TokenCache::new(10, 10_000);
        for (now, found) in [
            (999, false),
            (1_000, true),
            (1_809, true),
            (1_810, false),
            (1_900, false),
            (u64::MAX, false),
        ] {
            cache.put(key(1), "token".to_owned(), 1_000, 1_900);
            assert_eq!(
                cache.get(&key(1), now),
                found.then_some("token"),
                "at {now}"
            );
        }
        assert!(cache.is_empty(), "a stale token is dropped");
        assert_eq!(cache.bytes(), 0);
    }

    #[test]
    fn a_token_cut_short_by_its_session_is_never_given_out_after_it() {
        let mut cache = TokenCache::new(10, 10_000);
        for session_expires in 1_001..1_050 {
            cache.put(key(1), "token".to_owned(), 1_000, session_expires);
            assert_eq!(cache.get(&key(1), 1_000), Some("token"));
            assert_eq!(cache.get(&key(1), session_expires), None);
        }
    }

    #[test]
    fn entries_and_bytes_stay_within_the_bounds() {
        let mut cache = TokenCache::new(100, 20_000);
        for number in 0..5_000_u64 {
            let length = usize::try_from(number * 7_919 % 3_000).unwrap();
            cache.put(key(number % 400), "t".repeat(length), 0, 1_000);
            cache.get(&key(number * 31 % 400), 0);
            assert!(cache.len() <= 100 && cache.bytes() <= 20_000);
            let counted: usize = [&cache.young, &cache.old]
                .iter()
                .flat_map(|generation| generation.tokens.values())
                .map(Token::size)
                .sum();
            assert_eq!(cache.bytes(), counted);
        }
        assert!(!cache.is_empty());
    }

    #[test]
    fn what_is_in_use_stays_and_what_is_not_goes() {
        let mut cache = TokenCache::new(20, 100_000);
        cache.put(key(0), "used".to_owned(), 0, 1_000);
        cache.put(key(1), "unused".to_owned(), 0, 1_000);
        for number in 2..200 {
            cache.put(key(number), "other".to_owned(), 0, 1_000);
            assert_eq!(cache.get(&key(0), 0), Some("used"));
        }
        assert_eq!(cache.get(&key(1), 0), None);
    }

    #[test]
    fn the_newest_token_of_a_key_is_the_one_given() {
        let mut cache = TokenCache::new(4, 100_000);
        cache.put(key(0), "one".to_owned(), 0, 1_000);
        cache.put(key(1), "x".to_owned(), 0, 1_000);
        cache.put(key(2), "x".to_owned(), 0, 1_000);
        cache.put(key(0), "two".to_owned(), 0, 1_000);
        assert_eq!(cache.get(&key(0), 0), Some("two"));
        assert_eq!(cache.len(), 3);
    }

    #[test]
    fn a_cache_of_nothing_and_a_token_too_large_are_fine() {
        let mut none = TokenCache::new(0, 0);
        none.put(key(0), "x".to_owned(), 0, 1_000);
        assert!(none.get(&key(0), 0).is_none() && none.is_empty());
        let mut small = TokenCache::new(10, 1_000);
        small.put(key(0), "x".repeat(5_000), 0, 1_000);
        assert!(small.is_empty());
    }

    #[test]
    fn every_input_changes_the_key_and_none_runs_into_the_next() {
        let base = TokenInputs {
            rule: "r",
            session: b"s",
            subject: "u",
            claims: "{}",
            kid: "k",
            issuer: "i",
            ttl: 900,
        };
        let mut keys = vec![
            cache_key(&base),
            cache_key(&TokenInputs { rule: "r2", ..base }),
            cache_key(&TokenInputs {
                session: b"s2",
                ..base
            }),
            cache_key(&TokenInputs {
                subject: "u2",
                ..base
            }),
            cache_key(&TokenInputs {
                claims: "{ }",
                ..base
            }),
            cache_key(&TokenInputs { kid: "k2", ..base }),
            cache_key(&TokenInputs {
                issuer: "i2",
                ..base
            }),
            cache_key(&TokenInputs { ttl: 901, ..base }),
            cache_key(&TokenInputs {
                rule: "rs",
                session: b"",
                ..base
            }),
            cache_key(&TokenInputs {
                rule: "",
                session: b"rs",
                ..base
            }),
        ];
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
        assert_eq!(cache_key(&base), cache_key(&base.clone()));
    }

    #[test]
    fn debug_does_not_show_tokens() {
        let mut cache = TokenCache::new(10, 10_000);
        cache.put(key(0), "eyJhbGciOi".to_owned(), 0, 1_000);
        assert!(!format!("{cache:?}").contains("eyJ"));
    }
}
