//! The second tier: Cloudflare's cache, which all isolates of a data centre share.

use edgekeeper_gateway::runtime::{SharedCache, Unavailable, entry_end};
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Response, ResponseInit};

use crate::fetch;

/// Stands before an entry's name, for the cache knows URLs only. No zone can have this host, because `invalid` is never
/// delegated (RFC 6761): so no visitor can ask for these URLs, and no upstream's answer is cached under one.
const ORIGIN: &str = "https://edgekeeper.invalid/";

/// The cache of this data centre.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DataCentre;

impl SharedCache for DataCentre {
    const CLAIMS: bool = false;

    async fn get(&self, name: &str) -> Result<Option<String>, Unavailable> {
        read(name).await.map_err(|_| failed("find"))
    }

    async fn set(&self, name: &str, value: &str) -> Result<(), Unavailable> {
        write(name, value).await.map_err(|_| failed("take"))
    }

    async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        remove(name).await.map_err(|_| failed("delete"))
    }

    // What has ended goes by itself.
    async fn names(&self) -> Result<Vec<String>, Unavailable> {
        Ok(Vec::new())
    }
}

async fn read(name: &str) -> Result<Option<String>, JsValue> {
    let found = JsFuture::from(cache()?.match_with_str(&url(name))).await?;
    if found.is_undefined() {
        return Ok(None);
    }
    let response: Response = found.unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    Ok(text.as_string())
}

async fn write(name: &str, value: &str) -> Result<(), JsValue> {
    let now = worker::Date::now().as_millis().div_ceil(1_000);
    let left = entry_end(value).unwrap_or(0).saturating_sub(now);
    let headers = Headers::new()?;
    headers.set("cache-control", &format!("max-age={left}"))?;
    let init = ResponseInit::new();
    init.set_headers(&headers);
    let response = Response::new_with_opt_str_and_init(Some(value), &init)?;
    JsFuture::from(cache()?.put_with_str(&url(name), &response)).await?;
    Ok(())
}

async fn remove(name: &str) -> Result<(), JsValue> {
    JsFuture::from(cache()?.delete_with_str(&url(name))).await?;
    Ok(())
}

/// `caches.default`, which is there without a question; no browser has it.
fn cache() -> Result<web_sys::Cache, JsValue> {
    let caches = fetch::global().caches()?;
    Reflect::get(&caches, &"default".into()).map(JsCast::unchecked_into)
}

fn url(name: &str) -> String {
    format!("{ORIGIN}{name}")
}

fn failed(what: &str) -> Unavailable {
    Unavailable(format!(
        "Cloudflare's cache failed where it was to {what} an entry"
    ))
}
