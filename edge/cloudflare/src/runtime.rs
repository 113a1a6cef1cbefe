//! The gateway's [`Runtime`] on Workers.

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use edgekeeper_gateway::runtime::{
    FetchError, Inbound, Outbound, Runtime, SignatureCheck, Unavailable, Unshared, Unsigned,
    Verdict,
};
use worker::{Context, Delay, Env, ScheduleContext, console_log};

use crate::{fetch, signatures};

/// The name of the KV namespace that holds the signing keys.
const KEYS: &str = "KEYS";

/// One event's view of the world.
#[derive(Clone)]
pub(crate) struct Cloudflare {
    env: Env,
    context: EventContext,
}

/// What keeps an instance alive after its event was answered.
#[derive(Clone)]
enum EventContext {
    Fetch(Rc<Context>),
    Schedule(Rc<ScheduleContext>),
}

impl Cloudflare {
    pub(crate) fn for_fetch(env: Env, context: Context) -> Self {
        Self {
            env,
            context: EventContext::Fetch(Rc::new(context)),
        }
    }

    pub(crate) fn for_schedule(env: Env, context: ScheduleContext) -> Self {
        Self {
            env,
            context: EventContext::Schedule(Rc::new(context)),
        }
    }

    pub(crate) fn env(&self) -> &Env {
        &self.env
    }
}

impl Runtime for Cloudflare {
    type Shared = Unshared;

    const WEBSOCKETS: bool = true;

    const SCHEDULE: bool = true;

    const DECODES: bool = true;

    const SIGNATURES: bool = true;

    // Keys come from the command and the schedule; in development there is one instance.
    const SETTLE: u64 = 0;

    fn shared(&self) -> Option<&Unshared> {
        None
    }

    fn now(&self) -> u64 {
        worker::Date::now().as_millis()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        fetch::global()
            .crypto()
            .and_then(|crypto| crypto.get_random_values_with_u8_array(bytes))
            .map(|_| ())
            .map_err(|_| Unavailable("there is no source of randomness".to_owned()))
    }

    async fn secret(&self, name: &str) -> Option<String> {
        self.env.secret(name).ok().map(|secret| secret.to_string())
    }

    async fn fetch(&self, request: Outbound) -> Result<Inbound, FetchError> {
        fetch::whole(&self.env, &request).await
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Unavailable> {
        let kv = self.env.kv(KEYS).map_err(|_| no_namespace())?;
        kv.get(key)
            .text()
            .await
            .map_err(|error| Unavailable(format!("KV did not answer for `{key}`: {error}")))
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), Unavailable> {
        let kv = self.env.kv(KEYS).map_err(|_| no_namespace())?;
        let failed = |error| Unavailable(format!("KV did not take `{key}`: {error}"));
        kv.put(key, value)
            .map_err(failed)?
            .execute()
            .await
            .map_err(failed)
    }

    async fn sleep(&self, milliseconds: u64) {
        Delay::from(Duration::from_millis(milliseconds)).await;
    }

    fn later(&self, task: impl Future<Output = ()> + 'static) {
        match &self.context {
            EventContext::Fetch(context) => context.wait_until(task),
            EventContext::Schedule(context) => context.wait_until(task),
        }
    }

    async fn verify_signature(&self, check: &SignatureCheck<'_>) -> Result<Verdict, Unavailable> {
        let verdict = signatures::verify(check).await;
        verdict.map_err(|_| Unavailable("WebCrypto did not check the signature".to_owned()))
    }

    async fn sign(&self, unsigned: &Unsigned<'_>) -> Result<Vec<u8>, Unavailable> {
        let signature = signatures::sign(unsigned).await;
        signature
            .map_err(|_| Unavailable("WebCrypto did not sign with the imported key".to_owned()))
    }

    fn log(&self, line: &str) {
        console_log!("{line}");
    }
}

fn no_namespace() -> Unavailable {
    Unavailable(format!(
        "there is no KV namespace bound as {KEYS}; see wrangler.toml"
    ))
}
