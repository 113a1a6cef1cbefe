//! The second tier: Cloudflare's cache, which all isolates of a data centre share.

use edgekeeper_gateway::runtime::{SharedCache, Unavailable, entry_end};
use js_sys::{Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Cache, Headers, Response, ResponseInit};

use crate::fetch;

/// The cache of this data centre.
pub(crate) struct DataCentre;

impl SharedCache for DataCentre {
    const CLAIMS: bool = false;
    const EXPIRES: bool = true;

    async fn get(&self, name: &str) -> Result<Option<String>, Unavailable> {
        let found = ask(|cache| Ok(cache.match_with_str(&url(name)))).await?;
        if found.is_undefined() {
            return Ok(None);
        }
        let text = ask(|_| found.unchecked_into::<Response>().text()).await?;
        Ok(text.as_string())
    }

    async fn set(&self, name: &str, value: &str) -> Result<(), Unavailable> {
        let put = ask(|cache| Ok(cache.put_with_str(&url(name), &entry(value)?)));
        put.await.map(drop)
    }

    async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        let delete = ask(|cache| Ok(cache.delete_with_str(&url(name))));
        delete.await.map(drop)
    }
}

/// The cache knows URLs only. No zone can have this host, because `invalid` is never delegated (RFC 6761): so no visitor
/// can ask for these URLs, and no upstream's answer is cached under one.
fn url(name: &str) -> String {
    format!("https://edgekeeper.invalid/{name}")
}

/// An entry as the cache takes it, to be kept for as long as it counts.
fn entry(value: &str) -> Result<Response, JsValue> {
    let now = worker::Date::now().as_millis().div_ceil(1_000);
    let left = entry_end(value).unwrap_or(0).saturating_sub(now);
    let headers = Headers::new()?;
    headers.set("cache-control", &format!("max-age={left}"))?;
    let init = ResponseInit::new();
    init.set_headers(&headers);
    Response::new_with_opt_str_and_init(Some(value), &init)
}

/// Has `caches.default` do something; it is there without a question, and in no browser.
async fn ask(
    task: impl FnOnce(&Cache) -> Result<Promise, JsValue>,
) -> Result<JsValue, Unavailable> {
    let done = async {
        let caches = fetch::global().caches()?;
        let cache = Reflect::get(&caches, &"default".into())?;
        JsFuture::from(task(cache.unchecked_ref())?).await
    };
    done.await
        .map_err(|_| Unavailable("Cloudflare's cache failed".to_owned()))
}
