//! What the gateway asks of the world it runs in.

use std::future::Future;

use http::HeaderMap;

/// A runtime: Workers, Spin, `wasi:http`, or memory in a test.
///
/// This is all an adapter implements. It holds no policy: it does what it is told, and says truthfully what
/// happened. Futures need not be `Send`: each of these runtimes runs an instance on one thread.
pub trait Runtime: Clone + 'static {
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> u64;

    /// Seconds since the Unix epoch.
    fn seconds(&self) -> u64 {
        self.now().checked_div(1_000).unwrap_or(0)
    }

    /// Fills `bytes` from a cryptographic source.
    ///
    /// # Errors
    /// When there is none; the request is then refused.
    fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable>;

    /// A secret of the deployment, such as [`crate::keys::SECRET`].
    fn secret(&self, name: &str) -> Option<String>;

    /// Sends a request and reads its answer whole. Redirects are not followed.
    fn fetch(&self, request: Outbound) -> impl Future<Output = Result<Inbound, FetchError>>;

    /// Reads a value from the key-value store.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<String>, Unavailable>>;

    /// Writes a value to the key-value store.
    fn put(&self, key: &str, value: &str) -> impl Future<Output = Result<(), Unavailable>>;

    /// Waits on a timer of this request's own.
    fn sleep(&self, milliseconds: u64) -> impl Future<Output = ()>;

    /// Does work after the response.
    fn later(&self, task: impl Future<Output = ()> + 'static);

    /// Writes one line of structured log.
    fn log(&self, line: &str);
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

/// Part of the runtime does not work. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}
