//! The signing keys of this deployment: read from the key-value store, and made when they are due.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::str::FromStr;

use edgekeeper_policy::document::Policy;
use edgekeeper_token::algorithm::Algorithm;
use edgekeeper_token::entry::{KeyEntry, entry_name};
use edgekeeper_token::key::SigningKey;
use edgekeeper_token::ring::KeyRing;
use edgekeeper_token::rotation::Rotation;
use edgekeeper_token::seal::Sealer;

use crate::problem;
use crate::runtime::{Runtime, Unavailable};

/// The name of the secret under which private keys are sealed.
pub const SECRET: &str = "KEYS_SECRET";

/// The keys as this instance knows them.
#[derive(Debug)]
pub(crate) struct Keys {
    rotation: Rotation,
    algorithm: Algorithm,
    development: bool,
    ring: RefCell<Option<Loaded>>,
    /// Since when (Unix milliseconds) somebody is making a key. A request that is cut off never says that it is done.
    making: Cell<Option<u64>>,
}

/// After how many seconds a store that failed is tried again.
const TRY_AGAIN: u64 = 5;

/// How long making a key may take, in milliseconds.
const MAKING: u64 = 10_000;

/// How long a request that waits for the first key sleeps before it looks again, in milliseconds.
const LOOK_AGAIN: u64 = 50;

#[derive(Debug, Clone)]
struct Loaded {
    ring: Rc<KeyRing>,
    /// When it was read (Unix seconds).
    read: u64,
    /// From when on its age counts (Unix seconds): as `read`, or later where the store has failed since.
    at: u64,
}

impl Loaded {
    /// Whether the key that signs had been made within so many seconds when it was read. Only a first key can be that young:
    /// any other signs when every verifier knows it.
    fn is_young(&self, seconds: u64) -> bool {
        self.ring
            .signing_created(self.read)
            .is_some_and(|created| self.read.abs_diff(created) < seconds)
    }

    /// The ring, unless a key that it lacks, because it was made since, may sign at `now` or so many seconds later.
    fn trusted(self, now: u64, later: u64) -> Result<Rc<KeyRing>, Unavailable> {
        let last = now.saturating_add(later);
        let foreseen = self.ring.rotation().foreseen();
        if last.abs_diff(self.read) < foreseen || self.ring.has_key_of(last) {
            return Ok(self.ring);
        }
        Err(Unavailable(format!(
            "the signing keys were last read {} s ago, and the key of this period is not among them: another instance may sign with one that is not known here",
            now.abs_diff(self.read)
        )))
    }
}

/// The keys to publish.
pub(crate) struct Published {
    pub(crate) ring: Rc<KeyRing>,
    /// Whether a verifier may keep them. Not while the store fails and a key that they lack may sign soon.
    pub(crate) lasts: bool,
}

impl Keys {
    /// # Errors
    /// When the policy's rotation or algorithm is none; the text says which.
    pub(crate) fn new(policy: &Policy) -> Result<Self, String> {
        Ok(Self {
            rotation: Rotation::configured(
                policy.keys.development,
                policy.keys.rotation,
                policy.longest_token_ttl(),
            )
            .map_err(|error| error.to_string())?,
            algorithm: Algorithm::from_str(&policy.keys.algorithm)
                .map_err(|error| error.to_string())?,
            development: policy.keys.development,
            ring: RefCell::new(None),
            making: Cell::new(None),
        })
    }

    /// Whether the same keys are made and read in the same way.
    pub(crate) fn are_as(&self, other: &Self) -> bool {
        self.rotation == other.rotation
            && self.algorithm == other.algorithm
            && self.development == other.development
    }

    /// The key ring, read anew when it was last read [`Rotation::reload`] seconds ago. While the store fails, the last
    /// good one stays, as long as it can be right.
    pub(crate) async fn ring<R: Runtime>(&self, runtime: &R) -> Result<Rc<KeyRing>, Unavailable> {
        let now = runtime.seconds();
        self.loaded(runtime, now).await?.trusted(now, 0)
    }

    async fn loaded<R: Runtime>(&self, runtime: &R, now: u64) -> Result<Loaded, Unavailable> {
        let known = self.ring.borrow().clone();
        if let Some(known) = &known
            && now.abs_diff(known.at) < self.rotation.reload()
        {
            return Ok(known.clone());
        }
        let failure = match self.load(runtime).await {
            Ok(ring) => {
                let can_sign = ring.signing(now).is_some();
                let loaded = Loaded {
                    ring: Rc::new(ring),
                    read: now,
                    at: now,
                };
                // A ring that cannot sign is not kept: the key may be written any moment.
                if can_sign {
                    *self.ring.borrow_mut() = Some(loaded.clone());
                    return Ok(loaded);
                }
                // A store that lost its entries has failed as well.
                if known
                    .as_ref()
                    .is_none_or(|known| known.ring.signing(now).is_none())
                {
                    return Ok(loaded);
                }
                Unavailable("they are gone from the store".to_owned())
            }
            Err(error) => error,
        };
        let Some(known) = known else {
            return Err(failure);
        };
        runtime.log(&problem::line(
            "keys",
            &format!("the signing keys cannot be read again, the known ones stay: {failure}"),
        ));
        // The store is tried again in `TRY_AGAIN` seconds, not for every request.
        let at = now.saturating_sub(self.rotation.reload().saturating_sub(TRY_AGAIN));
        let kept = Loaded { at, ..known };
        *self.ring.borrow_mut() = Some(kept.clone());
        Ok(kept)
    }

    /// The keys to publish. Where keys are made on first use, asking for them is one: a verifier may ask before anybody has
    /// signed in.
    pub(crate) async fn published<R: Runtime>(
        &self,
        runtime: &R,
    ) -> Result<Published, Unavailable> {
        if self.makes_keys::<R>() {
            self.signing_ring(runtime).await?;
        }
        let now = runtime.seconds();
        let loaded = self.loaded(runtime, now).await?;
        let lasts = loaded.clone().trusted(now, self.max_age()).is_ok();
        Ok(Published {
            ring: loaded.trusted(now, 0)?,
            lasts,
        })
    }

    /// Seconds for which a verifier may keep the public halves.
    pub(crate) fn max_age(&self) -> u64 {
        self.rotation.jwks_max_age()
    }

    /// Whether requests see to it that there are keys.
    fn makes_keys<R: Runtime>(&self) -> bool {
        self.development || !R::SCHEDULE
    }

    /// The key ring with a key to sign with. It is made on first use in development, and where no schedule makes any.
    pub(crate) async fn signing_ring<R: Runtime>(
        &self,
        runtime: &R,
    ) -> Result<Rc<KeyRing>, Unavailable> {
        let mut now = runtime.seconds();
        let mut loaded = self.loaded(runtime, now).await?;
        if loaded.ring.signing(now).is_none() {
            self.make_first(runtime).await?;
            now = runtime.seconds();
            loaded = self.loaded(runtime, now).await?;
        }
        // Until it has settled, the first key may be replaced by another instance's, and what it signed is lost then.
        while loaded.is_young(R::SETTLE) {
            runtime.sleep(LOOK_AGAIN).await;
            *self.ring.borrow_mut() = None;
            now = runtime.seconds();
            loaded = self.loaded(runtime, now).await?;
        }
        loaded.trusted(now, 0)
    }

    async fn make_first<R: Runtime>(&self, runtime: &R) -> Result<(), Unavailable> {
        if !self.makes_keys::<R>() {
            return Err(Unavailable(
                "there is no signing key in the key-value store; run `edgekeeper keys new` and put its entry there".to_owned(),
            ));
        }
        while self
            .making
            .get()
            .is_some_and(|since| runtime.now().abs_diff(since) < MAKING)
        {
            runtime.sleep(5).await;
        }
        self.making.set(Some(runtime.now()));
        let made = self.make_missing(runtime).await;
        self.making.set(None);
        made
    }

    async fn make_missing<R: Runtime>(&self, runtime: &R) -> Result<(), Unavailable> {
        // Another request may have made it while this one waited.
        if self
            .ring(runtime)
            .await?
            .signing(runtime.seconds())
            .is_some()
        {
            return Ok(());
        }
        let period = self.rotation.signing_period(runtime.seconds());
        self.make(runtime, period).await
    }

    /// Makes the next key when it is due, where requests see to that. It does not sign yet, so nobody waits for another.
    async fn make_next<R: Runtime>(&self, runtime: &R, present: &[u64]) {
        let next = self
            .rotation
            .next_due(runtime.seconds(), |period| present.contains(&period));
        if let Some(period) = next
            && let Err(error) = self.make(runtime, period).await
        {
            runtime.log(&problem::line(
                "keys",
                &format!("the next one is not made yet: {error}"),
            ));
        }
    }

    /// Makes the key that is due next, if one is. Run by the schedule.
    pub(crate) async fn rotate<R: Runtime>(&self, runtime: &R) -> Result<(), Unavailable> {
        let now = runtime.seconds();
        let mut present = Vec::new();
        for period in self.rotation.periods_at(now) {
            if runtime.get(&entry_name(period)).await?.is_some() {
                present.push(period);
            }
        }
        match self
            .rotation
            .next_due(now, |period| present.contains(&period))
        {
            Some(period) => self.make(runtime, period).await,
            None => Ok(()),
        }
    }

    async fn make<R: Runtime>(&self, runtime: &R, period: u64) -> Result<(), Unavailable> {
        let sealer = sealer(runtime).await?;
        let mut random = [0; 32];
        runtime.random(&mut random)?;
        let mut nonce = [0; 24];
        runtime.random(&mut nonce)?;
        let failed = |error: &dyn std::fmt::Display| {
            Unavailable(format!("a signing key could not be made: {error}"))
        };
        let key = SigningKey::generate(self.algorithm, &random).map_err(|error| failed(&error))?;
        let entry = KeyEntry::seal(
            &sealer,
            &key,
            self.rotation,
            period,
            runtime.seconds(),
            nonce,
        )
        .map_err(|error| failed(&error))?;
        let value = entry.to_json().map_err(|error| failed(&error))?;
        if runtime.add(&entry.name(), &value).await? {
            runtime.log(&problem::line(
                "keys",
                &format!("made signing key {} for period {period}", key.kid()),
            ));
        }
        Ok(())
    }

    async fn load<R: Runtime>(&self, runtime: &R) -> Result<KeyRing, Unavailable> {
        let sealer = sealer(runtime).await?;
        let mut entries = Vec::new();
        let mut present = Vec::new();
        for period in self.rotation.periods_at(runtime.seconds()) {
            let name = entry_name(period);
            if let Some(value) = runtime.get(&name).await? {
                entries.push((name, value));
                present.push(period);
            }
        }
        let borrowed = entries
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let (ring, errors) = KeyRing::open(self.rotation, borrowed, &sealer);
        for error in &errors {
            runtime.log(&problem::line("keys", &error.to_string()));
        }
        if ring.is_empty()
            && let Some(error) = errors.first()
        {
            return Err(Unavailable(error.to_string()));
        }
        if self.makes_keys::<R>() && !ring.is_empty() {
            self.make_next(runtime, &present).await;
        }
        Ok(ring)
    }
}

/// The secret that everything is sealed under.
pub(crate) async fn secret<R: Runtime>(runtime: &R) -> Result<String, Unavailable> {
    runtime.secret(SECRET).await.ok_or_else(|| {
        Unavailable(format!(
            "the secret {SECRET} is not set; make one with `openssl rand -base64 32`, and see docs/keys.md for where to put it"
        ))
    })
}

/// What seals entries of the key-value store.
pub(crate) async fn sealer<R: Runtime>(runtime: &R) -> Result<Sealer, Unavailable> {
    let secret = secret(runtime).await?;
    Sealer::new(secret.as_bytes()).map_err(|error| Unavailable(error.to_string()))
}
