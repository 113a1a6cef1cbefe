//! What the gateway asks of the world it runs in.

use std::future::Future;

use http::HeaderMap;

use crate::explanation::{Step, Steps};

pub use edgekeeper_session::record::end as entry_end;
pub use edgekeeper_token::foreign::check::{SignatureCheck, Verdict};
pub use edgekeeper_token::imported::signer::Unsigned;
pub use edgekeeper_token::jwa::{Hash, Jwa};

/// A runtime: Workers, Spin, `wasi:http`, or memory in a test.
///
/// This is all an adapter implements. It holds no policy: it does what it is told, and says truthfully what
/// happened. Futures need not be `Send`: each of these runtimes runs an instance on one thread.
pub trait Runtime: Clone + 'static {
    /// Where its instances share what Kratos said. [`Unshared`] for a runtime that has no such place.
    type Shared: SharedCache;

    /// Whether it can switch protocols and pass a WebSocket on. Where it cannot, asking for one is 426.
    const WEBSOCKETS: bool;

    /// Whether the deployment runs [`crate::Gateway::scheduled`] by a timer. Where it does not, requests see to it.
    const SCHEDULE: bool;

    /// Whether it decodes an answer's body whose `Content-Encoding` is taken off. Only there may the gateway ask an upstream for
    /// an encoding that the client did not name.
    const DECODES: bool = false;

    /// Whether [`Self::verify_signature`] and [`Self::sign`] are its own. Other people's keys of these kinds are then not proven before
    /// it is given them, so that the Rust that could do so is not in the binary.
    const SIGNATURES: bool = false;

    /// Whether it can be told why a request is decided as it is ([`Self::steps`]). Where it cannot, what would tell it is not in the binary.
    const EXPLAINS: bool = false;

    /// For how many seconds what [`Self::add`] wrote may still be replaced by another's, who wrote at the same moment; 0
    /// where the store adds in one step.
    const SETTLE: u64;

    /// Milliseconds since the Unix epoch.
    fn now(&self) -> u64;

    /// Seconds since the Unix epoch.
    fn seconds(&self) -> u64 {
        seconds(self.now())
    }

    /// Microseconds of a clock that only goes forward, whenever it began; as fine as the runtime has one.
    fn micros(&self) -> u64 {
        self.now().saturating_mul(1_000)
    }

    /// Fills `bytes` from a cryptographic source.
    ///
    /// # Errors
    /// When there is none; the request is then refused.
    fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable>;

    /// A secret of the deployment, such as [`crate::keys::SECRET`]; `None` when it is not set.
    fn secret(&self, name: &str) -> impl Future<Output = Option<String>>;

    /// Sends a request and reads its answer whole. Redirects are not followed.
    fn fetch(&self, request: Outbound) -> impl Future<Output = Result<Inbound, FetchError>>;

    /// [`Self::fetch`], which is a step of the decision.
    fn ask(&self, request: Outbound) -> impl Future<Output = Result<Inbound, FetchError>> {
        async move {
            let asked = self.is_explaining().then(|| {
                let Outbound { method, url, .. } = &request;
                (method.clone(), url.clone())
            });
            let answer = self.fetch(request).await;
            if let Some((method, url)) = asked {
                self.explain(|| Step::asked(method, url, &answer));
            }
            answer
        }
    }

    /// Whether the deployment has a key-value store at all.
    fn has_store(&self) -> impl Future<Output = bool> {
        async { true }
    }

    /// Reads a value from the key-value store.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<String>, Unavailable>>;

    /// Writes a value to the key-value store.
    fn put(&self, key: &str, value: &str) -> impl Future<Output = Result<(), Unavailable>>;

    /// Writes a value to the key-value store where there is none, and says whether it did. Two who write at the same
    /// moment can both be told that they did, see [`Self::SETTLE`].
    fn add(&self, key: &str, value: &str) -> impl Future<Output = Result<bool, Unavailable>> {
        async move {
            if self.get(key).await?.is_some() {
                return Ok(false);
            }
            self.put(key, value).await.map(|()| true)
        }
    }

    /// Writes a value that nobody needs after an instant (Unix seconds): a store with expiry drops it some time after that.
    fn put_until(
        &self,
        key: &str,
        value: &str,
        until: u64,
    ) -> impl Future<Output = Result<(), Unavailable>> {
        let _ = until;
        self.put(key, value)
    }

    /// Removes a value from the key-value store. One that is not there is removed.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), Unavailable>>;

    /// The names of all values in the key-value store that begin with a prefix, in any order. The prefix ends with `/`.
    fn names(&self, prefix: &str) -> impl Future<Output = Result<Vec<String>, Unavailable>>;

    /// Where the instances share what Kratos said; `None` where each knows only what it was told itself.
    fn shared(&self) -> Option<&Self::Shared>;

    /// Waits on a timer of this request's own.
    fn sleep(&self, milliseconds: u64) -> impl Future<Output = ()>;

    /// Does work after the response.
    fn later(&self, task: impl Future<Output = ()> + 'static);

    /// Checks a signature of RSA, or of ECDSA on P-384 or P-521.
    ///
    /// # Errors
    /// When it cannot tell.
    fn verify_signature(
        &self,
        check: &SignatureCheck<'_>,
    ) -> impl Future<Output = Result<Verdict, Unavailable>> {
        async { Ok(check.verify()) }
    }

    /// Signs with RSA, or with ECDSA on P-384 or P-521.
    ///
    /// # Errors
    /// When it cannot, for instance because the key is none. The text never repeats the key.
    fn sign(&self, unsigned: &Unsigned<'_>) -> impl Future<Output = Result<Vec<u8>, Unavailable>> {
        async {
            let mut random = [0; 32];
            self.random(&mut random)?;
            unsigned
                .sign(&random)
                .ok_or_else(|| Unavailable("the key could not sign".to_owned()))
        }
    }

    /// Writes one line of structured log.
    fn log(&self, line: &str);

    /// Where the steps of this request's decision are told, before anything in them is masked: see
    /// [`crate::explanation::Explanation::new`]. `None` for a runtime that is never told.
    fn steps(&self) -> Option<&Steps> {
        None
    }

    /// Whether an explanation is to name the rules that are nearly for a request, for which each rule is looked at.
    fn wants_near_misses(&self) -> bool {
        true
    }

    /// Whether somebody wants to know why this request is decided as it is.
    fn is_explaining(&self) -> bool {
        Self::EXPLAINS && self.steps().is_some_and(Steps::are_wanted)
    }

    /// Tells the next step of the decision, if somebody wants to know.
    fn explain(&self, step: impl FnOnce() -> Step) {
        if Self::EXPLAINS
            && let Some(steps) = self.steps().filter(|steps| steps.are_wanted())
        {
            steps.tell(step());
        }
    }
}

/// Whole seconds of an instant in milliseconds.
pub(crate) fn seconds(milliseconds: u64) -> u64 {
    milliseconds.checked_div(1_000).unwrap_or(0)
}

/// What the instances of a deployment share of Kratos' answers: the second tier behind each one's memory.
///
/// It is a cache: any entry may be gone at any time. Each value says itself until when it counts ([`entry_end`]), so a store
/// without expiry will do; the gateway takes off what has ended. It waits for none of these for long. Every name begins with [`SHARED_PREFIX`] and goes on with
/// lower-case letters, digits and `-`; a value is printable ASCII of 512 KiB at most.
pub trait SharedCache {
    /// Whether [`Self::add`] tells those who add at the same moment apart, so that one of them asks Kratos and the others
    /// wait. Where it does not, each instance asks for itself, and [`Self::add`] is never called.
    const CLAIMS: bool = true;

    /// Whether it drops by itself what has ended, so that nobody needs to sweep it.
    const EXPIRES: bool = false;

    /// Reads an entry.
    fn get(&self, name: &str) -> impl Future<Output = Result<Option<String>, Unavailable>>;

    /// Writes an entry. Whoever reads meanwhile gets the old value or the new one, whole.
    fn set(&self, name: &str, value: &str) -> impl Future<Output = Result<(), Unavailable>>;

    /// Writes an entry where there is none, and says whether it did: to one of all who do so at the same moment, where the
    /// store can tell. No two of them write the same value.
    fn add(&self, name: &str, value: &str) -> impl Future<Output = Result<bool, Unavailable>> {
        async move {
            if self.get(name).await?.is_some() {
                return Ok(false);
            }
            self.set(name, value).await.map(|()| true)
        }
    }

    /// Removes an entry. One that is not there is removed.
    fn delete(&self, name: &str) -> impl Future<Output = Result<(), Unavailable>>;

    /// The names of all entries that begin with [`SHARED_PREFIX`], in any order. None where it is never called, see
    /// [`Self::EXPIRES`].
    fn names(&self) -> impl Future<Output = Result<Vec<String>, Unavailable>> {
        async { Ok(Vec::new()) }
    }
}

/// How every name in a [`SharedCache`] begins, so that it can live in one store with the signing keys.
pub const SHARED_PREFIX: &str = "sessions/";

/// No second tier: for a [`Runtime`] whose `shared` is `None`.
#[derive(Debug, Clone, Copy)]
pub enum Unshared {}

impl SharedCache for Unshared {
    async fn get(&self, _name: &str) -> Result<Option<String>, Unavailable> {
        match *self {}
    }

    async fn set(&self, _name: &str, _value: &str) -> Result<(), Unavailable> {
        match *self {}
    }

    async fn delete(&self, _name: &str) -> Result<(), Unavailable> {
        match *self {}
    }

    async fn names(&self) -> Result<Vec<String>, Unavailable> {
        match *self {}
    }
}

/// The body of the client's request, which is passed on unread unless a handler of the rule asks for it.
pub trait RequestBody {
    /// Reads it to its end; `None` when it is larger than `largest` bytes. It is asked for once at most, and what was
    /// read then goes to the upstream as [`crate::decision::Forward::body`].
    fn read(&self, largest: usize) -> impl Future<Output = Result<Option<Vec<u8>>, FetchError>>;
}

/// A request without a body.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBody;

impl RequestBody for NoBody {
    async fn read(&self, _largest: usize) -> Result<Option<Vec<u8>>, FetchError> {
        Ok(Some(Vec::new()))
    }
}

/// A request of the gateway's own, such as whoami.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// Its method.
    pub method: String,
    /// Its URL, absolute.
    pub url: String,
    /// A binding of the runtime that takes it instead of the network.
    pub binding: Option<String>,
    /// Its headers. They can hold a credential: never log them.
    pub headers: HeaderMap,
    /// Its body; empty for none.
    pub body: Vec<u8>,
    /// Milliseconds after which it is given up, body included.
    pub timeout: u64,
    /// Bytes of body after which reading stops.
    pub largest: usize,
}

/// The answer to an [`Outbound`].
#[derive(Debug, Clone)]
pub struct Inbound {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; `None` when it was larger than [`Outbound::largest`].
    pub body: Option<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchError {
    /// It took too long.
    Timeout,
    /// There was no connection, or it broke.
    Unreachable,
}

impl FetchError {
    /// What happened to a question without an answer, for a log.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Timeout => "it did not answer in time",
            Self::Unreachable => "it cannot be reached",
        }
    }
}

/// Part of the runtime does not work. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}
