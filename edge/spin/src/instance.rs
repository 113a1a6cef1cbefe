//! What an instance is set up with, once for all of its requests.

use std::fs;
use std::rc::Rc;

use edgekeeper_component::instance::{self, Instance};
use edgekeeper_gateway::runtime::SharedCache;
use spin_sdk::variables::{self, Error};

use crate::store::KeyValue;

/// This instance. While it cannot be set up, each request tries again.
///
/// # Errors
/// What to set otherwise, for the log.
pub(crate) async fn current() -> Result<Rc<Instance>, String> {
    if let Some(instance) = instance::current() {
        return Ok(instance);
    }
    let place = variable("policy").await?;
    let place = place.as_deref().unwrap_or("file:/policy.json");
    let document = document(place).await?;
    instance::set_up(place, &document, variable("listener").await?.as_deref())
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
