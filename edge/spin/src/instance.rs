//! What an instance is set up with, once for all of its requests.

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;

use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::request::Listener;
use edgekeeper_gateway::runtime::SharedCache;
use spin_sdk::variables::{self, Error};

use crate::store::KeyValue;

/// A policy in force, and where it is.
pub(crate) struct Instance {
    pub(crate) gateway: Rc<Gateway>,
    pub(crate) listener: Listener,
}

thread_local! {
    static INSTANCE: RefCell<Option<Rc<Instance>>> = const { RefCell::new(None) };
}

/// This instance. While it cannot be set up, each request tries again.
///
/// # Errors
/// What to set otherwise, for the log.
pub(crate) async fn current() -> Result<Rc<Instance>, String> {
    if let Some(instance) = INSTANCE.with(|known| known.borrow().clone()) {
        return Ok(instance);
    }
    let place = variable("policy").await?;
    let place = place.as_deref().unwrap_or("file:/policy.json");
    let gateway = Gateway::from_json(&document(place).await?)
        .map_err(|error| format!("`{place}`: {error}"))?;
    let listener = listener().await?;
    let instance = Rc::new(Instance { gateway, listener });
    // Another request may have been faster, and remembers something already.
    Ok(INSTANCE.with(|known| Rc::clone(known.borrow_mut().get_or_insert(instance))))
}

/// A variable of the component; `None` when the manifest does not give it one, or an empty one.
///
/// # Errors
/// When a provider of variables fails, such as a vault.
pub(crate) async fn variable(name: &str) -> Result<Option<String>, String> {
    match variables::get(name).await {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(Error::Undefined(_) | Error::InvalidName(_)) => Ok(None),
        Err(Error::Provider(reason) | Error::Other(reason)) => {
            Err(format!("the variable `{name}` cannot be read: {reason}"))
        }
    }
}

async fn document(place: &str) -> Result<String, String> {
    match place.split_once(':') {
        Some(("file", path)) => fs::read_to_string(path).map_err(|error| {
            format!(
                "`{path}` cannot be read: {error}; make it with `edgekeeper build`, and name it under `files` of the \
                 component in spin.toml"
            )
        }),
        Some(("store", name)) => match KeyValue.get(name).await {
            Ok(Some(document)) => Ok(document),
            Ok(None) => Err(format!(
                "the key-value store has no entry `{name}`; put there what `edgekeeper build` makes"
            )),
            Err(error) => Err(error.to_string()),
        },
        _ => Err(format!(
            "the variable `policy` is `{place}`; allowed are `file:PATH` and `store:NAME`"
        )),
    }
}

async fn listener() -> Result<Listener, String> {
    match variable("listener").await?.as_deref() {
        None | Some("proxy") => Ok(Listener::Proxy),
        Some("api") => Ok(Listener::Api),
        Some(other) => Err(format!(
            "the variable `listener` is `{other}`; allowed are `proxy` and `api`"
        )),
    }
}
