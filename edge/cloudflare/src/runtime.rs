//! The gateway's [`Runtime`] on Workers.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use edgekeeper_gateway::explanation::Steps;
use edgekeeper_gateway::runtime::{
    FetchError, Inbound, Outbound, Runtime, SignatureCheck, Unavailable, Unsigned, Verdict,
};
use worker::{Delay, Env, KvStore, console_log};

use crate::cache::DataCentre;
use crate::fetch;

/// The name of the KV namespace that holds the signing keys.
const KEYS: &str = "KEYS";

/// How many seconds from now an entry ends at the earliest, with room for a clock that differs.
const SHORTEST_EXPIRY: u64 = 90;

/// For how many seconds a data centre may give out what it has read before; KV takes no less. A key that was retired at once
/// is gone within a minute because of it.
const CACHE_TTL: u64 = 30;

/// One event's view of the world.
#[derive(Clone)]
pub(crate) struct Cloudflare {
    pub(crate) env: Env,
    wait_until: Rc<dyn Fn(Task)>,
    steps: Steps,
}

/// Work that keeps an instance alive after its event was answered.
type Task = Pin<Box<dyn Future<Output = ()>>>;

impl Cloudflare {
    pub(crate) fn new(env: Env, wait_until: impl Fn(Task) + 'static) -> Self {
        let (wait_until, steps) = (Rc::new(wait_until), Steps::default());
        Self {
            env,
            wait_until,
            steps,
        }
    }

    fn kv(&self) -> Result<KvStore, Unavailable> {
        self.env.kv(KEYS).map_err(|_| {
            Unavailable(format!(
                "there is no KV namespace bound as {KEYS}; see wrangler.toml"
            ))
        })
    }

    async fn write(&self, key: &str, value: &str, until: Option<u64>) -> Result<(), Unavailable> {
        let failed = |error| Unavailable(format!("KV did not take `{key}`: {error}"));
        let mut put = self.kv()?.put(key, value).map_err(failed)?;
        if let Some(until) = until {
            // KV refuses what would end within a minute.
            put = put.expiration(until.max(self.seconds().saturating_add(SHORTEST_EXPIRY)));
        }
        put.execute().await.map_err(failed)
    }
}

impl Runtime for Cloudflare {
    type Shared = DataCentre;

    const WEBSOCKETS: bool = true;
    const SCHEDULE: bool = true;
    const DECODES: bool = true;
    const SIGNATURES: bool = true;
    const EXPLAINS: bool = true;
    // Keys come from the command and the schedule; in development there is one instance.
    const SETTLE: u64 = 0;

    fn shared(&self) -> Option<&DataCentre> {
        Some(&DataCentre)
    }

    fn now(&self) -> u64 {
        worker::Date::now().as_millis()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        edgekeeper_webcrypto::random(bytes)
            .map_err(|_| Unavailable("there is no source of randomness".to_owned()))
    }

    async fn secret(&self, name: &str) -> Option<String> {
        self.env.secret(name).ok().map(|secret| secret.to_string())
    }

    async fn fetch(&self, request: Outbound) -> Result<Inbound, FetchError> {
        fetch::whole(&self.env, &request).await
    }

    async fn has_store(&self) -> bool {
        self.kv().is_ok()
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
        self.kv()?
            .get(key)
            .cache_ttl(CACHE_TTL)
            .text()
            .await
            .map_err(|error| Unavailable(format!("KV did not answer for `{key}`: {error}")))
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
        self.write(key, value, None).await
    }

    async fn put_until(&self, key: &str, value: &str, until: u64) -> Result<(), Unavailable> {
        self.write(key, value, Some(until)).await
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        let deleted = self.kv()?.delete(key).await;
        deleted.map_err(|error| Unavailable(format!("KV did not delete `{key}`: {error}")))
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, Unavailable> {
        let kv = self.kv()?;
        let mut names = Vec::new();
        let mut list = kv.list().prefix(prefix.to_owned());
        loop {
            let page = list
                .execute()
                .await
                .map_err(|error| Unavailable(format!("KV did not list `{prefix}`: {error}")))?;
            names.extend(page.keys.into_iter().map(|key| key.name));
            match page.cursor.filter(|_| !page.list_complete) {
                Some(cursor) => list = kv.list().prefix(prefix.to_owned()).cursor(cursor),
                None => return Ok(names),
            }
        }
    }

    async fn sleep(&self, milliseconds: u64) {
        Delay::from(Duration::from_millis(milliseconds)).await;
    }

    fn later(&self, task: impl Future<Output = ()> + 'static) {
        (self.wait_until)(Box::pin(task));
    }

    async fn verify_signature(&self, check: &SignatureCheck<'_>) -> Result<Verdict, Unavailable> {
        let verdict = edgekeeper_webcrypto::verify(check).await;
        verdict.map_err(|_| Unavailable("WebCrypto did not check the signature".to_owned()))
    }

    async fn sign(&self, unsigned: &Unsigned<'_>) -> Result<Vec<u8>, Unavailable> {
        let failed = |_| Unavailable("WebCrypto did not sign with the imported key".to_owned());
        edgekeeper_webcrypto::sign(unsigned).await.map_err(failed)
    }

    fn steps(&self) -> Option<&Steps> {
        Some(&self.steps)
    }

    fn log(&self, line: &str) {
        console_log!("{line}");
    }
}
